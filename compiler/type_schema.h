// SPDX-License-Identifier: Apache-2.0
// The type of the input from a JSON Schema. Memory: the compile arena. Thread rule: one compilation, one
// thread. Next file to read: type_schema.c, check_program.h.
#ifndef AGC_TYPE_SCHEMA_H
#define AGC_TYPE_SCHEMA_H

#include "diag.h"
#include "type.h"

#define AGC_SCHEMA_PARTS_MAX                                                                                 \
    100000u // schemas read, each as often as it is referred to; further ones are any value
#define AGC_SCHEMA_REFS_MAX 32u // references followed inside each other; deeper ones are any value

// Reads source `ix` as a JSON Schema (draft 4 to 2020-12). An object with `properties` has no others unless
// `additionalProperties` allows them, so that a misspelt name is found. What a type cannot say (ranges,
// patterns, if and then) is left out. NULL after a diagnostic.
const struct agc_type *agc_type_of_schema(struct agc_arena *a, struct agc_diags *diags,
                                          const struct agc_sources *s, uint32_t ix);

#endif
