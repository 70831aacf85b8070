// SPDX-License-Identifier: Apache-2.0
// uri.parse, uri.is_valid: a URI in its parts as Go's net/url has them. In: text. Out: an object of the parts
// that are not empty. Errors have Go's words. Memory: the call's arena. Next file to read: json.c.
#include "builtin_fns.h"
#include "cidr.h"
#include "utf8.h"

enum part { PATH, FRAGMENT, USER, HOST, ZONE };

struct uri {
    struct ag_call *c;
    struct ag_str whole; // what errors name
    bool failed;
    struct ag_value error; // undefined when the evaluation ends
    struct ag_value scheme, host, port, path, raw_path, query, fragment;
};

static struct ag_value
fail(struct uri *u, const char *words, struct ag_str what, const char *end)
{
    char text[300], shown[48];
    struct ag_buf b, w;
    ag_buf_init(&b, text, sizeof text);
    ag_buf_init(&w, shown, sizeof shown);
    ag_bi_put_quoted(&b, u->whole, '"', false);
    if (what.p)
        ag_bi_put_quoted(&w, what, '"', false);
    if (!u->failed)
        u->error = ag_error(u->c, AG_VERR_BUILTIN, "parse %.*s: %s%.*s%s", (int)b.n, text, words, (int)w.n,
                            shown, end);
    u->failed = true;
    return ag_undef();
}

#define NOTHING ag_str_of(NULL, 0)

static bool
is_alnum(uint8_t ch)
{
    uint8_t low = ch | 0x20;
    return (low >= 'a' && low <= 'z') || (ch >= '0' && ch <= '9');
}

// Whether a byte may not stand in that part as it is.
static bool
is_escaped(uint8_t ch, enum part part)
{
    if (is_alnum(ch) || (ch && strchr("-_.~", ch)))
        return false;
    if ((part == HOST || part == ZONE) && ch && strchr("!$&'()*+,;=:[]<>\"", ch))
        return false;
    return !(part == PATH && ch && strchr("$&+,/:;=@", ch));
}

