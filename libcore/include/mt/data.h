/* Data: arrays in host memory, IDX files, MNIST, procedural digits, and a loader that makes mini-batches. */
#ifndef MT_DATA_H
#define MT_DATA_H

#include "mt/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A row-major array in host memory.  Who gets one filled frees it with mt_host_array_free. */
typedef struct mt_host_array {
	void *data; /* NULL where there are no elements */
	mt_dtype dtype;
	int32_t rank;
	int64_t shape[MT_MAX_RANK];
} mt_host_array;

/* Frees the data and zeroes *array; NULL and a zeroed array are fine. */
MT_API void mt_host_array_free(mt_host_array *array);

/* ---- files ------------------------------------------------------------------------------------------------------ */

/* Reads an IDX file, plain or gzip'd (told by its content), of unsigned bytes with 1 to 8 dims.  The size must be what
 * the header says, exactly.  On failure *out is zeroed and the message reads "PATH: expected …, got …":
 * MT_E_IO (cannot open or read), MT_E_FORMAT, MT_E_UNSUPPORTED (another element type), MT_E_MEMORY. */
MT_API mt_status mt_idx_read(const char *path, mt_host_array *out);

/* Reads MNIST's split "train" or "test" from dir: train-images-idx3-ubyte, train-labels-idx1-ubyte or the t10k pair,
 * each plain or with .gz (the plain one first).   images: u8 [n, 28, 28]   labels: u8 [n], 0 to 9, n equal in both,
 * else MT_E_FORMAT.  On failure both are zeroed. */
MT_API mt_status mt_mnist_load(const char *dir, const char *split, mt_host_array *images, mt_host_array *labels);

/* 1 where dir has all four files, 0 where not. */
MT_API int mt_mnist_present(const char *dir);

/* ---- procedural digits ------------------------------------------------------------------------------------------ */

/* Draws n handwritten-looking digits: strokes of one to three styles a digit under a random affine map and an elastic
 * distortion, with random thickness, soft edges and noise; white on black, centred, as MNIST.
 * images: u8 [n, 28, 28]   labels: u8 [n], each digit equally likely.   Image i depends on seed and i alone: the
 * first images of a larger set are those of a smaller.  Same numbers on every machine with IEEE arithmetic. */
MT_API mt_status mt_digits_generate(int64_t n, uint64_t seed, mt_host_array *images, mt_host_array *labels);

/* ---- points in the plane: MiniTorch's two-class toy sets -------------------------------------------------------- */

enum mt_points_kind {
	MT_POINTS_SIMPLE = 0, /* 1 where x < 1/2 */
	MT_POINTS_DIAG = 1,   /* 1 where x + y < 1/2 */
	MT_POINTS_SPLIT = 2,  /* 1 where x < 1/5 or x > 4/5 */
	MT_POINTS_XOR = 3,    /* 1 where exactly one of x, y is below 1/2 */
	MT_POINTS_CIRCLE = 4, /* 1 where (x − 1/2)² + (y − 1/2)² > 1/10 */
	MT_POINTS_SPIRAL = 5, /* two arms, class 0 first: t = 10 i / ⌊n/2⌋ for i = 5, 6, …:  (t cos t, t sin t) / 20 + 1/2
	                       * and (t sin t, −t cos t) / 20 + 1/2 (seed plays no part; of an odd n class 0 has one more) */
	MT_POINTS_KINDS
};

/* "simple", "diag", "split", "xor", "circle", "spiral"; NULL for a number that is none. */
MT_API const char *mt_points_name(int32_t kind);
/* MT_E_ARG, with the names there are. */
MT_API mt_status mt_points_parse(const char *name, int32_t *kind);

/* points: f32 [n, 2], x and y uniform in [0, 1) but for the spiral   labels: u8 [n], 0 or 1.   0 ≤ n ≤ 2^30 (spiral: 0 or
 * at least 2).  Point i depends on seed and i alone but for the spiral. */
MT_API mt_status mt_points_generate(int32_t kind, int64_t n, uint64_t seed, mt_host_array *points,
                                    mt_host_array *labels);

/* ---- orders ----------------------------------------------------------------------------------------------------- */

/* order[0 … n − 1] = a permutation of 0 … n − 1, a function of seed, epoch ≥ 0 and n: what mt_loader shuffles by.
 * 0 ≤ n < 2^31. */
MT_API mt_status mt_epoch_order(uint64_t seed, int64_t epoch, int64_t n, uint32_t *order);

/* ---- mini-batches ----------------------------------------------------------------------------------------------- */

/* Zero-initialised: no shuffling, the whole set, the last short batch given, pixels as they are (0 to 255). */
typedef struct mt_loader_options {
	int64_t batch;        /* images a batch, ≥ 1 */
	int64_t first, count; /* use images first … first + count − 1; count 0: to the end */
	uint64_t seed;        /* of the shuffles */
	int32_t shuffle;
	int32_t drop_last; /* leave out a last batch that is short */
	double mean, std;  /* x = (pixel / 255 − mean) / std where std ≠ 0; x = pixel where std is 0 */
} mt_loader_options;

typedef struct mt_loader mt_loader;

/* A loader over images u8 [n, h, w] and labels u8 [n], which it borrows: they must outlive it.  NULL on MT_E_ARG,
 * MT_E_SHAPE, MT_E_DTYPE. */
MT_API mt_loader *mt_loader_new(const mt_host_array *images, const mt_host_array *labels, mt_loader_options options);
MT_API void mt_loader_free(mt_loader *loader); /* NULL is ignored */

/* Batches in an epoch. */
MT_API int64_t mt_loader_batches(const mt_loader *loader);

/* Starts epoch 0, 1, …: its order is a function of seed and epoch, the same on every backend. */
MT_API mt_status mt_loader_start(mt_loader *loader, int64_t epoch);

/* Starts epoch at its batch number batch (0 … mt_loader_batches): how an interrupted epoch is gone on with. */
MT_API mt_status mt_loader_seek(mt_loader *loader, int64_t epoch, int64_t batch);

/* The next batch, on the current device and in the current scope: *x f32 [b, 1, h, w], *y i64 [b].
 * 1 where there is one; 0 at the epoch's end (*x, *y: MT_NONE); −1 on failure (NULL, with the error set). */
MT_API int mt_loader_next(mt_loader *loader, mt_tensor **x, mt_tensor **y);

#ifdef __cplusplus
}
#endif

#endif
