// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the writers of native objects share: the version, the letters of TCP flags, the writers of
 * one member each, of those that a second pass may replace, and of those that a trace and a run
 * have.
 */
#ifndef CORE_RECORD_JSONL_WRITE_H
#define CORE_RECORD_JSONL_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/record/names.h"
#include "core/record/trace.h"
#include "core/record/verdict.h"
#include "core/text.h"

enum { JSONL_VERSION = 1 };

/* Letter i is bit i of the TCP flags (RFC 9293, 3.1; N: RFC 3540's bit). SYN and ACK: "SA". */
#define JSONL_TCP_LETTERS "FSRPAUECN"

/* One member, left out where its value says "not known": NULL or an empty text, no
 * address, 0. */
void jsonl_put_text(struct json_writer *w, const char *key, const char *text);
void jsonl_put_addr(struct json_writer *w, const char *key, struct addr a);
void jsonl_put_wall(struct json_writer *w, const char *key, struct wall t);
void jsonl_put_nonzero(struct json_writer *w, const char *key, int64_t value);
void jsonl_put_word(struct json_writer *w, const char *key, const struct word *table, int value);

/* The members of one entry of "names", into an open object. */
void jsonl_put_name(struct json_writer *w, const struct name *n);
/* "geo":{...} and "verdict":{...} as members; nothing when there is nothing to say. */
void jsonl_put_geo(struct json_writer *w, const struct geo_source *g);
void jsonl_put_verdict(struct json_writer *w, const struct verdict *v);
/* "refused":{...}, always; "slowed":{...} when anything was cut or sent again. As in a trace, so in
 * the object of a run. */
void jsonl_put_refused(struct json_writer *w, const struct refused *r);
void jsonl_put_slowed(struct json_writer *w, uint32_t times, uint32_t pps, uint32_t repeated);

#endif
