// SPDX-License-Identifier: Apache-2.0
// Order of literals (B-rules of program.h): what binds, what only reads, and what stands before a negation.
// Each accepted module shows where its literals end up; each refused one names the variable's diagnostic.
#include "program_build.h"

static void
test_order(void)
{
    ACCEPTED("p if { x > 1; x = 2 }", "(x#0 = 2)  @2:15\n    (x#0 > 1)");
    ACCEPTED("p if { y := x + 1; x = input.x; y > 1 }",
             "(x#0 = input[\"x\"])  @2:20\n    (y#1 := (x#0 + 1))");
    ACCEPTED("p if { input.a[i] = x; x = y; y = 1; i > 0 }", "(y#2 = 1)");
    ACCEPTED("p if { a = b; b = c; c = d; d = e; e = input.e; a > 0 }",
             "(e#4 = input[\"e\"])  @2:36\n    (d#3 = e#4)  @2:29\n    (c#2 = d#3)  @2:22\n    (b#1 = c#2)");
    REFUSED("p if x > 1", AGC_D_UNSAFE_VARIABLE);
    REFUSED("p if { x = y; y = x }", AGC_D_UNSAFE_VARIABLE);
    REFUSED("p if { {x} = {1}; x > 0 }", AGC_D_UNSAFE_VARIABLE);
    REFUSED("p if { {x: 1} = {\"a\": 1}; x > 0 }", AGC_D_UNSAFE_VARIABLE);
}

static void
test_either_way(void)
{
    // The left side may be the term although the right one was looked at first.
    ACCEPTED("p if { [x, y] = z; z = [1, 2]; x < y }",
             "(z#2 = array(1, 2))  @2:20\n    (array(x#0, y#1) = z#2)");
    ACCEPTED("p if { q(x) = y; input.xs[x]; y }\nq(x) := x", "input[\"xs\"][x#0]");
    ACCEPTED("p if { x = y; x = 1; y > 0 }", "(x#0 = 1)  @2:15\n    (x#0 = y#1)");
    ACCEPTED("p if { {\"a\": x, \"b\": 1} = {\"b\": y, \"a\": 2}; x > y }", "(x#0 = 2)");
    ACCEPTED("p if { [[x], input.n] = [[input.m], y]; x > y }", "(x#0 = input[\"m\"])");
}

static void
test_taken_apart(void)
{
    ACCEPTED("p if { f(input.xs[i]) == k; k = i + 1 }\nf(x) := x", "(k#1 = (i#0 + 1))");
    ACCEPTED("p if { x + input.xs[x] > 1 }", "= input[\"xs\"][x#0])");
    ACCEPTED("p if { q with input as {\"a\": input.xs[i]}; i > 1 }\nq if input.a", "= input[\"xs\"][i#0])");
    ACCEPTED("p if { f(x, input.xs[x]) }\nf(x, y) if x == y", "= input[\"xs\"][x#0])");
    REFUSED("p if { f(x) + x > 1 }\nf(x) := x", AGC_D_UNSAFE_VARIABLE);
}

static void
test_heads(void)
{
    ACCEPTED("p contains input.xs[_]", "value $1#1\n    ($1#1 = input[\"xs\"][_#0])");
    ACCEPTED("p[input.ks[i]] := input.vs[i]", "key $1#1\n    value $2#2");
    ACCEPTED("p := [input.xs[i] | i > 1]", "($1#1 = input[\"xs\"][i#0]); (i#0 > 1)");
    ACCEPTED("f(x) := x[i] if i > 0", "value $2#2");
    REFUSED("p := x if input.y", AGC_D_UNSAFE_VARIABLE);
    REFUSED("p[x] := 1 if input.y", AGC_D_UNSAFE_VARIABLE);
    REFUSED("p := 1 if false else := x", AGC_D_UNSAFE_VARIABLE);
}

static void
test_closures(void)
{
    ACCEPTED("p if { ys = [y | y = x + 1]; x = input.x; count(ys) > 0 }",
             "(x#2 = input[\"x\"])  @2:30\n    (ys#0 = [y#1 | (y#1 = (x#2 + 1))])");
    ACCEPTED("p if { every k, v in input.xs { v > k; m > v }; m = 3 }", "(m#2 = 3)  @2:49\n    every");
    ACCEPTED("p if { [x | x = 1]; [x | x = 2] }", "[x#0 | (x#0 = 1)]");
    REFUSED("p if { x = [y | y = x] }", AGC_D_UNSAFE_VARIABLE);
    REFUSED("p if every v in input.xs { v > m }", AGC_D_UNSAFE_VARIABLE);
    REFUSED("p := $\"{x}\"", AGC_D_UNSAFE_VARIABLE);
    REFUSED("p := $\"{input.xs[i]}\"", AGC_D_UNSAFE_VARIABLE);
    REFUSED("p := $\"{walk(input)}\"", AGC_D_UNSAFE_VARIABLE);
}

static void
test_negation(void)
{
    ACCEPTED("p if { not startswith(input.x, \"a\") }",
             "($0#0 = input[\"x\"])  @2:23\n    not {startswith($0#0");
    ACCEPTED("p if { not input.x == 1 }", "    not {(input[\"x\"] == 1)}");
    ACCEPTED("p if { not [input.x] == [1] }", "not {(array($0#0) == array(1))}");
    ACCEPTED("p if { not f(input.x[_]) == 1 }\nf(x) := x", "($1#1 = data.t.f(input[\"x\"][_#0]))");
    ACCEPTED("p if { not q(x); x = 1 }\nq(x) if x", "(x#0 = 1)  @2:18\n    not");
    REFUSED("p if { not input.x[_] == 1 }", AGC_D_UNSAFE_VARIABLE);
    REFUSED("p if { not f(input.x[_]) }\nf(x) if x", AGC_D_UNSAFE_VARIABLE);
    // With bodies that may be negated, nothing stands outside of them.
    ACCEPTED("import future.keywords.not\np if { not startswith(input.x, \"a\") }", "not {startswith(input");
    ACCEPTED("import future.keywords.not\np if { not { x = input.x; x > 1 } }", "not {(x#0 = input");
    REFUSED("import future.keywords.not\np if { not x = 1 }", AGC_D_UNSAFE_VARIABLE);
}

static void
test_with(void)
{
    ACCEPTED("p if { q with input as x; x = 1 }\nq if input",
             "(x#0 = 1)  @2:27\n    data[\"t\"][\"q\"] with input as x#0");
    REFUSED("p if { q with input as x }\nq if input", AGC_D_UNSAFE_VARIABLE);
}

// A body in reverse order is settled without a pass for each literal.
static void
test_long(void)
{
    enum { N = 20000 };
    char *text = NULL;
    size_t ntext;
    FILE *f = open_memstream(&text, &ntext);
    fputs("package t\np if {\n", f);
    for (int i = 0; i < N; i++)
        fprintf(f, "x%d = x%d + 1\n", i, i + 1);
    fprintf(f, "x%d = 1\n}\n", N);
    fclose(f);
    struct pb b;
    bool ok = pb_one(&b, text);
    const struct agc_def *def = ok ? b.program.defs[0] : NULL;
    OK(ok && def->body->n == N + 1 && def->body->kid[N]->kid[0]->symbol == 0, "%d literals in reverse order",
       N);
    pb_fini(&b);
    free(text);
}

int
main(void)
{
    test_order();
    test_either_way();
    test_taken_apart();
    test_heads();
    test_closures();
    test_negation();
    test_with();
    test_long();
    return t_done();
}
