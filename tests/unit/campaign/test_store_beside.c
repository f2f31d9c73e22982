// SPDX-License-Identifier: BSD-2-Clause
/*
 * Several processes at one store: a lock in the way, readers beside a writer, two writers, and a
 * writer that is killed. Rounds are seen whole or not at all.
 */
#include "tests/unit/campaign/store_bed.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void another_process_in_the_way(void **state)
{
	struct bed *b = *state;
	struct store *s;
	sqlite3 *db = NULL;

	make_store(b, 1, 5);
	assert_int_equal(store_open(b->path, STORE_WRITE, &s, &b->err), 0);
	assert_int_equal(sqlite3_open(b->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_busy_timeout(((struct sqlite_store *)s)->db, 50);
	assert_int_equal(put_round(s, 1, 5, &b->err), BP_EAGAIN);
	assert_line(&b->err);
	/* Readers do not wait for a writer. */
	{
		struct tally t = {0};

		assert_int_equal(store_read(s, NULL, tally, &t, &b->err), 0);
		assert_int_equal(t.traces, 5);
	}
	sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	assert_int_equal(put_round(s, 1, 5, &b->err), 0);
	sqlite3_close(db);
	store_close(s);
}

static int write_rounds(struct bed *b)
{
	struct store *s;

	if (store_open(b->path, STORE_WRITE, &s, &b->err) != 0)
		return 1;
	for (unsigned i = 0; i < 40; i++) {
		if (put_round(s, i, 20, &b->err) != 0)
			return 2;
	}
	store_close(s);
	return 0;
}

static void a_reader_sees_rounds_whole(void **state)
{
	struct bed *b = *state;
	struct tally t;
	struct store *s;
	int status;
	pid_t child;

	make_store(b, 0, 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(write_rounds(b));
	do {
		t = (struct tally){0};
		assert_int_equal(store_open(b->path, STORE_READ, &s, &b->err), 0);
		assert_int_equal(store_read(s, NULL, tally, &t, &b->err), 0);
		assert_false(t.torn);
		store_close(s);
	} while (t.rounds < 40 && waitpid(child, &status, WNOHANG) == 0);
	if (t.rounds == 40)
		assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* Whether another process has a lock on the file: a child looks, whose own would not be told. */
static bool is_locked(const char *path)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	pid_t child = fork();
	int status, fd;

	assert_true(child >= 0);
	if (child == 0) {
		fd = open(path, O_RDWR);
		_exit(fd < 0 || fcntl(fd, F_GETLK, &lock) < 0 ? 2 : lock.l_type != F_UNLCK);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
	return WEXITSTATUS(status) == 1;
}

/* POSIX takes away all locks of a process on a file when it closes the file once. */
static void whoever_looks_leaves_the_locks(void **state)
{
	struct bed *b = *state;
	struct store *s, *other;
	struct tally t = {0};
	char from[512];

	make_store(b, 1, 5);
	assert_false(is_locked(b->path));
	assert_int_equal(store_open(b->path, STORE_READ, &s, &b->err), 0);
	assert_int_equal(store_read(s, NULL, tally, &t, &b->err), 0);
	assert_true(is_locked(b->path));
	assert_true(store_is(b->path));
	assert_true(is_locked(b->path));
	assert_int_equal(store_open(b->path, STORE_READ, &other, &b->err), 0);
	assert_true(is_locked(b->path));
	store_close(other);
	assert_true(is_locked(b->path));
	assert_int_equal(store_open_again(s, &other, &b->err), 0);
	store_close(other);
	assert_true(is_locked(b->path));
	/* By another name of it. */
	snprintf(from, sizeof(from), "%s.link", b->path);
	assert_int_equal(symlink(b->path, from), 0);
	assert_true(store_is(from));
	assert_true(is_locked(b->path));
	unlink(from);
	store_close(s);
	assert_false(is_locked(b->path));
}

/* Who waits longer than the store's patience is told so, and asks again. */
static int write_in_turns(struct bed *b)
{
	struct store *s;
	int rc = 0;

	if (store_open(b->path, STORE_WRITE, &s, &b->err) != 0)
		return 1;
	for (unsigned i = 0; i < 40 && rc == 0; i++) {
		do
			rc = put_round(s, i, 20, &b->err);
		while (rc == BP_EAGAIN);
	}
	store_close(s);
	return rc == 0 ? 0 : 2;
}

static int begin_in_turn(struct store *s, struct bp_error *err)
{
	int rc;

	do
		rc = store_begin(s, err);
	while (rc == BP_EAGAIN);
	return rc;
}

static void two_writers_take_turns(void **state)
{
	struct bed *b = *state;
	struct verdict v = {.judged = true,
			    .outcome = OUTCOME_BORDER,
			    .border = "khasan",
			    .profile = "p",
			    .profile_version = "2"};
	struct tally t = {0};
	struct store *s;
	int status;
	pid_t child;

	make_store(b, 1, 20);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(write_in_turns(b));
	assert_int_equal(store_open(b->path, STORE_WRITE, &s, &b->err), 0);
	for (unsigned i = 0; i < 20; i++) {
		char id[32];

		snprintf(id, sizeof(id), "v-run-%u", i);
		assert_int_equal(begin_in_turn(s, &b->err), 0);
		assert_int_equal(store_add_judgement(s, id, NULL, &v, (struct wall){T0}, &b->err),
				 0);
		assert_int_equal(store_commit(s, &b->err), 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(store_read(s, NULL, tally, &t, &b->err), 0);
	assert_int_equal(t.traces, 40 * 20);
	{
		struct store_select judged = {.border = "khasan"};

		t = (struct tally){0};
		assert_int_equal(store_read(s, &judged, tally, &t, &b->err), 0);
		assert_int_equal(t.traces, 20);
	}
	store_close(s);
}

static int write_until_killed(struct bed *b, int out)
{
	struct store *s;

	if (store_open(b->path, STORE_WRITE, &s, &b->err) != 0)
		return 1;
	for (unsigned i = 0; i < 10000; i++) {
		if (put_round(s, i, 20, &b->err) != 0)
			return 2;
		if (write(out, "!", 1) != 1) /* announced */
			return 3;
	}
	return 0;
}

static void what_was_announced_survives_a_kill(void **state)
{
	struct bed *b = *state;

	for (unsigned n = 0; n < 5; n++) {
		struct tally t = {0};
		struct store *s;
		unsigned announced = 0;
		int ends[2];
		char c;
		pid_t child;

		store_empty(b->path);
		assert_int_equal(pipe(ends), 0);
		child = fork();
		assert_true(child >= 0);
		if (child == 0)
			_exit(write_until_killed(b, ends[1]));
		close(ends[1]);
		while (announced < 3 + 7 * n && read(ends[0], &c, 1) == 1)
			announced++;
		kill(child, SIGKILL);
		while (read(ends[0], &c, 1) == 1)
			announced++;
		close(ends[0]);
		waitpid(child, NULL, 0);
		assert_int_equal(store_open(b->path, n % 2 ? STORE_READ : STORE_WRITE, &s, &b->err),
				 0);
		assert_int_equal(store_read(s, NULL, tally, &t, &b->err), 0);
		assert_true(announced > 0 && t.rounds >= announced && t.rounds <= announced + 1);
		assert_false(t.torn);
		assert_int_equal(t.traces, t.expected);
		store_close(s);
	}
}

int main(void)
{
	const struct CMUnitTest both[] = {
		T(a_reader_sees_rounds_whole),
		T(two_writers_take_turns),
		T(what_was_announced_survives_a_kill),
	};
	const struct CMUnitTest files[] = {
		T(another_process_in_the_way),
		T(whoever_looks_leaves_the_locks),
	};

	return RUN_ON_ENGINES(both, files);
}
