/* TensorBoard's event files.  A file is a row of records, each
 *     u64 length   u32 masked CRC-32C of the length   length bytes   u32 masked CRC-32C of these
 * (TensorFlow's TFRecord), little-endian.  The bytes of a record are an Event message of event.proto, written here as
 * protocol buffers' wire format says: a key (field << 3 | type) before each field; type 0 is a varint, 1 eight bytes,
 * 2 a length and bytes, 5 four bytes. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "mt/io.h"

/* Fields of the messages. */
enum { EVENT_WALL_TIME = 1, EVENT_STEP = 2, EVENT_FILE_VERSION = 3, EVENT_SUMMARY = 5, EVENT_SESSION_LOG = 7 };
enum { SUMMARY_VALUE = 1, VALUE_TAG = 1, VALUE_SIMPLE = 2, SESSION_STATUS = 1, SESSION_START = 1 };
enum { MAX_TAG = 400, MAX_RECORD = MAX_TAG + 100 };

struct mt_event_log {
	char *path;
	FILE *file;
};

/* ---- records ---------------------------------------------------------------------------------------------------- */

struct bytes {
	unsigned char data[MAX_RECORD];
	size_t n;
};

/* CRC-32C (Castagnoli, polynomial 0x1EDC6F41 reflected), masked as TFRecord asks: a checksum of checksummed data. */
static uint32_t masked_crc(const unsigned char *data, size_t n) {
	uint32_t crc = UINT32_MAX;
	for (size_t i = 0; i < n; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78u : 0);
	}
	crc = ~crc;
	return (crc >> 15 | crc << 17) + 0xA282EAD8u;
}

static void put(struct bytes *b, const void *data, size_t n) {
	memcpy(b->data + b->n, data, n);
	b->n += n;
}

static void put_fixed(struct bytes *b, uint64_t value, int bytes) {
	for (int i = 0; i < bytes; i++)
		b->data[b->n++] = (unsigned char)(value >> 8 * i);
}

static void put_varint(struct bytes *b, uint64_t value) {
	for (; value >= 0x80; value >>= 7)
		b->data[b->n++] = (unsigned char)(value | 0x80);
	b->data[b->n++] = (unsigned char)value;
}

static void put_count(struct bytes *b, int field, uint64_t value) {
	put_varint(b, (uint64_t)field << 3);
	put_varint(b, value);
}

static void put_double(struct bytes *b, int field, double value) {
	uint64_t raw;
	memcpy(&raw, &value, sizeof raw);
	put_varint(b, (uint64_t)field << 3 | 1);
	put_fixed(b, raw, 8);
}

static void put_float(struct bytes *b, int field, float value) {
	uint32_t raw;
	memcpy(&raw, &value, sizeof raw);
	put_varint(b, (uint64_t)field << 3 | 5);
	put_fixed(b, raw, 4);
}

static void put_text(struct bytes *b, int field, const void *data, size_t n) {
	put_varint(b, (uint64_t)field << 3 | 2);
	put_varint(b, n);
	put(b, data, n);
}

static mt_status fail_write(const mt_event_log *log) {
	return mt__fail(MT_E_IO, "%s: cannot write: %s", log->path, strerror(errno));
}

static mt_status write_record(mt_event_log *log, const struct bytes *event) {
	struct bytes head = {.n = 0}, tail = {.n = 0};
	put_fixed(&head, event->n, 8);
	put_fixed(&head, masked_crc(head.data, 8), 4);
	put_fixed(&tail, masked_crc(event->data, event->n), 4);
	if (fwrite(head.data, head.n, 1, log->file) == 1 && fwrite(event->data, event->n, 1, log->file) == 1 &&
	    fwrite(tail.data, tail.n, 1, log->file) == 1)
		return MT_OK;
	return fail_write(log);
}

static struct bytes event_at(int64_t step) {
	struct bytes event = {.n = 0};
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	put_double(&event, EVENT_WALL_TIME, (double)t.tv_sec + 1e-9 * (double)t.tv_nsec);
	if (step != 0)
		put_count(&event, EVENT_STEP, (uint64_t)step);
	return event;
}

