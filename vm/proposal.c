// SPDX-License-Identifier: Apache-2.0
// A governance proposal (A4) read from a value: fields, aliases, types and ranges; every error names its
// field. In: an object. Out: struct ag_proposal. Who owns memory: arrays lie in the arena of `m`. Next file
// to read: gates/gates.h.
#include "proposal.h"
#include "number.h"
#include "buf.h"

enum field_type {
    T_TEXT,
    T_SUMMARY,
    T_BOOL,
    T_UNIT,
    T_FINITE,
    T_IMPACT,
    T_CHANGE,
    T_UNITS,
    T_NUMBERS,
    T_UTILITY,
    T_OBJECT
};

struct field {
    const char *name;
    enum field_type type;
    uint32_t offset; // in struct ag_proposal, 0: checked and not kept
    uint32_t bit;    // enum ag_proposal_field
};

#define AT(member) offsetof(struct ag_proposal, member)

// In rising precedence: a later row that is present overrides an earlier one of the same offset.
static const struct field fields[] = {
    {"proposal_summary", T_SUMMARY, 0, 0},
    {"agent_id", T_TEXT, 0, 0},
    {"session_id", T_TEXT, 0, 0},
    {"phase", T_TEXT, 0, 0},
    {"estimated_impact", T_IMPACT, AT(impact), 0},
    {"risk_base", T_UNIT, AT(risk_baseline), AG_HAS_RISK_BASELINE},
    {"risk_baseline", T_UNIT, AT(risk_baseline), AG_HAS_RISK_BASELINE},
    {"risk_score", T_UNIT, AT(risk_proposed), AG_HAS_RISK_PROPOSED},
    {"risk", T_UNIT, AT(risk_proposed), AG_HAS_RISK_PROPOSED},
    {"risk_proposed", T_UNIT, AT(risk_proposed), AG_HAS_RISK_PROPOSED},
    {"profit_base", T_FINITE, AT(profit_baseline), AG_HAS_PROFIT_BASELINE},
    {"profit_baseline", T_FINITE, AT(profit_baseline), AG_HAS_PROFIT_BASELINE},
    {"profit", T_FINITE, AT(profit_proposed), AG_HAS_PROFIT_PROPOSED},
    {"profit_proposed", T_FINITE, AT(profit_proposed), AG_HAS_PROFIT_PROPOSED},
    {"novelty", T_UNIT, AT(novelty), AG_HAS_NOVELTY},
    {"novelty_score", T_UNIT, AT(novelty), AG_HAS_NOVELTY},
    {"complexity", T_UNIT, AT(complexity), AG_HAS_COMPLEXITY},
    {"complexity_score", T_UNIT, AT(complexity), AG_HAS_COMPLEXITY},
    {"quality", T_UNIT, AT(quality), AG_HAS_QUALITY},
    {"quality_score", T_UNIT, AT(quality), AG_HAS_QUALITY},
    {"quality_subscores", T_UNITS, 0, AG_HAS_SUBSCORES},
    {"utility_result", T_UTILITY, 0, AG_HAS_UTILITY},
    {"drift_baseline_data", T_NUMBERS, 0, AG_HAS_DRIFT_BASELINE},
    {"drift_current_data", T_NUMBERS, 0, AG_HAS_DRIFT_CURRENT},
    {"requires_human_approval", T_BOOL, AT(requires_human_approval), 0},
    {"reversible", T_BOOL, AT(is_reversible), 0},
    {"time_sensitive", T_BOOL, 0, 0},
    {"shadow_mode", T_BOOL, 0, 0},
    {"change_type", T_CHANGE, 0, 0},
    {"metadata", T_OBJECT, 0, 0},
};
#define NFIELDS (sizeof fields / sizeof fields[0])

static const char *const impact_words[] = {"low", "medium", "high", "critical"};
static const char *const change_words[] = {"feature", "refactor", "bugfix", "config"};

struct reading {
    const struct ag_mem *m;
    struct ag_proposal *p;
    struct ag_proposal_error *err;
};

