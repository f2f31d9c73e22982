// SPDX-License-Identifier: BSD-2-Clause
/*
 * What flew lately: tells an answer that came after its trace was written (late) from a guess (bad
 * token) and from another program's packet (foreign). Remembers tags of tokens and of flows in two
 * direct-mapped tables of fixed size, so that neither a long run nor a flood of forged answers
 * costs memory, and one packet costs two look-ups. What was pushed out by newer ones is forgotten:
 * its late answers count as foreign. Believes nothing: all three are refused.
 */
#ifndef PROBER_GONE_H
#define PROBER_GONE_H

#include <stdbool.h>
#include <stdint.h>

#include "prober/method/method.h"

enum {
	GONE_TOKENS = 32768, /* probes of the last thousand targets, at 30 each */
	GONE_FLOWS = 4096,
};

struct gone {
	uint32_t tokens[GONE_TOKENS]; /* tags; 0: empty */
	uint32_t flows[GONE_FLOWS];
};

/* A flow ends. tokens[count] are those of its probes; 0s (never sent) are passed over. */
void gone_add(struct gone *g, const struct flow *f, const uint32_t *tokens, uint32_t count);
/* Whether a probe to dst by this method, now gone, had this token. Wrong once in 2^31. */
bool gone_token(const struct gone *g, enum method method, struct addr dst, uint32_t token);
/* Whether a flow that is gone had these ends. Wrong once in 2^31. */
bool gone_flow(const struct gone *g, enum method method, struct addr dst, uint16_t sport,
	       uint16_t dport);

#endif
