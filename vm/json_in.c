// SPDX-License-Identifier: Apache-2.0
// JSON text to values in one pass: RFC 8259, strict UTF-8, duplicate keys refused, depth and sizes limited.
// In: bytes of the request region. Out: a value whose strings borrow the request where they hold no escape.
// Who owns memory: records lie in the arena, upwards; elements of open containers wait at the arena's upper
// end, downwards, so nothing is copied twice and nothing is left behind. Next file to read: json_out.c.
#include "value.h"
#include "limits.h"
#include "number.h"
#include "utf8.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

struct reader {
    const struct ag_mem *m;
    const uint8_t *start, *p, *end;
    ag_cell *top; // lowest waiting element; the arena's free space ends here
    enum ag_json_status status;
    enum ag_region region; // where the text lies: the request, or the arena
};

// One waiting member of an object. `prefix` is the key's first eight bytes, most significant first: it orders
// most keys.
struct member {
    uint64_t prefix;
    ag_cell key, value;
};
#define MEMBER_CELLS (sizeof(struct member) / sizeof(ag_cell))

static bool
fail(struct reader *r, enum ag_json_status status)
{
    if (r->status == AG_JSON_OK)
        r->status = status;
    return false;
}

static inline void
skip_blanks(struct reader *r)
{
    while (r->p < r->end && (*r->p == ' ' || *r->p == '\n' || *r->p == '\t' || *r->p == '\r'))
        r->p++;
}

// n bytes of the arena that stay clear of the waiting elements.
static void *
alloc(struct reader *r, size_t n, size_t align)
{
    struct ag_arena *a = r->m->arena;
    size_t size = a->size, limit = (size_t)((uint8_t *)r->top - a->base);
    a->size = limit;
    void *p = ag_arena_alloc(a, n, align);
    a->size = size;
    if (!p)
        fail(r, AG_JSON_ARENA);
    return p;
}

// Makes room for n waiting cells.
static inline bool
push_cells(struct reader *r, size_t n)
{
    if ((size_t)((uint8_t *)r->top - r->m->arena->base) < r->m->arena->used + n * sizeof(ag_cell))
        return fail(r, AG_JSON_ARENA);
    r->top -= n;
    return true;
}

// --- strings
// -------------------------------------------------------------------------------------------------

// First byte at or after p that ends a plain run: a quote, a backslash or a control character. *ret_high is
// set when a byte above 0x7f was passed.
static inline const uint8_t *
scan_plain(const uint8_t *p, const uint8_t *end, bool *ret_high)
{
#if defined(__SSE2__)
    const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\'), control = _mm_set1_epi8(0x1f);
    while (end - p >= 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i stop = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, slash)),
                                    _mm_cmpeq_epi8(_mm_min_epu8(v, control), v));
        unsigned mask = (unsigned)_mm_movemask_epi8(stop), high = (unsigned)_mm_movemask_epi8(v);
        if (mask) {
            unsigned n = (unsigned)__builtin_ctz(mask);
            *ret_high |= (high & ((1u << n) - 1)) != 0;
            return p + n;
        }
        *ret_high |= high != 0;
        p += 16;
    }
#endif
    while (p < end && *p != '"' && *p != '\\' && *p >= 0x20)
        *ret_high |= *p++ >= 0x80;
    return p;
}

static bool
hex4(const uint8_t *p, const uint8_t *end, uint32_t *ret)
{
    uint32_t v = 0;
    if (end - p < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        uint8_t c = p[i], low = (uint8_t)(c | 0x20);
        if (c >= '0' && c <= '9')
            v = v << 4 | (uint32_t)(c - '0');
        else if (low >= 'a' && low <= 'f')
            v = v << 4 | (uint32_t)(low - 'a' + 10);
        else
            return false;
    }
    *ret = v;
    return true;
}

