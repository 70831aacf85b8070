// SPDX-License-Identifier: Apache-2.0
// Settings: reads defaults, file and environment into one table of texts, checks them once, and gives the
// server its struct. In: conf.def. Out: struct agr_config, struct agr_server_config. A mistake names the
// setting, the place it came from and what is accepted. Next file to read: serve.c.
#include "config.h"

#include "keys.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

#define KEY_BYTES  128
#define PATH_BYTES 4096
#define NUMBER_MAX ((long)INT64_MAX)

static const struct agr_conf_row table[] = {
#define CONF(ID, kind, key, flag, env, value, metavar, help)                                                 \
    {key, flag, env, value, metavar, help, AGR_CONF_##kind},
#include "conf.def"
};

const struct agr_conf_row *
agr_config_row(enum agr_conf_id id)
{
    return &table[id];
}

const char *
agr_config_source_text(enum agr_conf_source s)
{
    static const char *const text[] = {"default", "file", "environment", "flag"};
    return text[s];
}

__attribute__((format(printf, 2, 3))) static bool
fail(struct agr_config *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(c->why, sizeof c->why, fmt, ap);
    va_end(ap);
    return false;
}

// --- one setting

static bool
check_value(struct agr_config *c, enum agr_conf_id id, const char *value, enum agr_conf_source source)
{
    const struct agr_conf_row *row = &table[id];
    char *end;
    if (row->kind == AGR_CONF_NUMBER && *value) {
        errno = 0;
        long long v = strtoll(value, &end, 10);
        if (errno || *end || end == value || v < 0)
            return fail(c, "%s (%s): \"%s\" is not a number of 0 or more", row->key,
                        agr_config_source_text(source), value);
    }
    if (row->kind == AGR_CONF_BOOL && strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
        return fail(c, "%s (%s): \"%s\" is neither true nor false", row->key, agr_config_source_text(source),
                    value);
    return true;
}

bool
agr_config_set(struct agr_config *c, enum agr_conf_id id, const char *value, enum agr_conf_source source)
{
    bool is_more = table[id].kind == AGR_CONF_LIST && c->source[id] == source && source != AGR_FROM_DEFAULT &&
                   c->value[id][0];
    if (!check_value(c, id, value, source))
        return false;
    size_t n = strlen(value) + (is_more ? strlen(c->value[id]) + 1 : 0) + 1;
    char *text = malloc(n);
    if (!text)
        return fail(c, "out of memory");
    snprintf(text, n, "%s%s%s", is_more ? c->value[id] : "", is_more ? "," : "", value);
    free(c->value[id]);
    c->value[id] = text;
    c->source[id] = source;
    return true;
}

// --- the file: a mapping of mappings; "server: {port: 8000}" sets server.port

struct file {
    struct agr_config *c;
    const char *path;
    yaml_parser_t parser;
    yaml_event_t event;
    bool has_event;
};

static bool
next(struct file *f)
{
    if (f->has_event)
        yaml_event_delete(&f->event);
    f->has_event = yaml_parser_parse(&f->parser, &f->event) != 0;
    if (!f->has_event)
        return fail(f->c, "%s:%zu:%zu: %s", f->path, f->parser.problem_mark.line + 1,
                    f->parser.problem_mark.column + 1, f->parser.problem ? f->parser.problem : "not YAML");
    if (f->event.type == YAML_ALIAS_EVENT)
        return fail(f->c, "%s:%zu: aliases are not accepted", f->path, f->event.start_mark.line + 1);
    return true;
}

static bool
fail_here(struct file *f, const char *key, const char *what)
{
    return fail(f->c, "%s:%zu:%zu: %s%s%s", f->path, f->event.start_mark.line + 1,
                f->event.start_mark.column + 1, key, *key ? ": " : "", what);
}

static const char *
scalar(const struct file *f)
{
    return (const char *)f->event.data.scalar.value;
}

static bool
read_value(struct file *f, const char *key)
{
    unsigned id = 0;
    while (id < AGR_CONF_COUNT && strcmp(table[id].key, key) != 0)
        id++;
    if (id == AGR_CONF_COUNT)
        return fail_here(f, key, "there is no such setting; see aegis.conf(5)");
    if (f->c->source[id] == AGR_FROM_FILE)
        return fail_here(f, key, "is set twice");
    if (f->event.type == YAML_SCALAR_EVENT) {
        if (agr_config_set(f->c, (enum agr_conf_id)id, scalar(f), AGR_FROM_FILE))
            return true;
        char what[256];
        snprintf(what, sizeof what, "%.250s", f->c->why);
        return fail_here(f, "", what);
    }
    if (f->event.type != YAML_SEQUENCE_START_EVENT || table[id].kind != AGR_CONF_LIST)
        return fail_here(f, key, "takes one value");
    while (next(f) && f->event.type != YAML_SEQUENCE_END_EVENT) {
        if (f->event.type != YAML_SCALAR_EVENT)
            return fail_here(f, key, "is a list of texts");
        if (!agr_config_set(f->c, (enum agr_conf_id)id, scalar(f), AGR_FROM_FILE))
            return false;
    }
    return f->has_event;
}

// Reads one mapping whose keys stand behind `prefix`.
static bool
read_mapping(struct file *f, const char *prefix)
{
    char key[KEY_BYTES];
    for (;;) {
        if (!next(f))
            return false;
        if (f->event.type == YAML_MAPPING_END_EVENT)
            return true;
        if (f->event.type != YAML_SCALAR_EVENT)
            return fail_here(f, prefix, "a key is a plain text");
        if ((size_t)snprintf(key, sizeof key, "%s%s%s", prefix, *prefix ? "." : "", scalar(f)) >= sizeof key)
            return fail_here(f, "", "there is no setting with such a long name");
        if (!next(f))
            return false;
        bool ok =
            f->event.type == YAML_MAPPING_START_EVENT && !*prefix ? read_mapping(f, key) : read_value(f, key);
        if (!ok)
            return false;
    }
}

static bool
read_events(struct file *f)
{
    if (!next(f) || !next(f)) // stream start; document start or stream end
        return false;
    if (f->event.type == YAML_STREAM_END_EVENT)
        return true;
    if (!next(f))
        return false;
    if (f->event.type == YAML_SCALAR_EVENT && f->event.data.scalar.length == 0)
        return true; // an empty document
    if (f->event.type != YAML_MAPPING_START_EVENT)
        return fail_here(f, "", "the file is a mapping, such as \"server: {port: 8000}\"");
    return read_mapping(f, "");
}

static bool
read_file(struct agr_config *c, const char *path)
{
    struct file f = {.c = c, .path = path};
    FILE *in = fopen(path, "re");
    if (!in)
        return fail(c, "%s: %s", path, strerror(errno));
    bool ok = yaml_parser_initialize(&f.parser) != 0;
    if (ok) {
        yaml_parser_set_input_file(&f.parser, in);
        ok = read_events(&f);
        if (f.has_event)
            yaml_event_delete(&f.event);
        yaml_parser_delete(&f.parser);
    } else {
        fail(c, "out of memory");
    }
    fclose(in);
    return ok;
}

static bool
read_environment(struct agr_config *c)
{
    for (unsigned i = 0; i < AGR_CONF_COUNT; i++) {
        const char *v = table[i].env[0] ? getenv(table[i].env) : NULL;
        if (v && *v && !agr_config_set(c, (enum agr_conf_id)i, v, AGR_FROM_ENVIRONMENT))
            return false;
    }
    return true;
}

bool
agr_config_load(struct agr_config *c, const char *file)
{
    memset(c, 0, sizeof *c);
    for (unsigned i = 0; i < AGR_CONF_COUNT; i++)
        if (!agr_config_set(c, (enum agr_conf_id)i, table[i].standard, AGR_FROM_DEFAULT))
            return false;
    if (!file)
        file = getenv("AEGIS_SERVER_CONFIG");
    return (!file || !*file || read_file(c, file)) && read_environment(c);
}

// --- what depends on other settings

// Root keeps its state where a service does; others below their home.
static bool
base_dir(struct agr_config *c, char *ret)
{
    const char *xdg = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (geteuid() == 0 || access("/var/lib/aegis", W_OK) == 0)
        snprintf(ret, PATH_BYTES, "/var/lib/aegis");
    else if (xdg && xdg[0] == '/')
        snprintf(ret, PATH_BYTES, "%s/aegis", xdg);
    else if (home && home[0] == '/')
        snprintf(ret, PATH_BYTES, "%s/.local/state/aegis", home);
    else
        return fail(c, "neither HOME nor XDG_STATE_HOME is set: give --state DIR and --audit DIR");
    return true;
}

// Replaces a value without changing where it is said to come from.
static bool
resolve(struct agr_config *c, enum agr_conf_id id, const char *value)
{
    char *text = strdup(value);
    if (!text)
        return fail(c, "out of memory");
    free(c->value[id]);
    c->value[id] = text;
    return true;
}

// "@state/…" in a default becomes a path in that directory.
static bool
expand(struct agr_config *c, enum agr_conf_id id)
{
    char path[2 * PATH_BYTES];
    const char *at = strstr(c->value[id], "@state");
    if (!at)
        return true;
    snprintf(path, sizeof path, "%.*s%s%s", (int)(at - c->value[id]), c->value[id], c->value[AGR_CONF_STATE],
             at + 6);
    return resolve(c, id, path);
}

// A directory as an absolute path: children and messages must not depend on where the command was run.
static bool
directory(struct agr_config *c, enum agr_conf_id id, const char *base, const char *name)
{
    char path[2 * PATH_BYTES], here[PATH_BYTES];
    const char *v = c->value[id];
    if (!*v)
        snprintf(path, sizeof path, "%s/%s", base, name);
    else if (v[0] == '/')
        return true;
    else if (!getcwd(here, sizeof here))
        return fail(c, "%s: %s", v, strerror(errno));
    else
        snprintf(path, sizeof path, "%s/%s", here, v);
    return resolve(c, id, path);
}

bool
agr_config_finish(struct agr_config *c)
{
    char base[PATH_BYTES] = "", text[2 * PATH_BYTES];
    if ((!*c->value[AGR_CONF_STATE] || !*c->value[AGR_CONF_AUDIT]) && !base_dir(c, base))
        return false;
    if (!directory(c, AGR_CONF_STATE, base, "state") || !directory(c, AGR_CONF_AUDIT, base, "audit") ||
        !expand(c, AGR_CONF_ADMIN) || !expand(c, AGR_CONF_KEYS) || !directory(c, AGR_CONF_KEYS, base, "keys"))
        return false;
    if (!*c->value[AGR_CONF_WORKERS]) {
        long n = sysconf(_SC_NPROCESSORS_ONLN);
        snprintf(text, sizeof text, "%ld",
                 n < 1                         ? 1
                 : n > AGR_WORKERS_DEFAULT_MAX ? AGR_WORKERS_DEFAULT_MAX
                                               : n);
        if (!resolve(c, AGR_CONF_WORKERS, text))
            return false;
    }
    if (!*c->value[AGR_CONF_LISTEN]) {
        bool is_v6 = strchr(c->value[AGR_CONF_HOST], ':') && c->value[AGR_CONF_HOST][0] != '[';
        snprintf(text, sizeof text, "%s%s%s:%s", is_v6 ? "[" : "", c->value[AGR_CONF_HOST], is_v6 ? "]" : "",
                 c->value[AGR_CONF_PORT]);
        if (!resolve(c, AGR_CONF_LISTEN, text))
            return false;
    }
    if (!*c->value[AGR_CONF_METRICS]) {
        snprintf(text, sizeof text, "127.0.0.1:%s", c->value[AGR_CONF_METRICS_PORT]);
        if (!resolve(c, AGR_CONF_METRICS, text))
            return false;
    }
    return true;
}

// --- the server's view

static bool
split(struct agr_config *c, enum agr_conf_id id, const char **ret, unsigned max, unsigned *ret_n)
{
    char *p = c->value[id];
    *ret_n = 0;
    while (*p) {
        char *comma = strchr(p, ',');
        if (comma)
            *comma = 0;
        if (*ret_n == max)
            return fail(c, "%s: at most %u", table[id].key, max);
        if (*p)
            ret[(*ret_n)++] = p;
        if (!comma)
            break;
        p = comma + 1;
    }
    return true;
}

static const char *
text_or_null(const struct agr_config *c, enum agr_conf_id id)
{
    return *c->value[id] ? c->value[id] : NULL;
}

static bool
number(struct agr_config *c, enum agr_conf_id id, long least, long most, long *ret)
{
    long v = strtol(c->value[id], NULL, 10);
    if (v < least || v > most)
        return fail(c, "%s: %ld is not from %ld to %ld", table[id].key, v, least, most);
    *ret = v;
    return true;
}

bool
agr_config_server(struct agr_config *c, struct agr_server_config *ret)
{
    const char *keys[AGR_TRUST_MAX];
    long backlog = 0, reserve = 0;
    memset(ret, 0, sizeof *ret);
    ret->policy = c->value[AGR_CONF_POLICY];
    ret->admin = c->value[AGR_CONF_ADMIN];
    ret->metrics = strcmp(c->value[AGR_CONF_METRICS], "off") == 0 ? "" : c->value[AGR_CONF_METRICS];
    ret->audit_dir = c->value[AGR_CONF_AUDIT];
    ret->state_dir = c->value[AGR_CONF_STATE];
    ret->keys_dir = c->value[AGR_CONF_KEYS];
    ret->api_keys = text_or_null(c, AGR_CONF_API_KEYS);
    ret->admin_tokens = text_or_null(c, AGR_CONF_ADMIN_TOKENS);
    ret->is_sandboxed = c->value[AGR_CONF_SANDBOX][0] == 't';
    ret->allow_rollback = c->value[AGR_CONF_ROLLBACK][0] == 't';
    ret->ignore_kept = c->value[AGR_CONF_IGNORE_KEPT][0] == 't';
    if (!split(c, AGR_CONF_LISTEN, ret->listen, AGR_LISTENERS_MAX, &ret->nlisten) ||
        !split(c, AGR_CONF_TRUST, keys, AGR_TRUST_MAX, &ret->ntrust) ||
        !number(c, AGR_CONF_WORKERS, 1, AGR_WORKERS_DEFAULT_MAX, &ret->workers) ||
        !number(c, AGR_CONF_SYNC, 1, 10000, &ret->sync_interval_ms) ||
        !number(c, AGR_CONF_BACKLOG, 32 << 20, NUMBER_MAX, &backlog) ||
        !number(c, AGR_CONF_RESERVE, 0, NUMBER_MAX, &reserve) ||
        !number(c, AGR_CONF_THROTTLE_STATUS, 403, 429, &ret->throttle_status))
        return false;
    if (!agr_log_parse(c->value[AGR_CONF_LOG_LEVEL], &ret->log_level))
        return fail(c, "log.level (%s): \"%s\" is not debug, info, warning or error",
                    agr_config_source_text(c->source[AGR_CONF_LOG_LEVEL]), c->value[AGR_CONF_LOG_LEVEL]);
    if (ret->throttle_status != 403 && ret->throttle_status != 429)
        return fail(c, "check.throttle_status is 429 or 403");
    ret->backlog_max = (uint64_t)backlog;
    ret->reserve = reserve ? (uint64_t)reserve : 1;
    for (unsigned i = 0; i < ret->ntrust; i++)
        if (!agr_key_public(keys[i], ret->trust[i]))
            return fail(c, "policy.trust: %s is not a public key (aegis keygen makes one)", keys[i]);
    return true;
}

void
agr_config_fini(struct agr_config *c)
{
    for (unsigned i = 0; i < AGR_CONF_COUNT; i++)
        free(c->value[i]);
    memset(c->value, 0, sizeof c->value);
}
