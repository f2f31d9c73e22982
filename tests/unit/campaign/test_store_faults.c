// SPDX-License-Identifier: BSD-2-Clause
/*
 * The store where things go wrong: files that are none, other versions, no right, no room, damage
 * anywhere. One clear line each, the right code, and nothing that was announced is lost.
 */
#include "tests/unit/campaign/store_bed.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void write_file(const char *path, const void *bytes, size_t n)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, n, f), n);
	fclose(f);
}

static void sql(const char *path, const char *text)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* --- what is no store ------------------------------------------------------------------------- */

static void files_that_are_none(void **state)
{
	static const struct {
		const char *why, *bytes;
		size_t n;
		int read, write;
		const char *says;
	} rows[] = {
		{"text", "{\"type\":\"trace\"}\n", 17, BP_EPARSE, BP_EPARSE, "not a store"},
		{"SQLite's name and no more", "SQLite format 3", 16, BP_EPARSE, BP_EPARSE,
		 "not a store"},
		{"empty: made when it is to be written", "", 0, BP_EPARSE, 0, "empty"},
	};
	struct bed *b = *state;

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct store *s;

		write_file(b->path, rows[i].bytes, rows[i].n);
		assert_int_equal(store_open(b->path, STORE_READ, &s, &b->err), rows[i].read);
		assert_line(&b->err);
		if (strstr(b->err.text, rows[i].says) == NULL)
			fail_msg("%s: %s", rows[i].why, b->err.text);
		assert_int_equal(store_open(b->path, STORE_WRITE, &s, &b->err), rows[i].write);
		if (rows[i].write == 0)
			store_close(s);
	}
}

static void names_of_stores(void **state)
{
	struct bed *b = *state;
	char url[STORE_NAME + 8];
	struct store *s;

	snprintf(url, sizeof(url), "sqlite:%s", b->path);
	assert_int_equal(store_open(url, STORE_READ, &s, &b->err), BP_ENOTFOUND);
	assert_line(&b->err);
	assert_false(store_is(b->path));
	assert_int_equal(store_open(url, STORE_WRITE, &s, &b->err), 0);
	assert_string_equal(store_path(s), b->path);
	store_close(s);
	assert_true(store_is(b->path));
	assert_true(store_is(url));
	assert_false(store_is(b->dir));
	assert_true(store_is("postgresql://db/borderpath"));
	assert_int_equal(store_open("sqlite:", STORE_WRITE, &s, &b->err), BP_EINVAL);
	assert_int_equal(store_open(b->dir, STORE_WRITE, &s, &b->err), BP_EPARSE);
	assert_non_null(strstr(b->err.text, "directory"));
}

