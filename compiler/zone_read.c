// SPDX-License-Identifier: Apache-2.0
// TZif (RFC 8536) -> struct ag_zone: the 64-bit block's transitions and the footer's POSIX rule. In: file
// bytes, not trusted. Out: a zone body. Memory: the compile arena. Next file to read: vm/zone.c.
#include "zone_read.h"

#include "cursor.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#define HEADER_BYTES 44u
#define OFFSET_MAX   (26 * 3600) // seconds from UTC that RFC 8536 allows at most
#define ABBR_MAX     256u        // bytes of the abbreviations of one zone, with their ends: a byte names one

bool
agc_zone_name_ok(struct ag_str name)
{
    if (name.n == 0 || name.n > AGC_ZONE_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '+' || c == '-';
        bool is_slash = c == '/' && i > 0 && i + 1 < name.n && name.p[i - 1] != '/';
        if (!is_word && !is_slash)
            return false;
    }
    return true;
}

static uint32_t
be32(const char *p)
{
    const unsigned char *b = (const unsigned char *)p;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static int64_t
be64(const char *p)
{
    return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

struct block {
    uint32_t isutcnt, isstdcnt, leapcnt, timecnt, typecnt, charcnt;
};

// Header at `at`. Returns the block's data size for `time_size`-byte times, 0 when it is none.
static uint64_t
header(struct ag_str s, size_t at, unsigned time_size, struct block *ret)
{
    if (at > s.n || s.n - at < HEADER_BYTES || memcmp(s.p + at, "TZif", 4) != 0)
        return 0;
    const char *p = s.p + at + 20;
    *ret = (struct block){be32(p), be32(p + 4), be32(p + 8), be32(p + 12), be32(p + 16), be32(p + 20)};
    if (ret->timecnt > AGC_ZONE_TRANS_MAX || ret->typecnt == 0 || ret->typecnt > 256 || ret->charcnt > 4096 ||
        ret->leapcnt > 1024 || ret->isutcnt > 256 || ret->isstdcnt > 256)
        return 0;
    return (uint64_t)ret->timecnt * (time_size + 1) + (uint64_t)ret->typecnt * 6 + ret->charcnt +
           (uint64_t)ret->leapcnt * (time_size + 4) + ret->isutcnt + ret->isstdcnt;
}

// --- the footer: a POSIX TZ string as RFC 8536 extends it

struct posix {
    struct ag_str s;
    size_t at;
};

static char
peek(const struct posix *p)
{
    return p->at < p->s.n ? p->s.p[p->at] : '\0';
}

static bool
number(struct posix *p, uint32_t max, uint32_t *ret)
{
    uint32_t v = 0;
    size_t from = p->at;
    for (; peek(p) >= '0' && peek(p) <= '9' && p->at - from < 4; p->at++)
        v = v * 10 + (uint32_t)(peek(p) - '0');
    *ret = v;
    return p->at > from && v <= max;
}

// An abbreviation, perhaps in < >.
static bool
name(struct posix *p, struct ag_str *ret)
{
    size_t from = p->at;
    if (peek(p) == '<') {
        while (peek(p) && peek(p) != '>')
            p->at++;
        *ret = ag_str_of(p->s.p + from + 1, p->at - from - 1);
        return peek(p) == '>' && p->at++ > from + 1;
    }
    while ((peek(p) >= 'a' && peek(p) <= 'z') || (peek(p) >= 'A' && peek(p) <= 'Z'))
        p->at++;
    *ret = ag_str_of(p->s.p + from, p->at - from);
    return p->at - from >= 3;
}

// [+-]hh[:mm[:ss]] in seconds.
static bool
hms(struct posix *p, uint32_t hours_max, int32_t *ret)
{
    int sign = 1;
    if (peek(p) == '+' || peek(p) == '-')
        sign = p->s.p[p->at++] == '-' ? -1 : 1;
    uint32_t h, m = 0, s = 0;
    if (!number(p, hours_max, &h))
        return false;
    if (peek(p) == ':' && (p->at++, !number(p, 59, &m)))
        return false;
    if (peek(p) == ':' && (p->at++, !number(p, 59, &s)))
        return false;
    *ret = sign * (int32_t)(h * 3600 + m * 60 + s);
    return true;
}

// ,Mm.w.d[/time]
static bool
rule(struct posix *p, uint32_t ret[3], int32_t *ret_time)
{
    static const uint32_t max[3] = {12, 5, 6};
    if (peek(p) != ',' || (p->at++, peek(p) != 'M'))
        return false;
    for (int i = 0; i < 3; i++) {
        p->at++;
        if (!number(p, max[i], &ret[i]) || (i < 2 && (ret[i] == 0 || peek(p) != '.')))
            return false;
    }
    *ret_time = 2 * 3600;
    return peek(p) != '/' || (p->at++, hms(p, 167, ret_time));
}

// Fills the rule fields of z, and its abbreviations without and with daylight saving. False when the footer
// has a form we do not know.
static bool
footer(struct ag_str s, struct ag_zone *z, struct ag_str abbr[2])
{
    struct posix p = {s, 0};
    int32_t west, time[2];
    uint32_t when[2][3];
    if (!name(&p, &abbr[0]) || !hms(&p, 24, &west))
        return false;
    z->std_offset = -west;
    if (p.at == s.n)
        return true;
    if (!name(&p, &abbr[1]))
        return false;
    z->dst_offset = z->std_offset + 3600;
    if (peek(&p) != ',') {
        if (!hms(&p, 24, &west))
            return false;
        z->dst_offset = -west;
    }
    if (!rule(&p, when[0], &time[0]) || !rule(&p, when[1], &time[1]) || p.at != s.n)
        return false;
    z->has_dst = 1;
    z->dst_start.month = when[0][0], z->dst_start.week = when[0][1], z->dst_start.day = when[0][2];
    z->dst_start.time = time[0];
    z->dst_end.month = when[1][0], z->dst_end.week = when[1][1], z->dst_end.day = when[1][2];
    z->dst_end.time = time[1];
    return true;
}

// --- the file

// Offset of local time type `ix`, or OFFSET_MAX + 1 when it is out of range.
static int32_t
type_offset(const char *types, uint32_t n, uint32_t ix)
{
    int32_t v = ix < n ? (int32_t)be32(types + (size_t)ix * 6) : OFFSET_MAX + 1;
    return v < -OFFSET_MAX || v > OFFSET_MAX ? OFFSET_MAX + 1 : v;
}

// The place of an abbreviation among those of the zone, appended when it is new; -1: there is no room.
static int
abbreviation(struct ag_zone *z, struct ag_str s)
{
    char *texts = (char *)z + z->abbr_off;
    for (uint32_t i = 0; i < z->abbr_n; i++)
        if (z->abbr_n - i > s.n && memcmp(texts + i, s.p, s.n) == 0 && texts[i + s.n] == 0)
            return (int)i;
    if (s.n + 1 > ABBR_MAX - z->abbr_n)
        return -1;
    memcpy(texts + z->abbr_n, s.p, s.n);
    texts[z->abbr_n + s.n] = 0;
    z->abbr_n += (uint32_t)s.n + 1;
    return (int)(z->abbr_n - (uint32_t)s.n - 1);
}

// The abbreviation of local time type `ix`, or -1.
static int
type_abbr(struct ag_zone *z, const char *types, const struct block *b, uint32_t ix)
{
    const char *texts = types + (size_t)b->typecnt * 6;
    uint32_t at = (unsigned char)types[(size_t)ix * 6 + 5];
    const char *end = at < b->charcnt ? memchr(texts + at, 0, b->charcnt - at) : NULL;
    return end ? abbreviation(z, ag_str_of(texts + at, (size_t)(end - texts) - at)) : -1;
}

// Rule and abbreviations of the times behind the last transition. False: of a form we do not know.
static bool
last_rule(struct ag_zone *z, struct ag_str text)
{
    struct ag_str abbr[2] = {{NULL, 0}, {NULL, 0}};
    if (text.n == 0) { // no rule: what held last stays
        z->std_offset = z->ntrans ? z->trans[z->ntrans - 1].offset : z->first_offset;
        z->std_abbr = z->ntrans ? (uint8_t)z->trans[z->ntrans - 1].abbr : z->first_abbr;
        return true;
    }
    if (!footer(text, z, abbr))
        return false;
    int std = abbreviation(z, abbr[0]), dst = abbr[1].n ? abbreviation(z, abbr[1]) : 0;
    z->std_abbr = (uint8_t)std;
    z->dst_abbr = (uint8_t)dst;
    return std >= 0 && dst >= 0;
}

const char *
agc_zone_parse(struct agc_arena *a, struct ag_str s, struct ag_zone **ret)
{
    struct block b1, b;
    uint64_t skip = header(s, 0, 4, &b1);
    if (skip == 0)
        return "not a time-zone file";
    if (s.p[4] < '2')
        return "a time-zone file of version 1, which ends in 2037";
    size_t at = HEADER_BYTES + (size_t)skip;
    uint64_t size = header(s, at, 8, &b);
    if (size == 0 || size > s.n - at - HEADER_BYTES)
        return "a damaged time-zone file";
    if (b.leapcnt)
        return "a time-zone file that counts leap seconds (a \"right\" zone)";
    const char *times = s.p + at + HEADER_BYTES, *indexes = times + (size_t)b.timecnt * 8,
               *types = indexes + b.timecnt;
    size_t tail = at + HEADER_BYTES + (size_t)size;
    const char *nl =
        s.n - tail >= 2 && s.p[tail] == '\n' ? memchr(s.p + tail + 1, '\n', s.n - tail - 1) : NULL;
    if (!nl)
        return "a time-zone file without a footer";
    struct ag_str rule_text = ag_str_of(s.p + tail + 1, (size_t)(nl - (s.p + tail + 1)));
    size_t bytes = sizeof(struct ag_zone) + (size_t)b.timecnt * sizeof(((struct ag_zone *)0)->trans[0]);
    struct ag_zone *z = agc_alloc(a, bytes + ABBR_MAX);
    z->abbr_off = (uint32_t)bytes;
    z->name = AG_NONE;
    z->first_offset = type_offset(types, b.typecnt, 0);
    int abbr = type_abbr(z, types, &b, 0);
    if (z->first_offset > OFFSET_MAX || abbr < 0)
        return "a damaged time-zone file";
    z->first_abbr = (uint8_t)abbr;
    for (uint32_t i = 0; i < b.timecnt; i++) {
        int64_t t = be64(times + (size_t)i * 8);
        int32_t off = type_offset(types, b.typecnt, (unsigned char)indexes[i]);
        abbr = off > OFFSET_MAX ? -1 : type_abbr(z, types, &b, (unsigned char)indexes[i]);
        if (abbr < 0 || (z->ntrans && t <= z->trans[z->ntrans - 1].at))
            return "a damaged time-zone file";
        z->trans[z->ntrans].at = t;
        z->trans[z->ntrans].offset = off;
        z->trans[z->ntrans].abbr = (uint32_t)abbr;
        z->ntrans++;
    }
    if (!last_rule(z, rule_text))
        return "a time-zone rule of an unknown form";
    z->size = (z->abbr_off + z->abbr_n + 7) & ~7u;
    *ret = z;
    return NULL;
}

static bool
read_file(struct agc_arena *a, const char *path, struct ag_str *ret)
{
    FILE *f = fopen(path, "rbe");
    if (!f)
        return false;
    char *p = agc_alloc(a, AGC_ZONE_FILE_MAX / 16);
    size_t n = fread(p, 1, AGC_ZONE_FILE_MAX / 16, f);
    bool ok = !ferror(f) && feof(f);
    fclose(f);
    *ret = ag_str_of(p, n);
    return ok;
}

// "# version 2024a" is the first line of tzdata.zi; a copy of the database may have a file +VERSION instead.
static bool
version(struct agc_arena *a, const char *dir, struct ag_str *ret)
{
    char path[4096], line[128];
    static const struct {
        const char *file, *prefix;
    } places[] = {{"tzdata.zi", "# version "}, {"+VERSION", ""}};
    for (size_t i = 0; i < 2; i++) {
        int n = snprintf(path, sizeof path, "%s/%s", dir, places[i].file);
        FILE *f = n > 0 && (size_t)n < sizeof path ? fopen(path, "re") : NULL;
        if (!f)
            continue;
        bool got = fgets(line, sizeof line, f) != NULL;
        fclose(f);
        size_t skip = strlen(places[i].prefix), len = got ? strcspn(line, "\r\n") : 0;
        if (len > skip && memcmp(line, places[i].prefix, skip) == 0) {
            *ret = agc_strdup(a, ag_str_of(line + skip, len - skip));
            return true;
        }
    }
    return false;
}

// The entries of one directory whose spelling is near to the last part of the name.
static void
suggest(struct agc_arena *a, struct agc_diags *diags, struct agc_diag *d, const char *dir, struct ag_str zone)
{
    size_t slash = zone.n;
    while (slash && zone.p[slash - 1] != '/')
        slash--;
    char path[4096];
    snprintf(path, sizeof path, "%s/%.*s", dir, (int)slash, zone.p);
    DIR *list = opendir(path);
    if (!list)
        return;
    uint32_t n = 0, cap = 0;
    const char **words = NULL;
    for (struct dirent *e; (e = readdir(list)) != NULL;) {
        words = agc_grow(a, words, n, &cap, sizeof *words);
        words[n++] = agc_strdup(a, ag_str_z(e->d_name)).p;
    }
    closedir(list);
    const char *near = agc_nearest(ag_str_of(zone.p + slash, zone.n - slash), words, n);
    if (near)
        agc_diag_fix(diags, d, "write %.*s%s", (int)slash, zone.p, near);
}

bool
agc_zones_read(struct agc_arena *a, struct agc_diags *diags, const struct agc_policy *policy, const char *dir,
               struct ag_zone ***ret, struct ag_str *ret_version)
{
    uint32_t errors = diags->nerrors;
    if (!dir)
        dir = AGC_ZONE_DIR;
    struct ag_zone **zones = agc_alloc(a, (policy->nzones + 1u) * sizeof *zones);
    for (uint32_t i = 0; i < policy->nzones; i++) {
        const struct agc_str_at *z = &policy->zones[i];
        char path[4096];
        struct ag_str bytes;
        int n = snprintf(path, sizeof path, "%s/%.*s", dir, (int)z->text.n, z->text.p);
        if (!agc_zone_name_ok(z->text) || n < 0 || (size_t)n >= sizeof path || !read_file(a, path, &bytes)) {
            struct agc_diag *d = agc_diag(diags, AGC_D_BAD_ZONE, z->span, "unknown time zone \"%.*s\"",
                                          (int)(z->text.n < 100 ? z->text.n : 100), z->text.p);
            if (agc_zone_name_ok(z->text))
                suggest(a, diags, d, dir, z->text);
            continue;
        }
        const char *why = agc_zone_parse(a, bytes, &zones[i]);
        if (why)
            agc_diag(diags, AGC_D_BAD_ZONE, z->span, "time zone %.*s: %s", (int)z->text.n, z->text.p, why);
    }
    *ret = zones;
    *ret_version = AG_STR("");
    if (policy->nzones && !version(a, dir, ret_version))
        agc_diag(diags, AGC_D_BAD_ZONE, policy->zones[0].span,
                 "%.200s names no version of the time-zone data", dir);
    return diags->nerrors == errors;
}
