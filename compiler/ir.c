// SPDX-License-Identifier: Apache-2.0
// Builder, walker and printer of the intermediate form (`aegisc --emit=ir`, `--emit=opt`).
// In: calls of lower.c and the passes. Out: struct agc_ir. Memory: the compile arena. Next file to read:
// ir_check.c.
#include "ir.h"

#include "builtins/builtins.h"

#include "limits.h"

#include <stdarg.h>

enum { // names as ir.def writes them
    NO = AGC_IRK_NO,
    D = AGC_IRK_D,
    U = AGC_IRK_U,
    M = AGC_IRK_M,
    K = AGC_IRK_K,
    NUM = AGC_IRK_NUM,
    UP = AGC_IRK_UP,
    PURE = AGC_IRF_PURE,
    ARGS = AGC_IRF_ARGS,
    BODY = AGC_IRF_BODY,
    LEAVE = AGC_IRF_LEAVE,
    END = AGC_IRF_END,
    ERR = AGC_IRF_ERR,
    COMPLEX = AGC_IRF_COMPLEX
};

const struct agc_irop_info agc_irop_table[AGC_IR_COUNT] = {
#define IR(NAME, text, A, B, C, flags, opcode, effect) {text, {A, B, C}, flags, AG_OP_##opcode},
#include "ir.def"
};

_Static_assert(AG_OP_COUNT <= UINT8_MAX, "an opcode fits the table's byte");

bool
agc_refuse(struct agc_refusal *r, struct agc_span span, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    r->span = span;
    vsnprintf(r->text, sizeof r->text, fmt, ap);
    va_end(ap);
    return false;
}

void
agc_ir_init(struct agc_ir *ir, struct agc_arena *arena, const struct agc_policy *policy)
{
    *ir = (struct agc_ir){.arena = arena,
                          .policy = policy,
                          .data = AG_NONE,
                          .hooks = {.decisions = AG_NONE, .effects = AG_NONE, .decision = AG_NONE}};
}

uint32_t
agc_ir_func(struct agc_ir *ir, struct ag_str name, struct agc_span span, uint32_t flags)
{
    struct agc_func f = {
        .name = name, .span = span, .nargs = 2, .nlocals = 2, .flags = flags, .path = AG_NONE};
    return agc_ir_func_add(ir, &f);
}

uint32_t
agc_ir_func_add(struct agc_ir *ir, const struct agc_func *f)
{
    ir->funcs = agc_grow(ir->arena, ir->funcs, ir->nfuncs, &ir->cap_funcs, sizeof *ir->funcs);
    ir->funcs[ir->nfuncs] = *f;
    return ir->nfuncs++;
}

void
agc_ir_entry(struct agc_ir *ir, struct ag_str name, uint32_t func, bool is_decision)
{
    ir->entries = agc_grow(ir->arena, ir->entries, ir->nentries, &ir->cap_entries, sizeof *ir->entries);
    ir->entries[ir->nentries++] = (struct agc_entry){name, func, is_decision};
}

uint32_t
agc_ir_local(struct agc_func *f)
{
    return f->nlocals++;
}

struct agc_stmt *
agc_ir_add(struct agc_ir *ir, struct agc_block *b, struct agc_span span, enum agc_irop op, uint32_t a,
           uint32_t bb, uint32_t c)
{
    b->v = agc_grow(ir->arena, b->v, b->n, &b->cap, sizeof *b->v);
    b->v[b->n] = (struct agc_stmt){.op = op, .v = {a, bb, c}, .span = span};
    return &b->v[b->n++];
}

struct agc_block *
agc_ir_body(struct agc_ir *ir, struct agc_stmt *s)
{
    s->body = agc_alloc(ir->arena, sizeof *s->body);
    return s->body;
}

void
agc_ir_args(struct agc_ir *ir, struct agc_stmt *s, const uint32_t *local, uint32_t n)
{
    s->arg = agc_alloc(ir->arena, (n + 1) * sizeof *s->arg);
    if (n)
        memcpy(s->arg, local, n * sizeof *s->arg);
    s->nargs = n;
}

