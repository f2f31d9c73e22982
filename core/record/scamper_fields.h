// SPDX-License-Identifier: BSD-2-Clause
/* What the readers of scamper's "trace" and "tracelb" share. Private to core/record/scamper*.c. */
#ifndef CORE_RECORD_SCAMPER_FIELDS_H
#define CORE_RECORD_SCAMPER_FIELDS_H

#include "core/record/jsonl_fields.h"
#include "core/record/scamper.h"

/* {"sec","usec"} as ns since 1970; 0: there is none. */
int64_t scamper_stamp(struct fields *in, const struct json_node *object, const char *key);
/* A word that is not in the table is a later scamper's: *out is left alone. */
void scamper_word(struct fields *in, const struct json_node *object, const char *key,
		  const struct word *table, uint8_t *out);
/* Puts the entries in order; further answers to one probe get REPLY_DUP. */
void scamper_mark_dups(struct trace *t);
/* The flows of a "tracelb" into s, for scamper_next; in->rc says whether. */
void scamper_read_flows(struct fields *in, const struct json_node *o, struct scamper_stream *s);

#endif
