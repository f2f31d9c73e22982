// SPDX-License-Identifier: BSD-2-Clause
/* A file replaced whole. */
#include "core/whole.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where the bytes go: the target of a link that leads somewhere. `mode` is -1 for a new file. */
struct place { char path[PATH_MAX]; bool plain; int mode; };

static int find_place(const char *path, struct place *out)
{
	struct stat st;
	char real[PATH_MAX];

	*out = (struct place){.plain = true, .mode = -1};
	if (realpath(path, real) != NULL)
		path = real;
	else if (errno != ENOENT)
		return errno;
	if (strlen(path) >= sizeof(out->path))
		return ENAMETOOLONG;
	memcpy(out->path, path, strlen(path) + 1);
	if (stat(path, &st) == 0) {
		out->plain = S_ISREG(st.st_mode);
		out->mode = (int)(st.st_mode & 07777);
		if (S_ISDIR(st.st_mode))
			return EISDIR;
	}
	return 0;
}

static void directory_of(const char *path, char out[static PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	size_t n = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);

	memcpy(out, n > 0 ? path : ".", n > 0 ? n : 1);
	out[n > 0 ? n : 1] = '\0';
}

static int write_all(int fd, const void *bytes, size_t n)
{
	const char *at = bytes;

	while (n > 0) {
		ssize_t done = write(fd, at, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return errno;
		at += done;
		n -= (size_t)done;
	}
	return 0;
}

static int write_over(const struct place *p, const void *bytes, size_t n)
{
	int fd = open(p->path, O_WRONLY | O_CLOEXEC), sys;

	if (fd < 0)
		return errno;
	sys = write_all(fd, bytes, n);
	return close(fd) < 0 && sys == 0 ? errno : sys;
}

static int make_beside(const struct place *p, char name[static PATH_MAX + 16], int *fd)
{
	mode_t mask;

	snprintf(name, PATH_MAX + 16, "%s.XXXXXX", p->path);
	*fd = mkostemp(name, O_CLOEXEC);
	if (*fd < 0)
		return errno;
	mask = umask(0);
	umask(mask);
	return fchmod(*fd, p->mode >= 0 ? (mode_t)p->mode : 0666 & ~mask) < 0 ? errno : 0;
}

static int begin(const struct place *p, const void *bytes, size_t n, struct whole *out)
{
	int fd, sys = make_beside(p, out->beside, &fd);

	if (fd < 0)
		return sys;
	if (sys == 0)
		sys = write_all(fd, bytes, n);
	if (sys == 0 && fsync(fd) < 0)
		sys = errno;
	if (close(fd) < 0 && sys == 0)
		sys = errno;
	if (sys != 0)
		unlink(out->beside);
	else
		memcpy(out->path, p->path, sizeof(out->path));
	return sys;
}

static int commit(const struct whole *w)
{
	char directory[PATH_MAX];
	int dir;

	if (rename(w->beside, w->path) < 0) {
		int sys = errno;

		unlink(w->beside);
		return sys;
	}
	/* The name too; where that cannot be, the file is whole none the less. */
	directory_of(w->path, directory);
	dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir >= 0) {
		(void)fsync(dir);
		close(dir);
	}
	return 0;
}

static int replace(const struct place *p, const void *bytes, size_t n)
{
	struct whole w;
	int sys = begin(p, bytes, n, &w);

	return sys != 0 ? sys : commit(&w);
}

int whole_write(const char *path, const void *bytes, size_t n, struct bp_error *err)
{
	struct place p;
	int sys = find_place(path, &p);

	if (sys == 0)
		sys = p.plain ? replace(&p, bytes, n) : write_over(&p, bytes, n);
	return sys != 0 ? bp_fail_sys(err, sys, "cannot write %s", path) : 0;
}

int whole_begin(const char *path, const void *bytes, size_t n, struct whole *out,
		struct bp_error *err)
{
	struct place p;
	int sys = find_place(path, &p);

	if (sys == 0 && !p.plain)
		return bp_fail(err, BP_EINVAL, "cannot write %s: it is no plain file", path);
	if (sys == 0)
		sys = begin(&p, bytes, n, out);
	return sys != 0 ? bp_fail_sys(err, sys, "cannot write %s", path) : 0;
}

int whole_commit(const struct whole *w, struct bp_error *err)
{
	int sys = commit(w);

	return sys != 0 ? bp_fail_sys(err, sys, "cannot write %s", w->path) : 0;
}

void whole_drop(const struct whole *w)
{
	unlink(w->beside);
}

int whole_check(const char *path, struct bp_error *err)
{
	char directory[PATH_MAX];
	struct place p;
	int sys = find_place(path, &p);

	if (sys == 0 && p.mode >= 0 && access(p.path, W_OK) < 0)
		sys = errno;
	if (sys == 0 && p.plain) {
		directory_of(p.path, directory);
		sys = access(directory, W_OK) < 0 ? errno : 0;
	}
	return sys != 0 ? bp_fail_sys(err, sys, "cannot write %s", path) : 0;
}
