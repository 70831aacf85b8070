// SPDX-License-Identifier: Apache-2.0
// Regular expressions in RE2 syntax and meaning, in time linear in the subject; and globs.
// A pattern is compiled to a blob: little endian, offsets never pointers, any alignment, so it can be an
// image section. The blob holds a byte-wise NFA program, and when it fits a DFA table for yes/no questions.
// Nothing here calls malloc: memory is the caller's arena, work is the caller's fuel.
// Thread rule: blobs never change and may be shared; an arena and a fuel counter belong to one thread.
#ifndef AG_PATTERN_H
#define AG_PATTERN_H

#include "arena.h"
#include "buf.h"
#include "str.h"

#define AG_PATTERN_TEXT_MAX      32768u     // bytes of pattern text: longer ones are data, not patterns
#define AG_PATTERN_DEPTH_MAX     250u       // nested groups: bounds the recursion of parser and compiler
#define AG_PATTERN_REPEAT_MAX    1000u      // {n,m}, and the product of nested ones (RE2's bound)
#define AG_PATTERN_INSN_MAX      65536u     // instructions of one program (768 KiB of blob)
#define AG_PATTERN_GROUP_MAX     1000u      // groups with group 0: bounds the capture copies of the matcher
#define AG_PATTERN_DFA_STATE_MAX 4096u      // states of a DFA; a larger one is left out
#define AG_PATTERN_DFA_CELL_MAX  65536u     // table cells: what a 16-bit state offset can address (128 KiB)
#define AG_PATTERN_DFA_INSN_MAX  8192u      // programs above this get no DFA
#define AG_PATTERN_DFA_WORK_MAX  (4u << 20) // instruction visits spent on one DFA before it is left out
#define AG_GLOB_TEXT_MAX         4096u      // bytes of glob text
#define AG_PATTERN_NONE          UINT32_MAX // a span end that did not take part in the match

enum ag_pattern_status {
    AG_PATTERN_NO,    // no match
    AG_PATTERN_YES,   // match; for compiling: done
    AG_PATTERN_FUEL,  // *fuel was too small and is now 0
    AG_PATTERN_ARENA, // the arena was too small (or the subject has 4 GiB and positions do not fit)
    AG_PATTERN_BAD,   // compiling only: the text was refused, see the error
};

// Why a text was refused: byte offset into the text, one sentence.
struct ag_pattern_error {
    uint32_t offset;
    char text[120];
};

enum ag_pattern_flags {
    AG_PATTERN_NO_DFA = 1, // program only: for patterns that are used once
};

// One group's place in the subject, in bytes; AG_PATTERN_NONE twice when the group took no part.
struct ag_pattern_span {
    uint32_t from, to;
};

// Compiles RE2 text (UTF-8). `flags` are enum ag_pattern_flags. Scratch and blob come from `arena`; on
// success only the blob stays there and *ret_blob borrows it; otherwise the arena is as before. `fuel` (NULL:
// unlimited) pays one unit per text byte, per instruction made and per instruction visited while building the
// DFA. Returns YES, BAD (*reterr written), FUEL or ARENA. A DFA that does not fit arena, fuel or limits is
// left out.
enum ag_pattern_status ag_pattern_compile(struct ag_str text, unsigned flags, struct ag_arena *arena,
                                          uint64_t *fuel, struct ag_str *ret_blob,
                                          struct ag_pattern_error *reterr);

// True when the n bytes are a blob that the functions below may run: for every subject they then stay inside
// the blob and end, whatever it contains. Structure only: that the DFA agrees with the program is not proved.
bool ag_pattern_verify(const void *blob, size_t n);

// The functions below take a blob that ag_pattern_verify accepted (or ag_pattern_compile made).

// Is there a match anywhere? The subject should be UTF-8; other bytes match nothing but never harm.
// Fuel: literal or DFA: subject bytes + 1, charged before; else one per instruction visited and byte read.
enum ag_pattern_status ag_pattern_match(const void *blob, struct ag_str subject, struct ag_arena *arena,
                                        uint64_t *fuel);

