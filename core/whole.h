// SPDX-License-Identifier: BSD-2-Clause
/* A file that is there whole or as it was before: written beside it under another name, which it
 * gets once all is on the disk. What is no plain file (a device, a pipe) is written to. */
#ifndef CORE_WHOLE_H
#define CORE_WHOLE_H

#include <stddef.h>

#include "core/err.h"

/* Replaces the file (behind a symbolic link: what that names), keeping its mode; a new one is made
 * as by open() with 0666. One line in err with the path: BP_EPERM, BP_ENOTFOUND, BP_EIO ... */
int whole_write(const char *path, const void *bytes, size_t n, struct bp_error *err);
/* Whether that can go well as far as one can tell before: its directory and it can be written. */
int whole_check(const char *path, struct bp_error *err);

#endif
