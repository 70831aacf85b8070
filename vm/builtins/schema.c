// SPDX-License-Identifier: Apache-2.0
// Does a document fit a schema? Built-ins json.match_schema and json.verify_schema.
// In: a schema that schema_check.c accepted, a document. Out: findings in the order of Open Policy Agent's
// library, with its types, fields and texts. Next file to read: schema_format.c.
#include "schema.h"
#include "jwt.h"
#include "utf8.h"
#include "x509.h"

struct place { // where in the document: innermost first
    const struct place *outer;
    struct ag_str name;
};

struct run {
    struct ag_schema *s;
    unsigned depth;
};

static bool match(struct run *r, struct ag_value schema, struct ag_value v, const struct place *at,
                  struct ag_finding_list *out);

// --- findings
// -------------------------------------------------------------------------------------------------------

static void
put_place(struct ag_buf *b, const struct place *at)
{
    if (at->outer) {
        put_place(b, at->outer);
        ag_buf_char(b, '.');
    }
    ag_buf_str(b, at->name);
}

// Makes room for a text in the arena; end it with finish.
static bool
start(struct run *r, struct ag_buf *b)
{
    struct ag_arena *a = r->s->c->mem.arena;
    size_t room = a->size - a->used < AG_STRING_MAX ? a->size - a->used : AG_STRING_MAX;
    char *p = ag_call_alloc(r->s->c, room, 1);
    if (p)
        ag_buf_init(b, p, room);
    return p != NULL;
}

static struct ag_str
finish(struct run *r, struct ag_buf *b)
{
    struct ag_arena *a = r->s->c->mem.arena;
    ag_arena_reset(a, (size_t)((uint8_t *)b->p - a->base) + b->n);
    if (b->is_full)
        ag_stop(r->s->c, AG_EVAL_ARENA);
    ag_charge_bytes(r->s->c, b->n);
    return ag_str_of(b->p, b->n);
}

// The field as findings name it: the path below the root.
static struct ag_str
field_of(struct run *r, const struct place *at)
{
    struct ag_buf b;
    struct ag_str root = AG_STR("(Root).");
    if (!start(r, &b))
        return ag_str_of("", 0);
    put_place(&b, at);
    struct ag_str s = finish(r, &b);
    if (s.n > root.n && memcmp(s.p, root.p, root.n) == 0)
        s = ag_str_of(s.p + root.n, s.n - root.n);
    return s;
}

static void
add(struct run *r, struct ag_finding_list *out, const struct place *at, const char *type, struct ag_str text)
{
    struct ag_schema_finding *f = ag_call_alloc(r->s->c, sizeof *f, 8);
    if (!f)
        return;
    *f = (struct ag_schema_finding){NULL, type, field_of(r, at), text};
    *(out->last ? &out->last->next : &out->first) = f;
    out->last = f;
    out->score -= 2; // one point less, with the one that every keyword group gives
}

static void
merge(struct ag_finding_list *out, const struct ag_finding_list *in)
{
    if (in->first) {
        *(out->last ? &out->last->next : &out->first) = in->first;
        out->last = in->last;
    }
    out->score += in->score;
}

// A text of one part, or of a part, a middle and an end.
static void
add_text(struct run *r, struct ag_finding_list *out, const struct place *at, const char *type,
         const char *before, struct ag_str middle, const char *after)
{
    struct ag_buf b;
    if (!start(r, &b))
        return;
    ag_buf_str(&b, ag_str_z(before));
    ag_buf_str(&b, middle);
    ag_buf_str(&b, ag_str_z(after));
    add(r, out, at, type, finish(r, &b));
}

static void
add_number(struct run *r, struct ag_finding_list *out, const struct place *at, const char *type,
           const char *before, struct ag_value n, const char *after)
{
    struct ag_buf b;
    if (!start(r, &b))
        return;
    ag_buf_str(&b, ag_str_z(before));
    ag_schema_put_number(&b, n);
    ag_buf_str(&b, ag_str_z(after));
    add(r, out, at, type, finish(r, &b));
}

