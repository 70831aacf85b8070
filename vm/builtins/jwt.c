// SPDX-License-Identifier: Apache-2.0
// Built-ins that read JSON Web Tokens: io.jwt.decode, io.jwt.verify_*, io.jwt.decode_verify (RFC 7515, 7519).
// In: compact tokens, keys, constraints. Out: [header, payload, signature], booleans, [valid, header,
// payload]. A token without `alg`, with "none" or another algorithm than its key's is not valid. Memory: the
// call's arena. Next file to read: jwt_keys.c.
#include "jwt.h"
#include "number.h"

struct token {
    struct ag_str part[3];  // header, payload, signature as they stand
    struct ag_str signed_;  // header "." payload
    struct ag_value header; // decoded
};

// The header's fields that decide.
struct jose {
    struct ag_str alg, kid, cty;
    bool is_critical_unknown;
};

static bool
split(struct ag_call *c, struct ag_str text, struct token *t, struct ag_value *err)
{
    size_t dots = 0, at[2] = {0, 0};
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] == '.') {
            if (dots < 2)
                at[dots] = i;
            dots++;
        }
    if (dots == 0)
        *err = ag_error(c, AG_VERR_BUILTIN, "encoded JWT had no period separators");
    else if (dots != 2)
        *err = ag_error(c, AG_VERR_BUILTIN, "encoded JWT must have 3 sections, found %zu", dots + 1);
    if (dots != 2)
        return false;
    t->part[0] = ag_str_of(text.p, at[0]);
    t->part[1] = ag_str_of(text.p + at[0] + 1, at[1] - at[0] - 1);
    t->part[2] = ag_str_of(text.p + at[1] + 1, text.n - at[1] - 1);
    t->signed_ = ag_str_of(text.p, at[1]);
    return true;
}

// A part as bytes; `before` goes in front of the error's words.
static bool
part_bytes(struct ag_call *c, struct ag_str part, const char *before, struct ag_bytes *ret,
           struct ag_value *err)
{
    *ret = ag_armor_base64url(c, part);
    if (!ret->is_ok)
        *err = ag_jwt_base64_error(c, before, *ret, part);
    return ret->is_ok && ret->p;
}

static bool
read_object(struct ag_call *c, struct ag_bytes b, const char *before, struct ag_value *ret,
            struct ag_value *err)
{
    enum ag_json_status s = ag_jwt_json(c, ag_str_of((const char *)b.p, b.n), ret);
    if (s != AG_JSON_OK)
        *err = ag_error(c, AG_VERR_BUILTIN, "%sinvalid JSON: %s", before, ag_json_status_text(s));
    else if (ret->kind != AG_OBJECT)
        *err = ag_error(c, AG_VERR_BUILTIN, "%sdecoded JSON type was not an Object", before);
    return s == AG_JSON_OK && ret->kind == AG_OBJECT;
}

static bool
decode_header(struct ag_call *c, struct token *t, struct ag_value *err)
{
    struct ag_bytes b;
    if (!part_bytes(c, t->part[0], "JWT header had invalid encoding: ", &b, err) ||
        !read_object(c, b, "bad JWT header: ", &t->header, err))
        return false;
    if (ag_object_get(&c->mem, t->header, AG_STR("enc")).kind == AG_UNDEF)
        return true;
    *err = ag_error(c, AG_VERR_BUILTIN, "JWT is a JWE object, which is not supported");
    return false;
}

// --- header fields
// ------------------------------------------------------------------------------------------------------

static const char *const known[] = {"alg", "crit", "cty", "kid", "typ"};

static bool
is_known(struct ag_str name)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (ag_str_is(name, known[i]))
            return true;
    return false;
}

static bool
take_word(struct ag_call *c, struct ag_value header, const char *name, struct ag_str *ret,
          struct ag_value *err)
{
    struct ag_value v = ag_object_get(&c->mem, header, ag_str_z(name));
    *ret = v.kind == AG_STRING ? ag_value_str(v) : ag_str_of("", 0);
    if (v.kind != AG_UNDEF && v.kind != AG_STRING)
        *err = ag_error(c, AG_VERR_BUILTIN, "%s: must be a string", name);
    return v.kind == AG_UNDEF || v.kind == AG_STRING;
}