uint32_t
agc_ir_table(struct agc_ir *ir, uint32_t n)
{
    ir->tables = agc_grow(ir->arena, ir->tables, ir->ntables, &ir->cap_tables, sizeof *ir->tables);
    uint32_t *func = agc_alloc(ir->arena, (n + 1) * sizeof *func);
    for (uint32_t i = 0; i < n; i++)
        func[i] = AG_NONE;
    ir->tables[ir->ntables] = (struct agc_call_table){n, NULL, func};
    return ir->ntables++;
}

uint32_t
agc_ir_keyed_table(struct agc_ir *ir, uint32_t n)
{
    uint32_t t = agc_ir_table(ir, n);
    ir->tables[t].key = agc_alloc(ir->arena, (n + 1) * sizeof(uint32_t));
    return t;
}

uint32_t
agc_ir_pattern(struct agc_ir *ir, struct ag_str text, struct agc_span span)
{
    for (uint32_t i = 0; i < ir->npatterns; i++)
        if (ag_str_eq(ir->patterns[i].text, text))
            return i;
    ir->patterns = agc_grow(ir->arena, ir->patterns, ir->npatterns, &ir->cap_patterns, sizeof *ir->patterns);
    ir->patterns[ir->npatterns] = (struct agc_pattern){.text = text, .span = span};
    return ir->npatterns++;
}

uint32_t
agc_ir_window(struct agc_ir *ir, const struct ag_window *w)
{
    for (uint32_t i = 0; i < ir->nwindows; i++)
        if (memcmp(&ir->windows[i], w, sizeof *w) == 0)
            return i;
    ir->windows = agc_grow(ir->arena, ir->windows, ir->nwindows, &ir->cap_windows, sizeof *ir->windows);
    ir->windows[ir->nwindows] = *w;
    return ir->nwindows++;
}

static void
walk(struct agc_block *b, agc_stmt_fn fn, void *self, unsigned depth)
{
    for (uint32_t i = 0; i < b->n; i++) {
        fn(self, &b->v[i], depth);
        if (b->v[i].body)
            walk(b->v[i].body, fn, self, depth + 1);
    }
}

void
agc_ir_walk(struct agc_block *b, agc_stmt_fn fn, void *self)
{
    walk(b, fn, self, 0);
}

void
agc_stmt_uses(struct agc_stmt *s, void (*fn)(void *self, uint32_t *local), void *self)
{
    const struct agc_irop_info *info = &agc_irop_table[s->op];
    for (unsigned i = 0; i < 3; i++)
        if (info->operand[i] == AGC_IRK_U || info->operand[i] == AGC_IRK_M)
            fn(self, &s->v[i]);
    for (uint32_t i = 0; i < s->nargs; i++)
        fn(self, &s->arg[i]);
}

uint32_t
agc_stmt_def(const struct agc_stmt *s)
{
    uint8_t kind = agc_irop_table[s->op].operand[0];
    return kind == AGC_IRK_D || kind == AGC_IRK_M ? s->v[0] : AG_NONE;
}

// --- printer
struct printer {
    const struct agc_ir *ir;
    FILE *out;
};

static void
print_operand(const struct printer *p, const struct agc_stmt *s, unsigned i)
{
    switch ((enum agc_irk)agc_irop_table[s->op].operand[i]) {
    case AGC_IRK_NO: break;
    case AGC_IRK_D:
    case AGC_IRK_U:
    case AGC_IRK_M: fprintf(p->out, " v%u", s->v[i]); break;
    case AGC_IRK_K:
        fputc(' ', p->out);
        agc_const_print(p->ir, s->v[i], p->out);
        break;
    case AGC_IRK_NUM:
        if (s->op == AGC_IR_BUILTIN || s->op == AGC_IR_BUILTINS)
            fprintf(p->out, " %s", ag_builtin_table[s->v[i]].name);
        else
            fprintf(p->out, " #%u", s->v[i]);
        break;
    case AGC_IRK_UP:
        if (s->v[i])
            fprintf(p->out, " up %u", s->v[i]);
        break;
    }
}

