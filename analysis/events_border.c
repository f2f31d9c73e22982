// SPDX-License-Identifier: BSD-2-Clause
/*
 * Border switches of one key: what its flows decided together differs from what stands. Knows
 * neither other keys nor what is told; undetermined rounds change nothing, they only leave the
 * bracket wide.
 *
 * `mixed` stands when flows take several ways in. All flows of a round may then meet on one of them
 * by chance: it is left when that is unlikely. A change that is first seen as mixed, because it
 * came in the middle of a round or prefix by prefix, is one change: mixed is passed through.
 */
#include <math.h>
#include <string.h>

#include "analysis/events_inside.h"

enum {
	PASSING_ROUNDS = 6,  /* mixed so long is passed through, not a state of its own */
	MIXED_OF_RECENT = 3, /* so many of the last BORDER_RECENT rounds mixed: that is how it is */
};
static const double LEAVE_CHANCE = .01, FADE = .9;

static bool same_way(struct way_in a, struct way_in b)
{
	return a.outcome == b.outcome && a.border == b.border;
}

static bool is_pure(struct way_in w)
{
	return w.outcome == OUTCOME_BORDER || w.outcome == OUTCOME_OTHER;
}

void border_state_text(const struct events *v, struct way_in w, char *out, size_t size)
{
	switch (w.outcome) {
	case OUTCOME_BORDER:
		text_set(out, size, series_border(v->series, (unsigned)w.border));
		break;
	case OUTCOME_OTHER:
		text_set(out, size, "other");
		break;
	case OUTCOME_MIXED:
		text_set(out, size, "mixed");
		break;
	default:
		text_set(out, size, "");
	}
}

/* --- what stands ------------------------------------------------------------------------------ */

static unsigned decided_traces(const struct events *v, const struct cell *c, double share[])
{
	unsigned n = 0;

	for (unsigned i = 0; i < series_border_count(v->series); i++) {
		share[i] = c->by_border[i];
		n += c->by_border[i];
	}
	return n;
}

static void settle(const struct events *v, struct key_state *k, const struct cell *c)
{
	struct border_state *b = &k->border;
	double now[SERIES_BORDERS_MAX];

	b->held = c->held;
	b->asn = c->via_asn;
	b->org = c->via_org;
	b->run_rounds = 0;
	text_set(b->example, sizeof(b->example), c->example);
	decided_traces(v, c, now);
	for (unsigned i = 0; i < series_border_count(v->series); i++)
		b->share[i] = b->share[i] * FADE + now[i];
}

static void begin(const struct events *v, struct key_state *k, struct way_in w,
		  const struct cell *c)
{
	struct border_state *b = &k->border;

	b->standing = w;
	b->pending = (struct way_in){.outcome = OUTCOME_UNDETERMINED, .border = -1};
	b->rounds = 0;
	b->again = false;
	b->stood = 0;
	memset(b->share, 0, sizeof(b->share));
	settle(v, k, c);
}

/* Mixed that was only passed through is left by the first round on one way. */
static bool is_passing(const struct border_state *b, struct way_in w)
{
	return b->standing.outcome == OUTCOME_MIXED && b->track != NULL && !b->track->over &&
	       b->stood <= PASSING_ROUNDS && b->left.outcome != OUTCOME_UNDETERMINED &&
	       !same_way(w, b->left);
}

/* All flows of a round on one way though several stand: by chance? The chances of rounds in a row
 * multiply. */
static bool may_be_chance(const struct events *v, struct border_state *b, struct way_in w,
			  const struct cell *c)
{
	unsigned at = w.outcome == OUTCOME_OTHER ? series_border_count(v->series) - 1
						 : (unsigned)w.border;
	double all = 0, now[SERIES_BORDERS_MAX];
	unsigned n = decided_traces(v, c, now);

	if (b->run_rounds == 0 || !same_way(b->run, w)) {
		b->run = w;
		b->run_rounds = 0;
		b->run_first = c->shown;
		b->run_planned = c->planned;
		b->chance = 1;
	}
	b->run_rounds++;
	for (unsigned i = 0; i < series_border_count(v->series); i++)
		all += b->share[i];
	if (all <= 0 || n == 0 || is_passing(b, w))
		return false;
	b->chance *= pow(b->share[at] / all, n);
	return b->chance >= LEAVE_CHANCE;
}

