// SPDX-License-Identifier: Apache-2.0
// json.filter, json.remove and json.patch: paths into documents. In: a document, paths or operations. Out: a
// changed document, which shares all that was not changed. Who owns memory: the call's arena. Recursion
// follows the document and is bounded by AG_NEST_MAX. Next file to read: enc.c.
#include "builtin_fns.h"

static struct ag_value
copied(struct ag_call *c, const char *p, size_t n)
{
    return ag_bi_copy(c, ag_str_of(p, n));
}

// A part of a path with ~1 as / and ~0 as ~, in that order.
static struct ag_value
unescaped(struct ag_call *c, const char *p, size_t n)
{
    if (n == 0 || !memchr(p, '~', n))
        return copied(c, p, n);
    char *out = ag_call_alloc(c, n, 1);
    size_t k = 0, m = 0;
    if (!out)
        return ag_undef();
    for (size_t i = 0; i < n; i++) {
        bool is_slash = p[i] == '~' && i + 1 < n && p[i + 1] == '1';
        out[k++] = is_slash ? '/' : p[i];
        i += is_slash;
    }
    for (size_t i = 0; i < k; i++) {
        bool is_tilde = out[i] == '~' && i + 1 < k && out[i + 1] == '0';
        out[m++] = out[i];
        i += is_tilde;
    }
    return ag_bi_text(out, m);
}

// A path as an array of keys; an error value for anything that is none.
static struct ag_value
read_path(struct ag_call *c, struct ag_value path)
{
    if (path.kind == AG_ARRAY)
        return path;
    if (path.kind != AG_STRING)
        return ag_error_operand(c, 2, "one of {set, array} containing string paths or array of path segments",
                                path);
    struct ag_str s = ag_value_str(path);
    struct ag_builder *b = ag_builder_new(&c->mem, AG_ARRAY);
    bool ok = b && ag_charge(c, 1 + s.n);
    size_t at = 0;
    while (at < s.n && s.p[at] == '/')
        at++;
    for (bool more = s.n > 0; ok && more;) {
        const char *slash = at < s.n ? memchr(s.p + at, '/', s.n - at) : NULL;
        size_t end = slash ? (size_t)(slash - s.p) : s.n;
        struct ag_value part = unescaped(c, s.p + at, end - at);
        ok = part.kind == AG_STRING && ag_builder_push(&c->mem, b, part);
        more = slash != NULL;
        at = end + 1;
    }
    return c->stop == AG_EVAL_OK ? ag_bi_close(c, b, ok) : ag_undef();
}

// --- filter and remove: the paths as a tree of objects whose leaves are null

// The paths [from, to) of a sorted list, which agree in their first `depth` keys, as a tree. A path that ends
// here covers the longer ones.
static struct ag_value
path_tree(struct ag_call *c, struct ag_value paths, uint32_t from, uint32_t to, uint32_t depth)
{
    const struct ag_mem *m = &c->mem;
    if (depth && ag_value_at(m, paths, from).len == depth)
        return ag_null();
    if (depth >= AG_NEST_MAX)
        return ag_error(c, AG_VERR_RANGE, "a path has more than %u segments", AG_NEST_MAX);
    struct ag_builder *b = ag_builder_new(m, AG_OBJECT);
    bool ok = b && ag_charge(c, to - from);
    for (uint32_t i = from, end; ok && i < to; i = end) {
        struct ag_value path = ag_value_at(m, paths, i);
        for (end = i + 1; end < to; end++)
            if (path.len == depth || !ag_value_eq(m, ag_value_at(m, path, depth),
                                                  ag_value_at(m, ag_value_at(m, paths, end), depth)))
                break;
        if (path.len == depth) // an empty path names nothing
            continue;
        struct ag_value sub = path_tree(c, paths, i, end, depth + 1);
        if (sub.kind <= AG_ERROR)
            return sub;
        ok = ag_builder_put(m, b, ag_value_at(m, path, depth), sub);
    }
    return c->stop == AG_EVAL_OK ? ag_bi_close(c, b, ok) : ag_undef();
}

