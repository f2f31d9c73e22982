// SPDX-License-Identifier: BSD-2-Clause
/* Bytes of the child -> frames -> callbacks. */
#include "campaign/frames.h"

#include <stdlib.h>
#include <string.h>

void frames_init(struct frames *f)
{
	*f = (struct frames){0};
	buf_init(&f->bytes);
}

void frames_fini(struct frames *f)
{
	buf_fini(&f->bytes);
}

static bool family_is_known(struct addr a)
{
	return a.family == 0 || a.family == 4 || a.family == 6;
}

static int take_progress(const struct probe_run *r, const uint8_t *body, size_t n,
			 struct bp_error *err)
{
	struct frame_progress progress;

	/* Only for the eyes: one that is not understood is passed over. */
	if (n != sizeof(progress) || r->on_progress == NULL)
		return 0;
	memcpy(&progress, body, sizeof(progress));
	if (!family_is_known(progress.from))
		return bp_fail(err, BP_EPARSE, "borderpath-probe sent progress that makes no sense");
	r->on_progress(r->arg, &progress);
	return 0;
}

static int take_hop(const struct probe_run *r, const uint8_t *body, size_t n, struct bp_error *err)
{
	struct addr from;

	if (n != sizeof(from) || r->on_hop == NULL)
		return 0;
	memcpy(&from, body, sizeof(from));
	if (!addr_is_set(from) || !family_is_known(from))
		return bp_fail(err, BP_EPARSE, "borderpath-probe sent a hop that makes no sense");
	r->on_hop(r->arg, from);
	return 0;
}

static int take_end(struct frames *f, const uint8_t *body, size_t n, struct bp_error *err)
{
	struct frame_end end;

	if (n != sizeof(end))
		return bp_fail(err, BP_EPARSE, "borderpath-probe is of another version");
	memcpy(&end, body, sizeof(end));
	f->end = end;
	/* It is printed: not a byte that a terminal would obey. */
	text_copy(f->end.text, sizeof(f->end.text), end.text, strnlen(end.text, sizeof(end.text)));
	f->ended = true;
	return 0;
}

static int take_hello(struct frames *f, const uint8_t *body, size_t n, struct bp_error *err)
{
	struct frame_hello hello;

	if (n != sizeof(hello))
		return bp_fail(err, BP_EPARSE, "borderpath-probe is of another version");
	memcpy(&hello, body, sizeof(hello));
	if (hello.version != FRAME_VERSION || hello.trace_size != sizeof(struct trace) ||
	    hello.entry_size != sizeof(struct trace_entry))
		return bp_fail(err, BP_EPARSE, "borderpath-probe is of another version: install both "
			       "programs from one build");
	f->hello = true;
	return 0;
}

static int take_trace(const struct probe_run *r, const uint8_t *body, size_t n,
		      struct bp_error *err)
{
	struct trace *t;
	int rc;

	/* A copy is aligned, and the validator may trust its size. */
	t = malloc(n > sizeof(*t) ? n : sizeof(*t));
	if (t == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	memcpy(t, body, n);
	rc = trace_validate(t, n);
	if (rc < 0)
		rc = bp_fail(err, rc, "borderpath-probe sent a trace that makes no sense");
	else
		rc = r->on_trace(r->arg, t);
	free(t);
	return rc;
}

static int take_paths(const struct probe_run *r, const uint8_t *body, size_t n,
		      struct bp_error *err)
{
	struct frame_paths paths;
	bool sane = true;

	if (n != sizeof(paths))
		return bp_fail(err, BP_EPARSE, "borderpath-probe is of another version");
	memcpy(&paths, body, sizeof(paths));
	for (unsigned ttl = 0; ttl <= TRACE_MAX_TTL; ttl++)
		sane &= paths.balancing[ttl] <= BALANCING_PER_PACKET;
	if (!sane || !(paths.confidence >= 0 && paths.confidence <= 1))
		return bp_fail(err, BP_EPARSE, "borderpath-probe sent paths that make no sense");
	return r->on_paths != NULL ? r->on_paths(r->arg, &paths) : 0;
}

static int take_frame(struct frames *f, const struct probe_run *r, const struct frame_head *head,
		      const uint8_t *body, struct bp_error *err)
{
	char note[1024];

	if (!f->hello && head->type != FRAME_HELLO && head->type != FRAME_END)
		return bp_fail(err, BP_EPARSE, "borderpath-probe did not introduce itself");
	switch (head->type) {
	case FRAME_HELLO:
		return take_hello(f, body, head->size, err);
	case FRAME_TRACE:
		f->result = true;
		return take_trace(r, body, head->size, err);
	case FRAME_PATHS:
		f->result = true;
		return take_paths(r, body, head->size, err);
	case FRAME_PROGRESS:
		return take_progress(r, body, head->size, err);
	case FRAME_HOP:
		return take_hop(r, body, head->size, err);
	case FRAME_NOTE:
		text_copy(note, sizeof(note), (const char *)body, head->size);
		if (r->on_note != NULL)
			r->on_note(r->arg, note);
		return 0;
	case FRAME_END:
		return take_end(f, body, head->size, err);
	default:
		return bp_fail(err, BP_EPARSE, "borderpath-probe sent an unknown frame");
	}
}

int frames_take(struct frames *f, const struct probe_run *r, struct bp_error *err)
{
	size_t at = 0;
	int rc = 0;

	f->result = false;
	while (rc == 0 && !f->ended && f->bytes.used - at >= sizeof(struct frame_head)) {
		const uint8_t *bytes = (const uint8_t *)f->bytes.bytes + at;
		struct frame_head head;

		memcpy(&head, bytes, sizeof(head));
		if (head.magic != FRAME_MAGIC || head.size > FRAME_SIZE_MAX)
			return bp_fail(err, BP_EPARSE, "borderpath-probe wrote something else than "
				       "frames");
		if (f->bytes.used - at - sizeof(head) < head.size)
			break;
		rc = take_frame(f, r, &head, bytes + sizeof(head), err);
		at += sizeof(head) + head.size;
	}
	buf_consume(&f->bytes, at);
	return rc;
}
