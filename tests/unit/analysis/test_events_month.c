// SPDX-License-Identifier: BSD-2-Clause
/*
 * Months in which nothing happens: 30 days of rounds, two vantage points, four prefixes; every
 * probe is lost now and then, routers are silent, flows take another branch each round, evenings
 * are congested and lossy, one router answers from either side. At most one false event per
 * vantage point and prefix is allowed; a withdrawn one was never an alert.
 */
#include <math.h>

#include "tests/unit/analysis/events_bed.h"

enum { DAYS = 30, ROUNDS = DAYS * 96, VANTAGES = 2, PREFIXES = 4, HOSTS = 2, FLOWS = 2 };

struct weather {
	const char *why;
	double loss, silent;      /* of a probe; of a router in a trace */
	unsigned branches;        /* at TTLs 3 to 5, by flow and round */
	bool evenings;            /* congestion, and more loss */
	bool bursts;              /* of loss, for a round, now and then */
	bool either_side;
	unsigned attempts;
};

static double chance(uint32_t *seed)
{
	return (path_next(seed) % 1000003) / 1000003.0;
}

static bool happens(uint32_t *seed, double p)
{
	return chance(seed) < p;
}

/* What a host takes at that time of day, and how much is lost. */
static int64_t delay(uint32_t *seed, const struct weather *w, unsigned round, double *loss)
{
	double hour = (round % 96) / 4.0, load = 0;

	*loss = w->loss;
	if (w->evenings && hour > 11 && hour < 23)
		load = sin((hour - 11) / 12 * 3.14159265);
	*loss += .1 * load * load;
	return 250 * NS_PER_MS + (int64_t)(load * (15 + 10 * chance(seed)) * 1e6) +
	       (int64_t)(-log(1 - chance(seed)) * 1.5e6);
}

static void shoot(struct bed *b, uint32_t *seed, const struct weather *w, unsigned round,
		  unsigned vantage, unsigned prefix, unsigned host, int flow, double burst)
{
	static const char *const vantages[] = {"fra1", "iad1"};
	struct point_hop hops[16];
	int64_t rtts[8], rtt;
	char id[32];
	double loss;
	unsigned n = 0;
	struct point p = {.vantage = vantages[vantage],
			  .campaign = "c",
			  .round = id,
			  .target = "",
			  .id = "",
			  .dst = {4, {175, 45, (uint8_t)(176 + prefix), (uint8_t)(71 + host)}},
			  .method = METHOD_TCP,
			  .flow = flow,
			  .dport = 80,
			  .measured = true,
			  .judged = true,
			  .border = "",
			  .via_org = "",
			  .rtt_min_ns = -1,
			  .rtt_median_ns = -1,
			  .reply_ttl = -1,
			  .outside_rtt_ns = -1,
			  .hops = hops};
	unsigned branch = path_next(seed) % w->branches;

	snprintf(id, sizeof(id), "%s-%u", vantages[vantage], round);
	p.prefix = prefix_of(p.dst, 24);
	p.start.ns = BED_START + round * BED_EVERY + (5 + host * 3 + flow) * NS_PER_S;
	p.end.ns = p.start.ns + 2 * NS_PER_S;
	for (uint8_t ttl = 1; ttl <= 8; ttl++) {
		unsigned node = ttl + 10 * vantage;

		if (ttl >= 3 && ttl <= 5)
			node += 30 * branch;
		if (ttl == 7 && w->either_side && happens(seed, .5))
			node += 150;
		if (happens(seed, w->silent))
			continue;
		hops[n++] = (struct point_hop){ttl, node};
	}
	p.last_ttl = n > 0 ? hops[n - 1].ttl : 0;
	p.last_node = n > 0 ? hops[n - 1].node : 0;
	/* The verdict needs one of the last two hops outside. */
	if (p.last_ttl >= 7) {
		bool khasan = prefix & 1;

		p.outcome = OUTCOME_BORDER;
		p.border = khasan ? "khasan" : "dandong";
		p.confidence = .95;
		p.class = CLASS_BORDER;
		p.outside_ttl = 8;
		p.outside = (struct addr){4, {188, 43, 0, (uint8_t)prefix}};
		p.outside_rtt_ns = 180 * NS_PER_MS + path_next(seed) % 2000000;
	}
	rtt = delay(seed, w, round, &loss);
	loss = loss + burst < .9 ? loss + burst : .9;
	for (unsigned i = 0; i < w->attempts; i++) {
		if (!happens(seed, loss))
			rtts[p.answered++] = rtt + path_next(seed) % 1000000;
	}
	p.asked = (uint16_t)w->attempts;
	p.reach = p.answered > 0 ? REACH_REACHED : REACH_SILENT;
	if (p.answered > 0) {
		for (unsigned i = 1; i < p.answered; i++) {
			int64_t x = rtts[i];
			unsigned at = i;

			for (; at > 0 && rtts[at - 1] > x; at--)
				rtts[at] = rtts[at - 1];
			rtts[at] = x;
		}
		p.rtt_min_ns = rtts[0];
		p.rtt_median_ns = rtts[p.answered / 2];
		p.reply_ttl = 50;
		hops[n++] = (struct point_hop){12, NODE_DESTINATION};
		p.last_ttl = 12;
		p.last_node = NODE_DESTINATION;
	}
	p.hop_count = n;
	assert_int_equal(series_point(b->series, &p), 0);
}

