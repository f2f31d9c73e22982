// SPDX-License-Identifier: BSD-2-Clause
/*
 * diff --routes FILE: reads what bgpdump -m printed, block by block, whatever its size. Owns the
 * lines: finds them, tells those that are not understood with file:line.
 */
#ifndef CLI_ROUTES_H
#define CLI_ROUTES_H

#include "analysis/routes.h"

/* Reads a file ("-": stdin) into m. Lines that are not understood are counted there and told on
 * stderr, the first of them alone unless `verbose`; a file without a line that is understood is an
 * error, as is one that cannot be read. */
int routes_read(const char *path, bool verbose, struct routes_maker *m, struct bp_error *err);

#endif
