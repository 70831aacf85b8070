// SPDX-License-Identifier: Apache-2.0
// Paths as people give them to `eval` and `test`, as arguments of aegisc: modules, policies, base documents
// below the path of their directory, test tables. In: files and directories. Out: argument list, image.
// Memory: owned by struct agr_sources. Thread rule: one thread. Next file to read: sources.c, store.h.
#ifndef AGR_SOURCES_H
#define AGR_SOURCES_H

#include "cmd.h"

#define AGR_SOURCES_MAX       65536u // files of one command
#define AGR_SOURCES_DEPTH_MAX 32u    // directories inside each other

struct agr_texts {
    char **v; // each malloc'd
    size_t n, size;
};

struct agr_sources {
    struct agr_texts args;    // of aegisc: modules and policies, then --data and its value for each document
    struct agr_texts modules; // paths of modules
    struct agr_texts tables;  // paths of YAML test tables
    char *image;              // path of a compiled policy
    bool has_policy;          // a YAML policy is among them
    bool skips_policies;      // leave YAML policies of directories out (tables name theirs)
    size_t nfiles;
    int fd[64]; // documents that were YAML, as JSON
    unsigned nfds;
};

// "PATH" or "a.b:PATH" (documents then stand below data.a.b). False with a message.
bool agr_sources_add(struct agr_sources *s, const char *path);
void agr_sources_free(struct agr_sources *s);

// Line `line` (from 1) of a source file, without its end; empty when the file cannot be read. Valid until the
// next call.
struct ag_str agr_source_line(struct aegis_str file, uint32_t line);

// Appends a copy; false when memory is out.
bool agr_texts_add(struct agr_texts *t, const char *text);

// What the compiler said when it made no image.
struct agr_refusal {
    int code;   // its exit code, -1: it did not finish
    char *text; // malloc'd, NUL-terminated; "" when it said nothing
};
// Runs aegisc over the sources with further options (NULL-ended). NULL: see ret_refusal, whose text the
// caller frees. Warnings are not shown.
struct aegis_policy *agr_sources_compile(const struct agr_sources *s, const char *const *options,
                                         struct agr_refusal *ret_refusal);

#endif
