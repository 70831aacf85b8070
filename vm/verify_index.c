// SPDX-License-Identifier: Apache-2.0
// Verifier, decision indexes: all offsets lie in the body, positions ascend, tries only go to higher nodes.
// In: one index that lies in its section. Out: yes, or the first thing that is wrong. Nothing is allocated.
// Next file to read: index.c, which relies on this.
#include "verify.h"
#include "pattern.h"

#define CHECK(cond, place, text)                                                                             \
    do {                                                                                                     \
        if (!(cond))                                                                                         \
            return ag_verify_fail(v, (place), (text));                                                       \
    } while (0)

// n elements of `size` bytes at a 4-aligned offset of the index.
static bool
fits(const struct ag_index *ix, uint32_t off, uint64_t n, size_t size)
{
    return off % 4 == 0 && off <= ix->size && (ix->size - off) / size >= n;
}

static bool
check_postings(struct ag_verifier *v, const struct ag_index *ix, uint32_t off)
{
    if (!off)
        return true;
    CHECK(fits(ix, off, 2, 4), ix, "a posting list outside of the index");
    const uint32_t *p = (const void *)((const uint8_t *)ix + off);
    CHECK(fits(ix, off + 8, p[1], 4), p, "a posting list reaches past the index");
    if (!ag_verify_work(v, p[1], p))
        return false;
    for (uint32_t i = 0; i < p[1]; i++)
        CHECK(p[2 + i] < ix->nrules && (i == 0 || p[2 + i] > p[1 + i]), &p[2 + i],
              "positions are not ascending");
    return true;
}

static bool
check_mask(struct ag_verifier *v, const struct ag_index *ix, const struct ag_index_mask *m)
{
    CHECK(m->attrs && m->attrs >> AG_ATTRS == 0 && m->nslots && (m->nslots & (m->nslots - 1)) == 0 &&
              m->probe_max <= m->nslots && fits(ix, m->slots, m->nslots, 4),
          m, "a hash table of the index is malformed");
    const uint32_t *slot = (const void *)((const uint8_t *)ix + m->slots);
    if (!ag_verify_work(v, m->nslots, m))
        return false;
    for (uint32_t i = 0; i < m->nslots; i++)
        if (!check_postings(v, ix, slot[i]))
            return false;
    return true;
}

static bool
check_trie(struct ag_verifier *v, const struct ag_index *ix, uint32_t nodes_off, uint32_t n)
{
    CHECK(fits(ix, nodes_off, n, sizeof(struct ag_trie_node)), ix, "a trie outside of the index");
    const struct ag_trie_node *node = (const void *)((const uint8_t *)ix + nodes_off);
    for (uint32_t i = 0; i < n; i++) {
        CHECK(node[i].nedges <= 256 && fits(ix, node[i].edges, node[i].nedges, sizeof(struct ag_trie_edge)),
              &node[i], "a trie's edges outside of the index");
        const struct ag_trie_edge *e = (const void *)((const uint8_t *)ix + node[i].edges);
        if (!ag_verify_work(v, 1 + (uint64_t)node[i].nedges, e) || !check_postings(v, ix, node[i].postings))
            return false;
        for (uint32_t k = 0; k < node[i].nedges; k++)
            CHECK(e[k].byte < 256 && (k == 0 || e[k].byte > e[k - 1].byte) && e[k].node > i && e[k].node < n,
                  &e[k], "a trie's edge is out of order");
    }
    return true;
}

static bool
check_index_rule(struct ag_verifier *v, const struct ag_index_rule *r)
{
    struct ag_pattern_error why;
    CHECK(r->rule < v->im->nrules, r, "the index names an unknown rule");
    for (unsigned a = 0; a < AG_ATTRS; a++) {
        CHECK(r->kind[a] <= AG_MATCH_PREFIX, r, "an unknown kind of match");
        if (r->kind[a] == AG_MATCH_ANY)
            continue;
        CHECK(ag_verify_is_string(v, r->pattern[a], false), r, "a match pattern is no string constant");
        CHECK(r->kind[a] != AG_MATCH_PREFIX || ag_image_str(v->im, r->pattern[a]).n > 0, r,
              "a prefix without its star");
        CHECK(r->kind[a] != AG_MATCH_GLOB || ag_glob_check(ag_image_str(v->im, r->pattern[a]), &why), r,
              "a match pattern is no glob");
    }
    return true;
}

// Is the constant the array [name of the attribute]? A host that knows the attributes may then give them to
// the machine.
static bool
is_attr_path(const struct ag_image *im, uint32_t ix, enum ag_attr a)
{
    const struct ag_mem m = {.base = {im->heap}};
    struct ag_value path = ag_image_const(im, ix);
    return path.kind == AG_ARRAY && path.len == 1 &&
           ag_str_eq(ag_value_str(ag_value_at(&m, path, 0)), ag_attr_name(a));
}

bool
ag_verify_index(struct ag_verifier *v, const struct ag_index *ix)
{
    CHECK(fits(ix, ix->rules, ix->nrules, sizeof(struct ag_index_rule)), ix,
          "the index's rules lie outside of it");
    CHECK(ix->nmasks <= AG_INDEX_MASKS_MAX && fits(ix, ix->masks, ix->nmasks, sizeof(struct ag_index_mask)),
          ix, "the index's hash tables lie outside of it");
    const struct ag_index_rule *rule = (const void *)((const uint8_t *)ix + ix->rules);
    const struct ag_index_mask *mask = (const void *)((const uint8_t *)ix + ix->masks);
    if (!ag_verify_work(v, ix->nrules, ix))
        return false;
    for (uint32_t i = 0; i < ix->nrules; i++)
        if (!check_index_rule(v, &rule[i]))
            return false;
    for (uint32_t i = 0; i < ix->nmasks; i++)
        if (!check_mask(v, ix, &mask[i]))
            return false;
    for (unsigned a = 0; a < AG_ATTRS; a++) {
        CHECK(ag_verify_is_path(v, ix->path[a], true) && is_attr_path(v->im, ix->path[a], (enum ag_attr)a),
              ix, "an attribute's path is not its name");
        if (!check_trie(v, ix, ix->prefix[a].nodes, ix->prefix[a].nnodes) ||
            !check_trie(v, ix, ix->suffix[a].nodes, ix->suffix[a].nnodes))
            return false;
    }
    return check_postings(v, ix, ix->always);
}
