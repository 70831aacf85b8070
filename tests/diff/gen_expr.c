// SPDX-License-Identifier: Apache-2.0
// Random expressions of a kind of value. In: what may be used: variables, rules before, input, data.
// Out: text. Memory: the generator's. Next file to read: gen_body.c.
#include "gen_parts.h"

#include <stdio.h>

enum gen_type
gen_element(enum gen_type t)
{
    return t == GEN_ARRS || t == GEN_SETS ? GEN_STR : GEN_NUM;
}

void
gen_new_var(struct gen *g, enum gen_type t)
{
    struct gen_var *v = &g->var[g->nvars < GEN_VARS - 1 ? g->nvars++ : GEN_VARS - 1];
    snprintf(v->name, sizeof v->name, "v%u", g->next_var++);
    v->type = t;
    gen_put(g, "%s", v->name);
}

static void
list(struct gen *g, const char *begin, enum gen_type t, const char *end)
{
    uint32_t n = gen_below(g, 4);
    gen_put(g, "%s", begin);
    for (uint32_t i = 0; i < n; i++) {
        gen_put(g, i ? ", " : "");
        gen_constant(g, t);
    }
    gen_put(g, "%s", end);
}

static void
object(struct gen *g)
{
    uint32_t n = gen_below(g, 4), from = gen_below(g, 2);
    gen_put(g, "{");
    for (uint32_t i = 0; i < n; i++)
        gen_put(g, "%s\"%c\": %u", i ? ", " : "", 'a' + (int)(from + i), gen_below(g, 5));
    gen_put(g, "}");
}

void
gen_constant(struct gen *g, enum gen_type t)
{
    static const char *const odd[] = {"1.0", "0.5", "-1", "1e2", "12345678901234567890"};
    switch (t) {
    case GEN_NUM:
        if (gen_below(g, 12) == 0)
            gen_put(g, "%s", odd[gen_below(g, 5)]);
        else
            gen_put(g, "%u", gen_below(g, 5));
        return;
    case GEN_STR: gen_put(g, "\"%c\"", 'a' + (int)gen_below(g, 4)); return;
    case GEN_BOOL: gen_put(g, gen_below(g, 3) ? "true" : "false"); return;
    case GEN_ARRN: list(g, "[", GEN_NUM, "]"); return;
    case GEN_ARRS: list(g, "[", GEN_STR, "]"); return;
    case GEN_OBJN: object(g); return;
    default: {
        size_t at = g->n;
        list(g, "{", gen_element(t), "}");
        if (strcmp(g->text + at, "{}") == 0) {
            g->n = at;
            gen_put(g, "set()");
        }
    }
    }
}

// --- names of things before
static bool
variable(struct gen *g, enum gen_type t)
{
    uint32_t n = 0, pick;
    for (uint32_t i = 0; i < g->nvars; i++)
        n += g->var[i].type == t;
    if (!n)
        return false;
    pick = gen_below(g, n);
    for (uint32_t i = 0; i < g->nvars; i++)
        if (g->var[i].type == t && pick-- == 0)
            gen_put(g, "%s", g->var[i].name);
    return true;
}

static void
rule_name(struct gen *g, const struct gen_rule *r)
{
    if (r->package == g->package && gen_below(g, 3))
        gen_put(g, "%s", r->name);
    else if (r->package == 0 && g->package == 1 && gen_below(g, 2))
        gen_put(g, "imported.%s", r->name);
    else
        gen_put(g, "data.%sp%u%s.%s", g->prefix, r->package, r->package == 1 ? ".deep" : "", r->name);
}

static void
call(struct gen *g, const struct gen_rule *r, uint32_t depth)
{
    rule_name(g, r);
    gen_put(g, "(");
    for (uint32_t i = 0; i < r->nargs; i++) {
        gen_put(g, i ? ", " : "");
        gen_expr(g, r->arg[i], depth ? depth - 1 : 0);
    }
    gen_put(g, ")");
}

