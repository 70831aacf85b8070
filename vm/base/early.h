// SPDX-License-Identifier: Apache-2.0
// AG_EARLY marks a function that the dynamic linker calls before sanitizers and coverage have started (a
// resolver of an `ifunc`): nothing may be added to its code. Thread rule: none, it runs before any thread.
#ifndef AG_BASE_EARLY_H
#define AG_BASE_EARLY_H

#if defined(__clang__)
#define AG_EARLY                                                                                             \
    __attribute__((used, no_sanitize("address", "undefined", "thread", "coverage"),                          \
                   disable_sanitizer_instrumentation))
#else
#define AG_EARLY __attribute__((used, no_sanitize("address", "undefined", "thread")))
#endif

#endif
