// SPDX-License-Identifier: Apache-2.0
// Files and directories become sources of a job. In: paths. Out: sources and documents. Memory: the job's
// arena. Next file to read: compile.c.
#include "inputs.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <sys/stat.h>

enum kind { MODULE, POLICY, DOCUMENT, OTHER };

static bool
ends(const char *path, const char *end)
{
    size_t n = strlen(path), m = strlen(end);
    return n > m && memcmp(path + n - m, end, m) == 0;
}

static const char *
base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static enum kind
kind_of(const char *path)
{
    if (ends(path, ".rego"))
        return MODULE;
    if (ends(path, ".json"))
        return DOCUMENT;
    return ends(path, ".yaml") || ends(path, ".yml") ? POLICY : OTHER;
}

static bool
add_document(struct agc_job *j, const char *path, const struct ag_str *step, uint32_t nsteps)
{
    int source = agc_source_read(&j->arena, &j->sources, path);
    if (source < 0)
        return false;
    agc_job_add_document(j, (uint32_t)source, step, nsteps);
    return true;
}

static char *
join(struct agc_job *j, const char *dir, const char *name)
{
    size_t n = strlen(dir), m = strlen(name);
    char *path = agc_alloc(&j->arena, n + m + 2);
    memcpy(path, dir, n);
    if (n && dir[n - 1] != '/')
        path[n++] = '/';
    memcpy(path + n, name, m);
    return path;
}

struct walk {
    struct agc_job *j;
    const char *at; // what failed
    struct ag_str step[AGC_DIR_DEPTH_MAX];
    uint32_t nfiles;
};

static bool
add_file(struct walk *w, const char *path, uint32_t depth)
{
    enum kind k = kind_of(path);
    bool ok = true;
    w->at = path;
    if (k != OTHER && ++w->nfiles > AGC_FILES_MAX) {
        errno = EFBIG;
        return false;
    }
    if (k == DOCUMENT)
        ok = add_document(w->j, path, w->step, depth);
    else if (k != OTHER)
        ok = agc_source_read(&w->j->arena, &w->j->sources, path) >= 0;
    return ok;
}

static bool add_directory(struct walk *w, const char *path, uint32_t depth);

static bool
add_entry(struct walk *w, const char *dir, const char *name, uint32_t depth)
{
    struct stat st;
    char *path = join(w->j, dir, name);
    w->at = path;
    if (name[0] == '.')
        return true;
    if (stat(path, &st) != 0)
        return false;
    if (!S_ISDIR(st.st_mode))
        return add_file(w, path, depth);
    if (depth == AGC_DIR_DEPTH_MAX) {
        errno = ELOOP;
        return false;
    }
    w->step[depth] = ag_str_z(path + strlen(path) - strlen(name));
    return add_directory(w, path, depth + 1);
}

// `depth` directories below the one that was named.
static bool
add_directory(struct walk *w, const char *path, uint32_t depth)
{
    struct dirent **entry = NULL;
    w->at = path;
    int n = scandir(path, &entry, NULL, alphasort);
    bool ok = n >= 0;
    int saved = errno;
    for (int i = 0; i < n; i++) {
        if (ok) {
            ok = add_entry(w, path, entry[i]->d_name, depth);
            saved = errno;
        }
        free(entry[i]);
    }
    free(entry);
    errno = saved;
    return ok;
}

