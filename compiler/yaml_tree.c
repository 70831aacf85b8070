// SPDX-License-Identifier: Apache-2.0
// Step 3, YAML half: bytes -> values with places. In: a source. Out: struct agc_ynode. The traps of YAML are
// closed here: tags, merge keys, duplicate keys, second documents and alias bombs are errors, scalars stay
// text. Memory: the compile arena (libyaml's parser is freed here). Next file to read: yaml.c.
#include "yaml_read.h"

#include "utf8.h"

#include <stdlib.h>
#include <yaml.h>

#define ANCHORS_MAX   1024u // anchors of one file
#define KEYS_PAIRWISE 16u   // keys compared pair by pair; above that they are sorted
#define MARK_STEP     64u   // characters between two entries of the table of places

struct anchor {
    struct ag_str name;
    struct agc_ynode *node; // NULL while it is being read
};

struct tree {
    struct agc_arena *arena;
    const struct agc_sources *sources;
    struct agc_diags *diags;
    uint32_t source;
    size_t bom;         // bytes of the byte order mark
    struct ag_str text; // after it
    uint32_t *places;   // byte of every MARK_STEP-th character; NULL when the text is ASCII
    size_t nplaces;
    yaml_parser_t parser;
    uint32_t nanchors, anchor_cap;
    struct anchor *anchors;
    uint64_t nodes, alias_nodes;
};

// libyaml counts characters, spans count bytes.
static uint32_t
byte_of(const struct tree *t, size_t character)
{
    if (!t->places)
        return (uint32_t)(t->bom + (character < t->text.n ? character : t->text.n));
    size_t step = character / MARK_STEP;
    if (step >= t->nplaces)
        return (uint32_t)(t->bom + t->text.n);
    size_t at = t->places[step];
    for (size_t left = character % MARK_STEP; left && at < t->text.n; left--)
        do
            at++;
        while (at < t->text.n && ((unsigned char)t->text.p[at] & 0xc0) == 0x80);
    return (uint32_t)(t->bom + at);
}

static void
index_places(struct tree *t)
{
    bool is_ascii = true;
    for (size_t i = 0; i < t->text.n && is_ascii; i++)
        is_ascii = (unsigned char)t->text.p[i] < 0x80;
    if (is_ascii)
        return;
    t->places = agc_alloc(t->arena, (t->text.n / MARK_STEP + 2) * sizeof *t->places);
    size_t characters = 0;
    for (size_t i = 0; i < t->text.n; i++) {
        if (((unsigned char)t->text.p[i] & 0xc0) == 0x80)
            continue;
        if (characters % MARK_STEP == 0)
            t->places[t->nplaces++] = (uint32_t)i;
        characters++;
    }
}

static struct agc_span
span_of(const struct tree *t, yaml_mark_t begin, yaml_mark_t end)
{
    return (struct agc_span){t->source, byte_of(t, begin.index), byte_of(t, end.index)};
}

static void
syntax_error(struct tree *t)
{
    yaml_parser_t *p = &t->parser;
    struct agc_span span = span_of(t, p->problem_mark, p->problem_mark);
    if (p->error == YAML_READER_ERROR) {
        span.begin = span.end = (uint32_t)(t->bom + p->problem_offset);
        agc_diag(t->diags, AGC_D_YAML_SYNTAX, span, "%s (character U+%04X)",
                 p->problem ? p->problem : "unreadable", (unsigned)p->problem_value);
        return;
    }
    struct ag_str all = t->sources->v[t->source].bytes;
    if (span.begin < all.n && all.p[span.begin] == '\t') {
        struct agc_diag *d =
            agc_diag(t->diags, AGC_D_YAML_TAB, span, "a tab cannot indent or begin a value in YAML");
        agc_diag_fix(t->diags, d, "replace the tab with blanks");
        return;
    }
    struct agc_diag *d =
        agc_diag(t->diags, AGC_D_YAML_SYNTAX, span, "%s", p->problem ? p->problem : "cannot be read");
    if (p->context)
        agc_diag_second(t->diags, d, span_of(t, p->context_mark, p->context_mark), "%s", p->context);
}

