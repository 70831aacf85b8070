// SPDX-License-Identifier: Apache-2.0
// Tests of vm/pattern: every construct with its submatches, every refusal with its place, limits at and past
// the bound, cost by the fuel that was used (never by time), and blobs that were tampered with (B3
// param_matches). The oracle test test_pattern_re2.cc does the wide comparison.
#include "t.h"
#include "pattern.h"

static uint8_t memory[48u << 20];
static struct ag_arena arena;
static struct ag_pattern_error error;

static enum ag_pattern_status
compile(struct ag_str text, unsigned flags, struct ag_str *blob)
{
    ag_arena_init(&arena, memory, sizeof(memory));
    return ag_pattern_compile(text, flags, &arena, NULL, blob, &error);
}

// "from-to" of each group, `.` for none, joined by blanks; "no" without a match; "?" when the bounds do not
// hold.
static void
describe(const char *blob, struct ag_str subject, char *out, size_t size)
{
    struct ag_pattern_span spans[16];
    uint32_t n = ag_pattern_groups(blob);
    uint64_t fuel = ag_pattern_fuel_max(blob, subject.n), fuel_match = fuel;
    enum ag_pattern_status yes = ag_pattern_match(blob, subject, &arena, &fuel_match);
    enum ag_pattern_status found = ag_pattern_find(blob, subject, 0, spans, n, &arena, &fuel);
    size_t at = 0;
    out[0] = '\0';
    if (yes != found || (yes != AG_PATTERN_YES && yes != AG_PATTERN_NO))
        snprintf(out, size, "? match %d find %d", (int)yes, (int)found);
    else if (yes == AG_PATTERN_NO)
        snprintf(out, size, "no");
    for (uint32_t i = 0; yes == found && yes == AG_PATTERN_YES && i < n && at < size; i++) {
        const char *gap = i ? " " : "";
        if (spans[i].from == AG_PATTERN_NONE)
            at += (size_t)snprintf(out + at, size - at, "%s.", gap);
        else
            at += (size_t)snprintf(out + at, size - at, "%s%u-%u", gap, spans[i].from, spans[i].to);
    }
}

