// SPDX-License-Identifier: Apache-2.0
// JSON Schema to type terms. In: the bytes of a schema. Out: the type of the values that it describes, or a
// wider one. Memory: the schema's values live until the function returns, terms and keys in the compile
// arena. Next file to read: check_program.c.
#include "type_schema.h"

#include "value.h"

#include <stdlib.h>

#define CELLS_PER_BYTE 40u // memory that the values of one byte of JSON need at most
#define ARENA_BASE     65536u
#define ANY            (&agc_type_any)

struct schema {
    struct agc_arena *a;
    struct ag_mem mem;
    struct ag_value root;
    unsigned refs;
    uint32_t left; // schemas that may still be read: references can multiply
};

static const struct agc_type *read_schema(struct schema *s, struct ag_value v);

static struct ag_value
get(const struct schema *s, struct ag_value v, const char *key)
{
    return v.kind == AG_OBJECT ? ag_object_get(&s->mem, v, ag_str_z(key)) : ag_undef();
}

static struct agc_node *
key_node(struct schema *s, struct ag_value key)
{
    return agc_node_new(s->a, AGC_STRING, (struct agc_span){0}, agc_strdup(s->a, ag_value_str(key)), 0);
}

// --- types by name
static const struct agc_type *
read_object(struct schema *s, struct ag_value v)
{
    struct ag_value props = get(s, v, "properties"), more = get(s, v, "additionalProperties");
    uint32_t n = props.kind == AG_OBJECT ? props.len : 0;
    struct agc_type_prop *prop = agc_alloc(s->a, (n + 1u) * sizeof *prop);
    for (uint32_t i = 0; i < n; i++)
        prop[i] = (struct agc_type_prop){key_node(s, ag_object_key(&s->mem, props, i)),
                                         read_schema(s, ag_value_at(&s->mem, props, i))};
    const struct agc_type *rest = NULL;
    if (more.kind == AG_OBJECT)
        rest = read_schema(s, more);
    else if (more.kind == AG_BOOL ? more.i != 0 : n == 0)
        rest = ANY;
    return agc_type_object(s->a, prop, n, rest ? agc_type_scalar(AGC_TY_STRING) : NULL, rest);
}

static const struct agc_type *
read_array(struct schema *s, struct ag_value v)
{
    struct ag_value items = get(s, v, "items"), fixed = get(s, v, "prefixItems"), more = items;
    if (items.kind == AG_ARRAY) {
        fixed = items;
        more = get(s, v, "additionalItems");
    }
    uint32_t n = fixed.kind == AG_ARRAY ? fixed.len : 0;
    const struct agc_type **elem = agc_alloc(s->a, (n + 1u) * sizeof *elem), *rest = ANY;
    for (uint32_t i = 0; i < n; i++)
        elem[i] = read_schema(s, ag_value_at(&s->mem, fixed, i));
    if (more.kind == AG_OBJECT)
        rest = read_schema(s, more);
    else if (more.kind == AG_BOOL && more.i == 0)
        rest = NULL;
    return agc_type_array(s->a, elem, n, rest);
}

static const struct agc_type *
read_named(struct schema *s, struct ag_value v, struct ag_str name)
{
    if (ag_str_is(name, "object"))
        return read_object(s, v);
    if (ag_str_is(name, "array"))
        return read_array(s, v);
    if (ag_str_is(name, "string"))
        return agc_type_scalar(AGC_TY_STRING);
    if (ag_str_is(name, "number") || ag_str_is(name, "integer"))
        return agc_type_scalar(AGC_TY_NUMBER);
    if (ag_str_is(name, "boolean"))
        return agc_type_scalar(AGC_TY_BOOL);
    return ag_str_is(name, "null") ? agc_type_scalar(AGC_TY_NULL) : ANY;
}

// --- values, unions, references
static const struct agc_type *
type_of_value(struct ag_value v)
{
    switch (v.kind) {
    case AG_NULL: return agc_type_scalar(AGC_TY_NULL);
    case AG_BOOL: return agc_type_scalar(AGC_TY_BOOL);
    case AG_NUMBER: return agc_type_scalar(AGC_TY_NUMBER);
    case AG_STRING: return agc_type_scalar(AGC_TY_STRING);
    default: return ANY;
    }
}

static const struct agc_type *
any_of(struct schema *s, struct ag_value list, bool are_values)
{
    const struct agc_type *t = NULL;
    for (uint32_t i = 0; i < list.len; i++) {
        struct ag_value v = ag_value_at(&s->mem, list, i);
        t = agc_type_or(s->a, t, are_values ? type_of_value(v) : read_schema(s, v));
    }
    return t ? t : ANY;
}

