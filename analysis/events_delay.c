// SPDX-License-Identifier: BSD-2-Clause
/*
 * Shifts of the delay of one key (analysis/shift.h finds them), and of the TTL that answers arrive
 * with. What coincides with another way there is an rtt_shift; what comes while the way there
 * stands, or as another reply TTL, is return_path_suspected: congestion may look like it.
 *
 * The series of a key is the median over its hosts of what each differs from its usual distance to
 * the others: it moves when at least half of them do, and not because one was replaced. Closer
 * looks are left out: they would make an hour look like a day.
 */
#include <stdlib.h>
#include <string.h>

#include "analysis/events_inside.h"
#include "core/err.h"

enum {
	OFFSETS = 16,        /* rounds that tell how far a host is from the others */
	PATH_ROUNDS = 256,   /* kept of the delay to the last outside hop */
	TOLD_MAX = 8,        /* shifts of a key that later points may still move */
	SAME_INDEX = 4,      /* points that a shift may move by and still be the same */
	EVERY = 4,           /* points between two looks at what is pending */
	SCREEN_AFTER = 8, SCREEN_BEFORE = 24, /* points compared to see whether one is worth it */
	AFTER_MIN = 8, AFTER_SURE = 12, AFTER_MAX = 64, /* points of the new level */
	AFTER_MIN_SENSITIVE = 4, AFTER_SURE_SENSITIVE = 6,
	AFTER_WEAK = 64,     /* of one that an evening's congestion could look like */
};
/* A shift less sure than this has to last. */
static const double STRONG = .85;

struct delay_host {
	struct addr dst;
	int64_t diff[OFFSETS];
	unsigned count;
};

/* track: its number; it may be gone meanwhile. */
struct told_shift { uint64_t index, track; bool sure; };

struct delay_state {
	struct shift_state shifts;
	struct delay_host hosts[SERIES_HOSTS_MAX];
	unsigned host_count;
	int64_t last_ns;               /* last value of the series */
	uint64_t rounds;               /* points so far, lost ones too */
	uint64_t answered;
	int64_t target[PATH_ROUNDS], outside[PATH_ROUNDS]; /* rings by round */
	int64_t recent[SCREEN_AFTER + SCREEN_BEFORE];      /* answered ones, a ring */
	struct told_shift told[TOLD_MAX];
	unsigned told_count;
	unsigned taken_back;           /* shifts that were told and did not hold */
	struct reply_state replies;
};

void delay_free(struct delay_state *d)
{
	if (d == NULL)
		return;
	shift_state_fini(&d->shifts);
	free(d);
}

static int64_t middle(int64_t *x, unsigned n)
{
	for (unsigned i = 1; i < n; i++) {
		int64_t value = x[i];
		unsigned at = i;

		for (; at > 0 && x[at - 1] > value; at--)
			x[at] = x[at - 1];
		x[at] = value;
	}
	return n == 0 ? -1 : x[(n - 1) / 2] + (x[n / 2] - x[(n - 1) / 2]) / 2;
}

/* --- the series of a key ---------------------------------------------------------------------- */

static struct delay_host *find_host(struct delay_state *d, struct addr dst)
{
	struct delay_host *h;

	for (unsigned i = 0; i < d->host_count; i++) {
		if (addr_equal(d->hosts[i].dst, dst))
			return &d->hosts[i];
	}
	/* Of more than there is room for the first goes: least likely it is asked still. */
	if (d->host_count == SERIES_HOSTS_MAX)
		memmove(&d->hosts[0], &d->hosts[1],
			--d->host_count * sizeof(struct delay_host));
	h = &d->hosts[d->host_count++];
	*h = (struct delay_host){.dst = dst};
	return h;
}

static int64_t offset_of(const struct delay_host *h)
{
	int64_t diff[OFFSETS];

	memcpy(diff, h->diff, h->count * sizeof(diff[0]));
	return h->count > 0 ? middle(diff, h->count) : 0;
}

