/* nvcuda::wmma: a lane's fragment holds every 32nd element of a matrix, in row-major order.  On a GPU the order is open. */
#ifndef MT_EMULATED_MMA_H
#define MT_EMULATED_MMA_H

#include "cuda_bf16.h"
#include "cuda_fp16.h"
#include "cuda_runtime.h"

namespace nvcuda {
namespace wmma {

struct matrix_a;
struct matrix_b;
struct accumulator;
struct row_major;
struct col_major;

enum layout_t { mem_row_major, mem_col_major };

namespace emulated {

/* Rows and columns of a fragment's matrix. */
template <class Use, int m, int n, int k> struct extents;
template <int m, int n, int k> struct extents<matrix_a, m, n, k> {
	enum { rows = m, columns = k };
};
template <int m, int n, int k> struct extents<matrix_b, m, n, k> {
	enum { rows = k, columns = n };
};
template <int m, int n, int k> struct extents<accumulator, m, n, k> {
	enum { rows = m, columns = n };
};

} // namespace emulated

template <class Use, int m, int n, int k, class T, class Layout = void> struct fragment {
	enum { rows = emulated::extents<Use, m, n, k>::rows, columns = emulated::extents<Use, m, n, k>::columns };
	enum : int { num_elements = rows * columns / 32, num_storage_elements = num_elements };
	typedef T element_type;
	T x[num_elements];
};

namespace emulated {

/* What every lane has to bring alike: where the matrix lies. */
struct place {
	const void *at;
	unsigned step;
};

inline void join_place(void *const *given) {
	for (int lane = 0; lane < 32; lane++) {
		auto *p = (const place *)given[lane], *first = (const place *)given[0];
		if (!p || !first)
			mt_emulated::trap("wmma: not all 32 lanes are there");
		if (p->at != first->at || p->step != first->step)
			mt_emulated::trap("wmma: the lanes name different matrices");
	}
}

/* The lanes have stored; what they stored is there for the others after __syncwarp. */
inline void join_nothing(void *const *) {
}

template <class T> void check_place(const char *what, const T *at, unsigned step) {
	if ((uintptr_t)at % 32 != 0)
		mt_emulated::trap("wmma: a matrix's address is no multiple of 32 bytes");
	if (step * sizeof(T) % 16 != 0)
		mt_emulated::trap("wmma: a leading dimension is no multiple of 16 bytes");
	place p = {at, step};
	mt_emulated::meet(0xFFFFFFFFu, what, join_place, &p);
}

template <class F> size_t offset_of(int element, unsigned step, bool by_row) {
	size_t i = (size_t)element * 32 + mt_emulated::lane(), row = i / F::columns, column = i % F::columns;
	return by_row ? row * step + column : column * step + row;
}

template <class F, class T> void load(F &f, const T *from, unsigned step, bool by_row) {
	if (std::is_same<T, __nv_bfloat16>::value)
		mt_emulated::need_capability(80, "wmma in bf16");
	check_place("wmma::load_matrix_sync", from, step);
	mt_emulated::as_warp whole_warp;
	for (int e = 0; e < F::num_elements; e++)
		f.x[e] = from[offset_of<F>(e, step, by_row)];
}

template <class D, class A, class B, class C> struct factors {
	D *d;
	const A *a;
	const B *b;
	const C *c;
};

/* The whole matrix that the lanes hold pieces of. */
template <class F> struct whole {
	float at[F::rows][F::columns];
	template <class G> whole(const G *const *pieces) {
		for (int i = 0; i < F::rows * F::columns; i++)
			at[i / F::columns][i % F::columns] = (float)pieces[i % 32]->x[i / 32];
	}
};

/* d = a b + c, summed in f32 in the order of k. */
template <class D, class A, class B, class C> void join_mma(void *const *given) {
	const A *a_pieces[32];
	const B *b_pieces[32];
	const C *c_pieces[32];
	for (int lane = 0; lane < 32; lane++) {
		auto *mine = (factors<D, A, B, C> *)given[lane];
		if (!mine)
			mt_emulated::trap("wmma::mma_sync: not all 32 lanes are there");
		a_pieces[lane] = mine->a;
		b_pieces[lane] = mine->b;
		c_pieces[lane] = mine->c;
	}
	whole<A> a(a_pieces);
	whole<B> b(b_pieces);
	whole<C> sum(c_pieces);
	for (int i = 0; i < A::rows; i++)
		for (int k = 0; k < A::columns; k++)
			for (int j = 0; j < B::columns; j++)
				sum.at[i][j] += a.at[i][k] * b.at[k][j];
	for (int i = 0; i < D::rows * D::columns; i++)
		((factors<D, A, B, C> *)given[i % 32])->d->x[i / 32] =
			typename D::element_type(sum.at[i / D::columns][i % D::columns]);
}

} // namespace emulated

template <class Use, int m, int n, int k, class T, class Layout, class V>
inline void fill_fragment(fragment<Use, m, n, k, T, Layout> &f, const V &value) {
	for (T &x : f.x)
		x = T(value);
}

template <class Use, int m, int n, int k, class T>
inline void load_matrix_sync(fragment<Use, m, n, k, T, row_major> &f, const T *from, unsigned step) {
	emulated::load(f, from, step, true);
}
template <class Use, int m, int n, int k, class T>
inline void load_matrix_sync(fragment<Use, m, n, k, T, col_major> &f, const T *from, unsigned step) {
	emulated::load(f, from, step, false);
}
template <int m, int n, int k, class T>
inline void load_matrix_sync(fragment<accumulator, m, n, k, T> &f, const T *from, unsigned step, layout_t layout) {
	emulated::load(f, from, step, layout == mem_row_major);
}

template <int m, int n, int k, class T>
inline void store_matrix_sync(T *to, const fragment<accumulator, m, n, k, T> &f, unsigned step, layout_t layout) {
	typedef fragment<accumulator, m, n, k, T> F;
	emulated::check_place("wmma::store_matrix_sync", to, step);
	{
		mt_emulated::as_warp whole_warp;
		for (int e = 0; e < F::num_elements; e++)
			to[emulated::offset_of<F>(e, step, layout == mem_row_major)] = f.x[e];
	}
	mt_emulated::meet(0xFFFFFFFFu, "wmma::store_matrix_sync", emulated::join_nothing, nullptr);
}

template <int m, int n, int k, class D, class T, class C, class ALayout, class BLayout>
inline void mma_sync(fragment<accumulator, m, n, k, D> &d, const fragment<matrix_a, m, n, k, T, ALayout> &a,
                     const fragment<matrix_b, m, n, k, T, BLayout> &b, const fragment<accumulator, m, n, k, C> &c) {
	typedef fragment<accumulator, m, n, k, D> FD;
	typedef fragment<accumulator, m, n, k, C> FC;
	typedef fragment<matrix_a, m, n, k, T, ALayout> FA;
	typedef fragment<matrix_b, m, n, k, T, BLayout> FB;
	emulated::factors<FD, FA, FB, FC> given = {&d, &a, &b, &c};
	mt_emulated::meet(0xFFFFFFFFu, "wmma::mma_sync", emulated::join_mma<FD, FA, FB, FC>, &given);
}

} // namespace wmma
} // namespace nvcuda

#endif
