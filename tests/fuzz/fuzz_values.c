// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any text as each of the small values that people and files write: address, prefix, time,
 * duration, number, words to be shown. What is accepted is written and read again as the same.
 * Seeds: the tables of tests/unit/core.
 */
#include <stdlib.h>
#include <string.h>

#include "core/addr.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/text.h"
#include "tests/fuzz/fuzz.h"

static void check_addresses(const char *text)
{
	char out[PREFIX_TEXT];
	struct prefix p, p2;
	struct addr a, a2;
	int rc = addr_parse(text, &a);

	must(rc == 0 || rc == BP_EPARSE);
	if (rc == 0) {
		must(addr_parse(addr_format(a, out), &a2) == 0 && addr_equal(a, a2));
		must(addr_compare(a, a2) == 0 && addr_hash(a) == addr_hash(a2));
		(void)addr_kind(a);
	}
	rc = prefix_parse(text, &p);
	must(rc == 0 || rc == BP_EPARSE || rc == BP_ERANGE);
	if (rc == 0) {
		must(prefix_parse(prefix_format(p, out), &p2) == 0 && prefix_equal(p, p2));
		must(prefix_has(p, p.addr) && addr_equal(addr_mask(p.addr, p.len), p.addr));
	}
}

static void check_times(const char *text)
{
	struct wall now = {1700000000 * NS_PER_S}, w, w2;
	char out[WALL_TEXT];
	int64_t ns;
	int rc = wall_parse(text, now, &w);

	must(rc == 0 || rc == BP_EPARSE || rc == BP_ERANGE);
	if (rc == 0)
		must(wall_parse(wall_format(w, out), now, &w2) == 0 && w.ns == w2.ns);
	rc = duration_parse(text, &ns);
	must(rc == 0 || rc == BP_EPARSE || rc == BP_ERANGE);
	must(rc < 0 || ns >= 0);
}

static void check_text(const char *text, size_t n)
{
	char out[24], again[24];
	uint64_t v = 7;

	if (text_to_u64(text, 3, 300, &v) == 0)
		must(v >= 3 && v <= 300);
	else
		must(v == 7);
	text_copy(out, sizeof(out), text, n);
	must(memchr(out, '\0', sizeof(out)) != NULL);
	/* What is fit to be shown stays as it is. */
	must(text_set(again, sizeof(again), out) && strcmp(out, again) == 0);
	for (const char *c = out; *c != '\0'; c++)
		must((unsigned char)*c >= 0x20 && *c != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	must(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	check_addresses(text);
	check_times(text);
	check_text(text, size);
	free(text);
	return 0;
}
