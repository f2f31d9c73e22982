// SPDX-License-Identifier: BSD-2-Clause
/* Two operators with copies of one fleet's directory, at a real broker: nobody takes back what he
 * does not know of. */
#include "tests/unit/campaign/fleet/broker_bed.h"

#include <sodium.h>

#include "cli/fleet/fleet.h"
#include "cli/fleet/known.h"
#include "cli/fleet/view.h"
#include "core/text.h"

static const struct wall noon = {INT64_C(1700000000) * NS_PER_S};

struct bed {
	struct broker broker;
	struct bus *bus;
	char a[128], b[128];    /* the copies */
};

static void add(struct roster *r, const char *name)
{
	char seed[NKEY_SEED_TEXT], nkey[NKEY_PUBLIC_TEXT];
	struct bp_error err;

	nkey_make(seed, nkey);
	assert_int_equal(roster_add(r, name, nkey, noon, &err), 0);
}

static void write_list(const char *dir, const struct roster *r)
{
	struct bp_error err = {0};

	if (fleet_write_list(dir, r, &err) < 0)
		fail_msg("%s", err.text);
}

static void load(const char *dir, struct roster *out)
{
	char path[PATH_MAX];
	struct bp_error err;

	*out = (struct roster){0};
	assert_int_equal(roster_load(fleet_path(dir, "fleet.json", path), out, &err), 0);
}

/* As `fleet add NAME` does, without a broker. */
static void add_in(const char *dir, const char *name)
{
	struct roster r;

	load(dir, &r);
	add(&r, name);
	write_list(dir, &r);
	roster_fini(&r);
}

static void make(struct bed *b)
{
	char seed[NKEY_SEED_TEXT], path[PATH_MAX];
	struct roster r = {.replicas = 1, .budget_pps = 40};
	struct bp_error err = {0};

	broker_make(&b->broker, NULL);
	b->bus = broker_bus(&b->broker, "operator", NULL);
	snprintf(b->a, sizeof(b->a), "%s/a", b->broker.dir);
	snprintf(b->b, sizeof(b->b), "%s/b", b->broker.dir);
	text_set(r.server, sizeof(r.server), "nats://127.0.0.1:4222");
	nkey_make(seed, r.centre);
	nkey_make(seed, r.operator);
	nkey_make(seed, r.system);
	add(&r, "fra1");
	for (int i = 0; i < 2; i++) {
		const char *dir = i == 0 ? b->a : b->b;

		assert_int_equal(mkdir(dir, 0700), 0);
		assert_int_equal(mkdir(fleet_path(dir, "server", path), 0700), 0);
		write_list(dir, &r);
	}
	roster_fini(&r);
	if (bus_setup(b->bus, 1, 0, &err) < 0)
		fail_msg("%s", err.text);
}

static void unmake(struct bed *b)
{
	bus_close(b->bus);
	broker_end(&b->broker);
}

/* As `campaign deploy --dir DIR` begins. */
static int sync_from(struct bed *b, const char *dir, struct bp_error *err)
{
	struct view v = {0};
	int rc = view_read(b->bus, &v, err);

	if (rc == 0)
		rc = view_sync(b->bus, dir, &v, err);
	view_fini(&v);
	return rc;
}

static void synced(struct bed *b, const char *dir)
{
	struct bp_error err = {0};

	if (sync_from(b, dir, &err) < 0)
		fail_msg("%s", err.text);
}

/* Names that the broker's list has. */
static const char *at_broker(struct bed *b, char out[static 128])
{
	struct view v = {0};
	struct bp_error err;

	assert_int_equal(view_read(b->bus, &v, &err), 0);
	out[0] = '\0';
	for (unsigned i = 0; i < v.roster.count; i++)
		snprintf(out + strlen(out), 128 - strlen(out), "%s ", v.roster.keys[i].name);
	view_fini(&v);
	return out;
}

