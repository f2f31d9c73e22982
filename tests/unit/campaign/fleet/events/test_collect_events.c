// SPDX-License-Identifier: BSD-2-Clause
/*
 * Events at the centre, between a real broker and a real store: who has no vote because its clock
 * is off, and how a collector comes by rounds that another one took in - told, read again when it
 * was deaf, read when it takes over. The claim is the test's (SQLite has none), and so are the time
 * of day and whether rounds are told (--wrap).
 */
#include "tests/unit/campaign/fleet/broker_bed.h"
#include "tests/unit/campaign/watch_bed.h"

#include "campaign/fleet/collect.h"
#include "campaign/fleet/cut.h"

#define TURN_NS (20 * NS_PER_MS)
enum { SITES = 3, PATIENCE = 3000 /* turns */, SETTLED = 150 /* over two seconds */ };

static struct {
	struct store *holder;  /* of the claim; NULL: whoever asks first */
	struct wall now;
	bool mute;             /* no round is told */
} world;

int __wrap_store_claim(struct store *s, const char *what, bool *mine, struct bp_error *err);
struct wall __real_wall_now(void);
struct wall __wrap_wall_now(void);
int __real_bus_tell(struct bus *b, const char *subject, const void *bytes, size_t n,
		    struct bp_error *err);
int __wrap_bus_tell(struct bus *b, const char *subject, const void *bytes, size_t n,
		    struct bp_error *err);

int __wrap_store_claim(struct store *s, const char *what, bool *mine, struct bp_error *err)
{
	(void)what;
	(void)err;
	if (world.holder == NULL)
		world.holder = s;
	*mine = s == world.holder;
	return 0;
}

struct wall __wrap_wall_now(void)
{
	return world.now.ns != 0 ? world.now : __real_wall_now();
}

int __wrap_bus_tell(struct bus *b, const char *subject, const void *bytes, size_t n,
		    struct bp_error *err)
{
	if (world.mute && strncmp(subject, "bp.round.", 9) == 0)
		return 0;
	return __real_bus_tell(b, subject, bytes, n, err);
}

/* --- the bed ---------------------------------------------------------------------------------- */

/* A vantage point: what it measured lies in bed->store, and is sent as an agent does. */
struct site {
	struct bed *bed;
	struct cut *cut;
	uint64_t sent;
	char name[8];
};

struct teller {
	struct collect *c;         /* NULL: not open */
	struct event told[TOLD_MAX];
	unsigned count;
	char note[512];
};

struct centre {
	struct broker broker;
	struct bus *bus;
	char store[128];
	struct site sites[SITES];
	struct teller a, b;
};

static void tell(void *arg, const struct event *e)
{
	struct teller *t = arg;

	assert_true(t->count < TOLD_MAX);
	t->told[t->count++] = *e;
}

static void note(void *arg, const char *text)
{
	struct teller *t = arg;

	snprintf(t->note, sizeof(t->note), "%s", text);
}

static void open_teller(struct centre *c, struct teller *t)
{
	struct collect_options o = {
		.bus = {.url = c->broker.url, .name = "collect", .inbox = "centre"},
		.store = c->store, .replicas = 1, .watch = true,
	};
	const struct collect_hooks hooks = {.on_event = tell, .on_note = note, .arg = t};
	struct bp_error err = {0};

	memset(t, 0, sizeof(*t));
	if (collect_open(&o, &hooks, &t->c, &err) != 0)
		fail_msg("%s", err.text);
}

static void close_teller(struct teller *t)
{
	if (t->c == NULL)
		return;
	collect_close(t->c);
	t->c = NULL;
}

static void put(struct centre *c, const char *bucket, const char *key, const char *text)
{
	struct bp_error err = {0};

	if (bus_put(c->bus, bucket, key, text, strlen(text), NULL, &err) < 0)
		fail_msg("%s", err.text);
}

static void make_profile(const struct centre *c)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/borderpath", c->broker.dir);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/borderpath/profiles", c->broker.dir);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/borderpath/profiles/p.yaml", c->broker.dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(yaml, f);
	fclose(f);
	setenv("XDG_CONFIG_HOME", c->broker.dir, 1);
}

