// SPDX-License-Identifier: BSD-2-Clause
/* Time on figures: ticks, the axis in UTC and the one of the place, events and annotations. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "analysis/report/event_join.h"
#include "analysis/report/svg.h"
#include "analysis/words.h"

static const int64_t day_s = 86400;

/* The step of ticks in seconds: at most `most` of them. */
static int64_t tick_step(const struct svg *s, unsigned most)
{
	static const int64_t steps[] = {1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600,
					7200, 10800, 21600, 43200, 86400, 172800, 604800, 1209600,
					2592000, 7776000};
	int64_t window = (s->until.ns - s->since.ns) / NS_PER_S;

	for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (window / steps[i] < (int64_t)most)
			return steps[i];
	}
	return 31536000 * (window / (31536000 * (int64_t)most) + 1);
}

static unsigned most_ticks(const struct svg *s)
{
	return (unsigned)((s->right - s->left) / 78) + 1;
}

/* The first tick at or behind the beginning, in seconds. */
static int64_t first_tick(const struct svg *s, int64_t step)
{
	int64_t since = (s->since.ns + NS_PER_S - 1) / NS_PER_S;

	return (since + step - 1) / step * step;
}

void svg_grid(struct svg *s, double top, double bottom)
{
	int64_t step = tick_step(s, most_ticks(s));

	buf_str(s->out, "<path class=\"grid\" d=\"");
	for (int64_t t = first_tick(s, step); t <= s->until.ns / NS_PER_S; t += step)
		buf_printf(s->out, "M%.1f %.1fV%.1f", svg_x(s, (struct wall){t * NS_PER_S}), top,
			   bottom);
	buf_str(s->out, "\"/>");
}

static bool has_place(const struct svg *s)
{
	int offset;

	return words_offset(s->r->profile->timezone, s->since, &offset);
}

double svg_axis_height(const struct svg *s)
{
	return has_place(s) ? 62 : 32;
}

static const char *anchor_of(const struct svg *s, double x, double w)
{
	/* Widths are estimates: a font may be a little wider. */
	double half = w / 2 + 3, least = s->left - 10 > 0 ? s->left - 10 : 0;

	return x - half < least ? "start" : x + half > s->width ? "end" : "middle";
}

/* Where a text that stands there begins; where it ends is so much behind. */
static double begins(const char *anchor, double x, double w)
{
	return anchor[0] == 's' ? x : anchor[0] == 'e' ? x - w : x - w / 2;
}

static const double axis_size = 11;

/* A label of each tick: the time, and below it the date where it is another one. The first date
 * carries the axis's name where that does not stand beside it. */
static void labels(struct svg *s, double y, int64_t step, bool place, const char *name)
{
	char date[80], last[16] = "", clock[16];
	double free = -1000, clock_free = -1000;

	for (int64_t t = first_tick(s, step); t <= s->until.ns / NS_PER_S; t += step) {
		double x = svg_x(s, (struct wall){t * NS_PER_S}), w;
		const char *anchor;
		int offset = 0;
		time_t at;
		struct tm tm;

		if (place && !words_offset(s->r->profile->timezone,
					   (struct wall){t * NS_PER_S}, &offset))
			return;
		at = (time_t)(t + offset);
		gmtime_r(&at, &tm);
		strftime(clock, sizeof(clock), step < 60 ? "%H:%M:%S" : "%H:%M", &tm);
		w = svg_text_width(clock, axis_size);
		anchor = anchor_of(s, x, w);
		/* The last is moved in from the edge, and may meet the one before it. */
		if (step < day_s && begins(anchor, x, w) >= clock_free) {
			svg_text(s, x, y, "axis", anchor, clock);
			clock_free = begins(anchor, x, w) + w + 6;
		}
		strftime(date, sizeof(date), "%Y-%m-%d", &tm);
		if (strncmp(date, last, 10) == 0)
			continue;
		if (last[0] == '\0' && s->names == SVG_NAMES_DATE) {
			snprintf(date + 10, sizeof(date) - 10, " %.60s", name);
			/* From the left end, where that is the same day: room for the next. */
			if (tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec >=
			    t - s->since.ns / NS_PER_S)
				x = s->left;
		}
		w = svg_text_width(date, axis_size);
		anchor = last[0] == '\0' && s->names == SVG_NAMES_DATE ? "start" : anchor_of(s, x, w);
		if (begins(anchor, x, w) < free)
			continue;
		svg_text(s, x, step < day_s ? y + 13 : y, "axis", anchor, date);
		snprintf(last, sizeof(last), "%.10s", date);
		free = begins(anchor, x, w) + w + 8;
	}
}

static void one_axis(struct svg *s, double y, int64_t step, bool place, const char *name)
{
	labels(s, y, step, place, name);
	if (s->names == SVG_NAMES_LEFT)
		svg_text(s, s->left - 12, y, "axis name", "end", name);
}

