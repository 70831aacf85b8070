// SPDX-License-Identifier: Apache-2.0
// Step 4, names. In: the tree. Out: built-in numbers in CALL nodes; unknown names with the nearest spelling.
// Expressions of rules begin at `input` or call a built-in. Memory: the tree. Next file to read: check.c.
#include "resolve.h"

#include "names.h"
#include "builtins/builtins.h"

#include <stdio.h>

// Types of builtins.def (enum ag_type) as sets of kinds: the bits stand in the same order, AG_NULL is the
// first.
#define T(t) ((uint32_t)(t) << AG_NULL)
enum {
    NO = 0,
    NUL = AG_T_NULL,
    BLN = AG_T_BOOL,
    NUM = AG_T_NUMBER,
    STR = AG_T_STRING,
    ARR = AG_T_ARRAY,
    OBJ = AG_T_OBJECT,
    SET = AG_T_SET,
    ANY = AG_T_ANY,
    PURE = AG_BUILTIN_PURE,
    CLOCK = AG_BUILTIN_CLOCK,
    SEED = AG_BUILTIN_SEED,
    HOST = AG_BUILTIN_HOST,
    STATE = AG_BUILTIN_STATE
};
_Static_assert(AG_T_SET << AG_NULL == 1 << AG_SET, "the types of builtins.def follow the order of the kinds");

static const struct agc_builtin table[] = {
#define BUILTIN(ID, name, fn, nargs, a0, a1, a2, a3, result, flags, cost, sig, doc)                          \
    {name, nargs, {T(a0), T(a1), T(a2), T(a3)}, T(result), sig, (flags) == PURE},
#include "builtins/builtins.def"
};
#define NTABLE (sizeof table / sizeof table[0])

// Functions of the language that read the world outside the input; they have no place in a decision.
static const char *const refused[] = {"http.send", "net.lookup_ip_addr", "opa.runtime", "rand.intn", "print"};

const struct agc_builtin *
agc_builtin_at(uint32_t ix)
{
    return ix < NTABLE ? &table[ix] : NULL;
}

uint32_t
agc_builtin_count(void)
{
    return NTABLE;
}

uint32_t
agc_builtin_find(struct ag_str name)
{
    bool is_internal = name.n >= 9 && memcmp(name.p, "internal.", 9) == 0;
    for (uint32_t i = 0; !is_internal && i < NTABLE; i++)
        if (ag_str_is(name, table[i].name))
            return i;
    return AG_NONE;
}

struct names {
    struct agc_arena *arena;
    struct agc_diags *diags;
};

static void
resolve_call(struct names *r, struct agc_node *call)
{
    struct ag_str name = agc_dotted(r->arena, call->kid[0]);
    call->text = name;
    call->symbol = agc_builtin_find(name);
    if (call->symbol != AG_NONE)
        return;
    int shown = (int)(name.n < 100 ? name.n : 100);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        if (ag_str_is(name, refused[i])) {
            agc_diag(r->diags, AGC_D_NOT_AVAILABLE, call->kid[0]->span,
                     "%.*s is refused: a decision depends on its input and the policy alone", shown, name.p);
            return;
        }
    const char *words[NTABLE];
    for (size_t i = 0; i < NTABLE; i++)
        words[i] = table[i].name;
    struct agc_diag *d = agc_diag(r->diags, AGC_D_UNKNOWN_FUNCTION, call->kid[0]->span,
                                  "unknown function \"%.*s\"", shown, name.p);
    const char *near = agc_nearest(name, words, NTABLE);
    if (near)
        agc_diag_fix(r->diags, d, "write %s", near);
}

static void
resolve_var(struct names *r, const struct agc_node *v)
{
    static const char *const roots[] = {"input"};
    if (ag_str_is(v->text, "input"))
        return;
    if (ag_str_is(v->text, "data")) {
        agc_diag(r->diags, AGC_D_NOT_AVAILABLE, v->span,
                 "data is not available in this version: it needs modules");
        return;
    }
    int shown = (int)(v->text.n < 100 ? v->text.n : 100);
    struct agc_diag *d =
        agc_diag(r->diags, AGC_D_UNKNOWN_NAME, v->span, "unknown name \"%.*s\"", shown, v->text.p);
    static const char *const fields[] = {"type",   "target",     "agent",      "tenant",
                                         "params", "session_id", "description"};
    const char *near = agc_nearest(v->text, roots, 1);
    if (near) {
        agc_diag_fix(r->diags, d, "write %s", near);
        return;
    }
    near = agc_nearest(v->text, fields, sizeof fields / sizeof fields[0]);
    if (near)
        agc_diag_fix(r->diags, d, "write input.%s", near);
    else if (agc_builtin_find(v->text) != AG_NONE)
        agc_diag_fix(r->diags, d, "%.*s is a function: call it", shown, v->text.p);
    else
        agc_diag_fix(r->diags, d, "expressions begin at input, strings stand in quotes");
}

static void
resolve_node(struct names *r, struct agc_node *n)
{
    uint32_t from = 0;
    if (n->kind == AGC_CALL) {
        resolve_call(r, n);
        from = 1;
    } else if (n->kind == AGC_VAR) {
        resolve_var(r, n);
    }
    for (uint32_t i = from; i < n->n; i++)
        resolve_node(r, n->kid[i]);
}

bool
agc_resolve(struct agc_arena *a, struct agc_diags *diags, struct agc_policy *policy)
{
    struct names r = {a, diags};
    uint32_t errors = diags->nerrors;
    for (uint32_t i = 0; i < policy->nrules; i++)
        if (policy->rules[i].body)
            resolve_node(&r, policy->rules[i].body);
    for (uint32_t i = 0; i < policy->nlimits; i++) {
        for (uint32_t k = 0; k < policy->limits[i].nkeys; k++)
            resolve_node(&r, policy->limits[i].key[k]);
        if (policy->limits[i].cost)
            resolve_node(&r, policy->limits[i].cost);
    }
    return diags->nerrors == errors;
}

static void
print_node(FILE *f, const struct agc_sources *sources, const struct agc_node *n)
{
    uint32_t line, column;
    agc_source_place(sources, n->span, &line, &column);
    if (n->kind == AGC_CALL && n->symbol != AG_NONE)
        fprintf(f, "  %u:%u %.*s = built-in of %u\n", line, column, (int)n->text.n, n->text.p, n->n - 1);
    if (n->kind == AGC_VAR)
        fprintf(f, "  %u:%u %.*s = the input\n", line, column, (int)n->text.n, n->text.p);
    for (uint32_t i = n->kind == AGC_CALL; i < n->n; i++)
        print_node(f, sources, n->kid[i]);
}

void
agc_names_print(const struct agc_policy *policy, const struct agc_sources *sources, void *file)
{
    FILE *f = file;
    for (uint32_t i = 0; i < policy->nrules; i++) {
        const struct agc_rule *r = &policy->rules[i];
        fprintf(f, "rule %.*s\n", (int)r->name.text.n, r->name.text.p);
        if (r->body)
            print_node(f, sources, r->body);
    }
    for (uint32_t i = 0; i < policy->nlimits; i++) {
        const struct agc_limit *l = &policy->limits[i];
        fprintf(f, "limit %.*s\n", (int)l->name.text.n, l->name.text.p);
        for (uint32_t k = 0; k < l->nkeys; k++)
            print_node(f, sources, l->key[k]);
        if (l->cost)
            print_node(f, sources, l->cost);
    }
}
