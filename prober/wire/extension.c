// SPDX-License-Identifier: BSD-2-Clause
/* RFC 4884 structures and the two kinds of object that traceroute cares for. */
#include "prober/wire/extension.h"

#include <string.h>

#include "core/text.h"

enum {
	STRUCTURE_HEADER = 4,
	STRUCTURE_VERSION = 2,
	OBJECT_HEADER = 4,
	QUOTE_FIXED = 128, /* where routers from before RFC 4884 put the structure */
	CLASS_MPLS = 1,
	MPLS_INCOMING = 1, /* the only C-Type of RFC 4950 */
	CLASS_INTERFACE = 2,
	/* RFC 5837, 4.1: C-Type bits, the role in the upper two */
	HAS_INDEX = 8,
	HAS_ADDRESS = 4,
	HAS_NAME = 2,
	HAS_MTU = 1,
	AFI_IP4 = 1,
	AFI_IP6 = 2,
};

bool extension_possible(uint8_t family, uint8_t type)
{
	if (family == 4)
		return type == 3 || type == 11 || type == 12;
	return type == 1 || type == 3;
}

/* Version 2 and a right checksum; one of 0 means "not computed" and will do unless `strict`. */
static bool structure_ok(struct cur c, bool strict)
{
	const uint8_t *bytes = c.at;
	size_t n = cur_left(&c);
	uint8_t version = cur_u8(&c) >> 4;
	uint16_t checksum;

	cur_skip(&c, 1);
	checksum = cur_be16(&c);
	if (c.failed || version != STRUCTURE_VERSION)
		return false;
	if (checksum == 0)
		return !strict;
	return checksum_fold(checksum_add(0, bytes, n)) == 0;
}

bool extension_split(struct cur rest, uint8_t family, uint8_t type, uint8_t words,
		     struct cur *quote, struct cur *extension)
{
	size_t at = words * (family == 4 ? 4u : 8u);
	size_t least = family == 4 ? 20 : 40;
	struct cur head = rest, tail = rest;

	*quote = rest;
	*extension = cur_of(rest.end, 0);
	if (!extension_possible(family, type))
		return true;
	if (words == 0) {
		/* RFC 4884, 5.5: old senders leave the length 0 and pad the quote to 128 bytes.
		 * Only a checksum that is there and right tells such a structure from a long
		 * quote. */
		if (cur_left(&rest) <= QUOTE_FIXED)
			return true;
		cur_skip(&tail, QUOTE_FIXED);
		if (!structure_ok(tail, true))
			return true;
		*quote = cur_sub(&head, QUOTE_FIXED);
		*extension = tail;
		return true;
	}
	/* Some routers leave rubbish in what was "unused" before RFC 4884: a length is believed only
	 * when what it points at is a structure. */
	if (at < least || at > cur_left(&rest))
		return false;
	cur_skip(&tail, at);
	if (cur_left(&tail) > 0 && !structure_ok(tail, false))
		return false;
	*quote = cur_sub(&head, at);
	*extension = tail;
	return true;
}

static void mpls_parse(struct cur *c, struct packet *p)
{
	while (cur_left(c) >= 4 && p->mpls_count < TRACE_MPLS_MAX) {
		uint32_t entry = cur_be32(c);

		p->mpls[p->mpls_count++] = (struct mpls){
			.label = entry >> 12,
			.exp = (uint8_t)(entry >> 9 & 7),
			.s = (uint8_t)(entry >> 8 & 1),
			.ttl = (uint8_t)entry,
		};
	}
}

/* RFC 5837, 4.2: AFI, reserved, the address. False: an AFI or length we do not know. */
static bool address_parse(struct cur *c, struct addr *out)
{
	uint16_t afi = cur_be16(c);
	const uint8_t *bytes;

	cur_skip(c, 2);
	bytes = afi == AFI_IP4 ? cur_take(c, 4) : afi == AFI_IP6 ? cur_take(c, 16) : NULL;
	if (bytes == NULL)
		return false;
	*out = afi == AFI_IP4 ? addr_v4(bytes) : addr_v6(bytes);
	return true;
}

/* RFC 5837, 4.3: a length byte that counts itself, then the name padded with zeros. */
static bool name_parse(struct cur *c, char *out, size_t size)
{
	uint8_t length = cur_u8(c);
	const char *text = length ? (const char *)cur_take(c, length - 1u) : NULL;

	if (text == NULL)
		return false;
	text_copy(out, size, text, strnlen(text, length - 1u));
	return true;
}

static bool interface_parse(struct cur *c, uint8_t ctype, struct iface *out)
{
	struct iface i = {.role = (uint8_t)(IFACE_INCOMING + (ctype >> 6))};

	if (ctype & HAS_INDEX)
		i.index = cur_be32(c);
	if (ctype & HAS_ADDRESS && !address_parse(c, &i.addr))
		return false;
	if (ctype & HAS_NAME && !name_parse(c, i.name, sizeof(i.name)))
		return false;
	if (ctype & HAS_MTU)
		i.mtu = cur_be32(c);
	if (c->failed)
		return false;
	/* The interface a probe came in by is the router's place on the path; any other only where
	 * nothing better is told. */
	if (out->role == IFACE_NONE || (i.role == IFACE_INCOMING && out->role != IFACE_INCOMING))
		*out = i;
	return true;
}

bool extension_parse(struct cur *extension, struct packet *p)
{
	struct cur *c = extension;

	if (cur_left(c) == 0)
		return true;
	cur_skip(c, STRUCTURE_HEADER);
	while (cur_left(c) > 0) {
		uint16_t length = cur_be16(c);
		uint8_t class_num = cur_u8(c), ctype = cur_u8(c);
		struct cur object;

		if (c->failed || length < OBJECT_HEADER)
			return false;
		object = cur_sub(c, length - (size_t)OBJECT_HEADER);
		if (object.failed)
			return false;
		if (class_num == CLASS_MPLS && ctype == MPLS_INCOMING)
			mpls_parse(&object, p);
		else if (class_num == CLASS_INTERFACE &&
			 !interface_parse(&object, ctype, &p->iface))
			return false;
	}
	return true;
}
