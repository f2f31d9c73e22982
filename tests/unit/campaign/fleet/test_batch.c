// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a batch may say, and what becomes of it: each row is a batch with nothing or one thing
 * wrong, as text or as a frame. The good one is damaged at every byte and cut at every byte too.
 * And what is written is read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <zstd.h>

#include "campaign/fleet/batch.h"
#include "tests/unit/seeds.h"

#define HEAD_(version, vantage, epoch, seq, round, part, parts, records)                         \
	"{\"type\":\"batch\",\"version\":" version ",\"vantage\":\"" vantage "\",\"epoch\":\""   \
	epoch "\",\"seq\":" seq ",\"tool\":\"borderpath 0.1.0\",\"round\":\"" round              \
	"\",\"part\":" part ",\"parts\":" parts ",\"records\":" records "}\n"
#define ROUND "c-fra1-20261122T100000Z"
#define HEAD(records) HEAD_("1", "fra1", "dl3k9x0q", "17", ROUND, "1", "1", records)
#define TRACE_(id, vantage, campaign, round)                                                     \
	"{\"type\":\"trace\",\"version\":1,\"id\":\"" id "\",\"vantage\":\"" vantage             \
	"\",\"campaign\":\"" campaign "\",\"round\":\"" round                                    \
	"\",\"dst\":\"192.0.2.1\",\"method\":\"icmp\",\"stop\":\"reached\",\"hops\":[]}\n"
#define TRACE TRACE_("fra1-dl3k-1", "fra1", "c", ROUND)
#define PATHS_(more) "{\"type\":\"paths\",\"version\":1,\"dst\":\"192.0.2.1\"" more "}\n"
#define END_(id, vantage, campaign)                                                              \
	"{\"type\":\"round\",\"version\":1,\"id\":\"" id "\",\"campaign\":\"" campaign           \
	"\",\"vantage\":\"" vantage "\",\"planned\":\"2026-11-22T10:00:00Z\",\"expected\":1,"     \
	"\"done\":1,\"traces\":1,\"missed\":0}\n"
#define END END_(ROUND, "fra1", "c")
#define OTHER "c-nrt1-20261122T100000Z"

