/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aegis.h: the stable interface of libaegis, the Aegis decision machine with its host (shared state,
 * journal).
 *
 * One process opens policies (immutable, shared by all threads), one host (state, kill words, journal), and
 * per thread one context. A decision allocates nothing, locks nothing and blocks on nothing.
 *
 * Rules for every struct marked "sized": set `size = sizeof(struct ...)` before a call; later versions append
 * fields. Strings returned borrow: the comment says from what. Thread rule: a policy, a slot and a host may
 * be used by many threads; a context by one at a time. C99 and C++ clean.
 */
#ifndef AEGIS_H
#define AEGIS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define AEGIS_IMAGE_FORMAT 1 /* version of policy.bin that this library reads */

#define AEGIS_API __attribute__((visibility("default")))

/* status, text */
#define AEGIS_STATUSES(S)                                                                                    \
    S(OK, "success")                                                                                         \
    S(USAGE, "wrong argument")                                                                               \
    S(NO_MEMORY, "out of memory")                                                                            \
    S(IO, "the operating system refused a file operation")                                                   \
    S(NOT_IMAGE, "not an Aegis image")                                                                       \
    S(IMAGE_VERSION, "image of another format version")                                                      \
    S(IMAGE_INVALID, "the image failed verification")                                                        \
    S(SIGNATURE, "the image is not signed by a trusted key")                                                 \
    S(SERIAL, "the image's serial is lower than the one required")                                           \
    S(NO_ENTRY, "the image has no such entrypoint")                                                          \
    S(MALFORMED, "the input is not what the entrypoint takes")                                               \
    S(IDENTITY, "identity_mismatch")                                                                         \
    S(TOO_LARGE, "the input is larger than a limit")                                                         \
    S(FUEL, "fuel_exhausted")                                                                                \
    S(ARENA, "arena_exhausted")                                                                              \
    S(STATE, "state_exhausted")                                                                              \
    S(STATE_UNAVAILABLE, "state_unavailable")                                                                \
    S(KILL_UNREADABLE, "kill_state_unreadable")                                                              \
    S(AUDIT, "audit_unavailable")                                                                            \
    S(DEADLINE, "deadline")                                                                                  \
    S(BUSY, "held by another process")                                                                       \
    S(PROVIDER, "the policy needs a crypto provider")                                                        \
    S(POLICY, "policy_error")

enum aegis_status {
#define S(name, text) AEGIS_##name,
    AEGIS_STATUSES(S)
#undef S
        AEGIS_STATUS_COUNT
};

AEGIS_API const char *aegis_status_text(enum aegis_status s);
AEGIS_API const char *aegis_version(void);

struct aegis_str {
    const char *p; /* not NUL-terminated */
    size_t n;
};

/* sized. Filled on failure only. */
struct aegis_error {
    uint32_t size;
    enum aegis_status status;
    uint64_t offset;       /* byte in the image or input, when that helps */
    uint32_t line, column; /* place in a source file, 0 when unknown */
    char text[240];        /* what is wrong and what to do, NUL-terminated */
};

/* ---- policies
 * ---------------------------------------------------------------------------------------------- */

struct aegis_policy; /* a verified image in memory of our own; immutable */

/* sized */
struct aegis_policy_options {
    uint32_t size;
    uint32_t trusted_count;       /* 0: unsigned images are accepted */
    const uint8_t (*trusted)[32]; /* ed25519 public keys */
    uint64_t serial_min;          /* refuse images with a lower serial */
};

/* Opens, copies and verifies an image. options and reterr may be NULL. The caller closes the policy. */
AEGIS_API enum aegis_status aegis_policy_open(const char *path, const struct aegis_policy_options *options,
                                              struct aegis_policy **ret, struct aegis_error *reterr);
/* From a descriptor: mapped in place when it is a memfd sealed against write, grow and shrink, else copied.
 */
AEGIS_API enum aegis_status aegis_policy_open_fd(int fd, const struct aegis_policy_options *options,
                                                 struct aegis_policy **ret, struct aegis_error *reterr);
AEGIS_API enum aegis_status aegis_policy_open_bytes(const void *bytes, size_t n,
                                                    const struct aegis_policy_options *options,
                                                    struct aegis_policy **ret, struct aegis_error *reterr);
AEGIS_API void aegis_policy_close(struct aegis_policy *p);

/* sized. Facts about a policy; strings borrow from it. */
struct aegis_policy_info {
    uint32_t size;
    struct aegis_str name; /* label in the image */
    uint8_t digest[32];
    uint8_t source_digest[32];
    uint64_t serial;
    uint64_t fuel;
    uint32_t rules, limits, entries;
    uint32_t is_signed;
    uint8_t key[32]; /* signer, when is_signed */
    uint32_t has_gates;
    uint32_t audit_level, audit_sign, audit_input;
    uint64_t image_bytes;
    uint8_t combine, default_decision, default_risk, default_approval;
    struct aegis_str tzdata;
    uint32_t needs_crypto; /* it calls built-ins that need aegis_host_options.crypto */
};
AEGIS_API void aegis_policy_info(const struct aegis_policy *p, struct aegis_policy_info *ret);

