// SPDX-License-Identifier: Apache-2.0
// Values. A *register* is 16 bytes and may hold a pointer; a *stored cell* is 8 bytes, the same in image,
// arena and request, and never holds a pointer: it names a region and an offset in it.
//
//   cell   63                      32 31             8 7  6 5   4 3    0
//         +--------------------------+----------------+----+-----+------+
//         |   offset in the region   |  string bytes  |sub |region| kind |
//         +--------------------------+----------------+----+-----+------+
//          number, sub 0: a signed 56-bit integer in bits 8..63
//          number, sub 1: offset of a boxed int64     number, sub 2: offset of a number record (num.h)
//          boolean: bit 8     null, undefined: nothing     error: code in bits 8..31, detail in 32..63
//          array, object, set: offset of the record below, 8-aligned
//
// Records (host byte order is little endian; the build refuses others):
//   array   { u32 n; u32 0;          cell element[n] }
//   set     { u32 n; u32 index_off;  cell element[n] }                 sorted, no duplicates
//   object  { u32 n; u32 index_off; u32 keys_off; u32 0; cell value[n] }   keys_off -> cell key[n], sorted,
//   shared shape
// index_off is 0 or, in an image only, a hash index (image.h: struct ag_hash_index); keys and records live in
// one region. Children are older than their parents (lower offsets in the same region), so values are finite
// trees. Order of values: null < boolean < number < string < array < object < set. Thread rule: values are
// immutable once built; an arena belongs to one thread.
#ifndef AG_VALUE_H
#define AG_VALUE_H

#include "arena.h"
#include "num.h"
#include "str.h"

enum ag_kind {
    AG_UNDEF = 0,
    AG_ERROR = 1,
    AG_NULL = 2,
    AG_BOOL = 3,
    AG_NUMBER = 4,
    AG_STRING = 5,
    AG_ARRAY = 6,
    AG_OBJECT = 7,
    AG_SET = 8,
    AG_KIND_STORED_MAX = 8,
    // registers only
    AG_ITER = 9, // loop state
    AG_BUILDER = 10,
    AG_FRAME = 11, // data frame number in `len`
    AG_CANDS = 12  // candidates of a decision index
};

enum ag_region { AG_IN_IMAGE = 0, AG_IN_ARENA = 1, AG_IN_REQUEST = 2, AG_REGIONS = 3 };

// Error values: what went wrong in an operation. The words of decisions are made from these (error.c).
enum ag_verr {
    AG_VERR_TYPE = 1, // an operand of the wrong kind: eval_type_error
    AG_VERR_DIV_ZERO = 2,
    AG_VERR_CONFLICT = 3,        // complete rule with two values: eval_conflict_error
    AG_VERR_OBJECT_CONFLICT = 4, // object key with two values: eval_conflict_error
    AG_VERR_BUILTIN = 5,         // a built-in refuses its operands: eval_builtin_error
    AG_VERR_RANGE = 6,
    AG_VERR_FUNC_CONFLICT = 7, // function with two values for the same arguments: eval_conflict_error
    AG_VERR_MOD_FLOAT = 8      // remainder of a number that is no integer
};

typedef uint64_t ag_cell;

// The first word is also one number, so that a register is made with a few shifts instead of byte by byte.
struct ag_value {
    union {
        struct {
            uint8_t kind;   // enum ag_kind
            uint8_t region; // of strings, containers and boxed numbers
            uint8_t sub;    // number: 0 int64 in i, 2 record at p
            uint8_t pad;
            uint32_t len; // string: bytes; container: elements; error: detail; frame: its number
        };
        uint64_t head; // kind | region << 8 | sub << 16 | len << 32
    };
    union {
        int64_t i;        // number sub 0; boolean 0/1; error: code, and in the high half where its text lies
        const uint8_t *p; // string bytes, container record, number record
    };
};

_Static_assert(sizeof(struct ag_value) == 16, "a register is 16 bytes");

// Where the regions lie. The request region holds the JSON bytes that strings borrow from.
struct ag_mem {
    const uint8_t *base[AG_REGIONS + 1]; // one more than there are: a cell has two bits for its region
    struct ag_arena *arena;              // its base equals base[AG_IN_ARENA]
    uint64_t hash_seed;                  // of the image's hash indexes; ag_eval sets it and base[AG_IN_IMAGE]
};

