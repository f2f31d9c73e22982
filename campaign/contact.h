// SPDX-License-Identifier: BSD-2-Clause
/*
 * Who measures: the contact that the owner of a vantage point states, and the file that tells it to
 * those who are measured (RFC 9511). A value; a plan that carries its own `contact` fills it with
 * contact_set. Sends and serves nothing.
 *
 *   contact: {who: Example Lab, url: https://example.org/probes, mail: noc@example.org}
 */
#ifndef CAMPAIGN_CONTACT_H
#define CAMPAIGN_CONTACT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"
#include "core/clock.h"
#include "core/err.h"

enum { CONTACT_WHO_TEXT = 128, CONTACT_URL_TEXT = 512, CONTACT_MAIL_TEXT = 256 };

struct contact {
	char who[CONTACT_WHO_TEXT];
	char url[CONTACT_URL_TEXT];   /* https; empty: none */
	char mail[CONTACT_MAIL_TEXT]; /* empty: none */
};

/* Fills *out from texts, NULL where there is none. BP_EINVAL with what is wrong: `who` and one of
 * the others must be there, one line each, url an https URL, mail an address. */
int contact_set(struct contact *out, const char *who, const char *url, const char *mail,
		struct bp_error *err);
/* Reads YAML; name is for messages. Errors as of yamldoc, with name:line:column. */
int contact_parse(const char *name, const char *yaml, size_t n, struct contact *out,
		  struct bp_error *err);
/* Reads path; NULL: the user's contact.yaml, else the system's. BP_ENOTFOUND when nothing is
 * there. */
int contact_load(const char *path, struct contact *out, struct bp_error *err);

/* Appends the file to serve as https://NAME/.well-known/probing.txt, NAME being what the probes'
 * source address is called in reverse: the fields of RFC 9116 that RFC 9511 names, and
 * `description`, one line, of what is sent. It expires within a year from now, as RFC 9116
 * recommends. */
void contact_write_probing(struct buf *out, const struct contact *c, const char *description,
			   struct wall now);

#endif
