// SPDX-License-Identifier: BSD-2-Clause
/* A file is whole or as it was; links, devices and modes are kept. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/whole.h"

static char dir[64];

static int set_up(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/test_whole.XXXXXX");
	return mkdtemp(dir) == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static const char *in_dir(const char *name, char out[static 128])
{
	snprintf(out, 128, "%s/%s", dir, name);
	return out;
}

static void assert_holds(const char *path, const char *want)
{
	char got[64] = "";
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	got[fread(got, 1, sizeof(got) - 1, f)] = '\0';
	fclose(f);
	assert_string_equal(got, want);
}

static unsigned files(void)
{
	DIR *d = opendir(dir);
	unsigned n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n - 2;
}

static void new_and_replaced(void **state)
{
	char path[128];
	struct bp_error err;
	struct stat st;
	mode_t mask = umask(027);

	(void)state;
	in_dir("a", path);
	assert_int_equal(whole_check(path, &err), 0);
	assert_int_equal(whole_write(path, "one", 3, &err), 0);
	assert_holds(path, "one");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	/* A mode that somebody chose stays. */
	assert_int_equal(chmod(path, 0604), 0);
	assert_int_equal(whole_write(path, "two!", 4, &err), 0);
	assert_holds(path, "two!");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0604);
	assert_int_equal(files(), 1);
	umask(mask);
}

static void behind_a_link(void **state)
{
	char path[128], link[128];
	struct bp_error err;
	struct stat st;

	(void)state;
	assert_int_equal(whole_write(in_dir("a", path), "one", 3, &err), 0);
	assert_int_equal(symlink("a", in_dir("link", link)), 0);
	assert_int_equal(whole_write(link, "two", 3, &err), 0);
	assert_holds(path, "two");
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
}

static void a_device_is_written_to(void **state)
{
	struct bp_error err;

	(void)state;
	assert_int_equal(whole_check("/dev/null", &err), 0);
	assert_int_equal(whole_write("/dev/null", "x", 1, &err), 0);
	assert_int_equal(whole_write("/dev/full", "x", 1, &err), BP_EIO);
	assert_int_equal(err.sys, ENOSPC);
	assert_non_null(strstr(err.text, "/dev/full"));
}

/* The disk fills while it is written: the old one stands, and nothing beside it. */
static void full_in_the_middle(void **state)
{
	struct rlimit limit, old;
	char path[128], *big = calloc(1, 1 << 16);
	struct bp_error err;

	(void)state;
	assert_int_equal(whole_write(in_dir("a", path), "one", 3, &err), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit = old;
	limit.rlim_cur = 1 << 12;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(whole_write(path, big, 1 << 16, &err), BP_EIO);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_holds(path, "one");
	assert_int_equal(files(), 1);
	free(big);
}

static void refused(void **state)
{
	char path[128];
	struct bp_error err;

	(void)state;
	assert_int_equal(whole_write(dir, "x", 1, &err), BP_EIO);
	assert_int_equal(whole_check(dir, &err), BP_EIO);
	assert_int_equal(whole_write(in_dir("no/a", path), "x", 1, &err), BP_ENOTFOUND);
	assert_int_equal(whole_check(path, &err), BP_ENOTFOUND);
}

/* Two files that belong together: neither is changed before both are on the disk. */
static void in_two_steps(void **state)
{
	char a[128], b[128];
	struct whole first, second;
	struct bp_error err;

	(void)state;
	assert_int_equal(whole_write(in_dir("a", a), "one", 3, &err), 0);
	assert_int_equal(whole_begin(a, "two", 3, &first, &err), 0);
	assert_int_equal(whole_begin(in_dir("no/b", b), "x", 1, &second, &err), BP_ENOTFOUND);
	assert_holds(a, "one");
	whole_drop(&first);
	assert_holds(a, "one");
	assert_int_equal(files(), 1);
	assert_int_equal(whole_begin(a, "two", 3, &first, &err), 0);
	assert_int_equal(whole_begin(in_dir("b", b), "new", 3, &second, &err), 0);
	assert_int_equal(whole_commit(&first, &err), 0);
	assert_int_equal(whole_commit(&second, &err), 0);
	assert_holds(a, "two");
	assert_holds(b, "new");
	assert_int_equal(files(), 2);
	assert_int_equal(whole_begin("/dev/null", "x", 1, &first, &err), BP_EINVAL);
	assert_int_equal(whole_begin(a, "lost", 4, &first, &err), 0);
	assert_int_equal(unlink(a), 0);
	assert_int_equal(mkdir(a, 0700), 0);
	assert_int_equal(whole_commit(&first, &err), BP_EIO);
	assert_int_equal(files(), 2);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(new_and_replaced), T(behind_a_link), T(a_device_is_written_to),
		T(full_in_the_middle), T(refused), T(in_two_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
