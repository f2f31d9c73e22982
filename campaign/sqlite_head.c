// SPDX-License-Identifier: BSD-2-Clause
/* SQLite's own way to its files, which closes none that has a lock. */
#include "campaign/sqlite_head.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/err.h"

static int read_file(sqlite3_file *f, void *out, size_t n)
{
	sqlite3_int64 size;

	if (f->pMethods->xFileSize(f, &size) != SQLITE_OK)
		return BP_EIO;
	if (size < (sqlite3_int64)n)
		n = (size_t)size;
	if (n > 0 && f->pMethods->xRead(f, out, (int)n, 0) != SQLITE_OK)
		return BP_EIO;
	return (int)n;
}

static int open_and_read(sqlite3_vfs *vfs, const char *name, void *out, size_t n)
{
	sqlite3_file *f = calloc(1, (size_t)vfs->szOsFile);
	int rc = BP_ENOMEM, why = ENOMEM;

	if (f != NULL) {
		rc = vfs->xOpen(vfs, name, f, SQLITE_OPEN_READONLY | SQLITE_OPEN_MAIN_DB,
				NULL) == SQLITE_OK ? read_file(f, out, n) : BP_EIO;
		why = errno;
		if (f->pMethods != NULL)
			f->pMethods->xClose(f);
	}
	free(f);
	errno = why;
	return rc;
}

/* SQLite counts its memory under one lock of all threads, which two readers of a store stand at a
 * thousand times. Nobody asks for the counts. Behind SQLite's first use this changes nothing. */
static sqlite3_vfs *first_find(void)
{
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	return sqlite3_vfs_find(NULL);
}

int sqlite_head(const char *path, void *out, size_t n)
{
	sqlite3_vfs *vfs = first_find();
	char *full = NULL;
	const char *name = NULL;
	struct stat st;
	int rc = BP_ENOMEM, why = ENOMEM;

	if (stat(path, &st) < 0)
		return BP_EIO;
	if (!S_ISREG(st.st_mode))
		return BP_EINVAL;
	if (vfs != NULL)
		full = malloc((size_t)vfs->mxPathname + 1);
	/* Another code of success is SQLITE_OK_SYMLINK. */
	if (full != NULL &&
	    (vfs->xFullPathname(vfs, path, vfs->mxPathname + 1, full) & 0xff) == SQLITE_OK)
		/* A name as SQLite hands it to itself, with its parameters behind it. */
		name = sqlite3_create_filename(full, "", "", 0, NULL);
	if (name != NULL) {
		rc = open_and_read(vfs, name, out, n);
		why = errno;
	}
	sqlite3_free_filename(name);
	free(full);
	errno = why;
	return rc;
}
