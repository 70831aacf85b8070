// SPDX-License-Identifier: Apache-2.0
// Coverage of modules: a line is covered when a definition that begins on it has succeeded or a literal on it
// has run. In: executed instructions. Out: text, JSON in the form of other Rego tools, HTML. Memory:
// malloc'd. Next file to read: runtime/host/coverage.c.
#include "test_coverage.h"

#include <errno.h>
#include <stdlib.h>

#define SOURCE_MAX (64u << 20) // bytes of a source in the page

static struct agr_file_coverage *
file_of(struct agr_coverage *c, struct aegis_str name)
{
    struct agr_file_coverage *last = c->n ? &c->file[c->n - 1] : NULL;
    if (last && strlen(last->name) == name.n && memcmp(last->name, name.p, name.n) == 0)
        return last;
    if (c->n == c->size) {
        size_t size = c->size ? 2 * c->size : 16;
        struct agr_file_coverage *more = realloc(c->file, size * sizeof *more);
        if (!more)
            return NULL;
        c->file = more;
        c->size = size;
    }
    c->file[c->n] = (struct agr_file_coverage){.name = strndup(name.p, name.n)};
    return c->file[c->n].name ? &c->file[c->n++] : NULL;
}

static bool
add_line(struct agr_file_coverage *f, uint32_t line, bool is_hit)
{
    if (f->n && f->line[f->n - 1].line == line) {
        f->line[f->n - 1].is_hit |= is_hit;
        return true;
    }
    if (f->n == f->size) {
        size_t size = f->size ? 2 * f->size : 64;
        struct agr_line *more = realloc(f->line, size * sizeof *more);
        if (!more)
            return false;
        f->line = more;
        f->size = size;
    }
    f->line[f->n++] = (struct agr_line){line, is_hit};
    return true;
}

static void
on_place(void *arg, const struct aegis_place *p)
{
    struct agr_coverage *c = arg;
    struct agr_file_coverage *f = c->has_failed ? NULL : file_of(c, p->source);
    c->has_failed = !f || !add_line(f, p->line, p->is_hit != 0);
    c->rules += p->is_rule;
    c->rules_hit += p->is_rule && p->is_hit;
}

bool
agr_coverage_read(struct agr_coverage *c, const struct aegis_policy *p, const uint8_t *hit)
{
    if (aegis_policy_coverage(p, hit, on_place, c) != AEGIS_OK || c->has_failed)
        return false;
    for (size_t i = 0; i < c->n; i++) {
        for (size_t k = 0; k < c->file[i].n; k++)
            c->file[i].hit += c->file[i].line[k].is_hit;
        c->lines += c->file[i].n;
        c->lines_hit += c->file[i].hit;
    }
    return true;
}

void
agr_coverage_free(struct agr_coverage *c)
{
    for (size_t i = 0; i < c->n; i++) {
        free(c->file[i].name);
        free(c->file[i].line);
    }
    free(c->file);
    memset(c, 0, sizeof *c);
}

static double
percent(size_t hit, size_t n)
{
    return n ? 100.0 * (double)hit / (double)n : 100.0;
}

double
agr_coverage_percent(const struct agr_coverage *c)
{
    return percent(c->lines_hit, c->lines);
}

// The end of the run of lines from `i` on that follow each other and are all hit, or all not.
static size_t
run_end(const struct agr_file_coverage *f, size_t i)
{
    size_t end = i + 1;
    while (end < f->n && f->line[end].is_hit == f->line[i].is_hit &&
           f->line[end].line == f->line[end - 1].line + 1)
        end++;
    return end;
}

void
agr_coverage_text(const struct agr_coverage *c, FILE *f)
{
    fprintf(f, "coverage: %.1f%% of lines (%zu of %zu), %zu of %zu rules\n", agr_coverage_percent(c),
            c->lines_hit, c->lines, c->rules_hit, c->rules);
    for (size_t i = 0; i < c->n; i++) {
        const struct agr_file_coverage *file = &c->file[i];
        const char *before = "; not covered: ";
        fprintf(f, "  %s: %.1f%%", file->name, percent(file->hit, file->n));
        for (size_t k = 0, end; k < file->n; k = end) {
            end = run_end(file, k);
            if (file->line[k].is_hit)
                continue;
            fprintf(f, "%s%u", before, file->line[k].line);
            if (end > k + 1)
                fprintf(f, "-%u", file->line[end - 1].line);
            before = ", ";
        }
        fputc('\n', f);
    }
}

