/* embedding: gather's kernel (take.cuh).  embedding_grad: places are sorted by the row that they read, and gout's rows are
 * added up segment by segment (segments.cuh). */
#include "segments.cuh"
#include "take.cuh"

int32_t mt__cuda_embedding(mt_queue *queue, const struct mt_embedding_args *args) {
	const mt_array *table = args->table, *index = args->index;
	int64_t along_table[MT_MAX_RANK] = {}, along_index[MT_MAX_RANK] = {};
	for (int d = 0; d < index->rank; d++)
		along_index[d] = index->stride[d];
	along_table[index->rank] = table->stride[1];
	const taking t = {.name = "embedding",
	                  .kernel = MT_K_EMBEDDING,
	                  .x = table,
	                  .index = index,
	                  .out = args->out,
	                  .x_stride = along_table,
	                  .index_stride = along_index,
	                  .step = table->stride[0],
	                  .low = 0,
	                  .extent = table->shape[0]};
	return mt__cuda_take(queue, t);
}

/* The columns of gout's rows: every one of them uses the one row of places. */
static segments_shape make_shape(const mt_embedding_grad_args *args, int64_t places, bool wide) {
	const mt_array *gout = args->gout, *index = args->index, *gtable = args->gtable;
	const int64_t *const along_column[] = {nullptr, &gtable->stride[1], &gout->stride[index->rank]};
	const int64_t *const along_places[] = {gout->stride};
	mt_cuda_walk columns, positions;
	mt__cuda_walk(&columns, 3, 1, &gtable->shape[1], along_column);
	mt__cuda_walk(&positions, 1, index->rank, index->shape, along_places);
	return {walk<3, int64_t>(columns),
	        walk<1, int64_t>(positions),
	        places,
	        pieces_of(places),
	        gtable->stride[0],
	        wide,
	        false};
}

template <class T>
static int32_t add_rows(mt_queue *queue, const mt_embedding_grad_args *args, const mt_cuda_walk &places) {
	const mt_array *gtable = args->gtable;
	int64_t n = places.count, rows = gtable->shape[0];
	const index_range range = {0, rows, MT_K_EMBEDDING_GRAD, queue->fault_device};
	bool wide = needs_wide_pairs(rows, n);
	uint64_t half = pairs_bytes(n, wide);
	char *memory = (char *)mt__cuda_scratch(queue, 2 * half + shares_bytes<T>(gtable->shape[1], n), "embedding_grad");
	if (!memory)
		return MT_E_MEMORY;
	const void *sorted = nullptr;
	int32_t status = order_targets(queue, "embedding_grad", places, range, args->padding_idx, n, wide, args->index,
	                               memory, half, &sorted);
	if (status != MT_OK)
		return status;
	return launch_segments(queue, "embedding_grad", make_shape(args, n, wide), sorted, origin<T>(args->gout),
	                       origin<T>(gtable), memory + 2 * half);
}

int32_t mt__cuda_embedding_grad(mt_queue *queue, const struct mt_embedding_grad_args *args) {
	const mt_array *index = args->index;
	mt_fill_args zero = {};
	zero.struct_size = sizeof zero;
	zero.out = args->gtable;
	zero.value.tag = MT_SCALAR_I64;
	int32_t status = mt__cuda_fill(queue, &zero);
	mt_cuda_walk places;
	const int64_t *const strides[] = {index->stride};
	mt__cuda_walk(&places, 1, index->rank, index->shape, strides);
	if (status != MT_OK || places.count == 0)
		return status;
	return for_float(args->gtable->dtype, "embedding_grad",
	                 [&](auto element) { return add_rows<decltype(element)>(queue, args, places); });
}