static bool
use_rule(struct gen *g, enum gen_type t, uint32_t depth)
{
    for (uint32_t tries = 0; g->nrules && tries < 6; tries++) {
        const struct gen_rule *r = &g->rule[gen_below(g, g->nrules)];
        if (r->kind == GEN_FUNCTION) {
            if (r->type != t || depth == 0)
                continue;
            call(g, r, depth);
        } else if (r->kind == GEN_NESTED) {
            if (t != (r->nargs ? GEN_SETN : GEN_NUM))
                continue;
            rule_name(g, r);
            gen_put(g, ".%c[", 'a' + (int)gen_below(g, 3));
            gen_expr(g, GEN_STR, 0);
            gen_put(g, "]");
        } else if (r->type == t) {
            rule_name(g, r);
        } else if (r->kind == GEN_OBJECT && t == GEN_NUM) {
            rule_name(g, r);
            gen_put(g, "[");
            gen_expr(g, GEN_STR, 0);
            gen_put(g, "]");
        } else
            continue;
        return true;
    }
    return false;
}

static void
document(struct gen *g, enum gen_type t)
{
    static const char *const member[] = {[GEN_NUM] = "n",   [GEN_STR] = "s",   [GEN_BOOL] = "b",
                                         [GEN_ARRN] = "ns", [GEN_ARRS] = "ss", [GEN_OBJN] = "o"};
    if (t == GEN_SETN || t == GEN_SETS) {
        gen_put(g, "{e | e := ");
        document(g, t == GEN_SETN ? GEN_ARRN : GEN_ARRS);
        gen_put(g, "[_]}");
        return;
    }
    if (gen_below(g, 3))
        gen_put(g, "input.");
    else
        gen_put(g, "data.%sd.", g->prefix);
    gen_put(g, "%s", t == GEN_NUM && gen_below(g, 4) == 0 ? (gen_below(g, 2) ? "deep.x.y" : "m") : member[t]);
}

static void
leaf(struct gen *g, enum gen_type t)
{
    uint32_t how = gen_below(g, 10);
    if (how < 4 && variable(g, t))
        return;
    if (how < 6 && use_rule(g, t, 0))
        return;
    if (how < 8)
        document(g, t);
    else
        gen_constant(g, t);
}

// --- composed
static void
two(struct gen *g, const char *before, enum gen_type a, const char *between, enum gen_type b,
    const char *after, uint32_t depth)
{
    gen_put(g, "%s", before);
    gen_expr(g, a, depth - 1);
    gen_put(g, "%s", between);
    gen_expr(g, b, depth - 1);
    gen_put(g, "%s", after);
}

void
gen_collection(struct gen *g, enum gen_type element, uint32_t depth)
{
    if (element == GEN_STR)
        gen_expr(g, gen_below(g, 2) ? GEN_ARRS : GEN_SETS, depth);
    else
        gen_expr(g, gen_below(g, 3) == 0 ? GEN_OBJN : gen_below(g, 2) ? GEN_ARRN : GEN_SETN, depth);
}

static void
number(struct gen *g, uint32_t depth)
{
    static const char *const operators[] = {" + ", " - ", " * ", " / ", " % "};
    static const char *const folds[] = {"sum(", "max(", "min(", "count(", "product("};
    switch (gen_below(g, 6)) {
    case 0: two(g, "(", GEN_NUM, operators[gen_below(g, 5)], GEN_NUM, ")", depth); return;
    case 1:
        gen_put(g, "%s", folds[gen_below(g, 5)]);
        gen_expr(g, gen_below(g, 2) ? GEN_ARRN : GEN_SETN, depth - 1);
        gen_put(g, ")");
        return;
    case 2:
        document(g, GEN_ARRN); // a step behind an array of known length is a type error when it lies outside
        gen_put(g, "[");
        gen_expr(g, GEN_NUM, 0);
        gen_put(g, "]");
        return;
    case 3:
        gen_put(g, "abs(");
        gen_expr(g, GEN_NUM, depth - 1);
        gen_put(g, ")");
        return;
    case 4:
        gen_put(g, "object.get(");
        gen_expr(g, GEN_OBJN, depth - 1);
        two(g, ", ", GEN_STR, ", ", GEN_NUM, ")", depth);
        return;
    default: leaf(g, GEN_NUM);
    }
}

