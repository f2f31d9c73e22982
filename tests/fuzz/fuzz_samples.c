// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any bytes as somebody's series, and the shifts in it: rows in order, each of the file once,
 * delays lost or in bounds, and shifts at rows that are there. Seeds come from
 * tests/unit/core/record/test_samples.c.
 */
#include <stdio.h>
#include <string.h>

#include "analysis/shift.h"
#include "core/record/samples.h"
#include "tests/fuzz/fuzz.h"

struct heard { uint64_t skipped; };

static void say(void *arg, bool skipped, const char *text)
{
	struct heard *h = arg;

	must(text[0] != '\0' && strchr(text, '\n') == NULL);
	h->skipped += skipped;
}

static void check_shifts(const struct samples *s)
{
	struct shift_scratch *scratch = shift_scratch_new();
	struct shift_list found = {0};

	must(scratch != NULL);
	must(shift_detect(scratch, SHIFT_SENSITIVE, s->at, s->rtt_ns, s->count, &found) == 0);
	for (size_t i = 0; i < found.count; i++) {
		const struct shift *x = &found.items[i];

		must(x->index < s->count && x->last_index < x->index);
		must(i == 0 || x->index > found.items[i - 1].index);
		must(s->rtt_ns[x->index] >= 0 && s->rtt_ns[x->last_index] >= 0);
		must(x->confidence >= 0 && x->confidence < 1 && x->p >= 0 && x->p <= 1);
		must(x->low_ns <= x->shift_ns && x->shift_ns <= x->high_ns);
		must(x->before_count > 0 && x->after_count > 0);
	}
	shift_list_fini(&found);
	shift_scratch_free(scratch);
}

static void check(const struct samples *s)
{
	bool by_row = true, by_time = s->at != NULL;

	for (size_t i = 0; i < s->count; i++) {
		must(s->rtt_ns[i] == SAMPLES_LOST || s->rtt_ns[i] >= 0);
		by_row = by_row && (i == 0 || s->row[i] > s->row[i - 1]);
		by_time = by_time && (i == 0 || s->at[i].ns > s->at[i - 1].ns ||
				      (s->at[i].ns == s->at[i - 1].ns &&
				       s->row[i] > s->row[i - 1]));
	}
	must(by_row || by_time);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct heard heard = {0};
	struct samples_options options = {.say = say, .arg = &heard};
	FILE *f = tmpfile();
	struct bp_error err;
	struct samples s;

	must(f != NULL && fwrite(data, 1, size, f) == size);
	rewind(f);
	if (samples_read(f, "x", &options, &s, &err) == 0) {
		must(s.skipped == heard.skipped && s.count > 0);
		check(&s);
		check_shifts(&s);
		samples_fini(&s);
	} else {
		must(err.text[0] != '\0');
	}
	fclose(f);
	return 0;
}
