// SPDX-License-Identifier: Apache-2.0
// yaml.unmarshal and yaml.is_valid: the first document of a YAML stream as a value. In: text. Out: a value.
// Collections in blocks by their columns, in flow by their marks; aliases share what they name. Memory: the
// call's arena. Next file to read: yaml_map.c, then yaml_scalar.c.
#include "yaml_read.h"

#include "utf8.h"

struct ag_value
ag_yaml_fail(struct ag_yaml *y, bool is_parser, const char *words)
{
    bool ends_line = y->at >= y->s.n && y->at > y->line_start;
    if (!y->failed) {
        y->words = words;
        y->error_line = is_parser ? y->line - !ends_line : y->line > 1 ? y->line : 0;
    }
    y->failed = true;
    return ag_undef();
}

struct ag_value
ag_yaml_refuse(struct ag_yaml *y, const char *words)
{
    ag_yaml_fail(y, false, words);
    y->error_line = y->words == words ? 0 : y->error_line;
    return ag_undef();
}

bool
ag_yaml_skip(struct ag_yaml *y, bool in_flow)
{
    bool crossed = false;
    for (;;) {
        char ch = ag_yaml_peek(y, 0);
        if (y->at >= y->s.n)
            return crossed;
        if (ch == ' ' || (ch == '\t' && (in_flow || !(crossed || y->at == y->line_start)))) {
            y->at++;
        } else if (ch == '\n' || ch == '\r') {
            ag_yaml_pass_break(y);
            crossed = true;
        } else if (ch == '#' && (y->at == y->line_start || ag_yaml_is_end(y->s.p[y->at - 1]))) {
            while (y->at < y->s.n && y->s.p[y->at] != '\n' && y->s.p[y->at] != '\r')
                y->at++;
        } else {
            return crossed;
        }
    }
}

bool
ag_yaml_at_mark(const struct ag_yaml *y, char mark)
{
    return y->at < y->s.n && y->s.p[y->at] == mark && ag_yaml_is_end(ag_yaml_peek(y, 1));
}

// --- anchors, aliases, tags
static bool
is_name(char ch)
{
    char low = (char)(ch | 0x20);
    return (low >= 'a' && low <= 'z') || (ch >= '0' && ch <= '9') || ch == '-' || ch == '_';
}

// The name after & or *.
static struct ag_str
read_name(struct ag_yaml *y)
{
    size_t from = ++y->at;
    while (y->at < y->s.n && is_name(y->s.p[y->at]))
        y->at++;
    char ch = ag_yaml_peek(y, 0);
    bool ends = ag_yaml_is_end(ch) || strchr("?:,]}%@`", ch);
    if (y->at == from || !ends)
        ag_yaml_fail(y, false, "did not find expected alphabetic or numeric character");
    return ag_str_of(y->s.p + from, y->at - from);
}

static void
read_tag(struct ag_yaml *y, struct ag_str *ret)
{
    size_t from = y->at;
    while (y->at < y->s.n && !ag_yaml_is_end(y->s.p[y->at]))
        y->at++;
    *ret = ag_str_of(y->s.p + from, y->at - from);
    static const char core[] = "!<tag:yaml.org,2002:";
    size_t n = sizeof core - 1;
    if (ret->n <= n || memcmp(ret->p, core, n) != 0 || ret->p[ret->n - 1] != '>')
        return;
    char *p = ag_call_alloc(y->c, ret->n, 1); // !<tag:yaml.org,2002:int> is !!int
    if (!p) {
        y->failed = true;
        return;
    }
    p[0] = p[1] = '!';
    memcpy(p + 2, ret->p + n, ret->n - n - 1);
    *ret = ag_str_of(p, ret->n - n + 1);
}

void
ag_yaml_properties(struct ag_yaml *y, struct ag_yaml_props *ret)
{
    ret->anchor = ret->tag = ag_str_of(NULL, 0);
    while (!y->failed && y->at < y->s.n) {
        char ch = y->s.p[y->at];
        if (ch == '&' && !ret->anchor.n)
            ret->anchor = read_name(y);
        else if (ch == '!' && !ret->tag.n)
            read_tag(y, &ret->tag);
        else
            return;
        while (ag_yaml_peek(y, 0) == ' ' || ag_yaml_peek(y, 0) == '\t')
            y->at++;
    }
}

