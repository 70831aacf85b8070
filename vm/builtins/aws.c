// SPDX-License-Identifier: Apache-2.0
// providers.aws.sign_req: a request with the headers of AWS Signature Version 4.
// In: request, credentials, time. Out: the request with its headers signed. HMAC-SHA-256 alone, so it runs in
// every host. Memory: the call's arena. Next file to read: base/digest.c.
#include "jwt.h"
#include "number.h"
#include "x509.h"

#define SIGNED_MAX 256u // headers of one request

struct header {
    struct ag_str name, value; // name in lower case
};

struct request {
    struct ag_str method, host, path, query, body;
    struct ag_str access, secret, region, service, token;
    char date[9], stamp[17]; // YYYYMMDD, YYYYMMDDTHHMMSSZ
    char hash[65];           // of the body in hex, or UNSIGNED-PAYLOAD
    uint32_t n;
    struct header header[SIGNED_MAX];
};

static const char *const required[] = {"aws_access_key", "aws_region", "aws_secret_access_key",
                                       "aws_service"};
static const char *const parts[] = {"method", "url"};

static struct ag_value
member(struct ag_call *c, struct ag_value o, const char *name)
{
    return ag_object_get(&c->mem, o, ag_str_z(name));
}

static struct ag_str
text_of(struct ag_value v)
{
    return v.kind == AG_STRING ? ag_value_str(v) : ag_str_of("", 0);
}

// The error that names all members that are missing (`missing`) or no strings; undefined when there are none.
static struct ag_value
named(struct ag_call *c, struct ag_value o, const char *const *name, size_t n, bool missing, unsigned operand,
      const char *words)
{
    char list[160];
    struct ag_buf b;
    bool found = false;
    ag_buf_init(&b, list, sizeof list - 1);
    for (size_t i = 0; i < n; i++) {
        struct ag_value v = member(c, o, name[i]);
        if (missing ? v.kind != AG_UNDEF : v.kind == AG_UNDEF || v.kind == AG_STRING)
            continue;
        ag_buf_str(&b, found ? AG_STR(", \"") : AG_STR("\""));
        ag_buf_str(&b, ag_str_z(name[i]));
        ag_buf_char(&b, '"');
        found = true;
    }
    return found ? ag_error(c, AG_VERR_TYPE, "operand %u %s: {%.*s}", operand, words, (int)b.n, list)
                 : ag_undef();
}

static struct ag_value
check_members(struct ag_call *c, const struct ag_value *a)
{
    struct ag_value e = named(c, a[1], required, 4, true, 2, "missing required AWS config parameters(s)");
    if (e.kind != AG_ERROR)
        e = named(c, a[1], required, 4, false, 2, "invalid values for required AWS config parameters(s)");
    return e;
}

// --- the request
// ----------------------------------------------------------------------------------------------------

// Host, path and query of an absolute URL.
static void
split_url(struct ag_str url, struct request *r)
{
    const char *hash = url.n ? memchr(url.p, '#', url.n) : NULL;
    if (hash)
        url.n = (size_t)(hash - url.p);
    const char *mark = url.n ? memchr(url.p, '?', url.n) : NULL;
    if (mark) {
        r->query = ag_str_of(mark + 1, url.n - (size_t)(mark - url.p) - 1);
        url.n = (size_t)(mark - url.p);
    }
    const char *colon = url.n ? memchr(url.p, ':', url.n) : NULL;
    if (colon)
        url = ag_str_of(colon + 1, url.n - (size_t)(colon - url.p) - 1);
    r->path = url;
    if (url.n < 2 || url.p[0] != '/' || url.p[1] != '/')
        return;
    url = ag_str_of(url.p + 2, url.n - 2);
    const char *slash = url.n ? memchr(url.p, '/', url.n) : NULL;
    size_t n = slash ? (size_t)(slash - url.p) : url.n;
    r->path = ag_str_of(url.p + n, url.n - n);
    r->host = ag_str_of(url.p, n);
    const char *at = n ? memchr(url.p, '@', n) : NULL;
    if (at)
        r->host = ag_str_of(at + 1, n - (size_t)(at - url.p) - 1);
}

