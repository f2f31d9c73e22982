// SPDX-License-Identifier: BSD-2-Clause
/* Samples, and what follows from them: see throttle.h. */
#include "prober/engine/throttle.h"

#include <string.h>

/* How much must be seen before it is judged. */
struct rules {
	uint32_t enough;      /* probes in a sample ... */
	uint32_t few;         /* ... or so many in SLOW_NS, where the pace is slow */
	uint32_t lost_least;  /* fewer lost are chance */
	uint32_t floor_pps;   /* never slower */
	uint32_t fast_pps;    /* asked slower than this it is not cut for the first time */
};

static const struct rules rules[] = {
	/* 256 tell 10 % lost from 7 % with one error in twenty-five. Ten routers on a path that
	 * give one answer a second each, as Linux does, are asked that by eleven probes. No link
	 * is slower than fifty small packets a second. */
	[THROTTLE_RUN] = {256, 32, 8, 8, 50},
	/* Linux answers six at once and then one a second (net.ipv4.icmp_ratelimit). One that was
	 * asked less than ten times a second is not too slow for that: it lost for other reasons,
	 * or was taken for another. */
	[THROTTLE_ROUTER] = {64, 8, 4, 1, 10},
};

/* A sample lasts as long at least: buckets on the way fill and drain in bursts, and a rate taken
 * over less is that of a burst. */
#define SPAN_NS (20 * NS_PER_MS)
#define SLOW_NS (2 * NS_PER_S)
/* Slowed, and nothing heard of it for so long and so many probes: it is gone, not slow. */
#define GONE_NS (3 * NS_PER_S)
enum { SILENT_LEAST = 3, TRIAL = 64 };
#define CROWD_NS (200 * NS_PER_MS)
/* A probe of which nothing was heard for so long is settled by nobody any more. */
#define FORGOTTEN_NS (3 * NS_PER_S)
/* An own loss older than the cut that answered it is still ours, if not older than this. */
#define SAME_EVENT_NS (5 * NS_PER_S)

/* One lost in twenty is what traceroute users live with on any path. */
static const float margin = 0.05f;
/* What got through at the old pace is what fits: a little less, so that the queue drains. Never
 * less than a sixteenth in one step: a sample in a burst may exaggerate. */
static const float cut_most = 1 / 16.0f, cut_least = 0.8f;
/* A cut has helped when the share that gets through is a quarter higher, or a third less lost. */
static const float gain_kept = 1.25f, gain_least = 0.02f, gain_lost = 0.67f;
/* How much a sample counts for what is tolerated. */
static const float follow = 1 / 16.0f;
/* A second's growth, as a share of the pace after the last cut. */
static const double growth = 0.2;

static void begin_sample(struct throttle *t, struct mono now)
{
	t->begun = t->ended = t->from = t->to = now;
	t->doubt.ns = 0;
	t->sent = t->told = t->passed = t->answered = t->late = t->lost = 0;
	t->open = true;
}

void throttle_init(struct throttle *t, enum throttle_kind kind, struct mono now)
{
	memset(t, 0, sizeof(*t));
	t->kind = (uint8_t)kind;
	t->kept = -1;
	t->cut_at.ns = INT64_MIN;
	t->answered_at = now;
	begin_sample(t, now);
}

