// SPDX-License-Identifier: Apache-2.0
// The syntax tree: what both front ends produce and everything after them reads.
// In: tokens (grammar/aegis.y) or YAML events (yaml.c). Out: struct agc_policy. Memory: the compile arena
// owns every node; texts are copied into it. Next file to read: resolve.c. Thread rule: one compilation, one
// thread.
#ifndef AGC_AST_H
#define AGC_AST_H

#include "compile_arena.h"
#include "image.h"
#include "source.h"

enum agc_node_kind {
#define NODE(NAME, text, holds, kids) AGC_##NAME,
#include "ast.def"
    AGC_NODE_COUNT
};

struct agc_node {
    enum agc_node_kind kind;
    struct agc_span span;
    struct ag_str text;
    uint32_t n;      // children
    uint32_t symbol; // resolve.c: what a name means (program.h), AG_NONE otherwise
    uint32_t depth;  // of the tree from here down; a leaf has 1 (expressions only)
    struct agc_node **kid;
    struct agc_group *group;     // resolve.c: the function that a CALL means, NULL for a built-in
    struct ag_window window;     // WINDOW only; `zone` is an index into agc_policy.zones
    uint32_t types;              // check.c: set of kinds the value can have (1 << enum ag_kind)
    const struct agc_type *type; // check_program.c: of references, calls and comprehensions of modules
};

struct agc_str_at {
    struct ag_str text; // p == NULL: not given
    struct agc_span span;
};

struct agc_rule {
    struct agc_str_at name;            // given or "rule_<i>"
    struct agc_span span;              // the whole rule
    struct agc_str_at match[AG_ATTRS]; // globs; p == NULL: any
    struct agc_node *body;             // QUERY: conditions and `when` literals in source order; NULL: always
    struct agc_node *when;            // QUERY: the `when` literals that need the program (when.h); NULL: none
    struct agc_def *when_def;         // the same as a definition, names decided
    uint8_t decision, risk, approval; // approval AGC/AG_APPROVAL_NONE when `decision:` was written
    struct agc_span decision_span;
    uint32_t gate_mask;
};

struct agc_limit {
    struct agc_str_at name;
    struct ag_limit spec; // name and constant fields are filled at emission
    uint32_t nkeys;
    struct agc_node **key;             // terms, usually input.tenant, input.agent
    struct agc_node *cost;             // term: what an action costs; NULL: 1
    bool is_by_effects;                // charged by data.aegis.effects alone
    struct agc_str_at match[AG_ATTRS]; // actions it applies to; p == NULL: any
    struct agc_span span;
};

// Files that a policy names, as it writes them.
struct agc_named_files {
    uint32_t nmodules, ndata;
    struct agc_str_at *module, *data;
    struct agc_str_at schema; // of the input; text.p == NULL: none
};

struct agc_policy {
    bool is_begun;                // a file was read into it
    struct agc_named_files named; // by the file that was read last
    struct agc_str_at name, version;
    enum ag_combine combine;
    uint8_t default_decision, default_risk, default_approval;
    struct agc_span defaults_span;
    uint32_t nrules;
    struct agc_rule *rules;
    uint32_t nlimits;
    struct agc_limit *limits;
    bool has_gates;
    struct ag_gates_section gates;
    uint8_t audit_level, audit_sign, audit_input;
    uint32_t nzones;
    struct agc_str_at *zones; // names of the time zones used, in order of first use
    uint32_t nmodules;
    struct agc_module **modules;
    const struct agc_type *input_type; // from a schema, NULL: any value
};

// Printers behind --emit=ast.
void agc_ast_print(const struct agc_policy *p, const struct agc_sources *sources, void *file);
// One tree, `depth` steps to the right; sources == NULL: without places.
void agc_node_print(const struct agc_node *n, const struct agc_sources *sources, int depth, void *file);
const char *agc_node_name(enum agc_node_kind k);
struct agc_node *agc_node_new(struct agc_arena *a, enum agc_node_kind k, struct agc_span span,
                              struct ag_str text, uint32_t n);

#endif
