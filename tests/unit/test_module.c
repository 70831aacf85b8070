// SPDX-License-Identifier: Apache-2.0
// Modules: rules of every form, recovery after errors, limits at the limit and one past it, annotations, the
// formatter's fixed point; and every module of the conformance cases when AEGIS_SHARED names the folder that
// has them.
#include "t.h"

#include "compiler/fmt.h"
#include "compiler/module.h"

#include <dirent.h>
#include <stdlib.h>

static struct agc_arena arena;
static struct agc_sources sources;
static struct agc_diags diags;
static const struct agc_segment whole = {0, 0};

static struct agc_module *
parse_more(struct ag_str s)
{
    int ix = agc_source_add(&arena, &sources, AG_STR("m.rego"), s);
    struct agc_text t = {s, (uint32_t)ix, (uint32_t)s.n, 1, &whole};
    return agc_parse_module(&arena, &diags, &t);
}

static struct agc_module *
parse(struct ag_str s)
{
    agc_arena_fini(&arena);
    sources = (struct agc_sources){0};
    agc_diags_init(&diags, &arena, &sources);
    return parse_more(s);
}

static struct agc_module *
parse_z(const char *text)
{
    return parse(ag_str_z(text));
}

// What a rule is, in one line.
static void
show(const struct agc_def *d, char *out, size_t size)
{
    static const char *const kinds[] = {"value", "contains", "function"};
    unsigned elses = 0;
    for (const struct agc_def *e = d->otherwise; e; e = e->otherwise)
        elses++;
    snprintf(out, size, "%s%s%s%s steps=%u args=%u literals=%u else=%u", d->is_default ? "default " : "",
             d->is_chained ? "chained " : "", kinds[d->kind], d->value ? "" : " true",
             d->ref->kind == AGC_REF ? d->ref->n : 1, d->nargs, d->body ? d->body->n : 0, elses);
}

static void
rule(const char *text, const char *want)
{
    char all[1000], got[300] = "refused";
    snprintf(all, sizeof all, "package t\n%s\n", text);
    struct agc_module *m = parse_z(all);
    if (m && m->ndefs)
        show(m->defs[m->ndefs - 1], got, sizeof got);
    if (!OK(strcmp(got, want) == 0, "rule: %.*s", (int)strcspn(text, "\n"), text))
        printf("# got  %s\n# want %s\n", got, want);
}

static void
test_rules(void)
{
    rule("p := 1", "value steps=1 args=0 literals=0 else=0");
    rule("p = 1", "value steps=1 args=0 literals=0 else=0");
    rule("p if x", "value true steps=1 args=0 literals=1 else=0");
    rule("p if {x; y\n z}", "value true steps=1 args=0 literals=3 else=0");
    rule("p if {x}", "value true steps=1 args=0 literals=1 else=0");
    rule("p if {x: y | some x, y in z}", "value true steps=1 args=0 literals=1 else=0");
    rule("p if {1} | {2}", "value true steps=1 args=0 literals=1 else=0");
    rule("p contains x if x := 1", "contains steps=1 args=0 literals=1 else=0");
    rule("p contains \"x\"", "contains steps=1 args=0 literals=0 else=0");
    rule("p[x] := y if {x := 1; y := 2}", "value steps=2 args=0 literals=2 else=0");
    rule("a.b[c].d := 1 if c := 2", "value steps=4 args=0 literals=1 else=0");
    rule("a.b contains 1", "contains steps=2 args=0 literals=0 else=0");
    rule("f(x, [y, _], {\"z\": z}) := x", "function steps=1 args=3 literals=0 else=0");
    rule("f(x) if x > 1", "function true steps=1 args=1 literals=1 else=0");
    rule("f(x)", "function true steps=1 args=1 literals=0 else=0");
    rule("a.f(x) := 1", "function steps=2 args=1 literals=0 else=0");
    rule("default p := false", "default value steps=1 args=0 literals=0 else=0");
    rule("default f(_, _) := 1", "default function steps=1 args=2 literals=0 else=0");
    rule("p if {x} else := 2 if y else := 3", "value true steps=1 args=0 literals=1 else=2");
    rule("p if x\nelse := 2 if {y}\nelse if z", "value true steps=1 args=0 literals=1 else=2");
    rule("p := 1 if {x} {y}", "chained value steps=1 args=0 literals=1 else=0");
    rule("p := 1 if {x}\n{y}\n{z}", "chained value steps=1 args=0 literals=1 else=0");
    rule("q.if := 1", "value steps=2 args=0 literals=0 else=0");
    rule("if.x := 1", "value steps=2 args=0 literals=0 else=0");
    rule("p if input.if.contains", "value true steps=1 args=0 literals=1 else=0");
    rule("contains.x contains 1", "contains steps=2 args=0 literals=0 else=0");
    rule("p := 1 q := 2 if x", "value steps=1 args=0 literals=1 else=0");
    rule("p := 1 if q := 2", "value steps=1 args=0 literals=1 else=0");
    rule("p (x) := 1 if x", "function steps=1 args=1 literals=1 else=0");
    rule("import future.keywords.not\np if not {x; y}", "value true steps=1 args=0 literals=1 else=0");
    rule("p {x}", "refused");
    rule("p[x] {x := 1}", "refused");
    rule("p", "refused");
    rule("p if {x} else := 2 {y}", "refused");
    rule("p if", "refused");
    rule("p := 1;", "refused");
}

