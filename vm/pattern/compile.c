// SPDX-License-Identifier: Apache-2.0
// The pattern compiler from text to blob, in order: parse.c, nfa.c, dfa.c, then the bytes of prog.h.
// In: text, flags, an arena, fuel. Out: a blob at the place where the arena stood before; scratch is given
// back. Next: verify.c proves a blob, match.c runs it.
#include "ast.h"
#include "utf8.h"

void
pattern_refuse_with(struct pattern_compile *c, size_t offset, const char *text, struct ag_str what)
{
    if (c->status != AG_PATTERN_YES)
        return;
    struct ag_buf b;
    c->status = AG_PATTERN_BAD;
    c->err->offset = (uint32_t)offset;
    ag_buf_init(&b, c->err->text, sizeof(c->err->text) - 1);
    ag_buf_str(&b, ag_str_z(text));
    if (what.n > b.size - b.n) { // cut between code points
        what.n = b.size - b.n;
        while (what.n && ((uint8_t)what.p[what.n] & 0xC0) == 0x80)
            what.n--;
    }
    ag_buf_str(&b, what);
    b.p[b.n] = '\0';
}

void
pattern_refuse(struct pattern_compile *c, size_t offset, const char *text)
{
    pattern_refuse_with(c, offset, text, ag_str_of("", 0));
}

bool
pattern_pay(struct pattern_compile *c, uint64_t n)
{
    if (!c->fuel)
        return true;
    if (*c->fuel >= n) {
        *c->fuel -= n;
        return true;
    }
    *c->fuel = 0;
    if (c->status == AG_PATTERN_YES)
        c->status = AG_PATTERN_FUEL;
    return false;
}

void *
pattern_alloc(struct pattern_compile *c, size_t n, size_t align)
{
    void *p = ag_arena_alloc(c->arena, n, align);
    if (!p && c->status == AG_PATTERN_YES)
        c->status = AG_PATTERN_ARENA;
    return p;
}

// What the sections of the blob are made of.
struct parts {
    uint32_t hints, first;
    struct ag_str literal, dfa;
};

static bool
is_literal_char(const struct ast *a)
{
    return a->kind == AST_CLASS && a->n_range == 1 && a->ranges[0].lo == a->ranges[0].hi;
}

static bool
is_fact(const struct ast *a, uint32_t fact)
{
    return a && a->kind == AST_FACT && a->fact == fact;
}

// A pattern that is plain text, perhaps tied to the start or end of the subject: the yes/no answer is a
// search.
static void
find_literal(struct pattern_compile *c, const struct ast *tree, struct parts *ret)
{
    uint32_t hints = PROG_LITERAL;
    size_t n = 0;
    const struct ast *list = tree->kind == AST_CAT ? tree->child : tree; // last piece first
    if (is_fact(list, FACT_TEXT_END)) {
        hints |= PROG_LIT_END;
        list = list->next;
    }
    for (const struct ast *a = list; a; a = a->next) {
        uint8_t utf8[4];
        if (is_fact(a, FACT_TEXT_START) && !a->next)
            hints |= PROG_LIT_START;
        else if (is_literal_char(a))
            n += ag_utf8_encode(a->ranges[0].lo, utf8);
        else if (a->kind != AST_EMPTY)
            return;
    }
    char *text = pattern_alloc(c, n, 1);
    if (!text)
        return;
    ret->hints |= hints;
    ret->literal = ag_str_of(text, n);
    for (const struct ast *a = list; a; a = a->next) {
        uint8_t utf8[4];
        size_t len = a->kind == AST_CLASS ? ag_utf8_encode(a->ranges[0].lo, utf8) : 0;
        n -= len;
        memcpy(text + n, utf8, len);
    }
}

// Follows the program from its start without reading: is every match tied to the text start, and if not, is
// there one byte that every match begins with?
static void
find_start(struct pattern_compile *c, const struct nfa *nfa, struct parts *ret)
{
    size_t mark = ag_arena_mark(c->arena);
    uint32_t *work = pattern_alloc(c, (size_t)nfa->n * sizeof(*work), 4), n = 0;
    uint8_t *seen = pattern_alloc(c, nfa->n, 1);
    if (!work || !seen)
        return;
    memset(seen, 0, nfa->n);
    bool is_free = false;
    ret->first = BYTE_NONE;
    uint32_t n_first = 0;
    work[n++] = nfa->start;
    seen[nfa->start] = 1;
    while (n) {
        const struct insn *i = &nfa->insn[work[--n]];
        bool is_tied = i->op == OP_EMPTY && (i->lo & FACT_TEXT_START);
        bool is_step =
            i->op == OP_JUMP || i->op == OP_SPLIT || i->op == OP_CAP || (i->op == OP_EMPTY && !is_tied);
        is_free |= i->op == OP_RANGE || i->op == OP_MATCH;
        if (i->op == OP_RANGE) {
            n_first += i->lo == i->hi ? 1 : 2;
            ret->first = i->lo;
        } else if (i->op == OP_MATCH || is_tied) {
            n_first = 2; // can match the empty text, or begins differently at the start
        }
        if (is_step && !seen[i->out])
            seen[i->out] = 1, work[n++] = i->out;
        if (i->op == OP_SPLIT && !seen[i->out1])
            seen[i->out1] = 1, work[n++] = i->out1;
    }
    if (!is_free)
        ret->hints |= PROG_ANCHORED;
    if (n_first != 1)
        ret->first = BYTE_NONE;
    ag_arena_reset(c->arena, mark);
}

