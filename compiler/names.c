// SPDX-License-Identifier: Apache-2.0
// Names of definitions: rules and imports become references into the documents, variables get numbers, and
// declarations leave the bodies. In: definitions as written. Out: the same nodes, decided; what follows is
// written down in program.h. Memory: the compile arena. Next file to read: call.c, with.c, safety.c.
#include "names.h"

#include "safety.h"

// Import paths that only switch the language on.
static bool
is_language(const struct agc_import *imp)
{
    const struct agc_node *n = imp->path->kind == AGC_REF ? imp->path->kid[0] : imp->path;
    return ag_str_is(n->text, "rego") || ag_str_is(n->text, "future");
}

// The name under which an import is known in the module.
static struct ag_str
import_name(const struct agc_import *imp)
{
    if (imp->alias.text.p)
        return imp->alias.text;
    const struct agc_node *n = imp->path;
    return n->kind == AGC_REF ? n->kid[n->n - 1]->text : n->text;
}

static struct agc_import *
import_of(const struct agc_module *m, struct ag_str name)
{
    // The last one wins, as later imports shadow earlier ones where that is allowed.
    for (uint32_t i = m->nimports; i-- > 0;)
        if (!is_language(&m->imports[i]) && ag_str_eq(import_name(&m->imports[i]), name))
            return &m->imports[i];
    return NULL;
}

static void
become(struct agc_node *n, const struct agc_node *from)
{
    struct agc_span span = n->span;
    *n = *from;
    n->span = span;
}

static struct agc_node *
root_node(struct agc_builder *b, struct agc_span span, struct ag_str name)
{
    return agc_node_var(b->a, span, name, ag_str_is(name, "input") ? AGC_SYM_INPUT : AGC_SYM_DATA);
}

// REF(data, package ..., name).
static struct agc_node *
rule_ref(struct agc_names *r, const struct agc_node *name)
{
    const struct agc_module *m = r->def->module;
    struct agc_node *ref = agc_node_new(r->b->a, AGC_REF, name->span, (struct ag_str){0}, m->npath + 2);
    ref->depth = 2;
    ref->kid[0] = root_node(r->b, name->span, AG_STR("data"));
    for (uint32_t i = 0; i < m->npath; i++)
        ref->kid[i + 1] = agc_node_string(r->b->a, name->span, m->path[i]);
    ref->kid[m->npath + 1] = agc_node_string(r->b->a, name->span, name->text);
    return ref;
}

static struct agc_node *
import_ref(struct agc_names *r, const struct agc_node *name, const struct agc_import *imp)
{
    const struct agc_node *path = imp->path;
    const struct agc_node *root = path->kind == AGC_REF ? path->kid[0] : path;
    if (path->kind != AGC_REF || path->n == 1)
        return root_node(r->b, name->span, root->text);
    struct agc_node *ref = agc_node_new(r->b->a, AGC_REF, name->span, (struct ag_str){0}, path->n);
    ref->depth = 2;
    ref->kid[0] = root_node(r->b, name->span, root->text);
    for (uint32_t i = 1; i < path->n; i++)
        ref->kid[i] = agc_node_string(r->b->a, name->span, path->kid[i]->text);
    return ref;
}

bool
agc_names_global(struct agc_names *r, struct agc_node *n)
{
    if (n->kind != AGC_VAR)
        return false;
    if (ag_str_is(n->text, "input") || ag_str_is(n->text, "data")) {
        n->symbol = ag_str_is(n->text, "input") ? AGC_SYM_INPUT : AGC_SYM_DATA;
        return true;
    }
    if (agc_scope_hidden(r, n->text))
        return false;
    struct agc_import *imp = import_of(r->def->module, n->text);
    if (imp) {
        imp->is_used = true;
        become(n, import_ref(r, n, imp));
        return true;
    }
    if (!agc_namemap_find(r->exports, n->text))
        return false;
    become(n, rule_ref(r, n));
    return true;
}

// A head that became a reference is spliced: REF(REF(data, a), b) is REF(data, a, b).
static void
splice(struct agc_names *r, struct agc_node *ref)
{
    struct agc_node *head = ref->kid[0];
    if (head->kind != AGC_REF)
        return;
    struct agc_node **kid = agc_alloc(r->b->a, (size_t)(head->n + ref->n - 1) * sizeof *kid);
    memcpy(kid, head->kid, head->n * sizeof *kid);
    memcpy(kid + head->n, ref->kid + 1, (ref->n - 1) * sizeof *kid);
    ref->kid = kid;
    ref->n += head->n - 1;
}

