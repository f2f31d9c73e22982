// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the child may say and what becomes of it: each row is a stream behind a good HELLO, with
 * nothing or one thing wrong. The good ones are cut at every byte too: half a frame is no error.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "campaign/frames.h"
#include "tests/unit/seeds.h"

static void put_frame(struct buf *out, uint32_t type, const void *body, size_t n)
{
	struct frame_head head = {.magic = FRAME_MAGIC, .type = type, .size = (uint32_t)n};

	buf_append(out, &head, sizeof(head));
	buf_append(out, body, n);
}

static void put_hello(struct buf *out)
{
	struct frame_hello hello = {.version = FRAME_VERSION, .trace_size = sizeof(struct trace),
				    .entry_size = sizeof(struct trace_entry)};

	put_frame(out, FRAME_HELLO, &hello, sizeof(hello));
}

/* A trace of three entries: a router, one that is silent, the destination. */
static struct trace *a_trace(void)
{
	struct trace *t = trace_new(3);

	assert_non_null(t);
	t->entry_count = 3;
	t->size = (uint32_t)trace_size(3);
	t->seq = 7;
	t->method = METHOD_ICMP;
	t->src = addr_v4((const uint8_t[4]){192, 0, 2, 1});
	t->dst = addr_v4((const uint8_t[4]){198, 51, 100, 7});
	t->stop = STOP_REACHED;
	t->reach = REACH_REACHED;
	for (uint8_t i = 0; i < 3; i++) {
		trace_entry_init(&t->entries[i], i + 1, 1);
		if (i == 1)
			continue;
		t->entries[i].why = WHY_NONE;
		t->entries[i].reply.from = i ? t->dst : addr_v4((const uint8_t[4]){10, 0, 0, 1});
		t->entries[i].reply.icmp_type = i ? 0 : 11;
		t->entries[i].reply.icmp_code = 0;
		t->entries[i].reply.rtt_ns = 1000000;
	}
	return t;
}

/* What a row's stream is made of. */
enum make {
	NOTHING,
	TRACE, TRACE_BODY_LONG, TRACE_BODY_SHORT, TRACE_COUNT, TRACE_TEXT, TRACE_ENUM,
	TRACE_FAMILY, TRACE_BOOL, TRACE_LABEL, TRACE_PORT, TRACE_TYPE, TRACE_ORDER, TRACE_RTT,
	TRACE_PLACE,
	PROGRESS, PROGRESS_SHORT, PROGRESS_FROM, HOP, HOP_FAMILY, HOP_NONE, NOTE, NOTE_EMPTY,
	PATHS, PATHS_CONFIDENCE, PATHS_SHORT, END, END_TEXT, END_THEN_MORE, HELLO_AGAIN,
	HELLO_OTHER, MAGIC, UNKNOWN, HUGE_SIZE,
};

static const struct {
	enum make make;
	const char *why;
	int rc;
	unsigned traces, others;
} rows[] = {
	{NOTHING, "no frame at all", 0, 0, 0},
	{TRACE, "a trace", 0, 1, 0},
	{TRACE_BODY_LONG, "bytes behind the last entry", BP_EPARSE, 0, 0},
	{TRACE_BODY_SHORT, "cut in the head", BP_EPARSE, 0, 0},
	{TRACE_COUNT, "more entries than there are", BP_EPARSE, 0, 0},
	{TRACE_TEXT, "a text without an end", BP_EPARSE, 0, 0},
	{TRACE_ENUM, "a stop reason that is none", BP_EPARSE, 0, 0},
	{TRACE_FAMILY, "an address of no family we know", BP_EPARSE, 0, 0},
	{TRACE_BOOL, "a truth value of 2", BP_EPARSE, 0, 0},
	{TRACE_LABEL, "an MPLS label of 21 bits", BP_EPARSE, 0, 0},
	{TRACE_PORT, "a port of 17 bits", BP_EPARSE, 0, 0},
	{TRACE_TYPE, "an ICMP type below unknown", BP_EPARSE, 0, 0},
	{TRACE_ORDER, "entries out of order", BP_EPARSE, 0, 0},
	{TRACE_RTT, "an RTT below unknown", BP_EPARSE, 0, 0},
	{TRACE_PLACE, "a latitude beyond the pole", BP_EPARSE, 0, 0},
	{PROGRESS, "progress", 0, 0, 1},
	{PROGRESS_SHORT, "progress of another size is passed over", 0, 0, 0},
	{PROGRESS_FROM, "progress with an address of no family", BP_EPARSE, 0, 0},
	{HOP, "a hop", 0, 0, 1},
	{HOP_FAMILY, "a hop of no family we know", BP_EPARSE, 0, 0},
	{HOP_NONE, "a hop without an address", BP_EPARSE, 0, 0},
	{NOTE, "a note is told without its control characters", 0, 0, 1},
	{NOTE_EMPTY, "a note of no bytes", 0, 0, 1},
	{PATHS, "paths", 0, 0, 1},
	{PATHS_CONFIDENCE, "a confidence that is no number", BP_EPARSE, 0, 0},
	{PATHS_SHORT, "paths of another size", BP_EPARSE, 0, 0},
	{END, "the end", 0, 0, 0},
	{END_TEXT, "its text is told without its control characters", 0, 0, 0},
	{END_THEN_MORE, "what follows the end is not read", 0, 0, 0},
	{HELLO_AGAIN, "a second HELLO changes nothing", 0, 1, 0},
	{HELLO_OTHER, "another version", BP_EPARSE, 0, 0},
	{MAGIC, "something else than frames", BP_EPARSE, 1, 0},
	{UNKNOWN, "an unknown frame", BP_EPARSE, 0, 0},
	{HUGE_SIZE, "a size beyond all sense", BP_EPARSE, 0, 0},
};

