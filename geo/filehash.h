// SPDX-License-Identifier: BSD-2-Clause
/*
 * The SHA-256 of a database file, for the record. Hashing the two free databases takes 35 and 23 ms
 * on a 2-core Debian 12 machine (libsodium has no hardware SHA-256), more than a whole `geo show`,
 * so the result is kept in $XDG_CACHE_HOME/borderpath, keyed by device, inode, size, and
 * modification and change times in nanoseconds: 0.05 ms. The cache is a convenience: whatever is
 * wrong with it, the file is hashed.
 */
#ifndef GEO_FILEHASH_H
#define GEO_FILEHASH_H

#include "core/err.h"

enum { FILEHASH_TEXT = 65 };

/* 64 lower-case hex digits. */
int filehash_sha256(const char *path, char out[static FILEHASH_TEXT], struct bp_error *err);

#endif
