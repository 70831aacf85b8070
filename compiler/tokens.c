// SPDX-License-Identifier: Apache-2.0
// Step 2, tokens. In: raw tokens of grammar/aegis.l. Out: tokens of grammar/aegis.y:
//   - a newline outside brackets is a SEP when the token before it can end a literal and the one after it can
//   begin one
//     (`-` continues the line above, as every operator does); `;` is always one; several are one;
//   - `.`, `[` and `(` continue a term only when nothing stands between them;
//   - a word after a dot is a name, whatever it means elsewhere.
// Memory: the compile arena. Next file to read: grammar/aegis.y.
#include "tokens.h"

#include "aegis.tab.h"
#include "aegis.lex.h"
#include "utf8.h"
#include "yaml_check.h"

#include <stdarg.h>

#define EXPONENT_DIGITS 5u // of a number: more is refused
#define ERRORS_MAX      5u // diagnostics of one text: later ones are mostly echoes

static const struct {
    const char *text;
    int token;
} keywords[] = {
#define KEYWORD(text, TOKEN, available) {text, TOKEN},
#include "../grammar/keywords.def"
};

static struct agc_span
here(const struct agc_lexer *lx)
{
    return agc_text_span(lx->text, lx->begin, lx->end);
}

__attribute__((format(printf, 4, 5))) static void
fail(struct agc_lexer *lx, enum agc_diag_id id, struct agc_span at, const char *fmt, ...)
{
    char text[300];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    lx->is_failed = true;
    if (lx->errors_max == 0)
        return;
    lx->errors_max--;
    agc_diag(lx->diags, id, at, "%s", text);
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
escape(const char *p, size_t n, char *out, size_t *out_n)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *at = n > 1 ? memchr(from, p[1], 8) : NULL;
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
    uint8_t bytes[4];
    size_t len = ag_utf8_encode(cp, bytes);
    memcpy(out + *out_n, bytes, len);
    *out_n += len;
    return len ? used : 0;
}

static struct ag_str
decode(struct agc_lexer *lx, struct ag_str s)
{
    char *out = agc_alloc(lx->arena, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n;) {
        if (s.p[i] != '\\') {
            if ((unsigned char)s.p[i] < 0x20)
                fail(lx, AGC_D_BAD_STRING, here(lx), "a control character in a string; write it as \\u%04x",
                     (unsigned)(unsigned char)s.p[i]);
            out[n++] = s.p[i++];
            continue;
        }
        size_t used = escape(s.p + i, s.n - i, out, &n);
        if (used == 0) {
            uint32_t at = lx->begin + 1 + (uint32_t)i;
            fail(lx, AGC_D_BAD_STRING, agc_text_span(lx->text, at, at + 2), "unknown escape in a string");
            used = 2;
        }
        i += used;
    }
    return ag_str_of(out, n);
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
        fail(lx, AGC_D_BAD_NUMBER, here(lx), "%.*s is not a number", (int)(s.n < 100 ? s.n : 100), s.p);
        return AG_STR("0");
    }
    size_t e = 0;
    while (e < spelled.n && spelled.p[e] != 'e' && spelled.p[e] != 'E')
        e++;
    e += e < spelled.n;
    e += e < spelled.n && (spelled.p[e] == '+' || spelled.p[e] == '-');
    if (spelled.n - e > EXPONENT_DIGITS)
        fail(lx, AGC_D_BAD_NUMBER, here(lx), "the exponent has more than %u digits", EXPONENT_DIGITS);
    return agc_strdup(lx->arena, spelled);
}

static int
word(struct ag_str s, bool is_after_dot)
{
    for (size_t i = 0; !is_after_dot && i < sizeof keywords / sizeof keywords[0]; i++)
        if (ag_str_is(s, keywords[i].text))
            return keywords[i].token;
    return NAME;
}

static bool
begins_literal(int raw)
{
    return raw >= 900 || raw == '(' || raw == '[' || raw == '{';
}

static bool
ends_term(int token)
{
    switch (token) {
    case NAME:
    case NUMBER:
    case STRING:
    case TRUE:
    case FALSE:
    case NUL:
    case ')':
    case ']':
    case '}': return true;
    default: return false;
    }
}

// A bracket opens or closes. False (with a diagnostic) when nested too deeply.
static bool
count_bracket(struct agc_lexer *lx, int token)
{
    if (token == '(' || token == '[' || token == '{' || token == REF_LBRACK || token == CALL_LPAREN) {
        if (lx->depth == AGC_EXPR_DEPTH_MAX) {
            fail(lx, AGC_D_EXPR_DEPTH, here(lx), "brackets are nested more than %u deep", AGC_EXPR_DEPTH_MAX);
            return false;
        }
        lx->bracket[lx->depth++] = token == REF_LBRACK ? '[' : token == CALL_LPAREN ? '(' : (char)token;
    } else if ((token == ')' || token == ']' || token == '}') && lx->depth) {
        lx->depth--;
    }
    return true;
}