static const struct {
    const char *pattern, *subject, *want;
} rows[] = {
    {"", "", "0-0"},
    {"", "abc", "0-0"},
    {"abc", "xabcx", "1-4"},
    {"^abc", "abcd", "0-3"},
    {"^abc", "xabc", "no"},
    {"abc$", "xabc", "1-4"},
    {"abc$", "abc\n", "no"},
    {"^abc$", "abc", "0-3"},
    {"^$", "", "0-0"},
    {"^$", "a", "no"},
    {"a.c", "a\nc abc", "4-7"},
    {"(?s)a.c", "a\nc", "0-3"},
    {"a|b", "xb", "1-2"},
    {"a|ab", "ab", "0-1"},
    {"(a|ab)(c|bcd)", "abcd", "0-4 0-1 1-4"},
    {"(a+)(b+)", "aabb", "0-4 0-2 2-4"},
    {"(a*)*", "aaa", "0-3 0-3"},
    {"(a|b)*", "abb", "0-3 2-3"},
    {"(|a)*", "aa", "0-0 0-0"},
    {"(|a)+", "aa", "0-0 0-0"},
    {"(a*)+", "b", "0-0 0-0"},
    {"a*?b", "aab", "0-3"},
    {"a+?", "aaa", "0-1"},
    {"a??", "a", "0-0"},
    {"(?U)a+", "aaa", "0-1"},
    {"(?U)a+?", "aaa", "0-3"},
    {"a{2}", "aaa", "0-2"},
    {"a{2,}", "aaaa", "0-4"},
    {"a{1,2}", "aaa", "0-2"},
    {"a{1,2}?", "aaa", "0-1"},
    {"(a){0}b", "ab", "1-2 ."},
    {"a{0}", "a", "0-0"},
    {"a{,2}", "a{,2}", "0-5"},
    {"a{x", "a{x", "0-3"},
    {"a{01}", "a{01}", "0-5"},
    {"[abc]+", "xxbca", "2-5"},
    {"[^abc]+", "abxyc", "2-4"},
    {"[a-cx-z]+", "mbyn", "1-3"},
    {"[]a]+", "x]a", "1-3"},
    {"[^]a]+", "]ax", "2-3"},
    {"[a-]+", "x-a", "1-3"},
    {"[\\d.]+", "a1.5", "1-4"},
    {"[[:alpha:]]+", "1ab2", "1-3"},
    {"[[:^alpha:]]+", "ab12", "2-4"},
    {"[[:word:]]+", " a_1", "1-4"},
    {"[^\\x{0}-\\x{10FFFF}]", "a", "no"},
    {"\\d+", "ab12", "2-4"},
    {"\\D+", "12ab", "2-4"},
    {"\\s", "a\vb\fc", "3-4"},
    {"\\S+", " ab ", "1-3"},
    {"\\w+", "-a_9-", "1-4"},
    {"\\W+", "a-+b", "1-3"},
    {"\\bfoo\\b", "a foo b", "2-5"},
    {"\\bfoo\\b", "afoo", "no"},
    {"\\Boo\\b", "foo", "1-3"},
    {"\\B",
     "a\xc3\xa9"
     "a",
     "no"}, // between code points only, as in Go
    {"\\Aab\\z", "ab", "0-2"},
    {"(?m)^b$", "a\nb\nc", "2-3"},
    {"(?m)a$", "a\nb", "0-1"},
    {"(?m)\\Ab", "a\nb", "no"},
    {"(?i)abc", "xAbC", "1-4"},
    {"(?i)k", "\xe2\x84\xaa", "0-3"},    // Kelvin sign
    {"(?i)\xcf\x83", "\xcf\x82", "0-2"}, // final sigma
    {"(?i)[^k]", "\xe2\x84\xaaK", "no"},
    {"(?i:a)b", "AB Ab", "3-5"},
    {"(?i)a(?-i)b", "AB Ab", "3-5"},
    {"a(?i)b|c", "C", "0-1"},
    {"(?:a(?i)b)c", "aBC aBc", "4-7"},
    {"(?P<n>a)(?<m>b)", "ab", "0-2 0-1 1-2"},
    {"(?:ab)+", "ababa", "0-4"},
    {"\\.\\*\\[", "x.*[", "1-4"},
    {"\\Qa.b*\\E+", "a.b**", "0-5"},
    {"\\Qa.b", "a.b", "0-3"},
    {"\\x41\\x{e9}\\101\\07",
     "A\xc3\xa9"
     "A\a",
     "0-5"},
    {"\\a\\f\\t\\n\\r\\v", "\a\f\t\n\r\v", "0-6"},
    {"\\_", "_", "0-1"},
    {"\xc3\xa9+", "x\xc3\xa9\xc3\xa9", "1-5"},
    {"^.$", "\xf0\x9f\x98\x80", "0-4"},
    {"^.$", "\xe6\x97\xa5", "0-3"},
    {"^.$", "\xed\xa0\x80", "no"}, // a surrogate is no code point
    {"^[^a]$", "\xc0\x80", "no"},  // an overlong form neither
    {"[\xc3\xa0-\xc3\xbf]+", "a\xc3\xa9\xc3\xbf", "1-5"},
    {"\\x{D800}", "\xed\xa0\x80", "no"},
    {"\\pL+", "1\xc3\xa9z", "1-4"},
    {"\\p{Greek}", "a\xce\xb1", "1-3"},
    {"\\P{Greek}",
     "\xce\xb1"
     "a",
     "2-3"},
    {"\\p{^Lu}", "Aa", "1-2"},
    {"[\\pN\\p{Han}]+", "a1\xe6\x97\xa5", "1-5"},
    {"[^\\PL]", "1a", "1-2"},
    {"\\p{Any}", "a", "0-1"},
    {"a(?i)*", "aa", "0-2"},
    {"^*a", "a", "0-1"},
    {"(?:a*)*", "aa", "0-2"},
    {"x*", "aaa", "0-0"},
    {"(a)|(b)", "b", "0-1 . 0-1"},
    {"^(?:(a)|b)*$", "ab", "0-2 0-1"},
    {"[a-z]+@[a-z]+\\.com", "to me@example.com now", "3-17"},
    {"^DROP\\s+TABLE", "DROP \t TABLE", "0-12"},
    {"S|^a", "ba", "no"},
    {"ab(?:)", "cb", "no"},
    {"ab(?:)", "cab", "1-3"},
    {"^(?:)ab(?:)c$", "abc", "0-3"},
    {"(?:)$", "ab", "2-2"},
    {"S|^a", "aS", "0-1"},
};

