// SPDX-License-Identifier: Apache-2.0
// The smallest embedder: the public header and libaegis, nothing else. Decisions from JSON and from built
// input, wrong arguments, limits and the kill switch of a simulated host, sizes and nesting at their limit
// and one past it (A67). In: the image of embed.yaml. Out: TAP. Next file to read: docs/EMBEDDING.md.
#include <aegis.h>

#include "t.h"

#define NOON  INT64_C(1767614400000000000) // 2026-01-05T12:00:00Z
#define DEPTH 64

static struct aegis_host *host;
static struct aegis_slot *slot;
static struct aegis_ctx *ctx;
static struct aegis_decision d;
static struct aegis_error e;

static int
is(struct aegis_str s, const char *text)
{
    return s.n == strlen(text) && memcmp(s.p, text, s.n) == 0;
}

static enum aegis_status
ask_n(const char *json, size_t n)
{
    d = (struct aegis_decision){.size = sizeof d};
    e = (struct aegis_error){.size = sizeof e};
    return aegis_ctx_decide_json(ctx, slot, "decide", json, n, &d, &e);
}

static enum aegis_status
ask(const char *json)
{
    return ask_n(json, strlen(json));
}

static enum aegis_status
decide_built(void)
{
    d = (struct aegis_decision){.size = sizeof d};
    e = (struct aegis_error){.size = sizeof e};
    return aegis_ctx_decide(ctx, slot, "decide", &d, &e);
}

// A member of the input under construction.
static void
put_text(const char *key, const char *value)
{
    aegis_input_key(ctx, key, strlen(key));
    aegis_input_string(ctx, value, strlen(value));
}

static void
test_decisions(void)
{
    OK(ask("{\"type\":\"delete_row\",\"agent\":\"a1\"}") == AEGIS_OK && d.outcome == AEGIS_DENY &&
           !d.is_allowed,
       "deny is an answer, not an error");
    OK(is(d.rule, "no_delete") && is(d.reason, "no_delete") && d.rule_ix == 0, "the rule is named");
    OK(ask("{\"type\":\"payment\",\"agent\":\"a2\",\"params\":{\"amount\":25000}}") == AEGIS_OK &&
           d.outcome == AEGIS_ESCALATE && !d.is_allowed,
       "escalate");
    OK(ask("{\"type\":\"payment\",\"agent\":\"a3\",\"params\":{\"amount\":1e4}}") == AEGIS_OK &&
           d.outcome == AEGIS_ALLOW && d.is_allowed,
       "allow at the border");
    OK(ask("{\"type\":\"payment\",\"agent\":\"a3\",\"params\":{\"amount\":10000.000000000000000001}}") ==
               AEGIS_OK &&
           d.outcome == AEGIS_ESCALATE,
       "the smallest amount past it escalates");
    OK(ask("{\"type\":\"read\",\"agent\":\"a4\"}") == AEGIS_OK && d.outcome == AEGIS_MONITOR && d.is_allowed,
       "monitor proceeds");
    OK(ask("{\"type\":\"reboot\"}") == AEGIS_OK && d.outcome == AEGIS_DENY && is(d.reason, "no_rule") &&
           d.rule.n == 0,
       "nothing matched: deny, no rule");
    OK(is(d.tenant, "default") && d.cost > 0 && d.id.n == 0,
       "no tenant is `default`, a cost is stated, nothing was journaled");
}

static void
test_record(void)
{
    char out[2048], small[16];
    ask("{\"type\":\"read\",\"agent\":\"r1\"}");
    size_t n = aegis_decision_json(ctx, &d, out, sizeof out);
    OK(n < sizeof out && strncmp(out, "{\"decision\":\"monitor\",\"is_allowed\":true", 38) == 0,
       "the record as JSON");
    OK(n < sizeof out && aegis_decision_json(ctx, &d, out, n) == n, "a buffer of its length is enough");
    OK(aegis_decision_json(ctx, &d, out, n - 1) == SIZE_MAX, "one byte less is not");
    OK(aegis_decision_json(ctx, &d, small, sizeof small) == SIZE_MAX, "a small buffer is refused");
}

