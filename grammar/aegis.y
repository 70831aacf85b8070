/* SPDX-License-Identifier: Apache-2.0 */
/* The grammar of the language. A first token selects the start symbol: QUERY for the expressions of YAML rules.
   In: tokens of compiler/tokens.c. Out: nodes of compiler/ast.h; actions only build nodes.
   Memory: the compile arena, so nothing needs a destructor. Next file to read: compiler/resolve.c. */
%define api.pure full
%define api.prefix {agc_yy}
%define api.location.type {struct agc_span}
%define parse.error custom
%locations
%param {struct agc_lexer *lx}
%expect 0

%code requires {
#include "tokens.h"
struct agc_list {
    uint32_t n, cap;
    struct agc_node **v;
    struct agc_span bar; /* the `|` of what begins like a comprehension; begin == end: none */
};
}

%union {
    struct agc_node *node;
    struct agc_list *list;
    struct ag_str text;
}

%code {
#include "parse_build.h"

#define YYLLOC_DEFAULT(Current, Rhs, N)                                    \
    do {                                                                   \
        (Current) = YYRHSLOC(Rhs, (N) ? 1 : 0);                            \
        if (N)                                                             \
            (Current).end = YYRHSLOC(Rhs, N).end;                          \
        else                                                               \
            (Current).begin = (Current).end;                               \
    } while (0)

static int
agc_yylex(union AGC_YYSTYPE *value, struct agc_span *at, struct agc_lexer *lx)
{
    return agc_token_next(value, at, lx);
}
static void
agc_yyerror(struct agc_span *at, struct agc_lexer *lx, const char *text)
{
    agc_build_error(lx, *at, text);
}
}

%token START_QUERY "query"
%token SEP "end of line or ;"
%token NOT "not" IN "in" TRUE "true" FALSE "false" NUL "null"
%token AS "as" CONTAINS "contains" DEFAULT "default" ELSE "else" EVERY "every" IF "if" IMPORT "import"
%token PACKAGE "package" SOME "some" WITH "with"
%token EQ "==" NE "!=" LE "<=" GE ">=" ASSIGN ":=" UNIFY "=" TEMPLATE "template string"
%token REF_LBRACK "[ after a term" CALL_LPAREN "( after a term"
%token <text> NAME "name" NUMBER "number" STRING "string"

%type <node> literal expr rel or and arith factor operand term scalar array braces
%type <list> query literals exprs pairs args
%type <text> word

%%
start: START_QUERY query { lx->root = agc_build_query(lx, @2, $2); }
    ;

query: literals
    | %empty { $$ = NULL; agc_build_error(lx, @$, "an expression is missing"); }
    ;
literals: literal { $$ = agc_build_list(lx, NULL, $1); }
    | literals SEP literal { $$ = agc_build_list(lx, $1, $3); }
    ;
literal: expr
    | NOT expr { $$ = agc_build_1(lx, @$, AGC_NOT, $2); }
    | rel ',' rel IN rel { $$ = agc_build_3(lx, @$, AGC_MEMBER2, $1, $3, $5); }
    | NOT rel ',' rel IN rel
        { $$ = agc_build_1(lx, @$, AGC_NOT, agc_build_3(lx, @$, AGC_MEMBER2, $2, $4, $6)); }
    | error { $$ = NULL; }
    ;

expr: rel
    | expr IN rel { $$ = agc_build_2(lx, @$, "in", $1, $3); }
    ;
rel: or
    | rel EQ or  { $$ = agc_build_2(lx, @$, "==", $1, $3); }
    | rel NE or  { $$ = agc_build_2(lx, @$, "!=", $1, $3); }
    | rel '<' or { $$ = agc_build_2(lx, @$, "<", $1, $3); }
    | rel LE or  { $$ = agc_build_2(lx, @$, "<=", $1, $3); }
    | rel '>' or { $$ = agc_build_2(lx, @$, ">", $1, $3); }
    | rel GE or  { $$ = agc_build_2(lx, @$, ">=", $1, $3); }
    ;
or: and
    | or '|' and { $$ = agc_build_2(lx, @$, "|", $1, $3); }
    ;
and: arith
    | and '&' arith { $$ = agc_build_2(lx, @$, "&", $1, $3); }
    ;
arith: factor
    | arith '+' factor { $$ = agc_build_2(lx, @$, "+", $1, $3); }
    | arith '-' factor { $$ = agc_build_2(lx, @$, "-", $1, $3); }
    ;
factor: operand
    | factor '*' operand { $$ = agc_build_2(lx, @$, "*", $1, $3); }
    | factor '/' operand { $$ = agc_build_2(lx, @$, "/", $1, $3); }
    | factor '%' operand { $$ = agc_build_2(lx, @$, "%", $1, $3); }
    ;
