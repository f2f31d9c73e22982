// SPDX-License-Identifier: BSD-2-Clause
/* Capture filter; packet -> flight or counter. */
#include "prober/watch.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "prober/wire/parse.h"

enum { FILTER_ROW_TEXT = 2048, TCP_RST = 0x04 };

int watch_filter(int lo_index, char *out, size_t size, struct bp_error *err)
{
	static const enum method methods[] = {METHOD_ICMP, METHOD_UDP, METHOD_TCP};
	char row[FILTER_ROW_TEXT];
	int used, n;

	/* Flags: RST 4. libpcap's tcp[] sees IPv4 only; ip6[53] is a plain header's flags. */
	used = snprintf(out, size, "(outbound and tcp src portrange %d-%d and "
			"((ip and tcp[13] & 4 != 0) or (ip6 and ip6[53] & 4 != 0)))",
			METHOD_PORT_LOW, METHOD_PORT_HIGH);
	if (lo_index > 0)
		used += snprintf(out + used, size - (size_t)used,
				 " or (ifindex %d and (icmp or icmp6 or udp or tcp))", lo_index);
	for (unsigned i = 0; i < 6 && (size_t)used < size; i++) {
		const struct method_row *m = method_row(methods[i / 2], i % 2 ? 6 : 4);

		if (m == NULL)
			continue;
		m->filter(row, sizeof(row), METHOD_PORT_LOW, METHOD_PORT_HIGH);
		n = snprintf(out + used, size - (size_t)used, " or (%s)", row);
		used += n;
	}
	if ((size_t)used >= size)
		return bp_fail(err, BP_ERANGE, "capture filter too long");
	return 0;
}

/* The kernel's reset for a SYN-ACK of ours, on its way out. */
static bool is_our_reset(struct watch *w, const struct packet *p)
{
	struct flow f = {.method = METHOD_TCP, .src = p->ip.src, .dst = p->ip.dst,
			 .sport = p->l4.sport, .dport = p->l4.dport};

	if (p->is_icmp_error || p->ip.protocol != IPPROTO_TCP || !p->l4.known_full ||
	    !(p->l4.tcp_flags & TCP_RST))
		return false;
	return flights_reset_seen(w->flights, &f);
}

static void count(struct watch *w, enum flight_verdict verdict, const struct flight_hit *hit,
		  struct addr from)
{
	switch (verdict) {
	case FLIGHT_NOTHING:
	case FLIGHT_DEPARTURE: break;
	case FLIGHT_ANSWER:
		w->received += hit->first;
		w->answer(w->context, hit, from);
		break;
	case FLIGHT_FOREIGN: w->refused->foreign++; break;
	case FLIGHT_BAD_TOKEN: w->refused->bad_token++; break;
	case FLIGHT_LATE: w->refused->late++; break;
	case FLIGHT_DUPLICATE: w->refused->duplicate++; break;
	}
}

void watch_packet(struct watch *w, const uint8_t *bytes, size_t size, struct wall stamp,
		  int ifindex, bool outgoing)
{
	bool on_lo = ifindex == w->lo_index;
	struct flight_hit hit;
	struct packet p;
	struct match m;

	if (packet_parse(bytes, size, &p) < 0) {
		w->refused->malformed += !outgoing;
		return;
	}
	if ((outgoing || on_lo) && is_our_reset(w, &p))
		return;
	method_match(&p, outgoing, &m);
	/* On the loopback device a departure is seen as it arrives. */
	if (m.kind == MATCH_FOREIGN && on_lo && !outgoing)
		method_match(&p, true, &m);
	/* What leaves and is no probe, or crosses lo and is none of ours, is other programs'
	 * business, not an answer that was refused. */
	if (m.kind == MATCH_FOREIGN && (outgoing || on_lo))
		return;
	count(w, flights_take(w->flights, &m, ifindex, stamp, w->now, &hit), &hit, m.reply.from);
}
