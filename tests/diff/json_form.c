// SPDX-License-Identifier: Apache-2.0
// Values as JSON has them. In: values. Out: values without sets and without keys that are no strings.
// Memory: the values' arena. Next file to read: difftest.c.
#include "json_form.h"
#include "buf.h"

static struct ag_value
key_text(struct ag_mem *m, struct ag_value key)
{
    char text[4096];
    struct ag_buf b;
    if (key.kind == AG_STRING)
        return key;
    ag_buf_init(&b, text, sizeof text);
    ag_json_write(m, key, &b, 0);
    return ag_string_copy(m, ag_str_of(b.p, b.n));
}

struct ag_value
t_as_json(struct ag_mem *m, struct ag_value v)
{
    if (v.kind != AG_ARRAY && v.kind != AG_SET && v.kind != AG_OBJECT)
        return v;
    struct ag_builder *b = ag_builder_new(m, v.kind == AG_OBJECT ? AG_OBJECT : AG_ARRAY);
    for (uint32_t i = 0; i < v.len; i++) {
        struct ag_value item = t_as_json(m, ag_value_at(m, v, i));
        if (v.kind == AG_OBJECT)
            ag_builder_put(m, b, key_text(m, ag_object_key(m, v, i)), item);
        else
            ag_builder_push(m, b, item);
    }
    return ag_builder_close(m, b);
}
