// SPDX-License-Identifier: Apache-2.0
// Step 9: sections, header, digest, signature. The hash seed is the first under which every table of the
// image is perfect, so equal sources give equal bytes; no time and no path enters. In: code, heap, tables.
// Out: the file's bytes. Memory: the compile arena. Layout: vm/image.h, docs/formats/image.md. Next file to
// read: vm/verify.c.
#include "image_write.h"

#include "builtins/builtins.h"
#include "crypto.h"
#include "isa/insn.h"
#include "opt.h"
#include "stats.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct image {
    struct agc_ir *ir;
    const struct agc_sources *sources;
    struct agc_heap *heap;
    const struct agc_code *code;
    const struct agc_image_options *options;
    struct agc_stats *stats;
    struct agc_bytes sec[AG_SECTION_COUNT];
    uint64_t seed;
    struct agc_refusal *refusal;
};

#define U32_AT(bytes, at) ((uint32_t *)(void *)((bytes)->p + (at)))

static struct ag_str
base_name(struct ag_str path)
{
    for (size_t i = path.n; i-- > 0;)
        if (path.p[i] == '/')
            return ag_str_of(path.p + i + 1, path.n - i - 1);
    return path;
}

// Base name and bytes of every source, each with its length before it.
static void
source_digest(struct image *im, uint8_t ret[32])
{
    uint32_t n = im->sources ? im->sources->n : 0;
    struct ag_piece *piece = agc_alloc(im->ir->arena, (4 * (size_t)n + 1) * sizeof *piece);
    uint64_t *size = agc_alloc(im->ir->arena, (2 * (size_t)n + 1) * sizeof *size);
    for (uint32_t i = 0; i < n; i++) {
        struct ag_str part[2] = {base_name(im->sources->v[i].name), im->sources->v[i].bytes};
        for (unsigned k = 0; k < 2; k++) {
            size[2 * i + k] = part[k].n;
            piece[4 * i + 2 * k] = (struct ag_piece){&size[2 * i + k], sizeof *size};
            piece[4 * i + 2 * k + 1] = (struct ag_piece){part[k].p, part[k].n};
        }
    }
    ag_blake2b256(piece, 4 * (size_t)n, ret);
}

// What the host must provide: looked up in the code, so that a call that was optimised away asks for nothing.
static uint32_t
needs(const struct agc_code *code)
{
    for (uint32_t i = 0; i < code->ninsns; i++) {
        ag_insn insn;
        memcpy(&insn, code->insns.p + i * sizeof insn, sizeof insn);
        uint32_t op = ag_insn_op(insn);
        if ((op == AG_OP_BUILTIN || op == AG_OP_BUILTINS) &&
            ag_builtin_table[ag_insn_b(insn)].flags & AG_BUILTIN_HOST)
            return AG_NEEDS_CRYPTO;
    }
    return 0;
}

static void
put_meta(struct image *im)
{
    const struct agc_policy *p = im->ir->policy;
    struct ag_meta m = {
        .name = p->name.text.p ? agc_heap_string(im->heap, p->name.text) : AG_NONE,
        .tzdata =
            p->nzones && im->options->tzdata.p ? agc_heap_string(im->heap, im->options->tzdata) : AG_NONE,
        .serial = im->options->serial,
        .fuel = im->stats->fuel,
        .arena_size = im->stats->arena_size,
        .input_max = AGC_INPUT_MAX,
        .stack_regs = im->stats->stack_regs,
        .combine = (uint8_t)p->combine,
        .default_decision = p->default_decision,
        .default_risk = p->default_risk,
        .default_approval = p->default_approval,
        .audit_level = p->audit_level,
        .audit_sign = p->audit_sign,
        .audit_input = p->audit_input,
        .has_rules = 1,
        .source_rules = p->nrules,
        .memo_slots = im->code->memo_slots,
        .data = im->ir->data == AG_NONE ? AG_NONE : agc_heap_const(im->heap, im->ir->data),
        .dependencies = needs(im->code),
    };
    source_digest(im, m.source_digest);
    agc_bytes_put(&im->sec[AG_SEC_META], &m, sizeof m);
}

