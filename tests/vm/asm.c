// SPDX-License-Identifier: Apache-2.0
// Assembler for tests: see README.md for the text. One pass over the lines, labels patched at the end of a
// function. In: text. Out: image bytes. Memory: static tables of fixed size; a text that outgrows them is
// refused. Next file to read: run.c.
#include "asm.h"
#include "builtins/builtins.h"
#include "crypto.h"
#include "eval.h"
#include "image.h"
#include "number.h"
#include <stdio.h>
#include <stdlib.h>

#define MAX        512
#define HEAP_MAX   65536
#define LABELS_MAX 64

struct label {
    char name[32];
    int64_t at;
};
struct fix {
    uint32_t insn, line;
    unsigned operand;
    char name[32];
};

struct name {
    uint32_t *field;
    char text[64];
};

static struct {
    struct ag_meta meta;
    struct name names[MAX];
    uint32_t nnames;
    ag_insn code[4096];
    struct ag_func funcs[MAX];
    ag_cell consts[MAX];
    uint8_t heap[HEAP_MAX] __attribute__((aligned(64)));
    struct ag_rule rules[MAX];
    struct ag_limit limits[16];
    struct ag_window windows[16];
    struct ag_entry entries[MAX];
    uint32_t calltable[1024];
    struct label labels[LABELS_MAX];
    struct fix fixes[256];
    uint32_t ncode, nfuncs, nconsts, nheap, nrules, nlimits, nwindows, nentries, ncalltable, ntables, nlabels,
        nfixes;
    uint32_t line;
} s;

static uint8_t scratch[1 << 20] __attribute__((aligned(64)));

static bool
fail(const char *what)
{
    printf("# asm line %u: %s\n", s.line, what);
    return false;
}

// --- constants
// -----------------------------------------------------------------------------------------------------

static uint32_t
heap_put(const void *p, size_t n, uint32_t align)
{
    uint32_t at = (s.nheap + align - 1) & ~(align - 1);
    if (at + n > HEAP_MAX)
        exit(fail("constants outgrow the heap") + 2);
    memcpy(s.heap + at, p, n);
    s.nheap = at + (uint32_t)n;
    return at;
}

static ag_cell
heap_value(const struct ag_mem *m, struct ag_value v)
{
    ag_cell c = v.kind, cells[256], keys[256];
    if (v.kind == AG_STRING)
        return c | (uint64_t)v.len << 8 | (uint64_t)heap_put(v.p, v.len, 1) << 32;
    if (v.kind == AG_NUMBER && v.sub) {
        const struct ag_num_rec *r = (const void *)v.p;
        return c | 2u << 6 | (uint64_t)heap_put(r, r->size, 8) << 32;
    }
    if (v.kind < AG_ARRAY) {
        ag_cell_store(m, v, &c);
        return c;
    }
    uint32_t n = v.len < 256 ? v.len : 256;
    for (uint32_t i = 0; i < n; i++) {
        if (v.kind == AG_OBJECT)
            keys[i] = heap_value(m, ag_object_key(m, v, i));
        cells[i] = heap_value(m, ag_value_at(m, v, i));
    }
    uint32_t head[4] = {n, 0, 0, 0};
    if (v.kind == AG_OBJECT)
        head[2] = heap_put(keys, n * sizeof *keys, 8);
    uint32_t at = heap_put(head, v.kind == AG_OBJECT ? 16 : 8, 8);
    heap_put(cells, n * sizeof *cells, 8);
    return c | (uint64_t)at << 32;
}

static uint32_t
add_const(const char *json, size_t n)
{
    struct ag_arena a;
    ag_arena_init(&a, scratch, sizeof scratch);
    struct ag_mem m = {.base = {NULL, scratch, (const uint8_t *)json}, .arena = &a};
    struct ag_value v;
    struct ag_json_error e;
    if (s.nconsts == MAX || ag_json_read(&m, ag_str_of(json, n), &v, &e) != AG_JSON_OK)
        exit(fail("not a JSON constant") + 2);
    s.consts[s.nconsts] = heap_value(&m, v);
    return s.nconsts++;
}

