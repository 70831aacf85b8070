// SPDX-License-Identifier: Apache-2.0
// Builders behind the statements of a module: package, imports, rules. What Rego v0 wrote differently is
// refused here with its v1 spelling. In: nodes of the grammar. Out: lx->module. Memory: the compile arena.
// Next file to read: parse_meta.c.
#include "parse_build.h"

// A part of the text as it was written, for messages; at most one line of it.
static struct ag_str
written(const struct agc_lexer *lx, struct agc_span at)
{
    struct ag_str s = lx->text->text;
    if (lx->text->nsegs != 1 || lx->text->seg[0].file != 0 || at.begin > at.end || at.end > s.n)
        return AG_STR("p");
    s = ag_str_of(s.p + at.begin, at.end - at.begin);
    const char *newline = memchr(s.p, '\n', s.n);
    if (newline)
        s.n = (size_t)(newline - s.p);
    return s.n > 80 ? AG_STR("p") : s;
}

// Every statement but the package comes behind it.
static void
need_package(struct agc_lexer *lx, struct agc_span at)
{
    if (lx->has_package || lx->has_statement)
        return;
    struct agc_diag *d = agc_token_fail(lx, AGC_D_SYNTAX, at, "a module begins with its package");
    agc_diag_fix(lx->diags, d, "write `package example` as the first line");
    lx->has_statement = true;
}

void
agc_build_package(struct agc_lexer *lx, struct agc_span at, struct agc_node *path)
{
    struct agc_module *m = lx->module;
    if (lx->has_package || lx->has_statement) {
        agc_build_error(lx, at,
                        lx->has_package ? "a module has one package" : "the package stands before all else");
        return;
    }
    lx->has_package = true;
    if (!path)
        return;
    m->package_span = path->span;
    m->npath = path->kind == AGC_VAR ? 1 : path->n;
    m->path = agc_alloc(lx->arena, m->npath * sizeof *m->path);
    for (uint32_t i = 0; i < m->npath; i++)
        m->path[i] = path->kind == AGC_VAR ? path->text : path->kid[i]->text;
}

static bool
is_keyword(struct ag_str s)
{
    static const char *const word[] = {
#define KEYWORD(text, TOKEN) text,
#include "../grammar/keywords.def"
    };
    for (size_t i = 0; i < sizeof word / sizeof word[0]; i++)
        if (ag_str_is(s, word[i]))
            return true;
    return ag_str_is(s, "input") || ag_str_is(s, "data");
}

static bool
is_future(const struct agc_node *path)
{
    static const char *const word[] = {"in", "every", "contains", "if", "not"};
    if (path->n < 2 || path->n > 3 || !ag_str_is(path->kid[1]->text, "keywords"))
        return false;
    bool ok = path->n == 2;
    for (size_t i = 0; path->n == 3 && i < sizeof word / sizeof word[0]; i++)
        ok |= ag_str_is(path->kid[2]->text, word[i]);
    return ok;
}

// Is this path one that can be imported? Reports otherwise.
static bool
check_import(struct agc_lexer *lx, const struct agc_node *path, const struct agc_node *alias)
{
    struct ag_str root = path->kind == AGC_VAR ? path->text : path->kid[0]->text;
    struct ag_str last = path->kind == AGC_VAR ? path->text : path->kid[path->n - 1]->text;
    bool is_rego = ag_str_is(root, "rego");
    if (is_rego && (path->kind != AGC_REF || path->n != 2 || !ag_str_is(last, "v1"))) {
        struct agc_diag *d = agc_token_fail(lx, AGC_D_SYNTAX, path->span, "there is no such import of rego");
        agc_diag_fix(lx->diags, d, "write `import rego.v1`");
        return false;
    }
    if (ag_str_is(root, "future")) {
        if (path->kind != AGC_REF || !is_future(path)) {
            struct agc_diag *d =
                agc_token_fail(lx, AGC_D_SYNTAX, path->span, "there is no such keyword to import");
            agc_diag_fix(
                lx->diags, d,
                "the keywords are contains, every, if, in and not, as in `import future.keywords.in`");
            return false;
        }
        if (alias)
            agc_build_error(lx, alias->span, "imports of keywords have no alias");
        return !alias;
    }
    if (!is_rego && !ag_str_is(root, "data") && !ag_str_is(root, "input")) {
        struct agc_diag *d =
            agc_token_fail(lx, AGC_D_SYNTAX, path->span, "an import begins with data, input, future or rego");
        struct ag_str text = written(lx, path->span);
        agc_diag_fix(lx->diags, d, "write `import data.%.*s` for another package", (int)text.n, text.p);
        return false;
    }
    if (!alias && path->kind == AGC_REF && is_keyword(last)) {
        struct agc_diag *d =
            agc_token_fail(lx, AGC_D_SYNTAX, path->span, "an import cannot be named like a keyword");
        agc_diag_fix(lx->diags, d, "give it another name: `import .. as name`");
        return false;
    }
    return true;
}