static struct agc_ynode *
new_node(struct tree *t, enum agc_ykind kind, const yaml_event_t *e)
{
    struct agc_ynode *n = agc_alloc(t->arena, sizeof *n);
    n->kind = kind;
    n->weight = 1;
    n->span = span_of(t, e->start_mark, e->end_mark);
    if (++t->nodes > AGC_YAML_NODES_MAX) {
        agc_diag(t->diags, AGC_D_TOO_LARGE, n->span, "more than %u values in one file", AGC_YAML_NODES_MAX);
        return NULL;
    }
    return n;
}

// Remembers an anchor. The entry is filled when its value is complete, so an alias inside it is refused.
static uint32_t
open_anchor(struct tree *t, const yaml_char_t *name, struct agc_span span)
{
    if (!name)
        return AG_NONE;
    if (t->nanchors == ANCHORS_MAX) {
        agc_diag(t->diags, AGC_D_TOO_LARGE, span, "more than %u anchors in one file", ANCHORS_MAX);
        return AG_NONE;
    }
    t->anchors = agc_grow(t->arena, t->anchors, t->nanchors, &t->anchor_cap, sizeof *t->anchors);
    t->anchors[t->nanchors] = (struct anchor){agc_strdup(t->arena, ag_str_z((const char *)name)), NULL};
    return t->nanchors++;
}

static struct agc_ynode *
take_alias(struct tree *t, const yaml_event_t *e)
{
    struct agc_span span = span_of(t, e->start_mark, e->end_mark);
    struct ag_str name = ag_str_z((const char *)e->data.alias.anchor);
    for (uint32_t i = t->nanchors; i-- > 0;) {
        if (!ag_str_eq(t->anchors[i].name, name))
            continue;
        struct agc_ynode *node = t->anchors[i].node;
        if (!node) {
            agc_diag(t->diags, AGC_D_YAML_ALIAS, span, "alias *%.*s stands inside its own anchor",
                     (int)name.n, name.p);
            return NULL;
        }
        t->alias_nodes += node->weight;
        if (t->alias_nodes > AGC_YAML_ALIAS_MAX) {
            agc_diag(t->diags, AGC_D_YAML_ALIAS_BOMB, span, "aliases expand to more than %u values",
                     AGC_YAML_ALIAS_MAX);
            return NULL;
        }
        return node;
    }
    agc_diag(t->diags, AGC_D_YAML_ALIAS, span, "alias *%.*s has no anchor before it", (int)name.n, name.p);
    return NULL;
}

static bool
refuse_tag(struct tree *t, const yaml_char_t *tag, const yaml_event_t *e)
{
    if (!tag)
        return true;
    struct agc_span span = span_of(t, e->start_mark, e->end_mark);
    agc_diag(t->diags, AGC_D_YAML_TAG, span, "the tag %.100s is not accepted", (const char *)tag);
    return true; // the value is still read, so that further errors are found
}

static int
by_key(const void *pa, const void *pb)
{
    const struct agc_ynode *a = *(struct agc_ynode *const *)pa, *b = *(struct agc_ynode *const *)pb;
    int c = ag_str_cmp(a->text, b->text);
    return c ? c : a->span.begin < b->span.begin ? -1 : a->span.begin > b->span.begin;
}

static void
report_duplicate(struct tree *t, const struct agc_ynode *first, const struct agc_ynode *again)
{
    struct agc_diag *d = agc_diag(t->diags, AGC_D_DUPLICATE_KEY, again->span, "key \"%.*s\" is given twice",
                                  (int)again->text.n, again->text.p);
    agc_diag_second(t->diags, d, first->span, "first given here");
}