void
ag_yaml_keep(struct ag_yaml *y, struct ag_str name, struct ag_value v, uint32_t nodes)
{
    struct ag_yaml_anchor *a = name.n && !y->failed ? ag_call_alloc(y->c, sizeof *a, 8) : NULL;
    if (a) {
        *a = (struct ag_yaml_anchor){name, v, nodes, y->anchors};
        y->anchors = a;
    } else if (name.n) {
        y->failed = true;
    }
}

struct ag_value
ag_yaml_alias(struct ag_yaml *y)
{
    struct ag_str name = read_name(y);
    if (y->failed)
        return ag_undef();
    for (const struct ag_yaml_anchor *a = y->anchors; a; a = a->next)
        if (ag_str_eq(a->name, name)) {
            y->nodes += a->nodes;
            y->aliased += a->nodes;
            if (y->aliased > AG_YAML_ALIASED_MAX)
                return ag_yaml_refuse(y, "document contains excessive aliasing");
            return a->v;
        }
    y->unknown = name;
    return ag_yaml_refuse(y, "unknown anchor");
}

// --- flow collections
static struct ag_value
flow_sequence(struct ag_yaml *y)
{
    struct ag_builder *b = ag_builder_new(&y->c->mem, AG_ARRAY);
    bool ok = b;
    y->at++;
    ag_yaml_skip(y, true);
    while (ok && !y->failed && ag_yaml_peek(y, 0) != ']') {
        struct ag_value v = ag_yaml_flow_entry(y);
        if (y->failed)
            return ag_undef();
        ok = ag_builder_push(&y->c->mem, b, v);
        ag_yaml_skip(y, true);
        if (ag_yaml_peek(y, 0) == ',')
            y->at++;
        else if (ag_yaml_peek(y, 0) != ']')
            return ag_yaml_fail(y, true, "did not find expected ',' or ']'");
        ag_yaml_skip(y, true);
    }
    y->at++;
    struct ag_value v = y->failed ? ag_undef() : ag_bi_close(y->c, b, ok);
    y->failed |= v.kind != AG_ARRAY;
    return v;
}

struct ag_value
ag_yaml_flow(struct ag_yaml *y)
{
    if (++y->depth > AG_YAML_DEPTH_MAX)
        return ag_yaml_refuse(y, "exceeded max depth");
    struct ag_value v = y->s.p[y->at] == '[' ? flow_sequence(y) : ag_yaml_flow_mapping(y);
    y->depth--;
    return v;
}

struct ag_value
ag_yaml_flow_node(struct ag_yaml *y)
{
    struct ag_yaml_props props;
    struct ag_value v;
    uint32_t nodes = y->nodes++;
    if (!ag_charge(y->c, 1)) {
        y->failed = true;
        return ag_undef();
    }
    ag_yaml_properties(y, &props);
    ag_yaml_skip(y, true);
    char ch = ag_yaml_peek(y, 0);
    if (y->failed)
        return ag_undef();
    if (ch == '*')
        return ag_yaml_alias(y);
    if (ch == '[' || ch == '{')
        v = ag_yaml_flow(y);
    else if (ch == '"' || ch == '\'')
        v = ag_yaml_scalar(y, ag_yaml_quoted(y), props.tag, AG_YAML_QUOTED);
    else if (y->at >= y->s.n || ch == ',' || ch == ']' || ch == '}' ||
             (ch == ':' && !ag_yaml_starts_plain(y, true)))
        v = ag_yaml_scalar(y, ag_bi_copy(y->c, AG_STR("")), props.tag, AG_YAML_PLAIN);
    else if (ag_yaml_starts_plain(y, true))
        v = ag_yaml_scalar(y, ag_yaml_plain(y, -1, true, false), props.tag, AG_YAML_PLAIN);
    else
        return ag_yaml_fail(y, false, "found character that cannot start any token");
    ag_yaml_keep(y, props.anchor, v, y->nodes - nodes);
    return v;
}

// --- blocks
static struct ag_value
block_sequence(struct ag_yaml *y, int column)
{
    struct ag_builder *b = ag_builder_new(&y->c->mem, AG_ARRAY);
    bool ok = b;
    if (++y->depth > AG_YAML_DEPTH_MAX)
        return ag_yaml_refuse(y, "exceeded max depth");
    while (ok && !y->failed && ag_yaml_column(y) == column && ag_yaml_at_mark(y, '-') &&
           !ag_yaml_at_marker(y)) {
        y->at++;
        struct ag_value v = ag_yaml_node(y, column, AG_YAML_IN_SEQUENCE);
        if (y->failed)
            return ag_undef();
        ok = ag_builder_push(&y->c->mem, b, v);
        ag_yaml_skip(y, false);
    }
    y->depth--;
    struct ag_value v = y->failed ? ag_undef() : ag_bi_close(y->c, b, ok);
    y->failed |= v.kind != AG_ARRAY;
    return v;
}

