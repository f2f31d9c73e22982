// SPDX-License-Identifier: BSD-2-Clause
/* Events: the line as it stands, reading back, what makes a fingerprint, refusals by field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/record/event.h"
#include "core/record/jsonl.h"

#define S(seconds) {INT64_C(seconds) * NS_PER_S}

static struct addr address(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static struct prefix prefix(const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

/* Owned by the caller: free(). */
static struct event *whole_event(void)
{
	struct event *e = malloc(sizeof(*e));

	assert_non_null(e);
	event_init(e);
	text_set(e->profile, sizeof(e->profile), "dprk");
	e->kind = EVENT_BORDER_SWITCH;
	e->status = EVENT_CONFIRMED;
	e->scope = EVENT_SCOPE_PREFIX;
	e->at = (struct wall)S(1506849300);
	e->not_before = (struct wall)S(1506848400);
	e->not_after = (struct wall)S(1506849302);
	e->seen = (struct wall)S(1506849360);
	text_set(e->vantages[0], sizeof(e->vantages[0]), "fra1");
	text_set(e->vantages[1], sizeof(e->vantages[1]), "iad1");
	e->vantage_count = e->seen_by = 2;
	e->seen_of = 8;
	e->prefix = prefix("175.45.176.0/24");
	e->method = METHOD_TCP;
	text_set(e->from.what, sizeof(e->from.what), "dandong");
	e->from.asn = 4837;
	text_set(e->from.org, sizeof(e->from.org), "China Unicom");
	text_set(e->to.what, sizeof(e->to.what), "khasan");
	e->to.asn = 20485;
	e->confidence = .97;
	text_set(e->summary, sizeof(e->summary), "It moved.");
	e->evidence_count = 1;
	e->evidence[0].at = e->at;
	text_set(e->evidence[0].vantage, sizeof(e->evidence[0].vantage), "fra1");
	text_set(e->evidence[0].trace, sizeof(e->evidence[0].trace), "fra1-x-1");
	text_set(e->evidence[0].why, sizeof(e->evidence[0].why), "both flows enter by khasan");
	event_set_fingerprint(e);
	event_set_id(e, (struct wall)S(1506849300), 1);
	text_set(e->revises, sizeof(e->revises), e->id);
	event_set_id(e, (struct wall)S(1506849300), 2);
	return e;
}

/* The names in it must never change: whoever kept old events compares them. */
static const char WHOLE[] =
	"{\"type\":\"event\",\"version\":1,\"id\":\"ev-fb89c7752326c55d-2\",\"revises\":\"ev-fb89c7752326c55d-1\","
	"\"fingerprint\":\"195ac51afb660ecdc948c5b42f11cd76\",\"profile\":\"dprk\",\"status\":\"confirmed\","
	"\"kind\":\"border_switch\",\"scope\":\"prefix\","
	"\"at\":\"2017-10-01T09:15:00.000000000Z\","
	"\"not_before\":\"2017-10-01T09:00:00.000000000Z\","
	"\"not_after\":\"2017-10-01T09:15:02.000000000Z\","
	"\"seen\":\"2017-10-01T09:16:00.000000000Z\",\"vantages\":[\"fra1\",\"iad1\"],"
	"\"seen_by\":2,\"seen_of\":8,\"prefix\":\"175.45.176.0/24\",\"method\":\"tcp\","
	"\"from\":\"dandong\",\"from_asn\":4837,\"from_org\":\"China Unicom\","
	"\"to\":\"khasan\",\"to_asn\":20485,\"confidence\":0.97,\"summary\":\"It moved.\","
	"\"evidence\":[{\"at\":\"2017-10-01T09:15:00.000000000Z\",\"vantage\":\"fra1\","
	"\"trace\":\"fra1-x-1\",\"why\":\"both flows enter by khasan\"}]}\n";

static void an_event_is_written_as_the_interface_says(void **state)
{
	struct event *e = whole_event();
	struct buf out;

	(void)state;
	buf_init(&out);
	event_write_json(&out, e);
	assert_false(out.failed);
	assert_string_equal(out.bytes, WHOLE);
	buf_fini(&out);
	free(e);
}

static int read_line(const char *line, size_t n, struct event *out, struct bp_error *err)
{
	struct record rec;
	int rc;

	record_init(&rec);
	rc = jsonl_read(line, n, &rec, err);
	if (rc == 0)
		rc = event_read(&rec, out, err);
	record_fini(&rec);
	return rc;
}

