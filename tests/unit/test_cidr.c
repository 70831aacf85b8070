// SPDX-License-Identifier: Apache-2.0
// net.cidr_*: texts of addresses, questions, expansion, merging (language.md: results of OPA 1.18).
#include "builtin_call.h"

// clang-format off
static const struct bc_case cases[] = {
    {"net.cidr_contains", "[\"10.0.0.0/8\", \"10.1.2.3\"]", "true"},
    {"net.cidr_contains", "[\"10.0.0.0/8\", \"10.1.0.0/16\"]", "true"},
    {"net.cidr_contains", "[\"10.1.0.0/16\", \"10.0.0.0/8\"]", "false"},
    {"net.cidr_contains", "[\"2001:db8::/32\", \"2001:db8:1::1\"]", "true"},
    {"net.cidr_contains", "[\"10.0.0.0/8\", \"2001:db8::1\"]", "false"},
    {"net.cidr_contains", "[\"0.0.0.0/0\", \"::ffff:1.2.3.4\"]", "true"},
    {"net.cidr_contains", "[\"10.0.0.0/33\", \"10.1.2.3\"]", "eval_builtin_error: net.cidr_contains: invalid CIDR address: 10.0.0.0/33"},
    {"net.cidr_contains", "[\"10.0.0.0/8\", \"x\"]", "eval_builtin_error: net.cidr_contains: not a valid textual representation of an IP address or CIDR: x"},
    {"net.cidr_contains", "[\"10.0.0.0/08\", \"10.1.2.3\"]", "true"},
    {"net.cidr_contains", "[\"010.0.0.0/8\", \"10.1.2.3\"]", "eval_builtin_error: net.cidr_contains: invalid CIDR address: 010.0.0.0/8"},
    {"net.cidr_intersects", "[\"192.168.1.0/24\", \"192.168.1.128/25\"]", "true"},
    {"net.cidr_intersects", "[\"192.168.1.0/25\", \"192.168.1.128/25\"]", "false"},
    {"net.cidr_intersects", "[\"192.168.1.0\", \"192.168.1.128/25\"]", "eval_builtin_error: net.cidr_intersects: invalid CIDR address: 192.168.1.0"},
    {"net.cidr_is_valid", "[\"192.168.0.0/24\"]", "true"},
    {"net.cidr_is_valid", "[\"192.168.0.0\"]", "false"},
    {"net.cidr_is_valid", "[\"1:2:3:4:5:6:7:8/128\"]", "true"},
    {"net.cidr_is_valid", "[\"1:2:3:4:5:6:7:8:9/128\"]", "false"},
    {"net.cidr_is_valid", "[\"::1::/128\"]", "false"},
    {"net.cidr_is_valid", "[\"::/129\"]", "false"},
    {"net.cidr_is_valid", "[\"fe80::1%eth0/64\"]", "false"},
    {"net.cidr_is_valid", "[1]", "false"},
    {"net.cidr_is_valid", "[\"1.2.3.4/\"]", "false"},
    {"net.cidr_is_valid", "[\"::1.2.3.4/96\"]", "true"},
    {"net.cidr_expand", "[\"192.168.1.1/30\"]", "[\"192.168.1.0\",\"192.168.1.1\",\"192.168.1.2\",\"192.168.1.3\"]"},
    {"net.cidr_expand", "[\"255.255.255.255/32\"]", "[\"255.255.255.255\"]"},
    {"net.cidr_expand", "[\"2001:db8::/127\"]", "[\"2001:db8::\",\"2001:db8::1\"]"},
    {"net.cidr_expand", "[\"1:0:0:2::/128\"]", "[\"1:0:0:2::\"]"},
    {"net.cidr_expand", "[\"1.2.3.4/40\"]", "eval_builtin_error: net.cidr_expand: invalid CIDR address: 1.2.3.4/40"},
    {"net.cidr_contains_matches", "[\"1.1.1.0/24\", \"1.1.1.128\"]", "[[\"1.1.1.0/24\",\"1.1.1.128\"]]"},
    {"net.cidr_contains_matches", "[[\"1.1.1.0/24\", \"1.1.2.0/24\"], \"1.1.1.128\"]", "[[0,\"1.1.1.128\"]]"},
    {"net.cidr_contains_matches", "[{\"x\": \"1.1.1.0/24\"}, [[\"1.1.1.1\", \"y\"], \"1.1.2.1\"]]", "[[\"x\",0]]"},
    {"net.cidr_contains_matches", "[\"1.1.1.0/24\", {\"$set\": [\"1.1.1.1\", \"9.9.9.9\"]}]", "[[\"1.1.1.0/24\",\"1.1.1.1\"]]"},
    {"net.cidr_contains_matches", "[\"1.1.1.0/24\", [[]]]", "eval_builtin_error: net.cidr_contains_matches: operand 2: element must be string or non-empty array"},
    {"net.cidr_contains_matches", "[[\"1.1.1.0/24\", 1], \"1.1.1.1\"]", "eval_builtin_error: net.cidr_contains_matches: operand 1: element must be string or non-empty array"},
    {"net.cidr_contains_matches", "[[\"1.1.1.0/24\"], [[1]]]", "eval_type_error: net.cidr_contains_matches: operand 1 must be string but got number"},
    {"net.cidr_contains_matches", "[3, \"1.1.1.1\"]", "[]"},
    {"net.cidr_merge", "[[\"192.0.128.0/24\", \"192.0.129.0/24\"]]", "[\"192.0.128.0/23\"]"},
    {"net.cidr_merge", "[[\"10.0.0.0/25\", \"10.0.0.0/24\", \"10.0.1.0/24\", \"10.0.2.0/23\"]]", "[\"10.0.0.0/22\"]"},
    {"net.cidr_merge", "[[\"10.0.1.0/24\", \"10.0.2.0/24\"]]", "[\"10.0.1.0/24\",\"10.0.2.0/24\"]"},
    {"net.cidr_merge", "[[\"1.2.3.4\"]]", "[\"1.2.3.4/8\"]"},
    {"net.cidr_merge", "[[\"200.1.2.3\", \"200.1.2.0/25\"]]", "[\"200.1.2.0/24\"]"},
    {"net.cidr_merge", "[[\"2001:db8::/33\", \"2001:db8:8000::/33\", \"1.2.3.0/24\"]]", "[\"1.2.3.0/24\",\"2001:db8::/32\"]"},
    {"net.cidr_merge", "[[\"::1\"]]", "eval_builtin_error: net.cidr_merge: IPv6 invalid: needs prefix length"},
    {"net.cidr_merge", "[[\"foo\"]]", "eval_builtin_error: net.cidr_merge: invalid CIDR address: foo"},
    {"net.cidr_merge", "[[1]]", "eval_builtin_error: net.cidr_merge: element must be string"},
    {"net.cidr_merge", "[[]]", "[]"},
    {"net.cidr_merge", "[\"x\"]", "eval_builtin_error: net.cidr_merge: operand must be an array"},
    {"net.cidr_merge", "[[\"0.0.0.0/0\", \"::/0\"]]", "[\"::/0\"]"},
};
// clang-format on

static void
test_bounds(void)
{
    OK(strcmp(bc_run("net.cidr_expand", "[\"::/0\"]"), "stopped") == 0, "2^128 addresses are paid before");
    OK(strcmp(bc_run("net.cidr_expand", "[\"10.0.0.0/4\"]"), "stopped") == 0,
       "2^28 addresses are paid before");
}

int
main(void)
{
    bc_table(cases, sizeof cases / sizeof *cases);
    test_bounds();
    return t_done();
}
