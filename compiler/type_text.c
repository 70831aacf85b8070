// SPDX-License-Identifier: Apache-2.0
// Types as text: sets of kinds and terms in words for messages, and the notation of builtins.def. In: types,
// text. Out: text, types. Memory: the caller's; terms lie in the compile arena. Next file to read: check.c.
#include "type.h"

#include "buf.h"
#include "diag.h"

static const char *const names[] = {"null", "boolean", "number", "string", "array", "object", "set"};

const char *
agc_type_text(uint32_t types, char *text, size_t n)
{
    struct ag_buf b;
    ag_buf_init(&b, text, n - 1);
    uint32_t left = types & AGC_T_ANY;
    if (left == AGC_T_ANY)
        ag_buf_lit(&b, "any value");
    for (uint32_t k = AG_NULL; left != AGC_T_ANY && k <= AG_SET; k++) {
        if (!(left & AGC_T(k)))
            continue;
        if (b.n)
            ag_buf_str(&b, left >> (k + 1) ? AG_STR(", ") : AG_STR(" or "));
        ag_buf_str(&b, ag_str_z(names[k - AG_NULL]));
    }
    text[b.n] = '\0';
    return text;
}

// --- terms
static void
put_key(struct ag_buf *b, const struct agc_node *key)
{
    if (key->kind == AGC_STRING)
        ag_buf_str(b, key->text);
    else if (key->kind == AGC_NUMBER)
        ag_buf_str(b, key->text);
    else
        ag_buf_str(b, ag_str_z(agc_node_name(key->kind)));
}

static void put_term(struct ag_buf *b, const struct agc_type *t, unsigned depth);

static void
put_object(struct ag_buf *b, const struct agc_type *t, unsigned depth)
{
    enum { SHOWN = 8 };
    ag_buf_lit(b, "object");
    if (t->nprops == 0 && agc_type_is_any(t->key) && agc_type_is_any(t->value))
        return;
    ag_buf_lit(b, " {");
    for (uint32_t i = 0; i < t->nprops && i < SHOWN; i++) {
        if (i)
            ag_buf_lit(b, ", ");
        put_key(b, t->prop[i].key);
        ag_buf_lit(b, ": ");
        put_term(b, t->prop[i].value, depth + 1);
    }
    if (t->nprops > SHOWN)
        ag_buf_lit(b, ", ...");
    if (t->key) {
        ag_buf_str(b, t->nprops ? AG_STR(", [") : AG_STR("["));
        put_term(b, t->key, depth + 1);
        ag_buf_lit(b, "]: ");
        put_term(b, t->value, depth + 1);
    }
    ag_buf_char(b, '}');
}

static void
put_array(struct ag_buf *b, const struct agc_type *t, unsigned depth)
{
    enum { SHOWN = 4 };
    ag_buf_lit(b, "array");
    if (t->n == 0 && agc_type_is_any(t->value))
        return;
    if (t->n == 0) {
        ag_buf_lit(b, " of ");
        put_term(b, t->value ? t->value : &agc_type_any, depth + 1);
        return;
    }
    ag_buf_lit(b, " [");
    for (uint32_t i = 0; i < t->n && i < SHOWN; i++) {
        if (i)
            ag_buf_lit(b, ", ");
        put_term(b, t->elem[i], depth + 1);
    }
    ag_buf_str(b, t->n > SHOWN || t->value ? AG_STR(", ...]") : AG_STR("]"));
}

static void
put_term(struct ag_buf *b, const struct agc_type *t, unsigned depth)
{
    enum { SHOWN_DEEP = 4 };
    if (depth > SHOWN_DEEP) {
        ag_buf_lit(b, "...");
        return;
    }
    switch (t->kind) {
    case AGC_TY_ARRAY: put_array(b, t, depth); return;
    case AGC_TY_OBJECT: put_object(b, t, depth); return;
    case AGC_TY_SET:
        ag_buf_lit(b, "set");
        if (!agc_type_is_any(t->value)) {
            ag_buf_lit(b, " of ");
            put_term(b, t->value, depth + 1);
        }
        return;
    case AGC_TY_UNION:
        if (t->n == 0)
            ag_buf_lit(b, "any value");
        for (uint32_t i = 0; i < t->n; i++) {
            if (i)
                ag_buf_lit(b, " or ");
            put_term(b, t->elem[i], depth + 1);
        }
        return;
    default: ag_buf_str(b, ag_str_z(names[t->kind])); return;
    }
}

