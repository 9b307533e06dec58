/* scatter_add, in the order of src's elements.  Where there are many columns, or little to add, a thread goes down each
 * column; else the positions along the axis are sorted by target and added up segment by segment (segments.cuh), once for
 * all columns that share their indices. */
#include "segments.cuh"

constexpr int64_t MANY_COLUMNS = 1 << 15; /* enough threads to fill a GPU */
constexpr int64_t SHORT_COLUMN = 32;
constexpr int64_t SHARED_INDEX = 32; /* columns that share their indices: sorting these costs little beside adding */

struct column_steps {
	int64_t src, index, out;
};

/* columns: src, index, out.  Each addition is rounded. */
template <class T, class X>
static __global__ void add_columns(const __grid_constant__ walk<3, int64_t> columns, int64_t n, column_steps step,
                                   index_range range, const T *src, const X *index, T *out) {
	constexpr int AT_ONCE = 4;
	for (int64_t column = first_position(); column < columns.count; column += position_step()) {
		offsets<3, int64_t> o = locate_once(columns, column);
		for (int64_t first = 0; first < n; first += AT_ONCE) {
			X at[AT_ONCE];
			T terms[AT_ONCE];
#pragma unroll
			for (int k = 0; k < AT_ONCE; k++)
				if (first + k < n) {
					at[k] = index[o.at[1] + (first + k) * step.index];
					terms[k] = src[o.at[0] + (first + k) * step.src];
				}
#pragma unroll
			for (int k = 0; k < AT_ONCE; k++) {
				int64_t target = first + k < n ? checked_index(range, at[k]) : -1;
				if (target < 0)
					continue;
				T *to = out + o.at[2] + target * step.out;
				store(to, plus(load(*to), load(terms[k])));
			}
		}
	}
}

/* What a call comes down to. */
struct scattering {
	int64_t n, rows, columns; /* positions along the axis; rows of indices that differ, columns that use them */
	column_steps step;
	int64_t shape[MT_MAX_RANK]; /* of src, with 1 at the axis */
	int64_t row_stride[MT_MAX_RANK];
	mt_cuda_walk places; /* index: row by row */
	index_range range;
};

static scattering describe(const mt_queue *queue, const mt_scatter_add_args *args) {
	const mt_array *src = args->src, *index = args->index, *out = args->out;
	scattering s = {};
	int rank = index->rank, axis = args->axis;
	int64_t extent = rank > 0 ? out->shape[axis] : 1, shape[MT_MAX_RANK], stride[MT_MAX_RANK];
	s.n = rank > 0 ? index->shape[axis] : 1;
	s.rows = s.columns = 1;
	s.range = {-extent, extent, MT_K_SCATTER_ADD, queue->fault_device};
	int to = rank - 1; /* the axis goes last */
	if (rank > 0) {
		s.step = {src->stride[axis], index->stride[axis], out->stride[axis]};
		shape[to] = s.n;
		stride[to--] = s.step.index;
	}
	for (int d = rank - 1; d >= 0; d--) {
		s.shape[d] = d == axis ? 1 : index->shape[d];
		if (d == axis)
			continue;
		bool moves = index->stride[d] != 0;
		shape[to] = moves ? s.shape[d] : 1;
		stride[to--] = index->stride[d];
		s.row_stride[d] = moves ? s.rows * s.n : 0;
		s.rows *= moves ? s.shape[d] : 1;
		s.columns *= s.shape[d];
	}
	const int64_t *const strides[] = {stride};
	mt__cuda_walk(&s.places, 1, rank, shape, strides);
	return s;
}

template <class T> static int32_t add_directly(mt_queue *queue, const mt_scatter_add_args *args, const scattering &s) {
	const int64_t *const strides[] = {args->src->stride, args->index->stride, args->out->stride};
	mt_cuda_walk w;
	mt__cuda_walk_any_order(&w, 3, args->src->rank, s.shape, strides);
	const walk<3, int64_t> columns(w);
	const T *src = origin<T>(args->src);
	T *out = origin<T>(args->out);
	unsigned blocks = blocks_for(columns.count);
	if (args->index->dtype == MT_I64)
		return launch(queue, "scatter_add", blocks, BLOCK, add_columns<T, int64_t>, columns, s.n, s.step, s.range, src,
		              origin<int64_t>(args->index), out);
	return launch(queue, "scatter_add", blocks, BLOCK, add_columns<T, int32_t>, columns, s.n, s.step, s.range, src,
	              origin<int32_t>(args->index), out);
}

template <class T> static int32_t add_sorted(mt_queue *queue, const mt_scatter_add_args *args, const scattering &s) {
	const int64_t *const strides[] = {s.row_stride, args->out->stride, args->src->stride};
	mt_cuda_walk columns, positions;
	mt__cuda_walk_any_order(&columns, 3, args->src->rank, s.shape, strides);
	const int64_t *const along[] = {&s.step.src};
	mt__cuda_walk(&positions, 1, 1, &s.n, along);
	bool wide = needs_wide_pairs(s.range.extent, s.n);
	uint64_t half = pairs_bytes(s.rows * s.n, wide);
	char *memory = (char *)mt__cuda_scratch(queue, 2 * half + shares_bytes<T>(s.columns, s.n), "scatter_add");
	if (!memory)
		return MT_E_MEMORY;
	const void *sorted = nullptr;
	int32_t status =
		order_targets(queue, "scatter_add", s.places, s.range, -1, s.n, wide, args->index, memory, half, &sorted);
	if (status != MT_OK)
		return status;
	const segments_shape shape = {
		walk<3, int64_t>(columns), walk<1, int64_t>(positions), s.n, pieces_of(s.n), s.step.out, wide, true};
	return launch_segments(queue, "scatter_add", shape, sorted, origin<T>(args->src), origin<T>(args->out),
	                       memory + 2 * half);
}

int32_t mt__cuda_scatter_add(mt_queue *queue, const struct mt_scatter_add_args *args) {
	const scattering s = describe(queue, args);
	if (s.n == 0)
		return MT_OK;
	int32_t dtype = args->out->dtype;
	bool rounds_once = dtype == MT_F16 || dtype == MT_BF16, shared = s.rows * SHARED_INDEX <= s.columns;
	bool directly = s.n == 1 || (!rounds_once && (s.n <= SHORT_COLUMN || (s.columns >= MANY_COLUMNS && !shared)));
	return for_dtype(dtype, "scatter_add", [&](auto element) {
		using T = decltype(element);
		return directly ? add_directly<T>(queue, args, s) : add_sorted<T>(queue, args, s);
	});
}
