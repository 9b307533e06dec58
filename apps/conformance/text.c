#include "run.h"

/* The bytes of the UTF-8 sequence that starts here, 0 where there is none. */
static int sequence(const unsigned char *p) {
	int n = p[0] >= 0xC2 && p[0] < 0xE0 ? 2 : p[0] >= 0xE0 && p[0] < 0xF0 ? 3 : p[0] >= 0xF0 && p[0] < 0xF5 ? 4 : 0;
	for (int i = 1; i < n; i++)
		if ((p[i] & 0xC0) != 0x80)
			return 0;
	/* overlong forms, surrogates, beyond the last plane */
	if ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F) || (p[0] == 0xF0 && p[1] < 0x90) ||
	    (p[0] == 0xF4 && p[1] > 0x8F))
		return 0;
	return n;
}

void cf_clean_text(char *text) {
	for (unsigned char *p = (unsigned char *)text; *p != '\0'; p++) {
		if (*p == '\n' || *p == '\t' || *p == '\r') {
			*p = ' ';
		} else if (*p < ' ' || *p == 0x7F) {
			*p = '?';
		} else if (*p >= 0x80) {
			int n = sequence(p);
			if (n == 0)
				*p = '?';
			else
				p += n - 1;
		}
	}
}