// Operand 2 as such a tree.
static struct ag_value
tree_of(struct ag_call *c, struct ag_value list)
{
    struct ag_builder *b = ag_builder_new(&c->mem, AG_SET); // sorts them
    bool ok = b && ag_charge(c, list.len);
    for (uint32_t i = 0; ok && i < list.len; i++) {
        struct ag_value path = read_path(c, ag_value_at(&c->mem, list, i));
        if (path.kind <= AG_ERROR)
            return path;
        ok = ag_builder_push(&c->mem, b, path);
    }
    if (c->stop != AG_EVAL_OK)
        return ag_undef();
    struct ag_value paths = ag_bi_close(c, b, ok);
    return paths.kind == AG_SET ? path_tree(c, paths, 0, paths.len, 0) : paths;
}

// The subtree for element i of v, whose key or value is given; undefined when no path names it. Indexes are
// strings.
static struct ag_value
subtree(struct ag_call *c, struct ag_value v, uint32_t i, struct ag_value tree)
{
    char text[12];
    struct ag_buf b;
    if (v.kind == AG_OBJECT)
        return ag_value_get(&c->mem, tree, ag_object_key(&c->mem, v, i));
    if (v.kind == AG_SET)
        return ag_value_get(&c->mem, tree, ag_value_at(&c->mem, v, i));
    ag_buf_init(&b, text, sizeof text);
    ag_buf_u64(&b, i);
    return ag_object_get(&c->mem, tree, ag_str_of(text, b.n));
}

static struct ag_value
apply_tree(struct ag_call *c, struct ag_value v, struct ag_value tree, bool keep, unsigned depth)
{
    const struct ag_mem *m = &c->mem;
    if (v.kind < AG_ARRAY || tree.kind != AG_OBJECT)
        return v;
    if (depth >= AG_NEST_MAX)
        return ag_error(c, AG_VERR_RANGE, "the document is deeper than %u", AG_NEST_MAX);
    if (!ag_charge(c, 1 + (uint64_t)v.len))
        return ag_undef();
    struct ag_builder *b = ag_builder_new(m, (enum ag_kind)v.kind);
    bool ok = b;
    for (uint32_t i = 0; ok && i < v.len; i++) {
        struct ag_value e = ag_value_at(m, v, i), sub = subtree(c, v, i, tree);
        if (keep ? sub.kind == AG_UNDEF : sub.kind == AG_NULL)
            continue;
        if (sub.kind == AG_OBJECT)
            e = apply_tree(c, e, sub, keep, depth + 1);
        if (e.kind <= AG_ERROR)
            return e;
        ok = v.kind == AG_OBJECT ? ag_builder_put(m, b, ag_object_key(m, v, i), e) : ag_builder_push(m, b, e);
    }
    return ag_bi_close(c, b, ok);
}

static struct ag_value
by_paths(struct ag_call *c, const struct ag_value *a, bool keep)
{
    struct ag_value tree = tree_of(c, a[1]);
    return tree.kind == AG_OBJECT ? apply_tree(c, a[0], tree, keep, 0) : tree;
}

struct ag_value
ag_bi_json_filter(struct ag_call *c, const struct ag_value *a)
{
    return by_paths(c, a, true);
}

struct ag_value
ag_bi_json_remove(struct ag_call *c, const struct ag_value *a)
{
    return by_paths(c, a, false);
}

// --- patch

enum edit { EDIT_INSERT, EDIT_DELETE };

static struct ag_value
refuse(struct ag_call *c, const char *text)
{
    return ag_error(c, AG_VERR_BUILTIN, "%s", text);
}

#define SHOWN_MAX 160u // bytes of a value in an error

// The same with a value in words, cut off when it is long.
static struct ag_value
refuse_value(struct ag_call *c, const char *before, struct ag_value v, const char *after)
{
    char text[SHOWN_MAX];
    struct ag_buf b;
    ag_buf_init(&b, text, sizeof text);
    ag_bi_put_term(&c->mem, v, &b);
    return ag_error(c, AG_VERR_BUILTIN, "%s%.*s%s", before, (int)b.n, text, after);
}