// The escape at r->p (on the backslash) as UTF-8 at out; its length, or 0 (r->status is set).
// A surrogate that has no partner is refused: it names no character.
static size_t
read_escape(struct reader *r, uint8_t *out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (r->end - r->p < 2)
        return fail(r, AG_JSON_SYNTAX);
    uint8_t c = r->p[1];
    if (c != 'u') {
        const char *at = c ? strchr(from, c) : NULL;
        if (!at)
            return fail(r, AG_JSON_SYNTAX);
        out[0] = (uint8_t)to[at - from];
        r->p += 2;
        return 1;
    }
    uint32_t cp, low;
    if (!hex4(r->p + 2, r->end, &cp))
        return fail(r, AG_JSON_SYNTAX);
    size_t n = 6;
    if (cp >= 0xd800 && cp < 0xdc00) {
        if (r->end - r->p < 12 || r->p[6] != '\\' || r->p[7] != 'u' || !hex4(r->p + 8, r->end, &low) ||
            low < 0xdc00 || low > 0xdfff)
            return fail(r, AG_JSON_UTF8);
        cp = 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00);
        n = 12;
    }
    size_t written = ag_utf8_encode(cp, out);
    if (!written)
        return fail(r, AG_JSON_UTF8);
    r->p += n;
    return written;
}

// The rest of a string that has an escape at r->p; `from` is its first byte. Decoded text is never longer.
static bool
read_escaped(struct reader *r, const uint8_t *from, bool high, struct ag_value *ret)
{
    const uint8_t *close = r->p;
    while (close < r->end && *close != '"')
        close += *close == '\\' ? 2 : 1;
    if (close >= r->end)
        return fail(r, AG_JSON_SYNTAX);
    uint8_t *text = alloc(r, (size_t)(close - from), 1);
    if (!text)
        return false;
    size_t n = (size_t)(r->p - from);
    memcpy(text, from, n);
    for (;;) {
        if (r->p >= r->end || *r->p < 0x20)
            return fail(r, AG_JSON_SYNTAX);
        if (*r->p == '"')
            break;
        if (*r->p == '\\') {
            size_t k = read_escape(r, text + n);
            if (!k)
                return false;
            n += k;
            continue;
        }
        const uint8_t *stop = scan_plain(r->p, r->end, &high);
        memcpy(text + n, r->p, (size_t)(stop - r->p));
        n += (size_t)(stop - r->p);
        r->p = stop;
    }
    r->p++;
    if (high && !ag_utf8_valid(text, n))
        return fail(r, AG_JSON_UTF8);
    if (n > AG_STRING_MAX)
        return fail(r, AG_JSON_LIMIT);
    *ret = ag_string(AG_IN_ARENA, ag_str_of((const char *)text, n));
    return true;
}

// A string; r->p stands on the opening quote.
static inline bool
read_string(struct reader *r, struct ag_value *ret)
{
    const uint8_t *from = ++r->p;
    bool high = false;
    r->p = scan_plain(from, r->end, &high);
    if (r->p >= r->end || *r->p < 0x20)
        return fail(r, AG_JSON_SYNTAX);
    if (*r->p == '\\')
        return read_escaped(r, from, high, ret);
    size_t n = (size_t)(r->p - from);
    r->p++;
    if (high && !ag_utf8_valid(from, n)) {
        r->p = from;
        return fail(r, AG_JSON_UTF8);
    }
    if (n > AG_STRING_MAX)
        return fail(r, AG_JSON_LIMIT);
    *ret = ag_string(r->region, ag_str_of((const char *)from, n));
    return true;
}

// --- numbers and words
// -----------------------------------------------------------------------------------------

static bool
read_other_number(struct reader *r, const uint8_t *from, struct ag_value *ret)
{
    const uint8_t *p = r->p;
    while (p < r->end &&
           ((*p >= '0' && *p <= '9') || *p == '.' || *p == 'e' || *p == 'E' || *p == '+' || *p == '-'))
        p++;
    struct ag_num num;
    struct ag_arena *a = r->m->arena;
    size_t size = a->size;
    a->size = (size_t)((uint8_t *)r->top - a->base);
    enum ag_num_status s = ag_num_parse(ag_str_of((const char *)from, (size_t)(p - from)), a, &num);
    a->size = size;
    if (s != AG_NUM_OK)
        return fail(r, s == AG_NUM_FULL     ? AG_JSON_ARENA
                       : s == AG_NUM_SYNTAX ? AG_JSON_SYNTAX
                                            : AG_JSON_NUMBER);
    r->p = p;
    *ret = ag_number_value(r->m, num);
    return true;
}

