// SPDX-License-Identifier: Apache-2.0
// Runs a directory of conformance cases (one JSON file for each folder of cases) through the compiler and the
// machine, or through the slow evaluator, and judges the answers.
// In: DIR and options. Out: a line for each folder, or TAP for the folders that have to be complete; exit 1
// when a wanted folder is not. Memory: one arena, reset for each case. Next file to read: judge.c.
#include "judge.h"
#include "fmt.h"
#include "../diff/load.h"
#include "../diff/ref_eval.h"
#include "../diff/run_vm.h"
#include "aegis_crypto.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define VALUES     ((size_t)2 << 30)            // address space for the values of one case
#define FILE_MAX   (64u << 20)                  // bytes of one file of cases
#define NAMES_MAX  512u                         // files of a directory
#define NOW_NS     INT64_C(1767225600000000000) // the clock of every case
#define REASON_MAX 4096u

struct options {
    const char *dir, *folder, *complete, *only;
    bool is_ref, lists_failures, is_table, formats;
    int level;
};

struct count {
    char name[64];
    uint32_t passed, failed, refused;
};

struct run {
    const struct options *o;
    struct ref *ref;
    struct count *count;
};

enum verdict { PASSED, FAILED, REFUSED };

static const char *
ends_in(const char *name, const char *tail)
{
    size_t n = strlen(name), k = strlen(tail);
    return n > k && strcmp(name + n - k, tail) == 0 ? name + n - k : NULL;
}

static struct ag_str
read_file(const char *path)
{
    struct stat st;
    FILE *f = fopen(path, "rbe");
    char *p = NULL;
    size_t n = 0;
    if (f && fstat(fileno(f), &st) == 0 && st.st_size <= FILE_MAX && (p = malloc((size_t)st.st_size + 1)))
        n = fread(p, 1, (size_t)st.st_size, f);
    if (f)
        fclose(f);
    return ag_str_of(p, n);
}

// --- one case
static struct ag_str
json_text(const struct ag_mem *m, struct ag_value v)
{
    struct ag_buf b;
    ag_buf_init(&b, malloc(FILE_MAX), FILE_MAX);
    ag_json_write(m, v, &b, 0);
    return ag_str_of(b.p, b.n);
}

static void
place(const struct agc_sources *s, struct agc_span span, char *buf, size_t size)
{
    uint32_t line, column;
    agc_source_place(s, span, &line, &column);
    struct ag_str name = s->v[span.source].name;
    snprintf(buf, size, "%.*s:%u", (int)name.n, name.p, line);
}

static enum verdict
by_reference(struct run *run, const struct c_case *c, struct ag_value input, struct c_answer *ret, char *why,
             struct t_vm *vm)
{
    struct t_program t;
    struct ref_error e;
    enum verdict v = PASSED;
    char at[200];
    t_init(&t);
    if (!t_load(&t, c->module, c->nmodules, c->query)) {
        t_first_error(&t.diags, why, REASON_MAX);
        v = t_is_refused(&t.diags) ? REFUSED : FAILED;
        t_fini(&t);
        return v;
    }
    // an image lends its time zones, nothing else
    struct ag_str data = json_text(ref_mem(run->ref), c->data);
    bool has_image = t_vm_compile(vm, c->module, c->nmodules, c->query, data, c->is_strict, 0);
    free((void *)(uintptr_t)data.p);
    ref_use(run->ref, &t.program, has_image ? &vm->im : NULL);
    ref_machine(run->ref)->crypto = aegis_crypto_openssl();
    enum ref_code code =
        ref_query(run->ref, t.query, input, c->data, c->is_strict, NOW_NS, &ret->solutions, &e);
    ret->is_error = code != REF_OK;
    if (ret->is_error) {
        place(&t.sources, e.span, at, sizeof at);
        snprintf(why, REASON_MAX, "%s: %s: %s", at, ref_code_name(code), e.text);
        ret->code = ag_str_z(ref_code_name(code));
        ret->text = ag_value_str(ag_string_copy(ref_mem(run->ref), ag_str_z(why)));
    }
    t_fini(&t);
    return v;
}

