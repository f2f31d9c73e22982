// SPDX-License-Identifier: BSD-2-Clause
/* Entries of buckets: a bucket is a stream with one message a subject ("$KV.BUCKET.KEY"). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "campaign/fleet/bus_inside.h"
#include "core/text.h"

static int subject_of(char out[static BUS_SUBJECT_TEXT], const char *bucket, const char *key,
		      struct bp_error *err)
{
	int n = snprintf(out, BUS_SUBJECT_TEXT, "$KV.%s.%s", bucket, key);

	if (*key == '\0' || n < 0 || n >= BUS_SUBJECT_TEXT || strpbrk(key, " \t\r\n*>") != NULL)
		return bp_fail(err, BP_EINVAL, "%s: no key of a bucket", key);
	return 0;
}

int bus_put(struct bus *b, const char *bucket, const char *key, const void *bytes, size_t n,
	    uint64_t *revision, struct bp_error *err)
{
	char subject[BUS_SUBJECT_TEXT], text[24];
	struct bus_header headers[] = {{"Nats-Expected-Last-Subject-Sequence", text}, {NULL, NULL}};
	bool expects = revision != NULL && *revision != 0;
	struct json_node *tree;
	int64_t seq = 0;
	int rc = subject_of(subject, bucket, key, err);

	if (rc == 0 && n > BUS_PAYLOAD_MAX)
		rc = bp_fail(err, BP_ERANGE, "%s of %s: %zu bytes", key, bucket, n);
	if (rc == 0 && expects)
		snprintf(text, sizeof(text), "%" PRIu64,
			 *revision == BUS_REVISION_NONE ? 0 : *revision);
	if (rc == 0)
		rc = bus_js(b, subject, expects ? headers : NULL, bytes, n, &tree, NULL, err);
	if (rc < 0)
		return rc;
	node_int(node_get(tree, "seq"), 0, INT64_MAX, &seq);
	free(tree);
	if (revision != NULL)
		*revision = (uint64_t)seq;
	return 0;
}

int bus_delete(struct bus *b, const char *bucket, const char *key, struct bp_error *err)
{
	static const struct bus_header headers[] = {{"KV-Operation", "DEL"}, {NULL, NULL}};
	char subject[BUS_SUBJECT_TEXT];
	struct json_node *tree = NULL;
	int rc = subject_of(subject, bucket, key, err);

	if (rc == 0)
		rc = bus_js(b, subject, headers, NULL, 0, &tree, NULL, err);
	free(tree);
	return rc;
}

int bus_get(struct bus *b, const char *bucket, const char *key, struct buf *bytes,
	    uint64_t *revision, struct wall *created, struct bp_error *err)
{
	char subject[BUS_SUBJECT_TEXT], ask[BUS_SUBJECT_TEXT + 64], prefix[BUS_SUBJECT_TEXT];
	struct bus_entry e;
	natsMsg *m;
	int status, rc = subject_of(subject, bucket, key, err);

	if (rc < 0)
		return rc;
	snprintf(prefix, sizeof(prefix), "$KV.%s.", bucket);
	snprintf(ask, sizeof(ask), "$JS.API.DIRECT.GET.KV_%s.%s", bucket, subject);
	rc = bus_call(b, ask, NULL, NULL, 0, 0, &m, err);
	if (rc == BP_ENOTFOUND)
		return bp_fail(err, BP_EAGAIN, "the broker has no bucket %s", bucket);
	if (rc < 0)
		return rc;
	status = bus_status_of(m);
	if (status == 404 || (status == 0 && bus_entry_of(m, prefix, &e) && e.gone))
		rc = bp_fail(err, BP_ENOTFOUND, "%s has no %s", bucket, key);
	else if (status != 0 || !bus_entry_of(m, prefix, &e))
		rc = bp_fail(err, BP_EAGAIN, "%s of %s: status %d", key, bucket, status);
	if (rc == 0) {
		buf_clear(bytes);
		buf_append(bytes, e.bytes, e.size);
		if (bytes->failed)
			rc = bp_fail(err, BP_ENOMEM, "out of memory");
	}
	if (rc == 0 && revision != NULL)
		*revision = e.revision;
	if (rc == 0 && created != NULL)
		*created = e.created;
	natsMsg_Destroy(m);
	return rc;
}

/* --- all of them ------------------------------------------------------------------------------ */

