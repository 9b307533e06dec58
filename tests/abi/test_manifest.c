/* Manifests and the search for them (R14 to R17): each kind of bad file, with a good one beside it that stays usable. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "abi.h"

#define ENTRY(members) "{\"manifest_version\": \"1.0\", \"backends\": [{" members "}]}"
#define GOOD "\"name\": \"x\", \"library\": \"lib.so\", \"abi\": 0"
#define SKIPPED "\"state\": \"skipped\""
#define USABLE "\"state\": \"usable\""

/* What the listing says of a manifest with this text. */
static const struct {
	const char *what, *text, *state, *says;
} texts[] = {
	{"a good one", ENTRY(GOOD), USABLE, "\"name\": \"x\""},
	{"everything given",
     ENTRY(GOOD ", \"priority\": -5, \"role\": \"accelerator\", \"description\": \"d\", \"options\": {\"speed\": 3}"),
     USABLE, "\"speed\": \"3\""},
	{"nothing", "", SKIPPED, "R14: line 1"},
	{"no JSON", "hello", SKIPPED, "R14: line 1, column"},
	{"cut short", "{\"manifest_version\": \"1.0\", \"backends\": [", SKIPPED, "R14: line 1"},
	{"more after it", ENTRY(GOOD) " x", SKIPPED, "end of file expected"},
	{"an array", "[]", SKIPPED, "R14: a manifest is a JSON object"},
	{"not UTF-8", "{\"manifest_version\": \"1.0\", \"\xff\": []}", SKIPPED, "R14: line 1"},
	{"a zero in a string", ENTRY("\"name\": \"x\\u0000y\""), SKIPPED, "R14: line 1"},
	{"a duplicate key", "{\"manifest_version\": \"1.0\", \"manifest_version\": \"1.0\", \"backends\": []}", SKIPPED,
     "duplicate object key"},
	{"a duplicate key inside", ENTRY(GOOD ", \"abi\": 0"), SKIPPED, "duplicate object key"},
	{"no version", "{\"backends\": []}", SKIPPED, "R14: \\\"manifest_version\\\" must be a string"},
	{"a number as version", "{\"manifest_version\": 1.0, \"backends\": []}", SKIPPED,
     "\\\"manifest_version\\\" must be"},
	{"half a version", "{\"manifest_version\": \"1\", \"backends\": []}", SKIPPED, "\\\"manifest_version\\\" must be"},
	{"a version with a tail", "{\"manifest_version\": \"1.0.0\", \"backends\": []}", SKIPPED, "must be a string"},
	{"an unknown major", "{\"manifest_version\": \"2.0\", \"backends\": []}", SKIPPED,
     "manifest_version 2.0 is unknown"},
	{"a newer minor", "{\"manifest_version\": \"1.7\", \"colour\": 1, \"backends\": [{" GOOD ", \"colour\": 2}]}",
     USABLE, "\"name\": \"x\""},
	{"no backends", "{\"manifest_version\": \"1.0\"}", SKIPPED, "R14: \\\"backends\\\" must be an array"},
	{"backends an object", "{\"manifest_version\": \"1.0\", \"backends\": {}}", SKIPPED, "must be an array"},
	{"an unknown key", "{\"manifest_version\": \"1.0\", \"colour\": 1, \"backends\": []}", SKIPPED,
     "unknown key \\\"colour"},
	{"an unknown key inside", ENTRY(GOOD ", \"colour\": 1"), SKIPPED, "R14: unknown key \\\"colour\\\""},
	{"a bell in a key", ENTRY(GOOD ", \"a\\u0007b\": 1"), SKIPPED, "R14: unknown key \\\"a?b\\\""},
	{"an entry that is none", "{\"manifest_version\": \"1.0\", \"backends\": [7]}", SKIPPED, "must be an object"},
	{"no name", ENTRY("\"library\": \"lib.so\", \"abi\": 0"), SKIPPED, "R14: \\\"name\\\" is missing"},
	{"no library", ENTRY("\"name\": \"x\", \"abi\": 0"), SKIPPED, "R14: \\\"library\\\" is missing"},
	{"no abi", ENTRY("\"name\": \"x\", \"library\": \"lib.so\""), SKIPPED, "R14: \\\"abi\\\" is missing"},
	{"a number as name", ENTRY("\"name\": 1, \"library\": \"lib.so\", \"abi\": 0"), SKIPPED,
     "\\\"name\\\" must be a string"},
	{"a capital in the name", ENTRY("\"name\": \"X\", \"library\": \"lib.so\", \"abi\": 0"), SKIPPED,
     "must match [a-z]"},
	{"a name too long", ENTRY("\"name\": \"a23456789012345678901234567890123\", \"library\": \"lib.so\", \"abi\": 0"),
     SKIPPED, "must match [a-z]"},
	{"the longest name", ENTRY("\"name\": \"a2345678901234567890123456789012\", \"library\": \"lib.so\", \"abi\": 0"),
     USABLE, "a2345678901234567890123456789012"},
	{"the name auto", ENTRY("\"name\": \"auto\", \"library\": \"lib.so\", \"abi\": 0"), SKIPPED, "not be auto"},
	{"a text as abi", ENTRY("\"name\": \"x\", \"library\": \"lib.so\", \"abi\": \"0\""), SKIPPED,
     "\\\"abi\\\" must be a whole"},
	{"another abi", ENTRY("\"name\": \"x\", \"library\": \"lib.so\", \"abi\": 3"), SKIPPED, "R2: made for ABI major 3"},
	{"a real priority", ENTRY(GOOD ", \"priority\": 1.5"), SKIPPED, "\\\"priority\\\" must be a whole number"},
	{"a huge priority", ENTRY(GOOD ", \"priority\": 99999999999"), SKIPPED, "\\\"priority\\\" must be a whole number"},
	{"an unknown role", ENTRY(GOOD ", \"role\": \"king\""), SKIPPED, "R14: role \\\"king\\\"; there are reference"},
	{"a bell in the description", ENTRY(GOOD ", \"description\": \"\\u0007\""), SKIPPED, "printable text"},
	{"options an array", ENTRY(GOOD ", \"options\": []"), SKIPPED, "R14: \\\"options\\\" must be an object"},
	{"an option's key", ENTRY(GOOD ", \"options\": {\"A B\": \"1\"}"), SKIPPED, "R14: option \\\"A B\\\""},
	{"an option's value", ENTRY(GOOD ", \"options\": {\"speed\": \"1,2\"}"), SKIPPED, "R14: option \\\"speed\\\""},
	{"an option's type", ENTRY(GOOD ", \"options\": {\"speed\": [1]}"), SKIPPED, "R14: option \\\"speed\\\""},
	{"a library that is missing", ENTRY("\"name\": \"x\", \"library\": \"no.so\", \"abi\": 0"), SKIPPED,
     "R15: library"},
	{"a library above", ENTRY("\"name\": \"x\", \"library\": \"../../etc/passwd\", \"abi\": 0"), SKIPPED,
     "R15: library"},
	{"a library that links out", ENTRY("\"name\": \"x\", \"library\": \"out.so\", \"abi\": 0"), SKIPPED,
     "leaves the manifest's folder"},
	{"a library that links inside", ENTRY("\"name\": \"x\", \"library\": \"in.so\", \"abi\": 0"), USABLE, "lib.so"},
	{"a folder as library", ENTRY("\"name\": \"x\", \"library\": \"folder\", \"abi\": 0"), SKIPPED,
     "not a regular file"},
	{"a library all may write", ENTRY("\"name\": \"x\", \"library\": \"open.so\", \"abi\": 0"), SKIPPED, "R17: "},
	{"a library in a folder all may write", ENTRY("\"name\": \"x\", \"library\": \"open/lib.so\", \"abi\": 0"), SKIPPED,
     "R17: "},
};

