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
    struct ag_arena *arena; // m's
    const uint8_t *start, *end;
    const uint8_t *p;    // where reading stopped; the readers below carry their place in a register
    const uint8_t *base; // of the region of the text: the request, or the arena
    ag_cell text_string; // cell of a string in that region, without offset and length
    ag_cell *top;        // lowest waiting element; the arena's free space ends here
    enum ag_json_status status;
    bool takes_last; // equal keys are no error
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

// Ends reading at p. The readers return the place behind what they read, or this.
static const uint8_t *
stop(struct reader *r, const uint8_t *p, enum ag_json_status status)
{
    r->p = p;
    fail(r, status);
    return NULL;
}

static inline const uint8_t *
skip_blanks(const uint8_t *p, const uint8_t *end)
{
    while (p < end && *p <= ' ' && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r'))
        p++;
    return p;
}

// n bytes of the arena that stay clear of the waiting elements.
static inline void *
alloc(struct reader *r, size_t n, size_t align)
{
    struct ag_arena *a = r->arena;
    size_t at = (a->used + (align - 1)) & ~(align - 1), limit = (size_t)((uint8_t *)r->top - a->base);
    if (at > limit || n > limit - at) {
        fail(r, AG_JSON_ARENA);
        return NULL;
    }
    a->used = at + n;
    return a->base + at;
}

// Makes room for n waiting cells.
static inline bool
push_cells(struct reader *r, size_t n)
{
    if ((size_t)((uint8_t *)r->top - r->arena->base) < r->arena->used + n * sizeof(ag_cell))
        return fail(r, AG_JSON_ARENA);
    r->top -= n;
    return true;
}

static inline ag_cell
cell_of(const struct reader *r, enum ag_kind kind, const void *record)
{
    return (uint64_t)((const uint8_t *)record - r->m->base[AG_IN_ARENA]) << 32 | (unsigned)AG_IN_ARENA << 4 |
           kind;
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
read_escaped(struct reader *r, const uint8_t *from, bool high, ag_cell *ret)
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
    *ret = cell_of(r, AG_STRING, text) | (uint64_t)n << 8;
    return true;
}

// A string; p stands on the opening quote.
static inline const uint8_t *
read_string(struct reader *r, const uint8_t *p, ag_cell *ret)
{
    const uint8_t *from = p + 1;
    bool high = false;
    p = scan_plain(from, r->end, &high);
    if (p >= r->end || *p < 0x20)
        return stop(r, p, AG_JSON_SYNTAX);
    if (*p == '\\') {
        r->p = p;
        return read_escaped(r, from, high, ret) ? r->p : NULL;
    }
    size_t n = (size_t)(p - from);
    if (high && !ag_utf8_valid(from, n))
        return stop(r, from, AG_JSON_UTF8);
    if (n > AG_STRING_MAX)
        return stop(r, p + 1, AG_JSON_LIMIT);
    *ret = r->text_string | (uint64_t)n << 8 | (uint64_t)(from - r->base) << 32;
    return p + 1;
}

// --- numbers and words
// -----------------------------------------------------------------------------------------

// Any number; a large integer is boxed, others have a record, both below the waiting elements.
static const uint8_t *
read_other_number(struct reader *r, const uint8_t *from, ag_cell *ret)
{
    const uint8_t *p = from;
    while (p < r->end &&
           ((*p >= '0' && *p <= '9') || *p == '.' || *p == 'e' || *p == 'E' || *p == '+' || *p == '-'))
        p++;
    struct ag_num num;
    struct ag_arena *a = r->arena;
    size_t size = a->size;
    a->size = (size_t)((uint8_t *)r->top - a->base);
    enum ag_num_status s = ag_num_parse(ag_str_of((const char *)from, (size_t)(p - from)), a, &num);
    bool is_stored = s == AG_NUM_OK && ag_cell_store(r->m, ag_number_value(r->m, num), ret);
    a->size = size;
    if (is_stored)
        return p;
    return stop(r, from,
                s == AG_NUM_OK || s == AG_NUM_FULL ? AG_JSON_ARENA
                : s == AG_NUM_SYNTAX               ? AG_JSON_SYNTAX
                                                   : AG_JSON_NUMBER);
}

#define FAST_DIGITS 16 // always fit the 56 bits of a cell

static inline const uint8_t *
read_number(struct reader *r, const uint8_t *from, ag_cell *ret)
{
    const uint8_t *p = from;
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
    *ret = (uint64_t)(negative ? -v : v) << 8 | AG_NUMBER;
    return p;
}

static inline const uint8_t *
read_word(struct reader *r, const uint8_t *p, const char *word, size_t n, ag_cell c, ag_cell *ret)
{
    if ((size_t)(r->end - p) < n || memcmp(p, word, n) != 0)
        return stop(r, p, AG_JSON_SYNTAX);
    *ret = c;
    return p + n;
}

// --- containers
// ------------------------------------------------------------------------------------------------

static const uint8_t *read_other_value(struct reader *r, const uint8_t *p, unsigned depth, ag_cell *ret);

// Most values are strings.
static inline const uint8_t *
read_value(struct reader *r, const uint8_t *p, unsigned depth, ag_cell *ret)
{
    p = skip_blanks(p, r->end);
    return p < r->end && *p == '"' ? read_string(r, p, ret) : read_other_value(r, p, depth, ret);
}

// Turns the waiting elements into an array.
static bool
close_array(struct reader *r, ag_cell *bottom, ag_cell *ret)
{
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
    *ret = cell_of(r, AG_ARRAY, rec);
    return true;
}

static const uint8_t *
read_array(struct reader *r, const uint8_t *p, unsigned depth, ag_cell *ret)
{
    ag_cell *bottom = r->top, c;
    p = skip_blanks(p + 1, r->end);
    if (p < r->end && *p == ']')
        return close_array(r, bottom, ret) ? p + 1 : stop(r, p, r->status);
    for (;; p++) {
        p = read_value(r, p, depth, &c);
        if (!p)
            return NULL;
        if (!push_cells(r, 1))
            return stop(r, p, r->status);
        *r->top = c;
        p = skip_blanks(p, r->end);
        if (p < r->end && *p == ']')
            return close_array(r, bottom, ret) ? p + 1 : stop(r, p, r->status);
        if (p >= r->end || *p != ',')
            return stop(r, p, AG_JSON_SYNTAX);
    }
}

// The key's first bytes as a number. `left` bytes may be read from its begin, at least n.
static inline uint64_t
key_prefix(const uint8_t *key, size_t n, size_t left)
{
    uint64_t v = 0;
    if (left >= sizeof v) {
        memcpy(&v, key, sizeof v);
        uint64_t rest = n >= sizeof v ? 0 : UINT64_MAX >> (8 * n);
        return __builtin_bswap64(v) & ~rest;
    }
    memcpy(&v, key, n < sizeof v ? n : sizeof v);
    return __builtin_bswap64(v);
}

static inline int
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
        if (child + 1 < n && member_cmp(m, &h[child], &h[child + 1]) > 0)
            child++;
        if (member_cmp(m, &h[at], &h[child]) <= 0)
            return;
        struct member t = h[at];
        h[at] = h[child];
        h[child] = t;
        at = child;
    }
}

