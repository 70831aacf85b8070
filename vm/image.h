// SPDX-License-Identifier: Apache-2.0
// The image file, byte for byte: fixed-width little-endian structs, offsets instead of pointers, nothing
// relocated. docs/formats/image.md describes the same bytes with an example. image.c reads it, verify.c
// proves it, and compiler/image_write.c makes it. Thread rule: an opened image never changes.
#ifndef AG_IMAGE_H
#define AG_IMAGE_H

#include "isa/insn.h"
#include "value.h"

#define AG_IMAGE_MAGIC  "AEGISIMG"
#define AG_IMAGE_FORMAT 1u // format version; a reader refuses any other
#define AG_IMAGE_ALIGN  64u
#define AG_IMAGE_MAX    (1u << 30) // bytes of one image
#define AG_NONE         UINT32_MAX // "no index" in every u32 index field

// Sections, in file order. A missing section has size 0. Element types in brackets.
#define AG_SECTIONS(S)                                                                                       \
    S(META, "one struct ag_meta")                                                                            \
    S(CODE, "instructions [u64]")                                                                            \
    S(FUNCS, "functions [struct ag_func], callees before callers")                                           \
    S(CONSTS, "constants [ag_cell], offsets into HEAP")                                                      \
    S(HEAP, "strings, number records, static arrays, objects, sets; the image region of cells")              \
    S(RULES, "YAML rules [struct ag_rule] in source order")                                                  \
    S(INDEX, "decision indexes: u32 count, u32 offset of each, then the bodies (struct ag_index)")           \
    S(CALLTABLES, "call tables: u32 count, u32 offset of each, then the bodies (struct ag_call_table)")      \
    S(PATTERNS, "pattern programs: u32 count, {u32 offset, u32 size} of each, then the blobs (pattern.h)")   \
    S(WINDOWS, "time windows [struct ag_window]")                                                            \
    S(ZONES, "time zones: u32 count, u32 offset of each, then the bodies (struct ag_zone)")                  \
    S(LIMITS, "limits [struct ag_limit]")                                                                    \
    S(GATES, "zero or one struct ag_gates_section")                                                          \
    S(ENTRIES, "entrypoints [struct ag_entry]")                                                              \
    S(PATHS, "input paths read [u32 constant index of an array of strings]")                                 \
    S(SPANS, "debug: instruction to source [struct ag_span], ascending")                                     \
    S(SOURCES, "debug: source names [u32 constant index of a string]")                                       \
    S(SIGNATURE, "zero or one struct ag_signature over the digest")

enum ag_section {
#define S(name, what) AG_SEC_##name,
    AG_SECTIONS(S)
#undef S
        AG_SECTION_COUNT
};

struct ag_section_ref {
    uint64_t off;  // from the start of the file, multiple of AG_IMAGE_ALIGN
    uint64_t size; // bytes
};

// BLAKE2b-256 is taken over the whole file with `digest` read as zeros and without the SIGNATURE section's
// bytes (which stand last).
struct ag_image_header {
    char magic[8];
    uint32_t format; // AG_IMAGE_FORMAT
    uint32_t vm_min; // lowest opcode-table version that runs it (AG_VM_VERSION)
    uint64_t file_size;
    uint32_t sections; // AG_SECTION_COUNT
    uint32_t zero;
    uint8_t digest[32];
    struct ag_section_ref section[AG_SECTION_COUNT];
};

#define AG_VM_VERSION 1u

enum ag_severity { AG_ALLOW, AG_MONITOR, AG_THROTTLE, AG_ESCALATE, AG_DENY, AG_KILL, AG_SEVERITIES };
enum ag_risk_level { AG_RISK_NONE, AG_RISK_LOW, AG_RISK_MEDIUM, AG_RISK_HIGH, AG_RISK_CRITICAL };
enum ag_approval { AG_APPROVAL_NONE, AG_APPROVAL_AUTO, AG_APPROVAL_APPROVE, AG_APPROVAL_BLOCK };
enum ag_combine { AG_FIRST_MATCH, AG_DENY_OVERRIDES };
enum ag_audit_level { AG_JOURNALED, AG_DURABLE, AG_WITNESSED };
enum ag_audit_sign { AG_SIGN_BATCH, AG_SIGN_ROW };
enum ag_audit_input { AG_INPUT_DIGEST, AG_INPUT_READ, AG_INPUT_FULL };

