// SPDX-License-Identifier: BSD-2-Clause
/* Forward look-ups: a table of names, and c-ares' answers into it. */
#include "campaign/lookup.h"

#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/clock.h"
#include "core/record/trace.h"

enum {
	QUERY_MS = 900, TRIES = 3, POLL_MS = 50,
	SILENT_WAIT_MS = 500, /* for a service that let the last wait pass without a word */
	ROOM_FIRST = 64,
};

struct entry {
	char host[TRACE_NAME_TEXT]; /* empty: a free place */
	struct addr addr;           /* the last good one; none: never any */
	struct addr answer;         /* of this time; none: not yet, or no such name */
	bool asked;                 /* this time */
	bool open;                  /* no answer to it yet */
	int status;                 /* c-ares', of this time */
};

struct lookup {
	ares_channel channel;
	struct entry **entries;     /* open addressing; owned, and each too: answers point there */
	uint32_t count, room;       /* room: a power of 2 */
	uint32_t open;              /* questions without an answer */
	bool silent;                /* nothing came in the last wait */
	bool heard;                 /* something did in this one */
};

int lookup_open(struct lookup **out, struct bp_error *err)
{
	struct ares_options options = {.timeout = QUERY_MS, .tries = TRIES};
	struct lookup *l = calloc(1, sizeof(*l));
	int rc;

	if (l == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	rc = ares_library_init(ARES_LIB_INIT_ALL);
	if (rc == ARES_SUCCESS)
		rc = ares_init_options(&l->channel, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);
	if (rc != ARES_SUCCESS) {
		free(l);
		return bp_fail(err, BP_EUNSUP, "no names can be looked up: %s", ares_strerror(rc));
	}
	*out = l;
	return 0;
}

int lookup_use(struct lookup *l, const char *servers)
{
	return ares_set_servers_ports_csv(l->channel, servers) == ARES_SUCCESS ? 0 : BP_EINVAL;
}

void lookup_close(struct lookup *l)
{
	if (l == NULL)
		return;
	/* Open questions end here, into entries that are still there. */
	ares_destroy(l->channel);
	ares_library_cleanup();
	for (uint32_t i = 0; i < l->room; i++)
		free(l->entries[i]);
	free(l->entries);
	free(l);
}

/* --- the table -------------------------------------------------------------------------------- */

/* FNV-1a over lower case: names are compared without regard to it. */
static uint32_t hash_of(const char *host)
{
	uint32_t h = 2166136261u;

	for (; *host != '\0'; host++) {
		unsigned char c = (unsigned char)*host;

		h = (h ^ (c >= 'A' && c <= 'Z' ? c | 0x20u : c)) * 16777619u;
	}
	return h;
}

/* Where host is, or would be. room > count. */
static uint32_t place_of(struct entry *const *entries, uint32_t room, const char *host)
{
	uint32_t i = hash_of(host) & (room - 1);

	while (entries[i] != NULL && strcasecmp(entries[i]->host, host) != 0)
		i = (i + 1) & (room - 1);
	return i;
}

static int grow(struct lookup *l)
{
	uint32_t room = l->room > 0 ? 2 * l->room : ROOM_FIRST;
	struct entry **entries = calloc(room, sizeof(struct entry *));

	if (entries == NULL)
		return BP_ENOMEM;
	for (uint32_t i = 0; i < l->room; i++) {
		if (l->entries[i] != NULL)
			entries[place_of(entries, room, l->entries[i]->host)] = l->entries[i];
	}
	free(l->entries);
	l->entries = entries;
	l->room = room;
	return 0;
}

/* --- asking ----------------------------------------------------------------------------------- */

struct question { struct lookup *lookup; struct entry *entry; };

static void on_answer(void *arg, int status, int timeouts, struct ares_addrinfo *list)
{
	struct question *q = arg;
	struct entry *e = q->entry;

	(void)timeouts;
	e->open = false;
	e->status = status;
	q->lookup->open--;
	if (status == ARES_SUCCESS || status == ARES_ENOTFOUND || status == ARES_ENODATA)
		q->lookup->heard = true;
	/* In the order of RFC 6724: the first is the one to use. */
	for (const struct ares_addrinfo_node *n = list != NULL ? list->nodes : NULL; n != NULL;
	     n = n->ai_next) {
		if (addr_from_sockaddr(n->ai_addr, &e->answer) == 0) {
			e->addr = e->answer;
			break;
		}
	}
	if (list != NULL)
		ares_freeaddrinfo(list);
	free(q);
}

int lookup_ask(struct lookup *l, const char *host)
{
	static const struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC,
							 .ai_socktype = SOCK_DGRAM};
	struct question *q;
	struct entry *e;
	uint32_t i;

	if (host[0] == '\0' || strlen(host) >= sizeof(e->host))
		return BP_EINVAL;
	if (2 * l->count >= l->room && grow(l) < 0)
		return BP_ENOMEM;
	i = place_of(l->entries, l->room, host);
	e = l->entries[i];
	/* One that is still on its way from last time is not asked twice. */
	if (e != NULL && (e->asked || e->open)) {
		e->asked = true;
		return 0;
	}
	if (e == NULL && l->count == LOOKUP_NAMES_MAX)
		return BP_ERANGE;
	q = malloc(sizeof(*q));
	if (e == NULL)
		e = calloc(1, sizeof(*e));
	if (q == NULL || e == NULL) {
		free(q);
		if (e != l->entries[i])
			free(e);
		return BP_ENOMEM;
	}
	if (l->entries[i] == NULL) {
		memcpy(e->host, host, strlen(host) + 1);
		l->entries[i] = e;
		l->count++;
	}
	e->asked = e->open = true;
	e->answer = (struct addr){0};
	*q = (struct question){l, e};
	l->open++;
	ares_getaddrinfo(l->channel, host, NULL, &hints, on_answer, q);
	return 0;
}

