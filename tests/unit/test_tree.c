// SPDX-License-Identifier: Apache-2.0
// The Merkle tree against RFC 6962's definition computed recursively, its test vectors, and all proofs up to
// 70 leaves (B38, D33).
#include "t.h"
#include "sha256.h"
#include "tree.h"

#define LEAVES 70

static struct agr_hash leaves[LEAVES];

// MTH of RFC 6962 section 2.1, as written there.
static struct agr_hash
mth(unsigned lo, unsigned hi)
{
    struct agr_hash h, l, r;
    if (hi == lo) {
        ag_sha256("", 0, h.b);
        return h;
    }
    if (hi - lo == 1)
        return leaves[lo];
    unsigned k = 1;
    while (k * 2 < hi - lo)
        k *= 2;
    l = mth(lo, lo + k);
    r = mth(lo + k, hi);
    agr_node_hash(&l, &r, &h);
    return h;
}

static bool
get(void *ctx, unsigned level, uint64_t index, struct agr_hash *ret)
{
    (void)ctx;
    *ret = mth((unsigned)(index << level), (unsigned)((index + 1) << level));
    return true;
}

static void
hex(const struct agr_hash *h, char *out)
{
    for (size_t i = 0; i < 32; i++)
        snprintf(out + 2 * i, 3, "%02x", h->b[i]);
}

static unsigned subtrees, wrong_subtrees;

static void
on_subtree(void *ctx, unsigned level, uint64_t index, const struct agr_hash *h)
{
    (void)ctx;
    struct agr_hash want = mth((unsigned)(index << level), (unsigned)((index + 1) << level));
    subtrees++;
    wrong_subtrees += !agr_hash_eq(&want, h);
}

// The inputs and roots of the reference implementation of Certificate Transparency (merkle tree tests).
static void
test_vectors(void)
{
    static const struct {
        const char *bytes;
        size_t n;
        const char *root;
    } v[] = {
        {"", 0, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
        {"\0", 1, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"},
        {"\x10", 1, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"},
        {"\x20\x21", 2, "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"},
        {"\x30\x31", 2, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"},
        {"\x40\x41\x42\x43", 4, "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"},
        {"\x50\x51\x52\x53\x54\x55\x56\x57", 8,
         "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"},
        {"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f", 16,
         "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"},
    };
    struct agr_tree t;
    struct agr_hash h;
    char text[65];
    agr_tree_init(&t);
    agr_tree_root(&t, &h);
    hex(&h, text);
    OK(strcmp(text, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855") == 0, "empty tree");
    for (size_t i = 0; i < 8; i++) {
        agr_leaf_hash(v[i].bytes, v[i].n, &h);
        agr_tree_add(&t, &h, NULL, NULL);
        agr_tree_root(&t, &h);
        hex(&h, text);
        OK(strcmp(text, v[i].root) == 0, "root of %zu leaves", i + 1);
    }
}

static void
test_proofs(void)
{
    unsigned bad = 0, accepted = 0;
    for (unsigned n = 1; n <= LEAVES; n++) {
        struct agr_hash root = mth(0, n);
        for (unsigned i = 0; i < n; i++) {
            struct agr_proof p;
            bad += !agr_prove_inclusion(i, n, get, NULL, &p) ||
                   !agr_check_inclusion(&p, i, &leaves[i], n, &root);
            accepted += agr_check_inclusion(&p, i, &leaves[(i + 1) % LEAVES], n, &root);
            accepted += n > 1 && agr_check_inclusion(&p, (i + 1) % n, &leaves[i], n, &root);
            for (uint32_t k = 0; k < p.n; k++) {
                p.h[k].b[7] ^= 1;
                accepted += agr_check_inclusion(&p, i, &leaves[i], n, &root);
                p.h[k].b[7] ^= 1;
            }
            p.n++;
            accepted += agr_check_inclusion(&p, i, &leaves[i], n, &root);
        }
        for (unsigned m = 1; m <= n; m++) {
            struct agr_proof p;
            struct agr_hash old = mth(0, m), other = mth(0, m > 1 ? m - 1 : 0);
            bad +=
                !agr_prove_consistency(m, n, get, NULL, &p) || !agr_check_consistency(&p, m, &old, n, &root);
            accepted += agr_check_consistency(&p, m, &other, n, &root);
            for (uint32_t k = 0; k < p.n; k++) {
                p.h[k].b[31] ^= 1;
                accepted += agr_check_consistency(&p, m, &old, n, &root);
                p.h[k].b[31] ^= 1;
            }
        }
    }
    OK(bad == 0, "every inclusion and consistency proof up to %d leaves checks", LEAVES);
    OK(accepted == 0, "no wrong leaf, index, root or sibling is accepted");
    struct agr_proof p;
    OK(!agr_prove_inclusion(5, 5, get, NULL, &p) && !agr_prove_consistency(0, 5, get, NULL, &p) &&
           !agr_prove_consistency(6, 5, get, NULL, &p),
       "no proofs outside the tree");
}

int
main(void)
{
    struct agr_tree t, copy;
    struct agr_hash root, want;
    unsigned bad = 0;
    test_vectors();
    agr_tree_init(&t);
    for (unsigned i = 0; i < LEAVES; i++) {
        char text[16];
        agr_leaf_hash(text, (size_t)snprintf(text, sizeof(text), "leaf %u", i), &leaves[i]);
    }
    for (unsigned i = 0; i < LEAVES; i++) {
        agr_tree_add(&t, &leaves[i], on_subtree, NULL);
        agr_tree_root(&t, &root);
        want = mth(0, i + 1);
        bad += !agr_hash_eq(&root, &want);
        bad += !agr_tree_load(&copy, t.size, t.frontier, t.n);
        agr_tree_root(&copy, &root);
        bad += !agr_hash_eq(&root, &want) || !agr_tree_root_of(i + 1, get, NULL, &root) ||
               !agr_hash_eq(&root, &want);
    }
    OK(bad == 0, "roots by appending, from a stored frontier and from subtrees are those of the RFC");
    OK(wrong_subtrees == 0 && subtrees == LEAVES + 35 + 17 + 8 + 4 + 2 + 1, "%u completed subtrees",
       subtrees);
    OK(!agr_tree_load(&copy, 5, t.frontier, 3), "a frontier of the wrong length is refused");
    test_proofs();
    return t_done();
}
