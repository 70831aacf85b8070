// SPDX-License-Identifier: Apache-2.0
// The YAML front end (yaml.h is the name of the YAML library). yaml_tree.c: bytes -> tree of values with
// places; yaml.c: values -> struct agc_policy, driven by grammar/yaml_schema.def; yaml_gates.c: the
// parameters of the gates; yaml_text.c: `when:` texts. Memory: the compile arena. Thread rule: one
// compilation, one thread. Next file to read: yaml_tree.c.
#ifndef AGC_YAML_READ_H
#define AGC_YAML_READ_H

#include "ast.h"
#include "diag.h"
#include "parse.h"

#define AGC_YAML_DEPTH_MAX 64u      // nesting of values
#define AGC_YAML_NODES_MAX 4000000u // values of one file, aliases expanded
#define AGC_YAML_ALIAS_MAX 10000u   // values that aliases may add
#define AGC_RULES_MAX      1000000u // rules of one policy
#define AGC_LIMITS_MAX     1024u    // limits of one policy
#define AGC_NAME_MAX       256u     // bytes of a rule's, limit's or policy's name
#define AGC_WHEN_MAX       64u      // texts of one `when:` list

enum agc_ykind { AGC_Y_SCALAR, AGC_Y_SEQ, AGC_Y_MAP };
enum agc_ystyle { AGC_Y_PLAIN, AGC_Y_QUOTED, AGC_Y_BLOCK };

struct agc_ynode {
    enum agc_ykind kind;
    enum agc_ystyle style; // of a scalar
    struct agc_span span;
    struct ag_str text; // of a scalar
    uint32_t n;         // children: elements, or key, value, key, value ...
    uint32_t weight;    // values in it, itself included, aliases expanded
    struct agc_ynode **kid;
};

// Bytes to values. NULL after an error, and for a file that holds no value.
struct agc_ynode *agc_yaml_tree(struct agc_arena *a, const struct agc_sources *s, uint32_t source,
                                struct agc_diags *diags);

// What yaml.c and yaml_gates.c share: one file being read into one policy.
struct agc_reader {
    struct agc_arena *arena;
    const struct agc_sources *sources;
    struct agc_diags *diags;
    struct agc_policy *policy;
    uint32_t source;
};

// Reads one policy file into *policy. The first call fills a zeroed policy; each further call appends its
// rules and limits and keeps name, defaults, combine, audit and gates of the first (B5). Errors
// are in `diags`; the function then returns false and has read on as far as it could.
bool agc_yaml_read(struct agc_arena *a, const struct agc_sources *s, uint32_t source, struct agc_diags *diags,
                   struct agc_policy *policy);

// The `when:` text of a scalar with its map to the file (yaml_text.c).
struct agc_text agc_yaml_text(struct agc_arena *a, const struct agc_sources *s,
                              const struct agc_ynode *scalar);

// Prints the tokens of every `when:` text of a policy file (`--emit=tokens`).
bool agc_yaml_print_tokens(struct agc_arena *a, const struct agc_sources *s, uint32_t source,
                           struct agc_diags *diags, FILE *f);

#endif
