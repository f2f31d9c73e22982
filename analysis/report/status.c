// SPDX-License-Identifier: BSD-2-Clause
/* One state, some lines, one table. */
#include "analysis/report/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/report/table.h"
#include "analysis/report/trace_text.h"
#include "analysis/words.h"

const struct word status_state_words[] = {
	{"unknown", STATUS_UNKNOWN}, {"ok", STATUS_OK}, {"starting", STATUS_STARTING},
	{"waiting", STATUS_WAITING}, {"offline", STATUS_OFFLINE}, {"stale", STATUS_STALE},
	{"never", STATUS_NEVER}, {"over", STATUS_OVER}, {NULL, 0}};

static const int stale_rounds = 3;
/* Lines of one message. */
static const unsigned changes_max = 64;
/* A round that has just ended is about to be committed. */
static const int64_t waiting_ns = 60 * NS_PER_S;

void status_count_round(struct status_rounds *d, const struct round *r)
{
	if (r->look) {
		d->looks++;
		return;
	}
	d->measurements += r->done;
	d->lost += r->missed;
	if (r->done > 0) {
		d->measured++;
		return;
	}
	d->missed++;
	if (r->why < STATUS_WHY_COUNT)
		d->missed_why[r->why]++;
}

static bool waiting(const struct status *s)
{
	return s->spool_rounds > 0 &&
	       (s->pid == 0 || s->now.ns - s->spool_oldest.ns > waiting_ns);
}

enum status_state status_state(const struct status *s)
{
	if (!s->measured_known && waiting(s))
		return STATUS_WAITING;
	if (!s->measured_known)
		return s->over ? STATUS_OVER : s->pid != 0 && !s->last_known ? STATUS_STARTING :
		       s->last_known ? STATUS_STALE : STATUS_NEVER;
	if (s->over)
		return waiting(s) ? STATUS_WAITING : STATUS_OVER;
	if (s->now.ns - s->measured.planned.ns > stale_rounds * s->every_ns)
		return STATUS_STALE;
	if (s->last.health == ROUND_HEALTH_OFFLINE || s->last.why == ROUND_WHY_OFFLINE)
		return STATUS_OFFLINE;
	return waiting(s) ? STATUS_WAITING : STATUS_OK;
}

void status_put_moment(struct buf *out, struct wall at, struct wall now)
{
	double seconds = (double)(at.ns - now.ns) / 1e9;

	if (seconds > -1 && seconds < 1) {
		buf_str(out, seconds < 0 ? "just now" : "now");
	} else if (seconds > 0) {
		buf_str(out, "in ");
		duration_put(out, seconds);
	} else {
		duration_put(out, -seconds);
		buf_str(out, " ago");
	}
}

static void put_label(struct buf *out, const struct style *style, const char *label)
{
	style_face(out, style, FACE_DIM);
	buf_printf(out, "  %-10s ", label);
	style_end(out, style);
}

static void put_when(struct buf *out, struct wall at, struct wall now)
{
	char text[WALL_TEXT];

	buf_str(out, wall_format_short(at, text));
	buf_str(out, ", ");
	status_put_moment(out, at, now);
}

/* "down 1, clock_step 2" */
static void put_reasons(struct buf *out, const uint32_t why[STATUS_WHY_COUNT])
{
	const char *between = "";

	for (unsigned i = 0; i < STATUS_WHY_COUNT; i++) {
		if (why[i] == 0)
			continue;
		buf_printf(out, "%s%s %u", between, word_of(round_why_words, (int)i), why[i]);
		between = ", ";
	}
}

static void put_health(struct buf *out, const struct round *r)
{
	static const char *const says[] = {
		[ROUND_HEALTH_UNKNOWN] = "no word on the vantage point's health",
		[ROUND_HEALTH_OK] = "vantage healthy", [ROUND_HEALTH_PARTIAL] = "vantage partly healthy",
		[ROUND_HEALTH_OFFLINE] = "vantage offline"};

	buf_str(out, r->health <= ROUND_HEALTH_OFFLINE ? says[r->health] : "?");
	if (r->reference_asked > 0)
		buf_printf(out, " (%u of %u reference hosts answered)", r->reference_answered,
			   r->reference_asked);
}