static void
test_rows(void)
{
    char got[2][256];
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (unsigned flags = 0; flags < 2; flags++) {
            struct ag_str blob;
            enum ag_pattern_status st = compile(ag_str_z(rows[i].pattern), flags, &blob);
            if (st != AG_PATTERN_YES)
                snprintf(got[flags], sizeof(got[0]), "refused at %u: %s", error.offset, error.text);
            else if (!ag_pattern_verify(blob.p, blob.n))
                snprintf(got[flags], sizeof(got[0]), "blob refused");
            else
                describe(blob.p, ag_str_z(rows[i].subject), got[flags], sizeof(got[0]));
        }
        bool is_right = !strcmp(got[0], rows[i].want) && !strcmp(got[1], rows[i].want);
        OK(is_right, "row %zu: %s", i, rows[i].pattern);
        if (!is_right)
            printf("# got %s, without DFA %s\n", got[0], got[1]);
    }
}

static const struct {
    const char *pattern;
    uint32_t offset;
    const char *word; // in the message
} refusals[] = {
    {"a(?=b)", 1, "look-ahead"},
    {"(?!b)", 0, "look-ahead"},
    {"(?<=b)", 0, "look-behind"},
    {"ab(?<!b)", 2, "look-behind"},
    {"(a)\\1", 3, "back-reference"},
    {"(?P<n>a)(?P=n)", 8, "back-reference"},
    {"(?P>n)", 0, "recursion"},
    {"(?>a)", 0, "atomic"},
    {"(?|a)", 0, "branch reset"},
    {"(?(1)a)", 0, "conditional"},
    {"(?#a)", 0, "comment"},
    {"(?x)a", 0, "flag"},
    {"(?i-)a", 0, "flag"},
    {"(?i", 0, "flag"},
    {"\\C", 0, "\\C"},
    {"\\Z", 0, "\\Z"},
    {"\\Ga", 0, "not supported"},
    {"a\\q", 1, "unknown escape"},
    {"a\\E", 1, "unknown escape"},
    {"\\", 0, "trailing"},
    {"[\\b]", 1, "unknown escape"},
    {"\\x4", 0, "\\x"},
    {"\\x{}", 0, "\\x"},
    {"\\x{110000}", 0, "\\x"},
    {"\\p", 0, "Unicode"},
    {"\\p{Greek", 0, "Unicode"},
    {"a\\p{Klingon}", 1, "Klingon"},
    {"[[:foo:]]", 1, "foo"},
    {"a[b", 1, "missing ]"},
    {"[]", 0, "missing ]"},
    {"[z-a]", 1, "backwards"},
    {"[a-\\d]", 3, "unknown escape"},
    {"(a", 0, "missing )"},
    {"a)", 1, "unexpected )"},
    {"*", 0, "nothing to repeat"},
    {"a|*", 2, "nothing to repeat"},
    {"(+)", 1, "nothing to repeat"},
    {"{2}", 0, "nothing to repeat"},
    {"a**", 2, "repetition of a repetition"},
    {"a++", 2, "repetition of a repetition"},
    {"a{2}{3}", 4, "repetition of a repetition"},
    {"a{1001}", 1, "1000"},
    {"a{99999999999999}", 1, "1000"},
    {"a{3,2}", 1, "rise"},
    {"(?:a{50}){50}", 9, "1000"},
    {"(?P<>a)", 4, "group name"},
    {"(?P<n", 4, "group name"},
    {"(?<a-b>c)", 3, "group name"},
    {"(?P<n>a)(?P<n>b)", 12, "twice"},
    {"ab\xff", 2, "UTF-8"},
    {"\xed\xa0\x80", 0, "UTF-8"},
};

