// SPDX-License-Identifier: Apache-2.0
// Built-ins graph.*: what can be reached in a graph given as an object from nodes to arrays or sets of
// neighbours. In: graph and initial nodes. Out: a set of nodes, or of paths. A node that is no key of the
// graph has no edges known and is no part of the result. Memory: scratch and result in the call's arena. No
// recursion: a path is a stack of frames in the arena. Next file to read: ../value.h.
#include "builtin_fns.h"

#define NO_NODE UINT32_MAX

struct frame {
    uint32_t node, at;     // index of the key; next neighbour to look at
    bool is_first, is_put; // starts the path; the path that ends here is in the result
};

struct walk {
    struct ag_call *c;
    struct ag_value graph;
    uint32_t *on_path; // how often each node is on the path
    struct frame *path;
    uint32_t n;
    struct ag_builder *out;
};

// Index of the key that equals v; charges for the search.
static uint32_t
node_of(struct ag_call *c, struct ag_value graph, struct ag_value v)
{
    uint32_t lo = 0, hi = graph.len;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (!ag_charge(c, 2))
            return NO_NODE;
        int d = ag_value_cmp(&c->mem, v, ag_object_key(&c->mem, graph, mid));
        if (d == 0)
            return mid;
        if (d > 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NO_NODE;
}

// Number of neighbours of a node; anything but an array or set has none.
static uint32_t
n_edges(struct ag_call *c, struct ag_value graph, uint32_t node)
{
    struct ag_value e = ag_value_at(&c->mem, graph, node);
    return e.kind == AG_ARRAY || e.kind == AG_SET ? e.len : 0;
}

static bool
check_initial(struct ag_call *c, struct ag_value v, struct ag_value *ret_error)
{
    if (v.kind == AG_ARRAY || v.kind == AG_SET)
        return true;
    *ret_error = ag_error_operand(c, 2, "{array, set}", v);
    return false;
}

struct ag_value
ag_bi_graph_reachable(struct ag_call *c, const struct ag_value *a)
{
    struct ag_value error, graph = a[0];
    if (!check_initial(c, a[1], &error) || !ag_charge(c, (uint64_t)graph.len + a[1].len))
        return c->stop == AG_EVAL_OK ? error : ag_undef();
    bool *reached = ag_call_alloc(c, graph.len + 1u, 1);
    uint32_t *queue = ag_call_alloc(c, (graph.len + 1u) * sizeof *queue, 4), n = 0;
    if (!reached || !queue)
        return ag_undef();
    memset(reached, 0, graph.len);
    // The initial nodes are the edges of one more node before the first.
    for (uint32_t k = 0; k <= n && c->stop == AG_EVAL_OK; k++) {
        struct ag_value edges = k ? ag_value_at(&c->mem, graph, queue[k - 1]) : a[1];
        uint32_t degree = edges.kind == AG_ARRAY || edges.kind == AG_SET ? edges.len : 0;
        for (uint32_t i = 0; i < degree && c->stop == AG_EVAL_OK; i++) {
            uint32_t node = node_of(c, graph, ag_value_at(&c->mem, edges, i));
            if (node != NO_NODE && !reached[node]) {
                reached[node] = true;
                queue[n++] = node;
            }
        }
    }
    struct ag_builder *b = c->stop == AG_EVAL_OK ? ag_builder_new(&c->mem, AG_SET) : NULL;
    bool ok = b != NULL;
    for (uint32_t i = 0; ok && i < n; i++)
        ok = ag_builder_push(&c->mem, b, ag_object_key(&c->mem, graph, queue[i]));
    return ag_bi_close(c, b, ok);
}

// --- graph.reachable_paths
// ----------------------------------------------------------------------------------

// Adds the path of the stack, and behind it the node `last` unless it is NO_NODE.
static bool
put_path(struct walk *w, uint32_t last)
{
    struct ag_mem *m = &w->c->mem;
    struct ag_builder *b = ag_charge(w->c, 4 + w->n) ? ag_builder_new(m, AG_ARRAY) : NULL;
    bool ok = b != NULL;
    for (uint32_t i = 0; ok && i < w->n; i++)
        ok = ag_builder_push(m, b, ag_object_key(m, w->graph, w->path[i].node));
    if (ok && last != NO_NODE)
        ok = ag_builder_push(m, b, ag_object_key(m, w->graph, last));
    struct ag_value v = ag_bi_close(w->c, b, ok);
    return v.kind == AG_ARRAY && ag_builder_push(m, w->out, v);
}

static void
enter(struct walk *w, uint32_t node)
{
    w->path[w->n] = (struct frame){.node = node, .is_first = w->n == 0};
    w->n++;
    w->on_path[node]++;
}

// Looks at the next neighbour of the last node of the path. False: the evaluation ends.
static bool
step(struct walk *w)
{
    struct frame *f = &w->path[w->n - 1];
    if (f->at == n_edges(w->c, w->graph, f->node)) {
        w->on_path[f->node]--;
        w->n--;
        return true;
    }
    struct ag_value edges = ag_value_at(&w->c->mem, w->graph, f->node);
    uint32_t next = node_of(w->c, w->graph, ag_value_at(&w->c->mem, edges, f->at++));
    if (w->c->stop != AG_EVAL_OK || !ag_charge(w->c, 2))
        return false;
    // A node that is not in the graph, or on the path already, ends it; from the first node all are followed.
    if (next == NO_NODE || (w->on_path[next] && !f->is_first)) {
        bool is_new = !f->is_put;
        f->is_put = true;
        return !is_new || put_path(w, NO_NODE);
    }
    if (n_edges(w->c, w->graph, next) == 0)
        return put_path(w, next);
    enter(w, next);
    return true;
}

struct ag_value
ag_bi_graph_reachable_paths(struct ag_call *c, const struct ag_value *a)
{
    struct ag_value error, initial = a[1];
    struct walk w = {.c = c, .graph = a[0]};
    size_t nodes = (size_t)a[0].len + 2; // the first node may be on the path twice
    if (!check_initial(c, initial, &error) || !ag_charge(c, nodes + initial.len))
        return c->stop == AG_EVAL_OK ? error : ag_undef();
    w.on_path = ag_call_alloc(c, nodes * sizeof *w.on_path, 4);
    w.path = ag_call_alloc(c, nodes * sizeof *w.path, 4);
    w.out = ag_builder_new(&c->mem, AG_SET);
    if (!w.on_path || !w.path || !w.out)
        return ag_stop(c, AG_EVAL_ARENA);
    memset(w.on_path, 0, nodes * sizeof *w.on_path);
    bool ok = true;
    for (uint32_t i = 0; ok && i < initial.len; i++) {
        uint32_t node = node_of(c, a[0], ag_value_at(&c->mem, initial, i));
        if (node == NO_NODE)
            continue;
        if (n_edges(c, a[0], node) == 0)
            ok = put_path(&w, node);
        else
            enter(&w, node);
        while (ok && w.n)
            ok = step(&w);
    }
    return ag_bi_close(c, w.out, ok && c->stop == AG_EVAL_OK);
}
