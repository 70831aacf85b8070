// SPDX-License-Identifier: Apache-2.0
// The journal: records appear whole or not at all, ids decode, limits hold, a forked copy refuses (A35, B39).
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "t.h"
#include "journal.h"

static char dir[64];

static struct agr_record
record(const char *body)
{
    return (struct agr_record){
        .type = AGR_ROW_DECISION, .time_ns = 1700000000123456789, .body = ag_str_z(body)};
}

static int
open_segment(const struct agr_journal *j, uint32_t segment)
{
    char path[160], name[AGR_SEGMENT_NAME_SIZE];
    agr_segment_name(j->boot, j->journal, segment, name);
    snprintf(path, sizeof(path), "%s/journal/%s", dir, name);
    return open(path, O_RDWR | O_CLOEXEC);
}

static void
test_ids(void)
{
    char id[25] = {0};
    uint64_t boot, wseq;
    uint32_t journal;
    agr_decision_id(0x0ff00ff00full, 0x123456, 0x00aabbccddeeffull, id);
    OK(agr_decision_id_parse(ag_str_z(id), &boot, &journal, &wseq) && boot == 0x0ff00ff00full &&
           journal == 0x123456 && wseq == 0x00aabbccddeeffull,
       "an id of 24 characters gives boot, journal and wseq back: %s", id);
    agr_decision_id(0, 0, 0, id);
    OK(strcmp(id, "aaaaaaaaaaaaaaaaaaaaaaaa") == 0, "zero is all a");
    id[3] = '1';
    OK(!agr_decision_id_parse(ag_str_z(id), &boot, &journal, &wseq), "1 is not base32");
    OK(!agr_decision_id_parse(AG_STR("aaaa"), &boot, &journal, &wseq), "a short id is refused");
    char name[AGR_SEGMENT_NAME_SIZE];
    uint32_t segment;
    agr_segment_name(0xffffffffffull, 12, 7, name);
    OK(strcmp(name, "77777777-00000012-00000007.seg") == 0, "segment name: %s", name);
    OK(agr_segment_name_parse(name, &boot, &journal, &segment) && boot == 0xffffffffffull && journal == 12 &&
           segment == 7,
       "and back");
    OK(!agr_segment_name_parse("77777777-00000012-00000007.tmp", &boot, &journal, &segment),
       "another suffix is not one");
}

static void
test_append_read(void)
{
    struct agr_journal j;
    struct agr_journal_pos pos, pos2;
    OK(agr_journal_open_dir(&j, dir, 3, 0) == AGR_JOURNAL_OK, "opens with segments of its own: %s",
       strerror(errno));
    OK(agr_journal_next_wseq(&j) == 1 && j.next_n == 1 && !agr_journal_wants_refill(&j),
       "wseq 1, one segment ahead");
    int fd = open_segment(&j, 0);
    struct agr_journal_reader r;
    struct agr_journal_item it;
    agr_reader_init(&r, fd, 1);
    OK(agr_journal_read(&r, &it) == AGR_READ_EMPTY, "nothing to read yet");

    struct agr_record rec = record("{\"decision\":\"allow\"}");
    rec.action = AG_STR("{\"agent\":\"a\"}");
    rec.payload = AG_STR("payload bytes");
    rec.flags = AGR_RECORD_DURABLE;
    OK(agr_journal_append(&j, &rec, &pos) == AGR_JOURNAL_OK && pos.wseq == 1 && pos.offset == 4096,
       "appends");
    OK(agr_journal_read(&r, &it) == AGR_READ_ITEM && it.wseq == 1 && it.type == AGR_ROW_DECISION &&
           it.flags == AGR_RECORD_DURABLE && it.time_ns == rec.time_ns && ag_str_eq(it.body, rec.body) &&
           ag_str_eq(it.action, rec.action) && ag_str_eq(it.payload, rec.payload),
       "the reader sees every piece");
    OK(agr_journal_read(&r, &it) == AGR_READ_EMPTY, "and no more");

    // Torn: everything but the commit word is there.
    agr_journal_append(&j, &rec, &pos2);
    uint64_t commit, zero = 0;
    OK(pread(fd, &commit, 8, pos2.offset) == 8 && pwrite(fd, &zero, 8, pos2.offset) == 8 &&
           agr_journal_read(&r, &it) == AGR_READ_EMPTY,
       "a record without its commit word is invisible");
    uint64_t bad = commit ^ 1;
    OK(pwrite(fd, &bad, 8, pos2.offset) == 8 && agr_journal_read(&r, &it) == AGR_READ_CORRUPT,
       "a wrong CRC is reported as corrupt");
    OK(pwrite(fd, &commit, 8, pos2.offset) == 8 && agr_journal_read(&r, &it) == AGR_READ_ITEM && it.wseq == 2,
       "with its commit word it is read");

    uint64_t gseq = 0, words[2] = {1, ~1ull}, g[2] = {77, ~77ull};
    OK(!agr_journal_is_synced(&j, pos, &gseq), "not synced before the sequencer says so");
    OK(pwrite(fd, g, 16, pos.offset + 8) == 16 && pwrite(fd, words, 16, 192) == 16 &&
           agr_journal_is_synced(&j, pos, &gseq) && gseq == 77,
       "synced with its gseq");
    OK(!agr_journal_is_synced(&j, pos2, &gseq), "the next one is not");
    words[1] = 0;
    OK(pwrite(fd, words, 16, 192) == 16 && !agr_journal_is_synced(&j, pos, &gseq),
       "half a word does not count");

    uint64_t poison[2] = {1, ~1ull};
    OK(pwrite(fd, poison, 16, 208) == 16 && agr_journal_append(&j, &rec, &pos) == AGR_JOURNAL_UNAVAILABLE &&
           !agr_journal_has_room(&j, 10, 0, 0),
       "a poisoned journal takes nothing");
    OK(j.unrecorded == 1 && ((struct agr_segment *)(void *)j.current)->unrecorded == 1,
       "and counts the unrecorded answer in shared memory");
    agr_reader_fini(&r);
    close(fd);
    agr_journal_close(&j);
    agr_journal_close(&j);
    OK(agr_journal_append(&j, &rec, &pos) == AGR_JOURNAL_UNAVAILABLE, "a closed journal refuses");
}

