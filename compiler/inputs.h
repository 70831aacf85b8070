// SPDX-License-Identifier: Apache-2.0
// What the command line names, and what a policy names in turn: files and directories become sources,
// modules and documents of a job. In: paths. Out: struct agc_job. Memory: the job's arena. Thread rule: one
// job, one thread. Next file to read: inputs.c, then compile.h.
#ifndef AGC_INPUTS_H
#define AGC_INPUTS_H

#include "compile.h"

#define AGC_DIR_DEPTH_MAX 32u    // directories inside each other
#define AGC_FILES_MAX     65536u // files of one directory tree, or of one pattern

// Adds a file: *.rego is a module, data.json a base document, everything else a policy. Or everything below a
// directory: *.rego are modules, *.yaml and *.yml policies, *.json base documents, which stand in `data` at
// the path of the directory that holds them; other files are not looked at, entries are taken in the order of
// their names. False with errno set; ret_path is then
// what cannot be read, in the job's arena.
bool agc_input_add(struct agc_job *j, const char *path, const char **ret_path);
// Adds a JSON file that stands at the root of `data`; "a.b:FILE" below data.a.b. A backslash before a
// character of the prefix takes away its meaning.
bool agc_input_data(struct agc_job *j, const char *path);
// Reads the JSON Schema of the input; a later one takes its place. False with errno set.
bool agc_input_schema(struct agc_job *j, const char *path);
// Adds the files that a policy names in `modules:`, `data:` and `schema:`. Paths are relative to the policy's
// file and may hold * ? [] in the way of the shell. False after a diagnostic.
bool agc_inputs_named(struct agc_job *j, uint32_t source, const struct agc_named_files *named);

#endif
