// SPDX-License-Identifier: BSD-2-Clause
/*
 * An authority of the fleet's own and a certificate of the brokers, made by OpenSSL: agents trust
 * this authority alone. P-256 keys, ten years. Makes texts (PEM); writes no file.
 */
#ifndef CAMPAIGN_FLEET_CERTS_H
#define CAMPAIGN_FLEET_CERTS_H

#include "core/buf.h"
#include "core/err.h"

/* Wipe the keys after use. */
struct certs { struct buf ca, ca_key, server, server_key; };

/* hosts: the names or addresses by which the brokers are dialled, all in one certificate. BP_EIO
 * with OpenSSL's reason. *out is owned: certs_fini. */
int certs_make(const char *const *hosts, unsigned count, struct certs *out, struct bp_error *err);
void certs_fini(struct certs *c);

#endif
