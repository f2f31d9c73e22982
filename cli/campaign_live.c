// SPDX-License-Identifier: BSD-2-Clause
/* One frame at a time: the cursor goes back up over the last one. */
#include "cli/campaign_live.h"

#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "analysis/report/live.h"
#include "core/clock.h"

#define DRAW_NS (200 * NS_PER_MS)

struct campaign_live {
	struct live view;
	const char *profile;       /* borrowed; NULL: the plans' */
	struct profile **profiles; /* owned, one a campaign */
	unsigned profile_count;
	bool color, utf8;
	struct buf shown;          /* the frame on the screen; empty: none */
	struct mono drawn;
};

bool campaign_live_wanted(const struct options *o)
{
	const char *term = getenv("TERM");

	return !o->quiet && isatty(STDERR_FILENO) && term != NULL && strcmp(term, "dumb") != 0;
}

int campaign_live_new(const struct options *o, const char *profile, struct campaign_live **out)
{
	const char *no_color = getenv("NO_COLOR");
	struct campaign_live *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return BP_ENOMEM;
	l->profile = profile;
	l->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	l->color = o->color == COLOR_ALWAYS ||
		   (o->color == COLOR_AUTO && (no_color == NULL || *no_color == '\0'));
	buf_init(&l->shown);
	*out = l;
	return 0;
}

void campaign_live_free(struct campaign_live *l)
{
	if (l == NULL)
		return;
	/* What is known at the end stays on the screen. */
	if (l->shown.used > 0) {
		l->drawn = (struct mono){INT64_MIN / 2};
		campaign_live_draw(l);
	}
	live_fini(&l->view);
	for (unsigned i = 0; i < l->profile_count; i++)
		profile_free(l->profiles[i]);
	free(l->profiles);
	buf_fini(&l->shown);
	free(l);
}

/* --- what the run tells ----------------------------------------------------------------------- */

/* The campaign of a plan; the first time with the profile that names its borders. */
static struct live_campaign *campaign_of(struct campaign_live *l, const struct campaign_plan *p)
{
	struct live_campaign *c = live_find(&l->view, p->campaign, p->vantage);
	struct profile *profile = NULL, **more;
	struct bp_error err;

	if (c != NULL)
		return c;
	more = reallocarray(l->profiles, l->profile_count + 1, sizeof(*more));
	if (more == NULL)
		return NULL;
	l->profiles = more;
	if (campaign_plan_profile(p, l->profile, &profile, &err) < 0)
		return NULL;
	l->profiles[l->profile_count++] = profile;
	return live_add(&l->view, p->campaign, p->vantage, profile);
}

void campaign_live_begin(struct campaign_live *l, const struct campaign_plan *p,
			 const struct round *r, struct wall next)
{
	struct live_campaign *c = l != NULL ? campaign_of(l, p) : NULL;

	if (c != NULL)
		live_begin(c, r, next);
	campaign_live_draw(l);
}

void campaign_live_trace(struct campaign_live *l, const struct campaign_plan *p,
			 const struct trace *t, const struct verdict *v)
{
	struct live_campaign *c = l != NULL ? campaign_of(l, p) : NULL;

	if (c != NULL)
		live_trace(c, t, v, campaign_plan_is_reference(p, t->dst));
	campaign_live_draw(l);
}

void campaign_live_round(struct campaign_live *l, const struct campaign_plan *p,
			 const struct round *r)
{
	struct live_campaign *c = l != NULL ? campaign_of(l, p) : NULL;

	if (c != NULL)
		live_round(c, r);
	campaign_live_draw(l);
}

void campaign_live_look(struct campaign_live *l, const struct campaign_plan *p, struct wall next,
			uint64_t waiting)
{
	struct live_campaign *c = l != NULL ? campaign_of(l, p) : NULL;

	if (c != NULL) {
		c->next = next;
		c->waiting = waiting;
	}
	campaign_live_draw(l);
}

bool campaign_live_note(struct campaign_live *l, const char *text)
{
	if (l == NULL)
		return false;
	live_note(&l->view, wall_now(), text);
	campaign_live_draw(l);
	return true;
}

/* --- the terminal ----------------------------------------------------------------------------- */

static struct winsize terminal(void)
{
	struct winsize ws = {0};

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &ws) < 0 || ws.ws_col == 0 || ws.ws_row == 0)
		ws = (struct winsize){.ws_col = 80, .ws_row = 24};
	return ws;
}

/* Appends what takes the last frame away. A terminal that became narrower has broken its lines. */
static void put_clear(struct campaign_live *l, struct buf *out, unsigned columns)
{
	unsigned rows = l->shown.used > 0 ? style_rows(l->shown.bytes, columns) : 0;

	buf_char(out, '\r');
	if (rows > 0)
		buf_printf(out, "\033[%uA", rows);
	buf_str(out, "\033[J");
	buf_clear(&l->shown);
}

static void put_out(const struct buf *b)
{
	if (!b->failed && b->used > 0)
		fwrite(b->bytes, 1, b->used, stderr);
	fflush(stderr);
}

void campaign_live_clear(struct campaign_live *l)
{
	struct buf out;

	if (l == NULL || l->shown.used == 0)
		return;
	buf_init(&out);
	put_clear(l, &out, terminal().ws_col);
	put_out(&out);
	buf_fini(&out);
}

void campaign_live_draw(struct campaign_live *l)
{
	struct mono now = mono_now();
	struct winsize ws;
	struct style style;
	struct buf out;

	if (l == NULL || (l->shown.used > 0 && mono_since(now, l->drawn) < DRAW_NS))
		return;
	l->drawn = now;
	ws = terminal();
	/* The last column and the last row stay empty, or the terminal would scroll. */
	style = (struct style){.color = l->color, .utf8 = l->utf8,
			       .width = ws.ws_col > 1 ? ws.ws_col - 1u : 1};
	buf_init(&out);
	put_clear(l, &out, ws.ws_col);
	report_live(&l->shown, &style, &l->view, wall_now(), ws.ws_row > 1 ? ws.ws_row - 1u : 1);
	if (!l->shown.failed)
		buf_append(&out, l->shown.used > 0 ? l->shown.bytes : "", l->shown.used);
	put_out(&out);
	buf_fini(&out);
}
