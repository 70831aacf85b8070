// SPDX-License-Identifier: Apache-2.0
// The image: sections that open and verify, constants of every kind read back, hash indexes, signatures, key
// files, and output that appears whole or not at all.
#include "image_write.h"
#include "lower.h"
#include "opt.h"
#include "sign.h"
#include "stats.h"

#include "crypto.h"
#include "policy_build.h"
#include "t.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

static struct pb b;
static struct agc_ir ir;
static struct agc_heap heap;

static bool
build(const struct agc_image_options *options, struct agc_stats *stats, struct ag_str *ret)
{
    struct agc_refusal why;
    struct agc_code code;
    char text[200];
    agc_ir_init(&ir, &b.arena, &b.policy);
    if (!agc_lower(&ir, &why) || !agc_opt(&ir, 1, text, sizeof text))
        return false;
    agc_heap_init(&heap, &ir);
    if (!agc_emit(&ir, &b.sources, &heap, &code, &why))
        return false;
    agc_stats_cost(&ir, &code, stats);
    return agc_image_build(&ir, &b.sources, &heap, &code, options, stats, ret, &why);
}

static void
test_open(void)
{
    struct ag_image im;
    struct ag_image_error e = {.text = ""};
    struct agc_stats stats;
    struct ag_str bytes, again;
    pb_init(&b, AG_DENY_OVERRIDES);
    pb_rule(&b, "a", "deploy", "prod*", AG_DENY, NULL);
    pb_rule(&b, "b", "read*", NULL, AG_ALLOW, NULL);
    OK(build(&(struct agc_image_options){.serial = 7}, &stats, &bytes), "an image of two rules");
    bool ok =
        ag_image_open(bytes.p, bytes.n, &im, &e) == AG_IMAGE_OK && ag_image_verify(&im, &e) == AG_IMAGE_OK;
    OK(ok, "is accepted %s", e.text);
    OK(im.nrules == 2 && ag_str_is(ag_image_str(&im, im.rules[1].name), "b") &&
           im.rules[0].decision == AG_DENY,
       "rules are as written");
    OK(im.meta->serial == 7 && ag_str_is(ag_image_str(&im, im.meta->name), "test"), "so are serial and name");
    OK(im.meta->fuel >= AGC_FUEL_MIN && im.meta->fuel >= stats.fuel_bound,
       "the fuel covers the stated bound");
    OK(im.nentries == 1 && im.signature == NULL, "one entrypoint, no signature");
    OK(build(&(struct agc_image_options){.serial = 7}, &stats, &again) && again.n == bytes.n &&
           memcmp(again.p, bytes.p, bytes.n) == 0,
       "the same policy gives the same bytes");
    OK(build(&(struct agc_image_options){.serial = 8}, &stats, &again) &&
           memcmp(((const struct ag_image_header *)(const void *)again.p)->digest, im.header->digest, 32) !=
               0,
       "another serial another digest");
    uint8_t source[32];
    memcpy(source, im.meta->source_digest, 32);
    b.sources.v[0].name = AG_STR("elsewhere/policy.yaml");
    OK(build(&(struct agc_image_options){0}, &stats, &again) &&
           ag_image_open(again.p, again.n, &im, &e) == AG_IMAGE_OK &&
           memcmp(im.meta->source_digest, source, 32) == 0,
       "the source digest takes the base name");
    pb_fini(&b);
}

static void
test_sign(void)
{
    uint8_t seed[32] = {1, 2, 3}, pub[32], secret[64], msg[15 + 32];
    struct ag_image im;
    struct ag_image_error e;
    struct agc_stats stats;
    struct ag_str bytes;
    ag_ed25519_from_seed(seed, pub, secret);
    pb_init(&b, AG_FIRST_MATCH);
    pb_rule(&b, "a", NULL, NULL, AG_ALLOW, NULL);
    bool ok = build(&(struct agc_image_options){.secret = secret}, &stats, &bytes);
    OK(ok && ag_image_open(bytes.p, bytes.n, &im, &e) == AG_IMAGE_OK && im.signature, "a signed image opens");
    memcpy(msg, "aegis-image-v1\n", 15);
    memcpy(msg + 15, im.header->digest, 32);
    OK(memcmp(im.signature->key, pub, 32) == 0 && ag_ed25519_verify(msg, sizeof msg, pub, im.signature->sig),
       "the signature covers the digest");
    pb_fini(&b);
}

