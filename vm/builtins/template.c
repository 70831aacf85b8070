// SPDX-License-Identifier: Apache-2.0
// Parser of templates (Go's text/template without define, template and block). In: text. Out: nodes of
// template.h. Errors have the words and the line that Go gives. Memory: the call's arena. Next file to read:
// template_const.c, then template_run.c.
#include "template_parse.h"

#include "utf8.h"

#include <stdarg.h>
#include <stdio.h>

void
ag_tpl_put_place(struct ag_buf *out, struct ag_str text, size_t at, bool has_column)
{
    size_t line = 1, begin = 0;
    for (size_t i = 0; i < at && i < text.n; i++)
        if (text.p[i] == '\n') {
            line++;
            begin = i + 1;
        }
    ag_buf_lit(out, "template: template:");
    ag_buf_u64(out, line);
    if (has_column) {
        ag_buf_char(out, ':');
        ag_buf_u64(out, at - begin);
    }
}

void *
ag_tpl_fail(struct ag_tpl_parser *p, const char *fmt, ...)
{
    char words[160], place[64];
    struct ag_buf b;
    va_list ap;
    if (p->failed)
        return NULL;
    p->failed = true;
    va_start(ap, fmt);
    vsnprintf(words, sizeof words, fmt, ap);
    va_end(ap);
    ag_buf_init(&b, place, sizeof place);
    ag_tpl_put_place(&b, p->s, p->at, false);
    p->error = ag_error(p->c, AG_VERR_BUILTIN, "%.*s: %s", (int)b.n, place, words);
    return NULL;
}

void *
ag_tpl_new(struct ag_tpl_parser *p, size_t size)
{
    void *node = p->failed || !ag_charge(p->c, 1) ? NULL : ag_call_alloc(p->c, size, 8);
    if (!node) {
        p->failed = true; // an evaluation that ends needs no words
        return NULL;
    }
    return memset(node, 0, size);
}

// --- characters of an action
static bool
is_space(char ch)
{
    return ch == ' ' || ch == '\t' || ch == '\r' || ch == '\n';
}

static bool
at_text(const struct ag_tpl_parser *p, const char *word)
{
    size_t n = strlen(word);
    return p->s.n - p->at >= n && memcmp(p->s.p + p->at, word, n) == 0;
}

// "}}", or " -}}" from the blank on.
static bool
at_close(const struct ag_tpl_parser *p)
{
    return at_text(p, "}}") || at_text(p, "-}}");
}

static void
skip_space(struct ag_tpl_parser *p)
{
    while (p->at < p->s.n && is_space(p->s.p[p->at]))
        p->at++;
}

static bool
is_word_byte(char ch)
{
    char low = (char)(ch | 0x20);
    return (low >= 'a' && low <= 'z') || (ch >= '0' && ch <= '9') || ch == '_' || (unsigned char)ch >= 0x80;
}

static struct ag_str
word_at(const struct ag_tpl_parser *p, size_t at)
{
    size_t end = at;
    while (end < p->s.n && is_word_byte(p->s.p[end]))
        end++;
    return ag_str_of(p->s.p + at, end - at);
}

// What may follow a word: anything else is a bad character.
static bool
ends_word(struct ag_tpl_parser *p)
{
    static const char allowed[] = " \t\r\n.,|:)(=";
    if (p->at >= p->s.n || strchr(allowed, p->s.p[p->at]) || at_text(p, "}}"))
        return true;
    unsigned char ch = (unsigned char)p->s.p[p->at];
    ag_tpl_fail(p, "bad character U+%04X '%c'", ch, ch < 0x80 ? ch : '?');
    return false;
}

// --- operands
static struct ag_tpl_pipe *parse_pipe(struct ag_tpl_parser *p, const char *context, bool is_range);

