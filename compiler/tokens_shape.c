// SPDX-License-Identifier: Apache-2.0
// Step 2, tokens, second pass. In: lx->v of tokens.c. Out: the same array as grammar/aegis.y wants it:
//   - words are keywords, except after a dot, directly before `.` or `[` where a term may begin, and as the
//     first word of a path; `contains` is one only in the head of a rule;
//   - `.`, `[` and `(` continue a term only when nothing stands between them;
//   - a newline is a SEP where a query stands and the tokens around it end and begin a literal (`-` continues
//     the line above, as every operator does); between statements of a module it is an EOS;
//   - braces that hold a query are LBODY, and the bar of a comprehension is BAR.
// Memory: the compile arena. Next file to read: grammar/aegis.y.
#include "tokens.h"

#include "aegis.tab.h"

static const struct {
    const char *text;
    int token;
} keywords[] = {
#define KEYWORD(text, TOKEN) {text, TOKEN},
#include "../grammar/keywords.def"
};

// A bracket that is open while shaping.
struct frame {
    uint32_t open;  // index of its token in the old array
    bool is_query;  // newlines separate literals here
    uint32_t bar;   // index of the bar after which it becomes a query; AG_NONE: none
    uint32_t query; // level of the innermost query around what it holds
    int every;      // 1 after `every`, 2 after its `in`: the next brace after a term is the body
};

struct shape {
    struct agc_lexer *lx;
    const struct agc_token *in; // the old array
    uint32_t n, at;
    uint32_t depth;
    struct frame frame[AGC_EXPR_DEPTH_MAX + 1];
    struct agc_token *out;
    uint32_t out_n, out_cap;
    bool is_module;
    bool is_else; // since an `else`: a brace after `if` is a body
};

static struct agc_span
span_of(const struct agc_lexer *lx, const struct agc_token *t)
{
    return agc_text_span(lx->text, t->begin, t->end);
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
    case TEMPLATE_END:
    case ')':
    case ']':
    case '}': return true;
    default: return false;
    }
}

static bool
begins_literal(int token)
{
    switch (token) {
    case NAME:
    case NUMBER:
    case STRING:
    case TRUE:
    case FALSE:
    case NUL:
    case TEMPLATE:
    case NOT:
    case SOME:
    case EVERY:
    case DEFAULT:
    case IMPORT:
    case PACKAGE:
    case '(':
    case '[':
    case '{': return true;
    default: return false;
    }
}

static bool
is_adjacent(const struct agc_token *v, uint32_t i)
{
    return i > 0 && v[i].begin == v[i - 1].end;
}

static int
opens(int token)
{
    return token == '(' || token == '[' || token == '{' || token == TEMPLATE_EXPR || token == TEMPLATE;
}

static int
closer_of(int token)
{
    switch (token) {
    case '(': return ')';
    case '[': return ']';
    case '{': return '}';
    case TEMPLATE_EXPR: return TEMPLATE_CLOSE;
    default: return TEMPLATE_END;
    }
}

static bool
closes(int token)
{
    return token == ')' || token == ']' || token == '}' || token == TEMPLATE_CLOSE || token == TEMPLATE_END;
}

// May a term or a literal begin at v[i], as far as the token before it tells? Only there a keyword in front
// of
// `.` or `[` is a name.
static bool
begins(const struct agc_token *v, uint32_t i, bool is_outside)
{
    switch (i ? v[i - 1].token : ';') {
    case ';':
    case '{':
    case '|':
    case IF:
    case ELSE:
    case DEFAULT:
    case TEMPLATE_EXPR: return true;
    default: return ends_term(v[i - 1].token) && (v[i].has_newline || is_outside);
    }
}

static int
keyword(struct ag_str s)
{
    for (size_t k = 0; k < sizeof keywords / sizeof keywords[0]; k++)
        if (ag_str_is(s, keywords[k].text))
            return keywords[k].token;
    return NAME;
}

