/* Files of tensors: safetensors (huggingface.co/docs/safetensors), for weights and checkpoints.
 *
 * Writing is whole or not at all: a temporary file beside the target is written, synced and renamed over it.
 * Reading trusts nothing: header length, JSON, dtypes, shapes, offsets (no gap, no overlap, to the file's end), names.
 * Messages begin with the path and name the tensor. */
#ifndef MT_IO_H
#define MT_IO_H

#include "mt/nn.h"

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

#ifdef __cplusplus
}
#endif

#endif
