// SPDX-License-Identifier: Apache-2.0
// Third step of a pattern, when it fits: the subset construction, whole and ahead of time, for yes/no
// questions. In: the program. Out: the DFA section of prog.h at the end of the compile arena, or nothing when
// states, cells, work, fuel or arena do not suffice (the program alone is a full answer). A state is a set of
// instructions. Facts (^ $ \b) need the next byte, so they stay in the set as pending, with the byte before
// them, and are settled when the next byte comes; a match is then seen one byte late. Next: match.c runs the
// table.
#include "ast.h"

#define HASH_HEADS 4096u
#define DEAD       0u
#define ACCEPT     1u
#define NO_STATE   UINT32_MAX
#define BUCKET_MAX 65536u // instructions times classes that are sorted at once

struct state {
    uint32_t at, n;  // its instructions in the pool, in rising order
    uint32_t before; // stands for the byte before: BYTE_NONE, '\n', 'a' or ' '; only pending facts look at it
    bool has_pending;
    uint32_t chain; // next state of the same hash
};

struct builder {
    const struct nfa *nfa;
    struct ag_arena *arena;
    bool is_anchored, is_matched, is_full;
    uint64_t work, work_max;
    uint8_t *section, *cells;
    uint32_t n_class, stride, cells_max, n_state;
    uint16_t rep[257]; // one byte of each class; BYTE_NONE for the end
    struct state *states;
    uint32_t *heads;
    uint32_t *seen, round; // seen[i] == round: instruction i was visited
    uint32_t *stack;
    uint32_t *reach, n_reach; // ranges reached in this round
    uint64_t *set;            // instructions of the new state
    uint64_t *restart;        // what a search that starts anew at every byte adds to every state
    bool is_restart_match;    // ... and whether it matches at once
    uint8_t class_of[256];
    uint32_t bucket_at[258],
        *bucket;            // ranges of the state at hand by class: bucket[bucket_at[k] .. bucket_at[k+1])
    uint32_t *pool, n_pool; // grows at the end of the arena
};

static uint32_t
byte_classes(const struct nfa *nfa, uint8_t class_of[256], uint16_t rep[257])
{
    static const uint8_t fact_marks[] = {'\n',    '\n' + 1, '0',     '9' + 1, 'A',
                                         'Z' + 1, '_',      '_' + 1, 'a',     'z' + 1};
    uint8_t mark[257] = {0};
    for (uint32_t i = 0; i < nfa->n; i++) {
        if (nfa->insn[i].op == OP_RANGE)
            mark[nfa->insn[i].lo] = mark[nfa->insn[i].hi + 1] = 1;
    }
    for (size_t i = 0; nfa->has_asserts && i < sizeof(fact_marks); i++)
        mark[fact_marks[i]] = 1;
    uint32_t n = 0;
    rep[0] = 0;
    for (uint32_t b = 0; b < 256; b++) {
        if (b && mark[b])
            rep[++n] = (uint16_t)b;
        class_of[b] = (uint8_t)n;
    }
    rep[++n] = BYTE_NONE;
    return n;
}

// Visits what is reachable from `pc` without reading. `facts` are those known to hold, with is_known;
// otherwise facts stay pending, but the text start, which is over for good once a byte was read.
static void
follow(struct builder *b, uint32_t pc, bool is_known, uint32_t facts, bool is_begun)
{
    uint32_t n = 0;
    b->stack[n++] = pc;
    while (n) {
        pc = b->stack[--n];
        const struct insn *i = &b->nfa->insn[pc];
        if (b->seen[pc] == b->round)
            continue;
        b->seen[pc] = b->round;
        b->work++;
        bool is_on = i->op == OP_JUMP || i->op == OP_SPLIT || i->op == OP_CAP;
        if (i->op == OP_MATCH)
            b->is_matched = true;
        else if (i->op == OP_RANGE)
            b->reach[b->n_reach++] = pc;
        else if (i->op == OP_EMPTY && is_known)
            is_on = (i->lo & facts) == i->lo;
        if (i->op == OP_RANGE || (i->op == OP_EMPTY && !is_known && !(is_begun && (i->lo & FACT_TEXT_START))))
            b->set[pc / 64] |= (uint64_t)1 << (pc % 64);
        if (is_on && i->op == OP_SPLIT)
            b->stack[n++] = i->out1;
        if (is_on)
            b->stack[n++] = i->out;
    }
}

static void
new_round(struct builder *b)
{
    b->round++;
    b->n_reach = 0;
    b->is_matched = false;
    memset(b->set, 0, (b->nfa->n / 64 + 1) * sizeof(*b->set));
}