static bool
read_fields(struct ag_tpl_parser *p, struct ag_tpl_operand *o)
{
    struct ag_tpl_name **end = &o->fields;
    unsigned seen = o->kind == AG_TPL_FIELD ? 0 : 1;
    for (; p->at < p->s.n && p->s.p[p->at] == '.'; seen++) {
        size_t from = p->at;
        struct ag_str name = word_at(p, p->at + 1);
        if (!name.n)
            return ag_tpl_fail(p, "unexpected <.> in operand");
        struct ag_tpl_name *field = ag_tpl_new(p, sizeof *field);
        if (!field)
            return false;
        if (seen == 1)
            o->at = from; // where Go puts a chain: at its second part
        field->text = name;
        *end = field;
        end = &field->next;
        p->at = from + 1 + name.n;
        if (!ends_word(p))
            return false;
    }
    return true;
}

static bool
is_known_var(const struct ag_tpl_parser *p, struct ag_str name)
{
    for (unsigned i = 0; i < p->nvars; i++)
        if (ag_str_eq(p->vars[i], name))
            return true;
    return name.n == 1;
}

static bool
read_var(struct ag_tpl_parser *p, struct ag_tpl_operand *o)
{
    o->kind = AG_TPL_VAR;
    o->name = ag_str_of(p->s.p + p->at, 1 + word_at(p, p->at + 1).n);
    if (!is_known_var(p, o->name))
        return ag_tpl_fail(p, "undefined variable \"%.*s\"", (int)(o->name.n < 64 ? o->name.n : 64),
                           o->name.p);
    p->at += o->name.n;
    return ends_word(p);
}

static bool
read_word(struct ag_tpl_parser *p, struct ag_tpl_operand *o)
{
    struct ag_str name = word_at(p, p->at);
    bool is_true = ag_str_is(name, "true");
    o->name = name;
    if (is_true || ag_str_is(name, "false")) {
        o->kind = AG_TPL_CONST;
        o->value = (struct ag_tpl_value){.v = ag_bool(is_true)};
    } else if (ag_str_is(name, "nil")) {
        o->kind = AG_TPL_NIL;
    } else if (ag_tpl_is_function(name)) {
        o->kind = AG_TPL_FUNC;
    } else {
        return ag_tpl_fail(p, "function \"%.*s\" not defined", (int)(name.n < 64 ? name.n : 64), name.p);
    }
    p->at += name.n;
    return ends_word(p);
}

static bool
read_parens(struct ag_tpl_parser *p, struct ag_tpl_operand *o)
{
    if (++p->depth > AG_TPL_DEPTH_MAX)
        return ag_tpl_fail(p, "deeper than %u levels", AG_TPL_DEPTH_MAX);
    p->at++;
    p->parens++;
    o->kind = AG_TPL_PIPE;
    o->pipe = parse_pipe(p, "parenthesized pipeline", false);
    if (!o->pipe)
        return false;
    if (p->at >= p->s.n || p->s.p[p->at] != ')')
        return ag_tpl_fail(p, "unclosed left paren");
    p->at++;
    p->parens--;
    p->depth--;
    return true;
}

// Whether a number or a character begins here: a sign needs a digit behind it.
static bool
at_number(const struct ag_tpl_parser *p)
{
    size_t i = p->at;
    if (p->s.p[i] == '\'')
        return true;
    i += p->s.p[i] == '+' || p->s.p[i] == '-';
    i += i < p->s.n && p->s.p[i] == '.';
    return i < p->s.n && p->s.p[i] >= '0' && p->s.p[i] <= '9';
}

static bool
read_operand_start(struct ag_tpl_parser *p, struct ag_tpl_operand *o)
{
    char ch = p->s.p[p->at];
    if (at_number(p))
        return ag_tpl_number(p, o);
    if (ch == '"' || ch == '`')
        return ag_tpl_string(p, o);
    if (ch == '$')
        return read_var(p, o);
    if (ch == '(')
        return read_parens(p, o);
    if (is_word_byte(ch))
        return read_word(p, o);
    if (ch != '.')
        return ag_tpl_fail(p, "unexpected \"%c\" in command", ch >= ' ' && ch < 0x7f ? ch : '?');
    if (p->at + 1 < p->s.n && is_word_byte(p->s.p[p->at + 1])) {
        o->kind = AG_TPL_FIELD;
        return true;
    }
    o->kind = AG_TPL_DOT;
    p->at++;
    return p->at >= p->s.n || p->s.p[p->at] != '.' || ag_tpl_fail(p, "unexpected <.> in operand");
}

