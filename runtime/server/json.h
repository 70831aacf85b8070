// SPDX-License-Identifier: Apache-2.0
// JSON bodies that are not actions: batches, kill-switch requests, policies in an envelope. Reading is done
// by the machine's own strict reader (no duplicate keys, UTF-8, depth), so that no second grammar exists. In:
// the body. Out: whether it is JSON; members of a top-level object; raw pieces of valid text. Memory: one
// arena of the process, taken back by the next agr_json_read. Thread rule: one thread per process. Next file
// to read: vm/json_in.c.
#ifndef AGR_JSON_H
#define AGR_JSON_H

#include "str.h"

enum agr_json_kind { AGR_JSON_NONE, AGR_JSON_OBJECT, AGR_JSON_ARRAY, AGR_JSON_STRING, AGR_JSON_OTHER };

// Reads a whole text; AGR_JSON_NONE when it is not JSON, with a text and a byte in *ret_why and *ret_offset.
enum agr_json_kind agr_json_read(struct ag_str text, const char **ret_why, size_t *ret_offset);
// Kind of member `key` of the object last read; AGR_JSON_NONE when it is absent.
enum agr_json_kind agr_json_member(const char *key);
// Its string; false when it is absent or no string. Borrows from the text or the arena.
bool agr_json_text(const char *key, struct ag_str *ret);
// Fills names of members that are none of `allowed` (ends with NULL); false when there is one, with its name.
bool agr_json_only(const char *const *allowed, struct ag_str *ret_unknown);

// On text that agr_json_read accepted: bytes of member `key`'s value in the object; n = 0 when absent (or its
// key is spelled with escapes).
struct ag_str agr_json_raw(struct ag_str object, const char *key);
// The next item of an array: *at starts at 0. False at the end.
bool agr_json_item(struct ag_str array, size_t *at, struct ag_str *ret);

#endif