static const struct {
	const char *why;
	const char *text;
	enum batch_refusal refusal;
	uint64_t seq;       /* of the head, as far as it is known */
	unsigned records;   /* that were given, on success */
} rows[] = {
	{"a trace and its round", HEAD("2") TRACE END, BATCH_OK, 17, 2},
	{"a gap: a round alone", HEAD("1") END, BATCH_OK, 17, 1},
	{"of several parts only the last has the round",
	 HEAD_("1", "fra1", "e", "2", ROUND, "1", "2", "1") TRACE, BATCH_OK, 2, 1},
	{"paths say whose they are", HEAD("1") PATHS_(",\"vantage\":\"fra1\""), BATCH_OK, 17, 1},
	{"no record at all: all of it was lost", HEAD("0"), BATCH_OK, 17, 0},
	{"members that nobody knows yet",
	 "{\"type\":\"batch\",\"version\":1,\"vantage\":\"fra1\",\"epoch\":\"e\",\"seq\":1,"
	 "\"round\":\"" ROUND "\",\"part\":1,\"parts\":1,\"records\":1,\"more\":[1,{}]}\n" END,
	 BATCH_OK, 1, 1},
	/* the text */
	{"nothing", "", BATCH_MALFORMED, 0, 0},
	{"an empty line", "\n", BATCH_MALFORMED, 0, 0},
	{"no JSON", "hello\n", BATCH_MALFORMED, 0, 0},
	{"the head without its newline", "{\"type\":\"batch\"}", BATCH_MALFORMED, 0, 0},
	{"a list", "[1]\n", BATCH_MALFORMED, 0, 0},
	{"deep", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\n",
	 BATCH_MALFORMED, 0, 0},
	{"a member twice", "{\"type\":\"batch\",\"type\":\"batch\"}\n", BATCH_MALFORMED, 0, 0},
	{"another type", "{\"type\":\"trace\",\"seq\":1,\"epoch\":\"e\"}\n", BATCH_MALFORMED, 0, 0},
	/* the head */
	{"no vantage point", "{\"type\":\"batch\",\"version\":1,\"seq\":1,\"epoch\":\"e\"}\n",
	 BATCH_FOREIGN, 1, 0},
	{"of another", HEAD_("1", "nrt1", "e", "1", ROUND, "1", "1", "0"), BATCH_FOREIGN, 1, 0},
	{"a name that only begins as it", HEAD_("1", "fra1\\u0000x", "e", "1", ROUND, "1", "1", "0"),
	 BATCH_FOREIGN, 1, 0},
	{"an older version", HEAD_("0", "fra1", "e", "1", ROUND, "1", "1", "0"),
	 BATCH_VERSION_UNKNOWN, 1, 0},
	{"a newer version", HEAD_("2", "fra1", "e", "1", ROUND, "1", "1", "0") "what it likes\n",
	 BATCH_NEWER, 1, 0},
	{"a version that is no number", HEAD_("\"1\"", "fra1", "e", "1", ROUND, "1", "1", "0"),
	 BATCH_MALFORMED, 1, 0},
	{"a round without a moment", HEAD_("1", "fra1", "e", "1", "c-fra1-now", "1", "1", "0"),
	 BATCH_MALFORMED, 1, 0},
	{"a round of no day", HEAD_("1", "fra1", "e", "1", "c-fra1-20261332T100000Z", "1", "1", "0"),
	 BATCH_MALFORMED, 1, 0},
	{"seq 0", HEAD_("1", "fra1", "e", "0", ROUND, "1", "1", "0"), BATCH_MALFORMED, 0, 0},
	{"seq beyond all", HEAD_("1", "fra1", "e", "9223372036854775808", ROUND, "1", "1", "0"),
	 BATCH_MALFORMED, 0, 0},
	{"half a seq", HEAD_("1", "fra1", "e", "1.5", ROUND, "1", "1", "0"), BATCH_MALFORMED, 0, 0},
	{"an epoch with a dot", HEAD_("1", "fra1", "e.f", "1", ROUND, "1", "1", "0"),
	 BATCH_MALFORMED, 0, 0},
	{"no epoch", HEAD_("1", "fra1", "", "1", ROUND, "1", "1", "0"), BATCH_MALFORMED, 0, 0},
	{"a long epoch", HEAD_("1", "fra1", "0123456789abcdef", "1", ROUND, "1", "1", "0"),
	 BATCH_MALFORMED, 0, 0},
	{"no round", HEAD_("1", "fra1", "e", "1", "", "1", "1", "0"), BATCH_MALFORMED, 1, 0},
	{"part 0", HEAD_("1", "fra1", "e", "1", ROUND, "0", "1", "0"), BATCH_MALFORMED, 1, 0},
	{"a part behind the last", HEAD_("1", "fra1", "e", "3", ROUND, "3", "2", "0"),
	 BATCH_MALFORMED, 3, 0},
	{"a part that comes before the first batch", HEAD_("1", "fra1", "e", "1", ROUND, "2", "2",
	 "0"), BATCH_MALFORMED, 1, 0},
	{"records below none", HEAD("-1"), BATCH_MALFORMED, 17, 0},
	{"more records than any", HEAD("1025"), BATCH_OVERSIZED, 17, 0},
	/* the records */
	{"fewer than it tells of", HEAD("2") END, BATCH_MALFORMED, 17, 0},
	{"more than it tells of", HEAD("1") TRACE END, BATCH_MALFORMED, 17, 0},
	{"half a record", HEAD("1") "{\"type\":\"trace\"\n", BATCH_MALFORMED, 17, 0},
	{"the last line is cut", HEAD("1") "{\"type\":\"trace\"", BATCH_MALFORMED, 17, 0},
	{"an empty line between", HEAD("2") TRACE "\n" END, BATCH_MALFORMED, 17, 0},
	{"something else's JSON", HEAD("1") "{\"af\":4}\n", BATCH_MALFORMED, 17, 0},
	{"a batch in the batch", HEAD("1") HEAD("0"), BATCH_MALFORMED, 17, 0},
	{"an event: those are made at the centre", HEAD("1") "{\"type\":\"event\",\"version\":1}\n",
	 BATCH_MALFORMED, 17, 0},
	{"a field of a wrong type", HEAD("1")
	 "{\"type\":\"trace\",\"version\":1,\"id\":7}\n", BATCH_MALFORMED, 17, 0},
	{"a newer trace", HEAD("1") "{\"type\":\"trace\",\"version\":2}\n", BATCH_NEWER, 17, 0},
	{"another's trace", HEAD("1") TRACE_("nrt1-x-1", "nrt1", "c", OTHER), BATCH_FOREIGN, 17, 0},
	{"a trace that takes another's id", HEAD("1") TRACE_("nrt1-x-1", "fra1", "c", ROUND),
	 BATCH_FOREIGN, 17, 0},
	{"a trace without an id", HEAD("1") TRACE_("", "fra1", "c", ROUND), BATCH_FOREIGN, 17, 0},
	{"an id that is only a name", HEAD("1") TRACE_("fra1-", "fra1", "c", ROUND), BATCH_FOREIGN,
	 17, 0},
	{"an id of a longer name", HEAD("1") TRACE_("fra12-x-1", "fra1", "c", ROUND), BATCH_FOREIGN,
	 17, 0},
	{"a trace in another's round", HEAD_("1", "fra1", "e", "1", OTHER, "1", "1", "1")
	 TRACE_("fra1-x-1", "fra1", "c", OTHER), BATCH_FOREIGN, 1, 0},
	{"a trace of another round of its own", HEAD("1")
	 TRACE_("fra1-x-1", "fra1", "c", "c-fra1-20261122T101500Z"), BATCH_MALFORMED, 17, 0},
	{"a trace of no round", HEAD("1") TRACE_("fra1-x-1", "fra1", "c", ""), BATCH_FOREIGN, 17, 0},
	{"another's paths", HEAD("1") PATHS_(",\"vantage\":\"nrt1\""), BATCH_FOREIGN, 17, 0},
	{"paths of a number", HEAD("1") PATHS_(",\"vantage\":7"), BATCH_FOREIGN, 17, 0},
	{"another's round", HEAD("1") END_(OTHER, "nrt1", "c"), BATCH_FOREIGN, 17, 0},
	{"a round that takes another's id", HEAD_("1", "fra1", "e", "1", OTHER, "1", "1", "1")
	 END_(OTHER, "fra1", "c"), BATCH_FOREIGN, 1, 0},
	{"a round of another batch", HEAD("1") END_("d-fra1-20261122T100000Z", "fra1", "d"),
	 BATCH_MALFORMED, 17, 0},
	{"a round before the last part", HEAD_("1", "fra1", "e", "1", ROUND, "1", "2", "1") END,
	 BATCH_MALFORMED, 1, 0},
	{"a round twice", HEAD("2") END END, BATCH_MALFORMED, 17, 0},
	{"a trace behind the round", HEAD("2") END TRACE, BATCH_MALFORMED, 17, 0},
	{"a round whose counts do not meet", HEAD("1")
	 "{\"type\":\"round\",\"version\":1,\"id\":\"" ROUND "\",\"campaign\":\"c\",\"vantage\":"
	 "\"fra1\",\"planned\":\"2026-11-22T10:00:00Z\",\"expected\":2,\"done\":1,\"missed\":0}\n",
	 BATCH_MALFORMED, 17, 0},
	{"a newer round", HEAD("1") "{\"type\":\"round\",\"version\":9}\n", BATCH_NEWER, 17, 0},
};