static void
resolve_var(struct agc_names *r, struct agc_node *n)
{
    if (!agc_names_global(r, n))
        n->symbol = agc_scope_local(r, n);
}

static void resolve_body(struct agc_names *r, struct agc_node *q);

// Comprehensions: kid[n - 1] is the body, terms stand before it and are decided after it.
static void
resolve_comprehension(struct agc_names *r, struct agc_node *n)
{
    struct agc_scope s;
    agc_scope_push(r, &s);
    agc_scope_read(r, &s, n->kid[n->n - 1]);
    for (uint32_t i = 0; i + 1 < n->n; i++)
        agc_scope_own(r, &s, n->kid[i]);
    resolve_body(r, n->kid[n->n - 1]);
    for (uint32_t i = 0; i + 1 < n->n; i++)
        agc_names_term(r, n->kid[i]);
    agc_scope_unused(r, &s);
    agc_scope_pop(r);
}

void
agc_names_path(struct agc_names *r, struct agc_node *ref)
{
    if (ref->kind != AGC_REF)
        return;
    uint32_t from = ref->kid[0]->kind == AGC_REF ? ref->kid[0]->n : 1;
    splice(r, ref);
    for (uint32_t i = from; i < ref->n; i++)
        agc_names_term(r, ref->kid[i]);
}

// Functions are called, they are no values.
static void
no_function(struct agc_names *r, const struct agc_node *n)
{
    uint32_t rest;
    if (n->kind != AGC_REF || !agc_is_root(n->kid[0]) || n->kid[0]->symbol != AGC_SYM_DATA)
        return;
    const struct agc_tree *t = agc_tree_walk(r->b->p->root, n, &rest);
    if (!t || !t->group || t->group->kind != AGC_GROUP_FUNCTION)
        return;
    struct agc_diag *d = agc_diag(r->b->diags, AGC_D_TYPE_ERROR, n->span, "%.*s is a function and no value",
                                  agc_shown(t->group->name), t->group->name.p);
    agc_diag_fix(r->b->diags, d, "call it");
}

// Depth is bounded by the parser (AGC_EXPR_DEPTH_MAX).
void
agc_names_term(struct agc_names *r, struct agc_node *n)
{
    switch ((int)n->kind) {
    case AGC_VAR:
        resolve_var(r, n);
        no_function(r, n);
        break;
    case AGC_CALL: agc_names_call(r, n, false); break;
    case AGC_ARRAY_COMP:
    case AGC_SET_COMP:
    case AGC_OBJECT_COMP: resolve_comprehension(r, n); break;
    default:
        for (uint32_t i = 0; i < n->n; i++)
            agc_names_term(r, n->kid[i]);
        if (n->kind == AGC_REF)
            splice(r, n);
        no_function(r, n);
    }
}

// Keys of objects on the left side of `:=`, which are read before its variables are new.
static void
assign_keys(struct agc_names *r, struct agc_node *n)
{
    if (n->kind != AGC_ARRAY && n->kind != AGC_OBJECT)
        return;
    for (uint32_t i = 0; i < n->n; i++)
        if (n->kind == AGC_OBJECT && i % 2 == 0)
            agc_names_term(r, n->kid[i]);
        else
            assign_keys(r, n->kid[i]);
}

// Left side of `:=`: new variables, arrays and objects of them.
static void
assign(struct agc_names *r, struct agc_node *n)
{
    switch ((int)n->kind) {
    case AGC_VAR: agc_scope_declare(r, n, AGC_ASSIGNED); break;
    case AGC_ARRAY:
        for (uint32_t i = 0; i < n->n; i++)
            assign(r, n->kid[i]);
        break;
    case AGC_OBJECT:
        for (uint32_t i = 0; i + 1 < n->n; i += 2)
            assign(r, n->kid[i + 1]);
        break;
    default: {
        struct agc_diag *d =
            agc_diag(r->b->diags, AGC_D_BAD_ASSIGN, n->span, "cannot assign to a %s", agc_node_name(n->kind));
        agc_diag_fix(r->b->diags, d, "write == to compare, or = to match");
    }
    }
}

