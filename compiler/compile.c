// SPDX-License-Identifier: Apache-2.0
// Steps 2 to 9 in order, nothing more. In: sources. Out: an image. Memory: the job's arena.
// Next file to read: yaml.c, then lower.c, opt.c, emit.c, image_write.c.
#include "compile.h"

#include "analyse.h"
#include "check.h"
#include "check_effects.h"
#include "check_program.h"
#include "conflict.h"
#include "image_write.h"
#include "inputs.h"
#include "lower_rego.h"
#include "module.h"
#include "opt.h"
#include "resolve.h"
#include "type_schema.h"
#include "when.h"
#include "test_rules.h"
#include "yaml_read.h"
#include "zone_collect.h"
#include "zone_read.h"

void
agc_job_init(struct agc_job *j)
{
    *j = (struct agc_job){.level = 1, .last = AGC_STAGE_IMAGE};
    // modules without a policy file: what no element of data.aegis.decisions names is denied
    j->policy.default_decision = AG_DENY;
    j->policy.default_approval = AG_APPROVAL_BLOCK;
    j->policy.default_risk = AG_RISK_MEDIUM;
    j->policy.audit_input = AG_INPUT_READ;
    agc_diags_init(&j->diags, &j->arena, &j->sources);
}

void
agc_job_fini(struct agc_job *j)
{
    agc_arena_fini(&j->arena);
}

static uint32_t
copied_source(struct agc_job *j, struct ag_str name, struct ag_str text)
{
    return (uint32_t)agc_source_add(&j->arena, &j->sources, agc_strdup(&j->arena, name),
                                    agc_strdup(&j->arena, text));
}

static void
add_wanted(struct agc_job *j, enum agc_wanted_kind kind, struct ag_str name, struct ag_str text)
{
    j->wanted = agc_grow(&j->arena, j->wanted, j->nwanted, &j->cap_wanted, sizeof *j->wanted);
    j->wanted[j->nwanted++] = (struct agc_wanted){kind, copied_source(j, name, text)};
}

void
agc_job_add_entry(struct agc_job *j, struct ag_str ref)
{
    add_wanted(j, AGC_WANT_VALUE, AG_STR("-e"), ref);
}

void
agc_job_add_decision(struct agc_job *j, struct ag_str ref)
{
    add_wanted(j, AGC_WANT_DECISION, AG_STR("--decision"), ref);
}

void
agc_job_add_query(struct agc_job *j, struct ag_str query)
{
    add_wanted(j, AGC_WANT_QUERY, AG_STR("query"), query);
}

void
agc_job_add_document(struct agc_job *j, uint32_t source, const struct ag_str *path, uint32_t npath)
{
    struct ag_str *copy = agc_alloc(&j->arena, (npath + 1) * sizeof *copy);
    for (uint32_t i = 0; i < npath; i++)
        copy[i] = agc_strdup(&j->arena, path[i]);
    j->documents = agc_grow(&j->arena, j->documents, j->ndocuments, &j->cap_documents, sizeof *j->documents);
    j->documents[j->ndocuments++] = (struct agc_document){source, npath, copy};
}

void
agc_job_add_data(struct agc_job *j, struct ag_str name, struct ag_str json, const struct ag_str *path,
                 uint32_t npath)
{
    agc_job_add_document(j, copied_source(j, name, json), path, npath);
}

static bool
prints(const struct agc_job *j, enum agc_stage stage)
{
    return j->emit && j->last == stage;
}

static bool
is_module(const struct agc_job *j, uint32_t source)
{
    struct ag_str name = j->sources.v[source].name;
    return name.n >= 5 && memcmp(name.p + name.n - 5, ".rego", 5) == 0;
}

// A source that was added as a document or as the text of an entrypoint.
static bool
is_taken(const struct agc_job *j, uint32_t source)
{
    for (uint32_t i = 0; i < j->ndocuments; i++)
        if (j->documents[i].source == source)
            return true;
    for (uint32_t i = 0; i < j->nwanted; i++)
        if (j->wanted[i].source == source)
            return true;
    return j->has_schema && j->schema == source;
}

