// SPDX-License-Identifier: Apache-2.0
// Tokens of GraphQL, and the messages of one call. In: text in UTF-8. Out: tokens with their place in code
// points; strings with escapes and block strings are written anew in the call's arena, the others borrow the
// text. Who owns memory: the call's arena. Next file to read: graphql_parse.c.
#include <stdarg.h>
#include <stdio.h>

#include "graphql_parse.h"
#include "utf8.h"

// --- one call
// ---------------------------------------------------------------------------------------------------------

void
ag_gql_begin(struct ag_gql *g, struct ag_call *c)
{
    memset(g, 0, sizeof *g);
    g->c = c;
    ag_buf_init(&g->error, g->text, sizeof g->text);
}

bool
ag_gql_charge(struct ag_gql *g, uint64_t n)
{
    if (!ag_charge(g->c, n))
        g->failed = true;
    return g->c->stop == AG_EVAL_OK;
}

void *
ag_gql_new(struct ag_gql *g, size_t size, int32_t line, int32_t column)
{
    struct ag_gql_node *node = NULL;
    if (ag_gql_charge(g, 1))
        node = ag_call_alloc(g->c, size, 8);
    if (!node) {
        g->failed = true;
        return NULL;
    }
    memset(node, 0, size);
    node->line = line;
    node->column = column;
    return node;
}

void
ag_gql_add(struct ag_gql_list *list, void *node)
{
    struct ag_gql_node *last = list->last;
    if (!node)
        return;
    if (last)
        last->next = node;
    else
        list->first = node;
    list->last = node;
    list->n++;
}

void
ag_gql_join(struct ag_gql_list *list, const struct ag_gql_list *more)
{
    struct ag_gql_node *last = list->last;
    if (!more->first)
        return;
    if (last)
        last->next = more->first;
    else
        list->first = more->first;
    list->last = more->last;
    list->n += more->n;
}

bool
ag_gql_goes_on(const struct ag_gql *g)
{
    return g->c->stop == AG_EVAL_OK && !g->error.is_full && !(g->failed && g->is_quiet);
}

void
ag_gql_error(struct ag_gql *g, const struct ag_gql_node *at, const char *fmt, ...)
{
    char text[AG_GQL_ERROR_MAX];
    bool is_first = g->error.n == 0;
    g->failed = true;
    if (is_first) {
        g->line = at->line;
        g->column = at->column;
    } else {
        ag_buf_lit(&g->error, "input:");
        if (at->line) {
            ag_buf_i64(&g->error, at->line);
            ag_buf_char(&g->error, ':');
            ag_buf_i64(&g->error, at->column);
            ag_buf_char(&g->error, ':');
        }
        ag_buf_char(&g->error, ' ');
    }
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (n >= (int)sizeof text)
        n = (int)sizeof text - 1;
    if (n > 0) // a part is better than nothing
        ag_buf_put(&g->error, text,
                   (size_t)n < g->error.size - g->error.n ? (size_t)n : g->error.size - g->error.n);
    ag_buf_char(&g->error, '\n');
}

// --- the lexer
// ---------------------------------------------------------------------------------------------------------

static const char *const kind_text[] = {
    "<Invalid>", "<EOF>", "!", "$", "&", "(",    ")",   "...",   ":",      "=",           "@",
    "[",         "]",     "{", "}", "|", "Name", "Int", "Float", "String", "BlockString", "Comment",
};

const char *
ag_gql_kind_text(enum ag_gql_token_kind kind)
{
    return kind_text[kind];
}

static size_t
point_size(const struct ag_gql_parser *p, size_t at)
{
    uint32_t cp;
    size_t n = ag_utf8_decode((const uint8_t *)p->text + at, p->n - at, &cp);
    return n ? n : 1;
}

static void
line_ends(struct ag_gql_parser *p)
{
    p->line++;
    p->line_points = p->points;
}

static void
take(struct ag_gql_parser *p, size_t bytes)
{
    p->end += bytes;
    p->points += (int64_t)bytes; // of ASCII
}

static void
take_point(struct ag_gql_parser *p)
{
    p->end += point_size(p, p->end);
    p->points++;
}

static struct ag_gql_token __attribute__((format(printf, 2, 3)))
invalid(struct ag_gql_parser *p, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(p->why, sizeof p->why, fmt, args);
    va_end(args);
    return (struct ag_gql_token){
        .kind = AG_GQL_T_INVALID, .line = p->line, .column = (int32_t)(p->points - p->line_points + 1)};
}

