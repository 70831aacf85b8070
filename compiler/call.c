// SPDX-License-Identifier: Apache-2.0
// Calls: built-in or function, with how many arguments, and the ones that are refused. In: CALL nodes as
// written. Out: `symbol` or `group`; a call with one argument more becomes UNIFY. Memory: the compile arena.
// Next file to read: with.c.
#include "names.h"

#include "resolve.h"
#include "safety.h"

#include <stdio.h>

// Built-ins of the language that are not in builtins.def, with the reason when it is one for ever.
static const struct {
    const char *name, *why;
} refused[] = {
#define WORLD "a decision depends on its input, the policy and the data alone"
    {"http.send", WORLD},
    {"net.lookup_ip_addr", WORLD},
    {"opa.runtime", WORLD},
    {"rego.parse_module", "policies are compiled before a decision, which has no parser"},
#undef WORLD
    {"test.sleep", "it exists in test suites of compilers alone"},
#define OLD "the language no longer has it"
    {"any", OLD},
    {"all", OLD},
    {"re_match", OLD},
    {"set_diff", OLD},
    {"net.cidr_overlap", OLD},
    {"cast_array", OLD},
    {"cast_set", OLD},
    {"cast_string", OLD},
    {"cast_boolean", OLD},
    {"cast_null", OLD},
    {"cast_object", OLD},
#undef OLD
#define NO_STATE "the shared state does not keep it"
    {"aegis.history.read", NO_STATE},
    {"aegis.locked", NO_STATE},
    {"aegis.approved", NO_STATE},
#undef NO_STATE
};

// The other names that Open Policy Agent 1.18 declares: what builtins.def lacks of them is named as such.
static const char *const declared[] = {"base64url.decode",
                                       "base64url.encode",
                                       "base64url.encode_no_pad",
                                       "bits.and",
                                       "bits.lsh",
                                       "bits.negate",
                                       "bits.or",
                                       "bits.rsh",
                                       "bits.xor",
                                       "crypto.hmac.equal",
                                       "crypto.hmac.md5",
                                       "crypto.hmac.sha1",
                                       "crypto.hmac.sha256",
                                       "crypto.hmac.sha512",
                                       "crypto.md5",
                                       "crypto.parse_private_keys",
                                       "crypto.sha1",
                                       "crypto.x509.parse_and_verify_certificates",
                                       "crypto.x509.parse_and_verify_certificates_with_options",
                                       "crypto.x509.parse_certificate_request",
                                       "crypto.x509.parse_certificates",
                                       "crypto.x509.parse_keypair",
                                       "crypto.x509.parse_rsa_private_key",
                                       "glob.quote_meta",
                                       "graph.reachable",
                                       "graph.reachable_paths",
                                       "graphql.is_valid",
                                       "graphql.parse",
                                       "graphql.parse_and_verify",
                                       "graphql.parse_query",
                                       "graphql.parse_schema",
                                       "graphql.schema_is_valid",
                                       "hex.decode",
                                       "indexof_n",
                                       "io.jwt.decode",
                                       "io.jwt.decode_verify",
                                       "io.jwt.encode_sign",
                                       "io.jwt.encode_sign_raw",
                                       "io.jwt.verify_eddsa",
                                       "io.jwt.verify_es256",
                                       "io.jwt.verify_es384",
                                       "io.jwt.verify_es512",
                                       "io.jwt.verify_hs256",
                                       "io.jwt.verify_hs384",
                                       "io.jwt.verify_hs512",
                                       "io.jwt.verify_ps256",
                                       "io.jwt.verify_ps384",
                                       "io.jwt.verify_ps512",
                                       "io.jwt.verify_rs256",
                                       "io.jwt.verify_rs384",
                                       "io.jwt.verify_rs512",
                                       "json.filter",
                                       "json.marshal_with_options",
                                       "json.match_schema",
                                       "json.patch",
                                       "json.remove",
                                       "json.verify_schema",
                                       "net.cidr_contains_matches",
                                       "net.cidr_expand",
                                       "net.cidr_intersects",
                                       "net.cidr_is_valid",
                                       "net.cidr_merge",
                                       "object.subset",
                                       "providers.aws.sign_req",
                                       "rand.intn",
                                       "regex.find_all_string_submatch_n",
                                       "regex.find_n",
                                       "regex.globs_match",
                                       "regex.replace",
                                       "regex.split",
                                       "regex.template_match",
                                       "semver.compare",
                                       "semver.is_valid",
                                       "sprintf",
                                       "strings.count",
                                       "strings.replace_n",
                                       "strings.reverse",
                                       "time.add_date",
                                       "time.diff",
                                       "time.format",
                                       "time.parse_duration_ns",
                                       "time.parse_ns",
                                       "time.parse_rfc3339_ns",
                                       "units.parse",
                                       "units.parse_bytes",
                                       "urlquery.decode",
                                       "urlquery.decode_object",
                                       "urlquery.encode",
                                       "urlquery.encode_object",
                                       "uuid.parse",
                                       "uuid.rfc4122"};

