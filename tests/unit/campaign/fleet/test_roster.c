// SPDX-License-Identifier: BSD-2-Clause
/* A fleet's list: written and read back, changed, and refused where it is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <sodium.h>

#include "campaign/fleet/roster.h"
#include "core/text.h"

static const struct wall noon = {INT64_C(1700000000) * NS_PER_S};

static const struct roster_where sydney = {true, -3386785, 15120000,
					   {.family = 4, .bytes = {198, 51, 100, 7}}};

static void make(struct roster *r)
{
	char seed[NKEY_SEED_TEXT], nkey[NKEY_PUBLIC_TEXT];
	struct bp_error err;

	*r = (struct roster){.tls = true, .replicas = 1, .budget_pps = 40};
	text_set(r->server, sizeof(r->server), "tls://nats.example.org:4222");
	nkey_make(seed, r->centre);
	nkey_make(seed, r->operator);
	nkey_make(seed, r->system);
	nkey_make(seed, nkey);
	assert_int_equal(roster_add(r, "fra1", nkey, noon, &err), 0);
	nkey_make(seed, nkey);
	assert_int_equal(roster_add(r, "sgp1", nkey, noon, &err), 0);
}

static void what_is_written_reads_back(void **state)
{
	struct roster r, back;
	struct bp_error err;
	struct buf text, again;

	(void)state;
	make(&r);
	assert_int_equal(roster_revoke(&r, "fra1", (struct wall){noon.ns + 1}, &err), 0);
	assert_int_equal(roster_place(&r, "sgp1", &sydney, &err), 0);
	buf_init(&text);
	buf_init(&again);
	roster_put(&text, &r);
	assert_int_equal(roster_read("x", text.bytes, text.used, &back, &err), 0);
	roster_put(&again, &back);
	assert_string_equal(text.bytes, again.bytes);
	assert_null(roster_find(&back, "fra1"));
	assert_int_equal(roster_of_key(&back, r.keys[0].nkey)->revoked.ns, noon.ns + 1);
	assert_int_equal(roster_holding(&back), 1);
	assert_non_null(strstr(text.bytes, "\"place\":{\"lat\":-33.86785,\"lon\":151.2},\"address\":"
			       "\"198.51.100.7\""));
	assert_true(back.keys[1].where.known && !back.keys[0].where.known);
	assert_int_equal(back.keys[1].where.lat_e5, sydney.lat_e5);
	assert_int_equal(back.keys[1].where.lon_e5, sydney.lon_e5);
	assert_true(addr_equal(back.keys[1].where.address, sydney.address));
	buf_fini(&text);
	buf_fini(&again);
	roster_fini(&r);
	roster_fini(&back);
}

static void a_name_is_used_by_one_key_at_a_time(void **state)
{
	static const struct { const char *name; int rc; const char *why; } rows[] = {
		{"fra1", BP_EINVAL, "it is there"},
		{"nyc1", 0, "it is new"},
		{"centre", BP_EINVAL, "a role's"},
		{"operator", BP_EINVAL, "a role's"},
		{"system", BP_EINVAL, "a role's"},
		{"a.b", BP_EINVAL, "two tokens of a subject"},
		{"*", BP_EINVAL, "all of them"},
		{"", BP_EINVAL, "nothing"},
		{"a b", BP_EINVAL, "a blank"},
		{"../x", BP_EINVAL, "a path"},
	};
	struct bp_error err;
	struct roster r;
	char nkey[NKEY_PUBLIC_TEXT];

	(void)state;
	make(&r);
	memcpy(nkey, r.keys[0].nkey, sizeof(nkey));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (roster_add(&r, rows[i].name, nkey, noon, &err) != rows[i].rc)
			fail_msg("\"%s\": %s", rows[i].name, rows[i].why);
	}
	assert_int_equal(roster_revoke(&r, "zrh1", noon, &err), BP_ENOTFOUND);
	assert_int_equal(roster_revoke(&r, "fra1", noon, &err), 0);
	assert_int_equal(roster_revoke(&r, "fra1", noon, &err), BP_ENOTFOUND);
	assert_int_equal(roster_add(&r, "fra1", nkey, noon, &err), 0);
	assert_int_equal(roster_holding(&r), 3);
	roster_fini(&r);
}

/* What a trace's id has of a name tells whose it is. */
static void two_names_are_two_in_ids_of_traces(void **state)
{
	static const struct { const char *name, *like, *why; } rows[] = {
		{"lon-1", "lon_1", "'-' is '_' there"},
		{"a-vantage-point-in-frankfurt-2", "a-vantage-point-in-frankfurt-1", "cut after 28 bytes"},
		{"a_vantage_point-in-frankfurt", "a-vantage-point-in-frankfurt-1", "both"},
		{"lon-11", NULL, "one letter more"},
		{"Lon_1", NULL, "a capital is another letter"},
		{"a-vantage-point-in-frankfur", NULL, "27 bytes are not 28"},
	};
	static const char *const there[] = {"lon_1", "a-vantage-point-in-frankfurt-1"};
	struct bp_error err;
	struct roster r;

	(void)state;
	make(&r);
	for (size_t i = 0; i < sizeof(there) / sizeof(there[0]); i++)
		assert_int_equal(roster_add(&r, there[i], r.keys[0].nkey, noon, &err), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int rc = roster_add(&r, rows[i].name, r.keys[0].nkey, noon, &err);

		if (rc != (rows[i].like != NULL ? BP_EINVAL : 0))
			fail_msg("\"%s\": %s", rows[i].name, rows[i].why);
		if (rows[i].like != NULL && (strstr(err.text, rows[i].name) == NULL ||
					     strstr(err.text, rows[i].like) == NULL))
			fail_msg("\"%s\": not both are named: %s", rows[i].name, err.text);
	}
	/* One that is gone makes no trace any more. */
	assert_int_equal(roster_revoke(&r, "lon_1", noon, &err), 0);
	assert_int_equal(roster_add(&r, "lon-1", r.keys[0].nkey, noon, &err), 0);
	assert_int_equal(roster_add(&r, "lon_1", r.keys[0].nkey, noon, &err), BP_EINVAL);
	roster_fini(&r);
}

