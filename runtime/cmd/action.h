// SPDX-License-Identifier: Apache-2.0
// Actions as people give them on the command line: TYPE:TARGET with --params, --agent and so on, or whole
// JSON objects. In: text. Out: the JSON that decide takes. Memory: malloc, owned by the caller.
#ifndef AGR_ACTION_H
#define AGR_ACTION_H

#include "cmd.h"

struct agr_action_opts {
    const char *params; // JSON object, or NULL
    const char *agent, *tenant, *session;
};

// JSON of `spec` ("TYPE:TARGET" or "TYPE"); NULL with a message when --params is no object or memory is out.
char *agr_action_json(const char *spec, const struct agr_action_opts *o, size_t *ret_n);
// The "type:target" shown for a JSON action, written into out.
void agr_action_label(const char *json, char *out, size_t size);

#endif