static struct ag_tpl_operand *
parse_operand(struct ag_tpl_parser *p)
{
    struct ag_tpl_operand *o = ag_tpl_new(p, sizeof *o);
    size_t from = p->at;
    if (!o)
        return NULL;
    o->at = from;
    if (!read_operand_start(p, o))
        return NULL;
    if (p->at < p->s.n && p->s.p[p->at] == '.' && (o->kind == AG_TPL_CONST || o->kind == AG_TPL_NIL))
        return ag_tpl_fail(p, "unexpected . after term \"%.*s\"",
                           (int)(p->at - from < 64 ? p->at - from : 64), p->s.p + from);
    if (!read_fields(p, o))
        return NULL;
    o->source = ag_str_of(p->s.p + from, p->at - from);
    return o;
}

// --- pipelines
// Whether a command ends here: at }}, | or ).
static bool
at_end_of_command(struct ag_tpl_parser *p)
{
    skip_space(p);
    if (p->at >= p->s.n)
        return ag_tpl_fail(p, "unclosed action") != NULL;
    bool is_trim = at_text(p, "-}}") && p->at && is_space(p->s.p[p->at - 1]);
    return is_trim || at_text(p, "}}") || p->s.p[p->at] == '|' || p->s.p[p->at] == ')';
}

static struct ag_tpl_command *
parse_command(struct ag_tpl_parser *p)
{
    struct ag_tpl_command *cmd = ag_tpl_new(p, sizeof *cmd);
    struct ag_tpl_operand **end = cmd ? &cmd->operands : NULL;
    size_t from = p->at, to = from;
    for (unsigned n = 0; cmd && !p->failed && !at_end_of_command(p) && !p->failed; n++) {
        if (n > AG_TPL_ARGS_MAX)
            return ag_tpl_fail(p, "more than %u arguments", AG_TPL_ARGS_MAX);
        if (at_text(p, ":=") || p->s.p[p->at] == '=')
            return ag_tpl_fail(p, "unexpected \"%s\" in operand", p->s.p[p->at] == '=' ? "=" : ":=");
        struct ag_tpl_operand *o = parse_operand(p);
        if (!o)
            return NULL;
        *end = o;
        end = &o->next;
        to = p->at;
    }
    if (!cmd || p->failed)
        return NULL;
    cmd->source = ag_str_of(p->s.p + from, to - from);
    return cmd;
}

// "$x :=", "$x =", "$k, $v :=": the variables before a pipeline, if there are any.
static bool
read_decl(struct ag_tpl_parser *p, struct ag_tpl_pipe *pipe, bool is_range)
{
    size_t begin = p->at;
    struct ag_str names[2];
    unsigned n = 0;
    while (p->at < p->s.n && p->s.p[p->at] == '$' && n < 2) {
        names[n] = ag_str_of(p->s.p + p->at, 1 + word_at(p, p->at + 1).n);
        p->at += names[n++].n;
        skip_space(p);
        if (p->at >= p->s.n || p->s.p[p->at] != ',' || n == 2)
            break;
        if (!is_range)
            return ag_tpl_fail(p, "too many declarations in command");
        p->at++;
        skip_space(p);
    }
    bool is_new = at_text(p, ":="), is_old = p->at < p->s.n && p->s.p[p->at] == '=';
    if (!n || (!is_new && !is_old)) {
        p->at = begin;
        return n < 2 || ag_tpl_fail(p, "range can only initialize variables");
    }
    p->at += is_new ? 2 : 1;
    pipe->is_assign = is_old;
    pipe->ndecl = n;
    for (unsigned i = 0; i < n; i++) {
        pipe->decl[i] = names[i];
        if (is_old && !is_known_var(p, names[i]))
            return ag_tpl_fail(p, "undefined variable \"%.*s\"", (int)(names[i].n < 64 ? names[i].n : 64),
                               names[i].p);
    }
    return true;
}