static void
put_rules(struct image *im)
{
    for (uint32_t i = 0; i < im->ir->nrules; i++) {
        const struct agc_rule *r = im->ir->rules[i].rule;
        struct ag_rule row = {.name = agc_heap_string(im->heap, r->name.text),
                              .source = r->span.source,
                              .line = 1,
                              .column = 1,
                              .decision = r->decision,
                              .risk = r->risk,
                              .approval = r->approval,
                              .sort_as = im->ir->rules[i].sort_as,
                              .gate_mask = r->gate_mask};
        agc_place(&im->code->places, r->span, &row.line, &row.column);
        agc_bytes_put(&im->sec[AG_SEC_RULES], &row, sizeof row);
    }
}

// u32 count, then the offset of each body, filled as the bodies come; bodies are 8-aligned.
static void
put_count(struct agc_bytes *b, uint32_t n)
{
    agc_bytes_u32(b, n);
    agc_bytes_room(b, n * sizeof(uint32_t));
}

static void
begin_body(struct agc_bytes *b, uint32_t ix)
{
    agc_bytes_align(b, 8);
    U32_AT(b, 4)[ix] = (uint32_t)b->n;
}

static void
put_tables(struct image *im)
{
    struct agc_bytes *b = &im->sec[AG_SEC_CALLTABLES];
    if (!im->ir->ntables)
        return;
    put_count(b, im->ir->ntables);
    for (uint32_t t = 0; t < im->ir->ntables; t++) {
        const struct agc_call_table *table = &im->ir->tables[t];
        begin_body(b, t);
        agc_bytes_u32(b, table->n);
        agc_bytes_u32(b, 2);
        for (uint32_t i = 0; i < table->n; i++) {
            agc_bytes_u32(b, table->key ? agc_heap_const(im->heap, table->key[i]) : AG_NONE);
            agc_bytes_u32(b, table->func[i]);
        }
    }
}

static void
put_patterns(struct image *im)
{
    struct agc_bytes *b = &im->sec[AG_SEC_PATTERNS];
    uint32_t n = im->ir->npatterns;
    if (!n)
        return;
    agc_bytes_u32(b, n);
    agc_bytes_room(b, 2 * (size_t)n * sizeof(uint32_t));
    for (uint32_t i = 0; i < n; i++) {
        struct ag_str blob = im->ir->patterns[i].blob;
        agc_bytes_align(b, 8);
        U32_AT(b, 4)[2 * i] = (uint32_t)b->n;
        U32_AT(b, 4)[2 * i + 1] = (uint32_t)blob.n;
        agc_bytes_put(b, blob.p, blob.n);
    }
}

static void
put_zones(struct image *im)
{
    const struct agc_policy *p = im->ir->policy;
    struct agc_bytes *b = &im->sec[AG_SEC_ZONES];
    if (!p->nzones)
        return;
    put_count(b, p->nzones);
    for (uint32_t i = 0; i < p->nzones; i++) {
        begin_body(b, i);
        size_t at = b->n;
        agc_bytes_put(b, im->options->zones[i], im->options->zones[i]->size);
        ((struct ag_zone *)(void *)(b->p + at))->name = agc_heap_string(im->heap, p->zones[i].text);
    }
}

static void
put_limits(struct image *im)
{
    for (uint32_t i = 0; i < im->ir->policy->nlimits; i++) {
        const struct agc_limit *l = &im->ir->policy->limits[i];
        struct ag_limit row = l->spec;
        row.name = agc_heap_string(im->heap, l->name.text);
        row.nkeys = l->nkeys;
        agc_bytes_put(&im->sec[AG_SEC_LIMITS], &row, sizeof row);
    }
}

static void
put_entries(struct image *im)
{
    for (uint32_t i = 0; i < im->ir->nentries; i++) {
        const struct agc_entry *e = &im->ir->entries[i];
        struct ag_entry row = {agc_heap_string(im->heap, e->name), e->func, e->is_decision, 0};
        agc_bytes_put(&im->sec[AG_SEC_ENTRIES], &row, sizeof row);
    }
}

struct paths {
    struct image *im;
    uint32_t n, cap, *v; // constants of the ir
};

static void
add_path(struct paths *p, uint32_t ix)
{
    for (uint32_t i = 0; i < p->n; i++)
        if (p->v[i] == ix)
            return;
    p->v = agc_grow(p->im->ir->arena, p->v, p->n, &p->cap, sizeof *p->v);
    p->v[p->n++] = ix;
}