bool
agc_input_add(struct agc_job *j, const char *path, const char **ret_path)
{
    struct walk w = {.j = j, .at = path};
    struct stat st;
    bool ok;
    if (strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        ok = add_directory(&w, path, 0);
    else if (strcmp(base_name(path), "data.json") == 0)
        ok = add_document(j, path, NULL, 0);
    else // JSON is YAML: any other .json file is a policy
        ok = agc_source_read(&j->arena, &j->sources, path) >= 0;
    *ret_path = w.at;
    return ok;
}

// The steps of "a.b:FILE"; returns FILE, or the whole path when it has no such prefix. NULL: too many steps.
static const char *
split_prefix(struct agc_job *j, const char *path, struct ag_str *step, uint32_t *ret_n)
{
    char *mem = agc_alloc(&j->arena, strlen(path) + 1);
    uint32_t n = 0;
    size_t begin = 0, at = 0;
    *ret_n = 0;
    for (const char *p = path; *p && *p != '/'; p++) {
        if (*p == '.' || *p == ':') {
            if (n == AGC_DIR_DEPTH_MAX)
                return NULL;
            step[n++] = ag_str_of(mem + begin, at - begin);
            begin = at;
        } else {
            p += *p == '\\' && p[1];
            mem[at++] = *p;
        }
        if (*p == ':' && p[-1] != '\\') {
            *ret_n = n;
            return p + 1;
        }
    }
    return path;
}

bool
agc_input_data(struct agc_job *j, const char *path)
{
    struct ag_str step[AGC_DIR_DEPTH_MAX];
    uint32_t n;
    const char *file = split_prefix(j, path, step, &n);
    if (file)
        return add_document(j, file, step, n);
    errno = ELOOP;
    return false;
}

// --- files that a policy names
static char *
beside(struct agc_job *j, uint32_t source, struct ag_str name)
{
    struct ag_str of = j->sources.v[source].name;
    size_t dir = of.n;
    while (dir && of.p[dir - 1] != '/')
        dir--;
    if (name.n && name.p[0] == '/')
        dir = 0;
    char *path = agc_alloc(&j->arena, dir + name.n + 1);
    if (dir)
        memcpy(path, of.p, dir);
    if (name.n)
        memcpy(path + dir, name.p, name.n);
    return path;
}

static bool
add_matches(struct agc_job *j, const struct agc_str_at *name, const glob_t *found, bool is_data)
{
    for (size_t i = 0; i < found->gl_pathc; i++) {
        const char *path = found->gl_pathv[i];
        bool fits = kind_of(path) == (is_data ? DOCUMENT : MODULE);
        if (!fits) {
            agc_diag(&j->diags, AGC_D_READ_FILE, name->span, "%s is no %s", path,
                     is_data ? "JSON file" : "module: their names end in .rego");
            return false;
        }
        if (!(is_data ? add_document(j, path, NULL, 0)
                      : agc_source_read(&j->arena, &j->sources, path) >= 0)) {
            agc_diag(&j->diags, AGC_D_READ_FILE, name->span, "%s cannot be read: %s", path, strerror(errno));
            return false;
        }
    }
    return true;
}

static bool
add_named(struct agc_job *j, uint32_t source, const struct agc_str_at *name, bool is_data)
{
    glob_t found = {0};
    char *pattern = beside(j, source, name->text);
    bool ok = false;
    if (memchr(name->text.p, '\0', name->text.n))
        agc_diag(&j->diags, AGC_D_READ_FILE, name->span, "the name of a file holds a zero byte");
    else if (glob(pattern, 0, NULL, &found) != 0)
        agc_diag(&j->diags, AGC_D_READ_FILE, name->span, "there is no file %s", pattern);
    else if (found.gl_pathc > AGC_FILES_MAX)
        agc_diag(&j->diags, AGC_D_READ_FILE, name->span, "more than %u files match %s", AGC_FILES_MAX,
                 pattern);
    else
        ok = add_matches(j, name, &found, is_data);
    globfree(&found);
    return ok;
}

static bool
add_named_schema(struct agc_job *j, uint32_t source, const struct agc_str_at *name)
{
    char *path = beside(j, source, name->text);
    if (j->has_schema)
        agc_diag(&j->diags, AGC_D_READ_FILE, name->span, "the input has a schema already: %.*s",
                 (int)j->sources.v[j->schema].name.n, j->sources.v[j->schema].name.p);
    else if (memchr(name->text.p, '\0', name->text.n))
        agc_diag(&j->diags, AGC_D_READ_FILE, name->span, "the name of a file holds a zero byte");
    else if (agc_input_schema(j, path))
        return true;
    else
        agc_diag(&j->diags, AGC_D_READ_FILE, name->span, "%s cannot be read: %s", path, strerror(errno));
    return false;
}

bool
agc_input_schema(struct agc_job *j, const char *path)
{
    int source = agc_source_read(&j->arena, &j->sources, path);
    if (source < 0)
        return false;
    j->has_schema = true;
    j->schema = (uint32_t)source;
    return true;
}

bool
agc_inputs_named(struct agc_job *j, uint32_t source, const struct agc_named_files *named)
{
    bool ok = true;
    for (uint32_t i = 0; i < named->nmodules; i++)
        ok = add_named(j, source, &named->module[i], false) && ok;
    for (uint32_t i = 0; i < named->ndata; i++)
        ok = add_named(j, source, &named->data[i], true) && ok;
    if (named->schema.text.p)
        ok = add_named_schema(j, source, &named->schema) && ok;
    return ok;
}