/* It is the machine's, not the key's. */
static void a_place_outlives_its_key(void **state)
{
	struct bp_error err;
	struct roster r;

	(void)state;
	make(&r);
	assert_int_equal(roster_place(&r, "zrh1", &sydney, &err), BP_ENOTFOUND);
	assert_int_equal(roster_place(&r, "fra1", &sydney, &err), 0);
	assert_int_equal(roster_revoke(&r, "fra1", noon, &err), 0);
	assert_int_equal(roster_place(&r, "fra1", &sydney, &err), BP_ENOTFOUND);
	assert_int_equal(roster_add(&r, "fra1", r.keys[1].nkey, noon, &err), 0);
	assert_int_equal(roster_find(&r, "fra1")->where.lat_e5, sydney.lat_e5);
	assert_false(roster_find(&r, "sgp1")->where.known);
	roster_fini(&r);
}

static void what_is_no_list_is_refused(void **state)
{
	static const struct { const char *find, *put, *why; } rows[] = {
		{"\"fleet\"", "\"trace\"", "another thing"},
		{"\"version\":1", "\"version\":2", "of a later program"},
		{"\"fra1\"", "\"sgp1\"", "one name twice"},
		{"\"fra1\"", "\"f.a1\"", "no name"},
		{"\"nkey\":\"U", "\"nkey\":\"X", "no key"},
		{"\"centre\":\"U", "\"centre\":\"A", "no key of the centre's"},
		{"\"budget_pps\":40", "\"budget_pps\":0", "no budget"},
		{"\"replicas\":1", "\"replicas\":9", "more brokers than there are"},
		{"\"vantages\":[", "\"vantages\":[7,", "no vantage point"},
		{"-33.86785", "-90.00001", "south of the pole"},
		{"151.2}", "180.1}", "further than round"},
		{"\"lon\":151.2", "\"east\":1", "half a place"},
		{"\"198.51.100.7\"", "\"198.51.100\"", "no address"},
		{"\"198.51.100.7\"", "7", "likewise"},
		{"}\n", "", "cut"},
	};
	struct roster r, back;
	struct bp_error err;
	struct buf text;

	(void)state;
	make(&r);
	assert_int_equal(roster_place(&r, "sgp1", &sydney, &err), 0);
	buf_init(&text);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf bad;
		char *at;

		buf_clear(&text);
		roster_put(&text, &r);
		at = strstr(text.bytes, rows[i].find);
		assert_non_null(at);
		buf_init(&bad);
		buf_append(&bad, text.bytes, (size_t)(at - text.bytes));
		buf_str(&bad, rows[i].put);
		buf_str(&bad, at + strlen(rows[i].find));
		if (roster_read("x", bad.bytes, bad.used, &back, &err) == 0)
			fail_msg("%s", rows[i].why);
		buf_fini(&bad);
	}
	buf_fini(&text);
	roster_fini(&r);
}

static void brokers_are_told_apart(void **state)
{
	static const struct { const char *text; int count; const char *host; unsigned port;
			      const char *why; } rows[] = {
		{"tls://nats.example.org:4333", 1, "nats.example.org", 4333, "all of it"},
		{"nats.example.org", 1, "nats.example.org", 4222, "the usual scheme and port"},
		{"nats://[2001:db8::1]:4333", 1, "2001:db8::1", 4333, "IPv6"},
		{"[2001:db8::1]", 1, "2001:db8::1", 4222, "IPv6 without a port"},
		{"192.0.2.1:1", 1, "192.0.2.1", 1, "IPv4"},
		{"a,b,c", 3, "a", 4222, "a cluster"},
		{"a,b,c,d", -1, NULL, 0, "too many"},
		{"", -1, NULL, 0, "none"},
		{"a,,b", -1, NULL, 0, "one is empty"},
		{"tls://", -1, NULL, 0, "no host"},
		{"2001:db8::1", -1, NULL, 0, "IPv6 without brackets"},
		{"a:0", -1, NULL, 0, "no port"},
		{"a:99999", -1, NULL, 0, "no port"},
		{"a\"b", -1, NULL, 0, "a quote would end the configuration's"},
		{"user@a", -1, NULL, 0, "there are no passwords"},
		{"a b", -1, NULL, 0, "a blank"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct roster_broker b[ROSTER_BROKERS_MAX];
		struct bp_error err;
		unsigned count = 0;
		int rc = roster_brokers(rows[i].text, b, &count, &err);

		if (rows[i].count < 0 ? rc == 0
				      : rc < 0 || (int)count != rows[i].count ||
					strcmp(b[0].host, rows[i].host) != 0 ||
					b[0].port != rows[i].port)
			fail_msg("\"%s\": %s", rows[i].text, rows[i].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_reads_back),
		cmocka_unit_test(a_name_is_used_by_one_key_at_a_time),
		cmocka_unit_test(two_names_are_two_in_ids_of_traces),
		cmocka_unit_test(a_place_outlives_its_key),
		cmocka_unit_test(what_is_no_list_is_refused),
		cmocka_unit_test(brokers_are_told_apart),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