// RFC 7515 4.1.11: a field that must be understood and is not makes the token invalid.
static bool
take_critical(struct ag_call *c, struct ag_value header, struct jose *j, struct ag_value *err)
{
    struct ag_value crit = ag_object_get(&c->mem, header, AG_STR("crit"));
    if (crit.kind == AG_UNDEF)
        return true;
    if (crit.kind != AG_ARRAY || crit.len == 0) {
        *err = ag_error(c, AG_VERR_BUILTIN, "crit: must be a %s",
                        crit.kind == AG_ARRAY ? "nonempty list" : "list");
        return false;
    }
    for (uint32_t i = 0; i < crit.len; i++) {
        struct ag_value name = ag_value_at(&c->mem, crit, i);
        if (name.kind != AG_STRING) {
            *err = ag_error(c, AG_VERR_BUILTIN, "crit: must be a list of strings");
            return false;
        }
        struct ag_str s = ag_value_str(name);
        j->is_critical_unknown |= !is_known(s) && ag_object_get(&c->mem, header, s).kind != AG_UNDEF;
    }
    return ag_charge(c, crit.len);
}

static bool
read_jose(struct ag_call *c, struct ag_value header, struct jose *j, struct ag_value *err)
{
    struct ag_str typ;
    *j = (struct jose){.is_critical_unknown = false};
    return take_word(c, header, "alg", &j->alg, err) && take_critical(c, header, j, err) &&
           take_word(c, header, "cty", &j->cty, err) && take_word(c, header, "kid", &j->kid, err) &&
           take_word(c, header, "typ", &typ, err);
}

// --- decode
// --------------------------------------------------------------------------------------------------------------

static struct ag_value
three(struct ag_call *c, struct ag_value x, struct ag_value y, struct ag_value z)
{
    struct ag_builder *b = ag_builder_new(&c->mem, AG_ARRAY);
    return ag_bi_close(c, b,
                       b && ag_builder_push(&c->mem, b, x) && ag_builder_push(&c->mem, b, y) &&
                           ag_builder_push(&c->mem, b, z));
}

static struct ag_value
hex(struct ag_call *c, struct ag_bytes b)
{
    struct ag_buf out;
    char *p = ag_charge_bytes(c, 2 * b.n) ? ag_call_alloc(c, 2 * b.n + 1, 1) : NULL;
    if (!p)
        return ag_undef();
    ag_buf_init(&out, p, 2 * b.n);
    ag_buf_hex(&out, b.p, b.n);
    return ag_bi_text(p, out.n);
}

// The contents of a nested token may be quoted, as some makers do.
static struct ag_str
unquoted(struct ag_bytes b)
{
    struct ag_str s = ag_str_of((const char *)b.p, b.n);
    while (s.n && (s.p[0] == '"' || s.p[0] == '\''))
        s.p++, s.n--;
    while (s.n && (s.p[s.n - 1] == '"' || s.p[s.n - 1] == '\''))
        s.n--;
    return s;
}

struct ag_value
ag_bi_jwt_decode(struct ag_call *c, const struct ag_value *a)
{
    struct ag_str text = ag_value_str(a[0]);
    for (;;) { // a nested token is shorter than the one around it
        struct token t;
        struct ag_value err = ag_undef(), payload;
        struct ag_bytes p, sig;
        if (!ag_charge_bytes(c, text.n) || !split(c, text, &t, &err) || !decode_header(c, &t, &err) ||
            !part_bytes(c, t.part[1], "JWT payload had invalid encoding: ", &p, &err))
            return err;
        struct ag_value cty = ag_object_get(&c->mem, t.header, AG_STR("cty"));
        if (cty.kind == AG_STRING && ag_str_is(ag_value_str(cty), "JWT")) {
            text = unquoted(p);
            continue;
        }
        if (!read_object(c, p, "", &payload, &err) ||
            !part_bytes(c, t.part[2], "JWT signature had invalid encoding: ", &sig, &err))
            return err;
        struct ag_value digits = hex(c, sig);
        return digits.kind == AG_STRING ? three(c, t.header, payload, digits) : digits;
    }
}

