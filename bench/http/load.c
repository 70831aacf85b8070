// SPDX-License-Identifier: Apache-2.0
// HTTP load driver for servers on this machine: closed loop (most it can do) or fixed rate (latency a caller
// sees). In: options, bodies. Out: a text report, JSON with --json. Exit 0, 1 when an answer was wrong or
// missing, 2 usage. main owns the requests; the engine is client.c. Next file: client.h.
#include "client.h"

#include <getopt.h>
#include <sched.h>

#define BODIES_MAX  4096
#define BODY_MAX    (4u << 20)
#define HEADERS_MAX 4096

static const char usage[] =
    "usage: load --to ADDR [options]\n"
    "  --to ADDR          127.0.0.1:PORT, [::1]:PORT or unix:PATH; only this machine\n"
    "  --path PATH        request path (default /)\n"
    "  --method M         default GET, POST with a body\n"
    "  --body FILE        body; may be repeated, bodies are sent in turn\n"
    "  --lines FILE       one body per line\n"
    "  --header 'K: V'    further header; may be repeated\n"
    "  --connections N    1 to 4096 (default 1)\n"
    "  --rate R           requests per second at fixed times; 0 = as fast as answers come (default)\n"
    "  --seconds S        measured time, 0.1 to 3600 (default 5)\n"
    "  --warmup S         sent before and not counted (default 0.5)\n"
    "  --cpu N            run on this CPU\n"
    "  --expect-status N  count other statuses as errors\n"
    "  --expect TEXT      count answers without TEXT in the body as errors\n"
    "  --json FILE        write the figures as JSON ('-': standard output instead of the text)\n"
    "  --draw             draw the latency histogram\n";

struct options {
    const char *to, *path, *method, *json;
    char headers[HEADERS_MAX];
    struct load_request body[BODIES_MAX]; // owned
    size_t nbodies;
    struct load_plan plan;
    int cpu;
    bool draw;
};

static bool
add_body(struct options *o, const char *p, size_t n)
{
    if (o->nbodies == BODIES_MAX) {
        fprintf(stderr, "more than %d bodies\n", BODIES_MAX);
        return false;
    }
    char *copy = malloc(n + 1);
    if (copy == NULL)
        return false;
    memcpy(copy, p, n);
    o->body[o->nbodies++] = (struct load_request){copy, n};
    return true;
}

// Adds a file as one body or as one body per line.
static bool
add_file(struct options *o, const char *path, bool by_line)
{
    bool ok = false;
    char *text = malloc(BODY_MAX + 1);
    FILE *f = fopen(path, "rb");
    if (f == NULL || text == NULL) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        goto out;
    }
    size_t n = fread(text, 1, BODY_MAX + 1, f);
    if (n > BODY_MAX || ferror(f)) {
        fprintf(stderr, "%s: larger than %u bytes, or not readable\n", path, BODY_MAX);
        goto out;
    }
    ok = true;
    if (!by_line) {
        ok = add_body(o, text, n);
        goto out;
    }
    for (char *p = text, *end = text + n; ok && p < end;) {
        char *stop = memchr(p, '\n', (size_t)(end - p));
        if (stop == NULL)
            stop = end;
        if (stop > p)
            ok = add_body(o, p, (size_t)(stop - p));
        p = stop + 1;
    }
out:
    if (f != NULL)
        fclose(f);
    free(text);
    return ok;
}

static bool
add_header(struct options *o, const char *line)
{
    size_t have = strlen(o->headers);
    if (strchr(line, ':') == NULL || strpbrk(line, "\r\n") != NULL) {
        fprintf(stderr, "--header wants 'Name: value', not '%s'\n", line);
        return false;
    }
    int n = snprintf(o->headers + have, HEADERS_MAX - have, "%s\r\n", line);
    if (n < 0 || (size_t)n >= HEADERS_MAX - have) {
        fprintf(stderr, "headers longer than %d bytes\n", HEADERS_MAX);
        return false;
    }
    return true;
}

