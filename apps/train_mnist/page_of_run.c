/* What --html's page says of a run: the test set once more, image by image, the first layer, the options. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

#include "train_mnist/html.h"
#include "train_mnist/train_mnist.h"

enum { MAX_FACTS = 40, MAX_FILTERS = 64, FACT_BYTES = 1152 };

struct facts {
	struct html_fact facts[MAX_FACTS];
	char text[MAX_FACTS][FACT_BYTES];
	int64_t n;
};

/* All that the page borrows. */
struct material {
	struct facts results, options;
	float (*log_probs)[DIGITS];
	float *weights;
	struct test_study study;
};

/* ---- facts ------------------------------------------------------------------------------------------------------ */

static void add_fact(struct facts *f, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void add_fact(struct facts *f, const char *name, const char *format, ...) {
	if (f->n == MAX_FACTS)
		return;
	va_list args;
	va_start(args, format);
	vsnprintf(f->text[f->n], FACT_BYTES, format, args);
	va_end(args);
	f->facts[f->n] = (struct html_fact){name, f->text[f->n]};
	f->n++;
}

static void add_results(struct facts *f, const struct run *r) {
	struct mt_device_info info;
	const mt_device *device = mt_device_current();
	const struct dataset *d = r->data;
	add_fact(f, "test accuracy", "%.2f%%, loss %.4f", r->test.accuracy, r->test.loss);
	if (d->n_valid > 0)
		add_fact(f, "validation accuracy", "%.2f%%, loss %.4f", r->valid.accuracy, r->valid.loss);
	add_fact(f, "network", "%s, %" PRId64 " parameters", r->model->name, mt_module_parameter_count(r->net));
	add_fact(f, "data", "%s", d->source);
	add_fact(f, "images", "%" PRId64 " to train on, %" PRId64 " to validate, %" PRId64 " to test", d->n_train,
	         d->n_valid, d->test_images.shape[0]);
	add_fact(f, "training", "%" PRId64 " epochs, %" PRId64 " steps", r->options->epochs, r->steps);
	if (mt_device_describe(device, &info) == MT_OK)
		add_fact(f, "device", "%s (%s)", mt_device_name(device), info.name);
	if (r->seconds > 0)
		add_fact(f, "time", "%.2f s of training, %.0f images/s", r->seconds, (double)r->images / r->seconds);
}

/* 0.01 rather than all digits of the nearest double, where that is the same number. */
static void shorten(const struct cli_option *o, char *value, size_t size) {
	char shorter[32];
	if (o->kind != CLI_REAL || value[0] == '\0')
		return;
	snprintf(shorter, sizeof shorter, "%.9g", *(const double *)o->target);
	if (strtod(shorter, NULL) == *(const double *)o->target)
		snprintf(value, size, "%s", shorter);
}

/* Every option that has a value, given or not. */
static void add_options(struct facts *f) {
	char value[FACT_BYTES];
	for (const struct cli_option *o = train_mnist_cli.options; o->name != NULL; o++) {
		if (o->kind == CLI_LIST || o->kind == CLI_FLAG)
			continue;
		cli_value(o, value, sizeof value);
		shorten(o, value, sizeof value);
		if (value[0] != '\0')
			add_fact(f, o->name, "%s", value);
	}
}

/* ---- the network ------------------------------------------------------------------------------------------------ */

/* The kernels of a convolution, or what the first units of a linear layer see. */
static mt_status read_filters(const struct run *r, struct material *m, struct html_filters *f) {
	mt_scope *scope = mt_scope_begin();
	mt_status status = MT_OK;
	f->name = "conv1.weight";
	mt_tensor *w = mt_module_child(r->net, "conv1") ? mt_module_get(r->net, f->name) : NULL;
	if (w != NULL) {
		f->height = mt_tensor_size(w, 2);
		f->width = mt_tensor_size(w, 3);
	} else {
		f->name = "fc1.weight";
		w = mt_module_get(r->net, f->name);
		f->height = f->width = 28;
	}
	f->n = mt_tensor_size(w, 0) < MAX_FILTERS ? mt_tensor_size(w, 0) : MAX_FILTERS;
	size_t bytes = (size_t)(f->n * f->height * f->width) * sizeof *m->weights;
	f->weights = m->weights = malloc(bytes);
	status = m->weights != NULL ? mt_to_host(mt_contiguous(mt_narrow(w, 0, 0, f->n)), m->weights, bytes)
	                            : mt_error_set(MT_E_MEMORY, "--html: out of memory");
	mt_scope_end(scope);
	return status;
}

static mt_status read_test_set(const struct run *r, struct material *m) {
	const struct dataset *d = r->data;
	int64_t n = d->test_images.shape[0];
	m->log_probs = calloc((size_t)n, sizeof *m->log_probs);
	if (m->log_probs == NULL)
		return mt_error_set(MT_E_MEMORY, "--html: out of memory");
	mt_status status = classify(r->net, r->model, &d->test_images, m->log_probs);
	if (status == MT_OK)
		study_test((const float(*)[DIGITS])m->log_probs, d->test_labels.data, n, &m->study);
	return status;
}

/* ---- the page --------------------------------------------------------------------------------------------------- */

static mt_status write_with(const struct run *r, struct material *m) {
	char subtitle[128];
	snprintf(subtitle, sizeof subtitle, "%s on %s, seed %" PRIu64, r->model->name,
	         mt_device_backend(mt_device_current()), r->options->seed);
	struct html_report report = {.title = "train_mnist",
	                             .subtitle = subtitle,
	                             .history = r->history,
	                             .test = {r->steps, r->test.loss, r->test.accuracy},
	                             .study = &m->study,
	                             .test_images = r->data->test_images.data};
	mt_status status = read_test_set(r, m);
	if (status == MT_OK)
		status = read_filters(r, m, &report.filters);
	if (status != MT_OK)
		return status;
	add_results(&m->results, r);
	add_options(&m->options);
	report.results = m->results.facts;
	report.n_results = m->results.n;
	report.options = m->options.facts;
	report.n_options = m->options.n;
	return html_write(&report, r->options->html);
}

mt_status page_of_run(const struct run *r) {
	struct material *m = calloc(1, sizeof *m);
	if (m == NULL)
		return mt_error_set(MT_E_MEMORY, "--html: out of memory");
	mt_status status = write_with(r, m);
	free(m->log_probs);
	free(m->weights);
	free(m);
	return status;
}
