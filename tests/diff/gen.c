// SPDX-License-Identifier: Apache-2.0
// Random policies: packages with rules of every kind, where a rule uses only rules before it.
// In: a seed. Out: texts. Memory: the caller's arena. Next file to read: gen_expr.c, gen_body.c.
#include "gen_parts.h"

#include <stdio.h>

uint32_t
gen_below(struct gen *g, uint32_t n)
{
    uint64_t z = g->random += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (uint32_t)((z ^ (z >> 31)) >> 33) % n;
}

void
gen_put(struct gen *g, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(g->text + g->n, GEN_TEXT - g->n, fmt, ap);
    va_end(ap);
    g->n = n < 0 || (size_t)n >= GEN_TEXT - g->n ? GEN_TEXT - 1 : g->n + (size_t)n;
}

struct gen_unit
gen_unit_begin(struct gen *g)
{
    return (struct gen_unit){g->nunits < GEN_UNITS ? g->nunits++ : GEN_UNITS, g->n};
}

bool
gen_unit_end(struct gen *g, struct gen_unit u)
{
    if (u.number == GEN_UNITS || !g->without || !g->without[u.number])
        return true;
    g->n = u.at;
    g->text[g->n] = 0;
    return false;
}

static struct ag_str
take(struct gen *g)
{
    char *p = ag_arena_alloc(g->arena, g->n + 1, 1);
    struct ag_str s = ag_str_of(p, p ? g->n : 0);
    if (p)
        memcpy(p, g->text, g->n);
    g->n = 0;
    return s;
}

// --- rules
static void
head_name(struct gen *g, const struct gen_rule *r)
{
    gen_put(g, "%s", r->name);
}

static void
body(struct gen *g)
{
    gen_put(g, " if {\n");
    gen_body(g, 1 + gen_below(g, 4), 1);
    gen_put(g, "}");
}

static void
elses(struct gen *g, const struct gen_rule *r)
{
    bool goes_on = true;
    while (goes_on && gen_below(g, 4) == 0) {
        struct gen_unit u = gen_unit_begin(g);
        uint32_t nvars = g->nvars;
        gen_put(g, " else := ");
        gen_expr(g, r->type, 1);
        goes_on = gen_below(g, 3) != 0; // nothing follows one without a body
        if (goes_on)
            body(g);
        g->nvars = nvars;
        gen_unit_end(g, u);
    }
}

// The body is made before the head, so that the head can use its variables.
static void
with_body(struct gen *g, const struct gen_rule *r, void (*head)(struct gen *, const struct gen_rule *))
{
    size_t at = g->n;
    uint32_t nvars = g->nvars;
    char text[GEN_DEF];
    body(g);
    size_t n = g->n - at < sizeof text ? g->n - at : sizeof text - 1;
    memcpy(text, g->text + at, n);
    text[n] = 0;
    g->n = at;
    head(g, r);
    gen_put(g, "%s", text);
    g->nvars = nvars;
}

static void
head_value(struct gen *g, const struct gen_rule *r)
{
    head_name(g, r);
    if (r->type != GEN_BOOL || gen_below(g, 2)) {
        gen_put(g, " := ");
        gen_expr(g, r->type, 1);
    }
}

static void
head_contains(struct gen *g, const struct gen_rule *r)
{
    head_name(g, r);
    gen_put(g, " contains ");
    gen_expr(g, gen_element(r->type), 1);
}

static void
head_object(struct gen *g, const struct gen_rule *r)
{
    head_name(g, r);
    gen_put(g, "[");
    gen_expr(g, GEN_STR, 0);
    gen_put(g, "] := ");
    gen_expr(g, GEN_NUM, 1);
}

static void
head_nested(struct gen *g, const struct gen_rule *r)
{
    head_name(g, r);
    if (gen_below(g, 4) == 0)
        gen_put(g, ".a");
    else {
        gen_put(g, "[");
        gen_expr(g, GEN_STR, 0);
        gen_put(g, "]");
    }
    gen_put(g, "[");
    gen_expr(g, GEN_STR, 0);
    gen_put(g, r->nargs ? "] contains " : "] := ");
    gen_expr(g, GEN_NUM, 1);
}

