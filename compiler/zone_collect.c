// SPDX-License-Identifier: Apache-2.0
// Zones named in calls of time.*. In: bodies and values of definitions, conditions of YAML rules. Out: rows
// of policy->zones. A variable stands for everything it is assigned or unified with in its definition; what
// cannot be told is a computed zone, which embeds all. Memory: the compile arena. Next file to read:
// zone_read.c.
#include "zone_collect.h"
#include "type.h"
#include "zone_read.h"

#include "builtins/builtins.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define FOLLOW_MAX 16u // variables behind variables that are looked through

struct collect {
    struct agc_arena *a;
    struct agc_policy *policy;
    const char *dir;
    const struct agc_def *def; // being searched, with its else clauses; NULL: a YAML rule
    struct agc_node *const *bodies;
    uint32_t nbodies;
    bool needs_all;
};

static bool
is_zone_file(const char *path)
{
    char head[4];
    FILE *f = fopen(path, "rbe");
    if (!f)
        return false;
    bool ok = fread(head, 1, sizeof head, f) == sizeof head && memcmp(head, "TZif", sizeof head) == 0;
    fclose(f);
    return ok;
}

static void
add(struct collect *c, struct ag_str name, struct agc_span span)
{
    struct agc_policy *p = c->policy;
    for (uint32_t i = 0; i < p->nzones; i++)
        if (ag_str_eq(p->zones[i].text, name))
            return;
    struct agc_str_at *zones = agc_alloc(c->a, (p->nzones + 1u) * sizeof *zones);
    if (p->nzones)
        memcpy(zones, p->zones, p->nzones * sizeof *zones);
    zones[p->nzones++] = (struct agc_str_at){name, span};
    p->zones = zones;
}

static void
add_named(struct collect *c, const struct agc_node *n)
{
    char path[4096];
    if (!agc_zone_name_ok(n->text) || ag_str_is(n->text, "UTC") || ag_str_is(n->text, "Local"))
        return;
    int len = snprintf(path, sizeof path, "%s/%.*s", c->dir, (int)n->text.n, n->text.p);
    if (len > 0 && (size_t)len < sizeof path && is_zone_file(path))
        add(c, n->text, n->span);
}

// --- what an argument can be
// -------------------------------------------------------------------------------

static bool
may_be_array(const struct agc_type *t)
{
    if (!t || (t->kind == AGC_TY_UNION && t->n == 0))
        return true;
    bool may = t->kind == AGC_TY_ARRAY;
    for (uint32_t i = 0; t->kind == AGC_TY_UNION && i < t->n; i++)
        may |= may_be_array(t->elem[i]);
    return may;
}

typedef void visit_fn(struct collect *c, const struct agc_node *n, uint32_t follow);

// Visits everything that variable `symbol` is assigned or unified with below n; returns how often.
static uint32_t
visit_bindings(struct collect *c, const struct agc_node *n, uint32_t symbol, visit_fn *visit, uint32_t follow)
{
    uint32_t found = 0;
    if (n->kind == AGC_ASSIGN || n->kind == AGC_UNIFY)
        for (uint32_t i = 0; i < 2; i++)
            if (n->kid[i]->kind == AGC_VAR && n->kid[i]->symbol == symbol) {
                visit(c, n->kid[1 - i], follow + 1);
                found++;
            }
    for (uint32_t i = 0; i < n->n; i++)
        found += visit_bindings(c, n->kid[i], symbol, visit, follow);
    return found;
}

static void
visit_variable(struct collect *c, const struct agc_node *n, visit_fn *visit, uint32_t follow)
{
    uint32_t found = 0;
    bool is_local = n->symbol != AG_NONE && n->symbol != AGC_SYM_INPUT && n->symbol != AGC_SYM_DATA;
    for (uint32_t i = 0; is_local && follow < FOLLOW_MAX && i < c->nbodies; i++)
        found += visit_bindings(c, c->bodies[i], n->symbol, visit, follow);
    if (!found)
        c->needs_all = true;
}

// A term at the place of a zone's name.
static void
zone(struct collect *c, const struct agc_node *n, uint32_t follow)
{
    if (n->kind == AGC_STRING)
        add_named(c, n);
    else if (n->kind == AGC_VAR)
        visit_variable(c, n, zone, follow);
    else
        c->needs_all = true;
}

// A term at the place of a time: a number, or an array whose second element is a zone.
static void
time_operand(struct collect *c, const struct agc_node *n, uint32_t follow)
{
    switch (n->kind) {
    case AGC_ARRAY:
        if (n->n >= 2)
            zone(c, n->kid[1], follow);
        return;
    case AGC_VAR:
        if (may_be_array(n->type))
            visit_variable(c, n, time_operand, follow);
        return;
    case AGC_CALL:
        if (!n->group && n->symbol < AG_BUILTIN_COUNT && !(ag_builtin_table[n->symbol].result & AG_T_ARRAY))
            return;
        c->needs_all |= may_be_array(n->type);
        return;
    case AGC_REF:
    case AGC_ARRAY_COMP: c->needs_all |= may_be_array(n->type); return;
    default: return; // literals and arithmetic are no arrays
    }
}

// Operands of a built-in that are times.
static uint32_t
n_times(uint32_t builtin)
{
    switch (builtin) {
    case AG_BI_TIME_CLOCK:
    case AG_BI_TIME_DATE:
    case AG_BI_TIME_WEEKDAY:
    case AG_BI_TIME_FORMAT:
    case AG_BI_TIME_ADD_DATE: return 1;
    case AG_BI_TIME_DIFF: return 2;
    default: return 0;
    }
}

