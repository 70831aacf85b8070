// SPDX-License-Identifier: Apache-2.0
// Rough speed of yes/no pattern matching next to RE2 on the same subjects, one thread.
// In: nothing. Out: one line per pattern: nanoseconds per match (the best of 5 runs), ours and RE2's; the
// answers are compared. Next: tests/unit/test_pattern_re2.cc for meaning.
#include <re2/re2.h>

#include <chrono>
#include <cstdio>
#include <string>

extern "C" {
#include "../tests/unit/pattern_shim.h"
}

static std::string
repeated(const char *what, size_t n)
{
    std::string s;
    while (s.size() < n)
        s += what;
    return s;
}

template <class F>
static double
best_ns(F f, size_t bytes)
{
    int rounds = static_cast<int>(4000000 / (bytes + 40));
    double best = 1e18;
    for (int run = 0; run < 5; run++) {
        auto from = std::chrono::steady_clock::now();
        for (int i = 0; i < rounds; i++)
            f();
        std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - from;
        best = took.count() / rounds < best ? took.count() / rounds : best;
    }
    return best;
}

int
main()
{
    const std::string text =
        repeated("The quick brown fox jumps over 13 lazy dogs, then selects nothing. ", 1024);
    const struct {
        const char *pattern;
        std::string subject;
    } rows[] = {
        {"^prod-[a-z0-9]+$", "prod-database7"},
        {"^(GET|POST) /api/v[0-9]+/users/[0-9]+$", "GET /api/v2/users/12345"},
        {"(?i)drop\\s+table", "please DROP   TABLE users"},
        {"^[a-z0-9._%+-]+@[a-z0-9.-]+\\.[a-z]{2,}$", "someone.else@mail.example.com"},
        {"rm -rf", "sudo sh -c 'rm -rf /'"},
        {"\\b(?:\\d{1,3}\\.){3}\\d{1,3}\\b", "connect to 192.168.17.204 now"},
        {"^\\pL+$", "\xc3\x9c"
                    "nicodeW\xc3\xb6rter"},
        {"needle", text},
        {"(?i)(select|insert|update|delete)\\s.*\\sfrom", text},
        {"[0-9]{3}-[0-9]{4}", text},
        {"(x+x+)+y", repeated("x", 1024)},
    };
    for (const auto &row : rows) {
        RE2 re(row.pattern, RE2::Quiet);
        char err[120];
        const char *s = row.subject.data();
        size_t n = row.subject.size();
        if (shim_compile(row.pattern, std::char_traits<char>::length(row.pattern), 0, err) != 1)
            return 1;
        volatile int ours = 0, theirs = 0;
        double a = best_ns([&] { ours = shim_match(s, n); }, n);
        double b = best_ns([&] { theirs = RE2::PartialMatch(re2::StringPiece(s, n), re); }, n);
        printf("%6zu bytes  %9.1f ns  RE2 %9.1f ns  %s%s\n", n, a, b, row.pattern,
               ours == theirs ? "" : "  DIFFERS");
    }
    return 0;
}