static void make_libraries(void) {
	abi_copy("lib.so", abi_mock(), 1L << 30);
	abi_copy("open.so", abi_mock(), 1L << 30);
	MT_CHECK(chmod(abi_path("open.so"), 0777) == 0);
	MT_CHECK(mkdir(abi_path("folder"), 0755) == 0);
	MT_CHECK(mkdir(abi_path("open"), 0755) == 0);
	abi_copy("open/lib.so", abi_mock(), 1L << 30);
	MT_CHECK(chmod(abi_path("open"), 0777) == 0);
	MT_CHECK(symlink(abi_mock(), abi_path("out.so")) == 0);
	MT_CHECK(symlink("lib.so", abi_path("in.so")) == 0);
}

static void test_texts(void) {
	make_libraries();
	abi_manifest("z.json", "ref", abi_naive(), ", \"role\": \"reference\"");
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		static const char *const quiet[] = {"MT_LOG=error", NULL};
		mt_test_row("%s", texts[i].what);
		abi_write("a.json", texts[i].text);
		const char *said = abi_child(quiet, abi_list, NULL);
		MT_CHECK_CONTAINS(said, texts[i].state);
		MT_CHECK_CONTAINS(said, texts[i].says);
		MT_CHECK_CONTAINS(said, "\"name\": \"ref\",\n      " USABLE);
	}
	abi_remove("a.json");
}

