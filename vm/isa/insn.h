// SPDX-License-Identifier: Apache-2.0
// One instruction is one little-endian 64-bit word:
//
//      63      48 47      32 31      16 15       0
//     +----------+----------+----------+----------+
//     |    c     |    b     |    a     |   op     |     OP3
//     +----------+----------+----------+----------+
//     |          x          |    a     |   op     |     OP2
//     +---------------------+----------+----------+
//
// In: opcodes.def. Next file to read: isa/asm.c for the text form, verify.c for what must hold.
#ifndef AG_ISA_INSN_H
#define AG_ISA_INSN_H

#include <stdint.h>

enum ag_op {
#define OP3(NAME, text, A, B, C, flags, cost, effect) AG_OP_##NAME,
#define OP2(NAME, text, A, X, flags, cost, effect)    AG_OP_##NAME,
#include "opcodes.def"
    AG_OP_COUNT
};

enum ag_operand {
    AG_OPN_NONE,
    AG_OPN_W,
    AG_OPN_R,
    AG_OPN_RW,
    AG_OPN_RW2,
    AG_OPN_IT,
    AG_OPN_NX,
    AG_OPN_WIN,
    AG_OPN_ARGS,
    AG_OPN_N,
    AG_OPN_I,
    AG_OPN_J,
    AG_OPN_BACK,
    AG_OPN_K,
    AG_OPN_F,
    AG_OPN_BI,
    AG_OPN_TI,
    AG_OPN_TC,
    AG_OPN_TP,
    AG_OPN_TW,
    AG_OPN_TL
};

enum ag_op_flag { AG_OPF_PURE = 1, AG_OPF_JUMP = 2, AG_OPF_CALL = 4, AG_OPF_ENTRY = 8, AG_OPF_END = 16 };

struct ag_op_info {
    const char *text;
    const char *effect;
    uint8_t operand[3]; // a, b, c; for OP2 the second is x and the third NONE
    uint8_t is_wide;    // OP2: b and c are one 32-bit field x
    uint8_t flags;
    uint8_t cost; // fuel, in steps
};

// One row per opcode, indexed by enum ag_op. Defined in isa/disasm.c.
extern const struct ag_op_info ag_op_table[AG_OP_COUNT];

typedef uint64_t ag_insn;

static inline ag_insn
ag_insn3(enum ag_op op, unsigned a, unsigned b, unsigned c)
{
    return (ag_insn)op | (ag_insn)(a & 0xffff) << 16 | (ag_insn)(b & 0xffff) << 32 |
           (ag_insn)(c & 0xffff) << 48;
}

static inline ag_insn
ag_insn2(enum ag_op op, unsigned a, uint32_t x)
{
    return (ag_insn)op | (ag_insn)(a & 0xffff) << 16 | (ag_insn)x << 32;
}

static inline unsigned
ag_insn_op(ag_insn i)
{
    return (unsigned)(i & 0xffff);
}
static inline unsigned
ag_insn_a(ag_insn i)
{
    return (unsigned)(i >> 16 & 0xffff);
}
static inline unsigned
ag_insn_b(ag_insn i)
{
    return (unsigned)(i >> 32 & 0xffff);
}
static inline unsigned
ag_insn_c(ag_insn i)
{
    return (unsigned)(i >> 48);
}
static inline uint32_t
ag_insn_x(ag_insn i)
{
    return (uint32_t)(i >> 32);
}

#endif