/* The value of this round, or -1. */
static int64_t value_of(struct delay_state *d, const struct cell *c)
{
	int64_t values[SERIES_HOSTS_MAX], value;
	unsigned n = 0;

	for (unsigned i = 0; i < c->host_count; i++) {
		struct delay_host *h;

		if (c->host[i].rtt_median_ns < 0)
			continue;
		h = find_host(d, c->host[i].dst);
		if (h->count > 0)
			values[n++] = c->host[i].rtt_median_ns - offset_of(h);
	}
	value = middle(values, n);
	/* Nobody known: the level goes on as it was, whoever stands for it. */
	if (n == 0)
		value = d->last_ns > 0 ? d->last_ns : c->rtt_median_ns;
	for (unsigned i = 0; i < c->host_count && value >= 0; i++) {
		struct delay_host *h;

		if (c->host[i].rtt_median_ns < 0)
			continue;
		h = find_host(d, c->host[i].dst);
		/* One that is alone is what the series is. */
		if (h->count < OFFSETS)
			h->diff[h->count++] = c->host[i].rtt_median_ns - value;
	}
	if (c->rtt_median_ns < 0)
		return -1;
	d->last_ns = value;
	return value;
}

/* --- where it arises -------------------------------------------------------------------------- */

static uint8_t where_of(const struct delay_state *d, const struct shift *s)
{
	uint64_t first = d->rounds > PATH_ROUNDS ? d->rounds - PATH_ROUNDS : 0;
	uint64_t from = s->index > SHIFT_WHERE_ROUNDS ? s->index - SHIFT_WHERE_ROUNDS : 0;
	int64_t target[2 * SHIFT_WHERE_ROUNDS], outside[2 * SHIFT_WHERE_ROUNDS];
	struct shift_path path = {.target_ns = target, .outside_ns = outside};
	enum shift_where where = SHIFT_WHERE_UNKNOWN;

	if (from < first)
		from = first;
	for (uint64_t i = from; i < d->rounds && path.n < 2 * SHIFT_WHERE_ROUNDS; i++) {
		target[path.n] = d->target[i % PATH_ROUNDS];
		outside[path.n++] = d->outside[i % PATH_ROUNDS];
	}
	if (s->index < from || shift_where(s, &path, from, &where) < 0)
		return EVENT_WHERE_UNKNOWN;
	switch (where) {
	case SHIFT_WHERE_INSIDE:
		return EVENT_WHERE_INSIDE;
	case SHIFT_WHERE_BORDER:
		return EVENT_WHERE_BORDER;
	case SHIFT_WHERE_ON_THE_WAY:
		return EVENT_WHERE_ON_THE_WAY;
	default:
		return EVENT_WHERE_UNKNOWN;
	}
}

/* --- what is told ----------------------------------------------------------------------------- */

/* Of several vantage points, the numbers are those of the first. */
static void fill(struct track *t, const struct key_state *k, const struct shift *s, uint8_t where)
{
	struct event *e = t->e;

	if (t->member_count == 0 || t->members[0].key != k)
		return;
	e->before_ns = s->before_ns;
	e->after_ns = s->after_ns;
	e->shift_ns = s->shift_ns;
	e->shift_low_ns = s->low_ns;
	e->shift_high_ns = s->high_ns;
	e->p_value = s->p;
	if (where != EVENT_WHERE_UNKNOWN)
		e->where = where;
	t->dirty = true;
}

/* Answers began to arrive with another TTL at that time: the delay is part of it. */
static struct track *told_by_ttl(const struct events *v, const struct key_state *k,
				 const struct shift *s)
{
	int64_t lag = lag_of(v, k);

	for (unsigned i = 0; i < v->track_count; i++) {
		struct track *t = v->tracks[i];
		const struct event *e = t->e;

		if (!t->over && e->kind == EVENT_RETURN_PATH && e->before_ns < 0 &&
		    e->not_before.ns - lag <= s->not_after.ns &&
		    s->not_before.ns - lag <= e->not_after.ns &&
		    track_member(t, k, k->vantage) != NULL)
			return t;
	}
	return NULL;
}

static int tell(struct events *v, struct key_state *k, const struct shift *s,
		struct track **out)
{
	struct track *way, *t = told_by_ttl(v, k, s);
	bool back = !way_changed(v, k, s->not_before, s->not_after, &way) && way_is_known(k);
	struct claim claim = {.kind = back ? EVENT_RETURN_PATH : EVENT_RTT_SHIFT,
			      .scope = EVENT_SCOPE_PREFIX,
			      .prefix = k->key->prefix,
			      .shift_ns = s->shift_ns,
			      .not_before = s->not_before,
			      .not_after = s->not_after,
			      /* What was taken back may be told again: by another name. */
			      .planned = {s->not_after.ns + k->delay->taken_back},
			      .confidence = s->confidence};
	int rc;