void
agc_build_import(struct agc_lexer *lx, struct agc_span at, struct agc_node *path, struct agc_node *alias)
{
    struct agc_module *m = lx->module;
    need_package(lx, at);
    if (!path || !check_import(lx, path, alias))
        return;
    m->imports = agc_grow(lx->arena, m->imports, m->nimports, &lx->imports_cap, sizeof *m->imports);
    struct agc_import *i = &m->imports[m->nimports++];
    *i = (struct agc_import){.span = at, .path = path};
    if (alias)
        i->alias = (struct agc_str_at){alias->text, alias->span};
}

struct agc_head *
agc_build_head(struct agc_lexer *lx, struct agc_span at, struct agc_node *name, int op,
               struct agc_node *value)
{
    struct agc_head *h = agc_alloc(lx->arena, sizeof *h);
    *h = (struct agc_head){at, name, op, value};
    return h;
}

static struct agc_def *
new_def(struct agc_lexer *lx, struct agc_span at)
{
    struct agc_def *d = agc_alloc(lx->arena, sizeof *d);
    d->span = at;
    return d;
}

// A definition with the head's parts, added to the module; NULL after an error.
static struct agc_def *
define(struct agc_lexer *lx, struct agc_def *d, const struct agc_head *h)
{
    struct agc_module *m = lx->module;
    struct agc_node *name = h->name;
    need_package(lx, h->span);
    if (!name || (h->op && !h->value))
        return NULL;
    d->head_span = h->span;
    d->value = h->value;
    d->kind = h->op == CONTAINS ? AGC_DEF_CONTAINS : AGC_DEF_VALUE;
    d->ref = name;
    if (name->kind == AGC_CALL) {
        if (h->op == CONTAINS) {
            struct agc_diag *e =
                agc_token_fail(lx, AGC_D_SYNTAX, h->span, "a function cannot be a set of values");
            agc_diag_fix(lx->diags, e, "give it a value: `f(x) := {..}`");
            return NULL;
        }
        d->kind = AGC_DEF_FUNCTION;
        d->ref = name->kid[0];
        d->nargs = name->n - 1;
        d->arg = name->kid + 1;
    }
    if (d->ref->kind != AGC_VAR && !(d->ref->kind == AGC_REF && d->ref->kid[0]->kind == AGC_VAR)) {
        agc_build_error(lx, h->span, "the head of a rule begins with its name");
        return NULL;
    }
    if (name->kind == AGC_VAR && ag_str_is(name->text, "contains")) {
        agc_build_error(lx, h->span, "a keyword cannot name a rule");
        return NULL;
    }
    m->defs = agc_grow(lx->arena, m->defs, m->ndefs, &lx->defs_cap, sizeof(struct agc_def *));
    m->defs[m->ndefs++] = d;
    return d;
}

// Values of defaults are constants, comprehensions excepted.
static bool
is_fixed(const struct agc_node *n)
{
    switch (n->kind) {
    case AGC_ARRAY_COMP:
    case AGC_SET_COMP:
    case AGC_OBJECT_COMP: return true;
    case AGC_VAR:
    case AGC_REF:
    case AGC_CALL:
    case AGC_BINARY:
    case AGC_MEMBER2:
    case AGC_NEGATE: return false;
    default: break;
    }
    for (uint32_t i = 0; i < n->n; i++)
        if (!is_fixed(n->kid[i]))
            return false;
    return true;
}