static void
print_stmt(void *self, struct agc_stmt *s, unsigned depth)
{
    const struct printer *p = self;
    const struct agc_irop_info *info = &agc_irop_table[s->op];
    fprintf(p->out, "%*s%s", (int)(2 * depth + 2), "", info->text);
    for (unsigned i = 0; i < 3; i++)
        print_operand(p, s, i);
    if (info->flags & AGC_IRF_ARGS) {
        fputs(" (", p->out);
        for (uint32_t i = 0; i < s->nargs; i++)
            fprintf(p->out, "%sv%u", i ? " " : "", s->arg[i]);
        fputc(')', p->out);
    }
    fputc('\n', p->out);
}

static void
print_tables(const struct agc_ir *ir, FILE *out)
{
    for (uint32_t i = 0; i < ir->ntables; i++) {
        fprintf(out, "table #%u of %u:", i, ir->tables[i].n);
        for (uint32_t k = 0; k < ir->tables[i].n; k++)
            if (ir->tables[i].key) {
                fputc(' ', out);
                agc_const_print(ir, ir->tables[i].key[k], out);
                fprintf(out, " -> #%u", ir->tables[i].func[k]);
            } else if (ir->tables[i].func[k] != AG_NONE)
                fprintf(out, " %u -> #%u", k, ir->tables[i].func[k]);
        fputc('\n', out);
    }
    for (uint32_t i = 0; i < ir->npatterns; i++)
        fprintf(out, "pattern #%u %.*s\n", i, (int)ir->patterns[i].text.n, ir->patterns[i].text.p);
    for (uint32_t i = 0; i < ir->nwindows; i++) {
        const struct ag_window *w = &ir->windows[i];
        fprintf(out, "window #%u %02u:%02u-%02u:%02u days 0x%02x zone ", i, w->start / 60u, w->start % 60u,
                w->end / 60u, w->end % 60u, w->days);
        if (w->zone == AG_NONE)
            fputs("UTC\n", out);
        else
            fprintf(out, "%.*s\n", (int)ir->policy->zones[w->zone].text.n, ir->policy->zones[w->zone].text.p);
    }
}

void
agc_ir_print(const struct agc_ir *ir, FILE *out)
{
    struct printer p = {ir, out};
    for (uint32_t i = 0; i < ir->nfuncs; i++) {
        struct agc_func *f = &ir->funcs[i];
        fprintf(out, "func #%u %.*s%s\n", i, (int)f->name.n, f->name.p,
                f->flags & AG_FUNC_ENTRY ? " entry" : "");
        agc_ir_walk(&f->body, print_stmt, &p);
    }
    print_tables(ir, out);
}

static void
print_home(const struct agc_index_rule *r, FILE *out)
{
    static const char *const attr[AG_ATTRS] = {"type", "target", "agent", "tenant"};
    switch ((enum agc_home)r->home) {
    case AGC_HOME_ALWAYS: fputs("always", out); break;
    case AGC_HOME_HASH:
        fputs("hash", out);
        for (unsigned a = 0; a < AG_ATTRS; a++)
            if (r->mask & 1u << a)
                fprintf(out, " %s=%.*s", attr[a], (int)r->text[a].n, r->text[a].p);
        break;
    case AGC_HOME_PREFIX:
    case AGC_HOME_SUFFIX:
        fprintf(out, "%s %s \"%.*s\"", r->home == AGC_HOME_PREFIX ? "prefix" : "suffix", attr[r->attr],
                (int)r->key.n, r->key.p);
        break;
    }
}

void
agc_index_print(const struct agc_ir *ir, FILE *out)
{
    if (!ir->nindexes)
        return;
    fprintf(out, "index #0 of %u rules\n", ir->index.n);
    for (uint32_t i = 0; i < ir->index.n; i++) {
        const struct agc_index_rule *r = &ir->index.v[i];
        struct ag_str name = ir->policy->rules[r->rule].name.text;
        fprintf(out, "  %u rule %u %.*s: ", i, r->rule, (int)name.n, name.p);
        print_home(r, out);
        fputc('\n', out);
    }
}