static void
test_refusals(void)
{
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        struct ag_str blob;
        memset(&error, 0, sizeof(error));
        enum ag_pattern_status st = compile(ag_str_z(refusals[i].pattern), 0, &blob);
        OK(st == AG_PATTERN_BAD && error.offset == refusals[i].offset &&
               strstr(error.text, refusals[i].word) && ag_arena_mark(&arena) == AG_ARENA_RESERVED,
           "refusal %zu at %u: %s", i, error.offset, error.text);
    }
}

// `n` times `what` between `before` and `after`, in memory that stays.
static struct ag_str
repeated(const char *before, const char *what, size_t n, const char *after)
{
    static char text[AG_PATTERN_TEXT_MAX + 64];
    struct ag_buf b;
    ag_buf_init(&b, text, sizeof(text));
    ag_buf_str(&b, ag_str_z(before));
    for (size_t i = 0; i < n; i++)
        ag_buf_str(&b, ag_str_z(what));
    ag_buf_str(&b, ag_str_z(after));
    return ag_str_of(b.p, b.n);
}

static bool
accepts(struct ag_str text)
{
    struct ag_str blob;
    error.text[0] = '\0';
    return compile(text, 0, &blob) == AG_PATTERN_YES && ag_pattern_verify(blob.p, blob.n);
}

static struct ag_str
nested(size_t n)
{
    static char text[4 * AG_PATTERN_DEPTH_MAX];
    memset(text, '(', n);
    text[n] = 'a';
    memset(text + n + 1, ')', n);
    return ag_str_of(text, 2 * n + 1);
}

static void
test_limits(void)
{
    OK(accepts(repeated("", "a", AG_PATTERN_TEXT_MAX, "")), "32768 bytes of text are accepted");
    OK(!accepts(repeated("", "a", AG_PATTERN_TEXT_MAX + 1, "")), "one more is refused: %s", error.text);
    OK(accepts(nested(AG_PATTERN_DEPTH_MAX)), "250 nested groups are accepted");
    OK(!accepts(nested(AG_PATTERN_DEPTH_MAX + 1)), "251 are refused: %s", error.text);
    OK(accepts(repeated("", "(a)", AG_PATTERN_GROUP_MAX - 1, "")), "999 groups are accepted");
    OK(!accepts(repeated("", "(a)", AG_PATTERN_GROUP_MAX, "")), "1000 are refused: %s", error.text);
    OK(accepts(AG_STR("(?:a{20}){50}")), "nested repeats of 1000 are accepted");
    OK(!accepts(AG_STR("(?:a{21}){50}")), "of 1050 are refused: %s", error.text);
    // A match instruction and 1000 per repeat: 65 * 1000 fit, and 535 more are the last.
    OK(accepts(repeated("[ab]{535}", "[ab]{1000}", 65, "")), "65536 instructions are accepted");
    OK(!accepts(repeated("[ab]{536}", "[ab]{1000}", 65, "")), "one more is refused: %s", error.text);
    OK(!accepts(repeated("a", "(?i)*", 1001, "")), "operators without groups cannot nest further: %s",
       error.text);
}

