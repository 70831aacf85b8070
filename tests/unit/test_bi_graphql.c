// SPDX-License-Identifier: Apache-2.0
// graphql.*: trees of queries and schemas with their comments, errors with their place, every rule about
// schemas and queries with its words, trees that are read back; limits at and past their bound; exhausted
// fuel and memory are an end, never a crash.
#include "bi.h"
#include "builtins/graphql.h"

static struct bi *b;

// The text as a JSON string in out, for arguments.
static char *
quoted(const char *text, char *out, size_t size)
{
    struct ag_buf w;
    ag_buf_init(&w, out, size - 1);
    ag_buf_json_str(&w, ag_str_z(text));
    out[w.n] = 0;
    return out;
}

static void
is(const char *name, const char *args, const char *want)
{
    const char *got = bi_call(b, name, args);
    if (!OK(strcmp(got, want) == 0, "%s%.100s", name, args))
        printf("# got  %s\n# want %s\n", got, want);
}

// graphql.parse_query or graphql.parse_schema of a text.
static void
parses(const char *name, const char *text, const char *want)
{
    char args[8192], one[8000];
    snprintf(args, sizeof args, "[%s]", quoted(text, one, sizeof one));
    is(name, args, want);
}

static void
fails(const char *name, const char *text, const char *want)
{
    char error[1024];
    snprintf(error, sizeof error, "eval_builtin_error: %s: %s", name, want);
    parses(name, text, error);
}

// What graphql.parse says of a query; NULL: it is valid.
static void
query_is(const char *query, const char *schema, const char *want)
{
    char args[8192], one[4000], two[4000], error[1024];
    snprintf(args, sizeof args, "[%s,%s]", quoted(query, one, sizeof one), quoted(schema, two, sizeof two));
    snprintf(error, sizeof error, "eval_builtin_error: graphql.parse: %s", want ? want : "");
    const char *got = bi_call(b, "graphql.parse", args);
    bool ok = want ? strcmp(got, error) == 0 : strncmp(got, "[{", 2) == 0;
    if (!OK(ok, "%s", query))
        printf("# got  %s\n# want %s\n", got, want ? error : "[{...");
    OK(strcmp(bi_call(b, "graphql.is_valid", args), want ? "false" : "true") == 0, "is_valid %s", query);
}

static void
schema_is(const char *schema, const char *want)
{
    char args[8192], one[8000], error[1024];
    snprintf(args, sizeof args, "[\"\",%s]", quoted(schema, one, sizeof one));
    snprintf(
        error, sizeof error,
        "eval_builtin_error: graphql.parse: Error in gqlparser SchemaDocument to Schema conversion: input:%s",
        want ? want : "");
    const char *got = bi_call(b, "graphql.parse", args);
    bool ok = want ? strcmp(got, error) == 0 : strncmp(got, "[{", 2) == 0;
    if (!OK(ok, "%s", schema))
        printf("# got  %s\n# want %s\n", got, want ? error : "[{...");
    snprintf(args, sizeof args, "[%s]", one);
    OK(strcmp(bi_call(b, "graphql.schema_is_valid", args), want ? "false" : "true") == 0, "valid %s", schema);
}