#define INSERTION_MAX                                                                                        \
    24u // members sorted by insertion; more by heap, so that no key order costs quadratic time

// Sorts the greatest key to the front; false: two keys are the same. Members wait with the last read in
// front, so those that were written in order stay where they are.
static bool
sort_members(const struct ag_mem *m, struct member *a, size_t n)
{
    if (n <= INSERTION_MAX) {
        for (size_t i = n; i-- > 1;) {
            struct member t = a[i - 1];
            size_t k = i;
            int c = -1;
            for (; k < n && (c = member_cmp(m, &a[k], &t)) > 0; k++)
                a[k - 1] = a[k];
            if (c == 0 && k < n)
                return false;
            a[k - 1] = t;
        }
        return true;
    }
    for (size_t i = n / 2; i-- > 0;)
        sift_down(m, a, i, n);
    for (size_t i = n; i-- > 1;) {
        struct member t = a[0];
        a[0] = a[i];
        a[i] = t;
        sift_down(m, a, 0, i);
    }
    for (size_t i = 1; i < n; i++)
        if (member_cmp(m, &a[i - 1], &a[i]) == 0)
            return false;
    return true;
}

// Merges the runs [0, k) and [k, n) of `a` into `to`, greatest key first; of equal keys the one in front
// stays there.
static void
merge_members(const struct ag_mem *m, const struct member *a, size_t k, size_t n, struct member *to)
{
    for (size_t i = 0, j = k; i < k || j < n;)
        *to++ = j == n || (i < k && member_cmp(m, &a[i], &a[j]) >= 0) ? a[i++] : a[j++];
}

