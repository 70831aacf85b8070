// SPDX-License-Identifier: Apache-2.0
// Constants of the intermediate form, shared by value: a table from content to number.
// In: values as the tree spells them. Out: numbers; equal values (1 and 1.0 are not equal here: spelling
// survives to output) have equal numbers. Memory: the compile arena. Next file to read: heap.c, which lays
// them out in the image.
#include "ir.h"

#include "hash.h"
#include "num.h"

static uint64_t
const_hash(const struct agc_const *c)
{
    uint64_t h = ag_hash(&c->kind, 1, (uint64_t)c->is_int);
    h = ag_hash(&c->i, sizeof c->i, h);
    h = ag_hash(c->text.p, c->text.n, h);
    return ag_hash(c->kid, c->n * sizeof *c->kid, h);
}

static bool
const_same(const struct agc_const *a, const struct agc_const *b)
{
    return a->hash == b->hash && a->kind == b->kind && a->is_int == b->is_int && a->i == b->i &&
           a->n == b->n && ag_str_eq(a->text, b->text) &&
           (a->n == 0 || memcmp(a->kid, b->kid, a->n * sizeof *a->kid) == 0);
}

static void
table_grow(struct agc_ir *ir)
{
    uint32_t slots = ir->const_slots ? ir->const_slots * 2 : 1024;
    uint32_t *t = agc_alloc(ir->arena, slots * sizeof *t);
    for (uint32_t i = 0; i < ir->nconsts; i++) {
        uint32_t at = (uint32_t)ir->consts[i].hash & (slots - 1);
        while (t[at])
            at = (at + 1) & (slots - 1);
        t[at] = i + 1;
    }
    ir->const_table = t;
    ir->const_slots = slots;
}

static uint32_t
intern(struct agc_ir *ir, struct agc_const c)
{
    if ((ir->nconsts + 1) * 2 > ir->const_slots)
        table_grow(ir);
    c.hash = const_hash(&c);
    uint32_t at = (uint32_t)c.hash & (ir->const_slots - 1);
    for (; ir->const_table[at]; at = (at + 1) & (ir->const_slots - 1))
        if (const_same(&ir->consts[ir->const_table[at] - 1], &c))
            return ir->const_table[at] - 1;
    if (c.text.n)
        c.text = agc_strdup(ir->arena, c.text);
    if (c.n) {
        uint32_t *kid = agc_alloc(ir->arena, c.n * sizeof *kid);
        memcpy(kid, c.kid, c.n * sizeof *kid);
        c.kid = kid;
    }
    ir->consts = agc_grow(ir->arena, ir->consts, ir->nconsts, &ir->cap_consts, sizeof *ir->consts);
    ir->consts[ir->nconsts] = c;
    ir->const_table[at] = ir->nconsts + 1;
    return ir->nconsts++;
}

uint32_t
agc_const_null(struct agc_ir *ir)
{
    return intern(ir, (struct agc_const){.kind = AG_NULL});
}

uint32_t
agc_const_bool(struct agc_ir *ir, bool b)
{
    return intern(ir, (struct agc_const){.kind = AG_BOOL, .i = b});
}

uint32_t
agc_const_int(struct agc_ir *ir, int64_t i)
{
    return intern(ir, (struct agc_const){.kind = AG_NUMBER, .is_int = true, .i = i});
}

uint32_t
agc_const_string(struct agc_ir *ir, struct ag_str s)
{
    return intern(ir, (struct agc_const){.kind = AG_STRING, .text = s});
}

// Plain decimal integers of int64 become integers; every other spelling is kept.
static bool
spelled_int(struct ag_str s, int64_t *ret)
{
    bool minus = s.n && s.p[0] == '-';
    size_t at = minus;
    if (at == s.n || (s.p[at] == '0' && s.n > at + 1) || (minus && s.p[at] == '0'))
        return false;
    uint64_t u = 0;
    for (; at < s.n; at++) {
        uint64_t d = (uint64_t)(s.p[at] - '0');
        if (s.p[at] < '0' || s.p[at] > '9' || u > (UINT64_MAX - d) / 10)
            return false;
        u = u * 10 + d;
    }
    if (u > (uint64_t)INT64_MAX + minus)
        return false;
    *ret = minus ? (int64_t)(0 - u) : (int64_t)u;
    return true;
}

uint32_t
agc_const_number(struct agc_ir *ir, struct ag_str spelling)
{
    int64_t i;
    if (spelled_int(spelling, &i))
        return agc_const_int(ir, i);
    return intern(ir, (struct agc_const){.kind = AG_NUMBER, .text = spelling});
}

uint32_t
agc_const_array(struct agc_ir *ir, const uint32_t *kid, uint32_t n)
{
    return intern(ir, (struct agc_const){.kind = AG_ARRAY, .n = n, .kid = kid});
}

uint32_t
agc_const_path(struct agc_ir *ir, const struct ag_str *keys, uint32_t n)
{
    uint32_t *kid = agc_alloc(ir->arena, (n + 1) * sizeof *kid);
    for (uint32_t i = 0; i < n; i++)
        kid[i] = agc_const_string(ir, keys[i]);
    return agc_const_array(ir, kid, n);
}