struct ag_str
agc_dotted(struct agc_arena *a, const struct agc_node *f)
{
    if (f->kind == AGC_VAR)
        return f->text;
    size_t n = 0;
    for (uint32_t i = 0; i < f->n; i++) {
        if (f->kid[i]->kind != (i ? AGC_STRING : AGC_VAR))
            return (struct ag_str){0};
        n += f->kid[i]->text.n + 1;
    }
    char *p = agc_alloc(a, n + 1);
    n = 0;
    for (uint32_t i = 0; i < f->n; i++) {
        if (i)
            p[n++] = '.';
        memcpy(p + n, f->kid[i]->text.p, f->kid[i]->text.n);
        n += f->kid[i]->text.n;
    }
    return ag_str_of(p, n);
}

struct agc_callee
agc_names_callee(struct agc_names *r, struct agc_node *f)
{
    struct agc_callee c = {.ix = AG_NONE};
    struct agc_node *head = f->kind == AGC_REF ? f->kid[0] : f;
    if (head->kind == AGC_VAR && !agc_scope_hidden(r, head->text) && agc_names_global(r, head)) {
        uint32_t rest;
        agc_names_path(r, f);
        c.is_data = true;
        c.name = agc_dotted(r->b->a, f);
        const struct agc_node *root = f->kind == AGC_REF ? f->kid[0] : f;
        const struct agc_tree *t =
            root->symbol == AGC_SYM_DATA ? agc_tree_walk(r->b->p->root, f, &rest) : NULL;
        if (t && t->group && t->group->kind == AGC_GROUP_FUNCTION && rest == f->n)
            c.group = t->group;
        return c;
    }
    c.name = agc_dotted(r->b->a, f);
    if (c.name.p)
        c.ix = agc_builtin_find(c.name);
    if (c.name.p && c.ix == AG_NONE)
        c.group = agc_mock_of(r->b, c.name);
    return c;
}

bool
agc_names_is_print(const struct agc_names *r, const struct agc_node *literal)
{
    const struct agc_node *f = literal->kind == AGC_CALL ? literal->kid[0] : NULL;
    return f && f->kind == AGC_VAR && ag_str_is(f->text, "print") && !agc_scope_hidden(r, f->text) &&
           !agc_namemap_find(r->exports, f->text);
}

// Names of built-ins, and of the functions that the package itself defines.
static const char *
nearest_name(struct agc_names *r, struct ag_str name)
{
    uint32_t n = agc_builtin_count(), max = n + r->exports->n;
    const char **words = agc_alloc(r->b->a, max * sizeof *words);
    for (uint32_t i = 0; i < n; i++)
        words[i] = agc_builtin_at(i)->name;
    for (uint32_t i = 0; i < r->exports->cap; i++)
        if (r->exports->slot[i].name.p)
            words[n++] = agc_strdup(r->b->a, r->exports->slot[i].name).p;
    return agc_nearest(name, words, n);
}

