// SPDX-License-Identifier: Apache-2.0
// What the files of the YAML front end call in each other. Thread rule: one compilation, one thread.
#ifndef AGC_YAML_PARTS_H
#define AGC_YAML_PARTS_H

#include "yaml_check.h"

// yaml.c: the globs of a `match:` mapping; `*` is left out.
void agc_yaml_match(struct agc_reader *r, const struct agc_ynode *n, struct agc_str_at match[AG_ATTRS]);
// yaml.c: a value as a term.
struct agc_node *agc_yaml_value(struct agc_reader *r, const struct agc_ynode *v);
// yaml_limits.c: appends the limits of a file.
void agc_yaml_limits(struct agc_reader *r, const struct agc_ynode *list);
// yaml_gates.c: `gates:` or `parameters:` of the first file.
void agc_yaml_gates(struct agc_reader *r, const struct agc_ymap *root);
// yaml_gates.c: the mask of a rule's `gates:` list.
uint32_t agc_yaml_gate_list(struct agc_reader *r, const struct agc_ynode *list);
// yaml_gates.c: every gate that a rule names is configured.
void agc_yaml_check_gates(struct agc_reader *r);

#endif