static void
set_time(struct request *r, int64_t ns)
{
    char text[40];
    struct ag_buf b;
    ag_buf_init(&b, text, sizeof text);
    ag_buf_time(&b, ns, 0); // YYYY-MM-DDTHH:MM:SSZ
    size_t n = 0;
    for (size_t i = 0; i < b.n && n + 1 < sizeof r->stamp; i++)
        if (text[i] != '-' && text[i] != ':')
            r->stamp[n++] = text[i];
    r->stamp[n] = 0;
    memcpy(r->date, r->stamp, 8);
    r->date[8] = 0;
}

static void
hash_text(struct ag_str s, char hex[65])
{
    uint8_t digest[32];
    struct ag_buf b;
    ag_sha256(s.p, s.n, digest);
    ag_buf_init(&b, hex, 64);
    ag_buf_hex(&b, digest, sizeof digest);
    hex[64] = 0;
}

static struct ag_str
lower(struct ag_call *c, struct ag_str s)
{
    char *p = ag_call_alloc(c, s.n + 1, 1);
    for (size_t i = 0; p && i < s.n; i++)
        p[i] = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] | 0x20) : s.p[i];
    return ag_str_of(p, p ? s.n : 0);
}

// Puts a header in its place; one of the same name is replaced.
static void
put_header(struct request *r, struct ag_str name, struct ag_str value)
{
    uint32_t at = 0;
    while (at < r->n && ag_str_cmp(r->header[at].name, name) < 0)
        at++;
    if (at == r->n || !ag_str_eq(r->header[at].name, name)) {
        if (r->n == SIGNED_MAX)
            return;
        memmove(&r->header[at + 1], &r->header[at], (r->n - at) * sizeof r->header[0]);
        r->n++;
    }
    r->header[at] = (struct header){name, value};
}

static bool
has_content_hash(const struct request *r)
{
    return ag_str_is(r->service, "s3") || ag_str_is(r->service, "glacier");
}

// The headers that are signed: ours, then the request's own, but for those that proxies change.
static void
collect(struct ag_call *c, struct request *r, struct ag_value headers)
{
    put_header(r, AG_STR("host"), r->host);
    put_header(r, AG_STR("x-amz-date"), ag_str_z(r->stamp));
    if (has_content_hash(r))
        put_header(r, AG_STR("x-amz-content-sha256"), ag_str_z(r->hash));
    if (r->token.n)
        put_header(r, AG_STR("x-amz-security-token"), r->token);
    for (uint32_t i = 0; headers.kind == AG_OBJECT && i < headers.len; i++) {
        struct ag_str name = lower(c, text_of(ag_object_key(&c->mem, headers, i)));
        if (!ag_str_is(name, "authorization") && !ag_str_is(name, "user-agent") &&
            !ag_str_is(name, "x-amzn-trace-id"))
            put_header(r, name, text_of(ag_value_at(&c->mem, headers, i)));
    }
}

// --- the signature
// --------------------------------------------------------------------------------------------------

static void
put_names(struct ag_buf *b, const struct request *r)
{
    for (uint32_t i = 0; i < r->n; i++) {
        if (i)
            ag_buf_char(b, ';');
        ag_buf_str(b, r->header[i].name);
    }
}

static void
put_canonical(struct ag_buf *b, const struct request *r)
{
    ag_buf_str(b, r->method);
    ag_buf_char(b, '\n');
    ag_buf_str(b, r->path);
    ag_buf_char(b, '\n');
    ag_buf_str(b, r->query);
    ag_buf_char(b, '\n');
    for (uint32_t i = 0; i < r->n; i++) {
        ag_buf_str(b, r->header[i].name);
        ag_buf_char(b, ':');
        ag_buf_str(b, r->header[i].value);
        ag_buf_char(b, '\n');
    }
    ag_buf_char(b, '\n');
    put_names(b, r);
    ag_buf_char(b, '\n');
    ag_buf_str(b, ag_str_z(r->hash));
}

static void
put_scope(struct ag_buf *b, const struct request *r)
{
    ag_buf_str(b, ag_str_z(r->date));
    ag_buf_char(b, '/');
    ag_buf_str(b, r->region);
    ag_buf_char(b, '/');
    ag_buf_str(b, r->service);
    ag_buf_lit(b, "/aws4_request");
}

