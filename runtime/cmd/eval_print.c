// SPDX-License-Identifier: Apache-2.0
// Prints the results of a query: JSON, a table of its variables, values alone. In: JSON that the machine
// wrote. Out: standard output; text comes through as it is, so numbers keep their spelling. Memory: malloc'd
// tables, freed before return. Next file to read: json_text.c.
#include "query.h"

#include "buf.h"
#include "json.h"
#include "json_text.h"

#include <stdlib.h>

#define COLUMNS_MAX 256u

bool
agr_eval_format(const char *word, enum agr_eval_format *ret)
{
    static const char *const words[] = {"json", "pretty", "values", "raw", "bindings"};
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(word, words[i]) == 0) {
            *ret = (enum agr_eval_format)i;
            return true;
        }
    return false;
}

static unsigned
count(struct ag_str array)
{
    size_t at = 0;
    struct ag_str item;
    unsigned n = 0;
    while (agr_json_item(array, &at, &item))
        n++;
    return n;
}

// --- strings of JSON

static unsigned
hex4(const char *p)
{
    const char text[5] = {p[0], p[1], p[2], p[3], 0};
    return (unsigned)strtoul(text, NULL, 16);
}

static void
put_code_point(struct ag_buf *b, unsigned c)
{
    unsigned n = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const unsigned char first[] = {0, 0xc0, 0xe0, 0xf0};
    ag_buf_char(b, (char)(first[n] | c >> (6 * n)));
    while (n-- > 0)
        ag_buf_char(b, (char)(0x80 | (c >> (6 * n) & 63)));
}

// Appends what the escape at s stands for; returns the bytes read.
static size_t
put_escape(struct ag_buf *b, struct ag_str s)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    if (s.p[1] != 'u') {
        const char *at = strchr(from, s.p[1]);
        ag_buf_char(b, at ? to[at - from] : s.p[1]);
        return 2;
    }
    unsigned c = hex4(s.p + 2);
    bool is_pair = c >= 0xd800 && c < 0xdc00 && s.n >= 12;
    if (is_pair)
        c = 0x10000 + ((c - 0xd800) << 10) + (hex4(s.p + 8) - 0xdc00);
    put_code_point(b, c);
    return is_pair ? 12 : 6;
}

// The text of a JSON string that the machine wrote; never longer than the string.
static void
put_text(struct ag_buf *b, struct ag_str s)
{
    if (s.n < 2)
        return;
    s = ag_str_of(s.p + 1, s.n - 2);
    for (size_t i = 0; i < s.n;) {
        if (s.p[i] == '\\')
            i += put_escape(b, ag_str_of(s.p + i, s.n - i));
        else
            ag_buf_char(b, s.p[i++]);
    }
}

// --- json

static void
print_result(struct ag_str result, struct ag_str literals)
{
    struct ag_str values = agr_json_raw(result, "expressions"), bindings = agr_json_raw(result, "bindings");
    struct ag_str value, literal;
    size_t at = 0, from = 0;
    fputs("    {\n      \"expressions\": [", stdout);
    for (unsigned i = 0; agr_json_item(values, &at, &value); i++) {
        fputs(i ? ",\n        {\n          \"value\": " : "\n        {\n          \"value\": ", stdout);
        agr_json_indent(stdout, value, 5);
        if (agr_json_item(literals, &from, &literal)) {
            fputs(",\n          \"text\": ", stdout);
            agr_json_indent(stdout, agr_json_raw(literal, "text"), 5);
            struct ag_str place = agr_json_raw(literal, "location");
            struct ag_str row = agr_json_raw(place, "row"), col = agr_json_raw(place, "col");
            printf(",\n          \"location\": {\n            \"row\": %.*s,\n            \"col\": %.*s\n"
                   "          }",
                   (int)row.n, row.p, (int)col.n, col.p);
        }
        fputs("\n        }", stdout);
    }
    fputs("\n      ]", stdout);
    if (bindings.n > 2) {
        fputs(",\n      \"bindings\": ", stdout);
        agr_json_indent(stdout, bindings, 3);
    }
    fputs("\n    }", stdout);
}

