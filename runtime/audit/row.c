// SPDX-License-Identifier: Apache-2.0
// Step 17, rows: see row.h for the contract and docs/formats/audit.md for the line.
// In: record fields or a stored line. Out: bytes or fields, borrowed. Allocates nothing.
// Next: runtime/audit/sequencer.c.
#include "row.h"
#include "base64.h"

#include "note.h"
#include "utf8.h"

static void
put_digest(struct ag_buf *out, const char *key, const struct agr_hash *h)
{
    ag_buf_str(out, ag_str_z(key));
    ag_buf_hex(out, h->b, AGR_HASH_SIZE);
    ag_buf_char(out, '"');
}

void
agr_row_compose(const struct agr_row *r, struct ag_buf *out)
{
    char id[AGR_DECISION_ID_SIZE];
    agr_decision_id(r->boot, r->journal, r->wseq, id);
    ag_buf_lit(out, "{\"v\":1,\"gseq\":");
    ag_buf_u64(out, r->gseq);
    ag_buf_lit(out, ",\"prev\":\"");
    ag_buf_base64(out, r->prev.b, AGR_HASH_SIZE);
    ag_buf_lit(out, "\",\"id\":\"");
    ag_buf_put(out, id, sizeof(id));
    ag_buf_lit(out, "\",\"boot\":\"");
    ag_buf_put(out, id, AGR_BOOT_TEXT_SIZE); // the id begins with the boot's 40 bits
    ag_buf_lit(out, "\",\"worker\":");
    ag_buf_u64(out, r->worker);
    ag_buf_lit(out, ",\"journal\":");
    ag_buf_u64(out, r->journal);
    ag_buf_lit(out, ",\"wseq\":");
    ag_buf_u64(out, r->wseq);
    ag_buf_lit(out, ",\"time\":\"");
    ag_buf_time(out, r->time_ns, 9);
    ag_buf_lit(out, "\",\"type\":\"");
    ag_buf_str(out, ag_str_z(agr_row_type_text(r->type)));
    ag_buf_char(out, '"');
    if (r->has_action)
        put_digest(out, ",\"action_digest\":\"", &r->action);
    if (r->has_payload)
        put_digest(out, ",\"payload_digest\":\"", &r->payload);
    if (r->body.n > 2)
        ag_buf_char(out, ',');
    ag_buf_put(out, r->body.p + 1, r->body.n - 1);
}

// --- body
// --------------------------------------------------------------------------------------------------------

static bool
is_head_key(struct ag_str key)
{
#define IS(text) (memcmp(key.p, text, sizeof(text) - 1) == 0)
    switch (key.n) {
    case 1: return IS("v");
    case 2: return IS("id");
    case 4: return IS("gseq") || IS("prev") || IS("boot") || IS("wseq") || IS("time") || IS("type");
    case 6: return IS("worker");
    case 7: return IS("journal");
    case 13: return IS("action_digest");
    case 14: return IS("payload_digest");
    default: return false;
    }
#undef IS
}

#define ONES UINT64_C(0x0101010101010101)

// Marks the top bit of each of eight bytes that is c; above the lowest mark there may be false ones. The
// formula is that of zero bytes in x ^ ccc....
static uint64_t
marks_of(uint64_t x, unsigned char c)
{
    x ^= ONES * c;
    return (x - ONES) & ~x & ONES << 7;
}

// Whether a byte is below 0x20. The formula is that of bytes less than n, n <= 128.
static bool
has_control(struct ag_str s)
{
    uint64_t marks = 0;
    size_t i = 0;
    for (; s.n - i >= 8; i += 8) {
        uint64_t x;
        memcpy(&x, s.p + i, 8);
        marks |= (x - ONES * 0x20) & ~x;
    }
    for (; i < s.n; i++)
        marks |= (unsigned char)s.p[i] < 0x20 ? ONES << 7 : 0;
    return (marks & ONES << 7) != 0;
}

// First quote or backslash from i on, or the end.
static size_t
skip_plain(struct ag_str s, size_t i)
{
    for (; s.n - i >= 8; i += 8) {
        uint64_t x;
        memcpy(&x, s.p + i, 8);
        uint64_t marks = marks_of(x, '"') | marks_of(x, '\\');
        if (marks)
            return i + (size_t)__builtin_ctzll(marks) / 8;
    }
    while (i < s.n && s.p[i] != '"' && s.p[i] != '\\')
        i++;
    return i;
}

