// SPDX-License-Identifier: Apache-2.0
// Mappings of YAML. In: the reader. Out: objects with text keys: 1 is "1", yes is "true"; of equal keys the
// last counts; "<<" merges. Memory: the call's arena. Next file to read: yaml_scalar.c.
#include "yaml_read.h"

#include "number.h"

struct entry {
    struct ag_value key, v;
    struct entry *next;
};

// The entries of a mapping in the order in which they are set.
struct entries {
    struct entry *first, **end;
    uint32_t n;
};

static void
add(struct ag_yaml *y, struct entries *to, struct ag_value key, struct ag_value v)
{
    struct entry *e = y->failed || !ag_charge(y->c, 1) ? NULL : ag_call_alloc(y->c, sizeof *e, 8);
    if (!e) {
        y->failed = true;
        return;
    }
    *e = (struct entry){key, v, NULL};
    *to->end = e;
    to->end = &e->next;
    to->n++;
}

// A key as JSON has it.
static struct ag_value
text_key(struct ag_yaml *y, struct ag_value key)
{
    struct ag_buf out;
    if (y->failed || key.kind == AG_STRING)
        return key;
    if (key.kind >= AG_ARRAY)
        return ag_yaml_refuse(y, "invalid map key");
    if (key.kind == AG_NULL)
        return ag_yaml_refuse(y, "unsupported map key of type null");
    if (key.kind == AG_BOOL)
        return ag_bi_copy(y->c, key.i ? AG_STR("true") : AG_STR("false"));
    if (!ag_bi_begin(y->c, &out)) {
        y->failed = true;
        return ag_undef();
    }
    ag_num_put(&out, ag_number_view(key));
    key = ag_bi_end(y->c, &out, true);
    y->failed |= key.kind != AG_STRING;
    return key;
}

static void
merge_one(struct ag_yaml *y, struct entries *to, struct ag_value v)
{
    if (v.kind != AG_OBJECT) {
        ag_yaml_refuse(y, "map merge requires map or sequence of maps as the value");
        return;
    }
    for (uint32_t i = 0; i < v.len && !y->failed; i++)
        add(y, to, ag_object_key(&y->c->mem, v, i), ag_value_at(&y->c->mem, v, i));
}

// The value of "<<": a mapping, or several of which earlier ones win.
static void
merge(struct ag_yaml *y, struct entries *to, struct ag_value v)
{
    if (v.kind != AG_ARRAY) {
        merge_one(y, to, v);
        return;
    }
    for (uint32_t i = v.len; i > 0 && !y->failed; i--)
        merge_one(y, to, ag_value_at(&y->c->mem, v, i - 1));
}

// Sorts by key, equal ones in their order.
static struct entry *
sorted(struct entry *list, uint32_t n)
{
    struct entry *half = list, *result = NULL, **end = &result;
    if (n < 2)
        return list;
    for (uint32_t i = 1; i < n / 2; i++)
        half = half->next;
    struct entry *rest = half->next;
    half->next = NULL;
    list = sorted(list, n / 2);
    rest = sorted(rest, n - n / 2);
    while (list && rest) {
        struct entry **least =
            ag_str_cmp(ag_value_str(list->key), ag_value_str(rest->key)) <= 0 ? &list : &rest;
        *end = *least;
        end = &(*least)->next;
        *least = (*least)->next;
    }
    *end = list ? list : rest;
    return result;
}

static struct ag_value
object_of(struct ag_yaml *y, struct entries *all)
{
    if (y->failed)
        return ag_undef();
    struct ag_builder *b = ag_builder_new(&y->c->mem, AG_OBJECT);
    bool ok = b;
    for (struct entry *e = sorted(all->first, all->n); ok && e; e = e->next) {
        bool is_last = !e->next || !ag_str_eq(ag_value_str(e->key), ag_value_str(e->next->key));
        ok = !is_last || ag_builder_put(&y->c->mem, b, e->key, e->v);
    }
    struct ag_value v = ag_bi_close(y->c, b, ok);
    y->failed |= v.kind != AG_OBJECT;
    return v;
}

// Whether the key at y->at is "<<" without quotes.
static bool
at_merge(const struct ag_yaml *y)
{
    return ag_yaml_peek(y, 0) == '<' && ag_yaml_peek(y, 1) == '<' &&
           (ag_yaml_is_end(ag_yaml_peek(y, 2)) || ag_yaml_peek(y, 2) == ':');
}

