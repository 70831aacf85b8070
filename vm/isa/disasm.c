// SPDX-License-Identifier: Apache-2.0
// The opcode table made of opcodes.def, and instructions as text: one line per instruction, read back by
// asm.c. In: instruction words. Out: text such as `jnek r3, k7, +12`. Nothing is allocated. Next file to
// read: isa/asm.c, the way back.
#include "disasm.h"

#define PURE  AG_OPF_PURE
#define JUMP  AG_OPF_JUMP
#define CALL  AG_OPF_CALL
#define ENTRY AG_OPF_ENTRY
#define END   AG_OPF_END

const struct ag_op_info ag_op_table[AG_OP_COUNT] = {
#define OP3(NAME, text, A, B, C, flags, cost, effect)                                                        \
    {text, effect, {AG_OPN_##A, AG_OPN_##B, AG_OPN_##C}, 0, (flags), (cost)},
#define OP2(NAME, text, A, X, flags, cost, effect)                                                           \
    {text, effect, {AG_OPN_##A, AG_OPN_##X, AG_OPN_NONE}, 1, (flags), (cost)},
#include "opcodes.def"
};

#undef PURE
#undef JUMP
#undef CALL
#undef ENTRY
#undef END

uint32_t
ag_insn_operand(ag_insn i, unsigned ix)
{
    if (ix == 0)
        return ag_insn_a(i);
    if (ag_op_table[ag_insn_op(i)].is_wide)
        return ix == 1 ? ag_insn_x(i) : 0;
    return ix == 1 ? ag_insn_b(i) : ag_insn_c(i);
}

int32_t
ag_insn_immediate(ag_insn i, unsigned ix)
{
    uint32_t v = ag_insn_operand(i, ix);
    return ag_op_table[ag_insn_op(i)].is_wide ? (int32_t)v : (int32_t)(int16_t)v;
}

struct ag_str
ag_operand_prefix(enum ag_operand kind)
{
    switch (kind) {
    case AG_OPN_W:
    case AG_OPN_R:
    case AG_OPN_RW:
    case AG_OPN_RW2:
    case AG_OPN_IT:
    case AG_OPN_NX:
    case AG_OPN_WIN:
    case AG_OPN_ARGS: return AG_STR("r");
    case AG_OPN_J: return AG_STR("+");
    case AG_OPN_BACK: return AG_STR("-");
    case AG_OPN_K: return AG_STR("k");
    case AG_OPN_F: return AG_STR("f");
    case AG_OPN_BI: return AG_STR("b");
    case AG_OPN_TI: return AG_STR("index");
    case AG_OPN_TC: return AG_STR("table");
    case AG_OPN_TP: return AG_STR("pattern");
    case AG_OPN_TW: return AG_STR("window");
    case AG_OPN_TL: return AG_STR("limit");
    default: return AG_STR("");
    }
}

void
ag_disasm_insn(ag_insn i, struct ag_buf *out)
{
    unsigned op = ag_insn_op(i);
    if (op >= AG_OP_COUNT) {
        ag_buf_lit(out, "bad ");
        ag_buf_u64(out, op);
        return;
    }
    ag_buf_str(out, ag_str_z(ag_op_table[op].text));
    const char *separator = " ";
    for (unsigned k = 0; k < 3; k++) {
        enum ag_operand kind = ag_op_table[op].operand[k];
        if (kind == AG_OPN_NONE)
            continue;
        ag_buf_str(out, ag_str_z(separator));
        separator = ", ";
        ag_buf_str(out, ag_operand_prefix(kind));
        if (kind == AG_OPN_I)
            ag_buf_i64(out, ag_insn_immediate(i, k));
        else
            ag_buf_u64(out, ag_insn_operand(i, k));
    }
}