void svg_axis(struct svg *s, double y)
{
	int64_t step = tick_step(s, most_ticks(s));
	struct buf name;

	svg_line(s, s->left, y, s->right, y, "rule");
	for (int64_t t = first_tick(s, step); t <= s->until.ns / NS_PER_S; t += step)
		svg_line(s, svg_x(s, (struct wall){t * NS_PER_S}), y,
			 svg_x(s, (struct wall){t * NS_PER_S}), y + 4, "rule");
	one_axis(s, y + 16, step, false, "UTC");
	if (!has_place(s))
		return;
	buf_init(&name);
	words_place(&name, s->r->profile->timezone);
	if (!name.failed)
		one_axis(s, y + 45, step, true, name.bytes);
	buf_fini(&name);
}

/* --- events and annotations ------------------------------------------------------------------ */

static void letters(unsigned i, char out[static 4])
{
	if (i < 26)
		snprintf(out, 4, "%c", 'a' + (int)i);
	else
		snprintf(out, 4, "%c%c", 'a' + (int)(i / 26 - 1) % 26, 'a' + (int)(i % 26));
}

static void mark(struct svg *s, double lane, double *used, double x, const char *class,
		 const char *text)
{
	double w = svg_text_width(text, 10) + 7;

	/* Those that stand too close are told by the table alone. */
	if (isnan(lane) || x - w / 2 < *used)
		return;
	x = x + w / 2 > s->width ? s->width - w / 2 : x;
	svg_rect(s, x - w / 2, lane, w, 13, class);
	svg_text(s, x, lane + 10, "mark", "middle", text);
	*used = x + w / 2 + 1;
}

/* Where an event lies; false outside the window. */
static bool event_place(const struct svg *s, const struct event *e, double *x, double *w)
{
	struct wall from = e->not_before.ns != 0 ? e->not_before : e->at;
	struct wall to = e->not_after.ns != 0 ? e->not_after : e->at;

	if (to.ns < s->since.ns || from.ns > s->until.ns)
		return false;
	*x = svg_x(s, from);
	*w = svg_x(s, to) - *x;
	return true;
}

static void edges(struct svg *s, double x, double w, double top, double bottom, const char *class)
{
	svg_line(s, x, top, x, bottom, class);
	if (w > 2)
		svg_line(s, x + w, top, x + w, bottom, class);
}

static void shade(struct svg *s, double x, double w, double top, double bottom)
{
	svg_rect(s, x, top, w > 1 ? w : 1, bottom - top, "class=\"event\"");
}

static void notes(struct svg *s, double lane, double top, double bottom)
{
	double used = 0;
	char text[4];

	for (unsigned i = 0; i < s->note_count; i++) {
		const struct annotation *a = &s->notes[i];
		struct wall to = a->to.ns != 0 ? a->to : a->from;
		double x = svg_x(s, a->from), w = svg_x(s, to) - x;

		if (to.ns < s->since.ns || a->from.ns > s->until.ns)
			continue;
		edges(s, x, w, top, bottom, "note-edge");
		letters(i, text);
		mark(s, lane, &used, x + (w > 2 ? w / 2 : 0), "class=\"note-mark\" rx=\"2\"", text);
	}
}

void svg_moment(struct svg *s, double top, double bottom)
{
	if (s->at.ns != 0 && s->at.ns >= s->since.ns && s->at.ns <= s->until.ns)
		svg_line(s, svg_x(s, s->at), top, svg_x(s, s->at), bottom, "moment");
}

void svg_marks(struct svg *s, double lane, double top, double bottom)
{
	double used = 0, x, w;
	unsigned number = 0;
	char text[16];

	for (unsigned i = 0, n; i < s->r->event_count; i += n) {
		const struct event *e = &s->r->events[i];

		n = event_run(e, s->r->event_count - i);
		number++;
		if (!event_place(s, e, &x, &w))
			continue;
		shade(s, x, w, top, bottom);
		snprintf(text, sizeof(text), "%u", number);
		mark(s, lane, &used, x + w / 2, "class=\"event-mark\" rx=\"6.5\"", text);
	}
	notes(s, isnan(lane) ? lane : lane - 16, top, bottom);
}

void svg_events(struct svg *s, struct prefix p, const char *vantage, double top, double bottom,
		enum svg_edges how)
{
	static const char *const classes[] = {
		[SVG_EDGES_UNDER] = "event-edge", [SVG_EDGES_OVER] = "event-over",
		[SVG_EDGES_PANEL] = "event-edge"};
	double x, w;

	for (unsigned i = 0; i < s->r->event_count; i++) {
		const struct event *e = &s->r->events[i];

		if (!event_concerns(e, p, vantage) || !event_place(s, e, &x, &w))
			continue;
		if (how == SVG_EDGES_PANEL)
			shade(s, x, w, top, bottom);
		edges(s, x, w, top, bottom, classes[how]);
	}
	if (how != SVG_EDGES_PANEL)
		return;
	notes(s, NAN, top, bottom);
	svg_moment(s, top, bottom);
}
