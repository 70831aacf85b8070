// SPDX-License-Identifier: Apache-2.0
// Types are sets of kinds: bit 1 << enum ag_kind. An expression whose set is disjoint from what its place
// needs can never work. Thread rule: pure functions. Next file to read: check.c.
#ifndef AGC_TYPE_H
#define AGC_TYPE_H

#include "value.h"

#define AGC_T(kind) (1u << (kind))
#define AGC_T_ANY                                                                                            \
    (AGC_T(AG_NULL) | AGC_T(AG_BOOL) | AGC_T(AG_NUMBER) | AGC_T(AG_STRING) | AGC_T(AG_ARRAY) |               \
     AGC_T(AG_OBJECT) | AGC_T(AG_SET))
#define AGC_T_COLLECTION (AGC_T(AG_ARRAY) | AGC_T(AG_OBJECT) | AGC_T(AG_SET))

// "number or string" of a set, into `text`; returns text.
const char *agc_type_text(uint32_t types, char *text, size_t n);

#endif
