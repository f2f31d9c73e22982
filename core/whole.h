// SPDX-License-Identifier: BSD-2-Clause
/* A file that is there whole or as it was before: written beside it under another name, which it
 * gets once all is on the disk. What is no plain file (a device, a pipe) is written to. */
#ifndef CORE_WHOLE_H
#define CORE_WHOLE_H

#include <limits.h>
#include <stddef.h>

#include "core/err.h"

/* Replaces the file (behind a symbolic link: what that names), keeping its mode; a new one is made
 * as by open() with 0666. One line in err with the path: BP_EPERM, BP_ENOTFOUND, BP_EIO ... */
int whole_write(const char *path, const void *bytes, size_t n, struct bp_error *err);
/* In two steps, for several files that belong together: all that takes room is done by the first,
 * for a plain file or a new one (BP_EINVAL: it is another thing). Each begun is committed or
 * dropped, once; a commit that fails has dropped it. */
struct whole { char path[PATH_MAX], beside[PATH_MAX + 16]; };
int whole_begin(const char *path, const void *bytes, size_t n, struct whole *out,
		struct bp_error *err);
int whole_commit(const struct whole *w, struct bp_error *err);
void whole_drop(const struct whole *w);
/* Whether that can go well as far as one can tell before: its directory and it can be written. */
int whole_check(const char *path, struct bp_error *err);

#endif