static bool
declare(struct ag_tpl_parser *p, const struct ag_tpl_pipe *pipe)
{
    for (unsigned i = 0; !pipe->is_assign && i < pipe->ndecl; i++) {
        if (p->nvars == AG_TPL_VARS_MAX)
            return ag_tpl_fail(p, "more than %u variables", AG_TPL_VARS_MAX);
        p->vars[p->nvars++] = pipe->decl[i];
    }
    return true;
}

static bool
check_commands(struct ag_tpl_parser *p, const struct ag_tpl_pipe *pipe)
{
    unsigned stage = 2;
    for (const struct ag_tpl_command *cmd = pipe->commands->next; cmd; cmd = cmd->next, stage++) {
        enum ag_tpl_operand_kind kind = cmd->operands->kind;
        if (kind == AG_TPL_CONST || kind == AG_TPL_NIL || kind == AG_TPL_DOT)
            return ag_tpl_fail(p, "non executable command in pipeline stage %u", stage);
    }
    return true;
}

// Up to, not including, }} or the closing parenthesis.
static struct ag_tpl_pipe *
parse_pipe(struct ag_tpl_parser *p, const char *context, bool is_range)
{
    struct ag_tpl_pipe *pipe = ag_tpl_new(p, sizeof *pipe);
    struct ag_tpl_command **end = pipe ? &pipe->commands : NULL;
    skip_space(p);
    if (!pipe || !read_decl(p, pipe, is_range))
        return NULL;
    skip_space(p);
    pipe->at = p->at;
    while (!at_end_of_command(p) && !p->failed) {
        struct ag_tpl_command *cmd = parse_command(p);
        if (!cmd)
            return NULL;
        *end = cmd;
        end = &cmd->next;
        if (p->s.p[p->at] == '|')
            p->at++;
    }
    if (p->failed)
        return NULL;
    if (p->s.p[p->at] == ')' && !p->parens)
        return ag_tpl_fail(p, "unexpected right paren");
    if (p->s.p[p->at] != ')' && p->parens)
        return ag_tpl_fail(p, "unclosed left paren");
    if (p->s.p[p->at] == '|')
        return ag_tpl_fail(p, "unexpected \"|\" in command");
    if (!pipe->commands)
        return ag_tpl_fail(p, "missing value for %s", context);
    pipe->source = ag_str_of(p->s.p + pipe->at, p->at - pipe->at);
    return check_commands(p, pipe) && declare(p, pipe) ? pipe : NULL;
}

// --- text and actions
// Passes }} or -}}, which cuts the blanks of the text behind it.
static bool
close_action(struct ag_tpl_parser *p, const char *context)
{
    skip_space(p);
    if (p->at >= p->s.n)
        return ag_tpl_fail(p, "unclosed action");
    if (!at_close(p))
        return ag_tpl_fail(p, "unexpected \"%c\" in %s", p->s.p[p->at] >= ' ' ? p->s.p[p->at] : '?', context);
    bool is_trim = p->s.p[p->at] == '-';
    p->at += is_trim ? 3 : 2;
    if (is_trim)
        skip_space(p);
    return true;
}

