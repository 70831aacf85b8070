// SPDX-License-Identifier: Apache-2.0
// Numbers: grammar and limits, spelling, order, hash, arithmetic as Open Policy Agent does it (vectors
// computed with Go's math/big), conversions to and from doubles; then random operations against the x87 unit
// and MPFR, both of which round a 64-bit mantissa to nearest even.
#include "t.h"

#include "num.h"

#include <float.h>
#include <math.h>

#ifdef AEGIS_HAVE_MPFR
#include <mpfr.h>
#endif

static _Alignas(64) char memory[1 << 20];
static struct ag_arena arena;
static char out_mem[AG_NUM_OUT_MAX];

static void
fresh(void)
{
    ag_arena_init(&arena, memory, sizeof memory);
}

static struct ag_num
num(const char *text)
{
    struct ag_num n = {NULL, 0};
    if (ag_num_parse(ag_str_z(text), &arena, &n))
        printf("# %s does not parse\n", text);
    return n;
}

static struct ag_str
printed(struct ag_num n)
{
    struct ag_buf b;
    ag_buf_init(&b, out_mem, sizeof out_mem);
    ag_num_put(&b, n);
    return ag_str_of(b.p, b.is_full ? 0 : b.n);
}

static int
prints(struct ag_num n, const char *want)
{
    struct ag_str got = printed(n);
    if (!ag_str_is(got, want))
        printf("# got %.*s, want %s\n", (int)got.n, got.p, want);
    return ag_str_is(got, want);
}

static int
is_sound(struct ag_num n)
{
    return !n.rec || ag_num_rec_check(n.rec, n.rec->size);
}

static enum ag_num_status
calc(char op, struct ag_num x, struct ag_num y, struct ag_num *ret)
{
    switch (op) {
    case '+': return ag_num_add(x, y, &arena, ret);
    case '-': return ag_num_sub(x, y, &arena, ret);
    case '*': return ag_num_mul(x, y, &arena, ret);
    case '/': return ag_num_div(x, y, &arena, ret);
    case '%': return ag_num_mod(x, y, &arena, ret);
    case 'f': return ag_num_floor(x, &arena, ret);
    case 'c': return ag_num_ceil(x, &arena, ret);
    case 'r': return ag_num_round(x, &arena, ret);
    default: return ag_num_abs(x, &arena, ret);
    }
}

// --- reading

static void
test_grammar(void)
{
    static const char *const good[] = {"0",    "-0",   "1",     "-1",  "1.0",  "0.5",     "-0.5e-3", "1e2",
                                       "1E+2", "1e00", "10.50", "0e5", "0.00", "1e99999", "1e-99999"};
    static const char *const bad[] = {"",     "-",   "+1",    "01",  "-01",  "1.",      ".5",
                                      "1e",   "1e+", "0x1",   "1_0", "1.e1", "NaN",     "inf",
                                      " 1",   "1 ",  "1a",    "--1", "1-",   "1.5.5",   "e1",
                                      "1e1e", "1,0", "1e1.5", "-.5", "1.0f", "\xc2\xb2"};
    struct ag_num n;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        fresh();
        OK(!ag_num_parse(ag_str_z(good[i]), &arena, &n) && prints(n, good[i]) && is_sound(n),
           "%s is read and keeps its spelling", good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        OK(ag_num_parse(ag_str_z(bad[i]), &arena, &n) == AG_NUM_SYNTAX, "\"%s\" is refused", bad[i]);
    OK(ag_num_parse(ag_str_of("1\0", 2), &arena, &n) == AG_NUM_SYNTAX, "a NUL is refused");
}

static void
test_inline(void)
{
    fresh();
    static const char *const inlined[] = {"0",
                                          "7",
                                          "-7",
                                          "9223372036854775807",
                                          "-9223372036854775808",
                                          "1000000000000000000",
                                          "-1000000000000000000"};
    for (size_t i = 0; i < sizeof inlined / sizeof inlined[0]; i++) {
        struct ag_num n = num(inlined[i]);
        OK(!n.rec && prints(n, inlined[i]), "%s is inline", inlined[i]);
    }
    static const char *const kept[] = {"9223372036854775808", "-9223372036854775809", "-0", "7.0", "7e0",
                                       "10000000000000000000"};
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        struct ag_num n = num(kept[i]);
        OK(n.rec && prints(n, kept[i]) && is_sound(n), "%s is a record", kept[i]);
    }
    int64_t v = 0;
    OK(ag_num_to_int64(num("7.0"), &v) && v == 7 && ag_num_to_int64(num("-9223372036854775808.0"), &v) &&
           v == INT64_MIN && ag_num_to_int64(num("-0"), &v) && v == 0,
       "whole numbers that fit convert");
    OK(!ag_num_to_int64(num("9223372036854775808"), &v) && !ag_num_to_int64(num("0.5"), &v) && v == 0,
       "others do not, and leave the result alone");
    OK(ag_num_is_int(num("1e30")) && ag_num_is_int(num("100e-2")) && !ag_num_is_int(num("1e-1")),
       "whole or not");
}