static int64_t longer(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Probes a second as an interval, and no slower than the floor. */
static int64_t interval_of(const struct throttle *t, double pps)
{
	double floor_pps = rules[t->kind].floor_pps;

	return (int64_t)((double)NS_PER_S / (pps > floor_pps ? pps : floor_pps));
}

uint32_t throttle_pps(const struct throttle *t)
{
	return t->interval_ns > 0 ? (uint32_t)(NS_PER_S / t->interval_ns) : 0;
}

/* Whether `bad` of `n` probes are more than what is lost anyway, and more than two standard
 * deviations of that (its variance is at most floor * n). */
static bool too_much(const struct throttle *t, uint32_t bad, uint32_t n)
{
	float floor = t->tolerated > t->background ? t->tolerated : t->background;
	float more = (float)bad - (floor + margin) * (float)n;

	return bad >= rules[t->kind].lost_least && more > 0 && more * more > 4 * floor * (float)n;
}

static void go_back(struct throttle *t, float lost)
{
	t->interval_ns = 0;
	t->kept = -1;
	t->fruitless = 0;
	t->tolerated = lost;
	t->cut_at.ns = INT64_MIN;
}

/* As really sent, those that nobody was to answer too. */
static double sent_pps(const struct throttle *t)
{
	int64_t took = longer(mono_since(t->ended, t->begun), SPAN_NS);

	return (double)(t->sent + t->passed) * (double)NS_PER_S / (double)took;
}

/* Whether a series of cuts may begin: what answers nothing at all is gone, not slow. */
static bool may_begin(const struct throttle *t)
{
	return t->interval_ns > 0 ||
	       (t->answered + t->late > 0 && sent_pps(t) >= rules[t->kind].fast_pps);
}

static void cut(struct throttle *t, float share, struct mono now)
{
	int64_t heard = longer(mono_since(t->heard_to, t->heard_from), SPAN_NS);
	double all = (double)(t->sent + t->passed), pps = sent_pps(t), lowered;

	if (t->kept < 0)
		t->fruitless = 0;
	if (t->interval_ns == 0)
		t->high_ns = interval_of(t, pps);
	lowered = pps * (share < cut_most ? cut_most : share > cut_least ? cut_least : share);
	/* With a queue full nothing is lost yet, and what comes out of it is what fits. */
	if (t->late > t->lost)
		lowered = (double)(t->answered + t->late) * all / (double)t->sent *
			  (double)NS_PER_S / (double)heard / 2;
	/* A pace that was not used up tells nothing new: still less than that. */
	if (t->interval_ns > 0 && lowered * (double)t->interval_ns > cut_least * (double)NS_PER_S)
		lowered = cut_least * (double)NS_PER_S / (double)t->interval_ns;
	t->fits_ns = share > cut_most ? interval_of(t, pps * share) : 0;
	t->interval_ns = t->cut_ns = interval_of(t, lowered);
	t->kept = share;
	t->cut_at = t->recovered = t->faster_at = now;
	t->cuts++;
}

/* The pace is where nothing is known of what fits: not near what did. */
static bool beyond_fits(const struct throttle *t)
{
	return t->fits_ns == 0 || 3 * t->interval_ns < 2 * t->fits_ns;
}

/* Everything that can be known of the sample is. */
static void judge(struct throttle *t, struct mono now)
{
	uint32_t n = t->answered + t->late + t->lost, bad = t->late + t->lost;
	float share = n > 0 ? (float)(n - bad) / (float)n : 1;
	bool gained = share >= gain_kept * t->kept + gain_least ||
		      1 - share <= gain_lost * (1 - t->kept);

	if (t->interval_ns > 0 && t->silent >= SILENT_LEAST &&
	    mono_since(now, t->answered_at) > GONE_NS) {
		go_back(t, 1);
	} else if (!too_much(t, bad, n) || (t->kept < 0 && !may_begin(t))) {
		/* What is tolerated follows what happens, and is forgotten when nothing does. */
		if (n >= rules[t->kind].few)
			t->tolerated += (1 - share - t->tolerated) * follow *
					(t->tolerated > 0);
		t->kept = -1;
		/* Once more without loss: grow faster. A pace that was cut for nothing is back
		 * soon, and one that was not is cut again. */
		if (n >= rules[t->kind].few && t->cut_ns > 1 && beyond_fits(t) &&
		    mono_since(now, t->faster_at) >= NS_PER_S / 2) {
			t->cut_ns /= 2;
			t->faster_at = now;
		}
		/* What got through once is likely to again: up to there by doubling. */
		if (t->interval_ns > 2 * t->fits_ns && t->fits_ns > 0)
			t->interval_ns /= 2;
	} else {
		t->fruitless = (uint8_t)(t->kept < 0 || gained ? 0 : t->fruitless + 1);
		if (t->fruitless >= THROTTLE_FRUITLESS)
			go_back(t, 1 - share);
		else
			cut(t, share, now);
	}
	begin_sample(t, now);
}

/* Closes the sample when it has enough, and judges it when all its probes are settled. Where all
 * sent so far is settled, more will not come before something is decided. */
static void look(struct throttle *t, struct mono now)
{
	const struct rules *r = &rules[t->kind];
	uint32_t settled = t->answered + t->late + t->lost;
	int64_t age = mono_since(now, t->begun);
	/* Probes are known again by when they left: a batch is of the sample whole or not at all.
	 * Else answers to the rest of it would stand in for losses, which are known later. */
	bool may_close = t->open && mono_since(now, t->to) > 0;

	if (may_close && ((t->sent - t->told >= r->enough && age >= SPAN_NS) ||
			(t->sent >= r->few && age >= SLOW_NS)))
		t->open = false;
	/* Repeats wait for a decision after a trial (throttle_suspects), and nothing else came. */
	if (may_close && t->kept >= 0 && settled == t->sent && t->sent - t->told >= TRIAL)
		t->open = false;
	/* Losses come in crowds, after the answers: the rest of this one is waited for. */
	if (may_close && settled == t->sent && t->sent >= r->few &&
	    too_much(t, t->late + t->lost, settled)) {
		if (t->doubt.ns == 0)
			t->doubt = now;
		if (mono_since(now, t->lost_at) >= SPAN_NS ||
		    mono_since(now, t->doubt) >= CROWD_NS)
			t->open = false;
	}
	if (!t->open && (settled >= t->sent || mono_since(now, t->ended) > FORGOTTEN_NS))
		judge(t, now);
}

void throttle_sent(struct throttle *t, struct mono now)
{
	look(t, now);
	if (!t->open)
		return;
	if (t->sent == 0)
		t->begun = now;
	t->sent++;
	t->ended = t->to = now;
}

static bool in_sample(const struct throttle *t, struct mono sent)
{
	return t->sent > t->told && sent.ns >= t->from.ns && sent.ns <= t->to.ns;
}

static void recover(struct throttle *t, struct mono now)
{
	int64_t past = mono_since(now, t->recovered);
	double pps;

	if (t->interval_ns == 0 || past <= 0)
		return;
	/* Not while losses are being looked into. */
	if (too_much(t, t->late + t->lost, t->answered + t->late + t->lost)) {
		t->recovered = now;
		return;
	}
	pps = (double)NS_PER_S / (double)t->interval_ns + growth * (double)past / (double)t->cut_ns;
	t->recovered = now;
	t->interval_ns = (int64_t)((double)NS_PER_S / pps);
	/* Faster than where the trouble began: the pace is nobody's limit any more. */
	if (t->interval_ns < t->high_ns)
		t->interval_ns = 0;
}

static void add_answer(struct throttle *t, bool late, struct mono now)
{
	if (t->answered + t->late == 0)
		t->heard_from = now;
	t->heard_to = now;
	t->late += late;
	t->answered += !late;
}

static void add_loss(struct throttle *t, struct mono now)
{
	t->lost++;
	t->lost_at = now;
}

void throttle_answered(struct throttle *t, struct mono sent, bool late, struct mono now)
{
	if (!late)
		recover(t, now);
	t->answered_at = now;
	t->silent = 0;
	if (in_sample(t, sent)) {
		add_answer(t, late, now);
		look(t, now);
	} else if (!late) {
		throttle_told(t, sent, true, now);
	}
}

void throttle_lost(struct throttle *t, struct mono sent, struct mono now)
{
	/* No growth for the time in which probes were lost. */
	t->recovered = now;
	t->silent++;
	if (t->interval_ns > 0 && t->silent >= SILENT_LEAST &&
	    mono_since(now, t->answered_at) > GONE_NS) {
		judge(t, now);
		return;
	}
	if (in_sample(t, sent)) {
		add_loss(t, now);
		look(t, now);
	} else if (!t->open && sent.ns >= t->to.ns && t->sent > 0) {
		/* Younger than all the sample and lost already: those still open are lost too. */
		t->lost = t->sent - t->answered - t->late;
		judge(t, now);
	} else {
		/* It left while a sample was settled: a burst may be over by then. */
		throttle_told(t, sent, false, now);
	}
}

void throttle_told(struct throttle *t, struct mono sent, bool answered, struct mono now)
{
	if (!t->open || (t->cut_at.ns != INT64_MIN && sent.ns <= t->cut_at.ns))
		return;
	if (t->sent == 0)
		t->begun = t->ended = sent;
	t->begun = mono_min(t->begun, sent);
	if (sent.ns > t->ended.ns)
		t->ended = sent;
	t->sent++;
	t->told++;
	if (answered)
		add_answer(t, false, now);
	else
		add_loss(t, now);
	look(t, now);
}

void throttle_forgotten(struct throttle *t, struct mono sent, struct mono now)
{
	if (!in_sample(t, sent))
		return;
	t->sent--;
	look(t, now);
}

float throttle_loss(const struct throttle *t)
{
	uint32_t n = t->answered + t->late + t->lost;
	float seen = n >= rules[t->kind].few ? (float)t->lost / (float)n : 0;

	if (t->kept >= 0 && 1 - t->kept > seen)
		seen = 1 - t->kept;
	return seen > t->tolerated ? seen : t->tolerated;
}

/* What is known of the sample would lead to a cut. */
static bool suspicious(const struct throttle *t)
{
	uint32_t n = t->answered + t->late + t->lost;

	return t->sent >= rules[t->kind].few && too_much(t, t->late + t->lost, n) &&
	       (t->kept >= 0 || may_begin(t));
}

bool throttle_suspects(struct throttle *t, struct mono now)
{
	look(t, now);
	return suspicious(t) || (t->kept >= 0 && t->sent - t->told >= TRIAL);
}

bool throttle_is_cause(const struct throttle *t, struct mono sent)
{
	if (t->cut_at.ns != INT64_MIN && sent.ns <= t->cut_at.ns &&
	    mono_since(t->cut_at, sent) < SAME_EVENT_NS)
		return true;
	/* A pace that is in force is there because this limits. */
	return t->interval_ns > 0 || suspicious(t);
}