struct frame { char *bytes; size_t n; };

/* As an agent's library makes it, with or without its checksum and its size. */
static struct frame frame_of(const char *text, size_t n, bool checksum, bool size)
{
	struct frame f = {.n = ZSTD_compressBound(n)};
	ZSTD_CCtx *z = ZSTD_createCCtx();

	f.bytes = malloc(f.n);
	assert_non_null(f.bytes);
	ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, checksum);
	ZSTD_CCtx_setParameter(z, ZSTD_c_contentSizeFlag, size);
	f.n = ZSTD_compress2(z, f.bytes, f.n, text, n);
	assert_false(ZSTD_isError(f.n));
	ZSTD_freeCCtx(z);
	return f;
}

static int count(void *arg, struct record *r, struct bp_error *err)
{
	(void)r, (void)err;
	++*(unsigned *)arg;
	return 0;
}

struct told {
	int rc;
	enum batch_refusal refusal;
	struct batch_head head;
	unsigned records;
	struct bp_error err;
};

static struct told read_frame(struct frame f)
{
	struct told o = {0};
	/* A sanitizer sees one byte too far. */
	char *copy = malloc(f.n > 0 ? f.n : 1);

	assert_non_null(copy);
	memcpy(copy, f.bytes, f.n);
	o.rc = batch_read("fra1", NULL, copy, f.n, &o.head, count, &o.records, &o.refusal, &o.err);
	free(copy);
	assert_true(o.rc == 0 || o.rc == BP_EPARSE);
	assert_int_equal(o.rc == 0, o.refusal == BATCH_OK);
	if (o.rc < 0)
		assert_true(o.err.text[0] != '\0');
	return o;
}