// What the word at v[i] means. `is_head`: a rule's head is being written; `is_outside`: no bracket is open,
// in a module.
static int
word(const struct agc_token *v, uint32_t n, uint32_t i, bool is_head, bool is_outside)
{
    int prev = i ? v[i - 1].token : 0;
    if (prev == PACKAGE || prev == IMPORT || (prev == '.' && is_adjacent(v, i)))
        return NAME;
    int token = keyword(v[i].text), next = i + 1 < n && is_adjacent(v, i + 1) ? v[i + 1].token : 0;
    bool is_ref = next == '.' || next == '[';
    if (token == CONTAINS) {
        bool is_word = is_head && i && ends_term(prev) && next != '.' && !(is_ref && v[i].has_newline);
        return is_word ? CONTAINS : NAME;
    }
    if (!is_ref)
        return token;
    if (token == IN)
        return NAME;
    bool follows = i && ends_term(prev) && !v[i].has_newline;
    if (follows && (token == IF || token == AS || token == WITH))
        return token;
    return begins(v, i, is_outside) ? NAME : token;
}

// First pass over the array: words and pairs of brackets.
static bool
match(struct agc_lexer *lx)
{
    uint32_t open[AGC_EXPR_DEPTH_MAX], depth = 0;
    bool is_head = lx->start == START_MODULE;
    for (uint32_t i = 0; i < lx->n; i++) {
        struct agc_token *t = &lx->v[i];
        if (t->token == NAME) {
            bool is_outside = depth == 0 && lx->start == START_MODULE;
            bool follows = i == 0 || ends_term(lx->v[i - 1].token);
            t->token = word(lx->v, lx->n, i, is_head && is_outside, is_outside);
            if (is_outside && follows && (t->token == NAME || t->token == DEFAULT))
                is_head = true;
        }
        if (depth == 0 && (t->token == IF || t->token == ASSIGN || t->token == UNIFY || t->token == CONTAINS))
            is_head = false;
        if (opens(t->token)) {
            if (depth == AGC_EXPR_DEPTH_MAX) {
                agc_token_fail(lx, AGC_D_EXPR_DEPTH, span_of(lx, t), "brackets are nested more than %u deep",
                               AGC_EXPR_DEPTH_MAX);
                return false;
            }
            open[depth++] = i;
        } else if (closes(t->token)) {
            if (depth == 0 || closer_of(lx->v[open[depth - 1]].token) != t->token) {
                struct agc_diag *d = agc_token_fail(lx, AGC_D_SYNTAX, span_of(lx, t), "unexpected %s",
                                                    agc_token_text(t->token));
                if (depth)
                    agc_diag_second(lx->diags, d, span_of(lx, &lx->v[open[depth - 1]]),
                                    "this bracket is still open");
                return false;
            }
            lx->v[open[--depth]].close = i;
        }
    }
    if (depth) {
        const struct agc_token *t = &lx->v[open[depth - 1]];
        struct agc_diag *d = agc_token_fail(lx, AGC_D_SYNTAX, span_of(lx, t), "this %s is not closed",
                                            agc_token_text(t->token));
        agc_diag_fix(lx->diags, d, "write the matching %s", agc_token_text(closer_of(t->token)));
        return false;
    }
    return true;
}

// Index behind the term that begins at i (names with their steps and arguments, scalars, brackets), or i when
// none begins there.
static uint32_t
skip_term(const struct agc_token *v, uint32_t i, uint32_t end)
{
    if (i < end && v[i].token == '-')
        i++;
    if (i >= end)
        return i;
    switch (v[i].token) {
    case NUMBER:
    case STRING:
    case TRUE:
    case FALSE:
    case NUL: return i + 1;
    case TEMPLATE: return v[i].close + 1;
    case '(':
    case '[':
    case '{': i = v[i].close + 1; break;
    case NAME: i++; break;
    default: return i;
    }
    while (i < end && is_adjacent(v, i)) {
        if (v[i].token == '(' || v[i].token == '[')
            i = v[i].close + 1;
        else if (v[i].token == '.' && i + 1 < end && v[i + 1].token == NAME)
            i += 2;
        else
            break;
    }
    return i;
}

// The first of the tokens at this level between i and end that is `token`, or end. Stops at stop, 0: nothing.
static uint32_t
find(const struct agc_token *v, uint32_t i, uint32_t end, int token, int stop)
{
    while (i < end && v[i].token != token) {
        if (stop && v[i].token == stop)
            return end;
        i = opens(v[i].token) ? v[i].close + 1 : i + 1;
    }
    return i < end ? i : end;
}

// The elements of a set or array may begin like a comprehension: {a | b, c}. It is one unless a comma stands
// in it that belongs neither to `k, v in xs` nor to a declaration.
static bool
is_comprehension(const struct agc_token *v, uint32_t bar, uint32_t end)
{
    uint32_t comma = find(v, bar + 1, end, ',', ';');
    if (comma == end || find(v, bar + 1, comma, SOME, 0) < comma || find(v, bar + 1, comma, EVERY, 0) < comma)
        return true;
    return find(v, comma + 1, end, IN, ',') < end;
}

