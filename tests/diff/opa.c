// SPDX-License-Identifier: Apache-2.0
// Many random policies in one directory, a module that sends each input to its policy, and one run of the
// other program over all inputs. In: policies of gen.c. Out: TAP. Memory: a temporary directory, removed at
// the end. Next file to read: gen.c.
#include "opa.h"
#include "gen.h"
#include "json_form.h"
#include "load.h"
#include "run_vm.h"

#include <errno.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define BATCH    60u         // policies of one run
#define REPLY    (64u << 20) // bytes of the program's answer
#define NOW_NS   INT64_C(1700000000000000000)
#define SHOW_MAX 10u

struct batch {
    struct ref *ref;
    struct ag_arena *texts;
    const char *program;
    char dir[64];
    uint64_t seed[BATCH]; // of each policy
    bool without[BATCH][GEN_UNITS];
    bool differs[BATCH];
    bool is_found, is_small; // a difference is to be made smaller; was made smaller and is to be shown
    uint64_t found;
    bool is_quiet; // a smaller policy is looked for: nothing is printed or counted
    struct gen_policy policy[BATCH];
    bool is_slow; // the slow evaluator answers, not the machine
    struct t_vm vm[BATCH];
    struct t_program slow[BATCH];
    bool is_ours[BATCH], is_theirs[BATCH]; // accepted
    uint64_t pairs, bad, lazy, refused, only_ours, only_theirs;
    char *reply;
};

__attribute__((format(printf, 3, 4))) static FILE *
create(const struct batch *b, const char *mode, const char *fmt, ...)
{
    char path[200];
    int n = snprintf(path, sizeof path, "%s/", b->dir);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(path + n, sizeof path - (size_t)n, fmt, ap);
    va_end(ap);
    FILE *f = fopen(path, mode);
    if (!f) {
        perror(path);
        exit(2);
    }
    return f;
}

static void
put(FILE *f, struct ag_str s)
{
    fwrite(s.p, 1, s.n, f);
}

static int
remove_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

// Runs a command over the batch's directory; its output is the batch's reply.
__attribute__((format(printf, 2, 3))) static size_t
command(struct batch *b, const char *fmt, ...)
{
    char line[4096];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    FILE *f = n > 0 && (size_t)n < sizeof line ? popen(line, "re") : NULL;
    size_t got = f ? fread(b->reply, 1, REPLY, f) : 0;
    if (f)
        pclose(f);
    return got;
}

// Names of the query's variables as an object: data.p = x gives {"x": x}.
static void
put_solutions(FILE *f, struct ag_str query)
{
    bool has_y = query.n && query.p[query.n - 1] == 'y', has_x = memmem(query.p, query.n, "[x]", 3) || !has_y;
    fprintf(f, "[{%s%s%s} | ", has_x ? "\"x\": x" : "", has_x && has_y ? ", " : "", has_y ? "\"y\": y" : "");
    put(f, query);
    fprintf(f, " with input as input.input]");
}

static void
write_policies(struct batch *b)
{
    FILE *data = create(b, "we", "policies/data.json");
    bool is_first = true;
    fputs("{", data);
    for (uint32_t i = 0; i < BATCH; i++) {
        const struct gen_policy *g = &b->policy[i];
        if (!b->is_theirs[i])
            continue;
        fprintf(data, "%s", is_first ? "" : ", ");
        is_first = false;
        put(data, ag_str_of(g->data.p + 1, g->data.n - 2));
        for (uint32_t k = 0; k < g->nmodules; k++) {
            FILE *f = create(b, "we", "policies/p%u_%u.rego", i, k);
            put(f, g->module[k]);
            fclose(f);
        }
        FILE *f = create(b, "we", "policies/main_%u.rego", i);
        fprintf(f, "package main\n\nresult := ");
        put_solutions(f, g->query);
        fprintf(f, " if input.id == %u\n", i);
        fclose(f);
    }
    fputs("}", data);
    fclose(data);
}

