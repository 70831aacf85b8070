// SPDX-License-Identifier: Apache-2.0
// Step 2, tokens, first pass. In: raw tokens of grammar/aegis.l. Out: lx->v, one entry for each token:
// strings are decoded, numbers checked, words are names still. Comments go to the module. Memory: the compile
// arena. Next file to read: tokens_shape.c.
#include "tokens.h"

#include "aegis.tab.h"
#include "aegis.lex.h"
#include "utf8.h"
#include "yaml_check.h"

#include <stdarg.h>

// Numbers end where Rego ends them: 2^100000 is NUMBER_FIRST times 10^NUMBER_TENS, 2^-100001 is SMALL_FIRST
// times 10^SMALL_TENS.
#define NUMBER_TENS  30102.0
#define NUMBER_FIRST 9.990020930143845
#define SMALL_TENS   (-30104.0)
#define SMALL_FIRST  5.004994518993471

static struct agc_span
here(const struct agc_lexer *lx)
{
    return agc_text_span(lx->text, lx->begin, lx->end);
}

struct agc_diag *
agc_token_fail(struct agc_lexer *lx, enum agc_diag_id id, struct agc_span at, const char *fmt, ...)
{
    char text[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    lx->is_failed = true;
    if (lx->errors_max == 0)
        return &lx->diags->sink;
    lx->errors_max--;
    return agc_diag(lx->diags, id, at, "%s", text);
}

static int
hex4(const char *p, size_t n, uint32_t *ret)
{
    uint32_t v = 0;
    if (n < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        uint32_t d = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                     : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a') + 10
                     : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A') + 10
                                            : 16;
        if (d == 16)
            return -1;
        v = v << 4 | d;
    }
    *ret = v;
    return 0;
}

// One escape at p (p[0] is the backslash). Appends to out; returns bytes read, 0 when it is none.
static size_t
escape(const char *p, size_t n, bool is_template, char *out, size_t *out_n)
{
    static const char from[] = "\"\\/bfnrt{", to[] = "\"\\/\b\f\n\r\t{";
    const char *at = n > 1 ? memchr(from, p[1], is_template ? 9 : 8) : NULL;
    if (at) {
        out[(*out_n)++] = to[at - from];
        return 2;
    }
    uint32_t cp, low;
    if (n < 6 || p[1] != 'u' || hex4(p + 2, n - 2, &cp) == -1)
        return 0;
    size_t used = 6;
    if (cp >= 0xd800 && cp < 0xdc00 && n >= 12 && p[6] == '\\' && p[7] == 'u' &&
        hex4(p + 8, n - 8, &low) != -1 && low >= 0xdc00 && low < 0xe000) {
        cp = 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00);
        used = 12;
    }
    if (cp >= 0xd800 && cp < 0xe000)
        cp = 0xfffd; // half of a pair
    uint8_t bytes[4];
    size_t len = ag_utf8_encode(cp, bytes);
    memcpy(out + *out_n, bytes, len);
    *out_n += len;
    return len ? used : 0;
}

static struct ag_str
decode(struct agc_lexer *lx, struct ag_str s, uint32_t place, bool is_template)
{
    // Without an escape everything stands for itself, control characters too.
    if (s.n == 0 || !memchr(s.p, '\\', s.n))
        return agc_strdup(lx->arena, s);
    char *out = agc_alloc(lx->arena, s.n * 3 + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n;) {
        if (s.p[i] != '\\') {
            if ((unsigned char)s.p[i] < 0x20)
                agc_token_fail(lx, AGC_D_BAD_STRING, here(lx),
                               "a control character in a string; write it as \\u%04x",
                               (unsigned)(unsigned char)s.p[i]);
            out[n++] = s.p[i++];
            continue;
        }
        size_t used = escape(s.p + i, s.n - i, is_template, out, &n);
        if (used == 0) {
            uint32_t at = place + (uint32_t)i;
            agc_token_fail(lx, AGC_D_BAD_STRING, agc_text_span(lx->text, at, at + 2),
                           "unknown escape in a string");
            used = 2;
        }
        i += used;
    }
    return ag_str_of(out, n);
}

// Is the number 2^100000 or more, or below 2^-100001? Decided by its first digits and the place of the first.
static bool
is_too_big(struct ag_str s)
{
    double first = 0, scale = 1, tens = -1, power = 0;
    bool is_fraction = false, is_negative = false, is_exponent = false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '.')
            is_fraction = true;
        else if (c == 'e' || c == 'E')
            is_exponent = true;
        else if (c == '-' || c == '+')
            is_negative = c == '-';
        else if (is_exponent)
            power = power * 10 + (c - '0');
        else {
            bool begins = first > 0 || c != '0';
            first += (c - '0') * scale;
            if (begins)
                scale /= 10;
            tens += begins && !is_fraction ? 1 : !begins && is_fraction ? -1 : 0;
        }
    }
    double exponent = tens + (is_negative ? -power : power);
    return first > 0 && (exponent > NUMBER_TENS || (exponent == NUMBER_TENS && first >= NUMBER_FIRST) ||
                         exponent < SMALL_TENS || (exponent == SMALL_TENS && first < SMALL_FIRST));
}

static struct ag_str
number(struct agc_lexer *lx, struct ag_str s)
{
    struct ag_str spelled = s;
    if (s.n && s.p[0] == '.') {
        char *p = agc_alloc(lx->arena, s.n + 2);
        p[0] = '0';
        memcpy(p + 1, s.p, s.n);
        spelled = ag_str_of(p, s.n + 1);
    }
    if (!agc_is_json_number(spelled)) {
        agc_token_fail(lx, AGC_D_BAD_NUMBER, here(lx), "%.*s is not a number", (int)(s.n < 100 ? s.n : 100),
                       s.p);
        return AG_STR("0");
    }
    if (is_too_big(spelled))
        agc_token_fail(lx, AGC_D_BAD_NUMBER, here(lx),
                       "%.*s is larger than 2^100000, or smaller than 2^-100001",
                       (int)(s.n < 100 ? s.n : 100), s.p);
    return agc_strdup(lx->arena, spelled);
}

