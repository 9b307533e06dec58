/* The AMX intrinsics that plugins/cpu_omp/x86/gemm_amx.c uses, in plain C, as the Intel 64 manual (volume 2, "TDPBF16PS",
 * "TILELOADD" and others) defines the instructions: tiles of each thread, palette 1, rows of a configured length,
 * registers that are not configured or do not fit refused (an abort, where the CPU raises #UD or #GP).  A source is
 * compiled for this header by -include. */
#ifndef AMX_EMULATED_H
#define AMX_EMULATED_H

#include <stddef.h>
#include <stdint.h>

void amx_loadconfig(const void *config);
void amx_release(void);
void amx_zero(int tile);
void amx_loadd(int tile, const void *base, int64_t stride);
void amx_stored(int tile, void *base, int64_t stride);
void amx_dpbf16ps(int to, int a, int b);

/* Whether this thread's tiles are configured: they must not be after a release. */
int amx_is_configured(void);

#define _tile_loadconfig(config) amx_loadconfig(config)
#define _tile_release() amx_release()
#define _tile_zero(tile) amx_zero(tile)
#define _tile_loadd(tile, base, stride) amx_loadd(tile, base, stride)
#define _tile_stored(tile, base, stride) amx_stored(tile, base, stride)
#define _tile_dpbf16ps(to, a, b) amx_dpbf16ps(to, a, b)

#endif
