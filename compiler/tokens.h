// SPDX-License-Identifier: Apache-2.0
// Tokens: what flex finds becomes what bison wants, in two passes over one array. tokens.c decodes strings
// and turns words into keywords; tokens_shape.c decides what depends on brackets: separators, bodies,
// comprehensions. In: a text. Out: tokens with places in the file. Memory: the compile arena. Thread rule:
// one lexer, one thread. Next file to read: grammar/aegis.l, then tokens.c.
#ifndef AGC_TOKENS_H
#define AGC_TOKENS_H

#include "module.h"
#include "parse.h"

// Raw tokens that never reach the grammar under this number.
enum agc_raw {
    AGC_T_NAME = 900,
    AGC_T_NUMBER,
    AGC_T_STRING,
    AGC_T_RAW,
    AGC_T_OPEN_STRING,
    AGC_T_TEMPLATE,
    AGC_T_PIECE,
    AGC_T_RAW_PIECE,
    AGC_T_TEMPLATE_EXPR,
    AGC_T_TEMPLATE_CLOSE,
    AGC_T_TEMPLATE_END,
    AGC_T_OPEN_TEMPLATE,
    AGC_T_COMMENT,
    AGC_T_BAD
};

struct agc_token {
    int token;           // of grammar/aegis.y
    uint32_t begin, end; // bytes of the text
    struct ag_str text;  // of names, numbers, strings, pieces of templates
    bool has_newline;    // one stands before it
    uint32_t close;      // of an opening bracket: index of the closing one
    // Of the brackets around it: how many there are, and how many the innermost query has around itself. An
    // error skips to the end of its literal by them.
    uint32_t level, query_level;
};

struct agc_lexer {
    struct agc_arena *arena;
    struct agc_diags *diags;
    const struct agc_text *text;
    int start;           // START_QUERY, START_TERM or START_MODULE
    uint32_t begin, end; // bytes of the raw token just read
    bool has_newline;    // one stood before it
    uint32_t ntemplates; // template strings that are open
    struct {
        bool is_raw;
        uint32_t braces; // open ones of its expression
    } templates[AGC_EXPR_DEPTH_MAX];
    bool has_not_bodies; // import future.keywords.not
    uint32_t n, cap, next;
    struct agc_token *v;
    bool is_failed;      // an error was reported; the tree is not used
    bool is_too_deep;    // that was reported
    uint32_t errors_max; // diagnostics this text may still add
    struct agc_node *root;
    struct agc_module *module; // START_MODULE only
    uint32_t comments_cap, imports_cap, defs_cap;
    bool has_package, has_statement;
};

union AGC_YYSTYPE;
// Called by the scanner at the parts of template strings. _brace gives -1, or whether the template is raw to
// which the brace returns.
int agc_template_open(struct agc_lexer *lx, bool is_raw);
int agc_template_brace(struct agc_lexer *lx, int step);
void agc_template_expr(struct agc_lexer *lx);
int agc_template_end(struct agc_lexer *lx);

// Reads the whole text into lx->v. False after an error that leaves nothing to parse.
bool agc_tokens_read(struct agc_lexer *lx);
// The second pass: names or keywords, separators, kinds of brackets.
bool agc_tokens_shape(struct agc_lexer *lx);
// The next token for bison.
int agc_token_next(union AGC_YYSTYPE *value, struct agc_span *at, struct agc_lexer *lx);
// After an error: reading goes on at the end of the literal (or of the statement) that it stands in.
void agc_token_skip(struct agc_lexer *lx);
// Does the token just given to bison begin a term right behind another one?
bool agc_token_is_apart(const struct agc_lexer *lx);
// What a token is called in messages.
const char *agc_token_text(int token);
// Adds a diagnostic unless the text already has too many.
__attribute__((format(printf, 4, 5))) struct agc_diag *
agc_token_fail(struct agc_lexer *lx, enum agc_diag_id id, struct agc_span at, const char *fmt, ...);

#endif
