// SPDX-License-Identifier: Apache-2.0
// The sequencer in threads of this process: sockets and embedders, durable answers, end, gap, unrecorded and
// malformed rows, restart, refusal of shrunken logs, full disk, failing sync, erasing, retention, signed rows
// (A35, B39, D28-D33).
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "t.h"
#include "audit.h"
#include "hash.h"

static char base[64], dir[96];
static int logs;

struct running {
    pthread_t thread;
    struct agr_sequencer_options o;
    struct agr_audit_error err;
    enum agr_audit_result result;
};

static void *
thread_main(void *ctx)
{
    struct running *r = ctx;
    r->result = agr_sequencer_run(&r->o, &r->err);
    return NULL;
}

static void
new_log(void)
{
    snprintf(dir, sizeof(dir), "%s/%d", base, ++logs);
    if (mkdir(dir, 0700) != 0)
        exit(1);
    snprintf(dir, sizeof(dir), "%s/%d/log", base, logs);
}

static struct agr_sequencer_options
options(void)
{
    return (struct agr_sequencer_options){.log_dir = dir,
                                          .origin = "unit.example/log",
                                          .reserve = 1,
                                          .sync_interval_ms = 5,
                                          .checkpoint_interval_ms = 10};
}

static void
start(struct running *r, struct agr_sequencer_options o)
{
    *r = (struct running){.o = o};
    r->o.has_stop_fd = true;
    r->o.stop_fd = eventfd(0, EFD_CLOEXEC);
    pthread_create(&r->thread, NULL, thread_main, r);
    char path[128];
    snprintf(path, sizeof(path), "%s/sequencer.sock", dir);
    for (int i = 0; i < 2000 && access(path, F_OK) != 0; i++)
        usleep(1000);
}

static enum agr_audit_result
stop(struct running *r)
{
    uint64_t one = 1;
    if (write(r->o.stop_fd, &one, 8) != 8)
        exit(1);
    pthread_join(r->thread, NULL);
    close(r->o.stop_fd);
    return r->result;
}

static enum agr_audit_result
once(struct agr_sequencer_options o, struct agr_audit_error *err)
{
    o.is_once = true;
    return agr_sequencer_run(&o, err);
}

static struct agr_record
record(const char *body)
{
    return (struct agr_record){
        .type = AGR_ROW_DECISION, .time_ns = 1700000000000000000, .body = ag_str_z(body)};
}

static int
verifies(struct agr_verify_report *r)
{
    if (agr_audit_verify(dir, NULL, r) == AGR_AUDIT_OK)
        return 1;
    printf("# %s row %llu: %s\n", r->file, (unsigned long long)r->bad_gseq, r->text);
    return 0;
}

// Counts rows whose line holds `text`, and keeps the last such line.
struct count {
    const char *text;
    unsigned n;
    char line[AGR_ROW_MAX + 1];
};

static bool
on_count(void *ctx, const struct agr_audit_item *item)
{
    struct count *c = ctx;
    if (memmem(item->line.p, item->line.n, c->text, strlen(c->text))) {
        c->n++;
        memcpy(c->line, item->line.p, item->line.n);
        c->line[item->line.n] = 0;
    }
    return true;
}

static const struct count *
rows_with(const char *text)
{
    static struct count c;
    struct agr_audit_error err;
    c = (struct count){.text = text};
    agr_audit_iterate(dir, 0, UINT64_MAX, on_count, &c, &err);
    return &c;
}

