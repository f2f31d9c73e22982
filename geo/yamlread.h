// SPDX-License-Identifier: BSD-2-Clause
/*
 * What texts of a settings file mean: times, degrees, prefixes, hosts, numbers. A text that means
 * nothing is refused with its place and with what was expected. Profiles and the plans of campaigns
 * read their values here; what is special to one of them is in its own file.
 */
#ifndef GEO_YAMLREAD_H
#define GEO_YAMLREAD_H

#include <stdint.h>

#include "core/addr.h"
#include "core/clock.h"
#include "core/err.h"
#include "geo/yamldoc.h"

/* An entry of the document: whose keys are read. */
struct yaml_at {
	const struct yamldoc *doc;
	struct bp_error *err;
	char path[96]; /* empty: the top */
};

/* The i-th entry of a list under `up`. */
struct yaml_at yaml_entry(const struct yaml_at *up, const char *list, unsigned i);
/* BP_EPARSE at the key of the entry ("" is the entry itself). Returns it. */
int yaml_refuse(const struct yaml_at *at, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int yaml_out_of_memory(const struct yaml_at *at);

/* Each reads the text of a key; a NULL text leaves *out as it is. BP_EPARSE, told. */

/* The keys since and until, the second behind the first: dates or RFC 3339; nothing relative, which
 * would mean something else every day. */
int yaml_since_until(const struct yaml_at *at, const char *since, const char *until,
		     struct wall *out_since, struct wall *out_until);
int yaml_prefix(const struct yaml_at *at, const char *key, const char *text, struct prefix *out);
/* limit 90 or 180. */
int yaml_degrees(const struct yaml_at *at, const char *key, const char *text, double limit,
		 double *out);
/* what ("AS number") is said in "... is no AS number, expected MIN to MAX". */
int yaml_number(const struct yaml_at *at, const char *key, const char *text, const char *what,
		uint64_t min, uint64_t max, uint64_t *out);
/* A duration of min to max. */
int yaml_duration(const struct yaml_at *at, const char *key, const char *text, int64_t min_ns,
		  int64_t max_ns, int64_t *out_ns);
/* An address, a prefix, or a name; something of digits and dots only must be one of the first. */
int yaml_host(const struct yaml_at *at, const char *key, const char *text);
/* The keys method and port (host order). A port goes with udp and tcp: *method as it stands before
 * counts where the text is NULL. */
int yaml_method_port(const struct yaml_at *at, const char *method, const char *port,
		     uint8_t *out_method, uint16_t *out_port);

#endif