operand: scalar
    | '-' NUMBER { $$ = agc_build_minus(lx, @$, $2); }
    | '-' term { $$ = agc_build_1(lx, @$, AGC_NEGATE, $2); }
    | term
    ;
scalar: NUMBER { $$ = agc_build_leaf(lx, @$, AGC_NUMBER, $1); }
    | STRING { $$ = agc_build_leaf(lx, @$, AGC_STRING, $1); }
    | TRUE   { $$ = agc_build_leaf(lx, @$, AGC_TRUE_LIT, AG_STR("")); }
    | FALSE  { $$ = agc_build_leaf(lx, @$, AGC_FALSE_LIT, AG_STR("")); }
    | NUL    { $$ = agc_build_leaf(lx, @$, AGC_NULL_LIT, AG_STR("")); }
    ;
term: NAME { $$ = agc_build_leaf(lx, @$, AGC_VAR, $1); }
    | array
    | braces
    | '(' expr ')' { $$ = $2; }
    | '(' rel ',' rel IN rel ')' { $$ = agc_build_3(lx, @$, AGC_MEMBER2, $2, $4, $6); }
    | term '.' word { $$ = agc_build_step(lx, @$, $1, agc_build_leaf(lx, @3, AGC_STRING, $3)); }
    | term REF_LBRACK expr ']' { $$ = agc_build_step(lx, @$, $1, $3); }
    | term CALL_LPAREN args ')' { $$ = agc_build_call(lx, @$, $1, $3); }
    ;
word: NAME
    | NOT { $$ = AG_STR("not"); }
    | IN { $$ = AG_STR("in"); }
    | TRUE { $$ = AG_STR("true"); }
    | FALSE { $$ = AG_STR("false"); }
    | NUL { $$ = AG_STR("null"); }
    | AS { $$ = AG_STR("as"); }
    | CONTAINS { $$ = AG_STR("contains"); }
    | DEFAULT { $$ = AG_STR("default"); }
    | ELSE { $$ = AG_STR("else"); }
    | EVERY { $$ = AG_STR("every"); }
    | IF { $$ = AG_STR("if"); }
    | IMPORT { $$ = AG_STR("import"); }
    | PACKAGE { $$ = AG_STR("package"); }
    | SOME { $$ = AG_STR("some"); }
    | WITH { $$ = AG_STR("with"); }
    ;
args: %empty { $$ = NULL; }
    | exprs comma_opt
    ;
array: '[' ']' { $$ = agc_build_many(lx, @$, AGC_ARRAY, NULL); }
    | '[' exprs comma_opt ']' { $$ = agc_build_many(lx, @$, AGC_ARRAY, $2); }
    | '[' ',' exprs comma_opt ']' { $$ = agc_build_many(lx, @$, AGC_ARRAY, $3); }
    ;
braces: '{' '}' { $$ = agc_build_many(lx, @$, AGC_OBJECT, NULL); }
    | '{' exprs comma_opt '}' { $$ = agc_build_many(lx, @$, AGC_SET, $2); }
    | '{' ',' exprs comma_opt '}' { $$ = agc_build_many(lx, @$, AGC_SET, $3); }
    | '{' pairs comma_opt '}' { $$ = agc_build_many(lx, @$, AGC_OBJECT, $2); }
    | '{' ',' pairs comma_opt '}' { $$ = agc_build_many(lx, @$, AGC_OBJECT, $3); }
    ;
comma_opt: %empty
    | ','
    ;
exprs: expr { $$ = agc_build_first(lx, @1, $1); }
    | exprs ',' expr { $$ = agc_build_list(lx, $1, $3); }
    ;
pairs: expr ':' expr { $$ = agc_build_pair(lx, NULL, $1, @3, $3); }
    | pairs ',' expr ':' expr { $$ = agc_build_pair(lx, $1, $3, @5, $5); }
    ;
%%

const char *
agc_token_text(int token)
{
    return yysymbol_name(YYTRANSLATE(token));
}

static int
yyreport_syntax_error(const yypcontext_t *ctx, struct agc_lexer *lx)
{
    enum { SHOWN = 5 };
    yysymbol_kind_t want[SHOWN], got = yypcontext_token(ctx);
    int n = yypcontext_expected_tokens(ctx, want, SHOWN);
    const char *names[SHOWN];
    for (int i = 0; i < n && i < SHOWN; i++)
        names[i] = yysymbol_name(want[i]);
    agc_build_unexpected(lx, *yypcontext_location(ctx), got == YYSYMBOL_YYEMPTY ? "nothing" : yysymbol_name(got),
                         names, n > 0 ? (unsigned)n : 0);
    return 0;
}
