// SPDX-License-Identifier: BSD-2-Clause
/*
 * The broker's configuration, as text: nats.conf of each broker, and accounts.conf, which says who
 * may what. Owns the permissions of the fleet's four roles (doc/fleet-protocol.md, "Who may what"); opens
 * nothing.
 *
 * Each vantage point has an account of its own. In one account together, permissions would not be
 * enough: a publisher names the subject of the answer, the server checks no permission for it, and
 * its own acknowledgement, sent there, overwrites another's plan or purges a stream. Between
 * accounts an answer goes back to who asked and nowhere else.
 */
#ifndef CAMPAIGN_FLEET_SERVER_CONF_H
#define CAMPAIGN_FLEET_SERVER_CONF_H

#include "campaign/fleet/roster.h"
#include "core/buf.h"

/* Where things will lie on the broker's machine: absolute paths. */
struct server_places { const char *dir, *jetstream; };

/* The configuration of brokers[at]; with more than one, and TLS, by which they know each other,
 * they are a cluster. */
void server_conf_put(struct buf *out, const struct roster *r, const struct roster_broker *brokers,
		     unsigned count, unsigned at, const struct server_places *places);
/* What it includes: the same for all. */
void server_conf_put_accounts(struct buf *out, const struct roster *r);

#endif
