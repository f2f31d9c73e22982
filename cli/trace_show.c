// SPDX-License-Identifier: BSD-2-Clause
/* What is held back and why, one printer for each format, and the line of progress. */
#include "cli/trace_show.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "analysis/annotate.h"
#include "analysis/border.h"
#include "analysis/paths.h"
#include "analysis/report/paths_text.h"
#include "analysis/report/trace_text.h"
#include "cli/progress_line.h"
#include "core/record/jsonl.h"

/* A finished target kept until it is its turn to be printed, or until its flows are complete. */
struct held {
	uint64_t target;         /* number of the destination, from 0 */
	unsigned flows, room;    /* traces taken; verdicts there is room for */
	bool complete;           /* no further one comes */
	bool cut;                /* one of them was interrupted */
	struct buf text;         /* what is printed of it */
	struct report_summary summary; /* its line of the summary */
	struct paths paths;      /* several flows: all together */
	struct verdict *verdicts; /* one a flow */
	struct held *next;
};

void trace_show_init(struct trace_show *s, const struct trace_options *o, struct session *session,
		     struct bp_error *err)
{
	*s = (struct trace_show){.o = o, .session = session, .err = err, .began = mono_now()};
	s->shown = s->began;
	/* Without a cache, which no target of a run would use twice, it needs no memory. */
	(void)judge_pass_init(&s->pass, session->geo, session->profile, 0);
}

/* --- progress --------------------------------------------------------------------------------- */

void trace_show_clear(struct trace_show *s)
{
	if (s->progress_shown)
		fputs("\r\033[K", stderr);
	s->progress_shown = false;
}

