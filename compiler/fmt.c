// SPDX-License-Identifier: Apache-2.0
// Formatting of modules: package, imports, rules, and the comments between them. In: a module and its source.
// Out: text. Memory: the compile arena. Next file to read: fmt_main.c.
#include "fmt_parts.h"

#include "buf.h"

#include <stdlib.h>

static void
put_package(struct agc_fmt *w)
{
    const struct agc_module *m = w->module;
    agc_fmt_comments(w, m->package_span.begin);
    if (w->n && agc_fmt_row(w, m->package_span.begin) > agc_fmt_row(w, w->at) + 1)
        agc_fmt_blank(w);
    agc_fmt_z(w, "package ");
    agc_fmt_put(w, m->path[0]);
    for (uint32_t i = 1; i < m->npath; i++) {
        struct ag_str s = m->path[i];
        if (ag_str_is_name(s)) {
            agc_fmt_z(w, ".");
            agc_fmt_put(w, s);
            continue;
        }
        struct ag_buf b;
        ag_buf_init(&b, agc_alloc(w->arena, s.n * 6 + 3), s.n * 6 + 3);
        ag_buf_json_str(&b, s);
        agc_fmt_z(w, "[");
        agc_fmt_put(w, ag_str_of(b.p, b.n));
        agc_fmt_z(w, "]");
    }
    w->at = m->package_span.end;
    agc_fmt_newline(w);
}

static struct ag_str
step_text(const struct agc_node *path, uint32_t i)
{
    return path->kind == AGC_REF ? path->kid[i]->text : path->text;
}

static int
str_order(struct ag_str a, struct ag_str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n ? memcmp(a.p, b.p, n) : 0;
    return c ? c : (a.n > b.n) - (a.n < b.n);
}

static int
import_order(const void *a, const void *b)
{
    const struct agc_import *x = *(const struct agc_import *const *)a,
                            *y = *(const struct agc_import *const *)b;
    uint32_t nx = x->path->kind == AGC_REF ? x->path->n : 1, ny = y->path->kind == AGC_REF ? y->path->n : 1;
    for (uint32_t i = 0; i < nx && i < ny; i++) {
        int c = str_order(step_text(x->path, i), step_text(y->path, i));
        if (c)
            return c;
    }
    if (nx != ny)
        return nx < ny ? -1 : 1;
    int c = str_order(x->alias.text, y->alias.text);
    return c ? c : (x->span.begin > y->span.begin) - (x->span.begin < y->span.begin);
}

// Imports [from, to) stand on neighbouring lines: they are sorted, each with the comment behind it. Byte
// `next` begins the rule behind them.
static void
put_imports(struct agc_fmt *w, uint32_t from, uint32_t to, uint32_t next)
{
    const struct agc_module *m = w->module;
    struct agc_import **v = agc_alloc(w->arena, (to - from) * sizeof *v);
    for (uint32_t i = from; i < to; i++)
        v[i - from] = &m->imports[i];
    uint32_t first = w->comment, last = first;
    uint32_t row = agc_fmt_row(w, m->imports[to - 1].span.end);
    while (last < m->ncomments && m->comments[last].span.begin < next &&
           agc_fmt_row(w, m->comments[last].span.begin) <= row)
        last++;
    qsort(v, to - from, sizeof(struct agc_import *), import_order);
    for (uint32_t i = 0; i < to - from; i++) {
        agc_fmt_z(w, "import ");
        agc_fmt_name(w, v[i]->path);
        if (v[i]->alias.text.p) {
            agc_fmt_z(w, " as ");
            agc_fmt_put(w, v[i]->alias.text);
        }
        w->at = v[i]->span.end;
        w->comment = last;
        for (uint32_t k = first; k < last; k++)
            if (m->comments[k].span.begin >= w->at && agc_fmt_skip(w, w->at) >= m->comments[k].span.end &&
                agc_fmt_row(w, w->at) == agc_fmt_row(w, m->comments[k].span.begin))
                w->comment = k;
        agc_fmt_newline(w);
    }
    w->comment = last;
    w->at = m->imports[to - 1].span.end;
}

// Does a comment stand between the words of an import? It comes before it then, and the import stands alone.
static bool
is_parted(const struct agc_fmt *w, uint32_t i)
{
    const struct agc_module *m = w->module;
    uint32_t k = w->comment;
    while (k < m->ncomments && m->comments[k].span.begin < m->imports[i].span.begin)
        k++;
    return k < m->ncomments && m->comments[k].span.begin < m->imports[i].span.end;
}