static void
set(struct ag_yaml *y, struct entries *to, bool is_merge, struct ag_value key, struct ag_value v)
{
    if (y->failed)
        return;
    if (is_merge)
        merge(y, to, v);
    else
        add(y, to, text_key(y, key), v);
}

// --- flow
// What may follow a key: ":" or nothing, which is null.
static struct ag_value
flow_value(struct ag_yaml *y)
{
    ag_yaml_skip(y, true);
    if (y->failed || ag_yaml_peek(y, 0) != ':')
        return ag_null();
    y->at++;
    ag_yaml_skip(y, true);
    return ag_yaml_flow_node(y);
}

struct ag_value
ag_yaml_flow_mapping(struct ag_yaml *y)
{
    struct entries all = {.end = &all.first};
    y->at++;
    ag_yaml_skip(y, true);
    while (!y->failed && ag_yaml_peek(y, 0) != '}') {
        if (ag_yaml_peek(y, 0) == ',')
            return ag_yaml_fail(y, true, "did not find expected node content");
        if (ag_yaml_at_mark(y, '?')) {
            y->at++;
            ag_yaml_skip(y, true);
        }
        bool is_merge = at_merge(y);
        struct ag_value key = ag_yaml_flow_node(y), v = flow_value(y);
        set(y, &all, is_merge, key, v);
        ag_yaml_skip(y, true);
        if (y->failed)
            return ag_undef();
        if (ag_yaml_peek(y, 0) == ',')
            y->at++;
        else if (ag_yaml_peek(y, 0) != '}')
            return ag_yaml_fail(y, true, "did not find expected ',' or '}'");
        ag_yaml_skip(y, true);
    }
    y->at++;
    return object_of(y, &all);
}

struct ag_value
ag_yaml_flow_entry(struct ag_yaml *y)
{
    struct entries all = {.end = &all.first};
    bool is_explicit = ag_yaml_at_mark(y, '?'), is_merge;
    if (ag_yaml_peek(y, 0) == ',')
        return ag_yaml_fail(y, true, "did not find expected node content");
    if (is_explicit) {
        y->at++;
        ag_yaml_skip(y, true);
    }
    is_merge = at_merge(y);
    size_t line = y->line;
    struct ag_value key = ag_yaml_flow_node(y);
    ag_yaml_skip(y, true);
    if (y->failed || (!is_explicit && (ag_yaml_peek(y, 0) != ':' || y->line != line)))
        return key;
    struct ag_value v = flow_value(y);
    set(y, &all, is_merge, key, v);
    return object_of(y, &all);
}

// --- blocks
// Passes a quoted text or a flow collection on one line, without reading it. False: it does not end there.
static bool
pass_quoted(struct ag_yaml *y)
{
    char quote = y->s.p[y->at++];
    for (; y->at < y->s.n && y->s.p[y->at] != '\n' && y->s.p[y->at] != '\r'; y->at++) {
        if (y->s.p[y->at] == '\\' && quote == '"')
            y->at++;
        else if (y->s.p[y->at] == quote && (quote == '"' || ag_yaml_peek(y, 1) != quote)) {
            y->at++;
            return true;
        } else if (y->s.p[y->at] == quote) {
            y->at++;
        }
    }
    return false;
}

static bool
pass_flow(struct ag_yaml *y)
{
    unsigned depth = 0;
    while (y->at < y->s.n && y->s.p[y->at] != '\n' && y->s.p[y->at] != '\r') {
        char ch = y->s.p[y->at], before = y->s.p[y->at - (depth > 0)];
        bool starts = strchr(",[{ :", before);
        if ((ch == '"' || ch == '\'') && starts) {
            if (!pass_quoted(y))
                return false;
            continue;
        }
        depth += ch == '[' || ch == '{';
        depth -= ch == ']' || ch == '}';
        y->at++;
        if (!depth)
            return true;
    }
    return false;
}

static void
pass_plain(struct ag_yaml *y)
{
    for (; y->at < y->s.n && y->s.p[y->at] != '\n' && y->s.p[y->at] != '\r'; y->at++) {
        bool is_comment = y->s.p[y->at] == '#' && ag_yaml_is_end(y->s.p[y->at - 1]);
        if (ag_yaml_at_mark(y, ':') || is_comment)
            return;
    }
}