static void
add_plain(struct run *r, struct ag_finding_list *out, const struct place *at, const char *type,
          const char *text)
{
    add(r, out, at, type, ag_str_z(text));
}

// --- types
// ----------------------------------------------------------------------------------------------------------

static const char *
type_of(struct ag_value v)
{
    int64_t n;
    switch (v.kind) {
    case AG_NULL: return "null";
    case AG_BOOL: return "boolean";
    case AG_NUMBER: return ag_number_int(v, &n) || ag_num_is_int(ag_number_view(v)) ? "integer" : "number";
    case AG_STRING: return "string";
    case AG_OBJECT: return "object";
    default: return "array";
    }
}

static bool
has_type(struct ag_str wanted, const char *is)
{
    return ag_str_is(wanted, is) || (ag_str_is(wanted, "number") && strcmp(is, "integer") == 0);
}

// False: the type is wrong, which ends the test of this schema.
static bool
match_type(struct run *r, struct ag_value schema, struct ag_value v, const struct place *at,
           struct ag_finding_list *out)
{
    const struct ag_mem *m = &r->s->c->mem;
    struct ag_value type = ag_schema_get(r->s, schema, "type");
    const char *is = type_of(v);
    struct ag_buf b;
    if (type.kind == AG_STRING ? has_type(ag_value_str(type), is) : !ag_schema_is_list(type) || type.len == 0)
        return true;
    for (uint32_t i = 0; type.kind != AG_STRING && i < type.len; i++)
        if (has_type(ag_value_str(ag_value_at(m, type, i)), is))
            return true;
    if (!start(r, &b))
        return false;
    ag_buf_lit(&b, "Invalid type. Expected: ");
    if (type.kind == AG_STRING)
        ag_buf_str(&b, ag_value_str(type));
    else if (type.len > 1)
        ag_buf_char(&b, '[');
    for (uint32_t i = 0; type.kind != AG_STRING && i < type.len; i++) {
        ag_buf_str(&b, i ? AG_STR(",") : AG_STR(""));
        ag_buf_str(&b, ag_value_str(ag_value_at(m, type, i)));
    }
    if (type.kind != AG_STRING && type.len > 1)
        ag_buf_char(&b, ']');
    ag_buf_lit(&b, ", given: ");
    ag_buf_str(&b, ag_str_z(is));
    add(r, out, at, "invalid_type", finish(r, &b));
    return false;
}

// --- combinations
// ---------------------------------------------------------------------------------------------------

static bool
fits(struct run *r, struct ag_value schema, struct ag_value v, const struct place *at,
     struct ag_finding_list *ret)
{
    *ret = (struct ag_finding_list){NULL, NULL, 0};
    return match(r, schema, v, at, ret) && !ret->first;
}

static void
match_any(struct run *r, struct ag_value list, struct ag_value v, const struct place *at,
          struct ag_finding_list *out)
{
    struct ag_finding_list best = {NULL, NULL, INT64_MIN}, one;
    for (uint32_t i = 0; i < list.len; i++) {
        if (fits(r, ag_value_at(&r->s->c->mem, list, i), v, at, &one))
            return;
        if (one.score > best.score)
            best = one;
    }
    add_plain(r, out, at, "number_any_of", "Must validate at least one schema (anyOf)");
    if (best.first)
        merge(out, &best);
}

static void
match_one(struct run *r, struct ag_value list, struct ag_value v, const struct place *at,
          struct ag_finding_list *out)
{
    struct ag_finding_list best = {NULL, NULL, INT64_MIN}, one;
    uint32_t n = 0;
    for (uint32_t i = 0; i < list.len; i++) {
        if (fits(r, ag_value_at(&r->s->c->mem, list, i), v, at, &one))
            n++;
        else if (n == 0 && one.score > best.score)
            best = one;
    }
    if (n == 1)
        return;
    add_plain(r, out, at, "number_one_of", "Must validate one and only one schema (oneOf)");
    if (n == 0 && best.first)
        merge(out, &best);
}