static void a_copy_that_is_behind_overwrites_nothing(void **state)
{
	struct bp_error err = {0};
	struct view v = {0};
	char names[128];
	uint64_t known;
	struct bed b = {0};

	(void)state;
	if (broker_missing())
		skip();
	make(&b);
	synced(&b, b.a);
	assert_string_equal(at_broker(&b, names), "fra1 ");
	/* One changes, the other has the same as the broker: no harm in either. */
	synced(&b, b.b);
	add_in(b.a, "iad1");
	synced(&b, b.a);
	assert_string_equal(at_broker(&b, names), "fra1 iad1 ");
	/* The other is behind now, whether it was changed or not. */
	for (int changed = 0; changed < 2; changed++) {
		if (changed)
			add_in(b.b, "sin1");
		assert_int_equal(sync_from(&b, b.b, &err), BP_EFOREIGN);
		assert_non_null(strstr(err.text, b.b));
		assert_non_null(strstr(err.text, "fleet refresh --dir"));
		assert_string_equal(at_broker(&b, names), "fra1 iad1 ");
	}
	/* Who only looks sees the broker's. */
	assert_int_equal(view_read(b.bus, &v, &err), 0);
	assert_int_equal(view_check_list(b.b, &v, &err), BP_EFOREIGN);
	assert_int_equal(view_check_list(b.a, &v, &err), 0);
	assert_int_equal(view_take_list(b.b, &v, &err), 0);
	assert_true(v.behind);
	assert_int_equal(v.roster.count, 2);
	assert_int_equal(view_take_list(b.a, &v, &err), 0);
	assert_false(v.behind);
	/* Brought up to date, as `fleet refresh` does, it changes again. */
	write_list(b.b, &v.roster);
	assert_int_equal(known_write(b.b, v.roster_revision, &err), 0);
	view_fini(&v);
	add_in(b.b, "sin1");
	synced(&b, b.b);
	assert_string_equal(at_broker(&b, names), "fra1 iad1 sin1 ");
	assert_int_equal(sync_from(&b, b.a, &err), BP_EFOREIGN);
	/* What nobody changed is not put again. */
	assert_int_equal(known_read(b.b, &known, &err), 0);
	synced(&b, b.b);
	assert_int_equal(view_read(b.bus, &v, &err), 0);
	assert_int_equal(v.roster_revision, known);
	view_fini(&v);
	unmake(&b);
}

/* Copies that never were at the broker: the first is taken. */
static void the_first_of_two_new_copies_is_taken(void **state)
{
	struct bp_error err = {0};
	char names[128];
	struct bed b = {0};

	(void)state;
	if (broker_missing())
		skip();
	make(&b);
	add_in(b.a, "iad1");
	add_in(b.b, "sin1");
	synced(&b, b.b);
	assert_int_equal(sync_from(&b, b.a, &err), BP_EFOREIGN);
	assert_string_equal(at_broker(&b, names), "fra1 sin1 ");
	unmake(&b);
}

/* Both read, then both write: the second is told, by the broker itself. */
static void of_two_at_once_one_is_told(void **state)
{
	struct bp_error err = {0};
	struct view va = {0}, vb = {0};
	char names[128];
	struct bed b = {0};

	(void)state;
	if (broker_missing())
		skip();
	make(&b);
	for (int known = 0; known < 2; known++) {
		add_in(b.a, known ? "iad2" : "iad1");
		add_in(b.b, known ? "sin2" : "sin1");
		assert_int_equal(view_read(b.bus, &va, &err), 0);
		assert_int_equal(view_read(b.bus, &vb, &err), 0);
		assert_int_equal(view_sync(b.bus, b.a, &va, &err), 0);
		assert_int_equal(view_sync(b.bus, b.b, &vb, &err), BP_EFOREIGN);
		assert_non_null(strstr(err.text, "roster was changed by somebody else meanwhile"));
		/* For the second time: both are of what is there. */
		write_list(b.b, &va.roster);
		assert_int_equal(known_write(b.b, va.roster_revision, &err), 0);
		view_fini(&va);
		view_fini(&vb);
	}
	assert_string_equal(at_broker(&b, names), "fra1 iad1 iad2 ");
	unmake(&b);
}

static struct view_plan *plan(struct view *v, const char *key)
{
	for (unsigned i = 0; i < v->plans_count; i++) {
		if (strcmp(v->plans[i].key, key) == 0)
			return &v->plans[i];
	}
	fail_msg("no %s", key);
	return NULL;
}