static void names_are_shown_without_passwords(void **state)
{
	static const struct {
		const char *word, *shown;
	} rows[] = {
		{"sqlite:/var/x.db", "sqlite:/var/x.db"},
		{"/var/x:y@z.db", "/var/x:y@z.db"},
		{"postgresql://h/d", "postgresql://h/d"},
		{"postgresql://u@h:5433/d", "postgresql://u@h:5433/d"},
		{"postgresql://u:secret@h:5433/d?sslmode=require",
		 "postgresql://u@h:5433/d?sslmode=require"},
		{"postgres://u:secret@h1:1,h2:2/d", "postgres://u@h1:1,h2:2/d"},
		/* What is not plain is not shown. */
		{"postgresql://u:sec@re:t@h/d", "postgresql://..."},
		{"postgresql://u:secret@re@h", "postgresql://..."},
		{"postgresql://u:se/cret@h/d", "postgresql://..."},
		{"postgresql://u:se/cret", "postgresql://..."},
		{"postgresql://u:12/secret@h", "postgresql://..."},
		{"postgresql://u:sec%zzret@h", "postgresql://u@h"},
		{"postgresql://u:secret@[::1]x/d", "postgresql://..."},
		{"postgresql://u:secret@[::1]:5432/d", "postgresql://u@[::1]:5432/d"},
		{"postgresql://u:secret@%2Frun%2Fpg/d", "postgresql://u@%2Frun%2Fpg/d"},
		{"postgresql://u%3Asecret@h", "postgresql://..."},
		{"postgresql://u secret@h", "postgresql://..."},
		{"postgresql:u:secret@h/d", "postgresql:..."},
		{"postgres:secret", "postgres:..."},
		{"Postgresql://u:secret@h/d", "Postgresql://u@h/d"},
		{"nats://u:secret@h", "nats://u@h"},
		{"postgresql://h/d?pass%77ord=secret&port=1", "postgresql://h/d?port=1"},
		{"postgresql://h/d?Password=secret", "postgresql://h/d"},
		{"postgresql://h/d?options=-csearch_path%3Dx", "postgresql://h/d?options=-csearch_path%3Dx"},
		{"postgresql://:secret@h", "postgresql://@h"},
		{"postgresql:///d?host=/run&password=secret&port=1",
		 "postgresql:///d?host=/run&port=1"},
		{"postgresql://h/d?password=secret", "postgresql://h/d"},
		{"postgresql://h?user=u&sslpassword=secret", "postgresql://h?user=u"},
		{"postgresql://u:secret", "postgresql://..."}, /* a host, and no port */
		{"postgresql:", "postgresql:"},
	};
	char shown[STORE_SHOWN_TEXT], longest[2 * STORE_SHOWN_TEXT];

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(store_shown(rows[i].word, shown), rows[i].shown);
	memset(longest, 'x', sizeof(longest));
	memcpy(longest, "postgresql://u:", 15);
	longest[sizeof(longest) - 1] = '\0';
	longest[700] = '@';
	assert_null(strstr(store_shown(longest, shown), "u:"));
	assert_int_equal(strlen(shown), STORE_SHOWN_TEXT - 1 < 13 + 1 + 323 ? 0 : 13 + 1 + 323);
}

static void the_default_store(void **state)
{
	struct bed *b = *state;
	char path[160];
	struct stat st;
	struct store *s;

	setenv("XDG_STATE_HOME", b->dir, 1);
	assert_int_equal(store_open(NULL, STORE_READ, &s, &b->err), BP_ENOTFOUND);
	assert_int_equal(store_open("", STORE_WRITE, &s, &b->err), 0);
	snprintf(path, sizeof(path), "%s/borderpath/store.db", b->dir);
	assert_string_equal(store_path(s), path);
	store_close(s);
	*strrchr(path, '/') = '\0';
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	setenv("XDG_STATE_HOME", "not/absolute", 1);
	setenv("HOME", b->dir, 1);
	assert_int_equal(store_open(NULL, STORE_WRITE, &s, &b->err), 0);
	snprintf(path, sizeof(path), "%s/.local/state/borderpath/store.db", b->dir);
	assert_string_equal(store_path(s), path);
	store_close(s);
	unsetenv("XDG_STATE_HOME");
}

/* --- versions --------------------------------------------------------------------------------- */

static void other_versions(void **state)
{
	struct bed *b = *state;
	struct store *s;
	char text[96];

	/* Somebody else's. */
	sql(b->path, "CREATE TABLE t(a)");
	assert_int_equal(store_open(b->path, STORE_READ, &s, &b->err), BP_EPARSE);
	assert_int_equal(store_open(b->path, STORE_WRITE, &s, &b->err), BP_EPARSE);
	assert_non_null(strstr(b->err.text, "another program"));
	unlink(b->path);
	/* Version 0: ours, and nothing in it yet (killed, or no room, while it was made). */
	snprintf(text, sizeof(text), "PRAGMA application_id = %d; PRAGMA journal_mode = WAL",
		 SQLITE_STORE_ID);
	sql(b->path, text);
	assert_int_equal(store_open(b->path, STORE_READ, &s, &b->err), BP_ENOTFOUND);
	assert_line(&b->err);
	assert_non_null(strstr(b->err.text, "nothing in this store yet"));
	assert_int_equal(store_open(b->path, STORE_WRITE, &s, &b->err), 0);
	assert_int_equal(put_round(s, 0, 3, &b->err), 0);
	store_close(s);
	/* A newer one. */
	snprintf(text, sizeof(text), "PRAGMA user_version = %d", SQLITE_STORE_VERSION + 1);
	sql(b->path, text);
	assert_int_equal(store_open(b->path, STORE_READ, &s, &b->err), BP_EUNSUP);
	assert_int_equal(store_open(b->path, STORE_WRITE, &s, &b->err), BP_EUNSUP);
	assert_non_null(strstr(b->err.text, "newer"));
}

