// SPDX-License-Identifier: BSD-2-Clause
/*
 * The extension structure behind the quote of an ICMP error (RFC 4884): where it begins, whether it
 * is one, and what its objects say: MPLS label stack (RFC 4950), interface (RFC 5837). Part of the
 * parser; other rooms use parse.h. Untrusted input, read through core/cur.h.
 */
#ifndef PROBER_WIRE_EXTENSION_H
#define PROBER_WIRE_EXTENSION_H

#include <stdbool.h>
#include <stdint.h>

#include "core/cur.h"
#include "prober/wire/parse.h"

/* Whether RFC 4884 gives this type a length field. */
bool extension_possible(uint8_t family, uint8_t type);

/* Splits what follows the 8-byte ICMP header into the quote and the extension structure (empty when
 * there is none). words is the length field: of the quote, in 32-bit words for IPv4, in 64-bit
 * words for IPv6. False: the length field promised a structure that is not there or is damaged; the
 * quote is then all that follows. */
bool extension_split(struct cur rest, uint8_t family, uint8_t type, uint8_t words,
		     struct cur *quote, struct cur *extension);

/* Reads the objects of a structure that extension_split found, into p's mpls and iface. False: an
 * object's length is impossible; what was read before it stays. */
bool extension_parse(struct cur *extension, struct packet *p);

#endif