static void
match_all(struct run *r, struct ag_value list, struct ag_value v, const struct place *at,
          struct ag_finding_list *out)
{
    struct ag_finding_list one;
    uint32_t n = 0;
    for (uint32_t i = 0; i < list.len; i++) {
        n += fits(r, ag_value_at(&r->s->c->mem, list, i), v, at, &one);
        merge(out, &one);
    }
    if (n != list.len)
        add_plain(r, out, at, "number_all_of", "Must validate all the schemas (allOf)");
}

static void
match_dependencies(struct run *r, struct ag_value deps, struct ag_value v, const struct place *at,
                   struct ag_finding_list *out)
{
    const struct ag_mem *m = &r->s->c->mem;
    for (uint32_t i = 0; deps.kind == AG_OBJECT && i < deps.len; i++) {
        struct ag_value dep = ag_value_at(m, deps, i), key = ag_object_key(m, deps, i);
        if (ag_value_get(m, v, key).kind == AG_UNDEF)
            continue;
        for (uint32_t k = 0; ag_schema_is_list(dep) && k < dep.len; k++) {
            struct ag_value other = ag_value_at(m, dep, k);
            if (ag_value_get(m, v, other).kind == AG_UNDEF)
                add_text(r, out, at, "missing_dependency", "Has a dependency on ", ag_value_str(other), "");
        }
        if (!ag_schema_is_list(dep))
            match(r, dep, v, at, out);
    }
}

static void
match_condition(struct run *r, struct ag_value schema, struct ag_value v, const struct place *at,
                struct ag_finding_list *out)
{
    struct ag_value cond = ag_schema_get(r->s, schema, "if");
    struct ag_finding_list one;
    if (cond.kind == AG_UNDEF || r->s->draft < AG_DRAFT_7)
        return;
    bool is_then = fits(r, cond, v, at, &one);
    struct ag_value branch = ag_schema_get(r->s, schema, is_then ? "then" : "else");
    if (branch.kind == AG_UNDEF || fits(r, branch, v, at, &one))
        return;
    add_plain(r, out, at, is_then ? "condition_then" : "condition_else",
              is_then ? "Must validate \"then\" as \"if\" was valid"
                      : "Must validate \"else\" as \"if\" was not valid");
    merge(out, &one);
}

static void
match_combinations(struct run *r, struct ag_value schema, struct ag_value v, const struct place *at,
                   struct ag_finding_list *out)
{
    struct ag_value any = ag_schema_get(r->s, schema, "anyOf"), one = ag_schema_get(r->s, schema, "oneOf");
    struct ag_value all = ag_schema_get(r->s, schema, "allOf"), not = ag_schema_get(r->s, schema, "not");
    struct ag_finding_list ignored;
    if (any.kind != AG_UNDEF && any.len)
        match_any(r, any, v, at, out);
    if (one.kind != AG_UNDEF && one.len)
        match_one(r, one, v, at, out);
    if (all.kind != AG_UNDEF && all.len)
        match_all(r, all, v, at, out);
    if (not .kind != AG_UNDEF && fits(r, not, v, at, &ignored))
        add_plain(r, out, at, "number_not", "Must not validate the schema (not)");
    if (v.kind == AG_OBJECT)
        match_dependencies(r, ag_schema_get(r->s, schema, "dependencies"), v, at, out);
    match_condition(r, schema, v, at, out);
    out->score++;
}

// --- const, enum, format
// --------------------------------------------------------------------------------------------

static struct ag_value
as_json(struct ag_value v) // sets count as arrays
{
    if (v.kind == AG_SET)
        v.head = (v.head & ~(uint64_t)0xff) | AG_ARRAY;
    return v;
}

static bool
equal(struct run *r, struct ag_value a, struct ag_value b)
{
    return ag_value_eq(&r->s->c->mem, as_json(a), as_json(b));
}

