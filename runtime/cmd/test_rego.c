// SPDX-License-Identifier: Apache-2.0
// Test rules of modules: rules whose name begins with test_ pass when their value is true; todo_test_ is
// skipped. aegisc --tests makes an entrypoint of each. A test with cases (test_x[name] if ..) passes when
// every case does; its list of cases is the entrypoint "..#cases". In: modules and documents. Out: results in
// the order of the source. Memory: malloc'd. Next file to read: compiler/test_rules.c, test_report.c.
#include "sources.h"
#include "test.h"

#include "buf.h"
#include "json.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define VALUE_MAX (1u << 20) // bytes of a test's value
#define CASES     "#cases"   // behind the name of a test: the set of its cases

struct runner {
    const struct agr_test *o;
    struct agr_results *results;
    const struct aegis_policy *policy;
    struct agr_sim sim;
    char *value, *cases; // VALUE_MAX bytes each
};

struct rule { // one test
    struct aegis_entry_info at;
    char *package, *name;
};

static char running[1024]; // name of the test that runs, for the alarm

static void
on_alarm(int signal)
{
    static const char before[] = "aegis: test: ", after[] = ": no end within --timeout\n";
    (void)signal;
    bool ok = write(STDERR_FILENO, before, sizeof before - 1) >= 0 &&
              write(STDERR_FILENO, running, strlen(running)) >= 0 &&
              write(STDERR_FILENO, after, sizeof after - 1) >= 0;
    _exit(ok ? AGR_EXIT_DENIED : AGR_EXIT_UNAVAILABLE);
}

static void
set_alarm(long seconds)
{
    const struct itimerval t = {.it_value = {.tv_sec = seconds}};
    setitimer(ITIMER_REAL, &t, NULL);
}

static int64_t
clock_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

// "data.a.test_x" or data.a["test_x#01"] in package and name; false when memory is out.
static bool
split(struct aegis_str s, char **ret_package, char **ret_name)
{
    size_t at = s.n, end = s.n;
    if (s.n > 2 && s.p[s.n - 1] == ']') {
        end -= 2;
        at = end;
        while (at > 1 && s.p[at - 1] != '"')
            at--;
        *ret_package = strndup(s.p, at - 2);
    } else {
        while (at > 1 && s.p[at - 1] != '.')
            at--;
        *ret_package = strndup(s.p, at - 1);
    }
    *ret_name = strndup(s.p + at, end - at);
    return *ret_package && *ret_name;
}

static bool
ends(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);
    return n >= m && strcmp(s + n - m, end) == 0;
}

static bool
is_true(struct ag_str s)
{
    return ag_str_is(s, "true");
}

// The value of one case in the test's object: steps is the array of its names.
static struct ag_str
value_of_case(struct ag_str object, struct ag_str steps)
{
    char key[1024];
    struct ag_str step;
    size_t at = 0;
    while (object.n && agr_json_item(steps, &at, &step)) {
        // The keys of an object in JSON are texts; agr_json_raw wants them without quotes.
        bool is_text = step.n >= 2 && step.p[0] == '"';
        snprintf(key, sizeof key, "%.*s", (int)(is_text ? step.n - 2 : step.n), step.p + is_text);
        object = agr_json_raw(object, key);
    }
    return object;
}

// A step of a case's name: the text of a string, escapes as in JSON; of anything else JSON with ' for ".
static void
put_step(struct ag_buf *b, struct ag_str step)
{
    bool is_text = step.n >= 2 && step.p[0] == '"';
    if (is_text)
        step = ag_str_of(step.p + 1, step.n - 2);
    for (size_t i = 0; i < step.n; i++)
        ag_buf_char(b, !is_text && step.p[i] == '"' ? '\'' : step.p[i]);
}