// What is no object, array or set.
static struct ag_value
refuse_scalar(struct ag_call *c, const char *before, struct ag_value v)
{
    static const char *const after[] = {" (type: ast.Null)", " (type: ast.Boolean)", " (type: ast.Number)",
                                        " (type: ast.String)"};
    return refuse_value(c, before, v,
                        v.kind >= AG_NULL && v.kind <= AG_STRING ? after[v.kind - AG_NULL] : "");
}

// No element of v at `key`.
static struct ag_value
refuse_path(struct ag_call *c, struct ag_value v, struct ag_value key)
{
    char text[SHOWN_MAX], name[SHOWN_MAX];
    struct ag_buf b, k;
    const char *kind = ag_bi_kind(v);
    ag_buf_init(&b, text, sizeof text);
    ag_bi_put_term(&c->mem, v, &b);
    ag_buf_init(&k, name, sizeof name);
    ag_bi_put_term(&c->mem, key, &k);
    bool is_set = v.kind == AG_SET;
    return ag_error(c, AG_VERR_BUILTIN, "path %s%.*s%s does not exist in %s term %.*s", is_set ? "[" : "",
                    (int)k.n, name, is_set ? "]" : "", kind, (int)b.n, text);
}

// Position in an array of n elements; "-" is the one behind the last. False: *ret_error is the error.
static bool
array_index(struct ag_call *c, struct ag_value key, uint32_t n, int64_t *ret, struct ag_value *ret_error)
{
    *ret_error = ag_undef();
    if (key.kind == AG_STRING && key.len == 1 && key.p[0] == '-') {
        *ret = n;
        return true;
    }
    if (key.kind == AG_NUMBER) {
        if (ag_number_int(key, ret))
            return true;
        *ret_error = refuse(c, "invalid number type for indexing");
        return false;
    }
    bool digits = key.kind == AG_STRING && key.len > 0 && key.len <= 18;
    *ret = 0;
    for (uint32_t i = key.len > 1 && key.p[0] == '-'; digits && i < key.len; i++) {
        digits = key.p[i] >= '0' && key.p[i] <= '9';
        *ret = *ret * 10 + (key.p[i] - '0');
    }
    if (!digits)
        *ret_error =
            refuse(c, key.kind == AG_STRING ? "invalid string for indexing" : "invalid type for indexing");
    else if (key.len > 1 && key.p[0] == '0')
        *ret_error = refuse(c, "leading zeros are not allowed in JSON paths");
    else if (key.p[0] == '-')
        *ret = -1;
    return ret_error->kind == AG_UNDEF;
}

static struct ag_value
edit_array(struct ag_call *c, struct ag_value v, struct ag_value key, enum edit op, struct ag_value with,
           bool replace)
{
    struct ag_value error;
    int64_t at;
    if (!array_index(c, key, v.len, &at, &error))
        return error;
    bool grows = op == EDIT_INSERT && !replace;
    if (at < 0 || at > (int64_t)v.len - !grows)
        return refuse(c, grows ? "index for array insertion out of bounds"
                               : "index for array delete out of bounds");
    struct ag_builder *b = ag_builder_new(&c->mem, AG_ARRAY);
    bool ok = b;
    for (uint32_t i = 0; ok && i < v.len + grows; i++) {
        if (i == at && op == EDIT_DELETE)
            continue;
        struct ag_value e = i == at ? with : ag_value_at(&c->mem, v, i - (grows && i > at));
        ok = ag_builder_push(&c->mem, b, e);
    }
    return ag_bi_close(c, b, ok);
}