static void
test_limits(void)
{
    static char text[AG_NUM_TEXT_MAX + 2];
    struct ag_num n;
    fresh();
    memset(text, '7', AG_NUM_TEXT_MAX + 1);
    OK(!ag_num_parse(ag_str_of(text, AG_NUM_TEXT_MAX), &arena, &n) && n.rec->digits_n == AG_NUM_TEXT_MAX &&
           is_sound(n),
       "as many bytes of text as the limit says are read");
    OK(ag_num_parse(ag_str_of(text, AG_NUM_TEXT_MAX + 1), &arena, &n) == AG_NUM_TOO_LONG,
       "one more is refused");
    OK(!ag_num_parse(AG_STR("0e100000"), &arena, &n) && !ag_num_parse(AG_STR("0.1e100000"), &arena, &n) &&
           !ag_num_parse(AG_STR("0.1e-100000"), &arena, &n),
       "exponent 100000 is read");
    OK(ag_num_parse(AG_STR("0e100001"), &arena, &n) == AG_NUM_RANGE &&
           ag_num_parse(AG_STR("1e-100001"), &arena, &n) == AG_NUM_RANGE &&
           ag_num_parse(AG_STR("1e999999999999999999999"), &arena, &n) == AG_NUM_RANGE,
       "exponent 100001 is refused");
    OK(ag_num_parse(AG_STR("1e100000"), &arena, &n) == AG_NUM_RANGE,
       "a leading digit past 10^100000 is refused");
    OK(ag_num_parse(AG_STR("0.01e-100000"), &arena, &n) == AG_NUM_RANGE, "and one below 10^-100000");
    OK(ag_num_mul(num("1e99999"), num("100"), &arena, &n) == AG_NUM_RANGE,
       "a product past the range is an error");
    OK(ag_num_div(num("1e-99999"), num("1e99999"), &arena, &n) == AG_NUM_RANGE, "a quotient below it too");
    OK(!ag_num_mul(num("1e99998"), num("10"), &arena, &n) && printed(n).n == AG_NUM_EXP_MAX,
       "the largest prints");
    OK(ag_num_floor(num("1e2558"), &arena, &n) == AG_NUM_OK && printed(n).n >= 2558,
       "exact digits up to the limit");
    OK(ag_num_floor(num("1e2561"), &arena, &n) == AG_NUM_TOO_LONG, "more exact digits are refused");

    struct ag_arena small;
    ag_arena_init(&small, memory, AG_ARENA_RESERVED + 39);
    OK(ag_num_parse(AG_STR("0.5"), &small, &n) == AG_NUM_FULL, "an arena one byte short is full");
    ag_arena_init(&small, memory, AG_ARENA_RESERVED + 40);
    OK(ag_num_parse(AG_STR("0.5"), &small, &n) == AG_NUM_OK && small.used == small.size,
       "0.5 takes 40 bytes");
    OK(ag_num_add(n, n, &small, &n) == AG_NUM_OK && !n.rec && n.i == 1, "an inline result needs no arena");
}

// --- foreign records

static void
test_check(void)
{
    fresh();
    struct ag_num n = num("-12.50e1");
    _Alignas(8) char copy[64];
    size_t size = n.rec->size;
    OK(size <= sizeof copy && ag_num_rec_check(n.rec, size) && ag_num_rec_check(n.rec, size + 8),
       "a record is sound");
    int caught = 1;
    for (size_t cut = 0; cut < size; cut++)
        caught &= !ag_num_rec_check(n.rec, cut);
    OK(caught, "a cut record is refused");
    int refused = 0, changed = 0;
    for (size_t bit = 0; bit < size * 8; bit++) {
        memcpy(copy, n.rec, size);
        copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
        changed++;
        int ok = ag_num_rec_check(copy, size);
        // 'e' and 'E' spell the same value: the one change that keeps a record sound
        if (ok)
            printf("# bit %zu of byte %zu is not noticed\n", bit % 8, bit / 8);
        refused += !ok;
    }
    OK(refused == changed - 1, "every changed bit but the case of the exponent letter is noticed");
}