// Paths name members: one that goes on into an array by number is kept up to there, so what is kept of an
// input holds the whole array. A number at the root reads nothing of an object.
static void
note_path(void *self, struct agc_stmt *s, unsigned depth)
{
    (void)depth;
    struct agc_ir *ir = ((struct paths *)self)->im->ir;
    if (s->op != AGC_IR_PATH || s->v[1] != 0)
        return;
    const struct agc_const *path = &ir->consts[s->v[2]];
    uint32_t n = 0;
    while (n < path->n && ir->consts[path->kid[n]].kind == AG_STRING)
        n++;
    if (n > 0)
        add_path(self, n == path->n ? s->v[2] : agc_const_array(ir, path->kid, n));
}

static void
put_paths(struct image *im)
{
    static const char *const attr[AG_ATTRS] = {"type", "target", "agent", "tenant"};
    struct paths p = {.im = im};
    for (unsigned a = 0; a < AG_ATTRS; a++) {
        struct ag_str key = ag_str_z(attr[a]);
        add_path(&p, agc_const_path(im->ir, &key, 1));
    }
    for (uint32_t i = 0; i < im->ir->nfuncs; i++)
        agc_ir_walk(&im->ir->funcs[i].body, note_path, &p);
    for (uint32_t i = 0; i < p.n; i++)
        agc_bytes_u32(&im->sec[AG_SEC_PATHS], agc_heap_const(im->heap, p.v[i]));
}

static void
put_debug(struct image *im)
{
    agc_bytes_put(&im->sec[AG_SEC_SPANS], im->code->spans.p, im->code->spans.n);
    for (uint32_t i = 0; im->sources && i < im->sources->n; i++)
        agc_bytes_u32(&im->sec[AG_SEC_SOURCES], agc_heap_string(im->heap, im->sources->v[i].name));
}

// The first seed under which index and objects are perfect. The index is written anew for each.
static bool
find_seed(struct image *im)
{
    struct agc_bytes *b = &im->sec[AG_SEC_INDEX];
    for (uint64_t seed = 0; seed < AGC_SEED_MAX; seed++) {
        b->n = 0;
        if (im->ir->nindexes) {
            put_count(b, im->ir->nindexes);
            begin_body(b, 0);
            if (!agc_index_write(im->ir, im->heap, seed, b))
                continue;
        }
        im->seed = seed;
        if (agc_heap_hash(im->heap, seed))
            return true;
    }
    return agc_refuse(im->refusal, (struct agc_span){0},
                      "no hash seed keeps the tables apart; split the largest table");
}

static void
put_sections(struct image *im)
{
    put_meta(im);
    put_rules(im);
    put_tables(im);
    put_patterns(im);
    agc_bytes_put(&im->sec[AG_SEC_WINDOWS], im->ir->windows, im->ir->nwindows * sizeof *im->ir->windows);
    put_zones(im);
    put_limits(im);
    if (im->ir->policy->has_gates)
        agc_bytes_put(&im->sec[AG_SEC_GATES], &im->ir->policy->gates, sizeof im->ir->policy->gates);
    put_entries(im);
    put_paths(im);
    put_debug(im);
    agc_bytes_put(&im->sec[AG_SEC_CODE], im->code->insns.p, im->code->insns.n);
    agc_bytes_put(&im->sec[AG_SEC_FUNCS], im->code->funcs, im->code->nfuncs * sizeof *im->code->funcs);
}

static void
sign(struct image *im, uint8_t *file, const struct ag_section_ref *at, const uint8_t digest[32])
{
    static const char domain[] = "aegis-image-v1\n";
    uint8_t msg[sizeof domain - 1 + 32];
    struct ag_signature s;
    memcpy(msg, domain, sizeof domain - 1);
    memcpy(msg + sizeof domain - 1, digest, 32);
    memcpy(s.key, im->options->secret + AG_ED25519_SECRET - AG_ED25519_PUBLIC, sizeof s.key);
    ag_ed25519_sign(msg, sizeof msg, im->options->secret, s.sig);
    memcpy(file + at->off, &s, sizeof s);
}