int
agc_template_open(struct agc_lexer *lx, bool is_raw)
{
    if (lx->ntemplates == AGC_EXPR_DEPTH_MAX)
        return AGC_T_BAD;
    lx->templates[lx->ntemplates].is_raw = is_raw;
    lx->templates[lx->ntemplates++].braces = 0;
    return AGC_T_TEMPLATE;
}

int
agc_template_brace(struct agc_lexer *lx, int step)
{
    if (lx->ntemplates == 0)
        return -1;
    uint32_t *braces = &lx->templates[lx->ntemplates - 1].braces;
    if (step < 0 && *braces == 0)
        return lx->templates[lx->ntemplates - 1].is_raw;
    *braces = step > 0 ? *braces + 1 : *braces - 1;
    return -1;
}

void
agc_template_expr(struct agc_lexer *lx)
{
    lx->templates[lx->ntemplates - 1].braces = 0;
}

// A template inside the expression of another one ends there, so its scanner state is INITIAL in both cases.
int
agc_template_end(struct agc_lexer *lx)
{
    lx->ntemplates--;
    return AGC_T_TEMPLATE_END;
}

// The pieces of raw templates know one escape.
static struct ag_str
raw_piece(struct agc_lexer *lx, struct ag_str s)
{
    char *out = agc_alloc(lx->arena, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != '\\' || i + 1 == s.n || s.p[i + 1] != '{')
            out[n++] = s.p[i];
    return ag_str_of(out, n);
}

// Token number and text of the raw token in lx->begin, end; -1 after an error.
static int
cook(struct agc_lexer *lx, int raw, struct ag_str *text)
{
    struct ag_str s = ag_str_of(lx->text->text.p + lx->begin, lx->end - lx->begin);
    if (s.n > AGC_TOKEN_MAX) {
        agc_token_fail(lx, AGC_D_TOO_LARGE, here(lx), "a token of %zu bytes, at most %u are accepted", s.n,
                       AGC_TOKEN_MAX);
        return -1;
    }
    switch (raw) {
    case AGC_T_NAME: *text = agc_strdup(lx->arena, s); return NAME;
    case AGC_T_NUMBER: *text = number(lx, s); return NUMBER;
    case AGC_T_STRING: *text = decode(lx, ag_str_of(s.p + 1, s.n - 2), lx->begin + 1, false); return STRING;
    case AGC_T_RAW: *text = agc_strdup(lx->arena, ag_str_of(s.p + 1, s.n - 2)); return STRING;
    case AGC_T_PIECE: *text = decode(lx, s, lx->begin, true); return PIECE;
    case AGC_T_RAW_PIECE: *text = raw_piece(lx, s); return PIECE;
    case AGC_T_TEMPLATE: return TEMPLATE;
    case AGC_T_TEMPLATE_EXPR: return TEMPLATE_EXPR;
    case AGC_T_TEMPLATE_CLOSE: return TEMPLATE_CLOSE;
    case AGC_T_TEMPLATE_END: return TEMPLATE_END;
    case AGC_T_OPEN_TEMPLATE:
        agc_token_fail(lx, AGC_D_BAD_STRING, here(lx), "the template string is not closed");
        return -1;
    case AGC_T_OPEN_STRING:
        agc_token_fail(lx, AGC_D_BAD_STRING, here(lx), "the string is not closed%s",
                       s.p[0] == '`' ? "" : " on its line");
        return -1;
    case AGC_T_BAD:
        agc_token_fail(lx, AGC_D_BAD_CHARACTER, here(lx), "\"%.*s\" begins no construct",
                       (int)(s.n < 40 ? s.n : 40), s.p);
        return -1;
    default: return raw;
    }
}

static void
keep_comment(struct agc_lexer *lx)
{
    struct agc_module *m = lx->module;
    if (!m)
        return;
    m->comments = agc_grow(lx->arena, m->comments, m->ncomments, &lx->comments_cap, sizeof *m->comments);
    uint32_t end = lx->end;
    if (lx->text->text.p[end - 1] == '\r')
        end--;
    m->comments[m->ncomments++] = (struct agc_comment){
        agc_text_span(lx->text, lx->begin, end),
        agc_strdup(lx->arena, ag_str_of(lx->text->text.p + lx->begin + 1, end - lx->begin - 1))};
}

static void
add(struct agc_lexer *lx, int token, struct ag_str text)
{
    lx->v = agc_grow(lx->arena, lx->v, lx->n, &lx->cap, sizeof *lx->v);
    lx->v[lx->n++] = (struct agc_token){
        .token = token, .begin = lx->begin, .end = lx->end, .text = text, .has_newline = lx->has_newline};
    lx->has_newline = false;
}

bool
agc_tokens_read(struct agc_lexer *lx)
{
    yyscan_t flex;
    if (agc_yylex_init_extra(lx, &flex) != 0)
        agc_out_of_memory(0);
    agc_yy_scan_bytes(lx->text->text.p, (int)lx->text->text.n, flex);
    bool ok = true;
    for (int raw; ok && (raw = agc_yylex(flex)) != 0;) {
        struct ag_str text = AG_STR("");
        if (raw == AGC_T_COMMENT) {
            keep_comment(lx);
            continue;
        }
        int token = cook(lx, raw, &text);
        ok = token >= 0;
        if (ok)
            add(lx, token, text);
    }
    agc_yylex_destroy(flex);
    return ok;
}