const char *
agc_type_name(const struct agc_type *t, char *text, size_t n)
{
    struct ag_buf b;
    ag_buf_init(&b, text, n - 1);
    put_term(&b, t ? t : &agc_type_any, 0);
    text[b.n] = '\0';
    return text;
}

// --- notation: union := one { "|" one }; one := null | bool | num | str | any | arr [ "[" union "]" | "<"
// union { "," union } ">" ] | set [ "[" union "]" ] | obj [ "[" union ":" union "]" ]
struct reader {
    struct agc_arena *a;
    const char *p, *end;
    bool is_bad;
    unsigned depth;
};

static bool
take(struct reader *r, char c)
{
    while (r->p < r->end && *r->p == ' ')
        r->p++;
    if (r->p == r->end || *r->p != c)
        return false;
    r->p++;
    return true;
}

static struct ag_str
take_word(struct reader *r)
{
    while (r->p < r->end && *r->p == ' ')
        r->p++;
    const char *begin = r->p;
    while (r->p < r->end && *r->p >= 'a' && *r->p <= 'z')
        r->p++;
    return ag_str_of(begin, (size_t)(r->p - begin));
}

static const struct agc_type *read_union(struct reader *r);

static const struct agc_type *
read_array(struct reader *r)
{
    enum { FIXED_MAX = 8 };
    const struct agc_type *elem[FIXED_MAX], *of = &agc_type_any;
    uint32_t n = 0;
    if (take(r, '<')) {
        do
            elem[n++] = read_union(r);
        while (n < FIXED_MAX && take(r, ','));
        r->is_bad |= !take(r, '>');
        return agc_type_array(r->a, elem, n, NULL);
    }
    if (take(r, '[')) {
        of = read_union(r);
        r->is_bad |= !take(r, ']');
    }
    return agc_type_array(r->a, NULL, 0, of);
}

static const struct agc_type *
read_one(struct reader *r)
{
    struct ag_str w = take_word(r);
    const struct agc_type *key = &agc_type_any, *of = &agc_type_any;
    if (ag_str_is(w, "any"))
        return of;
    if (ag_str_is(w, "null"))
        return agc_type_scalar(AGC_TY_NULL);
    if (ag_str_is(w, "bool"))
        return agc_type_scalar(AGC_TY_BOOL);
    if (ag_str_is(w, "num"))
        return agc_type_scalar(AGC_TY_NUMBER);
    if (ag_str_is(w, "str"))
        return agc_type_scalar(AGC_TY_STRING);
    if (ag_str_is(w, "arr"))
        return read_array(r);
    bool is_set = ag_str_is(w, "set");
    r->is_bad |= !is_set && !ag_str_is(w, "obj");
    if (!r->is_bad && take(r, '[')) {
        of = read_union(r);
        if (!is_set) {
            key = of;
            r->is_bad |= !take(r, ':');
            of = read_union(r);
        }
        r->is_bad |= !take(r, ']');
    }
    return is_set ? agc_type_set(r->a, of) : agc_type_object(r->a, NULL, 0, key, of);
}

static const struct agc_type *
read_union(struct reader *r)
{
    if (r->is_bad || r->depth++ >= AGC_TYPE_DEPTH_MAX) {
        r->is_bad = true;
        return &agc_type_any;
    }
    const struct agc_type *t = read_one(r);
    while (!r->is_bad && take(r, '|'))
        t = agc_type_or(r->a, t, read_one(r));
    r->depth--;
    return t;
}

const struct agc_type *
agc_type_parse(struct agc_arena *a, struct ag_str notation)
{
    struct reader r = {a, notation.p, notation.p + notation.n, false, 0};
    const struct agc_type *t = read_union(&r);
    return r.is_bad || r.p != r.end ? NULL : t;
}

const char *
agc_type_nearest(struct agc_arena *a, const struct agc_type *t, struct ag_str key)
{
    uint32_t n = 0;
    if (t->kind != AGC_TY_OBJECT)
        return NULL;
    const char **words = agc_alloc(a, (t->nprops + 1u) * sizeof *words);
    for (uint32_t i = 0; i < t->nprops; i++)
        if (t->prop[i].key->kind == AGC_STRING)
            words[n++] = agc_strdup(a, t->prop[i].key->text).p;
    return agc_nearest(key, words, n);
}
