// SPDX-License-Identifier: Apache-2.0
// The syntax tree's constructor and printer (`aegisc --emit=ast`). In: nodes. Out: an indented listing, one
// node or field a line with its place. Memory: the compile arena. Next file to read: resolve.c.
#include "ast.h"

#include "buf.h"

#include <stdio.h>

static const char *const names[AGC_NODE_COUNT] = {
#define NODE(NAME, text, holds, kids) text,
#include "ast.def"
};

static const bool has_text[AGC_NODE_COUNT] = {
#define NODE(NAME, text, holds, kids) sizeof(holds) > 1,
#include "ast.def"
};

const char *
agc_node_name(enum agc_node_kind k)
{
    return names[k];
}

struct agc_node *
agc_node_new(struct agc_arena *a, enum agc_node_kind k, struct agc_span span, struct ag_str text, uint32_t n)
{
    struct agc_node *node = agc_alloc(a, sizeof *node);
    node->kind = k;
    node->span = span;
    node->text = text;
    node->n = n;
    node->symbol = AG_NONE;
    node->depth = 1;
    node->window.zone = AG_NONE;
    if (n)
        node->kid = agc_alloc(a, n * sizeof *node->kid);
    return node;
}

static const char *const decisions[] = {"allow", "monitor", "throttle", "escalate", "deny", "kill"};
static const char *const risks[] = {"none", "low", "medium", "high", "critical"};
static const char *const approvals[] = {"none", "auto", "approve", "block"};
static const char *const attrs[AG_ATTRS] = {"type", "target", "agent", "tenant"};
static const char *const limit_kinds[] = {"rate", "window", "quota", "budget"};

static void
put_quoted(FILE *f, struct ag_str s)
{
    fputc('"', f);
    for (size_t i = 0; i < s.n; i++) {
        char mem[8];
        struct ag_buf b;
        ag_buf_init(&b, mem, sizeof mem);
        ag_buf_json_str(&b, ag_str_of(s.p + i, 1));
        if ((unsigned char)s.p[i] < 0x80 && b.n > 2)
            fwrite(b.p + 1, 1, b.n - 2, f);
        else
            fputc(s.p[i], f);
    }
    fputc('"', f);
}

static void
put_place(FILE *f, const struct agc_sources *sources, struct agc_span span)
{
    uint32_t line, column;
    if (sources) {
        agc_source_place(sources, span, &line, &column);
        fprintf(f, "  @%u:%u", line, column);
    }
    fputc('\n', f);
}

static void
put_window(FILE *f, const struct agc_policy *p, const struct ag_window *w)
{
    fprintf(f, " %02u:%02u-%02u:%02u days=", w->start / 60u, w->start % 60u, w->end / 60u, w->end % 60u);
    for (unsigned day = 0; day < 7; day++)
        if (w->days >> day & 1)
            fputc((int)('1' + day), f);
    if (p && w->zone != AG_NONE && w->zone < p->nzones)
        fprintf(f, " zone=%.*s", (int)p->zones[w->zone].text.n, p->zones[w->zone].text.p);
}

// Depth is bounded by the parsers (AGC_EXPR_DEPTH_MAX, AGC_YAML_DEPTH_MAX).
static void
put_node(FILE *f, const struct agc_policy *p, const struct agc_sources *sources, const struct agc_node *n,
         int depth)
{
    fprintf(f, "%*s%s", depth * 2, "", names[n->kind]);
    if (has_text[n->kind]) {
        fputc(' ', f);
        put_quoted(f, n->text);
    }
    if (n->kind == AGC_WINDOW)
        put_window(f, p, &n->window);
    put_place(f, sources, n->span);
    for (uint32_t i = 0; i < n->n; i++)
        put_node(f, p, sources, n->kid[i], depth + 1);
}

void
agc_node_print(const struct agc_node *n, const struct agc_sources *sources, int depth, void *file)
{
    put_node(file, NULL, sources, n, depth);
}

static void
put_match(FILE *f, const struct agc_str_at match[AG_ATTRS])
{
    for (int i = 0; i < AG_ATTRS; i++) {
        if (!match[i].text.p)
            continue;
        fprintf(f, "    match %s ", attrs[i]);
        put_quoted(f, match[i].text);
        fputc('\n', f);
    }
}

static void
put_rule(FILE *f, const struct agc_policy *p, const struct agc_sources *sources, const struct agc_rule *r)
{
    fputs("  rule ", f);
    put_quoted(f, r->name.text);
    put_place(f, sources, r->span);
    put_match(f, r->match);
    fprintf(f, "    decision %s risk=%s approval=%s", decisions[r->decision], risks[r->risk],
            approvals[r->approval]);
    if (r->gate_mask)
        fprintf(f, " gates=0x%x", r->gate_mask);
    fputc('\n', f);
    if (r->body)
        put_node(f, p, sources, r->body, 2);
}

static void
put_limit(FILE *f, const struct agc_policy *p, const struct agc_sources *sources, const struct agc_limit *l)
{
    fputs("  limit ", f);
    put_quoted(f, l->name.text);
    put_place(f, sources, l->span);
    put_match(f, l->match);
    fprintf(f, "    %s num=%llu per_ns=%llu burst=%llu on_exceed=%s count_denied=%d\n",
            limit_kinds[l->spec.kind], (unsigned long long)l->spec.rate_num,
            (unsigned long long)l->spec.rate_per_ns, (unsigned long long)l->spec.burst,
            decisions[l->spec.on_exceed], l->spec.count_denied);
    for (uint32_t i = 0; i < l->nkeys; i++)
        put_node(f, p, sources, l->key[i], 2);
}

void
agc_ast_print(const struct agc_policy *p, const struct agc_sources *sources, void *file)
{
    static const char *const combines[] = {"first_match", "deny_overrides"};
    static const char *const levels[] = {"journaled", "durable", "witnessed"};
    static const char *const signs[] = {"batch", "row"};
    static const char *const inputs[] = {"digest", "read", "full"};
    FILE *f = file;
    fputs("policy ", f);
    put_quoted(f, p->name.text);
    fprintf(f, " version=%.*s combine=%s\n", (int)p->version.text.n, p->version.text.p, combines[p->combine]);
    fprintf(f, "  defaults decision=%s risk=%s approval=%s\n", decisions[p->default_decision],
            risks[p->default_risk], approvals[p->default_approval]);
    fprintf(f, "  audit level=%s sign=%s input=%s\n", levels[p->audit_level], signs[p->audit_sign],
            inputs[p->audit_input]);
    for (uint32_t i = 0; i < p->nzones; i++)
        fprintf(f, "  zone %u %.*s\n", i, (int)p->zones[i].text.n, p->zones[i].text.p);
    if (p->has_gates)
        fprintf(f, "  gates present=0x%x apply_always=0x%x\n", p->gates.present, p->gates.apply_always);
    for (uint32_t i = 0; i < p->nrules; i++)
        put_rule(f, p, sources, &p->rules[i]);
    for (uint32_t i = 0; i < p->nlimits; i++)
        put_limit(f, p, sources, &p->limits[i]);
}