// The number of the state whose instructions are in b->set, made when it is new.
static uint32_t
intern(struct builder *b, uint32_t before)
{
    struct state s = {.at = b->n_pool, .before = before};
    if (b->is_matched)
        return ACCEPT;
    uint32_t hash = 0x811C9DC5u;
    for (uint32_t w = 0; w <= b->nfa->n / 64; w++) {
        for (uint64_t bits = b->set[w]; bits; bits &= bits - 1) {
            uint32_t pc = w * 64 + (uint32_t)__builtin_ctzll(bits);
            uint32_t *slot = ag_arena_alloc(b->arena, sizeof(*slot), 4);
            if (!slot) {
                b->is_full = true;
                return DEAD;
            }
            *slot = pc;
            s.n++;
            s.has_pending |= b->nfa->insn[pc].op == OP_EMPTY;
            hash = (hash ^ pc) * 0x01000193u;
        }
    }
    b->work += b->nfa->n / 64 + s.n;
    if (!s.has_pending)
        s.before = ' ';
    uint32_t *head = &b->heads[(hash ^ s.before ^ hash >> 16) % HASH_HEADS], found = s.n ? *head : DEAD;
    for (; found != NO_STATE && found != DEAD; found = b->states[found].chain) {
        const struct state *o = &b->states[found];
        if (o->n == s.n && o->before == s.before &&
            !memcmp(b->pool + o->at, b->pool + s.at, s.n * sizeof(uint32_t)))
            break;
    }
    if (found != NO_STATE) {
        ag_arena_reset(b->arena, (size_t)((uint8_t *)(b->pool + s.at) - b->arena->base));
        return found;
    }
    if (b->n_state == AG_PATTERN_DFA_STATE_MAX || (b->n_state + 1) * b->stride > b->cells_max) {
        b->is_full = true;
        return DEAD;
    }
    b->n_pool += s.n;
    s.chain = *head;
    *head = b->n_state;
    b->states[b->n_state] = s;
    return b->n_state++;
}

// The state that the ranges in `list` lead to on byte c; the round is new.
static uint32_t
step_ranges(struct builder *b, const uint32_t *list, uint32_t n, uint32_t c)
{
    b->work += n;
    for (uint32_t k = 0; k < n; k++) {
        const struct insn *i = &b->nfa->insn[list[k]];
        if (i->op == OP_RANGE && i->lo <= c && c <= i->hi)
            follow(b, i->out, false, 0, true);
    }
    for (uint32_t w = 0; !b->is_anchored && w <= b->nfa->n / 64; w++)
        b->set[w] |= b->restart[w];
    b->is_matched |= !b->is_anchored && b->is_restart_match;
    return intern(b, c == '\n' ? '\n' : is_word_byte(c) ? 'a' : ' ');
}

// The state after s and byte c (BYTE_NONE: the end of the text), settling pending facts first.
static uint32_t
step_pending(struct builder *b, const struct state *s, uint32_t c)
{
    uint32_t facts = facts_between(s->before, c), *settled = b->reach + b->nfa->n; // second half of `reach`
    new_round(b);
    for (uint32_t k = 0; k < s->n; k++)
        follow(b, b->pool[s->at + k], true, facts, true);
    if (b->is_matched)
        return ACCEPT;
    if (c == BYTE_NONE)
        return DEAD;
    uint32_t n = b->n_reach;
    memcpy(settled, b->reach, n * sizeof(*settled));
    new_round(b);
    return step_ranges(b, settled, n, c);
}

// Sorts the ranges of s by the classes that they take; false when there are too many.
static bool
fill_buckets(struct builder *b, const struct state *s)
{
    uint32_t n = 0;
    memset(b->bucket_at, 0, sizeof(b->bucket_at));
    for (uint32_t k = 0; k < s->n; k++) {
        const struct insn *i = &b->nfa->insn[b->pool[s->at + k]];
        for (uint32_t c = b->class_of[i->lo]; c <= b->class_of[i->hi]; c++, n++)
            b->bucket_at[c + 2]++;
        if (n > BUCKET_MAX - 256)
            return false;
    }
    b->work += n;
    for (uint32_t c = 2; c < 258; c++) // bucket_at[c + 1] is now where class c is written next
        b->bucket_at[c] += b->bucket_at[c - 1];
    for (uint32_t k = 0; k < s->n; k++) {
        uint32_t pc = b->pool[s->at + k];
        const struct insn *i = &b->nfa->insn[pc];
        for (uint32_t c = b->class_of[i->lo]; c <= b->class_of[i->hi]; c++)
            b->bucket[b->bucket_at[c + 1]++] = pc;
    }
    return true;
}

static void
fill_row(struct builder *b, uint32_t from)
{
    uint8_t *row = b->cells + (size_t)from * b->stride * 2;
    struct state s = b->states[from];
    bool is_sorted = from > ACCEPT && !s.has_pending && fill_buckets(b, &s);
    for (uint32_t k = 0; k < b->stride && !b->is_full; k++) {
        uint32_t to = from;
        if (from > ACCEPT && s.has_pending) {
            to = step_pending(b, &s, b->rep[k]);
        } else if (from > ACCEPT && b->rep[k] == BYTE_NONE) {
            to = DEAD;
        } else if (from > ACCEPT) {
            new_round(b);
            to = is_sorted ? step_ranges(b, b->bucket + b->bucket_at[k],
                                         b->bucket_at[k + 1] - b->bucket_at[k], b->rep[k])
                           : step_ranges(b, b->pool + s.at, s.n, b->rep[k]);
        }
        st16(row + (size_t)k * 2, (uint16_t)(to * b->stride));
    }
    b->is_full |= b->work > b->work_max;
}

