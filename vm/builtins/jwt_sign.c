// SPDX-License-Identifier: Apache-2.0
// Built-ins that make JSON Web Tokens: io.jwt.encode_sign of values, io.jwt.encode_sign_raw of texts (RFC
// 7515). In: header, payload, JWK. Out: the compact token. ES* and PS* signatures differ from call to call.
// The JSON of values is that of Go: keys sorted, <, > and & escaped. Memory: the call's arena. Next file to
// read: jwt_keys.c.
#include "jwt.h"

// Copies JSON text with the escapes that keep it harmless inside HTML; they stand inside strings only.
static void
put_escaped(struct ag_buf *out, const char *p, size_t n)
{
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        uint8_t ch = (uint8_t)p[i];
        if (ch == '<' || ch == '>' || ch == '&') {
            ag_buf_lit(out, "\\u00");
            ag_buf_char(out, hex[ch >> 4]);
            ag_buf_char(out, hex[ch & 15]);
        } else if (ch == 0xe2 && n - i >= 3 && (uint8_t)p[i + 1] == 0x80 && ((uint8_t)p[i + 2] | 1) == 0xa9) {
            ag_buf_str(out, (uint8_t)p[i + 2] == 0xa8 ? AG_STR("\\u2028") : AG_STR("\\u2029"));
            i += 2;
        } else
            ag_buf_char(out, p[i]);
    }
}

struct ag_str
ag_jwt_marshal(struct ag_call *c, struct ag_value v)
{
    struct ag_arena *arena = c->mem.arena;
    struct ag_buf plain, out;
    size_t mark = ag_arena_mark(arena), room = arena->size - arena->used;
    if (room > AG_STRING_MAX)
        room = AG_STRING_MAX;
    char *p = ag_call_alloc(c, room, 1);
    if (!p)
        return ag_str_of(NULL, 0);
    ag_buf_init(&plain, p, room);
    bool ok = ag_json_write(&c->mem, v, &plain, 0);
    ag_arena_reset(arena, mark + plain.n);
    if (plain.is_full)
        ag_stop(c, AG_EVAL_ARENA);
    if (!ok || plain.is_full || !ag_charge_bytes(c, 2 * plain.n))
        return ag_str_of(NULL, 0);
    char *q = ag_call_alloc(c, 6 * plain.n, 1);
    if (!q)
        return ag_str_of(NULL, 0);
    ag_buf_init(&out, q, 6 * plain.n);
    put_escaped(&out, plain.p, plain.n);
    ag_arena_reset(arena, (size_t)((uint8_t *)q - arena->base) + out.n);
    return ag_str_of(out.p, out.n);
}

// The algorithm of a header text; NULL: *err.
static const struct ag_jwt_alg *
header_alg(struct ag_call *c, struct ag_str header, bool *ret_is_jwt, struct ag_value *err)
{
    struct ag_value v;
    enum ag_json_status s = ag_jwt_json(c, header, &v);
    const struct ag_jwt_alg *a = NULL;
    if (c->stop != AG_EVAL_OK)
        return NULL;
    if (s != AG_JSON_OK) {
        *err = ag_error(c, AG_VERR_BUILTIN, "missing or invalid 'alg' header: cannot parse JSON: %s",
                        header.n ? ag_json_status_text(s) : "cannot parse empty string");
        return NULL;
    }
    struct ag_value alg = v.kind == AG_OBJECT ? ag_object_get(&c->mem, v, AG_STR("alg")) : ag_undef();
    struct ag_value typ = v.kind == AG_OBJECT ? ag_object_get(&c->mem, v, AG_STR("typ")) : ag_undef();
    if (alg.kind == AG_UNDEF)
        *err =
            ag_error(c, AG_VERR_BUILTIN, "missing or invalid 'alg' header: jwsbb: header \"alg\" not found");
    else if (alg.kind != AG_STRING)
        *err = ag_error(c, AG_VERR_BUILTIN, "missing or invalid 'alg' header: value is not a string");
    else if (!(a = ag_jwt_alg_find(ag_value_str(alg))))
        *err = ag_error(c, AG_VERR_BUILTIN, "unknown JWS algorithm: %.*s", (int)(alg.len < 64 ? alg.len : 64),
                        (const char *)alg.p);
    *ret_is_jwt = typ.kind != AG_STRING || ag_str_is(ag_value_str(typ), "JWT");
    return a;
}

