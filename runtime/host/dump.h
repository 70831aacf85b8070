// SPDX-License-Identifier: Apache-2.0
// An image as text, for people. Thread rule: pure.
#ifndef AGR_DUMP_H
#define AGR_DUMP_H

#include "image.h"

// Calls `line` with each line (no line end).
void agr_dump_image(const struct ag_image *im, void (*line)(void *arg, const char *text, size_t n),
                    void *arg);
// One executed instruction with its source place, as `eval --trace` prints it.
struct ag_str agr_dump_step(const struct ag_image *im, uint32_t insn, char *mem, size_t size);

#endif