static void every_row_is_taken_or_refused_as_it_should(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t n = strlen(rows[i].text);
		struct frame f = frame_of(rows[i].text, n, true, true);
		struct told o = read_frame(f);
		char *seed = malloc(n + 1);

		if (o.refusal != rows[i].refusal || o.head.seq != rows[i].seq ||
		    (o.rc == 0 && o.records != rows[i].records))
			fail_msg("%s: %s (%s), seq %d, %u records", rows[i].why,
				 batch_refusal_name(o.refusal), o.err.text, (int)o.head.seq,
				 o.records);
		assert_non_null(seed);
		seed[0] = 't';
		memcpy(seed + 1, rows[i].text, n);
		seed_write("batch", "row", i, seed, n + 1);
		free(seed);
		free(f.bytes);
	}
}

static void a_head_tells_all(void **state)
{
	struct frame f = frame_of(HEAD("2") TRACE END, strlen(HEAD("2") TRACE END), true, true);
	struct told o = read_frame(f);

	(void)state;
	assert_string_equal(o.head.vantage, "fra1");
	assert_string_equal(o.head.epoch, "dl3k9x0q");
	assert_string_equal(o.head.tool, "borderpath 0.1.0");
	assert_string_equal(o.head.round, ROUND);
	assert_int_equal(o.head.part, 1);
	assert_int_equal(o.head.parts, 1);
	assert_int_equal(o.head.records, 2);
	free(f.bytes);
}

/* Ids make '-' of a name '_', and cut it. */
static void a_name_need_not_be_as_in_ids(void **state)
{
	static const char text[] =
		HEAD_("1", "a-b", "e", "1", "c-a_b-20261122T100000.250Z", "1", "1", "2")
		TRACE_("a_b-x-1", "a-b", "c", "c-a_b-20261122T100000.250Z")
		"{\"type\":\"round\",\"version\":1,\"id\":\"c-a_b-20261122T100000.250Z\","
		"\"campaign\":\"c\",\"vantage\":\"a-b\",\"look\":true,"
		"\"planned\":\"2026-11-22T10:00:00.25Z\",\"expected\":0,\"done\":0,\"missed\":0}\n";
	static const char far[] = "a_far_away_island_in_the_mid-pacific";
	struct round r;
	struct batch_head head;
	enum batch_refusal refusal;
	struct bp_error err = {0};
	char line[1024];
	struct frame f;

	(void)state;
	f = frame_of(text, strlen(text), true, true);
	if (batch_read("a-b", NULL, f.bytes, f.n, &head, NULL, NULL, &refusal, &err) != 0)
		fail_msg("%s", err.text);
	free(f.bytes);
	/* A long name has a hash in its rounds' ids. */
	round_init(&r);
	strcpy(r.campaign, "a_long_name_of_a_campaign");
	strcpy(r.vantage, far);
	r.planned.ns = INT64_C(1795341600) * NS_PER_S;
	round_set_id(&r);
	snprintf(line, sizeof(line), HEAD_("1", "%s", "e", "2", "%s", "1", "2", "1")
		 TRACE_("%.27s_-x-1", "%s", "%s", "%s"), far, r.id, far, far, r.campaign, r.id);
	f = frame_of(line, strlen(line), true, true);
	if (batch_read(far, NULL, f.bytes, f.n, &head, NULL, NULL, &refusal, &err) == 0)
		fail_msg("the id of %s is another's", line);
	free(f.bytes);
	snprintf(line, sizeof(line), HEAD_("1", "%s", "e", "2", "%s", "1", "2", "1")
		 TRACE_("%.28s-x-1", "%s", "%s", "%s"), far, r.id, far, far, r.campaign, r.id);
	f = frame_of(line, strlen(line), true, true);
	if (batch_read(far, NULL, f.bytes, f.n, &head, NULL, NULL, &refusal, &err) != 0)
		fail_msg("%s", err.text);
	free(f.bytes);
}

