// SPDX-License-Identifier: Apache-2.0
// Every compile-time bound of the back half, named and explained. The front half states its own beside its
// readers. A bound that is crossed is an error of the policy, with a place; never a silently smaller image.
#ifndef AGC_LIMITS_H
#define AGC_LIMITS_H

#define AGC_IR_RULES_MAX (1u << 20) // rules of one policy: positions and rule numbers stay far from 32 bits
#define AGC_NARROW_MAX   65536u     // constants, patterns and built-ins that a 16-bit operand can name
#define AGC_SKIP_MAX     65535u     // instructions that a 16-bit jump can skip
#define AGC_BLOCK_DEPTH_MAX                                                                                  \
    200u // nesting of IR blocks: bounds the recursion of passes; below the verifier's 256 jumps
#define AGC_CLONE_DEPTH_MAX                                                                                  \
    300u // functions under `with` that call each other, each compiled inside its caller
#define AGC_COMPARED_KIDS_MAX                                                                                \
    64u // documents that a step with further computed steps behind it is compared with
#define AGC_MOCKS_MAX       64u      // functions and built-ins replaced at once by `with`
#define AGC_TERM_DEPTH_MAX  256u     // nesting of one lowered term; the parser stops earlier
#define AGC_HOIST_MAX       64u      // loads that one function keeps in registers across conditions
#define AGC_INLINE_SMALL    12u      // statements of a function that is repeated where it is called
#define AGC_INLINE_MAX      1000u    // statements of a function that others become part of, and of those
#define AGC_GROUP_STEPS_MAX 8u       // steps from constant data to a collection that is grouped
#define AGC_GROUP_MIN       3u       // elements of the largest collection from which grouping pays
#define AGC_GROUP_MAX       1000000u // elements grouped for one policy
#define AGC_LINEAR_MAX      8u // rules sharing one hash key before a glob's trie is preferred as their home
#define AGC_SEED_MAX        4096u      // hash seeds tried before the tables are given up
#define AGC_HASH_KEYS_MIN   9u         // string keys from which a static object gets a hash index
#define AGC_INPUT_MAX       (1u << 20) // bytes of input for which the image states its cost and memory
#define AGC_FUEL_MIN        100000u // floor of the image's fuel: small policies leave room for a host's own calls
#define AGC_FUEL_SAFETY     2u      // the image's fuel is the computed bound times this
#define AGC_FUEL_OPEN       2000000000u // fuel of an image whose modules loop over data: some seconds, yet an end
#define AGC_ARENA_OPEN      (64u << 20) // bytes of call arena stated for such an image
#define AGC_ARENA_FIXED     65536u      // bytes of call arena beside the input's own values
#define AGC_ARENA_PER_BYTE                                                                                   \
    4u // bytes of call arena stated per byte of input; denser inputs end as unavailable
#define AGC_PATTERN_ARENA (64u << 20) // working memory for compiling one pattern

#endif
