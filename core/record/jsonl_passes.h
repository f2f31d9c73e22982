// SPDX-License-Identifier: BSD-2-Clause
/*
 * The members of a record that later passes own (names, geo, verdict), and records of other kinds,
 * read into values. A wrong field ends the reading of the line: in->rc, as for all of
 * jsonl_fields.h. Absent members leave the value as it was.
 */
#ifndef CORE_RECORD_JSONL_PASSES_H
#define CORE_RECORD_JSONL_PASSES_H

#include "core/record/jsonl_fields.h"
#include "core/record/names.h"
#include "core/record/round.h"
#include "core/record/verdict.h"

void jsonl_read_names(struct fields *in, const struct json_node *o, struct names *names);
void jsonl_read_geo(struct fields *in, const struct json_node *o, struct geo_source *g);
void jsonl_read_verdict(struct fields *in, const struct json_node *top, struct verdict *v);
/* The whole of a {"type":"round"}; *r is initialised first. */
void jsonl_read_round(struct fields *in, const struct json_node *o, struct round *r);

#endif
