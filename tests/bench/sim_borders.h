// SPDX-License-Identifier: BSD-2-Clause
/*
 * The simulated world of bench_calibration: paths into the network of the shipped profile, with the
 * faults that real borders show at stated rates, and traces of them as the prober would take them.
 * Static functions in a header: one program includes it. Judges nothing.
 */
#ifndef TESTS_BENCH_SIM_BORDERS_H
#define TESTS_BENCH_SIM_BORDERS_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/record/names.h"
#include "core/record/trace.h"

/* --- the rates, all in one place -------------------------------------------------------------- */

enum rate {
	R_ELSEWHERE, R_OTHER, R_KHASAN, R_BOTH, R_LISTED, R_OLD, R_NO_TIME,
	R_EXCHANGE, R_CUSTOMER, R_AT_CARRIER, R_THROUGH_OTHER, R_NEIGHBOUR, R_PRIVATE,
	R_INSIDE_TALKS, R_REACHED, R_TWICE, R_PROXY,
	R_SILENT, R_LIMITED, R_LOSS, R_CARRIER_SILENT, R_CUT,
	R_ENTRY_THIRD, R_LAST_THIRD, R_JOIN_THIRD, R_JOIN_OTHER_SIDE, R_MID_THIRD,
	R_NO_ASN, R_WRONG_ASN, R_WRONG_TO_BORDER, R_WRONG_COUNTRY, R_UNLISTED_SPACE,
	R_FILTER, R_FILTER_EARLIER,
	RATES
};

static const struct { double p; const char *what; } rates[RATES] = {
	[R_ELSEWHERE] = {.05, "the destination is elsewhere, half of these paths cross a carrier"},
	[R_OTHER] = {.06, "in by a way that is no border"},
	[R_KHASAN] = {.48, "of the others: in by Khasan, else by Dandong"},
	[R_BOTH] = {.005, "the probes of one trace are spread over both (flows not constant)"},
	[R_LISTED] = {.3, "of the other ways: one that the profile lists"},
	[R_OLD] = {.05, "the record is of 2013, when Khasan was no way in"},
	[R_NO_TIME] = {.1, "the record has no time"},
	[R_EXCHANGE] = {.2, "an exchange LAN before the carrier (a third of them with an AS)"},
	[R_CUSTOMER] = {.05, "a customer's router on a carrier's space near the start"},
	[R_AT_CARRIER] = {.05, "the vantage point is at a carrier, not the one that crosses"},
	[R_THROUGH_OTHER] = {.05, "one carrier hands over to the other"},
	[R_NEIGHBOUR] = {.06, "one to two hops of a neighbour that no table and no profile has"},
	[R_PRIVATE] = {.1, "a carrier's router has a private address"},
	[R_INSIDE_TALKS] = {.2, "one of the 0 to 3 routers at the border answers"},
	[R_REACHED] = {.6, "the destination answers"},
	[R_TWICE] = {.15, "it answers at two TTLs"},
	[R_PROXY] = {.005, "a proxy near the start answers in its name, too"},
	[R_SILENT] = {.15, "a router never answers"},
	[R_LIMITED] = {.1, "a router answers 4 of 10 probes"},
	[R_LOSS] = {.05, "an answer is lost"},
	[R_CARRIER_SILENT] = {.02, "the whole carrier is silent"},
	[R_CUT] = {.04, "nothing answers from some hop on"},
	[R_ENTRY_THIRD] = {.25, "the first router of a network answers from the one before"},
	[R_LAST_THIRD] = {.02, "the last outside router answers as the other carrier"},
	[R_JOIN_THIRD] = {.3, "a joining router that answers does so from a carrier's space"},
	[R_JOIN_OTHER_SIDE] = {.5, "of those: from the side not taken"},
	[R_MID_THIRD] = {.01, "a carrier's router answers from a stranger's space"},
	[R_NO_ASN] = {.05, "an address has no AS in the table"},
	[R_WRONG_ASN] = {.015, "the table names the wrong AS"},
	[R_WRONG_TO_BORDER] = {.2, "of those: a border's"},
	[R_WRONG_COUNTRY] = {.1, "the table names the wrong country"},
	[R_UNLISTED_SPACE] = {.3, "a carrier's address lies outside the profile's prefixes"},
	[R_FILTER] = {.4, "for icmp and udp: the last outside router filters, and half say so"},
	[R_FILTER_EARLIER] = {.2, "of those: the router before it"},
};

