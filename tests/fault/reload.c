// SPDX-License-Identifier: Apache-2.0
// Hot reload in process: threads decide on one host and one slot while another publishes policies and a third
// works the kill switch. What must hold: every decision is of one policy alone, a limit shared by all
// policies and threads admits exactly its burst, a kill that was engaged before a call shows in it, every
// policy is closed, and with a journal every answer is a row. Runs under the thread sanitizer too. In:
// nothing. Out: TAP. Memory: its own. Next: runtime/host/slot.c.
#include "aegis.h"
#include "audit.h"
#include "compile.h"
#include "t.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

#define THREADS  4u
#define POLICIES 5u
#define PUBLISH  400u  // times a policy is published at least
#define BURST    833u  // of the limit that all policies share: the most that the compiler takes at one a day
#define ROWS     2000u // decisions of one thread with a journal

static struct agc_job jobs[POLICIES];
static uint8_t digests[POLICIES][32];
static char root[64], dir[80];

struct field {
    struct aegis_slot *slot;
    struct aegis_host *host;
    _Atomic unsigned published, stop, ready;
    _Atomic int killed; // 1 from before the switch is engaged, 2 once it is, 0 before it is released
};

struct decider {
    struct field *field;
    unsigned seed, rows; // rows: decisions to make, 0: until told to stop
    unsigned decided, mixed, admitted, throttled, unavailable, killed, missed, wrong, reloads;
};

static void
compile_all(void)
{
    for (unsigned i = 0; i < POLICIES; i++) {
        char text[1024];
        agc_job_init(&jobs[i]);
        // Each policy names its own rule; the longer ones have more registers, rules and tables.
        int n = snprintf(text, sizeof text,
                         "version: \"1\"\nlimits:\n  - {name: shared, match: {type: pay}, key: [tenant], "
                         "rate: 1/d, burst: %u}\nrules:\n",
                         BURST);
        for (unsigned k = 0; k < i; k++)
            n += snprintf(
                text + n, sizeof text - (size_t)n,
                "  - {name: x%u, match: {type: \"x%u*\"}, when: input.params.a > %u, decision: deny}\n", k, k,
                k);
        snprintf(text + n, sizeof text - (size_t)n,
                 "  - {name: policy%u, match: {type: pay}, decision: allow}\n  - {name: read%u, decision: "
                 "allow}\n",
                 i, i);
        agc_source_add(&jobs[i].arena, &jobs[i].sources, AG_STR("p.yaml"), ag_str_z(text));
        if (agc_compile(&jobs[i]) != AGC_DONE) {
            agc_diags_print(&jobs[i].diags, AGC_TEXT, stderr);
            exit(1);
        }
    }
}

static void
publish(struct field *f, unsigned i)
{
    struct aegis_policy *p;
    struct aegis_policy_info info = {.size = sizeof info};
    if (aegis_policy_open_bytes(jobs[i].image.p, jobs[i].image.n, NULL, &p, NULL) != AEGIS_OK)
        abort();
    aegis_policy_info(p, &info);
    if (memcmp(info.digest, digests[i], 32) != 0)
        abort();
    aegis_slot_publish(f->slot, p);
    atomic_fetch_add(&f->published, 1);
}

// Which policy a decision is of, by its digest; its rule must be of the same one.
static unsigned
policy_of(const struct aegis_decision *d)
{
    char want[80], rule[16];
    for (unsigned i = 0; i < POLICIES; i++) {
        int n = snprintf(want, sizeof want, "blake2b:");
        for (unsigned k = 0; k < 32; k++)
            n += snprintf(want + n, sizeof want - (size_t)n, "%02x", digests[i][k]);
        if (d->policy_digest.n != (size_t)n || memcmp(d->policy_digest.p, want, (size_t)n) != 0)
            continue;
        if (d->outcome != AEGIS_ALLOW)
            return i;
        for (unsigned k = 0; k < 2; k++) {
            n = snprintf(rule, sizeof rule, "%s%u", k ? "read" : "policy", i);
            if (d->rule.n == (size_t)n && memcmp(d->rule.p, rule, (size_t)n) == 0)
                return i;
        }
    }
    return POLICIES;
}