static void
check_keys(struct tree *t, const struct agc_ynode *map)
{
    uint32_t n = map->n / 2;
    for (uint32_t i = 0; i < n; i++) {
        const struct agc_ynode *key = map->kid[2 * i];
        if (key->kind != AGC_Y_SCALAR)
            agc_diag(t->diags, AGC_D_YAML_KEY, key->span, "a key must be a string");
        else if (key->style == AGC_Y_PLAIN && ag_str_is(key->text, "<<"))
            agc_diag(t->diags, AGC_D_YAML_MERGE_KEY, key->span,
                     "the merge key << is not accepted; write the keys out");
    }
    if (n <= KEYS_PAIRWISE) {
        for (uint32_t i = 1; i < n; i++)
            for (uint32_t j = 0; j < i; j++)
                if (map->kid[2 * i]->kind == AGC_Y_SCALAR && map->kid[2 * j]->kind == AGC_Y_SCALAR &&
                    ag_str_eq(map->kid[2 * i]->text, map->kid[2 * j]->text)) {
                    report_duplicate(t, map->kid[2 * j], map->kid[2 * i]);
                    break;
                }
        return;
    }
    struct agc_ynode **keys = agc_alloc(t->arena, n * sizeof(struct agc_ynode *));
    uint32_t m = 0;
    for (uint32_t i = 0; i < n; i++)
        if (map->kid[2 * i]->kind == AGC_Y_SCALAR)
            keys[m++] = map->kid[2 * i];
    qsort(keys, m, sizeof(struct agc_ynode *), by_key);
    for (uint32_t i = 1; i < m; i++)
        if (ag_str_eq(keys[i - 1]->text, keys[i]->text))
            report_duplicate(t, keys[i - 1], keys[i]);
}

static struct agc_ynode *read_node(struct tree *t, yaml_event_t *e, uint32_t depth);

static struct agc_ynode *
read_scalar(struct tree *t, const yaml_event_t *e)
{
    struct agc_ynode *n = new_node(t, AGC_Y_SCALAR, e);
    if (!n)
        return NULL;
    yaml_scalar_style_t style = e->data.scalar.style;
    n->style = style == YAML_PLAIN_SCALAR_STYLE                                          ? AGC_Y_PLAIN
               : style == YAML_LITERAL_SCALAR_STYLE || style == YAML_FOLDED_SCALAR_STYLE ? AGC_Y_BLOCK
                                                                                         : AGC_Y_QUOTED;
    n->text = agc_strdup(t->arena, ag_str_of((const char *)e->data.scalar.value, e->data.scalar.length));
    refuse_tag(t, e->data.scalar.tag, e);
    uint32_t ix = open_anchor(t, e->data.scalar.anchor, n->span);
    if (ix != AG_NONE)
        t->anchors[ix].node = n;
    return n;
}

static struct agc_ynode *
read_collection(struct tree *t, const yaml_event_t *start, uint32_t depth)
{
    bool is_map = start->type == YAML_MAPPING_START_EVENT;
    struct agc_ynode *n = new_node(t, is_map ? AGC_Y_MAP : AGC_Y_SEQ, start);
    if (!n)
        return NULL;
    if (depth >= AGC_YAML_DEPTH_MAX) {
        agc_diag(t->diags, AGC_D_YAML_DEPTH, n->span, "values are nested more than %u deep",
                 AGC_YAML_DEPTH_MAX);
        return NULL;
    }
    const yaml_char_t *anchor = is_map ? start->data.mapping_start.anchor : start->data.sequence_start.anchor;
    refuse_tag(t, is_map ? start->data.mapping_start.tag : start->data.sequence_start.tag, start);
    uint32_t ix = open_anchor(t, anchor, n->span), cap = 0;
    uint64_t weight = 1;
    for (;;) {
        yaml_event_t e;
        if (!yaml_parser_parse(&t->parser, &e)) {
            syntax_error(t);
            return NULL;
        }
        if (e.type == YAML_SEQUENCE_END_EVENT || e.type == YAML_MAPPING_END_EVENT) {
            uint32_t end = byte_of(t, e.end_mark.index);
            // A block collection's end mark stands after the blank lines below it.
            if (e.end_mark.index > e.start_mark.index || n->n == 0)
                n->span.end = end;
            else
                n->span.end = n->kid[n->n - 1]->span.end;
            yaml_event_delete(&e);
            break;
        }
        struct agc_ynode *kid = read_node(t, &e, depth + 1);
        yaml_event_delete(&e);
        if (!kid)
            return NULL;
        n->kid = agc_grow(t->arena, n->kid, n->n, &cap, sizeof(struct agc_ynode *));
        n->kid[n->n++] = kid;
        weight += kid->weight;
    }
    n->weight = weight > UINT32_MAX ? UINT32_MAX : (uint32_t)weight;
    if (is_map)
        check_keys(t, n);
    if (ix != AG_NONE)
        t->anchors[ix].node = n;
    return n;
}

