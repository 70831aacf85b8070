// SPDX-License-Identifier: Apache-2.0
// Step 17, signatures: C2SP signed notes and checkpoints. Contract: note.h; bytes: docs/formats/audit.md.
// In: text and keys. Out: notes, or the text of a note that verifies. Borrows everything, allocates nothing.
// Next: runtime/audit/sequencer.c.
#include "note.h"
#include "base64.h"

#include "sha256.h"
#include "utf8.h"

#define ALG_ED25519 1u
#define DASH        "\xe2\x80\x94 " // em dash and a blank begin a signature line

bool
agr_line_next(struct ag_str *rest, struct ag_str *ret_line)
{
    const char *nl = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
    if (!nl)
        return false;
    *ret_line = ag_str_of(rest->p, (size_t)(nl - rest->p));
    *rest = ag_str_of(nl + 1, rest->n - ret_line->n - 1);
    return true;
}

bool
agr_decimal_parse(struct ag_str text, uint64_t *ret)
{
    uint64_t v = 0;
    if (text.n == 0 || (text.n > 1 && text.p[0] == '0'))
        return false;
    for (size_t i = 0; i < text.n; i++) {
        unsigned d = (unsigned)(unsigned char)text.p[i] - '0';
        if (d > 9 || v > (UINT64_MAX - d) / 10)
            return false;
        v = v * 10 + d;
    }
    *ret = v;
    return true;
}

// --- keys
// --------------------------------------------------------------------------------------------------------

bool
agr_key_name_valid(struct ag_str name)
{
    if (name.n == 0 || name.n > AGR_KEY_NAME_MAX || !ag_utf8_valid(name.p, name.n))
        return false;
    for (size_t i = 0; i < name.n;) {
        uint32_t cp;
        i += ag_utf8_decode((const uint8_t *)name.p + i, name.n - i, &cp);
        // Unicode blanks as Go's unicode.IsSpace lists them.
        if (cp <= 0x20 || cp == '+' || (cp >= 0x7f && cp <= 0xa0) || cp == 0x1680 ||
            (cp >= 0x2000 && cp <= 0x200a) || cp == 0x2028 || cp == 0x2029 || cp == 0x202f || cp == 0x205f ||
            cp == 0x3000)
            return false;
    }
    return true;
}

static void
key_hash(struct agr_note_key *k)
{
    struct ag_sha256 s;
    uint8_t digest[32], alg = ALG_ED25519;
    ag_sha256_init(&s);
    ag_sha256_update(&s, k->name, strlen(k->name));
    ag_sha256_update(&s, "\n", 1);
    ag_sha256_update(&s, &alg, 1);
    ag_sha256_update(&s, k->pub, sizeof(k->pub));
    ag_sha256_final(&s, digest);
    memcpy(k->hash, digest, sizeof(k->hash));
}

static bool
set_name(struct agr_note_key *k, struct ag_str name)
{
    memset(k, 0, sizeof(*k));
    if (!agr_key_name_valid(name))
        return false;
    memcpy(k->name, name.p, name.n);
    return true;
}

bool
agr_signer_init(struct agr_note_signer *s, struct ag_str name, const uint8_t seed[32])
{
    if (!set_name(&s->key, name))
        return false;
    memcpy(s->seed, seed, sizeof(s->seed));
    ag_ed25519_from_seed(seed, s->key.pub, s->secret);
    key_hash(&s->key);
    return true;
}

void
agr_signer_wipe(struct agr_note_signer *s)
{
    ag_crypto_wipe(s, sizeof(*s));
}

// NAME+hash8+base64(alg ‖ 32 bytes): splits and decodes; the hash is checked by the caller.
static bool
key_fields(struct ag_str text, struct ag_str *ret_name, struct ag_str *ret_hash, uint8_t ret_raw[33])
{
    if (text.n && text.p[text.n - 1] == '\n')
        text.n--;
    const char *plus = text.n ? memchr(text.p, '+', text.n) : NULL;
    if (!plus)
        return false;
    *ret_name = ag_str_of(text.p, (size_t)(plus - text.p));
    struct ag_str rest = ag_str_of(plus + 1, text.n - ret_name->n - 1);
    if (rest.n < 10 || rest.p[8] != '+')
        return false;
    *ret_hash = ag_str_of(rest.p, 8);
    return ag_base64_decode(ag_str_of(rest.p + 9, rest.n - 9), true, ret_raw, 33) == 33 &&
           ret_raw[0] == ALG_ED25519;
}

