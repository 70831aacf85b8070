// SPDX-License-Identifier: Apache-2.0
// IP addresses and networks as the built-ins net.cidr_* share them. Thread rule: pure functions.
#ifndef AG_CIDR_H
#define AG_CIDR_H

#include "buf.h"
#include "machine.h"

#define AG_IP_TEXT_MAX 45u // bytes of an address: ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255

struct ag_ip {
    uint8_t b[16]; // network order; IPv4 is ::ffff:a.b.c.d
};

struct ag_cidr {
    struct ag_ip ip;
    unsigned prefix; // of 128 bits; IPv4 networks have 96 and more
};

bool ag_ip_is_v4(const struct ag_ip *ip);
// An address without zone; IPv4 bytes without leading zeros.
bool ag_ip_parse(struct ag_str s, struct ag_ip *ret);
// ADDRESS/BITS; the address comes back with its host bits cleared.
bool ag_cidr_parse(struct ag_str s, struct ag_cidr *ret);
struct ag_ip ag_ip_mask(const struct ag_ip *ip, unsigned prefix);
// The last address of the network that the address lies in.
struct ag_ip ag_cidr_last(const struct ag_cidr *n);
// The address in its canonical form (RFC 5952), at most AG_IP_TEXT_MAX bytes.
void ag_ip_put(struct ag_buf *out, const struct ag_ip *ip);
struct ag_value ag_cidr_error(struct ag_call *c, struct ag_str s);

#endif
