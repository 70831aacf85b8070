// SPDX-License-Identifier: Apache-2.0
// Sorts files into what aegisc reads. A YAML file is a test table when it has `cases`, a policy when it has
// a key that only policies have, else a base document. In: paths. Out: struct agr_sources. Memory: malloc'd,
// agr_sources_free. Next file to read: eval_query.c, test.c.
#include "sources.h"

#include "store.h"
#include "yaml_doc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define DOCUMENT_MAX (64u << 20) // bytes of a YAML document as JSON
#define SOURCE_MAX   (64u << 20) // bytes of a source whose lines are shown
#define SAID_MAX     (1u << 20)  // bytes of the compiler's messages that are kept

enum kind { OTHER, MODULE, JSON, YAML, IMAGE };

bool
agr_texts_add(struct agr_texts *t, const char *text)
{
    if (t->n == t->size) {
        size_t size = t->size ? 2 * t->size : 64;
        char **more = realloc(t->v, size * sizeof *more);
        if (!more)
            return false;
        t->v = more;
        t->size = size;
    }
    t->v[t->n] = strdup(text);
    return t->v[t->n] && ++t->n;
}

static void
free_texts(struct agr_texts *t)
{
    for (size_t i = 0; i < t->n; i++)
        free(t->v[i]);
    free(t->v);
}

void
agr_sources_free(struct agr_sources *s)
{
    free_texts(&s->args);
    free_texts(&s->modules);
    free_texts(&s->tables);
    free(s->image);
    for (unsigned i = 0; i < s->nfds; i++)
        close(s->fd[i]);
    memset(s, 0, sizeof *s);
}

static enum kind
kind_of(const char *path)
{
    static const struct {
        const char *end;
        enum kind kind;
    } ends[] = {{".rego", MODULE}, {".json", JSON}, {".yaml", YAML}, {".yml", YAML}, {".bin", IMAGE}};
    size_t n = strlen(path);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t m = strlen(ends[i].end);
        if (n > m && strcmp(path + n - m, ends[i].end) == 0)
            return ends[i].kind;
    }
    return OTHER;
}

// --- one file
struct place { // where documents stand
    char text[4096];
};

static bool
add_document(struct agr_sources *s, const char *path, const struct place *at)
{
    size_t n = strlen(at->text) + strlen(path) + 2;
    char *both = malloc(n);
    if (!both)
        return false;
    snprintf(both, n, "%s%s%s", at->text, at->text[0] ? ":" : "", path);
    bool ok = agr_texts_add(&s->args, "--data") && agr_texts_add(&s->args, both);
    free(both);
    return ok;
}

// The document as JSON in a memfd that the compiler opens by its number.
static bool
add_yaml_document(struct agr_sources *s, yaml_document_t *doc, const char *path, const struct place *at)
{
    char *mem = malloc(DOCUMENT_MAX), name[64];
    struct ag_buf b;
    int fd = -1;
    bool ok = mem && s->nfds < sizeof s->fd / sizeof *s->fd;
    if (ok) {
        ag_buf_init(&b, mem, DOCUMENT_MAX);
        ok = agr_yaml_json(doc, yaml_document_get_root_node(doc), &b);
    }
    if (ok && (fd = memfd_create("document", 0)) != -1) {
        ok = write(fd, b.p, b.n) == (ssize_t)b.n;
        s->fd[s->nfds++] = fd;
        snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
        ok = ok && add_document(s, name, at);
    }
    free(mem);
    if (!ok || fd == -1)
        agr_die(0, "%s: the document is too large, or there are too many documents in YAML; use JSON", path);
    return ok && fd != -1;
}