#define FAST_DIGITS 18 // always fit int64

static inline bool
read_number(struct reader *r, struct ag_value *ret)
{
    const uint8_t *from = r->p, *p = from;
    bool negative = *p == '-';
    p += negative;
    const uint8_t *first = p;
    int64_t v = 0;
    while (p < r->end && *p >= '0' && *p <= '9' && p - first < FAST_DIGITS)
        v = v * 10 + (*p++ - '0');
    bool plain = p > first && (*first != '0' || (p - first == 1 && !negative)) &&
                 (p == r->end || !((*p >= '0' && *p <= '9') || *p == '.' || (*p | 0x20) == 'e'));
    if (!plain)
        return read_other_number(r, from, ret);
    r->p = p;
    *ret = ag_int(negative ? -v : v);
    return true;
}

static bool
read_word(struct reader *r, const char *word, size_t n, struct ag_value v, struct ag_value *ret)
{
    if ((size_t)(r->end - r->p) < n || memcmp(r->p, word, n) != 0)
        return fail(r, AG_JSON_SYNTAX);
    r->p += n;
    *ret = v;
    return true;
}

// --- containers
// ------------------------------------------------------------------------------------------------

static bool read_value(struct reader *r, unsigned depth, struct ag_value *ret);

// A cell of v; a large integer is boxed below the waiting elements.
static inline bool
store(struct reader *r, struct ag_value v, ag_cell *ret)
{
    struct ag_arena *a = r->m->arena;
    size_t size = a->size;
    a->size = (size_t)((uint8_t *)r->top - a->base);
    bool ok = ag_cell_store(r->m, v, ret);
    a->size = size;
    return ok || fail(r, AG_JSON_ARENA);
}

static bool
read_array(struct reader *r, unsigned depth, struct ag_value *ret)
{
    ag_cell *bottom = r->top;
    r->p++;
    skip_blanks(r);
    if (r->p < r->end && *r->p == ']') {
        r->p++;
    } else {
        for (;;) {
            struct ag_value v;
            ag_cell c;
            if (!read_value(r, depth, &v) || !store(r, v, &c) || !push_cells(r, 1))
                return false;
            *r->top = c;
            skip_blanks(r);
            if (r->p >= r->end)
                return fail(r, AG_JSON_SYNTAX);
            if (*r->p == ']') {
                r->p++;
                break;
            }
            if (*r->p != ',')
                return fail(r, AG_JSON_SYNTAX);
            r->p++;
        }
    }
    size_t n = (size_t)(bottom - r->top);
    if (n > AG_CONTAINER_MAX)
        return fail(r, AG_JSON_LIMIT);
    struct ag_array_rec *rec = alloc(r, sizeof *rec + n * sizeof(ag_cell), 8);
    if (!rec)
        return false;
    rec->n = (uint32_t)n;
    rec->zero = 0;
    for (size_t i = 0; i < n; i++)
        rec->element[i] = bottom[-(ptrdiff_t)i - 1];
    r->top = bottom;
    *ret = (struct ag_value){
        .kind = AG_ARRAY, .region = AG_IN_ARENA, .len = (uint32_t)n, .p = (const uint8_t *)rec};
    return true;
}

static inline uint64_t
key_prefix(struct ag_value key)
{
    uint64_t v = 0;
    memcpy(&v, key.p, key.len < sizeof v ? key.len : sizeof v);
    return __builtin_bswap64(v);
}