static void
test_trees(void)
{
    parses("graphql.parse_query", "", "{}");
    parses("graphql.parse_query", "# c\nquery A($x: [Int!]! = [1 2]) { a: b(y: $x) ...F ... on T { c } }",
           "{\"Operations\":[{\"Comment\":{\"List\":[{\"Value\":\"# "
           "c\"}]},\"Name\":\"A\",\"Operation\":\"query\","
           "\"SelectionSet\":[{\"Alias\":\"a\",\"Arguments\":[{\"Name\":\"y\",\"Value\":{"
           "\"ExpectedTypeHasDefault\":false,\"Kind\":0,\"Raw\":\"x\"}}],\"Name\":\"b\"},{\"Name\":\"F\"},{"
           "\"SelectionSet\":[{\"Alias\":\"c\",\"Name\":\"c\"}],\"TypeCondition\":\"T\"}],"
           "\"VariableDefinitions\":[{\"DefaultValue\":{\"Children\":[{\"Name\":\"\",\"Value\":{"
           "\"ExpectedTypeHasDefault\":false,\"Kind\":1,\"Raw\":\"1\"}},{\"Name\":\"\",\"Value\":{"
           "\"ExpectedTypeHasDefault\":false,\"Kind\":1,\"Raw\":\"2\"}}],\"ExpectedTypeHasDefault\":false,"
           "\"Kind\":8,"
           "\"Raw\":\"\"},\"Type\":{\"Elem\":{\"NamedType\":\"Int\",\"NonNull\":true},\"NamedType\":\"\","
           "\"NonNull\":true},\"Used\":false,\"Variable\":\"x\"}]}]}");
    parses(
        "graphql.parse_schema", "\"d\" enum E { # v\n A } # end",
        "{\"Comment\":{\"List\":[{\"Value\":\"# "
        "end\"}]},\"Definitions\":[{\"BuiltIn\":false,\"Description\":\"d\","
        "\"EnumValues\":[{\"AfterDescriptionComment\":{\"List\":[{\"Value\":\"# v\"}]},\"Description\":\"\","
        "\"Name\":\"A\"}],\"Kind\":\"ENUM\",\"Name\":\"E\"}]}");
    parses(
        "graphql.parse_schema",
        "extend type T implements I & J directive @a(b: Int) repeatable on FIELD | QUERY",
        "{\"Directives\":[{\"Arguments\":[{\"Description\":\"\",\"Name\":\"b\",\"Type\":{\"NamedType\":"
        "\"Int\","
        "\"NonNull\":false}}],\"Description\":\"\",\"IsRepeatable\":true,\"Locations\":[\"FIELD\",\"QUERY\"],"
        "\"Name\":\"a\"}],\"Extensions\":[{\"BuiltIn\":false,\"Description\":\"\",\"Interfaces\":[\"I\","
        "\"J\"],"
        "\"Kind\":\"OBJECT\",\"Name\":\"T\"}]}");
}

static void
raw_is(const char *literal, const char *want)
{
    char text[512], end[512];
    snprintf(text, sizeof text, "{a(b:%s)}", literal);
    snprintf(end, sizeof end, "\"Raw\":\"%s\"}}],\"Name\":\"a\"}]}]}", want);
    char args[1024], one[1000];
    snprintf(args, sizeof args, "[%s]", quoted(text, one, sizeof one));
    const char *got = bi_call(b, "graphql.parse_query", args);
    if (!OK(strstr(got, end) != NULL, "string %s", literal))
        printf("# got %s\n# want %s\n", got, end);
}

static void
test_strings(void)
{
    raw_is("\"\"", "");
    raw_is("\"\xc3\xa9\\u00e9\\ud83d\\n\\\"\"", "\xc3\xa9\xc3\xa9\xef\xbf\xbd\\n\\\"");
    raw_is("\"\"\"\n   x\n     y\r  \n\"\"\"", "x\\n  y");
    raw_is("\"\"\"a\\\"\"\"\"b\"\"\"", "a\\\"\\\"\\\"\\\"b");
    raw_is("\"\"\"\"\"\"", "");
    raw_is("-0.5e+3", "-0.5e+3");
}

