// SPDX-License-Identifier: Apache-2.0
// Pass: the decision index. Rules are put into priority order and each is given one home: the hash table of
// its literal attributes, the trie of one of its globs' fixed beginnings or ends, or the list that is always
// tried. A rule whose hash key is shared by many moves to a trie that fewer share. The structure is linear in
// the text of the rules. In: rules of the policy. Out: agc_ir.index; agc_index_write turns it into the bytes
// that vm/image.h describes.
#include "opt.h"

#include "hash.h"
#include "heap.h"
#include "pattern.h"

#include <stdlib.h>

// --- priority order
static int
by_severity(const void *x, const void *y)
{
    const struct agc_ir_rule *a = *(const struct agc_ir_rule *const *)x,
                             *b = *(const struct agc_ir_rule *const *)y;
    if (a->sort_as != b->sort_as)
        return a->sort_as > b->sort_as ? -1 : 1;
    return a < b ? -1 : a > b;
}

static struct ag_str
glob_text(struct agc_ir *ir, struct ag_str glob, void (*get)(struct ag_str, struct ag_buf *))
{
    char *mem = agc_alloc(ir->arena, glob.n + 1);
    struct ag_buf b;
    ag_buf_init(&b, mem, glob.n + 1);
    get(glob, &b);
    return ag_str_of(mem, b.n);
}

// Plain text with one star behind it.
static bool
is_prefix(struct ag_str glob)
{
    for (size_t i = 0; i + 1 < glob.n; i++)
        if (memchr("*?[", glob.p[i], 3))
            return false;
    return glob.n > 0 && glob.p[glob.n - 1] == '*';
}

static void
describe(struct agc_ir *ir, struct agc_index_rule *r)
{
    const struct agc_rule *rule = ir->rules[r->rule].rule;
    for (unsigned a = 0; a < AG_ATTRS; a++) {
        struct ag_str glob = rule->match[a].text;
        if (!glob.p || ag_glob_is_any(glob)) {
            r->kind[a] = AG_MATCH_ANY;
            continue;
        }
        char *mem = agc_alloc(ir->arena, glob.n + 1);
        struct ag_buf b;
        ag_buf_init(&b, mem, glob.n + 1);
        bool is_literal = ag_glob_literal(glob, &b);
        r->kind[a] = is_literal ? AG_MATCH_EQ : AG_MATCH_GLOB;
        r->text[a] = is_literal ? ag_str_of(mem, b.n) : glob;
        if (is_literal)
            r->mask |= (uint8_t)(1u << a);
    }
}

// --- how many rules share a key: counted in one open table over hashes of (what, attribute, text)
struct census {
    uint32_t slots;
    uint64_t *hash; // 0 = empty
    uint32_t *count;
};

static uint64_t
mask_hash(const struct agc_index_rule *r, uint64_t seed)
{
    for (unsigned a = 0; a < AG_ATTRS; a++)
        if (r->mask & 1u << a)
            seed = ag_hash(r->text[a].p, r->text[a].n, seed);
    return seed;
}

static uint64_t
key_hash(unsigned home, unsigned attr, struct ag_str key)
{
    return ag_hash(key.p, key.n, 1000u + 16u * home + attr) | 1u;
}

static uint32_t *
census_at(struct census *c, uint64_t h)
{
    uint32_t at = (uint32_t)(h >> 20) & (c->slots - 1);
    while (c->hash[at] && c->hash[at] != h)
        at = (at + 1) & (c->slots - 1);
    c->hash[at] = h;
    return &c->count[at];
}

struct options {
    struct ag_str text[2][AG_ATTRS]; // fixed beginning and end of each glob
};

static void
count_homes(struct agc_ir *ir, struct census *c, const struct agc_index_rule *r, struct options *o)
{
    if (r->mask)
        ++*census_at(c, mask_hash(r, r->mask) | 1u);
    for (unsigned a = 0; a < AG_ATTRS; a++) {
        if (r->kind[a] != AG_MATCH_GLOB)
            continue;
        o->text[0][a] = glob_text(ir, r->text[a], ag_glob_prefix);
        o->text[1][a] = glob_text(ir, r->text[a], ag_glob_suffix);
        for (unsigned end = 0; end < 2; end++)
            if (o->text[end][a].n)
                ++*census_at(c, key_hash(end, a, o->text[end][a]));
    }
}

