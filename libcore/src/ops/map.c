/* map: y = f(x).  The ops come from map_ops.def; map_grad.c has how each is differentiated. */
#include "ops/map.h"

#include "ops/out.h"

#define MT_MAP(id, NAME, name, dtypes, result, formula) [id] = {#name, MT_SET_##dtypes, MT__RESULT_##result},
static const struct mt__op_row rows[MT_MAP_END_] = {
#include "mt/map_ops.def"
};
#undef MT_MAP

static int parameters_of(int32_t op) {
	return op == MT_MAP_CLAMP ? 2 : op == MT_MAP_LEAKY_RELU || op == MT_MAP_ELU;
}

/* A limit for integers of this dtype: one that lies beyond them limits nothing more than their own end does. */
static mt_scalar limit_of(mt_dtype dtype, mt_scalar s) {
	int64_t low = dtype == MT_I32 ? INT32_MIN : 0, high = dtype == MT_I32 ? INT32_MAX : UINT8_MAX;
	if (s.tag == MT_SCALAR_I64 && (dtype == MT_I32 || dtype == MT_U8))
		s.v.i = s.v.i < low ? low : s.v.i > high ? high : s.v.i;
	return s;
}

/* x in a dtype that the op takes: float-only ops take integers and bool as f32; clamp promotes with its limits. */
static mt_tensor *convert(int32_t op, mt_tensor *x, struct mt__map_parameters with) {
	const struct mt__op_row *row = &rows[op];
	mt_dtype dtype = x->dtype;
	if (op == MT_MAP_CLAMP)
		dtype = mt__promote_scalar(mt__promote_scalar(dtype, with.p), with.q);
	if (row->dtypes == MT_SET_FLOAT)
		dtype = mt__to_float(dtype);
	if (!mt__dtype_in(dtype, row->dtypes)) {
		char text[MT__SHAPE_TEXT];
		return mt__fail_null(MT_E_DTYPE, "%s: not defined on %s", row->name, mt__tensor_text(text, x));
	}
	return dtype == x->dtype ? x : mt_cast(x, dtype);
}

static mt_tensor *map(int32_t op, mt_tensor *x, struct mt__map_parameters with, mt_tensor *out) {
	const struct mt__op_row *row = &rows[op];
	if (!mt__check_tensor(row->name, "x", x) || (x = convert(op, x, with)) == NULL)
		return NULL;
	if (op == MT_MAP_CLAMP)
		with = (struct mt__map_parameters){limit_of(x->dtype, with.p), limit_of(x->dtype, with.q)};
	mt_dtype result = row->result == MT__RESULT_BOOL ? MT_BOOL : x->dtype;
	mt_tensor *y = mt__result(row->name, out, mt__device_of(x), x->rank, x->shape, result);
	if (y == NULL)
		return NULL;
	if (y->numel != 0) {
		struct mt_map_args args = {
			.struct_size = sizeof args, .op = op, .x = &x->array, .out = &y->array, .p0 = with.p, .p1 = with.q};
		if (mt__dispatch_map(mt__device_of(x), x->dtype, &args) != MT_OK)
			return NULL;
	}
	if (row->result == MT__RESULT_BOOL || !mt__wants_grad(&x, 1))
		return y;
	return mt__map_record(op, x, y, with);
}

mt_tensor *mt__map_to(int32_t op, mt_tensor *x, mt_scalar p, mt_scalar q, mt_tensor *out) {
	if (op < 1 || op >= MT_MAP_END_)
		return mt__fail_null(MT_E_ARG, "map: there is no op %d", (int)op);
	int n = parameters_of(op);
	if ((n > 0 && p.tag == MT_SCALAR_NONE) || (n > 1 && q.tag == MT_SCALAR_NONE))
		return mt__fail_null(MT_E_ARG, "%s: takes %d parameter%s", rows[op].name, n, n > 1 ? "s" : "");
	if ((n > 0 && mt__check_scalar(rows[op].name, "p", p) != MT_OK) ||
	    (n > 1 && mt__check_scalar(rows[op].name, "q", q) != MT_OK))
		return NULL;
	const mt_scalar none = {0};
	return map(op, x, (struct mt__map_parameters){n > 0 ? p : none, n > 1 ? q : none}, out);
}

mt_tensor *mt_map(int32_t op, mt_tensor *x, mt_scalar p, mt_scalar q) {
	return mt__map_to(op, x, p, q, NULL);
}

int mt__map_gives_bool(int32_t op) {
	return op > 0 && op < MT_MAP_END_ && rows[op].result == MT__RESULT_BOOL;
}