// Index of the bar that makes the bracket at `open` a comprehension, or AG_NONE.
static uint32_t
bar_of(const struct agc_token *v, uint32_t open)
{
    uint32_t end = v[open].close, i = open + 1, after = skip_term(v, i, end);
    if (after > i && after < end && v[after].token == '|')
        return is_comprehension(v, after, end) ? after : AG_NONE;
    if (v[open].token != '{')
        return AG_NONE;
    uint32_t colon = find(v, i, end, ':', ',');
    if (colon == end)
        return AG_NONE;
    after = skip_term(v, colon + 1, end);
    return after > colon + 1 && after < end && v[after].token == '|' ? after : AG_NONE;
}

static bool
continues_term(const struct agc_token *v, uint32_t n, uint32_t i)
{
    if (i >= n)
        return false;
    switch (v[i].token) {
    case EQ:
    case NE:
    case LE:
    case GE:
    case ASSIGN:
    case UNIFY:
    case IN:
    case '<':
    case '>':
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
    case '&':
    case '|':
    case ',': return true;
    case '.':
    case '[': return is_adjacent(v, i);
    default: return false;
    }
}

// The brace at `open` stands after `if`: does it hold the body? A set alone is never meant, an object is.
static bool
is_body(const struct shape *s, uint32_t open)
{
    uint32_t close = s->in[open].close;
    if (s->is_else)
        return true;
    if (close == open + 1 || bar_of(s->in, open) != AG_NONE || find(s->in, open + 1, close, ':', 0) < close)
        return false;
    return !continues_term(s->in, s->n, close + 1);
}

static void
emit(struct shape *s, struct agc_token t)
{
    s->out = agc_grow(s->lx->arena, s->out, s->out_n, &s->out_cap, sizeof *s->out);
    t.level = s->depth;
    t.query_level = s->frame[s->depth].query;
    s->out[s->out_n++] = t;
}

static int
last(const struct shape *s)
{
    return s->out_n ? s->out[s->out_n - 1].token : 0;
}

// A token that stands for the newline behind the last one.
static void
emit_break(struct shape *s, int token)
{
    uint32_t at = s->out[s->out_n - 1].end;
    emit(s, (struct agc_token){.token = token, .begin = at, .end = at});
}

// Between `at - 1` and `at`: does a literal or a statement end here?
static void
separate(struct shape *s, const struct agc_token *t, bool is_block)
{
    if (s->out_n == 0 || !ends_term(last(s)) || is_block)
        return;
    const struct frame *f = &s->frame[s->depth];
    if (s->depth == 0 && s->is_module) {
        bool is_word = t->token == NAME || t->token == DEFAULT || t->token == IMPORT || t->token == PACKAGE;
        if (is_word || (t->has_newline && begins_literal(t->token))) {
            s->is_else = false;
            emit_break(s, EOS);
        }
    } else if (f->is_query && t->has_newline && begins_literal(t->token)) {
        s->frame[s->depth].every = 0;
        emit_break(s, SEP);
    }
}

// What an opening bracket is.
static int
bracket(struct shape *s, const struct agc_token *t, bool is_block)
{
    bool follows = ends_term(last(s)) && is_adjacent(s->in, s->at);
    // The name in a rule's head may stand apart from its first step.
    if (s->is_module && s->depth == 0 && last(s) == NAME && t->token != '{' &&
        (s->out_n == 1 || s->out[s->out_n - 2].token == EOS || s->out[s->out_n - 2].token == DEFAULT))
        follows = true;
    if (t->token == '[')
        return follows ? REF_LBRACK : '[';
    if (t->token == '(')
        return follows ? CALL_LPAREN : '(';
    if (t->token != '{')
        return t->token;
    bool is_query = is_block || last(s) == ELSE || (last(s) == NOT && s->lx->has_not_bodies) ||
                    (last(s) == IF && is_body(s, s->at));
    return is_query ? LBODY : '{';
}

// Does the brace at `t` follow a term as the block of a rule or of `every`?
static bool
is_block_brace(const struct shape *s, const struct agc_token *t)
{
    if (t->token != '{' || !ends_term(last(s)))
        return false;
    return (s->is_module && s->depth == 0) || s->frame[s->depth].every == 2;
}

