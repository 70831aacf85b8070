// SPDX-License-Identifier: Apache-2.0
// aegisc: options, reading files, printing diagnostics, writing the image. No compiling: that is compile.c.
// In: arguments. Out: exit code 0 done, 1 errors found, 2 wrong usage, 3 a file or the machine failed us.
// Memory: the job's arena. Next file to read: compile.c.
#include "capabilities.h"
#include "compile.h"
#include "fmt.h"
#include "image_write.h"
#include "inputs.h"
#include "sign.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>

enum exit_code { EXIT_DONE = 0, EXIT_ERRORS = 1, EXIT_USAGE = 2, EXIT_TROUBLE = 3 };

static const char usage_text[] =
    "usage: aegisc [-o policy.bin] [options] INPUT...\n"
    "Compiles policies (YAML), Rego modules (.rego) and base documents (data.json) into one image. Several\n"
    "files are merged, rules in the order given; of a directory everything below it is taken, and a .json "
    "file\n"
    "is a document that stands in data at the path of its directory.\n"
    "\n"
    "  -o FILE              write the image to FILE (default policy.bin; - is standard output)\n"
    "  -e REF               add an entrypoint that gives the value of a reference, as data.authz.allow\n"
    "  --decision REF       decide by a reference: true allows, everything else denies\n"
    "  --data [PATH:]FILE   add a base document at PATH below data (as a.b), or at its root\n"
    "  --query QUERY        add an entrypoint `query` that gives all solutions of a query\n"
    "  --query-scope TEXT   package and imports in which the names of the query are looked up\n"
    "  --all-documents      add an entrypoint for every document of the modules\n"
    "  --tests              add an entrypoint for every rule whose name begins with test_ or todo_test_\n"
    "  --schema FILE        JSON Schema of the input, which gives it a type\n"
    "  --rego               leave conflicts between rules to the run, as other Rego compilers do\n"
    "  --strict-errors      an error of a built-in function ends the evaluation\n"
    "  --check              only look for errors, write nothing\n"
    "  --emit=STAGE         print a stage instead: tokens, ast, names, types, ir, opt, index, asm, image\n"
    "  --stats              print sizes and the worst-case cost of a decision\n"
    "  --key FILE           sign the image with an ed25519 secret key\n"
    "  --serial N           serial number of the image; rises with each release\n"
    "  --tzdata DIR         read time zones from DIR\n"
    "  -O0                  no optimisation, linear search for rules\n"
    "  -W...                -Werror, -Werror=ID, -Wno-ID, -WID: levels of diagnostics\n"
    "  --format=FORMAT      diagnostics as text (default), json or sarif\n"
    "  --fmt [-l] [-d] [-w] [--fail] [FILE...]\n"
    "                       print modules in canonical form; -l lists files that differ, -d shows how,\n"
    "                       -w rewrites them, --fail makes a difference exit code 1\n"
    "  --capabilities       print the built-in functions and their types for other Rego tools\n"
    "  --help, --version\n"
    "\n"
    "Exit codes: 0 done, 1 errors found, 2 wrong usage, 3 a file cannot be read or written.\n";

struct options {
    const char *out, *key, *emit;
    bool check, stats, fmt;
    struct agc_fmt_options fmt_options;
    enum agc_diag_format format;
};

enum {
    OPT_CHECK = 256,
    OPT_EMIT,
    OPT_STATS,
    OPT_KEY,
    OPT_SERIAL,
    OPT_TZDATA,
    OPT_FORMAT,
    OPT_HELP,
    OPT_VERSION,
    OPT_FMT,
    OPT_FAIL,
    OPT_REGO,
    OPT_DECISION,
    OPT_DATA,
    OPT_STRICT,
    OPT_SCHEMA,
    OPT_QUERY,
    OPT_SCOPE,
    OPT_ALL,
    OPT_TESTS,
    OPT_CAPABILITIES
};

static const struct option long_options[] = {
    {"check", no_argument, NULL, OPT_CHECK},
    {"emit", required_argument, NULL, OPT_EMIT},
    {"stats", no_argument, NULL, OPT_STATS},
    {"key", required_argument, NULL, OPT_KEY},
    {"serial", required_argument, NULL, OPT_SERIAL},
    {"tzdata", required_argument, NULL, OPT_TZDATA},
    {"format", required_argument, NULL, OPT_FORMAT},
    {"help", no_argument, NULL, OPT_HELP},
    {"version", no_argument, NULL, OPT_VERSION},
    {"fmt", no_argument, NULL, OPT_FMT},
    {"list", no_argument, NULL, 'l'},
    {"diff", no_argument, NULL, 'd'},
    {"write", no_argument, NULL, 'w'},
    {"fail", no_argument, NULL, OPT_FAIL},
    {"rego", no_argument, NULL, OPT_REGO},
    {"decision", required_argument, NULL, OPT_DECISION},
    {"data", required_argument, NULL, OPT_DATA},
    {"schema", required_argument, NULL, OPT_SCHEMA},
    {"strict-errors", no_argument, NULL, OPT_STRICT},
    {"query", required_argument, NULL, OPT_QUERY},
    {"query-scope", required_argument, NULL, OPT_SCOPE},
    {"all-documents", no_argument, NULL, OPT_ALL},
    {"tests", no_argument, NULL, OPT_TESTS},
    {"capabilities", no_argument, NULL, OPT_CAPABILITIES},
    {NULL, 0, NULL, 0},
};

