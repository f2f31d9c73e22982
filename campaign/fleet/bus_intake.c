// SPDX-License-Identifier: BSD-2-Clause
/* The centre's consumer of results: shared by all collectors, asked by each for so many at a
 * time. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "campaign/fleet/bus_inside.h"

#define CONSUMER "BP_RESULTS.collect"
#define CATCH_NS (200 * NS_PER_MS) /* the rest of what is on its way */
#define LOOK_NS (60 * NS_PER_S)    /* between looks at the consumer */
#define DOUBT_NS (5 * NS_PER_S)    /* and behind one that was in doubt */

struct bus_intake {
	struct bus *bus;
	char inbox[BUS_INBOX_TEXT];
	natsSubscription *sub;
	unsigned made, lives;
	struct mono look; /* then the consumer is looked at again */
	int64_t doubt;    /* what did not fit when it was looked at last (misfit_of); 0: nothing */
	uint64_t asked;
};

/* Those that were given back for a while count as handed out: of all vantage points at once there
 * may be many (agents that are newer than their collector). */
enum { HANDED_OUT_MAX = 65536 };

static bool is_ours(const struct json_node *info)
{
	int64_t most = 0;

	node_int(node_get(node_get(info, "config"), "max_ack_pending"), INT64_MIN, INT64_MAX, &most);
	return most < 0 || most >= HANDED_OUT_MAX;
}

static int64_t number_in(const struct json_node *tree, const char *part, const char *name)
{
	int64_t n = 0;

	node_int(node_get(node_get(tree, part), name), 0, INT64_MAX, &n);
	return n;
}

/* The first message of the stream, where the consumer is beyond it; -1: it is beyond the last one;
 * 0: all fits. */
static int64_t misfit_of(const struct json_node *consumer, const struct json_node *stream)
{
	int64_t first = number_in(stream, "state", "first_seq");

	if (number_in(consumer, "delivered", "stream_seq") > number_in(stream, "state", "last_seq"))
		return -1;
	return number_in(stream, "state", "messages") > 0 &&
	       number_in(consumer, "ack_floor", "stream_seq") >= first ? first : 0;
}

/* What has been acknowledged is off the stream, and nothing is delivered that it does not have. But
 * a broker that was killed, or whose disk was full, may come back with a stream of an earlier hour
 * and a consumer of the last: what takes the old numbers anew would be passed over, and lie there
 * until nothing else fits. A new consumer gets all that is there; the store knows what it has. */
static int consumer_check(struct bus_intake *in, const struct json_node *consumer,
			  struct bp_error *err)
{
	struct json_node *tree = NULL;
	int64_t misfit, before = in->doubt;
	int rc = bus_js(in->bus, "$JS.API.STREAM.INFO.BP_RESULTS", NULL, NULL, 0, &tree, NULL, err);

	if (rc < 0)
		return rc == BP_ENOTFOUND ? bp_fail(err, BP_EAGAIN, "the broker has no stream BP_RESULTS") :
					    rc;
	misfit = misfit_of(consumer, tree);
	free(tree);
	/* In a cluster another broker answers this, and has an acknowledgement a moment later:
	 * what is wrong stays wrong. */
	in->doubt = misfit;
	if (misfit == 0 || misfit != before || !mono_reached(mono_now(), in->look))
		return 0;
	in->doubt = 0;
	tree = NULL;
	rc = bus_js(in->bus, "$JS.API.CONSUMER.DELETE." CONSUMER, NULL, NULL, 0, &tree, NULL, err);
	free(tree);
	return rc < 0 && rc != BP_ENOTFOUND ?
		       rc :
		       bp_fail(err, BP_EAGAIN, "the stream of results is not as it was: all of it is "
			       "read again");
}

static int consumer_make(struct bus_intake *in, struct bp_error *err)
{
	char config[512];
	struct json_node *tree = NULL;
	int rc = bus_js(in->bus, "$JS.API.CONSUMER.INFO." CONSUMER, NULL, NULL, 0, &tree, NULL, err);
	bool ours = rc == 0 && is_ours(tree);

	if (rc == 0)
		rc = consumer_check(in, tree, err);
	free(tree);
	tree = NULL;
	if (ours || (rc < 0 && rc != BP_ENOTFOUND))
		return rc;
	snprintf(config, sizeof(config),
		 "{\"stream_name\":\"BP_RESULTS\",\"config\":{\"durable_name\":\"collect\","
		 "\"deliver_policy\":\"all\",\"ack_policy\":\"explicit\",\"ack_wait\":60000000000,"
		 "\"max_deliver\":-1,\"replay_policy\":\"instant\",\"max_ack_pending\":%d,"
		 "\"max_waiting\":512}}", HANDED_OUT_MAX);
	rc = bus_js(in->bus, "$JS.API.CONSUMER.DURABLE.CREATE." CONSUMER, NULL, config,
		    strlen(config), &tree, NULL, err);
	free(tree);
	return rc == BP_ENOTFOUND ? bp_fail(err, BP_EAGAIN, "the broker has no stream BP_RESULTS") :
				    rc;
}

