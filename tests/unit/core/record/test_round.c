// SPDX-License-Identifier: BSD-2-Clause
/* Rounds: the name, the line as it stands in the interface, reading back, refusals by field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "core/record/jsonl.h"
#include "core/record/round.h"

#define S(seconds) {INT64_C(seconds) * NS_PER_S}

static struct addr address(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static struct round whole_round(void)
{
	struct round r;

	round_init(&r);
	text_set(r.campaign, sizeof(r.campaign), "dprk-borders");
	text_set(r.vantage, sizeof(r.vantage), "fra1");
	r.planned = (struct wall)S(1795341600); /* 2026-11-22T10:00:00Z */
	round_set_id(&r);
	r.start = (struct wall)S(1795341607);
	r.end = (struct wall)S(1795341660);
	r.expected = 12;
	r.done = 10;
	r.traces = 25;
	r.missed = 2;
	r.why = ROUND_WHY_PROBER;
	text_set(r.note, sizeof(r.note), "the prober died twice");
	r.health = ROUND_HEALTH_PARTIAL;
	r.reference_asked = 2;
	r.reference_answered = 1;
	r.source = address("10.0.0.5");
	r.public_addr = address("203.0.113.2");
	r.egress_asn = 64500;
	text_set(r.egress_org, sizeof(r.egress_org), "Example Hosting");
	r.transit_asn = 64501;
	text_set(r.transit_org, sizeof(r.transit_org), "Example Transit");
	r.transit = address("198.51.100.1");
	r.changed = ROUND_CHANGED_EGRESS | ROUND_CHANGED_TRANSIT;
	r.substitute_count = 1;
	text_set(r.substitutes[0].target, sizeof(r.substitutes[0].target), "web");
	r.substitutes[0].from = address("175.45.176.71");
	r.substitutes[0].to = address("175.45.176.75");
	text_set(r.substitutes[0].host, sizeof(r.substitutes[0].host), "web2.example");
	r.substitutes[0].silent = 3;
	r.silence_count = 1;
	text_set(r.silences[0].target, sizeof(r.silences[0].target), "mail");
	r.silences[0].rounds = 4;
	r.silences[0].ask_at = 6;
	r.sent = 420;
	r.received = 400;
	r.drops = 0;
	r.clock_stepped = true;
	return r;
}

static const char WHOLE[] =
	"{\"type\":\"round\",\"version\":1,\"id\":\"dprk_borders-fra1-20261122T100000Z\","
	"\"campaign\":\"dprk-borders\",\"vantage\":\"fra1\","
	"\"planned\":\"2026-11-22T10:00:00.000000000Z\","
	"\"start\":\"2026-11-22T10:00:07.000000000Z\","
	"\"end\":\"2026-11-22T10:01:00.000000000Z\",\"expected\":12,\"done\":10,\"traces\":25,"
	"\"missed\":2,\"why\":\"prober\",\"note\":\"the prober died twice\","
	"\"health\":{\"state\":\"partial\",\"reference_asked\":2,\"reference_answered\":1},"
	"\"identity\":{\"source\":\"10.0.0.5\",\"public_addr\":\"203.0.113.2\","
	"\"egress\":{\"asn\":64500,\"org\":\"Example Hosting\"},"
	"\"transit\":{\"asn\":64501,\"org\":\"Example Transit\",\"from\":\"198.51.100.1\"},"
	"\"changed\":[\"egress\",\"transit\"]},"
	"\"substitutes\":[{\"target\":\"web\",\"from\":\"175.45.176.71\",\"to\":\"175.45.176.75\","
	"\"host\":\"web2.example\",\"silent\":3}],"
	"\"silent\":[{\"target\":\"mail\",\"rounds\":4,\"ask_at\":6}],"
	"\"sent\":420,\"received\":400,\"drops\":0,\"clock\":{\"stepped\":true}}\n";

