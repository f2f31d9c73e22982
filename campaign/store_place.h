// SPDX-License-Identifier: BSD-2-Clause
/* Where a store is, from the word that names it. Private to the store's own files. */
#ifndef CAMPAIGN_STORE_PLACE_H
#define CAMPAIGN_STORE_PLACE_H

#include <limits.h>

#include "campaign/store.h"

/* The file of a store, behind links that name it: of "sqlite:FILE", FILE, or NULL and empty for the
 * default one. BP_EUNSUP for PostgreSQL; BP_EINVAL: it names no file, or is of another scheme: what
 * begins with a word and a colon is, unless a file is there. */
int store_place(const char *url, char out[static PATH_MAX], struct bp_error *err);
/* Whether it is plain which part of a URL is a password: else nothing of it may be shown, nor given
 * to a library that would say what it does not understand. */
bool store_url_is_clear(const char *url);
/* Makes the directories above a file that are not there, 0700. */
int store_make_directory(const char *file, struct bp_error *err);

#endif
