// SPDX-License-Identifier: BSD-2-Clause
/* The word that `campaign list` has for a vantage point and a plan: by what it says, and when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "cli/fleet/state.h"
#include "core/text.h"

static const struct wall noon = {INT64_C(1700000000) * NS_PER_S};

struct row {
	int64_t heard_s;                /* so long ago; -1: never */
	bool has;                       /* its word names the campaign */
	int64_t revision, running;      /* of which it has heard, of which it runs */
	const char *reason;
	uint64_t there;                 /* at the broker; 0: none */
	const char *word, *why;
};

static const struct row rows[] = {
	{10, true, 7, 7, "", 7, "running", "as it should"},
	{150, true, 7, 7, "", 7, "running", "as long as it may be silent"},
	{151, true, 7, 7, "", 7, "silent", "its last word was that it runs: of a machine that died"},
	{86400, true, 7, 6, "no such key", 7, "silent", "whatever it said then"},
	{-60, true, 7, 7, "", 7, "running", "our clock lags"},
	{-1, false, 0, 0, "", 7, "unheard", "it was never started"},
	{-1, false, 0, 0, "", 0, "missing", "nor is there anything for it"},
	{10, true, 7, 7, "", 0, "missing", "the broker lost its disk"},
	{10, false, 0, 0, "", 7, "waiting", "it has not seen it"},
	{10, true, 6, 6, "", 7, "waiting", "it runs the one before"},
	{10, true, 7, 6, "", 7, "waiting", "it has it, and is about to begin"},
	{10, true, 7, 6, "no such key", 7, "refused", "the one before goes on"},
	{10, true, 6, 5, "no such key", 7, "waiting", "it refused the one before, and not yet this one"},
	{10, true, 9, 9, "", 7, "waiting", "of a broker that lost its disk, and counts anew"},
};

static void a_word_for_each(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct state s = {.vantage = "fra1"};
		struct state_plan *p = &s.plans[0];
		const char *word;

		/* Another campaign's plan says nothing of this one. */
		*p = (struct state_plan){.campaign = "other", .revision = 7, .running = 7};
		s.plans_count = 1;
		if (row->has) {
			p = &s.plans[s.plans_count++];
			*p = (struct state_plan){.campaign = "dprk", .revision = row->revision,
						 .running = row->running};
			text_set(p->reason, sizeof(p->reason), row->reason);
		}
		if (row->heard_s != -1)
			s.stamp.ns = noon.ns - row->heard_s * NS_PER_S;
		word = state_plan_word(&s, "dprk", row->there, noon);
		if (strcmp(word, row->word) != 0)
			fail_msg("%s: %s, wanted %s", row->why, word, row->word);
	}
	assert_string_equal(state_plan_word(NULL, "dprk", 7, noon), "unheard");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_word_for_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