static void a_round_is_written_as_the_interface_says(void **state)
{
	struct round r = whole_round();
	struct buf out;

	(void)state;
	buf_init(&out);
	round_write_json(&out, &r);
	assert_false(out.failed);
	assert_string_equal(out.bytes, WHOLE);
	buf_fini(&out);
}

static void a_gap_says_only_what_is_known(void **state)
{
	struct round r;
	struct buf out;

	(void)state;
	round_init(&r);
	text_set(r.campaign, sizeof(r.campaign), "c");
	text_set(r.vantage, sizeof(r.vantage), "v");
	r.planned = (struct wall)S(1795341600);
	round_set_id(&r);
	r.expected = r.missed = 4;
	r.why = ROUND_WHY_DOWN;
	buf_init(&out);
	round_write_json(&out, &r);
	assert_string_equal(out.bytes,
			    "{\"type\":\"round\",\"version\":1,\"id\":\"c-v-20261122T100000Z\","
			    "\"campaign\":\"c\",\"vantage\":\"v\","
			    "\"planned\":\"2026-11-22T10:00:00.000000000Z\",\"expected\":4,"
			    "\"done\":0,\"traces\":0,\"missed\":4,\"why\":\"down\"}\n");
	buf_fini(&out);
}

static int read_line(const char *line, size_t n, struct round *out, struct bp_error *err)
{
	struct record rec;
	int rc;

	record_init(&rec);
	rc = jsonl_read(line, n, &rec, err);
	if (rc == 0)
		rc = round_read(&rec, out, err);
	record_fini(&rec);
	return rc;
}

/* Every enum value, and the extremes of every number, come back; so does the line, byte for
 * byte. */
static void rounds_come_back(void **state)
{
	struct buf first, second;
	struct bp_error err;

	(void)state;
	buf_init(&first);
	buf_init(&second);
	for (unsigned i = 0; i < 40; i++) {
		struct round r = whole_round(), back;

		r.why = (uint8_t)(i % (ROUND_WHY_TARGETS + 1));
		r.health = (uint8_t)(i % (ROUND_HEALTH_OFFLINE + 1));
		r.changed = (uint8_t)(i % 8);
		r.done = i & 1 ? UINT32_MAX - 2 : r.done;
		r.expected = r.done + r.missed;
		r.sent = i & 2 ? INT64_MAX : r.sent;
		r.look = i & 4;
		r.every_ns = i & 4 ? 0 : (int64_t)i * 90 * NS_PER_S;
		r.slots = i & 2 ? i : 0;
		r.drops = i & 4 ? -1 : r.drops;
		r.substitute_count = (uint8_t)(i % (ROUND_SUBSTITUTES_MAX + 1));
		for (unsigned k = 1; k < r.substitute_count; k++) {
			r.substitutes[k] = r.substitutes[0];
			r.substitutes[k].silent = k;
		}
		if (r.substitute_count == 0)
			memset(r.substitutes, 0, sizeof(r.substitutes));
		if (i & 8)
			r.transit = r.source = (struct addr){0};
		buf_clear(&first);
		buf_clear(&second);
		round_write_json(&first, &r);
		if (read_line(first.bytes, first.used, &back, &err) < 0)
			fail_msg("round %u: %s: %s", i, err.text, first.bytes);
		round_write_json(&second, &back);
		assert_string_equal(first.bytes, second.bytes);
		assert_memory_equal(&r, &back, sizeof(r));
	}
	buf_fini(&first);
	buf_fini(&second);
}

