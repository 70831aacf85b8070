// SPDX-License-Identifier: Apache-2.0
// The tree of virtual documents: definitions of all modules joined by path into groups, and the conflicts
// that no input can make right. In: modules. Out: agc_tree, agc_group, numbers and suffixes of definitions.
// Memory: the compile arena. Next file to read: scope.c.
#include "program_parts.h"

#include <stdio.h>
#include <stdlib.h>

struct agc_node *
agc_node_var(struct agc_arena *a, struct agc_span span, struct ag_str name, uint32_t symbol)
{
    struct agc_node *n = agc_node_new(a, AGC_VAR, span, name, 0);
    n->symbol = symbol;
    return n;
}

struct agc_node *
agc_node_string(struct agc_arena *a, struct agc_span span, struct ag_str text)
{
    return agc_node_new(a, AGC_STRING, span, text, 0);
}

struct agc_node *
agc_node_pair(struct agc_arena *a, enum agc_node_kind k, struct agc_node *x, struct agc_node *y)
{
    struct agc_node *n = agc_node_new(a, k, x->span, (struct ag_str){0}, 2);
    n->kid[0] = x;
    n->kid[1] = y;
    n->depth = (x->depth > y->depth ? x->depth : y->depth) + 1;
    return n;
}

struct agc_node *
agc_node_copy(struct agc_arena *a, const struct agc_node *n)
{
    struct agc_node *c = agc_node_new(a, n->kind, n->span, n->text, n->n);
    struct agc_node **kid = c->kid;
    *c = *n;
    c->kid = kid;
    for (uint32_t i = 0; i < n->n; i++)
        kid[i] = agc_node_copy(a, n->kid[i]);
    return c;
}

uint32_t
agc_local_new(struct agc_arena *a, struct agc_def *def, struct ag_str name, struct agc_span span)
{
    if ((def->nlocals & (def->nlocals - 1)) == 0) {
        uint32_t cap = def->nlocals ? def->nlocals * 2 : 1;
        struct agc_local *local = agc_alloc(a, (size_t)cap * sizeof *local);
        if (def->nlocals)
            memcpy(local, def->local, def->nlocals * sizeof *local);
        def->local = local;
    }
    def->local[def->nlocals] = (struct agc_local){name, span};
    return def->nlocals++;
}

uint32_t
agc_local_generated(struct agc_arena *a, struct agc_def *def, struct agc_span span)
{
    char text[16];
    int n = snprintf(text, sizeof text, "$%u", def->nlocals);
    return agc_local_new(a, def, agc_strdup(a, ag_str_of(text, (size_t)n)), span);
}

uint32_t
agc_tree_kid(const struct agc_tree *t, struct ag_str key, bool *found)
{
    uint32_t lo = 0, hi = t->nkids;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        int c = ag_str_cmp(t->kid[mid]->key, key);
        if (c == 0) {
            *found = true;
            return mid;
        }
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    *found = false;
    return lo;
}

const struct agc_tree *
agc_tree_find(const struct agc_tree *root, const struct ag_str *path, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        bool found;
        uint32_t at = agc_tree_kid(root, path[i], &found);
        if (!found)
            return NULL;
        root = root->kid[at];
    }
    return root;
}

const struct agc_tree *
agc_tree_walk(const struct agc_tree *root, const struct agc_node *ref, uint32_t *rest)
{
    *rest = 1;
    if (ref->kind != AGC_REF)
        return root;
    for (; *rest < ref->n && ref->kid[*rest]->kind == AGC_STRING && !root->group; ++*rest) {
        bool found;
        uint32_t at = agc_tree_kid(root, ref->kid[*rest]->text, &found);
        if (!found)
            return NULL;
        root = root->kid[at];
    }
    return root;
}