// Variables of a pattern of `some .. in` that are new: those outside of sets, calls and nested bodies, except
// for names that the collection itself uses.
static void
declare_pattern(struct agc_names *r, struct agc_node *n, const struct agc_namemap *of_domain)
{
    switch ((int)n->kind) {
    case AGC_VAR:
        if (!agc_namemap_find(of_domain, n->text) && !ag_str_is(n->text, "_")) {
            struct agc_node copy = *n;
            agc_scope_declare(r, &copy, AGC_SOME_IN_DECLARED);
        }
        break;
    case AGC_ARRAY:
        for (uint32_t i = 0; i < n->n; i++)
            declare_pattern(r, n->kid[i], of_domain);
        break;
    case AGC_OBJECT:
        for (uint32_t i = 1; i < n->n; i += 2)
            declare_pattern(r, n->kid[i], of_domain);
        break;
    case AGC_REF:
        for (uint32_t i = 1; i < n->n; i++)
            declare_pattern(r, n->kid[i], of_domain);
        break;
    }
}

static void
resolve_some_in(struct agc_names *r, struct agc_node *n)
{
    struct agc_scope domain = {0};
    struct agc_namemap names = {0};
    agc_scope_hide(r, &domain, n->kid[n->n - 1]);
    names = domain.hides;
    for (uint32_t i = 0; i + 1 < n->n; i++)
        declare_pattern(r, n->kid[i], &names);
    for (uint32_t i = n->n; i-- > 0;)
        agc_names_term(r, n->kid[i]);
}

static void
resolve_every(struct agc_names *r, struct agc_node *n)
{
    struct agc_scope s;
    agc_names_term(r, n->kid[n->n - 2]);
    agc_scope_push(r, &s);
    for (uint32_t i = 0; i + 2 < n->n; i++)
        agc_scope_hide(r, &s, n->kid[i]);
    agc_scope_read(r, &s, n->kid[n->n - 1]);
    for (uint32_t i = 0; i + 2 < n->n; i++)
        agc_scope_declare(r, n->kid[i], AGC_SOME_DECLARED);
    resolve_body(r, n->kid[n->n - 1]);
    agc_scope_unused(r, &s);
    agc_scope_pop(r);
}

static void
resolve_negated_body(struct agc_names *r, struct agc_node *body)
{
    struct agc_scope s;
    agc_scope_push(r, &s);
    agc_scope_read(r, &s, body);
    resolve_body(r, body);
    agc_scope_unused(r, &s);
    agc_scope_pop(r);
}

// Values of `with` around an assignment are read before its variables are new.
static void
resolve_assign(struct agc_names *r, struct agc_node *n, struct agc_node *with)
{
    agc_names_term(r, n->kid[1]);
    if (with)
        agc_names_with(r, with);
    assign_keys(r, n->kid[0]);
    assign(r, n->kid[0]);
}

static bool resolve_literal(struct agc_names *r, struct agc_node *n);

static bool
resolve_negated(struct agc_names *r, struct agc_node *n)
{
    if (n->kind != AGC_ASSIGN)
        return resolve_literal(r, n);
    struct agc_diag *d =
        agc_diag(r->b->diags, AGC_D_BAD_ASSIGN, n->span, "nothing can be assigned under not");
    agc_diag_fix(r->b->diags, d, "write == to compare");
    return true;
}

// A literal, in place. False: it only declared something and leaves the body.
static bool
resolve_literal(struct agc_names *r, struct agc_node *n)
{
    switch ((int)n->kind) {
    case AGC_SOME:
        for (uint32_t i = 0; i < n->n; i++)
            agc_scope_declare(r, n->kid[i], AGC_SOME_DECLARED);
        return false;
    case AGC_SOME_IN: resolve_some_in(r, n); return true;
    case AGC_EVERY: resolve_every(r, n); return true;
    case AGC_ASSIGN: resolve_assign(r, n, NULL); return true;
    case AGC_NOT:
        if (agc_is_not_body(n)) {
            resolve_negated_body(r, n->kid[0]);
            return true;
        }
        return resolve_negated(r, agc_is_bare_not(n) ? n->kid[0]->kid[0] : n->kid[0]);
    case AGC_WITH: {
        if (n->kid[0]->kind == AGC_ASSIGN) {
            resolve_assign(r, n->kid[0], n);
            return true;
        }
        bool stays = resolve_literal(r, n->kid[0]);
        agc_names_with(r, n);
        return stays;
    }
    case AGC_CALL: {
        bool is_print = agc_names_is_print(r, n);
        agc_names_call(r, n, true);
        return !is_print || r->def->number != AG_NONE; // of a query nothing is checked
    }
    default: agc_names_term(r, n); return true;
    }
}

