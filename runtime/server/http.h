// SPDX-License-Identifier: Apache-2.0
// Step 12: bytes of one connection -> struct agr_request. llhttp does the grammar; what it lets pass and a
// proxy in front might read differently (bare LF, folded headers, repeated framing, authentication or tenant
// headers) is refused here. In: a buffer that holds everything received. Out: a request whose strings borrow
// from that buffer. Thread rule: one parser, one connection. Next file to read: route.h.
#ifndef AGR_HTTP_H
#define AGR_HTTP_H

#include "str.h"

#define AGR_HEAD_MAX    16384u // bytes of request line and headers: 431 past it
#define AGR_HEADERS_MAX 64u
#define AGR_URL_MAX     4096u // 414 past it

enum agr_method { AGR_GET, AGR_HEAD, AGR_POST, AGR_PUT, AGR_DELETE, AGR_METHOD_OTHER };

#define AGR_BIT(method) (1u << (method))

struct agr_header {
    struct ag_str name, value;
};

struct agr_request {
    enum agr_method method;
    struct ag_str path, query; // path without the query; both undecoded
    struct ag_str body;
    struct agr_header header[AGR_HEADERS_MAX];
    unsigned nheaders;
    bool is_keep_alive;
    bool is_http_1_0;
    bool expects_continue;
};

enum agr_parse {
    AGR_PARSE_MORE,  // not all there yet
    AGR_PARSE_DONE,  // *ret_used bytes belong to the request
    AGR_PARSE_REFUSE // *ret_status says why; the connection must close after the answer
};

struct agr_parser {
    size_t scanned;  // bytes already searched for the end of the head
    size_t head_n;   // bytes of the head once it is complete, else 0
    uint64_t body_n; // Content-Length
    bool is_chunked;
    bool is_head_read;  // the head was found good, only its body is awaited
    size_t chunk_at;    // next byte of chunked framing to read
    size_t chunk_n;     // body bytes put together so far
    bool has_continued; // "100 Continue" was asked for and given
};

// Starts the next request of a connection.
void agr_parser_reset(struct agr_parser *p);
// Looks at all `n` bytes received for this request. buf may be rewritten behind the head when the body is
// chunked. DONE: *ret_used is the length of the whole request in buf. REFUSE: *ret_status is an HTTP status
// and *ret_why its text.
enum agr_parse agr_parse(struct agr_parser *p, char *buf, size_t n, size_t body_max, struct agr_request *ret,
                         size_t *ret_used, int *ret_status, const char **ret_why);

// Whether a path with these methods (bits AGR_BIT) takes m: HEAD is GET without the body, which the loop
// leaves out.
bool agr_method_fits(unsigned methods, enum agr_method m);
// Value of a header, ASCII case ignored; p == NULL when absent.
struct ag_str agr_header_get(const struct agr_request *r, const char *name);
// Value of a query parameter, percent-decoded into mem; false when absent, malformed or longer than size.
bool agr_query_get(const struct agr_request *r, const char *name, char *mem, size_t size, struct ag_str *ret);
// Percent-decodes s into mem; false when malformed or too long.
bool agr_percent_decode(struct ag_str s, char *mem, size_t size, struct ag_str *ret);
bool agr_str_is_nocase(struct ag_str a, const char *z);

#endif