static bool
build(struct builder *b, uint32_t *ret_start)
{
    new_round(b);
    follow(b, b->nfa->start, false, 0, true);
    memcpy(b->restart, b->set, (b->nfa->n / 64 + 1) * sizeof(*b->set));
    b->is_restart_match = b->is_matched;
    new_round(b);
    follow(b, b->nfa->start, false, 0, false);
    *ret_start = intern(b, BYTE_NONE);
    for (uint32_t s = 0; s < b->n_state && !b->is_full; s++)
        fill_row(b, s);
    return !b->is_full;
}

// When the start state waits for one byte and every other byte leads back to it, that byte; else BYTE_NONE.
static uint32_t
skip_byte(const struct builder *b, uint32_t start)
{
    uint32_t found = BYTE_NONE;
    for (uint32_t c = 0; c < 256; c++) {
        if (ld16(b->cells + ((size_t)start * b->stride + b->class_of[c]) * 2) == start * b->stride)
            continue;
        if (found != BYTE_NONE)
            return BYTE_NONE;
        found = c;
    }
    return start <= ACCEPT ? BYTE_NONE : found;
}

static bool
reserve(struct builder *b, const struct nfa *nfa)
{
    struct ag_arena *a = b->arena;
    uint32_t rows = AG_PATTERN_DFA_CELL_MAX / b->stride;
    if (rows > AG_PATTERN_DFA_STATE_MAX)
        rows = AG_PATTERN_DFA_STATE_MAX;
    b->cells_max = rows * b->stride;
    b->section = ag_arena_alloc(a, DFA_HEADER + (size_t)b->cells_max * 2, 8);
    b->states = ag_arena_alloc(a, rows * sizeof(*b->states), 8);
    b->heads = ag_arena_alloc(a, HASH_HEADS * sizeof(*b->heads), 4);
    b->seen = ag_arena_alloc(a, nfa->n * sizeof(*b->seen), 4);
    b->stack = ag_arena_alloc(a, (2 * (size_t)nfa->n + 1) * sizeof(*b->stack), 4);
    b->reach = ag_arena_alloc(a, 2 * (size_t)nfa->n * sizeof(*b->reach), 4);
    b->set = ag_arena_alloc(a, ((size_t)nfa->n / 64 + 1) * sizeof(*b->set), 8);
    b->restart = ag_arena_alloc(a, ((size_t)nfa->n / 64 + 1) * sizeof(*b->restart), 8);
    b->bucket = ag_arena_alloc(a, BUCKET_MAX * sizeof(*b->bucket), 4);
    b->pool = ag_arena_alloc(a, 0, 4);
    if (!b->section || !b->states || !b->heads || !b->seen || !b->stack || !b->reach || !b->set ||
        !b->restart || !b->bucket || !b->pool)
        return false;
    b->cells = b->section + DFA_HEADER;
    memset(b->seen, 0, nfa->n * sizeof(*b->seen));
    memset(b->heads, 0xFF, HASH_HEADS * sizeof(*b->heads));
    memset(b->states, 0, 2 * sizeof(*b->states)); // dead and accept have no instructions
    b->n_state = 2;
    return true;
}

struct ag_str
pattern_dfa(struct pattern_compile *c, const struct nfa *nfa, bool is_anchored)
{
    struct builder b = {.nfa = nfa, .arena = c->arena, .is_anchored = is_anchored};
    size_t mark = ag_arena_mark(c->arena);
    uint32_t start = DEAD;
    b.work_max = c->fuel && *c->fuel < AG_PATTERN_DFA_WORK_MAX ? *c->fuel : AG_PATTERN_DFA_WORK_MAX;
    b.n_class = byte_classes(nfa, b.class_of, b.rep);
    b.stride = b.n_class + 1;
    bool is_built = nfa->n <= AG_PATTERN_DFA_INSN_MAX && reserve(&b, nfa) && build(&b, &start);
    if (c->fuel)
        *c->fuel -= b.work < *c->fuel ? b.work : *c->fuel;
    if (!is_built) {
        ag_arena_reset(c->arena, mark);
        return ag_str_of(NULL, 0);
    }
    st32(b.section, b.n_state);
    st32(b.section + 4, b.stride);
    st32(b.section + 8, start * b.stride);
    st32(b.section + 12, skip_byte(&b, start));
    memcpy(b.section + 16, b.class_of, 256);
    return ag_str_of((const char *)b.section, DFA_HEADER + (size_t)b.n_state * b.stride * 2);
}
