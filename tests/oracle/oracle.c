/* mt-oracle [DEVICE]: runs ops on request.  One JSON object a line in, one out:
 *
 *     {"op": "add", "attrs": {…}, "inputs": [{"dtype": "f32", "shape": [2, 3], "data": BASE64, "grad": true,
 *      "views": [["permute", 1, 0], ["slice", DIM, START, STOP, STEP], ["flip", DIM], ["expand", …]]}],
 *      "upstream": [{"dtype": …, "shape": …, "data": …} or null]}
 *     {"outputs": [{"dtype", "shape", "data"}], "gradients": [{…} or null]}     or     {"error": "…"}
 *
 * data: row-major, little-endian.  The gradient told is that of each input before its views, of Σ_k upstream_k · output_k.
 * With --list: the names of the ops. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "call.h"

/* ---- reading ------------------------------------------------------------------------------------------------------ */

static int shape_of(const json_t *object, int64_t *shape) {
	const json_t *list = json_object_get(object, "shape");
	int rank = (int)json_array_size(list);
	for (int d = 0; d < rank && d < MT_MAX_RANK; d++)
		shape[d] = json_integer_value(json_array_get(list, (size_t)d));
	return rank;
}

static mt_tensor *tensor_of(const json_t *object) {
	int64_t shape[MT_MAX_RANK];
	mt_dtype dtype = 0;
	size_t bytes = 0;
	int rank = shape_of(object, shape);
	unsigned char *data = base64_decode(json_string_value(json_object_get(object, "data")), &bytes);
	mt_tensor *t = NULL;
	if (data != NULL && mt_dtype_parse(json_string_value(json_object_get(object, "dtype")), &dtype) == MT_OK)
		t = mt_from_data(rank, shape, dtype, data);
	free(data);
	return t;
}

static int64_t number_at(const json_t *view, size_t i) {
	return json_integer_value(json_array_get(view, i));
}

static mt_tensor *apply_view(mt_tensor *x, const json_t *view) {
	const char *kind = json_string_value(json_array_get(view, 0));
	int64_t list[MT_MAX_RANK] = {0};
	int n = (int)json_array_size(view) - 1;
	for (int i = 0; i < n && i < MT_MAX_RANK; i++)
		list[i] = number_at(view, (size_t)i + 1);
	if (strcmp(kind, "permute") == 0)
		return mt_permute(x, n, list);
	if (strcmp(kind, "slice") == 0)
		return mt_slice(x, (int)list[0], list[1], list[2], list[3]);
	if (strcmp(kind, "flip") == 0)
		return mt_flip(x, (int)list[0]);
	return mt_expand(x, n, list);
}

static int read_input(struct call *c, const json_t *object) {
	mt_tensor *t = tensor_of(object);
	if (t == NULL)
		return 0;
	int i = c->n_in++;
	c->wants_grad[i] = json_is_true(json_object_get(object, "grad"));
	if (c->wants_grad[i])
		t = mt_requires_grad_(t, 1);
	c->leaf[i] = t;
	size_t k;
	json_t *view;
	json_array_foreach(json_object_get(object, "views"), k, view) {
		t = apply_view(t, view);
	}
	c->in[i] = t;
	return t != NULL;
}

/* ---- writing ------------------------------------------------------------------------------------------------------ */

static json_t *object_of(mt_tensor *t) {
	if (t == NULL || mt_tensor_is_none(t))
		return json_null();
	size_t bytes = (size_t)mt_tensor_numel(t) * mt_dtype_size(mt_tensor_dtype(t));
	unsigned char *data = malloc(bytes + 1);
	char *text = NULL;
	json_t *shape = json_array(), *object = NULL;
	if (data != NULL && mt_to_host(t, data, bytes) == MT_OK && (text = base64_encode(data, bytes)) != NULL) {
		for (int d = 0; d < mt_tensor_rank(t); d++)
			json_array_append_new(shape, json_integer(mt_tensor_size(t, d)));
		object = json_pack("{s:s, s:O, s:s}", "dtype", mt_dtype_name(mt_tensor_dtype(t)), "shape", shape, "data", text);
	}
	json_decref(shape);
	free(text);
	free(data);
	return object;
}

static json_t *failure(const char *what) {
	const char *text = mt_error_take(NULL);
	return json_pack("{s:s+++}", "error", what, ": ", text != NULL ? text : "", "");
}

/* ---- one case ----------------------------------------------------------------------------------------------------- */

/* Σ_k upstream_k · output_k: one backward for all outputs. */
static int run_backward(struct call *c, const json_t *upstream) {
	mt_tensor *total = NULL;
	for (int k = 0; k < c->n_out; k++) {
		const json_t *u = json_array_get(upstream, (size_t)k);
		if (!json_is_object(u) || !mt_tensor_requires_grad(c->out[k]))
			continue;
		mt_tensor *part = mt_sum(mt_mul(c->out[k], tensor_of(u)), MT_ALL_AXES, 0);
		total = total == NULL ? part : mt_add(total, part);
		if (total == NULL)
			return 0;
	}
	return total == NULL || mt_backward(total) == MT_OK;
}

static json_t *answer(struct call *c, const json_t *request) {
	json_t *outputs = json_array(), *gradients = json_array();
	for (int k = 0; k < c->n_out; k++)
		json_array_append_new(outputs, object_of(c->out[k]));
	int ok = run_backward(c, json_object_get(request, "upstream"));
	for (int i = 0; i < c->n_in && ok; i++)
		json_array_append_new(gradients, c->wants_grad[i] ? object_of(mt_grad(c->leaf[i])) : json_null());
	json_t *result = ok ? json_pack("{s:O, s:O}", "outputs", outputs, "gradients", gradients) : failure("backward");
	json_decref(outputs);
	json_decref(gradients);
	return result;
}

static json_t *run_case(const json_t *request) {
	struct call c = {.attrs = json_object_get(request, "attrs")};
	const char *name = json_string_value(json_object_get(request, "op"));
	size_t i;
	json_t *object;
	json_array_foreach(json_object_get(request, "inputs"), i, object) {
		if (c.n_in == MAX_INPUTS || !read_input(&c, object))
			return failure("input");
	}
	if (name == NULL || !run_op(name, &c))
		return json_pack("{s:s}", "error", "there is no such op");
	return c.out[0] == NULL ? failure("forward") : answer(&c, request);
}

static int serve(FILE *in, FILE *out) {
	char *line = NULL;
	size_t size = 0;
	while (getline(&line, &size, in) > 0) {
		json_t *request = json_loads(line, 0, NULL);
		mt_scope *scope = mt_scope_begin();
		json_t *result = request != NULL ? run_case(request) : json_pack("{s:s}", "error", "not JSON");
		json_dumpf(result, out, JSON_COMPACT);
		fputc('\n', out);
		fflush(out);
		mt_scope_end(scope);
		json_decref(result);
		json_decref(request);
	}
	free(line);
	return 0;
}

int main(int argc, char **argv) {
	if (argc > 1 && strcmp(argv[1], "--list") == 0) {
		list_ops(stdout);
		return 0;
	}
	mt_device *device = mt_device_open(argc > 1 ? argv[1] : "auto");
	if (device == NULL || mt_device_use(device) != MT_OK) {
		fprintf(stderr, "mt-oracle: %s\n", mt_error_take(NULL));
		return 2;
	}
	return serve(stdin, stdout);
}
