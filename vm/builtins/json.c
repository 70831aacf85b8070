// SPDX-License-Identifier: Apache-2.0
// json.marshal, json.unmarshal and their kin. In: values, JSON text. Out: JSON text as Go writes it (&, < and
// > escaped, keys sorted, number spelling kept), values. Memory: the call's arena. Next file to read:
// json_path.c.
#include "builtin_fns.h"
#include "number.h"

// Lines of the readable form begin with prefix and one indent per level.
struct writer {
    struct ag_call *c;
    struct ag_buf *out;
    bool is_pretty;
    struct ag_str prefix, indent;
};

static bool put(struct writer *w, struct ag_value v, unsigned depth);

static void
new_line(struct writer *w, unsigned depth)
{
    if (!w->is_pretty)
        return;
    ag_buf_char(w->out, '\n');
    ag_buf_str(w->out, w->prefix);
    for (unsigned i = 0; i < depth && !w->out->is_full; i++)
        ag_buf_str(w->out, w->indent);
}

// What HTML or JavaScript would take for markup is escaped too: & < > and the two separators of lines.
static size_t
special(const char *p, size_t n)
{
    if (*p == '&' || *p == '<' || *p == '>')
        return 1;
    return n >= 3 && memcmp(p, "\xe2\x80", 2) == 0 && (p[2] == '\xa8' || p[2] == '\xa9') ? 3 : 0;
}

static void
put_string(struct ag_buf *out, struct ag_str s)
{
    size_t from = 0;
    ag_buf_char(out, '"');
    for (size_t i = 0; i <= s.n; i++) {
        size_t n = i < s.n ? special(s.p + i, s.n - i) : 1;
        if (!n)
            continue;
        size_t begin = out->n;
        ag_buf_json_str(out, ag_str_of(s.p + from, i - from)); // then without its quotes
        if (out->is_full)
            return;
        memmove(out->p + begin, out->p + begin + 1, out->n - begin - 2);
        out->n -= 2;
        if (i < s.n && n == 1) {
            ag_buf_lit(out, "\\u00");
            ag_buf_hex(out, s.p + i, 1);
        } else if (i < s.n) {
            ag_buf_lit(out, "\\u20");
            ag_buf_char(out, '2');
            ag_buf_char(out, s.p[i + 2] == '\xa8' ? '8' : '9');
        }
        i += n - 1;
        from = i + 1;
    }
    ag_buf_char(out, '"');
}

static bool
put_elements(struct writer *w, struct ag_value v, unsigned depth)
{
    bool is_object = v.kind == AG_OBJECT;
    ag_buf_char(w->out, is_object ? '{' : '[');
    for (uint32_t i = 0; i < v.len; i++) {
        if (i)
            ag_buf_char(w->out, ',');
        new_line(w, depth);
        if (is_object) {
            put_string(w->out, ag_value_str(ag_object_key(&w->c->mem, v, i)));
            ag_buf_char(w->out, ':');
            if (w->is_pretty)
                ag_buf_char(w->out, ' ');
        }
        if (!put(w, ag_value_at(&w->c->mem, v, i), depth))
            return false;
    }
    if (v.len)
        new_line(w, depth - 1);
    ag_buf_char(w->out, is_object ? '}' : ']');
    return true;
}

static bool
put(struct writer *w, struct ag_value v, unsigned depth)
{
    if (w->out->is_full || depth >= AG_NEST_MAX)
        return false;
    if (v.kind == AG_STRING)
        put_string(w->out, ag_value_str(v));
    else if (v.kind >= AG_ARRAY)
        return put_elements(w, v, depth + 1);
    else
        return ag_json_write(&w->c->mem, v, w->out, 0);
    return true;
}

static bool
has_other_keys(const struct ag_mem *m, struct ag_value v, unsigned depth)
{
    if (v.kind < AG_ARRAY || depth >= AG_NEST_MAX)
        return false;
    for (uint32_t i = 0; i < v.len; i++)
        if ((v.kind == AG_OBJECT && ag_object_key(m, v, i).kind != AG_STRING) ||
            has_other_keys(m, ag_value_at(m, v, i), depth + 1))
            return true;
    return false;
}

// A key that is no string, as its JSON text.
static struct ag_value
text_key(struct ag_call *c, struct ag_value key)
{
    struct ag_buf out;
    if (key.kind == AG_STRING)
        return key;
    if (!ag_bi_begin(c, &out))
        return ag_undef();
    return ag_bi_end(c, &out, ag_json_write(&c->mem, key, &out, 0));
}

// v with strings for all keys, so that their order is that of the texts. Of equal texts the later value
// counts.
static struct ag_value
with_text_keys(struct ag_call *c, struct ag_value v, unsigned depth)
{
    const struct ag_mem *m = &c->mem;
    if (v.kind < AG_ARRAY)
        return v;
    if (depth >= AG_NEST_MAX)
        return ag_bi_error();
    struct ag_builder *b = ag_builder_new(m, v.kind == AG_OBJECT ? AG_OBJECT : AG_ARRAY);
    bool ok = b && ag_charge(c, v.len);
    for (uint32_t i = 0; ok && i < v.len; i++) {
        struct ag_value e = with_text_keys(c, ag_value_at(m, v, i), depth + 1);
        struct ag_value key = v.kind == AG_OBJECT ? text_key(c, ag_object_key(m, v, i)) : ag_null();
        if (e.kind <= AG_ERROR || key.kind <= AG_ERROR)
            return e.kind <= AG_ERROR ? e : key;
        ok = v.kind == AG_OBJECT ? ag_builder_put(m, b, key, e) : ag_builder_push(m, b, e);
    }
    return c->stop == AG_EVAL_OK ? ag_bi_close(c, b, ok) : ag_undef();
}