// --- verify
// --------------------------------------------------------------------------------------------------------------

static struct ag_value
provider_error(struct ag_call *c)
{
    if (c->stop != AG_EVAL_OK)
        return ag_undef();
    return c->crypto ? ag_error(c, AG_VERR_BUILTIN, "the crypto provider of the host failed")
                     : ag_error(c, AG_VERR_BUILTIN,
                                "the host has no crypto provider; give it one of libaegis-crypto");
}

// Tries the keys: the one that the token names, else all that may be used with its algorithm. `pinned` is the
// built-in's algorithm, or NULL: the token's. Private keys only prove tokens when `takes_private`.
static int
try_keys(struct ag_call *c, const struct ag_jwt_keys *keys, const struct jose *j,
         const struct ag_jwt_alg *alg, bool takes_private, const struct token *t, struct ag_bytes sig)
{
    for (uint32_t i = 0; i < keys->n && j->kid.n; i++)
        if (ag_str_eq(keys->key[i].kid, j->kid))
            return takes_private || !keys->key[i].is_private
                       ? ag_jwt_verify(c, alg, &keys->key[i], t->signed_, sig)
                       : 0;
    for (uint32_t i = 0; i < keys->n; i++) {
        const struct ag_key *k = &keys->key[i];
        if ((k->alg.n && !ag_str_eq(k->alg, j->alg)) || (k->is_private && !takes_private))
            continue;
        int r = ag_jwt_verify(c, alg, k, t->signed_, sig);
        if (r != 0)
            return r;
    }
    return 0;
}

static struct ag_value
verify_public(struct ag_call *c, const struct ag_value *a, const char *name)
{
    struct token t;
    struct jose j;
    struct ag_jwt_keys keys = {0};
    struct ag_bytes sig;
    struct ag_value err = ag_undef();
    if (!ag_charge_bytes(c, (uint64_t)a[0].len * 4 + a[1].len) || !split(c, ag_value_str(a[0]), &t, &err) ||
        !ag_jwt_keys_read(c, ag_value_str(a[1]), &keys, &err) || !part_bytes(c, t.part[2], "", &sig, &err) ||
        !decode_header(c, &t, &err) || !read_jose(c, t.header, &j, &err))
        return err;
    int r = try_keys(c, &keys, &j, ag_jwt_alg_find(ag_str_z(name)), false, &t, sig);
    return r < 0 ? provider_error(c) : ag_bool(r);
}

static struct ag_value
verify_secret(struct ag_call *c, const struct ag_value *a, const char *name)
{
    struct token t;
    struct ag_bytes sig;
    struct ag_value err = ag_undef();
    struct ag_key key = {.kind = AG_KEY_OCT, .bytes = ag_jwt_out(ag_value_str(a[1]))};
    if (!ag_charge(c, (uint64_t)a[0].len / 2 + a[1].len / 4) || !split(c, ag_value_str(a[0]), &t, &err) ||
        !part_bytes(c, t.part[2], "", &sig, &err))
        return err;
    return ag_bool(ag_jwt_verify(c, ag_jwt_alg_find(ag_str_z(name)), &key, t.signed_, sig) == 1);
}

#define VERIFY(fn, how, name)                                                                                \
    struct ag_value ag_bi_jwt_verify_##fn(struct ag_call *c, const struct ag_value *a)                       \
    {                                                                                                        \
        return how(c, a, name);                                                                              \
    }
VERIFY(hs256, verify_secret, "HS256")
VERIFY(hs384, verify_secret, "HS384")
VERIFY(hs512, verify_secret, "HS512")
VERIFY(rs256, verify_public, "RS256")
VERIFY(rs384, verify_public, "RS384")
VERIFY(rs512, verify_public, "RS512")
VERIFY(ps256, verify_public, "PS256")
VERIFY(ps384, verify_public, "PS384")
VERIFY(ps512, verify_public, "PS512")
VERIFY(es256, verify_public, "ES256")
VERIFY(es384, verify_public, "ES384")
VERIFY(es512, verify_public, "ES512")
VERIFY(eddsa, verify_public, "EdDSA")

