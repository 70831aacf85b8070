// SPDX-License-Identifier: Apache-2.0
// The slow evaluator from outside: its memory, its errors, and one query after the other.
// In: a program and JSON texts. Out: values of the evaluator's arena. Who owns memory: struct ref.
// Next file to read: ref_rule.c.
#include "ref.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

static const char *const names[] = {
    "ok", "eval_conflict_error", "eval_type_error", "eval_builtin_error", "internal", "internal"};
static const struct ag_image no_image;

const char *
ref_code_name(enum ref_code c)
{
    return names[c];
}

struct ref *
ref_new(size_t bytes)
{
    struct ref *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->nbytes = bytes;
    r->bytes = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (r->bytes == MAP_FAILED) {
        free(r);
        return NULL;
    }
    return r;
}

void
ref_free(struct ref *r)
{
    if (!r)
        return;
    munmap(r->bytes, r->nbytes);
    free(r);
}

void
ref_begin(struct ref *r)
{
    struct ag_call *c = &r->call;
    ag_arena_init(&r->arena, r->bytes, r->nbytes);
    *c = (struct ag_call){.im = &no_image, .fuel = UINT64_MAX / 2, .error_at = AG_NONE};
    c->mem.arena = &r->arena;
    c->mem.base[AG_IN_ARENA] = r->arena.base;
    c->mem.base[AG_IN_REQUEST] = r->arena.base;
    r->program = NULL;
    r->error = (struct ref_error){.code = REF_OK};
}

void
ref_use(struct ref *r, const struct agc_program *p, const struct ag_image *im)
{
    r->program = p;
    r->call.im = im ? im : &no_image;
    r->call.mem.base[AG_IN_IMAGE] = im ? im->heap : NULL;
}

struct ag_mem *
ref_mem(struct ref *r)
{
    return &r->call.mem;
}

struct ag_call *
ref_machine(struct ref *r)
{
    return &r->call;
}

void *
ref_alloc(struct ref *r, size_t n)
{
    void *p = ag_arena_alloc(&r->arena, n + 1, 16);
    if (!p) {
        fputs("the slow evaluator has no memory left\n", stderr);
        exit(3);
    }
    return memset(p, 0, n + 1);
}

bool
ref_halt(struct ref *r, enum ref_code code, struct agc_span span, const char *fmt, ...)
{
    va_list ap;
    if (r->error.code != REF_OK)
        return false;
    r->error.code = code;
    r->error.span = span;
    va_start(ap, fmt);
    vsnprintf(r->error.text, sizeof r->error.text, fmt, ap);
    va_end(ap);
    return false;
}

static enum ref_code
code_of(struct ag_value error)
{
    const char *code = ag_error_code(error);
    for (enum ref_code c = REF_CONFLICT; c <= REF_BUILTIN; c++)
        if (strcmp(code, names[c]) == 0)
            return c;
    return REF_DEFECT;
}

bool
ref_result(struct ref *r, const struct agc_node *at, struct ag_value v, struct ref_k *k)
{
    if (r->call.stop != AG_EVAL_OK)
        return ref_halt(r, REF_LIMIT, at->span, "memory or fuel is exhausted");
    if (v.kind == AG_UNDEF)
        return true;
    if (v.kind != AG_ERROR)
        return k->go(k, v);
    if (!r->is_strict)
        return true;
    char text[sizeof r->error.text];
    struct ag_buf out;
    ag_buf_init(&out, text, sizeof text);
    ag_error_message(&r->call, v, &out);
    return ref_halt(r, code_of(v), at->span, "%.*s", (int)out.n, out.p);
}

struct ag_value
ref_string(struct ref *r, struct ag_str s)
{
    char *p = ref_alloc(r, s.n);
    if (s.n)
        memcpy(p, s.p, s.n);
    return ag_string(AG_IN_ARENA, ag_str_of(p, s.n));
}

struct ag_value
ref_close(struct ref *r, struct ag_builder *b)
{
    struct ag_value v = b ? ag_builder_close(&r->call.mem, b) : ag_undef();
    if (v.kind == AG_UNDEF)
        ref_halt(r, REF_LIMIT, (struct agc_span){0, 0, 0}, "memory is exhausted");
    return v;
}

bool
ref_json(struct ref *r, struct ag_str text, struct ag_value *ret)
{
    struct ag_json_error why;
    struct ag_value copy = ref_string(r, text);
    return ag_json_read(&r->call.mem, ag_value_str(copy), ret, &why) == AG_JSON_OK;
}

// --- collecting what a continuation is given
struct collect_k {
    struct ref_k k;
    struct ref *r;
    struct ag_builder *b;
};

static bool
collect_go(struct ref_k *k, struct ag_value v)
{
    struct collect_k *c = (struct collect_k *)k;
    if (!ag_builder_push(&c->r->call.mem, c->b, v))
        return ref_halt(c->r, REF_LIMIT, (struct agc_span){0, 0, 0}, "memory is exhausted");
    return true;
}

static struct ref_scope *
first_scope(struct ref *r, struct ag_value input, struct ag_value data)
{
    struct ref_scope *s = ref_alloc(r, sizeof *s);
    s->input = input;
    s->data = data;
    s->memo = ref_alloc(r, (r->program ? r->program->ngroups : 0) * sizeof *s->memo);
    return s;
}

enum ref_code
ref_query(struct ref *r, const struct agc_def *query, struct ag_value input, struct ag_value data,
          bool is_strict, int64_t now_ns, struct ag_value *ret, struct ref_error *reterr)
{
    struct collect_k c = {{collect_go}, r, ag_builder_new(&r->call.mem, AG_ARRAY)};
    r->is_strict = is_strict;
    r->steps = r->depth = 0;
    r->error = (struct ref_error){.code = REF_OK};
    r->call.stop = AG_EVAL_OK;
    r->call.now_ns = now_ns;
    ref_def_solutions(r, first_scope(r, input, data), query, &c.k);
    struct ag_value all = ref_close(r, c.b);
    if (r->error.code == REF_OK)
        *ret = all;
    else
        *reterr = r->error;
    return r->error.code;
}

bool
ref_ground(struct ref *r, const struct agc_node *term, struct ag_value *ret)
{
    const struct ref_frame frame = {0};
    const struct ref_env e = {first_scope(r, ag_undef(), ag_undef()), &frame};
    struct collect_k c = {{collect_go}, r, ag_builder_new(&r->call.mem, AG_ARRAY)};
    ref_term(r, &e, term, &c.k);
    struct ag_value all = ref_close(r, c.b);
    if (r->error.code != REF_OK || all.len != 1)
        return false;
    *ret = ag_value_at(&r->call.mem, all, 0);
    return true;
}
