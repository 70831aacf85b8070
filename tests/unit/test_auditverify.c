// SPDX-License-Identifier: Apache-2.0
// The verifier against logs that are signed and hashed correctly but lie: holes in wseq, wrong prev, rows
// after an end, shrinking daily files, a foreign origin, wrong payloads. Each is refused and the row or file
// named (A35, D29, D33).
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "t.h"
#include "audit.h"
#include "sha256.h"
#include "tiles.h"

static char base[64], dir[96];
static struct agr_note_signer key, row_key;
static char vkey[AGR_VKEY_SIZE];

// What a case changes; everything else is an honest log of 600 rows in batches of 7, two writers.
struct lie {
    const char *name, *expect; // expect: part of the report's text
    uint64_t row;              // where it is, UINT64_MAX: not a row
    int what;
};
enum {
    NONE,
    HOLE,
    TWICE,
    FIRST,
    PREV,
    PREV_OLD,
    AFTER_END,
    WRONG_END,
    GSEQ,
    JUNK,
    ID,
    DAY_SHRINKS,
    DAY_ROOT,
    DAY_AHEAD,
    ORIGIN,
    SIZE,
    TWO_LINES,
    END_BY_WRITER,
    TIME
};

#define ROWS 600u

static const struct lie lies[] = {
    {"an honest log", "", UINT64_MAX, NONE},
    {"a hole in wseq", "goes from wseq", 300, HOLE},
    {"a wseq twice", "goes from wseq", 301, TWICE},
    {"a journal that begins at 2", "instead of 1", 1, FIRST},
    {"a wrong prev", "prev is not", 100, PREV},
    {"the prev of an older batch", "prev is not", 107, PREV_OLD},
    {"rows after the end", "after its end", 401, AFTER_END},
    {"an end at another wseq", "said to end", 400, WRONG_END},
    {"a wrong gseq", "its gseq is", 77, GSEQ},
    {"a line that is no row", "not a row", 78, JUNK},
    {"an id of another row", "not a row", 79, ID},
    {"an end row by a writer", "not the sequencer's", 200, END_BY_WRITER},
    {"a time that is none", "not a row", 201, TIME},
    {"an entry of two lines", "signed", 202, TWO_LINES},
    {"a daily file that shrinks", "smaller", UINT64_MAX, DAY_SHRINKS},
    {"a daily root of another log", "its root", UINT64_MAX, DAY_ROOT},
    {"a daily file ahead of the checkpoint", "missing", UINT64_MAX, DAY_AHEAD},
    {"an origin that is not the key's", "origin", UINT64_MAX, ORIGIN},
    {"a size that is too small by one", "root", UINT64_MAX, SIZE},
};

static void
put_note(const char *path, const char *origin, uint64_t size, const struct agr_hash *root, bool is_append)
{
    char text[512], note[1024], full[160];
    struct ag_buf t, b;
    const struct agr_note_signer *s = &key;
    ag_buf_init(&t, text, sizeof(text));
    agr_checkpoint_format(ag_str_z(origin), size, root, &t);
    ag_buf_init(&b, note, sizeof(note));
    agr_note_sign(&s, 1, ag_str_of(text, t.n), &b);
    snprintf(full, sizeof(full), "%s/%s", dir, path);
    FILE *f = fopen(full, is_append ? "a" : "w");
    if (!f || fwrite(note, 1, b.n, f) != b.n || fclose(f) != 0)
        exit(1);
}

static size_t
compose(const struct lie *l, uint64_t g, const struct agr_hash *prev, uint64_t wseq[3], char *mem,
        size_t size)
{
    bool is_here = g == l->row;
    struct agr_row row = {.gseq = g,
                          .prev = *prev,
                          .boot = 5,
                          .worker = 1,
                          .journal = 1 + (uint32_t)(g % 2),
                          .time_ns = 1700000000000000000 + (int64_t)g,
                          .type = AGR_ROW_DECISION,
                          .body = AG_STR("{\"a\":1}")};
    struct ag_buf b;
    // Row 400 ends journal 2, which from then on writes no more.
    if (g == 400) {
        row.journal = 0;
        row.type = AGR_ROW_END;
    } else if (g > 400) {
        row.journal = 1;
    }
    if (is_here && l->what == AFTER_END)
        row.journal = 2;
    row.wseq = ++wseq[row.journal];
    char body[128];
    if (g == 400) {
        uint64_t last = wseq[2] + (is_here && l->what == WRONG_END);
        row.body = ag_str_of(
            body, (size_t)snprintf(body, sizeof(body),
                                   "{\"of\":{\"boot\":\"aaaaaaaf\",\"journal\":2,\"last_wseq\":%llu}}",
                                   (unsigned long long)last));
    }
    if (is_here && (l->what == HOLE || l->what == FIRST))
        row.wseq = ++wseq[row.journal];
    if (is_here && l->what == TWICE)
        row.wseq--;
    if (is_here && l->what == PREV)
        row.prev.b[3] ^= 1;
    if (is_here && l->what == GSEQ)
        row.gseq++;
    if (is_here && l->what == END_BY_WRITER)
        row.type = AGR_ROW_END;
    ag_buf_init(&b, mem, size);
    agr_row_compose(&row, &b);
    char *at;
    if (is_here && l->what == JUNK)
        mem[5] = ' ';
    if (is_here && l->what == ID && (at = memmem(mem, b.n, "\"id\":\"", 6)))
        at[29] = at[29] == 'b' ? 'c' : 'b';
    if (is_here && l->what == TIME && (at = memmem(mem, b.n, "T22:", 4)))
        memcpy(at, "T24:", 4);
    if (is_here && l->what == TWO_LINES)
        ag_buf_lit(&b, "\n{}");
    return b.n;
}

