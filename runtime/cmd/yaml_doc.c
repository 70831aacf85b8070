// SPDX-License-Identifier: Apache-2.0
// Reads YAML with libyaml and writes pieces of it as JSON. In: a path. Out: documents, JSON text.
// Next file to read: test.c.
#include "yaml_doc.h"

#include "cmd.h"

#include <stdlib.h>

static bool
has_duplicate(yaml_document_t *d, const yaml_node_t *map, const char *path)
{
    for (const yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top; p++) {
        const char *key = agr_yaml_text(yaml_document_get_node(d, p->key));
        if (!key) {
            agr_die(0, "%s:%zu: a key must be a text", path, map->start_mark.line + 1);
            return true;
        }
        for (const yaml_node_pair_t *q = map->data.mapping.pairs.start; q < p; q++)
            if (strcmp(key, agr_yaml_text(yaml_document_get_node(d, q->key))) == 0) {
                agr_die(0, "%s:%zu: key \"%s\" is given twice", path,
                        yaml_document_get_node(d, p->key)->start_mark.line + 1, key);
                return true;
            }
    }
    return false;
}

static bool
has_duplicates(yaml_document_t *d, const char *path)
{
    for (const yaml_node_t *n = d->nodes.start; n < d->nodes.top; n++)
        if (n->type == YAML_MAPPING_NODE && has_duplicate(d, n, path))
            return true;
    return false;
}

bool
agr_yaml_load(const char *path, yaml_document_t *ret)
{
    size_t n;
    yaml_parser_t parser;
    char *text = agr_read_file(path, AGR_YAML_MAX, &n);
    if (!text || !yaml_parser_initialize(&parser)) {
        free(text);
        return false;
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, n);
    bool ok = yaml_parser_load(&parser, ret);
    if (!ok) {
        agr_die(0, "%s:%zu:%zu: %s", path, parser.problem_mark.line + 1, parser.problem_mark.column + 1,
                parser.problem ? parser.problem : "not YAML");
    } else if (!yaml_document_get_root_node(ret)) {
        agr_die(0, "%s: the file is empty", path);
        ok = false;
    } else {
        ok = !has_duplicates(ret, path);
    }
    if (!ok && !parser.error)
        yaml_document_delete(ret);
    yaml_parser_delete(&parser);
    free(text);
    return ok;
}

yaml_node_t *
agr_yaml_get(yaml_document_t *d, const yaml_node_t *map, const char *key)
{
    if (!map || map->type != YAML_MAPPING_NODE)
        return NULL;
    for (const yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top; p++)
        if (strcmp(agr_yaml_text(yaml_document_get_node(d, p->key)), key) == 0)
            return yaml_document_get_node(d, p->value);
    return NULL;
}

const char *
agr_yaml_text(const yaml_node_t *n)
{
    return n && n->type == YAML_SCALAR_NODE ? (const char *)n->data.scalar.value : NULL;
}

const char *
agr_yaml_unknown(yaml_document_t *d, const yaml_node_t *map, const char *const *allowed, size_t *ret_line)
{
    for (const yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top; p++) {
        const yaml_node_t *key = yaml_document_get_node(d, p->key);
        bool is_known = false;
        for (const char *const *a = allowed; *a && !is_known; a++)
            is_known = strcmp(*a, agr_yaml_text(key)) == 0;
        if (!is_known) {
            *ret_line = key->start_mark.line + 1;
            return agr_yaml_text(key);
        }
    }
    return NULL;
}

static const char *
digits(const char *s)
{
    while (*s >= '0' && *s <= '9')
        s++;
    return s;
}

// The number grammar of RFC 8259.
static bool
is_number(const char *s)
{
    if (*s == '-')
        s++;
    const char *end = digits(s);
    if (end == s || (*s == '0' && end != s + 1))
        return false;
    if (*end == '.') {
        s = end + 1;
        end = digits(s);
        if (end == s)
            return false;
    }
    if (*end == 'e' || *end == 'E') {
        s = end + 1;
        s += *s == '+' || *s == '-';
        end = digits(s);
        if (end == s)
            return false;
    }
    return *end == 0;
}

static void
write_scalar(const yaml_node_t *n, struct ag_buf *b)
{
    struct ag_str s = ag_str_of((const char *)n->data.scalar.value, n->data.scalar.length);
    bool is_plain = n->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (is_plain && (s.n == 0 || ag_str_is(s, "~")))
        ag_buf_lit(b, "null");
    else if (is_plain && (ag_str_is(s, "null") || ag_str_is(s, "true") || ag_str_is(s, "false") ||
                          (strlen(s.p) == s.n && is_number(s.p))))
        ag_buf_str(b, s);
    else
        ag_buf_json_str(b, s);
}

static bool
write_value(yaml_document_t *d, const yaml_node_t *n, struct ag_buf *b, unsigned depth)
{
    if (b->is_full)
        return false;
    if (n->type == YAML_SCALAR_NODE) {
        write_scalar(n, b);
        return true;
    }
    if (n->type == YAML_SEQUENCE_NODE) {
        ag_buf_char(b, '[');
        for (const yaml_node_item_t *i = n->data.sequence.items.start; i < n->data.sequence.items.top; i++) {
            if (i > n->data.sequence.items.start)
                ag_buf_char(b, ',');
            if (depth == AGR_YAML_DEPTH_MAX || !write_value(d, yaml_document_get_node(d, *i), b, depth + 1))
                return false;
        }
        ag_buf_char(b, ']');
        return true;
    }
    ag_buf_char(b, '{');
    for (const yaml_node_pair_t *p = n->data.mapping.pairs.start; p < n->data.mapping.pairs.top; p++) {
        if (p > n->data.mapping.pairs.start)
            ag_buf_char(b, ',');
        ag_buf_json_str(b, ag_str_z(agr_yaml_text(yaml_document_get_node(d, p->key))));
        ag_buf_char(b, ':');
        if (depth == AGR_YAML_DEPTH_MAX || !write_value(d, yaml_document_get_node(d, p->value), b, depth + 1))
            return false;
    }
    ag_buf_char(b, '}');
    return true;
}

bool
agr_yaml_json(yaml_document_t *d, const yaml_node_t *n, struct ag_buf *b)
{
    return write_value(d, n, b, 0) && !b->is_full;
}
