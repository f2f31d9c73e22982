// SPDX-License-Identifier: BSD-2-Clause
/*
 * How often verdicts are right, in a world whose rates are stated: simulated paths into the network
 * with the faults that real borders show, judged by border_judge with the shipped profile. The
 * world is the model's own: it shows that the weights fit these rates, not that the rates are the
 * world's. Usage: bench_calibration [SEED [PATHS]]. Exit 1 when over 1 % of verdicts at 0.9 and
 * above are wrong.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/border.h"
#include "tests/bench/sim_borders.h"

/* --- the tally -------------------------------------------------------------------------------- */

enum { BINS = 7, KINDS = 6 };
static const double bin_low[BINS + 1] = {0, .5, .6, .7, .8, .9, .95, 1.0001};
static const char *const kinds[KINDS] = {"dandong", "khasan",	    "other",
					 "mixed",   "undetermined", "none"};

struct tally {
	unsigned n[BINS], right[BINS];
	double p[BINS];
	unsigned confusion[5][KINDS]; /* truth: dandong, khasan, other, both, elsewhere */
	double brier;
	unsigned brier_n, undetermined, judged, wrong;
};

static int kind_of(const struct verdict *v)
{
	switch (v->outcome) {
	case OUTCOME_BORDER: return strcmp(v->border, "dandong") != 0;
	case OUTCOME_OTHER: return 2;
	case OUTCOME_MIXED: return 3;
	case OUTCOME_NONE: return 5;
	default: return 4;
	}
}

static void tally_add(struct tally *s, const struct world_path *p, const struct verdict *v)
{
	int kind = kind_of(v), top = 0;
	unsigned bin = 0;
	bool right;

	s->confusion[p->truth < 0 ? 4 : p->truth][kind]++;
	if (p->truth < 0)
		return;
	s->judged++;
	s->undetermined += kind == 4;
	for (unsigned k = 1; k < v->p_count; k++) {
		if (v->p[k].p > v->p[top].p)
			top = (int)k;
	}
	right = kind == 3 || p->truth == 3 ? kind == p->truth : top == p->truth;
	s->wrong += kind != 4 && !right;
	while (v->confidence >= bin_low[bin + 1])
		bin++;
	/* An undetermined verdict claims nothing: it stands in the lowest bin whatever its p. */
	if (kind == 4)
		bin = 0;
	s->n[bin]++;
	s->right[bin] += right;
	s->p[bin] += v->confidence;
	if (p->truth == 3)
		return;
	for (unsigned k = 0; k < v->p_count; k++)
		s->brier += pow(v->p[k].p - ((int)k == p->truth), 2);
	s->brier_n++;
}

static double sure_wrong(const struct tally *s, unsigned *sure, unsigned *wrong)
{
	*sure = s->n[BINS - 2] + s->n[BINS - 1];
	*wrong = *sure - s->right[BINS - 2] - s->right[BINS - 1];
	return *sure > 0 ? (double)*wrong / *sure : 1;
}

static void tally_line(const struct tally *s, const char *what)
{
	unsigned sure, wrong;
	double share = sure_wrong(s, &sure, &wrong);

	printf("  %-26s %.4f   %6.2f %%   %6.2f %%   %6u   %5.2f %%\n", what, s->brier / s->brier_n,
	       100.0 * s->undetermined / s->judged,
	       100.0 * s->wrong / (s->judged - s->undetermined), sure, 100 * share);
}

static void tally_print(const struct tally *s)
{
	static const char *const truths[] = {"dandong", "khasan", "other", "both", "elsewhere"};

	printf("\nreliability: the claim, and how often it was right\n"
	       "  confidence        n   mean p   right\n");
	for (unsigned b = 0; b < BINS; b++) {
		if (s->n[b] == 0)
			continue;
		printf("  %.2f to %.2f %7u    %.3f   %.3f%s\n", bin_low[b], fmin(bin_low[b + 1], 1),
		       s->n[b], s->p[b] / s->n[b], (double)s->right[b] / s->n[b],
		       b == 0 ? "   undetermined: best guess" : "");
	}
	printf("\ntruth \\ verdict");
	for (unsigned k = 0; k < KINDS; k++)
		printf(" %12s", kinds[k]);
	putchar('\n');
	for (unsigned t = 0; t < 5; t++) {
		printf("%-15s", truths[t]);
		for (unsigned k = 0; k < KINDS; k++)
			printf(" %12u", s->confusion[t][k]);
		putchar('\n');
	}
}

