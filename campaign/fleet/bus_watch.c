// SPDX-License-Identifier: BSD-2-Clause
/*
 * A bucket as it changes, for who may do little: it asks for the messages of its keys one by one
 * (direct reads: no consumer is made, so none can be pointed at somebody else), and listens to the
 * subject of the keys for when to ask again. What is heard there is a nudge and no entry: the
 * stream has the number, and the moment. All is asked for anew behind a lost connection, and every
 * minute.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "campaign/fleet/bus_inside.h"
#include "core/text.h"

#define BEAT_NS (5 * NS_PER_S)
#define ANEW_NS (60 * NS_PER_S)

/* A nudge may come before the stream has it: so much later it is asked again. */
static const int64_t again_ns[] = {0, NS_PER_S / 4, NS_PER_S, 4 * NS_PER_S};
enum { AGAIN = sizeof(again_ns) / sizeof(again_ns[0]) };

struct told {
	char *key;
	uint64_t revision;
	struct wall created;
};

struct bus_watch {
	struct bus *bus;
	char bucket[BUS_NAME_TEXT], keys[BUS_SUBJECT_TEXT], prefix[BUS_SUBJECT_TEXT];
	natsSubscription *sub;   /* NULL: to be made again */
	natsMsg *held;           /* what the last entry borrows from */
	unsigned made, lives;
	bool asking;
	uint64_t at, seen;       /* asked from; the highest number there was */
	struct mono anew, nudged;
	unsigned again;          /* of again_ns, the next one; AGAIN: none */
	bool all_told;
	struct told *told;
	size_t told_count, told_room;
};

static void ask_all(struct bus_watch *w)
{
	w->asking = true;
	w->at = 1;
	w->seen = 0; /* of a broker that lost its disk the numbers begin anew */
	w->again = AGAIN;
	w->anew = mono_add(mono_now(), ANEW_NS);
}

static int listen_now(struct bus_watch *w, struct bp_error *err)
{
	char subject[2 * BUS_SUBJECT_TEXT];
	unsigned lives;
	int rc = bus_ready(w->bus, err);

	if (rc < 0)
		return rc;
	pthread_mutex_lock(&w->bus->lock);
	lives = w->bus->lives;
	pthread_mutex_unlock(&w->bus->lock);
	if (w->sub != NULL && w->made == w->bus->made) {
		/* The library listens again by itself; what was said meanwhile is lost. */
		if (w->lives != lives)
			ask_all(w);
		w->lives = lives;
		return 0;
	}
	natsSubscription_Destroy(w->sub);
	w->sub = NULL;
	snprintf(subject, sizeof(subject), "%s%s", w->prefix, w->keys);
	rc = bus_subscribe(w->bus, subject, NULL, &w->sub, err);
	if (rc < 0)
		return rc;
	w->made = w->bus->made;
	w->lives = lives;
	ask_all(w);
	return 0;
}

int bus_watch_open(struct bus *b, const char *bucket, const char *keys, struct bus_watch **out,
		   struct bp_error *err)
{
	struct bus_watch *w = calloc(1, sizeof(*w));
	int rc;

