// SPDX-License-Identifier: Apache-2.0
// A document by its path: which entrypoint answers for it, and which steps remain to be followed in the
// entrypoint's value. Thread rule: pure. Next file to read: document.c.
#ifndef AGR_DOCUMENT_H
#define AGR_DOCUMENT_H

#include "aegis_tools.h"
#include "image.h"

#define AGR_DOCUMENT_NAME_MAX 1024u // bytes of an entrypoint's name that a path is looked up as

struct agr_document {
    uint32_t entry;  // entrypoint of a value, AG_NONE: the base document answers
    uint32_t nsteps; // steps that the entrypoint stands for
};

// The entrypoint with the longest name ("data", then ".name" or ["any text"] for each step) that the path
// begins with. Below a path that other entrypoints continue stand only base documents: rules have
// entrypoints of their own.
void agr_document_find(const struct ag_image *im, const struct aegis_str *step, uint32_t n,
                       struct agr_document *ret);
// The value at the remaining steps; undefined where there is none. A step is a key, a member of a set, or
// the position of an element.
struct ag_value agr_document_walk(const struct ag_mem *m, struct ag_value v, const struct aegis_str *step,
                                  uint32_t n);

#endif
