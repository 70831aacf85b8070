// SPDX-License-Identifier: Apache-2.0
// The decision index against a plain scan: random rule sets over a small alphabet, so that globs, literals
// and shared keys all collide, and random actions; the machine's answer must be that of trying every rule in
// turn. In: a seed per rule set. Out: TAP. Memory: one policy at a time. Next file to read:
// compiler/opt_index.c.
#include "compile.h"
#include "crypto.h"
#include "image_write.h"
#include "lower.h"
#include "opt.h"
#include "pattern.h"

#include "../unit/policy_build.h"
#include "../unit/t.h"
#include "decide.h"

#define SETS    25u
#define RULES   400u
#define ACTIONS 400u // of each set: 10,000 in all

static uint64_t state = 1;

static unsigned
below(unsigned n)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (unsigned)((state * 0x2545f4914f6cdd1du >> 33) % n);
}

static struct ag_str
word(struct agc_arena *a, bool is_glob)
{
    static const char *const part[] = {"a", "b", "ab", "ba", "c"};
    static const char *const wild[] = {"*", "?", "[ab]", "[!a]"};
    char text[64] = "";
    unsigned n = below(4);
    for (unsigned i = 0; i < n; i++) {
        const char *p = is_glob && below(3) == 0 ? wild[below(4)] : part[below(5)];
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s", p);
    }
    return agc_strdup(a, ag_str_z(text));
}

static void
random_rules(struct pb *b, uint32_t n)
{
    b->policy.rules = agc_alloc(&b->arena, n * sizeof *b->policy.rules);
    for (uint32_t i = 0; i < n; i++) {
        struct agc_rule *r = &b->policy.rules[i];
        char name[32];
        snprintf(name, sizeof name, "r%u", i);
        r->name.text = agc_strdup(&b->arena, ag_str_z(name));
        r->decision = (uint8_t)below(AG_SEVERITIES);
        for (unsigned a = 0; a < AG_ATTRS; a++)
            if (below(2))
                r->match[a].text = word(&b->arena, below(2));
    }
    b->policy.nrules = n;
}

// The rule that decides when every rule is tried; AG_NONE for none.
static uint32_t
scan(const struct agc_policy *p, const struct ag_str attr[AG_ATTRS])
{
    uint32_t best = AG_NONE;
    for (uint32_t i = 0; i < p->nrules; i++) {
        bool matches = true;
        for (unsigned a = 0; a < AG_ATTRS; a++)
            matches = matches &&
                      (!p->rules[i].match[a].text.p || ag_glob_match(p->rules[i].match[a].text, attr[a]));
        if (!matches)
            continue;
        if (p->combine == AG_FIRST_MATCH)
            return i;
        if (best == AG_NONE || p->rules[i].decision > p->rules[best].decision)
            best = i;
    }
    return best;
}

static bool
compile(struct pb *b, int level, struct agc_ir *ir, struct agc_stats *stats, struct ag_str *ret)
{
    struct agc_refusal why;
    struct agc_heap heap;
    struct agc_code code;
    struct agc_image_options options = {0};
    char text[200];
    agc_ir_init(ir, &b->arena, &b->policy);
    if (!agc_lower(ir, &why) || !agc_opt(ir, level, text, sizeof text))
        return false;
    agc_heap_init(&heap, ir);
    if (!agc_emit(ir, &b->sources, &heap, &code, &why))
        return false;
    agc_stats_cost(ir, &code, stats);
    return agc_image_build(ir, &b->sources, &heap, &code, &options, stats, ret, &why);
}

// Homes in use, as bits of 1 << enum agc_home.
static unsigned
homes(const struct agc_ir *ir)
{
    unsigned set = 0;
    for (uint32_t i = 0; i < ir->index.n; i++)
        set |= 1u << ir->index.v[i].home;
    return set;
}

static uint32_t
one_set(enum ag_combine combine, unsigned *homes_seen)
{
    struct pb b;
    struct agc_ir ir;
    struct tm machine[2];
    struct agc_stats stats[2];
    struct ag_str image;
    uint32_t wrong = 0;
    pb_init(&b, combine);
    random_rules(&b, 1 + below(RULES));
    for (int level = 0; level < 2; level++) {
        if (!compile(&b, level, &ir, &stats[level], &image) || !tm_open(&machine[level], image)) {
            printf("# %s\n", machine[level].why);
            return ACTIONS;
        }
        *homes_seen |= homes(&ir);
    }
    for (uint32_t k = 0; k < ACTIONS; k++) {
        struct ag_str attr[AG_ATTRS];
        char json[512];
        for (unsigned a = 0; a < AG_ATTRS; a++)
            attr[a] = word(&b.arena, false);
        snprintf(json, sizeof json, "{\"type\":\"%s\",\"target\":\"%s\",\"agent\":\"%s\",\"tenant\":\"%s\"}",
                 attr[0].p, attr[1].p, attr[2].p, attr[3].p);
        uint32_t want = scan(&b.policy, attr);
        for (int level = 0; level < 2; level++) {
            bool ok = tm_run(&machine[level], "decide", ag_str_z(json), 0) &&
                      machine[level].outcome.rule_ix == want;
            uint64_t used = machine[level].im.meta->fuel - machine[level].call.fuel;
            if (used > stats[level].fixed + stats[level].per16 * strlen(json) / 16) {
                printf("# -O%d used %llu steps, more than stated\n", level, (unsigned long long)used);
                wrong++;
            }
            if (!ok)
                printf("# -O%d %s: rule %u, not %u\n", level, json, machine[level].outcome.rule_ix, want);
            wrong += !ok;
        }
    }
    tm_close(&machine[0]);
    tm_close(&machine[1]);
    pb_fini(&b);
    return wrong;
}

int
main(void)
{
    unsigned seen = 0;
    if (!ag_crypto_init())
        return 2;
    for (unsigned set = 0; set < SETS; set++) {
        state = 0x9e3779b97f4a7c15u * (set + 1);
        enum ag_combine combine = set % 2 ? AG_DENY_OVERRIDES : AG_FIRST_MATCH;
        OK(one_set(combine, &seen) == 0,
           "set %u, %s: index and scan agree on %u actions, within the stated cost", set,
           set % 2 ? "deny_overrides" : "first_match", ACTIONS);
    }
    OK(seen == 15, "the sets used every kind of home");
    return t_done();
}