bool
ag_yaml_starts_plain(const struct ag_yaml *y, bool in_flow)
{
    char ch = ag_yaml_peek(y, 0), next = ag_yaml_peek(y, 1);
    if (y->at >= y->s.n)
        return false;
    if (ch == '-' || ((ch == '?' || ch == ':') && !in_flow))
        return !ag_yaml_is_end(next);
    if (ch == '?' || ch == ':')
        return !ag_yaml_is_end(next) && !strchr(",[]{}", next);
    return !strchr(",[]{}#&*!|>'\"%@`\t", ch);
}

// A node that is no collection in a block and no key; `indent` is that of the collection around.
static struct ag_value
leaf(struct ag_yaml *y, int indent, struct ag_str tag)
{
    char ch = ag_yaml_peek(y, 0);
    if (ch == '*')
        return ag_yaml_alias(y);
    if (ch == '[' || ch == '{')
        return ag_yaml_flow(y);
    if (ch == '"' || ch == '\'')
        return ag_yaml_scalar(y, ag_yaml_quoted(y), tag, AG_YAML_QUOTED);
    if (ch == '|' || ch == '>')
        return ag_yaml_scalar(y, ag_yaml_block(y, indent), tag, AG_YAML_QUOTED);
    if (ch == ']' || ch == '}' || ch == ',')
        return ag_yaml_fail(y, true, "did not find expected node content");
    if (ag_yaml_at_mark(y, '-'))
        return ag_yaml_fail(y, false, "block sequence entries are not allowed in this context");
    if (ag_yaml_at_mark(y, '?'))
        return ag_yaml_fail(y, false, "mapping keys are not allowed in this context");
    if (ag_yaml_at_mark(y, ':'))
        return ag_yaml_fail(y, false, "mapping values are not allowed in this context");
    if (!ag_yaml_starts_plain(y, false))
        return ag_yaml_fail(y, false, "found character that cannot start any token");
    return ag_yaml_scalar(y, ag_yaml_plain(y, indent, false, false), tag, AG_YAML_PLAIN);
}

// What stands at y->at, which is not empty. `free` tells whether a block may begin here.
static struct ag_value
content(struct ag_yaml *y, int indent, bool is_free, const struct ag_yaml_props *props, size_t begin)
{
    int column = (int)(begin - y->line_start);
    if (is_free && ag_yaml_at_mark(y, '-') && y->at == begin)
        return block_sequence(y, column);
    if (is_free && begin >= y->line_start && ag_yaml_is_key(y))
        return ag_yaml_block_mapping(y, column, begin);
    if (y->failed)
        return ag_undef();
    struct ag_value v = leaf(y, indent, props->tag);
    while (ag_yaml_peek(y, 0) == ' ' || ag_yaml_peek(y, 0) == '\t')
        y->at++;
    if (!y->failed && ag_yaml_at_mark(y, ':'))
        return ag_yaml_fail(y, false, "mapping values are not allowed in this context");
    return v;
}