static bool
take_option(struct options *o, int c)
{
    double v = 0;
    bool ok = true;
    switch (c) {
    case 't': o->to = optarg; break;
    case 'p': o->path = optarg; break;
    case 'm': o->method = optarg; break;
    case 'b': ok = add_file(o, optarg, false); break;
    case 'l': ok = add_file(o, optarg, true); break;
    case 'H': ok = add_header(o, optarg); break;
    case 'c':
        ok = arg_number("--connections", optarg, 1, CONNECTIONS_MAX, &v), o->plan.connections = (unsigned)v;
        break;
    case 'r': ok = arg_number("--rate", optarg, 0, 1e7, &o->plan.rate); break;
    case 's': ok = arg_number("--seconds", optarg, 0.1, 3600, &o->plan.seconds); break;
    case 'w': ok = arg_number("--warmup", optarg, 0, 60, &o->plan.warmup); break;
    case 'u': ok = arg_number("--cpu", optarg, 0, CPU_SETSIZE - 1, &v), o->cpu = (int)v; break;
    case 'S':
        ok = arg_number("--expect-status", optarg, 100, 599, &v), o->plan.expect_status = (unsigned)v;
        break;
    case 'E': o->plan.expect_text = optarg; break;
    case 'j': o->json = optarg; break;
    case 'd': o->draw = true; break;
    case 'h': fputs(usage, stdout); exit(0);
    default: fputs(usage, stderr); return false;
    }
    return ok;
}

