// SPDX-License-Identifier: Apache-2.0
// strings.render_template: walks the nodes of a template over an object. In: nodes of template.h, the object.
// Out: text. Numbers of the object are texts, as Go's json.Number is: 0 is true, and equals "0", not 0.
// What has no value is "<undefined>". Memory: the call's arena. Next file to read: template_fns.c.
#include "template_run.h"

#include "format.h"
#include "number.h"

#include <stdarg.h>
#include <stdio.h>

struct ag_tpl_value
ag_tpl_fault(struct ag_tpl_run *r, size_t at, struct ag_str source, const char *fmt, ...)
{
    char words[200], place[64];
    struct ag_buf b;
    va_list ap;
    if (!r->failed) {
        va_start(ap, fmt);
        vsnprintf(words, sizeof words, fmt, ap);
        va_end(ap);
        ag_buf_init(&b, place, sizeof place);
        ag_tpl_put_place(&b, r->text, at, true);
        r->error = ag_error(r->c, AG_VERR_BUILTIN, "%.*s: executing \"template\" at <%.*s>: %s", (int)b.n,
                            place, (int)(source.n < 80 ? source.n : 80), source.p, words);
    }
    r->failed = true;
    return (struct ag_tpl_value){.v = ag_undef()};
}

// --- output: pieces in the arena, joined at the end, since values are made while text is
void
ag_tpl_put(struct ag_tpl_run *r, struct ag_str s)
{
    struct ag_tpl_piece *piece = r->last;
    if (r->failed || !s.n || !ag_charge_bytes(r->c, s.n)) {
        r->failed |= r->c->stop != AG_EVAL_OK;
        return;
    }
    if (!piece || piece->size - piece->n < s.n) {
        uint32_t size = s.n < AG_TPL_PIECE ? AG_TPL_PIECE : (uint32_t)s.n;
        piece = ag_call_alloc(r->c, sizeof *piece + size, 8);
        if (!piece) {
            r->failed = true;
            return;
        }
        *piece = (struct ag_tpl_piece){.size = size};
        *(r->last ? &r->last->next : &r->first) = piece;
        r->last = piece;
    }
    memcpy(piece->bytes + piece->n, s.p, s.n);
    piece->n += (uint32_t)s.n;
    r->total += s.n;
    if (r->total > AG_STRING_MAX) {
        r->error = ag_bi_error();
        r->failed = true;
    }
}

struct ag_value
ag_tpl_joined(struct ag_tpl_run *r)
{
    char *p = r->failed ? NULL : ag_call_alloc(r->c, r->total + 1, 1);
    size_t n = 0;
    r->failed |= !p;
    for (const struct ag_tpl_piece *piece = r->first; p && piece; piece = piece->next) {
        memcpy(p + n, piece->bytes, piece->n);
        n += piece->n;
    }
    return p ? ag_bi_text(p, n) : ag_undef();
}

static void
put_float(struct ag_tpl_run *r, double d)
{
    char text[400];
    struct ag_buf b;
    ag_buf_init(&b, text, sizeof text);
    struct ag_fmt f = {.c = r->c, .out = &b};
    ag_fmt_put_float(&f, 'v', d);
    ag_tpl_put(r, ag_str_of(text, b.n));
}

static void
put_container(struct ag_tpl_run *r, struct ag_value v, unsigned depth)
{
    const struct ag_mem *m = &r->c->mem;
    ag_tpl_put(r, v.kind == AG_OBJECT ? AG_STR("map[") : AG_STR("["));
    for (uint32_t i = 0; i < v.len && !r->failed; i++) {
        if (i)
            ag_tpl_put(r, AG_STR(" "));
        if (v.kind == AG_OBJECT) {
            ag_tpl_put(r, ag_value_str(ag_object_key(m, v, i)));
            ag_tpl_put(r, AG_STR(":"));
        }
        ag_tpl_put_value(r, (struct ag_tpl_value){.v = ag_value_at(m, v, i)}, depth + 1);
    }
    ag_tpl_put(r, AG_STR("]"));
}

