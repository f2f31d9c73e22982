// SPDX-License-Identifier: BSD-2-Clause
/* Messages: one question and its answer, with what was denied told by the call that asked; to
 * whoever listens; and listening. */
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "campaign/fleet/bus_inside.h"
#include "core/text.h"

#define DENIAL_NS NS_PER_S

enum { EAR_MESSAGES = 4096, EAR_BYTES = 8 << 20 };

struct bus_ear {
	struct bus *bus;
	char subject[BUS_SUBJECT_TEXT], queue[BUS_NAME_TEXT];
	natsSubscription *sub;  /* of connection `made`; NULL: to be made again */
	unsigned made;
};

void bus_inbox(const struct bus *b, char out[static BUS_INBOX_TEXT])
{
	uint8_t random[8];

	randombytes_buf(random, sizeof(random));
	snprintf(out, BUS_INBOX_TEXT, "_INBOX.%s.%02x%02x%02x%02x%02x%02x%02x%02x", b->inbox,
		 random[0], random[1], random[2], random[3], random[4], random[5], random[6],
		 random[7]);
}

/* "Permissions Violation for Publish to "SUBJECT"": the server's words since 1.0. */
static bool tells_of(const char *text, const char *act, const char *subject)
{
	char quoted[BUS_SUBJECT_TEXT + 8];

	snprintf(quoted, sizeof(quoted), "\"%s\"", subject);
	return strcasestr(text, "permissions violation") != NULL && strcasestr(text, act) != NULL &&
	       strstr(text, quoted) != NULL;
}

/* The library keeps its connection's last error for ever; the one that this call makes is told by
 * another thread, sooner or later. So what stood there before is remembered: only where the same
 * refusal stood there already, the other thread is waited for. */
struct bus_doubt bus_doubt(struct bus *b, const char *act, const char *subject)
{
	struct bus_doubt d = {.act = act, .subject = subject};
	const char *text = NULL;

	natsConnection_GetLastError(b->nc, &text);
	d.stale = text != NULL && tells_of(text, act, subject);
	pthread_mutex_lock(&b->lock);
	d.denials = b->denials;
	pthread_mutex_unlock(&b->lock);
	return d;
}

static bool denied_anew(struct bus *b, const struct bus_doubt *d)
{
	struct mono until = mono_add(mono_now(), DENIAL_NS);
	struct timespec ts = {.tv_sec = until.ns / NS_PER_S, .tv_nsec = until.ns % NS_PER_S};
	bool anew = false, late = false;

	pthread_mutex_lock(&b->lock);
	while (!anew && !late) {
		anew = b->denials != d->denials && tells_of(b->denied, d->act, d->subject);
		if (!anew)
			late = pthread_cond_timedwait(&b->woken, &b->lock, &ts) != 0;
	}
	pthread_mutex_unlock(&b->lock);
	return anew;
}

bool bus_was_denied(struct bus *b, const struct bus_doubt *d, struct bp_error *err)
{
	const char *text = NULL;

	natsConnection_GetLastError(b->nc, &text);
	if (text == NULL || !tells_of(text, d->act, d->subject))
		return false;
	if (d->stale && !denied_anew(b, d)) {
		b->stale = true;
		return false;
	}
	bp_fail(err, BP_EPERM, "the server refuses: %s", text);
	return true;
}

int bus_subscribe(struct bus *b, const char *subject, const char *queue, natsSubscription **out,
		  struct bp_error *err)
{
	const struct bus_doubt doubt = bus_doubt(b, "Subscription", subject);
	natsSubscription *sub = NULL;
	natsStatus s = queue != NULL ?
			       natsConnection_QueueSubscribeSync(&sub, b->nc, subject, queue) :
			       natsConnection_SubscribeSync(&sub, b->nc, subject);