/* --- times ------------------------------------------------------------------------------------ */

static int64_t at(const char *text)
{
	struct wall t = {0};

	assert_int_equal(wall_parse(text, (struct wall){0}, &t), 0);
	return t.ns;
}

/* Read at noon of 22 November 2026. Of one day each a store has a table, and the latest moment of
 * all is a report's now: one batch could else make a thousand, and end every vantage point's
 * time. */
static const struct {
	const char *why, *planned, *trace, *start, *end;
	const char *stamp; /* of the broker; NULL: none */
	bool taken;
} times[] = {
	{"as it should be", "2026-11-22T10:00:00Z", "2026-11-22T10:00:03Z", "2026-11-22T10:00:01Z",
	 "2026-11-22T10:01:00Z", NULL, true},
	{"weeks in a spool", "2026-09-01T10:00:00Z", "2026-09-01T10:00:03Z", "2026-09-01T10:00:01Z",
	 "2026-09-01T10:01:00Z", NULL, true},
	{"a round of four days", "2026-11-18T10:00:00Z", "2026-11-22T09:00:00Z",
	 "2026-11-18T10:00:01Z", "2026-11-22T10:01:00Z", NULL, true},
	{"a clock some hours ahead", "2026-11-23T10:00:00Z", "2026-11-23T10:00:03Z",
	 "2026-11-23T10:00:01Z", "2026-11-23T10:01:00Z", NULL, true},
	{"a slot of next week, told as missed", "2026-11-29T10:00:00Z", NULL, NULL, NULL, NULL,
	 false},
	{"a clock two days ahead", "2026-11-24T12:00:01Z", "2026-11-24T12:00:01Z", NULL, NULL, NULL,
	 false},
	{"a trace of 2098", "2026-11-22T10:00:00Z", "2098-01-01T00:00:00Z", NULL, NULL, NULL,
	 false},
	{"a trace of 1971", "2026-11-22T10:00:00Z", "1971-01-01T00:00:00Z", NULL, NULL, NULL,
	 false},
	{"a round of 1971", "1971-01-01T00:00:00Z", "1971-01-01T00:00:00Z", NULL, NULL, NULL,
	 false},
	{"two years old", "2024-11-22T10:00:00Z", "2024-11-22T10:00:03Z", NULL, NULL, NULL, false},
	{"two years old, and so long in the stream", "2024-11-22T10:00:00Z",
	 "2024-11-22T10:00:03Z", NULL, NULL, "2024-11-23T00:00:00Z", true},
	{"the broker's clock is ahead, and the vantage point's", "2026-11-29T10:00:00Z",
	 "2026-11-29T10:00:03Z", NULL, NULL, "2026-11-29T10:00:05Z", true},
	{"a trace two days before its round", "2026-11-22T10:00:00Z", "2026-11-20T10:00:00Z", NULL,
	 NULL, NULL, false},
	{"a trace a month behind its round", "2026-10-22T10:00:00Z", "2026-11-22T10:00:00Z", NULL,
	 NULL, NULL, false},
	{"a round that ends in 2098", "2026-11-22T10:00:00Z", NULL, "2026-11-22T10:00:01Z",
	 "2098-01-01T00:00:00Z", NULL, false},
	{"a round that began in 1971", "2026-11-22T10:00:00Z", NULL, "1971-01-01T00:00:01Z",
	 "2026-11-22T10:01:00Z", NULL, false},
};

