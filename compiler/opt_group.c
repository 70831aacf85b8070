// SPDX-License-Identifier: Apache-2.0
// Pass: a loop over constant data that goes on only where a part of the element equals a known value becomes
// a look-up: the elements are grouped by that part when the policy is compiled. In: `loop c k e { path p e K;
// need p; need-eq p x; .. }` where c is a constant, or found in one by steps. Out: the same over c'[x], which
// holds the elements whose part is x; c' replaces the constant and has its shape, so the steps stay. Repeated
// for each such test. In and out: struct agc_ir.
#include "opt.h"

// How a collection is found in a constant: step by step, outermost first.
struct way {
    uint32_t root;                              // constant
    uint32_t n;                                 // steps
    struct agc_stmt *step[AGC_GROUP_STEPS_MAX]; // DOT, or PATH
};

struct grouper {
    struct agc_ir *ir;
    struct agc_func *f;
    uint32_t *defs, *uses;
    struct agc_stmt **def; // by local: its definition, where it has one alone
    bool *is_inside;       // by local: defined in the loop at hand
    uint32_t budget;       // elements that may still be grouped
    uint32_t largest;      // elements of one collection met
};

static void
note_def(void *self, struct agc_stmt *s, unsigned depth)
{
    struct grouper *g = self;
    uint32_t def = agc_stmt_def(s);
    (void)depth;
    if (def != AG_NONE)
        g->def[def] = s;
}

static void
note_inside(void *self, struct agc_stmt *s, unsigned depth)
{
    bool *is_inside = self;
    uint32_t def = agc_stmt_def(s);
    (void)depth;
    if (def != AG_NONE)
        is_inside[def] = true;
    if (s->op == AGC_IR_LOOP)
        is_inside[s->v[1]] = is_inside[s->v[2]] = true;
}

// --- how the collection is found
static bool
find_way(struct grouper *g, uint32_t local, struct way *ret)
{
    struct agc_stmt *back[AGC_GROUP_STEPS_MAX];
    uint32_t n = 0;
    for (;;) {
        struct agc_stmt *s = g->defs[local] == 1 ? g->def[local] : NULL;
        if (!s)
            return false;
        if (s->op == AGC_IR_CONST) {
            ret->root = s->v[1];
            break;
        }
        if ((s->op != AGC_IR_DOT && s->op != AGC_IR_PATH) || n == AGC_GROUP_STEPS_MAX)
            return false;
        if (s->op == AGC_IR_DOT && g->defs[s->v[2]] != 1)
            return false;
        back[n++] = s;
        local = s->v[1];
    }
    ret->n = n;
    for (uint32_t i = 0; i < n; i++)
        ret->step[i] = back[n - 1 - i];
    return true;
}

// --- the constant, grouped
static bool
is_collection(const struct agc_const *c)
{
    return c->kind == AG_ARRAY || c->kind == AG_OBJECT || c->kind == AG_SET;
}

struct member {
    uint32_t key, at; // part of the element; its place in the collection
};

static void
sort_members(const struct agc_ir *ir, struct member *v, struct member *spare, uint32_t n)
{
    if (n < 2)
        return;
    uint32_t half = n / 2, i = 0, k = half, m = 0;
    sort_members(ir, v, spare, half);
    sort_members(ir, v + half, spare, n - half);
    while (i < half || k < n)
        spare[m++] = k == n || (i < half && agc_const_cmp(ir, v[i].key, v[k].key) <= 0) ? v[i++] : v[k++];
    memcpy(v, spare, n * sizeof *v);
}

// The elements at the places of members, in their order, as a collection of the same kind.
static uint32_t
collection_of(struct grouper *g, uint32_t coll, const struct member *v, uint32_t n)
{
    const uint32_t *kid = g->ir->consts[coll].kid;
    uint8_t kind = g->ir->consts[coll].kind;
    uint32_t width = kind == AG_OBJECT ? 2 : 1, k = AG_NONE;
    uint32_t *own = agc_alloc(g->ir->arena, ((size_t)n * width + 1) * sizeof *own);
    for (uint32_t i = 0; i < n; i++)
        memcpy(own + (size_t)i * width, kid + (size_t)v[i].at * width, width * sizeof *own);
    if (kind == AG_ARRAY)
        return agc_const_array(g->ir, own, n);
    if (kind == AG_SET)
        return agc_const_set(g->ir, own, n);
    agc_const_object(g->ir, own, n, &k);
    return k;
}

