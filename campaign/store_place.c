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

/* --- what is shown of a URL ------------------------------------------------------------------- */

/* Pieces of scheme://user:password@hosts/database?name=value&..., none of them the password. */
struct url {
	const char *scheme, *user, *hosts, *base, *query;
	int scheme_size, user_size, hosts_size, base_size;
};

static bool only(const char *text, size_t n, const char *more)
{
	for (size_t i = 0; i < n; i++) {
		if (!(text[i] >= '0' && text[i] <= '9') && !(text[i] >= 'a' && text[i] <= 'z') &&
		    !(text[i] >= 'A' && text[i] <= 'Z') &&
		    memchr(more, text[i], strlen(more)) == NULL)
			return false;
	}
	return true;
}

/* host:port, [address]:port, or either half of it. */
static bool is_host(const char *text, size_t n)
{
	const char *end = text + n, *at = text;

	if (n > 0 && *at == '[') {
		at = memchr(at, ']', n);
		if (at == NULL || !only(text + 1, (size_t)(at - text) - 1, ":.%"))
			return false;
		at++;
	} else {
		at = memchr(text, ':', n);
		at = at != NULL ? at : end;
		if (!only(text, (size_t)(at - text), ".%_-"))
			return false;
	}
	if (at == end)
		return true;
	if (*at++ != ':')
		return false;
	return strspn(at, "0123456789") >= (size_t)(end - at);
}

/* As libpq cuts it: who and password end with the first '@', if that stands before any '/'. False:
 * another '@' or a port that is none tells that somebody meant it otherwise, and then a piece of
 * his password is anywhere. */
static bool url_cut(const char *text, struct url *u)
{
	const char *rest = strstr(text, "://"), *colon, *part;
	size_t n;

	if (rest == NULL)
		return false;
	rest += 3;
	*u = (struct url){.scheme = text, .scheme_size = (int)(rest - text)};
	n = strcspn(rest, "@/");
	if (rest[n] == '@') {
		u->user = rest;
		colon = memchr(rest, ':', n);
		u->user_size = (int)(colon != NULL ? (size_t)(colon - rest) : n);
		rest += n + 1;
	}
	u->hosts = rest;
	u->hosts_size = (int)strcspn(rest, "/?");
	u->base = rest + u->hosts_size;
	u->base_size = (int)strcspn(u->base, "?");
	u->query = u->base + u->base_size;
	if (strchr(rest, '@') != NULL ||
	    (u->user != NULL && (!only(u->user, (size_t)u->user_size, ".%_-+$~") ||
				 memmem(u->user, (size_t)u->user_size, "%3", 2) != NULL)) ||
	    (u->base_size > 0 && !only(u->base + 1, (size_t)u->base_size - 1, ".%_-+$~")))
		return false;
	for (part = u->hosts; part < u->base; part += n + 1) {
		n = strcspn(part, ",/?");
		if (!is_host(part, n))
			return false;
	}
	return true;
}

bool store_url_is_clear(const char *url)
{
	struct url u;

	return url_cut(url, &u);
}

/* Names of libpq's that say where, in full: what is written otherwise is not known here. */
static void show_query(const char *at, char *out, size_t size)
{
	static const char *const names[] = {"host=", "hostaddr=", "port=",    "user=",
					    "dbname=", "options=", "sslmode=", NULL};
	char mark = '?';

	while (*at != '\0') {
		size_t n = strcspn(at + 1, "&"), used = strlen(out);
		const char *const *name = names;

		while (*name != NULL && !has_prefix(at + 1, *name))
			name++;
		if (*name != NULL) {
			snprintf(out + used, size - used, "%c%.*s", mark, (int)n, at + 1);
			mark = '&';
		}
		at += n + 1;
	}
}

const char *store_shown(const char *word, char out[static STORE_SHOWN_TEXT])
{
	bool ours = has_prefix(word, "postgres");
	const char *at = strstr(word, "://");
	struct url u;

	if (has_prefix(word, "sqlite:") || (at == NULL && !ours)) {
		text_set(out, STORE_SHOWN_TEXT, word);
	} else if (url_cut(word, &u)) {
		snprintf(out, STORE_SHOWN_TEXT, "%.*s%.*s%s%.*s%.*s", u.scheme_size, u.scheme,
			 u.user_size, u.user != NULL ? u.user : "", u.user != NULL ? "@" : "",
			 u.hosts_size, u.hosts, u.base_size, u.base);
		show_query(u.query, out, STORE_SHOWN_TEXT);
	} else {
		size_t n = at != NULL ? (size_t)(at + 3 - word) : strcspn(word, ":");

		if (at == NULL && word[n] == ':')
			n++;
		snprintf(out, STORE_SHOWN_TEXT, "%.*s%s", (int)n, word, word[n] != '\0' ? "..." : "");
	}
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

/* "mysql:x", which would be a new file else. One that is there may be called so. */
static bool has_scheme(const char *url)
{
	size_t n = strcspn(url, ":");

	if (url[n] == '\0' || n == 0 || !only(url, n, "+-."))
		return false;
	return has_prefix(url + n, "://") || access(url, F_OK) < 0;
}

int store_place(const char *url, char out[static PATH_MAX], struct bp_error *err)
{
	char path[PATH_MAX], shown[STORE_SHOWN_TEXT];
	const char *file = url;
	int rc;

	if (url == NULL || url[0] == '\0')
		return default_place(out, err);
	if (has_prefix(url, "postgresql:") || has_prefix(url, "postgres:"))
		return bp_fail(err, BP_EUNSUP, "%s: here a store is a file; use sqlite:FILE",
			       store_shown(url, shown));
	if (!has_prefix(url, "sqlite:") && has_scheme(url))
		return bp_fail(err, BP_EINVAL, "%s: there is no such kind of store, only sqlite:FILE and "
			       "postgresql://USER@HOST/DATABASE (a file whose name has a colon: ./a:b)",
			       store_shown(url, shown));
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
