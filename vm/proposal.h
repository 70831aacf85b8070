// SPDX-License-Identifier: Apache-2.0
// A governance proposal (A4) read from a value: fields, aliases, types and ranges; every error names its
// field. Thread rule: as the arena of `m`.
#ifndef AG_PROPOSAL_H
#define AG_PROPOSAL_H

#include "gates.h"
#include "value.h"

struct ag_proposal_error {
    char field[64]; // path, such as quality_subscores[2]
    char text[192]; // the field and what is wrong with it, for people
    bool is_full;   // the arena is full; the value may be fine
};

// A whole proposal: an unknown field or a missing summary is an error. Arrays of *ret lie in the arena.
bool ag_proposal_read(const struct ag_mem *m, struct ag_value v, struct ag_proposal *ret,
                      struct ag_proposal_error *reterr);
// The parameters of an action, some of which may be fields of a proposal: numbers and flags are read by the
// names of A4, other fields and the texts of A4 are not looked at.
bool ag_proposal_read_params(const struct ag_mem *m, struct ag_value v, struct ag_proposal *ret,
                             struct ag_proposal_error *reterr);

#endif
