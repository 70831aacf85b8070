// SPDX-License-Identifier: Apache-2.0
// Runs a verified pattern blob: literal search, DFA table, or Pike's simulation of the program with captures.
// In: blob, subject, arena, fuel. Out: yes or no, places of groups. Each position visits an instruction at
// most once, so time is subject bytes times program size at worst, and fuel counts it. Memory: the caller's
// arena, taken back before returning. Next: glob.c for the other pattern language.
#include "prog.h"
#include "utf8.h"

#define NO_INSN UINT32_MAX
#define RESTORE 0x80000000u // stack entry that gives a capture slot its old value back

static bool
pay(uint64_t *fuel, uint64_t n)
{
    if (*fuel < n) {
        *fuel = 0;
        return false;
    }
    *fuel -= n;
    return true;
}

// --- literal
// ---------------------------------------------------------------------------------------------------

// Where the literal is in s[from ..]; false when nowhere.
static bool
literal_at(const struct prog *g, struct ag_str s, size_t from, size_t *ret)
{
    struct ag_str lit = g->literal;
    if (lit.n > s.n - from)
        return false;
    size_t at = g->hints & PROG_LIT_START ? 0 : s.n - lit.n;
    if ((g->hints & PROG_LIT_START) && (g->hints & PROG_LIT_END) && lit.n != s.n)
        return false;
    if (!(g->hints & (PROG_LIT_START | PROG_LIT_END))) {
        const char *p = lit.n ? memmem(s.p + from, s.n - from, lit.p, lit.n) : s.p + from;
        *ret = p ? (size_t)(p - s.p) : 0;
        return p || !lit.n;
    }
    *ret = at;
    return at >= from && (!lit.n || !memcmp(s.p + at, lit.p, lit.n));
}

// --- DFA
// -------------------------------------------------------------------------------------------------------

static bool
run_dfa(const struct prog *g, struct ag_str s)
{
    const uint8_t *d = (const uint8_t *)g->dfa.p, *class_of = d + 16, *cells = d + DFA_HEADER;
    const uint8_t *p = (const uint8_t *)s.p, *end = p + s.n;
    uint32_t stride = ld32(d + 4), start = ld32(d + 8), skip = ld32(d + 12), at = start;
    while (p < end) {
        if (at == start) { // bytes that lead back here need no chain of loads
            if (skip < BYTE_NONE)
                p = memchr(p, (int)skip, (size_t)(end - p));
            else
                while (p < end && ld16(cells + ((size_t)start + class_of[*p]) * 2) == start)
                    p++;
            if (!p || p == end)
                break;
        }
        at = ld16(cells + ((size_t)at + class_of[*p++]) * 2);
        if (at <= stride) // dead or accept: nothing leads out
            return at == stride;
    }
    return ld16(cells + ((size_t)at + stride - 1) * 2) == stride;
}

// --- NFA
// -------------------------------------------------------------------------------------------------------

struct queue {
    uint32_t n;
    uint32_t *dense, *sparse; // instruction numbers in order of priority, and their places
    uint32_t *slots;          // n_slot positions for each
};

struct stack_entry {
    uint32_t what, old; // an instruction, or RESTORE | slot with its old value
};

struct pike {
    struct prog g;
    struct ag_str s;
    uint32_t n_slot;
    struct queue now, then;
    struct stack_entry *stack;
    uint32_t *slots; // of the thread at hand
    uint64_t work;   // instructions visited since fuel was paid
};

static uint32_t
byte_at(struct ag_str s, size_t at)
{
    return at < s.n ? (uint8_t)s.p[at] : BYTE_NONE;
}

static uint32_t
facts_at(struct ag_str s, size_t at)
{
    return facts_between(at ? byte_at(s, at - 1) : BYTE_NONE, byte_at(s, at));
}

// True when `pc` was not in the queue yet; it is afterwards.
static bool
queue_add(struct queue *q, uint32_t pc)
{
    uint32_t ix = q->sparse[pc];
    if (ix < q->n && q->dense[ix] == pc)
        return false;
    q->sparse[pc] = q->n;
    q->dense[q->n++] = pc;
    return true;
}

