// SPDX-License-Identifier: Apache-2.0
// Tokens: the examples of RFC 7515 (A.1 HS256, A.2 RS256, A.3 ES256, A.5 none) and RFC 8037 (EdDSA); every
// algorithm signs and verifies; constraints of io.jwt.decode_verify; keys never serve another algorithm; a
// host without a provider; a provider whose n-th allocation fails. Certificates and private keys: fields,
// refusals, chains.
#include "bi.h"
#include "aegis_crypto.h"

#include <openssl/crypto.h>

static struct bi *b;

// --- a provider that runs out of memory
static long left = -1; // allocations before the next one fails; -1: none fails

static bool
fails(void)
{
    if (left < 0)
        return false;
    if (left == 0)
        return true;
    left--;
    return false;
}

static void *
test_malloc(size_t n, const char *file, int line)
{
    (void)file, (void)line;
    return fails() ? NULL : malloc(n);
}

static void *
test_realloc(void *p, size_t n, const char *file, int line)
{
    (void)file, (void)line;
    return fails() ? NULL : realloc(p, n);
}

static void
test_free(void *p, const char *file, int line)
{
    (void)file, (void)line;
    free(p);
}

static const char rsa_private[] =
    "{\"kty\":\"RSA\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4q"
    "PCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf"
    "63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I"
    "5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ\",\"e\":\"AQAB\""
    ",\"d\":\"Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVo"
    "l2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V5"
    "1gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPD"
    "VZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ\",\"p\":\"4BzEEOtIpmVdVEZNCqS7ba"
    "C4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY"
    "5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc\",\"q\":\"uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7c"
    "epKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLt"
    "XlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc\",\"dp\":\"BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTe"
    "Dv8uzluRSnm71I3QCLdhrqE2e9YkxvuxdBfpT_PI7Yz-FOKnu1R6HsJeDCjn12Sk3vmAktV2zb34MCdy7cpdTh_YVr7tss2u"
    "6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0\",\"dq\":\"h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwk"
    "OlODsWa7I9xXDoRwbKgB719rrmI2oKr6N3Do9U0ajaHF-NKJnwgjMd2w9cjz3_-kyNlxAr2v4IKhGNpmM5iIgOS1VZnOZ68m"
    "6_pbLBSp3nssTdlqvd0tIiTHU\",\"qi\":\"IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy2"
    "6F0EmpScGLq2MowX7fhd_QJQ3ydy5cY7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp_gh6A5603k2-ZQ"
    "wVK0JKSHuLFkuQ3U\"}";
static const char rsa_public[] =
    "{\"kty\":\"RSA\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4q"
    "PCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf"
    "63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I"
    "5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ\",\"e\":\"AQAB\""
    "}";
static const char rs256[] =
    "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9"
    "pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Q"
    "c_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARN"
    "PvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6I"
    "eYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
#define PAYLOAD                                                                                              \
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
static const char hs256[] =
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." PAYLOAD ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
static const char es256[] =
    "eyJhbGciOiJFUzI1NiJ9." PAYLOAD
    ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
static const char unsecured[] = "eyJhbGciOiJub25lIn0." PAYLOAD ".";
static const char oct[] = "{\"kty\":\"oct\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-"
                          "1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow\"}";
static const char ec_private[] =
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\",\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-"
    "E9LI\"}";
static const char ec_public[] =
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}";
static const char ed_private[] =
    "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\","
    "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}";
static const char ed_public[] =
    "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}";
static const char eddsa[] =
    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
    "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

// Appends a JSON string.
static void
put(char *out, size_t size, const char *text)
{
    struct ag_buf w;
    size_t n = strlen(out);
    ag_buf_init(&w, out + n, size - n - 1);
    ag_buf_json_str(&w, ag_str_z(text));
    out[n + w.n] = 0;
}

// Calls with string arguments.
static const char *
call(const char *name, const char *x, const char *y, const char *z)
{
    static char args[1 << 16];
    snprintf(args, sizeof args, "[");
    put(args, sizeof args, x);
    for (int i = 0; i < 2; i++) {
        const char *s = i ? z : y;
        if (!s)
            continue;
        strncat(args, ",", sizeof args - strlen(args) - 1);
        put(args, sizeof args, s);
    }
    strncat(args, "]", sizeof args - strlen(args) - 1);
    return bi_call(b, name, args);
}

static void
is(const char *got, const char *want, const char *what)
{
    if (!OK(strcmp(got, want) == 0, "%s", what))
        printf("# got  %.500s\n# want %s\n", got, want);
}

