// SPDX-License-Identifier: BSD-2-Clause
/* Hops and bodies: the byte forms of body.h, written and read. No database. */
#include "campaign/body.h"

#include <string.h>

#include "campaign/pack.h"
#include "core/cur.h"
#include "core/err.h"

/* Byte 2 of a hop. */
enum {
	HOP_FAMILY = 0x03, /* 0 none, 1 IPv4, 2 IPv6, 3 the destination's own address */
	HOP_WHY = 0x1c,	   /* << 2 */
	HOP_IP_ID = 0x60,  /* << 5: 0 unknown, 1 zero, 2 in the body */
	HOP_RTT = 0x80,	   /* the body has it */
};
/* The packed word behind it: which fields follow. */
enum {
	HOP_TX = 1u << 0, /* the body has it */
	HOP_TYPE = 1u << 1,
	HOP_CODE = 1u << 2,
	HOP_REPLY_TTL = 1u << 3,
	HOP_QUOTED_TTL = 1u << 4,
	HOP_SIZE = 1u << 5,
	HOP_FLAGS = 1u << 6,
	HOP_TCP = 1u << 7,
	HOP_MTU = 1u << 8,
	HOP_MPLS = 1u << 9,
	HOP_IFACE = 1u << 10,
	HOP_ALL = (1u << 11) - 1,
};

/* Marks in an entry that is read as a hop: the body has the value. */
enum { MARK_RTT = 0, MARK_TX = 0, MARK_IP_ID = -2 };

/* The packed word of a body's head: what is not as it usually is. */
enum {
	BODY_SPORT = 1u << 0,
	BODY_DROPS = 1u << 1,	/* not 0 */
	BODY_CLOCK = 1u << 2,	/* not known, or stepped */
	BODY_REFUSED = 1u << 3, /* not known, or not all 0 */
	BODY_SLOWED = 1u << 4,
	BODY_INHERITED = 1u << 5, /* inherited_from follows */
	BODY_ALL = (1u << 6) - 1,
};

int64_t body_us(int64_t ns)
{
	/* Towards the nearest, halves up: floor((ns + 500) / 1000), also below zero. */
	int64_t up = ns + NS_PER_US / 2;

	return up >= 0 ? up / NS_PER_US : -((-up + NS_PER_US - 1) / NS_PER_US);
}

/* --- hops ------------------------------------------------------------------------------------- */

static unsigned hop_fields(const struct trace_entry *e)
{
	const struct reply *r = &e->reply;

	return (e->tx_ns != TX_UNKNOWN ? HOP_TX : 0u) | (r->icmp_type >= 0 ? HOP_TYPE : 0u) |
	       (r->icmp_code >= 0 ? HOP_CODE : 0u) | (r->reply_ttl >= 0 ? HOP_REPLY_TTL : 0u) |
	       (r->quoted_ttl >= 0 ? HOP_QUOTED_TTL : 0u) | (r->size >= 0 ? HOP_SIZE : 0u) |
	       (r->flags != 0 ? HOP_FLAGS : 0u) | (r->tcp_flags >= 0 ? HOP_TCP : 0u) |
	       (r->mtu >= 0 ? HOP_MTU : 0u) | (r->mpls_count > 0 ? HOP_MPLS : 0u) |
	       (r->iface.role != IFACE_NONE ? HOP_IFACE : 0u);
}

static void put_labels(struct buf *out, const struct reply *r)
{
	pack_u8(out, r->mpls_count);
	for (unsigned i = 0; i < r->mpls_count; i++) {
		pack_varint(out, r->mpls[i].label);
		pack_u8(out, (uint8_t)(r->mpls[i].exp << 1 | r->mpls[i].s));
		pack_u8(out, r->mpls[i].ttl);
	}
}

static void put_iface(struct buf *out, const struct iface *f)
{
	pack_u8(out, f->role);
	pack_varint(out, f->index);
	pack_varint(out, f->mtu);
	pack_addr(out, f->addr);
	pack_text(out, f->name);
}

bool body_hop_is_dst(const struct trace_entry *e, struct addr dst)
{
	return addr_is_set(dst) && addr_equal(e->reply.from, dst);
}

