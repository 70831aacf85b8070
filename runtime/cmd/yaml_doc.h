// SPDX-License-Identifier: Apache-2.0
// YAML files of the commands (test tables, parameters) as libyaml documents, and pieces of them as JSON.
// In: a path. Out: a document whose strings live until yaml_document_delete. Thread rule: one thread.
// Policies are not read here: aegisc does that. Next file to read: test.c.
#ifndef AGR_YAML_DOC_H
#define AGR_YAML_DOC_H

#include "buf.h"

#include <yaml.h>

#define AGR_YAML_MAX       (4u << 20) // bytes of a file
#define AGR_YAML_DEPTH_MAX 64u        // nesting of a value; aliases may make cycles

// Reads one document; false with a message on standard error. Duplicate keys are refused.
bool agr_yaml_load(const char *path, yaml_document_t *ret);
// Value of a key of a mapping, NULL when absent or when `map` is no mapping.
yaml_node_t *agr_yaml_get(yaml_document_t *d, const yaml_node_t *map, const char *key);
// Text of a scalar; NULL for anything else.
const char *agr_yaml_text(const yaml_node_t *n);
// Name of the first key of a mapping that is not in `allowed` (ends with NULL); NULL when all are. *ret_line
// counts from 1.
const char *agr_yaml_unknown(yaml_document_t *d, const yaml_node_t *map, const char *const *allowed,
                             size_t *ret_line);
// Appends the value as JSON: plain scalars that are JSON numbers, true, false or null are those, all others
// strings. False when it nests too deep; b->is_full when it does not fit.
bool agr_yaml_json(yaml_document_t *d, const yaml_node_t *n, struct ag_buf *b);

#endif