static int
member_cmp(const struct ag_mem *m, const struct member *a, const struct member *b)
{
    if (a->prefix != b->prefix)
        return a->prefix < b->prefix ? -1 : 1;
    return ag_value_cmp(m, ag_cell_load(m, a->key), ag_cell_load(m, b->key));
}

static void
sift_down(const struct ag_mem *m, struct member *h, size_t at, size_t n)
{
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= n)
            return;
        if (child + 1 < n && member_cmp(m, &h[child], &h[child + 1]) < 0)
            child++;
        if (member_cmp(m, &h[at], &h[child]) >= 0)
            return;
        struct member t = h[at];
        h[at] = h[child];
        h[child] = t;
        at = child;
    }
}

#define INSERTION_MAX                                                                                        \
    24u // members sorted by insertion; more by heap, so that no key order costs quadratic time

static void
sort_members(const struct ag_mem *m, struct member *a, size_t n)
{
    if (n <= INSERTION_MAX) {
        for (size_t i = 1; i < n; i++) {
            struct member t = a[i];
            size_t k = i;
            for (; k > 0 && member_cmp(m, &a[k - 1], &t) > 0; k--)
                a[k] = a[k - 1];
            a[k] = t;
        }
        return;
    }
    for (size_t i = n / 2; i-- > 0;)
        sift_down(m, a, i, n);
    for (size_t i = n; i-- > 1;) {
        struct member t = a[0];
        a[0] = a[i];
        a[i] = t;
        sift_down(m, a, 0, i);
    }
}

// Turns the waiting members into an object.
static bool
close_object(struct reader *r, ag_cell *bottom, struct ag_value *ret)
{
    struct member *a = (struct member *)(void *)r->top;
    size_t n = (size_t)(bottom - r->top) / MEMBER_CELLS;
    if (n > AG_CONTAINER_MAX)
        return fail(r, AG_JSON_LIMIT);
    for (size_t i = 0, k = n; i + 1 < k; i++) { // they grew downwards: the last read stands first
        struct member t = a[i];
        a[i] = a[--k];
        a[k] = t;
    }
    sort_members(r->m, a, n);
    for (size_t i = 1; i < n; i++) {
        if (a[i - 1].prefix == a[i].prefix && member_cmp(r->m, &a[i - 1], &a[i]) == 0)
            return fail(r, AG_JSON_DUPLICATE_KEY);
    }
    ag_cell *keys = alloc(r, sizeof(struct ag_object_rec) + 2 * n * sizeof *keys, 8);
    if (!keys)
        return false;
    struct ag_object_rec *rec = (void *)(keys + n);
    *rec =
        (struct ag_object_rec){.n = (uint32_t)n, .keys_off = (uint32_t)((uint8_t *)keys - r->m->arena->base)};
    for (size_t i = 0; i < n; i++) {
        keys[i] = a[i].key;
        rec->value[i] = a[i].value;
    }
    r->top = bottom;
    *ret = (struct ag_value){
        .kind = AG_OBJECT, .region = AG_IN_ARENA, .len = (uint32_t)n, .p = (const uint8_t *)rec};
    return true;
}

static bool
read_member(struct reader *r, unsigned depth)
{
    struct ag_value key, v;
    struct member mb;
    if (r->p >= r->end || *r->p != '"')
        return fail(r, AG_JSON_SYNTAX);
    if (!read_string(r, &key) || !store(r, key, &mb.key))
        return false;
    mb.prefix = key_prefix(key);
    skip_blanks(r);
    if (r->p >= r->end || *r->p != ':')
        return fail(r, AG_JSON_SYNTAX);
    r->p++;
    if (!read_value(r, depth, &v) || !store(r, v, &mb.value) || !push_cells(r, MEMBER_CELLS))
        return false;
    memcpy(r->top, &mb, sizeof mb);
    return true;
}