void lookup_take_answers(ares_channel channel, int timeout_ms)
{
	ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
	/* Its own macros shift a 1 into the sign. */
	unsigned bits = (unsigned)ares_getsock(channel, sockets, ARES_GETSOCK_MAXNUM);
	struct pollfd fds[ARES_GETSOCK_MAXNUM];
	nfds_t n = 0;

	for (int i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
		short events = 0;

		if (bits >> i & 1)
			events = POLLIN;
		if (bits >> (i + ARES_GETSOCK_MAXNUM) & 1)
			events = (short)(events | POLLOUT);
		if (events)
			fds[n++] = (struct pollfd){.fd = sockets[i], .events = events};
	}
	poll(fds, n, timeout_ms);
	if (n == 0)
		ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	for (nfds_t i = 0; i < n; i++)
		ares_process_fd(channel, fds[i].revents & (POLLIN | POLLERR | POLLHUP) ?
				fds[i].fd : ARES_SOCKET_BAD,
				fds[i].revents & POLLOUT ? fds[i].fd : ARES_SOCKET_BAD);
}

void lookup_wait(struct lookup *l)
{
	struct mono start = mono_now();
	int64_t wait_ms = l->silent ? SILENT_WAIT_MS : LOOKUP_WAIT_MS;
	bool asked = l->open > 0;

	l->heard = false;
	/* The channel is read once in any case: answers may have come since the last round. */
	lookup_take_answers(l->channel, 0);
	while (l->open > 0) {
		int64_t left_ms = wait_ms - mono_since(mono_now(), start) / NS_PER_MS;

		if (l->heard)
			wait_ms = LOOKUP_WAIT_MS;
		if (left_ms <= 0)
			break;
		lookup_take_answers(l->channel, left_ms < POLL_MS ? (int)left_ms : POLL_MS);
	}
	if (asked)
		l->silent = !l->heard && l->open > 0;
	for (uint32_t i = 0; i < l->room; i++) {
		if (l->entries[i] != NULL)
			l->entries[i]->asked = false;
	}
}

int lookup_find(const struct lookup *l, const char *host, struct addr *out, bool *old,
		struct bp_error *err)
{
	const struct entry *e = NULL;

	if (l->room > 0)
		e = l->entries[place_of(l->entries, l->room, host)];

	if (e != NULL && addr_is_set(e->answer)) {
		*old = false;
		*out = e->answer;
		return 0;
	}
	/* The name service denies it: what it said before holds no longer. */
	if (e != NULL && !e->open && (e->status == ARES_ENOTFOUND || e->status == ARES_ENODATA))
		return bp_fail(err, BP_ENOTFOUND, "unknown host '%s': %s", host,
			       ares_strerror(e->status));
	if (e != NULL && addr_is_set(e->addr)) {
		*old = true;
		*out = e->addr;
		return 0;
	}
	return bp_fail(err, BP_ENOTFOUND, "unknown host '%s': %s", host,
		       e == NULL || e->open ? "no name service answered in time" :
					      ares_strerror(e->status));
}
