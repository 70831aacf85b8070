// SPDX-License-Identifier: Apache-2.0
// Names: imports, rules, variables in their scopes, calls and `with`. Each accepted module shows what a name
// became in the listing of --emit=names; each refused one its diagnostic.
#include "program_build.h"

static void
test_imports(void)
{
    ACCEPTED("import data.a.b\np := b.c", "value data[\"a\"][\"b\"][\"c\"]");
    ACCEPTED("import input.x as y\np := y", "value input[\"x\"]");
    ACCEPTED("import input as i\np := i.x", "value input[\"x\"]");
    ACCEPTED("import data.q\np := q\nq := 1", "value data[\"q\"]"); // an import hides a rule
    ACCEPTED("import data.x\np if { x := 1; x == 1 }", "(x#0 := 1)");
    ACCEPTED("import rego.v1\nimport future.keywords.in\np := 1", "value 1");
    REFUSED("import data.a.x\nimport data.b.x\np := x", AGC_D_IMPORT);
    REFUSED("import data.a as input\np := 1", AGC_D_SHADOWS_ROOT);
    struct pb b;
    OK(pb_one(&b, "package t\nimport data.x\np := 1") && pb_has(&b, AGC_D_UNUSED_IMPORT), "unused import");
    pb_fini(&b);
}

static void
test_rules(void)
{
    ACCEPTED("p := q\nq := 1", "value data[\"t\"][\"q\"]");
    ACCEPTED("p := q[r].x\nq := {}\nr := 1", "data[\"t\"][\"q\"][data[\"t\"][\"r\"]][\"x\"]");
    ACCEPTED("p := count(1)\ncount(x) := x", "value data.t.count(1)"); // a rule hides a built-in
    ACCEPTED("p := q.r\nq.r := 1", "value data[\"t\"][\"q\"][\"r\"]");
    ACCEPTED("f(q) := q\nq := 1", "value q#0");
    ACCEPTED("p := input.q\nq := 1", "value input[\"q\"]");
    REFUSED("input := 1", AGC_D_SHADOWS_ROOT);
    REFUSED("f(x) := x\np := f", AGC_D_TYPE_ERROR);
    const char *const two[] = {"package a\np := q", "package a\nq := 1", NULL};
    struct pb b;
    OK(pb_build(&b, two) && pb_prints(&b, "value data[\"a\"][\"q\"]"),
       "modules of one package see each other");
    pb_fini(&b);
}

static void
test_scopes(void)
{
    ACCEPTED("p if { x := 1; y := [x | x := 2]; y == [x] }", "(y#2 := [x#1 | (x#1 := 2)])");
    ACCEPTED("f(x) := [x | x := 2]", "value [x#1 | (x#1 := 2)]");
    ACCEPTED("p if { [x, {\"a\": y}] := input.z; x == y }", "(array(x#0, object(\"a\": y#1)) := input");
    ACCEPTED("p if { some x in input.a; some y, x2 in input.b; x == y; x2 }", "some x#0 in input");
    ACCEPTED("p if { input.a[_] == input.b[_] }", "(input[\"a\"][_#0] == input[\"b\"][_#1])");
    ACCEPTED("f(x, x) := x", "argument x#0\n    argument x#0");
    ACCEPTED("f(x) := 1 if { x == 1 } else := y if { y := x }", "    value y#1\n    (y#1 := x#0)");
    ACCEPTED("p if { x := 1; x == 1 } { x := 2; x == 2 }", "(x#0 := 2)");
    REFUSED("p if { x := 1; x := 2 }", AGC_D_REDECLARED);
    REFUSED("p if { some x; x := 2; x == 2 }", AGC_D_REDECLARED);
    REFUSED("f(x) if { x := 2 }", AGC_D_REDECLARED);
    REFUSED("p if { x == 1; x := 2 }", AGC_D_USED_BEFORE);
    REFUSED("p if { some x; input.a }", AGC_D_UNUSED_DECLARED);
    REFUSED("p if every k, v in input.a { v }", AGC_D_UNUSED_DECLARED);
    REFUSED("p if { input := 1; input == 1 }", AGC_D_SHADOWS_ROOT);
    REFUSED("p if { input.a := 1 }", AGC_D_BAD_ASSIGN);
    struct pb b;
    OK(pb_one(&b, "package t\np if { x := 1 }") && pb_has(&b, AGC_D_UNUSED_LOCAL), "unused variable");
    pb_fini(&b);
}

