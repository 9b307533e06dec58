/* Dtypes and devices as DLPack numbers them. */
#ifndef MT_IO_DLPACK_H
#define MT_IO_DLPACK_H

#include "mt/dlpack.h"

/* dtype, which is one, as DLPack has it; and back, 0 where mt has none. */
DLDataType mt__dlpack_dtype(mt_dtype dtype);
mt_dtype mt__dlpack_dtype_back(DLDataType dtype);

/* "CUDA memory", "the host's memory", … of a DLDeviceType; "memory of an unknown kind". */
const char *mt__dlpack_memory(int32_t device_type);

/* The DLDeviceType whose memory the host reads and writes as its own: pinned host memory counts as host memory. */
int32_t mt__dlpack_plain(int32_t device_type);

#endif
