// SPDX-License-Identifier: BSD-2-Clause
/* Reads records out of bytes, for tests: all that a reader gives, as one text that people read. */
#ifndef TESTS_UNIT_CORE_RECORD_READ_TEXT_H
#define TESTS_UNIT_CORE_RECORD_READ_TEXT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/record/format.h"

static inline void note_skip(void *arg, const struct bp_error *err)
{
	struct buf *out = arg;

	buf_printf(out, "skipped %s\n", err->text);
}

/* "| 16 * * 219.158.39.42/284.168!3.13 ": TTL, then each probe: address/ms!type.code mpls. */
static inline void put_hops_text(struct buf *out, const struct trace *t)
{
	char text[ADDR_TEXT];

	for (uint32_t i = 0; i < t->entry_count; i++) {
		const struct reply *r = &t->entries[i].reply;

		if (i == 0 || t->entries[i].ttl != t->entries[i - 1].ttl)
			buf_printf(out, "| %u ", t->entries[i].ttl);
		if (!addr_is_set(r->from)) {
			buf_str(out, "* ");
			continue;
		}
		buf_printf(out, "%s/", addr_format(r->from, text));
		if (r->rtt_ns >= 0)
			buf_printf(out, "%.3f", (double)r->rtt_ns / 1e6);
		if (r->icmp_type >= 0)
			buf_printf(out, "!%d.%d", r->icmp_type, r->icmp_code);
		if (r->mtu >= 0)
			buf_printf(out, "m%d", r->mtu);
		for (unsigned k = 0; k < r->mpls_count; k++)
			buf_printf(out, "L%u.%u.%u.%u", r->mpls[k].label, r->mpls[k].exp,
				   r->mpls[k].s, r->mpls[k].ttl);
		buf_char(out, ' ');
	}
}

/* "udp > 10.0.0.9 (example.net) reached reached max 30 size 60\n" and the hops. */
static inline void put_trace_text(struct buf *out, const struct trace *t)
{
	char text[ADDR_TEXT], when[WALL_TEXT];

	buf_printf(out, "%s", word_of(method_words, t->method));
	if (t->dport >= 0)
		buf_printf(out, ":%d", t->dport);
	buf_printf(out, " > %s", addr_format(t->dst, text));
	if (t->target[0])
		buf_printf(out, " (%s)", t->target);
	buf_printf(out, " %s %s", word_of(stop_words, t->stop), word_of(reach_words, t->reach));
	if (t->max_ttl)
		buf_printf(out, " max %u", t->max_ttl);
	if (t->probe_size >= 0)
		buf_printf(out, " size %d", t->probe_size);
	if (t->attempts)
		buf_printf(out, " q %u", t->attempts);
	if (addr_is_set(t->src))
		buf_printf(out, " from %s", addr_format(t->src, text));
	if (t->start.ns != 0)
		buf_printf(out, " at %s", wall_format_short(t->start, when));
	buf_char(out, '\n');
	put_hops_text(out, t);
	buf_char(out, '\n');
}

/* All records of `bytes`; returns the final code of record_read. format NULL: detect. */
static inline int read_text(const char *bytes, size_t n, const struct format *format,
			    struct buf *out, struct bp_error *err)
{
	FILE *f = fmemopen((void *)(uintptr_t)bytes, n ? n : 1, "r");
	struct record_reader r;
	struct record rec;
	int rc;

	if (f == NULL)
		abort();
	if (n == 0)
		getc(f);
	record_reader_init(&r, f, "in", format);
	r.on_skip = note_skip;
	r.on_skip_arg = out;
	for (;;) {
		record_init(&rec);
		rc = record_read(&r, &rec, err);
		if (rc < 0)
			break;
		if (rec.kind == RECORD_TRACE)
			put_trace_text(out, rec.trace);
		else
			buf_printf(out, "record of kind %d\n", rec.kind);
		if (rec.kind == RECORD_TRACE && trace_validate(rec.trace, rec.trace->size) < 0)
			buf_str(out, "INVALID\n");
		record_fini(&rec);
	}
	record_reader_fini(&r);
	fclose(f);
	return rc;
}

#endif