	if (s == NATS_OK)
		s = natsSubscription_SetPendingLimits(sub, EAR_MESSAGES, EAR_BYTES);
	/* A refusal comes before the answer to the flush. */
	if (s == NATS_OK)
		s = natsConnection_FlushTimeout(b->nc, b->wait_ns / NS_PER_MS);
	if (s == NATS_OK && !bus_was_denied(b, &doubt, err)) {
		*out = sub;
		return 0;
	}
	natsSubscription_Destroy(sub);
	return s == NATS_OK ? BP_EPERM : bus_status(b, s, err, "listening to %s", subject);
}

/* --- one question, one answer ---------------------------------------------------------------- */

static void on_answer(natsConnection *nc, natsSubscription *sub, natsMsg *m, void *arg)
{
	struct bus *b = arg;
	const char *number = strrchr(natsMsg_GetSubject(m), '.');

	(void)nc, (void)sub;
	pthread_mutex_lock(&b->lock);
	if (b->answer == NULL && number != NULL && b->asked != 0 &&
	    strtoull(number + 1, NULL, 10) == b->asked) {
		b->answer = m;
		m = NULL;
		pthread_cond_broadcast(&b->woken);
	}
	pthread_mutex_unlock(&b->lock);
	natsMsg_Destroy(m);
}

/* Every key may hear the inbox of its own name, and no other. */
static int not_ours(struct bus *b, struct bp_error *err)
{
	struct bp_error why;

	if (strcmp(b->inbox, "centre") == 0 || strcmp(b->inbox, "operator") == 0)
		bp_fail(&why, BP_EPERM, "%s: this key is not the %s's (wrong --nkey)",
			b->nkey_file != NULL ? b->nkey_file : b->url, b->inbox);
	else
		bp_fail(&why, BP_EPERM, "%s: this key is not %s's (wrong --nkey or --vantage)",
			b->nkey_file != NULL ? b->nkey_file : b->url, b->inbox);
	bus_keep_why(b, why.code, why.text);
	b->barred = mono_add(mono_now(), BUS_BARRED_NS);
	return bp_fail(err, why.code, "%s", why.text);
}

int bus_answers_open(struct bus *b, struct bp_error *err)
{
	char inbox[BUS_INBOX_TEXT], all[BUS_INBOX_TEXT + 2];
	struct bus_doubt doubt;
	natsStatus s;

	if (b->answers != NULL)
		return 0;
	bus_inbox(b, inbox);
	snprintf(all, sizeof(all), "%s.*", inbox);
	doubt = bus_doubt(b, "Subscription", all);
	s = natsConnection_Subscribe(&b->answers, b->nc, all, on_answer, b);
	if (s == NATS_OK)
		s = natsConnection_FlushTimeout(b->nc, b->wait_ns / NS_PER_MS);
	if (s == NATS_OK && !bus_was_denied(b, &doubt, err)) {
		snprintf(b->answer_to, sizeof(b->answer_to), "%.*s.", BUS_INBOX_TEXT - 2, inbox);
		bus_keep_why(b, 0, "");
		b->barred = (struct mono){0};
		return 0;
	}
	natsSubscription_Destroy(b->answers);
	b->answers = NULL;
	return s == NATS_OK ? not_ours(b, err) : bus_status(b, s, err, "listening to %s", all);
}

/* Until the answer, a refusal, the connection's loss, or the end of time. */
static natsStatus await(struct bus *b, const char *subject, int64_t wait_ns, unsigned losses,
			uint64_t denials, natsMsg **out, struct bp_error *err)
{
	struct mono until = mono_add(mono_now(), wait_ns);
	struct timespec ts = {.tv_sec = until.ns / NS_PER_S, .tv_nsec = until.ns % NS_PER_S};
	natsStatus s = NATS_OK;

	pthread_mutex_lock(&b->lock);
	while (b->answer == NULL) {
		if (b->denials != denials && tells_of(b->denied, "Publish", subject)) {
			s = NATS_NOT_PERMITTED;
			bp_fail(err, BP_EPERM, "the server refuses: %s", b->denied);
			break;
		}
		if (b->losses != losses || b->gone) {
			s = NATS_CONNECTION_DISCONNECTED;
			break;
		}
		if (pthread_cond_timedwait(&b->woken, &b->lock, &ts) != 0 && b->answer == NULL) {
			s = NATS_TIMEOUT;
			break;
		}
	}
	*out = b->answer;
	b->answer = NULL;
	b->asked = 0;
	pthread_mutex_unlock(&b->lock);
	return s;
}

