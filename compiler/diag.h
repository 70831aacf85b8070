// SPDX-License-Identifier: Apache-2.0
// Diagnostics as data: id, place, text, optional second place, optional fix. Collected by every step, sorted
// by place and printed once as text, JSON or SARIF 2.1.0. In: diag.def. Memory: the compile arena. Thread
// rule: one compilation, one thread. Next file to read: yaml.c.
#ifndef AGC_DIAG_H
#define AGC_DIAG_H

#include "source.h"

#include <stdio.h>

enum agc_diag_id {
#define DIAG(NAME, id, level, summary, help) AGC_D_##NAME,
#include "diag.def"
    AGC_DIAG_COUNT
};

enum agc_diag_level { AGC_WARNING, AGC_ERROR };
enum agc_diag_format { AGC_TEXT, AGC_JSON, AGC_SARIF };

#define AGC_DIAG_PRINT_MAX 20u   // diagnostics printed as text; the rest is counted
#define AGC_DIAG_KEEP_MAX  1000u // diagnostics kept; later ones are only counted

struct agc_diag {
    enum agc_diag_id id;
    enum agc_diag_level level;
    struct agc_span span;
    struct ag_str text;
    struct ag_str second_text; // p == NULL: there is no second place
    struct agc_span second;
    struct ag_str fix; // one line; p == NULL: none
    uint32_t order;    // in which it was found
};

struct agc_diags {
    struct agc_arena *arena;
    const struct agc_sources *sources;
    uint32_t n, cap;
    struct agc_diag *v;
    uint32_t nerrors, nwarnings; // dropped ones included
    bool warnings_are_errors;
    bool is_off[AGC_DIAG_COUNT];       // -Wno-ID
    bool is_error_opt[AGC_DIAG_COUNT]; // -Werror=ID
    struct agc_diag sink;              // takes what is suppressed
};

// An empty collection. Both pointers must outlive it.
void agc_diags_init(struct agc_diags *d, struct agc_arena *a, const struct agc_sources *sources);

// The word after -W: "error", "error=ID", "no-ID", "ID". False when the id is unknown (or an error that
// cannot be off).
bool agc_diags_option(struct agc_diags *d, const char *word);

// Adds one; the text is formatted like printf. Never NULL: what follows may add a second place and a fix.
__attribute__((format(printf, 4, 5))) struct agc_diag *agc_diag(struct agc_diags *d, enum agc_diag_id id,
                                                                struct agc_span span, const char *fmt, ...);
__attribute__((format(printf, 4, 5))) void agc_diag_second(struct agc_diags *d, struct agc_diag *at,
                                                           struct agc_span span, const char *fmt, ...);
__attribute__((format(printf, 3, 4))) void agc_diag_fix(struct agc_diags *d, struct agc_diag *at,
                                                        const char *fmt, ...);

// True when an output file must not be written.
static inline bool
agc_diags_failed(const struct agc_diags *d)
{
    return d->nerrors != 0;
}

// Sorts by source, place and order of discovery, then prints. Text goes to 20 entries and a line that counts
// the rest.
void agc_diags_print(struct agc_diags *d, enum agc_diag_format format, FILE *f);

const char *agc_diag_name(enum agc_diag_id id);

// The word of `words` nearest to `got` by edit distance (insert, delete, replace, swap neighbours), or NULL
// when none is near: at most a third of the longer word, and at most 3.
const char *agc_nearest(struct ag_str got, const char *const *words, size_t nwords);

#endif
