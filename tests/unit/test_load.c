// SPDX-License-Identifier: Apache-2.0
// The measuring tools measure right: buckets and quantiles of the histogram, answers read from split and
// malformed bytes, addresses that are not of this machine refused.
#include "addr.h"
#include "answer.h"
#include "histogram.h"
#include "t.h"

static struct histogram h;

static int
near(uint64_t got, uint64_t want)
{
    double d = (double)got - (double)want;
    return (d < 0 ? -d : d) <= 0.01 * (double)want;
}

static void
test_histogram(void)
{
    OK(hist_quantile(&h, 0.5) == 0, "an empty histogram has quantile 0");
    for (uint64_t v = 1; v <= 100000; v++)
        hist_add(&h, v * 1000);
    OK(h.count == 100000 && h.max == 100000000, "count and maximum are exact");
    OK(near(hist_quantile(&h, 0.5), 50000000), "median within 1 %%");
    OK(near(hist_quantile(&h, 0.99), 99000000), "p99 within 1 %%");
    OK(hist_quantile(&h, 1) == 100000000, "the last quantile is the maximum");
    memset(&h, 0, sizeof h);
    for (uint64_t v = 0; v < 128; v++)
        hist_add(&h, v);
    OK(hist_quantile(&h, 0.5) == 63, "small values are exact: %llu",
       (unsigned long long)hist_quantile(&h, 0.5));
    memset(&h, 0, sizeof h);
    hist_add(&h, UINT64_MAX);
    OK(hist_quantile(&h, 0.5) == UINT64_MAX, "the largest value has a bucket");
    for (unsigned top = 7; top < 64; top++) {
        memset(&h, 0, sizeof h);
        hist_add(&h, UINT64_C(1) << top);
        hist_add(&h, UINT64_MAX);
        if (!near(hist_quantile(&h, 0.5), UINT64_C(1) << top)) {
            OK(0, "2^%u falls into its bucket", top);
            return;
        }
    }
    OK(1, "each power of two falls into its bucket");
}

static void
test_answer(void)
{
    static const char good[] =
        "HTTP/1.1 200 OK\r\nA: b\r\ncontent-length: 20\r\n\r\n{\"decision\":\"allow\"}HTTP";
    size_t whole = sizeof good - 1 - 4;
    struct answer a;
    int partial = 1;
    for (size_t n = 0; n < whole; n++)
        partial = partial && answer_parse(good, n, &a) == ANSWER_PARTIAL;
    OK(partial, "every cut of an answer is partial");
    OK(answer_parse(good, whole, &a) == ANSWER_COMPLETE && a.status == 200 && a.total == whole && !a.closes,
       "the whole answer is complete");
    OK(answer_parse(good, sizeof good - 1, &a) == ANSWER_COMPLETE && a.total == whole,
       "the start of the next answer is left alone");
    char name[8], tiny[4];
    OK(answer_decision(&a, name, sizeof name) && strcmp(name, "allow") == 0, "the decision is found");
    OK(answer_decision(&a, tiny, sizeof tiny) && strcmp(tiny, "all") == 0, "and cut to the caller's room");

    static const struct {
        const char *text, *why;
        enum answer_state want;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\n\r\n", "no length", ANSWER_BAD},
        {"HTTP/1.1 204 No Content\r\n\r\n", "204 needs none", ANSWER_COMPLETE},
        {"HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n", "status is a number", ANSWER_BAD},
        {"SPDY/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "another protocol", ANSWER_BAD},
        {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "negative length", ANSWER_BAD},
        {"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", "length past the bound",
         ANSWER_BAD},
        {"\r\n\r\n", "nothing before the end", ANSWER_BAD},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        OK(answer_parse(cases[i].text, strlen(cases[i].text), &a) == cases[i].want, "%s", cases[i].why);
    static const char closing[] = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    OK(answer_parse(closing, sizeof closing - 1, &a) == ANSWER_COMPLETE && a.closes,
       "Connection: close is seen");
}

static void
test_addr(void)
{
    static const char *const good[] = {"127.0.0.1:80", "127.1.2.3:65535", "[::1]:1", "localhost:8000",
                                       "unix:/a"};
    static const char *const bad[] = {"",           "127.0.0.1",       "10.0.0.1:80", "128.0.0.1:80",
                                      "0.0.0.0:80", "unix:",           "127.0.0.1:x", "[::]:80",
                                      ":80",        "127.0.0.1:65536", "[::1]:-1"};
    struct addr at;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        OK(addr_parse(good[i], &at), "%s is this machine", good[i]);
    if (freopen("/dev/null", "w", stderr) == NULL)
        OK(0, "messages can be silenced");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        OK(!addr_parse(bad[i], &at), "'%s' is refused", bad[i]);
    char path[sizeof((struct sockaddr_un *)NULL)->sun_path + 8] = "unix:";
    size_t room = sizeof((struct sockaddr_un *)NULL)->sun_path;
    memset(path + 5, 'a', room - 1);
    OK(addr_parse(path, &at), "the longest socket path fits");
    memset(path + 5, 'a', room);
    OK(!addr_parse(path, &at), "one byte more does not");
}

int
main(void)
{
    test_histogram();
    test_answer();
    test_addr();
    return t_done();
}