// Leftmost-first match starting at byte `start` or later (a code point boundary; `^` still means the start of
// the whole subject). Writes spans[0 .. n_span) on YES: group 0 first, groups that the pattern lacks are
// NONE.
enum ag_pattern_status ag_pattern_find(const void *blob, struct ag_str subject, size_t start,
                                       struct ag_pattern_span *spans, uint32_t n_span, struct ag_arena *arena,
                                       uint64_t *fuel);

// All matches from left to right, not overlapping; an empty match is not taken right after the previous
// match. Set `subject`, zero the rest, call until the answer is not YES.
struct ag_pattern_iter {
    struct ag_str subject;
    size_t at;     // where the next search starts; past the end when done
    bool has_last; // there was a match
    uint32_t last; // where it ended
};
enum ag_pattern_status ag_pattern_next(const void *blob, struct ag_pattern_iter *it,
                                       struct ag_pattern_span *spans, uint32_t n_span, struct ag_arena *arena,
                                       uint64_t *fuel);

// Groups with group 0.
uint32_t ag_pattern_groups(const void *blob);
// Name of group `ix`, borrowed from the blob; empty when it has none.
struct ag_str ag_pattern_group_name(const void *blob, uint32_t ix);
// Index of the group with this name, or AG_PATTERN_NONE.
uint32_t ag_pattern_group_named(const void *blob, struct ag_str name);
// Whether a code point is a letter (L) or decimal digit (Nd) of Unicode: what names in a replacement are made
// of.
bool ag_pattern_is_letter_or_digit(uint32_t cp);
// True when the blob answers yes/no questions by literal search or DFA: no arena, one unit per byte.
bool ag_pattern_is_fast(const void *blob);
// Upper bounds for any subject of n bytes: fuel of one find (match needs no more), arena bytes of one find.
uint64_t ag_pattern_fuel_max(const void *blob, uint64_t n);
size_t ag_pattern_arena_max(const void *blob, uint32_t n_span);

// --- Globs of policy.yaml (B2): the fnmatch dialect, case-sensitive, anchored at both ends
// -------------------
// `*` any run of code points (also / . : and newline), `?` one code point, `[seq]` `[!seq]` one code point in
// or not in the set (ranges a-z, `]` first is itself), an unclosed `[` is itself. No escapes but classes:
// `[*]`.

// True when the text is a glob: UTF-8, at most AG_GLOB_TEXT_MAX bytes, no range that is empty or backwards.
bool ag_glob_check(struct ag_str pattern, struct ag_pattern_error *reterr);
// Matches directly on the text, no memory. Time: subject bytes for literals between stars; a run with `?` or
// a class costs subject bytes times the run's length at worst (ag_glob_fuel). Refused texts still match as
// fnmatch.
bool ag_glob_match(struct ag_str pattern, struct ag_str subject);
// Steps that ag_glob_match can take at most on a subject of n bytes.
uint64_t ag_glob_fuel(struct ag_str pattern, uint64_t n);
// `*`, or several of them: matches everything.
bool ag_glob_is_any(struct ag_str pattern);
// No wildcard: appends the one text that matches (`[*]` decoded). False, nothing appended, when there is one.
bool ag_glob_literal(struct ag_str pattern, struct ag_buf *out);
// Appends what every match begins with (up to the first wildcard) or ends with (after the last one).
void ag_glob_prefix(struct ag_str pattern, struct ag_buf *out);
void ag_glob_suffix(struct ag_str pattern, struct ag_buf *out);

// --- Globs of glob.match (OPA): `*` stops at delimiters, `**` does not, `?` is not a delimiter, `[abc]`
// `[!a-z]`,
// `{a,b}` alternatives (may nest), `\` escapes. `delimiters` is UTF-8, one code point each; empty means none.
// Compiles to a pattern blob that ag_pattern_match runs; returns and memory as ag_pattern_compile.
enum ag_pattern_status ag_glob_to_pattern(struct ag_str pattern, struct ag_str delimiters, unsigned flags,
                                          struct ag_arena *arena, uint64_t *fuel, struct ag_str *ret_blob,
                                          struct ag_pattern_error *reterr);

#endif