static void
check_default_args(struct agc_lexer *lx, const struct agc_def *d)
{
    for (uint32_t i = 0; i < d->nargs; i++) {
        const struct agc_node *a = d->arg[i];
        bool is_var = a->kind == AGC_VAR, is_twice = false;
        for (uint32_t k = 0; is_var && k < i && !ag_str_is(a->text, "_"); k++)
            is_twice |= d->arg[k]->kind == AGC_VAR && ag_str_eq(d->arg[k]->text, a->text);
        if (!is_var || is_twice)
            agc_build_error(lx, a->span,
                            is_var ? "an argument of a default function stands twice"
                                   : "the arguments of a default function are variables");
    }
}

void
agc_build_default(struct agc_lexer *lx, struct agc_span at, struct agc_head *head)
{
    struct agc_def *d = new_def(lx, at);
    // `default p` alone is `default p := true`; of two parts the second would be a key.
    bool is_key = head->name && head->name->kind == AGC_REF && head->name->n == 2;
    if (head->op == CONTAINS || (head->op == 0 && is_key)) {
        struct agc_diag *e = agc_token_fail(lx, AGC_D_SYNTAX, head->span, "a default rule has a value");
        struct ag_str name = written(lx, head->name ? head->name->span : head->span);
        agc_diag_fix(lx->diags, e, "write `default %.*s := false`", (int)name.n, name.p);
        return;
    }
    d->is_default = true;
    if (!define(lx, d, head))
        return;
    if (d->value && !is_fixed(d->value)) {
        struct agc_diag *e = agc_token_fail(lx, AGC_D_SYNTAX, d->value->span,
                                            "the value of a default is constant; this depends on something");
        agc_diag_fix(lx->diags, e, "compute it in a rule, or as the last `else`");
    }
    check_default_args(lx, d);
}

// The v1 spelling of a set that v0 wrote as `p[x]`, in messages; false when the head is none.
static bool
fix_set(struct agc_lexer *lx, struct agc_diag *d, const struct agc_head *h, const char *tail)
{
    struct ag_str text = written(lx, h->span);
    const struct agc_node *name = h->name;
    if (h->op || !name || name->kind != AGC_REF || !text.n || text.p[text.n - 1] != ']')
        return false;
    const struct agc_node *key = name->kid[name->n - 1];
    struct agc_span to_key = {h->span.source, h->span.begin, name->kid[name->n - 2]->span.end};
    struct ag_str set = written(lx, to_key), element = written(lx, key->span);
    agc_diag_fix(lx->diags, d, "write `%.*s contains %.*s%s`", (int)set.n, set.p, (int)element.n, element.p,
                 tail);
    return true;
}

// The spelling of v1 for a rule whose body has no `if`.
static void
refuse_v0(struct agc_lexer *lx, const struct agc_head *h)
{
    struct ag_str text = written(lx, h->span);
    struct agc_diag *d =
        agc_token_fail(lx, AGC_D_SYNTAX, h->span, "`if` stands before the body of a rule since Rego v1");
    if (!fix_set(lx, d, h, " if { .. }"))
        agc_diag_fix(lx->diags, d, "write `%.*s if { .. }`", (int)text.n, text.p);
}

// A head may have a blank behind its name only when it has a body.
static bool
is_adjoined(const struct agc_lexer *lx, const struct agc_node *name)
{
    const struct agc_node *first = name;
    while (first && (first->kind == AGC_REF || first->kind == AGC_CALL))
        first = first->kid[0];
    if (!first || first == name)
        return true;
    struct ag_str s = lx->text->text;
    uint32_t at = first->span.end;
    return at < s.n && (s.p[at] == '.' || s.p[at] == '[' || s.p[at] == '(');
}

void
agc_build_constant(struct agc_lexer *lx, struct agc_span at, struct agc_head *head)
{
    bool is_call = head->name && head->name->kind == AGC_CALL;
    if (!is_adjoined(lx, head->name)) {
        agc_build_error(lx, head->span, "a blank stands between the name and what follows it");
        return;
    }
    if (head->op == 0 && !is_call) {
        struct ag_str name = written(lx, head->span);
        struct agc_diag *e =
            agc_token_fail(lx, AGC_D_SYNTAX, head->span, "a rule has a value, a body or both");
        if (!fix_set(lx, e, head, ""))
            agc_diag_fix(lx->diags, e, "write `%.*s := ..` or `%.*s if ..`", (int)name.n, name.p, (int)name.n,
                         name.p);
        need_package(lx, at);
        return;
    }
    define(lx, new_def(lx, at), head);
}

