/* Optimisers over a list of parameters, and learning-rate schedules.
 *
 *     mt_optim *optim = mt_optim_adamw(parameters, n, 1e-3, (mt_adam_options){0});
 *     …
 *     mt_optim_zero_grad(optim);
 *     mt_backward(loss);
 *     mt_optim_step(optim);
 *
 * A step writes each parameter that has a gradient in place, outside the graph, and counts as a write of its storage (a
 * graph that saved the old value says MT_E_VERSION in backward).  A parameter without a gradient is passed over. */
#ifndef MT_OPTIM_H
#define MT_OPTIM_H

#include "mt/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mt_optim mt_optim;

/* Stochastic gradient descent, as torch.optim.SGD:
 *     g = grad + weight_decay · p   (−grad where maximize)
 *     momentum ≠ 0:  v = momentum · v + (1 − dampening) · g  (v = g in the first step)
 *                    g = nesterov ? g + momentum · v : v
 *     p −= lr · g
 * Zero-initialised: plain descent.  momentum ≥ 0, weight_decay ≥ 0; nesterov needs momentum > 0 and dampening 0. */
typedef struct mt_sgd_options {
	double momentum, dampening, weight_decay;
	int32_t nesterov, maximize;
} mt_sgd_options;

/* Adam (Kingma & Ba 2015) and AdamW (Loshchilov & Hutter 2019), as torch.optim.Adam and AdamW; t counts from 1:
 *     Adam: g = grad + weight_decay · p       AdamW: p −= lr · weight_decay · p, g = grad
 *     m = β1 m + (1−β1) g;   v = β2 v + (1−β2) g²;   amsgrad: vmax = max(vmax, v), used in v's place below
 *     p −= lr / (1−β1^t) · m / (√(v / (1−β2^t)) + eps)
 * A zero means the default: beta1 0.9, beta2 0.999, eps 1e-8, weight_decay 0 in Adam and 0.01 in AdamW.  −1 means 0
 * itself.  Ranges: 0 ≤ β < 1, eps ≥ 0, weight_decay ≥ 0. */
typedef struct mt_adam_options {
	double beta1, beta2, eps, weight_decay;
	int32_t amsgrad, maximize;
} mt_adam_options;

/* An optimiser over n parameters: leaves of float dtype that require a gradient (MT_E_STATE, MT_E_DTYPE), no tensor
 * twice (MT_E_ARG).  It holds references of its own.  lr ≥ 0 and finite.  NULL on failure. */
MT_API mt_optim *mt_optim_sgd(mt_tensor *const *parameters, int64_t n, double lr, mt_sgd_options options);
MT_API mt_optim *mt_optim_adam(mt_tensor *const *parameters, int64_t n, double lr, mt_adam_options options);
MT_API mt_optim *mt_optim_adamw(mt_tensor *const *parameters, int64_t n, double lr, mt_adam_options options);

/* RMSprop (Tieleman & Hinton 2012), as torch.optim.RMSprop:
 *     g = grad + weight_decay · p;   v = α v + (1−α) g²;   centered: a = α a + (1−α) g, s = v − a², else s = v
 *     u = g / (√s + eps);   momentum ≠ 0:  b = momentum · b + u, u = b;   p −= lr · u
 * A zero means the default: alpha 0.99, eps 1e-8; −1 means 0 itself. */
typedef struct mt_rmsprop_options {
	double alpha, eps, weight_decay, momentum;
	int32_t centered, maximize;
} mt_rmsprop_options;

/* Adagrad (Duchi et al. 2011), as torch.optim.Adagrad; t counts from 1:
 *     g = grad + weight_decay · p;   s += g² (s starts at initial);   p −= lr / (1 + (t−1) lr_decay) · g / (√s + eps)
 * eps 0: 1e-10; −1 means 0 itself. */
typedef struct mt_adagrad_options {
	double lr_decay, weight_decay, initial, eps;
	int32_t maximize;
} mt_adagrad_options;

MT_API mt_optim *mt_optim_rmsprop(mt_tensor *const *parameters, int64_t n, double lr, mt_rmsprop_options options);
MT_API mt_optim *mt_optim_adagrad(mt_tensor *const *parameters, int64_t n, double lr, mt_adagrad_options options);
MT_API void mt_optim_free(mt_optim *optim); /* NULL is ignored */

/* ---- parameter groups: group 0 is the constructor's ---------------------------------------------------------------- */

