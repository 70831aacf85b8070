// SPDX-License-Identifier: Apache-2.0
// Step 12: received bytes -> request. The head is checked as a whole before llhttp reads it, so that nothing
// in it can be read in two ways; a body with Content-Length is borrowed where it lies, a chunked one is moved
// together in place. In: the connection's buffer. Out: struct agr_request. Allocates nothing. Next file to
// read: conn.c.
#include "http.h"

#include <llhttp.h>

#define CHUNK_LINE_MAX 256u // size line of a chunk, extensions included

void
agr_parser_reset(struct agr_parser *p)
{
    memset(p, 0, sizeof *p);
}

static int
lower(int c)
{
    return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

static bool
is_nocase(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (lower((unsigned char)a[i]) != lower((unsigned char)b[i]))
            return false;
    return true;
}

bool
agr_str_is_nocase(struct ag_str a, const char *z)
{
    return a.n == strlen(z) && is_nocase(a.p, z, a.n);
}

// --- what llhttp tells

struct head {
    struct agr_request *r;
    struct ag_str url;
    bool is_too_many;
};

static int
on_url(llhttp_t *h, const char *at, size_t n)
{
    struct head *d = h->data;
    d->url = d->url.p ? ag_str_of(d->url.p, d->url.n + n) : ag_str_of(at, n);
    return 0;
}

static int
on_field(llhttp_t *h, const char *at, size_t n)
{
    struct head *d = h->data;
    struct agr_request *r = d->r;
    if (r->nheaders == AGR_HEADERS_MAX) {
        d->is_too_many = true;
        return -1;
    }
    struct agr_header *x = &r->header[r->nheaders];
    x->name = x->name.p ? ag_str_of(x->name.p, x->name.n + n) : ag_str_of(at, n);
    return 0;
}

static int
on_value(llhttp_t *h, const char *at, size_t n)
{
    struct head *d = h->data;
    struct agr_header *x = &d->r->header[d->r->nheaders];
    x->value = x->value.p ? ag_str_of(x->value.p, x->value.n + n) : ag_str_of(at, n);
    return 0;
}

static int
on_value_end(llhttp_t *h)
{
    struct head *d = h->data;
    if (++d->r->nheaders < AGR_HEADERS_MAX)
        memset(&d->r->header[d->r->nheaders], 0, sizeof d->r->header[0]);
    return 0;
}

static int
on_head(llhttp_t *h)
{
    (void)h;
    return HPE_PAUSED; // the body is ours
}

static const llhttp_settings_t settings = {.on_url = on_url,
                                           .on_header_field = on_field,
                                           .on_header_value = on_value,
                                           .on_header_value_complete = on_value_end,
                                           .on_headers_complete = on_head};

// --- the head

static enum agr_parse
refuse(int status, const char *why, int *ret_status, const char **ret_why)
{
    *ret_status = status;
    *ret_why = why;
    return AGR_PARSE_REFUSE;
}

// What a head must be before llhttp reads it, so that no byte of it is read in two ways: every line ends in
// CR LF, none is folded, no other CR or LF and no NUL stands in it, and every header's name ends right at its
// colon. NULL, or what is wrong.
static const char *
head_fault(const char *p, size_t n)
{
    static const char *const lines = "a header line must end in CR LF and must not be folded";
    static const char *const names = "a header is NAME: VALUE, without a blank before the colon";
    const char *fault = NULL, *end = p + n - 2; // the empty line
    if (memchr(p, 0, n))
        return lines;
    for (const char *line = p; line < end;) {
        const char *nl = memchr(line, '\n', (size_t)(p + n - line));
        if (!nl || nl == line || nl[-1] != '\r' || memchr(line, '\r', (size_t)(nl - 1 - line)) ||
            (line != p && (*line == ' ' || *line == '\t')))
            return lines;
        const char *colon = line == p ? NULL : memchr(line, ':', (size_t)(nl - line));
        if (line != p && (!colon || colon == line || colon[-1] == ' ' || colon[-1] == '\t'))
            fault = names; // a bad line further on is the graver one
        line = nl + 1;
    }
    return end[0] == '\r' && end[1] == '\n' ? fault : lines;
}

// Headers that frame the message, say who asks or are the action of /v1/check must not be said twice. Lengths
// tell nearly all others apart.
static bool
is_repeated(const struct agr_request *r)
{
#define NAME(text)                                                                                           \
    {                                                                                                        \
        text, sizeof text - 1                                                                                \
    }
    static const struct ag_str once[] = {
        NAME("content-length"), NAME("transfer-encoding"), NAME("host"),
        NAME("authorization"),  NAME("x-api-key"),         NAME("x-tenant-id"),
        NAME("x-agent-id"),     NAME("content-type"),      NAME("x-aegis-type"),
        NAME("x-aegis-target"), NAME("x-original-method"), NAME("x-original-uri")};
#undef NAME
    unsigned seen = 0;
    for (unsigned i = 0; i < r->nheaders; i++)
        for (unsigned k = 0; k < sizeof once / sizeof *once; k++) {
            if (r->header[i].name.n != once[k].n || !is_nocase(r->header[i].name.p, once[k].p, once[k].n))
                continue;
            if (seen >> k & 1)
                return true;
            seen |= 1u << k;
        }
    return false;
}

static enum agr_method
method_of(uint8_t m)
{
    switch (m) {
    case HTTP_GET: return AGR_GET;
    case HTTP_HEAD: return AGR_HEAD;
    case HTTP_POST: return AGR_POST;
    case HTTP_PUT: return AGR_PUT;
    case HTTP_DELETE: return AGR_DELETE;
    default: return AGR_METHOD_OTHER;
    }
}

static enum agr_parse
read_head(struct agr_parser *p, const char *buf, size_t body_max, struct agr_request *r, int *ret_status,
          const char **ret_why)
{
    llhttp_t h;
    struct head d = {.r = r};
    const char *fault = head_fault(buf, p->head_n);
    if (fault)
        return refuse(400, fault, ret_status, ret_why);
    r->nheaders = 0;
    memset(&r->header[0], 0, sizeof r->header[0]);
    llhttp_init(&h, HTTP_REQUEST, &settings);
    h.data = &d;
    llhttp_errno_t e = llhttp_execute(&h, buf, p->head_n);
    if (d.is_too_many)
        return refuse(431, "too many headers", ret_status, ret_why);
    if (e != HPE_PAUSED && e != HPE_OK)
        return refuse(400, "malformed HTTP request", ret_status, ret_why);
    if (h.http_major != 1)
        return refuse(505, "only HTTP/1.0 and HTTP/1.1 are spoken here", ret_status, ret_why);
    if (is_repeated(r))
        return refuse(400, "a framing or identity header is repeated", ret_status, ret_why);
    if (d.url.n > AGR_URL_MAX)
        return refuse(414, "the path is too long", ret_status, ret_why);
    r->is_http_1_0 = h.http_minor == 0;
    if (!r->is_http_1_0 && !agr_header_get(r, "host").p)
        return refuse(400, "the Host header is missing", ret_status, ret_why);
    struct ag_str te = agr_header_get(r, "transfer-encoding"), cl = agr_header_get(r, "content-length");
    if (te.p && cl.p)
        return refuse(400, "Content-Length and Transfer-Encoding exclude each other", ret_status, ret_why);
    if (te.p && (!agr_str_is_nocase(te, "chunked") || r->is_http_1_0))
        return refuse(501, "the only transfer coding understood is chunked", ret_status, ret_why);
    p->is_chunked = te.p != NULL;
    p->body_n = cl.p ? h.content_length : 0;
    if (p->body_n > body_max)
        return refuse(413, "the body is too large", ret_status, ret_why);
    r->method = method_of(h.method);
    r->is_keep_alive = llhttp_should_keep_alive(&h) != 0;
    struct ag_str connection = agr_header_get(r, "connection");
    if (connection.p && agr_str_is_nocase(connection, "close"))
        r->is_keep_alive = false;
    r->expects_continue = agr_str_is_nocase(agr_header_get(r, "expect"), "100-continue");
    const char *mark = d.url.n ? memchr(d.url.p, '?', d.url.n) : NULL;
    r->path = mark ? ag_str_of(d.url.p, (size_t)(mark - d.url.p)) : d.url;
    r->query = mark ? ag_str_of(mark + 1, d.url.n - r->path.n - 1) : ag_str_of("", 0);
    return AGR_PARSE_DONE;
}

// --- chunked bodies

// Reads one "SIZE[;extension]CRLF" line at `at`. 1: read, 0: more is needed, -1: malformed.
static int
chunk_line(const char *buf, size_t n, size_t at, uint64_t *ret_size, size_t *ret_next)
{
    uint64_t size = 0;
    size_t i = at, ndigits = 0;
    for (; i < n; i++, ndigits++) {
        int c = lower((unsigned char)buf[i]);
        if (c >= '0' && c <= '9')
            size = size * 16 + (uint64_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            size = size * 16 + (uint64_t)(c - 'a' + 10);
        else
            break;
        if (ndigits == 15)
            return -1;
    }
    if (i == n)
        return n - at > CHUNK_LINE_MAX ? -1 : 0;
    if (ndigits == 0 || (buf[i] != ';' && buf[i] != '\r'))
        return -1;
    for (; i < n && buf[i] != '\r'; i++)
        if (buf[i] == '\n' || i - at > CHUNK_LINE_MAX)
            return -1;
    if (i + 1 >= n)
        return 0;
    if (buf[i + 1] != '\n')
        return -1;
    *ret_size = size;
    *ret_next = i + 2;
    return 1;
}

// Moves the chunks that are complete to the front of the body. DONE when the last one was read.
static enum agr_parse
read_chunks(struct agr_parser *p, char *buf, size_t n, size_t body_max, int *ret_status, const char **ret_why)
{
    for (;;) {
        uint64_t size;
        size_t next;
        int got = chunk_line(buf, n, p->chunk_at, &size, &next);
        if (got < 0)
            return refuse(400, "malformed chunk", ret_status, ret_why);
        if (got == 0)
            return AGR_PARSE_MORE;
        if (size > body_max - p->chunk_n)
            return refuse(413, "the body is too large", ret_status, ret_why);
        if (n - next < size + 2)
            return AGR_PARSE_MORE;
        // Trailers are not accepted: the last chunk is followed by an empty line at once.
        if (buf[next + size] != '\r' || buf[next + size + 1] != '\n')
            return refuse(400, "malformed chunk or a trailer", ret_status, ret_why);
        memmove(buf + p->head_n + p->chunk_n, buf + next, size);
        p->chunk_n += size;
        p->chunk_at = next + size + 2;
        if (size == 0)
            return AGR_PARSE_DONE;
    }
}

enum agr_parse
agr_parse(struct agr_parser *p, char *buf, size_t n, size_t body_max, struct agr_request *ret,
          size_t *ret_used, int *ret_status, const char **ret_why)
{
    ret->expects_continue = false;
    if (!p->head_n) {
        size_t from = p->scanned > 3 ? p->scanned - 3 : 0;
        const char *end = n > from ? memmem(buf + from, n - from, "\r\n\r\n", 4) : NULL;
        p->scanned = n;
        if (!end) {
            if (memmem(buf, n < AGR_HEAD_MAX ? n : AGR_HEAD_MAX, "\n\n", 2))
                return refuse(400, "a header line must end in CR LF", ret_status, ret_why);
            return n > AGR_HEAD_MAX ? refuse(431, "the head is too long", ret_status, ret_why)
                                    : AGR_PARSE_MORE;
        }
        p->head_n = (size_t)(end - buf) + 4;
        if (p->head_n > AGR_HEAD_MAX)
            return refuse(431, "the head is too long", ret_status, ret_why);
        p->chunk_at = p->head_n;
    }
    if (p->is_head_read && !p->is_chunked && n - p->head_n < p->body_n)
        return AGR_PARSE_MORE;
    // The buffer may have moved since the last call: views are made anew from the same bytes.
    enum agr_parse got = read_head(p, buf, body_max, ret, ret_status, ret_why);
    if (got != AGR_PARSE_DONE)
        return got;
    p->is_head_read = true;
    if (p->is_chunked) {
        got = read_chunks(p, buf, n, body_max, ret_status, ret_why);
        if (got != AGR_PARSE_DONE)
            return got;
        ret->body = ag_str_of(buf + p->head_n, p->chunk_n);
        *ret_used = p->chunk_at;
        return AGR_PARSE_DONE;
    }
    if (n - p->head_n < p->body_n)
        return AGR_PARSE_MORE;
    ret->body = ag_str_of(buf + p->head_n, (size_t)p->body_n);
    *ret_used = p->head_n + (size_t)p->body_n;
    return AGR_PARSE_DONE;
}

bool
agr_method_fits(unsigned methods, enum agr_method m)
{
    return (methods & AGR_BIT(m == AGR_HEAD ? AGR_GET : m)) != 0;
}

struct ag_str
agr_header_get(const struct agr_request *r, const char *name)
{
    for (unsigned i = 0; i < r->nheaders; i++)
        if (agr_str_is_nocase(r->header[i].name, name))
            return r->header[i].value.p ? r->header[i].value : ag_str_of("", 0);
    return (struct ag_str){NULL, 0};
}

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)lower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
agr_percent_decode(struct ag_str s, char *mem, size_t size, struct ag_str *ret)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (n == size)
            return false;
        if (s.p[i] != '%') {
            mem[n++] = s.p[i];
            continue;
        }
        if (s.n - i < 3)
            return false;
        int hi = hex_digit(s.p[i + 1]), lo = hex_digit(s.p[i + 2]);
        if (hi < 0 || lo < 0 || (hi == 0 && lo == 0))
            return false;
        mem[n++] = (char)(hi * 16 + lo);
        i += 2;
    }
    *ret = ag_str_of(mem, n);
    return true;
}

bool
agr_query_get(const struct agr_request *r, const char *name, char *mem, size_t size, struct ag_str *ret)
{
    size_t name_n = strlen(name);
    for (size_t at = 0; at < r->query.n;) {
        const char *p = r->query.p + at;
        const char *amp = memchr(p, '&', r->query.n - at);
        size_t n = amp ? (size_t)(amp - p) : r->query.n - at;
        if (n > name_n && p[name_n] == '=' && memcmp(p, name, name_n) == 0)
            return agr_percent_decode(ag_str_of(p + name_n + 1, n - name_n - 1), mem, size, ret);
        at += n + 1;
    }
    return false;
}