static void
test_socket(void)
{
    struct running run;
    struct agr_journal j, k;
    struct agr_journal_pos pos, last = {0};
    struct agr_verify_report rep;
    struct agr_audit_error err;
    uint64_t gseq = 0;
    new_log();
    start(&run, options());
    OK(agr_journal_open_dir(&j, dir, 3, 0) == AGR_JOURNAL_OK && agr_journal_fd(&j) != -1,
       "a writer gets its journal over the socket");
    OK(agr_journal_open_dir(&k, dir, 4, 0) == AGR_JOURNAL_OK && k.journal != j.journal && k.boot == j.boot,
       "a second one another number of the same boot");
    struct agr_record rec = record("{\"decision\":\"deny\",\"nested\":{\"gseq\":1}}");
    rec.flags = AGR_RECORD_DURABLE;
    rec.action = AG_STR("{\"agent\":\"a\"}");
    rec.payload = AG_STR("{\"input\":1}");
    int failed = 0;
    for (int i = 0; i < 50; i++) {
        failed += agr_journal_append(i % 2 ? &j : &k, &rec, &pos) != AGR_JOURNAL_OK;
        if (i % 2)
            last = pos;
    }
    agr_journal_wake(&j, last);
    for (int i = 0; i < 4000 && !agr_journal_is_synced(&j, last, &gseq); i++)
        usleep(500);
    OK(!failed && agr_journal_is_synced(&j, last, &gseq) && gseq < 60,
       "a durable answer learns its gseq %llu", (unsigned long long)gseq);
    OK(agr_journal_refill(&j) == AGR_JOURNAL_OK, "a refill takes the wake's answer");

    // More than two segments: the next ones come by refills.
    static char big[1 << 20];
    memset(big, 'x', sizeof(big));
    struct agr_record large = record("{\"large\":1}");
    large.payload = ag_str_of(big, sizeof(big));
    int stored = 0;
    for (int i = 0; stored < 40 && i < 20000; i++) {
        if (agr_journal_append(&j, &large, &pos) == AGR_JOURNAL_OK)
            stored++;
        else
            usleep(1000);
        if (agr_journal_wants_refill(&j))
            agr_journal_refill(&j);
    }
    OK(stored == 40, "40 MiB go through 16 MiB segments");
    uint64_t missed = j.unrecorded;
    char id[AGR_DECISION_ID_SIZE];
    agr_journal_id(&j, last.wseq, id);
    agr_journal_close(&j);
    agr_journal_close(&k);
    OK(stop(&run) == AGR_AUDIT_OK, "drains and ends: %s", run.err.text);
    OK(verifies(&rep) && rep.payloads == 90, "the log verifies, %llu payloads",
       (unsigned long long)rep.payloads);
    OK(rows_with("\"type\":\"decision\"")->n == 90, "all rows are there");
    OK(rows_with("\"type\":\"unrecorded\"")->n >= (missed ? 1u : 0u),
       "answers that could not be recorded are counted: %llu", (unsigned long long)missed);
    uint64_t found = 0;
    OK(agr_audit_find(dir, ag_str_of(id, sizeof(id)), &found, &err) == AGR_AUDIT_OK && found == gseq,
       "a decision id finds its row");
    uint8_t *payload = NULL;
    size_t n = 0;
    OK(agr_audit_payload(dir, gseq, &payload, &n) == AGR_AUDIT_OK && n == 11 &&
           memcmp(payload, "{\"input\":1}", 11) == 0,
       "and its input");
    free(payload);
    // SHA-256("aegis-action-v1\n" and the action), computed with sha256sum.
    OK(rows_with("\"action_digest\":\"b15941cde8618b4faa12ff001447a5f209540f8efac32d2f2d86059c9c47c448\"")
               ->n == 50,
       "action digests are those of the canonical bytes");

    char *receipt = NULL;
    struct agr_checkpoint c;
    struct agr_note_key key;
    uint8_t *note;
    size_t note_n;
    char path[128];
    snprintf(path, sizeof(path), "%s/keys.note", dir);
    FILE *f = fopen(path, "r");
    static char text[4096];
    note = (uint8_t *)text;
    note_n = f ? fread(text, 1, sizeof(text), f) : 0;
    if (f)
        fclose(f);
    OK(agr_keys_note_find(ag_str_of((char *)note, note_n), false, &key) &&
           strcmp(key.name, "unit.example/log") == 0,
       "keys.note names the key");
    OK(agr_audit_receipt(dir, gseq, &receipt, &n, &err) == AGR_AUDIT_OK, "a receipt");
    const struct count *row = rows_with("\"wseq\":25,\"time\"");
    struct agr_row parsed;
    agr_row_parse(ag_str_z(row->line), &parsed);
    char *other = NULL;
    size_t other_n;
    OK(agr_audit_receipt(dir, parsed.gseq, &other, &other_n, &err) == AGR_AUDIT_OK &&
           agr_receipt_check(ag_str_of(other, other_n), ag_str_z(row->line), &key, &c, &err),
       "proves its row");
    OK(!agr_receipt_check(ag_str_of(receipt, n), ag_str_of("{}", 2), &key, &c, &err), "and no other: %s",
       err.text);
    unsigned accepted = 0;
    for (size_t i = 0; i < other_n; i++) {
        other[i] ^= 1;
        accepted += agr_receipt_check(ag_str_of(other, other_n), ag_str_z(row->line), &key, &c, &err);
        other[i] ^= 1;
    }
    OK(accepted == 0, "nor with any bit of it flipped");
    free(receipt);
    free(other);
    OK(agr_audit_receipt(dir, 1000000, &receipt, &n, &err) == AGR_AUDIT_PENDING,
       "a row under no checkpoint is pending");
    char root[2048];
    OK(agr_audit_root(dir, "2999-01-01", root, sizeof(root), &err) == AGR_AUDIT_OK &&
           strstr(root, "unit.example/log\n"),
       "a day without a file has the last root before it");
    OK(agr_audit_root(dir, "1999-01-01", root, sizeof(root), &err) == AGR_AUDIT_NOT_FOUND,
       "none before the log began");
}