#define AG_STRING_MAX    ((1u << 24) - 1) // bytes of one string value: the cell's length field
#define AG_DEPTH_MAX     64               // nesting of a value; comparison and output count it too
#define AG_CONTAINER_MAX (1u << 24)       // elements of one container

struct ag_array_rec {
    uint32_t n, zero;
    ag_cell element[];
};
struct ag_set_rec {
    uint32_t n, index_off;
    ag_cell element[];
};
struct ag_object_rec {
    uint32_t n, index_off, keys_off, zero;
    ag_cell value[];
};

// --- constructors of register values
static inline struct ag_value
ag_undef(void)
{
    return (struct ag_value){.head = AG_UNDEF};
}
static inline struct ag_value
ag_null(void)
{
    return (struct ag_value){.head = AG_NULL};
}
static inline struct ag_value
ag_bool(bool b)
{
    return (struct ag_value){.head = AG_BOOL, .i = b};
}
static inline struct ag_value
ag_int(int64_t i)
{
    return (struct ag_value){.head = AG_NUMBER, .i = i};
}
static inline struct ag_value
ag_err(enum ag_verr code, uint32_t detail)
{
    return (struct ag_value){.head = AG_ERROR | (uint64_t)detail << 32, .i = code};
}
// A string whose bytes lie in `region`.
static inline struct ag_value
ag_string(enum ag_region region, struct ag_str s)
{
    return (struct ag_value){.head = AG_STRING | (uint64_t)region << 8 | (uint64_t)(uint32_t)s.n << 32,
                             .p = (const uint8_t *)s.p};
}
static inline struct ag_str
ag_value_str(struct ag_value v)
{
    return ag_str_of((const char *)v.p, v.len);
}
static inline bool
ag_is_false(struct ag_value v)
{
    return v.kind == AG_UNDEF || (v.kind == AG_BOOL && v.i == 0);
}
static inline bool
ag_is_true(struct ag_value v)
{
    return v.kind >= AG_NULL && !(v.kind == AG_BOOL && v.i == 0);
}

// The kinds a cell seldom has: null, boxed numbers, errors.
struct ag_value ag_cell_load_rare(const struct ag_mem *m, ag_cell c);

// Reads a cell. Trusts what the verifier proved.
static inline struct ag_value
ag_cell_load(const struct ag_mem *m, ag_cell c)
{
    struct ag_value v = {.head = c & 15};
    if ((c & 0xcf) == AG_NUMBER) { // an inline integer
        v.i = (int64_t)c >> 8;
        return v;
    }
    if (v.head == AG_BOOL) {
        v.i = (int64_t)(c >> 8 & 1);
        return v;
    }
    if (v.head < AG_STRING || v.head > AG_SET)
        return ag_cell_load_rare(m, c);
    uint64_t region = c >> 4 & 3;
    v.p = m->base[region] + (uint32_t)(c >> 32);
    uint64_t len = c >> 8 & 0xffffff;
    if (v.head != AG_STRING)
        len = *(const uint32_t *)(const void *)v.p;
    v.head |= region << 8 | len << 32;
    return v;
}

// The bytes of a cell that holds a string.
static inline struct ag_str
ag_cell_str(const struct ag_mem *m, ag_cell c)
{
    return ag_str_of((const char *)m->base[c >> 4 & 3] + (c >> 32), c >> 8 & AG_STRING_MAX);
}

