// SPDX-License-Identifier: Apache-2.0
// What the files of the formatter share: the writer, which knows how far the source has been written, so that
// each comment comes out where it stood. Thread rule: one writer, one thread. Next file to read: fmt_term.c.
#ifndef AGC_FMT_PARTS_H
#define AGC_FMT_PARTS_H

#include "fmt.h"

struct agc_fmt {
    struct agc_arena *arena;
    const struct agc_sources *sources;
    const struct agc_module *module;
    struct ag_str source; // its bytes
    char *p;
    size_t n, size;
    uint32_t level;
    uint32_t at;      // byte of the source behind the last token that was written
    uint32_t comment; // the next one to write
    uint32_t meta;    // comments before this one belong to an annotation
    bool is_inline;   // something stands on the line
};

uint32_t agc_fmt_row(const struct agc_fmt *w, uint32_t at);
void agc_fmt_put(struct agc_fmt *w, struct ag_str s);
void agc_fmt_z(struct agc_fmt *w, const char *s);
// Ends the line; a comment behind the last token on its line of the source goes with it.
void agc_fmt_newline(struct agc_fmt *w);
void agc_fmt_blank(struct agc_fmt *w);
// Writes the comments before byte `at` of the source, each on its line.
void agc_fmt_comments(struct agc_fmt *w, uint32_t at);

void agc_fmt_name(struct agc_fmt *w, const struct agc_node *ref); // of a head or a path
void agc_fmt_expr(struct agc_fmt *w, const struct agc_node *n);
void agc_fmt_literal(struct agc_fmt *w, const struct agc_node *n);
// `open` .. `close` around elements; `begin` and `end` are the bytes of the brackets in the source.
void agc_fmt_list(struct agc_fmt *w, struct agc_node *const *v, uint32_t n, const char *open,
                  const char *close, uint32_t begin, uint32_t end);
// The literals of a query on lines of their own, one level in, up to the bracket at byte `close`.
void agc_fmt_lines(struct agc_fmt *w, const struct agc_node *query, uint32_t close);
// The next byte of the source from `at` on that is neither blank nor comment, and the next such byte that is
// c.
uint32_t agc_fmt_skip(const struct agc_fmt *w, uint32_t at);
uint32_t agc_fmt_find(const struct agc_fmt *w, uint32_t at, char c);

#endif
