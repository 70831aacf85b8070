// SPDX-License-Identifier: Apache-2.0
// Accepts or refuses a pattern blob; match.c trusts only what this proves: sections in bounds, instructions
// known with targets and slots in range, DFA rows whole and every cell the start of a row. In: any bytes.
// Out: yes or no. Termination needs no proof: the matcher visits an instruction once per position. Next:
// match.c.
#include "prog.h"

static bool
verify_insns(const struct prog *g)
{
    for (uint32_t i = 0; i < g->n_insn; i++) {
        struct insn x = prog_insn(g->code, i);
        bool is_cap = x.op == OP_CAP;
        if (x.op >= OP_COUNT || x.out >= g->n_insn)
            return false;
        if (is_cap ? x.out1 >= 2 * g->n_group : x.out1 >= g->n_insn)
            return false;
    }
    return g->start < g->n_insn;
}

static bool
verify_names(const struct prog *g)
{
    const uint8_t *p = (const uint8_t *)g->names.p;
    size_t at = 0;
    while (at < g->names.n) {
        if (g->names.n - at < 4)
            return false;
        size_t n = ld16(p + at + 2);
        if (ld16(p + at) >= g->n_group || n > g->names.n - at - 4)
            return false;
        at += 4 + n;
    }
    return true;
}

static bool
verify_dfa(const struct prog *g)
{
    const uint8_t *d = (const uint8_t *)g->dfa.p;
    if (!g->dfa.n)
        return true;
    if (g->dfa.n < DFA_HEADER)
        return false;
    uint32_t n_state = ld32(d), stride = ld32(d + 4), start = ld32(d + 8);
    if (n_state < 2 || n_state > AG_PATTERN_DFA_STATE_MAX || stride < 2 || stride > 257 ||
        n_state * stride > AG_PATTERN_DFA_CELL_MAX || g->dfa.n != DFA_HEADER + (size_t)n_state * stride * 2)
        return false;
    if (start >= n_state * stride || start % stride)
        return false;
    for (uint32_t b = 0; b < 256; b++) {
        if (d[16 + b] >= stride - 1)
            return false;
    }
    for (uint32_t i = 0; i < n_state * stride; i++) {
        uint32_t cell = ld16(d + DFA_HEADER + (size_t)i * 2);
        if (cell >= n_state * stride || cell % stride)
            return false;
    }
    return true;
}

static bool
is_inside(const uint8_t *blob, uint32_t field, uint32_t from, uint32_t size)
{
    uint32_t at = ld32(blob + field), n = ld32(blob + field + 4);
    return at >= from && at <= size && n <= size - at;
}

bool
ag_pattern_verify(const void *blob, size_t n)
{
    const uint8_t *p = blob;
    if (n < PROG_HEADER || ld32(p) != PROG_MAGIC || ld32(p + 4) != PROG_VERSION)
        return false;
    uint32_t size = ld32(p + 8), n_insn = ld32(p + 16), n_group = ld32(p + 20);
    if (size < PROG_HEADER || size > n || n_insn == 0 || n_insn > AG_PATTERN_INSN_MAX ||
        n_insn * INSN_SIZE > size - PROG_HEADER || n_group == 0 || n_group > AG_PATTERN_GROUP_MAX)
        return false;
    uint32_t code_end = PROG_HEADER + n_insn * INSN_SIZE;
    if (!is_inside(p, 32, code_end, size) || !is_inside(p, 40, code_end, size) ||
        !is_inside(p, 48, code_end, size))
        return false;
    struct prog g;
    prog_open(&g, p);
    return verify_insns(&g) && verify_names(&g) && verify_dfa(&g);
}
