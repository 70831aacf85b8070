// SPDX-License-Identifier: Apache-2.0
// Opens an image: header, digest, section table; fills the typed views. Proves nothing about the contents.
// In: bytes in our own memory. Out: struct ag_image, or a refusal with offset and text.
// Who owns memory: the caller's bytes, borrowed. Next file to read: verify.c.
#include "image.h"
#include "buf.h"
#include "crypto.h"
#include "limits.h"

const char *
ag_section_name(enum ag_section s)
{
    static const char *const names[] = {
#define S(name, what) #name,
        AG_SECTIONS(S)
#undef S
    };
    return (unsigned)s < AG_SECTION_COUNT ? names[s] : "unknown";
}

static enum ag_image_status
refuse(struct ag_image_error *e, enum ag_image_status status, uint64_t offset, const char *text,
       const char *name)
{
    if (e) {
        struct ag_buf b;
        memset(e, 0, sizeof *e);
        e->status = status;
        e->offset = offset;
        ag_buf_init(&b, e->text, sizeof e->text - 1);
        if (name) {
            ag_buf_lit(&b, "section ");
            ag_buf_str(&b, ag_str_z(name));
            ag_buf_lit(&b, ": ");
        }
        ag_buf_str(&b, ag_str_z(text));
    }
    return status;
}

void
ag_image_digest(const void *bytes, size_t n, uint8_t ret[32])
{
    static const uint8_t zeros[32];
    const struct ag_image_header *h = bytes;
    const size_t at = offsetof(struct ag_image_header, digest);
    uint64_t size = h->section[AG_SEC_SIGNATURE].size;
    size_t end = size < n - at - sizeof zeros ? n - (size_t)size : n;
    const struct ag_piece pieces[] = {{bytes, at},
                                      {zeros, sizeof zeros},
                                      {(const uint8_t *)bytes + at + sizeof zeros, end - at - sizeof zeros}};
    ag_blake2b256(pieces, 3, ret);
}

// --- sections
// ------------------------------------------------------------------------------------------------

struct shape {
    size_t element; // bytes of one, 0: the section has its own count
    uint32_t max;   // elements
};

static const struct shape shapes[AG_SECTION_COUNT] = {
    [AG_SEC_META] = {sizeof(struct ag_meta), 1},
    [AG_SEC_CODE] = {sizeof(ag_insn), AG_CODE_MAX},
    [AG_SEC_FUNCS] = {sizeof(struct ag_func), AG_FUNCS_MAX},
    [AG_SEC_CONSTS] = {sizeof(ag_cell), AG_IMAGE_MAX / sizeof(ag_cell)},
    [AG_SEC_HEAP] = {1, AG_IMAGE_MAX},
    [AG_SEC_RULES] = {sizeof(struct ag_rule), AG_IMAGE_MAX / sizeof(struct ag_rule)},
    [AG_SEC_WINDOWS] = {sizeof(struct ag_window), 1u << 16},
    [AG_SEC_LIMITS] = {sizeof(struct ag_limit), 1u << 16},
    [AG_SEC_GATES] = {sizeof(struct ag_gates_section), 1},
    [AG_SEC_ENTRIES] = {sizeof(struct ag_entry), 1u << 16},
    [AG_SEC_PATHS] = {sizeof(uint32_t), 1u << 20},
    [AG_SEC_SPANS] = {sizeof(struct ag_span), AG_CODE_MAX},
    [AG_SEC_SOURCES] = {sizeof(uint32_t), 1u << 20},
    [AG_SEC_SIGNATURE] = {sizeof(struct ag_signature), 1},
};

static enum ag_image_status
check_sections(const struct ag_image_header *h, struct ag_image_error *e)
{
    uint64_t end = sizeof *h; // of the section before
    for (unsigned s = 0; s < AG_SECTION_COUNT; s++) {
        const struct ag_section_ref *r = &h->section[s];
        const uint64_t place = offsetof(struct ag_image_header, section) + s * sizeof *r;
        const char *name = ag_section_name((enum ag_section)s);
        if (r->size == 0)
            continue;
        if (r->off % AG_IMAGE_ALIGN || r->off < end || r->off > h->file_size ||
            r->size > h->file_size - r->off)
            return refuse(e, AG_IMAGE_MALFORMED, place,
                          "not aligned, out of order, or past the end of the file", name);
        if (shapes[s].element && (r->size % shapes[s].element || r->size / shapes[s].element > shapes[s].max))
            return refuse(e, AG_IMAGE_MALFORMED, place, "size is no whole number of elements, or too many",
                          name);
        if (!shapes[s].element && r->size < sizeof(uint32_t))
            return refuse(e, AG_IMAGE_MALFORMED, place, "too short for its count", name);
        end = r->off + r->size;
    }
    if (h->section[AG_SEC_META].size == 0)
        return refuse(e, AG_IMAGE_MALFORMED, 0, "missing", "META");
    const struct ag_section_ref *sig = &h->section[AG_SEC_SIGNATURE];
    if (sig->size && sig->off + sig->size != h->file_size)
        return refuse(e, AG_IMAGE_MALFORMED, sig->off, "must end the file", "SIGNATURE");
    return AG_IMAGE_OK;
}