// Names become constants after all others, so that k0, k1 ... count the .const lines alone.
static void
name_later(uint32_t *field, const char *word)
{
    struct name *n = &s.names[s.nnames++];
    n->field = field;
    snprintf(n->text, sizeof n->text, "\"%s\"", word);
    if (s.nnames == MAX)
        exit(fail("too many names") + 2);
}

static void
add_names(void)
{
    for (uint32_t i = 0; i < s.nnames; i++)
        *s.names[i].field = add_const(s.names[i].text, strlen(s.names[i].text));
}

// --- instructions
// ----------------------------------------------------------------------------------------------------

static bool
set_operand(ag_insn *i, unsigned ix, bool wide, int64_t v)
{
    if (ix && wide)
        *i = (*i & 0xffffffffu) | (uint64_t)(uint32_t)v << 32;
    else
        *i = (*i & ~((uint64_t)0xffff << (16 * (ix + 1)))) | (uint64_t)(uint16_t)v << (16 * (ix + 1));
    return true;
}

static bool
parse_operand(ag_insn *insn, unsigned ix, const struct ag_op_info *op, const char *word)
{
    if (word[0] == '@') {
        struct fix *f = &s.fixes[s.nfixes++];
        *f = (struct fix){s.ncode, s.line, ix, ""};
        snprintf(f->name, sizeof f->name, "%s", word + 1);
        return s.nfixes < 256 || fail("too many labels used");
    }
    if (op->operand[ix] == AG_OPN_BI) {
        uint32_t b = ag_builtin_find(ag_str_z(word));
        if (b != AG_NONE)
            return set_operand(insn, ix, op->is_wide, b);
    }
    const char *digits = word + strcspn(word, "-0123456789");
    return (*digits && set_operand(insn, ix, op->is_wide, strtoll(digits, NULL, 10))) ||
           fail("operand without a number");
}

static bool
instruction(char *text)
{
    char *save = NULL, *name = strtok_r(text, " ,\t", &save), *word;
    for (uint32_t op = 0; op < AG_OP_COUNT; op++) {
        const struct ag_op_info *info = &ag_op_table[op];
        if (strcmp(info->text, name) != 0)
            continue;
        ag_insn insn = op;
        for (unsigned i = 0; i < 3; i++) {
            if (info->operand[i] == AG_OPN_NONE)
                continue;
            if (!(word = strtok_r(NULL, " ,\t", &save)))
                return fail("operand missing");
            if (!parse_operand(&insn, i, info, word))
                return false;
        }
        if (!s.nfuncs || s.ncode == 4096)
            return fail("code outside of a function, or too much of it");
        s.code[s.ncode++] = insn;
        return true;
    }
    return fail("unknown opcode");
}

static bool
end_function(void)
{
    for (uint32_t i = 0; i < s.nfixes; i++) {
        const struct fix *f = &s.fixes[i];
        const struct ag_op_info *op = &ag_op_table[ag_insn_op(s.code[f->insn])];
        int64_t to = -1;
        for (uint32_t k = 0; k < s.nlabels; k++)
            if (strcmp(s.labels[k].name, f->name) == 0)
                to = s.labels[k].at;
        if (to < 0)
            return fail("label without a place");
        int64_t skip = to - (int64_t)f->insn - 1;
        set_operand(&s.code[f->insn], f->operand, op->is_wide,
                    op->operand[f->operand] == AG_OPN_BACK ? -skip : skip);
    }
    s.nfixes = s.nlabels = 0;
    if (s.nfuncs)
        s.funcs[s.nfuncs - 1].code_n = s.ncode - s.funcs[s.nfuncs - 1].code_at;
    return true;
}

// --- directives
// --------------------------------------------------------------------------------------------------------

// Value of "key=" among the words, or NULL.
static const char *
option(char *const *words, unsigned n, const char *key)
{
    size_t k = strlen(key);
    for (unsigned i = 1; i < n; i++)
        if (strncmp(words[i], key, k) == 0 && words[i][k] == '=')
            return words[i] + k + 1;
    return NULL;
}

static uint32_t
number(char *const *words, unsigned n, const char *key, uint32_t missing)
{
    const char *v = option(words, n, key);
    return v ? (uint32_t)strtoul(v + strcspn(v, "0123456789"), NULL, 10) : missing;
}

static bool
has(char *const *words, unsigned n, const char *word)
{
    for (unsigned i = 1; i < n; i++)
        if (strcmp(words[i], word) == 0)
            return true;
    return false;
}

