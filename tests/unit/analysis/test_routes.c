// SPDX-License-Identifier: BSD-2-Clause
/* Tables and updates around a moment: who stands before the origin, at how many peers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "analysis/routes.h"
#include "core/buf.h"

/* Times in the lines are seconds; the moment is 100, the window ends at 200. */
static const struct wall moment = {100 * NS_PER_S}, end = {200 * NS_PER_S};

static struct profile_prefix net;
static struct profile_network carriers[] = {{.asn = 4837}, {.asn = 20485}};
static struct profile_border borders[] = {{.id = "dandong", .networks = &carriers[0],
					   .networks_count = 1},
					  {.id = "khasan", .networks = &carriers[1],
					   .networks_count = 1}};
static const struct profile profile = {.prefixes = &net, .prefixes_count = 1, .borders = borders,
				       .borders_count = 2};

static void take(struct routes_maker *m, const char *text)
{
	struct bgp_line line;
	struct bp_error err;

	if (bgpline_parse(text, strlen(text), &line, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	assert_int_equal(routes_take(m, &line), 0);
}

/* "PREFIX UPSTREAM BEFORE/OF AFTER/OF FIRST; ..." */
static void summary(const struct routes *r, struct buf *out)
{
	char text[PREFIX_TEXT];

	buf_clear(out);
	buf_str(out, "");
	for (unsigned i = 0; i < r->row_count; i++) {
		const struct routes_row *x = &r->rows[i];
		const struct routes_prefix *of = routes_prefix_of(r, x->prefix);

		buf_printf(out, "%s%s %u %u/%u %u/%u %lld", i > 0 ? "; " : "",
			   prefix_format(x->prefix, text), x->upstream, x->before, of->before,
			   x->after, of->after, (long long)(x->first.ns / NS_PER_S));
	}
}

#define B "TABLE_DUMP2|"
#define U "BGP4MP|"
#define P1 "|203.0.113.1|64501|"
#define P2 "|203.0.113.2|64502|"
#define NET "175.45.176.0/24"
#define CHINA "|1 4837 131279"
#define RUSSIA "|2 20485 131279"

static const struct { const char *lines[8], *want, *reason; } rows[] = {
	{{B "50|B" P1 NET CHINA, B "50|B" P2 NET CHINA, U "120|A" P2 NET RUSSIA},
	 "175.45.176.0/24 4837 2/2 1/2 0; 175.45.176.0/24 20485 0/2 1/2 120",
	 "a table, and one peer that moved"},
	{{U "120|A" P2 NET RUSSIA, B "50|B" P2 NET CHINA, B "50|B" P1 NET CHINA},
	 "175.45.176.0/24 4837 2/2 1/2 0; 175.45.176.0/24 20485 0/2 1/2 120",
	 "whatever the order of files"},
	{{U "100|A" P1 NET RUSSIA}, "175.45.176.0/24 20485 0/0 1/1 100", "the moment itself is after"},
	{{U "99|A" P1 NET RUSSIA}, "175.45.176.0/24 20485 1/1 0/0 0",
	 "nothing was told from the moment on: not \"as before\""},
	{{U "99|A" P1 NET RUSSIA, U "150|A" P1 "192.0.2.0/24" CHINA}, "175.45.176.0/24 20485 1/1 1/1 0",
	 "something else was: as before"},
	{{U "99|A" P1 NET CHINA, U "200|A" P1 NET RUSSIA}, "175.45.176.0/24 4837 1/1 0/0 0",
	 "what comes when the window is over"},
	{{U "90|A" P1 NET CHINA, U "110|W" P1 NET}, "175.45.176.0/24 4837 1/1 0/0 0", "withdrawn"},
	{{U "90|A" P1 NET CHINA, U "110|W" P1 NET, U "110|A" P1 NET RUSSIA},
	 "175.45.176.0/24 4837 1/1 0/1 0; 175.45.176.0/24 20485 0/1 1/1 110",
	 "of one second the later line holds"},
	{{U "90|A" P1 NET CHINA, U "110|STATE" P1 "6|1", U "120|A" P2 NET CHINA},
	 "175.45.176.0/24 4837 1/1 1/1 120", "a lost session takes its routes along"},
	{{U "90|A" P1 NET CHINA, U "110|STATE" P1 "1|2"}, "175.45.176.0/24 4837 1/1 1/1 0",
	 "one that begins does not"},
	{{B "50|B" P1 NET CHINA, B "120|B" P1 "192.0.2.0/24" CHINA, B "120|B" P2 NET RUSSIA},
	 "175.45.176.0/24 4837 1/1 0/1 0; 175.45.176.0/24 20485 0/1 1/1 120",
	 "a later table without it: withdrawn, as far as that peer goes"},
	{{B "50|B" P1 NET CHINA, B "120|B" P1 NET CHINA, U "110|A" P1 NET RUSSIA},
	 "175.45.176.0/24 4837 1/1 1/1 120; 175.45.176.0/24 20485 0/1 0/1 110",
	 "there and gone within the window"},
	{{U "10|A" P1 NET RUSSIA, U "90|A" P1 NET CHINA, U "150|A" P1 "192.0.2.0/24" CHINA},
	 "175.45.176.0/24 4837 1/1 1/1 0", "what was over before the moment says nothing"},
	{{U "90|A" P1 "175.45.176.0/22" CHINA, U "90|A" P1 "175.45.176.128/25" CHINA,
	  U "90|A" P1 "0.0.0.0/0" CHINA, U "90|A" P1 "175.45.0.0/24" CHINA},
	 "175.45.176.0/22 4837 1/1 0/0 0; 175.45.176.128/25 4837 1/1 0/0 0",
	 "over and within the network; no default route, no neighbour"},
	{{U "90|A" P1 NET "|131279"}, "175.45.176.0/24 0 1/1 0/0 0", "the peer is the origin"},
};

static void histories(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct routes_maker *m;
		struct routes r;

		assert_int_equal(routes_new(&profile, moment, end, &m), 0);
		for (unsigned k = 0; k < 8 && rows[i].lines[k] != NULL; k++)
			take(m, rows[i].lines[k]);
		assert_int_equal(routes_make(m, &r), 0);
		summary(&r, &out);
		if (strcmp(out.bytes, rows[i].want) != 0)
			fail_msg("%s: %s", rows[i].reason, out.bytes);
		routes_fini(&r);
		routes_free(m);
	}
	buf_fini(&out);
}

static void as_json(void **state)
{
	struct routes_maker *m;
	struct json_writer w;
	struct routes r;
	struct buf out;

	(void)state;
	buf_init(&out);
	assert_int_equal(routes_new(&profile, moment, end, &m), 0);
	take(m, B "50|B" P1 NET CHINA);
	routes_skip(m);
	assert_int_equal(routes_make(m, &r), 0);
	json_start(&w, &out);
	json_begin_object(&w, NULL);
	routes_json(&w, &r);
	json_end(&w);
	buf_str(&out, "");
	assert_string_equal(out.bytes, "{\"routes\":{\"lines\":2,\"skipped\":1,\"peers\":1,"
			    "\"before_told\":\"1970-01-01T00:00:50.000000000Z\",\"after_told\":null,"
			    "\"rows\":[{\"prefix\":\"175.45.176.0/24\",\"origin\":131279,"
			    "\"upstream\":4837,\"border\":\"dandong\",\"before\":1,\"before_of\":1,"
			    "\"after\":null,\"after_of\":null,\"first\":null}]}}");
	routes_fini(&r);
	routes_free(m);
	buf_fini(&out);
}

static int setup(void **state)
{
	(void)state;
	net.prefix.len = 22;
	return addr_parse("175.45.176.0", &net.prefix.addr);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(histories),
		cmocka_unit_test(as_json),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
