// SPDX-License-Identifier: BSD-2-Clause
/*
 * The state machine of one traceroute. Two rounds: a survey sends each TTL's first attempt until
 * the end of the path is known or silence says there is no more; then the further attempts follow,
 * spread, and only up to that end. An answer that lengthens the path reopens the survey.
 * Refuses packets, sockets and clocks: everything arrives as an argument.
 */
#include "prober/engine/tracer.h"

#include <string.h>

#include "prober/engine/tracer_inside.h"
#include "prober/engine/wait.h"

enum { AHEAD_DEFAULT = 16 };

/* HOP_AGAIN: in the upper half, how many attempts more than the plan's. */
enum { HOP_DEFERRED = 1, HOP_OVERDUE = 2, HOP_SILENT = 4, HOP_UNTOLD = 8, HOP_AGAIN = 16 };

/* How far the path goes, as far as the answers tell. */
struct extent {
	int far;           /* last TTL whose answer lengthened the path; first_ttl - 1: none */
	int end;           /* last TTL that may still belong to the path */
	enum stop because; /* why the trace will end there */
};

static int at_most(int a, int b)
{
	return a < b ? a : b;
}

static int at_least(int a, int b)
{
	return a > b ? a : b;
}

static int64_t clamp(int64_t x, int64_t low, int64_t high)
{
	return x < low ? low : x > high ? high : x;
}

static struct mono never(void)
{
	return (struct mono){INT64_MAX};
}

/* --- waits ------------------------------------------------------------------------------------ */

/* Whether an answer has come back from farther away to a probe that left after this TTL's last one,
 * or hardly before it: it has stood in the same queues. What they can have grown by since is within
 * what the wait allows for anyhow. */
static bool overtaken(const struct tracer *t, int ttl)
{
	for (int far = ttl + 1; far <= t->heard; far++) {
		const struct tracer_hop *h = &t->hops[far];

		if (h->sent && (h->answered & 1u << (h->sent - 1)) &&
		    mono_since(h->last, t->hops[ttl].last) > -10 * NS_PER_MS)
			return true;
	}
	return false;
}

/*
 * How long an unanswered attempt at this TTL is waited for. Where our own probes queue on the way
 * the RTTs grow while we wait: the slack is what others of this run have seen of that. A probe that
 * was overtaken has it in the RTTs of its own trace, and a hop that is silent by nature must not
 * hold a bulk run up by the queues that the run makes.
 */
static int64_t wait_ns(const struct tracer *t, int ttl)
{
	int64_t wait = wait_for_answer(t->rtt_max_ns, ttl <= t->heard, t->config.wait_ns);

	if (t->slack_ns > 0 && !overtaken(t, ttl))
		wait += t->slack_ns;
	return clamp(wait, 0, t->config.wait_ns);
}

/*
 * Between attempts at one TTL. Routers limit their ICMP errors by buckets of many makes: Linux
 * gives 6 and then one a second, which no spacing under a second helps; for those that give some
 * tens a second 80 ms is enough. Half an RTT keeps three attempts within one RTT of each other, so
 * that spreading them never decides how long a trace takes; 5 ms still separates them on a local
 * network.
 */
static int64_t spacing_ns(const struct tracer *t)
{
	if (t->rtt_max_ns < 0)
		return 80 * NS_PER_MS;
	return clamp(t->rtt_max_ns / 2, 5 * NS_PER_MS, 80 * NS_PER_MS);
}

/* Attempts that this TTL may have. */
static unsigned allowed(const struct tracer *t, int ttl)
{
	return t->config.attempts + t->hops[ttl].marks / HOP_AGAIN;
}

/*
 * Before the next attempt at this TTL. One that was lost to our own speed is asked again slower.
 * The last TTLs of a path are waited for half a second, and only then is it known that the first
 * repeat was too fast as well: the second leaves after that.
 */
