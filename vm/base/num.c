// SPDX-License-Identifier: Apache-2.0
// Numbers as values: reading and writing their text, exact order, hash by value, checking foreign records.
// In: text, records, doubles. Out: views (struct ag_num) whose records lie in the caller's arena.
// The decimal is the value; the binary mantissa is kept beside it for arithmetic and always is its rounding.
// Next file to read: num_arith.c.
#include "num.h"

#include "dec.h"
#include "hash.h"
#include "num_make.h"

#define INT64_DIGITS 19

// What the grammar found: the digits without leading and trailing zeros, and where they stand.
struct decimal {
    bool is_negative;
    size_t n;
    int64_t exp10;
    char digits[AG_NUM_TEXT_MAX];
};

static inline bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

// A written exponent, saturated just past the limit.
static int64_t
read_exponent(const char *p, const char *end)
{
    bool is_negative = *p == '-';
    int64_t v = 0;
    for (p += *p == '-' || *p == '+'; p < end; p++)
        v = v > AG_NUM_EXP_MAX ? v : v * 10 + (*p - '0');
    return is_negative ? -v : v;
}

// Collects digits; the point moves the exponent.
static void
take_digits(struct decimal *d, const char *p, const char *end, bool is_fraction)
{
    for (; p < end; p++) {
        if (d->n || *p != '0')
            d->digits[d->n++] = *p;
        d->exp10 -= is_fraction;
    }
}

static enum ag_num_status
read_decimal(struct ag_str text, struct decimal *d)
{
    const char *p = text.p, *end = text.p + text.n;
    d->n = 0;
    d->exp10 = 0;
    d->is_negative = *p == '-';
    p += d->is_negative;
    const char *from = p;
    while (p < end && is_digit(*p))
        p++;
    if (p == from || (*from == '0' && p - from > 1))
        return AG_NUM_SYNTAX;
    take_digits(d, from, p, false);
    if (p < end && *p == '.') {
        from = ++p;
        while (p < end && is_digit(*p))
            p++;
        if (p == from)
            return AG_NUM_SYNTAX;
        take_digits(d, from, p, true);
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        from = ++p;
        p += p < end && (*p == '+' || *p == '-');
        const char *first = p;
        while (p < end && is_digit(*p))
            p++;
        if (p == first || p != end)
            return AG_NUM_SYNTAX;
        int64_t e = read_exponent(from, end);
        if (e > AG_NUM_EXP_MAX || e < -AG_NUM_EXP_MAX)
            return AG_NUM_RANGE;
        d->exp10 += e;
    }
    if (p != end)
        return AG_NUM_SYNTAX;
    while (d->n && d->digits[d->n - 1] == '0') {
        d->n--;
        d->exp10++;
    }
    return AG_NUM_OK;
}

// Fills the fixed part of a record from a decimal that is in range.
static void
fill_head(struct ag_num_rec *rec, bool is_negative, const char *digits, size_t n, int32_t exp10)
{
    memset(rec, 0, sizeof *rec);
    if (!n) {
        rec->is_int64 = 1;
        return;
    }
    rec->digits_n = (uint16_t)n;
    rec->exp10 = exp10;
    rec->is_negative = is_negative;
    struct ag_wide w;
    ag_dec_to_wide(digits, n, exp10, &w);
    ag_wide_round(&w, &rec->mant, &rec->exp2);
    // Up to 19 places a whole number has an exact mantissa, so the mantissa tells whether it fits.
    if (exp10 >= 0 && exp10 + (int32_t)n <= INT64_DIGITS)
        rec->is_int64 = rec->exp2 < 0 || (is_negative && rec->mant == (uint64_t)1 << 63);
}

enum ag_num_status
ag_num_make(bool is_negative, const char *digits, size_t n, int64_t exp10, struct ag_str text,
            struct ag_arena *a, struct ag_num *ret)
{
    if (n && (exp10 + (int64_t)n > AG_NUM_EXP_MAX || exp10 + (int64_t)n < -AG_NUM_EXP_MAX))
        return AG_NUM_RANGE;
    struct ag_num_rec head;
    fill_head(&head, is_negative, digits, n, (int32_t)exp10);
    if (!text.n && head.is_int64) {
        int64_t i;
        ag_num_to_int64(ag_num_of_rec(&head), &i);
        *ret = ag_num_of_int(i);
        return AG_NUM_OK;
    }
    size_t used = sizeof head + n + text.n;
    head.size = (uint32_t)((used + 7) & ~(size_t)7);
    head.text_n = (uint16_t)text.n;
    struct ag_num_rec *rec = ag_arena_alloc(a, head.size, AG_NUM_ALIGN);
    if (!rec)
        return AG_NUM_FULL;
    memcpy(rec, &head, sizeof head);
    memcpy(rec->bytes, digits, n);
    if (text.n)
        memcpy(rec->bytes + n, text.p, text.n);
    memset((char *)rec + used, 0, head.size - used);
    *ret = ag_num_of_rec(rec);
    return AG_NUM_OK;
}