// The collection as an object from the part of its elements to those that have it.
static bool
group(struct grouper *g, uint32_t coll, uint32_t path, uint32_t *ret)
{
    struct agc_const c = g->ir->consts[coll];
    if (!is_collection(&c))
        return false;
    uint32_t width = c.kind == AG_OBJECT ? 2 : 1, n = c.n / width, m = 0, nkeys = 0;
    if (n > g->budget)
        g->budget = 0;
    else
        g->budget -= n;
    if (!g->budget)
        return false;
    g->largest = n > g->largest ? n : g->largest;
    struct member *v = agc_alloc(g->ir->arena, 2 * ((size_t)n + 1) * sizeof *v);
    uint32_t *pair = agc_alloc(g->ir->arena, 2 * ((size_t)n + 1) * sizeof *pair);
    for (uint32_t i = 0; i < n; i++)
        if (agc_const_follow(g->ir, c.kid[(size_t)i * width + width - 1], path, &v[m].key))
            v[m++].at = i;
    sort_members(g->ir, v, v + n + 1, m);
    for (uint32_t i = 0, end; i < m; i = end, nkeys++) {
        for (end = i + 1; end < m && agc_const_cmp(g->ir, v[i].key, v[end].key) == 0;)
            end++;
        pair[2 * (size_t)nkeys] = v[i].key;
        pair[2 * (size_t)nkeys + 1] = collection_of(g, coll, v + i, end - i);
    }
    return agc_const_object(g->ir, pair, nkeys, ret);
}

static bool regroup(struct grouper *g, uint32_t at, const struct way *w, uint32_t step, uint32_t path,
                    uint32_t *ret);

// A constant of the same shape below which the collections are grouped; what has none is left out.
static bool
regroup_kids(struct grouper *g, uint32_t at, const struct way *w, uint32_t step, uint32_t path, uint32_t *ret)
{
    struct agc_const c = g->ir->consts[at];
    uint32_t width = c.kind == AG_OBJECT ? 2 : 1, n = c.n / width, m = 0, k;
    uint32_t *kid = agc_alloc(g->ir->arena, 2 * ((size_t)n + 1) * sizeof *kid);
    if (c.kind != AG_OBJECT && c.kind != AG_ARRAY)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        bool has = regroup(g, c.kid[(size_t)i * width + width - 1], w, step, path, &k);
        if (c.kind == AG_ARRAY) { // places stay
            kid[m++] = has ? k : agc_const_null(g->ir);
        } else if (has) {
            kid[m++] = c.kid[(size_t)i * width];
            kid[m++] = k;
        }
    }
    if (c.kind == AG_OBJECT)
        return agc_const_object(g->ir, kid, m / 2, ret);
    *ret = agc_const_array(g->ir, kid, m);
    return true;
}

static bool
regroup(struct grouper *g, uint32_t at, const struct way *w, uint32_t step, uint32_t path, uint32_t *ret)
{
    for (; step < w->n && w->step[step]->op == AGC_IR_PATH; step++)
        if (!agc_const_follow(g->ir, at, w->step[step]->v[2], &at))
            return false;
    return step == w->n ? group(g, at, path, ret) : regroup_kids(g, at, w, step + 1, path, ret);
}

// --- the loop
// The test at the head of the loop's body: which part of the element must equal which local (or constant).
struct test {
    uint32_t path, with; // constant; local, AG_NONE: constant
    uint32_t constant;
    uint32_t at; // of the comparison in the body
};

// The part must be a name below the element, so that a number's spelling plays no role.
static bool
is_plain_path(const struct agc_ir *ir, uint32_t path)
{
    for (uint32_t i = 0; i < ir->consts[path].n; i++)
        if (ir->consts[ir->consts[path].kid[i]].kind != AG_STRING)
            return false;
    return ir->consts[path].n != 0;
}