	border_state_text(v, k->border.standing, claim.to.what, sizeof(claim.to.what));
	text_set(claim.from.what, sizeof(claim.from.what),
		 way != NULL && way->e->kind == EVENT_BORDER_SWITCH ? way->e->from.what
								    : claim.to.what);
	rc = t == NULL ? track_claim(v, k, k->vantage, &claim, &t) : 0;
	if (rc < 0)
		return rc;
	fill(t, k, s, where_of(k->delay, s));
	track_evidence(t, s->not_after, k->key->vantage, "",
		       "median %.1f ms over %u rounds, then %.1f ms over %u%s",
		       (double)s->before_ns / 1e6, s->before_count, (double)s->after_ns / 1e6,
		       s->after_count,
		       back ? "; the way there did not change (congestion may look so too)" : "");
	if (way != NULL)
		track_coincide(t, way);
	*out = t;
	return 0;
}

static struct track *alive(const struct events *v, uint64_t number)
{
	struct track *t = track_find(v, number);

	return t != NULL && !t->over ? t : NULL;
}

static struct told_shift *find_told(struct delay_state *d, uint64_t index)
{
	for (unsigned i = 0; i < d->told_count; i++) {
		uint64_t x = d->told[i].index;

		if ((x > index ? x - index : index - x) <= SAME_INDEX)
			return &d->told[i];
	}
	return NULL;
}

static void forget_told(struct delay_state *d, unsigned at)
{
	memmove(&d->told[at], &d->told[at + 1],
		(d->told_count - at - 1) * sizeof(struct told_shift));
	d->told_count--;
}

static int take_shift(struct events *v, struct key_state *k, const struct shift *s)
{
	unsigned least = v->o.sensitive ? AFTER_MIN_SENSITIVE : AFTER_MIN;
	unsigned sure = v->o.sensitive ? AFTER_SURE_SENSITIVE : AFTER_SURE;
	bool final = s->status == SHIFT_CONFIRMED;
	struct delay_state *d = k->delay;
	struct told_shift *x = find_told(d, s->index);
	struct track *t = NULL;
	int rc = 0;

	if (x == NULL) {
		/* What fell together with a move of the vantage point was that move. */
		if ((!final && s->after_count < least) ||
		    (k->moved_at.ns != 0 && s->not_before.ns <= k->moved_at.ns &&
		     s->not_after.ns + lag_of(v, k) >= k->moved_at.ns))
			return 0;
		if (d->told_count == TOLD_MAX)
			forget_told(d, 0);
		x = &d->told[d->told_count++];
		*x = (struct told_shift){.index = s->index};
		rc = tell(v, k, s, &t);
		x->track = t != NULL ? t->number : 0;
	}
	if (s->confidence < STRONG && sure < AFTER_WEAK && !v->o.sensitive)
		sure = AFTER_WEAK;
	if (rc == 0 && !x->sure && (final || s->after_count >= sure)) {
		t = alive(v, x->track);
		x->sure = true;
		if (t != NULL) {
			fill(t, k, s, where_of(d, s));
			track_set(t, k, MEMBER_HELD);
		}
	}
	return rc;
}

/* All that the points say now of those at [from, to). What was told and is not there any more did
 * not hold. */
static int compare(struct events *v, struct key_state *k, const struct shift_list *list,
		   uint64_t from, uint64_t to, bool final)
{
	struct delay_state *d = k->delay;
	int rc = 0;

	for (unsigned i = d->told_count; i-- > 0;) {
		const struct told_shift *x = &d->told[i];
		struct track *t = alive(v, x->track);
		bool found = x->index < from || x->index >= to || (x->sure && !final);

		for (size_t s = 0; s < list->count && !found; s++) {
			uint64_t at = list->items[s].index;

			found = (at > x->index ? at - x->index : x->index - at) <= SAME_INDEX;
		}
		if (found)
			continue;
		if (t != NULL) {
			track_set(t, k, MEMBER_GONE);
			if (x->sure && t->e->status == EVENT_CONFIRMED)
				track_evidence(t, v->now, k->key->vantage, "",
					       "more rounds do not bear it out");
		}
		d->taken_back++;
		forget_told(d, i);
	}
	for (size_t s = 0; s < list->count && rc == 0; s++)
		rc = take_shift(v, k, &list->items[s]);
	return rc;
}

