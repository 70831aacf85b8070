// SPDX-License-Identifier: Apache-2.0
// Functions of templates: and or not, eq ne lt le gt ge, len index slice, print printf println. In: operands.
// Out: a value, or a failure with Go's words. Memory: the call's arena. Next file to read: url.c.
#include "template_run.h"

#include "number.h"

#define NONE ((struct ag_tpl_value){.v = ag_undef()})

enum fn { AND, OR, NOT, EQ, NE, LT, LE, GT, GE, LEN, INDEX, SLICE, PRINT, PRINTF, PRINTLN, FNS };

static const struct {
    const char *name;
    unsigned min, max;
} functions[FNS] = {
    {"and", 1, AG_TPL_ARGS_MAX},
    {"or", 1, AG_TPL_ARGS_MAX},
    {"not", 1, 1},
    {"eq", 1, AG_TPL_ARGS_MAX},
    {"ne", 2, 2},
    {"lt", 2, 2},
    {"le", 2, 2},
    {"gt", 2, 2},
    {"ge", 2, 2},
    {"len", 1, 1},
    {"index", 1, AG_TPL_ARGS_MAX},
    {"slice", 1, 4},
    {"print", 0, AG_TPL_ARGS_MAX},
    {"printf", 1, AG_TPL_ARGS_MAX},
    {"println", 0, AG_TPL_ARGS_MAX},
};

// One call: its arguments, and where it stands for errors.
struct call {
    struct ag_tpl_run *r;
    enum fn fn;
    unsigned n;
    struct ag_tpl_value arg[AG_TPL_ARGS_MAX + 1];
    size_t at;
    struct ag_str source;
};

bool
ag_tpl_is_function(struct ag_str name)
{
    for (unsigned i = 0; i < FNS; i++)
        if (ag_str_is(name, functions[i].name))
            return true;
    return false;
}

// A failure of the call k, whose words follow "error calling NAME: ".
#define FAIL(k, fmt, ...)                                                                                    \
    ag_tpl_fault((k)->r, (k)->at, (k)->source, "error calling %s: " fmt "%s", functions[(k)->fn].name,       \
                 __VA_ARGS__)

static const char *
type_of(struct ag_tpl_value t)
{
    static const char *const words[] = {[AG_BOOL] = "bool",
                                        [AG_NUMBER] = "json.Number",
                                        [AG_STRING] = "string",
                                        [AG_ARRAY] = "[]interface {}",
                                        [AG_OBJECT] = "map[string]interface {}"};
    if (t.type != AG_TPL_DATA)
        return t.type == AG_TPL_INT ? "int" : "float64";
    return t.v.kind >= AG_BOOL && t.v.kind <= AG_OBJECT ? words[t.v.kind] : "nil";
}

static bool
is_nothing(struct ag_tpl_value t)
{
    return t.type == AG_TPL_DATA && t.v.kind <= AG_NULL;
}

static bool
is_text(struct ag_tpl_value t)
{
    return t.type == AG_TPL_DATA && (t.v.kind == AG_STRING || t.v.kind == AG_NUMBER);
}

// The text of a string or a number of the input, or of any value as it is printed.
static struct ag_value
text_of(struct ag_tpl_run *r, struct ag_tpl_value t)
{
    struct ag_tpl_run part = {.c = r->c, .text = r->text};
    if (t.type == AG_TPL_DATA && t.v.kind == AG_STRING)
        return t.v;
    ag_tpl_put_value(&part, t, 0);
    struct ag_value v = ag_tpl_joined(&part);
    r->failed |= part.failed;
    return v.kind == AG_STRING ? v : ag_bi_copy(r->c, AG_STR(""));
}

// --- comparison
// The kinds that compare: 0 for none.
enum basic { NO_BASIC, IS_BOOL, IS_INT, IS_FLOAT, IS_TEXT };

static enum basic
basic_of(struct ag_tpl_value t)
{
    if (t.type != AG_TPL_DATA)
        return t.type == AG_TPL_INT ? IS_INT : IS_FLOAT;
    return t.v.kind == AG_BOOL ? IS_BOOL : is_text(t) ? IS_TEXT : NO_BASIC;
}

