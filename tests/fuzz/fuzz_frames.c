// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any bytes as what the child writes: a HELLO is put before them, since without one nothing is
 * believed. What reaches the callbacks keeps the promises of its type, and a trace can be written
 * as a record and read again. The stream read in two pieces gives the same as read in one. Seeds:
 * tests/unit/cli/test_frames.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "campaign/frames.h"
#include "core/record/jsonl.h"
#include "tests/fuzz/fuzz.h"

/* What was handed over, in one number for each kind. */
struct heard { uint64_t traces, progress, hops, paths, notes; };

static void check_addr(struct addr a)
{
	char text[ADDR_TEXT];

	must(a.family == 0 || a.family == 4 || a.family == 6);
	addr_format(a, text);
}

static int on_trace(void *arg, const struct trace *t)
{
	static const struct names no_names;
	struct heard *h = arg;
	struct verdict none = {0};
	struct bp_error err = {0};
	struct record again;
	struct buf line;

	buf_init(&line);
	record_init(&again);
	jsonl_write_trace(&line, t, &no_names, &none);
	if (jsonl_read(line.bytes, line.used, &again, &err) < 0) {
		fprintf(stderr, "%s: %s", err.text, line.bytes);
		abort();
	}
	must(again.kind == RECORD_TRACE && again.trace->entry_count == t->entry_count);
	must(trace_validate(again.trace, again.trace->size) == 0);
	record_fini(&again);
	buf_fini(&line);
	h->traces++;
	return 0;
}

static void on_progress(void *arg, const struct frame_progress *p)
{
	struct heard *h = arg;

	check_addr(p->from);
	h->progress++;
}

static void on_hop(void *arg, struct addr from)
{
	struct heard *h = arg;

	must(addr_is_set(from));
	check_addr(from);
	h->hops++;
}

static int on_paths(void *arg, const struct frame_paths *p)
{
	struct heard *h = arg;

	must(p->confidence >= 0 && p->confidence <= 1);
	h->paths++;
	return 0;
}

static void check_text(const char *text, size_t room)
{
	must(memchr(text, '\0', room) != NULL);
	for (; *text != '\0'; text++)
		must((unsigned char)*text >= 0x20 && *text != 0x7f);
}

static void on_note(void *arg, const char *text)
{
	struct heard *h = arg;

	check_text(text, 1024);
	h->notes++;
}

static void hello(struct buf *out)
{
	struct frame_head head = {.magic = FRAME_MAGIC, .type = FRAME_HELLO,
				  .size = sizeof(struct frame_hello)};
	struct frame_hello body = {.version = FRAME_VERSION, .trace_size = sizeof(struct trace),
				   .entry_size = sizeof(struct trace_entry)};

	buf_append(out, &head, sizeof(head));
	buf_append(out, &body, sizeof(body));
}

static int read_in_pieces(const uint8_t *data, size_t size, size_t first, struct heard *h,
			  bool *ended)
{
	struct probe_run r = {.on_trace = on_trace, .on_progress = on_progress, .on_hop = on_hop,
			      .on_paths = on_paths, .on_note = on_note, .arg = h};
	struct bp_error err = {0};
	struct frames f;
	int rc;

	frames_init(&f);
	hello(&f.bytes);
	buf_append(&f.bytes, data, first);
	rc = frames_take(&f, &r, &err);
	if (rc == 0 && first < size) {
		buf_append(&f.bytes, data + first, size - first);
		rc = frames_take(&f, &r, &err);
	}
	must(rc == 0 || (rc == BP_EPARSE && err.code == rc && err.text[0] != '\0'));
	*ended = f.ended;
	if (f.ended)
		check_text(f.end.text, sizeof(f.end.text));
	frames_fini(&f);
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct heard whole = {0}, pieces = {0};
	bool ended, ended_in_pieces;
	int rc = read_in_pieces(data, size, size, &whole, &ended);

	must(read_in_pieces(data, size, size / 2, &pieces, &ended_in_pieces) == rc);
	must(memcmp(&whole, &pieces, sizeof(whole)) == 0 && ended == ended_in_pieces);
	return 0;
}
