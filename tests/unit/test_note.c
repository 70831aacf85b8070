// SPDX-License-Identifier: Apache-2.0
// Signed notes: the published example of golang.org/x/mod/sumdb/note opens, ours round-trip, every changed
// byte is refused; checkpoint text and base64 are strict (A35, D30).
#include "t.h"
#include "base64.h"
#include "note.h"

// From the package documentation of golang.org/x/mod/sumdb/note.
#define GO_VKEY "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
#define GO_TEXT                                                                                              \
    "If you think cryptography is the answer to your problem,\n"                                             \
    "then you don't know what your problem is.\n"
#define GO_NOTE                                                                                              \
    GO_TEXT "\n\xe2\x80\x94 PeterNeumann "                                                                   \
            "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"

static void
test_published(void)
{
    struct agr_note_key k;
    struct ag_str text;
    char mem[AGR_VKEY_SIZE];
    struct ag_buf b;
    OK(agr_vkey_parse(AG_STR(GO_VKEY), &k), "a published verifier key parses");
    ag_buf_init(&b, mem, sizeof(mem));
    agr_vkey_format(&k, &b);
    OK(ag_str_is(ag_str_of(mem, b.n), GO_VKEY), "and is written the same");
    OK(agr_note_open(AG_STR(GO_NOTE), &k, 1, &text) == AGR_NOTE_OK && ag_str_is(text, GO_TEXT),
       "its note opens");
    OK(!agr_vkey_parse(AG_STR("PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"), &k),
       "a wrong key hash is refused");
    OK(!agr_vkey_parse(AG_STR("Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"), &k) &&
           !agr_vkey_parse(AG_STR("+c74f20a3+AA"), &k) && !agr_vkey_parse(AG_STR(""), &k),
       "and names with blanks, and no names");
}

static void
test_round_trip(void)
{
    struct agr_note_signer s, other, back;
    struct ag_str text, note;
    uint8_t seed[32];
    char mem[2048], key[AGR_VKEY_SIZE];
    struct ag_buf b;
    memset(seed, 7, sizeof(seed));
    OK(agr_signer_init(&s, AG_STR("log.example/a"), seed), "a signer from a seed");
    seed[0]++;
    agr_signer_init(&other, AG_STR("other.example"), seed);
    ag_buf_init(&b, key, sizeof(key));
    agr_skey_format(&s, &b);
    OK(agr_skey_parse(ag_str_of(key, b.n), &back) && memcmp(&back, &s, sizeof(s)) == 0,
       "a signer key reads back");
    const struct agr_note_signer *both[2] = {&s, &other};
    ag_buf_init(&b, mem, sizeof(mem));
    agr_note_sign(both, 2, AG_STR("log.example/a\n7\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"), &b);
    note = ag_str_of(mem, b.n);
    OK(agr_note_open(note, &s.key, 1, &text) == AGR_NOTE_OK &&
           agr_note_open(note, &other.key, 1, &text) == AGR_NOTE_OK,
       "either key opens a note with two signatures");
    struct agr_note_key stranger = s.key;
    memcpy(stranger.name, "log.example/b", 14);
    OK(agr_note_open(note, &stranger, 1, &text) == AGR_NOTE_UNKNOWN, "a stranger's key does not");
    size_t accepted = 0;
    for (size_t i = 0; i < note.n; i++)
        for (int bit = 0; bit < 8; bit++) {
            struct agr_note_key keys[2] = {s.key, other.key};
            mem[i] = (char)(mem[i] ^ 1 << bit);
            // A changed name or key hash makes that line a stranger's: with both keys wanted, look for both.
            struct ag_str t1, t2;
            if (agr_note_open(note, keys, 2, &t1) == AGR_NOTE_OK &&
                agr_note_open(note, &keys[0], 1, &t1) == AGR_NOTE_OK &&
                agr_note_open(note, &keys[1], 1, &t2) == AGR_NOTE_OK)
                accepted++;
            mem[i] = (char)(mem[i] ^ 1 << bit);
        }
    OK(accepted == 0, "no flipped bit is accepted");
    size_t short_ok = 0;
    for (size_t n = 0; n < note.n; n++) {
        struct ag_str t1, t2;
        short_ok += agr_note_open(ag_str_of(mem, n), &s.key, 1, &t1) == AGR_NOTE_OK &&
                    agr_note_open(ag_str_of(mem, n), &other.key, 1, &t2) == AGR_NOTE_OK;
    }
    OK(short_ok == 0, "nor a cut note");
    char two[4096];
    memcpy(two, mem, note.n);
    memcpy(two + note.n, mem, note.n);
    OK(agr_note_first(ag_str_of(two, 2 * note.n)) == note.n, "the first of two notes is found");
    OK(agr_note_first(ag_str_of(two, note.n - 1)) == 0, "a torn one is none");
    agr_signer_wipe(&s);
    OK(s.secret[0] == 0 && s.secret[63] == 0, "wiping clears the secret");
}

static void
test_checkpoint(void)
{
    struct agr_checkpoint c;
    static const char *const bad[] = {
        "a\n7\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "a\n07\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "a\n-7\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "\n7\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "a\n7\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\nmore\n",
        "a\n7\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuF=\n",
        "a\n18446744073709551616\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "a\n7\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=\n",
    };
    OK(agr_checkpoint_parse(AG_STR("a\n18446744073709551615\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"),
                            &c) &&
           c.size == UINT64_MAX && ag_str_is(c.origin, "a") && c.root.b[0] == 0xe3,
       "a checkpoint at the largest size");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        OK(!agr_checkpoint_parse(ag_str_z(bad[i]), &c), "refused checkpoint %zu", i);
    uint8_t out[8];
    OK(ag_base64_decode(AG_STR("aGk="), true, out, 8) == 2 &&
           ag_base64_decode(AG_STR("aGl="), true, out, 8) == -1 &&
           ag_base64_decode(AG_STR("aG=="), true, out, 8) == -1 &&
           ag_base64_decode(AG_STR("aGk"), true, out, 8) == -1 &&
           ag_base64_decode(AG_STR("aG k"), true, out, 8) == -1 &&
           ag_base64_decode(AG_STR("aGk=aGk="), true, out, 8) == -1,
       "base64 has one spelling");
    OK(ag_base64_decode(AG_STR("aGlqa2xtbm8="), true, out, 8) == 8 &&
           ag_base64_decode(AG_STR("aGlqa2xtbm9w"), true, out, 8) == -1,
       "and never more bytes than there is room");
    char name[AGR_KEY_NAME_MAX + 2];
    memset(name, 'n', sizeof(name));
    OK(agr_key_name_valid(ag_str_of(name, AGR_KEY_NAME_MAX)) &&
           !agr_key_name_valid(ag_str_of(name, AGR_KEY_NAME_MAX + 1)),
       "a name at its limit and one past it");
}

int
main(void)
{
    ag_crypto_init();
    test_published();
    test_round_trip();
    test_checkpoint();
    return t_done();
}