/* --- what is suspected ------------------------------------------------------------------------ */

static void claim_of(const struct events *v, const struct key_state *k, struct way_in from,
		     struct way_in to, const struct cell *c, struct claim *out)
{
	const struct border_state *b = &k->border;

	*out = (struct claim){.kind = EVENT_BORDER_SWITCH,
			      .scope = EVENT_SCOPE_PREFIX,
			      .prefix = k->key->prefix,
			      .way = to,
			      .not_before = b->held,
			      .not_after = b->not_after,
			      .planned = b->planned,
			      .confidence = c->confidence};
	border_state_text(v, from, out->from.what, sizeof(out->from.what));
	border_state_text(v, to, out->to.what, sizeof(out->to.what));
	out->from.asn = b->asn;
	text_set(out->from.org, sizeof(out->from.org), b->org != NULL ? b->org : "");
	out->to.asn = c->via_asn;
	text_set(out->to.org, sizeof(out->to.org), c->via_org);
}

static void tell_why(const struct events *v, const struct key_state *k, struct track *t,
		     struct way_in w, const struct cell *c)
{
	char what[VERDICT_ID_TEXT];

	border_state_text(v, w, what, sizeof(what));
	if (w.outcome == OUTCOME_MIXED)
		track_evidence(t, c->shown, k->key->vantage, c->example,
			       "of %u traces that decided, flows take several ways in%s",
			       c->traces - c->undetermined - c->none,
			       c->look ? " (a closer look)" : "");
	else
		track_evidence(t, c->shown, k->key->vantage, c->example,
			       "all %u traces that decided enter by %s%s",
			       c->traces - c->undetermined - c->none, what,
			       c->look ? " (a closer look)" : "");
}

static int suspect(struct events *v, struct key_state *k, struct way_in w, const struct cell *c)
{
	struct border_state *b = &k->border;
	struct claim claim;
	int rc;
	bool run = b->standing.outcome == OUTCOME_MIXED && b->run_rounds > 0;

	b->pending = w;
	/* What was taken for chance so far was the beginning of it. */
	b->rounds = run ? b->run_rounds : 1;
	b->not_after = run ? b->run_first : c->shown;
	b->planned = run ? b->run_planned : c->planned;
	/* Mixed was passed through: what began then goes on. */
	b->again = is_passing(b, w);
	if (b->again)
		return 0;
	b->left = b->standing;
	claim_of(v, k, b->standing, w, c, &claim);
	rc = track_claim(v, k, k->vantage, &claim, &b->track);
	if (rc == 0)
		tell_why(v, k, b->track, w, c);
	return rc;
}

static void take_back(struct key_state *k)
{
	struct border_state *b = &k->border;

	if (!b->again && b->track != NULL) {
		track_set(b->track, k, MEMBER_GONE);
		b->track = NULL;
	}
	b->pending = (struct way_in){.outcome = OUTCOME_UNDETERMINED, .border = -1};
	b->rounds = 0;
	b->again = false;
}

/* The track goes on to another state: for those alone on it; the others find their own. */
static int move_on(struct events *v, struct key_state *k, struct way_in w, const struct cell *c)
{
	struct border_state *b = &k->border;
	struct track *t = b->track;
	struct claim claim;
	bool alone = true;

	if (t != NULL && same_way(t->way, w))
		return 0;
	claim_of(v, k, b->left, w, c, &claim);
	for (unsigned i = 0; t != NULL && i < t->member_count; i++)
		alone = alone && (t->members[i].key == k || t->members[i].state == MEMBER_GONE ||
				  t->way.outcome == OUTCOME_MIXED);
	if (t != NULL && alone && !t->over) {
		t->way = w;
		t->e->to = claim.to;
		t->dirty = true;
		tell_why(v, k, t, w, c);
		return 0;
	}
	if (t != NULL)
		track_set(t, k, MEMBER_GONE);
	claim.not_before = b->held;
	return track_claim(v, k, k->vantage, &claim, &b->track);
}

