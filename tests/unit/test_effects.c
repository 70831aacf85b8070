// SPDX-License-Identifier: Apache-2.0
// Decisions and effects of modules from source to charged state, on a simulated host: what is charged, what
// is given back, what is refused, and what built-ins see of it. Limits of kind quota and budget (D6).
// In: policies written here. Out: TAP. Memory: one policy, host and context at a time.
#include "compile.h"

#include "aegis_tools.h"
#include "crypto.h"
#include "t.h"

#define NOON INT64_C(1774008000000000000) // 2026-03-20T12:00:00Z
#define DAY  INT64_C(86400000000000)
#define HOUR INT64_C(3600000000000)

struct world {
    struct aegis_host *host;
    struct aegis_ctx *ctx;
    struct aegis_slot *slot;
    struct aegis_decision d;
    char record[16384];
};

static enum agc_result
compile(struct agc_job *j, const char *yaml, const char *rego)
{
    agc_job_init(j);
    if (yaml)
        agc_source_add(&j->arena, &j->sources, AG_STR("p.yaml"), ag_str_z(yaml));
    if (rego)
        agc_source_add(&j->arena, &j->sources, AG_STR("m.rego"), ag_str_z(rego));
    return agc_compile(j);
}

static bool
begin(struct world *w, const char *yaml, const char *rego)
{
    struct agc_job j;
    struct aegis_policy *p = NULL;
    struct aegis_error why = {.size = sizeof why};
    struct aegis_host_options o = {.size = sizeof o, .is_simulated = 1, .now_ns = NOON};
    memset(w, 0, sizeof *w);
    bool ok = compile(&j, yaml, rego) == AGC_DONE;
    if (!ok)
        agc_diags_print(&j.diags, AGC_TEXT, stdout);
    ok = ok && aegis_policy_open_bytes(j.image.p, j.image.n, NULL, &p, &why) == AEGIS_OK &&
         aegis_host_open(NULL, &o, &w->host, NULL) == AEGIS_OK &&
         aegis_ctx_new(NULL, w->host, &w->ctx) == AEGIS_OK && aegis_slot_new(&w->slot) == AEGIS_OK;
    if (ok)
        aegis_slot_publish(w->slot, p);
    agc_job_fini(&j);
    return OK(ok, "the policy compiles and opens: %s", why.text);
}

static void
end(struct world *w)
{
    aegis_ctx_free(w->ctx);
    aegis_slot_free(w->slot);
    aegis_host_close(w->host);
}

static bool
is(struct aegis_str s, const char *want)
{
    return s.n == strlen(want) && memcmp(s.p, want, s.n) == 0;
}

// Decides, and compares decision and reason.
static void
expect(struct world *w, const char *input, const char *decision, const char *reason)
{
    struct aegis_error e = {.size = sizeof e};
    w->d = (struct aegis_decision){.size = sizeof w->d};
    enum aegis_status s = aegis_ctx_decide_json(w->ctx, w->slot, "decide", input, strlen(input), &w->d, &e);
    bool ok = s == AEGIS_OK && is(w->d.decision, decision) && is(w->d.reason, reason);
    if (!OK(ok, "%s: %s %s", input, decision, reason))
        printf("# got %.*s %.*s %.*s %s\n", (int)w->d.decision.n, w->d.decision.p, (int)w->d.reason.n,
               w->d.reason.p, (int)w->d.message.n, w->d.message.p, e.text);
}

static void
expect_message(const struct world *w, const char *part)
{
    char text[600];
    snprintf(text, sizeof text, "%.*s", (int)w->d.message.n, w->d.message.p);
    if (!OK(strstr(text, part) != NULL, "the message says: %s", part))
        printf("# got %s\n", text);
}

// --- decisions

static const char decisions[] =
    "package aegis\n"
    "decisions contains {\"decision\": \"deny\", \"rule\": \"x\", \"reason\": \"r\", \"risk_level\": "
    "\"high\",\n"
    "  \"message\": \"no\"} if input.type == \"x\"\n"
    "decisions contains {\"decision\": \"escalate\", \"rule\": \"y\"} if input.type in [\"x\", \"y\"]\n"
    "decisions contains {\"decision\": \"monitor\"} if input.type == \"z\"\n"
    "decisions contains input.raw if input.type == \"raw\"\n"
    "decisions contains {\"decision\": \"deny\", \"rule\": limit} if input.type == \"clash\"\n"
    "limit := s if some s in input.pair\n";

