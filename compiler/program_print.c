// SPDX-License-Identifier: Apache-2.0
// `aegisc --emit=names` of modules: groups in the order of their calls, definitions, locals, and bodies as
// they will be evaluated. In: a program. Out: text. Memory: none. Next file to read: check_program.c.
#include "program.h"

#include "resolve.h"

#include <stdio.h>

struct printer {
    FILE *f;
    const struct agc_sources *sources;
    const struct agc_def *def;
};

static void
put(struct printer *p, struct ag_str s)
{
    fwrite(s.p, 1, s.n, p->f);
}

static void
put_place(struct printer *p, struct agc_span span)
{
    uint32_t line, column;
    agc_source_place(p->sources, span, &line, &column);
    fprintf(p->f, "  @%u:%u", line, column);
}

// Strings are shown as they would be written, control characters as blanks.
static void
put_string(struct printer *p, struct ag_str s)
{
    fputc('"', p->f);
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"' || s.p[i] == '\\')
            fputc('\\', p->f);
        fputc((unsigned char)s.p[i] < 0x20 ? ' ' : s.p[i], p->f);
    }
    fputc('"', p->f);
}

static void
put_var(struct printer *p, const struct agc_node *n)
{
    put(p, n->text);
    if (n->symbol < AGC_SYM_DATA)
        fprintf(p->f, "#%u", n->symbol);
}

static void put_term(struct printer *p, const struct agc_node *n);

static void
put_list(struct printer *p, const struct agc_node *n, uint32_t from, uint32_t to, const char *mark)
{
    for (uint32_t i = from; i < to; i++) {
        if (i > from)
            fputs(n->kind == AGC_OBJECT && (i - from) % 2 ? ": " : mark, p->f);
        put_term(p, n->kid[i]);
    }
}

static void
put_ref(struct printer *p, const struct agc_node *n)
{
    put_term(p, n->kid[0]);
    for (uint32_t i = 1; i < n->n; i++) {
        fputc('[', p->f);
        put_term(p, n->kid[i]);
        fputc(']', p->f);
    }
    if (n->symbol != AG_NONE)
        fputs(" (built-in)", p->f);
    else if (n->group)
        fputs(" (function)", p->f);
}

static void
put_call(struct printer *p, const struct agc_node *n)
{
    put(p, n->group ? n->group->name : n->text);
    fputc('(', p->f);
    put_list(p, n, 1, n->n, ", ");
    fputc(')', p->f);
}

static void
put_comprehension(struct printer *p, const struct agc_node *n)
{
    fputc(n->kind == AGC_ARRAY_COMP ? '[' : '{', p->f);
    put_term(p, n->kid[0]);
    if (n->kind == AGC_OBJECT_COMP) {
        fputs(": ", p->f);
        put_term(p, n->kid[1]);
    }
    fputs(" | ", p->f);
    put_term(p, n->kid[n->n - 1]);
    fputc(n->kind == AGC_ARRAY_COMP ? ']' : '}', p->f);
}

static void
put_literal(struct printer *p, const struct agc_node *n)
{
    uint32_t last = n->n - 1;
    switch ((int)n->kind) {
    case AGC_SOME_IN:
        fputs("some ", p->f);
        put_list(p, n, 0, last, ", ");
        fputs(" in ", p->f);
        put_term(p, n->kid[last]);
        break;
    case AGC_EVERY:
        fputs("every ", p->f);
        put_list(p, n, 0, last - 1, ", ");
        fputs(" in ", p->f);
        put_term(p, n->kid[last - 1]);
        fputs(" {", p->f);
        put_term(p, n->kid[last]);
        fputc('}', p->f);
        break;
    case AGC_NOT:
        fputs("not {", p->f);
        put_term(p, n->kid[0]);
        fputc('}', p->f);
        break;
    default:
        put_term(p, n->kid[0]);
        for (uint32_t i = 1; i + 1 < n->n; i += 2) {
            fputs(" with ", p->f);
            put_term(p, n->kid[i]);
            fputs(" as ", p->f);
            put_term(p, n->kid[i + 1]);
        }
    }
}