static bool
is_next(const struct ag_gql_parser *p, const char *text)
{
    size_t n = strlen(text);
    return p->n - p->end >= n && memcmp(p->text + p->end, text, n) == 0;
}

// Blanks, commas, ends of lines, byte order marks.
static void
skip_blanks(struct ag_gql_parser *p)
{
    while (p->end < p->n) {
        char c = p->text[p->end];
        if (c == '\t' || c == ' ' || c == ',') {
            take(p, 1);
        } else if (c == '\n') {
            take(p, 1);
            line_ends(p);
        } else if (c == '\r') {
            take(p, 1);
            line_ends(p);
            if (is_next(p, "\n")) // counts as a character of the line
                take(p, 1);
        } else if (is_next(p, "\xef\xbb\xbf")) {
            take_point(p);
        } else {
            return;
        }
    }
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool
is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static size_t
take_digits(struct ag_gql_parser *p)
{
    size_t n = 0;
    while (p->end + n < p->n && is_digit(p->text[p->end + n]))
        n++;
    take(p, n);
    return n;
}

// The next byte in quotes, for a message.
static const char *
describe(const struct ag_gql_parser *p, char out[8])
{
    uint8_t point[4];
    if (p->end >= p->n)
        return "<EOF>";
    size_t n = ag_utf8_encode((uint8_t)p->text[p->end], point);
    snprintf(out, 8, "\"%.*s\"", (int)n, (const char *)point);
    return out;
}

static struct ag_gql_token
number(struct ag_gql_parser *p, struct ag_gql_token t, size_t start)
{
    char seen[8];
    t.kind = AG_GQL_T_INT;
    if (is_next(p, "-"))
        take(p, 1);
    if (is_next(p, "0")) {
        take(p, 1);
        if (p->end < p->n && is_digit(p->text[p->end]))
            return invalid(p, "Invalid number, unexpected digit after 0: %s.", describe(p, seen));
    } else if (take_digits(p) == 0) {
        return invalid(p, "Invalid number, expected digit but got: %s.", describe(p, seen));
    }
    if (is_next(p, ".")) {
        t.kind = AG_GQL_T_FLOAT;
        take(p, 1);
        if (take_digits(p) == 0)
            return invalid(p, "Invalid number, expected digit but got: %s.", describe(p, seen));
    }
    if (is_next(p, "e") || is_next(p, "E")) {
        t.kind = AG_GQL_T_FLOAT;
        take(p, 1);
        if (is_next(p, "-") || is_next(p, "+"))
            take(p, 1);
        if (take_digits(p) == 0)
            return invalid(p, "Invalid number, expected digit but got: %s.", describe(p, seen));
    }
    t.text = ag_str_of(p->text + start, p->end - start);
    return t;
}

static int
hex_digit(char c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// \uXXXX at p->end; its bytes go to out. False: it is none.
static bool
unicode_escape(struct ag_gql_parser *p, char *out, size_t *n)
{
    uint32_t cp = 0;
    uint8_t bytes[4];
    for (size_t i = 2; i < 6; i++) {
        int digit = hex_digit(p->text[p->end + i]);
        if (digit < 0)
            return false;
        cp = cp << 4 | (uint32_t)digit;
    }
    size_t size = ag_utf8_encode(cp, bytes);
    if (size == 0) // half of a surrogate pair
        size = ag_utf8_encode(0xfffd, bytes);
    memcpy(out + *n, bytes, size);
    *n += size;
    return true;
}

// An escape at p->end. False: it is none, *ret is the invalid token.
static bool
escape(struct ag_gql_parser *p, char *out, size_t *n, struct ag_gql_token *ret)
{
    static const char from[] = "\"/\\bfnrt", to[] = "\"/\\\b\f\n\r\t";
    if (p->end + 1 >= p->n) {
        take(p, 1);
        *ret = invalid(p, "Invalid character escape sequence.");
        return false;
    }
    char c = p->text[p->end + 1];
    if (c == 'u') {
        bool fits = p->end + 6 < p->n;
        if (fits && unicode_escape(p, out, n)) {
            take(p, 6);
            return true;
        }
        take(p, 1);
        size_t left = p->n - p->end;
        *ret = invalid(p, "Invalid character escape sequence: \\%.*s.", (int)(left < 5 ? left : 5),
                       p->text + p->end);
        return false;
    }
    const char *known = c ? strchr(from, c) : NULL;
    if (!known) {
        char seen[8];
        take(p, 1);
        describe(p, seen);
        *ret = invalid(p, "Invalid character escape sequence: \\%.*s.", (int)(strlen(seen) - 2), seen + 1);
        return false;
    }
    out[(*n)++] = to[known - from];
    take(p, 2);
    return true;
}

// Room for the value of a string that begins at p->end and cannot be longer than the rest of the text.
static char *
room(struct ag_gql_parser *p, size_t n)
{
    char *out = ag_charge_bytes(p->g->c, n) ? ag_call_alloc(p->g->c, n + 1, 1) : NULL;
    if (!out)
        p->g->failed = true;
    return out;
}

// Bytes up to the quote that ends the string, for the room of its value.
static size_t
string_size(const struct ag_gql_parser *p, bool *ret_has_escape)
{
    size_t n = 0, left = p->n - p->end;
    const char *s = p->text + p->end;
    *ret_has_escape = false;
    while (n < left && s[n] != '"' && s[n] != '\n' && s[n] != '\r') {
        if (s[n] == '\\') {
            *ret_has_escape = true;
            n++;
        }
        n++;
    }
    return n < left ? n : left;
}

static struct ag_gql_token
string(struct ag_gql_parser *p, struct ag_gql_token t)
{
    bool has_escape;
    take(p, 1);
    size_t start = p->end, n = 0, size = string_size(p, &has_escape);
    char *out = has_escape ? room(p, size) : NULL;
    if (has_escape && !out)
        return invalid(p, "too much text");
    t.kind = AG_GQL_T_STRING;
    t.column++; // the place is that of the first character
    while (p->end < p->n) {
        char c = p->text[p->end];
        if (c == '\n' || c == '\r')
            break;
        if ((uint8_t)c < 0x20 && c != '\t')
            return invalid(p, "Invalid character within String: \"\\u%04d\".", c);
        if (c == '"') {
            t.text = out ? ag_str_of(out, n) : ag_str_of(p->text + start, p->end - start);
            take(p, 1);
            return t;
        }
        if (c == '\\') {
            struct ag_gql_token bad;
            if (!escape(p, out, &n, &bad))
                return bad;
            continue;
        }
        size_t bytes = point_size(p, p->end);
        if (out) {
            memcpy(out + n, p->text + p->end, bytes);
            n += bytes;
        }
        take_point(p);
    }
    return invalid(p, "Unterminated string.");
}

// Blanks that a line begins with; SIZE_MAX: there is nothing else.
static size_t
indent_of(const char *s, size_t n)
{
    size_t i = 0;
    while (i < n && (s[i] == ' ' || s[i] == '\t'))
        i++;
    return i < n ? i : SIZE_MAX;
}

static size_t
line_size(const char *s, size_t n)
{
    const char *lf = n ? memchr(s, '\n', n) : NULL;
    return lf ? (size_t)(lf - s) : n;
}

// The value of a block string, in place: the indentation that all lines share is left out, and so are blank
// lines at both ends.
static struct ag_str
block_value(char *s, size_t n)
{
    size_t common = SIZE_MAX, lines = 0, first = SIZE_MAX, last = 0, size = 0;
    for (size_t at = 0, len; at <= n; at += len + 1, lines++) {
        len = line_size(s + at, n - at);
        size_t indent = indent_of(s + at, len);
        if (indent == SIZE_MAX)
            continue;
        if (indent < common)
            common = indent;
        if (first == SIZE_MAX)
            first = lines;
        last = lines;
    }
    if (first == SIZE_MAX)
        return ag_str_of(s, 0);
    lines = 0;
    for (size_t at = 0, len; at <= n && lines <= last; at += len + 1, lines++) {
        len = line_size(s + at, n - at);
        size_t cut = lines == 0 ? 0 : len < common ? len : common;
        if (lines < first)
            continue;
        if (lines > first)
            s[size++] = '\n';
        memmove(s + size, s + at + cut, len - cut);
        size += len - cut;
    }
    return ag_str_of(s, size);
}

// Bytes up to the quotes that end the block string, for the room of its value.
static size_t
block_size(const struct ag_gql_parser *p)
{
    for (size_t i = p->end; i + 3 <= p->n;) {
        if (i + 4 <= p->n && memcmp(p->text + i, "\\\"\"\"", 4) == 0)
            i += 4;
        else if (memcmp(p->text + i, "\"\"\"", 3) == 0)
            return i - p->end;
        else
            i++;
    }
    return p->n - p->end;
}

static struct ag_gql_token
block_string(struct ag_gql_parser *p, struct ag_gql_token t)
{
    size_t n = 0;
    take(p, 3);
    int64_t start = p->points;
    char *out = room(p, block_size(p));
    if (!out)
        return invalid(p, "too much text");
    t.kind = AG_GQL_T_BLOCK;
    while (p->end < p->n) {
        char c = p->text[p->end];
        if (is_next(p, "\"\"\"")) {
            t.line = p->line; // the place is counted from the line that ends it
            t.column = (int32_t)(start - p->line_points + 1);
            t.text = block_value(out, n);
            take(p, 3);
            return t;
        }
        if ((uint8_t)c < 0x20 && c != '\t' && c != '\n' && c != '\r')
            return invalid(p, "Invalid character within String: \"\\u%04d\".", c);
        if (is_next(p, "\\\"\"\"")) {
            memcpy(out + n, "\"\"\"", 3);
            n += 3;
            take(p, 4);
        } else if (c == '\r' || c == '\n') {
            take(p, is_next(p, "\r\n") ? 2 : 1);
            out[n++] = '\n';
            line_ends(p);
        } else {
            size_t bytes = point_size(p, p->end);
            memcpy(out + n, p->text + p->end, bytes);
            n += bytes;
            take_point(p);
        }
    }
    return invalid(p, "Unterminated string.");
}

static struct ag_gql_token
other(struct ag_gql_parser *p)
{
    char seen[8];
    uint8_t c = (uint8_t)p->text[p->end];
    if (c < 0x20)
        return invalid(p, "Cannot contain the invalid character \"\\u%04d\"", c);
    if (c == '\'')
        return invalid(p, "Unexpected single quote character ('), did you mean to use a double quote (\")?");
    return invalid(p, "Cannot parse the unexpected character %s.", describe(p, seen));
}

struct ag_gql_token
ag_gql_lex(struct ag_gql_parser *p)
{
    static const char marks[] = "!$&():=@[]{}|";
    static const uint8_t kinds[] = {
        AG_GQL_T_BANG,    AG_GQL_T_DOLLAR,  AG_GQL_T_AMP, AG_GQL_T_PAREN_L,   AG_GQL_T_PAREN_R,
        AG_GQL_T_COLON,   AG_GQL_T_EQUALS,  AG_GQL_T_AT,  AG_GQL_T_BRACKET_L, AG_GQL_T_BRACKET_R,
        AG_GQL_T_BRACE_L, AG_GQL_T_BRACE_R, AG_GQL_T_PIPE};
    skip_blanks(p);
    size_t start = p->end;
    struct ag_gql_token t = {
        .kind = AG_GQL_T_EOF, .line = p->line, .column = (int32_t)(p->points - p->line_points + 1)};
    if (start >= p->n)
        return t;
    char c = p->text[start];
    const char *mark = c ? strchr(marks, c) : NULL;
    if (mark) {
        t.kind = (enum ag_gql_token_kind)kinds[mark - marks];
        take(p, 1);
    } else if (is_next(p, "...")) {
        t.kind = AG_GQL_T_SPREAD;
        take(p, 3);
    } else if (is_letter(c)) {
        t.kind = AG_GQL_T_NAME;
        while (p->end < p->n && (is_letter(p->text[p->end]) || is_digit(p->text[p->end])))
            take(p, 1);
        t.text = ag_str_of(p->text + start, p->end - start);
    } else if (c == '#') {
        t.kind = AG_GQL_T_COMMENT;
        while (p->end < p->n && ((uint8_t)p->text[p->end] > 0x1f || p->text[p->end] == '\t'))
            take_point(p);
        t.text = ag_str_of(p->text + start, p->end - start);
    } else if (c == '-' || is_digit(c)) {
        return number(p, t, start);
    } else if (c == '"') {
        return is_next(p, "\"\"\"") ? block_string(p, t) : string(p, t);
    } else {
        return other(p);
    }
    return t;
}
