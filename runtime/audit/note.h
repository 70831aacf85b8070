// SPDX-License-Identifier: Apache-2.0
// C2SP signed notes with Ed25519: keys as text, signing, opening; and the checkpoint text inside them.
// In: note bytes, verifier keys. Out: the text that a trusted key signed, or a refusal with its reason.
// The encodings are those of golang.org/x/mod/sumdb/note. Secrets are wiped by agr_signer_wipe.
// Thread rule: pure after ag_crypto_init. Next: sequencer.c (signs), verify.c (opens).
#ifndef AGR_NOTE_H
#define AGR_NOTE_H

#include "buf.h"
#include "crypto.h"
#include "tree.h"

#define AGR_KEY_NAME_MAX  128u   // bytes of a key name or origin
#define AGR_VKEY_SIZE     256u   // text of a verifier or signer key with terminator
#define AGR_NOTE_MAX      65536u // bytes of a whole note (a checkpoint or a row entry)
#define AGR_NOTE_SIGS_MAX 16u    // signature lines that a reader looks at

struct agr_note_key {
    char name[AGR_KEY_NAME_MAX + 1];
    uint8_t hash[4];
    uint8_t pub[AG_ED25519_PUBLIC];
};

struct agr_note_signer {
    struct agr_note_key key;
    uint8_t seed[32];
    uint8_t secret[AG_ED25519_SECRET];
};

// 1 to 128 bytes of valid UTF-8 without blanks, controls and '+'.
bool agr_key_name_valid(struct ag_str name);
// Key from a name and a seed; false when the name is not valid.
bool agr_signer_init(struct agr_note_signer *s, struct ag_str name, const uint8_t seed[32]);
void agr_signer_wipe(struct agr_note_signer *s);

// "NAME+hash+base64" and "PRIVATE+KEY+NAME+hash+base64"; a trailing newline is accepted when parsing.
bool agr_vkey_parse(struct ag_str text, struct agr_note_key *ret);
void agr_vkey_format(const struct agr_note_key *k, struct ag_buf *out);
bool agr_skey_parse(struct ag_str text, struct agr_note_signer *ret);
void agr_skey_format(const struct agr_note_signer *s, struct ag_buf *out);

// Appends one signature line over `text` (which ends with a newline).
void agr_note_sign_line(const struct agr_note_signer *s, struct ag_str text, struct ag_buf *out);
// Appends the whole note: text, blank line, one line per signer.
void agr_note_sign(const struct agr_note_signer *const *signers, size_t n, struct ag_str text,
                   struct ag_buf *out);

enum agr_note_status {
    AGR_NOTE_OK = 0,
    AGR_NOTE_MALFORMED, // not a note
    AGR_NOTE_UNKNOWN,   // no line of a trusted key
    AGR_NOTE_BAD_SIG,   // a line of a trusted key does not verify
};

// Opens a note: at least one line of a trusted key, and every line of a trusted key verifies. The text (with
// its last newline) borrows from `note`.
enum agr_note_status agr_note_open(struct ag_str note, const struct agr_note_key *keys, size_t n,
                                   struct ag_str *ret_text);
const char *agr_note_status_text(enum agr_note_status s);
// Splits the first note off a concatenation (a daily file): its length in bytes, 0 when there is none.
size_t agr_note_first(struct ag_str notes);

struct agr_checkpoint {
    struct ag_str origin; // borrows from the text
    uint64_t size;
    struct agr_hash root;
};

void agr_checkpoint_format(struct ag_str origin, uint64_t size, const struct agr_hash *root,
                           struct ag_buf *out);
// Exactly three lines; the size in decimal without leading zeros.
bool agr_checkpoint_parse(struct ag_str text, struct agr_checkpoint *ret);

// Decimal without sign or leading zeros into u64; false otherwise.
bool agr_decimal_parse(struct ag_str text, uint64_t *ret);
// Takes the next line (without its newline) off *rest; false when no newline is left.
bool agr_line_next(struct ag_str *rest, struct ag_str *ret_line);

#endif