static enum verdict
by_machine(struct run *run, const struct c_case *c, struct ag_value input, struct c_answer *ret, char *why,
           struct t_vm *vm)
{
    struct ag_str data = json_text(ref_mem(run->ref), c->data);
    bool ok = t_vm_compile(vm, c->module, c->nmodules, c->query, data, c->is_strict, run->o->level);
    free((void *)(uintptr_t)data.p);
    if (!ok) {
        snprintf(why, REASON_MAX, "%s", vm->why);
        return t_is_refused(&vm->job.diags) ? REFUSED : FAILED;
    }
    vm->call.crypto = aegis_crypto_openssl();
    if (!t_vm_run(vm, ref_mem(run->ref), input, NOW_NS, &ret->solutions)) {
        snprintf(why, REASON_MAX, "%s", vm->why);
        return FAILED;
    }
    ret->is_error = ret->solutions.kind == AG_ERROR;
    if (ret->is_error) {
        struct ag_buf b;
        ag_buf_init(&b, why, REASON_MAX - 1);
        ag_error_text(&vm->call, ret->solutions, &b);
        ret->code = ag_str_z(ag_error_code(ret->solutions));
        ret->text = ag_value_str(ag_string_copy(ref_mem(run->ref), ag_str_of(b.p, b.n)));
    }
    return PASSED;
}

// Every module in its canonical text. False: a module cannot be read.
static bool
format_all(struct t_program *t, struct c_case *c)
{
    for (uint32_t i = 0; i < c->nmodules; i++) {
        struct agc_text text = t_source(t, "module", c->module[i]);
        const struct agc_module *m = agc_parse_module(&t->arena, &t->diags, &text);
        if (!m)
            return false;
        c->module[i] = agc_fmt(&t->arena, &t->sources, m);
    }
    return true;
}

static bool
input_of(struct run *run, struct c_case *c)
{
    struct t_program t;
    bool ok = true;
    if (!c->input_term.p)
        return true;
    t_init(&t);
    struct agc_text text = t_source(&t, "input", c->input_term);
    struct agc_node *term = agc_parse_term(&t.arena, &t.diags, &text);
    ok = term && ref_ground(run->ref, term, &c->input);
    t_fini(&t);
    return ok;
}

static enum verdict
one_case(struct run *run, struct ag_value json, char *why)
{
    struct c_case c;
    struct c_answer got = {0};
    struct t_vm vm = {0};
    const char *reason = NULL;
    struct ag_mem *m = ref_mem(run->ref);
    if (!c_read(m, json, &c, &reason) || !input_of(run, &c)) {
        snprintf(why, REASON_MAX, "%s", reason ? reason : "the input term cannot be read");
        return FAILED;
    }
    struct t_program formatted;
    t_init(&formatted);
    if (run->o->formats && !format_all(&formatted, &c)) {
        t_first_error(&formatted.diags, why, REASON_MAX);
        t_fini(&formatted);
        return FAILED;
    }
    enum verdict v = run->o->is_ref ? by_reference(run, &c, c.input, &got, why, &vm)
                                    : by_machine(run, &c, c.input, &got, why, &vm);
    if (v == PASSED) {
        char words[REASON_MAX];
        reason = c_judge(m, &c, &got, words, sizeof words);
        if (reason) {
            snprintf(why, REASON_MAX, "%s", reason);
            v = FAILED;
        }
    }
    t_vm_free(&vm);
    t_fini(&formatted);
    return v;
}

// --- a file of cases
static void
report(const struct options *o, struct ag_str id, enum verdict v, const char *why)
{
    if (!o->lists_failures || v == PASSED)
        return;
    printf("# %s %.*s: %s\n", v == FAILED ? "FAILED" : "refused", (int)id.n, id.p, why);
    fflush(stdout);
}

static bool
run_file(struct run *run, struct ag_str text)
{
    struct ag_value file;
    uint32_t n = 1;
    for (uint32_t i = 0; i < n; i++) { // read again for each case: values of the case before are gone
        char why[REASON_MAX] = "";
        ref_begin(run->ref);
        if (!ref_json(run->ref, text, &file))
            return false;
        struct ag_mem *m = ref_mem(run->ref);
        struct ag_value cases = ag_object_get(m, file, AG_STR("cases"));
        n = cases.kind == AG_ARRAY ? cases.len : 0;
        if (i >= n)
            break;
        struct ag_value json = ag_value_at(m, cases, i), id = ag_object_get(m, json, AG_STR("id"));
        if (run->o->only && !ag_str_is(ag_value_str(id), run->o->only))
            continue;
        enum verdict v = one_case(run, json, why);
        run->count->passed += v == PASSED;
        run->count->failed += v == FAILED;
        run->count->refused += v == REFUSED;
        report(run->o, ag_value_str(id), v, why);
    }
    return true;
}

static int
by_name(const void *a, const void *b)
{
    return strcmp(((const struct count *)a)->name, ((const struct count *)b)->name);
}