/* ---- files that are no files ---- */

static void make_large(void) {
	FILE *f = fopen(abi_path("a.json"), "w");
	if (f == NULL)
		return;
	fprintf(f, "%66000s%s", "", ENTRY(GOOD));
	fclose(f);
}

/* As large as allowed, to the byte. */
static void make_largest(void) {
	FILE *f = fopen(abi_path("a.json"), "w");
	if (f == NULL)
		return;
	fprintf(f, "%*s%s", 65536 - (int)strlen(ENTRY(GOOD)), "", ENTRY(GOOD));
	fclose(f);
}

static void make_fifo(void) {
	MT_CHECK(mkfifo(abi_path("a.json"), 0600) == 0);
}

static void make_folder(void) {
	MT_CHECK(mkdir(abi_path("a.json"), 0700) == 0);
}

static void make_dangling(void) {
	MT_CHECK(symlink("nowhere", abi_path("a.json")) == 0);
}

static void make_writable(void) {
	abi_write("a.json", ENTRY(GOOD));
	MT_CHECK(chmod(abi_path("a.json"), 0666) == 0);
}

static void make_deep(void) {
	FILE *f = fopen(abi_path("a.json"), "w");
	if (f == NULL)
		return;
	for (int i = 0; i < 60000; i++)
		putc('[', f);
	fclose(f);
}

static const struct {
	const char *what;
	void (*make)(void);
	const char *state, *says;
} files[] = {
	{"too large", make_large, SKIPPED, "R14: more than 65536 bytes"},
	{"the largest", make_largest, USABLE, "\"name\": \"x\""},
	{"a FIFO", make_fifo, SKIPPED, "R14: not a regular file"},
	{"a folder", make_folder, SKIPPED, "R14: not a regular file"},
	{"a dangling link", make_dangling, SKIPPED, "No such file"},
	{"all may write", make_writable, SKIPPED, "is writable by everyone"},
	{"60000 brackets", make_deep, SKIPPED, "R14: line 1"},
};

static void test_files(void) {
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		static const char *const quiet[] = {"MT_LOG=error", NULL};
		mt_test_row("%s", files[i].what);
		abi_remove("a.json");
		files[i].make();
		const char *said = abi_child(quiet, abi_list, NULL);
		MT_CHECK_CONTAINS(said, files[i].state);
		MT_CHECK_CONTAINS(said, files[i].says);
		MT_CHECK_CONTAINS(said, "\"name\": \"ref\",\n      " USABLE);
	}
	abi_remove("a.json");
}

/* ---- search (R16) ---- */

