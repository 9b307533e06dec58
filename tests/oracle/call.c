/* Attributes of a case, and the table of ops. */
#include "call.h"

#include <string.h>

int64_t int_of(const struct call *c, const char *name, int64_t absent) {
	const json_t *value = json_object_get(c->attrs, name);
	if (json_is_true(value))
		return 1;
	return json_is_number(value) ? (int64_t)json_number_value(value) : json_is_false(value) ? 0 : absent;
}

double real_of(const struct call *c, const char *name, double absent) {
	const json_t *value = json_object_get(c->attrs, name);
	if (json_is_string(value)) /* "inf", "-inf", "nan": JSON has no such numbers */
		return strtod(json_string_value(value), NULL);
	return json_is_number(value) ? json_number_value(value) : absent;
}

const char *text_of(const struct call *c, const char *name) {
	return json_string_value(json_object_get(c->attrs, name));
}

int length_of(const struct call *c, const char *name) {
	const json_t *list = json_object_get(c->attrs, name);
	return json_is_array(list) ? (int)json_array_size(list) : -1;
}

int64_t item_of(const struct call *c, const char *name, int i) {
	return json_integer_value(json_array_get(json_object_get(c->attrs, name), (size_t)i));
}

const int64_t *list_of(const struct call *c, const char *name) {
	static _Thread_local int64_t list[2 * MT_MAX_RANK];
	for (int i = 0; i < 2 * MT_MAX_RANK; i++)
		list[i] = item_of(c, name, i);
	return list;
}

mt_axes axes_of(const struct call *c, const char *name) {
	mt_axes axes = {length_of(c, name), {0}};
	for (int i = 0; i < axes.n && i < MT_MAX_RANK; i++)
		axes.axis[i] = (int)item_of(c, name, i);
	return axes;
}

mt_scalar number_of(const struct call *c, const char *name) {
	const json_t *value = json_object_get(c->attrs, name);
	return json_is_integer(value) ? mt_i(json_integer_value(value)) : mt_f(real_of(c, name, 0));
}

mt_dtype dtype_of(const struct call *c, const char *name) {
	mt_dtype dtype = 0;
	mt_dtype_parse(text_of(c, name), &dtype);
	return dtype;
}

mt_tensor *input(const struct call *c, int i) {
	return i < c->n_in ? c->in[i] : MT_NONE;
}

static void three(const struct call *c, const char *name, int *out) {
	for (int i = 0; i < MT_MAX_SPATIAL; i++)
		out[i] = (int)item_of(c, name, i);
}

mt_conv_options conv_options(const struct call *c) {
	mt_conv_options o = {.groups = (int)int_of(c, "groups", 1), .padding_mode = (int)int_of(c, "padding_mode", 0)};
	three(c, "stride", o.stride);
	three(c, "padding", o.padding);
	three(c, "dilation", o.dilation);
	return o;
}

mt_conv_transpose_options conv_transpose_options(const struct call *c) {
	mt_conv_transpose_options o = {.groups = (int)int_of(c, "groups", 1)};
	three(c, "stride", o.stride);
	three(c, "padding", o.padding);
	three(c, "output_padding", o.output_padding);
	three(c, "dilation", o.dilation);
	return o;
}

mt_pool_options pool_options(const struct call *c) {
	mt_pool_options o = {.exclude_padding = (int)int_of(c, "exclude_padding", 0),
	                     .ceil_mode = (int)int_of(c, "ceil_mode", 0)};
	three(c, "kernel", o.kernel);
	three(c, "stride", o.stride);
	three(c, "padding", o.padding);
	three(c, "dilation", o.dilation);
	return o;
}

mt_loss_options loss_options(const struct call *c) {
	const json_t *ignored = json_object_get(c->attrs, "ignore_index");
	return (mt_loss_options){.reduction = (int32_t)int_of(c, "reduction", 0),
	                         .has_ignore_index = json_is_integer(ignored),
	                         .ignore_index = json_integer_value(ignored),
	                         .label_smoothing = real_of(c, "label_smoothing", 0)};
}

#define X input(c, 0)
#define Y input(c, 1)
#define Z input(c, 2)
#define W input(c, 3)
#define SECOND (c->n_out = 2, &c->out[1])
#define INT(name) (int)int_of(c, name, 0)
#define REAL(name) real_of(c, name, 0)
#define NUMBER(name) number_of(c, name)
#define AXES(name) axes_of(c, name)
#define DTYPE(name) dtype_of(c, name)

#define OP(name, expression)                                                                                           \
	static void op_##name(struct call *c) {                                                                            \
		c->n_out = 1;                                                                                                  \
		c->out[0] = expression;                                                                                        \
	}
#include "ops.inc"
#undef OP

static const struct {
	const char *name;
	void (*run)(struct call *c);
} ops[] = {
#define OP(name, expression) {#name, op_##name},
#include "ops.inc"
#undef OP
	{"lstm", run_lstm},
	{"gru", run_gru},
	{"multihead_attention", run_attention},
	{"transformer_encoder_layer", run_transformer},
	{"batch_norm_layer", run_batch_norm_layer},
};

int run_op(const char *name, struct call *c) {
	for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
		if (strcmp(ops[i].name, name) == 0) {
			ops[i].run(c);
			return 1;
		}
	return 0;
}

void list_ops(FILE *out) {
	for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
		fprintf(out, "%s\n", ops[i].name);
}