static uint32_t
find_folders(const struct options *o, struct count *ret)
{
    uint32_t n = 0;
    DIR *d = opendir(o->dir);
    for (struct dirent *e; d && n < NAMES_MAX && (e = readdir(d));) {
        const char *tail = ends_in(e->d_name, ".json");
        size_t len = tail ? (size_t)(tail - e->d_name) : 0;
        if (!tail || len >= sizeof ret->name || strcmp(e->d_name, "tiers.json") == 0)
            continue;
        memset(&ret[n], 0, sizeof ret[n]);
        memcpy(ret[n].name, e->d_name, len);
        if (!o->folder || strcmp(o->folder, ret[n].name) == 0)
            n++;
    }
    if (d)
        closedir(d);
    qsort(ret, n, sizeof *ret, by_name);
    return n;
}

// --- results
static void
print_counts(const struct options *o, const struct count *c, uint32_t n)
{
    struct count sum = {.name = "all"};
    if (o->is_table)
        puts("| cases | passed | failed | refused | of |\n|---|---:|---:|---:|---:|");
    for (uint32_t i = 0; i <= n; i++) {
        const struct count *row = i < n ? &c[i] : &sum;
        uint32_t all = row->passed + row->failed + row->refused;
        printf(o->is_table ? "| %s | %u | %u | %u | %u |\n"
                           : "%-36s %5u passed %5u failed %5u refused of %5u\n",
               row->name, row->passed, row->failed, row->refused, all);
        sum.passed += row->passed, sum.failed += row->failed, sum.refused += row->refused;
    }
}

// TAP for the folders that are named in the file: each has to be complete.
static int
check_complete(const char *path, const struct count *c, uint32_t n)
{
    char line[128];
    int count = 0, bad = 0;
    FILE *f = fopen(path, "re");
    if (!f) {
        perror(path);
        return 2;
    }
    while (fgets(line, sizeof line, f)) {
        line[strcspn(line, "\r\n")] = 0;
        if (!line[0] || line[0] == '#')
            continue;
        uint32_t i = 0;
        while (i < n && strcmp(c[i].name, line) != 0)
            i++;
        bool ok = i < n && c[i].failed + c[i].refused == 0;
        bad += !ok;
        printf("%sok %d - %s: %u of %u\n", ok ? "" : "not ", ++count, line, i < n ? c[i].passed : 0,
               i < n ? c[i].passed + c[i].failed + c[i].refused : 0);
    }
    fclose(f);
    printf("1..%d\n", count);
    return bad != 0;
}

static bool
parse_options(int argc, char **argv, struct options *o)
{
    *o = (struct options){.level = 1};
    for (int i = 1; i < argc; i++) {
        const char *a = argv[i];
        if (strcmp(a, "--ref") == 0)
            o->is_ref = true;
        else if (strcmp(a, "-O0") == 0)
            o->level = 0;
        else if (strcmp(a, "--list-failures") == 0)
            o->lists_failures = true;
        else if (strcmp(a, "--fmt") == 0)
            o->formats = true;
        else if (strcmp(a, "--table") == 0)
            o->is_table = true;
        else if (strcmp(a, "--folder") == 0 && i + 1 < argc)
            o->folder = argv[++i];
        else if (strcmp(a, "--only") == 0 && i + 1 < argc)
            o->only = argv[++i];
        else if (strcmp(a, "--complete") == 0 && i + 1 < argc)
            o->complete = argv[++i];
        else if (a[0] != '-' && !o->dir)
            o->dir = a;
        else
            return false;
    }
    return o->dir != NULL;
}

int
main(int argc, char **argv)
{
    static struct count count[NAMES_MAX];
    struct options o;
    if (!parse_options(argc, argv, &o)) {
        fputs("usage: conformance DIR [--ref] [-O0] [--fmt] [--list-failures] [--table] [--complete FILE]\n"
              "                   [--folder NAME] [--only ID]\n",
              stderr);
        return 2;
    }
    struct run run = {.o = &o, .ref = ref_new(VALUES)};
    uint32_t n = find_folders(&o, count);
    int status = n ? 0 : 2;
    if (!run.ref || !n)
        fprintf(stderr, "conformance: no cases in %s, or no memory\n", o.dir);
    for (uint32_t i = 0; run.ref && i < n; i++) {
        char path[4096];
        if ((size_t)snprintf(path, sizeof path, "%s/%s.json", o.dir, count[i].name) >= sizeof path)
            continue;
        struct ag_str text = read_file(path);
        run.count = &count[i];
        if (!run_file(&run, text)) {
            fprintf(stderr, "conformance: %s cannot be read\n", path);
            status = 2;
        }
        free((void *)(uintptr_t)text.p);
    }
    ref_free(run.ref);
    if (o.complete && !status)
        return check_complete(o.complete, count, n);
    print_counts(&o, count, n);
    return status;
}
