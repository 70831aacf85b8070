// SPDX-License-Identifier: Apache-2.0
// Modules and one query through compiler and machine. In: texts. Out: values. Memory: the compile job's
// arena. Next file to read: compiler/compile.c.
#include "run_vm.h"
#include "load.h"

#include <stdio.h>
#include <stdlib.h>

static bool
open_image(struct t_vm *vm)
{
    struct ag_image_error e;
    struct ag_str image = vm->job.image;
    if (ag_image_open(image.p, image.n, &vm->im, &e) != AG_IMAGE_OK ||
        ag_image_verify(&vm->im, &e) != AG_IMAGE_OK) {
        snprintf(vm->why, sizeof vm->why, "image refused at %llu: %s", (unsigned long long)e.offset, e.text);
        return false;
    }
    vm->entry = ag_entry_find(&vm->im, AG_STR("query"));
    if (vm->entry == AG_NONE) {
        snprintf(vm->why, sizeof vm->why, "the image has no entrypoint query");
        return false;
    }
    vm->call.im = &vm->im;
    vm->call.nregs = vm->im.meta->stack_regs + AG_REGS_MAX;
    vm->call.regs = calloc(vm->call.nregs, sizeof *vm->call.regs);
    return vm->call.regs != NULL;
}

bool
t_vm_compile(struct t_vm *vm, const struct ag_str *modules, uint32_t n, struct ag_str query,
             struct ag_str data, bool is_strict, int level)
{
    memset(vm, 0, sizeof *vm);
    agc_job_init(&vm->job);
    for (uint32_t i = 0; i < n; i++) {
        char name[32];
        snprintf(name, sizeof name, "test-%u.rego", i);
        agc_source_add(&vm->job.arena, &vm->job.sources, ag_str_z(name), modules[i]);
    }
    agc_job_add_data(&vm->job, AG_STR("data.json"), data, NULL, 0);
    agc_job_add_query(&vm->job, query);
    vm->job.is_rego = true;
    vm->job.strict_errors = is_strict;
    vm->job.level = level;
    if (agc_compile(&vm->job) != AGC_DONE) {
        t_first_error(&vm->job.diags, vm->why, sizeof vm->why);
        return false;
    }
    return open_image(vm);
}

void
t_vm_free(struct t_vm *vm)
{
    free(vm->call.regs);
    agc_job_fini(&vm->job);
}

bool
t_vm_run(struct t_vm *vm, struct ag_mem *m, struct ag_value input, int64_t now_ns, struct ag_value *ret)
{
    struct ag_value v = ag_undef();
    m->base[AG_IN_IMAGE] = vm->im.heap;
    vm->call.mem = *m;
    vm->call.fuel = UINT64_MAX / 2;
    vm->call.now_ns = now_ns;
    enum ag_eval_status st = ag_eval(&vm->call, vm->entry, input, &v);
    if (st != AG_EVAL_OK) {
        snprintf(vm->why, sizeof vm->why, "the evaluation ended with status %d", (int)st);
        return false;
    }
    *ret = v;
    return true;
}