// The object or set without `key`, and with `with` in its place.
static struct ag_value
edit_keys(struct ag_call *c, struct ag_value v, struct ag_value key, enum edit op, struct ag_value with)
{
    const struct ag_mem *m = &c->mem;
    bool is_object = v.kind == AG_OBJECT;
    struct ag_builder *b = ag_builder_new(m, (enum ag_kind)v.kind);
    bool ok = b;
    for (uint32_t i = 0; ok && i < v.len; i++) {
        struct ag_value k = is_object ? ag_object_key(m, v, i) : ag_value_at(m, v, i);
        if (!ag_value_eq(m, k, key))
            ok = is_object ? ag_builder_put(m, b, k, ag_value_at(m, v, i)) : ag_builder_push(m, b, k);
    }
    if (ok && op == EDIT_INSERT)
        ok = is_object ? ag_builder_put(m, b, key, with) : ag_builder_push(m, b, with);
    return ag_bi_close(c, b, ok);
}

// The element at `key`, or an error.
static struct ag_value
child(struct ag_call *c, struct ag_value v, struct ag_value key)
{
    struct ag_value e = ag_undef();
    int64_t at;
    if (v.kind < AG_ARRAY)
        return refuse_scalar(c, "expected composite type, found value: ", v);
    if (v.kind == AG_ARRAY) {
        if (!array_index(c, key, v.len, &at, &e))
            return e;
        e = at >= 0 && at < (int64_t)v.len ? ag_value_at(&c->mem, v, (uint32_t)at) : e;
    } else {
        e = ag_value_get(&c->mem, v, key);
    }
    return e.kind != AG_UNDEF ? e : refuse_path(c, v, key);
}

// v with the last key of the path from `i` on inserted or deleted.
static struct ag_value
edit_at(struct ag_call *c, struct ag_value v, struct ag_value path, uint32_t i, enum edit op,
        struct ag_value with)
{
    struct ag_value key = ag_value_at(&c->mem, path, i);
    if (i >= AG_NEST_MAX)
        return refuse(c, "the path is too long");
    if (v.kind < AG_ARRAY)
        return refuse_scalar(c, "expected composite type, found value: ", v);
    if (!ag_charge(c, 1 + (uint64_t)v.len))
        return ag_undef();
    if (i + 1 < path.len) {
        struct ag_value below = child(c, v, key);
        if (below.kind != AG_ERROR)
            below = edit_at(c, below, path, i + 1, op, with);
        if (below.kind <= AG_ERROR)
            return below;
        return v.kind == AG_ARRAY ? edit_array(c, v, key, EDIT_INSERT, below, true)
                                  : edit_keys(c, v, key, EDIT_INSERT, below);
    }
    if (v.kind == AG_ARRAY)
        return edit_array(c, v, key, op, with, false);
    if (op == EDIT_DELETE && ag_value_get(&c->mem, v, key).kind == AG_UNDEF)
        return refuse_value(c, "cannot delete child key ", key, " that does not exist");
    if (op == EDIT_INSERT && v.kind == AG_SET && !ag_value_eq(&c->mem, key, with))
        return refuse_value(c, "set key does not equal value to be inserted ", with, "");
    return edit_keys(c, v, key, op, with);
}

// The document of a patch: undefined once its root is deleted.
static struct ag_value
edit_document(struct ag_call *c, struct ag_value doc, struct ag_value path, enum edit op,
              struct ag_value with)
{
    if (path.len == 0 && op == EDIT_INSERT)
        return with;
    if (doc.kind == AG_UNDEF)
        return refuse(c, op == EDIT_DELETE && path.len < 2
                             ? "deleted node encountered during delete operation"
                         : path.len == 1 ? "deleted node encountered during insert operation"
                                         : "nil value encountered where composite value was expected");
    return path.len == 0 ? ag_undef() : edit_at(c, doc, path, 0, op, with);
}

static struct ag_value
find_at(struct ag_call *c, struct ag_value doc, struct ag_value path)
{
    if (!ag_charge(c, path.len))
        return ag_undef();
    if (doc.kind == AG_UNDEF && path.len)
        return refuse(c, "nil value encountered where composite value was expected");
    for (uint32_t i = 0; i < path.len && doc.kind != AG_ERROR; i++)
        doc = child(c, doc, ag_value_at(&c->mem, path, i));
    return doc;
}