// Merge sort of n items of `width` numbers each, ordered by the first: stable, so the order of input decides
// ties.
static void
sort_items(const struct agc_ir *ir, uint32_t *v, uint32_t *spare, uint32_t n, uint32_t width)
{
    for (uint32_t run = 1; run < n; run *= 2) {
        for (uint32_t lo = 0; lo < n; lo += 2 * run) {
            uint32_t mid = lo + run < n ? lo + run : n, hi = lo + 2 * run < n ? lo + 2 * run : n;
            uint32_t i = lo, j = mid;
            for (uint32_t k = lo; k < hi; k++) {
                bool left = i < mid && (j == hi || agc_const_cmp(ir, v[i * width], v[j * width]) <= 0);
                uint32_t from = left ? i++ : j++;
                memcpy(spare + k * width, v + from * width, width * sizeof *v);
            }
        }
        memcpy(v, spare, (size_t)n * width * sizeof *v);
    }
}

static uint32_t *
sorted_copy(struct agc_ir *ir, const uint32_t *kid, uint32_t n, uint32_t width)
{
    uint32_t *v = agc_alloc(ir->arena, (size_t)(n + 1) * width * sizeof *v);
    uint32_t *spare = agc_alloc(ir->arena, (size_t)(n + 1) * width * sizeof *spare);
    if (n)
        memcpy(v, kid, (size_t)n * width * sizeof *v);
    sort_items(ir, v, spare, n, width);
    return v;
}

uint32_t
agc_const_set(struct agc_ir *ir, const uint32_t *kid, uint32_t n)
{
    uint32_t *v = sorted_copy(ir, kid, n, 1), m = 0;
    for (uint32_t i = 0; i < n; i++)
        if (m == 0 || agc_const_cmp(ir, v[m - 1], v[i]) != 0)
            v[m++] = v[i];
    return intern(ir, (struct agc_const){.kind = AG_SET, .n = m, .kid = v});
}

bool
agc_const_object(struct agc_ir *ir, const uint32_t *kid, uint32_t npairs, uint32_t *ret)
{
    uint32_t *v = sorted_copy(ir, kid, npairs, 2), m = 0;
    for (uint32_t i = 0; i < npairs; i++) {
        if (m && agc_const_cmp(ir, v[2 * m - 2], v[2 * i]) == 0) {
            if (agc_const_cmp(ir, v[2 * m - 1], v[2 * i + 1]) != 0)
                return false;
            continue;
        }
        v[2 * m] = v[2 * i];
        v[2 * m + 1] = v[2 * i + 1];
        m++;
    }
    *ret = intern(ir, (struct agc_const){.kind = AG_OBJECT, .n = 2 * m, .kid = v});
    return true;
}

static int
number_cmp(const struct agc_const *a, const struct agc_const *b)
{
    if (a->is_int && b->is_int)
        return a->i < b->i ? -1 : a->i > b->i;
    uint64_t mem[2 * AG_NUM_TEXT_MAX / sizeof(uint64_t) * 2 + 64];
    struct ag_arena scratch;
    struct ag_num x = ag_num_of_int(a->i), y = ag_num_of_int(b->i);
    ag_arena_init(&scratch, mem, sizeof mem);
    bool ok = (a->is_int || ag_num_parse(a->text, &scratch, &x) == AG_NUM_OK) &&
              (b->is_int || ag_num_parse(b->text, &scratch, &y) == AG_NUM_OK);
    return ok ? ag_num_cmp(x, y) : ag_str_cmp(a->text, b->text);
}

int
agc_const_cmp(const struct agc_ir *ir, uint32_t x, uint32_t y)
{
    if (x == y)
        return 0;
    const struct agc_const *a = &ir->consts[x], *b = &ir->consts[y];
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->kind == AG_NUMBER)
        return number_cmp(a, b);
    if (a->kind == AG_STRING)
        return ag_str_cmp(a->text, b->text);
    // objects too: a key, its value, the next key, as values of the machine are ordered
    for (uint32_t i = 0; i < a->n && i < b->n; i++) {
        int c = agc_const_cmp(ir, a->kid[i], b->kid[i]);
        if (c)
            return c;
    }
    if (a->n != b->n)
        return a->n < b->n ? -1 : 1;
    return a->i < b->i ? -1 : a->i > b->i;
}

static void
print_list(const struct agc_ir *ir, const struct agc_const *c, const char *open, const char *close, FILE *out)
{
    fputs(open, out);
    for (uint32_t i = 0; i < c->n; i++) {
        const char *sep = c->kind == AG_OBJECT && i % 2 ? ": " : ", ";
        fputs(i ? sep : "", out);
        agc_const_print(ir, c->kid[i], out);
    }
    fputs(close, out);
}

static void
print_string(struct ag_str s, FILE *out)
{
    fputc('"', out);
    for (size_t i = 0; i < s.n; i++) {
        unsigned char ch = (unsigned char)s.p[i];
        if (ch == '"' || ch == '\\')
            fprintf(out, "\\%c", ch);
        else if (ch < 0x20 || ch == 0x7f)
            fprintf(out, "\\u%04x", ch);
        else
            fputc(ch, out);
    }
    fputc('"', out);
}

void
agc_const_print(const struct agc_ir *ir, uint32_t ix, FILE *out)
{
    const struct agc_const *c = &ir->consts[ix];
    switch (c->kind) {
    case AG_NULL: fputs("null", out); break;
    case AG_BOOL: fputs(c->i ? "true" : "false", out); break;
    case AG_STRING: print_string(c->text, out); break;
    case AG_ARRAY: print_list(ir, c, "[", "]", out); break;
    case AG_SET: print_list(ir, c, c->n ? "{" : "set(", c->n ? "}" : ")", out); break;
    case AG_OBJECT: print_list(ir, c, "{", "}", out); break;
    default:
        if (c->is_int)
            fprintf(out, "%lld", (long long)c->i);
        else
            fwrite(c->text.p, 1, c->text.n, out);
    }
}
