// SPDX-License-Identifier: BSD-2-Clause
/*
 * Flagged answers in the verdict: what is faster than light, or speaks as the destination from
 * nearer than it, is set aside with a remark and proves no way in; remarks change nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/analysis/path_judge.h"

#define TATA "10.11.0.1 66.110.96.13 63.243.128.121"
#define RUN TATA " 188.43.1.1 188.43.1.2"

static const struct {
	const char *why, *path;
	uint8_t ttl;         /* whose entries are flagged */
	uint16_t flag;
	const char *outcome, *class;
	uint8_t first_inside;
	bool remark;
} rows[] = {
	{"as it is", RUN " *3 =" NK, 9, 0, "khasan", "border", 9, false},
	{"a proxy's SYN-ACK at TTL 2: inside is not reached there", TATA " =" NK, 4, REPLY_FTL,
	 "undetermined", "cut_before_border", 0, true},
	{"the same behind the carrier: the way to it still counts, the inside does not",
	 RUN " *3 =" NK, 9, REPLY_FTL, "khasan", "inside_silent", 0, true},
	{"a forged router inside, the destination behind it in time",
	 RUN " *2 175.45.177.10 =" NK, 8, REPLY_FTL, "khasan", "border", 9, true},
	{"a reset injected in transit, the true answer at its place",
	 "10.11.0.1 =" NK " 63.243.128.121 188.43.1.1 188.43.1.2 *3 =" NK, 2, REPLY_NEARER,
	 "khasan", "border", 9, true},
	{"injected at the last outside router, the inside silent",
	 TATA " 188.43.1.1 =" NK " *4", 5, REPLY_NEARER, "khasan", "inside_silent", 0, true},
	{"a remark on a quoted TTL changes nothing", RUN " *3 =" NK, 5, REPLY_QUOTE, "khasan",
	 "border", 9, false},
	{"nor does a rewritten token", RUN " *3 =" NK, 5, REPLY_REWRITTEN, "khasan", "border", 9,
	 false},
	{"nor a NAT before the carrier", RUN " *3 =" NK, 5, REPLY_NAT, "khasan", "border", 9,
	 false},
};

static void flagged(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct names names;
		struct verdict v;
		struct trace *t;

		names_init(&names);
		t = path_trace(NK, rows[i].path, NOW, &names);
		for (uint32_t k = 0; k < t->entry_count; k++) {
			if (t->entries[k].ttl == rows[i].ttl)
				t->entries[k].reply.flags |= rows[i].flag;
		}
		border_judge(t, &names, profile, NOW, &v);
		if (strcmp(told(&v), rows[i].outcome) != 0 ||
		    strcmp(word_of(path_class_words, v.class), rows[i].class) != 0 ||
		    v.first_inside_ttl != rows[i].first_inside ||
		    (evidence_of(&v, "forged_answer") != NULL) != rows[i].remark) {
			show(&v);
			fail_msg("%s (first inside %u)", rows[i].why, v.first_inside_ttl);
		}
		names_fini(&names);
		free(t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(flagged)};

	return cmocka_run_group_tests(tests, setup, teardown);
}
