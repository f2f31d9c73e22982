// SPDX-License-Identifier: BSD-2-Clause
/* Lines out of a pipe, in the order the plan's grammar wants. */
#include "prober/input.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

void input_init(struct input *in, int fd)
{
	memset(in, 0, sizeof(*in));
	in->fd = fd;
}

void input_fini(struct input *in)
{
	prefixset_fini(&in->avoid);
}

static const char *line_end(const struct input *in)
{
	return memchr(in->bytes, '\n', in->used);
}

bool input_wants(const struct input *in)
{
	return !in->eof && in->state != INPUT_ENDED && line_end(in) == NULL &&
	       in->used < sizeof(in->bytes);
}

void input_read(struct input *in)
{
	ssize_t n = read(in->fd, in->bytes + in->used, sizeof(in->bytes) - in->used);

	if (n > 0)
		in->used += (size_t)n;
	else if (n == 0 || (errno != EINTR && errno != EAGAIN))
		in->eof = true;
}

static const char *const expected[] = {
	[INPUT_HEADER] = "\"borderpath-plan 1\"",
	[INPUT_RUN] = "\"run\"",
	[INPUT_AVOIDS] = "\"avoid\", \"trace\" or \"end\"",
	[INPUT_TRACES] = "\"trace\" or \"end\"",
};

static bool is_wanted(const struct input *in, enum plan_line kind)
{
	switch (in->state) {
	case INPUT_HEADER: return kind == PLAN_LINE_HEADER;
	case INPUT_RUN: return kind == PLAN_LINE_RUN;
	case INPUT_AVOIDS:
		return kind == PLAN_LINE_AVOID || kind == PLAN_LINE_TRACE || kind == PLAN_LINE_END;
	case INPUT_TRACES: return kind == PLAN_LINE_TRACE || kind == PLAN_LINE_END;
	default: return false;
	}
}

static const uint8_t state_after[] = {
	[PLAN_LINE_HEADER] = INPUT_RUN, [PLAN_LINE_RUN] = INPUT_AVOIDS,
	[PLAN_LINE_AVOID] = INPUT_AVOIDS, [PLAN_LINE_TRACE] = INPUT_TRACES,
	[PLAN_LINE_END] = INPUT_ENDED,
};

static int check_order(struct input *in, enum plan_line kind, const struct plan_trace *trace,
		       struct bp_error *err)
{
	if (!is_wanted(in, kind))
		return bp_fail(err, BP_EPARSE, "%s is expected here", expected[in->state]);
	in->state = state_after[kind];
	if (kind != PLAN_LINE_TRACE)
		return 0;
	/* Ids are made of it. */
	if (in->any_trace && trace->seq <= in->last_seq)
		return bp_fail(err, BP_ERANGE, "seq=%" PRIu64 " after seq=%" PRIu64
			       ": it must grow", trace->seq, in->last_seq);
	in->any_trace = true;
	in->last_seq = trace->seq;
	return 0;
}

/* The list is whole when the first trace comes: it is sorted then, once. */
static int take_avoid(struct input *in, enum plan_line kind, struct prefix avoid,
		      struct bp_error *err)
{
	if (kind != PLAN_LINE_AVOID) {
		prefixset_settle(&in->avoid);
		return 0;
	}
	if (in->avoid.count == PLAN_AVOIDS_MAX)
		return bp_fail(err, BP_ERANGE, "more than %d avoid lines", PLAN_AVOIDS_MAX);
	return prefixset_add(&in->avoid, avoid) < 0 ? bp_fail(err, BP_ENOMEM, "out of memory") : 0;
}

int input_next(struct input *in, enum plan_line *kind, struct plan_run *run,
	       struct plan_trace *trace, struct bp_error *err)
{
	const char *end;
	int rc = 0;

	while (in->state != INPUT_ENDED && (end = line_end(in)) != NULL) {
		size_t length = (size_t)(end - in->bytes);
		struct prefix avoid = {0};
		enum plan_line found;

		in->line++;
		rc = plan_parse_line(in->bytes, length, &found, run, trace, &avoid, err);
		if (rc == 0)
			rc = check_order(in, found, trace, err);
		if (rc == 0)
			rc = take_avoid(in, found, avoid, err);
		if (rc < 0)
			goto out;
		in->used -= length + 1;
		memmove(in->bytes, end + 1, in->used);
		if (found == PLAN_LINE_RUN || found == PLAN_LINE_TRACE) {
			*kind = found;
			return 1;
		}
	}
	if (in->state != INPUT_ENDED && in->used > PLAN_LINE_MAX && line_end(in) == NULL) {
		in->line++;
		rc = bp_fail(err, BP_ERANGE, "longer than %d bytes", PLAN_LINE_MAX);
	}
out:
	if (rc < 0)
		bp_error_prefix(err, "plan, line %u", in->line);
	return rc;
}

bool input_done(const struct input *in, bool *cut)
{
	if (in->state == INPUT_ENDED) {
		*cut = false;
		return true;
	}
	*cut = true;
	return in->eof && line_end(in) == NULL;
}
