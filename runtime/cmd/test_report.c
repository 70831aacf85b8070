// SPDX-License-Identifier: Apache-2.0
// Prints the results of test tables. In: results. Out: text, TAP, JSON or JUnit XML on a FILE. Next file to
// read: test.c.
#include "test.h"

#include <stdlib.h>

bool
agr_test_format(const char *word, enum agr_test_format *ret)
{
    static const struct {
        const char *word;
        enum agr_test_format format;
    } words[] = {{"text", AGR_TEST_TEXT},
                 {"pretty", AGR_TEST_TEXT},
                 {"tap", AGR_TEST_TAP},
                 {"json", AGR_TEST_JSON},
                 {"junit", AGR_TEST_JUNIT}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(word, words[i].word) == 0) {
            *ret = words[i].format;
            return true;
        }
    return false;
}

static void
free_result(struct agr_result *c)
{
    free(c->file);
    free(c->name);
    free(c->why);
    free(c->package);
    free(c->cases);
}

bool
agr_results_add(struct agr_results *r, const struct agr_result *c)
{
    struct agr_result mine = *c;
    if (r->n == r->size) {
        size_t size = r->size ? r->size * 2 : 256;
        struct agr_result *more = r->n < AGR_CASES_MAX ? realloc(r->list, size * sizeof *more) : NULL;
        if (!more) {
            free_result(&mine);
            return false;
        }
        r->list = more;
        r->size = size;
    }
    r->list[r->n++] = mine;
    r->failed += mine.outcome == AGR_TEST_FAILED || mine.outcome == AGR_TEST_ERROR;
    r->skipped += mine.outcome == AGR_TEST_SKIPPED;
    return true;
}

static const char *
word_of(enum agr_test_outcome outcome)
{
    static const char *const words[] = {"PASS", "FAIL", "ERROR", "SKIPPED"};
    return words[outcome];
}

// A time as people read it.
static void
print_time(FILE *f, int64_t ns)
{
    if (ns < 1000000)
        fprintf(f, "%.1fµs", (double)ns / 1e3);
    else if (ns < 1000000000)
        fprintf(f, "%.2fms", (double)ns / 1e6);
    else
        fprintf(f, "%.2fs", (double)ns / 1e9);
}

static void
print_outcome(const struct agr_result *c, bool has_colour, FILE *f)
{
    static const char *const colours[] = {"\033[32m", "\033[31m", "\033[31m", "\033[33m"};
    fprintf(f, "%s%s%s", has_colour ? colours[c->outcome] : "", word_of(c->outcome),
            has_colour ? "\033[0m" : "");
}

static void
print_rule(const struct agr_result *c, bool has_colour, FILE *f)
{
    fprintf(f, "%s:%u:\n%s.%s: ", c->file, c->line, c->package, c->name);
    print_outcome(c, has_colour, f);
    if (c->outcome != AGR_TEST_SKIPPED) {
        fputs(" (", f);
        print_time(f, c->ns);
        fputc(')', f);
    }
    fprintf(f, "\n%s", c->cases ? c->cases : "");
    if (c->why)
        fprintf(f, "  %s\n", c->why);
}

static void
print_case(const struct agr_result *c, bool has_colour, FILE *f)
{
    print_outcome(c, has_colour, f);
    fprintf(f, " %s: %s\n", c->file, c->name);
    if (c->why)
        fprintf(f, "     %s\n", c->why);
}

static void
print_share(FILE *f, const char *word, size_t n, size_t all)
{
    if (n)
        fprintf(f, "%s: %zu/%zu\n", word, n, all);
}