static bool
refuse(const struct reading *r, struct ag_str field, const char *text)
{
    struct ag_buf b;
    memset(r->err, 0, sizeof *r->err);
    ag_buf_init(&b, r->err->field, sizeof r->err->field - 1);
    ag_buf_put(&b, field.p, field.n < b.size ? field.n : b.size);
    ag_buf_init(&b, r->err->text, sizeof r->err->text - 1);
    ag_buf_lit(&b, "field \"");
    ag_buf_str(&b, ag_str_z(r->err->field));
    ag_buf_lit(&b, "\" ");
    ag_buf_str(&b, ag_str_z(text));
    return false;
}

static bool
refuse_at(const struct reading *r, const char *field, uint32_t ix, const char *text)
{
    char name[64];
    struct ag_buf b;
    ag_buf_init(&b, name, sizeof name);
    ag_buf_str(&b, ag_str_z(field));
    ag_buf_char(&b, '[');
    ag_buf_u64(&b, ix);
    ag_buf_char(&b, ']');
    return refuse(r, ag_str_of(name, b.n), text);
}

static bool
is_word(struct ag_value v, const char *const *words, unsigned n, unsigned *ret)
{
    for (unsigned i = 0; v.kind == AG_STRING && i < n; i++) {
        if (ag_str_eq(ag_value_str(v), ag_str_z(words[i]))) {
            *ret = i;
            return true;
        }
    }
    return false;
}

static bool
read_double(struct ag_value v, bool is_unit, double *ret)
{
    if (v.kind != AG_NUMBER)
        return false;
    *ret = ag_number_double(v);
    return *ret - *ret == 0 && (!is_unit || (*ret >= 0 && *ret <= 1));
}

#define NUMBERS_MAX 100000u // drift samples of one proposal

static bool
read_numbers(const struct reading *r, const struct field *f, struct ag_value v)
{
    bool is_unit = f->type == T_UNITS;
    uint32_t max = is_unit ? AG_SUBSCORES_MAX : NUMBERS_MAX;
    if (v.kind != AG_ARRAY)
        return refuse(r, ag_str_z(f->name), "must be a list of numbers");
    if ((is_unit && v.len == 0) || v.len > max)
        return refuse(r, ag_str_z(f->name), is_unit ? "must have 1 to 64 numbers" : "has too many numbers");
    double *list = ag_arena_alloc(r->m->arena, (v.len + 1) * sizeof *list, sizeof *list);
    if (!list) {
        refuse(r, ag_str_z(f->name), "no room left in the call's memory");
        r->err->is_full = true;
        return false;
    }
    for (uint32_t i = 0; i < v.len; i++)
        if (!read_double(ag_value_at(r->m, v, i), is_unit, &list[i]))
            return refuse_at(r, f->name, i,
                             is_unit ? "must be a number from 0 to 1" : "must be a finite number");
    if (is_unit) {
        r->p->subscores = list;
        r->p->nsubscores = v.len;
    } else if (f->bit == AG_HAS_DRIFT_BASELINE) {
        r->p->drift_baseline = list;
        r->p->ndrift_baseline = v.len;
    } else {
        r->p->drift_current = list;
        r->p->ndrift_current = v.len;
    }
    return true;
}

static bool
read_utility(const struct reading *r, struct ag_value v)
{
    if (v.kind != AG_OBJECT)
        return refuse(r, AG_STR("utility_result"), "must be an object {mean, sd} or null");
    if (!read_double(ag_object_get(r->m, v, AG_STR("mean")), false, &r->p->utility_mean))
        return refuse(r, AG_STR("utility_result.mean"), "must be a finite number");
    if (!read_double(ag_object_get(r->m, v, AG_STR("sd")), false, &r->p->utility_sd) || r->p->utility_sd < 0)
        return refuse(r, AG_STR("utility_result.sd"), "must be a finite number of at least 0");
    for (uint32_t i = 0; i < v.len; i++) {
        struct ag_value key = ag_object_key(r->m, v, i);
        if (key.kind != AG_STRING ||
            !(ag_str_eq(ag_value_str(key), AG_STR("mean")) || ag_str_eq(ag_value_str(key), AG_STR("sd"))))
            return refuse(r, AG_STR("utility_result"), "has a field that is neither mean nor sd");
    }
    return true;
}

