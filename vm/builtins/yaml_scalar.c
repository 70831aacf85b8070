// SPDX-License-Identifier: Apache-2.0
// Scalars of YAML: in quotes, plain, and blocks (| and >). In: the reader at the first byte. Out: the text,
// lines folded as their style asks. Memory: the call's arena. Next file to read: yaml_resolve.c.
#include "yaml.h"

#include "utf8.h"

static bool
is_break(char ch)
{
    return ch == '\n' || ch == '\r';
}

static bool
is_blank(char ch)
{
    return ch == ' ' || ch == '\t';
}

void
ag_yaml_pass_break(struct ag_yaml *y)
{
    y->at += ag_yaml_peek(y, 0) == '\r' && ag_yaml_peek(y, 1) == '\n' ? 2 : 1;
    y->line_start = y->at;
    y->line++;
}

bool
ag_yaml_at_marker(const struct ag_yaml *y)
{
    return y->at == y->line_start && y->s.n - y->at >= 3 &&
           (memcmp(y->s.p + y->at, "---", 3) == 0 || memcmp(y->s.p + y->at, "...", 3) == 0) &&
           ag_yaml_is_end(ag_yaml_peek(y, 3));
}

// Folds the breaks at y->at with the blanks around them: one is a blank, more are one less. Without a break
// the blanks stay. False: a marker of documents stands in the way.
static bool
fold(struct ag_yaml *y, struct ag_buf *out)
{
    size_t from = y->at, breaks = 0;
    while (y->at < y->s.n && (is_blank(y->s.p[y->at]) || is_break(y->s.p[y->at]))) {
        if (is_break(y->s.p[y->at])) {
            ag_yaml_pass_break(y);
            breaks++;
            if (ag_yaml_at_marker(y)) {
                ag_yaml_fail(y, false, "found unexpected document indicator");
                return false;
            }
        } else {
            y->at++;
        }
    }
    if (!breaks)
        ag_buf_put(out, y->s.p + from, y->at - from);
    else if (breaks == 1)
        ag_buf_char(out, ' ');
    for (size_t i = 1; i < breaks; i++)
        ag_buf_char(out, '\n');
    return true;
}

static bool
put_hex(struct ag_yaml *y, struct ag_buf *out, unsigned n)
{
    uint32_t cp = 0;
    uint8_t text[4];
    for (unsigned i = 0; i < n; i++) {
        char ch = ag_yaml_peek(y, i), low = (char)(ch | 0x20);
        bool is_letter = low >= 'a' && low <= 'f';
        if (!is_letter && (ch < '0' || ch > '9')) {
            ag_yaml_fail(y, false, "did not find expected hexdecimal number");
            return false;
        }
        cp = cp << 4 | (uint32_t)(is_letter ? low - 'a' + 10 : ch - '0');
    }
    size_t size = ag_utf8_encode(cp, text);
    if (!size) {
        ag_yaml_fail(y, false, "found invalid Unicode character escape code");
        return false;
    }
    ag_buf_put(out, text, size);
    y->at += n;
    return true;
}

// What follows a backslash.
static bool
put_escape(struct ag_yaml *y, struct ag_buf *out)
{
    static const char marks[] = "abtnvfre\"'\\ \t", values[] = "\a\b\t\n\v\f\r\x1b\"'\\ \t";
    char ch = ag_yaml_peek(y, 0);
    const char *known = ch ? strchr(marks, ch) : NULL;
    if (is_break(ch)) {
        ag_yaml_pass_break(y);
        while (is_blank(ag_yaml_peek(y, 0)))
            y->at++;
        return true;
    }
    y->at++;
    if (known)
        ag_buf_char(out, values[known - marks]);
    else if (ch == '0')
        ag_buf_char(out, '\0');
    else if (ch == 'N' || ch == '_')
        ag_buf_str(out, ch == 'N' ? AG_STR("\xc2\x85") : AG_STR("\xc2\xa0"));
    else if (ch == 'L' || ch == 'P')
        ag_buf_str(out, ch == 'L' ? AG_STR("\xe2\x80\xa8") : AG_STR("\xe2\x80\xa9"));
    else if (ch == 'x' || ch == 'u' || ch == 'U')
        return put_hex(y, out, ch == 'x' ? 2 : ch == 'u' ? 4 : 8);
    else {
        ag_yaml_fail(y, false, "found unknown escape character");
        return false;
    }
    return true;
}