// Constants through the heap and back through the machine's reader.
static void
test_heap(void)
{
    pb_init(&b, AG_FIRST_MATCH);
    agc_ir_init(&ir, &b.arena, &b.policy);
    uint32_t pair[2 * 300], big[4];
    for (uint32_t i = 0; i < 300; i++) {
        char text[16];
        snprintf(text, sizeof text, "role-%u", i);
        pair[2 * i] = agc_const_string(&ir, ag_str_z(text));
        pair[2 * i + 1] = agc_const_int(&ir, i);
    }
    uint32_t object = 0, small = 0;
    OK(agc_const_object(&ir, pair, 300, &object) &&
           agc_const_object(&ir, pair, AGC_HASH_KEYS_MIN - 1, &small),
       "two objects");
    big[0] = agc_const_int(&ir, INT64_MAX);
    big[1] = agc_const_int(&ir, -((int64_t)1 << 55));
    big[2] = agc_const_number(&ir, AG_STR("100.01"));
    big[3] = agc_const_bool(&ir, true);
    uint32_t list = agc_const_array(&ir, big, 4);
    agc_heap_init(&heap, &ir);
    uint32_t at[3] = {agc_heap_const(&heap, object), agc_heap_const(&heap, small),
                      agc_heap_const(&heap, list)};
    OK(agc_heap_const(&heap, object) == at[0] && heap.nconsts == 3, "a constant is laid out once");
    OK(heap.nhashed == 1, "the large object gets a hash index, the small one none");
    uint64_t seed = 0;
    while (!agc_heap_hash(&heap, seed))
        seed++;
    struct ag_mem m = {.base = {heap.bytes.p}};
    const ag_cell *cell = (const ag_cell *)(const void *)heap.consts.p;
    struct ag_value v = ag_cell_load(&m, cell[at[0]]);
    OK(v.kind == AG_OBJECT && v.len == 300 && ag_object_get(&m, v, AG_STR("role-42")).i == 42,
       "members are found");
    OK(ag_object_get(&m, v, AG_STR("role-300")).kind == AG_UNDEF, "and what is not there is not");
    const struct agc_hashed *h = &heap.hashed[0];
    const struct ag_hash_index *table = (const void *)(heap.bytes.p + h->index_off);
    uint32_t used = 0;
    for (uint32_t i = 0; i < table->nslots; i++)
        used += table->table[table->nbuckets + i] != AG_NONE;
    OK(used == 300, "every key has a slot of its own");
    v = ag_cell_load(&m, cell[at[2]]);
    OK(ag_value_at(&m, v, 0).i == INT64_MAX && ag_value_at(&m, v, 1).i == -((int64_t)1 << 55),
       "large integers");
    OK(ag_value_at(&m, v, 2).kind == AG_NUMBER && ag_value_at(&m, v, 3).i == 1, "a decimal and a boolean");
    pb_fini(&b);
}

static void
put_file(const char *path, const char *text, unsigned mode)
{
    agc_file_write(path, ag_str_z(text), mode);
}

static void
test_keys(const char *dir)
{
    // RFC 8032, 7.1, test 1
    static const char good[] = "aegis-secret-key-v1\nnWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=\n";
    char path[200], text[100];
    uint8_t secret[64];
    snprintf(path, sizeof path, "%s/key", dir);
    put_file(path, good, 0600);
    OK(agc_key_read(path, secret) == AGC_KEY_OK && secret[32] == 0xd7 && secret[63] == 0x1a, "a key file");
    put_file(path, good, 0640);
    OK(agc_key_read(path, secret) == AGC_KEY_OPEN, "one that the group may read");
    snprintf(text, sizeof text, "%.*s", (int)sizeof good - 2, good);
    put_file(path, text, 0600);
    OK(agc_key_read(path, secret) == AGC_KEY_OK, "the last newline may be missing");
    snprintf(text, sizeof text, "%sx", good);
    put_file(path, text, 0600);
    OK(agc_key_read(path, secret) == AGC_KEY_FORMAT, "bytes after the end");
    put_file(path, "aegis-public-key-v1\nnWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=\n", 0600);
    OK(agc_key_read(path, secret) == AGC_KEY_FORMAT, "a public key");
    put_file(path, "aegis-secret-key-v1\nnWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2B=\n", 0600);
    OK(agc_key_read(path, secret) == AGC_KEY_FORMAT, "spare bits that are not zero");
    put_file(path, "aegis-secret-key-v1\nnWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=\n", 0600);
    OK(agc_key_read(path, secret) == AGC_KEY_FORMAT, "another alphabet");
    unlink(path);
    OK(agc_key_read(path, secret) == AGC_KEY_IO && errno == ENOENT, "no file");
}

static void
test_output(const char *dir)
{
    char path[200], read_back[16] = "";
    snprintf(path, sizeof path, "%s/out", dir);
    OK(agc_file_write(path, AG_STR("one"), 0644) && agc_file_write(path, AG_STR("second"), 0644),
       "written twice");
    FILE *f = fopen(path, "r");
    OK(f && fread(read_back, 1, sizeof read_back, f) == 6 && strcmp(read_back, "second") == 0,
       "the last one stays");
    if (f)
        fclose(f);
    struct stat st;
    OK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0644, "with the mode asked for");
    unlink(path);
    OK(rmdir(dir) == 0, "and nothing else is left in the folder");
    OK(!agc_file_write(path, AG_STR("x"), 0644) && errno == ENOENT, "a folder that is missing is an error");
}

int
main(void)
{
    char dir[] = "/tmp/test_image_write.XXXXXX";
    if (!ag_crypto_init() || !mkdtemp(dir))
        return 2;
    test_open();
    test_sign();
    test_heap();
    test_keys(dir);
    test_output(dir);
    return t_done();
}
