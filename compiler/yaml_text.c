// SPDX-License-Identifier: Apache-2.0
// `when:` texts: what byte of the file each byte of a scalar's value stands at. Exact for plain and quoted
// scalars of one line without escapes and for literal blocks; folded and escaped texts are followed as far as
// they agree with the file. In: a scalar. Out: struct agc_text. Memory: the compile arena. Next file to read:
// grammar/aegis.y.
#include "yaml_parts.h"

struct mapper {
    struct agc_arena *arena;
    struct ag_str file; // the whole source
    struct ag_str text;
    uint32_t n, cap;
    struct agc_segment *seg;
};

static void
add(struct mapper *m, size_t at, size_t file)
{
    if (m->n && m->seg[m->n - 1].file - m->seg[m->n - 1].at == (uint32_t)file - (uint32_t)at)
        return;
    m->seg = agc_grow(m->arena, m->seg, m->n, &m->cap, sizeof *m->seg);
    m->seg[m->n++] = (struct agc_segment){(uint32_t)at, (uint32_t)file};
}

static size_t
blanks(struct ag_str s, size_t at)
{
    size_t n = 0;
    while (at + n < s.n && s.p[at + n] == ' ')
        n++;
    return n;
}

static size_t
next_line(struct ag_str s, size_t at, size_t end)
{
    const char *nl = at < end ? memchr(s.p + at, '\n', end - at) : NULL;
    return nl ? (size_t)(nl - s.p) + 1 : end;
}

// The same in the file, where CR and CR LF end a line too.
static size_t
next_file_line(struct ag_str s, size_t at, size_t end)
{
    while (at < end && s.p[at] != '\n' && s.p[at] != '\r')
        at++;
    if (at < end && s.p[at] == '\r' && at + 1 < end && s.p[at + 1] == '\n')
        at++;
    return at < end ? at + 1 : end;
}

// A block scalar: the indicator's line, then the text's lines behind a common indentation.
static void
map_block(struct mapper *m, size_t begin, size_t end)
{
    size_t f = next_file_line(m->file, begin, end);
    for (size_t t = 0; t < m->text.n;) {
        size_t nl = next_line(m->text, t, m->text.n);
        bool is_blank = t + blanks(m->text, t) + 1 >= nl && m->text.p[nl - 1] == '\n';
        size_t have = blanks(m->file, f), want = blanks(m->text, t);
        add(m, t, !is_blank && have >= want ? f + have - want : f);
        t = nl;
        f = next_file_line(m->file, f, end);
    }
}

// Walks value and file side by side; where the file breaks or indents a line the value has one blank or
// newline.
static void
map_flow(struct mapper *m, size_t begin, size_t end)
{
    size_t f = begin;
    if (f < end && (m->file.p[f] == '"' || m->file.p[f] == '\''))
        f++;
    for (size_t t = 0; t < m->text.n; t++) {
        char c = m->text.p[t];
        bool is_space = c == ' ' || c == '\n';
        size_t g = f;
        while (g < end &&
               (m->file.p[g] == ' ' || m->file.p[g] == '\n' || m->file.p[g] == '\r' || m->file.p[g] == '\t'))
            g++;
        bool breaks = memchr(m->file.p + f, '\n', g - f) || memchr(m->file.p + f, '\r', g - f);
        if (is_space && breaks) {
            add(m, t, f);
            while (t + 1 < m->text.n && (m->text.p[t + 1] == '\n' || m->text.p[t + 1] == ' '))
                t++;
            f = g;
            continue;
        }
        if (f < end && m->file.p[f] == '\\' && c != '\\')
            add(m, t, f), f += 2;
        else
            add(m, t, f), f += f < end;
    }
}

struct agc_text
agc_yaml_text(struct agc_arena *a, const struct agc_sources *s, const struct agc_ynode *scalar)
{
    struct mapper m = {.arena = a, .file = s->v[scalar->span.source].bytes, .text = scalar->text};
    size_t begin = scalar->span.begin, end = scalar->span.end < m.file.n ? scalar->span.end : m.file.n;
    add(&m, 0, begin);
    m.n = 0;
    bool is_folded = scalar->style == AGC_Y_BLOCK && begin < end && m.file.p[begin] == '>';
    size_t body = next_file_line(m.file, begin, end);
    if (is_folded)
        map_flow(&m, body + blanks(m.file, body), end);
    else if (scalar->style == AGC_Y_BLOCK)
        map_block(&m, begin, end);
    else
        map_flow(&m, begin, end);
    if (m.n == 0)
        add(&m, 0, begin);
    return (struct agc_text){scalar->text, scalar->span.source, (uint32_t)m.file.n, m.n, m.seg};
}

struct agc_span
agc_text_span(const struct agc_text *t, uint32_t begin, uint32_t end)
{
    uint32_t place[2];
    for (int i = 0; i < 2; i++) {
        // The end is the place after the last byte, in that byte's segment.
        uint32_t at = i == 0 || end == begin ? begin : end - 1, lo = 0, hi = t->nsegs;
        while (hi - lo > 1) {
            uint32_t mid = lo + (hi - lo) / 2;
            if (t->seg[mid].at <= at)
                lo = mid;
            else
                hi = mid;
        }
        place[i] = t->seg[lo].file + (at - t->seg[lo].at) + (i == 1 && end > begin ? 1u : 0u);
        if (place[i] > t->source_end) // a text that the map follows in part only
            place[i] = t->source_end;
    }
    return (struct agc_span){t->source, place[0], place[1] > place[0] ? place[1] : place[0]};
}

static void
print_when(struct agc_arena *a, const struct agc_sources *s, const struct agc_ynode *n,
           struct agc_diags *diags, FILE *f)
{
    if (n->kind != AGC_Y_SCALAR)
        return;
    struct agc_text text = agc_yaml_text(a, s, n);
    agc_tokens_print(a, diags, &text, f);
}

bool
agc_yaml_print_tokens(struct agc_arena *a, const struct agc_sources *s, uint32_t source,
                      struct agc_diags *diags, FILE *f)
{
    uint32_t errors = diags->nerrors;
    const struct agc_ynode *top = agc_yaml_tree(a, s, source, diags);
    for (uint32_t i = 0; top && top->kind == AGC_Y_MAP && i < top->n; i += 2) {
        const struct agc_ynode *rules = top->kid[i + 1];
        if (!ag_str_is(top->kid[i]->text, "rules") || rules->kind != AGC_Y_SEQ)
            continue;
        for (uint32_t j = 0; j < rules->n; j++) {
            const struct agc_ynode *rule = rules->kid[j];
            for (uint32_t k = 0; rule->kind == AGC_Y_MAP && k < rule->n; k += 2) {
                if (!ag_str_is(rule->kid[k]->text, "when"))
                    continue;
                const struct agc_ynode *w = rule->kid[k + 1];
                if (w->kind != AGC_Y_SEQ)
                    print_when(a, s, w, diags, f);
                for (uint32_t e = 0; w->kind == AGC_Y_SEQ && e < w->n; e++)
                    print_when(a, s, w->kid[e], diags, f);
            }
        }
    }
    return diags->nerrors == errors;
}
