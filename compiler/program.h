// SPDX-License-Identifier: Apache-2.0
// The program: all modules joined, every name decided, every body in an order in which it can be evaluated.
// In: modules, and the expressions of YAML rules. Out: the tree of virtual documents below `data`, its groups
// in the order of their calls. The compiler lowers it (lower_rego.c) and the tests' slow evaluator walks it.
// Memory: the compile arena. Thread rule: one compilation, one thread. Next file to read: program.c,
// safety.c, lower_rego.c.
//
// What holds after agc_program_build, for definitions, otherwise-clauses and queries alike:
//   - VAR: `symbol` is AGC_SYM_INPUT, AGC_SYM_DATA or the number of a local of the definition. `_` has
//     become a local of its own for each occurrence. Shadowing is gone: different variables have
//     different numbers. A variable that a nested body binds first (comprehension, `every`, `not {..}`)
//     is unbound again behind it; bodies beside each other may then bind the same number.
//   - Names of rules and imports have become REF(VAR data, STRING ...) or REF(VAR input, ...): a REF
//     begins with VAR input, VAR data, a local, or a term that is no name (call, literal,
//     comprehension).
//   - CALL: `symbol` is the built-in's number and `group` is NULL, or `symbol` is AG_NONE and `group`
//     the function; `text` is the name as it was written. kid[0] is kept for messages. A call with one
//     argument more than declared has become UNIFY(last, CALL). `walk` has one solution for each
//     element of its result: each call of it stands as the head of REF(CALL walk, VAR) whose variable
//     steps through that array.
//   - Operators stay BINARY, NEGATE, MEMBER2, and calls of their names (plus(x, y)) have become them;
//     ASSIGN is kept (its left side holds only new variables and patterns).
//   - `with` targets: REF or VAR of input or data, the steps strings; or a REF naming a built-in or
//     function whose own `symbol`/`group` are set as in CALL (every other REF has AG_NONE and NULL
//     there). A value is a term, or such a REF.
//   - Literals of each QUERY, nested ones too, stand in an order in which every variable that a literal
//     reads is bound by literals before it, or in the literal itself further left: literals are
//     evaluated from left to right, CALL arguments and operands in order, a REF head first, `with`
//     values before their literal, the collection of `some .. in` and `every` first, ASSIGN right side
//     first. An unbound VAR as a step of a REF (in ARRAYs and values of OBJECTs as well) steps through
//     what stands left of it. Nothing else binds but ASSIGN, `some .. in` and UNIFY.
//   - UNIFY: one side is a term that can be evaluated, the other a pattern: in ARRAYs and values of
//     OBJECTs it may hold unbound variables. First tried is the right side as the term, then the left
//     one.
//   - What a literal under `not` (without braces) evaluates outside of the negation stands in literals
//     before it: calls, and references where the literal is no `=` or `==`.
//   - Terms behind a body (value and suffix of a definition, terms of a comprehension) bind nothing:
//     one that steps through something has become the last literal, `$n = term`. So a definition whose
//     body was NULL may have one now. Function arguments are patterns; a name that comes twice is
//     compared.
//   - SOME declarations and print(...) calls are gone from bodies; a body that held nothing else is
//     `true`. WITH stays around its literal. rego.metadata.chain() and rule() have become constant
//     terms; templates stay TEMPLATE, and nothing in them binds.
//   - `f() := v` is a rule. No definition reaches itself, and no group does.
#ifndef AGC_PROGRAM_H
#define AGC_PROGRAM_H

#include "module.h"

#define AGC_SYM_INPUT (AG_NONE - 1)
#define AGC_SYM_DATA  (AG_NONE - 2)

enum agc_group_kind {
    AGC_GROUP_COMPLETE, // one value
    AGC_GROUP_SET,      // partial set
    AGC_GROUP_OBJECT,   // heads with variable steps: one object made of all definitions at and below the path
    AGC_GROUP_FUNCTION
};

// Definitions that make one document, or one function.
struct agc_group {
    enum agc_group_kind kind;
    uint32_t number; // position in agc_program.groups: callees before callers
    struct agc_tree *at;
    struct ag_str name; // "data.a.b", for messages
    uint32_t nargs;     // FUNCTION
    uint32_t ndefs;
    struct agc_def **defs;    // in source order, the default excluded; in an OBJECT defaults stand among them
                              // and count where no other definition gives their path a value
    struct agc_def *fallback; // the default definition, NULL: none
    uint32_t ncalls;
    struct agc_group **calls; // groups that its definitions may reach directly
};

// A node of the tree of virtual documents: the root is `data`.
struct agc_tree {
    struct ag_str key;
    struct agc_tree *parent;
    uint32_t nkids;
    struct agc_tree **kid;   // ascending by key, bytewise
    struct agc_group *group; // NULL: only a step; with a group there are no kids
};

struct agc_program {
    struct agc_arena *arena;
    struct agc_policy *policy; // rules of YAML, modules
    struct agc_tree *root;
    uint32_t ngroups;
    struct agc_group **groups;
    uint32_t ndefs;
    struct agc_def **defs; // by number
    uint32_t nqueries;
    struct agc_def **queries;    // ad hoc queries (agc_program_query), as definitions with body and value
    struct agc_builder *builder; // of agc_program_build, kept for queries
};

// Options that change what is accepted.
struct agc_program_options {
    bool is_rego; // as other Rego compilers have it: see language.md, conflicts are left to the run
};

// Joins policy->modules. Also resolves names in the bodies and limits of YAML rules. False after an error.
bool agc_program_build(struct agc_arena *a, struct agc_diags *diags, struct agc_policy *policy,
                       const struct agc_program_options *options, struct agc_program *ret);

// Joins a parsed query (agc_parse_query) to a built program: a definition whose body is the query and whose
// value is the OBJECT {"bindings": {name: value ...}, "expressions": [value ...]}. One of its solutions is
// one result. Bindings are the variables with names that stand outside of nested bodies. Expressions are the
// literals in the order of the text, declarations and print left out; a literal that is no term counts as
// true. A single literal that steps through nothing gives a result even when its value is false; otherwise
// false fails. Bare names are looked up in `imports` alone. `query` is changed. NULL after an error, which is
// in `diags`.
struct agc_def *agc_program_query(struct agc_program *p, struct agc_diags *diags, struct agc_node *query,
                                  const struct agc_import *imports, uint32_t nimports);

// The same inside a module: bare names are looked up in its package and its imports.
struct agc_def *agc_program_query_in(struct agc_program *p, struct agc_diags *diags, struct agc_node *query,
                                     const struct agc_module *scope);

// The node at the path of strings below data; NULL where none is.
const struct agc_tree *agc_tree_find(const struct agc_tree *root, const struct ag_str *path, uint32_t n);

// Prints groups and what every name means (`--emit=names`).
void agc_program_print(const struct agc_program *p, const struct agc_sources *sources, void *file);

#endif
