// SPDX-License-Identifier: Apache-2.0
// Fuzz entry of the whole way from text to answer. In: a text cut by marker lines into modules and, once
// each, a policy, a query, a document and an input (struct parts). What must hold: compiling refuses with a
// message or makes an image that the verifier accepts; both levels of optimisation take the same programs and
// give every entrypoint the same value, error or decision; so do the modules in their canonical form. Built
// for libFuzzer, and as a plain test by replay.c. Next file to read: fuzz_dsl.c.
#include "compile.h"
#include "eval.h"
#include "fmt.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define MODULES_MAX 8u
#define FUEL        100000u
#define NOW_NS      INT64_C(1774008000123456789)
#define ANSWER_MAX  (1u << 16) // of all entrypoints of one image

// The text before the first marker is a module when a line of it begins with "package", else the policy.
struct parts {
    struct ag_str module[MODULES_MAX], policy, query, data, input;
    uint32_t nmodules;
    bool is_strict; // marker "--- strict": errors of built-ins are answers
    bool is_native; // marker "--- native": conflicts that can be seen are refused
};

// One image and what each of its entrypoints answers.
struct made {
    enum agc_result result;
    struct agc_job job;
    struct ag_buf answers;
    bool is_cut; // fuel or memory ended one of them
};

static char text[3][ANSWER_MAX];
static uint8_t memory[1u << 20] __attribute__((aligned(64)));
static struct ag_outcome outcome;

static bool
has_package(struct ag_str s)
{
    for (size_t i = 0; i + 8 < s.n; i++)
        if ((i == 0 || s.p[i - 1] == '\n') && memcmp(s.p + i, "package ", 8) == 0)
            return true;
    return false;
}

static void
take(struct parts *p, struct ag_str name, struct ag_str part)
{
    if (ag_str_is(name, "--- module") && p->nmodules < MODULES_MAX)
        p->module[p->nmodules++] = part;
    else if (ag_str_is(name, "--- policy"))
        p->policy = part;
    else if (ag_str_is(name, "--- query"))
        p->query = part;
    else if (ag_str_is(name, "--- data"))
        p->data = part;
    else if (ag_str_is(name, "--- input"))
        p->input = part;
    p->is_strict |= ag_str_is(name, "--- strict");
    p->is_native |= ag_str_is(name, "--- native");
}

static void
cut(struct parts *p, struct ag_str all)
{
    struct ag_str name = AG_STR("");
    size_t begin = 0;
    bool is_first = true;
    *p = (struct parts){.data = AG_STR("{}"), .input = AG_STR("null")};
    for (size_t at = 0; at <= all.n;) {
        const char *nl = at < all.n ? memchr(all.p + at, '\n', all.n - at) : NULL;
        size_t end = nl ? (size_t)(nl - all.p) : all.n;
        bool is_marker = end - at >= 4 && memcmp(all.p + at, "--- ", 4) == 0;
        if (is_marker || end == all.n) {
            struct ag_str part = ag_str_of(all.p + begin, (is_marker ? at : all.n) - begin);
            if (is_first && part.n)
                name = has_package(part) ? AG_STR("--- module") : AG_STR("--- policy");
            take(p, name, part);
            is_first = false;
            name = ag_str_of(all.p + at, end - at);
            begin = nl ? end + 1 : all.n;
            if (is_marker && end == all.n)
                take(p, name, AG_STR(""));
        }
        at = end + 1;
    }
}

// --- compiling

// Every place lies in its source, and a refusal has words.
static void
check_messages(const struct agc_job *j, enum agc_result result)
{
    if (result == AGC_DEFECT || (result == AGC_REFUSED) != agc_diags_failed(&j->diags))
        abort();
    for (uint32_t i = 0; i < j->diags.n; i++) {
        const struct agc_diag *d = &j->diags.v[i];
        if (d->span.begin > d->span.end || d->text.n == 0 || d->span.source >= j->sources.n ||
            d->span.end > j->sources.v[d->span.source].bytes.n)
            abort();
    }
}

static void
compile(struct made *m, const struct parts *p, int level)
{
    struct agc_job *j = &m->job;
    agc_job_init(j);
    j->level = level;
    j->is_rego = !p->is_native;
    j->strict_errors = p->is_strict;
    j->all_documents = p->nmodules > 0;
    if (p->policy.n)
        agc_source_add(&j->arena, &j->sources, AG_STR("policy.yaml"), p->policy);
    for (uint32_t i = 0; i < p->nmodules; i++)
        agc_source_add(&j->arena, &j->sources, AG_STR("fuzz.rego"), p->module[i]);
    agc_job_add_data(j, AG_STR("data.json"), p->data, NULL, 0);
    if (p->query.n)
        agc_job_add_query(j, p->query);
    m->result = agc_compile(j);
    check_messages(j, m->result);
}

// --- answers

static void
put_decision(struct ag_buf *out, const struct ag_outcome *o)
{
    ag_buf_str(out, ag_severity_text(o->decision));
    const struct ag_str words[] = {o->rule, o->reason, o->message, ag_risk_text(o->risk),
                                   ag_approval_text(o->approval)};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        ag_buf_char(out, ' ');
        ag_buf_str(out, words[i]);
    }
    for (uint32_t i = 0; i < o->nfindings; i++) {
        ag_buf_char(out, ' ');
        ag_buf_str(out, o->finding[i].message);
    }
    ag_buf_char(out, ' ');
    ag_buf_u64(out, o->neffects);
}