// Both of the same basic kind: <0, 0, >0; 2 when a NaN is one of them, which no constant is.
static int
order_of(struct ag_tpl_run *r, struct ag_tpl_value a, struct ag_tpl_value b)
{
    if (a.type == AG_TPL_FLOAT)
        return a.d < b.d ? -1 : a.d > b.d;
    if (a.type == AG_TPL_INT || a.v.kind == AG_BOOL)
        return a.v.i < b.v.i ? -1 : a.v.i > b.v.i;
    struct ag_value x = text_of(r, a), y = text_of(r, b);
    return ag_str_cmp(ag_value_str(x), ag_value_str(y));
}

static struct ag_tpl_value
boolean(bool b)
{
    return (struct ag_tpl_value){.v = ag_bool(b)};
}

static struct ag_tpl_value
equal(struct call *k)
{
    struct ag_tpl_value a = k->arg[0];
    bool is_equal = false;
    for (unsigned i = 0; i < k->n; i++)
        if (k->arg[i].type == AG_TPL_DATA && k->arg[i].v.kind >= AG_ARRAY) {
            struct ag_value shown = text_of(k->r, k->arg[i]);
            return FAIL(k, "non-comparable type %.*s: %s", (int)(shown.len < 64 ? shown.len : 64),
                        (const char *)shown.p, type_of(k->arg[i]), "");
        }
    if (k->n < 2)
        return FAIL(k, "missing argument for comparison", "");
    for (unsigned i = 1; i < k->n && !is_equal; i++) {
        struct ag_tpl_value b = k->arg[i];
        if (is_nothing(a) || is_nothing(b))
            is_equal = is_nothing(a) && is_nothing(b);
        else if (basic_of(a) != basic_of(b))
            return FAIL(k, "incompatible types for comparison: %s and %s", type_of(a), type_of(b), "");
        else
            is_equal = order_of(k->r, a, b) == 0;
    }
    return boolean(k->fn == NE ? !is_equal : is_equal);
}

static struct ag_tpl_value
ordered(struct call *k)
{
    enum basic x = basic_of(k->arg[0]), y = basic_of(k->arg[1]);
    if (x == NO_BASIC || y == NO_BASIC || (x == IS_BOOL && y == IS_BOOL))
        return FAIL(k, "invalid type for comparison", "");
    if (x != y)
        return FAIL(k, "incompatible types for comparison: %s and %s", type_of(k->arg[0]), type_of(k->arg[1]),
                    "");
    int order = order_of(k->r, k->arg[0], k->arg[1]);
    return boolean(k->fn == LT ? order < 0 : k->fn == LE ? order <= 0 : k->fn == GT ? order > 0 : order >= 0);
}

// --- parts
static struct ag_tpl_value
length(struct call *k)
{
    struct ag_tpl_value t = k->arg[0];
    if (t.type == AG_TPL_DATA && t.v.kind == AG_UNDEF)
        return FAIL(k, "reflect: call of reflect.Value.Type on zero Value", "");
    if (t.type == AG_TPL_DATA && t.v.kind == AG_NULL)
        return FAIL(k, "len of nil pointer", "");
    if (t.type != AG_TPL_DATA || t.v.kind == AG_BOOL)
        return FAIL(k, "len of type %s", type_of(t), "");
    if (t.v.kind == AG_NUMBER)
        t.v = text_of(k->r, t);
    return (struct ag_tpl_value){.type = AG_TPL_INT, .v = ag_int(t.v.len)};
}

// Argument i as an index of at most `max`; false: the failure is told.
static bool
index_of(struct call *k, unsigned i, int64_t max, int64_t *ret)
{
    struct ag_tpl_value t = k->arg[i];
    if (is_nothing(t))
        FAIL(k, "cannot index slice/array with nil", "");
    else if (t.type != AG_TPL_INT)
        FAIL(k, "cannot index slice/array with type %s", type_of(t), "");
    else if (t.v.i < 0 || t.v.i > max)
        FAIL(k, "index out of range: %lld", (long long)t.v.i, "");
    else
        *ret = t.v.i;
    return !k->r->failed;
}