// Strings are constant indexes (u32, AG_NONE when absent) unless said otherwise.
struct ag_meta {
    uint32_t name;             // the policy's label
    uint32_t tzdata;           // version of the time-zone data, AG_NONE when no zone is used
    uint8_t source_digest[32]; // BLAKE2b-256 over names and bytes of the sources
    uint64_t serial;           // rises with each release; 0 when not given
    uint64_t fuel;             // default and upper bound of fuel per decision
    uint32_t arena_size;       // bytes of call arena needed at the declared input limit
    uint32_t input_max;        // bytes of input the cost bound was computed for
    uint32_t stack_regs; // registers of the deepest call chain: need(f) = max(nregs, a + need(g) for each
                         // call of g with its window at a), the most over all entrypoints; calls beyond what
                         // the host gives end as arena_exhausted
    uint32_t memo_slots;
    uint64_t hash_seed; // of every hash index in the image
    uint8_t combine;    // enum ag_combine
    uint8_t default_decision, default_risk, default_approval;
    uint8_t audit_level, audit_sign, audit_input;
    uint8_t has_rules;     // a YAML rule list exists (the default applies)
    uint32_t dependencies; // what the host must provide: AG_NEEDS_*
    uint32_t source_rules; // rules as written, for messages
    uint32_t data;         // constant index of the base data document (an object), AG_NONE when there is none
    uint32_t zero;
};

#define AG_NEEDS_CRYPTO 1u // code calls a built-in flagged HOST
#define AG_NEEDS_KNOWN  1u // all bits of this version

enum ag_func_flag {
    AG_FUNC_ENTRY = 1, // may use ENTRY opcodes; never called
    AG_FUNC_MEMO = 2   // memoised per (function, frame); has exactly two arguments
};
struct ag_func {
    uint32_t code_at, code_n; // instructions in CODE
    uint16_t nargs;           // input and frame included; they are registers 0..nargs-1
    uint16_t nregs;           // registers used, at most AG_REGS_MAX
    uint32_t flags;
    uint32_t memo_slot; // AG_NONE when not memoised
    uint32_t name;      // constant index of the qualified name
    uint32_t path;      // constant index of its document path (array of strings below `data`, that word left
                        // out), AG_NONE when no overlay may answer for it (user functions)
};
#define AG_REGS_MAX 1024u // registers of one function

struct ag_rule {
    uint32_t name;   // constant index of a string
    uint32_t source; // index into SOURCES
    uint32_t line, column;
    uint8_t decision;   // enum ag_severity
    uint8_t risk;       // enum ag_risk_level
    uint8_t approval;   // enum ag_approval
    uint8_t sort_as;    // severity at which combine: deny_overrides sorts it
    uint32_t gate_mask; // gates this rule names (bits of enum ag_gate in gates.h)
};

// A decision index over the four match attributes. Every rule has one home: the hash table of its equality
// attributes, else the prefix or suffix trie of one of its globs, else the list that is always tried. A
// lookup merges the few lists that the input reaches, in priority order, and confirms each candidate's
// attributes; wrong tables can thus only miss. All offsets are bytes from the start of this struct.
enum ag_attr { AG_ATTR_TYPE, AG_ATTR_TARGET, AG_ATTR_AGENT, AG_ATTR_TENANT, AG_ATTRS };
// PREFIX is the glob of plain text and one star behind it, written so that a look-up compares bytes at once.
enum ag_match_kind { AG_MATCH_ANY, AG_MATCH_EQ, AG_MATCH_GLOB, AG_MATCH_PREFIX };
struct ag_index_rule {          // sorted by priority; the position is the priority
    uint32_t rule;              // index into RULES
    uint32_t pattern[AG_ATTRS]; // constant index of the literal or glob; AG_NONE for any
    uint8_t kind[AG_ATTRS];     // enum ag_match_kind
};
struct ag_index_mask {
    uint32_t attrs;  // bit set of enum ag_attr, never 0
    uint32_t nslots; // power of two
    uint32_t slots;  // offset of u32[nslots]: offset of a posting list, 0 = empty; linear probing, at most
                     // probe_max steps
    uint32_t probe_max;
};
// Hash of a mask: h = ag_hash(value of the lowest attribute, seed), then for each further one h =
// ag_hash(value, h). A slot's posting list: { u32 hash_hi; u32 n; u32 position[n] } ascending; hash_hi = high
// half of h.
#define AG_INDEX_MASKS_MAX 15u
struct ag_trie_node {
    uint32_t postings; // offset of { u32 0; u32 n; u32 position[n] }, 0 = none
    uint32_t nedges;
    uint32_t edges; // offset of struct ag_trie_edge[nedges], ascending by byte
};
struct ag_trie_edge {
    uint32_t byte;
    uint32_t node; // number of the child, greater than the parent's
};
struct ag_index {
    uint32_t size; // bytes, this header included
    uint32_t nrules;
    uint32_t rules; // offset of struct ag_index_rule[nrules]
    uint32_t nmasks;
    uint32_t masks;          // offset of struct ag_index_mask[nmasks]
    uint32_t always;         // offset of { u32 0; u32 n; u32 position[n] }, 0 = none
    uint32_t path[AG_ATTRS]; // constant index of the input path of each attribute: ["type"], ["target"],
                             // ["agent"],
                             // ["tenant"]; the verifier refuses others
    struct {
        uint32_t nnodes, nodes;           // struct ag_trie_node[nnodes]; node 0 is the root
    } prefix[AG_ATTRS], suffix[AG_ATTRS]; // suffix tries are walked from the last byte backwards
};