static void open_site(struct site *p, unsigned v)
{
	struct bp_error err = {0};
	void *bed = NULL;
	char file[96];

	snprintf(p->name, sizeof(p->name), "v%u", v);
	assert_int_equal(setup(&bed), 0);
	p->bed = bed;
	snprintf(file, sizeof(file), "%s/outbox.db", p->bed->dir);
	if (cut_open(file, p->name, &p->cut, &err) < 0)
		fail_msg("%s", err.text);
}

static struct centre *centre_open(void)
{
	struct centre *c = calloc(1, sizeof(*c));
	struct bp_error err = {0};

	assert_non_null(c);
	memset(&world, 0, sizeof(world));
	broker_make(&c->broker, NULL);
	make_profile(c);
	snprintf(c->store, sizeof(c->store), "sqlite:%s/centre.db", c->broker.dir);
	c->bus = broker_bus(&c->broker, "operator", NULL);
	assert_int_equal(bus_setup(c->bus, 1, 0, &err), 0);
	put(c, "BP_FLEET", "plan.c",
	    "campaign: c\nprofile: p\nevery: 15m\ntargets: [175.45.176.71]\n");
	for (unsigned v = 0; v < SITES; v++)
		open_site(&c->sites[v], v);
	return c;
}

static void centre_close(struct centre *c)
{
	close_teller(&c->a);
	close_teller(&c->b);
	for (unsigned v = 0; v < SITES; v++) {
		void *bed = c->sites[v].bed;

		cut_close(c->sites[v].cut);
		assert_int_equal(teardown(&bed), 0);
	}
	bus_close(c->bus);
	broker_end(&c->broker);
	world.now.ns = 0;
	free(c);
}

/* --- what happens ----------------------------------------------------------------------------- */

static void turn(const struct teller *t)
{
	collect_step(t->c, TURN_NS);
}

static void publish(struct centre *c, struct site *p)
{
	char subject[BUS_SUBJECT_TEXT], id[BATCH_ID_TEXT];
	struct bp_error err = {0};
	struct batch_head head;
	struct buf bytes;

	buf_init(&bytes);
	while (cut_get(p->cut, p->sent + 1, &bytes, &head, &err) == 0) {
		p->sent++;
		batch_id(&head, 0, id);
		snprintf(subject, sizeof(subject), "bp.result.%s", p->name);
		if (bus_publish(c->bus, subject, id, bytes.bytes, bytes.used, NULL, &err) < 0)
			fail_msg("%s", err.text);
	}
	buf_fini(&bytes);
}

/* A round of one of them is measured, sent, and taken in by that collector. */
static void measure(struct centre *c, struct teller *by, unsigned v, unsigned slot, const char *how)
{
	struct site *p = &c->sites[v];
	struct round r = commit_of(p->bed, p->name, slot, v * 80 * NS_PER_S, how, ROUND_HEALTH_OK);
	struct collect_counts n = {0};
	struct bp_error err = {0};
	uint64_t before;

	world.now.ns = r.end.ns + NS_PER_S;
	assert_int_equal(cut_next(p->cut, p->bed->store, NULL, &err), 0);
	publish(c, p);
	collect_count(by->c, &n);
	before = n.rounds;
	for (unsigned i = 0; i < PATIENCE && n.rounds == before; i++) {
		turn(by);
		collect_count(by->c, &n);
	}
	assert_int_equal(n.rounds, before + 1);
}

static void slots(struct centre *c, struct teller *by, unsigned from, unsigned to, const char *how)
{
	for (unsigned slot = from; slot < to; slot++) {
		for (unsigned v = 0; v < SITES; v++)
			measure(c, by, v, slot, how);
	}
}

/* Long after the last round: nobody is waited for. */
static void time_goes_by(void)
{
	world.now.ns += 5 * MINUTE;
}

static const struct event *switched(const struct teller *t)
{
	const struct event *e = t->count > 0 ? &t->told[t->count - 1] : NULL;

	return e != NULL && e->kind == EVENT_BORDER_SWITCH && e->status == EVENT_CONFIRMED ? e :
											     NULL;
}

static const struct event *is_told(const struct teller *t)
{
	for (unsigned i = 0; i < PATIENCE && switched(t) == NULL; i++)
		turn(t);
	if (switched(t) == NULL)
		fail_msg("no switch is told (%u events): %s", t->count, t->note);
	return switched(t);
}