// What the check reads eight bytes at once is found at each place: controls, quotes, escapes; and each key of
// a row's head is refused.
static void
test_body_bytes(void)
{
    static const char *const head[] = {"v",       "gseq", "prev", "id",   "boot",          "worker",
                                       "journal", "wseq", "time", "type", "action_digest", "payload_digest"};
    char text[64];
    unsigned wrong = 0;
    for (size_t at = 0; at < 21; at++)
        for (unsigned c = 0; c < 0x80; c++) {
            memcpy(text, "{\"a\":\"\xc3\xa9xxxxxxxxxxxxxxxxxxxxx\"}", 31);
            text[8 + at] = (char)c;
            bool is_good = c >= 0x20 && c != '"' && c != '\\';
            wrong += agr_body_valid(ag_str_of(text, 31)) != is_good;
        }
    OK(wrong == 0, "controls, a quote or a lone backslash anywhere in a text: %u taken wrongly", wrong);
    for (size_t n = 0; n < 20; n++) {
        memcpy(text, "{\"a\":\"xxxxxxxxxxxxxxxxxxxx", 26);
        memcpy(text + 6 + n, "\\\"\\n\"}", 6);
        wrong += !agr_body_valid(ag_str_of(text, 6 + n + 6));
        text[6 + n + 2] = '"';
        wrong += agr_body_valid(ag_str_of(text, 6 + n + 6));
    }
    OK(wrong == 0, "escapes at each place: %u taken wrongly", wrong);
    for (size_t i = 0; i < sizeof(head) / sizeof(head[0]); i++) {
        size_t n = (size_t)snprintf(text, sizeof(text), "{\"%s\":1}", head[i]);
        wrong += agr_body_valid(ag_str_of(text, n));
        n = (size_t)snprintf(text, sizeof(text), "{\"%sx\":1}", head[i]);
        wrong += !agr_body_valid(ag_str_of(text, n));
    }
    OK(wrong == 0, "keys of the head are the head's alone");
}

