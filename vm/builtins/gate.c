// SPDX-License-Identifier: Apache-2.0
// The governance gates as built-ins: aegis.gate.risk(x) and its siblings, with the image's parameters, or the
// defaults of A1 when it has none. In: a proposal's fields, or one number. Out: {passed, value, threshold,
// state}. Who owns memory: the call's arena. Next file to read: gates/gates.h, proposal.h.
#include "builtin_fns.h"
#include "gates.h"
#include "proposal.h"

static void
load_params(const struct ag_call *c, struct ag_gate_params *p)
{
    if (c->im->gates)
        memcpy(p, c->im->gates->params, sizeof *p);
    else
        ag_gate_params_default(p);
}

// Sets the field that the gate looks at.
static void
set_score(struct ag_proposal *p, enum ag_gate gate, double d)
{
    switch (gate) {
    case AG_GATE_RISK: p->risk_proposed = d; break;
    case AG_GATE_PROFIT: p->profit_proposed = d; break;
    case AG_GATE_NOVELTY: p->novelty = d; break;
    case AG_GATE_COMPLEXITY: p->complexity = d; break;
    case AG_GATE_QUALITY: p->quality = d; break;
    default: break;
    }
}

// A delta given directly: the proposal and mode under which the gate computes exactly it.
static void
set_delta(struct ag_gate_params *params, struct ag_proposal *p, enum ag_gate gate, double d)
{
    params->delta_mode = AG_DELTA_ABSOLUTE;
    params->profit_direction = AG_PROFIT_RISE;
    p->risk_baseline = p->profit_baseline = 0;
    set_score(p, gate, d);
}

static bool
read_argument(struct ag_call *c, struct ag_value x, enum ag_gate gate, struct ag_gate_params *params,
              struct ag_proposal *p)
{
    struct ag_proposal_error err = {.is_full = false};
    ag_proposal_default(p);
    if (x.kind == AG_NUMBER) {
        set_score(p, gate, ag_number_double(x));
        return ag_proposal_check(p) == NULL;
    }
    struct ag_value delta = ag_object_get(&c->mem, x, AG_STR("delta"));
    if (delta.kind == AG_NUMBER && (gate == AG_GATE_RISK || gate == AG_GATE_PROFIT)) {
        double d = ag_number_double(delta);
        set_delta(params, p, gate, d);
        return d - d == 0;
    }
    if (ag_proposal_read_params(&c->mem, x, p, &err))
        return true;
    if (err.is_full)
        ag_stop(c, AG_EVAL_ARENA);
    return false;
}

static bool
put_member(struct ag_call *c, struct ag_builder *b, const char *name, struct ag_value v)
{
    struct ag_value key = ag_bi_copy(c, ag_str_z(name));
    return key.kind == AG_STRING && v.kind > AG_ERROR && ag_builder_put(&c->mem, b, key, v);
}

static struct ag_value
number(struct ag_call *c, double d)
{
    struct ag_num n = ag_num_of_int(0);
    enum ag_num_status s = ag_num_from_double(d, c->mem.arena, &n);
    return ag_number_result(c, s, n);
}

static struct ag_value
run_gate(struct ag_call *c, struct ag_value x, enum ag_gate gate)
{
    struct ag_gate_params params;
    struct ag_proposal p;
    struct ag_gate_result result[AG_GATES];
    struct ag_drift_result drift;
    load_params(c, &params);
    if (!read_argument(c, x, gate, &params, &p))
        return c->stop == AG_EVAL_OK ? ag_bi_error() : ag_undef();
    if (!ag_charge(c, 1 + (uint64_t)p.ndrift_baseline + p.ndrift_current))
        return ag_undef();
    ag_gates_run(&params, &p, 1u << gate, result, &drift);
    const struct ag_gate_result *r = &result[gate];
    struct ag_builder *b = ag_builder_new(&c->mem, AG_OBJECT);
    bool ok = b && put_member(c, b, "passed", ag_bool(r->state != AG_GATE_FAIL)) &&
              put_member(c, b, "value", number(c, r->value)) &&
              put_member(c, b, "threshold", number(c, r->threshold)) &&
              put_member(c, b, "state", ag_bi_copy(c, ag_str_z(ag_gate_state_name(r->state))));
    if (ok && gate == AG_GATE_DRIFT)
        ok = put_member(c, b, "status", ag_bi_copy(c, ag_str_z(ag_drift_status_name(drift.status))));
    return ag_bi_close(c, b, ok);
}

#define GATE(fn, gate)                                                                                       \
    struct ag_value fn(struct ag_call *c, const struct ag_value *a)                                          \
    {                                                                                                        \
        return run_gate(c, a[0], gate);                                                                      \
    }
GATE(ag_bi_gate_risk, AG_GATE_RISK)
GATE(ag_bi_gate_profit, AG_GATE_PROFIT)
GATE(ag_bi_gate_novelty, AG_GATE_NOVELTY)
GATE(ag_bi_gate_complexity, AG_GATE_COMPLEXITY)
GATE(ag_bi_gate_quality, AG_GATE_QUALITY)
GATE(ag_bi_gate_utility, AG_GATE_UTILITY)
GATE(ag_bi_gate_drift, AG_GATE_DRIFT)
