// SPDX-License-Identifier: BSD-2-Clause
/*
 * The bound of an agent's spool over a long time, which is scripted: a year of rounds whose paths
 * change every day, with watermarks and without. The child that writes is this program; the agent
 * is the part of it that looks after the spool.
 */
#include "tests/unit/campaign/store_bed.h"

#include <sodium.h>

#include "campaign/fleet/agent_inside.h"

#define DAY_NS (24 * 3600 * NS_PER_S)
enum { TRACES = 200, HOPS = 12, HISTORY_DAYS = 7, PAGE = 16384 };

static struct { struct wall now; struct mono mono; } clocks;

struct wall __wrap_wall_now(void);
struct mono __wrap_mono_now(void);

struct wall __wrap_wall_now(void)
{
	return clocks.now;
}

struct mono __wrap_mono_now(void)
{
	return clocks.mono;
}

/* --- a vantage point -------------------------------------------------------------------------- */

struct site {
	struct agent_options options;
	struct agent *agent;
	struct store *child;
	unsigned detours;      /* each is of a router that nobody saw before */
	char note[BP_ERROR_TEXT];
};

static void note(void *arg, const char *text)
{
	struct site *s = arg;

	text_set(s->note, sizeof(s->note), text);
}

static void open_site(struct bed *b, struct site *s, int64_t bytes)
{
	char file[128];

	memset(s, 0, sizeof(*s));
	clocks.now.ns = T0;
	clocks.mono.ns = NS_PER_S;
	s->options.on_note = note;
	s->options.arg = s;
	s->agent = calloc(1, sizeof(*s->agent));
	assert_non_null(s->agent);
	s->agent->o = &s->options;
	s->agent->spool_max = bytes;
	text_set(s->agent->spool_file, sizeof(s->agent->spool_file), b->path);
	snprintf(s->agent->journal_dir, sizeof(s->agent->journal_dir), "%s/journal", b->dir);
	snprintf(file, sizeof(file), "%s/outbox.db", b->dir);
	if (store_open(b->path, STORE_WRITE, &s->child, &b->err) < 0 ||
	    cut_open(file, "v", &s->agent->cut, &b->err) < 0)
		fail_msg("%s", b->err.text);
}

static void close_site(struct site *s)
{
	store_close(s->agent->sweeper);
	store_close(s->agent->spool);
	cut_close(s->agent->cut);
	store_close(s->child);
	free(s->agent);
}

static struct addr router(unsigned detour, unsigned target, unsigned k)
{
	unsigned n = detour != 0 ? detour : target * HOPS + k;

	return addr_v4((const uint8_t[]){detour != 0 ? 100 : 10, (uint8_t)(n >> 16),
					 (uint8_t)(n >> 8), (uint8_t)n});
}

/* One path in seven is one that was never seen: as measured (MEASURED.md), and its verdict with
 * it. */
static void add_trace(struct site *s, const struct round *r, unsigned day, unsigned i)
{
	unsigned detour = i % 7 == day % 7 ? ++s->detours : 0;
	struct trace *t = trace_new(HOPS);
	struct verdict v = {.judged = true, .profile = "p", .profile_version = "1",
			    .confidence = 0.9, .last_outside_ttl = 6, .outcome = OUTCOME_BORDER,
			    .class = CLASS_BORDER, .border = "dandong"};
	struct bp_error err = {0};
	struct names names;

	assert_non_null(t);
	names_init(&names);
	snprintf(t->id, sizeof(t->id), "v-run-%u", day * 1000 + i);
	strcpy(t->vantage, "v");
	strcpy(t->campaign, "c");
	strcpy(t->round, r->id);
	t->dst = addr_v4((const uint8_t[]){192, 0, 2, (uint8_t)i});
	t->start.ns = r->start.ns + i * NS_PER_S;
	for (unsigned k = 0; k < HOPS; k++) {
		struct trace_entry *e = &t->entries[t->entry_count++];
		struct name *n;

		trace_entry_init(e, (uint8_t)(k + 1), 1);
		e->why = WHY_NONE;
		e->reply.from = router(k == 5 ? detour : 0, i, k);
		e->reply.rtt_ns = (k + 1) * NS_PER_MS + day * 1000;
		n = names_put(&names, e->reply.from);
		assert_non_null(n);
		n->asn = 64500 + k;
	}
	t->size = (uint32_t)trace_size(t->entry_count);
	snprintf(names.geo.asn_built, sizeof(names.geo.asn_built), "2026-%02u-01", day / 30 + 1);
	v.last_outside = t->entries[5].reply.from;
	if (store_add_trace(s->child, t, &names, &v, &err) < 0)
		fail_msg("%s", err.text);
	names_fini(&names);
	free(t);
}

