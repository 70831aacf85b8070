// SPDX-License-Identifier: Apache-2.0
// time.*: zones with their abbreviations, layouts in both directions, limits of nanoseconds, calendar
// arithmetic (language.md: results of OPA 1.18). Zones come from the system's zoneinfo.
#include "builtin_call.h"
#include "compiler/zone_read.h"
#include "zone.h"

// clang-format off
static const struct bc_case cases[] = {
    {"time.clock", "[1700000000123456789]", "[22,13,20]"},
    {"time.date", "[[1700000000000000000]]", "[2023,11,14]"},
    {"time.date", "[-1]", "[1969,12,31]"},
    {"time.weekday", "[-1]", "\"Wednesday\""},
    {"time.clock", "[[1700000000000000000, \"Europe/Berlin\"]]", "[23,13,20]"},
    {"time.clock", "[[1690000000000000000, \"Europe/Berlin\"]]", "[6,26,40]"},
    {"time.clock", "[[0, \"No/Where\"]]", "eval_builtin_error: time.clock: unknown time zone No/Where"},
    {"time.date", "[1e+300]", "eval_builtin_error: time.date: timestamp too big"},
    {"time.date", "[1.5]", "eval_builtin_error: time.date: timestamp too big"},
    {"time.date", "[[]]", "eval_type_error: time.date: operand 1 must be either number (ns) or [number (ns), string (tz)] but got array"},
    {"time.date", "[\"x\"]", "eval_type_error: time.date: operand 1 must be either number (ns) or [number (ns), string (tz)] but got string"},
    {"time.date", "[[\"x\"]]", "eval_type_error: time.date: operand 1 must be number but got string"},
    {"time.date", "[[1, 2]]", "eval_type_error: time.date: operand 1 must be string but got number"},
    {"time.clock", "[[0, \"Local\"]]", "[0,0,0]"},
    {"time.format", "[1700000000120000000]", "\"2023-11-14T22:13:20.12Z\""},
    {"time.format", "[[1700000000000000000, \"Europe/Berlin\"]]", "\"2023-11-14T23:13:20+01:00\""},
    {"time.format", "[[1690000000000000000, \"Europe/Berlin\", \"RFC1123\"]]", "\"Sat, 22 Jul 2023 06:26:40 CEST\""},
    {"time.format", "[[-3000000000000000000, \"Europe/Berlin\", \"UnixDate\"]]", "\"Mon Dec  7 19:33:28 LMT 1874\""},
    {"time.format", "[[4200000000000000000, \"Europe/Berlin\", \"RFC850\"]]", "\"Sunday, 04-Feb-03 03:40:00 CET\""},
    {"time.format", "[[1700000000123456789, \"UTC\", \"Mon Monday Jan January 1 01 2 02 _2 __2 002 15 3 03 4 04 5 05 06 2006 PM pm .000 ,999 .00\"]]", "\"Tue Tuesday Nov November 11 11 14 14 14 318 318 22 10 10 13 13 20 20 23 2023 PM pm .123 ,123 .12\""},
    {"time.format", "[[1700000000123456789, \"Asia/Kolkata\", \"MST Z0700 Z07:00 -0700 -07:00 -07 Z07 -070000 -07:00:00\"]]", "\"IST +0530 +05:30 +0530 +05:30 +05 +05 +053000 +05:30:00\""},
    {"time.format", "[[0, \"\", \"Z070000 Z07:00:00 Month Jane _2006\"]]", "\"Z Z Month Jane _1970\""},
    {"time.parse_ns", "[\"RFC1123\", \"Tue, 14 Nov 2023 22:13:20 GMT\"]", "1700000000000000000"},
    {"time.parse_ns", "[\"2006-01-02\", \"2024-02-30\"]", "eval_builtin_error: time.parse_ns: parsing time \"2024-02-30\": day out of range"},
    {"time.parse_ns", "[\"2006-01-02\", \"2024-13-01\"]", "eval_builtin_error: time.parse_ns: parsing time \"2024-13-01\": month out of range"},
    {"time.parse_ns", "[\"2006-01-02\", \"24-01-01\"]", "eval_builtin_error: time.parse_ns: parsing time \"24-01-01\" as \"2006-01-02\": cannot parse \"24-01-01\" as \"2006\""},
    {"time.parse_ns", "[\"2006-01-02\", \"2024-01-01 \"]", "eval_builtin_error: time.parse_ns: parsing time \"2024-01-01 \": extra text: \" \""},
    {"time.parse_ns", "[\"2006 002\", \"2024 366\"]", "1735603200000000000"},
    {"time.parse_ns", "[\"2006 002\", \"2023 366\"]", "eval_builtin_error: time.parse_ns: parsing time \"2023 366\": day-of-year out of range"},
    {"time.parse_ns", "[\"2006 01 002\", \"2023 02 001\"]", "eval_builtin_error: time.parse_ns: parsing time \"2023 02 001\": day-of-year does not match month"},
    {"time.parse_ns", "[\"3:04PM\", \"12:30AM\"]", "eval_builtin_error: time.parse_ns: time outside of valid range"},
    {"time.parse_ns", "[\"15:04:05\", \"25:00:00\"]", "eval_builtin_error: time.parse_ns: parsing time \"25:00:00\": hour out of range"},
    {"time.parse_ns", "[\"15:04:05\", \"23:59:59,5\"]", "eval_builtin_error: time.parse_ns: time outside of valid range"},
    {"time.parse_ns", "[\"Mon Jan _2 2006\", \"tue feb  3 2026\"]", "1770076800000000000"},
    {"time.parse_ns", "[\"2006 -0700\", \"2024 +0160\"]", "1704060000000000000"},
    {"time.parse_ns", "[\"2006 -0700\", \"2024 +2561\"]", "eval_builtin_error: time.parse_ns: parsing time \"2024 +2561\": time zone offset minute out of range"},
    {"time.parse_ns", "[\"2006 Z07:00\", \"2024 Z\"]", "1704067200000000000"},
    {"time.parse_ns", "[\"2006 MST\", \"2024 CEST\"]", "1704067200000000000"},
    {"time.parse_ns", "[\"2006 MST\", \"2024 GMT+3\"]", "1704067200000000000"},
    {"time.parse_ns", "[\"2006 MST\", \"2024 xyz\"]", "eval_builtin_error: time.parse_ns: parsing time \"2024 xyz\" as \"2006 MST\": cannot parse \"xyz\" as \"MST\""},
    {"time.parse_ns", "[\".000\", \".12\"]", "eval_builtin_error: time.parse_ns: parsing time \".12\" as \".000\": cannot parse \".12\" as \".000\""},
    {"time.parse_ns", "[\"2006\", \"9999\"]", "eval_builtin_error: time.parse_ns: time outside of valid range"},
    {"time.parse_rfc3339_ns", "[\"2023-11-14T22:13:20.123456789+01:00\"]", "1699996400123456789"},
    {"time.parse_rfc3339_ns", "[\"1677-09-21T00:12:43.145224192Z\"]", "-9223372036854775808"},
    {"time.parse_rfc3339_ns", "[\"1677-09-21T00:12:43.145224191Z\"]", "eval_builtin_error: time.parse_rfc3339_ns: time outside of valid range"},
    {"time.parse_rfc3339_ns", "[\"2262-04-11T23:47:16.854775807Z\"]", "9223372036854775807"},
    {"time.parse_rfc3339_ns", "[\"2262-04-11T23:47:16.854775808Z\"]", "eval_builtin_error: time.parse_rfc3339_ns: time outside of valid range"},
    {"time.parse_rfc3339_ns", "[\"2023-11-14\"]", "eval_builtin_error: time.parse_rfc3339_ns: parsing time \"2023-11-14\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"\" as \"T\""},
    {"time.parse_duration_ns", "[\"1h30m\"]", "5400000000000"},
    {"time.parse_duration_ns", "[\"-1.5h\"]", "-5400000000000"},
    {"time.parse_duration_ns", "[\"1d2h\"]", "93600000000000"},
    {"time.parse_duration_ns", "[\"0.5w1y\"]", "31838400000000000"},
    {"time.parse_duration_ns", "[\"0\"]", "0"},
    {"time.parse_duration_ns", "[\"\"]", "eval_builtin_error: time.parse_duration_ns: time: invalid duration \"\""},
    {"time.parse_duration_ns", "[\"1\"]", "eval_builtin_error: time.parse_duration_ns: time: missing unit in duration \"1\""},
    {"time.parse_duration_ns", "[\"1x\"]", "eval_builtin_error: time.parse_duration_ns: time: unknown unit \"x\" in duration \"1x\""},
    {"time.parse_duration_ns", "[\"1µs1μs\"]", "2000"},
    {"time.parse_duration_ns", "[\"9223372036854775807ns\"]", "9223372036854775807"},
    {"time.parse_duration_ns", "[\"9223372036854775808ns\"]", "eval_builtin_error: time.parse_duration_ns: time: invalid duration \"9223372036854775808ns\""},
    {"time.parse_duration_ns", "[\"-9223372036854775808ns\"]", "-9223372036854775808"},
    {"time.parse_duration_ns", "[\"1dd\"]", "eval_builtin_error: time.parse_duration_ns: time: invalid duration \"1dd\""},
    {"time.add_date", "[1700000000000000000, 1, 1, 1]", "1734300800000000000"},
    {"time.add_date", "[1706659200000000000, 0, 1, 0]", "1709337600000000000"},
    {"time.add_date", "[[1711778400000000000, \"Europe/Berlin\"], 0, 0, 1]", "1711861200000000000"},
    {"time.add_date", "[0, 300, 0, 0]", "eval_builtin_error: time.add_date: time outside of valid range"},
    {"time.add_date", "[0, 1.5, 0, 0]", "eval_type_error: time.add_date: operand 2 must be integer number but got floating-point number"},
    {"time.add_date", "[\"x\", 1, 0, 0]", "eval_type_error: time.add_date: operand 1 must be either number (ns) or [number (ns), string (tz)] but got string"},
    {"time.diff", "[1700000000000000000, 1600000000000000000]", "[3,2,1,9,46,40]"},
    {"time.diff", "[[1711778400000000000, \"Europe/Berlin\"], 1711864800000000000]", "[0,0,1,1,0,0]"},
    {"time.diff", "[1706659200000000000, 1709164800000000000]", "[0,0,29,0,0,0]"},
};
// clang-format on