void body_put_hop(struct buf *out, const struct trace_entry *e, struct addr dst)
{
	/* The most that the fixed part takes: rare fields are behind it. */
	enum { ROOM = 4 + 16 + 8 * PACK_VARINT_MAX };
	const struct reply *r = &e->reply;
	unsigned fields = hop_fields(e);
	unsigned id = r->ip_id < 0 ? 0 : r->ip_id == 0 ? 1 : 2;
	unsigned family = body_hop_is_dst(e, dst) ? 3
			  : r->from.family == 4	  ? 1
			  : r->from.family == 6	  ? 2
						  : 0;
	char *room = buf_room(out, ROOM);
	uint8_t *at = (uint8_t *)room;

	if (room == NULL)
		return;
	*at++ = e->ttl;
	*at++ = e->attempt;
	*at++ = (uint8_t)(family | e->why << 2 | id << 5 | (r->rtt_ns >= 0 ? HOP_RTT : 0));
	at = pack_varint_at(at, fields);
	if (family != 3) {
		memcpy(at, r->from.bytes, addr_size(r->from));
		at += addr_size(r->from);
	}
	if (fields & HOP_TYPE)
		*at++ = (uint8_t)r->icmp_type;
	if (fields & HOP_CODE)
		*at++ = (uint8_t)r->icmp_code;
	if (fields & HOP_REPLY_TTL)
		*at++ = (uint8_t)r->reply_ttl;
	if (fields & HOP_QUOTED_TTL)
		*at++ = (uint8_t)r->quoted_ttl;
	if (fields & HOP_SIZE)
		at = pack_varint_at(at, (uint64_t)r->size);
	if (fields & HOP_FLAGS)
		at = pack_varint_at(at, r->flags);
	if (fields & HOP_TCP)
		at = pack_varint_at(at, (uint64_t)r->tcp_flags);
	if (fields & HOP_MTU)
		at = pack_varint_at(at, (uint64_t)r->mtu);
	buf_wrote(out, (char *)at);
	if (fields & HOP_MPLS)
		put_labels(out, r);
	if (fields & HOP_IFACE)
		put_iface(out, &r->iface);
}

bool body_hop_says_dst(const uint8_t *bytes, size_t n)
{
	return n > 2 && (bytes[2] & HOP_FAMILY) == 3;
}

static void read_labels(struct cur *c, struct reply *r)
{
	uint8_t n = cur_u8(c);

	if (n == 0 || n > TRACE_MPLS_MAX)
		c->failed = true;
	for (unsigned i = 0; i < n && !c->failed; i++) {
		uint8_t bits;

		r->mpls[i].label = (uint32_t)take_below(c, 0xfffff);
		bits = cur_u8(c);
		if (bits > 0x0f)
			c->failed = true;
		r->mpls[i].exp = (uint8_t)(bits >> 1);
		r->mpls[i].s = bits & 1;
		r->mpls[i].ttl = cur_u8(c);
	}
	r->mpls_count = c->failed ? 0 : n;
}

static void read_iface(struct cur *c, struct iface *f)
{
	f->role = cur_u8(c);
	if (f->role == IFACE_NONE || f->role > IFACE_NEXT_HOP)
		c->failed = true;
	f->index = (uint32_t)take_below(c, UINT32_MAX);
	f->mtu = (uint32_t)take_below(c, UINT32_MAX);
	f->addr = take_addr(c);
	take_text(c, f->name, sizeof(f->name));
}

static void read_fields(struct cur *c, unsigned fields, struct reply *r)
{
	if (fields & HOP_TYPE)
		r->icmp_type = cur_u8(c);
	if (fields & HOP_CODE)
		r->icmp_code = cur_u8(c);
	if (fields & HOP_REPLY_TTL)
		r->reply_ttl = cur_u8(c);
	if (fields & HOP_QUOTED_TTL)
		r->quoted_ttl = cur_u8(c);
	if (fields & HOP_SIZE)
		r->size = (int32_t)take_below(c, INT32_MAX);
	if (fields & HOP_FLAGS)
		r->flags = (uint16_t)take_below(c, UINT16_MAX);
	if (fields & HOP_TCP)
		r->tcp_flags = (int16_t)take_below(c, 511);
	if (fields & HOP_MTU)
		r->mtu = (int32_t)take_below(c, INT32_MAX);
	if (fields & HOP_MPLS)
		read_labels(c, r);
	if (fields & HOP_IFACE)
		read_iface(c, &r->iface);
}