static void
test_decisions(void)
{
    struct world w;
    if (begin(&w, NULL, decisions)) {
        expect(&w, "{\"type\":\"x\"}", "deny", "r");
        OK(is(w.d.rule, "x") && is(w.d.risk_level, "high") && is(w.d.message, "no") &&
               is(w.d.approval, "block"),
           "members of the element stand in the answer");
        expect(&w, "{\"type\":\"y\"}", "escalate", "y");
        expect(&w, "{\"type\":\"z\"}", "monitor", "policy");
        expect(&w, "{\"type\":\"other\"}", "deny", "no_rule");
        expect(&w, "{\"type\":\"clash\",\"pair\":[\"a\"]}", "deny", "a");
        expect(&w, "{\"type\":\"clash\",\"pair\":[\"a\",\"b\"]}", "deny", "policy_error");
        expect_message(&w, "multiple outputs");
    }
    end(&w);
    if (begin(&w,
              "version: \"1\"\ndefaults: {decision: allow}\nrules:\n"
              "  - {name: y, match: {type: y}, decision: escalate}\n"
              "  - {name: z, match: {type: z}, decision: allow}\n",
              decisions)) {
        expect(&w, "{\"type\":\"x\"}", "deny", "r");
        expect(&w, "{\"type\":\"z\"}", "monitor", "policy");
        expect(&w, "{\"type\":\"other\"}", "allow", "no_rule");
        expect(&w, "{\"type\":\"y\"}", "escalate", "y");
        OK(w.d.rule_ix == 0, "on a tie the YAML rule is named");
    }
    end(&w);
}

static void
test_malformed_decisions(void)
{
    static const struct {
        const char *raw, *says;
    } bad[] = {{"1", "is no object"},
               {"{}", "has no decision"},
               {"{\"decision\":\"forbid\"}", "\"decision\""},
               {"{\"decision\":\"deny\",\"rule\":1}", "\"rule\""},
               {"{\"decision\":\"allow\",\"risk_level\":\"huge\"}", "\"risk_level\""},
               {"{\"decision\":\"allow\",\"risk\":\"low\"}", "\"risk\""},
               {"{\"decision\":\"allow\",\"gates\":[\"risk\"]}", "\"risk\""},
               {"{\"decision\":\"allow\",\"gates\":\"risk\"}", "no array or set"},
               {"{\"decision\":\"allow\",\"gates\":[1]}", "no string"}};
    struct world w;
    if (begin(&w, NULL, decisions))
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
            char input[200];
            snprintf(input, sizeof input, "{\"type\":\"raw\",\"raw\":%s}", bad[i].raw);
            expect(&w, input, "deny", "policy_error");
            expect_message(&w, bad[i].says);
        }
    end(&w);
}

static void
test_gates(void)
{
    struct world w;
    if (begin(&w,
              "version: \"1\"\ndefaults: {decision: deny}\nrules: []\ngates: {quality: {}, novelty: {}}\n",
              "package aegis\ndecisions contains {\"decision\": \"allow\", \"rule\": \"g\", \"gates\": "
              "[\"quality\"]} if input.type == \"g\"\n"
              "decisions contains {\"decision\": \"monitor\", \"rule\": \"h\"} if input.type == \"h\"\n")) {
        expect(&w, "{\"type\":\"g\",\"params\":{\"quality_score\":0.9}}", "allow", "g");
        OK(w.d.n_gates == 1 && is(w.d.gates[0].name, "quality"), "only the gate that the element names");
        expect(&w, "{\"type\":\"g\",\"params\":{\"quality_score\":0.1}}", "escalate", "quality");
        expect(&w, "{\"type\":\"h\",\"params\":{\"quality_score\":0.1}}", "monitor", "h");
    }
    end(&w);
}

// --- effects

static const char limits[] =
    "version: \"1\"\n"
    "defaults: {decision: allow}\n"
    "rules:\n"
    "  - {name: no, match: {type: no}, decision: deny}\n"
    "limits:\n"
    "  - {name: few, key: [tenant, agent], rate: 1/m, burst: 3, charge: effects}\n"
    "  - {name: counted, key: [tenant], quota: {daily: 4}, count_denied: true, "
    "charge: effects, on_exceed: deny}\n"
    "  - {name: spend, key: [tenant], budget: {daily_usd: \"1.00\"}, charge: effects}\n"
    "  - {name: ring, key: [tenant], window: {max: 5, per: 60s}, charge: effects}\n";

