// SPDX-License-Identifier: Apache-2.0
// Reader of HTTP answers for the load driver. Trusts nothing about the peer except that it is on this
// machine. In: bytes. Out: struct answer. Next file: load.c.
#include "answer.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#define BODY_MAX ((size_t)64 << 20)

static bool
header_is(const char *line, size_t n, const char *name, const char **value, size_t *value_n)
{
    size_t k = strlen(name);
    if (n <= k || strncasecmp(line, name, k) != 0 || line[k] != ':')
        return false;
    const char *v = line + k + 1;
    size_t left = n - k - 1;
    while (left > 0 && (*v == ' ' || *v == '\t')) {
        v++;
        left--;
    }
    *value = v;
    *value_n = left;
    return true;
}

static bool
number(const char *p, size_t n, size_t *ret)
{
    size_t v = 0;
    if (n == 0)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9' || v > BODY_MAX)
            return false;
        v = v * 10 + (size_t)(p[i] - '0');
    }
    *ret = v;
    return v <= BODY_MAX;
}

enum answer_state
answer_parse(const char *p, size_t n, struct answer *ret)
{
    const char *end = memmem(p, n, "\r\n\r\n", 4);
    if (end == NULL)
        return n > 65536 ? ANSWER_BAD : ANSWER_PARTIAL;
    if (end - p < 12 || memcmp(p, "HTTP/1.", 7) != 0)
        return ANSWER_BAD;
    size_t status, length = 0;
    if (!number(p + 9, 3, &status))
        return ANSWER_BAD;
    bool closes = p[7] == '0', has_length = status == 204 || status == 304;
    const char *line = memmem(p, (size_t)(end - p) + 2, "\r\n", 2);
    while (line != NULL && line < end) {
        line += 2;
        const char *stop = memmem(line, (size_t)(end - line) + 2, "\r\n", 2), *value;
        size_t value_n;
        if (stop == NULL)
            break;
        if (header_is(line, (size_t)(stop - line), "content-length", &value, &value_n)) {
            if (!number(value, value_n, &length))
                return ANSWER_BAD;
            has_length = true;
        } else if (header_is(line, (size_t)(stop - line), "connection", &value, &value_n)) {
            closes = value_n == 5 && strncasecmp(value, "close", 5) == 0;
        }
        line = stop;
    }
    if (!has_length)
        return ANSWER_BAD;
    size_t head = (size_t)(end - p) + 4;
    if (n < head + length)
        return ANSWER_PARTIAL;
    *ret = (struct answer){(unsigned)status, p + head, length, head + length, closes};
    return ANSWER_COMPLETE;
}

bool
answer_decision(const struct answer *a, char *ret, size_t cap)
{
    static const char key[] = "\"decision\":\"";
    const char *p = memmem(a->body, a->body_n, key, sizeof key - 1);
    if (p == NULL || cap == 0)
        return false;
    p += sizeof key - 1;
    size_t n = 0, left = a->body_n - (size_t)(p - a->body);
    while (n < left && n + 1 < cap && ((p[n] >= 'a' && p[n] <= 'z') || p[n] == '_')) {
        ret[n] = p[n];
        n++;
    }
    ret[n] = '\0';
    return n > 0;
}