// "FIELD WORDS: the values as JSON".
static void
add_allowed(struct run *r, struct ag_finding_list *out, const struct place *at, const char *type,
            const char *words, struct ag_value allowed, bool is_list)
{
    struct ag_buf b;
    struct ag_str field = field_of(r, at), all = {"", 0}, texts[64];
    uint32_t n = is_list ? allowed.len : 1, shown = n < 64 ? n : 64;
    for (uint32_t i = 0; i < shown; i++)
        texts[i] = ag_jwt_marshal(r->s->c, is_list ? ag_value_at(&r->s->c->mem, allowed, i) : allowed);
    if (r->s->c->stop != AG_EVAL_OK || !start(r, &b))
        return;
    ag_buf_str(&b, field);
    ag_buf_str(&b, ag_str_z(words));
    for (uint32_t i = 0; i < shown; i++) {
        ag_buf_str(&b, i ? AG_STR(", ") : all);
        ag_buf_str(&b, texts[i]);
    }
    if (shown < n)
        ag_buf_lit(&b, ", ...");
    add(r, out, at, type, finish(r, &b));
}

static void
match_common(struct run *r, struct ag_value schema, struct ag_value v, const struct place *at,
             struct ag_finding_list *out)
{
    struct ag_value one = ag_schema_get(r->s, schema, "const"), many = ag_schema_get(r->s, schema, "enum");
    struct ag_value format = ag_schema_get(r->s, schema, "format");
    if (one.kind != AG_UNDEF && r->s->draft >= AG_DRAFT_6 && !equal(r, one, v))
        add_allowed(r, out, at, "const", " does not match: ", one, false);
    if (many.kind != AG_UNDEF && many.len) {
        bool found = false;
        for (uint32_t i = 0; i < many.len && !found; i++)
            found = ag_charge(r->s->c, 4) && equal(r, ag_value_at(&r->s->c->mem, many, i), v);
        if (!found)
            add_allowed(r, out, at, "enum", " must be one of the following: ", many, true);
    }
    if (format.kind == AG_STRING && v.kind == AG_STRING &&
        !ag_schema_format(r->s->c, ag_value_str(format), ag_value_str(v)))
        add_text(r, out, at, "format", "Does not match format '", ag_value_str(format), "'");
    out->score++;
}

// --- arrays
// ---------------------------------------------------------------------------------------------------------

static bool
match_element(struct run *r, struct ag_value schema, struct ag_value list, uint32_t i, const struct place *at,
              struct ag_finding_list *ret)
{
    char digits[12];
    struct ag_buf b;
    ag_buf_init(&b, digits, sizeof digits);
    ag_buf_u64(&b, i);
    struct place in = {at, ag_str_of(digits, b.n)};
    *ret = (struct ag_finding_list){NULL, NULL, 0};
    return match(r, schema, ag_value_at(&r->s->c->mem, list, i), &in, ret) && !ret->first;
}

static void
match_items(struct run *r, struct ag_value schema, struct ag_value v, const struct place *at,
            struct ag_finding_list *out)
{
    struct ag_value items = ag_schema_get(r->s, schema, "items"),
                    more = ag_schema_get(r->s, schema, "additionalItems");
    struct ag_finding_list one;
    bool is_single = items.kind == AG_OBJECT || items.kind == AG_BOOL;
    uint32_t known = is_single ? v.len : items.kind == AG_UNDEF ? 0 : items.len < v.len ? items.len : v.len;
    for (uint32_t i = 0; i < known; i++) {
        match_element(r, is_single ? items : ag_value_at(&r->s->c->mem, items, i), v, i, at, &one);
        merge(out, &one);
    }
    if (is_single || items.kind == AG_UNDEF || items.len == 0 || items.len >= v.len)
        return;
    if (more.kind == AG_BOOL && !more.i)
        add_plain(r, out, at, "array_no_additional_items", "No additional items allowed on array");
    for (uint32_t i = items.len; more.kind == AG_OBJECT && i < v.len; i++) {
        match_element(r, more, v, i, at, &one);
        merge(out, &one);
    }
}