int body_read_hop(const uint8_t *bytes, size_t n, struct addr dst, struct trace_entry *out)
{
	struct cur c = cur_of(bytes, n);
	struct trace_entry e;
	uint8_t ttl = cur_u8(&c), attempt = cur_u8(&c), bits = cur_u8(&c);
	unsigned fields = (unsigned)take_below(&c, HOP_ALL);
	unsigned family = bits & HOP_FAMILY, id = (bits & HOP_IP_ID) >> 5;

	trace_entry_init(&e, ttl, attempt);
	e.why = (uint8_t)((bits & HOP_WHY) >> 2);
	if ((family == 3 && !addr_is_set(dst)) || id == 3 || e.why > WHY_INTERRUPTED || ttl == 0 ||
	    attempt == 0 || (family != 0) != (e.why == WHY_NONE))
		return BP_EPARSE;
	if (family == 3) {
		e.reply.from = dst;
	} else if (family != 0) {
		e.reply.from.family = family == 1 ? 4 : 6;
		cur_copy(&c, e.reply.from.bytes, addr_size(e.reply.from));
	}
	read_fields(&c, fields, &e.reply);
	if (c.failed || cur_left(&c) > 0)
		return BP_EPARSE;
	e.tx_ns = fields & HOP_TX ? MARK_TX : TX_UNKNOWN;
	e.reply.rtt_ns = bits & HOP_RTT ? MARK_RTT : -1;
	e.reply.ip_id = id == 2 ? MARK_IP_ID : id == 1 ? 0 : -1;
	*out = e;
	return 0;
}

/* --- the order of a path ---------------------------------------------------------------------- */

static int key_of(const struct trace_entry *e)
{
	return e->ttl << 8 | e->attempt;
}

uint32_t body_order(const struct trace *t, uint32_t *order)
{
	uint32_t slots = 0, silent = 0, n = t->entry_count;
	bool mixed = false, was_silent = false;

	for (uint32_t i = 0; i < n; i++) {
		const struct trace_entry *e = &t->entries[i];
		bool has = e->reply.rtt_ns >= 0;

		/* Of equals, one without a time before one with: sorting would turn them. */
		if (i == 0 || key_of(e) != key_of(&t->entries[i - 1]))
			was_silent = false;
		mixed |= has && was_silent;
		was_silent |= !has;
		slots += has;
	}
	if (mixed) {
		for (uint32_t i = 0; i < n; i++)
			order[i] = i;
		return n;
	}
	for (uint32_t i = 0, timed = 0; i < n; i++) {
		if (t->entries[i].reply.rtt_ns >= 0)
			order[timed++] = i;
		else
			order[slots + silent++] = i;
	}
	return slots;
}

/* --- bodies ----------------------------------------------------------------------------------- */

static bool refused_nothing(const struct trace *t)
{
	const struct refused *r = &t->refused;

	return t->refused_known && r->foreign == 0 && r->bad_token == 0 && r->malformed == 0 &&
	       r->late == 0 && r->duplicate == 0;
}

static unsigned head_fields(const struct trace *t)
{
	bool slowed = t->slowed_times > 0 || t->slowed_pps > 0 || t->repeated > 0;

	return (t->sport >= 0 ? BODY_SPORT : 0u) | (t->drops != 0 ? BODY_DROPS : 0u) |
	       (t->clock_known && !t->clock_stepped ? 0u : BODY_CLOCK) |
	       (refused_nothing(t) ? 0u : BODY_REFUSED) | (slowed ? BODY_SLOWED : 0u) |
	       (t->inherited_from[0] != '\0' ? BODY_INHERITED : 0u);
}