// A comment after {{ or {{- : true when there is one and it has been passed.
static bool
pass_comment(struct ag_tpl_parser *p)
{
    if (!at_text(p, "/*"))
        return false;
    size_t end = p->at + 2;
    while (end + 1 < p->s.n && !(p->s.p[end] == '*' && p->s.p[end + 1] == '/'))
        end++;
    if (end + 1 >= p->s.n)
        return ag_tpl_fail(p, "unclosed comment");
    p->at = end + 2;
    bool is_trim = p->at < p->s.n && is_space(p->s.p[p->at]) && p->s.n - p->at > 3 &&
                   memcmp(p->s.p + p->at + 1, "-}}", 3) == 0;
    if (!is_trim && !at_text(p, "}}"))
        return ag_tpl_fail(p, "comment ends before closing delimiter");
    return close_action(p, "comment");
}

// Text up to the next action; NULL without failure: there is none.
static struct ag_tpl_node *
parse_text(struct ag_tpl_parser *p)
{
    size_t from = p->at, end = from;
    while (end < p->s.n && !(p->s.p[end] == '{' && end + 1 < p->s.n && p->s.p[end + 1] == '{'))
        end++;
    p->at = end;
    if (end + 3 < p->s.n && p->s.p[end + 2] == '-' && is_space(p->s.p[end + 3]))
        while (end > from && is_space(p->s.p[end - 1]))
            end--;
    if (end == from)
        return NULL;
    struct ag_tpl_node *n = ag_tpl_new(p, sizeof *n);
    if (n)
        n->text = ag_str_of(p->s.p + from, end - from);
    return n;
}

static struct ag_tpl_node *parse_list(struct ag_tpl_parser *p, enum ag_tpl_stop *ret_stop);

// if, range or with, after its word; `else if` and `else with` are one more in the other branch.
static struct ag_tpl_node *
parse_control(struct ag_tpl_parser *p, enum ag_tpl_kind kind, const char *word)
{
    struct ag_tpl_node *n = ag_tpl_new(p, sizeof *n);
    unsigned vars = p->nvars;
    enum ag_tpl_stop stop = AG_TPL_AT_END;
    if (!n || ++p->depth > AG_TPL_DEPTH_MAX)
        return n ? ag_tpl_fail(p, "deeper than %u levels", AG_TPL_DEPTH_MAX) : NULL;
    n->kind = kind;
    n->pipe = parse_pipe(p, word, kind == AG_TPL_RANGE);
    if (!n->pipe || !close_action(p, word))
        return NULL;
    p->ranges += kind == AG_TPL_RANGE;
    n->body = parse_list(p, &stop);
    p->ranges -= kind == AG_TPL_RANGE;
    if (stop == AG_TPL_AT_ELSE_IF && kind == AG_TPL_IF)
        n->otherwise = parse_control(p, AG_TPL_IF, "if");
    else if (stop == AG_TPL_AT_ELSE_WITH && kind == AG_TPL_WITH)
        n->otherwise = parse_control(p, AG_TPL_WITH, "with");
    else if (stop == AG_TPL_AT_ELSE) {
        n->otherwise = parse_list(p, &stop);
        if (!p->failed && stop != AG_TPL_AT_END && stop != AG_TPL_AT_EOF)
            return ag_tpl_fail(p, "expected end; found {{else}}");
    } else if (stop != AG_TPL_AT_END && stop != AG_TPL_AT_EOF)
        return ag_tpl_fail(p, "unexpected <%s> in input", stop == AG_TPL_AT_ELSE_IF ? "if" : "with");
    if (stop == AG_TPL_AT_EOF)
        return ag_tpl_fail(p, "unexpected EOF");
    p->nvars = vars;
    p->depth--;
    return p->failed ? NULL : n;
}

static struct ag_tpl_node *
parse_jump(struct ag_tpl_parser *p, enum ag_tpl_kind kind, const char *word)
{
    struct ag_tpl_node *n = ag_tpl_new(p, sizeof *n);
    if (!n)
        return NULL;
    n->kind = kind;
    if (!close_action(p, word))
        return NULL;
    return p->ranges ? n : ag_tpl_fail(p, "{{%s}} outside {{range}}", word);
}

