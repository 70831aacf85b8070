// SPDX-License-Identifier: Apache-2.0
// Mutated images (goal: any bytes may be offered as an image). Seeds are compiled policies and assembled .vmt
// files; each mutant has some elements of its sections swapped, copied, counted up, replaced by those of
// another seed, or its section table changed; then its digest is put right, so that it reaches the verifier.
// Whatever the verifier accepts runs on several inputs, plain and traced, in the machine and through libaegis
// with a simulated host. mutate_image MUTANTS SEED IMAGE... VMT...; AEGIS_LONG makes ten times as many,
// AEGIS_SEED another seed. In: files. Out: TAP with counts; a trap under the sanitizers is the failure.
// Memory: its own. Next file to read: vm/verify.c.
#include "../unit/t.h"
#include "../vm/asm.h"
#include "aegis.h"
#include "aegis_tools.h"
#include "eval.h"

#define SEEDS_MAX  256
#define IMAGE_SIZE (1u << 20)
#define ARENA_SIZE (1u << 18)
#define FUEL       20000u
#define TRACED     4u // one accepted mutant in so many is traced, and goes through libaegis

struct seed {
    uint8_t *p;
    size_t n;
    const char *name;
    uint64_t accepted, refused;
};

static struct seed seeds[SEEDS_MAX];
static unsigned nseeds, ncompiled; // compiled policies stand first
static uint8_t *image;             // exactly as long as the mutant, so that a read past its end is seen
static uint8_t *memory;
static struct ag_outcome outcome;
static uint64_t state, accepted, refused, ran, decided, touched;
static struct aegis_host *host;
static struct aegis_ctx *ctx;

static const char *const inputs[] = {
    "{\"type\":\"deploy\",\"target\":\"prod-eu\",\"agent\":\"a\",\"tenant\":\"acme\",\"params\":{\"env\":"
    "\"staging\",\"amount\":"
    "250.5,\"sql\":\"select 1\",\"tags\":[\"safe\",\"x\"],\"rows\":10}}",
    "{\"proposal_summary\":\"s\",\"risk_proposed\":0.4,\"risk_baseline\":0.1,\"profit_proposed\":1,\"novelty_"
    "score\":0.8,"
    "\"complexity_score\":0.6,\"quality_score\":0.9}",
    "{\"type\":\"pay\",\"tenant\":\"acme\",\"params\":{\"amount\":1e400,\"sql\":\"\\u0000\",\"to\":\"a@"
    "example.com\"},\"users\":[{"
    "\"name\":\"a\",\"role\":\"b\"}],\"pick\":\"a\",\"x\":1}",
    "[[1,2],[3],{\"a\":[]},null,true,\"\\ud83d\\ude00\"]",
    "0.5",
    "\"\"",
};
#define INPUTS (sizeof inputs / sizeof *inputs)

