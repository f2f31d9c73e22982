// SPDX-License-Identifier: BSD-2-Clause
/*
 * The judgement over one trace (or over the flows of one target) as a value: which border, how
 * sure, and on what evidence. Filled by analysis/border, written by the record formats.
 */
#ifndef CORE_RECORD_VERDICT_H
#define CORE_RECORD_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/clock.h"
#include "core/text.h"

enum outcome {
	OUTCOME_UNDETERMINED, /* unknown is an answer */
	OUTCOME_BORDER,
	OUTCOME_OTHER,
	OUTCOME_MIXED,
	OUTCOME_NONE,         /* the destination is not in the profile's network */
};

/* Where the path ended, seen from the border. */
enum path_class {
	CLASS_UNKNOWN,
	CLASS_BORDER,             /* inside hops or the destination answered */
	CLASS_FILTERED_AT_BORDER, /* administratively prohibited by the last outside network */
	CLASS_CUT_BEFORE_BORDER,  /* ended in a network that is no way in */
	CLASS_INSIDE_SILENT,      /* a border network answered last, nothing behind it */
	CLASS_NOT_INSIDE,         /* the destination is not in the network */
};

enum via_basis { VIA_NONE, VIA_HOP, VIA_PREFIX, VIA_LABEL };

enum {
	VERDICT_ID_TEXT = 32,
	VERDICT_RULE_TEXT = 48,
	VERDICT_WHY_TEXT = 256,
	VERDICT_BORDERS_MAX = 16, /* borders of a profile; `other` comes on top */
	VERDICT_EVIDENCE_MAX = 64,
};

struct verdict_evidence {
	char rule[VERDICT_RULE_TEXT]; /* id of the row of the rule table */
	uint8_t ttl;                  /* 0: about the path, not a hop */
	struct addr from;
	char says[VERDICT_ID_TEXT];   /* border id, "other", "inside", or empty: speaks for nobody */
	double weight;                /* log-odds for what it says; 0 is remarked, not weighed */
	char why[VERDICT_WHY_TEXT];   /* one clause for people */
};

struct verdict_share { char id[VERDICT_ID_TEXT]; double p; };

struct verdict {
	bool judged;                  /* false: no verdict in the record; all else is void */
	char profile[64], profile_version[32];
	uint8_t outcome, class, via_basis; /* their enums */
	char border[VERDICT_ID_TEXT]; /* for OUTCOME_BORDER */
	uint32_t via_asn;             /* 0: none */
	char via_org[96];
	double confidence;            /* highest p, 0..1 */
	uint8_t p_count;              /* borders, then "other" */
	struct verdict_share p[VERDICT_BORDERS_MAX + 1];
	char rule[VERDICT_RULE_TEXT]; /* the row that decided */
	uint8_t last_outside_ttl, first_inside_ttl; /* 0: not seen */
	struct addr last_outside, first_inside;
	uint8_t evidence_count;
	struct verdict_evidence evidence[VERDICT_EVIDENCE_MAX];
	struct wall judged_at;        /* 0: not known; a store knows, a record does not */
};

extern const struct word outcome_words[], path_class_words[], via_basis_words[];

#endif
