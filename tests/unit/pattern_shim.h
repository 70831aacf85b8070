// SPDX-License-Identifier: Apache-2.0
// What the C++ oracle test needs of vm/pattern, in types that both languages share (base headers are C only).
// One pattern at a time in a static arena. Thread rule: one thread.
#ifndef AEGIS_TEST_PATTERN_SHIM_H
#define AEGIS_TEST_PATTERN_SHIM_H

#include <stddef.h>
#include <stdint.h>

// Compiles; 1 when accepted and the verifier accepts the blob, 0 when refused (error text in err), -1
// otherwise.
int shim_compile(const char *p, size_t n, int without_dfa, char err[120]);
// 1, 0, or -1 when the worst-case fuel or arena of the blob did not suffice.
int shim_match(const char *s, size_t n);
// As shim_match; writes n_group pairs from, to (UINT32_MAX: took no part).
int shim_find(const char *s, size_t n, uint32_t *pairs, uint32_t n_group);

#endif
