// SPDX-License-Identifier: BSD-2-Clause
/* The sum of a hash for each answer that differs from those of its TTL before it, so that order is
 * nothing. */
#include "campaign/way.h"

#include <sodium.h>

#include "campaign/body.h"
#include "campaign/pack.h"

static uint64_t hash_of(const struct trace *t, const struct trace_entry *e,
			const uint8_t key[static WAY_KEY], struct buf *scratch)
{
	const struct reply *r = &e->reply;
	uint64_t h[2];

	buf_clear(scratch);
	/* As the values of a store that have a kind. */
	pack_u8(scratch, 0);
	pack_u8(scratch, e->ttl);
	pack_addr(scratch, body_hop_is_dst(e, t->dst) ? (struct addr){0} : r->from);
	pack_signed(scratch, r->icmp_type);
	pack_signed(scratch, r->icmp_code);
	pack_signed(scratch, r->tcp_flags);
	pack_varint(scratch, r->flags);
	crypto_shorthash_siphashx24((unsigned char *)h,
				    (const unsigned char *)(scratch->bytes ? scratch->bytes : ""),
				    scratch->used, key);
	return h[0];
}

uint64_t way_of(const struct trace *t, const uint8_t key[static WAY_KEY], struct buf *scratch)
{
	uint64_t seen[16], sum = 0;
	unsigned count = 0;

	for (uint32_t i = 0; i < t->entry_count; i++) {
		uint64_t h;
		unsigned k;

		if (i == 0 || t->entries[i].ttl != t->entries[i - 1].ttl)
			count = 0;
		if (!addr_is_set(t->entries[i].reply.from))
			continue;
		h = hash_of(t, &t->entries[i], key, scratch);
		for (k = 0; k < count && seen[k] != h;)
			k++;
		if (k < count)
			continue;
		if (count < sizeof(seen) / sizeof(seen[0]))
			seen[count++] = h;
		sum += h;
	}
	return sum;
}