/* Whether the last points lie elsewhere than those before: cheap, and often wrong. */
static bool worth_a_look(const struct delay_state *d)
{
	enum { ALL = SCREEN_AFTER + SCREEN_BEFORE };
	int64_t after[SCREEN_AFTER], before[SCREEN_BEFORE], off[SCREEN_BEFORE], a, b, spread;

	if (d->answered < ALL)
		return d->answered >= 2 * SCREEN_AFTER;
	for (unsigned i = 0; i < ALL; i++) {
		int64_t x = d->recent[(d->answered + i) % ALL];

		if (i < SCREEN_BEFORE)
			before[i] = x;
		else
			after[i - SCREEN_BEFORE] = x;
	}
	a = middle(after, SCREEN_AFTER);
	b = middle(before, SCREEN_BEFORE);
	for (unsigned i = 0; i < SCREEN_BEFORE; i++)
		off[i] = before[i] > b ? before[i] - b : b - before[i];
	spread = middle(off, SCREEN_BEFORE);
	spread = spread > NS_PER_MS / 2 ? spread : NS_PER_MS / 2;
	return a > b + spread || a < b - spread;
}

static bool waits(const struct delay_state *d)
{
	for (unsigned i = 0; i < d->told_count; i++) {
		if (!d->told[i].sure || d->rounds - d->told[i].index <= AFTER_MAX)
			return true;
	}
	return false;
}

/* --- points ----------------------------------------------------------------------------------- */

static int start(struct events *v, struct key_state *k)
{
	if (v->scratch == NULL)
		v->scratch = shift_scratch_new();
	if (v->scratch == NULL)
		return BP_ENOMEM;
	k->delay = calloc(1, sizeof(*k->delay));
	if (k->delay == NULL)
		return BP_ENOMEM;
	shift_state_init(&k->delay->shifts, v->o.sensitive ? SHIFT_SENSITIVE : SHIFT_SUSTAINED);
	return 0;
}

void delay_forget(struct events *v, struct key_state *k)
{
	struct delay_state *d = k->delay;

	if (d == NULL)
		return;
	/* What was sure stays told; of the rest nobody will know. */
	for (unsigned i = 0; i < d->told_count; i++) {
		struct track *t = alive(v, d->told[i].track);

		if (t != NULL && !d->told[i].sure)
			track_set(t, k, MEMBER_GONE);
	}
	k->delay = NULL;
	delay_free(d);
}

/* The first point that is not settled yet. */
static uint64_t open_from(const struct delay_state *d)
{
	const struct shift_state *s = &d->shifts;

	return s->settled < s->count ? s->points[s->settled].index : d->rounds;
}

static int look_at_pending(struct events *v, struct key_state *k, struct shift_list *list)
{
	struct delay_state *d = k->delay;
	int rc;

	if (d->answered % EVERY != 0 || (!worth_a_look(d) && !waits(d)))
		return 0;
	shift_list_clear(list);
	rc = shift_state_pending(&d->shifts, v->scratch, list);
	return rc == 0 ? compare(v, k, list, open_from(d), UINT64_MAX, false) : rc;
}

int delay_cell(struct events *v, struct key_state *k, const struct cell *c)
{
	struct shift_list list = {0};
	struct delay_state *d;
	uint64_t from, to;
	int64_t value;
	int rc = 0;

	if (v->o.no_shifts || c->look)
		return 0;
	if (k->moved > 0) {
		delay_forget(v, k);
		return 0;
	}
	if (k->delay == NULL)
		rc = start(v, k);
	if (rc < 0)
		return rc;
	d = k->delay;
	value = value_of(d, c);
	d->target[d->rounds % PATH_ROUNDS] = value;
	d->outside[d->rounds % PATH_ROUNDS] = c->outside_rtt_ns;
	d->rounds++;
	if (value >= 0)
		d->recent[d->answered++ % (SCREEN_AFTER + SCREEN_BEFORE)] = value;
	from = open_from(d);
	rc = reply_cell(v, k, c, &d->replies);
	if (rc == 0)
		rc = shift_state_add(&d->shifts, v->scratch, c->last, value, &list);
	to = open_from(d);
	if (rc == 0 && to > from)
		rc = compare(v, k, &list, from, to, true);
	if (rc == 0 && value >= 0)
		rc = look_at_pending(v, k, &list);
	shift_list_fini(&list);
	return rc;
}

int delay_end(struct events *v)
{
	struct shift_list list = {0};
	int rc = 0;

	for (unsigned i = 0; i < v->key_room && rc == 0; i++) {
		struct key_state *k = v->keys[i];
		uint64_t from;

		if (k == NULL || k->delay == NULL)
			continue;
		from = open_from(k->delay);
		shift_list_clear(&list);
		rc = shift_state_flush(&k->delay->shifts, v->scratch, &list);
		if (rc == 0)
			rc = compare(v, k, &list, from, UINT64_MAX, true);
	}
	shift_list_fini(&list);
	return rc;
}