static void
match_unique(struct run *r, struct ag_value v, const struct place *at, struct ag_finding_list *out)
{
    if (!ag_charge(r->s->c, (uint64_t)v.len * v.len / 8))
        return;
    for (uint32_t j = 1; j < v.len; j++)
        for (uint32_t i = j; i-- > 0;) { // the nearest equal one before
            struct ag_buf b;
            if (!equal(r, ag_value_at(&r->s->c->mem, v, i), ag_value_at(&r->s->c->mem, v, j)))
                continue;
            if (!start(r, &b))
                return;
            ag_buf_lit(&b, "array items[");
            ag_buf_u64(&b, i);
            ag_buf_char(&b, ',');
            ag_buf_u64(&b, j);
            ag_buf_lit(&b, "] must be unique");
            add(r, out, at, "unique", finish(r, &b));
            break;
        }
}

static void
match_contains(struct run *r, struct ag_value schema, struct ag_value v, const struct place *at,
               struct ag_finding_list *out)
{
    struct ag_value contains = ag_schema_get(r->s, schema, "contains");
    struct ag_finding_list best = {NULL, NULL, INT64_MIN}, one;
    if (contains.kind == AG_UNDEF || r->s->draft < AG_DRAFT_6)
        return;
    for (uint32_t i = 0; i < v.len; i++) {
        if (match_element(r, contains, v, i, at, &one))
            return;
        if (one.score > best.score)
            best = one;
    }
    add_plain(r, out, at, "contains", "At least one of the items must match");
    if (best.first)
        merge(out, &best);
}

// A bound on a count: `sign` 1 for a maximum, -1 for a minimum.
static void
match_count(struct run *r, struct ag_value schema, const char *key, int64_t n, int sign,
            const struct place *at, const char *type, const char *before, const char *after,
            struct ag_finding_list *out)
{
    struct ag_value bound = ag_schema_get(r->s, schema, key);
    int64_t k;
    struct ag_buf b;
    if (bound.kind == AG_UNDEF || !ag_number_int(bound, &k) || (sign > 0 ? n <= k : n >= k) || !start(r, &b))
        return;
    ag_buf_str(&b, ag_str_z(before));
    ag_buf_i64(&b, k);
    ag_buf_str(&b, ag_str_z(after));
    add(r, out, at, type, finish(r, &b));
}

static void
match_array(struct run *r, struct ag_value schema, struct ag_value v, const struct place *at,
            struct ag_finding_list *out)
{
    struct ag_value unique = ag_schema_get(r->s, schema, "uniqueItems");
    match_items(r, schema, v, at, out);
    match_count(r, schema, "minItems", v.len, -1, at, "array_min_items", "Array must have at least ",
                " items", out);
    match_count(r, schema, "maxItems", v.len, 1, at, "array_max_items", "Array must have at most ", " items",
                out);
    if (unique.kind == AG_BOOL && unique.i)
        match_unique(r, v, at, out);
    match_contains(r, schema, v, at, out);
    out->score++;
}

// --- objects
// --------------------------------------------------------------------------------------------------------

static void
match_required(struct run *r, struct ag_value schema, struct ag_value v, const struct place *at,
               struct ag_finding_list *out)
{
    const struct ag_mem *m = &r->s->c->mem;
    struct ag_value required = ag_schema_get(r->s, schema, "required");
    for (uint32_t i = 0; required.kind != AG_UNDEF && i < required.len; i++) {
        struct ag_value key = ag_value_at(m, required, i);
        if (ag_value_get(m, v, key).kind != AG_UNDEF)
            out->score++;
        else
            add_text(r, out, at, "required", "", ag_value_str(key), " is required");
    }
}

static bool
match_patterns(struct run *r, struct ag_value patterns, struct ag_str key, struct ag_value v,
               const struct place *at, struct ag_finding_list *out)
{
    struct place in = {at, key};
    bool found = false, bad;
    for (uint32_t i = 0; patterns.kind == AG_OBJECT && i < patterns.len; i++) {
        struct ag_finding_list one;
        struct ag_value pattern = ag_object_key(&r->s->c->mem, patterns, i);
        if (!ag_schema_pattern(r->s->c, ag_value_str(pattern), key, &bad))
            continue;
        found = true;
        fits(r, ag_value_at(&r->s->c->mem, patterns, i), v, &in, &one);
        merge(out, &one);
    }
    out->score += found;
    return found;
}

