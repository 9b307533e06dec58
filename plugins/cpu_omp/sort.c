/* sort along an axis.  Elements become unsigned keys in the order wanted (NaN largest, -0 equal to 0) with their position
 * beside them; equal keys keep their order. */
#include "lanes.h"
#include "units.h"

/* 32-bit keys: key above, position below. */
#define RECORD uint64_t
#define KEY uint32_t
#define KEY_OF(r) ((uint32_t)((r) >> 32))
#define NAME(f) f##_32
#include "sort_keys.inc"
#undef RECORD
#undef KEY
#undef KEY_OF
#undef NAME

struct record {
	uint64_t key, position;
};

#define RECORD struct record
#define KEY uint64_t
#define KEY_OF(r) ((r).key)
#define NAME(f) f##_64
#include "sort_keys.inc"

enum { CHUNK = 1024 };

struct sort {
	struct mt__lanes lanes; /* arrays: x, values, indices */
	bool descending, wide;  /* wide: struct record */
	bool has_indices;
	char *scratch;
	uint64_t scratch_each; /* bytes a thread */
	int threads;
};

static uint32_t key_f32(uint32_t bits) {
	if ((bits & 0x7FFFFFFFu) > 0x7F800000u)
		return UINT32_MAX;
	if (bits == 0x80000000u)
		bits = 0;
	return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

static uint64_t key_f64(uint64_t bits) {
	if ((bits & 0x7FFFFFFFFFFFFFFFu) > 0x7FF0000000000000u)
		return UINT64_MAX;
	if (bits == 0x8000000000000000u)
		bits = 0;
	return bits & 0x8000000000000000u ? ~bits : bits | 0x8000000000000000u;
}

/* Key of element i of a buffer of compute type dtype. */
static uint64_t key_of(const void *buffer, int32_t dtype, int64_t i) {
	switch (dtype) {
	case MT_F32:
		return key_f32(((const uint32_t *)buffer)[i]);
	case MT_F64:
		return key_f64(((const uint64_t *)buffer)[i]);
	case MT_I32:
		return ((const uint32_t *)buffer)[i] ^ 0x80000000u;
	case MT_I64:
		return ((const uint64_t *)buffer)[i] ^ 0x8000000000000000u;
	default:
		return ((const uint8_t *)buffer)[i];
	}
}

static void make_records(const struct sort *s, const char *x, char *records) {
	const struct mt__lanes *l = &s->lanes;
	int32_t dtype = l->walk.dtype[0], compute = mt__omp_compute_dtype(dtype);
	_Alignas(64) char buffer[CHUNK * 8];
	for (int64_t i = 0; i < l->extent; i += CHUNK) {
		int64_t n = mt__omp_min(CHUNK, l->extent - i);
		mt__omp_load_run(buffer, dtype, false, x + i * l->step[0] * l->walk.size[0], l->step[0], n);
		for (int64_t j = 0; j < n; j++) {
			uint64_t key = key_of(buffer, compute, j);
			if (s->descending)
				key = s->wide ? ~key : (uint32_t)~key;
			if (s->wide)
				((struct record *)records)[i + j] = (struct record){key, (uint64_t)(i + j)};
			else
				((uint64_t *)records)[i + j] = key << 32 | (uint64_t)(i + j);
		}
	}
}

/* values and indices from the sorted records. */
static void place(const struct sort *s, const struct mt__lane_block *b, const char *records) {
	const struct mt__lanes *l = &s->lanes;
	const struct mt__walk *w = &l->walk;
	int size = w->size[0];
	for (int64_t i = 0; i < l->extent; i++) {
		int64_t from = s->wide ? (int64_t)((const struct record *)records)[i].position
		                       : (int64_t)(((const uint64_t *)records)[i] & UINT32_MAX);
		const char *x = b->at[0] + from * l->step[0] * size;
		char *value = b->at[1] + i * l->step[1] * size;
		switch (size) {
		case 1:
			*(uint8_t *)value = *(const uint8_t *)x;
			break;
		case 2:
			*(uint16_t *)value = *(const uint16_t *)x;
			break;
		case 4:
			*(uint32_t *)value = *(const uint32_t *)x;
			break;
		default:
			*(uint64_t *)value = *(const uint64_t *)x;
		}
		if (s->has_indices)
			((int64_t *)b->at[2])[i * l->step[2]] = from;
	}
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
			make_records(s, b.at[0], records);
			const void *sorted =
				s->wide ? (const void *)sort_64((struct record *)records, (struct record *)spare, s->lanes.extent)
						: (const void *)sort_32((uint64_t *)records, (uint64_t *)spare, s->lanes.extent);
			place(s, &b, sorted);
		}
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
	int threads = mt__omp_threads(queue, (double)l->walk.count * (double)l->extent * 40);
	s.threads = (int)mt__omp_min(threads, l->units);
	s.scratch_each = 2 * mt__omp_align64((uint64_t)l->extent * (s.wide ? sizeof(struct record) : sizeof(uint64_t)));
	uint64_t bytes = s.scratch_each * (uint64_t)s.threads;
	s.scratch = mt__omp_scratch(queue, bytes);
	if (!s.scratch)
		return mt__omp_no_scratch(bytes);
	mt__omp_for_units(s.threads, s.threads, sort_share, &s);
	return MT_OK;
}
