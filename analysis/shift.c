// SPDX-License-Identifier: BSD-2-Clause
/*
 * The two forms of the shift detector over one machinery: points go into a window; when it is full,
 * its middle is settled and its older part forgotten. A whole series is points that arrive at once,
 * which is why both forms give the same answers.
 */
#include "analysis/shift.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/shift_borders.h"
#include "analysis/shift_levels.h"
#include "core/err.h"

enum {
	/* Points that a border needs around it to be what it stays: the last of a window are left
	 * to the next one, which begins this far before them. */
	CONTEXT = 128,
	STRIDE = SHIFT_WINDOW - 2 * CONTEXT,
	POINTS_MAX = SHIFT_WINDOW + STRIDE,
	SAME = 2,  /* points by which two windows may place one border differently */
};
_Static_assert((int)SHIFT_WINDOW == (int)LEVELS_WINDOW, "a window is searched whole");

struct shift_scratch {
	struct levels *levels;
	struct shift_state state;  /* of shift_detect */
	int64_t rtt_ns[SHIFT_WINDOW], room[SHIFT_WINDOW];
	unsigned borders[SHIFT_WINDOW];
	double weak[SHIFT_WINDOW];
	bool daily[SHIFT_WINDOW];
};

struct shift_scratch *shift_scratch_new(void)
{
	struct shift_scratch *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->levels = levels_new();
	if (w->levels == NULL) {
		free(w);
		return NULL;
	}
	return w;
}

void shift_scratch_free(struct shift_scratch *w)
{
	if (w == NULL)
		return;
	levels_free(w->levels);
	shift_state_fini(&w->state);
	free(w);
}

/* --- lists ------------------------------------------------------------------------------------ */

void shift_list_fini(struct shift_list *list)
{
	free(list->items);
	*list = (struct shift_list){0};
}

void shift_list_clear(struct shift_list *list)
{
	list->count = 0;
}

/* Room for one more; NULL without memory. */
static struct shift *list_room(struct shift_list *list)
{
	if (list->count == list->size) {
		size_t size = list->size > 0 ? 2 * list->size : 16;
		struct shift *items = reallocarray(list->items, size, sizeof(*items));

		if (items == NULL)
			return NULL;
		list->items = items;
		list->size = size;
	}
	return &list->items[list->count];
}

/* --- a window --------------------------------------------------------------------------------- */

/* The shifts of the last window of s, at points from s->settled to `until`; *found is one past the
 * last of them. */
static int window_shifts(const struct shift_state *s, struct shift_scratch *w, unsigned until,
			 enum shift_status status, struct shift_list *out, unsigned *found)
{
	unsigned from = s->count > SHIFT_WINDOW ? s->count - SHIFT_WINDOW : 0;
	struct shift_window window = {.points = s->count > 0 ? &s->points[from] : NULL,
				      .rtt_ns = w->rtt_ns, .n = s->count - from};
	struct shift_rule rule = shift_rule_of(s->setting, window.n);
	size_t had = out->count;
	unsigned count;
	int rc = 0;

	if (s->count == 0)
		return 0;
	for (unsigned i = 0; i < window.n; i++)
		w->rtt_ns[i] = window.points[i].rtt_ns;
	window.noise_ns = levels_noise_ns(w->rtt_ns, window.n, w->room);
	count = levels_borders(w->levels, w->rtt_ns, window.n, window.noise_ns, rule.move,
			       w->borders);
	count = shift_borders_keep(&window, &rule, w->borders, count, w->room, w->weak);
	shift_borders_daily(&window, w->borders, count, w->daily, w->room);
	for (unsigned i = 0; i < count && from + w->borders[i] < until && rc == 0; i++) {
		struct shift *to;

		if (from + w->borders[i] < s->settled || w->daily[i])
			continue;
		to = list_room(out);
		rc = to == NULL ? BP_ENOMEM :
		     shift_borders_tell(&window, w->borders, count, i, to);
		if (rc == 0 && to->confidence >= rule.confidence) {
			to->status = status;
			out->count++;
			*found = from + w->borders[i] + 1;
		}
	}
	if (rc < 0)
		out->count = had;
	return rc;
}

/* --- as points arrive ------------------------------------------------------------------------- */

void shift_state_init(struct shift_state *s, enum shift_setting setting)
{
	*s = (struct shift_state){.setting = setting, .next = SHIFT_WINDOW};
}

void shift_state_fini(struct shift_state *s)
{
	free(s->points);
	*s = (struct shift_state){0};
}

static void restart(struct shift_state *s)
{
	s->next_index = 0;
	s->count = s->settled = 0;
	s->next = SHIFT_WINDOW;
}

/* The next window is full: what has context on both sides in it is settled. What the window after
 * it does not reach is forgotten. */
static int settle(struct shift_state *s, struct shift_scratch *w, struct shift_list *out)
{
	unsigned until = s->next - CONTEXT, found = 0;
	int rc = window_shifts(s, w, until, SHIFT_CONFIRMED, out, &found);

	if (rc < 0)
		return rc;
	/* What the next window places a little before `until` was not told yet, unless it is the
	 * last that was. */
	s->settled = found + SAME > until - SAME ? found + SAME : until - SAME;
	s->next += STRIDE;
	if (s->next > POINTS_MAX) {
		s->next -= STRIDE;
		s->settled -= STRIDE;
		s->count -= STRIDE;
		memmove(s->points, s->points + STRIDE, s->count * sizeof(*s->points));
	}
	return 0;
}

static int grow(struct shift_state *s)
{
	unsigned size = s->size > 0 ? 2 * s->size : 64;
	struct shift_point *points = reallocarray(s->points, size, sizeof(*points));

	if (points == NULL)
		return BP_ENOMEM;
	s->points = points;
	s->size = size;
	return 0;
}

int shift_state_add(struct shift_state *s, struct shift_scratch *w, struct wall at, int64_t rtt_ns,
		    struct shift_list *out)
{
	if (rtt_ns < 0) {
		s->next_index++;
		return 0;
	}
	/* A full window is settled when the next point comes, so that an end of the series that
	 * falls together with that of a window has all of it. */
	if (s->count == s->next && settle(s, w, out) < 0)
		return BP_ENOMEM;
	if (s->count == s->size && grow(s) < 0)
		return BP_ENOMEM;
	s->points[s->count++] = (struct shift_point){
		.at_ns = at.ns, .rtt_ns = rtt_ns, .index = s->next_index++};
	return 0;
}

int shift_state_pending(const struct shift_state *s, struct shift_scratch *w,
			struct shift_list *out)
{
	unsigned found;

	return window_shifts(s, w, s->count, SHIFT_PROVISIONAL, out, &found);
}

int shift_state_flush(struct shift_state *s, struct shift_scratch *w, struct shift_list *out)
{
	unsigned found;
	int rc = window_shifts(s, w, s->count, SHIFT_CONFIRMED, out, &found);

	if (rc == 0)
		restart(s);
	return rc;
}

/* --- a whole series --------------------------------------------------------------------------- */

int shift_detect(struct shift_scratch *w, enum shift_setting setting, const struct wall *at,
		 const int64_t *rtt_ns, size_t n, struct shift_list *out)
{
	struct shift_state *s = &w->state;
	size_t had = out->count;
	int rc = 0;

	restart(s);
	s->setting = setting;
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = shift_state_add(s, w, at != NULL ? at[i] : (struct wall){0}, rtt_ns[i], out);
	if (rc == 0)
		rc = shift_state_flush(s, w, out);
	if (rc < 0)
		out->count = had;
	return rc;
}
