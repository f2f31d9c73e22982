// SPDX-License-Identifier: BSD-2-Clause
/*
 * The first bytes of a file that may be a store of SQLite's. Whoever opens and closes such a file
 * by hand takes away the locks that this process has on it (sqlite.org/howtocorrupt.html, 2.2):
 * only this one looks into it.
 */
#ifndef CAMPAIGN_SQLITE_HEAD_H
#define CAMPAIGN_SQLITE_HEAD_H

#include <stddef.h>

/* How many bytes there were, at most n; BP_EIO with errno. For regular files alone: others are
 * BP_EINVAL, and a FIFO is not waited for. */
int sqlite_head(const char *path, void *out, size_t n);

#endif
