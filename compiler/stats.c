// SPDX-License-Identifier: Apache-2.0
// The bound on fuel: the sum of the costs of all instructions of the entrypoint and of what it calls, with
// the body of the loop over candidates counted once per rule and each condition once; plus what texts of the
// input can cost, per byte (every value tested is at most the whole input). A built-in counts its flat price
// and BUILTIN_BYTES steps per byte; one whose work grows faster ends as unavailable when the fuel is gone.
// In: emitted code. Out: struct agc_stats. Next file to read: image_write.c, which writes it into the image.
#include "stats.h"

#include "builtins/builtins.h"
#include "pattern.h"

#define PER_BYTE      16u // units of per16 that make one unit of fuel per byte
#define LOOKUP_RULE   8u  // fuel for merging and confirming one candidate
#define LOOKUP_TRIE   8u  // tries walked by one lookup: a beginning and an end for each attribute
#define CONTAINER     8u  // per16 of visiting a container: an element takes two bytes of JSON at least
#define BUILTIN_BYTES 4u  // steps per byte of input for one call of a built-in

struct cost {
    uint64_t fixed, per16;
    bool is_open; // loops over data: no bound
};

static uint64_t
sat_add(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static uint64_t
sat_mul(uint64_t a, uint64_t b)
{
    return b && a > UINT64_MAX / b ? UINT64_MAX : a * b;
}

static void
add(struct cost *c, struct cost d)
{
    c->fixed = sat_add(c->fixed, d.fixed);
    c->per16 = sat_add(c->per16, d.per16);
    c->is_open |= d.is_open;
}

static struct cost
times(struct cost c, uint64_t n)
{
    return (struct cost){sat_mul(c.fixed, n), sat_mul(c.per16, n), c.is_open};
}

// A cost that is `at_max` for the largest input and `at_zero` for an empty one, in units of fuel.
static struct cost
line(uint64_t at_zero, uint64_t at_max)
{
    uint64_t rise = at_max > at_zero ? at_max - at_zero : 0;
    return (struct cost){at_zero, sat_mul(rise, PER_BYTE) / AGC_INPUT_MAX + 1, false};
}

static struct cost
glob_cost(struct ag_str glob)
{
    return line(1 + ag_glob_fuel(glob, 0) / PER_BYTE, 1 + ag_glob_fuel(glob, AGC_INPUT_MAX) / PER_BYTE);
}

static struct cost
lookup_cost(const struct agc_ir *ir)
{
    struct cost c = {LOOKUP_RULE, LOOKUP_TRIE * PER_BYTE, false};
    for (uint32_t i = 0; i < ir->index.n; i++) {
        add(&c, (struct cost){LOOKUP_RULE, 0, false});
        for (unsigned a = 0; a < AG_ATTRS; a++) {
            const struct agc_index_rule *r = &ir->index.v[i];
            if (r->kind[a] == AG_MATCH_GLOB)
                add(&c, glob_cost(r->text[a]));
            else if (r->kind[a] == AG_MATCH_EQ)
                add(&c, (struct cost){1 + r->text[a].n / PER_BYTE, 0, false});
        }
    }
    return c;
}

static struct cost block_cost(const struct agc_ir *ir, const struct cost *func, const struct agc_block *b);
static struct cost stmt_cost(const struct agc_ir *ir, const struct cost *func, const struct agc_stmt *s,
                             bool is_over_candidates);

static struct cost
called(const struct agc_ir *ir, const struct cost *func, const struct agc_stmt *s)
{
    struct cost c = {0, 0, false};
    if (s->op == AGC_IR_CALL)
        return func[s->v[1]];
    const struct agc_call_table *t = &ir->tables[s->v[1]];
    for (uint32_t i = 0; i < t->n; i++)
        if (t->func[i] != AG_NONE)
            add(&c, func[t->func[i]]);
    return c;
}

// The loop over candidates visits each rule at most once, so of a call table each function runs at most once.
static struct cost
loop_cost(const struct agc_ir *ir, const struct cost *func, const struct agc_stmt *s, bool is_over_candidates)
{
    struct cost each = {ag_op_table[AG_OP_NEXT].cost, 0, false}, once = {0, 0, false};
    for (uint32_t i = 0; i < s->body->n; i++) {
        struct agc_stmt in = s->body->v[i];
        if (in.op == AGC_IR_CALLT) {
            add(&once, called(ir, func, &in));
            add(&each, (struct cost){ag_op_table[AG_OP_CALLT].cost + in.nargs + 1, 0, false});
        } else
            add(&each, stmt_cost(ir, func, &in, false));
    }
    add(&once, times(each, ir->nrules));
    once.is_open |= !is_over_candidates;
    return once;
}

static struct cost
stmt_cost(const struct agc_ir *ir, const struct cost *func, const struct agc_stmt *s, bool is_over_candidates)
{
    const struct agc_irop_info *info = &agc_irop_table[s->op];
    struct cost c = {ag_op_table[info->opcode].cost + s->nargs + (uint64_t)(s->nargs != 0), 0, false};
    switch (s->op) {
    case AGC_IR_BLOCK: return block_cost(ir, func, s->body);
    case AGC_IR_LOOP: add(&c, loop_cost(ir, func, s, is_over_candidates)); break;
    case AGC_IR_CALL:
    case AGC_IR_CALLT: add(&c, called(ir, func, s)); break;
    case AGC_IR_MERGE: // of documents, whatever their size
    case AGC_IR_UPSERT:
    case AGC_IR_FRAMED: c.is_open = true; break;
    case AGC_IR_BUILTIN:
        c.is_open = true; // arguments that loops have made
        break;
    case AGC_IR_BUILTINS:
        add(&c, (struct cost){ag_builtin_table[s->v[1]].cost, BUILTIN_BYTES * PER_BYTE, false});
        break;
    case AGC_IR_CAND: add(&c, lookup_cost(ir)); break;
    case AGC_IR_GLOB: add(&c, glob_cost(ir->consts[s->v[2]].text)); break;
    case AGC_IR_MATCH: {
        const char *blob = ir->patterns[s->v[2]].blob.p;
        add(&c, line(ag_pattern_fuel_max(blob, 0), ag_pattern_fuel_max(blob, AGC_INPUT_MAX)));
        break;
    }
    default:
        if (agc_irop_table[s->op].operand[1] == AGC_IRK_U && agc_irop_table[s->op].operand[2] == AGC_IRK_U)
            c.per16 += CONTAINER;
    }
    return c;
}

static struct cost
block_cost(const struct agc_ir *ir, const struct cost *func, const struct agc_block *b)
{
    struct cost c = {0, 0, false};
    uint32_t candidates = AG_NONE; // local that holds them
    for (uint32_t i = 0; i < b->n; i++) {
        const struct agc_stmt *s = &b->v[i];
        add(&c, stmt_cost(ir, func, s, s->op == AGC_IR_LOOP && s->v[0] == candidates));
        if (s->op == AGC_IR_CAND)
            candidates = s->v[0];
    }
    return c;
}

void
agc_stats_cost(const struct agc_ir *ir, const struct agc_code *code, struct agc_stats *ret)
{
    struct cost *func = agc_alloc(ir->arena, (ir->nfuncs + 1) * sizeof *func);
    uint32_t conditions = 0;
    for (uint32_t i = 0; i < ir->nfuncs; i++)
        conditions += !(ir->funcs[i].flags & (AG_FUNC_ENTRY | AG_FUNC_MEMO));
    *ret = (struct agc_stats){.rules = ir->nrules,
                              .functions = ir->nfuncs,
                              .conditions = conditions,
                              .instructions = code->ninsns,
                              .patterns = ir->npatterns};
    for (uint32_t i = 0; i < ir->nfuncs; i++)
        func[i] = block_cost(ir, func, &ir->funcs[i].body);
    for (uint32_t i = 0; i < ir->nentries; i++) {
        struct cost c = func[ir->entries[i].func];
        uint64_t bound = sat_add(c.fixed, sat_mul(c.per16, AGC_INPUT_MAX / PER_BYTE));
        if (bound >= ret->fuel_bound) {
            ret->fixed = c.fixed;
            ret->per16 = c.per16;
            ret->fuel_bound = bound;
        }
        ret->is_open |= c.is_open;
        if (code->stack[ir->entries[i].func] > ret->stack_regs)
            ret->stack_regs = code->stack[ir->entries[i].func];
    }
    ret->fuel = sat_mul(ret->fuel_bound, AGC_FUEL_SAFETY);
    if (ret->fuel < AGC_FUEL_MIN)
        ret->fuel = AGC_FUEL_MIN;
    if (ret->is_open && ret->fuel < AGC_FUEL_OPEN)
        ret->fuel = AGC_FUEL_OPEN;
    if (ret->fuel > INT64_MAX)
        ret->fuel = INT64_MAX;
    ret->arena_size = ret->is_open ? AGC_ARENA_OPEN : AGC_ARENA_FIXED + AGC_ARENA_PER_BYTE * AGC_INPUT_MAX;
}

void
agc_stats_print(const struct agc_stats *s, FILE *out)
{
    fprintf(out, "rules %u, conditions %u, functions %u, instructions %u, constants %u, patterns %u\n",
            s->rules, s->conditions, s->functions, s->instructions, s->constants, s->patterns);
    if (s->is_open)
        fprintf(out, "cost of a decision: no bound, rules loop over data; fuel in the image: %llu\n",
                (unsigned long long)s->fuel);
    else {
        fprintf(out, "cost of a decision: at most %llu + %llu * n / 16 steps for n bytes of input\n",
                (unsigned long long)s->fixed, (unsigned long long)s->per16);
        fprintf(out, "at the declared input limit of %u bytes: %llu steps; fuel in the image: %llu\n",
                AGC_INPUT_MAX, (unsigned long long)s->fuel_bound, (unsigned long long)s->fuel);
    }
    fprintf(out, "arena %u bytes, registers %u\n", s->arena_size, s->stack_regs);
    for (unsigned i = 0; i < AG_SECTION_COUNT; i++)
        if (s->section[i])
            fprintf(out, "%-10s %10llu bytes\n", ag_section_name((enum ag_section)i),
                    (unsigned long long)s->section[i]);
    fprintf(out, "%-10s %10llu bytes\n", "image", (unsigned long long)s->image);
}