/* The listing's order of names, states and manifests, one a line. */
static const char *summary(const char *listing) {
	static char lines[4096];
	size_t length = 0;
	for (const char *at = strstr(listing, "\"backends\": [\n");
	     at != NULL && (at = strstr(at, "\"name\": \"")) != NULL;) {
		const char *name = at + 9, *state = strstr(at, "\"state\": \""), *manifest = strstr(at, "\"manifest\": \"");
		if (state == NULL || manifest == NULL || state > manifest)
			break; /* a device's name */
		const char *file = manifest + 13, *end = strchr(file, '"');
		for (const char *slash; (slash = memchr(file, '/', (size_t)(end - file))) != NULL;)
			file = slash + 1;
		length += (size_t)snprintf(lines + length, sizeof lines - length, "%.*s %.*s %.*s\n", (int)strcspn(name, "\""),
		                           name, (int)strcspn(state + 10, "\""), state + 10, (int)(end - file), file);
		at = strstr(manifest, "\"devices\": [");
		at = at != NULL ? strstr(at, "]\n    }") : NULL;
	}
	lines[length] = '\0';
	return lines;
}

static void write_search_folders(void) {
	static const char *const folders[] = {"more", "instead", "xdg", "xdg/mt", "xdg/mt/backends.d", "home"};
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
		MT_CHECK(mkdir(abi_path(folders[i]), 0755) == 0);
	abi_manifest("more/b.json", "one", abi_mock(), "");
	abi_manifest("instead/Z.json", "two", abi_mock(), "");
	abi_manifest("instead/a.json", "one", abi_mock(), "");
	abi_manifest("instead/b.txt", "not", abi_mock(), "");
	abi_manifest("instead/.c.json", "not", abi_mock(), "");
	abi_manifest("instead/d.json", "two", abi_mock(), "");
	abi_manifest("xdg/mt/backends.d/u.json", "user", abi_mock(), "");
}

static void test_search(void) {
	static const struct {
		const char *what, *more, *instead, *disable, *order;
	} rows[] = {
		{"byte order, the first wins", "", "@instead", "",
	     "two usable Z.json\none usable a.json\ntwo shadowed d.json\n"},
		{"more goes first", "@more", "@instead", "",
	     "one usable b.json\ntwo usable Z.json\none shadowed a.json\ntwo shadowed d.json\n"},
		{"a file", "", "@instead/d.json", "", "two usable d.json\n"},
		{"files and folders", "", "@instead/d.json:@more", "", "two usable d.json\none usable b.json\n"},
		{"nothing between colons", "", "::@more::", "", "one usable b.json\n"},
		{"a folder that is not there", "", "@nowhere:@more", "", "one usable b.json\n"},
		{"disabled", "", "@instead", "one,three", "two usable Z.json\none disabled a.json\ntwo shadowed d.json\n"},
		{"the user's folder", "@more", "", "", "one usable b.json\nuser usable u.json\n"},
	};
	write_search_folders();
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char more[512], instead[512], disable[64], xdg[512];
		const char *const environment[] = {more, instead, disable, xdg, "MT_LOG=error", NULL};
		const char *const values[] = {rows[i].more, rows[i].instead};
		char *const targets[] = {more, instead};
		const char *const names[] = {"MT_ADD_MANIFEST_PATH=", "MT_MANIFEST_PATH="};
		mt_test_row("%s", rows[i].what);
		for (int k = 0; k < 2; k++) {
			size_t n = (size_t)snprintf(targets[k], 512, "%s", names[k]);
			for (const char *c = values[k]; *c != '\0'; c++)
				n += (size_t)(*c == '@' ? snprintf(targets[k] + n, 512 - n, "%s/", abi_path("."))
				                        : snprintf(targets[k] + n, 512 - n, "%c", *c));
		}
		snprintf(disable, sizeof disable, "MT_BACKENDS_DISABLE=%s", rows[i].disable);
		snprintf(xdg, sizeof xdg, "XDG_CONFIG_HOME=%s", abi_path("xdg"));
		const char *listing = abi_child(environment, abi_list, NULL);
		const char *order = summary(listing);
		/* the machine's own folders may add to the last row */
		if (rows[i].instead[0] != '\0')
			MT_CHECK_STR(order, rows[i].order);
		else
			MT_CHECK(strncmp(order, rows[i].order, strlen(rows[i].order)) == 0);
	}
}

/* The current folder is none of the places, whatever lies there. */
static void list_from_more(FILE *out, const void *unused) {
	if (chdir(abi_path("more")) == 0)
		abi_list(out, unused);
}

