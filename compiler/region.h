// SPDX-License-Identifier: Apache-2.0
// The algebra of input regions: which inputs a rule is about, as globs over the four attributes, minutes of a
// week and constraints on parameters. Answers are exact where the parts are; otherwise they say so. shadow.c
// and window.c stand on it. In: rules. Out: regions and answers about them. Memory: the compile arena. Thread
// rule: one compilation, one thread. Next file to read: shadow.c.
#ifndef AGC_REGION_H
#define AGC_REGION_H

#include "ast.h"

#define AGC_WEEK_MINUTES 10080u
#define AGC_WEEK_WORDS   158u     // 64-bit words that hold a week's minutes
#define AGC_WORK_MAX     4000000u // comparisons of two regions that one question may make

// One element of a glob: a star, any one character, or a set of byte values (a literal is a set of one).
// Classes with characters past ASCII are kept as `is_wide`: they overlap everything and cover nothing.
struct agc_gelem {
    enum { AGC_G_BYTE, AGC_G_CLASS, AGC_G_ONE, AGC_G_STAR } kind;
    uint8_t byte;
    bool is_wide;
    uint64_t set[4]; // of a class
};

struct agc_glob {
    struct ag_str text;
    struct ag_str prefix; // bytes before the first wildcard
    bool is_literal;      // no wildcard: matches `prefix` alone
    uint32_t n;
    const struct agc_gelem *e;
};

struct agc_week {
    uint64_t w[AGC_WEEK_WORDS];
};

// A parameter must be present and, when it is a number, lie in an interval, or equal a string.
struct agc_param {
    struct ag_str name;
    struct agc_span span;
    bool is_number, is_string, is_opaque; // opaque: constrained in a way this algebra does not know
    double lo, hi;
    bool lo_open, hi_open;
    struct ag_str text;
};

struct agc_region {
    const struct agc_glob *attr[AG_ATTRS]; // NULL: any
    const struct agc_week *week;           // NULL: always
    uint32_t zone;                         // in which `week` counts; AG_NONE is UTC
    uint32_t nparams;
    const struct agc_param *param;
    bool is_upper; // the rule may match less than this
    bool is_never; // the rule matches nothing
};

enum agc_answer { AGC_NO, AGC_YES, AGC_UNKNOWN };

// The region of a rule. *ret_empty_at (may be NULL) is the condition that makes the time windows empty, else
// NULL.
struct agc_region agc_region_of(struct agc_arena *a, const struct agc_rule *rule,
                                const struct agc_node **ret_empty_at);
const struct agc_glob *agc_glob_parse(struct agc_arena *a, struct ag_str text);

// Does every string of b match a? (NULL: any string.) Never YES by mistake; NO may mean "not shown".
bool agc_glob_covers(const struct agc_glob *a, const struct agc_glob *b);
// Is there a string that both match? Never false by mistake.
bool agc_glob_meets(struct agc_arena *a, const struct agc_glob *x, const struct agc_glob *y);
// A string that the glob matches.
struct ag_str agc_glob_sample(struct agc_arena *a, const struct agc_glob *g);

// Is every input of b in a? YES is exact (a is then no upper bound).
enum agc_answer agc_region_covers(const struct agc_region *a, const struct agc_region *b);
// The same without regard to time.
enum agc_answer agc_region_covers_but_time(const struct agc_region *a, const struct agc_region *b);
// Is there an input in both? NO is exact.
enum agc_answer agc_region_meets(struct agc_arena *arena, const struct agc_region *a,
                                 const struct agc_region *b);
// Is every value that b's constraint allows allowed by a's?
bool agc_param_covers(const struct agc_param *a, const struct agc_param *b);
const struct agc_param *agc_region_param(const struct agc_region *r, struct ag_str name);

// An input of the region in words: `deploy with env "x", Fri 12:00`. Texts of an upper bound may miss.
struct ag_str agc_region_sample(struct agc_arena *a, const struct agc_region *r);

// Sets of minutes of a week.
void agc_week_add(struct agc_week *w, const struct ag_window *window);
bool agc_week_is_empty(const struct agc_week *w);
bool agc_week_covers(const struct agc_week *a, const struct agc_week *b);
static inline bool
agc_week_has(const struct agc_week *w, uint32_t minute)
{
    return w->w[minute / 64] >> (minute % 64) & 1;
}
// The minutes as text: `Sat 00:00 to Mon 09:00`, equal times of neighbouring days joined.
struct ag_str agc_week_text(struct agc_arena *a, const struct agc_week *w);

#endif
