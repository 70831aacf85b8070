// SPDX-License-Identifier: Apache-2.0
// Sources and diagnostics: places, order, the 20 that are shown, levels, carets, JSON, SARIF, nearest words.
#include "t.h"

#include "compiler/diag.h"

static struct agc_arena arena;
static struct agc_sources sources;
static struct agc_diags diags;

static void
fresh(const char *text)
{
    agc_arena_fini(&arena);
    sources = (struct agc_sources){0};
    agc_diags_init(&diags, &arena, &sources);
    agc_source_add(&arena, &sources, AG_STR("f.yaml"), ag_str_z(text));
}

static const char *
print(enum agc_diag_format format)
{
    static char out[1 << 17];
    FILE *f = fmemopen(out, sizeof out, "w");
    agc_diags_print(&diags, format, f);
    fclose(f);
    return out;
}

static struct agc_span
at(uint32_t begin, uint32_t end)
{
    return (struct agc_span){0, begin, end};
}

static void
test_source(void)
{
    static const struct {
        uint32_t byte, line, column;
    } places[] = {{0, 1, 1}, {2, 1, 3}, {3, 2, 1}, {4, 3, 1}, {7, 3, 4}, {99, 3, 4}};
    fresh("ab\n\nxyz");
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        uint32_t line, column;
        agc_source_place(&sources, at(places[i].byte, places[i].byte), &line, &column);
        OK(line == places[i].line && column == places[i].column, "byte %u is %u:%u", places[i].byte, line,
           column);
    }
    OK(ag_str_is(agc_source_line(&sources, 0, 3), "xyz") && agc_source_line(&sources, 0, 2).n == 0 &&
           agc_source_line(&sources, 0, 4).n == 0 && agc_source_line(&sources, 0, 0).n == 0,
       "lines");
    fresh("a\r\nb\r\n");
    OK(ag_str_is(agc_source_line(&sources, 0, 1), "a"), "a line has no carriage return");
}

static void
test_text(void)
{
    fresh("name: \xc3\xa9t\xc3\xa9 rol\nx: 1\n");
    struct agc_diag *d = agc_diag(&diags, AGC_D_UNKNOWN_NAME, at(12, 15), "unknown name \"%s\"", "rol");
    agc_diag_second(&diags, d, at(16, 17), "second");
    agc_diag_fix(&diags, d, "write role");
    agc_diag(&diags, AGC_D_EMPTY_WINDOW, at(0, 4), "first by place");
    OK(strcmp(print(AGC_TEXT), "f.yaml:1:1: warning[empty-window]: first by place\n"
                               "    name: \xc3\xa9t\xc3\xa9 rol\n"
                               "    ^~~~\n"
                               "f.yaml:1:13: error[unknown-name]: unknown name \"rol\"\n"
                               "    name: \xc3\xa9t\xc3\xa9 rol\n"
                               "              ^~~\n"
                               "f.yaml:2:1: note: second\n"
                               "    x: 1\n"
                               "    ^\n"
                               "    fix: write role\n"
                               "1 error, 1 warning\n") == 0,
       "text with caret, second place and fix");
    OK(strstr(print(AGC_JSON),
              "\"id\":\"unknown-name\",\"level\":\"error\",\"file\":\"f.yaml\",\"line\":1,\"column\":13"),
       "JSON");
    const char *s = print(AGC_SARIF);
    OK(strstr(s, "\"version\":\"2.1.0\"") && strstr(s, "\"ruleId\":\"unknown-name\"") &&
           strstr(s, "\"startColumn\":11"),
       "SARIF counts characters");
}

static void
test_levels(void)
{
    fresh("x\n");
    OK(agc_diags_option(&diags, "error=window-gap") && agc_diags_option(&diags, "no-empty-window") &&
           !agc_diags_option(&diags, "no-such") && !agc_diags_option(&diags, "no-syntax"),
       "options: errors cannot be switched off");
    agc_diag(&diags, AGC_D_EMPTY_WINDOW, at(0, 1), "off");
    agc_diag(&diags, AGC_D_WINDOW_GAP, at(0, 1), "now an error");
    OK(diags.n == 1 && diags.nerrors == 1 && agc_diags_failed(&diags), "levels");
    fresh("x\n");
    agc_diags_option(&diags, "error");
    agc_diag(&diags, AGC_D_SHADOWED_FOR, at(0, 1), "w");
    OK(diags.nerrors == 1, "-Werror");
}

static void
test_many(void)
{
    fresh("x\n");
    for (uint32_t i = 0; i < AGC_DIAG_KEEP_MAX + 1; i++)
        agc_diag(&diags, AGC_D_SYNTAX, at(0, 1), "e%u", i);
    const char *s = print(AGC_TEXT);
    OK(diags.n == AGC_DIAG_KEEP_MAX && diags.nerrors == AGC_DIAG_KEEP_MAX + 1, "kept and counted");
    OK(strstr(s, "e19\n") && !strstr(s, "e20\n") && strstr(s, "981 more not shown\n"), "twenty are shown");
    fresh("x\n");
    char big[5000];
    memset(big, 'a', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    struct agc_diag *d = agc_diag(&diags, AGC_D_SYNTAX, at(0, 1), "%s", big);
    OK(d->text.n < 2001 && memcmp(d->text.p + d->text.n - 3, "...", 3) == 0, "a long message is cut");
    fresh("a\x1b[31m\n");
    agc_diag(&diags, AGC_D_SYNTAX, at(0, 1), "m");
    OK(!strchr(print(AGC_TEXT), 0x1b), "a source cannot write escapes to the terminal");
}

static void
test_nearest(void)
{
    static const char *const words[] = {"approval", "risk_level", "name", "match"};
    OK(strcmp(agc_nearest(AG_STR("aproval"), words, 4), "approval") == 0 &&
           strcmp(agc_nearest(AG_STR("nmae"), words, 4), "name") == 0 &&
           !agc_nearest(AG_STR("xyz"), words, 4) && !agc_nearest(AG_STR(""), words, 4),
       "nearest word");
}

int
main(void)
{
    test_source();
    test_text();
    test_levels();
    test_many();
    test_nearest();
    agc_arena_fini(&arena);
    return t_done();
}