static void
choose_home(struct census *c, struct agc_index_rule *r, const struct options *o)
{
    uint32_t best = UINT32_MAX;
    if (r->mask) {
        r->home = AGC_HOME_HASH;
        best = *census_at(c, mask_hash(r, r->mask) | 1u);
        if (best <= AGC_LINEAR_MAX)
            return;
    }
    size_t longest = 0;
    for (unsigned a = 0; a < AG_ATTRS; a++)
        for (unsigned end = 0; end < 2; end++) {
            struct ag_str key = o->text[end][a];
            uint32_t n = key.n ? *census_at(c, key_hash(end, a, key)) : UINT32_MAX;
            if (n > best || n == UINT32_MAX || (n == best && key.n <= longest))
                continue;
            best = n;
            longest = key.n;
            r->home = end ? AGC_HOME_SUFFIX : AGC_HOME_PREFIX;
            r->attr = (uint8_t)a;
            r->key = key;
        }
}

void
agc_opt_index(struct agc_ir *ir, int level)
{
    uint32_t n = ir->nrules;
    if (!ir->nindexes)
        return;
    const struct agc_ir_rule **order = agc_alloc(ir->arena, n * sizeof *order);
    for (uint32_t i = 0; i < n; i++)
        order[i] = &ir->rules[i];
    if (ir->policy->combine == AG_DENY_OVERRIDES)
        qsort(order, n, sizeof *order, by_severity);
    ir->index = (struct agc_index){n, agc_alloc(ir->arena, n * sizeof *ir->index.v)};
    struct options *o = agc_alloc(ir->arena, n * sizeof *o);
    struct census c = {.slots = 64};
    while (c.slots < 16 * n)
        c.slots *= 2;
    c.hash = agc_alloc(ir->arena, c.slots * sizeof *c.hash);
    c.count = agc_alloc(ir->arena, c.slots * sizeof *c.count);
    for (uint32_t i = 0; i < n; i++) {
        struct agc_index_rule *r = &ir->index.v[i];
        r->rule = (uint32_t)(order[i] - ir->rules);
        describe(ir, r);
        if (level > 0)
            count_homes(ir, &c, r, &o[i]);
    }
    for (uint32_t i = 0; level > 0 && i < n; i++)
        choose_home(&c, &ir->index.v[i], &o[i]);
}

// --- bytes
struct writer {
    const struct agc_index *ix;
    struct agc_arena *arena;
    struct agc_bytes *out;
    size_t base; // of the struct ag_index in out
    uint64_t seed;
};

static uint32_t
here(const struct writer *w)
{
    return (uint32_t)(w->out->n - w->base);
}

static struct ag_index *
head(const struct writer *w)
{
    return (struct ag_index *)(void *)(w->out->p + w->base);
}

// { u32 hash_hi; u32 n; u32 position[n] }
static uint32_t
put_postings(struct writer *w, uint32_t hash_hi, const uint32_t *position, uint32_t n)
{
    uint32_t at = here(w);
    agc_bytes_u32(w->out, hash_hi);
    agc_bytes_u32(w->out, n);
    agc_bytes_put(w->out, position, n * sizeof *position);
    return at;
}

static void
put_always(struct writer *w)
{
    uint32_t *pos = agc_alloc(w->arena, (w->ix->n + 1) * sizeof *pos), n = 0;
    for (uint32_t i = 0; i < w->ix->n; i++)
        if (w->ix->v[i].home == AGC_HOME_ALWAYS)
            pos[n++] = i;
    if (!n)
        return;
    uint32_t at = put_postings(w, 0, pos, n); // may move the struct
    head(w)->always = at;
}

struct keyed {
    uint64_t hash;
    uint32_t position;
};

static int
by_hash(const void *x, const void *y)
{
    const struct keyed *a = x, *b = y;
    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    return a->position < b->position ? -1 : a->position > b->position;
}

static bool
same_key(const struct agc_index_rule *a, const struct agc_index_rule *b, uint32_t mask)
{
    for (unsigned i = 0; i < AG_ATTRS; i++)
        if ((mask & 1u << i) && !ag_str_eq(a->text[i], b->text[i]))
            return false;
    return true;
}

