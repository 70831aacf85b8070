// SPDX-License-Identifier: Apache-2.0
// Type terms: notation, union, keys and values, selection, unification, words.
#include "t.h"
#include "type.h"

static struct agc_arena arena;

static const struct agc_type *
ty(const char *notation)
{
    const struct agc_type *t = agc_type_parse(&arena, ag_str_z(notation));
    if (!t)
        OK(false, "notation %s", notation);
    return t ? t : &agc_type_any;
}

static struct agc_node *
leaf(enum agc_node_kind k, const char *text)
{
    return agc_node_new(&arena, k, (struct agc_span){0}, agc_strdup(&arena, ag_str_z(text)), 0);
}

static const struct agc_type *
object(const char *key, const char *value, bool is_open)
{
    struct agc_type_prop *p = agc_alloc(&arena, sizeof *p);
    *p = (struct agc_type_prop){leaf(AGC_STRING, key), ty(value)};
    return agc_type_object(&arena, p, 1, is_open ? ty("str") : NULL, is_open ? ty("any") : NULL);
}

static void
notation(void)
{
    static const struct {
        const char *notation, *words;
    } rows[] = {{"any", "any value"},
                {"num", "number"},
                {"str | num", "number or string"},
                {"arr", "array"},
                {"arr[num]", "array of number"},
                {"arr<str, num>", "array [string, number]"},
                {"set[arr[str]]", "set of array of string"},
                {"obj", "object"},
                {"obj[str: num | bool]", "object {[string]: boolean or number}"},
                {"null | any", "any value"}};
    static const char *const bad[] = {"",        "strange",  "arr[",  "arr[num",
                                      "arr<num", "obj[str]", "num |", "num num"};
    char text[200];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        OK(strcmp(agc_type_name(ty(rows[i].notation), text, sizeof text), rows[i].words) == 0, "%s", text);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        OK(agc_type_parse(&arena, ag_str_z(bad[i])) == NULL,
           "agc_type_parse(&arena, ag_str_z(bad[i])) == NULL");
}