static void
test_embedder(void)
{
    struct agr_journal j;
    struct agr_journal_pos pos;
    struct agr_audit_error err;
    struct agr_verify_report rep;
    static char long_body[AGR_BODY_MAX + 1];
    new_log();
    OK(agr_journal_open_dir(&j, dir, 0, 0) == AGR_JOURNAL_OK && agr_journal_fd(&j) == -1,
       "no sequencer: own segments");
    static const char *const bad[] = {"{\"gseq\":5}",     "{\"a\":1,\"prev\":\"x\"}",
                                      "{\"a\":1",         "{\"a\":1}}",
                                      "{\"\\u0076\":1}",  "{\"a\":\"\n\"}",
                                      "{\"a\":\"\xff\"}", "[1]",
                                      "{\"a\":01}",       "{\"a\":tru}",
                                      "{\"a\":[1,]}",     "{ }",
                                      "{\"a\" 1}",        "xx"};
    static const char *const good[] = {"{}",
                                       "{\"a\":[{\"gseq\":1},-1.5e+3,true,null,\"\\u00e9\"], \"b\" : {} }",
                                       "{\"a\":\"\xc3\xa9\"}", "{\"vv\":[]}"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct agr_record rec = record(bad[i]);
        agr_journal_append(&j, &rec, &pos);
        OK(!agr_body_valid(rec.body), "body refused: %zu", i);
    }
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct agr_record rec = record(good[i]);
        agr_journal_append(&j, &rec, &pos);
        OK(agr_body_valid(rec.body), "body taken: %s", good[i]);
    }
    test_body_bytes();
    memset(long_body, 'a', sizeof(long_body));
    memcpy(long_body, "{\"a\":\"", 6);
    memcpy(long_body + AGR_BODY_MAX - 2, "\"}", 2);
    struct agr_record rec = record("{}");
    rec.body = ag_str_of(long_body, AGR_BODY_MAX);
    rec.action = AG_STR("x");
    rec.payload = AG_STR("y");
    rec.time_ns = INT64_MAX;
    OK(agr_journal_append(&j, &rec, &pos) == AGR_JOURNAL_OK, "the longest body with everything else");
    rec = record("{}");
    rec.type = AGR_ROW_END;
    agr_journal_append(&j, &rec, &pos);
    OK(once(options(), &err) == AGR_AUDIT_OK, "the sequencer takes them up: %s", err.text);
    OK(verifies(&rep), "and the log verifies");
    OK(rows_with("\"note\":\"malformed_row\"")->n == 15, "what a hostile writer sent is noted, not taken");
    OK(rows_with("\"type\":\"end\"")->n == 0, "the writer lives: no end");
    rec = record("{\"after\":1}");
    agr_journal_append(&j, &rec, &pos);
    agr_journal_close(&j);
    OK(once(options(), &err) == AGR_AUDIT_OK && verifies(&rep), "a second sequencer goes on: %s", err.text);
    OK(rows_with("\"after\":1")->n == 1, "the last row is there, once");
    OK(rows_with("\"type\":\"end\"")->n == 1, "the writer has its end");
    char cmd[512];
    snprintf(cmd, sizeof(cmd), "test -z \"$(ls %s/journal | grep seg)\"", dir);
    OK(system(cmd) == 0, "its segments are gone");
    // Erasing keeps the proofs.
    uint64_t gseq = 0;
    uint8_t *p = NULL;
    size_t n;
    struct count c = *rows_with("\"payload_digest\"");
    struct agr_row row;
    agr_row_parse(ag_str_z(c.line), &row);
    gseq = row.gseq;
    OK(c.n == 1 && agr_audit_payload(dir, gseq, &p, &n) == AGR_AUDIT_OK && n == 1, "its payload is kept");
    free(p);
    OK(agr_audit_erase(dir, gseq, &err) == AGR_AUDIT_OK &&
           agr_audit_payload(dir, gseq, &p, &n) == AGR_AUDIT_NOT_FOUND,
       "until it is erased");
    OK(once(options(), &err) == AGR_AUDIT_OK && verifies(&rep) &&
           agr_audit_payload(dir, gseq, &p, &n) == AGR_AUDIT_NOT_FOUND,
       "a replay does not bring it back, and all proofs hold");
}

