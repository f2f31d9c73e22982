// SPDX-License-Identifier: BSD-2-Clause
/* Shared beginnings of a run: lines out, traces in. Judges no hop: analysis/beginning.h does. */
#include "cli/trace_shared.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/annotate.h"
#include "analysis/beginning.h"

enum { BATCH = 256, BUCKETS = 1024, LINES_MIN = 64, KNOWN_MAX = 1024, AHEAD = 16 };

/* A line that the child has, or that waits to be asked again. */
struct line {
	uint64_t seq;        /* of the line */
	uint64_t plan_seq;   /* of the plan */
	struct track *track;
	uint32_t generation; /* of the track when it was written */
	bool later;          /* from the anchor on */
	struct trace *first; /* owned: the attempt that did not confirm the beginning; NULL none */
	struct line *next;
};

enum track_state { TRACK_LEARNS, TRACK_SHARES, TRACK_OFF };

/* A whole trace and how it is compared. */
struct scout {
	struct trace *trace;         /* owned */
	struct beginning_view *view; /* owned */
};

/* A prefix that verdicts are kept for, and the line that asks its first target whole; 0: it was. */
struct known { struct prefix prefix; uint64_t seq; };

/* Paths that may have a beginning in common. */
struct track {
	uint8_t method, family;
	uint16_t dport, flow;
	uint8_t state;           /* enum track_state */
	uint32_t generation;     /* changes when it is learned anew */
	unsigned whole, later;   /* lines the child has: whole ones of this generation, others */
	struct scout scouts[SHARED_SCOUTS];
	unsigned scout_count;
	struct scout source;     /* that others inherit from */
	struct beginning beginning;
	bool stale;              /* its hidden part has changed: no trace inherits it any more */
	unsigned changes, doubts, since_check;
	struct mono checked;
	unsigned confirmed;      /* since it was learned */
	struct known *known;     /* owned */
	unsigned known_count, known_room;
	struct track *next;
};

struct trace_shared {
	const struct trace_options *o;
	struct trace_plan *plan;
	const struct session *session;
	struct track *tracks;
	struct line *lines[BUCKETS]; /* by seq */
	struct line *again, **again_end; /* to be asked whole, in order */
	uint64_t seq;                /* of the last line written */
	unsigned out, out_max;       /* lines the child has */
	unsigned later;              /* of them from an anchor on */
	struct plan_trace next;      /* taken from the plan, waiting for its beginning */
	bool has_next, plan_ended, failed;
	const char *note;
};

static void scout_fini(struct scout *s)
{
	free(s->trace);
	free(s->view);
	*s = (struct scout){0};
}

static void scouts_drop(struct track *k)
{
	while (k->scout_count > 0)
		scout_fini(&k->scouts[--k->scout_count]);
}

struct trace_shared *trace_shared_new(const struct trace_options *o, struct trace_plan *plan,
				      const struct session *session)
{
	struct trace_shared *s = calloc(1, sizeof(*s));
	uint32_t rate = o->run.rate_pps;

	if (s == NULL)
		return NULL;
	s->o = o;
	s->plan = plan;
	s->session = session;
	s->again_end = &s->again;
	/* About a second's probes: what is asked now rests on what was learned lately. */
	s->out_max = rate == 0 || rate > SHARED_LINES_MAX ? SHARED_LINES_MAX :
		     rate < LINES_MIN ? LINES_MIN : rate;
	return s;
}

static void lines_free(struct line *l)
{
	while (l != NULL) {
		struct line *next = l->next;

		free(l->first);
		free(l);
		l = next;
	}
}

void trace_shared_free(struct trace_shared *s)
{
	if (s == NULL)
		return;
	while (s->tracks != NULL) {
		struct track *k = s->tracks;

		s->tracks = k->next;
		scouts_drop(k);
		scout_fini(&k->source);
		free(k->known);
		free(k);
	}
	for (unsigned i = 0; i < BUCKETS; i++)
		lines_free(s->lines[i]);
	lines_free(s->again);
	free(s);
}

/* --- lines out -------------------------------------------------------------------------------- */

static struct track *track_of(struct trace_shared *s, const struct plan_trace *p)
{
	struct track *k;

	for (k = s->tracks; k != NULL; k = k->next) {
		if (k->method == p->method && k->family == p->dst.family && k->flow == p->flow &&
		    k->dport == p->dport)
			return k;
	}
	k = calloc(1, sizeof(*k));
	if (k == NULL)
		return NULL;
	*k = (struct track){.method = p->method, .family = p->dst.family, .flow = p->flow,
			    .dport = p->dport, .next = s->tracks};
	s->tracks = k;
	return k;
}

enum ask { ASK_WHOLE, ASK_LATER, ASK_WAIT };

