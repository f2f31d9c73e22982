// SPDX-License-Identifier: BSD-2-Clause
/* Search orders. An XDG variable that is not an absolute path is ignored, as its specification
 * asks for. */
#include "geo/places.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buf.h"

/* false: did not fit, so it is no place to look. */
static bool path_of(char out[static PLACES_PATH_MAX], const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static bool path_of(char out[static PLACES_PATH_MAX], const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(out, PLACES_PATH_MAX, fmt, ap);
	va_end(ap);
	return n > 0 && n < PLACES_PATH_MAX;
}

/* The directory of the running program, without a slash at the end. */
static bool program_dir(char out[static PLACES_PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", out, PLACES_PATH_MAX - 1);
	char *slash;

	if (n <= 0 || n >= PLACES_PATH_MAX - 1)
		return false;
	out[n] = '\0';
	slash = strrchr(out, '/');
	if (slash == NULL)
		return false;
	*slash = '\0';
	return true;
}

/* $VARIABLE, or $HOME/fallback. */
static bool xdg_dir(const char *variable, const char *fallback, char out[static PLACES_PATH_MAX])
{
	const char *dir = getenv(variable), *home = getenv("HOME");

	if (dir != NULL && dir[0] == '/')
		return path_of(out, "%s", dir);
	return home != NULL && home[0] == '/' && path_of(out, "%s/%s", home, fallback);
}

/* In a build tree the program lies in build/, build/san/, or with the tests some levels further
 * down: what belongs to the tree is looked for upwards, for a few levels. */
enum { TREE_LEVELS = 6 };

/* Whether dir is the top of a source tree of ours: an installed program must not pick up a folder
 * that happens to be called profiles. */
static bool is_tree(const char *dir)
{
	char path[PLACES_PATH_MAX];

	return path_of(path, "%s/geo/profile.h", dir) && access(path, F_OK) == 0;
}

static bool tree_root(char out[static PLACES_PATH_MAX])
{
	if (!program_dir(out))
		return false;
	for (int i = 0; i < TREE_LEVELS; i++) {
		char *slash;

		if (is_tree(out))
			return true;
		slash = strrchr(out, '/');
		if (slash == NULL || slash == out)
			return false;
		*slash = '\0';
	}
	return false;
}

static bool readable(const char *path)
{
	return access(path, R_OK) == 0;
}

bool places_find_db(enum places_db which, char out[static PLACES_PATH_MAX])
{
	static const char *const ours[] = {
		[PLACES_ASN] = "asn.mmdb", [PLACES_COUNTRY] = "country.mmdb"};
	static const char *const maxmind[] = {[PLACES_ASN] = "GeoLite2-ASN.mmdb",
					      [PLACES_COUNTRY] = "GeoLite2-Country.mmdb"};
	static const char *const system_dirs[] = {"/usr/share/GeoIP", "/var/lib/GeoIP"};
	char base[PLACES_PATH_MAX];

	if (program_dir(base) && path_of(out, "%s/geodata/%s", base, ours[which]) && readable(out))
		return true;
	if (tree_root(base) && path_of(out, "%s/build/geodata/%s", base, ours[which]) &&
	    readable(out))
		return true;
	if (xdg_dir("XDG_DATA_HOME", ".local/share", base) &&
	    path_of(out, "%s/borderpath/%s", base, ours[which]) && readable(out))
		return true;
	if (path_of(out, "/var/lib/borderpath/%s", ours[which]) && readable(out))
		return true;
	for (size_t i = 0; i < sizeof(system_dirs) / sizeof(system_dirs[0]); i++)
		if (path_of(out, "%s/%s", system_dirs[i], maxmind[which]) && readable(out))
			return true;
	out[0] = '\0';
	return false;
}

/* Whether dir/name.yaml is there; remembers where it looked. */
static bool try_profile(const char *dir, const char *name, char out[static PLACES_PATH_MAX],
			struct buf *looked)
{
	buf_printf(looked, "%s%s", looked->used > 0 ? ", " : "", dir);
	return path_of(out, "%s/%s.yaml", dir, name) && access(out, F_OK) == 0;
}

int places_find_profile(const char *name, char out[static PLACES_PATH_MAX], struct bp_error *err)
{
	char base[PLACES_PATH_MAX], dir[PLACES_PATH_MAX], path[PLACES_PATH_MAX];
	struct buf looked;
	bool found = false;
	char *slash;
	int rc = 0;

	if (name[0] == '\0' || strlen(name) > 64 || name[0] == '.')
		return bp_fail(err, BP_EINVAL, "\"%.70s\" is no profile's name", name);
	buf_init(&looked);
	if (tree_root(base) && path_of(dir, "%s/profiles", base))
		found = try_profile(dir, name, path, &looked);
	if (!found && xdg_dir("XDG_CONFIG_HOME", ".config", base) &&
	    path_of(dir, "%s/borderpath/profiles", base))
		found = try_profile(dir, name, path, &looked);
	if (!found)
		found = try_profile(BP_SYSCONFDIR "/borderpath/profiles", name, path, &looked);
	/* Installed under another prefix than it was built for: share lies beside bin anyway. */
	if (!found && program_dir(base) && (slash = strrchr(base, '/')) != NULL) {
		*slash = '\0';
		if (path_of(dir, "%s/share/borderpath/profiles", base))
			found = try_profile(dir, name, path, &looked);
	}
	if (!found)
		found = try_profile(BP_PREFIX "/share/borderpath/profiles", name, path, &looked);
	if (found)
		memcpy(out, path, PLACES_PATH_MAX);
	else
		rc = bp_fail(err, BP_ENOTFOUND, "no profile \"%s\" (looked for %s.yaml in %s)",
			     name, name, looked.bytes != NULL ? looked.bytes : "no place");
	buf_fini(&looked);
	return rc;
}

/* Whether dir is there and ours; made when its parent is ours. */
static bool own_dir(const char *dir)
{
	char parent[PLACES_PATH_MAX];
	struct stat st;
	char *slash;

	if (stat(dir, &st) == 0)
		return S_ISDIR(st.st_mode) && st.st_uid == geteuid();
	if (!path_of(parent, "%s", dir) || (slash = strrchr(parent, '/')) == NULL ||
	    slash == parent)
		return false;
	*slash = '\0';
	return stat(parent, &st) == 0 && st.st_uid == geteuid() && mkdir(dir, 0700) == 0;
}

bool places_cache_dir(char out[static PLACES_PATH_MAX])
{
	char base[PLACES_PATH_MAX];

	return xdg_dir("XDG_CACHE_HOME", ".cache", base) && own_dir(base) &&
	       path_of(out, "%s/borderpath", base) && own_dir(out);
}

bool places_config(enum places_config which, const char *name, char out[static PLACES_PATH_MAX])
{
	char base[PLACES_PATH_MAX];

	if (which == PLACES_SYSTEM)
		return path_of(out, "%s/borderpath/%s", BP_SYSCONFDIR, name);
	return xdg_dir("XDG_CONFIG_HOME", ".config", base) &&
	       path_of(out, "%s/borderpath/%s", base, name);
}