static bool
is_part(const struct grouper *g, const struct agc_stmt *loop, uint32_t local, uint32_t *ret_path)
{
    const struct agc_stmt *s = g->defs[local] == 1 ? g->def[local] : NULL;
    if (!s || s->op != AGC_IR_PATH || s->v[1] != loop->v[2] || !is_plain_path(g->ir, s->v[2]))
        return false;
    *ret_path = s->v[2];
    return true;
}

static bool
is_outside(const struct grouper *g, uint32_t local)
{
    return !g->is_inside[local] && g->defs[local] == 1;
}

// A test that can do nothing but end this round of the loop.
static bool
goes_on(const struct agc_stmt *s)
{
    switch (s->op) {
    case AGC_IR_NEED:
    case AGC_IR_NEED_COLL:
    case AGC_IR_LEAVE_FALSE: return s->v[1] == 0;
    case AGC_IR_NEED_EQ:
    case AGC_IR_NEED_NE:
    case AGC_IR_NEED_IS: return s->v[2] == 0;
    default: return false;
    }
}

// Only tests that go on with the next element may stand before it, and what has no effect.
static bool
find_test(const struct grouper *g, const struct agc_stmt *loop, struct test *ret)
{
    for (uint32_t i = 0; i < loop->body->n; i++) {
        const struct agc_stmt *s = &loop->body->v[i];
        *ret = (struct test){.with = AG_NONE, .at = i};
        if (s->op == AGC_IR_NEED_IS && s->v[2] == 0 && is_part(g, loop, s->v[0], &ret->path)) {
            ret->constant = s->v[1];
            return true;
        }
        if (s->op == AGC_IR_NEED_EQ && s->v[2] == 0) {
            for (unsigned side = 0; side < 2; side++) {
                ret->with = s->v[1 - side];
                if (is_part(g, loop, s->v[side], &ret->path) && is_outside(g, ret->with))
                    return true;
            }
        }
        if (!goes_on(s) && !(agc_irop_table[s->op].flags & AGC_IRF_PURE))
            return false;
    }
    return false;
}

static uint32_t
append(struct grouper *g, struct agc_block *b, struct agc_span span, enum agc_irop op, uint32_t x, uint32_t y)
{
    uint32_t v = agc_ir_local(g->f);
    agc_ir_add(g->ir, b, span, op, v, x, y);
    return v;
}

// Elements of a group have the part that was compared, and there is a value that it equals.
static void
drop_needs(struct grouper *g, const struct agc_stmt *loop, const struct test *t)
{
    for (uint32_t i = 0; i < t->at; i++) {
        struct agc_stmt *s = &loop->body->v[i];
        uint32_t path;
        if (s->op != AGC_IR_NEED ||
            (s->v[0] != t->with && (!is_part(g, loop, s->v[0], &path) || path != t->path)))
            continue;
        *s = (struct agc_stmt){.op = AGC_IR_BLOCK, .span = s->span};
        agc_ir_body(g->ir, s);
    }
}

// Looks the group up before the loop. A step or key that is not there gives undefined, of which the loop
// visits nothing, as it did of a collection in which no element passes the test.
static void
look_up(struct grouper *g, struct agc_block *b, uint32_t at, const struct way *w, const struct test *t,
        uint32_t grouped)
{
    struct agc_stmt loop = b->v[at];
    struct agc_block tail = {0};
    for (uint32_t i = at + 1; i < b->n; i++) {
        tail.v = agc_grow(g->ir->arena, tail.v, tail.n, &tail.cap, sizeof *tail.v);
        tail.v[tail.n++] = b->v[i];
    }
    b->n = at;
    uint32_t coll = append(g, b, loop.span, AGC_IR_CONST, grouped, 0);
    for (uint32_t i = 0; i < w->n; i++)
        if (w->step[i]->op == AGC_IR_DOT)
            coll = append(g, b, loop.span, AGC_IR_DOT, coll, w->step[i]->v[2]);
    uint32_t key = t->with == AG_NONE ? append(g, b, loop.span, AGC_IR_CONST, t->constant, 0) : t->with;
    uint32_t own = append(g, b, loop.span, AGC_IR_MOVE, append(g, b, loop.span, AGC_IR_DOT, coll, key), 0);
    loop.v[0] = own;
    memmove(&loop.body->v[t->at], &loop.body->v[t->at + 1],
            (loop.body->n - t->at - 1) * sizeof *loop.body->v);
    loop.body->n--;
    b->v = agc_grow(g->ir->arena, b->v, b->n, &b->cap, sizeof *b->v);
    b->v[b->n++] = loop;
    for (uint32_t i = 0; i < tail.n; i++) {
        b->v = agc_grow(g->ir->arena, b->v, b->n, &b->cap, sizeof *b->v);
        b->v[b->n++] = tail.v[i];
    }
}