// While bodies and clauses are collected, `otherwise` leads back to the one before, and `number` 1 says that
// the `if` of v1 is missing.
struct agc_def *
agc_build_body(struct agc_lexer *lx, struct agc_span at, struct agc_def *first, struct agc_node *body,
               bool has_if)
{
    struct agc_def *d = new_def(lx, at);
    d->body = body;
    d->otherwise = first;
    d->number = !has_if;
    return d;
}

struct agc_def *
agc_build_else(struct agc_lexer *lx, struct agc_span at, int op, struct agc_node *value,
               struct agc_node *body, bool has_if)
{
    struct agc_def *d = new_def(lx, at);
    d->value = value;
    d->body = body;
    if (op == 0 && has_if && !body && !lx->is_failed)
        agc_build_error(lx, at, "`else` has a value, a condition or both");
    if (!has_if) {
        struct agc_diag *e =
            agc_token_fail(lx, AGC_D_SYNTAX, at, "`if` stands before the body of `else` since Rego v1");
        struct ag_str text = value ? written(lx, value->span) : AG_STR("");
        agc_diag_fix(lx->diags, e, "write `else%s%.*s if { .. }`", value ? " := " : "", (int)text.n, text.p);
    }
    return d;
}

struct agc_def *
agc_build_elses(struct agc_lexer *lx, struct agc_def *first, struct agc_def *next)
{
    if (first && !first->body)
        agc_build_error(lx, next->span, "this `else` is never reached: the one before it has no condition");
    next->nsuffix = first ? first->nsuffix + 1 : 1;
    if (next->nsuffix > AGC_ELSE_MAX) {
        if (next->nsuffix == AGC_ELSE_MAX + 1)
            agc_token_fail(lx, AGC_D_EXPR_DEPTH, next->span, "more than %u `else` in one rule", AGC_ELSE_MAX);
        return first;
    }
    next->otherwise = first;
    return next;
}

static struct agc_def *
reversed(struct agc_def *d)
{
    struct agc_def *prev = NULL;
    while (d) {
        struct agc_def *next = d->otherwise;
        d->otherwise = prev;
        d->nsuffix = 0;
        prev = d;
        d = next;
    }
    return prev;
}

static bool
is_ground(const struct agc_node *n)
{
    if (n->kind == AGC_VAR)
        return false;
    for (uint32_t i = 0; i < n->n; i++)
        if (!is_ground(n->kid[i]))
            return false;
    return true;
}

static bool
can_have_else(struct agc_lexer *lx, const struct agc_def *d, struct agc_span at)
{
    const char *why = d->kind == AGC_DEF_CONTAINS ? "a set of values has no `else`" : NULL;
    for (uint32_t i = 1; d->ref->kind == AGC_REF && i < d->ref->n; i++)
        if (!is_ground(d->ref->kid[i]))
            why = "a rule with variables in its head has no `else`";
    if (why)
        agc_build_error(lx, at, why);
    return !why;
}

void
agc_build_rule(struct agc_lexer *lx, struct agc_span at, struct agc_head *head, struct agc_def *bodies,
               struct agc_def *elses)
{
    bodies = reversed(bodies);
    elses = reversed(elses);
    if (bodies->number)
        refuse_v0(lx, head);
    bool is_chain = bodies->otherwise != NULL;
    for (struct agc_def *d = bodies; d;) {
        struct agc_def *next = d->otherwise;
        d->otherwise = NULL;
        d->number = 0;
        d->is_chained = d != bodies;
        if (d == bodies)
            d->span = is_chain ? (struct agc_span){at.source, at.begin, d->span.end} : at;
        if (!d->body || !define(lx, d, head))
            return;
        d = next;
    }
    if (!elses)
        return;
    if (is_chain)
        agc_build_error(lx, elses->span, "`else` follows one body; this rule has several");
    else if (can_have_else(lx, bodies, elses->span))
        bodies->otherwise = elses;
}
