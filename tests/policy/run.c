// SPDX-License-Identifier: Apache-2.0
// Runs tests/policy/*.case: policy text, clock and inputs in, decisions out. Every case runs through the
// whole compiler, optimised and not, and through the machine; both images must give the expected answer.
//
//   policy:                      the following lines that begin with a blank are the policy (their
//   indentation is cut) policy-file: NAME            a policy beside the case file, or under the shared
//   vectors when it begins with $SHARED/ entry: evaluate              entrypoint, decide when not given now:
//   2026-03-20T12:00:00Z    clock, kept for what follows warns: ID                    the compiler must warn
//   about this; no-warning: ID must not input: {...}                 one JSON value expect: allow rule=x
//   reason=y risk=low approval=auto status=pause gate.risk=0.0036 state.risk=fail effects=1
//
// In: case files. Out: TAP. Memory: one job per policy. Next file to read: decide.h.
#include "compile.h"
#include "crypto.h"
#include "gates.h"

#include "../unit/t.h"
#include "decide.h"

#include <math.h>

#define LINE_MAX_BYTES 65536

struct run {
    const char *dir, *file;
    unsigned line;
    char *policy; // text of the current policy
    size_t policy_n;
    struct agc_job job[2];
    struct tm machine[2];
    bool is_open;
    char entry[64];
    char input[LINE_MAX_BYTES];
    int64_t now;
};

static int64_t
days_from_civil(int64_t y, unsigned m, unsigned d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    unsigned yoe = (unsigned)(y - era * 400), doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
    return era * 146097 + (int64_t)(yoe * 365 + yoe / 4 - yoe / 100 + doy) - 719468;
}

static bool
parse_now(const char *s, int64_t *ret)
{
    int y, mo, d, h, mi, se;
    if (sscanf(s, "%d-%d-%dT%d:%d:%dZ", &y, &mo, &d, &h, &mi, &se) != 6)
        return false;
    int64_t t = days_from_civil(y, (unsigned)mo, (unsigned)d) * 86400 + h * 3600 + mi * 60 + se;
    *ret = t * 1000000000;
    return true;
}

static void
close_policy(struct run *r)
{
    for (int i = 0; r->is_open && i < 2; i++) {
        tm_close(&r->machine[i]);
        agc_job_fini(&r->job[i]);
    }
    r->is_open = false;
}

static void
open_policy(struct run *r)
{
    bool ok = true;
    r->is_open = true;
    for (int i = 0; i < 2; i++) {
        struct agc_job *j = &r->job[i];
        agc_job_init(j);
        j->level = i;
        agc_source_add(&j->arena, &j->sources, AG_STR("policy.yaml"), ag_str_of(r->policy, r->policy_n));
        memset(&r->machine[i], 0, sizeof r->machine[i]);
        if (agc_compile(j) != AGC_DONE) {
            agc_diags_print(&j->diags, AGC_TEXT, stdout);
            ok = false;
        } else if (!tm_open(&r->machine[i], j->image)) {
            printf("# %s\n", r->machine[i].why);
            ok = false;
        }
    }
    OK(ok, "%s:%u: the policy compiles and its image is accepted", r->file, r->line);
}

static bool
has_warning(const struct run *r, const char *id)
{
    for (uint32_t i = 0; i < r->job[1].diags.n; i++)
        if (strcmp(agc_diag_name(r->job[1].diags.v[i].id), id) == 0)
            return true;
    return false;
}

static bool
gate_named(const char *name, unsigned *ret)
{
    for (unsigned g = 0; g < AG_GATES; g++)
        if (strcmp(ag_gate_name(g), name) == 0) {
            *ret = g;
            return true;
        }
    return false;
}

static bool
near(double got, const char *want)
{
    double w = strtod(want, NULL);
    return fabs(got - w) <= 1e-12 * fmax(1, fabs(w));
}

// One word of an expectation.
static bool
holds(const struct ag_outcome *o, const char *key, const char *value)
{
    unsigned g;
    char text[40];
    if (strcmp(key, "rule") == 0)
        return ag_str_is(o->rule, value);
    if (strcmp(key, "reason") == 0)
        return ag_str_is(o->reason, value);
    if (strcmp(key, "risk") == 0)
        return ag_str_is(ag_risk_text(o->risk), value);
    if (strcmp(key, "approval") == 0)
        return ag_str_is(ag_approval_text(o->approval), value);
    if (strcmp(key, "status") == 0)
        return strcmp(ag_gov_status_name((uint32_t)o->status), value) == 0;
    if (strcmp(key, "confidence") == 0)
        return near(o->confidence, value);
    if (strcmp(key, "kl") == 0)
        return near(o->drift.kl, value);
    if (strcmp(key, "effects") == 0) {
        snprintf(text, sizeof text, "%u", o->neffects);
        return strcmp(text, value) == 0;
    }
    if (strncmp(key, "gate.", 5) == 0 && gate_named(key + 5, &g))
        return near(o->gate[g].value, value);
    if (strncmp(key, "state.", 6) == 0 && gate_named(key + 6, &g))
        return strcmp(ag_gate_state_name(o->gate[g].state), value) == 0;
    return false;
}

