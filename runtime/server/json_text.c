// SPDX-License-Identifier: Apache-2.0
// JSON for people: the text of the machine with line ends and blanks. In: valid JSON without blanks. Out:
// lines; no line end behind the last. Next file to read: data_api.c, cmd/eval_print.c.
#include "json_text.h"

#include <stdbool.h>

static void
new_line(FILE *f, unsigned level)
{
    fputc('\n', f);
    for (unsigned i = 0; i < level; i++)
        fputs("  ", f);
}

void
agr_json_indent(FILE *f, struct ag_str text, unsigned level)
{
    bool in_string = false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool is_empty = i + 1 < text.n && (text.p[i + 1] == '}' || text.p[i + 1] == ']');
        if (in_string) {
            fputc(c, f);
            if (c == '\\' && i + 1 < text.n)
                fputc(text.p[++i], f);
            in_string = c != '"';
        } else if (c == '{' || c == '[') {
            fputc(c, f);
            if (is_empty)
                fputc(text.p[++i], f);
            else
                new_line(f, ++level);
        } else if (c == '}' || c == ']') {
            new_line(f, --level);
            fputc(c, f);
        } else if (c == ',') {
            fputc(c, f);
            new_line(f, level);
        } else {
            fputc(c, f);
            if (c == ':')
                fputc(' ', f);
            in_string = c == '"';
        }
    }
}
