// SPDX-License-Identifier: Apache-2.0
// Containment of agents: one entry each, payload 1 while it holds. In: tenant and agent. Out: contained or
// not. Owns: nothing. Partners of the atomics: the same functions in other processes. Next: kill.c.
#include "state/contain.h"

#include "state/layout.h"

enum aegis_status
agr_contain_key(const struct agr_state *st, struct ag_str tenant, struct ag_str agent, struct agr_key *ret)
{
    return agr_key_make(st, AGR_CONTAIN, AGR_NO_PERIOD, AG_STR("contain"), tenant, agent, ret);
}

enum aegis_status
agr_contain_set(struct agr_state *st, const struct agr_key *key, const struct agr_time *now)
{
    for (uint32_t try = 0; try < AGR_TAKE_TRIES; try++) {
        struct agr_found f;
        enum aegis_status s = agr_table_claim(st, AGR_TABLE_MAIN, key, 1, now, &f);
        if (s != AEGIS_OK)
            return s;
        // A lifted entry may be stolen between the look and the change; the change then fails and the look is
        // repeated.
        if ((f.word & AGR_WORD_MASK) == 1 || agr_word_cas(&f.e->word, &f.word, 1))
            return AEGIS_OK;
    }
    return AEGIS_BUSY;
}

enum aegis_status
agr_contain_get(struct agr_state *st, const struct agr_key *key, bool *ret_is_contained)
{
    struct agr_found f;
    if (agr_state_is_recovering(st))
        return AEGIS_STATE_UNAVAILABLE;
    *ret_is_contained = agr_table_find(st, AGR_TABLE_MAIN, key, &f) && (f.word & AGR_WORD_MASK) == 1;
    return AEGIS_OK;
}

void
agr_contain_lift(struct agr_state *st, const struct agr_key *key)
{
    struct agr_found f;
    for (uint32_t try = 0; try < AGR_TAKE_TRIES && agr_table_find(st, AGR_TABLE_MAIN, key, &f); try++)
        if (agr_word_cas(&f.e->word, &f.word, 0))
            return;
}
