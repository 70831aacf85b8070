// SPDX-License-Identifier: Apache-2.0
// Fuzz entry of vm/image.c, verify*.c and interp.c. In: an image; its digest is put right first. What must
// hold: the verifier answers, and what it accepts evaluates without a trap. Built for libFuzzer, and as a
// plain test by replay.c.
#include <stdlib.h>

#include "eval.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static uint8_t image[1u << 20] __attribute__((aligned(64)));
static uint8_t memory[1u << 18] __attribute__((aligned(64)));
static struct ag_value regs[8192];
static struct ag_outcome outcome;

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char json[] = "{\"type\":\"deploy\",\"params\":{\"amount\":1},\"users\":[{\"name\":\"a\"}]}";
    struct ag_image im;
    struct ag_image_error err = {.status = AG_IMAGE_OK};
    struct ag_image_header *h = (void *)image;
    if (n < sizeof *h || n > sizeof image)
        return 0;
    memcpy(image, data, n);
    ag_image_digest(image, n, h->digest);
    if (ag_image_open(image, n, &im, &err) != AG_IMAGE_OK || ag_image_verify(&im, &err) != AG_IMAGE_OK) {
        if (err.status == AG_IMAGE_OK || err.text[0] == 0)
            abort(); // every refusal has a reason
        return 0;
    }
    for (uint32_t e = 0; e < im.nentries; e++) {
        struct ag_arena a;
        struct ag_value input, v;
        struct ag_json_error je;
        ag_arena_init(&a, memory, sizeof memory);
        struct ag_call c = {.im = &im, .regs = regs, .nregs = 8192, .fuel = 20000, .outcome = &outcome};
        c.mem = (struct ag_mem){.base = {NULL, memory, (const uint8_t *)json}, .arena = &a};
        if (ag_json_read(&c.mem, ag_str_of(json, sizeof json - 1), &input, &je) == AG_JSON_OK)
            ag_eval(&c, e, input, &v);
    }
    return 0;
}