// Forges what a host crash leaves: a segment of another kernel boot, torn in its middle.
static void
test_gap(void)
{
    struct agr_journal j;
    struct agr_journal_pos pos, torn = {0};
    struct agr_audit_error err;
    struct agr_verify_report rep;
    char name[AGR_SEGMENT_NAME_SIZE], path[160];
    new_log();
    agr_journal_open_dir(&j, dir, 7, 0);
    struct agr_record rec = record("{\"x\":1}");
    for (int i = 0; i < 10; i++)
        agr_journal_append(&j, &rec, i == 6 ? &torn : &pos);
    agr_segment_name(j.boot, j.journal, 0, name);
    snprintf(path, sizeof(path), "%s/journal/%s", dir, name);
    struct agr_segment h;
    uint64_t zero = 0;
    int fd = open(path, O_RDWR);
    OK(pread(fd, &h, sizeof(h), 0) == (ssize_t)sizeof(h), "reads the header");
    h.kernel_boot[0] ^= 0xff;
    h.crc = 0;
    uint8_t other[16];
    memcpy(other, h.kernel_boot, 16);
    agr_segment_seal(&h);
    memcpy(h.kernel_boot, other, 16);
    h.crc = ag_crc32c(0, &h, 124);
    OK(pwrite(fd, &h, 192, 0) == 192 && pwrite(fd, &zero, 8, torn.offset) == 8,
       "as another boot left it, one record torn");
    close(fd);
    agr_journal_close(&j);
    OK(once(options(), &err) == AGR_AUDIT_OK && verifies(&rep), "taken up: %s", err.text);
    OK(rows_with("\"x\":1")->n == 6, "the rows before the torn one are in the log");
    OK(rows_with("\"type\":\"gap\"")->n == 1 &&
           strstr(rows_with("\"type\":\"gap\"")->line, "\"last_wseq\":6}") &&
           strstr(rows_with("\"type\":\"gap\"")->line, "\"reason\":\"host_crash\""),
       "a gap row says from where rows may be lost");

    // A writer that breaks its journal while it lives.
    agr_journal_open_dir(&j, dir, 7, 0);
    agr_journal_append(&j, &rec, &pos);
    agr_journal_append(&j, &rec, &torn);
    agr_segment_name(j.boot, j.journal, 0, name);
    snprintf(path, sizeof(path), "%s/journal/%s", dir, name);
    fd = open(path, O_RDWR);
    OK(pwrite(fd, "!", 1, torn.offset + 70) == 1, "a committed record is changed");
    close(fd);
    OK(once(options(), &err) == AGR_AUDIT_OK && verifies(&rep) && rows_with("\"reason\":\"corrupt\"")->n == 1,
       "a corrupt journal ends with a gap");
    OK(agr_journal_append(&j, &rec, &pos) == AGR_JOURNAL_UNAVAILABLE,
       "and its writer is refused from then on");
    agr_journal_close(&j);
}

