// SPDX-License-Identifier: BSD-2-Clause
/*
 * The rules of the verdict: one const table, in order; each row has an id, what it says, the
 * reason, the source of that reason, and one function that adds its evidence. Weights are natural
 * logarithms of likelihood ratios (doc/verdict.md gives the reasoning and how they held in the
 * simulated world of tests/bench/bench_calibration.c). Owns the weights; knows no socket, no file.
 */
#include "analysis/border_rules.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Log-odds: 0.7 is 2 to 1, 1.1 is 3 to 1, 2.3 is 10 to 1. Pairs: for one hop, for more. */
static const double W_OTHER_PRIOR = -1.5;  /* a way in that no border names: 0.1 before any hop */
static const double W_CLOSED = -4;	   /* a border that was not there yet, or no longer */
static const double W_CARRIER_LAST = 2.0;  /* the last network before the inside is a border's */
static const double W_RUN[2] = {1.2, 0.8}; /* second and third hop of that carrier in a row */
static const double W_BORDER_ROUTER = 1.0;
static const double W_FILTER[2] = {0.2, 1.2}; /* one hop that filters is still one address */
static const double W_BEFORE[2] = {1.2, 0.5}; /* an earlier carrier; the last has 2 hops, 3 */
static const double W_WAY[2] = {2.9, 4.0};    /* a way in that the profile lists as no border */
static const double W_UNLISTED = 2.3;	      /* a named network, within the silent interval */
static const double W_UNLISTED_NEXT = 3.1;    /* the inside answers at the very next TTL */
static const double W_BEHIND[2] = {0.7, 1.3}; /* the carrier before one foreign hop */
static const double W_BEHIND_TWO = 1.0;	      /* the carrier before two foreign hops */
static const double W_BEHIND_FOREIGN = 1.0;   /* that one foreign hop itself */
static const double W_BEHIND_CUT = 0.3;	      /* factor: and nothing inside answers */
static const double W_COUNTRY = 0.1;
static const double LEAST_SCORE = 0.5; /* of rows in favour, or nothing is said: 1.6 to 1 */

/* Typically three silent hops lie at the border. */
enum { INTERVAL_USUAL = 3 };

/* The longer the silence, the more could hide in it. */
static double nearness(unsigned gap)
{
	static const double of[] = {.7, .55, .45, .35, .3, .3, .3, .3};

	if (gap <= INTERVAL_USUAL)
		return 1;
	gap -= INTERVAL_USUAL + 1;
	return gap < sizeof(of) / sizeof(of[0]) ? of[gap] : .15;
}

/* How far a hop's naming is to be trusted. */
static double naming(const struct border_hop *h)
{
	if (h->conflict)
		return .5;
	return h->basis == VIA_PREFIX ? .9 : 1;
}

static const char *name_of(const struct border_case *c, int speaker)
{
	return speaker < (int)c->path.borders ? c->profile->borders[speaker].name
					      : "a way in that the profile does not name";
}

static const char *gap_text(const struct border_case *c, char out[static BORDER_NET_TEXT])
{
	if (c->path.first_inside == NULL)
		snprintf(out, BORDER_NET_TEXT, "nothing answers behind it");
	else if (c->gap == 0)
		snprintf(out, BORDER_NET_TEXT, "the network answers at the next TTL");
	else
		snprintf(out, BORDER_NET_TEXT, "the network answers %u TTLs on", c->gap + 1);
	return out;
}

/* The last two networks contradict each other and one of them is a single hop. */
static bool contradicted(const struct border_case *c)
{
	if (c->near.hops != 1 || c->before.speaker < 0)
		return false;
	if (border_case_near(c))
		return border_case_before(c) || c->before.way;
	return c->near.way && border_case_before(c);
}

static void apply_prior(struct border_case *c)
{
	for (unsigned k = 0; k < c->path.borders; k++) {
		if (!border_is_open(c->profile, k, c->when))
			border_case_say(c, NULL, (int)k, W_CLOSED,
					"no way in at that time, by the profile");
	}
	border_case_say(c, NULL, (int)c->path.other, W_OTHER_PRIOR,
			"ways in that the profile does not name are rare");
}

