// SPDX-License-Identifier: BSD-2-Clause
/*
 * An outbox whose file is damaged: it is put aside, and a new one begun. Nothing is taken out of
 * it: what was cut is cut again from the spool, of a new epoch, and the centre's store has nothing
 * twice. What neither is in the spool any more, nor reached the centre, is lost.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "campaign/fleet/cut.h"

/* FILE.damaged-20261122T100000Z, which is not there yet. */
static int name_aside(const char *file, char out[static PATH_MAX], struct bp_error *err)
{
	char when[WALL_TEXT], moment[WALL_TEXT];
	struct stat st;
	size_t k = 0;
	int n;

	wall_format(wall_now(), when);
	for (const char *c = when; *c != '\0' && *c != '.'; c++) {
		if (*c != '-' && *c != ':')
			moment[k++] = *c;
	}
	moment[k] = '\0';
	n = snprintf(out, PATH_MAX, "%s.damaged-%sZ", file, moment);
	if (n < 0 || n >= PATH_MAX - 32)
		return bp_fail(err, BP_EINVAL, "%s: too long a path", file);
	for (unsigned i = 2; lstat(out, &st) == 0; i++)
		snprintf(out + n, PATH_MAX - (size_t)n, ".%u", i);
	return 0;
}

int cut_put_aside(const char *file, char aside[static PATH_MAX], struct bp_error *err)
{
	/* The log first: a new file must not find it. */
	static const char *const parts[] = {"-wal", "-shm", ""};
	char from[PATH_MAX + 8], to[PATH_MAX + 8];
	int rc = name_aside(file, aside, err);

	for (size_t i = 0; rc == 0 && i < sizeof(parts) / sizeof(parts[0]); i++) {
		snprintf(from, sizeof(from), "%s%s", file, parts[i]);
		snprintf(to, sizeof(to), "%s%s", aside, parts[i]);
		if (rename(from, to) < 0 && errno != ENOENT)
			rc = bp_fail_sys(err, errno, "cannot put %s aside as %s", from, to);
	}
	return rc;
}