static void
arguments(struct gen *g, const struct gen_rule *r, bool plain)
{
    gen_put(g, "(");
    for (uint32_t i = 0; i < r->nargs; i++) {
        gen_put(g, i ? ", " : "");
        if (plain || gen_below(g, 4))
            gen_new_var(g, r->arg[i]);
        else if (r->arg[i] == GEN_ARRN && gen_below(g, 2)) {
            gen_put(g, "[");
            gen_new_var(g, GEN_NUM);
            gen_put(g, ", ");
            gen_new_var(g, GEN_NUM);
            gen_put(g, "]");
        } else if (gen_below(g, 4) == 0)
            gen_put(g, "_");
        else
            gen_constant(g, r->arg[i]);
    }
    gen_put(g, ")");
}

static void
function(struct gen *g, const struct gen_rule *r)
{
    uint32_t nvars = g->nvars;
    head_name(g, r);
    arguments(g, r, false);
    // the value comes first in the text: only arguments may stand in it, or variables of a body made now
    size_t at = g->n;
    char text[GEN_DEF];
    if (gen_below(g, 5))
        body(g);
    size_t n = g->n - at < sizeof text ? g->n - at : sizeof text - 1;
    memcpy(text, g->text + at, n);
    text[n] = 0;
    g->n = at;
    gen_put(g, " := ");
    gen_expr(g, r->type, 1);
    gen_put(g, "%s", text);
    g->nvars = nvars;
    gen_put(g, "\n");
}

static void
definition(struct gen *g, const struct gen_rule *r, uint32_t i)
{
    struct gen_unit u = gen_unit_begin(g);
    g->nvars = g->next_var = 0;
    switch (r->kind) {
    case GEN_COMPLETE:
        if (i == 0 && gen_below(g, 4) == 0) {
            gen_put(g, "default %s := ", r->name);
            gen_constant(g, r->type);
        } else if (gen_below(g, 6) == 0) {
            gen_put(g, "%s := ", r->name);
            gen_expr(g, r->type, 2);
        } else {
            with_body(g, r, head_value);
            elses(g, r);
        }
        break;
    case GEN_SET: with_body(g, r, head_contains); break;
    case GEN_OBJECT: with_body(g, r, head_object); break;
    case GEN_NESTED: with_body(g, r, head_nested); break;
    case GEN_FUNCTION:
        if (i == 0 && gen_below(g, 6) == 0) {
            gen_put(g, "default %s", r->name);
            arguments(g, r, true);
            gen_put(g, " := ");
            gen_constant(g, r->type);
        } else
            function(g, r);
        break;
    }
    gen_put(g, "\n\n");
    gen_unit_end(g, u);
}

static void
rule(struct gen *g, uint32_t package)
{
    static const enum gen_kind kinds[] = {GEN_COMPLETE, GEN_COMPLETE, GEN_COMPLETE, GEN_SET,
                                          GEN_SET,      GEN_OBJECT,   GEN_NESTED,   GEN_FUNCTION};
    struct gen_rule *r = &g->rule[g->nrules];
    *r = (struct gen_rule){.package = package, .kind = kinds[gen_below(g, 8)]};
    r->type = (enum gen_type)gen_below(g, GEN_TYPES);
    if (r->kind == GEN_SET)
        r->type = gen_below(g, 2) ? GEN_SETN : GEN_SETS;
    else if (r->kind == GEN_OBJECT)
        r->type = GEN_OBJN;
    else if (r->kind == GEN_NESTED)
        r->type = GEN_NUM, r->nargs = gen_below(g, 3) == 0;
    else if (r->kind == GEN_FUNCTION) {
        r->nargs = 1 + gen_below(g, 2);
        for (uint32_t i = 0; i < r->nargs; i++)
            r->arg[i] = gen_below(g, 3) ? GEN_NUM : (enum gen_type)gen_below(g, GEN_TYPES);
    }
    snprintf(r->name, sizeof r->name, "r%u", g->nrules);
    uint32_t n = 1 + gen_below(g, 3);
    for (uint32_t i = 0; i < n; i++)
        definition(g, r, i);
    g->nrules++;
}

static void
module(struct gen *g, uint32_t package)
{
    uint32_t n = 2 + gen_below(g, 4);
    g->package = package;
    gen_put(g, "package %sp%u%s\n\n", g->prefix, package, package == 1 ? ".deep" : "");
    if (package == 1)
        gen_put(g, "import data.%sp0 as imported\n\n", g->prefix);
    for (uint32_t i = 0; i < n && g->nrules < GEN_RULES; i++)
        rule(g, package);
}

