// SPDX-License-Identifier: Apache-2.0
// Errors in words. In: what went wrong, in which built-in, with which operand. Out: an error value, and later
// its code and message. The value's integer holds the code (enum ag_verr) in its low byte and, when there is
// a text, where it lies in the arena in its high half: { u32 n; bytes }. `len` says where it happened: for
// built-ins the fields below, for conflicts the lines of two
// definitions. Who owns memory: the call's arena. Next file to
// read: interp.c, which lets an error leave a function.
#include "machine.h"
#include "buf.h"
#include "builtins/builtins.h"

#include <stdarg.h>
#include <stdio.h>

#define CODE(e)    ((enum ag_verr)((e).i & 0xff))
#define TEXT_AT(e) ((uint32_t)((uint64_t)(e).i >> 32))

// Detail of an error that is no conflict: u16 built-in or operator + 1, u4 operand, u5 kind that it had.
#define WHO(e)     ((e).len & 0xffff)
#define OPERAND(e) ((e).len >> 16 & 15)
#define GOT(e)     ((enum ag_kind)((e).len >> 20 & 31))

static const char *const operators[] = {"plus", "minus", "mul", "div", "rem", "and", "or"};
#define OPERATORS (sizeof operators / sizeof *operators)

struct ag_value
ag_error(struct ag_call *c, enum ag_verr code, const char *fmt, ...)
{
    char text[AG_ERROR_TEXT_MAX + 1];
    struct ag_value e = ag_err(code, 0);
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    uint32_t len = n < 0 ? 0 : (uint32_t)n < sizeof text ? (uint32_t)n : (uint32_t)sizeof text - 1;
    uint8_t *p = ag_arena_alloc(c->mem.arena, sizeof len + len, sizeof len);
    if (!p)
        return e;
    memcpy(p, &len, sizeof len);
    memcpy(p + sizeof len, text, len);
    e.i |= (int64_t)((uint64_t)(uint32_t)(p - c->mem.arena->base) << 32);
    return e;
}

static const char *
kind_name(enum ag_kind k)
{
    static const char *const name[] = {
        [AG_NULL] = "null",   [AG_BOOL] = "boolean",  [AG_NUMBER] = "number", [AG_STRING] = "string",
        [AG_ARRAY] = "array", [AG_OBJECT] = "object", [AG_SET] = "set",
    };
    return k >= AG_NULL && k <= AG_SET ? name[k] : "nothing";
}

struct ag_value
ag_error_operand(struct ag_call *c, unsigned operand, const char *wanted, struct ag_value got)
{
    if (wanted)
        return ag_error(c, AG_VERR_TYPE, "operand %u must be %s but got %s", operand, wanted,
                        kind_name((enum ag_kind)got.kind));
    return ag_err(AG_VERR_TYPE, (operand & 15) << 16 | (uint32_t)got.kind << 20);
}

struct ag_value
ag_error_in(struct ag_value error, uint32_t builtin_ix)
{
    if (error.kind == AG_ERROR && WHO(error) == 0)
        error.len |= builtin_ix + 1;
    return error;
}

struct ag_value
ag_error_operator(enum ag_verr code, enum ag_operator op, struct ag_value a, struct ag_value b)
{
    bool takes_sets = op == AG_OPR_MINUS || op == AG_OPR_AND || op == AG_OPR_OR;
    bool is_first =
        op >= AG_OPR_AND ? a.kind != AG_SET : a.kind != AG_NUMBER && !(takes_sets && a.kind == AG_SET);
    uint32_t detail = AG_BUILTIN_COUNT + 1 + (uint32_t)op;
    if (code == AG_VERR_TYPE)
        detail |= (is_first ? 1u : 2u) << 16 | (uint32_t)(is_first ? a.kind : b.kind) << 20;
    return ag_err(code, detail);
}

// --- words
const char *
ag_error_code(struct ag_value error)
{
    switch (CODE(error)) {
    case AG_VERR_TYPE: return "eval_type_error";
    case AG_VERR_CONFLICT:
    case AG_VERR_OBJECT_CONFLICT:
    case AG_VERR_FUNC_CONFLICT: return "eval_conflict_error";
    default: return "eval_builtin_error";
    }
}

static void
put_types(struct ag_buf *out, unsigned types)
{
    static const struct {
        unsigned type;
        const char *name;
    } name[] = {{AG_T_ARRAY, "array"},   {AG_T_BOOL, "boolean"},  {AG_T_NULL, "null"},
                {AG_T_NUMBER, "number"}, {AG_T_OBJECT, "object"}, {AG_T_SET, "set"},
                {AG_T_STRING, "string"}};
    bool several = types & (types - 1);
    unsigned n = 0;
    if (several)
        ag_buf_lit(out, "one of {");
    for (size_t i = 0; i < sizeof name / sizeof *name; i++)
        if (types & name[i].type) {
            ag_buf_str(out, ag_str_z(n++ ? ", " : ""));
            ag_buf_str(out, ag_str_z(name[i].name));
        }
    if (several)
        ag_buf_char(out, '}');
}

