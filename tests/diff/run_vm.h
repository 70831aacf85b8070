// SPDX-License-Identifier: Apache-2.0
// Modules and one query through compiler and machine. In: texts, base document, input. Out: the solutions, an
// error value, or why there is no image. Memory: the compile job; values lie in the arena of the caller's
// memory. Thread rule: one struct, one thread. Next file to read: compiler/compile.h.
#ifndef AEGIS_TEST_RUN_VM_H
#define AEGIS_TEST_RUN_VM_H

#include "compile.h"
#include "eval.h"

struct t_vm {
    struct agc_job job;
    struct ag_image im;
    struct ag_call call;
    uint32_t entry;
    char why[400]; // why there is no image
};

// Compiles; level 0 or 1. False: vm->why, and vm->job.diags where the compiler refused.
bool t_vm_compile(struct t_vm *vm, const struct ag_str *modules, uint32_t n, struct ag_str query,
                  struct ag_str data, bool is_strict, int level);
void t_vm_free(struct t_vm *vm);
// Evaluates over values of `m`, whose image region becomes this image's. False: it ended early, vm->why.
bool t_vm_run(struct t_vm *vm, struct ag_mem *m, struct ag_value input, int64_t now_ns, struct ag_value *ret);

#endif
