// SPDX-License-Identifier: BSD-2-Clause
/*
 * Where files are looked for when nobody says: beside the program in a build tree, in the user's
 * and the system's directories. Owns the search orders of geo.h and profile.h, nothing else.
 */
#ifndef GEO_PLACES_H
#define GEO_PLACES_H

#include <stdbool.h>

#include "core/err.h"

enum { PLACES_PATH_MAX = 1024 };
enum places_db { PLACES_ASN, PLACES_COUNTRY };

/* The first readable default of that database; false: none. */
bool places_find_db(enum places_db which, char out[static PLACES_PATH_MAX]);
/* NAME.yaml. BP_ENOTFOUND (err lists where it looked), BP_EINVAL for a name that is none. */
int places_find_profile(const char *name, char out[static PLACES_PATH_MAX], struct bp_error *err);
/* $XDG_CACHE_HOME/borderpath, made when missing. false where there is none, or where it is not
 * ours: a root that keeps somebody's HOME must not leave files there. */
bool places_cache_dir(char out[static PLACES_PATH_MAX]);

#endif
