// SPDX-License-Identifier: Apache-2.0
// Tokens: what flex finds becomes what bison wants. Here it is decided where a newline separates two literals
// and whether a bracket follows its term without a blank; strings are decoded; words become keywords. In: a
// text. Out: tokens with places in the file. Memory: the compile arena. Thread rule: one lexer, one thread.
// Next file to read: grammar/aegis.l, then tokens.c.
#ifndef AGC_TOKENS_H
#define AGC_TOKENS_H

#include "parse.h"

// Raw tokens that never reach the grammar under this number.
enum agc_raw {
    AGC_T_NAME = 900,
    AGC_T_NUMBER,
    AGC_T_STRING,
    AGC_T_RAW,
    AGC_T_OPEN_STRING,
    AGC_T_TEMPLATE,
    AGC_T_BAD
};

struct agc_lexer {
    struct agc_arena *arena;
    struct agc_diags *diags;
    const struct agc_text *text;
    void *flex;
    uint32_t begin, end; // bytes of the raw token just read
    bool has_newline;    // one stood before it
    bool is_started, has_held;
    int held;          // raw token after a newline separator
    bool ends_term;    // the last token can end a literal
    uint32_t last_end; // byte after the last token
    uint32_t depth;
    char bracket[AGC_EXPR_DEPTH_MAX];
    bool is_stopped; // nothing after this is read
    bool is_failed;  // an error was reported; the tree is not used
    struct agc_node *root;
    uint32_t errors_max; // diagnostics this text may still add
};

union AGC_YYSTYPE;
// The next token for bison.
int agc_token_next(union AGC_YYSTYPE *value, struct agc_span *at, struct agc_lexer *lx);
// What a token is called in messages.
const char *agc_token_text(int token);

#endif
