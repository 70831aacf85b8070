// SPDX-License-Identifier: Apache-2.0
// Types. Expressions of YAML rules have sets of kinds (bit 1 << enum ag_kind); modules have type terms, with
// element types and known keys. Terms are immutable and shared. Memory: the compile arena owns terms. Thread
// rule: pure functions. Next file to read: check.c (kinds), check_program.c (terms).
#ifndef AGC_TYPE_H
#define AGC_TYPE_H

#include "ast.h"
#include "value.h"

#define AGC_T(kind) (1u << (kind))
#define AGC_T_ANY                                                                                            \
    (AGC_T(AG_NULL) | AGC_T(AG_BOOL) | AGC_T(AG_NUMBER) | AGC_T(AG_STRING) | AGC_T(AG_ARRAY) |               \
     AGC_T(AG_OBJECT) | AGC_T(AG_SET))
#define AGC_T_COLLECTION (AGC_T(AG_ARRAY) | AGC_T(AG_OBJECT) | AGC_T(AG_SET))

// "number or string" of a set, into `text`; returns text.
const char *agc_type_text(uint32_t types, char *text, size_t n);

// --- terms
enum agc_type_kind {
    AGC_TY_NULL,
    AGC_TY_BOOL,
    AGC_TY_NUMBER,
    AGC_TY_STRING,
    AGC_TY_ARRAY,
    AGC_TY_OBJECT,
    AGC_TY_SET,
    AGC_TY_UNION
};

#define AGC_TYPE_DEPTH_MAX 64u // nesting of a term; what lies deeper is any value
#define AGC_TYPE_UNION_MAX 64u // alternatives of a union; more become any value
#define AGC_TYPE_PROPS_MAX                                                                                   \
    1024u // known keys of an object, known elements of an array; more become unknown ones

struct agc_type;
struct agc_type_prop {
    const struct agc_node *key; // a constant
    const struct agc_type *value;
};
// NULL stands for "not known yet" wherever a function takes or gives a type.
struct agc_type {
    enum agc_type_kind kind;
    uint32_t depth;
    uint32_t n;                         // ARRAY: known elements; UNION: alternatives, 0: any value
    const struct agc_type *const *elem; // of those
    uint32_t nprops;                    // OBJECT: known keys, ascending
    const struct agc_type_prop *prop;
    const struct agc_type *key;   // OBJECT: type of further keys, NULL: there are none
    const struct agc_type *value; // of further values; ARRAY: of elements behind the known ones, NULL: none;
                                  // SET: of the elements
};

// The type of any value; null, boolean, number, string.
extern const struct agc_type agc_type_any;
const struct agc_type *agc_type_scalar(enum agc_type_kind k);
const struct agc_type *agc_type_array(struct agc_arena *a, const struct agc_type *const *elem, uint32_t n,
                                      const struct agc_type *rest);
const struct agc_type *agc_type_set(struct agc_arena *a, const struct agc_type *of);
// `prop` is sorted here; of equal keys the later one counts.
const struct agc_type *agc_type_object(struct agc_arena *a, struct agc_type_prop *prop, uint32_t n,
                                       const struct agc_type *key, const struct agc_type *value);
// Values of either; NULL operands are left out.
const struct agc_type *agc_type_or(struct agc_arena *a, const struct agc_type *x, const struct agc_type *y);
// Total order of terms; equal terms compare as 0.
int agc_type_cmp(const struct agc_type *x, const struct agc_type *y);
static inline bool
agc_type_is_any(const struct agc_type *t)
{
    return t && t->kind == AGC_TY_UNION && t->n == 0;
}

// The known key that is nearest in spelling, or NULL.
const char *agc_type_nearest(struct agc_arena *a, const struct agc_type *t, struct ag_str key);

// Type of the keys and of the values of what t describes; NULL when t has no elements.
const struct agc_type *agc_type_keys(struct agc_arena *a, const struct agc_type *t);
const struct agc_type *agc_type_values(struct agc_arena *a, const struct agc_type *t);
// Type of t[key] for a constant key; NULL: no value of t has that key.
const struct agc_type *agc_type_select(struct agc_arena *a, const struct agc_type *t,
                                       const struct agc_node *key);
// Can a value of one be a value of the other? False when one is NULL.
bool agc_type_unifies(const struct agc_type *x, const struct agc_type *y);
// The kinds of its values.
uint32_t agc_type_kinds(const struct agc_type *t);
// Constants in the order of values, as agc_const_cmp has it, numbers by their spelling's value.
int agc_node_const_cmp(const struct agc_node *x, const struct agc_node *y);
bool agc_node_is_const(const struct agc_node *n);
// Type of a constant.
const struct agc_type *agc_type_of_const(struct agc_arena *a, const struct agc_node *n);

// In words: `array of string`, `object {name: string, any: number}`, `number or set of any value`; cut at n
// bytes.
const char *agc_type_name(const struct agc_type *t, char *text, size_t n);
// Reads the notation of builtins.def (its head explains it). NULL when it is none.
const struct agc_type *agc_type_parse(struct agc_arena *a, struct ag_str notation);

#endif