struct ag_call_table { // keys ascending in value order
    uint32_t n;
    uint32_t nargs; // arguments of each function in it
    struct {
        uint32_t key;  // constant index, or AG_NONE when keys are 0..n-1
        uint32_t func; // function index, or AG_NONE: the answer is true
    } row[];
};

// A window of the week: [start, end) in minutes of the day in `zone`, on the days of `days`. When end <=
// start it wraps midnight and belongs to the day on which it started (B3 b). start == end is
// refused; 0..1440 is the whole day.
struct ag_window {
    uint32_t zone;       // index into ZONES, AG_NONE = UTC
    uint16_t start, end; // minutes, start 0..1439, end 1..1440
    uint32_t days;       // bit 0 = Monday ... bit 6 = Sunday
    uint32_t zero;
};

// A time zone: transitions up to 2037 (or the file's last), then a repeating rule when the zone has one.
struct ag_zone {
    uint32_t size;        // bytes, this header included
    uint32_t name;        // constant index
    uint32_t ntrans;      // transitions, ascending
    int32_t first_offset; // seconds east of UTC before the first transition
    // POSIX TZ rule after the last transition; has_dst 0: std_offset for ever
    int32_t std_offset, dst_offset;
    uint32_t has_dst;
    struct {
        uint32_t month, week, day; // Mm.w.d
        int32_t time;              // seconds of local time
    } dst_start, dst_end;
    // abbreviations ("CET"): texts that end in NUL, `abbr_n` bytes at `abbr_off` from the zone's start. A
    // text is named by the place of its first byte among them.
    uint32_t abbr_off, abbr_n;
    uint8_t first_abbr, std_abbr, dst_abbr, zero;
    struct {
        int64_t at;     // UNIX seconds
        int32_t offset; // seconds east of UTC from then on
        uint32_t abbr;
    } trans[];
};

enum ag_limit_kind { AG_LIMIT_RATE, AG_LIMIT_WINDOW, AG_LIMIT_QUOTA, AG_LIMIT_BUDGET };
// LIMIT takes nkeys arguments (one unit) or nkeys + 1 (the last is the amount: events, or dollars of a
// budget, counted in micro-dollars).
enum ag_limit_field {
    AG_KEY_TENANT = 1,
    AG_KEY_AGENT = 2,
    AG_KEY_TYPE = 4,
    AG_KEY_TARGET = 8,
    AG_KEY_SESSION = 16
};
struct ag_limit {
    uint32_t name;        // constant index
    uint8_t kind;         // enum ag_limit_kind
    uint8_t on_exceed;    // AG_THROTTLE, AG_ESCALATE or AG_DENY
    uint8_t count_denied; // 0, 1
    uint8_t zero;
    uint32_t nkeys;       // values that form the key (arguments of `limit`)
    uint32_t key_fields;  // the usual fields, bit set of enum ag_limit_field; names the key in answers
    uint64_t rate_num;    // rate: events ...
    uint64_t rate_per_ns; // ... per this many nanoseconds
    uint64_t burst;       // rate: events at once; window: max events
    uint64_t cap[2];      // quota: per day, per month (0 = none); budget: the same in micro-dollars
    uint64_t warn[2];     // budget: micro-dollars from which on one decision of the period warns, 0 = none
};

