// SPDX-License-Identifier: Apache-2.0
// aegis verify: opens an image as a server would, with the keys to trust, and says what it is. Logs are
// verified by `aegis audit verify`. In: an image. Out: its facts; exit 1 when it is refused. Next file to
// read: runtime/host/open.c.
#include "keys.h"

#include "store.h"

#define TRUST_MAX 16u

static void
print_hex(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        printf("%02x", p[i]);
}

static void
print_base64(const uint8_t key[32])
{
    char text[AGR_KEY_TEXT];
    struct ag_str s = agr_key_text(AGR_KEY_PUBLIC_HEAD, key, text);
    printf("%.*s", (int)AGR_KEY_BASE64, s.p + strlen(AGR_KEY_PUBLIC_HEAD));
}

static void
print_json(const struct aegis_policy_info *i, bool is_trusted)
{
    printf("{\"valid\":true,\"name\":");
    agr_print_json_str(stdout, ag_str_of(i->name.p, i->name.n));
    printf(",\"digest\":\"blake2b:");
    print_hex(i->digest, sizeof i->digest);
    printf("\",\"source_digest\":\"");
    print_hex(i->source_digest, sizeof i->source_digest);
    printf("\",\"serial\":%llu,\"bytes\":%llu,\"fuel\":%llu,\"rules\":%u,\"limits\":%u,\"entries\":%u,"
           "\"gates\":%s",
           (unsigned long long)i->serial, (unsigned long long)i->image_bytes, (unsigned long long)i->fuel,
           i->rules, i->limits, i->entries, i->has_gates ? "true" : "false");
    printf(",\"tzdata\":");
    agr_print_json_str(stdout, ag_str_of(i->tzdata.p, i->tzdata.n));
    printf(",\"signed\":%s,\"trusted\":%s", i->is_signed ? "true" : "false", is_trusted ? "true" : "false");
    if (i->is_signed) {
        printf(",\"key\":\"");
        print_base64(i->key);
        printf("\"");
    }
    printf("}\n");
}

static void
print_text(const struct aegis_policy_info *i, bool is_trusted)
{
    printf("Image valid: %.*s\n  digest:   blake2b:", (int)i->name.n, i->name.p);
    print_hex(i->digest, sizeof i->digest);
    printf("\n  sources:  ");
    print_hex(i->source_digest, sizeof i->source_digest);
    printf("\n  serial:   %llu\n  size:     %llu bytes\n  contains: %u rule(s), %u limit(s), %u "
           "entrypoint(s)%s\n",
           (unsigned long long)i->serial, (unsigned long long)i->image_bytes, i->rules, i->limits, i->entries,
           i->has_gates ? ", gates" : "");
    printf("  fuel:     %llu\n", (unsigned long long)i->fuel);
    if (i->tzdata.n)
        printf("  tzdata:   %.*s\n", (int)i->tzdata.n, i->tzdata.p);
    printf("  signed:   ");
    if (i->is_signed) {
        print_base64(i->key);
        printf("%s\n", is_trusted ? " (trusted)"
                                  : " (no --trust given: the signature fits the key, whoever's it is)");
    } else {
        printf("no\n");
    }
}

int
cmd_verify(int argc, char **argv)
{
    int is_json = 0, code;
    long serial = 0;
    uint8_t trust[TRUST_MAX][32];
    struct agr_list args = {0}, keys = {0};
    const struct agr_opt opts[] = {
        {"trust", 0, AGR_OPT_LIST, &keys, "KEY",
         "a public key file or its base64; the image must be signed by one of them"},
        {"serial-min", 0, AGR_OPT_INT, &serial, "N", "refuse a lower serial"},
        {"json", 0, AGR_OPT_FLAG, &is_json, NULL, "print JSON"},
        {NULL, 0, AGR_OPT_FLAG, NULL, NULL, NULL}};
    if (!agr_args(argc, argv, opts, &args, &code))
        return code;
    if (args.n != 1)
        return agr_die(AGR_EXIT_HELD, "verify: give one image (a log is verified by aegis audit verify)");
    if (agr_is_source(args.v[0]))
        return agr_die(AGR_EXIT_HELD, "verify: %s is a source; aegis validate checks those", args.v[0]);
    if (keys.n > TRUST_MAX || serial < 0)
        return agr_die(AGR_EXIT_HELD, "verify: at most %u keys, and a serial that is not negative",
                       TRUST_MAX);
    if (!ag_crypto_init())
        return agr_die(AGR_EXIT_UNAVAILABLE, "verify: the cryptographic library does not start");
    for (unsigned i = 0; i < keys.n; i++)
        if (!agr_key_public(keys.v[i], trust[i]))
            return AGR_EXIT_UNAVAILABLE;
    struct aegis_policy_options o = {.size = sizeof o,
                                     .trusted_count = keys.n,
                                     .trusted = (const uint8_t(*)[32])trust,
                                     .serial_min = (uint64_t)serial};
    struct aegis_error e = {.size = sizeof e};
    struct aegis_policy *p;
    enum aegis_status s = aegis_policy_open(args.v[0], &o, &p, &e);
    if (s != AEGIS_OK) {
        if (is_json) {
            printf("{\"valid\":false,\"error\":");
            agr_print_json_str(stdout, ag_str_z(e.text));
            printf("}\n");
        }
        return s == AEGIS_IO ? agr_die(AGR_EXIT_UNAVAILABLE, "%s", e.text) // it names the file
                             : agr_die(AGR_EXIT_DENIED, "%s: %s", args.v[0], e.text);
    }
    struct aegis_policy_info info = {.size = sizeof info};
    aegis_policy_info(p, &info);
    if (is_json)
        print_json(&info, keys.n > 0);
    else
        print_text(&info, keys.n > 0);
    aegis_policy_close(p);
    return AGR_EXIT_OK;
}
