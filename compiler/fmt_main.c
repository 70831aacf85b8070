// SPDX-License-Identifier: Apache-2.0
// `aegisc --fmt`: files in; texts, names or differences out, or the files rewritten. In: paths. Out: an exit
// code of aegisc. Memory: one arena for each file. Next file to read: main.c.
#include "fmt.h"

#include "image_write.h"

#include <errno.h>
#include <sys/stat.h>

#define DIFF_CELLS_MAX (1u << 24) // lines times lines compared one by one; larger changes show as one block
#define CONTEXT        3u         // unchanged lines shown around a change

struct lines {
    uint32_t n, cap;
    struct ag_str *v; // with their newline
};

static struct lines
split(struct agc_arena *a, struct ag_str s)
{
    struct lines l = {0};
    while (s.n) {
        const char *nl = memchr(s.p, '\n', s.n);
        size_t n = nl ? (size_t)(nl - s.p) + 1 : s.n;
        l.v = agc_grow(a, l.v, l.n, &l.cap, sizeof *l.v);
        l.v[l.n++] = ag_str_of(s.p, n);
        s = ag_str_of(s.p + n, s.n - n);
    }
    return l;
}

// One line of a difference: ' ', '-' or '+'.
struct change {
    char kind;
    struct ag_str text;
};

struct script {
    struct agc_arena *arena;
    uint32_t n, cap;
    struct change *v;
};

static void
add(struct script *s, char kind, struct ag_str text)
{
    s->v = agc_grow(s->arena, s->v, s->n, &s->cap, sizeof *s->v);
    s->v[s->n++] = (struct change){kind, text};
}

// The lines between the common beginning and the common end, by their longest common subsequence.
static void
compare_middle(struct script *s, const struct ag_str *a, uint32_t na, const struct ag_str *b, uint32_t nb)
{
    uint32_t i = 0, k = 0, width = nb + 1;
    uint32_t *best = NULL;
    if ((uint64_t)(na + 1) * width <= DIFF_CELLS_MAX) {
        best = agc_alloc(s->arena, (size_t)(na + 1) * width * sizeof *best);
        for (uint32_t x = na; x-- > 0;)
            for (uint32_t y = nb; y-- > 0;) {
                uint32_t down = best[(x + 1) * width + y], right = best[x * width + y + 1];
                best[x * width + y] = ag_str_eq(a[x], b[y]) ? best[(x + 1) * width + y + 1] + 1
                                      : down > right        ? down
                                                            : right;
            }
    }
    while (i < na || k < nb) {
        if (best && i < na && k < nb && ag_str_eq(a[i], b[k])) {
            add(s, ' ', a[i++]);
            k++;
        } else if (i < na && (k == nb || !best || best[(i + 1) * width + k] >= best[i * width + k + 1])) {
            add(s, '-', a[i++]);
        } else {
            add(s, '+', b[k++]);
        }
    }
}

static void
compare(struct script *s, const struct lines *a, const struct lines *b)
{
    uint32_t head = 0, tail = 0;
    while (head < a->n && head < b->n && ag_str_eq(a->v[head], b->v[head]))
        add(s, ' ', a->v[head++]);
    while (tail < a->n - head && tail < b->n - head &&
           ag_str_eq(a->v[a->n - 1 - tail], b->v[b->n - 1 - tail]))
        tail++;
    compare_middle(s, a->v + head, a->n - head - tail, b->v + head, b->n - head - tail);
    for (uint32_t i = a->n - tail; i < a->n; i++)
        add(s, ' ', a->v[i]);
}