static int64_t pause_ns(const struct tracer *t, int ttl)
{
	static const int64_t again_ms[TRACER_AGAIN_MAX] = {100, 800, 3200};
	int over = t->hops[ttl].sent - t->config.attempts;

	if (over < 0 || over >= TRACER_AGAIN_MAX)
		return spacing_ns(t);
	return again_ms[over] * NS_PER_MS;
}

static uint16_t attempts_mask(unsigned n)
{
	return (uint16_t)((1u << n) - 1);
}

/* Some attempt at this TTL is neither answered, nor refused, nor given up. */
static bool outstanding(const struct tracer_hop *h)
{
	return attempts_mask(h->sent) & ~attempts_mask(h->closed) & ~(h->answered | h->refused);
}

struct mono tracer_deadline(const struct tracer *t, int ttl)
{
	return mono_add(t->hops[ttl].last, wait_ns(t, ttl));
}

static bool waiting(const struct tracer *t, int ttl, struct mono now)
{
	return outstanding(&t->hops[ttl]) && !mono_reached(now, tracer_deadline(t, ttl));
}

/* --- the extent of the path ------------------------------------------------------------------- */

/* Whether the router that says no at this TTL has said so nearer already. */
static bool said_no_before(const struct tracer *t, int ttl)
{
	for (int near = ttl - 1; near >= t->config.first_ttl; near--)
		if ((t->hops[near].said & SAID_NO) &&
		    tracer_same_router(&t->hops[near], &t->hops[ttl]))
			return true;
	return false;
}

/* One router that refuses at TTL after TTL is one hop, and the TTLs behind it are as good as
 * silent: a filter on the way to North Korea did so for all the rest of them (trace of 2019). */
static bool lengthens(const struct tracer *t, int ttl)
{
	unsigned said = t->hops[ttl].said;

	if (said & (SAID_TTL_EXCEEDED | SAID_DESTINATION))
		return true;
	return said && !said_no_before(t, ttl);
}

static struct extent extent_of(const struct tracer *t)
{
	const struct tracer_config *c = &t->config;
	int far = t->heard;

	while (far >= c->first_ttl && !lengthens(t, far))
		far--;
	if (far < c->first_ttl)
		far = c->first_ttl - 1;
	if (t->destination)
		return (struct extent){far, t->destination, STOP_REACHED};
	if (t->loop)
		return (struct extent){far, t->loop, STOP_LOOP};
	if (far >= c->first_ttl && t->hops[far].said == SAID_UNREACHABLE)
		return (struct extent){far, far, STOP_UNREACHABLE};
	if (c->gap_limit && far + c->gap_limit <= c->max_ttl)
		return (struct extent){far, far + c->gap_limit, STOP_GAP_LIMIT};
	return (struct extent){far, c->max_ttl, STOP_MAX_TTL};
}

/* Whether the destination is still expected at config.length. */
static bool length_holds(const struct tracer *t, struct mono now)
{
	int at = t->config.length;

	return at && (!t->hops[at].sent || waiting(t, at, now));
}

/*
 * Highest TTL whose first attempt may go out. At the start `ahead` TTLs at once, so that a usual
 * path takes one RTT; later never further than the end, and `ahead` beyond the last TTL that
 * answered or, without a gap limit, was given up. Where others of the run have shown how long the
 * path is, nothing beyond it: those probes would all go to the destination, over the whole path. A
 * target that is down then costs one wait more.
 */
static int survey_limit(const struct tracer *t, const struct extent *e, struct mono now)
{
	const struct tracer_config *c = &t->config;
	int base = e->far;

	if (e->because == STOP_REACHED || e->because == STOP_LOOP || e->because == STOP_UNREACHABLE)
		return e->end;
	if (length_holds(t, now))
		return c->length;
	while (base < t->top && t->hops[base + 1].sent && !waiting(t, base + 1, now))
		base++;
	return at_most(c->max_ttl,
		       at_least(c->first_ttl + c->ahead - 1, at_most(e->end, base + c->ahead)));
}

/* --- deciding --------------------------------------------------------------------------------- */