/* What a field may hold, every enum value, every list empty, half full and full. */
static void vary(struct event *e, unsigned i)
{
	e->kind = (uint8_t)(1 + i % EVENT_FLAPPING);
	e->status = (uint8_t)(i % (EVENT_RESOLVED + 1));
	e->scope = (uint8_t)(i % (EVENT_SCOPE_VANTAGE + 1));
	e->outage = (uint8_t)(i % (EVENT_OUTAGE_RATE_LIMITED + 1));
	e->where = (uint8_t)(i % (EVENT_WHERE_ON_THE_WAY + 1));
	e->withdrawn = i & 1;
	e->networks = (i & 2) && e->kind == EVENT_PATH_CHANGE;
	e->changes = i & 1 ? UINT32_MAX : 0;
	e->ttl = i & 2 ? 255 : 0;
	e->until.ns = i & 1 ? INT64_C(1506849300123456789) : 0;
	e->vantage_count = i % 3 == 0 ? 0 : i % 3 == 1 ? 2 : EVENT_VANTAGES_MAX;
	for (unsigned k = 0; k < EVENT_VANTAGES_MAX; k++) {
		memset(e->vantages[k], 0, sizeof(e->vantages[k]));
		if (k < e->vantage_count)
			snprintf(e->vantages[k], sizeof(e->vantages[k]), "v%02u", k);
	}
	text_set(e->vantage, sizeof(e->vantage), i & 1 ? "Z\xc3\xbcrich" : "");
	e->prefix_count = i % 3 == 0 ? 0 : i % 3 == 1 ? 1 : EVENT_PREFIXES_MAX;
	for (unsigned k = 0; k < e->prefix_count; k++)
		e->prefixes[k] = k & 1 ? prefix("2001:db8::/48") : prefix("175.45.177.0/24");
	if (i & 1)
		e->prefix = (struct prefix){0};
	if (i & 2)
		e->host = address("175.45.176.71");
	if (i & 4) {
		e->before_ns = 282123456;
		e->after_ns = 186000001;
		e->shift_ns = -96123455;
		e->shift_low_ns = -99000000;
		e->shift_high_ns = -92000001;
		e->p_value = 1e-9;
		e->index = i;
	}
	e->coincide_count = i % 3 == 0 ? 0 : EVENT_COINCIDES_MAX;
	for (unsigned k = 0; k < e->coincide_count; k++)
		snprintf(e->coincides[k], sizeof(e->coincides[k]), "ev-%016u-1", k);
	e->evidence_count = i % 4 == 0 ? 0 : i % 4 == 1 ? 1 : EVENT_EVIDENCE_MAX;
	if (e->evidence_count == 0)
		memset(&e->evidence[0], 0, sizeof(e->evidence[0]));
	for (unsigned k = 1; k < e->evidence_count; k++)
		e->evidence[k] = e->evidence[0];
}

static void events_come_back(void **state)
{
	struct buf first, second;
	struct bp_error err;

	(void)state;
	buf_init(&first);
	buf_init(&second);
	for (unsigned i = 0; i < 96; i++) {
		struct event *e = whole_event(), *back = malloc(sizeof(*back));

		assert_non_null(back);
		vary(e, i);
		buf_clear(&first);
		buf_clear(&second);
		event_write_json(&first, e);
		if (read_line(first.bytes, first.used, back, &err) < 0)
			fail_msg("event %u: %s: %s", i, err.text, first.bytes);
		event_write_json(&second, back);
		assert_string_equal(first.bytes, second.bytes);
		assert_memory_equal(e, back, sizeof(*e));
		free(e);
		free(back);
	}
	buf_fini(&first);
	buf_fini(&second);
}

/* Two events, alike but for one thing: whether they are about one thing. */
static void what_a_fingerprint_is_made_of(void **state)
{
	struct event *a = whole_event(), *b = whole_event();

	(void)state;
	b->at.ns++;
	b->from.asn = b->to.asn = 7;
	text_set(b->vantages[0], sizeof(b->vantages[0]), "nrt1");
	text_set(b->vantage, sizeof(b->vantage), "nrt1");
	text_set(b->from.what, sizeof(b->from.what), "khasan");
	b->method = METHOD_ICMP;
	b->status = EVENT_PROVISIONAL;
	event_set_fingerprint(b);
	/* Neither vantage point, nor time, nor method, nor direction. */
	assert_string_equal(a->fingerprint, b->fingerprint);
	event_set_id(b, (struct wall)S(1506849300), 1);
	assert_memory_not_equal(a->id, b->id, 19); /* but it is another event: it began elsewhere */
	b->kind = EVENT_PATH_CHANGE;
	event_set_fingerprint(b);
	assert_string_not_equal(a->fingerprint, b->fingerprint);
	/* A recovery is the end of its outage. */
	a->kind = EVENT_OUTAGE;
	b->kind = EVENT_RECOVERY;
	event_set_fingerprint(a);
	event_set_fingerprint(b);
	assert_string_equal(a->fingerprint, b->fingerprint);
	b->host = address("175.45.176.71");
	event_set_fingerprint(b);
	assert_string_not_equal(a->fingerprint, b->fingerprint);
	b->host = (struct addr){0};
	b->prefix.len = 25;
	event_set_fingerprint(b);
	assert_string_not_equal(a->fingerprint, b->fingerprint);
	/* Two vantage points that are down are two things. */
	a->scope = b->scope = EVENT_SCOPE_VANTAGE;
	b->prefix = a->prefix;
	text_set(a->vantage, sizeof(a->vantage), "fra1");
	event_set_fingerprint(a);
	event_set_fingerprint(b);
	assert_string_not_equal(a->fingerprint, b->fingerprint);
	/* So are two borders. */
	a->scope = b->scope = EVENT_SCOPE_BORDER;
	event_set_fingerprint(a);
	event_set_fingerprint(b);
	assert_string_not_equal(a->fingerprint, b->fingerprint);
	free(a);
	free(b);
}

