// SPDX-License-Identifier: Apache-2.0
// What the files of the YAML built-ins share: the reader of one document and the meaning of plain scalars.
// In: text. Out: values as JSON has them (YAML 1.1 as Go's yaml.v2 reads it: yes and on are booleans, 017 is
// octal, of equal keys the last counts). Who owns memory: the call's arena. Next file to read: yaml_read.c.
// Thread rule: as struct ag_call.
#ifndef AG_YAML_H
#define AG_YAML_H

#include "machine.h"
#include "builtin_fns.h"

#define AG_YAML_DEPTH_MAX   64u     // collections in one another
#define AG_YAML_ALIASED_MAX 100000u // values that aliases may stand for in one document

struct ag_yaml_anchor {
    struct ag_str name;
    struct ag_value v;
    uint32_t nodes; // values in it
    struct ag_yaml_anchor *next;
};

struct ag_yaml {
    struct ag_call *c;
    struct ag_str s;
    size_t at;
    size_t line_start; // of the line that `at` is in
    size_t line;       // from 1
    unsigned depth;
    uint32_t nodes;   // values read
    uint32_t aliased; // values that aliases stood for
    bool failed;
    const char *words;     // what went wrong; NULL when the evaluation ends
    size_t error_line;     // 0: none is named
    struct ag_str unknown; // the alias that names nothing
    struct ag_yaml_anchor *anchors;
};

enum ag_yaml_style { AG_YAML_PLAIN, AG_YAML_QUOTED };

// Keeps the first failure with the line that Go names: the parser counts from 0 and the scanner from 1, and
// neither names the first. It becomes an error value when reading has ended, since a scalar that is being
// made holds the free memory. Returns undefined.
struct ag_value ag_yaml_fail(struct ag_yaml *y, bool is_parser, const char *words);
// The same for what is no syntax: without a line.
struct ag_value ag_yaml_refuse(struct ag_yaml *y, const char *words);

// --- yaml_scalar.c: scalars at y->at; the text is a string value. `indent` is that of the collection around.
struct ag_value ag_yaml_quoted(struct ag_yaml *y);
struct ag_value ag_yaml_plain(struct ag_yaml *y, int indent, bool in_flow, bool one_line);
struct ag_value ag_yaml_block(struct ag_yaml *y, int indent);
// Whether "---" or "..." stands at y->at, which begins a line.
bool ag_yaml_at_marker(const struct ag_yaml *y);
static inline int
ag_yaml_column(const struct ag_yaml *y)
{
    return (int)(y->at - y->line_start);
}
static inline char
ag_yaml_peek(const struct ag_yaml *y, size_t ahead)
{
    return y->s.n - y->at > ahead ? y->s.p[y->at + ahead] : '\0';
}
// Passes a line break (\n, \r or both).
void ag_yaml_pass_break(struct ag_yaml *y);
static inline bool
ag_yaml_is_end(char ch)
{
    return ch == ' ' || ch == '\t' || ch == '\n' || ch == '\r' || ch == '\0';
}

// --- yaml_resolve.c
enum ag_yaml_kind {
    AG_YAML_TEXT,
    AG_YAML_NULL,
    AG_YAML_BOOL,
    AG_YAML_NUMBER,
    AG_YAML_INFINITE,
    AG_YAML_TIME
};
// What a plain scalar means; BOOL and NUMBER give *ret.
enum ag_yaml_kind ag_yaml_resolve(struct ag_call *c, struct ag_str s, struct ag_value *ret);
// The value of a scalar with its tag ("" for none, "!!str" ...).
struct ag_value ag_yaml_tagged(struct ag_yaml *y, struct ag_value text, struct ag_str tag,
                               enum ag_yaml_style style);

#endif
