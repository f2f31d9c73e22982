// SPDX-License-Identifier: BSD-2-Clause
/* Which store a word means: scheme, file, default place. Opens none. */
#include "campaign/store_place.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "campaign/sqlite_head.h"
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

	if (word == NULL)
		return false;
	if (has_prefix(word, "sqlite:") || has_prefix(word, "postgresql:") ||
	    has_prefix(word, "postgres:"))
		return true;
	return sqlite_head(word, head, sizeof(head)) == (int)sizeof(head) &&
	       memcmp(head, magic, sizeof(head)) == 0;
}

/* Behind "//": user:password@hosts/database?name=value&..., as libpq has it: its password is what
 * is between the first ':' before the last '@' and that '@'. */
static size_t show_authority(const char *at, char *out, size_t size)
{
	size_t end = strcspn(at, "/?"), used = 0, to = 0;
	const char *last = memrchr(at, '@', end), *colon;

	if (last != NULL) {
		to = (size_t)(last - at);
		colon = memchr(at, ':', to);
		used = colon != NULL ? (size_t)(colon - at) : to;
	}
	used = used < size ? used : size;
	memcpy(out, at, used);
	for (size_t i = to; i < end && used < size; i++)
		out[used++] = at[i];
	return used;
}

const char *store_shown(const char *word, char out[static STORE_SHOWN_TEXT])
{
	size_t used = 0, size = STORE_SHOWN_TEXT - 1;
	const char *at = strstr(word, "://");

	if (at == NULL || !has_prefix(word, "postgres")) {
		text_set(out, STORE_SHOWN_TEXT, word);
		return out;
	}
	used = (size_t)(at + 3 - word);
	memcpy(out, word, used);
	used += show_authority(at + 3, out + used, size - used);
	at += 3 + strcspn(at + 3, "/?");
	while (*at != '\0' && used < size) {
		size_t n = 1 + strcspn(at + 1, "?&");

		/* sslpassword too. */
		if ((*at == '?' || *at == '&') && memmem(at, strcspn(at, "="), "password", 8)) {
			at += n;
			continue;
		}
		n = n < size - used ? n : size - used;
		memcpy(out + used, at, n);
		used += n;
		at += n;
	}
	out[used] = '\0';
	return out;
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
	if (has_prefix(url, "postgresql:") || has_prefix(url, "postgres:")) {
		char shown[STORE_SHOWN_TEXT];

		return bp_fail(err, BP_EUNSUP, "%s: here a store is a file; use sqlite:FILE",
			       store_shown(url, shown));
	}
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
