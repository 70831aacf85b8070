// SPDX-License-Identifier: Apache-2.0
// The interpreter: one dispatch function over verified code. Flat on purpose, one case per opcode.
// In: a verified image, an input, clock, seed and snapshot. Out: a value or an outcome with its planned
// effects. Who owns memory: registers and arena are the caller's; nothing else is written. What verify.c
// proved is trusted: operands in range, registers written before they are read, jumps inside the function,
// loops paired, calls acyclic, windows inside the register stack. Kinds of values are checked here. Next file
// to read: frame.c, index.c, outcome.c, builtins/.
#include "machine.h"
#include "builtins/builtins.h"
#include "index.h"
#include "pattern.h"

// A function that waits for its callee.
struct activation {
    const ag_insn *pc;
    struct ag_value *r;
    const struct ag_func *f;
    uint32_t frame; // data frame of this function, AG_NONE when it has none
};

// --- helpers
// -----------------------------------------------------------------------------------------------------

// Result of an operation that read b although b is no stored value.
static inline struct ag_value
not_value(struct ag_value b)
{
    return b.kind <= AG_ERROR ? b : ag_err(AG_VERR_TYPE, 0);
}

static inline struct ag_value
not_values(struct ag_value b, struct ag_value c)
{
    if (b.kind == AG_ERROR || c.kind == AG_ERROR)
        return b.kind == AG_ERROR ? b : c;
    return ag_is_value(b) ? not_value(c) : not_value(b);
}

static inline struct ag_value
constant(const struct ag_call *c, uint32_t ix)
{
    return ag_cell_load(&c->mem, c->im->consts[ix]);
}

static bool
equal(struct ag_call *c, struct ag_value a, struct ag_value b)
{
    if (a.kind != b.kind)
        return false;
    if (a.kind >= AG_STRING && !ag_charge(c, a.kind == AG_STRING ? a.len / AG_STEP_BYTES : a.len))
        return false;
    return ag_value_eq(&c->mem, a, b);
}

static int
compare(struct ag_call *c, struct ag_value a, struct ag_value b)
{
    if (a.kind == AG_NUMBER && b.kind == AG_NUMBER && !a.sub && !b.sub)
        return (a.i > b.i) - (a.i < b.i);
    if (a.kind >= AG_STRING && !ag_charge(c, a.kind == AG_STRING ? a.len / AG_STEP_BYTES : a.len))
        return 0;
    return ag_value_cmp(&c->mem, a, b);
}

static int64_t
code_points(struct ag_value s)
{
    int64_t n = 0;
    for (uint32_t i = 0; i < s.len; i++)
        n += (s.p[i] & 0xc0) != 0x80;
    return n;
}

static struct ag_value
length(struct ag_call *c, struct ag_value v)
{
    switch (v.kind) {
    case AG_STRING: return ag_charge_bytes(c, v.len) ? ag_int(code_points(v)) : ag_undef();
    case AG_ARRAY:
    case AG_OBJECT:
    case AG_SET: return ag_int(v.len);
    default: return ag_undef();
    }
}

static struct ag_value
member(struct ag_call *c, struct ag_value v, struct ag_value coll)
{
    if (coll.kind == AG_SET)
        return ag_bool(ag_charge(c, 2) && ag_value_contains(&c->mem, coll, v));
    if (coll.kind != AG_ARRAY && coll.kind != AG_OBJECT)
        return ag_bool(false);
    return ag_bool(ag_charge(c, coll.len) && ag_value_contains(&c->mem, coll, v));
}

// --- strict comparisons of YAML conditions
// Two integers that stand in the registers themselves: what nearly every condition compares.
static inline bool
are_plain_ints(const struct ag_value *b, const struct ag_value *d)
{
    return b->head == AG_NUMBER && d->head == AG_NUMBER;
}

static struct ag_value
strict(struct ag_value b, struct ag_value c)
{
    if (b.kind == AG_ERROR || c.kind == AG_ERROR)
        return b.kind == AG_ERROR ? b : c;
    if (b.kind == AG_UNDEF || c.kind == AG_UNDEF)
        return ag_bool(false);
    return b.kind == c.kind && b.kind <= AG_SET ? ag_bool(true) : ag_err(AG_VERR_TYPE, 0);
}

