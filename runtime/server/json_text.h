// SPDX-License-Identifier: Apache-2.0
// JSON for people. Thread rule: pure. Next file to read: json_text.c.
#ifndef AGR_JSON_TEXT_H
#define AGR_JSON_TEXT_H

#include "str.h"

#include <stdio.h>

// Writes JSON that the machine wrote (valid, without blanks) on several lines, two blanks for each level;
// `level` is that of the first line.
void agr_json_indent(FILE *f, struct ag_str text, unsigned level);

#endif
