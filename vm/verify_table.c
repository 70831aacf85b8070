// SPDX-License-Identifier: Apache-2.0
// Verifier, tables: every section that is neither constants nor code. Offsets lie inside their body, numbers
// name things that exist, enumerations are in range, reserved fields are zero. In: an opened image whose
// constants are verified. Out: yes, or the first thing that is wrong. Nothing is allocated. Next file to
// read: verify.c, the code.
#include "verify.h"
#include "gates.h"
#include "pattern.h"

#define CHECK(cond, place, text)                                                                             \
    do {                                                                                                     \
        if (!(cond))                                                                                         \
            return ag_verify_fail(v, (place), (text));                                                       \
    } while (0)

#define DAY_MIN 1440u

const void *
ag_verify_body(struct ag_verifier *v, enum ag_section s, uint32_t ix, size_t least, size_t align,
               size_t *ret_room)
{
    const struct ag_section_ref *r = &v->im->header->section[s];
    const uint8_t *base = v->im->bytes + r->off;
    uint32_t off;
    memcpy(&off, base + sizeof(uint32_t) * (1 + (size_t)ix), sizeof off);
    if (off % align || off > r->size || r->size - off < least) {
        ag_verify_fail(v, base, "a body lies outside of its section or is not aligned");
        return NULL;
    }
    *ret_room = (size_t)(r->size - off);
    return base + off;
}

// The count and the offsets (`words` each) fit the section.
static bool
check_count(struct ag_verifier *v, enum ag_section s, uint32_t n, size_t words)
{
    const struct ag_section_ref *r = &v->im->header->section[s];
    CHECK(n == 0 || (r->size - sizeof(uint32_t)) / (words * sizeof(uint32_t)) >= n, v->im->bytes + r->off,
          "more bodies than the section can hold");
    return true;
}

static bool
check_meta(struct ag_verifier *v)
{
    const struct ag_image *im = v->im;
    const struct ag_meta *m = im->meta;
    CHECK(ag_verify_is_string(v, m->name, true) && ag_verify_is_string(v, m->tzdata, true), m,
          "META: a name is no string constant");
    CHECK(m->data == AG_NONE || ag_image_const(im, m->data).kind == AG_OBJECT, m,
          "META: data is neither an object constant nor absent");
    CHECK(m->combine <= AG_DENY_OVERRIDES && m->default_decision < AG_SEVERITIES &&
              m->default_risk <= AG_RISK_CRITICAL && m->default_approval <= AG_APPROVAL_BLOCK &&
              m->audit_level <= AG_WITNESSED && m->audit_sign <= AG_SIGN_ROW &&
              m->audit_input <= AG_INPUT_FULL && m->has_rules <= 1,
          m, "META: a word out of range");
    CHECK(m->memo_slots <= im->nfuncs && (m->dependencies & ~AG_NEEDS_KNOWN) == 0 && m->zero == 0, m,
          "META: memo slots, dependencies or a reserved field");
    CHECK(m->stack_regs <= AG_CALLS_MAX * AG_REGS_MAX, m,
          "META: more registers than calls can nest; a context would have to make room for them");
    return true;
}

static bool
check_rules(struct ag_verifier *v)
{
    for (uint32_t i = 0; i < v->im->nrules; i++) {
        const struct ag_rule *r = &v->im->rules[i];
        CHECK(ag_verify_is_string(v, r->name, false), r, "a rule's name is no string constant");
        CHECK(r->source == AG_NONE || r->source < v->im->nsources, r, "a rule names an unknown source");
        CHECK(r->decision < AG_SEVERITIES && r->risk <= AG_RISK_CRITICAL &&
                  r->approval <= AG_APPROVAL_BLOCK && r->sort_as < AG_SEVERITIES &&
                  r->sort_as >= r->decision && r->gate_mask >> AG_GATES == 0,
              r, "a rule's word is out of range");
    }
    return true;
}

static bool
check_call_table(struct ag_verifier *v, uint32_t ix)
{
    const struct ag_image *im = v->im;
    const struct ag_mem mem = {.base = {im->heap}};
    size_t room = 0;
    const struct ag_call_table *t =
        ag_verify_body(v, AG_SEC_CALLTABLES, ix, sizeof *t, _Alignof(struct ag_call_table), &room);
    if (!t)
        return false;
    CHECK((room - sizeof *t) / sizeof t->row[0] >= t->n && t->nargs <= AG_REGS_MAX, t,
          "a call table reaches past its section");
    if (!ag_verify_work(v, t->n, t))
        return false;
    for (uint32_t i = 0; i < t->n; i++) {
        bool none = t->row[0].key == AG_NONE;
        CHECK(none ? t->row[i].key == AG_NONE : t->row[i].key < im->nconsts, &t->row[i],
              "a call table's key is no constant");
        CHECK(none || i == 0 ||
                  ag_value_cmp(&mem, ag_image_const(im, t->row[i - 1].key),
                               ag_image_const(im, t->row[i].key)) < 0,
              &t->row[i], "keys of a call table are not ascending");
        uint32_t f = t->row[i].func;
        CHECK(f == AG_NONE ||
                  (f < im->nfuncs && im->funcs[f].nargs == t->nargs && !(im->funcs[f].flags & AG_FUNC_ENTRY)),
              &t->row[i], "a call table names a function that it cannot call");
    }
    return true;
}