static void
decide_one(struct decider *me, struct aegis_ctx *ctx, unsigned *last)
{
    static const char *const json[] = {
        "{\"type\":\"pay\",\"tenant\":\"t\",\"params\":{\"a\":1}}",
        "{\"type\":\"read\",\"tenant\":\"t\",\"agent\":\"b\",\"target\":\"x\"}"};
    struct aegis_decision d = {.size = sizeof d};
    me->seed = me->seed * 1103515245u + 12345u;
    unsigned which = me->seed >> 30 & 1;
    int killed_before = atomic_load(&me->field->killed);
    if (aegis_ctx_decide_json(ctx, me->field->slot, "decide", json[which], strlen(json[which]), &d, NULL) !=
        AEGIS_OK) {
        me->wrong++;
        return;
    }
    int killed_after = atomic_load(&me->field->killed);
    me->decided++;
    me->unavailable += d.outcome == AEGIS_UNAVAILABLE;
    me->killed += d.outcome == AEGIS_KILL;
    me->throttled += d.outcome == AEGIS_THROTTLE;
    me->admitted += d.is_allowed && which == 0;
    me->missed += killed_before == 2 && killed_after == 2 && d.is_allowed;
    if (d.outcome == AEGIS_UNAVAILABLE)
        return;
    unsigned p = policy_of(&d);
    me->mixed += p == POLICIES;
    me->reloads += p != *last;
    *last = p;
}

static void *
decider(void *arg)
{
    struct decider *me = arg;
    struct aegis_ctx *ctx;
    unsigned last = POLICIES;
    if (aegis_ctx_new(NULL, me->field->host, &ctx) != AEGIS_OK) {
        me->wrong++;
        atomic_fetch_add(&me->field->ready, 1);
        return NULL;
    }
    atomic_fetch_add(&me->field->ready, 1);
    while (me->rows ? me->decided + me->wrong < me->rows : !atomic_load(&me->field->stop)) {
        decide_one(me, ctx, &last);
        if (aegis_ctx_wants_refill(ctx))
            me->wrong += aegis_ctx_refill(ctx) != AEGIS_OK;
        if (me->decided % 64 == 0)
            aegis_ctx_release(ctx);
    }
    aegis_ctx_free(ctx);
    return NULL;
}

static void *
publisher(void *arg)
{
    struct field *f = arg;
    for (unsigned i = 0; i < PUBLISH || !atomic_load(&f->stop); i++) {
        publish(f, i % POLICIES);
        if (i % 8 == 0)
            sched_yield();
        if (i >= PUBLISH)
            usleep(1000);
    }
    return NULL;
}

// Engages and releases the switch; stops everybody at the end.
static void *
killer(void *arg)
{
    struct field *f = arg;
    struct aegis_str t = {"t", 1};
    for (unsigned i = 0; i < 50; i++) {
        usleep(2000);
        atomic_store(&f->killed, 1);
        if (aegis_host_set_kill(f->host, t, 1) != AEGIS_OK)
            abort();
        atomic_store(&f->killed, 2);
        usleep(500);
        atomic_store(&f->killed, 0);
        if (aegis_host_set_kill(f->host, t, 0) != AEGIS_OK)
            abort();
    }
    while (atomic_load(&f->published) < PUBLISH)
        usleep(1000);
    atomic_store(&f->stop, 1);
    return NULL;
}