static void
string(struct gen *g, uint32_t depth)
{
    switch (gen_below(g, 4)) {
    case 0:
        gen_put(g, "$\"{");
        gen_expr(g, (enum gen_type)gen_below(g, GEN_TYPES), 0);
        gen_put(g, "}-\\{{");
        gen_expr(g, GEN_NUM, 0);
        gen_put(g, "}\"");
        return;
    case 1: two(g, "concat(", GEN_STR, ", ", gen_below(g, 2) ? GEN_ARRS : GEN_SETS, ")", depth); return;
    case 2:
        gen_put(g, "upper(");
        gen_expr(g, GEN_STR, depth - 1);
        gen_put(g, ")");
        return;
    default: leaf(g, GEN_STR);
    }
}

static void
boolean(struct gen *g, uint32_t depth)
{
    static const char *const compare[] = {" == ", " != ", " < ", " <= ", " > ", " >= "};
    enum gen_type t = (enum gen_type)gen_below(g, GEN_TYPES);
    switch (gen_below(g, 4)) {
    case 0: two(g, "(", t, compare[gen_below(g, 6)], t, ")", depth); return;
    case 1:
        t = gen_below(g, 2) ? GEN_NUM : GEN_STR;
        gen_put(g, "(");
        gen_expr(g, t, 0);
        gen_put(g, " in ");
        gen_collection(g, t, depth - 1);
        gen_put(g, ")");
        return;
    case 2: two(g, "startswith(", GEN_STR, ", ", GEN_STR, ")", depth); return;
    default: leaf(g, GEN_BOOL);
    }
}

// A comprehension; its variables end with it.
static void
comprehension(struct gen *g, enum gen_type t, uint32_t depth)
{
    size_t at = g->n;
    char text[GEN_DEF / 8];
    uint32_t nvars = g->nvars;
    gen_body(g, 1 + gen_below(g, 2), 0);
    size_t n = g->n - at < sizeof text ? g->n - at : sizeof text - 1;
    memcpy(text, g->text + at, n);
    text[n] = 0;
    g->n = at;
    gen_put(g, t == GEN_ARRN || t == GEN_ARRS ? "[" : "{");
    if (t == GEN_OBJN) {
        gen_expr(g, GEN_STR, 0);
        gen_put(g, ": ");
    }
    gen_expr(g, gen_element(t), depth - 1);
    gen_put(g, " | %s%c", text, t == GEN_ARRN || t == GEN_ARRS ? ']' : '}');
    g->nvars = nvars;
}

static void
container(struct gen *g, enum gen_type t, uint32_t depth)
{
    bool is_set = t == GEN_SETN || t == GEN_SETS;
    static const char *const operators[] = {" | ", " & ", " - "};
    switch (gen_below(g, 5)) {
    case 0:
    case 1: comprehension(g, t, depth); return;
    case 2:
        if (t == GEN_OBJN)
            two(g, "object.union(", t, ", ", t, ")", depth);
        else
            two(g, is_set ? "(" : "array.concat(", t, is_set ? operators[gen_below(g, 3)] : ", ", t, ")",
                depth);
        return;
    case 3:
        if (t == GEN_OBJN)
            two(g, "{\"a\": ", GEN_NUM, ", \"b\": ", GEN_NUM, "}", depth);
        else
            two(g, is_set ? "{" : "[", gen_element(t), ", ", gen_element(t), is_set ? "}" : "]", depth);
        return;
    default: leaf(g, t);
    }
}

void
gen_expr(struct gen *g, enum gen_type t, uint32_t depth)
{
    if (depth == 0 || gen_below(g, 3) == 0) {
        leaf(g, t);
        return;
    }
    if (gen_below(g, 5) == 0 && use_rule(g, t, depth))
        return;
    switch (t) {
    case GEN_NUM: number(g, depth); return;
    case GEN_STR: string(g, depth); return;
    case GEN_BOOL: boolean(g, depth); return;
    default: container(g, t, depth);
    }
}
