// SPDX-License-Identifier: BSD-2-Clause
/* The trace value: unknowns, validation, order, statistics, ICMP meanings. Names nobody. */
#include "core/record/trace.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"

const struct word method_words[] = {
	{"icmp", METHOD_ICMP}, {"udp", METHOD_UDP}, {"tcp", METHOD_TCP}, {NULL, 0}};
const struct word stop_words[] = {
	{"reached", STOP_REACHED}, {"gap_limit", STOP_GAP_LIMIT}, {"max_ttl", STOP_MAX_TTL},
	{"unreachable", STOP_UNREACHABLE}, {"loop", STOP_LOOP}, {"timeout", STOP_TIMEOUT},
	{"interrupted", STOP_INTERRUPTED}, {"error", STOP_ERROR}, {"unknown", STOP_UNKNOWN},
	{NULL, 0}};
const struct word reach_words[] = {
	{"unknown", REACH_UNKNOWN}, {"reached", REACH_REACHED}, {"filtered", REACH_FILTERED},
	{"unreachable", REACH_UNREACHABLE}, {"silent", REACH_SILENT}, {NULL, 0}};
const struct word reached_by_words[] = {
	{"echo_reply", REACHED_BY_ECHO_REPLY}, {"port_unreachable", REACHED_BY_PORT_UNREACHABLE},
	{"syn_ack", REACHED_BY_SYN_ACK}, {"rst", REACHED_BY_RST}, {NULL, 0}};
const struct word stamps_words[] = {
	{"unknown", STAMPS_UNKNOWN}, {"pcap", STAMPS_PCAP}, {"import", STAMPS_IMPORT}, {NULL, 0}};
const struct word why_words[] = {
	{"timeout", WHY_TIMEOUT}, {"not_sent", WHY_NOT_SENT}, {"not_seen", WHY_NOT_SEEN},
	{"interrupted", WHY_INTERRUPTED}, {NULL, 0}};
const struct word reply_flag_words[] = {
	{"late", REPLY_LATE}, {"dup", REPLY_DUP}, {"rewritten", REPLY_REWRITTEN},
	{"faster_than_light", REPLY_FTL}, {"nat", REPLY_NAT}, {"clock", REPLY_CLOCK},
	{"nearer", REPLY_NEARER}, {"quoted_ttl", REPLY_QUOTE}, {"inherited", REPLY_INHERITED},
	{NULL, 0}};
const struct word iface_role_words[] = {
	{"incoming", IFACE_INCOMING}, {"sub_ip", IFACE_SUB_IP}, {"outgoing", IFACE_OUTGOING},
	{"next_hop", IFACE_NEXT_HOP}, {NULL, 0}};

void trace_init(struct trace *t)
{
	memset(t, 0, sizeof(*t));
	t->size = (uint32_t)sizeof(*t);
	t->sport = t->dport = t->flow = t->probe_size = -1;
	t->wait_ms = t->rate_pps = t->sent = t->received = t->drops = -1;
}

struct trace *trace_new(uint32_t room)
{
	struct trace *t;

	if (room > TRACE_MAX_ENTRIES)
		return NULL;
	t = malloc(trace_size(room));
	if (t != NULL)
		trace_init(t);
	return t;
}

void trace_entry_init(struct trace_entry *e, uint8_t ttl, uint8_t attempt)
{
	memset(e, 0, sizeof(*e));
	e->ttl = ttl;
	e->attempt = attempt;
	e->why = WHY_TIMEOUT;
	e->tx_ns = TX_UNKNOWN;
	e->reply.rtt_ns = -1;
	e->reply.icmp_type = e->reply.icmp_code = e->reply.tcp_flags = -1;
	e->reply.reply_ttl = e->reply.quoted_ttl = -1;
	e->reply.size = e->reply.ip_id = e->reply.mtu = -1;
}

/* Terminated, and as text_copy leaves it: it will be shown, and written as JSON. */
static bool text_valid(const char *text, size_t size)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t n = strnlen(text, size), len;

	for (size_t at = 0; at < n; at += len) {
		len = text_shown(s + at, n - at);
		if (len == 0)
			return false;
	}
	return n < size;
}

static bool addr_valid(struct addr a)
{
	return a.family == 0 || a.family == 4 || a.family == 6;
}

/* Looked at as a byte: reading a bool that is neither is undefined. */
static bool bool_valid(const bool *b)
{
	uint8_t v;

	memcpy(&v, b, sizeof(v));
	return v <= 1;
}

/* Unknown, or at most `max`. */
static bool in_range(int64_t v, int64_t max)
{
	return v >= -1 && v <= max;
}