// Sorts like sort_members, and of equal keys keeps the one that was read last: it waits in front of the
// others.
static bool
sort_last(struct reader *r, struct member *a, size_t *n)
{
    size_t used = r->arena->used, kept = 0;
    struct member *from = a, *to = alloc(r, *n * sizeof *to, 8);
    if (!to)
        return false;
    for (size_t width = 1; width < *n; width *= 2) {
        for (size_t at = 0; at < *n; at += 2 * width) {
            size_t left = *n - at;
            merge_members(r->m, from + at, width < left ? width : left, 2 * width < left ? 2 * width : left,
                          to + at);
        }
        struct member *t = from;
        from = to;
        to = t;
    }
    for (size_t i = 0; i < *n; i++)
        if (i == 0 || member_cmp(r->m, &a[kept - 1], &from[i]) != 0)
            a[kept++] = from[i];
    *n = kept;
    r->arena->used = used;
    return true;
}

// Turns the waiting members into an object.
static bool
close_object(struct reader *r, ag_cell *bottom, ag_cell *ret)
{
    struct member *a = (struct member *)(void *)r->top;
    size_t n = (size_t)(bottom - r->top) / MEMBER_CELLS;
    if (n > AG_CONTAINER_MAX)
        return fail(r, AG_JSON_LIMIT);
    if (r->takes_last) {
        if (!sort_last(r, a, &n))
            return false;
    } else if (!sort_members(r->m, a, n))
        return fail(r, AG_JSON_DUPLICATE_KEY);
    ag_cell *keys = alloc(r, sizeof(struct ag_object_rec) + 2 * n * sizeof *keys, 8);
    if (!keys)
        return false;
    struct ag_object_rec *rec = (void *)(keys + n);
    *rec = (struct ag_object_rec){.n = (uint32_t)n, .keys_off = (uint32_t)((uint8_t *)keys - r->arena->base)};
    for (size_t i = 0; i < n; i++) {
        keys[i] = a[n - 1 - i].key;
        rec->value[i] = a[n - 1 - i].value;
    }
    r->top = bottom;
    *ret = cell_of(r, AG_OBJECT, rec);
    return true;
}

static inline const uint8_t *
read_member(struct reader *r, const uint8_t *p, unsigned depth)
{
    ag_cell key, value;
    if (p >= r->end || *p != '"')
        return stop(r, p, AG_JSON_SYNTAX);
    const uint8_t *text = p + 1;
    p = read_string(r, p, &key);
    if (!p)
        return NULL;
    size_t n = key >> 8 & AG_STRING_MAX;
    const uint8_t *bytes =
        r->m->base[key >> 4 & 3] + (key >> 32); // elsewhere than in the text when it has escapes
    uint64_t prefix = key_prefix(bytes, n, bytes == text ? (size_t)(r->end - text) : n);
    p = skip_blanks(p, r->end);
    if (p >= r->end || *p != ':')
        return stop(r, p, AG_JSON_SYNTAX);
    p = read_value(r, p + 1, depth, &value);
    if (!p)
        return NULL;
    if (!push_cells(r, MEMBER_CELLS))
        return stop(r, p, r->status);
    *(struct member *)(void *)r->top = (struct member){prefix, key, value};
    return p;
}