static void finish(struct tracer *t, enum stop why, int last_ttl)
{
	t->stop = (uint8_t)why;
	t->last_ttl = (uint8_t)last_ttl;
	t->offer_ttl = 0;
}

static void offer(struct tracer *t, int ttl)
{
	t->offer_ttl = (uint8_t)ttl;
	t->offer_attempt = (uint8_t)(t->hops[ttl].sent + 1);
}

/* Notes newly overdue TTLs, so that pacing can be told: a router may have fallen silent. */
static void note_overdue(struct tracer *t, struct mono now)
{
	for (int ttl = t->config.first_ttl; ttl <= t->top; ttl++) {
		struct tracer_hop *h = &t->hops[ttl];

		if ((h->marks & HOP_OVERDUE) || !outstanding(h) || waiting(t, ttl, now))
			continue;
		h->marks |= HOP_OVERDUE;
		if (!(h->marks & HOP_UNTOLD)) {
			h->marks |= HOP_UNTOLD;
			t->overdue++;
		}
		if (ttl <= t->heard && !(h->said & SAID_DESTINATION) && !(h->marks & HOP_SILENT)) {
			h->marks |= HOP_SILENT;
			t->silent++;
		}
	}
}

static void end_deferral(struct tracer *t, struct mono now)
{
	if (!mono_reached(now, t->deferred))
		return;
	for (int ttl = t->config.first_ttl; ttl <= t->config.max_ttl; ttl++)
		t->hops[ttl].marks &= (uint8_t)~HOP_DEFERRED;
	t->deferred = never();
}

/* The k-th TTL of the survey: turned, as the caller spreads its targets' load. */
static int survey_ttl(const struct tracer_config *c, int k)
{
	return c->first_ttl + (k < c->turn_span ? (k + c->turn) % c->turn_span : k);
}

/*
 * The first round. Returns whether it still goes on: a first attempt was offered, is deferred, or
 * is out where its answer could lengthen the path.
 */
static bool survey(struct tracer *t, const struct extent *e, struct mono now)
{
	const struct tracer_config *c = &t->config;
	int limit = survey_limit(t, e, now);
	int last = at_least(limit - c->first_ttl, c->turn_span - 1);
	bool open = false;

	for (int k = 0; k <= last; k++) {
		int ttl = survey_ttl(c, k);

		if (ttl > limit || t->hops[ttl].sent)
			continue;
		if (!(t->hops[ttl].marks & HOP_DEFERRED)) {
			offer(t, ttl);
			return true;
		}
		open = true;
	}
	if (e->because == STOP_REACHED)
		return open;
	for (int ttl = e->far + 1; ttl <= t->top && !open; ttl++)
		open = t->hops[ttl].sent == 1 && waiting(t, ttl, now);
	return open;
}

/* Whether attempts are still owed to this TTL. */
static bool owed(const struct tracer *t, const struct extent *e, int ttl)
{
	const struct tracer_hop *h = &t->hops[ttl];

	/* Beyond `far` an answer is a refusal heard before: asking again adds load, not news. */
	return h->sent < allowed(t, ttl) && !(ttl > e->far && h->said);
}

/*
 * The second round: the TTL with the fewest attempts, of those the nearest, when its previous
 * attempt is over or the path is known to reach that far. Returns whether any is owed still.
 */
static bool repeat(struct tracer *t, const struct extent *e, struct mono now)
{
	bool any = false;
	int best = 0;

	for (int ttl = t->config.first_ttl; ttl <= e->end; ttl++) {
		const struct tracer_hop *h = &t->hops[ttl];
		struct mono due = mono_add(h->last, pause_ns(t, ttl));

		if (!owed(t, e, ttl))
			continue;
		any = true;
		if ((h->marks & HOP_DEFERRED) || (ttl > t->heard && waiting(t, ttl, now)))
			continue;
		if (t->config.one_at_end && ttl == t->destination && waiting(t, ttl, now))
			continue;
		if (!mono_reached(now, due))
			t->wake = mono_min(t->wake, due);
		else if (!best || h->sent < t->hops[best].sent)
			best = ttl;
	}
	if (best)
		offer(t, best);
	return any;
}

