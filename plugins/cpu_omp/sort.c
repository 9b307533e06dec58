/* sort along an axis.  Elements become unsigned keys in the order wanted (NaN largest, -0 equal to 0) with their position
 * beside them: no two records are equal, and any way to sort them is stable.  Rows of up to SORT_FEW are sorted by
 * counting the smaller ones, longer ones by digits, and a row that threads share in parts that are merged. */
#include <string.h>

#include "lanes.h"
#include "units.h"
#include "vector.h"

/* 32-bit keys: key above, position below. */
#define RECORD uint64_t
#define KEY uint32_t
#define KEY_OF(r) ((uint32_t)((r) >> 32))
#define POSITION_OF(r) ((uint32_t)(r))
#define LESS(a, b) ((a) < (b))
#define MAKE(key, position) ((uint64_t)(key) << 32 | (uint64_t)(position))
#define NAME(f) f##_32
#include "sort_keys.inc"
#undef RECORD
#undef KEY
#undef KEY_OF
#undef POSITION_OF
#undef LESS
#undef MAKE
#undef NAME

struct record {
	uint64_t key, position;
};

#define RECORD struct record
#define KEY uint64_t
#define KEY_OF(r) ((r).key)
#define POSITION_OF(r) ((r).position)
#define LESS(a, b) (((a).key < (b).key) | (((a).key == (b).key) & ((a).position < (b).position)))
#define MAKE(key, position)                                                                                            \
	(struct record) {                                                                                                  \
		key, (uint64_t)(position)                                                                                      \
	}
#define NAME(f) f##_64
#include "sort_keys.inc"

enum { CHUNK = 1024, SORT_FEW = 128, SHARED_FROM = 1 << 15, PARTS_MAX = 64 };

struct sort {
	struct mt__lanes lanes; /* arrays: x, values, indices */
	bool descending, wide;  /* wide: struct record */
	bool has_indices;
	char *scratch;
	uint64_t scratch_each; /* bytes a thread, or of the one row that is shared */
	int threads;
	/* a row shared by threads */
	struct mt__lane_block block;
	int64_t width; /* of the parts that are merged */
	char *from, *to;
};

/* ---- keys ---- */

static inline uint32_t key_f32(uint32_t bits) {
	bits = bits == 0x80000000u ? 0 : bits;
	uint32_t key = bits ^ ((0u - (bits >> 31)) | 0x80000000u);
	return (bits & 0x7FFFFFFFu) > 0x7F800000u ? UINT32_MAX : key;
}

static inline uint64_t key_f64(uint64_t bits) {
	bits = bits == 0x8000000000000000u ? 0 : bits;
	uint64_t key = bits ^ ((0u - (bits >> 63)) | 0x8000000000000000u);
	return (bits & 0x7FFFFFFFFFFFFFFFu) > 0x7FF0000000000000u ? UINT64_MAX : key;
}

static void keys_of_4(uint32_t *key, const uint32_t *bits, bool real, bool descending, int64_t n) {
	const uint32_t flip = descending ? UINT32_MAX : 0;
	if (real)
		for (int64_t j = 0; j < n; j++)
			key[j] = key_f32(bits[j]) ^ flip;
	else
		for (int64_t j = 0; j < n; j++)
			key[j] = bits[j] ^ 0x80000000u ^ flip;
}

static void keys_of_8(uint64_t *key, const uint64_t *bits, bool real, bool descending, int64_t n) {
	const uint64_t flip = descending ? UINT64_MAX : 0;
	if (real)
		for (int64_t j = 0; j < n; j++)
			key[j] = key_f64(bits[j]) ^ flip;
	else
		for (int64_t j = 0; j < n; j++)
			key[j] = bits[j] ^ 0x8000000000000000u ^ flip;
}

static void keys_of_1(uint32_t *key, const uint8_t *bytes, bool descending, int64_t n) {
	const uint32_t flip = descending ? UINT32_MAX : 0;
	for (int64_t j = 0; j < n; j++)
		key[j] = bytes[j] ^ flip;
}

