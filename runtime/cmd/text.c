// SPDX-License-Identifier: Apache-2.0
// Small shared pieces of the commands: times as people write them, strings and decisions on the terminal, the
// simulator. In: text. Out: text. Memory: the caller's, or malloc where the header says so.
#include "cmd.h"

#include "aegis_crypto.h"
#include "buf.h"

#include <stdlib.h>

static bool
digits(const char **s, int n, int *ret)
{
    int v = 0;
    for (int i = 0; i < n; i++, (*s)++) {
        if (**s < '0' || **s > '9')
            return false;
        v = v * 10 + (**s - '0');
    }
    *ret = v;
    return true;
}

// Days since 1970-01-01 of a proleptic Gregorian date (Howard Hinnant's algorithm).
static int64_t
days_of(int y, int m, int d)
{
    y -= m <= 2;
    int64_t era = y / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static int
days_in(int y, int m)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[m - 1] + (m == 2 && y % 4 == 0 && (y % 100 != 0 || y % 400 == 0));
}

static bool
parse_zone(const char *s, int *ret_seconds)
{
    int h, m;
    *ret_seconds = 0;
    if (*s == 0 || ((*s == 'Z' || *s == 'z') && s[1] == 0))
        return true;
    if (*s != '+' && *s != '-')
        return false;
    int sign = *s++ == '-' ? -1 : 1;
    if (!digits(&s, 2, &h) || *s++ != ':' || !digits(&s, 2, &m) || *s)
        return false;
    *ret_seconds = sign * (h * 3600 + m * 60);
    return h < 24 && m < 60;
}

bool
agr_parse_time(const char *s, int64_t *ret_ns)
{
    int y = 2026, mo = 1, d = 5, h, mi, se = 0, zone = 0;
    const char *t = strchr(s, '-') && s[4] == '-' ? s : NULL;
    if (t) {
        if (!digits(&s, 4, &y) || *s++ != '-' || !digits(&s, 2, &mo) || *s++ != '-' || !digits(&s, 2, &d))
            return false;
        if (*s != 'T' && *s != 't' && *s != ' ')
            return false;
        s++;
    }
    if (!digits(&s, 2, &h) || *s++ != ':' || !digits(&s, 2, &mi))
        return false;
    if (*s == ':') {
        s++;
        if (!digits(&s, 2, &se))
            return false;
    }
    if (*s == '.')
        for (s++; *s >= '0' && *s <= '9';)
            s++;
    if (!parse_zone(s, &zone) || y < 1970 || y > 2200 || mo < 1 || mo > 12 || d < 1 || d > days_in(y, mo) ||
        h > 23 || mi > 59 || se > 60)
        return false;
    *ret_ns = (days_of(y, mo, d) * 86400 + h * 3600 + mi * 60 + se - zone) * 1000000000;
    return true;
}

void
agr_print_str(FILE *f, struct aegis_str s)
{
    fwrite(s.p, 1, s.n, f);
}

void
agr_print_upper(FILE *f, struct aegis_str s)
{
    for (size_t i = 0; i < s.n; i++)
        fputc(s.p[i] >= 'a' && s.p[i] <= 'z' ? s.p[i] - 32 : s.p[i], f);
}

void
agr_print_json_str(FILE *f, struct ag_str s)
{
    size_t size = s.n * 6 + 2;
    char *mem = malloc(size);
    struct ag_buf b;
    if (!mem)
        return;
    ag_buf_init(&b, mem, size);
    ag_buf_json_str(&b, s);
    fwrite(b.p, 1, b.n, f);
    free(mem);
}

int
agr_exit_of(const struct aegis_decision *d)
{
    switch (d->outcome) {
    case AEGIS_ALLOW:
    case AEGIS_MONITOR: return AGR_EXIT_OK;
    case AEGIS_THROTTLE:
    case AEGIS_ESCALATE: return AGR_EXIT_HELD;
    case AEGIS_DENY:
    case AEGIS_KILL: return AGR_EXIT_DENIED;
    case AEGIS_UNAVAILABLE: break;
    }
    return AGR_EXIT_UNAVAILABLE;
}

char *
agr_decision_text(const struct aegis_ctx *ctx, const struct aegis_decision *d, size_t *ret_n)
{
    for (size_t size = 4096;; size *= 2) {
        char *p = malloc(size);
        if (!p)
            return NULL;
        size_t n = aegis_decision_json(ctx, d, p, size);
        if (n != SIZE_MAX) {
            *ret_n = n;
            return p;
        }
        free(p);
    }
}

void
agr_print_pattern(FILE *f, const struct aegis_rule_info *r)
{
    agr_print_str(f, r->type);
    fputc('@', f);
    agr_print_str(f, r->target);
}

const struct aegis_crypto *
agr_crypto_for(const struct aegis_policy *p)
{
    struct aegis_policy_info info = {.size = sizeof info};
    aegis_policy_info(p, &info);
    return info.needs_crypto ? aegis_crypto_openssl() : NULL;
}

static bool
open_sim(struct agr_sim *s, struct aegis_policy *p, int64_t now_ns, const struct aegis_limits *limits)
{
    struct aegis_error e = {.size = sizeof e};
    struct aegis_host_options o = {
        .size = sizeof o, .is_simulated = 1, .now_ns = now_ns, .crypto = agr_crypto_for(p)};
    memset(s, 0, sizeof *s);
    if (aegis_slot_new(&s->slot) != AEGIS_OK) {
        aegis_policy_close(p);
        agr_die(0, "out of memory");
        return false;
    }
    aegis_slot_publish(s->slot, p);
    if (aegis_host_open(NULL, &o, &s->host, &e) != AEGIS_OK) {
        agr_die(0, "%s", e.text);
    } else if (aegis_ctx_new(limits, s->host, &s->ctx) != AEGIS_OK) {
        agr_die(0, "out of memory");
    } else {
        return true;
    }
    agr_sim_close(s);
    return false;
}

bool
agr_sim_open(struct agr_sim *s, struct aegis_policy *p, int64_t now_ns)
{
    const struct aegis_limits limits = {.size = sizeof limits};
    return open_sim(s, p, now_ns, &limits);
}

bool
agr_sim_open_large(struct agr_sim *s, struct aegis_policy *p, int64_t now_ns)
{
    const struct aegis_limits limits = {
        .size = sizeof limits, .input_max = AGR_LARGE_INPUT_MAX, .arena_size = AGR_LARGE_ARENA};
    return open_sim(s, p, now_ns, &limits);
}

void
agr_sim_close(struct agr_sim *s)
{
    if (s->ctx)
        aegis_ctx_free(s->ctx);
    if (s->slot)
        aegis_slot_free(s->slot);
    if (s->host)
        aegis_host_close(s->host);
    memset(s, 0, sizeof *s);
}