/* Whether an answer is still waited for; sets the time to look again. Once the destination has
 * answered, TTLs beyond it are of no interest. */
static bool await(struct tracer *t, const struct extent *e, struct mono now)
{
	int last = e->because == STOP_REACHED ? e->end : t->top;
	bool any = false;

	for (int ttl = t->config.first_ttl; ttl <= last; ttl++) {
		if (!waiting(t, ttl, now))
			continue;
		any = true;
		t->wake = mono_min(t->wake, tracer_deadline(t, ttl));
	}
	return any;
}

/*
 * An answer in the destination's name from nearer than itself (an injected reset, a proxy) comes
 * before the words of the routers that give it away, which the same probe and those sent ahead of
 * it still draw. They are waited for as long again as the path has taken, from 2 to 10 ms: the path
 * behind, and those routers' slow path. Further attempts take as long anyhow, so it is a trace of
 * one attempt that this makes longer.
 */
static bool contradictable(struct tracer *t, const struct extent *e, struct mono now)
{
	int64_t wait = clamp(t->rtt_max_ns, 2 * NS_PER_MS, 10 * NS_PER_MS);
	struct mono over = mono_add(t->reached, wait);

	if (e->because != STOP_REACHED || mono_reached(now, over))
		return false;
	t->wake = mono_min(t->wake, over);
	return true;
}

static int last_ttl_when_cut(const struct tracer *t)
{
	struct extent e = extent_of(t);

	return at_most(e.end, t->top);
}

static void decide(struct tracer *t, struct mono now)
{
	struct mono over =
		t->config.budget_ns > 0 ? mono_add(t->start, t->config.budget_ns) : never();
	struct extent e = extent_of(t);
	bool more;

	t->offer_ttl = 0;
	end_deferral(t, now);
	note_overdue(t, now);
	t->wake = mono_min(over, t->deferred);
	more = await(t, &e, now);
	if (survey(t, &e, now))
		more = true;
	else if (repeat(t, &e, now))
		more = true;
	if (!more && !contradictable(t, &e, now))
		finish(t, e.because, e.end);
	else if (mono_reached(now, over)) {
		finish(t, STOP_TIMEOUT, last_ttl_when_cut(t));
		t->ended = true;
	}
	if (t->offer_ttl)
		t->wake = over;
	t->settled = true;
}

/* --- the interface ---------------------------------------------------------------------------- */

void tracer_init(struct tracer *t, struct tracer_hop *rows, const struct tracer_config *c,
		 struct mono now)
{
	memset(t, 0, sizeof(*t));
	t->hops = rows;
	t->config = *c;
	t->config.first_ttl = (uint8_t)at_least(c->first_ttl, 1);
	t->config.max_ttl = (uint8_t)at_least(c->max_ttl, t->config.first_ttl);
	t->config.attempts = (uint8_t)clamp(c->attempts, 1, TRACER_ATTEMPTS_MAX);
	t->config.wait_ns = clamp(c->wait_ns, NS_PER_MS, 3600 * NS_PER_S);
	t->config.ahead = c->ahead ? c->ahead : AHEAD_DEFAULT;
	if (c->length < t->config.first_ttl || c->length > t->config.max_ttl)
		t->config.length = 0;
	if (c->turn_span > t->config.max_ttl - t->config.first_ttl + 1)
		t->config.turn_span = 0;
	memset(t->hops, 0, (t->config.max_ttl + 1u) * sizeof(t->hops[0]));
	t->start = now;
	t->deferred = never();
	t->rtt_max_ns = -1;
}

struct tracer_step tracer_next(struct tracer *t, struct mono now)
{
	if (!t->stop && (!t->settled || mono_reached(now, t->wake)))
		decide(t, now);
	if (t->stop)
		return (struct tracer_step){.want = TRACER_DONE};
	if (t->offer_ttl)
		return (struct tracer_step){.want = TRACER_SEND,
					    .ttl = t->offer_ttl,
					    .attempt = t->offer_attempt};
	return (struct tracer_step){.want = TRACER_WAIT, .until = t->wake};
}

