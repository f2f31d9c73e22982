// SPDX-License-Identifier: BSD-2-Clause
/*
 * The broker, as the fleet needs it: the only file pair that knows libnats. Blocking calls with a
 * limit of time, for programs whose measuring goes on in another process. What the library tells
 * late and elsewhere (a denied subject comes as a timeout, its reason to an error handler of
 * another thread) is told here by the call it belongs to. Names: doc/fleet-protocol.md.
 *
 * Errors: BP_EPERM refused by the server's permissions, or by its authentication (the text says
 * which subject, which key); BP_EAGAIN the broker cannot be reached, or did not answer in time, or
 * takes no more (stream full, of this
 * vantage point or of all): try again later; BP_EINVAL; BP_ENOMEM; BP_EUNSUP no JetStream.
 * A connection that was lost comes back by itself; calls meanwhile are BP_EAGAIN, at once.
 */
#ifndef CAMPAIGN_FLEET_BUS_H
#define CAMPAIGN_FLEET_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/clock.h"
#include "core/err.h"

enum {
	BUS_PAYLOAD_MAX = 1000000,  /* under the server's default of 1 MiB */
	BUS_NAME_TEXT = 64,         /* a vantage point, a campaign */
	BUS_SUBJECT_TEXT = 192,
	BUS_FETCH_MAX = 64,
	BUS_WAITING_MAX = 256,      /* messages of one vantage point in the stream */
};
#define BUS_STREAM_BYTES_DEFAULT (INT64_C(4) << 30)

struct bus;

struct bus_options {
	const char *url;        /* "nats://host:4222,tls://..."; several by comma; no password in it */
	const char *nkey_file;  /* seed, mode 0600 or stricter; NULL: none */
	const char *ca_file;    /* PEM; NULL: the system's. Only with tls:// */
	const char *name;       /* of the connection, for the server's log: "borderpath agent fra1" */
	const char *inbox;      /* "fra1", "centre", "operator": answers come to _INBOX.THIS.> */
	int64_t wait_ns;        /* of each call that does not name its own; 0: 5 s */
};

/* BP_EINVAL: not all of a list are addresses of NATS servers. */
int bus_url_check(const char *url, struct bp_error *err);
/* Connects; waits at most wait_ns. BP_EINVAL: url is no address of a NATS server. A server that is
 * away is BP_EAGAIN, unless `patient`: then the connection is made later, by itself. */
int bus_open(const struct bus_options *o, bool patient, struct bus **out, struct bp_error *err);
void bus_close(struct bus *b);
/* Ends the library's threads, where no bus is open any more: for who wants to leave nothing
 * behind. */
void bus_over(void);
bool bus_is_connected(const struct bus *b);
/* Times that a connection was made, so far. */
unsigned bus_lives(struct bus *b);
/* Whether calls can be made now: 0, BP_EAGAIN, or BP_EPERM (the server refuses us, or the key is
 * another's), with why: no such host, refused, a certificate that is not trusted ... Dials anew
 * where the library gave up, as every call does: for who calls nothing while it is away. */
int bus_look(struct bus *b, struct bp_error *err);
/* What the server or the library said since it was last asked, one line (a denied subject, a lost
 * connection, a wrong key); false: nothing. */
bool bus_trouble(struct bus *b, char *text, size_t size);

/* Makes the stream and the buckets that are not there, and brings those that are to the same:
 * bounds by vantage point, and no message that drops others (roll-up, purge); a smaller
 * stream_bytes grows. What is not ours to change here is told by bus_trouble. replicas 1 to 5. */
int bus_setup(struct bus *b, unsigned replicas, int64_t stream_bytes, struct bp_error *err);

/* Whether a name may be part of a subject and of a key: [A-Za-z0-9_-], 1 to BUS_NAME_TEXT - 1. */
bool bus_name_ok(const char *name);

/* --- messages -------------------------------------------------------------------------------- */

/* Into a stream; returns when a broker has it. id: Nats-Msg-Id; *duplicate: the stream had it. */
int bus_publish(struct bus *b, const char *subject, const char *id, const void *bytes, size_t n,
		bool *duplicate, struct bp_error *err);
/* To whoever listens now. */
int bus_tell(struct bus *b, const char *subject, const void *bytes, size_t n,
	     struct bp_error *err);