// Adds to q what is reachable from pc at position `at` without reading. Each instruction pushes at most one
// entry and is visited at most once per queue, so n_insn + 1 entries are enough.
static void
follow(struct pike *v, struct queue *q, uint32_t pc, uint32_t at, uint32_t facts)
{
    uint32_t n = 0;
    v->stack[n++] = (struct stack_entry){pc, 0};
    while (n) {
        struct stack_entry e = v->stack[--n];
        if (e.what & RESTORE) {
            v->slots[e.what & ~RESTORE] = e.old;
            continue;
        }
        for (pc = e.what; pc != NO_INSN && queue_add(q, pc);) {
            struct insn i = prog_insn(v->g.code, pc);
            v->work++;
            switch (i.op) {
            case OP_SPLIT:
                v->stack[n++] = (struct stack_entry){i.out1, 0};
                pc = i.out;
                break;
            case OP_CAP:
                if (i.out1 < v->n_slot) {
                    v->stack[n++] = (struct stack_entry){RESTORE | i.out1, v->slots[i.out1]};
                    v->slots[i.out1] = at;
                }
                pc = i.out;
                break;
            case OP_JUMP: pc = i.out; break;
            case OP_EMPTY: pc = (i.lo & facts) == i.lo ? i.out : NO_INSN; break;
            default:
                if (v->n_slot)
                    memcpy(q->slots + (size_t)(q->n - 1) * v->n_slot, v->slots, v->n_slot * sizeof(uint32_t));
                pc = NO_INSN;
                break;
            }
        }
    }
}

static bool
pike_init(struct pike *v, const void *blob, struct ag_str s, uint32_t n_slot, struct ag_arena *arena)
{
    prog_open(&v->g, blob);
    size_t n = v->g.n_insn;
    v->s = s;
    v->n_slot = n_slot;
    v->work = 0;
    struct queue *qs[] = {&v->now, &v->then};
    for (int i = 0; i < 2; i++) {
        qs[i]->n = 0;
        qs[i]->dense = ag_arena_alloc(arena, n * sizeof(uint32_t), 4);
        qs[i]->sparse = ag_arena_alloc(arena, n * sizeof(uint32_t), 4);
        qs[i]->slots = ag_arena_alloc(arena, n * n_slot * sizeof(uint32_t), 4);
        if (!qs[i]->dense || !qs[i]->sparse || !qs[i]->slots)
            return false;
        memset(qs[i]->sparse, 0, n * sizeof(uint32_t));
    }
    v->stack = ag_arena_alloc(arena, (n + 1) * sizeof(*v->stack), 4);
    v->slots = ag_arena_alloc(arena, n_slot * sizeof(uint32_t), 4);
    return v->stack && v->slots && s.n < RESTORE;
}

// Steps every thread of `now` over the byte at `at` into `then`. True when a thread matched: its slots are in
// ret_slots and threads of less priority are gone.
static bool
pike_step(struct pike *v, size_t at, uint32_t *ret_slots)
{
    uint32_t c = byte_at(v->s, at);
    uint32_t facts = c == BYTE_NONE ? 0 : facts_at(v->s, at + 1);
    v->then.n = 0;
    for (uint32_t k = 0; k < v->now.n; k++) {
        struct insn i = prog_insn(v->g.code, v->now.dense[k]);
        const uint32_t *slots = v->now.slots + (size_t)k * v->n_slot;
        v->work++;
        if (i.op == OP_MATCH) {
            if (v->n_slot) {
                memcpy(ret_slots, slots, v->n_slot * sizeof(uint32_t));
                ret_slots[1] = (uint32_t)at;
            }
            return true;
        }
        if (i.op != OP_RANGE || c < i.lo || c > i.hi)
            continue;
        if (v->n_slot)
            memcpy(v->slots, slots, v->n_slot * sizeof(uint32_t));
        follow(v, &v->then, i.out, (uint32_t)at + 1, facts);
    }
    return false;
}

