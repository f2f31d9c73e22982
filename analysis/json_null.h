// SPDX-License-Identifier: BSD-2-Clause
/*
 * Members of the objects that tables are made of ("report", "diff"): each is there in every row, null
 * where its value is not known. Records leave such members out (core/record/jsonl_write.h).
 */
#ifndef ANALYSIS_JSON_NULL_H
#define ANALYSIS_JSON_NULL_H

#include "core/addr.h"
#include "core/clock.h"
#include "core/json.h"

/* Null for 0; for NULL or an empty text; for a prefix without an address; for 0. */
void json_null_time(struct json_writer *w, const char *key, struct wall t);
void json_null_text(struct json_writer *w, const char *key, const char *text);
void json_null_prefix(struct json_writer *w, const char *key, struct prefix p);
void json_null_asn(struct json_writer *w, const char *key, uint32_t asn);
/* Nanoseconds as milliseconds, null unless known; as seconds, null unless positive. */
void json_null_ms(struct json_writer *w, const char *key, bool known, int64_t ns);
void json_null_seconds(struct json_writer *w, const char *key, int64_t ns);
struct power;
/* "power":{...}: what would have been seen. */
void json_power(struct json_writer *w, const struct power *p);

#endif