// The kid with this key, made when it is missing. Keys arrive in ascending order, so that it goes last.
static struct agc_tree *
kid_of(struct agc_builder *b, struct agc_tree *t, struct ag_str key)
{
    bool found;
    uint32_t at = agc_tree_kid(t, key, &found);
    if (found)
        return t->kid[at];
    if ((t->nkids & (t->nkids - 1)) == 0) {
        uint32_t cap = t->nkids ? t->nkids * 2 : 1;
        struct agc_tree **kid = agc_alloc(b->a, (size_t)cap * sizeof *kid);
        if (t->nkids)
            memcpy(kid, t->kid, t->nkids * sizeof *kid);
        t->kid = kid;
    }
    memmove(t->kid + at + 1, t->kid + at, (t->nkids - at) * sizeof *t->kid);
    struct agc_tree *k = agc_alloc(b->a, sizeof *k);
    k->key = key;
    k->parent = t;
    t->kid[at] = k;
    t->nkids++;
    return k;
}

// A definition's path below data: the package, then the steps of its head that are strings.
struct path {
    uint32_t n, nground; // strings; steps before the first variable
    uint32_t nsteps;
    struct ag_str *step;
    struct agc_def *def;
};

static bool
is_ground(const struct agc_node *n)
{
    if (n->kind == AGC_VAR || n->kind == AGC_REF || n->kind == AGC_CALL || n->kind >= AGC_ARRAY_COMP)
        return false;
    for (uint32_t i = 0; i < n->n; i++)
        if (!is_ground(n->kid[i]))
            return false;
    return true;
}

static int
shown(struct ag_str s)
{
    return (int)(s.n < 200 ? s.n : 200);
}

static void
check_name(struct agc_builder *b, const struct agc_def *def)
{
    const struct agc_node *head = def->ref->kind == AGC_REF ? def->ref->kid[0] : def->ref;
    if (ag_str_is(head->text, "input") || ag_str_is(head->text, "data"))
        agc_diag(b->diags, AGC_D_SHADOWS_ROOT, head->span, "%.*s cannot be the name of a rule",
                 shown(head->text), head->text.p);
}

static struct path
path_of(struct agc_builder *b, struct agc_def *def)
{
    const struct agc_module *m = def->module;
    const struct agc_node *ref = def->ref;
    uint32_t nref = ref->kind == AGC_REF ? ref->n : 1;
    struct path p = {.nsteps = m->npath + nref, .def = def};
    p.step = agc_alloc(b->a, (size_t)p.nsteps * sizeof *p.step);
    for (; p.n < m->npath; p.n++)
        p.step[p.n] = m->path[p.n];
    p.step[p.n++] = ref->kind == AGC_REF ? ref->kid[0]->text : ref->text;
    uint32_t i = 1;
    for (; i < nref && ref->kid[i]->kind == AGC_STRING; i++)
        p.step[p.n++] = ref->kid[i]->text;
    p.nground = p.n;
    for (; i < nref && is_ground(ref->kid[i]); i++)
        p.nground++;
    return p;
}

static int
path_cmp(const void *px, const void *py)
{
    const struct path *x = px, *y = py;
    for (uint32_t i = 0; i < x->n && i < y->n; i++) {
        int c = ag_str_cmp(x->step[i], y->step[i]);
        if (c)
            return c;
    }
    if (x->n != y->n)
        return x->n < y->n ? -1 : 1;
    return x->def->number < y->def->number ? -1 : x->def->number > y->def->number;
}

static struct ag_str
path_name(struct agc_builder *b, const struct ag_str *step, uint32_t n)
{
    size_t len = 4;
    for (uint32_t i = 0; i < n; i++)
        len += step[i].n + 1;
    char *text = agc_alloc(b->a, len), *at = text + 4;
    memcpy(text, "data", 4);
    for (uint32_t i = 0; i < n; i++) {
        *at++ = '.';
        if (step[i].n)
            memcpy(at, step[i].p, step[i].n);
        at += step[i].n;
    }
    return ag_str_of(text, len);
}

static void
conflict(struct agc_builder *b, const struct agc_def *def, const struct agc_def *other, struct ag_str name,
         const char *what)
{
    struct agc_diag *d =
        agc_diag(b->diags, AGC_D_KIND_CONFLICT, def->head_span, "%.*s %s", shown(name), name.p, what);
    agc_diag_second(b->diags, d, other->head_span, "the other definition");
}