static const void *
view(const struct ag_image *im, enum ag_section s, uint32_t *ret_n)
{
    const struct ag_section_ref *r = &im->header->section[s];
    const uint8_t *p = r->size ? im->bytes + r->off : im->bytes; // an empty section is never read
    if (shapes[s].element)
        *ret_n = (uint32_t)(r->size / shapes[s].element);
    else
        memcpy(ret_n, p, r->size ? sizeof *ret_n : 0);
    if (!r->size)
        *ret_n = 0;
    return p;
}

static void
fill_views(struct ag_image *im)
{
    uint32_t one;
    im->meta = view(im, AG_SEC_META, &one);
    im->code = view(im, AG_SEC_CODE, &im->ncode);
    im->funcs = view(im, AG_SEC_FUNCS, &im->nfuncs);
    im->consts = view(im, AG_SEC_CONSTS, &im->nconsts);
    im->heap = view(im, AG_SEC_HEAP, &im->nheap);
    im->rules = view(im, AG_SEC_RULES, &im->nrules);
    im->index = view(im, AG_SEC_INDEX, &im->nindexes);
    im->calltables = view(im, AG_SEC_CALLTABLES, &im->ncalltables);
    im->patterns = view(im, AG_SEC_PATTERNS, &im->npatterns);
    im->windows = view(im, AG_SEC_WINDOWS, &im->nwindows);
    im->zones = view(im, AG_SEC_ZONES, &im->nzones);
    im->limits = view(im, AG_SEC_LIMITS, &im->nlimits);
    im->gates = view(im, AG_SEC_GATES, &one);
    if (!one)
        im->gates = NULL;
    im->entries = view(im, AG_SEC_ENTRIES, &im->nentries);
    im->paths = view(im, AG_SEC_PATHS, &im->npaths);
    im->spans = view(im, AG_SEC_SPANS, &im->nspans);
    im->sources = view(im, AG_SEC_SOURCES, &im->nsources);
    im->signature = view(im, AG_SEC_SIGNATURE, &one);
    if (!one)
        im->signature = NULL;
}

enum ag_image_status
ag_image_open(const void *bytes, size_t n, struct ag_image *ret, struct ag_image_error *reterr)
{
    const struct ag_image_header *h = bytes;
    uint8_t digest[32];
    if (n < sizeof *h)
        return refuse(reterr, AG_IMAGE_TRUNCATED, n, "shorter than an image header: copy the whole file",
                      NULL);
    if ((uintptr_t)bytes % AG_IMAGE_ALIGN)
        return refuse(reterr, AG_IMAGE_MALFORMED, 0, "image memory is not 64-byte aligned", NULL);
    if (memcmp(h->magic, AG_IMAGE_MAGIC, sizeof h->magic) != 0)
        return refuse(reterr, AG_IMAGE_FOREIGN, 0, "not an Aegis image: compile the policy with aegisc",
                      NULL);
    if (h->format != AG_IMAGE_FORMAT || h->vm_min > AG_VM_VERSION || h->sections != AG_SECTION_COUNT)
        return refuse(reterr, AG_IMAGE_VERSION, 8,
                      "another format version: compile it with this version's aegisc", NULL);
    if (h->file_size != n)
        return refuse(reterr, h->file_size > n ? AG_IMAGE_TRUNCATED : AG_IMAGE_MALFORMED, 16,
                      "file size differs from the header: copy the whole file again", NULL);
    if (n > AG_IMAGE_MAX || h->zero)
        return refuse(reterr, AG_IMAGE_MALFORMED, 16, "larger than 1 GiB, or a reserved field is not zero",
                      NULL);
    enum ag_image_status s = check_sections(h, reterr);
    if (s != AG_IMAGE_OK)
        return s;
    ag_image_digest(bytes, n, digest);
    if (memcmp(digest, h->digest, sizeof digest) != 0)
        return refuse(reterr, AG_IMAGE_DIGEST, offsetof(struct ag_image_header, digest),
                      "the digest does not fit the contents: the file is damaged or was edited", NULL);
    *ret = (struct ag_image){.bytes = bytes, .size = n, .header = h};
    fill_views(ret);
    return AG_IMAGE_OK;
}

// --- constants
// -----------------------------------------------------------------------------------------------

struct ag_value
ag_image_const(const struct ag_image *im, uint32_t ix)
{
    const struct ag_mem m = {.base = {im->heap}};
    return ix < im->nconsts ? ag_cell_load(&m, im->consts[ix]) : ag_undef();
}

struct ag_str
ag_attr_name(enum ag_attr a)
{
    static const struct ag_str names[AG_ATTRS] = {{"type", 4}, {"target", 6}, {"agent", 5}, {"tenant", 6}};
    return names[a];
}