static void test_current_folder(void) {
	char home[512];
	const char *const environment[] = {"MT_MANIFEST_PATH=", "XDG_CONFIG_HOME=.", home, NULL};
	snprintf(home, sizeof home, "HOME=%s", abi_path("home"));
	const char *listing = abi_child(environment, list_from_more, NULL);
	MT_CHECK_CONTAINS(listing, "home/.config/mt/backends.d");
	MT_CHECK(strstr(listing, "more/b.json") == NULL);
	MT_CHECK(strstr(listing, "\"one\"") == NULL);
}

static void test_bad_disable(void) {
	static const char *const environment[] = {"MT_BACKENDS_DISABLE=one two", NULL};
	MT_CHECK_CONTAINS(abi_child(environment, abi_open, "auto"),
	                  "MT_E_ARG: MT_BACKENDS_DISABLE: \"one two\" is no backend's name");
}

/* ---- trust (R17) ---- */

static void test_folder_all_may_write(void) {
	char path[512];
	const char *const environment[] = {path, "MT_LOG=error", NULL};
	snprintf(path, sizeof path, "MT_MANIFEST_PATH=%s:%s", abi_path("open"), abi_path("more"));
	abi_manifest("open/a.json", "one", abi_mock(), "");
	const char *listing = abi_child(environment, abi_list, NULL);
	MT_CHECK_CONTAINS(listing, "\"state\": \"refused\"");
	MT_CHECK_STR(summary(listing), "one usable b.json\n");
	/* the same by the file's own name */
	snprintf(path, sizeof path, "MT_MANIFEST_PATH=%s:%s", abi_path("open/a.json"), abi_path("more"));
	listing = abi_child(environment, abi_list, NULL);
	MT_CHECK_CONTAINS(listing, "is writable by everyone");
	MT_CHECK_STR(summary(listing), "one usable b.json\n");
}

/* "pre" is no folder above "prefix/lib.so". */
static void test_prefix(void) {
	char path[512];
	const char *const environment[] = {path, "MT_LOG=error", NULL};
	snprintf(path, sizeof path, "MT_MANIFEST_PATH=%s", abi_path("pre"));
	MT_CHECK(mkdir(abi_path("pre"), 0755) == 0 && mkdir(abi_path("prefix"), 0755) == 0);
	abi_copy("prefix/lib.so", abi_mock(), 1L << 30);
	MT_CHECK(symlink("../prefix/lib.so", abi_path("pre/lib.so")) == 0);
	abi_manifest("pre/a.json", "one", "lib.so", "");
	MT_CHECK_CONTAINS(abi_child(environment, abi_list, NULL), "leaves the manifest's folder");
}

static void test_owner(void) {
	char xdg[512], given[512];
	const char *const by_default[] = {"MT_MANIFEST_PATH=", xdg, "MT_LOG=error", NULL};
	const char *const explicitly[] = {given, "MT_LOG=error", NULL};
	if (geteuid() != 0)
		MT_SKIP("only root can give files away");
	snprintf(xdg, sizeof xdg, "XDG_CONFIG_HOME=%s", abi_path("xdg"));
	snprintf(given, sizeof given, "MT_MANIFEST_PATH=%s", abi_path("xdg/mt/backends.d"));
	MT_CHECK(chown(abi_path("xdg/mt/backends.d/u.json"), 54321, 54321) == 0);
	const char *listing = abi_child(by_default, abi_list, NULL);
	MT_CHECK_CONTAINS(listing, "belongs to user 54321");
	MT_CHECK(strstr(summary(listing), "user usable") == NULL);
	listing = abi_child(explicitly, abi_list, NULL);
	MT_CHECK_STR(summary(listing), "user usable u.json\n");
}

static const mt_test_case cases[] = {
	{"texts", test_texts},
	{"files", test_files},
	{"search", test_search},
	{"current_folder", test_current_folder},
	{"bad_disable", test_bad_disable},
	{"folder_all_may_write", test_folder_all_may_write},
	{"prefix", test_prefix},
	{"owner", test_owner},
	{0},
};

static const mt_test_suite suites[] = {{"manifest", cases, abi_setup, abi_cleanup}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