// A plain integer of at most 18 digits: nearly every number in a request.
static bool
read_small(struct ag_str text, int64_t *ret)
{
    bool is_negative = text.n && text.p[0] == '-';
    size_t i = is_negative;
    if (text.n == i || text.n > i + INT64_DIGITS - 1 || (text.p[i] == '0' && (text.n > 1)))
        return false;
    int64_t v = 0;
    for (; i < text.n; i++) {
        if (!is_digit(text.p[i]))
            return false;
        v = v * 10 + (text.p[i] - '0');
    }
    *ret = is_negative ? -v : v;
    return true;
}

enum ag_num_status
ag_num_parse(struct ag_str text, struct ag_arena *a, struct ag_num *ret)
{
    int64_t small;
    if (read_small(text, &small)) {
        *ret = ag_num_of_int(small);
        return AG_NUM_OK;
    }
    if (!text.n)
        return AG_NUM_SYNTAX;
    if (text.n > AG_NUM_TEXT_MAX)
        return AG_NUM_TOO_LONG;
    struct decimal d;
    enum ag_num_status status = read_decimal(text, &d);
    if (status)
        return status;
    // Only digits, and not -0: the text is what an int64 prints, so an inline number keeps it.
    bool is_plain = d.n != 0;
    for (size_t i = d.is_negative; i < text.n; i++)
        is_plain &= is_digit(text.p[i]);
    if (is_plain && d.exp10 + (int64_t)d.n <= INT64_DIGITS) {
        struct ag_num_rec head;
        fill_head(&head, d.is_negative, d.digits, d.n, (int32_t)d.exp10);
        if (ag_num_to_int64(ag_num_of_rec(&head), &small)) {
            *ret = ag_num_of_int(small);
            return AG_NUM_OK;
        }
    }
    return ag_num_make(d.is_negative && d.n, d.digits, d.n, d.n ? d.exp10 : 0, text, a, ret);
}

bool
ag_num_rec_check(const void *p, size_t n)
{
    const struct ag_num_rec *rec = p;
    if (n < sizeof *rec || rec->size > n || rec->size < sizeof *rec || rec->size % 8)
        return false;
    size_t used = sizeof *rec + (size_t)rec->digits_n + rec->text_n;
    if (rec->digits_n > AG_NUM_TEXT_MAX || rec->text_n > AG_NUM_TEXT_MAX ||
        rec->size != ((used + 7) & ~(size_t)7))
        return false;
    for (size_t i = used; i < rec->size; i++)
        if (((const char *)p)[i])
            return false;
    const char *digits = rec->bytes;
    for (size_t i = 0; i < rec->digits_n; i++)
        if (!is_digit(digits[i]))
            return false;
    if (rec->digits_n && (digits[0] == '0' || digits[rec->digits_n - 1] == '0'))
        return false;
    int64_t top = (int64_t)rec->exp10 + rec->digits_n;
    if (top > AG_NUM_EXP_MAX || top < -AG_NUM_EXP_MAX || rec->is_negative > 1 ||
        (!rec->digits_n && rec->exp10))
        return false;
    struct ag_num_rec head;
    fill_head(&head, rec->is_negative, digits, rec->digits_n, rec->exp10);
    head.size = rec->size;
    head.text_n = rec->text_n;
    if (memcmp(&head, rec, sizeof head) != 0)
        return false;
    if (!rec->text_n)
        return !rec->is_int64; // without a spelling to keep it would be inline
    struct decimal d;
    return read_decimal(ag_str_of(digits + rec->digits_n, rec->text_n), &d) == AG_NUM_OK &&
           d.n == rec->digits_n && (!d.n || (d.exp10 == rec->exp10 && d.is_negative == rec->is_negative)) &&
           memcmp(d.digits, digits, d.n) == 0;
}

bool
ag_num_to_int64(struct ag_num n, int64_t *ret)
{
    if (!n.rec) {
        *ret = n.i;
        return true;
    }
    if (!n.rec->is_int64)
        return false;
    uint64_t v = n.rec->exp2 < 0 ? n.rec->mant >> -n.rec->exp2 : n.rec->mant; // exact
    *ret = (int64_t)(n.rec->is_negative ? 0 - v : v);
    return true;
}

bool
ag_num_is_int(struct ag_num n)
{
    return !n.rec || n.rec->exp10 >= 0;
}

// The digits of an int64 without trailing zeros.
static void
int_digits(int64_t i, struct decimal *d)
{
    char text[20];
    struct ag_buf b;
    ag_buf_init(&b, text, sizeof text);
    ag_buf_u64(&b, i < 0 ? 0 - (uint64_t)i : (uint64_t)i);
    d->is_negative = i < 0;
    d->n = b.n;
    d->exp10 = 0;
    while (d->n && text[d->n - 1] == '0') {
        d->n--;
        d->exp10++;
    }
    memcpy(d->digits, text, d->n);
}