static void names_of_rounds(void **state)
{
	static const struct {
		const char *campaign, *vantage;
		int64_t planned_s;
		const char *id, *why;
	} rows[] = {
		{"dprk-borders", "fra1", 1795341600, "dprk_borders-fra1-20261122T100000Z",
		 "'-' parts the three: it cannot stand in a name"},
		{"a.b_c", "Zürich 1", 951782399, "a.b_c-Z__rich_1-8634682a-20000228T235959Z",
		 "every byte of what is no letter; then a hash of the names as they are"},
		{"a-b", "v", 951782399, "a_b-v-20000228T235959Z", "told apart from the next"},
		{"a_b", "v", 951782399, "a_b-v-acf6501d-20000228T235959Z", "'_' is what '-' becomes"},
		{"a", "v w", 951782399, "a-v_w-0aee1add-20000228T235959Z", "of a vantage point"},
		{"a", "v-w", 951782399, "a-v_w-20000228T235959Z", "likewise"},
		{"c", "v", 951782400, "c-v-20000229T000000Z", "a day that leap years have"},
	};
	struct round r, other;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		round_init(&r);
		text_set(r.campaign, sizeof(r.campaign), rows[i].campaign);
		text_set(r.vantage, sizeof(r.vantage), rows[i].vantage);
		r.planned.ns = rows[i].planned_s * NS_PER_S;
		round_set_id(&r);
		if (strcmp(r.id, rows[i].id) != 0)
			fail_msg("%s: %s, not %s", rows[i].why, r.id, rows[i].id);
	}
	/* Names that are equal where they are cut, and different behind. */
	memset(r.campaign, 'a', sizeof(r.campaign) - 1);
	memset(r.vantage, 'b', sizeof(r.vantage) - 1);
	r.campaign[sizeof(r.campaign) - 1] = r.vantage[sizeof(r.vantage) - 1] = '\0';
	round_set_id(&r);
	assert_int_equal(strlen(r.id), ROUND_ID_TEXT - 1);
	other = r;
	other.vantage[sizeof(r.vantage) - 2] = 'c';
	round_set_id(&other);
	assert_string_not_equal(r.id, other.id);
	/* A look has milliseconds: it is no slot's, also where the second is. Long names are cut to
	 * less, and the moment is whole. */
	other = r;
	other.look = true;
	other.planned.ns += 250 * NS_PER_MS;
	round_set_id(&other);
	assert_int_equal(strlen(other.id), ROUND_ID_TEXT - 1);
	assert_non_null(strstr(other.id, "-20000229T000000.250Z"));
	strcpy(other.campaign, "c");
	strcpy(other.vantage, "v");
	round_set_id(&other);
	assert_string_equal(other.id, "c-v-20000229T000000.250Z");
	/* The longest pair that is whole, and one more. */
	memset(r.campaign, 0, sizeof(r.campaign));
	memset(r.vantage, 0, sizeof(r.vantage));
	memset(r.campaign, 'a', 22);
	memset(r.vantage, 'b', 23);
	round_set_id(&r);
	assert_int_equal(strlen(r.id), ROUND_ID_TEXT - 1);
	assert_memory_equal(r.id, "aaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbbbbbbbbb-", 47);
	r.vantage[23] = 'b';
	round_set_id(&r);
	assert_memory_equal(r.id, "aaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbbbb-", 38);
}

#define HEAD "{\"type\":\"round\",\"planned\":\"2026-11-22T10:00:00Z\","