void status_put_round(struct buf *out, const struct style *style, const struct round *r)
{
	bool bad = r->missed > 0 || r->health == ROUND_HEALTH_OFFLINE;

	if (bad)
		style_face(out, style, FACE_WARN);
	if (r->start.ns == 0 && r->done == 0)
		buf_str(out, "missed");
	else
		buf_printf(out, "%u of %u measured", r->done, r->expected);
	if (r->missed > 0)
		buf_printf(out, " (%s)", word_of(round_why_words, r->why));
	if (bad)
		style_end(out, style);
	if (r->start.ns == 0 && r->done == 0)
		return;
	buf_str(out, ", ");
	put_health(out, r);
	if (r->clock_stepped)
		buf_str(out, ", the clock was set while it ran");
	if (r->drops > 0)
		buf_printf(out, ", %lld packets dropped by the kernel", (long long)r->drops);
}

void status_put_identity(struct buf *out, const struct style *style, const struct round *r)
{
	struct addr shown = addr_is_set(r->public_addr) ? r->public_addr : r->source;
	const char *between = "";
	struct buf text;
	char addr[ADDR_TEXT];

	buf_init(&text);
	if (addr_is_set(shown)) {
		buf_printf(&text, "%s", addr_format(shown, addr));
		between = ", ";
	}
	if (r->egress_asn != 0) {
		buf_str(&text, between);
		words_carrier(&text, r->egress_org, r->egress_asn, "");
		between = ", ";
	}
	if (r->transit_asn != 0) {
		buf_printf(&text, "%scarried on by ", between);
		words_carrier(&text, r->transit_org, r->transit_asn, "");
	}
	style_text(out, style, text.used > 0 ? text.bytes : "not known yet");
	out->failed |= text.failed;
	buf_fini(&text);
}

const char *status_border(const struct profile *p, const struct standing_round *n)
{
	return n->failed ? "not measured" : n->outcome == OUTCOME_BORDER ?
	       words_border(p, n->border) : word_of(outcome_words, n->outcome);
}

static void append(char *cell, size_t size, const char *text)
{
	size_t used = strlen(cell);

	snprintf(cell + used, size - used, "%s%s", used > 0 ? ", " : "", text);
}

void status_put_change(char *cell, size_t size, const struct standing_row *r,
		       const struct profile *p)
{
	struct standing_round before = {.outcome = r->was.outcome};
	char text[TABLE_CELL];

	text_set(before.border, sizeof(before.border), r->was.border);
	if (r->changed & STANDING_BORDER) {
		snprintf(text, sizeof(text), "was %s", status_border(p, &before));
		append(cell, size, text);
	}
	if (r->changed & STANDING_REACH)
		append(cell, size, r->now.reach == REACH_REACHED ? "answers again" :
		       "no longer answers");
	if (r->changed & STANDING_RTT) {
		snprintf(text, sizeof(text), "%+.1f ms",
			 (double)(r->now.rtt_median_ns - r->before.rtt_median_ns) / 1e6);
		append(cell, size, text);
	}
	if (r->changed & STANDING_PATH)
		append(cell, size, "other path");
}

static void put_state(struct buf *out, const struct style *style, const struct status *s)
{
	static const struct { enum style_face face; const char *text; } says[] = {
		[STATUS_UNKNOWN] = {FACE_PLAIN, "unknown"},
		[STATUS_OK] = {FACE_GOOD, "as planned"},
		[STATUS_STARTING] = {FACE_PLAIN, "started, no round is finished yet"},
		[STATUS_WAITING] = {FACE_WARN, "rounds wait for the store"},
		[STATUS_OFFLINE] = {FACE_WARN, "the vantage point is offline"},
		[STATUS_STALE] = {FACE_BAD, "stale: nothing was measured for three rounds or more"},
		[STATUS_NEVER] = {FACE_BAD, "never ran"},
		[STATUS_OVER] = {FACE_PLAIN, "over: its `until` has passed"},
	};
	enum status_state state = status_state(s);

	style_face(out, style, FACE_BOLD);
	style_text(out, style, s->campaign);
	style_end(out, style);
	buf_str(out, " from ");
	style_text(out, style, s->vantage);
	buf_str(out, ": ");
	style_face(out, style, says[state].face);
	buf_str(out, says[state].text);
	style_end(out, style);
	buf_char(out, '\n');
}

