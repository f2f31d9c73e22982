// SPDX-License-Identifier: BSD-2-Clause
/* A new file, a swap of names, and the journals behind it. */
#include "campaign/recover.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "campaign/commit.h"
#include "campaign/lock.h"
#include "campaign/store_place.h"

enum { LOCKS_MAX = 256, RECOVER_TEXT = PATH_MAX + 32 };

struct recovery {
	char path[PATH_MAX];        /* the store */
	char spools[RECOVER_TEXT];    /* directory of its spools and locks */
	char fresh[RECOVER_TEXT];     /* the new one, until it takes its place */
	int locks[LOCKS_MAX];
	unsigned lock_count;
	struct store *store;        /* the new one, in its place */
	void (*on_round)(void *arg, const struct round *r);
	void *arg;
	struct recover_end *end;
};

static bool has_end(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	return n > m && strcmp(name + n - m, end) == 0;
}

/* Calls each for every name of a directory until it fails. No directory: nothing to do. */
static int for_each(struct recovery *v, const char *dir,
		    int (*each)(struct recovery *v, const char *path, const char *name,
				struct bp_error *err),
		    struct bp_error *err)
{
	char path[RECOVER_TEXT + NAME_MAX + 2];
	DIR *d = opendir(dir);
	struct dirent *e;
	int rc = 0;

	if (d == NULL)
		return errno == ENOENT ? 0 : bp_fail_sys(err, errno, "cannot read %s", dir);
	while (rc == 0 && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		rc = each(v, path, e->d_name, err);
	}
	closedir(d);
	return rc;
}

/* --- nobody else ------------------------------------------------------------------------------ */

static int take_lock(struct recovery *v, const char *path, const char *name, struct bp_error *err)
{
	int rc;

	if (!has_end(name, ".lock"))
		return 0;
	if (v->lock_count == LOCKS_MAX)
		return bp_fail(err, BP_ERANGE, "%s has more than %d locks", v->spools, LOCKS_MAX);
	rc = lock_take(path, &v->locks[v->lock_count], err);
	if (rc == 0)
		v->lock_count++;
	return rc == BP_EAGAIN ? bp_error_prefix(err, "a campaign uses this store, stop it first") :
	       rc;
}

static void give_locks(struct recovery *v)
{
	while (v->lock_count > 0)
		close(v->locks[--v->lock_count]);
}

/* --- the files -------------------------------------------------------------------------------- */

static void name_aside(struct recovery *v)
{
	struct stat st;
	char when[WALL_TEXT], moment[WALL_TEXT];
	size_t k = 0;
	int n;

	wall_format(wall_now(), when);
	/* 20261122T100000Z, as in the ids of rounds. */
	for (const char *c = when; *c != '\0' && *c != '.'; c++) {
		if (*c != '-' && *c != ':')
			moment[k++] = *c;
	}
	moment[k] = '\0';
	n = snprintf(v->end->aside, sizeof(v->end->aside), "%.*s.damaged-%sZ", PATH_MAX - 64,
		     v->path, moment);
	for (unsigned i = 2; n > 0 && stat(v->end->aside, &st) == 0; i++)
		snprintf(v->end->aside + n, sizeof(v->end->aside) - (size_t)n, ".%u", i);
}

/* A second name for it, so that at no moment it has none; a file system without links moves it. */
static int name_again(const char *from, const char *to, struct bp_error *err)
{
	if (link(from, to) == 0 || errno == ENOENT || rename(from, to) == 0)
		return 0;
	return bp_fail_sys(err, errno, "cannot put %s aside as %s", from, to);
}

