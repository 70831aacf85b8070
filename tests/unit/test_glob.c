// SPDX-License-Identifier: Apache-2.0
// Tests of both glob dialects: B2 against answers of Python's fnmatchcase (the reference of that format) and
// against a slow matcher on random texts; glob.match against the documented examples. Bounds at the limit and
// past it.
#include "t.h"
#include "pattern.h"

static const char *const subjects[] = {"",     "a",  "b",   "c",          "ab",      "abc", "ba", "axb",
                                       "a\nb", "日", "日é", "[",          "[a",      "a[",  "]",  "-",
                                       "e",    "^",  "\\",  "\\x",        "*",       "?x",  "!",  "0",
                                       "x",    "ax", "cb",  "deploy/x:y", "db.prod", "xaby"};
static const struct {
    const char *glob, *hits;
} rows[] = {
    {"*", "111111111111111111111111111111"},          {"", "1............................."},
    {"a", ".1............................"},          {"*a", ".1....1.....1................."},
    {"a*", ".1..11.11....1...........1...."},         {"a*b", "....1..11....................."},
    {"*a*b*", "....11.11....................1"},      {"?", ".111.....1.1..11111.1.111....."},
    {"??", "....1.1...1.11.....1.1...11..."},         {"a?c", ".....1........................"},
    {"[abc]", ".111.........................."},      {"[!abc]", ".........1.1..11111.1.111....."},
    {"[a-c]x", ".........................1...."},     {"[!a-c]*", ".........1111.11111111111..111"},
    {"[]]", "..............1..............."},        {"[!]]", ".111.....1.1...1111.1.111....."},
    {"[]a]", ".1............1..............."},       {"[]", ".............................."},
    {"[!]", ".............................."},        {"[", "...........1.................."},
    {"a[", ".............1................"},         {"[a", "............1................."},
    {"[*]", "....................1........."},        {"[?]x", ".....................1........"},
    {"[[]", "...........1.................."},        {"[]-a]", ".1............1..1............"},
    {"[a-]", ".1.............1.............."},       {"[-a]", ".1.............1.............."},
    {"[!-a]", "..11.....1.1..1.111.1.111....."},      {"[--0]", "...............1.......1......"},
    {"[c-a]", ".............................."},      {"[!c-a]", ".111.....1.1..11111.1.111....."},
    {"[ca-cb-a]", ".111.........................."},  {"[a-c-e]", ".111...........11............."},
    {"[^a]", ".1...............1............"},       {"[\\]", "..................1..........."},
    {"\\*", "..................11.........."},        {"[日-本]", ".........1...................."},
    {"?é", "..........1..................."},         {"deploy/*", "...........................1.."},
    {"*.prod", "............................1."},     {"a**b", "....1..11....................."},
    {"*?*", ".11111111111111111111111111111"},        {"*??", "....11111.1.11.....1.1...11111"},
    {"[a][b]*[c]", ".....1........................"}, {"*[a]?b", ".......11....................."},
    {"*[!a]", "..1111.11111.11111111111111111"},
};

static uint8_t memory[8u << 20];

static bool
is_hit(const char *glob, const char *subject)
{
    return ag_glob_match(ag_str_z(glob), ag_str_z(subject));
}

static void
test_table(void)
{
    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
        size_t wrong = 0;
        for (size_t s = 0; s < sizeof(subjects) / sizeof(subjects[0]); s++) {
            if (is_hit(rows[r].glob, subjects[s]) != (rows[r].hits[s] == '1')) {
                printf("# glob %s on subject %s\n", rows[r].glob, subjects[s]);
                wrong++;
            }
        }
        OK(wrong == 0, "B2: %s answers as fnmatch", rows[r].glob);
    }
}

// The meaning of * ? and plain ASCII, by trying everything.
static bool
slow(const char *g, const char *s)
{
    if (!*g)
        return !*s;
    if (*g == '*')
        return slow(g + 1, s) || (*s && slow(g, s + 1));
    return *s && (*g == '?' || *g == *s) && slow(g + 1, s + 1);
}

