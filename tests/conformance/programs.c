// SPDX-License-Identifier: Apache-2.0
// Programs, right and wrong ones, with the verdict that Open Policy Agent gave: is each accepted here when it
// is accepted there, and refused when it is refused? A difference has to be listed with its reason. In: a
// folder of .txt files and differences.txt; with --opa PATH the program is asked again, with --record its
// verdicts are written into the files. Out: TAP. Memory: freed at the end of the process. Next file to read:
// programs.sh.
#include "compile.h"

#include "../unit/t.h"

#include <dirent.h>
#include <unistd.h>

#define MARK     "=== " // a line `=== NAME VERDICT`, then the text
#define WORD_MAX 80u
#define WANTED   600 // programs at least

struct program {
    char name[WORD_MAX], verdict[WORD_MAX];
    const char *text;
    size_t n;
    bool is_listed; // in differences.txt
};

struct set {
    uint32_t n, cap;
    struct program *v;
    const char *opa;
    bool records;
};

static const char *const codes[] = {
    "accept",          "rego_parse_error",    "rego_compile_error", "rego_unsafe_var_error",
    "rego_type_error", "rego_recursion_error"};

static char *
read_text(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f || fseek(f, 0, SEEK_END) != 0) {
        perror(path);
        exit(2);
    }
    long size = ftell(f);
    char *text = calloc(1, (size_t)size + 1);
    rewind(f);
    if (!text || fread(text, 1, (size_t)size, f) != (size_t)size) {
        perror(path);
        exit(2);
    }
    fclose(f);
    return text;
}

static struct program *
add(struct set *s)
{
    if (s->n == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 1024;
        s->v = realloc(s->v, s->cap * sizeof *s->v);
        if (!s->v)
            exit(2);
    }
    s->v[s->n] = (struct program){.text = ""};
    return &s->v[s->n++];
}

static void
split(struct set *s, const char *text, const char *path)
{
    const char *at = strncmp(text, MARK, strlen(MARK)) == 0 ? text : NULL;
    if (!at)
        at = strstr(text, "\n" MARK) ? strstr(text, "\n" MARK) + 1 : NULL;
    while (at) {
        struct program *p = add(s);
        if (sscanf(at, MARK "%79s %79s", p->name, p->verdict) != 2) {
            fprintf(stderr, "%s: a line begins with %sand is no NAME VERDICT\n", path, MARK);
            exit(2);
        }
        p->text = strchr(at, '\n') + 1;
        const char *next = strstr(p->text - 1, "\n" MARK);
        p->n = next ? (size_t)(next + 1 - p->text) : strlen(p->text);
        at = next ? next + 1 : NULL;
    }
}

// The code of its first error, or accept.
static void
ask(const struct set *s, const struct program *p, char *ret)
{
    char path[] = "/tmp/aegis-program-XXXXXX.rego", command[1200], line[4096];
    int fd = mkstemps(path, 5);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "wb");
    if (!f || fwrite(p->text, 1, p->n, f) != p->n || fclose(f) != 0) {
        perror(path);
        exit(2);
    }
    snprintf(command, sizeof command, "'%s' check -f json '%s' 2>&1", s->opa, path);
    FILE *pipe = popen(command, "r");
    ret[0] = '\0';
    while (pipe && fgets(line, sizeof line, pipe)) {
        const char *code = strstr(line, "\"code\": \"");
        if (code && !*ret)
            sscanf(code, "\"code\": \"%79[a-z_]", ret);
    }
    int status = pipe ? pclose(pipe) : -1;
    if (!*ret)
        snprintf(ret, WORD_MAX, "%s", status == 0 ? "accept" : "unknown");
    unlink(path);
}

// Compiles as `aegisc --rego` does. The first error in words, when there is one.
static enum agc_result
compile(const struct program *p, char *why, size_t size)
{
    struct agc_job j;
    agc_job_init(&j);
    j.is_rego = true;
    agc_source_add(&j.arena, &j.sources, AG_STR("p.rego"), ag_str_of(p->text, p->n));
    enum agc_result r = agc_compile(&j);
    for (uint32_t i = 0; i < j.diags.n; i++)
        if (r != AGC_DONE && j.diags.v[i].level == AGC_ERROR) {
            snprintf(why, size, "%.*s", (int)j.diags.v[i].text.n, j.diags.v[i].text.p);
            break;
        }
    agc_job_fini(&j);
    return r;
}

