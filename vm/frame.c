// SPDX-License-Identifier: Apache-2.0
// The data document as one evaluation sees it: memo tables and the overlays that `with` lays on it, frame by
// frame. In: frames, paths, values. Out: answers of rules and base documents with overlays applied. Who owns
// memory: the call's arena. A frame is made by `with`; what was memoised below does not hold in it. Next file
// to read: interp.c, which asks here at each call.
#include "machine.h"
#include "buf.h"

#define FRAMES_FIRST   8u
#define INT64_TEXT_MAX 24u // bytes of an integer as text

uint32_t
ag_frame_new(struct ag_call *c, uint32_t below)
{
    if (c->nframes == c->frames_cap) {
        uint32_t cap = c->frames_cap ? c->frames_cap * 2 : FRAMES_FIRST;
        struct ag_data_frame *frames = cap > AG_FRAMES_MAX ? NULL : ag_call_alloc(c, cap * sizeof *frames, 8);
        if (!frames) {
            ag_stop(c, AG_EVAL_ARENA);
            return AG_NONE;
        }
        if (c->nframes)
            memcpy(frames, c->frames, c->nframes * sizeof *frames);
        c->frames = frames;
        c->frames_cap = cap;
    }
    c->frames[c->nframes] = (struct ag_data_frame){below == AG_NONE ? NULL : c->frames[below].overlays, NULL};
    return c->nframes++;
}

struct ag_value
ag_frame_overlay(struct ag_call *c, uint32_t ix, struct ag_value pair)
{
    struct ag_value path =
        pair.kind == AG_ARRAY && pair.len == 2 ? ag_value_at(&c->mem, pair, 0) : ag_undef();
    if (path.kind != AG_ARRAY)
        return ag_err(AG_VERR_TYPE, 0);
    struct ag_overlay *o = ag_call_alloc(c, sizeof *o, _Alignof(struct ag_overlay));
    uint32_t frame = o ? ag_frame_new(c, ix) : AG_NONE;
    if (frame == AG_NONE)
        return ag_undef();
    *o = (struct ag_overlay){path, ag_value_at(&c->mem, pair, 1), c->frames[ix].overlays};
    c->frames[frame].overlays = o;
    return (struct ag_value){.kind = AG_FRAME, .len = frame};
}

// --- paths
// ---------------------------------------------------------------------------------------------------

// An element of a base document. A whole number names the member of its text: keys of JSON are strings, and
// data[2] is data["2"].
static struct ag_value
member(const struct ag_mem *m, struct ag_value v, struct ag_value key)
{
    char text[INT64_TEXT_MAX];
    struct ag_buf out;
    if (v.kind != AG_OBJECT)
        return ag_value_get(m, v, key);
    if (key.kind == AG_STRING)
        return ag_object_get(m, v, ag_value_str(key));
    struct ag_value at = ag_value_get(m, v, key);
    if (at.kind != AG_UNDEF || key.kind != AG_NUMBER || key.sub)
        return at;
    ag_buf_init(&out, text, sizeof text);
    ag_buf_i64(&out, key.i);
    return ag_object_get(m, v, ag_str_of(text, out.n));
}

static struct ag_value
path_from(const struct ag_mem *m, struct ag_value v, struct ag_value path, uint32_t from)
{
    for (uint32_t i = from; i < path.len && v.kind > AG_ERROR; i++)
        v = member(m, v, ag_value_at(m, path, i));
    return v;
}

static bool
is_prefix(const struct ag_mem *m, struct ag_value prefix, struct ag_value path)
{
    if (prefix.len > path.len)
        return false;
    for (uint32_t i = 0; i < prefix.len; i++)
        if (!ag_value_eq(m, ag_value_at(m, prefix, i), ag_value_at(m, path, i)))
            return false;
    return true;
}

// `doc` with value at path[from..].
static struct ag_value
upsert_from(struct ag_call *c, struct ag_value doc, struct ag_value path, uint32_t from,
            struct ag_value value)
{
    const struct ag_mem *m = &c->mem;
    if (from == path.len)
        return value;
    if (from >= AG_DEPTH_MAX)
        return ag_err(AG_VERR_RANGE, 0);
    uint32_t n = doc.kind == AG_OBJECT ? doc.len : 0;
    struct ag_value key = ag_value_at(m, path, from), inner = n ? ag_value_get(m, doc, key) : ag_undef();
    struct ag_value sub = upsert_from(c, inner, path, from + 1, value);
    if (sub.kind <= AG_ERROR)
        return sub;
    if (!ag_charge(c, n))
        return ag_undef();
    struct ag_builder *b = ag_builder_new(m, AG_OBJECT);
    bool ok = b && ag_builder_put(m, b, key, sub);
    for (uint32_t i = 0; ok && i < n; i++) {
        struct ag_value k = ag_object_key(m, doc, i);
        if (!ag_value_eq(m, k, key))
            ok = ag_builder_put(m, b, k, ag_value_at(m, doc, i));
    }
    struct ag_value v = ok ? ag_builder_close(m, b) : ag_undef();
    return v.kind == AG_UNDEF ? ag_stop(c, AG_EVAL_ARENA) : v;
}

struct ag_value
ag_value_upsert(struct ag_call *c, struct ag_value doc, struct ag_value path, struct ag_value value)
{
    return upsert_from(c, doc, path, 0, value);
}