struct ag_value
ag_yaml_quoted(struct ag_yaml *y)
{
    struct ag_buf out;
    char quote = y->s.p[y->at++];
    bool ok = ag_bi_begin(y->c, &out), is_closed = false;
    y->failed |= !ok;
    while (ok && !is_closed && y->at < y->s.n && !out.is_full) {
        char ch = y->s.p[y->at];
        if (ch == quote && (quote == '"' || ag_yaml_peek(y, 1) != '\'')) {
            y->at++;
            is_closed = true;
        } else if (ch == quote) {
            ag_buf_char(&out, '\'');
            y->at += 2;
        } else if (ch == '\\' && quote == '"') {
            y->at++;
            ok = put_escape(y, &out);
        } else if (is_blank(ch) || is_break(ch)) {
            ok = fold(y, &out);
        } else {
            ag_buf_char(&out, ch);
            y->at++;
        }
    }
    if (y->c->stop != AG_EVAL_OK)
        return ag_undef();
    struct ag_value v = ag_bi_end(y->c, &out, ok && is_closed);
    if (ok && !is_closed && !out.is_full)
        return ag_yaml_fail(y, false, "found unexpected end of stream");
    y->failed |= v.kind != AG_STRING;
    return v;
}

// Whether a plain scalar ends at y->at: a comment, ": ", or in a flow collection one of its marks.
static bool
ends_plain(const struct ag_yaml *y, bool in_flow)
{
    char ch = ag_yaml_peek(y, 0), next = ag_yaml_peek(y, 1);
    bool is_mark = next == ',' || next == '[' || next == ']' || next == '{' || next == '}';
    if (ch == ':' && (ag_yaml_is_end(next) || (in_flow && is_mark)))
        return true;
    return in_flow && (ch == ',' || ch == '[' || ch == ']' || ch == '{' || ch == '}');
}

// The rest of a line of a plain scalar; blanks at its end stay unread.
static void
plain_line(struct ag_yaml *y, struct ag_buf *out, bool in_flow)
{
    for (;;) {
        size_t from = y->at, end;
        while (y->at < y->s.n && !ag_yaml_is_end(y->s.p[y->at]) && !ends_plain(y, in_flow))
            y->at++;
        ag_buf_put(out, y->s.p + from, y->at - from);
        for (end = y->at; end < y->s.n && is_blank(y->s.p[end]);)
            end++;
        size_t blanks = end - y->at;
        y->at = end;
        bool goes_on =
            blanks && end < y->s.n && !is_break(y->s.p[end]) && y->s.p[end] != '#' && !ends_plain(y, in_flow);
        y->at -= blanks;
        if (!goes_on)
            return;
        ag_buf_put(out, y->s.p + y->at, blanks);
        y->at = end;
    }
}

struct ag_value
ag_yaml_plain(struct ag_yaml *y, int indent, bool in_flow, bool one_line)
{
    struct ag_buf out;
    if (!ag_bi_begin(y->c, &out)) {
        y->failed = true;
        return ag_undef();
    }
    plain_line(y, &out, in_flow);
    while (!one_line && !out.is_full) {
        struct ag_yaml before = *y;
        size_t n = out.n;
        while (is_blank(ag_yaml_peek(y, 0)))
            y->at++;
        bool goes_on = y->at < y->s.n && is_break(y->s.p[y->at]);
        if (goes_on) {
            y->at = before.at;
            struct ag_yaml scan = *y;
            while (scan.at < scan.s.n && (is_blank(scan.s.p[scan.at]) || is_break(scan.s.p[scan.at]))) {
                if (is_break(scan.s.p[scan.at]))
                    ag_yaml_pass_break(&scan);
                else
                    scan.at++;
            }
            goes_on = scan.at < scan.s.n && scan.s.p[scan.at] != '#' && !ag_yaml_at_marker(&scan) &&
                      !ends_plain(&scan, in_flow) && (in_flow || ag_yaml_column(&scan) > indent);
        }
        if (!goes_on) {
            y->at = before.at;
            out.n = n;
            break;
        }
        fold(y, &out);
        plain_line(y, &out, in_flow);
    }
    struct ag_value v = ag_bi_end(y->c, &out, true);
    y->failed |= v.kind != AG_STRING;
    return v;
}

