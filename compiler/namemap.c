// SPDX-License-Identifier: Apache-2.0
// Open addressing over XXH3: names come from the policy's author and tables die with the compilation, so an
// unkeyed hash is enough. In: names. Out: numbers. Memory: the compile arena. Next file to read: scope.c.
#include "namemap.h"

#include "hash.h"

#define SLOTS_MIN 8u

static struct agc_name_slot *
slot_of(const struct agc_namemap *m, struct ag_str name)
{
    uint32_t i = (uint32_t)ag_hash(name.p, name.n, 0) & (m->cap - 1);
    while (m->slot[i].name.p && !ag_str_eq(m->slot[i].name, name))
        i = (i + 1) & (m->cap - 1);
    return &m->slot[i];
}

uint32_t *
agc_namemap_find(const struct agc_namemap *m, struct ag_str name)
{
    if (!m->n)
        return NULL;
    struct agc_name_slot *s = slot_of(m, name);
    return s->name.p ? &s->value : NULL;
}

static void
grow(struct agc_arena *a, struct agc_namemap *m)
{
    struct agc_namemap old = *m;
    m->cap = old.cap ? old.cap * 2 : SLOTS_MIN;
    if (m->cap < old.cap)
        agc_out_of_memory(SIZE_MAX);
    m->slot = agc_alloc(a, (size_t)m->cap * sizeof *m->slot);
    for (uint32_t i = 0; i < old.cap; i++)
        if (old.slot[i].name.p)
            *slot_of(m, old.slot[i].name) = old.slot[i];
}

uint32_t *
agc_namemap_put(struct agc_arena *a, struct agc_namemap *m, struct ag_str name, uint32_t first)
{
    if (m->n + m->n / 2 + 1 >= m->cap)
        grow(a, m);
    struct agc_name_slot *s = slot_of(m, name);
    if (!s->name.p) {
        s->name = name.p ? name : AG_STR("");
        s->value = first;
        m->n++;
    }
    return &s->value;
}

static void
bits_room(struct agc_arena *a, struct agc_bits *s, uint32_t nwords)
{
    if (nwords <= s->nwords)
        return;
    nwords += nwords / 2;
    uint64_t *word = agc_alloc(a, (size_t)nwords * sizeof *word);
    if (s->nwords)
        memcpy(word, s->word, (size_t)s->nwords * sizeof *word);
    s->word = word;
    s->nwords = nwords;
}

void
agc_bits_add(struct agc_arena *a, struct agc_bits *s, uint32_t i)
{
    bits_room(a, s, i / 64 + 1);
    s->word[i / 64] |= (uint64_t)1 << (i % 64);
}

void
agc_marks_add(struct agc_arena *a, struct agc_marks *m, uint32_t i)
{
    if (agc_marks_has(m, i))
        return;
    agc_bits_add(a, &m->bits, i);
    m->trail = agc_grow(a, m->trail, m->n, &m->cap, sizeof *m->trail);
    m->trail[m->n++] = i;
}

void
agc_marks_undo(struct agc_marks *m, uint32_t n)
{
    while (m->n > n) {
        uint32_t i = m->trail[--m->n];
        m->bits.word[i / 64] &= ~((uint64_t)1 << (i % 64));
    }
}
