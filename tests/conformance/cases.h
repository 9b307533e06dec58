/* The suites of this folder, one array of cases a file. */
#ifndef CONFORMANCE_CASES_H
#define CONFORMANCE_CASES_H

#include "mt_test.h"

extern const mt_test_case kc_copy_cases[], kc_map_cases[], kc_zip_cases[], kc_reduce_cases[], kc_matmul_cases[],
	kc_index_cases[], kc_conv_cases[], kc_pool_cases[], kc_softmax_cases[], kc_norm_cases[], kc_random_cases[],
	kc_optim_cases[], kc_memory_cases[];

#endif