static void show_path(const struct trace *t, const struct verdict *v, int truth)
{
	char text[ADDR_TEXT];

	printf("truth %d, said %s %.3f by %s:\n", truth, kinds[kind_of(v)], v->confidence, v->rule);
	for (uint32_t i = 0; i < t->entry_count; i++) {
		const struct trace_entry *e = &t->entries[i];

		if (e->attempt == 1)
			printf("\n  %2u", e->ttl);
		printf(" %s%s", addr_is_set(e->reply.from) ? addr_format(e->reply.from, text) : "*",
		       e->reply.icmp_code == 13 ? "!X" : "");
	}
	putchar('\n');
	for (unsigned i = 0; i < v->evidence_count; i++)
		printf("  %-18s %2u %-8s %+.2f %s\n", v->evidence[i].rule, v->evidence[i].ttl,
		       v->evidence[i].says, v->evidence[i].weight, v->evidence[i].why);
}

static struct tally play(const struct profile *profile, uint64_t seed, double scale, unsigned paths,
			 bool show)
{
	const struct wall now = {INT64_C(1795341600) * NS_PER_S};
	struct world w = {.c = {seed, scale}};
	struct tally s = {0};

	for (unsigned i = 0; i < paths; i++) {
		struct world_path p;
		struct verdict v;
		struct trace *t;

		names_init(&w.names);
		make_path(&w, &p);
		t = measure(&w, &p);
		border_judge(t, &w.names, profile, now, &v);
		if (show && v.confidence >= .9 && kind_of(&v) != (p.truth < 0 ? 5 : p.truth))
			show_path(t, &v, p.truth);
		tally_add(&s, &p, &v);
		free(t);
		names_fini(&w.names);
	}
	return s;
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
	unsigned paths = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 10000;
	/* CALIBRATION_SHOW=1: the sure and wrong ones, path and evidence. */
	bool show = getenv("CALIBRATION_SHOW") != NULL;
	struct profile *profile = NULL;
	struct bp_error err = {0};
	struct tally s, more;
	unsigned sure, wrong;
	char what[32];

	if (profile_load("dprk", &profile, &err) < 0) {
		fprintf(stderr, "bench_calibration: %s\n", err.text);
		return 1;
	}
	printf("calibration: %u simulated paths, seed %llu, profile %s %s\n"
	       "the rates of this world, which is the model's own:\n",
	       paths, (unsigned long long)seed, profile->id, profile->version);
	for (unsigned i = 0; i < RATES; i++)
		printf("  %5.1f %%  %s\n", 100 * rates[i].p, rates[i].what);
	s = play(profile, seed, 1, paths, show);
	tally_print(&s);
	printf("\n  %-26s Brier   undetermined  wrong   at 0.9   of it wrong\n", "");
	tally_line(&s, "these");
	for (unsigned i = 1; i <= 3; i++) {
		more = play(profile, seed + i, 1, paths, false);
		snprintf(what, sizeof(what), "seed %llu", (unsigned long long)seed + i);
		tally_line(&more, what);
	}
	more = play(profile, seed, .5, paths, false);
	tally_line(&more, "all faults half as often");
	more = play(profile, seed, 2, paths, false);
	tally_line(&more, "all faults twice as often");
	printf("Brier: 0 is perfect, 0.6667 is knowing nothing of three. Wrong: of verdicts that "
	       "say something.\n");
	profile_free(profile);
	if (sure_wrong(&s, &sure, &wrong) > .01) {
		printf("FAILED: %u of %u verdicts at 0.9 and above are wrong, over 1 %%\n", wrong,
		       sure);
		return 1;
	}
	return 0;
}