static void put_head(struct buf *out, const struct trace *t)
{
	unsigned fields = head_fields(t);

	pack_varint(out, fields);
	if (fields & BODY_SPORT) {
		pack_u8(out, (uint8_t)(t->sport >> 8));
		pack_u8(out, (uint8_t)t->sport);
	}
	if (fields & BODY_DROPS)
		pack_signed(out, t->drops);
	if (fields & BODY_CLOCK)
		pack_u8(out, t->clock_known);
	if (fields & BODY_REFUSED) {
		pack_u8(out, t->refused_known);
		pack_varint(out, t->refused.foreign);
		pack_varint(out, t->refused.bad_token);
		pack_varint(out, t->refused.malformed);
		pack_varint(out, t->refused.late);
		pack_varint(out, t->refused.duplicate);
	}
	if (fields & BODY_SLOWED) {
		pack_varint(out, t->slowed_times);
		pack_varint(out, t->slowed_pps);
		pack_varint(out, t->repeated);
	}
	if (fields & BODY_INHERITED)
		pack_text(out, t->inherited_from);
}

static unsigned slot_width(const struct trace *t, const uint32_t *order, uint32_t slots)
{
	int64_t most = 0;
	unsigned width = BODY_WIDTH_MIN;

	for (uint32_t i = 0; i < slots; i++) {
		int64_t ns = t->entries[order[i]].reply.rtt_ns;

		most = ns > most ? ns : most;
	}
	most = body_us(most);
	/* All ones is kept for "none". */
	while (width < BODY_WIDTH_MAX && most >= (INT64_C(1) << 8 * width) - 1)
		width++;
	return width;
}

static uint8_t *put_slots(uint8_t *at, const struct trace *t, const uint32_t *order, uint32_t slots,
			  unsigned width)
{
	for (uint32_t i = 0; i < slots; i++) {
		int64_t ns = t->entries[order[i]].reply.rtt_ns;
		uint64_t us = ns < 0 ? UINT64_MAX : (uint64_t)body_us(ns);

		for (unsigned k = width; k-- > 0;)
			*at++ = (uint8_t)(us >> 8 * k);
	}
	return at;
}

void body_put(struct buf *out, const struct trace *t, const uint32_t *order, uint32_t slots)
{
	unsigned width = slot_width(t, order, slots);
	char *room = buf_room(out, 1 + (size_t)slots * width);
	int64_t last = 0;
	uint8_t *at = (uint8_t *)room;

	if (room == NULL)
		return;
	*at++ = (uint8_t)(BODY_VERSION << 4 | width);
	buf_wrote(out, (char *)put_slots(at, t, order, slots, width));
	put_head(out, t);
	room = buf_room(out, (size_t)t->entry_count * (PACK_VARINT_MAX + 2));
	if (room == NULL)
		return;
	at = (uint8_t *)room;
	for (uint32_t i = 0; i < t->entry_count; i++) {
		int64_t us;

		if (t->entries[i].tx_ns == TX_UNKNOWN)
			continue;
		us = body_us(t->entries[i].tx_ns);
		at = pack_varint_at(at, pack_fold(us - last));
		last = us;
	}
	for (uint32_t i = 0; i < t->entry_count; i++) {
		int32_t id = t->entries[i].reply.ip_id;

		if (id <= 0)
			continue;
		*at++ = (uint8_t)(id >> 8);
		*at++ = (uint8_t)id;
	}
	buf_wrote(out, (char *)at);
}

static void read_slots(struct cur *c, uint32_t slots, unsigned width, struct trace *t)
{
	for (uint32_t i = 0; i < slots && !c->failed; i++) {
		uint64_t us = 0;

		for (unsigned k = 0; k < width; k++)
			us = us << 8 | cur_u8(c);
		if (us == (UINT64_C(1) << 8 * width) - 1)
			t->entries[i].reply.rtt_ns = -1;
		else if (us > (uint64_t)(TRACE_NS_MAX / NS_PER_US))
			c->failed = true;
		else
			t->entries[i].reply.rtt_ns = (int64_t)us * NS_PER_US;
	}
	for (uint32_t i = slots; i < t->entry_count; i++)
		t->entries[i].reply.rtt_ns = -1;
}

