// SPDX-License-Identifier: Apache-2.0
// Why this decision: watches one evaluation instruction by instruction and notes, for every rule, whether the
// index let it through, what its conditions gave, and the source place of the first condition that failed.
// In: a JSON action. Out: one callback per rule in source order, and the decision. Nothing is evaluated a
// second way. Memory: one array per call, freed before return. Next file to read: vm/interp.c.
#include "explain.h"

#include <stdlib.h>

struct seen {
    uint32_t fail_at; // instruction of the first failing condition + 1, 0 = none
    bool is_tried, has_matched, is_error;
};

#define EMITTED_MAX 256u // decisions of modules that are listed; further ones are left out

// A decision that a module contributed; the name lies in the image or the context's arena.
struct emitted {
    struct ag_str rule, decision;
};

struct watch {
    const struct ag_image *im;
    struct seen *rule;
    struct emitted *emitted;
    uint32_t nemitted;
    uint32_t current; // rule whose conditions are being evaluated, AG_NONE outside
};

// Number of a rule in a register, or AG_NONE.
static uint32_t
rule_in(const struct watch *w, struct ag_value v)
{
    return v.kind == AG_NUMBER && !v.sub && v.i >= 0 && v.i < w->im->nrules ? (uint32_t)v.i : AG_NONE;
}

static struct ag_str
text_of(const struct ag_call *c, struct ag_value object, struct ag_str key)
{
    struct ag_value v = ag_object_get(&c->mem, object, key);
    return v.kind == AG_STRING ? ag_value_str(v) : AG_STR("");
}

static void
note_emitted(struct watch *w, const struct ag_call *c, struct ag_value v)
{
    if (v.kind == AG_OBJECT && w->nemitted < EMITTED_MAX)
        w->emitted[w->nemitted++] =
            (struct emitted){text_of(c, v, AG_STR("rule")), text_of(c, v, AG_STR("decision"))};
}

// Called after each instruction; a call is seen before its callee runs, its result stands in the RULE that
// follows.
static void
on_insn(void *self, const struct ag_call *c, uint32_t at, const struct ag_value *frame)
{
    struct watch *w = self;
    ag_insn i = w->im->code[at];
    switch (ag_insn_op(i)) {
    case AG_OP_CALLT:
        w->current = rule_in(w, frame[ag_insn_c(i)]);
        if (w->current != AG_NONE)
            w->rule[w->current].is_tried = true;
        break;
    case AG_OP_JCOND:
        if (w->current != AG_NONE && ag_is_false(frame[ag_insn_b(i)]) && !w->rule[w->current].fail_at)
            w->rule[w->current].fail_at = at + 1;
        break;
    case AG_OP_RULE: {
        uint32_t ix = rule_in(w, frame[ag_insn_b(i)]);
        struct ag_value condition = frame[ag_insn_c(i)];
        if (ix == AG_NONE)
            break;
        struct seen *s = &w->rule[ix];
        s->is_tried = true;
        s->is_error = condition.kind == AG_ERROR;
        s->has_matched = s->is_error || ag_is_true(condition);
        if (s->has_matched)
            s->fail_at = 0;
        break;
    }
    case AG_OP_EMIT: note_emitted(w, c, frame[ag_insn_a(i)]); break;
    default: break;
    }
}

const struct ag_span *
agr_span_at(const struct ag_image *im, uint32_t insn)
{
    uint32_t lo = 0, hi = im->nspans;
    while (lo < hi) { // the last span that does not begin behind the instruction
        uint32_t mid = lo + (hi - lo) / 2;
        if (im->spans[mid].insn <= insn)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo ? &im->spans[lo - 1] : NULL;
}

bool
agr_span_of(const struct ag_image *im, uint32_t insn, uint32_t *ret_line, uint32_t *ret_column)
{
    const struct ag_span *best = agr_span_at(im, insn);
    if (!best)
        return false;
    *ret_line = best->line;
    *ret_column = best->column;
    return true;
}

static struct aegis_str
str_out(struct ag_str s)
{
    return (struct aegis_str){s.p, s.n};
}

// Decisions of modules after the rules, in the order in which they contributed.
static void
list_emitted(const struct watch *w, bool is_deciding, const struct aegis_decision *d,
             void (*rule)(void *arg, const struct aegis_explain_rule *r), void *arg)
{
    for (uint32_t i = 0; i < w->nemitted; i++) {
        const struct emitted *e = &w->emitted[i];
        bool is_winner = is_deciding && ag_str_eq(e->rule, ag_str_of(d->rule.p, d->rule.n)) &&
                         ag_str_eq(e->decision, ag_str_of(d->decision.p, d->decision.n));
        is_deciding = is_deciding && !is_winner;
        struct aegis_explain_rule r = {.size = sizeof r,
                                       .rule_ix = UINT32_MAX,
                                       .name = str_out(e->rule),
                                       .source = str_out(AG_STR("modules")),
                                       .is_candidate = 1,
                                       .has_matched = 1,
                                       .is_winner = is_winner};
        rule(arg, &r);
    }
}

enum aegis_status
agr_explain_json(struct aegis_ctx *ctx, struct aegis_slot *slot, struct ag_str json,
                 void (*rule)(void *arg, const struct aegis_explain_rule *r), void *arg,
                 struct aegis_decision *ret, struct aegis_error *reterr)
{
    struct agr_pin pin = agr_slot_pin(slot, ctx->worker);
    if (!pin.policy)
        return agr_fail(reterr, AEGIS_USAGE, "no policy has been published into this slot");
    const struct ag_image *im = &pin.policy->im;
    struct watch w = {
        .im = im, .current = AG_NONE, .rule = calloc(im->nrules ? im->nrules : 1, sizeof *w.rule)};
    enum aegis_status s = AEGIS_NO_MEMORY;
    w.emitted = calloc(EMITTED_MAX, sizeof *w.emitted);
    if (!w.rule || !w.emitted) {
        agr_fail(reterr, s, "out of memory");
        goto out;
    }
    ctx->call.trace = on_insn;
    ctx->call.trace_self = &w;
    s = agr_decide_json(ctx, slot, "decide", json, ret, reterr);
    ctx->call.trace = NULL;
    if (s != AEGIS_OK)
        goto out;
    for (uint32_t i = 0; i < im->nrules; i++) {
        const struct ag_rule *r = &im->rules[i];
        struct aegis_explain_rule e = {.size = sizeof e,
                                       .rule_ix = i,
                                       .name = str_out(ag_image_str(im, r->name)),
                                       .line = r->line,
                                       .column = r->column,
                                       .is_candidate = w.rule[i].is_tried,
                                       .has_matched = w.rule[i].has_matched,
                                       .is_error = w.rule[i].is_error,
                                       .is_winner = ret->rule_ix == i};
        if (r->source < im->nsources)
            e.source = str_out(ag_image_str(im, im->sources[r->source]));
        if (w.rule[i].fail_at)
            agr_span_of(im, w.rule[i].fail_at - 1, &e.fail_line, &e.fail_column);
        rule(arg, &e);
    }
    list_emitted(&w, ctx->outcome.by == AG_BY_EMIT, ret, rule, arg);
out:
    free(w.emitted);
    free(w.rule);
    agr_slot_unpin(slot, pin);
    return s;
}
