// SPDX-License-Identifier: Apache-2.0
// aegis serve: settings to a running server. In: flags, environment, configuration file. Out: the server's
// exit code. Next file to read: config.c for the settings, runtime/server/parent.c for the server.
#include "cmd.h"

#include "config.h"

#include <stdlib.h>

// Values of flags, as text; lists may be repeated.
struct flags {
    int is_set[AGR_CONF_COUNT];
    const char *text[AGR_CONF_COUNT];
    struct agr_list list[AGR_CONF_COUNT];
    const char *file;
    int no_sandbox;
};

static void
add_options(struct agr_opt *opts, struct flags *f)
{
    unsigned n = 0;
    for (unsigned i = 0; i < AGR_CONF_COUNT; i++) {
        const struct agr_conf_row *row = agr_config_row((enum agr_conf_id)i);
        if (!row->flag[0])
            continue;
        struct agr_opt *o = &opts[n++];
        *o = (struct agr_opt){.name = row->flag,
                              .value = row->metavar,
                              .help = row->help,
                              .kind = AGR_OPT_STR,
                              .to = &f->text[i]};
        if (row->kind == AGR_CONF_LIST) {
            o->kind = AGR_OPT_LIST;
            o->to = &f->list[i];
        } else if (row->kind == AGR_CONF_BOOL) {
            o->kind = AGR_OPT_FLAG;
            o->value = NULL;
            o->to = &f->is_set[i];
        }
    }
    opts[n++] =
        (struct agr_opt){"config", 'c', AGR_OPT_STR, &f->file, "FILE", "settings in YAML; see aegis.conf(5)"};
    opts[n] = (struct agr_opt){"no-sandbox",   0,    AGR_OPT_FLAG,
                               &f->no_sandbox, NULL, "do not filter the system calls of workers"};
}

static bool
take_flags(struct agr_config *c, const struct flags *f, const struct agr_list *args)
{
    bool ok = true;
    for (unsigned i = 0; i < AGR_CONF_COUNT && ok; i++) {
        enum agr_conf_id id = (enum agr_conf_id)i;
        if (f->text[i])
            ok = agr_config_set(c, id, f->text[i], AGR_FROM_FLAG);
        if (f->is_set[i])
            ok = agr_config_set(c, id, "true", AGR_FROM_FLAG);
        for (unsigned k = 0; k < f->list[i].n && ok; k++)
            ok = agr_config_set(c, id, f->list[i].v[k], AGR_FROM_FLAG);
    }
    if (ok && f->no_sandbox)
        ok = agr_config_set(c, AGR_CONF_SANDBOX, "false", AGR_FROM_FLAG);
    if (ok && args->n)
        ok = agr_config_set(c, AGR_CONF_POLICY, args->v[0], AGR_FROM_FLAG);
    // --host and --port say where to listen also when the file has listeners.
    bool has_address = f->text[AGR_CONF_HOST] || f->text[AGR_CONF_PORT];
    if (ok && has_address && !f->list[AGR_CONF_LISTEN].n)
        ok = agr_config_set(c, AGR_CONF_LISTEN, "", AGR_FROM_DEFAULT);
    return ok;
}

int
cmd_serve(int argc, char **argv)
{
    static struct flags f;
    static struct agr_server_config server;
    struct agr_opt opts[AGR_CONF_COUNT + 3] = {{NULL, 0, AGR_OPT_FLAG, NULL, NULL, NULL}};
    struct agr_list args = {.n = 0};
    struct agr_config c;
    int code = AGR_EXIT_HELD;
    add_options(opts, &f);
    if (!agr_args(argc, argv, opts, &args, &code))
        return code;
    if (args.n > 1)
        return agr_die(AGR_EXIT_HELD, "serve takes one POLICY");
    bool ok = agr_config_load(&c, f.file) && take_flags(&c, &f, &args) && agr_config_finish(&c) &&
              agr_config_server(&c, &server);
    code = ok ? agr_serve(&server) : agr_die(AGR_EXIT_HELD, "%s", c.why);
    agr_config_fini(&c);
    return code;
}
