// SPDX-License-Identifier: Apache-2.0
// Step 5, references: walks the virtual documents, then the type of what was found, step by step. In: a REF
// whose steps were visited. Out: its type; errors for steps that no value of the type has. Memory: the
// compile arena. Next file to read: lower_rego.c.
#include "check_parts.h"

#include <stdio.h>
#include <string.h>

#define ANY    (&agc_type_any)
#define STRING agc_type_scalar(AGC_TY_STRING)
#define NUMBER agc_type_scalar(AGC_TY_NUMBER)

static void
put_choices(char *text, size_t size, const struct agc_type *t)
{
    enum { SHOWN = 6 };
    size_t n = 0;
    text[0] = '\0';
    if (t->kind != AGC_TY_OBJECT || t->key)
        return;
    for (uint32_t i = 0; i < t->nprops && i < SHOWN && n < size; i++)
        if (t->prop[i].key->kind == AGC_STRING)
            n += (size_t)snprintf(text + n, size - n, "%s%.*s", n ? ", " : "; it has ",
                                  (int)t->prop[i].key->text.n, t->prop[i].key->text.p);
}

// t[step] and so on to the end.
static const struct agc_type *
walk_type(struct agc_checker *c, const struct agc_type *t, const struct agc_node *ref, uint32_t from)
{
    char have[200], want[200];
    for (uint32_t i = from; i < ref->n; i++) {
        struct agc_node *step = ref->kid[i];
        const struct agc_type *keys = agc_type_keys(c->arena, t);
        if (!keys && t->kind != AGC_TY_OBJECT) {
            agc_check_error(c, step->span, "nothing can be looked up in %s",
                            agc_type_name(t, have, sizeof have));
            return NULL;
        }
        bool is_scalar = step->kind <= AGC_STRING;
        if (is_scalar) {
            const struct agc_type *child = agc_type_select(c->arena, t, step);
            if (!child) {
                put_choices(want, sizeof want, t);
                struct agc_diag *d = agc_check_error(c, step->span, "%s has no such element%s",
                                                     agc_type_name(t, have, sizeof have), want);
                const char *near =
                    step->kind == AGC_STRING ? agc_type_nearest(c->arena, t, step->text) : NULL;
                if (near)
                    agc_diag_fix(c->diags, d, "write %s", near);
                return NULL;
            }
            t = child;
            continue;
        }
        if (!keys || !agc_check_unify(c, step, keys)) {
            agc_check_error(c, step->span, "keys here are %s, this is %s",
                            agc_type_name(keys ? keys : ANY, want, sizeof want),
                            agc_type_name(agc_check_get(c, step), have, sizeof have));
            return NULL;
        }
        t = agc_type_values(c->arena, t);
        if (!t)
            return ANY;
    }
    return t;
}

static const struct agc_type *walk_tree(struct agc_checker *c, const struct agc_tree *at,
                                        const struct agc_node *ref, uint32_t i);

static const struct agc_type *
walk_child(struct agc_checker *c, const struct agc_tree *kid, const struct agc_node *ref, uint32_t i)
{
    if (!kid->group)
        return walk_tree(c, kid, ref, i);
    if (kid->group->kind == AGC_GROUP_FUNCTION)
        return ANY;
    const struct agc_type *t = c->types->group[kid->group->number].value;
    return walk_type(c, t ? t : ANY, ref, i);
}

// Below data: constant steps choose a document, others reach all of them, and names that no module has belong
// to base documents, of which nothing is known.
static const struct agc_type *
walk_tree(struct agc_checker *c, const struct agc_tree *at, const struct agc_node *ref, uint32_t i)
{
    char have[200];
    if (i == ref->n)
        return ANY;
    struct agc_node *step = ref->kid[i];
    if (step->kind == AGC_STRING) {
        const struct agc_tree *kid = agc_tree_find(at, &step->text, 1);
        if (kid)
            return walk_child(c, kid, ref, i + 1);
    } else if (step->kind > AGC_STRING && !agc_check_unify(c, step, STRING)) {
        agc_check_error(c, step->span, "names of documents are strings, this is %s",
                        agc_type_name(agc_check_get(c, step), have, sizeof have));
        return NULL;
    }
    for (uint32_t k = i + 1; k < ref->n; k++) // further variables are bound by whatever is there
        agc_check_unify(c, ref->kid[k], ANY);
    return ANY;
}

const struct agc_type *
agc_check_ref(struct agc_checker *c, struct agc_node *n)
{
    const struct agc_node *head = n->kid[0];
    if (head->kind == AGC_VAR && head->symbol == AGC_SYM_DATA)
        return walk_tree(c, c->program->root, n, 1);
    const struct agc_type *t = agc_check_get(c, head);
    bool is_relation = head->kind == AGC_CALL && !head->group && head->symbol != AG_NONE &&
                       ag_str_is(ag_str_z(agc_builtin_at(head->symbol)->name), "walk");
    if (is_relation) // its declared result is one of the elements that the variable steps through
        agc_check_unify(c, n->kid[1], NUMBER);
    return walk_type(c, t ? t : ANY, n, is_relation ? 2 : 1);
}

// --- built-ins
// Part `arg` of a signature "ARG; ARG -> RESULT"; AG_NONE: the result.
static struct ag_str
part_of(const char *signature, uint32_t arg)
{
    const char *arrow = strstr(signature, "->"), *p = arg == AG_NONE ? arrow + 2 : signature;
    for (; arg != AG_NONE && arg; arg--)
        p = strchr(p, ';') + 1;
    const char *end = arg == AG_NONE ? p + strlen(p) : arrow, *semicolon = memchr(p, ';', (size_t)(end - p));
    if (semicolon)
        end = semicolon;
    while (p < end && *p == ' ')
        p++;
    while (end > p && end[-1] == ' ')
        end--;
    return ag_str_of(p, (size_t)(end - p));
}

static const struct agc_type *
builtin_type(struct agc_checker *c, uint32_t builtin, uint32_t arg)
{
    struct agc_builtin_types *t = &c->builtin[builtin];
    const struct agc_type **at = arg == AG_NONE ? &t->result : &t->arg[arg];
    if (!*at)
        *at = agc_type_parse(c->arena, part_of(agc_builtin_at(builtin)->signature, arg));
    return *at ? *at : ANY;
}

const struct agc_type *
agc_check_builtin_arg(struct agc_checker *c, uint32_t builtin, uint32_t arg)
{
    return builtin_type(c, builtin, arg);
}

const struct agc_type *
agc_check_builtin_result(struct agc_checker *c, uint32_t builtin)
{
    return builtin_type(c, builtin, AG_NONE);
}
