// SPDX-License-Identifier: Apache-2.0
// Formatting of terms, literals and bodies. A part with a comment at a place that the canonical form does not
// have (between operands) is copied as it was written. In: nodes. Out: text of the writer. Memory: the
// compile arena. Next file to read: fmt.c.
#include "fmt_parts.h"

// How tightly an expression binds, in the order of the grammar.
enum { P_PAIR, P_IN, P_REL, P_OR, P_AND, P_ARITH, P_FACTOR, P_TERM };

uint32_t
agc_fmt_row(const struct agc_fmt *w, uint32_t at)
{
    uint32_t line, column;
    agc_source_place(w->sources, (struct agc_span){w->module->source, at, at}, &line, &column);
    return line;
}

static void
put_raw(struct agc_fmt *w, struct ag_str s)
{
    if (w->n + s.n > w->size) {
        size_t size = (w->n + s.n) * 2 + 256;
        char *p = agc_alloc(w->arena, size);
        if (w->n)
            memcpy(p, w->p, w->n);
        w->p = p;
        w->size = size;
    }
    if (s.n)
        memcpy(w->p + w->n, s.p, s.n);
    w->n += s.n;
}

void
agc_fmt_put(struct agc_fmt *w, struct ag_str s)
{
    for (uint32_t i = 0; !w->is_inline && i < w->level; i++)
        put_raw(w, AG_STR("\t"));
    w->is_inline = true;
    put_raw(w, s);
}

void
agc_fmt_z(struct agc_fmt *w, const char *s)
{
    agc_fmt_put(w, ag_str_z(s));
}

static void
put_comment(struct agc_fmt *w, const struct agc_comment *c)
{
    struct ag_str s = c->text;
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t' || s.p[s.n - 1] == '\r'))
        s.n--;
    agc_fmt_z(w, "#");
    agc_fmt_put(w, s);
}

static const struct agc_comment *
next_comment(const struct agc_fmt *w)
{
    return w->comment < w->module->ncomments ? &w->module->comments[w->comment] : NULL;
}

// Does comment c follow the last token on its line, with nothing but a separator between them?
static bool
is_behind(const struct agc_fmt *w, const struct agc_comment *c)
{
    if (c->span.begin < w->at)
        return false;
    for (uint32_t i = w->at; i < c->span.begin; i++)
        if (!memchr(" \t,;", w->source.p[i], 4))
            return false;
    return true;
}

void
agc_fmt_newline(struct agc_fmt *w)
{
    const struct agc_comment *c = next_comment(w);
    if (w->is_inline && c && is_behind(w, c)) {
        agc_fmt_z(w, " ");
        put_comment(w, c);
        w->comment++;
        w->at = c->span.end;
    }
    put_raw(w, AG_STR("\n"));
    w->is_inline = false;
}

void
agc_fmt_blank(struct agc_fmt *w)
{
    if (w->is_inline)
        agc_fmt_newline(w);
    bool is_double = w->n >= 2 && w->p[w->n - 1] == '\n' && w->p[w->n - 2] == '\n';
    if (w->n && !is_double)
        put_raw(w, AG_STR("\n"));
}

// A comment on a line of its own. Those of an annotation stand at the beginning of their line, wherever they
// are; no other comment may get there and become part of one.
static void
put_line(struct agc_fmt *w, const struct agc_comment *c)
{
    uint32_t level = w->level;
    uint32_t meta = agc_metadata_end(w->module, w->source, w->comment);
    bool was_meta = w->meta && w->comment == w->meta;
    if (meta > w->comment)
        w->meta = meta;
    if (w->comment < w->meta)
        w->level = 0;
    else if (level == 0 && (was_meta || agc_names_metadata(c)))
        put_raw(w, AG_STR(" "));
    put_comment(w, c);
    put_raw(w, AG_STR("\n"));
    w->is_inline = false;
    w->level = level;
    w->at = c->span.end;
}

void
agc_fmt_comments(struct agc_fmt *w, uint32_t at)
{
    const struct agc_comment *c = next_comment(w);
    if (!c || c->span.begin >= at)
        return;
    if (w->is_inline)
        agc_fmt_newline(w);
    for (uint32_t first = w->comment; (c = next_comment(w)) && c->span.begin < at; w->comment++) {
        if (w->comment > first && agc_fmt_row(w, c->span.begin) > agc_fmt_row(w, w->at) + 1)
            agc_fmt_blank(w);
        put_line(w, c);
    }
}

