/* Points in the plane: MiniTorch's datasets. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "data/stream.h"
#include "mt/data.h"

static const char *const names[MT_POINTS_KINDS] = {"simple", "diag", "split", "xor", "circle", "spiral"};

const char *mt_points_name(int32_t kind) {
	return kind >= 0 && kind < MT_POINTS_KINDS ? names[kind] : NULL;
}

mt_status mt_points_parse(const char *name, int32_t *kind) {
	if (name == NULL || kind == NULL)
		return mt__fail_arg_null("points_parse", name == NULL ? "name" : "kind");
	for (int32_t i = 0; i < MT_POINTS_KINDS; i++)
		if (strcmp(name, names[i]) == 0) {
			*kind = i;
			return MT_OK;
		}
	return mt__fail(
		MT_E_ARG, "points_parse: there is no dataset \"%s\"; there are simple, diag, split, xor, circle, spiral", name);
}

static int label_of(int32_t kind, float x, float y) {
	float dx = x - 0.5f, dy = y - 0.5f;
	switch (kind) {
	case MT_POINTS_SIMPLE:
		return x < 0.5f;
	case MT_POINTS_DIAG:
		return x + y < 0.5f;
	case MT_POINTS_SPLIT:
		return x < 0.2f || x > 0.8f;
	case MT_POINTS_XOR:
		return (x < 0.5f) != (y < 0.5f);
	default:
		return dx * dx + dy * dy > 0.1f;
	}
}

static void scatter(int32_t kind, int64_t n, uint64_t seed, float *points, uint8_t *labels) {
	for (int64_t i = 0; i < n; i++) {
		struct mt__stream s = mt__stream_open(seed, MT__STREAM_POINTS, (uint64_t)i);
		points[2 * i] = mt__stream_unit(&s);
		points[2 * i + 1] = mt__stream_unit(&s);
		labels[i] = (uint8_t)label_of(kind, points[2 * i], points[2 * i + 1]);
	}
}

static void spiral(int64_t n, float *points, uint8_t *labels) {
	int64_t half = n / 2, first = n - half;
	for (int64_t i = 0; i < n; i++) {
		int arm = i >= first;
		double t = 10.0 * (double)(5 + (arm ? i - first : i)) / (double)half;
		double along = t * cos(t) / 20, across = t * sin(t) / 20;
		points[2 * i] = (float)(0.5 + (arm ? across : along));
		points[2 * i + 1] = (float)(0.5 + (arm ? -along : across));
		labels[i] = (uint8_t)arm;
	}
}

mt_status mt_points_generate(int32_t kind, int64_t n, uint64_t seed, mt_host_array *points, mt_host_array *labels) {
	static const char op[] = "points_generate";
	if (points == NULL || labels == NULL)
		return mt__fail_arg_null(op, points == NULL ? "points" : "labels");
	memset(points, 0, sizeof *points);
	memset(labels, 0, sizeof *labels);
	if (mt_points_name(kind) == NULL)
		return mt__fail(MT_E_ARG, "%s: there is no kind %d", op, (int)kind);
	if (n < 0 || n > (1 << 30) || (kind == MT_POINTS_SPIRAL && n == 1))
		return mt__fail(MT_E_ARG, "%s: n must be 0 to 2^30 (a spiral's not 1), got %" PRId64, op, n);
	*points = (mt_host_array){.dtype = MT_F32, .rank = 2, .shape = {n, 2}};
	*labels = (mt_host_array){.dtype = MT_U8, .rank = 1, .shape = {n}};
	if (n == 0)
		return MT_OK;
	points->data = mt__alloc((size_t)n * 2 * sizeof(float));
	labels->data = mt__alloc((size_t)n);
	if (points->data == NULL || labels->data == NULL) {
		mt_host_array_free(points);
		mt_host_array_free(labels);
		return mt__fail_memory(op, (size_t)n * 2 * sizeof(float));
	}
	if (kind == MT_POINTS_SPIRAL)
		spiral(n, points->data, labels->data);
	else
		scatter(kind, n, seed, points->data, labels->data);
	return MT_OK;
}
