// SPDX-License-Identifier: Apache-2.0
// What `aegis doctor` looks at: items with a status, collected in order, printed at the end (A64, B49).
// In: this machine, files, a running server. Out: items. Thread rule: one thread. Next file to read:
// doctor.c.
#ifndef AGR_DOCTOR_H
#define AGR_DOCTOR_H

#include "cmd.h"

#define AGR_ITEMS_MAX 128u

enum agr_item_status {
    AGR_ITEM_PASS,
    AGR_ITEM_WARN,  // works, but not as well or as safely as it could
    AGR_ITEM_FAIL,  // will not work
    AGR_ITEM_MANUAL // only a person can tell
};

struct agr_item {
    const char *section; // static
    char name[48], text[400];
    enum agr_item_status status;
};

struct agr_doctor {
    struct agr_item item[AGR_ITEMS_MAX];
    unsigned n;
    const char *dir;                       // where the log will be: its disk is measured
    const char *config, *policy;           // files to check, or NULL
    const char *address, *metrics_address; // of a running server, or NULL
};

__attribute__((format(printf, 5, 6))) void agr_doctor_say(struct agr_doctor *d, const char *section,
                                                          const char *name, enum agr_item_status status,
                                                          const char *fmt, ...);

void
agr_doctor_machine(struct agr_doctor *d); // doctor_machine.c: kernel, processor, clocks, limits, privileges
void agr_doctor_measure(struct agr_doctor *d); // doctor_measure.c: disk, decisions, what latency to expect
void
agr_doctor_setup(struct agr_doctor *d); // doctor_setup.c: policy, configuration, server, what a person checks

#endif
