// SPDX-License-Identifier: Apache-2.0
// The meaning of plain scalars: YAML 1.1 as Go's yaml.v2 has it. In: the text of a scalar and its tag. Out: a
// value. Infinite numbers have no JSON and are refused. Memory: the call's arena. Next file to read:
// yaml_write.c.
#include "number.h"
#include "yaml.h"

static const struct {
    const char *text;
    enum ag_yaml_kind kind;
    bool b;
} words[] = {
    {"", AG_YAML_NULL, 0},          {"~", AG_YAML_NULL, 0},         {"null", AG_YAML_NULL, 0},
    {"Null", AG_YAML_NULL, 0},      {"NULL", AG_YAML_NULL, 0},      {"y", AG_YAML_BOOL, 1},
    {"Y", AG_YAML_BOOL, 1},         {"yes", AG_YAML_BOOL, 1},       {"Yes", AG_YAML_BOOL, 1},
    {"YES", AG_YAML_BOOL, 1},       {"true", AG_YAML_BOOL, 1},      {"True", AG_YAML_BOOL, 1},
    {"TRUE", AG_YAML_BOOL, 1},      {"on", AG_YAML_BOOL, 1},        {"On", AG_YAML_BOOL, 1},
    {"ON", AG_YAML_BOOL, 1},        {"n", AG_YAML_BOOL, 0},         {"N", AG_YAML_BOOL, 0},
    {"no", AG_YAML_BOOL, 0},        {"No", AG_YAML_BOOL, 0},        {"NO", AG_YAML_BOOL, 0},
    {"false", AG_YAML_BOOL, 0},     {"False", AG_YAML_BOOL, 0},     {"FALSE", AG_YAML_BOOL, 0},
    {"off", AG_YAML_BOOL, 0},       {"Off", AG_YAML_BOOL, 0},       {"OFF", AG_YAML_BOOL, 0},
    {".nan", AG_YAML_INFINITE, 0},  {".NaN", AG_YAML_INFINITE, 0},  {".NAN", AG_YAML_INFINITE, 0},
    {".inf", AG_YAML_INFINITE, 0},  {".Inf", AG_YAML_INFINITE, 0},  {".INF", AG_YAML_INFINITE, 0},
    {"+.inf", AG_YAML_INFINITE, 0}, {"+.Inf", AG_YAML_INFINITE, 0}, {"+.INF", AG_YAML_INFINITE, 0},
    {"-.inf", AG_YAML_INFINITE, 0}, {"-.Inf", AG_YAML_INFINITE, 0}, {"-.INF", AG_YAML_INFINITE, 0},
};

static bool
is_digit(char ch)
{
    return ch >= '0' && ch <= '9';
}

// Digits of a base with a sign, "_" taken out: an integer between -2^63 and 2^64 - 1. False: none.
static bool
read_integer(struct ag_call *c, struct ag_str s, struct ag_value *ret)
{
    char text[24];
    struct ag_buf b;
    struct ag_num num;
    uint64_t value = 0;
    size_t i = s.n && (s.p[0] == '-' || s.p[0] == '+');
    bool is_negative = i && s.p[0] == '-';
    unsigned base = 10;
    if (s.n - i > 1 && s.p[i] == '0') {
        char mark = (char)(s.p[i + 1] | 0x20);
        base = mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
        i += mark == 'x' || mark == 'b' || mark == 'o' ? 2 : 1;
    }
    if (i == s.n)
        return false;
    for (; i < s.n; i++) {
        char low = (char)(s.p[i] | 0x20);
        unsigned d = is_digit(s.p[i])           ? (unsigned)(s.p[i] - '0')
                     : low >= 'a' && low <= 'f' ? (unsigned)(low - 'a') + 10
                                                : 99;
        if (d >= base || value > (UINT64_MAX - d) / base)
            return false;
        value = value * base + d;
    }
    if (value > (uint64_t)INT64_MAX + is_negative && (is_negative || s.p[0] == '+'))
        return false;
    ag_buf_init(&b, text, sizeof text);
    if (is_negative && value)
        ag_buf_char(&b, '-');
    ag_buf_u64(&b, value);
    if (ag_num_parse(ag_str_of(text, b.n), c->mem.arena, &num) != AG_NUM_OK)
        return false;
    *ret = ag_number_value(&c->mem, num);
    return true;
}

// Bytes of a float: sign, digits with a point, exponent. 0: it is none.
static size_t
float_shape(struct ag_str s)
{
    size_t i = s.n && (s.p[0] == '-' || s.p[0] == '+'), digits = 0;
    for (; i < s.n && is_digit(s.p[i]); i++)
        digits++;
    if (i < s.n && s.p[i] == '.')
        for (i++; i < s.n && is_digit(s.p[i]); i++)
            digits++;
    if (!digits)
        return 0;
    if (i < s.n && (s.p[i] | 0x20) == 'e') {
        i++;
        i += i < s.n && (s.p[i] == '-' || s.p[i] == '+');
        if (i == s.n)
            return 0;
        while (i < s.n && is_digit(s.p[i]))
            i++;
    }
    return i == s.n ? i : 0;
}

