// SPDX-License-Identifier: Apache-2.0
// Prints an image: header, constants, functions with their source lines, rules, limits. In: a verified image.
// Out: lines. Memory: one line buffer on the stack. Next file to read: vm/isa/disasm.c for one instruction.
#include "dump.h"

#include "buf.h"
#include "explain.h"
#include "isa/disasm.h"

#define LINE_MAX_BYTES 1024u

struct out {
    void (*line)(void *arg, const char *text, size_t n);
    void *arg;
    struct ag_buf b;
    char mem[LINE_MAX_BYTES];
};

static void
start(struct out *o)
{
    ag_buf_init(&o->b, o->mem, sizeof o->mem);
}

static void
end(struct out *o)
{
    o->line(o->arg, o->b.p, o->b.n);
    start(o);
}

static void
pair(struct out *o, const char *name, uint64_t v)
{
    ag_buf_str(&o->b, ag_str_z(name));
    ag_buf_u64(&o->b, v);
}

static void
dump_header(const struct ag_image *im, struct out *o)
{
    pair(o, "; image format ", im->header->format);
    pair(o, ", ", im->size);
    ag_buf_lit(&o->b, " bytes, digest blake2b:");
    ag_buf_hex(&o->b, im->header->digest, 32);
    end(o);
    pair(o, "; fuel ", im->meta->fuel);
    pair(o, ", serial ", im->meta->serial);
    pair(o, ", registers ", im->meta->stack_regs);
    end(o);
    for (unsigned s = 0; s < AG_SECTION_COUNT; s++) {
        if (!im->header->section[s].size)
            continue;
        ag_buf_lit(&o->b, "; section ");
        ag_buf_str(&o->b, ag_str_z(ag_section_name((enum ag_section)s)));
        pair(o, " at ", im->header->section[s].off);
        pair(o, ", bytes ", im->header->section[s].size);
        end(o);
    }
}

static void
dump_consts(const struct ag_image *im, struct out *o)
{
    struct ag_mem m = {.base = {im->heap, NULL, NULL}};
    for (uint32_t i = 0; i < im->nconsts; i++) {
        pair(o, "const k", i);
        ag_buf_lit(&o->b, " = ");
        ag_json_write(&m, ag_image_const(im, i), &o->b, 0);
        end(o);
    }
}

static void
dump_rules(const struct ag_image *im, struct out *o)
{
    for (uint32_t i = 0; i < im->nrules; i++) {
        const struct ag_rule *r = &im->rules[i];
        pair(o, "rule ", i);
        ag_buf_char(&o->b, ' ');
        ag_buf_str(&o->b, ag_image_str(im, r->name));
        ag_buf_char(&o->b, ' ');
        ag_buf_str(&o->b, ag_severity_text((enum ag_severity)r->decision));
        pair(o, " line ", r->line);
        end(o);
    }
    for (uint32_t i = 0; i < im->nlimits; i++) {
        pair(o, "limit ", i);
        ag_buf_char(&o->b, ' ');
        ag_buf_str(&o->b, ag_image_str(im, im->limits[i].name));
        pair(o, " burst ", im->limits[i].burst);
        end(o);
    }
}

struct ag_str
agr_dump_step(const struct ag_image *im, uint32_t insn, char *mem, size_t size)
{
    struct ag_buf b;
    uint32_t line, column;
    ag_buf_init(&b, mem, size);
    ag_buf_u64(&b, insn);
    ag_buf_lit(&b, ": ");
    ag_disasm_insn(im->code[insn], &b);
    if (agr_span_of(im, insn, &line, &column)) {
        ag_buf_lit(&b, "  ; ");
        ag_buf_u64(&b, line);
        ag_buf_char(&b, ':');
        ag_buf_u64(&b, column);
    }
    return ag_str_of(b.p, b.n);
}

static void
dump_code(const struct ag_image *im, struct out *o)
{
    for (uint32_t f = 0; f < im->nfuncs; f++) {
        const struct ag_func *fn = &im->funcs[f];
        pair(o, "func f", f);
        ag_buf_char(&o->b, ' ');
        ag_buf_str(&o->b, ag_image_str(im, fn->name));
        pair(o, " args ", fn->nargs);
        pair(o, " regs ", fn->nregs);
        ag_buf_str(&o->b, fn->flags & AG_FUNC_ENTRY ? AG_STR(" entry") : AG_STR(""));
        end(o);
        for (uint32_t i = 0; i < fn->code_n; i++) {
            char mem[256];
            struct ag_str s = agr_dump_step(im, fn->code_at + i, mem, sizeof mem);
            ag_buf_lit(&o->b, "  ");
            ag_buf_str(&o->b, s);
            end(o);
        }
    }
}

void
agr_dump_image(const struct ag_image *im, void (*line)(void *arg, const char *text, size_t n), void *arg)
{
    struct out o = {.line = line, .arg = arg};
    start(&o);
    dump_header(im, &o);
    dump_consts(im, &o);
    dump_rules(im, &o);
    dump_code(im, &o);
}
