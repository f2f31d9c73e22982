// SPDX-License-Identifier: BSD-2-Clause
/* The id of a trace of ours as its parts. */
#ifndef CAMPAIGN_TRACE_KEY_H
#define CAMPAIGN_TRACE_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/record/trace.h"

/* So that both fit into one integer. */
#define TRACE_KEY_SEQ_MAX ((INT64_C(1) << 40) - 1)
#define TRACE_KEY_SUB_MAX ((INT64_C(1) << 20) - 2)

struct trace_key {
	char run[TRACE_ID_TEXT];
	int64_t seq, sub;
}; /* sub -1: none */
/* RUN-SEQ or RUN-SEQ.SUB, in decimal as one writes them. False: not of this form. */
bool trace_key_parse(const char *id, struct trace_key *out);
void trace_key_text(const struct trace_key *k, char out[static TRACE_ID_TEXT]);

#endif
