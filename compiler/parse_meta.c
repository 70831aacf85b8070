// SPDX-License-Identifier: Apache-2.0
// Annotations: `# METADATA` comments, whose text is YAML, become objects of the rule or package behind them.
// In: the comments of a module. Out: annotations of struct agc_module and struct agc_def. Memory: the compile
// arena. Next file to read: module.c.
#include "parse_build.h"
#include "yaml_check.h"

enum target { NOTHING, PACKAGE_NAME, IMPORT_LINE, RULE };

struct meta {
    struct agc_lexer *lx;
    struct agc_span at;       // of the word METADATA's comment
    struct agc_text text;     // the YAML, with its places
    struct agc_sources local; // which the YAML reader sees
    struct agc_node *object;
};

static struct agc_diag *
fail(struct meta *m, struct agc_span at, const char *text)
{
    return agc_token_fail(m->lx, AGC_D_BAD_METADATA, at, "%s", text);
}

static struct agc_span
place(const struct meta *m, const struct agc_ynode *n)
{
    return agc_text_span(&m->text, n->span.begin, n->span.end);
}

static bool
is_header(struct ag_str source, const struct agc_comment *c)
{
    bool is_first = c->span.begin == 0 || source.p[c->span.begin - 1] == '\n';
    return is_first && agc_names_metadata(c);
}

bool
agc_names_metadata(const struct agc_comment *c)
{
    struct ag_str s = c->text;
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
        s.p++, s.n--;
    return s.n >= 8 && memcmp(s.p, "METADATA", 8) == 0;
}

// Does comment b stand in the line under a, at its beginning?
static bool
is_next(struct ag_str source, const struct agc_comment *a, const struct agc_comment *b)
{
    uint32_t at = a->span.end;
    if (at < source.n && source.p[at] == '\r')
        at++;
    return at < source.n && source.p[at] == '\n' && at + 1 == b->span.begin && !is_header(source, b);
}

uint32_t
agc_metadata_end(const struct agc_module *m, struct ag_str source, uint32_t i)
{
    if (!is_header(source, &m->comments[i]))
        return i;
    for (i++; i < m->ncomments && is_next(source, &m->comments[i - 1], &m->comments[i]);)
        i++;
    return i;
}

// Joins the lines of comments [from, to) without `# `.
static void
join(struct meta *m, uint32_t from, uint32_t to)
{
    const struct agc_comment *c = m->lx->module->comments;
    size_t n = 0;
    for (uint32_t i = from; i < to; i++)
        n += c[i].text.n + 1;
    char *out = agc_alloc(m->lx->arena, n + 1);
    struct agc_segment *seg = agc_alloc(m->lx->arena, (to - from + 1) * sizeof *seg);
    uint32_t at = 0;
    for (uint32_t i = from; i < to; i++) {
        struct ag_str s = c[i].text;
        uint32_t skip = s.n && s.p[0] == ' ';
        seg[i - from] = (struct agc_segment){at, c[i].span.begin + 1 + skip};
        memcpy(out + at, s.p + skip, s.n - skip);
        at += (uint32_t)s.n - skip;
        out[at++] = '\n';
    }
    m->text =
        (struct agc_text){ag_str_of(out, at), m->lx->text->source, m->lx->text->source_end, to - from, seg};
}

static struct agc_node *
text_node(struct meta *m, struct agc_span at, struct ag_str text)
{
    return agc_build_leaf(m->lx, at, AGC_STRING, agc_strdup(m->lx->arena, text));
}

// A YAML value as a constant term. Depth: AGC_YAML_DEPTH_MAX.
static struct agc_node *
value(struct meta *m, const struct agc_ynode *y)
{
    struct agc_span at = place(m, y);
    struct agc_list *list = NULL;
    if (y->kind == AGC_Y_SCALAR) {
        if (agc_yaml_is_null(y))
            return agc_build_leaf(m->lx, at, AGC_NULL_LIT, AG_STR(""));
        if (agc_yaml_is_bool(y))
            return agc_build_leaf(m->lx, at, agc_yaml_bool(y) ? AGC_TRUE_LIT : AGC_FALSE_LIT, AG_STR(""));
        if (agc_yaml_is_number(y))
            return agc_build_leaf(m->lx, at, AGC_NUMBER, agc_strdup(m->lx->arena, y->text));
        return text_node(m, at, y->text);
    }
    for (uint32_t i = 0; i < y->n; i++) {
        bool is_key = y->kind == AGC_Y_MAP && i % 2 == 0;
        list = agc_build_list(
            m->lx, list, is_key ? text_node(m, place(m, y->kid[i]), y->kid[i]->text) : value(m, y->kid[i]));
    }
    return agc_build_many(m->lx, at, y->kind == AGC_Y_MAP ? AGC_OBJECT : AGC_ARRAY, list);
}