/* ---- the log ---------------------------------------------------------------------------------------------------- */

/* dir/events.out.tfevents.SECONDS.HOST.PROCESS.NUMBER: the reader sorts by name, and asks for "tfevents" in it. */
static mt_status name_file(mt_event_log *log, const char *dir) {
	static atomic_uint counter;
	char host[HOST_NAME_MAX + 1] = "host";
	struct mt_text path = {0};
	(void)gethostname(host, sizeof host - 1);
	mt__text_add(&path, "%s/events.out.tfevents.%010" PRId64 ".%s.%ld.%u", dir, (int64_t)time(NULL), host,
	             (long)getpid(), atomic_fetch_add(&counter, 1u));
	if (path.failed) {
		mt__text_free(&path);
		return mt__fail_memory(dir, strlen(dir));
	}
	log->path = path.data;
	return MT_OK;
}

static mt_status begin(mt_event_log *log, const char *dir, int64_t first_step) {
	static const char version[] = "brain.Event:2";
	mt_status status = name_file(log, dir);
	if (status != MT_OK)
		return status;
	if (mkdir(dir, 0777) != 0 && errno != EEXIST)
		return mt__fail(MT_E_IO, "%s: cannot make the folder: %s", dir, strerror(errno));
	log->file = fopen(log->path, "wxe");
	if (log->file == NULL)
		return mt__fail(MT_E_IO, "%s: cannot write: %s", log->path, strerror(errno));
	struct bytes event = event_at(0);
	put_text(&event, EVENT_FILE_VERSION, version, strlen(version));
	status = write_record(log, &event);
	if (status == MT_OK && first_step > 0) {
		struct bytes session = {.n = 0};
		put_count(&session, SESSION_STATUS, SESSION_START);
		event = event_at(first_step);
		put_text(&event, EVENT_SESSION_LOG, session.data, session.n);
		status = write_record(log, &event);
	}
	return status;
}

mt_event_log *mt_event_log_open(const char *dir, int64_t first_step) {
	if (dir == NULL) {
		mt__fail_arg_null("event_log_open", "dir");
		return NULL;
	}
	mt_event_log *log = mt__calloc(1, sizeof *log);
	if (log == NULL) {
		mt__fail_memory(dir, sizeof *log);
		return NULL;
	}
	if (begin(log, dir, first_step) == MT_OK)
		return log;
	mt_event_log_close(log);
	return NULL;
}

mt_status mt_event_log_scalar(mt_event_log *log, int64_t step, const char *tag, double value) {
	if (log == NULL || tag == NULL)
		return mt__fail_arg_null("event_log_scalar", log == NULL ? "log" : "tag");
	size_t length = strlen(tag);
	if (length == 0 || length > MAX_TAG)
		return mt__fail(MT_E_ARG, "event_log_scalar: a tag must have 1 to %d bytes, got %zu", (int)MAX_TAG, length);
	json_t *text = json_stringn(tag, length); /* Jansson takes UTF-8 alone, as readers of the file do */
	if (text == NULL)
		return mt__fail(MT_E_ARG, "event_log_scalar: the tag is not valid UTF-8");
	json_decref(text);
	struct bytes number = {.n = 0}, summary = {.n = 0}, event = event_at(step);
	put_text(&number, VALUE_TAG, tag, length);
	put_float(&number, VALUE_SIMPLE, (float)value);
	put_text(&summary, SUMMARY_VALUE, number.data, number.n);
	put_text(&event, EVENT_SUMMARY, summary.data, summary.n);
	return write_record(log, &event);
}

mt_status mt_event_log_flush(mt_event_log *log) {
	if (log == NULL)
		return mt__fail_arg_null("event_log_flush", "log");
	return fflush(log->file) == 0 ? MT_OK : fail_write(log);
}

mt_status mt_event_log_close(mt_event_log *log) {
	if (log == NULL)
		return MT_OK;
	mt_status status = MT_OK;
	if (log->file != NULL && fclose(log->file) != 0)
		status = fail_write(log);
	mt__free(log->path);
	mt__free(log);
	return status;
}