static uint32_t
import_group(const struct agc_fmt *w, uint32_t from, uint32_t next)
{
    const struct agc_module *m = w->module;
    uint32_t to = from + 1;
    while (!is_parted(w, from) && to < m->nimports && !is_parted(w, to) && m->imports[to].span.begin < next &&
           agc_fmt_row(w, m->imports[to].span.begin) <= agc_fmt_row(w, m->imports[to - 1].span.begin) + 1)
        to++;
    return to;
}

static const struct agc_node *
leftmost(const struct agc_node *n)
{
    for (;;) {
        switch (n->kind) {
        case AGC_WITH:
        case AGC_BINARY:
        case AGC_MEMBER2:
        case AGC_ASSIGN:
        case AGC_UNIFY:
        case AGC_REF:
        case AGC_CALL: n = n->kid[0]; break;
        default: return n;
        }
    }
}

// Can the literal follow `if` without braces? Braces that it begins with would be read as those of a body.
static bool
can_be_bare(const struct agc_node *n, bool is_else)
{
    const struct agc_node *first = leftmost(n);
    bool has_brace = first->kind == AGC_SET || first->kind == AGC_OBJECT || first->kind == AGC_SET_COMP ||
                     first->kind == AGC_OBJECT_COMP;
    if (is_else)
        return !has_brace;
    if (n->kind == AGC_WITH)
        n = n->kid[0];
    if (n->kind == AGC_NOT)
        n = n->kid[0];
    return !(n->kind == AGC_SET && n->n);
}

// The byte of the brace between `from` and the query, or AG_NONE when it has none.
static uint32_t
brace_of(const struct agc_fmt *w, uint32_t from, const struct agc_node *query)
{
    const char *p = w->source.p;
    uint32_t at = agc_fmt_skip(w, from);
    while (at < w->source.n && p[at] == ')')
        at = agc_fmt_skip(w, at + 1);
    if (at + 1 < w->source.n && p[at] == 'i' && p[at + 1] == 'f')
        at = agc_fmt_skip(w, at + 2);
    return at < query->span.begin && p[at] == '{' ? at : AG_NONE;
}

// `row`: of the clause's beginning; `from`: byte behind its head.
static void
put_body(struct agc_fmt *w, const struct agc_node *q, uint32_t row, uint32_t from, bool is_else)
{
    uint32_t brace = brace_of(w, from, q), close = q->span.end;
    bool has_comment = false;
    if (brace != AG_NONE) {
        close = agc_fmt_find(w, q->span.end, '}');
        const struct agc_module *m = w->module;
        has_comment = w->comment < m->ncomments && m->comments[w->comment].span.begin < close;
    }
    agc_fmt_z(w, " if");
    if (q->n == 1 && !has_comment && agc_fmt_row(w, q->span.begin) == row &&
        can_be_bare(q->kid[0], is_else)) {
        agc_fmt_z(w, " ");
        agc_fmt_literal(w, q->kid[0]);
    } else {
        agc_fmt_z(w, " {");
        w->at = brace == AG_NONE ? from : brace + 1;
        agc_fmt_lines(w, q, close);
        agc_fmt_z(w, "}");
    }
    w->at = brace == AG_NONE ? q->span.end : close + 1;
}

static bool
is_line_start(const struct agc_fmt *w, uint32_t at)
{
    while (at && (w->source.p[at - 1] == ' ' || w->source.p[at - 1] == '\t'))
        at--;
    return at == 0 || w->source.p[at - 1] == '\n';
}

static bool
is_true(const struct agc_node *n)
{
    return n && n->kind == AGC_TRUE_LIT;
}

static void
put_elses(struct agc_fmt *w, const struct agc_def *d)
{
    for (d = d->otherwise; d; d = d->otherwise) {
        uint32_t at = d->span.begin, from = at + 4, before = w->comment;
        const struct agc_module *m = w->module;
        bool has_comment = before < m->ncomments && m->comments[before].span.begin < at;
        if (has_comment || is_line_start(w, at)) {
            agc_fmt_blank(w);
            agc_fmt_comments(w, at);
        } else {
            agc_fmt_z(w, " ");
        }
        agc_fmt_z(w, "else");
        w->at = from;
        if (d->value) {
            if (!(is_true(d->value) && d->body)) {
                agc_fmt_z(w, " := ");
                agc_fmt_expr(w, d->value);
            }
            from = d->value->span.end;
            w->at = from;
        }
        if (d->body)
            put_body(w, d->body, agc_fmt_row(w, at), from, true);
    }
}

