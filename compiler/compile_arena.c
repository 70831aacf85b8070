// SPDX-License-Identifier: Apache-2.0
// The compile arena: chunks of doubling size, each zeroed by calloc. In: sizes. Out: memory that dies with
// the run. Memory: the arena owns every chunk; agc_arena_fini gives them back. Next file to read: source.c.
#include "compile_arena.h"

#include <stdio.h>
#include <stdlib.h>

#define CHUNK_MIN (64u << 10)
#define CHUNK_MAX (8u << 20)
#define ALIGN     16u

struct agc_chunk {
    struct agc_chunk *next;
    size_t size;
    _Alignas(16) unsigned char bytes[];
};

_Noreturn void
agc_out_of_memory(size_t n)
{
    if (n)
        fprintf(stderr, "aegisc: out of memory (%zu bytes wanted)\n", n);
    else
        fputs("aegisc: out of memory\n", stderr);
    exit(3);
}

void
agc_arena_fini(struct agc_arena *a)
{
    struct agc_chunk *c = a->chunks;
    while (c) {
        struct agc_chunk *next = c->next;
        free(c);
        c = next;
    }
    *a = (struct agc_arena){0};
}

void *
agc_alloc(struct agc_arena *a, size_t n)
{
    if (n > SIZE_MAX / 2)
        agc_out_of_memory(n);
    n = (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    a->total += n;
    if (!a->chunks || n > a->size - a->used) {
        size_t size = a->size ? a->size * 2 : CHUNK_MIN;
        if (size > CHUNK_MAX)
            size = CHUNK_MAX;
        if (size < n)
            size = n;
        struct agc_chunk *c = calloc(1, sizeof *c + size);
        if (!c)
            agc_out_of_memory(n);
        c->next = a->chunks;
        c->size = size;
        a->chunks = c;
        a->size = size;
        a->used = 0;
    }
    void *p = a->chunks->bytes + a->used;
    a->used += n;
    return p;
}

struct ag_str
agc_strdup(struct agc_arena *a, struct ag_str s)
{
    char *p = agc_alloc(a, s.n + 1);
    if (s.n)
        memcpy(p, s.p, s.n);
    return ag_str_of(p, s.n);
}

void *
agc_grow(struct agc_arena *a, void *old, uint32_t n, uint32_t *cap, size_t elem)
{
    if (n < *cap)
        return old;
    uint32_t want = *cap ? *cap * 2 : 8;
    if (want <= *cap || (size_t)want > SIZE_MAX / 4 / elem)
        agc_out_of_memory(SIZE_MAX);
    void *p = agc_alloc(a, (size_t)want * elem);
    if (n)
        memcpy(p, old, (size_t)n * elem);
    *cap = want;
    return p;
}