static void
test_small_memory(void)
{
    static const char *const texts[] = {"(?i)[a-z]{3}(\\pL|b)+$", "abc", "(a|b)*c{2,5}"};
    for (size_t t = 0; t < 3; t++) {
        size_t fails = 0, wrong = 0;
        for (size_t size = AG_ARENA_RESERVED; size < 400000; size += 1 + size / 50) {
            struct ag_str blob;
            ag_arena_init(&arena, memory, size);
            enum ag_pattern_status st =
                ag_pattern_compile(ag_str_z(texts[t]), 0, &arena, NULL, &blob, &error);
            fails += st == AG_PATTERN_ARENA;
            wrong += st != AG_PATTERN_ARENA && (st != AG_PATTERN_YES || !ag_pattern_verify(blob.p, blob.n));
        }
        OK(fails > 0 && wrong == 0, "%s in arenas of every size: done or refused as too small", texts[t]);
        fails = wrong = 0;
        for (uint64_t units = 0; units < 60000; units += 1 + units / 20) {
            struct ag_str blob;
            uint64_t fuel = units;
            ag_arena_init(&arena, memory, sizeof(memory));
            enum ag_pattern_status st =
                ag_pattern_compile(ag_str_z(texts[t]), 0, &arena, &fuel, &blob, &error);
            fails += st == AG_PATTERN_FUEL && fuel == 0;
            wrong += st != AG_PATTERN_FUEL && (st != AG_PATTERN_YES || !ag_pattern_verify(blob.p, blob.n));
        }
        OK(fails > 0 && wrong == 0, "%s with every amount of fuel: done or out of fuel", texts[t]);
    }
    struct ag_str blob;
    compile(AG_STR("a(b*)c"), AG_PATTERN_NO_DFA, &blob);
    uint64_t fuel = 3;
    struct ag_pattern_span span[2];
    OK(ag_pattern_match(blob.p, AG_STR("xxxxabbbc"), &arena, &fuel) == AG_PATTERN_FUEL && fuel == 0,
       "match out of fuel");
    fuel = 1000;
    size_t used = arena.used;
    arena.size = used + 100;
    OK(ag_pattern_find(blob.p, AG_STR("abc"), 0, span, 2, &arena, &fuel) == AG_PATTERN_ARENA &&
           arena.used == used,
       "find out of arena leaves the arena as it was");
}

// Fuel that one match takes on n times "a", UINT64_MAX when it broke its bound; writes the size of the
// program.
static uint64_t
cost(const char *pattern, unsigned flags, size_t n, uint64_t *ret_insns)
{
    static char text[1 << 16];
    struct ag_str blob;
    uint64_t fuel = UINT64_MAX;
    memset(text, 'a', n);
    if (compile(ag_str_z(pattern), flags, &blob) != AG_PATTERN_YES)
        return UINT64_MAX;
    uint64_t bound = ag_pattern_fuel_max(blob.p, n);
    enum ag_pattern_status st = ag_pattern_match(blob.p, ag_str_of(text, n), &arena, &fuel);
    uint64_t took = UINT64_MAX - fuel;
    *ret_insns = ag_pattern_fuel_max(blob.p, 0) / 2;
    return (st == AG_PATTERN_YES || st == AG_PATTERN_NO) && took <= bound ? took : UINT64_MAX;
}

static void
test_worst_cases(void)
{
    static const char *const texts[] = {
        "(a*)*b",           "(a+)+b",   "(a|a)*b",     "(a|aa)+$", "(.*)(.*)(.*)(.*)b", "((a?){20}a{20})*b",
        "(?:a?){30}a{30}b", "a{1000}b", "(((a*)*)*)*b"};
    uint64_t insns;
    for (size_t t = 0; t < sizeof(texts) / sizeof(texts[0]); t++) {
        uint64_t once = cost(texts[t], AG_PATTERN_NO_DFA, 5000, &insns);
        uint64_t twice = cost(texts[t], AG_PATTERN_NO_DFA, 10000, &insns);
        // Threads fill the program once at the start; after that every byte costs the same.
        OK(twice != UINT64_MAX && twice <= 2 * once + insns * insns,
           "%s: twice the text, twice the fuel (%llu, %llu)", texts[t], (unsigned long long)once,
           (unsigned long long)twice);
    }
    OK(cost("(a*)*b", 0, 10000, &insns) == 10001, "with a table every byte costs one unit");
    OK(cost("(a|b)*a(a|b){40}c", 0, 2000, &insns) != UINT64_MAX,
       "a table of 2^40 states is left out, the program answers");
}