static void
test_recovery(void)
{
    OK(!parse_z("package t\n\np := := 1\n\nq if {\n\tx := 1 2\n\ty +\n}\n\nr := 3\n\ns if with\n") &&
           diags.n == 4,
       "each error is reported once, later rules are read (%u)", diags.n);
    char text[2000] = "package t\n";
    for (int i = 0; i < 30; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "p%d := := 1\n", i);
    OK(!parse_z(text) && diags.n == AGC_SYNTAX_MAX, "at most %u errors of one module", AGC_SYNTAX_MAX);
    OK(!parse_z("") && diags.n == 1, "an empty file has no package");
    OK(!parse(ag_str_of("package t\0", 10)) && diags.v[0].id == AGC_D_BAD_CHARACTER, "a NUL character");
}

static void
test_limits(void)
{
    size_t size = AGC_MODULE_TEXT_MAX + 2;
    char *text = malloc(size);
    for (unsigned past = 0; past < 2; past++) {
        memset(text, '\n', size);
        memcpy(text, "package t", 9);
        OK((!parse(ag_str_of(text, AGC_MODULE_TEXT_MAX + past))) == past, "a module of %u bytes is %s",
           AGC_MODULE_TEXT_MAX + past, past ? "refused" : "read");
        size_t n = (size_t)snprintf(text, size, "package t\np if x\n");
        for (unsigned i = 0; i < AGC_ELSE_MAX + past; i++)
            n += (size_t)snprintf(text + n, size - n, "else := %u if y\n", i);
        OK((!parse(ag_str_of(text, n))) == past, "%u else clauses are %s", AGC_ELSE_MAX + past,
           past ? "refused" : "read");
        n = (size_t)snprintf(text, size, "package t\np := ");
        unsigned depth = AGC_EXPR_DEPTH_MAX + past;
        for (unsigned i = 0; i < depth; i++)
            text[n++] = '[';
        for (unsigned i = 0; i < depth; i++)
            text[n++] = ']';
        OK((!parse(ag_str_of(text, n))) == past, "%u brackets are %s", depth, past ? "refused" : "read");
        n = (size_t)snprintf(text, size, "package t\np := ");
        for (unsigned i = 0; i < (AGC_EXPR_DEPTH_MAX - 2) / 2 + past * 2; i++)
            n += (size_t)snprintf(text + n, size - n, "$\"{");
        text[n++] = '1';
        for (unsigned i = 0; i < (AGC_EXPR_DEPTH_MAX - 2) / 2 + past * 2; i++)
            n += (size_t)snprintf(text + n, size - n, "}\"");
        OK((!parse(ag_str_of(text, n))) == past, "templates in templates are %s", past ? "refused" : "read");
    }
    free(text);
}

static const struct agc_node *
field(const struct agc_node *object, const char *key)
{
    for (uint32_t i = 0; object && i + 1 < object->n; i += 2)
        if (ag_str_is(object->kid[i]->text, key))
            return object->kid[i + 1];
    return NULL;
}