static void
begins(const char *got, const char *want, const char *what)
{
    if (!OK(strncmp(got, want, strlen(want)) == 0, "%s", what))
        printf("# got  %.500s\n# want %s\n", got, want);
}

static const char *
decode_verify(const char *token, const char *constraints)
{
    static char args[1 << 16];
    snprintf(args, sizeof args, "[\"%s\", %s]", token, constraints);
    return bi_call(b, "io.jwt.decode_verify", args);
}

static void
test_rfc(void)
{
    is(call("io.jwt.decode", unsecured, NULL, NULL),
       "[{\"alg\":\"none\"},{\"exp\":1300819380,\"http://example.com/is_root\":true,\"iss\":\"joe\"},\"\"]",
       "RFC 7515 A.5 decodes");
    is(call("io.jwt.verify_rs256", rs256, rsa_public, NULL), "true", "RFC 7515 A.2");
    is(call("io.jwt.verify_rs384", rs256, rsa_public, NULL), "false", "another hash does not");
    is(call("io.jwt.verify_ps256", rs256, rsa_public, NULL), "false", "nor another padding");
    is(call("io.jwt.verify_es256", es256, ec_public, NULL), "true", "RFC 7515 A.3");
    is(call("io.jwt.verify_es256", rs256, ec_public, NULL), "false", "A.2 is not signed by the key of A.3");
    is(call("io.jwt.verify_rs256", es256, ec_public, NULL), "false", "an EC key verifies no RS256");
    is(call("io.jwt.verify_es256", es256, ec_private, NULL), "false", "a private key verifies nothing");
    is(call("io.jwt.verify_eddsa", eddsa, ed_public, NULL), "true", "RFC 8037 A.4");
    is(call("io.jwt.encode_sign_raw", "{\"alg\":\"RS256\"}",
            "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}",
            rsa_private),
       "\"eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvb"
       "S9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-"
       "0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIA"
       "RNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh"
       "6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw\"",
       "A.2 is made");
}

static void
test_round_trips(void)
{
    static const struct {
        const char *alg, *fn, *key, *pub;
    } rows[] = {{"RS384", "io.jwt.verify_rs384", rsa_private, rsa_public},
                {"RS512", "io.jwt.verify_rs512", rsa_private, rsa_public},
                {"PS256", "io.jwt.verify_ps256", rsa_private, rsa_public},
                {"PS384", "io.jwt.verify_ps384", rsa_private, rsa_public},
                {"PS512", "io.jwt.verify_ps512", rsa_private, rsa_public},
                {"ES256", "io.jwt.verify_es256", ec_private, ec_public},
                {"EdDSA", "io.jwt.verify_eddsa", ed_private, ed_public}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char header[64], token[4096];
        snprintf(header, sizeof header, "{\"alg\":\"%s\"}", rows[i].alg);
        const char *got = call("io.jwt.encode_sign_raw", header, "{}", rows[i].key);
        snprintf(token, sizeof token, "%.*s", (int)strcspn(got + 1, "\""), got + 1);
        is(call(rows[i].fn, token, rows[i].pub, NULL), "true", rows[i].alg);
        char *at = &token[strlen(token) - 6];
        *at = *at == 'A' ? 'B' : 'A';
        is(call(rows[i].fn, token, rows[i].pub, NULL), "false", "one character of the signature is wrong");
    }
    begins(call("io.jwt.encode_sign_raw", "{\"alg\":\"ES256\"}", "{}", rsa_private),
           "eval_builtin_error: io.jwt.encode_sign_raw: the key cannot sign with ES256",
           "RSA signs no ES256");
    begins(call("io.jwt.encode_sign_raw", "{\"alg\":\"none\"}", "{}", oct),
           "eval_builtin_error: io.jwt.encode_sign_raw: unknown JWS algorithm: none", "none signs nothing");
}