static int intake_look(struct bus_intake *in, struct bp_error *err)
{
	char all[BUS_INBOX_TEXT + 2];
	unsigned lives;
	bool same;
	int rc = bus_ready(in->bus, err);

	if (rc < 0)
		return rc;
	pthread_mutex_lock(&in->bus->lock);
	lives = in->bus->lives;
	pthread_mutex_unlock(&in->bus->lock);
	same = in->sub != NULL && in->made == in->bus->made && in->lives == lives;
	if (same && !mono_reached(mono_now(), in->look))
		return 0;
	rc = consumer_make(in, err);
	if (rc < 0)
		return rc;
	in->look = mono_add(mono_now(), in->doubt != 0 ? DOUBT_NS : LOOK_NS);
	if (same)
		return 0;
	natsSubscription_Destroy(in->sub);
	in->sub = NULL;
	bus_inbox(in->bus, in->inbox);
	snprintf(all, sizeof(all), "%s.*", in->inbox);
	rc = bus_subscribe(in->bus, all, NULL, &in->sub, err);
	if (rc < 0)
		return rc;
	/* 64 batches of a megabyte. */
	natsSubscription_SetPendingLimits(in->sub, -1, -1);
	in->made = in->bus->made;
	in->lives = lives;
	return 0;
}

int bus_intake_open(struct bus *b, struct bus_intake **out, struct bp_error *err)
{
	struct bus_intake *in = calloc(1, sizeof(*in));
	int rc;

	if (in == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	in->bus = b;
	rc = intake_look(in, err);
	if (rc < 0 && rc != BP_EAGAIN) {
		bus_intake_close(in);
		return rc;
	}
	*out = in;
	return 0;
}

/* One request for `max` messages: waits for them so long at the server. Takes what comes of earlier
 * ones, too: it is handed out to us. */
static int pull(struct bus_intake *in, unsigned max, int64_t wait_ns, struct bus_message *out,
		unsigned *count, struct bp_error *err)
{
	char reply[BUS_INBOX_TEXT + 24], ask[96];
	struct mono until;
	natsStatus s;

	snprintf(reply, sizeof(reply), "%s.%" PRIu64, in->inbox, ++in->asked);
	if (wait_ns > 0)
		snprintf(ask, sizeof(ask), "{\"batch\":%u,\"expires\":%" PRId64 "}", max, wait_ns);
	else
		snprintf(ask, sizeof(ask), "{\"batch\":%u,\"no_wait\":true}", max);
	s = natsConnection_PublishRequestString(in->bus->nc, "$JS.API.CONSUMER.MSG.NEXT." CONSUMER,
						reply, ask);
	until = mono_add(mono_now(), wait_ns + (wait_ns > 0 ? CATCH_NS : in->bus->wait_ns));
	while (s == NATS_OK && *count < max) {
		natsMsg *m = NULL;
		int64_t left = mono_since(until, mono_now());
		struct bus_meta meta;
		int status;

		if (left <= 0)
			break;
		s = natsSubscription_NextMsg(&m, in->sub, left >= NS_PER_MS ? left / NS_PER_MS : 1);
		if (s != NATS_OK)
			break;
		if (bus_meta_of(m, &meta)) {
			bus_message_of(in->bus, m, &out[(*count)++]);
			continue;
		}
		status = strcmp(natsMsg_GetSubject(m), reply) == 0 ? bus_status_of(m) : 100;
		natsMsg_Destroy(m);
		if (status == 503 || status == 409) {
			in->lives--; /* no such consumer any more: it is made again */
			return bp_fail(err, BP_EAGAIN, "the consumer of results is gone");
		}
		if (status != 100)
			break; /* 404, 408: no more of them */
	}
	return s == NATS_OK || s == NATS_TIMEOUT ? 0 : bus_status(in->bus, s, err, "results");
}

int bus_fetch(struct bus_intake *in, unsigned max, int64_t wait_ns, struct bus_message *out,
	      unsigned *count, struct bp_error *err)
{
	unsigned n = 0;
	int rc = intake_look(in, err);

	if (rc < 0)
		return rc;
	if (max > BUS_FETCH_MAX)
		max = BUS_FETCH_MAX;
	rc = max > 0 ? pull(in, max, 0, out, &n, err) : 0;
	if (rc == 0 && n == 0 && wait_ns > 0)
		rc = pull(in, 1, wait_ns, out, &n, err);
	if (n > 0)
		rc = 0;
	if (rc == 0)
		*count = n;
	return rc;
}

static int acknowledge(struct bus_message *m, const char *word, struct bp_error *err)
{
	const char *reply = m->inside != NULL ? natsMsg_GetReply(m->inside) : NULL;
	int rc = bus_ready(m->bus, err);

	if (rc < 0)
		return rc;
	if (reply == NULL)
		return bp_fail(err, BP_EINVAL, "%s: is of no stream", m->subject);
	return bus_status(m->bus, natsConnection_PublishString(m->bus->nc, reply, word), err,
			  "the acknowledgement of %s", m->subject);
}

int bus_ack(struct bus_message *m, struct bp_error *err)
{
	return acknowledge(m, "+ACK", err);
}

int bus_nak(struct bus_message *m, int64_t delay_ns, struct bp_error *err)
{
	char word[64];

	snprintf(word, sizeof(word), "-NAK {\"delay\":%" PRId64 "}", delay_ns > 0 ? delay_ns : 0);
	return acknowledge(m, delay_ns > 0 ? word : "-NAK", err);
}

void bus_intake_close(struct bus_intake *in)
{
	if (in == NULL)
		return;
	natsSubscription_Destroy(in->sub);
	free(in);
}