static bool
hash_is(const struct agr_note_key *k, struct ag_str hex)
{
    char text[8];
    struct ag_buf b;
    ag_buf_init(&b, text, sizeof(text));
    ag_buf_hex(&b, k->hash, sizeof(k->hash));
    return ag_str_eq(ag_str_of(text, 8), hex);
}

bool
agr_vkey_parse(struct ag_str text, struct agr_note_key *ret)
{
    struct ag_str name, hash;
    uint8_t raw[33];
    if (!key_fields(text, &name, &hash, raw) || !set_name(ret, name))
        return false;
    memcpy(ret->pub, raw + 1, sizeof(ret->pub));
    key_hash(ret);
    return hash_is(ret, hash);
}

bool
agr_skey_parse(struct ag_str text, struct agr_note_signer *ret)
{
    static const char prefix[] = "PRIVATE+KEY+";
    struct ag_str name, hash;
    uint8_t raw[33];
    if (text.n < sizeof(prefix) || memcmp(text.p, prefix, sizeof(prefix) - 1) != 0)
        return false;
    text = ag_str_of(text.p + sizeof(prefix) - 1, text.n - (sizeof(prefix) - 1));
    bool ok = key_fields(text, &name, &hash, raw) && agr_signer_init(ret, name, raw + 1) &&
              hash_is(&ret->key, hash);
    ag_crypto_wipe(raw, sizeof(raw));
    return ok;
}

static void
key_text(const struct agr_note_key *k, const uint8_t bytes[32], struct ag_buf *out)
{
    uint8_t raw[33] = {ALG_ED25519};
    memcpy(raw + 1, bytes, 32);
    ag_buf_str(out, ag_str_z(k->name));
    ag_buf_char(out, '+');
    ag_buf_hex(out, k->hash, sizeof(k->hash));
    ag_buf_char(out, '+');
    ag_buf_base64(out, raw, sizeof(raw));
    ag_crypto_wipe(raw, sizeof(raw));
}

void
agr_vkey_format(const struct agr_note_key *k, struct ag_buf *out)
{
    key_text(k, k->pub, out);
}

void
agr_skey_format(const struct agr_note_signer *s, struct ag_buf *out)
{
    ag_buf_lit(out, "PRIVATE+KEY+");
    key_text(&s->key, s->seed, out);
}

// --- notes
// -------------------------------------------------------------------------------------------------------

void
agr_note_sign_line(const struct agr_note_signer *s, struct ag_str text, struct ag_buf *out)
{
    uint8_t raw[4 + AG_ED25519_SIG];
    memcpy(raw, s->key.hash, 4);
    ag_ed25519_sign(text.p, text.n, s->secret, raw + 4);
    ag_buf_lit(out, DASH);
    ag_buf_str(out, ag_str_z(s->key.name));
    ag_buf_char(out, ' ');
    ag_buf_base64(out, raw, sizeof(raw));
    ag_buf_char(out, '\n');
}

void
agr_note_sign(const struct agr_note_signer *const *signers, size_t n, struct ag_str text, struct ag_buf *out)
{
    ag_buf_str(out, text);
    ag_buf_char(out, '\n');
    for (size_t i = 0; i < n; i++)
        agr_note_sign_line(signers[i], text, out);
}

// True when the blank line at s.p[i], s.p[i + 1] is followed by a signature line.
static bool
is_split(struct ag_str s, size_t i)
{
    return s.p[i] == '\n' && s.p[i + 1] == '\n' && s.n - i - 2 >= 4 && memcmp(s.p + i + 2, DASH, 4) == 0;
}

size_t
agr_note_first(struct ag_str notes)
{
    size_t text_n = 0;
    for (size_t i = 0; i + 1 < notes.n && text_n == 0; i++)
        if (is_split(notes, i))
            text_n = i + 1;
    if (text_n == 0)
        return 0;
    struct ag_str rest = ag_str_of(notes.p + text_n + 1, notes.n - text_n - 1), line;
    while (rest.n >= 4 && memcmp(rest.p, DASH, 4) == 0)
        if (!agr_line_next(&rest, &line))
            return 0;
    return notes.n - rest.n;
}