// Leftmost-first search from `start`. Slots 0 and 1 are group 0; with n_slot 0 the first match ends the
// search.
static enum ag_pattern_status
pike_run(struct pike *v, size_t start, uint32_t *ret_slots, uint64_t *fuel)
{
    bool is_matched = false, is_anchored = v->g.hints & PROG_ANCHORED;
    size_t at = start;
    for (;;) {
        if (!v->now.n) {
            if (is_matched || (is_anchored && at > 0))
                break;
            if (v->g.first < BYTE_NONE) { // nothing alive: on to where a match can begin
                const char *p = at < v->s.n ? memchr(v->s.p + at, (int)v->g.first, v->s.n - at) : NULL;
                v->work += (p ? (size_t)(p - v->s.p) : v->s.n) - at;
                if (!p)
                    break;
                at = (size_t)(p - v->s.p);
            }
        }
        if (!is_matched && (!is_anchored || at == 0) && (byte_at(v->s, at) & 0xC0) != 0x80) {
            for (uint32_t k = 0; k < v->n_slot; k++)
                v->slots[k] = AG_PATTERN_NONE;
            if (v->n_slot)
                v->slots[0] = (uint32_t)at;
            follow(v, &v->now, v->g.start, (uint32_t)at, facts_at(v->s, at));
        }
        if (pike_step(v, at, ret_slots)) {
            is_matched = true;
            if (!v->n_slot)
                break;
        }
        if (!pay(fuel, v->work + 1))
            return AG_PATTERN_FUEL;
        v->work = 0;
        if (at == v->s.n)
            break;
        struct queue swap = v->now;
        v->now = v->then;
        v->then = swap;
        at++;
    }
    if (!pay(fuel, v->work))
        return AG_PATTERN_FUEL;
    return is_matched ? AG_PATTERN_YES : AG_PATTERN_NO;
}

// --- entry points
// ----------------------------------------------------------------------------------------------

enum ag_pattern_status
ag_pattern_match(const void *blob, struct ag_str subject, struct ag_arena *arena, uint64_t *fuel)
{
    struct prog g;
    prog_open(&g, blob);
    if (!subject.p)
        subject.p = ""; // no arithmetic on a null pointer
    if ((g.hints & PROG_LITERAL) || g.dfa.n) {
        size_t at;
        if (!pay(fuel, (uint64_t)subject.n + 1))
            return AG_PATTERN_FUEL;
        bool is_match = g.hints & PROG_LITERAL ? literal_at(&g, subject, 0, &at) : run_dfa(&g, subject);
        return is_match ? AG_PATTERN_YES : AG_PATTERN_NO;
    }
    size_t mark = ag_arena_mark(arena);
    struct pike v;
    enum ag_pattern_status status = AG_PATTERN_ARENA;
    if (pike_init(&v, blob, subject, 0, arena))
        status = pike_run(&v, 0, NULL, fuel);
    ag_arena_reset(arena, mark);
    return status;
}

static enum ag_pattern_status
find_literal(const struct prog *g, struct ag_str subject, size_t start, struct ag_pattern_span *spans)
{
    size_t at;
    if (subject.n >= RESTORE)
        return AG_PATTERN_ARENA;
    if (!literal_at(g, subject, start, &at))
        return AG_PATTERN_NO;
    spans[0] = (struct ag_pattern_span){(uint32_t)at, (uint32_t)(at + g->literal.n)};
    return AG_PATTERN_YES;
}

enum ag_pattern_status
ag_pattern_find(const void *blob, struct ag_str subject, size_t start, struct ag_pattern_span *spans,
                uint32_t n_span, struct ag_arena *arena, uint64_t *fuel)
{
    struct prog g;
    prog_open(&g, blob);
    if (!subject.p)
        subject.p = "";
    if (start > subject.n)
        return AG_PATTERN_NO;
    for (uint32_t i = 0; i < n_span; i++)
        spans[i] = (struct ag_pattern_span){AG_PATTERN_NONE, AG_PATTERN_NONE};
    bool is_literal = g.hints & PROG_LITERAL && n_span;
    // The table answers from the start of a text; elsewhere only when nothing looks at what is before.
    bool is_dfa = g.dfa.n && (start == 0 || !(g.hints & PROG_ASSERTS));
    struct ag_str rest = ag_str_of(subject.n ? subject.p + start : "", subject.n - start);
    if ((is_literal || is_dfa) && !pay(fuel, (uint64_t)rest.n + 1))
        return AG_PATTERN_FUEL;
    if (is_literal)
        return find_literal(&g, subject, start, spans);
    if (is_dfa && !run_dfa(&g, rest))
        return AG_PATTERN_NO;
    size_t mark = ag_arena_mark(arena);
    struct pike v;
    enum ag_pattern_status status = AG_PATTERN_ARENA;
    uint32_t n_group = n_span < g.n_group ? n_span : g.n_group;
    uint32_t *slots = ag_arena_alloc(arena, 2 * (size_t)n_group * sizeof(*slots), 4);
    if (slots && pike_init(&v, blob, subject, 2 * n_group, arena))
        status = pike_run(&v, start, slots, fuel);
    for (uint32_t i = 0; status == AG_PATTERN_YES && i < n_group; i++)
        spans[i] = slots[2 * i + 1] == AG_PATTERN_NONE
                       ? spans[i]
                       : (struct ag_pattern_span){slots[2 * i], slots[2 * i + 1]};
    ag_arena_reset(arena, mark);
    return status;
}

