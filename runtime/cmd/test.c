// SPDX-License-Identifier: Apache-2.0
// aegis test: tables of actions (test_table.c) and test rules of modules (test_rego.c), one report for both
// (B32). In: tables, modules, documents, directories of them. Out: a report; exit 1 when a test fails, 3 when
// something cannot be read. Next file to read: test_rego.c, test_table.c, test_report.c.
#include "test.h"

#include "sources.h"

#include <stdlib.h>
#include <sys/stat.h>

// Share of passed tests at least `percent`? Skipped ones do not count.
static bool
is_enough(const struct agr_results *r, double percent)
{
    size_t n = r->n - r->skipped;
    return (double)(n - r->failed) * 100 >= percent * (double)n;
}

static bool
is_table(const char *path)
{
    struct stat st;
    size_t n = strlen(path);
    bool is_yaml =
        (n > 5 && strcmp(path + n - 5, ".yaml") == 0) || (n > 4 && strcmp(path + n - 4, ".yml") == 0);
    return is_yaml && (stat(path, &st) == -1 || !S_ISDIR(st.st_mode));
}

static bool
read_arguments(const struct agr_list *args, struct agr_sources *s)
{
    s->skips_policies = true;
    for (unsigned i = 0; i < args->n; i++)
        if (is_table(args->v[i]) ? !agr_texts_add(&s->tables, args->v[i]) : !agr_sources_add(s, args->v[i]))
            return false;
    return true;
}

static int
run_all(const struct agr_list *args, const struct agr_test *o)
{
    struct agr_results results = {0};
    struct agr_sources sources = {0};
    int code = AGR_EXIT_UNAVAILABLE;
    bool ok = read_arguments(args, &sources), is_covered = o->has_coverage && sources.modules.n;
    if (ok && sources.modules.n)
        ok = agr_test_modules(&sources, o, &results, &code);
    for (size_t i = 0; i < sources.tables.n && ok; i++)
        ok = agr_test_table(sources.tables.v[i], o->only, &results, &code);
    if (ok && o->html)
        ok = agr_coverage_html(&results.coverage, o->html);
    if (ok) {
        agr_results_print(&results, o, stdout);
        code = AGR_EXIT_OK;
        if (results.n == 0)
            code = agr_die(AGR_EXIT_DENIED, "test: no case was run: neither a test_ rule nor a table");
        else if (!is_enough(&results, is_covered ? 100 : o->fail_under))
            code = AGR_EXIT_DENIED;
        else if (is_covered && o->has_threshold && agr_coverage_percent(&results.coverage) < o->fail_under)
            code = agr_die(AGR_EXIT_DENIED, "test: %.2f%% of the lines are covered, %.2f%% are wanted",
                           agr_coverage_percent(&results.coverage), o->fail_under);
    }
    agr_results_free(&results);
    agr_sources_free(&sources);
    return code;
}

static bool
read_percent(const char *word, double *ret)
{
    char *end;
    *ret = strtod(word, &end);
    return *word && !*end && *ret >= 0 && *ret <= 100;
}

int
cmd_test(int argc, char **argv)
{
    const char *format_word = "text", *pattern = NULL, *fail_under = NULL, *threshold = NULL;
    struct agr_test o = {.fail_under = 100, .timeout_s = AGR_TEST_SECONDS};
    int is_json = 0, code;
    regex_t only;
    struct agr_list args = {0};
    const struct agr_opt opts[] = {
        {"run", 'r', AGR_OPT_STR, &pattern, "REGEX", "only tests whose name has a match (POSIX extended)"},
        {"verbose", 'v', AGR_OPT_FLAG, &o.is_verbose, NULL, "print tests that pass, too"},
        {"format", 'f', AGR_OPT_STR, &format_word, "FORM", "text (default; also pretty), tap, json or junit"},
        {"json", 0, AGR_OPT_FLAG, &is_json, NULL, "the same as --format=json"},
        {"fail-under", 0, AGR_OPT_STR, &fail_under, "PERCENT", "share of tests that must pass (default 100)"},
        {"threshold", 0, AGR_OPT_STR, &threshold, "PERCENT", "the same as --fail-under"},
        {"timeout", 0, AGR_OPT_INT, &o.timeout_s, "SECONDS", "time of one test rule (default 5, 0: no end)"},
        {"coverage", 'c', AGR_OPT_FLAG, &o.has_coverage, NULL,
         "say which lines and rules no test reached; --fail-under then is about lines of modules"},
        {"html", 0, AGR_OPT_STR, &o.html, "FILE", "with --coverage: write a page with the sources"},
        {NULL, 0, AGR_OPT_FLAG, NULL, NULL, NULL}};
    if (!agr_args(argc, argv, opts, &args, &code))
        return code;
    if (!agr_test_format(is_json ? "json" : format_word, &o.format))
        return agr_die(AGR_EXIT_HELD, "test: --format is text, tap, json or junit, not \"%s\"", format_word);
    if (args.n == 0)
        return agr_die(AGR_EXIT_HELD, "test: give one or more tables, modules or directories");
    fail_under = fail_under ? fail_under : threshold;
    if (fail_under && !read_percent(fail_under, &o.fail_under))
        return agr_die(AGR_EXIT_HELD, "test: --fail-under is 0 to 100");
    o.has_threshold = fail_under != NULL;
    o.has_coverage = o.has_coverage || o.html;
    if (o.timeout_s < 0)
        return agr_die(AGR_EXIT_HELD, "test: --timeout is 0 or more seconds");
    if (pattern && regcomp(&only, pattern, REG_EXTENDED | REG_NOSUB) != 0)
        return agr_die(AGR_EXIT_HELD, "test: \"%s\" is no regular expression", pattern);
    o.only = pattern ? &only : NULL;
    code = run_all(&args, &o);
    if (pattern)
        regfree(&only);
    return code;
}