static int
hex_digit(char ch)
{
    int low = ch | 0x20;
    return ch >= '0' && ch <= '9' ? ch - '0' : low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

// s without its escapes.
static struct ag_value
unescaped(struct uri *u, struct ag_str s, enum part part)
{
    size_t n = 0;
    char *p = u->failed ? NULL : ag_call_alloc(u->c, s.n + 1, 1);
    bool is_host = part == HOST || part == ZONE;
    u->failed |= !p;
    for (size_t i = 0; p && i < s.n; i++) {
        uint8_t ch = (uint8_t)s.p[i];
        if (ch != '%') {
            if (is_host && ch < 0x80 && is_escaped(ch, part))
                return fail(u, "invalid character ", ag_str_of(s.p + i, 1), " in host name");
            p[n++] = (char)ch;
            continue;
        }
        int hi = i + 2 < s.n ? hex_digit(s.p[i + 1]) : -1, lo = i + 2 < s.n ? hex_digit(s.p[i + 2]) : -1;
        uint8_t byte = hi < 0 || lo < 0 ? 0 : (uint8_t)(hi << 4 | lo);
        bool bad = hi < 0 || lo < 0 || (part == HOST && byte < 0x80 && byte != '%') ||
                   (part == ZONE && byte != '%' && byte != ' ' && is_escaped(byte, HOST));
        if (bad)
            return fail(u, "invalid URL escape ", ag_str_of(s.p + i, s.n - i < 3 ? s.n - i : 3), "");
        p[n++] = (char)byte;
        i += 2;
    }
    if (p && !ag_utf8_valid(p, n))
        return fail(u, "the decoded bytes are not UTF-8", NOTHING, "");
    return p ? ag_bi_text(p, n) : ag_undef();
}

static bool
is_port(struct ag_str s)
{
    for (size_t i = 1; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return !s.n || s.p[0] == ':';
}

static size_t
last_of(struct ag_str s, char ch)
{
    for (size_t i = s.n; i > 0; i--)
        if (s.p[i - 1] == ch)
            return i - 1;
    return SIZE_MAX;
}

static struct ag_str
from_of(struct ag_str s, size_t at)
{
    return ag_str_of(s.p + at, s.n - at);
}

// Only an address of IPv6 stands in brackets.
static void
check_literal(struct uri *u, struct ag_str name)
{
    struct ag_ip ip;
    if (!u->failed && !ag_ip_parse(name, &ip))
        fail(u, "invalid host: ParseAddr(", name, "): unable to parse IP");
    else if (!u->failed && !memchr(name.p, ':', name.n))
        fail(u, "invalid IP-literal", NOTHING, "");
}

// "[::1%25eth0]:80"
static void
set_bracketed(struct uri *u, struct ag_str s)
{
    size_t end = last_of(s, ']'), zone = SIZE_MAX;
    if (end == SIZE_MAX) {
        fail(u, "missing ']' in host", NOTHING, "");
        return;
    }
    struct ag_str port = from_of(s, end + 1), name = ag_str_of(s.p + 1, end - 1);
    if (!is_port(port)) {
        fail(u, "invalid port ", port, " after host");
        return;
    }
    for (size_t i = 0; i + 3 <= name.n && zone == SIZE_MAX; i++)
        if (memcmp(name.p + i, "%25", 3) == 0)
            zone = i;
    if (zone == SIZE_MAX) {
        u->host = unescaped(u, name, HOST);
    } else {
        struct ag_value a = unescaped(u, ag_str_of(name.p, zone), HOST);
        struct ag_value b = unescaped(u, from_of(name, zone), ZONE);
        char *p = u->failed ? NULL : ag_call_alloc(u->c, (size_t)a.len + b.len, 1);
        u->failed |= !p;
        if (p) {
            memcpy(p, a.p, a.len);
            memcpy(p + a.len, b.p, b.len);
            u->host = ag_bi_text(p, (size_t)a.len + b.len);
        }
    }
    check_literal(u, zone == SIZE_MAX ? name : ag_str_of(name.p, zone));
    if (port.n > 1)
        u->port = ag_bi_copy(u->c, from_of(port, 1));
}

static void
set_host(struct uri *u, struct ag_str s)
{
    size_t colon = last_of(s, ':'), bracket = last_of(s, '[');
    struct ag_str port = colon == SIZE_MAX ? NOTHING : from_of(s, colon);
    if (bracket == 0) {
        set_bracketed(u, s);
        return;
    }
    if (bracket != SIZE_MAX) {
        fail(u, "invalid IP-literal", NOTHING, "");
        return;
    }
    if (!is_port(port)) {
        fail(u, "invalid port ", port, " after host");
        return;
    }
    u->host = unescaped(u, ag_str_of(s.p, s.n - port.n), HOST);
    if (port.n > 1)
        u->port = ag_bi_copy(u->c, from_of(port, 1));
}

static void
set_authority(struct uri *u, struct ag_str s)
{
    size_t at = last_of(s, '@');
    set_host(u, at == SIZE_MAX ? s : from_of(s, at + 1));
    if (at == SIZE_MAX || u->failed)
        return;
    for (size_t i = 0; i < at; i++)
        if (!is_alnum((uint8_t)s.p[i]) && (!s.p[i] || !strchr("-._:~!$&'()*+,;=%@", s.p[i]))) {
            fail(u, "net/url: invalid userinfo", NOTHING, "");
            return;
        }
    unescaped(u, ag_str_of(s.p, at), USER);
}

// Whether the text is what Go would write for the path: then it has no raw form of its own.
static bool
is_default(struct ag_str raw, struct ag_value path)
{
    size_t n = 0;
    for (uint32_t i = 0; i < path.len; i++) {
        uint8_t ch = path.p[i];
        if (!is_escaped(ch, PATH)) {
            if (n >= raw.n || (uint8_t)raw.p[n++] != ch)
                return false;
            continue;
        }
        char text[3] = {'%', "0123456789ABCDEF"[ch >> 4], "0123456789ABCDEF"[ch & 15]};
        if (raw.n - n < 3 || memcmp(raw.p + n, text, 3) != 0)
            return false;
        n += 3;
    }
    return n == raw.n;
}

static void
set_path(struct uri *u, struct ag_str s)
{
    u->path = unescaped(u, s, PATH);
    if (!u->failed)
        u->raw_path = is_default(s, u->path) ? u->path : ag_bi_copy(u->c, s);
}

// Bytes of the scheme, without its colon; 0: none.
static size_t
scheme_of(struct uri *u, struct ag_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        uint8_t ch = (uint8_t)s.p[i], low = ch | 0x20;
        bool is_letter = low >= 'a' && low <= 'z';
        if (ch == ':' && i == 0)
            fail(u, "missing protocol scheme", NOTHING, "");
        if (ch == ':')
            return i;
        if (!is_letter && (i == 0 || (!is_alnum(ch) && ch != '+' && ch != '-' && ch != '.')))
            return 0;
    }
    return 0;
}

static void
set_scheme(struct uri *u, struct ag_str s)
{
    char *p = ag_call_alloc(u->c, s.n, 1);
    u->failed |= !p;
    for (size_t i = 0; p && i < s.n; i++)
        p[i] = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] | 0x20) : s.p[i];
    if (p)
        u->scheme = ag_bi_text(p, s.n);
}

