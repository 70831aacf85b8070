// SPDX-License-Identifier: Apache-2.0
// Containment: an agent that a decision locked in. An entry that is never stolen, read with the kill words,
// rebuilt from the log, lifted by admin alone. In: a key of kind AGR_CONTAIN. Out: contained or not. Owns:
// nothing. Thread rule: safe between processes. Next: kill.h.
#ifndef AGR_CONTAIN_H
#define AGR_CONTAIN_H

#include "state/table.h"

// The key of an agent of a tenant.
enum aegis_status agr_contain_key(const struct agr_state *st, struct ag_str tenant, struct ag_str agent,
                                  struct agr_key *ret);
enum aegis_status agr_contain_set(struct agr_state *st, const struct agr_key *key,
                                  const struct agr_time *now);
// AEGIS_STATE_UNAVAILABLE while the state recovers.
enum aegis_status agr_contain_get(struct agr_state *st, const struct agr_key *key, bool *ret_is_contained);
void agr_contain_lift(struct agr_state *st, const struct agr_key *key);

#endif
