// SPDX-License-Identifier: BSD-2-Clause
/* Lines of bgpdump -m: each row says why it is there. The rows are the seeds of tests/fuzz too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/record/bgpline.h"
#include "tests/unit/seeds.h"

struct row {
	const char *line;
	int rc;
	uint8_t kind;
	int64_t ns;
	const char *peer, *prefix;
	uint32_t peer_as, origin, upstream;
	const char *reason;
};

#define HEAD "BGP4MP|1506848871|A|203.0.113.1|64500|175.45.176.0/24|"
#define T1 INT64_C(1506848871000000000)

static const struct row rows[] = {
	{"TABLE_DUMP2|1506848871|B|203.0.113.1|64500|175.45.176.0/24|64500 4837 131279|IGP|203.0.113.1|"
	 "0|0|64500:1|NAG||", 0, BGP_TABLE, T1, "203.0.113.1", "175.45.176.0/24", 64500, 131279, 4837,
	 "a table's entry"},
	{"TABLE_DUMP|1506848871|B|203.0.113.1|64500|175.45.176.0/24|64500 4837 131279|IGP", 0, BGP_TABLE,
	 T1, "203.0.113.1", "175.45.176.0/24", 64500, 131279, 4837, "of the old format"},
	{HEAD "64500 20485 131279|IGP|203.0.113.1|0|0||NAG||", 0, BGP_ANNOUNCE, T1, "203.0.113.1",
	 "175.45.176.0/24", 64500, 131279, 20485, "an announcement"},
	{"BGP4MP_ET|1506848871.000012|A|2001:7f8::1|64500|2001:db8::/32|64500 1 2|IGP", 0, BGP_ANNOUNCE,
	 T1 + 12000, "2001:7f8::1", "2001:db8::/32", 64500, 2, 1, "microseconds, IPv6"},
	{"BGP4MP|1506848871|W|203.0.113.1|64500|175.45.176.0/24", 0, BGP_WITHDRAW, T1, "203.0.113.1",
	 "175.45.176.0/24", 64500, 0, 0, "a withdrawal"},
	{"BGP4MP|1506848871|STATE|203.0.113.1|64500|6|1", 0, BGP_DOWN, T1, "203.0.113.1", NULL, 64500, 0,
	 0, "a session that was lost"},
	{"BGP4MP|1506848871|STATE|203.0.113.1|64500|5|6", 0, BGP_UP, T1, "203.0.113.1", NULL, 64500, 0, 0,
	 "one that came up"},
	{HEAD "64500 4837 131279 131279 131279|IGP", 0, BGP_ANNOUNCE, T1, "203.0.113.1",
	 "175.45.176.0/24", 64500, 131279, 4837, "the origin repeats itself"},
	{HEAD "64500 4837 4837 131279|IGP", 0, BGP_ANNOUNCE, T1, "203.0.113.1", "175.45.176.0/24", 64500,
	 131279, 4837, "the one before it does"},
	{HEAD "131279 131279|IGP", 0, BGP_ANNOUNCE, T1, "203.0.113.1", "175.45.176.0/24", 64500, 131279, 0,
	 "nobody stands before the origin"},
	{HEAD "|IGP", 0, BGP_ANNOUNCE, T1, "203.0.113.1", "175.45.176.0/24", 64500, 64500, 0,
	 "no path: the peer's own"},
	{HEAD "64500 4837 {131279}|IGP", 0, BGP_ANNOUNCE, T1, "203.0.113.1", "175.45.176.0/24", 64500,
	 131279, 4837, "a set of one"},
	{HEAD "64500 4837 {131279,9929}|IGP", 0, BGP_ANNOUNCE, T1, "203.0.113.1", "175.45.176.0/24",
	 64500, 0, 4837, "a set of several: who is the origin is not said"},
	{HEAD "64500 {1,2} 131279", 0, BGP_ANNOUNCE, T1, "203.0.113.1", "175.45.176.0/24", 64500, 131279,
	 0, "a set before it; and nothing behind the path"},
	{HEAD "(65001 65002) [65003,65004] 20485 131279|IGP", 0, BGP_ANNOUNCE, T1, "203.0.113.1",
	 "175.45.176.0/24", 64500, 131279, 20485, "confederations are inside"},
	{HEAD "20485 131279 (65001)|IGP", 0, BGP_ANNOUNCE, T1, "203.0.113.1", "175.45.176.0/24", 64500,
	 131279, 20485, "and hide no origin"},
	{"", BP_EPARSE, 0, 0, NULL, NULL, 0, 0, 0, "nothing"},
	{"TIME: 10/01/17 09:07:51", BP_EPARSE, 0, 0, NULL, NULL, 0, 0, 0, "bgpdump without -m"},
	{"BGP4MP|10/01/17 09:07:51|A|203.0.113.1|64500|175.45.176.0/24|1 2|IGP", BP_EPARSE, 0, 0, NULL,
	 NULL, 0, 0, 0, "bgpdump -M"},
	{"BGP4MP|99999999999999999999|A|203.0.113.1|64500|175.45.176.0/24|1 2", BP_EPARSE, 0, 0, NULL,
	 NULL, 0, 0, 0, "no time of ours"},
	{"BGP4MP|1506848871|X|203.0.113.1|64500|175.45.176.0/24|1 2", BP_EPARSE, 0, 0, NULL, NULL, 0, 0,
	 0, "another kind"},
	{"BGP4MP|1506848871|A|203.0.113.1|64500", BP_EPARSE, 0, 0, NULL, NULL, 0, 0, 0, "cut"},
	{"BGP4MP|1506848871|A|203.0.113.1|64500|175.45.176.0/24", BP_EPARSE, 0, 0, NULL, NULL, 0, 0, 0,
	 "cut before the path"},
	{"BGP4MP|1506848871|A|203.0.113|64500|175.45.176.0/24|1 2", BP_EPARSE, 0, 0, NULL, NULL, 0, 0, 0,
	 "no address"},
	{"BGP4MP|1506848871|A|203.0.113.1|4294967296|175.45.176.0/24|1 2", BP_EPARSE, 0, 0, NULL, NULL, 0,
	 0, 0, "no AS"},
	{"BGP4MP|1506848871|A|203.0.113.1|64500|175.45.176.0/33|1 2", BP_EPARSE, 0, 0, NULL, NULL, 0, 0,
	 0, "no prefix"},
	{"BGP4MP|1506848871|A|203.0.113.1|64500|175.45.176.1|1 2", BP_EPARSE, 0, 0, NULL, NULL, 0, 0, 0,
	 "an address is no prefix"},
	{HEAD "64500 x 131279|IGP", BP_EPARSE, 0, 0, NULL, NULL, 0, 0, 0, "a word in a path"},
	{HEAD "64500 {1,2|IGP", BP_EPARSE, 0, 0, NULL, NULL, 0, 0, 0, "a set that does not end"},
	{HEAD "64500 {} 131279|IGP", BP_EPARSE, 0, 0, NULL, NULL, 0, 0, 0, "a set of none"},
	{HEAD "64500 4294967296|IGP", BP_EPARSE, 0, 0, NULL, NULL, 0, 0, 0, "a number too large"},
};

static void lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		size_t n = strlen(r->line);
		/* To its very end, for the sanitizer. */
		char *line = malloc(n > 0 ? n : 1), text[PREFIX_TEXT];
		struct bgp_line x = {0};
		struct bp_error err = {0};
		int rc;

		assert_non_null(line);
		memcpy(line, r->line, n);
		seed_write("bgpline", "line", i, r->line, n);
		rc = bgpline_parse(line, n, &x, &err);
		free(line);
		if (rc != r->rc)
			fail_msg("%s: %d: %s", r->reason, rc, err.text);
		if (rc < 0) {
			assert_true(err.text[0] != '\0');
			continue;
		}
		if (x.kind != r->kind || x.time.ns != r->ns || x.peer_as != r->peer_as ||
		    x.origin != r->origin || x.upstream != r->upstream)
			fail_msg("%s: kind %d, %lld ns, AS%u, origin %u, upstream %u", r->reason, x.kind,
				 (long long)x.time.ns, x.peer_as, x.origin, x.upstream);
		assert_string_equal(addr_format(x.peer, text), r->peer);
		assert_int_equal(addr_is_set(x.prefix.addr), r->prefix != NULL);
		if (r->prefix != NULL)
			assert_string_equal(prefix_format(x.prefix, text), r->prefix);
	}
}

static void what_is_too_long_is_refused(void **state)
{
	char *line = malloc(BGPLINE_MAX);
	struct bgp_line x;

	(void)state;
	assert_non_null(line);
	memset(line, ' ', BGPLINE_MAX);
	memcpy(line, HEAD, strlen(HEAD));
	memcpy(line + BGPLINE_MAX - 4, " 99", 3);
	assert_int_equal(bgpline_parse(line, BGPLINE_MAX, &x, NULL), BP_ERANGE);
	assert_int_equal(bgpline_parse(line, BGPLINE_MAX - 1, &x, NULL), 0);
	assert_int_equal(x.origin, 99);
	free(line);
}

/* For tests/fuzz: several lines are a history. */
static void a_history_as_a_seed(void **state)
{
	char text[4096];
	size_t n = 0;

	(void)state;
	for (size_t i = 0; rows[i].rc == 0; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s\n", rows[i].line);
	assert_true(n > 0 && n < sizeof(text));
	seed_write("bgpline", "history", 0, text, n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(what_is_too_long_is_refused),
		cmocka_unit_test(a_history_as_a_seed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
