// SPDX-License-Identifier: Apache-2.0
// Lowering of modules: what it refuses and at which bound, base documents, entrypoints. What modules mean is
// held by the conformance cases and the differential test.
#include "compile.h"
#include "crypto.h"
#include "eval.h"
#include "limits.h"
#include "t.h"

#define ARENA ((size_t)16 << 20)

static char text[1 << 20];
static size_t used;

__attribute__((format(printf, 1, 2))) static void
say(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text + used, sizeof text - used, fmt, ap);
    va_end(ap);
    used += n > 0 ? (size_t)n : 0;
}

static enum agc_result
compile(struct agc_job *j, const char *query)
{
    agc_job_init(j);
    j->is_rego = true;
    agc_source_add(&j->arena, &j->sources, AG_STR("m.rego"), ag_str_of(text, used));
    agc_job_add_query(j, ag_str_z(query));
    return agc_compile(j);
}

// The value of the query's only variable in its first solution, as JSON; "none" when there is none.
static const char *
answer(const struct agc_job *j)
{
    static char out[4096];
    struct ag_image im;
    struct ag_image_error why;
    struct ag_arena arena;
    struct ag_buf b;
    struct ag_value v = ag_undef();
    if (ag_image_open(j->image.p, j->image.n, &im, &why) != AG_IMAGE_OK ||
        ag_image_verify(&im, &why) != AG_IMAGE_OK)
        return "no image";
    void *mem = malloc(ARENA);
    struct ag_call c = {.im = &im, .nregs = im.meta->stack_regs + AG_REGS_MAX, .fuel = im.meta->fuel};
    c.regs = calloc(c.nregs, sizeof *c.regs);
    ag_arena_init(&arena, mem, ARENA);
    c.mem.arena = &arena;
    enum ag_eval_status st = ag_eval(&c, ag_entry_find(&im, AG_STR("query")), ag_undef(), &v);
    ag_buf_init(&b, out, sizeof out - 1);
    if (st != AG_EVAL_OK)
        ag_buf_lit(&b, "stopped");
    else if (v.kind == AG_ERROR)
        ag_error_text(&c, v, &b);
    else if (v.len == 0)
        ag_buf_lit(&b, "none");
    else {
        struct ag_value all = ag_object_get(&c.mem, ag_value_at(&c.mem, v, 0), AG_STR("bindings"));
        ag_json_write_canonical(&c.mem, ag_value_at(&c.mem, all, 0), &b);
    }
    out[b.n] = '\0';
    free(c.regs);
    free(mem);
    return out;
}

static bool
says(const struct agc_job *j, const char *words)
{
    for (uint32_t i = 0; i < j->diags.n; i++)
        if (j->diags.v[i].text.n && strstr(j->diags.v[i].text.p, words))
            return true;
    return false;
}

static void
loops(unsigned n)
{
    used = 0;
    say("package m\np := n if {\n\txs := [1]\n");
    for (unsigned i = 0; i < n; i++)
        say("\tsome x%u in xs\n", i);
    say("\tn := x%u\n}\n", n - 1);
}

static void
test_depth(void)
{
    const unsigned most = AGC_BLOCK_DEPTH_MAX - 2; // the function's own block and that of the definition
    struct agc_job j;
    loops(most);
    OK(compile(&j, "x = data.m.p") == AGC_DONE && strcmp(answer(&j), "1") == 0, "%u loops", most);
    agc_job_fini(&j);
    loops(most + 1);
    OK(compile(&j, "x = data.m.p") == AGC_REFUSED && says(&j, "loops and blocks inside each other"),
       "one more is refused");
    agc_job_fini(&j);
}

// r0 calls r1 calls ..., all under a replacement that the last one reaches.
static void
chain(unsigned n)
{
    used = 0;
    say("package m\nf(_) := 7\np := x if x := r0 with count as f\n");
    for (unsigned i = 0; i + 1 < n; i++)
        say("r%u := r%u\n", i, i + 1);
    say("r%u := count([])\n", n - 1);
}

