// SPDX-License-Identifier: Apache-2.0
// JSON bodies of the server: read by vm/json_in.c into one arena of the process. In: text. Out: members, raw
// pieces. The first call maps the arena; it is then reused, so nothing is allocated per request. Next file to
// read: vm/json_in.c.
#include "json.h"

#include "value.h"

#include <sys/mman.h>

#define ARENA_BYTES                                                                                          \
    (64u << 20) // a body of 1 MiB of one-digit items and its builders; pages are taken as used

static struct {
    struct ag_arena arena;
    struct ag_mem mem;
    struct ag_value root;
} reader;

static enum agr_json_kind
kind_of(struct ag_value v)
{
    switch (v.kind) {
    case AG_UNDEF: return AGR_JSON_NONE;
    case AG_OBJECT: return AGR_JSON_OBJECT;
    case AG_ARRAY: return AGR_JSON_ARRAY;
    case AG_STRING: return AGR_JSON_STRING;
    default: return AGR_JSON_OTHER;
    }
}

enum agr_json_kind
agr_json_read(struct ag_str text, const char **ret_why, size_t *ret_offset)
{
    struct ag_json_error e = {.offset = 0};
    *ret_offset = 0;
    reader.root = ag_undef();
    if (!reader.arena.base) {
        void *mem = mmap(NULL, ARENA_BYTES, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (mem == MAP_FAILED) {
            *ret_why = "out of memory";
            return AGR_JSON_NONE;
        }
        ag_arena_init(&reader.arena, mem, ARENA_BYTES);
    }
    // A large text leaves its pages behind otherwise.
    if (reader.arena.used > (1u << 20))
        madvise(reader.arena.base, reader.arena.used, MADV_DONTNEED);
    ag_arena_reset(&reader.arena, AG_ARENA_RESERVED);
    reader.mem = (struct ag_mem){.arena = &reader.arena};
    reader.mem.base[AG_IN_ARENA] = reader.arena.base;
    reader.mem.base[AG_IN_REQUEST] = (const uint8_t *)text.p;
    enum ag_json_status s = ag_json_read(&reader.mem, text, &reader.root, &e);
    if (s != AG_JSON_OK) {
        *ret_why = ag_json_status_text(s);
        *ret_offset = e.offset;
        reader.root = ag_undef();
    }
    return kind_of(reader.root);
}

static struct ag_value
member(const char *key)
{
    return reader.root.kind == AG_OBJECT ? ag_object_get(&reader.mem, reader.root, ag_str_z(key))
                                         : ag_undef();
}

enum agr_json_kind
agr_json_member(const char *key)
{
    return kind_of(member(key));
}

bool
agr_json_text(const char *key, struct ag_str *ret)
{
    struct ag_value v = member(key);
    if (v.kind != AG_STRING)
        return false;
    *ret = ag_value_str(v);
    return true;
}

bool
agr_json_only(const char *const *allowed, struct ag_str *ret_unknown)
{
    for (uint32_t i = 0; reader.root.kind == AG_OBJECT && i < reader.root.len; i++) {
        struct ag_str key = ag_value_str(ag_object_key(&reader.mem, reader.root, i));
        bool is_known = false;
        for (const char *const *a = allowed; *a; a++)
            is_known = is_known || ag_str_is(key, *a);
        if (!is_known) {
            *ret_unknown = key;
            return false;
        }
    }
    return true;
}

// --- raw pieces of text that is known to be JSON

static size_t
skip_blank(struct ag_str s, size_t at)
{
    while (at < s.n && (s.p[at] == ' ' || s.p[at] == '\t' || s.p[at] == '\r' || s.p[at] == '\n'))
        at++;
    return at;
}

// The byte behind the value that starts at `at`.
static size_t
skip_value(struct ag_str s, size_t at)
{
    unsigned depth = 0;
    bool is_string = false;
    for (; at < s.n; at++) {
        char c = s.p[at];
        if (is_string) {
            if (c == '\\')
                at++;
            else if (c == '"')
                is_string = false;
            continue;
        }
        if (c == '"')
            is_string = true;
        else if (c == '{' || c == '[')
            depth++;
        else if ((c == '}' || c == ']') && depth-- <= 1)
            return depth == 0 ? at + 1 : at; // its own end, or that of the container around a scalar
        else if (c == ',' && depth == 0)
            return at;
    }
    return s.n;
}

static struct ag_str
piece(struct ag_str s, size_t from, size_t to)
{
    while (to > from && strchr(" \t\r\n", s.p[to - 1]) && s.p[to - 1])
        to--;
    return ag_str_of(s.p + from, to - from);
}

struct ag_str
agr_json_raw(struct ag_str object, const char *key)
{
    size_t n = strlen(key), at = skip_blank(object, 0);
    if (at == object.n || object.p[at] != '{')
        return ag_str_of("", 0);
    for (at = skip_blank(object, at + 1); at < object.n && object.p[at] == '"';) {
        size_t end = at + 1;
        while (end < object.n && object.p[end] != '"')
            end += object.p[end] == '\\' ? 2 : 1;
        bool is_it = end - at - 1 == n && memcmp(object.p + at + 1, key, n) == 0;
        size_t value = skip_blank(object, skip_blank(object, end + 1) + 1); // behind the colon
        size_t stop = skip_value(object, value);
        if (is_it)
            return piece(object, value, stop);
        at = skip_blank(object, stop);
        at = at < object.n && object.p[at] == ',' ? skip_blank(object, at + 1) : object.n;
    }
    return ag_str_of("", 0);
}

bool
agr_json_item(struct ag_str array, size_t *at, struct ag_str *ret)
{
    size_t from = skip_blank(array, *at ? *at : skip_blank(array, 0) + 1);
    if (from >= array.n || array.p[from] == ']')
        return false;
    size_t stop = skip_value(array, from);
    *ret = piece(array, from, stop);
    stop = skip_blank(array, stop);
    *at = stop < array.n && array.p[stop] == ',' ? stop + 1 : array.n;
    return true;
}
