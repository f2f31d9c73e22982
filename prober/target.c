// SPDX-License-Identifier: BSD-2-Clause
/* One flight, or a bundle of them. */
#include "prober/target.h"

void target_start(struct flight *f, struct mono now, struct wall start)
{
	if (f->bundle != NULL)
		multipath_start(f->bundle->engine, now);
	flight_start(f, now, start);
}

void target_slack(struct flight *f, int64_t ns)
{
	if (f->bundle != NULL)
		multipath_slack(f->bundle->engine, ns);
	else
		tracer_slack(&f->tracer, ns);
}

struct tracer_step target_next(struct flight *f, struct mono now, uint16_t *flow)
{
	struct multipath_step s;

	*flow = 0;
	if (f->bundle == NULL)
		return tracer_next(&f->tracer, now);
	s = multipath_next(f->bundle->engine, now);
	*flow = s.flow;
	return (struct tracer_step){.want = s.want, .ttl = s.ttl, .attempt = s.attempt,
				    .until = s.until};
}

struct addr target_responder(const struct flight *f, uint8_t ttl)
{
	return f->bundle != NULL ? multipath_responder(f->bundle->engine, ttl) :
				   tracer_responder(&f->tracer, ttl);
}

bool target_take_silent(struct flight *f, uint8_t *ttl)
{
	return f->bundle != NULL ? multipath_take_silent(f->bundle->engine, ttl) :
				   tracer_take_silent(&f->tracer, ttl);
}

bool target_take_overdue(struct flight *f, uint8_t *ttl)
{
	return f->bundle == NULL && tracer_take_overdue(&f->tracer, ttl);
}

void target_defer(struct flight *f, uint8_t ttl, struct mono until)
{
	if (f->bundle != NULL)
		multipath_defer(f->bundle->engine, ttl, until);
	else
		tracer_defer(&f->tracer, ttl, until);
}

void target_stop(struct flight *f, enum stop why)
{
	if (f->bundle != NULL)
		multipath_stop(f->bundle->engine, why);
	else
		tracer_stop(&f->tracer, why);
}

void target_sent(const struct flights *fs, struct flight *f, uint8_t ttl, uint8_t attempt,
		 struct mono at)
{
	flight_sent(fs, f, ttl, attempt, at);
	if (f->bundle != NULL)
		multipath_sent(f->bundle->engine, f->member, ttl, attempt, at);
}

void target_refused(struct flight *f, uint8_t ttl, uint8_t attempt, struct mono at, int sys)
{
	flight_refused(f, ttl, attempt, at, sys);
	if (f->bundle != NULL)
		multipath_not_sent(f->bundle->engine, f->member, ttl, attempt, at);
}
