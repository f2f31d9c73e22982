// SPDX-License-Identifier: BSD-2-Clause
/* Reverse look-ups by c-ares, bounded in time, cached for the run. */
#include "cli/resolve.h"

#include <ares.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"

enum { SILENT_ROUNDS_MAX = 2 };

struct resolver {
	ares_channel channel;
	unsigned wait_ms;
	unsigned silent_rounds; /* in a row in which nothing at all was answered */
	unsigned pending, answered;
	struct names cache;     /* host empty: asked, no name */
};

struct question { struct resolver *resolver; struct addr addr; };

int resolver_open(unsigned wait_ms, struct resolver **out, struct bp_error *err)
{
	struct ares_options options = {.timeout = (int)(wait_ms / 2), .tries = 2};
	struct resolver *r = calloc(1, sizeof(*r));
	int rc;

	if (r == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	names_init(&r->cache);
	r->wait_ms = wait_ms;
	rc = ares_library_init(ARES_LIB_INIT_ALL);
	if (rc == ARES_SUCCESS)
		rc = ares_init_options(&r->channel, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);
	if (rc != ARES_SUCCESS) {
		free(r);
		return bp_fail(err, BP_EUNSUP, "no reverse names: %s", ares_strerror(rc));
	}
	*out = r;
	return 0;
}

void resolver_close(struct resolver *r)
{
	if (r == NULL)
		return;
	ares_destroy(r->channel);
	ares_library_cleanup();
	names_fini(&r->cache);
	free(r);
}

static void on_answer(void *arg, int status, int timeouts, struct hostent *host)
{
	struct question *q = arg;
	struct resolver *r = q->resolver;

	(void)timeouts;
	r->pending--;
	if (status == ARES_SUCCESS || status == ARES_ENOTFOUND || status == ARES_ENODATA) {
		struct name *n = names_put(&r->cache, q->addr);

		r->answered++;
		if (n != NULL && status == ARES_SUCCESS && host->h_name != NULL)
			text_set(n->host, sizeof(n->host), host->h_name);
	}
	free(q);
}

static void ask(struct resolver *r, struct addr a)
{
	struct question *q = malloc(sizeof(*q));

	if (q == NULL)
		return;
	*q = (struct question){.resolver = r, .addr = a};
	r->pending++;
	ares_gethostbyaddr(r->channel, a.bytes, (int)addr_size(a),
			   a.family == 4 ? AF_INET : AF_INET6, on_answer, q);
}

static void wait_for_answers(struct resolver *r)
{
	struct mono until = mono_add(mono_now(), (int64_t)r->wait_ms * NS_PER_MS);

	while (r->pending > 0) {
		ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
		int bits = ares_getsock(r->channel, sockets, ARES_GETSOCK_MAXNUM);
		struct pollfd fds[ARES_GETSOCK_MAXNUM];
		int64_t left_ms = mono_since(until, mono_now()) / NS_PER_MS;
		nfds_t n = 0;

		if (left_ms <= 0)
			break;
		for (int i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
			short events = 0;

			if (ARES_GETSOCK_READABLE(bits, i))
				events = POLLIN;
			if (ARES_GETSOCK_WRITABLE(bits, i))
				events = (short)(events | POLLOUT);
			if (events)
				fds[n++] = (struct pollfd){.fd = sockets[i], .events = events};
		}
		poll(fds, n, left_ms < 50 ? (int)left_ms : 50);
		if (n == 0)
			ares_process_fd(r->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
		for (nfds_t i = 0; i < n; i++)
			ares_process_fd(r->channel, fds[i].revents & (POLLIN | POLLERR | POLLHUP) ?
					fds[i].fd : ARES_SOCKET_BAD,
					fds[i].revents & POLLOUT ? fds[i].fd : ARES_SOCKET_BAD);
	}
	/* Late answers would write into questions of a later trace: none stays open. */
	ares_cancel(r->channel);
}

void resolver_fill(struct resolver *r, struct names *names)
{
	unsigned asked = 0;

	if (r == NULL)
		return;
	r->answered = 0;
	for (uint32_t i = 0; i < names->count; i++) {
		const struct name *n = &names->items[i];

		if (n->host[0] != '\0' || names_find(&r->cache, n->addr) != NULL ||
		    r->silent_rounds >= SILENT_ROUNDS_MAX)
			continue;
		ask(r, n->addr);
		asked++;
	}
	wait_for_answers(r);
	if (asked > 0)
		r->silent_rounds = r->answered > 0 ? 0 : r->silent_rounds + 1;
	for (uint32_t i = 0; i < names->count; i++) {
		const struct name *known = names_find(&r->cache, names->items[i].addr);

		if (known != NULL && names->items[i].host[0] == '\0')
			text_set(names->items[i].host, sizeof(names->items[i].host), known->host);
	}
}