/* Columns of the terminal that shows the progress. */
static unsigned progress_width(void)
{
	struct winsize ws;

	return ioctl(STDERR_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_col > 0 ? ws.ws_col : 80;
}

void trace_show_progress(struct trace_show *s, const struct frame_progress *p)
{
	struct mono now = mono_now();
	struct buf line;

	buf_init(&line);
	progress_line(&line, p, s->paths, mono_since(now, s->began), s->shown_sent,
		      mono_since(now, s->shown));
	/* A line that wraps cannot be taken back: what does not fit is cut. */
	if (!line.failed)
		fprintf(stderr, "\r\033[K%.*s", (int)progress_width() - 1, line.bytes);
	fflush(stderr);
	buf_fini(&line);
	s->progress_shown = true;
	s->shown = now;
	s->shown_sent = p->sent;
}

/* --- what is held ----------------------------------------------------------------------------- */

static int emit(struct trace_show *s, const struct buf *b)
{
	int rc;

	if (b->failed)
		return bp_fail(s->err, BP_ENOMEM, "out of memory");
	if (b->used == 0)
		return 0;
	trace_show_clear(s);
	rc = session_write(s->session, b->bytes, b->used, s->err);
	s->output_failed = rc < 0;
	return rc;
}

static void held_free(struct held *h)
{
	buf_fini(&h->text);
	report_summary_fini(&h->summary);
	paths_fini(&h->paths);
	free(h->verdicts);
	free(h);
}

/* Takes a destination out of the list of what waits. */
static void held_drop(struct trace_show *s, struct held *h)
{
	struct held **at = &s->held;

	while (*at != h)
		at = &(*at)->next;
	*at = h->next;
	held_free(h);
}

/* The place of a destination in the list of what waits, made when new. */
static struct held *held_of(struct trace_show *s, uint64_t target)
{
	struct held **at = &s->held, *h;

	while (*at != NULL && (*at)->target < target)
		at = &(*at)->next;
	if (*at != NULL && (*at)->target == target)
		return *at;
	h = calloc(1, sizeof(*h));
	if (h == NULL)
		return NULL;
	h->target = target;
	buf_init(&h->text);
	paths_init(&h->paths);
	h->next = *at;
	*at = h;
	return h;
}

/* Several flows of each destination: judged together. */
static bool has_flows(const struct trace_show *s)
{
	return s->o->flow_count > 1 || s->o->each.multipath;
}

static int held_add(struct trace_show *s, struct held *h, const struct trace *t,
		    const struct verdict *v)
{
	if (h->flows == h->room) {
		unsigned room = h->room ? 2 * h->room : s->o->flow_count;
		struct verdict *more = reallocarray(h->verdicts, room, sizeof(more[0]));

		if (more == NULL)
			return BP_ENOMEM;
		h->verdicts = more;
		h->room = room;
	}
	h->verdicts[h->flows++] = *v;
	h->complete = !s->o->each.multipath && h->flows == s->o->flow_count;
	return has_flows(s) && t->stop != STOP_ERROR ? paths_add(&h->paths, t, v) : 0;
}

/* A bulk run waits for no name: one that comes later stands in the records behind it. */
static void name_hosts(struct trace_show *s, struct names *names)
{
	if (s->bulk)
		resolver_take(s->resolver, names);
	else
		resolver_fill(s->resolver, names);
}

static void summarise(struct trace_show *s, struct held *h, const struct trace *t,
		      const struct verdict *v)
{
	if (s->bulk)
		tally_add(&s->tally, t, v, s->session->profile);
	else
		report_summary_add(&h->summary, t, v, s->session->profile);
}

/* All flows of a destination are there (or the run is over): what is said of them together. They
 * are not kept beyond that, though their text may wait for its turn. */
static int held_finish(struct trace_show *s, struct held *h)
{
	const struct profile *p = s->session->profile;
	struct style style = style_of(s->session);
	struct verdict *v = NULL;
	struct names names;
	int rc = 0;

	names_init(&names);
	if (!has_flows(s) || h->flows == 0 || h->paths.merged == NULL)
		goto out;
	v = calloc(1, sizeof(*v));
	if (v == NULL) {
		rc = bp_fail(s->err, BP_ENOMEM, "out of memory");
		goto out;
	}
	border_judge_flows(h->verdicts, h->flows, v);
	if (s->o->common.format == OUTPUT_JSONL) {
		paths_write_json(&s->out, &h->paths, v);
		goto out;
	}
	rc = annotate(h->paths.merged, s->session->geo, &names);
	if (rc < 0)
		goto out;
	name_hosts(s, &names);
	if (h->paths.searched) {
		report_paths(&h->text, &style, &h->paths, &names, v, p, !s->o->no_names,
			     s->o->common.verbose > 0);
	} else {
		buf_printf(&h->text, "%u flows seen together: %u nodes, %u links.\n", h->flows,
			   h->paths.node_count, h->paths.link_count);
		report_trace(&h->text, &style, h->paths.merged, &names, v, p, !s->o->no_names,
			     s->o->common.verbose > 0);
	}
	summarise(s, h, h->paths.merged, v);
out:
	names_fini(&names);
	free(v);
	paths_fini(&h->paths);
	free(h->verdicts);
	h->verdicts = NULL;
	h->flows = h->room = 0;
	return rc;
}

static int print_held(struct trace_show *s, struct held *h)
{
	int rc = held_finish(s, h);

	if (rc == 0 && h->text.used > 0) {
		buf_char(&h->text, '\n');
		rc = emit(s, &h->text);
		report_summary_move(&s->summary, &h->summary);
	}
	held_drop(s, h);
	return rc;
}

/* Prints, in order, every destination whose turn has come. */
static int held_flush(struct trace_show *s, bool all)
{
	int rc = 0;

	while (rc == 0 && s->held != NULL) {
		struct held *h = s->held;

		if (!all && (h->target != s->printed || !h->complete))
			break;
		s->printed = h->target + 1;
		rc = print_held(s, h);
	}
	return rc;
}

/* One JSON object now, and one more when the flows of its destination are complete. */
static int show_jsonl(struct trace_show *s, const struct trace *t, const struct names *names,
		      const struct verdict *v, struct held *h)
{
	bool complete = h != NULL && h->complete;
	int rc = 0;

	buf_clear(&s->out);
	jsonl_write_trace(&s->out, t, names, v);
	if (complete)
		rc = held_finish(s, h);
	if (rc == 0)
		rc = emit(s, &s->out);
	if (complete)
		held_drop(s, h);
	return rc;
}

static int show_text(struct trace_show *s, const struct trace *t, const struct names *names,
		     const struct verdict *v, struct held *h)
{
	struct style style = style_of(s->session);
	int rc;

	/* What could not be measured has no paths to show, but a reason. */
	if (!has_flows(s) || (s->o->each.multipath && t->stop == STOP_ERROR)) {
		report_trace(&h->text, &style, t, names, v, s->session->profile, !s->o->no_names,
			     s->o->common.verbose > 0);
		summarise(s, h, t, v);
	}
	if (s->bulk)
		return h->complete ? print_held(s, h) : 0;
	rc = h->complete ? held_finish(s, h) : 0;
	return rc < 0 ? rc : held_flush(s, false);
}

/* The flows of a multipath target are one path of the plan, cut when one of them was. */
static void count(struct trace_show *s, const struct trace *t, struct held *h)
{
	bool cut = t->stop == STOP_INTERRUPTED, first = !s->o->each.multipath || h->flows == 0;

	s->traces += first;
	s->cut += cut && (first || !h->cut);
	if (h != NULL)
		h->cut = h->cut || cut;
	if (t->stop != STOP_ERROR || !first)
		return;
	s->failed++;
	if (s->failure[0] == '\0')
		text_set(s->failure, sizeof(s->failure), t->error);
}

static int show(struct trace_show *s, const struct trace *t, uint64_t target,
		const struct names *names, const struct verdict *v)
{
	struct held *h = NULL;

	if (s->o->common.format == OUTPUT_JSONL && !has_flows(s)) {
		count(s, t, NULL);
		return show_jsonl(s, t, names, v, NULL);
	}
	h = held_of(s, target);
	if (h == NULL)
		return bp_fail(s->err, BP_ENOMEM, "out of memory");
	count(s, t, h);
	if (held_add(s, h, t, v) < 0)
		return bp_fail(s->err, BP_ENOMEM, "out of memory");
	return s->o->common.format == OUTPUT_JSONL ? show_jsonl(s, t, names, v, h) :
	       show_text(s, t, names, v, h);
}

/* Takes a copy of the trace, to be marked and judged. */
static int judge_and_show(struct trace_show *s, struct trace *t, uint64_t target)
{
	struct verdict *v = calloc(1, sizeof(*v));
	struct names names;
	int rc;

	names_init(&names);
	rc = v == NULL ? BP_ENOMEM : judge_pass_trace(&s->pass, t, &names, wall_now(), v);
	if (rc < 0) {
		bp_fail(s->err, rc, "out of memory");
	} else {
		name_hosts(s, &names);
		rc = show(s, t, target, &names, v);
	}
	names_fini(&names);
	free(v);
	return rc;
}

int trace_show_trace(struct trace_show *s, const struct trace *t, uint64_t target)
{
	struct trace *copy = malloc(trace_size(t->entry_count));
	int rc;

	if (copy == NULL)
		return bp_fail(s->err, BP_ENOMEM, "out of memory");
	memcpy(copy, t, trace_size(t->entry_count));
	if (s->o->place_known) {
		copy->place_known = true;
		copy->lat = s->o->lat;
		copy->lon = s->o->lon;
	}
	rc = judge_and_show(s, copy, target);
	free(copy);
	return rc;
}

int trace_show_paths(struct trace_show *s, const struct frame_paths *p, uint64_t target)
{
	struct held *h = held_of(s, target);
	int rc;

	if (h == NULL)
		return bp_fail(s->err, BP_ENOMEM, "out of memory");
	paths_searched(&h->paths, p);
	h->complete = true;
	if (s->o->common.format != OUTPUT_JSONL && s->bulk)
		return print_held(s, h);
	buf_clear(&s->out);
	rc = held_finish(s, h);
	if (s->o->common.format != OUTPUT_JSONL)
		return rc < 0 ? rc : held_flush(s, false);
	if (rc == 0)
		rc = emit(s, &s->out);
	held_drop(s, h);
	return rc;
}

static int finish_text(struct trace_show *s)
{
	struct style style = style_of(s->session);
	int rc = held_flush(s, true);

	if (rc < 0 || s->traces == s->failed)
		return rc;
	buf_clear(&s->out);
	if (s->bulk)
		tally_write(&s->out, &style, &s->tally, s->session->profile);
	else if (s->traces > 1)
		report_summary(&s->out, &style, &s->summary);
	report_always(&s->out, &style, s->session->profile);
	return emit(s, &s->out);
}

static int finish_jsonl(struct trace_show *s)
{
	int rc = 0;

	/* Interrupted: the flows that are there are still judged together. */
	while (rc == 0 && s->held != NULL) {
		struct held *h = s->held;

		buf_clear(&s->out);
		rc = held_finish(s, h);
		if (rc == 0)
			rc = emit(s, &s->out);
		held_drop(s, h);
	}
	return rc;
}

int trace_show_mark(struct trace_show *s, const struct trace_end *end)
{
	if (s->o->common.format != OUTPUT_JSONL || !trace_end_marked(end))
		return 0;
	buf_clear(&s->out);
	trace_end_write(&s->out, end);
	return emit(s, &s->out);
}

int trace_show_finish(struct trace_show *s)
{
	return s->o->common.format == OUTPUT_JSONL ? finish_jsonl(s) : finish_text(s);
}

void trace_show_fini(struct trace_show *s)
{
	while (s->held != NULL)
		held_drop(s, s->held);
	report_summary_fini(&s->summary);
	tally_fini(&s->tally);
	buf_fini(&s->out);
}