static int confirm(struct events *v, struct key_state *k, const struct cell *c)
{
	struct border_state *b = &k->border;
	struct way_in w = b->pending;
	int rc = 0;

	if (b->again && b->track != NULL)
		rc = move_on(v, k, w, c);
	if (rc == 0 && b->track != NULL) {
		track_set(b->track, k, MEMBER_HELD);
		tell_why(v, k, b->track, w, c);
		path_fold(v, k, b->track);
	}
	path_forget(k);
	note_way(k, b->held, b->not_after);
	begin(v, k, w, c);
	return rc;
}

static int differs(struct events *v, struct key_state *k, struct way_in w, const struct cell *c)
{
	struct border_state *b = &k->border;
	unsigned mixed = 0;
	int rc = 0;

	for (unsigned i = 0; i < BORDER_RECENT; i++)
		mixed += b->recent[i] == OUTCOME_MIXED;
	if (b->pending.outcome == OUTCOME_UNDETERMINED) {
		rc = suspect(v, k, w, c);
	} else if (same_way(b->pending, w)) {
		b->rounds++;
	} else {
		/* It was left for good: for what is not clear yet. */
		bool through = b->pending.outcome == OUTCOME_MIXED;

		b->pending = w;
		b->rounds = 1;
		if (!through) {
			b->not_after = c->shown;
			b->planned = c->planned;
		}
		rc = b->again ? 0 : move_on(v, k, w, c);
	}
	if (rc == 0 && (b->rounds >= v->o.raise_rounds ||
			(w.outcome == OUTCOME_MIXED && mixed >= MIXED_OF_RECENT)))
		rc = confirm(v, k, c);
	return rc;
}

void border_after_flap(struct key_state *k)
{
	struct border_state *b = &k->border;

	b->pending = (struct way_in){.outcome = OUTCOME_UNDETERMINED, .border = -1};
	b->rounds = 0;
	b->again = false;
	b->track = NULL;
	b->stood = 0;
	if (k->flap == NULL && is_pure(b->last))
		b->standing = b->last;
}

/* --- a cell ----------------------------------------------------------------------------------- */

/* The vantage point moved to another upstream: what it sees of borders is learned anew. */
static void learn_anew(struct events *v, struct key_state *k, struct way_in w,
		       const struct cell *c)
{
	take_back(k);
	k->border.track = NULL;
	path_forget(k);
	if (!same_way(k->border.standing, w))
		begin(v, k, w, c);
	else
		settle(v, k, c);
	k->border.last = is_pure(w) ? w : k->border.last;
}

int border_cell(struct events *v, struct key_state *k, const struct cell *c)
{
	struct way_in w = {c->outcome, (int8_t)(c->outcome == OUTCOME_BORDER ? c->border : -1)};
	struct border_state *b = &k->border;
	bool changed;
	int rc = 0;

	if (w.outcome == OUTCOME_UNDETERMINED || w.outcome == OUTCOME_NONE)
		return 0;
	b->told = c->end;
	b->recent[b->decided++ % BORDER_RECENT] = w.outcome;
	b->stood++;
	if (k->moved > 0 || b->standing.outcome == OUTCOME_UNDETERMINED) {
		learn_anew(v, k, w, c);
		return 0;
	}
	changed = is_pure(w) && is_pure(b->last) && !same_way(w, b->last);
	if (changed)
		rc = flap_change(v, k, c, true, b->held, c->shown);
	if (is_pure(w))
		b->last = w;
	if (rc < 0)
		return rc;
	if (k->flap != NULL) {
		/* What holds is looked at when it is over. */
		b->held = c->held;
		b->asn = c->via_asn;
		b->org = c->via_org;
		return 0;
	}
	if (same_way(w, b->standing) ||
	    (b->standing.outcome == OUTCOME_MIXED && is_pure(w) && may_be_chance(v, b, w, c))) {
		if (b->pending.outcome != OUTCOME_UNDETERMINED)
			take_back(k);
		/* Within what is mixed, pure rounds count towards the chance only. */
		if (same_way(w, b->standing))
			settle(v, k, c);
		return 0;
	}
	return differs(v, k, w, c);
}