static struct ag_tpl_value
element(struct call *k)
{
    struct ag_tpl_value t = k->arg[0];
    int64_t at;
    if (is_nothing(t))
        return FAIL(k, "index of untyped nil", "");
    for (unsigned i = 1; i < k->n; i++) {
        struct ag_tpl_value by = k->arg[i];
        if (is_nothing(t))
            return FAIL(k, "index of nil pointer", "");
        if (is_text(t)) {
            struct ag_value text = text_of(k->r, t);
            if (!index_of(k, i, (int64_t)text.len - 1, &at))
                return NONE;
            t = (struct ag_tpl_value){.type = AG_TPL_INT, .v = ag_int(text.p[at])};
        } else if (t.type == AG_TPL_DATA && t.v.kind == AG_ARRAY) {
            if (!index_of(k, i, (int64_t)t.v.len - 1, &at))
                return NONE;
            t.v = ag_value_at(&k->r->c->mem, t.v, (uint32_t)at);
        } else if (t.type == AG_TPL_DATA && t.v.kind == AG_OBJECT) {
            if (is_nothing(by))
                return FAIL(k, "value is nil; should be of type string", "");
            if (by.type != AG_TPL_DATA || by.v.kind != AG_STRING)
                return FAIL(k, "value has type %s; should be string", type_of(by), "");
            t.v = ag_object_get(&k->r->c->mem, t.v, ag_value_str(by.v));
        } else {
            return FAIL(k, "can't index item of type %s", type_of(t), "");
        }
    }
    return t;
}

static struct ag_tpl_value
slice(struct call *k)
{
    struct ag_tpl_value t = k->arg[0];
    if (is_nothing(t))
        return FAIL(k, "slice of untyped nil", "");
    bool is_string = is_text(t);
    if (!is_string && (t.type != AG_TPL_DATA || t.v.kind != AG_ARRAY))
        return FAIL(k, "can't slice item of type %s", type_of(t), "");
    if (is_string && k->n == 4)
        return FAIL(k, "cannot 3-index slice a string", "");
    if (is_string)
        t.v = text_of(k->r, t);
    int64_t max = t.v.len, bound[3] = {0, max, max};
    for (unsigned i = 1; i < k->n; i++)
        if (!index_of(k, i, max, &bound[i - 1]))
            return NONE;
    if (bound[0] > bound[1])
        return FAIL(k, "invalid slice index: %lld > %lld", (long long)bound[0], (long long)bound[1], "");
    if (bound[1] > bound[2])
        return FAIL(k, "invalid slice index: %lld > %lld", (long long)bound[1], (long long)bound[2], "");
    uint32_t from = (uint32_t)bound[0], n = (uint32_t)(bound[1] - bound[0]);
    if (is_string)
        t.v = ag_bi_part(t.v, from, n);
    else
        t.v = ag_bi_elements(k->r->c, t.v, from, n);
    k->r->failed |= t.v.kind <= AG_ERROR;
    return t;
}

// --- text
static struct ag_tpl_value
print(struct call *k)
{
    struct ag_tpl_run part = {.c = k->r->c, .text = k->r->text};
    for (unsigned i = 0; i < k->n; i++) {
        if (i && (k->fn == PRINTLN || (!is_text(k->arg[i]) && !is_text(k->arg[i - 1]))))
            ag_tpl_put(&part, AG_STR(" "));
        ag_tpl_put_value(&part, k->arg[i], 0);
    }
    if (k->fn == PRINTLN)
        ag_tpl_put(&part, AG_STR("\n"));
    struct ag_value text = ag_tpl_joined(&part);
    if (part.failed && !k->r->failed)
        k->r->error = part.error;
    k->r->failed |= part.failed || text.kind != AG_STRING;
    return (struct ag_tpl_value){.v = text};
}