// --- value.c
// Makes a cell of a stored kind. Boxes a large integer in the arena; returns false when the arena is full.
bool ag_cell_store(const struct ag_mem *m, struct ag_value v, ag_cell *ret);
// Total order over stored kinds: <0, 0, >0. Numbers compare exactly.
int ag_value_cmp(const struct ag_mem *m, struct ag_value a, struct ag_value b);
bool ag_value_eq(const struct ag_mem *m, struct ag_value a, struct ag_value b);
// Element access; undefined when absent. Index or key as Rego has it (array: integer, object: any key, set:
// the element).
struct ag_value ag_value_get(const struct ag_mem *m, struct ag_value v, struct ag_value key);
struct ag_value ag_object_get(const struct ag_mem *m, struct ag_value obj, struct ag_str key);
// v followed along an array of keys; undefined where a step is missing.
struct ag_value ag_value_path(const struct ag_mem *m, struct ag_value v, struct ag_value path);
// i-th element, or key and value of an object; i < v.len.
static inline const ag_cell *
ag_value_cells(struct ag_value v)
{
    return (const ag_cell *)(const void *)(v.p + (v.kind == AG_OBJECT ? sizeof(struct ag_object_rec)
                                                                      : sizeof(struct ag_array_rec)));
}
static inline const ag_cell *
ag_object_keys(const struct ag_mem *m, struct ag_value v)
{
    const struct ag_object_rec *o = (const struct ag_object_rec *)(const void *)v.p;
    return (const ag_cell *)(const void *)(m->base[v.region] + o->keys_off);
}
static inline struct ag_value
ag_value_at(const struct ag_mem *m, struct ag_value v, uint32_t i)
{
    return ag_cell_load(m, ag_value_cells(v)[i]);
}
static inline struct ag_value
ag_object_key(const struct ag_mem *m, struct ag_value v, uint32_t i)
{
    return ag_cell_load(m, ag_object_keys(m, v)[i]);
}
bool ag_value_contains(const struct ag_mem *m, struct ag_value coll, struct ag_value member);
// Copies s into the arena as a string value; undefined-kind result (AG_UNDEF) means the arena is full.
struct ag_value ag_string_copy(const struct ag_mem *m, struct ag_str s);

// --- building containers in the arena. A builder grows by doubling; everything it used lies in the arena.
struct ag_builder {
    uint32_t n, cap;
    uint8_t what;   // AG_ARRAY, AG_SET, AG_OBJECT
    bool has_paths; // putpath was used
    ag_cell *cells; // elements, or key/value pairs
};
struct ag_builder *ag_builder_new(const struct ag_mem *m, enum ag_kind what);
bool ag_builder_push(const struct ag_mem *m, struct ag_builder *b, struct ag_value v);
bool ag_builder_put(const struct ag_mem *m, struct ag_builder *b, struct ag_value key, struct ag_value v);
bool ag_builder_putpath(const struct ag_mem *m, struct ag_builder *b, struct ag_value path,
                        struct ag_value v);
// Adds an element to the set at `path`; the set is made with its first element.
bool ag_builder_putelem(const struct ag_mem *m, struct ag_builder *b, struct ag_value path,
                        struct ag_value element);
// Sorts, deduplicates, detects key conflicts (AG_ERROR object_conflict). AG_UNDEF: the arena is full.
struct ag_value ag_builder_close(const struct ag_mem *m, struct ag_builder *b);

// --- json_in.c: strict JSON (RFC 8259, UTF-8, no duplicate keys, depth and size limited) into values, one
// pass.
enum ag_json_status {
    AG_JSON_OK,
    AG_JSON_SYNTAX,
    AG_JSON_UTF8,
    AG_JSON_DUPLICATE_KEY,
    AG_JSON_DEPTH,
    AG_JSON_NUMBER,
    AG_JSON_TRAILING,
    AG_JSON_LIMIT,
    AG_JSON_ARENA
};
struct ag_json_error {
    enum ag_json_status status;
    size_t offset; // byte at which reading stopped
};
// `json` must lie at m->base[AG_IN_REQUEST], or in the arena, and stay unchanged while the value lives;
// strings without escapes borrow it.
enum ag_json_status ag_json_read(struct ag_mem *m, struct ag_str json, struct ag_value *ret,
                                 struct ag_json_error *reterr);
// The same for texts of others: of equal keys of an object the last one counts.
enum ag_json_status ag_json_read_last(struct ag_mem *m, struct ag_str json, struct ag_value *ret,
                                      struct ag_json_error *reterr);
const char *ag_json_status_text(enum ag_json_status s);

// --- json_out.c: canonical JSON (keys in byte order, no blanks, minimal escapes, numbers as shortest exact
// decimal) and the readable form that keeps number spelling. Sets print as sorted arrays; a key that is no
// string as its JSON text.
struct ag_buf;
bool ag_json_write_canonical(const struct ag_mem *m, struct ag_value v, struct ag_buf *out);
bool ag_json_write(const struct ag_mem *m, struct ag_value v, struct ag_buf *out, int indent);

#endif
