/* TensorBoard's event files: records, checksums, messages, read back by a reader of this test's own. */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mt/mt.h"
#include "mt_test.h"

static char folder[64], dir[96];
static unsigned char bytes[8192];
static size_t n_bytes;

static int make_folder(void) {
	snprintf(folder, sizeof folder, "/tmp/mt-events.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(dir, sizeof dir, "%s/run", folder);
	return 0;
}

/* Reads the only file of dir and removes both. */
static void take_file(void) {
	char path[512] = "";
	DIR *d = opendir(dir);
	MT_REQUIRE(d != NULL);
	int n = 0;
	for (struct dirent *e; (e = readdir(d)) != NULL;)
		if (e->d_name[0] != '.') {
			MT_CHECK(strncmp(e->d_name, "events.out.tfevents.", 20) == 0);
			snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
			n++;
		}
	closedir(d);
	MT_CHECK_INT(n, 1);
	FILE *f = fopen(path, "rb");
	MT_REQUIRE(f != NULL);
	n_bytes = fread(bytes, 1, sizeof bytes, f);
	fclose(f);
	unlink(path);
	rmdir(dir);
}

static int remove_folder(void) {
	return rmdir(folder);
}

/* CRC-32C, a table's way rather than bit by bit. */
static uint32_t crc32c(const unsigned char *data, size_t n) {
	uint32_t table[256], crc = ~0u;
	for (uint32_t i = 0; i < 256; i++) {
		table[i] = i;
		for (int k = 0; k < 8; k++)
			table[i] = table[i] & 1 ? table[i] >> 1 ^ 0x82f63b78u : table[i] >> 1;
	}
	for (size_t i = 0; i < n; i++)
		crc = table[(crc ^ data[i]) & 255] ^ crc >> 8;
	return ~crc;
}

static uint32_t masked(const unsigned char *data, size_t n) {
	uint32_t crc = crc32c(data, n);
	return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

static uint64_t little(const unsigned char *at, int n) {
	uint64_t value = 0;
	for (int i = 0; i < n; i++)
		value |= (uint64_t)at[i] << 8 * i;
	return value;
}

/* The record at *at, its checksums checked; moves on.  0 at the end. */
static size_t next_record(size_t *at, const unsigned char **data) {
	if (*at == n_bytes)
		return 0;
	if (!MT_CHECK(*at + 16 <= n_bytes))
		return 0;
	size_t n = (size_t)little(bytes + *at, 8);
	if (!MT_CHECK(n <= n_bytes - *at - 16))
		return 0;
	MT_CHECK(little(bytes + *at + 8, 4) == masked(bytes + *at, 8));
	*data = bytes + *at + 12;
	MT_CHECK(little(*data + n, 4) == masked(*data, n));
	*at += n + 16;
	return n;
}

/* The known value of the checksum: RFC 3720, B.4 (32 bytes of zeros). */
static void test_checksum(void) {
	static const unsigned char zeros[32];
	MT_CHECK(crc32c(zeros, sizeof zeros) == 0x8a9136aau);
}

static void test_scalars(void) {
	const unsigned char *event;
	size_t at = 0;
	mt_event_log *log = mt_event_log_open(dir, 0);
	MT_REQUIRE(log != NULL);
	MT_CHECK_INT(mt_event_log_scalar(log, 300, "train/loss", 0.5), MT_OK);
	MT_CHECK_INT(mt_event_log_flush(log), MT_OK);
	MT_CHECK_INT(mt_event_log_scalar(log, 0, "x", NAN), MT_OK);
	MT_CHECK_INT(mt_event_log_close(log), MT_OK);
	take_file();
	size_t n = next_record(&at, &event);
	MT_CHECK(n == 9 + 2 + 13 && event[0] == 0x09 && event[9] == 0x1a && memcmp(event + 11, "brain.Event:2", 13) == 0);
	n = next_record(&at, &event);
	/* wall_time, step 300, summary {value {tag, simple_value}} */
	static const unsigned char expected[] = "\x10\xac\x02"
											"\x2a\x13\x0a\x11\x0a\x0atrain/loss\x15\x00\x00\x00\x3f";
	MT_CHECK(n == 9 + sizeof expected - 1 && event[0] == 0x09);
	MT_CHECK(memcmp(event + 9, expected, sizeof expected - 1) == 0);
	n = next_record(&at, &event);
	MT_CHECK(n == 9 + 2 + 10 && (little(event + n - 4, 4) & 0x7f800000u) == 0x7f800000u);
	MT_CHECK_INT(next_record(&at, &event), 0);
}

/* A run that goes on tells so: session_log {status: START} at its first step. */
static void test_goes_on(void) {
	const unsigned char *event;
	size_t at = 0;
	mt_event_log *log = mt_event_log_open(dir, 5);
	MT_REQUIRE(log != NULL);
	MT_CHECK_INT(mt_event_log_close(log), MT_OK);
	take_file();
	next_record(&at, &event);
	size_t n = next_record(&at, &event);
	MT_CHECK(n == 15 && memcmp(event + 9, "\x10\x05\x3a\x02\x08\x01", 6) == 0);
}

static void test_longest_tag(void) {
	const unsigned char *event;
	char tag[402];
	size_t at = 0;
	memset(tag, 'a', sizeof tag);
	tag[400] = '\0';
	mt_event_log *log = mt_event_log_open(dir, 0);
	MT_REQUIRE(log != NULL);
	MT_CHECK_INT(mt_event_log_scalar(log, INT64_MAX, tag, 1), MT_OK);
	tag[400] = 'a';
	tag[401] = '\0';
	MT_CHECK_INT(mt_event_log_scalar(log, 1, tag, 1), MT_E_ARG);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "event_log_scalar: a tag must have 1 to 400 bytes, got 401");
	MT_CHECK_INT(mt_event_log_scalar(log, 1, "", 1), MT_E_ARG);
	mt_error_take(NULL);
	MT_CHECK_INT(mt_event_log_scalar(log, 1, "\xff", 1), MT_E_ARG);
	mt_error_take(NULL);
	MT_CHECK_INT(mt_event_log_close(log), MT_OK);
	take_file();
	next_record(&at, &event);
	size_t n = next_record(&at, &event);
	MT_CHECK(n > 400 && n < 500);
	MT_CHECK_INT(next_record(&at, &event), 0);
}

static void test_errors(void) {
	MT_CHECK(mt_event_log_open(NULL, 0) == NULL);
	mt_error_take(NULL);
	MT_CHECK(mt_event_log_open("/no/such/folder", 0) == NULL);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "/no/such/folder: cannot make the folder: No such file");
	MT_CHECK(mt_event_log_open("/dev/null", 0) == NULL);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "/dev/null/events.out.tfevents.");
	MT_CHECK_INT(mt_event_log_scalar(NULL, 1, "a", 1), MT_E_NULL);
	MT_CHECK_INT(mt_event_log_flush(NULL), MT_E_NULL);
	MT_CHECK_INT(mt_event_log_close(NULL), MT_OK);
	mt_error_take(NULL);
}

static const mt_test_case cases[] = {{"checksum", test_checksum}, {"scalars", test_scalars},
                                     {"goes_on", test_goes_on},   {"longest_tag", test_longest_tag},
                                     {"errors", test_errors},     {0}};
static const mt_test_suite suites[] = {{"event_log", cases, make_folder, remove_folder}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
