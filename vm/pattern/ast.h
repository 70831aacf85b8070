// SPDX-License-Identifier: Apache-2.0
// Inside of the pattern compiler: the tree that parse.c makes and nfa.c reads, and the class builder between.
// All nodes live in the compile arena and die with it.
// Thread rule: one compile, one thread.
#ifndef AG_PATTERN_AST_H
#define AG_PATTERN_AST_H

#include "prog.h"

enum ast_kind {
    AST_EMPTY,  // matches the empty text
    AST_CLASS,  // one code point out of `ranges` (one range of one for a literal)
    AST_FACT,   // `fact` holds here
    AST_CAT,    // children, the last one first: the compiler works backwards
    AST_ALT,    // children, the one with least priority first
    AST_REPEAT, // child min..max times (max 0: no bound), is_lazy prefers fewer
    AST_GROUP,  // child, noted as group `group`
};

struct cp_range {
    uint32_t lo, hi;
};

struct ast {
    enum ast_kind kind;
    bool is_lazy, is_nullable;
    uint32_t fact, group, min, max;
    uint32_t repeat;  // largest product of nested repeat counts, for the bound of 1000
    uint32_t height;  // of the tree below: bounds recursion
    uint32_t n_range; // ranges are sorted and do not touch
    const struct cp_range *ranges;
    struct cp_range one;      // what `ranges` of a plain literal points at
    struct ast *child, *next; // first child; next sibling
};

#define AST_UNBOUNDED UINT32_MAX
#define SURROGATE_MIN 0xD800u
#define SURROGATE_MAX 0xDFFFu

struct ast_name {
    struct ag_str name; // borrows the pattern text
    uint32_t group;
    struct ast_name *next;
};

// One compile: where the text is, what is left, what went wrong first.
struct pattern_compile {
    struct ag_str text;
    struct ag_arena *arena;
    uint64_t *fuel;
    enum ag_pattern_status status; // YES until something fails
    struct ag_pattern_error *err;
    uint32_t n_group; // with group 0
    struct ast_name *names, **names_end;
};

// Records the first failure.
void pattern_refuse(struct pattern_compile *c, size_t offset, const char *text);
void pattern_refuse_with(struct pattern_compile *c, size_t offset, const char *text, struct ag_str what);
// Takes `n` units of fuel; false (status FUEL) when they are not there.
bool pattern_pay(struct pattern_compile *c, uint64_t n);
// Arena memory, or NULL with status ARENA.
void *pattern_alloc(struct pattern_compile *c, size_t n, size_t align);

// A growing set of code point ranges at the end of the arena; nothing else may allocate until class_done.
struct class_build {
    struct pattern_compile *c;
    size_t mark;
    struct cp_range *r;
    uint32_t n;
    bool is_fold;
};
void class_init(struct class_build *b, struct pattern_compile *c, bool is_fold);
// Adds lo..hi, with everything that folds alike when the builder folds.
void class_add(struct class_build *b, uint32_t lo, uint32_t hi);
// Adds n given ranges, or everything but them.
void class_add_set(struct class_build *b, const struct cp_range *r, size_t n, bool is_negated);
// Adds a Unicode category or script by name ("L", "Lu", "Greek", "Any"); false when there is none.
bool class_add_unicode(struct class_build *b, struct ag_str name, bool is_negated);
// Adds what \d \s \w (upper case: all but) stands for; false for any other letter.
bool class_add_perl(struct class_build *b, char letter);
// Adds [:name:]; false when there is none.
bool class_add_posix(struct class_build *b, struct ag_str name, bool is_negated);
// Sorts, merges, negates when asked, drops surrogates (no UTF-8 text has them), and leaves the ranges in the
// arena.
const struct cp_range *class_done(struct class_build *b, bool is_negated, uint32_t *ret_n);

// parse.c: text to tree, NULL when refused.
struct ast *pattern_parse(struct pattern_compile *c);

// A program under construction, in the arena.
struct nfa {
    struct insn *insn;
    uint32_t n, start;
    bool has_not_word; // \B: a position inside a code point could satisfy it
    bool has_asserts;
};
// nfa.c: tree to program, at the end of the arena; false when refused.
bool pattern_nfa(struct pattern_compile *c, const struct ast *tree, struct nfa *ret);
// dfa.c: program to DFA section, empty when it does not fit. The bytes are at the end of the arena.
struct ag_str pattern_dfa(struct pattern_compile *c, const struct nfa *nfa, bool is_anchored);

#endif