/* And waits for one answer. BP_ENOTFOUND: nobody listens. */
int bus_ask(struct bus *b, const char *subject, const void *bytes, size_t n, int64_t wait_ns,
	    struct buf *answer, struct bp_error *err);

/* And takes the answers of all who listen: `most` of them, or those that come within wait_ns.
 * BP_EAGAIN: none did. */
int bus_ask_all(struct bus *b, const char *subject, const void *bytes, size_t n, unsigned most,
		int64_t wait_ns,
		int (*on_each)(void *arg, const char *bytes, size_t n, struct bp_error *err),
		void *arg, struct bp_error *err);

/* A message; its strings and bytes are owned by it, until bus_message_drop. */
struct bus_message {
	struct bus *bus;
	void *inside;
	const char *subject, *id /* NULL: none */;
	const char *bytes;
	size_t size;
	struct wall stamp;         /* the server's, of a stream's message; 0: none */
	uint64_t stream_seq, deliveries;
};
void bus_message_drop(struct bus_message *m);

struct bus_ear;
/* queue NULL: every listener hears all; else one of the queue. */
int bus_listen(struct bus *b, const char *subject, const char *queue, struct bus_ear **out,
	       struct bp_error *err);
/* The next message; BP_ENOTFOUND: none within wait_ns (0: does not wait). */
int bus_hear(struct bus_ear *e, int64_t wait_ns, struct bus_message *out, struct bp_error *err);
int bus_answer(struct bus *b, const struct bus_message *to, const void *bytes, size_t n,
	       struct bp_error *err);
void bus_ear_close(struct bus_ear *e);

/* --- results, as the centre takes them ------------------------------------------------------- */

struct bus_intake;
/* The shared pull consumer of BP_RESULTS, made when it is not there (explicit acknowledgement, 60 s
 * to give it, redelivered for ever). */
int bus_intake_open(struct bus *b, struct bus_intake **out, struct bp_error *err);
/* At most max (BUS_FETCH_MAX) messages; waits wait_ns for the first. *count 0: none came. */
int bus_fetch(struct bus_intake *in, unsigned max, int64_t wait_ns, struct bus_message *out,
	      unsigned *count, struct bp_error *err);
int bus_ack(struct bus_message *m, struct bp_error *err);
/* Again, to anybody, after delay_ns. */
int bus_nak(struct bus_message *m, int64_t delay_ns, struct bp_error *err);
void bus_intake_close(struct bus_intake *in);

/* --- buckets --------------------------------------------------------------------------------- */

struct bus_entry {
	const char *key, *bytes;   /* borrowed until return or the next call */
	size_t size;
	uint64_t revision;
	struct wall created;       /* the server's clock */
	bool gone;                 /* deleted */
};
/* There must be none: no key, and none that was deleted. */
#define BUS_REVISION_NONE UINT64_MAX
/* revision (may be NULL) in: 0 whatever is there, else what it must be (BP_EAGAIN: it is another);
 * out: the new one. */
int bus_put(struct bus *b, const char *bucket, const char *key, const void *bytes, size_t n,
	    uint64_t *revision, struct bp_error *err);
/* BP_ENOTFOUND. */
int bus_get(struct bus *b, const char *bucket, const char *key, struct buf *bytes,
	    uint64_t *revision, struct wall *created, struct bp_error *err);
int bus_delete(struct bus *b, const char *bucket, const char *key, struct bp_error *err);
/* Each entry that is there, in no order; negative stops. */
int bus_each(struct bus *b, const char *bucket,
	     int (*on_entry)(void *arg, const struct bus_entry *e, struct bp_error *err), void *arg,
	     struct bp_error *err);

struct bus_watch;
/* keys: "fra1.*". First what is there, then each change. */
int bus_watch_open(struct bus *b, const char *bucket, const char *keys, struct bus_watch **out,
		   struct bp_error *err);
/* BP_ENOTFOUND: nothing within wait_ns. *all: what was there is told now (entry->key NULL). */
int bus_watch_next(struct bus_watch *w, int64_t wait_ns, struct bus_entry *entry, bool *all,
		   struct bp_error *err);
void bus_watch_close(struct bus_watch *w);

#endif