// --- order and hash

static void
test_order(void)
{
    static const char *const up[] = {"-1e99999",
                                     "-9223372036854775809",
                                     "-9223372036854775808",
                                     "-1.5",
                                     "-1",
                                     "-1e-99999",
                                     "0",
                                     "1e-99999",
                                     "0.1",
                                     "0.1000000000000000000000000000000000001",
                                     "0.2",
                                     "1",
                                     "1.0000000000000000000000000000000000001",
                                     "9007199254740992.5",
                                     "9007199254740993",
                                     "9223372036854775807",
                                     "9223372036854775807.5",
                                     "9223372036854775808",
                                     "28857836529306024611912",
                                     "28857836529306024611913",
                                     "1e99999"};
    fresh();
    int good = 1, hashes = 1;
    for (size_t i = 0; i < sizeof up / sizeof up[0]; i++)
        for (size_t k = 0; k < sizeof up / sizeof up[0]; k++) {
            int c = ag_num_cmp(num(up[i]), num(up[k]));
            good &= (c < 0) == (i < k) && (c > 0) == (i > k);
            hashes &= (ag_num_hash(num(up[i]), 5) == ag_num_hash(num(up[k]), 5)) == (i == k);
        }
    OK(good, "order is exact, never rounded");
    OK(hashes, "different values hash differently here");
    static const char *const same[][2] = {
        {"1", "1.0"},      {"1", "1e0"},    {"100", "1e2"},
        {"0", "-0"},       {"0", "0.0e5"},  {"0.5", "5e-1"},
        {"1.50", "1.5"},   {"-7", "-7.00"}, {"9223372036854775808", "9223372036854775808.0"},
        {"1e30", "10e29"}, {"0.10", "0.1"}, {"9223372036854775807", "9223372036854775807.0"}};
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        struct ag_num a = num(same[i][0]), b = num(same[i][1]);
        OK(ag_num_cmp(a, b) == 0 && ag_num_hash(a, 1) == ag_num_hash(b, 1), "%s is %s", same[i][0],
           same[i][1]);
    }
    OK(ag_num_hash(num("0.5"), 1) != ag_num_hash(num("0.5"), 2) &&
           ag_num_hash(num("5"), 1) != ag_num_hash(num("5"), 2),
       "the hash depends on the seed");
}

// --- writing

static void
test_canonical(void)
{
    static const char *const rows[][2] = {{"1.0", "1"},
                                          {"-0", "0"},
                                          {"1.50", "1.5"},
                                          {"1e2", "100"},
                                          {"123456789012345678901", "123456789012345678901"},
                                          {"1e20", "100000000000000000000"},
                                          {"1e21", "1e+21"},
                                          {"12e30", "1.2e+31"},
                                          {"0.000001", "0.000001"},
                                          {"0.00000123", "0.00000123"},
                                          {"0.0000001", "1e-7"},
                                          {"-12.5e-8", "-1.25e-7"},
                                          {"9223372036854775807.5", "9223372036854775807.5"}};
    fresh();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ag_buf b;
        ag_buf_init(&b, out_mem, sizeof out_mem);
        ag_num_put_canonical(&b, num(rows[i][0]));
        OK(ag_str_is(ag_str_of(b.p, b.n), rows[i][1]), "%s is canonically %s", rows[i][0], rows[i][1]);
    }
}

// --- arithmetic

