// SPDX-License-Identifier: BSD-2-Clause
/*
 * NATS' keys: Ed25519, as text in base32 (RFC 4648, without padding) over prefix, key and a CRC-16
 * (https://docs.nats.io/running-a-nats-service/nats_admin/security/jwt, "nkeys"). Only users' keys:
 * a seed begins with "SU", a public key with "U". The server is given public keys alone.
 */
#ifndef CAMPAIGN_FLEET_NKEY_H
#define CAMPAIGN_FLEET_NKEY_H

#include <stdbool.h>

#include "core/err.h"

enum {
	NKEY_PUBLIC_TEXT = 57, /* with the NUL */
	NKEY_SEED_TEXT = 59,
};

/* A new user's key from the system's randomness. Call sodium_init first; wipe the seed after use
 * with sodium_memzero. */
void nkey_make(char seed[static NKEY_SEED_TEXT], char public_key[static NKEY_PUBLIC_TEXT]);
/* The public key of a user's seed. BP_EPARSE: it is none, or was mistyped. */
int nkey_public_of(const char *seed, char public_key[static NKEY_PUBLIC_TEXT]);
/* Whether it is a user's public key: prefix, length and check sum. */
bool nkey_is_public(const char *text);

#endif