static void
put_insns(uint8_t *p, const struct nfa *nfa)
{
    for (uint32_t i = 0; i < nfa->n; i++, p += INSN_SIZE) {
        const struct insn *x = &nfa->insn[i];
        p[0] = x->op;
        p[1] = x->lo;
        p[2] = x->hi;
        p[3] = 0;
        st32(p + 4, x->out);
        st32(p + 8, x->out1);
    }
}

static uint8_t *
put_part(uint8_t *blob, uint32_t field, uint8_t *at, struct ag_str part)
{
    st32(blob + field, (uint32_t)(at - blob));
    st32(blob + field + 4, (uint32_t)part.n);
    if (part.n)
        memcpy(at, part.p, part.n);
    return at + part.n;
}

static uint8_t *
put_names(uint8_t *blob, uint8_t *at, const struct pattern_compile *c)
{
    uint8_t *begin = at;
    for (const struct ast_name *k = c->names; k; k = k->next) {
        st16(at, (uint16_t)k->group);
        st16(at + 2, (uint16_t)k->name.n);
        memcpy(at + 4, k->name.p, k->name.n);
        at += 4 + k->name.n;
    }
    st32(blob + 40, (uint32_t)(begin - blob));
    st32(blob + 44, (uint32_t)(at - begin));
    return at;
}

// Writes the blob behind the scratch, then moves it to the place where the arena stood at `mark`.
static void
put_blob(struct pattern_compile *c, const struct nfa *nfa, const struct parts *parts, size_t mark,
         struct ag_str *ret_blob)
{
    size_t n = PROG_HEADER + (size_t)nfa->n * INSN_SIZE + parts->literal.n + parts->dfa.n;
    for (const struct ast_name *k = c->names; k; k = k->next)
        n += 4 + k->name.n;
    uint8_t *blob = pattern_alloc(c, n, 8);
    if (!blob)
        return;
    memset(blob, 0, PROG_HEADER);
    st32(blob, PROG_MAGIC);
    st32(blob + 4, PROG_VERSION);
    st32(blob + 8, (uint32_t)n);
    st32(blob + 12, parts->hints | (nfa->has_asserts ? PROG_ASSERTS : 0));
    st32(blob + 16, nfa->n);
    st32(blob + 20, c->n_group);
    st32(blob + 24, nfa->start);
    st32(blob + 56, parts->first);
    put_insns(blob + PROG_HEADER, nfa);
    uint8_t *at = blob + PROG_HEADER + (size_t)nfa->n * INSN_SIZE;
    at = put_names(blob, at, c);
    at = put_part(blob, 32, at, parts->literal);
    put_part(blob, 48, at, parts->dfa);
    ag_arena_reset(c->arena, mark);
    uint8_t *final = ag_arena_alloc(c->arena, n, 8); // fits: it was behind the scratch a moment ago
    memmove(final, blob, n);
    *ret_blob = ag_str_of((const char *) final, n);
}

enum ag_pattern_status
ag_pattern_compile(struct ag_str text, unsigned flags, struct ag_arena *arena, uint64_t *fuel,
                   struct ag_str *ret_blob, struct ag_pattern_error *reterr)
{
    struct pattern_compile c = {
        .text = text, .arena = arena, .fuel = fuel, .status = AG_PATTERN_YES, .err = reterr, .n_group = 1};
    size_t mark = ag_arena_mark(arena);
    c.names_end = &c.names;
    struct ast *tree = pattern_parse(&c);
    struct nfa nfa;
    if (tree && pattern_nfa(&c, tree, &nfa)) {
        struct parts parts = {.first = BYTE_NONE};
        find_literal(&c, tree, &parts);
        find_start(&c, &nfa, &parts);
        // \B could hold inside a code point, which the byte-wise table cannot see: such programs run as NFA.
        if (c.status == AG_PATTERN_YES && !parts.literal.p && !nfa.has_not_word &&
            !(flags & AG_PATTERN_NO_DFA))
            parts.dfa = pattern_dfa(&c, &nfa, parts.hints & PROG_ANCHORED);
        if (c.status == AG_PATTERN_YES)
            put_blob(&c, &nfa, &parts, mark, ret_blob);
    }
    if (c.status != AG_PATTERN_YES)
        ag_arena_reset(arena, mark);
    return c.status;
}