// Definitions whose heads have the same strings in front: one document, of one kind.
static bool
agree(struct agc_builder *b, const struct path *x, const struct path *y)
{
    const struct agc_def *first = x->def, *def = y->def;
    struct ag_str name = path_name(b, x->step, x->n);
    bool is_fn = def->kind == AGC_DEF_FUNCTION, is_set = def->kind == AGC_DEF_CONTAINS;
    if (x->nground > x->n || y->nground > y->n)
        return true; // they part at a constant that is no string
    if (is_fn != (first->kind == AGC_DEF_FUNCTION)) {
        conflict(b, def, first, name, "is defined both as a rule and as a function");
    } else if (is_fn && def->nargs != first->nargs) {
        char text[100];
        snprintf(text, sizeof text, "is defined with %u and with %u arguments", first->nargs, def->nargs);
        conflict(b, def, first, name, text);
    } else if (is_set != (first->kind == AGC_DEF_CONTAINS)) {
        conflict(b, def, first, name, "is defined both as a set and as a value");
    } else if ((x->nsteps > x->n) != (y->nsteps > y->n)) {
        conflict(b, def, first, name, "is defined both as a whole and by its keys");
    } else {
        return true;
    }
    return false;
}

static bool
same_path(const struct path *x, const struct path *y)
{
    if (x->n != y->n)
        return false;
    for (uint32_t i = x->n; i-- > 0;)
        if (!ag_str_eq(x->step[i], y->step[i]))
            return false;
    return true;
}

static bool
below(const struct path *above, const struct path *p)
{
    if (above->n >= p->n)
        return false;
    for (uint32_t i = 0; i < above->n; i++)
        if (!ag_str_eq(above->step[i], p->step[i]))
            return false;
    return true;
}

// The bytes 0xff separate: they stand in no UTF-8.
static struct ag_str
joined(struct agc_builder *b, const struct ag_str *step, uint32_t n)
{
    size_t len = 0;
    for (uint32_t i = 0; i < n; i++)
        len += step[i].n + 1;
    char *text = agc_alloc(b->a, len + 1);
    len = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (step[i].n)
            memcpy(text + len, step[i].p, step[i].n);
        len += step[i].n;
        text[len++] = (char)0xff;
    }
    return ag_str_of(text, len);
}

// A run of definitions of one path against what stands below it: nothing may stand below one value, and no
// function inside a document that is computed whole.
static void
check_below(struct agc_builder *b, const struct path *whole, const struct path *keyed, const struct path *p)
{
    if (whole && below(whole, p))
        conflict(b, p->def, whole->def, path_name(b, p->step, p->n),
                 "lies inside of what another rule defines as a whole");
    else if (keyed && p->def->kind == AGC_DEF_FUNCTION && (below(keyed, p) || same_path(keyed, p)))
        conflict(b, p->def, keyed->def, path_name(b, p->step, p->n),
                 "is a function inside of a document that has computed keys");
}

static void
check_defaults(struct agc_builder *b, const struct path *v, uint32_t from, uint32_t to)
{
    const struct agc_def *first = NULL;
    for (uint32_t i = from; i < to; i++) {
        if (!v[i].def->is_default)
            continue;
        if (first)
            conflict(b, v[i].def, first, path_name(b, v[i].step, v[i].n), "has more than one default");
        else
            first = v[i].def;
        if (v[i].nsteps > v[i].n)
            agc_diag(b->diags, AGC_D_BAD_DEFAULT, v[i].def->head_span,
                     "a default has no computed keys: write its path with strings");
        else if (v[i].def->kind == AGC_DEF_CONTAINS)
            agc_diag(b->diags, AGC_D_BAD_DEFAULT, v[i].def->head_span,
                     "a set has no default: it is empty when nothing is in it");
    }
}

// What is said of a document is said once.
static void
check_annotations(struct agc_builder *b, const struct path *v, uint32_t from, uint32_t to)
{
    const struct agc_node *first = NULL;
    for (uint32_t i = from; i < to; i++) {
        const struct agc_node *block = agc_metadata_block(v[i].def, "document");
        if (block && first) {
            struct agc_diag *d =
                agc_diag(b->diags, AGC_D_BAD_METADATA, block->span, "the document has an annotation already");
            agc_diag_second(b->diags, d, first->span, "the other annotation");
            agc_diag_fix(b->diags, d, "give one of them `scope: rule`");
        }
        first = first ? first : block;
    }
}