/* --- chance ----------------------------------------------------------------------------------- */

/* scale multiplies the rates of the faults. */
struct chance { uint64_t s; double scale; };

static uint64_t draw(struct chance *c)
{
	/* splitmix64, Steele, Lea, Flood 2014 */
	uint64_t z = c->s += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static double uniform(struct chance *c)
{
	return (double)(draw(c) >> 11) * 0x1.0p-53;
}

/* What goes wrong, as against what the world is like. */
static bool is_fault(enum rate r)
{
	return r == R_BOTH || r == R_CUSTOMER || r == R_AT_CARRIER || r == R_THROUGH_OTHER ||
	       r == R_NEIGHBOUR || (r >= R_PROXY && r <= R_UNLISTED_SPACE);
}

static bool happens(struct chance *c, enum rate r)
{
	return uniform(c) < rates[r].p * (is_fault(r) ? c->scale : 1);
}

static unsigned between(struct chance *c, unsigned low, unsigned high)
{
	return low + (unsigned)(draw(c) % (high - low + 1));
}

/* Index by weights in hundredths. */
static unsigned pick(struct chance *c, const unsigned *hundredths, unsigned n)
{
	unsigned x = (unsigned)(draw(c) % 100), i = 0;

	while (i + 1 < n && x >= hundredths[i]) {
		x -= hundredths[i];
		i++;
	}
	return i;
}

/* --- the world -------------------------------------------------------------------------------- */

enum net { NET_PRIVATE, NET_DANDONG, NET_KHASAN, NET_LISTED, NET_EXCHANGE, NET_NAMELESS, NET_INSIDE,
	   NET_TRANSIT, NETS = NET_TRANSIT + 8 };

static const struct {
	uint32_t asn;
	const char *org, *country;
	uint8_t listed[2], unlisted[2]; /* first two bytes, in and outside the profile's space */
} nets[NETS] = {
	[NET_PRIVATE] = {0, "", "", {10, 0}, {10, 0}},
	[NET_DANDONG] = {4837, "China Unicom", "CN", {219, 158}, {123, 112}},
	[NET_KHASAN] = {20485, "TransTeleCom", "RU", {188, 43}, {62, 33}},
	[NET_LISTED] = {22351, "Intelsat", "US", {202, 72}, {202, 72}},
	[NET_EXCHANGE] = {6695, "an exchange", "DE", {80, 81}, {80, 81}},
	[NET_NAMELESS] = {0, "", "", {45, 65}, {45, 65}},
	[NET_INSIDE] = {131279, "Star JV", "KP", {175, 45}, {175, 45}},
	[NET_TRANSIT] = {6453, "Tata", "US", {66, 110}, {66, 110}},
	{1299, "Arelion", "SE", {213, 248}, {213, 248}}, {3356, "Lumen", "US", {4, 68}, {4, 68}},
	{2914, "NTT", "JP", {129, 250}, {129, 250}}, {174, "Cogent", "US", {154, 54}, {154, 54}},
	{9002, "RETN", "GB", {87, 245}, {87, 245}},
	{12389, "Rostelecom", "RU", {87, 226}, {87, 226}},
	{4134, "Chinanet", "CN", {202, 97}, {202, 97}},
};

enum { ROUTERS = 64, TTLS = 40, ATTEMPTS = 3 };

struct router {
	uint8_t net;         /* whose it is */
	struct addr from;    /* what it answers with */
	bool silent, limited, inside, filters;
};

struct world_path {
	struct router r[2][ROUTERS]; /* by branch; the same where there is one */
	unsigned n[2];
	unsigned branches;
	int truth;                   /* border index, 2 other, 3 both, -1 elsewhere */
	struct addr dst;
	bool reached, twice, cut_silent;
	unsigned filter_at[2];       /* index of the router that filters; ROUTERS none */
	bool filter_says;
	unsigned proxy_at;           /* TTL; 0 none */
	struct wall start;
	uint8_t method;
};

struct world {
	struct chance c;
	struct names names;
};

static struct addr address(struct world *w, enum net net)
{
	bool unlisted = happens(&w->c, R_UNLISTED_SPACE);
	const uint8_t *head = unlisted ? nets[net].unlisted : nets[net].listed;
	uint8_t b[4] = {head[0], head[1], (uint8_t)between(&w->c, 0, 255),
			(uint8_t)between(&w->c, 1, 254)};

	if (net == NET_INSIDE)
		b[2] = (uint8_t)between(&w->c, 176, 179);
	return addr_v4(b);
}

/* What the tables say of it, faults included. */
static void table(struct world *w, struct addr a, enum net net)
{
	struct name *n = names_put(&w->names, a);
	enum net said = net;

	if (n == NULL)
		abort();
	if (net == NET_PRIVATE || net == NET_NAMELESS)
		return;
	if (happens(&w->c, R_WRONG_ASN))
		said = happens(&w->c, R_WRONG_TO_BORDER)
			       ? (enum net)between(&w->c, NET_DANDONG, NET_KHASAN)
			       : (enum net)between(&w->c, NET_TRANSIT, NETS - 1);
	if (!happens(&w->c, R_NO_ASN) &&
	    (net != NET_EXCHANGE || said != net || uniform(&w->c) < .33)) {
		n->asn = nets[said].asn;
		n->source = NAME_SOURCE_ASN_DB;
		text_set(n->org, sizeof(n->org), nets[said].org);
	}
	if (happens(&w->c, R_WRONG_COUNTRY))
		said = (enum net)between(&w->c, NET_DANDONG, NETS - 1);
	text_set(n->country, sizeof(n->country), nets[said].country);
}

static struct router *add(struct world *w, struct world_path *p, unsigned branch, enum net net,
			  enum net answers_as)
{
	struct router *r = &p->r[branch][p->n[branch]];

	if (p->n[branch] + 1 < ROUTERS)
		p->n[branch]++;
	*r = (struct router){.net = (uint8_t)net, .inside = net == NET_INSIDE};
	r->from = address(w, answers_as);
	r->silent = happens(&w->c, R_SILENT);
	r->limited = happens(&w->c, R_LIMITED);
	table(w, r->from, answers_as);
	return r;
}

/* n routers of one network; the first may answer from the network before it. */
static void add_net(struct world *w, struct world_path *p, unsigned branch, enum net net,
		    unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		enum net as = net;

		if (i == 0 && p->n[branch] > 0 && happens(&w->c, R_ENTRY_THIRD))
			as = p->r[branch][p->n[branch] - 1].net;
		else if ((net == NET_DANDONG || net == NET_KHASAN) && happens(&w->c, R_PRIVATE))
			as = NET_PRIVATE;
		else if ((net == NET_DANDONG || net == NET_KHASAN) && happens(&w->c, R_MID_THIRD))
			as = (enum net)between(&w->c, NET_TRANSIT, NETS - 1);
		add(w, p, branch, net, as);
	}
}

