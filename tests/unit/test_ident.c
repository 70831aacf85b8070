// SPDX-License-Identifier: Apache-2.0
// uuid.*, rand.intn and graph.*: parts of UUIDs, what a seed decides, cycles and paths.
#include "builtin_call.h"

// clang-format off
static const struct bc_case cases[] = {
    {"uuid.parse", "[\"00000000-0000-1000-8000-325096b39f47\"]", "{\"clocksequence\":0,\"macvariables\":\"local:unicast\",\"nodeid\":\"32-50-96-b3-9f-47\",\"time\":6227451273709551616,\"variant\":\"RFC4122\",\"version\":1}"},
    {"uuid.parse", "[\"6ba7b811-9dad-21d1-80b4-00c04fd430c8\"]", "{\"clocksequence\":180,\"domain\":\"Domain180\",\"id\":1806153745,\"macvariables\":\"global:unicast\",\"nodeid\":\"00-c0-4f-d4-30-c8\",\"time\":886630433151182500,\"variant\":\"RFC4122\",\"version\":2}"},
    {"uuid.parse", "[\"urn:uuid:1f3b5d5c-9d3b-4a4f-b0a1-1c6a7d5e9b11\"]", "{\"variant\":\"RFC4122\",\"version\":4}"},
    {"uuid.parse", "[\"{1f3b5d5c-9d3b-4a4f-c0a1-1c6a7d5e9b11}\"]", "{\"variant\":\"Microsoft\",\"version\":4}"},
    {"uuid.parse", "[\"1f3b5d5c9d3b4a4fe0a11c6a7d5e9b11\"]", "{\"variant\":\"Future\",\"version\":4}"},
    {"uuid.parse", "[\"1f3b5d5c9d3b4a4f70a11c6a7d5e9b1\"]", "undefined"},
    {"uuid.parse", "[\"1f3b5d5c-9d3b-4a4f-b0a1-1c6a7d5e9b1g\"]", "undefined"},
    {"uuid.parse", "[\"1f3b5d5c-9d3b-4a4fxb0a1-1c6a7d5e9b11\"]", "undefined"},
    {"uuid.parse", "[\"urx:uuid:1f3b5d5c-9d3b-4a4f-b0a1-1c6a7d5e9b11\"]", "undefined"},
    {"rand.intn", "[\"a\", 0]", "0"},
    {"rand.intn", "[\"a\", 1]", "0"},
    {"rand.intn", "[\"a\", -1]", "0"},
    {"rand.intn", "[\"a\", 1.5]", "eval_type_error: rand.intn: operand 2 must be integer number but got floating-point number"},
    {"graph.reachable", "[{\"a\": [\"b\"], \"b\": {\"$set\": [\"c\"]}, \"c\": [], \"d\": [\"a\"]}, [\"a\"]]", "[\"a\",\"b\",\"c\"]"},
    {"graph.reachable", "[{\"a\": [\"b\", \"z\"], \"b\": [\"a\"]}, {\"$set\": [\"a\", \"y\"]}]", "[\"a\",\"b\"]"},
    {"graph.reachable", "[{\"a\": null, \"b\": \"x\"}, [\"a\", \"b\"]]", "[\"a\",\"b\"]"},
    {"graph.reachable", "[{}, [\"a\"]]", "[]"},
    {"graph.reachable", "[{}, \"a\"]", "eval_type_error: graph.reachable: operand 2 must be {array, set} but got string"},
    {"graph.reachable", "[[], [\"a\"]]", "eval_type_error: graph.reachable: operand 1 must be object but got array"},
    {"graph.reachable_paths", "[{\"a\": [\"b\"], \"b\": [\"c\"], \"c\": []}, [\"a\"]]", "[[\"a\",\"b\",\"c\"]]"},
    {"graph.reachable_paths", "[{\"a\": [\"a\"]}, [\"a\"]]", "[[\"a\",\"a\"]]"},
    {"graph.reachable_paths", "[{\"a\": [\"b\"], \"b\": [\"a\"]}, [\"a\"]]", "[[\"a\",\"b\"]]"},
    {"graph.reachable_paths", "[{\"a\": [\"b\", \"c\"], \"b\": [\"d\"], \"c\": [\"d\"], \"d\": [\"a\", \"e\"]}, [\"a\", \"b\"]]", "[[\"a\",\"b\",\"d\"],[\"a\",\"c\",\"d\"],[\"b\",\"d\"],[\"b\",\"d\",\"a\"],[\"b\",\"d\",\"a\",\"c\"]]"},
    {"graph.reachable_paths", "[{\"a\": []}, [\"a\", \"q\"]]", "[[\"a\"]]"},
    {"graph.reachable_paths", "[{\"a\": [\"x\"]}, [\"a\"]]", "[[\"a\"]]"},
    {"graph.reachable_paths", "[{}, null]", "eval_type_error: graph.reachable_paths: operand 2 must be {array, set} but got null"},
};
// clang-format on

static void
test_seed(void)
{
    char first[64], again[64];
    snprintf(first, sizeof first, "%s", bc_run("uuid.rfc4122", "[\"k\"]"));
    snprintf(again, sizeof again, "%s", bc_run("uuid.rfc4122", "[\"k\"]"));
    OK(strcmp(first, again) == 0, "one seed and key, one UUID: %s", first);
    OK(strlen(first) == 38 && first[15] == '4' && strchr("89ab", first[20]),
       "version 4, variant of RFC 4122");
    OK(strcmp(first, bc_run("uuid.rfc4122", "[\"l\"]")) != 0, "another key, another UUID");
    bc_seed[0] = 1;
    OK(strcmp(first, bc_run("uuid.rfc4122", "[\"k\"]")) != 0, "another seed, another UUID");
    bool seen[8] = {false}, same = true;
    for (int i = 0; i < 200; i++) {
        char args[32];
        snprintf(args, sizeof args, "[\"%d\", %d]", i, i % 2 ? 8 : -8);
        char drawn[8];
        snprintf(drawn, sizeof drawn, "%s", bc_run("rand.intn", args));
        same = same && strcmp(drawn, bc_run("rand.intn", args)) == 0 && strlen(drawn) == 1 &&
               drawn[0] >= '0' && drawn[0] < '8';
        seen[drawn[0] & 7] = true;
    }
    OK(same, "rand.intn is a function of its arguments, below the bound");
    for (int i = 0; i < 8; i++)
        OK(seen[i], "200 draws of 8 give %d", i);
}

static void
test_long_path(void)
{
    static char args[1u << 17];
    size_t n = 0;
    n += (size_t)snprintf(args, sizeof args, "[{");
    for (int i = 0; i < 2000; i++)
        n += (size_t)snprintf(args + n, sizeof args - n, "%s\"n%d\": [\"n%d\"]", i ? "," : "", i, i + 1);
    snprintf(args + n, sizeof args - n, "}, [\"n0\"]]");
    const char *got = bc_run("graph.reachable_paths", args);
    OK(strstr(got, "\"n0\",\"n1\"") && strstr(got, "\"n1999\"]") && !strstr(got, "n2000"),
       "a path of 2000 nodes needs no recursion");
}

int
main(void)
{
    bc_table(cases, sizeof cases / sizeof *cases);
    test_seed();
    test_long_path();
    return t_done();
}