static void nothing_is_told(const struct teller *t)
{
	for (unsigned i = 0; i < SETTLED; i++)
		turn(t);
	assert_int_equal(t->count, 0);
}

/* --- tests ------------------------------------------------------------------------------------ */

/* As an agent says it: what time it believes it is, against the broker's. */
static void clock_is(struct centre *c, const char *name, int64_t off_ns)
{
	char text[160], at[WALL_TEXT];

	snprintf(text, sizeof(text), "{\"type\":\"status\",\"version\":1,\"vantage\":\"%s\",\"at\":\"%s\"}",
		 name, wall_format((struct wall){__real_wall_now().ns + off_ns}, at));
	put(c, "BP_STATUS", name, text);
}

static void a_clock_that_is_off_has_no_vote(void **state)
{
	static const struct { int64_t off_s; unsigned of; const char *why; } rows[] = {
		{0, 3, "its clock is right"},
		{20, 3, "a little off: rounds are still those of their time"},
		{90, 2, "ahead"},
		{-90, 2, "behind"},
	};

	(void)state;
	if (broker_missing())
		skip();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct centre *c = centre_open();
		const struct event *e;

		clock_is(c, "v2", rows[i].off_s * NS_PER_S);
		clock_is(c, "v1", 0);
		open_teller(c, &c->a);
		slots(c, &c->a, 0, 4, "dddd");
		for (unsigned v = 0; v < SITES; v++)
			measure(c, &c->a, v, 4, v < 2 ? "kddd" : "dddd");
		time_goes_by();
		e = is_told(&c->a);
		assert_int_equal(e->seen_by, 2);
		if (e->seen_of != rows[i].of)
			fail_msg("%s: seen by %u of %u", rows[i].why, e->seen_by, e->seen_of);
		centre_close(c);
	}
}

/* It went wrong while it was watched; alone, it would have told a switch. */
static void a_clock_that_goes_wrong_loses_its_vote(void **state)
{
	struct collect_counts n;
	struct centre *c;
	struct buf text;
	struct bp_error err;
	bool known = false;

	(void)state;
	if (broker_missing())
		skip();
	c = centre_open();
	clock_is(c, "v2", 0);
	open_teller(c, &c->a);
	slots(c, &c->a, 0, 4, "dddd");
	clock_is(c, "v2", 3600 * NS_PER_S);
	buf_init(&text);
	for (unsigned i = 0; i < PATIENCE && !known; i++) {
		const char *key = "\"clock_offset_ms\":", *at;

		turn(&c->a);
		buf_clear(&text);
		at = bus_get(c->bus, "BP_CENTRE", "v2", &text, NULL, NULL, &err) == 0 ?
			     strstr(text.bytes, key) : NULL;
		known = at != NULL && atoll(at + strlen(key)) > 3500000;
	}
	buf_fini(&text);
	assert_true(known);
	for (unsigned v = 0; v < SITES; v++)
		measure(c, &c->a, v, 4, v == 2 ? "kddd" : "dddd");
	time_goes_by();
	nothing_is_told(&c->a);
	collect_count(c->a.c, &n);
	assert_int_equal(n.rounds, 15);
	centre_close(c);
}

static void what_another_takes_in_is_told_to_who_watches(void **state)
{
	const struct event *e;
	struct centre *c;

	(void)state;
	if (broker_missing())
		skip();
	c = centre_open();
	open_teller(c, &c->a);
	turn(&c->a);
	open_teller(c, &c->b);
	/* Some by one of them, some by the other. */
	slots(c, &c->b, 0, 2, "dddd");
	slots(c, &c->a, 2, 4, "dddd");
	measure(c, &c->b, 0, 4, "kddd");
	measure(c, &c->a, 1, 4, "kddd");
	measure(c, &c->b, 2, 4, "kddd");
	time_goes_by();
	e = is_told(&c->a);
	assert_int_equal(e->seen_by, 3);
	assert_int_equal(e->seen_of, 3);
	nothing_is_told(&c->b);
	centre_close(c);
}