static void
check_package(struct agc_builder *b, const struct path *p)
{
    const uint32_t *at = agc_namemap_find(&b->packages, joined(b, p->step, p->n));
    if (!at || p->nsteps > p->n)
        return;
    for (uint32_t i = 0; i < b->p->policy->nmodules; i++) {
        const struct agc_module *m = b->p->policy->modules[i];
        struct path other = {.n = m->npath, .step = m->path};
        if (!same_path(p, &other))
            continue;
        struct ag_str name = path_name(b, p->step, p->n);
        struct agc_diag *d = agc_diag(b->diags, AGC_D_KIND_CONFLICT, p->def->head_span,
                                      "%.*s is a rule here and a package elsewhere", shown(name), name.p);
        agc_diag_second(b->diags, d, m->package_span, "the package");
        return;
    }
}

static void
check_runs(struct agc_builder *b, const struct path *v, uint32_t n)
{
    const struct path *whole = NULL, *keyed = NULL;
    for (uint32_t i = 0, to; i < n; i = to) {
        bool ok = true;
        check_below(b, whole, keyed, &v[i]);
        for (to = i + 1; to < n && same_path(&v[i], &v[to]); to++)
            ok = ok && agree(b, &v[i], &v[to]);
        check_defaults(b, v, i, to);
        check_annotations(b, v, i, to);
        for (uint32_t k = i; k < to; k++) {
            if (v[k].nsteps == v[k].n)
                whole = whole && below(whole, &v[k]) ? whole : &v[k];
            else if (!keyed || !below(keyed, &v[k]))
                keyed = &v[k];
        }
        check_package(b, &v[i]);
    }
}

static struct agc_group *
group_at(struct agc_builder *b, struct agc_tree *t, const struct path *p, bool is_object)
{
    if (t->group)
        return t->group;
    struct agc_group *g = agc_alloc(b->a, sizeof *g);
    g->at = t;
    g->name = path_name(b, p->step, p->n);
    g->nargs = p->def->nargs;
    g->kind = is_object                          ? AGC_GROUP_OBJECT
              : p->def->kind == AGC_DEF_FUNCTION ? AGC_GROUP_FUNCTION
              : p->def->kind == AGC_DEF_CONTAINS ? AGC_GROUP_SET
                                                 : AGC_GROUP_COMPLETE;
    t->group = g;
    b->p->ngroups++;
    return g;
}

// The steps of the head behind the group's path.
static void
set_suffix(struct agc_builder *b, const struct path *p, uint32_t depth)
{
    struct agc_def *def = p->def;
    def->nsuffix = p->nsteps - depth;
    if (!def->nsuffix)
        return;
    def->suffix = agc_alloc(b->a, def->nsuffix * sizeof *def->suffix);
    for (uint32_t i = 0; i < def->nsuffix; i++) {
        uint32_t at = depth + i, npath = def->module->npath;
        def->suffix[i] =
            at > npath ? def->ref->kid[at - npath] : agc_node_string(b->a, def->ref->span, p->step[at]);
    }
}

static void
append_def(struct agc_builder *b, struct agc_group *g, struct agc_def *def)
{
    def->group = g;
    if (def->is_default && g->kind != AGC_GROUP_OBJECT) {
        g->fallback = def;
        return;
    }
    if ((g->ndefs & (g->ndefs - 1)) == 0) {
        struct agc_def **defs = agc_alloc(b->a, (size_t)(g->ndefs ? g->ndefs * 2 : 1) * sizeof *defs);
        if (g->ndefs)
            memcpy(defs, g->defs, g->ndefs * sizeof *defs);
        g->defs = defs;
    }
    g->defs[g->ndefs++] = def;
}

