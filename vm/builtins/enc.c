// SPDX-License-Identifier: Apache-2.0
// Built-ins that encode and decode: JSON, base64, hex, SHA-256.
// In: values and strings. Out: strings and values in the call's arena. Decoded bytes must be UTF-8: a string
// is text. Next file to read: time.c.
#include "builtin_fns.h"
#include "base64.h"
#include "sha256.h"
#include "utf8.h"

struct ag_value
ag_bi_json_marshal(struct ag_call *c, const struct ag_value *a)
{
    struct ag_arena *arena = c->mem.arena;
    size_t room = arena->size - arena->used, mark = ag_arena_mark(arena);
    if (room > AG_STRING_MAX)
        room = AG_STRING_MAX;
    char *p = ag_call_alloc(c, room, 1);
    if (!p)
        return ag_undef();
    struct ag_buf out;
    ag_buf_init(&out, p, room);
    bool ok = ag_json_write(&c->mem, a[0], &out, 0);
    ag_arena_reset(arena, mark + out.n);
    if (out.is_full)
        return ag_stop(c, AG_EVAL_ARENA);
    if (!ag_charge_bytes(c, out.n))
        return ag_undef();
    return ok ? ag_bi_text(p, out.n) : ag_bi_error();
}

// A text of the image is copied first: what is read may borrow from the arena or the request only.
static struct ag_value
read_json(struct ag_call *c, struct ag_value text)
{
    struct ag_value v;
    struct ag_json_error e;
    if (!ag_charge(c, 1 + (uint64_t)text.len / 4))
        return ag_undef();
    if (text.region == AG_IN_IMAGE)
        text = ag_bi_copy(c, ag_value_str(text));
    if (text.kind != AG_STRING)
        return text;
    enum ag_json_status s = ag_json_read(&c->mem, ag_value_str(text), &v, &e);
    if (s == AG_JSON_ARENA)
        return ag_stop(c, AG_EVAL_ARENA);
    return s == AG_JSON_OK ? v : ag_bi_error();
}

struct ag_value
ag_bi_json_unmarshal(struct ag_call *c, const struct ag_value *a)
{
    return read_json(c, a[0]);
}

struct ag_value
ag_bi_json_is_valid(struct ag_call *c, const struct ag_value *a)
{
    size_t mark = ag_arena_mark(c->mem.arena);
    struct ag_value v = read_json(c, a[0]);
    ag_arena_reset(c->mem.arena, mark);
    return ag_bool(v.kind > AG_ERROR);
}

// --- bytes as text
// -------------------------------------------------------------------------------------------------

static char *
room_for(struct ag_call *c, uint64_t n)
{
    return n <= AG_STRING_MAX && ag_charge_bytes(c, n) ? ag_call_alloc(c, n, 1) : NULL;
}

struct ag_value
ag_bi_base64_encode(struct ag_call *c, const struct ag_value *a)
{
    uint64_t n = ((uint64_t)a[0].len + 2) / 3 * 4;
    char *p = room_for(c, n);
    struct ag_buf b;
    if (!p)
        return n > AG_STRING_MAX ? ag_bi_error() : ag_undef();
    ag_buf_init(&b, p, n);
    ag_buf_base64(&b, a[0].p, a[0].len);
    return ag_bi_text(p, b.n);
}

static struct ag_value
decoded(char *p, size_t n)
{
    return ag_utf8_valid(p, n) ? ag_bi_text(p, n) : ag_bi_error();
}

struct ag_value
ag_bi_base64_decode(struct ag_call *c, const struct ag_value *a)
{
    size_t size = a[0].len / 4 * 3;
    char *p = room_for(c, size);
    if (!p)
        return ag_undef();
    int64_t n = ag_base64_decode(ag_value_str(a[0]), false, (uint8_t *)p, size);
    return n < 0 ? ag_bi_error() : decoded(p, (size_t)n);
}

struct ag_value
ag_bi_hex_encode(struct ag_call *c, const struct ag_value *a)
{
    uint64_t n = 2 * (uint64_t)a[0].len;
    char *p = room_for(c, n);
    struct ag_buf b;
    if (!p)
        return n > AG_STRING_MAX ? ag_bi_error() : ag_undef();
    ag_buf_init(&b, p, n);
    ag_buf_hex(&b, a[0].p, a[0].len);
    return ag_bi_text(p, b.n);
}

static int
hex_digit(uint8_t ch)
{
    uint8_t low = ch | 0x20;
    return ch >= '0' && ch <= '9' ? ch - '0' : low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

struct ag_value
ag_bi_hex_decode(struct ag_call *c, const struct ag_value *a)
{
    if (a[0].len % 2)
        return ag_bi_error();
    char *p = room_for(c, a[0].len / 2);
    for (uint32_t i = 0; p && i < a[0].len; i += 2) {
        int hi = hex_digit(a[0].p[i]), lo = hex_digit(a[0].p[i + 1]);
        if (hi < 0 || lo < 0)
            return ag_bi_error();
        p[i / 2] = (char)(hi << 4 | lo);
    }
    return p ? decoded(p, a[0].len / 2) : ag_undef();
}

struct ag_value
ag_bi_sha256(struct ag_call *c, const struct ag_value *a)
{
    uint8_t digest[32];
    char *p = ag_charge(c, a[0].len / 4) ? ag_call_alloc(c, 2 * sizeof digest, 1) : NULL;
    struct ag_buf b;
    if (!p)
        return ag_undef();
    ag_sha256(a[0].p, a[0].len, digest);
    ag_buf_init(&b, p, 2 * sizeof digest);
    ag_buf_hex(&b, digest, sizeof digest);
    return ag_bi_text(p, b.n);
}