int bus_call(struct bus *b, const char *subject, const struct bus_header *headers,
	     const void *bytes, size_t n, int64_t wait_ns, natsMsg **out, struct bp_error *err)
{
	char reply[BUS_INBOX_TEXT + 24];
	natsMsg *m = NULL, *answer = NULL;
	unsigned losses;
	uint64_t number, denials;
	natsStatus s;
	int rc = n > INT_MAX ? bp_fail(err, BP_ERANGE, "%s: too large", subject) : bus_ready(b, err);

	if (rc == 0)
		rc = bus_answers_open(b, err);
	if (rc < 0)
		return rc;
	pthread_mutex_lock(&b->lock);
	number = b->asked = ++b->calls;
	losses = b->losses;
	denials = b->denials;
	pthread_mutex_unlock(&b->lock);
	snprintf(reply, sizeof(reply), "%s%llu", b->answer_to, (unsigned long long)number);
	s = natsMsg_Create(&m, subject, reply, bytes, (int)n);
	for (; s == NATS_OK && headers != NULL && headers->key != NULL; headers++)
		s = natsMsgHeader_Set(m, headers->key, headers->value);
	if (s == NATS_OK)
		s = natsConnection_PublishMsg(b->nc, m);
	natsMsg_Destroy(m);
	if (s == NATS_OK)
		s = await(b, subject, wait_ns > 0 ? wait_ns : b->wait_ns, losses, denials, &answer,
			  err);
	if (s == NATS_NOT_PERMITTED)
		return BP_EPERM;
	if (s != NATS_OK)
		return bus_status(b, s, err, "%s", subject);
	if (bus_status_of(answer) == 503) {
		natsMsg_Destroy(answer);
		return bp_fail(err, BP_ENOTFOUND, "%s: nobody listens", subject);
	}
	*out = answer;
	return 0;
}

/* JetStream's error as ours (server/errors.json of the server tells the numbers). */
static int js_failed(const char *subject, const struct json_node *e, int64_t *js_code,
		     struct bp_error *err)
{
	int64_t code = 0, number = 0;
	const char *text = node_text(node_get(e, "description"));
	int rc = BP_EAGAIN;

	node_int(node_get(e, "code"), 0, 999, &code);
	node_int(node_get(e, "err_code"), 0, 99999, &number);
	if (js_code != NULL)
		*js_code = number;
	if (code == 404)
		rc = BP_ENOTFOUND;
	else if (code == 400 && number != 10071 && number != 10077)
		rc = BP_EINVAL;
	return bp_fail(err, rc, "%s: %s", subject, text != NULL ? text : "JetStream refuses");
}

int bus_js(struct bus *b, const char *subject, const struct bus_header *headers, const void *bytes,
	   size_t n, struct json_node **out, int64_t *js_code, struct bp_error *err)
{
	const struct json_node *e;
	struct json_node *tree;
	natsMsg *m;
	int rc;

	if (js_code != NULL)
		*js_code = 0;
	rc = bus_call(b, subject, headers, bytes, n, 0, &m, err);
	if (rc == BP_ENOTFOUND)
		return bp_fail(err, BP_EAGAIN, "the broker has no JetStream, or not for this key (%s)",
			       subject);
	if (rc < 0)
		return rc;
	tree = json_tree(natsMsg_GetData(m), (size_t)natsMsg_GetDataLength(m), err);
	natsMsg_Destroy(m);
	if (tree == NULL)
		return bp_fail(err, BP_EAGAIN, "%s: JetStream's answer is no JSON", subject);
	e = node_get(tree, "error");
	if (e != NULL) {
		rc = js_failed(subject, e, js_code, err);
		free(tree);
		return rc;
	}
	*out = tree;
	return 0;
}

