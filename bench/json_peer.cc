// SPDX-License-Identifier: Apache-2.0
// simdjson's DOM parse as a reference: bytes already padded, parser and its memory used again, as its manual
// asks. In: text. Out: parses that succeeded. json_peer owns its copy. Next file: json.c.
#include "json_peer.h"

#include <new>
#include <simdjson.h>

struct json_peer {
    simdjson::padded_string text;
    simdjson::dom::parser parser;
};

json_peer *
json_peer_new(const char *p, size_t n)
{
    json_peer *peer = new (std::nothrow) json_peer;
    if (peer != nullptr)
        peer->text = simdjson::padded_string(p, n);
    return peer;
}

void
json_peer_free(json_peer *peer)
{
    delete peer;
}

uint64_t
json_peer_parse(json_peer *peer, uint64_t n)
{
    uint64_t good = 0;
    for (uint64_t i = 0; i < n; i++) {
        simdjson::dom::element root;
        good += peer->parser.parse(peer->text).get(root) == simdjson::SUCCESS;
    }
    return good;
}
