// SPDX-License-Identifier: Apache-2.0
// Step 3 of the language's front end: the entries that run lexer and grammar over a text. In: a text. Out: a
// QUERY, a term, a module, or a listing of tokens. Memory: the compile arena. Next file to read:
// parse_build.c.
#include "parse.h"

#include "parse_build.h"
#include "utf8.h"

#define ERRORS_MAX 5u // diagnostics of one expression: later ones are mostly echoes

static bool
read_tokens(struct agc_lexer *lx, uint32_t max)
{
    struct ag_str s = lx->text->text;
    struct agc_span all = agc_text_span(lx->text, 0, (uint32_t)s.n);
    if (s.n > max) {
        agc_token_fail(lx, AGC_D_TOO_LARGE, all, "%s of %zu bytes, at most %u are accepted",
                       lx->start == START_MODULE ? "a module" : "an expression", s.n, max);
        return false;
    }
    const char *nul = s.n ? memchr(s.p, 0, s.n) : NULL;
    if (nul) {
        uint32_t at = (uint32_t)(nul - s.p);
        agc_token_fail(lx, AGC_D_BAD_CHARACTER, agc_text_span(lx->text, at, at + 1), "a NUL character in %s",
                       lx->start == START_MODULE ? "a module" : "an expression");
        return false;
    }
    if (!ag_utf8_valid(s.p, s.n)) {
        uint32_t at = (uint32_t)ag_utf8_bad(s.p, s.n);
        agc_token_fail(lx, AGC_D_NOT_UTF8, agc_text_span(lx->text, at, at + 1), "byte 0x%02x is not UTF-8",
                       (unsigned)(unsigned char)s.p[at]);
        return false;
    }
    return agc_tokens_read(lx) && agc_tokens_shape(lx);
}

static struct agc_lexer *
new_lexer(struct agc_arena *a, struct agc_diags *diags, const struct agc_text *text, int start)
{
    struct agc_lexer *lx = agc_alloc(a, sizeof *lx);
    lx->arena = a;
    lx->diags = diags;
    lx->text = text;
    lx->start = start;
    lx->errors_max = start == START_MODULE ? AGC_SYNTAX_MAX : ERRORS_MAX;
    return lx;
}

static struct agc_node *
parse(struct agc_arena *a, struct agc_diags *diags, const struct agc_text *text, int start)
{
    struct agc_lexer *lx = new_lexer(a, diags, text, start);
    if (!read_tokens(lx, AGC_EXPR_TEXT_MAX))
        return NULL;
    int rc = agc_yyparse(lx);
    return rc == 0 && !lx->is_failed ? lx->root : NULL;
}

struct agc_node *
agc_parse_query(struct agc_arena *a, struct agc_diags *diags, const struct agc_text *text)
{
    return parse(a, diags, text, START_QUERY);
}

struct agc_node *
agc_parse_term(struct agc_arena *a, struct agc_diags *diags, const struct agc_text *text)
{
    return parse(a, diags, text, START_TERM);
}

struct agc_module *
agc_parse_module(struct agc_arena *a, struct agc_diags *diags, const struct agc_text *text)
{
    struct agc_lexer *lx = new_lexer(a, diags, text, START_MODULE);
    struct agc_module *m = lx->module = agc_alloc(a, sizeof *m);
    m->source = text->source;
    m->span = agc_text_span(text, 0, (uint32_t)text->text.n);
    if (!read_tokens(lx, AGC_MODULE_TEXT_MAX))
        return NULL;
    int rc = agc_yyparse(lx);
    if (rc != 0 || lx->is_failed)
        return NULL;
    if (!lx->has_package) {
        struct agc_diag *d =
            agc_token_fail(lx, AGC_D_SYNTAX, agc_text_span(text, 0, 0), "a module begins with its package");
        agc_diag_fix(diags, d, "write `package example` as the first line");
        return NULL;
    }
    agc_build_metadata(lx);
    return lx->is_failed ? NULL : m;
}

static void
print_tokens(struct agc_lexer *lx, uint32_t max, FILE *f)
{
    if (!read_tokens(lx, max))
        return;
    for (;;) {
        union AGC_YYSTYPE value;
        struct agc_span at;
        int token = agc_token_next(&value, &at, lx);
        uint32_t line, column;
        agc_source_place(lx->diags->sources, at, &line, &column);
        fprintf(f, "%u:%u %s", line, column, agc_token_text(token));
        if (token == NAME || token == NUMBER || token == STRING || token == PIECE)
            fprintf(f, " %.*s", (int)value.text.n, value.text.p);
        fputc('\n', f);
        if (token == 0)
            break;
    }
}

void
agc_tokens_print(struct agc_arena *a, struct agc_diags *diags, const struct agc_text *text, FILE *f)
{
    print_tokens(new_lexer(a, diags, text, START_QUERY), AGC_EXPR_TEXT_MAX, f);
}

void
agc_module_tokens_print(struct agc_arena *a, struct agc_diags *diags, const struct agc_text *text, FILE *f)
{
    struct agc_lexer *lx = new_lexer(a, diags, text, START_MODULE);
    struct agc_module none = {0};
    lx->module = &none;
    print_tokens(lx, AGC_MODULE_TEXT_MAX, f);
}