__attribute__((format(printf, 1, 2))) static int
usage_error(const char *fmt, ...)
{
    va_list ap;
    fputs("aegisc: ", stderr);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputs("; aegisc --help lists the options\n", stderr);
    return EXIT_USAGE;
}

static bool
parse_stage(const char *word, enum agc_stage *ret)
{
    static const char *const name[AGC_STAGE_COUNT] = {
#define S(NAME, text) text,
        AGC_STAGES(S)
#undef S
    };
    for (unsigned i = 0; i < AGC_STAGE_COUNT; i++)
        if (strcmp(word, name[i]) == 0) {
            *ret = (enum agc_stage)i;
            return true;
        }
    return false;
}

static bool
parse_format(const char *word, enum agc_diag_format *ret)
{
    static const char *const name[] = {[AGC_TEXT] = "text", [AGC_JSON] = "json", [AGC_SARIF] = "sarif"};
    for (unsigned i = 0; i < sizeof name / sizeof *name; i++)
        if (strcmp(word, name[i]) == 0) {
            *ret = (enum agc_diag_format)i;
            return true;
        }
    return false;
}

static bool
parse_serial(const char *word, uint64_t *ret)
{
    char *end;
    if (*word < '0' || *word > '9')
        return false;
    errno = 0;
    *ret = strtoull(word, &end, 10);
    return *end == '\0' && errno == 0;
}

// One option; EXIT_DONE, or the exit code with which to stop.
static int
take_option(int c, const char *arg, struct agc_job *j, struct options *o)
{
    switch (c) {
    case 'o': o->out = arg; return EXIT_DONE;
    case 'O':
        if (strcmp(arg, "0") != 0 && strcmp(arg, "1") != 0)
            return usage_error("-O%s is not known; use -O0 or -O1", arg);
        j->level = arg[0] - '0';
        return EXIT_DONE;
    case 'W':
        if (!agc_diags_option(&j->diags, arg))
            return usage_error("-W%s names no diagnostic that can be changed", arg);
        return EXIT_DONE;
    case 'e': agc_job_add_entry(j, ag_str_z(arg)); return EXIT_DONE;
    case OPT_DECISION: agc_job_add_decision(j, ag_str_z(arg)); return EXIT_DONE;
    case OPT_REGO: j->is_rego = true; return EXIT_DONE;
    case OPT_STRICT: j->strict_errors = true; return EXIT_DONE;
    case OPT_QUERY:
        j->describes_queries = true;
        agc_job_add_query(j, ag_str_z(arg));
        return EXIT_DONE;
    case OPT_SCOPE: j->scope = ag_str_z(arg); return EXIT_DONE;
    case OPT_TESTS: j->has_tests = true; return EXIT_DONE;
    case OPT_ALL: j->all_documents = true; return EXIT_DONE;
    case OPT_DATA:
        if (agc_input_data(j, arg))
            return EXIT_DONE;
        fprintf(stderr, "aegisc: %s: %s\n", arg, strerror(errno));
        return EXIT_TROUBLE;
    case OPT_SCHEMA:
        if (agc_input_schema(j, arg))
            return EXIT_DONE;
        fprintf(stderr, "aegisc: %s: %s\n", arg, strerror(errno));
        return EXIT_TROUBLE;
    case OPT_FMT: o->fmt = true; return EXIT_DONE;
    case 'l': o->fmt_options.list = true; return EXIT_DONE;
    case 'd': o->fmt_options.diff = true; return EXIT_DONE;
    case 'w': o->fmt_options.write = true; return EXIT_DONE;
    case OPT_FAIL: o->fmt_options.fail = true; return EXIT_DONE;
    case OPT_CHECK: o->check = true; return EXIT_DONE;
    case OPT_STATS: o->stats = true; return EXIT_DONE;
    case OPT_KEY: o->key = arg; return EXIT_DONE;
    case OPT_TZDATA: j->tzdata = arg; return EXIT_DONE;
    case OPT_SERIAL:
        return parse_serial(arg, &j->serial) ? EXIT_DONE
                                             : usage_error("--serial wants a whole number, not %s", arg);
    case OPT_FORMAT:
        return parse_format(arg, &o->format) ? EXIT_DONE
                                             : usage_error("--format is text, json or sarif, not %s", arg);
    case OPT_EMIT:
        o->emit = arg;
        if (strcmp(arg, "c") == 0)
            return usage_error("--emit=c is not in this version");
        return parse_stage(arg, &j->last) ? EXIT_DONE : usage_error("--emit=%s names no stage", arg);
    default: return usage_error("an option is wrong");
    }
}