// Members that neither properties nor patternProperties describe.
static void
match_members(struct run *r, struct ag_value schema, struct ag_value v, const struct place *at,
              struct ag_finding_list *out)
{
    const struct ag_mem *m = &r->s->c->mem;
    struct ag_value properties = ag_schema_get(r->s, schema, "properties");
    struct ag_value patterns = ag_schema_get(r->s, schema, "patternProperties");
    struct ag_value more = ag_schema_get(r->s, schema, "additionalProperties");
    for (uint32_t i = 0; i < v.len && ag_charge(r->s->c, 8); i++) {
        struct ag_value key = ag_object_key(m, v, i), member = ag_value_at(m, v, i);
        struct ag_str name = key.kind == AG_STRING ? ag_value_str(key) : ag_jwt_marshal(r->s->c, key);
        struct place in = {at, name};
        struct ag_finding_list one;
        bool is_known = properties.kind == AG_OBJECT && ag_value_get(m, properties, key).kind != AG_UNDEF;
        if (match_patterns(r, patterns, name, member, at, out) || is_known)
            continue;
        if (more.kind == AG_BOOL && !more.i)
            add_text(r, out, at, "additional_property_not_allowed", "Additional property ", name,
                     " is not allowed");
        else if (more.kind == AG_OBJECT) {
            fits(r, more, member, &in, &one);
            merge(out, &one);
        }
    }
}

static void
match_names(struct run *r, struct ag_value schema, struct ag_value v, const struct place *at,
            struct ag_finding_list *out)
{
    struct ag_value names = ag_schema_get(r->s, schema, "propertyNames");
    for (uint32_t i = 0; names.kind != AG_UNDEF && r->s->draft >= AG_DRAFT_6 && i < v.len; i++) {
        struct ag_finding_list one;
        struct ag_value key = ag_object_key(&r->s->c->mem, v, i);
        if (key.kind != AG_STRING || fits(r, names, key, at, &one))
            continue;
        add_text(r, out, at, "invalid_property_name", "Property name of \"", ag_value_str(key),
                 "\" does not match");
        merge(out, &one);
    }
}

static void
match_object(struct run *r, struct ag_value schema, struct ag_value v, const struct place *at,
             struct ag_finding_list *out)
{
    match_count(r, schema, "minProperties", v.len, -1, at, "array_min_properties", "Must have at least ",
                " properties", out);
    match_count(r, schema, "maxProperties", v.len, 1, at, "array_max_properties", "Must have at most ",
                " properties", out);
    match_required(r, schema, v, at, out);
    match_members(r, schema, v, at, out);
    match_names(r, schema, v, at, out);
    out->score++;
}

static void
match_properties(struct run *r, struct ag_value schema, struct ag_value v, const struct place *at,
                 struct ag_finding_list *out)
{
    const struct ag_mem *m = &r->s->c->mem;
    struct ag_value properties = ag_schema_get(r->s, schema, "properties");
    for (uint32_t i = 0; properties.kind == AG_OBJECT && i < properties.len; i++) {
        struct ag_value key = ag_object_key(m, properties, i), member = ag_value_get(m, v, key);
        if (member.kind == AG_UNDEF || key.kind != AG_STRING)
            continue;
        struct place in = {at, ag_value_str(key)};
        match(r, ag_value_at(m, properties, i), member, &in, out);
    }
}

// --- strings and numbers
// --------------------------------------------------------------------------------------------

static void
match_string(struct run *r, struct ag_value schema, struct ag_value v, const struct place *at,
             struct ag_finding_list *out)
{
    struct ag_value pattern = ag_schema_get(r->s, schema, "pattern");
    int64_t n = 0;
    bool bad = false;
    for (uint32_t i = 0; i < v.len; i++)
        n += (v.p[i] & 0xc0) != 0x80;
    match_count(r, schema, "minLength", n, -1, at, "string_gte",
                "String length must be greater than or equal to ", "", out);
    match_count(r, schema, "maxLength", n, 1, at, "string_lte",
                "String length must be less than or equal to ", "", out);
    if (pattern.kind == AG_STRING &&
        !ag_schema_pattern(r->s->c, ag_value_str(pattern), ag_value_str(v), &bad))
        add_text(r, out, at, "pattern", "Does not match pattern '", ag_value_str(pattern), "'");
    out->score++;
}