static void
test_malformed(void)
{
    static const char *const bad[] = {"",
                                      "{",
                                      "[]",
                                      "\"read\"",
                                      "{\"type\":7}",
                                      "{\"type\":\"read\",\"params\":[]}",
                                      "{\"type\":\"read\",\"type\":\"read\"}",
                                      "{\"type\":\"re\\ud800ad\"}",
                                      "{\"type\":\"\xff\"}",
                                      "{\"type\":\"read\"} x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        OK(ask(bad[i]) == AEGIS_MALFORMED && e.status == AEGIS_MALFORMED && e.text[0],
           "refused with a text: case %zu", i);
    OK(aegis_ctx_decide_json(ctx, slot, "evaluate", "{}", 2, &d, &e) == AEGIS_NO_ENTRY,
       "no gates, no entrypoint evaluate");
    OK(aegis_ctx_decide_json(ctx, slot, "data.x", "{}", 2, &d, &e) == AEGIS_NO_ENTRY,
       "an unknown entrypoint");
}

static void
test_usage(void)
{
    struct aegis_policy *p = NULL;
    struct aegis_host *h = NULL;
    struct aegis_slot *empty = NULL;
    OK(aegis_policy_open(NULL, NULL, &p, &e) == AEGIS_USAGE && e.text[0], "a policy needs a path");
    OK(aegis_policy_open_fd(-1, NULL, &p, NULL) == AEGIS_USAGE,
       "a policy needs a descriptor; reterr may be NULL");
    OK(aegis_policy_open_bytes(NULL, 9, NULL, &p, &e) == AEGIS_USAGE, "a policy needs bytes");
    OK(aegis_policy_open("/nonexistent/policy.bin", NULL, &p, &e) == AEGIS_IO && !p, "a missing file");
    OK(aegis_policy_open_bytes("not an image", 12, NULL, &p, &e) == AEGIS_NOT_IMAGE && !p,
       "bytes that are no image");
    OK(aegis_host_open(NULL, NULL, &h, &e) == AEGIS_USAGE && !h,
       "a host needs a directory unless it is simulated");
    OK(aegis_ctx_new(&(struct aegis_limits){.size = sizeof(struct aegis_limits), .arena_size = 1}, host,
                     &ctx) == AEGIS_USAGE,
       "an arena of one byte");
    OK(aegis_slot_new(&empty) == AEGIS_OK &&
           aegis_ctx_decide_json(ctx, empty, "decide", "{}", 2, &d, &e) == AEGIS_USAGE && e.text[0],
       "a slot without a policy");
    aegis_ctx_release(ctx);
    aegis_slot_free(empty);
    OK(aegis_ctx_decide_json(ctx, slot, "decide", NULL, 4, &d, &e) == AEGIS_USAGE, "no bytes");
    OK(strcmp(aegis_status_text(AEGIS_FUEL), "fuel_exhausted") == 0 &&
           aegis_status_text((enum aegis_status)999)[0],
       "statuses have texts, unknown ones too");
}

static void
test_policy_facts(struct aegis_policy *p)
{
    struct aegis_policy_info info = {.size = sizeof info};
    struct aegis_rule_info rule = {.size = sizeof rule};
    aegis_policy_info(p, &info);
    OK(is(info.name, "embed") && info.rules == 4 && info.limits == 2 && !info.is_signed && !info.has_gates,
       "facts of the policy");
    OK(aegis_policy_rule(p, 0, &rule) == AEGIS_OK && is(rule.name, "no_delete") && is(rule.type, "delete*") &&
           is(rule.target, "*") && rule.line > 0,
       "the first rule as a person reads it");
    OK(aegis_policy_rule(p, 4, &rule) == AEGIS_USAGE, "there is no fifth rule");
}