static void
print_json(struct ag_str results, struct ag_str literals)
{
    size_t at = 0;
    struct ag_str result;
    bool has_result = false;
    while (agr_json_item(results, &at, &result)) {
        fputs(has_result ? ",\n" : "{\n  \"result\": [\n", stdout);
        print_result(result, literals);
        has_result = true;
    }
    fputs(has_result ? "\n  ]\n}\n" : "{}\n", stdout);
}

// --- the table of --format=pretty

// Members of an object, key by key: text as it stands. False at the end.
static bool
next_member(struct ag_str object, size_t *at, struct ag_str *ret_key, struct ag_str *ret_value)
{
    if (!*at && object.n < 3)
        return false;
    // The members of an object without its braces are a list in which every second item is a key.
    struct ag_str list = object;
    size_t p = *at ? *at : 1, begin = p;
    if (p >= list.n || list.p[p] == '}')
        return false;
    for (p++; p < list.n && list.p[p] != '"'; p++)
        p += list.p[p] == '\\';
    *ret_key = ag_str_of(list.p + begin, ++p - begin);
    begin = ++p; // behind the colon
    unsigned depth = 0;
    for (bool in_string = false; p < list.n; p++) {
        char c = list.p[p];
        if (in_string) {
            p += c == '\\';
            in_string = c != '"';
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if (depth && (c == '}' || c == ']')) {
            depth--;
        } else if (!depth && (c == ',' || c == '}'))
            break;
    }
    *ret_value = ag_str_of(list.p + begin, p - begin);
    *at = p + (p < list.n && list.p[p] == ',');
    return true;
}

struct table {
    unsigned ncolumns, nrows;
    struct ag_str head[COLUMNS_MAX];
    bool is_shown[COLUMNS_MAX]; // of the literals
    size_t width[COLUMNS_MAX];
    struct ag_str *cell; // nrows * ncolumns
    struct ag_buf text;  // of the heads
};

static size_t
width_of(struct ag_str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += (s.p[i] & 0xc0) != 0x80;
    return n;
}

static void
fill(const char *what, size_t n)
{
    while (n-- > 0)
        fputs(what, stdout);
}

static void
print_rule(const struct table *t, const char *left, const char *middle, const char *right)
{
    fputs(left, stdout);
    for (unsigned i = 0; i < t->ncolumns; i++) {
        fill("─", t->width[i] + 2);
        fputs(i + 1 < t->ncolumns ? middle : right, stdout);
    }
    putchar('\n');
}

static void
print_cells(const struct table *t, const struct ag_str *cell, bool is_head)
{
    fputs("│", stdout);
    for (unsigned i = 0; i < t->ncolumns; i++) {
        size_t blank = t->width[i] - width_of(cell[i]), left = is_head ? blank / 2 : 0;
        fill(" ", left + 1);
        fwrite(cell[i].p, 1, cell[i].n, stdout);
        fill(" ", blank - left + 1);
        fputs("│", stdout);
    }
    putchar('\n');
}

// The text of a JSON string, in the table's own memory.
static struct ag_str
head_of(struct table *t, struct ag_str s)
{
    size_t from = t->text.n;
    put_text(&t->text, s);
    return ag_str_of(t->text.p + from, t->text.n - from);
}

// Columns: the variables, then every literal that has a value of its own.
static void
read_head(struct table *t, struct ag_str first, struct ag_str literals)
{
    struct ag_str bindings = agr_json_raw(first, "bindings"), values = agr_json_raw(first, "expressions");
    struct ag_str key, value, literal;
    size_t at = 0, from = 0;
    while (t->ncolumns < COLUMNS_MAX && next_member(bindings, &at, &key, &value))
        t->head[t->ncolumns++] = head_of(t, key);
    bool has_variables = t->ncolumns > 0;
    at = 0;
    for (unsigned i = 0; i < COLUMNS_MAX && agr_json_item(values, &at, &value); i++) {
        bool is_truth = ag_str_is(value, "true") || ag_str_is(value, "false");
        literal = (struct ag_str){0};
        agr_json_item(literals, &from, &literal);
        t->is_shown[i] = (!is_truth || !has_variables) && t->ncolumns < COLUMNS_MAX;
        if (t->is_shown[i])
            t->head[t->ncolumns++] = head_of(t, agr_json_raw(literal, "text"));
    }
}

static void
read_row(struct table *t, struct ag_str result, struct ag_str *cell)
{
    struct ag_str key, value;
    unsigned n = 0;
    size_t at = 0;
    while (n < t->ncolumns && next_member(agr_json_raw(result, "bindings"), &at, &key, &value))
        cell[n++] = value;
    at = 0;
    for (unsigned i = 0; agr_json_item(agr_json_raw(result, "expressions"), &at, &value); i++)
        if (i < COLUMNS_MAX && t->is_shown[i] && n < t->ncolumns)
            cell[n++] = value;
}

static void
print_table(struct ag_str results, struct ag_str literals)
{
    struct table *t = calloc(1, sizeof *t);
    struct ag_str result;
    size_t at = 0;
    char *mem = malloc(results.n + literals.n + 1);
    if (!t || !mem || !agr_json_item(results, &at, &result))
        goto out;
    ag_buf_init(&t->text, mem, results.n + literals.n + 1);
    read_head(t, result, literals);
    t->nrows = count(results);
    t->cell = calloc((size_t)t->nrows * t->ncolumns + 1, sizeof *t->cell);
    if (!t->cell)
        goto out;
    at = 0;
    for (unsigned i = 0; i < t->nrows && agr_json_item(results, &at, &result); i++)
        read_row(t, result, t->cell + (size_t)i * t->ncolumns);
    for (unsigned c = 0; c < t->ncolumns; c++) {
        t->width[c] = width_of(t->head[c]);
        for (unsigned i = 0; i < t->nrows; i++) {
            size_t w = width_of(t->cell[(size_t)i * t->ncolumns + c]);
            t->width[c] = w > t->width[c] ? w : t->width[c];
        }
    }
    print_rule(t, "┌", "┬", "┐");
    print_cells(t, t->head, true);
    print_rule(t, "├", "┼", "┤");
    for (unsigned i = 0; i < t->nrows; i++)
        print_cells(t, t->cell + (size_t)i * t->ncolumns, false);
    print_rule(t, "└", "┴", "┘");
out:
    if (t)
        free(t->cell);
    free(mem);
    free(t);
}

static bool
all_truths(struct ag_str values)
{
    size_t at = 0;
    struct ag_str v;
    while (agr_json_item(values, &at, &v))
        if (!ag_str_is(v, "true") && !ag_str_is(v, "false"))
            return false;
    return true;
}

static void
print_pretty(struct ag_str results, struct ag_str literals)
{
    size_t at = 0;
    struct ag_str result, value;
    if (!agr_json_item(results, &at, &result)) {
        puts("undefined");
        return;
    }
    struct ag_str values = agr_json_raw(result, "expressions");
    bool is_one = count(results) == 1 && agr_json_raw(result, "bindings").n <= 2 &&
                  (count(values) == 1 || all_truths(values));
    at = 0;
    if (is_one && agr_json_item(values, &at, &value)) {
        agr_json_indent(stdout, value, 0);
        putchar('\n');
    } else
        print_table(results, literals);
}

// --- values alone

static void
print_raw_value(struct ag_str v)
{
    char *mem = v.n && v.p[0] == '"' ? malloc(v.n) : NULL;
    struct ag_buf b;
    if (mem) {
        ag_buf_init(&b, mem, v.n);
        put_text(&b, v);
        v = ag_str_of(b.p, b.n);
    }
    fwrite(v.p, 1, v.n, stdout);
    free(mem);
}

static void
print_raw(struct ag_str results)
{
    size_t at = 0, from;
    struct ag_str result, value;
    while (agr_json_item(results, &at, &result)) {
        from = 0;
        for (unsigned i = 0; agr_json_item(agr_json_raw(result, "expressions"), &from, &value); i++) {
            if (i)
                putchar(' ');
            print_raw_value(value);
        }
        putchar('\n');
    }
}

static void
print_members(struct ag_str results, const char *key)
{
    size_t at = 0;
    struct ag_str result;
    while (agr_json_item(results, &at, &result)) {
        agr_json_indent(stdout, agr_json_raw(result, key), 0);
        putchar('\n');
    }
}

void
agr_eval_print(enum agr_eval_format format, struct ag_str results, struct ag_str literals)
{
    switch (format) {
    case AGR_EVAL_JSON: print_json(results, literals); break;
    case AGR_EVAL_PRETTY: print_pretty(results, literals); break;
    case AGR_EVAL_VALUES: print_members(results, "expressions"); break;
    case AGR_EVAL_RAW: print_raw(results); break;
    case AGR_EVAL_BINDINGS: print_members(results, "bindings"); break;
    }
}

// --- errors

// The class of a diagnostic as other Rego tools name it.
static const char *
code_of(struct ag_str id)
{
    static const char *const rows[][2] = {
        {"\"syntax\"", "rego_parse_error"},          {"\"bad-string\"", "rego_parse_error"},
        {"\"bad-number\"", "rego_parse_error"},      {"\"bad-character\"", "rego_parse_error"},
        {"\"bad-metadata\"", "rego_parse_error"},    {"\"expr-depth\"", "rego_parse_error"},
        {"\"type-error\"", "rego_type_error"},       {"\"wrong-arity\"", "rego_type_error"},
        {"\"unknown-function\"", "rego_type_error"}, {"\"unsafe-variable\"", "rego_unsafe_var_error"},
        {"\"recursion\"", "rego_recursion_error"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (ag_str_is(id, rows[i][0]))
            return rows[i][1];
    return "rego_compile_error";
}

static void
print_one_error(bool is_first, struct ag_str message, const char *code, struct ag_str file, struct ag_str row,
                struct ag_str col)
{
    printf("%s    {\n      \"message\": %.*s,\n      \"code\": \"%s\",\n      \"location\": {\n"
           "        \"file\": %.*s,\n        \"row\": %.*s,\n        \"col\": %.*s\n      }\n    }",
           is_first ? "{\n  \"errors\": [\n" : ",\n", (int)message.n, message.p, code, (int)file.n, file.p,
           (int)row.n, row.p, (int)col.n, col.p);
}

bool
agr_eval_print_refusal(const char *text)
{
    const char *begin = strchr(text, '{');
    struct ag_str all = begin ? ag_str_z(begin) : AG_STR(""), d;
    struct ag_str list = all.n ? agr_json_raw(all, "diagnostics") : all;
    size_t at = 0;
    bool has_error = false;
    while (list.n && agr_json_item(list, &at, &d)) {
        struct ag_str file = agr_json_raw(d, "file");
        if (!ag_str_is(agr_json_raw(d, "level"), "\"error\""))
            continue;
        if (ag_str_is(file, "\"query\""))
            file = AG_STR("\"\"");
        print_one_error(!has_error, agr_json_raw(d, "message"), code_of(agr_json_raw(d, "id")), file,
                        agr_json_raw(d, "line"), agr_json_raw(d, "column"));
        has_error = true;
    }
    if (has_error)
        fputs("\n  ]\n}\n", stdout);
    return has_error;
}

void
agr_eval_print_error(const char *text)
{
    const char *code = strstr(text, "eval_"), *after = code ? strchr(code, ':') : NULL;
    size_t file_n = code && code > text + 2 ? (size_t)(code - text) - 2 : 0, line_at = file_n;
    char code_text[64] = "eval_internal_error", mem[2][2048];
    struct ag_buf message, file;
    while (line_at > 0 && text[line_at - 1] != ':')
        line_at--;
    if (after && (size_t)(after - code) < sizeof code_text)
        snprintf(code_text, sizeof code_text, "%.*s", (int)(after - code), code);
    ag_buf_init(&message, mem[0], sizeof mem[0]);
    ag_buf_json_str(&message, ag_str_z(after ? after + 2 : text));
    ag_buf_init(&file, mem[1], sizeof mem[1]);
    struct ag_str name = ag_str_of(text, line_at ? line_at - 1 : 0);
    ag_buf_json_str(&file, ag_str_is(name, "query") ? AG_STR("") : name);
    struct ag_str row = line_at ? ag_str_of(text + line_at, file_n - line_at) : AG_STR("1");
    print_one_error(true, ag_str_of(message.p, message.n), code_text, ag_str_of(file.p, file.n), row,
                    AG_STR("1"));
    fputs("\n  ]\n}\n", stdout);
}
