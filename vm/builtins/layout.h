// SPDX-License-Identifier: Apache-2.0
// Layouts of times: the reference time "Mon Jan 2 15:04:05 MST 2006" written as a time shall look, as Go's
// package time (1.26) reads them. In: layout and text. Out: text and time. Thread rule: pure functions but
// for the arena.
#ifndef AG_LAYOUT_H
#define AG_LAYOUT_H

#include "buf.h"
#include "machine.h"

// What a piece of a layout stands for.
enum ag_layout_kind {
    AG_LAYOUT_END, // plain text up to the end
    AG_LAYOUT_LONG_MONTH,
    AG_LAYOUT_MONTH,
    AG_LAYOUT_NUM_MONTH,
    AG_LAYOUT_ZERO_MONTH,
    AG_LAYOUT_LONG_WEEKDAY,
    AG_LAYOUT_WEEKDAY,
    AG_LAYOUT_DAY,
    AG_LAYOUT_UNDER_DAY,
    AG_LAYOUT_ZERO_DAY,
    AG_LAYOUT_UNDER_YEARDAY,
    AG_LAYOUT_ZERO_YEARDAY,
    AG_LAYOUT_HOUR,
    AG_LAYOUT_HOUR12,
    AG_LAYOUT_ZERO_HOUR12,
    AG_LAYOUT_MINUTE,
    AG_LAYOUT_ZERO_MINUTE,
    AG_LAYOUT_SECOND,
    AG_LAYOUT_ZERO_SECOND,
    AG_LAYOUT_LONG_YEAR,
    AG_LAYOUT_YEAR,
    AG_LAYOUT_PM,
    AG_LAYOUT_pm,
    AG_LAYOUT_TZ,      // MST
    AG_LAYOUT_OFFSET,  // see the flags of struct ag_layout_piece
    AG_LAYOUT_FRACTION // see digits
};

struct ag_layout_piece {
    struct ag_str before; // plain text before it
    struct ag_str text;   // the piece itself
    enum ag_layout_kind kind;
    // OFFSET: Z stands for UTC; with colons; parts written: 1 hours, 2 and minutes, 3 and seconds
    bool has_z, has_colon;
    uint8_t parts;
    // FRACTION
    bool is_trimmed; // nines: trailing zeros are left out
    char separator;  // . or ,
    uint32_t digits;
};

// Takes the next piece off the front of *layout.
struct ag_layout_piece ag_layout_next(struct ag_str *layout);
// The layout that a constant's name ("RFC3339") stands for, else the text itself.
struct ag_str ag_layout_named(struct ag_str name);

// A moment with the clock of its place.
struct ag_local {
    int64_t s;      // UNIX seconds
    uint32_t ns;    // 0 .. 999999999
    int32_t offset; // seconds east of UTC
    struct ag_str abbreviation;
};
// Bytes that ag_layout_format writes at most.
size_t ag_layout_size(struct ag_str layout, const struct ag_local *t);
void ag_layout_format(struct ag_buf *out, struct ag_str layout, const struct ag_local *t);

// Reads a time. Zone names mean what they do to Go in UTC: UTC, GMT+3, others have offset 0. Returns
// undefined and *ret_s, *ret_ns, or the error.
struct ag_value ag_layout_parse(struct ag_call *c, struct ag_str layout, struct ag_str text, int64_t *ret_s,
                                uint32_t *ret_ns);

// s in quotes as the messages of Go's package have it: bytes that are not ASCII and controls as \x.., the end
// of a long text left out.
void ag_layout_quote(struct ag_buf *out, struct ag_str s);

extern const char *const ag_month_names[12];
extern const char *const ag_weekday_names[7]; // Monday is 0, as in zone.h

#endif