static void
test_metadata(void)
{
    struct agc_module *m =
        parse_z("# METADATA\n# title: of the package\npackage t\n\n# METADATA\n# scope: document\n"
                "# title: first\n\n# METADATA\n# title: second\n# authors:\n# - Ann B <a@b.c>\n"
                "# schemas:\n# - input.x: schema[\"y\"]\n# custom: {k: [1, null]}\n"
                "p := 1\n\n# METADATA\n# entrypoint: true\nq := 2\n");
    if (!OK(m && m->annotations && m->annotations->n == 1 && m->defs[0]->annotations->n == 2,
            "two blocks of a rule"))
        return;
    const struct agc_node *first = m->defs[0]->annotations->kid[0], *second = m->defs[0]->annotations->kid[1];
    OK(ag_str_is(field(m->annotations->kid[0], "scope")->text, "package"), "scope of a package");
    OK(ag_str_is(field(first, "scope")->text, "document"), "scope as written");
    OK(ag_str_is(field(second, "scope")->text, "rule"), "scope of a rule");
    const struct agc_node *author = field(second, "authors")->kid[0];
    OK(ag_str_is(field(author, "name")->text, "Ann B") && ag_str_is(field(author, "email")->text, "a@b.c"),
       "an author's address is taken apart");
    const struct agc_node *path = field(field(second, "schemas")->kid[0], "path");
    OK(path->kind == AGC_ARRAY && path->n == 2 && ag_str_is(path->kid[1]->text, "x"), "the path of a schema");
    OK(field(field(second, "custom"), "k")->kid[1]->kind == AGC_NULL_LIT, "custom values");
    const struct agc_node *q = m->defs[1]->annotations->kid[0];
    OK(ag_str_is(field(q, "scope")->text, "document") && field(q, "entrypoint")->kind == AGC_TRUE_LIT,
       "an entrypoint is a document");
}

// The tree of a module without places, imports and the differences that formatting may make: a chained body
// becomes a rule, and `:= true` before a body goes.
static char *
tree(const struct agc_module *m)
{
    struct agc_module copy = *m;
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    copy.nimports = 0;
    for (uint32_t i = 0; i < m->ndefs; i++) {
        m->defs[i]->is_chained = false;
        for (struct agc_def *d = m->defs[i]; d; d = d->otherwise)
            if (d->body && d->value && d->value->kind == AGC_TRUE_LIT && d->kind != AGC_DEF_CONTAINS)
                d->value = NULL;
    }
    agc_module_print(&copy, NULL, f);
    fclose(f);
    return text;
}

// NULL, or what is wrong with the canonical text of m.
static const char *
format_fault(struct agc_module *m)
{
    struct ag_str once = agc_fmt(&arena, &sources, m);
    struct agc_module *again = parse_more(once);
    if (!again)
        return "does not parse";
    if (!ag_str_eq(once, agc_fmt(&arena, &sources, again)))
        return "is not its own canonical text";
    char *a = tree(m), *b = tree(again);
    bool is_same = strcmp(a, b) == 0;
    free(a);
    free(b);
    if (!is_same)
        return "has another tree";
    return again->ncomments == m->ncomments && again->nimports == m->nimports ? NULL
                                                                              : "lost comments or imports";
}

static void
formatted(const char *text, const char *want)
{
    struct agc_module *m = parse_z(text);
    struct ag_str got = m ? agc_fmt(&arena, &sources, m) : AG_STR("refused");
    if (!OK(ag_str_is(got, want), "format: %.*s", (int)strcspn(text, "\n"), text))
        printf("# got:\n%.*s\n", (int)got.n, got.p);
    const char *fault = m ? format_fault(m) : NULL;
    OK(!fault, "the canonical text %s", fault ? fault : "keeps its tree");
}