static void
test_limits(void)
{
    struct agr_journal j;
    struct agr_journal_pos pos;
    static char body[AGR_BODY_MAX + 2], big[AGR_PAYLOAD_MAX + 1];
    memset(body, ' ', sizeof(body));
    body[0] = '{';
    agr_journal_open_dir(&j, dir, 0, 0);
    struct agr_record rec = record("{}");
    rec.body = ag_str_of(body, AGR_BODY_MAX);
    OK(agr_journal_append(&j, &rec, &pos) == AGR_JOURNAL_OK, "a body at the limit");
    rec.body.n++;
    OK(agr_journal_append(&j, &rec, &pos) == AGR_JOURNAL_TOO_BIG, "one past it");
    rec.body = AG_STR("{}");
    rec.payload = ag_str_of(big, AGR_PAYLOAD_MAX);
    OK(agr_journal_append(&j, &rec, &pos) == AGR_JOURNAL_OK, "a payload at the limit");
    rec.payload.n++;
    OK(agr_journal_append(&j, &rec, &pos) == AGR_JOURNAL_TOO_BIG, "one past it");
    rec.payload.n = 0;
    rec.action = ag_str_of(big, AGR_ACTION_MAX);
    OK(agr_journal_append(&j, &rec, &pos) == AGR_JOURNAL_OK, "an action at the limit");
    rec.action.n++;
    OK(agr_journal_append(&j, &rec, &pos) == AGR_JOURNAL_TOO_BIG, "one past it");
    rec = record("{}");
    rec.type = AGR_ROW_TYPES;
    OK(agr_journal_append(&j, &rec, &pos) == AGR_JOURNAL_INVALID, "an unknown type");
    OK(agr_journal_next_wseq(&j) == 4, "refused records use no wseq");
    agr_journal_close(&j);
}

