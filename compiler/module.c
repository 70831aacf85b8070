// SPDX-License-Identifier: Apache-2.0
// The printer of modules (`aegisc --emit=ast`). In: a module. Out: an indented listing of its package,
// imports, definitions and annotations, one node a line with its place. Memory: none. Next file to read:
// resolve.c.
#include "module.h"

#include <stdio.h>

static void
put_place(FILE *f, const struct agc_sources *sources, struct agc_span span)
{
    uint32_t line, column;
    if (sources) {
        agc_source_place(sources, span, &line, &column);
        fprintf(f, "  @%u:%u", line, column);
    }
    fputc('\n', f);
}

static void
put_part(FILE *f, const struct agc_sources *sources, const char *name, const struct agc_node *n)
{
    if (!n)
        return;
    fprintf(f, "    %s\n", name);
    agc_node_print(n, sources, 3, f);
}

static void
put_import(FILE *f, const struct agc_sources *sources, const struct agc_import *i)
{
    fputs("  import", f);
    if (i->alias.text.p)
        fprintf(f, " as %.*s", (int)i->alias.text.n, i->alias.text.p);
    put_place(f, sources, i->span);
    agc_node_print(i->path, sources, 2, f);
}

static void
put_def(FILE *f, const struct agc_sources *sources, const struct agc_def *d)
{
    static const char *const kinds[] = {"value", "contains", "function"};
    fprintf(f, "  %s%s%s", d->is_default ? "default " : "", d->is_chained ? "chained " : "", kinds[d->kind]);
    put_place(f, sources, d->span);
    if (d->annotations)
        put_part(f, sources, "annotations", d->annotations);
    put_part(f, sources, "head", d->ref);
    for (uint32_t i = 0; i < d->nargs; i++)
        put_part(f, sources, "argument", d->arg[i]);
    for (; d; d = d->otherwise) {
        put_part(f, sources, "is", d->value);
        put_part(f, sources, "body", d->body);
        if (d->otherwise) {
            fputs("    else", f);
            put_place(f, sources, d->otherwise->span);
        }
    }
}

void
agc_module_print(const struct agc_module *m, const struct agc_sources *sources, void *file)
{
    FILE *f = file;
    fputs("module data", f);
    for (uint32_t i = 0; i < m->npath; i++)
        fprintf(f, " %.*s", (int)m->path[i].n, m->path[i].p);
    put_place(f, sources, m->package_span);
    put_part(f, sources, "annotations", m->annotations);
    for (uint32_t i = 0; i < m->nimports; i++)
        put_import(f, sources, &m->imports[i]);
    for (uint32_t i = 0; i < m->ndefs; i++)
        put_def(f, sources, m->defs[i]);
}
