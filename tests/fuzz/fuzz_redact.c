// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any bytes as a native record that is redacted: what comes out is a record, and no field of a
 * trace holds an address that was learned. Seeds come from tests/unit/core/record/test_redact.c.
 */
#include "core/record/redact.h"
#include "tests/fuzz/fuzz.h"

static bool is_dummy(struct addr a)
{
	struct addr dummy;

	return addr_parse(a.family == 4 ? REDACT_DUMMY_V4 : REDACT_DUMMY_V6, &dummy) == 0 &&
	       addr_equal(a, dummy);
}

/* The first two TTLs show the destination or nobody, and the source is nowhere. */
static void check_trace(const struct trace *t, struct addr src, struct addr dst)
{
	must(trace_validate(t, t->size) == 0 && !addr_is_set(t->src));
	must(t->ifname[0] == '\0' && !t->place_known);
	for (uint32_t i = 0; i < t->entry_count; i++) {
		struct addr from = t->entries[i].reply.from;

		must(!addr_is_set(from) || !addr_equal(from, src) || is_dummy(from));
		must(t->entries[i].ttl > 2 || !addr_is_set(from) || is_dummy(from) ||
		     addr_equal(from, dst));
	}
}

static void check_record(struct record *r)
{
	struct addr src = {0}, dst = {0};
	struct record again;
	struct redact redact;
	struct buf out;
	int rc;

	if (r->kind == RECORD_TRACE) {
		src = r->trace->src;
		dst = r->trace->dst;
	}
	redact_init(&redact);
	must(redact_parse(&redact, "src,first-hops=2", NULL) == 0);
	must(redact_learn(&redact, r, NULL) == 0);
	rc = redact_apply(&redact, r, NULL);
	must(rc == 0 || rc == BP_EPARSE || rc == BP_ERANGE);
	if (rc == 0) {
		buf_init(&out);
		record_init(&again);
		must(jsonl_write_record(&out, r, NULL, NULL) == 0);
		must(jsonl_read(out.bytes, out.used, &again, NULL) == 0 && again.kind == r->kind);
		if (r->kind == RECORD_TRACE)
			check_trace(again.trace, src, dst);
		record_fini(&again);
		buf_fini(&out);
	}
	redact_fini(&redact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bp_error err = {0};
	struct record r;

	record_init(&r);
	if (jsonl_read((const char *)data, size, &r, &err) == 0)
		check_record(&r);
	record_fini(&r);
	return 0;
}