enum ag_pattern_status
ag_pattern_next(const void *blob, struct ag_pattern_iter *it, struct ag_pattern_span *spans, uint32_t n_span,
                struct ag_arena *arena, uint64_t *fuel)
{
    while (it->at <= it->subject.n) {
        enum ag_pattern_status status =
            ag_pattern_find(blob, it->subject, it->at, spans, n_span, arena, fuel);
        if (status != AG_PATTERN_YES) {
            if (status == AG_PATTERN_NO)
                it->at = it->subject.n + 1;
            return status;
        }
        bool is_repeat = spans[0].to == it->at && it->has_last && spans[0].from == it->last;
        if (spans[0].to > it->at) {
            it->at = spans[0].to;
        } else { // an empty match here: go on after the next code point
            uint32_t cp;
            size_t left = it->subject.n - it->at;
            size_t n = left ? ag_utf8_decode((const uint8_t *)it->subject.p + it->at, left, &cp) : 1;
            it->at += n ? n : 1;
        }
        it->has_last = true;
        it->last = spans[0].to;
        if (!is_repeat)
            return AG_PATTERN_YES;
    }
    return AG_PATTERN_NO;
}

uint32_t
ag_pattern_groups(const void *blob)
{
    struct prog g;
    prog_open(&g, blob);
    return g.n_group;
}

// Goes through the names; the first that has index `ix` or equals `name` (ix NONE).
static uint32_t
find_name(const void *blob, uint32_t ix, struct ag_str *name)
{
    struct prog g;
    prog_open(&g, blob);
    const uint8_t *p = (const uint8_t *)g.names.p;
    for (size_t at = 0; at < g.names.n;) {
        struct ag_str here = ag_str_of((const char *)p + at + 4, ld16(p + at + 2));
        uint32_t group = ld16(p + at);
        if (ix == AG_PATTERN_NONE ? ag_str_eq(here, *name) : group == ix) {
            *name = here;
            return group;
        }
        at += 4 + here.n;
    }
    return AG_PATTERN_NONE;
}

struct ag_str
ag_pattern_group_name(const void *blob, uint32_t ix)
{
    struct ag_str name = {NULL, 0};
    if (ix != AG_PATTERN_NONE)
        find_name(blob, ix, &name);
    return name;
}

uint32_t
ag_pattern_group_named(const void *blob, struct ag_str name)
{
    return find_name(blob, AG_PATTERN_NONE, &name);
}

bool
ag_pattern_is_fast(const void *blob)
{
    struct prog g;
    prog_open(&g, blob);
    return (g.hints & PROG_LITERAL) || g.dfa.n;
}

uint64_t
ag_pattern_fuel_max(const void *blob, uint64_t n)
{
    struct prog g;
    prog_open(&g, blob);
    // Per position: every instruction visited and stepped once, one for the byte, one for skipping it; plus a
    // scan.
    return (n + 1) * (2 * (uint64_t)g.n_insn + 2) + n + 1;
}

size_t
ag_pattern_arena_max(const void *blob, uint32_t n_span)
{
    struct prog g;
    prog_open(&g, blob);
    size_t n_slot = 2 * (size_t)(n_span < g.n_group ? n_span : g.n_group);
    return ((size_t)g.n_insn * (6 + 2 * n_slot) + 2 * n_slot + 2) * sizeof(uint32_t) + 4;
}