static enum net transit(struct world *w)
{
	return (enum net)between(&w->c, NET_TRANSIT, NETS - 1);
}

static void add_start(struct world *w, struct world_path *p, enum net not_at)
{
	add_net(w, p, 0, NET_PRIVATE, between(&w->c, 1, 2));
	if (happens(&w->c, R_CUSTOMER))
		add(w, p, 0, transit(w), (enum net)between(&w->c, NET_DANDONG, NET_KHASAN));
	if (happens(&w->c, R_AT_CARRIER))
		add_net(w, p, 0, not_at == NET_DANDONG ? NET_KHASAN : NET_DANDONG,
			between(&w->c, 1, 4));
	for (unsigned i = between(&w->c, 1, 3); i > 0; i--)
		add_net(w, p, 0, transit(w), between(&w->c, 1, 3));
	if (happens(&w->c, R_EXCHANGE))
		add(w, p, 0, NET_EXCHANGE, NET_EXCHANGE);
}

/* The carrier's part, as seen: label switching hides some of it. */
static void add_carrier(struct world *w, struct world_path *p, unsigned branch, enum net net)
{
	static const unsigned length[] = {12, 20, 25, 20, 13, 10};
	enum net other = net == NET_DANDONG ? NET_KHASAN : NET_DANDONG;
	unsigned begin, n = 1 + pick(&w->c, length, 6);
	bool all_silent = happens(&w->c, R_CARRIER_SILENT);

	if (happens(&w->c, R_THROUGH_OTHER))
		add_net(w, p, branch, other, between(&w->c, 1, 4));
	begin = p->n[branch];
	add_net(w, p, branch, net, n);
	if (happens(&w->c, R_LAST_THIRD)) {
		struct router *last = &p->r[branch][p->n[branch] - 1];

		last->from = address(w, other);
		table(w, last->from, other);
	}
	for (unsigned i = begin; all_silent && i < p->n[branch]; i++)
		p->r[branch][i].silent = true;
	if (happens(&w->c, R_NEIGHBOUR))
		add_net(w, p, branch, NET_NAMELESS, between(&w->c, 1, 2));
}