static void wrong_rounds_are_refused_by_field(void **state)
{
	static const struct {
		const char *line;
		int code;
		const char *says;
	} rows[] = {
		{HEAD "\"expected\":0}", 0, "the least there can be"},
		{HEAD "\"expected\":1,\"done\":1,\"later\":{\"x\":[]}}", 0, "not ours"},
		{HEAD "\"identity\":{\"changed\":[\"weather\"]}}", 0, "a later version's word"},
		{HEAD "\"health\":null,\"why\":null}", 0, "null is not known"},
		{"{\"type\":\"round\"}", BP_EPARSE, "planned: expected a time"},
		{"{\"type\":\"round\",\"version\":2}", BP_EUNSUP, "version: "},
		{HEAD "\"version\":0}", BP_ERANGE, "version: "},
		{HEAD "\"expected\":2,\"done\":1}", BP_EPARSE, "expected: expected the sum"},
		{HEAD "\"expected\":0,\"done\":1,\"missed\":4294967295}", BP_EPARSE, "the sum"},
		{HEAD "\"expected\":4294967296}", BP_ERANGE, "expected: "},
		{HEAD "\"done\":-1}", BP_ERANGE, "done: "},
		{HEAD "\"start\":\"2h ago\"}", BP_EPARSE, "start: expected an RFC 3339 time"},
		{HEAD "\"why\":\"weather\"}", BP_EPARSE, "why: expected one of down overrun"},
		{HEAD "\"campaign\":7}", BP_EPARSE, "campaign: expected a string"},
		{HEAD "\"id\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}",
		 BP_ERANGE, "id: expected at most 63 bytes"},
		{HEAD "\"every_ms\":-1}", BP_ERANGE, "every_ms: "},
		{HEAD "\"every_ms\":9223372036855}", BP_ERANGE, "every_ms: "},
		{HEAD "\"slots\":-1}", BP_ERANGE, "slots: "},
		{HEAD "\"look\":1}", BP_EPARSE, "look: "},
		{HEAD "\"health\":[]}", BP_EPARSE, "health: expected an object"},
		{HEAD "\"health\":{\"state\":\"fine\"}}", BP_EPARSE, "health.state: expected"},
		{HEAD "\"health\":{\"reference_asked\":1,\"reference_answered\":2}}", BP_EPARSE,
		 "health.reference_answered: "},
		{HEAD "\"health\":{\"reference_asked\":65536}}", BP_ERANGE,
		 "health.reference_asked"},
		{HEAD "\"identity\":{\"source\":\"host\"}}", BP_EPARSE, "identity.source: "},
		{HEAD "\"identity\":{\"egress\":{\"asn\":-1}}}", BP_ERANGE,
		 "identity.egress.asn: "},
		{HEAD "\"identity\":{\"transit\":{\"from\":\"x\"}}}", BP_EPARSE,
		 "identity.transit.from: "},
		{HEAD "\"identity\":{\"changed\":[7]}}", BP_EPARSE, "identity.changed[0]: "},
		{HEAD "\"substitutes\":[{},7]}", BP_EPARSE, "substitutes[1]: expected an object"},
		{HEAD "\"substitutes\":[{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}]}",
		 BP_ERANGE, "substitutes: expected at most 16"},
		{HEAD "\"silent\":[7]}", BP_EPARSE, "silent[0]: expected an object"},
		{HEAD "\"silent\":[{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}]}", BP_ERANGE,
		 "silent: expected at most 16"},
		{HEAD "\"substitutes\":[{\"silent\":-1}]}", BP_ERANGE, "substitutes[0].silent: "},
		{HEAD "\"clock\":{\"stepped\":1}}", BP_EPARSE, "clock.stepped: "},
		{HEAD "\"drops\":-1}", BP_ERANGE, "drops: "},
		{"{\"type\":\"trace\",\"hops\":[]}", BP_EINVAL, "another kind"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bp_error err = {0};
		struct round r;
		int rc = read_line(rows[i].line, strlen(rows[i].line), &r, &err);

		if (rc != rows[i].code || (rc < 0 && strstr(err.text, rows[i].says) == NULL))
			fail_msg("%s (%s): %d \"%s\"", rows[i].line, rows[i].says, rc, err.text);
	}
}

/* A file may hold rounds of other programs: they are carried as long as they contradict nothing. */
static void other_rounds_are_carried(void **state)
{
	static const char *const lines[] = {
		"{\"type\":\"round\",\"id\":\"r1\"}",
		"{\"type\":\"round\",\"version\":99,\"planned\":7}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct bp_error err;
		struct record rec;

		record_init(&rec);
		assert_int_equal(jsonl_read(lines[i], strlen(lines[i]), &rec, &err), 0);
		assert_int_equal(rec.kind, RECORD_ROUND);
		assert_string_equal(rec.line, lines[i]);
		record_fini(&rec);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_round_is_written_as_the_interface_says),
		cmocka_unit_test(a_gap_says_only_what_is_known),
		cmocka_unit_test(rounds_come_back),
		cmocka_unit_test(names_of_rounds),
		cmocka_unit_test(wrong_rounds_are_refused_by_field),
		cmocka_unit_test(other_rounds_are_carried),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