static void
test_calls(void)
{
    ACCEPTED("p := n if count(input.a, n)", "(n#0 = count(input[\"a\"]))");
    ACCEPTED("p := n if f(1, n)\nf(x) := x", "(n#0 = data.t.f(1))");
    ACCEPTED("p := n if plus(1, 2, n)", "(n#0 = (1 + 2))");
    ACCEPTED("p if { walk(input, [x, 1]); x }", "(array(x#0, 1) = walk(input)[$walk#1])");
}

static void
test_bad_calls(void)
{
    REFUSED("p := f(1, 2)\nf(x) := x", AGC_D_WRONG_ARITY);
    REFUSED("p := count([1], n) + 1", AGC_D_WRONG_ARITY);
    REFUSED("p := cuont([1])", AGC_D_UNKNOWN_FUNCTION);
    REFUSED("p := data.t.g(1)", AGC_D_UNKNOWN_FUNCTION);
    REFUSED("p := f()\nf() := 1", AGC_D_UNKNOWN_FUNCTION);
    REFUSED("p := http.send({})", AGC_D_NOT_AVAILABLE);
    REFUSED("p := any([true])", AGC_D_NOT_AVAILABLE);
    REFUSED("p := print(1)", AGC_D_VOID_CALL);
    REFUSED("p if { count := 1; count(input.a) == count }", AGC_D_SHADOWED_FUNCTION);
    ACCEPTED("p if { print(\"x\", input.a) }", "    true");
    ACCEPTED("p if { print(1); input.a; print(2) }", "definition 0  @2:1\n    input[\"a\"]  @2:18\n");
}

static void
test_with(void)
{
    ACCEPTED("p if q with input.a as 1 with data.x as {}\nq if input.a",
             "with input[\"a\"] as 1 with data[\"x\"] as");
    ACCEPTED("p if f(1) with f as g\nf(x) := x\ngg(x) := x\ng(x) := x",
             "with data[\"t\"][\"f\"] (function) as data[\"t\"][\"g\"] (function)");
    ACCEPTED("p if count([]) == 1 with count as 1", "with count (built-in) as 1");
    ACCEPTED("p if count([]) == 1 with count as sum", "with count (built-in) as sum (built-in)");
    REFUSED("p if f(1) with f as g\nf(x) := x\ng(x, y) := x + y", AGC_D_BAD_WITH);
    REFUSED("p if q.a with q.a as 1\nq := {}", AGC_D_BAD_WITH);
    REFUSED("p if input.x with x as 1", AGC_D_BAD_WITH);
    REFUSED("p if input.x with input.y as f\nf(x) := x", AGC_D_TYPE_ERROR);
}

// A refused built-in may be replaced; where it is not, the call is warned about and undefined.
static void
test_mocks(void)
{
    const char *text = "package t\np if q with http.send as f\nq if http.send({}).x\nf(x) := {\"x\": x}";
    struct pb b;
    OK(pb_one(&b, text) && pb_prints(&b, "with http[\"send\"] (function) as data[\"t\"][\"f\"]"),
       "http.send replaced");
    OK(pb_has(&b, AGC_D_MOCKED_CALL), "its call is warned about");
    pb_fini(&b);
    REFUSED("p if q with http.send as f\nq if true\nf(x, y) := x + y", AGC_D_BAD_WITH);
    REFUSED("p if q with opa.runtime as 1\nq if true", AGC_D_BAD_WITH);
}

static void
test_metadata(void)
{
    ACCEPTED("# METADATA\n# title: t\np := rego.metadata.rule()", "object(\"");
    ACCEPTED("p := rego.metadata.rule()", "value object()");
    ACCEPTED("# METADATA\n# title: t\np := rego.metadata.chain()", "\"path\": array(\"t\", \"p\")");
}

int
main(void)
{
    test_imports();
    test_rules();
    test_scopes();
    test_calls();
    test_bad_calls();
    test_with();
    test_mocks();
    test_metadata();
    return t_done();
}