/* sized. Rule `ix` (source order, 0-based) as a person reads it; strings borrow from the policy. AEGIS_USAGE
 * past the end. */
struct aegis_rule_info {
    uint32_t size;
    struct aegis_str name, source;
    uint32_t line, column;
    struct aegis_str decision, risk_level, approval;
    struct aegis_str type, target, agent, tenant; /* match patterns; "*" when any */
};
AEGIS_API enum aegis_status aegis_policy_rule(const struct aegis_policy *p, uint32_t ix,
                                              struct aegis_rule_info *ret);

/* A place that always holds the current policy: readers never wait, publish swaps it. */
struct aegis_slot;
AEGIS_API enum aegis_status aegis_slot_new(struct aegis_slot **ret);
/* Takes over the policy; the one before is closed when its last reader is done. */
AEGIS_API void aegis_slot_publish(struct aegis_slot *s, struct aegis_policy *p);
AEGIS_API void aegis_slot_free(struct aegis_slot *s);

/* ---- crypto provider
 * --------------------------------------------------------------------------------------- */

/*
 * Public-key operations for the built-ins flagged HOST (docs/generated/builtins.md): JWT signatures with RSA
 * and ECDSA, X.509 chains, private keys. Nothing else of the machine needs a library that allocates, so a
 * host that runs no such policy leaves it out. libaegis-crypto has one made of OpenSSL (aegis_crypto.h).
 *
 * Every function may be called by many threads at the same time and keeps nothing of its arguments. What it
 * cannot do (out of memory, a number that is no key) it says with its return value; it never ends the
 * process.
 */
enum aegis_key_type { AEGIS_KEY_RSA = 1, AEGIS_KEY_P256, AEGIS_KEY_P384, AEGIS_KEY_P521 };
enum aegis_scheme { AEGIS_RSA_PKCS1 = 1, AEGIS_RSA_PSS, AEGIS_ECDSA };
enum aegis_hash { AEGIS_SHA256 = 1, AEGIS_SHA384, AEGIS_SHA512 };
#define AEGIS_SIGNATURE_MAX 2048 /* bytes: RSA keys of 16384 bits */

/* sized. Unsigned big-endian numbers; those of the private half are empty in a public key. */
struct aegis_key {
    uint32_t size;
    enum aegis_key_type type;
    struct aegis_str n, e, d, p, q; /* RSA; d is also the EC scalar */
    struct aegis_str x, y;          /* EC */
};

/* sized. What is computed from a private key; big-endian, padded to the length of the modulus or field. */
struct aegis_key_parts {
    uint32_t size;
    uint8_t dp[AEGIS_SIGNATURE_MAX / 2], dq[AEGIS_SIGNATURE_MAX / 2], qi[AEGIS_SIGNATURE_MAX / 2]; /* RSA */
    uint8_t x[66], y[66];                                                                          /* EC */
};

enum aegis_usage { /* bits of aegis_chain.usages, the extended key usages of RFC 5280 and their relatives */
                   AEGIS_USAGE_ANY = 1,
                   AEGIS_USAGE_SERVER_AUTH = 2,
                   AEGIS_USAGE_CLIENT_AUTH = 4,
                   AEGIS_USAGE_CODE_SIGNING = 8,
                   AEGIS_USAGE_EMAIL_PROTECTION = 16,
                   AEGIS_USAGE_IPSEC_END_SYSTEM = 32,
                   AEGIS_USAGE_IPSEC_TUNNEL = 64,
                   AEGIS_USAGE_IPSEC_USER = 128,
                   AEGIS_USAGE_TIME_STAMPING = 256,
                   AEGIS_USAGE_OCSP_SIGNING = 512,
                   AEGIS_USAGE_MICROSOFT_SERVER_GATED = 1024,
                   AEGIS_USAGE_NETSCAPE_SERVER_GATED = 2048,
                   AEGIS_USAGE_MICROSOFT_COMMERCIAL_CODE = 4096,
                   AEGIS_USAGE_MICROSOFT_KERNEL_CODE = 8192
};

/* sized. DER certificates: the trusted root first, the leaf last, intermediates between (count >= 2). */
struct aegis_chain {
    uint32_t size;
    uint32_t count;
    const struct aegis_str *der;
    struct aegis_str dns_name; /* the leaf must be for this name or address; empty: any */
    int64_t now_s;             /* UNIX time at which all must be valid */
    uint32_t usages;           /* enum aegis_usage: one of these must be allowed by the whole chain */
};

