// SPDX-License-Identifier: BSD-2-Clause
/*
 * A vantage point of a fleet: the program that talks to the network. Measuring is a child's
 * (`campaign run` on the plans that came, into SPOOL/spool.db), so that it never waits for a
 * broker; what the child committed is cut into batches (cut.h), sent, and forgotten up to the
 * centre's watermark. Needs no capability and no file but those under the spool's directory:
 *
 *   plans/NAME.yaml  as they run     spool.db  rounds, as `campaign run` keeps them
 *   journal/         rounds under way  outbox.db  batches that are not confirmed (cut.h)
 *   agent.lock       one agent a spool
 */
#ifndef CAMPAIGN_FLEET_AGENT_H
#define CAMPAIGN_FLEET_AGENT_H

#include <stddef.h>
#include <stdint.h>

#include "core/clock.h"
#include "core/err.h"

#define AGENT_SPOOL_BYTES_DEFAULT (INT64_C(1) << 30)
/* A quarter of it is for rounds under way: SPOOL_BYTES_MIN. */
#define AGENT_SPOOL_BYTES_MIN (INT64_C(1) << 20)
#define AGENT_AGAIN_DEFAULT_NS (60 * NS_PER_S)

struct agent_options {
	const char *server, *vantage;
	const char *nkey_file, *ca_file;            /* NULL: none; the system's */
	const char *spool;                          /* a directory, made if it is not there */
	int64_t spool_bytes;                        /* 0: AGENT_SPOOL_BYTES_DEFAULT */
	/* A batch without a watermark is sent again behind once to twice this, then twice that, and
	 * so on (at most 15 times it); watermarks are asked for twice as often. 0: the default. */
	int64_t again_ns;
	const char *profile, *asn_db, *country_db;  /* the child's; NULL: its defaults */
	const char *avoid;                          /* a do-not-probe list; NULL: none */
	/* A round that is safe in the spool: its JSON line, newline included. */
	void (*on_round)(void *arg, const char *line, size_t n);
	/* One line for people. */
	void (*on_note)(void *arg, const char *text);
	void *arg;
};

/* Runs until SIGTERM or SIGINT; a second one gives up what is in flight. BP_EAGAIN: another agent
 * has this spool; BP_EINVAL: it is another vantage point's, or an option makes no sense; BP_EPERM,
 * BP_EIO of its files; BP_EPERM and BP_EPARSE of the key's file. A broker that is away, or refuses,
 * is no failure. Tells systemd (READY, STATUS, WATCHDOG, STOPPING). Call sodium_init first. */
int agent_run(const struct agent_options *o, struct bp_error *err);

#endif
