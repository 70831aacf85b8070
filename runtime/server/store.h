// SPDX-License-Identifier: Apache-2.0
// Step 11: a policy on disk becomes sealed memory that a jailed child has verified. YAML is compiled by
// aegisc in such a child; neither parent nor worker ever reads bytes that were not verified there. In: a path
// or bytes. Out: a memfd sealed against write, grow and shrink. Thread rule: one thread. Next file to read:
// compiler/main.c for the child that compiles, runtime/host/open.c for the one that verifies.
#ifndef AGR_STORE_H
#define AGR_STORE_H

#include "aegis.h"
#include "str.h"

#include <stdbool.h>

struct agr_store_options {
    const uint8_t (*trust)[32]; // keys; 0 of them: unsigned images load
    unsigned ntrust;
    uint64_t serial_min;
    const char *work_dir; // where agr_store_load_bytes puts text for the compiler; NULL: /tmp
};

struct agr_store_policy {
    int fd; // sealed; owned by the caller
    uint64_t serial;
    uint32_t rules;
    uint8_t digest[32];
};

// Runs aegisc with `args` (NULL-ended, without the program name) in a jailed child whose standard output is a
// new memfd. err_fd: where its messages go (-1: our standard error). Returns its exit code and, on 0, the
// memfd; -1 when it did not finish.
// dir: where the child runs, NULL: here.
int agr_compile(const char *dir, const char *const *args, int err_fd, int *ret_fd);
// Becomes aegisc: the one beside this program, or where the build tree has it, or on PATH. Returns (with
// errno) only when there is none. argv begins with the program's name and ends with NULL.
void agr_exec_compiler(char *const *argv);
// True for a path that aegisc must compile first.
bool agr_is_source(const char *path);
// Loads and verifies POLICY. On failure false with the reason in why (the compiler's messages included).
bool agr_store_load(const char *path, const struct agr_store_options *o, struct agr_store_policy *ret,
                    char *why, size_t why_size);
// The same from bytes in memory: YAML text or an image, told apart by the image's first bytes.
bool agr_store_load_bytes(struct ag_str bytes, const struct agr_store_options *o,
                          struct agr_store_policy *ret, char *why, size_t why_size);
// Writes a policy to PATH: temporary file, fdatasync, rename, fsync of the directory.
bool agr_store_keep(int fd, const char *path);

#endif
