// SPDX-License-Identifier: Apache-2.0
// Built-in functions (D11, D12): every line of a file of calls with the results that Open Policy Agent gives,
// values and errors alike; rows and signatures agree; work is charged and bounded.
#include "t.h"
#include "builtins/builtin_fns.h"
#include "limits.h"

static uint8_t memory[8 << 20] __attribute__((aligned(64)));
static char line[1 << 16];
static struct ag_arena arena;
static struct ag_image image;
static struct ag_call call;

static void
begin(void)
{
    ag_arena_init(&arena, memory, sizeof memory);
    call = (struct ag_call){.im = &image, .fuel = 10000000};
    call.mem = (struct ag_mem){.base = {memory, memory, memory}, .arena = &arena};
}

// {"$set": [..]} and {"$obj": [[k, v], ..]} as what they stand for.
static struct ag_value
decode(struct ag_value v)
{
    const struct ag_mem *m = &call.mem;
    struct ag_value set = ag_object_get(m, v, AG_STR("$set")), obj = ag_object_get(m, v, AG_STR("$obj"));
    if (v.kind != AG_ARRAY && v.kind != AG_OBJECT)
        return v;
    struct ag_value from = set.kind == AG_ARRAY ? set : obj.kind == AG_ARRAY ? obj : v;
    bool pairs = obj.kind == AG_ARRAY, members = from.kind == AG_OBJECT;
    struct ag_builder *b = ag_builder_new(m, set.kind == AG_ARRAY ? AG_SET : pairs ? AG_OBJECT : v.kind);
    for (uint32_t i = 0; i < from.len; i++) {
        struct ag_value e = ag_value_at(m, from, i);
        if (pairs)
            ag_builder_put(m, b, decode(ag_value_at(m, e, 0)), decode(ag_value_at(m, e, 1)));
        else if (members)
            ag_builder_put(m, b, ag_object_key(m, from, i), decode(e));
        else
            ag_builder_push(m, b, decode(e));
    }
    return ag_builder_close(m, b);
}

static struct ag_value
read(const char *json, size_t n)
{
    struct ag_value v = ag_undef();
    struct ag_json_error e;
    struct ag_value text = ag_string_copy(&call.mem, ag_str_of(json, n));
    ag_json_read(&call.mem, ag_value_str(text), &v, &e);
    return decode(v);
}

// The answer as the file has it: JSON, "undefined", or "!CODE: MESSAGE" with line ends escaped.
static void
answer(struct ag_value v, struct ag_buf *out)
{
    char text[1024];
    struct ag_buf message;
    if (v.kind == AG_UNDEF) {
        ag_buf_str(out, call.stop == AG_EVAL_OK ? AG_STR("undefined") : AG_STR("stopped"));
        return;
    }
    if (v.kind != AG_ERROR) {
        ag_json_write(&call.mem, v, out, 0);
        return;
    }
    ag_buf_init(&message, text, sizeof text);
    ag_error_message(&call, v, &message);
    ag_buf_char(out, '!');
    ag_buf_str(out, ag_str_z(ag_error_code(v)));
    ag_buf_lit(out, ": ");
    for (size_t i = 0; i < message.n; i++)
        if (text[i] == '\n' || text[i] == '\t')
            ag_buf_str(out, text[i] == '\n' ? AG_STR("\\n") : AG_STR("\\t"));
        else
            ag_buf_char(out, text[i]);
}

// One line: function, arguments, answer, parted by tabs.
static void
run_line(char *name, char *args, const char *want)
{
    static char got[1 << 17];
    struct ag_value r[AG_BUILTIN_ARGS_MAX];
    struct ag_buf out;
    begin();
    uint32_t ix = ag_builtin_find(ag_str_z(name));
    struct ag_value list = read(args, strlen(args));
    ag_buf_init(&out, got, sizeof got - 1);
    if (ix == AG_NONE || list.kind != AG_ARRAY || list.len != ag_builtin_table[ix].nargs) {
        OK(false, "%s: no such function or other arguments", name);
        return;
    }
    for (uint32_t i = 0; i < list.len; i++)
        r[i] = ag_value_at(&call.mem, list, i);
    answer(ag_builtin_call(&call, ix, r, list.len), &out);
    got[out.n] = '\0';
    OK(strcmp(got, want) == 0, "%s(%.120s)", name, args);
    if (strcmp(got, want) != 0)
        printf("# want %s\n# got  %s\n", want, got);
}

