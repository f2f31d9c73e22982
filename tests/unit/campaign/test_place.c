// SPDX-License-Identifier: BSD-2-Clause
/*
 * Where a campaign's spool and lock lie, and what those who only look see there: a holder, a holder
 * that died, journals that wait, files of others.
 */
#include "campaign/place.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "campaign/lock.h"
#include "campaign/store_place.h"
#include "core/err.h"

static char box[64];

static void names(void **state)
{
	static const struct { const char *campaign, *vantage, *name; } rows[] = {
		{"daily", "fra1", "daily-fra1"},
		{"dprk-borders", "fra1.example.org", "dprk_borders-fra1.example.org"},
		/* no way out of the directory */
		{"../../etc/x", "a b", ".._.._etc_x-a_b-a86c9a4b"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct campaign_plan p = {0};
		char name[ROUND_ID_TEXT], path[PLACE_TEXT], want[PLACE_TEXT];

		text_set(p.campaign, sizeof(p.campaign), rows[i].campaign);
		text_set(p.vantage, sizeof(p.vantage), rows[i].vantage);
		assert_string_equal(place_name(&p, name), rows[i].name);
		snprintf(want, sizeof(want), "/x/store.db.spool/%s", rows[i].name);
		assert_string_equal(place_spool("/x/store.db", NULL, &p, path), want);
		snprintf(want, sizeof(want), "/spool/%s", rows[i].name);
		assert_string_equal(place_spool("/x/store.db", "/spool", &p, path), want);
		snprintf(want, sizeof(want), "/x/store.db.spool/%s.lock", rows[i].name);
		assert_string_equal(place_lock("/x/store.db", &p, path), want);
	}
}

/* No file is made that is called as another kind of store is. */
static void schemes(void **state)
{
	static const struct { const char *word; int rc; const char *place, *why; } rows[] = {
		{"mysql://u:secret@h/x", BP_EINVAL, "mysql://u@h/x: there is no such kind of store, only "
		 "sqlite:FILE and postgresql://", "another server's; its password is not shown"},
		{"mysql:x", BP_EINVAL, "there is no such kind", "it would be a file else"},
		{"file:/x/store.db", BP_EINVAL, "there is no such kind", "as others write it"},
		{"sqlite3:store.db", BP_EINVAL, "there is no such kind", "nearly"},
		{"postgresqlx://h/x", BP_EINVAL, "there is no such kind", "nearly"},
		{"postgresql://h/x", BP_EUNSUP, "here a store is a file", "of who keeps files alone"},
		{"./a:b", 0, "./a:b", "a file whose name has a colon"},
		{"sqlite:a:b", 0, "a:b", "likewise"},
		{"x/a:b", 0, "x/a:b", "in a directory"},
		{":x", 0, ":x", "no word, no scheme"},
	};
	char got[PATH_MAX], old[PATH_MAX];
	struct bp_error err;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int rc = store_place(rows[i].word, got, &err);

		if (rc != rows[i].rc)
			fail_msg("%s: %d: %s", rows[i].word, rc, rows[i].why);
		if (strstr(rc == 0 ? got : err.text, rows[i].place) == NULL)
			fail_msg("%s: %s: %s", rows[i].word, rc == 0 ? got : err.text, rows[i].why);
		if (strstr(err.text, "secret") != NULL)
			fail_msg("%s: %s", rows[i].word, err.text);
	}
	/* What is there is what it is. */
	assert_non_null(getcwd(old, sizeof(old)));
	assert_int_equal(chdir(box), 0);
	assert_int_equal(symlink("store.db", "old:b"), 0);
	assert_int_equal(store_place("old:b", got, &err), BP_EINVAL);
	assert_int_equal(close(open("store.db", O_CREAT | O_WRONLY, 0600)), 0);
	assert_int_equal(store_place("old:b", got, &err), 0);
	assert_string_equal(got, "store.db");
	assert_int_equal(unlink("old:b") | unlink("store.db"), 0);
	assert_int_equal(chdir(old), 0);
}

