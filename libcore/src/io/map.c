/* Tensors whose memory is an open safetensors file, mapped privately: pages are read when they are touched, and copied
 * when they are written. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/device.h"
#include "base/alloc.h"
#include "base/error.h"
#include "io/tensor_file.h"
#include "tensor/shape.h"
#include "tensor/tensor.h"

/* The pages that hold one tensor. */
struct mapping {
	void *pages;
	size_t bytes;
};

static void unmap(void *context) {
	struct mapping *m = context;
	munmap(m->pages, m->bytes);
	mt__free(m);
}

/* A file that was cut short would be found out by SIGBUS alone. */
static mt_status check_length(const mt_tensor_file *f, uint64_t end) {
	struct stat info;
	if (fstat(f->fd, &info) != 0)
		return mt__fail(MT_E_IO, "%s: cannot look at the file: %s", f->path, strerror(errno));
	if ((uint64_t)info.st_size < end)
		return mt__fail(MT_E_IO, "%s: the file became shorter since it was opened", f->path);
	return MT_OK;
}

/* Maps the pages from begin on; *data is the address of that byte.  No swap is set aside for them: most are never
 * written. */
static struct mapping *map_pages(const mt_tensor_file *f, uint64_t begin, uint64_t end, unsigned char **data) {
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), first = begin / page * page;
	struct mapping *m = mt__alloc(sizeof *m);
	if (m == NULL) {
		mt__fail_memory(f->path, sizeof *m);
		return NULL;
	}
	m->bytes = (size_t)(end - first);
	m->pages = mmap(NULL, m->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, f->fd, (off_t)first);
	if (m->pages == MAP_FAILED) {
		mt__fail(MT_E_IO, "%s: cannot map %zu bytes: %s", f->path, m->bytes, strerror(errno));
		mt__free(m);
		return NULL;
	}
	*data = (unsigned char *)m->pages + (begin - first);
	return m;
}

static mt_tensor *map_entry(const mt_tensor_file *f, const struct mt__entry *e, mt_device *device) {
	uint64_t begin = f->data_at + e->begin, end = f->data_at + e->end;
	int64_t stride[MT_MAX_RANK];
	unsigned char *data;
	struct mapping *m = check_length(f, end) == MT_OK ? map_pages(f, begin, end, &data) : NULL;
	if (m == NULL)
		return NULL;
	mt__contiguous_strides(e->rank, e->shape, stride);
	const struct mt__external memory = {.base = data, .bytes = end - begin, .release = unmap, .context = m};
	mt_tensor *t = NULL;
	if (e->dtype != MT_BOOL || mt__tensor_file_check_bools(f, e, data) == MT_OK)
		t = mt__tensor_external("tensor_file_map", device, &memory, e->dtype, e->rank, e->shape, stride, 0);
	if (t == NULL)
		unmap(m);
	return t;
}

mt_tensor *mt_tensor_file_map(mt_tensor_file *file, int64_t i) {
	if (mt__tensor_file_check("tensor_file_map", file, i) != MT_OK)
		return NULL;
	const struct mt__entry *e = &file->entries[i];
	mt_device *device = mt_device_current();
	if (device == NULL || mt__device_check(device) != MT_OK)
		return NULL;
	int aligned = (file->data_at + e->begin) % mt_dtype_size(e->dtype) == 0;
	if (mt__memory_kind(device, NULL) != MT_MEMORY_HOST || !aligned || e->begin == e->end)
		return mt_tensor_file_read(file, i);
	return map_entry(file, e, device);
}
