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
    struct agc_source *src = &s->v[s->n];
    *src = (struct agc_source){agc_strdup(a, name), bytes, 1, NULL};
    for (size_t i = 0; i < bytes.n; i++)
        src->nlines += bytes.p[i] == '\n';
    src->line = agc_alloc(a, src->nlines * sizeof *src->line);
    for (size_t i = 0, n = 1; i < bytes.n; i++)
        if (bytes.p[i] == '\n')
            src->line[n++] = (uint32_t)i + 1;
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
    const struct agc_source *src = &s->v[span.source];
    uint32_t at = span.begin < src->bytes.n ? span.begin : (uint32_t)src->bytes.n;
    uint32_t lo = 0, hi = src->nlines; // the last line that begins at or before `at`
    while (hi - lo > 1) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (src->line[mid] <= at)
            lo = mid;
        else
            hi = mid;
    }
    *ret_line = lo + 1;
    *ret_column = at - src->line[lo] + 1;
}

struct ag_str
agc_source_line(const struct agc_sources *s, uint32_t source, uint32_t line)
{
    if (source >= s->n || line == 0 || line > s->v[source].nlines)
        return AG_STR("");
    const struct agc_source *src = &s->v[source];
    size_t start = src->line[line - 1], end = line < src->nlines ? src->line[line] - 1u : src->bytes.n;
    if (end > start && src->bytes.p[end - 1] == '\r')
        end--;
    return ag_str_of(src->bytes.p + start, end - start);
}
