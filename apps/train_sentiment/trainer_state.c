/* Making a trainer, saving and resuming it. */
#include "train_sentiment/trainer_state.h"

#include <stdlib.h>

#include "train_sentiment/model.h"

enum { MAX_PARAMETERS = 32 };

static mt_status status_now(void) {
	return mt_error_peek() ? mt_error_peek() : MT_E_INTERNAL;
}

mt_status trainer_copy_weights(mt_module *to, const mt_module *from) {
	mt_tensor *source[MAX_PARAMETERS], *target[MAX_PARAMETERS];
	int64_t n = mt_module_parameters(from, source, MAX_PARAMETERS);
	mt_module_parameters(to, target, MAX_PARAMETERS);
	int was = mt_grad_enable(0);
	mt_status status = MT_OK;
	for (int64_t i = 0; i < n && status == MT_OK; i++)
		status = mt_copy_(target[i], source[i]) ? MT_OK : status_now();
	mt_grad_enable(was);
	return status;
}

/* ---- making ----------------------------------------------------------------------------------------------------- */

/* Word vectors over the start values of those words that have some. */
static mt_status take_vectors(mt_tensor *table, const struct vectors *v, int32_t n_words) {
	size_t bytes = (size_t)n_words * (size_t)v->size * sizeof(float);
	float *values = malloc(bytes);
	if (values == NULL)
		return mt_error_set(MT_E_MEMORY, "no memory for %d word vectors", (int)n_words);
	mt_status status = mt_to_host(table, values, bytes);
	for (int64_t i = 0; i < n_words * v->size; i++)
		if (v->has[i / v->size])
			values[i] = v->values[i];
	int was = mt_grad_enable(0);
	if (status == MT_OK)
		status = mt_from_host(table, values, bytes);
	mt_grad_enable(was);
	free(values);
	return status;
}

static mt_status make_models(struct trainer *t) {
	struct run *r = t->run;
	const struct options *o = r->options;
	const struct dataset *d = r->data;
	struct model_size size = {.words = d->vocabulary.n,
	                          .embedding = d->vectors.size ? d->vectors.size : o->embedding,
	                          .filters = o->filters,
	                          .dropout = o->dropout};
	mt_seed(o->seed);
	r->model = model_new(size);
	t->best = r->model ? model_new(size) : NULL;
	if (t->best == NULL)
		return status_now();
	mt_tensor *table = mt_module_get(r->model, "embedding.weight");
	mt_status status = MT_OK;
	if (d->vectors.size > 0)
		status = take_vectors(table, &d->vectors, d->vocabulary.n);
	if (status == MT_OK && o->freeze && mt_requires_grad_(table, 0) == NULL)
		status = status_now();
	return status == MT_OK ? trainer_copy_weights(t->best, r->model) : status;
}

/* Embeddings that are left as they are take no part. */
static mt_optim *make_optim(const struct run *r) {
	mt_tensor *parameters[MAX_PARAMETERS];
	int64_t all = mt_module_parameters(r->model, parameters, MAX_PARAMETERS), n = 0;
	double decay = r->options->weight_decay;
	for (int64_t i = 0; i < all; i++)
		if (mt_tensor_requires_grad(parameters[i]))
			parameters[n++] = parameters[i];
	return mt_optim_adamw(parameters, n, r->options->lr, (mt_adam_options){.weight_decay = decay > 0 ? decay : -1});
}

/* ---- checkpoints ------------------------------------------------------------------------------------------------ */

static mt_status collect_extras(struct trainer *t) {
	const struct dataset *d = t->run->data;
	int64_t bytes = (int64_t)d->vocabulary.bytes;
	mt_tensor *vocabulary = mt_from_data(MT_SHAPE(bytes), MT_U8, d->vocabulary.text);
	mt_status status = extras_add(&t->extras, VOCABULARY_NAME, vocabulary);
	if (status == MT_OK)
		status = extras_add(&t->extras, FINGERPRINT_NAME, mt_scalar_tensor(mt_i(d->fingerprint), MT_I64));
	t->course_tensor = mt_zeros(MT_SHAPE(sizeof t->course / sizeof(double)), MT_F64);
	if (status == MT_OK)
		status = extras_add(&t->extras, COURSE_NAME, t->course_tensor);
	return status == MT_OK ? extras_add_module(&t->extras, BEST_PREFIX, t->best) : status;
}

