// SPDX-License-Identifier: BSD-2-Clause
/*
 * A bucket as it changes: a consumer of its own that gives the last message of each key and then
 * what comes. Consumers of this kind live in the server's memory: behind a lost connection, a
 * silence or a hole a new one is made, and what was told before is not told again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "campaign/fleet/bus_inside.h"
#include "core/text.h"

#define BEAT_NS (5 * NS_PER_S)
#define SILENCE_NS (4 * BEAT_NS)

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
	struct mono heard;
	uint64_t next;           /* the consumer's number of the message that comes next */
	bool all_due, all_told;
	struct told *told;
	size_t told_count, told_room;
};

static void consumer_drop(struct bus_watch *w)
{
	natsSubscription_Destroy(w->sub);
	w->sub = NULL;
}

static int consumer_make(struct bus_watch *w, struct bp_error *err)
{
	char inbox[BUS_INBOX_TEXT], subject[2 * BUS_SUBJECT_TEXT + 64], config[1024];
	const char *name;
	struct json_node *tree = NULL;
	int64_t pending = 0;
	int n, rc;

	bus_inbox(w->bus, inbox);
	name = strrchr(inbox, '.') + 1;
	rc = bus_subscribe(w->bus, inbox, NULL, &w->sub, err);
	if (rc < 0)
		return rc;
	w->made = w->bus->made;
	pthread_mutex_lock(&w->bus->lock);
	w->lives = w->bus->lives;
	pthread_mutex_unlock(&w->bus->lock);
	/* The keys are in the subject: so the server can forbid others. */
	n = snprintf(subject, sizeof(subject), "$JS.API.CONSUMER.CREATE.KV_%s.%s.%s%s", w->bucket,
		     name, w->prefix, w->keys);
	snprintf(config, sizeof(config),
		 "{\"stream_name\":\"KV_%s\",\"config\":{\"name\":\"%s\",\"deliver_subject\":\"%s\","
		 "\"filter_subject\":\"%s%s\",\"deliver_policy\":\"last_per_subject\","
		 "\"ack_policy\":\"none\",\"replay_policy\":\"instant\",\"max_deliver\":1,"
		 "\"idle_heartbeat\":5000000000,\"inactive_threshold\":30000000000,"
		 "\"mem_storage\":true,\"num_replicas\":1}}",
		 w->bucket, name, inbox, w->prefix, w->keys);
	if (n < 0 || (size_t)n >= sizeof(subject))
		rc = bp_fail(err, BP_EINVAL, "%s: too long", w->keys);
	if (rc == 0)
		rc = bus_js(w->bus, subject, NULL, config, strlen(config), &tree, NULL, err);
	if (rc < 0) {
		consumer_drop(w);
		return rc == BP_ENOTFOUND ? bp_fail(err, BP_EAGAIN, "the broker has no bucket %s",
						    w->bucket) :
					    rc;
	}
	node_int(node_get(tree, "num_pending"), 0, INT64_MAX, &pending);
	/* Counted when it was made, as whatever was handed out at once is too. */
	if (pending == 0 && !w->all_told) {
		const struct json_node *d = node_get(tree, "delivered");
		int64_t seq = 0;

		node_int(node_get(d, "consumer_seq"), 0, INT64_MAX, &seq);
		w->all_due = seq == 0;
	}
	free(tree);
	w->next = 1;
	w->heard = mono_now();
	return 0;
}

static int consumer_look(struct bus_watch *w, struct bp_error *err)
{
	unsigned lives;
	int rc = bus_ready(w->bus, err);

	if (rc < 0)
		return rc;
	pthread_mutex_lock(&w->bus->lock);
	lives = w->bus->lives;
	pthread_mutex_unlock(&w->bus->lock);
	if (w->sub != NULL && (w->made != w->bus->made || w->lives != lives ||
			       mono_since(mono_now(), w->heard) > SILENCE_NS))
		consumer_drop(w);
	return w->sub != NULL ? 0 : consumer_make(w, err);
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
	rc = consumer_look(w, err);
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

/* One message of the consumer. 1: it is an entry to be told. */
static int take(struct bus_watch *w, natsMsg *m, struct bus_entry *entry, struct bp_error *err)
{
	struct bus_meta meta;
	int rc;

	w->heard = mono_now();
	if (bus_status_of(m) != 0)
		return 0; /* a heartbeat */
	if (!bus_meta_of(m, &meta) || meta.consumer_seq != w->next) {
		consumer_drop(w); /* a hole: all of it anew */
		return 0;
	}
	w->next++;
	if (meta.pending == 0 && !w->all_told)
		w->all_due = true;
	if (!bus_entry_of(m, w->prefix, entry))
		return 0;
	rc = is_new(w, entry);
	return rc < 0 ? bp_fail(err, BP_ENOMEM, "out of memory") : rc;
}

int bus_watch_next(struct bus_watch *w, int64_t wait_ns, struct bus_entry *entry, bool *all,
		   struct bp_error *err)
{
	struct mono until = mono_add(mono_now(), wait_ns);

	natsMsg_Destroy(w->held);
	w->held = NULL;
	*all = false;
	for (;;) {
		int64_t left = mono_since(until, mono_now());
		natsStatus s;
		int rc = consumer_look(w, err);

		if (rc < 0)
			return rc;
		if (w->all_due) {
			w->all_due = false;
			w->all_told = *all = true;
			*entry = (struct bus_entry){0};
			return 0;
		}
		if (left > BEAT_NS)
			left = BEAT_NS;
		s = natsSubscription_NextMsg(&w->held, w->sub,
					     left >= NS_PER_MS ? left / NS_PER_MS : 1);
		if (s == NATS_OK) {
			rc = take(w, w->held, entry, err);
			if (rc > 0)
				return 0;
			natsMsg_Destroy(w->held);
			w->held = NULL;
			if (rc < 0)
				return rc;
		} else if (s != NATS_TIMEOUT) {
			consumer_drop(w);
			return bus_status(w->bus, s, err, "bucket %s", w->bucket);
		}
		if (!w->all_due && mono_reached(mono_now(), until))
			return bp_fail(err, BP_ENOTFOUND, "%s: nothing new", w->bucket);
	}
}

void bus_watch_close(struct bus_watch *w)
{
	if (w == NULL)
		return;
	natsMsg_Destroy(w->held);
	consumer_drop(w);
	for (size_t i = 0; i < w->told_count; i++)
		free(w->told[i].key);
	free(w->told);
	free(w);
}