static void
print_ranges(const struct agr_file_coverage *file, bool is_hit, FILE *f)
{
    bool has_one = false;
    for (size_t k = 0, end; k < file->n; k = end) {
        end = run_end(file, k);
        if (file->line[k].is_hit != is_hit)
            continue;
        fprintf(f, "%s{\"start\":{\"row\":%u},\"end\":{\"row\":%u}}", has_one ? "," : "", file->line[k].line,
                file->line[end - 1].line);
        has_one = true;
    }
}

void
agr_coverage_json(const struct agr_coverage *c, FILE *f)
{
    fputs("\"files\":{", f);
    for (size_t i = 0; i < c->n; i++) {
        const struct agr_file_coverage *file = &c->file[i];
        fputs(i ? ",\n " : "\n ", f);
        agr_print_json_str(f, ag_str_z(file->name));
        fputs(":{\"covered\":[", f);
        print_ranges(file, true, f);
        fputs("],\"not_covered\":[", f);
        print_ranges(file, false, f);
        fprintf(f, "],\"covered_lines\":%zu,\"not_covered_lines\":%zu,\"coverage\":%.2f}", file->hit,
                file->n - file->hit, percent(file->hit, file->n));
    }
    fprintf(f, "},\"covered_lines\":%zu,\"not_covered_lines\":%zu,\"coverage\":%.2f", c->lines_hit,
            c->lines - c->lines_hit, agr_coverage_percent(c));
}

// --- the page
static void
put_html(FILE *f, char c)
{
    switch (c) {
    case '&': fputs("&amp;", f); break;
    case '<': fputs("&lt;", f); break;
    case '>': fputs("&gt;", f); break;
    case '"': fputs("&quot;", f); break;
    default: fputc(c, f);
    }
}

static void
put_html_text(FILE *f, const char *s)
{
    for (; *s; s++)
        put_html(f, *s);
}

static void
print_source(const struct agr_file_coverage *file, const char *text, FILE *f)
{
    size_t k = 0;
    uint32_t line = 1;
    while (*text) {
        while (k < file->n && file->line[k].line < line)
            k++;
        bool is_known = k < file->n && file->line[k].line == line;
        fprintf(f, "<span class=\"%s\"><i>%5u</i> ",
                !is_known              ? "n"
                : file->line[k].is_hit ? "y"
                                       : "x",
                line);
        while (*text && *text != '\n')
            put_html(f, *text++);
        fputs("</span>\n", f);
        text += *text == '\n';
        line++;
    }
}

static bool
print_file(const struct agr_file_coverage *file, FILE *f)
{
    size_t n;
    char *text = agr_read_file(file->name, SOURCE_MAX, &n);
    if (!text)
        return false;
    fputs("<h2>", f);
    put_html_text(f, file->name);
    fprintf(f, " %.1f%%</h2>\n<pre>", percent(file->hit, file->n));
    print_source(file, text, f);
    fputs("</pre>\n", f);
    free(text);
    return true;
}

bool
agr_coverage_html(const struct agr_coverage *c, const char *path)
{
    FILE *f = fopen(path, "we");
    bool ok = f != NULL;
    if (f) {
        fprintf(f,
                "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Coverage</title>\n"
                "<style>body{font-family:sans-serif}pre{line-height:1.35}i{color:#888;font-style:normal}"
                ".y{background:#dfd}.x{background:#fdd}</style></head><body>\n"
                "<h1>Coverage: %.1f%% of lines, %zu of %zu rules</h1>\n",
                agr_coverage_percent(c), c->rules_hit, c->rules);
        for (size_t i = 0; i < c->n && ok; i++)
            ok = print_file(&c->file[i], f);
        fputs("</body></html>\n", f);
        bool is_written = !ferror(f);
        is_written = fclose(f) == 0 && is_written;
        if (ok && is_written)
            return true;
    }
    agr_die(0, "test: cannot write %s: %s", path, strerror(errno));
    return false;
}