/* --- evidence --------------------------------------------------------------------------------- */

static void apply_carrier_last(struct border_case *c)
{
	const struct border_hop *h = c->near.nearest;
	char net[BORDER_NET_TEXT], gap[BORDER_NET_TEXT];

	if (!border_case_near(c))
		return;
	border_case_say(c, h, c->near.speaker, W_CARRIER_LAST * nearness(c->gap) * naming(h),
			"last network before the border: %s; %s%s", border_case_net(c, h, net),
			gap_text(c, gap),
			h->conflict ? " (the AS table and the profile disagree here)" : "");
}

static void apply_carrier_run(struct border_case *c)
{
	char net[BORDER_NET_TEXT];

	if (!border_case_near(c))
		return;
	for (unsigned i = 0; i < 2 && c->near.more[i] != NULL; i++) {
		const struct border_hop *h = c->near.more[i];

		border_case_say(c, h, c->near.speaker, W_RUN[i] * nearness(c->gap) * naming(h),
				"in the carrier of the last hop outside too: %s",
				border_case_net(c, h, net));
	}
}

static void apply_border_router(struct border_case *c)
{
	const struct border_hop *h = c->near.nearest;

	if (!border_case_near(c) || !h->border_router)
		return;
	border_case_say(c, h, c->near.speaker, W_BORDER_ROUTER,
			"known to be the last router before the network");
}

static void apply_filter(struct border_case *c)
{
	for (unsigned i = c->path.hop_count; i-- > 0;) {
		const struct border_hop *h = &c->path.hops[i];
		int who = h->kind == BORDER_HOP_WAY ? (int)c->path.other : h->border;

		if (!h->filter || h->customer || who < 0 || who != c->near.speaker)
			continue;
		c->filtered = true;
		border_case_say(c, h, who,
				W_FILTER[c->near.hops > 1] * nearness(c->gap) * naming(h),
				"refuses the network's traffic (administratively prohibited, "
				"%u times): the way goes through it",
				h->answers);
		return;
	}
}

static void apply_carrier_before(struct border_case *c)
{
	const struct border_hop *h = c->before.nearest;
	char net[BORDER_NET_TEXT];

	if (!border_case_near(c) || !border_case_before(c) || contradicted(c))
		return;
	border_case_say(c, h, c->before.speaker, W_BEFORE[c->near.hops > 2] * naming(h),
			"%s is passed before: the last carrier counts, but addresses may deceive",
			border_case_net(c, h, net));
}

static void apply_listed_way(struct border_case *c)
{
	const struct border_hop *h = c->near.nearest;
	char net[BORDER_NET_TEXT], gap[BORDER_NET_TEXT];

	if (c->near.speaker != (int)c->path.other || h->kind != BORDER_HOP_WAY)
		return;
	border_case_say(c, h, c->near.speaker, W_WAY[c->near.hops > 1] * nearness(c->gap),
			"last network before the border: %s, a way in that is no land border; %s",
			border_case_net(c, h, net), gap_text(c, gap));
}

/* An unnamed hop behind could be a carrier's: then this is not the last network. */
static double unlisted_weight(const struct border_case *c)
{
	double w = c->gap == 0 ? W_UNLISTED_NEXT : W_UNLISTED;

	if (c->gap > INTERVAL_USUAL)
		w *= c->gap == INTERVAL_USUAL + 1 ? .75 : .4;
	return c->unnamed_behind > 0 ? w - .7 : w;
}

static void apply_unlisted_way(struct border_case *c)
{
	const struct border_hop *h = c->near.nearest;
	char net[BORDER_NET_TEXT], gap[BORDER_NET_TEXT];

	if (c->near.speaker != (int)c->path.other || h->kind == BORDER_HOP_WAY ||
	    c->path.first_inside == NULL)
		return;
	/* One such hop right behind a carrier is the next row's. */
	if (border_case_before(c) && c->near.hops == 1)
		return;
	border_case_say(c, h, c->near.speaker, unlisted_weight(c),
			"last network before the border: %s, which no border has; %s",
			border_case_net(c, h, net), gap_text(c, gap));
}

