// SPDX-License-Identifier: Apache-2.0
// Lines and rules of modules that tests reached, as the machine saw them. Memory: malloc'd,
// agr_coverage_free. Thread rule: one thread. Next file to read: test_coverage.c.
#ifndef AGR_TEST_COVERAGE_H
#define AGR_TEST_COVERAGE_H

#include "cmd.h"

struct agr_line {
    uint32_t line;
    bool is_hit;
};
struct agr_file_coverage {
    char *name;
    struct agr_line *line; // ascending; lines without instructions are left out
    size_t n, size, hit;
};
struct agr_coverage {
    struct agr_file_coverage *file;
    size_t n, size;
    size_t lines, lines_hit, rules, rules_hit;
    bool has_failed; // out of memory
};

// Reads what ran in `hit` (aegis_ctx_cover).
bool agr_coverage_read(struct agr_coverage *c, const struct aegis_policy *p, const uint8_t *hit);
void agr_coverage_free(struct agr_coverage *c);
// Percent of the lines; 100 when there are none.
double agr_coverage_percent(const struct agr_coverage *c);
void agr_coverage_text(const struct agr_coverage *c, FILE *f);
// "files":{..},"covered_lines":..,"not_covered_lines":..,"coverage":.. : members of an object.
void agr_coverage_json(const struct agr_coverage *c, FILE *f);
// A page with the sources, covered lines green and the others red. False with a message.
bool agr_coverage_html(const struct agr_coverage *c, const char *path);

#endif