static uint64_t
next(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static uint64_t
below(uint64_t n)
{
    return n ? next() % n : 0;
}

// --- mutations

static const uint8_t element_size[AG_SECTION_COUNT] = {
    [AG_SEC_META] = 4,
    [AG_SEC_CODE] = sizeof(ag_insn),
    [AG_SEC_FUNCS] = sizeof(struct ag_func),
    [AG_SEC_CONSTS] = sizeof(ag_cell),
    [AG_SEC_HEAP] = sizeof(ag_cell),
    [AG_SEC_RULES] = sizeof(struct ag_rule),
    [AG_SEC_INDEX] = 4,
    [AG_SEC_CALLTABLES] = 4,
    [AG_SEC_PATTERNS] = 4,
    [AG_SEC_WINDOWS] = sizeof(struct ag_window),
    [AG_SEC_ZONES] = 4,
    [AG_SEC_LIMITS] = sizeof(struct ag_limit),
    [AG_SEC_GATES] = 8,
    [AG_SEC_ENTRIES] = sizeof(struct ag_entry),
    [AG_SEC_PATHS] = 4,
    [AG_SEC_SPANS] = sizeof(struct ag_span),
    [AG_SEC_SOURCES] = 4,
    [AG_SEC_SIGNATURE] = 1,
};

// A section that has elements; instructions, constants and tables come up more often than debug data.
static unsigned
pick_section(const struct ag_image_header *h)
{
    for (;;) {
        unsigned s = below(3) == 0 ? AG_SEC_CODE : (unsigned)below(AG_SECTION_COUNT);
        if ((s >= AG_SEC_PATHS && below(4)) || h->section[s].size < element_size[s])
            continue;
        return s;
    }
}

static uint32_t
interesting(uint32_t old)
{
    switch (below(10)) {
    case 0: return old + 1;
    case 1: return old - 1;
    case 2: return 0;
    case 3: return AG_NONE;
    case 4: return (uint32_t)below(8);
    case 5: return (uint32_t)below(64);
    case 6: return old ^ (1u << below(32));
    case 7: return old + 8u * (uint32_t)below(8);
    case 8: return (uint32_t)1 << below(32);
    default: return (uint32_t)next();
    }
}

static void
change_field(uint8_t *p, size_t n)
{
    static const uint8_t width[] = {1, 2, 4, 4, 4, 8};
    size_t w = width[below(sizeof width)];
    if (w > n)
        w = 1;
    uint8_t *at = p + below(n / w) * w;
    uint64_t v = 0;
    memcpy(&v, at, w);
    uint64_t high = v >> 32;
    v = interesting((uint32_t)v) | (w == 8 && below(4) ? high : below(4) ? 0 : next()) << 32;
    memcpy(at, &v, w);
}

static void
change_insn(uint8_t *at)
{
    ag_insn i;
    memcpy(&i, at, sizeof i);
    unsigned op = ag_insn_op(i), a = ag_insn_a(i), b = ag_insn_b(i), c = ag_insn_c(i);
    switch (below(6)) {
    case 0: op = (unsigned)below(AG_OP_COUNT + 1); break;
    case 1: a = below(2) ? (unsigned)below(16) : interesting(a); break;
    case 2: b = below(2) ? (unsigned)below(16) : interesting(b); break;
    case 3: c = below(2) ? (unsigned)below(16) : interesting(c); break;
    case 4: { // operands change places
        unsigned t = a;
        a = b;
        b = t;
        break;
    }
    default: { // a neighbour of the same shape
        unsigned other = op + 1 < AG_OP_COUNT ? op + 1 : op - 1;
        op = other;
        break;
    }
    }
    i = ag_insn3((enum ag_op)op, a, b, c);
    memcpy(at, &i, sizeof i);
}

// A cell of another kind, region or offset.
static void
change_cell(uint8_t *at)
{
    ag_cell c;
    memcpy(&c, at, sizeof c);
    switch (below(4)) {
    case 0: c = (c & ~(ag_cell)15) | below(16); break;
    case 1: c ^= (ag_cell)(1 + below(7)) << 4; break;
    case 2: c = (c & UINT32_MAX) | (ag_cell)interesting((uint32_t)(c >> 32)) << 32; break;
    default: c = (c & ~((ag_cell)0xffffff << 8)) | below(1u << 24) << 8; break;
    }
    memcpy(at, &c, sizeof c);
}

static void
change_table(struct ag_image_header *h)
{
    struct ag_section_ref *a = &h->section[below(AG_SECTION_COUNT)],
                          *b = &h->section[below(AG_SECTION_COUNT)], t = *a;
    size_t e = element_size[a - h->section];
    switch (below(7)) {
    case 0: *a = *b, *b = t; break;
    case 1: a->size -= e; break;
    case 2: a->size += e; break;
    case 3: a->off += AG_IMAGE_ALIGN; break;
    case 4: a->off -= AG_IMAGE_ALIGN; break;
    case 5: *a = (struct ag_section_ref){0, 0}; break;
    default: change_field((uint8_t *)a, sizeof *a); break;
    }
}

static void
swap_bytes(uint8_t *a, uint8_t *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t t = a[i];
        a[i] = b[i];
        b[i] = t;
    }
}