static void
build(const struct lie *l)
{
    static struct agr_tiles tiles;
    struct agr_tree tree;
    struct agr_hash prev, older, root, leaf, half;
    uint64_t wseq[3] = {0};
    char cmd[256];
    snprintf(cmd, sizeof(cmd), "rm -rf %s && mkdir -p %s/checkpoints", dir, dir);
    if (system(cmd) != 0)
        exit(1);
    int fd = open(dir, O_RDONLY | O_DIRECTORY);
    agr_tree_init(&tree);
    agr_tree_root(&tree, &prev);
    older = half = prev;
    agr_tiles_open(&tiles, fd, &tree);
    for (uint64_t g = 0; g < ROWS; g++) {
        char mem[2048];
        if (g % 7 == 0) {
            older = prev;
            agr_tree_root(&tiles.tree, &prev);
        }
        if (g == ROWS / 2)
            agr_tree_root(&tiles.tree, &half);
        size_t n = compose(l, g, g == l->row && l->what == PREV_OLD ? &older : &prev, wseq, mem, sizeof(mem));
        agr_leaf_hash(mem, n, &leaf);
        agr_tiles_add(&tiles, ag_str_of(mem, n), &leaf);
    }
    agr_tiles_flush(&tiles);
    agr_tree_root(&tiles.tree, &root);
    put_note("checkpoint", l->what == ORIGIN ? "other.example" : key.key.name, ROWS - (l->what == SIZE),
             &root, false);
    if (l->what == DAY_ROOT)
        half.b[0] ^= 1;
    put_note("checkpoints/2026-11-19", key.key.name, ROWS / 2, &half, false);
    if (l->what != SIZE)
        put_note("checkpoints/2026-11-20", key.key.name, ROWS, &root, true);
    if (l->what == DAY_SHRINKS)
        put_note("checkpoints/2026-11-20", key.key.name, ROWS / 2, &half, true);
    if (l->what == DAY_AHEAD)
        put_note("checkpoints/2026-11-20", key.key.name, ROWS + 1, &root, true);
    agr_tiles_close(&tiles);
    close(fd);
}

static void
test_seen(void)
{
    struct agr_verify_report r;
    struct agr_checkpoint seen = {.size = ROWS / 2};
    struct agr_verify_options o = {.vkey = vkey, .seen = &seen};
    build(&lies[0]);
    int fd = open(dir, O_RDONLY | O_DIRECTORY);
    OK(agr_tree_root_of(ROWS / 2, agr_tiles_get, &fd, &seen.root) &&
           agr_audit_verify(dir, &o, &r) == AGR_AUDIT_OK,
       "a checkpoint seen before is a prefix");
    close(fd);
    seen.root.b[9] ^= 1;
    OK(agr_audit_verify(dir, &o, &r) == AGR_AUDIT_REFUSED && strstr(r.text, "its root"), "another is not: %s",
       r.text);
    seen.size = ROWS + 5;
    OK(agr_audit_verify(dir, &o, &r) == AGR_AUDIT_REFUSED && strstr(r.text, "missing"),
       "a larger one neither: %s", r.text);
    o = (struct agr_verify_options){.vkey = "nonsense"};
    OK(agr_audit_verify(dir, &o, &r) == AGR_AUDIT_REFUSED, "a key that is none: %s", r.text);
    o.vkey = NULL;
    OK(agr_audit_verify(dir, &o, &r) == AGR_AUDIT_REFUSED && strstr(r.text, "keys.note"), "no key at all: %s",
       r.text);
    OK(agr_audit_verify("/nonexistent/log", &o, &r) == AGR_AUDIT_SYSTEM, "no log: %s", r.text);
}

static uint64_t progressed;

static void
on_progress(void *ctx, uint64_t rows, uint64_t of)
{
    (void)ctx;
    progressed += rows <= of;
}

int
main(void)
{
    uint8_t seed[32] = {1};
    struct ag_buf b;
    char rm[96];
    snprintf(base, sizeof(base), "%s/agv-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    if (!mkdtemp(base) || !ag_crypto_init())
        return 1;
    snprintf(dir, sizeof(dir), "%s/log", base);
    agr_signer_init(&key, AG_STR("verify.example/log"), seed);
    agr_signer_init(&row_key, AG_STR("verify.example/log/row"), seed);
    ag_buf_init(&b, vkey, sizeof(vkey) - 1);
    agr_vkey_format(&key.key, &b);
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        const struct lie *l = &lies[i];
        struct agr_verify_report r;
        struct agr_verify_options o = {.vkey = vkey, .progress = on_progress};
        build(l);
        enum agr_audit_result res = agr_audit_verify(dir, &o, &r);
        if (l->what == NONE)
            OK(res == AGR_AUDIT_OK && r.rows == ROWS && r.days == 2, "%s verifies: %s", l->name, r.text);
        else
            OK(res == AGR_AUDIT_REFUSED && strstr(r.text, l->expect) &&
                   (l->row == UINT64_MAX ? !r.has_bad_row : r.has_bad_row && r.bad_gseq == l->row),
               "%s is refused: row %lld, %s: %s", l->name, r.has_bad_row ? (long long)r.bad_gseq : -1ll,
               r.file, r.text);
    }
    test_seen();
    OK(progressed == 0, "600 rows are too few for progress");
    snprintf(rm, sizeof(rm), "rm -rf '%s'", base);
    OK(system(rm) == 0, "cleans up");
    return t_done();
}