static void apply_carrier_behind(struct border_case *c)
{
	const struct border_hop *h = c->before.nearest;
	char net[BORDER_NET_TEXT], foreign[BORDER_NET_TEXT];

	if (c->near.speaker != (int)c->path.other || c->near.nearest->kind == BORDER_HOP_WAY ||
	    !border_case_before(c))
		return;
	if (c->near.hops == 1 && c->path.first_inside != NULL)
		border_case_say(c, c->near.nearest, c->near.speaker, W_BEHIND_FOREIGN,
				"one hop of %s before the border",
				border_case_net(c, c->near.nearest, foreign));
	border_case_say(c, h, c->before.speaker,
			(c->near.hops > 1 ? W_BEHIND_TWO : W_BEHIND[c->before.hops > 1]) *
				naming(h) *
				(c->path.first_inside != NULL ? nearness(c->gap) : W_BEHIND_CUT),
			"%s is passed, but %s is behind it", border_case_net(c, h, net),
			border_case_net(c, c->near.nearest, foreign));
}

static void apply_country_hint(struct border_case *c)
{
	const struct border_hop *h = c->path.last_outside;
	int who = -1;

	if (h == NULL || h->country[0] == '\0')
		return;
	for (unsigned k = 0; k < c->path.borders; k++) {
		const char *of = c->profile->borders[k].country;

		if (of == NULL || strcmp(of, h->country) != 0)
			continue;
		if (who >= 0)
			return;
		who = (int)k;
	}
	if (who >= 0 && border_is_open(c->profile, (unsigned)who, c->when))
		border_case_say(c, h, who, W_COUNTRY, "the country table says %s: a hint",
				h->country);
	else if (who < 0 && h->kind == BORDER_HOP_CARRIER)
		border_case_say(c, h, -1, 0,
				"the country table says %s: shown, not held against it",
				h->country);
}

static void apply_cut_before_border(struct border_case *c)
{
	char net[BORDER_NET_TEXT];

	if (c->out->class != CLASS_CUT_BEFORE_BORDER)
		return;
	if (c->path.last_outside != NULL)
		border_case_say(c, c->path.last_outside, -1, 0,
				"the last answer is from %s, no way in: the path ends before "
				"the border",
				border_case_net(c, c->path.last_outside, net));
	else
		border_case_say(c, NULL, -1, 0, "only private addresses answer");
	c->undecided = c->rule;
}

/* --- rows that correct the sum ---------------------------------------------------------------- */

/* Lifts the lower of two speakers to the height of the other. */
static void balance(struct border_case *c, const struct border_hop *hop, int a, int b,
		    const char *why)
{
	int low = c->score[a] < c->score[b] ? a : b;

	border_case_say(c, hop, low, fabs(c->score[a] - c->score[b]), "%s", why);
	c->undecided = c->rule;
}

static void apply_contradiction(struct border_case *c)
{
	if (!contradicted(c))
		return;
	balance(c, c->near.nearest, c->near.speaker, c->before.speaker,
		"one hop alone contradicts the network before it: a router may answer with the "
		"address of its other side");
}

/* Votes of borders at TTLs where more than one border answers. */
static unsigned split_votes(const struct border_case *c, unsigned *votes)
{
	unsigned ttls = 0;

	memset(votes, 0, BORDER_PATH_SPEAKERS * sizeof(*votes));
	for (unsigned i = 0; i < c->path.step_count; i++) {
		const struct border_step *s = &c->path.steps[i];

		if (!s->split)
			continue;
		ttls++;
		for (unsigned k = 0; k < c->path.borders; k++)
			votes[k] += s->votes[k];
	}
	return ttls;
}