static void
put_infix(struct printer *p, const struct agc_node *n, const char *mark)
{
    fputc('(', p->f);
    put_term(p, n->kid[0]);
    fputs(mark, p->f);
    put_term(p, n->kid[1]);
    fputc(')', p->f);
}

static void
put_binary(struct printer *p, const struct agc_node *n)
{
    fputc('(', p->f);
    put_term(p, n->kid[0]);
    fputc(' ', p->f);
    put(p, n->text);
    fputc(' ', p->f);
    put_term(p, n->kid[1]);
    fputc(')', p->f);
}

// Depth is bounded by the parser (AGC_EXPR_DEPTH_MAX).
static void
put_term(struct printer *p, const struct agc_node *n)
{
    switch ((int)n->kind) {
    case AGC_NULL_LIT: fputs("null", p->f); break;
    case AGC_TRUE_LIT: fputs("true", p->f); break;
    case AGC_FALSE_LIT: fputs("false", p->f); break;
    case AGC_NUMBER: put(p, n->text); break;
    case AGC_STRING: put_string(p, n->text); break;
    case AGC_VAR: put_var(p, n); break;
    case AGC_REF: put_ref(p, n); break;
    case AGC_CALL: put_call(p, n); break;
    case AGC_BINARY: put_binary(p, n); break;
    case AGC_UNIFY: put_infix(p, n, " = "); break;
    case AGC_ASSIGN: put_infix(p, n, " := "); break;
    case AGC_ARRAY_COMP:
    case AGC_SET_COMP:
    case AGC_OBJECT_COMP: put_comprehension(p, n); break;
    case AGC_SOME_IN:
    case AGC_EVERY:
    case AGC_NOT:
    case AGC_WITH: put_literal(p, n); break;
    case AGC_QUERY: put_list(p, n, 0, n->n, "; "); break;
    default:
        fputs(agc_node_name(n->kind), p->f);
        fputc('(', p->f);
        put_list(p, n, 0, n->n, ", ");
        fputc(')', p->f);
    }
}

static void
put_clause(struct printer *p, const struct agc_def *clause)
{
    if (clause->value) {
        fputs("    value ", p->f);
        put_term(p, clause->value);
        fputc('\n', p->f);
    }
    for (uint32_t i = 0; clause->body && i < clause->body->n; i++) {
        fputs("    ", p->f);
        put_term(p, clause->body->kid[i]);
        put_place(p, clause->body->kid[i]->span);
        fputc('\n', p->f);
    }
}

static void
put_def(struct printer *p, const struct agc_def *def)
{
    fprintf(p->f, "  %s", def->is_default ? "default" : "definition");
    if (def->number != AG_NONE)
        fprintf(p->f, " %u", def->number);
    put_place(p, def->head_span);
    fputc('\n', p->f);
    for (uint32_t i = 0; i < def->nargs; i++) {
        fputs("    argument ", p->f);
        put_term(p, def->arg[i]);
        fputc('\n', p->f);
    }
    for (uint32_t i = 0; i < def->nsuffix; i++) {
        fputs("    key ", p->f);
        put_term(p, def->suffix[i]);
        fputc('\n', p->f);
    }
    for (const struct agc_def *c = def; c; c = c->otherwise) {
        if (c != def)
            fputs("    else\n", p->f);
        put_clause(p, c);
    }
}

void
agc_program_print(const struct agc_program *program, const struct agc_sources *sources, void *file)
{
    static const char *const kinds[] = {"value", "set", "object", "function"};
    struct printer p = {.f = file, .sources = sources};
    for (uint32_t i = 0; i < program->ngroups; i++) {
        const struct agc_group *g = program->groups[i];
        fprintf(p.f, "%s ", kinds[g->kind]);
        put(&p, g->name);
        for (uint32_t k = 0; k < g->ncalls; k++) {
            fputs(k ? ", " : " reads ", p.f);
            put(&p, g->calls[k]->name);
        }
        fputc('\n', p.f);
        for (uint32_t k = 0; k < g->ndefs; k++)
            put_def(&p, g->defs[k]);
        if (g->fallback)
            put_def(&p, g->fallback);
    }
    for (uint32_t i = 0; i < program->nqueries; i++) {
        fputs("query\n", p.f);
        put_def(&p, program->queries[i]);
    }
}
