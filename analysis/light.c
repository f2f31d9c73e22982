// SPDX-License-Identifier: BSD-2-Clause
/* Great circles and the speed of light in glass. */
#include "analysis/light.h"

#include <math.h>

#include "analysis/border_path.h"

/*
 * c = 299,792.458 km/s (exact, by the definition of the metre, CGPM 1983). Group index of ITU-T
 * G.652 single-mode fibre: 1.4682 at 1550 nm, 1.4676 at 1310 nm (data sheets of Corning SMF-28);
 * 1.467 is under both. No cable is straight: true answers take longer, mostly half as long again.
 */
static const double light_km_per_s = 299792.458;
static const double fibre_index = 1.467;

/* Mean radius (IUGG). A sphere is off by up to 0.56 % from the ellipsoid (WGS 84): taken off, so
 * that no true answer is ever called impossible. */
static const double earth_km = 6371.0088;
static const double sphere_error = 0.006;

double light_distance_km(double lat1, double lon1, double lat2, double lon2)
{
	const double rad = acos(-1) / 180;
	double dlat = (lat2 - lat1) * rad / 2, dlon = (lon2 - lon1) * rad / 2;
	/* The haversine formula: exact enough for near and far points alike. */
	double h = sin(dlat) * sin(dlat) +
		   cos(lat1 * rad) * cos(lat2 * rad) * sin(dlon) * sin(dlon);

	return 2 * earth_km * asin(sqrt(fmin(1, h))) * (1 - sphere_error);
}

int64_t light_round_trip_ns(double km)
{
	return (int64_t)(2 * km * fibre_index / light_km_per_s * 1e9);
}

/* Whether somebody may come in at a place that the profile does not tell. */
static bool way_without_place(const struct profile *p, struct wall when)
{
	for (unsigned i = 0; i < p->others_count; i++) {
		if (validity_holds(&p->others[i].valid, when))
			return true;
	}
	for (unsigned i = 0; i < p->borders_count; i++) {
		if (border_is_open(p, i, when) && !p->borders[i].place.known)
			return true;
	}
	return false;
}

int64_t light_least_rtt_ns(const struct profile *p, double lat, double lon, struct wall when)
{
	const struct profile_place *in = &p->place;
	double least = -1;

	if (!in->known)
		return -1;
	for (unsigned i = 0; i < p->borders_count && !way_without_place(p, when); i++) {
		const struct profile_place *at = &p->borders[i].place;
		double km;

		if (!border_is_open(p, i, when))
			continue;
		km = light_distance_km(lat, lon, at->lat, at->lon) +
		     light_distance_km(at->lat, at->lon, in->lat, in->lon);
		if (least < 0 || km < least)
			least = km;
	}
	if (least < 0)
		least = light_distance_km(lat, lon, in->lat, in->lon);
	return light_round_trip_ns(least);
}

unsigned light_mark(struct trace *t, const struct profile *p, struct wall now)
{
	struct wall when = t->start.ns != 0 ? t->start : now;
	int64_t least = t->place_known ? light_least_rtt_ns(p, t->lat, t->lon, when) : -1;
	unsigned marked = 0;

	/* Measured from within: no border lies between. */
	if (profile_inside(p, t->src, when))
		return 0;
	for (uint32_t i = 0; i < t->entry_count; i++) {
		struct reply *r = &t->entries[i].reply;

		if (r->rtt_ns < 0 || r->rtt_ns >= least || !addr_is_set(r->from) ||
		    !profile_inside(p, r->from, when))
			continue;
		r->flags |= REPLY_FTL;
		marked++;
	}
	return marked;
}
