/* Files: safetensors (huggingface.co/docs/safetensors) for weights and checkpoints, NumPy's .npy and .npz for arrays,
 * event files for TensorBoard.
 *
 * Writing is whole or not at all: a temporary file beside the target is written, synced and renamed over it.
 * Reading trusts nothing: header length, JSON, dtypes, shapes, offsets (no gap, no overlap, to the file's end), names.
 * Messages begin with the path and name the tensor. */
#ifndef MT_IO_H
#define MT_IO_H

#include "mt/nn.h"
#include "mt/optim.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Writes every parameter and buffer of module under its full name.  MT_E_IO on a file error: the old file, if any, is
 * then untouched. */
MT_API mt_status mt_save_state(const mt_module *module, const char *path);

/* Reads them back.  The file must have exactly the module's names, with the same shapes; dtypes are converted where
 * both are float.  All is checked before anything is written: on MT_E_FORMAT, MT_E_SHAPE or MT_E_DTYPE the module is
 * untouched. */
MT_API mt_status mt_load_state(mt_module *module, const char *path);

/* Writes n tensors under their names (distinct, not "__metadata__", valid UTF-8, else MT_E_ARG). */
MT_API mt_status mt_save_tensors(const char *path, int64_t n, const char *const *names, mt_tensor *const *tensors);

/* Writes bytes of data to path, which may exist as a regular file: whole or not at all, as all files of this header.
 * data may be NULL where bytes is 0.  MT_E_IO. */
MT_API mt_status mt_write_file(const char *path, const void *data, size_t bytes);

/* A file opened for reading: its header is read and checked, the data stays in the file until asked for. */
typedef struct mt_tensor_file mt_tensor_file;

MT_API mt_tensor_file *mt_tensor_file_open(const char *path); /* NULL on failure */
MT_API void mt_tensor_file_close(mt_tensor_file *file);       /* NULL is ignored */
MT_API int64_t mt_tensor_file_count(const mt_tensor_file *file);
/* Tensor i's name, in the order of the data; NULL past the last. */
MT_API const char *mt_tensor_file_name(const mt_tensor_file *file, int64_t i);
MT_API int64_t mt_tensor_file_find(const mt_tensor_file *file, const char *name); /* −1: not there */
/* The text under key of the file's __metadata__; NULL where there is none.  Lives as long as the file is open. */
MT_API const char *mt_tensor_file_note(const mt_tensor_file *file, const char *key);
/* Tensor i's dtype, rank and shape (MT_MAX_RANK entries); pointers may be NULL. */
MT_API mt_status mt_tensor_file_info(const mt_tensor_file *file, int64_t i, mt_dtype *dtype, int *rank, int64_t *shape);
/* Tensor i on the current device, in the current scope. */
MT_API mt_tensor *mt_tensor_file_read(mt_tensor_file *file, int64_t i);

/* ---- mapped: no copy ---------------------------------------------------------------------------------------------- */

/* Tensor i as mt_tensor_file_read gives it, but without a copy where the current device works in the host's memory and
 * the data is aligned to its dtype in the file: the tensor's pages come from the file when they are first touched
 * (bools are looked at here, which touches theirs).  Otherwise it is read.
 *
 * The mapping is private.  Writing the tensor copies the pages that are written, and never writes the file.  The tensor
 * outlives mt_tensor_file_close; the mapping goes when the last tensor and graph that use it do.
 *
 * The file must stay as it is meanwhile: what another process writes into it may or may not be seen, and where it cuts
 * the file short, touching a page that is gone ends this process with SIGBUS.  Files replaced whole, as all functions of
 * this header write them, are safe: the mapping keeps the old one.  Where that is not known, read: what has been read
 * stays.  MT_E_IO where the file is shorter now than it was opened, or cannot be mapped. */
MT_API mt_tensor *mt_tensor_file_map(mt_tensor_file *file, int64_t i);

/* ---- checkpoints -------------------------------------------------------------------------------------------------- */

/* Everything that training needs to go on as if it had never stopped.  The file is a safetensors file that other tools
 * open too: the module's tensors under their own names, the optimiser's as optim/I/m, optim/I/v, … for parameter I with
 * optim/t (steps each parameter took) and optim/groups (rate, base rate, decay), further tensors as extra/NAME; numbers
 * and notes are in __metadata__: mt.checkpoint, mt.epoch, mt.step, mt.rng.seed, mt.rng.offset, mt.optim. */
typedef struct mt_checkpoint {
	mt_module *module;
	mt_optim *optim;     /* NULL: none */
	int64_t epoch, step; /* whatever the program counts */
	int64_t n_tensors;   /* further tensors */
	const char *const *tensor_names;
	mt_tensor *const *tensors;
	int64_t n_notes; /* further texts; keys beginning with "mt." are mt's own (MT_E_ARG) */
	const char *const *note_keys, *const *note_texts;
} mt_checkpoint;

/* Writes c and the random generator's state.  MT_E_IO: the old file is then untouched. */
MT_API mt_status mt_checkpoint_save(const mt_checkpoint *c, const char *path);

