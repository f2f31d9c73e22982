// SPDX-License-Identifier: BSD-2-Clause
/* The least step that the shift detector finds in given series, by trying. */
#include <stdlib.h>

#include "analysis/power.h"
#include "analysis/shift.h"
#include "core/err.h"

static bool finds(const struct shift_list *found, uint64_t at)
{
	for (size_t i = 0; i < found->count; i++) {
		uint64_t index = found->items[i].index;

		if (index + 2 >= at && index <= at + 2)
			return true;
	}
	return false;
}

/* How many of the series that are long enough (`used`) show a step of that size in their middle. */
static int tried(struct shift_scratch *w, const struct power_series *s, unsigned count,
		 int64_t step_ns, int64_t *room, unsigned *seen, unsigned *used)
{
	struct shift_list found = {0};
	int rc = 0;

	*seen = *used = 0;
	for (unsigned i = 0; i < count && rc == 0; i++) {
		if (s[i].n < POWER_POINTS_MIN)
			continue;
		for (size_t k = 0; k < s[i].n; k++)
			room[k] = s[i].median_ns[k] < 0 || k < s[i].n / 2 ? s[i].median_ns[k] :
				  s[i].median_ns[k] + step_ns;
		shift_list_clear(&found);
		rc = shift_detect(w, SHIFT_SUSTAINED, NULL, room, s[i].n, &found);
		*used += rc == 0;
		*seen += rc == 0 && finds(&found, s[i].n / 2);
	}
	shift_list_fini(&found);
	return rc;
}

int power_steps(const struct power_series *s, unsigned count, int64_t *shift_ns)
{
	static const int64_t grid_us[] = {1000, 1500, 2000, 3000, 5000, 7500, 10000, 15000, 20000,
					  30000, 50000, 75000, 100000, 150000};
	struct shift_scratch *w = shift_scratch_new();
	int64_t *room = NULL, result = 0;
	size_t longest = 0;
	unsigned seen, used;
	int rc = w == NULL ? BP_ENOMEM : 0;

	count = count < POWER_SERIES_MAX ? count : POWER_SERIES_MAX;
	for (unsigned i = 0; i < count; i++)
		longest = s[i].n > longest ? s[i].n : longest;
	if (longest >= POWER_POINTS_MIN && rc == 0) {
		room = calloc(longest, sizeof(*room));
		rc = room == NULL ? BP_ENOMEM : 0;
	}
	for (unsigned g = 0; room != NULL && rc == 0 && result == 0 &&
	     g < sizeof(grid_us) / sizeof(grid_us[0]); g++) {
		rc = tried(w, s, count, grid_us[g] * NS_PER_US, room, &seen, &used);
		if (rc == 0 && used > 0 && seen * 100 >= used * POWER_PERCENT)
			result = grid_us[g] * NS_PER_US;
	}
	free(room);
	shift_scratch_free(w);
	if (rc == 0)
		*shift_ns = result;
	return rc;
}