static const char effects[] =
    "package aegis\n"
    "effects contains {\"op\": \"rate.take\", \"limit\": \"few\", \"key\": [input.tenant, input.agent], "
    "\"n\": "
    "input.n} if input.n\n"
    "effects contains {\"op\": \"quota.take\", \"limit\": \"counted\", \"key\": [input.tenant]} if "
    "input.count\n"
    "effects contains {\"op\": \"budget.reserve\", \"limit\": \"spend\", \"key\": [input.tenant], \"n\": "
    "input.usd} if input.usd\n"
    "effects contains e if some e in input.raw\n"
    "effects contains {\"op\": \"audit.note\", \"text\": sprintf(\"n%d\", [i])} if some i in "
    "numbers.range(1, input.notes)\n"
    "effects contains 1 / input.zero\n"
    "decisions contains {\"decision\": \"monitor\", \"rule\": sprintf(\"%v\", [x])} if {\n"
    "  input.type == \"look\"\n"
    "  x := aegis.rate.peek(\"few\", [input.tenant, input.agent]).remaining\n"
    "}\n"
    "decisions contains {\"decision\": \"monitor\", \"rule\": sprintf(\"%v %v\", [q.remaining, "
    "b.remaining])} if {\n"
    "  input.type == \"left\"\n"
    "  q := aegis.quota.peek(\"counted\", [input.tenant])\n"
    "  b := aegis.budget.peek(\"spend\", [input.tenant])\n"
    "}\n"
    "decisions contains {\"decision\": \"escalate\", \"rule\": \"killed\"} if aegis.killed(input.about)\n"
    "decisions contains {\"decision\": \"escalate\", \"rule\": \"wrong\"} if aegis.rate.peek(input.wrong, "
    "[])\n";

#define WHO "\"tenant\":\"t\",\"agent\":\"a\""

static void
test_charges(void)
{
    struct world w;
    if (begin(&w, limits, effects)) {
        expect(&w, "{" WHO ",\"type\":\"x\",\"n\":2}", "allow", "no_rule");
        OK(w.d.n_limits == 1 && w.d.limits[0].remaining == 1, "two of three are charged");
        expect(&w, "{" WHO ",\"type\":\"look\"}", "monitor", "1");
        expect(&w, "{" WHO ",\"type\":\"x\",\"n\":2}", "throttle", "few");
        OK(w.d.retry_after_ns > 0, "a refused effect says when to try again");
        expect(&w, "{" WHO ",\"type\":\"no\",\"n\":1}", "deny", "no");
        expect(&w, "{" WHO ",\"type\":\"look\"}", "monitor", "1");
        // the order of the limits table: few refuses, what came after it is given back, counted stays
        expect(&w, "{" WHO ",\"type\":\"x\",\"n\":2,\"count\":true,\"usd\":0.5}", "throttle", "few");
        expect(&w, "{" WHO ",\"type\":\"left\"}", "monitor", "3 1");
        expect(&w, "{" WHO ",\"type\":\"no\",\"count\":true,\"usd\":0.5}", "deny", "no");
        expect(&w, "{" WHO ",\"type\":\"left\"}", "monitor", "2 1");
        expect(&w, "{" WHO ",\"type\":\"x\",\"count\":true,\"usd\":0.75}", "allow", "no_rule");
        expect(&w, "{" WHO ",\"type\":\"x\",\"count\":true,\"usd\":0.26}", "throttle", "spend");
        expect(&w, "{" WHO ",\"type\":\"left\"}", "monitor", "0 0.25");
        expect(&w, "{" WHO ",\"type\":\"x\",\"count\":true}", "deny", "counted");
        aegis_host_set_now(w.host, NOON + DAY);
        expect(&w, "{" WHO ",\"type\":\"left\"}", "monitor", "4 1");
    }
    end(&w);
}