static void
print_text(const struct agr_results *r, const struct agr_test *o, FILE *f)
{
    bool has_colour = agr_has_colour(f), has_rules = false;
    size_t errors = 0;
    for (size_t i = 0; i < r->n; i++) {
        const struct agr_result *c = &r->list[i];
        has_rules = has_rules || c->package;
        errors += c->outcome == AGR_TEST_ERROR;
        if (c->outcome == AGR_TEST_PASSED && !o->is_verbose)
            continue;
        if (c->package)
            print_rule(c, has_colour, f);
        else
            print_case(c, has_colour, f);
    }
    if (!has_rules) {
        fprintf(f, "%zu passed, %zu failed\n", r->n - r->failed, r->failed);
        return;
    }
    if (r->failed || r->skipped || o->is_verbose)
        fprintf(f, "--------------------------------------------------------------------------------\n");
    print_share(f, "PASS", r->n - r->failed - r->skipped, r->n);
    print_share(f, "FAIL", r->failed - errors, r->n);
    print_share(f, "ERROR", errors, r->n);
    print_share(f, "SKIPPED", r->skipped, r->n);
}

// A '#' in a name would start a TAP directive.
static void
print_tap_name(FILE *f, const char *s)
{
    for (; *s; s++) {
        if (*s == '#')
            fputc('\\', f);
        fputc(*s == '\n' ? ' ' : *s, f);
    }
}

static void
print_tap(const struct agr_results *r, FILE *f)
{
    fprintf(f, "TAP version 13\n1..%zu\n", r->n);
    for (size_t i = 0; i < r->n; i++) {
        fprintf(f, "%s %zu - ", r->list[i].why ? "not ok" : "ok", i + 1);
        if (r->list[i].package)
            fprintf(f, "%s.", r->list[i].package);
        print_tap_name(f, r->list[i].name);
        if (r->list[i].outcome == AGR_TEST_SKIPPED)
            fputs(" # SKIP todo", f);
        if (r->list[i].why)
            fprintf(f, "\n# %s: %s", r->list[i].file, r->list[i].why);
        fputc('\n', f);
    }
}

// What other Rego tools say of a test.
static void
print_json_rule(const struct agr_result *c, FILE *f)
{
    fputs(",\"package\":", f);
    agr_print_json_str(f, ag_str_z(c->package));
    fputs(",\"location\":{\"file\":", f);
    agr_print_json_str(f, ag_str_z(c->file));
    fprintf(f, ",\"row\":%u,\"col\":%u},\"duration\":%lld", c->line, c->column, (long long)c->ns);
    static const char *const words[] = {"", ",\"fail\":true", ",\"error\":true", ",\"skip\":true"};
    fputs(words[c->outcome], f);
    if (!c->cases)
        return;
    fputs(",\"sub_results\":{", f);
    for (const char *line = c->cases; *line; line = strchr(line, '\n') + 1) {
        int n = (int)(strchr(line, '\n') - line) - 8; // "  NAME: PASS", the name escaped as JSON wants it
        fprintf(f, "%s\"%.*s\":{\"name\":\"%.*s\"%s}", line == c->cases ? "" : ",", n, line + 2, n, line + 2,
                line[n + 4] == 'F' ? ",\"fail\":true" : "");
    }
    fputc('}', f);
}

static void
print_json(const struct agr_results *r, bool has_coverage, FILE *f)
{
    fprintf(f, "{\"passed\":%zu,\"failed\":%zu,", r->n - r->failed - r->skipped, r->failed);
    if (r->skipped)
        fprintf(f, "\"skipped\":%zu,", r->skipped);
    fputs("\"cases\":[", f);
    for (size_t i = 0; i < r->n; i++) {
        fprintf(f, "%s\n {\"file\":", i ? "," : "");
        agr_print_json_str(f, ag_str_z(r->list[i].file));
        fprintf(f, ",\"name\":");
        agr_print_json_str(f, ag_str_z(r->list[i].name));
        fprintf(f, ",\"ok\":%s", r->list[i].why ? "false" : "true");
        if (r->list[i].why) {
            fprintf(f, ",\"why\":");
            agr_print_json_str(f, ag_str_z(r->list[i].why));
        }
        if (r->list[i].package)
            print_json_rule(&r->list[i], f);
        fputc('}', f);
    }
    fputc(']', f);
    if (has_coverage && r->nmodules) {
        fputc(',', f);
        agr_coverage_json(&r->coverage, f);
    }
    if (has_coverage && (r->nrules || !r->nmodules)) {
        fputs(r->nmodules ? ",\"rules\":[" : ",\"coverage\":[", f);
        for (size_t i = 0; i < r->nrules; i++) {
            fprintf(f, "%s\n {\"policy\":", i ? "," : "");
            agr_print_json_str(f, ag_str_z(r->rules[i].policy));
            fprintf(f, ",\"rule\":");
            agr_print_json_str(f, ag_str_z(r->rules[i].rule));
            fprintf(f, ",\"decided\":%u}", r->rules[i].n);
        }
        fputc(']', f);
    }
    fprintf(f, "}\n");
}

