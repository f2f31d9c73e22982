// SPDX-License-Identifier: BSD-2-Clause
/*
 * Who belongs to a fleet: the broker, the vantage points and their public keys, the budget that
 * they share. fleet.json of `fleet init`, and the key `roster` of BP_FLEET (doc/fleet-protocol.md).
 * Holds no secret. A key that was revoked stays in the list: whoever still uses it has a name.
 */
#ifndef CAMPAIGN_FLEET_ROSTER_H
#define CAMPAIGN_FLEET_ROSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "campaign/fleet/bus.h"
#include "campaign/fleet/nkey.h"
#include "core/addr.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/err.h"

enum {
	ROSTER_VERSION = 1,
	ROSTER_VANTAGES_MAX = 512,      /* keys, revoked ones too */
	ROSTER_BROKERS_MAX = 3,
	ROSTER_HOST_TEXT = 256,
	ROSTER_URL_TEXT = 1024,
	ROSTER_BUDGET_PPS = 40,         /* of the whole fleet into one /24 or /48 */
	ROSTER_BUDGET_MAX_PPS = 1000000,
};

/* What an agent cannot know of itself, and plans tell it (campaign.md, `vantage`). */
struct roster_where {
	bool known;                     /* the place, in hundred thousandths of a degree */
	int32_t lat_e5, lon_e5;
	struct addr address;            /* the public one, where NAT hides it; none: not said */
};

struct roster_key {
	char name[BUS_NAME_TEXT];
	char nkey[NKEY_PUBLIC_TEXT];
	struct roster_where where;
	struct wall since, revoked;     /* revoked 0: it holds */
};

struct roster {
	char server[ROSTER_URL_TEXT];   /* as agents are to dial it */
	bool tls;
	unsigned replicas;
	uint32_t budget_pps;
	char centre[NKEY_PUBLIC_TEXT], operator[NKEY_PUBLIC_TEXT], system[NKEY_PUBLIC_TEXT];
	struct roster_key *keys;        /* owned; of vantage points, in the order they came */
	unsigned count;
};

/* Zeroed before. */
void roster_fini(struct roster *r);
/* BP_EPARSE: it is no roster, or of an unknown version. `name` for messages. */
int roster_read(const char *name, const char *bytes, size_t n, struct roster *out,
		struct bp_error *err);
/* `place`, and the address under that key, where they are known. */
struct json_writer;
void roster_put_where(struct json_writer *w, const struct roster_where *where,
		      const char *address_key);
/* One line of JSON, ended. */
void roster_put(struct buf *out, const struct roster *r);
int roster_load(const char *path, struct roster *out, struct bp_error *err);

/* A name that may be part of subjects, and is none of the fleet's own: centre, operator, system. */
bool roster_name_ok(const char *name);
/* The key that holds for a name, or NULL. */
const struct roster_key *roster_find(const struct roster *r, const char *name);
/* Of any key that there ever was; NULL: a stranger's. */
const struct roster_key *roster_of_key(const struct roster *r, const char *nkey);
/* How many keys hold. */
unsigned roster_holding(const struct roster *r);
/* BP_EINVAL: a key holds for that name, or for one that ids of traces cannot tell from it (the
 * first 28 bytes, '-' as '_': core/record/trace.h); BP_ERANGE: too many. */
int roster_add(struct roster *r, const char *name, const char *nkey, struct wall now,
	       struct bp_error *err);
/* BP_ENOTFOUND: no key holds for that name. A later key of that name has it, too. */
int roster_place(struct roster *r, const char *name, const struct roster_where *where,
		 struct bp_error *err);
/* BP_ENOTFOUND. */
int roster_revoke(struct roster *r, const char *name, struct wall now, struct bp_error *err);

/* One broker of the server's URLs: "tls://host:4222", "nats://[2001:db8::1]". */
struct roster_broker { char host[ROSTER_HOST_TEXT]; uint16_t port; };
/* All of a comma list, at most ROSTER_BROKERS_MAX. BP_EPARSE. */
int roster_brokers(const char *server, struct roster_broker out[static ROSTER_BROKERS_MAX],
		   unsigned *count, struct bp_error *err);

#endif
