// SPDX-License-Identifier: Apache-2.0
// Diagnostics: collecting, sorting, printing. In: agc_diag calls of every step. Out: text with the source
// line and a caret, JSON, or SARIF 2.1.0. Memory: the compile arena. Next file to read: diag.def.
#include "diag.h"

#include "buf.h"
#include "utf8.h"

#include <stdarg.h>
#include <stdlib.h>

#define TEXT_MAX  2000u // bytes of one message
#define LINE_SHOW 160u  // bytes of a source line that are shown

static const struct {
    const char *id, *summary, *help;
    enum agc_diag_level level;
} table[AGC_DIAG_COUNT] = {
#define WARNING                              AGC_WARNING
#define ERROR                                AGC_ERROR
#define DIAG(NAME, id, level, summary, help) {id, summary, help, level},
#include "diag.def"
#undef WARNING
#undef ERROR
};

const char *
agc_diag_name(enum agc_diag_id id)
{
    return table[id].id;
}

void
agc_diags_init(struct agc_diags *d, struct agc_arena *a, const struct agc_sources *sources)
{
    *d = (struct agc_diags){.arena = a, .sources = sources};
}

bool
agc_diags_option(struct agc_diags *d, const char *word)
{
    if (strcmp(word, "error") == 0) {
        d->warnings_are_errors = true;
        return true;
    }
    bool is_no = strncmp(word, "no-", 3) == 0, is_err = strncmp(word, "error=", 6) == 0;
    const char *id = is_no ? word + 3 : is_err ? word + 6 : word;
    for (int i = 0; i < AGC_DIAG_COUNT; i++) {
        if (strcmp(table[i].id, id) != 0)
            continue;
        if (is_no && table[i].level == AGC_ERROR)
            return false;
        d->is_off[i] = is_no;
        d->is_error_opt[i] = is_err;
        return true;
    }
    return false;
}

__attribute__((format(printf, 2, 0))) static struct ag_str
format(struct agc_arena *a, const char *fmt, va_list ap)
{
    char text[TEXT_MAX];
    int n = vsnprintf(text, sizeof text, fmt, ap);
    size_t len = n < 0 ? 0 : (size_t)n;
    if (len >= sizeof text) {
        len = sizeof text - 4;
        while (len && ((unsigned char)text[len] & 0xc0) == 0x80)
            len--;
        memcpy(text + len, "...", 3);
        len += 3;
    }
    return agc_strdup(a, ag_str_of(text, len));
}

struct agc_diag *
agc_diag(struct agc_diags *d, enum agc_diag_id id, struct agc_span span, const char *fmt, ...)
{
    enum agc_diag_level level = table[id].level;
    d->sink = (struct agc_diag){.id = id};
    if (level == AGC_WARNING && d->is_off[id])
        return &d->sink;
    if (level == AGC_WARNING && (d->warnings_are_errors || d->is_error_opt[id]))
        level = AGC_ERROR;
    if (level == AGC_ERROR)
        d->nerrors++;
    else
        d->nwarnings++;
    if (d->n >= AGC_DIAG_KEEP_MAX)
        return &d->sink;
    va_list ap;
    va_start(ap, fmt);
    struct ag_str text = format(d->arena, fmt, ap);
    va_end(ap);
    d->v = agc_grow(d->arena, d->v, d->n, &d->cap, sizeof *d->v);
    struct agc_diag *e = &d->v[d->n];
    *e = (struct agc_diag){.id = id, .level = level, .span = span, .text = text, .order = d->n};
    d->n++;
    return e;
}

void
agc_diag_second(struct agc_diags *d, struct agc_diag *at, struct agc_span span, const char *fmt, ...)
{
    if (at == &d->sink)
        return;
    va_list ap;
    va_start(ap, fmt);
    at->second_text = format(d->arena, fmt, ap);
    va_end(ap);
    at->second = span;
}

void
agc_diag_fix(struct agc_diags *d, struct agc_diag *at, const char *fmt, ...)
{
    if (at == &d->sink)
        return;
    va_list ap;
    va_start(ap, fmt);
    at->fix = format(d->arena, fmt, ap);
    va_end(ap);
}

