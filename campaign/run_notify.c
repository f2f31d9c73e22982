// SPDX-License-Identifier: BSD-2-Clause
/* What the service manager is told (sd_notify(3)); without one, nothing happens here. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "campaign/run_inside.h"

void run_notify_init(struct run *run)
{
	uint64_t usec = 0;

	if (sd_watchdog_enabled(0, &usec) > 0)
		run->watchdog_ns = usec * (uint64_t)NS_PER_US;
	run->fed_dog = run->now;
}

void run_notify_ready(struct run *run)
{
	(void)run;
	sd_notify(0, "READY=1");
}

void run_notify_reloading(struct run *run)
{
	(void)run;
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRId64, mono_now().ns / NS_PER_US);
}

void run_notify_stopping(struct run *run)
{
	(void)run;
	sd_notify(0, "STOPPING=1");
}

void run_notify_watchdog(struct run *run)
{
	int64_t half = (int64_t)(run->watchdog_ns / 2);

	if (half == 0)
		return;
	if (mono_since(run->now, run->fed_dog) >= half) {
		sd_notify(0, "WATCHDOG=1");
		run->fed_dog = run->now;
	}
	run_wake(run, mono_add(run->fed_dog, half));
}

static void put_status(struct run *run, struct buf *out)
{
	struct wall next = {0}, now = wall_now();
	struct spool_state state;
	uint64_t waiting = 0;
	char text[WALL_TEXT];

	for (const struct run_round *x = run->rounds; x != NULL; x = x->next)
		buf_printf(out, "%s%s: %u of %u", out->used > 0 ? ", " : "", x->r.id, x->r.done,
			   x->r.expected);
	for (unsigned i = 0; i < run->desk_count; i++) {
		struct wall start = schedule_next(&run->desks[i].schedule, now);

		if (start.ns != 0 && (next.ns == 0 || start.ns < next.ns))
			next = start;
		spool_state(run->desks[i].spool, &state);
		waiting += state.rounds;
	}
	if (out->used == 0 && next.ns != 0)
		buf_printf(out, "next round %s", wall_format_short(next, text));
	waiting -= waiting >= run->round_count ? run->round_count : waiting;
	if (waiting > 0)
		buf_printf(out, "; %" PRIu64 " rounds wait for the store", waiting);
}

void run_notify_status(struct run *run)
{
	struct buf text;

	if (getenv("NOTIFY_SOCKET") == NULL)
		return;
	buf_init(&text);
	put_status(run, &text);
	if (!text.failed && text.used > 0 && strcmp(text.bytes, run->status) != 0) {
		text_set(run->status, sizeof(run->status), text.bytes);
		sd_notifyf(0, "STATUS=%s", run->status);
	}
	buf_fini(&text);
}
