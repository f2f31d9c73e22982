// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the network does with a probe: who it is (by its token, as the prober would say it), where
 * its TTL ends, and the bytes of what comes back: the answer, its duplicates and late copies, the
 * same rewritten on the way, and what a forger who knows the flow but not the key can send.
 */
#include <netinet/in.h>
#include <string.h>

#include "prober/wire/parse.h"
#include "tests/unit/prober/run/world.h"

enum { IP4 = 20, IP6 = 40, ICMP_HEAD = 8, TCP_HEAD = 20, QUOTE4_MIN = IP4 + 8 };

/* A probe that was sent, with what is needed to answer it. */
struct asked {
	struct line_truth *line;
	struct probe_truth *probe;
	const struct probe_packet *packet;
	uint64_t target;
	uint8_t ttl, attempt;
};

/* --- bytes --- */

static void put16(uint8_t *at, unsigned v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

static void put32(uint8_t *at, uint32_t v)
{
	put16(at, v >> 16);
	put16(at + 2, v & 0xffff);
}

static size_t ip_size(const uint8_t *ip)
{
	return ip[0] >> 4 == 4 ? IP4 : IP6;
}

/* An IP header in front of n bytes; returns its size. */
static size_t put_ip(uint8_t *out, struct addr src, struct addr dst, uint8_t protocol, uint8_t ttl,
		     unsigned ip_id, size_t n)
{
	if (src.family == 4) {
		memset(out, 0, IP4);
		out[0] = 0x45;
		put16(out + 2, (unsigned)(IP4 + n));
		put16(out + 4, ip_id);
		out[8] = ttl;
		out[9] = protocol;
		memcpy(out + 12, src.bytes, 4);
		memcpy(out + 16, dst.bytes, 4);
		return IP4;
	}
	memset(out, 0, IP6);
	out[0] = 0x60;
	put16(out + 4, (unsigned)n);
	out[6] = protocol;
	out[7] = ttl;
	memcpy(out + 8, src.bytes, 16);
	memcpy(out + 24, dst.bytes, 16);
	return IP6;
}

/* An ICMP error from `from` that quotes the probe as it arrived there. */
static uint16_t put_error(uint8_t *out, struct addr from, const struct probe_packet *p,
			  size_t quote, int type, int code, uint8_t ttl, unsigned ip_id)
{
	struct addr to = p->bytes[0] >> 4 == 4 ? addr_v4(p->bytes + 12) : addr_v6(p->bytes + 8);
	size_t at = put_ip(out, from, to, from.family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6, ttl,
			   ip_id, ICMP_HEAD + quote);

	memset(out + at, 0, ICMP_HEAD);
	out[at] = (uint8_t)type;
	out[at + 1] = (uint8_t)code;
	memcpy(out + at + ICMP_HEAD, p->bytes, quote);
	out[at + ICMP_HEAD + (from.family == 4 ? 8 : 7)] = 1; /* its TTL ran out there */
	return (uint16_t)(at + ICMP_HEAD + quote);
}

/* What the destination itself says. type, code: -1 for TCP. */
static uint16_t put_answer(uint8_t *out, const struct probe_packet *p, bool open, uint8_t ttl,
			   unsigned ip_id, int *type, int *code)
{
	bool v4 = p->bytes[0] >> 4 == 4;
	size_t ip = ip_size(p->bytes), l4 = p->size - ip, at;
	struct addr src = v4 ? addr_v4(p->bytes + 12) : addr_v6(p->bytes + 8);
	struct addr dst = v4 ? addr_v4(p->bytes + 16) : addr_v6(p->bytes + 24);
	uint8_t protocol = p->bytes[v4 ? 9 : 6];
	const uint8_t *t = p->bytes + ip;

	*type = *code = -1;
	if (protocol == IPPROTO_UDP) {
		*type = v4 ? 3 : 1;
		*code = v4 ? 3 : 4;
		return put_error(out, dst, p, p->size, *type, *code, ttl, ip_id);
	}
	if (protocol == IPPROTO_TCP) {
		at = put_ip(out, dst, src, protocol, ttl, ip_id, TCP_HEAD);
		memset(out + at, 0, TCP_HEAD);
		memcpy(out + at, t + 2, 2);
		memcpy(out + at + 2, t, 2);
		put32(out + at + 8, ((uint32_t)t[4] << 24 | (uint32_t)t[5] << 16 |
				     (uint32_t)t[6] << 8 | t[7]) + 1);
		out[at + 12] = 5 << 4;
		out[at + 13] = open ? 0x12 : 0x14; /* SYN-ACK, RST-ACK */
		return (uint16_t)(at + TCP_HEAD);
	}
	*type = v4 ? 0 : 129;
	*code = 0;
	at = put_ip(out, dst, src, protocol, ttl, ip_id, l4);
	memcpy(out + at, t, l4);
	out[at] = (uint8_t)*type;
	return (uint16_t)(at + l4);
}

/* --- who is it --- */

static uint64_t target_of(struct addr dst)
{
	return dst.family == 4 ? (uint64_t)dst.bytes[2] << 8 | dst.bytes[3]
			       : (uint64_t)dst.bytes[6] << 8 | dst.bytes[7];
}

/* By its token: which line, and which attempt. */
static bool recognise(struct world *w, const struct probe_packet *p, struct asked *a)
{
	struct flights keyed = {0};
	struct packet packet;
	struct match m;

	if (packet_parse(p->bytes, p->size, &packet) < 0)
		return false;
	method_match(&packet, true, &m);
	if (m.kind != MATCH_DEPARTURE || m.token_known != 2)
		return false;
	memcpy(keyed.key, w->tools.key, sizeof(keyed.key));
	*a = (struct asked){.packet = p, .ttl = m.ttl, .target = target_of(m.dst)};
	for (unsigned k = 0; k < 4 && a->ttl <= WORLD_TTLS; k++) {
		struct line_truth *l = world_line(w, w->open[a->target % WORLD_TARGETS][k]);
		struct flow f = {.method = m.method, .src = m.src, .dst = m.dst,
				 .sport = m.sport, .dport = m.dport};

		if (l == NULL || l->plan.method != m.method || !addr_equal(l->plan.dst, m.dst))
			continue;
		f.number = l->plan.flow;
		for (uint8_t n = 1; n <= WORLD_ATTEMPTS; n++) {
			if (flight_token(&keyed, &f, l->seq, a->ttl, n) != m.token)
				continue;
			a->attempt = n;
			a->line = l;
			a->probe = &l->probes[a->ttl][n];
			return true;
		}
	}
	return false;
}

/* --- paths --- */

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

static bool is_stacked(uint64_t target)
{
	return target % 7 == 0;
}

/* The first three routers are everybody's. */
static struct addr router(uint64_t target, uint8_t ttl, uint8_t family)
{
	uint64_t of = ttl <= 3 ? 0xffff : target;
	uint8_t v4[4] = {10, ttl, (uint8_t)(of >> 8), (uint8_t)of};
	uint8_t v6[16] = {0xfd, 0, ttl, 0, (uint8_t)(of >> 8), (uint8_t)of, [15] = 1};

	return family == 4 ? addr_v4(v4) : addr_v6(v6);
}

/* Who answers this probe, and how; false: nobody. */
static bool answer(struct world *w, const struct asked *a, struct arrival *out,
		   struct reply_truth *r)
{
	const struct probe_packet *p = a->packet;
	uint64_t h = mix(a->target + 1);
	uint8_t hops = (uint8_t)(5 + h % 14), family = a->line->plan.dst.family;
	uint8_t filter = h >> 16 & 15 ? 255 : (uint8_t)(hops - 2), at = a->ttl;
	bool full = family == 6 || world_chance(w, 2);
	uint8_t reply_ttl = (uint8_t)(60 + a->probe->reply_count);
	unsigned ip_id = (unsigned)world_random(w, 65536);
	int type = family == 4 ? 11 : 3, code = 0;

	if (at >= filter) {
		at = filter;
		type = family == 4 ? 3 : 1;
		code = family == 4 ? 13 : 1;
	} else if (at >= hops) {
		if (h >> 24 & 7) {
			r->from = a->line->plan.dst;
			out->size = put_answer(out->bytes, p, h >> 28 & 1, reply_ttl, ip_id, &type,
					       &code);
			goto out;
		}
		return false;
	} else if ((mix(h + at) & 15) == 0) {
		return false;
	}
	r->from = router(a->target, at, family);
	out->size = put_error(out->bytes, r->from, p, full ? p->size : QUOTE4_MIN, type, code,
			      reply_ttl, ip_id);
out:
	r->type = (int16_t)type;
	r->code = (int16_t)code;
	r->size = out->size;
	r->ip_id = family == 4 ? (int32_t)ip_id : -1;
	return true;
}

/* --- what is done to answers --- */

static bool quotes(const struct arrival *a)
{
	const uint8_t *l4 = a->bytes + ip_size(a->bytes);

	return ip_size(a->bytes) == IP4 ? a->bytes[9] == IPPROTO_ICMP && l4[0] != 0
					: a->bytes[6] == IPPROTO_ICMPV6 && l4[0] < 128;
}

/* The quote is changed so that it is believed still: a translator's source address. */
static void rewrite(struct arrival *a)
{
	size_t ip = ip_size(a->bytes);
	uint8_t *quote = a->bytes + ip + ICMP_HEAD;

	quote[ip == IP4 ? 15 : 23] ^= 0x55;
}

/* Both copies of the token in the quote are broken: nobody can say whose it is. The bytes of `by`
 * differ. */
static void break_token(struct arrival *a, uint16_t by)
{
	size_t ip = ip_size(a->bytes), room = a->size - ip - ICMP_HEAD;
	uint8_t *quote = a->bytes + ip + ICMP_HEAD, *l4 = quote + ip;
	bool tcp = (ip == IP4 ? quote[9] : quote[6]) == IPPROTO_TCP;

	if (ip == IP4) {
		quote[4] ^= (uint8_t)(by >> 8);
		quote[5] ^= (uint8_t)by;
	}
	if (tcp) {
		l4[4] ^= (uint8_t)(by >> 8);
		l4[5] ^= (uint8_t)by;
	} else if (room >= ip + 12) {
		l4[8] ^= (uint8_t)(by >> 8);
		l4[9] ^= (uint8_t)by;
	}
}

/* What a forger who sees the flow, and perhaps half of a token, makes of it. */
static void forge(struct world *w, struct arrival *a)
{
	size_t ip = ip_size(a->bytes);
	uint8_t *quote = a->bytes + ip + ICMP_HEAD, *l4 = quote + ip;
	bool tcp = (ip == IP4 ? quote[9] : quote[6]) == IPPROTO_TCP;
	unsigned half = (unsigned)world_random(w, 3);
	uint16_t by = (uint16_t)(1 + world_random(w, 65535));
	uint8_t *lo = l4 + 6;

	/* Never its bytes the other way round: that is a rewriting which is believed. */
	by ^= by >> 8 == (by & 0xff);
	/* 0: the high half is wrong; 1: the low one; 2: both. */
	if (half != 1)
		break_token(a, by);
	if (half != 0) {
		put16(lo, (unsigned)(lo[0] << 8 | lo[1]) ^ by);
		if (!tcp)
			put16(l4 + 10, (unsigned)(l4[10] << 8 | l4[11]) ^ by);
	}
}

static void put_copies(struct world *w, struct arrival *a, uint64_t target)
{
	struct arrival *second;

	world_put(w, a);
	if (!is_stacked(target))
		return;
	/* By the bridge's port (3), then by the bridge (5). */
	second = world_arrival(w, (enum packet_kind)a->kind, a->at + 1500);
	if (second == NULL)
		return;
	*second = (struct arrival){.at = second->at, .stamped = a->at, .order = second->order,
				   .seq = a->seq, .kind = a->kind, .ttl = a->ttl,
				   .attempt = a->attempt, .reply = a->reply, .copy = true,
				   .ifindex = 5, .size = a->size};
	memcpy(second->bytes, a->bytes, a->size);
	world_put(w, second);
}

static int64_t delay(struct world *w, const struct asked *a)
{
	int64_t ns = (int64_t)(1 + mix(a->target) % 9) * NS_PER_MS * a->ttl;

	ns += (int64_t)world_random(w, 20 * NS_PER_MS); /* replies overtake each other */
	if (world_chance(w, 100))
		ns += (int64_t)world_random(w, 8 * NS_PER_S);
	if (world_chance(w, 300))
		ns += (int64_t)world_random(w, 600 * NS_PER_S);
	return ns;
}

/* One answer, at this time or never. */
static void come_back(struct world *w, const struct asked *a, int64_t at, bool broken)
{
	struct arrival *out = world_arrival(w, broken ? PACKET_BROKEN : PACKET_HONEST, at);
	struct reply_truth r = {.at = at};

	if (out == NULL || a->probe->reply_count == WORLD_REPLIES || !answer(w, a, out, &r))
		return;
	out->seq = a->line->seq;
	out->ttl = a->ttl;
	out->attempt = a->attempt;
	if (broken && !quotes(out))
		return;
	if (broken) {
		break_token(out, 0x5aa5);
		w->counts.lost++;
	} else {
		if (quotes(out) && world_chance(w, 100)) {
			rewrite(out);
			w->counts.rewritten++;
		}
		out->reply = a->probe->reply_count;
		a->probe->replies[a->probe->reply_count++] = r;
	}
	put_copies(w, out, a->target);
}

/* --- what else is on the wire --- */

static void put_forged(struct world *w, const struct recent *r, int64_t at)
{
	struct arrival *out = world_arrival(w, PACKET_FORGED, at);
	uint8_t family = r->packet.bytes[0] >> 4;

	if (out == NULL)
		return;
	out->seq = r->seq;
	out->size = put_error(out->bytes, router(r->target, r->ttl, family), &r->packet,
			      r->packet.size, family == 4 ? 11 : 3, 0, 61,
			      (unsigned)world_random(w, 65536));
	forge(w, out);
	w->counts.forged++;
	world_put(w, out);
}

static void put_foreign(struct world *w, const struct asked *a, int64_t at)
{
	struct arrival *out = world_arrival(w, PACKET_FOREIGN, at);
	struct probe_packet other = *a->packet;

	if (out == NULL)
		return;
	/* The same about another network than any of ours. */
	other.bytes[other.bytes[0] >> 4 == 4 ? 16 : 24] ^= 0x40;
	out->size = put_error(out->bytes, router(a->target, 9, a->line->plan.dst.family), &other,
			      other.size, a->line->plan.dst.family == 4 ? 11 : 3, 0, 61, 7);
	world_put(w, out);
}

static void put_garbage(struct world *w, int64_t at)
{
	struct arrival *out = world_arrival(w, PACKET_GARBAGE, at);

	if (out == NULL)
		return;
	out->size = (uint16_t)world_random(w, 20);
	for (unsigned i = 0; i < out->size; i++)
		out->bytes[i] = (uint8_t)world_random(w, 256);
	world_put(w, out);
}

/* Returns when it leaves; whether that is captured is another matter. */
static int64_t depart(struct world *w, const struct asked *a)
{
	int64_t at = w->now + 2000 + (int64_t)world_random(w, 50 * NS_PER_US);
	bool stacked = is_stacked(a->target);

	if (world_chance(w, 500))
		at += (int64_t)world_random(w, 20 * NS_PER_MS); /* a queue in front of the link */
	if (world_chance(w, 1000))
		return at;
	for (int copy = stacked ? 0 : 1; copy < 2; copy++) {
		struct arrival *out = world_arrival(w, PACKET_DEPARTURE, at);

		if (out == NULL)
			return at;
		out->seq = a->line->seq;
		out->ttl = a->ttl;
		out->attempt = a->attempt;
		out->outgoing = true;
		out->ifindex = copy ? 3 : 5;
		out->size = a->packet->size;
		memcpy(out->bytes, a->packet->bytes, out->size);
		world_put(w, out);
		at += 1700;
	}
	return at;
}

void traffic_carry(struct world *w, const struct probe_packet *p, bool refused)
{
	struct recent *r = &w->recent[w->recent_count % WORLD_RECENT];
	struct asked a;
	unsigned more;
	int64_t back;

	if (!recognise(w, p, &a)) {
		world_fault(w, "a probe of no open line");
		return;
	}
	if (a.probe->sent != 0 && !a.probe->refused)
		world_fault(w, "line %llu: ttl %u attempt %u left twice",
			    (unsigned long long)a.line->seq, a.ttl, a.attempt);
	a.probe->sent = w->now;
	a.probe->refused = refused;
	if (refused)
		return;
	a.line->sent++;
	*r = (struct recent){.packet = *p, .seq = a.line->seq, .target = a.target, .ttl = a.ttl};
	w->recent_count++;
	back = depart(w, &a) + delay(w, &a);
	if (!world_chance(w, 50)) /* lost */
		come_back(w, &a, back, world_chance(w, 200));
	/* A loop of links gives more than there is room for. */
	more = world_chance(w, 3000) ? WORLD_REPLIES : 0;
	while (more > 0 || world_chance(w, 60)) {
		more -= more > 0;
		back += (int64_t)world_random(w, world_chance(w, 5) ? 9 * NS_PER_S : NS_PER_MS);
		come_back(w, &a, back, false);
	}
	if (world_chance(w, 50))
		put_forged(w, r, w->now + (int64_t)world_random(w, NS_PER_S));
	if (world_chance(w, 100))
		put_foreign(w, &a, w->now + (int64_t)world_random(w, NS_PER_S));
	if (world_chance(w, 500))
		put_garbage(w, w->now + (int64_t)world_random(w, NS_PER_S));
}

void traffic_flood(struct world *w)
{
	unsigned known = w->recent_count < WORLD_RECENT ? w->recent_count : WORLD_RECENT;

	for (unsigned i = 0; i < 1000 && known > 0; i++)
		put_forged(w, &w->recent[i % known],
			   w->now + (int64_t)world_random(w, NS_PER_S));
}