// Removes the policies that the other program refuses, as its messages name their files.
static void
ask_acceptance(struct batch *b)
{
    for (uint32_t round = 0; round < BATCH; round++) {
        size_t n = command(b, "'%s' check --max-errors=-1 %s/policies 2>&1", b->program, b->dir);
        bool any = false;
        for (uint32_t i = 0; i < BATCH; i++) {
            char name[2][32];
            snprintf(name[0], sizeof name[0], "/p%u_", i);
            snprintf(name[1], sizeof name[1], "/main_%u.", i);
            const char *at = memmem(b->reply, n, name[0], strlen(name[0]));
            at = at ? at : memmem(b->reply, n, name[1], strlen(name[1]));
            if (!at || !b->is_theirs[i])
                continue;
            b->is_theirs[i] = false;
            any = true;
            if (b->is_ours[i] && !b->is_quiet && b->only_ours++ < SHOW_MAX)
                printf("# seed %llu: refused there alone: %.*s\n", (unsigned long long)b->seed[i],
                       (int)strcspn(at, "\n"), at);
            for (uint32_t k = 0; k < GEN_MODULES; k++) {
                char path[200];
                snprintf(path, sizeof path, "%s/policies/p%u_%u.rego", b->dir, i, k);
                unlink(path);
                snprintf(path, sizeof path, "%s/policies/main_%u.rego", b->dir, i);
                unlink(path);
            }
        }
        if (!any)
            return;
    }
}

// --- comparing one pair
static struct ag_value
solutions(struct ag_mem *m, struct ag_value all, bool has_bindings)
{
    struct ag_builder *set = ag_builder_new(m, AG_SET);
    for (uint32_t i = 0; all.kind == AG_ARRAY && i < all.len; i++) {
        struct ag_value v = ag_value_at(m, all, i);
        if (has_bindings)
            v = ag_object_get(m, v, AG_STR("bindings"));
        ag_builder_push(m, set, t_as_json(m, v));
    }
    return ag_builder_close(m, set);
}

static void
show_pair(struct batch *b, uint32_t i, uint32_t input, struct ag_value ours, struct ag_value theirs,
          const char *our_code)
{
    static char text[1u << 20];
    struct ag_buf out;
    struct ag_mem *m = ref_mem(b->ref);
    b->differs[i] = true;
    if (b->is_quiet || b->is_found)
        return;
    b->bad += !b->is_small;
    if (!b->is_small) {
        b->is_found = true; // shown when it is small
        b->found = b->seed[i];
        return;
    }
    b->is_small = false;
    b->is_quiet = true; // all places of this batch hold it
    ag_buf_init(&out, text, sizeof text - 1);
    ag_buf_lit(&out, "ours: ");
    ag_buf_str(&out, ag_str_z(our_code));
    ag_buf_char(&out, ' ');
    if (ours.kind != AG_ERROR)
        ag_json_write(m, ours, &out, 0);
    ag_buf_lit(&out, "\ntheirs: ");
    ag_json_write(m, theirs, &out, 0);
    text[out.n] = 0;
    printf("# seed %llu differs\n", (unsigned long long)b->seed[i]);
    for (uint32_t k = 0; k < b->policy[i].nmodules; k++)
        printf("%.*s", (int)b->policy[i].module[k].n, b->policy[i].module[k].p);
    printf("query %.*s\ndata %.*s\ninput %.*s\n%s\n", (int)b->policy[i].query.n, b->policy[i].query.p,
           (int)b->policy[i].data.n, b->policy[i].data.p, (int)b->policy[i].input[input].n,
           b->policy[i].input[input].p, text);
}

static const char *
by_machine(struct batch *b, uint32_t i, struct ag_value input, struct ag_value *ret)
{
    if (!t_vm_run(&b->vm[i], ref_mem(b->ref), input, NOW_NS, ret))
        return "internal";
    return ret->kind == AG_ERROR ? ag_error_code(*ret) : "ok";
}

static const char *
by_slow(struct batch *b, uint32_t i, struct ag_value input, struct ag_value *ret)
{
    struct ref_error e;
    struct ag_value data;
    ref_use(b->ref, &b->slow[i].program, NULL);
    if (!ref_json(b->ref, b->policy[i].data, &data))
        return "internal";
    enum ref_code code = ref_query(b->ref, b->slow[i].query, input, data, false, NOW_NS, ret, &e);
    if (code != REF_OK)
        *ret = ag_err(AG_VERR_BUILTIN, 0);
    return ref_code_name(code);
}

