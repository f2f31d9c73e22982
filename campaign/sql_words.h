// SPDX-License-Identifier: BSD-2-Clause
/* The words of an enum in SQL, for the views of the stores. */
#ifndef CAMPAIGN_SQL_WORDS_H
#define CAMPAIGN_SQL_WORDS_H

#include <stdbool.h>

#include "core/buf.h"
#include "core/text.h"

/* Appends CASE column WHEN 1 THEN 'icmp' ... END. 0 is NULL where it means "unknown": not `zero`. */
void sql_put_words(struct buf *out, const char *column, const struct word *words, bool zero);

#endif