static struct training_state state_of(struct trainer *t) {
	struct run *r = t->run;
	return (struct training_state){.cli = &train_sentiment_cli,
	                               .settings = train_sentiment_settings,
	                               .module = r->model,
	                               .optim = t->optim,
	                               .epoch = r->steps / batches_count(&t->batches),
	                               .step = r->steps,
	                               .n_extra = t->extras.n,
	                               .extra_names = t->extras.names,
	                               .extra = t->extras.tensor};
}

mt_status trainer_save(struct trainer *t) {
	struct run *r = t->run;
	const char *path = r->options->training.save;
	if (path == NULL)
		return MT_OK;
	mt_status status = mt_from_host(t->course_tensor, &t->course, sizeof t->course);
	if (status == MT_OK)
		status = metrics_flush(&r->metrics);
	struct training_state s = state_of(t);
	return status == MT_OK ? training_save(&s, path) : status;
}

/* What training relies on: whole epochs behind, and a step within the next one. */
static mt_status check_course(const struct trainer *t, const char *path, int64_t step) {
	const struct course *c = &t->course;
	const struct run *r = t->run;
	int64_t n = batches_count(&t->batches);
	if (step < 0 || step > r->progress.total_steps)
		return mt_error_set(MT_E_FORMAT, "%s: expected at most %lld steps taken, got %lld", path,
		                    (long long)r->progress.total_steps, (long long)step);
	if (c->scored != (double)(step / n) || !(c->best_epoch >= 0 && c->best_epoch <= c->scored))
		return mt_error_set(MT_E_FORMAT, "%s: " COURSE_NAME ": %g epochs scored, the best %g, after %lld steps", path,
		                    c->scored, c->best_epoch, (long long)step);
	return MT_OK;
}

static mt_status resume(struct trainer *t) {
	struct run *r = t->run;
	const char *path = r->options->training.resume;
	mt_status status = checkpoint_check_data(path, r->data->fingerprint);
	if (status != MT_OK)
		return status;
	struct training_state s = state_of(t);
	status = training_load(&s, path);
	if (status == MT_OK)
		status = mt_to_host(t->course_tensor, &t->course, sizeof t->course);
	if (status == MT_OK)
		status = check_course(t, path, s.step);
	r->steps = t->begun_at = s.step;
	return status;
}

static mt_status prepare(struct trainer *t) {
	struct run *r = t->run;
	const struct options *o = r->options;
	mt_status status = make_models(t);
	if (status == MT_OK)
		status = batches_new(&t->batches, &r->data->corpus, r->data->train, r->data->n_train, o->batch);
	if (status == MT_OK && (t->optim = make_optim(r)) == NULL)
		status = status_now();
	if (status == MT_OK)
		status = collect_extras(t);
	if (status != MT_OK)
		return status;
	int64_t total = batches_count(&t->batches) * o->epochs;
	t->schedule = (mt_schedule){.kind = MT_SCHEDULE_COSINE, .total = total, .warmup = total / 10, .start = 0.04};
	t->pending.limit = mt_device_has_host_memory(mt_device_current()) ? 1 : MAX_PENDING;
	progress_begin(&r->progress, total, o->epochs, "sentences", o->training.quiet);
	return o->training.resume ? resume(t) : MT_OK;
}

struct trainer *trainer_new(struct run *r) {
	struct trainer *t = calloc(1, sizeof *t);
	if (t == NULL) {
		mt_error_set(MT_E_MEMORY, "out of memory");
		return NULL;
	}
	t->run = r;
	mt_scope *scope = mt_scope_begin();
	mt_status status = prepare(t);
	mt_scope_end(scope);
	if (status == MT_OK)
		return t;
	trainer_free(t);
	return NULL;
}

void trainer_free(struct trainer *t) {
	if (t == NULL)
		return;
	for (int i = 0; i < t->pending.n; i++) {
		mt_release(t->pending.loss[i]);
		mt_release(t->pending.right[i]);
	}
	extras_free(&t->extras);
	mt_optim_free(t->optim);
	mt_module_free(t->best);
	batches_free(&t->batches);
	free(t);
}
