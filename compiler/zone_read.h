// SPDX-License-Identifier: Apache-2.0
// Time zones for the image: TZif files (RFC 8536) version 2 and later become struct ag_zone bodies. In: zone
// names and a zoneinfo directory. Out: bodies in the arena and the version of the data. Nothing reads
// zoneinfo at run time. Thread rule: one compilation, one thread. Next file to read: vm/zone.c.
#ifndef AGC_ZONE_READ_H
#define AGC_ZONE_READ_H

#include "ast.h"
#include "diag.h"

#define AGC_ZONE_DIR       "/usr/share/zoneinfo"
#define AGC_ZONE_FILE_MAX  (1u << 20) // bytes of one TZif file
#define AGC_ZONE_TRANS_MAX 4096u      // transitions of one zone
#define AGC_ZONE_NAME_MAX  64u        // bytes of a zone's name

// True when the name is a relative path of letters, digits and _ + - with no empty, . or .. part.
bool agc_zone_name_ok(struct ag_str name);

// Parses TZif bytes. NULL, or what is wrong (static storage); *ret is an arena body whose `name` is AG_NONE.
const char *agc_zone_parse(struct agc_arena *a, struct ag_str bytes, struct ag_zone **ret);

// The zones of the policy in order (*ret has policy->nzones elements) and the version of the data. `dir`
// NULL: the system's. False with diagnostics when a zone is unknown, unreadable or the version cannot be
// told.
bool agc_zones_read(struct agc_arena *a, struct agc_diags *diags, const struct agc_policy *policy,
                    const char *dir, struct ag_zone ***ret, struct ag_str *ret_version);

#endif