/* The years 1700 to 2200, which wall_parse reads. */
static bool wall_valid(struct wall w)
{
	return w.ns >= INT64_C(-8520336000) * NS_PER_S && w.ns < INT64_C(7289654400) * NS_PER_S;
}

static bool labels_valid(const struct reply *r)
{
	if (r->mpls_count > TRACE_MPLS_MAX)
		return false;
	for (unsigned i = 0; i < r->mpls_count; i++) {
		if (r->mpls[i].label > 0xfffff || r->mpls[i].exp > 7 || r->mpls[i].s > 1)
			return false;
	}
	return true;
}

/* What the record can say, and no more: a trace that is accepted can be written and read. */
static bool reply_valid(const struct reply *r)
{
	return addr_valid(r->from) && in_range(r->rtt_ns, TRACE_NS_MAX) &&
	       in_range(r->icmp_type, 255) && in_range(r->icmp_code, 255) &&
	       in_range(r->tcp_flags, 511) &&
	       in_range(r->reply_ttl, 255) && in_range(r->quoted_ttl, 255) && r->size >= -1 &&
	       in_range(r->ip_id, 65535) && r->mtu >= -1 && labels_valid(r) &&
	       r->iface.role <= IFACE_NEXT_HOP && addr_valid(r->iface.addr) &&
	       text_valid(r->iface.name, sizeof(r->iface.name));
}

static bool counts_valid(const struct trace *t)
{
	return in_range(t->sport, 65535) && in_range(t->dport, 65535) && t->flow >= -1 &&
	       t->probe_size >= -1 && t->wait_ms >= -1 && t->rate_pps >= -1 && t->sent >= -1 &&
	       t->received >= -1 && t->drops >= -1 && wall_valid(t->start) &&
	       wall_valid(t->end);
}

static bool entry_valid(const struct trace_entry *e)
{
	const struct reply *r = &e->reply;

	return e->ttl > 0 && e->attempt > 0 && e->why <= WHY_INTERRUPTED && reply_valid(r) &&
	       addr_is_set(r->from) == (e->why == WHY_NONE) &&
	       (e->tx_ns == TX_UNKNOWN ||
		(e->tx_ns >= -TRACE_NS_MAX && e->tx_ns <= TRACE_NS_MAX));
}

static int entry_order(const struct trace_entry *a, const struct trace_entry *b)
{
	if (a->ttl != b->ttl)
		return a->ttl < b->ttl ? -1 : 1;
	return a->attempt < b->attempt ? -1 : a->attempt > b->attempt;
}

int trace_validate(const struct trace *t, size_t n)
{
	if (n < sizeof(*t) || t->entry_count > TRACE_MAX_ENTRIES ||
	    t->size != trace_size(t->entry_count) || t->size != n)
		return BP_EPARSE;
	if (!text_valid(t->id, sizeof(t->id)) || !text_valid(t->campaign, sizeof(t->campaign)) ||
	    !text_valid(t->round, sizeof(t->round)) ||
	    !text_valid(t->vantage, sizeof(t->vantage)) ||
	    !text_valid(t->target, sizeof(t->target)) || !text_valid(t->tool, sizeof(t->tool)) ||
	    !text_valid(t->ifname, sizeof(t->ifname)) ||
	    !text_valid(t->error, sizeof(t->error)) ||
	    !text_valid(t->inherited_from, sizeof(t->inherited_from)))
		return BP_EPARSE;
	if (!addr_valid(t->src) || !addr_valid(t->dst) || t->method > METHOD_TCP ||
	    t->stop > STOP_ERROR || t->reach > REACH_SILENT ||
	    t->reached_by > REACHED_BY_RST || t->stamps > STAMPS_IMPORT)
		return BP_EPARSE;
	if (!bool_valid(&t->clock_stepped) || !bool_valid(&t->clock_known) ||
	    !bool_valid(&t->refused_known) || !bool_valid(&t->place_known) || !counts_valid(t))
		return BP_EPARSE;
	/* Written so that no number is refused too. */
	if (t->place_known && !(fabs(t->lat) <= 90 && fabs(t->lon) <= 180))
		return BP_EPARSE;
	for (uint32_t i = 0; i < t->entry_count; i++) {
		if (!entry_valid(&t->entries[i]) ||
		    (i > 0 && entry_order(&t->entries[i - 1], &t->entries[i]) > 0))
			return BP_EPARSE;
	}
	return 0;
}

/* Stable, in place; quick where entries are nearly in order, as a tracer's are. */
static void insertion_sort(struct trace_entry *e, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++) {
		struct trace_entry moved;
		uint32_t j = i;

		if (entry_order(&e[i - 1], &e[i]) <= 0)
			continue;
		moved = e[i];
		for (; j > 0 && entry_order(&e[j - 1], &moved) > 0; j--)
			e[j] = e[j - 1];
		e[j] = moved;
	}
}

