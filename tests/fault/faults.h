/* The functions that faults.def names. */
#ifndef FAULTS_H
#define FAULTS_H

#include "fault.h"

/* before the call */
void fault_stride_of_dim_0(struct fault_call *c);
void fault_sign_of_strides(struct fault_call *c);
void fault_batch_stride(struct fault_call *c);
void fault_no_alpha(struct fault_call *c);
void fault_no_beta(struct fault_call *c);
void fault_beta_reads(struct fault_call *c);
void fault_no_bias(struct fault_call *c);
void fault_no_activation(struct fault_call *c);
void fault_last_axis(struct fault_call *c);
void fault_softmax_not_log(struct fault_call *c);
void fault_no_reverse(struct fault_call *c);
void fault_no_descending(struct fault_call *c);
void fault_no_negative_index(struct fault_call *c);
void fault_select_swapped(struct fault_call *c);
void fault_starts_from_zero(struct fault_call *c);
void fault_from_the_end(struct fault_call *c);
void fault_kernel_reversed(struct fault_call *c);
void fault_no_dilation(struct fault_call *c);
void fault_no_pad(struct fault_call *c);
void fault_wrong_group(struct fault_call *c);
void fault_no_bias_gradient(struct fault_call *c);
void fault_pad_counted_wrong(struct fault_call *c);
void fault_no_smoothing(struct fault_call *c);
void fault_no_class_weight(struct fault_call *c);
void fault_no_ignore_index(struct fault_call *c);
void fault_no_eps(struct fault_call *c);
void fault_always_training(struct fault_call *c);
void fault_no_padding_idx(struct fault_call *c);
void fault_wrong_offset(struct fault_call *c);
void fault_no_device_offset(struct fault_call *c);
void fault_half_seed(struct fault_call *c);
void fault_no_nesterov(struct fault_call *c);
void fault_first_ignored(struct fault_call *c);
void fault_no_dampening(struct fault_call *c);
void fault_no_maximize(struct fault_call *c);
void fault_step_from_zero(struct fault_call *c);
void fault_no_bias_correction(struct fault_call *c);
void fault_never_decoupled(struct fault_call *c);
void fault_no_amsgrad(struct fault_call *c);
void fault_no_device_lr(struct fault_call *c);

/* after it */
void fault_sign(struct fault_call *c);
void fault_times_five(struct fault_call *c);
void fault_nan(struct fault_call *c);
void fault_drops_nan(struct fault_call *c);
void fault_low_bit(struct fault_call *c);
void fault_large_only(struct fault_call *c);
void fault_not_deterministic(struct fault_call *c);
void fault_other_threads_other_bits(struct fault_call *c);
void fault_last_column(struct fault_call *c);
void fault_keep_output(struct fault_call *c);
void fault_unwritten_tail(struct fault_call *c);
void fault_past_the_end(struct fault_call *c);
void fault_before_the_start(struct fault_call *c);
void fault_in_a_gap(struct fault_call *c);
void fault_touches_input(struct fault_call *c);
void fault_nan_where_empty(struct fault_call *c);
void fault_halves_away(struct fault_call *c);
void fault_truncates(struct fault_call *c);
void fault_through_double(struct fault_call *c);
void fault_position_from_the_end(struct fault_call *c);
void fault_biased_running(struct fault_call *c);
void fault_no_mean(struct fault_call *c);
void fault_odd_tail(struct fault_call *c);

/* in its place */
int32_t fault_crashes(struct fault_call *c);
int32_t fault_exits(struct fault_call *c);
int32_t fault_hangs(struct fault_call *c);
int32_t fault_fails(struct fault_call *c);
int32_t fault_refuses(struct fault_call *c);
int32_t fault_refuses_mutely(struct fault_call *c);
int32_t fault_refuses_late(struct fault_call *c);
int32_t fault_refuses_steps(struct fault_call *c);
int32_t fault_overruns_scratch(struct fault_call *c);
int32_t fault_scratch_twice(struct fault_call *c);

#endif
