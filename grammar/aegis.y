/* SPDX-License-Identifier: Apache-2.0 */
/* The grammar of the language. A first token selects the start symbol: QUERY for the expressions of YAML rules,
   TERM for one value, MODULE for a file. Newlines and the kinds of braces are decided before (tokens_shape.c).
   In: tokens of compiler/tokens.c. Out: nodes of compiler/ast.h, definitions of compiler/module.h; actions only
   build. Memory: the compile arena, so nothing needs a destructor. Next file to read: compiler/parse_build.c. */
%define api.pure full
%define api.prefix {agc_yy}
%define api.location.type {struct agc_span}
%define parse.error custom
%define parse.lac full
%locations
%param {struct agc_lexer *lx}
%expect 0

%code requires {
#include "tokens.h"
struct agc_list {
    uint32_t n, cap;
    struct agc_node **v;
};
/* Of a rule: what stands before its body. */
struct agc_head {
    struct agc_span span;
    struct agc_node *name;  /* VAR, REF or CALL */
    int op;                 /* ASSIGN, UNIFY, CONTAINS or 0 */
    struct agc_node *value; /* NULL: none */
};
}

%union {
    struct agc_node *node;
    struct agc_list *list;
    struct agc_head *head;
    struct agc_def *def;
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

%token START_QUERY "query" START_TERM "term" START_MODULE "module"
%token SEP "end of line or ;" EOS "end of the rule"
%token NOT "not" IN "in" TRUE "true" FALSE "false" NUL "null"
%token AS "as" CONTAINS "contains" DEFAULT "default" ELSE "else" EVERY "every" IF "if" IMPORT "import"
%token PACKAGE "package" SOME "some" WITH "with"
%token EQ "==" NE "!=" LE "<=" GE ">=" ASSIGN ":=" UNIFY "="
%token TEMPLATE "template string" TEMPLATE_EXPR "{ in a template string" TEMPLATE_CLOSE "} in a template string"
%token TEMPLATE_END "end of the template string"
%token REF_LBRACK "[ after a term" CALL_LPAREN "( after a term" LBODY "{ of a body" BAR "| of a comprehension"
%token <text> NAME "name" NUMBER "number" STRING "string" PIECE "text of a template string"

%type <node> literal plain statement_expr expr pair list_expr rel or and arith factor operand name_term term scalar
%type <node> array braces template some some_in every query body path alias
%type <list> literals exprs pairs args rels withs pieces
%type <head> head
%type <def> rule bodies elses else

%%
start: START_QUERY query { lx->root = $2; }
    | START_TERM expr { lx->root = $2; }
    | START_MODULE statements
    ;

statements: statement
    | statements eos statement
    ;
eos: EOS { yyerrok; }
    ;
statement: %empty
    | PACKAGE path { agc_build_package(lx, @$, $2); }
    | IMPORT path { agc_build_import(lx, @$, $2, NULL); }
    | IMPORT path AS alias { agc_build_import(lx, @$, $2, $4); }
    | rule
    | error
    ;
path: NAME { $$ = agc_build_leaf(lx, @$, AGC_VAR, $1); }
    | path '.' NAME { $$ = agc_build_step(lx, @$, $1, agc_build_leaf(lx, @3, AGC_STRING, $3)); }
    | path REF_LBRACK STRING ']' { $$ = agc_build_step(lx, @$, $1, agc_build_leaf(lx, @3, AGC_STRING, $3)); }
    ;
alias: NAME { $$ = agc_build_leaf(lx, @$, AGC_VAR, $1); }
    ;

rule: DEFAULT head { agc_build_default(lx, @$, $2); $$ = NULL; }
    | head { agc_build_constant(lx, @$, $1); $$ = NULL; }
    | head bodies elses { agc_build_rule(lx, @$, $1, $2, $3); $$ = NULL; }
    ;
head: name_term { $$ = agc_build_head(lx, @$, $1, 0, NULL); }
    | name_term ASSIGN expr { $$ = agc_build_head(lx, @$, $1, ASSIGN, $3); }
    | name_term UNIFY expr { $$ = agc_build_head(lx, @$, $1, UNIFY, $3); }
    | name_term CONTAINS expr { $$ = agc_build_head(lx, @$, $1, CONTAINS, $3); }
    ;
bodies: IF literal { $$ = agc_build_body(lx, @$, NULL, agc_build_condition(lx, @2, $2), true); }
    | IF body { $$ = agc_build_body(lx, @$, NULL, $2, true); }
    | body { $$ = agc_build_body(lx, @$, NULL, $1, false); }
    | bodies body { $$ = agc_build_body(lx, @2, $1, $2, true); }
    ;
body: LBODY query '}' { $$ = $2; }
    ;
elses: %empty { $$ = NULL; }
    | elses else { $$ = agc_build_elses(lx, $1, $2); }
    ;
else: ELSE { $$ = agc_build_else(lx, @$, 0, NULL, NULL, true); }
    | ELSE ASSIGN expr { $$ = agc_build_else(lx, @$, ASSIGN, $3, NULL, true); }
    | ELSE UNIFY expr { $$ = agc_build_else(lx, @$, UNIFY, $3, NULL, true); }
    | ELSE IF literal { $$ = agc_build_else(lx, @$, 0, NULL, agc_build_single(lx, @3, $3), true); }
    | ELSE ASSIGN expr IF literal
        { $$ = agc_build_else(lx, @$, ASSIGN, $3, agc_build_single(lx, @5, $5), true); }
    | ELSE UNIFY expr IF literal
        { $$ = agc_build_else(lx, @$, UNIFY, $3, agc_build_single(lx, @5, $5), true); }
    | ELSE IF body { $$ = agc_build_else(lx, @$, 0, NULL, $3, true); }
    | ELSE ASSIGN expr IF body { $$ = agc_build_else(lx, @$, ASSIGN, $3, $5, true); }
    | ELSE UNIFY expr IF body { $$ = agc_build_else(lx, @$, UNIFY, $3, $5, true); }
    | ELSE body { $$ = agc_build_else(lx, @$, 0, NULL, $2, false); }
    | ELSE ASSIGN expr body { $$ = agc_build_else(lx, @$, ASSIGN, $3, $4, false); }
    | ELSE UNIFY expr body { $$ = agc_build_else(lx, @$, UNIFY, $3, $4, false); }
    ;

query: literals { $$ = agc_build_query(lx, @$, $1); }
    | %empty { $$ = NULL; agc_build_error(lx, @$, "an expression is missing"); }
    ;
literals: literal { $$ = agc_build_list(lx, NULL, $1); }
    | literals sep literal { $$ = agc_build_list(lx, $1, $3); }
    ;
sep: SEP { yyerrok; }
    ;
literal: plain
    | plain withs { $$ = agc_build_with(lx, @$, $1, $2); }
    | some { $$ = agc_build_declared(lx, $1); }
    | error { $$ = NULL; }
    ;
plain: statement_expr
    | NOT statement_expr { $$ = agc_build_not(lx, @$, $2); }
    | NOT body { $$ = agc_build_1(lx, @$, AGC_NOT, $2); }
    | some_in
    | every
    ;
statement_expr: expr
    | expr ASSIGN expr { $$ = agc_build_op(lx, @$, AGC_ASSIGN, $1, $3); }
    | expr UNIFY expr { $$ = agc_build_op(lx, @$, AGC_UNIFY, $1, $3); }
    ;
withs: WITH name_term AS expr { $$ = agc_build_list(lx, agc_build_list(lx, NULL, agc_build_target(lx, $2)), $4); }
    | withs WITH name_term AS expr { $$ = agc_build_list(lx, agc_build_list(lx, $1, agc_build_target(lx, $3)), $5); }
    ;
some: SOME rels { $$ = agc_build_some(lx, @$, $2); }
    ;
some_in: some IN rel { $$ = agc_build_some_in(lx, @$, $1, $3); }
    | some_in IN rel { $$ = agc_build_some_deep(lx, @$, $1, $3); }
    ;
every: EVERY rels IN rel body { $$ = agc_build_every(lx, @$, $2, $4, $5); }
    ;
rels: rel { $$ = agc_build_list(lx, NULL, $1); }
    | rels ',' rel { $$ = agc_build_list(lx, $1, $3); }
    ;

expr: list_expr
    | pair
    ;
pair: rel ',' rel IN rel { $$ = agc_build_3(lx, @$, AGC_MEMBER2, $1, $3, $5); }
    | pair IN rel { $$ = agc_build_2(lx, @$, "in", $1, $3); }
    ;
list_expr: rel
    | list_expr IN rel { $$ = agc_build_2(lx, @$, "in", $1, $3); }
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
    | '-' name_term { $$ = agc_build_1(lx, @$, AGC_NEGATE, $2); }
    | term
    | name_term
    ;
scalar: NUMBER { $$ = agc_build_leaf(lx, @$, AGC_NUMBER, $1); }
    | STRING { $$ = agc_build_leaf(lx, @$, AGC_STRING, $1); }
    | TRUE   { $$ = agc_build_leaf(lx, @$, AGC_TRUE_LIT, AG_STR("")); }
    | FALSE  { $$ = agc_build_leaf(lx, @$, AGC_FALSE_LIT, AG_STR("")); }
    | NUL    { $$ = agc_build_leaf(lx, @$, AGC_NULL_LIT, AG_STR("")); }
    | template
    ;
name_term: NAME { $$ = agc_build_leaf(lx, @$, AGC_VAR, $1); }
    | name_term '.' NAME { $$ = agc_build_step(lx, @$, $1, agc_build_leaf(lx, @3, AGC_STRING, $3)); }
    | name_term REF_LBRACK expr ']' { $$ = agc_build_step(lx, @$, $1, $3); }
    | name_term CALL_LPAREN args ')' { $$ = agc_build_call(lx, @$, $1, $3); }
    ;
term: array
    | braces
    | '(' expr ')' { $$ = agc_build_parens(@$, $2); }
    | term '.' NAME { $$ = agc_build_step(lx, @$, $1, agc_build_leaf(lx, @3, AGC_STRING, $3)); }
    | term REF_LBRACK expr ']' { $$ = agc_build_step(lx, @$, $1, $3); }
    | term CALL_LPAREN args ')' { $$ = agc_build_call(lx, @$, $1, $3); }
    ;
args: %empty { $$ = NULL; }
    | exprs comma_opt
    ;
array: '[' ']' { $$ = agc_build_many(lx, @$, AGC_ARRAY, NULL); }
    | '[' exprs comma_opt ']' { $$ = agc_build_many(lx, @$, AGC_ARRAY, $2); }
    | '[' ',' exprs comma_opt ']' { $$ = agc_build_many(lx, @$, AGC_ARRAY, $3); }
    | '[' rel BAR query ']' { $$ = agc_build_op(lx, @$, AGC_ARRAY_COMP, $2, $4); }
    ;
braces: '{' '}' { $$ = agc_build_many(lx, @$, AGC_OBJECT, NULL); }
    | '{' exprs comma_opt '}' { $$ = agc_build_many(lx, @$, AGC_SET, $2); }
    | '{' ',' exprs comma_opt '}' { $$ = agc_build_many(lx, @$, AGC_SET, $3); }
    | '{' pairs comma_opt '}' { $$ = agc_build_many(lx, @$, AGC_OBJECT, $2); }
    | '{' ',' pairs comma_opt '}' { $$ = agc_build_many(lx, @$, AGC_OBJECT, $3); }
    | '{' rel BAR query '}' { $$ = agc_build_op(lx, @$, AGC_SET_COMP, $2, $4); }
    | '{' list_expr ':' rel BAR query '}' { $$ = agc_build_3(lx, @$, AGC_OBJECT_COMP, $2, $4, $6); }
    ;
comma_opt: %empty
    | ','
    ;
exprs: list_expr { $$ = agc_build_list(lx, NULL, $1); }
    | exprs ',' list_expr { $$ = agc_build_list(lx, $1, $3); }
    ;
pairs: list_expr ':' list_expr { $$ = agc_build_pair(lx, NULL, $1, $3); }
    | pairs ',' list_expr ':' list_expr { $$ = agc_build_pair(lx, $1, $3, $5); }
    ;
template: TEMPLATE pieces TEMPLATE_END { $$ = agc_build_template(lx, @$, $2); }
    ;
pieces: %empty { $$ = NULL; }
    | pieces PIECE { $$ = agc_build_list(lx, $1, agc_build_leaf(lx, @2, AGC_STRING, $2)); }
    | pieces TEMPLATE_EXPR literal TEMPLATE_CLOSE { $$ = agc_build_piece(lx, @2, $1, $3); }
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
