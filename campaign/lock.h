// SPDX-License-Identifier: BSD-2-Clause
/*
 * One process a campaign: a lock on a file that says which. The kernel gives it back when the
 * process ends, however it ends; the file stays. Knows no campaign.
 */
#ifndef CAMPAIGN_LOCK_H
#define CAMPAIGN_LOCK_H

#include "core/err.h"

/* Takes the lock, without waiting; its directory is there. *fd is the caller's to close, which
 * gives it back. BP_EAGAIN: held, and err says by which process; BP_EPERM, BP_EIO as the file
 * system says. */
int lock_take(const char *path, int *fd, struct bp_error *err);

#endif