static void apply_split_path(struct border_case *c)
{
	unsigned votes[BORDER_PATH_SPEAKERS], sum = 0, win = 0, second = 0;
	unsigned ttls = split_votes(c, votes);

	if (ttls == 0)
		return;
	for (unsigned k = 0; k < c->path.borders; k++) {
		sum += votes[k];
		if (votes[k] > votes[win])
			win = k;
	}
	second = win == 0;
	for (unsigned k = 0; k < c->path.borders; k++) {
		if (k != win && votes[k] > votes[second])
			second = k;
	}
	if (ttls == 1) {
		/* One TTL may be one router with two addresses: it settles nothing. */
		balance(c, NULL, (int)win, (int)second, "two borders answer at one TTL");
		return;
	}
	border_case_say(c, NULL, -1, 0,
			"%s and %s answer at the same %u TTLs: probes of this trace "
			"took both",
			name_of(c, (int)win), name_of(c, (int)second), ttls);
	c->out->p_count = (uint8_t)(c->path.other + 1);
	for (unsigned k = 0; k <= c->path.other; k++) {
		text_set(c->out->p[k].id, sizeof(c->out->p[k].id), border_case_id(c, (int)k));
		c->out->p[k].p = k < c->path.other ? (double)votes[k] / sum : 0;
	}
	c->out->confidence = c->out->p[win].p;
	c->out->outcome = c->out->confidence < .5 ? OUTCOME_UNDETERMINED : OUTCOME_MIXED;
	text_set(c->out->rule, sizeof(c->out->rule), c->rule);
	c->done = true;
}

/* Nothing but "the last network is the carrier's": no answer from inside, or a lone hop. */
static bool adjacency_alone(const struct border_case *c)
{
	if (c->near.speaker < 0)
		return false;
	if (c->assumed_inside)
		return true;
	if (c->near.nearest->border_router)
		return false;
	if (c->near.hops == 1)
		return true;
	return c->path.first_inside == NULL && !c->filtered;
}

static void apply_adjacency_cap(struct border_case *c)
{
	double rest = 0, most;
	int who = c->near.speaker;

	if (!adjacency_alone(c))
		return;
	for (int k = 0; k <= (int)c->path.other; k++)
		rest += k != who ? exp(c->score[k]) : 0;
	most = log(rest * BORDER_ADJACENCY_MAX / (1 - BORDER_ADJACENCY_MAX));
	if (c->score[who] > most)
		border_case_say(c, c->near.nearest, who, most - c->score[who], "%s",
				c->path.first_inside == NULL
					? "nothing behind the carrier answers: adjacency alone is "
					  "worth 0.9 at most"
					: "one hop alone is worth 0.9 at most");
}

/* Where one border alone is open the prior favours it; no verdict may rest on that: lowers the
 * highest to the second, which leaves both under 0.5. */
static void flatten(struct border_case *c, int top)
{
	double second = -INFINITY;

	for (int k = 0; k <= (int)c->path.other; k++) {
		if (k != top)
			second = fmax(second, c->score[k]);
	}
	border_case_say(c, NULL, top, second - c->score[top],
			"no hop speaks for it: what was known before is no evidence");
}

static void apply_too_little(struct border_case *c)
{
	double p[BORDER_PATH_SPEAKERS];
	int top = 0;

	border_case_p(c, p);
	for (int k = 1; k <= (int)c->path.other; k++)
		top = p[k] > p[top] ? k : top;
	if (p[top] >= .5 && c->score[top] >= LEAST_SCORE)
		return;
	if (p[top] >= .5)
		flatten(c, top);
	if (c->undecided == NULL) {
		if (c->near.nearest == NULL)
			border_case_say(c, NULL, -1, 0,
					"no hop before the border is of a known network");
		else
			border_case_say(c, c->near.nearest, -1, 0,
					"too far from the network, or too little, to name a "
					"border");
		c->undecided = c->rule;
	}
}

