/* Layers under test: parameters and inputs that PyTorch can be given too, in f64, and gradient checks through both. */
#ifndef MT_TEST_MODULES_H
#define MT_TEST_MODULES_H

#include "oracle.h"

/* Every float parameter and buffer of the tree becomes f64 (layers make them f32). */
void module_to_f64(mt_module *m);

/* Parameter k of the tree becomes sin(1 + 0.7 i + k) / 2 at its element i:
 *     for k, p in enumerate(m.parameters()):
 *         p.copy_((0.5 * torch.sin(1 + 0.7 * torch.arange(p.numel()) + k)).reshape(p.shape)) */
void fill_parameters(mt_module *m);

/* cos(0.3 + 0.9 i + phase), f64. */
mt_tensor *wave(int rank, const int64_t *shape, double phase);

/* Gradients, and with twice ≠ 0 those of the gradients, of fn(inputs) through inputs and all parameters of m, which is
 * f64.  fn gets the inputs alone, and m as its context. */
void check_module_gradients(mt_module *m, mt_gradcheck_fn fn, mt_tensor *const *inputs, int n, int twice);

/* m as mt_module_print shows it. */
void check_printed(const mt_module *m, const char *expected, const char *file, int line);
#define CHECK_PRINTED(m, expected) check_printed(m, expected, __FILE__, __LINE__)

/* Saves m, loads the file into other (a module made alike), and compares every tensor to the bit; frees both. */
void check_saved(mt_module *m, mt_module *other);

#endif
