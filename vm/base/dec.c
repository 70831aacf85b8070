// SPDX-License-Identifier: Apache-2.0
// Decimal digits to binary mantissas and back, correctly rounded: exact integer ratios, long division, and
// the digit generation of Steele and White (1990) as Go's big.Float does it. In: digits or a mantissa. Out:
// the other. Everything lives on the stack; powers of five past 5^1536 are rounded to 256 bits so that the
// work stays bounded. Next file to read: vm/base/num_arith.c.
#include "dec.h"

__extension__ typedef unsigned __int128 u128;

#define BIG_WORDS   192        // 5^POW5_EXACT times AG_NUM_TEXT_MAX digits takes 189 words
#define POW5_EXACT  1536       // largest exponent whose power of five is kept exactly (56 words)
#define POW5_WORDS  5          // words kept of a larger power: at least 256 significant bits
#define CHUNK       19         // decimal digits that always fit a word
#define LOG10_2_Q32 1292913986 // log10(2) × 2^32

#define FIVE_27 7450580596923828125u  // largest power of five in a word
#define TEN_19  10000000000000000000u // 10^CHUNK

struct big {
    uint32_t n; // words in use; the top one is not 0
    uint64_t w[BIG_WORDS];
};

static const uint64_t pow5_word[28] = {1u,
                                       5u,
                                       25u,
                                       125u,
                                       625u,
                                       3125u,
                                       15625u,
                                       78125u,
                                       390625u,
                                       1953125u,
                                       9765625u,
                                       48828125u,
                                       244140625u,
                                       1220703125u,
                                       6103515625u,
                                       30517578125u,
                                       152587890625u,
                                       762939453125u,
                                       3814697265625u,
                                       19073486328125u,
                                       95367431640625u,
                                       476837158203125u,
                                       2384185791015625u,
                                       11920928955078125u,
                                       59604644775390625u,
                                       298023223876953125u,
                                       1490116119384765625u,
                                       FIVE_27};

static void
big_set(struct big *x, uint64_t v)
{
    x->n = v != 0;
    x->w[0] = v;
}

static void
big_copy(struct big *x, const struct big *y)
{
    x->n = y->n;
    memcpy(x->w, y->w, y->n * sizeof y->w[0]);
}

static uint32_t
big_bits(const struct big *x)
{
    return x->n ? 64 * x->n - (uint32_t)__builtin_clzll(x->w[x->n - 1]) : 0;
}

// x = x × m + add
static void
big_mul_word(struct big *x, uint64_t m, uint64_t add)
{
    u128 carry = add;
    for (uint32_t i = 0; i < x->n; i++) {
        carry += (u128)x->w[i] * m;
        x->w[i] = (uint64_t)carry;
        carry >>= 64;
    }
    if (carry)
        x->w[x->n++] = (uint64_t)carry;
}

static void
big_mul(struct big *ret, const struct big *x, const struct big *y)
{
    memset(ret->w, 0, (x->n + y->n) * sizeof ret->w[0]);
    for (uint32_t i = 0; i < x->n; i++) {
        u128 carry = 0;
        for (uint32_t j = 0; j < y->n; j++) {
            carry += (u128)x->w[i] * y->w[j] + ret->w[i + j];
            ret->w[i + j] = (uint64_t)carry;
            carry >>= 64;
        }
        ret->w[i + y->n] = (uint64_t)carry;
    }
    ret->n = x->n + y->n;
    while (ret->n && !ret->w[ret->n - 1])
        ret->n--;
}

static void
big_shl(struct big *x, uint32_t bits)
{
    uint32_t words = bits / 64, rest = bits % 64;
    if (!x->n || !bits)
        return;
    x->w[x->n] = 0;
    for (uint32_t i = x->n + 1; i-- > 0;) {
        uint64_t low = i && rest ? x->w[i - 1] >> (64 - rest) : 0;
        x->w[i + words] = x->w[i] << rest | low;
    }
    memset(x->w, 0, words * sizeof x->w[0]);
    x->n += words;
    if (x->w[x->n])
        x->n++;
}

static int
big_cmp(const struct big *x, const struct big *y)
{
    if (x->n != y->n)
        return x->n < y->n ? -1 : 1;
    for (uint32_t i = x->n; i-- > 0;)
        if (x->w[i] != y->w[i])
            return x->w[i] < y->w[i] ? -1 : 1;
    return 0;
}