#define HEAP 4096u

static struct agc_arena arena;
static uint8_t heap[HEAP];
static ag_cell consts[8];
static uint64_t section[1u << 14];

// Adds zone `name` of the system to the image of the calls.
static bool
add_zone(const char *name)
{
    static char bytes[1u << 16];
    static uint32_t heap_at, section_at = 64;
    char path[256];
    struct ag_zone *z;
    uint32_t ix = bc_image.nzones;
    snprintf(path, sizeof path, AGC_ZONE_DIR "/%s", name);
    FILE *f = fopen(path, "rbe");
    size_t n = f ? fread(bytes, 1, sizeof bytes, f) : 0;
    if (f)
        fclose(f);
    if (!n || agc_zone_parse(&arena, ag_str_of(bytes, n), &z))
        return false;
    memcpy(heap + heap_at, name, strlen(name));
    consts[ix] = AG_STRING | (ag_cell)AG_IN_IMAGE << 4 | (ag_cell)strlen(name) << 8 | (ag_cell)heap_at << 32;
    heap_at += (uint32_t)strlen(name);
    z->name = ix;
    memcpy((uint8_t *)section + section_at, z, z->size);
    ((uint32_t *)(void *)section)[1 + ix] = section_at;
    section_at += z->size;
    bc_image.heap = heap;
    bc_image.consts = consts;
    bc_image.nconsts = bc_image.nzones = ix + 1;
    bc_image.zones = (const uint8_t *)section;
    return true;
}

static void
test_abbreviations(void)
{
    struct ag_str abbr;
    const struct ag_zone *z = ag_image_zone(&bc_image, 0);
    OK(ag_zone_local(z, 1774745999, &abbr) == 3600 && ag_str_is(abbr, "CET"), "winter in Berlin is CET");
    OK(ag_zone_local(z, 1774746000, &abbr) == 7200 && ag_str_is(abbr, "CEST"), "summer is CEST");
    OK(ag_zone_local(z, 4000000000, &abbr) == 7200 && ag_str_is(abbr, "CEST"), "and by the rule in 2096");
    OK(ag_zone_local(z, -4000000000, &abbr) == 3208 && ag_str_is(abbr, "LMT"), "before 1893 it is LMT");
    z = ag_image_zone(&bc_image, 1);
    OK(ag_zone_local(z, 0, &abbr) == 19800 && ag_str_is(abbr, "IST"), "a zone without rule");
}

int
main(void)
{
    if (!add_zone("Europe/Berlin") || !add_zone("Asia/Kolkata")) {
        t_skip("no zoneinfo on this machine");
        return t_done();
    }
    bc_table(cases, sizeof cases / sizeof *cases);
    test_abbreviations();
    agc_arena_fini(&arena);
    return t_done();
}