// An upper (`sign` 1) or lower bound with its exclusive form, which may be a boolean.
static void
match_bound(struct run *r, struct ag_value schema, struct ag_value v, const char *key, const char *exclusive,
            int sign, const struct place *at, struct ag_finding_list *out)
{
    struct ag_value bound = ag_schema_get(r->s, schema, key), x = ag_schema_get(r->s, schema, exclusive);
    struct ag_value strict = x.kind == AG_NUMBER ? x : x.kind == AG_BOOL && x.i ? bound : ag_undef();
    if (x.kind == AG_BOOL && x.i)
        bound = ag_undef();
    if (bound.kind == AG_NUMBER && ag_number_cmp(v, bound) * sign > 0)
        add_number(r, out, at, sign > 0 ? "number_lte" : "number_gte",
                   sign > 0 ? "Must be less than or equal to " : "Must be greater than or equal to ", bound,
                   "");
    if (strict.kind == AG_NUMBER && ag_number_cmp(v, strict) * sign >= 0)
        add_number(r, out, at, sign > 0 ? "number_lt" : "number_gt",
                   sign > 0 ? "Must be less than " : "Must be greater than ", strict, "");
}

static void
match_number(struct run *r, struct ag_value schema, struct ag_value v, const struct place *at,
             struct ag_finding_list *out)
{
    struct ag_value m = ag_schema_get(r->s, schema, "multipleOf");
    if (m.kind == AG_NUMBER && ag_charge(r->s->c, 256) && !ag_schema_is_multiple(v, m))
        add_number(r, out, at, "multiple_of", "Must be a multiple of ", m, "");
    match_bound(r, schema, v, "maximum", "exclusiveMaximum", 1, at, out);
    match_bound(r, schema, v, "minimum", "exclusiveMinimum", -1, at, out);
    out->score++;
}

// --- all together
// ---------------------------------------------------------------------------------------------------

static void
match_value(struct run *r, struct ag_value schema, struct ag_value v, const struct place *at,
            struct ag_finding_list *out)
{
    if (!match_type(r, schema, v, at, out))
        return;
    match_combinations(r, schema, v, at, out);
    if (v.kind == AG_OBJECT)
        match_object(r, schema, v, at, out);
    else if (ag_schema_is_list(v))
        match_array(r, schema, v, at, out);
    else if (v.kind == AG_NUMBER)
        match_number(r, schema, v, at, out);
    match_common(r, schema, v, at, out);
    if (v.kind == AG_OBJECT)
        match_properties(r, schema, v, at, out);
    else if (v.kind == AG_STRING)
        match_string(r, schema, v, at, out);
    out->score++;
}

// False: the evaluation ended, or schemas nest too deeply.
static bool
match(struct run *r, struct ag_value schema, struct ag_value v, const struct place *at,
      struct ag_finding_list *out)
{
    if (r->depth >= AG_SCHEMA_DEPTH_MAX)
        return ag_schema_fail(r->s, "schemas nest more than %u deep", AG_SCHEMA_DEPTH_MAX);
    if (r->s->has_error || !ag_charge(r->s->c, 32))
        return false;
    if (schema.kind == AG_BOOL) {
        if (!schema.i)
            add_plain(r, out, at, "false", "False always fails validation");
        return true;
    }
    struct ag_value ref = ag_schema_get(r->s, schema, "$ref");
    r->depth++;
    if (ref.kind == AG_STRING)
        match(r, ag_schema_resolve(r->s, ag_value_str(ref)), v, at, out);
    else
        match_value(r, schema, v, at, out);
    r->depth--;
    return !r->s->has_error && r->s->c->stop == AG_EVAL_OK;
}

bool
ag_schema_match(struct ag_schema *s, struct ag_value document, struct ag_finding_list *ret)
{
    struct run r = {s, 0};
    struct place root = {NULL, AG_STR("(Root)")};
    *ret = (struct ag_finding_list){NULL, NULL, 0};
    return match(&r, s->root, document, &root, ret);
}

