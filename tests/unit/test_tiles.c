// SPDX-License-Identifier: Apache-2.0
// Tile files: paths, widths, a log of 66,000 entries read back through the tiles, reopening in the middle
// (B38, D33).
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "t.h"
#include "tiles.h"

#define ENTRIES 66000u // past one full tile of level 1

static struct ag_str
entry(unsigned i, char *mem, size_t size)
{
    return ag_str_of(mem, (size_t)snprintf(mem, size, "entry %u", i));
}

static bool
add(struct agr_tiles *t, unsigned i)
{
    char mem[32];
    struct agr_hash leaf;
    struct ag_str e = entry(i, mem, sizeof(mem));
    agr_leaf_hash(e.p, e.n, &leaf);
    return agr_tiles_add(t, e, &leaf);
}

static void
test_paths(void)
{
    char p[AGR_TILE_PATH];
    agr_tile_path(0, 0, 256, p);
    OK(strcmp(p, "tile/0/000") == 0, "%s", p);
    agr_tile_path(3, 1234067, 256, p);
    OK(strcmp(p, "tile/3/x001/x234/067") == 0, "%s", p);
    agr_tile_path(1, 999, 17, p);
    OK(strcmp(p, "tile/1/999.p/17") == 0, "%s", p);
    agr_tile_path(AGR_TILE_ENTRIES, 1000, 1, p);
    OK(strcmp(p, "tile/entries/x001/000.p/1") == 0, "%s", p);
    agr_tile_path(AGR_TILE_PAYLOAD, UINT64_MAX, 255, p);
    OK(strcmp(p, "payload/x018/x446/x744/x073/x709/x551/615.p/255") == 0, "the longest: %s", p);
}

static void
test_log(const char *dir)
{
    static struct agr_tiles t;
    struct agr_tree tree;
    struct agr_hash root, want;
    int fd = open(dir, O_RDONLY | O_DIRECTORY);
    agr_tree_init(&tree);
    OK(agr_tiles_open(&t, fd, &tree), "opens empty");
    unsigned bad = 0;
    for (unsigned i = 0; i < ENTRIES; i++) {
        // Closed and reopened at sizes with open tiles on one level, on two, and on none.
        if (i == 300 || i == 512 || i == 65536 || i == 65900) {
            bad += !agr_tiles_flush(&t);
            tree = t.tree;
            agr_tiles_close(&t);
            bad += !agr_tiles_open(&t, fd, &tree);
        }
        bad += !add(&t, i);
    }
    OK(bad == 0, "%u entries, reopened on the way", ENTRIES);
    OK(faccessat(fd, "tile/0/257.p/208", F_OK, 0) != 0, "no partial tile before a flush");
    OK(agr_tiles_flush(&t), "flushes");
    OK(faccessat(fd, "tile/2/000.p/1", F_OK, 0) == 0 && faccessat(fd, "tile/1/000", F_OK, 0) == 0 &&
           faccessat(fd, "tile/1/001.p/1", F_OK, 0) == 0,
       "three levels are there");
    OK(faccessat(fd, "tile/0/001.p", F_OK, 0) != 0 && faccessat(fd, "tile/entries/001.p", F_OK, 0) != 0,
       "partial forms go when the tile is full");
    agr_tree_root(&t.tree, &want);
    OK(agr_tree_root_of(ENTRIES, agr_tiles_get, &fd, &root) && agr_hash_eq(&root, &want),
       "the tiles give the root");
    struct agr_tree small;
    agr_tree_init(&small);
    struct agr_proof proof;
    bad = 0;
    for (unsigned i = 0; i < 1500; i++) {
        char mem[32];
        struct agr_hash leaf;
        struct ag_str e = entry(i, mem, sizeof(mem));
        agr_leaf_hash(e.p, e.n, &leaf);
        agr_tree_add(&small, &leaf, NULL, NULL);
        if (i % 97 == 0) {
            agr_tree_root(&small, &root);
            bad += !agr_prove_consistency(i + 1, ENTRIES, agr_tiles_get, &fd, &proof) ||
                   !agr_check_consistency(&proof, i + 1, &root, ENTRIES, &want);
            bad += !agr_prove_inclusion(i, ENTRIES, agr_tiles_get, &fd, &proof) ||
                   !agr_check_inclusion(&proof, i, &leaf, ENTRIES, &want);
        }
    }
    OK(bad == 0, "proofs read from the files check");
    size_t n;
    unsigned width;
    uint8_t *p = agr_tile_read(fd, AGR_TILE_ENTRIES, 2, 256, &n, &width);
    struct ag_str e;
    OK(p && agr_bundle_entry(p, n, 5, &e) && ag_str_is(e, "entry 517"), "an entry is found in its bundle");
    OK(p && !agr_bundle_entry(p, n, 256, &e) && !agr_bundle_entry(p, n - 1, 255, &e), "not past its end");
    free(p);
    // A tile that was changed is not taken up.
    tree = t.tree;
    agr_tiles_close(&t);
    int tile = openat(fd, "tile/0/257.p/208", O_RDWR);
    uint8_t byte = 0;
    OK(tile != -1 && pread(tile, &byte, 1, 40) == 1, "the last partial tile is there");
    byte ^= 1;
    OK(pwrite(tile, &byte, 1, 40) == 1 && !agr_tiles_open(&t, fd, &tree),
       "a changed partial tile is refused at open");
    agr_tiles_close(&t);
    close(tile);
    close(fd);
}

static void
test_limits(const char *dir)
{
    static struct agr_tiles t;
    static char big[AGR_ENTRY_MAX + 1];
    char sub[128];
    struct agr_tree tree;
    struct agr_hash leaf = {{0}};
    snprintf(sub, sizeof(sub), "mkdir -p %s/b", dir);
    OK(system(sub) == 0, "another log");
    snprintf(sub, sizeof(sub), "%s/b", dir);
    int fd = open(sub, O_RDONLY | O_DIRECTORY);
    agr_tree_init(&tree);
    agr_tiles_open(&t, fd, &tree);
    OK(agr_tiles_add(&t, ag_str_of(big, AGR_ENTRY_MAX), &leaf), "an entry at the limit");
    OK(!agr_tiles_add(&t, ag_str_of(big, AGR_ENTRY_MAX + 1), &leaf) && t.has_failed,
       "one past it fails for good");
    agr_tiles_close(&t);
    close(fd);
}

int
main(void)
{
    char dir[64], rm[96];
    snprintf(dir, sizeof(dir), "%s/agt-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    if (!mkdtemp(dir))
        return 1;
    test_paths();
    test_log(dir);
    test_limits(dir);
    snprintf(rm, sizeof(rm), "rm -rf '%s'", dir);
    OK(system(rm) == 0, "cleans up");
    return t_done();
}
