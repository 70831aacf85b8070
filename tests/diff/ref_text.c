// SPDX-License-Identifier: Apache-2.0
// Values as Rego writes them: what a template string shows of a value that is no string.
// In: values. Out: text. Who owns memory: the caller's buffer. Next file to read: ref_term.c.
#include "ref.h"

static void
print_all(struct ref *r, struct ag_value v, struct ag_buf *out)
{
    for (uint32_t i = 0; i < v.len; i++) {
        if (i)
            ag_buf_lit(out, ", ");
        if (v.kind == AG_OBJECT) {
            ref_print(r, ag_object_key(&r->call.mem, v, i), out, false);
            ag_buf_lit(out, ": ");
        }
        ref_print(r, ag_value_at(&r->call.mem, v, i), out, false);
    }
}

void
ref_print(struct ref *r, struct ag_value v, struct ag_buf *out, bool is_top)
{
    switch (v.kind) {
    case AG_UNDEF: ag_buf_lit(out, "<undefined>"); break;
    case AG_ARRAY:
        ag_buf_char(out, '[');
        print_all(r, v, out);
        ag_buf_char(out, ']');
        break;
    case AG_SET:
        if (v.len == 0) {
            ag_buf_lit(out, "set()");
            break;
        }
        // fallthrough
    case AG_OBJECT:
        ag_buf_char(out, '{');
        print_all(r, v, out);
        ag_buf_char(out, '}');
        break;
    case AG_STRING:
        if (is_top)
            ag_buf_str(out, ag_value_str(v));
        else
            ag_json_write(&r->call.mem, v, out, 0);
        break;
    default: ag_json_write(&r->call.mem, v, out, 0);
    }
}