static bool
read_object(struct reader *r, unsigned depth, struct ag_value *ret)
{
    ag_cell *bottom = r->top;
    r->p++;
    skip_blanks(r);
    if (r->p < r->end && *r->p == '}') {
        r->p++;
        return close_object(r, bottom, ret);
    }
    for (;;) {
        skip_blanks(r);
        if (!read_member(r, depth))
            return false;
        skip_blanks(r);
        if (r->p >= r->end)
            return fail(r, AG_JSON_SYNTAX);
        if (*r->p == '}') {
            r->p++;
            return close_object(r, bottom, ret);
        }
        if (*r->p != ',')
            return fail(r, AG_JSON_SYNTAX);
        r->p++;
    }
}

static bool
read_value(struct reader *r, unsigned depth, struct ag_value *ret)
{
    skip_blanks(r);
    if (r->p >= r->end)
        return fail(r, AG_JSON_SYNTAX);
    switch (*r->p) {
    case '"': return read_string(r, ret);
    case '{':
    case '[':
        if (depth >= AG_DEPTH_MAX)
            return fail(r, AG_JSON_DEPTH);
        return *r->p == '{' ? read_object(r, depth + 1, ret) : read_array(r, depth + 1, ret);
    case 't': return read_word(r, "true", 4, ag_bool(true), ret);
    case 'f': return read_word(r, "false", 5, ag_bool(false), ret);
    case 'n': return read_word(r, "null", 4, ag_null(), ret);
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9': return read_number(r, ret);
    default: return fail(r, AG_JSON_SYNTAX);
    }
}

// --- entry
// -----------------------------------------------------------------------------------------------------

static enum ag_json_status
finish(const struct reader *r, enum ag_json_status status, struct ag_json_error *reterr)
{
    if (status != AG_JSON_OK && reterr)
        *reterr = (struct ag_json_error){status, (size_t)(r->p - r->start)};
    return status;
}

enum ag_json_status
ag_json_read(struct ag_mem *m, struct ag_str json, struct ag_value *ret, struct ag_json_error *reterr)
{
    struct reader r = {.m = m, .start = (const uint8_t *)json.p, .p = (const uint8_t *)json.p};
    if (json.n > AG_JSON_MAX)
        return finish(&r, AG_JSON_LIMIT, reterr);
    if (json.n == 0)
        return finish(&r, AG_JSON_SYNTAX, reterr);
    r.end = r.p + json.n;
    uintptr_t text_at = (uintptr_t)json.p, base_at = (uintptr_t)m->arena->base;
    r.region = text_at >= base_at && text_at - base_at < m->arena->used ? AG_IN_ARENA : AG_IN_REQUEST;
    size_t mark = ag_arena_mark(m->arena);
    if (m->arena->size < 2 * sizeof(ag_cell) + mark)
        return finish(&r, AG_JSON_ARENA, reterr);
    uintptr_t upper = (uintptr_t)(m->arena->base + m->arena->size) & ~(uintptr_t)7;
    r.top = (ag_cell *)(void *)(m->arena->base + (upper - (uintptr_t)m->arena->base));
    struct ag_value v;
    if (!read_value(&r, 0, &v)) {
        ag_arena_reset(m->arena, mark);
        return finish(&r, r.status, reterr);
    }
    skip_blanks(&r);
    if (r.p != r.end) {
        ag_arena_reset(m->arena, mark);
        return finish(&r, AG_JSON_TRAILING, reterr);
    }
    *ret = v;
    return AG_JSON_OK;
}

const char *
ag_json_status_text(enum ag_json_status s)
{
    switch (s) {
    case AG_JSON_OK: return "valid JSON";
    case AG_JSON_SYNTAX: return "not valid JSON";
    case AG_JSON_UTF8: return "text is not valid UTF-8";
    case AG_JSON_DUPLICATE_KEY: return "an object has the same key twice";
    case AG_JSON_DEPTH: return "nested deeper than 64 levels";
    case AG_JSON_NUMBER: return "number too long or out of range";
    case AG_JSON_TRAILING: return "text after the JSON value";
    case AG_JSON_LIMIT: return "larger than the limit";
    case AG_JSON_ARENA: return "no room left in the call's memory";
    }
    return "unknown status";
}
