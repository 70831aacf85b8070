// SPDX-License-Identifier: Apache-2.0
// Second step of a pattern: tree to a program over bytes (Thompson's construction, priorities as in RE2).
// In: `struct ast`. Out: instructions at the end of the compile arena. The compiler works backwards: each
// piece is compiled knowing what comes after it, so nothing but loops needs patching. Classes become UTF-8
// byte ranges, equal instructions of classes are made once. Recursion is bounded by the height of the tree.
// Next: compile.c puts the blob together, dfa.c makes the table.
#include "ast.h"

#define CONS_HEADS 1024u
#define NO_INSN    UINT32_MAX
#define LIST_MAX   128u // alternatives of the first byte of a class: 64 + 30 + 16 + 5 at most

struct maker {
    struct pattern_compile *c;
    struct insn *insn; // grows at the end of the arena
    uint32_t n;
    uint32_t *heads; // class instructions by hash; chained through insn.chain
};

// Alternatives of one byte of a class, sorted by byte.
struct byte_list {
    uint32_t n;
    struct {
        uint8_t lo, hi;
        uint32_t out;
    } item[LIST_MAX];
};

static uint32_t
emit(struct maker *m, uint8_t op, uint8_t lo, uint8_t hi, uint32_t out, uint32_t out1)
{
    if (m->c->status != AG_PATTERN_YES)
        return 0;
    if (m->n == AG_PATTERN_INSN_MAX) {
        pattern_refuse(m->c, 0, "pattern needs more than 65536 instructions: lower its repeat counts");
        return 0;
    }
    struct insn *i = pattern_pay(m->c, 1) ? pattern_alloc(m->c, sizeof(*i), 4) : NULL;
    if (!i)
        return 0;
    *i = (struct insn){op, lo, hi, out, out1, NO_INSN};
    return m->n++;
}

// An instruction that is never patched: one that exists already will do.
static uint32_t
cons(struct maker *m, uint8_t op, uint8_t lo, uint8_t hi, uint32_t out, uint32_t out1)
{
    uint32_t h = (op * 31u + lo) * 31u + hi;
    h = (h * 0x9E3779B1u) ^ (out * 0x85EBCA6Bu) ^ (out1 * 0xC2B2AE35u);
    uint32_t *head = &m->heads[(h >> 16) % CONS_HEADS];
    for (uint32_t i = *head; i != NO_INSN; i = m->insn[i].chain) {
        const struct insn *x = &m->insn[i];
        if (x->op == op && x->lo == lo && x->hi == hi && x->out == out && x->out1 == out1)
            return i;
    }
    uint32_t i = emit(m, op, lo, hi, out, out1);
    if (m->c->status == AG_PATTERN_YES) {
        m->insn[i].chain = *head;
        *head = i;
    }
    return i;
}

static void
list_add(struct byte_list *l, uint32_t lo, uint32_t hi, uint32_t out)
{
    if (l->n && l->item[l->n - 1].out == out && l->item[l->n - 1].hi + 1u == lo) {
        l->item[l->n - 1].hi = (uint8_t)hi;
        return;
    }
    l->item[l->n].lo = (uint8_t)lo;
    l->item[l->n].hi = (uint8_t)hi;
    l->item[l->n++].out = out;
}

static uint32_t
list_emit(struct maker *m, const struct byte_list *l)
{
    if (!l->n)
        return cons(m, OP_FAIL, 0, 0, 0, 0);
    uint32_t chain = NO_INSN;
    for (uint32_t i = l->n; i-- > 0;) {
        uint32_t r = cons(m, OP_RANGE, l->item[i].lo, l->item[i].hi, l->item[i].out, 0);
        chain = chain == NO_INSN ? r : cons(m, OP_SPLIT, 0, 0, r, chain);
    }
    return chain;
}

// How much of lo..hi the class holds: 0 nothing, 1 some, 2 all.
static int
cover(const struct ast *a, uint32_t lo, uint32_t hi)
{
    uint32_t from = 0, to = a->n_range;
    while (from < to) {
        uint32_t mid = (from + to) / 2;
        if (a->ranges[mid].hi < lo)
            from = mid + 1;
        else
            to = mid;
    }
    if (from == a->n_range || a->ranges[from].lo > hi)
        return 0;
    return a->ranges[from].lo <= lo && a->ranges[from].hi >= hi ? 2 : 1;
}

// Any `levels` continuation bytes.
static uint32_t
continuation_any(struct maker *m, int levels, uint32_t next)
{
    for (; levels; levels--)
        next = cons(m, OP_RANGE, 0x80, 0xBF, next, 0);
    return next;
}

// The continuation bytes for the code points base .. base + 64^levels - 1 of the class, but those below `min`
// (they have a shorter form). At most three levels deep.
static uint32_t
continuation(struct maker *m, const struct ast *a, uint32_t base, int levels, uint32_t min, uint32_t next)
{
    struct byte_list l = {0};
    uint32_t step = 1u << (6 * (levels - 1));
    if (base >= min && cover(a, base, base + 64 * step - 1) == 2)
        return continuation_any(m, levels, next);
    for (uint32_t k = 0; k < 64; k++) {
        uint32_t lo = base + k * step;
        int part = lo + step <= min ? 0 : cover(a, lo, lo + step - 1);
        if (part)
            list_add(&l, 0x80 + k, 0x80 + k,
                     levels == 1 ? next : continuation(m, a, lo, levels - 1, min, next));
    }
    return list_emit(m, &l);
}

