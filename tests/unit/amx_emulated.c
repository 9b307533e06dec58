#include "amx_emulated.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TILES = 8, MAX_ROWS = 16, MAX_BYTES = 64 };

/* A thread's tile registers; palette 0: the initial state, in which every tile instruction faults. */
static _Thread_local struct {
	uint8_t palette;
	uint8_t rows[TILES];
	uint16_t bytes[TILES];
	uint8_t data[TILES][MAX_ROWS][MAX_BYTES];
} state;

static void need(int holds, const char *what) {
	if (holds)
		return;
	fprintf(stderr, "AMX: %s\n", what);
	abort();
}

static void need_tile(int tile) {
	need(tile >= 0 && tile < TILES, "there are tiles 0 to 7");
	need(state.palette == 1, "no configuration is loaded");
	need(state.rows[tile] > 0 && state.bytes[tile] > 0, "the tile is not configured");
}

int amx_is_configured(void) {
	return state.palette != 0;
}

void amx_release(void) {
	memset(&state, 0, sizeof state);
}

/* 64 bytes: palette, start row, 14 reserved, 16 × bytes of a row, 16 × rows.  Loading one clears all tiles. */
void amx_loadconfig(const void *config) {
	const uint8_t *from = config;
	need(from[0] == 1, "palette 1 is the only one");
	need(from[1] == 0, "the start row is 0");
	for (int i = 2; i < 16; i++)
		need(from[i] == 0, "a reserved byte is not 0");
	amx_release();
	for (int i = 0; i < 16; i++) {
		uint16_t bytes;
		memcpy(&bytes, from + 16 + 2 * i, sizeof bytes);
		uint8_t rows = from[48 + i];
		need(i < TILES || (bytes == 0 && rows == 0), "there are 8 tiles");
		need(bytes <= MAX_BYTES && rows <= MAX_ROWS && (bytes == 0) == (rows == 0), "a tile's rows or bytes");
		if (i < TILES) {
			state.bytes[i] = bytes;
			state.rows[i] = rows;
		}
	}
	state.palette = 1;
}

void amx_zero(int tile) {
	need_tile(tile);
	memset(state.data[tile], 0, sizeof state.data[tile]);
}

void amx_loadd(int tile, const void *base, int64_t stride) {
	need_tile(tile);
	memset(state.data[tile], 0, sizeof state.data[tile]);
	for (int i = 0; i < state.rows[tile]; i++)
		memcpy(state.data[tile][i], (const char *)base + i * stride, state.bytes[tile]);
}

void amx_stored(int tile, void *base, int64_t stride) {
	need_tile(tile);
	for (int i = 0; i < state.rows[tile]; i++)
		memcpy((char *)base + i * stride, state.data[tile][i], state.bytes[tile]);
}

/* Subnormals are zeros of their sign, in operands and results. */
static float flushed(float x) {
	return fabsf(x) < 0x1p-126f ? copysignf(0, x) : x;
}

static float read_f32(const uint8_t *at) {
	float x;
	memcpy(&x, at, sizeof x);
	return x;
}

/* Element number n of a row of bf16, widened. */
static float read_bf16(const uint8_t *row, int n) {
	uint16_t half;
	memcpy(&half, row + 2 * n, sizeof half);
	uint32_t bits = (uint32_t)half << 16;
	float x;
	memcpy(&x, &bits, sizeof x);
	return flushed(x);
}

/* A row: FMAs of even and of odd elements along k apart, their sum, then the sum with what was there. */
static void dot_row(uint8_t *to, const uint8_t *a, const uint8_t (*b)[MAX_BYTES], int pairs, int columns) {
	for (int n = 0; n < columns; n++) {
		float even = 0, odd = 0;
		for (int k = 0; k < pairs; k++) {
			even = flushed(fmaf(read_bf16(a, 2 * k), read_bf16(b[k], 2 * n), even));
			odd = flushed(fmaf(read_bf16(a, 2 * k + 1), read_bf16(b[k], 2 * n + 1), odd));
		}
		float sum = flushed(flushed(read_f32(to + 4 * n)) + flushed(even + odd));
		memcpy(to + 4 * n, &sum, sizeof sum);
	}
}

void amx_dpbf16ps(int to, int a, int b) {
	need_tile(to);
	need_tile(a);
	need_tile(b);
	need(to != a && to != b && a != b, "three different tiles");
	need(state.rows[to] == state.rows[a] && state.bytes[to] == state.bytes[b] && state.bytes[a] == 4 * state.rows[b],
	     "shapes that don't fit");
	for (int m = 0; m < state.rows[to]; m++)
		dot_row(state.data[to][m], state.data[a][m], state.data[b], state.bytes[a] / 4, state.bytes[to] / 4);
}