// --- documents
static void
json(struct gen *g, enum gen_type t)
{
    if (gen_below(g, 12) == 0) // something else than expected
        t = (enum gen_type)gen_below(g, GEN_TYPES);
    uint32_t n = gen_below(g, 4);
    switch (t) {
    case GEN_NUM: gen_put(g, "%u", gen_below(g, 5)); return;
    case GEN_STR: gen_put(g, "\"%c\"", 'a' + (int)gen_below(g, 4)); return;
    case GEN_BOOL: gen_put(g, gen_below(g, 3) ? "true" : gen_below(g, 3) ? "false" : "null"); return;
    case GEN_OBJN:
        gen_put(g, "{");
        for (uint32_t i = 0; i < n; i++) {
            gen_put(g, "%s\"%c\": ", i ? ", " : "", 'a' + (int)i);
            json(g, GEN_NUM);
        }
        gen_put(g, "}");
        return;
    default:
        gen_put(g, "[");
        for (uint32_t i = 0; i < n; i++) {
            gen_put(g, i ? ", " : "");
            json(g, t == GEN_ARRN || t == GEN_SETN ? GEN_NUM : GEN_STR);
        }
        gen_put(g, "]");
    }
}

static void
members(struct gen *g)
{
    static const struct {
        const char *name;
        enum gen_type type;
    } member[] = {{"n", GEN_NUM},   {"s", GEN_STR},  {"b", GEN_BOOL}, {"ns", GEN_ARRN},
                  {"ss", GEN_ARRS}, {"o", GEN_OBJN}, {"m", GEN_NUM}};
    bool is_first = true;
    for (size_t i = 0; i < sizeof member / sizeof *member; i++) {
        if (gen_below(g, 10) == 0)
            continue;
        gen_put(g, "%s\"%s\": ", is_first ? "" : ", ", member[i].name);
        json(g, member[i].type);
        is_first = false;
    }
    gen_put(g, "%s\"deep\": {\"x\": {\"y\": ", is_first ? "" : ", ");
    json(g, GEN_NUM);
    gen_put(g, "}}");
}

static void
base_document(struct gen *g)
{
    gen_put(g, "{\"%sd\": {", g->prefix);
    members(g);
    gen_put(g, "}");
    if (gen_below(g, 3) == 0) { // beside the rules of a package
        gen_put(g, ", \"%sp0\": {\"extra\": ", g->prefix);
        json(g, GEN_NUM);
        gen_put(g, "}");
    }
    gen_put(g, "}");
}

static void
query(struct gen *g)
{
    const struct gen_rule *r = &g->rule[g->nrules - 1 - gen_below(g, g->nrules < 4 ? g->nrules : 4)];
    uint32_t how = gen_below(g, 8);
    if (how == 0 || r->kind == GEN_FUNCTION)
        gen_put(g, "data.%sp%u = x", g->prefix, gen_below(g, g->package + 1));
    else if (how == 1)
        gen_put(g, "data.%sp%u%s[x] = y", g->prefix, r->package, r->package == 1 ? ".deep" : "");
    else if (how == 2 && (r->kind != GEN_COMPLETE || r->type > GEN_BOOL))
        gen_put(g, "data.%sp%u%s.%s[x] = y", g->prefix, r->package, r->package == 1 ? ".deep" : "", r->name);
    else
        gen_put(g, "data.%sp%u%s.%s = x", g->prefix, r->package, r->package == 1 ? ".deep" : "", r->name);
}

void
gen_policy(struct ag_arena *a, uint64_t seed, const char *prefix, const bool *without, struct gen_policy *ret)
{
    static char text[GEN_TEXT];
    struct gen g = {.random = seed * 2654435761u + 1, .arena = a, .prefix = prefix, .without = without};
    g.text = text;
    *ret = (struct gen_policy){0};
    ret->is_strict = gen_below(&g, 6) == 0;
    ret->nmodules = 1 + gen_below(&g, GEN_MODULES);
    for (uint32_t i = 0; i < ret->nmodules; i++) {
        module(&g, i);
        ret->module[i] = take(&g);
    }
    query(&g);
    ret->query = take(&g);
    base_document(&g);
    ret->data = take(&g);
    ret->ninputs = GEN_INPUTS;
    for (uint32_t i = 0; i < GEN_INPUTS; i++) {
        gen_put(&g, "{");
        members(&g);
        gen_put(&g, "}");
        ret->input[i] = take(&g);
    }
    ret->nunits = g.nunits;
}