static void
record(const struct set *s, uint32_t from, const char *path)
{
    FILE *f = fopen(path, "wb");
    for (uint32_t i = from; f && i < s->n; i++) {
        fprintf(f, MARK "%s %s\n", s->v[i].name, s->v[i].verdict);
        fwrite(s->v[i].text, 1, s->v[i].n, f);
    }
    if (!f || fclose(f) != 0) {
        perror(path);
        exit(2);
    }
}

// Lines `NAME REASON`. The programs that they name.
static void
read_differences(struct set *s, const char *dir)
{
    char path[1200], name[WORD_MAX];
    snprintf(path, sizeof path, "%s/differences.txt", dir);
    bool ok = true;
    for (char *line = read_text(path), *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        int n = 0;
        *end = '\0';
        bool found = false;
        if (*line == '#' || !*line)
            continue;
        ok &= sscanf(line, "%79s %n", name, &n) == 1 && line[n] != '\0';
        for (uint32_t i = 0; i < s->n; i++)
            if (strcmp(s->v[i].name, name) == 0)
                s->v[i].is_listed = found = true;
        if (!found)
            printf("# differences.txt names %s, which is no program\n", name);
        ok &= found;
    }
    OK(ok, "each listed difference is a program and has a reason");
}

static void
judge(struct set *s, size_t code)
{
    uint32_t n = 0, bad = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        const struct program *p = &s->v[i];
        char why[300] = "";
        if (strcmp(p->verdict, codes[code]) != 0)
            continue;
        n++;
        enum agc_result r = compile(p, why, sizeof why);
        bool agrees = r != AGC_DEFECT && (r == AGC_DONE) == (code == 0);
        if (agrees != p->is_listed && r != AGC_DEFECT)
            continue;
        bad++;
        printf("# %s: recorded %s, here %s%s%s\n", p->name, p->verdict,
               r == AGC_DONE      ? "accepted"
               : r == AGC_REFUSED ? "refused: "
                                  : "a defect: ",
               why, p->is_listed ? "; it is listed as a difference" : "");
    }
    OK(n && !bad, "%s: %u programs agree or are listed", codes[code], n);
}

static bool
is_known(const struct program *p)
{
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (strcmp(p->verdict, codes[i]) == 0)
            return true;
    return false;
}

// Asks again what was recorded.
static void
compare(struct set *s)
{
    uint32_t bad = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        char now[WORD_MAX];
        ask(s, &s->v[i], now);
        if ((strcmp(now, "accept") == 0) == (strcmp(s->v[i].verdict, "accept") == 0))
            continue;
        bad++;
        printf("# %s: recorded %s, it says %s\n", s->v[i].name, s->v[i].verdict, now);
    }
    OK(!bad, "%s gives the recorded verdicts of %u programs", s->opa, s->n);
}

static int
is_text(const struct dirent *e)
{
    size_t n = strlen(e->d_name);
    return n > 4 && strcmp(e->d_name + n - 4, ".txt") == 0 && strcmp(e->d_name, "differences.txt") != 0;
}

int
main(int argc, char **argv)
{
    struct set s = {0};
    struct dirent **entry;
    uint32_t unknown = 0, listed = 0;
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--opa") == 0 && i + 1 < argc)
            s.opa = argv[++i];
        s.records |= strcmp(argv[i], "--record") == 0;
    }
    if (argc < 2 || (s.records && !s.opa)) {
        fputs("usage: programs DIR [--opa PATH [--record]]\n", stderr);
        return 2;
    }
    int nfiles = scandir(argv[1], &entry, is_text, alphasort);
    for (int i = 0; i < nfiles; i++) {
        char path[1200];
        uint32_t from = s.n;
        snprintf(path, sizeof path, "%s/%s", argv[1], entry[i]->d_name);
        split(&s, read_text(path), path);
        for (uint32_t k = from; s.records && k < s.n; k++)
            ask(&s, &s.v[k], s.v[k].verdict);
        if (s.records)
            record(&s, from, path);
    }
    read_differences(&s, argv[1]);
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        judge(&s, i);
    for (uint32_t i = 0; i < s.n; i++) {
        unknown += !is_known(&s.v[i]);
        listed += s.v[i].is_listed;
    }
    OK(!unknown && s.n >= WANTED, "%u programs, each with a verdict", s.n);
    printf("# %u differences are listed\n", listed);
    if (s.opa && !s.records)
        compare(&s);
    return t_done();
}
