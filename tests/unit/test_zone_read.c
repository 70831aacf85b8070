// SPDX-License-Identifier: Apache-2.0
// Time zones: names, every file of the system's zoneinfo, known offsets and rules, damaged files.
#include "t.h"

#include "compiler/zone_read.h"

#include <dirent.h>

static struct agc_arena arena;

static struct ag_str
load(const char *zone)
{
    char path[600];
    static char bytes[1 << 16];
    snprintf(path, sizeof path, AGC_ZONE_DIR "/%s", zone);
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(bytes, 1, sizeof bytes, f) : 0;
    if (f)
        fclose(f);
    return ag_str_of(bytes, n);
}

static void
test_names(void)
{
    static const char *const good[] = {"UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+12",
                                       "A-b_c"};
    static const char *const bad[] = {"",   "/etc/passwd", "../x", "a/../b",     "a//b",
                                      "a/", "a b",         "a.b",  "caf\xc3\xa9"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        OK(agc_zone_name_ok(ag_str_z(good[i])), "name %s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        OK(!agc_zone_name_ok(ag_str_z(bad[i])), "no name: \"%s\"", bad[i]);
    char longest[AGC_ZONE_NAME_MAX + 2];
    memset(longest, 'a', sizeof longest);
    OK(agc_zone_name_ok(ag_str_of(longest, AGC_ZONE_NAME_MAX)) &&
           !agc_zone_name_ok(ag_str_of(longest, AGC_ZONE_NAME_MAX + 1)),
       "the longest name, and one byte more");
}

static int32_t
offset_at(const struct ag_zone *z, int64_t t)
{
    int32_t off = z->first_offset;
    for (uint32_t i = 0; i < z->ntrans && z->trans[i].at <= t; i++)
        off = z->trans[i].offset;
    return off;
}

static void
test_known(void)
{
    struct ag_zone *z = NULL;
    struct ag_str b = load("Europe/Berlin");
    if (b.n == 0) {
        t_skip("no zoneinfo on this machine");
        return;
    }
    OK(!agc_zone_parse(&arena, b, &z) && z->name == AG_NONE, "Europe/Berlin reads");
    OK(z->has_dst && z->std_offset == 3600 && z->dst_offset == 7200 && z->dst_start.month == 3 &&
           z->dst_start.week == 5 && z->dst_start.day == 0 && z->dst_start.time == 7200 &&
           z->dst_end.month == 10 && z->dst_end.time == 10800,
       "its rule");
    OK(offset_at(z, 1774746000 - 1) == 3600 && offset_at(z, 1774746000) == 7200, "the change of 2026-03-29");
    for (uint32_t i = 1; i < z->ntrans; i++)
        if (z->trans[i - 1].at >= z->trans[i].at)
            OK(0, "transitions ascend");
    OK(!agc_zone_parse(&arena, load("Asia/Kathmandu"), &z) && !z->has_dst && z->std_offset == 20700,
       "Asia/Kathmandu +5:45");
    OK(!agc_zone_parse(&arena, load("America/St_Johns"), &z) && z->std_offset == -12600 && z->has_dst,
       "America/St_Johns -3:30");
    OK(!agc_zone_parse(&arena, load("Etc/UTC"), &z) && z->ntrans == 0 && z->std_offset == 0, "Etc/UTC");
}

static void
scan(const char *dir, int depth, unsigned *files, unsigned *refused)
{
    char path[600];
    snprintf(path, sizeof path, AGC_ZONE_DIR "/%s", dir);
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d)) != NULL;) {
        char name[300];
        if (e->d_name[0] == '.' || strcmp(e->d_name, "right") == 0)
            continue;
        snprintf(name, sizeof name, "%.30s%s%.200s", dir, *dir ? "/" : "", e->d_name);
        if (e->d_type == DT_DIR && depth < 3) {
            scan(name, depth + 1, files, refused);
            continue;
        }
        struct ag_str b = load(name);
        struct ag_zone *z;
        if (b.n < 4 || memcmp(b.p, "TZif", 4) != 0)
            continue;
        ++*files;
        const char *why = agc_zone_parse(&arena, b, &z);
        if (why) {
            ++*refused;
            printf("# %s: %s\n", name, why);
        }
    }
    if (d)
        closedir(d);
}

static void
test_damaged(void)
{
    struct ag_zone *z;
    struct ag_str b = load("Europe/Berlin");
    char copy[1 << 16];
    unsigned accepted = 0;
    for (size_t n = 0; n < b.n; n++)
        accepted += !agc_zone_parse(&arena, ag_str_of(b.p, n), &z);
    OK(accepted == 0, "no cut file is accepted");
    for (size_t i = 0; i < b.n; i++) { // the sanitizers watch
        memcpy(copy, b.p, b.n);
        copy[i] = (char)(copy[i] ^ 0xff);
        agc_zone_parse(&arena, ag_str_of(copy, b.n), &z);
    }
    OK(agc_zone_parse(&arena, AG_STR("hello"), &z) != NULL, "text is no zone");
}

int
main(void)
{
    unsigned files = 0, refused = 0;
    test_names();
    test_known();
    scan("", 0, &files, &refused);
    OK(refused == 0, "every one of %u zoneinfo files reads", files);
    test_damaged();
    agc_arena_fini(&arena);
    return t_done();
}
