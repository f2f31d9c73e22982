// SPDX-License-Identifier: BSD-2-Clause
/*
 * Names the addresses of a trace: one look-up per distinct address. A repeatable pass: the raw
 * trace is not touched; what the record said before (host names, e.g. from imported text) is kept.
 */
#ifndef ANALYSIS_ANNOTATE_H
#define ANALYSIS_ANNOTATE_H

#include "core/record/names.h"
#include "core/record/trace.h"
#include "geo/geo.h"

/* Fills out (initialised by the caller) for src, dst and every responder, as of t->start. Host
 * names in out stay; so does what no database of g could say anything of. BP_ENOMEM. */
int annotate(const struct trace *t, const struct geo *g, struct names *out);
/* The same by a look-up of the caller's own, which fills *out as geo_lookup does. */
struct annotate_by {
	void (*lookup)(void *arg, struct addr a, struct wall when, struct name *out);
	void *arg;
};
int annotate_by(const struct trace *t, const struct geo *g, const struct annotate_by *by,
		struct names *out);
/* The part of it that tells which databases answered. */
void annotate_source(const struct geo_source *s, struct names *out);

#endif
