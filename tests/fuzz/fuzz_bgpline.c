// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any bytes as lines of bgpdump -m, and as a history of routes: what is understood has what it
 * says, and no sum counts a peer twice. Seeds come from tests/unit/core/record/test_bgpline.c.
 */
#include <string.h>

#include "analysis/routes.h"
#include "tests/fuzz/fuzz.h"

static const struct wall at = {INT64_C(1506848871) * NS_PER_S};

static void take(struct routes_maker *m, const char *line, size_t n)
{
	struct bgp_line x;
	struct bp_error err;

	if (bgpline_parse(line, n, &x, &err) < 0) {
		must(err.text[0] != '\0');
		routes_skip(m);
		return;
	}
	must(x.kind > BGP_UNKNOWN && x.kind <= BGP_DOWN && x.time.ns >= 0);
	must(addr_is_set(x.peer));
	must(addr_is_set(x.prefix.addr) == (x.kind != BGP_UP && x.kind != BGP_DOWN));
	must(x.upstream == 0 || x.upstream != x.origin);
	must(routes_take(m, &x) == 0);
}

static void check(const struct routes *r)
{
	for (unsigned i = 0, k = 0; i < r->prefix_count; i++) {
		unsigned before = 0, after = 0;

		for (; k < r->row_count &&
		       prefix_equal(r->rows[k].prefix, r->prefixes[i].prefix); k++) {
			before += r->rows[k].before;
			after += r->rows[k].after;
		}
		must(before == r->prefixes[i].before && after == r->prefixes[i].after);
		must(before <= r->peers && after <= r->peers);
	}
	must(r->skipped <= r->lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct profile_prefix net = {.prefix.len = 8};
	struct profile p = {.prefixes = &net, .prefixes_count = 1};
	struct routes_maker *m;
	struct routes r;
	const char *text = (const char *)data, *end = text + size;

	must(addr_parse("175.0.0.0", &net.prefix.addr) == 0);
	must(routes_new(&p, at, (struct wall){at.ns + 3600 * NS_PER_S}, &m) == 0);
	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *stop = newline != NULL ? newline : end;

		take(m, text, (size_t)(stop - text));
		text = stop + 1;
	}
	must(routes_make(m, &r) == 0);
	check(&r);
	routes_fini(&r);
	routes_free(m);
	return 0;
}
