// SPDX-License-Identifier: BSD-2-Clause
/*
 * Writes a trace as scamper does: the members of sc_warts2json, in its order. What scamper always
 * has and the trace does not know is 0, as scamper writes what does not apply.
 */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "core/json.h"
#include "core/record/scamper.h"

static const char *method_name(const struct trace *t)
{
	switch (t->method) {
	case METHOD_UDP:
		return "udp-paris";
	case METHOD_TCP:
		return "tcp";
	default:
		return "icmp-echo-paris";
	}
}

static const char *stop_name(const struct trace *t)
{
	switch (t->stop) {
	case STOP_REACHED:
		return "COMPLETED";
	case STOP_GAP_LIMIT:
		return "GAPLIMIT";
	case STOP_MAX_TTL:
		return "HOPLIMIT";
	case STOP_UNREACHABLE:
		return "UNREACH";
	case STOP_LOOP:
		return "LOOP";
	case STOP_ERROR:
		return "ERROR";
	case STOP_INTERRUPTED:
	case STOP_TIMEOUT:
		return "HALTED";
	default:
		return "NONE";
	}
}

static int64_t or_zero(int64_t value)
{
	return value < 0 ? 0 : value;
}

static void put_known(struct json_writer *w, const char *key, int64_t value)
{
	if (value >= 0)
		json_put_int(w, key, value);
}

static void put_addr(struct json_writer *w, const char *key, struct addr a)
{
	char text[ADDR_TEXT];

	if (addr_is_set(a))
		json_put_str(w, key, addr_format(a, text));
}

/* An open object: the caller may add to it and ends it. */
static void begin_stamp(struct json_writer *w, const char *key, int64_t ns)
{
	json_begin_object(w, key);
	json_put_int(w, "sec", ns / NS_PER_S);
	json_put_int(w, "usec", ns % NS_PER_S / NS_PER_US);
}

static void put_start(struct json_writer *w, const struct trace *t)
{
	time_t sec = (time_t)(t->start.ns / NS_PER_S);
	char text[64] = "";
	struct tm tm;

	begin_stamp(w, "start", t->start.ns);
	/* In scamper the zone is that of who converts; in UTC every reader gets the same. */
	if (gmtime_r(&sec, &tm) != NULL)
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	json_put_str(w, "ftime", text);
	json_end(w);
}

static void put_mpls(struct json_writer *w, const struct reply *r)
{
	if (r->mpls_count == 0)
		return;
	json_begin_array(w, "icmpext");
	json_begin_object(w, NULL);
	json_put_int(w, "ie_cn", 1);
	json_put_int(w, "ie_ct", 1);
	json_put_int(w, "ie_dl", 4 * r->mpls_count);
	json_begin_array(w, "mpls_labels");
	for (unsigned i = 0; i < r->mpls_count; i++) {
		json_begin_object(w, NULL);
		json_put_int(w, "mpls_ttl", r->mpls[i].ttl);
		json_put_int(w, "mpls_s", r->mpls[i].s);
		json_put_int(w, "mpls_exp", r->mpls[i].exp);
		json_put_int(w, "mpls_label", r->mpls[i].label);
		json_end(w);
	}
	json_end(w);
	json_end(w);
	json_end(w);
}

static void put_hop(struct json_writer *w, const struct trace *t, const struct trace_entry *e,
		    const struct names *names)
{
	const struct reply *r = &e->reply;
	const struct name *name = names_find(names, r->from);

	json_begin_object(w, NULL);
	put_addr(w, "addr", r->from);
	if (name != NULL && name->host[0] != '\0')
		json_put_str(w, "name", name->host);
	json_put_int(w, "probe_ttl", e->ttl);
	json_put_int(w, "probe_id", e->attempt);
	json_put_int(w, "probe_size", or_zero(t->probe_size));
	if (t->start.ns != 0 && e->tx_ns != TX_UNKNOWN && t->start.ns + e->tx_ns > 0) {
		begin_stamp(w, "tx", t->start.ns + e->tx_ns);
		json_end(w);
	}
	if (r->rtt_ns >= 0)
		json_put_decimal(w, "rtt", r->rtt_ns, 6);
	put_known(w, "reply_ttl", r->reply_ttl);
	put_known(w, "reply_ipid", r->ip_id);
	put_known(w, "reply_size", r->size);
	put_known(w, "icmp_type", r->icmp_type);
	put_known(w, "icmp_code", r->icmp_code);
	put_known(w, "icmp_q_ttl", r->quoted_ttl);
	put_known(w, "icmp_nhmtu", r->mtu);
	put_known(w, "tcp_flags", r->tcp_flags >= 0 ? r->tcp_flags & 0xff : -1);
	put_mpls(w, r);
	json_end(w);
}

static uint32_t count_sent(const struct trace *t)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->entry_count; i++)
		n += !(t->entries[i].reply.flags & (REPLY_DUP | REPLY_LATE)) &&
		     t->entries[i].why != WHY_NOT_SENT;
	return n;
}

static void put_head(struct json_writer *w, const struct trace *t)
{
	unsigned last = t->entry_count ? t->entries[t->entry_count - 1].ttl : 0, attempts = 0;

	for (uint32_t i = 0; i < t->entry_count; i++)
		attempts = t->entries[i].attempt > attempts ? t->entries[i].attempt : attempts;
	json_put_str(w, "type", "trace");
	json_put_str(w, "version", "0.1");
	json_put_int(w, "userid", 0);
	json_put_str(w, "method", method_name(t));
	put_addr(w, "src", t->src);
	put_addr(w, "dst", t->dst);
	if (t->method == METHOD_UDP || t->method == METHOD_TCP) {
		json_put_int(w, "sport", or_zero(t->sport));
		json_put_int(w, "dport", or_zero(t->dport));
	}
	json_put_str(w, "stop_reason", stop_name(t));
	json_put_int(w, "stop_data", 0);
	put_start(w, t);
	json_put_int(w, "hop_count", last);
	json_put_int(w, "attempts", t->attempts ? t->attempts : attempts);
	json_put_int(w, "hoplimit", t->max_ttl);
	json_put_int(w, "firsthop", t->first_ttl ? t->first_ttl : 1);
	/* Whole seconds there. */
	json_put_int(w, "wait", (or_zero(t->wait_ms) + 999) / 1000);
	json_put_int(w, "wait_probe", 0);
	json_put_int(w, "tos", 0);
	json_put_int(w, "probe_size", or_zero(t->probe_size));
	json_put_int(w, "probe_count", t->sent >= 0 ? t->sent : count_sent(t));
}

int scamper_write(struct buf *out, const struct record *rec, const struct names *names,
		  const struct verdict *verdict)
{
	const struct trace *t = rec->trace;
	struct json_writer w;

	(void)verdict;
	/* scamper has no trace without a destination. */
	if (rec->kind != RECORD_TRACE || !addr_is_set(t->dst))
		return BP_EFOREIGN;
	json_start(&w, out);
	json_begin_object(&w, NULL);
	put_head(&w, t);
	json_begin_array(&w, "hops");
	for (uint32_t i = 0; i < t->entry_count; i++) {
		if (addr_is_set(t->entries[i].reply.from))
			put_hop(&w, t, &t->entries[i], names ? names : &rec->names);
	}
	json_end(&w);
	json_end(&w);
	buf_char(out, '\n');
	return out->failed ? BP_ENOMEM : 0;
}