/* The next attempt at this TTL is on its way, or was refused at the door. */
static bool departed(struct tracer *t, uint8_t ttl, uint8_t attempt, struct mono at)
{
	struct tracer_hop *h = &t->hops[ttl];

	if (!tracer_in_range(t, ttl) || attempt != h->sent + 1 || attempt > allowed(t, ttl))
		return false;
	/* The wait starts anew with this attempt; what was overdue by then stays so. */
	if (h->sent && !waiting(t, ttl, at))
		h->closed = h->sent;
	h->sent = attempt;
	h->last = at;
	h->marks &= (uint8_t)~HOP_OVERDUE;
	t->top = (uint8_t)at_least(t->top, ttl);
	t->settled = false;
	return true;
}

void tracer_sent(struct tracer *t, uint8_t ttl, uint8_t attempt, struct mono at)
{
	departed(t, ttl, attempt, at);
}

void tracer_not_sent(struct tracer *t, uint8_t ttl, uint8_t attempt, struct mono at)
{
	departed(t, ttl, attempt, at);
	if (!tracer_in_range(t, ttl) || attempt < 1 || attempt > t->hops[ttl].sent)
		return;
	t->hops[ttl].refused |= (uint16_t)(1u << (attempt - 1));
	t->settled = false;
}

void tracer_defer(struct tracer *t, uint8_t ttl, struct mono until)
{
	if (!tracer_in_range(t, ttl))
		return;
	t->hops[ttl].marks |= HOP_DEFERRED;
	t->deferred = mono_min(t->deferred, until);
	t->settled = false;
}

bool tracer_take_silent(struct tracer *t, uint8_t *out)
{
	if (!t->silent)
		return false;
	for (int ttl = t->config.first_ttl; ttl <= t->top; ttl++) {
		if (!(t->hops[ttl].marks & HOP_SILENT))
			continue;
		t->hops[ttl].marks &= (uint8_t)~HOP_SILENT;
		t->silent--;
		*out = (uint8_t)ttl;
		return true;
	}
	return false;
}

bool tracer_take_overdue(struct tracer *t, uint8_t *out)
{
	if (!t->overdue)
		return false;
	for (int ttl = t->config.first_ttl; ttl <= t->top; ttl++) {
		if (!(t->hops[ttl].marks & HOP_UNTOLD))
			continue;
		t->hops[ttl].marks &= (uint8_t)~HOP_UNTOLD;
		t->overdue--;
		*out = (uint8_t)ttl;
		return true;
	}
	return false;
}

bool tracer_again(struct tracer *t, uint8_t ttl, struct mono now)
{
	struct tracer_hop *h = &t->hops[ttl];

	if (!tracer_in_range(t, ttl) || t->ended || !h->sent || h->answered ||
	    h->sent < allowed(t, ttl) || h->marks / HOP_AGAIN >= TRACER_AGAIN_MAX)
		return false;
	h->marks += HOP_AGAIN;
	t->stop = STOP_UNKNOWN;
	/* Losses come in crowds; by then the caller knows how large this one was. */
	tracer_defer(t, ttl, mono_add(now, 60 * NS_PER_MS));
	return true;
}

void tracer_slack(struct tracer *t, int64_t ns)
{
	/* Less of it is no news until the next wait ends. */
	if (ns > t->slack_ns)
		t->settled = false;
	t->slack_ns = ns;
}

void tracer_stop(struct tracer *t, enum stop why)
{
	if (!t->stop)
		finish(t, why, last_ttl_when_cut(t));
	t->ended = true;
}

enum stop tracer_stop_reason(const struct tracer *t)
{
	return t->stop;
}

uint8_t tracer_last_ttl(const struct tracer *t)
{
	return t->last_ttl;
}