static void what_is_of_no_believable_time_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct batch_times window = batch_times_of(
			(struct wall){times[i].stamp != NULL ? at(times[i].stamp) : 0},
			(struct wall){at("2026-11-22T12:00:00Z")});
		struct bp_error err = {0};
		enum batch_refusal refusal;
		struct batch_head head;
		char text[2048];
		struct round r;
		struct buf json;
		struct frame f;
		int n;

		round_init(&r);
		strcpy(r.campaign, "c");
		strcpy(r.vantage, "fra1");
		r.planned.ns = at(times[i].planned);
		r.start.ns = times[i].start != NULL ? at(times[i].start) : r.planned.ns;
		r.end.ns = times[i].end != NULL ? at(times[i].end) : r.start.ns;
		round_set_id(&r);
		buf_init(&json);
		round_write_json(&json, &r);
		n = snprintf(text, sizeof(text), HEAD_("1", "fra1", "e", "1", "%s", "1", "1", "%d"),
			     r.id, 1 + (times[i].trace != NULL));
		if (times[i].trace != NULL)
			n += snprintf(text + n, sizeof(text) - (size_t)n,
				      "{\"type\":\"trace\",\"version\":1,\"id\":\"fra1-x-1\","
				      "\"vantage\":\"fra1\",\"campaign\":\"c\",\"round\":\"%s\","
				      "\"dst\":\"192.0.2.1\",\"method\":\"icmp\",\"start\":\"%s\","
				      "\"stop\":\"reached\",\"hops\":[]}\n",
				      r.id, times[i].trace);
		n += snprintf(text + n, sizeof(text) - (size_t)n, "%s", json.bytes);
		buf_fini(&json);
		f = frame_of(text, (size_t)n, true, true);
		if ((batch_read("fra1", &window, f.bytes, f.n, &head, NULL, NULL, &refusal, &err) ==
		     0) != times[i].taken ||
		    refusal != (times[i].taken ? BATCH_OK : BATCH_MALFORMED))
			fail_msg("%s: %s (%s)", times[i].why, batch_refusal_name(refusal), err.text);
		/* Whoever only looks takes any time. */
		assert_int_equal(batch_read("fra1", NULL, f.bytes, f.n, &head, NULL, NULL, &refusal,
					    &err), 0);
		free(f.bytes);
	}
}

/* --- the frame -------------------------------------------------------------------------------- */

static const char good[] = HEAD("2") TRACE END;

/* A frame has bits that say nothing: with another one there it is refused, or is the same. */
static void no_byte_may_be_another(void **state)
{
	struct frame f = frame_of(good, strlen(good), true, true);
	unsigned same = 0;
	char text[sizeof(good)];

	(void)state;
	for (size_t i = 0; i < f.n; i++) {
		f.bytes[i] = (char)(f.bytes[i] ^ 1);
		if (read_frame(f).rc == 0) {
			assert_int_equal(ZSTD_decompress(text, sizeof(text), f.bytes, f.n),
					 strlen(good));
			assert_memory_equal(text, good, strlen(good));
			same++;
		}
		f.bytes[i] = (char)(f.bytes[i] ^ 1);
	}
	assert_in_range(same, 0, 2);
	assert_int_equal(read_frame(f).rc, 0);
	free(f.bytes);
}

static void no_byte_may_be_missing_or_too_many(void **state)
{
	struct frame f = frame_of(good, strlen(good), true, true);
	struct frame more = {.bytes = malloc(2 * f.n), .n = f.n + 1};

	(void)state;
	for (size_t n = 0; n < f.n; n++)
		assert_int_equal(read_frame((struct frame){f.bytes, n}).refusal, BATCH_MALFORMED);
	assert_non_null(more.bytes);
	memcpy(more.bytes, f.bytes, f.n);
	memcpy(more.bytes + f.n, f.bytes, f.n);
	assert_int_equal(read_frame(more).refusal, BATCH_MALFORMED);
	/* Two whole frames are two batches, and not one. */
	more.n = 2 * f.n;
	assert_int_equal(read_frame(more).refusal, BATCH_MALFORMED);
	free(more.bytes);
	free(f.bytes);
}

static void a_frame_says_its_size_and_has_a_checksum(void **state)
{
	struct frame bare = frame_of(good, strlen(good), false, true);
	struct frame open = frame_of(good, strlen(good), true, false);
	static const char skip[] = "\x50\x2a\x4d\x18\x00\x00\x00\x00";

	(void)state;
	assert_int_equal(read_frame(bare).refusal, BATCH_MALFORMED);
	assert_int_equal(read_frame(open).refusal, BATCH_MALFORMED);
	assert_int_equal(read_frame((struct frame){(char *)(uintptr_t)skip, 8}).refusal,
			 BATCH_MALFORMED);
	free(bare.bytes);
	free(open.bytes);
}

