// SPDX-License-Identifier: BSD-2-Clause
/*
 * Where files are looked for when nobody says: beside the program in a build tree, in the user's
 * and the system's directories. Owns the search orders of geo.h, profile.h and of settings files,
 * nothing else.
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
enum places_config { PLACES_USER, PLACES_SYSTEM, PLACES_CONFIGS };
/* Where NAME of that place would be: $XDG_CONFIG_HOME/borderpath/NAME, /etc/borderpath/NAME. false:
 * there is no such place. Whether the file exists is not looked at. */
bool places_config(enum places_config which, const char *name, char out[static PLACES_PATH_MAX]);
/* $XDG_CACHE_HOME/borderpath, made when missing. false where there is none, or where it is not
 * ours: a root that keeps somebody's HOME must not leave files there. */
bool places_cache_dir(char out[static PLACES_PATH_MAX]);

#endif