/* Reads a checkpoint into the module, the optimiser (of the same kind, over the same parameters in the same groups) and
 * the further tensors, all there with the file's shapes, dtypes converted where both are float; sets epoch and step and the
 * random generator.  The optimiser's rates and decays are the file's afterwards, its other options stay.  Notes are
 * read with mt_tensor_file_note.  All is checked before anything is written: on MT_E_FORMAT, MT_E_SHAPE, MT_E_DTYPE or
 * MT_E_STATE nothing has changed.  mt_load_state takes the module alone from a checkpoint. */
MT_API mt_status mt_checkpoint_load(mt_checkpoint *c, const char *path);

/* ---- NumPy's files: .npy, one array (numpy.org/neps/nep-0001-npy-format.html), and .npz, a zip archive of them ------ */

/* The array in the file: dtypes <f4 <f8 <f2 <i4 <i8 |u1 |b1 (mt's but bf16) and their big-endian forms, which are swapped;
 * format versions 1.0, 2.0 and 3.0; C and Fortran order, in both cases a contiguous tensor comes out, on the current
 * device and in the current scope.  The file's size must be what its header says, exactly.
 * NULL on MT_E_IO; on MT_E_FORMAT: a header that is no dict of just descr, fortran_order and shape, or is longer than
 * 65535 bytes, a bool other than 0 and 1; on MT_E_UNSUPPORTED, naming it: another dtype, more than MT_MAX_RANK dims,
 * another version.  "<V2", as ml_dtypes stores bfloat16, is refused too: it stands for any two bytes. */
MT_API mt_tensor *mt_npy_read(const char *path);

/* Writes t, version 1.0, little-endian: in Fortran order where t's strides are column-major and it is not contiguous,
 * else in C order.  NumPy has no bf16 (MT_E_DTYPE): cast to f32, which holds every bf16. */
MT_API mt_status mt_npy_write(const char *path, mt_tensor *t);

/* An archive opened for reading: its directory is read and checked, the arrays stay in the file until asked for. */
typedef struct mt_npz mt_npz;

/* NULL on MT_E_IO; on MT_E_FORMAT: no zip archive, or two arrays of one name. */
MT_API mt_npz *mt_npz_open(const char *path);
MT_API void mt_npz_close(mt_npz *npz); /* NULL is ignored */
MT_API int64_t mt_npz_count(const mt_npz *npz);
/* Array i's name in the order of the archive: its member's without ".npy", in UTF-8; NULL past the last.  Every member
 * is listed, also one that turns out not to be an array. */
MT_API const char *mt_npz_name(const mt_npz *npz, int64_t i);
/* −1: not there.  name is one that is listed, or, where none is, its member's ("x" and "x.npy" find the same). */
MT_API int64_t mt_npz_find(const mt_npz *npz, const char *name);
/* Array i's dtype, rank and shape (MT_MAX_RANK entries) from its header; pointers may be NULL.  Fails as mt_npy_read. */
MT_API mt_status mt_npz_info(mt_npz *npz, int64_t i, mt_dtype *dtype, int *rank, int64_t *shape);
/* Array i, as mt_npy_read.  The member is stored or deflated (else MT_E_UNSUPPORTED); its size in the directory is what its
 * header says, and what deflate can make of the bytes there are (1032 of each): no member makes mt allocate more.  Its
 * checksum is checked. */
MT_API mt_tensor *mt_npz_read(mt_npz *npz, int64_t i);

/* Writes n arrays, as mt_npy_write, under their names (distinct, not "", valid UTF-8, at most 65531 bytes, else MT_E_ARG)
 * with ".npy" behind; deflated where compress ≠ 0, else stored.  The same arrays give the same bytes. */
MT_API mt_status mt_npz_write(const char *path, int64_t n, const char *const *names, mt_tensor *const *tensors,
                              int compress);

/* ---- event files for TensorBoard ------------------------------------------------------------------------------------ */

/* A log of numbers by step, as tensorflow.Event records in DIR/events.out.tfevents.…: TensorBoard and its readers open
 * them.  Written as training goes: a killed process leaves whole records up to its last flush. */
typedef struct mt_event_log mt_event_log;

/* Makes dir where it is missing (its parent must be there) and begins a new file in it.  first_step > 0: this run goes on
 * from there, and readers are told to drop what earlier files of dir hold from that step on.  NULL on MT_E_IO. */
MT_API mt_event_log *mt_event_log_open(const char *dir, int64_t first_step);
/* value, as f32, under tag ("train/loss"; UTF-8) at step; NaN and infinities are written as they are. */
MT_API mt_status mt_event_log_scalar(mt_event_log *log, int64_t step, const char *tag, double value);
MT_API mt_status mt_event_log_flush(mt_event_log *log);
/* Flushes, closes and frees; NULL is ignored. */
MT_API mt_status mt_event_log_close(mt_event_log *log);

#ifdef __cplusplus
}
#endif

#endif