static void
test_clones(void)
{
    const unsigned most = AGC_CLONE_DEPTH_MAX - 1; // the rule with the replacement is one more
    struct agc_job j;
    chain(most);
    OK(compile(&j, "x = data.m.p") == AGC_DONE && strcmp(answer(&j), "7") == 0,
       "%u rules under a replacement", most);
    agc_job_fini(&j);
    chain(most + 1);
    OK(compile(&j, "x = data.m.p") == AGC_REFUSED && says(&j, "rules call each other in a row"),
       "one more is refused");
    agc_job_fini(&j);
}

// Documents below one node, named by computed steps: as many as are compared one by one, and one more.
static void
test_computed_steps(void)
{
    for (unsigned n = AGC_COMPARED_KIDS_MAX; n <= AGC_COMPARED_KIDS_MAX + 1; n++) {
        struct agc_job j;
        used = 0;
        say("package m\np := [x, y] if {\n\ta := \"k7\"\n\tb := \"v\"\n");
        say("\tx := data.m.q[a][b]\n\ty := data.m.q[a].v\n}\n");
        for (unsigned i = 0; i < n; i++)
            say("q.k%u.v := %u\n", i, i);
        OK(compile(&j, "x = data.m.p") == AGC_DONE && strcmp(answer(&j), "[7,7]") == 0, "%u documents", n);
        agc_job_fini(&j);
    }
}

static enum agc_result
with_data(struct agc_job *j, const char *a, const char *b)
{
    const struct ag_str path[1] = {AG_STR("p")};
    agc_job_init(j);
    agc_job_add_data(j, AG_STR("a.json"), ag_str_z(a), NULL, 0);
    agc_job_add_data(j, AG_STR("b.json"), ag_str_z(b), path, 1);
    agc_job_add_query(j, AG_STR("x = data"));
    return agc_compile(j);
}

static void
test_data(void)
{
    struct agc_job j;
    OK(with_data(&j, "{\"p\":{\"a\":1.50},\"q\":[true,null]}", "{\"b\":\"t\",\"a\":1.50}") == AGC_DONE &&
           strcmp(answer(&j), "{\"p\":{\"a\":1.5,\"b\":\"t\"},\"q\":[true,null]}") == 0,
       "documents are merged");
    agc_job_fini(&j);
    OK(with_data(&j, "{\"p\":{\"a\":1}}", "{\"a\":2}") == AGC_REFUSED && says(&j, "another value"),
       "two values at one place are refused");
    agc_job_fini(&j);
    OK(with_data(&j, "[]", "{}") == AGC_REFUSED && says(&j, "is an object"), "the root is an object");
    agc_job_fini(&j);
    OK(with_data(&j, "{\"a\":1,\"a\":1}", "{}") == AGC_REFUSED && says(&j, "not JSON"), "JSON is strict");
    agc_job_fini(&j);
}

static void
test_errors(void)
{
    struct agc_job j;
    used = 0;
    say("package m\n\np := {k: v | some v in [1, 2]; k := \"k\"}\n");
    OK(compile(&j, "x = data.m.p") == AGC_DONE &&
           strcmp(answer(&j), "m.rego:3: eval_conflict_error: object keys must be unique") == 0,
       "a conflict ends the query and names its line");
    agc_job_fini(&j);
    used = 0;
    say("package m\n\np := x if x := 1 / data.zero\n");
    OK(compile(&j, "x = data.m.p with data.zero as 0") == AGC_DONE && strcmp(answer(&j), "none") == 0,
       "an error of an operator is undefined");
    agc_job_fini(&j);
    agc_job_init(&j);
    j.strict_errors = true;
    agc_source_add(&j.arena, &j.sources, AG_STR("m.rego"), ag_str_of(text, used));
    agc_job_add_query(&j, AG_STR("x = data.m.p with data.zero as 0"));
    OK(agc_compile(&j) == AGC_DONE &&
           strcmp(answer(&j), "m.rego:3: eval_builtin_error: div: divide by zero") == 0,
       "with strict errors it ends the query");
    agc_job_fini(&j);
}

int
main(void)
{
    ag_crypto_init();
    test_depth();
    test_clones();
    test_computed_steps();
    test_data();
    test_errors();
    return t_done();
}