static void
test_syntax_errors(void)
{
    static const char *const query[][2] = {
        {"{", "Expected Name, found <EOF> in GraphQL string at location 1:2"},
        {"notanoperation Foo { field }",
         "Unexpected Name \"notanoperation\" in GraphQL string at location 1:1"},
        {"{ }", "expected at least one definition, found } in GraphQL string at location 1:3"},
        {"{ a() }", "expected at least one definition, found ) in GraphQL string at location 1:5"},
        {"{ ...A }\nfragment A Type",
         "Expected \"on\", found Name \"Type\" in GraphQL string at location 2:12"},
        {"fragment on on A { a }", "Unexpected Name \"on\" in GraphQL string at location 1:10"},
        {"query ($a:Int = $b) {a}", "Unexpected $ in GraphQL string at location 1:17"},
        {"{ a(b: \"\xc3\xa9\" c: \xc3\xa9) }", "Unexpected <Invalid> in GraphQL string at location 1:15"},
        {"{ a(b: 01) }", "Unexpected <Invalid> in GraphQL string at location 1:9"},
        {"{ a(b: \"x\ny\") }", "Unexpected <Invalid> in GraphQL string at location 1:10"},
        {"{ a(b: \"\\q\") }", "Unexpected <Invalid> in GraphQL string at location 1:10"},
        {"{a(b:\"\"\"x\n\"\"\" ; )}", "Expected Name, found <Invalid> in GraphQL string at location 2:5"},
        {"{a} \"x\"", "Unexpected String \"x\" in GraphQL string at location 1:6"},
    };
    static const char *const schema[][2] = {
        {"\"x\" extend type A {a:Int}", "Unexpected String \"x\" in GraphQL string at location 1:2"},
        {"directive @a(b:Int) on FOO", "Unexpected Name \"FOO\" in GraphQL string at location 1:24"},
        {"schema { ; }", "Cannot parse the unexpected character \";\". in GraphQL string at location 1:10"},
        {"extend union A", "Unexpected <EOF> in GraphQL string at location 1:15"},
        {"extend interface A implements B {a:Int}",
         "Unexpected Name \"implements\" in GraphQL string at location 1:20"},
        {"type A { a(b:Int=$x): Int }", "Unexpected $ in GraphQL string at location 1:18"},
        {"union A = ", "Expected Name, found <EOF> in GraphQL string at location 1:11"},
    };
    for (size_t i = 0; i < sizeof query / sizeof query[0]; i++)
        fails("graphql.parse_query", query[i][0], query[i][1]);
    for (size_t i = 0; i < sizeof schema / sizeof schema[0]; i++)
        fails("graphql.parse_schema", schema[i][0], schema[i][1]);
}