// Elements of the same section of another seed.
static void
splice(uint8_t *p, size_t n, unsigned section, size_t e)
{
    const struct seed *o = &seeds[below(nseeds)];
    const struct ag_section_ref *r = &((const struct ag_image_header *)(const void *)o->p)->section[section];
    size_t mine = n / e, theirs = (size_t)r->size / e;
    if (!theirs)
        return;
    size_t from = below(theirs), to = below(mine), count = 1 + below(8);
    if (count > theirs - from)
        count = theirs - from;
    if (count > mine - to)
        count = mine - to;
    memcpy(p + to * e, o->p + r->off + from * e, count * e);
}

static void
mutate(uint8_t *p, const struct ag_image_header *original)
{
    // Places are those of the seed: the table itself may be changed by now.
    unsigned s = pick_section(original);
    size_t e = element_size[s], n = (size_t)original->section[s].size, count = n / e;
    uint8_t *base = p + original->section[s].off, *at = base + below(count) * e;
    switch (below(9)) {
    case 0: swap_bytes(at, base + below(count) * e, e); break;
    case 1: memmove(at, base + below(count) * e, e); break;
    case 2: splice(base, n, s, e); break;
    case 3: base[below(n)] ^= (uint8_t)(1u << below(8)); break;
    case 4: base[below(n)] = (uint8_t)next(); break;
    case 5:
        if (below(4) == 0) {
            change_table((struct ag_image_header *)(void *)p);
            break;
        }
        // fall through
    default:
        if (s == AG_SEC_CODE)
            change_insn(at);
        else if ((s == AG_SEC_CONSTS || s == AG_SEC_HEAP) && below(2))
            change_cell(at);
        else
            change_field(at, e < 4 && n >= 4 ? 1 : e);
        break;
    }
}

// --- running

static int
killed(void *self, struct ag_str tenant, struct ag_str agent, struct ag_str type, int *ret_scope)
{
    (void)self;
    touched += tenant.n + agent.n + type.n;
    *ret_scope = (int)below(4);
    return (int)below(16) - 14; // rarely unreadable or engaged, else clear
}

static int
killed_tenant(void *self, struct ag_str tenant)
{
    (void)self;
    touched += tenant.n;
    return below(16) == 0;
}

static bool
peek(void *self, const struct ag_image *im, uint32_t limit_ix, struct ag_str key, uint64_t n,
     struct ag_limit_view *ret)
{
    (void)self;
    touched += ag_image_str(im, im->limits[limit_ix].name).n + n;
    for (size_t i = 0; i < key.n; i++)
        touched += (unsigned char)key.p[i];
    *ret = (struct ag_limit_view){below(2) != 0, next(), (int64_t)next(), (int64_t)below(1u << 30)};
    return below(16) != 0;
}

static void
trace(void *self, const struct ag_call *c, uint32_t insn, const struct ag_value *frame)
{
    (void)self;
    (void)c;
    touched += insn + frame[0].kind;
}

static void
touch(struct ag_str s)
{
    for (size_t i = 0; i < s.n; i++)
        touched += (unsigned char)s.p[i];
}

static void
touch_outcome(void)
{
    touch(outcome.rule);
    touch(outcome.reason);
    touch(outcome.message);
    for (uint32_t i = 0; i < outcome.nfindings; i++)
        touch(outcome.finding[i].message);
    for (uint32_t i = 0; i < outcome.neffects; i++)
        touch(outcome.effect[i].key);
}