uint32_t
agc_fmt_skip(const struct agc_fmt *w, uint32_t at)
{
    const char *p = w->source.p;
    for (; at < w->source.n; at++) {
        if (p[at] == '#')
            while (at + 1 < w->source.n && p[at] != '\n')
                at++;
        else if (p[at] != ' ' && p[at] != '\t' && p[at] != '\r' && p[at] != '\n')
            break;
    }
    return at;
}

uint32_t
agc_fmt_find(const struct agc_fmt *w, uint32_t at, char c)
{
    while ((at = agc_fmt_skip(w, at)) < w->source.n && w->source.p[at] != c)
        at++;
    return at;
}

static bool
is_list(const struct agc_node *n)
{
    return n->kind == AGC_ARRAY || n->kind == AGC_SET || n->kind == AGC_OBJECT || n->kind == AGC_CALL;
}

static bool
has_comment(const struct agc_fmt *w, uint32_t begin, uint32_t end)
{
    for (uint32_t i = w->comment; i < w->module->ncomments; i++) {
        uint32_t at = w->module->comments[i].span.begin;
        if (at >= end)
            return false;
        if (at >= begin)
            return true;
    }
    return false;
}

// Is a comment of n at a place where the canonical form has none? Those between elements and between literals
// are at good places, those inside a pair or between operands are not.
static bool
is_stuck(const struct agc_fmt *w, const struct agc_node *n)
{
    if (!has_comment(w, n->span.begin, n->span.end))
        return false;
    if (n->kind == AGC_TEMPLATE || n->n == 0)
        return true;
    uint32_t from = n->span.begin;
    bool is_open = is_list(n) || n->kind == AGC_QUERY;
    for (uint32_t i = 0; i < n->n; i++) {
        const struct agc_node *kid = n->kid[i];
        bool is_value = n->kind == AGC_OBJECT && i % 2 == 1;
        bool is_body = kid->kind == AGC_QUERY;
        if ((!is_open || is_value) && !is_body && has_comment(w, from, kid->span.begin))
            return true;
        if (is_stuck(w, kid))
            return true;
        from = kid->span.end;
    }
    bool ends_open = is_open || (n->n && n->kid[n->n - 1]->kind == AGC_QUERY);
    return !ends_open && has_comment(w, from, n->span.end);
}

// The source of n, with its comments.
static void
put_source(struct agc_fmt *w, const struct agc_node *n)
{
    agc_fmt_put(w, ag_str_of(w->source.p + n->span.begin, n->span.end - n->span.begin));
    while (next_comment(w) && next_comment(w)->span.begin < n->span.end)
        w->comment++;
    w->at = n->span.end;
}

static int
binding(const struct agc_node *n)
{
    if (n->kind == AGC_MEMBER2)
        return P_PAIR;
    if (n->kind != AGC_BINARY)
        return P_TERM;
    if (ag_str_is(n->text, "in"))
        return P_IN;
    switch (n->text.p[0]) {
    case '|': return P_OR;
    case '&': return P_AND;
    case '+':
    case '-': return P_ARITH;
    case '*':
    case '/':
    case '%': return P_FACTOR;
    default: return P_REL;
    }
}

static void put_term(struct agc_fmt *w, const struct agc_node *n);

static void
put_parens(struct agc_fmt *w, const struct agc_node *n, bool needed)
{
    if (needed && !is_stuck(w, n))
        agc_fmt_z(w, "(");
    else
        needed = false;
    put_term(w, n);
    if (needed)
        agc_fmt_z(w, ")");
}

static void
put_operand(struct agc_fmt *w, const struct agc_node *n, int least)
{
    put_parens(w, n, binding(n) < least);
}

// Would the text of n begin with a term and a bar?
static bool
begins_with_bar(const struct agc_node *n)
{
    bool is_bar = false;
    while (n->kind == AGC_BINARY) {
        is_bar = n->text.p[0] == '|';
        if (binding(n->kid[0]) < binding(n))
            break;
        n = n->kid[0];
    }
    return is_bar;
}

static bool
is_identifier(struct ag_str s)
{
    if (s.n == 0 || (s.p[0] >= '0' && s.p[0] <= '9'))
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'))
            return false;
    }
    return true;
}

