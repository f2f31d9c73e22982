// SPDX-License-Identifier: BSD-2-Clause
/*
 * One process a campaign: who holds the lock is told, whoever only looks keeps nobody out, and what
 * is given back can be taken again.
 */
#include "campaign/lock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "campaign/place.h"

static char dir[] = "/tmp/lock-XXXXXX", path[64];

static int64_t holder(void)
{
	int64_t pid = -2;

	assert_int_equal(place_holder(path, &pid), 0);
	return pid;
}

static void one_holds_it(void **state)
{
	struct bp_error err = {0};
	char pid[32];
	int fd = -1, second = -1, ended = -1;
	pid_t child;

	(void)state;
	snprintf(pid, sizeof(pid), "process %ld holds", (long)getpid());
	assert_int_equal(holder(), 0);
	assert_int_equal(lock_take(path, &fd, &err), 0);
	/* Another descriptor is as good as another process. */
	assert_int_equal(lock_take(path, &second, &err), BP_EAGAIN);
	assert_int_equal(second, -1);
	/* No second process: the same campaign, named twice. */
	assert_non_null(strstr(err.text, "named twice"));
	assert_int_equal(holder(), getpid());
	child = fork();
	if (child == 0)
		_exit(lock_take(path, &second, &err) == BP_EAGAIN &&
		      strstr(err.text, pid) != NULL ? 0 : 1);
	assert_int_equal(waitpid(child, &ended, 0), child);
	assert_int_equal(ended, 0);
	close(fd);
	assert_int_equal(holder(), 0);
	assert_int_equal(lock_take(path, &second, &err), 0);
	close(second);
}

/* A pid of more digits, of a process long gone, leaves nothing behind. */
static void what_an_earlier_one_wrote_goes(void **state)
{
	struct bp_error err = {0};
	FILE *f = fopen(path, "we");
	int fd = -1;

	(void)state;
	assert_non_null(f);
	fputs("4294967295\nand more\n", f);
	fclose(f);
	assert_int_equal(lock_take(path, &fd, &err), 0);
	assert_int_equal(holder(), getpid());
	close(fd);
}

static void nowhere(void **state)
{
	struct bp_error err = {0};
	char away[sizeof(path) + 8];
	int fd = -1;

	(void)state;
	snprintf(away, sizeof(away), "%s/away/x", dir);
	assert_int_equal(lock_take(away, &fd, &err), BP_ENOTFOUND);
	assert_non_null(strstr(err.text, away));
	/* Nobody is led astray by a link. */
	snprintf(away, sizeof(away), "%s/link", dir);
	assert_int_equal(symlink(path, away), 0);
	assert_true(lock_take(away, &fd, &err) < 0);
	assert_int_equal(fd, -1);
	unlink(away);
}

static int setup(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/c-v.lock", dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_holds_it),
		cmocka_unit_test(what_an_earlier_one_wrote_goes),
		cmocka_unit_test(nowhere),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