// A string whose opening quote is at s.p[*at]; leaves *at after the closing one.
static bool
skip_string(struct ag_str s, size_t *at, bool *ret_has_escape)
{
    *ret_has_escape = false;
    for (size_t i = skip_plain(s, *at + 1); i < s.n; i = skip_plain(s, i + 1)) {
        if (s.p[i] == '"') {
            *at = i + 1;
            return true;
        }
        *ret_has_escape = true;
        if (++i >= s.n)
            return false;
        if (s.p[i] == 'u') {
            for (int k = 0; k < 4; k++)
                if (++i >= s.n || !strchr("0123456789abcdefABCDEF", s.p[i]) || !s.p[i])
                    return false;
        } else if (!s.p[i] || !strchr("\"\\/bfnrt", s.p[i])) {
            return false;
        }
    }
    return false;
}

static size_t
digits(struct ag_str s, size_t at)
{
    size_t n = 0;
    while (at + n < s.n && s.p[at + n] >= '0' && s.p[at + n] <= '9')
        n++;
    return n;
}

static bool
skip_number(struct ag_str s, size_t *at)
{
    size_t i = *at + (s.p[*at] == '-'), n = digits(s, i);
    if (n == 0 || (n > 1 && s.p[i] == '0'))
        return false;
    i += n;
    if (i < s.n && s.p[i] == '.') {
        n = digits(s, i + 1);
        if (n == 0)
            return false;
        i += 1 + n;
    }
    if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
        i++;
        if (i < s.n && (s.p[i] == '+' || s.p[i] == '-'))
            i++;
        n = digits(s, i);
        if (n == 0)
            return false;
        i += n;
    }
    *at = i;
    return true;
}

static bool
skip_word(struct ag_str s, size_t *at, struct ag_str word)
{
    if (s.n - *at < word.n || memcmp(s.p + *at, word.p, word.n) != 0)
        return false;
    *at += word.n;
    return true;
}

static bool
skip_scalar(struct ag_str s, size_t *at)
{
    bool has_escape;
    switch (s.p[*at]) {
    case '"': return skip_string(s, at, &has_escape);
    case 't': return skip_word(s, at, AG_STR("true"));
    case 'f': return skip_word(s, at, AG_STR("false"));
    case 'n': return skip_word(s, at, AG_STR("null"));
    default: return skip_number(s, at);
    }
}

static void
skip_blanks(struct ag_str s, size_t *at)
{
    while (*at < s.n && s.p[*at] == ' ')
        ++*at;
}

// A member's key and colon.
static bool
skip_key(struct ag_str s, size_t *at, unsigned depth)
{
    size_t from = *at;
    bool has_escape;
    if (*at >= s.n || s.p[*at] != '"' || !skip_string(s, at, &has_escape))
        return false;
    // An escaped spelling could hide a key of the head.
    if (depth == 1 && (has_escape || is_head_key(ag_str_of(s.p + from + 1, *at - from - 2))))
        return false;
    skip_blanks(s, at);
    if (*at >= s.n || s.p[(*at)++] != ':')
        return false;
    skip_blanks(s, at);
    return *at < s.n;
}

// Syntax of one object, as a loop: `is_object` remembers for each open level what it is.
static bool
is_object_text(struct ag_str s)
{
    uint64_t is_object = 0; // bit d: level d + 1 is an object
    unsigned depth = 0;
    size_t at = 0;
    for (;;) {
        // A value is due at s.p[at].
        if (s.p[at] == '{' || s.p[at] == '[') {
            bool is_obj = s.p[at] == '{';
            if (depth == AGR_BODY_DEPTH_MAX || (depth == 0 && !is_obj))
                return false;
            is_object = (is_object & ~((uint64_t)1 << depth)) | (uint64_t)is_obj << depth;
            depth++;
            at++;
            skip_blanks(s, &at);
            if (at >= s.n)
                return false;
            if (s.p[at] != (is_obj ? '}' : ']')) {
                if (is_obj && !skip_key(s, &at, depth))
                    return false;
                continue;
            }
        } else if (depth == 0 || !skip_scalar(s, &at)) {
            return false;
        }
        // After a value: a comma goes on, closers end levels.
        for (;;) {
            skip_blanks(s, &at);
            if (at >= s.n)
                return false;
            bool is_obj = is_object >> (depth - 1) & 1;
            if (s.p[at] == ',') {
                at++;
                skip_blanks(s, &at);
                if (at >= s.n || (is_obj && !skip_key(s, &at, depth)))
                    return false;
                break;
            }
            if (s.p[at] != (is_obj ? '}' : ']'))
                return false;
            at++;
            if (--depth == 0)
                return at == s.n;
        }
    }
}