static void
mac(const void *key, size_t nkey, struct ag_str s, uint8_t ret[AG_DIGEST_MAX])
{
    struct ag_hmac m;
    ag_hmac_init(&m, AG_HASH_SHA256, key, nkey);
    ag_hmac_update(&m, s.p, s.n);
    ag_hmac_final(&m, ret);
}

// The value of the Authorization header, in the arena.
static struct ag_value
authorization(struct ag_call *c, const struct request *r)
{
    uint8_t key[AG_DIGEST_MAX];
    char hash[65];
    struct ag_buf b;
    size_t n =
        1024 + r->method.n + r->path.n + r->query.n + r->access.n + r->secret.n + r->region.n + r->service.n;
    for (uint32_t i = 0; i < r->n; i++)
        n += 2 * r->header[i].name.n + r->header[i].value.n + 4;
    char *p = ag_charge(c, n) ? ag_call_alloc(c, n, 1) : NULL, *q = p ? ag_call_alloc(c, n, 1) : NULL;
    if (!q)
        return ag_undef();
    ag_buf_init(&b, p, n);
    put_canonical(&b, r);
    hash_text(ag_str_of(b.p, b.n), hash);
    ag_buf_init(&b, p, n);
    ag_buf_lit(&b, "AWS4");
    ag_buf_str(&b, r->secret);
    mac(b.p, b.n, ag_str_z(r->date), key);
    mac(key, 32, r->region, key);
    mac(key, 32, r->service, key);
    mac(key, 32, AG_STR("aws4_request"), key);
    ag_buf_init(&b, p, n);
    ag_buf_lit(&b, "AWS4-HMAC-SHA256\n");
    ag_buf_str(&b, ag_str_z(r->stamp));
    ag_buf_char(&b, '\n');
    put_scope(&b, r);
    ag_buf_char(&b, '\n');
    ag_buf_str(&b, ag_str_z(hash));
    mac(key, 32, ag_str_of(b.p, b.n), key);
    ag_buf_init(&b, q, n);
    ag_buf_lit(&b, "AWS4-HMAC-SHA256 Credential=");
    ag_buf_str(&b, r->access);
    ag_buf_char(&b, '/');
    put_scope(&b, r);
    ag_buf_lit(&b, ",SignedHeaders=");
    put_names(&b, r);
    ag_buf_lit(&b, ",Signature=");
    ag_buf_hex(&b, key, 32);
    return b.is_full ? ag_stop(c, AG_EVAL_ARENA) : ag_bi_text(q, b.n);
}

// The request's headers with the new ones over them.
static struct ag_value
new_headers(struct ag_call *c, const struct request *r, struct ag_value old, struct ag_value signature)
{
    struct ag_fields f = ag_fields_new(c);
    struct ag_fields own = ag_fields_new(c);
    for (uint32_t i = 0; old.kind == AG_OBJECT && i < old.len && own.ok; i++)
        own.ok = ag_builder_put(&c->mem, own.b, ag_bi_copy(c, text_of(ag_object_key(&c->mem, old, i))),
                                ag_bi_copy(c, text_of(ag_value_at(&c->mem, old, i))));
    ag_fields_put(&f, "Authorization", signature);
    ag_fields_put(&f, "host", ag_bi_copy(c, r->host));
    ag_fields_put(&f, "x-amz-date", ag_bi_copy(c, ag_str_z(r->stamp)));
    if (has_content_hash(r))
        ag_fields_put(&f, "x-amz-content-sha256", ag_bi_copy(c, ag_str_z(r->hash)));
    if (r->token.n)
        ag_fields_put(&f, "x-amz-security-token", ag_bi_copy(c, r->token));
    struct ag_value ours = ag_fields_close(&f), before = ag_fields_close(&own);
    return ours.kind == AG_OBJECT && before.kind == AG_OBJECT ? ag_value_merge(c, ours, before) : ag_undef();
}

