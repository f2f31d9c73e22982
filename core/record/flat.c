// SPDX-License-Identifier: BSD-2-Clause
/* The computed columns: where a path ends, who stands on it, its hash and its networks. */
#include "core/record/flat.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

/* The distinct addresses that answered at one TTL, rising. */
struct responders {
	unsigned count;
	struct addr addrs[FLAT_PER_TTL_MAX];
};

static void add_responder(struct responders *s, struct addr a)
{
	unsigned at = s->count;

	while (at > 0 && addr_compare(s->addrs[at - 1], a) > 0)
		at--;
	if (at > 0 && addr_equal(s->addrs[at - 1], a))
		return;
	if (s->count == FLAT_PER_TTL_MAX) {
		if (at == s->count)
			return;
		s->count--;
	}
	memmove(&s->addrs[at + 1], &s->addrs[at], (s->count - at) * sizeof(a));
	s->addrs[at] = a;
	s->count++;
}

/* The responders of the TTL whose entries begin at i; returns where the next TTL's begin. */
static uint32_t take_ttl(const struct trace *t, uint32_t i, struct responders *s)
{
	uint8_t ttl = t->entries[i].ttl;

	s->count = 0;
	for (; i < t->entry_count && t->entries[i].ttl == ttl; i++) {
		if (addr_is_set(t->entries[i].reply.from))
			add_responder(s, t->entries[i].reply.from);
	}
	return i;
}

struct flat_end flat_end(const struct trace *t)
{
	struct flat_end end = {0};
	struct addr tail = {0}; /* the one address of the last TTLs; none: there were several */

	for (uint32_t i = 0; i < t->entry_count;) {
		uint8_t ttl = t->entries[i].ttl;
		struct addr one = {0};
		bool several = false, reached = false;

		for (; i < t->entry_count && t->entries[i].ttl == ttl; i++) {
			const struct trace_entry *e = &t->entries[i];

			if (!addr_is_set(e->reply.from))
				continue;
			several |= addr_is_set(one) && !addr_equal(one, e->reply.from);
			one = e->reply.from;
			reached |= trace_entry_is_destination(t, e);
		}
		if (!addr_is_set(one))
			continue;
		end.hops = ttl;
		if (several || reached || !addr_equal(one, tail))
			end.cut = ttl;
		if (reached) {
			end.reached = true;
			return end;
		}
		tail = several ? (struct addr){0} : one;
	}
	return end;
}

static void hash_ttl(crypto_generichash_state *hash, uint8_t ttl, const struct responders *s)
{
	uint8_t head[2] = {ttl, (uint8_t)s->count};

	crypto_generichash_update(hash, head, sizeof(head));
	for (unsigned i = 0; i < s->count; i++) {
		crypto_generichash_update(hash, &s->addrs[i].family, 1);
		crypto_generichash_update(hash, s->addrs[i].bytes, addr_size(s->addrs[i]));
	}
}

static uint64_t hash_end(crypto_generichash_state *hash)
{
	uint8_t digest[crypto_generichash_BYTES_MIN];
	uint64_t value = 0;

	crypto_generichash_final(hash, digest, sizeof(digest));
	for (unsigned i = 0; i < 8; i++)
		value = value << 8 | digest[i];
	return value ? value : 1; /* 0 is "nobody answered" */
}

/* The distinct networks of one TTL, rising. */
struct networks {
	unsigned count;
	uint32_t asns[FLAT_PER_TTL_MAX];
};

static bool has_network(const struct networks *s, uint32_t asn)
{
	for (unsigned i = 0; i < s->count; i++) {
		if (s->asns[i] == asn)
			return true;
	}
	return false;
}

static void take_networks(const struct responders *at, const struct names *names,
			  struct networks *out)
{
	out->count = 0;
	for (unsigned i = 0; i < at->count; i++) {
		const struct name *n = names_find(names, at->addrs[i]);
		unsigned to = out->count;

		if (n == NULL || n->asn == 0 || has_network(out, n->asn))
			continue;
		for (; to > 0 && out->asns[to - 1] > n->asn; to--)
			out->asns[to] = out->asns[to - 1];
		out->asns[to] = n->asn;
		out->count++;
	}
}

/* Appends what the TTL before did not have, unless the path ends with it; `before` becomes this
 * TTL's. */
static void add_networks(struct flat_trace *out, const struct responders *at,
			 const struct names *names, struct networks *before)
{
	struct networks here;

	take_networks(at, names, &here);
	for (unsigned i = 0; i < here.count && out->as_count < FLAT_AS_PATH_MAX; i++) {
		uint32_t last = out->as_count ? out->as_path[out->as_count - 1] : 0;

		if (!has_network(before, here.asns[i]) && here.asns[i] != last)
			out->as_path[out->as_count++] = here.asns[i];
	}
	if (here.count > 0)
		*before = here;
}

void flat_trace(const struct trace *t, const struct names *names, struct flat_trace *out)
{
	struct hop_stats stats = trace_destination_stats(t);
	struct flat_end end = flat_end(t);
	crypto_generichash_state hash;
	struct networks before = {.count = 0};
	struct responders at;
	uint32_t i = 0;

	memset(out, 0, sizeof(*out));
	if (addr_is_set(t->dst))
		out->prefix = prefix_of(t->dst, t->dst.family == 4 ? 24 : 48);
	out->rtt_min_ns = stats.min_ns;
	out->rtt_median_ns = stats.median_ns;
	out->hops = end.hops;
	if (end.hops == 0)
		return;
	crypto_generichash_init(&hash, NULL, 0, crypto_generichash_BYTES_MIN);
	while (i < t->entry_count && t->entries[i].ttl <= end.cut) {
		uint8_t ttl = t->entries[i].ttl;

		i = take_ttl(t, i, &at);
		if (at.count == 0)
			continue;
		hash_ttl(&hash, ttl, &at);
		if (names != NULL && out->as_count < FLAT_AS_PATH_MAX)
			add_networks(out, &at, names, &before);
	}
	out->path_hash = hash_end(&hash);
}

const char *flat_hash_text(uint64_t hash, char out[static FLAT_HASH_TEXT])
{
	snprintf(out, FLAT_HASH_TEXT, "%016" PRIx64, hash);
	return out;
}

const char *flat_as_path_text(const struct flat_trace *f, char out[static FLAT_AS_PATH_TEXT])
{
	size_t used = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < f->as_count; i++)
		used += (size_t)snprintf(out + used, FLAT_AS_PATH_TEXT - used, "%s%" PRIu32,
					 i ? " " : "", f->as_path[i]);
	return out;
}