bool
agr_body_valid(struct ag_str body)
{
    if (body.n < 2 || body.n > AGR_BODY_MAX || !ag_utf8_valid(body.p, body.n))
        return false;
    if (has_control(body))
        return false;
    // "{ }" would need its comma left out; only "{}" has that form.
    if (body.n > 2 && body.p[1] == ' ')
        return false;
    return is_object_text(body);
}

// --- parsing
// -----------------------------------------------------------------------------------------------------

static bool
eat(struct ag_str *s, const char *z)
{
    size_t n = strlen(z);
    if (s->n < n || memcmp(s->p, z, n) != 0)
        return false;
    *s = ag_str_of(s->p + n, s->n - n);
    return true;
}

static bool
eat_u64(struct ag_str *s, uint64_t max, uint64_t *ret)
{
    size_t n = digits(*s, 0);
    if (!agr_decimal_parse(ag_str_of(s->p, n), ret) || *ret > max)
        return false;
    *s = ag_str_of(s->p + n, s->n - n);
    return true;
}

// Text up to the next quote, which is taken too.
static bool
eat_text(struct ag_str *s, struct ag_str *ret)
{
    const char *q = s->n ? memchr(s->p, '"', s->n) : NULL;
    if (!q)
        return false;
    *ret = ag_str_of(s->p, (size_t)(q - s->p));
    *s = ag_str_of(q + 1, s->n - ret->n - 1);
    return true;
}

static bool
eat_hex(struct ag_str *s, struct agr_hash *ret)
{
    struct ag_str t;
    if (!eat_text(s, &t) || t.n != 2 * AGR_HASH_SIZE)
        return false;
    for (size_t i = 0; i < t.n; i++) {
        char c = t.p[i];
        unsigned v = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                     : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                                            : 99;
        if (v > 15)
            return false;
        ret->b[i / 2] = (uint8_t)(i % 2 ? ret->b[i / 2] | v : v << 4);
    }
    return true;
}

static unsigned
two(const char *p)
{
    return (unsigned)(p[0] - '0') * 10 + (unsigned)(p[1] - '0');
}

bool
agr_time_parse(struct ag_str text, int64_t *ret)
{
    static const char shape[] = "dddd-dd-ddTdd:dd:dd.dddddddddZ";
    if (text.n != sizeof(shape) - 1)
        return false;
    for (size_t i = 0; i < text.n; i++)
        if (shape[i] == 'd' ? text.p[i] < '0' || text.p[i] > '9' : text.p[i] != shape[i])
            return false;
    unsigned year = two(text.p) * 100 + two(text.p + 2), month = two(text.p + 5), day = two(text.p + 8);
    unsigned hour = two(text.p + 11), minute = two(text.p + 14), second = two(text.p + 17);
    if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 59 ||
        year < 1678 || year > 2261)
        return false;
    // Days from the civil calendar with years that begin in March (H. Hinnant, "chrono-compatible date
    // algorithms").
    unsigned y = year - (month <= 2), era = y / 400, yoe = y - era * 400;
    unsigned doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t days = (int64_t)era * 146097 + (int64_t)(yoe * 365 + yoe / 4 - yoe / 100 + doy) - 719468;
    int64_t ns = 0;
    for (size_t i = 20; i < 29; i++)
        ns = ns * 10 + (text.p[i] - '0');
    *ret = (days * 86400 + hour * 3600 + minute * 60 + second) * 1000000000 + ns;
    return true;
}