static bool
directive_func(char *const *w, unsigned n)
{
    if (!end_function() || s.nfuncs == MAX)
        return false;
    uint32_t memo = number(w, n, "memo", AG_NONE);
    s.funcs[s.nfuncs++] = (struct ag_func){.code_at = s.ncode,
                                           .nargs = (uint16_t)number(w, n, "args", 2),
                                           .nregs = (uint16_t)number(w, n, "regs", 16),
                                           .flags = (has(w, n, "entry") ? AG_FUNC_ENTRY : 0u) |
                                                    (memo != AG_NONE ? AG_FUNC_MEMO : 0u),
                                           .memo_slot = memo,
                                           .name = AG_NONE,
                                           .path = number(w, n, "path", AG_NONE)};
    name_later(&s.funcs[s.nfuncs - 1].name, w[1]);
    if (memo != AG_NONE && s.meta.memo_slots <= memo)
        s.meta.memo_slots = memo + 1;
    return true;
}

static bool
directive_table(char *const *w, unsigned n)
{
    uint32_t rows = 0, *head = &s.calltable[s.ncalltable];
    s.ntables++;
    s.ncalltable += 2;
    for (unsigned i = 2; i < n; i++, rows++) {
        uint32_t key = AG_NONE, func = AG_NONE;
        const char *colon = strchr(w[i], ':');
        if (!colon)
            return fail("a row is key:function");
        if (w[i][0] == 'k')
            key = (uint32_t)strtoul(w[i] + 1, NULL, 10);
        if (colon[1] == 'f')
            func = (uint32_t)strtoul(colon + 2, NULL, 10);
        s.calltable[s.ncalltable++] = key;
        s.calltable[s.ncalltable++] = func;
    }
    head[0] = rows;
    head[1] = number(w, n, "args", 2);
    return s.ntables == 1 || fail("one call table is all this assembler makes");
}

static bool
directive_rule(char *const *w, unsigned n)
{
    enum ag_severity d = AG_DENY, sort;
    const char *text = option(w, n, "decision"), *as = option(w, n, "sort");
    if (text && !ag_severity_parse(ag_str_z(text), &d))
        return fail("unknown decision");
    sort = d;
    if (as && !ag_severity_parse(ag_str_z(as), &sort))
        return fail("unknown decision");
    name_later(&s.rules[s.nrules].name, w[1]);
    s.rules[s.nrules++] = (struct ag_rule){
        .source = AG_NONE, .decision = (uint8_t)d, .risk = AG_RISK_HIGH, .sort_as = (uint8_t)sort};
    return true;
}

static bool
directive(char *text)
{
    char *w[32], *save = NULL;
    unsigned n = 0;
    for (char *t = strtok_r(text, " \t", &save); t && n < 32; t = strtok_r(NULL, " \t", &save))
        w[n++] = t;
    if (n == 0)
        return fail("no directive");
    if (strcmp(w[0], ".func") == 0 && n > 1)
        return directive_func(w, n);
    if (strcmp(w[0], ".table") == 0)
        return directive_table(w, n);
    if (strcmp(w[0], ".rule") == 0 && n > 1)
        return directive_rule(w, n);
    if (strcmp(w[0], ".entry") == 0 && n > 1) {
        name_later(&s.entries[s.nentries].name, w[1]);
        s.entries[s.nentries].func = number(w, n, "func", 0);
        s.entries[s.nentries++].is_decision = has(w, n, "decision");
    } else if (strcmp(w[0], ".data") == 0 && n > 1)
        s.meta.data = number(w, n, "const", AG_NONE);
    else if (strcmp(w[0], ".combine") == 0)
        s.meta.combine = has(w, n, "deny_overrides");
    else if (strcmp(w[0], ".limit") == 0 && n > 1) {
        s.limits[s.nlimits] = (struct ag_limit){.on_exceed = AG_THROTTLE,
                                                .nkeys = number(w, n, "keys", 1),
                                                .rate_num = 1,
                                                .rate_per_ns = 1000000000,
                                                .burst = 1};
        name_later(&s.limits[s.nlimits++].name, w[1]);
    } else if (strcmp(w[0], ".window") == 0)
        s.windows[s.nwindows++] =
            (struct ag_window){AG_NONE, (uint16_t)number(w, n, "start", 0),
                               (uint16_t)number(w, n, "end", 1440), number(w, n, "days", 127), 0};
    else
        return fail("unknown directive");
    return true;
}