struct ag_value
ag_yaml_node(struct ag_yaml *y, int indent, enum ag_yaml_place place)
{
    struct ag_yaml_props props;
    uint32_t nodes = y->nodes++;
    if (!ag_charge(y->c, 1)) {
        y->failed = true;
        return ag_undef();
    }
    bool crossed = ag_yaml_skip(y, false), is_free = crossed || place != AG_YAML_AFTER_KEY;
    size_t begin = y->at, line = y->line;
    bool is_list = place == AG_YAML_AFTER_KEY && ag_yaml_at_mark(y, '-') && ag_yaml_column(y) == indent;
    bool is_empty = y->at >= y->s.n || ag_yaml_at_marker(y) ||
                    ((crossed || y->at == y->line_start) && ag_yaml_column(y) <= indent && !is_list);
    if (is_empty)
        return ag_null();
    ag_yaml_properties(y, &props);
    if (props.anchor.n || props.tag.n) {
        size_t at = y->at;
        struct ag_yaml before = *y;
        crossed = ag_yaml_skip(y, false);
        is_list = place == AG_YAML_AFTER_KEY && ag_yaml_at_mark(y, '-') && ag_yaml_column(y) == indent;
        if (y->at >= y->s.n || ag_yaml_at_marker(y) || (crossed && ag_yaml_column(y) <= indent && !is_list)) {
            y->at = at, y->line = before.line, y->line_start = before.line_start;
            struct ag_value v = ag_yaml_scalar(y, ag_bi_copy(y->c, AG_STR("")), props.tag, AG_YAML_PLAIN);
            ag_yaml_keep(y, props.anchor, v, 1);
            return v;
        }
        if (crossed) {
            begin = y->at;
            is_free = true;
        } else if (is_free && y->line == line && ag_yaml_is_key(y)) {
            return ag_yaml_block_mapping(y, (int)(begin - y->line_start), begin); // they are the key's
        }
    }
    struct ag_value v = y->failed ? ag_undef() : content(y, indent, is_free, &props, begin);
    ag_yaml_keep(y, props.anchor, v, y->nodes - nodes);
    return v;
}

// --- documents
static bool
has_controls(struct ag_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        uint8_t ch = (uint8_t)s.p[i];
        if ((ch < 0x20 && ch != '\t' && ch != '\n' && ch != '\r') || ch == 0x7f)
            return true;
    }
    return false;
}

static struct ag_value
document(struct ag_yaml *y)
{
    if (has_controls(y->s))
        return ag_yaml_refuse(y, "control characters are not allowed");
    if (y->s.n >= 3 && memcmp(y->s.p, "\xef\xbb\xbf", 3) == 0)
        y->at = y->line_start = 3;
    bool has_directive = false;
    for (ag_yaml_skip(y, false); ag_yaml_column(y) == 0 && ag_yaml_peek(y, 0) == '%';
         ag_yaml_skip(y, false)) {
        has_directive = true;
        while (y->at < y->s.n && y->s.p[y->at] != '\n')
            y->at++;
    }
    bool has_start = ag_yaml_at_marker(y) && y->s.p[y->at] == '-';
    if (has_directive && !has_start)
        return ag_yaml_fail(y, true, "did not find expected <document start>");
    if (has_start)
        y->at += 3;
    struct ag_value v = ag_yaml_node(y, -1, has_start ? AG_YAML_AFTER_KEY : AG_YAML_IN_SEQUENCE);
    ag_yaml_skip(y, false);
    if (!y->failed && y->at < y->s.n && !ag_yaml_at_marker(y))
        return ag_yaml_fail(y, true, "did not find expected <document start>");
    return v;
}

static struct ag_value
read(struct ag_call *c, struct ag_value text, struct ag_yaml *y)
{
    *y = (struct ag_yaml){.c = c, .s = ag_value_str(text), .line = 1};
    return ag_charge_bytes(c, (uint64_t)text.len * 2) ? document(y) : ag_undef();
}

static struct ag_value
error_of(const struct ag_yaml *y)
{
    bool is_json = strncmp(y->words, "json: ", 6) == 0;
    if (y->unknown.n)
        return ag_error(y->c, AG_VERR_BUILTIN, "yaml: unknown anchor '%.*s' referenced",
                        (int)(y->unknown.n < 64 ? y->unknown.n : 64), y->unknown.p);
    if (y->error_line)
        return ag_error(y->c, AG_VERR_BUILTIN, "yaml: line %zu: %s", y->error_line, y->words);
    return ag_error(y->c, AG_VERR_BUILTIN, "%s%s", is_json ? "" : "yaml: ", y->words);
}

struct ag_value
ag_bi_yaml_unmarshal(struct ag_call *c, const struct ag_value *a)
{
    struct ag_yaml y;
    struct ag_value v = read(c, a[0], &y);
    if (c->stop != AG_EVAL_OK)
        return ag_undef();
    return y.failed ? y.words ? error_of(&y) : ag_bi_error() : v;
}

struct ag_value
ag_bi_yaml_is_valid(struct ag_call *c, const struct ag_value *a)
{
    struct ag_yaml y;
    if (a[0].kind != AG_STRING)
        return ag_bool(false);
    size_t mark = ag_arena_mark(c->mem.arena);
    read(c, a[0], &y);
    ag_arena_reset(c->mem.arena, mark);
    return c->stop == AG_EVAL_OK ? ag_bool(!y.failed) : ag_undef();
}