static void
read_module(struct agc_job *j, uint32_t source)
{
    static const struct agc_segment whole = {0, 0};
    struct ag_str bytes = j->sources.v[source].bytes;
    struct agc_text text = {bytes, source, (uint32_t)bytes.n, 1, &whole};
    if (prints(j, AGC_STAGE_TOKENS)) {
        agc_module_tokens_print(&j->arena, &j->diags, &text, j->emit);
        return;
    }
    struct agc_module *m = agc_parse_module(&j->arena, &j->diags, &text);
    struct agc_policy *p = &j->policy;
    p->modules = agc_grow(&j->arena, p->modules, p->nmodules, &j->cap_modules, sizeof *p->modules);
    if (m)
        p->modules[p->nmodules++] = m;
}

// Steps 2 and 3: a source is a module, or a policy file; later files append their rules to the first.
static bool
read_sources(struct agc_job *j)
{
    for (uint32_t i = 0; i < j->sources.n; i++) {
        if (is_taken(j, i))
            continue;
        if (is_module(j, i))
            read_module(j, i);
        else if (prints(j, AGC_STAGE_TOKENS))
            agc_yaml_print_tokens(&j->arena, &j->sources, i, &j->diags, j->emit);
        else if (agc_yaml_read(&j->arena, &j->sources, i, &j->diags, &j->policy))
            agc_inputs_named(j, i, &j->policy.named);
    }
    if (j->has_tests)
        agc_test_rules(&j->arena, &j->policy);
    if (prints(j, AGC_STAGE_AST) && !agc_diags_failed(&j->diags)) {
        if (j->policy.is_begun)
            agc_ast_print(&j->policy, &j->sources, j->emit);
        for (uint32_t i = 0; i < j->policy.nmodules; i++)
            agc_module_print(j->policy.modules[i], &j->sources, j->emit);
    }
    return !agc_diags_failed(&j->diags);
}

// The type that a schema gives to the input.
static bool
read_schema(struct agc_job *j)
{
    if (j->has_schema)
        j->policy.input_type = agc_type_of_schema(&j->arena, &j->diags, &j->sources, j->schema);
    return !agc_diags_failed(&j->diags);
}

// Joins the modules, and reads what the caller wants of them.
static bool
join_modules(struct agc_job *j)
{
    const struct agc_program_options options = {.is_rego = j->is_rego};
    bool has_when = agc_when_split(j);
    if (!j->policy.nmodules && !j->nwanted && !has_when)
        return true;
    if (!agc_program_build(&j->arena, &j->diags, &j->policy, &options, &j->program) || !agc_when_join(j) ||
        !agc_wanted_read(j, &j->wanted_nodes, &j->nwanted_nodes))
        return false;
    if (prints(j, AGC_STAGE_NAMES))
        agc_program_print(&j->program, &j->sources, j->emit);
    if (!agc_check_program(&j->arena, &j->diags, &j->program,
                           j->policy.input_type ? j->policy.input_type : &agc_type_any, &j->types))
        return false;
    if (!agc_check_effects(&j->diags, &j->program, j->policy.is_begun || !j->is_rego))
        return false;
    agc_zones_collect(&j->arena, &j->program, j->tzdata);
    if (prints(j, AGC_STAGE_TYPES))
        agc_types_program_print(&j->program, &j->types, j->emit);
    return !agc_diags_failed(&j->diags);
}

// Steps 4 and 5: names, types, and the questions about sets of rules.
static bool
understand(struct agc_job *j)
{
    // building a program has resolved the rules already
    bool ok = j->program.root || agc_resolve(&j->arena, &j->diags, &j->policy);
    if (ok && prints(j, AGC_STAGE_NAMES))
        agc_names_print(&j->policy, &j->sources, j->emit);
    ok = agc_check(&j->diags, &j->policy) && ok;
    if (ok && prints(j, AGC_STAGE_TYPES))
        agc_types_print(&j->policy, &j->sources, j->emit);
    if (ok)
        agc_analyse(&j->arena, &j->diags, &j->policy);
    return !agc_diags_failed(&j->diags);
}