bool
ag_yaml_is_key(struct ag_yaml *y)
{
    struct ag_yaml scan = *y;
    struct ag_yaml_props props;
    bool ok = true;
    if (ag_yaml_at_mark(y, '?') || ag_yaml_at_mark(y, ':'))
        return true;
    ag_yaml_properties(&scan, &props);
    char ch = ag_yaml_peek(&scan, 0);
    if (scan.failed || !ag_charge_bytes(y->c, 64))
        return false;
    if (ch == '"' || ch == '\'')
        ok = pass_quoted(&scan);
    else if (ch == '[' || ch == '{')
        ok = pass_flow(&scan);
    else if (ch == '*')
        while (scan.at < scan.s.n && !ag_yaml_is_end(scan.s.p[scan.at]) && !ag_yaml_at_mark(&scan, ':'))
            scan.at++;
    else if (ag_yaml_starts_plain(&scan, false))
        pass_plain(&scan);
    else
        return ag_yaml_at_mark(&scan, ':');
    while (ok && (ag_yaml_peek(&scan, 0) == ' ' || ag_yaml_peek(&scan, 0) == '\t'))
        scan.at++;
    return ok && scan.at < scan.s.n && ag_yaml_at_mark(&scan, ':') && scan.at - y->at <= 1024;
}

// A key on one line.
static struct ag_value
implicit_key(struct ag_yaml *y)
{
    struct ag_yaml_props props;
    struct ag_value v;
    ag_yaml_properties(y, &props);
    char ch = ag_yaml_peek(y, 0);
    if (y->failed)
        return ag_undef();
    if (ch == '*')
        v = ag_yaml_alias(y);
    else if (ch == '[' || ch == '{')
        v = ag_yaml_flow(y);
    else if (ch == '"' || ch == '\'')
        v = ag_yaml_scalar(y, ag_yaml_quoted(y), props.tag, AG_YAML_QUOTED);
    else if (ag_yaml_at_mark(y, ':'))
        v = ag_null();
    else
        v = ag_yaml_scalar(y, ag_yaml_plain(y, -1, false, true), props.tag, AG_YAML_PLAIN);
    ag_yaml_keep(y, props.anchor, v, 1);
    while (ag_yaml_peek(y, 0) == ' ' || ag_yaml_peek(y, 0) == '\t')
        y->at++;
    return v;
}

// "? key" and, on a line of its own in the same column, ": value".
static void
explicit_entry(struct ag_yaml *y, struct entries *to, int column)
{
    y->at++;
    struct ag_value v = ag_null(), key = ag_yaml_node(y, column, AG_YAML_IN_SEQUENCE);
    ag_yaml_skip(y, false);
    if (!y->failed && ag_yaml_column(y) == column && ag_yaml_at_mark(y, ':')) {
        y->at++;
        v = ag_yaml_node(y, column, AG_YAML_IN_SEQUENCE);
    }
    set(y, to, false, key, v);
}

struct ag_value
ag_yaml_block_mapping(struct ag_yaml *y, int column, size_t begin)
{
    struct entries all = {.end = &all.first};
    if (++y->depth > AG_YAML_DEPTH_MAX)
        return ag_yaml_refuse(y, "exceeded max depth");
    y->at = begin;
    while (!y->failed && y->at < y->s.n && ag_yaml_column(y) == column && !ag_yaml_at_marker(y)) {
        if (ag_yaml_at_mark(y, '?')) {
            explicit_entry(y, &all, column);
        } else if (ag_yaml_is_key(y)) {
            bool is_merge = at_merge(y);
            struct ag_value key = implicit_key(y);
            y->at += !y->failed;
            struct ag_value v = y->failed ? ag_undef() : ag_yaml_node(y, column, AG_YAML_AFTER_KEY);
            set(y, &all, is_merge, key, v);
        } else if (ag_yaml_at_mark(y, '-')) {
            return ag_yaml_fail(y, true, "did not find expected key");
        } else {
            return y->c->stop == AG_EVAL_OK ? ag_yaml_fail(y, false, "could not find expected ':'")
                                            : (y->failed = true, ag_undef());
        }
        ag_yaml_skip(y, false);
        if (!y->failed && y->at < y->s.n && ag_yaml_column(y) > column)
            return ag_yaml_fail(y, true, "did not find expected key");
    }
    y->depth--;
    return object_of(y, &all);
}
