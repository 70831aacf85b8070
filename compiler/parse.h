// SPDX-License-Identifier: Apache-2.0
// The language's front end: text to tree. In: text that lies in a source file, with a map from its bytes to
// the file's (a YAML scalar may be quoted, folded or indented). Out: a node; modules are in module.h. Memory:
// the compile arena. Thread rule: one compilation, one thread. Next file to read: grammar/aegis.y.
#ifndef AGC_PARSE_H
#define AGC_PARSE_H

#include "ast.h"
#include "diag.h"

#define AGC_EXPR_DEPTH_MAX  200u // nested brackets, calls and operators; the tree's walkers recurse this deep
#define AGC_ELSE_MAX        200u // `else` clauses of one definition; walkers recurse this deep as well
#define AGC_EXPR_TEXT_MAX   (1u << 20)  // bytes of one expression text
#define AGC_MODULE_TEXT_MAX (16u << 20) // bytes of one module
#define AGC_TOKEN_MAX       65536u      // bytes of one token: longer strings are data, not policy
#define AGC_SYNTAX_MAX      20u         // syntax errors reported of one module

struct agc_segment {
    uint32_t at, file;
};

// Byte `at` of the text stands at byte `file` of the source, and so on until the next segment.
struct agc_text {
    struct ag_str text;
    uint32_t source, source_end; // no place lies behind byte source_end of the source
    uint32_t nsegs;              // at least 1; the first has at == 0
    const struct agc_segment *seg;
};

// The place in the file of bytes [begin, end) of the text.
struct agc_span agc_text_span(const struct agc_text *t, uint32_t begin, uint32_t end);

// A query: literals separated by newlines or `;`. NULL after an error, which is in `diags`.
struct agc_node *agc_parse_query(struct agc_arena *a, struct agc_diags *diags, const struct agc_text *text);

// One term: everything that can stand right of `:=`. NULL after an error, which is in `diags`.
struct agc_node *agc_parse_term(struct agc_arena *a, struct agc_diags *diags, const struct agc_text *text);

// Prints the tokens of a query or a module, one a line (`--emit=tokens`).
void agc_tokens_print(struct agc_arena *a, struct agc_diags *diags, const struct agc_text *text, FILE *f);
void agc_module_tokens_print(struct agc_arena *a, struct agc_diags *diags, const struct agc_text *text,
                             FILE *f);

#endif