// Lines "  NAME: PASS"; counts the cases that fail.
static char *
judge_cases(struct ag_str object, struct ag_str list, unsigned *ret_failed)
{
    size_t size = 8 * list.n + 64, at = 0, from; // a case has at least four bytes in the list
    char *mem = malloc(size);
    struct ag_buf b;
    struct ag_str steps, step;
    if (!mem)
        return NULL;
    ag_buf_init(&b, mem, size - 1);
    while (agr_json_item(list, &at, &steps)) {
        bool ok = is_true(value_of_case(object, steps));
        from = 0;
        ag_buf_lit(&b, "  ");
        for (unsigned i = 0; agr_json_item(steps, &from, &step); i++) {
            if (i)
                ag_buf_char(&b, '/');
            put_step(&b, step);
        }
        ag_buf_str(&b, ok ? AG_STR(": PASS\n") : AG_STR(": FAIL\n"));
        *ret_failed += !ok;
    }
    mem[b.n] = 0;
    return mem;
}

static enum aegis_status
value_of(struct runner *r, const char *entry, char *out, size_t *ret_n, struct aegis_error *e)
{
    return aegis_ctx_eval_json(r->sim.ctx, r->sim.slot, entry, NULL, 0, out, VALUE_MAX, ret_n, e);
}

// Evaluates the cases of the test called `entry`; false: it has none.
static bool
run_cases(struct runner *r, const char *entry, size_t value_n, struct agr_result *c)
{
    char name[1100];
    struct aegis_error e = {.size = sizeof e};
    size_t n;
    unsigned failed = 0;
    bool is_quoted = ends(entry, "\"]");
    const char *dot = strrchr(entry, '.');
    if (is_quoted || !dot)
        return false;
    snprintf(name, sizeof name, "%.*s[\"%s" CASES "\"]", (int)(dot - entry), entry, dot + 1);
    enum aegis_status s = value_of(r, name, r->cases, &n, &e);
    if (s == AEGIS_NO_ENTRY)
        return false;
    if (s != AEGIS_OK) {
        c->outcome = AGR_TEST_ERROR;
        c->why = strdup(e.text);
        return true;
    }
    c->cases = judge_cases(ag_str_of(r->value, value_n), ag_str_of(r->cases, n), &failed);
    c->outcome = failed || n <= 2 ? AGR_TEST_FAILED : AGR_TEST_PASSED;
    if (c->outcome == AGR_TEST_FAILED)
        c->why = strdup(failed ? "a case fails" : "there is no case");
    return true;
}

static void
judge(struct runner *r, const char *entry, struct agr_result *c)
{
    struct aegis_error e = {.size = sizeof e};
    size_t n = 0;
    enum aegis_status s = value_of(r, entry, r->value, &n, &e);
    if (s != AEGIS_OK) {
        c->outcome = AGR_TEST_ERROR;
        c->why = strdup(e.text);
    } else if (run_cases(r, entry, n, c)) {
        return;
    } else if (!is_true(ag_str_of(r->value, n))) {
        char text[256];
        snprintf(text, sizeof text, n ? "the value is %.*s, not true" : "undefined%.*s",
                 (int)(n < 160 ? n : 160), r->value);
        c->outcome = AGR_TEST_FAILED;
        c->why = strdup(text);
    }
}

static bool
run_rule(struct runner *r, const struct rule *t)
{
    char entry[1024];
    struct agr_result c = {.file = strndup(t->at.source.p ? t->at.source.p : "", t->at.source.n),
                           .name = strdup(t->name),
                           .package = strdup(t->package),
                           .line = t->at.line,
                           .column = t->at.column};
    if ((size_t)snprintf(entry, sizeof entry, "%.*s", (int)t->at.name.n, t->at.name.p) >= sizeof entry) {
        c.outcome = AGR_TEST_ERROR;
        c.why = strdup("the name is too long");
    } else if (strncmp(t->name, "todo_", 5) == 0) {
        c.outcome = AGR_TEST_SKIPPED;
    } else {
        snprintf(running, sizeof running, "%s", entry);
        set_alarm(r->o->timeout_s);
        int64_t begin = clock_now();
        judge(r, entry, &c);
        c.ns = clock_now() - begin;
        set_alarm(0);
    }
    return agr_results_add(r->results, &c);
}

// --- the tests of an image, by file and line
static int
by_place(const void *a, const void *b)
{
    const struct rule *x = a, *y = b;
    size_t n = x->at.source.n < y->at.source.n ? x->at.source.n : y->at.source.n;
    int c = n ? memcmp(x->at.source.p, y->at.source.p, n) : 0;
    if (!c)
        c = (x->at.source.n > y->at.source.n) - (x->at.source.n < y->at.source.n);
    if (!c)
        c = (x->at.line > y->at.line) - (x->at.line < y->at.line);
    if (!c)
        c = (x->at.column > y->at.column) - (x->at.column < y->at.column);
    return c ? c : strcmp(x->name, y->name);
}

