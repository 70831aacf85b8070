// SPDX-License-Identifier: Apache-2.0
// Instructions as text, and generic access to their operands by position. Thread rule: pure functions.
#ifndef AG_ISA_DISASM_H
#define AG_ISA_DISASM_H

#include "buf.h"
#include "insn.h"

// Operand 0, 1 or 2 as an unsigned number; the opcode must be below AG_OP_COUNT. A wide opcode's operand 2 is
// 0.
uint32_t ag_insn_operand(ag_insn i, unsigned ix);
// The same for operand kind I, sign extended.
int32_t ag_insn_immediate(ag_insn i, unsigned ix);
// What stands before the number in text: "r" for registers, "k" for constants, "+" for jumps ...
struct ag_str ag_operand_prefix(enum ag_operand kind);
// Appends one instruction as text, without a newline.
void ag_disasm_insn(ag_insn i, struct ag_buf *out);

#endif