bool
agc_names_refused(struct agc_names *r, const struct agc_node *f, const struct agc_callee *c)
{
    for (size_t i = 0; !c->is_data && i < sizeof refused / sizeof refused[0]; i++)
        if (ag_str_is(c->name, refused[i].name)) {
            agc_diag(r->b->diags, AGC_D_NOT_AVAILABLE, f->span, "%.*s is refused: %s", agc_shown(c->name),
                     c->name.p, refused[i].why);
            return true;
        }
    return false;
}

static void
unknown(struct agc_names *r, const struct agc_node *f, const struct agc_callee *c)
{
    struct agc_diags *diags = r->b->diags;
    int shown = agc_shown(c->name);
    if (agc_names_refused(r, f, c))
        return;
    for (size_t i = 0; !c->is_data && i < sizeof declared / sizeof declared[0]; i++)
        if (ag_str_is(c->name, declared[i])) {
            agc_diag(diags, AGC_D_NOT_AVAILABLE, f->span, "%.*s is not available in this version", shown,
                     c->name.p);
            return;
        }
    struct agc_diag *d =
        agc_diag(diags, AGC_D_UNKNOWN_FUNCTION, f->span, "unknown function \"%.*s\"", shown, c->name.p);
    const char *near = c->is_data ? NULL : nearest_name(r, c->name);
    if (near)
        agc_diag_fix(diags, d, "write %s", near);
}

// Only `walk` has a result for each of many solutions: its array is stepped through.
static void
step_through(struct agc_names *r, struct agc_node *call)
{
    struct agc_node *copy = agc_node_new(r->b->a, AGC_CALL, call->span, call->text, 0);
    uint32_t local = agc_local_generated(r->b->a, r->def, call->span);
    r->def->local[local].name = AGC_RELATION;
    *copy = *call;
    struct agc_node *ref =
        agc_node_pair(r->b->a, AGC_REF, copy, agc_node_var(r->b->a, call->span, AGC_RELATION, local));
    *call = *ref;
}

// f(x, y) with one argument more than declared: y = f(x).
static void
take_result(struct agc_names *r, struct agc_node *call)
{
    struct agc_node *inner = agc_node_new(r->b->a, AGC_CALL, call->span, call->text, 0);
    struct agc_node *last = call->kid[call->n - 1];
    *inner = *call;
    inner->n--;
    struct agc_node *unify = agc_node_pair(r->b->a, AGC_UNIFY, last, inner);
    unify->span = call->span;
    *call = *unify;
}

static void
check_arity(struct agc_names *r, const struct agc_node *call, const struct agc_callee *c, uint32_t want)
{
    uint32_t got = call->n - 1;
    if (got == want)
        return;
    struct agc_diag *d =
        agc_diag(r->b->diags, AGC_D_WRONG_ARITY, call->span, "%.*s takes %u argument%s, got %u",
                 agc_shown(c->name), c->name.p, want, want == 1 ? "" : "s", got);
    const struct agc_def *def = !c->group ? NULL : c->group->ndefs ? c->group->defs[0] : c->group->fallback;
    if (def)
        agc_diag_second(r->b->diags, d, def->head_span, "defined here");
}

// Operators have names as well; a call of one is the operation.
static const struct {
    const char *name, *mark;
} operators[] = {{"plus", "+"}, {"minus", "-"},
                 {"mul", "*"},  {"div", "/"},
                 {"rem", "%"},  {"and", "&"},
                 {"or", "|"},   {"equal", "=="},
                 {"neq", "!="}, {"lt", "<"},
                 {"lte", "<="}, {"gt", ">"},
                 {"gte", ">="}, {"internal.member_2", "in"},
                 {"eq", "="}};

