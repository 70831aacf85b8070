// SPDX-License-Identifier: Apache-2.0
// libaegis when memory ends: each allocation of opening a policy, a host and a context and of the first
// decisions fails in turn; every call answers with a status and nothing stays behind. Then the promise of the
// decision path: after the first decision of a policy not one allocation. In: an image of every.yaml. Out:
// TAP. Next file to read: nomem.h, embed.h.
#include "embed.h"
#include "nomem.h"
#include "t.h"

#include <dirent.h>
#include <stdbool.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_LSAN 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define HAS_LSAN 1
#endif
#ifdef HAS_LSAN
#include <sanitizer/lsan_interface.h>
#endif

#define DECISIONS 10000u

static char root[64], dir[80];

struct held {
    unsigned files, mappings; // bytes are the leak checker's affair, in the sanitized build
};

static struct held
held_now(void)
{
    struct held h = {0};
    DIR *d = opendir("/proc/self/fd");
    while (d && readdir(d))
        h.files++;
    if (d)
        closedir(d);
    FILE *f = fopen("/proc/self/maps", "r");
    for (int c; f && (c = getc(f)) != EOF;)
        h.mappings += c == '\n';
    if (f)
        fclose(f);
    return h;
}

static void
clean(void)
{
    char command[160];
    snprintf(command, sizeof command, "rm -rf '%s' '%s/keys'", dir, root);
    if (system(command) != 0)
        abort();
}

// What an embedder does in a run; the first status that is not AEGIS_OK, and whether each call kept its word.
static enum aegis_status
session(const char *image, const char *where, bool *ret_ok)
{
    struct embed e;
    struct aegis_decision d;
    enum aegis_status s = embed_open(&e, image, where);
    *ret_ok = s == AEGIS_OK || s == AEGIS_NO_MEMORY || s == AEGIS_IO || s == AEGIS_AUDIT;
    for (size_t i = 0; s == AEGIS_OK && i < EMBED_INPUTS; i++) {
        if (embed_decide(&e, &embed_inputs[i], &d))
            continue;
        // A decision that could not be made is refused or unavailable, never allowed.
        s = AEGIS_NO_MEMORY;
        *ret_ok = *ret_ok && nomem_has_failed() && !d.is_allowed;
    }
    if (s == AEGIS_OK && where)
        s = aegis_ctx_refill(e.ctx);
    embed_close(&e);
    return s;
}

static void
test_each(const char *image, const char *where, const char *name)
{
    unsigned long at = 0, survived = 0;
    bool ok = true, is_past = false;
    nomem_fail_at(0, false);
    OK(session(image, where, &ok) == AEGIS_OK && ok, "%s: works when nothing fails", name);
    unsigned long all = nomem_count();
    while (ok && !is_past) {
        clean();
        struct held before = held_now();
        nomem_fail_at(++at, false);
        enum aegis_status s = session(image, where, &ok);
        is_past = !nomem_has_failed();
        nomem_fail_at(0, false);
        struct held after = held_now();
        survived += s == AEGIS_OK && !is_past;
        if (is_past)
            ok = ok && s == AEGIS_OK;
        // The second session works again: what failed is repaired or was never begun.
        bool again = true;
        ok = ok && session(image, where, &again) == AEGIS_OK && again;
        if (before.files != after.files || before.mappings != after.mappings) {
            printf("# left behind: %d files, %d mappings\n", (int)(after.files - before.files),
                   (int)(after.mappings - before.mappings));
            ok = false;
        }
#ifdef HAS_LSAN
        ok = ok && __lsan_do_recoverable_leak_check() == 0;
#endif
        if (!ok)
            printf("# allocation %lu: status %d\n", at, (int)s);
    }
    OK(ok && at == all + 1,
       "%s: each of %lu allocations fails into a status, nothing stays behind (%lu could be done without)",
       name, all, survived);
    clean();
}

static void
test_none(const char *image, const char *where, const char *name)
{
    struct embed e;
    struct aegis_decision d;
    unsigned wrong = 0, outcomes = 0;
    nomem_fail_at(0, false);
    if (!OK(embed_open(&e, image, where) == AEGIS_OK && embed_decide(&e, &embed_inputs[0], &d), "%s: opens",
            name)) {
        printf("# %s\n", e.err.text);
        return;
    }
    nomem_fail_at(1, true);
    for (unsigned i = 0; i < DECISIONS; i++) {
        const struct embed_input *in = &embed_inputs[i % EMBED_INPUTS];
        wrong += !embed_decide(&e, in, &d);
        if (in->status == AEGIS_OK) {
            wrong += d.outcome == AEGIS_UNAVAILABLE;
            outcomes |= 1u << d.outcome;
        }
        if (i % EMBED_INPUTS == 0) {
            aegis_input_begin(e.ctx);
            aegis_input_object(e.ctx);
            aegis_input_key(e.ctx, "type", 4);
            aegis_input_string(e.ctx, "deploy", 6);
            aegis_input_end(e.ctx);
            wrong += aegis_ctx_decide(e.ctx, e.slot, "decide", &d, &e.err) != AEGIS_OK;
        }
    }
    unsigned long n = nomem_count();
    nomem_fail_at(0, false);
    OK(n == 0, "%s: %u decisions after the first make no allocation (%lu)", name, DECISIONS, n);
    OK(wrong == 0 && __builtin_popcount(outcomes) >= 4,
       "%s: with every allocation failing all are decided (%u not; outcomes %x)", name, wrong, outcomes);
    embed_close(&e);
    clean();
}

int
main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("# every allocation of libaegis\n");
    snprintf(root, sizeof root, "%s/agl-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    if (!mkdtemp(root))
        return 1;
    snprintf(dir, sizeof dir, "%s/log", root);
    test_each(argv[1], NULL, "simulated host");
    test_each(argv[1], dir, "host with a journal");
    test_none(argv[1], NULL, "simulated host");
    test_none(argv[1], dir, "host with a journal");
    OK(rmdir(root) == 0, "nothing is left in the file system");
    return t_done();
}