static bool
check_pattern(struct ag_verifier *v, uint32_t ix)
{
    const struct ag_section_ref *r = &v->im->header->section[AG_SEC_PATTERNS];
    uint32_t at[2];
    memcpy(at, v->im->patterns + sizeof(uint32_t) * (1 + 2 * (size_t)ix), sizeof at);
    CHECK(at[0] <= r->size && at[1] <= r->size - at[0], v->im->patterns,
          "a pattern lies outside of its section");
    if (!ag_verify_work(v, at[1], v->im->patterns))
        return false;
    CHECK(ag_pattern_verify(v->im->patterns + at[0], at[1]), v->im->patterns + at[0],
          "a pattern program is malformed");
    return true;
}

// --- time
// --------------------------------------------------------------------------------------------------------

#define OFFSET_MAX 93599  // seconds: 25:59:59, the most a POSIX rule can say
#define TIME_MAX   604799 // seconds: 167:59:59

static bool
in_range(int64_t x, int64_t max)
{
    return x >= -max && x <= max;
}

static bool
check_zone(struct ag_verifier *v, uint32_t ix)
{
    size_t room = 0;
    const struct ag_zone *z = ag_verify_body(v, AG_SEC_ZONES, ix, sizeof *z, _Alignof(struct ag_zone), &room);
    if (!z)
        return false;
    CHECK(z->size <= room && z->size >= sizeof *z && (z->size - sizeof *z) / sizeof z->trans[0] >= z->ntrans,
          z, "a time zone reaches past its section");
    CHECK(ag_verify_is_string(v, z->name, false) && z->has_dst <= 1 && z->zero == 0, z,
          "a time zone's head is malformed");
    CHECK(z->abbr_off >= sizeof *z + z->ntrans * sizeof z->trans[0] && z->abbr_off <= z->size &&
              z->abbr_n <= z->size - z->abbr_off && z->abbr_n &&
              ((const char *)z)[z->abbr_off + z->abbr_n - 1] == 0 && z->first_abbr < z->abbr_n &&
              z->std_abbr < z->abbr_n && z->dst_abbr < z->abbr_n,
          z, "a time zone's abbreviations are malformed");
    CHECK(in_range(z->first_offset, OFFSET_MAX) && in_range(z->std_offset, OFFSET_MAX) &&
              in_range(z->dst_offset, OFFSET_MAX),
          z, "a time zone's offset is out of range");
    if (z->has_dst)
        CHECK(z->dst_start.month - 1 < 12 && z->dst_start.week - 1 < 5 && z->dst_start.day < 7 &&
                  in_range(z->dst_start.time, TIME_MAX) && z->dst_end.month - 1 < 12 &&
                  z->dst_end.week - 1 < 5 && z->dst_end.day < 7 && in_range(z->dst_end.time, TIME_MAX),
              z, "a time zone's rule is out of range");
    if (!ag_verify_work(v, z->ntrans, z))
        return false;
    for (uint32_t i = 0; i < z->ntrans; i++)
        CHECK((i == 0 || z->trans[i].at > z->trans[i - 1].at) && in_range(z->trans[i].offset, OFFSET_MAX) &&
                  z->trans[i].abbr < z->abbr_n,
              &z->trans[i], "transitions of a time zone are not ascending");
    return true;
}

static bool
check_windows(struct ag_verifier *v)
{
    for (uint32_t i = 0; i < v->im->nwindows; i++) {
        const struct ag_window *w = &v->im->windows[i];
        CHECK(w->zone == AG_NONE || w->zone < v->im->nzones, w, "a window names an unknown time zone");
        CHECK(w->start < DAY_MIN && w->end >= 1 && w->end <= DAY_MIN && w->start != w->end && w->days &&
                  w->days < 128 && w->zero == 0,
              w, "a window is empty or out of range");
    }
    return true;
}

// --- limits, gates
// -------------------------------------------------------------------------------------------------