static int
read_inputs(struct agc_job *j, char *const *path, int n)
{
    for (int i = 0; i < n; i++) {
        const char *at;
        if (!agc_input_add(j, path[i], &at)) {
            fprintf(stderr, "aegisc: %s: %s\n", at, strerror(errno));
            return EXIT_TROUBLE;
        }
    }
    return EXIT_DONE;
}

// What was printed so far is out, or the reason is said.
static int
flush_output(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return EXIT_DONE;
    fprintf(stderr, "aegisc: cannot write standard output: %s\n", strerror(errno));
    return EXIT_TROUBLE;
}

static int
write_image(const struct agc_job *j, const struct options *o)
{
    if (strcmp(o->out, "-") == 0) {
        fwrite(j->image.p, 1, j->image.n, stdout);
        return flush_output();
    }
    if (agc_file_write(o->out, j->image, 0644))
        return EXIT_DONE;
    fprintf(stderr, "aegisc: cannot write %s: %s\n", o->out, strerror(errno));
    return EXIT_TROUBLE;
}

static int
compile(struct agc_job *j, const struct options *o)
{
    j->emit = o->emit ? stdout : NULL;
    enum agc_result r = agc_compile(j);
    agc_diags_print(&j->diags, o->format, stderr);
    if (r == AGC_DEFECT)
        return EXIT_TROUBLE;
    if (r != AGC_DONE || agc_diags_failed(&j->diags))
        return EXIT_ERRORS;
    if (o->stats && j->last == AGC_STAGE_IMAGE)
        agc_stats_print(&j->stats, stdout);
    int code = flush_output();
    if (code != EXIT_DONE || o->check || j->last != AGC_STAGE_IMAGE)
        return code;
    return write_image(j, o);
}

static int
run(struct agc_job *j, int argc, char **argv)
{
    struct options o = {.out = "policy.bin", .format = AGC_TEXT};
    uint8_t secret[AG_ED25519_SECRET];
    int c, code;
    while ((c = getopt_long(argc, argv, "o:O:W:e:ldw", long_options, NULL)) != -1) {
        if (c == OPT_HELP || c == OPT_VERSION) {
            fputs(c == OPT_HELP ? usage_text : "aegisc " AEGIS_VERSION "\n", stdout);
            return flush_output();
        }
        if (c == OPT_CAPABILITIES) {
            agc_capabilities_print(stdout);
            return flush_output();
        }
        code = c == '?' ? EXIT_USAGE : take_option(c, optarg, j, &o);
        if (code != EXIT_DONE)
            return code;
    }
    if (o.fmt) {
        o.fmt_options.format = o.format;
        return agc_fmt_files(argv + optind, argc - optind, &o.fmt_options);
    }
    if (o.fmt_options.list || o.fmt_options.diff || o.fmt_options.write || o.fmt_options.fail)
        return usage_error("-l, -d, -w and --fail belong to --fmt");
    if (optind == argc && !j->nwanted && !j->ndocuments)
        return usage_error("no input file");
    if (!ag_crypto_init()) {
        fputs("aegisc: the cryptographic library does not start\n", stderr);
        return EXIT_TROUBLE;
    }
    if (o.key) {
        enum agc_key_status st = agc_key_read(o.key, secret);
        if (st != AGC_KEY_OK) {
            fprintf(stderr, "aegisc: key file %s %s%s%s\n", o.key, agc_key_status_text(st),
                    st == AGC_KEY_IO ? ": " : "", st == AGC_KEY_IO ? strerror(errno) : "");
            return EXIT_TROUBLE;
        }
        j->secret = secret;
    }
    code = read_inputs(j, argv + optind, argc - optind);
    if (code == EXIT_DONE)
        code = compile(j, &o);
    ag_crypto_wipe(secret, sizeof secret);
    return code;
}

int
main(int argc, char **argv)
{
    struct agc_job job;
    agc_job_init(&job);
    int code = run(&job, argc, argv);
    agc_job_fini(&job);
    return code;
}