static struct agc_ynode *
read_node(struct tree *t, yaml_event_t *e, uint32_t depth)
{
    switch (e->type) {
    case YAML_SCALAR_EVENT: return read_scalar(t, e);
    case YAML_ALIAS_EVENT: return take_alias(t, e);
    default: return read_collection(t, e, depth);
    }
}

// The events of one stream: start, at most one document, end.
static struct agc_ynode *
read_stream(struct tree *t)
{
    struct agc_ynode *root = NULL;
    for (unsigned documents = 0;;) {
        yaml_event_t e;
        if (!yaml_parser_parse(&t->parser, &e)) {
            syntax_error(t);
            return NULL;
        }
        yaml_event_type_t type = e.type;
        bool is_bad = false;
        if (type == YAML_DOCUMENT_START_EVENT) {
            if (++documents > 1)
                agc_diag(t->diags, AGC_D_YAML_DOCUMENT, span_of(t, e.start_mark, e.end_mark),
                         "a second document begins here");
            is_bad = documents > 1;
        } else if (type == YAML_SCALAR_EVENT || type == YAML_ALIAS_EVENT ||
                   type == YAML_SEQUENCE_START_EVENT || type == YAML_MAPPING_START_EVENT) {
            root = read_node(t, &e, 0);
            is_bad = !root;
        }
        yaml_event_delete(&e);
        if (is_bad)
            return NULL;
        if (type == YAML_STREAM_END_EVENT)
            return root;
    }
}

struct agc_ynode *
agc_yaml_tree(struct agc_arena *a, const struct agc_sources *s, uint32_t source, struct agc_diags *diags)
{
    struct tree t = {.arena = a, .sources = s, .diags = diags, .source = source};
    t.text = s->v[source].bytes;
    if (!ag_utf8_valid(t.text.p, t.text.n)) {
        uint32_t at = (uint32_t)ag_utf8_bad(t.text.p, t.text.n);
        agc_diag(diags, AGC_D_NOT_UTF8, (struct agc_span){source, at, at + 1}, "byte 0x%02x is not UTF-8",
                 (unsigned)(unsigned char)t.text.p[at]);
        return NULL;
    }
    if (t.text.n >= 3 && memcmp(t.text.p, "\xef\xbb\xbf", 3) == 0) {
        t.bom = 3;
        t.text = ag_str_of(t.text.p + 3, t.text.n - 3);
    }
    index_places(&t);
    if (!yaml_parser_initialize(&t.parser)) {
        agc_diag(diags, AGC_D_READ_FILE, (struct agc_span){source, 0, 0}, "out of memory");
        return NULL;
    }
    yaml_parser_set_encoding(&t.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&t.parser, (const unsigned char *)t.text.p, t.text.n);
    struct agc_ynode *root = read_stream(&t);
    yaml_parser_delete(&t.parser);
    return root;
}
