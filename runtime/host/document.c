// SPDX-License-Identifier: Apache-2.0
// Finds the entrypoint of a document. In: an image, a path. Out: entrypoint and steps. Memory: the stack.
// Next file to read: decide.c.
#include "document.h"

#include "buf.h"
#include "eval.h"

static void
put_step(struct ag_buf *b, struct aegis_str s)
{
    if (ag_str_is_name(ag_str_of(s.p, s.n))) {
        ag_buf_char(b, '.');
        ag_buf_put(b, s.p, s.n);
        return;
    }
    ag_buf_char(b, '[');
    ag_buf_json_str(b, ag_str_of(s.p, s.n));
    ag_buf_char(b, ']');
}

// Whether an entrypoint stands below the one called `name`.
static bool
continues(const struct ag_image *im, struct ag_str name)
{
    for (uint32_t i = 0; i < im->nentries; i++) {
        struct ag_str s = ag_image_str(im, im->entries[i].name);
        if (s.n > name.n && memcmp(s.p, name.p, name.n) == 0 && (s.p[name.n] == '.' || s.p[name.n] == '['))
            return true;
    }
    return false;
}

void
agr_document_find(const struct ag_image *im, const struct aegis_str *step, uint32_t n,
                  struct agr_document *ret)
{
    char mem[AGR_DOCUMENT_NAME_MAX];
    struct ag_buf b;
    uint32_t nsteps = 0;
    *ret = (struct agr_document){.entry = AG_NONE};
    ag_buf_init(&b, mem, sizeof mem);
    ag_buf_lit(&b, "data");
    for (;;) {
        uint32_t entry = b.is_full ? AG_NONE : ag_entry_find(im, ag_str_of(b.p, b.n));
        bool is_value = entry != AG_NONE && !im->entries[entry].is_decision;
        if (is_value && (nsteps == n || !continues(im, ag_str_of(b.p, b.n)))) {
            *ret = (struct agr_document){entry, nsteps};
            return;
        }
        if (nsteps == n)
            return;
        put_step(&b, step[nsteps++]);
    }
}

// The number that a step spells, or -1.
static int64_t
position(struct aegis_str s)
{
    int64_t v = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9' || v > INT32_MAX)
            return -1;
        v = v * 10 + (s.p[i] - '0');
    }
    return s.n && (s.n == 1 || s.p[0] != '0') ? v : -1;
}

struct ag_value
agr_document_walk(const struct ag_mem *m, struct ag_value v, const struct aegis_str *step, uint32_t n)
{
    for (uint32_t i = 0; i < n && v.kind >= AG_NULL; i++) {
        struct ag_value key = ag_string_copy(m, ag_str_of(step[i].p, step[i].n));
        struct ag_value at = v.kind == AG_ARRAY ? ag_undef() : ag_value_get(m, v, key);
        int64_t number = position(step[i]);
        if (at.kind < AG_NULL && number >= 0)
            at = ag_value_get(m, v, ag_int(number));
        v = at;
    }
    return v;
}
