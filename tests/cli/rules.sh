#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# aegis test over modules: test_ rules that pass, fail, err, are skipped or have cases; names given twice; forms,
# filters, directories with documents and tables, thresholds, exit codes (B32). In: build and source directory.
# Out: TAP.
set -u
. "$2/tests/cli/cli.sh"

mkdir -p good/data
cat >good/a.rego <<'X'
package a

allow if {
	input.user == "bob"
	"admin" in data.data.roles
}
X
cat >good/a_test.rego <<'X'
package a_test

import data.a

test_allow if a.allow with input.user as "bob"

test_deny if not a.allow with input.user as "eve"

todo_test_later if false
X
echo '{"roles":["admin"]}' >good/data/roles.json
cat >bad_test.rego <<'X'
package b_test

test_false if false

test_twice if true

test_twice if false

test_value := 5

test_conflict if c == 1

c := 1 if true

c := input.x if true

test_cases[name] if {
	some name, tc in {"one": {"x": 1}, "two": {"x": 2}, "three": {}}
	tc.x == 1
}

test_all[i] if {
	some i, x in [1, 2]
	x > 0
}
X

run aegis test good
exits 0 "tests that pass"
prints '^PASS: 2/3$' "are counted"
prints '^SKIPPED: 1/3$' "a todo is skipped"
prints '^data.a_test.todo_test_later: SKIPPED$' "and named"
run aegis test good -v
prints '^data.a_test.test_allow: PASS \(' "-v names those that pass"
prints '^good/a_test.rego:5:$' "with their place"
run aegis test good/a.rego good/a_test.rego
exits 1 "without the document a test fails"
prints '^data.a_test.test_allow: FAIL' "and is named"
prints '^  undefined$' "with the reason"

run aegis test bad_test.rego
exits 1 "failures are exit code 1"
prints '^data.b_test.test_twice#01: FAIL' "the second rule of a name is a test of its own"
prints '^  the value is 5, not true$' "a value that is not true fails"
prints '^  two: FAIL$' "a case that fails is named"
prints '^  one: PASS$' "beside those that pass"
prints '^  three: FAIL$' "undefined fails too"
prints '^data.b_test.test_cases: FAIL' "and fails the test"
prints '^PASS: 3/7$' "all cases passing passes the test"
printf 'package e\ntest_err if f(1) == 1\nf(x) := 1\nf(x) := y if y := count([1, 2])\n' >err_test.rego
run aegis test err_test.rego
exits 1 "an error is no pass"
prints '^ERROR: 1/1$' "it is an error"
prints 'eval_conflict_error' "with its text"

run aegis test bad_test.rego -r 'test_(all|twice$)'
exits 0 "-r chooses"
prints '^PASS: 2/2$' "by name"
run aegis test bad_test.rego -r nothing
exits 1 "no test is no success"
run aegis test bad_test.rego --threshold 40
exits 0 "--threshold lowers the bar"
run aegis test bad_test.rego --fail-under 43
exits 1 "to a percentage"

run aegis test bad_test.rego good --format=json
exits 1 "JSON"
prints '^\{"passed":5,"failed":4,"skipped":1,"cases":\[$' "counts"
prints '"name":"test_cases","ok":false,.*"package":"data.b_test","location":\{"file":"bad_test.rego","row":17,"col":1\}' "has places"
prints '"sub_results":\{"one":\{"name":"one"\},"three":\{"name":"three","fail":true\},"two"' "and cases"
run aegis test bad_test.rego good --format=tap
prints '^not ok [0-9]+ - data.b_test.test_false$' "TAP"
prints '^ok [0-9]+ - data.a_test.todo_test_later # SKIP todo$' "with its skipping"
run aegis test bad_test.rego good --format=junit
prints '<testsuite name="bad_test.rego" tests="7" failures="4">' "JUnit"
prints '<skipped/>' "with its skipping"

cat >cov.rego <<'X'
package cov

default allow := false

allow if {
	input.user == "bob"
	some r in input.roles
	r == "admin"
}

deny if {
	input.x
	input.y > 3
}

level := "high" if {
	input.n > 10
} else := "low" if {
	input.n > 5
} else := "none"

unused(x) := y if {
	y := [z | some z in x; z > 1]
}
X
cat >cov_test.rego <<'X'
package cov_test

import data.cov

test_a if cov.allow with input as {"user": "bob", "roles": ["admin"]}

test_b if not cov.deny with input as {"x": 1, "y": 1}

test_d if cov.level == "low" with input.n as 7
X
run aegis test --coverage cov.rego cov_test.rego
exits 0 "coverage"
prints '^  cov.rego: 60.0%; not covered: 3, 11, 16, 20, 22-23$' "names the lines that no test reached"
prints '^  cov_test.rego: 100.0%$' "and those of the tests"
run aegis test --coverage --json --html cov.html cov.rego cov_test.rego
prints '"cov.rego":\{"covered":\[\{"start":\{"row":5\},"end":\{"row":8\}\},' "in the JSON of other tools"
prints '"not_covered_lines":[0-9]+,"coverage":[0-9.]+\}$' "with totals"
grep -q '<span class="x"><i>   11</i> deny if {</span>' cov.html
check $? "and as a page with the sources" "$(head -c 3000 cov.html)"
run aegis test --coverage --threshold 99 cov.rego cov_test.rego
exits 1 "--threshold is then about lines"
prints '% of the lines are covered, 99.00% are wanted' "and says what was reached"

cp -r "$src/stdlib-policies/gateway" tables
run aegis test tables good
exits 0 "a directory with tables and policies"
prints '^PASS: [0-9]+/[0-9]+$' "both are counted"
run aegis test "$src/stdlib-policies"
exits 0 "the standard policies pass"
printf 'package x\n\np if {\n' >broken.rego
run aegis test broken.rego
exits 1 "a module that cannot be compiled"
prints '^broken.rego:[0-9]+:[0-9]+: error\[' "has its errors"
run aegis test good/a.rego
exits 1 "modules without tests are no success"
prints 'no case was run' "and it is said"
mkdir empty
run aegis test empty
exits 1 "nor is an empty directory"
run aegis test gone.rego
exits 3 "a missing file"
printf 'package s\ntest_slow if count([1 | some i in numbers.range(1, 3000); some j in numbers.range(1, 3000); i == j]) == 0\n' >slow_test.rego
run aegis test slow_test.rego --timeout 1
check "$([ "$status" != 0 ] && echo 0 || echo 1)" "a test that takes too long does not pass" "$out $err"
tap_done
