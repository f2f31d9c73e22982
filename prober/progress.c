// SPDX-License-Identifier: BSD-2-Clause
/* Pace and content of PROGRESS frames. */
#include "prober/progress.h"

void progress_init(struct progress *p, struct mono now)
{
	*p = (struct progress){.last = now, .second = now, .rtt_ns = -1};
}

void progress_answer(struct progress *p, const struct flight_hit *hit, struct addr from)
{
	p->target_seq = hit->flight->plan.seq;
	p->from = from;
	p->ttl = hit->ttl;
	p->rtt_ns = hit->rtt_ns;
}

bool progress_due(struct progress *p, struct mono now, struct frame_progress *frame)
{
	int64_t second = mono_since(now, p->second);

	if (mono_since(now, p->last) < PROGRESS_EVERY_NS)
		return false;
	p->last = now;
	if (second >= NS_PER_S) {
		p->rate_pps = (frame->sent - p->sent_before) * (uint64_t)NS_PER_S /
			      (uint64_t)second;
		p->sent_before = frame->sent;
		p->second = now;
	}
	frame->rate_pps = p->rate_pps;
	frame->target_seq = p->target_seq;
	frame->from = p->from;
	frame->ttl = p->ttl;
	frame->rtt_ns = p->rtt_ns;
	return true;
}
