// SPDX-License-Identifier: Apache-2.0
// What the two files of the YAML reader share. In: the reader. Out: values; after a failure (y->failed)
// undefined. Next file to read: yaml_read.c. Thread rule: as struct ag_call.
#ifndef AG_YAML_READ_H
#define AG_YAML_READ_H

#include "yaml.h"

struct ag_yaml_props {
    struct ag_str anchor, tag;
};

// Where a node of a block stands: behind "key: " no block may begin on the same line, and a sequence may
// stand in the column of the mapping.
enum ag_yaml_place { AG_YAML_IN_SEQUENCE, AG_YAML_AFTER_KEY };

// Passes blanks, breaks and comments; true when a line ended.
bool ag_yaml_skip(struct ag_yaml *y, bool in_flow);
// Whether `mark` stands here with a blank, a break or the end behind it.
bool ag_yaml_at_mark(const struct ag_yaml *y, char mark);
bool ag_yaml_starts_plain(const struct ag_yaml *y, bool in_flow);
// An anchor and a tag, in any order, with the blanks behind them.
void ag_yaml_properties(struct ag_yaml *y, struct ag_yaml_props *ret);
// Keeps v under an anchor's name, if there is one.
void ag_yaml_keep(struct ag_yaml *y, struct ag_str name, struct ag_value v, uint32_t nodes);
struct ag_value ag_yaml_alias(struct ag_yaml *y);
struct ag_value ag_yaml_flow(struct ag_yaml *y);      // at [ or {
struct ag_value ag_yaml_flow_node(struct ag_yaml *y); // empty is null
// A node behind an indicator, in a collection whose column is `indent`.
struct ag_value ag_yaml_node(struct ag_yaml *y, int indent, enum ag_yaml_place place);
// The value of a scalar's text; undefined stays.
static inline struct ag_value
ag_yaml_scalar(struct ag_yaml *y, struct ag_value text, struct ag_str tag, enum ag_yaml_style style)
{
    struct ag_value v =
        y->failed || text.kind != AG_STRING ? ag_undef() : ag_yaml_tagged(y, text, tag, style);
    y->failed |= v.kind <= AG_ERROR;
    return v;
}

// --- yaml_map.c: mappings
struct ag_value ag_yaml_flow_mapping(struct ag_yaml *y); // at {
struct ag_value ag_yaml_flow_entry(struct ag_yaml *y);   // of a sequence: a node, or a pair
// Whether what stands at y->at is a key: "? ", or one line of a node with ": " behind it. Nothing is read.
bool ag_yaml_is_key(struct ag_yaml *y);
// A mapping in a block whose first key begins at `begin`.
struct ag_value ag_yaml_block_mapping(struct ag_yaml *y, int column, size_t begin);

#endif
