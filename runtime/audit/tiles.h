// SPDX-License-Identifier: Apache-2.0
// The public files of the log: hash tiles and entry bundles in the C2SP tlog-tiles layout.
// In: entries with their leaf hashes, in order. Out: files under LOG, full ones immutable, partial ones at
// checkpoints. Files appear by rename and are not synced one by one: the WAL can rebuild every one of them.
// Owns: heap buffers of the open tiles. Thread rule: one writer, one thread; a reader may be any process.
// Next: proof helpers in read.h, sequencer.c.
#ifndef AGR_TILES_H
#define AGR_TILES_H

#include "str.h"
#include "tree.h"

#define AGR_TILE_WIDTH  256u
#define AGR_TILE_LEVELS 8u     // 256^8 leaves
#define AGR_ENTRY_MAX   65535u // u16 length
#define AGR_BUNDLE_MAX  (AGR_TILE_WIDTH * (2 + AGR_ENTRY_MAX))
#define AGR_TILE_PATH   96u // bytes of a tile path with terminator

// Path of tile `index` at `level` (or of entry bundle when level is AGR_TILE_ENTRIES), relative to LOG.
// width 256 is the full tile, else ".p/W".
#define AGR_TILE_ENTRIES (-1)
#define AGR_TILE_PAYLOAD (-2)
void agr_tile_path(int level, uint64_t index, unsigned width, char ret[AGR_TILE_PATH]);

struct agr_tiles {
    int log_fd; // borrowed
    struct agr_tree tree;
    struct agr_hash level[AGR_TILE_LEVELS][AGR_TILE_WIDTH]; // the open tile of each level
    uint8_t *bundle;                                        // the open entry bundle
    size_t bundle_n, bundle_size;
    bool has_failed; // a file could not be written; the caller stops and rebuilds from the WAL
    int error;       // errno of that
};

// Starts at a tree whose open tiles and bundle are empty or in the files: when tree->size is not a multiple
// of 256 they are read back from the partial files. False: they are missing or not those of this tree.
bool agr_tiles_open(struct agr_tiles *t, int log_fd, const struct agr_tree *tree);
void agr_tiles_close(struct agr_tiles *t);
// Adds one entry; writes tiles that become full. False: has_failed.
bool agr_tiles_add(struct agr_tiles *t, struct ag_str entry, const struct agr_hash *leaf);
// Writes the partial tiles and the partial bundle of the present size.
bool agr_tiles_flush(struct agr_tiles *t);

// Writes a file by rename; with `is_synced` also write, fdatasync, rename, fsync of the directory.
bool agr_file_replace(int dir_fd, const char *path, const void *p, size_t n, bool is_synced);
// Reads a whole file of at most `max` bytes into heap memory of the caller; NULL with errno (EFBIG past max).
uint8_t *agr_file_read(int dir_fd, const char *path, size_t max, size_t *ret_n);

// Reads tile or bundle `index` with at least `width` of its entries: the exact partial file, else the full
// one, else a wider partial one. Heap memory of the caller; *ret_width is what the file is named for. NULL:
// none.
uint8_t *agr_tile_read(int log_fd, int level, uint64_t index, unsigned width, size_t *ret_n,
                       unsigned *ret_width);
// An agr_tree_get over the files; ctx is a pointer to the LOG descriptor.
bool agr_tiles_get(void *log_fd, unsigned level, uint64_t index, struct agr_hash *ret);
// Takes entry number `i` of a bundle; false when the bundle is malformed before that.
bool agr_bundle_entry(const uint8_t *p, size_t n, unsigned i, struct ag_str *ret);

#endif
