/* Where manifests are looked for (R16), in order. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "backend/registry.h"
#include "base/error.h"
#include "base/log.h"

#ifndef MT_SYSCONFDIR
#define MT_SYSCONFDIR "/etc"
#endif

/* Takes path and reason over; MT_E_MEMORY where path is NULL. */
static mt_status add_place(struct mt__registry *r, char *path, enum mt__source source, enum mt__place_state state,
                           char *reason) {
	struct mt__place *places =
		path != NULL ? mt__registry_grow(r->places, r->n_places, &r->place_capacity, sizeof *places) : NULL;
	if (places == NULL) {
		mt__free(path);
		mt__free(reason);
		return mt__fail_memory("discovery", sizeof *places);
	}
	if (state == MT__PLACE_REFUSED)
		mt__log(MT_LOG_WARN, MT_LOG_LOADER, "%s: not searched: %s", path, reason != NULL ? reason : "");
	else
		mt__log(MT_LOG_DEBUG, MT_LOG_LOADER, "%s: %s", path, state == MT__PLACE_READ ? "searched" : "not there");
	r->places = places;
	r->places[r->n_places++] = (struct mt__place){path, reason, source, state};
	return MT_OK;
}

static int is_manifest_name(const struct dirent *entry) {
	size_t length = strlen(entry->d_name);
	return length > 5 && entry->d_name[0] != '.' && strcmp(entry->d_name + length - 5, ".json") == 0;
}

/* Byte order, whatever the locale. */
static int by_bytes(const struct dirent **a, const struct dirent **b) {
	return strcmp((*a)->d_name, (*b)->d_name);
}

static mt_status read_folder(struct mt__registry *r, const char *path, enum mt__source source) {
	struct dirent **names = NULL;
	int n = scandir(path, &names, is_manifest_name, by_bytes);
	if (n < 0)
		return add_place(r, mt__strdup(path), source, MT__PLACE_REFUSED, mt__strdup(strerror(errno)));
	mt_status status = add_place(r, mt__strdup(path), source, MT__PLACE_READ, NULL);
	for (int i = 0; i < n; i++) {
		char *file = status == MT_OK ? mt__format("%s/%s", path, names[i]->d_name) : NULL;
		if (file != NULL)
			status = mt__manifest_read(r, file, source);
		else if (status == MT_OK)
			status = mt__fail_memory("discovery", strlen(path) + strlen(names[i]->d_name) + 2);
		mt__free(file);
		free(names[i]);
	}
	free(names);
	return status;
}

/* One file or folder.  Explicit ones that are missing are refused, for the user meant them; others are just absent. */
static mt_status read_place(struct mt__registry *r, const char *path, enum mt__source source) {
	struct stat st;
	char why[512];
	int given = source == MT__SOURCE_ADD || source == MT__SOURCE_EXPLICIT;
	if (stat(path, &st) != 0) {
		int absent = !given && (errno == ENOENT || errno == ENOTDIR);
		return add_place(r, mt__strdup(path), source, absent ? MT__PLACE_ABSENT : MT__PLACE_REFUSED,
		                 absent ? NULL : mt__strdup(strerror(errno)));
	}
	if (!S_ISDIR(st.st_mode)) {
		mt_status status = add_place(r, mt__strdup(path), source, MT__PLACE_READ, NULL);
		return status == MT_OK ? mt__manifest_read(r, path, source) : status;
	}
	if (mt__distrust(path, &st, source, why, sizeof why) != NULL)
		return add_place(r, mt__strdup(path), source, MT__PLACE_REFUSED, mt__strdup(why));
	return read_folder(r, path, source);
}

/* Files and folders with ':' between; nothing between two ':' is nothing, not the current folder. */
static mt_status read_list(struct mt__registry *r, const char *list, enum mt__source source) {
	mt_status status = MT_OK;
	while (status == MT_OK && *list != '\0') {
		size_t length = strcspn(list, ":");
		if (length != 0) {
			char *path = mt__format("%.*s", (int)length, list);
			status = path != NULL ? read_place(r, path, source) : mt__fail_memory("discovery", length);
			mt__free(path);
		}
		list += length;
		list += *list == ':';
	}
	return status;
}

/* Takes path over. */
static mt_status read_default(struct mt__registry *r, char *path, enum mt__source source) {
	if (path == NULL)
		return mt__fail_memory("discovery", 1);
	mt_status status = read_place(r, path, source);
	mt__free(path);
	return status;
}

static mt_status read_user_folder(struct mt__registry *r) {
	const char *config = mt__getenv("XDG_CONFIG_HOME"), *home = mt__getenv("HOME");
	/* the XDG specification: a relative path there is to be ignored */
	if (config != NULL && config[0] == '/')
		return read_default(r, mt__format("%s/mt/backends.d", config), MT__SOURCE_USER);
	if (home != NULL && home[0] == '/')
		return read_default(r, mt__format("%s/.config/mt/backends.d", home), MT__SOURCE_USER);
	return MT_OK;
}

static mt_status read_own_folder(struct mt__registry *r) {
	char *path = mt__libmt_path();
	if (path == NULL)
		return MT_OK;
	*strrchr(path, '/') = '\0';
	mt_status status = read_default(r, mt__format("%s/mt", path), MT__SOURCE_LIBMT);
	mt__free(path);
	return status;
}

mt_status mt__search(struct mt__registry *r) {
	const char *more = mt__getenv("MT_ADD_MANIFEST_PATH"), *instead = mt__getenv("MT_MANIFEST_PATH");
	mt_status status = more != NULL ? read_list(r, more, MT__SOURCE_ADD) : MT_OK;
	if (status == MT_OK && instead != NULL)
		return read_list(r, instead, MT__SOURCE_EXPLICIT);
	if (status == MT_OK)
		status = read_user_folder(r);
	if (status == MT_OK)
		status = read_default(r, mt__strdup(MT_SYSCONFDIR "/mt/backends.d"), MT__SOURCE_SYSTEM);
	if (status == MT_OK)
		status = read_own_folder(r);
	return status;
}