static void
test_schemas(void)
{
    static const char *const cases[][2] = {
        {"", NULL},
        {"type A {a:B}", "1:11: Undefined type B."},
        {"type A {__a:Int}",
         "1:9: Name \"__a\" must not begin with \"__\", which is reserved by GraphQL introspection."},
        {"type A {a(b:B):Int} type B {a:Int}",
         "1:11: cannot use B as argument b because OBJECT is not a valid input type"},
        {"type A @skip {a:Int}", "1:9: Directive skip is not applicable on OBJECT."},
        {"type A {a:Int @deprecated @deprecated(foo:1)}",
         "1:28: The directive deprecated can only be used once at this location."},
        {"type A {a:Int @deprecated(foo:1)}", "1:27: Undefined argument foo for directive deprecated."},
        {"scalar S @specifiedBy", "1:11: Argument url for directive specifiedBy cannot be null."},
        {"directive @a(b:Int @a) on ARGUMENT_DEFINITION", "1:21: Directive a cannot refer to itself."},
        {"directive @a on FIELD directive @a on FIELD", "1:34: Cannot redeclare directive a."},
        {"directive @skip on FIELD", NULL},
        {"scalar Int", "1:8: Cannot redeclare type Int."},
        {"type A {a:Int} type A {a:Int}", "1:21: Cannot redeclare type A."},
        {"type A implements B {a:Int}", "1:6: Undefined type \"B\"."},
        {"type A implements B {a:Int} type B {a:Int}", "1:6: \"B\" is a non interface type OBJECT."},
        {"type A implements B {a:Int} interface B {b:Int}",
         "1:6: For A to implement B it must have a field called b."},
        {"type A implements B {a:[Int]} interface B {a:Int}",
         "1:22: For A to implement B the field a must have type Int."},
        {"type A implements B {a:[Int!]} interface B {a:[Int]}", NULL},
        {"interface I {a:J} interface J {b:Int} type T implements I {a:U} type U implements J {b:Int}", NULL},
        {"type A implements B {a:Int} interface B {a(x:Int):Int}",
         "1:22: For A to implement B the field a must have the same arguments but it is missing x."},
        {"type A implements B {a(x:Int!):Int} interface B {a:Int}",
         "1:24: For A to implement B any additional arguments on a must be optional or have a default value "
         "but x "
         "is required."},
        {"interface A implements B {a:Int} interface B implements C {a:Int} interface C {a:Int}",
         "1:11: Type A must implement C because it is implemented by B."},
        {"union U = X input X {a:Int}", "1:7: UNION type \"X\" must be OBJECT."},
        {"enum E", "1:6: ENUM E: must define one or more unique enum values."},
        {"enum E {A A}", "1:11: Enum value E.A can only be defined once."},
        {"enum E {true}", "1:6: ENUM E: non-enum value true."},
        {"input I {a:T} type T {a:Int}", "1:10: OBJECT a: field must be one of SCALAR, ENUM, INPUT_OBJECT."},
        {"type T {a:Int a:Int}", "1:15: Field T.a can only be defined once."},
        {"type T", "1:6: OBJECT T: must define one or more fields."},
        {"extend type A {a:Int} extend input A {b:Int}",
         "1:36: Cannot extend type A because the base type is a OBJECT, not INPUT_OBJECT."},
        {"schema {query:A}", "1:9: Schema root query refers to a type A that does not exist."},
        {"schema {query:A} schema {query:A} type A {a:Int}",
         "1:25: Cannot have multiple schema entry points, consider schema extensions instead."},
        {"extend schema @foo", "1:16: Undefined directive foo."},
        {"extend type User {id: ID!} union E = User extend type Query {e: E}", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        schema_is(cases[i][0], cases[i][1]);
}

#define AT " in GraphQL string at location "

static void
test_queries(void)
{
    static const char schema[] =
        "type Query { hello: Int b(xyz: Int!): Q "
        "e(a:E,i:I,o:O,n:Int,s:String,f:Float,id:ID,bo:Boolean,l:[Int],c:C): "
        "Int u: U d(n: Int! = 5): Int} type Q { c: String } enum E { ABC BCD } input I {aa: Int! b: Int} "
        "input O @oneOf { x:Int y:Int } scalar C union U = Q type Subscription {a:Int b:Int}";
    static const char *const cases[][2] = {
        {"{hello}", NULL},
        {"{ helo }", "Cannot query field \"helo\" on type \"Query\". Did you mean \"hello\"?\n" AT "1:3"},
        {"{ b(xyy: 5) {c} }", "Unknown argument \"xyy\" on field \"Query.b\". Did you mean "
                              "\"xyz\"?\ninput:1:3: Field \"b\" argument "
                              "\"xyz\" of type \"Int!\" is required, but it was not provided" AT "1:3"},
        {"{ e(a: ABD) }",
         "Value \"ABD\" does not exist in \"E\" enum. Did you mean the enum value \"ABC\" or "
         "\"BCD\"?\n" AT "1:8"},
        {"{ e(a: 5) }", "Enum \"E\" cannot represent non-enum value: 5" AT "1:8"},
        {"{ e(i: {aa: 1, bb: 2}) }",
         "Field \"bb\" is not defined by type \"I\". Did you mean \"b\"?\n" AT "1:16"},
        {"{ e(i: {}) }", "Field \"I.aa\" of required type \"Int!\" was not provided" AT "1:8"},
        {"{ e(o: {}) }", "OneOf Input Object \"O\" must specify exactly one key" AT "1:8"},
        {"{ e(o: {x: null}) }", "Field \"O.x\" must be non-null" AT "1:12"},
        {"query($v:Int){ e(o: {x: $v}) }",
         "Variable \"$v\" is of type \"Int\" but must be non-nullable to be used "
         "for OneOf Input Object \"O\"" AT "1:7"},
        {"{ e(n: 99999999999) }", NULL},
        {"{ e(n: 99999999999999999999) }",
         "Int cannot represent non 32-bit signed integer value: 99999999999999999999\n" AT "1:8"},
        {"{ e(f: 1.7e308) }", NULL},
        {"{ e(f: 1.8e308) }", "Float cannot represent non numeric value: 1.8e308\n" AT "1:8"},
        {"{ e(s: 1) }", "String cannot represent a non string value: 1\n" AT "1:8"},
        {"{e(id: 1.5)}", "ID cannot represent a non-string and non-integer value: 1.5\n" AT "1:8"},
        {"{e(bo: 1)}", "Boolean cannot represent a non boolean value: 1\n" AT "1:8"},
        {"{e(n: [1])}", "Int cannot represent non-integer value: [1]\n" AT "1:7"},
        {"{e(l: \"s\")}", "Expected value of type \"[Int]\", found \"s\"" AT "1:8"},
        {"{e(c: {a:1})}", NULL},
        {"{b(xyz:null){c}}", "Expected value of type \"Int!\", found null" AT "1:8"},
        {"{ ...A } fragment A on Q { c }",
         "Fragment \"A\" cannot be spread here as objects of type \"Query\" can never be of type \"Q\"" AT
         "1:6"},
        {"{ u { ... on Query { hello } } }",
         "Fragment cannot be spread here as objects of type \"U\" can never be of type \"Query\"" AT "1:11"},
        {"{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }",
         "Cannot spread fragment \"A\" within itself via \"B\"" AT "1:64"},
        {"{ ...A } fragment A on Query { ...A }", "Cannot spread fragment \"A\" within itself" AT "1:35"},
        {"{ u { c } }",
         "Cannot query field \"c\" on type \"U\". Did you mean to use an inline fragment on \"Q\"?\n" AT
         "1:7"},
        {"{ b(xyz:1) }",
         "Field \"b\" of type \"Q\" must have a selection of subfields. Did you mean \"b { ... "
         "}\"?\n" AT "1:3"},
        {"{hello {x}}", "Cannot query field \"x\" on type \"Int\".\ninput:1:2: Field \"hello\" must not have "
                        "a selection since type "
                        "\"Int\" has no subfields" AT "1:9"},
        {"{hello @foo}", "Unknown directive \"@foo\"" AT "1:9"},
        {"{hello @deprecated}", "Directive \"@deprecated\" may not be used on FIELD" AT "1:9"},
        {"{hello @skip(if:true) @skip(if: true)}",
         "The directive \"@skip\" can only be used once at this location" AT "1:24"},
        {"{hello @skip}",
         "Directive \"@skip\" argument \"if\" of type \"Boolean!\" is required, but it was not provided" AT
         "1:9"},
        {"{hello hello: e}", "Fields \"hello\" conflict because \"hello\" and \"e\" are different fields. "
                             "Use different aliases on the "
                             "fields to fetch both if this was intentional" AT "1:8"},
        {"{a:e(n:1) a:e(n:2)}",
         "Fields \"a\" conflict because they have differing arguments. Use different aliases "
         "on the fields to fetch both if this was intentional" AT "1:11"},
        {"{hello hello}", NULL},
        {"{a:hello ...G} fragment G on Query {a:e(n:1)}",
         "Fields \"a\" conflict because \"hello\" and \"e\" are different fields. Use different aliases on "
         "the fields "
         "to fetch both if this was intentional" AT "1:37"},
        {"{hello} query A {hello}", "This anonymous operation must be the only defined operation" AT "1:1"},
        {"query A {hello} query A {hello}", "There can be only one operation named \"A\"" AT "1:17"},
        {"query($v:Q){e(n:$v)}", "Variable \"$v\" of type \"Q\" used in position expecting type \"Int\".\n"
                                 "input:1:7: Variable \"$v\" cannot be non-input type \"Q\"" AT "1:17"},
        {"{e(n:$v)}", "Variable \"$v\" is not defined" AT "1:6"},
        {"query A{e(n:$v)}", "Variable \"$v\" is not defined by operation \"A\"" AT "1:13"},
        {"query A($v:Int,$v:Int){e(n:$v)}", "Variable \"$v\" is never used in operation \"A\".\ninput:1:16: "
                                            "There can be only one variable named "
                                            "\"$v\"" AT "1:16"},
        {"query($w:Foo){hello @skip(if:$w)}",
         "Unknown type \"Foo\".\ninput:1:30: Variable \"$w\" of type \"Foo\" used "
         "in position expecting type \"Boolean!\"" AT "1:7"},
        {"query($v:Int){d(n:$v)}", NULL},
        {"subscription A {a ...F} fragment F on Subscription {b}",
         "Subscription \"A\" must select only one top level field" AT "1:53"},
        {"subscription {__typename}",
         "Anonymous Subscription must not select an introspection top level field" AT "1:15"},
        {"mutation {a}", "Schema does not support operation type \"mutation\"\n" AT "1:1"},
        {"{e(n:1,n:2)}", "There can be only one argument named \"n\"" AT "1:8"},
        {"{e(i:{aa:1,aa:2})}", "There can be only one input field named \"aa\"" AT "1:12"},
        {"fragment F on Query {hello}", "Fragment \"F\" is never used" AT "1:1"},
        {"{...F}", "Unknown fragment \"F\"" AT "1:5"},
        {"{... on Int {a}}",
         "Cannot query field \"a\" on type \"Int\".\ninput:1:6: Fragment cannot condition on non "
         "composite type \"Int\"" AT "1:14"},
        {"{__schema{types{fields{type{fields{type{fields{name}}}}}}}}",
         "Maximum introspection depth exceeded\n" AT "1:2"},
        {"{__type(name:\"x\"){name}}", NULL},
        {"fragment A on Query {hello} fragment A on Query {hello} {...A}",
         "There can be only one fragment named \"A\"" AT "1:29"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        query_is(cases[i][0], schema, cases[i][1]);
}

static void
test_objects(void)
{
    is("graphql.parse_and_verify", "[\"{\", \"\"]", "[false,{},{}]");
    is("graphql.parse_and_verify", "[5, []]", "[false,{},{}]");
    is("graphql.is_valid", "[5, \"\"]", "false");
    is("graphql.schema_is_valid", "[{\"Definitions\":[{\"Kind\":\"OBJECT\",\"Name\":\"A\"}]}]", "false");
    is("graphql.parse_and_verify",
       "[{\"Operations\":[{\"Operation\":\"query\",\"SelectionSet\":[{\"Name\":\"a\",\"zzz\":1,\"Arguments\":"
       "[{\"name\":\"x\",\"value\":{\"kind\":1,\"Raw\":\"5\"}}]}]}]}, \"type Query {a(x:Int):Int}\"]",
       "[true,{\"Operations\":[{\"Name\":\"\",\"Operation\":\"query\",\"SelectionSet\":[{\"Alias\":\"\","
       "\"Arguments\":[{\"Name\":\"x\",\"Value\":{\"ExpectedTypeHasDefault\":false,\"Kind\":1,\"Raw\":\"5\"}}"
       "],"
       "\"Name\":\"a\"}]}]},{\"Definitions\":[{\"BuiltIn\":false,\"Description\":\"\",\"Fields\":[{"
       "\"Arguments\":[{"
       "\"Description\":\"\",\"Name\":\"x\",\"Type\":{\"NamedType\":\"Int\",\"NonNull\":false}}],"
       "\"Description\":\"\","
       "\"Name\":\"a\",\"Type\":{\"NamedType\":\"Int\",\"NonNull\":false}}],\"Kind\":\"OBJECT\",\"Name\":"
       "\"Query\"}]}"
       "]");
    is("graphql.parse", "[{\"Operations\": 5}, \"\"]",
       "eval_builtin_error: graphql.parse: json: cannot unmarshal number into Go struct field "
       "QueryDocument.Operations of type ast.OperationList");
    is("graphql.parse", "[{\"Operations\": [null]}, \"\"]",
       "eval_builtin_error: graphql.parse: json: cannot unmarshal null into Go value of type "
       "ast.OperationDefinition");
    is("graphql.parse", "[{\"Operations\":[{\"SelectionSet\":[{\"Name\":\"zz\"}]}]}, \"type Query {a:Int}\"]",
       "eval_builtin_error: graphql.parse: GraphQL parse error: input: Cannot query field \"zz\" on type "
       "\"Query\".\n");
    is("graphql.is_valid",
       "[{\"Operations\":[{\"SelectionSet\":[{\"Name\":\"a\",\"Arguments\":[{\"Name\":\"x\"}]}]}]}, "
       "\"type Query {a(x:Int):Int}\"]",
       "false"); // an argument without a value makes it no field but a spread
}

static void
nested(const char *open, const char *inner, const char *close, unsigned n, char *out, size_t size)
{
    struct ag_buf made;
    ag_buf_init(&made, out, size - 1);
    for (unsigned i = 0; i < n; i++)
        ag_buf_str(&made, ag_str_z(open));
    ag_buf_str(&made, ag_str_z(inner));
    for (unsigned i = 0; i < n; i++)
        ag_buf_str(&made, ag_str_z(close));
    out[made.n] = '\0';
}

static void
test_limits(void)
{
    static char text[16384], args[20000], one[18000];
    nested("{a", "", "}", AG_GQL_DEPTH_MAX, text, sizeof text);
    snprintf(args, sizeof args, "[%s]", quoted(text, one, sizeof one));
    OK(strncmp(bi_call(b, "graphql.parse_query", args), "{\"Operations\"", 13) == 0,
       "selections at the limit");
    nested("{a", "", "}", AG_GQL_DEPTH_MAX + 1, text, sizeof text);
    snprintf(args, sizeof args, "[%s]", quoted(text, one, sizeof one));
    OK(strstr(bi_call(b, "graphql.parse_query", args), "nests more than 100 deep"), "one past it");
    char set[8192];
    nested("[", "1", "]", AG_GQL_DEPTH_MAX, set, sizeof set);
    snprintf(text, sizeof text, "{a(b:%s)}", set);
    snprintf(args, sizeof args, "[%s]", quoted(text, one, sizeof one));
    OK(strstr(bi_call(b, "graphql.parse_query", args), "nests more than 100 deep"), "a selection and lists");
    // a chain of fragments: each of them nests two deep
    for (unsigned n = 200; n <= 600; n += 400) {
        size_t at = (size_t)snprintf(text, sizeof text, "{...F0}");
        for (unsigned i = 0; i < n; i++)
            at += (size_t)snprintf(text + at, sizeof text - at, "fragment F%u on Q{...F%u}", i, i + 1);
        snprintf(text + at, sizeof text - at, "fragment F%u on Q{a}", n);
        snprintf(args, sizeof args, "[%s,\"type Q {a:Int} schema {query:Q}\"]",
                 quoted(text, one, sizeof one));
        const char *got = bi_call(b, "graphql.parse", args);
        OK(n == 200 ? got[0] == '[' : strstr(got, "nests more than 500 deep") != NULL,
           "%u fragments in a row", n);
    }
}

static void
test_resources(void)
{
    const char *args = "[\"query A($x: Int) { a(x: $x) ...F } fragment F on Query { b: a(x: 1) }\","
                       "\"type Query { a(x: Int = 5): Int } interface I { b: [I!] }\"]";
    unsigned fuel = 0, arena = 0;
    for (uint64_t n = 0; n < 4000; n += 7) {
        b->call.fuel = n;
        fuel += strcmp(bi_call(b, "graphql.parse", args), "fuel") == 0;
    }
    b->call.fuel = BI_FUEL;
    for (size_t size = 1024; size < 120000; size += 997) {
        b->arena.size = size;
        arena += strcmp(bi_call(b, "graphql.parse", args), "arena") == 0;
    }
    b->arena.size = BI_ARENA;
    OK(fuel > 0 && arena > 0, "exhausted %u times of fuel, %u times of memory", fuel, arena);
    OK(bi_call(b, "graphql.parse", args)[0] == '[', "and whole again");
}

int
main(void)
{
    b = bi_new(NULL);
    test_trees();
    test_strings();
    test_syntax_errors();
    test_schemas();
    test_queries();
    test_objects();
    test_limits();
    test_resources();
    bi_free(b);
    return t_done();
}