// The raw token in lx->begin, end becomes a token with its value.
static int
cook(struct agc_lexer *lx, int raw, union AGC_YYSTYPE *value)
{
    struct ag_str s = ag_str_of(lx->text->text.p + lx->begin, lx->end - lx->begin);
    bool is_adjacent = lx->ends_term && lx->begin == lx->last_end && lx->begin > 0;
    if (s.n > AGC_TOKEN_MAX) {
        fail(lx, AGC_D_TOO_LARGE, here(lx), "a token of %zu bytes, at most %u are accepted", s.n,
             AGC_TOKEN_MAX);
        return AGC_YYerror;
    }
    switch (raw) {
    case AGC_T_NAME:
        value->text = agc_strdup(lx->arena, s);
        // The keyword of partial rules is also a function, which a parenthesis makes of it.
        if (ag_str_is(s, "contains") && lx->end < lx->text->text.n && lx->text->text.p[lx->end] == '(')
            return NAME;
        return word(s, lx->begin == lx->last_end && lx->begin > 0 && lx->text->text.p[lx->begin - 1] == '.');
    case AGC_T_NUMBER: value->text = number(lx, s); return NUMBER;
    case AGC_T_STRING: value->text = decode(lx, ag_str_of(s.p + 1, s.n - 2)); return STRING;
    case AGC_T_RAW: value->text = agc_strdup(lx->arena, ag_str_of(s.p + 1, s.n - 2)); return STRING;
    case AGC_T_OPEN_STRING:
        fail(lx, AGC_D_BAD_STRING, here(lx), "the string is not closed%s",
             s.p[0] == '"' ? " on its line" : "");
        return AGC_YYerror;
    case AGC_T_TEMPLATE:
        lx->is_stopped = true; // what stands in it is no token
        return TEMPLATE;
    case AGC_T_BAD:
        fail(lx, AGC_D_BAD_CHARACTER, here(lx), "\"%.*s\" begins no construct", (int)(s.n < 40 ? s.n : 40),
             s.p);
        return AGC_YYerror;
    case '[': return is_adjacent ? REF_LBRACK : '[';
    case '(': return is_adjacent ? CALL_LPAREN : '(';
    default: return raw;
    }
}

int
agc_token_next(union AGC_YYSTYPE *value, struct agc_span *at, struct agc_lexer *lx)
{
    if (!lx->is_started) {
        lx->is_started = true;
        *at = agc_text_span(lx->text, 0, 0);
        return START_QUERY;
    }
    if (lx->is_stopped) {
        *at = agc_text_span(lx->text, lx->last_end, lx->last_end);
        return 0;
    }
    int raw = lx->held;
    bool separates = false;
    if (!lx->has_held) {
        lx->has_newline = false;
        raw = agc_yylex(lx->flex);
        while (raw == ';') {
            separates = true;
            uint32_t begin = lx->begin, end = lx->end;
            raw = agc_yylex(lx->flex);
            if (raw != ';' && lx->depth) { // inside brackets a `;` is an error of the grammar
                lx->has_held = true;
                lx->held = raw;
                *at = agc_text_span(lx->text, begin, end);
                return SEP;
            }
        }
        separates |= lx->has_newline && lx->depth == 0 && lx->ends_term && begins_literal(raw);
        if (separates && raw && lx->last_end) {
            lx->has_held = true;
            lx->held = raw;
            lx->ends_term = false;
            *at = agc_text_span(lx->text, lx->last_end, lx->last_end);
            return SEP;
        }
    }
    lx->has_held = false;
    if (raw == 0) {
        *at = agc_text_span(lx->text, lx->last_end, lx->last_end);
        return 0;
    }
    int token = cook(lx, raw, value);
    *at = here(lx);
    if (raw == '.' && !(lx->ends_term && lx->begin == lx->last_end && lx->begin > 0))
        fail(lx, AGC_D_SYNTAX, *at, "a blank stands before `.`, or nothing that has fields"),
            token = AGC_YYerror;
    if (!count_bracket(lx, token)) {
        lx->errors_max = 0; // what follows is an echo
        token = 0;
    }
    lx->last_end = lx->end;
    lx->ends_term = ends_term(token);
    return token;
}

static bool
open(struct agc_lexer *lx, struct agc_arena *a, struct agc_diags *diags, const struct agc_text *text,
     yyscan_t *ret)
{
    *lx = (struct agc_lexer){.arena = a, .diags = diags, .text = text, .errors_max = ERRORS_MAX};
    struct agc_span all = agc_text_span(text, 0, (uint32_t)text->text.n);
    if (text->text.n > AGC_EXPR_TEXT_MAX) {
        agc_diag(diags, AGC_D_TOO_LARGE, all, "an expression of %zu bytes, at most %u are accepted",
                 text->text.n, AGC_EXPR_TEXT_MAX);
        return false;
    }
    if (memchr(text->text.p, 0, text->text.n)) {
        agc_diag(diags, AGC_D_BAD_CHARACTER, all, "a NUL character in an expression");
        return false;
    }
    if (agc_yylex_init_extra(lx, ret) != 0) {
        agc_diag(diags, AGC_D_TOO_LARGE, all, "out of memory");
        return false;
    }
    agc_yy_scan_bytes(text->text.p, (int)text->text.n, *ret);
    lx->flex = *ret;
    return true;
}

struct agc_node *
agc_parse_query(struct agc_arena *a, struct agc_diags *diags, const struct agc_text *text)
{
    struct agc_lexer lx;
    yyscan_t flex;
    if (!open(&lx, a, diags, text, &flex))
        return NULL;
    int rc = agc_yyparse(&lx);
    agc_yylex_destroy(flex);
    return rc == 0 && !lx.is_failed ? lx.root : NULL;
}

void
agc_tokens_print(struct agc_arena *a, struct agc_diags *diags, const struct agc_text *text, FILE *f)
{
    struct agc_lexer lx;
    yyscan_t flex;
    if (!open(&lx, a, diags, text, &flex))
        return;
    for (;;) {
        union AGC_YYSTYPE value;
        struct agc_span at;
        int token = agc_token_next(&value, &at, &lx);
        uint32_t line, column;
        agc_source_place(diags->sources, at, &line, &column);
        fprintf(f, "%u:%u %s", line, column, agc_token_text(token));
        if (token == NAME || token == NUMBER || token == STRING)
            fprintf(f, " %.*s", (int)value.text.n, value.text.p);
        fputc('\n', f);
        if (token == 0)
            break;
    }
    agc_yylex_destroy(flex);
}
