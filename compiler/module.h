// SPDX-License-Identifier: Apache-2.0
// A module as it was written: package, imports, rule definitions, comments, annotations.
// In: tokens (grammar/aegis.y). Out: struct agc_module; resolve.c joins modules into struct agc_program.
// Memory: the compile arena. Thread rule: one compilation, one thread. Next file to read: program.h.
#ifndef AGC_MODULE_H
#define AGC_MODULE_H

#include "ast.h"
#include "diag.h"
#include "parse.h"

struct agc_import {
    struct agc_span span;
    struct agc_node *path;   // VAR or REF of strings; its root is data, input, rego or future
    struct agc_str_at alias; // p == NULL: not given
    bool is_used;            // set by resolve.c
};

enum agc_def_kind {
    AGC_DEF_VALUE,    // p := v, p[k] := v, a.b[x].c := v: complete rule or partial object
    AGC_DEF_CONTAINS, // p contains v, a[x] contains v: partial set
    AGC_DEF_FUNCTION  // f(x) := v
};

// One definition. Chained bodies `p if {..} {..}` are several definitions with the same head.
struct agc_def {
    enum agc_def_kind kind;
    bool is_default; // default p := v, default f(_) := v
    bool is_chained; // a further body of the definition before it
    struct agc_span span, head_span;
    struct agc_node *ref;         // head: VAR, or REF of VAR and steps (STRING for .name, a term for [x])
    uint32_t nargs;               // FUNCTION only
    struct agc_node **arg;        // patterns
    struct agc_node *value;       // VALUE, FUNCTION: NULL stands for true; CONTAINS: the element
    struct agc_node *body;        // QUERY; NULL: always true
    struct agc_def *otherwise;    // else: only value, body, span and otherwise are used
    struct agc_node *annotations; // ARRAY of the METADATA blocks before it (scopes rule and document, an
                                  // OBJECT each), NULL: none

    // --- from here on set by resolve.c
    struct agc_module *module;
    struct agc_group *group;
    uint32_t number;  // of the definition in the program, in source order
    uint32_t line;    // of its first word; names it in conflicts
    uint32_t nsuffix; // steps of the head behind the group's path; 0: the head is the path
    struct agc_node **suffix;
    uint32_t nlocals; // variables of args, head, bodies and everything nested, otherwise-clauses included
    struct agc_local *local;
    uint32_t nprints; // calls of print, otherwise-clauses included; they are checked and never run
    struct agc_node **print;
};

// A variable of a definition; its number is `symbol` of every VAR that means it.
struct agc_local {
    struct ag_str name;   // as written; generated ones begin with "$"
    struct agc_span span; // where it was first named
};

struct agc_comment {
    struct agc_span span;
    struct ag_str text; // without the #
};

struct agc_module {
    uint32_t source;
    struct agc_span span, package_span;
    uint32_t npath;
    struct ag_str *path; // of the package, below data
    uint32_t nimports;
    struct agc_import *imports;
    uint32_t ndefs;
    struct agc_def **defs;
    uint32_t ncomments;
    struct agc_comment *comments;
    struct agc_node
        *annotations; // ARRAY of the METADATA blocks of scopes package and subpackages, NULL: none
};

// Reads a module. NULL after an error, which is in `diags`; reading goes on at the next rule, so that several
// errors are reported at once.
struct agc_module *agc_parse_module(struct agc_arena *a, struct agc_diags *diags,
                                    const struct agc_text *text);

// Does the text of a comment say METADATA? One at the beginning of a line then opens an annotation.
bool agc_names_metadata(const struct agc_comment *c);
// Index behind the comments of the annotation that comment i opens, or i when it opens none.
uint32_t agc_metadata_end(const struct agc_module *m, struct ag_str source, uint32_t i);

// Prints a module as a tree (`--emit=ast`).
void agc_module_print(const struct agc_module *m, const struct agc_sources *sources, void *file);

#endif