static void
test_vectors(void)
{
    static const struct {
        char op;
        const char *x, *y, *want;
    } rows[] = {{'+', "0.1", "0.2", "0.3"},
                {'/', "1", "3", "0.33333333333333333334"},
                {'/', "1e20", "3", "33333333333333333334"},
                {'*', "3.3333333333333333334", "3", "10"},
                {'+', "9223372036854775807", "1", "9223372036854775808"},
                {'-', "-9223372036854775808", "1", "-9223372036854775809"},
                {'*', "9223372036854775807", "9223372036854775807", "85070591730234615847000000000000000000"},
                {'*', "18446744073709551617", "2", "36893488147419103230"},
                {'+', "18446744073709551617", "1", "18446744073709551616"},
                {'/', "-9223372036854775808", "-1", "9223372036854775808"},
                {'*', "1.10", "1.10", "1.21"},
                {'+', "1234567.5", "0", "1.2345675e+06"},
                {'+', "0.00001", "0", "1e-05"},
                {'+', "0.0001", "0", "0.0001"},
                {'-', "0.3", "0.1", "0.20000000000000000002"},
                {'/', "2", "3", "0.6666666666666666667"},
                {'/', "-2", "3", "-0.6666666666666666667"},
                {'/', "22", "7", "3.1428571428571428572"},
                {'/', "1", "1e30", "9.9999999999999999995e-31"},
                {'+', "1e19", "0.5", "10000000000000000000"},
                {'+', "9007199254740993", "0.5", "9.0071992547409935e+15"},
                {'-', "1e20", "1e20", "0"},
                {'*', "0.1", "3", "0.3"},
                {'-', "1", "0.9", "0.10000000000000000002"},
                {'+', "1e22", "1", "10000000000000000000000"},
                {'/', "10", "4", "2.5"},
                {'+', "123456.5", "0.25", "123456.75"},
                {'+', "100000.5", "0", "100000.5"},
                {'/', "1e-1000", "3", "3.3333333333333333333e-1001"},
                {'+', "4611686018427387904.5", "0", "4.6116860184273879045e+18"},
                {'-', "1e-30", "1", "-1"},
                {'*', "0", "-5", "0"},
                {'*', "0.0", "-5.5", "0"},
                {'+', "1.0", "2.0", "3"},
                {'/', "6", "3", "2"},
                {'%', "-17", "5", "-2"},
                {'%', "17", "-5", "2"},
                {'%', "4.0", "3", "1"},
                {'%', "-9223372036854775808", "-1", "0"},
                {'%', "10", "18446744073709551616", "10"},
                {'%', "5", "55340232221128654848", "5"},
                {'%', "1e30", "7", "3"},
                {'%', "18446744073709551616", "10", "6"},
                {'%', "1e1000", "1000007", "745574"},
                {'f', "2.5", "0", "2"},
                {'f', "-2.5", "0", "-3"},
                {'f', "-0.5", "0", "-1"},
                {'c', "-0.5", "0", "0"},
                {'c', "1.01", "0", "2"},
                {'c', "-1.99999", "0", "-1"},
                {'c', "2222.2222222222", "0", "2223"},
                {'r', "2.5", "0", "3"},
                {'r', "-2.5", "0", "-3"},
                {'r', "2.4", "0", "2"},
                {'r', "10.00", "0", "10"},
                {'r', "-1e-400", "0", "0"},
                {'f', "1e30", "0", "1000000000000000000024696061952"},
                {'a', "-9223372036854775808", "0", "9223372036854775808"},
                {'a', "-2.50", "0", "2.5"},
                {'a', "-5", "0", "5"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ag_num r;
        fresh();
        OK(!calc(rows[i].op, num(rows[i].x), num(rows[i].y), &r) && prints(r, rows[i].want) && is_sound(r),
           "%s %c %s = %s", rows[i].x, rows[i].op, rows[i].y, rows[i].want);
    }
    struct ag_num r, third;
    fresh();
    OK(!calc('/', num("10"), num("3"), &third) && !calc('*', third, num("3"), &r) && prints(r, "10"),
       "10/3*3 = 10");
    OK(!calc('+', num("0.1"), num("0.2"), &r) && ag_num_cmp(r, num("0.3")) == 0, "0.1+0.2 == 0.3");
}

static void
test_errors(void)
{
    struct ag_num r = {NULL, 42};
    fresh();
    OK(calc('/', num("1"), num("0"), &r) == AG_NUM_DIV_ZERO &&
           calc('/', num("1"), num("0.0"), &r) == AG_NUM_DIV_ZERO &&
           calc('/', num("0"), num("0e5"), &r) == AG_NUM_DIV_ZERO,
       "division by zero");
    OK(calc('%', num("1"), num("0"), &r) == AG_NUM_DIV_ZERO &&
           calc('%', num("1e30"), num("0"), &r) == AG_NUM_DIV_ZERO,
       "remainder by zero");
    OK(calc('%', num("5.5"), num("2"), &r) == AG_NUM_NOT_INT &&
           calc('%', num("5"), num("1.1"), &r) == AG_NUM_NOT_INT,
       "remainder of a fraction");
    OK(!r.rec && r.i == 42, "an error leaves the result alone");
}

// --- doubles

static void
test_doubles(void)
{
    static const struct {
        double d;
        const char *text;
    } rows[] = {{0.0, "0"},
                {-0.0, "0"},
                {1, "1"},
                {0.1, "0.1"},
                {-2.5, "-2.5"},
                {0.03681913506015135, "0.03681913506015135"},
                {3.872108215522048e-06, "3.872108215522048e-06"},
                {5e-324, "5e-324"},
                {2.2250738585072014e-308, "2.2250738585072014e-308"},
                {9007199254740992.0, "9007199254740992"},
                {4611686018427387904.0, "4611686018427388000"},
                {9223372036854775808.0, "9223372036854776000"},
                {1e22, "10000000000000000000000"},
                {9.5367431640625e-07, "9.5367431640625e-07"},
                {0x1p-44, "5.684341886080802e-14"}};
    struct ag_num n;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fresh();
        OK(!ag_num_from_double(rows[i].d, &arena, &n) && prints(n, rows[i].text) && is_sound(n) &&
               ag_num_to_double(n) == rows[i].d,
           "the double %s goes round", rows[i].text);
    }
    OK(!ag_num_from_double(DBL_MAX, &arena, &n) && ag_num_to_double(n) == DBL_MAX,
       "the largest double goes round");
    OK(ag_num_from_double((double)NAN, &arena, &n) == AG_NUM_RANGE &&
           ag_num_from_double((double)-INFINITY, &arena, &n) == AG_NUM_RANGE,
       "NaN and infinities are refused");
    static const struct {
        const char *text;
        double d;
    } ties[] = {{"9007199254740993", 9007199254740992.0},
                {"9007199254740993.0", 9007199254740992.0},
                {"9007199254740993.0000000000000000000000000001", 9007199254740994.0},
                {"9007199254740995.0", 9007199254740996.0},
                {"2.4703282292062327e-324", 0.0},
                {"2.4703282292062329e-324", 5e-324},
                {"2.2250738585072011e-308", 0x0.fffffffffffffp-1022},
                {"1.7976931348623158e308", DBL_MAX},
                {"1.7976931348623159e308", (double)INFINITY},
                {"-1e99999", (double)-INFINITY},
                {"1e-99999", 0.0},
                {"1.00000000000000011102230246251565404236316680908203125", 1.0},
                {"1.00000000000000011102230246251565404236316680908203126", 0x1.0000000000001p+0},
                {"1.00000000000000011102230246251565404236316680908203124", 1.0}};
    for (size_t i = 0; i < sizeof ties / sizeof ties[0]; i++) {
        fresh();
        OK(ag_num_to_double(num(ties[i].text)) == ties[i].d, "%s rounds to %.17g", ties[i].text, ties[i].d);
    }
}

