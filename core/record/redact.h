// SPDX-License-Identifier: BSD-2-Clause
/*
 * Takes addresses that give somebody away out of records, before they are published (REPORTS
 * "Archives"). Two passes: all records are learned from, then each is changed, so that what one
 * record gives away of a vantage point is in none of them, in whatever order they come.
 * What `src` and `first_hops` take is said in doc/record.md, "Redacted records". An address taken
 * out becomes a dummy of its family that routes nowhere: a hop that answered still did.
 */
#ifndef CORE_RECORD_REDACT_H
#define CORE_RECORD_REDACT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/record/jsonl.h"

/* 192.0.0.8 (RFC 7600, "IPv4 dummy address") and 100:0:0:1:: (RFC 9780, "dummy IPv6 prefix"). */
#define REDACT_DUMMY_V4 "192.0.0.8"
#define REDACT_DUMMY_V6 "100:0:0:1::"

struct redact_secret;
struct redact {
	bool src, first_hops;
	unsigned hops;         /* of first_hops: so many TTLs; 0: up to the first network that is
				* not that of the vantage point */
	/* Learned; owned. */
	struct redact_secret *secrets; /* sorted */
	uint32_t count, room;
	char (*vantages)[TRACE_VANTAGE_TEXT];
	uint32_t vantage_count, vantage_room;
};

/* Zeroes all; redact_fini frees what was learned. */
void redact_init(struct redact *r);
void redact_fini(struct redact *r);
/* "src", "first-hops", "first-hops=N" (1 to 255), joined by commas. BP_EINVAL. */
int redact_parse(struct redact *r, const char *text, struct bp_error *err);
/* First pass. BP_ENOMEM; BP_EINVAL: where the first hops end is not known, since the record has no
 * names of networks. */
int redact_learn(struct redact *r, const struct record *rec, struct bp_error *err);
/* Second pass: changes the record, which has no line of its own afterwards if it is a trace, and a
 * new one if not. BP_ENOMEM, BP_EPARSE (it cannot be told whether all was found: leave it out). */
int redact_apply(const struct redact *r, struct record *rec, struct bp_error *err);

#endif
