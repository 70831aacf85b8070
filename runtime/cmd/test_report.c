// SPDX-License-Identifier: Apache-2.0
// Prints the results of test tables. In: results. Out: text, TAP, JSON or JUnit XML on a FILE. Next file to
// read: test.c.
#include "test.h"

#include <stdlib.h>

bool
agr_test_format(const char *word, enum agr_test_format *ret)
{
    static const char *const words[] = {"text", "tap", "json", "junit"};
    for (unsigned i = 0; i < 4; i++)
        if (strcmp(word, words[i]) == 0) {
            *ret = (enum agr_test_format)i;
            return true;
        }
    return false;
}

static void
print_text(const struct agr_results *r, FILE *f)
{
    bool has_colour = agr_has_colour(f);
    for (size_t i = 0; i < r->n; i++)
        if (r->list[i].why)
            fprintf(f, "%sFAIL%s %s: %s\n     %s\n", has_colour ? "\033[31m" : "",
                    has_colour ? "\033[0m" : "", r->list[i].file, r->list[i].name, r->list[i].why);
    fprintf(f, "%zu passed, %zu failed\n", r->n - r->failed, r->failed);
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
        print_tap_name(f, r->list[i].name);
        if (r->list[i].why)
            fprintf(f, "\n# %s: %s", r->list[i].file, r->list[i].why);
        fputc('\n', f);
    }
}

static void
print_json(const struct agr_results *r, bool has_coverage, FILE *f)
{
    fprintf(f, "{\"passed\":%zu,\"failed\":%zu,\"cases\":[", r->n - r->failed, r->failed);
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
        fputc('}', f);
    }
    fputc(']', f);
    if (has_coverage) {
        fprintf(f, ",\"coverage\":[");
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
            if (r->list[i].why) {
                fprintf(f, "\">\n      <failure message=\"");
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
    for (size_t i = 0; i < r->nrules; i++)
        covered += r->rules[i].n > 0;
    fprintf(f, "coverage: %zu of %zu rules decided a case\n", covered, r->nrules);
    for (size_t i = 0; i < r->nrules; i++)
        if (!r->rules[i].n)
            fprintf(f, "  never decided: %s: %s\n", r->rules[i].policy, r->rules[i].rule);
}

void
agr_results_print(const struct agr_results *r, enum agr_test_format format, bool has_coverage, FILE *f)
{
    switch (format) {
    case AGR_TEST_TEXT: print_text(r, f); break;
    case AGR_TEST_TAP: print_tap(r, f); break;
    case AGR_TEST_JSON: print_json(r, has_coverage, f); break;
    case AGR_TEST_JUNIT: print_junit(r, f); break;
    }
    if (has_coverage && format != AGR_TEST_JSON)
        print_coverage(r, format == AGR_TEST_TEXT ? f : stderr); // the other forms have readers
}

void
agr_results_free(struct agr_results *r)
{
    for (size_t i = 0; i < r->n; i++) {
        free(r->list[i].file);
        free(r->list[i].name);
        free(r->list[i].why);
    }
    for (size_t i = 0; i < r->nrules; i++) {
        free(r->rules[i].policy);
        free(r->rules[i].rule);
    }
    free(r->list);
    free(r->rules);
}
