/* Channels of arrays [N, C, S], as rows of N · S elements.  A row's elements come in runs, of S elements or of N, whichever
 * are closer together; from one run to the next there is a jump. */
#ifndef MT_CUDA_CHANNELS_CUH
#define MT_CUDA_CHANNELS_CUH

#include <stdlib.h>

#include "rows.cuh"

enum { MT_CUDA_CHANNEL_ARRAYS = 3 };

/* Where the runs of a row end.  A chunk that is no longer than a run crosses one end at most. */
struct channel_runs {
	int64_t run;
	bool once;
	divider<int32_t> divide; /* by run, which is short, where not once */

	channel_runs(int64_t elements, const mt_cuda_rows &p)
		: run(elements), once(elements >= p.tile), divide(elements >= p.tile ? 1 : elements) {
	}
};

/* An array's channel 0, and how its elements lie. */
template <class T> struct channels {
	T *at;
	int64_t channel, stride, jump;
};

/* One channel of an array from the start of a chunk on: a Line of load_row and store_row. */
template <class T> struct channel_line {
	using element = T;
	T *at;
	int64_t stride, jump;
	bool once;
	int32_t edge; /* elements to the end of the run where once, else from its beginning */
	divider<int32_t> divide;

	__device__ channel_line(const channels<T> &a, const channel_runs &r, const seat &s)
		: at(a.at + s.row * a.channel), stride(a.stride), jump(a.jump), once(r.once), divide(r.divide) {
		int64_t runs = s.start > 0 ? s.start / r.run : 0, within = s.start - runs * r.run, left = r.run - within;
		at += s.start * stride + runs * jump;
		edge = (int32_t)(!once ? within : left < INT32_MAX ? left : INT32_MAX);
	}

	struct steps {
		const channel_line &line;
		int32_t l, step;
		__device__ T *here() const {
			int32_t ends = line.once ? l >= line.edge : line.divide.quotient(line.edge + l);
			return line.at + l * line.stride + ends * line.jump;
		}
		__device__ void next() {
			l += step;
		}
	};
	template <int P> __device__ steps walker(const seat &s) const {
		return {*this, s.first, s.step};
	}
};

/* How threads share the channels of some arrays of one shape. */
struct channel_plan {
	int64_t rows, length, run;
	int arrays, along, pack;
	struct {
		int64_t channel, stride, jump;
	} array[MT_CUDA_CHANNEL_ARRAYS];
};

/* The last array decides. */
inline channel_plan plan_channels(int arrays, const mt_array *const *array) {
	const mt_array *last = array[arrays - 1];
	int64_t images = last->shape[0], space = last->shape[2];
	/* the dim of the runs, and the one of their sequence */
	bool by_space = images == 1 || (space > 1 && llabs(last->stride[2]) <= llabs(last->stride[0]));
	int inner = by_space ? 2 : 0, outer = by_space ? 0 : 2;
	channel_plan c = {last->shape[1], images * space, last->shape[inner], arrays, 0, 1, {}};
	const int64_t *strides[MT_CUDA_CHANNEL_ARRAYS];
	const void *address[MT_CUDA_CHANNEL_ARRAYS];
	int64_t stride[MT_CUDA_CHANNEL_ARRAYS];
	bool jumps = false, packs = true;
	for (int k = 0; k < arrays; k++) {
		int64_t jump = last->shape[outer] == 1 ? 0 : array[k]->stride[outer] - c.run * array[k]->stride[inner];
		c.array[k] = {array[k]->stride[1], array[k]->stride[inner], jump};
		strides[k] = &array[k]->stride[1];
		address[k] = origin<char>(array[k]);
		stride[k] = array[k]->stride[inner];
		jumps |= jump != 0;
		packs &= jump % (16 / dtype_size(last->dtype)) == 0;
	}
	c.run = jumps ? c.run : c.length;
	mt_cuda_walk walk;
	mt__cuda_walk(&walk, arrays, 1, &c.rows, strides);
	c.along = mt__cuda_rows_along(c.rows, c.rows, last->stride[1], c.length, last->stride[inner]);
	if (c.along && packs)
		c.pack = mt__cuda_rows_pack(&walk, address, stride, dtype_size(last->dtype), c.run);
	return c;
}

template <class T> inline channels<T> channels_of(const channel_plan &c, int k, const mt_array *a) {
	return {origin_or_null<T>(a), c.array[k].channel, c.array[k].stride, c.array[k].jump};
}

#endif