int bus_publish(struct bus *b, const char *subject, const char *id, const void *bytes, size_t n,
		bool *duplicate, struct bp_error *err)
{
	struct bus_header headers[] = {{"Nats-Msg-Id", id}, {NULL, NULL}};
	struct json_node *tree;
	int rc = n > BUS_PAYLOAD_MAX ? bp_fail(err, BP_ERANGE, "%s: %zu bytes", subject, n) : 0;

	if (rc == 0)
		rc = bus_js(b, subject, id != NULL ? headers : NULL, bytes, n, &tree, NULL, err);
	if (rc < 0)
		return rc;
	if (duplicate != NULL)
		*duplicate = node_is(node_get(tree, "duplicate"), NODE_TRUE);
	free(tree);
	return 0;
}

int bus_tell(struct bus *b, const char *subject, const void *bytes, size_t n,
	     struct bp_error *err)
{
	struct bus_doubt doubt;
	natsStatus s;
	int rc = n > BUS_PAYLOAD_MAX ? bp_fail(err, BP_ERANGE, "%s: %zu bytes", subject, n) :
				       bus_ready(b, err);

	if (rc < 0)
		return rc;
	doubt = bus_doubt(b, "Publish", subject);
	s = natsConnection_Publish(b->nc, subject, bytes, (int)n);
	if (s == NATS_OK)
		s = natsConnection_FlushTimeout(b->nc, b->wait_ns / NS_PER_MS);
	if (s == NATS_OK && bus_was_denied(b, &doubt, err))
		return BP_EPERM;
	return bus_status(b, s, err, "%s", subject);
}

int bus_ask(struct bus *b, const char *subject, const void *bytes, size_t n, int64_t wait_ns,
	    struct buf *answer, struct bp_error *err)
{
	natsMsg *m;
	int rc = bus_call(b, subject, NULL, bytes, n, wait_ns, &m, err);

	if (rc < 0)
		return rc;
	buf_clear(answer);
	buf_append(answer, natsMsg_GetData(m), (size_t)natsMsg_GetDataLength(m));
	natsMsg_Destroy(m);
	return answer->failed ? bp_fail(err, BP_ENOMEM, "out of memory") : 0;
}

int bus_ask_all(struct bus *b, const char *subject, const void *bytes, size_t n, unsigned most,
		int64_t wait_ns,
		int (*on_each)(void *arg, const char *bytes, size_t n, struct bp_error *err),
		void *arg, struct bp_error *err)
{
	char inbox[BUS_INBOX_TEXT];
	struct mono until = mono_add(mono_now(), wait_ns);
	struct bus_doubt doubt;
	natsSubscription *sub;
	unsigned came = 0;
	int rc = n > BUS_PAYLOAD_MAX ? bp_fail(err, BP_ERANGE, "%s: %zu bytes", subject, n) :
				       bus_ready(b, err);

	bus_inbox(b, inbox);
	if (rc == 0)
		rc = bus_subscribe(b, inbox, NULL, &sub, err);
	if (rc < 0)
		return rc;
	doubt = bus_doubt(b, "Publish", subject);
	rc = bus_status(b, natsConnection_PublishRequest(b->nc, subject, inbox, bytes, (int)n), err,
			"%s", subject);
	while (rc == 0 && came < most) {
		int64_t left = mono_since(until, mono_now());
		natsMsg *m = NULL;

		if (natsSubscription_NextMsg(&m, sub, left >= NS_PER_MS ? left / NS_PER_MS : 1) !=
		    NATS_OK)
			break;
		if (bus_status_of(m) == 0) {
			came++;
			rc = on_each(arg, natsMsg_GetData(m), (size_t)natsMsg_GetDataLength(m),
				     err);
		}
		natsMsg_Destroy(m);
	}
	if (rc == 0 && came == 0)
		rc = bus_was_denied(b, &doubt, err) ?
			     BP_EPERM : bp_fail(err, BP_EAGAIN, "%s: no answer in time", subject);
	natsSubscription_Destroy(sub);
	return rc;
}

