// SPDX-License-Identifier: BSD-2-Clause
/*
 * The prober behind a local socket: a service manager starts one for each who connects, in a unit
 * that alone has CAP_NET_RAW (packaging/systemd/borderpath-probe@.service). Connects, and says why
 * not; what is said over it is probe.h's.
 */
#ifndef CAMPAIGN_PROBE_SOCKET_H
#define CAMPAIGN_PROBE_SOCKET_H

#include "core/err.h"

/* The environment's variable that names the socket. Unset or empty: the prober is a child. */
#define PROBE_SOCKET_ENV "BORDERPATH_PROBE_SOCKET"

/* The path to connect to, or NULL. */
const char *probe_socket_path(void);
/* A connected, non-blocking, close-on-exec descriptor, never waiting for one. BP_ENOTFOUND: there
 * is no such socket; BP_EPERM: not for us; BP_EAGAIN: too many wait; BP_ERANGE: too long a path;
 * BP_EIO: nobody listens. */
int probe_socket_connect(const char *path, struct bp_error *err);

#endif