static void
put_value(struct ag_buf *out, const struct ag_call *c, struct ag_value v)
{
    if (v.kind == AG_UNDEF)
        ag_buf_lit(out, "undefined");
    else if (v.kind != AG_ERROR)
        ag_json_write_canonical(&c->mem, v, out);
    else
        ag_error_message(c, v, out);
}

static bool
answer(struct ag_buf *out, const struct ag_image *im, uint32_t entry, struct ag_value *regs, uint32_t nregs,
       struct ag_str json)
{
    struct ag_arena arena;
    struct ag_value input, v = ag_undef();
    struct ag_json_error e;
    ag_arena_init(&arena, memory, sizeof memory);
    struct ag_call c = {.im = im, .regs = regs, .nregs = nregs, .fuel = FUEL, .now_ns = NOW_NS};
    c.outcome = &outcome;
    c.mem = (struct ag_mem){.base = {im->heap, memory, (const uint8_t *)json.p}, .arena = &arena};
    if (ag_json_read(&c.mem, json, &input, &e) != AG_JSON_OK)
        input = ag_null();
    if (ag_eval(&c, entry, input, &v) != AG_EVAL_OK)
        return false;
    ag_buf_str(out, ag_image_str(im, im->entries[entry].name));
    ag_buf_lit(out, ": ");
    if (im->entries[entry].is_decision)
        put_decision(out, &outcome);
    else
        put_value(out, &c, v);
    ag_buf_char(out, '\n');
    return true;
}

// Entrypoints in the order of the image, which is that of their names.
static void
run(struct made *m, const struct parts *p)
{
    struct ag_image im;
    struct ag_image_error e;
    struct ag_str image = m->job.image;
    if (ag_image_open(image.p, image.n, &im, &e) != AG_IMAGE_OK || ag_image_verify(&im, &e) != AG_IMAGE_OK) {
        fprintf(stderr, "the image is refused at %llu: %s\n", (unsigned long long)e.offset, e.text);
        abort();
    }
    uint32_t nregs = im.meta->stack_regs + AG_REGS_MAX;
    struct ag_value *regs = malloc(nregs * sizeof *regs);
    for (uint32_t i = 0; regs && i < im.nentries; i++)
        m->is_cut |= !answer(&m->answers, &im, i, regs, nregs, p->input);
    free(regs);
}

// The modules in their canonical form. They are read again for it: joining modules changes their trees.
static void
format(struct agc_arena *a, struct parts *p)
{
    static const struct agc_segment whole = {0, 0};
    struct agc_sources *sources = agc_alloc(a, sizeof *sources);
    struct agc_diags *diags = agc_alloc(a, sizeof *diags);
    *sources = (struct agc_sources){0};
    agc_diags_init(diags, a, sources);
    for (uint32_t i = 0; i < p->nmodules; i++) {
        struct ag_str bytes = p->module[i];
        int ix = agc_source_add(a, sources, AG_STR("fuzz.rego"), bytes);
        struct agc_text t = {bytes, (uint32_t)ix, (uint32_t)bytes.n, 1, &whole};
        const struct agc_module *m = agc_parse_module(a, diags, &t);
        if (!m)
            abort(); // it compiled before
        p->module[i] = agc_fmt(a, sources, m);
    }
}

static void
compare(const struct made *a, const struct made *b, const char *what)
{
    if (a->result == b->result &&
        (a->is_cut || b->is_cut ||
         ag_str_eq(ag_str_of(a->answers.p, a->answers.n), ag_str_of(b->answers.p, b->answers.n))))
        return;
    fprintf(stderr, "%s:\n%.*s\nagainst\n%.*s\n", what, (int)a->answers.n, a->answers.p, (int)b->answers.n,
            b->answers.p);
    agc_diags_print((struct agc_diags *)(uintptr_t)&b->job.diags, AGC_TEXT, stderr);
    abort();
}

// Conflicts name lines, and the canonical form has others: " (lines 3 and 7)" is left out of all answers.
static void
leave_out_lines(struct ag_buf *b)
{
    static const char mark[] = " (line";
    size_t n = 0;
    for (size_t i = 0; i < b->n;) {
        char *end = b->n - i > sizeof mark && memcmp(b->p + i, mark, sizeof mark - 1) == 0
                        ? memchr(b->p + i, ')', b->n - i)
                        : NULL;
        if (end)
            i = (size_t)(end - b->p) + 1;
        else
            b->p[n++] = b->p[i++];
    }
    b->n = n;
}

static void
make(struct made *m, const struct parts *p, int level, char *mem)
{
    *m = (struct made){0};
    ag_buf_init(&m->answers, mem, ANSWER_MAX);
    compile(m, p, level);
    if (m->result == AGC_DONE)
        run(m, p);
    leave_out_lines(&m->answers);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct made plain, fast, formatted;
    struct agc_arena arena = {0};
    struct parts p;
    cut(&p, ag_str_of((const char *)data, n));
    make(&plain, &p, 0, text[0]);
    make(&fast, &p, 1, text[1]);
    compare(&plain, &fast, "the levels differ");
    if (fast.result == AGC_DONE && p.nmodules) {
        format(&arena, &p);
        make(&formatted, &p, 1, text[2]);
        compare(&fast, &formatted, "the canonical form differs");
        agc_job_fini(&formatted.job);
    }
    agc_job_fini(&plain.job);
    agc_job_fini(&fast.job);
    agc_arena_fini(&arena);
    return 0;
}
