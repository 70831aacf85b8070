// SPDX-License-Identifier: Apache-2.0
// Reads a case and judges an answer: solutions are compared as sets of binding objects, after sets have
// become arrays and keys that are no strings their JSON text. In: JSON values. Out: a verdict. Memory: the
// arena of the values. Next file to read: conformance.c.
#include "judge.h"
#include "buf.h"
#include "../diff/json_form.h"

#include <stdio.h>

static struct ag_str
text_of(const struct ag_mem *m, struct ag_value json, const char *key)
{
    struct ag_value v = ag_object_get(m, json, ag_str_z(key));
    if (v.kind != AG_STRING)
        return ag_str_of(NULL, 0);
    return v.len ? ag_value_str(v) : ag_str_z("");
}

static bool
flag_of(const struct ag_mem *m, struct ag_value json, const char *key)
{
    return ag_is_true(ag_object_get(m, json, ag_str_z(key)));
}

bool
c_read(const struct ag_mem *m, struct ag_value json, struct c_case *ret, const char **reterr)
{
    struct ag_value modules = ag_object_get(m, json, AG_STR("modules"));
    memset(ret, 0, sizeof *ret);
    ret->id = text_of(m, json, "id");
    ret->note = text_of(m, json, "note");
    ret->query = text_of(m, json, "query");
    ret->data = ag_object_get(m, json, AG_STR("data"));
    ret->input = ag_object_get(m, json, AG_STR("input"));
    ret->input_term = text_of(m, json, "input_term");
    ret->want_result = ag_object_get(m, json, AG_STR("want_result"));
    ret->want_error = text_of(m, json, "want_error");
    ret->want_error_code = text_of(m, json, "want_error_code");
    ret->is_strict = flag_of(m, json, "strict_error");
    ret->is_sorted = flag_of(m, json, "sort_bindings");
    ret->drops_generated = flag_of(m, json, "ignore_generated_vars");
    *reterr = !ret->id.p ? "no id" : !ret->query.p ? "no query" : NULL;
    if (modules.kind == AG_ARRAY && modules.len > C_MODULES_MAX)
        *reterr = "too many modules";
    for (uint32_t i = 0; !*reterr && modules.kind == AG_ARRAY && i < modules.len; i++)
        ret->module[ret->nmodules++] = ag_value_str(ag_value_at(m, modules, i));
    if (ret->data.kind == AG_UNDEF || ret->data.kind == AG_NULL)
        ret->data = ag_builder_close(m, ag_builder_new(m, AG_OBJECT));
    if (ret->want_result.kind == AG_NULL)
        ret->want_result = ag_undef();
    return *reterr == NULL;
}

// --- bindings
static struct ag_value
sorted(const struct ag_mem *m, struct ag_value v)
{
    struct ag_builder *b = ag_builder_new(m, AG_ARRAY);
    uint32_t n = 0;
    if (v.kind != AG_ARRAY)
        return v;
    // insertion by position: cases are small and repeats must stay
    for (uint32_t i = 0; i < v.len; i++, n++) {
        struct ag_value item = ag_value_at(m, v, i);
        uint32_t at = n;
        ag_builder_push(m, b, item);
        while (at > 0 && ag_value_cmp(m, ag_cell_load(m, b->cells[at - 1]), item) > 0) {
            ag_cell cell = b->cells[at];
            b->cells[at] = b->cells[at - 1];
            b->cells[at - 1] = cell;
            at--;
        }
    }
    return ag_builder_close(m, b);
}

static bool
is_generated(struct ag_str name)
{
    return (name.n > 2 && name.p[0] == '_' && name.p[1] == '_') || (name.n && name.p[0] == '$');
}

static struct ag_value
bindings(struct ag_mem *m, const struct c_case *c, struct ag_value solution)
{
    struct ag_builder *b = ag_builder_new(m, AG_OBJECT);
    for (uint32_t i = 0; solution.kind == AG_OBJECT && i < solution.len; i++) {
        struct ag_value name = ag_object_key(m, solution, i);
        struct ag_value v = t_as_json(m, ag_value_at(m, solution, i));
        if (c->drops_generated && is_generated(ag_value_str(name)))
            continue;
        ag_builder_put(m, b, name, c->is_sorted ? sorted(m, v) : v);
    }
    return ag_builder_close(m, b);
}

// --- the verdict
static const char *
wrong(struct ag_mem *m, const char *what, struct ag_value want, struct ag_value got, char *buf, size_t size)
{
    char text[2][1500];
    for (int i = 0; i < 2; i++) {
        struct ag_buf b;
        ag_buf_init(&b, text[i], sizeof text[i] - 1);
        ag_json_write(m, i ? got : want, &b, 0);
        text[i][b.n] = 0;
    }
    snprintf(buf, size, "%s: wanted %s, got %s", what, text[0], text[1]);
    return buf;
}

static bool
has_text(struct ag_str in, struct ag_str what)
{
    return what.n == 0 || (in.n >= what.n && memmem(in.p, in.n, what.p, what.n) != NULL);
}

static const char *
judge_error(const struct c_case *c, const struct c_answer *got, char *buf, size_t size)
{
    bool is_wanted = c->want_error.p || c->want_error_code.p;
    if (got->is_error != is_wanted)
        snprintf(buf, size, is_wanted ? "an error is wanted, got an answer" : "%.*s", (int)got->text.n,
                 got->text.p);
    else if (c->want_error_code.p && !ag_str_eq(c->want_error_code, got->code))
        snprintf(buf, size, "wanted %.*s, got %.*s", (int)c->want_error_code.n, c->want_error_code.p,
                 (int)got->text.n, got->text.p);
    else if (c->want_error.p && !has_text(got->text, c->want_error))
        snprintf(buf, size, "wanted the words \"%.*s\", got \"%.*s\"", (int)c->want_error.n, c->want_error.p,
                 (int)got->text.n, got->text.p);
    else
        return NULL;
    return buf;
}

const char *
c_judge(struct ag_mem *m, const struct c_case *c, const struct c_answer *got, char *buf, size_t size)
{
    const char *why = judge_error(c, got, buf, size);
    if (why || got->is_error)
        return why;
    struct ag_builder *want = ag_builder_new(m, AG_SET), *have = ag_builder_new(m, AG_SET);
    for (uint32_t i = 0; c->want_result.kind == AG_ARRAY && i < c->want_result.len; i++)
        ag_builder_push(m, want, bindings(m, c, ag_value_at(m, c->want_result, i)));
    for (uint32_t i = 0; i < got->solutions.len; i++)
        ag_builder_push(
            m, have, bindings(m, c, ag_object_get(m, ag_value_at(m, got->solutions, i), AG_STR("bindings"))));
    struct ag_value w = ag_builder_close(m, want), h = ag_builder_close(m, have);
    if (c->want_result.kind == AG_UNDEF || ag_value_eq(m, w, h))
        return NULL;
    return wrong(m, "another result", w, h, buf, size);
}
