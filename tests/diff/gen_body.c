// SPDX-License-Identifier: Apache-2.0
// Random bodies: literals of every kind, each using what the ones before have bound.
// In: struct gen. Out: text. Memory: the generator's. Next file to read: difftest.c.
#include "gen_parts.h"

#include <stdio.h>

static void literal(struct gen *g, uint32_t depth);

static enum gen_type
any_type(struct gen *g)
{
    return (enum gen_type)gen_below(g, GEN_TYPES);
}

// A new variable that gets its value only after this text.
static void
later_var(struct gen *g, enum gen_type t, uint32_t *nvars)
{
    (*nvars)++;
    gen_new_var(g, t);
}

static void
assign(struct gen *g, uint32_t depth)
{
    enum gen_type t = any_type(g);
    char name[8];
    snprintf(name, sizeof name, "v%u", g->next_var++);
    gen_put(g, "%s %s ", name, gen_below(g, 3) ? ":=" : "=");
    gen_expr(g, t, depth);
    struct gen_var *v = &g->var[g->nvars < GEN_VARS - 1 ? g->nvars++ : GEN_VARS - 1];
    memcpy(v->name, name, sizeof name);
    v->type = t;
}

// The collection is made first, so that it cannot use the new variables.
static void
some_in(struct gen *g, uint32_t depth)
{
    enum gen_type t = gen_below(g, 3) ? GEN_NUM : GEN_STR;
    size_t at = g->n;
    char text[GEN_DEF / 16];
    gen_collection(g, t, depth);
    size_t n = g->n - at < sizeof text ? g->n - at : sizeof text - 1;
    memcpy(text, g->text + at, n);
    text[n] = 0;
    g->n = at;
    gen_put(g, "some ");
    if (gen_below(g, 3) == 0) {
        g->next_var++;
        gen_put(g, "_, ");
    }
    gen_new_var(g, t);
    gen_put(g, " in %s", text);
}

// xs[i] = v, with i and v bound or new
static void
element_of(struct gen *g)
{
    bool is_object = gen_below(g, 2);
    uint32_t nvars = 0;
    enum gen_type t = is_object ? GEN_OBJN : gen_below(g, 2) ? GEN_ARRN : GEN_ARRS;
    size_t at = g->n;
    gen_expr(g, t, 0);
    if (g->n > at && (g->text[at] == '{' || g->text[at] == '[' || g->text[at] == 's')) {
        g->n = at; // no steps behind literals
        gen_put(g, t == GEN_OBJN ? "input.o" : t == GEN_ARRN ? "input.ns" : "input.ss");
    }
    gen_put(g, "[");
    if (gen_below(g, 3))
        later_var(g, is_object ? GEN_STR : GEN_NUM, &nvars);
    else
        gen_put(g, "_");
    gen_put(g, gen_below(g, 3) ? "] = " : "] == ");
    if (g->text[g->n - 2] == '=' && g->text[g->n - 3] != '=' && gen_below(g, 2))
        later_var(g, gen_element(t), &nvars);
    else
        gen_expr(g, gen_element(t), 0);
}

static void
destructure(struct gen *g, uint32_t depth)
{
    size_t at = g->n;
    char text[GEN_DEF / 16];
    gen_expr(g, GEN_NUM, depth);
    gen_put(g, ", ");
    gen_expr(g, GEN_STR, depth);
    size_t n = g->n - at < sizeof text ? g->n - at : sizeof text - 1;
    memcpy(text, g->text + at, n);
    text[n] = 0;
    g->n = at;
    gen_put(g, "[");
    gen_new_var(g, GEN_NUM);
    gen_put(g, ", ");
    gen_new_var(g, GEN_STR);
    gen_put(g, "] %s [%s]", gen_below(g, 2) ? ":=" : "=", text);
}

static void
object_pattern(struct gen *g)
{
    gen_put(g, "{\"x\": {\"y\": ");
    gen_new_var(g, GEN_NUM);
    gen_put(g, "}} = %s", gen_below(g, 2) ? "input.deep" : "{\"x\": {\"y\": 3}}");
}

static void
test(struct gen *g, uint32_t depth)
{
    static const char *const compare[] = {" == ", " != ", " < ", " <= ", " > ", " >= "};
    enum gen_type t = gen_below(g, 2) ? GEN_NUM : any_type(g);
    gen_expr(g, t, depth);
    gen_put(g, "%s", compare[gen_below(g, 3) ? gen_below(g, 2) * 3 : gen_below(g, 6)]);
    gen_expr(g, t, depth);
}