static void make_trace(enum make make, struct buf *out)
{
	struct trace *t = a_trace();
	size_t n = t->size;
	uint8_t two = 2;

	t = realloc(t, n + 8);
	assert_non_null(t);
	memset((uint8_t *)t + n, 0, 8);
	switch (make) {
	case TRACE_BODY_LONG: n += 8; break;
	case TRACE_BODY_SHORT: n = 100; break;
	case TRACE_COUNT: t->entry_count = 4; break;
	case TRACE_TEXT: memset(t->tool, 'x', sizeof(t->tool)); break;
	case TRACE_ENUM: t->stop = 200; break;
	case TRACE_FAMILY: t->entries[0].reply.from.family = 5; break;
	case TRACE_BOOL: memcpy(&t->clock_stepped, &two, 1); break;
	case TRACE_LABEL:
		t->entries[0].reply.mpls_count = 1;
		t->entries[0].reply.mpls[0].label = 1 << 20;
		break;
	case TRACE_PORT: t->dport = 65536; break;
	case TRACE_TYPE: t->entries[0].reply.icmp_type = -2; break;
	case TRACE_ORDER: t->entries[0].ttl = 9; break;
	case TRACE_RTT: t->entries[0].reply.rtt_ns = -2; break;
	case TRACE_PLACE: t->place_known = true; t->lat = 91; break;
	default: break;
	}
	put_frame(out, FRAME_TRACE, t, n);
	free(t);
}

static void make_other(enum make make, struct buf *out)
{
	struct frame_progress p = {.done = 3, .rtt_ns = -1};
	struct frame_paths paths = {.seq = 7, .flows = 6, .level = 95, .confidence = 0.97};
	struct frame_end end = {.done = 1, .sent = 30, .text = "the plan is cut"};
	struct addr hop = addr_v4((const uint8_t[4]){10, 0, 0, 1});
	static const char note[] = "a \x1b[31mred\x07 note";

	switch (make) {
	case PROGRESS: put_frame(out, FRAME_PROGRESS, &p, sizeof(p)); break;
	case PROGRESS_SHORT: put_frame(out, FRAME_PROGRESS, &p, sizeof(p) - 1); break;
	case PROGRESS_FROM:
		p.from.family = 9;
		put_frame(out, FRAME_PROGRESS, &p, sizeof(p));
		break;
	case HOP_FAMILY:
	case HOP_NONE:
		hop.family = make == HOP_NONE ? 0 : 7;
		put_frame(out, FRAME_HOP, &hop, sizeof(hop));
		break;
	case HOP: put_frame(out, FRAME_HOP, &hop, sizeof(hop)); break;
	case NOTE: put_frame(out, FRAME_NOTE, note, sizeof(note) - 1); break;
	case NOTE_EMPTY: put_frame(out, FRAME_NOTE, note, 0); break;
	case PATHS_SHORT: put_frame(out, FRAME_PATHS, &paths, sizeof(paths) - 1); break;
	case PATHS_CONFIDENCE:
		memset(&paths.confidence, 0xff, sizeof(paths.confidence));
		put_frame(out, FRAME_PATHS, &paths, sizeof(paths));
		break;
	case PATHS: put_frame(out, FRAME_PATHS, &paths, sizeof(paths)); break;
	case END_TEXT:
		memset(end.text, '\x1b', sizeof(end.text));
		put_frame(out, FRAME_END, &end, sizeof(end));
		break;
	case END:
	case END_THEN_MORE: put_frame(out, FRAME_END, &end, sizeof(end)); break;
	default: break;
	}
}

