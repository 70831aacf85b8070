// SPDX-License-Identifier: Apache-2.0
// Policy, configuration and a running server, and the lines of the checklists (A64, B49) that only a person
// can tick. In: files and addresses that were given. Out: items. Next file to read: client.c.
#include "doctor.h"

#include "client.h"
#include "config.h"

#include <stdlib.h>
#include <sys/stat.h>

static void
policy(struct agr_doctor *d)
{
    int code;
    if (!d->policy) {
        agr_doctor_say(d, "policy", "policy", AGR_ITEM_MANUAL, "give --policy POLICY to have it checked");
        return;
    }
    struct aegis_policy *p = agr_load(d->policy, NULL, &code);
    if (!p) {
        agr_doctor_say(d, "policy", "policy", AGR_ITEM_FAIL, "%s is refused; the messages are above",
                       d->policy);
        return;
    }
    struct aegis_policy_info i = {.size = sizeof i};
    aegis_policy_info(p, &i);
    agr_doctor_say(d, "policy", "policy", AGR_ITEM_PASS, "%s: %u rule(s), %u limit(s)%s", d->policy, i.rules,
                   i.limits, i.has_gates ? ", gates" : "");
    bool is_closed = i.default_decision >= AEGIS_THROTTLE;
    agr_doctor_say(d, "policy", "fail closed", is_closed ? AGR_ITEM_PASS : AGR_ITEM_WARN, "%s",
                   is_closed ? "an action that no rule matches does not proceed"
                             : "an action that no rule matches proceeds");
    agr_doctor_say(d, "policy", "signature", i.is_signed ? AGR_ITEM_PASS : AGR_ITEM_WARN, "%s",
                   i.is_signed ? "signed" : "unsigned: aegisc --key signs, serve --trust asks for it");
    agr_doctor_say(d, "policy", "telemetry", AGR_ITEM_PASS, "addresses that are not https do not compile");
    aegis_policy_close(p);
}

// A line "…password: value" in a configuration file.
static bool
has_secret(const char *text)
{
    static const char *const keys[] = {"password", "passwd", "secret", "private_key", "token"};
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        size_t n = strcspn(line, ":\n"), from = strspn(line, " \t-");
        if (line[n] != ':' || line[from] == '#' || from > n)
            continue;
        const char *value = line + n + 1 + strspn(line + n + 1, " \t");
        for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
            size_t len = strlen(keys[k]);
            bool is_it = n - from >= len && strncmp(line + n - len, keys[k], len) == 0;
            if (is_it && *value && *value != '\n' && *value != '#')
                return true;
        }
    }
    return false;
}

static void
configuration(struct agr_doctor *d)
{
    size_t n;
    struct stat st;
    if (!d->config)
        return;
    char *text = agr_read_file(d->config, 1u << 20, &n);
    if (!text || stat(d->config, &st) == -1) {
        agr_doctor_say(d, "configuration", "file", AGR_ITEM_FAIL, "%s cannot be read", d->config);
        free(text);
        return;
    }
    agr_doctor_say(d, "configuration", "file", st.st_mode & 022 ? AGR_ITEM_FAIL : AGR_ITEM_PASS, "%s%s",
                   d->config, st.st_mode & 022 ? ": others may write it (chmod go-w)" : "");
    bool is_secret = has_secret(text);
    agr_doctor_say(d, "configuration", "secrets", is_secret ? AGR_ITEM_FAIL : AGR_ITEM_PASS, "%s",
                   is_secret ? "a password, secret or token stands in it: name a file instead"
                             : "none in it");
    free(text);
}

// Every setting as `serve` would use it here, with the place that it comes from.
static void
settings(struct agr_doctor *d)
{
    struct agr_config c;
    bool ok = agr_config_load(&c, d->config) && agr_config_finish(&c);
    if (!ok)
        agr_doctor_say(d, "settings", "settings", AGR_ITEM_FAIL, "%s", c.why);
    for (int i = 0; ok && i < AGR_CONF_COUNT; i++)
        agr_doctor_say(d, "settings", agr_config_row((enum agr_conf_id)i)->key, AGR_ITEM_PASS, "%s (%s)",
                       c.value[i] && *c.value[i] ? c.value[i] : "not set",
                       agr_config_source_text(c.source[i]));
    const char *parameters = getenv("AEGIS_CONFIG_PATH");
    bool is_set = parameters && *parameters;
    agr_doctor_say(d, "settings", "governance.parameters", AGR_ITEM_PASS, "%s (%s)",
                   is_set ? parameters : "not set",
                   agr_config_source_text(is_set ? AGR_FROM_ENVIRONMENT : AGR_FROM_DEFAULT));
    agr_config_fini(&c);
}

static void
ask(struct agr_doctor *d, const char *name, const char *address, const char *path, const char *how)
{
    struct agr_answer a;
    if (!address) {
        agr_doctor_say(d, "server", name, AGR_ITEM_MANUAL,
                       "give %s ADDRESS of a running server to have it asked", how);
        return;
    }
    if (!agr_client(address, "GET", path, NULL, NULL, &a)) {
        agr_doctor_say(d, "server", name, AGR_ITEM_FAIL, "%s does not answer", address);
        return;
    }
    agr_doctor_say(d, "server", name, a.status == 200 ? AGR_ITEM_PASS : AGR_ITEM_FAIL, "%s%s answers %d",
                   address, path, a.status);
    free(a.body);
}

static void
by_hand(struct agr_doctor *d)
{
    static const struct {
        const char *name, *text;
    } rows[] = {{"scrape", "the monitoring system's target for /metrics is up"},
                {"alerts", "alert rules are loaded, blocked and critical actions included"},
                {"dashboards", "imported, and they show data"},
                {"roles", "who may approve, reload and engage the kill switch was reviewed"},
                {"keys", "signing keys are kept where only the signer reaches them; a second copy exists"},
                {"recovery", "a restore from backup was tried, the log verified afterwards"},
                {"proxy", "TLS is ended in front of the server; no listener is on an open network"},
                {"network policy", "only callers reach the data listener, only operators the admin socket"},
                {"probes", "liveness /livez, readiness /readyz"},
                {"version", "the deployed version is pinned"},
                {"reload", "a hot reload was tried"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        agr_doctor_say(d, "by hand", rows[i].name, AGR_ITEM_MANUAL, "%s", rows[i].text);
}

void
agr_doctor_setup(struct agr_doctor *d)
{
    policy(d);
    configuration(d);
    settings(d);
    ask(d, "health", d->address, "/health", "--address");
    ask(d, "metrics", d->metrics_address, "/metrics", "--metrics");
    by_hand(d);
}