static void
print_xml(FILE *f, const char *s)
{
    for (; *s; s++) {
        if (*s == '&')
            fputs("&amp;", f);
        else if (*s == '<')
            fputs("&lt;", f);
        else if (*s == '>')
            fputs("&gt;", f);
        else if (*s == '"')
            fputs("&quot;", f);
        else if ((unsigned char)*s < 0x20) // not a character of XML 1.0, or folded in attributes
            fputc(' ', f);
        else
            fputc(*s, f);
    }
}

static void
print_junit(const struct agr_results *r, FILE *f)
{
    fprintf(f, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"%zu\" failures=\"%zu\">\n",
            r->n, r->failed);
    for (size_t i = 0; i < r->n;) {
        size_t end = i, failed = 0;
        for (; end < r->n && strcmp(r->list[end].file, r->list[i].file) == 0; end++)
            failed += r->list[end].why != NULL;
        fprintf(f, "  <testsuite name=\"");
        print_xml(f, r->list[i].file);
        fprintf(f, "\" tests=\"%zu\" failures=\"%zu\">\n", end - i, failed);
        for (; i < end; i++) {
            fprintf(f, "    <testcase classname=\"");
            print_xml(f, r->list[i].file);
            fprintf(f, "\" name=\"");
            print_xml(f, r->list[i].name);
            if (r->list[i].outcome == AGR_TEST_SKIPPED) {
                fprintf(f, "\">\n      <skipped/>\n    </testcase>\n");
            } else if (r->list[i].why) {
                fprintf(f, "\">\n      <%s message=\"",
                        r->list[i].outcome == AGR_TEST_ERROR ? "error" : "failure");
                print_xml(f, r->list[i].why);
                fprintf(f, "\"/>\n    </testcase>\n");
            } else {
                fprintf(f, "\"/>\n");
            }
        }
        fprintf(f, "  </testsuite>\n");
    }
    fprintf(f, "</testsuites>\n");
}

static void
print_coverage(const struct agr_results *r, FILE *f)
{
    size_t covered = 0;
    if (r->nmodules)
        agr_coverage_text(&r->coverage, f);
    if (r->nmodules && !r->nrules)
        return;
    for (size_t i = 0; i < r->nrules; i++)
        covered += r->rules[i].n > 0;
    fprintf(f, "coverage: %zu of %zu rules decided a case\n", covered, r->nrules);
    for (size_t i = 0; i < r->nrules; i++)
        if (!r->rules[i].n)
            fprintf(f, "  never decided: %s: %s\n", r->rules[i].policy, r->rules[i].rule);
}

void
agr_results_print(const struct agr_results *r, const struct agr_test *o, FILE *f)
{
    bool has_coverage = o->has_coverage;
    switch (o->format) {
    case AGR_TEST_TEXT: print_text(r, o, f); break;
    case AGR_TEST_TAP: print_tap(r, f); break;
    case AGR_TEST_JSON: print_json(r, has_coverage, f); break;
    case AGR_TEST_JUNIT: print_junit(r, f); break;
    }
    if (has_coverage && o->format != AGR_TEST_JSON)
        print_coverage(r, o->format == AGR_TEST_TEXT ? f : stderr); // the other forms have readers
}

void
agr_results_free(struct agr_results *r)
{
    for (size_t i = 0; i < r->n; i++)
        free_result(&r->list[i]);
    for (size_t i = 0; i < r->nrules; i++) {
        free(r->rules[i].policy);
        free(r->rules[i].rule);
    }
    agr_coverage_free(&r->coverage);
    free(r->list);
    free(r->rules);
}
