// SPDX-License-Identifier: Apache-2.0
// JSON in and out (B16, D45): what is accepted, what is refused and where, canonical form, limits on both
// sides.
#include "t.h"
#include "value.h"
#include "buf.h"
#include "limits.h"

static uint8_t memory[1 << 20] __attribute__((aligned(64)));
static struct ag_arena arena;
static struct ag_mem mem;

static enum ag_json_status
read_text(const char *text, size_t n, struct ag_value *v, struct ag_json_error *e)
{
    ag_arena_init(&arena, memory, sizeof memory);
    mem = (struct ag_mem){.base = {NULL, memory, (const uint8_t *)text}, .arena = &arena};
    return ag_json_read(&mem, ag_str_of(text, n), v, e);
}

static void
accepts(const char *text, const char *canonical)
{
    static char out[4096];
    struct ag_value v;
    struct ag_json_error e = {0};
    struct ag_buf b;
    ag_buf_init(&b, out, sizeof out);
    enum ag_json_status s = read_text(text, strlen(text), &v, &e);
    bool ok = s == AG_JSON_OK && ag_json_write_canonical(&mem, v, &b) && b.n == strlen(canonical) &&
              memcmp(out, canonical, b.n) == 0;
    OK(ok, "%.60s", text);
    if (!ok)
        printf("# status %s at %zu, got %.*s\n", ag_json_status_text(s), e.offset, (int)b.n, out);
}

static void
refuses(const char *text, enum ag_json_status want, size_t offset)
{
    struct ag_value v;
    struct ag_json_error e = {0};
    enum ag_json_status s = read_text(text, strlen(text), &v, &e);
    OK(s == want && e.offset == offset, "refused: %.60s", text);
    if (s != want || e.offset != offset)
        printf("# got %s at %zu\n", ag_json_status_text(s), e.offset);
}

static void
test_values(void)
{
    accepts("null", "null");
    accepts(" [ ] ", "[]");
    accepts("{\"b\":1,\"a\":[true,false]}", "{\"a\":[true,false],\"b\":1}");
    accepts("[0,-1,9007199254740993,-9223372036854775808,9223372036854775807,72057594037927936]",
            "[0,-1,9007199254740993,-9223372036854775808,9223372036854775807,72057594037927936]");
    accepts("[1.50,1e2,-0,0.1,18446744073709551616]", "[1.5,100,0,0.1,18446744073709551616]");
    accepts("\"\\u00e9\\ud83d\\ude00\\n\\/\"", "\"\xc3\xa9\xf0\x9f\x98\x80\\n/\"");
    accepts("{\"0123456789abcdef\\\"\":\"x\",\"0123456789abcdef\":{}}",
            "{\"0123456789abcdef\":{},\"0123456789abcdef\\\"\":\"x\"}");
    accepts("[\"a long string that passes sixteen bytes \xc3\xa9 twice\"]",
            "[\"a long string that passes sixteen bytes \xc3\xa9 twice\"]");
    accepts("{\"\":0,\"\\u0000\":1}", "{\"\":0,\"\\u0000\":1}");
}

static void
test_refusals(void)
{
    refuses("", AG_JSON_SYNTAX, 0);
    refuses("[1,]", AG_JSON_SYNTAX, 3);
    refuses("{\"a\":1,}", AG_JSON_SYNTAX, 7);
    refuses("{a:1}", AG_JSON_SYNTAX, 1);
    refuses("[1 2]", AG_JSON_SYNTAX, 3);
    refuses("01", AG_JSON_SYNTAX, 0);
    refuses("1.", AG_JSON_SYNTAX, 0);
    refuses("-", AG_JSON_SYNTAX, 0);
    refuses("nul", AG_JSON_SYNTAX, 0);
    refuses("\"a\tb\"", AG_JSON_SYNTAX, 2);
    refuses("\"abc", AG_JSON_SYNTAX, 4);
    refuses("\"abc\\", AG_JSON_SYNTAX, 4);
    refuses("\"\\x\"", AG_JSON_SYNTAX, 1);
    refuses("\"\\ud800\"", AG_JSON_UTF8, 1);
    refuses("\"\\udc00\"", AG_JSON_UTF8, 1);
    refuses("\"\xc0\x80\"", AG_JSON_UTF8, 1);
    refuses("{} {}", AG_JSON_TRAILING, 3);
    refuses("{\"a\":1,\"a\":1}", AG_JSON_DUPLICATE_KEY, 13);
    refuses("{\"a\":1,\"\\u0061\":1}", AG_JSON_DUPLICATE_KEY, 18);
    refuses("{\"longer than eight\":1,\"b\":2,\"longer than eight\":1}", AG_JSON_DUPLICATE_KEY, 51);
    refuses("1e999999", AG_JSON_NUMBER, 0);
}