static bool
is_policy(yaml_document_t *doc, const yaml_node_t *root)
{
    static const char *const keys[] = {"rules", "defaults", "gates", "limits", "parameters", "modules"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (agr_yaml_get(doc, root, keys[i]))
            return true;
    return false;
}

static bool
add_yaml(struct agr_sources *s, const char *path, const struct place *at, bool is_named)
{
    yaml_document_t doc;
    if (!agr_yaml_load(path, &doc))
        return false;
    const yaml_node_t *root = yaml_document_get_root_node(&doc);
    bool ok = true;
    if (agr_yaml_get(&doc, root, "cases") && agr_yaml_get(&doc, root, "policy"))
        ok = agr_texts_add(&s->tables, path);
    else if (!is_policy(&doc, root))
        ok = add_yaml_document(s, &doc, path, at);
    else if (is_named || !s->skips_policies) {
        s->has_policy = true;
        ok = agr_texts_add(&s->args, path);
    }
    yaml_document_delete(&doc);
    return ok;
}

static bool
add_file(struct agr_sources *s, const char *path, const struct place *at, bool is_named)
{
    enum kind k = kind_of(path);
    if (k != OTHER && ++s->nfiles > AGR_SOURCES_MAX) {
        agr_die(0, "%s: more than %u files", path, AGR_SOURCES_MAX);
        return false;
    }
    switch (k) {
    case MODULE: return agr_texts_add(&s->args, path) && agr_texts_add(&s->modules, path);
    case JSON: return add_document(s, path, at);
    case YAML: return add_yaml(s, path, at, is_named);
    case IMAGE:
        if (!is_named)
            return true;
        free(s->image);
        s->image = strdup(path);
        return s->image != NULL;
    case OTHER: break;
    }
    if (is_named)
        agr_die(0, "%s: neither a module (.rego), a policy or document (.yaml, .json) nor an image (.bin)",
                path);
    return !is_named;
}

// --- directories
static bool add_directory(struct agr_sources *s, const char *path, struct place *at, unsigned depth);

// Appends a directory's name; the marks of a prefix are escaped.
static void
put_step(struct place *at, const char *name)
{
    size_t n = strlen(at->text);
    if (n)
        at->text[n++] = '.';
    for (; *name; name++) {
        if (strchr(".:\\", *name))
            at->text[n++] = '\\';
        at->text[n++] = *name;
    }
    at->text[n] = 0;
}

static bool
add_entry(struct agr_sources *s, const char *dir, const char *name, struct place *at, unsigned depth)
{
    size_t n = strlen(dir) + strlen(name) + 2, before = strlen(at->text);
    struct stat st;
    char *path = malloc(n);
    bool ok = path != NULL;
    if (!ok)
        return false;
    snprintf(path, n, "%s%s%s", dir, n > 2 && dir[strlen(dir) - 1] == '/' ? "" : "/", name);
    if (stat(path, &st) == -1) {
        agr_die(0, "%s: %s", path, strerror(errno));
        ok = false;
    } else if (!S_ISDIR(st.st_mode)) {
        ok = add_file(s, path, at, false);
    } else if (depth == AGR_SOURCES_DEPTH_MAX || before + 2 * strlen(name) + 2 > sizeof at->text) {
        agr_die(0, "%s: more than %u directories inside each other", path, AGR_SOURCES_DEPTH_MAX);
        ok = false;
    } else {
        put_step(at, name);
        ok = add_directory(s, path, at, depth + 1);
        at->text[before] = 0;
    }
    free(path);
    return ok;
}

static bool
add_directory(struct agr_sources *s, const char *path, struct place *at, unsigned depth)
{
    struct dirent **entry = NULL;
    int n = scandir(path, &entry, NULL, alphasort);
    bool ok = n >= 0;
    if (!ok)
        agr_die(0, "%s: %s", path, strerror(errno));
    for (int i = 0; i < n; i++) {
        if (ok && entry[i]->d_name[0] != '.')
            ok = add_entry(s, path, entry[i]->d_name, at, depth);
        free(entry[i]);
    }
    free(entry);
    return ok;
}

bool
agr_sources_add(struct agr_sources *s, const char *path)
{
    struct place at = {{0}};
    struct stat st;
    size_t prefix = strcspn(path, ":/");
    if (path[prefix] == ':' && prefix && prefix < sizeof at.text) {
        memcpy(at.text, path, prefix);
        at.text[prefix] = 0;
        path += prefix + 1;
    }
    if (stat(path, &st) == -1) {
        agr_die(0, "%s: %s", path, strerror(errno));
        return false;
    }
    return S_ISDIR(st.st_mode) ? add_directory(s, path, &at, 0) : add_file(s, path, &at, true);
}

// --- lines of sources
struct ag_str
agr_source_line(struct aegis_str file, uint32_t line)
{
    static char *name, *text; // the file that was asked for last
    if (!name || strlen(name) != file.n || memcmp(name, file.p, file.n) != 0) {
        size_t n;
        free(name);
        free(text);
        name = strndup(file.p ? file.p : "", file.n);
        text = name && access(name, R_OK) == 0 ? agr_read_file(name, SOURCE_MAX, &n) : NULL;
    }
    const char *at = text;
    for (uint32_t i = 1; at && i < line; i++) {
        at = strchr(at, '\n');
        at = at ? at + 1 : NULL;
    }
    return at ? ag_str_of(at, strcspn(at, "\r\n")) : AG_STR("");
}

// --- compiling
static char *
said(int fd)
{
    char *text = calloc(1, SAID_MAX + 1);
    ssize_t n = text ? pread(fd, text, SAID_MAX, 0) : -1;
    if (text)
        text[n > 0 ? n : 0] = 0;
    return text;
}

struct aegis_policy *
agr_sources_compile(const struct agr_sources *s, const char *const *options, struct agr_refusal *ret_refusal)
{
    struct aegis_error e = {.size = sizeof e};
    struct aegis_policy *p = NULL;
    size_t noptions = 0, n = 0;
    int fd = -1, err = memfd_create("messages", MFD_CLOEXEC);
    while (options[noptions])
        noptions++;
    const char **args = calloc(noptions + s->args.n + 3, sizeof *args);
    *ret_refusal = (struct agr_refusal){.code = -1};
    if (!args || err == -1)
        goto out;
    args[n++] = "-o";
    args[n++] = "-";
    for (size_t i = 0; i < noptions; i++)
        args[n++] = options[i];
    for (size_t i = 0; i < s->args.n; i++)
        args[n++] = s->args.v[i];
    ret_refusal->code = agr_compile(NULL, args, err, &fd);
    if (ret_refusal->code != 0)
        goto out;
    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK);
    if (aegis_policy_open_fd(fd, NULL, &p, &e) != AEGIS_OK) {
        agr_die(0, "the image cannot be used: %s", e.text);
        ret_refusal->code = -1;
    }
    close(fd);
out:
    if (!p && err != -1)
        ret_refusal->text = said(err);
    if (err != -1)
        close(err);
    free(args);
    return p;
}