/* A link is no other store: whoever names it by one meets the lock of the others. */
static void links(void **state)
{
	static const struct { const char *link, *to, *names; } rows[] = {
		{"plain.db", NULL, "/plain.db"},
		{"here.db", "store.db", "/store.db"},
		{"again.db", "here.db", "/store.db"},
		{"dots.db", "./../x/store.db", "/./../x/store.db"},
		{"round.db", "round.db", NULL},
	};
	char path[128], want[128], got[PATH_MAX] = "untouched";
	struct bp_error err;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(path, sizeof(path), "sqlite:%s/%s", box, rows[i].link);
		if (rows[i].to != NULL)
			assert_int_equal(symlink(rows[i].to, strchr(path, '/')), 0);
		snprintf(want, sizeof(want), "%s%s", box, rows[i].names ? rows[i].names : "");
		if (rows[i].names != NULL) {
			assert_int_equal(store_place(path, got, &err), 0);
			assert_string_equal(got, want);
		} else {
			assert_int_equal(store_place(path, got, &err), BP_EINVAL);
		}
	}
	snprintf(path, sizeof(path), "%s/whole.db", box);
	assert_int_equal(symlink("/x/y/other.db", path), 0);
	assert_int_equal(store_place(path, got, &err), 0);
	assert_string_equal(got, "/x/y/other.db");
}

static void holders(void **state)
{
	char path[128];
	struct bp_error err;
	int64_t pid = 99;
	int fd, ready[2];
	pid_t child;
	char byte;

	(void)state;
	snprintf(path, sizeof(path), "%s/lock", box);
	assert_int_equal(place_holder(path, &pid), 0);
	assert_int_equal(pid, 0); /* no file */
	assert_int_equal(pipe(ready), 0);
	child = fork();
	if (child == 0) {
		if (lock_take(path, &fd, &err) < 0 || write(ready[1], "", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(place_holder(path, &pid), 0);
	assert_int_equal(pid, child);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	/* The file still names him. */
	assert_int_equal(place_holder(path, &pid), 0);
	assert_int_equal(pid, 0);
	/* Who looks stands in nobody's way. */
	assert_int_equal(lock_take(path, &fd, &err), 0);
	close(fd);
	close(ready[0]);
	close(ready[1]);
}

static void put(const char *name, size_t bytes)
{
	char path[160];
	FILE *f;

	snprintf(path, sizeof(path), "%s/spool/%s", box, name);
	f = fopen(path, "we");
	assert_non_null(f);
	while (bytes-- > 0)
		fputc('x', f);
	fclose(f);
}

static void what_waits(void **state)
{
	struct place_waiting w = {.rounds = 9};
	char spool[128];

	(void)state;
	snprintf(spool, sizeof(spool), "%s/spool", box);
	assert_int_equal(place_look(spool, true, &w), 0);
	assert_int_equal(w.rounds, 0); /* no directory */
	assert_int_equal(mkdir(spool, 0700), 0);
	put("a.jsonl", 100);
	put("b.part", 10);
	put("c.taken", 1000);
	put("d.refused", 1000);
	put(".jsonl", 1000);
	assert_int_equal(place_look(spool, true, &w), 0);
	assert_int_equal(w.rounds, 1);
	assert_int_equal(w.bytes, 100);
	assert_int_equal(w.refused, 1);
	assert_true(w.oldest.ns > 0);
	/* Nobody runs: what is under way was cut off, and waits too. */
	assert_int_equal(place_look(spool, false, &w), 0);
	assert_int_equal(w.rounds, 2);
	assert_int_equal(w.bytes, 110);
	if (geteuid() != 0) {
		assert_int_equal(chmod(spool, 0), 0);
		assert_int_equal(place_look(spool, false, &w), BP_EPERM);
		assert_int_equal(chmod(spool, 0700), 0);
	}
}

static int setup(void **state)
{
	(void)state;
	snprintf(box, sizeof(box), "/tmp/test_place.XXXXXX");
	return mkdtemp(box) == NULL;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", box);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(schemes),
		cmocka_unit_test(links),
		cmocka_unit_test(holders),
		cmocka_unit_test(what_waits),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