// --- blocks
struct block {
    int indent; // 0: not known yet
    int chomp;  // -1 strip, 0 clip, 1 keep
    size_t breaks;
};

static bool
pass_breaks(struct ag_yaml *y, struct block *b, int around)
{
    int widest = 0;
    for (;;) {
        while ((!b->indent || ag_yaml_column(y) < b->indent) && ag_yaml_peek(y, 0) == ' ')
            y->at++;
        if (ag_yaml_column(y) > widest)
            widest = ag_yaml_column(y);
        if ((!b->indent || ag_yaml_column(y) < b->indent) && ag_yaml_peek(y, 0) == '\t') {
            ag_yaml_fail(y, false, "found a tab character where an indentation space is expected");
            return false;
        }
        if (y->at >= y->s.n || !is_break(y->s.p[y->at]))
            break;
        ag_yaml_pass_break(y);
        b->breaks++;
    }
    if (!b->indent)
        b->indent = widest > around + 1 ? widest : around + 1 > 1 ? around + 1 : 1;
    return true;
}

static bool
read_header(struct ag_yaml *y, struct block *b, int around)
{
    for (unsigned i = 0; i < 2; i++) {
        char ch = ag_yaml_peek(y, 0);
        if (ch == '+' || ch == '-')
            b->chomp = ch == '+' ? 1 : -1;
        else if (ch >= '1' && ch <= '9')
            b->indent = (around > 0 ? around : 0) + (ch - '0');
        else
            break;
        y->at++;
    }
    while (is_blank(ag_yaml_peek(y, 0)))
        y->at++;
    if (ag_yaml_peek(y, 0) == '#')
        while (y->at < y->s.n && !is_break(y->s.p[y->at]))
            y->at++;
    if (y->at < y->s.n && !is_break(y->s.p[y->at])) {
        ag_yaml_fail(y, false, "did not find expected comment or line break");
        return false;
    }
    if (y->at < y->s.n)
        ag_yaml_pass_break(y);
    return pass_breaks(y, b, around);
}

static void
put_breaks(struct ag_buf *out, size_t n)
{
    for (size_t i = 0; i < n && !out->is_full; i++)
        ag_buf_char(out, '\n');
}

static bool
block_lines(struct ag_yaml *y, struct block *b, struct ag_buf *out, bool is_literal, int around)
{
    bool has_break = false, was_blank = false;
    while (y->at < y->s.n && ag_yaml_column(y) == b->indent && !out->is_full && !ag_yaml_at_marker(y)) {
        bool now_blank = is_blank(y->s.p[y->at]);
        if (has_break && !is_literal && !was_blank && !now_blank) {
            if (!b->breaks)
                ag_buf_char(out, ' ');
        } else if (has_break) {
            ag_buf_char(out, '\n');
        }
        put_breaks(out, b->breaks);
        b->breaks = 0;
        was_blank = now_blank;
        size_t from = y->at;
        while (y->at < y->s.n && !is_break(y->s.p[y->at]))
            y->at++;
        ag_buf_put(out, y->s.p + from, y->at - from);
        has_break = y->at < y->s.n;
        if (has_break)
            ag_yaml_pass_break(y);
        if (!pass_breaks(y, b, around))
            return false;
    }
    if (b->chomp != -1 && has_break)
        ag_buf_char(out, '\n');
    if (b->chomp == 1)
        put_breaks(out, b->breaks);
    return true;
}

struct ag_value
ag_yaml_block(struct ag_yaml *y, int indent)
{
    struct ag_buf out;
    struct block b = {0};
    bool is_literal = y->s.p[y->at++] == '|';
    if (!read_header(y, &b, indent) || !ag_bi_begin(y->c, &out)) {
        y->failed = true;
        return ag_undef();
    }
    bool ok = block_lines(y, &b, &out, is_literal, indent);
    struct ag_value v = ag_bi_end(y->c, &out, ok);
    y->failed |= v.kind != AG_STRING;
    return v;
}
