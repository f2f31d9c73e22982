// SPDX-License-Identifier: BSD-2-Clause
/* What JetStream says in headers and subjects, as values. Believes no length and no number. */
#include <stdlib.h>
#include <string.h>

#include "campaign/fleet/bus_inside.h"
#include "core/text.h"

int bus_status_of(natsMsg *m)
{
	const char *text = NULL;
	uint64_t n;

	if (natsMsgHeader_Get(m, "Status", &text) != NATS_OK || text == NULL ||
	    text_to_u64(text, 100, 999, &n) < 0)
		return 0;
	return (int)n;
}

/* $JS.ACK.STREAM.CONSUMER.DELIVERIES.SEQ.CONSUMER-SEQ.NANOSECONDS.PENDING; newer servers put a
 * domain and an account behind ACK, and a random word at the end. */
bool bus_meta_of(const natsMsg *m, struct bus_meta *out)
{
	enum { TOKENS = 12, TOKEN_TEXT = 24 };
	const char *at = natsMsg_GetReply(m), *tokens[TOKENS];
	uint64_t v[5];
	unsigned n = 0, first;

	if (at == NULL || strncmp(at, "$JS.ACK.", 8) != 0)
		return false;
	for (; at != NULL && n < TOKENS; n++) {
		tokens[n] = at;
		at = strchr(at, '.');
		if (at != NULL)
			at++;
	}
	if (n < 9)
		return false;
	first = n == 9 ? 4 : 6;
	if (first + 5 > n)
		return false;
	for (unsigned i = 0; i < 5; i++) {
		char one[TOKEN_TEXT];
		size_t size = strcspn(tokens[first + i], ".");

		if (!text_copy(one, sizeof(one), tokens[first + i], size) ||
		    text_to_u64(one, 0, UINT64_MAX, &v[i]) < 0)
			return false;
	}
	*out = (struct bus_meta){
		.deliveries = v[0],
		.stream_seq = v[1],
		.consumer_seq = v[2],
		.stamp = {(int64_t)v[3]},
		.pending = v[4],
	};
	return true;
}

bool bus_entry_of(natsMsg *m, const char *prefix, struct bus_entry *out)
{
	const char *subject = NULL, *text = NULL;
	struct bus_meta meta = {0};

	/* A direct answer names subject, number and moment in headers. */
	if (natsMsgHeader_Get(m, "Nats-Subject", &subject) != NATS_OK || subject == NULL) {
		subject = natsMsg_GetSubject(m);
		if (!bus_meta_of(m, &meta))
			return false;
	} else {
		if (natsMsgHeader_Get(m, "Nats-Sequence", &text) != NATS_OK || text == NULL ||
		    text_to_u64(text, 1, UINT64_MAX, &meta.stream_seq) < 0)
			return false;
		text = NULL;
		if (natsMsgHeader_Get(m, "Nats-Time-Stamp", &text) == NATS_OK && text != NULL)
			(void)wall_parse(text, (struct wall){0}, &meta.stamp);
	}
	if (strncmp(subject, prefix, strlen(prefix)) != 0)
		return false;
	text = NULL;
	*out = (struct bus_entry){
		.key = subject + strlen(prefix),
		.bytes = natsMsg_GetData(m),
		.size = (size_t)natsMsg_GetDataLength(m),
		.revision = meta.stream_seq,
		.created = meta.stamp,
		.gone = natsMsgHeader_Get(m, "KV-Operation", &text) == NATS_OK && text != NULL &&
			strcmp(text, "PUT") != 0,
	};
	return true;
}
