// SPDX-License-Identifier: Apache-2.0
// What the files behind program.h share: the state of one agc_program_build and the steps it runs in order.
// In: modules. Out: the program. Memory: the compile arena. Thread rule: one compilation, one thread.
// Next file to read: program.c.
#ifndef AGC_PROGRAM_PARTS_H
#define AGC_PROGRAM_PARTS_H

#include "namemap.h"
#include "program.h"

#define AGC_MOCKS 2u // refused built-ins that `with` may replace

struct agc_builder {
    struct agc_arena *a;
    struct agc_diags *diags;
    struct agc_program *p;
    struct agc_namemap *exports; // of each package, by its number: the names that its rules begin with
    struct agc_namemap packages; // joined path of a package -> its number
    uint32_t npackages;
    struct agc_group *mock[AGC_MOCKS]; // functions in their place, NULL: nothing replaces it
    struct agc_marks visible;          // variables that a query names outside of nested bodies
};

// --- tree.c
// Numbers definitions, builds the tree of virtual documents and its groups, reports conflicts of kinds.
void agc_tree_build(struct agc_builder *b);
// The names that are visible in a module because rules of its package begin with them.
const struct agc_namemap *agc_exports_of(const struct agc_builder *b, const struct agc_module *m);
// Position of the kid with this key, or where it would stand; *found tells which.
uint32_t agc_tree_kid(const struct agc_tree *t, struct ag_str key, bool *found);

// --- scope.c
// Decides every name of a definition (otherwise-clauses included) or of a query.
void agc_names_def(struct agc_builder *b, struct agc_def *def);
void agc_names_query(struct agc_builder *b, struct agc_def *def);
// Checks the imports of a module; duplicates and unused ones are found here.
void agc_imports_check(struct agc_builder *b, const struct agc_module *m);
void agc_imports_unused(struct agc_builder *b, const struct agc_module *m);

// --- mock.c
// Makes functions in the place of refused built-ins that a module replaces. Room for AGC_MOCKS definitions
// more is in agc_program.defs.
void agc_mocks_find(struct agc_builder *b);
// The function in the place of a built-in, or NULL.
struct agc_group *agc_mock_of(const struct agc_builder *b, struct ag_str name);

// --- with.c
struct agc_names;
// Targets and values of a WITH node whose literal was resolved.
void agc_names_with(struct agc_names *r, struct agc_node *with);

// --- safety.c
// Orders the bodies of a definition, nested ones too, and reports variables that nothing binds.
void agc_safety_def(struct agc_builder *b, struct agc_def *def);

// Adds the variables that a term or body holds outside of nested bodies.
void agc_visible(struct agc_arena *a, struct agc_marks *to, const struct agc_node *n);

// --- recursion.c
// Finds what each definition reaches, reports cycles, orders groups: callees first.
void agc_recursion_check(struct agc_builder *b);

// --- metadata.c
// The annotation of a definition that has the scope, or NULL.
const struct agc_node *agc_metadata_block(const struct agc_def *def, const char *scope);
// The value of rego.metadata.rule() or rego.metadata.chain() in `def`.
struct agc_node *agc_metadata_rule(struct agc_builder *b, const struct agc_def *def, struct agc_span span);
struct agc_node *agc_metadata_chain(struct agc_builder *b, const struct agc_def *def, struct agc_span span);

// --- node helpers, tree.c
struct agc_node *agc_node_var(struct agc_arena *a, struct agc_span span, struct ag_str name, uint32_t symbol);
struct agc_node *agc_node_string(struct agc_arena *a, struct agc_span span, struct ag_str text);
struct agc_node *agc_node_pair(struct agc_arena *a, enum agc_node_kind k, struct agc_node *x,
                               struct agc_node *y);
struct agc_node *agc_node_copy(struct agc_arena *a, const struct agc_node *n);
// A new local of the definition; generated ones are called "$" and their number.
uint32_t agc_local_new(struct agc_arena *a, struct agc_def *def, struct ag_str name, struct agc_span span);
uint32_t agc_local_generated(struct agc_arena *a, struct agc_def *def, struct agc_span span);

static inline bool
agc_is_root(const struct agc_node *n)
{
    return n->kind == AGC_VAR && (n->symbol == AGC_SYM_DATA || n->symbol == AGC_SYM_INPUT);
}
// The document below `data` that a node names as far as its steps are strings; *rest: first step behind.
const struct agc_tree *agc_tree_walk(const struct agc_tree *root, const struct agc_node *ref, uint32_t *rest);

#endif