static bool
is_wanted(const struct runner *r, const struct rule *t)
{
    if (ends(t->name, CASES))
        return false;
    return !r->o->only || regexec(r->o->only, t->name, 0, NULL, 0) == 0 ||
           regexec(r->o->only, t->package, 0, NULL, 0) == 0;
}

static struct rule *
list(const struct runner *r, size_t *ret_n)
{
    struct aegis_policy_info info = {.size = sizeof info};
    aegis_policy_info(r->policy, &info);
    struct rule *all = calloc(info.entries + 1, sizeof *all);
    size_t n = 0;
    for (uint32_t i = 0; all && i < info.entries; i++) {
        struct rule *t = &all[n];
        *t = (struct rule){.at = {.size = sizeof t->at}};
        aegis_policy_entry(r->policy, i, &t->at);
        if (t->at.is_decision)
            continue;
        if (!split(t->at.name, &t->package, &t->name)) {
            *ret_n = n;
            return NULL;
        }
        if (is_wanted(r, t)) {
            n++;
        } else {
            free(t->package);
            free(t->name);
        }
    }
    if (all)
        qsort(all, n, sizeof *all, by_place);
    *ret_n = n;
    return all;
}

static bool
run_rules(struct runner *r)
{
    size_t n = 0;
    struct rule *all = list(r, &n);
    bool ok = all != NULL, is_terminal = isatty(STDERR_FILENO) && n > 1;
    int64_t begin = clock_now();
    for (size_t i = 0; ok && i < n; i++) {
        if (is_terminal && clock_now() - begin > 1000000000) { // a run that takes long says where it is
            fprintf(stderr, "\r%zu of %zu tests", i, n);
            begin += 200000000;
        }
        ok = run_rule(r, &all[i]);
    }
    if (is_terminal)
        fputs("\r\033[K", stderr);
    for (size_t i = 0; all && i < n; i++) {
        free(all[i].package);
        free(all[i].name);
    }
    free(all);
    return ok;
}

bool
agr_test_modules(const struct agr_sources *s, const struct agr_test *o, struct agr_results *results,
                 int *ret_exit)
{
    static const char *const fast[] = {"--rego", "--tests", NULL}, *const plain[] = {"--rego", "--tests",
                                                                                     "-O0", NULL};
    struct runner r = {.o = o, .results = results, .value = malloc(VALUE_MAX), .cases = malloc(VALUE_MAX)};
    struct agr_refusal refusal;
    uint8_t *hit = NULL;
    struct aegis_policy *p = agr_sources_compile(s, o->has_coverage ? plain : fast, &refusal);
    bool ok = false;
    results->nmodules = s->modules.n;
    if (!p) {
        fputs(refusal.text ? refusal.text : "", stderr);
        if (refusal.code == -1)
            agr_die(0, "test: the compiler did not finish");
        *ret_exit = refusal.code == 1 ? AGR_EXIT_DENIED : AGR_EXIT_UNAVAILABLE;
        free(refusal.text);
        goto out;
    }
    r.policy = p;
    *ret_exit = AGR_EXIT_UNAVAILABLE;
    if (!r.value || !r.cases || !agr_sim_open_large(&r.sim, p, 0))
        goto out;
    if (o->has_coverage) {
        hit = calloc(aegis_policy_instructions(p) + 1u, 1);
        aegis_ctx_cover(r.sim.ctx, hit);
    }
    signal(SIGALRM, on_alarm);
    ok =
        (hit || !o->has_coverage) && run_rules(&r) && (!hit || agr_coverage_read(&results->coverage, p, hit));
    aegis_ctx_cover(r.sim.ctx, NULL);
    if (!ok)
        agr_die(0, "test: more than %u tests, or out of memory", AGR_CASES_MAX);
    agr_sim_close(&r.sim);
out:
    free(hit);
    free(r.value);
    free(r.cases);
    return ok;
}
