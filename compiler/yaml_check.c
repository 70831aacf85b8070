// SPDX-License-Identifier: Apache-2.0
// Mappings against grammar/yaml_schema.def: unknown keys with the nearest spelling, types, ranges, closed
// sets of words. In: struct agc_ynode. Out: values by key. Memory: borrows the tree. Next file to read:
// yaml.c.
#include "yaml_check.h"

#include "buf.h"

#include <stdlib.h>

static const char *const scope_names[] = {
#define SCOPE(NAME, path) path,
#include "../grammar/yaml_schema.def"
};

static const struct row {
    enum agc_yscope scope;
    const char *name;
    enum agc_ytype type;
    const char *range, *help;
} rows[] = {
#define KEY(SCOPE_, key, TYPE, range, def, help) {AGC_YS_##SCOPE_, #key, AGC_YT_##TYPE, range, help},
#include "../grammar/yaml_schema.def"
};

static const struct {
    enum agc_ytype set;
    const char *word;
    unsigned value;
} words[] = {
#define WORD(SET, word, value) {AGC_YT_##SET, word, value},
#include "../grammar/yaml_schema.def"
};
#define NWORDS (sizeof words / sizeof words[0])

bool
agc_is_json_number(struct ag_str s)
{
    size_t i = s.n && s.p[0] == '-' ? 1 : 0;
    if (i == s.n)
        return false;
    if (s.p[i] == '0')
        i++;
    else if (s.p[i] >= '1' && s.p[i] <= '9')
        while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
            i++;
    else
        return false;
    if (i < s.n && s.p[i] == '.') {
        size_t from = ++i;
        while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
            i++;
        if (i == from)
            return false;
    }
    if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
        i++;
        if (i < s.n && (s.p[i] == '+' || s.p[i] == '-'))
            i++;
        size_t from = i;
        while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
            i++;
        if (i == from)
            return false;
    }
    return i == s.n;
}

bool
agc_yaml_is_null(const struct agc_ynode *n)
{
    return n->kind == AGC_Y_SCALAR && n->style == AGC_Y_PLAIN &&
           (n->text.n == 0 || ag_str_is(n->text, "null") || ag_str_is(n->text, "~"));
}

bool
agc_yaml_is_bool(const struct agc_ynode *n)
{
    return n->kind == AGC_Y_SCALAR && n->style == AGC_Y_PLAIN &&
           (ag_str_is(n->text, "true") || ag_str_is(n->text, "false"));
}

bool
agc_yaml_is_number(const struct agc_ynode *n)
{
    return n->kind == AGC_Y_SCALAR && n->style == AGC_Y_PLAIN && agc_is_json_number(n->text);
}

const char *
agc_yaml_what(const struct agc_ynode *n)
{
    if (n->kind == AGC_Y_MAP)
        return "a mapping";
    if (n->kind == AGC_Y_SEQ)
        return "a list";
    if (agc_yaml_is_null(n))
        return "null";
    if (agc_yaml_is_bool(n))
        return "a boolean";
    return agc_yaml_is_number(n) ? "a number" : "a string";
}

// Number texts of the tree end with a NUL (agc_strdup).
double
agc_yaml_double(const struct agc_ynode *n)
{
    return strtod(n->text.p, NULL);
}

bool
agc_yaml_bool(const struct agc_ynode *n)
{
    return ag_str_is(n->text, "true");
}

bool
agc_in_range(double v, const char *range)
{
    char *end;
    double lo = strtod(range + 1, &end);
    double hi = strtod(end + 1, &end);
    bool above = range[0] == '(' ? v > lo : v >= lo;
    bool below = *end == ')' ? v < hi : v <= hi;
    return above && below;
}

bool
agc_yaml_word(struct agc_reader *r, const struct agc_ynode *n, enum agc_ytype set, unsigned *ret)
{
    const char *list[16];
    size_t nlist = 0;
    char text[160];
    struct ag_buf b;
    ag_buf_init(&b, text, sizeof text);
    for (size_t i = 0; i < NWORDS; i++) {
        if (words[i].set != set)
            continue;
        if (n->kind == AGC_Y_SCALAR && ag_str_is(n->text, words[i].word)) {
            *ret = words[i].value;
            return true;
        }
        if (nlist)
            ag_buf_lit(&b, ", ");
        ag_buf_str(&b, ag_str_z(words[i].word));
        if (nlist < 16)
            list[nlist++] = words[i].word;
    }
    struct agc_diag *d;
    if (n->kind != AGC_Y_SCALAR) {
        d = agc_diag(r->diags, AGC_D_WRONG_TYPE, n->span, "expected one of %.*s, found %s", (int)b.n, text,
                     agc_yaml_what(n));
        return false;
    }
    d = agc_diag(r->diags, AGC_D_BAD_WORD, n->span, "\"%.*s\" is not one of %.*s", (int)n->text.n, n->text.p,
                 (int)b.n, text);
    const char *near = agc_nearest(n->text, list, nlist);
    if (near)
        agc_diag_fix(r->diags, d, "write %s", near);
    return false;
}

static void
wrong_type(struct agc_reader *r, const struct row *row, const struct agc_ynode *v, const char *want)
{
    struct agc_diag *d = agc_diag(r->diags, AGC_D_WRONG_TYPE, v->span, "%s must be %s, found %s", row->name,
                                  want, agc_yaml_what(v));
    bool wants_number = row->type == AGC_YT_NUM || row->type == AGC_YT_INT;
    if (wants_number && v->kind == AGC_Y_SCALAR && v->style != AGC_Y_PLAIN && agc_is_json_number(v->text))
        agc_diag_fix(r->diags, d, "remove the quotes: %.*s", (int)v->text.n, v->text.p);
    if (row->type == AGC_YT_BOOL && v->kind == AGC_Y_SCALAR)
        agc_diag_fix(r->diags, d, "write true or false");
}