static struct ag_value
strict_has(struct ag_call *c, struct ag_value coll, struct ag_value v)
{
    if (coll.kind <= AG_ERROR || v.kind <= AG_ERROR) {
        if (coll.kind == AG_ERROR || v.kind == AG_ERROR)
            return coll.kind == AG_ERROR ? coll : v;
        return ag_bool(false);
    }
    switch (coll.kind) {
    case AG_ARRAY:
    case AG_SET: return member(c, v, coll);
    case AG_OBJECT: return ag_bool(ag_value_get(&c->mem, coll, v).kind != AG_UNDEF);
    case AG_STRING:
        if (v.kind != AG_STRING)
            return ag_err(AG_VERR_TYPE, 0);
        return ag_bool(ag_charge_bytes(c, coll.len) &&
                       (v.len == 0 || memmem(coll.p, coll.len, v.p, v.len) != NULL));
    default: return ag_err(AG_VERR_TYPE, 0);
    }
}

static struct ag_value
match(struct ag_call *c, struct ag_value s, uint32_t pattern)
{
    if (s.kind <= AG_ERROR)
        return s.kind == AG_ERROR ? s : ag_bool(false);
    if (s.kind != AG_STRING)
        return ag_err(AG_VERR_TYPE, 0);
    const uint32_t *table = (const void *)(c->im->patterns + 4); // after the count: {offset, size} of each
    const void *blob = c->im->patterns + table[2 * (size_t)pattern];
    size_t mark = ag_arena_mark(c->mem.arena);
    enum ag_pattern_status r = ag_pattern_match(blob, ag_value_str(s), c->mem.arena, &c->fuel);
    ag_arena_reset(c->mem.arena, mark);
    if (r == AG_PATTERN_FUEL || r == AG_PATTERN_ARENA)
        return ag_stop(c, r == AG_PATTERN_FUEL ? AG_EVAL_FUEL : AG_EVAL_ARENA);
    return ag_bool(r == AG_PATTERN_YES);
}

static struct ag_value
glob(struct ag_call *c, struct ag_value s, struct ag_value pattern)
{
    if (s.kind == AG_ERROR)
        return s;
    if (s.kind != AG_STRING || pattern.kind != AG_STRING)
        return ag_bool(false);
    if (!ag_charge_bytes(c, ag_glob_fuel(ag_value_str(pattern), s.len)))
        return ag_undef();
    return ag_bool(ag_glob_match(ag_value_str(pattern), ag_value_str(s)));
}

// --- loops
#define ITER_OVER(kind) (AG_ITER | (uint64_t)(kind) << 16) // head of a loop's register

// Loads key and value number i of the loop at it[0] into it[1] and it[2].
static inline void
iter_load(struct ag_call *c, struct ag_value *it, uint32_t i)
{
    struct ag_value coll = {.head = it->sub | (uint64_t)it->region << 8, .p = it->p};
    it->len = i;
    it[2] = ag_value_at(&c->mem, coll, i);
    it[1] = coll.kind == AG_ARRAY    ? ag_int(i)
            : coll.kind == AG_OBJECT ? ag_object_key(&c->mem, coll, i)
                                     : it[2];
}

static bool
iter_candidate(struct ag_call *c, struct ag_value *it)
{
    uint32_t position, rule;
    if (!ag_cands_next(c, (struct ag_cands *)(uintptr_t)it->p, &position, &rule))
        return false;
    it[1] = ag_int(position);
    it[2] = ag_int(rule);
    return true;
}

static inline bool
iter_open(struct ag_call *c, struct ag_value *it)
{
    struct ag_value v = *it;
    if (v.kind == AG_CANDS) {
        *it = (struct ag_value){.head = ITER_OVER(AG_CANDS), .p = v.p};
        return iter_candidate(c, it);
    }
    bool some = v.kind >= AG_ARRAY && v.kind <= AG_SET && v.len != 0;
    *it = (struct ag_value){.head = ITER_OVER(v.kind) | (uint64_t)v.region << 8, .p = some ? v.p : NULL};
    if (some)
        iter_load(c, it, 0);
    return some;
}