static void
test_refusals(void)
{
    struct agr_journal j;
    struct agr_journal_pos pos;
    struct agr_audit_error err;
    struct running run;
    char cmd[1024], remember[128], keys[128];
    struct stat st;
    new_log();
    snprintf(remember, sizeof(remember), "%s/%d/remembered", base, logs);
    snprintf(keys, sizeof(keys), "%s/%d/keys/checkpoint.key", base, logs);
    struct agr_sequencer_options o = options();
    o.remember_file = remember;
    agr_journal_open_dir(&j, dir, 0, 0);
    struct agr_record rec = record("{}");
    agr_journal_append(&j, &rec, &pos);
    OK(once(o, &err) == AGR_AUDIT_OK && access(remember, F_OK) == 0,
       "the checkpoint is remembered outside the log");
    OK(stat(keys, &st) == 0 && (st.st_mode & 0777) == 0600, "a new key has mode 0600");
    snprintf(cmd, sizeof(cmd), "cp -r %s %s.old", dir, dir);
    OK(system(cmd) == 0, "a copy of the log");
    agr_journal_append(&j, &rec, &pos);
    OK(once(o, &err) == AGR_AUDIT_OK, "one row more");
    agr_journal_close(&j);
    snprintf(cmd, sizeof(cmd), "rm -rf %s.new && mv %s %s.new && mv %s.old %s && rm -f %s/journal/*.seg", dir,
             dir, dir, dir, dir, dir);
    OK(system(cmd) == 0 && once(o, &err) == AGR_AUDIT_REFUSED && strstr(err.text, "rows are missing"),
       "a log put back to an older state is refused: %s", err.text);
    snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
    OK(system(cmd) == 0 && once(o, &err) == AGR_AUDIT_REFUSED, "a log that vanished is refused: %s",
       err.text);
    snprintf(cmd, sizeof(cmd), "rm -rf %s && cp -r %s.new %s && chmod 644 %s", dir, dir, dir, keys);
    OK(system(cmd) == 0 && once(o, &err) == AGR_AUDIT_REFUSED && strstr(err.text, "chmod 600"), "%s",
       err.text);
    snprintf(cmd, sizeof(cmd), "chmod 600 %s && mv %s %s.kept", keys, keys, keys);
    OK(system(cmd) == 0 && once(o, &err) == AGR_AUDIT_REFUSED && strstr(err.text, "another key"), "%s",
       err.text);
    snprintf(cmd, sizeof(cmd), "mv %s.kept %s", keys, keys);
    OK(system(cmd) == 0, "with the key back");
    start(&run, o);
    OK(once(o, &err) == AGR_AUDIT_LOCKED && strstr(err.text, "pid"), "two sequencers cannot run: %s",
       err.text);
    OK(agr_audit_erase(dir, 0, &err) == AGR_AUDIT_LOCKED, "nor can one erase beside one");
    OK(stop(&run) == AGR_AUDIT_OK, "ends: %s", run.err.text);
}

static int writes_fail, syncs_fail;

static ssize_t
test_write(void *ctx, int fd, const void *p, size_t n, off_t at)
{
    (void)ctx;
    if (__atomic_load_n(&writes_fail, __ATOMIC_SEQ_CST)) {
        errno = ENOSPC;
        return -1;
    }
    return pwrite(fd, p, n, at);
}

static int
test_sync(void *ctx, int fd)
{
    (void)ctx;
    if (__atomic_load_n(&syncs_fail, __ATOMIC_SEQ_CST)) {
        errno = EIO;
        return -1;
    }
    return fdatasync(fd);
}

static void
test_faults(void)
{
    struct agr_io io = {test_write, test_sync, NULL};
    struct running run;
    struct agr_journal j;
    struct agr_journal_pos pos;
    struct agr_audit_error err;
    struct agr_verify_report rep;
    new_log();
    struct agr_sequencer_options o = options();
    o.io = &io;
    start(&run, o);
    agr_journal_open_dir(&j, dir, 0, 0);
    struct agr_record rec = record("{\"f\":1}");
    agr_journal_append(&j, &rec, &pos);
    __atomic_store_n(&writes_fail, 1, __ATOMIC_SEQ_CST);
    agr_journal_append(&j, &rec, &pos);
    int refused = 0;
    for (int i = 0; i < 4000 && !refused; i++) {
        refused = !agr_journal_has_room(&j, 10, 0, 0);
        usleep(500);
    }
    OK(refused && agr_journal_append(&j, &rec, &pos) == AGR_JOURNAL_UNAVAILABLE,
       "on a full disk appends are refused");
    __atomic_store_n(&writes_fail, 0, __ATOMIC_SEQ_CST);
    for (int i = 0; i < 4000 && !agr_journal_has_room(&j, 10, 0, 0); i++)
        usleep(500);
    OK(agr_journal_append(&j, &rec, &pos) == AGR_JOURNAL_OK, "with space again they are taken");
    uint64_t gseq;
    for (int i = 0; i < 4000 && !agr_journal_is_synced(&j, pos, &gseq); i++)
        usleep(500);
    __atomic_store_n(&syncs_fail, 1, __ATOMIC_SEQ_CST);
    agr_journal_append(&j, &rec, &pos);
    pthread_join(run.thread, NULL);
    close(run.o.stop_fd);
    OK(run.result == AGR_AUDIT_FAILED && strstr(run.err.text, "never retried"),
       "a failed sync ends the sequencer: %s", run.err.text);
    OK(agr_journal_append(&j, &rec, &pos) == AGR_JOURNAL_UNAVAILABLE, "and refuses further rows");
    __atomic_store_n(&syncs_fail, 0, __ATOMIC_SEQ_CST);
    agr_journal_close(&j);
    OK(once(options(), &err) == AGR_AUDIT_OK && verifies(&rep) && rows_with("\"f\":1")->n == 4,
       "a new sequencer has every accepted row: %s", err.text);
    OK(rows_with("\"type\":\"unrecorded\"")->n == 1 &&
           strstr(rows_with("\"type\":\"unrecorded\"")->line, "\"count\":2}"),
       "and says how many were not recorded");
}