// Tests of the steps before a loop that ends its block: without a collection the loop visits nothing, which
// is what leaving the block is.
static void
drop_tests(struct grouper *g, struct agc_block *b, uint32_t at, const struct way *w)
{
    uint32_t n = at;
    if (at + 1 < b->n)
        return;
    for (; n > 0; n--) {
        struct agc_stmt *s = &b->v[n - 1];
        bool is_step = false;
        for (uint32_t i = 0; s->op == AGC_IR_NEED && s->v[1] == 0 && i < w->n; i++)
            is_step = is_step || w->step[i]->v[0] == s->v[0];
        if (is_step) {
            *s = (struct agc_stmt){.op = AGC_IR_BLOCK, .span = s->span};
            agc_ir_body(g->ir, s);
        } else if (!(agc_irop_table[s->op].flags & AGC_IRF_PURE) && !goes_on(s))
            return;
    }
}

// The loop at statement `at`; true when it became a look-up.
static bool
try_loop(struct grouper *g, struct agc_block *b, uint32_t at)
{
    struct agc_stmt *loop = &b->v[at];
    struct agc_block whole = {1, 1, loop};
    uint32_t from = at;
    struct way w = {.root = AG_NONE};
    struct test t;
    uint32_t grouped;
    while (from > 0 && agc_stmt_def(&b->v[from - 1]) != loop->v[0])
        from--;
    if (!from || g->defs[loop->v[0]] != 2 || g->uses[loop->v[1]] != 0)
        return false;
    const struct agc_stmt *own = &b->v[from - 1]; // the loop's own copy of the collection
    if (own->op == AGC_IR_CONST)
        w.root = own->v[1];
    else if (own->op != AGC_IR_MOVE || !find_way(g, own->v[1], &w))
        return false;
    memset(g->is_inside, 0, g->f->nlocals);
    agc_ir_walk(&whole, note_inside, g->is_inside);
    if (!find_test(g, loop, &t))
        return false;
    g->largest = 0;
    if (!regroup(g, w.root, &w, 0, t.path, &grouped) || !g->budget || g->largest < AGC_GROUP_MIN)
        return false;
    drop_tests(g, b, at, &w);
    drop_needs(g, loop, &t);
    look_up(g, b, at, &w, &t, grouped);
    return true;
}

static bool
find_loop(struct grouper *g, struct agc_block *b)
{
    for (uint32_t i = 0; i < b->n; i++) {
        if (b->v[i].op == AGC_IR_LOOP && try_loop(g, b, i))
            return true;
        if (b->v[i].body && find_loop(g, b->v[i].body))
            return true;
    }
    return false;
}

void
agc_opt_group(struct agc_ir *ir, int level)
{
    struct grouper g = {.ir = ir, .budget = AGC_GROUP_MAX};
    (void)level;
    for (uint32_t i = 0; i < ir->nfuncs && g.budget; i++) {
        g.f = &ir->funcs[i];
        do {
            uint32_t n = g.f->nlocals;
            g.defs = agc_alloc(ir->arena, 2 * (size_t)n * sizeof *g.defs);
            g.uses = g.defs + n;
            g.def = agc_alloc(ir->arena, n * sizeof *g.def);
            g.is_inside = agc_alloc(ir->arena, n + 1);
            agc_opt_count(g.f, g.defs, g.uses);
            agc_ir_walk(&g.f->body, note_def, &g);
        } while (find_loop(&g, &g.f->body));
    }
}