static int sync_directory(const char *path)
{
	char dir[PATH_MAX];
	char *slash;
	int fd;

	text_set(dir, sizeof(dir), path);
	slash = strrchr(dir, '/');
	if (slash != NULL)
		slash[slash == dir] = '\0';
	fd = open(slash != NULL ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	(void)fsync(fd);
	return close(fd);
}

/* The damaged file keeps its log beside it; the new one must not find that log: it would be read
 * into it. So the log goes first, and only then the new file takes the name. */
static int swap(struct recovery *v, struct bp_error *err)
{
	static const char *const parts[] = {"-wal", "-shm", ""};
	char from[RECOVER_TEXT], to[RECOVER_TEXT];
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(parts) / sizeof(parts[0]); i++) {
		snprintf(from, sizeof(from), "%s%s", v->path, parts[i]);
		snprintf(to, sizeof(to), "%s%s", v->end->aside, parts[i]);
		rc = name_again(from, to, err);
	}
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < 2; i++) {
		snprintf(from, sizeof(from), "%s%s", v->path, parts[i]);
		if (unlink(from) < 0 && errno != ENOENT)
			return bp_fail_sys(err, errno, "cannot put %s aside", from);
	}
	if (rename(v->fresh, v->path) < 0)
		return bp_fail_sys(err, errno, "cannot put %s in the place of %s", v->fresh,
				   v->path);
	(void)sync_directory(v->path);
	return 0;
}

static void remove_fresh(const struct recovery *v)
{
	static const char *const parts[] = {"", "-wal", "-shm", "-journal"};
	char path[RECOVER_TEXT + 16];

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", v->fresh, parts[i]);
		(void)unlink(path);
	}
}

static int salvage(struct recovery *v, struct bp_error *err)
{
	int rc;

	/* Of an attempt that was broken off. */
	remove_fresh(v);
	rc = store_salvage(v->path, v->fresh, &v->end->salvage, err);
	if (rc == 0)
		rc = swap(v, err);
	if (rc < 0)
		remove_fresh(v);
	return rc;
}

/* --- the journals ----------------------------------------------------------------------------- */

static int take_spool(struct recovery *v, const char *path, const char *name, struct bp_error *err)
{
	struct commit_end end;
	struct spool_state state;
	struct spool *s;
	struct stat st;
	struct round r;
	int rc;

	(void)name;
	if (lstat(path, &st) < 0 || !S_ISDIR(st.st_mode))
		return 0;
	rc = spool_open(path, 0, &s, err);
	if (rc < 0)
		return rc;
	spool_again(s);
	while ((rc = spool_next(s, &r, err)) == 0) {
		rc = commit_round(v->store, s, &r, NULL, NULL, &end, err);
		if (rc < 0 && end.content)
			spool_refused(s, &r);
		else if (rc < 0)
			break;
		else if (!end.already && v->on_round != NULL)
			v->on_round(v->arg, &r);
		v->end->rounds += rc == 0 && !end.already;
	}
	spool_state(s, &state);
	v->end->waiting += state.rounds;
	spool_close(s);
	return rc == BP_ENOTFOUND ? 0 : rc;
}

int recover_store(const char *url, const char *spool_dir,
		  void (*on_round)(void *arg, const struct round *r), void *arg,
		  struct recover_end *out, struct bp_error *err)
{
	struct recovery *v = calloc(1, sizeof(*v));
	struct stat st;
	int rc;

	*out = (struct recover_end){0};
	if (v == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	v->on_round = on_round;
	v->arg = arg;
	v->end = out;
	rc = store_place(url, v->path, err);
	if (rc == 0 && stat(v->path, &st) < 0)
		rc = bp_fail_sys(err, errno, "%s", v->path);
	if (rc < 0)
		goto out;
	snprintf(v->spools, sizeof(v->spools), "%s.spool", v->path);
	snprintf(v->fresh, sizeof(v->fresh), "%s.recovered", v->path);
	name_aside(v);
	rc = for_each(v, v->spools, take_lock, err);
	if (rc == 0 && spool_dir != NULL)
		rc = for_each(v, spool_dir, take_lock, err);
	if (rc == 0)
		rc = salvage(v, err);
	if (rc == 0)
		rc = store_open(v->path, STORE_WRITE, &v->store, err);
	if (rc == 0)
		rc = for_each(v, spool_dir != NULL ? spool_dir : v->spools, take_spool, err);
	store_close(v->store);
	give_locks(v);
out:
	free(v);
	return rc;
}