void
ag_tpl_put_value(struct ag_tpl_run *r, struct ag_tpl_value t, unsigned depth)
{
    struct ag_buf b;
    if (t.type == AG_TPL_FLOAT) {
        put_float(r, t.d);
    } else if (t.v.kind <= AG_NULL) {
        ag_tpl_put(r, AG_STR("<nil>"));
    } else if (t.v.kind == AG_BOOL) {
        ag_tpl_put(r, t.v.i ? AG_STR("true") : AG_STR("false"));
    } else if (t.v.kind == AG_STRING) {
        ag_tpl_put(r, ag_value_str(t.v));
    } else if (t.v.kind == AG_NUMBER) {
        size_t mark = ag_arena_mark(r->c->mem.arena);
        if (!ag_bi_begin(r->c, &b)) {
            r->failed = true;
            return;
        }
        ag_num_put(&b, ag_number_view(t.v));
        struct ag_value text = ag_bi_end(r->c, &b, true);
        r->failed |= text.kind != AG_STRING;
        if (r->failed)
            return;
        if (text.len <= AG_NUM_TEXT_MAX) {
            char copy[AG_NUM_TEXT_MAX];
            memcpy(copy, text.p, text.len);
            ag_arena_reset(r->c->mem.arena, mark);
            ag_tpl_put(r, ag_str_of(copy, text.len));
        } else {
            ag_tpl_put(r, ag_value_str(text));
        }
    } else if (depth >= AG_NEST_MAX) {
        r->error = ag_bi_error();
        r->failed = true;
    } else {
        put_container(r, t.v, depth);
    }
}

bool
ag_tpl_truth(struct ag_tpl_value t)
{
    if (t.type == AG_TPL_FLOAT)
        return t.d < 0 || t.d > 0;
    if (t.type == AG_TPL_INT)
        return t.v.i != 0;
    if (t.v.kind == AG_BOOL)
        return t.v.i;
    return t.v.kind == AG_NUMBER || (t.v.kind >= AG_STRING && t.v.len);
}

// --- operands and pipelines
static struct ag_tpl_value
field_of(struct ag_tpl_run *r, const struct ag_tpl_operand *o, struct ag_tpl_value t, struct ag_str name)
{
    int shown = (int)(name.n < 64 ? name.n : 64);
    if (t.type == AG_TPL_DATA && t.v.kind == AG_UNDEF)
        return t;
    if (t.type == AG_TPL_DATA && t.v.kind == AG_NULL)
        return ag_tpl_fault(r, o->at, o->source, "nil pointer evaluating interface {}.%.*s", shown, name.p);
    if (t.type == AG_TPL_DATA && t.v.kind == AG_OBJECT)
        return (struct ag_tpl_value){.v = ag_object_get(&r->c->mem, t.v, name)};
    return ag_tpl_fault(r, o->at, o->source, "can't evaluate field %.*s in type interface {}", shown, name.p);
}

static struct ag_tpl_value *
var_of(struct ag_tpl_run *r, struct ag_str name)
{
    for (unsigned i = r->nvars; i > 0; i--)
        if (ag_str_eq(r->vars[i - 1].name, name))
            return &r->vars[i - 1].value;
    return &r->vars[0].value; // the parser has seen to it that there is one
}

struct ag_tpl_value
ag_tpl_operand(struct ag_tpl_run *r, const struct ag_tpl_operand *o)
{
    struct ag_tpl_value t = {.v = ag_undef()};
    if (r->failed || !ag_charge(r->c, 1)) {
        r->failed = true;
        return t;
    }
    switch (o->kind) {
    case AG_TPL_DOT:
    case AG_TPL_FIELD: t = r->dot; break;
    case AG_TPL_VAR: t = *var_of(r, o->name); break;
    case AG_TPL_CONST: t = o->value; break;
    case AG_TPL_NIL: t.v = ag_null(); break;
    case AG_TPL_PIPE: t = ag_tpl_pipe(r, o->pipe); break;
    case AG_TPL_FUNC: t = ag_tpl_function(r, o, o->source, NULL); break;
    }
    for (const struct ag_tpl_name *f = o->fields; f && !r->failed; f = f->next)
        t = field_of(r, o, t, f->text);
    return t;
}

static struct ag_tpl_value
run_command(struct ag_tpl_run *r, const struct ag_tpl_command *cmd, const struct ag_tpl_value *last)
{
    const struct ag_tpl_operand *o = cmd->operands;
    if (o->kind == AG_TPL_FUNC && !o->fields)
        return ag_tpl_function(r, o, cmd->source, last);
    if (o->kind == AG_TPL_NIL)
        return ag_tpl_fault(r, o->at, o->source, "nil is not a command");
    if (o->next || last) {
        const struct ag_tpl_name *f = o->fields;
        while (f && f->next)
            f = f->next;
        if (f)
            return ag_tpl_fault(r, o->at, o->source, "%.*s is not a method but has arguments",
                                (int)(f->text.n < 64 ? f->text.n : 64), f->text.p);
        return ag_tpl_fault(r, o->at, o->source, "can't give argument to non-function %.*s",
                            (int)(o->source.n < 64 ? o->source.n : 64), o->source.p);
    }
    return ag_tpl_operand(r, o);
}