static void
run_file(const char *path)
{
    FILE *f = fopen(path, "r");
    OK(f != NULL, "%s opens", path);
    while (f && fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = '\0';
        char *args = strchr(line, '\t'), *want = args ? strchr(args + 1, '\t') : NULL;
        if (line[0] == '#' || !want)
            continue;
        *args++ = '\0';
        *want++ = '\0';
        run_line(line, args, want);
    }
    if (f)
        fclose(f);
}

// --- rows

// The kinds that a type of a signature names at its top; the end of it in *ret_end.
static unsigned
kinds_of(const char *p, const char **ret_end)
{
    static const char words[][4] = {"nul", "boo", "num", "str", "arr", "obj", "set"};
    unsigned kinds = 0, depth = 0;
    bool at_word = true;
    for (; *p && !(depth == 0 && (*p == ';' || *p == '-')); p++) {
        for (unsigned i = 0; at_word && i < 7; i++)
            if (strncmp(p, words[i], 3) == 0)
                kinds |= 1u << i;
        if (at_word && strncmp(p, "any", 3) == 0)
            kinds |= AG_T_ANY;
        depth += *p == '[' || *p == '<';
        depth -= *p == ']' || *p == '>';
        at_word = depth == 0 && (*p == '|' || (at_word && *p == ' '));
    }
    *ret_end = p;
    return kinds;
}

static void
test_rows(void)
{
    for (uint32_t i = 0; i < AG_BUILTIN_COUNT; i++) {
        const struct ag_builtin *b = &ag_builtin_table[i];
        const char *p = b->signature;
        bool ok = true;
        for (uint32_t k = 0; k < b->nargs; k++) {
            unsigned kinds = kinds_of(p, &p);
            ok &= kinds != 0 && (kinds == b->arg[k] || b->arg[k] == AG_T_ANY);
            p += *p == ';';
        }
        ok &= strncmp(p, "-> ", 3) == 0;
        unsigned result = ok ? kinds_of(p + 3, &p) : 0;
        OK(ok && *p == '\0' && (result == b->result || result == AG_T_ANY || b->result == AG_T_ANY),
           "the signature of %s fits its kinds: %s", b->name, b->signature);
        OK(ag_builtin_find(ag_str_z(b->name)) == i, "%s is found once", b->name);
    }
}

// How often each letter and mark occurs up to the next ";" or "->": equal for types that differ in the order
// of their alternatives alone.
static const char *
count_letters(const char *p, unsigned *n)
{
    memset(n, 0, 256 * sizeof *n);
    for (; *p && *p != ';' && strncmp(p, "->", 2) != 0; p++)
        if (*p != ' ')
            n[(unsigned char)*p]++;
    return *p ? p + 1 + (*p == '-') : NULL;
}

static bool
same_types(const char *a, const char *b)
{
    unsigned x[256], y[256];
    while (a && b) {
        a = count_letters(a, x);
        b = count_letters(b, y);
        if (memcmp(x, y, sizeof x) != 0)
            return false;
    }
    return !a && !b;
}

// D11: the checker of types knows of each built-in what Open Policy Agent declares.
static void
run_signatures(const char *path)
{
    FILE *f = fopen(path, "r");
    OK(f != NULL, "%s opens", path);
    while (f && fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = '\0';
        char *types = strchr(line, '\t');
        if (line[0] == '#' || !types)
            continue;
        *types++ = '\0';
        uint32_t ix = ag_builtin_find(ag_str_z(line));
        if (ix != AG_NONE)
            OK(same_types(types, ag_builtin_table[ix].signature), "%s takes and gives %s, not %s", line,
               types, ag_builtin_table[ix].signature);
    }
    if (f)
        fclose(f);
}