static inline bool
iter_next(struct ag_call *c, struct ag_value *it)
{
    uint32_t n;
    if (it->sub == AG_CANDS)
        return iter_candidate(c, it);
    memcpy(&n, it->p, sizeof n); // every container record begins with its count
    if (it->len + 1 >= n)
        return false;
    iter_load(c, it, it->len + 1);
    return true;
}

// --- builders
static struct ag_value
builder(struct ag_call *c, enum ag_kind what)
{
    struct ag_builder *b = ag_builder_new(&c->mem, what);
    if (!b)
        return ag_stop(c, AG_EVAL_ARENA);
    return (struct ag_value){.head = AG_BUILDER, .p = (const uint8_t *)b};
}

static inline struct ag_builder *
builder_of(struct ag_value v)
{
    return (struct ag_builder *)(uintptr_t)v.p;
}

static struct ag_value
push(struct ag_call *c, struct ag_value to, struct ag_value v)
{
    if (to.kind != AG_BUILDER || builder_of(to)->what == AG_OBJECT)
        return to.kind == AG_ERROR ? to : ag_err(AG_VERR_TYPE, 0);
    if (!ag_is_value(v))
        return v.kind == AG_UNDEF ? to : not_value(v);
    if (!ag_builder_push(&c->mem, builder_of(to), v))
        return ag_stop(c, AG_EVAL_ARENA);
    return to;
}

static struct ag_value
put(struct ag_call *c, struct ag_value to, struct ag_value key, struct ag_value v, bool is_path)
{
    if (to.kind != AG_BUILDER || builder_of(to)->what != AG_OBJECT)
        return to.kind == AG_ERROR ? to : ag_err(AG_VERR_TYPE, 0);
    if (!ag_is_value(key) || !ag_is_value(v)) {
        struct ag_value bad = not_values(key, v);
        return bad.kind == AG_UNDEF ? to : bad;
    }
    if (is_path && (key.kind != AG_ARRAY || key.len == 0))
        return ag_err(AG_VERR_TYPE, 0);
    bool ok = is_path ? ag_builder_putpath(&c->mem, builder_of(to), key, v)
                      : ag_builder_put(&c->mem, builder_of(to), key, v);
    return ok ? to : ag_stop(c, AG_EVAL_ARENA);
}

static struct ag_value
put_element(struct ag_call *c, struct ag_value to, struct ag_value path, struct ag_value v)
{
    if (to.kind != AG_BUILDER || builder_of(to)->what != AG_OBJECT)
        return to.kind == AG_ERROR ? to : ag_err(AG_VERR_TYPE, 0);
    if (!ag_is_value(path) || !ag_is_value(v)) {
        struct ag_value bad = not_values(path, v);
        return bad.kind == AG_UNDEF ? to : bad;
    }
    if (path.kind != AG_ARRAY || path.len == 0)
        return ag_err(AG_VERR_TYPE, 0);
    if (!ag_charge(c, path.len))
        return ag_undef();
    return ag_builder_putelem(&c->mem, builder_of(to), path, v) ? to : ag_stop(c, AG_EVAL_ARENA);
}

static struct ag_value
close_builder(struct ag_call *c, struct ag_value b)
{
    if (b.kind != AG_BUILDER)
        return not_value(b);
    if (!ag_charge(c, builder_of(b)->n))
        return ag_undef();
    struct ag_value v = ag_builder_close(&c->mem, builder_of(b));
    return v.kind == AG_UNDEF ? ag_stop(c, AG_EVAL_ARENA) : v;
}

// --- frames, calls
static inline uint32_t
frame_of(const struct ag_call *c, struct ag_value v)
{
    return v.kind == AG_FRAME && v.len < c->nframes ? v.len : AG_NONE;
}