/* --- listening ------------------------------------------------------------------------------- */

void bus_message_drop(struct bus_message *m)
{
	if (m->inside != NULL)
		natsMsg_Destroy(m->inside);
	memset(m, 0, sizeof(*m));
}

void bus_message_of(struct bus *b, natsMsg *m, struct bus_message *out)
{
	const char *id = NULL;
	struct bus_meta meta;

	*out = (struct bus_message){
		.bus = b,
		.inside = m,
		.subject = natsMsg_GetSubject(m),
		.bytes = natsMsg_GetData(m),
		.size = (size_t)natsMsg_GetDataLength(m),
	};
	if (natsMsgHeader_Get(m, "Nats-Msg-Id", &id) == NATS_OK)
		out->id = id;
	if (bus_meta_of(m, &meta)) {
		out->stamp = meta.stamp;
		out->stream_seq = meta.stream_seq;
		out->deliveries = meta.deliveries;
	}
}

static int ear_make(struct bus_ear *e, struct bp_error *err)
{
	int rc = bus_ready(e->bus, err);

	if (e->sub != NULL && e->made == e->bus->made)
		return rc; /* the library makes it again where it connects again */
	natsSubscription_Destroy(e->sub);
	e->sub = NULL;
	if (rc == 0)
		rc = bus_subscribe(e->bus, e->subject, e->queue[0] != '\0' ? e->queue : NULL,
				   &e->sub, err);
	if (rc == 0)
		e->made = e->bus->made;
	return rc;
}

int bus_listen(struct bus *b, const char *subject, const char *queue, struct bus_ear **out,
	       struct bp_error *err)
{
	struct bus_ear *e = calloc(1, sizeof(*e));
	int rc;

	if (e == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	e->bus = b;
	text_set(e->subject, sizeof(e->subject), subject);
	text_set(e->queue, sizeof(e->queue), queue != NULL ? queue : "");
	rc = ear_make(e, err);
	if (rc < 0 && rc != BP_EAGAIN) {
		bus_ear_close(e);
		return rc;
	}
	*out = e;
	return 0;
}

int bus_hear(struct bus_ear *e, int64_t wait_ns, struct bus_message *out, struct bp_error *err)
{
	natsMsg *m = NULL;
	natsStatus s;
	int rc = ear_make(e, err);

	if (rc < 0)
		return rc;
	/* The library refuses a wait of nothing. */
	s = natsSubscription_NextMsg(&m, e->sub, wait_ns >= NS_PER_MS ? wait_ns / NS_PER_MS : 1);
	if (s == NATS_TIMEOUT)
		return bp_fail(err, BP_ENOTFOUND, "%s: nothing came", e->subject);
	if (s == NATS_SLOW_CONSUMER) /* some were dropped: told, and the rest is there */
		return bp_fail(err, BP_ENOTFOUND, "%s: more came than was read", e->subject);
	if (s != NATS_OK)
		return bus_status(e->bus, s, err, "%s", e->subject);
	bus_message_of(e->bus, m, out);
	return 0;
}

int bus_answer(struct bus *b, const struct bus_message *to, const void *bytes, size_t n,
	       struct bp_error *err)
{
	const char *reply = natsMsg_GetReply(to->inside);

	if (reply == NULL || *reply == '\0')
		return bp_fail(err, BP_EINVAL, "%s: wants no answer", to->subject);
	return bus_tell(b, reply, bytes, n, err);
}

void bus_ear_close(struct bus_ear *e)
{
	if (e == NULL)
		return;
	natsSubscription_Destroy(e->sub);
	free(e);
}