static void
big_add(struct big *x, const struct big *y)
{
    u128 carry = 0;
    uint32_t n = x->n > y->n ? x->n : y->n;
    for (uint32_t i = 0; i < n; i++) {
        carry += (u128)(i < x->n ? x->w[i] : 0) + (i < y->n ? y->w[i] : 0);
        x->w[i] = (uint64_t)carry;
        carry >>= 64;
    }
    x->n = n;
    if (carry)
        x->w[x->n++] = (uint64_t)carry;
}

// Returns r / s and leaves the remainder in r. The top bit of s is set and r < s × 2^64, so the quotient
// estimated from the leading words is at most 2 too large (Knuth, 4.3.1, theorem B).
static uint64_t
big_quo(struct big *r, const struct big *s)
{
    uint32_t n = s->n;
    if (r->n < n)
        return 0;
    if (r->n == n)
        r->w[n] = 0;
    uint64_t top = r->w[n], lead = s->w[n - 1];
    uint64_t q = top >= lead ? UINT64_MAX : (uint64_t)(((u128)top << 64 | r->w[n - 1]) / lead);
    u128 carry = 0;
    uint64_t borrow = 0;
    for (uint32_t i = 0; i < n; i++) {
        carry += (u128)q * s->w[i];
        u128 d = (u128)r->w[i] - (uint64_t)carry - borrow;
        r->w[i] = (uint64_t)d;
        borrow = (uint64_t)(d >> 64) & 1;
        carry >>= 64;
    }
    uint64_t high = top - (uint64_t)carry - borrow;
    while (high) { // negative: the estimate was too large
        u128 sum = 0;
        for (uint32_t i = 0; i < n; i++) {
            sum += (u128)r->w[i] + s->w[i];
            r->w[i] = (uint64_t)sum;
            sum >>= 64;
        }
        high += (uint64_t)sum;
        q--;
    }
    r->n = n;
    while (r->n && !r->w[r->n - 1])
        r->n--;
    return q;
}

// 5^n is x × 2^*ret_exp2, exactly and with exponent 0 up to POW5_EXACT.
static void
pow5(struct big *x, uint32_t n, int32_t *ret_exp2)
{
    struct big square;
    int32_t exp2 = 0;
    uint32_t chunks = n / 27;
    big_set(x, 1);
    for (int bit = 31 - (chunks ? __builtin_clz(chunks) : 31); bit >= 0; bit--) {
        big_mul(&square, x, x);
        big_copy(x, &square);
        exp2 *= 2;
        if (chunks >> bit & 1)
            big_mul_word(x, FIVE_27, 0);
        if (n > POW5_EXACT && x->n > POW5_WORDS) {
            uint32_t drop = x->n - POW5_WORDS;
            memmove(x->w, x->w + drop, POW5_WORDS * sizeof x->w[0]);
            x->n = POW5_WORDS;
            exp2 += 64 * (int32_t)drop;
        }
    }
    big_mul_word(x, pow5_word[n % 27], 0);
    *ret_exp2 = exp2;
}

static uint64_t
word_of_digits(const char *digits, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v = v * 10 + (uint64_t)(digits[i] - '0');
    return v;
}

static void
big_of_digits(struct big *x, const char *digits, size_t n)
{
    size_t at = n % CHUNK;
    big_set(x, word_of_digits(digits, at));
    for (; at < n; at += CHUNK) {
        uint64_t word = word_of_digits(digits + at, CHUNK);
        if (x->n)
            big_mul_word(x, TEN_19, word);
        else
            big_set(x, word);
    }
}

void
ag_wide_norm(struct ag_wide *w)
{
    if (!w->hi) {
        w->hi = w->lo;
        w->lo = 0;
        w->exp2 -= 64;
    }
    int z = __builtin_clzll(w->hi);
    if (z) {
        w->hi = w->hi << z | w->lo >> (64 - z);
        w->lo = w->lo << z | (w->lo & 1); // what lies below lo keeps its mark
        w->exp2 -= z;
    }
}

void
ag_wide_round(const struct ag_wide *w, uint64_t *ret_mant, int32_t *ret_exp2)
{
    uint64_t mant = w->hi;
    int32_t exp2 = w->exp2 + 64;
    if (w->lo >> 63 && (w->lo << 1 || mant & 1) && ++mant == 0) {
        mant = (uint64_t)1 << 63;
        exp2++;
    }
    *ret_mant = mant;
    *ret_exp2 = exp2;
}