// Everything but the fragment.
static void
parse(struct uri *u, struct ag_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((uint8_t)s.p[i] < 0x20 || s.p[i] == 0x7f) {
            fail(u, "net/url: invalid control character in URL", NOTHING, "");
            return;
        }
    size_t n = scheme_of(u, s);
    if (u->failed)
        return;
    if (n) {
        set_scheme(u, ag_str_of(s.p, n));
        s = from_of(s, n + 1);
    }
    const char *mark = s.n ? memchr(s.p, '?', s.n) : NULL;
    if (mark) {
        size_t at = (size_t)(mark - s.p);
        u->query = ag_bi_copy(u->c, from_of(s, at + 1));
        s.n = at;
    }
    bool is_rooted = s.n && s.p[0] == '/', has_host = s.n > 1 && memcmp(s.p, "//", 2) == 0;
    if (!is_rooted && n)
        return; // opaque
    for (size_t i = 0; !is_rooted && i < s.n && s.p[i] != '/'; i++)
        if (s.p[i] == ':') {
            fail(u, "first path segment in URL cannot contain colon", NOTHING, "");
            return;
        }
    if (has_host && (n || s.n < 3 || s.p[2] != '/')) {
        struct ag_str rest = from_of(s, 2);
        const char *slash = rest.n ? memchr(rest.p, '/', rest.n) : NULL;
        size_t end = slash ? (size_t)(slash - rest.p) : rest.n;
        set_authority(u, ag_str_of(rest.p, end));
        s = from_of(rest, end);
    }
    if (!u->failed)
        set_path(u, s);
}

static void
parse_all(struct uri *u, struct ag_call *c, struct ag_value text)
{
    struct ag_value none = ag_undef();
    struct ag_str s = ag_value_str(text);
    *u = (struct uri){c, s, false, none, none, none, none, none, none, none, none};
    if (!ag_charge_bytes(c, (uint64_t)s.n * 2)) {
        u->failed = true;
        return;
    }
    const char *hash = s.n ? memchr(s.p, '#', s.n) : NULL;
    struct ag_str main = hash ? ag_str_of(s.p, (size_t)(hash - s.p)) : s;
    u->whole = main;
    parse(u, main);
    u->whole = s;
    if (!u->failed && hash)
        u->fragment = unescaped(u, from_of(s, main.n + 1), FRAGMENT);
}

struct ag_value
ag_bi_uri_parse(struct ag_call *c, const struct ag_value *a)
{
    struct uri u;
    parse_all(&u, c, a[0]);
    if (u.failed || c->stop != AG_EVAL_OK)
        return c->stop == AG_EVAL_OK ? u.error : ag_undef();
    const struct {
        const char *name;
        struct ag_value v;
    } fields[] = {{"scheme", u.scheme},     {"hostname", u.host},   {"port", u.port},        {"path", u.path},
                  {"raw_path", u.raw_path}, {"raw_query", u.query}, {"fragment", u.fragment}};
    struct ag_builder *b = ag_builder_new(&c->mem, AG_OBJECT);
    bool ok = b;
    for (size_t i = 0; ok && i < sizeof fields / sizeof fields[0]; i++) {
        if (fields[i].v.kind != AG_STRING || !fields[i].v.len)
            continue;
        struct ag_value key = ag_bi_copy(c, ag_str_z(fields[i].name));
        ok = key.kind == AG_STRING && ag_builder_put(&c->mem, b, key, fields[i].v);
    }
    return ag_bi_close(c, b, ok);
}

struct ag_value
ag_bi_uri_is_valid(struct ag_call *c, const struct ag_value *a)
{
    struct uri u;
    if (a[0].kind != AG_STRING || !a[0].len)
        return ag_bool(false);
    size_t mark = ag_arena_mark(c->mem.arena);
    parse_all(&u, c, a[0]);
    ag_arena_reset(c->mem.arena, mark);
    return c->stop == AG_EVAL_OK ? ag_bool(!u.failed) : ag_undef();
}
