// SPDX-License-Identifier: Apache-2.0
// Bounds of the machine in one place: what the verifier and the interpreter refuse to go beyond, and why.
// In: nothing. Out: named constants. Next file to read: verify.c, which enforces most of them at open.
#ifndef AG_LIMITS_H
#define AG_LIMITS_H

#define AG_JSON_MAX       (64u << 20) // bytes of one JSON text: far above any request, far below 32-bit offsets
#define AG_NEST_MAX       256u // depth that comparison and output follow; values made by loops may nest deeper
#define AG_CALLS_MAX      512u   // functions active at once: the call graph is acyclic, this bounds the stack
#define AG_LOOPS_MAX      256u   // loops open at once in one function
#define AG_FRAMES_MAX     65536u // data frames of one evaluation; beyond it the arena counts as exhausted
#define AG_LIMIT_KEYS_MAX 16u    // values in the key of one limit
#define AG_FUNCS_MAX      (1u << 20) // functions of one image
#define AG_CODE_MAX       (1u << 24) // instructions of one image
#define AG_INDEX_LISTS    256u       // posting lists merged by one lookup; beyond it every rule is tried
#define AG_RATE_FILL_MAX_NS                                                                                  \
    (UINT64_C(1)                                                                                             \
     << 56) // time in which a whole burst comes back, almost 834 days: what one word of state can hold
#define AG_EFFECT_KEY_MAX 4096u // bytes of one limit key
#define AG_COUNT_MAX                                                                                         \
    ((UINT64_C(1) << 42) - 1)  // events, or micro-dollars, of one calendar period: what a word of state holds
#define AG_NOTE_MAX       256u // bytes of an audit.note
#define AG_WORD_SHOWN_MAX 64u  // bytes of a foreign name shown in a message
#define AG_STEP_BYTES     16u  // bytes of text handled for one unit of fuel

#endif
