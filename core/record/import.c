// SPDX-License-Identifier: BSD-2-Clause
/* Imported traces: room for entries, and what follows from them. Knows no format. */
#include "core/record/import.h"

#include <stdlib.h>

enum { ROOM_FIRST = 64 };

struct trace_entry *import_add(struct trace **t, uint32_t *room, uint8_t ttl, uint8_t attempt)
{
	struct trace_entry *e;

	if (*t == NULL || (*t)->entry_count == *room) {
		uint32_t more = *t != NULL ? 2 * *room : ROOM_FIRST;
		struct trace *grown;

		if (more < ROOM_FIRST)
			more = ROOM_FIRST;
		if (more > TRACE_MAX_ENTRIES)
			more = TRACE_MAX_ENTRIES;
		if (*t != NULL && more <= *room)
			return NULL;
		grown = *t != NULL ? realloc(*t, trace_size(more)) : trace_new(more);
		if (grown == NULL)
			return NULL;
		*t = grown;
		*room = more;
	}
	e = &(*t)->entries[(*t)->entry_count++];
	trace_entry_init(e, ttl, attempt);
	return e;
}

static bool is_extra(const struct trace_entry *e)
{
	return e->reply.flags & (REPLY_LATE | REPLY_DUP | REPLY_INHERITED);
}

static enum reached_by reached_by(const struct reply *r)
{
	enum { SYN = 0x02, RST = 0x04, ACK = 0x10 };

	if (r->tcp_flags >= 0)
		return r->tcp_flags & RST			  ? REACHED_BY_RST
		       : (r->tcp_flags & (SYN | ACK)) == (SYN | ACK) ? REACHED_BY_SYN_ACK
								     : REACHED_BY_NONE;
	if (r->icmp_type < 0)
		return REACHED_BY_NONE;
	return icmp_is_echo_reply(r->from.family, r->icmp_type) ? REACHED_BY_ECHO_REPLY :
								  REACHED_BY_PORT_UNREACHABLE;
}

/* How many probes every hop had; the last may have been cut. */
static uint8_t attempts_of(const struct trace *t)
{
	uint8_t most = 0, last = t->entries[t->entry_count - 1].ttl;

	for (uint32_t i = 0; i < t->entry_count; i++) {
		const struct trace_entry *e = &t->entries[i];

		if (!is_extra(e) && e->attempt > most)
			most = e->attempt;
	}
	for (uint32_t i = 0, count = 0; i < t->entry_count && t->entries[i].ttl != last; i++) {
		count += !is_extra(&t->entries[i]);
		if (t->entries[i + 1].ttl == t->entries[i].ttl)
			continue;
		if (count != most)
			return 0;
		count = 0;
	}
	return most;
}

static void count(struct trace *t)
{
	t->sent = t->received = 0;
	for (uint32_t i = 0; i < t->entry_count; i++) {
		const struct trace_entry *e = &t->entries[i];

		t->sent += !is_extra(e) && e->why != WHY_NOT_SENT;
		t->received += addr_is_set(e->reply.from) && !(e->reply.flags & REPLY_DUP);
	}
}

void import_conclude(struct trace *t)
{
	bool prohibited = false, unreachable = false, refused = false, passed = false;
	bool reached = false;
	uint8_t last;

	trace_sort(t);
	t->size = (uint32_t)trace_size(t->entry_count);
	t->stamps = STAMPS_IMPORT;
	count(t);
	if (t->entry_count == 0)
		return;
	last = t->entries[t->entry_count - 1].ttl;
	t->first_ttl = t->entries[0].ttl;
	t->attempts = attempts_of(t);
	for (uint32_t i = 0; i < t->entry_count; i++) {
		const struct trace_entry *e = &t->entries[i];
		const struct reply *r = &e->reply;
		bool refusal = r->icmp_type >= 0 &&
			       icmp_is_unreachable(r->from.family, r->icmp_type);

		if (trace_entry_is_destination(t, e)) {
			reached = true;
			if (t->reached_by == REACHED_BY_NONE)
				t->reached_by = (uint8_t)reached_by(r);
		}
		prohibited |= icmp_is_prohibited(r->from.family, r->icmp_type, r->icmp_code);
		unreachable |= refusal;
		refused |= refusal && e->ttl == last;
		passed |= !refusal && e->ttl == last && addr_is_set(r->from);
	}
	if (t->stop == STOP_UNKNOWN)
		t->stop = reached ? STOP_REACHED : refused && !passed ? STOP_UNREACHABLE :
									STOP_UNKNOWN;
	if (reached)
		t->reach = REACH_REACHED;
	else if (prohibited)
		t->reach = REACH_FILTERED;
	else if (unreachable)
		t->reach = REACH_UNREACHABLE;
	else if (addr_is_set(t->dst) && (t->stop == STOP_MAX_TTL || t->stop == STOP_GAP_LIMIT))
		t->reach = REACH_SILENT;
}