static bool
accept(struct batch *b, uint32_t i)
{
    const struct gen_policy *g = &b->policy[i];
    if (!b->is_slow)
        return t_vm_compile(&b->vm[i], g->module, g->nmodules, g->query, g->data, false, 1);
    t_init(&b->slow[i]);
    memset(&b->vm[i], 0, sizeof b->vm[i]);
    if (t_load(&b->slow[i], g->module, g->nmodules, g->query))
        return true;
    t_first_error(&b->slow[i].diags, b->vm[i].why, sizeof b->vm[i].why);
    return false;
}

// A conflict is seen by whoever evaluates the rule: the other program's index leaves rules out that can
// have no result, ours computes partial documents whole. What one of them alone sees is counted, not judged.
static bool
is_conflict(const char *code)
{
    return strcmp(code, "eval_conflict_error") == 0;
}

static bool
is_conflict_of(struct ag_value code)
{
    return code.kind == AG_STRING && ag_str_is(ag_value_str(code), "eval_conflict_error");
}

static void
compare_pair(struct batch *b, uint32_t i, uint32_t input, struct ag_value row)
{
    struct ag_mem *m = ref_mem(b->ref);
    struct ag_value v, ours = ag_undef(), error = ag_object_get(m, row, AG_STR("error"));
    struct ag_value theirs = ag_object_get(m, row, AG_STR("result"));
    const char *code;
    bool same;
    if (!ref_json(b->ref, b->policy[i].input[input], &v))
        return;
    code = b->is_slow ? by_slow(b, i, v, &ours) : by_machine(b, i, v, &ours);
    b->pairs++;
    if (strcmp(code, "ok") != 0 || error.kind == AG_OBJECT) {
        struct ag_value their_code = ag_object_get(m, error, AG_STR("code"));
        same = their_code.kind == AG_STRING && ag_str_is(ag_value_str(their_code), code);
        if (!same && is_conflict(code) != is_conflict_of(their_code))
            b->lazy++;
        else if (!same)
            show_pair(b, i, input, ours, row, code);
        return;
    }
    ours = solutions(m, ours, true);
    same = ag_value_eq(m, ours, solutions(m, theirs, false));
    if (!same)
        show_pair(b, i, input, ours, theirs, code);
}

static void
compare_all(struct batch *b, size_t n)
{
    struct ag_value file;
    ref_begin(b->ref);
    if (!ref_json(b->ref, ag_str_of(b->reply, n), &file)) {
        printf("# the other program's answer is not JSON: %.*s\n", (int)(n < 300 ? n : 300), b->reply);
        b->bad++;
        return;
    }
    struct ag_mem *m = ref_mem(b->ref);
    struct ag_value rows = ag_object_get(m, file, AG_STR("result"));
    size_t mark = ag_arena_mark(m->arena);
    for (uint32_t k = 0; rows.kind == AG_ARRAY && k < rows.len; k++) {
        struct ag_value row = ag_value_at(m, rows, k), path = ag_object_get(m, row, AG_STR("path"));
        char name[200] = "";
        unsigned i, input;
        if (path.kind == AG_STRING && path.len < sizeof name)
            memcpy(name, path.p, path.len);
        const char *base = strrchr(name, '/');
        if (!base || sscanf(base, "/%u_%u.json", &i, &input) != 2 || i >= BATCH || input >= GEN_INPUTS)
            continue;
        compare_pair(b, i, input, row);
        ag_arena_reset(m->arena, mark);
    }
}