static void
check(struct run *r, char *expect)
{
    for (int level = 0; level < 2; level++) {
        struct tm *m = &r->machine[level];
        char copy[LINE_MAX_BYTES], *save = NULL;
        bool ok = m->call.im && tm_run(m, r->entry, ag_str_z(r->input), r->now);
        snprintf(copy, sizeof copy, "%s", expect);
        for (char *w = strtok_r(copy, " ", &save); ok && w; w = strtok_r(NULL, " ", &save)) {
            char *eq = strchr(w, '=');
            if (eq)
                *eq = '\0';
            ok = eq ? holds(&m->outcome, w, eq + 1) : ag_str_is(ag_severity_text(m->outcome.decision), w);
            if (!ok)
                printf("# not so: %s%s%s\n", w, eq ? "=" : "", eq ? eq + 1 : "");
        }
        if (!OK(ok, "%s:%u: -O%d %s", r->file, r->line, level, expect) && m->call.im) {
            struct ag_str d = ag_severity_text(m->outcome.decision);
            printf("# %s; got %.*s rule=%.*s reason=%.*s\n", m->why, (int)d.n, d.p, (int)m->outcome.rule.n,
                   m->outcome.rule.p, (int)m->outcome.reason.n, m->outcome.reason.p);
        }
    }
}

static bool
load_file(struct run *r, const char *name)
{
    char path[1024];
    const char *shared = getenv("AEGIS_SHARED");
    if (strncmp(name, "$SHARED/", 8) == 0)
        snprintf(path, sizeof path, "%s/%s", shared ? shared : "none", name + 8);
    else
        snprintf(path, sizeof path, "%s/%s", r->dir, name);
    FILE *f = fopen(path, "r");
    if (!f)
        return false;
    free(r->policy);
    r->policy = malloc(1u << 20);
    r->policy_n = fread(r->policy, 1, 1u << 20, f);
    fclose(f);
    return true;
}

// The value after "key:", or NULL when the line is another.
static char *
after(char *line, const char *key)
{
    size_t n = strlen(key);
    if (strncmp(line, key, n) != 0 || line[n] != ':')
        return NULL;
    return line + n + 1 + (line[n + 1] == ' ');
}

static void
take_line(struct run *r, char *line)
{
    char *v;
    if ((v = after(line, "now")))
        OK(parse_now(v, &r->now), "%s:%u: clock %s", r->file, r->line, v);
    else if ((v = after(line, "entry")))
        snprintf(r->entry, sizeof r->entry, "%s", v);
    else if ((v = after(line, "input")))
        snprintf(r->input, sizeof r->input, "%s", v);
    else if ((v = after(line, "expect")))
        check(r, v);
    else if ((v = after(line, "warns")))
        OK(has_warning(r, v), "%s:%u: warning %s", r->file, r->line, v);
    else if ((v = after(line, "no-warning")))
        OK(!has_warning(r, v), "%s:%u: no warning %s", r->file, r->line, v);
    else if (line[0] && line[0] != '#')
        OK(false, "%s:%u: the line can be read", r->file, r->line);
}

// A policy block ends at the first line that is not indented.
static void
run_file(struct run *r, FILE *f)
{
    static char line[LINE_MAX_BYTES];
    bool in_policy = false, skip = false;
    while (fgets(line, sizeof line, f)) {
        size_t n = strlen(line);
        char *v;
        r->line++;
        if (in_policy && (line[0] == ' ' || line[0] == '\n')) {
            size_t cut = 0;
            while (cut < 2 && line[cut] == ' ')
                cut++;
            memcpy(r->policy + r->policy_n, line + cut, n - cut);
            r->policy_n += n - cut;
            continue;
        }
        if (in_policy)
            open_policy(r);
        in_policy = false;
        if (n && line[n - 1] == '\n')
            line[n - 1] = '\0';
        if (strcmp(line, "policy:") == 0) {
            close_policy(r);
            free(r->policy);
            r->policy = malloc(1u << 20);
            r->policy_n = 0;
            snprintf(r->entry, sizeof r->entry, "decide");
            in_policy = true;
            skip = false;
        } else if ((v = after(line, "policy-file"))) {
            close_policy(r);
            snprintf(r->entry, sizeof r->entry, "decide");
            skip = !load_file(r, v);
            if (skip)
                t_skip("the policy file is not here");
            else
                open_policy(r);
        } else if (!skip)
            take_line(r, line);
    }
    close_policy(r);
}

int
main(int argc, char **argv)
{
    if (argc < 3 || !ag_crypto_init())
        return 2;
    for (int i = 2; i < argc; i++) {
        char path[1024];
        struct run *r = calloc(1, sizeof *r);
        r->dir = argv[1];
        r->file = argv[i];
        snprintf(path, sizeof path, "%s/%s", r->dir, r->file);
        FILE *f = fopen(path, "r");
        if (!OK(f != NULL, "%s can be read", path)) {
            free(r);
            continue;
        }
        run_file(r, f);
        fclose(f);
        free(r->policy);
        free(r);
    }
    return t_done();
}