static void
resolve_body(struct agc_names *r, struct agc_node *q)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < q->n; i++)
        if (resolve_literal(r, q->kid[i]))
            q->kid[n++] = q->kid[i];
    q->n = n;
    if (!n) {
        struct agc_node **kid = agc_alloc(r->b->a, sizeof *kid);
        kid[0] = agc_node_new(r->b->a, AGC_TRUE_LIT, q->span, (struct ag_str){0}, 0);
        q->kid = kid;
        q->n = 1;
    }
}

// Patterns of a function's arguments declare their variables; a name that comes twice is compared.
static void
declare_argument(struct agc_names *r, struct agc_node *n)
{
    if (n->kind == AGC_VAR && !ag_str_is(n->text, "_") && agc_scope_declared(r, n->text)) {
        n->symbol = agc_scope_local(r, n);
    } else if (n->kind == AGC_VAR) {
        agc_scope_declare(r, n, AGC_ARGUMENT);
    } else if (n->kind == AGC_ARRAY) {
        for (uint32_t i = 0; i < n->n; i++)
            declare_argument(r, n->kid[i]);
    } else if (n->kind == AGC_OBJECT) {
        for (uint32_t i = 0; i + 1 < n->n; i += 2) {
            agc_names_term(r, n->kid[i]);
            declare_argument(r, n->kid[i + 1]);
        }
    } else if (n->kind == AGC_CALL || n->kind == AGC_BINARY || n->kind == AGC_NEGATE) {
        agc_diag(r->b->diags, AGC_D_BAD_ASSIGN, n->span, "an argument of a definition cannot be a call");
    } else if (n->kind == AGC_REF) {
        struct agc_diag *d = agc_diag(r->b->diags, AGC_D_BAD_ASSIGN, n->span,
                                      "an argument of a definition cannot be a reference");
        agc_diag_fix(r->b->diags, d, "name the argument, and compare it in the body");
    } else {
        agc_names_term(r, n);
    }
}

// One clause: the definition itself, or an `else`. Arguments are declared in `args`, which stays open.
static void
resolve_clause(struct agc_names *r, struct agc_def *def, struct agc_def *clause)
{
    struct agc_scope *s = r->scope;
    agc_scope_read(r, s, clause->body);
    for (uint32_t i = 0; clause == def && i < def->nsuffix; i++)
        agc_scope_own(r, s, def->suffix[i]);
    if (clause->value)
        agc_scope_own(r, s, clause->value);
    if (clause->body)
        resolve_body(r, clause->body);
    for (uint32_t i = 0; clause == def && i < def->nsuffix; i++)
        agc_names_term(r, def->suffix[i]);
    if (clause->value)
        agc_names_term(r, clause->value);
}

// Entries and hidden names of the arguments begin each clause anew.
static void
open_clause(struct agc_names *r, struct agc_scope *s, const struct agc_scope *args)
{
    agc_scope_push(r, s);
    for (uint32_t i = 0; i < args->hides.cap; i++)
        if (args->hides.slot[i].name.p)
            agc_namemap_put(r->b->a, &s->hides, args->hides.slot[i].name, 1);
    for (uint32_t i = 0; i < args->n; i++) {
        s->entry = agc_grow(r->b->a, s->entry, s->n, &s->cap, sizeof *s->entry);
        *agc_namemap_put(r->b->a, &s->index, args->entry[i].name, s->n) = s->n;
        s->entry[s->n++] = args->entry[i];
    }
}

static void
close_clause(struct agc_names *r, const struct agc_scope *s, struct agc_scope *args)
{
    struct agc_scope body = *s;
    for (uint32_t i = 0; i < args->n; i++)
        args->entry[i].nuses = s->entry[i].nuses;
    if (args->n)
        body.entry += args->n;
    body.n -= args->n;
    agc_scope_unused(r, &body);
    agc_scope_pop(r);
}

