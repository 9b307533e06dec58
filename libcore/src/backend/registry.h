/* What discovery found: the search path, the manifests, the backends they name, and why any of them is out.
 *
 * One registry a process, made at first use and then unchanged but for what loading adds.  Everything here is under the
 * loader's lock (fork.c).  Locks are taken in the order loader → device → allocator → log. */
#ifndef MT_BACKEND_REGISTRY_H
#define MT_BACKEND_REGISTRY_H

#include <stddef.h>

#include "backend/options.h"
#include "mt/plugin.h"
#include "mt/status.h"

/* Where a path comes from, in the words of the JSON document. */
enum mt__source { MT__SOURCE_ADD, MT__SOURCE_EXPLICIT, MT__SOURCE_USER, MT__SOURCE_SYSTEM, MT__SOURCE_LIBMT };

/* One file or folder of the search path (R16). */
struct mt__place {
	char *path;
	char *reason; /* why it was not read; NULL when it was, or when nothing is there */
	enum mt__source source;
	int state; /* enum mt__place_state */
};

enum mt__place_state { MT__PLACE_READ, MT__PLACE_ABSENT, MT__PLACE_REFUSED };

/* One manifest file (R14). */
struct mt__manifest {
	char *path;
	char *reason; /* why the file was skipped */
	enum mt__source source;
	int skipped;
	int entries; /* backends it lists, good and bad */
};

/* A loaded library's answer to the entry, checked (R2 to R4).  Shared by all backends that name the library. */
struct mt__plugin {
	struct mt__plugin *next;
	char *path;
	struct mt_plugin_api api; /* fields past what the plugin filled are zero */
	uint32_t minor;           /* in force: the smaller of the two */
	int generation;           /* of the process (fork.c) that loaded it */
	int refused;
	char *reason; /* why refused */
};

enum mt__backend_state {
	MT__BACKEND_CANDIDATE, /* not tried yet */
	MT__BACKEND_USABLE,
	MT__BACKEND_NO_DEVICE, /* loaded, but there is nothing to open (R19) */
	MT__BACKEND_UNUSABLE,  /* the library is missing, or was refused */
	MT__BACKEND_SHADOWED,  /* an earlier manifest has the name (R16) */
	MT__BACKEND_SKIPPED    /* the manifest's entry is malformed (R14, R15, R17) */
};

/* One entry of a manifest. */
struct mt__backend {
	char *name; /* "?" where the entry has none that is valid */
	char *manifest;
	char *library; /* as written */
	char *path;    /* resolved; NULL where that failed */
	char *description;
	char *reason; /* why it is not usable */
	struct mt__options options;
	int32_t priority;
	int is_reference;
	int disabled; /* by MT_BACKENDS_DISABLE: kept for fallback where is_reference */
	int state;    /* enum mt__backend_state */
	int32_t devices;
	struct mt__plugin *plugin;
};

struct mt__registry {
	struct mt__place *places;
	struct mt__manifest *manifests;
	struct mt__backend *backends;
	size_t n_places, n_manifests, n_backends;
	size_t place_capacity, manifest_capacity, backend_capacity;
};

/* ---- registry.c ---- */

/* The registry, discovered at first use.  MT_E_MEMORY, or MT_E_ARG for a bad MT_BACKENDS_DISABLE, with the error set:
 * then the next call tries again. */
mt_status mt__registry(struct mt__registry **out);

/* Frees what registry holds, and empties it. */
void mt__registry_free(struct mt__registry *registry);

/* The backend that a name stands for (never a shadowed or skipped one); NULL when there is none. */
struct mt__backend *mt__registry_find(const struct mt__registry *registry, const char *name, size_t length);

/* Why a name that mt__registry_find does not know was skipped; NULL where no manifest has it. */
const char *mt__registry_skipped(const struct mt__registry *registry, const char *name, size_t length);

/* The one whose role is reference; NULL when there is none. */
struct mt__backend *mt__registry_reference(const struct mt__registry *registry);

/* "there are: naive, omp; not usable: cuda (no device: …)": loads every backend to know. */
void mt__registry_describe(struct mt__registry *registry, struct mt_text *text);

/* Room for one more item; NULL when out of memory. */
void *mt__registry_grow(void *items, size_t count, size_t *capacity, size_t size);

/* A formatted copy; NULL when out of memory. */
char *mt__format(const char *format, ...) MT_PRINTF(1, 2);

/* Whether text is a name as manifests write it: [a-z][a-z0-9_]{0,31}. */
int mt__is_name(const char *text, size_t length);

/* ---- search.c ---- */

/* Reads every manifest of the search path into registry.  MT_OK or MT_E_MEMORY with the error set. */
mt_status mt__search(struct mt__registry *registry);

/* ---- trust.c ---- */

struct stat;

/* Whether a file or folder may be used (R17): NULL, or why not (into buffer). */
const char *mt__distrust(const char *path, const struct stat *st, enum mt__source source, char *buffer, size_t size);

/* The path of libmt itself, absolute; NULL when it cannot be told.  The caller frees it. */
char *mt__libmt_path(void);

/* ---- manifest.c ---- */

/* Reads one manifest and adds it and its backends.  A bad one is kept with its reason: MT_OK.  MT_E_MEMORY else. */
mt_status mt__manifest_read(struct mt__registry *registry, const char *path, enum mt__source source);

/* ---- load.c ---- */

/* Loads the backend's library and counts its devices, once; state, reason and devices tell what came of it. */
void mt__backend_load(struct mt__backend *backend);

/* ---- elf.c ---- */

/* 0 where the file is a library of this machine's kind that ends before its segments do. */
int mt__library_is_whole(const char *path);

/* ---- fork.c ---- */

void mt__loader_lock(void);
void mt__loader_unlock(void);

/* Counts the forks between the process's start and now: what was made under another number is a parent's. */
extern int mt__fork_generation;

#endif
