// SPDX-License-Identifier: Apache-2.0
// Errors of arguments, in the words that policies' authors know from Open Policy Agent. In: a position, a
// value. Out: error values. The alternatives of a row's signature, in their order, are the words for another
// kind.
// Texts lie in the call's arena. Next file to read: coll.c.
#include "builtin_fns.h"

const char *
ag_bi_kind(struct ag_value v)
{
    static const char *const names[] = {"null", "boolean", "number", "string", "array", "object", "set"};
    return v.kind >= AG_NULL && v.kind <= AG_SET ? names[v.kind - AG_NULL] : "undefined";
}

struct ag_value
ag_bi_element_error(struct ag_call *c, unsigned pos, struct ag_value coll, const char *wanted,
                    struct ag_value v)
{
    const char *of = ag_bi_kind(coll);
    return ag_error(c, AG_VERR_TYPE, "operand %u must be %s of %ss but got %s containing %s", pos, of, wanted,
                    of, ag_bi_kind(v));
}

// -0: the only integer of int64 that is kept with its spelling.
static bool
is_minus_zero(struct ag_value v)
{
    const struct ag_num_rec *r = (const void *)v.p;
    return r->digits_n == 0 && r->text_n == 2;
}

bool
ag_bi_int(struct ag_call *c, unsigned pos, struct ag_value v, int64_t *ret, struct ag_value *ret_error)
{
    if (v.kind != AG_NUMBER) {
        *ret_error = ag_error_operand(c, pos, "number", v);
        return false;
    }
    if (v.sub && !is_minus_zero(v)) {
        *ret_error =
            ag_error(c, AG_VERR_TYPE, "operand %u must be integer number but got floating-point number", pos);
        return false;
    }
    *ret = v.sub ? 0 : v.i;
    return true;
}

// The words of one alternative of a signature, by its first three letters.
static struct ag_str
word(const char *p)
{
    static const struct {
        const char *mark, *name;
    } words[] = {{"nul", "null"},  {"boo", "boolean"}, {"num", "number"}, {"str", "string"},
                 {"arr", "array"}, {"obj", "object"},  {"set", "set"}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strncmp(p, words[i].mark, 3) == 0)
            return ag_str_z(words[i].name);
    return AG_STR("any value");
}

// Where argument `pos` begins in a signature.
static const char *
argument(const char *sig, uint32_t pos)
{
    for (; *sig && pos > 1; sig++)
        pos -= *sig == ';';
    return sig + strspn(sig, " ");
}

void
ag_builtin_wanted(uint32_t ix, unsigned pos, struct ag_buf *out)
{
    const char *begin = argument(ag_builtin_table[ix].signature, pos);
    unsigned depth = 0, n = 1;
    for (int pass = 0; pass < 2; pass++) { // counts the alternatives, then writes them
        if (pass)
            ag_buf_str(out, n > 1 ? AG_STR("one of {") : AG_STR(""));
        if (pass)
            ag_buf_str(out, word(begin));
        for (const char *p = begin; *p && *p != ';' && *p != '-'; p++) {
            depth += *p == '[' || *p == '<';
            depth -= *p == ']' || *p == '>';
            if (*p != '|' || depth)
                continue;
            n += !pass;
            if (!pass)
                continue;
            ag_buf_lit(out, ", ");
            ag_buf_str(out, word(p + 2));
        }
    }
    if (n > 1)
        ag_buf_char(out, '}');
}
