// SPDX-License-Identifier: BSD-2-Clause
/*
 * DIR/broker.json: which revision of the broker's list of the fleet this directory's was made from.
 * So a copy of the directory that is behind is told so, and overwrites nothing. Private to
 * cli/fleet.
 */
#ifndef CLI_FLEET_KNOWN_H
#define CLI_FLEET_KNOWN_H

#include <stdint.h>

#include "core/err.h"

/* *revision 0: there is no such file: the list was never at a broker, for all one knows. */
int known_read(const char *dir, uint64_t *revision, struct bp_error *err);
int known_write(const char *dir, uint64_t revision, struct bp_error *err);

#endif
