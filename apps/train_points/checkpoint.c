/* The run in a checkpoint: network, optimiser, counters, and the losses so far that lines and results tell. */
#include "train_points/train_points.h"

enum { N_EXTRA = 1 };

static const char *const extra_names[N_EXTRA] = {"epoch_losses"};

/* [loss · samples of this epoch so far, loss of the last whole epoch] */
static mt_tensor *losses_tensor(const struct run *r) {
	return mt_from_data(MT_SHAPE(2), MT_F64, (const double[]){r->epoch_sum, r->loss});
}

static struct training_state state_of(const struct run *r, mt_tensor *const *extra) {
	return (struct training_state){.cli = &train_points_cli,
	                               .settings = train_points_settings,
	                               .module = r->net,
	                               .optim = r->optim,
	                               .epoch = r->epoch,
	                               .step = r->step,
	                               .n_extra = N_EXTRA,
	                               .extra_names = extra_names,
	                               .extra = extra};
}

mt_status run_save(const struct run *r, const char *path) {
	mt_scope *scope = mt_scope_begin();
	mt_tensor *losses = losses_tensor(r);
	struct training_state s = state_of(r, &losses);
	mt_status status = losses ? training_save(&s, path) : mt_error_peek();
	mt_scope_end(scope);
	return status;
}

mt_status run_load(struct run *r, const char *path) {
	double values[2] = {0};
	mt_scope *scope = mt_scope_begin();
	mt_tensor *losses = losses_tensor(r);
	struct training_state s = state_of(r, &losses);
	mt_status status = losses ? training_load(&s, path) : mt_error_peek();
	if (status == MT_OK)
		status = mt_to_host(losses, values, sizeof values);
	mt_scope_end(scope);
	if (status != MT_OK)
		return status;
	r->step = s.step;
	r->epoch = r->step / run_batches(r);
	r->epoch_sum = values[0];
	r->loss = values[1];
	if (r->step < 0 || r->epoch != s.epoch || r->step > r->options->epochs * run_batches(r))
		return mt_error_set(MT_E_FORMAT, "%s: expected at most %lld steps of %lld an epoch, got %lld in epoch %lld",
		                    path, (long long)(r->options->epochs * run_batches(r)), (long long)run_batches(r),
		                    (long long)s.step, (long long)s.epoch);
	return MT_OK;
}
