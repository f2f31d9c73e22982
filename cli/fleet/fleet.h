// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the fleet's commands share: the directory that `fleet init` makes, as names, and how the
 * broker is dialled from it. Private to cli/fleet.
 *
 *	DIR/README          what goes where
 *	DIR/fleet.json      the fleet's list (campaign/fleet/roster.h)
 *	DIR/broker.json     which of the broker's lists it was made from (known.h)
 *	DIR/ca.pem, ca.key  the authority: for agents; for nobody
 *	DIR/server/         for the broker: nats.conf (nats-1.conf ... of a cluster), accounts.conf,
 *	                    ca.pem, server.pem, server.key
 *	DIR/.lock           held by who changes any of it
 *	DIR/keys/NAME.nk    one for each vantage point, centre, operator, system
 */
#ifndef CLI_FLEET_FLEET_H
#define CLI_FLEET_FLEET_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "campaign/fleet/bus.h"
#include "campaign/fleet/roster.h"
#include "core/err.h"

enum { FLEET_SECRET_MODE = 0600, FLEET_OPEN_MODE = 0644 };

/* "1 plan", "2 plans": the end of the word. */
static inline const char *fleet_s(unsigned n)
{
	return n == 1 ? "" : "s";
}

/* argv[0] is the subcommand's name. Each returns an exit code. */
int fleet_init(int argc, char **argv);
int fleet_add(int argc, char **argv);
int fleet_revoke(int argc, char **argv);
int fleet_set(int argc, char **argv);
int fleet_budget(int argc, char **argv);
int fleet_refresh(int argc, char **argv);
int fleet_status(int argc, char **argv);

/* DIR/name into out; returns out. BP_ERANGE is told by the file that is not there. */
const char *fleet_path(const char *dir, const char *name, char out[static PATH_MAX]);
/* Nobody else changes the directory until *fd, the caller's, is closed: waits for who does, some
 * time. BP_ENOTFOUND: it is no fleet's; BP_EAGAIN: who holds it. */
int fleet_lock(const char *dir, int *fd, struct bp_error *err);
/* A file that was not there before, there whole. BP_EINVAL: it was. */
int fleet_write_new(const char *path, mode_t mode, const struct buf *bytes, struct bp_error *err);
/* DIR/keys/NAME.nk of a new key, 0600; its public half. */
int fleet_make_key(const char *dir, const char *name, char public_key[static NKEY_PUBLIC_TEXT],
		   struct bp_error *err);

/* The public half of the key that lies there. BP_ENOTFOUND: none does; BP_EPARSE: it is no key. */
int fleet_read_key(const char *dir, const char *name, char public_key[static NKEY_PUBLIC_TEXT],
		   struct bp_error *err);

/* DIR/fleet.json, and DIR/server/accounts.conf made of it, whole. */
int fleet_write_list(const char *dir, const struct roster *r, struct bp_error *err);

/* How the broker is reached: each as given, NULL: from the directory, if that is given. */
struct fleet_dial { const char *server, *nkey, *ca, *dir; };
#define FLEET_DIAL_OPTIONS \
	{"server", required_argument, NULL, OPT_SERVER}, \
	{"nkey", required_argument, NULL, OPT_NKEY}, \
	{"ca", required_argument, NULL, OPT_CA}, \
	{"dir", required_argument, NULL, 'd'}
enum { OPT_SERVER = 400, OPT_NKEY, OPT_CA, OPT_FLEET_FIRST };
/* Whether it is one of them, taken. */
bool fleet_dial_take(struct fleet_dial *d, int opt, char *arg);
/* As the last of a command's options: 0, or CLI_USAGE + 1 after telling that no broker is named. */
int fleet_dial_check(const struct fleet_dial *d, const char *command);
/* Connects as role ("operator", "system"). */
int fleet_dial_open(const struct fleet_dial *d, const char *role, struct bus **out,
		    struct bp_error *err);

#endif