static void
test_random(void)
{
    uint64_t x = 42;
    int wrong = 0, hits = 0;
    for (int i = 0; i < 100000; i++) {
        char g[12], s[12];
        size_t n[2];
        for (int k = 0; k < 2; k++) {
            x = x * 6364136223846793005u + 1442695040888963407u;
            n[k] = (x >> 33) % 10;
            for (size_t j = 0; j < n[k]; j++) {
                x = x * 6364136223846793005u + 1442695040888963407u;
                (k ? s : g)[j] = (k ? "abab" : "ab*?")[(x >> 33) % 4];
            }
            (k ? s : g)[n[k]] = '\0';
        }
        bool want = slow(g, s);
        hits += want;
        wrong += want != is_hit(g, s);
    }
    OK(wrong == 0 && hits > 1000, "B2: 100000 random globs agree with the slow matcher (%d hits, %d wrong)",
       hits, wrong);
}

static bool
part_is(void (*part)(struct ag_str, struct ag_buf *), const char *glob, const char *want)
{
    char text[64];
    struct ag_buf b;
    ag_buf_init(&b, text, sizeof(text));
    part(ag_str_z(glob), &b);
    return ag_str_is(ag_str_of(b.p, b.n), want);
}

static bool
literal_is(const char *glob, const char *want)
{
    char text[64];
    struct ag_buf b;
    ag_buf_init(&b, text, sizeof(text));
    bool is = ag_glob_literal(ag_str_z(glob), &b);
    return want ? is && ag_str_is(ag_str_of(b.p, b.n), want) : !is && b.n == 0;
}

static void
test_parts(void)
{
    OK(part_is(ag_glob_prefix, "ab*cd", "ab") && part_is(ag_glob_suffix, "ab*cd", "cd"), "prefix and suffix");
    OK(part_is(ag_glob_prefix, "a[*]b?", "a*b") && part_is(ag_glob_suffix, "*x[?]", "x?"),
       "[*] is decoded in them");
    OK(part_is(ag_glob_prefix, "[ab]c", "") && part_is(ag_glob_suffix, "a[bc]", ""), "a class ends them");
    OK(part_is(ag_glob_suffix, "*[", "[") && part_is(ag_glob_prefix, "[x", "[x"), "an unclosed [ is text");
    OK(literal_is("a[*]b", "a*b") && literal_is("[[]", "[") && literal_is("", ""), "literals");
    OK(literal_is("a*", NULL) && literal_is("ab[!c]", NULL) && literal_is("a?", NULL), "not literals");
    OK(ag_glob_is_any(AG_STR("*")) && ag_glob_is_any(AG_STR("***")), "* is any");
    OK(!ag_glob_is_any(AG_STR("")) && !ag_glob_is_any(AG_STR("*a")), "empty and *a are not");
}

static void
test_check(void)
{
    static char text[AG_GLOB_TEXT_MAX + 1];
    struct ag_pattern_error e;
    memset(text, 'a', sizeof(text));
    OK(ag_glob_check(ag_str_of(text, AG_GLOB_TEXT_MAX), &e), "a glob of 4096 bytes is accepted");
    OK(!ag_glob_check(ag_str_of(text, AG_GLOB_TEXT_MAX + 1), &e), "one byte more is refused: %s", e.text);
    OK(!ag_glob_check(AG_STR("ab[c-a]"), &e) && e.offset == 2, "a backwards range is refused: %s", e.text);
    OK(!ag_glob_check(AG_STR("a\xff"), &e) && e.offset == 1, "bad UTF-8 is refused: %s", e.text);
    OK(ag_glob_check(AG_STR("a[b[c*?[!x]"), &e), "odd but meaningful globs are accepted");
}

static void
test_cost(void)
{
    OK(ag_glob_fuel(AG_STR("*abc*def*"), 1000) < 2000, "plain runs cost one pass");
    OK(ag_glob_fuel(AG_STR("*a?c*"), 1000) > 3000 && ag_glob_fuel(AG_STR("*a?c*"), 1000) < 8000,
       "a run with ? costs its length at each place");
}

