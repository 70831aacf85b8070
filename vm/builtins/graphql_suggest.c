// SPDX-License-Identifier: Apache-2.0
// "Did you mean ...": names that differ from the typed one in a few letters.
// In: a typed name, the names there are. Out: at most five of them, the most alike first, and their text.
// Who owns memory: the caller; rows of distances lie in the call's arena for a moment. Next file to read:
// graphql_values.c.
#include "graphql_rules.h"

#define NAME_MAX 200u // bytes of names that are compared; longer ones are not suggested

static char
lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

// Fewest insertions, deletions and substitutions of letters that make b of a; 1 when only the case differs.
static uint32_t
distance_of(struct ag_str a, struct ag_str b)
{
    uint8_t row[NAME_MAX + 1];
    bool is_same = a.n == b.n;
    for (size_t i = 0; i < a.n && is_same; i++)
        is_same = lower(a.p[i]) == lower(b.p[i]);
    if (is_same)
        return !ag_str_eq(a, b);
    for (size_t k = 0; k <= b.n; k++)
        row[k] = (uint8_t)k;
    for (size_t i = 1; i <= a.n; i++) {
        uint8_t diagonal = row[0];
        row[0] = (uint8_t)i;
        for (size_t k = 1; k <= b.n; k++) {
            uint8_t above = row[k], best = diagonal;
            if (lower(a.p[i - 1]) != lower(b.p[k - 1])) {
                best = above < best ? above : best;
                best = row[k - 1] < best ? row[k - 1] : best;
                best++;
            }
            diagonal = above;
            row[k] = best;
        }
    }
    return row[b.n];
}

void
ag_gql_suggest(struct ag_gql *g, struct ag_str typed, struct ag_str option, struct ag_gql_suggestions *ret)
{
    if (g->is_quiet || typed.n > NAME_MAX || option.n > NAME_MAX ||
        !ag_gql_charge(g, 1 + (uint64_t)typed.n * option.n / 8))
        return;
    uint32_t distance = distance_of(typed, option);
    if (distance > typed.n * 2 / 5 + 1)
        return;
    uint32_t at = ret->n;
    while (at > 0 && ret->distance[at - 1] > distance)
        at--;
    if (at == AG_GQL_SUGGESTIONS_MAX)
        return;
    if (ret->n < AG_GQL_SUGGESTIONS_MAX)
        ret->n++;
    for (uint32_t i = ret->n - 1; i > at; i--) {
        ret->name[i] = ret->name[i - 1];
        ret->distance[i] = ret->distance[i - 1];
    }
    ret->name[at] = option;
    ret->distance[at] = distance;
}

const char *
ag_gql_suggestion_text(const struct ag_gql_suggestions *s, const char *before, char *out)
{
    struct ag_buf b;
    ag_buf_init(&b, out, AG_GQL_ERROR_MAX - 1);
    for (uint32_t i = 0; i < s->n; i++) {
        if (i == 0) {
            ag_buf_str(&b, ag_str_z(before));
            ag_buf_char(&b, ' ');
        } else {
            ag_buf_str(&b, i + 1 < s->n ? AG_STR(", ") : s->n == 2 ? AG_STR(" or ") : AG_STR(", or "));
        }
        ag_buf_char(&b, '"');
        ag_buf_str(&b, s->name[i]);
        ag_buf_char(&b, '"');
    }
    if (s->n)
        ag_buf_char(&b, '?');
    out[b.n] = 0;
    return out;
}