static void what_is_too_large_takes_no_memory(void **state)
{
	size_t n = BATCH_PLAIN_MAX + 1;
	char *zeros = calloc(1, n);
	struct frame f = frame_of(zeros, n, true, true);
	struct frame large = {zeros, BUS_PAYLOAD_MAX + 1};
	struct told o;

	(void)state;
	o = read_frame(f);
	assert_int_equal(o.refusal, BATCH_OVERSIZED);
	assert_int_equal(read_frame(large).refusal, BATCH_OVERSIZED);
	large.n--;
	assert_int_equal(read_frame(large).refusal, BATCH_MALFORMED);
	free(f.bytes);
	/* A line of commas would be a tree of 16 times its bytes. */
	n = strlen(HEAD("1"));
	memcpy(zeros, HEAD("1"), n);
	memset(zeros + n, ',', BATCH_LINE_MAX + 1);
	zeros[n + BATCH_LINE_MAX + 1] = '\n';
	f = frame_of(zeros, n + BATCH_LINE_MAX + 2, true, true);
	assert_int_equal(read_frame(f).refusal, BATCH_OVERSIZED);
	free(f.bytes);
	free(zeros);
}

/* --- both ways -------------------------------------------------------------------------------- */

struct lines { struct buf text; int fail; };

static int keep(void *arg, struct record *r, struct bp_error *err)
{
	struct lines *l = arg;

	(void)err;
	if (l->fail != 0)
		return l->fail;
	return jsonl_write_record(&l->text, r, NULL, NULL);
}

static void what_is_written_is_read(void **state)
{
	static const char *const lines[] = {TRACE, PATHS_(",\"vantage\":\"fra1\""), END};
	struct batch_head head = {.vantage = "fra1", .epoch = "dl3k9x0q", .tool = "borderpath 0.1.0",
				  .round = ROUND, .seq = 17, .part = 1, .parts = 1};
	struct batch_head got;
	struct lines back = {.fail = 0};
	enum batch_refusal refusal;
	struct batch_writer *w;
	struct bp_error err = {0};
	const char *bytes;
	size_t n;

	(void)state;
	buf_init(&back.text);
	assert_int_equal(batch_writer_new(&w), 0);
	/* Twice: it is used again and again. */
	for (unsigned k = 0; k < 2; k++) {
		batch_begin(w);
		for (size_t i = 0; i < 3; i++) {
			struct record r;

			record_init(&r);
			assert_int_equal(jsonl_read(lines[i], strlen(lines[i]), &r, &err), 0);
			assert_int_equal(batch_add(w, &r, &err), 0);
			record_fini(&r);
		}
		assert_int_equal(batch_end(w, &head, &bytes, &n, &err), 0);
		assert_int_equal(head.records, 3);
	}
	assert_int_equal(batch_read("fra1", NULL, bytes, n, &got, keep, &back, &refusal, &err), 0);
	assert_memory_equal(&got, &head, sizeof(got));
	assert_string_equal(back.text.bytes, TRACE PATHS_(",\"vantage\":\"fra1\"") END);
	/* Who takes the records says when to stop, and it is no refusal. */
	back.fail = BP_EAGAIN;
	assert_int_equal(batch_read("fra1", NULL, bytes, n, &got, keep, &back, &refusal, &err), BP_EAGAIN);
	assert_int_equal(refusal, BATCH_OK);
	batch_writer_free(w);
	buf_fini(&back.text);
}

