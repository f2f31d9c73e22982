// SPDX-License-Identifier: BSD-2-Clause
/* The words of an enum in SQL. */
#include "campaign/sql_words.h"

void sql_put_words(struct buf *out, const char *column, const struct word *words, bool zero)
{
	buf_printf(out, "CASE %s", column);
	for (; words->word != NULL; words++) {
		if (words->value != 0 || zero)
			buf_printf(out, " WHEN %d THEN '%s'", words->value, words->word);
	}
	buf_str(out, " END");
}
