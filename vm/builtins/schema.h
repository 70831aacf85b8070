// SPDX-License-Identifier: Apache-2.0
// JSON Schema drafts 4, 6 and 7, and the mixture of them that applies without $schema, with the verdicts and
// the words of the library that Open Policy Agent uses. In: a schema and a document as values. Out: verdicts,
// lists of findings in the call's arena. References stay inside the schema: nothing is loaded. Thread rule:
// as struct ag_call. Next file to read: schema_check.c, then schema.c.
#ifndef AG_SCHEMA_H
#define AG_SCHEMA_H

#include "builtin_fns.h"
#include "number.h"

#define AG_SCHEMA_DEPTH_MAX 200u  // schemas inside of each other, references counted: bounds the recursion
#define AG_SCHEMA_REFS_MAX  1024u // different references of one schema
#define AG_SCHEMA_ERROR_MAX 360u  // bytes of the message about a schema

enum ag_draft { AG_DRAFT_4 = 4, AG_DRAFT_6 = 6, AG_DRAFT_7 = 7, AG_DRAFT_MIXED = 100 };

struct ag_schema {
    struct ag_call *c;
    struct ag_value root;
    enum ag_draft draft;
    bool has_error;
    char error[AG_SCHEMA_ERROR_MAX + 1]; // what is wrong with the schema, NUL-terminated
    uint32_t nrefs;
    const uint8_t **ref; // records that references led to, in the arena
};

// Whether root is a schema; else s->error says why, or the evaluation ended.
bool ag_schema_check(struct ag_call *c, struct ag_value root, struct ag_schema *s);
// The schema that a $ref names; undefined: there is none inside the root.
struct ag_value ag_schema_resolve(struct ag_schema *s, struct ag_str ref);
// Remembers what is wrong; the first stays. Returns false.
bool ag_schema_fail(struct ag_schema *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

// One failed keyword.
struct ag_finding_list {
    struct ag_schema_finding *first, *last;
    int64_t score; // how well the value fits, to choose among alternatives
};
struct ag_schema_finding {
    struct ag_schema_finding *next;
    const char *type;
    struct ag_str field, text;
};
// Tests the document against a schema that was checked. False: the evaluation ended, or nests too deeply
// (s->error).
bool ag_schema_match(struct ag_schema *s, struct ag_value document, struct ag_finding_list *ret);

// --- schema_format.c
// Whether the text has the format; unknown formats accept everything.
bool ag_schema_format(struct ag_call *c, struct ag_str format, struct ag_str text);
// Whether `pattern` (RE2 syntax) occurs in the text; *ret_bad: it is no pattern.
bool ag_schema_pattern(struct ag_call *c, struct ag_str pattern, struct ag_str text, bool *ret_bad);
// Whether x is a whole multiple of m, exactly; m > 0.
bool ag_schema_is_multiple(struct ag_value x, struct ag_value m);
// A number as Go's %g writes a big.Float.
void ag_schema_put_number(struct ag_buf *out, struct ag_value n);

static inline struct ag_value
ag_schema_get(const struct ag_schema *s, struct ag_value schema, const char *key)
{
    return ag_object_get(&s->c->mem, schema, ag_str_z(key));
}

static inline bool
ag_schema_is_list(struct ag_value v)
{
    return v.kind == AG_ARRAY || v.kind == AG_SET;
}

#endif