// Something that may stand behind `not`: a test, or a reference.
static void
negated(struct gen *g, uint32_t depth)
{
    gen_put(g, "not ");
    if (gen_below(g, 2))
        test(g, depth);
    else {
        size_t at = g->n;
        gen_expr(g, GEN_BOOL, depth);
        if (strcmp(g->text + at, "true") ==
            0) { // `not true` as a whole body is no body to Open Policy Agent 1.18
            g->n = at;
            gen_put(g, "input.b");
        }
    }
}

static void
every(struct gen *g, uint32_t depth)
{
    uint32_t nvars = g->nvars;
    enum gen_type t = gen_below(g, 3) ? GEN_NUM : GEN_STR;
    size_t at = g->n;
    char text[GEN_DEF / 16], name[8];
    gen_collection(g, t, depth);
    size_t n = g->n - at < sizeof text ? g->n - at : sizeof text - 1;
    memcpy(text, g->text + at, n);
    text[n] = 0;
    g->n = at;
    gen_put(g, "every ");
    gen_new_var(g, t);
    memcpy(name, g->var[g->nvars - 1].name, sizeof name);
    gen_put(g, " in %s { %s %s ", text, name, gen_below(g, 2) ? "!=" : "==");
    gen_expr(g, t, 0);
    if (gen_below(g, 3) == 0) {
        gen_put(g, "; ");
        test(g, 0);
    }
    gen_put(g, " }");
    g->nvars = nvars;
}

static void
modifier(struct gen *g)
{
    const struct gen_rule *f = g->nrules ? &g->rule[gen_below(g, g->nrules)] : NULL;
    switch (gen_below(g, 7)) {
    case 0:
        gen_put(g, " with input.n as ");
        gen_expr(g, GEN_NUM, 0);
        return;
    case 1:
        gen_put(g, " with input as {\"n\": 1, \"ns\": ");
        gen_expr(g, GEN_ARRN, 0);
        gen_put(g, "}");
        return;
    case 2:
        gen_put(g, " with data.%sd.n as ", g->prefix);
        gen_expr(g, GEN_NUM, 0);
        return;
    case 3: gen_put(g, " with count as 3"); return;
    case 4:
        gen_put(g, " with input.o.b as ");
        gen_expr(g, GEN_NUM, 0);
        gen_put(g, " with input.s as \"b\"");
        return;
    case 5: gen_put(g, " with sum as count with input.m as 2"); return;
    default:
        if (!f) {
            gen_put(g, " with input.b as true");
            return;
        }
        gen_put(g, " with data.%sp%u%s.%s as ", g->prefix, f->package, f->package == 1 ? ".deep" : "",
                f->name);
        gen_constant(g, f->type);
    }
}

static void
with(struct gen *g, uint32_t depth)
{
    uint32_t nvars = g->nvars, added;
    if (gen_below(g, 2))
        test(g, depth);
    else
        assign(g, depth);
    added = g->nvars - nvars;
    g->nvars = nvars; // what the literal binds has no value in its modifiers
    modifier(g);
    g->nvars = nvars + added;
}

static void
literal(struct gen *g, uint32_t depth)
{
    switch (gen_below(g, 14)) {
    case 0:
    case 1:
    case 2: assign(g, depth); return;
    case 3:
    case 4: some_in(g, depth); return;
    case 5: element_of(g); return;
    case 6: destructure(g, depth); return;
    case 7: object_pattern(g); return;
    case 8: negated(g, depth); return;
    case 9: every(g, depth); return;
    case 10: with(g, depth); return;
    case 11: gen_expr(g, GEN_BOOL, depth); return;
    default: test(g, depth);
    }
}

void
gen_body(struct gen *g, uint32_t n, uint32_t depth)
{
    bool is_inline = depth == 0, is_empty = true;
    for (uint32_t i = 0; i < n; i++) {
        struct gen_unit u = gen_unit_begin(g);
        if (is_inline)
            gen_put(g, "%s", is_empty ? "" : "; ");
        else
            gen_put(g, "    ");
        literal(g, depth);
        gen_put(g, is_inline ? "" : "\n");
        is_empty &= !gen_unit_end(g, u);
    }
    if (is_empty)
        gen_put(g, is_inline ? "true" : "    true\n");
}
