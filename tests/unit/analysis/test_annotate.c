// SPDX-License-Identifier: BSD-2-Clause
/* Naming a trace: every address once, what the record knew before, which databases were asked. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "analysis/annotate.h"
#include "tests/unit/analysis/path_text.h"

#define GOLDEN "tests/golden/mmdb/"

static struct geo *open_geo(const struct profile *p)
{
	struct geo *g = NULL;
	struct bp_error err = {0};

	if (geo_open(GOLDEN "asn-maxmind.mmdb", GOLDEN "country-maxmind.mmdb", p, &g, &err) < 0)
		fail_msg("%s", err.text);
	return g;
}

static void test_every_address_once(void **state)
{
	struct profile *p = path_profile();
	struct geo *g = open_geo(p);
	struct names names, unused;
	struct trace *t;

	(void)state;
	names_init(&names);
	names_init(&unused);
	t = path_trace("175.45.176.71",
		       "10.0.0.1|10.0.0.1 219.158.1.1|219.158.1.2 * 103.35.255.254 "
		       "103.35.255.254!X =175.45.176.71",
		       (struct wall){INT64_C(1795341600) * NS_PER_S}, &unused);
	t->src = path_addr("203.0.113.2");
	assert_int_equal(annotate(t, g, &names), 0);
	/* src, dst, and four routers: the repeated one and the silent TTL add nothing. */
	assert_int_equal(names.count, 6);
	assert_non_null(names_find(&names, t->src));
	assert_non_null(names_find(&names, t->dst));
	/* The overlay names what no table has. */
	assert_int_equal(names_find(&names, path_addr("103.35.255.254"))->asn, 134544);
	assert_int_equal(names_find(&names, path_addr("103.35.255.254"))->source,
			 NAME_SOURCE_OVERLAY);
	assert_string_equal(names.geo.asn_sha256, geo_source(g)->asn_sha256);
	assert_true(names.geo.asn_built[0] != '\0');
	free(t);
	names_fini(&names);
	names_fini(&unused);
	geo_close(g);
	profile_free(p);
}

static void test_overlay_is_of_the_records_time(void **state)
{
	struct profile *p = path_profile();
	struct geo *g = open_geo(p);
	struct names names, unused;
	struct trace *t;

	(void)state;
	names_init(&names);
	names_init(&unused);
	t = path_trace("175.45.176.71", "103.35.255.254",
		       (struct wall){INT64_C(1433116800) * NS_PER_S}, &unused);
	assert_int_equal(annotate(t, g, &names), 0);
	assert_int_equal(names_find(&names, path_addr("103.35.255.254"))->asn, 0);
	free(t);
	names_fini(&names);
	names_fini(&unused);
	geo_close(g);
	profile_free(p);
}

static void test_host_names_of_the_record_stay(void **state)
{
	struct geo *g = open_geo(NULL);
	struct names names;
	struct name *n;
	struct trace *t;

	(void)state;
	names_init(&names);
	t = path_trace("198.51.100.9", "192.0.2.1", (struct wall){0}, &names);
	n = names_put(&names, path_addr("192.0.2.1"));
	text_set(n->host, sizeof(n->host), "gw.example");
	n->asn = 7; /* what another database had said is not ours to keep: this one answers now */
	n->source = NAME_SOURCE_ASN_DB;
	assert_int_equal(annotate(t, g, &names), 0);
	assert_string_equal(names_find(&names, path_addr("192.0.2.1"))->host, "gw.example");
	assert_int_not_equal(names_find(&names, path_addr("192.0.2.1"))->asn, 7);
	/* A second pass changes nothing. */
	assert_int_equal(annotate(t, g, &names), 0);
	assert_string_equal(names_find(&names, path_addr("192.0.2.1"))->host, "gw.example");
	free(t);
	names_fini(&names);
	geo_close(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_address_once),
		cmocka_unit_test(test_overlay_is_of_the_records_time),
		cmocka_unit_test(test_host_names_of_the_record_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
