// SPDX-License-Identifier: Apache-2.0
// What the subcommands share: options from tables, policies from YAML or images, output for people and
// scripts. In: argv. Out: exit codes of docs/man/aegis.1. Thread rule: one thread. Next file to read: the
// subcommand.
#ifndef AGR_CMD_H
#define AGR_CMD_H

#include "aegis.h"
#include "aegis_tools.h"
#include "str.h"

#include <stdio.h>

enum agr_exit {
    AGR_EXIT_OK = 0,         // success; the action is allowed or monitored
    AGR_EXIT_DENIED = 1,     // denied or killed; errors were found
    AGR_EXIT_HELD = 2,       // escalated or throttled; wrong usage
    AGR_EXIT_UNAVAILABLE = 3 // no answer; malformed input
};

#define CMD(name, function, arguments, summary) int function(int argc, char **argv);
#include "commands.def"

// ---- args.c: options of one subcommand

enum agr_opt_kind { AGR_OPT_FLAG, AGR_OPT_STR, AGR_OPT_INT, AGR_OPT_LIST };

#define AGR_LIST_MAX 64
struct agr_list {
    const char *v[AGR_LIST_MAX];
    unsigned n;
};

struct agr_opt {
    const char *name; // long name without dashes
    char letter;      // short form, or 0
    enum agr_opt_kind kind;
    void *to;          // int *, const char **, long *, struct agr_list *
    const char *value; // name of the value in help, NULL for flags
    const char *help;
};

// Reads options; what is left is in args. Prints help (and returns 0 in *ret_exit) or a usage error (2) and
// returns false. opts end with a row whose name is NULL.
bool agr_args(int argc, char **argv, const struct agr_opt *opts, struct agr_list *args, int *ret_exit);
// "aegis CMD: text" on standard error; returns `code`.
__attribute__((format(printf, 2, 3))) int agr_die(int code, const char *fmt, ...);
// True when output may be coloured: a terminal, NO_COLOR unset.
bool agr_has_colour(FILE *f);

// ---- load.c

// Opens an image, or compiles YAML first in a jailed child. Prints what is wrong. NULL on failure; *ret_exit
// says the code. options may be NULL.
struct aegis_policy *agr_load(const char *path, const struct aegis_policy_options *options, int *ret_exit);
// The same from the text of a policy; `name` stands in messages.
struct aegis_policy *agr_load_text(struct ag_str text, const char *name, int *ret_exit);
// A whole file ("-" = standard input) into malloc'd memory with a NUL after it; NULL with a message on
// failure.
char *agr_read_file(const char *path, size_t max, size_t *ret_n);

// ---- text.c

// RFC 3339, "YYYY-MM-DDTHH:MM", or "HH:MM" (of the day 2026-01-05, a Monday); false when it is none of them.
bool agr_parse_time(const char *s, int64_t *ret_ns);
void agr_print_str(FILE *f, struct aegis_str s);
void agr_print_json_str(FILE *f, struct ag_str s);
void agr_print_upper(FILE *f, struct aegis_str s);
int agr_exit_of(const struct aegis_decision *d);
// The decision as JSON, in malloc'd memory; NULL when out of memory.
char *agr_decision_text(const struct aegis_ctx *ctx, const struct aegis_decision *d, size_t *ret_n);
// The match patterns of a rule as "type@target", as agent-aegis prints a rule.
void agr_print_pattern(FILE *f, const struct aegis_rule_info *r);

#define AGR_LARGE_INPUT_MAX (64u << 20)  // bytes of one input
#define AGR_LARGE_ARENA     (512u << 20) // bytes of working memory; pages are taken as they are touched

// A simulated host, one context and one slot holding `p` (taken over), for commands that decide without a
// server.
struct agr_sim {
    struct aegis_host *host;
    struct aegis_ctx *ctx;
    struct aegis_slot *slot;
};
// The crypto provider when the policy needs it, else NULL: loading it takes some milliseconds.
const struct aegis_crypto *agr_crypto_for(const struct aegis_policy *p);
bool agr_sim_open(struct agr_sim *s, struct aegis_policy *p, int64_t now_ns);
// The same with the working memory of tools that evaluate whole data sets (docs/man/aegis.1, "eval").
bool agr_sim_open_large(struct agr_sim *s, struct aegis_policy *p, int64_t now_ns);
void agr_sim_close(struct agr_sim *s);

#endif
