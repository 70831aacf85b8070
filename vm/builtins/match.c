// SPDX-License-Identifier: Apache-2.0
// Built-ins that match text: regular expressions and globs given at run time, networks.
// In: pattern and subject. Out: booleans. A pattern is compiled into the arena, used once and dropped.
// Next file to read: pattern/pattern.h.
#include "builtin_fns.h"
#include "pattern.h"
#include <arpa/inet.h>

static struct ag_value
status_value(struct ag_call *c, enum ag_pattern_status s)
{
    switch (s) {
    case AG_PATTERN_NO: return ag_bool(false);
    case AG_PATTERN_YES: return ag_bool(true);
    case AG_PATTERN_FUEL: return ag_stop(c, AG_EVAL_FUEL);
    case AG_PATTERN_ARENA: return ag_stop(c, AG_EVAL_ARENA);
    case AG_PATTERN_BAD: break;
    }
    return ag_bi_error();
}

struct ag_value
ag_bi_regex_match(struct ag_call *c, const struct ag_value *a)
{
    struct ag_pattern_error e;
    struct ag_str blob;
    size_t mark = ag_arena_mark(c->mem.arena);
    enum ag_pattern_status s =
        ag_pattern_compile(ag_value_str(a[0]), AG_PATTERN_NO_DFA, c->mem.arena, &c->fuel, &blob, &e);
    if (s == AG_PATTERN_YES)
        s = ag_pattern_match(blob.p, ag_value_str(a[1]), c->mem.arena, &c->fuel);
    ag_arena_reset(c->mem.arena, mark);
    return status_value(c, s);
}

struct ag_value
ag_bi_regex_is_valid(struct ag_call *c, const struct ag_value *a)
{
    struct ag_pattern_error e;
    struct ag_str blob;
    if (a[0].kind != AG_STRING)
        return ag_bool(false);
    size_t mark = ag_arena_mark(c->mem.arena);
    enum ag_pattern_status s =
        ag_pattern_compile(ag_value_str(a[0]), AG_PATTERN_NO_DFA, c->mem.arena, &c->fuel, &blob, &e);
    ag_arena_reset(c->mem.arena, mark);
    return s == AG_PATTERN_BAD ? ag_bool(false) : status_value(c, s);
}

#define DELIMITERS_MAX 64u // bytes of all delimiters of one glob

struct ag_value
ag_bi_glob_match(struct ag_call *c, const struct ag_value *a)
{
    char text[DELIMITERS_MAX];
    struct ag_buf delimiters;
    struct ag_pattern_error e;
    struct ag_str blob;
    ag_buf_init(&delimiters, text, sizeof text);
    if (a[1].kind == AG_ARRAY && a[1].len == 0)
        ag_buf_char(&delimiters, '.');
    for (uint32_t i = 0; a[1].kind == AG_ARRAY && i < a[1].len && !delimiters.is_full; i++) {
        struct ag_value d = ag_value_at(&c->mem, a[1], i);
        if (d.kind != AG_STRING)
            return ag_bi_error();
        ag_buf_str(&delimiters, ag_value_str(d));
    }
    if (delimiters.is_full)
        return ag_bi_error();
    size_t mark = ag_arena_mark(c->mem.arena);
    enum ag_pattern_status s = ag_glob_to_pattern(ag_value_str(a[0]), ag_str_of(text, delimiters.n),
                                                  AG_PATTERN_NO_DFA, c->mem.arena, &c->fuel, &blob, &e);
    if (s == AG_PATTERN_YES)
        s = ag_pattern_match(blob.p, ag_value_str(a[2]), c->mem.arena, &c->fuel);
    ag_arena_reset(c->mem.arena, mark);
    return status_value(c, s);
}

// --- networks
// ----------------------------------------------------------------------------------------------------

struct network {
    uint8_t bytes[16];
    unsigned bits; // of the address: 32 or 128
    unsigned prefix;
};

static bool
parse_network(struct ag_str s, bool needs_prefix, struct network *ret)
{
    char text[INET6_ADDRSTRLEN + 5];
    if (s.n >= sizeof text || memchr(s.p, 0, s.n))
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = 0;
    char *slash = memchr(text, '/', s.n);
    if (slash)
        *slash = 0;
    else if (needs_prefix)
        return false;
    ret->bits = inet_pton(AF_INET, text, ret->bytes) == 1    ? 32
                : inet_pton(AF_INET6, text, ret->bytes) == 1 ? 128
                                                             : 0;
    ret->prefix = ret->bits;
    if (!slash || !ret->bits)
        return ret->bits != 0;
    size_t digits = strlen(slash + 1);
    ret->prefix = 0;
    for (size_t i = 0; i < digits; i++) {
        if (slash[1 + i] < '0' || slash[1 + i] > '9' || digits > 3)
            return false;
        ret->prefix = ret->prefix * 10 + (unsigned)(slash[1 + i] - '0');
    }
    return digits > 0 && ret->prefix <= ret->bits;
}

struct ag_value
ag_bi_cidr_contains(struct ag_call *c, const struct ag_value *a)
{
    struct network net, in;
    if (!ag_charge_bytes(c, (uint64_t)a[0].len + a[1].len))
        return ag_undef();
    if (!parse_network(ag_value_str(a[0]), true, &net) || !parse_network(ag_value_str(a[1]), false, &in))
        return ag_bi_error();
    if (net.bits != in.bits || in.prefix < net.prefix)
        return ag_bool(false);
    unsigned whole = net.prefix / 8, rest = net.prefix % 8;
    if (memcmp(net.bytes, in.bytes, whole) != 0)
        return ag_bool(false);
    uint8_t mask = (uint8_t)(0xff00u >> rest);
    return ag_bool(rest == 0 || (net.bytes[whole] & mask) == (in.bytes[whole] & mask));
}