static void
set_vars(struct ag_tpl_run *r, const struct ag_tpl_pipe *pipe, struct ag_tpl_value t)
{
    for (unsigned i = 0; i < pipe->ndecl; i++) {
        if (pipe->is_assign)
            *var_of(r, pipe->decl[i]) = t;
        else if (r->nvars <= AG_TPL_VARS_MAX)
            r->vars[r->nvars++] = (struct ag_tpl_var){pipe->decl[i], t};
    }
}

struct ag_tpl_value
ag_tpl_pipe(struct ag_tpl_run *r, const struct ag_tpl_pipe *pipe)
{
    struct ag_tpl_value t = {.v = ag_undef()};
    for (const struct ag_tpl_command *cmd = pipe->commands; cmd && !r->failed; cmd = cmd->next)
        t = run_command(r, cmd, cmd == pipe->commands ? NULL : &t);
    if (!r->is_range_pipe)
        set_vars(r, pipe, t);
    return t;
}

// --- nodes
static enum ag_tpl_jump run_list(struct ag_tpl_run *r, const struct ag_tpl_node *n);

// One round of a loop: its variables, dot and body.
static enum ag_tpl_jump
run_round(struct ag_tpl_run *r, const struct ag_tpl_node *n, struct ag_tpl_value key, struct ag_tpl_value e)
{
    const struct ag_tpl_pipe *pipe = n->pipe;
    unsigned vars = r->nvars;
    if (!ag_charge(r->c, 1)) {
        r->failed = true;
        return AG_TPL_GO_ON;
    }
    for (unsigned i = 0; i < pipe->ndecl; i++) {
        struct ag_tpl_value t = pipe->ndecl == 2 && i == 0 ? key : e;
        if (pipe->is_assign)
            *var_of(r, pipe->decl[i]) = t;
        else
            r->vars[r->nvars++] = (struct ag_tpl_var){pipe->decl[i], t};
    }
    r->dot = e;
    enum ag_tpl_jump jump = run_list(r, n->body);
    r->nvars = vars;
    return jump;
}

static bool
is_countable(struct ag_tpl_run *r, const struct ag_tpl_node *n, struct ag_tpl_value t)
{
    struct ag_str source = n->pipe->source;
    if (t.type == AG_TPL_INT && n->pipe->ndecl == 2)
        ag_tpl_fault(r, n->pipe->at, source, "can't use %.*s to iterate over more than one variable",
                     (int)(source.n < 64 ? source.n : 64), source.p);
    else if (t.type == AG_TPL_FLOAT || (t.type == AG_TPL_DATA && t.v.kind > AG_NULL && t.v.kind < AG_ARRAY)) {
        struct ag_tpl_run shown = {.c = r->c, .text = r->text};
        ag_tpl_put_value(&shown, t, 0);
        struct ag_value v = ag_tpl_joined(&shown);
        if (v.kind == AG_STRING)
            ag_tpl_fault(r, n->pipe->at, source, "range can't iterate over %.*s",
                         (int)(v.len < 64 ? v.len : 64), (const char *)v.p);
        r->failed = true;
    }
    return !r->failed;
}

static enum ag_tpl_jump
run_range(struct ag_tpl_run *r, const struct ag_tpl_node *n)
{
    const struct ag_mem *m = &r->c->mem;
    struct ag_tpl_value dot = r->dot;
    r->is_range_pipe = true;
    struct ag_tpl_value t = ag_tpl_pipe(r, n->pipe);
    r->is_range_pipe = false;
    if (r->failed || !is_countable(r, n, t))
        return AG_TPL_GO_ON;
    int64_t count = t.type == AG_TPL_INT ? t.v.i : t.v.kind >= AG_ARRAY ? (int64_t)t.v.len : 0;
    enum ag_tpl_jump jump = AG_TPL_GO_ON;
    for (int64_t i = 0; i < count && !r->failed && jump != AG_TPL_GO_OUT; i++) {
        struct ag_tpl_value key = {.type = AG_TPL_INT, .v = ag_int(i)}, e = key;
        if (t.type == AG_TPL_DATA)
            e = (struct ag_tpl_value){.v = ag_value_at(m, t.v, (uint32_t)i)};
        if (t.type == AG_TPL_DATA && t.v.kind == AG_OBJECT)
            key = (struct ag_tpl_value){.v = ag_object_key(m, t.v, (uint32_t)i)};
        jump = run_round(r, n, key, e);
    }
    r->dot = dot;
    return count <= 0 ? run_list(r, n->otherwise) : AG_TPL_GO_ON;
}