static struct ag_value
sign(struct ag_call *c, const struct ag_value *a, struct request *r, struct ag_value headers)
{
    struct ag_value raw = member(c, a[0], "raw_body"), body = member(c, a[0], "body");
    struct ag_value off = member(c, a[1], "disable_payload_signing");
    if (off.kind != AG_UNDEF && off.kind != AG_BOOL)
        return ag_error(c, AG_VERR_TYPE,
                        "operand 2 invalid value for 'disable_payload_signing' in AWS config");
    r->body = raw.kind != AG_UNDEF    ? text_of(raw)
              : body.kind != AG_UNDEF ? ag_jwt_marshal(c, body)
                                      : ag_str_of("", 0);
    if (c->stop != AG_EVAL_OK || !ag_charge(c, r->body.n / 4))
        return ag_undef();
    if (off.kind == AG_BOOL && off.i)
        memcpy(r->hash, "UNSIGNED-PAYLOAD", sizeof "UNSIGNED-PAYLOAD");
    else
        hash_text(r->body, r->hash);
    collect(c, r, headers);
    struct ag_value signature = authorization(c, r);
    struct ag_value signed_ =
        signature.kind == AG_STRING ? new_headers(c, r, headers, signature) : ag_undef();
    if (signed_.kind != AG_OBJECT)
        return ag_undef();
    struct ag_fields f = ag_fields_new(c);
    ag_fields_put(&f, "headers", signed_);
    struct ag_builder *rest = ag_builder_new(&c->mem, AG_OBJECT);
    bool ok = rest != NULL;
    for (uint32_t i = 0; i < a[0].len && ok; i++) {
        struct ag_value key = ag_object_key(&c->mem, a[0], i);
        if (key.kind != AG_STRING || !ag_str_is(ag_value_str(key), "headers"))
            ok = ag_builder_put(&c->mem, rest, key, ag_value_at(&c->mem, a[0], i));
    }
    struct ag_value with = ag_fields_close(&f), others = ag_bi_close(c, rest, ok);
    return with.kind == AG_OBJECT && others.kind == AG_OBJECT ? ag_value_merge(c, with, others) : ag_undef();
}

// A whole number that is written as one: 1e9 is not.
static bool
plain_integer(struct ag_value v, int64_t *ret)
{
    const struct ag_num_rec *rec = ag_number_view(v).rec;
    return ag_number_int(v, ret) && !(rec && rec->text_n);
}

struct ag_value
ag_bi_aws_sign_req(struct ag_call *c, const struct ag_value *a)
{
    struct request *r = ag_call_alloc(c, sizeof *r, 8);
    int64_t ns;
    struct ag_value headers = member(c, a[0], "headers"), e = check_members(c, a);
    if (!r || e.kind == AG_ERROR)
        return r ? e : ag_undef();
    memset(r, 0, sizeof *r);
    if (!plain_integer(a[2], &ns))
        return ag_error(c, AG_VERR_TYPE, "operand 3 could not convert time_ns value into a unix timestamp");
    e = named(c, a[0], parts, 2, true, 1, "missing required request parameters(s)");
    if (e.kind == AG_ERROR)
        return e;
    if (headers.kind != AG_UNDEF && headers.kind != AG_OBJECT)
        return ag_error(c, AG_VERR_TYPE, "operand 0 must be object but got %s", ag_bi_kind(headers));
    if (headers.kind == AG_OBJECT && headers.len > SIGNED_MAX - 4)
        return ag_error(c, AG_VERR_BUILTIN, "more than %u headers", SIGNED_MAX - 4);
    e = named(c, a[0], parts, 2, false, 1, "invalid values for required request parameters(s)");
    if (e.kind == AG_ERROR)
        return e;
    r->method = text_of(member(c, a[0], "method"));
    r->access = text_of(member(c, a[1], "aws_access_key"));
    r->secret = text_of(member(c, a[1], "aws_secret_access_key"));
    r->region = text_of(member(c, a[1], "aws_region"));
    r->service = text_of(member(c, a[1], "aws_service"));
    r->token = text_of(member(c, a[1], "aws_session_token"));
    split_url(text_of(member(c, a[0], "url")), r);
    set_time(r, ns);
    return sign(c, a, r, headers);
}