static struct ag_str
assemble(struct image *im)
{
    struct ag_image_header h = {
        .format = AG_IMAGE_FORMAT, .vm_min = AG_VM_VERSION, .sections = AG_SECTION_COUNT};
    uint64_t at = sizeof h;
    memcpy(h.magic, AG_IMAGE_MAGIC, sizeof h.magic);
    if (im->options->secret)
        agc_bytes_room(&im->sec[AG_SEC_SIGNATURE], sizeof(struct ag_signature));
    for (unsigned i = 0; i < AG_SECTION_COUNT; i++) {
        at = (at + AG_IMAGE_ALIGN - 1) & ~(uint64_t)(AG_IMAGE_ALIGN - 1);
        h.section[i] = (struct ag_section_ref){at, im->sec[i].n};
        im->stats->section[i] = im->sec[i].n;
        at += im->sec[i].n;
    }
    h.file_size = im->stats->image = at;
    uint8_t *file = agc_alloc(im->ir->arena, at + AG_IMAGE_ALIGN);
    file += -(uintptr_t)file & (AG_IMAGE_ALIGN - 1);
    memcpy(file, &h, sizeof h);
    for (unsigned i = 0; i < AG_SECTION_COUNT; i++)
        if (im->sec[i].n)
            memcpy(file + h.section[i].off, im->sec[i].p, im->sec[i].n);
    ag_image_digest(file, at, h.digest);
    memcpy(file, &h, sizeof h);
    if (im->options->secret)
        sign(im, file, &h.section[AG_SEC_SIGNATURE], h.digest);
    return ag_str_of((const char *)file, at);
}

bool
agc_image_build(struct agc_ir *ir, const struct agc_sources *sources, struct agc_heap *heap,
                const struct agc_code *code, const struct agc_image_options *options, struct agc_stats *stats,
                struct ag_str *ret_bytes, struct agc_refusal *ret)
{
    struct image im = {.ir = ir,
                       .sources = sources,
                       .heap = heap,
                       .code = code,
                       .options = options,
                       .stats = stats,
                       .refusal = ret};
    for (unsigned i = 0; i < AG_SECTION_COUNT; i++)
        im.sec[i].arena = ir->arena;
    put_sections(&im);
    if (!find_seed(&im))
        return false;
    ((struct ag_meta *)(void *)im.sec[AG_SEC_META].p)->hash_seed = im.seed;
    stats->constants = heap->nconsts;
    im.sec[AG_SEC_CONSTS] = heap->consts;
    im.sec[AG_SEC_HEAP] = heap->bytes;
    uint64_t total = 0;
    for (unsigned i = 0; i < AG_SECTION_COUNT; i++)
        total += im.sec[i].n + AG_IMAGE_ALIGN;
    if (heap->is_full || total > AG_IMAGE_MAX)
        return agc_refuse(ret, (struct agc_span){0},
                          "the image would be larger than %u bytes; split the policy", AG_IMAGE_MAX);
    *ret_bytes = assemble(&im);
    return true;
}

static bool
write_all(int fd, struct ag_str bytes)
{
    while (bytes.n) {
        ssize_t n = write(fd, bytes.p, bytes.n);
        if (n == -1 && errno == EINTR)
            continue;
        if (n == -1)
            return false;
        bytes = ag_str_of(bytes.p + n, bytes.n - (size_t)n);
    }
    return true;
}

// A device or a pipe is written as it stands: a rename would put a file in its place.
static bool
write_through(const char *path, struct ag_str bytes)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd == -1)
        return false;
    bool ok = write_all(fd, bytes);
    int why = errno;
    ok = close(fd) != -1 && ok;
    if (!ok && why)
        errno = why;
    return ok;
}

bool
agc_file_write(const char *path, struct ag_str bytes, unsigned mode)
{
    struct stat st;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return write_through(path, bytes);
    size_t n = strlen(path) + 16;
    char *temp = malloc(n);
    if (!temp)
        return false;
    snprintf(temp, n, "%s.XXXXXX", path);
    int fd = mkostemp(temp, O_CLOEXEC), why;
    if (fd == -1) {
        why = errno;
        free(temp);
        errno = why;
        return false;
    }
    bool ok = fchmod(fd, mode) != -1 && write_all(fd, bytes) && fsync(fd) != -1;
    ok = (close(fd) != -1) && ok && rename(temp, path) != -1;
    why = errno;
    if (!ok)
        unlink(temp);
    free(temp);
    errno = why;
    return ok;
}
