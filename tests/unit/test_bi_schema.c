// SPDX-License-Identifier: Apache-2.0
// json.match_schema and json.verify_schema: keywords of three drafts, references, formats, findings in the
// words of Open Policy Agent; limits at and past their bound; exhausted fuel and memory are an end, never a
// crash.
#include "bi.h"
#include "builtins/schema.h"

static struct bi *b;

static void
is(const char *name, const char *args, const char *want)
{
    const char *got = bi_call(b, name, args);
    if (!OK(strcmp(got, want) == 0, "%s%.100s", name, args))
        printf("# got  %s\n# want %s\n", got, want);
}

static void
fits(const char *document, const char *schema, int wanted)
{
    char args[4096];
    snprintf(args, sizeof args, "[%s, %s]", document, schema);
    const char *got = bi_call(b, "json.match_schema", args), *begin = wanted ? "[true,[]]" : "[false,[{";
    if (!OK(strncmp(got, begin, strlen(begin)) == 0, "%s %s %s", document, wanted ? "fits" : "does not fit",
            schema))
        printf("# got %s\n", got);
}

static void
test_findings(void)
{
    is("json.match_schema", "[{\"id\": \"x\"}, {\"properties\": {\"id\": {\"type\": \"integer\"}}}]",
       "[false,[{\"desc\":\"Invalid type. Expected: integer, given: string\",\"error\":\"id: Invalid type. "
       "Expected: "
       "integer, given: string\",\"field\":\"id\",\"type\":\"invalid_type\"}]]");
    is("json.match_schema", "[\"{\\\"id\\\": 5}\", {\"required\": [\"id\", \"z\"]}]",
       "[false,[{\"desc\":\"z is required\",\"error\":\"(Root): z is "
       "required\",\"field\":\"(Root)\",\"type\":"
       "\"required\"}]]");
    is("json.match_schema",
       "[{\"a\": [1, \"x\"]}, {\"properties\": {\"a\": {\"items\": {\"type\": \"number\"}}}}]",
       "[false,[{\"desc\":\"Invalid type. Expected: number, given: string\",\"error\":\"a.1: Invalid type. "
       "Expected: "
       "number, given: string\",\"field\":\"a.1\",\"type\":\"invalid_type\"}]]");
    is("json.match_schema", "[{}, {\"type\": \"unknown\"}]",
       "eval_builtin_error: json.match_schema: has a primitive type that is NOT VALID -- given: /unknown/ "
       "Expected "
       "valid values are:[array boolean integer number null object string]");
    is("json.match_schema", "[5, {}]",
       "eval_builtin_error: json.match_schema: wrong type, expected string or object");
    is("json.verify_schema", "[{\"type\": \"boolean\"}]", "[true,null]");
    is("json.verify_schema", "[\"{\"]", "[false,\"jsonschema: invalid JSON string\"]");
    is("json.verify_schema", "[{\"minLength\": 3, \"maxLength\": 2}]",
       "[false,\"jsonschema: minLength cannot be greater than maxLength\"]");
    is("json.verify_schema", "[{\"pattern\": \"(\"}]",
       "[false,\"jsonschema: pattern must be a valid regex\"]");
    is("json.verify_schema", "[{\"$ref\": \"http://example.com/s.json\"}]",
       "[false,\"jsonschema: remote reference loading disabled: http://example.com/s.json\"]");
}

