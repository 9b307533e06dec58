/* MNIST from a folder of IDX files. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "mt/data.h"

static const char *const prefixes[][2] = {{"train", "train"}, {"test", "t10k"}};
static const char images_suffix[] = "images-idx3-ubyte", labels_suffix[] = "labels-idx1-ubyte";

/* The path of DIR/PREFIX-SUFFIX, or of the same with .gz where only that is there; *path is NULL where neither is.
 * MT_OK, or MT_E_MEMORY. */
static mt_status find_file(const char *dir, const char *prefix, const char *suffix, char **path) {
	struct mt_text text = {0};
	mt__text_add(&text, "%s/%s-%s", dir, prefix, suffix);
	if (!text.failed && access(text.data, F_OK) != 0)
		mt__text_add(&text, ".gz");
	*path = NULL;
	if (text.failed)
		return mt__fail_memory("mnist_load", strlen(dir));
	if (access(text.data, F_OK) == 0)
		*path = text.data;
	else
		mt__text_free(&text);
	return MT_OK;
}

int mt_mnist_present(const char *dir) {
	if (dir == NULL)
		return 0;
	for (int i = 0; i < 4; i++) {
		char *path;
		if (find_file(dir, prefixes[i / 2][1], i % 2 ? labels_suffix : images_suffix, &path) != MT_OK) {
			mt_error_take(NULL);
			return 0;
		}
		if (path == NULL)
			return 0;
		mt__free(path);
	}
	return 1;
}

static mt_status read_file(const char *dir, const char *prefix, const char *suffix, mt_host_array *out) {
	char *path;
	mt_status status = find_file(dir, prefix, suffix, &path);
	if (status != MT_OK)
		return status;
	if (path == NULL)
		return mt__fail(MT_E_IO, "%s: expected %s-%s or %s-%s.gz, got neither", dir, prefix, suffix, prefix, suffix);
	status = mt_idx_read(path, out);
	mt__free(path);
	return status;
}

static mt_status check_pair(const char *dir, const char *prefix, const mt_host_array *images,
                            const mt_host_array *labels) {
	if (images->rank != 3 || images->shape[1] != 28 || images->shape[2] != 28)
		return mt__fail(MT_E_FORMAT, "%s: %s-%s: expected images of 28 x 28, got rank %d, %" PRId64 " x %" PRId64, dir,
		                prefix, images_suffix, (int)images->rank, images->shape[1], images->shape[2]);
	if (labels->rank != 1)
		return mt__fail(MT_E_FORMAT, "%s: %s-%s: expected 1 dim, got %d", dir, prefix, labels_suffix,
		                (int)labels->rank);
	if (labels->shape[0] != images->shape[0])
		return mt__fail(MT_E_FORMAT, "%s: %s: expected as many labels as images, got %" PRId64 " and %" PRId64, dir,
		                prefix, labels->shape[0], images->shape[0]);
	const uint8_t *label = labels->data;
	for (int64_t i = 0; i < labels->shape[0]; i++)
		if (label[i] > 9)
			return mt__fail(MT_E_FORMAT, "%s: %s-%s: expected labels 0 to 9, got %d at %" PRId64, dir, prefix,
			                labels_suffix, label[i], i);
	return MT_OK;
}

mt_status mt_mnist_load(const char *dir, const char *split, mt_host_array *images, mt_host_array *labels) {
	static const char op[] = "mnist_load";
	if (images == NULL || labels == NULL)
		return mt__fail_arg_null(op, images == NULL ? "images" : "labels");
	memset(images, 0, sizeof *images);
	memset(labels, 0, sizeof *labels);
	if (dir == NULL || split == NULL)
		return mt__fail_arg_null(op, dir == NULL ? "dir" : "split");
	const char *prefix = NULL;
	for (int i = 0; i < 2; i++)
		if (strcmp(split, prefixes[i][0]) == 0)
			prefix = prefixes[i][1];
	if (prefix == NULL)
		return mt__fail(MT_E_ARG, "%s: split must be \"train\" or \"test\", got \"%.40s\"", op, split);
	mt_status status = read_file(dir, prefix, images_suffix, images);
	if (status == MT_OK)
		status = read_file(dir, prefix, labels_suffix, labels);
	if (status == MT_OK)
		status = check_pair(dir, prefix, images, labels);
	if (status != MT_OK) {
		mt_host_array_free(images);
		mt_host_array_free(labels);
	}
	return status;
}
