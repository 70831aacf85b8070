// SPDX-License-Identifier: Apache-2.0
// What the lexer and the two parsers of GraphQL share. In: text. Out: tokens, comments, errors with a place.
// Who owns memory: the call's arena. Thread rule: as struct ag_call. Next file to read: graphql_lex.c.
#ifndef AG_GRAPHQL_PARSE_H
#define AG_GRAPHQL_PARSE_H

#include "graphql.h"

enum ag_gql_token_kind {
    AG_GQL_T_INVALID,
    AG_GQL_T_EOF,
    AG_GQL_T_BANG,
    AG_GQL_T_DOLLAR,
    AG_GQL_T_AMP,
    AG_GQL_T_PAREN_L,
    AG_GQL_T_PAREN_R,
    AG_GQL_T_SPREAD,
    AG_GQL_T_COLON,
    AG_GQL_T_EQUALS,
    AG_GQL_T_AT,
    AG_GQL_T_BRACKET_L,
    AG_GQL_T_BRACKET_R,
    AG_GQL_T_BRACE_L,
    AG_GQL_T_BRACE_R,
    AG_GQL_T_PIPE,
    AG_GQL_T_NAME,
    AG_GQL_T_INT,
    AG_GQL_T_FLOAT,
    AG_GQL_T_STRING,
    AG_GQL_T_BLOCK,
    AG_GQL_T_COMMENT
};

struct ag_gql_token {
    enum ag_gql_token_kind kind;
    struct ag_str text; // of names, numbers, comments; the value of a string
    int32_t line, column;
};

#define AG_GQL_WHY_MAX 96u // bytes of a message about a text that is no token

struct ag_gql_parser {
    struct ag_gql *g;
    // the lexer
    const char *text;
    size_t n, end;
    int32_t line;
    int64_t points, line_points; // code points before `end`, before the line
    char why[AG_GQL_WHY_MAX];    // of the last invalid token
    // the parser
    bool is_peeked;
    struct ag_gql_token token, last;
    struct ag_gql_comments *comment; // before the token that was peeked
    unsigned depth;
};

// --- graphql_lex.c
// The next token; an invalid one leaves p->why.
struct ag_gql_token ag_gql_lex(struct ag_gql_parser *p);
// "Name", "{", "<EOF>"
const char *ag_gql_kind_text(enum ag_gql_token_kind kind);

// --- graphql_parse.c
void ag_gql_parser_begin(struct ag_gql_parser *p, struct ag_gql *g, struct ag_str text);
// Looks at the next token, takes it. After an error: the last one that was taken.
const struct ag_gql_token *ag_gql_peek(struct ag_gql_parser *p);
const struct ag_gql_token *ag_gql_next(struct ag_gql_parser *p);
// Takes a token of that kind; false: it is another one.
bool ag_gql_skip(struct ag_gql_parser *p, enum ag_gql_token_kind kind);
// The same, another one is an error. Returns the token.
const struct ag_gql_token *ag_gql_expect(struct ag_gql_parser *p, enum ag_gql_token_kind kind);
void ag_gql_expect_word(struct ag_gql_parser *p, const char *word);
struct ag_str ag_gql_parse_name(struct ag_gql_parser *p);
bool ag_gql_at(struct ag_gql_parser *p, enum ag_gql_token_kind kind);
bool ag_gql_at_word(struct ag_gql_parser *p, const char *word);
// "Unexpected Name "x"" about that token; the error stays.
void ag_gql_unexpected(struct ag_gql_parser *p, const struct ag_gql_token *t);
// A record at the next token; NULL after an error.
void *ag_gql_make(struct ag_gql_parser *p, size_t size);
// Records between two tokens, at least one if there is the first. Returns the comment before the last token.
typedef void *ag_gql_item(struct ag_gql_parser *p);
struct ag_gql_comments *ag_gql_some(struct ag_gql_parser *p, enum ag_gql_token_kind begin,
                                    enum ag_gql_token_kind end, ag_gql_item *item, struct ag_gql_list *ret);
struct ag_gql_value *ag_gql_parse_value(struct ag_gql_parser *p, bool is_const);
void ag_gql_parse_directives(struct ag_gql_parser *p, bool is_const, struct ag_gql_list *ret);
struct ag_gql_type *ag_gql_parse_type(struct ag_gql_parser *p);
struct ag_str ag_gql_parse_operation_word(struct ag_gql_parser *p);

#endif
