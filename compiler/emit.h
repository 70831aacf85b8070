// SPDX-License-Identifier: Apache-2.0
// Step 8: instructions. Registers are numbered by nesting, jumps go forward, loops are ITER/NEXT pairs.
// In: a checked struct agc_ir. Out: struct agc_code, with its constants laid out in the heap. Memory: the
// compile arena. Next file to read: emit.c, then image_write.c.
#ifndef AGC_EMIT_H
#define AGC_EMIT_H

#include "heap.h"
#include "places.h"

struct agc_code {
    uint32_t ninsns;
    struct agc_bytes insns; // [ag_insn]
    uint32_t nfuncs;
    struct ag_func *funcs;  // as in the image
    struct agc_bytes spans; // [struct ag_span]
    struct agc_places places;
    uint32_t memo_slots;
    uint32_t *stack; // by function: registers of the deepest chain that starts with it
};

// Appends the code of every function. Constants named by 16-bit operands come first in CONSTS.
// False: `ret` says which bound of the instruction set the policy crosses.
bool agc_emit(struct agc_ir *ir, const struct agc_sources *sources, struct agc_heap *heap,
              struct agc_code *code, struct agc_refusal *ret);
// Prints instructions with function names (`--emit=asm`).
void agc_code_print(const struct agc_ir *ir, const struct agc_code *code, FILE *out);

#endif