static bool
parse_type(struct ag_str text, enum agr_row_type *ret)
{
    for (unsigned i = AGR_ROW_DECISION; i < AGR_ROW_TYPES; i++)
        if (ag_str_is(text, agr_row_type_text(i))) {
            *ret = (enum agr_row_type)i;
            return true;
        }
    return false;
}

bool
agr_row_parse(struct ag_str line, struct agr_row *ret)
{
    struct agr_row r = {0};
    struct ag_str s = line, prev, id, boot, time, type;
    uint64_t worker, journal, id_boot, id_wseq;
    uint32_t id_journal;
    if (line.n > AGR_ROW_MAX || line.n == 0 || !ag_utf8_valid(line.p, line.n))
        return false;
    if (has_control(line))
        return false;
    if (!eat(&s, "{\"v\":1,\"gseq\":") || !eat_u64(&s, UINT64_MAX, &r.gseq) || !eat(&s, ",\"prev\":\"") ||
        !eat_text(&s, &prev) || ag_base64_decode(prev, true, r.prev.b, AGR_HASH_SIZE) != AGR_HASH_SIZE ||
        !eat(&s, ",\"id\":\"") || !eat_text(&s, &id) ||
        !agr_decision_id_parse(id, &id_boot, &id_journal, &id_wseq) || !eat(&s, ",\"boot\":\"") ||
        !eat_text(&s, &boot) || !eat(&s, ",\"worker\":") || !eat_u64(&s, UINT32_MAX, &worker) ||
        !eat(&s, ",\"journal\":") || !eat_u64(&s, AGR_JOURNAL_NO_MAX, &journal) || !eat(&s, ",\"wseq\":") ||
        !eat_u64(&s, AGR_WSEQ_MAX, &r.wseq) || !eat(&s, ",\"time\":\"") || !eat_text(&s, &time) ||
        !agr_time_parse(time, &r.time_ns) || !eat(&s, ",\"type\":\"") || !eat_text(&s, &type) ||
        !parse_type(type, &r.type))
        return false;
    if (!ag_str_eq(boot, ag_str_of(id.p, AGR_BOOT_TEXT_SIZE)) || id_journal != journal || id_wseq != r.wseq)
        return false;
    r.boot = id_boot;
    r.worker = (uint32_t)worker;
    r.journal = (uint32_t)journal;
    r.has_action = eat(&s, ",\"action_digest\":\"");
    if (r.has_action && !eat_hex(&s, &r.action))
        return false;
    r.has_payload = eat(&s, ",\"payload_digest\":\"");
    if (r.has_payload && !eat_hex(&s, &r.payload))
        return false;
    if (s.n == 0 || s.p[s.n - 1] != '}' || (s.n > 1 && s.p[0] != ','))
        return false;
    r.body = s;
    *ret = r;
    return true;
}

bool
agr_row_of(const struct agr_row *r, uint64_t *ret_boot, uint32_t *ret_journal, uint64_t *ret_wseq)
{
    struct ag_str s = r->body, boot;
    char id[AGR_DECISION_ID_SIZE];
    uint64_t journal, zero;
    uint32_t zero_journal;
    memset(id, 'a', sizeof(id));
    if (!eat(&s, ",\"of\":{\"boot\":\"") || !eat_text(&s, &boot) || boot.n != AGR_BOOT_TEXT_SIZE ||
        !eat(&s, ",\"journal\":") || !eat_u64(&s, AGR_JOURNAL_NO_MAX, &journal) ||
        !(eat(&s, ",\"last_wseq\":") || eat(&s, ",\"after_wseq\":")) || !eat_u64(&s, AGR_WSEQ_MAX, ret_wseq))
        return false;
    memcpy(id, boot.p, boot.n);
    *ret_journal = (uint32_t)journal;
    return agr_decision_id_parse(ag_str_of(id, sizeof(id)), ret_boot, &zero_journal, &zero);
}

struct ag_str
agr_entry_line(struct ag_str entry, bool *ret_is_signed)
{
    const char *nl = entry.n ? memchr(entry.p, '\n', entry.n) : NULL;
    *ret_is_signed = nl != NULL;
    return nl ? ag_str_of(entry.p, (size_t)(nl - entry.p)) : entry;
}
