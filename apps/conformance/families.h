/* One family a kernel: a kernel in kernels.def without one does not link. */
#ifndef CONFORMANCE_FAMILIES_H
#define CONFORMANCE_FAMILIES_H

#include "family.h"

#define MT_KERNEL(id, NAME, name, group, must) extern const struct cf_family cf_##name##_family;
#include "mt/kernels.def"
#undef MT_KERNEL

/* By the kernel's name, as long as length says; by its id.  NULL where there is none. */
const struct cf_family *cf_family_named(const char *name, size_t length);
const struct cf_family *cf_family_of(int32_t kernel);

/* What the capability table calls the op of this id: 0 where it has no name for it. */
int32_t cf_abi_op(int32_t op);

/* The family's op of this id or name; NULL where there is none. */
const struct cf_op *cf_op_of(const struct cf_family *f, int32_t id);
const struct cf_op *cf_op_named(const struct cf_family *f, const char *name, size_t length);

/* "map.exp", "conv": what --op is compared with. */
void cf_op_label(char *out, size_t size, const struct cf_family *f, const struct cf_op *op);

/* Whether every field of c is in the range that the family's tables say, and the family calls it valid. */
int cf_case_valid(const struct cf_case *c);

#endif