static uint32_t
class_code(struct maker *m, const struct ast *a, uint32_t next)
{
    struct byte_list l = {0};
    for (uint32_t i = 0; i < a->n_range && a->ranges[i].lo < 0x80; i++)
        list_add(&l, a->ranges[i].lo, a->ranges[i].hi < 0x80 ? a->ranges[i].hi : 0x7F, next);
    static const struct {
        uint32_t lead_lo, lead_hi, levels, min;
    } forms[] = {{0xC2, 0xDF, 1, 0x80}, {0xE0, 0xEF, 2, 0x800}, {0xF0, 0xF4, 3, 0x10000}};
    static const uint32_t lead_base[] = {0xC0, 0xE0, 0xF0};
    for (size_t f = 0; f < 3; f++) {
        for (uint32_t lead = forms[f].lead_lo; lead <= forms[f].lead_hi; lead++) {
            uint32_t block = 1u << (6 * forms[f].levels), base = (lead - lead_base[f]) * block;
            uint32_t lo = base < forms[f].min ? forms[f].min : base;
            if (cover(a, lo, base + block - 1))
                list_add(&l, lead, lead, continuation(m, a, base, (int)forms[f].levels, forms[f].min, next));
        }
    }
    return list_emit(m, &l);
}

static uint32_t piece(struct maker *m, const struct ast *a, uint32_t next);

// `body` again and again before `next`; returns the loop's split, writes where one more round begins.
static uint32_t
loop(struct maker *m, const struct ast *a, uint32_t next, uint32_t *ret_body)
{
    uint32_t split = emit(m, OP_SPLIT, 0, 0, 0, 0);
    uint32_t body = piece(m, a->child, split);
    if (m->c->status != AG_PATTERN_YES)
        return 0;
    m->insn[split].out = a->is_lazy ? next : body;
    m->insn[split].out1 = a->is_lazy ? body : next;
    *ret_body = body;
    return split;
}

static uint32_t
maybe(struct maker *m, const struct ast *a, uint32_t body, uint32_t next)
{
    return a->is_lazy ? emit(m, OP_SPLIT, 0, 0, next, body) : emit(m, OP_SPLIT, 0, 0, body, next);
}

// x{n,} is n-1 times x and a loop that runs once at least; x{n,m} is n times x and (x(x...)?)?.
// A loop that may run zero times over something that may be empty is (x+)?, else priorities come out wrong.
static uint32_t
repeat(struct maker *m, const struct ast *a, uint32_t next)
{
    uint32_t times = a->min, at = next, body = next;
    if (a->max == AST_UNBOUNDED) {
        uint32_t split = loop(m, a, next, &body);
        if (a->min)
            times--, at = body;
        else
            at = a->child->is_nullable ? maybe(m, a, body, next) : split;
    } else {
        for (uint32_t i = a->min; i < a->max && m->c->status == AG_PATTERN_YES; i++)
            at = maybe(m, a, piece(m, a->child, at), next);
    }
    for (uint32_t i = 0; i < times && m->c->status == AG_PATTERN_YES; i++)
        at = piece(m, a->child, at);
    return at;
}

static uint32_t
piece(struct maker *m, const struct ast *a, uint32_t next)
{
    uint32_t at = next;
    // Pieces are paid too, and classes by their ranges: not all of them make an instruction.
    if (m->c->status != AG_PATTERN_YES || !pattern_pay(m->c, 1 + 4 * (uint64_t)a->n_range))
        return 0;
    switch (a->kind) {
    case AST_EMPTY: return next;
    case AST_CLASS: return class_code(m, a, next);
    case AST_FACT: return emit(m, OP_EMPTY, (uint8_t)a->fact, 0, next, 0);
    case AST_REPEAT: return repeat(m, a, next);
    case AST_GROUP:
        at = emit(m, OP_CAP, 0, 0, next, 2 * a->group + 1);
        at = piece(m, a->child, at);
        return emit(m, OP_CAP, 0, 0, at, 2 * a->group);
    case AST_CAT:
        for (const struct ast *k = a->child; k; k = k->next)
            at = piece(m, k, at);
        return at;
    case AST_ALT:
        at = piece(m, a->child, next);
        for (const struct ast *k = a->child->next; k; k = k->next)
            at = emit(m, OP_SPLIT, 0, 0, piece(m, k, next), at);
        return at;
    }
    return at;
}

bool
pattern_nfa(struct pattern_compile *c, const struct ast *tree, struct nfa *ret)
{
    struct maker m = {.c = c, .heads = pattern_alloc(c, CONS_HEADS * sizeof(uint32_t), 4)};
    m.insn = pattern_alloc(c, 0, 4);
    if (c->status != AG_PATTERN_YES)
        return false;
    for (uint32_t i = 0; i < CONS_HEADS; i++)
        m.heads[i] = NO_INSN;
    uint32_t match = emit(&m, OP_MATCH, 0, 0, 0, 0);
    uint32_t start = piece(&m, tree, match);
    if (c->status != AG_PATTERN_YES)
        return false;
    *ret = (struct nfa){.insn = m.insn, .n = m.n, .start = start};
    for (uint32_t i = 0; i < m.n; i++) {
        bool is_fact = m.insn[i].op == OP_EMPTY;
        ret->has_asserts |= is_fact;
        ret->has_not_word |= is_fact && (m.insn[i].lo & FACT_NOT_WORD);
    }
    return true;
}