static const struct agc_ynode *
field(const struct agc_ynode *map, const char *key)
{
    for (uint32_t i = 0; map->kind == AGC_Y_MAP && i + 1 < map->n; i += 2)
        if (ag_str_is(map->kid[i]->text, key))
            return map->kid[i + 1];
    return NULL;
}

static void
put(struct meta *m, struct agc_list **list, const char *key, struct agc_node *v)
{
    if (v)
        *list = agc_build_pair(m->lx, *list, text_node(m, v->span, ag_str_z(key)), v);
}

// The texts of a mapping that are not empty, in the order of `keys`.
static struct agc_node *
texts(struct meta *m, const struct agc_ynode *y, const char *const keys[2])
{
    struct agc_list *list = NULL;
    for (int i = 0; i < 2; i++) {
        const struct agc_ynode *v = field(y, keys[i]);
        if (v && v->kind == AGC_Y_SCALAR && v->text.n)
            put(m, &list, keys[i], text_node(m, place(m, v), v->text));
    }
    return list ? agc_build_many(m->lx, place(m, y), AGC_OBJECT, list) : NULL;
}

static struct agc_node *
resource(struct meta *m, const struct agc_ynode *y)
{
    static const char *const keys[2] = {"ref", "description"};
    struct agc_list *list = NULL;
    if (y->kind == AGC_Y_SCALAR && y->text.n) {
        put(m, &list, "ref", text_node(m, place(m, y), y->text));
        return agc_build_many(m->lx, place(m, y), AGC_OBJECT, list);
    }
    if (y->kind == AGC_Y_MAP && field(y, "ref") && field(y, "ref")->text.n)
        return texts(m, y, keys);
    fail(m, place(m, y), "a related resource is a reference, or a mapping with `ref`");
    return NULL;
}

// "Name <address>", or a mapping of name and email.
static struct agc_node *
author(struct meta *m, const struct agc_ynode *y)
{
    static const char *const keys[2] = {"name", "email"};
    if (y->kind == AGC_Y_MAP) {
        struct agc_node *n = texts(m, y, keys);
        if (!n)
            fail(m, place(m, y), "an author has a `name`, an `email` or both");
        return n;
    }
    if (y->kind != AGC_Y_SCALAR) {
        fail(m, place(m, y), "an author is a text, or a mapping of `name` and `email`");
        return NULL;
    }
    struct ag_str s = y->text, mail = AG_STR("");
    size_t at = s.n;
    if (!s.n) {
        fail(m, place(m, y), "this author is an empty text");
        return NULL;
    }
    while (at && s.p[at - 1] != ' ' && s.p[at - 1] != '\t')
        at--;
    if (s.n - at >= 2 && s.p[at] == '<' && s.p[s.n - 1] == '>') {
        mail = ag_str_of(s.p + at + 1, s.n - at - 2);
        s.n = at;
    }
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    struct agc_list *list = NULL;
    if (s.n)
        put(m, &list, "name", text_node(m, place(m, y), s));
    if (mail.n)
        put(m, &list, "email", text_node(m, place(m, y), mail));
    return agc_build_many(m->lx, place(m, y), AGC_OBJECT, list);
}

