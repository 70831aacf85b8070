// SPDX-License-Identifier: Apache-2.0
// Values to JSON: the canonical form (audit, digests) and the readable one (answers, tools).
// In: a value. Out: text in the caller's buffer; a buffer that is too small or a value that is too deep gives
// false. Who owns memory: nothing is allocated but a sort of key texts for objects whose keys are no strings.
// Next file to read: interp.c.
#include "value.h"
#include "buf.h"
#include "limits.h"
#include "number.h"

struct writer {
    const struct ag_mem *m;
    struct ag_buf *out;
    bool canonical;
    int indent; // blanks per level, 0 = all on one line
};

static bool write_value(const struct writer *w, struct ag_value v, unsigned depth);

static void
new_line(const struct writer *w, unsigned depth)
{
    if (!w->indent)
        return;
    ag_buf_char(w->out, '\n');
    for (unsigned i = 0; i < depth * (unsigned)w->indent; i++)
        ag_buf_char(w->out, ' ');
}

// A key: a string as it is, anything else as a string of its JSON text.
static bool
write_key(const struct writer *w, struct ag_value key, unsigned depth)
{
    if (key.kind == AG_STRING) {
        ag_buf_json_str(w->out, ag_value_str(key));
        return true;
    }
    // The text is written in place and then again, quoted, behind it.
    struct writer plain = {w->m, w->out, w->canonical, 0};
    size_t from = w->out->n;
    if (!write_value(&plain, key, depth) || w->out->is_full)
        return false;
    size_t n = w->out->n - from;
    ag_buf_json_str(w->out, ag_str_of(w->out->p + from, n));
    if (w->out->is_full)
        return false;
    memmove(w->out->p + from, w->out->p + from + n, w->out->n - from - n);
    w->out->n -= n;
    return true;
}

static bool
has_string_keys(const struct ag_mem *m, struct ag_value v)
{
    // Sorted: strings stand between numbers and containers.
    return v.len == 0 ||
           (ag_object_key(m, v, 0).kind == AG_STRING && ag_object_key(m, v, v.len - 1).kind == AG_STRING);
}

// The object with its keys replaced by their texts, for a canonical order by bytes. AG_UNDEF: no room.
static struct ag_value
text_keys(const struct writer *w, struct ag_value v, unsigned depth)
{
    struct ag_builder *b = ag_builder_new(w->m, AG_OBJECT);
    for (uint32_t i = 0; b && i < v.len; i++) {
        struct ag_value key = ag_object_key(w->m, v, i);
        if (key.kind != AG_STRING) {
            struct writer plain = {w->m, w->out, true, 0};
            size_t from = w->out->n;
            if (!write_value(&plain, key, depth) || w->out->is_full)
                return ag_undef();
            key = ag_string_copy(w->m, ag_str_of(w->out->p + from, w->out->n - from));
            w->out->n = from;
        }
        if (key.kind == AG_UNDEF || !ag_builder_put(w->m, b, key, ag_value_at(w->m, v, i)))
            return ag_undef();
    }
    return b ? ag_builder_close(w->m, b) : ag_undef();
}

static bool
write_object(const struct writer *w, struct ag_value v, unsigned depth)
{
    if (w->canonical && !has_string_keys(w->m, v)) {
        v = text_keys(w, v, depth);
        if (v.kind != AG_OBJECT)
            return false;
    }
    ag_buf_char(w->out, '{');
    for (uint32_t i = 0; i < v.len; i++) {
        if (i)
            ag_buf_char(w->out, ',');
        new_line(w, depth);
        if (!write_key(w, ag_object_key(w->m, v, i), depth))
            return false;
        ag_buf_char(w->out, ':');
        if (w->indent)
            ag_buf_char(w->out, ' ');
        if (!write_value(w, ag_value_at(w->m, v, i), depth))
            return false;
    }
    if (v.len)
        new_line(w, depth - 1);
    ag_buf_char(w->out, '}');
    return true;
}

static bool
write_elements(const struct writer *w, struct ag_value v, unsigned depth)
{
    ag_buf_char(w->out, '[');
    for (uint32_t i = 0; i < v.len; i++) {
        if (i)
            ag_buf_char(w->out, ',');
        new_line(w, depth);
        if (!write_value(w, ag_value_at(w->m, v, i), depth))
            return false;
    }
    if (v.len)
        new_line(w, depth - 1);
    ag_buf_char(w->out, ']');
    return true;
}

static bool
write_value(const struct writer *w, struct ag_value v, unsigned depth)
{
    if (w->out->is_full)
        return false;
    switch (v.kind) {
    case AG_NULL: ag_buf_lit(w->out, "null"); return true;
    case AG_BOOL:
        if (v.i)
            ag_buf_lit(w->out, "true");
        else
            ag_buf_lit(w->out, "false");
        return true;
    case AG_NUMBER:
        if (v.sub == 0)
            ag_buf_i64(w->out, v.i);
        else if (w->canonical)
            ag_num_put_canonical(w->out, ag_number_view(v));
        else
            ag_num_put(w->out, ag_number_view(v));
        return true;
    case AG_STRING: ag_buf_json_str(w->out, ag_value_str(v)); return true;
    case AG_ARRAY:
    case AG_SET: return depth < AG_NEST_MAX && write_elements(w, v, depth + 1);
    case AG_OBJECT: return depth < AG_NEST_MAX && write_object(w, v, depth + 1);
    default: return false; // undefined and errors have no JSON
    }
}

bool
ag_json_write_canonical(const struct ag_mem *m, struct ag_value v, struct ag_buf *out)
{
    struct writer w = {m, out, true, 0};
    return write_value(&w, v, 0) && !out->is_full;
}

bool
ag_json_write(const struct ag_mem *m, struct ag_value v, struct ag_buf *out, int indent)
{
    struct writer w = {m, out, false, indent};
    return write_value(&w, v, 0) && !out->is_full;
}
