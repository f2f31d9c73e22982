// SPDX-License-Identifier: BSD-2-Clause
/*
 * Who is at the other end of the prober's standard input and output: a parent with two pipes, or,
 * over one local socket for both (a socket unit of systemd, `Accept=yes`), whoever connected to it.
 * Looked at before the drop, whose filter lets none of this through; decides nothing.
 */
#ifndef PROBER_IO_PEER_H
#define PROBER_IO_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"

#define PEER_NOBODY UINT32_MAX

struct peer {
	bool socket;  /* one local socket is both input and output */
	uint32_t uid; /* who asks: this process's real user; over a socket who connected
		       * (SO_PEERCRED, unix(7)), and PEER_NOBODY for root: a socket may be made by
		       * root and handed to somebody else, so over one nobody is root */
};

/* Looks at both descriptors; a socket is made non-blocking, as borderpath makes a child's pipe.
 * BP_EUNSUP: a socket of a network. BP_EIO. */
int peer_look(int in, int out, struct peer *peer, struct bp_error *err);

#endif