// Chained bodies share their head with the definition before; every definition gets nodes of its own.
static void
own_head(struct agc_builder *b, struct agc_def *def)
{
    for (uint32_t i = 0; i < def->nsuffix; i++)
        def->suffix[i] = agc_node_copy(b->a, def->suffix[i]);
    struct agc_node **arg = def->arg;
    if (def->nargs)
        def->arg = agc_alloc(b->a, def->nargs * sizeof *def->arg);
    for (uint32_t i = 0; i < def->nargs; i++)
        def->arg[i] = agc_node_copy(b->a, arg[i]);
    if (def->is_chained && def->value)
        def->value = agc_node_copy(b->a, def->value);
}

void
agc_names_def(struct agc_builder *b, struct agc_def *def)
{
    struct agc_names r = {.b = b, .def = def, .exports = agc_exports_of(b, def->module)};
    struct agc_scope args, s;
    own_head(b, def);
    agc_scope_push(&r, &args);
    for (uint32_t i = 0; i < def->nargs; i++)
        agc_scope_hide(&r, &args, def->arg[i]);
    for (uint32_t i = 0; i < def->nargs; i++)
        declare_argument(&r, def->arg[i]);
    agc_scope_pop(&r);
    for (struct agc_def *clause = def; clause; clause = clause->otherwise) {
        open_clause(&r, &s, &args);
        resolve_clause(&r, def, clause);
        close_clause(&r, &s, &args);
    }
    if (!def->is_default)
        agc_scope_unused(&r, &args);
}

void
agc_names_query(struct agc_builder *b, struct agc_def *def)
{
    struct agc_names r = {.b = b, .def = def, .exports = agc_exports_of(b, def->module)};
    struct agc_scope s;
    agc_scope_push(&r, &s);
    agc_scope_read(&r, &s, def->body);
    resolve_body(&r, def->body);
    agc_scope_pop(&r);
}

static void
check_import(struct agc_builder *b, const struct agc_module *m, uint32_t i)
{
    const struct agc_import *imp = &m->imports[i];
    const struct agc_node *root = imp->path->kind == AGC_REF ? imp->path->kid[0] : imp->path;
    struct ag_str name = import_name(imp);
    if (!is_language(imp) && !ag_str_is(root->text, "data") && !ag_str_is(root->text, "input")) {
        struct agc_diag *d =
            agc_diag(b->diags, AGC_D_IMPORT, imp->path->span, "imports begin at data or input, not %.*s",
                     agc_shown(root->text), root->text.p);
        agc_diag_fix(b->diags, d, "write data.%.*s", agc_shown(root->text), root->text.p);
        return;
    }
    if (imp->alias.text.p && (ag_str_is(name, "data") || ag_str_is(name, "input"))) {
        agc_diag(b->diags, AGC_D_SHADOWS_ROOT, imp->alias.span, "%.*s cannot be the name of an import",
                 agc_shown(name), name.p);
        return;
    }
    for (uint32_t k = 0; k < i; k++) {
        if (!ag_str_eq(import_name(&m->imports[k]), name))
            continue;
        struct agc_diag *d = agc_diag(b->diags, AGC_D_IMPORT, imp->span, "the name %.*s is imported twice",
                                      agc_shown(name), name.p);
        agc_diag_second(b->diags, d, m->imports[k].span, "first imported here");
        agc_diag_fix(b->diags, d,
                     is_language(imp) ? "remove one of them"
                                      : "give one of them another name: import .. as ..");
        return;
    }
}

void
agc_imports_check(struct agc_builder *b, const struct agc_module *m)
{
    for (uint32_t i = 0; i < m->nimports; i++)
        check_import(b, m, i);
}

void
agc_imports_unused(struct agc_builder *b, const struct agc_module *m)
{
    for (uint32_t i = 0; i < m->nimports; i++) {
        const struct agc_import *imp = &m->imports[i];
        struct ag_str name = import_name(imp);
        if (is_language(imp) || imp->is_used)
            continue;
        struct agc_diag *d = agc_diag(b->diags, AGC_D_UNUSED_IMPORT, imp->span,
                                      "%.*s is imported and never used", agc_shown(name), name.p);
        agc_diag_fix(b->diags, d, "remove the import");
    }
}