static void
test_keywords(void)
{
    fits("{\"n\": 0.3}", "{\"properties\": {\"n\": {\"multipleOf\": 0.1}}}", 1);
    fits("{\"n\": 0.35}", "{\"properties\": {\"n\": {\"multipleOf\": 0.1}}}", 0);
    fits("{\"n\": 1e300}", "{\"properties\": {\"n\": {\"multipleOf\": 7}}}", 0);
    fits("{\"n\": 5}", "{\"properties\": {\"n\": {\"minimum\": 5, \"exclusiveMinimum\": true}}}", 0);
    fits("{\"n\": 5}", "{\"properties\": {\"n\": {\"exclusiveMinimum\": 4}}}", 1);
    fits("[1, 2, 1.0]", "{\"uniqueItems\": true}", 0);
    fits("[1, null]", "{\"contains\": {\"type\": \"null\"}}", 1);
    fits("{\"a\": 1}", "{\"if\": {\"required\": [\"a\"]}, \"then\": {\"required\": [\"b\"]}}", 0);
    fits("{\"a\": 1}",
         "{\"$schema\": \"http://json-schema.org/draft-04/schema#\", \"if\": {\"required\": [\"a\"]}, "
         "\"then\": "
         "{\"required\": [\"b\"]}}",
         1);
    fits("{\"b\": {\"b\": 1}}", "{\"type\": \"object\", \"properties\": {\"b\": {\"$ref\": \"#\"}}}", 0);
    fits("{\"b\": 1}",
         "{\"definitions\": {\"x\": {\"$id\": \"#n\", \"type\": \"string\"}}, \"properties\": {\"b\": "
         "{\"$ref\": \"#n\"}}}",
         0);
    fits("{\"a/b\": 1}",
         "{\"definitions\": {\"a/b\": {\"type\": \"integer\"}}, \"properties\": {\"a/b\": {\"$ref\": "
         "\"#/definitions/a~1b\"}}}",
         1);
    fits("{\"v\": \"2020-02-30\"}", "{\"properties\": {\"v\": {\"format\": \"date\"}}}", 0);
    fits("{\"v\": \"::1\"}", "{\"properties\": {\"v\": {\"format\": \"ipv6\"}}}", 1);
    fits("{\"v\": \"a b\"}", "{\"properties\": {\"v\": {\"format\": \"email\"}}}", 0);
}

// A chain of allOf of the given depth.
static const char *
nested(unsigned depth)
{
    static char text[1 << 16];
    size_t n = (size_t)snprintf(text, sizeof text, "[\"");
    for (unsigned i = 0; i < depth; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "{\\\"not\\\":");
    n += (size_t)snprintf(text + n, sizeof text - n, "{}");
    for (unsigned i = 0; i < depth; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "}");
    snprintf(text + n, sizeof text - n, "\"]");
    return text;
}

static void
test_limits(void)
{
    is("json.match_schema", "[{}, {\"$ref\": \"#\"}]",
       "eval_builtin_error: json.match_schema: schemas nest more than 200 deep");
    is("json.verify_schema", nested(AG_DEPTH_MAX - 2), "[true,null]");
    is("json.verify_schema", nested(AG_DEPTH_MAX + 2), "[false,\"jsonschema: invalid JSON string\"]");
    static const char args[] =
        "[{\"a\": [1, 2, \"x\"]}, {\"properties\": {\"a\": {\"items\": {\"enum\": [1, 2]}}}}]";
    unsigned other = 0;
    for (uint64_t fuel = 0; fuel < 2000; fuel += 7) {
        b->call.fuel = fuel;
        const char *got = bi_call(b, "json.match_schema", args);
        other += strcmp(got, "fuel") != 0 && strncmp(got, "[false,", 7) != 0 && strcmp(got, "undefined") != 0;
    }
    b->call.fuel = BI_FUEL;
    for (size_t size = 4096; size < 20000; size += 128) {
        b->arena.size = size;
        const char *got = bi_call(b, "json.match_schema", args);
        other +=
            strcmp(got, "arena") != 0 && strncmp(got, "[false,", 7) != 0 && strcmp(got, "not called") != 0;
    }
    b->arena.size = BI_ARENA;
    OK(other == 0, "without fuel or memory the evaluation ends");
}

int
main(void)
{
    b = bi_new(NULL);
    test_findings();
    test_keywords();
    test_limits();
    bi_free(b);
    return t_done();
}