/* Records of elements [begin, end) of the lane at x; records are indexed from the lane's first. */
static void make_records(const struct sort *s, const char *x, char *records, int64_t begin, int64_t end) {
	const struct mt__lanes *l = &s->lanes;
	int32_t dtype = l->walk.dtype[0], compute = mt__omp_compute_dtype(dtype);
	int size = mt__omp_dtype_size(compute);
	_Alignas(64) char buffer[CHUNK * 8], keys[CHUNK * 8];
	for (int64_t i = begin; i < end; i += CHUNK) {
		int64_t n = mt__omp_min(CHUNK, end - i);
		const char *from = x + i * l->step[0] * l->walk.size[0];
		if (l->step[0] != 1 || compute != dtype) {
			mt__omp_load_run(buffer, dtype, false, from, l->step[0], n);
			from = buffer;
		}
		if (size == 8)
			keys_of_8((uint64_t *)keys, (const uint64_t *)from, dtype == MT_F64, s->descending, n);
		else if (size == 4)
			keys_of_4((uint32_t *)keys, (const uint32_t *)from, compute == MT_F32, s->descending, n);
		else
			keys_of_1((uint32_t *)keys, (const uint8_t *)from, s->descending, n);
		if (!s->wide)
			number_32((uint64_t *)records + i, (const uint32_t *)keys, i, n);
		else if (size == 8)
			number_64((struct record *)records + i, (const uint64_t *)keys, i, n);
		else
			for (int64_t j = 0; j < n; j++)
				((struct record *)records)[i + j] = (struct record){((const uint32_t *)keys)[j], (uint64_t)(i + j)};
	}
}

/* ---- results ---- */

#define PLACE(T)                                                                                                       \
	for (int64_t j = 0; j < n; j++)                                                                                    \
	((T *)values)[j * vs] = ((const T *)x)[positions[j] * xs]

/* values and indices [begin, end) of a lane from its sorted records. */
static void place(const struct sort *s, const struct mt__lane_block *b, const char *records, int64_t begin,
                  int64_t end) {
	const struct mt__lanes *l = &s->lanes;
	int size = l->walk.size[0];
	int64_t positions[CHUNK], vs = l->step[1], xs = l->step[0];
	const char *x = b->at[0];
	for (int64_t i = begin; i < end; i += CHUNK) {
		int64_t n = mt__omp_min(CHUNK, end - i);
		char *values = b->at[1] + i * vs * size;
		if (s->wide)
			positions_64(positions, (const struct record *)records + i, n);
		else
			positions_32(positions, (const uint64_t *)records + i, n);
		switch (size) {
		case 1:
			PLACE(uint8_t);
			break;
		case 2:
			PLACE(uint16_t);
			break;
		case 4:
			PLACE(uint32_t);
			break;
		default:
			PLACE(uint64_t);
		}
		for (int64_t j = 0; s->has_indices && j < n; j++)
			((int64_t *)b->at[2])[(i + j) * l->step[2]] = positions[j];
	}
}

/* ---- many rows ---- */

/* Few records: each goes to the place that is the number of smaller ones. */
static void sort_few(uint64_t *sorted, const uint64_t *records, int64_t n) {
	_Alignas(64) uint64_t place_of[SORT_FEW] = {0};
	for (int64_t j = 0; j < n; j++) {
		const uint64_t r = records[j];
#pragma omp simd
		for (int64_t i = 0; i < n; i++)
			place_of[i] += r < records[i];
	}
	for (int64_t i = 0; i < n; i++)
		sorted[place_of[i]] = records[i];
}

static const char *sort_records(const struct sort *s, char *records, char *spare, int64_t n) {
	if (s->wide)
		return (const char *)sort_64((struct record *)records, (struct record *)spare, n);
	if (n <= SORT_FEW) {
		sort_few((uint64_t *)spare, (const uint64_t *)records, n);
		return spare;
	}
	return (const char *)sort_32((uint64_t *)records, (uint64_t *)spare, n);
}

/* One share of the lanes: units are threads, each with scratch of its own. */
static void sort_share(const void *context, int64_t begin, int64_t end) {
	const struct sort *s = context;
	for (int64_t share = begin; share < end; share++) {
		char *records = s->scratch + (uint64_t)share * s->scratch_each, *spare = records + s->scratch_each / 2;
		int64_t first, last;
		mt__omp_share(s->lanes.units, (int)share, s->threads, &first, &last);
		struct mt__lane_block b;
		mt__lanes_locate(&s->lanes, first, &b);
		for (int64_t u = first; u < last; u++, mt__lanes_advance(&s->lanes, &b)) {
			make_records(s, b.at[0], records, 0, s->lanes.extent);
			place(s, &b, sort_records(s, records, spare, s->lanes.extent), 0, s->lanes.extent);
		}
	}
}