// --- bounds
static struct ag_value
with_fuel(const char *name, const char *args, uint64_t fuel)
{
    struct ag_value r[AG_BUILTIN_ARGS_MAX];
    begin();
    struct ag_value list = read(args, strlen(args));
    for (uint32_t i = 0; i < list.len; i++)
        r[i] = ag_value_at(&call.mem, list, i);
    call.fuel = fuel;
    return ag_builtin_call(&call, ag_builtin_find(ag_str_z(name)), r, list.len);
}

// n times `open` in a YAML text.
static struct ag_value
nested_yaml(unsigned n)
{
    char args[256];
    memset(args, 0, sizeof args);
    memcpy(args, "[\"", 2);
    memset(args + 2, '[', n);
    memset(args + 2 + n, ']', n);
    memcpy(args + 2 + 2 * n, "\"]", 2);
    return with_fuel("yaml.unmarshal", args, 100000);
}

static void
test_yaml_bounds(void)
{
    OK(nested_yaml(64).kind == AG_ARRAY, "collections of YAML at the greatest depth");
    OK(nested_yaml(65).kind == AG_ERROR, "one deeper is an error");
    struct ag_value v = with_fuel("yaml.unmarshal",
                                  "[\"a: &a [x,x,x,x,x,x,x,x,x,x]\\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\\n"
                                  "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\\n"
                                  "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\\n"
                                  "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\\nf: [*e,*e]\"]",
                                  1000000);
    OK(v.kind == AG_ERROR, "aliases of aliases that stand for too much are an error");
}

static void
test_bounds(void)
{
    OK(with_fuel("sprintf", "[\"%1000d\",[1]]", 80).kind == AG_STRING, "a wide verb within the fuel");
    struct ag_value v = with_fuel("sprintf", "[\"%1000000d\",[1]]", 1000);
    OK(v.kind == AG_UNDEF && call.stop == AG_EVAL_FUEL,
       "a wider one than the fuel pays for ends the evaluation");
    v = with_fuel("numbers.range", "[0,16777215]", 1000);
    OK(v.kind == AG_UNDEF && call.stop == AG_EVAL_FUEL, "a long range is charged before it is made");
    v = with_fuel("numbers.range", "[1,16777217]", 1u << 30);
    OK(v.kind == AG_ERROR && call.stop == AG_EVAL_OK, "more elements than a container holds are an error");
    v = with_fuel("bits.lsh", "[1,8504]", 10000);
    OK(v.kind == AG_NUMBER, "2560 digits");
    v = with_fuel("bits.lsh", "[1,8505]", 10000);
    OK(v.kind == AG_ERROR && call.stop == AG_EVAL_OK, "2561 digits are an error");
    v = with_fuel("to_number", "[[1]]", 100);
    OK(v.kind == AG_ERROR, "an argument of another kind is an error");
    v = with_fuel("base64.decode", "[\"/w==\"]", 100);
    OK(v.kind == AG_ERROR, "decoded bytes that are no text are an error");
    v = with_fuel("json.unmarshal", "[\"{\\\"a\\\":1,\\\"a\\\":2}\"]", 100);
    OK(v.kind == AG_ERROR, "a key twice is an error");
    v = with_fuel("json.is_valid", "[\"{\\\"a\\\":1,\\\"a\\\":2}\"]", 100);
    OK(v.kind == AG_BOOL && v.i == 1, "but the text is JSON");
    v = with_fuel("strings.render_template", "[\"{{range 1000000}}{{range 1000000}}{{end}}{{end}}\",{}]",
                  1000);
    OK(v.kind == AG_UNDEF && call.stop == AG_EVAL_FUEL, "rounds of a template are charged");
    test_yaml_bounds();
}

int
main(int argc, char **argv)
{
    test_rows();
    test_bounds();
    for (int i = 1; i < argc; i++)
        if (strstr(argv[i], "signatures"))
            run_signatures(argv[i]);
        else
            run_file(argv[i]);
    return t_done();
}