// Puts the posting lists of one mask and its slots. A list is recognised by the high half of its hash, so two
// keys that agree there must not meet: then the seed is refused.
static bool
put_mask(struct writer *w, uint32_t mask, size_t mask_at)
{
    struct keyed *v = agc_alloc(w->arena, (w->ix->n + 1) * sizeof *v);
    uint32_t n = 0, nkeys = 0, nslots = 1;
    for (uint32_t i = 0; i < w->ix->n; i++)
        if (w->ix->v[i].home == AGC_HOME_HASH && w->ix->v[i].mask == mask)
            v[n++] = (struct keyed){mask_hash(&w->ix->v[i], w->seed), i};
    qsort(v, n, sizeof *v, by_hash);
    for (uint32_t i = 0; i < n; i++) {
        bool is_new = i == 0 || v[i].hash != v[i - 1].hash;
        nkeys += is_new;
        if (i && v[i].hash >> 32 == v[i - 1].hash >> 32 &&
            (is_new || !same_key(&w->ix->v[v[i].position], &w->ix->v[v[i - 1].position], mask)))
            return false;
    }
    while (nslots < 2 * nkeys)
        nslots *= 2;
    uint32_t *slot = agc_alloc(w->arena, nslots * sizeof *slot), probe_max = 0;
    uint32_t *pos = agc_alloc(w->arena, (n + 1) * sizeof *pos);
    for (uint32_t i = 0; i < n;) {
        uint32_t m = 0, at = (uint32_t)v[i].hash & (nslots - 1), probes = 1;
        uint64_t hash = v[i].hash;
        for (; i < n && v[i].hash == hash; i++)
            pos[m++] = v[i].position;
        for (; slot[at]; at = (at + 1) & (nslots - 1))
            probes++;
        slot[at] = put_postings(w, (uint32_t)(hash >> 32), pos, m);
        probe_max = probes > probe_max ? probes : probe_max;
    }
    struct ag_index_mask m = {mask, nslots, here(w), probe_max};
    agc_bytes_put(w->out, slot, nslots * sizeof *slot);
    memcpy(w->out->p + mask_at, &m, sizeof m);
    return true;
}

static bool
put_masks(struct writer *w)
{
    bool has[AG_INDEX_MASKS_MAX + 1] = {false};
    uint32_t n = 0;
    for (uint32_t i = 0; i < w->ix->n; i++)
        if (w->ix->v[i].home == AGC_HOME_HASH)
            has[w->ix->v[i].mask] = true;
    for (unsigned m = 1; m <= AG_INDEX_MASKS_MAX; m++)
        n += has[m];
    if (!n)
        return true;
    head(w)->nmasks = n;
    head(w)->masks = here(w);
    size_t at = w->out->n;
    agc_bytes_room(w->out, n * sizeof(struct ag_index_mask));
    for (unsigned m = 1; m <= AG_INDEX_MASKS_MAX; m++) {
        if (!has[m])
            continue;
        if (!put_mask(w, m, at))
            return false;
        at += sizeof(struct ag_index_mask);
    }
    return true;
}

// --- tries: rules sorted by key, so children of a node are neighbours
struct trie_rule {
    struct ag_str key; // reversed for a suffix trie
    uint32_t position;
};

static int
by_key(const void *x, const void *y)
{
    const struct trie_rule *a = x, *b = y;
    int c = ag_str_cmp(a->key, b->key);
    if (c)
        return c;
    return a->position < b->position ? -1 : a->position > b->position;
}

static struct ag_str
reversed(struct agc_arena *arena, struct ag_str s)
{
    char *p = agc_alloc(arena, s.n + 1);
    for (size_t i = 0; i < s.n; i++)
        p[i] = s.p[s.n - 1 - i];
    return ag_str_of(p, s.n);
}

struct trie_node {
    uint32_t from, to; // rules below
    uint32_t depth;
};

