/* What the ABI's tests share: a folder for manifests, and children to load plugins in, for what was loaded once stays. */
#ifndef TESTS_ABI_ABI_H
#define TESTS_ABI_ABI_H

#include <stdint.h>
#include <stdio.h>

#include "mt_test.h"

/* A fresh folder of this program's, mode 0700.  Suites have these two as init and cleanup. */
int abi_setup(void);
int abi_cleanup(void);

/* Absolute paths, valid until the next call: of a file in the folder, of the mocks, of the built reference plugin. */
const char *abi_path(const char *name);
const char *abi_mock(void);
const char *abi_noentry(void);
const char *abi_naive(void);

/* Writes a file of the folder; copies one into it, at most limit bytes; removes one. */
void abi_write(const char *name, const char *text);
void abi_copy(const char *name, const char *from, long limit);
void abi_remove(const char *name);

/* Writes manifest NAME with one backend; more is further members of the entry, as JSON ("" or ", \"priority\": 3"). */
void abi_manifest(const char *name, const char *backend, const char *library, const char *more);

/* Runs function in a child process, with the environment it is given: "A=1 B=two words" does not work, but
 * {"A=1", "B=two words", NULL} does.  MT_MANIFEST_PATH is the folder unless environment sets it.  Returns what function
 * wrote to out, and "killed by signal N" or "exit status N" where it did not end well.  Valid until the next call. */
const char *abi_child(const char *const *environment, void (*function)(FILE *out, const void *argument),
                      const void *argument);

/* For use in children: opens a device and tells of it: "opened NAME", or "MT_E_…: message". */
void abi_open(FILE *out, const void *name);

/* For use in children: bytes of a device's memory with these contents, given back when the child exits (the leak checkers
 * look after that).  Ends the child where it fails. */
struct mt_device;
void *abi_buffer(struct mt_device *device, const void *contents, uint64_t bytes);

/* Writes what mt_backends_json says. */
void abi_list(FILE *out, const void *unused);

#endif