// Fills segments to the end, then comes back after a refill.
static void
test_segments(void)
{
    struct agr_journal j;
    struct agr_journal_pos pos = {0};
    static char payload[1 << 20];
    agr_journal_open_dir(&j, dir, 0, 0);
    struct agr_record rec = record("{}");
    rec.payload = ag_str_of(payload, sizeof(payload));
    int n = 0;
    while (n < 100 && agr_journal_append(&j, &rec, &pos) == AGR_JOURNAL_OK)
        n++;
    OK(n == 30, "two segments hold 15 records of 1 MiB each: %d", n);
    OK(j.unrecorded == 1, "then the answer is unrecorded");
    OK(agr_journal_wants_refill(&j) && agr_journal_refill(&j) == AGR_JOURNAL_OK &&
           agr_journal_append(&j, &rec, &pos) == AGR_JOURNAL_OK && pos.wseq == 31 && pos.segment == 2,
       "a refill goes on without a hole in wseq");
    struct agr_journal_reader r = {0};
    struct agr_journal_item it;
    uint64_t wseq = 1;
    int bad = 0;
    for (uint32_t s = 0; s < 3; s++) {
        int fd = open_segment(&j, s);
        agr_reader_init(&r, fd, wseq);
        enum agr_read_result res;
        while ((res = agr_journal_read(&r, &it)) == AGR_READ_ITEM)
            bad += it.wseq != wseq++;
        bad += res != (s < 2 ? AGR_READ_CLOSED : AGR_READ_EMPTY);
        agr_reader_fini(&r);
        close(fd);
    }
    OK(bad == 0 && wseq == 32, "the reader follows the chain of segments");
    agr_journal_close(&j);

    OK(agr_journal_open_dir(&j, dir, 0, AGR_SEGMENT_SIZE) == AGR_JOURNAL_UNAVAILABLE,
       "a backlog at its limit gives no second segment");
    agr_journal_open_dir(&j, dir, 0, 0);
    agr_journal_set_ahead(&j, 4);
    OK(agr_journal_refill(&j) == AGR_JOURNAL_OK && j.next_n == 4, "four ahead when asked for");
    agr_journal_close(&j);
}

static void
test_fork(void)
{
    struct agr_journal j;
    struct agr_journal_pos pos;
    agr_journal_open_dir(&j, dir, 0, 0);
    struct agr_record rec = record("{}");
    agr_journal_append(&j, &rec, &pos);
    pid_t pid = fork();
    if (pid == 0) {
        uint64_t g;
        int ok = agr_journal_append(&j, &rec, &pos) == AGR_JOURNAL_UNAVAILABLE &&
                 !agr_journal_has_room(&j, 2, 0, 0) && !agr_journal_is_synced(&j, pos, &g) &&
                 agr_journal_refill(&j) == AGR_JOURNAL_UNAVAILABLE;
        agr_journal_close(&j);
        _exit(ok ? 0 : 1);
    }
    int st = 1;
    waitpid(pid, &st, 0);
    OK(st == 0, "a forked copy refuses everything and does not crash");
    OK(agr_journal_append(&j, &rec, &pos) == AGR_JOURNAL_OK && pos.wseq == 2, "the parent goes on");
    agr_journal_close(&j);
}

static void
test_foreign(void)
{
    struct agr_journal j;
    char path[128];
    snprintf(path, sizeof(path), "%s/foreign", dir);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    OK(agr_journal_attach(&j, fd, -1, -1) == AGR_JOURNAL_INVALID, "an empty file is not a segment");
    OK(ftruncate(fd, AGR_SEGMENT_SIZE) == 0 && agr_journal_attach(&j, fd, -1, -1) == AGR_JOURNAL_INVALID,
       "nor are zeros");
    struct agr_segment h = {.boot = 5, .journal = 1};
    agr_segment_seal(&h);
    OK(pwrite(fd, &h, sizeof(h), 0) == (ssize_t)sizeof(h) &&
           agr_journal_attach(&j, fd, -1, -1) == AGR_JOURNAL_OK,
       "with a sealed header it is");
    struct agr_journal twice;
    OK(agr_journal_attach(&twice, fd, -1, -1) == AGR_JOURNAL_INVALID,
       "one that another writer entered is refused");
    agr_journal_close(&j);
    h.segment = 9;
    OK(!agr_segment_is_valid(&h), "a changed header fails its CRC");
    struct agr_journal_reader r;
    struct agr_journal_item it;
    agr_reader_init(&r, fd, 1);
    OK(ftruncate(fd, 5000) == 0 && agr_journal_read(&r, &it) == AGR_READ_EMPTY,
       "a shrunk file does not fault the reader");
    OK(ftruncate(fd, 100) == 0 && agr_journal_read(&r, &it) == AGR_READ_CORRUPT,
       "one shrunk to nothing is corrupt");
    agr_reader_fini(&r);
    close(fd);
}

int
main(void)
{
    char rm[96];
    snprintf(dir, sizeof(dir), "%s/agj-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    if (!mkdtemp(dir))
        return 1;
    test_ids();
    test_append_read();
    test_limits();
    test_segments();
    test_fork();
    test_foreign();
    snprintf(rm, sizeof(rm), "rm -rf '%s'", dir);
    OK(system(rm) == 0, "cleans up");
    return t_done();
}
