// SPDX-License-Identifier: Apache-2.0
// Is it a schema? Every keyword has a value of its kind, every reference a target, every pattern is one.
// In: a value. Out: verdict, and the first thing that is wrong in the words of Open Policy Agent's library.
// Next file to read: schema.c.
#include "schema.h"

#include <stdarg.h>
#include <stdio.h>

bool
ag_schema_fail(struct ag_schema *s, const char *fmt, ...)
{
    if (s->has_error)
        return false;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(s->error, sizeof s->error, fmt, ap);
    va_end(ap);
    s->has_error = true;
    return false;
}

static bool
wrong_type(struct ag_schema *s, const char *expected, const char *given)
{
    return ag_schema_fail(s, "Invalid type. Expected: %s, given: %s", expected, given);
}

static bool check(struct ag_schema *s, struct ag_value v, unsigned depth);

// --- references
// -----------------------------------------------------------------------------------------------------

static int
hex_digit(char ch)
{
    char low = (char)(ch | 0x20);
    return ch >= '0' && ch <= '9' ? ch - '0' : low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

// One step of a JSON pointer in a URI fragment: %XX, then ~1 and ~0.
static struct ag_str
unescape_step(struct ag_call *c, struct ag_str step)
{
    char *p = ag_call_alloc(c, step.n + 1, 1);
    size_t n = 0, m = 0;
    for (size_t i = 0; p && i < step.n; i++) {
        int hi = step.p[i] == '%' && i + 2 < step.n ? hex_digit(step.p[i + 1]) : -1;
        int lo = hi >= 0 ? hex_digit(step.p[i + 2]) : -1;
        p[n++] = lo >= 0 ? (char)(hi << 4 | lo) : step.p[i];
        i += lo >= 0 ? 2 : 0;
    }
    for (size_t i = 0; p && i < n; i++) {
        bool is_escape = p[i] == '~' && i + 1 < n && (p[i + 1] == '0' || p[i + 1] == '1');
        p[m++] = is_escape ? (p[i + 1] == '0' ? '~' : '/') : p[i];
        i += is_escape;
    }
    return ag_str_of(p, p ? m : 0);
}

static struct ag_value
follow(struct ag_schema *s, struct ag_value v, struct ag_str pointer)
{
    while (pointer.n) {
        const char *slash = memchr(pointer.p + 1, '/', pointer.n - 1);
        size_t n = slash ? (size_t)(slash - pointer.p) : pointer.n;
        struct ag_str step = unescape_step(s->c, ag_str_of(pointer.p + 1, n - 1));
        pointer = ag_str_of(pointer.p + n, pointer.n - n);
        if (!step.p)
            return ag_undef();
        uint32_t ix = 0;
        bool is_ix = step.n > 0 && step.n < 8;
        for (size_t i = 0; i < step.n && is_ix; i++) {
            is_ix = step.p[i] >= '0' && step.p[i] <= '9';
            ix = ix * 10 + (uint32_t)(step.p[i] - '0');
        }
        if (v.kind == AG_OBJECT) {
            v = ag_object_get(&s->c->mem, v, step);
            if (v.kind == AG_UNDEF)
                ag_schema_fail(s, "Object has no key '%.*s'", (int)(step.n < 100 ? step.n : 100), step.p);
        } else
            v = ag_schema_is_list(v) && is_ix && ix < v.len ? ag_value_at(&s->c->mem, v, ix) : ag_undef();
    }
    return v;
}

static struct ag_str
id_of(const struct ag_schema *s, struct ag_value v)
{
    struct ag_value id = ag_schema_get(s, v, "$id");
    if (id.kind != AG_STRING)
        id = ag_schema_get(s, v, "id");
    return id.kind == AG_STRING ? ag_value_str(id) : ag_str_of("", 0);
}

// The schema below v whose $id is `id`.
static struct ag_value
named(struct ag_schema *s, struct ag_value v, struct ag_str id, unsigned depth)
{
    if ((v.kind != AG_OBJECT && !ag_schema_is_list(v)) || depth > AG_SCHEMA_DEPTH_MAX ||
        !ag_charge(s->c, 1 + v.len))
        return ag_undef();
    if (v.kind == AG_OBJECT && id.n && ag_str_eq(id_of(s, v), id))
        return v;
    for (uint32_t i = 0; i < v.len; i++) {
        struct ag_value found = named(s, ag_value_at(&s->c->mem, v, i), id, depth + 1);
        if (found.kind != AG_UNDEF)
            return found;
    }
    return ag_undef();
}

struct ag_value
ag_schema_resolve(struct ag_schema *s, struct ag_str ref)
{
    const char *hash = ref.n ? memchr(ref.p, '#', ref.n) : NULL;
    struct ag_str base = ag_str_of(ref.p, hash ? (size_t)(hash - ref.p) : ref.n);
    struct ag_str fragment = hash ? ag_str_of(hash + 1, ref.n - base.n - 1) : ag_str_of("", 0);
    struct ag_value at = s->root;
    if (fragment.n && fragment.p[0] != '/')
        return named(s, s->root, ag_str_of(hash, fragment.n + 1), 0);
    if (base.n) {
        struct ag_str root_id = id_of(s, s->root);
        while (root_id.n && root_id.p[root_id.n - 1] == '#')
            root_id.n--;
        if (!ag_str_eq(root_id, base))
            at = named(s, s->root, base, 0);
    }
    return at.kind == AG_UNDEF ? at : follow(s, at, fragment);
}

static bool
check_ref(struct ag_schema *s, struct ag_str ref, unsigned depth)
{
    struct ag_value to = ag_schema_resolve(s, ref);
    if (s->c->stop != AG_EVAL_OK)
        return false;
    if (to.kind == AG_UNDEF)
        return ag_schema_fail(s, "remote reference loading disabled: %.*s", (int)(ref.n < 200 ? ref.n : 200),
                              ref.p);
    if (to.kind != AG_OBJECT && to.kind != AG_BOOL)
        return ag_schema_fail(s, "Valid Schema must be of type object");
    if (to.kind == AG_BOOL)
        return true;
    for (uint32_t i = 0; i < s->nrefs; i++)
        if (s->ref[i] == to.p)
            return true;
    if (s->nrefs == AG_SCHEMA_REFS_MAX)
        return ag_schema_fail(s, "more than %u references", AG_SCHEMA_REFS_MAX);
    s->ref[s->nrefs++] = to.p;
    return check(s, to, depth + 1);
}

// --- keywords
// -------------------------------------------------------------------------------------------------------

static bool
is_schema(const struct ag_schema *s, struct ag_value v)
{
    return v.kind == AG_OBJECT || (v.kind == AG_BOOL && s->draft >= AG_DRAFT_6);
}

static bool
check_string(struct ag_schema *s, struct ag_value o, const char *key)
{
    struct ag_value v = ag_schema_get(s, o, key);
    return v.kind == AG_UNDEF || v.kind == AG_STRING || wrong_type(s, "string", key);
}

// A number >= 0 that is whole.
static bool
check_count(struct ag_schema *s, struct ag_value o, const char *key, int64_t *ret)
{
    struct ag_value v = ag_schema_get(s, o, key);
    *ret = -1;
    if (v.kind == AG_UNDEF)
        return true;
    if (!ag_number_int(v, ret))
        return ag_schema_fail(s, "%s must be of an integer", key);
    return *ret >= 0 || ag_schema_fail(s, "%s must be greater than or equal to 0", key);
}

static bool
check_range(struct ag_schema *s, struct ag_value o, const char *low, const char *high, const char *words)
{
    int64_t min, max;
    if (!check_count(s, o, low, &min) || !check_count(s, o, high, &max))
        return false;
    return !words || min < 0 || max < 0 || min <= max || ag_schema_fail(s, "%s %s %s", low, words, high);
}

static bool
check_map(struct ag_schema *s, struct ag_value map, unsigned depth)
{
    for (uint32_t i = 0; i < map.len; i++)
        if (!check(s, ag_value_at(&s->c->mem, map, i), depth + 1))
            return false;
    return true;
}

static bool
check_type_name(struct ag_schema *s, struct ag_str name)
{
    static const char *const names[] = {"array", "boolean", "integer", "number", "null", "object", "string"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (ag_str_is(name, names[i]))
            return true;
    return ag_schema_fail(
        s,
        "has a primitive type that is NOT VALID -- given: /%.*s/ Expected valid values are:[array "
        "boolean integer number null object string]",
        (int)(name.n < 100 ? name.n : 100), name.p);
}

static bool
check_type(struct ag_schema *s, struct ag_value o)
{
    struct ag_value v = ag_schema_get(s, o, "type");
    if (v.kind == AG_STRING)
        return check_type_name(s, ag_value_str(v));
    if (v.kind != AG_UNDEF && !ag_schema_is_list(v))
        return wrong_type(s, "type", "string/Array Of Strings");
    for (uint32_t i = 0; v.kind != AG_UNDEF && i < v.len; i++) {
        struct ag_value t = ag_value_at(&s->c->mem, v, i);
        if (t.kind != AG_STRING)
            return wrong_type(s, "type", "string/Array Of Strings");
        if (!check_type_name(s, ag_value_str(t)))
            return false;
        for (uint32_t k = 0; k < i; k++)
            if (ag_value_eq(&s->c->mem, t, ag_value_at(&s->c->mem, v, k)))
                return ag_schema_fail(s, "%.*s type is duplicated", (int)t.len, (const char *)t.p);
    }
    return true;
}

// A schema, a boolean (in every draft), or absent.
static bool
check_additional(struct ag_schema *s, struct ag_value o, const char *key, unsigned depth)
{
    struct ag_value v = ag_schema_get(s, o, key);
    if (v.kind == AG_UNDEF || v.kind == AG_BOOL)
        return true;
    return v.kind == AG_OBJECT ? check(s, v, depth + 1) : wrong_type(s, "boolean/Valid Schema", key);
}

static bool
check_definitions(struct ag_schema *s, struct ag_value o, unsigned depth)
{
    struct ag_value v = ag_schema_get(s, o, "definitions");
    if (v.kind == AG_UNDEF)
        return true;
    for (uint32_t i = 0; v.kind == AG_OBJECT && i < v.len; i++) {
        struct ag_value d = ag_value_at(&s->c->mem, v, i);
        if (d.kind != AG_OBJECT && d.kind != AG_BOOL)
            return wrong_type(s, "Array Of Schemas", "definitions");
    }
    return v.kind == AG_OBJECT ? check_map(s, v, depth) : wrong_type(s, "Array Of Schemas", "definitions");
}

static bool
check_properties(struct ag_schema *s, struct ag_value o, unsigned depth)
{
    struct ag_value properties = ag_schema_get(s, o, "properties"),
                    names = ag_schema_get(s, o, "propertyNames");
    struct ag_value patterns = ag_schema_get(s, o, "patternProperties");
    if (properties.kind != AG_UNDEF && properties.kind != AG_OBJECT)
        return ag_schema_fail(s, "Properties must be of type object");
    if (properties.kind == AG_OBJECT && !check_map(s, properties, depth))
        return false;
    if (!check_additional(s, o, "additionalProperties", depth))
        return false;
    if (patterns.kind != AG_UNDEF && patterns.kind != AG_OBJECT)
        return wrong_type(s, "Valid Schema", "patternProperties");
    for (uint32_t i = 0; patterns.kind == AG_OBJECT && i < patterns.len; i++) {
        struct ag_value key = ag_object_key(&s->c->mem, patterns, i);
        bool bad = key.kind != AG_STRING;
        if (!bad)
            ag_schema_pattern(s->c, ag_value_str(key), AG_STR(""), &bad);
        if (bad)
            return ag_schema_fail(s, "Invalid regex pattern '%.*s'", (int)(key.len < 200 ? key.len : 200),
                                  (const char *)key.p);
    }
    if (patterns.kind == AG_OBJECT && !check_map(s, patterns, depth))
        return false;
    if (names.kind == AG_UNDEF || s->draft < AG_DRAFT_6)
        return true;
    return is_schema(s, names) ? check(s, names, depth + 1)
                               : wrong_type(s, "Valid Schema", "patternProperties");
}

static bool
check_dependencies(struct ag_schema *s, struct ag_value o, unsigned depth)
{
    struct ag_value v = ag_schema_get(s, o, "dependencies");
    if (v.kind == AG_UNDEF)
        return true;
    if (v.kind != AG_OBJECT)
        return ag_schema_fail(s, "dependencies must be of type object");
    for (uint32_t i = 0; i < v.len; i++) {
        struct ag_value d = ag_value_at(&s->c->mem, v, i);
        bool ok = d.kind == AG_OBJECT || d.kind == AG_BOOL || ag_schema_is_list(d);
        for (uint32_t k = 0; ag_schema_is_list(d) && k < d.len; k++)
            ok = ok && ag_value_at(&s->c->mem, d, k).kind == AG_STRING;
        if (!ok)
            return ag_schema_fail(s, "Dependency must be of type Schema Or Array Of Strings");
        if (!ag_schema_is_list(d) && !check(s, d, depth + 1))
            return false;
    }
    return true;
}

static bool
check_items(struct ag_schema *s, struct ag_value o, unsigned depth)
{
    struct ag_value v = ag_schema_get(s, o, "items");
    for (uint32_t i = 0; ag_schema_is_list(v) && i < v.len; i++) {
        struct ag_value e = ag_value_at(&s->c->mem, v, i);
        if (e.kind != AG_OBJECT && e.kind != AG_BOOL)
            return wrong_type(s, "Valid Schema/Array Of Schemas", "items");
        if (!check(s, e, depth + 1))
            return false;
    }
    if (v.kind == AG_OBJECT || v.kind == AG_BOOL) {
        if (!check(s, v, depth + 1))
            return false;
    } else if (v.kind != AG_UNDEF && !ag_schema_is_list(v))
        return wrong_type(s, "Valid Schema/Array Of Schemas", "items");
    return check_additional(s, o, "additionalItems", depth);
}

// minimum and its exclusive form, or maximum: a boolean in draft 4, a number in 6 and 7, either without
// $schema.
static bool
check_bound(struct ag_schema *s, struct ag_value o, const char *key, const char *exclusive)
{
    struct ag_value v = ag_schema_get(s, o, key), x = ag_schema_get(s, o, exclusive);
    if (v.kind != AG_UNDEF && v.kind != AG_NUMBER)
        return ag_schema_fail(s, "%s must be of a Number", key);
    if (x.kind == AG_UNDEF)
        return true;
    bool takes_bool = s->draft == AG_DRAFT_4 || s->draft == AG_DRAFT_MIXED,
         takes_number = s->draft != AG_DRAFT_4;
    if (!(takes_bool && x.kind == AG_BOOL) && !(takes_number && x.kind == AG_NUMBER))
        return wrong_type(s,
                          takes_bool && takes_number ? "boolean/number"
                          : takes_bool               ? "boolean"
                                                     : "number",
                          exclusive);
    return x.kind == AG_NUMBER || v.kind == AG_NUMBER ||
           ag_schema_fail(s, "%s cannot be used without %s", exclusive, key);
}

static bool
check_numbers(struct ag_schema *s, struct ag_value o)
{
    struct ag_value m = ag_schema_get(s, o, "multipleOf");
    if (m.kind != AG_UNDEF && m.kind != AG_NUMBER)
        return wrong_type(s, "Number", "multipleOf");
    if (m.kind == AG_NUMBER && ag_number_cmp(m, ag_int(0)) <= 0)
        return ag_schema_fail(s, "multipleOf must be strictly greater than 0");
    return check_bound(s, o, "minimum", "exclusiveMinimum") &&
           check_bound(s, o, "maximum", "exclusiveMaximum");
}

static bool
check_strings(struct ag_schema *s, struct ag_value o)
{
    bool bad = false;
    if (!check_range(s, o, "minLength", "maxLength", "cannot be greater than") ||
        !check_string(s, o, "pattern"))
        return false;
    struct ag_value p = ag_schema_get(s, o, "pattern");
    if (p.kind == AG_STRING)
        ag_schema_pattern(s->c, ag_value_str(p), AG_STR(""), &bad);
    if (bad)
        return ag_schema_fail(s, "pattern must be a valid regex");
    return check_string(s, o, "format");
}

// A list whose elements differ; `is_strings`: all of them strings.
static bool
check_list(struct ag_schema *s, struct ag_value o, const char *key, bool is_strings)
{
    struct ag_value v = ag_schema_get(s, o, key);
    if (v.kind == AG_UNDEF)
        return true;
    if (!ag_schema_is_list(v))
        return ag_schema_fail(s, "%s must be of an array", key);
    if (!ag_charge(s->c, (uint64_t)v.len * v.len / 16))
        return false;
    for (uint32_t i = 0; i < v.len; i++) {
        struct ag_value e = ag_value_at(&s->c->mem, v, i);
        if (is_strings && e.kind != AG_STRING)
            return wrong_type(s, "string", key);
        for (uint32_t k = 0; k < i; k++)
            if (ag_value_eq(&s->c->mem, e, ag_value_at(&s->c->mem, v, k)))
                return ag_schema_fail(s, "%s items must be unique", key);
    }
    return true;
}

static bool
check_alternatives(struct ag_schema *s, struct ag_value o, unsigned depth)
{
    static const char *const lists[] = {"oneOf", "anyOf", "allOf"}, *const ones[] = {"not", "if", "then",
                                                                                     "else"};
    for (size_t i = 0; i < 3; i++) {
        struct ag_value v = ag_schema_get(s, o, lists[i]);
        if (v.kind != AG_UNDEF && !ag_schema_is_list(v))
            return ag_schema_fail(s, "%s must be of an array", lists[i]);
        if (v.kind != AG_UNDEF && !check_map(s, v, depth))
            return false;
    }
    for (size_t i = 0; i < (s->draft >= AG_DRAFT_7 ? 4u : 1u); i++) {
        struct ag_value v = ag_schema_get(s, o, ones[i]);
        if (v.kind != AG_UNDEF && v.kind != AG_OBJECT && v.kind != AG_BOOL)
            return ag_schema_fail(s, "%s must be of an object", ones[i]);
        if (v.kind != AG_UNDEF && !check(s, v, depth + 1))
            return false;
    }
    return true;
}

static bool
check_object(struct ag_schema *s, struct ag_value o, unsigned depth)
{
    struct ag_value ref = ag_schema_get(s, o, "$ref"), unique = ag_schema_get(s, o, "uniqueItems");
    struct ag_value contains = ag_schema_get(s, o, "contains");
    bool has_old_id =
        s->draft == AG_DRAFT_4 || (s->draft == AG_DRAFT_MIXED && ag_schema_get(s, o, "id").kind != AG_UNDEF);
    if (!check_string(s, o, has_old_id ? "id" : "$id") || !check_definitions(s, o, depth) ||
        !check_string(s, o, "title") || !check_string(s, o, "description") || !check_string(s, o, "$ref"))
        return false;
    if (ref.kind == AG_STRING)
        return check_ref(s, ag_value_str(ref), depth);
    if (!check_type(s, o) || !check_properties(s, o, depth) || !check_dependencies(s, o, depth) ||
        !check_items(s, o, depth) || !check_numbers(s, o) || !check_strings(s, o) ||
        !check_range(s, o, "minProperties", "maxProperties", "cannot be greater than") ||
        !check_list(s, o, "required", true) || !check_range(s, o, "minItems", "maxItems", NULL))
        return false;
    if (unique.kind != AG_UNDEF && unique.kind != AG_BOOL)
        return ag_schema_fail(s, "uniqueItems must be of a boolean");
    if (contains.kind != AG_UNDEF && s->draft >= AG_DRAFT_6 && !check(s, contains, depth + 1))
        return false;
    return check_list(s, o, "enum", false) && check_alternatives(s, o, depth);
}

static bool
check(struct ag_schema *s, struct ag_value v, unsigned depth)
{
    if (depth > AG_SCHEMA_DEPTH_MAX)
        return ag_schema_fail(s, "schemas nest more than %u deep", AG_SCHEMA_DEPTH_MAX);
    if (!ag_charge(s->c, 64))
        return false;
    if (v.kind == AG_BOOL && s->draft >= AG_DRAFT_6)
        return true;
    if (v.kind != AG_OBJECT)
        return ag_schema_fail(s, "Expected: Valid Schema, given: Invalid JSON");
    return check_object(s, v, depth) && s->c->stop == AG_EVAL_OK;
}

static bool
read_draft(struct ag_schema *s)
{
    static const struct {
        const char *url;
        enum ag_draft draft;
    } drafts[] = {{"http://json-schema.org/draft-04/schema", AG_DRAFT_4},
                  {"http://json-schema.org/draft-06/schema", AG_DRAFT_6},
                  {"http://json-schema.org/draft-07/schema", AG_DRAFT_7}};
    s->draft = AG_DRAFT_MIXED;
    if (s->root.kind == AG_BOOL)
        return true;
    if (s->root.kind != AG_OBJECT)
        return ag_schema_fail(s, "schema is invalid");
    struct ag_value v = ag_schema_get(s, s->root, "$schema");
    if (v.kind == AG_UNDEF)
        return true;
    if (v.kind != AG_STRING)
        return ag_schema_fail(s, "$schema must be of type string");
    struct ag_str url = ag_value_str(v);
    if (url.n && url.p[url.n - 1] == '#')
        url.n--;
    for (size_t i = 0; i < 3; i++)
        if (ag_str_is(url, drafts[i].url))
            s->draft = drafts[i].draft;
    return true;
}

bool
ag_schema_check(struct ag_call *c, struct ag_value root, struct ag_schema *s)
{
    *s = (struct ag_schema){.c = c, .root = root};
    s->ref = ag_call_alloc(c, AG_SCHEMA_REFS_MAX * sizeof *s->ref, 8);
    return s->ref && read_draft(s) && check(s, root, 0);
}