// A float64 by its text, as JSON spells the shortest one. False: not finite, or too long.
static bool
read_float(struct ag_call *c, struct ag_str s, struct ag_value *ret)
{
    char text[AG_NUM_TEXT_MAX + 8];
    struct ag_buf b;
    struct ag_num num;
    ag_buf_init(&b, text, sizeof text);
    size_t i = s.p[0] == '+' || s.p[0] == '-';
    if (s.p[0] == '-')
        ag_buf_char(&b, '-');
    while (i + 1 < s.n && s.p[i] == '0' && is_digit(s.p[i + 1]))
        i++;
    for (; i < s.n; i++) {
        bool is_point = s.p[i] == '.';
        if (is_point && (b.n == 0 || !is_digit(text[b.n - 1])))
            ag_buf_char(&b, '0');
        ag_buf_char(&b, s.p[i]);
        if (is_point && (i + 1 == s.n || !is_digit(s.p[i + 1])))
            ag_buf_char(&b, '0');
    }
    if (b.is_full || ag_num_parse(ag_str_of(text, b.n), c->mem.arena, &num) != AG_NUM_OK)
        return false;
    double d = ag_num_to_double(num);
    if (d - d != 0 || ag_num_from_double(d, c->mem.arena, &num) != AG_NUM_OK)
        return false;
    ag_buf_init(&b, text, sizeof text);
    ag_num_put_canonical(&b, num);
    if (b.is_full || ag_num_parse(ag_str_of(text, b.n), c->mem.arena, &num) != AG_NUM_OK)
        return false;
    *ret = ag_number_value(&c->mem, num);
    return true;
}

// A date: four digits, then "-", one or two digits, "-", one or two, and what a time of the day may have.
static bool
is_date(struct ag_str s)
{
    size_t i = 0, from;
    while (i < s.n && is_digit(s.p[i]))
        i++;
    if (i != 4)
        return false;
    for (unsigned part = 0; part < 2; part++) {
        if (i >= s.n || s.p[i++] != '-')
            return false;
        for (from = i; i < s.n && is_digit(s.p[i]);)
            i++;
        if (i == from || i - from > 2)
            return false;
    }
    return i == s.n || s.p[i] == 't' || s.p[i] == 'T' || s.p[i] == ' ';
}

enum ag_yaml_kind
ag_yaml_resolve(struct ag_call *c, struct ag_str s, struct ag_value *ret)
{
    char plain[AG_NUM_TEXT_MAX];
    size_t n = 0;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (ag_str_is(s, words[i].text)) {
            *ret = ag_bool(words[i].b);
            return words[i].kind;
        }
    bool is_point = s.p[0] == '.';
    if ((!is_digit(s.p[0]) && s.p[0] != '-' && s.p[0] != '+' && !is_point) || s.n > sizeof plain)
        return AG_YAML_TEXT;
    if (is_date(s))
        return AG_YAML_TIME;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != '_' || is_point)
            plain[n++] = s.p[i];
    struct ag_str bare = ag_str_of(plain, n);
    if (!is_point && read_integer(c, bare, ret))
        return AG_YAML_NUMBER;
    return float_shape(bare) && read_float(c, bare, ret) ? AG_YAML_NUMBER : AG_YAML_TEXT;
}

static struct ag_value
decoded(struct ag_yaml *y, struct ag_value text)
{
    struct ag_value v = ag_bi_base64_decode(y->c, &text);
    if (v.kind == AG_STRING || v.kind == AG_UNDEF)
        return v;
    return ag_yaml_refuse(y, "!!binary value contains invalid base64 data");
}

struct ag_value
ag_yaml_tagged(struct ag_yaml *y, struct ag_value text, struct ag_str tag, enum ag_yaml_style style)
{
    struct ag_value v = text;
    if (ag_str_is(tag, "!!binary"))
        return decoded(y, text);
    bool is_int = ag_str_is(tag, "!!int"), is_float = ag_str_is(tag, "!!float"),
         is_bool = ag_str_is(tag, "!!bool"), is_null = ag_str_is(tag, "!!null");
    bool is_typed = is_int || is_float || is_bool || is_null;
    if ((tag.n && !is_typed && !ag_str_is(tag, "!!timestamp")) || (!tag.n && style == AG_YAML_QUOTED))
        return text;
    enum ag_yaml_kind kind = ag_yaml_resolve(y->c, ag_value_str(text), &v);
    if (kind == AG_YAML_INFINITE)
        return ag_yaml_refuse(y, "json: unsupported value: the number is not finite");
    if ((is_typed && kind != (is_null   ? AG_YAML_NULL
                              : is_bool ? AG_YAML_BOOL
                                        : AG_YAML_NUMBER)) ||
        (is_int && kind == AG_YAML_NUMBER && v.sub && !ag_num_is_int(ag_number_view(v))))
        return ag_yaml_refuse(y, "cannot decode the scalar as what its tag says");
    return kind == AG_YAML_NULL ? ag_null() : kind == AG_YAML_TEXT || kind == AG_YAML_TIME ? text : v;
}