static struct ag_value
merge_deep(struct ag_call *c, struct ag_value a, struct ag_value b, unsigned depth)
{
    const struct ag_mem *m = &c->mem;
    if (a.kind != AG_OBJECT || b.kind != AG_OBJECT)
        return a;
    if (depth >= AG_DEPTH_MAX)
        return ag_err(AG_VERR_RANGE, 0);
    if (!ag_charge(c, (uint64_t)a.len + b.len))
        return ag_undef();
    struct ag_builder *out = ag_builder_new(m, AG_OBJECT);
    bool ok = out;
    for (uint32_t i = 0; ok && i < a.len; i++) {
        struct ag_value key = ag_object_key(m, a, i), v = ag_value_at(m, a, i),
                        other = ag_value_get(m, b, key);
        if (other.kind != AG_UNDEF)
            v = merge_deep(c, v, other, depth + 1);
        if (v.kind <= AG_ERROR)
            return v;
        ok = ag_builder_put(m, out, key, v);
    }
    for (uint32_t i = 0; ok && i < b.len; i++) {
        struct ag_value key = ag_object_key(m, b, i);
        if (ag_value_get(m, a, key).kind == AG_UNDEF)
            ok = ag_builder_put(m, out, key, ag_value_at(m, b, i));
    }
    struct ag_value v = ok ? ag_builder_close(m, out) : ag_undef();
    return v.kind == AG_UNDEF ? ag_stop(c, AG_EVAL_ARENA) : v;
}

struct ag_value
ag_value_merge(struct ag_call *c, struct ag_value a, struct ag_value b)
{
    return merge_deep(c, a, b, 0);
}

// --- overlays
// --------------------------------------------------------------------------------------------------

// The newest overlay that covers `path`, or NULL.
static const struct ag_overlay *
covering(const struct ag_mem *m, const struct ag_overlay *newest, struct ag_value path)
{
    for (; newest; newest = newest->next)
        if (is_prefix(m, newest->path, path))
            return newest;
    return NULL;
}

// An overlay at a path that begins with null is no part of the document: it carries what stands in the place
// of a function.
static bool
is_hidden(const struct ag_mem *m, struct ag_value path)
{
    return path.len && ag_value_at(m, path, 0).kind == AG_NULL;
}

// Writes the overlays newer than `stop` that lie below `path` into v, oldest first.
static struct ag_value
apply_deeper(struct ag_call *c, const struct ag_overlay *o, const struct ag_overlay *stop,
             struct ag_value path, struct ag_value v)
{
    const struct ag_overlay *list[AG_DEPTH_MAX];
    uint32_t n = 0;
    for (; o != stop; o = o->next) {
        if (!is_prefix(&c->mem, path, o->path) || o->path.len == path.len || is_hidden(&c->mem, o->path))
            continue;
        if (n == AG_DEPTH_MAX)
            return ag_err(AG_VERR_RANGE, 0); // more `with` on one document than values may nest
        list[n++] = o;
    }
    while (n-- > 0 && v.kind != AG_ERROR)
        v = upsert_from(c, v, list[n]->path, path.len, list[n]->value);
    return v;
}

static struct ag_value
with_overlays(struct ag_call *c, uint32_t ix, struct ag_value path, struct ag_value base, bool *ret_covered)
{
    const struct ag_overlay *newest = c->frames[ix].overlays, *cover = covering(&c->mem, newest, path);
    *ret_covered = cover != NULL;
    if (cover)
        base = path_from(&c->mem, cover->value, path, cover->path.len);
    return apply_deeper(c, newest, cover, path, base);
}

struct ag_value
ag_frame_data(struct ag_call *c, uint32_t ix, struct ag_value path)
{
    struct ag_value v = ag_undef();
    if (path.kind != AG_ARRAY)
        return v;
    if (c->im->meta->data != AG_NONE)
        v = path_from(&c->mem, ag_image_const(c->im, c->im->meta->data), path, 0);
    bool covered;
    return c->frames[ix].overlays ? with_overlays(c, ix, path, v, &covered) : v;
}

bool
ag_frame_answers(struct ag_call *c, uint32_t ix, const struct ag_func *f, struct ag_value *ret)
{
    const struct ag_data_frame *d = &c->frames[ix];
    if (f->memo_slot != AG_NONE && d->memo && d->memo[f->memo_slot].pad) {
        *ret = d->memo[f->memo_slot];
        ret->pad = 0;
        return true;
    }
    if (!d->overlays || f->path == AG_NONE)
        return false;
    struct ag_value path = ag_image_const(c->im, f->path);
    if (!covering(&c->mem, d->overlays, path))
        return false;
    bool covered;
    *ret = with_overlays(c, ix, path, ag_undef(), &covered);
    return true;
}

struct ag_value
ag_frame_keep(struct ag_call *c, uint32_t ix, const struct ag_func *f, struct ag_value v)
{
    struct ag_data_frame *d = &c->frames[ix];
    if (d->overlays && f->path != AG_NONE && v.kind != AG_ERROR)
        v = apply_deeper(c, d->overlays, NULL, ag_image_const(c->im, f->path), v);
    if (f->memo_slot == AG_NONE || (v.kind > AG_SET && v.kind != AG_FRAME))
        return v;
    if (!d->memo) {
        size_t n = c->im->meta->memo_slots * sizeof *d->memo;
        d->memo = ag_call_alloc(c, n, 16);
        if (!d->memo)
            return ag_undef();
        memset(d->memo, 0, n);
    }
    d->memo[f->memo_slot] = v;
    d->memo[f->memo_slot].pad = 1;
    return v;
}