static void put_daemon(struct buf *out, const struct style *style, const struct status *s)
{
	put_label(out, style, "daemon");
	if (s->hidden)
		buf_str(out, "not known: its lock and spool may not be read by you");
	else if (s->pid > 0)
		buf_printf(out, "runs, process %lld", (long long)s->pid);
	else
		buf_str(out, s->pid < 0 ? "runs" : "does not run");
	buf_char(out, '\n');
}

static void put_rounds(struct buf *out, const struct style *style, const struct status *s)
{
	if (s->last_known) {
		put_label(out, style, "last round");
		put_when(out, s->last.planned, s->now);
		buf_str(out, ": ");
		status_put_round(out, style, &s->last);
		buf_char(out, '\n');
		if (s->last.note[0] != '\0') {
			put_label(out, style, "");
			style_text(out, style, s->last.note);
			buf_char(out, '\n');
		}
	}
	if (s->measured_known && s->last.planned.ns != s->measured.planned.ns) {
		put_label(out, style, "measured");
		put_when(out, s->measured.planned, s->now);
		buf_str(out, ": ");
		status_put_round(out, style, &s->measured);
		buf_char(out, '\n');
	}
	put_label(out, style, "next start");
	if (s->next.ns == 0)
		buf_str(out, "none");
	else
		put_when(out, s->next, s->now);
	if (s->pid == 0 && !s->hidden && s->next.ns != 0)
		buf_str(out, " by the plan, if something starts it");
	buf_char(out, '\n');
}

static void put_day(struct buf *out, const struct style *style, const struct status *s)
{
	const struct status_rounds *d = &s->day;

	put_label(out, style, "last 24 h");
	buf_printf(out, "%u round%s measured, %u missed", d->measured, d->measured == 1 ? "" : "s",
		   d->missed);
	if (d->missed > 0) {
		buf_str(out, " (");
		put_reasons(out, d->missed_why);
		buf_char(out, ')');
	}
	buf_printf(out, "; %llu measurements, %llu missed", (unsigned long long)d->measurements,
		   (unsigned long long)d->lost);
	if (d->looks > 0)
		buf_printf(out, "; %u closer look%s", d->looks, d->looks == 1 ? "" : "s");
	buf_char(out, '\n');
}

/* "address, transit" */
static void put_identity_bits(struct buf *out, uint8_t changed)
{
	const char *between = "";

	for (const struct word *w = round_changed_words; w->word != NULL; w++) {
		if (changed & (unsigned)w->value) {
			buf_printf(out, "%s%s", between, w->word);
			between = ", ";
		}
	}
}

static void put_vantage(struct buf *out, const struct style *style, const struct status *s)
{
	char text[WALL_TEXT];

	put_label(out, style, "vantage");
	status_put_identity(out, style, &s->measured);
	buf_char(out, '\n');
	if (s->identity_since.ns == 0)
		return;
	put_label(out, style, "");
	put_identity_bits(out, s->identity_changed);
	buf_printf(out, " changed at %s\n", wall_format_short(s->identity_since, text));
}

static void put_bytes(struct buf *out, double n)
{
	static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB"};
	unsigned u = 0;

	for (; n >= 999.5 && u + 1 < sizeof(units) / sizeof(units[0]); u++)
		n /= 1000;
	buf_printf(out, u == 0 || n >= 99.5 ? "%.0f %s" : "%.1f %s", n, units[u]);
}

