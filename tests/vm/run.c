// SPDX-License-Identifier: Apache-2.0
// Runs .vmt files: assembles, verifies, evaluates the entrypoint `main` or `decide` and compares.
// In: files as arguments. Out: TAP. README.md describes the sections. Next file to read: any .vmt beside
// this.
#include "../unit/t.h"
#include "asm.h"
#include "buf.h"
#include "eval.h"

static uint8_t image[1 << 18] __attribute__((aligned(64)));
static uint8_t memory[1 << 20] __attribute__((aligned(64)));
static struct ag_value regs[8192];
static char file[1 << 16];

// The text between "--- name" and the next "---"; empty when there is none.
static struct ag_str
section(struct ag_str text, const char *name)
{
    char head[64];
    int n = snprintf(head, sizeof head, "--- %s\n", name);
    const char *from = memmem(text.p, text.n, head, (size_t)n);
    if (!from)
        return ag_str_of("", 0);
    from += n;
    size_t left = text.n - (size_t)(from - text.p);
    const char *end = memmem(from, left, "\n--- ", 5);
    struct ag_str part = ag_str_of(from, end ? (size_t)(end - from) : left);
    while (part.n && part.p[part.n - 1] == '\n')
        part.n--;
    return part;
}

static void
print_value(const struct ag_call *c, struct ag_value v, struct ag_buf *out)
{
    if (v.kind == AG_UNDEF) {
        ag_buf_lit(out, "undefined");
    } else if (v.kind == AG_ERROR) {
        ag_buf_lit(out, "error ");
        ag_buf_i64(out, v.i);
    } else {
        ag_json_write(&c->mem, v, out, 0);
    }
}

static void
print_outcome(const struct ag_outcome *o, struct ag_buf *out)
{
    ag_buf_str(out, ag_severity_text(o->decision));
    ag_buf_char(out, ' ');
    ag_buf_str(out, o->rule.n ? o->rule : AG_STR("-"));
    ag_buf_char(out, ' ');
    ag_buf_str(out, o->reason);
}

static void
evaluate(struct ag_str text, const struct ag_image *im, struct ag_buf *out)
{
    static struct ag_outcome outcome;
    struct ag_arena arena;
    struct ag_value input = ag_undef(), v;
    struct ag_json_error e;
    struct ag_str json = section(text, "input");
    ag_arena_init(&arena, memory, sizeof memory);
    struct ag_call c = {.im = im, .regs = regs, .nregs = 8192, .fuel = 100000, .outcome = &outcome};
    c.mem = (struct ag_mem){.base = {NULL, memory, (const uint8_t *)json.p}, .arena = &arena};
    if (json.n && ag_json_read(&c.mem, json, &input, &e) != AG_JSON_OK) {
        ag_buf_lit(out, "input is no JSON");
        return;
    }
    enum ag_eval_status s = ag_eval(&c, 0, input, &v);
    if (s != AG_EVAL_OK) {
        static const char *const names[] = {"ok", "fuel", "arena", "state", "kill"};
        ag_buf_lit(out, "status ");
        ag_buf_str(out, ag_str_z(names[s]));
    } else if (im->entries[0].is_decision) {
        print_outcome(&outcome, out);
    } else {
        print_value(&c, v, out);
    }
}

static void
run_file(const char *name)
{
    FILE *f = fopen(name, "rb");
    size_t n = f ? fread(file, 1, sizeof file, f) : 0;
    if (f)
        fclose(f);
    struct ag_str text = ag_str_of(file, n), want = section(text, "result"),
                  refused = section(text, "refused");
    struct ag_image im;
    struct ag_image_error e = {.status = AG_IMAGE_OK};
    char got_text[4096];
    struct ag_buf got;
    ag_buf_init(&got, got_text, sizeof got_text);
    size_t size = asm_image(section(text, "asm"), image, sizeof image);
    const char *base = strrchr(name, '/') ? strrchr(name, '/') + 1 : name;
    if (!size || ag_image_open(image, size, &im, &e) != AG_IMAGE_OK ||
        ag_image_verify(&im, &e) != AG_IMAGE_OK) {
        bool ok = refused.n && memmem(e.text, strlen(e.text), refused.p, refused.n);
        OK(ok, "%s refused", base);
        if (!ok)
            printf("# refused at %llu: %s\n", (unsigned long long)e.offset, e.text);
        return;
    }
    evaluate(text, &im, &got);
    bool ok = !refused.n && got.n == want.n && memcmp(got_text, want.p, want.n) == 0;
    OK(ok, "%s", base);
    if (!ok)
        printf("# got  %.*s\n# want %.*s\n", (int)got.n, got_text, (int)want.n, want.p);
}

int
main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        run_file(argv[i]);
    return t_done();
}