// Does a head show the value `true` although the rule has a body? Only where its last step is a variable.
static bool
shows_true(const struct agc_def *d)
{
    if (!d->body || d->is_default)
        return true;
    if (d->kind == AGC_DEF_FUNCTION || d->ref->kind == AGC_VAR)
        return false;
    for (uint32_t i = 1; i < d->ref->n; i++)
        if (d->ref->kid[i]->kind != AGC_STRING)
            return true;
    return false;
}

static void
put_head(struct agc_fmt *w, const struct agc_def *d)
{
    if (d->is_default)
        agc_fmt_z(w, "default ");
    agc_fmt_name(w, d->ref);
    if (d->kind == AGC_DEF_FUNCTION) {
        uint32_t open = agc_fmt_find(w, d->ref->span.end, '(');
        uint32_t close = agc_fmt_find(w, d->nargs ? d->arg[d->nargs - 1]->span.end : open, ')');
        agc_fmt_list(w, d->arg, d->nargs, "(", ")", open, close);
    }
    if (d->value && (shows_true(d) || !is_true(d->value) || d->kind == AGC_DEF_CONTAINS)) {
        agc_fmt_z(w, d->kind == AGC_DEF_CONTAINS ? " contains " : " := ");
        agc_fmt_expr(w, d->value);
    }
    w->at = d->head_span.end;
}

// Does the rule take one line?
static bool
put_def(struct agc_fmt *w, const struct agc_def *d)
{
    uint32_t begin = d->span.begin;
    agc_fmt_comments(w, begin);
    if (w->is_inline)
        agc_fmt_newline(w);
    size_t first = w->n;
    put_head(w, d);
    if (d->body) {
        // A chained body stands as a rule of its own.
        uint32_t from = d->is_chained ? begin : d->head_span.end;
        put_body(w, d->body, agc_fmt_row(w, begin), from, false);
    }
    put_elses(w, d);
    bool is_line = !memchr(w->p + first, '\n', w->n - first);
    agc_fmt_newline(w);
    return is_line;
}

// Rules of one line may stand on neighbouring lines.
static bool
is_group(const struct agc_fmt *w, const struct agc_def *a, const struct agc_def *b)
{
    bool is_short = !a->is_default && !b->is_default && !b->is_chained && (!a->body || a->body->n == 1) &&
                    (!b->body || b->body->n == 1);
    return is_short && agc_fmt_row(w, b->span.begin) == agc_fmt_row(w, a->span.begin) + 1;
}

// Comments that stand before byte `at`, behind a blank line.
static void
put_gap(struct agc_fmt *w, uint32_t at)
{
    uint32_t before = w->comment;
    agc_fmt_blank(w);
    agc_fmt_comments(w, at);
    if (w->comment > before && agc_fmt_row(w, at) > agc_fmt_row(w, w->at) + 1)
        agc_fmt_blank(w);
}

struct ag_str
agc_fmt(struct agc_arena *a, const struct agc_sources *sources, const struct agc_module *m)
{
    struct agc_fmt *w = agc_alloc(a, sizeof *w);
    *w = (struct agc_fmt){.arena = a, .sources = sources, .module = m, .source = sources->v[m->source].bytes};
    put_package(w);
    const struct agc_def *last = NULL;
    for (uint32_t i = 0, k = 0; i < m->nimports || k < m->ndefs;) {
        if (k == m->ndefs || (i < m->nimports && m->imports[i].span.begin < m->defs[k]->span.begin)) {
            uint32_t next = k < m->ndefs ? m->defs[k]->span.begin : UINT32_MAX;
            uint32_t to = import_group(w, i, next);
            put_gap(w, is_parted(w, i) ? m->imports[i].span.end : m->imports[i].span.begin);
            put_imports(w, i, to, next);
            i = to;
            last = NULL;
            continue;
        }
        const struct agc_def *d = m->defs[k++];
        if (!last || !is_group(w, last, d))
            put_gap(w, d->span.begin);
        last = put_def(w, d) ? d : NULL;
    }
    if (w->comment < m->ncomments) {
        agc_fmt_blank(w);
        agc_fmt_comments(w, UINT32_MAX);
    }
    return ag_str_of(w->p, w->n);
}
