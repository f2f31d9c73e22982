// SPDX-License-Identifier: BSD-2-Clause
/* Reverse look-ups by c-ares, in the background, cached for the run. */
#include "cli/resolve.h"

#include <ares.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "campaign/lookup.h"
#include "core/clock.h"

enum {
	QUERY_MS = 1000,
	/* After the measurement: enough for a server that is near. One that has answered before is
	 * given longer, since some names take several servers. */
	WAIT_FIRST_MS = 40,
	WAIT_ALIVE_MS = 500,
	SILENT_ROUNDS_MAX = 3, /* fills without any answer, ever, after which nothing is asked */
	POLL_MS = 20,
	LOOK_MS = 5,
};

struct resolver {
	ares_channel channel;
	unsigned silent_rounds;
	bool alive;          /* something was answered once */
	struct names asked;  /* every address asked about */
	struct names known;  /* those answered; host empty: it has no name */
	struct mono looked;  /* when resolver_take last read what came */
};

struct question { struct resolver *resolver; struct addr addr; };

int resolver_open(struct resolver **out, struct bp_error *err)
{
	struct ares_options options = {.timeout = QUERY_MS, .tries = 2};
	struct resolver *r = calloc(1, sizeof(*r));
	int rc;

	if (r == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	names_init(&r->asked);
	names_init(&r->known);
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
	/* Ends open questions too: each is answered with an error and freed. */
	ares_destroy(r->channel);
	ares_library_cleanup();
	names_fini(&r->asked);
	names_fini(&r->known);
	free(r);
}

static void on_answer(void *arg, int status, int timeouts, struct hostent *host)
{
	struct question *q = arg;
	struct resolver *r = q->resolver;
	bool answered = status == ARES_SUCCESS || status == ARES_ENOTFOUND ||
			status == ARES_ENODATA;
	struct name *n;

	(void)timeouts;
	if (status != ARES_EDESTRUCTION && (n = names_put(&r->known, q->addr)) != NULL &&
	    status == ARES_SUCCESS && host->h_name != NULL)
		text_set(n->host, sizeof(n->host), host->h_name);
	r->alive |= answered;
	free(q);
}

void resolver_ask(struct resolver *r, struct addr a)
{
	struct question *q;

	if (r == NULL || r->silent_rounds >= SILENT_ROUNDS_MAX ||
	    r->asked.count >= RESOLVER_ASKED_MAX ||
	    names_find(&r->asked, a) != NULL || names_put(&r->asked, a) == NULL)
		return;
	q = malloc(sizeof(*q));
	if (q == NULL)
		return;
	*q = (struct question){.resolver = r, .addr = a};
	ares_gethostbyaddr(r->channel, a.bytes, (int)addr_size(a),
			   a.family == 4 ? AF_INET : AF_INET6, on_answer, q);
}

/* Whether a name that is asked for is still to come. */
static bool missing(const struct resolver *r, const struct names *names)
{
	for (uint32_t i = 0; i < names->count; i++) {
		const struct name *n = &names->items[i];

		if (n->host[0] == '\0' && names_find(&r->asked, n->addr) != NULL &&
		    names_find(&r->known, n->addr) == NULL)
			return true;
	}
	return false;
}

static void fill_known(const struct resolver *r, struct names *names)
{
	for (uint32_t i = 0; i < names->count; i++) {
		const struct name *known = names_find(&r->known, names->items[i].addr);

		if (known != NULL && names->items[i].host[0] == '\0')
			text_set(names->items[i].host, sizeof(names->items[i].host), known->host);
	}
}

void resolver_fill(struct resolver *r, struct names *names)
{
	struct mono start = mono_now();

	if (r == NULL)
		return;
	for (uint32_t i = 0; i < names->count; i++) {
		if (names->items[i].host[0] == '\0')
			resolver_ask(r, names->items[i].addr);
	}
	lookup_take_answers(r->channel, 0);
	while (missing(r, names) && r->silent_rounds < SILENT_ROUNDS_MAX) {
		int64_t waited_ms = mono_since(mono_now(), start) / NS_PER_MS;
		int64_t left_ms = (r->alive ? WAIT_ALIVE_MS : WAIT_FIRST_MS) - waited_ms;

		if (left_ms <= 0)
			break;
		lookup_take_answers(r->channel, left_ms < POLL_MS ? (int)left_ms : POLL_MS);
	}
	if (!r->alive)
		r->silent_rounds++;
	fill_known(r, names);
}

void resolver_take(struct resolver *r, struct names *names)
{
	struct mono now = mono_now();

	if (r == NULL)
		return;
	if (mono_since(now, r->looked) >= LOOK_MS * NS_PER_MS) {
		lookup_take_answers(r->channel, 0);
		r->looked = now;
	}
	fill_known(r, names);
}