static void each_version_has_its_step(void **state)
{
	int at = 0;

	(void)state;
	for (; migrations[at].step != NULL; at++)
		assert_int_equal(migrations[at].from, at);
	assert_int_equal(at, SQLITE_STORE_VERSION);
}

/* --- rights ----------------------------------------------------------------------------------- */

/* As somebody without rights: in a child, for root may everything. */
static int as_nobody(int (*run)(struct bed *b), struct bed *b)
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		if (geteuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
			_exit(99);
		_exit(run(b));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 100;
}

static int try_read_only(struct bed *b)
{
	struct tally t = {0};
	struct store *s;

	if (store_open(b->path, STORE_WRITE, &s, &b->err) != BP_EPERM)
		return 1;
	if (strchr(b->err.text, '\n') != NULL || b->err.text[0] == '\0')
		return 2;
	/* Reading needs no right to write, neither of the file nor of its directory. */
	if (store_open(b->path, STORE_READ, &s, &b->err) != 0)
		return 3;
	if (store_read(s, NULL, tally, &t, &b->err) != 0 || t.traces != 15 || t.rounds != 3)
		return 4;
	store_close(s);
	return 0;
}

static void read_only(void **state)
{
	struct bed *b = *state;

	make_store(b, 3, 5);
	assert_int_equal(chmod(b->path, 0444), 0);
	assert_int_equal(chmod(b->dir, 0555), 0);
	assert_int_equal(as_nobody(try_read_only, b), 0);
	/* Only the file. */
	assert_int_equal(chmod(b->dir, 0777), 0);
	assert_int_equal(as_nobody(try_read_only, b), 0);
}

/* --- damage ----------------------------------------------------------------------------------- */

static uint8_t *read_all(const char *path, size_t *n)
{
	FILE *f = fopen(path, "r");
	uint8_t *bytes;

	assert_non_null(f);
	fseek(f, 0, SEEK_END);
	*n = (size_t)ftell(f);
	rewind(f);
	bytes = malloc(*n);
	assert_int_equal(fread(bytes, 1, *n, f), *n);
	fclose(f);
	return bytes;
}

/* Whatever is damaged: an error of ours with its line, or the records; never more than there
 * were. */
static void read_damaged(struct bed *b, unsigned most)
{
	struct tally t = {0};
	struct store *s;
	int rc = store_open(b->path, STORE_READ, &s, &b->err);

	if (rc == 0) {
		rc = store_read(s, NULL, tally, &t, &b->err);
		assert_true(t.traces <= most);
		store_close(s);
	}
	if (rc != 0) {
		assert_true(rc == BP_EPARSE || rc == BP_EUNSUP || rc == BP_EIO);
		assert_line(&b->err);
	}
}

static void damage_anywhere(void **state)
{
	struct bed *b = *state;
	/* Under valgrind each takes seconds. */
	const unsigned times = getenv("UNDER_VALGRIND") != NULL ? 12 : 120;
	uint64_t seed = 99;
	uint8_t *whole, *bytes;
	char to[STORE_NAME + 8];
	size_t n;

	make_store(b, 6, 30);
	whole = read_all(b->path, &n);
	bytes = malloc(n);
	snprintf(to, sizeof(to), "%s.new", b->path);
	for (unsigned i = 0; i < times; i++) {
		struct store_salvage saved;
		size_t at, cut = n;
		int rc;

		memcpy(bytes, whole, n);
		seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		at = (size_t)(seed >> 20) % n;
		if (i % 3 == 0)
			bytes[at] ^= (uint8_t)(1 + i);
		else if (i % 3 == 1)
			memset(bytes + at, (int)i, n - at < 700 ? n - at : 700);
		else
			cut = at;
		write_file(b->path, bytes, cut);
		read_damaged(b, 180);
		unlink(to);
		rc = store_salvage(b->path, to, &saved, &b->err);
		if (rc == 0)
			assert_true(saved.traces <= 180 && saved.rounds <= 6);
		else
			assert_line(&b->err);
	}
	free(whole);
	free(bytes);
}