// One line "— NAME base64". False when it is not one.
static bool
sig_line(struct ag_str line, struct ag_str *ret_name, uint8_t ret_raw[4 + AG_ED25519_SIG])
{
    if (line.n < 4 || memcmp(line.p, DASH, 4) != 0)
        return false;
    line = ag_str_of(line.p + 4, line.n - 4);
    const char *blank = line.n ? memchr(line.p, ' ', line.n) : NULL;
    if (!blank)
        return false;
    *ret_name = ag_str_of(line.p, (size_t)(blank - line.p));
    struct ag_str text = ag_str_of(blank + 1, line.n - ret_name->n - 1);
    // Cosignatures of other kinds are longer; they are well formed and simply not ours.
    uint8_t raw[512];
    int64_t n = ag_base64_decode(text, true, raw, sizeof(raw));
    if (!agr_key_name_valid(*ret_name) || n < 5)
        return false;
    memset(ret_raw, 0, 4 + AG_ED25519_SIG);
    memcpy(ret_raw, raw, n == 4 + AG_ED25519_SIG ? (size_t)n : 4);
    return true;
}

enum agr_note_status
agr_note_open(struct ag_str note, const struct agr_note_key *keys, size_t n, struct ag_str *ret_text)
{
    size_t text_n = 0;
    // The last blank line divides: a text may itself look like a note.
    for (size_t i = note.n; i-- > 1 && text_n == 0;)
        if (is_split(note, i - 1))
            text_n = i;
    if (note.n > AGR_NOTE_MAX || text_n == 0 || note.p[note.n - 1] != '\n' || !ag_utf8_valid(note.p, note.n))
        return AGR_NOTE_MALFORMED;
    for (size_t i = 0; i < note.n; i++)
        if ((unsigned char)note.p[i] < 0x20 && note.p[i] != '\n')
            return AGR_NOTE_MALFORMED;
    struct ag_str text = ag_str_of(note.p, text_n), line, name;
    struct ag_str rest = ag_str_of(note.p + text_n + 1, note.n - text_n - 1);
    uint8_t raw[4 + AG_ED25519_SIG];
    size_t lines = 0, good = 0;
    while (rest.n) {
        if (!agr_line_next(&rest, &line) || !sig_line(line, &name, raw) || ++lines > AGR_NOTE_SIGS_MAX)
            return AGR_NOTE_MALFORMED;
        for (size_t i = 0; i < n; i++) {
            if (!ag_str_is(name, keys[i].name) || memcmp(raw, keys[i].hash, 4) != 0)
                continue;
            if (!ag_ed25519_verify(text.p, text.n, keys[i].pub, raw + 4))
                return AGR_NOTE_BAD_SIG;
            good++;
            break; // a key may be listed twice
        }
    }
    if (good == 0)
        return AGR_NOTE_UNKNOWN;
    *ret_text = text;
    return AGR_NOTE_OK;
}

const char *
agr_note_status_text(enum agr_note_status s)
{
    switch (s) {
    case AGR_NOTE_OK: return "ok";
    case AGR_NOTE_MALFORMED: return "is not a signed note";
    case AGR_NOTE_UNKNOWN: return "has no signature of a trusted key";
    case AGR_NOTE_BAD_SIG: return "has a signature that does not verify";
    }
    return "unknown";
}

// --- checkpoints
// -------------------------------------------------------------------------------------------------

void
agr_checkpoint_format(struct ag_str origin, uint64_t size, const struct agr_hash *root, struct ag_buf *out)
{
    ag_buf_str(out, origin);
    ag_buf_char(out, '\n');
    ag_buf_u64(out, size);
    ag_buf_char(out, '\n');
    ag_buf_base64(out, root->b, sizeof(root->b));
    ag_buf_char(out, '\n');
}

bool
agr_checkpoint_parse(struct ag_str text, struct agr_checkpoint *ret)
{
    struct ag_str size, root;
    struct agr_checkpoint c;
    if (!agr_line_next(&text, &c.origin) || !agr_line_next(&text, &size) || !agr_line_next(&text, &root) ||
        text.n || c.origin.n == 0 || !agr_decimal_parse(size, &c.size) ||
        ag_base64_decode(root, true, c.root.b, sizeof(c.root.b)) != AGR_HASH_SIZE)
        return false;
    *ret = c;
    return true;
}