static bool known_grow(struct track *k)
{
	unsigned room = k->known_room > 0 ? 2 * k->known_room : 8;
	struct known *more;

	if (k->known_count < k->known_room)
		return true;
	more = reallocarray(k->known, room, sizeof(*more));
	if (more == NULL)
		return false;
	k->known = more;
	k->known_room = room;
	return true;
}

/* The first target of a prefix that verdicts are kept for is asked whole, and the others wait for
 * it: no verdict rests on other prefixes' traces alone. */
static enum ask ask_in_prefix(const struct trace_shared *s, struct track *k, struct addr dst)
{
	struct prefix p = profile_judge_prefix(s->session->profile, dst);

	for (unsigned i = 0; i < k->known_count; i++) {
		if (prefix_equal(k->known[i].prefix, p))
			return k->known[i].seq != 0 ? ASK_WAIT : ASK_LATER;
	}
	if (p.len == 0)
		return ASK_LATER;
	/* Who has no place here is asked whole, he and all of his prefix. */
	if (k->known_count < KNOWN_MAX && known_grow(k))
		k->known[k->known_count++] = (struct known){p, s->seq + 1};
	return ASK_WHOLE;
}

static enum ask how_to_ask(const struct trace_shared *s, struct track *k, struct addr dst)
{
	enum ask ask;

	if (k->state == TRACK_OFF)
		return ASK_WHOLE;
	if (k->state == TRACK_LEARNS) {
		if (k->whole + k->scout_count >= SHARED_SCOUTS)
			return ASK_WAIT;
		(void)ask_in_prefix(s, k, dst);
	} else {
		/* Slowly at first: what was learned may not be so for the others. */
		if (k->later >= AHEAD + k->confirmed)
			return ASK_WAIT;
		ask = ask_in_prefix(s, k, dst);
		if (ask == ASK_WAIT)
			return ASK_WAIT;
		if (ask == ASK_LATER && ++k->since_check < SHARED_CHECK_TARGETS &&
		    mono_since(mono_now(), k->checked) < SHARED_CHECK_SECONDS * NS_PER_S)
			return ASK_LATER;
	}
	k->since_check = 0;
	k->checked = mono_now();
	return ASK_WHOLE;
}

static void line_out(struct trace_shared *s, struct line *l, struct plan_trace *p, struct buf *out)
{
	struct track *k = l->track;

	l->seq = p->seq = ++s->seq;
	l->generation = k->generation;
	l->next = s->lines[l->seq % BUCKETS];
	s->lines[l->seq % BUCKETS] = l;
	s->out++;
	s->later += l->later;
	k->later += l->later;
	k->whole += !l->later;
	plan_write_trace(out, p);
}

/* The first attempt's target, whole. */
static void again_out(struct trace_shared *s, struct buf *out)
{
	struct line *l = s->again;
	const struct trace *t = l->first;
	struct plan_trace p = s->o->each;

	s->again = l->next;
	if (s->again == NULL)
		s->again_end = &s->again;
	p.dst = t->dst;
	p.method = t->method;
	p.flow = l->track->flow;
	p.dport = l->track->dport;
	text_set(p.target, sizeof(p.target), t->target);
	line_out(s, l, &p, out);
}

/* False: it waits for results. */
static bool next_out(struct trace_shared *s, struct buf *out)
{
	struct track *k = track_of(s, &s->next);
	struct line *l = calloc(1, sizeof(*l));
	enum ask ask;

	if (k == NULL || l == NULL) {
		free(l);
		s->failed = true;
		return false;
	}
	ask = how_to_ask(s, k, s->next.dst);
	if (ask == ASK_WAIT) {
		free(l);
		return false;
	}
	l->track = k;
	l->plan_seq = s->next.seq;
	l->later = ask == ASK_LATER;
	if (l->later)
		s->next.first_ttl = k->beginning.anchor_ttl;
	line_out(s, l, &s->next, out);
	s->has_next = false;
	return true;
}

enum probe_more trace_shared_more(struct trace_shared *s, struct buf *out)
{
	for (unsigned n = 0; n < BATCH; n++) {
		if (s->again != NULL) {
			again_out(s, out);
			continue;
		}
		if (s->out >= s->out_max)
			return PROBE_MORE_LATER;
		if (!s->has_next && !s->plan_ended) {
			s->has_next = trace_plan_next(s->plan, &s->next);
			s->plan_ended = !s->has_next;
		}
		/* What is asked from an anchor on may have to be asked again. */
		if (s->plan_ended)
			return s->later > 0 ? PROBE_MORE_LATER : PROBE_MORE_NONE;
		if (!next_out(s, out))
			return s->failed ? PROBE_MORE_NONE : PROBE_MORE_LATER;
	}
	return PROBE_MORE_NOW;
}

