// SPDX-License-Identifier: Apache-2.0
// Built-ins uuid.* and rand.intn. In: texts, and the seed of the decision. Out: an object, a UUID, a number.
// What is random is a function of seed and arguments alone: equal calls of one decision agree, and a replay
// gives the same. Memory: the call's arena. Next file to read: base/sha256.h.
#include "builtin_fns.h"
#include "sha256.h"

#define UUID_BYTES 16

__extension__ typedef unsigned __int128 u128;

// 32 bytes that nobody can tell from the arguments alone: SHA-256 of seed, purpose, number and text.
static bool
draw(struct ag_call *c, char purpose, int64_t n, struct ag_str key, uint8_t ret[32])
{
    struct ag_sha256 h;
    if (!ag_charge_bytes(c, 256 + (uint64_t)key.n))
        return false;
    ag_sha256_init(&h);
    ag_sha256_update(&h, c->seed, sizeof c->seed);
    ag_sha256_update(&h, &purpose, 1);
    ag_sha256_update(&h, &n, sizeof n);
    ag_sha256_update(&h, key.p, key.n);
    ag_sha256_final(&h, ret);
    return true;
}

struct ag_value
ag_bi_rand_intn(struct ag_call *c, const struct ag_value *a)
{
    uint8_t bits[32];
    uint64_t word;
    int64_t n;
    struct ag_value error;
    if (!ag_bi_int(c, 2, a[1], &n, &error))
        return error;
    if (n == 0)
        return ag_int(0);
    uint64_t size = n < 0 ? -(uint64_t)n : (uint64_t)n;
    if (!draw(c, 'n', (int64_t)size, ag_value_str(a[0]), bits))
        return ag_undef();
    memcpy(&word, bits, sizeof word);
    return ag_int((int64_t)((u128)word * size >> 64));
}

static void
put_uuid(struct ag_buf *out, const uint8_t u[UUID_BYTES])
{
    for (size_t i = 0; i < UUID_BYTES; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            ag_buf_char(out, '-');
        ag_buf_hex(out, u + i, 1);
    }
}

struct ag_value
ag_bi_uuid_rfc4122(struct ag_call *c, const struct ag_value *a)
{
    uint8_t u[32];
    char text[36];
    struct ag_buf out;
    if (!draw(c, 'u', 0, ag_value_str(a[0]), u))
        return ag_undef();
    u[6] = (uint8_t)((u[6] & 0x0f) | 0x40); // version 4
    u[8] = (uint8_t)((u[8] & 0x3f) | 0x80); // variant of RFC 4122
    ag_buf_init(&out, text, sizeof text);
    put_uuid(&out, u);
    return ag_bi_copy(c, ag_str_of(text, out.n));
}

// --- uuid.parse
// --------------------------------------------------------------------------------------------

static int
hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

// 32 hex digits with hyphens at the usual places or without, as a URN, or between any two characters.
static bool
parse(struct ag_str s, uint8_t u[UUID_BYTES])
{
    static const char urn[] = "urn:uuid:";
    bool is_plain = s.n == 32;
    if (s.n == 45) {
        for (size_t i = 0; i < 9; i++)
            if ((s.p[i] >= 'A' && s.p[i] <= 'Z' ? s.p[i] + 32 : s.p[i]) != urn[i])
                return false;
        s = ag_str_of(s.p + 9, 36);
    } else if (s.n == 38) {
        s = ag_str_of(s.p + 1, 36);
    } else if (s.n != 36 && !is_plain) {
        return false;
    }
    for (size_t i = 0, at = 0; i < UUID_BYTES; i++, at += 2) {
        if (!is_plain && (i == 4 || i == 6 || i == 8 || i == 10) && s.p[at++] != '-')
            return false;
        int hi = hex_digit(s.p[at]), lo = hex_digit(s.p[at + 1]);
        if (hi < 0 || lo < 0)
            return false;
        u[i] = (uint8_t)(hi << 4 | lo);
    }
    return true;
}

static const char *
variant(uint8_t b)
{
    return (b & 0xc0) == 0x80   ? "RFC4122"
           : (b & 0xe0) == 0xc0 ? "Microsoft"
           : (b & 0xe0) == 0xe0 ? "Future"
                                : "Reserved";
}

static uint64_t
be(const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v = v << 8 | p[i];
    return v;
}

static bool
put(struct ag_call *c, struct ag_builder *b, const char *key, struct ag_value v)
{
    struct ag_value k = ag_bi_copy(c, ag_str_z(key));
    return v.kind != AG_UNDEF && k.kind == AG_STRING && ag_builder_put(&c->mem, b, k, v);
}

// UNIX nanoseconds of the 100 ns ticks since 1582-10-15; wraps where int64 ends, as Go's arithmetic does.
static int64_t
unix_ns(const uint8_t *u)
{
    uint64_t ticks = be(u, 4) | be(u + 4, 2) << 32 | (be(u + 6, 2) & 0xfff) << 48;
    return (int64_t)((ticks - 122192928000000000u) * 100);
}

// The fields of versions 1 and 2, which tell when and where they were made.
static bool
put_origin(struct ag_call *c, struct ag_builder *b, const uint8_t *u, unsigned version)
{
    static const char *const mac[] = {"global:unicast", "global:multicast", "local:unicast",
                                      "local:multicast"};
    static const char *const domains[] = {"Person", "Group", "Org"};
    char text[32];
    struct ag_buf out;
    ag_buf_init(&out, text, sizeof text);
    for (int i = 10; i < 16; i++) {
        if (i > 10)
            ag_buf_char(&out, '-');
        ag_buf_hex(&out, u + i, 1);
    }
    bool ok = put(c, b, "time", ag_int(unix_ns(u))) &&
              put(c, b, "nodeid", ag_bi_copy(c, ag_str_of(text, out.n))) &&
              put(c, b, "macvariables", ag_bi_copy(c, ag_str_z(mac[u[10] & 3]))) &&
              put(c, b, "clocksequence", ag_int((int64_t)(be(u + 8, 2) & 0x3fff)));
    if (!ok || version == 1)
        return ok;
    ag_buf_init(&out, text, sizeof text);
    ag_buf_str(&out, u[9] < 3 ? ag_str_z(domains[u[9]]) : AG_STR("Domain"));
    if (u[9] >= 3)
        ag_buf_u64(&out, u[9]);
    return put(c, b, "id", ag_int((int64_t)be(u, 4))) &&
           put(c, b, "domain", ag_bi_copy(c, ag_str_of(text, out.n)));
}

struct ag_value
ag_bi_uuid_parse(struct ag_call *c, const struct ag_value *a)
{
    uint8_t u[UUID_BYTES];
    if (!parse(ag_value_str(a[0]), u))
        return ag_undef();
    unsigned version = u[6] >> 4;
    struct ag_builder *b = ag_charge(c, 16) ? ag_builder_new(&c->mem, AG_OBJECT) : NULL;
    bool ok = b && put(c, b, "version", ag_int(version)) &&
              put(c, b, "variant", ag_bi_copy(c, ag_str_z(variant(u[8]))));
    if (ok && (version == 1 || version == 2))
        ok = put_origin(c, b, u, version);
    return ag_bi_close(c, b, ok);
}