static void who_was_deaf_reads_it_from_the_store(void **state)
{
	struct collect_counts n;
	struct centre *c;

	(void)state;
	if (broker_missing())
		skip();
	c = centre_open();
	open_teller(c, &c->a);
	turn(&c->a);
	open_teller(c, &c->b);
	slots(c, &c->b, 0, 4, "dddd");
	for (unsigned i = 0; i < SETTLED; i++)
		turn(&c->a);
	/* What is said while the broker is away is heard by nobody. */
	world.mute = true;
	for (unsigned v = 0; v < SITES; v++)
		measure(c, &c->b, v, 4, "kddd");
	time_goes_by();
	nothing_is_told(&c->a);
	broker_kill(&c->broker);
	for (unsigned i = 0; i < PATIENCE; i++) {
		turn(&c->a);
		collect_count(c->a.c, &n);
		if (!n.bus)
			break;
	}
	assert_false(n.bus);
	broker_start(&c->broker);
	assert_int_equal(is_told(&c->a)->seen_by, 3);
	centre_close(c);
}

/* A collector is killed behind its commit, or a message is lost. */
static void what_nobody_told_is_read_from_the_store(void **state)
{
	struct centre *c;

	(void)state;
	if (broker_missing())
		skip();
	c = centre_open();
	open_teller(c, &c->a);
	turn(&c->a);
	open_teller(c, &c->b);
	slots(c, &c->b, 0, 4, "dddd");
	for (unsigned i = 0; i < SETTLED; i++)
		turn(&c->a);
	world.mute = true;
	for (unsigned v = 0; v < SITES; v++)
		measure(c, &c->b, v, 4, "kddd");
	close_teller(&c->b);
	time_goes_by();
	assert_int_equal(is_told(&c->a)->seen_by, 3);
	centre_close(c);
}

static void who_takes_over_reads_it_from_the_store(void **state)
{
	struct centre *c;
	unsigned told;

	(void)state;
	if (broker_missing())
		skip();
	c = centre_open();
	open_teller(c, &c->a);
	turn(&c->a);
	open_teller(c, &c->b);
	slots(c, &c->a, 0, 4, "dddd");
	/* Nobody looked for events while these came. */
	world.mute = true;
	for (unsigned v = 0; v < SITES; v++)
		measure(c, &c->b, v, 4, "kddd");
	time_goes_by();
	assert_int_equal(c->b.count, 0);
	close_teller(&c->a);
	world.holder = NULL;
	assert_int_equal(is_told(&c->b)->seen_by, 3);
	told = c->b.count;
	assert_true(told > 0);
	/* And the next one knows that it was told. */
	close_teller(&c->b);
	world.holder = NULL;
	open_teller(c, &c->a);
	nothing_is_told(&c->a);
	centre_close(c);
}

/* A broker that lost its disk numbers its entries anew: a number that was there is no proof. */
static void a_plan_of_the_same_number_is_another(void **state)
{
	struct bp_error err = {0};
	struct centre *c;
	char command[128];
	int rc = BP_EAGAIN;

	(void)state;
	if (broker_missing())
		skip();
	c = centre_open();
	open_teller(c, &c->a);
	for (unsigned i = 0; i < SETTLED; i++)
		turn(&c->a);
	broker_kill(&c->broker);
	snprintf(command, sizeof(command), "rm -rf '%s/js'", c->broker.dir);
	assert_int_equal(system(command), 0);
	broker_start(&c->broker);
	for (unsigned i = 0; i < PATIENCE && rc < 0; i++) {
		turn(&c->a);
		rc = bus_setup(c->bus, 1, 0, &err);
	}
	assert_int_equal(rc, 0);
	put(c, "BP_FLEET", "plan.c", "campaign: c\nprofile: unheard\nevery: 15m\ntargets: [175.45.176.71]\n");
	for (unsigned i = 0; i < PATIENCE && strstr(c->a.note, "its events wait") == NULL; i++)
		turn(&c->a);
	if (strstr(c->a.note, "unheard") == NULL)
		fail_msg("%s", c->a.note);
	centre_close(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clock_that_is_off_has_no_vote),
		cmocka_unit_test(a_clock_that_goes_wrong_loses_its_vote),
		cmocka_unit_test(what_another_takes_in_is_told_to_who_watches),
		cmocka_unit_test(who_was_deaf_reads_it_from_the_store),
		cmocka_unit_test(what_nobody_told_is_read_from_the_store),
		cmocka_unit_test(who_takes_over_reads_it_from_the_store),
		cmocka_unit_test(a_plan_of_the_same_number_is_another),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, broker_over);
}