static struct decider
run(struct field *f, unsigned rows, bool with_kill)
{
    struct decider d[THREADS], sum = {0};
    pthread_t t[THREADS], pub, kil;
    publish(f, 0);
    for (unsigned i = 0; i < THREADS; i++) {
        d[i] = (struct decider){.field = f, .seed = i * 7919 + 1, .rows = rows};
        if (pthread_create(&t[i], NULL, decider, &d[i]) != 0)
            abort();
    }
    while (atomic_load(&f->ready) < THREADS)
        sched_yield();
    if (pthread_create(&pub, NULL, publisher, f) != 0 ||
        (with_kill && pthread_create(&kil, NULL, killer, f) != 0))
        abort();
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
    atomic_store(&f->stop, 1);
    pthread_join(pub, NULL);
    if (with_kill)
        pthread_join(kil, NULL);
    for (unsigned i = 0; i < THREADS; i++) {
        sum.decided += d[i].decided;
        sum.mixed += d[i].mixed;
        sum.admitted += d[i].admitted;
        sum.throttled += d[i].throttled;
        sum.unavailable += d[i].unavailable;
        sum.killed += d[i].killed;
        sum.missed += d[i].missed;
        sum.wrong += d[i].wrong;
        sum.reloads += d[i].reloads;
    }
    return sum;
}

static bool
open_field(struct field *f, const char *where)
{
    struct aegis_host_options o = {.size = sizeof o, .is_simulated = where == NULL};
    *f = (struct field){.host = NULL};
    return aegis_slot_new(&f->slot) == AEGIS_OK && aegis_host_open(where, &o, &f->host, NULL) == AEGIS_OK;
}

static void
test_simulated(void)
{
    struct field f;
    if (!OK(open_field(&f, NULL), "a simulated host"))
        return;
    struct decider s = run(&f, 0, true);
    OK(s.wrong == 0 && s.unavailable == 0, "%u decisions by %u threads, none failed (%u, %u unavailable)",
       s.decided, THREADS, s.wrong, s.unavailable);
    OK(s.mixed == 0 && s.reloads > THREADS,
       "every decision is of one policy; %u policies published, %u changes seen", atomic_load(&f.published),
       s.reloads);
    OK(s.admitted == BURST && s.throttled > 0, "the limit that all share admitted its burst of %u: %u", BURST,
       s.admitted);
    OK(s.missed == 0 && s.killed > 0,
       "nothing is allowed while the kill switch is engaged (%u killed, %u missed)", s.killed, s.missed);
    aegis_slot_free(f.slot);
    aegis_host_close(f.host);
}

static bool
count_row(void *ctx, const struct agr_audit_item *item)
{
    unsigned *n = ctx;
    *n += item->is_parsed && item->row.type == AGR_ROW_DECISION;
    return true;
}

static void
test_journaled(void)
{
    struct field f;
    struct agr_sequencer_options o = {.log_dir = dir, .is_once = true, .reserve = 1};
    struct agr_audit_error err = {{0}};
    struct agr_verify_report report;
    uint64_t checkpoint = 0, all = 0;
    unsigned n = 0;
    if (!OK(open_field(&f, dir), "a host with state and journal"))
        return;
    struct decider s = run(&f, ROWS, false);
    OK(s.wrong == 0 && s.unavailable == 0 && s.mixed == 0,
       "%u decisions by %u threads, none failed (%u, %u unavailable, %u mixed)", s.decided, THREADS, s.wrong,
       s.unavailable, s.mixed);
    aegis_slot_free(f.slot);
    aegis_host_close(f.host);
    OK(agr_sequencer_run(&o, &err) == AGR_AUDIT_OK && agr_audit_verify(dir, NULL, &report) == AGR_AUDIT_OK,
       "the log of all threads verifies %s", err.text);
    agr_audit_size(dir, &checkpoint, &all);
    agr_audit_iterate(dir, 0, all, count_row, &n, &err);
    OK(n == s.decided, "every answer is a row: %u of %u", n, s.decided);
}

int
main(void)
{
    char command[128];
    snprintf(root, sizeof root, "%s/agt-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    if (!mkdtemp(root))
        return 1;
    snprintf(dir, sizeof dir, "%s/log", root);
    compile_all();
    for (unsigned i = 0; i < POLICIES; i++)
        memcpy(digests[i], ((const struct ag_image_header *)(const void *)jobs[i].image.p)->digest, 32);
    test_simulated();
    test_journaled();
    for (unsigned i = 0; i < POLICIES; i++)
        agc_job_fini(&jobs[i]);
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    OK(system(command) == 0, "cleans up");
    return t_done();
}
