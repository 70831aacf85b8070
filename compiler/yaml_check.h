// SPDX-License-Identifier: Apache-2.0
// Mappings against the schema: which keys a mapping has, and that each value has the type and range of its
// row in grammar/yaml_schema.def. In: struct agc_ynode. Out: the values by key, plus diagnostics. Memory:
// borrows the tree. Thread rule: one compilation, one thread. Next file to read: yaml.c.
#ifndef AGC_YAML_CHECK_H
#define AGC_YAML_CHECK_H

#include "gates/gates.h"
#include "yaml_read.h"

enum agc_yscope {
#define SCOPE(NAME, path) AGC_YS_##NAME,
#include "../grammar/yaml_schema.def"
    AGC_YS_COUNT
};

enum agc_ykey {
#define KEY(SCOPE_, key, TYPE, range, def, help) AGC_YK_##SCOPE_##_##key,
#include "../grammar/yaml_schema.def"
    AGC_YK_COUNT
};

// Types of values. From AGC_YT_WORDS on: one closed set of words each.
enum agc_ytype {
    AGC_YT_ANY,
    AGC_YT_MAP,
    AGC_YT_LIST,
    AGC_YT_NAME,  // non-empty string of at most AGC_NAME_MAX bytes
    AGC_YT_GLOB,  // string
    AGC_YT_TIME,  // "HH:MM"
    AGC_YT_HOURS, // "HH:MM-HH:MM"
    AGC_YT_ZONE,
    AGC_YT_WEEKDAYS,
    AGC_YT_PARAMS, // mapping of parameter names
    AGC_YT_WHEN,
    AGC_YT_RATE,
    AGC_YT_DURATION,
    AGC_YT_URL,
    AGC_YT_VERSION,
    AGC_YT_INT,
    AGC_YT_NUM,
    AGC_YT_BOOL,
    AGC_YT_REFUSED,
    AGC_YT_WORDS,
    AGC_YT_RISK = AGC_YT_WORDS,
    AGC_YT_APPROVAL,
    AGC_YT_DECISION,
    AGC_YT_ON_EXCEED,
    AGC_YT_COMBINE,
    AGC_YT_AUDIT_LEVEL,
    AGC_YT_AUDIT_SIGN,
    AGC_YT_AUDIT_INPUT,
    AGC_YT_DELTA_MODE,
    AGC_YT_DIRECTION,
    AGC_YT_ON_FAIL,
    AGC_YT_APPLY,
    AGC_YT_KEY_FIELD,
    AGC_YT_GATE,
    AGC_YT_CHARGE
};

struct agc_ymap {
    const struct agc_ynode *at[AGC_YK_COUNT];  // value; NULL when absent or wrong (then a diagnostic exists)
    const struct agc_ynode *key[AGC_YK_COUNT]; // the key, also when the value is wrong
};

// Reads a mapping. False (with a diagnostic) when the node is not a mapping; wrong keys and values only leave
// holes.
bool agc_yaml_map(struct agc_reader *r, const struct agc_ynode *n, enum agc_yscope scope,
                  struct agc_ymap *ret);

// Values that agc_yaml_map accepted.
double agc_yaml_double(const struct agc_ynode *n);
bool agc_yaml_bool(const struct agc_ynode *n);

// The value of a word of a set. False with a diagnostic when it is not in the set.
bool agc_yaml_word(struct agc_reader *r, const struct agc_ynode *n, enum agc_ytype set, unsigned *ret);

// Scalars: plain null, true or false, and JSON numbers; everything else is a string.
bool agc_yaml_is_null(const struct agc_ynode *n);
bool agc_yaml_is_bool(const struct agc_ynode *n);
bool agc_yaml_is_number(const struct agc_ynode *n);
bool agc_is_json_number(struct ag_str s);
// What the value is called in messages: "a string", "a number", ...
const char *agc_yaml_what(const struct agc_ynode *n);

// Range of a row, as "[0, 1]" or "(0, 1]"; NaN never lies in it.
bool agc_in_range(double v, const char *range);

#endif