static void
run_batch(struct batch *b)
{
    char path[80];
    snprintf(b->dir, sizeof b->dir, "/tmp/difftest.XXXXXX");
    if (!mkdtemp(b->dir)) {
        perror(b->dir);
        exit(2);
    }
    for (int k = 0; k < 2; k++) {
        snprintf(path, sizeof path, "%s/%s", b->dir, k ? "inputs" : "policies");
        mkdir(path, 0700);
    }
    ag_arena_reset(b->texts, AG_ARENA_RESERVED);
    memset(b->differs, 0, sizeof b->differs);
    for (uint32_t i = 0; i < BATCH; i++) {
        struct gen_policy *g = &b->policy[i];
        char prefix[32];
        snprintf(prefix, sizeof prefix, "s%u_", i);
        gen_policy(b->texts, b->seed[i], prefix, b->without[i], g);
        b->is_ours[i] = accept(b, i);
        b->is_theirs[i] = true;
    }
    write_policies(b);
    ask_acceptance(b);
    for (uint32_t i = 0; i < BATCH; i++) {
        const struct gen_policy *g = &b->policy[i];
        b->refused += !b->is_ours[i] || !b->is_theirs[i];
        if (!b->is_ours[i] && b->is_theirs[i] && !b->is_quiet && b->only_theirs++ < SHOW_MAX)
            printf("# seed %llu: refused here alone: %s\n", (unsigned long long)b->seed[i], b->vm[i].why);
        for (uint32_t k = 0; b->is_ours[i] && b->is_theirs[i] && k < g->ninputs; k++) {
            FILE *f = create(b, "we", "inputs/%u_%u.json", i, k);
            fprintf(f, "{\"id\": %u, \"input\": %.*s}", i, (int)g->input[k].n, g->input[k].p);
            fclose(f);
        }
    }
    compare_all(b, command(b, "'%s' exec --decision main/result -b %s/policies %s/inputs 2>&1", b->program,
                           b->dir, b->dir));
    for (uint32_t i = 0; i < BATCH; i++) {
        if (b->is_slow)
            t_fini(&b->slow[i]);
        else
            t_vm_free(&b->vm[i]);
    }
    nftw(b->dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

// Leaves units of one policy out while the two still differ: a batch tries as many units as it has places.
static void
shrink(struct batch *b)
{
    bool without[GEN_UNITS] = {false};
    struct gen_policy g;
    b->is_quiet = true;
    ag_arena_reset(b->texts, AG_ARENA_RESERVED);
    gen_policy(b->texts, b->found, "", NULL, &g);
    for (uint32_t from = 0, n = g.nunits; from < n; from += BATCH) {
        uint32_t unit[BATCH];
        for (uint32_t i = 0; i < BATCH; i++) {
            unit[i] = n - 1 - (from + i < n ? from + i : n - 1);
            b->seed[i] = b->found;
            memcpy(b->without[i], without, sizeof without);
            b->without[i][unit[i]] = true;
        }
        run_batch(b);
        bool kept[BATCH], all[GEN_UNITS];
        memcpy(kept, b->differs, sizeof kept);
        memcpy(all, without, sizeof all);
        for (uint32_t i = 0; i < BATCH; i++) { // together: the first i of them that can go alone
            if (kept[i])
                all[unit[i]] = true;
            memcpy(b->without[i], all, sizeof all);
        }
        run_batch(b);
        for (uint32_t i = 0; i < BATCH; i++)
            if (b->differs[i])
                memcpy(without, b->without[i], sizeof without);
    }
    b->is_quiet = b->is_found = false;
    b->is_small = true;
    memset(b->without, 0, sizeof b->without);
    memcpy(b->without[0], without, sizeof without);
    for (uint32_t i = 0; i < BATCH; i++)
        b->seed[i] = b->found;
    run_batch(b);
    b->is_quiet = b->is_found = false;
    memset(b->without, 0, sizeof b->without);
}

int
opa_compare(struct ref *r, struct ag_arena *texts, const char *program, uint64_t npairs, uint64_t seed,
            bool is_slow)
{
    static struct batch b;
    uint64_t next = seed, pairs = 0;
    b.ref = r, b.texts = texts, b.program = program, b.is_slow = is_slow;
    b.reply = malloc(REPLY);
    while (b.reply && pairs < npairs && b.bad < SHOW_MAX) {
        for (uint32_t i = 0; i < BATCH; i++)
            b.seed[i] = next++;
        b.pairs = 0;
        run_batch(&b);
        pairs += b.pairs;
        if (b.is_found)
            shrink(&b);
    }
    free(b.reply);
    printf("# %llu pairs from seed %llu: %llu policies differ, %llu pairs in a conflict that one saw; %llu "
           "policies "
           "refused: %llu there alone, %llu here alone\n",
           (unsigned long long)pairs, (unsigned long long)seed, (unsigned long long)b.bad,
           (unsigned long long)b.lazy, (unsigned long long)b.refused, (unsigned long long)b.only_ours,
           (unsigned long long)b.only_theirs);
    printf("%sok 1 - the other implementation gives the same answers\n", b.bad ? "not " : "");
    printf("%sok 2 - and accepts the same policies\n1..2\n", b.only_ours + b.only_theirs ? "not " : "");
    return b.bad + b.only_ours + b.only_theirs != 0;
}
