// SPDX-License-Identifier: Apache-2.0
// Expressions: precedence, adjacency, separators, places in the file, limits at the limit and one past it.
#include "t.h"

#include "compiler/check.h"
#include "compiler/parse.h"
#include "compiler/resolve.h"

static struct agc_arena arena;
static struct agc_sources sources;
static struct agc_diags diags;

static struct agc_node *
parse(const char *text, size_t n)
{
    static const struct agc_segment whole = {0, 0};
    agc_arena_fini(&arena);
    sources = (struct agc_sources){0};
    agc_diags_init(&diags, &arena, &sources);
    int ix = agc_source_add(&arena, &sources, AG_STR("q"), ag_str_of(text, n));
    struct agc_text t = {ag_str_of(text, n), (uint32_t)ix, (uint32_t)n, 1, &whole};
    return agc_parse_query(&arena, &diags, &t);
}

// The tree as an s-expression.
static void
show(const struct agc_node *n, char *out, size_t size)
{
    size_t at = strlen(out);
    snprintf(out + at, size - at, "%s%.*s%s", n->n ? "(" : "",
             (int)(n->text.n ? n->text.n : strlen(agc_node_name(n->kind))),
             n->text.n ? n->text.p : agc_node_name(n->kind), n->n ? "" : "");
    for (uint32_t i = 0; i < n->n; i++) {
        at = strlen(out);
        snprintf(out + at, size - at, " ");
        show(n->kid[i], out, size);
    }
    at = strlen(out);
    snprintf(out + at, size - at, "%s", n->n ? ")" : "");
}

static void
tree(const char *text, const char *want)
{
    char got[1000] = "";
    struct agc_node *q = parse(text, strlen(text));
    if (q)
        show(q, got, sizeof got);
    if (!OK(strcmp(got, want) == 0, "tree of %.*s", (int)strcspn(text, "\n"), text))
        printf("# got  %s\n# want %s\n", got, want);
}

static void
bad(const char *text, enum agc_diag_id id)
{
    struct agc_node *q = parse(text, strlen(text));
    OK(!q && diags.n && diags.v[0].id == id, "refused (%s): %.60s", agc_diag_name(id), text);
}

static void
test_trees(void)
{
    tree("1+2*3-4 == 5", "(query (== (- (+ 1 (* 2 3)) 4) 5))");
    tree("1 < 2 < 3", "(query (< (< 1 2) 3))");
    tree("a|b&c", "(query (| a (& b c)))");
    tree("x in [1] in y", "(query (in (in x (array 1)) y))");
    tree("k, v in xs", "(query (member k v xs))");
    tree("not a.b", "(query (not (ref a b)))");
    tree("a.in[\"x\"][b]", "(query (ref a in x b))");
    tree("f(1, g.h(2),)", "(query (call f 1 (call (ref g h) 2)))");
    tree("contains(a, b) == a.contains", "(query (== (call contains a b) (ref a contains)))");
    tree("set() == {1}", "(query (== set (set 1)))");
    tree("{} == {\"a\": 1}", "(query (== object (object a 1)))");
    tree("[,1]", "(query (array 1))");
    tree("{(a | b)}", "(query (set (| a b)))");
    tree("[a+1 | b]", "(query (array (| (+ a 1) b)))");
    tree("-1 - -a.b", "(query (- -1 (negate (ref a b))))");
    tree("a\n-1", "(query (- a 1))");
    tree("a\nb ; c\n\n;d\n", "(query a b c d)");
    tree("a ==\n1 # end\nb", "(query (== a 1) b)");
    tree("a [0]\n", "");
    tree("a\n[0]", "(query a (array 0))");
    tree("a == .5", "(query (== a 0.5))");
    tree("1e30102 + 1e-30102 + 0e99999", "(query (+ (+ 1e30102 1e-30102) 0e99999))");
    tree("\"\\ud800\"", "(query \xef\xbf\xbd)");
    tree("`a\\n` == \"a\\u00e9\\ud83d\\ude00\"", "(query (== a\\n a\xc3\xa9\xf0\x9f\x98\x80))");
}

static void
test_refused(void)
{
    bad("", AGC_D_SYNTAX);
    bad("x y", AGC_D_SYNTAX);
    bad("a .b", AGC_D_SYNTAX);
    bad("01", AGC_D_BAD_NUMBER);
    bad("1_000", AGC_D_BAD_NUMBER);
    bad("1e999999", AGC_D_BAD_NUMBER);
    bad("1e30103", AGC_D_BAD_NUMBER);
    bad("1e-30104", AGC_D_BAD_NUMBER);
    bad("\"a", AGC_D_BAD_STRING);
    bad("\"\\x\"", AGC_D_BAD_STRING);
    bad("`a", AGC_D_BAD_STRING);
    bad("a ~ b", AGC_D_BAD_CHARACTER);
    bad("1(2)", AGC_D_SYNTAX);
    bad("contains x if true", AGC_D_SYNTAX);
}