static bool
check_number(struct agc_reader *r, const struct row *row, const struct agc_ynode *v)
{
    if (!agc_yaml_is_number(v)) {
        wrong_type(r, row, v, row->type == AGC_YT_INT ? "a whole number" : "a number");
        return false;
    }
    if (row->type == AGC_YT_INT && (memchr(v->text.p, '.', v->text.n) || memchr(v->text.p, 'e', v->text.n) ||
                                    memchr(v->text.p, 'E', v->text.n))) {
        agc_diag(r->diags, AGC_D_WRONG_TYPE, v->span, "%s must be a whole number", row->name);
        return false;
    }
    if (!agc_in_range(agc_yaml_double(v), row->range)) {
        agc_diag(r->diags, AGC_D_OUT_OF_RANGE, v->span, "%s is %.*s, its range is %s", row->name,
                 (int)v->text.n, v->text.p, row->range);
        return false;
    }
    return true;
}

static bool
check_string(struct agc_reader *r, const struct row *row, const struct agc_ynode *v)
{
    // Quoted or not: `no`, `on`, `1:30` and `0o17` are strings in a field that is not boolean or number.
    if (v->kind != AGC_Y_SCALAR || agc_yaml_is_null(v)) {
        wrong_type(r, row, v, "a string");
        return false;
    }
    if (row->type != AGC_YT_NAME)
        return true;
    if (v->text.n > AGC_NAME_MAX) {
        agc_diag(r->diags, AGC_D_TOO_LARGE, v->span, "%s has %zu bytes, at most %u are accepted", row->name,
                 v->text.n, AGC_NAME_MAX);
        return false;
    }
    return true;
}

static bool
check_value(struct agc_reader *r, const struct row *row, const struct agc_ynode *key,
            const struct agc_ynode *v)
{
    unsigned ignored;
    switch (row->type) {
    case AGC_YT_MAP:
    case AGC_YT_PARAMS:
        if (v->kind != AGC_Y_MAP)
            wrong_type(r, row, v, "a mapping");
        return v->kind == AGC_Y_MAP;
    case AGC_YT_LIST:
    case AGC_YT_WEEKDAYS:
        if (v->kind != AGC_Y_SEQ)
            wrong_type(r, row, v, "a list");
        return v->kind == AGC_Y_SEQ;
    case AGC_YT_INT:
    case AGC_YT_NUM: return check_number(r, row, v);
    case AGC_YT_BOOL:
        if (!agc_yaml_is_bool(v))
            wrong_type(r, row, v, "a boolean");
        return agc_yaml_is_bool(v);
    case AGC_YT_REFUSED:
        agc_diag(r->diags, AGC_D_NOT_AVAILABLE, key->span, "%s is not available in this version (%s)",
                 row->name, row->help);
        return false;
    case AGC_YT_NAME:
    case AGC_YT_GLOB:
    case AGC_YT_TIME:
    case AGC_YT_HOURS:
    case AGC_YT_ZONE:
    case AGC_YT_RATE:
    case AGC_YT_DURATION:
    case AGC_YT_URL:
    case AGC_YT_VERSION: return check_string(r, row, v);
    case AGC_YT_ANY:
    case AGC_YT_WHEN: return true;
    default: return agc_yaml_word(r, v, row->type, &ignored);
    }
}

static void
unknown_key(struct agc_reader *r, const struct agc_ynode *key, enum agc_yscope scope)
{
    const char *list[AGC_YK_COUNT], *elsewhere = NULL;
    size_t n = 0;
    for (size_t i = 0; i < AGC_YK_COUNT; i++) {
        if (rows[i].scope == scope)
            list[n++] = rows[i].name;
        else if (ag_str_is(key->text, rows[i].name) && !elsewhere)
            elsewhere = scope_names[rows[i].scope];
    }
    struct agc_diag *d = agc_diag(r->diags, AGC_D_UNKNOWN_KEY, key->span, "%s has no key \"%.*s\"",
                                  scope_names[scope], (int)key->text.n, key->text.p);
    const char *near = agc_nearest(key->text, list, n);
    if (near)
        agc_diag_fix(r->diags, d, "write %s", near);
    else if (elsewhere)
        agc_diag_fix(r->diags, d, "%.*s belongs under %s", (int)key->text.n, key->text.p, elsewhere);
}

bool
agc_yaml_map(struct agc_reader *r, const struct agc_ynode *n, enum agc_yscope scope, struct agc_ymap *ret)
{
    memset(ret, 0, sizeof *ret);
    if (n->kind != AGC_Y_MAP) {
        agc_diag(r->diags, AGC_D_WRONG_TYPE, n->span, "a %s must be a mapping, found %s", scope_names[scope],
                 agc_yaml_what(n));
        return false;
    }
    for (uint32_t i = 0; i < n->n; i += 2) {
        const struct agc_ynode *key = n->kid[i], *v = n->kid[i + 1];
        if (key->kind != AGC_Y_SCALAR || (key->style == AGC_Y_PLAIN && ag_str_is(key->text, "<<")))
            continue; // reported by the tree
        size_t k = 0;
        while (k < AGC_YK_COUNT && !(rows[k].scope == scope && ag_str_is(key->text, rows[k].name)))
            k++;
        if (k == AGC_YK_COUNT) {
            unknown_key(r, key, scope);
            continue;
        }
        ret->key[k] = key;
        if (check_value(r, &rows[k], key, v))
            ret->at[k] = v;
    }
    return true;
}
