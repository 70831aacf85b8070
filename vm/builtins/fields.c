// SPDX-License-Identifier: Apache-2.0
// Small builders for values with many fields: objects, lists that may be null, values of bytes.
// In: names, bytes. Out: values in the call's arena. Next file to read: x509_value.c.
#include "x509.h"
#include "builtin_fns.h"
#include "number.h"
#include "utf8.h"

#define NUMBER_DIGITS_MAX 5000u // decimal digits of 16384 bits, and a few more

struct ag_fields
ag_fields_new(struct ag_call *c)
{
    struct ag_builder *b = ag_builder_new(&c->mem, AG_OBJECT);
    return (struct ag_fields){c, b, b != NULL, ag_undef()};
}

void
ag_fields_put(struct ag_fields *f, const char *name, struct ag_value v)
{
    if (f->ok && v.kind == AG_ERROR)
        f->error = v;
    struct ag_value key = f->ok ? ag_string_copy(&f->c->mem, ag_str_z(name)) : ag_undef();
    f->ok = key.kind == AG_STRING && v.kind >= AG_NULL && ag_builder_put(&f->c->mem, f->b, key, v);
}

struct ag_value
ag_fields_close(struct ag_fields *f)
{
    return f->error.kind == AG_ERROR ? f->error : ag_bi_close(f->c, f->b, f->ok);
}

struct ag_list
ag_list_new(struct ag_call *c)
{
    return (struct ag_list){c, NULL, true, ag_undef()};
}

void
ag_list_push(struct ag_list *l, struct ag_value v)
{
    if (!l->b)
        l->b = ag_builder_new(&l->c->mem, AG_ARRAY);
    if (l->ok && v.kind == AG_ERROR)
        l->error = v;
    l->ok = l->ok && l->b && v.kind >= AG_NULL && ag_builder_push(&l->c->mem, l->b, v);
}

struct ag_value
ag_list_close(struct ag_list *l)
{
    if (l->error.kind == AG_ERROR)
        return l->error;
    return !l->b && l->ok ? ag_null() : ag_bi_close(l->c, l->b, l->ok);
}

struct ag_value
ag_value_base64(struct ag_call *c, struct ag_der d)
{
    struct ag_buf b;
    size_t n = (d.n + 2) / 3 * 4;
    char *p = ag_charge_bytes(c, n) ? ag_call_alloc(c, n + 1, 1) : NULL;
    if (!p)
        return ag_undef();
    ag_buf_init(&b, p, n);
    ag_buf_base64(&b, d.p, d.n);
    return ag_bi_text(p, b.n);
}

// Nine digits at a time, from the last.
struct ag_value
ag_value_number(struct ag_call *c, struct ag_der d)
{
    char text[NUMBER_DIGITS_MAX];
    uint32_t limb[AEGIS_SIGNATURE_MAX / 4];
    size_t n = (d.n + 3) / 4, at = sizeof text;
    struct ag_num num;
    if (d.n > AEGIS_SIGNATURE_MAX)
        return ag_error(c, AG_VERR_BUILTIN, "a number has more than %u bits", AEGIS_SIGNATURE_MAX * 8u);
    if (!ag_charge(c, 1 + n * n / 8))
        return ag_undef();
    memset(limb, 0, n * sizeof *limb);
    for (size_t i = 0; i < d.n; i++)
        limb[(d.n - 1 - i) / 4] |= (uint32_t)d.p[i] << 8 * ((d.n - 1 - i) % 4);
    do {
        uint64_t rest = 0;
        for (size_t i = n; i--;) {
            rest = rest << 32 | limb[i];
            limb[i] = (uint32_t)(rest / 1000000000u);
            rest %= 1000000000u;
        }
        while (n && limb[n - 1] == 0)
            n--;
        for (unsigned k = 0; k < 9 && (n || rest || k == 0); k++, rest /= 10)
            text[--at] = (char)('0' + rest % 10);
    } while (n);
    enum ag_num_status s = ag_num_parse(ag_str_of(text + at, sizeof text - at), c->mem.arena, &num);
    if (s == AG_NUM_FULL)
        return ag_stop(c, AG_EVAL_ARENA);
    return s == AG_NUM_OK ? ag_number_value(&c->mem, num)
                          : ag_error(c, AG_VERR_BUILTIN, "a number has %zu digits, more than %u",
                                     sizeof text - at, AG_NUM_TEXT_MAX);
}