static enum ag_tpl_stop
parse_else(struct ag_tpl_parser *p)
{
    skip_space(p);
    struct ag_str word = word_at(p, p->at);
    bool is_if = ag_str_is(word, "if"), is_with = ag_str_is(word, "with");
    if (is_if || is_with) {
        p->at += word.n;
        return is_if ? AG_TPL_AT_ELSE_IF : AG_TPL_AT_ELSE_WITH;
    }
    close_action(p, "else");
    return AG_TPL_AT_ELSE;
}

// What follows {{ or {{- . NULL without failure: the list ends as *ret_stop says.
static struct ag_tpl_node *
parse_action(struct ag_tpl_parser *p, enum ag_tpl_stop *ret_stop)
{
    static const char *const other[] = {"define", "template", "block"};
    skip_space(p);
    size_t begin = p->at;
    struct ag_str word = word_at(p, p->at);
    p->at += word.n;
    *ret_stop = AG_TPL_AT_END;
    if (ag_str_is(word, "if"))
        return parse_control(p, AG_TPL_IF, "if");
    if (ag_str_is(word, "range"))
        return parse_control(p, AG_TPL_RANGE, "range");
    if (ag_str_is(word, "with"))
        return parse_control(p, AG_TPL_WITH, "with");
    if (ag_str_is(word, "break"))
        return parse_jump(p, AG_TPL_BREAK, "break");
    if (ag_str_is(word, "continue"))
        return parse_jump(p, AG_TPL_CONTINUE, "continue");
    if (ag_str_is(word, "end"))
        return close_action(p, "end") ? NULL : NULL;
    if (ag_str_is(word, "else")) {
        *ret_stop = parse_else(p);
        return NULL;
    }
    for (size_t i = 0; i < sizeof other / sizeof other[0]; i++)
        if (ag_str_is(word, other[i]))
            return ag_tpl_fail(p, "{{%s}} is not available: a template is one text", other[i]);
    p->at = begin;
    struct ag_tpl_node *n = ag_tpl_new(p, sizeof *n);
    if (!n)
        return NULL;
    n->kind = AG_TPL_ACTION;
    n->pipe = parse_pipe(p, "command", false);
    return n->pipe && close_action(p, "command") ? n : NULL;
}

static struct ag_tpl_node *
parse_list(struct ag_tpl_parser *p, enum ag_tpl_stop *ret_stop)
{
    struct ag_tpl_node *first = NULL, **end = &first;
    *ret_stop = AG_TPL_AT_EOF;
    while (!p->failed && p->at < p->s.n) {
        struct ag_tpl_node *n = parse_text(p);
        if (!n && !p->failed && p->at < p->s.n) {
            enum ag_tpl_stop stop;
            p->at += 2;
            p->at += p->at + 1 < p->s.n && p->s.p[p->at] == '-' && is_space(p->s.p[p->at + 1]) ? 2 : 0;
            if (p->s.p[p->at - 1] != '{' || at_text(p, "/*"))
                skip_space(p);
            if (pass_comment(p) || p->failed)
                continue;
            n = parse_action(p, &stop);
            if (!n) {
                *ret_stop = stop;
                return first;
            }
        }
        if (n) {
            *end = n;
            end = &n->next;
        }
    }
    return first;
}

struct ag_tpl_node *
ag_tpl_parse(struct ag_call *c, struct ag_str text, struct ag_value *ret_error)
{
    static const char *const words[] = {"{{end}}", "{{end}}", "{{else}}", "{{else}}", "{{else}}"};
    struct ag_tpl_parser p = {.c = c, .s = text, .error = ag_undef()};
    enum ag_tpl_stop stop;
    struct ag_tpl_node *first = parse_list(&p, &stop);
    if (!p.failed && stop != AG_TPL_AT_EOF)
        ag_tpl_fail(&p, "unexpected %s", words[stop]);
    if (!p.failed && !first)
        first = ag_tpl_new(&p, sizeof *first);
    *ret_error = p.error;
    return p.failed ? NULL : first;
}