static void
test_modes(void)
{
    struct agr_journal j;
    struct agr_journal_pos pos;
    struct agr_audit_error err;
    struct agr_verify_report rep;
    new_log();
    agr_journal_open_dir(&j, dir, 0, 0);
    struct agr_record rec = record("{}");
    rec.payload = AG_STR("p");
    struct agr_sequencer_options o = options();
    int ok = 1;
    for (int mode = 0; mode < 4; mode++) {
        for (int i = 0; i < 300; i++)
            agr_journal_append(&j, &rec, &pos);
        o.sign_rows = mode % 2;
        ok &= once(o, &err) == AGR_AUDIT_OK;
    }
    OK(ok && verifies(&rep), "signed and unsigned rows in one log: %s", err.text);
    OK(rep.rows == 1200, "1,200 rows: %llu", (unsigned long long)rep.rows);
    o.keep_entries = 500;
    o.keep_payloads = 200;
    agr_journal_close(&j);
    enum agr_audit_result res = once(o, &err);
    OK(res == AGR_AUDIT_OK && verifies(&rep), "retention runs, the rest verifies: %s", err.text);
    OK(rep.bundles_gone == 2 && rep.payloads > 0 && rep.payloads < 500,
       "%llu bundles are gone, %llu payloads kept", (unsigned long long)rep.bundles_gone,
       (unsigned long long)rep.payloads);
    char cmd[512];
    snprintf(cmd, sizeof(cmd), "rm %s/tile/entries/002", dir);
    OK(system(cmd) == 0 && agr_audit_verify(dir, NULL, &rep) == AGR_AUDIT_REFUSED &&
           strstr(rep.file, "tile/entries/002"),
       "a bundle missing above the floor is refused: %s %s", rep.file, rep.text);
    snprintf(cmd, sizeof(cmd), "rm %s/floor && rm -f %s/tile/entries/002", dir, dir);
    OK(system(cmd) == 0 && agr_audit_verify(dir, NULL, &rep) == AGR_AUDIT_REFUSED &&
           strstr(rep.file, "tile/entries/000"),
       "and every one without the floor");
}

static int
connect_to(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
    int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (connect(sock, (struct sockaddr *)&a, sizeof(a)) != 0)
        printf("# connect: %s\n", strerror(errno));
    return sock;
}