static void a_plan_that_another_put_is_not_overwritten(void **state)
{
	struct bp_error err = {0};
	struct view va = {0}, vb = {0};
	struct bed b = {0};
	struct view_plan *p;
	unsigned changed;

	(void)state;
	if (broker_missing())
		skip();
	make(&b);
	assert_int_equal(bus_put(b.bus, "BP_PLANS", "fra1.x", "one", 3, NULL, &err), 0);
	assert_int_equal(view_read(b.bus, &va, &err), 0);
	assert_int_equal(view_read(b.bus, &vb, &err), 0);
	p = plan(&va, "fra1.x");
	p->wanted = p->changed = true;
	p = plan(&vb, "fra1.x");
	p->wanted = p->changed = true;
	assert_int_equal(view_send(b.bus, &va, NULL, &changed, &err), 0);
	assert_int_equal(changed, 1);
	assert_true(plan(&va, "fra1.x")->revision > plan(&vb, "fra1.x")->revision);
	assert_int_equal(view_send(b.bus, &vb, NULL, &changed, &err), BP_EFOREIGN);
	assert_non_null(strstr(err.text, "fra1.x was changed by somebody else meanwhile"));
	view_fini(&va);
	view_fini(&vb);
	/* One that was withdrawn comes again. */
	assert_int_equal(bus_delete(b.bus, "BP_PLANS", "fra1.x", &err), 0);
	assert_int_equal(view_read(b.bus, &va, &err), 0);
	assert_int_equal(va.plans_count, 0);
	va.plans = calloc(1, sizeof(*va.plans));
	assert_non_null(va.plans);
	va.plans_count = 1;
	va.plans[0] = (struct view_plan){.key = "fra1.x", .yaml = strdup("two"), .n = 3,
					 .wanted = true, .changed = true};
	assert_int_equal(view_send(b.bus, &va, NULL, &changed, &err), 0);
	view_fini(&va);
	unmake(&b);
}

/* What the list knows of a vantage point, its plans say. */
static void plans_tell_vantage_points_where_they_are(void **state)
{
	static const char yaml[] = "campaign: x\nevery: 1m\ntargets: [192.0.2.1]\n"
				   "vantage: {name: mine, lat: 1, lon: 2}\n";
	static const struct roster_where frankfurt = {true, 5011000, 868000, {0}};
	struct roster_key keys[] = {{.name = "fra1", .where = frankfurt}, {.name = "sin1"}};
	struct view v = {.roster = {.keys = keys, .count = 2, .budget_pps = 40}};
	struct deployment d = {.campaign = "x", .every_ns = 60 * NS_PER_S};
	const char *const names[] = {"fra1", "sin1"};
	struct bp_error err = {0};

	(void)state;
	assert_int_equal(deployment_seat(&d, names, 2), 0);
	assert_int_equal(view_put_take(&v, &d, yaml, sizeof(yaml) - 1), 0);
	if (view_settle(&v, &err) < 0)
		fail_msg("%s", err.text);
	assert_non_null(strstr(plan(&v, "fra1.x")->yaml, "{name: fra1, lat: 50.11000, lon: 8.68000}"));
	/* The plan's own is of one of them, nobody knows which. */
	assert_non_null(strstr(plan(&v, "sin1.x")->yaml, "{name: sin1}"));
	v.roster.keys = NULL;
	view_fini(&v);
}

/* The broker lost its disk: it gets the list again. */
static void a_broker_without_a_list_gets_it(void **state)
{
	struct bp_error err = {0};
	char names[128], path[PATH_MAX];
	struct bed b = {0};
	uint64_t known;
	FILE *f;

	(void)state;
	if (broker_missing())
		skip();
	make(&b);
	assert_int_equal(known_write(b.a, 4711, &err), 0);
	synced(&b, b.a);
	assert_string_equal(at_broker(&b, names), "fra1 ");
	assert_int_equal(known_read(b.a, &known, &err), 0);
	assert_true(known > 0 && known < 4711);
	/* What is no note is told, and nothing is guessed. */
	f = fopen(fleet_path(b.a, "broker.json", path), "we");
	assert_non_null(f);
	fputs("{\"type\":\"known\",\"version\":2,\"revision\":1}\n", f);
	fclose(f);
	assert_int_equal(sync_from(&b, b.a, &err), BP_EPARSE);
	assert_non_null(strstr(err.text, "broker.json"));
	unmake(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copy_that_is_behind_overwrites_nothing),
		cmocka_unit_test(the_first_of_two_new_copies_is_taken),
		cmocka_unit_test(of_two_at_once_one_is_told),
		cmocka_unit_test(a_plan_that_another_put_is_not_overwritten),
		cmocka_unit_test(plans_tell_vantage_points_where_they_are),
		cmocka_unit_test(a_broker_without_a_list_gets_it),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, broker_over);
}