// The operand of a built-in that is a zone's name, 0: none is.
static uint32_t
zone_operand(uint32_t builtin)
{
    return builtin == AG_BI_TIME_WITHIN ? 2 : builtin == AG_BI_TIME_ISO_WEEKDAY ? 1 : 0;
}

static void
walk(struct collect *c, const struct agc_node *n)
{
    uint32_t named = n->kind == AGC_CALL && !n->group ? zone_operand(n->symbol) : 0;
    if (named && named < n->n)
        zone(c, n->kid[named], 0);
    if (n->kind == AGC_CALL && !n->group)
        for (uint32_t i = 1; i <= n_times(n->symbol) && i < n->n; i++)
            time_operand(c, n->kid[i], 0);
    // A built-in that replaces another gets arguments that nobody can tell.
    for (uint32_t i = 1; n->kind == AGC_WITH && i + 1 < n->n; i += 2)
        if (n->kid[i + 1]->kind == AGC_REF && !n->kid[i + 1]->group &&
            (n_times(n->kid[i + 1]->symbol) || zone_operand(n->kid[i + 1]->symbol)))
            c->needs_all = true;
    for (uint32_t i = 0; i < n->n; i++)
        walk(c, n->kid[i]);
}

// --- definitions
// -------------------------------------------------------------------------------------------

// The trees of a definition and its else clauses: arguments, head, value, body.
static uint32_t
bodies_of(struct collect *c, const struct agc_def *def, struct agc_node ***ret)
{
    struct agc_node **out = NULL;
    uint32_t n = 0, cap = 0;
    for (const struct agc_def *d = def; d; d = d->otherwise) {
        struct agc_node *const one[] = {d->ref, d->value, d->body};
        for (uint32_t i = 0; i < 3 + d->nargs; i++) {
            struct agc_node *node = i < 3 ? one[i] : d->arg[i - 3];
            if (!node)
                continue;
            out = agc_grow(c->a, out, n, &cap, sizeof *out);
            out[n++] = node;
        }
    }
    *ret = out;
    return n;
}

static void
walk_trees(struct collect *c, struct agc_node *const *trees, uint32_t n)
{
    c->bodies = trees;
    c->nbodies = n;
    for (uint32_t i = 0; i < n; i++)
        walk(c, trees[i]);
}

static void
walk_defs(struct collect *c, struct agc_def *const *defs, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct agc_node **trees;
        uint32_t ntrees = bodies_of(c, defs[i], &trees);
        walk_trees(c, trees, ntrees);
    }
}

// --- all zones
// ---------------------------------------------------------------------------------------------

static int
by_name(const void *a, const void *b)
{
    return ag_str_cmp(*(const struct ag_str *)a, *(const struct ag_str *)b);
}

struct names {
    struct ag_str *name;
    uint32_t n, cap;
};

// Names of the zone files in directory `sub` of the database; "posix" and "right" repeat the others.
static void
list(struct collect *c, struct ag_str sub, uint32_t depth, struct names *out)
{
    char path[4096];
    struct stat st;
    int len = snprintf(path, sizeof path, "%s/%.*s", c->dir, (int)sub.n, sub.p);
    DIR *d = depth < AGC_ZONE_DIR_DEPTH && len > 0 && (size_t)len < sizeof path ? opendir(path) : NULL;
    if (!d)
        return;
    for (struct dirent *e; (e = readdir(d)) != NULL && out->n < AGC_ZONES_MAX;) {
        char name[AGC_ZONE_NAME_MAX + 1];
        len = snprintf(name, sizeof name, "%.*s%s%s", (int)sub.n, sub.p, sub.n ? "/" : "", e->d_name);
        if (len <= 0 || (size_t)len >= sizeof name || !agc_zone_name_ok(ag_str_z(name)) ||
            strcmp(name, "posix") == 0 || strcmp(name, "right") == 0 || strcmp(name, "localtime") == 0 ||
            strcmp(name, "posixrules") == 0)
            continue;
        len = snprintf(path, sizeof path, "%s/%s", c->dir, name);
        if (len <= 0 || (size_t)len >= sizeof path || stat(path, &st) != 0)
            continue;
        if (S_ISDIR(st.st_mode)) {
            list(c, agc_strdup(c->a, ag_str_z(name)), depth + 1, out);
        } else if (is_zone_file(path)) {
            out->name = agc_grow(c->a, out->name, out->n, &out->cap, sizeof *out->name);
            out->name[out->n++] = agc_strdup(c->a, ag_str_z(name));
        }
    }
    closedir(d);
}

static void
add_all(struct collect *c)
{
    struct names all = {NULL, 0, 0};
    struct agc_span nowhere = {0, 0, 0};
    list(c, AG_STR(""), 0, &all);
    if (all.n)
        qsort(all.name, all.n, sizeof *all.name, by_name);
    for (uint32_t i = 0; i < all.n; i++)
        add(c, all.name[i], nowhere);
}

void
agc_zones_collect(struct agc_arena *a, const struct agc_program *p, const char *dir)
{
    struct collect c = {.a = a, .policy = p->policy, .dir = dir ? dir : AGC_ZONE_DIR};
    walk_defs(&c, p->defs, p->ndefs);
    walk_defs(&c, p->queries, p->nqueries);
    for (uint32_t i = 0; i < p->policy->nrules; i++)
        if (p->policy->rules[i].body)
            walk_trees(&c, &p->policy->rules[i].body, 1);
    if (c.needs_all)
        add_all(&c);
}