static void measure(struct site *s, unsigned day)
{
	struct bp_error err = {0};
	struct round r;
	bool already;

	clocks.now.ns = T0 + day * DAY_NS;
	round_init(&r);
	strcpy(r.campaign, "c");
	strcpy(r.vantage, "v");
	r.planned.ns = r.start.ns = clocks.now.ns;
	r.end.ns = r.start.ns + 300 * NS_PER_S;
	r.expected = r.done = r.traces = TRACES;
	round_set_id(&r);
	assert_int_equal(store_begin(s->child, &err), 0);
	for (unsigned i = 0; i < TRACES; i++)
		add_trace(s, &r, day, i);
	assert_int_equal(store_add_round(s->child, &r, &already, &err), 0);
	if (store_commit(s->child, &err) < 0)
		fail_msg("%s", err.text);
}

static void deliver(struct site *s)
{
	struct cut_state st;
	struct bp_error err;
	bool news;

	assert_true(agent_spool_open(s->agent));
	while (cut_next(s->agent->cut, s->agent->spool, NULL, &err) == 0) {
	}
	cut_state(s->agent->cut, &st);
	assert_int_equal(cut_confirm(s->agent->cut, st.epoch_cut, &news, &err), 0);
}

/* What the agent does of its own in a day, as often as it has something to do. */
static void rest_of_the_day(struct site *s)
{
	clocks.mono.ns += DAY_NS;
	for (unsigned i = 0; i < 200; i++) {
		agent_spool_step(s->agent);
		clocks.mono.ns += 10 * NS_PER_S;
		if (i > 8 && s->agent->sweeper == NULL)
			break;
	}
	assert_null(s->agent->sweeper);
}

static uint64_t bytes_of(struct bed *b, const char *pragma)
{
	sqlite3_stmt *st;
	sqlite3 *db;
	int64_t n;

	assert_int_equal(sqlite3_open(b->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, pragma, -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return (uint64_t)n;
}

static void read_all(struct bed *b, struct site *s, struct tally *t)
{
	memset(t, 0, sizeof(*t));
	if (store_read(s->child, NULL, tally, t, &b->err) < 0)
		fail_msg("%s", b->err.text);
}

/* --- tests ------------------------------------------------------------------------------------ */

static void a_year_of_watermarks_keeps_the_file_as_small_as_a_month(void **state)
{
	struct bed *b = *state;
	/* Slow ones see a month and a half, whose file is as good as a year's. */
	const unsigned days = getenv("UNDER_VALGRIND") != NULL ? 45 : 365;
	uint64_t month = 0, year;
	struct tally t;
	struct site s;

	open_site(b, &s, INT64_C(1) << 30);
	for (unsigned day = 0; day < days; day++) {
		measure(&s, day);
		deliver(&s);
		rest_of_the_day(&s);
		if (day == 30)
			month = bytes_of(b, "PRAGMA page_count") * PAGE;
	}
	year = bytes_of(b, "PRAGMA page_count") * PAGE;
	print_message("# a month: %llu bytes, %u days: %llu bytes; %u paths that came once\n",
		      (unsigned long long)month, days, (unsigned long long)year, s.detours);
	assert_true(year < month + month / 4);
	/* What is not history yet is whole. */
	read_all(b, &s, &t);
	assert_in_range(t.rounds, HISTORY_DAYS, HISTORY_DAYS + 2);
	assert_in_range(t.traces, HISTORY_DAYS * TRACES, (HISTORY_DAYS + 1) * TRACES);
	assert_string_equal(s.note, "");
	close_site(&s);
}

/* Nobody takes anything in: rounds stay, traces go oldest first, and the bound holds. */
static void months_without_a_centre_fit_into_the_bound(void **state)
{
	struct bed *b = *state;
	const unsigned days = getenv("UNDER_VALGRIND") != NULL ? 70 : 120;
	const uint64_t most = 3 << 20;
	struct cut_state st;
	struct tally t;
	struct site s;

	open_site(b, &s, (int64_t)most);
	for (unsigned day = 0; day < days; day++) {
		uint64_t used;

		measure(&s, day);
		rest_of_the_day(&s);
		used = (bytes_of(b, "PRAGMA page_count") - bytes_of(b, "PRAGMA freelist_count")) *
		       PAGE;
		if (used > most)
			fail_msg("day %u: %llu bytes", day, (unsigned long long)used);
	}
	cut_state(s.agent->cut, &st);
	read_all(b, &s, &t);
	print_message("# %u of %u traces are kept in %llu bytes: %s\n", t.traces, days * TRACES,
		      (unsigned long long)most, s.note);
	assert_int_equal(t.rounds, days);
	assert_int_equal(t.traces + st.lost_traces, days * TRACES);
	assert_true(st.lost_traces > 0);
	/* What nothing refers to takes no room from them. */
	assert_true(t.traces > days * TRACES / 3);
	close_site(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_year_of_watermarks_keeps_the_file_as_small_as_a_month),
		T(months_without_a_centre_fit_into_the_bound),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