// The kinds that an operator takes.
static unsigned
operator_takes(uint32_t who)
{
    switch (who - AG_BUILTIN_COUNT) {
    case AG_OPR_MINUS: return AG_T_NUMBER | AG_T_SET;
    case AG_OPR_AND:
    case AG_OPR_OR: return AG_T_SET;
    default: return AG_T_NUMBER;
    }
}

static void
put_name(struct ag_buf *out, uint32_t who)
{
    const char *name =
        who < AG_BUILTIN_COUNT ? ag_builtin_table[who].name : operators[who - AG_BUILTIN_COUNT];
    ag_buf_str(out, ag_str_z(name));
    ag_buf_lit(out, ": ");
}

static const char *
plain_text(enum ag_verr code)
{
    switch (code) {
    case AG_VERR_TYPE: return "a value has the wrong type";
    case AG_VERR_DIV_ZERO: return "divide by zero";
    case AG_VERR_CONFLICT: return "complete rules must not produce multiple outputs";
    case AG_VERR_OBJECT_CONFLICT: return "object keys must be unique";
    case AG_VERR_BUILTIN: return "a built-in function failed";
    case AG_VERR_RANGE: return "a number or value is out of range";
    case AG_VERR_FUNC_CONFLICT: return "functions must not produce multiple outputs for same inputs";
    case AG_VERR_MOD_FLOAT: return "modulo on floating-point number";
    }
    return "evaluation failed";
}

static bool
is_conflict(enum ag_verr code)
{
    return code == AG_VERR_CONFLICT || code == AG_VERR_OBJECT_CONFLICT || code == AG_VERR_FUNC_CONFLICT;
}

// The source of the instruction that returned the error; NULL: not known.
static const struct ag_span *
place_of(const struct ag_call *c)
{
    const struct ag_image *im = c->im;
    uint32_t lo = 0, hi = im ? im->nspans : 0;
    while (lo < hi) { // the last span that does not begin behind the instruction
        uint32_t mid = lo + (hi - lo) / 2;
        if (im->spans[mid].insn <= c->error_at)
            lo = mid + 1;
        else
            hi = mid;
    }
    return c->error_at != AG_NONE && lo && im->spans[lo - 1].source != AG_NONE ? &im->spans[lo - 1] : NULL;
}

// " (lines 3 and 7)" behind the message of two definitions that gave different values.
static void
put_definitions(struct ag_buf *out, uint32_t lines)
{
    if (!lines)
        return;
    uint32_t first = lines >> 16, second = lines & 0xffff;
    ag_buf_str(out, first == second ? AG_STR(" (line ") : AG_STR(" (lines "));
    ag_buf_u64(out, first);
    if (first != second) {
        ag_buf_lit(out, " and ");
        ag_buf_u64(out, second);
    }
    ag_buf_char(out, ')');
}

void
ag_error_message(const struct ag_call *c, struct ag_value error, struct ag_buf *out)
{
    uint32_t at = TEXT_AT(error), n, who = WHO(error);
    bool has_who = !is_conflict(CODE(error)) && who && who <= AG_BUILTIN_COUNT + OPERATORS;
    if (has_who)
        put_name(out, who - 1);
    if (at) {
        const uint8_t *p = c->mem.arena->base + at;
        memcpy(&n, p, sizeof n);
        ag_buf_put(out, p + sizeof n, n);
    } else if (has_who && OPERAND(error)) {
        ag_buf_lit(out, "operand ");
        ag_buf_u64(out, OPERAND(error));
        ag_buf_lit(out, " must be ");
        if (who <= AG_BUILTIN_COUNT)
            ag_builtin_wanted(who - 1, OPERAND(error), out);
        else
            put_types(out, operator_takes(who - 1));
        ag_buf_lit(out, " but got ");
        ag_buf_str(out, ag_str_z(kind_name(GOT(error))));
    } else {
        ag_buf_str(out, ag_str_z(plain_text(CODE(error))));
        if (CODE(error) == AG_VERR_CONFLICT || CODE(error) == AG_VERR_FUNC_CONFLICT)
            put_definitions(out, error.len);
    }
}

void
ag_error_text(const struct ag_call *c, struct ag_value error, struct ag_buf *out)
{
    const struct ag_span *at = place_of(c);
    if (at) {
        ag_buf_str(out, ag_image_str(c->im, c->im->sources[at->source]));
        ag_buf_char(out, ':');
        ag_buf_u64(out, at->line);
        ag_buf_lit(out, ": ");
    }
    ag_buf_str(out, ag_str_z(ag_error_code(error)));
    ag_buf_lit(out, ": ");
    ag_error_message(c, error, out);
}