static void make(enum make make, struct buf *out)
{
	struct frame_hello other = {.version = FRAME_VERSION + 1};
	struct frame_head odd = {.magic = FRAME_MAGIC, .type = FRAME_NOTE, .size = UINT32_MAX};

	switch (make) {
	case NOTHING: break;
	case HELLO_AGAIN:
		put_hello(out);
		make_trace(TRACE, out);
		break;
	case HELLO_OTHER: put_frame(out, FRAME_HELLO, &other, sizeof(other)); break;
	case MAGIC:
		make_trace(TRACE, out);
		buf_append(out, "Segmentation fault", 18);
		break;
	case UNKNOWN: put_frame(out, 99, "", 0); break;
	case HUGE_SIZE: buf_append(out, &odd, sizeof(odd)); break;
	default:
		if (make >= TRACE && make <= TRACE_PLACE)
			make_trace(make, out);
		else
			make_other(make, out);
		if (make == END_THEN_MORE)
			make_trace(TRACE, out);
	}
}

struct heard { unsigned traces, others; };

static void check_text(const char *text)
{
	for (; *text != '\0'; text++)
		assert_true((unsigned char)*text >= 0x20);
}

static int on_trace(void *arg, const struct trace *t)
{
	struct heard *h = arg;

	assert_int_equal(t->entry_count, 3);
	h->traces++;
	return 0;
}

static void on_progress(void *arg, const struct frame_progress *p)
{
	struct heard *h = arg;

	assert_int_equal(p->done, 3);
	h->others++;
}

static void on_hop(void *arg, struct addr from)
{
	struct heard *h = arg;

	assert_int_equal(from.family, 4);
	h->others++;
}

static int on_paths(void *arg, const struct frame_paths *p)
{
	struct heard *h = arg;

	assert_int_equal(p->flows, 6);
	h->others++;
	return 0;
}

static void on_note(void *arg, const char *text)
{
	struct heard *h = arg;

	check_text(text);
	h->others++;
}

static int take(const struct buf *stream, size_t n, struct frames *f, struct heard *h,
		struct bp_error *err)
{
	const struct probe_run r = {.on_trace = on_trace, .on_progress = on_progress,
				    .on_hop = on_hop, .on_paths = on_paths, .on_note = on_note,
				    .arg = h};

	frames_init(f);
	put_hello(&f->bytes);
	buf_append(&f->bytes, stream->bytes, n);
	return frames_take(f, &r, err);
}

static void streams(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bp_error err = {0};
		struct heard h = {0};
		struct frames f;
		struct buf stream;
		int rc;

		buf_init(&stream);
		make(rows[i].make, &stream);
		seed_write("frames", "row", i, stream.bytes ? stream.bytes : "", stream.used);
		rc = take(&stream, stream.used, &f, &h, &err);
		if (rc != rows[i].rc || h.traces != rows[i].traces || h.others != rows[i].others)
			fail_msg("%s: %d, %u traces, %u others (%s)", rows[i].why, rc, h.traces,
				 h.others, err.text);
		assert_true(rc == 0 || err.text[0] != '\0');
		if (rc == 0)
			assert_int_equal(f.result, h.traces > 0 || rows[i].make == PATHS);
		if (f.ended)
			check_text(f.end.text);
		frames_fini(&f);
		buf_fini(&stream);
	}
}

static void cut_anywhere(void **state)
{
	static const enum make good[] = {TRACE, PROGRESS, HOP, NOTE, PATHS, END};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct bp_error err = {0};
		struct buf stream;

		buf_init(&stream);
		make(good[i], &stream);
		for (size_t n = 0; n < stream.used; n++) {
			struct heard h = {0};
			struct frames f;

			assert_int_equal(take(&stream, n, &f, &h, &err), 0);
			assert_int_equal(h.traces + h.others, 0);
			assert_int_equal(f.bytes.used, n);
			assert_false(f.ended);
			frames_fini(&f);
		}
		buf_fini(&stream);
	}
}

static void nothing_is_believed_without_a_hello(void **state)
{
	struct heard h = {0};
	const struct probe_run r = {.on_trace = on_trace, .arg = &h};
	struct bp_error err = {0};
	struct frames f;

	(void)state;
	frames_init(&f);
	make_trace(TRACE, &f.bytes);
	assert_int_equal(frames_take(&f, &r, &err), BP_EPARSE);
	assert_int_equal(h.traces, 0);
	frames_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(streams),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(nothing_is_believed_without_a_hello),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