// --- decode_verify
// ---------------------------------------------------------------------------------------------------

struct constraints {
    bool has_keys, has_time;
    struct ag_jwt_keys keys;
    struct ag_str secret, alg, iss, aud;
    double time; // nanoseconds
};

static bool
take_time(struct ag_call *c, struct ag_value v, struct constraints *k, struct ag_value *err)
{
    const char *why = NULL;
    k->time = v.kind == AG_NUMBER ? ag_number_double(v) : 0;
    if (v.kind != AG_NUMBER)
        why = "must be a number";
    else if (k->time < 0)
        why = "must not be negative";
    if (why)
        *err = ag_error(c, AG_VERR_BUILTIN, "token time constraint: %s", why);
    k->has_time = true;
    return !why;
}

static bool
take_constraint(struct ag_call *c, struct ag_str name, struct ag_value v, struct constraints *k,
                struct ag_value *err)
{
    struct ag_str *to = ag_str_is(name, "secret") ? &k->secret
                        : ag_str_is(name, "alg")  ? &k->alg
                        : ag_str_is(name, "iss")  ? &k->iss
                        : ag_str_is(name, "aud")  ? &k->aud
                                                  : NULL;
    bool is_cert = ag_str_is(name, "cert");
    if (ag_str_is(name, "time"))
        return take_time(c, v, k, err);
    if (!to && !is_cert)
        *err = ag_error(c, AG_VERR_BUILTIN, "unknown token validation constraint: %.*s",
                        (int)(name.n < 64 ? name.n : 64), name.p);
    else if (v.kind != AG_STRING)
        *err = ag_error(c, AG_VERR_BUILTIN, "%.*s constraint: must be a string", (int)name.n, name.p);
    if ((!to && !is_cert) || v.kind != AG_STRING)
        return false;
    if (to)
        *to = ag_value_str(v);
    k->has_keys |= is_cert;
    return !is_cert || ag_jwt_keys_read(c, ag_value_str(v), &k->keys, err);
}

static bool
read_constraints(struct ag_call *c, struct ag_value o, struct constraints *k, struct ag_value *err)
{
    *k = (struct constraints){.has_keys = false};
    for (uint32_t i = 0; i < o.len; i++) {
        struct ag_value name = ag_object_key(&c->mem, o, i);
        struct ag_str s = name.kind == AG_STRING ? ag_value_str(name) : AG_STR("a key that is no string");
        if (!take_constraint(c, s, ag_value_at(&c->mem, o, i), k, err))
            return false;
    }
    if (!k->has_time)
        k->time = (double)c->now_ns;
    if (k->has_keys == (k->secret.n != 0)) {
        *err = ag_error(c, AG_VERR_BUILTIN, k->has_keys ? "duplicate key constraints" : "no key constraint");
        return false;
    }
    return true;
}

// Walks through nested tokens to the innermost; each signature must be right. 1 valid, 0 not, -1: *err.
static int
check_signatures(struct ag_call *c, struct ag_str text, const struct constraints *k, struct token *t,
                 struct ag_bytes *ret_payload, struct ag_value *err)
{
    struct ag_key secret = {.kind = AG_KEY_OCT, .bytes = ag_jwt_out(k->secret)};
    struct ag_jwt_keys one = {1, &secret};
    for (;;) {
        struct jose j;
        struct ag_bytes sig;
        if (!ag_charge_bytes(c, (uint64_t)text.n * 4) || !split(c, text, t, err) ||
            !decode_header(c, t, err) || !read_jose(c, t->header, &j, err))
            return -1;
        if (!j.alg.n || j.is_critical_unknown || (k->alg.n && !ag_str_eq(k->alg, j.alg)))
            return 0;
        if (!part_bytes(c, t->part[2], "", &sig, err))
            return -1;
        const struct ag_jwt_alg *alg = ag_jwt_alg_find(j.alg);
        int r = alg ? try_keys(c, k->has_keys ? &k->keys : &one, &j, alg, true, t, sig) : 0;
        if (r < 0)
            *err = provider_error(c);
        if (r != 1)
            return r;
        if (!part_bytes(c, t->part[1], "JWT payload had invalid encoding: ", ret_payload, err))
            return -1;
        bool is_nested = j.cty.n == 3 && (j.cty.p[0] | 0x20) == 'j' && (j.cty.p[1] | 0x20) == 'w' &&
                         (j.cty.p[2] | 0x20) == 't';
        if (!is_nested)
            return 1;
        text = ag_str_of((const char *)ret_payload->p, ret_payload->n);
    }
}