/* sized */
struct aegis_crypto {
    uint32_t size;
    const char *name; /* of the library behind it, with its version */
    /* 1 the signature is right, 0 it is not, -1 failed. ECDSA signatures are r and s side by side, of one
     * length. */
    int (*verify)(const struct aegis_key *key, enum aegis_scheme scheme, enum aegis_hash hash,
                  struct aegis_str message, struct aegis_str signature);
    /* Bytes written to out[AEGIS_SIGNATURE_MAX], or 0: failed, or the key cannot sign so. ECDSA as above,
     * each of the length of the field. */
    size_t (*sign)(const struct aegis_key *key, enum aegis_scheme scheme, enum aegis_hash hash,
                   struct aegis_str message, uint8_t *out);
    /* Checks that the numbers of a private key belong together and fills *ret: 1 they do, 0 they do not, -1
     * failed. */
    int (*check_private)(const struct aegis_key *key, struct aegis_key_parts *ret);
    /* Looks for a chain from the leaf to the root: 1 found, its certificates in ret_ix[0 .. *ret_n), leaf
     * first (positions in chain->der; room for count of them); 0 none is valid; -1 failed. */
    int (*verify_chain)(const struct aegis_chain *chain, uint32_t *ret_ix, uint32_t *ret_n);
};

/* ---- hosts
 * ------------------------------------------------------------------------------------------------- */

struct aegis_host; /* clock, randomness, shared state, kill words, journal */

/* sized */
struct aegis_host_options {
    uint32_t size;
    uint32_t is_simulated;     /* private state, virtual clock, nothing journaled */
    int64_t now_ns;            /* simulated: UNIX time of the virtual clock; 0 = the real time at open */
    uint64_t state_bytes;      /* size of a new state file; 0 = default */
    uint32_t journal_segments; /* segments to preallocate when no sequencer runs; 0 = default */
    const char *policy_name;   /* name in rows; NULL = "default" */
    const struct aegis_crypto
        *crypto; /* outlives the host; NULL: images that need one are refused at decide */
};

/* Opens (or makes) state and journal under dir; dir may be NULL when simulated. Does I/O; the decide calls do
 * not. */
AEGIS_API enum aegis_status aegis_host_open(const char *dir, const struct aegis_host_options *options,
                                            struct aegis_host **ret, struct aegis_error *reterr);
AEGIS_API void aegis_host_close(struct aegis_host *h);
/* Simulated hosts only. */
AEGIS_API enum aegis_status aegis_host_set_now(struct aegis_host *h, int64_t now_ns);
AEGIS_API enum aegis_status aegis_host_set_kill(struct aegis_host *h, struct aegis_str tenant, int engaged);

/* ---- decisions
 * --------------------------------------------------------------------------------------------- */

enum aegis_outcome {
    AEGIS_ALLOW,
    AEGIS_MONITOR,
    AEGIS_THROTTLE,
    AEGIS_ESCALATE,
    AEGIS_DENY,
    AEGIS_KILL,
    AEGIS_UNAVAILABLE
};

struct aegis_finding {
    struct aegis_str code, severity, stage, message;
};

struct aegis_gate {
    struct aegis_str name;  /* risk, profit, novelty, complexity, quality, utility */
    struct aegis_str state; /* pass, fail, skipped */
    double value, threshold, confidence;
};

struct aegis_limit {
    struct aegis_str name;
    uint32_t allowed;
    uint64_t remaining;
    int64_t reset_at_ns;    /* UNIX time */
    int64_t retry_after_ns; /* 0 when allowed */
};

/* sized. Strings and arrays live until the next call on the context. */
struct aegis_decision {
    uint32_t size;
    enum aegis_outcome outcome;
    enum aegis_status status; /* why unavailable; AEGIS_OK otherwise */
    uint32_t is_allowed;      /* allow or monitor */
    struct aegis_str decision, rule, reason, message, risk_level, approval;
    struct aegis_str id; /* decision_id; empty when nothing was journaled */
    struct aegis_str policy_name;
    struct aegis_str policy_digest; /* "blake2b:<hex>" */
    int64_t now_ns;                 /* clock of the decision */
    int64_t retry_after_ns;         /* throttle: when to try again */
    uint64_t cost;                  /* fuel used */
    uint32_t n_findings, n_gates, n_limits;
    const struct aegis_finding *findings;
    const struct aegis_gate *gates;
    const struct aegis_limit *limits;
    struct aegis_str gov_status; /* evaluate: proceed, pause, halt, escalate */
    struct aegis_str would_be;   /* evaluate in shadow mode: the status that was not enforced; else empty */
    double confidence;
    struct aegis_str drift_status;
    double drift_kl;
    struct aegis_str boot; /* audit position */
    uint32_t worker, journal;
    uint64_t wseq;
    uint64_t position; /* of the row in its journal, opaque */
    uint64_t reservation;
    uint32_t rule_ix;                             /* YAML rule, UINT32_MAX when none */
    uint32_t audit_level;                         /* 0 journaled, 1 durable, 2 witnessed */
    struct aegis_str type, target, agent, tenant; /* the action as it was understood */
};

