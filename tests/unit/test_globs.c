// SPDX-License-Identifier: Apache-2.0
// glob.match, glob.quote_meta, regex.globs_match: delimiters, quoting, what two globs have in common.
#include "builtin_call.h"

// clang-format off
static const struct bc_case cases[] = {
    {"glob.match", "[\"*.github.com\", [], \"api.github.com\"]", "true"},
    {"glob.match", "[\"*.github.com\", [], \"api.cdn.github.com\"]", "false"},
    {"glob.match", "[\"*hub*\", null, \"api.github.com\"]", "true"},
    {"glob.match", "[\"*:*\", [\":\"], \"a:b\"]", "true"},
    {"glob.match", "[\"a:**:c\", [\":\"], \"a:b:b:c\"]", "true"},
    {"glob.match", "[\"{a,b*}-?\", [\"-\"], \"bcd-x\"]", "true"},
    {"glob.match", "[\"[a-c]x\", [], \"bx\"]", "true"},
    {"glob.match", "[\"[!a-c]x\", [], \"bx\"]", "false"},
    {"glob.match", "[\"a\", [\"ab\"], \"a\"]", "eval_type_error: glob.match: operand 2 must be array of runes but got array containing string"},
    {"glob.match", "[\"a\", [1], \"a\"]", "eval_type_error: glob.match: operand 2 must be array of strings but got array containing number"},
    {"glob.match", "[\"a\", [\"\"], \"a\"]", "eval_type_error: glob.match: operand 2 must be array of runes but got array containing string"},
    {"glob.match", "[\"a\", \".\", \"a\"]", "eval_type_error: glob.match: operand 2 must be one of {array, null} but got string"},
    {"glob.quote_meta", "[\"*.domain.com\"]", "\"\\\\*.domain.com\""},
    {"glob.quote_meta", "[\"a{b}[c]?\\\\\"]", "\"a\\\\{b\\\\}\\\\[c\\\\]\\\\?\\\\\\\\\""},
    {"glob.quote_meta", "[\"plain-,!\"]", "\"plain-,!\""},
    {"regex.globs_match", "[\"a.a.[0-9]+z\", \"a.b.5z\"]", "false"},
    {"regex.globs_match", "[\"[a-c]+\", \"[d-f]+\"]", "false"},
    {"regex.globs_match", "[\".*\", \".+\"]", "true"},
    {"regex.globs_match", "[\"a+b*\", \"a\"]", "false"},
    {"regex.globs_match", "[\"\", \"\"]", "true"},
    {"regex.globs_match", "[\"pqrs]\", \"a\"]", "eval_builtin_error: regex.globs_match: input:pqrs], pos:5, set-close ']' with no preceding '[': the input provided is invalid"},
    {"regex.globs_match", "[\"a\", \"+\"]", "eval_builtin_error: regex.globs_match: input:+, pos:1, flag '+' must be preceded by a non-flag: the input provided is invalid"},
    {"regex.globs_match", "[\"[a\", \"a\"]", "eval_builtin_error: regex.globs_match: input:[a, pos:2, found [ without matching ]: the input provided is invalid"},
    {"regex.globs_match", "[\"[-a]\", \"a\"]", "eval_builtin_error: regex.globs_match: input:[-a], pos:2, range character '-' must be preceded by a Unicode character: the input provided is invalid"},
    {"regex.globs_match", "[\"[a-\", \"a\"]", "eval_builtin_error: regex.globs_match: input:[a-, pos:3, range character '-' must be followed by a Unicode character: the input provided is invalid"},
    {"regex.globs_match", "[\"[a--]\", \"a\"]", "eval_builtin_error: regex.globs_match: input:[a--], pos:4, range character '-' cannot be followed by a special symbol: the input provided is invalid"},
    {"regex.globs_match", "[\"a\\\\\", \"a\"]", "eval_builtin_error: regex.globs_match: input:a\\, pos:1, input ends with a \\ (escape) character: the input provided is invalid"},
    {"regex.globs_match", "[\"\\\\[+\", \"[[\"]", "eval_builtin_error: regex.globs_match: input:[[, pos:2, found [ without matching ]: the input provided is invalid"},
    {"regex.globs_match", "[\"[a-cx-z]*q\", \"yyq\"]", "true"},
    {"regex.globs_match", "[\"[]\", \".\"]", "true"},
};
// clang-format on

static void
test_bounds(void)
{
    char args[2048];
    memset(args, 0, sizeof args);
    for (int n = 512; n <= 513; n++) {
        snprintf(
            args, sizeof args, "[\"%.*s\", \".*\"]", n,
            "abababababababababababababababababababababababababababababababababababababababababababababababab"
            "abababababababababababababababababababababababababababababababababababababababababababababababab"
            "abababababababababababababababababababababababababababababababababababababababababababababababab"
            "abababababababababababababababababababababababababababababababababababababababababababababababab"
            "abababababababababababababababababababababababababababababababababababababababababababababababab"
            "abababababababababababababababababababababababababababababababababababababababababababababababa"
            "b");
        const char *got = bc_run("regex.globs_match", args);
        OK(n == 512 ? strcmp(got, "true") == 0 : strstr(got, "a glob of more than 512 tokens") != NULL,
           "a glob of %d tokens: %s", n, got);
    }
    OK(strcmp(bc_run("regex.globs_match", "[\"a*b*a*b*a*b*a*b*a*b*a*b*a*b*a*b*a*b*a*b*c\","
                                          "\"a*b*a*b*a*b*a*b*a*b*a*b*a*b*a*b*a*b*a*b*d\"]"),
              "false") == 0,
       "stars against stars end");
    char list[400] = "";
    for (int i = 0; i < 65; i++)
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s\"%c\"", i ? "," : "", 'a' + i % 26);
    snprintf(args, sizeof args, "[\"*\", [%s], \"1\"]", list);
    OK(strstr(bc_run("glob.match", args), "more than 64 bytes of delimiters") != NULL,
       "65 bytes of delimiters");
    snprintf(args, sizeof args, "[\"*\", [%.*s], \"1\"]", (int)strlen(list) - 4, list);
    OK(strcmp(bc_run("glob.match", args), "true") == 0, "64 bytes of delimiters");
}

int
main(void)
{
    bc_table(cases, sizeof cases / sizeof *cases);
    test_bounds();
    return t_done();
}