static bool
assemble_line(char *text)
{
    text += strspn(text, " \t");
    if (*text == '@') {
        struct label *l = &s.labels[s.nlabels++];
        l->at = s.ncode;
        snprintf(l->name, sizeof l->name, "%.*s", (int)strcspn(text + 1, ": "), text + 1);
        return s.nlabels < LABELS_MAX || fail("too many labels");
    }
    if (strncmp(text, ".const ", 7) == 0) {
        add_const(text + 7, strlen(text + 7));
        return true;
    }
    char *comment = strchr(text, ';');
    if (comment)
        *comment = 0;
    if (!text[strspn(text, " \t")])
        return true;
    return *text == '.' ? directive(text) : instruction(text);
}

// --- image
// -------------------------------------------------------------------------------------------------------------

void
asm_seal(void *image, size_t n)
{
    ag_image_digest(image, n, ((struct ag_image_header *)image)->digest);
}

static bool
put(struct ag_image_header *h, uint8_t *out, size_t size, enum ag_section sec, const void *p, size_t n)
{
    uint64_t at = (h->file_size + AG_IMAGE_ALIGN - 1) / AG_IMAGE_ALIGN * AG_IMAGE_ALIGN;
    if (at + n > size)
        return fail("the image outgrows its memory");
    if (!n)
        return true;
    memcpy(out + at, p, n);
    h->section[sec] = (struct ag_section_ref){at, n};
    h->file_size = at + n;
    return true;
}

size_t
asm_image(struct ag_str text, void *out, size_t size)
{
    memset(&s, 0, sizeof s);
    s.nheap = 8;
    s.meta.name = s.meta.tzdata = s.meta.data = AG_NONE;
    s.meta.fuel = 1000000;
    s.meta.default_decision = AG_DENY;
    for (size_t at = 0; at < text.n;) {
        char line[1024];
        const char *end = memchr(text.p + at, '\n', text.n - at);
        size_t n = end ? (size_t)(end - text.p) - at : text.n - at;
        snprintf(line, sizeof line, "%.*s", (int)n, text.p + at);
        s.line++;
        at += n + 1;
        if (line[0] && !assemble_line(line))
            return 0;
    }
    if (!end_function())
        return 0;
    add_names();
    uint32_t table[1024 + 2] = {s.ntables, 8};
    memcpy(table + 2, s.calltable, s.ncalltable * sizeof *s.calltable);
    struct ag_image_header h = {
        AG_IMAGE_MAGIC, AG_IMAGE_FORMAT, AG_VM_VERSION, sizeof h, AG_SECTION_COUNT, 0, {0}, {{0, 0}}};
    memset(out, 0, size);
    s.meta.stack_regs = 4096;
    bool ok = put(&h, out, size, AG_SEC_META, &s.meta, sizeof s.meta) &&
              put(&h, out, size, AG_SEC_CODE, s.code, s.ncode * sizeof *s.code) &&
              put(&h, out, size, AG_SEC_FUNCS, s.funcs, s.nfuncs * sizeof *s.funcs) &&
              put(&h, out, size, AG_SEC_CONSTS, s.consts, s.nconsts * sizeof *s.consts) &&
              put(&h, out, size, AG_SEC_HEAP, s.heap, s.nheap) &&
              put(&h, out, size, AG_SEC_RULES, s.rules, s.nrules * sizeof *s.rules) &&
              put(&h, out, size, AG_SEC_CALLTABLES, table,
                  s.ntables ? 8 + s.ncalltable * sizeof *s.calltable : 0) &&
              put(&h, out, size, AG_SEC_WINDOWS, s.windows, s.nwindows * sizeof *s.windows) &&
              put(&h, out, size, AG_SEC_LIMITS, s.limits, s.nlimits * sizeof *s.limits) &&
              put(&h, out, size, AG_SEC_ENTRIES, s.entries, s.nentries * sizeof *s.entries);
    if (!ok)
        return 0;
    memcpy(out, &h, sizeof h);
    asm_seal(out, h.file_size);
    return h.file_size;
}