/* --- what traces teach ------------------------------------------------------------------------ */

static void track_off(struct trace_shared *s, struct track *k)
{
	k->state = TRACK_OFF;
	scouts_drop(k);
	s->note = "shared beginnings: the first hops are silent, differ from target to target or keep "
		  "changing; the other targets are traced whole";
}

/* The beginning is another now, or was never one. stale: before the same anchor, so that traces
 * which are out cannot tell. */
static void track_anew(struct trace_shared *s, struct track *k, bool stale)
{
	if (k->state == TRACK_OFF)
		return;
	k->stale = k->stale || stale;
	/* Refuted before: what comes now is learned from whole traces already. */
	if (k->state == TRACK_LEARNS)
		return;
	k->state = TRACK_LEARNS;
	k->generation++;
	k->whole = k->doubts = 0;
	scouts_drop(k);
	if (++k->changes >= SHARED_CHANGES_MAX)
		track_off(s, k);
}

static void learn(struct trace_shared *s, struct track *k)
{
	const struct beginning_view *views[SHARED_SCOUTS];
	unsigned n = 0, best = 0;

	for (; n < k->scout_count; n++)
		views[n] = k->scouts[n].view;
	beginning_learn(views, n, &k->beginning);
	k->stale = false;
	for (unsigned i = 1; i < k->scout_count; i++) {
		if (beginning_known(&k->beginning, k->scouts[i].view) >
		    beginning_known(&k->beginning, k->scouts[best].view))
			best = i;
	}
	scout_fini(&k->source);
	k->source = k->scouts[best];
	k->scouts[best] = (struct scout){0};
	scouts_drop(k);
	k->state = TRACK_SHARES;
	k->since_check = k->confirmed = 0;
	k->checked = mono_now();
	/* Nothing in common now may be one odd target's doing. */
	if (k->beginning.anchor_ttl == 0)
		track_anew(s, k, true);
}

static int take_view(const struct trace_shared *s, const struct trace *t,
		     struct beginning_view *view)
{
	struct names names;
	int rc;

	names_init(&names);
	rc = annotate(t, s->session->geo, &names);
	if (rc == 0)
		rc = beginning_read(t, &names, s->session->profile, wall_now(), view);
	names_fini(&names);
	return rc;
}

static struct trace *copy_of(const struct trace *t)
{
	struct trace *copy = malloc(t->size);

	if (copy != NULL)
		memcpy(copy, t, t->size);
	return copy;
}

static int scout_add(struct track *k, const struct trace *t, const struct beginning_view *view)
{
	struct scout *s = &k->scouts[k->scout_count++];

	s->trace = copy_of(t);
	s->view = malloc(sizeof(*view));
	if (s->trace == NULL || s->view == NULL)
		return BP_ENOMEM;
	*s->view = *view;
	return 0;
}

static bool is_measured(const struct trace *t)
{
	return t->stop != STOP_ERROR && t->stop != STOP_INTERRUPTED;
}

/* A whole trace is a scout, a check, or neither. */
static int take_whole(struct trace_shared *s, struct line *l, const struct trace *t)
{
	struct track *k = l->track;
	struct beginning_view view;
	int rc;

	if (k->state == TRACK_OFF || l->generation != k->generation || !is_measured(t))
		return 0;
	rc = take_view(s, t, &view);
	if (rc < 0)
		return rc;
	/* Learning anew: traces may still be out that the last beginning is for. */
	if ((k->state == TRACK_SHARES || k->later > 0) &&
	    beginning_check(&k->beginning, &view) == BEGINNING_REFUTED)
		track_anew(s, k, addr_equal(view.hops[k->beginning.anchor_ttl].from,
					    k->beginning.anchor));
	/* What showed another way is the first to learn from: both ways may be in use. */
	if (k->state != TRACK_LEARNS || k->scout_count == SHARED_SCOUTS)
		return 0;
	return scout_add(k, t, &view);
}

/* The probes of both attempts were sent for this target. */
static void add_first(struct trace *t, const struct trace *first)
{
	t->sent += first->sent;
	t->received += first->received;
	t->repeated += first->repeated;
	t->slowed_times += first->slowed_times;
	if (first->slowed_pps != 0 && (t->slowed_pps == 0 || first->slowed_pps < t->slowed_pps))
		t->slowed_pps = first->slowed_pps;
	if (t->drops >= 0 && first->drops > 0)
		t->drops += first->drops;
	t->clock_stepped = t->clock_stepped || first->clock_stepped;
	t->refused.foreign += first->refused.foreign;
	t->refused.bad_token += first->refused.bad_token;
	t->refused.malformed += first->refused.malformed;
	t->refused.late += first->refused.late;
	t->refused.duplicate += first->refused.duplicate;
}

