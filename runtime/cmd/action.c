// SPDX-License-Identifier: Apache-2.0
// Builds the JSON of an action from command-line pieces. Next file to read: simulate.c.
#include "action.h"

#include "buf.h"

#include <stdlib.h>

static void
text(struct ag_buf *b, const char *key, const char *value, bool *is_first)
{
    if (!value)
        return;
    if (!*is_first)
        ag_buf_char(b, ',');
    *is_first = false;
    ag_buf_json_str(b, ag_str_z(key));
    ag_buf_char(b, ':');
    ag_buf_json_str(b, ag_str_z(value));
}

char *
agr_action_json(const char *spec, const struct agr_action_opts *o, size_t *ret_n)
{
    const char *params = o->params ? o->params : NULL;
    size_t size = 256 + 6 * strlen(spec) + (params ? strlen(params) : 0);
    const char *names[] = {o->agent, o->tenant, o->session};
    for (size_t i = 0; i < 3; i++)
        size += names[i] ? 6 * strlen(names[i]) : 0;
    char *mem = malloc(size);
    if (!mem)
        return NULL;
    struct ag_buf b;
    bool is_first = true;
    const char *colon = strchr(spec, ':');
    ag_buf_init(&b, mem, size);
    ag_buf_char(&b, '{');
    ag_buf_lit(&b, "\"type\":");
    ag_buf_json_str(&b, colon ? ag_str_of(spec, (size_t)(colon - spec)) : ag_str_z(spec));
    is_first = false;
    text(&b, "target", colon ? colon + 1 : NULL, &is_first);
    text(&b, "agent", o->agent, &is_first);
    text(&b, "tenant", o->tenant, &is_first);
    text(&b, "session_id", o->session, &is_first);
    if (params) {
        ag_buf_lit(&b, ",\"params\":");
        ag_buf_str(&b, ag_str_z(params));
    }
    ag_buf_char(&b, '}');
    *ret_n = b.n;
    return mem;
}

// Finds the string member `key` at any depth: good enough for a label, never used for a decision.
static struct ag_str
find(const char *json, const char *key)
{
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\"", key);
    const char *p = strstr(json, quoted);
    if (!p)
        return (struct ag_str){"", 0};
    p += strlen(quoted);
    p += strspn(p, " \t\r\n:");
    if (*p != '"')
        return (struct ag_str){"", 0};
    return ag_str_of(p + 1, strcspn(p + 1, "\""));
}

void
agr_action_label(const char *json, char *out, size_t size)
{
    struct ag_str type = find(json, "type"), target = find(json, "target");
    snprintf(out, size, "%.*s:%.*s", (int)type.n, type.p, (int)target.n, target.p);
}
