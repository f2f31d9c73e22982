// SPDX-License-Identifier: BSD-2-Clause
/*
 * Writing the six probes: the build and patch slots of the rows in method.c. Owns the payload's
 * layout and the checksum arithmetic; the table in method.h says where each part of a token lies.
 */
#ifndef PROBER_METHOD_ENCODE_H
#define PROBER_METHOD_ENCODE_H

#include <stdint.h>

#include "core/err.h"
#include "prober/method/method.h"

/* The token of a packet that was built and not yet patched. */
#define ENCODE_FIRST_TOKEN 0x00010001u

int encode_icmp(const struct flow *f, struct probe_packet *out, struct bp_error *err);
int encode_udp(const struct flow *f, struct probe_packet *out, struct bp_error *err);
int encode_tcp(const struct flow *f, struct probe_packet *out, struct bp_error *err);

/* ICMP and UDP keep the low half of the token at the same place: one function patches both. */
void encode_patch_datagram4(struct probe_packet *p, uint8_t ttl, uint32_t token);
void encode_patch_datagram6(struct probe_packet *p, uint8_t ttl, uint32_t token);
void encode_patch_tcp4(struct probe_packet *p, uint8_t ttl, uint32_t token);
void encode_patch_tcp6(struct probe_packet *p, uint8_t ttl, uint32_t token);

#endif