static bool
read_field(const struct reading *r, const struct field *f, struct ag_value v)
{
    struct ag_str name = ag_str_z(f->name);
    uint8_t *to = (uint8_t *)r->p + f->offset;
    bool flag = v.kind == AG_BOOL && v.i;
    unsigned word = 0;
    double d;
    switch (f->type) {
    case T_TEXT: return v.kind == AG_STRING || refuse(r, name, "must be a string");
    case T_SUMMARY:
        return (v.kind == AG_STRING && v.len) || refuse(r, name, "must be a string that is not empty");
    case T_BOOL:
        if (v.kind != AG_BOOL)
            return refuse(r, name, "must be true or false");
        if (f->offset)
            memcpy(to, &flag, sizeof flag);
        return true;
    case T_UNIT:
    case T_FINITE:
        if (!read_double(v, f->type == T_UNIT, &d))
            return refuse(r, name,
                          f->type == T_UNIT ? "must be a number from 0 to 1" : "must be a finite number");
        memcpy(to, &d, sizeof d);
        return true;
    case T_IMPACT:
        if (!is_word(v, impact_words, 4, &word))
            return refuse(r, name, "must be low, medium, high or critical");
        r->p->impact = (enum ag_impact)word;
        return true;
    case T_CHANGE:
        return is_word(v, change_words, 4, &word) ||
               refuse(r, name, "must be feature, refactor, bugfix or config");
    case T_UNITS:
    case T_NUMBERS: return read_numbers(r, f, v);
    case T_UTILITY: return read_utility(r, v);
    case T_OBJECT: return v.kind == AG_OBJECT || refuse(r, name, "must be an object");
    }
    return false;
}

static bool
is_known(struct ag_value key)
{
    for (size_t i = 0; key.kind == AG_STRING && i < NFIELDS; i++)
        if (ag_str_eq(ag_value_str(key), ag_str_z(fields[i].name)))
            return true;
    return false;
}

static bool
read_all(const struct ag_mem *m, struct ag_value v, bool is_whole, struct ag_proposal *ret,
         struct ag_proposal_error *reterr)
{
    struct ag_proposal p;
    const struct reading r = {m, &p, reterr};
    ag_proposal_default(&p);
    if (v.kind != AG_OBJECT)
        return refuse(&r, AG_STR("proposal"), "must be an object");
    for (uint32_t i = 0; is_whole && i < v.len; i++) {
        struct ag_value key = ag_object_key(m, v, i);
        if (!is_known(key))
            return refuse(&r, key.kind == AG_STRING ? ag_value_str(key) : AG_STR("proposal"),
                          "is no field of a proposal");
    }
    for (size_t i = 0; i < NFIELDS; i++) {
        const struct field *f = &fields[i];
        struct ag_value x = ag_object_get(m, v, ag_str_z(f->name));
        bool nullable = f->type == T_UTILITY || f->type == T_NUMBERS;
        if (x.kind == AG_UNDEF || (x.kind == AG_NULL && nullable)) {
            if (f->type == T_SUMMARY && is_whole)
                return refuse(&r, AG_STR("proposal_summary"), "is required");
            continue;
        }
        // A parameter object may use the words of A4's text fields for its own purposes.
        if (!is_whole &&
            (f->type == T_TEXT || f->type == T_SUMMARY || f->type == T_CHANGE || f->type == T_OBJECT))
            continue;
        if (!read_field(&r, f, x))
            return false;
        p.present |= f->bit;
    }
    const char *bad = ag_proposal_check(&p);
    if (bad)
        return refuse(&r, ag_str_z(bad), "is out of range");
    *ret = p;
    return true;
}

bool
ag_proposal_read(const struct ag_mem *m, struct ag_value v, struct ag_proposal *ret,
                 struct ag_proposal_error *reterr)
{
    return read_all(m, v, true, ret, reterr);
}

bool
ag_proposal_read_params(const struct ag_mem *m, struct ag_value v, struct ag_proposal *ret,
                        struct ag_proposal_error *reterr)
{
    return read_all(m, v, false, ret, reterr);
}