// --- random

static uint64_t state = 88172645463325252u;

static uint64_t
next(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

// A random decimal of up to 30 digits with or without point and exponent.
static size_t
random_text(char text[80], int exp_max)
{
    struct ag_buf b;
    ag_buf_init(&b, text, 79);
    size_t whole = 1 + next() % 20, part = next() % 3 ? next() % 12 : 0;
    if (next() & 1)
        ag_buf_char(&b, '-');
    for (size_t i = 0; i < whole; i++)
        ag_buf_char(&b, (char)('0' + (i ? next() % 10 : 1 + next() % 9)));
    for (size_t i = 0; i < part; i++) {
        if (!i)
            ag_buf_char(&b, '.');
        ag_buf_char(&b, (char)('0' + next() % 10));
    }
    if (next() % 3 == 0) {
        ag_buf_char(&b, 'e');
        ag_buf_i64(&b, (int64_t)(next() % (2 * (uint64_t)exp_max)) - exp_max);
    }
    text[b.n] = 0;
    return b.n;
}

static void
test_double_random(void)
{
    int good = 1;
    for (int i = 0; i < 100000 && good; i++) {
        uint64_t bits = next();
        double d, back;
        char text[40];
        struct ag_num n;
        memcpy(&d, &bits, sizeof d);
        if ((bits >> 52 & 0x7ff) == 0x7ff)
            continue;
        fresh();
        good = !ag_num_from_double(d, &arena, &n);
        back = ag_num_to_double(n);
        good &= memcmp(&d, &back, sizeof d) == 0 && is_sound(n);
        // No shorter text may read back: compare with the fewest digits that the C library needs.
        int digits = 1;
        for (; digits < 17; digits++) {
            snprintf(text, sizeof text, "%.*e", digits - 1, d);
            if (strtod(text, NULL) == d)
                break;
        }
        good &= !n.rec || n.rec->digits_n <= digits;
        if (!good)
            printf("# %a\n", d);
    }
    OK(good, "random doubles go round by their shortest decimal");
}

#if defined(__x86_64__)
static struct ag_num
of_x87(long double v, char text[80])
{
    snprintf(text, 80, "%.25Le", v);
    return num(text);
}

static void
test_x87(void)
{
    static const char ops[] = "+-*/";
    int good = 1;
    for (int i = 0; i < 200000 && good; i++) {
        char a[80], b[80], c[80];
        fresh();
        random_text(a, 300);
        random_text(b, 300);
        struct ag_num x = num(a), y = num(b), r;
        long double p = strtold(a, NULL), q = strtold(b, NULL), want;
        char op = ops[next() % 4];
        want = op == '+' ? p + q : op == '-' ? p - q : op == '*' ? p * q : p / q;
        good = !calc(op, x, y, &r);
        // The decimal of r, read by the C library, must be the very number that the x87 unit found.
        struct ag_str s = printed(r);
        out_mem[s.n] = 0;
        good &= strtold(out_mem, NULL) == want && is_sound(r);
        if (!good)
            printf("# %s %c %s: %s, want %.21Lg\n", a, op, b, out_mem, want);
        // and the other way: 26 digits of the x87 number round to the same mantissa
        struct ag_num back = of_x87(want, c), sum;
        if (good && back.rec && r.rec && !ag_num_add(back, num("0"), &arena, &sum))
            good = ag_num_cmp(sum, r) == 0;
    }
    OK(good, "random + - * / equal the x87 unit");
}
#else
static void
test_x87(void)
{
    t_skip("no x87 unit here");
}
#endif

#ifdef AEGIS_HAVE_MPFR
static void
test_mpfr(void)
{
    static const char ops[] = "+-*/";
    mpfr_t x, y, z, got;
    mpfr_inits2(64, x, y, z, got, (mpfr_ptr)0);
    int good = 1;
    for (int i = 0; i < 100000 && good; i++) {
        char a[80], b[80];
        fresh();
        int exp_max = i % 10 ? 400 : 40000;
        random_text(a, exp_max);
        random_text(b, exp_max);
        mpfr_set_str(x, a, 10, MPFR_RNDN);
        mpfr_set_str(y, b, 10, MPFR_RNDN);
        char op = ops[next() % 4];
        switch (op) {
        case '+': mpfr_add(z, x, y, MPFR_RNDN); break;
        case '-': mpfr_sub(z, x, y, MPFR_RNDN); break;
        case '*': mpfr_mul(z, x, y, MPFR_RNDN); break;
        default: mpfr_div(z, x, y, MPFR_RNDN);
        }
        struct ag_num r;
        good = !calc(op, num(a), num(b), &r);
        struct ag_buf out;
        ag_buf_init(&out, out_mem, sizeof out_mem - 1);
        ag_num_put_canonical(&out, r);
        out_mem[out.n] = 0;
        mpfr_set_str(got, out_mem, 10, MPFR_RNDN);
        good &= mpfr_equal_p(got, z) != 0;
        if (!good)
            printf("# %s %c %s: %s\n", a, op, b, out_mem);
    }
    mpfr_clears(x, y, z, got, (mpfr_ptr)0);
    OK(good, "random + - * / equal MPFR at 64 bits");
}
#else
static void
test_mpfr(void)
{
    t_skip("MPFR was not there at build time");
}
#endif

int
main(void)
{
    test_grammar();
    test_inline();
    test_limits();
    test_check();
    test_order();
    test_canonical();
    test_vectors();
    test_errors();
    test_doubles();
    test_double_random();
    test_x87();
    test_mpfr();
    return t_done();
}