static void
open_bracket(struct shape *s, struct agc_token t, bool is_block)
{
    struct frame *f = &s->frame[s->depth];
    if (is_block)
        f->every = 0;
    int token = bracket(s, &t, is_block);
    uint32_t bar = token == '[' || token == '{' ? bar_of(s->in, s->at) : AG_NONE;
    t.token = token;
    emit(s, t);
    s->depth++;
    s->frame[s->depth] = (struct frame){
        .open = s->at, .is_query = token == LBODY, .bar = bar, .query = token == LBODY ? s->depth : f->query};
}

// `import future.keywords.not` ends at `at`.
static bool
imports_not(const struct shape *s)
{
    const struct agc_token *v = s->in + s->at;
    return s->depth == 0 && s->at >= 5 && v[-5].token == IMPORT && ag_str_is(v[-4].text, "future") &&
           v[-3].token == '.' && ag_str_is(v[-2].text, "keywords") && v[-1].token == '.' &&
           ag_str_is(v[0].text, "not");
}

static void
step(struct shape *s)
{
    struct agc_token t = s->in[s->at];
    struct frame *f = &s->frame[s->depth];
    bool is_block = is_block_brace(s, &t);
    if (!closes(t.token))
        separate(s, &t, is_block);
    if (opens(t.token)) {
        open_bracket(s, t, is_block);
        return;
    }
    if (closes(t.token)) {
        s->depth--;
        emit(s, t);
        return;
    }
    if (f->bar == s->at) {
        t.token = BAR;
        f->is_query = true;
        f->query = s->depth;
    }
    bool is_apart = (t.token == '.' && !(ends_term(last(s)) && is_adjacent(s->in, s->at))) ||
                    (last(s) == '.' && !is_adjacent(s->in, s->at));
    if (is_apart) {
        agc_token_fail(s->lx, AGC_D_SYNTAX, span_of(s->lx, &t),
                       t.token == '.' ? "a blank stands before `.`, or nothing that has fields"
                                      : "a blank stands behind `.`");
        t.token = AGC_YYerror;
    }
    if (t.token == EVERY)
        f->every = 1;
    else if (t.token == IN && f->every == 1)
        f->every = 2;
    else if (t.token == ELSE && s->depth == 0)
        s->is_else = true;
    else if (t.token == ';')
        t.token = SEP;
    if (t.token == NAME && imports_not(s))
        s->lx->has_not_bodies = true;
    emit(s, t);
}

bool
agc_tokens_shape(struct agc_lexer *lx)
{
    if (!match(lx))
        return false;
    struct shape *s = agc_alloc(lx->arena, sizeof *s);
    *s = (struct shape){.lx = lx, .in = lx->v, .n = lx->n, .is_module = lx->start == START_MODULE};
    s->frame[0] = (struct frame){.is_query = true, .bar = AG_NONE};
    for (s->at = 0; s->at < s->n; s->at++)
        step(s);
    lx->v = s->out;
    lx->n = s->out_n;
    return true;
}

int
agc_token_next(union AGC_YYSTYPE *value, struct agc_span *at, struct agc_lexer *lx)
{
    uint32_t i = lx->next++;
    if (i == 0) {
        *at = agc_text_span(lx->text, 0, 0);
        return lx->start;
    }
    if (--i >= lx->n) {
        uint32_t end = lx->n ? lx->v[lx->n - 1].end : 0;
        *at = agc_text_span(lx->text, end, end);
        return 0;
    }
    *at = span_of(lx, &lx->v[i]);
    value->text = lx->v[i].text;
    return lx->v[i].token;
}

bool
agc_token_is_apart(const struct agc_lexer *lx)
{
    uint32_t i = lx->next - 2;
    return lx->next > 2 && i < lx->n && begins_literal(lx->v[i].token) && ends_term(lx->v[i - 1].token);
}

void
agc_token_skip(struct agc_lexer *lx)
{
    if (lx->next < 2 || lx->next - 2 >= lx->n)
        return;
    uint32_t i = lx->next - 2, level = lx->v[i].query_level;
    for (; i < lx->n; i++) {
        const struct agc_token *t = &lx->v[i];
        if (t->level == level && (t->token == SEP || t->token == EOS))
            break;
        if (level && t->level == level - 1 && closes(t->token))
            break;
    }
    if (i > lx->next - 2)
        lx->next = i + 1;
}