static bool
parse_options(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {{"to", 1, NULL, 't'},      {"path", 1, NULL, 'p'},
                                          {"method", 1, NULL, 'm'},  {"body", 1, NULL, 'b'},
                                          {"lines", 1, NULL, 'l'},   {"header", 1, NULL, 'H'},
                                          {"rate", 1, NULL, 'r'},    {"connections", 1, NULL, 'c'},
                                          {"seconds", 1, NULL, 's'}, {"warmup", 1, NULL, 'w'},
                                          {"cpu", 1, NULL, 'u'},     {"expect-status", 1, NULL, 'S'},
                                          {"expect", 1, NULL, 'E'},  {"json", 1, NULL, 'j'},
                                          {"draw", 0, NULL, 'd'},    {"help", 0, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    int c;
    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
        if (!take_option(o, c))
            return false;
    if (o->to == NULL || optind != argc) {
        fputs(usage, stderr);
        return false;
    }
    return addr_parse(o->to, &o->plan.to);
}

// Turns the bodies into whole requests, in place.
static bool
make_requests(struct options *o)
{
    if (o->nbodies == 0 && o->method == NULL)
        o->method = "GET";
    if (o->nbodies == 0 && !add_body(o, "", 0))
        return false;
    for (size_t i = 0; i < o->nbodies; i++) {
        struct load_request *r = &o->body[i];
        size_t cap = r->n + strlen(o->path) + strlen(o->headers) + 256;
        char *bytes = malloc(cap);
        if (bytes == NULL)
            return false;
        int head = snprintf(bytes, cap, "%s %s HTTP/1.1\r\nHost: localhost\r\n%s",
                            o->method ? o->method : "POST", o->path, o->headers);
        if (r->n > 0)
            head += snprintf(bytes + head, cap - (size_t)head,
                             "Content-Type: application/json\r\nContent-Length: %zu\r\n", r->n);
        head += snprintf(bytes + head, cap - (size_t)head, "\r\n");
        memcpy(bytes + head, r->bytes, r->n);
        free(r->bytes);
        *r = (struct load_request){bytes, (size_t)head + r->n};
    }
    o->plan.requests = o->body;
    o->plan.nrequests = o->nbodies;
    return true;
}

static const struct {
    const char *name;
    double q;
} quantiles[] = {{"p50", 0.5}, {"p90", 0.9}, {"p95", 0.95}, {"p99", 0.99}, {"p99.9", 0.999}};
#define NQUANTILES (sizeof quantiles / sizeof quantiles[0])

static void
print_text(const struct options *o, const struct load_result *r, FILE *out)
{
    fprintf(out, "%s%s, %u connections, %g s, ", o->to, o->path, o->plan.connections, r->seconds);
    if (o->plan.rate > 0)
        fprintf(out, "%g requests/s at fixed times\n", o->plan.rate);
    else
        fprintf(out, "closed loop\n");
    fprintf(out, "%.0f answers/s, %llu answers, %llu errors, %llu unanswered\n",
            (double)r->answers / r->seconds, (unsigned long long)r->answers, (unsigned long long)r->errors,
            (unsigned long long)r->unanswered);
    if (r->errors != 0)
        fprintf(out, "errors: %llu connecting, %llu broken, %llu framing, %llu status, %llu text\n",
                (unsigned long long)r->connecting, (unsigned long long)r->broken,
                (unsigned long long)r->framing, (unsigned long long)r->wrong_status,
                (unsigned long long)r->wrong_text);
    fprintf(out, "latency us:");
    for (size_t i = 0; i < NQUANTILES; i++)
        fprintf(out, " %s %.1f", quantiles[i].name, (double)hist_quantile(&r->latency, quantiles[i].q) / 1e3);
    fprintf(out, " max %.1f\n", (double)r->latency.max / 1e3);
    if (o->plan.rate > 0)
        fprintf(out, "written late us: p50 %.1f p99 %.1f max %.1f\n",
                (double)hist_quantile(&r->lag, 0.5) / 1e3, (double)hist_quantile(&r->lag, 0.99) / 1e3,
                (double)r->lag.max / 1e3);
    fprintf(out, "status:");
    for (unsigned i = 0; i < 600; i++)
        if (r->status[i] != 0)
            fprintf(out, " %u %llu", i, (unsigned long long)r->status[i]);
    fprintf(out, "\n");
    if (r->decision[0].n != 0)
        fprintf(out, "decisions:");
    for (unsigned i = 0; i < DECISION_MAX && r->decision[i].n != 0; i++)
        fprintf(out, " %s %llu", r->decision[i].name, (unsigned long long)r->decision[i].n);
    if (r->decision[0].n != 0)
        fprintf(out, "\n");
    if (o->draw)
        hist_draw(&r->latency, out);
}

static void
print_json(const struct options *o, const struct load_result *r, FILE *out)
{
    const char *comma = "";
    fprintf(out,
            "{\"connections\":%u,\"rate\":%g,\"seconds\":%g,\"answers\":%llu,\"rps\":%.1f,\"errors\":%llu,",
            o->plan.connections, o->plan.rate, r->seconds, (unsigned long long)r->answers,
            (double)r->answers / r->seconds, (unsigned long long)r->errors);
    fprintf(out, "\"unanswered\":%llu,\"latency_us\":{", (unsigned long long)r->unanswered);
    for (size_t i = 0; i < NQUANTILES; i++)
        fprintf(out, "\"%s\":%.2f,", quantiles[i].name,
                (double)hist_quantile(&r->latency, quantiles[i].q) / 1e3);
    fprintf(out, "\"max\":%.2f,\"mean\":%.2f},\"lag_us\":{\"p50\":%.2f,\"p99\":%.2f},\"status\":{",
            (double)r->latency.max / 1e3,
            r->answers ? (double)r->latency.sum / (double)r->answers / 1e3 : 0.0,
            (double)hist_quantile(&r->lag, 0.5) / 1e3, (double)hist_quantile(&r->lag, 0.99) / 1e3);
    for (unsigned i = 0; i < 600; i++) {
        if (r->status[i] == 0)
            continue;
        fprintf(out, "%s\"%u\":%llu", comma, i, (unsigned long long)r->status[i]);
        comma = ",";
    }
    fprintf(out, "},\"decisions\":{");
    comma = "";
    for (unsigned i = 0; i < DECISION_MAX && r->decision[i].n != 0; i++) {
        fprintf(out, "%s\"%s\":%llu", comma, r->decision[i].name, (unsigned long long)r->decision[i].n);
        comma = ",";
    }
    fprintf(out, "}}\n");
}

static bool
report(const struct options *o, const struct load_result *r)
{
    if (o->json == NULL || strcmp(o->json, "-") != 0)
        print_text(o, r, stdout);
    if (o->json == NULL)
        return true;
    FILE *f = strcmp(o->json, "-") == 0 ? stdout : fopen(o->json, "w");
    if (f == NULL) {
        fprintf(stderr, "%s: %s\n", o->json, strerror(errno));
        return false;
    }
    print_json(o, r, f);
    return f == stdout ? fflush(f) == 0 : fclose(f) == 0;
}

int
main(int argc, char **argv)
{
    static struct options o = {
        .path = "/", .cpu = -1, .plan = {.connections = 1, .seconds = 5, .warmup = 0.5}};
    static struct load_result r;
    int rc = 2;
    if (!parse_options(argc, argv, &o) || !make_requests(&o))
        goto out;
    if (o.cpu >= 0) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET((size_t)o.cpu, &set);
        if (sched_setaffinity(0, sizeof set, &set) == -1) {
            fprintf(stderr, "--cpu %d: %s\n", o.cpu, strerror(errno));
            goto out;
        }
    }
    rc = 1;
    if (load_run(&o.plan, &r) == -1 || !report(&o, &r))
        goto out;
    // At a fixed rate the last requests may be due just before the end; one per connection is not a loss.
    rc = r.errors != 0 || r.answers == 0 || r.unanswered > o.plan.connections;
out:
    for (size_t i = 0; i < o.nbodies; i++)
        free(o.body[i].bytes);
    return rc;
}
