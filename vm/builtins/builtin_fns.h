// SPDX-License-Identifier: Apache-2.0
// Prototypes of all built-in functions, made of builtins.def, and what they share.
// In: rows. Out: declarations. Thread rule: as struct ag_call.
#ifndef AG_BUILTIN_FNS_H
#define AG_BUILTIN_FNS_H

#include "builtins.h"
#include "machine.h"
#include "buf.h"

#define BUILTIN(ID, name, fn, nargs, a0, a1, a2, a3, result, flags, cost, sig, doc) ag_builtin_fn fn;
#include "builtins.def"

// The error every built-in gives for an argument it cannot use.
static inline struct ag_value
ag_bi_error(void)
{
    return ag_err(AG_VERR_BUILTIN, 0);
}

// "null", "number" ...: the words of errors and of type_name.
const char *ag_bi_kind(struct ag_value v);

// operand `pos` (from 1) must be COLL of `wanted`s but got COLL containing the kind of v.
struct ag_value ag_bi_element_error(struct ag_call *c, unsigned pos, struct ag_value coll, const char *wanted,
                                    struct ag_value v);

// Operand `pos` as an integer that is spelled as one and fits int64 (1.0 is not); false: *ret_error is the
// error.
bool ag_bi_int(struct ag_call *c, unsigned pos, struct ag_value v, int64_t *ret, struct ag_value *ret_error);

// --- time.c: the zone of this name, NULL for UTC; false: *ret_error is the value to return
bool ag_bi_zone(struct ag_call *c, struct ag_str name, const struct ag_zone **ret,
                struct ag_value *ret_error);

// --- text.c: text of unknown length grows in the free space of the arena, as far as the fuel pays for it.
// Nothing else may be allocated between the two. False: the evaluation ends.
bool ag_bi_begin(struct ag_call *c, struct ag_buf *out);
// The string that was written; its bytes are charged. `ok` false: the text could not be made, for another
// reason than want of room.
struct ag_value ag_bi_end(struct ag_call *c, struct ag_buf *out, bool ok);
// s in quotes as Go writes them; `ascii` escapes all that is not ASCII.
void ag_bi_put_quoted(struct ag_buf *out, struct ag_str s, char quote, bool ascii);
// A value as Rego text: {"a": [1, "x"]}, {1, 2}, set(). False: deeper than AG_NEST_MAX or full.
bool ag_bi_put_term(const struct ag_mem *m, struct ag_value v, struct ag_buf *out);
// Whether a code point is printed as it is in quotes (letters, marks, numbers, punctuation, symbols, blank).
bool ag_bi_is_printed(uint32_t cp);

// --- coll.c: the same array with the elements of `from` [at, at + n)
struct ag_value ag_bi_elements(struct ag_call *c, struct ag_value from, uint32_t at, uint32_t n);

// A closed builder, or the end of the evaluation when the arena is full.
static inline struct ag_value
ag_bi_close(struct ag_call *c, struct ag_builder *b, bool ok)
{
    struct ag_value v = ok && b ? ag_builder_close(&c->mem, b) : ag_undef();
    return v.kind == AG_UNDEF ? ag_stop(c, AG_EVAL_ARENA) : v;
}

// A string value of bytes that already lie in the arena.
static inline struct ag_value
ag_bi_text(char *p, size_t n)
{
    return n > AG_STRING_MAX ? ag_bi_error() : ag_string(AG_IN_ARENA, ag_str_of(p, n));
}

// A part of string s: shares its bytes.
static inline struct ag_value
ag_bi_part(struct ag_value s, size_t from, size_t n)
{
    s.p += from;
    s.len = (uint32_t)n;
    return s;
}

static inline struct ag_value
ag_bi_copy(struct ag_call *c, struct ag_str s)
{
    struct ag_value v = ag_string_copy(&c->mem, s);
    return v.kind == AG_UNDEF ? ag_stop(c, AG_EVAL_ARENA) : v;
}

#endif
