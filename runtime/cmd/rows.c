// SPDX-License-Identifier: Apache-2.0
// Picks and prints rows of an audit log. Values are taken out of the stored bytes, which are never serialised
// again. In: rows by callback. Out: text on a FILE. Next file to read: audit.c.
#include "rows.h"

#include "json.h"

bool
agr_rows_format(const char *word, enum agr_rows_format *ret)
{
    static const char *const words[] = {"table", "json", "jsonl"};
    *ret = AGR_ROWS_TABLE;
    for (unsigned i = 0; word && i < 3; i++)
        if (strcmp(word, words[i]) == 0) {
            *ret = (enum agr_rows_format)i;
            return true;
        }
    if (word)
        agr_die(0, "--format is table, json or jsonl, not \"%s\"", word);
    return !word;
}

struct ag_str
agr_row_member(struct ag_str line, const char *path)
{
    char key[32];
    const char *dot = strchr(path, '.');
    size_t n = dot ? (size_t)(dot - path) : strlen(path);
    if (n >= sizeof key)
        return ag_str_of("", 0);
    memcpy(key, path, n);
    key[n] = 0;
    struct ag_str v = agr_json_raw(line, key);
    if (dot)
        return agr_row_member(v, dot + 1);
    if (v.n >= 2 && v.p[0] == '"')
        v = ag_str_of(v.p + 1, v.n - 2);
    return v;
}

static bool
fits(struct ag_str line, const char *path, const char *wanted)
{
    return !wanted || ag_str_is(agr_row_member(line, path), wanted);
}

bool
agr_rows_pass(const struct agr_rows_filter *f, const struct agr_audit_item *item)
{
    struct ag_str l = item->line;
    return fits(l, "session_id", f->session) && fits(l, "action.type", f->action_type) &&
           fits(l, "risk_level", f->risk_level) && fits(l, "decision", f->decision) &&
           fits(l, "type", f->type) && fits(l, "tenant", f->tenant) && fits(l, "agent", f->agent) &&
           fits(l, "rule", f->rule);
}

void
agr_rows_begin(const struct agr_rows *r)
{
    if (r->format == AGR_ROWS_JSON)
        fputs("[", r->out);
    else if (r->format == AGR_ROWS_TABLE)
        fprintf(r->out, "%10s  %-24s  %-12s  %-9s  %-8s  %-28s  %-12s  %s\n", "ROW", "TIME", "TYPE",
                "DECISION", "RISK", "ACTION", "AGENT", "RULE");
}

void
agr_rows_end(const struct agr_rows *r)
{
    if (r->format == AGR_ROWS_JSON)
        fputs("]\n", r->out);
    fflush(r->out);
}

static const char *
colour_of(struct ag_str decision)
{
    if (ag_str_is(decision, "allow") || ag_str_is(decision, "monitor"))
        return "\033[32m";
    return ag_str_is(decision, "deny") || ag_str_is(decision, "kill") ? "\033[31m" : "\033[33m";
}

static void
write_row(const struct agr_rows *r, const struct agr_audit_item *item)
{
    struct ag_str l = item->line, time = agr_row_member(l, "time"), type = agr_row_member(l, "type");
    struct ag_str decision = agr_row_member(l, "decision"), risk = agr_row_member(l, "risk_level");
    struct ag_str agent = agr_row_member(l, "agent"), rule = agr_row_member(l, "rule");
    struct ag_str at = agr_row_member(l, "action.type"), to = agr_row_member(l, "action.target");
    struct ag_str verb = agr_row_member(l, "action"), tenant = agr_row_member(l, "tenant"); // of kill rows
    char action[160];
    bool has_colour = decision.n && agr_has_colour(r->out);
    snprintf(action, sizeof action, "%.*s%s%.*s", (int)at.n, at.p, to.n ? ":" : "", (int)to.n, to.p);
    if (!rule.n)
        rule = agr_row_member(l, "reason");
    if (item->row.type == AGR_ROW_KILL)
        snprintf(action, sizeof action, "%.*s:%.*s", (int)verb.n, verb.p, (int)tenant.n, tenant.p);
    // 23 characters: to the millisecond
    fprintf(r->out, "%10llu  %.*sZ  %-12.*s  %s%-9.*s%s  %-8.*s  %-28s  %-12.*s  %.*s\n",
            (unsigned long long)item->gseq, time.n > 23 ? 23 : (int)time.n, time.p, (int)type.n, type.p,
            has_colour ? colour_of(decision) : "", (int)decision.n, decision.p, has_colour ? "\033[0m" : "",
            (int)risk.n, risk.p, action, (int)agent.n, agent.p, (int)rule.n, rule.p);
}

bool
agr_rows_write(void *ctx, const struct agr_audit_item *item)
{
    struct agr_rows *r = ctx;
    if (!agr_rows_pass(&r->filter, item))
        return true;
    if (r->format == AGR_ROWS_TABLE) {
        write_row(r, item);
    } else {
        if (r->format == AGR_ROWS_JSON && r->n)
            fputs(",\n", r->out);
        fwrite(item->line.p, 1, item->line.n, r->out);
        if (r->format == AGR_ROWS_JSONL)
            fputc('\n', r->out);
    }
    r->n++;
    return (r->limit == 0 || r->n < r->limit) && !ferror(r->out);
}