/* The page of one table is lost, the rest is not. */
static void most_of_it_is_saved(void **state)
{
	struct bed *b = *state;
	struct store_salvage saved;
	struct tally t = {0};
	struct store *s;
	uint8_t *bytes;
	char to[STORE_NAME + 8];
	size_t n;

	make_store(b, 10, 200);
	bytes = read_all(b->path, &n);
	/* In the middle: rows of the largest table, or what they share. */
	memset(bytes + n / 2 / 4096 * 4096, 0xee, 4096);
	write_file(b->path, bytes, n);
	free(bytes);
	snprintf(to, sizeof(to), "%s.new", b->path);
	assert_int_equal(store_salvage(b->path, to, &saved, &b->err), 0);
	assert_true(saved.traces > 1500);
	assert_int_equal(saved.rounds, 10);
	/* What was kept elsewhere goes in again: whole. */
	assert_int_equal(store_open(to, STORE_WRITE, &s, &b->err), 0);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(put_round(s, i, 200, &b->err), 0);
	assert_int_equal(store_read(s, NULL, tally, &t, &b->err), 0);
	assert_int_equal(t.traces, 2000);
	assert_int_equal(t.rounds, 10);
	store_close(s);
}

/* --- no room ---------------------------------------------------------------------------------- */

/* A disk of 4 MB in a mount namespace of one's own. */
static int fill_disk(struct bed *b)
{
	struct tally t = {0};
	struct store *s;
	char filler[128];
	unsigned rounds = 0;
	int fd, rc = 0;
	static const char zeros[65536];

	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", b->dir, "tmpfs", 0, "size=4m") < 0)
		return 77;
	snprintf(filler, sizeof(filler), "%s/filler", b->dir);
	fd = open(filler, O_CREAT | O_WRONLY, 0600);
	for (unsigned i = 0; i < 16; i++) {
		if (write(fd, zeros, sizeof(zeros)) < 0)
			return 1;
	}
	if (store_open(b->path, STORE_WRITE, &s, &b->err) != 0)
		return 2;
	while (rc == 0 && rounds < 1000)
		rc = put_round(s, rounds++, 50, &b->err);
	rounds--;
	if (rc != BP_EIO || b->err.sys != ENOSPC || strchr(b->err.text, '\n') != NULL)
		return 3;
	/* What was announced can be read, and when there is room again it goes on. */
	if (store_read(s, NULL, tally, &t, &b->err) != 0 || t.rounds != rounds ||
	    t.traces != 50 * rounds || t.torn)
		return 4;
	if (put_round(s, rounds, 50, &b->err) != BP_EIO)
		return 5;
	if (ftruncate(fd, 0) < 0)
		return 6;
	if (put_round(s, rounds, 50, &b->err) != 0)
		return 7;
	store_close(s);
	if (store_open(b->path, STORE_READ, &s, &b->err) != 0)
		return 8;
	t = (struct tally){0};
	if (store_read(s, NULL, tally, &t, &b->err) != 0 || t.rounds != rounds + 1 || t.torn)
		return 9;
	store_close(s);
	return rounds > 2 ? 0 : 10;
}

static void a_full_disk(void **state)
{
	struct bed *b = *state;
	int status;
	pid_t child;

	if (geteuid() != 0) {
		print_message("  skipped: only root may mount a small disk\n");
		skip();
	}
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(fill_disk(b));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77) {
		print_message("  skipped: no mount namespace here\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(files_that_are_none),
		T(names_of_stores),
		cmocka_unit_test(names_are_shown_without_passwords),
		T(the_default_store),
		T(other_versions),
		cmocka_unit_test(each_version_has_its_step),
		T(read_only),
		T(damage_anywhere),
		T(most_of_it_is_saved),
		T(a_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
