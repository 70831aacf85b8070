// SPDX-License-Identifier: Apache-2.0
// Decision index: finds the few rules whose match attributes an input can satisfy, in priority order.
// In: struct ag_index of a verified image, an input. Out: confirmed candidates, one at a time.
// A wrong table can only miss rules, never read outside: each candidate's attributes are confirmed.
// Who owns memory: the lookup lies in the call's arena. Next file to read: compiler/opt_index.c, which builds
// it.
#include "index.h"
#include "hash.h"
#include "machine.h"
#include "pattern.h"

struct list {
    const uint32_t *at, *end; // ascending positions
};

struct ag_cands {
    const struct ag_index *ix;
    const struct ag_str *attr; // of the host's action, or `own`
    struct ag_str own[AG_ATTRS];
    uint32_t nlists;
    bool scan;     // too many lists: try every rule
    uint32_t next; // of a scan
    struct list list[AG_INDEX_LISTS];
};

static inline const void *
at(const struct ag_index *ix, uint32_t off)
{
    return (const uint8_t *)ix + off;
}

const struct ag_str *
ag_attributes(const struct ag_call *c, const struct ag_index *ix, struct ag_value input,
              struct ag_str own[AG_ATTRS])
{
    if (c->action && input.kind == AG_OBJECT && input.p == c->action->input)
        return c->action->attr;
    for (unsigned a = 0; a < AG_ATTRS; a++) {
        struct ag_value v = ag_undef();
        if (ix->path[a] != AG_NONE && ag_is_value(input))
            v = ag_value_path(&c->mem, input, ag_image_const(c->im, ix->path[a]));
        own[a] = v.kind == AG_STRING ? ag_value_str(v) : ag_str_of("", 0);
    }
    return own;
}

static void
add_list(struct ag_cands *k, uint32_t off)
{
    const uint32_t *p = at(k->ix, off); // { u32 hash, u32 n, u32 position[n] }
    if (k->nlists == AG_INDEX_LISTS) {
        k->scan = true;
        return;
    }
    if (p[1])
        k->list[k->nlists++] = (struct list){p + 2, p + 2 + p[1]};
}

static void
look_in_mask(struct ag_cands *k, const struct ag_index_mask *m, uint64_t seed)
{
    uint64_t h = seed;
    for (uint32_t left = m->attrs; left; left &= left - 1) {
        const struct ag_str *s = &k->attr[__builtin_ctz(left)];
        h = ag_hash(s->p, s->n, h);
    }
    const uint32_t *slots = at(k->ix, m->slots);
    for (uint32_t i = 0; i < m->probe_max && i < m->nslots; i++) {
        uint32_t off = slots[(h + i) & (m->nslots - 1)];
        if (!off)
            return;
        if (*(const uint32_t *)at(k->ix, off) == (uint32_t)(h >> 32))
            add_list(k, off);
    }
}

static const struct ag_trie_edge *
find_edge(const struct ag_trie_edge *e, uint32_t n, uint8_t byte)
{
    for (uint32_t lo = 0, hi = n; lo < hi;) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (e[mid].byte == byte)
            return &e[mid];
        if (e[mid].byte < byte)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

static void
look_in_trie(struct ag_cands *k, uint32_t nodes_off, struct ag_str s, bool backwards)
{
    const struct ag_trie_node *nodes = at(k->ix, nodes_off), *n = &nodes[0];
    for (size_t i = 0;; i++) {
        if (n->postings)
            add_list(k, n->postings);
        if (i == s.n)
            return;
        uint8_t byte = (uint8_t)(backwards ? s.p[s.n - 1 - i] : s.p[i]);
        const struct ag_trie_edge *e = find_edge(at(k->ix, n->edges), n->nedges, byte);
        if (!e)
            return;
        n = &nodes[e->node];
    }
}

struct ag_cands *
ag_index_lookup(struct ag_call *c, uint32_t index_ix, struct ag_value input)
{
    const uint32_t *offsets = (const void *)(c->im->index + 4);
    struct ag_cands *k = ag_call_alloc(c, sizeof *k, _Alignof(struct ag_cands));
    if (!k)
        return NULL;
    k->ix = (const void *)(c->im->index + offsets[index_ix]);
    k->nlists = k->next = 0;
    k->scan = false;
    k->attr = ag_attributes(c, k->ix, input, k->own);
    uint64_t bytes = 0;
    for (unsigned a = 0; a < AG_ATTRS; a++)
        bytes += k->attr[a].n;
    if (!ag_charge_bytes(c, bytes * (k->ix->nmasks + 2)))
        return NULL;
    const struct ag_index_mask *masks = at(k->ix, k->ix->masks);
    for (uint32_t i = 0; i < k->ix->nmasks; i++)
        look_in_mask(k, &masks[i], c->im->meta->hash_seed);
    for (unsigned a = 0; a < AG_ATTRS; a++) {
        if (k->ix->prefix[a].nnodes)
            look_in_trie(k, k->ix->prefix[a].nodes, k->attr[a], false);
        if (k->ix->suffix[a].nnodes)
            look_in_trie(k, k->ix->suffix[a].nodes, k->attr[a], true);
    }
    if (k->ix->always)
        add_list(k, k->ix->always);
    return k;
}

// The smallest position that waits in a list, taken from every list that has it.
static bool
next_position(struct ag_cands *k, uint32_t *ret)
{
    if (k->scan) {
        *ret = k->next;
        return k->next++ < k->ix->nrules;
    }
    if (k->nlists == 1) { // nothing to merge
        *ret = *k->list[0].at++;
        k->nlists = k->list[0].at != k->list[0].end;
        return true;
    }
    uint32_t least = AG_NONE;
    for (uint32_t i = 0; i < k->nlists; i++)
        if (*k->list[i].at < least)
            least = *k->list[i].at;
    if (least == AG_NONE)
        return false;
    for (uint32_t i = 0; i < k->nlists;) {
        struct list *l = &k->list[i];
        if (*l->at == least && ++l->at == l->end)
            *l = k->list[--k->nlists];
        else
            i++;
    }
    *ret = least;
    return true;
}

static bool
confirmed(struct ag_call *c, const struct ag_cands *k, const struct ag_index_rule *r)
{
    for (unsigned a = 0; a < AG_ATTRS; a++) {
        if (r->kind[a] == AG_MATCH_ANY)
            continue;
        struct ag_str pattern = ag_image_str(c->im, r->pattern[a]);
        if (r->kind[a] == AG_MATCH_EQ) {
            if (pattern.n != k->attr[a].n || !ag_bytes_eq(pattern.p, k->attr[a].p, pattern.n))
                return false;
            continue;
        }
        if (r->kind[a] == AG_MATCH_PREFIX) {
            size_t n = pattern.n - 1; // without the star
            if (!ag_charge_bytes(c, n) || k->attr[a].n < n || !ag_bytes_eq(pattern.p, k->attr[a].p, n))
                return false;
            continue;
        }
        if (!ag_charge_bytes(c, ag_glob_fuel(pattern, k->attr[a].n)) || !ag_glob_match(pattern, k->attr[a]))
            return false;
    }
    return true;
}

bool
ag_cands_next(struct ag_call *c, struct ag_cands *k, uint32_t *ret_position, uint32_t *ret_rule)
{
    const struct ag_index_rule *rules = at(k->ix, k->ix->rules);
    uint32_t position;
    while (c->stop == AG_EVAL_OK && ag_charge(c, 1 + k->nlists) && next_position(k, &position)) {
        if (!confirmed(c, k, &rules[position]))
            continue;
        *ret_position = position;
        *ret_rule = rules[position].rule;
        return true;
    }
    return false;
}