/* A consumer of its own that gives the last message of each key: one answer for all, where a watch
 * would ask for each. It lives in the server's memory, and not for long. */
static int list_begin(struct bus *b, const char *bucket, natsSubscription **sub, int64_t *pending,
		      struct bp_error *err)
{
	char inbox[BUS_INBOX_TEXT], subject[2 * BUS_SUBJECT_TEXT + 64], config[1024];
	struct json_node *tree = NULL;
	const char *name;
	int64_t sent = 0;
	int rc;

	bus_inbox(b, inbox);
	name = strrchr(inbox, '.') + 1;
	rc = bus_subscribe(b, inbox, NULL, sub, err);
	if (rc < 0)
		return rc;
	/* All of it comes at once, faster than it may be looked at: plans are up to a megabyte. */
	natsSubscription_SetPendingLimits(*sub, -1, -1);
	snprintf(subject, sizeof(subject), "$JS.API.CONSUMER.CREATE.KV_%s.%s.$KV.%s.>", bucket, name,
		 bucket);
	snprintf(config, sizeof(config),
		 "{\"stream_name\":\"KV_%s\",\"config\":{\"name\":\"%s\",\"deliver_subject\":\"%s\","
		 "\"filter_subject\":\"$KV.%s.>\",\"deliver_policy\":\"last_per_subject\","
		 "\"ack_policy\":\"none\",\"replay_policy\":\"instant\",\"max_deliver\":1,"
		 "\"inactive_threshold\":5000000000,\"mem_storage\":true,\"num_replicas\":1}}",
		 bucket, name, inbox, bucket);
	rc = bus_js(b, subject, NULL, config, strlen(config), &tree, NULL, err);
	if (rc < 0) {
		natsSubscription_Destroy(*sub);
		return rc == BP_ENOTFOUND ? bp_fail(err, BP_EAGAIN, "the broker has no bucket %s",
						    bucket)
					  : rc;
	}
	/* Counted when it was made; what was handed out at once counts too. */
	node_int(node_get(tree, "num_pending"), 0, INT64_MAX, pending);
	node_int(node_get(node_get(tree, "delivered"), "consumer_seq"), 0, INT64_MAX, &sent);
	*pending += sent;
	free(tree);
	return 0;
}

int bus_each(struct bus *b, const char *bucket,
	     int (*on_entry)(void *arg, const struct bus_entry *e, struct bp_error *err), void *arg,
	     struct bp_error *err)
{
	char prefix[BUS_SUBJECT_TEXT];
	natsSubscription *sub;
	uint64_t next = 1;
	int64_t pending = 0;
	int rc = list_begin(b, bucket, &sub, &pending, err);

	if (rc < 0)
		return rc;
	snprintf(prefix, sizeof(prefix), "$KV.%s.", bucket);
	while (rc == 0 && pending > 0) {
		struct bus_meta meta;
		struct bus_entry e;
		natsMsg *m = NULL;
		natsStatus s = natsSubscription_NextMsg(&m, sub, b->wait_ns / NS_PER_MS);

		if (s != NATS_OK) {
			rc = bus_status(b, s, err, "bucket %s", bucket);
			break;
		}
		if (bus_status_of(m) == 0 && bus_meta_of(m, &meta)) {
			if (meta.consumer_seq != next++)
				rc = bp_fail(err, BP_EAGAIN, "bucket %s: entries were lost on the way",
					     bucket);
			else if (bus_entry_of(m, prefix, &e) && !e.gone)
				rc = on_entry(arg, &e, err);
			pending = (int64_t)meta.pending;
		}
		natsMsg_Destroy(m);
	}
	natsSubscription_Destroy(sub);
	return rc;
}