static void put_store(struct buf *out, const struct style *style, const struct status *s)
{
	put_label(out, style, "store");
	style_text(out, style, s->store);
	if (s->store_bytes < 0) {
		buf_str(out, ", not there yet");
	} else {
		buf_str(out, ", ");
		put_bytes(out, (double)s->store_bytes);
	}
	buf_char(out, '\n');
	if (s->spool_rounds > 0) {
		put_label(out, style, "spool");
		style_face(out, style, FACE_WARN);
		buf_printf(out, "%llu round%s (", (unsigned long long)s->spool_rounds,
			   s->spool_rounds == 1 ? "" : "s");
		put_bytes(out, (double)s->spool_bytes);
		buf_printf(out, ") wait%s for the %s", s->spool_rounds == 1 ? "s" : "",
			   s->pid != 0 ? "store" : "next start");
		style_end(out, style);
		buf_char(out, '\n');
	}
	if (s->spool_refused > 0) {
		put_label(out, style, "");
		style_face(out, style, FACE_BAD);
		buf_printf(out, "%llu round%s that the store refuses, kept as *.refused beside it",
			   (unsigned long long)s->spool_refused, s->spool_refused == 1 ? "" : "s");
		style_end(out, style);
		buf_char(out, '\n');
	}
}

enum { COL_NETWORK, COL_DESTINATION, COL_METHOD, COL_BORDER, COL_CONFIDENCE, COL_SINCE, COL_REACH,
       COL_MIN, COL_MEDIAN, COLUMNS };

static void put_ms(char *cell, int64_t ns)
{
	if (ns >= 0)
		snprintf(cell, TABLE_CELL, ns < 10 * NS_PER_MS ? "%.2f" : "%.1f", (double)ns / 1e6);
}

static void put_since(char *cell, const struct standing_span *span)
{
	char text[WALL_TEXT];

	wall_format_short(span->since, text);
	text[strlen("2026-11-22 10:00")] = '\0';
	/* "before": it was so in the oldest round that was read. */
	snprintf(cell, TABLE_CELL, "%s%s", span->open ? "before " : "", text);
}

static void put_row(struct table *t, const struct standing_row *r, const struct profile *p)
{
	struct table_row *row = table_add(t);
	struct prefix prefix = profile_judge_prefix(p, r->dst);
	const struct standing_round *n = &r->now;
	const char *color;
	char text[PREFIX_TEXT];

	if (row == NULL)
		return;
	snprintf(row->cell[COL_NETWORK], TABLE_CELL, "%s",
		 prefix.len ? prefix_format(prefix, text) : "-");
	snprintf(row->cell[COL_DESTINATION], TABLE_CELL, "%s", addr_format(r->dst, text));
	snprintf(row->cell[COL_METHOD], TABLE_CELL, "%s", word_of(method_words, r->method));
	text_set(row->cell[COL_BORDER], TABLE_CELL, status_border(p, n));
	if (n->failed || n->outcome == OUTCOME_NONE)
		snprintf(row->cell[COL_CONFIDENCE], TABLE_CELL, "-");
	else
		report_confidence(n->confidence, row->cell[COL_CONFIDENCE], TABLE_CELL);
	put_since(row->cell[COL_SINCE], &r->span);
	snprintf(row->cell[COL_REACH], TABLE_CELL, "%s", word_of(reach_words, n->reach));
	put_ms(row->cell[COL_MIN], n->rtt_min_ns);
	put_ms(row->cell[COL_MEDIAN], n->rtt_median_ns);
	color = n->outcome == OUTCOME_BORDER ? words_border_color(p, n->border) : NULL;
	if (color != NULL)
		text_set(row->color, sizeof(row->color), color);
}

static void put_each(struct buf *out, const struct style *style, const struct status *s,
		     const struct profile *p)
{
	static const struct table_column columns[COLUMNS] = {
		{.title = "Network", .keep = 5}, {.title = "Destination"},
		{.title = "By", .keep = 3}, {.title = "Border"},
		{.title = "Conf.", .right = true, .keep = 4}, {.title = "Since", .keep = 2},
		{.title = "Reach", .keep = 1}, {.title = "RTT min", .right = true, .keep = 6},
		{.title = "Median, ms", .right = true}};
	uint32_t *order = standing_order(s->standing);
	struct table t;

	table_init(&t, columns, COLUMNS, COL_BORDER);
	for (unsigned i = 0; order != NULL && i < s->standing->count; i++) {
		const struct standing_row *r = &s->standing->rows[order[i]];

		if (strcmp(r->round, s->measured.id) == 0)
			put_row(&t, r, p);
	}
	free(order);
	if (t.count > 0 || t.failed)
		buf_char(out, '\n');
	table_draw(out, style, &t, true);
	table_fini(&t);
	if (s->standing->beyond > 0)
		buf_printf(out, "and %llu more\n", (unsigned long long)s->standing->beyond);
}