static bool
is_json(struct ag_call *c, struct ag_str text)
{
    struct ag_value v;
    size_t mark = ag_arena_mark(c->mem.arena);
    bool ok = ag_jwt_json(c, text, &v) == AG_JSON_OK;
    ag_arena_reset(c->mem.arena, mark);
    return ok;
}

static struct ag_value
compact(struct ag_call *c, const struct ag_jwt_alg *a, const struct ag_key *key, struct ag_str header,
        struct ag_str payload)
{
    uint8_t sig[AEGIS_SIGNATURE_MAX];
    struct ag_buf out;
    size_t size = (header.n + payload.n + sizeof sig) / 3 * 4 + 16;
    char *p = ag_charge_bytes(c, 4 * (uint64_t)size) ? ag_call_alloc(c, size, 1) : NULL;
    if (!p)
        return ag_undef();
    ag_buf_init(&out, p, size);
    ag_armor_put_base64url(&out, header.p, header.n);
    ag_buf_char(&out, '.');
    ag_armor_put_base64url(&out, payload.p, payload.n);
    size_t n = ag_jwt_signature(c, a, key, ag_str_of(out.p, out.n), sig);
    if (!n)
        return c->stop != AG_EVAL_OK ? ag_undef()
                                     : ag_error(c, AG_VERR_BUILTIN, "the key cannot sign with %s", a->name);
    ag_buf_char(&out, '.');
    ag_armor_put_base64url(&out, sig, n);
    ag_arena_reset(c->mem.arena, (size_t)((uint8_t *)p - c->mem.arena->base) + out.n);
    return ag_bi_text(p, out.n);
}

static struct ag_value
sign(struct ag_call *c, struct ag_str header, struct ag_str payload, struct ag_value jwk)
{
    struct ag_jwt_keys keys = {0};
    struct ag_value err = ag_undef();
    bool is_jwt = false;
    const char *why = ag_jwt_keys_of_value(c, jwk, &keys);
    if (c->stop != AG_EVAL_OK)
        return ag_undef();
    if (why || keys.n == 0)
        return ag_error(c, AG_VERR_BUILTIN, "%s", why ? why : "no keys found in JWK set");
    const struct ag_jwt_alg *a = header_alg(c, header, &is_jwt, &err);
    if (!a)
        return err;
    if (is_jwt && !is_json(c, payload))
        return c->stop != AG_EVAL_OK ? ag_undef()
                                     : ag_error(c, AG_VERR_BUILTIN, "type is JWT but payload is not JSON");
    return compact(c, a, &keys.key[0], header, payload);
}

struct ag_value
ag_bi_jwt_encode_sign(struct ag_call *c, const struct ag_value *a)
{
    struct ag_str header = ag_jwt_marshal(c, a[0]), payload = ag_jwt_marshal(c, a[1]);
    if (c->stop != AG_EVAL_OK)
        return ag_undef();
    if (!header.p || !payload.p)
        return ag_error(c, AG_VERR_BUILTIN, "header or payload nest too deeply for JSON");
    return sign(c, header, payload, a[2]);
}

struct ag_value
ag_bi_jwt_encode_sign_raw(struct ag_call *c, const struct ag_value *a)
{
    struct ag_value jwk;
    enum ag_json_status s = ag_jwt_json(c, ag_value_str(a[2]), &jwk);
    if (c->stop != AG_EVAL_OK)
        return ag_undef();
    if (s != AG_JSON_OK)
        return ag_error(c, AG_VERR_BUILTIN, "failed to parse a JWK key (set): %s", ag_json_status_text(s));
    return sign(c, ag_value_str(a[0]), ag_value_str(a[1]), jwk);
}