static enum agc_result
refused(struct agc_job *j, const struct agc_refusal *r)
{
    agc_diag(&j->diags, AGC_D_TOO_LARGE, r->span, "%s", r->text);
    return AGC_REFUSED;
}

// Steps 6 and 7.
static enum agc_result
make_ir(struct agc_job *j)
{
    struct agc_refusal why;
    char text[200];
    agc_ir_init(&j->ir, &j->arena, &j->policy);
    if (!agc_lower_data(j))
        return AGC_REFUSED;
    if (j->program.root && !agc_lower_program(&j->ir, &j->program, j->wanted_nodes, j->nwanted_nodes,
                                              j->strict_errors, j->level > 0, &why))
        return refused(j, &why);
    j->ir.is_values_only = !j->policy.is_begun && j->ir.hooks.decisions == AG_NONE &&
                           j->ir.hooks.effects == AG_NONE && j->ir.hooks.decision == AG_NONE &&
                           (j->policy.nmodules || j->nwanted);
    if (!agc_lower(&j->ir, &why))
        return refused(j, &why);
    if (!agc_ir_check(&j->ir, text, sizeof text)) {
        agc_diag(&j->diags, AGC_D_DEFECT, (struct agc_span){0}, "after lowering: %s", text);
        return AGC_DEFECT;
    }
    if (prints(j, AGC_STAGE_IR))
        agc_ir_print(&j->ir, j->emit);
    if (j->last <= AGC_STAGE_IR)
        return AGC_DONE;
    if (!agc_opt(&j->ir, j->level, text, sizeof text)) {
        agc_diag(&j->diags, AGC_D_DEFECT, (struct agc_span){0}, "%s", text);
        return AGC_DEFECT;
    }
    if (prints(j, AGC_STAGE_OPT))
        agc_ir_print(&j->ir, j->emit);
    if (prints(j, AGC_STAGE_INDEX))
        agc_index_print(&j->ir, j->emit);
    return AGC_DONE;
}

// Steps 8 and 9.
static enum agc_result
make_image(struct agc_job *j)
{
    struct agc_refusal why;
    struct agc_image_options options = {.serial = j->serial, .secret = j->secret};
    struct ag_zone **zones = NULL;
    agc_heap_init(&j->heap, &j->ir);
    if (!agc_emit(&j->ir, &j->sources, &j->heap, &j->code, &why))
        return refused(j, &why);
    if (prints(j, AGC_STAGE_ASM))
        agc_code_print(&j->ir, &j->code, j->emit);
    if (j->last <= AGC_STAGE_ASM)
        return AGC_DONE;
    if (j->policy.nzones &&
        !agc_zones_read(&j->arena, &j->diags, &j->policy, j->tzdata, &zones, &options.tzdata))
        return AGC_REFUSED;
    options.zones = (const struct ag_zone *const *)zones;
    agc_stats_cost(&j->ir, &j->code, &j->stats);
    if (!agc_image_build(&j->ir, &j->sources, &j->heap, &j->code, &options, &j->stats, &j->image, &why))
        return refused(j, &why);
    return AGC_DONE;
}

enum agc_result
agc_compile_program(struct agc_job *j)
{
    enum agc_result r = make_ir(j);
    return r != AGC_DONE || j->last <= AGC_STAGE_INDEX ? r : make_image(j);
}

enum agc_result
agc_compile(struct agc_job *j)
{
    if (!read_sources(j))
        return AGC_REFUSED;
    if (j->last <= AGC_STAGE_AST)
        return AGC_DONE;
    if (!read_schema(j) || !join_modules(j) || !understand(j))
        return AGC_REFUSED;
    if (j->last <= AGC_STAGE_TYPES)
        return AGC_DONE;
    if (j->program.root)
        agc_conflicts(j);
    return agc_diags_failed(&j->diags) ? AGC_REFUSED : agc_compile_program(j);
}
