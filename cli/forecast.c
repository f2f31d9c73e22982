// SPDX-License-Identifier: BSD-2-Clause
/* Counts paths per network, then asks each cap how long it takes. */
#include "cli/forecast.h"

#include <stdlib.h>

#include "core/clock.h"
#include "prober/plan.h"

enum { NETWORK_V4 = 24, NETWORK_V6 = 48 };
enum { WINDOW_LEAST = 64 }; /* paths at once, where the prober chooses: it goes by the rate */
/* Of all load-balanced paths: what the rule asks of a node without branches, and the most. */
enum { MULTIPATH_FLOWS_USUAL = 6, MULTIPATH_FLOWS_MOST = 256 };

const struct word forecast_bound_words[] = {
	{"none", BOUND_NONE}, {"rate", BOUND_RATE}, {"prefix", BOUND_PREFIX},
	{"router", BOUND_ROUTER}, {NULL, 0}};

void forecast_fini(struct forecast *f)
{
	free(f->networks);
	f->networks = NULL;
}

/* Networks that an entry reaches into. */
static uint64_t parts_of(const struct target *t, uint8_t *len)
{
	*len = t->prefix.addr.family == 4 ? NETWORK_V4 : NETWORK_V6;
	return t->prefix.len < *len ? UINT64_C(1) << (*len - t->prefix.len) : 1;
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

static int by_network(const void *a, const void *b)
{
	const struct forecast_network *p = a, *q = b;

	return prefix_compare(p->network, q->network);
}

static int count_networks(const struct trace_plan *p, const struct prefixset *avoid,
			  struct forecast *f)
{
	const struct targets *t = &p->targets;
	uint64_t room = 0;
	uint32_t n = 0, kept = 0;
	uint8_t len;

	for (uint32_t i = 0; i < t->count; i++)
		room += parts_of(&t->items[i], &len);
	if (room > UINT32_MAX)
		return BP_ENOMEM;
	f->networks = calloc(room > 0 ? room : 1, sizeof(*f->networks));
	if (f->networks == NULL)
		return BP_ENOMEM;
	for (uint32_t i = 0; i < t->count; i++) {
		uint64_t parts = parts_of(&t->items[i], &len);

		for (uint64_t k = 0; k < parts; k++) {
			struct prefix network = part_of(t->items[i].prefix, len, k);
			struct prefix in = parts > 1 ? network : t->items[i].prefix;
			uint64_t paths = prefix_size(in) - prefixset_overlap(avoid, in);

			f->destinations += paths;
			if (paths > 0)
				f->networks[n++] = (struct forecast_network){
					network, paths * p->o->flow_count};
		}
	}
	qsort(f->networks, n, sizeof(*f->networks), by_network);
	for (uint32_t i = 0; i < n; i++) {
		if (kept > 0 && prefix_equal(f->networks[kept - 1].network, f->networks[i].network))
			f->networks[kept - 1].paths += f->networks[i].paths;
		else
			f->networks[kept++] = f->networks[i];
	}
	f->network_count = kept;
	for (uint32_t i = 0; i < kept; i++) {
		if (f->networks[i].paths > f->networks[f->busiest].paths)
			f->busiest = i;
	}
	return 0;
}

/* A bucket is full at first. */
static double at_rate(uint64_t probes, uint32_t pps, unsigned burst)
{
	return probes > burst ? (double)(probes - burst) / (double)pps : 0;
}

static void take_bound(struct forecast *f, int which, uint8_t bound, double seconds)
{
	if (seconds <= f->seconds[which])
		return;
	f->seconds[which] = seconds;
	f->bound[which] = bound;
}

/* Every path's first probes are answered by the first router, and a network's own cap holds for all
 * that is sent into it. */
static void foresee(const struct trace_plan *p, struct forecast *f, int which)
{
	const struct plan_run *run = &p->o->run;
	uint64_t busiest = f->network_count > 0 ? f->networks[f->busiest].paths : 0;
	uint32_t window = run->window > 0 ? run->window : WINDOW_LEAST;
	double wait_s = (double)p->o->each.wait_ms / 1e3 * p->o->each.attempts;

	f->probes[which] = f->paths * f->path_probes[which];
	f->seconds[which] = run->rate_pps > 0 ? 0 : -1;
	if (run->rate_pps > 0)
		take_bound(f, which, BOUND_RATE,
			   at_rate(f->probes[which], run->rate_pps,
				   run->rate_pps / 100 > PLAN_BURST ? run->rate_pps / 100 :
								      PLAN_BURST));
	if (run->prefix_pps > 0)
		take_bound(f, which, BOUND_PREFIX,
			   at_rate(busiest * f->path_probes[which], run->prefix_pps,
				   PLAN_BURST));
	/* At the least it is the destination that answers. */
	if (run->router_pps > 0 && which != CASE_LEAST)
		take_bound(f, which, BOUND_ROUTER,
			   at_rate(f->paths * p->o->each.attempts, run->router_pps,
				   PLAN_ROUTER_BURST));
	/* Nobody answers: nothing is asked of a router, and the last wait is waited out. */
	if (which == CASE_MOST && f->seconds[which] >= 0)
		f->seconds[which] += wait_s * (double)(1 + f->paths / window);
}

int forecast_make(const struct trace_plan *p, const struct prefixset *avoid, struct forecast *out)
{
	const struct plan_trace *each = &p->o->each;
	uint32_t ttls = 1u + each->max_ttl - each->first_ttl;
	struct forecast f = {0};
	int rc = count_networks(p, avoid, &f);

	if (rc < 0)
		return rc;
	f.paths = f.destinations * p->o->flow_count;
	f.path_probes[CASE_LEAST] = each->attempts;
	f.path_probes[CASE_USUAL] = each->attempts * (ttls < FORECAST_HOPS ? ttls : FORECAST_HOPS);
	f.path_probes[CASE_MOST] = each->attempts * ttls;
	if (each->multipath > 0) {
		f.path_probes[CASE_LEAST] = 1;
		/* Each flow once a hop. */
		f.path_probes[CASE_USUAL] = MULTIPATH_FLOWS_USUAL *
			(ttls < FORECAST_HOPS ? ttls : FORECAST_HOPS);
		f.path_probes[CASE_MOST] *= MULTIPATH_FLOWS_MOST;
	}
	for (int c = 0; c < CASES; c++)
		foresee(p, &f, c);
	*out = f;
	return 0;
}