static void
test_constraints(void)
{
    char k[4096];
    struct ag_buf w;
    is(call("io.jwt.encode_sign_raw", "{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}",
            "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}", oct),
       "\"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." PAYLOAD ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk\"",
       "RFC 7515 A.1 is made");
    ag_buf_init(&w, k, sizeof k - 1);
    ag_buf_lit(&w, "{\"cert\": ");
    ag_buf_json_str(&w, ag_str_z(oct));
    ag_buf_lit(&w, ", \"time\": 1300819379000000000}");
    k[w.n] = 0;
    begins(decode_verify(hs256, k), "[true,", "one second before it expires");
    k[w.n - 11] = '8', k[w.n - 12] = '8'; // 1300819388
    is(decode_verify(hs256, k), "[false,{},{}]", "after it expired");
    is(decode_verify(unsecured, "{\"secret\": \"x\", \"time\": 1}"), "[false,{},{}]", "none is never valid");
    is(decode_verify(hs256, "{\"secret\": \"x\", \"time\": 1}"), "[false,{},{}]", "another secret");
    begins(decode_verify(hs256, "{}"), "eval_builtin_error: io.jwt.decode_verify: no key constraint",
           "no key");
    begins(decode_verify(hs256, "{\"what\": 1}"),
           "eval_builtin_error: io.jwt.decode_verify: unknown token validation constraint: what",
           "unknown constraint");
    begins(decode_verify("a.b", "{\"secret\": \"x\"}"),
           "eval_builtin_error: io.jwt.decode_verify: encoded JWT must have 3 sections, found 2",
           "two sections");
    // The public key of RS256 as an HMAC secret: the algorithm must fit the kind of the key.
    ag_buf_init(&w, k, sizeof k - 1);
    ag_buf_lit(&w, "{\"time\": 1, \"cert\": ");
    ag_buf_json_str(&w, ag_str_z(rsa_public));
    ag_buf_char(&w, '}');
    k[w.n] = 0;
    is(decode_verify(hs256, k), "[false,{},{}]", "an RSA key verifies no HS256");
    begins(decode_verify(rs256, k), "[true,", "it verifies RS256");
}

static void
test_keys(void)
{
    begins(call("crypto.x509.parse_certificates", "foobar", NULL, NULL),
           "eval_builtin_error: crypto.x509.parse_certificates: illegal base64 data at input byte 4",
           "no certificate");
    begins(call("crypto.x509.parse_certificates", "YmFkc3RyaW5n", NULL, NULL),
           "eval_builtin_error: crypto.x509.parse_certificates: x509: malformed certificate", "no DER");
    is(call("crypto.parse_private_keys", "", NULL, NULL), "null", "no private key");
    is(call("crypto.x509.parse_and_verify_certificates", "foobar", NULL, NULL), "[false,[]]", "no chain");
    is(bi_call(b, "crypto.hmac.equal", "[\"ab\", \"ab\"]"), "true", "equal");
    is(bi_call(b, "crypto.hmac.equal", "[\"ab\", \"ac\"]"), "false", "not equal");
}

static void
test_no_provider(void)
{
    b->call.crypto = NULL;
    begins(call("io.jwt.verify_rs256", rs256, rsa_public, NULL),
           "eval_builtin_error: io.jwt.verify_rs256: the host has no crypto provider",
           "RS256 without a provider");
    is(call("io.jwt.verify_eddsa", eddsa, ed_public, NULL), "true", "EdDSA without a provider");
    b->call.crypto = aegis_crypto_openssl();
}

// Every allocation of a verification fails once: an error or a verdict that is not "true", then all is well
// again.
static void
test_memory(void)
{
    unsigned wrong = 0, errors = 0;
    for (long n = 0; n < 400; n++) {
        static const char *const fn[] = {"io.jwt.verify_rs256", "io.jwt.verify_es256"};
        for (int i = 0; i < 2; i++) {
            left = n;
            const char *got = call(fn[i], i ? es256 : rs256, i ? ec_public : rsa_public, NULL);
            bool was_reached = left == 0;
            left = -1;
            bool is_error = strncmp(got, "eval_builtin_error", 18) == 0;
            errors += is_error;
            wrong += !is_error && strcmp(got, "true") != 0 && strcmp(got, "false") != 0;
            wrong += !was_reached && strcmp(got, "true") != 0;
        }
    }
    OK(wrong == 0 && errors > 0, "failing allocations are errors: %u of them", errors);
    is(call("io.jwt.verify_rs256", rs256, rsa_public, NULL), "true", "and leave nothing behind");
}

int
main(void)
{
    bool is_hooked = CRYPTO_set_mem_functions(test_malloc, test_realloc, test_free) == 1;
    b = bi_new(aegis_crypto_openssl());
    OK(b->call.crypto != NULL, "the provider starts: %s", b->call.crypto ? b->call.crypto->name : "");
    test_rfc();
    test_round_trips();
    test_constraints();
    test_keys();
    test_no_provider();
    if (is_hooked)
        test_memory();
    bi_free(b);
    return t_done();
}
