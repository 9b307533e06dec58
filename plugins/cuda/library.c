/* cuBLASLt and cuDNN are loaded when they are first needed: a machine without them still has the kernels here. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mt_cuda.h"

#ifndef MT_CUDA_LIBDIR
#define MT_CUDA_LIBDIR ""
#endif

static void *load(const char *path) {
	return dlopen(path, RTLD_NOW | RTLD_LOCAL);
}

/* The library in one of the folders of a list with ':' between. */
static void *load_from(const char *folders, const char *soname) {
	void *library = NULL;
	for (const char *at = folders; *at != '\0' && library == NULL;) {
		size_t n = strcspn(at, ":");
		char path[4096];
		if (n > 0 && snprintf(path, sizeof path, "%.*s/%s", (int)n, at, soname) < (int)sizeof path)
			library = load(path);
		at += n + (at[n] == ':');
	}
	return library;
}

void *mt__cuda_library(const char *soname, char *why, size_t size) {
	const char *folders = secure_getenv("MT_CUDA_LIBRARY_PATH");
	void *library = folders ? load_from(folders, soname) : NULL;
	if (!library)
		library = load(soname);
	const char *reason = library ? NULL : dlerror();
	snprintf(why, size, "%s", reason ? reason : "");
	if (!library && MT_CUDA_LIBDIR[0] != '\0')
		library = load_from(MT_CUDA_LIBDIR, soname);
	return library;
}