/* A trace from the anchor on. *out: what is shown; NULL: the line is to be asked again. */
static int take_later(struct trace_shared *s, struct line *l, const struct trace *t,
		      struct trace **out)
{
	struct track *k = l->track;
	enum beginning_answer answer = BEGINNING_DOUBTFUL;
	struct beginning_view view;
	int rc = 0;

	*out = NULL;
	if (t->stop != STOP_ERROR) {
		rc = take_view(s, t, &view);
		if (rc < 0)
			return rc;
		answer = beginning_confirm(&k->beginning, t, &view);
		if (answer == BEGINNING_CONFIRMED && k->stale)
			answer = BEGINNING_DOUBTFUL;
	}
	if (answer == BEGINNING_CONFIRMED) {
		k->doubts = 0;
		k->confirmed++;
		rc = beginning_inherit(&k->beginning, k->source.trace, t, out);
		return rc == BP_ERANGE ? 0 : rc;
	}
	/* Nothing more can be asked: this is what there is of it. */
	if (!is_measured(t)) {
		*out = copy_of(t);
		return *out != NULL ? 0 : BP_ENOMEM;
	}
	if (answer == BEGINNING_REFUTED || ++k->doubts >= SHARED_DOUBTS_MAX)
		track_anew(s, k, false);
	return 0;
}

static struct line *line_take(struct trace_shared *s, uint64_t seq)
{
	struct line **at = &s->lines[seq % BUCKETS], *l;

	while (*at != NULL && (*at)->seq != seq)
		at = &(*at)->next;
	l = *at;
	if (l == NULL)
		return NULL;
	*at = l->next;
	l->next = NULL;
	s->out--;
	s->later -= l->later;
	l->track->later -= l->later;
	l->track->whole -= !l->later && l->generation == l->track->generation;
	for (unsigned i = 0; i < l->track->known_count; i++) {
		if (l->track->known[i].seq == seq)
			l->track->known[i].seq = 0;
	}
	return l;
}

/* Asks the line's target again, whole; `first` is kept until then. */
static int line_again(struct trace_shared *s, struct line *l, const struct trace *t)
{
	l->first = copy_of(t);
	if (l->first == NULL)
		return BP_ENOMEM;
	l->first->seq = l->plan_seq;
	l->later = false;
	*s->again_end = l;
	s->again_end = &l->next;
	return 0;
}

static int line_done(struct trace_shared *s, struct line *l, const struct trace *t,
		     struct trace **out)
{
	struct track *k = l->track;
	int rc;

	if (l->later) {
		rc = take_later(s, l, t, out);
	} else {
		rc = take_whole(s, l, t);
		*out = rc == 0 ? copy_of(t) : NULL;
		if (rc == 0 && *out == NULL)
			rc = BP_ENOMEM;
		if (*out != NULL && l->first != NULL)
			add_first(*out, l->first);
	}
	if (*out != NULL)
		(*out)->seq = l->plan_seq;
	/* Traces still out rest on the beginning they were asked by: the next waits for them. */
	if (rc == 0 && k->state == TRACK_LEARNS && k->scout_count == SHARED_SCOUTS && k->later == 0)
		learn(s, k);
	return rc;
}

int trace_shared_take(struct trace_shared *s, const struct trace *t, struct trace **out,
		      struct bp_error *err)
{
	struct line *l = line_take(s, t->seq);
	struct trace *shown = NULL;
	int rc;

	if (s->failed)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	if (l == NULL)
		return bp_fail(err, BP_EPARSE, "borderpath-probe sent a trace nobody asked for");
	rc = line_done(s, l, t, &shown);
	if (rc == 0 && shown == NULL) {
		rc = line_again(s, l, t);
		if (rc == 0)
			l = NULL;
	}
	lines_free(l);
	if (rc < 0) {
		free(shown);
		return bp_fail(err, rc, "out of memory");
	}
	*out = shown;
	return 0;
}

struct trace *trace_shared_left(struct trace_shared *s)
{
	struct line **at = NULL, *l;
	struct trace *t;

	if (s->again != NULL)
		at = &s->again;
	for (unsigned i = 0; at == NULL && i < BUCKETS; i++) {
		for (struct line **x = &s->lines[i]; at == NULL && *x != NULL; x = &(*x)->next)
			at = (*x)->first != NULL ? x : NULL;
	}
	if (at == NULL)
		return NULL;
	l = *at;
	*at = l->next;
	l->next = NULL;
	t = l->first;
	l->first = NULL;
	lines_free(l);
	t->stop = STOP_INTERRUPTED;
	return t;
}

const char *trace_shared_note(struct trace_shared *s)
{
	const char *note = s->note;

	s->note = NULL;
	return note;
}