static bool
check_limits(struct ag_verifier *v)
{
    for (uint32_t i = 0; i < v->im->nlimits; i++) {
        const struct ag_limit *l = &v->im->limits[i];
        CHECK(ag_verify_is_string(v, l->name, false), l, "a limit's name is no string constant");
        CHECK(l->kind <= AG_LIMIT_BUDGET && l->on_exceed >= AG_THROTTLE && l->on_exceed <= AG_DENY &&
                  l->count_denied <= 1 && l->zero == 0 && l->nkeys <= AG_LIMIT_KEYS_MAX && l->key_fields < 32,
              l, "a limit's word is out of range");
        bool timed = l->kind == AG_LIMIT_RATE || l->kind == AG_LIMIT_WINDOW;
        CHECK(!timed || (l->rate_per_ns && l->burst && (l->kind != AG_LIMIT_RATE || l->rate_num)), l,
              "a rate is zero");
        CHECK(timed || l->cap[0] || l->cap[1], l, "a quota or budget has no cap");
        CHECK(l->cap[0] <= AG_COUNT_MAX && l->cap[1] <= AG_COUNT_MAX && l->warn[0] <= AG_COUNT_MAX &&
                  l->warn[1] <= AG_COUNT_MAX,
              l, "a cap is larger than what can be counted");
    }
    return true;
}

static bool
check_gates(struct ag_verifier *v)
{
    const struct ag_gates_section *g = v->im->gates;
    struct ag_gate_params p;
    if (!g)
        return true;
    CHECK(g->present >> AG_GATES == 0 && (g->apply_always & ~g->present) == 0, g, "unknown gates");
    memcpy(&p, g->params, sizeof p);
    CHECK(ag_gate_params_check(&p) == NULL, g->params, "a gate parameter is out of range");
    for (size_t i = sizeof p; i < sizeof g->params; i++)
        CHECK(g->params[i] == 0, g->params + i, "a reserved byte is not zero");
    return true;
}

// --- entrypoints and debug
// -------------------------------------------------------------------------------------------

static bool
check_entries(struct ag_verifier *v)
{
    const struct ag_image *im = v->im;
    for (uint32_t i = 0; i < im->nentries; i++) {
        const struct ag_entry *e = &im->entries[i];
        CHECK(ag_verify_is_string(v, e->name, false) && e->func < im->nfuncs && e->is_decision <= 1 &&
                  e->zero == 0,
              e, "an entrypoint is malformed");
        const struct ag_func *f = &im->funcs[e->func];
        CHECK(f->nargs == 2, e, "an entrypoint's function does not take input and frame");
        CHECK(e->is_decision || !(f->flags & AG_FUNC_ENTRY), e,
              "an entrypoint that returns a value contributes to an outcome");
    }
    for (uint32_t i = 0; i < im->npaths; i++)
        CHECK(ag_verify_is_path(v, im->paths[i], false), &im->paths[i],
              "an input path is no array of strings");
    for (uint32_t i = 0; i < im->nsources; i++)
        CHECK(ag_verify_is_string(v, im->sources[i], false), &im->sources[i],
              "a source name is no string constant");
    for (uint32_t i = 0; i < im->nspans; i++) {
        const struct ag_span *s = &im->spans[i];
        CHECK(s->insn < im->ncode && (i == 0 || s->insn > s[-1].insn), s, "debug spans are not ascending");
        CHECK(s->source == AG_NONE || s->source < im->nsources, s, "a debug span names an unknown source");
    }
    return true;
}

bool
ag_verify_tables(struct ag_verifier *v)
{
    const struct ag_image *im = v->im;
    size_t room;
    if (!check_meta(v) || !check_rules(v) || !check_windows(v) || !check_limits(v) || !check_gates(v))
        return false;
    if (!check_count(v, AG_SEC_INDEX, im->nindexes, 1) ||
        !check_count(v, AG_SEC_CALLTABLES, im->ncalltables, 1) ||
        !check_count(v, AG_SEC_PATTERNS, im->npatterns, 2) || !check_count(v, AG_SEC_ZONES, im->nzones, 1))
        return false;
    for (uint32_t i = 0; i < im->nzones; i++)
        if (!check_zone(v, i))
            return false;
    for (uint32_t i = 0; i < im->npatterns; i++)
        if (!check_pattern(v, i))
            return false;
    for (uint32_t i = 0; i < im->ncalltables; i++)
        if (!check_call_table(v, i))
            return false;
    for (uint32_t i = 0; i < im->nindexes; i++) {
        const struct ag_index *ix =
            ag_verify_body(v, AG_SEC_INDEX, i, sizeof *ix, _Alignof(struct ag_index), &room);
        if (!ix)
            return false;
        CHECK(ix->size >= sizeof *ix && ix->size <= room, ix, "a decision index reaches past its section");
        if (!ag_verify_index(v, ix))
            return false;
    }
    return check_entries(v);
}