/* More parameters under another rate and decay (weight_decay NaN: the optimiser's own).  The group's number, or −1. */
MT_API int mt_optim_add_group(mt_optim *optim, mt_tensor *const *parameters, int64_t n, double lr, double weight_decay);
MT_API int mt_optim_n_groups(const mt_optim *optim);
MT_API double mt_optim_group_lr(const mt_optim *optim, int group); /* NaN where there is none */
MT_API mt_status mt_optim_set_group_lr(mt_optim *optim, int group, double lr);
MT_API double mt_optim_group_weight_decay(const mt_optim *optim, int group);
MT_API mt_status mt_optim_set_group_weight_decay(mt_optim *optim, int group, double weight_decay);
/* Every group's rate becomes its rate at creation (or at its last mt_optim_set_…lr) times factor. */
MT_API mt_status mt_optim_scale_lr(mt_optim *optim, double factor);

/* One step.  On failure some parameters may have been written already. */
MT_API mt_status mt_optim_step(mt_optim *optim);
/* Marks every parameter's gradient unset, keeping its memory. */
MT_API mt_status mt_optim_zero_grad(mt_optim *optim);

MT_API double mt_optim_lr(const mt_optim *optim);             /* group 0's; NaN for NULL */
MT_API mt_status mt_optim_set_lr(mt_optim *optim, double lr); /* of every group */
MT_API int64_t mt_optim_steps(const mt_optim *optim);         /* steps taken */

/* ---- gradient clipping: between mt_backward and mt_optim_step; parameters without a gradient count nothing ---------- */

/* Scales all gradients by min(1, max_norm / (total + 1e-6)), total = the norm of all together with p (2, ∞ or another
 * > 0).  *total (may be NULL) is the norm before.  MT_E_ARG where it is not finite and error_if_nonfinite ≠ 0. */
MT_API mt_status mt_clip_grad_norm(mt_tensor *const *parameters, int64_t n, double max_norm, double p,
                                   int error_if_nonfinite, double *total);
/* Each gradient's elements clamped to [−value, value]; value > 0. */
MT_API mt_status mt_clip_grad_value(mt_tensor *const *parameters, int64_t n, double value);

/* ---- learning-rate schedules: a factor for the base rate at step 0, 1, … ---------------------------------------- */

enum mt_schedule_kind {
	MT_SCHEDULE_CONSTANT = 0,
	MT_SCHEDULE_LINEAR = 1,     /* from 1 down to floor at the end of total */
	MT_SCHEDULE_COSINE = 2,     /* the same along half a cosine */
	MT_SCHEDULE_STEP = 3,       /* gamma^⌊step / period⌋ */
	MT_SCHEDULE_ONE_CYCLE = 4,  /* up from start to 1 during warmup, down to floor at the end: half cosines */
	MT_SCHEDULE_EXPONENTIAL = 5 /* gamma^step */
};

/* The first warmup steps rise linearly from start to 1 in every kind but ONE_CYCLE; the kind's own course fills the
 * rest of total.  Zero-initialised: constant 1.  Steps beyond total stay at the last value.  All counts ≥ 0.
 * No field has a default: LINEAR, COSINE and ONE_CYCLE need total (with 0 they are at floor at once), STEP and EXPONENTIAL
 * gamma, and a warm-up with start 0 has factor 0 in its first step. */
typedef struct mt_schedule {
	int32_t kind; /* enum mt_schedule_kind */
	int64_t total, warmup, period;
	double start, floor, gamma;
} mt_schedule;

/* The factor at step; NaN where the schedule is invalid (unknown kind, negative count, warmup > total where total is
 * needed, period 0 in STEP). */
MT_API double mt_schedule_factor(const mt_schedule *schedule, int64_t step);

/* Reduce on plateau, as torch.optim.lr_scheduler.ReduceLROnPlateau: after more than patience steps in which the metric got
 * no better, the rate is multiplied by factor, and cooldown steps do not count.  "Better": below best · (1 − threshold),
 * or below best − threshold where absolute; the other way round where maximize.  A NaN metric is no better.
 * Zero-initialised: factor 0.1, patience 10 (−1: 0 itself), threshold 1e-4 (−1: 0 itself), rates down to 0. */
typedef struct mt_plateau {
	double factor, threshold, min_lr;
	int32_t patience, cooldown, maximize, absolute;
	/* State: mt_plateau_step's. */
	int32_t started, bad, cooling, reductions;
	double best;
} mt_plateau;

/* Tells the metric of one epoch; lowers every group's rate where it is time.  *reduced (may be NULL): whether it was. */
MT_API mt_status mt_plateau_step(mt_plateau *plateau, mt_optim *optim, double metric, int *reduced);

#ifdef __cplusplus
}
#endif

#endif