static void read_head(struct cur *c, struct trace *t)
{
	unsigned fields = (unsigned)take_below(c, BODY_ALL);

	t->clock_known = t->refused_known = true;
	t->drops = 0;
	if (fields & BODY_SPORT)
		t->sport = cur_be16(c);
	if (fields & BODY_DROPS)
		t->drops = take_signed(c);
	if (fields & BODY_CLOCK) {
		t->clock_known = cur_u8(c) != 0;
		t->clock_stepped = t->clock_known;
	}
	if (fields & BODY_REFUSED) {
		t->refused_known = cur_u8(c) != 0;
		t->refused.foreign = (uint32_t)take_below(c, UINT32_MAX);
		t->refused.bad_token = (uint32_t)take_below(c, UINT32_MAX);
		t->refused.malformed = (uint32_t)take_below(c, UINT32_MAX);
		t->refused.late = (uint32_t)take_below(c, UINT32_MAX);
		t->refused.duplicate = (uint32_t)take_below(c, UINT32_MAX);
	}
	if (fields & BODY_SLOWED) {
		t->slowed_times = (uint32_t)take_below(c, UINT32_MAX);
		t->slowed_pps = (uint32_t)take_below(c, UINT32_MAX);
		t->repeated = (uint32_t)take_below(c, UINT32_MAX);
	}
	if (fields & BODY_INHERITED)
		take_text(c, t->inherited_from, sizeof(t->inherited_from));
}

int body_read(const uint8_t *bytes, size_t n, uint32_t slots, struct trace *t)
{
	const int64_t most = TRACE_NS_MAX / NS_PER_US;
	struct cur c = cur_of(bytes, n);
	uint8_t first = cur_u8(&c);
	unsigned width = first & 0x0f;
	int64_t last = 0;

	if (c.failed || first >> 4 != BODY_VERSION || width < BODY_WIDTH_MIN ||
	    width > BODY_WIDTH_MAX || slots > t->entry_count)
		return BP_EPARSE;
	read_slots(&c, slots, width, t);
	read_head(&c, t);
	trace_sort(t);
	for (uint32_t i = 0; i < t->entry_count && !c.failed; i++) {
		if (t->entries[i].tx_ns == TX_UNKNOWN)
			continue;
		/* Checked before it is added: a hostile difference overflows nothing. */
		int64_t step = take_signed(&c);

		if (step > 2 * most || step < -2 * most)
			return BP_EPARSE;
		last += step;
		if (last > most || last < -most)
			return BP_EPARSE;
		t->entries[i].tx_ns = last * NS_PER_US;
	}
	for (uint32_t i = 0; i < t->entry_count; i++) {
		if (t->entries[i].reply.ip_id == MARK_IP_ID)
			t->entries[i].reply.ip_id = cur_be16(&c);
	}
	return c.failed || cur_left(&c) > 0 || t->drops < -1 ? BP_EPARSE : 0;
}

int64_t body_rtt(const uint8_t *bytes, size_t n, uint32_t slot)
{
	struct cur c = cur_of(bytes, n);
	unsigned width = cur_u8(&c) & 0x0f;
	uint64_t us = 0;

	if (width < BODY_WIDTH_MIN || width > BODY_WIDTH_MAX)
		return -1;
	cur_skip(&c, (size_t)slot * width);
	for (unsigned k = 0; k < width; k++)
		us = us << 8 | cur_u8(&c);
	if (c.failed || us == (UINT64_C(1) << 8 * width) - 1 ||
	    us > (uint64_t)(TRACE_NS_MAX / NS_PER_US))
		return -1;
	return (int64_t)us * NS_PER_US;
}

int32_t body_sport(const uint8_t *bytes, size_t n, uint32_t slots)
{
	struct cur c = cur_of(bytes, n);
	size_t width = cur_u8(&c) & 0x0f;
	bool there;
	int32_t port;

	cur_skip(&c, slots * width);
	there = (take_below(&c, BODY_ALL) & BODY_SPORT) != 0;
	port = cur_be16(&c);
	return c.failed || !there ? -1 : port;
}