const struct border_rule border_rules[] = {
	{"destination_outside", "none",
	 "the destination is not in the network's prefixes; a country never makes it so, nor does "
	 "a carrier on the way",
	 "AS131279 originates nothing else (RIPEstat, 2026-10)", border_apply_destination_outside},
	{"destination_unknown", "undetermined, or none where the path visibly ends elsewhere",
	 "posted text may lack its header; a carrier leads to most of the world", "inference",
	 border_apply_destination_unknown},
	{"nothing_answered", "undetermined", "unknown is an answer", "the outcomes of the record",
	 border_apply_nothing_answered},
	{"time_unknown", "remark",
	 "a record without a time is judged by what holds now, and says so", "inference",
	 border_apply_time_unknown},
	{"forged_answer", "remark",
	 "an answer faster than light in fibre, or in the destination's name before routers "
	 "further out, is a proxy's",
	 "light in fibre; SYN proxies answer for whole networks", border_apply_forged_answer},
	{"skipped_hop", "remark",
	 "private and exchange addresses are shown and skipped in AS logic",
	 "public traces: 10.x amid TransTeleCom, exchange LANs without an AS",
	 border_apply_skipped_hop},
	{"customer_router", "remark",
	 "a customer's router answers from the carrier's space without being the carrier",
	 "public traces: Yandex-gw and Selectel-gw on TransTeleCom's space",
	 border_apply_customer_router},
	{"other_time", "remark", "a network is a way in only while the profile says so",
	 "TransTeleCom carries it since 2017-10-01 09:07:51 UTC (Dyn, 2017-10-02)",
	 border_apply_other_time},
	{"prior", "other, less",
	 "three ways in are known in all the years, one of them no land border: one in ten before "
	 "any hop is seen",
	 "a guess, from Dyn and RIPEstat", apply_prior},
	{"carrier_last", "the carrier's border",
	 "the last named network before the network is the one that carries it in; less so the "
	 "longer the silence between",
	 "public traces: typically three silent hops lie between", apply_carrier_last},
	{"carrier_run", "the carrier's border",
	 "several hops of one carrier in a row are not one deceiving address",
	 "third-party addresses, measured in namespaces: one router's", apply_carrier_run},
	{"border_router", "the router's border",
	 "an address that the profile knows to stand at the border", "the profile's labels",
	 apply_border_router},
	{"filter", "the carrier's border",
	 "a router refuses only traffic that is routed through it",
	 "trace of 2019-02-05: 219.158.39.42 answers code 13 at many TTLs", apply_filter},
	{"carrier_before", "the earlier carrier's border, less",
	 "one carrier may hand over to the other: the last counts; two hops may still be one "
	 "router's two addresses",
	 "inference", apply_carrier_before},
	{"listed_way", "other",
	 "the profile lists this network as a way in that is no border of its own",
	 "AS22351 Intelsat, 2012-04-08 to about 2013 (Dyn)", apply_listed_way},
	{"unlisted_way", "other",
	 "a named network that is no border's, and the inside right behind it: some other way in; "
	 "less the longer the silence",
	 "a satellite was one; a profile cannot name the next", apply_unlisted_way},
	{"carrier_behind", "the carrier's border against other",
	 "one foreign hop behind a carrier is more often a wrong name than a way in; two are more "
	 "often a way in",
	 "inference, from hops without or with wrong AS numbers", apply_carrier_behind},
	{"country_hint", "the border of that country, hardly",
	 "databases disagree at this border: never proof",
	 "tables of 2026-06: IT for a host in .178, KP for blocks elsewhere", apply_country_hint},
	{"cut_before_border", "remark",
	 "a path that ends in a network which is no way in has not shown the border", "inference",
	 apply_cut_before_border},
	{"split_path", "mixed",
	 "two borders at the same TTLs, more than once: the probes took both", "inference",
	 apply_split_path},
	{"contradiction", "undetermined",
	 "a router may answer from an interface on its other side: one hop alone against the "
	 "network before it is a draw",
	 "measured in namespaces: Linux answers with the address of the way back",
	 apply_contradiction},
	{"adjacency_cap", "the carrier's border, less",
	 "a carrier's last hop with nothing behind it: at most 0.9",
	 "a carrier leads to most of the world", apply_adjacency_cap},
	{"too_little", "undetermined", "no side reaches even odds by more than hints", "inference",
	 apply_too_little},
	{NULL, NULL, NULL, NULL, NULL},
};
