/* Status codes as text. */
#include "mt/status.h"

#include "config.h"

struct status_row {
	const char *name, *text;
};

static const struct status_row rows[] = {
#define MT_STATUS(id, NAME, text) [id] = {"MT_" #NAME, text},
#include "mt/statuses.def"
#undef MT_STATUS
};

static int is_status(mt_status status) {
	return status >= 0 && (size_t)status < sizeof rows / sizeof *rows && rows[status].name != NULL;
}

const char *mt_version(void) {
	return PACKAGE_VERSION;
}

const char *mt_status_text(mt_status status) {
	return is_status(status) ? rows[status].text : "unknown status";
}

const char *mt_status_name(mt_status status) {
	return is_status(status) ? rows[status].name : "MT_E_?";
}
