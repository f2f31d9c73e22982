// SPDX-License-Identifier: BSD-2-Clause
/* Words for a number of paths that is known from the start. */
#include "cli/progress_line.h"

#include "core/clock.h"

/* As long for each path that is left as for those that are done. */
static void put_left(struct buf *out, uint64_t done, uint64_t paths, int64_t elapsed_ns)
{
	double left;

	if (done == 0 || done >= paths)
		return;
	left = (double)elapsed_ns / (double)done * (double)(paths - done) / (double)NS_PER_S;
	if (left > 1e9)
		return;
	buf_str(out, ", ");
	duration_put(out, left + 1);
	buf_str(out, " left");
}

void progress_line(struct buf *out, const struct frame_progress *p, uint64_t paths,
		   int64_t elapsed_ns, uint64_t sent_before, int64_t before_ns)
{
	/* With shared beginnings, a path that was asked again is done twice. */
	uint64_t rate = p->rate_pps, done = p->done < paths ? p->done : paths;
	char from[ADDR_TEXT];

	if (rate == 0 && before_ns > 0 && p->sent > sent_before)
		rate = (uint64_t)((double)(p->sent - sent_before) * 1e9 / (double)before_ns);
	buf_printf(out, "%llu of %llu paths", (unsigned long long)done, (unsigned long long)paths);
	put_left(out, done, paths, elapsed_ns);
	buf_printf(out, ", %llu probes/s", (unsigned long long)rate);
	if (p->pace_pps > 0)
		buf_printf(out, " (slowed to %llu)", (unsigned long long)p->pace_pps);
	if (p->drops > 0)
		buf_printf(out, ", %llu dropped", (unsigned long long)p->drops);
	if (p->sent > 0)
		buf_printf(out, ", %llu %% answered",
			   (unsigned long long)(p->received >= p->sent ? 100 :
						100 * p->received / p->sent));
	if (addr_is_set(p->from))
		buf_printf(out, "   hop %u: %s", p->ttl, addr_format(p->from, from));
	if (addr_is_set(p->from) && p->rtt_ns >= 0)
		buf_printf(out, " %.1f ms", (double)p->rtt_ns / 1e6);
}
