// SPDX-License-Identifier: BSD-2-Clause
/* Which store a word means: scheme, file, default place. Opens none. */
#include "campaign/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "campaign/store_place.h"
#include "core/text.h"

enum { LINKS_MAX = 40 };

static const char magic[16] = "SQLite format 3";

static bool has_prefix(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool store_is(const char *word)
{
	char head[sizeof(magic)];
	ssize_t n;
	int fd;

	if (word == NULL)
		return false;
	if (has_prefix(word, "sqlite:") || has_prefix(word, "postgresql:") ||
	    has_prefix(word, "postgres:"))
		return true;
	/* Not to hang on a FIFO that nobody writes. */
	fd = open(word, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return false;
	n = pread(fd, head, sizeof(head), 0);
	close(fd);
	return n == (ssize_t)sizeof(head) && memcmp(head, magic, sizeof(head)) == 0;
}

static int default_place(char out[static PATH_MAX], struct bp_error *err)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	int n;

	/* The XDG specification: a path that is not absolute is to be ignored. */
	if (state != NULL && state[0] == '/')
		n = snprintf(out, PATH_MAX, "%s/borderpath/store.db", state);
	else if (home != NULL && home[0] == '/' && home[1] != '\0')
		n = snprintf(out, PATH_MAX, "%s/.local/state/borderpath/store.db", home);
	else if (geteuid() == 0)
		n = snprintf(out, PATH_MAX, "/var/lib/borderpath/store.db");
	else
		return bp_fail(err, BP_EINVAL,
			       "no place for a store: neither XDG_STATE_HOME nor "
			       "HOME is set; use --store sqlite:FILE");
	return n < PATH_MAX ? 0
			    : bp_fail(err, BP_EINVAL, "the default store: its name is too long");
}

/* A link is another name of one store: what lies beside it (log, spool, lock) has one place. The
 * file behind it need not be there yet. */
static int follow_links(char path[static PATH_MAX], struct bp_error *err)
{
	char target[PATH_MAX], *slash;
	ssize_t n;

	for (unsigned links = 0; (n = readlink(path, target, sizeof(target))) > 0; links++) {
		size_t keep = 0;

		slash = strrchr(path, '/');
		if (target[0] != '/' && slash != NULL)
			keep = (size_t)(slash - path) + 1;
		if (links == LINKS_MAX || keep + (size_t)n >= PATH_MAX)
			return bp_fail(err, BP_EINVAL, "%.60s: links that lead nowhere", path);
		memcpy(path + keep, target, (size_t)n);
		path[keep + (size_t)n] = '\0';
	}
	return 0;
}

int store_place(const char *url, char out[static PATH_MAX], struct bp_error *err)
{
	const char *file = url;
	char path[PATH_MAX];
	int rc;

	if (url == NULL || url[0] == '\0')
		return default_place(out, err);
	if (has_prefix(url, "postgresql:") || has_prefix(url, "postgres:"))
		return bp_fail(err, BP_EUNSUP,
			       "%s: PostgreSQL is not supported by this version; use sqlite:FILE",
			       url);
	if (has_prefix(url, "sqlite:")) {
		file = url + strlen("sqlite:");
		/* sqlite:///var/x as others write it. */
		if (has_prefix(file, "///"))
			file += 2;
	}
	if (file[0] == '\0')
		return bp_fail(err, BP_EINVAL, "%s: names no file", url);
	if (strlen(file) >= PATH_MAX)
		return bp_fail(err, BP_EINVAL, "%.60s...: the name is too long", file);
	memcpy(path, file, strlen(file) + 1);
	rc = follow_links(path, err);
	if (rc == 0)
		memcpy(out, path, strlen(path) + 1);
	return rc;
}

int store_make_directory(const char *file, struct bp_error *err)
{
	char path[PATH_MAX];
	struct stat st;

	if (strlen(file) >= sizeof(path))
		return bp_fail(err, BP_EINVAL, "%.60s...: the name is too long", file);
	memcpy(path, file, strlen(file) + 1);
	for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		/* Asked first: a mkdir on a read-only file system fails for what is there, too. */
		if (stat(path, &st) < 0 && mkdir(path, 0700) < 0 && errno != EEXIST)
			return bp_fail_sys(err, errno, "%s: cannot make the directory", path);
		*slash = '/';
	}
	return 0;
}
