// SPDX-License-Identifier: Apache-2.0
// Random policies through three evaluators that must agree: the machine on optimised code, the machine on
// plain code, and the slow evaluator.
// In: `difftest N SEED`: pairs of a policy and an input, and the first seed; `difftest --show SEED` prints
// one policy; `difftest --opa PROGRAM N SEED` compares the machine (--opa-slow: the slow
// evaluator) with another implementation of Rego. Out: TAP; a
// disagreement is made smaller and printed. Memory: one arena, reset for each policy. Next file to read:
// gen.c.
#include "gen.h"
#include "load.h"
#include "opa.h"
#include "ref_eval.h"
#include "run_vm.h"

#include <stdio.h>
#include <stdlib.h>

#define VALUES  ((size_t)2 << 30)
#define TEXTS   ((size_t)64 << 20)
#define NOW_NS  INT64_C(1700000000000000000)
#define BAD_MAX 5u // disagreements shown before giving up
#define WHY_MAX 2048u

struct test {
    struct ref *ref;
    struct ag_arena texts;
    uint64_t pairs, policies, refused, errors, undefined;
};

enum outcome { SAME, DIFFERENT, UNREADABLE };

// What one evaluator says about one pair.
struct answer {
    const char *code; // "ok" or the code of the error
    struct ag_value value;
    char text[600];
};

static void
by_reference(struct test *t, const struct t_program *p, struct ag_value input, struct ag_value data,
             bool is_strict, struct answer *ret)
{
    struct ref_error e = {0};
    enum ref_code code = ref_query(t->ref, p->query, input, data, is_strict, NOW_NS, &ret->value, &e);
    ret->code = ref_code_name(code);
    snprintf(ret->text, sizeof ret->text, "%s", e.text);
}

static void
by_machine(struct test *t, struct t_vm *vm, struct ag_value input, struct answer *ret)
{
    struct ag_buf b;
    ag_buf_init(&b, ret->text, sizeof ret->text - 1);
    if (!t_vm_run(vm, ref_mem(t->ref), input, NOW_NS, &ret->value)) {
        ret->code = "internal";
        ag_buf_str(&b, ag_str_z(vm->why));
    } else if (ret->value.kind == AG_ERROR) {
        ret->code = ag_error_code(ret->value);
        ag_error_text(&vm->call, ret->value, &b);
    } else
        ret->code = "ok";
    ret->text[b.n] = 0;
}

// Solutions in any order, repeats aside.
static struct ag_value
as_set(const struct ag_mem *m, struct ag_value all)
{
    struct ag_builder *b = ag_builder_new(m, AG_SET);
    for (uint32_t i = 0; i < all.len; i++)
        ag_builder_push(m, b, ag_value_at(m, all, i));
    return ag_builder_close(m, b);
}

static bool
is_same(const struct ag_mem *m, const struct answer *a, const struct answer *b)
{
    if (strcmp(a->code, b->code) != 0)
        return false;
    return strcmp(a->code, "ok") != 0 || ag_value_eq(m, as_set(m, a->value), as_set(m, b->value));
}

static void
describe(const struct ag_mem *m, const char *who, const struct answer *a, struct ag_buf *out)
{
    ag_buf_str(out, ag_str_z(who));
    ag_buf_lit(out, ": ");
    ag_buf_str(out, ag_str_z(a->code));
    ag_buf_char(out, ' ');
    if (strcmp(a->code, "ok") == 0)
        ag_json_write(m, a->value, out, 0);
    else
        ag_buf_str(out, ag_str_z(a->text));
    ag_buf_char(out, '\n');
}

// The three of one policy, ready to run.
struct trio {
    struct t_program p;
    struct t_vm vm[2]; // by level
};

static bool
open_trio(struct trio *x, const struct gen_policy *g, char *why)
{
    bool read;
    t_init(&x->p);
    read = t_load(&x->p, g->module, g->nmodules, g->query);
    if (!read)
        t_first_error(&x->p.diags, why, WHY_MAX);
    for (int level = 0; level < 2; level++) {
        bool ok = t_vm_compile(&x->vm[level], g->module, g->nmodules, g->query, g->data, g->is_strict, level);
        if (ok == read)
            continue;
        // accepted by one reader alone: no answer to compare
        snprintf(why, WHY_MAX, "level %d: %s", level, ok ? "accepted" : x->vm[level].why);
        read = false;
    }
    return read;
}

static void
close_trio(struct trio *x)
{
    t_fini(&x->p);
    t_vm_free(&x->vm[0]);
    t_vm_free(&x->vm[1]);
}

// All inputs of a policy; *ret_input is the first about which they disagree.
static enum outcome
run_policy(struct test *t, const struct gen_policy *g, uint32_t *ret_input, char *why)
{
    struct trio x;
    struct ag_value data, input;
    enum outcome o = SAME;
    struct ag_mem *m = ref_mem(t->ref);
    memset(&x, 0, sizeof x);
    if (!open_trio(&x, g, why))
        o = UNREADABLE;
    for (uint32_t i = 0; o == SAME && i < g->ninputs; i++) {
        struct answer a[3];
        static const char *const who[] = {"plain", "optimised", "slow"};
        ref_begin(t->ref);
        ref_use(t->ref, &x.p.program, &x.vm[1].im);
        if (!ref_json(t->ref, g->data, &data) || !ref_json(t->ref, g->input[i], &input))
            o = UNREADABLE;
        if (o == UNREADABLE)
            break;
        by_reference(t, &x.p, input, data, g->is_strict, &a[2]);
        struct ag_buf b;
        ag_buf_init(&b, why, WHY_MAX - 1);
        describe(m, who[2], &a[2], &b);
        for (int level = 0; level < 2; level++) {
            by_machine(t, &x.vm[level], input, &a[level]);
            describe(m, who[level], &a[level], &b);
            if (!is_same(m, &a[level], &a[2]))
                o = DIFFERENT;
            m->base[AG_IN_IMAGE] = NULL;
        }
        why[b.n] = 0;
        *ret_input = i;
        t->pairs++;
        t->errors += strcmp(a[2].code, "ok") != 0;
        t->undefined += strcmp(a[2].code, "ok") == 0 && a[2].value.len == 0;
    }
    close_trio(&x);
    return o;
}

