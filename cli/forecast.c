// SPDX-License-Identifier: BSD-2-Clause
/* Counts paths per network, then asks each cap how long it takes. */
#include "cli/forecast.h"

#include <stdlib.h>

#include "core/record/trace.h"

enum { NETWORK_V4 = 24, NETWORK_V6 = 48 };
enum { WINDOW_LEAST = 64 }; /* paths at once, where the prober chooses: it goes by the rate */
enum { FLOWS_MOST = 256 }; /* of all load-balanced paths */

const struct word forecast_bound_words[] = {
	{"none", BOUND_NONE}, {"rate", BOUND_RATE}, {"prefix", BOUND_PREFIX},
	{"router", BOUND_ROUTER}, {NULL, 0}};

void forecast_fini(struct forecast *f)
{
	free(f->networks);
	f->networks = NULL;
}

/* Networks that a row reaches into. */
static uint64_t parts_of(const struct forecast_row *r, uint8_t *len)
{
	*len = r->prefix.addr.family == 4 ? NETWORK_V4 : NETWORK_V6;
	return r->prefix.len < *len ? UINT64_C(1) << (*len - r->prefix.len) : 1;
}

/* The i-th network of a wider prefix. */
static struct prefix part_of(struct prefix wide, uint8_t len, uint64_t i)
{
	struct prefix p = prefix_of(wide.addr, len);

	/* Lengths are whole bytes. */
	for (unsigned byte = len / 8u; byte > 0 && i > 0; byte--, i >>= 8)
		p.addr.bytes[byte - 1] = (uint8_t)(p.addr.bytes[byte - 1] | (i & 0xff));
	return p;
}

/* --- one path --------------------------------------------------------------------------------- */

struct path_cost { uint32_t probes[CASES], past[CASES], size; };

/* The packets as prober/method builds them: 32 bytes of payload, or 12 of TCP options. */
static uint32_t size_of(const struct forecast_row *r)
{
	return (r->prefix.addr.family == 4 ? 20 : 40) +
	       (r->method == METHOD_TCP ? 20 + 12 : 8 + 32);
}

static uint32_t at_most(uint32_t n, uint32_t most)
{
	return n < most ? n : most;
}

static struct path_cost cost_of(const struct forecast_row *r)
{
	uint32_t ttls = 1u + r->max_ttl - r->first_ttl;
	uint32_t outside = FORECAST_HOPS - FORECAST_INSIDE_HOPS;
	/* With all load-balanced paths each flow is sent once a hop. */
	uint32_t usual = r->multipath > 0 ? FORECAST_FLOWS : r->attempts;
	uint32_t most = r->attempts * (r->multipath > 0 ? FLOWS_MOST : 1u);
	uint32_t behind = r->max_ttl <= outside ? 0 :
			  r->first_ttl > outside ? ttls : r->max_ttl - outside;

	return (struct path_cost){
		.probes = {r->multipath > 0 ? 1 : r->attempts, usual * at_most(ttls, FORECAST_HOPS),
			   most * ttls},
		.past = {r->multipath > 0 ? 1 : r->attempts,
			 usual * at_most(behind, FORECAST_INSIDE_HOPS), most * behind},
		.size = size_of(r)};
}

/* --- all of them ------------------------------------------------------------------------------ */

static int by_network(const void *a, const void *b)
{
	const struct forecast_network *p = a, *q = b;

	return prefix_compare(p->network, q->network);
}

/* Paths of a row into one of its networks; *past: those that lead into what is watched. */
static uint64_t count_part(const struct forecast_row *r, struct prefix in,
			   const struct prefixset *inside, uint64_t *past)
{
	uint64_t left = prefix_size(in) - (r->out != NULL ? prefixset_overlap(r->out, in) : 0);
	uint64_t watched = inside != NULL ? prefixset_overlap(inside, in) : 0;

	*past = (watched < left ? watched : left) * r->flows;
	return left;
}

static void add_row(struct forecast *f, const struct forecast_row *r,
		    const struct prefixset *inside, uint32_t *n)
{
	struct path_cost cost = cost_of(r);
	uint8_t len;
	uint64_t parts = parts_of(r, &len);

	for (uint64_t k = 0; k < parts; k++) {
		struct prefix network = part_of(r->prefix, len, k);
		uint64_t past, destinations = count_part(r, parts > 1 ? network : r->prefix, inside,
							 &past);
		uint64_t paths = destinations * r->flows;
		struct forecast_network *net = &f->networks[*n];

		f->destinations += destinations;
		f->paths += paths;
		f->past_paths += past;
		if (paths > 0)
			*net = (struct forecast_network){.network = network, .paths = paths};
		for (int c = 0; paths > 0 && c < CASES; c++) {
			net->probes[c] = paths * cost.probes[c];
			f->probes[c] += net->probes[c];
			f->bytes[c] += net->probes[c] * cost.size;
			f->past[c] += past * cost.past[c];
		}
		*n += paths > 0;
	}
}

