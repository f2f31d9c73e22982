// SPDX-License-Identifier: BSD-2-Clause
/*
 * Giving up privilege, for good: identity, every capability set, no_new_privs, and a system call
 * filter that kills what the measurement does not need. Called once, after the sockets are open and
 * before the first byte of the plan is read. There is no way back and this file offers none.
 */
#ifndef PROBER_IO_DROP_H
#define PROBER_IO_DROP_H

#include "core/err.h"

/* Who a prober started by root becomes: nobody, nogroup (Debian policy 9.2). Numbers, so that no
 * name service runs with privilege. */
enum { DROP_UID = 65534, DROP_GID = 65534 };

/* 0 when every capability is gone (read back from the kernel, not assumed) and new ones cannot
 * come; BP_EPERM or BP_EIO with the step that failed: the caller must end. Bounding set: cleared
 * when CAP_SETPCAP is held (root), left alone when only a file capability was (it is of no use
 * then). */
int drop_privileges(struct bp_error *err);

/* Loads the filter: from here on only poll, read, write, the packet and socket calls of this room
 * and memory; the rest kills the process. BP_EIO. */
int drop_system_calls(struct bp_error *err);

#endif