/* One pass of a merge sort: runs of `width` in `from` become runs of twice that in `to`. */
static void merge_runs(const struct trace_entry *from, struct trace_entry *to, uint32_t n,
		       uint32_t width)
{
	for (uint32_t begin = 0; begin < n; begin += 2 * width) {
		uint32_t middle = n - begin < width ? n : begin + width;
		uint32_t end = n - middle < width ? n : middle + width;
		uint32_t a = begin, b = middle;

		for (uint32_t out = begin; out < end; out++) {
			bool left = b == end ||
				    (a < middle && entry_order(&from[a], &from[b]) <= 0);

			to[out] = from[left ? a++ : b++];
		}
	}
}

void trace_sort(struct trace *t)
{
	struct trace_entry *spare, *from = t->entries, *to;
	uint32_t n = t->entry_count, inversions = 0;

	for (uint32_t i = 1; i < n; i++)
		inversions += entry_order(&from[i - 1], &from[i]) > 0;
	if (inversions == 0)
		return;
	/* Somebody's file may hold 65,535 probes backwards: that must not take a minute. */
	spare = n > 256 ? malloc(n * sizeof(*spare)) : NULL;
	if (spare == NULL) {
		insertion_sort(t->entries, n);
		return;
	}
	to = spare;
	for (uint32_t width = 1; width < n; width *= 2) {
		struct trace_entry *swap = from;

		merge_runs(from, to, n, width);
		from = to;
		to = swap;
	}
	if (from != t->entries)
		memcpy(t->entries, from, n * sizeof(*from));
	free(spare);
}

bool trace_hop(const struct trace *t, uint8_t ttl, uint32_t *begin, uint32_t *end)
{
	uint32_t b = 0, e;

	while (b < t->entry_count && t->entries[b].ttl < ttl)
		b++;
	for (e = b; e < t->entry_count && t->entries[e].ttl == ttl; e++)
		;
	if (b == e)
		return false;
	*begin = b;
	*end = e;
	return true;
}

/* Whether this address also answered that a TTL ran out: then it stands before the target. */
static bool answers_as_router(const struct trace *t, struct addr a)
{
	for (uint32_t i = 0; i < t->entry_count; i++) {
		const struct reply *r = &t->entries[i].reply;

		if (addr_equal(r->from, a) &&
		    icmp_is_ttl_exceeded(a.family, r->icmp_type, r->icmp_code))
			return true;
	}
	return false;
}

/* A target that answers for a whole prefix may do so from its interface's address: what ties the
 * reply to the probe is the quote. A firewall on the way that rejects as REJECT of iptables does (a
 * port-unreachable) is a router that lets TTLs run out. */
static bool is_targets_port(const struct trace *t, struct addr from)
{
	if (addr_equal(from, t->dst) ||
	    (from.family == 6 && prefix_has(prefix_of(t->dst, 64), from)))
		return true;
	return !answers_as_router(t, from);
}

bool trace_entry_is_destination(const struct trace *t, const struct trace_entry *e)
{
	const struct reply *r = &e->reply;
	uint8_t family = r->from.family;

	if (!addr_is_set(r->from) || (r->flags & (REPLY_NEARER | REPLY_FTL)))
		return false;
	if (r->tcp_flags >= 0)
		return addr_equal(r->from, t->dst);
	/* Text of other tools often has no types: the destination's unmarked answer counts. */
	if (r->icmp_type < 0)
		return t->stamps == STAMPS_IMPORT && addr_equal(r->from, t->dst);
	if (icmp_is_echo_reply(family, r->icmp_type))
		return addr_equal(r->from, t->dst);
	return t->method == METHOD_UDP &&
	       icmp_is_port_unreachable(family, r->icmp_type, r->icmp_code) &&
	       is_targets_port(t, r->from);
}