static void put_targets(struct buf *out, const struct style *style, const struct status *s,
			const struct profile *p)
{
	if (!s->measured_known)
		return;
	if (s->tally != NULL) {
		buf_char(out, '\n');
		tally_write(out, style, s->tally, p);
	} else {
		put_each(out, style, s, p);
	}
	for (unsigned i = 0; i < s->measured.substitute_count; i++) {
		const struct round_substitute *u = &s->measured.substitutes[i];
		char from[ADDR_TEXT], to[ADDR_TEXT];

		style_text(out, style, u->target);
		buf_printf(out, ": %s has been silent for %u rounds; %s stands in for it\n",
			   addr_format(u->from, from), u->silent, addr_format(u->to, to));
	}
}

static void put_changed(struct buf *out, const struct style *style, const struct standing_row *r,
			const struct profile *p)
{
	struct prefix prefix = profile_judge_prefix(p, r->dst);
	char text[PREFIX_TEXT], change[TABLE_CELL] = "";

	if (prefix.len > 0)
		buf_printf(out, "  %s", prefix_format(prefix, text));
	buf_printf(out, "  %s, %s", addr_format(r->dst, text), word_of(method_words, r->method));
	if (r->dport > 0)
		buf_printf(out, " port %d", r->dport);
	buf_str(out, ": ");
	style_text(out, style, status_border(p, &r->now));
	status_put_change(change, sizeof(change), r, p);
	buf_str(out, ", ");
	style_text(out, style, change);
	buf_char(out, '\n');
}

static bool tells_change(const struct status *s, const struct standing_row *r)
{
	return strcmp(r->round, s->measured.id) == 0 &&
	       (r->changed & (STANDING_BORDER | STANDING_REACH)) != 0;
}

bool status_changed(const struct status *s)
{
	if (!s->measured_known)
		return false;
	for (unsigned i = 0; i < s->standing->count; i++) {
		if (tells_change(s, &s->standing->rows[i]))
			return true;
	}
	return s->measured.changed != 0;
}

void report_changes(struct buf *out, const struct style *style, const struct status *s,
		    const struct profile *p)
{
	uint32_t *order = standing_order(s->standing);
	unsigned shown = 0;
	char text[WALL_TEXT];

	style_text(out, style, s->campaign);
	buf_str(out, " from ");
	style_text(out, style, s->vantage);
	buf_printf(out, ": changed with the round of %s\n",
		   wall_format_short(s->measured.planned, text));
	for (unsigned i = 0; order != NULL && i < s->standing->count; i++) {
		const struct standing_row *r = &s->standing->rows[order[i]];

		if (tells_change(s, r) && shown++ < changes_max)
			put_changed(out, style, r, p);
	}
	free(order);
	if (shown > changes_max)
		buf_printf(out, "  and %u more\n", shown - changes_max);
	if (s->measured.changed != 0) {
		buf_str(out, "  the vantage point changed (");
		put_identity_bits(out, s->measured.changed);
		buf_str(out, "): ");
		status_put_identity(out, style, &s->measured);
		buf_char(out, '\n');
	}
}

void report_status(struct buf *out, const struct style *style, const struct status *s,
		   const struct profile *p)
{
	put_state(out, style, s);
	put_label(out, style, "plan");
	style_text(out, style, s->plan);
	buf_str(out, ", a round every ");
	duration_put(out, (double)s->every_ns / 1e9);
	buf_char(out, '\n');
	put_daemon(out, style, s);
	put_rounds(out, style, s);
	if (s->last_known)
		put_day(out, style, s);
	if (s->measured_known)
		put_vantage(out, style, s);
	put_store(out, style, s);
	put_targets(out, style, s, p);
}