static bool
is_keyword(struct ag_str s)
{
#define KEYWORD(text, TOKEN)                                                                                 \
    if (ag_str_is(s, text))                                                                                  \
        return true;
#include "../grammar/keywords.def"
    return false;
}

static void
put_step(struct agc_fmt *w, const struct agc_node *n)
{
    bool is_quoted = w->source.p[n->span.begin] == '"' || w->source.p[n->span.begin] == '`';
    if (n->kind == AGC_STRING && is_identifier(n->text) && !(is_quoted && is_keyword(n->text))) {
        agc_fmt_z(w, ".");
        agc_fmt_put(w, n->text);
        w->at = n->span.end;
        return;
    }
    agc_fmt_z(w, "[");
    agc_fmt_expr(w, n);
    agc_fmt_z(w, "]");
}

static void
put_ref(struct agc_fmt *w, const struct agc_node *n)
{
    const struct agc_node *head = n->kid[0];
    bool is_plain = head->kind != AGC_NEGATE && head->kind != AGC_BINARY && head->kind != AGC_MEMBER2;
    put_parens(w, head, !is_plain);
    for (uint32_t i = 1; i < n->n; i++)
        put_step(w, n->kid[i]);
}

void
agc_fmt_name(struct agc_fmt *w, const struct agc_node *ref)
{
    if (ref->kind == AGC_REF)
        put_ref(w, ref);
    else
        agc_fmt_put(w, ref->text);
    w->at = ref->span.end;
}

static void
put_element(struct agc_fmt *w, const struct agc_node *n, bool is_first)
{
    put_parens(w, n, binding(n) == P_PAIR || (is_first && begins_with_bar(n)));
}

// Elements from i on that stand on one line of the source.
static uint32_t
one_line(const struct agc_fmt *w, struct agc_node *const *v, uint32_t n, uint32_t i, uint32_t step)
{
    uint32_t to = i + step;
    while (to < n && agc_fmt_row(w, v[to]->span.begin) == agc_fmt_row(w, v[to - step]->span.begin))
        to += step;
    return to;
}

// `step` 2: pairs.
static void
put_elements(struct agc_fmt *w, struct agc_node *const *v, uint32_t n, uint32_t step, const char *open,
             const char *close, uint32_t begin, uint32_t end)
{
    bool is_bracket = open[0] != '(';
    bool is_long =
        n && (agc_fmt_row(w, v[0]->span.begin) > agc_fmt_row(w, begin) || one_line(w, v, n, 0, step) < n ||
              has_comment(w, begin, v[0]->span.begin) || has_comment(w, v[n - 1]->span.end, end));
    agc_fmt_z(w, open);
    w->at = begin + 1;
    if (!n && has_comment(w, begin, end))
        is_long = true;
    if (is_long)
        w->level++, agc_fmt_newline(w);
    for (uint32_t i = 0; i < n;) {
        uint32_t to = is_long ? one_line(w, v, n, i, step) : n;
        for (; i < to; i += step) {
            if (is_long && !w->is_inline)
                agc_fmt_comments(w, v[i]->span.begin);
            put_element(w, v[i], is_bracket && i == 0);
            if (step == 2) {
                agc_fmt_z(w, ": ");
                put_element(w, v[i + 1], i == 0);
            }
            if (i + step < n || is_long)
                agc_fmt_z(w, i + step < to ? ", " : ",");
        }
        if (is_long)
            agc_fmt_newline(w);
    }
    if (is_long) {
        agc_fmt_comments(w, end);
        w->level--;
    }
    agc_fmt_z(w, close);
    w->at = end + 1;
}

void
agc_fmt_list(struct agc_fmt *w, struct agc_node *const *v, uint32_t n, const char *open, const char *close,
             uint32_t begin, uint32_t end)
{
    put_elements(w, v, n, 1, open, close, begin, end);
}

static void
put_literals(struct agc_fmt *w, const struct agc_node *query)
{
    for (uint32_t i = 0; i < query->n; i++) {
        const struct agc_node *n = query->kid[i];
        uint32_t row = agc_fmt_row(w, n->span.begin), before = w->comment;
        if (i && row > agc_fmt_row(w, w->at) + 1)
            agc_fmt_blank(w);
        agc_fmt_comments(w, n->span.begin);
        if (w->comment > before && row > agc_fmt_row(w, w->at) + 1)
            agc_fmt_blank(w);
        agc_fmt_literal(w, n);
        agc_fmt_newline(w);
    }
}

