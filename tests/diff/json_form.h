// SPDX-License-Identifier: Apache-2.0
// Values as JSON has them: sets become sorted arrays, keys that are no strings their JSON text.
// In: a value of m. Out: another one in m's arena. Thread rule: as the arena.
#ifndef AEGIS_TEST_JSON_FORM_H
#define AEGIS_TEST_JSON_FORM_H

#include "value.h"

struct ag_value t_as_json(struct ag_mem *m, struct ag_value v);

#endif