static struct ag_value
marshal(struct ag_call *c, struct ag_value v, struct writer *w)
{
    struct ag_buf out;
    if (has_other_keys(&c->mem, v, 0))
        v = with_text_keys(c, v, 0);
    if (v.kind <= AG_ERROR || !ag_bi_begin(c, &out))
        return v.kind == AG_ERROR ? v : ag_undef();
    w->c = c;
    w->out = &out;
    if (w->is_pretty)
        ag_buf_str(&out, w->prefix);
    return ag_bi_end(c, &out, put(w, v, 0));
}

struct ag_value
ag_bi_json_marshal(struct ag_call *c, const struct ag_value *a)
{
    struct writer w = {.is_pretty = false};
    return marshal(c, a[0], &w);
}

// One option; false: *ret_error is the error.
static bool
read_option(struct ag_call *c, struct ag_str key, uint32_t i, struct ag_value v, struct writer *w,
            bool *pretty_given, struct ag_value *ret_error)
{
    bool is_text = ag_str_is(key, "prefix") || ag_str_is(key, "indent");
    if (is_text && v.kind == AG_STRING) {
        *(ag_str_is(key, "prefix") ? &w->prefix : &w->indent) = ag_value_str(v);
        w->is_pretty |= !*pretty_given;
        return true;
    }
    if (ag_str_is(key, "pretty") && v.kind == AG_BOOL) {
        *pretty_given = true;
        w->is_pretty = v.i;
        return true;
    }
    int n = (int)(key.n > 64 ? 64 : key.n);
    if (is_text)
        *ret_error =
            ag_error(c, AG_VERR_TYPE,
                     "operand 2 key \"%.*s\" failed cast to string: operand %u must be string but got %s", n,
                     key.p, i, ag_bi_kind(v));
    else if (ag_str_is(key, "pretty"))
        *ret_error = ag_error(c, AG_VERR_TYPE, "operand 2 key \"pretty\" failed cast to bool");
    else
        *ret_error = ag_error(c, AG_VERR_TYPE, "operand 2 object contained unknown key \"%.*s\"", n, key.p);
    return false;
}

static struct ag_value
other_key(struct ag_call *c, struct ag_value key, uint32_t i)
{
    char text[64];
    struct ag_buf b;
    ag_buf_init(&b, text, sizeof text);
    ag_bi_put_term(&c->mem, key, &b);
    return ag_error(
        c, AG_VERR_TYPE,
        "operand 2 failed to stringify key %.*s at index %u: operand %u must be string but got %s", (int)b.n,
        text, i, i, ag_bi_kind(key));
}

struct ag_value
ag_bi_json_marshal_with_options(struct ag_call *c, const struct ag_value *a)
{
    struct writer w = {.indent = AG_STR("\t")};
    bool pretty_given = false;
    struct ag_value error;
    for (uint32_t i = 0; i < a[1].len; i++) {
        struct ag_value key = ag_object_key(&c->mem, a[1], i);
        if (key.kind != AG_STRING)
            return other_key(c, key, i);
        if (!read_option(c, ag_value_str(key), i, ag_value_at(&c->mem, a[1], i), &w, &pretty_given, &error))
            return error;
    }
    return marshal(c, a[0], &w);
}

// --- reading. A text of the image is copied first: what is read may borrow from the arena or the request
// only.
static enum ag_json_status
read_json(struct ag_call *c, struct ag_value text, struct ag_value *ret)
{
    struct ag_json_error e;
    *ret = ag_undef();
    if (!ag_charge(c, 1 + (uint64_t)text.len / 4))
        return AG_JSON_ARENA;
    if (text.region == AG_IN_IMAGE)
        text = ag_bi_copy(c, ag_value_str(text));
    if (text.kind != AG_STRING)
        return AG_JSON_ARENA;
    enum ag_json_status s = ag_json_read(&c->mem, ag_value_str(text), ret, &e);
    if (s == AG_JSON_ARENA)
        ag_stop(c, AG_EVAL_ARENA);
    return s;
}

struct ag_value
ag_bi_json_unmarshal(struct ag_call *c, const struct ag_value *a)
{
    struct ag_value v;
    enum ag_json_status s = read_json(c, a[0], &v);
    if (s == AG_JSON_OK || s == AG_JSON_ARENA)
        return s == AG_JSON_OK ? v : ag_undef();
    return ag_error(c, AG_VERR_BUILTIN, "%s", ag_json_status_text(s));
}

struct ag_value
ag_bi_json_is_valid(struct ag_call *c, const struct ag_value *a)
{
    struct ag_value v;
    if (a[0].kind != AG_STRING)
        return ag_bool(false);
    size_t mark = ag_arena_mark(c->mem.arena);
    enum ag_json_status s = read_json(c, a[0], &v);
    ag_arena_reset(c->mem.arena, mark);
    // A duplicate key is bad style, not bad JSON.
    return s == AG_JSON_ARENA ? ag_undef() : ag_bool(s == AG_JSON_OK || s == AG_JSON_DUPLICATE_KEY);
}
