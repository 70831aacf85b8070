// SPDX-License-Identifier: Apache-2.0
// The table of built-ins as a capabilities file. In: ag_builtin_table. Out: JSON, sorted by name, the same
// bytes every time. Memory: the stack. Next file to read: vm/builtins/builtins.def for the notation of
// signatures.
#include "capabilities.h"

#include "builtins/builtins.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct row {
    const char *name, *signature, *infix, *doc;
    unsigned flags;
};

// What is part of the language here and a function there. A signature without "->" has no result.
static const struct row language[] = {
    {"assign", "any; any -> bool", ":=", "assignment", AG_BUILTIN_PURE},
    {"div", "num; num -> num", "/", "quotient", AG_BUILTIN_PURE},
    {"eq", "any; any -> bool", "=", "unification", AG_BUILTIN_PURE},
    {"equal", "any; any -> bool", "==", "equality", AG_BUILTIN_PURE},
    {"gt", "any; any -> bool", ">", "greater", AG_BUILTIN_PURE},
    {"gte", "any; any -> bool", ">=", "greater or equal", AG_BUILTIN_PURE},
    {"internal.print", "arr[set]", NULL, "print, after other tools have rewritten it", AG_BUILTIN_PURE},
    {"internal.test_case", "arr", NULL, "the case of a test", AG_BUILTIN_PURE},
    {"lt", "any; any -> bool", "<", "less", AG_BUILTIN_PURE},
    {"lte", "any; any -> bool", "<=", "less or equal", AG_BUILTIN_PURE},
    {"mul", "num; num -> num", "*", "product", AG_BUILTIN_PURE},
    {"neq", "any; any -> bool", "!=", "inequality", AG_BUILTIN_PURE},
    {"plus", "num; num -> num", "+", "sum", AG_BUILTIN_PURE},
    {"rego.metadata.chain", " -> arr", NULL, "annotations above the rule", AG_BUILTIN_PURE},
    {"rego.metadata.rule", " -> any", NULL, "annotations of the rule", AG_BUILTIN_PURE},
    {"rem", "num; num -> num", "%", "remainder", AG_BUILTIN_PURE},
};
#define NLANGUAGE (sizeof language / sizeof *language)
#define NROWS     (AG_BUILTIN_COUNT + NLANGUAGE)

static int
by_name(const void *a, const void *b)
{
    return strcmp(((const struct row *)a)->name, ((const struct row *)b)->name);
}

// --- types: reads the notation and writes JSON; *p moves behind what was read
static void put_type(FILE *f, const char **p);

static void
skip_blanks(const char **p)
{
    while (**p == ' ')
        ++*p;
}

static bool
take(const char **p, const char *what)
{
    size_t n = strlen(what);
    skip_blanks(p);
    if (strncmp(*p, what, n) != 0)
        return false;
    *p += n;
    skip_blanks(p);
    return true;
}

static void
put_array(FILE *f, const char **p)
{
    if (take(p, "<")) {
        fputs("{\"static\":[", f);
        for (bool is_first = true; !take(p, ">"); is_first = false) {
            if (!is_first) {
                take(p, ",");
                fputc(',', f);
            }
            put_type(f, p);
        }
        fputs("],\"type\":\"array\"}", f);
        return;
    }
    fputs("{\"dynamic\":", f);
    if (take(p, "[")) {
        put_type(f, p);
        take(p, "]");
    } else
        fputs("{\"type\":\"any\"}", f);
    fputs(",\"type\":\"array\"}", f);
}

static void
put_set(FILE *f, const char **p)
{
    fputs("{\"of\":", f);
    if (take(p, "[")) {
        put_type(f, p);
        take(p, "]");
    } else
        fputs("{\"type\":\"any\"}", f);
    fputs(",\"type\":\"set\"}", f);
}

static void
put_object(FILE *f, const char **p)
{
    fputs("{\"dynamic\":{\"key\":", f);
    if (take(p, "[")) {
        put_type(f, p);
        take(p, ":");
        fputs(",\"value\":", f);
        put_type(f, p);
        take(p, "]");
    } else
        fputs("{\"type\":\"any\"},\"value\":{\"type\":\"any\"}", f);
    fputs("},\"type\":\"object\"}", f);
}

