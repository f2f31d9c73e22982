// SPDX-License-Identifier: BSD-2-Clause
/*
 * Who the broker turned away, from the two places that know: its servers' own account of their
 * connections (asked by the system's key), and its log. A server remembers that an authentication
 * failed, from where, and what the connection called itself; by which key, and what was denied to
 * whom, is in its log alone. Private to cli/fleet.
 */
#ifndef CLI_FLEET_TURNED_H
#define CLI_FLEET_TURNED_H

#include <stdbool.h>
#include <stdint.h>

#include "campaign/fleet/bus.h"
#include "campaign/fleet/nkey.h"
#include "campaign/fleet/roster.h"
#include "core/clock.h"
#include "core/err.h"

enum {
	TURNED_ADDRESS_TEXT = 64,
	TURNED_NAME_TEXT = 96,
	TURNED_CONNECTIONS_MAX = 1024,  /* asked of each server */
	TURNED_KEYS_MAX = 256,
};

/* A connection that is open now. */
struct turned_open { char account[BUS_NAME_TEXT + 8], address[TURNED_ADDRESS_TEXT]; };

/* What a log says of one key. */
struct turned_key {
	char nkey[NKEY_PUBLIC_TEXT];    /* empty: who had none */
	uint64_t failures, publishes, subscriptions;
	char subject[BUS_SUBJECT_TEXT]; /* denied last */
	char address[TURNED_ADDRESS_TEXT], when[32]; /* of the last line, as the log writes it */
};

struct turned {
	bool asked;                     /* the servers have answered */
	struct wall now;                /* by the broker's clock */
	struct turned_open *open;       /* owned */
	unsigned open_count;
	uint64_t failures;              /* among the connections that servers still remember */
	struct wall last;
	char address[TURNED_ADDRESS_TEXT], name[TURNED_NAME_TEXT]; /* of the last one */
	struct turned_key *keys;        /* owned; of a log */
	unsigned keys_count;
	bool logged;                    /* a log was read */
};

/* Whose key it is, where it is a role's and no vantage point's: "centre" ...; else NULL. */
const char *turned_role_of(const struct roster *r, const char *nkey);
/* Zeroed before. As the system's user, of so many servers. */
int turned_ask(struct bus *b, unsigned servers, struct turned *t, struct bp_error *err);
/* The broker's moment, by the system's key of a fleet's directory; ours where it cannot be asked:
 * a clock of ours that is wrong makes nobody silent. */
struct fleet_dial;
struct wall turned_now(const struct fleet_dial *dial, unsigned servers);
/* nats-server's log; "-" is stdin. */
int turned_read_log(const char *path, struct turned *t, struct bp_error *err);
void turned_fini(struct turned *t);

#endif
