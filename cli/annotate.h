// SPDX-License-Identifier: BSD-2-Clause
/*
 * Known events to lay over figures: --annotate FILE.csv. Owns which columns mean what. Told are a
 * time, an end, a label and a source; a column of another name belongs to the label.
 */
#ifndef CLI_ANNOTATE_H
#define CLI_ANNOTATE_H

#include "analysis/report/html.h"
#include "core/err.h"

/* Zeros are none. */
struct annotations { struct annotation *items; unsigned count, room; };
/* Reads a file, in its order; "-" is stdin. One line in err with file:line. */
int annotations_read(const char *path, struct annotations *out, struct bp_error *err);
void annotations_fini(struct annotations *a);

#endif