// Up to 19 digits and a power of five in one word: exact in 128 bits.
static void
wide_of_word(uint64_t v, int32_t exp10, struct ag_wide *ret)
{
    if (exp10 >= 0) {
        u128 p = (u128)v * pow5_word[exp10];
        int z = p >> 64 ? __builtin_clzll((uint64_t)(p >> 64)) : 64 + __builtin_clzll((uint64_t)p);
        p <<= z;
        *ret = (struct ag_wide){(uint64_t)(p >> 64), (uint64_t)p, exp10 - z};
        return;
    }
    int zv = __builtin_clzll(v), zd = __builtin_clzll(pow5_word[-exp10]);
    uint64_t d = pow5_word[-exp10] << zd;
    v <<= zv;
    u128 r = (u128)v << 63;
    uint64_t hi = (uint64_t)(r / d);
    r = (r % d) << 64;
    uint64_t lo = (uint64_t)(r / d);
    lo |= r % d != 0;
    *ret = (struct ag_wide){hi, lo, zd - zv + exp10 - 127};
    ag_wide_norm(ret);
}

// The leading 128 bits of x.
static void
wide_of_big(const struct big *x, int32_t exp2, bool is_exact, struct ag_wide *ret)
{
    uint64_t top[3] = {0, 0, 0};
    bool is_more = !is_exact;
    for (uint32_t i = 0; i < 3 && i < x->n; i++)
        top[2 - i] = x->w[x->n - 1 - i];
    for (uint32_t i = 3; i < x->n; i++)
        is_more |= x->w[x->n - i - 1] != 0;
    int z = __builtin_clzll(top[2]);
    if (z) {
        top[2] = top[2] << z | top[1] >> (64 - z);
        top[1] = top[1] << z | top[0] >> (64 - z);
        top[0] <<= z;
    }
    is_more |= top[0] != 0;
    *ret = (struct ag_wide){top[2], top[1] | is_more, exp2 + (int32_t)big_bits(x) - 128};
}

void
ag_dec_to_wide(const char *digits, size_t n, int32_t exp10, struct ag_wide *ret)
{
    if (n <= CHUNK && exp10 >= -27 && exp10 <= 27) {
        wide_of_word(word_of_digits(digits, n), exp10, ret);
        return;
    }
    struct big d, p, r;
    int32_t pow_exp2;
    uint32_t power = exp10 < 0 ? 0 - (uint32_t)exp10 : (uint32_t)exp10;
    bool is_exact = power <= POW5_EXACT;
    big_of_digits(&d, digits, n);
    pow5(&p, power, &pow_exp2);
    if (exp10 >= 0) {
        big_mul(&r, &d, &p);
        wide_of_big(&r, exp10 + pow_exp2, is_exact, ret);
        return;
    }
    // Shifted so that the quotient has 129 to 193 bits: three words by long division.
    uint32_t z = (uint32_t)__builtin_clzll(p.w[p.n - 1]);
    big_shl(&p, z);
    uint32_t want = big_bits(&p), have = big_bits(&d);
    int32_t shift = 0;
    if (have >= want) { // many digits over a small power: scale the divisor up instead, it stays normalised
        uint32_t words = (have - want) / 64 + 1;
        big_shl(&p, 64 * words);
        shift += 64 * (int32_t)words;
    } else {
        big_shl(&d, want - have - 1);
        shift -= (int32_t)(want - have) - 1;
    }
    uint64_t q[3];
    for (int i = 2; i >= 0; i--) {
        big_shl(&d, 64);
        q[i] = big_quo(&d, &p);
    }
    struct big quotient = {3, {q[0] | (d.n != 0), q[1], q[2]}};
    while (!quotient.w[quotient.n - 1])
        quotient.n--;
    wide_of_big(&quotient, shift - 192 + (int32_t)z - pow_exp2 + exp10, is_exact, ret);
}

// One more in the last place; nines drop away. Returns the number of digits left.
static size_t
digits_up(char *digits, size_t n, int32_t *place)
{
    while (n && digits[n - 1] == '9')
        n--;
    if (n) {
        digits[n - 1]++;
        return n;
    }
    digits[0] = '1';
    ++*place;
    return 1;
}