static void a_writer_makes_nothing_that_would_be_refused(void **state)
{
	struct batch_head head = {.vantage = "fra1", .epoch = "e", .round = ROUND, .seq = 1,
				  .part = 1, .parts = 1};
	char *large = malloc(BATCH_LINE_MAX + 64);
	struct batch_writer *w;
	struct bp_error err = {0};
	const char *bytes;
	struct record r;
	size_t n;

	(void)state;
	assert_non_null(large);
	assert_int_equal(batch_writer_new(&w), 0);
	record_init(&r);
	assert_int_equal(jsonl_read(TRACE, strlen(TRACE), &r, &err), 0);
	batch_begin(w);
	for (unsigned i = 0; i <= BATCH_RECORDS_MAX; i++)
		assert_int_equal(batch_add(w, &r, &err), 0);
	assert_int_equal(batch_end(w, &head, &bytes, &n, &err), BP_ERANGE);
	record_fini(&r);
	/* A record that is too large by itself is not in; what stands before it is. */
	batch_begin(w);
	n = (size_t)sprintf(large, "{\"type\":\"paths\",\"vantage\":\"fra1\",\"x\":\"");
	memset(large + n, 'x', BATCH_LINE_MAX);
	strcpy(large + n + BATCH_LINE_MAX, "\"}\n");
	assert_int_equal(jsonl_read(END, strlen(END), &r, &err), 0);
	assert_int_equal(batch_add(w, &r, &err), 0);
	record_fini(&r);
	assert_int_equal(jsonl_read(large, strlen(large), &r, &err), 0);
	assert_int_equal(batch_add(w, &r, &err), BP_ERANGE);
	record_fini(&r);
	assert_int_equal(batch_end(w, &head, &bytes, &n, &err), 0);
	assert_int_equal(head.records, 1);
	/* Too much text in all. */
	batch_begin(w);
	large[BATCH_LINE_MAX / 2] = '"';
	strcpy(large + BATCH_LINE_MAX / 2 + 1, "}\n");
	assert_int_equal(jsonl_read(large, strlen(large), &r, &err), 0);
	for (unsigned i = 0; i < 9; i++)
		assert_int_equal(batch_add(w, &r, &err), 0);
	record_fini(&r);
	assert_int_equal(batch_end(w, &head, &bytes, &n, &err), BP_ERANGE);
	batch_writer_free(w);
	free(large);
}

/* --- names of messages ------------------------------------------------------------------------ */

static const struct { const char *id; uint64_t seq; const char *why; } ids[] = {
	{"fra1.dl3k9x0q.17.0", 17, "a first try"},
	{"fra1.dl3k9x0q.17.4294967295", 17, "a late one"},
	{"fra1.dl3k9x0q.17", 0, "no try"},
	{"fra1.dl3k9x0q", 0, "no number"},
	{"fra1", 0, "a name alone"},
	{"", 0, "nothing"},
	{"nrt1.dl3k9x0q.17.0", 0, "another's"},
	{"fra12.dl3k9x0q.17.0", 0, "one whose name begins as it"},
	{"fra1.dl3k9x0q.0.0", 0, "seq 0"},
	{"fra1.dl3k9x0q.-1.0", 0, "below"},
	{"fra1.dl3k9x0q.99999999999999999999.0", 0, "beyond"},
	{"fra1..17.0", 0, "no epoch"},
	{"fra1.0123456789abcdef.17.0", 0, "an epoch that is too long"},
	{"fra1.dl3k9x0q.17.0.1", 0, "more behind it"},
	{"fra1.d l.17.0", 0, "a blank"},
};

static void a_message_is_known_by_its_name(void **state)
{
	struct batch_head head = {.vantage = "fra1", .epoch = "dl3k9x0q", .seq = 17};
	char id[BATCH_ID_TEXT];

	(void)state;
	batch_id(&head, 2, id);
	assert_string_equal(id, "fra1.dl3k9x0q.17.2");
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		struct batch_head got = {0};

		if (batch_id_read("fra1", ids[i].id, &got) != (ids[i].seq > 0) ||
		    got.seq != ids[i].seq)
			fail_msg("%s: %s", ids[i].id, ids[i].why);
		assert_string_equal(got.epoch, ids[i].seq > 0 ? "dl3k9x0q" : "");
	}
	assert_false(batch_id_read("fra1", NULL, &head));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_taken_or_refused_as_it_should),
		cmocka_unit_test(a_head_tells_all),
		cmocka_unit_test(a_name_need_not_be_as_in_ids),
		cmocka_unit_test(what_is_of_no_believable_time_is_refused),
		cmocka_unit_test(no_byte_may_be_another),
		cmocka_unit_test(no_byte_may_be_missing_or_too_many),
		cmocka_unit_test(a_frame_says_its_size_and_has_a_checksum),
		cmocka_unit_test(what_is_too_large_takes_no_memory),
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(a_writer_makes_nothing_that_would_be_refused),
		cmocka_unit_test(a_message_is_known_by_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