static void
test_killed(void)
{
    struct world w;
    if (begin(&w, limits, effects)) {
        aegis_host_set_kill(w.host, (struct aegis_str){"other", 5}, 1);
        expect(&w, "{" WHO ",\"type\":\"x\",\"about\":\"other\"}", "escalate", "killed");
        expect(&w, "{" WHO ",\"type\":\"x\",\"about\":\"third\"}", "allow", "no_rule");
        // an error of a built-in leaves its definition undefined
        expect(&w, "{" WHO ",\"type\":\"x\",\"wrong\":\"none\"}", "allow", "no_rule");
    }
    end(&w);
}

static void
test_elements(void)
{
    static const struct {
        const char *raw, *says;
    } bad[] = {{"7", "is no object"},
               {"{\"limit\":\"few\"}", "has no op"},
               {"{\"op\":\"rate.give\"}", "not available: \"rate.give\""},
               {"{\"op\":\"lock.take\",\"key\":[]}", "not available: \"lock.take\""},
               {"{\"op\":\"rate.take\",\"limit\":\"none\",\"key\":[]}", "\"none\""},
               {"{\"op\":\"quota.take\",\"limit\":\"few\",\"key\":[1,2]}", "not that of its limit"},
               {"{\"op\":\"rate.take\",\"limit\":\"few\",\"key\":[1]}", "another key"},
               {"{\"op\":\"rate.take\",\"limit\":\"few\"}", "another key"},
               {"{\"op\":\"rate.take\",\"limit\":\"few\",\"key\":[1,2],\"n\":-1}", "no number"},
               {"{\"op\":\"rate.take\",\"limit\":\"few\",\"key\":[1,2],\"n\":\"1\"}", "no number"},
               {"{\"op\":\"rate.take\",\"limit\":\"few\",\"key\":[1,2],\"m\":1}", "\"m\""},
               {"{\"op\":\"rate.take\",\"limit\":\"ring\",\"key\":[1],\"n\":2}", "one event"},
               {"{\"op\":\"audit.note\"}", "audit.note"},
               {"{\"op\":\"audit.note\",\"text\":\"\"}", "audit.note"},
               {"{\"op\":\"audit.note\",\"text\":\"x\",\"n\":1}", "audit.note"}};
    struct world w;
    if (begin(&w, limits, effects)) {
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
            char input[300];
            snprintf(input, sizeof input, "{" WHO ",\"type\":\"x\",\"raw\":[%s]}", bad[i].raw);
            expect(&w, input, "deny", "policy_error");
            expect_message(&w, bad[i].says);
        }
        expect(&w, "{" WHO ",\"type\":\"x\",\"notes\":16}", "allow", "no_rule");
        expect(&w, "{" WHO ",\"type\":\"x\",\"notes\":17}", "deny", "policy_error");
        expect_message(&w, "more than 16 effects");
        expect(&w, "{" WHO ",\"type\":\"x\",\"zero\":0}", "allow", "no_rule");
        char input[400] = "{" WHO ",\"type\":\"x\",\"raw\":[{\"op\":\"audit.note\",\"text\":\"";
        size_t at = strlen(input);
        memset(input + at, 'n', 256);
        snprintf(input + at + 256, sizeof input - at - 256, "\"}]}");
        expect(&w, input, "allow", "no_rule");
        memset(input + at, 'n', 257);
        snprintf(input + at + 257, sizeof input - at - 257, "\"}]}");
        expect(&w, input, "deny", "policy_error");
    }
    end(&w);
}

// --- quotas and budgets of the policy file

static void
test_quota(void)
{
    struct world w;
    if (begin(&w,
              "version: \"1\"\ndefaults: {decision: allow}\nrules:\n"
              "  - {name: no, match: {type: no}, decision: deny}\n"
              "limits:\n  - {name: calls, key: [tenant], quota: {daily: 2, monthly: 3}}\n"
              "  - {name: tokens, key: [tenant], quota: {daily: 10}, cost: input.n, match: {type: n}}\n",
              NULL)) {
        expect(&w, "{" WHO ",\"type\":\"x\"}", "allow", "no_rule");
        expect(&w, "{" WHO ",\"type\":\"no\"}", "deny", "no");
        expect(&w, "{" WHO ",\"type\":\"x\"}", "allow", "no_rule");
        expect(&w, "{" WHO ",\"type\":\"x\"}", "throttle", "calls");
        OK(w.d.retry_after_ns == 12 * HOUR, "the day ends in twelve hours");
        aegis_host_set_now(w.host, NOON + DAY);
        expect(&w, "{" WHO ",\"type\":\"n\",\"n\":10}", "allow", "no_rule");
        expect(&w, "{" WHO ",\"type\":\"x\"}", "throttle", "calls");
        OK(w.d.retry_after_ns == 10 * DAY + 12 * HOUR, "the month is used up until 1 April");
        expect(&w, "{\"tenant\":\"u\",\"type\":\"n\",\"n\":11}", "throttle", "tokens");
        expect(&w, "{\"tenant\":\"u\",\"type\":\"n\"}", "deny", "policy_error");
    }
    end(&w);
}