static void
test_iterate(void)
{
    static const struct {
        const char *pattern, *subject, *want;
    } all[] = {
        {"a", "banana", "1-2 3-4 5-6 "},
        {"a*", "baac", "0-0 1-3 4-4 "},
        {"", "a\xc3\xa9", "0-0 1-1 3-3 "},
        {"^a", "aaa", "0-1 "},
        {"\\b", "ab c", "0-0 2-2 3-3 4-4 "},
        {"[a-z]+$", "ab cd", "3-5 "},
        {"x", "abc", ""},
        {"$", "ab", "2-2 "},
        {"a|", "aba", "0-1 2-3 "},
    };
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        struct ag_str blob;
        char got[128] = "";
        size_t at = 0;
        compile(ag_str_z(all[i].pattern), 0, &blob);
        struct ag_pattern_iter it = {.subject = ag_str_z(all[i].subject)};
        struct ag_pattern_span s;
        uint64_t fuel = 100000;
        while (ag_pattern_next(blob.p, &it, &s, 1, &arena, &fuel) == AG_PATTERN_YES && at < 100)
            at += (size_t)snprintf(got + at, sizeof(got) - at, "%u-%u ", s.from, s.to);
        OK(!strcmp(got, all[i].want), "all of %s in %s: %s", all[i].pattern, all[i].subject, got);
    }
}

static void
test_names(void)
{
    struct ag_str blob;
    compile(AG_STR("(a)(?P<year>\\d+)-(?<m_1>\\d+)"), 0, &blob);
    OK(ag_pattern_groups(blob.p) == 4, "groups count group 0");
    OK(ag_pattern_group_named(blob.p, AG_STR("year")) == 2 &&
           ag_pattern_group_named(blob.p, AG_STR("m_1")) == 3,
       "named groups have their numbers");
    OK(ag_pattern_group_named(blob.p, AG_STR("yea")) == AG_PATTERN_NONE, "an unknown name has none");
    OK(ag_str_is(ag_pattern_group_name(blob.p, 3), "m_1") && ag_pattern_group_name(blob.p, 1).n == 0,
       "names by number");
    compile(AG_STR("abc"), 0, &blob);
    OK(ag_pattern_is_fast(blob.p), "plain text needs no program");
}

static uint64_t random_state = 1;

static uint32_t
rnd(uint32_t n)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % n;
}

static void
use(const uint8_t *blob, struct ag_str subject)
{
    struct ag_pattern_span spans[3];
    uint64_t fuel = 20000;
    ag_pattern_match(blob, subject, &arena, &fuel);
    fuel = 20000;
    ag_pattern_find(blob, subject, subject.n / 2, spans, 3, &arena, &fuel);
    ag_pattern_group_named(blob, AG_STR("n"));
    ag_pattern_group_name(blob, 1);
}

// Blobs with changed bytes and cut ends: refused, or safe to run (the sanitizer builds check that).
static void
test_mutations(void)
{
    static const char *const texts[] = {"(?P<n>a|b)*c\\b", "^\\pN+$", "abc", "(x*)*y{2,3}", "\\B[^a]"};
    static uint8_t copy[1 << 17];
    unsigned accepted = 0;
    for (int i = 0; i < 100000; i++) {
        static struct ag_str blob;
        if (i % 20000 == 0)
            compile(ag_str_z(texts[i / 20000]), i / 20000 == 1 ? AG_PATTERN_NO_DFA : 0, &blob);
        memcpy(copy, blob.p, blob.n);
        size_t n = rnd(20) ? blob.n : rnd((uint32_t)blob.n + 1);
        for (uint32_t k = rnd(3) + 1; k; k--) {
            uint32_t at = rnd(3) ? rnd((uint32_t)blob.n) : rnd(160) % (uint32_t)blob.n;
            copy[at] = (uint8_t)(rnd(2) ? rnd(256) : copy[at] ^ 1u << rnd(8));
        }
        uint8_t *exact = malloc(n ? n : 1); // of exactly this size, so that one byte too far is seen
        memcpy(exact, copy, n);
        if (ag_pattern_verify(exact, n)) {
            accepted++;
            use(exact, AG_STR("xxabc yyy 123 a\xc3\xa9"));
        }
        free(exact);
    }
    OK(accepted > 1000 && accepted < 99000, "100000 tampered blobs: %u accepted and run, the rest refused",
       accepted);
    OK(!ag_pattern_verify("", 0) && !ag_pattern_verify("AGPT", 4), "no blob at all is refused");
}

int
main(void)
{
    test_rows();
    test_refusals();
    test_limits();
    test_small_memory();
    test_worst_cases();
    test_iterate();
    test_names();
    test_mutations();
    return t_done();
}