static void
unification(void)
{
    static const struct {
        const char *x, *y;
        bool unifies;
    } rows[] = {{"num", "num", true},
                {"num", "str", false},
                {"any", "str", true},
                {"num | str", "str | bool", true},
                {"num | null", "str | bool", false},
                {"arr[num]", "arr[str]", false},
                {"arr<num, str>", "arr<num, str>", true},
                {"arr<num, str>", "arr<num>", false},
                {"arr<num, str>", "arr[num]", false},
                {"arr<num, num>", "arr[num]", true},
                {"set[num]", "arr[num]", false},
                {"set[num]", "set[any]", true},
                {"obj[str: num]", "obj[str: str]", false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        OK(agc_type_unifies(ty(rows[i].x), ty(rows[i].y)) == rows[i].unifies,
           "agc_type_unifies(ty(rows[i].x), ty(rows[i].y)) == rows[i].unifies");
        OK(agc_type_unifies(ty(rows[i].y), ty(rows[i].x)) == rows[i].unifies,
           "agc_type_unifies(ty(rows[i].y), ty(rows[i].x)) == rows[i].unifies");
    }
    OK(agc_type_unifies(object("a", "num", false), object("a", "num", false)),
       "agc_type_unifies(object(a, num, false), object(a, num, false))");
    OK(!agc_type_unifies(object("a", "num", false), object("a", "str", false)),
       "!agc_type_unifies(object(a, num, false), object(a, str, false))");
    OK(!agc_type_unifies(object("a", "num", false), object("b", "num", false)),
       "!agc_type_unifies(object(a, num, false), object(b, num, false))");
    OK(agc_type_unifies(object("a", "num", true), object("b", "num", true)),
       "agc_type_unifies(object(a, num, true), object(b, num, true))");
    OK(!agc_type_unifies(NULL, ty("any")), "!agc_type_unifies(NULL, ty(any))");
}

static void
elements(void)
{
    char text[200];
    const struct agc_type *o = object("a", "num", true);
    OK(strcmp(agc_type_name(agc_type_keys(&arena, o), text, sizeof text), "string") == 0, "%s", text);
    OK(agc_type_is_any(agc_type_values(&arena, o)), "agc_type_is_any(agc_type_values(&arena, o))");
    OK(agc_type_select(&arena, o, leaf(AGC_STRING, "a")) == agc_type_scalar(AGC_TY_NUMBER),
       "agc_type_select(&arena, o, leaf(AGC_STRING, a)) == agc_type_scalar(AGC");
    OK(agc_type_is_any(agc_type_select(&arena, o, leaf(AGC_STRING, "z"))),
       "agc_type_is_any(agc_type_select(&arena, o, leaf(AGC_STRING, z)))");
    OK(agc_type_select(&arena, object("a", "num", false), leaf(AGC_STRING, "z")) == NULL,
       "agc_type_select(&arena, object(a, num, false), leaf(AGC_STRING, z)) ==");
    OK(agc_type_select(&arena, ty("arr<str, num>"), leaf(AGC_NUMBER, "1")) == agc_type_scalar(AGC_TY_NUMBER),
       "agc_type_select(&arena, ty(arr<str, num>), leaf(AGC_NUMBER, 1)) == agc");
    OK(agc_type_select(&arena, ty("arr<str, num>"), leaf(AGC_NUMBER, "2")) == NULL,
       "agc_type_select(&arena, ty(arr<str, num>), leaf(AGC_NUMBER, 2)) == NUL");
    OK(agc_type_select(&arena, ty("arr[str]"), leaf(AGC_NUMBER, "2")) == agc_type_scalar(AGC_TY_STRING),
       "agc_type_select(&arena, ty(arr[str]), leaf(AGC_NUMBER, 2)) == agc_type");
    OK(agc_type_select(&arena, ty("arr[str]"), leaf(AGC_STRING, "2")) == NULL,
       "agc_type_select(&arena, ty(arr[str]), leaf(AGC_STRING, 2)) == NULL");
    OK(agc_type_keys(&arena, ty("num")) == NULL, "agc_type_keys(&arena, ty(num)) == NULL");
    OK(strcmp(agc_type_name(agc_type_keys(&arena, ty("arr | set[str]")), text, sizeof text),
              "number or string") == 0,
       "%s", text);
}

static void
bounds(void)
{
    const struct agc_type *t = ty("num");
    for (unsigned i = 0; i < 2 * AGC_TYPE_DEPTH_MAX; i++)
        t = agc_type_array(&arena, NULL, 0, t);
    OK(t->depth <= AGC_TYPE_DEPTH_MAX, "t->depth <= AGC_TYPE_DEPTH_MAX");
    const struct agc_type **elem = agc_alloc(&arena, (AGC_TYPE_PROPS_MAX + 1) * sizeof *elem);
    for (unsigned i = 0; i <= AGC_TYPE_PROPS_MAX; i++)
        elem[i] = ty("num");
    OK(agc_type_array(&arena, elem, AGC_TYPE_PROPS_MAX, NULL)->n == AGC_TYPE_PROPS_MAX,
       "agc_type_array(&arena, elem, AGC_TYPE_PROPS_MAX, NULL)->n == AGC_TYPE_");
    OK(agc_type_array(&arena, elem, AGC_TYPE_PROPS_MAX + 1, NULL)->n == 0,
       "agc_type_array(&arena, elem, AGC_TYPE_PROPS_MAX + 1, NULL)->n == 0");
    t = NULL;
    for (unsigned i = 0; i < AGC_TYPE_UNION_MAX; i++) {
        t = agc_type_or(&arena, t, agc_type_array(&arena, elem, i, NULL));
        OK(!agc_type_is_any(t), "!agc_type_is_any(t)");
    }
    OK(agc_type_is_any(agc_type_or(&arena, t, ty("bool"))),
       "agc_type_is_any(agc_type_or(&arena, t, ty(bool)))");
}

static void
constants(void)
{
    struct agc_node *a = leaf(AGC_NUMBER, "1"), *b = leaf(AGC_NUMBER, "1.0"), *c = leaf(AGC_NUMBER, "2");
    OK(agc_node_const_cmp(a, b) == 0, "agc_node_const_cmp(a, b) == 0");
    OK(agc_node_const_cmp(a, c) < 0, "agc_node_const_cmp(a, c) < 0");
    OK(agc_node_const_cmp(leaf(AGC_FALSE_LIT, ""), leaf(AGC_TRUE_LIT, "")) < 0,
       "agc_node_const_cmp(leaf(AGC_FALSE_LIT, ), leaf(AGC_TRUE_LIT, )) < 0");
    OK(agc_node_const_cmp(leaf(AGC_STRING, "a"), c) > 0, "agc_node_const_cmp(leaf(AGC_STRING, a), c) > 0");
    OK(!agc_node_is_const(leaf(AGC_VAR, "x")), "!agc_node_is_const(leaf(AGC_VAR, x))");
}

int
main(void)
{
    notation();
    unification();
    elements();
    bounds();
    constants();
    agc_arena_fini(&arena);
    return t_done();
}
