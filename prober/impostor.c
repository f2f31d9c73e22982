// SPDX-License-Identifier: BSD-2-Clause
/* Told apart by the TTL left. */
#include "prober/impostor.h"

void impostor_unmask(struct flight *f, uint32_t i, struct mono now)
{
	tracer_nearer(&f->tracer, f->probes[i].ttl, now);
	for (uint32_t k = 0; k < f->answer_count && f->impostor < 0; k++) {
		if (f->answers[k].probe == i && f->answers[k].event == TRACER_DESTINATION)
			f->impostor = f->answers[k].reply.reply_ttl;
	}
}

void impostor_set_apart(struct flight *f, struct mono now)
{
	bool spoke[TRACER_TTLS] = {false}, truly[TRACER_TTLS] = {false};

	for (uint32_t k = 0; k < f->answer_count; k++) {
		struct flight_answer *a = &f->answers[k];
		uint8_t ttl = f->probes[a->probe].ttl;

		if (a->event != TRACER_DESTINATION)
			continue;
		spoke[ttl] = true;
		if (a->reply.reply_ttl == f->impostor)
			a->reply.flags |= REPLY_NEARER;
		else
			truly[ttl] = true;
	}
	for (unsigned ttl = f->plan.first_ttl; ttl <= f->plan.max_ttl; ttl++) {
		if (spoke[ttl])
			tracer_spoke(&f->tracer, (uint8_t)ttl, truly[ttl], now);
	}
}