void
agc_fmt_lines(struct agc_fmt *w, const struct agc_node *query, uint32_t close)
{
    w->level++;
    agc_fmt_newline(w);
    put_literals(w, query);
    agc_fmt_comments(w, close);
    w->level--;
}

// A query behind `opener`, a bar or a brace, which is the next one behind byte `before`; `close` is the byte
// of the closing bracket.
static void
put_query(struct agc_fmt *w, const struct agc_node *q, char opener, uint32_t before, uint32_t close)
{
    bool is_long = agc_fmt_row(w, q->span.begin) > agc_fmt_row(w, before) || has_comment(w, before, close);
    for (uint32_t i = 1; i < q->n; i++)
        is_long |= agc_fmt_row(w, q->kid[i]->span.begin) > agc_fmt_row(w, q->kid[i - 1]->span.begin);
    if (is_long) {
        w->at = agc_fmt_find(w, before, opener) + 1;
        agc_fmt_lines(w, q, close);
        return;
    }
    for (uint32_t i = 0; i < q->n; i++) {
        agc_fmt_z(w, i ? "; " : " ");
        agc_fmt_literal(w, q->kid[i]);
    }
}

static void
put_comprehension(struct agc_fmt *w, const struct agc_node *n)
{
    bool is_array = n->kind == AGC_ARRAY_COMP;
    const struct agc_node *head = n->kid[n->n - 2], *query = n->kid[n->n - 1];
    agc_fmt_z(w, is_array ? "[" : "{");
    w->at = n->span.begin + 1;
    bool is_below = agc_fmt_row(w, n->kid[0]->span.begin) > agc_fmt_row(w, n->span.begin);
    if (is_below)
        agc_fmt_newline(w);
    if (n->kind == AGC_OBJECT_COMP) {
        put_element(w, n->kid[0], true);
        agc_fmt_z(w, ": ");
    }
    put_operand(w, head, P_TERM);
    agc_fmt_z(w, " |");
    put_query(w, query, '|', head->span.end, n->span.end - 1);
    agc_fmt_z(w, is_array ? "]" : "}");
    w->at = n->span.end;
}

static void
put_call(struct agc_fmt *w, const struct agc_node *n)
{
    agc_fmt_name(w, n->kid[0]);
    uint32_t open = agc_fmt_find(w, n->kid[0]->span.end, '(');
    agc_fmt_list(w, n->kid + 1, n->n - 1, "(", ")", open, n->span.end - 1);
}

static void
put_binary(struct agc_fmt *w, const struct agc_node *n)
{
    int own = binding(n);
    // What `in` compares stands right of it only as a relation.
    put_operand(w, n->kid[0], own);
    agc_fmt_z(w, " ");
    agc_fmt_put(w, n->text);
    agc_fmt_z(w, " ");
    put_operand(w, n->kid[1], own + 1);
}

static void
put_member(struct agc_fmt *w, const struct agc_node *n)
{
    put_operand(w, n->kid[0], P_REL);
    agc_fmt_z(w, ", ");
    put_operand(w, n->kid[1], P_REL);
    agc_fmt_z(w, " in ");
    put_operand(w, n->kid[2], P_REL);
}

static void
put_formatted(struct agc_fmt *w, const struct agc_node *n)
{
    switch (n->kind) {
    case AGC_NULL_LIT:
    case AGC_TRUE_LIT:
    case AGC_FALSE_LIT: agc_fmt_z(w, agc_node_name(n->kind)); break;
    case AGC_NUMBER:
    case AGC_VAR: agc_fmt_put(w, n->text); break;
    case AGC_REF: put_ref(w, n); break;
    case AGC_CALL: put_call(w, n); break;
    case AGC_ARRAY: agc_fmt_list(w, n->kid, n->n, "[", "]", n->span.begin, n->span.end - 1); break;
    case AGC_SET:
        if (n->n)
            agc_fmt_list(w, n->kid, n->n, "{", "}", n->span.begin, n->span.end - 1);
        else
            agc_fmt_z(w, "set()");
        break;
    case AGC_OBJECT: put_elements(w, n->kid, n->n, 2, "{", "}", n->span.begin, n->span.end - 1); break;
    case AGC_ARRAY_COMP:
    case AGC_SET_COMP:
    case AGC_OBJECT_COMP: put_comprehension(w, n); break;
    case AGC_NEGATE:
        agc_fmt_z(w, "-");
        put_term(w, n->kid[0]);
        break;
    case AGC_BINARY: put_binary(w, n); break;
    case AGC_MEMBER2: put_member(w, n); break;
    default: put_source(w, n); break; // strings and templates keep their spelling
    }
    w->at = n->span.end;
}

