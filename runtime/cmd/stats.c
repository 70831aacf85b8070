// SPDX-License-Identifier: Apache-2.0
// aegis stats: how often each rule, decision and risk level occurs in a log (B31). In: a log. Out: counts,
// largest first. Next file to read: rows.c.
#include "rows.h"

#include <stdlib.h>

#define TABLE_MAX 65536u // different names in one table; the rest are counted together

struct entry {
    char *name;
    size_t n;
    uint64_t count;
};

// Open addressing; size is a power of two and at most half full.
struct table {
    struct entry *slot;
    size_t size, used;
    uint64_t others;
};

struct counts {
    struct table rules, decisions, risks;
    uint64_t rows, decided;
    bool is_full; // out of memory
};

static struct entry *
find(const struct table *t, struct ag_str name)
{
    uint64_t h = 14695981039346656037u; // FNV-1a
    for (size_t k = 0; k < name.n; k++)
        h = (h ^ (uint8_t)name.p[k]) * 1099511628211u;
    size_t i = h & (t->size - 1);
    for (; t->slot[i].name; i = (i + 1) & (t->size - 1))
        if (ag_str_eq(ag_str_of(t->slot[i].name, t->slot[i].n), name))
            break;
    return &t->slot[i];
}

static bool
grow(struct table *t)
{
    struct table bigger = {.size = t->size ? t->size * 2 : 256, .used = t->used, .others = t->others};
    bigger.slot = calloc(bigger.size, sizeof *bigger.slot);
    if (!bigger.slot)
        return false;
    for (size_t i = 0; i < t->size; i++)
        if (t->slot[i].name)
            *find(&bigger, ag_str_of(t->slot[i].name, t->slot[i].n)) = t->slot[i];
    free(t->slot);
    *t = bigger;
    return true;
}

static bool
add(struct table *t, struct ag_str name)
{
    if (name.n == 0)
        return true;
    if (t->used * 2 >= t->size && !grow(t))
        return false;
    struct entry *e = find(t, name);
    if (!e->name && t->used == TABLE_MAX) {
        t->others++;
        return true;
    }
    if (!e->name) {
        e->name = malloc(name.n);
        if (!e->name)
            return false;
        memcpy(e->name, name.p, name.n);
        e->n = name.n;
        t->used++;
    }
    e->count++;
    return true;
}

static int
by_count(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return ag_str_cmp(ag_str_of(x->name, x->n), ag_str_of(y->name, y->n));
}

// Moves the entries to the front, largest first; the table can no longer be searched.
static void
sort(struct table *t)
{
    size_t n = 0;
    for (size_t i = 0; i < t->size; i++)
        if (t->slot[i].name)
            t->slot[n++] = t->slot[i];
    if (n)
        qsort(t->slot, n, sizeof *t->slot, by_count);
}

static bool
count_row(void *ctx, const struct agr_audit_item *item)
{
    struct counts *c = ctx;
    c->rows++;
    if (!ag_str_is(agr_row_member(item->line, "type"), "decision"))
        return true;
    struct ag_str rule = agr_row_member(item->line, "rule");
    c->decided++;
    if (!rule.n)
        rule = agr_row_member(item->line, "reason");
    c->is_full = !add(&c->rules, rule) || !add(&c->decisions, agr_row_member(item->line, "decision")) ||
                 !add(&c->risks, agr_row_member(item->line, "risk_level"));
    return !c->is_full;
}

static void
print_table(struct table *t, const char *title, const char *key, bool is_json)
{
    sort(t);
    if (is_json)
        printf(",\"%s\":{", key);
    else if (t->used)
        printf("\n%s\n", title);
    for (size_t i = 0; i < t->used; i++) {
        const struct entry *e = &t->slot[i];
        if (is_json)
            printf("%s\"%.*s\":%llu", i ? "," : "", (int)e->n, e->name,
                   (unsigned long long)e->count); // escaped in the row
        else
            printf("%10llu  %.*s\n", (unsigned long long)e->count, (int)e->n, e->name);
    }
    if (!is_json && t->others)
        printf("%10llu  (other names)\n", (unsigned long long)t->others);
    if (is_json)
        printf("}");
}

static void
drop(struct table *t)
{
    for (size_t i = 0; i < t->used; i++)
        free(t->slot[i].name);
    free(t->slot);
}

int
agr_rows_stats(const char *log_dir, bool is_json)
{
    struct counts c = {0};
    struct agr_audit_error e = {.text = ""};
    uint64_t signed_rows, all;
    if (agr_audit_size(log_dir, &signed_rows, &all) != AGR_AUDIT_OK)
        return agr_die(AGR_EXIT_UNAVAILABLE, "%s: no audit log here", log_dir);
    enum agr_audit_result r = agr_audit_iterate(log_dir, 0, all, count_row, &c, &e);
    int code = AGR_EXIT_OK;
    if (r != AGR_AUDIT_OK || c.is_full)
        code = agr_die(AGR_EXIT_UNAVAILABLE, "%s: %s", log_dir, c.is_full ? "out of memory" : e.text);
    if (is_json)
        printf("{\"rows\":%llu,\"decisions\":%llu", (unsigned long long)c.rows,
               (unsigned long long)c.decided);
    else
        printf("%llu rows, %llu decisions\n", (unsigned long long)c.rows, (unsigned long long)c.decided);
    print_table(&c.decisions, "by decision", "by_decision", is_json);
    print_table(&c.risks, "by risk level", "by_risk_level", is_json);
    print_table(&c.rules, "by rule (or reason, where no rule decided)", "by_rule", is_json);
    if (is_json)
        printf("}\n");
    drop(&c.rules);
    drop(&c.decisions);
    drop(&c.risks);
    return code;
}

int
cmd_stats(int argc, char **argv)
{
    int is_json = 0, code;
    struct agr_list args = {0};
    const struct agr_opt opts[] = {{"json", 0, AGR_OPT_FLAG, &is_json, NULL, "print JSON"},
                                   {NULL, 0, AGR_OPT_FLAG, NULL, NULL, NULL}};
    if (!agr_args(argc, argv, opts, &args, &code))
        return code;
    if (args.n != 1)
        return agr_die(AGR_EXIT_HELD, "stats: give the directory of a log");
    return agr_rows_stats(args.v[0], is_json != 0);
}
