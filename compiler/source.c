// SPDX-License-Identifier: Apache-2.0
// Step 1, read file. In: a path ("-" is standard input). Out: struct agc_source with its bytes; a span
// becomes line and column only when a message asks. Memory: the compile arena. Next file to read: diag.h.
#include "source.h"

#include <errno.h>
#include <stdio.h>

int
agc_source_add(struct agc_arena *a, struct agc_sources *s, struct ag_str name, struct ag_str bytes)
{
    s->v = agc_grow(a, s->v, s->n, &s->cap, sizeof *s->v);
    s->v[s->n] = (struct agc_source){agc_strdup(a, name), bytes};
    return (int)s->n++;
}

// Reads to the end of f into arena memory. Returns 0, or -1 with errno.
static int
read_all(struct agc_arena *a, FILE *f, struct ag_str *ret)
{
    size_t n = 0, cap = 64u << 10;
    char *p = agc_alloc(a, cap);
    for (;;) {
        size_t got = fread(p + n, 1, cap - n, f);
        n += got;
        if (got == 0)
            break;
        if (n > AGC_SOURCE_MAX) {
            errno = EFBIG;
            return -1;
        }
        if (n == cap) {
            char *q = agc_alloc(a, cap * 2);
            memcpy(q, p, n);
            p = q;
            cap *= 2;
        }
    }
    if (ferror(f)) {
        errno = errno ? errno : EIO;
        return -1;
    }
    *ret = ag_str_of(p, n);
    return 0;
}

int
agc_source_read(struct agc_arena *a, struct agc_sources *s, const char *path)
{
    bool is_stdin = strcmp(path, "-") == 0;
    FILE *f = is_stdin ? stdin : fopen(path, "rbe");
    if (!f)
        return -1;
    struct ag_str bytes;
    errno = 0;
    int rc = read_all(a, f, &bytes);
    int saved = errno;
    if (!is_stdin)
        fclose(f);
    errno = saved;
    if (rc == -1)
        return -1;
    return agc_source_add(a, s, is_stdin ? AG_STR("<stdin>") : ag_str_z(path), bytes);
}

void
agc_source_place(const struct agc_sources *s, struct agc_span span, uint32_t *ret_line, uint32_t *ret_column)
{
    *ret_line = *ret_column = 1;
    if (span.source >= s->n)
        return;
    struct ag_str b = s->v[span.source].bytes;
    size_t at = span.begin < b.n ? span.begin : b.n;
    size_t start = 0;
    uint32_t line = 1;
    for (const char *nl; at > start && (nl = memchr(b.p + start, '\n', at - start)) != NULL; line++)
        start = (size_t)(nl - b.p) + 1;
    *ret_line = line;
    *ret_column = (uint32_t)(at - start) + 1;
}

struct ag_str
agc_source_line(const struct agc_sources *s, uint32_t source, uint32_t line)
{
    if (source >= s->n || line == 0)
        return AG_STR("");
    struct ag_str b = s->v[source].bytes;
    size_t start = 0;
    for (uint32_t i = 1; i < line; i++) {
        const char *nl = start < b.n ? memchr(b.p + start, '\n', b.n - start) : NULL;
        if (!nl)
            return AG_STR("");
        start = (size_t)(nl - b.p) + 1;
    }
    if (start >= b.n)
        return AG_STR("");
    const char *nl = memchr(b.p + start, '\n', b.n - start);
    size_t end = nl ? (size_t)(nl - b.p) : b.n;
    if (end > start && b.p[end - 1] == '\r')
        end--;
    return ag_str_of(b.p + start, end - start);
}