static void
put_term(struct agc_fmt *w, const struct agc_node *n)
{
    if (is_stuck(w, n))
        put_source(w, n);
    else
        put_formatted(w, n);
}

void
agc_fmt_expr(struct agc_fmt *w, const struct agc_node *n)
{
    put_operand(w, n, P_IN);
}

static void
put_some(struct agc_fmt *w, const struct agc_node *n)
{
    agc_fmt_z(w, "some ");
    uint32_t names = n->kind == AGC_SOME ? n->n : n->n - 1;
    for (uint32_t i = 0; i < names; i++) {
        if (i)
            agc_fmt_z(w, ", ");
        put_operand(w, n->kid[i], n->n == 2 && n->kind == AGC_SOME_IN ? P_PAIR : P_REL);
    }
    if (n->kind == AGC_SOME_IN) {
        agc_fmt_z(w, " in ");
        put_operand(w, n->kid[names], P_REL);
    }
}

static void
put_every(struct agc_fmt *w, const struct agc_node *n)
{
    agc_fmt_z(w, "every ");
    for (uint32_t i = 0; i + 2 < n->n; i++) {
        agc_fmt_put(w, n->kid[i]->text);
        agc_fmt_z(w, i + 3 < n->n ? ", " : " in ");
    }
    const struct agc_node *domain = n->kid[n->n - 2], *query = n->kid[n->n - 1];
    put_operand(w, domain, P_REL);
    agc_fmt_z(w, " {");
    put_query(w, query, '{', domain->span.end, n->span.end - 1);
    agc_fmt_z(w, w->is_inline ? " }" : "}");
}

static void
put_not(struct agc_fmt *w, const struct agc_node *n)
{
    const struct agc_node *kid = n->kid[0];
    bool has_braces =
        kid->kind == AGC_QUERY && w->source.p[n->span.end - 1] == '}' && n->span.end != kid->span.end;
    agc_fmt_z(w, "not ");
    if (has_braces) {
        agc_fmt_z(w, "{");
        put_query(w, kid, '{', n->span.begin + 3, n->span.end - 1);
        agc_fmt_z(w, w->is_inline ? " }" : "}");
    } else {
        agc_fmt_literal(w, kid->kind == AGC_QUERY ? kid->kid[0] : kid);
    }
}

static void
put_with(struct agc_fmt *w, const struct agc_node *n)
{
    bool is_deep = false;
    agc_fmt_literal(w, n->kid[0]);
    for (uint32_t i = 1; i + 1 < n->n; i += 2) {
        if (agc_fmt_row(w, n->kid[i]->span.begin) > agc_fmt_row(w, n->kid[i - 1]->span.end)) {
            w->level += !is_deep;
            is_deep = true;
            agc_fmt_newline(w);
            agc_fmt_z(w, "with ");
        } else {
            agc_fmt_z(w, " with ");
        }
        put_term(w, n->kid[i]);
        agc_fmt_z(w, " as ");
        agc_fmt_expr(w, n->kid[i + 1]);
    }
    w->level -= is_deep;
}

void
agc_fmt_literal(struct agc_fmt *w, const struct agc_node *n)
{
    if (is_stuck(w, n)) {
        put_source(w, n);
        return;
    }
    switch (n->kind) {
    case AGC_SOME:
    case AGC_SOME_IN: put_some(w, n); break;
    case AGC_EVERY: put_every(w, n); break;
    case AGC_NOT: put_not(w, n); break;
    case AGC_WITH: put_with(w, n); break;
    case AGC_ASSIGN:
    case AGC_UNIFY:
        agc_fmt_expr(w, n->kid[0]);
        agc_fmt_z(w, n->kind == AGC_ASSIGN ? " := " : " = ");
        agc_fmt_expr(w, n->kid[1]);
        break;
    default: put_operand(w, n, P_PAIR); break;
    }
    w->at = n->span.end;
}