static int compare_ns(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

enum { STATS_ROOM = 512 };

static void stats_finish(struct hop_stats *s, int64_t *rtts, unsigned n)
{
	s->min_ns = s->median_ns = -1;
	if (n == 0)
		return;
	qsort(rtts, n, sizeof(rtts[0]), compare_ns);
	s->min_ns = rtts[0];
	s->median_ns = n % 2 ? rtts[n / 2] : (rtts[n / 2 - 1] + rtts[n / 2]) / 2;
}

/* Late and duplicate replies are extra entries, inherited ones were asked in another trace: they
 * count neither as sent nor in the delay. */
static void stats_add(struct hop_stats *s, int64_t *rtts, unsigned *n, const struct trace_entry *e)
{
	if (e->reply.flags & (REPLY_LATE | REPLY_DUP | REPLY_INHERITED))
		return;
	if (e->why != WHY_NOT_SENT)
		s->sent++;
	if (!addr_is_set(e->reply.from))
		return;
	s->answered++;
	if (e->reply.rtt_ns >= 0 && *n < STATS_ROOM)
		rtts[(*n)++] = e->reply.rtt_ns;
}

struct hop_stats trace_hop_stats(const struct trace *t, uint8_t ttl)
{
	struct hop_stats s = {.min_ns = -1, .median_ns = -1};
	int64_t rtts[STATS_ROOM];
	uint32_t begin, end;
	unsigned n = 0;

	if (!trace_hop(t, ttl, &begin, &end))
		return s;
	for (uint32_t i = begin; i < end; i++)
		stats_add(&s, rtts, &n, &t->entries[i]);
	stats_finish(&s, rtts, n);
	return s;
}

struct hop_stats trace_destination_stats(const struct trace *t)
{
	struct hop_stats s = {.min_ns = -1, .median_ns = -1};
	int64_t rtts[STATS_ROOM];
	unsigned n = 0;

	for (uint32_t i = 0; i < t->entry_count; i++) {
		if (trace_entry_is_destination(t, &t->entries[i]))
			stats_add(&s, rtts, &n, &t->entries[i]);
	}
	stats_finish(&s, rtts, n);
	return s;
}

bool icmp_is_ttl_exceeded(uint8_t family, int icmp_type, int icmp_code)
{
	return icmp_type == (family == 4 ? 11 : 3) && icmp_code == 0;
}

bool icmp_is_unreachable(uint8_t family, int icmp_type)
{
	/* ICMPv6 packet too big (2) is IPv4's frag needed (3/4). */
	return family == 4 ? icmp_type == 3 : icmp_type == 1 || icmp_type == 2;
}

bool icmp_is_prohibited(uint8_t family, int icmp_type, int icmp_code)
{
	/* RFC 1812: 9, 10, 13. RFC 4443: 1 prohibited, 5 source policy, 6 reject route. */
	if (family == 4)
		return icmp_type == 3 && (icmp_code == 9 || icmp_code == 10 || icmp_code == 13);
	return icmp_type == 1 && (icmp_code == 1 || icmp_code == 5 || icmp_code == 6);
}

bool icmp_is_port_unreachable(uint8_t family, int icmp_type, int icmp_code)
{
	return family == 4 ? icmp_type == 3 && icmp_code == 3 : icmp_type == 1 && icmp_code == 4;
}

bool icmp_is_echo_reply(uint8_t family, int icmp_type)
{
	return icmp_type == (family == 4 ? 0 : 129);
}

/* The marks of traceroute(8), Linux; a code without a mark of its own is "!<code>". */
static const struct { uint8_t family, type, code; const char *mark; } marks[] = {
	{4, 3, 0, "!N"}, {4, 3, 1, "!H"}, {4, 3, 2, "!P"}, {4, 3, 3, ""}, {4, 3, 4, "!F"},
	{4, 3, 5, "!S"}, {4, 3, 6, "!U"}, {4, 3, 7, "!W"}, {4, 3, 8, "!I"}, {4, 3, 9, "!A"},
	{4, 3, 10, "!Z"}, {4, 3, 11, "!Q"}, {4, 3, 12, "!T"}, {4, 3, 13, "!X"}, {4, 3, 14, "!V"},
	{4, 3, 15, "!C"}, {6, 1, 0, "!N"}, {6, 1, 1, "!X"}, {6, 1, 2, "!S"}, {6, 1, 3, "!H"},
	{6, 1, 4, ""}, {6, 1, 5, "!A"}, {6, 1, 6, "!X"}, {6, 2, 0, "!F"},
};

const char *icmp_mark(uint8_t family, int icmp_type, int icmp_code)
{
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		if (marks[i].family == family && marks[i].type == icmp_type &&
		    marks[i].code == icmp_code)
			return marks[i].mark;
	}
	return icmp_type >= 0 && icmp_is_unreachable(family, icmp_type) ? "!?" : "";
}

const char *trace_id_vantage(const char *vantage, char out[static TRACE_ID_VANTAGE_TEXT])
{
	size_t n = 0;

	for (; vantage[n] != '\0' && n + 1 < TRACE_ID_VANTAGE_TEXT; n++) {
		unsigned char c = (unsigned char)vantage[n];

		out[n] = c < 0x80 && (isalnum(c) || c == '.' || c == '_') ? (char)c : '_';
	}
	out[n] = '\0';
	return out;
}
