// SPDX-License-Identifier: Apache-2.0
// Step 6, base documents: JSON becomes constants, several documents one object. In: sources of a job and the
// paths at which they stand. Out: ir->data. Memory: the compile arena. Next file to read: heap.c, which lays
// constants out in the image.
#include "lower_rego.h"

#include "buf.h"

#include <stdlib.h>

#define CELLS_PER_BYTE                                                                                       \
    40u // of JSON: the most that values need for one byte of text, a one-element array each
#define ARENA_BASE 65536u

static uint32_t
number_const(struct agc_ir *ir, const struct ag_mem *m, struct ag_value v)
{
    char text[AG_NUM_TEXT_MAX + 1];
    struct ag_buf out;
    if (!v.sub)
        return agc_const_int(ir, v.i);
    ag_buf_init(&out, text, sizeof text);
    ag_json_write(m, v, &out, 0);
    return agc_const_number(ir, ag_str_of(text, out.n));
}

// JSON nests at most AG_DEPTH_MAX deep.
static uint32_t
value_const(struct agc_ir *ir, const struct ag_mem *m, struct ag_value v)
{
    uint32_t *kid, k = AG_NONE;
    switch (v.kind) {
    case AG_BOOL: return agc_const_bool(ir, v.i);
    case AG_NUMBER: return number_const(ir, m, v);
    case AG_STRING: return agc_const_string(ir, ag_value_str(v));
    case AG_ARRAY:
        kid = agc_alloc(ir->arena, ((size_t)v.len + 1) * sizeof *kid);
        for (uint32_t i = 0; i < v.len; i++)
            kid[i] = value_const(ir, m, ag_value_at(m, v, i));
        return agc_const_array(ir, kid, v.len);
    case AG_OBJECT:
        kid = agc_alloc(ir->arena, (2 * (size_t)v.len + 1) * sizeof *kid);
        for (uint32_t i = 0; i < v.len; i++) {
            kid[2 * i] = value_const(ir, m, ag_object_key(m, v, i));
            kid[2 * i + 1] = value_const(ir, m, ag_value_at(m, v, i));
        }
        agc_const_object(ir, kid, v.len, &k);
        return k;
    default: return agc_const_null(ir);
    }
}

static bool
read_json(struct agc_job *j, uint32_t source, uint32_t *ret)
{
    struct ag_str json = j->sources.v[source].bytes;
    size_t size = ARENA_BASE + json.n * CELLS_PER_BYTE;
    void *mem = malloc(size);
    if (!mem)
        agc_out_of_memory(size);
    struct ag_arena arena;
    struct ag_json_error why;
    struct ag_value v;
    ag_arena_init(&arena, mem, size);
    struct ag_mem m = {.arena = &arena};
    m.base[AG_IN_ARENA] = arena.base;
    m.base[AG_IN_REQUEST] = (const uint8_t *)json.p;
    bool ok = ag_json_read(&m, json, &v, &why) == AG_JSON_OK;
    if (ok)
        *ret = value_const(&j->ir, &m, v);
    else
        agc_diag(&j->diags, AGC_D_BAD_DATA,
                 (struct agc_span){source, (uint32_t)why.offset, (uint32_t)why.offset},
                 "this is not JSON that can be a document: %s", ag_json_status_text(why.status));
    free(mem);
    return ok;
}

static uint32_t
object_of(struct agc_ir *ir, struct ag_str key, uint32_t value)
{
    uint32_t kid[2] = {agc_const_string(ir, key), value}, k = AG_NONE;
    agc_const_object(ir, kid, 1, &k);
    return k;
}

// Both documents in one; false: they have different values at one place.
static bool
merge(struct agc_ir *ir, uint32_t a, uint32_t b, uint32_t *ret)
{
    *ret = a;
    if (a == b)
        return true;
    const struct agc_const *x = &ir->consts[a], *y = &ir->consts[b];
    if (x->kind != AG_OBJECT || y->kind != AG_OBJECT)
        return false;
    uint32_t n = 0, i = 0, k = 0, nx = x->n, ny = y->n;
    const uint32_t *xs = x->kid, *ys = y->kid; // x and y move when constants are added
    uint32_t *kid = agc_alloc(ir->arena, ((size_t)nx + ny + 1) * sizeof *kid);
    while (i < nx || k < ny) {
        int r = i == nx ? 1 : k == ny ? -1 : agc_const_cmp(ir, xs[i], ys[k]);
        const uint32_t *from = r <= 0 ? &xs[i] : &ys[k];
        kid[n] = from[0];
        kid[n + 1] = from[1];
        if (r == 0 && !merge(ir, xs[i + 1], ys[k + 1], &kid[n + 1]))
            return false;
        i += r <= 0 ? 2 : 0;
        k += r >= 0 ? 2 : 0;
        n += 2;
    }
    return agc_const_object(ir, kid, n / 2, ret);
}

bool
agc_lower_data(struct agc_job *j)
{
    bool ok = true;
    for (uint32_t i = 0; i < j->ndocuments; i++) {
        const struct agc_document *d = &j->documents[i];
        struct agc_span span = {d->source, 0, 0};
        uint32_t k;
        if (!read_json(j, d->source, &k)) {
            ok = false;
            continue;
        }
        if (d->npath == 0 && j->ir.consts[k].kind != AG_OBJECT) {
            agc_diag(&j->diags, AGC_D_BAD_DATA, span, "the base document is an object");
            ok = false;
            continue;
        }
        for (uint32_t s = d->npath; s-- > 0;)
            k = object_of(&j->ir, d->path[s], k);
        if (j->ir.data == AG_NONE)
            j->ir.data = k;
        else if (!merge(&j->ir, j->ir.data, k, &j->ir.data)) {
            agc_diag(&j->diags, AGC_D_BAD_DATA, span,
                     "an earlier document has another value at a place of this one");
            ok = false;
        }
    }
    return ok;
}