struct ag_value
ag_value_text(struct ag_call *c, struct ag_der d)
{
    if (!ag_charge_bytes(c, d.n))
        return ag_undef();
    return ag_utf8_valid(d.p, d.n) ? ag_bi_copy(c, ag_str_of((const char *)d.p, d.n)) : ag_bi_error();
}

// The next arc of an OID; the first byte holds two.
static bool
take_arc(struct ag_der *oid, uint64_t *ret)
{
    uint64_t v = 0;
    for (size_t i = 0; i < oid->n && i < 9; i++) {
        v = v << 7 | (oid->p[i] & 0x7f);
        if (!(oid->p[i] & 0x80)) {
            *oid = (struct ag_der){oid->p + i + 1, oid->n - i - 1};
            *ret = v;
            return true;
        }
    }
    return false;
}

struct ag_value
ag_value_oid(struct ag_call *c, struct ag_der oid)
{
    struct ag_list l = ag_list_new(c);
    uint64_t v = 0;
    for (bool is_first = true; oid.n; is_first = false) {
        if (!take_arc(&oid, &v))
            return ag_bi_error();
        if (is_first) {
            uint64_t top = v < 80 ? v / 40 : 2;
            ag_list_push(&l, ag_int((int64_t)top));
            v -= top * 40;
        }
        ag_list_push(&l, ag_int((int64_t)v));
    }
    return ag_list_close(&l);
}

struct ag_value
ag_value_oid_text(struct ag_call *c, struct ag_der oid)
{
    struct ag_value arcs = ag_value_oid(c, oid);
    struct ag_buf b;
    char *p = arcs.kind == AG_ARRAY ? ag_call_alloc(c, (size_t)arcs.len * 21, 1) : NULL;
    if (!p)
        return arcs.kind == AG_ARRAY ? ag_undef() : arcs;
    ag_buf_init(&b, p, (size_t)arcs.len * 21);
    for (uint32_t i = 0; i < arcs.len; i++) {
        if (i)
            ag_buf_char(&b, '.');
        ag_buf_i64(&b, ag_value_at(&c->mem, arcs, i).i);
    }
    return ag_bi_text(p, b.n);
}

static struct ag_der
der_of(struct aegis_str s)
{
    while (s.n && s.p[0] == 0)
        s.p++, s.n--;
    return (struct ag_der){(const uint8_t *)s.p, s.n};
}

struct ag_value
ag_value_public_key(struct ag_call *c, const struct ag_key *k)
{
    struct ag_fields f;
    struct ag_fields none = {0};
    switch (k->kind) {
    case AG_KEY_RSA:
        f = ag_fields_new(c);
        ag_fields_put(&f, "N", ag_value_number(c, der_of(k->k.n)));
        ag_fields_put(&f, "E", ag_value_number(c, der_of(k->k.e)));
        return ag_fields_close(&f);
    case AG_KEY_EC:
        f = ag_fields_new(c);
        none = ag_fields_new(c);
        ag_fields_put(&f, "Curve", ag_fields_close(&none));
        ag_fields_put(&f, "X", ag_value_number(c, der_of(k->k.x)));
        ag_fields_put(&f, "Y", ag_value_number(c, der_of(k->k.y)));
        return ag_fields_close(&f);
    case AG_KEY_ED25519: return ag_value_base64(c, (struct ag_der){(const uint8_t *)k->bytes.p, k->bytes.n});
    case AG_KEY_OCT:
    case AG_KEY_OTHER: break;
    }
    return ag_null();
}