static void add_other_way(struct world *w, struct world_path *p)
{
	bool listed = happens(&w->c, R_LISTED);

	/* Where it is not listed it is some transit network, at times behind a carrier. */
	if (!listed && uniform(&w->c) < .2)
		add_net(w, p, 0, uniform(&w->c) < .5 ? NET_DANDONG : NET_KHASAN,
			between(&w->c, 1, 3));
	add_net(w, p, 0, listed ? NET_LISTED : transit(w), between(&w->c, 1, 3));
	if (happens(&w->c, R_LAST_THIRD)) {
		struct router *last = &p->r[0][p->n[0] - 1];
		enum net as = (enum net)between(&w->c, NET_DANDONG, NET_KHASAN);

		last->from = address(w, as);
		table(w, last->from, as);
	}
}

/* The routers at the border and inside, mostly silent. */
static void add_inside(struct world *w, struct world_path *p, unsigned branch, enum net carrier)
{
	static const unsigned length[] = {5, 10, 20, 65};
	unsigned n = pick(&w->c, length, 4);

	for (unsigned i = 0; i < n; i++) {
		bool private = uniform(&w->c) < .4;
		enum net as = private ? NET_PRIVATE : NET_INSIDE;
		struct router *r;

		if (i == 0 && happens(&w->c, R_JOIN_THIRD)) {
			as = carrier == NET_KHASAN ? NET_KHASAN : NET_DANDONG;
			if (happens(&w->c, R_JOIN_OTHER_SIDE))
				as = as == NET_KHASAN ? NET_DANDONG : NET_KHASAN;
		}
		r = add(w, p, branch, NET_INSIDE, as);
		r->silent = !happens(&w->c, R_INSIDE_TALKS);
	}
}

static void add_filter(struct world *w, struct world_path *p, unsigned branch, unsigned outside)
{
	p->filter_at[branch] = ROUTERS;
	if (p->method == METHOD_TCP || p->truth < 0 || outside == 0)
		return;
	p->filter_at[branch] = outside - 1;
	if (outside > 1 && happens(&w->c, R_FILTER_EARLIER))
		p->filter_at[branch]--;
}

static void make_path(struct world *w, struct world_path *p)
{
	static const uint8_t inside[4] = {175, 45, 176, 71}, elsewhere[4] = {8, 8, 8, 8};
	const struct wall now = {INT64_C(1795341600) * NS_PER_S};
	const struct wall y2013 = {INT64_C(1370044800) * NS_PER_S};
	bool filtered, old = happens(&w->c, R_OLD);
	enum net carrier;

	memset(p, 0, sizeof(*p));
	p->branches = 1;
	p->dst = addr_v4(inside);
	p->method = (uint8_t)between(&w->c, METHOD_ICMP, METHOD_TCP);
	p->start = old ? y2013 : happens(&w->c, R_NO_TIME) ? (struct wall){0} : now;
	filtered = happens(&w->c, R_FILTER);
	p->filter_says = uniform(&w->c) < .5;
	p->filter_at[0] = p->filter_at[1] = ROUTERS;
	if (happens(&w->c, R_ELSEWHERE)) {
		p->truth = -1;
		p->dst = addr_v4(elsewhere);
		add_start(w, p, NET_DANDONG);
		if (uniform(&w->c) < .5)
			add_carrier(w, p, 0, uniform(&w->c) < .5 ? NET_DANDONG : NET_KHASAN);
		add_net(w, p, 0, transit(w), 2);
	} else if (happens(&w->c, R_OTHER)) {
		p->truth = 2;
		add_start(w, p, NET_DANDONG);
		add_other_way(w, p);
		if (filtered)
			add_filter(w, p, 0, p->n[0]);
		add_inside(w, p, 0, NET_LISTED);
	} else {
		unsigned start;

		p->truth = !old && happens(&w->c, R_KHASAN);
		carrier = p->truth == 1 ? NET_KHASAN : NET_DANDONG;
		add_start(w, p, carrier);
		start = p->n[0];
		add_carrier(w, p, 0, carrier);
		if (filtered)
			add_filter(w, p, 0, p->n[0]);
		add_inside(w, p, 0, carrier);
		if (!old && happens(&w->c, R_BOTH)) {
			p->truth = 3;
			p->branches = 2;
			memcpy(p->r[1], p->r[0], sizeof(p->r[1]));
			p->n[1] = start;
			carrier = carrier == NET_KHASAN ? NET_DANDONG : NET_KHASAN;
			add_carrier(w, p, 1, carrier);
			if (filtered)
				add_filter(w, p, 1, p->n[1]);
			add_inside(w, p, 1, carrier);
		}
	}
	p->reached = happens(&w->c, R_REACHED);
	p->twice = happens(&w->c, R_TWICE);
	if (happens(&w->c, R_PROXY))
		p->proxy_at = between(&w->c, 2, 3);
	if (happens(&w->c, R_CUT)) {
		for (unsigned b = 0; b < p->branches; b++) {
			unsigned at = between(&w->c, 1, p->n[b]);

			for (unsigned i = at; i < p->n[b]; i++)
				p->r[b][i].silent = true;
		}
		p->cut_silent = true;
	}
}