	if (w == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	w->bus = b;
	text_set(w->bucket, sizeof(w->bucket), bucket);
	text_set(w->keys, sizeof(w->keys), keys);
	snprintf(w->prefix, sizeof(w->prefix), "$KV.%s.", w->bucket);
	rc = listen_now(w, err);
	if (rc < 0 && rc != BP_EAGAIN) {
		bus_watch_close(w);
		return rc;
	}
	*out = w;
	return 0;
}

/* Whether this was not told yet; then it is now. */
static int is_new(struct bus_watch *w, const struct bus_entry *e)
{
	struct told *t = NULL;

	for (size_t i = 0; i < w->told_count && t == NULL; i++) {
		if (strcmp(w->told[i].key, e->key) == 0)
			t = &w->told[i];
	}
	if (t != NULL && t->revision == e->revision && t->created.ns == e->created.ns)
		return 0;
	if (t == NULL && w->told_count == w->told_room) {
		size_t room = w->told_room > 0 ? 2 * w->told_room : 16;
		struct told *more = reallocarray(w->told, room, sizeof(*more));

		if (more == NULL)
			return BP_ENOMEM;
		w->told = more;
		w->told_room = room;
	}
	if (t == NULL) {
		t = &w->told[w->told_count];
		t->key = strdup(e->key);
		if (t->key == NULL)
			return BP_ENOMEM;
		w->told_count++;
	}
	t->revision = e->revision;
	t->created = e->created;
	return 1;
}

/* The next message of the keys, into held. 1: an entry to be told; 0: none, or told before. */
static int ask(struct bus_watch *w, struct bus_entry *entry, struct bp_error *err)
{
	char subject[BUS_SUBJECT_TEXT], body[3 * BUS_SUBJECT_TEXT];
	int status, rc;

	snprintf(subject, sizeof(subject), "$JS.API.DIRECT.GET.KV_%s", w->bucket);
	snprintf(body, sizeof(body), "{\"seq\":%" PRIu64 ",\"next_by_subj\":\"%s%s\"}", w->at,
		 w->prefix, w->keys);
	rc = bus_call(w->bus, subject, NULL, body, strlen(body), 0, &w->held, err);
	if (rc < 0)
		return rc == BP_ENOTFOUND ? bp_fail(err, BP_EAGAIN, "the broker has no bucket %s",
						    w->bucket)
					  : rc;
	status = bus_status_of(w->held);
	if (status == 404) {
		w->asking = false;
		return 0;
	}
	if (status != 0 || !bus_entry_of(w->held, w->prefix, entry) || entry->revision < w->at)
		return bp_fail(err, BP_EAGAIN, "bucket %s: status %d", w->bucket, status);
	w->at = entry->revision + 1;
	if (entry->revision > w->seen)
		w->seen = entry->revision;
	rc = is_new(w, entry);
	return rc < 0 ? bp_fail(err, BP_ENOMEM, "out of memory") : rc;
}

/* Waits for a nudge, or for when it is time to ask without one. */
static int await(struct bus_watch *w, struct mono until, struct bp_error *err)
{
	struct mono now = mono_now(), next = mono_min(until, mono_add(now, BEAT_NS));
	natsMsg *m = NULL;
	int64_t left;
	natsStatus s;

	next = mono_min(next, w->anew);
	if (w->again < AGAIN)
		next = mono_min(next, mono_add(w->nudged, again_ns[w->again]));
	left = mono_since(next, now);
	s = natsSubscription_NextMsg(&m, w->sub, left >= NS_PER_MS ? left / NS_PER_MS : 1);
	natsMsg_Destroy(m);
	now = mono_now();
	if (s == NATS_OK) {
		w->nudged = now;
		w->again = 0;
	} else if (s != NATS_TIMEOUT && s != NATS_SLOW_CONSUMER) {
		return bus_status(w->bus, s, err, "bucket %s", w->bucket);
	}
	if (mono_reached(now, w->anew) || s == NATS_SLOW_CONSUMER) {
		ask_all(w);
	} else if (w->again < AGAIN && mono_reached(now, mono_add(w->nudged, again_ns[w->again]))) {
		w->again++;
		w->asking = true;
		w->at = w->seen + 1;
	}
	return 0;
}

int bus_watch_next(struct bus_watch *w, int64_t wait_ns, struct bus_entry *entry, bool *all,
		   struct bp_error *err)
{
	struct mono until = mono_add(mono_now(), wait_ns);

	*all = false;
	for (;;) {
		int rc;

		natsMsg_Destroy(w->held);
		w->held = NULL;
		rc = listen_now(w, err);
		if (rc == 0 && w->asking) {
			rc = ask(w, entry, err);
			if (rc == 0 && !w->asking && !w->all_told) {
				w->all_told = *all = true;
				*entry = (struct bus_entry){0};
				return 0;
			}
			if (rc > 0)
				return 0;
		} else if (rc == 0) {
			rc = await(w, until, err);
		}
		if (rc < 0)
			return rc;
		if (!w->asking && mono_reached(mono_now(), until))
			return bp_fail(err, BP_ENOTFOUND, "%s: nothing new", w->bucket);
	}
}

void bus_watch_close(struct bus_watch *w)
{
	if (w == NULL)
		return;
	natsMsg_Destroy(w->held);
	natsSubscription_Destroy(w->sub);
	for (size_t i = 0; i < w->told_count; i++)
		free(w->told[i].key);
	free(w->told);
	free(w);
}
