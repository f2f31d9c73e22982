// SPDX-License-Identifier: BSD-2-Clause
/*
 * The inside of the bus, shared by campaign/fleet/bus*.c and by nobody else:
 *
 *   bus.c          the connection: options, keys, what the library's threads tell, its end
 *   bus_why.c      addresses, and why a server is not reached
 *   bus_call.c     one question and its answer; messages to whoever listens
 *   bus_reply.c    what JetStream says in subjects, headers and JSON, as values
 *   bus_setup.c    streams and buckets are made
 *   bus_bucket.c   entries of buckets: put, get, each
 *   bus_watch.c    a bucket as it changes
 *   bus_intake.c   the centre's consumer
 *
 * A bus belongs to one thread. The library has its own: they touch only what is under `lock`.
 * JetStream is spoken here by its subjects (docs.nats.io, "NATS API Reference"), not by the
 * library's js_ calls: those wait until their time is over when a subject was denied, and read the
 * configuration of streams, which an agent need not see.
 */
#ifndef CAMPAIGN_FLEET_BUS_INSIDE_H
#define CAMPAIGN_FLEET_BUS_INSIDE_H

#include <nats/nats.h>
#include <pthread.h>

#include "campaign/fleet/bus.h"
#include "core/jsontree.h"

#define BUS_WAIT_NS (5 * NS_PER_S)
#define BUS_REOPEN_NS (10 * NS_PER_S)  /* after the library gave up: tried anew then */
#define BUS_LEARN_NS (30 * NS_PER_S)   /* why it cannot be reached is looked at so often */
#define BUS_BARRED_NS (60 * NS_PER_S)  /* a key that is another's is tried again then */

enum { BUS_DENIED_TEXT = 256, BUS_INBOX_TEXT = 128 };

struct bus {
	char *url, *nkey_file, *ca_file, *name, inbox[BUS_NAME_TEXT];
	int64_t wait_ns;
	bool patient;
	bool own_fault;                /* of the last dialling: no server's */
	bool stale;                    /* the library tells of a refusal that is no more */
	natsConnection *nc;            /* NULL: given up, and tried again at `reopen` */
	struct mono reopen;
	bool refused;                  /* the library gave up: the next dialling is to learn why */
	struct mono barred;            /* the key is not of who we say we are: no call before */
	unsigned made;                 /* connections: subscriptions belong to one of them */
	natsSubscription *answers;     /* of this connection; NULL: not made yet */
	char answer_to[BUS_INBOX_TEXT];/* "_INBOX.fra1.RANDOM." */

	pthread_mutex_t lock;          /* of everything below */
	pthread_cond_t woken;
	bool gone;                     /* the library gave this connection up */
	const natsConnection *left;    /* one that we gave up, and the library not yet */
	bool closing;
	bool unlucky;                  /* the library could not send the last signature */
	char why[BP_ERROR_TEXT];       /* there is no connection; empty: not known, or there is */
	int why_code;
	struct mono learnt;            /* when bus_why was asked last */
	unsigned lives, losses;        /* times it was (re)connected; and lost */
	uint64_t calls, asked;         /* asked: the call under way; 0: none */
	natsMsg *answer;               /* of it */
	uint64_t denials;
	char denied[BUS_DENIED_TEXT];  /* the last one's text */
	char trouble[BP_ERROR_TEXT];   /* empty: nothing new */
};

struct bus_header { const char *key, *value; };

/* Connected now; else BP_EAGAIN with what is known. Dials anew where the library gave up. */
int bus_ready(struct bus *b, struct bp_error *err);
/* A library's status as our error; what: "to publish on bp.result.a". */
int bus_status(struct bus *b, natsStatus s, struct bp_error *err, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* Before a subject is used ("Publish", "Subscription"), and behind the flush: whether the server
 * refused this use, not one of long ago. What act and subject point to stays as long. */
struct bus_doubt {
	const char *act, *subject;
	bool stale;
	uint64_t denials;
};
struct bus_doubt bus_doubt(struct bus *b, const char *act, const char *subject);
bool bus_was_denied(struct bus *b, const struct bus_doubt *d, struct bp_error *err);
/* What the next call says while there is no connection; code 0: nothing is wrong. */
void bus_keep_why(struct bus *b, int code, const char *text);
/* Whether the answers of our calls can be heard, once per connection: BP_EPERM where the key is
 * another's. */
int bus_answers_open(struct bus *b, struct bp_error *err);
/* A subscription that is there at the server, or was denied. */
int bus_subscribe(struct bus *b, const char *subject, const char *queue, natsSubscription **out,
		  struct bp_error *err);
/* "_INBOX.fra1.RANDOM", fresh. */
void bus_inbox(const struct bus *b, char out[static BUS_INBOX_TEXT]);

/* A request to a subject and its one answer, owned by the caller. wait_ns 0: the bus's. Headers end
 * with {NULL, NULL}; may be NULL. BP_ENOTFOUND: nobody listens. */
int bus_call(struct bus *b, const char *subject, const struct bus_header *headers,
	     const void *bytes, size_t n, int64_t wait_ns, natsMsg **out, struct bp_error *err);
/* A JetStream request whose answer is JSON: *out is its tree (free). An answer that is an error is
 * told as one: BP_ENOTFOUND (no such stream, consumer, message), BP_EAGAIN and so on; *js_code (may
 * be NULL) is JetStream's err_code or 0. */
int bus_js(struct bus *b, const char *subject, const struct bus_header *headers, const void *bytes,
	   size_t n, struct json_node **out, int64_t *js_code, struct bp_error *err);

/* A message with its values; it owns m. */
void bus_message_of(struct bus *b, natsMsg *m, struct bus_message *out);

/* --- bus_why.c ------------------------------------------------------------------------------- */

/* Why each of them is not reached, no password in it; may wait for seconds. */
void bus_why(const char *url, char *out, size_t size);

/* --- bus_reply.c ----------------------------------------------------------------------------- */

/* The status of a message without a body ("404", "100", ...), 0: none. */
int bus_status_of(natsMsg *m);
/* What the subject that acknowledges a stream's message says. False: it is none. */
struct bus_meta {
	uint64_t deliveries, stream_seq, consumer_seq, pending;
	struct wall stamp;
};
bool bus_meta_of(const natsMsg *m, struct bus_meta *out);
/* The entry of a bucket that a message is; prefix: "$KV.BUCKET.". False: it is none. */
bool bus_entry_of(natsMsg *m, const char *prefix, struct bus_entry *out);

#endif
