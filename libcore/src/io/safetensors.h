/* The safetensors format, shared by reading and writing:
 *     8 bytes      length of the header, little-endian
 *     header       JSON {"NAME": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, …, "__metadata__": {…}},
 *                  padded with spaces
 *     data         the tensors' elements, row-major and little-endian; offsets count from here, without gap or overlap
 * mt runs on little-endian machines only: elements are not converted. */
#ifndef MT_IO_SAFETENSORS_H
#define MT_IO_SAFETENSORS_H

#include "mt/tensor.h"

#define MT__METADATA_KEY "__metadata__"
#define MT__MAX_HEADER 100000000 /* the reference implementation's limit */

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "safetensors files are little-endian"
#endif

/* "F32" for MT_F32, NULL for a number that is none; and back, 0 for a name mt has no dtype for. */
const char *mt__safetensors_dtype_name(mt_dtype dtype);
mt_dtype mt__safetensors_dtype(const char *name);

#endif