static enum ag_tpl_jump
run_branch(struct ag_tpl_run *r, const struct ag_tpl_node *n)
{
    struct ag_tpl_value dot = r->dot, t = ag_tpl_pipe(r, n->pipe);
    bool is_true = ag_tpl_truth(t);
    if (n->kind == AG_TPL_WITH && is_true)
        r->dot = t;
    enum ag_tpl_jump jump = run_list(r, is_true ? n->body : n->otherwise);
    r->dot = dot;
    return jump;
}

static enum ag_tpl_jump
run_node(struct ag_tpl_run *r, const struct ag_tpl_node *n)
{
    unsigned vars = r->nvars;
    enum ag_tpl_jump jump = AG_TPL_GO_ON;
    switch (n->kind) {
    case AG_TPL_TEXT: ag_tpl_put(r, n->text); break;
    case AG_TPL_ACTION: {
        struct ag_tpl_value t = ag_tpl_pipe(r, n->pipe);
        if (!r->failed && !n->pipe->ndecl && t.type != AG_TPL_FLOAT && t.v.kind <= AG_NULL)
            ag_tpl_put(r, AG_STR("<no value>"));
        else if (!r->failed && !n->pipe->ndecl)
            ag_tpl_put_value(r, t, 0);
        return AG_TPL_GO_ON; // its variables stay
    }
    case AG_TPL_IF:
    case AG_TPL_WITH: jump = run_branch(r, n); break;
    case AG_TPL_RANGE: jump = run_range(r, n); break;
    case AG_TPL_BREAK: return AG_TPL_GO_OUT;
    case AG_TPL_CONTINUE: return AG_TPL_GO_NEXT;
    }
    r->nvars = vars;
    return jump;
}

static enum ag_tpl_jump
run_list(struct ag_tpl_run *r, const struct ag_tpl_node *n)
{
    enum ag_tpl_jump jump = AG_TPL_GO_ON;
    for (; n && !r->failed && jump == AG_TPL_GO_ON; n = n->next) {
        if (!ag_charge(r->c, 1))
            r->failed = true;
        else
            jump = run_node(r, n);
    }
    return jump;
}

// The object as JSON can say it: no sets, keys that are strings. NULL when it can, else the word for it.
static const char *
not_json(const struct ag_mem *m, struct ag_value v, unsigned depth)
{
    if (v.kind == AG_SET)
        return "a set";
    if (v.kind < AG_ARRAY)
        return NULL;
    if (depth >= AG_NEST_MAX)
        return "a value nested too deep";
    for (uint32_t i = 0; i < v.len; i++) {
        if (v.kind == AG_OBJECT && ag_object_key(m, v, i).kind != AG_STRING)
            return "a key that is no string";
        const char *why = not_json(m, ag_value_at(m, v, i), depth + 1);
        if (why)
            return why;
    }
    return NULL;
}

// Go's word for what has no value, wherever it stands, becomes that of the language.
static struct ag_value
with_undefined(struct ag_call *c, struct ag_value text)
{
    static const char word[] = "<no value>";
    struct ag_str s = ag_value_str(text);
    struct ag_buf out;
    size_t from = 0, n = sizeof word - 1;
    bool is_in = false;
    for (size_t i = 0; i + n <= s.n && !is_in; i++)
        is_in = memcmp(s.p + i, word, n) == 0;
    if (!is_in)
        return text;
    if (!ag_bi_begin(c, &out))
        return ag_undef();
    for (size_t i = 0; i + n <= s.n;) {
        if (memcmp(s.p + i, word, n) != 0) {
            i++;
            continue;
        }
        ag_buf_put(&out, s.p + from, i - from);
        ag_buf_lit(&out, "<undefined>");
        i += n;
        from = i;
    }
    ag_buf_put(&out, s.p + from, s.n - from);
    return ag_bi_end(c, &out, true);
}

struct ag_value
ag_bi_render_template(struct ag_call *c, const struct ag_value *a)
{
    struct ag_value error;
    if (!ag_charge_bytes(c, a[0].len))
        return ag_undef();
    const char *why = not_json(&c->mem, a[1], 0);
    if (why)
        return ag_error(c, AG_VERR_BUILTIN, "the variables hold %s, which JSON has not", why);
    struct ag_tpl_node *first = ag_tpl_parse(c, ag_value_str(a[0]), &error);
    if (!first)
        return c->stop == AG_EVAL_OK ? error : ag_undef();
    struct ag_tpl_run r = {.c = c, .text = ag_value_str(a[0]), .dot = {.v = a[1]}, .error = ag_undef()};
    r.vars[r.nvars++] = (struct ag_tpl_var){AG_STR("$"), r.dot};
    run_list(&r, first);
    struct ag_value text = ag_tpl_joined(&r);
    if (r.failed || text.kind != AG_STRING)
        return c->stop == AG_EVAL_OK && r.failed ? r.error : text;
    return with_undefined(c, text);
}