// A reference as the array of its parts.
static struct agc_node *
path(struct meta *m, const struct agc_ynode *y)
{
    struct agc_span at = place(m, y);
    struct agc_segment seg = {0, at.begin};
    struct agc_text text = {y->text, at.source, m->text.source_end, 1, &seg};
    struct agc_node *n = y->kind == AGC_Y_SCALAR ? agc_parse_term(m->lx->arena, m->lx->diags, &text) : NULL;
    struct agc_list *list = NULL;
    bool ok = n && (n->kind == AGC_VAR || (n->kind == AGC_REF && n->kid[0]->kind == AGC_VAR));
    for (uint32_t i = 0; ok && n->kind == AGC_REF && i < n->n; i++) {
        ok = i == 0 || n->kid[i]->kind == AGC_STRING;
        list = agc_build_list(m->lx, list, text_node(m, at, n->kid[i]->text));
    }
    if (ok && n->kind == AGC_VAR)
        list = agc_build_list(m->lx, list, text_node(m, at, n->text));
    if (!ok) {
        fail(m, at, "a schema annotation maps a reference such as input.x to one such as schema.x");
        return NULL;
    }
    return agc_build_many(m->lx, at, AGC_ARRAY, list);
}

static struct agc_node *
schema(struct meta *m, const struct agc_ynode *y)
{
    if (y->kind != AGC_Y_MAP || y->n != 2) {
        fail(m, place(m, y), "a schema annotation is one pair, as in `- input: schema.input`");
        return NULL;
    }
    struct agc_list *list = NULL;
    bool is_reference = y->kid[1]->kind == AGC_Y_SCALAR;
    put(m, &list, "path", path(m, y->kid[0]));
    put(m, &list, is_reference ? "schema" : "definition",
        is_reference ? path(m, y->kid[1]) : value(m, y->kid[1]));
    return agc_build_many(m->lx, place(m, y), AGC_OBJECT, list);
}

static struct agc_node *
each(struct meta *m, const struct agc_ynode *y,
     struct agc_node *(*one)(struct meta *, const struct agc_ynode *))
{
    if (y->kind != AGC_Y_SEQ) {
        fail(m, place(m, y), "a list is expected here");
        return NULL;
    }
    struct agc_list *list = NULL;
    for (uint32_t i = 0; i < y->n; i++)
        list = agc_build_list(m->lx, list, one(m, y->kid[i]));
    return list ? agc_build_many(m->lx, place(m, y), AGC_ARRAY, list) : NULL;
}

static struct agc_node *
only_text(struct meta *m, const struct agc_ynode *y)
{
    if (y->kind == AGC_Y_SCALAR)
        return text_node(m, place(m, y), y->text);
    fail(m, place(m, y), "a text is expected here");
    return NULL;
}

static struct agc_node *
only_map(struct meta *m, const struct agc_ynode *y)
{
    if (y->kind == AGC_Y_MAP)
        return y->n ? value(m, y) : NULL;
    fail(m, place(m, y), "a mapping is expected here");
    return NULL;
}

// What stands behind a block, and where.
static enum target
target_of(const struct agc_lexer *lx, uint32_t after, struct agc_def **ret)
{
    const struct agc_module *m = lx->module;
    enum target t = NOTHING;
    uint32_t best = UINT32_MAX;
    if (m->package_span.begin > after) {
        t = PACKAGE_NAME;
        best = m->package_span.begin;
    }
    for (uint32_t i = 0; i < m->nimports; i++)
        if (m->imports[i].span.begin > after && m->imports[i].span.begin < best) {
            t = IMPORT_LINE;
            best = m->imports[i].span.begin;
        }
    for (uint32_t i = 0; i < m->ndefs; i++)
        if (m->defs[i]->span.begin > after && m->defs[i]->span.begin < best) {
            t = RULE;
            best = m->defs[i]->span.begin;
            *ret = m->defs[i];
        }
    return t;
}

// The scope in words, after checking that it fits what stands behind the block. NULL after an error.
static const char *
scope_of(struct meta *m, const struct agc_ynode *given, enum target t, bool is_entrypoint)
{
    static const char *const words[] = {"rule", "document", "package", "subpackages"};
    const char *scope = t == PACKAGE_NAME ? "package" : is_entrypoint ? "document" : "rule";
    if (given) {
        scope = NULL;
        for (int i = 0; i < 4 && given->kind == AGC_Y_SCALAR; i++)
            if (ag_str_is(given->text, words[i]))
                scope = words[i];
        if (!scope) {
            fail(m, place(m, given), "a scope is rule, document, package or subpackages");
            return NULL;
        }
    }
    bool is_package = scope == words[2] || scope == words[3] || strcmp(scope, "package") == 0;
    if (t == NOTHING || t == IMPORT_LINE || is_package != (t == PACKAGE_NAME)) {
        fail(m, m->at,
             is_package && given ? "this annotation belongs before a package"
                                 : "this annotation belongs before a rule or a package");
        return NULL;
    }
    if (is_entrypoint && strcmp(scope, "document") != 0 && strcmp(scope, "package") != 0) {
        fail(m, m->at, "an entrypoint has the scope document or package");
        return NULL;
    }
    return scope;
}