// 1 match, 0 no match, -1 refused.
static int
opa(const char *glob, const char *delimiters, const char *subject, struct ag_pattern_error *e)
{
    struct ag_arena a;
    struct ag_str blob;
    uint64_t fuel = 100000000;
    ag_arena_init(&a, memory, sizeof(memory));
    size_t mark = ag_arena_mark(&a);
    enum ag_pattern_status st =
        ag_glob_to_pattern(ag_str_z(glob), ag_str_z(delimiters), 0, &a, &fuel, &blob, e);
    if (st != AG_PATTERN_YES)
        return ag_arena_mark(&a) == mark ? -1 : -2;
    if (!ag_pattern_verify(blob.p, blob.n))
        return -3;
    return ag_pattern_match(blob.p, ag_str_z(subject), &a, &fuel) == AG_PATTERN_YES;
}

static const struct {
    const char *glob, *delimiters, *subject;
    int want;
} opa_rows[] = {
    {"*.github.com", ".", "api.github.com", 1},
    {"*.github.com", ".", "api.cdn.github.com", 0},
    {"*.github.com", "", "api.cdn.github.com", 1},
    {"*hub.com", "", "api.cdn.github.com", 1},
    {"*:github:com", ":", "api:github:com", 1},
    {"api.**.com", ".", "api.github.com", 1},
    {"api.**.com", ".", "api.cdn.github.com", 1},
    {"?at", ".", "cat", 1},
    {"?at", ".", "at", 0},
    {"a?b", ".", "a.b", 0},
    {"a?b", "", "a\nb", 1},
    {"[abc]at", ".", "bat", 1},
    {"[abc]at", ".", "lat", 0},
    {"[!abc]at", ".", "lat", 1},
    {"[!abc]at", ".", "cat", 0},
    {"[a-c]at", ".", "cat", 1},
    {"[a-c]at", ".", "lat", 0},
    {"[!a-c]at", ".", "lat", 1},
    {"{cat,bat,[fr]at}", ".", "rat", 1},
    {"{cat,bat,[fr]at}", ".", "cat", 1},
    {"{cat,bat,[fr]at}", ".", "at", 0},
    {"{a,{b,c}d}e", "", "cde", 1},
    {"{a,{b,c}d}e", "", "be", 0},
    {"a,b}", "", "a,b}", 1},
    {"\\*\\[x", "", "*[x", 1},
    {"\\*", "", "a", 0},
    {"a.*", "./", "a.b/c", 0},
    {"日?", "本", "日本", 0},
    {"", "", "", 1},
    {"x{,y}", "", "x", 1},
};

static const struct {
    const char *glob;
    uint32_t offset;
} opa_refused[] = {{"a[", 1},  {"[]", 0},   {"[c-a]", 1}, {"[a-cx]", 4},
                   {"a{b", 3}, {"ab\\", 2}, {"a\xff", 1}, {"[a-", 0}};

static void
test_opa(void)
{
    struct ag_pattern_error e;
    for (size_t i = 0; i < sizeof(opa_rows) / sizeof(opa_rows[0]); i++)
        OK(opa(opa_rows[i].glob, opa_rows[i].delimiters, opa_rows[i].subject, &e) == opa_rows[i].want,
           "glob.match row %zu: %s", i, opa_rows[i].glob);
    for (size_t i = 0; i < sizeof(opa_refused) / sizeof(opa_refused[0]); i++)
        OK(opa(opa_refused[i].glob, ".", "", &e) == -1 && e.offset == opa_refused[i].offset,
           "glob.match row %zu refused at %u: %s", i, e.offset, e.text);
    static char text[AG_GLOB_TEXT_MAX + 2];
    memset(text, '*', AG_GLOB_TEXT_MAX + 1);
    OK(opa(text, ".", "", &e) == -1 && e.offset == AG_GLOB_TEXT_MAX, "one byte past the limit: %s", e.text);
    text[AG_GLOB_TEXT_MAX] = '\0';
    OK(opa(text, "./:", "", &e) == 1, "a glob at the limit compiles");
}

int
main(void)
{
    test_table();
    test_random();
    test_parts();
    test_check();
    test_cost();
    test_opa();
    return t_done();
}