static const uint8_t *
read_object(struct reader *r, const uint8_t *p, unsigned depth, ag_cell *ret)
{
    ag_cell *bottom = r->top;
    p = skip_blanks(p + 1, r->end);
    if (p < r->end && *p == '}')
        return close_object(r, bottom, ret) ? p + 1 : stop(r, p + 1, r->status);
    for (;;) {
        p = read_member(r, skip_blanks(p, r->end), depth);
        if (!p)
            return NULL;
        p = skip_blanks(p, r->end);
        if (p < r->end && *p == '}')
            return close_object(r, bottom, ret) ? p + 1 : stop(r, p + 1, r->status);
        if (p >= r->end || *p != ',')
            return stop(r, p, AG_JSON_SYNTAX);
        p++;
    }
}

// A value at p that is no string.
static const uint8_t *
read_other_value(struct reader *r, const uint8_t *p, unsigned depth, ag_cell *ret)
{
    if (p >= r->end)
        return stop(r, p, AG_JSON_SYNTAX);
    switch (*p) {
    case '{':
    case '[':
        if (depth >= AG_DEPTH_MAX)
            return stop(r, p, AG_JSON_DEPTH);
        return *p == '{' ? read_object(r, p, depth + 1, ret) : read_array(r, p, depth + 1, ret);
    case 't': return read_word(r, p, "true", 4, AG_BOOL | 1u << 8, ret);
    case 'f': return read_word(r, p, "false", 5, AG_BOOL, ret);
    case 'n': return read_word(r, p, "null", 4, AG_NULL, ret);
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
    case '9': return read_number(r, p, ret);
    default: return stop(r, p, AG_JSON_SYNTAX);
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

static enum ag_json_status
read_text(struct ag_mem *m, struct ag_str json, bool takes_last, struct ag_value *ret,
          struct ag_json_error *reterr)
{
    const uint8_t *text = (const uint8_t *)json.p;
    struct reader r = {.m = m, .arena = m->arena, .start = text, .p = text, .takes_last = takes_last};
    if (json.n > AG_JSON_MAX)
        return finish(&r, AG_JSON_LIMIT, reterr);
    if (json.n == 0)
        return finish(&r, AG_JSON_SYNTAX, reterr);
    r.end = text + json.n;
    uintptr_t text_at = (uintptr_t)json.p, base_at = (uintptr_t)m->arena->base;
    bool is_in_arena = text_at >= base_at && text_at - base_at < m->arena->used;
    enum ag_region region = is_in_arena ? AG_IN_ARENA : AG_IN_REQUEST;
    r.base = m->base[region];
    r.text_string = (unsigned)region << 4 | AG_STRING;
    size_t mark = ag_arena_mark(m->arena);
    if (m->arena->size < 2 * sizeof(ag_cell) + mark)
        return finish(&r, AG_JSON_ARENA, reterr);
    uintptr_t upper = (uintptr_t)(m->arena->base + m->arena->size) & ~(uintptr_t)7;
    r.top = (ag_cell *)(void *)(m->arena->base + (upper - (uintptr_t)m->arena->base));
    ag_cell root;
    const uint8_t *p = read_value(&r, text, 0, &root);
    if (p) {
        p = skip_blanks(p, r.end);
        if (p != r.end)
            stop(&r, p, AG_JSON_TRAILING);
    }
    if (r.status != AG_JSON_OK) {
        ag_arena_reset(m->arena, mark);
        return finish(&r, r.status, reterr);
    }
    *ret = ag_cell_load(m, root);
    return AG_JSON_OK;
}

enum ag_json_status
ag_json_read(struct ag_mem *m, struct ag_str json, struct ag_value *ret, struct ag_json_error *reterr)
{
    return read_text(m, json, false, ret, reterr);
}

enum ag_json_status
ag_json_read_last(struct ag_mem *m, struct ag_str json, struct ag_value *ret, struct ag_json_error *reterr)
{
    return read_text(m, json, true, ret, reterr);
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