// --- built-ins
// ------------------------------------------------------------------------------------------------------

// A text is JSON, objects and arrays are taken as they are. NULL, or what is wrong.
static const char *
load(struct ag_call *c, struct ag_value v, struct ag_value *ret)
{
    *ret = v;
    if (v.kind == AG_STRING)
        return ag_jwt_json(c, ag_value_str(v), ret) == AG_JSON_OK ? NULL : "invalid JSON string";
    return v.kind == AG_OBJECT || ag_schema_is_list(v) ? NULL : "wrong type, expected string or object";
}

static struct ag_value
pair(struct ag_call *c, bool is_valid, struct ag_value v)
{
    struct ag_builder *b = ag_builder_new(&c->mem, AG_ARRAY);
    return ag_bi_close(c, b,
                       b && ag_builder_push(&c->mem, b, ag_bool(is_valid)) && ag_builder_push(&c->mem, b, v));
}

struct ag_value
ag_bi_verify_schema(struct ag_call *c, const struct ag_value *a)
{
    struct ag_schema s = {.c = c};
    struct ag_value root;
    const char *why = load(c, a[0], &root);
    char text[AG_SCHEMA_ERROR_MAX + 16];
    struct ag_buf b;
    if (!why && ag_schema_check(c, root, &s))
        return pair(c, true, ag_null());
    if (c->stop != AG_EVAL_OK)
        return ag_undef();
    ag_buf_init(&b, text, sizeof text);
    ag_buf_lit(&b, "jsonschema: ");
    ag_buf_str(&b, ag_str_z(why ? why : s.error));
    struct ag_value words = ag_bi_copy(c, ag_str_of(text, ag_utf8_valid(text, b.n) ? b.n : 0));
    return words.kind == AG_STRING ? pair(c, false, words) : ag_undef();
}

static struct ag_value
finding_value(struct ag_call *c, const struct ag_schema_finding *f)
{
    struct ag_fields o = ag_fields_new(c);
    struct ag_buf b;
    size_t n = f->field.n + 2 + f->text.n;
    char *p = ag_charge_bytes(c, n) ? ag_call_alloc(c, n, 1) : NULL;
    if (!p)
        return ag_undef();
    ag_buf_init(&b, p, n);
    ag_buf_str(&b, f->field);
    ag_buf_lit(&b, ": ");
    ag_buf_str(&b, f->text);
    ag_fields_put(&o, "error", ag_bi_text(p, b.n));
    ag_fields_put(&o, "type", ag_bi_copy(c, ag_str_z(f->type)));
    ag_fields_put(&o, "field", ag_bi_copy(c, f->field));
    ag_fields_put(&o, "desc", ag_bi_copy(c, f->text));
    return ag_fields_close(&o);
}

struct ag_value
ag_bi_match_schema(struct ag_call *c, const struct ag_value *a)
{
    struct ag_schema s = {.c = c};
    struct ag_finding_list found;
    struct ag_value document, root;
    const char *why = load(c, a[0], &document);
    if (!why)
        why = load(c, a[1], &root);
    if (why)
        return c->stop != AG_EVAL_OK ? ag_undef() : ag_error(c, AG_VERR_BUILTIN, "%s", why);
    if (!ag_schema_check(c, root, &s) || !ag_schema_match(&s, document, &found))
        return c->stop != AG_EVAL_OK ? ag_undef() : ag_error(c, AG_VERR_BUILTIN, "%s", s.error);
    struct ag_builder *b = ag_builder_new(&c->mem, AG_ARRAY);
    bool ok = b != NULL;
    for (const struct ag_schema_finding *f = found.first; f && ok; f = f->next) {
        struct ag_value v = finding_value(c, f);
        if (v.kind != AG_OBJECT)
            return v;
        ok = ag_builder_push(&c->mem, b, v);
    }
    struct ag_value list = ag_bi_close(c, b, ok);
    return list.kind == AG_ARRAY ? pair(c, !found.first, list) : list;
}