// In the machine: as many registers as a host gives, and not one more.
static void
run_in_machine(const struct ag_image *im, const char *json, bool is_traced)
{
    static char text[4096];
    static const struct ag_snapshot snapshot = {NULL, killed, peek, killed_tenant};
    uint32_t nregs = im->meta->stack_regs + AG_REGS_MAX;
    struct ag_value *regs = malloc(nregs * sizeof *regs);
    for (uint32_t e = 0; regs && e < im->nentries; e++) {
        struct ag_arena arena;
        struct ag_value input, v = ag_undef();
        struct ag_json_error je;
        struct ag_buf out;
        ag_arena_init(&arena, memory, ARENA_SIZE);
        struct ag_call c = {.im = im, .regs = regs, .nregs = nregs, .fuel = FUEL, .outcome = &outcome};
        c.now_ns = (int64_t)(below(2) ? INT64_C(1774008000000000000) + (int64_t)below(UINT64_C(1) << 54)
                                      : (int64_t)next());
        c.snapshot = below(2) ? &snapshot : NULL;
        c.trace = is_traced ? trace : NULL;
        c.mem = (struct ag_mem){.base = {im->heap, memory, (const uint8_t *)json}, .arena = &arena};
        if (ag_json_read(&c.mem, ag_str_z(json), &input, &je) != AG_JSON_OK)
            continue;
        if (ag_eval(&c, e, input, &v) == AG_EVAL_OK) {
            ag_buf_init(&out, text, sizeof text);
            if (im->entries[e].is_decision)
                touch_outcome();
            else if (v.kind >= AG_NULL && v.kind <= AG_SET)
                ag_json_write(&c.mem, v, &out, 0);
        }
        ran++;
    }
    free(regs);
}

static void
on_line(void *arg, const char *text, size_t n)
{
    (void)arg;
    touch(ag_str_of(text, n));
}

static void
on_rule(void *arg, const struct aegis_explain_rule *r)
{
    (void)arg;
    touched += r->name.n + r->line;
}

// As an embedder does it.
static void
run_in_library(size_t n)
{
    static char record[1 << 16];
    struct aegis_policy *p;
    struct aegis_slot *slot;
    struct aegis_policy_info info = {.size = sizeof info};
    struct aegis_rule_info rule = {.size = sizeof rule};
    struct aegis_decision d = {.size = sizeof d};
    if (aegis_policy_open_bytes(image, n, NULL, &p, NULL) != AEGIS_OK)
        return; // a signature that does not fit
    aegis_policy_info(p, &info);
    aegis_policy_disasm(p, on_line, NULL);
    for (uint32_t i = 0; i < info.rules; i++)
        if (aegis_policy_rule(p, i, &rule) == AEGIS_OK)
            touched += rule.type.n;
    if (aegis_slot_new(&slot) != AEGIS_OK)
        abort();
    aegis_slot_publish(slot, p);
    for (unsigned i = 0; i < 3; i++) {
        const char *json = inputs[i];
        const char *entry = i == 1 ? "evaluate" : "decide";
        if (aegis_ctx_decide_json(ctx, slot, entry, json, strlen(json), &d, NULL) == AEGIS_OK) {
            size_t size = aegis_decision_json(ctx, &d, record, sizeof record);
            touch(ag_str_of(record, size == SIZE_MAX ? 0 : size));
            decided++;
        }
        if (i == 0)
            aegis_ctx_explain_json(ctx, slot, json, strlen(json), on_rule, NULL, &d, NULL);
    }
    aegis_ctx_release(ctx);
    aegis_slot_free(slot);
}

static void
round_of(struct seed *s)
{
    struct ag_image im;
    struct ag_image_error err = {.status = AG_IMAGE_OK};
    if (posix_memalign((void **)&image, AG_IMAGE_ALIGN, s->n) != 0)
        abort();
    memcpy(image, s->p, s->n);
    for (uint64_t k = 1 + (below(2) ? 0 : below(4)); k > 0; k--)
        mutate(image, (const struct ag_image_header *)(const void *)s->p);
    asm_seal(image, s->n);
    if (ag_image_open(image, s->n, &im, &err) != AG_IMAGE_OK || ag_image_verify(&im, &err) != AG_IMAGE_OK) {
        if (err.status == AG_IMAGE_OK || !err.text[0])
            abort(); // every refusal has a reason
        s->refused++;
        refused++;
    } else {
        bool is_chosen = accepted++ % TRACED == 0;
        s->accepted++;
        for (size_t i = 0; i < INPUTS; i++)
            run_in_machine(&im, inputs[i], is_chosen);
        if (is_chosen)
            run_in_library(s->n);
    }
    free(image);
}