// A writer without a directory, as a worker is, goes on with its journal when the sequencer is replaced.
static void
test_resume(void)
{
    struct running run;
    struct agr_journal j;
    struct agr_journal_pos pos;
    struct agr_verify_report rep;
    char path[128];
    static char big[1 << 20];
    new_log();
    snprintf(path, sizeof(path), "%s/sequencer.sock", dir);
    start(&run, options());
    OK(agr_journal_open_socket(&j, connect_to(path), 9) == AGR_JOURNAL_OK && j.dir_fd == -1,
       "a worker's journal");
    struct agr_record rec = record("{\"r\":1}");
    rec.payload = ag_str_of(big, sizeof(big));
    unsigned stored = 0;
    for (; stored < 20 && agr_journal_append(&j, &rec, &pos) == AGR_JOURNAL_OK; stored++)
        ;
    OK(stop(&run) == AGR_AUDIT_OK && stored == 20, "its sequencer ends: %s", run.err.text);
    while (agr_journal_append(&j, &rec, &pos) == AGR_JOURNAL_OK)
        stored++;
    OK(stored == 30 && agr_journal_refill(&j) == AGR_JOURNAL_SYSTEM && agr_journal_fd(&j) == -1,
       "without one two segments are all there is, and a refill says so: %u", stored);
    start(&run, options());
    OK(agr_journal_resume_socket(&j, connect_to(path)) == AGR_JOURNAL_OK, "a new one knows the journal");
    for (int i = 0; stored < 60 && i < 20000; i++) {
        if (agr_journal_append(&j, &rec, &pos) == AGR_JOURNAL_OK)
            stored++;
        else
            usleep(1000);
        if (agr_journal_wants_refill(&j))
            agr_journal_refill(&j);
    }
    OK(stored == 60, "and hands it segments: %u rows", stored);
    int sock = connect_to(path);
    struct agr_journal_msg m = {.op = 99};
    OK(send(sock, &m, sizeof(m), 0) == (ssize_t)sizeof(m) && recv(sock, &m, sizeof(m), 0) == 0,
       "who talks nonsense is hung up on");
    close(sock);
    agr_journal_close(&j);
    OK(stop(&run) == AGR_AUDIT_OK && verifies(&rep) && rows_with("\"r\":1")->n == 60,
       "no row is lost or twice");
}

// A new key signs beside the old one for a while; whoever holds either key verifies the whole log.
static void
test_rotation(void)
{
    struct agr_journal j;
    struct agr_journal_pos pos;
    struct agr_audit_error err;
    struct agr_verify_report rep;
    char keys[128], old_keys[128], old_key[160], cmd[512], vkey[2][AGR_VKEY_SIZE] = {{0}};
    new_log();
    snprintf(keys, sizeof(keys), "%s/%d/keys", base, logs);
    snprintf(old_keys, sizeof(old_keys), "%s/%d/old-keys", base, logs);
    snprintf(old_key, sizeof(old_key), "%s/checkpoint.key", old_keys);
    agr_journal_open_dir(&j, dir, 0, 0);
    struct agr_record rec = record("{}");
    struct agr_sequencer_options o = options();
    o.sign_rows = true;
    agr_journal_append(&j, &rec, &pos);
    OK(once(o, &err) == AGR_AUDIT_OK, "a row under the first keys");
    snprintf(cmd, sizeof(cmd), "mv %s %s", keys, old_keys);
    agr_journal_append(&j, &rec, &pos);
    OK(system(cmd) == 0 && once(o, &err) == AGR_AUDIT_REFUSED, "new keys without the old one are refused: %s",
       err.text);
    o.old_key_file = old_key;
    OK(once(o, &err) == AGR_AUDIT_OK, "with it both sign: %s", err.text);
    o.old_key_file = NULL;
    agr_journal_append(&j, &rec, &pos);
    OK(once(o, &err) == AGR_AUDIT_OK, "then the new one alone: %s", err.text);
    agr_journal_close(&j);
    for (int i = 0; i < 2; i++) {
        char path[160];
        snprintf(path, sizeof(path), "%s/checkpoint.vkey", i ? keys : old_keys);
        FILE *f = fopen(path, "r");
        if (!f || !fgets(vkey[i], sizeof(vkey[i]), f))
            exit(1);
        fclose(f);
        struct agr_verify_options vo = {.vkey = vkey[i]};
        OK(agr_audit_verify(dir, &vo, &rep) == AGR_AUDIT_OK && rep.rows == 3,
           "the %s key verifies all rows: %s %s", i ? "new" : "old", rep.file, rep.text);
    }
    OK(strcmp(vkey[0], vkey[1]) != 0, "they are two keys");
}

int
main(void)
{
    char rm[96];
    snprintf(base, sizeof(base), "%s/ags-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    if (!mkdtemp(base))
        return 1;
    test_socket();
    test_embedder();
    test_gap();
    test_refusals();
    test_faults();
    test_modes();
    test_rotation();
    test_resume();
    snprintf(rm, sizeof(rm), "rm -rf '%s'", base);
    OK(system(rm) == 0, "cleans up");
    return t_done();
}
