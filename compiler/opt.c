// SPDX-License-Identifier: Apache-2.0
// Step 7: the list of passes, checked after each. In and out: struct agc_ir. Next file to read: emit.c.
#include "opt.h"

struct pass {
    const char *name;
    int level; // runs from this level on
    void (*run)(struct agc_ir *ir, int level);
};

static const struct pass passes[] = {
    {"dead", 1, agc_opt_dead},   {"data", 1, agc_opt_data},     {"fold", 1, agc_opt_fold},
    {"early", 1, agc_opt_early}, {"known", 1, agc_opt_known}, // callees tell what they answer
    {"dead", 1, agc_opt_dead},   {"inline", 1, agc_opt_inline}, {"dead", 1, agc_opt_dead},
    {"value", 1, agc_opt_value}, {"fold", 1, agc_opt_fold},     {"cse", 1, agc_opt_cse},
    {"hoist", 1, agc_opt_hoist}, {"value", 1, agc_opt_value},   {"fold", 1, agc_opt_fold},
    {"known", 1, agc_opt_known}, {"dead", 1, agc_opt_dead},     {"group", 1, agc_opt_group},
    {"hoist", 1, agc_opt_hoist}, {"value", 1, agc_opt_value},   {"known", 1, agc_opt_known},
    {"regex", 1, agc_opt_regex}, {"dead", 1, agc_opt_dead},     {"index", 0, agc_opt_index},
};

bool
agc_opt(struct agc_ir *ir, int level, char *text, size_t size)
{
    for (size_t i = 0; i < sizeof passes / sizeof *passes; i++) {
        char why[160];
        if (passes[i].level > level)
            continue;
        passes[i].run(ir, level);
        if (!agc_ir_check(ir, why, sizeof why)) {
            snprintf(text, size, "after pass %s: %s", passes[i].name, why);
            return false;
        }
    }
    return true;
}

struct counts {
    uint32_t *defs, *uses;
};

static void
count_use(void *self, uint32_t *local)
{
    ((struct counts *)self)->uses[*local]++;
}

static void
count_stmt(void *self, struct agc_stmt *s, unsigned depth)
{
    struct counts *c = self;
    (void)depth;
    uint32_t def = agc_stmt_def(s);
    if (def != AG_NONE)
        c->defs[def]++;
    if (s->op == AGC_IR_LOOP) {
        c->defs[s->v[1]]++;
        c->defs[s->v[2]]++;
    }
    agc_stmt_uses(s, count_use, c);
}

void
agc_opt_count(struct agc_func *f, uint32_t *ret_defs, uint32_t *ret_uses)
{
    struct counts c = {ret_defs, ret_uses};
    memset(ret_defs, 0, f->nlocals * sizeof *ret_defs);
    memset(ret_uses, 0, f->nlocals * sizeof *ret_uses);
    for (uint32_t i = 0; i < f->nargs; i++)
        ret_defs[i] = 1;
    agc_ir_walk(&f->body, count_stmt, &c);
}