static bool
has_warning(const struct world *w)
{
    return w->d.n_findings == 1 && is(w->d.findings[0].code, "budget_warning");
}

static void
test_budget(void)
{
    struct world w;
    if (begin(&w,
              "version: \"1\"\ndefaults: {decision: allow}\nrules: []\nlimits:\n"
              "  - {name: spend, key: [tenant], cost: input.usd, budget: {daily_usd: \"1.00\", monthly_usd: "
              "1.5, warn_at: 0.8}}\n",
              NULL)) {
        expect(&w, "{" WHO ",\"type\":\"x\",\"usd\":0.7999999}", "allow", "no_rule");
        OK(has_warning(&w), "amounts are rounded up to a micro-dollar: 0.8 of the day");
        uint64_t reservation = w.d.reservation;
        OK(reservation != 0 && w.d.limits[0].remaining == 200000, "a reservation, and what remains");
        OK(aegis_decision_json(w.ctx, &w.d, w.record, sizeof w.record) < sizeof w.record &&
               strstr(w.record, "\"reservation\":\"") != NULL,
           "the record names the reservation");
        expect(&w, "{" WHO ",\"type\":\"x\",\"usd\":0.3}", "throttle", "spend");
        OK(w.d.reservation == 0, "what does not proceed reserves nothing");
        OK(aegis_ctx_settle(w.ctx, reservation, 500000) == AEGIS_OK, "it cost half a dollar");
        OK(aegis_ctx_settle(w.ctx, reservation, 500000) == AEGIS_USAGE, "a reservation is settled once");
        expect(&w, "{" WHO ",\"type\":\"x\",\"usd\":0.5}", "allow", "no_rule");
        OK(!has_warning(&w), "one warning in a day");
        expect(&w, "{" WHO ",\"type\":\"x\",\"usd\":0.000001}", "throttle", "spend");
        aegis_host_set_now(w.host, NOON + DAY);
        expect(&w, "{" WHO ",\"type\":\"x\",\"usd\":0.5}", "allow", "no_rule");
        OK(has_warning(&w), "the month reaches its level, the day does not");
        expect(&w, "{" WHO ",\"type\":\"x\",\"usd\":0}", "allow", "no_rule");
        expect(&w, "{" WHO ",\"type\":\"x\",\"usd\":-1}", "deny", "policy_error");
        expect(&w, "{" WHO ",\"type\":\"x\"}", "deny", "policy_error");
    }
    end(&w);
}

// --- what is refused while compiling

