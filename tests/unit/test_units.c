// SPDX-License-Identifier: Apache-2.0
// semver.* and units.*: order of versions, exact amounts, bytes (language.md: results of OPA 1.18).
#include "builtin_call.h"

// clang-format off
static const struct bc_case cases[] = {
    {"semver.compare", "[\"1.2.3\", \"1.2.10\"]", "-1"},
    {"semver.compare", "[\"v1.0.0\", \"1.0.0\"]", "0"},
    {"semver.compare", "[\"1.0.0-alpha\", \"1.0.0\"]", "-1"},
    {"semver.compare", "[\"1.0.0-alpha.1\", \"1.0.0-alpha.beta\"]", "-1"},
    {"semver.compare", "[\"1.0.0-2\", \"1.0.0-10\"]", "-1"},
    {"semver.compare", "[\"1.0.0-a.b\", \"1.0.0-a\"]", "1"},
    {"semver.compare", "[\"1.0.0+a\", \"1.0.0+b\"]", "0"},
    {"semver.compare", "[\"1\", \"1.0.0\"]", "eval_builtin_error: semver.compare: operand 1: string \"1\" is not a valid SemVer"},
    {"semver.compare", "[\"1.0.0\", \"1.0\"]", "eval_builtin_error: semver.compare: operand 2: string \"1.0\" is not a valid SemVer"},
    {"semver.compare", "[\"1.0.0-a..b\", \"1.0.0\"]", "eval_builtin_error: semver.compare: operand 1: string \"1.0.0-a..b\" is not a valid SemVer"},
    {"semver.compare", "[\"9223372036854775807.0.0\", \"9223372036854775806.0.0\"]", "1"},
    {"semver.compare", "[\"9223372036854775808.0.0\", \"1.0.0\"]", "eval_builtin_error: semver.compare: operand 1: string \"9223372036854775808.0.0\" is not a valid SemVer"},
    {"semver.is_valid", "[\"1.1.12-rc1+foo\"]", "true"},
    {"semver.is_valid", "[\"1.1\"]", "false"},
    {"semver.is_valid", "[\"1.1.1.1\"]", "false"},
    {"semver.is_valid", "[1]", "false"},
    {"semver.is_valid", "[\"01.2.3\"]", "true"},
    {"units.parse", "[\"10\"]", "10"},
    {"units.parse", "[\"10K\"]", "10000"},
    {"units.parse", "[\"1.5Ki\"]", "1536"},
    {"units.parse", "[\"100m\"]", "0.1000000000"},
    {"units.parse", "[\"-3m\"]", "-0.0030000000"},
    {"units.parse", "[\"1e3\"]", "1000"},
    {"units.parse", "[\"2E\"]", "2000000000000000000"},
    {"units.parse", "[\"\\\"4M\\\"\"]", "4000000"},
    {"units.parse", "[\"0.00000000005\"]", "0.0000000001"},
    {"units.parse", "[\"1e1000000\"]", "eval_builtin_error: units.parse: units.parse: exponent too large"},
    {"units.parse", "[\"1e\"]", "1000000000000000000"},
    {"units.parse", "[\"5KI\"]", "5120"},
    {"units.parse", "[\"5mB\"]", "eval_builtin_error: units.parse: units.parse: unit mb not recognized"},
    {"units.parse", "[\"\"]", "eval_builtin_error: units.parse: units.parse: no amount provided"},
    {"units.parse", "[\"k\"]", "eval_builtin_error: units.parse: units.parse: no amount provided"},
    {"units.parse", "[\"1 k\"]", "eval_builtin_error: units.parse: units.parse: spaces not allowed in resource strings"},
    {"units.parse", "[\"1.2.3\"]", "eval_builtin_error: units.parse: units.parse: could not parse amount to a number"},
    {"units.parse", "[\"99999999999999999999Ei\"]", "115292150460684697598847078495393153024"},
    {"units.parse_bytes", "[\"10\"]", "10"},
    {"units.parse_bytes", "[\"10KB\"]", "10000"},
    {"units.parse_bytes", "[\"10KiB\"]", "10240"},
    {"units.parse_bytes", "[\"1.5 MB\"]", "eval_builtin_error: units.parse_bytes: units.parse_bytes: spaces not allowed in resource strings"},
    {"units.parse_bytes", "[\"1.5m\"]", "1500000"},
    {"units.parse_bytes", "[\"0.1kib\"]", "102"},
    {"units.parse_bytes", "[\"7b\"]", "eval_builtin_error: units.parse_bytes: units.parse_bytes: byte unit b not recognized"},
    {"units.parse_bytes", "[\"-1.9\"]", "-1"},
    {"units.parse_bytes", "[\"100EiB\"]", "115292150460684697600"},
    {"units.parse_bytes", "[\"\"]", "eval_builtin_error: units.parse_bytes: units.parse_bytes: no byte amount provided"},
    {"units.parse_bytes", "[\"1.1.1k\"]", "eval_builtin_error: units.parse_bytes: units.parse_bytes: could not parse byte amount to a number"},
    {"units.parse_bytes", "[\"3xb\"]", "eval_builtin_error: units.parse_bytes: units.parse_bytes: byte unit xb not recognized"},
};
// clang-format on

static void
test_bounds(void)
{
    char args[512];
    for (int n = 400; n <= 401; n++) {
        snprintf(args, sizeof args, "[\"%0*d\"]", n, 7);
        const char *got = bc_run("units.parse", args);
        OK(n == 400 ? strcmp(got, "7") == 0 : strstr(got, "could not parse amount") != NULL,
           "an amount of %d bytes: %s", n, got);
    }
}

int
main(void)
{
    bc_table(cases, sizeof cases / sizeof *cases);
    test_bounds();
    return t_done();
}