static void ids_say_where_an_event_began(void **state)
{
	struct event *a = whole_event(), *b = whole_event();

	(void)state;
	event_set_id(a, (struct wall)S(1506849300), 3);
	event_set_id(b, (struct wall)S(1506849300), 12);
	assert_memory_equal(a->id, b->id, 3 + 16 + 1);
	assert_string_equal(a->id + 20, "3");
	assert_string_equal(b->id + 20, "12");
	event_set_id(b, (struct wall)S(1506850200), 3);
	assert_memory_not_equal(a->id, b->id, 19);
	free(a);
	free(b);
}

#define HEAD "{\"type\":\"event\",\"at\":\"2017-10-01T09:15:00Z\",\"kind\":\"outage\","

static void wrong_events_are_refused_by_field(void **state)
{
	static const struct {
		const char *line;
		int code;
		const char *says;
	} rows[] = {
		{HEAD "\"version\":1}", 0, "the least there can be"},
		{HEAD "\"later\":{\"x\":[]},\"vantage\":null}", 0, "not ours; null is not known"},
		{"{\"type\":\"event\",\"kind\":\"outage\"}", BP_EPARSE, "at: expected a time"},
		{"{\"type\":\"event\",\"at\":\"2017-10-01T09:15:00Z\"}", BP_EPARSE, "kind: "},
		{HEAD "\"version\":2}", BP_EUNSUP, "version: "},
		{HEAD "\"status\":\"fine\"}", BP_EPARSE, "status: expected one of provisional"},
		{HEAD "\"scope\":7}", BP_EPARSE, "scope: expected a string"},
		{HEAD "\"outage\":\"total\"}", BP_EPARSE, "outage: expected one of"},
		{HEAD "\"where\":\"there\"}", BP_EPARSE, "where: expected one of"},
		{HEAD "\"not_before\":\"yesterday\"}", BP_EPARSE, "not_before: "},
		{HEAD "\"seen_by\":-1}", BP_ERANGE, "seen_by: "},
		{HEAD "\"prefix\":\"175.45.176.1/24\"}", BP_EPARSE, "prefix: expected a prefix"},
		{HEAD "\"prefixes\":[\"175.45.176.0/24\",7]}", BP_EPARSE, "prefixes[1]: "},
		{HEAD "\"host\":\"www\"}", BP_EPARSE, "host: "},
		{HEAD "\"before_ms\":-1}", BP_ERANGE, "before_ms: "},
		{HEAD "\"confidence\":1.5}", BP_ERANGE, "confidence: "},
		{HEAD "\"p_value\":2}", BP_ERANGE, "p_value: "},
		{HEAD "\"ttl\":256}", BP_ERANGE, "ttl: "},
		{HEAD "\"coincides\":[7]}", BP_EPARSE, "coincides[0]: expected a string"},
		{HEAD "\"coincides\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\"]}",
		 BP_ERANGE, "coincides: "},
		{HEAD "\"evidence\":[{},7]}", BP_EPARSE, "evidence[1]: expected an object"},
		{HEAD "\"evidence\":[{\"at\":\"now\"}]}", BP_EPARSE, "evidence[0].at: "},
		{"{\"type\":\"round\",\"planned\":\"2017-10-01T09:15:00Z\"}", BP_EINVAL, "no event"},
	};
	struct event *e = malloc(sizeof(*e)), *untouched = malloc(sizeof(*untouched));

	(void)state;
	assert_non_null(e);
	assert_non_null(untouched);
	memset(untouched, 0x5a, sizeof(*untouched));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bp_error err = {0};
		int rc;

		memcpy(e, untouched, sizeof(*e));
		rc = read_line(rows[i].line, strlen(rows[i].line), e, &err);
		if (rc != rows[i].code || (rc < 0 && strstr(err.text, rows[i].says) == NULL))
			fail_msg("%s: %d (%s), not %d (%s)", rows[i].line, rc, err.text,
				 rows[i].code, rows[i].says);
		if (rc < 0)
			assert_memory_equal(e, untouched, sizeof(*e));
	}
	free(e);
	free(untouched);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_is_written_as_the_interface_says),
		cmocka_unit_test(events_come_back),
		cmocka_unit_test(what_a_fingerprint_is_made_of),
		cmocka_unit_test(ids_say_where_an_event_began),
		cmocka_unit_test(wrong_events_are_refused_by_field),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