struct aegis_ctx;

/* sized; 0 fields take the default */
struct aegis_limits {
    uint32_t size;
    uint32_t input_max;  /* bytes of one JSON input (default 1 MiB) */
    uint32_t arena_size; /* bytes of working memory (default 4 MiB) */
    uint64_t fuel;       /* lowers the image's fuel */
};

AEGIS_API enum aegis_status aegis_ctx_new(const struct aegis_limits *limits, struct aegis_host *host,
                                          struct aegis_ctx **ret);
AEGIS_API void aegis_ctx_free(struct aegis_ctx *ctx);
/*
 * Makes the context's next journal segment ready: the only call besides open, new, free and close that does
 * I/O. Call it after a decision, outside the time that a caller waits, when aegis_ctx_wants_refill says so
 * (about once in 16 MiB of rows). Without a next segment decisions become unavailable (audit_unavailable).
 */
AEGIS_API int aegis_ctx_wants_refill(const struct aegis_ctx *ctx);
AEGIS_API enum aegis_status aegis_ctx_refill(struct aegis_ctx *ctx);

/*
 * Decides one JSON action with entrypoint `entry` ("decide", "evaluate", "risk_check") of the slot's policy,
 * commits its effects and journals it. `json` must stay unchanged until the next call on ctx. AEGIS_OK: `ret`
 * is filled; look at ret->outcome (unavailable included). Anything else: no decision was made, reterr says
 * why.
 */
AEGIS_API enum aegis_status aegis_ctx_decide_json(struct aegis_ctx *ctx, struct aegis_slot *slot,
                                                  const char *entry, const char *json, size_t n,
                                                  struct aegis_decision *ret, struct aegis_error *reterr);

/*
 * The same without JSON: build the input value with aegis_input_*, then decide. Begin resets the context.
 * Object members are a key followed by a value. The first mistake is remembered and returned by decide. The
 * built value stays until the next begin or decide_json: it may be decided several times.
 */
AEGIS_API void aegis_input_begin(struct aegis_ctx *ctx);
AEGIS_API void aegis_input_object(struct aegis_ctx *ctx);
AEGIS_API void aegis_input_array(struct aegis_ctx *ctx);
AEGIS_API void aegis_input_end(struct aegis_ctx *ctx);
AEGIS_API void aegis_input_key(struct aegis_ctx *ctx, const char *p, size_t n);
AEGIS_API void aegis_input_string(struct aegis_ctx *ctx, const char *p, size_t n);
AEGIS_API void aegis_input_int(struct aegis_ctx *ctx, int64_t v);
AEGIS_API void aegis_input_number(struct aegis_ctx *ctx, const char *text, size_t n); /* JSON number */
AEGIS_API void aegis_input_bool(struct aegis_ctx *ctx, int v);
AEGIS_API void aegis_input_null(struct aegis_ctx *ctx);
AEGIS_API enum aegis_status aegis_ctx_decide(struct aegis_ctx *ctx, struct aegis_slot *slot,
                                             const char *entry, struct aegis_decision *ret,
                                             struct aegis_error *reterr);

/* Values only: evaluates a value entrypoint without any effect and writes its value as JSON; *ret_n is 0
 * when it is undefined. json NULL: without an input. AEGIS_POLICY: the evaluation ended in an error, whose
 * text is "FILE:LINE: CODE: MESSAGE". */
AEGIS_API enum aegis_status aegis_ctx_eval_json(struct aegis_ctx *ctx, struct aegis_slot *slot,
                                                const char *entry, const char *json, size_t n, char *out,
                                                size_t out_size, size_t *ret_n, struct aegis_error *reterr);

/*
 * The decision record of docs/formats/json.md as JSON, without a NUL. Returns its bytes, or SIZE_MAX when
 * `size` is too small. Call it before the next call on ctx.
 */
AEGIS_API size_t aegis_decision_json(const struct aegis_ctx *ctx, const struct aegis_decision *d, char *out,
                                     size_t size);

/* Settles a budget reservation with what the action really cost. */
AEGIS_API enum aegis_status aegis_ctx_settle(struct aegis_ctx *ctx, uint64_t reservation,
                                             int64_t actual_micro_usd);
/*
 * Takes back what the last decision holds (its policy, its strings). A decide call does the same at its
 * start; a context that will be idle for long calls it so that a replaced policy can go.
 */
AEGIS_API void aegis_ctx_release(struct aegis_ctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