static int
compare(const void *pa, const void *pb)
{
    const struct agc_diag *a = pa, *b = pb;
    if (a->span.source != b->span.source)
        return a->span.source < b->span.source ? -1 : 1;
    if (a->span.begin != b->span.begin)
        return a->span.begin < b->span.begin ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

static struct ag_str
source_name(const struct agc_diags *d, struct agc_span span)
{
    return span.source < d->sources->n ? d->sources->v[span.source].name : AG_STR("<command line>");
}

static size_t
code_points(struct ag_str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    return n;
}

// The source line and the caret line below it. Control characters are shown as blanks: a source cannot write
// escapes to the terminal of its reader.
static void
print_line(const struct agc_diags *d, struct agc_span span, FILE *f)
{
    if (span.source >= d->sources->n)
        return;
    uint32_t line, column;
    agc_source_place(d->sources, span, &line, &column);
    struct ag_str text = agc_source_line(d->sources, span.source, line);
    if (text.n == 0 || !ag_utf8_valid(text.p, text.n))
        return;
    size_t at = column - 1, from = 0, to = text.n;
    if (at > text.n)
        at = text.n;
    if (text.n > LINE_SHOW) {
        from = at > LINE_SHOW / 2 ? at - LINE_SHOW / 2 : 0;
        to = from + LINE_SHOW < text.n ? from + LINE_SHOW : text.n;
        while (from < at && ((unsigned char)text.p[from] & 0xc0) == 0x80)
            from++;
        while (to < text.n && ((unsigned char)text.p[to] & 0xc0) == 0x80)
            to++;
    }
    fputs("    ", f);
    for (size_t i = from; i < to; i++)
        fputc((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f ? ' ' : text.p[i], f);
    size_t end = at + (span.end > span.begin ? span.end - span.begin : 1);
    if (end > to)
        end = to;
    size_t marks = end > at ? code_points(ag_str_of(text.p + at, end - at)) : 1;
    fprintf(f, "\n    %*s^", (int)code_points(ag_str_of(text.p + from, at - from)), "");
    for (size_t i = 1; i < marks; i++)
        fputc('~', f);
    fputc('\n', f);
}

static void
print_place(const struct agc_diags *d, struct agc_span span, FILE *f)
{
    uint32_t line, column;
    agc_source_place(d->sources, span, &line, &column);
    struct ag_str name = source_name(d, span);
    fprintf(f, "%.*s:%u:%u: ", (int)name.n, name.p, line, column);
}

static void
print_text(const struct agc_diags *d, FILE *f)
{
    uint32_t shown = d->n < AGC_DIAG_PRINT_MAX ? d->n : AGC_DIAG_PRINT_MAX;
    for (uint32_t i = 0; i < shown; i++) {
        const struct agc_diag *e = &d->v[i];
        print_place(d, e->span, f);
        fprintf(f, "%s[%s]: %.*s\n", e->level == AGC_ERROR ? "error" : "warning", table[e->id].id,
                (int)e->text.n, e->text.p);
        print_line(d, e->span, f);
        if (e->second_text.p) {
            print_place(d, e->second, f);
            fprintf(f, "note: %.*s\n", (int)e->second_text.n, e->second_text.p);
            print_line(d, e->second, f);
        }
        if (e->fix.p)
            fprintf(f, "    fix: %.*s\n", (int)e->fix.n, e->fix.p);
    }
    uint32_t all = d->nerrors + d->nwarnings;
    if (all > shown)
        fprintf(f, "%u more not shown\n", all - shown);
    if (all)
        fprintf(f, "%u error%s, %u warning%s\n", d->nerrors, d->nerrors == 1 ? "" : "s", d->nwarnings,
                d->nwarnings == 1 ? "" : "s");
}

static void
put_json(FILE *f, struct ag_str s)
{
    char mem[TEXT_MAX * 6 + 2];
    struct ag_buf b;
    ag_buf_init(&b, mem, sizeof mem);
    if (s.n > TEXT_MAX)
        s.n = TEXT_MAX;
    if (!ag_utf8_valid(s.p, s.n))
        s = AG_STR("(not UTF-8)");
    ag_buf_json_str(&b, s);
    fwrite(b.p, 1, b.n, f);
}

static void
put_json_place(const struct agc_diags *d, struct agc_span span, FILE *f)
{
    uint32_t line, column;
    agc_source_place(d->sources, span, &line, &column);
    fputs("\"file\":", f);
    put_json(f, source_name(d, span));
    fprintf(f, ",\"line\":%u,\"column\":%u,\"begin\":%u,\"end\":%u", line, column, span.begin, span.end);
}

static void
print_json(const struct agc_diags *d, FILE *f)
{
    fputs("{\"diagnostics\":[", f);
    for (uint32_t i = 0; i < d->n; i++) {
        const struct agc_diag *e = &d->v[i];
        fprintf(f, "%s\n{\"id\":\"%s\",\"level\":\"%s\",", i ? "," : "", table[e->id].id,
                e->level == AGC_ERROR ? "error" : "warning");
        put_json_place(d, e->span, f);
        fputs(",\"message\":", f);
        put_json(f, e->text);
        if (e->second_text.p) {
            fputs(",\"related\":{", f);
            put_json_place(d, e->second, f);
            fputs(",\"message\":", f);
            put_json(f, e->second_text);
            fputs("}", f);
        }
        if (e->fix.p) {
            fputs(",\"fix\":", f);
            put_json(f, e->fix);
        }
        fputs("}", f);
    }
    fprintf(f, "\n],\"errors\":%u,\"warnings\":%u}\n", d->nerrors, d->nwarnings);
}

// columnKind is unicodeCodePoints: SARIF counts characters where our text form counts bytes.
static void
put_sarif_place(const struct agc_diags *d, struct agc_span span, FILE *f)
{
    uint32_t line, column;
    agc_source_place(d->sources, span, &line, &column);
    struct ag_str text = agc_source_line(d->sources, span.source, line);
    if (text.n > column - 1)
        text.n = column - 1;
    fputs("{\"physicalLocation\":{\"artifactLocation\":{\"uri\":", f);
    put_json(f, source_name(d, span));
    fprintf(f, "},\"region\":{\"startLine\":%u,\"startColumn\":%zu,\"byteOffset\":%u,\"byteLength\":%u}}",
            line, code_points(text) + 1, span.begin, span.end > span.begin ? span.end - span.begin : 0);
}

static void
print_sarif(const struct agc_diags *d, FILE *f)
{
    fputs("{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"version\":\"2.1.0\",\"runs\":[{"
          "\"tool\":{\"driver\":{\"name\":\"aegisc\",\"version\":\"" AEGIS_VERSION "\",\"rules\":[",
          f);
    for (int i = 0; i < AGC_DIAG_COUNT; i++) {
        fprintf(f, "%s\n{\"id\":\"%s\",\"shortDescription\":{\"text\":", i ? "," : "", table[i].id);
        put_json(f, ag_str_z(table[i].summary));
        fputs("},\"help\":{\"text\":", f);
        put_json(f, ag_str_z(table[i].help));
        fprintf(f, "},\"defaultConfiguration\":{\"level\":\"%s\"}}",
                table[i].level == AGC_ERROR ? "error" : "warning");
    }
    fputs("]}},\"columnKind\":\"unicodeCodePoints\",\"results\":[", f);
    for (uint32_t i = 0; i < d->n; i++) {
        const struct agc_diag *e = &d->v[i];
        fprintf(f, "%s\n{\"ruleId\":\"%s\",\"ruleIndex\":%d,\"level\":\"%s\",\"message\":{\"text\":",
                i ? "," : "", table[e->id].id, (int)e->id, e->level == AGC_ERROR ? "error" : "warning");
        put_json(f, e->text);
        fputs("},\"locations\":[", f);
        put_sarif_place(d, e->span, f);
        fputs("}]", f);
        if (e->second_text.p) {
            fputs(",\"relatedLocations\":[", f);
            put_sarif_place(d, e->second, f);
            fputs(",\"message\":{\"text\":", f);
            put_json(f, e->second_text);
            fputs("}}]", f);
        }
        fputs("}", f);
    }
    fputs("\n]}]}\n", f);
}

void
agc_diags_print(struct agc_diags *d, enum agc_diag_format format_, FILE *f)
{
    if (d->n > 1)
        qsort(d->v, d->n, sizeof *d->v, compare);
    if (format_ == AGC_JSON)
        print_json(d, f);
    else if (format_ == AGC_SARIF)
        print_sarif(d, f);
    else
        print_text(d, f);
}

// Optimal string alignment distance; words longer than the row are not compared.
static unsigned
distance(struct ag_str a, struct ag_str b)
{
    enum { MAX = 48 };
    if (a.n > MAX || b.n > MAX)
        return MAX;
    uint8_t row[3][MAX + 1];
    for (size_t j = 0; j <= b.n; j++)
        row[0][j] = (uint8_t)j;
    for (size_t i = 1; i <= a.n; i++) {
        uint8_t *now = row[i % 3], *up = row[(i + 2) % 3], *up2 = row[(i + 1) % 3];
        now[0] = (uint8_t)i;
        for (size_t j = 1; j <= b.n; j++) {
            unsigned best = up[j - 1] + (a.p[i - 1] != b.p[j - 1] ? 1u : 0u);
            if (up[j] + 1u < best)
                best = up[j] + 1u;
            if (now[j - 1] + 1u < best)
                best = now[j - 1] + 1u;
            if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1] &&
                up2[j - 2] + 1u < best)
                best = up2[j - 2] + 1u;
            now[j] = (uint8_t)best;
        }
    }
    return row[a.n % 3][b.n];
}

const char *
agc_nearest(struct ag_str got, const char *const *words, size_t nwords)
{
    const char *best = NULL;
    unsigned best_d = 4;
    for (size_t i = 0; i < nwords; i++) {
        struct ag_str w = ag_str_z(words[i]);
        size_t longer = w.n > got.n ? w.n : got.n;
        unsigned dist = distance(got, w);
        if (dist < best_d && dist * 3 <= longer) {
            best = words[i];
            best_d = dist;
        }
    }
    return best;
}