static void
test_constants(void)
{
#define EFFECT(text)   "package aegis\neffects contains {" text "}\n"
#define DECISION(text) "package aegis\ndecisions contains {" text "}\n"
    static const struct {
        const char *rego;
        enum agc_diag_id id;
    } bad[] = {{EFFECT("\"op\": \"rate.take\", \"limit\": \"fow\", \"key\": [1, 2]"), AGC_D_UNKNOWN_LIMIT},
               {EFFECT("\"op\": \"quota.take\", \"limit\": \"few\", \"key\": [1, 2]"), AGC_D_BAD_EFFECT},
               {EFFECT("\"op\": \"rate.take\", \"limit\": \"few\", \"key\": [1]"), AGC_D_BAD_EFFECT},
               {EFFECT("\"op\": \"rate.tak\", \"limit\": \"few\", \"key\": [1, 2]"), AGC_D_BAD_EFFECT},
               {EFFECT("\"op\": \"rate.take\", \"limt\": \"few\", \"key\": [1, 2]"), AGC_D_BAD_EFFECT},
               {EFFECT("\"op\": \"lock.take\""), AGC_D_NOT_AVAILABLE},
               {EFFECT("\"op\": \"token.use\""), AGC_D_NOT_AVAILABLE},
               {EFFECT("\"op\": \"history.add\""), AGC_D_NOT_AVAILABLE},
               {EFFECT("\"op\": \"agent.contain\""), AGC_D_NOT_AVAILABLE},
               {DECISION("\"decision\": \"denied\""), AGC_D_BAD_EFFECT},
               {DECISION("\"decision\": \"deny\", \"risk_level\": \"hihg\""), AGC_D_BAD_EFFECT},
               {DECISION("\"decision\": \"deny\", \"rul\": \"x\""), AGC_D_BAD_EFFECT},
               {"package aegis\neffects := 1\n", AGC_D_BAD_EFFECT},
               {"package x\np := aegis.rate.peek(\"nome\", [])\n", AGC_D_UNKNOWN_LIMIT},
               {"package x\np := aegis.approved(\"x\", [])\n", AGC_D_NOT_AVAILABLE},
               {"package x\np := aegis.locked(\"x\")\n", AGC_D_NOT_AVAILABLE},
               {"package x\np := aegis.history.read(\"x\", [])\n", AGC_D_NOT_AVAILABLE}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct agc_job j;
        bool ok =
            compile(&j, limits, bad[i].rego) == AGC_REFUSED && j.diags.n && j.diags.v[0].id == bad[i].id;
        if (!OK(ok, "constant mistake %zu is refused", i))
            agc_diags_print(&j.diags, AGC_TEXT, stdout);
        agc_job_fini(&j);
    }
}

static void
test_time(void)
{
    static const struct {
        int64_t now;
        const char *reason;
    } at[] = {{NOON, "day 5"},                   // Friday
              {NOON + 5 * HOUR - 1, "day 5"},    // 17:59 in Berlin
              {NOON + 5 * HOUR, "night 5"},      // 18:00
              {NOON + 11 * HOUR, "night 6"},     // Saturday there, Friday in UTC
              {NOON + 19 * HOUR - 1, "night 6"}, // 07:59
              {NOON + 19 * HOUR, "day 6"}};
    struct world w;
    if (begin(
            &w,
            "version: \"1\"\ndefaults: {decision: deny}\nrules:\n"
            "  - {name: w, match: {type: w}, when: 'aegis.time.within(\"18:00-24:00\", \"Europe/Berlin\")', "
            "decision: allow}\n",
            "package aegis\nzone := \"Europe/Berlin\"\n"
            "decisions contains {\"decision\": \"monitor\", \"rule\": sprintf(\"night %d\", "
            "[aegis.time.weekday(\"Europe/Berlin\")])} if { input.type == \"t\"; "
            "aegis.time.within(\"18:00-08:00\", \"Europe/Berlin\") }\n"
            "decisions contains {\"decision\": \"monitor\", \"rule\": sprintf(\"day %d\", "
            "[aegis.time.weekday(\"Europe/Berlin\")])} if { input.type == \"t\"; not "
            "aegis.time.within(\"18:00-08:00\", \"Europe/Berlin\") }\n"
            "decisions contains {\"decision\": \"allow\", \"rule\": \"bad\"} if "
            "aegis.time.within(input.window, \"UTC\")\n")) {
        for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
            aegis_host_set_now(w.host, at[i].now);
            expect(&w, "{\"type\":\"t\"}", "monitor", at[i].reason);
        }
        aegis_host_set_now(w.host, NOON + 5 * HOUR);
        expect(&w, "{\"type\":\"w\"}", "allow", "w");
        expect(&w, "{\"type\":\"u\",\"window\":\"17:00-17:01\"}", "allow", "bad");
        expect(&w, "{\"type\":\"u\",\"window\":\"17:00\"}", "deny", "no_rule");
        expect(&w, "{\"type\":\"u\",\"window\":\"17:00-17:00\"}", "deny", "no_rule");
        expect(&w, "{\"type\":\"u\",\"window\":\"00:00-24:01\"}", "deny", "no_rule");
    }
    end(&w);
}

int
main(void)
{
    if (!ag_crypto_init())
        return 2;
    test_decisions();
    test_malformed_decisions();
    test_gates();
    test_charges();
    test_killed();
    test_elements();
    test_quota();
    test_budget();
    test_constants();
    test_time();
    return t_done();
}