/* --- probing it ------------------------------------------------------------------------------- */

static void answer(struct trace_entry *e, struct addr from, int type, int code)
{
	e->why = WHY_NONE;
	e->reply.from = from;
	e->reply.rtt_ns = e->ttl * 10 * NS_PER_MS;
	e->reply.icmp_type = (int16_t)type;
	e->reply.icmp_code = (int16_t)code;
}

static void answer_destination(const struct world_path *p, struct trace_entry *e)
{
	if (p->method == METHOD_TCP) {
		answer(e, p->dst, -1, -1);
		e->reply.tcp_flags = 0x12;
	} else if (p->method == METHOD_UDP) {
		answer(e, p->dst, 3, 3);
	} else {
		answer(e, p->dst, 0, 0);
	}
}

static void probe(struct world *w, const struct world_path *p, struct trace_entry *e)
{
	unsigned b = p->branches == 2 ? between(&w->c, 0, 1) : 0;
	unsigned i = e->ttl - 1u;

	if (happens(&w->c, R_LOSS))
		return;
	if (p->proxy_at != 0 && e->ttl >= p->proxy_at && e->ttl < p->proxy_at + 1 &&
	    p->method == METHOD_TCP) {
		answer_destination(p, e);
		return;
	}
	if (p->filter_at[b] < ROUTERS && i > p->filter_at[b]) {
		if (p->filter_says && uniform(&w->c) < .4)
			answer(e, p->r[b][p->filter_at[b]].from, 3, 13);
		return;
	}
	if (i < p->n[b]) {
		const struct router *r = &p->r[b][i];

		if (p->twice && p->reached && r->inside && i + 1 == p->n[b])
			answer(e, p->dst, 11, 0);
		else if (!r->silent && (!r->limited || uniform(&w->c) < .4))
			answer(e, r->from, 11, 0);
		return;
	}
	if (p->reached && !p->cut_silent)
		answer_destination(p, e);
}

/* As the prober does: to the destination, or five silent TTLs, or the last TTL. */
static struct trace *measure(struct world *w, const struct world_path *p)
{
	struct trace *t = trace_new(TTLS * ATTEMPTS);
	unsigned silent = 0;

	if (t == NULL)
		abort();
	t->method = p->method;
	t->dst = p->dst;
	t->start = p->start;
	t->stamps = STAMPS_PCAP;
	for (uint8_t ttl = 1; ttl <= TTLS && silent < 5; ttl++) {
		bool any = false, reached = false;

		for (uint8_t a = 1; a <= ATTEMPTS; a++) {
			struct trace_entry *e = &t->entries[t->entry_count++];

			trace_entry_init(e, ttl, a);
			probe(w, p, e);
			any = any || addr_is_set(e->reply.from);
			reached = reached || trace_entry_is_destination(t, e);
		}
		silent = any ? 0 : silent + 1;
		if (reached && ttl > 4)
			break;
	}
	t->size = (uint32_t)trace_size(t->entry_count);
	return t;
}

#endif
