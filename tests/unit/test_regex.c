// SPDX-License-Identifier: Apache-2.0
// regex.*: matches, groups, replacement, splitting, templates (language.md: results of OPA 1.18).
#include "builtin_call.h"

// clang-format off
static const struct bc_case cases[] = {
    {"regex.match", "[\"^a+$\", \"aaa\"]", "true"},
    {"regex.match", "[\"a(\", \"a\"]", "eval_builtin_error: regex.match: error parsing regexp: missing ) for this (: `a(`"},
    {"regex.is_valid", "[\"a{2}(?i)b\"]", "true"},
    {"regex.is_valid", "[\"(?=a)\"]", "false"},
    {"regex.is_valid", "[7]", "false"},
    {"regex.find_n", "[\"[a-z]+\", \"one two three\", 2]", "[\"one\",\"two\"]"},
    {"regex.find_n", "[\"[a-z]+\", \"one two three\", -1]", "[\"one\",\"two\",\"three\"]"},
    {"regex.find_n", "[\"x\", \"abc\", -1]", "[]"},
    {"regex.find_n", "[\"\", \"aé\", -1]", "[\"\",\"\",\"\"]"},
    {"regex.find_n", "[\"a\", \"aaa\", 0]", "[]"},
    {"regex.find_n", "[\"a\", \"a\", 1.5]", "eval_type_error: regex.find_n: operand 3 must be integer number but got floating-point number"},
    {"regex.find_all_string_submatch_n", "[\"(\\\\w+)@(\\\\w+)(\\\\.org)?\", \"me@here you@there.org\", -1]", "[[\"me@here\",\"me\",\"here\",\"\"],[\"you@there.org\",\"you\",\"there\",\".org\"]]"},
    {"regex.find_all_string_submatch_n", "[\"(a)|(b)\", \"ab\", 1]", "[[\"a\",\"a\",\"\"]]"},
    {"regex.find_all_string_submatch_n", "[\"(a|ab)(c|bcd)(d*)\", \"abcd\", -1]", "[[\"abcd\",\"a\",\"bcd\",\"\"]]"},
    {"regex.find_all_string_submatch_n", "[\"(a*)+\", \"b\", -1]", "[[\"\",\"\"],[\"\",\"\"]]"},
    {"regex.replace", "[\"foo bar\", \"(\\\\w+) (\\\\w+)\", \"$2 $1\"]", "\"bar foo\""},
    {"regex.replace", "[\"foo\", \"o\", \"${0}-\"]", "\"fo-o-\""},
    {"regex.replace", "[\"a-b\", \"(?P<x>\\\\w)-(?P<y>\\\\w)\", \"${y}$x$$$z\"]", "\"ba$\""},
    {"regex.replace", "[\"ab\", \"a\", \"$1x\"]", "\"b\""},
    {"regex.replace", "[\"ab\", \"a\", \"[${1}]\"]", "\"[]b\""},
    {"regex.replace", "[\"abc\", \"\", \"-\"]", "\"-a-b-c-\""},
    {"regex.replace", "[\"baaac\", \"a*\", \"x\"]", "\"xbxcx\""},
    {"regex.replace", "[\"a\", \"a\", \"$\"]", "\"$\""},
    {"regex.replace", "[\"a\", \"a\", \"${\"]", "\"${\""},
    {"regex.replace", "[\"a\", \"a\", \"${0\"]", "\"${0\""},
    {"regex.replace", "[\"a\", \"(a)\", \"$1é\"]", "\"\""},
    {"regex.replace", "[\"a\", \"(a)\", \"$01\"]", "\"\""},
    {"regex.replace", "[\"none\", \"z\", \"y\"]", "\"none\""},
    {"regex.split", "[\"-\", \"a-b-c\"]", "[\"a\",\"b\",\"c\"]"},
    {"regex.split", "[\"-\", \"-a-\"]", "[\"\",\"a\",\"\"]"},
    {"regex.split", "[\"\", \"abc\"]", "[\"a\",\"b\",\"c\"]"},
    {"regex.split", "[\"x\", \"\"]", "[\"\"]"},
    {"regex.split", "[\"\", \"\"]", "[]"},
    {"regex.split", "[\"a*\", \"baac\"]", "[\"b\",\"c\"]"},
    {"regex.template_match", "[\"urn:foo:{.*}\", \"urn:foo:bar:baz\", \"{\", \"}\"]", "true"},
    {"regex.template_match", "[\"a.b<[0-9]{2}>\", \"axb12\", \"<\", \">\"]", "false"},
    {"regex.template_match", "[\"a<b\", \"ab\", \"<\", \">\"]", "eval_builtin_error: regex.template_match: unbalanced braces in \"a<b\""},
    {"regex.template_match", "[\"a\", \"a\", \"<<\", \">\"]", "eval_builtin_error: regex.template_match: start delimiter has to be exactly one character long but is 2 long"},
    {"regex.template_match", "[\"<a)(b>\", \"ab\", \"<\", \">\"]", "eval_builtin_error: regex.template_match: error parsing regexp: unexpected ): write \\) for a parenthesis: `a)(b`"},
    {"regex.template_match", "[\"<<a>>\", \"<a>\", \"<\", \">\"]", "true"},
};
// clang-format on

static void
test_bounds(void)
{
    bc_fuel = 300;
    OK(strcmp(
           bc_run("regex.replace",
                  "[\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\","
                  "\"(a|b|c|d)*?\", \"$1$1$1$1\"]"),
           "stopped") == 0,
       "work is charged: little fuel ends the evaluation");
    bc_fuel = 1000000000;
    size_t size = BC_ARENA;
    bc_run("regex.find_n", "[\"a\", \"banana\", -1]");
    OK(bc_call.mem.arena->size == size, "the room of a compiled pattern is given back");
    OK(bc_call.mem.arena->used < 4096, "nothing but arguments and result stays in the arena");
}

int
main(void)
{
    bc_table(cases, sizeof cases / sizeof *cases);
    test_bounds();
    return t_done();
}
