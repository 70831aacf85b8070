// SPDX-License-Identifier: Apache-2.0
// aegis doctor: what this machine allows, how fast it is, whether policy, settings and server are in order.
// Every item is pass, warn, fail or manual; exit 1 when one fails. In: options. Out: text or JSON. Next file
// to read: doctor_machine.c.
#include "doctor.h"

#include <stdarg.h>

static const char *const words[] = {"pass", "warn", "fail", "manual"};

void
agr_doctor_say(struct agr_doctor *d, const char *section, const char *name, enum agr_item_status status,
               const char *fmt, ...)
{
    va_list ap;
    if (d->n == AGR_ITEMS_MAX)
        return;
    struct agr_item *i = &d->item[d->n++];
    i->section = section;
    i->status = status;
    snprintf(i->name, sizeof i->name, "%s", name);
    va_start(ap, fmt);
    vsnprintf(i->text, sizeof i->text, fmt, ap);
    va_end(ap);
}

static unsigned
count(const struct agr_doctor *d, enum agr_item_status s)
{
    unsigned n = 0;
    for (unsigned i = 0; i < d->n; i++)
        n += d->item[i].status == s;
    return n;
}

static void
print_json(const struct agr_doctor *d)
{
    printf("{\"ok\":%s,\"items\":[", count(d, AGR_ITEM_FAIL) ? "false" : "true");
    for (unsigned i = 0; i < d->n; i++) {
        const struct agr_item *it = &d->item[i];
        printf("%s\n {\"section\":\"%s\",\"name\":", i ? "," : "", it->section);
        agr_print_json_str(stdout, ag_str_z(it->name));
        printf(",\"status\":\"%s\",\"text\":", words[it->status]);
        agr_print_json_str(stdout, ag_str_z(it->text));
        printf("}");
    }
    printf("]}\n");
}

static void
print_text(const struct agr_doctor *d)
{
    static const char *const colours[] = {"\033[32m", "\033[33m", "\033[31m", "\033[36m"};
    bool has_colour = agr_has_colour(stdout);
    const char *section = "";
    for (unsigned i = 0; i < d->n; i++) {
        const struct agr_item *it = &d->item[i];
        if (strcmp(section, it->section) != 0)
            printf("%s%s\n", i ? "\n" : "", it->section);
        section = it->section;
        printf("  %s%-6s%s  %-20s %s\n", has_colour ? colours[it->status] : "", words[it->status],
               has_colour ? "\033[0m" : "", it->name, it->text);
    }
    printf("\n%u pass, %u warn, %u fail, %u to check by hand\n", count(d, AGR_ITEM_PASS),
           count(d, AGR_ITEM_WARN), count(d, AGR_ITEM_FAIL), count(d, AGR_ITEM_MANUAL));
}

int
cmd_doctor(int argc, char **argv)
{
    static struct agr_doctor d;
    int is_json = 0, code;
    struct agr_list args = {0};
    memset(&d, 0, sizeof d);
    d.dir = ".";
    const struct agr_opt opts[] = {
        {"dir", 0, AGR_OPT_STR, &d.dir, "DIR",
         "where the log will be: its disk is measured (default: this directory)"},
        {"config", 'c', AGR_OPT_STR, &d.config, "FILE", "configuration of the server"},
        {"policy", 0, AGR_OPT_STR, &d.policy, "POLICY", "the policy that will be served"},
        {"address", 'a', AGR_OPT_STR, &d.address, "ADDRESS",
         "data listener of a running server: unix:PATH or HOST:PORT"},
        {"metrics", 0, AGR_OPT_STR, &d.metrics_address, "ADDRESS", "metrics listener of a running server"},
        {"json", 0, AGR_OPT_FLAG, &is_json, NULL, "print JSON"},
        {NULL, 0, AGR_OPT_FLAG, NULL, NULL, NULL}};
    if (!agr_args(argc, argv, opts, &args, &code))
        return code;
    if (args.n)
        return agr_die(AGR_EXIT_HELD, "doctor: takes no argument");
    agr_doctor_machine(&d);
    agr_doctor_measure(&d);
    agr_doctor_setup(&d);
    if (is_json)
        print_json(&d);
    else
        print_text(&d);
    return count(&d, AGR_ITEM_FAIL) ? AGR_EXIT_DENIED : AGR_EXIT_OK;
}