static void
test_limits(void)
{
    static char text[2 * (AG_DEPTH_MAX + 1) + 1];
    for (unsigned extra = 0; extra < 2; extra++) {
        unsigned n = AG_DEPTH_MAX + extra;
        memset(text, '[', n);
        memset(text + n, ']', n);
        struct ag_value v;
        struct ag_json_error e;
        enum ag_json_status s = read_text(text, 2 * (size_t)n, &v, &e);
        OK(s == (extra ? AG_JSON_DEPTH : AG_JSON_OK), "%u levels", n);
    }
    struct ag_value v;
    struct ag_json_error e;
    OK(read_text("[", (size_t)AG_JSON_MAX + 1, &v, &e) == AG_JSON_LIMIT,
       "a text past the limit is not looked at");
}

// Every size of arena either holds the value or says so; nothing is written past it.
static void
test_small_arenas(void)
{
    static const char text[] =
        "{\"k\":[1,2,{\"x\":1.5,\"y\":\"\\n\"}],\"j\":[[],[]],\"i\":9223372036854775807}";
    unsigned ok = 0, full = 0, other = 0;
    for (size_t size = 16; size < 1024; size++) {
        struct ag_value v;
        struct ag_json_error e;
        memset(memory + size, 0xa5, 64);
        ag_arena_init(&arena, memory, size);
        mem = (struct ag_mem){.base = {NULL, memory, (const uint8_t *)text}, .arena = &arena};
        enum ag_json_status s = ag_json_read(&mem, ag_str_of(text, sizeof text - 1), &v, &e);
        for (size_t i = 0; i < 64; i++)
            other += memory[size + i] != 0xa5;
        ok += s == AG_JSON_OK;
        full += s == AG_JSON_ARENA;
        other += s != AG_JSON_OK && s != AG_JSON_ARENA;
        other += s == AG_JSON_ARENA && arena.used != AG_ARENA_RESERVED;
    }
    OK(other == 0 && ok > 100 && full > 100, "%u sizes suffice, %u do not, nothing else happens", ok, full);
}

// Many members take the other sort; the order of insertion does not matter.
static void
test_many_members(void)
{
    static char text[20000];
    size_t n = 0;
    text[n++] = '{';
    for (int i = 0; i < 1000; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%s\"key%03d\":%d", i ? "," : "", i * 7 % 1000,
                              i * 7 % 1000);
    text[n++] = '}';
    struct ag_value v;
    struct ag_json_error e;
    OK(read_text(text, n, &v, &e) == AG_JSON_OK && v.len == 1000, "1000 members");
    bool sorted = true;
    for (uint32_t i = 0; i < v.len; i++)
        sorted &= ag_value_at(&mem, v, i).i == (int64_t)i;
    OK(sorted, "sorted by key");
    OK(ag_object_get(&mem, v, AG_STR("key777")).i == 777, "found by key");
    OK(ag_object_get(&mem, v, AG_STR("key1000")).kind == AG_UNDEF, "a missing key is undefined");
}

int
main(void)
{
    test_values();
    test_refusals();
    test_limits();
    test_small_arenas();
    test_many_members();
    return t_done();
}