static void end_round(struct bed *b, unsigned round, const char *vantage)
{
	struct round r;

	round_init(&r);
	snprintf(r.id, sizeof(r.id), "%s-%u", vantage, round);
	text_set(r.campaign, sizeof(r.campaign), "c");
	text_set(r.vantage, sizeof(r.vantage), vantage);
	r.planned.ns = BED_START + round * BED_EVERY;
	r.start = r.planned;
	r.end.ns = r.start.ns + 60 * NS_PER_S;
	r.health = ROUND_HEALTH_OK;
	assert_int_equal(series_round(b->series, &r), 0);
	assert_int_equal(events_settle(b->events, r.end), 0);
}

static int on_cell(void *arg, const struct cell *c)
{
	struct bed *b = arg;

	return events_cell(b->events, c);
}

static void month(struct bed *b, const struct weather *w, uint32_t seed)
{
	series_free(b->series);
	assert_int_equal(series_new(b->profile, &b->nodes, on_cell, b, &b->series), 0);
	assert_int_equal(events_new(&b->options, b->series, &b->nodes, bed_event, b, &b->events),
			 0);
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned v = 0; v < VANTAGES; v++) {
			double burst = w->bursts && happens(&seed, .01) ? .5 : 0;

			for (unsigned p = 0; p < PREFIXES; p++) {
				for (unsigned h = 0; h < HOSTS; h++) {
					for (int f = 0; f < FLOWS; f++)
						shoot(b, &seed, w, round, v, p, h, f, burst);
				}
			}
			end_round(b, round, v ? "iad1" : "fra1");
		}
	}
	assert_int_equal(events_end(b->events), 0);
}

static void nothing_happens(void **state)
{
	static const struct weather rows[] = {
		{"quiet", .001, 0, 1, false, false, false, 3},
		{"loss 2 %, silent hops 10 %", .02, .1, 1, false, false, false, 3},
		{"and balanced over 4 branches", .02, .1, 4, false, false, false, 3},
		{"and congested evenings", .02, .1, 4, true, false, false, 3},
		{"and bursts of loss, and a router that answers from either side", .02, .1, 4, true,
		 true, true, 3},
		{"one attempt", .02, .1, 2, true, true, true, 1},
	};
	struct bed *b = *state;
	unsigned worst = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned held[VANTAGES][PREFIXES] = {{0}}, all = 0, withdrawn = 0;

		month(b, &rows[i], 4711 + (uint32_t)i);
		for (unsigned e = 0; e < b->told_count; e++) {
			const struct event *x = b->told[e];

			withdrawn += x->withdrawn;
			all += !x->withdrawn;
			if (!x->withdrawn)
				print_message("  %s %s %.0f ms at round %d, confidence %.2f\n",
					      word_of(event_kind_words, x->kind),
					      x->vantages[0], (double)x->shift_ns / 1e6,
					      bed_round(x->at), x->confidence);
			for (unsigned v = 0; v < x->vantage_count && !x->withdrawn; v++)
				held[strcmp(x->vantages[v], "iad1") == 0]
				    [(x->prefix.addr.bytes[2] - 176) % PREFIXES]++;
		}
		for (unsigned v = 0; v < VANTAGES; v++) {
			for (unsigned p = 0; p < PREFIXES; p++)
				worst = held[v][p] > worst ? held[v][p] : worst;
		}
		print_message("%s: %u events, %u more withdrawn, %u revisions\n", rows[i].why, all,
			      withdrawn, b->revisions);
		bed_clear(b);
	}
	assert_true(worst <= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_happens, bed_setup, bed_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