static bool
is_operator(struct agc_names *r, struct agc_node *call, const struct agc_callee *c, bool is_literal)
{
    size_t i = 0, n = sizeof operators / sizeof operators[0];
    bool is_member = ag_str_is(c->name, "internal.member_3");
    while (i < n && !ag_str_is(c->name, operators[i].name))
        i++;
    if (c->is_data || (i == n && !is_member))
        return false;
    uint32_t want = is_member ? 3 : 2;
    call->text = is_member ? AG_STR("") : ag_str_z(operators[i].mark);
    if (is_literal && call->n == want + 2) {
        take_result(r, call);
        call = call->kid[1];
        is_literal = false;
    }
    check_arity(r, call, c, want);
    bool is_match = ag_str_is(call->text, "=") && is_literal;
    if (ag_str_is(call->text, "=") && !is_match)
        call->text = AG_STR("==");
    call->kind = is_member ? AGC_MEMBER2 : is_match ? AGC_UNIFY : AGC_BINARY;
    call->symbol = AG_NONE;
    call->kid++;
    call->n--;
    return true;
}

// rego.metadata.rule() and chain() are known here.
static bool
is_metadata(struct agc_names *r, struct agc_node *call, const struct agc_callee *c)
{
    bool is_rule = ag_str_is(c->name, "rego.metadata.rule");
    if (c->is_data || (!is_rule && !ag_str_is(c->name, "rego.metadata.chain")) || call->n != 1)
        return false;
    *call = is_rule ? *agc_metadata_rule(r->b, r->def, call->span)
                    : *agc_metadata_chain(r->b, r->def, call->span);
    return true;
}

static void
shadowed(struct agc_names *r, const struct agc_node *f)
{
    const struct agc_node *head = f->kind == AGC_REF ? f->kid[0] : f;
    struct agc_diag *d =
        agc_diag(r->b->diags, AGC_D_SHADOWED_FUNCTION, head->span,
                 "%.*s is a variable here, which cannot be called", agc_shown(head->text), head->text.p);
    agc_diag_fix(r->b->diags, d, "give the variable another name");
}

void
agc_names_call(struct agc_names *r, struct agc_node *call, bool is_literal)
{
    struct agc_node *f = call->kid[0];
    const struct agc_node *head = f->kind == AGC_REF ? f->kid[0] : f;
    for (uint32_t i = 1; i < call->n; i++)
        agc_names_term(r, call->kid[i]);
    if (head->kind != AGC_VAR || agc_scope_declared(r, head->text)) {
        shadowed(r, f);
        return;
    }
    if (agc_names_is_print(r, call)) {
        if (!is_literal)
            agc_diag(r->b->diags, AGC_D_VOID_CALL, call->span, "print has no value");
        call->text = AGC_PRINT;
        call->symbol = AG_NONE;
        return;
    }
    struct agc_callee c = agc_names_callee(r, f);
    call->text = c.name;
    if (is_metadata(r, call, &c) || is_operator(r, call, &c, is_literal))
        return;
    call->symbol = c.ix;
    call->group = c.group;
    if (c.ix == AG_NONE && !c.group) {
        unknown(r, f, &c);
        return;
    }
    if (c.group && !c.is_data)
        agc_diag(r->b->diags, AGC_D_MOCKED_CALL, f->span,
                 "%.*s is not available: where nothing replaces it the call is undefined", agc_shown(c.name),
                 c.name.p);
    uint32_t want = c.group ? c.group->nargs : agc_builtin_at(c.ix)->nargs;
    bool takes = is_literal && call->n - 1 == want + 1;
    if (!takes)
        check_arity(r, call, &c, want);
    bool is_relation = !c.group && ag_str_is(c.name, "walk");
    if (takes) {
        take_result(r, call);
        call = call->kid[1];
    }
    if (is_relation)
        step_through(r, call);
}