// Objects that must hold together: all their keys. Other types are not joined: the first one stands.
static const struct agc_type *
all_of(struct schema *s, struct ag_value list)
{
    const struct agc_type *t = NULL;
    for (uint32_t i = 0; i < list.len; i++) {
        const struct agc_type *u = read_schema(s, ag_value_at(&s->mem, list, i));
        if (!t || agc_type_is_any(t)) {
            t = u;
            continue;
        }
        if (t->kind != AGC_TY_OBJECT || u->kind != AGC_TY_OBJECT)
            continue;
        struct agc_type_prop *prop = agc_alloc(s->a, (t->nprops + u->nprops + 1u) * sizeof *prop);
        if (t->nprops)
            memcpy(prop, t->prop, t->nprops * sizeof *prop);
        if (u->nprops)
            memcpy(prop + t->nprops, u->prop, u->nprops * sizeof *prop);
        t = agc_type_object(s->a, prop, t->nprops + u->nprops, t->key ? t->key : u->key,
                            t->value ? t->value : u->value);
    }
    return t ? t : ANY;
}

// "#", "#/definitions/name": a place in the same file.
static const struct agc_type *
follow(struct schema *s, struct ag_str ref)
{
    struct ag_value v = s->root;
    if (!ref.n || ref.p[0] != '#' || s->refs == AGC_SCHEMA_REFS_MAX)
        return ANY;
    size_t at = 1;
    while (at < ref.n && v.kind == AG_OBJECT) {
        size_t begin = at + 1, end = begin; // behind the slash
        while (end < ref.n && ref.p[end] != '/')
            end++;
        v = ag_object_get(&s->mem, v, ag_str_of(ref.p + begin, begin <= end ? end - begin : 0));
        at = end;
    }
    s->refs++;
    const struct agc_type *t = read_schema(s, v);
    s->refs--;
    return t;
}

static const struct agc_type *
read_schema(struct schema *s, struct ag_value v)
{
    struct ag_value w;
    if (v.kind != AG_OBJECT || s->left == 0)
        return ANY;
    s->left--;
    if ((w = get(s, v, "$ref")).kind == AG_STRING)
        return follow(s, ag_value_str(w));
    if ((w = get(s, v, "enum")).kind == AG_ARRAY)
        return any_of(s, w, true);
    if ((w = get(s, v, "const")).kind != AG_UNDEF)
        return type_of_value(w);
    if ((w = get(s, v, "anyOf")).kind == AG_ARRAY || (w = get(s, v, "oneOf")).kind == AG_ARRAY)
        return any_of(s, w, false);
    if ((w = get(s, v, "allOf")).kind == AG_ARRAY)
        return all_of(s, w);
    w = get(s, v, "type");
    if (w.kind == AG_STRING)
        return read_named(s, v, ag_value_str(w));
    const struct agc_type *t = NULL;
    for (uint32_t i = 0; w.kind == AG_ARRAY && i < w.len; i++) {
        struct ag_value name = ag_value_at(&s->mem, w, i);
        t = agc_type_or(s->a, t, name.kind == AG_STRING ? read_named(s, v, ag_value_str(name)) : ANY);
    }
    if (t)
        return t;
    return get(s, v, "properties").kind == AG_OBJECT ? read_object(s, v) : ANY;
}

const struct agc_type *
agc_type_of_schema(struct agc_arena *a, struct agc_diags *diags, const struct agc_sources *sources,
                   uint32_t ix)
{
    struct ag_str json = sources->v[ix].bytes;
    size_t size = ARENA_BASE + json.n * CELLS_PER_BYTE;
    void *mem = malloc(size);
    if (!mem)
        agc_out_of_memory(size);
    struct ag_arena arena;
    struct ag_json_error why;
    struct schema s = {.a = a, .left = AGC_SCHEMA_PARTS_MAX};
    ag_arena_init(&arena, mem, size);
    s.mem.arena = &arena;
    s.mem.base[AG_IN_ARENA] = arena.base;
    s.mem.base[AG_IN_REQUEST] = (const uint8_t *)json.p;
    const struct agc_type *t = NULL;
    if (ag_json_read(&s.mem, json, &s.root, &why) == AG_JSON_OK)
        t = read_schema(&s, s.root);
    else
        agc_diag(diags, AGC_D_BAD_DATA, (struct agc_span){ix, (uint32_t)why.offset, (uint32_t)why.offset},
                 "this is not JSON that can be a schema: %s", ag_json_status_text(why.status));
    free(mem);
    return t;
}