static void
test_input(void)
{
    aegis_input_begin(ctx);
    aegis_input_object(ctx);
    put_text("type", "payment");
    put_text("agent", "b1");
    aegis_input_key(ctx, "params", 6);
    aegis_input_object(ctx);
    aegis_input_key(ctx, "amount", 6);
    aegis_input_int(ctx, 25000);
    aegis_input_end(ctx);
    aegis_input_end(ctx);
    OK(decide_built() == AEGIS_OK && d.outcome == AEGIS_ESCALATE && is(d.rule, "large_payment"),
       "a built input");
    OK(decide_built() == AEGIS_OK && d.outcome == AEGIS_ESCALATE, "it may be decided again");
    ask("{\"type\":\"read\"}");
    OK(decide_built() == AEGIS_USAGE, "a JSON decision ends its life");

    aegis_input_begin(ctx);
    aegis_input_object(ctx);
    aegis_input_string(ctx, "x", 1);
    aegis_input_end(ctx);
    OK(decide_built() == AEGIS_USAGE, "a value without its key");
    aegis_input_begin(ctx);
    aegis_input_object(ctx);
    aegis_input_key(ctx, "a", 1);
    aegis_input_end(ctx);
    OK(decide_built() == AEGIS_USAGE, "a key without its value");
    aegis_input_begin(ctx);
    aegis_input_end(ctx);
    OK(decide_built() == AEGIS_USAGE, "an end of nothing");
    aegis_input_begin(ctx);
    OK(decide_built() == AEGIS_USAGE, "nothing built");
    aegis_input_begin(ctx);
    aegis_input_object(ctx);
    OK(decide_built() == AEGIS_USAGE, "an object left open");
    aegis_input_begin(ctx);
    aegis_input_null(ctx);
    aegis_input_null(ctx);
    OK(decide_built() == AEGIS_USAGE, "two roots");
    aegis_input_begin(ctx);
    aegis_input_object(ctx);
    put_text("type", "read");
    put_text("type", "delete");
    aegis_input_end(ctx);
    OK(decide_built() == AEGIS_MALFORMED, "one key twice");
    aegis_input_begin(ctx);
    aegis_input_object(ctx);
    put_text("type", "\xc0\x80");
    aegis_input_end(ctx);
    OK(decide_built() == AEGIS_MALFORMED, "a string that is not UTF-8");
    aegis_input_begin(ctx);
    aegis_input_object(ctx);
    put_text("type", "read");
    aegis_input_key(ctx, "n", 1);
    aegis_input_number(ctx, "01", 2);
    aegis_input_end(ctx);
    OK(decide_built() == AEGIS_MALFORMED, "a number that is not JSON");
}

// {"type":"read","x":[[...]]} with `depth` levels in all.
static size_t
nested(char *out, unsigned depth)
{
    static const char start[] = "{\"type\":\"read\",\"agent\":\"n1\",\"x\":";
    size_t n = sizeof start - 1;
    memcpy(out, start, n);
    for (unsigned i = 1; i < depth; i++)
        out[n++] = '[';
    for (unsigned i = 1; i < depth; i++)
        out[n++] = ']';
    out[n++] = '}';
    return n;
}

static enum aegis_status
build_nested(unsigned depth)
{
    aegis_input_begin(ctx);
    aegis_input_object(ctx);
    put_text("type", "read");
    aegis_input_key(ctx, "x", 1);
    for (unsigned i = 1; i < depth; i++)
        aegis_input_array(ctx);
    for (unsigned i = 1; i < depth; i++)
        aegis_input_end(ctx);
    aegis_input_end(ctx);
    return decide_built();
}

static void
test_sizes(void)
{
    char text[512];
    OK(ask_n(text, nested(text, DEPTH)) == AEGIS_OK, "64 levels of nesting");
    OK(ask_n(text, nested(text, DEPTH + 1)) == AEGIS_MALFORMED && e.text[0], "65 are refused");
    OK(build_nested(DEPTH) == AEGIS_OK, "64 levels of a built input");
    OK(build_nested(DEPTH + 1) == AEGIS_TOO_LARGE, "65 are refused");

    struct aegis_limits limits = {.size = sizeof limits, .input_max = 100};
    struct aegis_ctx *all = ctx;
    OK(aegis_ctx_new(&limits, host, &ctx) == AEGIS_OK, "a context for inputs of 100 bytes");
    size_t n = (size_t)snprintf(text, sizeof text, "{\"type\":\"read\",\"agent\":\"s1\",\"x\":\"");
    memset(text + n, 'x', 100 - 2 - n);
    memcpy(text + 98, "\"}", 2);
    OK(ask_n(text, 100) == AEGIS_OK, "an input of 100 bytes");
    memcpy(text + 98, "x\"}", 3);
    OK(ask_n(text, 101) == AEGIS_TOO_LARGE && e.text[0], "101 are refused");
    aegis_ctx_free(ctx);
    limits = (struct aegis_limits){.size = sizeof limits, .fuel = 3};
    OK(aegis_ctx_new(&limits, host, &ctx) == AEGIS_OK && ask("{\"type\":\"read\"}") == AEGIS_OK &&
           d.outcome == AEGIS_UNAVAILABLE && d.status == AEGIS_FUEL && !d.is_allowed &&
           is(d.reason, "fuel_exhausted"),
       "without fuel the answer is unavailable, and is not an allow");
    aegis_ctx_free(ctx);
    ctx = all;
}