static void
put_trie(struct writer *w, bool is_suffix, unsigned attr)
{
    struct trie_rule *v = agc_alloc(w->arena, (w->ix->n + 1) * sizeof *v);
    uint32_t n = 0, nnodes = 1, cap = 0, made = 0;
    enum agc_home home = is_suffix ? AGC_HOME_SUFFIX : AGC_HOME_PREFIX;
    for (uint32_t i = 0; i < w->ix->n; i++) {
        const struct agc_index_rule *r = &w->ix->v[i];
        if (r->home == home && r->attr == attr)
            v[n++] = (struct trie_rule){is_suffix ? reversed(w->arena, r->key) : r->key, i};
    }
    if (!n)
        return;
    qsort(v, n, sizeof *v, by_key);
    for (uint32_t i = 0; i < n; i++) { // nodes: one per byte beyond what the key before shares
        size_t shared = 0;
        while (i && shared < v[i].key.n && shared < v[i - 1].key.n &&
               v[i].key.p[shared] == v[i - 1].key.p[shared])
            shared++;
        nnodes += (uint32_t)(v[i].key.n - shared);
    }
    uint32_t nodes = here(w);
    agc_bytes_room(w->out, nnodes * sizeof(struct ag_trie_node));
    struct trie_node *queue = agc_grow(w->arena, NULL, 0, &cap, sizeof *queue);
    queue[made++] = (struct trie_node){0, n, 0};
    uint32_t *pos = agc_alloc(w->arena, (n + 1) * sizeof *pos);
    for (uint32_t k = 0; k < made; k++) { // breadth first: a child's number is greater than its parent's
        struct trie_node t = queue[k];
        struct ag_trie_node node = {0, 0, 0};
        uint32_t m = 0, i = t.from;
        for (; i < t.to && v[i].key.n == t.depth; i++)
            pos[m++] = v[i].position;
        if (m)
            node.postings = put_postings(w, 0, pos, m);
        node.edges = here(w);
        while (i < t.to) {
            uint32_t first = i;
            unsigned char byte = (unsigned char)v[i].key.p[t.depth];
            while (i < t.to && (unsigned char)v[i].key.p[t.depth] == byte)
                i++;
            struct ag_trie_edge e = {byte, made};
            agc_bytes_put(w->out, &e, sizeof e);
            node.nedges++;
            queue = agc_grow(w->arena, queue, made, &cap, sizeof *queue);
            queue[made++] = (struct trie_node){first, i, t.depth + 1};
        }
        if (!node.nedges)
            node.edges = 0;
        memcpy(w->out->p + w->base + nodes + k * sizeof node, &node, sizeof node);
    }
    struct ag_index *h = head(w);
    (is_suffix ? h->suffix : h->prefix)[attr].nnodes = nnodes;
    (is_suffix ? h->suffix : h->prefix)[attr].nodes = nodes;
}

bool
agc_index_write(const struct agc_ir *ir, struct agc_heap *heap, uint64_t seed, struct agc_bytes *out)
{
    static const char *const attr[AG_ATTRS] = {"type", "target", "agent", "tenant"};
    struct writer w = {&ir->index, ir->arena, out, out->n, seed};
    struct ag_index h = {.nrules = ir->index.n};
    for (unsigned a = 0; a < AG_ATTRS; a++) {
        struct ag_str key = ag_str_z(attr[a]);
        h.path[a] = agc_heap_const(heap, agc_const_path(heap->ir, &key, 1));
    }
    agc_bytes_put(out, &h, sizeof h);
    head(&w)->rules = here(&w);
    for (uint32_t i = 0; i < ir->index.n; i++) {
        const struct agc_index_rule *r = &ir->index.v[i];
        struct ag_index_rule row = {.rule = r->rule};
        for (unsigned a = 0; a < AG_ATTRS; a++) {
            row.kind[a] = is_prefix(r->text[a]) && r->kind[a] == AG_MATCH_GLOB ? AG_MATCH_PREFIX : r->kind[a];
            row.pattern[a] = r->kind[a] == AG_MATCH_ANY ? AG_NONE : agc_heap_string(heap, r->text[a]);
        }
        agc_bytes_put(out, &row, sizeof row);
    }
    put_always(&w);
    if (!put_masks(&w))
        return false;
    for (unsigned a = 0; a < AG_ATTRS; a++) {
        put_trie(&w, false, a);
        put_trie(&w, true, a);
    }
    agc_bytes_align(out, 8);
    head(&w)->size = here(&w);
    return true;
}