size_t
ag_dec_shortest(uint64_t m, int32_t exp2, bool is_closer_below, char digits[AG_DEC_SHORT], int32_t *ret_exp10)
{
    struct big r, s, up, down, t, p;
    int32_t pow_exp2;
    int bits = 64 - __builtin_clzll(m);
    int32_t place =
        (int32_t)(((int64_t)bits - 1 + exp2) * LOG10_2_Q32 >> 32); // of the first digit, or one low
    bool is_even = !(m & 1);

    // r/s is the number over 10^place, up/s and down/s the half gaps; all in quarters of a unit, so integers.
    pow5(&p, place < 0 ? 0 - (uint32_t)place : (uint32_t)place, &pow_exp2);
    big_set(&r, m);
    big_shl(&r, 2);
    big_set(&up, 2);
    big_set(&down, is_closer_below ? 1 : 2);
    int32_t shift = exp2 - 2 - place;
    if (place >= 0) {
        big_copy(&s, &p);
        shift -= pow_exp2;
    } else {
        big_set(&s, 1);
        big_mul(&t, &r, &p);
        big_copy(&r, &t);
        big_mul_word(&p, is_closer_below ? 1 : 2, 0);
        big_copy(&down, &p);
        if (is_closer_below)
            big_mul_word(&p, 2, 0);
        big_copy(&up, &p);
        shift += pow_exp2;
    }
    big_copy(&t, &s);
    big_mul_word(&t, 10, 0);
    if (shift < 0) {
        big_shl(&s, 0 - (uint32_t)shift);
        big_shl(&t, 0 - (uint32_t)shift);
        shift = 0;
    }
    big_shl(&r, (uint32_t)shift);
    if (big_cmp(&r, &t) >= 0) {
        big_copy(&s, &t);
        place++;
    }
    uint32_t z = (uint32_t)__builtin_clzll(s.w[s.n - 1]);
    big_shl(&s, z);
    big_shl(&r, z);
    big_shl(&up, z + (uint32_t)shift);
    big_shl(&down, z + (uint32_t)shift);

    size_t n = 0;
    bool is_low, is_high;
    for (;;) {
        digits[n++] = (char)('0' + big_quo(&r, &s));
        int below = big_cmp(&r, &down);
        big_copy(&t, &r);
        big_add(&t, &up);
        int above = big_cmp(&t, &s);
        is_low = below < 0 || (below == 0 && is_even);
        is_high = above > 0 || (above == 0 && is_even);
        if (is_low || is_high || n == AG_DEC_SHORT)
            break;
        big_mul_word(&r, 10, 0);
        big_mul_word(&up, 10, 0);
        big_mul_word(&down, 10, 0);
    }
    if (is_low && is_high) {
        big_shl(&r, 1);
        int half = big_cmp(&r, &s);
        is_high = half > 0 || (half == 0 && (digits[n - 1] & 1));
    }
    int32_t last = place - (int32_t)n + 1;
    if (is_high) {
        size_t left = digits_up(digits, n, &place);
        last = place - (int32_t)left + 1;
        n = left;
    }
    *ret_exp10 = last;
    return n;
}

size_t
ag_dec_exact(uint64_t m, int32_t exp2, char digits[AG_NUM_TEXT_MAX], int32_t *ret_exp10)
{
    struct big x;
    char text[AG_NUM_TEXT_MAX + 2 * CHUNK];
    size_t at = sizeof text;
    if (exp2 > (int32_t)(AG_NUM_TEXT_MAX * 10 / 3))
        return 0;
    big_set(&x, m);
    big_shl(&x, (uint32_t)exp2);
    while (x.n) {
        u128 rest = 0;
        for (uint32_t i = x.n; i-- > 0;) {
            rest = rest << 64 | x.w[i];
            x.w[i] = (uint64_t)(rest / TEN_19);
            rest %= TEN_19;
        }
        while (x.n && !x.w[x.n - 1])
            x.n--;
        for (int i = 0; i < CHUNK; i++) {
            text[--at] = (char)('0' + (uint64_t)rest % 10);
            rest = (uint64_t)rest / 10;
        }
    }
    size_t end = sizeof text;
    while (text[at] == '0')
        at++;
    if (end - at > AG_NUM_TEXT_MAX)
        return 0;
    while (text[end - 1] == '0')
        end--;
    *ret_exp10 = (int32_t)(sizeof text - end);
    memcpy(digits, text + at, end - at);
    return end - at;
}