static void
test_limit(void)
{
    static const char one[] = "{\"type\":\"read\",\"tenant\":\"t\",\"agent\":\"loop\"}";
    aegis_host_set_now(host, NOON);
    for (int i = 0; i < 3; i++)
        OK(ask(one) == AEGIS_OK && d.is_allowed && d.n_limits == 2 && d.limits[0].allowed,
           "event %d of the burst", i + 1);
    OK(ask(one) == AEGIS_OK && d.outcome == AEGIS_THROTTLE && !d.is_allowed && is(d.reason, "per-agent"),
       "one more is throttled");
    OK(d.retry_after_ns > 0 && d.retry_after_ns <= 100000000, "it says when to come back");
    OK(ask("{\"type\":\"read\",\"tenant\":\"t\",\"agent\":\"other\"}") == AEGIS_OK && d.is_allowed,
       "another agent is not affected");
    aegis_host_set_now(host, NOON + 101000000);
    OK(ask(one) == AEGIS_OK && d.is_allowed, "a tenth of a second later one more passes");
    OK(ask(one) == AEGIS_OK && d.outcome == AEGIS_THROTTLE, "and only one");
}

static void
test_session(void)
{
    char text[128];
    int admitted = 0;
    aegis_host_set_now(host, NOON + INT64_C(1000000000));
    for (int i = 0; i < 8; i++) {
        int n =
            snprintf(text, sizeof text, "{\"type\":\"read\",\"agent\":\"u%d\",\"session_id\":\"one\"}", i);
        admitted += ask_n(text, (size_t)n) == AEGIS_OK && d.is_allowed;
    }
    OK(admitted == 5 && is(d.reason, "per-session"), "one session has its own limit: %d of 8", admitted);
    OK(ask("{\"type\":\"read\",\"agent\":\"u9\",\"session_id\":\"two\"}") == AEGIS_OK && d.is_allowed,
       "another session is not affected");
}

static void
test_kill(void)
{
    static const char t1[] = "{\"type\":\"read\",\"tenant\":\"t1\",\"agent\":\"k\"}";
    static const char t2[] = "{\"type\":\"read\",\"tenant\":\"t2\",\"agent\":\"k\"}";
    OK(aegis_host_set_kill(host, (struct aegis_str){"t1", 2}, 1) == AEGIS_OK, "engage");
    OK(ask(t1) == AEGIS_OK && d.outcome == AEGIS_KILL && !d.is_allowed && is(d.reason, "kill_switch"),
       "its tenant is refused");
    OK(ask(t2) == AEGIS_OK && d.is_allowed, "another tenant is not");
    aegis_host_set_kill(host, (struct aegis_str){"*", 1}, 1);
    OK(ask(t2) == AEGIS_OK && d.outcome == AEGIS_KILL, "* is everybody");
    aegis_host_set_kill(host, (struct aegis_str){"*", 1}, 0);
    aegis_host_set_kill(host, (struct aegis_str){"t1", 2}, 0);
    OK(ask(t1) == AEGIS_OK && d.is_allowed, "disengage");
}

int
main(int argc, char **argv)
{
    struct aegis_policy *p = NULL;
    struct aegis_host_options options = {.size = sizeof options, .is_simulated = 1, .now_ns = NOON};
    e.size = sizeof e;
    if (argc != 2 || aegis_policy_open(argv[1], NULL, &p, &e) != AEGIS_OK ||
        aegis_host_open(NULL, &options, &host, &e) != AEGIS_OK || aegis_slot_new(&slot) != AEGIS_OK ||
        aegis_ctx_new(NULL, host, &ctx) != AEGIS_OK) {
        printf("Bail out! %s\n", e.text);
        return 1;
    }
    test_policy_facts(p);
    aegis_slot_publish(slot, p);
    test_decisions();
    test_record();
    test_malformed();
    test_usage();
    test_input();
    test_sizes();
    test_limit();
    test_session();
    test_kill();
    aegis_ctx_free(ctx);
    aegis_slot_free(slot);
    aegis_host_close(host);
    return t_done();
}
