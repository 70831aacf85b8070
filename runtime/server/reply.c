// SPDX-License-Identifier: Apache-2.0
// Step 16: answers in bytes. In: status, headers, body. Out: the connection's output buffer. Nothing is
// allocated unless an answer is longer than any before it on this connection. Next file to read: conn.c,
// which sends it.
#include "reply.h"

#include <stdlib.h>

const char *
agr_status_text(int status)
{
    switch (status) {
    case 200: return "OK";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    default: return "Internal Server Error";
    }
}

static void
put(struct agr_conn *c, struct ag_str s)
{
    if (!agr_conn_reserve(c, s.n)) {
        c->out_n = 0;
        c->is_closing = true;
        return;
    }
    if (s.n)
        memcpy(c->out + c->out_n, s.p, s.n);
    c->out_n += s.n;
}

static void
put_number(struct agr_conn *c, uint64_t v)
{
    char mem[24];
    struct ag_buf b;
    ag_buf_init(&b, mem, sizeof mem);
    ag_buf_u64(&b, v);
    put(c, ag_str_of(b.p, b.n));
}

void
agr_reply_begin(struct agr_conn *c, int status, const char *type)
{
    if (status == 200 && !c->is_closing && type && strcmp(type, AGR_JSON) == 0) { // nearly every answer
        put(c, AG_STR("HTTP/1.1 200 OK\r\nContent-Type: " AGR_JSON "\r\n"));
        return;
    }
    put(c, AG_STR("HTTP/1.1 "));
    put_number(c, (uint64_t)status);
    put(c, AG_STR(" "));
    put(c, ag_str_z(agr_status_text(status)));
    put(c, AG_STR("\r\n"));
    if (c->is_closing)
        put(c, AG_STR("Connection: close\r\n"));
    if (type) {
        put(c, AG_STR("Content-Type: "));
        put(c, ag_str_z(type));
        put(c, AG_STR("\r\n"));
    }
}

void
agr_reply_header(struct agr_conn *c, const char *name, struct ag_str value)
{
    for (size_t i = 0; i < value.n; i++)
        if ((unsigned char)value.p[i] < 0x20 || (unsigned char)value.p[i] >= 0x7f)
            return;
    put(c, ag_str_z(name));
    put(c, AG_STR(": "));
    put(c, value);
    put(c, AG_STR("\r\n"));
}

void
agr_reply_body(struct agr_conn *c, struct ag_str body)
{
    put(c, AG_STR("Content-Length: "));
    put_number(c, body.n);
    put(c, AG_STR("\r\n\r\n"));
    put(c, body);
}

void
agr_reply_json(struct agr_conn *c, int status, struct ag_str body)
{
    agr_reply_begin(c, status, AGR_JSON);
    agr_reply_body(c, body);
}

void
agr_reply_error(struct agr_conn *c, int status, const char *code, const char *message)
{
    char mem[1024];
    struct ag_buf b;
    ag_buf_init(&b, mem, sizeof mem);
    ag_buf_lit(&b, "{\"error\":{\"code\":");
    ag_buf_json_str(&b, ag_str_z(code));
    ag_buf_lit(&b, ",\"message\":");
    ag_buf_json_str(&b, ag_str_z(message));
    ag_buf_lit(&b, "}}");
    agr_reply_json(c, status, b.is_full ? AG_STR("{\"error\":{\"code\":\"error\"}}") : ag_str_of(b.p, b.n));
}

void
agr_reply_not_allowed(struct agr_conn *c, unsigned methods)
{
    static const struct {
        enum agr_method method;
        const char *text;
    } all[] = {{AGR_GET, "GET, HEAD"}, {AGR_POST, "POST"}, {AGR_PUT, "PUT"}, {AGR_DELETE, "DELETE"}};
    char mem[64];
    struct ag_buf b;
    ag_buf_init(&b, mem, sizeof mem);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (!(methods & AGR_BIT(all[i].method)))
            continue;
        if (b.n)
            ag_buf_lit(&b, ", ");
        ag_buf_str(&b, ag_str_z(all[i].text));
    }
    agr_reply_begin(c, 405, AGR_JSON);
    agr_reply_header(c, "Allow", ag_str_of(b.p, b.n));
    agr_reply_body(c,
                   AG_STR("{\"error\":{\"code\":\"method_not_allowed\",\"message\":\"this path does not take "
                          "that method\"}}"));
}