static struct ag_value
attribute(struct ag_call *c, struct ag_value op, const char *name)
{
    struct ag_value v = ag_object_get(&c->mem, op, ag_str_z(name));
    return v.kind == AG_UNDEF ? ag_error(c, AG_VERR_BUILTIN, "missing required attribute '%s'", name) : v;
}

static struct ag_value
patch_test(struct ag_call *c, struct ag_value doc, struct ag_value op, struct ag_value path)
{
    struct ag_value found = find_at(c, doc, path);
    if (found.kind <= AG_ERROR)
        return found.kind == AG_ERROR || c->stop != AG_EVAL_OK ? found
                                                               : refuse(c, "the document was deleted");
    struct ag_value value = attribute(c, op, "value");
    if (value.kind == AG_ERROR || ag_value_eq(&c->mem, found, value))
        return value.kind == AG_ERROR ? value : doc;
    return refuse_value(c, "value from EditTree != patch value.\n\nExpected: ", value, "");
}

static struct ag_value
patch_from(struct ag_call *c, struct ag_value doc, struct ag_value op, struct ag_value path, bool move)
{
    struct ag_value from = attribute(c, op, "from");
    if (from.kind != AG_ERROR)
        from = read_path(c, from);
    if (from.kind <= AG_ERROR)
        return from;
    struct ag_value value = find_at(c, doc, from);
    if (value.kind == AG_ERROR || c->stop != AG_EVAL_OK)
        return value;
    if (value.kind == AG_UNDEF)
        return refuse(c, "cannot insert nil value into EditTree");
    if (move)
        doc = edit_document(c, doc, from, EDIT_DELETE, ag_undef());
    return doc.kind == AG_ERROR || c->stop != AG_EVAL_OK ? doc
                                                         : edit_document(c, doc, path, EDIT_INSERT, value);
}

// One operation. The result is the document, undefined when there is none any more, or an error.
static struct ag_value
patch_one(struct ag_call *c, struct ag_value doc, struct ag_value op)
{
    if (op.kind != AG_OBJECT)
        return refuse(c, "must be an array of JSON-Patch objects, but at least one element is not an object");
    struct ag_value path = attribute(c, op, "path"), name = attribute(c, op, "op");
    if (path.kind == AG_ERROR || name.kind == AG_ERROR)
        return path.kind == AG_ERROR ? path : name;
    if (name.kind != AG_STRING)
        return ag_error(c, AG_VERR_BUILTIN, "attribute 'op' must be a string but found: %s",
                        ag_bi_kind(name));
    path = read_path(c, path);
    if (path.kind <= AG_ERROR)
        return path;
    struct ag_str word = ag_value_str(name);
    bool replace = ag_str_is(word, "replace");
    if (ag_str_is(word, "remove") || replace) {
        doc = edit_document(c, doc, path, EDIT_DELETE, ag_undef());
        if (doc.kind == AG_ERROR || c->stop != AG_EVAL_OK || !replace)
            return doc;
    }
    if (ag_str_is(word, "add") || replace) {
        struct ag_value value = attribute(c, op, "value");
        return value.kind == AG_ERROR ? value : edit_document(c, doc, path, EDIT_INSERT, value);
    }
    if (ag_str_is(word, "move") || ag_str_is(word, "copy"))
        return patch_from(c, doc, op, path, ag_str_is(word, "move"));
    if (ag_str_is(word, "test"))
        return patch_test(c, doc, op, path);
    return ag_error(c, AG_VERR_BUILTIN, "unrecognized op: '%.*s'", (int)word.n, word.p);
}

struct ag_value
ag_bi_json_patch(struct ag_call *c, const struct ag_value *a)
{
    struct ag_value doc = a[0];
    for (uint32_t i = 0; i < a[1].len; i++) {
        doc = patch_one(c, doc, ag_value_at(&c->mem, a[1], i));
        if (doc.kind == AG_ERROR || c->stop != AG_EVAL_OK)
            return doc;
    }
    return doc;
}
