// SPDX-License-Identifier: Apache-2.0
// Regular expressions as built-ins use them, on patterns that are compiled already: constant ones from the
// image, others from the arena. In: a blob that ag_pattern_verify accepted. Out: values whose strings share
// the subject's bytes where they can. Work is charged by the matcher as it is done. Memory: the call's arena.
// Thread rule: as struct ag_call. Next file to read: pattern/pattern.h.
#ifndef AG_REGEX_H
#define AG_REGEX_H

#include "machine.h"
#include "pattern.h"

// An answer of pattern.h: yes and no are booleans, fuel and arena end the evaluation.
struct ag_value ag_regex_status(struct ag_call *c, enum ag_pattern_status s);
// Whether the pattern is found in s.
struct ag_value ag_regex_match(struct ag_call *c, const void *blob, struct ag_value s);
// The first n matches; n < 0: all.
struct ag_value ag_regex_find(struct ag_call *c, const void *blob, struct ag_value s, int64_t n);
// The first n matches, each an array of the match and its groups; groups without a part are empty.
struct ag_value ag_regex_groups(struct ag_call *c, const void *blob, struct ag_value s, int64_t n);
// What lies between the matches. `is_empty`: the pattern's text is empty; it alone splits "" into nothing.
struct ag_value ag_regex_split(struct ag_call *c, const void *blob, bool is_empty, struct ag_value s);
// s with every match replaced; $1, ${1}, $name and ${name} in `with` are groups, $$ is a dollar sign.
struct ag_value ag_regex_replace(struct ag_call *c, const void *blob, struct ag_value s, struct ag_str with);

// A pattern of this call: compiled into the top of the arena, which is smaller until ag_regex_close. False:
// `*ret_error` is the value to return.
struct ag_regex_open {
    const void *blob;
    size_t arena_size; // to be given back
};
bool ag_regex_compile(struct ag_call *c, struct ag_str text, struct ag_regex_open *ret,
                      struct ag_value *ret_error);
void ag_regex_close(struct ag_call *c, const struct ag_regex_open *o);
// The same for a blob that was made at `mark` of the arena and ends where the arena is used up to.
void ag_regex_keep(struct ag_call *c, size_t mark, struct ag_str blob, struct ag_regex_open *ret);

#endif
