// SPDX-License-Identifier: BSD-2-Clause
/*
 * What interrupts a run besides packets: signals, as a descriptor to poll, and the wall clock being
 * set. No handlers, so no state that two of them share. Opened before the drop; read without
 * privilege.
 */
#ifndef PROBER_IO_EVENTS_H
#define PROBER_IO_EVENTS_H

#include <stdbool.h>

#include "core/err.h"

struct events {
	int signal_fd; /* readable: SIGINT, SIGTERM or SIGHUP came */
	int clock_fd;
};

/* Blocks the signals. BP_EIO. */
int events_open(struct events *e, struct bp_error *err);
void events_close(struct events *e);
/* Whether one of the signals came since the last look. Never blocks. */
bool events_interrupted(struct events *e);
/* Whether CLOCK_REALTIME was set since the last look. Never blocks. */
bool events_clock_set(struct events *e);

#endif