struct ag_gates_section {
    uint32_t present;      // gates configured, bit set
    uint32_t apply_always; // gates evaluated for every decision
    uint8_t params[512];   // struct ag_gate_params of gates.h, its exact size, the rest zero
};

struct ag_entry {
    uint32_t name; // constant index: "decide", "evaluate", "risk_check", "data.a.b"
    uint32_t func;
    uint32_t is_decision; // 1: contributes to an outcome; 0: returns a value
    uint32_t zero;
};

struct ag_span {
    uint32_t insn;         // first instruction this span covers
    uint32_t source;       // index into SOURCES
    uint32_t line, column; // 1-based
};

struct ag_signature {
    uint8_t key[32]; // ed25519 public key
    uint8_t sig[64]; // over "aegis-image-v1\n" followed by the digest
};

// A hash index of a static object or set with string keys: slot = mix(hash, disp[hash % nbuckets]) % nslots.
struct ag_hash_index {
    uint32_t nbuckets, nslots;
    uint32_t table[]; // disp[nbuckets], then element number (AG_NONE = empty) [nslots]
};
static inline uint32_t
ag_hash_slot(uint64_t hash, uint32_t disp, uint32_t nslots)
{
    uint64_t h = (hash ^ (uint64_t)disp * 0x9e3779b97f4a7c15u) * 0xff51afd7ed558ccdu;
    return (uint32_t)((h >> 32) % nslots);
}

// An image in memory: typed views of its sections. Borrowed from the bytes given to ag_image_open.
struct ag_image {
    const uint8_t *bytes;
    size_t size;
    const struct ag_image_header *header;
    const struct ag_meta *meta;
    const ag_insn *code;
    const struct ag_func *funcs;
    const ag_cell *consts;
    const uint8_t *heap;
    const struct ag_rule *rules;
    const uint8_t *index, *calltables, *patterns, *zones;
    const struct ag_window *windows;
    const struct ag_limit *limits;
    const struct ag_gates_section *gates; // NULL when there are none
    const struct ag_entry *entries;
    const uint32_t *paths, *sources;
    const struct ag_span *spans;
    const struct ag_signature *signature; // NULL when unsigned
    uint32_t ncode, nfuncs, nconsts, nheap, nrules, nindexes, ncalltables, npatterns, nwindows, nzones,
        nlimits, nentries, npaths, nspans, nsources;
};

enum ag_image_status {
    AG_IMAGE_OK,
    AG_IMAGE_TRUNCATED,
    AG_IMAGE_FOREIGN, // not an Aegis image
    AG_IMAGE_VERSION, // another format or a newer VM
    AG_IMAGE_DIGEST,
    AG_IMAGE_MALFORMED // the verifier's word, with offset and text
};
struct ag_image_error {
    enum ag_image_status status;
    uint64_t offset; // byte in the file
    char text[160];  // what is wrong and, where there is one, what to do
};

// Header, digest and section bounds; fills the views. Bytes must be 64-byte aligned and stay for the image's
// life.
enum ag_image_status ag_image_open(const void *bytes, size_t n, struct ag_image *ret,
                                   struct ag_image_error *reterr);
// Everything else (verify.c). After AG_IMAGE_OK the interpreter is safe on the image for every input.
enum ag_image_status ag_image_verify(const struct ag_image *im, struct ag_image_error *reterr);
// The digest as the header defines it.
void ag_image_digest(const void *bytes, size_t n, uint8_t ret[32]);
// The string of constant ix; the empty string for AG_NONE.
static inline struct ag_str
ag_image_str(const struct ag_image *im, uint32_t ix)
{
    ag_cell c = ix < im->nconsts ? im->consts[ix] : 0;
    if ((c & 15) != AG_STRING)
        return ag_str_of("", 0);
    return ag_str_of((const char *)im->heap + (c >> 32), c >> 8 & AG_STRING_MAX);
}
struct ag_value ag_image_const(const struct ag_image *im, uint32_t ix);
const char *ag_section_name(enum ag_section s);
// "type", "target", "agent", "tenant".
struct ag_str ag_attr_name(enum ag_attr a);

#endif