// Borrowed digits of any number; `mem` holds those of an inline one.
struct span {
    const char *p;
    size_t n;
    int64_t exp10;
    bool is_negative;
};

static struct span
digits_of(struct ag_num n, struct decimal *mem)
{
    if (n.rec)
        return (struct span){n.rec->bytes, n.rec->digits_n, n.rec->exp10, n.rec->is_negative};
    int_digits(n.i, mem);
    return (struct span){mem->digits, mem->n, mem->exp10, mem->is_negative};
}

int
ag_num_cmp(struct ag_num x, struct ag_num y)
{
    int64_t i, j;
    if (ag_num_to_int64(x, &i) && ag_num_to_int64(y, &j))
        return i < j ? -1 : i > j;
    struct decimal mem; // at most one of them is inline
    struct span a = digits_of(x, &mem), b = digits_of(y, &mem);
    if (!a.n || !b.n || a.is_negative != b.is_negative) {
        int sa = !a.n ? 0 : a.is_negative ? -1 : 1, sb = !b.n ? 0 : b.is_negative ? -1 : 1;
        return sa < sb ? -1 : sa > sb;
    }
    int greater = a.is_negative ? -1 : 1;
    int64_t place_a = a.exp10 + (int64_t)a.n, place_b = b.exp10 + (int64_t)b.n;
    if (place_a != place_b)
        return place_a > place_b ? greater : -greater;
    int c = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);
    if (c)
        return c > 0 ? greater : -greater;
    return a.n == b.n ? 0 : a.n > b.n ? greater : -greater;
}

uint64_t
ag_num_hash(struct ag_num n, uint64_t seed)
{
    int64_t i;
    if (ag_num_to_int64(n, &i))
        return ag_hash(&i, sizeof i, seed);
    uint64_t place = (uint64_t)(uint32_t)n.rec->exp10 << 1 | n.rec->is_negative;
    return ag_hash(n.rec->bytes, n.rec->digits_n, seed ^ (place + 1) * 0x9e3779b97f4a7c15u);
}

static void
put_zeros(struct ag_buf *b, int64_t n)
{
    for (; n > 0 && !b->is_full; n--)
        ag_buf_char(b, '0');
}

// Digits with the point after `place` of them (place <= 0: zeros in front).
static void
put_plain(struct ag_buf *b, struct span s, int64_t place)
{
    int64_t n = (int64_t)s.n;
    if (place <= 0) {
        ag_buf_lit(b, "0.");
        put_zeros(b, -place);
        ag_buf_put(b, s.p, s.n);
    } else if (place >= n) {
        ag_buf_put(b, s.p, s.n);
        put_zeros(b, place - n);
    } else {
        ag_buf_put(b, s.p, (size_t)place);
        ag_buf_char(b, '.');
        ag_buf_put(b, s.p + place, (size_t)(n - place));
    }
}

// d.ddde±x with at least `exp_min` digits of exponent.
static void
put_scientific(struct ag_buf *b, struct span s, int64_t exponent, bool is_padded)
{
    ag_buf_put(b, s.p, 1);
    if (s.n > 1) {
        ag_buf_char(b, '.');
        ag_buf_put(b, s.p + 1, s.n - 1);
    }
    ag_buf_char(b, 'e');
    ag_buf_char(b, exponent < 0 ? '-' : '+');
    uint64_t e = (uint64_t)(exponent < 0 ? -exponent : exponent);
    if (is_padded && e < 10)
        ag_buf_char(b, '0');
    ag_buf_u64(b, e);
}

void
ag_num_put(struct ag_buf *b, struct ag_num n)
{
    if (!n.rec) {
        ag_buf_i64(b, n.i);
        return;
    }
    if (n.rec->text_n) {
        ag_buf_put(b, n.rec->bytes + n.rec->digits_n, n.rec->text_n);
        return;
    }
    struct decimal mem;
    struct span s = digits_of(n, &mem);
    int64_t place = s.exp10 + (int64_t)s.n;
    if (s.is_negative)
        ag_buf_char(b, '-');
    if (s.exp10 < 0 && (place - 1 < -4 || place - 1 >= 6)) // the bounds of Go's shortest %g
        put_scientific(b, s, place - 1, true);
    else
        put_plain(b, s, place);
}

void
ag_num_put_canonical(struct ag_buf *b, struct ag_num n)
{
    int64_t i;
    if (ag_num_to_int64(n, &i)) {
        ag_buf_i64(b, i);
        return;
    }
    struct decimal mem;
    struct span s = digits_of(n, &mem);
    int64_t place = s.exp10 + (int64_t)s.n;
    if (s.is_negative)
        ag_buf_char(b, '-');
    if (place > 21 || place < -5) // RFC 8785 draws the line here
        put_scientific(b, s, place - 1, false);
    else
        put_plain(b, s, place);
}