static void
put_one(FILE *f, const char **p)
{
    static const char *const words[][2] = {
        {"null", "null"}, {"bool", "boolean"}, {"num", "number"}, {"str", "string"}, {"any", "any"}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (take(p, words[i][0])) {
            fprintf(f, "{\"type\":\"%s\"}", words[i][1]);
            return;
        }
    if (take(p, "arr"))
        put_array(f, p);
    else if (take(p, "set"))
        put_set(f, p);
    else if (take(p, "obj"))
        put_object(f, p);
    else
        abort(); // a row of our own table that is not in its notation
}

// Whether alternatives follow the first type.
static bool
has_alternatives(const char *p)
{
    for (int depth = 0; *p && !(depth == 0 && strchr(";,:]>", *p) && p[0] != '-'); p++) {
        if (depth == 0 && *p == '|')
            return true;
        if (*p == '-' && p[1] == '>')
            return false;
        depth += (*p == '[' || *p == '<') - (*p == ']' || *p == '>');
    }
    return false;
}

static void
put_type(FILE *f, const char **p)
{
    skip_blanks(p);
    if (!has_alternatives(*p)) {
        put_one(f, p);
        return;
    }
    fputs("{\"of\":[", f);
    put_one(f, p);
    while (take(p, "|")) {
        fputc(',', f);
        put_one(f, p);
    }
    fputs("],\"type\":\"any\"}", f);
}

static void
put_declaration(FILE *f, const char *p)
{
    bool has_argument = false;
    fputs("\"decl\":{\"args\":[", f);
    skip_blanks(&p);
    while (*p && strncmp(p, "->", 2) != 0) {
        if (has_argument)
            fputc(',', f);
        put_type(f, &p);
        take(&p, ";");
        has_argument = true;
    }
    fputc(']', f);
    if (take(&p, "->")) {
        fputs(",\"result\":", f);
        put_type(f, &p);
    }
    fputs(",\"type\":\"function\"}", f);
}

static const char *
infix_of(const struct row *r)
{
    static const char *const words[][2] = {
        {"and", "&"}, {"or", "|"}, {"minus", "-"}, {"internal.member_2", "in"}, {"internal.member_3", "in"}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i][0], r->name) == 0)
            return words[i][1];
    return r->infix;
}

static void
put_text(FILE *f, const char *s)
{
    fputc('"', f);
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            fputc('\\', f);
        fputc(*s, f);
    }
    fputc('"', f);
}

static void
put_row(FILE *f, const struct row *r)
{
    fprintf(f, "  {\"name\":\"%s\",\"description\":", r->name);
    put_text(f, r->doc);
    fputc(',', f);
    put_declaration(f, r->signature);
    if (infix_of(r))
        fprintf(f, ",\"infix\":\"%s\"", infix_of(r));
    if (strcmp(r->name, "walk") == 0)
        fputs(",\"relation\":true", f);
    if (r->flags & ~(unsigned)(AG_BUILTIN_PURE | AG_BUILTIN_HOST))
        fputs(",\"nondeterministic\":true", f);
    fputc('}', f);
}

void
agc_capabilities_print(FILE *f)
{
    struct row sorted[NROWS];
    for (size_t i = 0; i < AG_BUILTIN_COUNT; i++) {
        const struct ag_builtin *b = &ag_builtin_table[i];
        sorted[i] = (struct row){b->name, b->signature, NULL, b->doc, b->flags};
    }
    memcpy(sorted + AG_BUILTIN_COUNT, language, sizeof language);
    qsort(sorted, NROWS, sizeof *sorted, by_name);
    fputs("{\n \"builtins\":[\n", f);
    for (size_t i = 0; i < NROWS; i++) {
        if (i)
            fputs(",\n", f);
        put_row(f, &sorted[i]);
    }
    fputs(",\n  {\"name\":\"print\",\"description\":\"checked and left out\",\"decl\":{\"type\":\"function\","
          "\"variadic\":{\"type\":\"any\"}}}\n ],\n "
          "\"future_keywords\":[\"contains\",\"every\",\"if\",\"in\"],\n"
          " \"features\":[\"keywords_in_refs\",\"rego_v1\",\"template_strings\"]\n}\n",
          f);
}