static int count_networks(const struct forecast_row *rows, uint32_t count,
			  const struct prefixset *inside, struct forecast *f)
{
	uint64_t room = 0;
	uint32_t n = 0, kept = 0;
	uint8_t len;

	for (uint32_t i = 0; i < count; i++)
		room += parts_of(&rows[i], &len);
	if (room > UINT32_MAX)
		return BP_ENOMEM;
	f->networks = calloc(room > 0 ? room : 1, sizeof(*f->networks));
	if (f->networks == NULL)
		return BP_ENOMEM;
	for (uint32_t i = 0; i < count; i++)
		add_row(f, &rows[i], inside, &n);
	qsort(f->networks, n, sizeof(*f->networks), by_network);
	for (uint32_t i = 0; i < n; i++) {
		struct forecast_network *last = &f->networks[kept > 0 ? kept - 1 : 0];

		if (kept == 0 || !prefix_equal(last->network, f->networks[i].network)) {
			f->networks[kept++] = f->networks[i];
			continue;
		}
		last->paths += f->networks[i].paths;
		for (int c = 0; c < CASES; c++)
			last->probes[c] += f->networks[i].probes[c];
	}
	f->network_count = kept;
	for (uint32_t i = 0; i < kept; i++) {
		if (f->networks[i].probes[CASE_USUAL] > f->networks[f->busiest].probes[CASE_USUAL])
			f->busiest = i;
	}
	return 0;
}

/* --- time ------------------------------------------------------------------------------------- */

/* A bucket is full at first. */
static double at_rate(uint64_t probes, double pps, unsigned burst)
{
	return probes > burst ? (double)(probes - burst) / pps : 0;
}

static void take_bound(struct forecast *f, int which, uint8_t bound, double seconds)
{
	if (seconds <= f->seconds[which])
		return;
	f->seconds[which] = seconds;
	f->bound[which] = bound;
}

/* Every path's first probes are answered by the first router, and a network's own cap holds for all
 * that is sent into it. first: those probes; wait_s: the longest wait for one hop. */
static void foresee(const struct plan_run *run, uint64_t first, double wait_s, struct forecast *f,
		    int which)
{
	uint64_t busiest = 0;
	uint32_t window = run->window > 0 ? run->window : WINDOW_LEAST;

	for (uint32_t i = 0; i < f->network_count; i++) {
		if (f->networks[i].probes[which] > busiest)
			busiest = f->networks[i].probes[which];
	}
	f->seconds[which] = run->rate_pps > 0 ? 0 : -1;
	if (run->rate_pps > 0)
		take_bound(f, which, BOUND_RATE,
			   at_rate(f->probes[which], run->rate_pps,
				   run->rate_pps / 100 > PLAN_BURST ? run->rate_pps / 100 :
								      PLAN_BURST));
	if (run->prefix_mpps > 0)
		take_bound(f, which, BOUND_PREFIX,
			   at_rate(busiest, (double)run->prefix_mpps / 1000, PLAN_BURST));
	/* At the least it is the destination that answers. */
	if (run->router_pps > 0 && which != CASE_LEAST)
		take_bound(f, which, BOUND_ROUTER, at_rate(first, run->router_pps,
							   PLAN_ROUTER_BURST));
	/* Nobody answers: nothing is asked of a router, and the last wait is waited out. */
	if (which == CASE_MOST && f->seconds[which] >= 0)
		f->seconds[which] += wait_s * (double)(1 + f->paths / window);
}

int forecast_make(const struct plan_run *run, const struct forecast_row *rows, uint32_t count,
		  const struct prefixset *inside, struct forecast *out)
{
	struct forecast f = {0};
	uint64_t first = 0;
	double wait_s = 0;
	int rc = count_networks(rows, count, inside, &f);

	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < count; i++) {
		const struct forecast_row *r = &rows[i];
		double wait = (double)r->wait_ms / 1e3 * r->attempts;

		wait_s = wait > wait_s ? wait : wait_s;
		first += (prefix_size(r->prefix) -
			  (r->out != NULL ? prefixset_overlap(r->out, r->prefix) : 0)) *
			 r->flows * r->attempts;
	}
	for (int c = 0; c < CASES; c++)
		foresee(run, first, wait_s, &f, c);
	*out = f;
	return 0;
}
