// SPDX-License-Identifier: Apache-2.0
// Settings of `aegis serve` from flags, environment, file and defaults, in that order of strength, each with
// the place it came from. In: conf.def, a YAML file, the environment. Out: texts by setting, and the server's
// own struct. Memory: texts live until agr_config_fini. Thread rule: one thread. Next file to read: conf.def,
// serve.c.
#ifndef AGR_CONFIG_H
#define AGR_CONFIG_H

#include "server.h"

enum agr_conf_kind { AGR_CONF_TEXT, AGR_CONF_NUMBER, AGR_CONF_BOOL, AGR_CONF_LIST };
enum agr_conf_source { AGR_FROM_DEFAULT, AGR_FROM_FILE, AGR_FROM_ENVIRONMENT, AGR_FROM_FLAG };
enum agr_conf_id {
#define CONF(ID, kind, key, flag, env, value, metavar, help) AGR_CONF_##ID,
#include "conf.def"
    AGR_CONF_COUNT
};

struct agr_conf_row {
    const char *key, *flag, *env, *standard, *metavar, *help;
    enum agr_conf_kind kind;
};

struct agr_config {
    char *value[AGR_CONF_COUNT]; // "" = not set
    enum agr_conf_source source[AGR_CONF_COUNT];
    char why[512]; // what is wrong, after a call that returned false
};

const struct agr_conf_row *agr_config_row(enum agr_conf_id id);
const char *agr_config_source_text(enum agr_conf_source s);

// Defaults, then the file (NULL: AEGIS_SERVER_CONFIG, or none), then the environment. False with why.
bool agr_config_load(struct agr_config *c, const char *file);
// One more, from a flag or a test. A LIST gets the value appended when the last one came from the same
// source.
bool agr_config_set(struct agr_config *c, enum agr_conf_id id, const char *value,
                    enum agr_conf_source source);
// Fills in what depends on other settings and on this machine: directories, workers, listeners. False with
// why.
bool agr_config_finish(struct agr_config *c);
// The server's view; borrows from c. Reads the trusted keys. False with why.
bool agr_config_server(struct agr_config *c, struct agr_server_config *ret);
void agr_config_fini(struct agr_config *c);

#endif