static void
print_policy(const struct gen_policy *g, uint32_t input)
{
    for (uint32_t i = 0; i < g->nmodules; i++)
        printf("# --- module %u\n%.*s", i, (int)g->module[i].n, g->module[i].p);
    printf("# --- query\n%.*s\n# --- data\n%.*s\n", (int)g->query.n, g->query.p, (int)g->data.n, g->data.p);
    for (uint32_t i = 0; i < g->ninputs; i++)
        if (input == i || input == GEN_INPUTS)
            printf("# --- input %u\n%.*s\n", i, (int)g->input[i].n, g->input[i].p);
    printf("# --- %s errors\n", g->is_strict ? "strict" : "plain");
}

// Leaves units out as long as the evaluators still disagree, from the last to the first.
static void
shrink(struct test *t, uint64_t seed, bool *without)
{
    struct gen_policy g;
    char why[WHY_MAX];
    uint32_t input, n;
    struct test quiet = *t; // counts are not of interest
    ag_arena_reset(&quiet.texts, AG_ARENA_RESERVED);
    gen_policy(&quiet.texts, seed, "", without, &g);
    n = g.nunits;
    for (int round = 0; round < 2; round++)
        for (uint32_t i = n; i-- > 0;) {
            if (without[i])
                continue;
            without[i] = true;
            ag_arena_reset(&quiet.texts, AG_ARENA_RESERVED);
            gen_policy(&quiet.texts, seed, "", without, &g);
            without[i] = run_policy(&quiet, &g, &input, why) == DIFFERENT;
        }
}

static void
show_difference(struct test *t, uint64_t seed)
{
    static bool without[GEN_UNITS];
    struct gen_policy g;
    char why[WHY_MAX] = "";
    uint32_t input = 0;
    memset(without, 0, sizeof without);
    shrink(t, seed, without);
    ag_arena_reset(&t->texts, AG_ARENA_RESERVED);
    gen_policy(&t->texts, seed, "", without, &g);
    run_policy(t, &g, &input, why);
    printf("# seed %llu\n", (unsigned long long)seed);
    print_policy(&g, input);
    printf("%s", why);
    fflush(stdout);
}

static int
run(struct test *t, uint64_t npairs, uint64_t seed)
{
    uint32_t bad = 0, first = 0;
    for (uint64_t s = seed; t->pairs < npairs && bad < BAD_MAX; s++) {
        struct gen_policy g;
        char why[WHY_MAX] = "";
        uint32_t input;
        ag_arena_reset(&t->texts, AG_ARENA_RESERVED);
        gen_policy(&t->texts, s, "", NULL, &g);
        t->policies++;
        enum outcome o = run_policy(t, &g, &input, why);
        if (o == UNREADABLE) {
            t->refused++;
            if (getenv("AEGIS_DIFF_REFUSED") && first++ < 200)
                printf("# seed %llu is refused: %s\n", (unsigned long long)s, why);
        }
        if (o == DIFFERENT) {
            bad++;
            show_difference(t, s);
        }
        if (t->refused > 100 && t->refused * 2 > t->policies)
            break;
    }
    printf("# %llu pairs of %llu policies from seed %llu: %llu errors, %llu without a solution, %llu "
           "policies refused\n",
           (unsigned long long)t->pairs, (unsigned long long)t->policies, (unsigned long long)seed,
           (unsigned long long)t->errors, (unsigned long long)t->undefined, (unsigned long long)t->refused);
    bool ok = !bad && t->pairs >= npairs;
    printf("%sok 1 - machine, plain and optimised, and the slow evaluator agree\n", ok ? "" : "not ");
    bool is_useful = t->refused * 10 <= t->policies;
    printf("%sok 2 - nine of ten policies are accepted\n1..2\n", is_useful ? "" : "not ");
    return !(ok && is_useful);
}

static int
show(struct test *t, uint64_t seed)
{
    struct gen_policy g;
    gen_policy(&t->texts, seed, "", NULL, &g);
    print_policy(&g, GEN_INPUTS);
    return 0;
}

int
main(int argc, char **argv)
{
    struct test t = {.ref = ref_new(VALUES)};
    void *texts = malloc(TEXTS);
    int status = 2;
    if (t.ref && texts) {
        ag_arena_init(&t.texts, texts, TEXTS);
        if (argc == 3 && strcmp(argv[1], "--show") == 0)
            status = show(&t, strtoull(argv[2], NULL, 10));
        else if (argc == 5 && (strcmp(argv[1], "--opa") == 0 || strcmp(argv[1], "--opa-slow") == 0))
            status = opa_compare(t.ref, &t.texts, argv[2], strtoull(argv[3], NULL, 10),
                                 strtoull(argv[4], NULL, 10), argv[1][5] != 0);
        else if (argc == 3)
            status = run(&t, strtoull(argv[1], NULL, 10), strtoull(argv[2], NULL, 10));
        else
            fputs("usage: difftest PAIRS SEED | difftest --show SEED | difftest --opa[-slow] PROGRAM PAIRS "
                  "SEED\n",
                  stderr);
    }
    ref_free(t.ref);
    free(texts);
    return status;
}