static bool
audience_ok(struct ag_call *c, struct ag_value payload, struct ag_str aud)
{
    struct ag_value v = ag_object_get(&c->mem, payload, AG_STR("aud"));
    if (v.kind == AG_UNDEF)
        return aud.n == 0;
    if (v.kind == AG_STRING)
        return ag_str_eq(ag_value_str(v), aud);
    for (uint32_t i = 0; v.kind == AG_ARRAY && i < v.len; i++) {
        struct ag_value e = ag_value_at(&c->mem, v, i);
        if (e.kind == AG_STRING && ag_str_eq(ag_value_str(e), aud))
            return true;
    }
    return false;
}

static bool
issuer_ok(struct ag_call *c, struct ag_value payload, struct ag_str iss)
{
    struct ag_value v = ag_object_get(&c->mem, payload, AG_STR("iss"));
    return iss.n == 0 || (v.kind == AG_STRING && ag_str_eq(ag_value_str(v), iss));
}

// Compares the time in seconds, as its shortest decimal, with a claim: <0, 0, >0 in *ret. False: no number;
// *err.
static bool
time_cmp(struct ag_call *c, double seconds, struct ag_value claim, const char *name, int *ret,
         struct ag_value *err)
{
    struct ag_num now;
    if (claim.kind != AG_NUMBER) {
        *err = ag_error(c, AG_VERR_BUILTIN, "%s value must be a number", name);
        return false;
    }
    if (ag_num_from_double(seconds, c->mem.arena, &now) != AG_NUM_OK) {
        ag_stop(c, AG_EVAL_ARENA);
        return false;
    }
    *ret = ag_num_cmp(now, ag_number_view(claim));
    return true;
}

// 1 valid, 0 not, -1: *err.
static int
check_claims(struct ag_call *c, struct ag_value payload, const struct constraints *k, struct ag_value *err)
{
    struct ag_value exp = ag_object_get(&c->mem, payload, AG_STR("exp"));
    struct ag_value nbf = ag_object_get(&c->mem, payload, AG_STR("nbf"));
    int order = 0;
    if (!issuer_ok(c, payload, k->iss) || !audience_ok(c, payload, k->aud))
        return 0;
    if (exp.kind != AG_UNDEF) {
        if (!time_cmp(c, k->time / 1e9, exp, "exp", &order, err))
            return -1;
        if (order >= 0)
            return 0;
    }
    if (nbf.kind != AG_UNDEF) {
        if (!time_cmp(c, k->time / 1e9, nbf, "nbf", &order, err))
            return -1;
        if (order < 0)
            return 0;
    }
    return 1;
}

struct ag_value
ag_bi_jwt_decode_verify(struct ag_call *c, const struct ag_value *a)
{
    struct constraints k;
    struct token t;
    struct ag_bytes bytes = {0};
    struct ag_value err = ag_undef(), payload = ag_undef();
    if (!read_constraints(c, a[1], &k, &err))
        return err;
    int r = check_signatures(c, ag_value_str(a[0]), &k, &t, &bytes, &err);
    if (r == 1)
        r = read_object(c, bytes, "", &payload, &err) ? check_claims(c, payload, &k, &err) : -1;
    if (r < 0)
        return err;
    if (r == 1)
        return three(c, ag_bool(true), t.header, payload);
    struct ag_value none = ag_bi_close(c, ag_builder_new(&c->mem, AG_OBJECT), true);
    return c->stop == AG_EVAL_OK ? three(c, ag_bool(false), none, none) : ag_undef();
}