static void
attach(struct meta *m, const struct agc_ynode *y, uint32_t after)
{
    static const struct {
        const char *key;
        struct agc_node *(*one)(struct meta *, const struct agc_ynode *);
        bool is_list;
    } fields[] = {
        {"title", only_text, false},        {"description", only_text, false},
        {"organizations", only_text, true}, {"related_resources", resource, true},
        {"authors", author, true},          {"schemas", schema, true},
        {"custom", only_map, false},        {"labels", only_map, false},
    };
    struct agc_def *def = NULL;
    enum target t = target_of(m->lx, after, &def);
    const struct agc_ynode *e = field(y, "entrypoint");
    bool is_entrypoint = e && agc_yaml_is_bool(e) && agc_yaml_bool(e);
    if (e && !agc_yaml_is_bool(e))
        fail(m, place(m, e), "`entrypoint` is true or false");
    const char *scope = scope_of(m, field(y, "scope"), t, is_entrypoint);
    if (!scope)
        return;
    struct agc_list *list = NULL;
    put(m, &list, "scope", text_node(m, m->at, ag_str_z(scope)));
    if (is_entrypoint)
        put(m, &list, "entrypoint", agc_build_leaf(m->lx, place(m, e), AGC_TRUE_LIT, AG_STR("")));
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        const struct agc_ynode *v = field(y, fields[i].key);
        if (v && !agc_yaml_is_null(v))
            put(m, &list, fields[i].key, fields[i].is_list ? each(m, v, fields[i].one) : fields[i].one(m, v));
    }
    struct agc_node *object = agc_build_many(m->lx, m->at, AGC_OBJECT, list);
    struct agc_node **to = def ? &def->annotations : &m->lx->module->annotations;
    struct agc_list *all = NULL;
    for (uint32_t i = 0; *to && i < (*to)->n; i++)
        all = agc_build_list(m->lx, all, (*to)->kid[i]);
    *to = agc_build_many(m->lx, m->at, AGC_ARRAY, agc_build_list(m->lx, all, object));
}

// Comments [from + 1, to) are the YAML under the header `from`.
static void
read_block(struct agc_lexer *lx, uint32_t from, uint32_t to)
{
    const struct agc_comment *c = lx->module->comments;
    struct meta *m = agc_alloc(lx->arena, sizeof *m);
    struct agc_diags local;
    m->lx = lx;
    m->at = c[from].span;
    join(m, from + 1, to);
    agc_diags_init(&local, lx->arena, &m->local);
    int ix = agc_source_add(lx->arena, &m->local, AG_STR("METADATA"), m->text.text);
    struct agc_ynode *y = to > from + 1 ? agc_yaml_tree(lx->arena, &m->local, (uint32_t)ix, &local) : NULL;
    if (local.n) {
        uint32_t last = (uint32_t)m->text.text.n - 1, begin = local.v[0].span.begin;
        begin = begin < last ? begin : last;
        struct agc_span at = agc_text_span(&m->text, begin, begin + 1);
        agc_token_fail(lx, AGC_D_BAD_METADATA, at, "the annotation is not YAML: %.*s", (int)local.v[0].text.n,
                       local.v[0].text.p);
    } else if (!y || y->kind != AGC_Y_MAP) {
        struct agc_diag *d = fail(m, m->at, "a METADATA comment is followed by lines of YAML");
        agc_diag_fix(lx->diags, d, "write for example `# title: what the rule says`");
    } else {
        attach(m, y, c[from].span.begin);
    }
}

void
agc_build_metadata(struct agc_lexer *lx)
{
    const struct agc_module *m = lx->module;
    for (uint32_t i = 0; i < m->ncomments;) {
        uint32_t to = agc_metadata_end(m, lx->text->text, i);
        if (to > i)
            read_block(lx, i, to);
        i = to > i ? to : i + 1;
    }
}