static void
test_format(void)
{
    formatted("package a p:=1 q:=[1,\n2]", "package a\n\np := 1\n\nq := [\n\t1,\n\t2,\n]\n");
    formatted("package a\np if { ((a+b)*c) == (d) ; not (e) }",
              "package a\n\np if {\n\t(a + b) * c == d\n\tnot e\n}\n");
    formatted("package a\np:=[(a|b),(c|d)]\nq:={(x in y)|z}",
              "package a\n\np := [(a | b), c | d]\nq := {(x in y) | z}\n");
    formatted("package a\np if { {1} }", "package a\n\np if {\n\t{1}\n}\n");
    formatted("package a\np if x else if { {1}[y] }", "package a\n\np if x else if {\n\t{1}[y]\n}\n");
    formatted("package a\nimport data.z # z\nimport data.b",
              "package a\n\nimport data.b\nimport data.z # z\n");
    formatted("package a\n # METADATA\n # title: [\np := 1",
              "package a\n\n # METADATA\n# title: [\np := 1\n");
    formatted("package a\np if {\n# METADATA\n# title: t\n # no\nx }\nq := 1",
              "package a\n\np if {\n# METADATA\n# title: t\n\t# no\n\tx\n}\n\nq := 1\n");
    formatted("package a\np if { x } # why", "package a\n\np if x # why\n");
    formatted("package a\np if {\n\n# one\n\n# two\nx # three\n# four\n}",
              "package a\n\np if {\n\t# one\n\n\t# two\n\tx # three\n\t# four\n}\n");
    formatted("package a\np := x[\"y\"][\"a b\"][\"if\"].if", "package a\n\np := x.y[\"a b\"][\"if\"].if\n");
    formatted("package a\np := (1 - (2 - 3)) - (4, 5 in x)", "package a\n\np := 1 - (2 - 3) - (4, 5 in x)\n");
    formatted("package a\np if { x +\n # in the way\n y }",
              "package a\n\np if {\n\tx +\n # in the way\n y\n}\n");
}

static char *
read_all(const char *path, size_t *ret)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return NULL;
    fseek(f, 0, SEEK_END);
    long n = ftell(f);
    rewind(f);
    char *p = malloc((size_t)n + 1);
    *ret = fread(p, 1, (size_t)n, f);
    p[*ret] = 0;
    fclose(f);
    return p;
}

// One JSON string at p (behind its quote), decoded in place of the copy; returns the byte behind its end.
static const char *
json_string(const char *p, const char *end, char *out, size_t *ret)
{
    size_t n = 0;
    for (; p < end && *p != '"'; p++) {
        static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
        if (*p != '\\') {
            out[n++] = *p;
            continue;
        }
        const char *at = memchr(from, *++p, 8);
        if (at) {
            out[n++] = to[at - from];
        } else { // \u: a sequence that is the same inside of strings of a module
            memcpy(out + n, p - 1, 6);
            n += 6;
            p += 4;
        }
    }
    *ret = n;
    return p + 1;
}

struct counts {
    unsigned modules, refused, faults;
};

static void
one_module(const char *file, struct ag_str text, struct counts *c)
{
    struct agc_module *m = parse(text);
    c->modules++;
    if (!m) {
        c->refused++;
        printf("# %s, module %u: %.*s\n", file, c->modules, (int)diags.v[0].text.n, diags.v[0].text.p);
        return;
    }
    const char *fault = format_fault(m);
    if (fault) {
        c->faults++;
        printf("# %s, module %u: the canonical text %s\n", file, c->modules, fault);
    }
}

// The modules of a file of cases: every string of every array named "modules".
static void
one_file(const char *name, const char *p, size_t n, struct counts *c)
{
    const char *end = p + n, *at = p;
    char *out = malloc(n + 1);
    while ((at = strstr(at, "\"modules\":")) != NULL) {
        at += 10;
        for (at += strspn(at, " \n["); at < end && *at == '"'; at += strspn(at, ", \n")) {
            size_t len;
            at = json_string(at + 1, end, out, &len);
            one_module(name, ag_str_of(out, len), c);
        }
    }
    free(out);
}

static void
test_corpus(void)
{
    const char *shared = getenv("AEGIS_SHARED");
    char dir[4096], path[4500];
    snprintf(dir, sizeof dir, "%s/corpora/opa-v1", shared ? shared : "");
    DIR *d = shared ? opendir(dir) : NULL;
    if (!d) {
        t_skip("the conformance cases are not here; AEGIS_SHARED names the folder");
        return;
    }
    struct counts c = {0};
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        size_t n, len = strlen(e->d_name);
        if (len < 5 || strcmp(e->d_name + len - 5, ".json") != 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        char *p = read_all(path, &n);
        if (p)
            one_file(e->d_name, p, n, &c);
        free(p);
    }
    closedir(d);
    printf("# %u modules\n", c.modules);
    OK(c.modules > 1000 && c.refused == 0, "%u modules of conformance cases parse, %u are refused", c.modules,
       c.refused);
    OK(c.faults == 0, "the canonical text of %u modules is a fixed point with the same tree", c.modules);
}

int
main(void)
{
    test_rules();
    test_recovery();
    test_limits();
    test_metadata();
    test_format();
    test_corpus();
    agc_arena_fini(&arena);
    return t_done();
}
