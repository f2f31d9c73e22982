// SPDX-License-Identifier: BSD-2-Clause
/* flock on a file with a process id in it. */
#include "campaign/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/clock.h"

/* Whoever only looks holds it for a moment (campaign/place.c): no answer before that is over. */
static int take(int fd)
{
	struct timespec moment = {.tv_nsec = 20 * NS_PER_MS};
	int rc = flock(fd, LOCK_EX | LOCK_NB);

	for (unsigned n = 0; n < 5 && rc < 0 && errno == EWOULDBLOCK; n++) {
		(void)ppoll(NULL, 0, &moment, NULL);
		rc = flock(fd, LOCK_EX | LOCK_NB);
	}
	return rc;
}

/* Who says that he holds it; 0: does not say. */
static long holder(int fd)
{
	char text[32];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	if (n <= 0)
		return 0;
	text[n] = '\0';
	return strtol(text, NULL, 10);
}

int lock_take(const char *path, int *fd, struct bp_error *err)
{
	int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	long who;
	int rc;

	/* One that may only be read can be locked all the same. */
	if (lock < 0)
		lock = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (lock < 0)
		return bp_fail_sys(err, errno, "cannot lock %s", path);
	if (take(lock) < 0) {
		int sys = errno;

		who = holder(lock);
		if (sys != EWOULDBLOCK)
			rc = bp_fail_sys(err, sys, "cannot lock %s", path);
		else if (who == getpid())
			rc = bp_fail(err, BP_EAGAIN, "it is named twice: %s is ours", path);
		else if (who > 0)
			rc = bp_fail(err, BP_EAGAIN, "process %ld holds %s", who, path);
		else
			rc = bp_fail(err, BP_EAGAIN, "another process holds %s", path);
		close(lock);
		return rc;
	}
	/* For people; without it the lock holds as well. */
	if (ftruncate(lock, 0) == 0)
		(void)(dprintf(lock, "%ld\n", (long)getpid()) < 0);
	*fd = lock;
	return 0;
}