// By sprintf of the language, which has Go's verbs: integers and floats as numbers, all else as it is
// printed.
static struct ag_tpl_value
print_format(struct call *k)
{
    struct ag_call *c = k->r->c;
    struct ag_value args[2] = {text_of(k->r, k->arg[0]), ag_undef()};
    if (k->arg[0].type != AG_TPL_DATA || !is_text(k->arg[0]))
        return ag_tpl_fault(k->r, k->at, k->source, "expected string; found %.*s",
                            (int)(args[0].len < 64 ? args[0].len : 64), (const char *)args[0].p);
    struct ag_builder *b = ag_builder_new(&c->mem, AG_ARRAY);
    bool ok = b && !k->r->failed;
    for (unsigned i = 1; ok && i < k->n; i++) {
        struct ag_tpl_value t = k->arg[i];
        struct ag_num num;
        struct ag_value v = t.v;
        if (t.type == AG_TPL_FLOAT)
            v = ag_num_from_double(t.d, c->mem.arena, &num) == AG_NUM_OK ? ag_number_value(&c->mem, num)
                                                                         : ag_int(0);
        else if (t.type == AG_TPL_DATA && t.v.kind != AG_BOOL)
            v = text_of(k->r, t);
        ok = ag_builder_push(&c->mem, b, v);
    }
    args[1] = ag_bi_close(c, b, ok);
    struct ag_value text = args[1].kind == AG_ARRAY ? ag_bi_sprintf(c, args) : ag_undef();
    k->r->failed |= text.kind != AG_STRING;
    if (text.kind == AG_ERROR)
        k->r->error = text;
    return (struct ag_tpl_value){.v = text};
}

static struct ag_tpl_value
call(struct call *k)
{
    switch (k->fn) {
    case NOT: return boolean(!ag_tpl_truth(k->arg[0]));
    case EQ:
    case NE: return equal(k);
    case LT:
    case LE:
    case GT:
    case GE: return ordered(k);
    case LEN: return length(k);
    case INDEX: return element(k);
    case SLICE: return slice(k);
    case PRINTF: return print_format(k);
    case PRINT:
    case PRINTLN: return print(k);
    case AND:
    case OR:
    case FNS: break;
    }
    return k->arg[0];
}

// and, or: the first argument that decides; those behind it are not looked at.
static struct ag_tpl_value
decide(struct ag_tpl_run *r, enum fn fn, const struct ag_tpl_operand *o, const struct ag_tpl_value *last)
{
    struct ag_tpl_value t = NONE;
    for (; o && !r->failed; o = o->next) {
        t = ag_tpl_operand(r, o);
        if (ag_tpl_truth(t) == (fn == OR))
            return t;
    }
    return last ? *last : t;
}

struct ag_tpl_value
ag_tpl_function(struct ag_tpl_run *r, const struct ag_tpl_operand *f, struct ag_str source,
                const struct ag_tpl_value *last)
{
    struct call k = {.r = r, .at = f->at, .source = source};
    bool is_command = source.n != f->source.n;
    unsigned n = last != NULL;
    while (k.fn < FNS - 1 && !ag_str_is(f->name, functions[k.fn].name))
        k.fn++;
    for (const struct ag_tpl_operand *o = is_command ? f->next : NULL; o; o = o->next)
        n++;
    if (n < functions[k.fn].min || n > functions[k.fn].max)
        return ag_tpl_fault(
            r, f->at, f->name, "wrong number of args for %s: want %s%u got %u", functions[k.fn].name,
            functions[k.fn].max > functions[k.fn].min ? "at least " : "", functions[k.fn].min, n);
    if (k.fn == AND || k.fn == OR)
        return decide(r, k.fn, is_command ? f->next : NULL, last);
    for (const struct ag_tpl_operand *o = is_command ? f->next : NULL; o && !r->failed; o = o->next)
        k.arg[k.n++] = ag_tpl_operand(r, o);
    if (last)
        k.arg[k.n++] = *last;
    return r->failed ? NONE : call(&k);
}