static void
test_limits(void)
{
    static char text[AGC_EXPR_TEXT_MAX + 2];
    for (int past = 0; past < 2; past++) {
        uint32_t n = AGC_EXPR_DEPTH_MAX - 1 + (uint32_t)past * 2;
        memset(text, '(', n);
        text[n] = 'a';
        memset(text + n + 1, ')', n);
        OK((!parse(text, 2 * n + 1)) == past, "%u brackets are %s", n, past ? "refused" : "read");
        size_t at = 0;
        n = AGC_EXPR_DEPTH_MAX - 2 +
            (uint32_t)past; // operators; the operand and the query are two levels more
        text[at++] = '1';
        for (uint32_t i = 0; i < n; i++) {
            text[at++] = '+';
            text[at++] = '1';
        }
        OK((!parse(text, at)) == past, "a chain of %u operators is %s", n, past ? "refused" : "read");
        text[0] = '"';
        memset(text + 1, 'a', AGC_TOKEN_MAX);
        at = AGC_TOKEN_MAX - 1 + (size_t)past;
        text[at] = '"';
        OK((!parse(text, at + 1)) == past, "a token of %zu bytes is %s", at + 1, past ? "refused" : "read");
        memset(text, ' ', sizeof text);
        text[0] = '1';
        OK((!parse(text, AGC_EXPR_TEXT_MAX + (size_t)past)) == past, "a text of %zu bytes is %s",
           (size_t)AGC_EXPR_TEXT_MAX + (size_t)past, past ? "refused" : "read");
    }
}

// Resolves and checks one expression; returns the id of the first diagnostic, or AGC_DIAG_COUNT.
static enum agc_diag_id
meaning(const char *text)
{
    struct agc_rule rule = {.body = parse(text, strlen(text))};
    struct agc_policy p = {.nrules = 1, .rules = &rule};
    if (rule.body && agc_resolve(&arena, &diags, &p))
        agc_check(&diags, &p);
    return diags.n ? diags.v[0].id : AGC_DIAG_COUNT;
}

static void
test_meaning(void)
{
    OK(meaning("count(input.a) > 1") == AGC_DIAG_COUNT, "a good call");
    OK(meaning("inputt.a") == AGC_D_UNKNOWN_NAME && diags.v[0].fix.p &&
           ag_str_is(diags.v[0].fix, "write input"),
       "near name");
    OK(meaning("cout(input.a) > 1") == AGC_D_UNKNOWN_FUNCTION && ag_str_is(diags.v[0].fix, "write count"),
       "near function");
    OK(meaning("data.x") == AGC_D_NOT_AVAILABLE, "data");
    OK(meaning("internal.member_2(1, [1])") == AGC_D_UNKNOWN_FUNCTION, "internal functions cannot be called");
    OK(meaning("count(input.a, 1) > 1") == AGC_D_WRONG_ARITY, "arity");
    OK(meaning("count(1) == input.x") == AGC_D_TYPE_ERROR, "argument type");
    OK(meaning("1 == \"a\"") == AGC_D_TYPE_ERROR, "comparison of kinds that differ");
    OK(meaning("input.a + \"x\" == 1") == AGC_D_TYPE_ERROR, "operand type");
    OK(meaning("\"a\" in \"abc\"") == AGC_D_TYPE_ERROR, "in needs a collection");
    OK(meaning("{1} - 2 == input.x") == AGC_D_TYPE_ERROR, "set minus number");
    OK(meaning("1 < 2") == AGC_D_CONSTANT_CONDITION, "constant condition");
    OK(meaning("time.clock(time.now_ns())[0] > 3") == AGC_DIAG_COUNT, "what reads the clock is not constant");
    OK(meaning("http.send({}) == 1") == AGC_D_NOT_AVAILABLE && diags.n == 1,
       "one error for a refused function");
    OK(meaning("regex.match(\"(\", input.a)") == AGC_D_BAD_REGEX, "B3: a pattern is tried while compiling");
}

int
main(void)
{
    test_trees();
    test_refused();
    test_limits();
    test_meaning();
    agc_arena_fini(&arena);
    return t_done();
}
