// SPDX-License-Identifier: Apache-2.0
// The format of a pattern blob and how to read it. All integers little endian, no alignment assumed.
//
//   0  magic "AGPT"        32  literal offset, size     64  instructions, 12 bytes each
//   4  version 1           40  names offset, size           names: {u16 group, u16 n, n bytes} ...
//   8  size of the blob    48  DFA offset, size             literal bytes
//  12  hints (PROG_*)      56  first byte or 256            DFA: n_state, stride, start, skip (u32 each),
//  16  instructions        60  0                                 class of each byte (256), cells (u16 each)
//  20  groups
//  24  start instruction   Instruction: op, lo, hi, 0, out (u32), out1 (u32)
//  28  0
//
// A DFA cell is the offset of the next state's row; row 0 is dead, row 1 is accept; the last column of a row
// is the end of the text. Hints only choose between answers that are all safe. Thread rule: pure functions.
#ifndef AG_PATTERN_PROG_H
#define AG_PATTERN_PROG_H

#include "pattern.h"

#define PROG_MAGIC   0x54504741u
#define PROG_VERSION 1u
#define PROG_HEADER  64u
#define INSN_SIZE    12u
#define DFA_HEADER   272u
#define BYTE_NONE    256u

enum prog_hint {
    PROG_ANCHORED = 1,  // every match starts at the start of the text
    PROG_ASSERTS = 2,   // has an instruction OP_EMPTY
    PROG_LITERAL = 4,   // yes/no: the subject contains the literal, and
    PROG_LIT_START = 8, // ... starts with it
    PROG_LIT_END = 16,  // ... ends with it
};

enum prog_op {
    OP_FAIL,  // no way on
    OP_MATCH, // done
    OP_RANGE, // one byte in lo..hi, go to out
    OP_SPLIT, // out, and with less priority out1
    OP_JUMP,  // out
    OP_CAP,   // note the position in slot out1, go to out
    OP_EMPTY, // when all facts of the bit set lo hold here, go to out
    OP_COUNT,
};

enum prog_fact {
    FACT_LINE_START = 1,
    FACT_LINE_END = 2,
    FACT_TEXT_START = 4,
    FACT_TEXT_END = 8,
    FACT_WORD = 16,
    FACT_NOT_WORD = 32,
};

struct insn {
    uint8_t op, lo, hi;
    uint32_t out, out1;
    uint32_t chain; // while compiling: the next class instruction of the same hash; not in the blob
};

// The header of a blob, decoded.
struct prog {
    const uint8_t *blob;
    const uint8_t *code;
    uint32_t hints, n_insn, n_group, start, first;
    struct ag_str names, literal, dfa;
};

static inline uint32_t
ld32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint16_t
ld16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static inline void
st32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

static inline void
st16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

static inline struct ag_str
prog_part(const uint8_t *blob, uint32_t field)
{
    return ag_str_of((const char *)blob + ld32(blob + field), ld32(blob + field + 4));
}

// Decodes the header of a verified blob.
static inline void
prog_open(struct prog *g, const void *blob)
{
    const uint8_t *p = blob;
    g->blob = p;
    g->code = p + PROG_HEADER;
    g->hints = ld32(p + 12);
    g->n_insn = ld32(p + 16);
    g->n_group = ld32(p + 20);
    g->start = ld32(p + 24);
    g->literal = prog_part(p, 32);
    g->names = prog_part(p, 40);
    g->dfa = prog_part(p, 48);
    g->first = ld32(p + 56);
}

static inline struct insn
prog_insn(const uint8_t *code, uint32_t ix)
{
    const uint8_t *p = code + (size_t)ix * INSN_SIZE;
    return (struct insn){p[0], p[1], p[2], ld32(p + 4), ld32(p + 8), 0};
}

static inline bool
is_word_byte(uint32_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

// Facts between the bytes `before` and `after`; BYTE_NONE stands for the ends of the text.
static inline uint32_t
facts_between(uint32_t before, uint32_t after)
{
    uint32_t f = is_word_byte(before) != is_word_byte(after) ? FACT_WORD : FACT_NOT_WORD;
    if (before == BYTE_NONE)
        f |= FACT_TEXT_START | FACT_LINE_START;
    if (before == '\n')
        f |= FACT_LINE_START;
    if (after == BYTE_NONE)
        f |= FACT_TEXT_END | FACT_LINE_END;
    if (after == '\n')
        f |= FACT_LINE_END;
    return f;
}

#endif
