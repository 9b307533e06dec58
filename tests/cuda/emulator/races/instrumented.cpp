/* What the compiler calls at each access of a kernel that is compiled with -fsanitize=thread, in the place of
 * ThreadSanitizer's library (race.h).  Linked into what has such kernels, alone, and with --wrap=memcpy and its kin: some
 * compilers copy structs by these. */
#include <string.h>

#include "race.h"

using namespace mt_emulated;

#define CALLER __builtin_return_address(0)

/* Other host threads may be in the runtime API meanwhile. */
static void tell_copy(void *to, const void *from, size_t bytes, const void *code) {
	if (!runs_block())
		return;
	race_access(access::read, from, bytes, code);
	race_access(access::write, to, bytes, code);
}

extern "C" {

void __tsan_init() {
	is_watching = true;
}
void __tsan_func_entry(void *) {
}
void __tsan_func_exit() {
}
void __tsan_vptr_read(void **) {
}
void __tsan_vptr_update(void **, void *) {
}

/* Whether a local static variable is there: host code asks. */
char __tsan_atomic8_load(const volatile char *p, int) {
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

#define MT_ACCESS(name, bytes, how)                                                                                    \
	void name(void *p) {                                                                                               \
		race_access(access::how, p, bytes, CALLER);                                                                    \
	}
#define MT_ACCESSES(bytes)                                                                                             \
	MT_ACCESS(__tsan_read##bytes, bytes, read)                                                                         \
	MT_ACCESS(__tsan_write##bytes, bytes, write)                                                                       \
	MT_ACCESS(__tsan_volatile_read##bytes, bytes, strong_read)                                                         \
	MT_ACCESS(__tsan_volatile_write##bytes, bytes, strong_write)                                                       \
	MT_ACCESS(__tsan_unaligned_read##bytes, bytes, read)                                                               \
	MT_ACCESS(__tsan_unaligned_write##bytes, bytes, write)                                                             \
	MT_ACCESS(__tsan_unaligned_volatile_read##bytes, bytes, strong_read)                                               \
	MT_ACCESS(__tsan_unaligned_volatile_write##bytes, bytes, strong_write)
MT_ACCESSES(1)
MT_ACCESSES(2)
MT_ACCESSES(4)
MT_ACCESSES(8)
MT_ACCESSES(16)

void __tsan_read_range(void *p, size_t bytes) {
	race_access(access::read, p, bytes, CALLER);
}
void __tsan_write_range(void *p, size_t bytes) {
	race_access(access::write, p, bytes, CALLER);
}

void *__real_memcpy(void *to, const void *from, size_t bytes);
void *__real_memmove(void *to, const void *from, size_t bytes);
void *__real_memset(void *to, int value, size_t bytes);

void *__wrap_memcpy(void *to, const void *from, size_t bytes) {
	tell_copy(to, from, bytes, CALLER);
	return __real_memcpy(to, from, bytes);
}
void *__wrap_memmove(void *to, const void *from, size_t bytes) {
	tell_copy(to, from, bytes, CALLER);
	return __real_memmove(to, from, bytes);
}
void *__wrap_memset(void *to, int value, size_t bytes) {
	if (runs_block())
		race_access(access::write, to, bytes, CALLER);
	return __real_memset(to, value, bytes);
}

} // extern "C"