static struct ag_value
once(struct ag_call *c, struct ag_value *a, struct ag_value b, struct ag_value rule, bool is_function)
{
    int64_t now = rule.kind == AG_NUMBER && !rule.sub ? rule.i : 0, before = a[1].i;
    if (a->kind == AG_UNDEF) {
        a[1] = ag_int(now);
        return b;
    }
    if (a->kind == AG_ERROR || b.kind == AG_UNDEF)
        return *a;
    if (b.kind == AG_ERROR || equal(c, *a, b))
        return b;
    return ag_err(is_function ? AG_VERR_FUNC_CONFLICT : AG_VERR_CONFLICT,
                  ((uint32_t)before & 0xffff) << 16 | ((uint32_t)now & 0xffff));
}

// Row of call table `ix` for key, or NULL.
static uint32_t
call_table_find(const struct ag_call *c, uint32_t ix, struct ag_value key, bool *ret_found)
{
    const uint32_t *offsets = (const void *)(c->im->calltables + 4);
    const struct ag_call_table *t = (const void *)(c->im->calltables + offsets[ix]);
    int64_t n;
    *ret_found = false;
    if (t->n && t->row[0].key == AG_NONE) {
        *ret_found = ag_number_int(key, &n) && n >= 0 && n < (int64_t)t->n;
        return *ret_found ? t->row[n].func : AG_NONE;
    }
    for (uint32_t lo = 0, hi = t->n; lo < hi;) {
        uint32_t mid = lo + (hi - lo) / 2;
        int r = ag_value_cmp(&c->mem, constant(c, t->row[mid].key), key);
        if (r == 0) {
            *ret_found = true;
            return t->row[mid].func;
        }
        if (r < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return AG_NONE;
}

// --- the dispatch function
// -----------------------------------------------------------------------------------------

#if defined(__GNUC__) && !defined(AG_DISPATCH_SWITCH)
#define AG_DISPATCH_GOTO 1
#pragma GCC diagnostic ignored "-Wpedantic"
#endif

#define A ag_insn_a(insn)
#define B ag_insn_b(insn)
#define C ag_insn_c(insn)
#define X ag_insn_x(insn)

#ifdef AG_DISPATCH_GOTO
#define OP(name) L_##name:
#define GO                                                                                                   \
    do {                                                                                                     \
        insn = *pc++;                                                                                        \
        goto *table[ag_insn_op(insn)];                                                                       \
    } while (0)
#else
#define OP(name) case AG_OP_##name:
#define GO       goto dispatch
#endif

// After an operation that may have ended the evaluation.
#define GO_CHECKED                                                                                           \
    do {                                                                                                     \
        if (__builtin_expect(c->stop != AG_EVAL_OK, 0))                                                      \
            goto out;                                                                                        \
        GO;                                                                                                  \
    } while (0)

#define NEED(v)                                                                                              \
    if (__builtin_expect(!ag_is_value(v), 0)) {                                                              \
        r[A] = not_value(v);                                                                                 \
        GO;                                                                                                  \
    }
#define NEED2(v, w)                                                                                          \
    if (__builtin_expect(!ag_is_value(v) || !ag_is_value(w), 0)) {                                           \
        r[A] = not_values(v, w);                                                                             \
        GO;                                                                                                  \
    }
#define BINARY(expr)                                                                                         \
    do {                                                                                                     \
        struct ag_value b = r[B], d = r[C];                                                                  \
        NEED2(b, d)                                                                                          \
        r[A] = (expr);                                                                                       \
        GO_CHECKED;                                                                                          \
    } while (0)
#define CHARGE(n)                                                                                            \
    do {                                                                                                     \
        if (!ag_charge(c, (n)))                                                                              \
            goto out;                                                                                        \
    } while (0)
#define COST(name) CHARGE(COST_##name)

// The prices of opcodes.def as constants.
enum {
#define OP3(NAME, text, a, b, c, flags, cost, effect) COST_##NAME = cost,
#define OP2(NAME, text, a, x, flags, cost, effect)    COST_##NAME = cost,
#include "isa/opcodes.def"
};

static void
run(struct ag_call *c, const struct ag_func *entry, uint32_t frame, struct ag_value *ret)
{
    struct activation stack[AG_CALLS_MAX];
    uint32_t depth = 0;
    const struct ag_func *f = entry;
    const ag_insn *const code = c->im->code;
    const ag_insn *pc = code + f->code_at, *traced = NULL;
    struct ag_value *r = c->regs, *traced_r = r;
    ag_insn insn;
#ifdef AG_DISPATCH_GOTO
    static const void *const ops[] = {
#define OP3(NAME, text, a, b, c, flags, cost, effect) &&L_##NAME,
#define OP2(NAME, text, a, x, flags, cost, effect)    &&L_##NAME,
#include "isa/opcodes.def"
    };
    static const void *const slow[] = {
#define OP3(NAME, text, a, b, c, flags, cost, effect) &&L_trace,
#define OP2(NAME, text, a, x, flags, cost, effect)    &&L_trace,
#include "isa/opcodes.def"
    };
    const void *const *table = c->trace ? slow : ops;
#endif
    CHARGE(f->code_n);
#ifdef AG_DISPATCH_GOTO
    GO;
L_trace: // the instruction before this one is done
    if (traced)
        c->trace(c->trace_self, c, (uint32_t)(traced - code), traced_r);
    traced = pc - 1;
    traced_r = r;
    goto *ops[ag_insn_op(insn)];
#else
dispatch:
    if (c->trace) {
        if (traced)
            c->trace(c->trace_self, c, (uint32_t)(traced - code), traced_r);
        traced = pc;
        traced_r = r;
    }
    insn = *pc++;
    switch ((enum ag_op)ag_insn_op(insn)) {
#endif

    // moves and constants
    OP(MOVE) r[A] = r[B];
    GO;
    OP(LOADK) r[A] = constant(c, X);
    GO;
    OP(LOADI) r[A] = ag_int((int32_t)X);
    GO;
    OP(UNDEF) r[A] = ag_undef();
    GO;
    OP(ERROR) r[A] = ag_err((enum ag_verr)(X & 0xffffff), 0);
    GO;

    // flow
    OP(JMP) pc += X;
    GO;
    OP(JUNDEF) pc += r[A].kind == AG_UNDEF ? X : 0;
    GO;
    OP(JDEF) pc += r[A].kind != AG_UNDEF ? X : 0;
    GO;
    OP(JERR) pc += r[A].kind == AG_ERROR ? X : 0;
    GO;
    OP(JNOVAL) pc += r[A].kind <= AG_ERROR ? X : 0;
    GO;
    OP(JNCOLL) pc += r[A].kind >= AG_ARRAY && r[A].kind <= AG_SET ? 0 : X;
    GO;
    OP(JFALSE) pc += ag_is_false(r[A]) ? X : 0;
    GO;
    OP(JTRUE) pc += ag_is_true(r[A]) ? X : 0;
    GO;
    OP(JEQ) pc += ag_is_value(r[A]) && equal(c, r[A], r[B]) ? C : 0;
    GO_CHECKED;
    OP(JNE) pc += ag_is_value(r[A]) && equal(c, r[A], r[B]) ? 0 : C;
    GO_CHECKED;
    OP(JNEK) pc += ag_is_value(r[A]) && equal(c, r[A], constant(c, B)) ? 0 : C;
    GO_CHECKED;
    OP(JCOND)
    {
        const struct ag_value *b = &r[B]; // seldom copied, and just made: its halves are read, not the whole
        if (ag_is_false(*b)) {
            r[A] = ag_bool(false);
            pc += C;
        } else if (b->kind == AG_ERROR && r[A].kind != AG_ERROR) {
            r[A] = *b;
        }
        GO;
    }
    OP(ITER) pc += iter_open(c, &r[A]) ? 0 : X;
    GO_CHECKED;
    OP(NEXT)
    {
        if (iter_next(c, &r[A])) {
            pc -= X;
            CHARGE(X);
        }
        GO_CHECKED;
    }
    OP(RETERR)
    if (r[A].kind != AG_ERROR)
        GO;
    if (c->error_at == AG_NONE) // the innermost function says where
        c->error_at = (uint32_t)(pc - 1 - code);
    OP(RET)
    {
        struct ag_value v = r[A];
        if (frame != AG_NONE && (f->memo_slot != AG_NONE || c->frames[frame].overlays)) {
            v = ag_frame_keep(c, frame, f, v);
            if (c->stop != AG_EVAL_OK)
                goto out;
        }
        r[0] = v;
        if (depth == 0) {
            *ret = v;
            goto out;
        }
        struct activation *up = &stack[--depth];
        pc = up->pc;
        r = up->r;
        f = up->f;
        frame = up->frame;
        GO;
    }
    {
        const struct ag_func *callee;
        struct ag_value *window;
        OP(CALL)
        callee = &c->im->funcs[X];
        window = &r[A];
        COST(CALL);
        goto enter;

        OP(CALLT)
        {
            bool found;
            struct ag_value key = r[C];
            window = &r[A];
            COST(CALLT);
            if (!ag_is_value(key)) {
                window[0] = not_value(key);
                GO;
            }
            uint32_t func = call_table_find(c, B, key, &found);
            if (func == AG_NONE) {
                window[0] = found ? ag_bool(true) : ag_undef();
                GO;
            }
            callee = &c->im->funcs[func];
        }
    enter : {
        uint32_t below = callee->nargs >= 2 ? frame_of(c, window[1]) : AG_NONE;
        if (below != AG_NONE && (callee->memo_slot != AG_NONE || c->frames[below].overlays) &&
            ag_frame_answers(c, below, callee, &window[0]))
            GO_CHECKED;
        CHARGE(callee->code_n);
        if (depth == AG_CALLS_MAX || (size_t)(window - c->regs) + callee->nregs > c->nregs) {
            ag_stop(c, AG_EVAL_ARENA);
            goto out;
        }
        stack[depth++] = (struct activation){pc, r, f, frame};
        f = callee;
        frame = below;
        r = window;
        pc = code + f->code_at;
        GO;
    }
    }

    // documents
    OP(DOT) BINARY(ag_value_get(&c->mem, b, d));
    OP(DOTK)
    {
        struct ag_value b = r[B];
        NEED(b)
        r[A] = ag_value_get(&c->mem, b, constant(c, C));
        GO;
    }
    OP(PATH)
    {
        struct ag_value b = r[B];
        NEED(b)
        r[A] = ag_value_path(&c->mem, b, constant(c, C));
        GO;
    }
    OP(LEN)
    {
        struct ag_value b = r[B];
        NEED(b)
        r[A] = length(c, b);
        GO_CHECKED;
    }
    OP(KIND)
    {
        struct ag_value b = r[B];
        NEED(b)
        r[A] = ag_bool(b.kind == C);
        GO;
    }
    OP(IN) BINARY(member(c, b, d));
    OP(DATA)
    {
        uint32_t fr = frame_of(c, r[B]);
        r[A] = fr == AG_NONE ? not_value(r[B]) : ag_frame_data(c, fr, constant(c, C));
        GO_CHECKED;
    }

    // building values
    OP(ARR) r[A] = builder(c, AG_ARRAY);
    GO_CHECKED;
    OP(SET) r[A] = builder(c, AG_SET);
    GO_CHECKED;
    OP(OBJ) r[A] = builder(c, AG_OBJECT);
    GO_CHECKED;
    OP(PUSH) r[A] = push(c, r[A], r[B]);
    GO_CHECKED;
    OP(PUT) r[A] = put(c, r[A], r[B], r[C], false);
    GO_CHECKED;
    OP(PUTPATH) r[A] = put(c, r[A], r[B], r[C], true);
    GO_CHECKED;
    OP(PUTELEM) r[A] = put_element(c, r[A], r[B], r[C]);
    GO_CHECKED;
    OP(CLOSE) r[A] = close_builder(c, r[B]);
    GO_CHECKED;
    OP(MERGE)
    {
        struct ag_value b = r[B], d = r[C];
        if (b.kind == AG_UNDEF || d.kind == AG_UNDEF) {
            r[A] = b.kind == AG_UNDEF ? d : b;
            GO;
        }
        NEED2(b, d)
        r[A] = ag_value_merge(c, b, d);
        GO_CHECKED;
    }
    OP(UPSERT)
    {
        struct ag_value b = r[B], d = r[C];
        if (b.kind != AG_UNDEF || !ag_is_value(d))
            NEED2(b, d)
        struct ag_value path = d.kind == AG_ARRAY && d.len == 2 ? ag_value_at(&c->mem, d, 0) : ag_undef();
        r[A] = path.kind == AG_ARRAY ? ag_value_upsert(c, b, path, ag_value_at(&c->mem, d, 1))
                                     : ag_err(AG_VERR_TYPE, 0);
        GO_CHECKED;
    }

    // numbers and sets
    OP(ADD) BINARY(ag_value_add(c, b, d));
    OP(SUB) BINARY(ag_value_sub(c, b, d));
    OP(MUL) BINARY(ag_value_mul(c, b, d));
    OP(DIV) BINARY(ag_value_div(c, b, d));
    OP(MOD) BINARY(ag_value_mod(c, b, d));
    OP(AND) BINARY(ag_set_and(c, b, d));
    OP(OR) BINARY(ag_set_or(c, b, d));

    // comparison
    OP(EQ) BINARY(ag_bool(equal(c, b, d)));
    OP(NE) BINARY(ag_bool(!equal(c, b, d)));
    OP(LT) BINARY(ag_bool(compare(c, b, d) < 0));
    OP(LE) BINARY(ag_bool(compare(c, b, d) <= 0));
    OP(NOT)
    {
        struct ag_value b = r[B];
        r[A] = b.kind == AG_ERROR ? b : ag_bool(ag_is_false(b));
        GO;
    }

    // strict comparison
    OP(SEQ)
    {
        struct ag_value b = r[B], d = r[C], ok = strict(b, d);
        r[A] = ag_is_true(ok) ? ag_bool(equal(c, b, d)) : ok;
        GO_CHECKED;
    }
    OP(SLT)
    {
        if (are_plain_ints(&r[B], &r[C])) {
            r[A] = ag_bool(r[B].i < r[C].i);
            GO;
        }
        struct ag_value b = r[B], d = r[C], ok = strict(b, d);
        r[A] = ag_is_true(ok) ? ag_bool(compare(c, b, d) < 0) : ok;
        GO_CHECKED;
    }
    OP(SLE)
    {
        if (are_plain_ints(&r[B], &r[C])) {
            r[A] = ag_bool(r[B].i <= r[C].i);
            GO;
        }
        struct ag_value b = r[B], d = r[C], ok = strict(b, d);
        r[A] = ag_is_true(ok) ? ag_bool(compare(c, b, d) <= 0) : ok;
        GO_CHECKED;
    }
    OP(SHAS)
    {
        struct ag_value b = r[B], d = r[C];
        r[A] = b.kind > AG_SET || d.kind > AG_SET ? ag_err(AG_VERR_TYPE, 0) : strict_has(c, b, d);
        GO_CHECKED;
    }
    OP(MATCH)
    {
        COST(MATCH);
        r[A] = match(c, r[B], C);
        GO_CHECKED;
    }
    OP(GLOB) r[A] = glob(c, r[B], constant(c, C));
    GO_CHECKED;
    OP(WINDOW) r[A] = ag_bool(ag_window_open(c, X));
    GO_CHECKED;
    OP(NOW) r[A] = ag_int(c->now_ns);
    GO;

    // built-ins
    OP(BUILTIN)
    {
        bool had_error = false;
        for (uint32_t i = 0; i < C; i++)
            had_error |= r[A + i].kind == AG_ERROR;
        size_t mark = ag_arena_mark(c->mem.arena);
        struct ag_value v = ag_builtin_call(c, B, &r[A], C);
        if (v.kind == AG_ERROR && !had_error) { // nobody sees what it made, its message included
            ag_arena_reset(c->mem.arena, mark);
            v = ag_undef();
        }
        r[A] = v;
        GO_CHECKED;
    }
    OP(BUILTINS) r[A] = ag_builtin_call(c, B, &r[A], C);
    GO_CHECKED;

    // complete rules, frames
    OP(ONCE) r[A] = once(c, &r[A], r[B], r[C], f->nargs > 2);
    GO_CHECKED;
    OP(FRAME)
    {
        uint32_t below = frame_of(c, r[B]);
        COST(FRAME);
        if (below == AG_NONE)
            r[A] = not_value(r[B]);
        else
            r[A] = (struct ag_value){.head = AG_FRAME | (uint64_t)ag_frame_new(c, below) << 32};
        GO_CHECKED;
    }
    OP(FRAMED)
    {
        uint32_t below = frame_of(c, r[B]);
        struct ag_value pair = r[C];
        COST(FRAMED);
        if (below == AG_NONE || !ag_is_value(pair))
            r[A] = below == AG_NONE ? not_value(r[B]) : not_value(pair);
        else
            r[A] = ag_frame_overlay(c, below, pair);
        GO_CHECKED;
    }

    // the decision
    OP(CAND)
    {
        COST(CAND);
        struct ag_cands *cands = ag_index_lookup(c, C, r[B]);
        r[A] = (struct ag_value){.head = AG_CANDS, .p = (const uint8_t *)cands};
        GO_CHECKED;
    }
    OP(KILLED) r[A] = ag_outcome_killed(c, r[B]);
    GO_CHECKED;
    OP(RULE) r[A] = ag_outcome_rule(c, r[B], r[C]);
    GO_CHECKED;
    OP(DEFAULT) ag_outcome_default(c);
    GO;
    OP(EMIT) ag_outcome_emit(c, r[A]);
    GO_CHECKED;
    OP(FAULT) ag_outcome_fault(c, r[A]);
    GO;
    OP(GATES)
    {
        COST(GATES);
        ag_gating_run(c, r[A], B);
        GO_CHECKED;
    }
    OP(STATUS) ag_gating_status(c, r[A]);
    GO_CHECKED;
    OP(LIMIT)
    {
        COST(LIMIT);
        r[A] = ag_effect_limit(c, B, &r[A], C);
        GO_CHECKED;
    }
    OP(PLAN)
    {
        COST(PLAN);
        ag_effect_plan(c, r[A]);
        GO_CHECKED;
    }
#ifndef AG_DISPATCH_GOTO
case AG_OP_COUNT: break;
}
ag_stop(c, AG_EVAL_FUEL); // the verifier lets no other opcode pass
#endif
out : if (traced && c->trace) c->trace(c->trace_self, c, (uint32_t)(traced - code), traced_r);
}

// --- entry
// -----------------------------------------------------------------------------------------------------------

uint32_t
ag_entry_find(const struct ag_image *im, struct ag_str name)
{
    for (uint32_t i = 0; i < im->nentries; i++)
        if (ag_str_eq(ag_image_str(im, im->entries[i].name), name))
            return i;
    return AG_NONE;
}

enum ag_eval_status
ag_eval(struct ag_call *c, uint32_t entry_ix, struct ag_value input, struct ag_value *ret_value)
{
    const struct ag_entry *e = &c->im->entries[entry_ix];
    c->stop = AG_EVAL_OK;
    c->error_at = AG_NONE;
    c->nframes = c->frames_cap = 0;
    c->frames = NULL;
    c->clock = NULL;
    c->peeks = NULL;
    struct ag_str name = ag_image_str(c->im, e->name);
    c->is_evaluate =
        c->im->gates && (ag_str_eq(name, AG_STR("evaluate")) || ag_str_eq(name, AG_STR("risk_check")));
    c->mem.base[AG_IN_IMAGE] = c->im->heap;
    c->mem.base[AG_IN_ARENA] = c->mem.arena->base;
    c->mem.hash_seed = c->im->meta->hash_seed;
    if (c->nregs < c->im->funcs[e->func].nregs)
        return AG_EVAL_ARENA;
    if (e->is_decision)
        ag_outcome_begin(c);
    uint32_t frame = ag_frame_new(c, AG_NONE);
    if (c->stop != AG_EVAL_OK)
        return c->stop;
    c->regs[0] = input;
    c->regs[1] = (struct ag_value){.head = AG_FRAME | (uint64_t)frame << 32};
    struct ag_value v = ag_undef();
    run(c, &c->im->funcs[e->func], frame, &v);
    if (c->stop != AG_EVAL_OK)
        return c->stop;
    if (e->is_decision) {
        ag_outcome_fault(c, v);
        ag_outcome_end(c);
    }
    if (ret_value)
        *ret_value = v.kind <= AG_SET ? v : ag_undef();
    return AG_EVAL_OK;
}