static void
print_hunk(const struct script *s, uint32_t from, uint32_t to, uint32_t old_line, uint32_t new_line)
{
    uint32_t olds = 0, news = 0;
    for (uint32_t i = from; i < to; i++) {
        olds += s->v[i].kind != '+';
        news += s->v[i].kind != '-';
    }
    printf("@@ -%u,%u +%u,%u @@\n", olds ? old_line : old_line - 1, olds, news ? new_line : new_line - 1,
           news);
    for (uint32_t i = from; i < to; i++) {
        struct ag_str t = s->v[i].text;
        bool has_end = t.n && t.p[t.n - 1] == '\n';
        printf("%c%.*s%s", s->v[i].kind, (int)t.n, t.p, has_end ? "" : "\n\\ No newline at end of file\n");
    }
}

// A unified difference.
static void
print_diff(struct agc_arena *a, const char *name, struct ag_str before, struct ag_str after)
{
    struct lines x = split(a, before), y = split(a, after);
    struct script s = {.arena = a};
    compare(&s, &x, &y);
    printf("--- %s\n+++ %s\n", name, name);
    uint32_t old_line = 1, new_line = 1;
    for (uint32_t i = 0, at = 0; i < s.n; i++) {
        if (s.v[i].kind == ' ')
            continue;
        uint32_t from = i > at + CONTEXT ? i - CONTEXT : at, to = i, same = 0;
        for (; to < s.n && same <= 2 * CONTEXT; to++)
            same = s.v[to].kind == ' ' ? same + 1 : 0;
        to -= same > CONTEXT ? same - CONTEXT : 0;
        for (; at < from; at++) {
            old_line++;
            new_line++;
        }
        print_hunk(&s, from, to, old_line, new_line);
        for (; at < to; at++) {
            old_line += s.v[at].kind != '+';
            new_line += s.v[at].kind != '-';
        }
        i = to - 1;
    }
}

static bool
rewrite(const char *path, struct ag_str text)
{
    struct stat st;
    unsigned mode = stat(path, &st) == 0 ? st.st_mode & 0777 : 0644;
    if (agc_file_write(path, text, mode))
        return true;
    fprintf(stderr, "aegisc: cannot write %s: %s\n", path, strerror(errno));
    return false;
}

// One file. `changes` is set when its text is not canonical.
static int
format_file(struct agc_arena *a, const char *path, const struct agc_fmt_options *o, bool *changes)
{
    static const struct agc_segment whole = {0, 0};
    struct agc_sources sources = {0};
    struct agc_diags diags;
    agc_diags_init(&diags, a, &sources);
    int ix = agc_source_read(a, &sources, path);
    if (ix < 0) {
        fprintf(stderr, "aegisc: %s: %s\n", path, strerror(errno));
        return 3;
    }
    struct ag_str before = sources.v[ix].bytes;
    struct agc_text text = {before, (uint32_t)ix, (uint32_t)before.n, 1, &whole};
    struct agc_module *m = agc_parse_module(a, &diags, &text);
    agc_diags_print(&diags, o->format, stderr);
    if (!m)
        return 1;
    struct ag_str after = agc_fmt(a, &sources, m);
    bool is_same = ag_str_eq(before, after);
    *changes |= !is_same;
    if (o->list && !is_same)
        printf("%s\n", path);
    if (o->diff && !is_same)
        print_diff(a, path, before, after);
    if (o->write && strcmp(path, "-") != 0)
        return is_same || rewrite(path, after) ? 0 : 3;
    if (!o->list && !o->diff)
        fwrite(after.p, 1, after.n, stdout);
    return 0;
}

int
agc_fmt_files(char *const *path, int n, const struct agc_fmt_options *o)
{
    static char standard_input[] = "-";
    char *const none[] = {standard_input};
    int code = 0;
    bool changes = false;
    if (n == 0) {
        path = none;
        n = 1;
    }
    for (int i = 0; i < n; i++) {
        struct agc_arena a = {0};
        int one = format_file(&a, path[i], o, &changes);
        code = one > code ? one : code;
        agc_arena_fini(&a);
    }
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "aegisc: cannot write standard output: %s\n", strerror(errno));
        return 3;
    }
    return code == 0 && o->fail && changes ? 1 : code;
}