static int
def_cmp(const void *px, const void *py)
{
    const struct agc_def *x = *(struct agc_def *const *)px, *y = *(struct agc_def *const *)py;
    return x->number < y->number ? -1 : x->number > y->number;
}

static void
make_groups(struct agc_builder *b, const struct path *v, uint32_t n)
{
    for (uint32_t i = 0, to; i < n; i = to) {
        bool is_object = false;
        for (to = i; to < n && same_path(&v[i], &v[to]); to++)
            is_object |= v[to].nsteps > v[to].n;
        while (is_object && to < n && below(&v[i], &v[to]))
            to++;
        struct agc_tree *t = b->p->root;
        for (uint32_t k = 0; k < v[i].n; k++)
            t = kid_of(b, t, v[i].step[k]);
        struct agc_group *g = group_at(b, t, &v[i], is_object);
        for (uint32_t k = i; k < to; k++) {
            append_def(b, g, v[k].def);
            set_suffix(b, &v[k], v[i].n);
        }
        if (g->ndefs > 1)
            qsort(g->defs, g->ndefs, sizeof *g->defs, def_cmp);
    }
}

// A package without rules is an empty object.
static void
make_packages(struct agc_builder *b)
{
    for (uint32_t i = 0; i < b->p->policy->nmodules; i++) {
        const struct agc_module *m = b->p->policy->modules[i];
        struct agc_tree *t = b->p->root;
        for (uint32_t k = 0; k < m->npath && !t->group; k++)
            t = kid_of(b, t, m->path[k]);
    }
}

// Packages by path, and the names that are visible in each.
static void
collect_packages(struct agc_builder *b)
{
    const struct agc_policy *p = b->p->policy;
    b->exports = agc_alloc(b->a, (p->nmodules + 1) * sizeof *b->exports);
    for (uint32_t i = 0; i < p->nmodules; i++) {
        struct agc_module *m = p->modules[i];
        uint32_t *at = agc_namemap_put(b->a, &b->packages, joined(b, m->path, m->npath), b->npackages);
        if (*at == b->npackages)
            b->npackages++;
        for (uint32_t k = 0; k < m->ndefs; k++) {
            const struct agc_node *ref = m->defs[k]->ref;
            agc_namemap_put(b->a, &b->exports[*at], ref->kind == AGC_REF ? ref->kid[0]->text : ref->text, 1);
        }
    }
}

const struct agc_namemap *
agc_exports_of(const struct agc_builder *b, const struct agc_module *m)
{
    static const struct agc_namemap none;
    if (!m->npath)
        return &none;
    const uint32_t *at = agc_namemap_find(&b->packages, joined((struct agc_builder *)b, m->path, m->npath));
    return at ? &b->exports[*at] : &none;
}

void
agc_tree_build(struct agc_builder *b)
{
    struct agc_program *p = b->p;
    p->root = agc_alloc(b->a, sizeof *p->root);
    p->root->key = AG_STR("data");
    for (uint32_t i = 0; i < p->policy->nmodules; i++)
        p->ndefs += p->policy->modules[i]->ndefs;
    p->defs = agc_alloc(b->a, ((size_t)p->ndefs + AGC_MOCKS) * sizeof *p->defs);
    struct path *v = agc_alloc(b->a, (p->ndefs + 1) * sizeof *v);
    uint32_t n = 0, column;
    for (uint32_t i = 0; i < p->policy->nmodules; i++) {
        struct agc_module *m = p->policy->modules[i];
        for (uint32_t k = 0; k < m->ndefs; k++, n++) {
            struct agc_def *def = p->defs[n] = m->defs[k];
            def->module = m;
            def->number = n;
            agc_source_place(b->diags->sources, def->span, &def->line, &column);
            if (def->kind == AGC_DEF_FUNCTION && !def->nargs)
                def->kind = AGC_DEF_VALUE; // f() := v is a rule
            check_name(b, def);
            v[n] = path_of(b, def);
        }
    }
    collect_packages(b);
    if (n > 1)
        qsort(v, n, sizeof *v, path_cmp);
    check_runs(b, v, n);
    if (agc_diags_failed(b->diags))
        return;
    make_groups(b, v, n);
    make_packages(b);
}
