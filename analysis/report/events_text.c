// SPDX-License-Identifier: BSD-2-Clause
/* Events as paragraphs: a line that can be scanned, and the sentence below it. */
#include "analysis/report/events_text.h"

#include <string.h>

#include "analysis/report/event_join.h"
#include "analysis/sentence.h"

static enum style_face face_of(const struct event *e)
{
	if (e->kind == EVENT_OUTAGE && e->status != EVENT_RESOLVED)
		return FACE_BAD;
	if (e->kind == EVENT_RECOVERY || e->status == EVENT_RESOLVED)
		return FACE_GOOD;
	return e->status == EVENT_PROVISIONAL ? FACE_DIM : FACE_WARN;
}

/* "border_switch" is "border switch" to a reader. */
static void kind(struct buf *out, int value)
{
	for (const char *c = word_of(event_kind_words, value); *c != '\0'; c++)
		buf_char(out, *c == '_' ? ' ' : *c);
}

static void event_text(struct buf *out, const struct style *s, const struct event *e,
		       const struct profile *p)
{
	size_t start = out->used;
	char text[WALL_TEXT];

	style_face(out, s, FACE_DIM);
	buf_str(out, wall_format_short(e->at, text));
	style_end(out, s);
	buf_str(out, "  ");
	style_face(out, s, face_of(e));
	kind(out, e->kind);
	style_end(out, s);
	buf_printf(out, ", %s", e->withdrawn ? "withdrawn" : word_of(event_status_words, e->status));
	if (e->seen_of > 0)
		buf_printf(out, ", seen from %u of %u", e->seen_by, e->seen_of);
	buf_char(out, '\n');
	style_cut(out, s, start);
	start = out->used;
	buf_str(out, "  ");
	if (e->summary[0] != '\0')
		style_text(out, s, e->summary);
	else
		sentence_event(out, e, p, sentence_networks(p));
	buf_char(out, '\n');
	style_wrap(out, s, start, 2);
}

/* How many that begin there are told as one. */
static unsigned run_of(const struct event *const *events, unsigned count)
{
	unsigned n = 1;

	while (n < count && n < EVENT_PREFIXES_MAX && event_together(events[n - 1], events[n]))
		n++;
	return n;
}

void events_text(struct buf *out, const struct style *s, const struct event *const *events,
		 unsigned count, const struct profile *p)
{
	for (unsigned i = 0, n; i < count; i += n) {
		struct event sum = *events[i];

		n = run_of(&events[i], count - i);
		for (unsigned k = 1; k < n; k++)
			event_join(&sum, events[i + k]);
		event_text(out, s, &sum, p);
	}
}

void events_count(struct buf *out, const struct event *const *events, unsigned count)
{
	unsigned told = 0;

	for (unsigned i = 0; i < count; i += run_of(&events[i], count - i))
		told++;
	if (count == 0)
		buf_str(out, "No event.\n");
	else if (told == count)
		buf_printf(out, "%u event%s.\n", count, count == 1 ? "" : "s");
	else
		buf_printf(out, "%u events in %u paragraphs.\n", count, told);
}