/* ---- one row shared by threads ---- */

static uint64_t record_size(const struct sort *s) {
	return s->wide ? sizeof(struct record) : sizeof(uint64_t);
}

/* Parts [begin, end) of the row are sorted, each to where it lies in s->from. */
static void sort_parts(const void *context, int64_t begin, int64_t end) {
	const struct sort *s = context;
	for (int64_t part = begin; part < end; part++) {
		int64_t first = part * s->width, n = mt__omp_min(s->width, s->lanes.extent - first);
		uint64_t at = (uint64_t)first * record_size(s);
		if (n <= 0)
			continue;
		make_records(s, s->block.at[0], s->from, first, first + n);
		const char *sorted = sort_records(s, s->from + at, s->to + at, n);
		if (sorted != s->from + at)
			memcpy(s->from + at, sorted, (size_t)n * record_size(s));
	}
}

/* Neighbouring parts, s->width each, are merged from s->from to s->to: share `begin` of the output. */
static void merge_share(const void *context, int64_t begin, int64_t end) {
	const struct sort *s = context;
	for (int64_t share = begin; share < end; share++) {
		int64_t first, last;
		mt__omp_share(s->lanes.extent, (int)share, s->threads, &first, &last);
		if (s->wide)
			merge_64((struct record *)s->to, (const struct record *)s->from, s->lanes.extent, s->width, first, last);
		else
			merge_32((uint64_t *)s->to, (const uint64_t *)s->from, s->lanes.extent, s->width, first, last);
	}
}

static void place_share(const void *context, int64_t begin, int64_t end) {
	const struct sort *s = context;
	for (int64_t share = begin; share < end; share++) {
		int64_t first, last;
		mt__omp_share(s->lanes.extent, (int)share, s->threads, &first, &last);
		place(s, &s->block, s->from, first, last);
	}
}

static void sort_together(struct sort *s) {
	int64_t n = s->lanes.extent;
	for (int64_t u = 0; u < s->lanes.units; u++) {
		mt__lanes_locate(&s->lanes, u, &s->block);
		s->from = s->scratch;
		s->to = s->scratch + s->scratch_each / 2;
		s->width = mt__omp_ceil_div(n, s->threads);
		mt__omp_for_units(s->threads, s->threads, sort_parts, s);
		for (; s->width < n; s->width *= 2) {
			mt__omp_for_units(s->threads, s->threads, merge_share, s);
			char *t = s->from;
			s->from = s->to;
			s->to = t;
		}
		mt__omp_for_units(s->threads, s->threads, place_share, s);
	}
}

int32_t MT_ISA_NAME(mt__omp_sort)(mt_queue *queue, const struct mt_sort_args *args) {
	struct sort s = {.descending = args->descending != 0, .has_indices = args->indices != NULL};
	const mt_array *arrays[] = {args->x, args->values, args->indices};
	struct mt__lanes *l = &s.lanes;
	mt__lanes_init(l, s.has_indices ? 3 : 2, arrays, args->axis);
	mt__lanes_divide(l, 1);
	int size = mt__omp_compute_size(args->x->dtype);
	s.wide = size == 8 || l->extent > UINT32_MAX;
	int threads = (int)mt__omp_min(PARTS_MAX, mt__omp_threads(queue, (double)l->walk.count * (double)l->extent * 20));
	bool together = threads > 1 && l->units < threads && l->extent >= SHARED_FROM;
	s.threads = together ? threads : (int)mt__omp_min(threads, l->units);
	s.scratch_each = 2 * mt__omp_align64((uint64_t)l->extent * record_size(&s));
	uint64_t bytes = s.scratch_each * (uint64_t)(together ? 1 : s.threads);
	s.scratch = mt__omp_scratch(queue, bytes);
	if (!s.scratch)
		return mt__omp_no_scratch(bytes);
	if (together)
		sort_together(&s);
	else
		mt__omp_for_units(s.threads, s.threads, sort_share, &s);
	return MT_OK;
}