// --- seeds

static void
load(const char *name)
{
    static char file[IMAGE_SIZE];
    static uint8_t made[IMAGE_SIZE] __attribute__((aligned(64)));
    bool is_compiled = false;
    FILE *f = fopen(name, "rb");
    size_t n = f ? fread(file, 1, sizeof file, f) : 0;
    if (f)
        fclose(f);
    if (n >= 8 && memcmp(file, AG_IMAGE_MAGIC, 8) == 0) {
        memcpy(made, file, n);
        is_compiled = true;
    } else {
        const char *from = memmem(file, n, "--- asm\n", 8);
        const char *end = from ? memmem(from + 8, n - 8 - (size_t)(from - file), "\n--- ", 5) : NULL;
        n = from && end ? asm_image(ag_str_of(from + 8, (size_t)(end - from) - 8), made, sizeof made) : 0;
    }
    if (n <= sizeof(struct ag_image_header) || nseeds == SEEDS_MAX)
        return;
    struct seed *s = &seeds[nseeds];
    *s = (struct seed){.n = n, .name = strrchr(name, '/') ? strrchr(name, '/') + 1 : name};
    if (posix_memalign((void **)&s->p, AG_IMAGE_ALIGN, n) != 0)
        abort();
    memcpy(s->p, made, n);
    nseeds++;
    ncompiled += is_compiled;
}

int
main(int argc, char **argv)
{
    unsigned long total = argc > 1 ? strtoul(argv[1], NULL, 10) : 10000;
    const char *seed = getenv("AEGIS_SEED") ? getenv("AEGIS_SEED") : argc > 2 ? argv[2] : "1";
    struct aegis_host_options o = {.size = sizeof o, .is_simulated = 1};
    struct aegis_limits l = {.size = sizeof l, .arena_size = ARENA_SIZE, .fuel = FUEL};
    state = strtoull(seed, NULL, 10) * UINT64_C(0x9e3779b97f4a7c15) + 1;
    total *= getenv("AEGIS_LONG") ? 10 : 1;
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int i = 3; i < argc; i++)
        load(argv[i]);
    printf("# seed %s, %lu mutants of %u images\n", seed, total, nseeds);
    memory = aligned_alloc(64, ARENA_SIZE);
    if (!memory || aegis_host_open(NULL, &o, &host, NULL) != AEGIS_OK ||
        aegis_ctx_new(&l, host, &ctx) != AEGIS_OK)
        return 1;
    // Every second mutant is of a compiled policy.
    for (unsigned long k = 0; nseeds && k < total; k++)
        round_of(&seeds[k % 2 && ncompiled ? k / 2 % ncompiled : k / 2 % nseeds]);
    unsigned without = 0;
    for (unsigned i = 0; i < nseeds; i++) {
        printf("# %s: %llu accepted, %llu refused\n", seeds[i].name, (unsigned long long)seeds[i].accepted,
               (unsigned long long)seeds[i].refused);
        without += seeds[i].accepted == 0 && total / nseeds > 1000;
        free(seeds[i].p);
    }
    OK(accepted > 0 && refused > 0,
       "%llu mutants: %llu accepted, %llu refused; %llu runs and %llu decisions, no trap",
       (unsigned long long)(accepted + refused), (unsigned long long)accepted, (unsigned long long)refused,
       (unsigned long long)ran, (unsigned long long)decided);
    OK(without < nseeds / 2, "mutants of most seeds are accepted: the machine is reached");
    aegis_ctx_free(ctx);
    aegis_host_close(host);
    free(memory);
    return t_done();
}
