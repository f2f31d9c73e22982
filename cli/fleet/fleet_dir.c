// SPDX-License-Identifier: BSD-2-Clause
/* The directory that `fleet init` makes: its files, and how the broker is dialled from it. */
#include "cli/fleet/fleet.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- the directory ---------------------------------------------------------------------------- */

const char *fleet_path(const char *dir, const char *name, char out[static PATH_MAX])
{
	/* What does not fit names no file. */
	if (snprintf(out, PATH_MAX, "%s/%s", dir, name) >= PATH_MAX)
		out[0] = '\0';
	return out;
}

int fleet_write_new(const char *path, mode_t mode, const struct buf *bytes, struct bp_error *err)
{
	size_t at = 0;
	int fd, sys = 0;

	if (bytes->failed)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0 && errno == EEXIST)
		return bp_fail(err, BP_EINVAL, "%s is there already, and is not overwritten", path);
	if (fd < 0)
		return bp_fail_sys(err, errno, "%s", path);
	/* Whatever the umask is. */
	if (fchmod(fd, mode) < 0)
		sys = errno;
	while (sys == 0 && at < bytes->used) {
		ssize_t n = write(fd, bytes->bytes + at, bytes->used - at);

		if (n < 0 && errno != EINTR)
			sys = errno;
		at += n > 0 ? (size_t)n : 0;
	}
	if (sys == 0 && fsync(fd) < 0)
		sys = errno;
	if (close(fd) < 0 && sys == 0)
		sys = errno;
	if (sys == 0)
		return 0;
	unlink(path);
	return bp_fail_sys(err, sys, "%s", path);
}

int fleet_make_key(const char *dir, const char *name, char public_key[static NKEY_PUBLIC_TEXT],
		   struct bp_error *err)
{
	char seed[NKEY_SEED_TEXT], path[PATH_MAX], file[BUS_NAME_TEXT + 16];
	struct buf text;
	int rc;

	buf_init(&text);
	nkey_make(seed, public_key);
	buf_printf(&text, "%s\n", seed);
	snprintf(file, sizeof(file), "keys/%s.nk", name);
	rc = fleet_write_new(fleet_path(dir, file, path), FLEET_SECRET_MODE, &text, err);
	sodium_memzero(seed, sizeof(seed));
	if (text.bytes != NULL)
		sodium_memzero(text.bytes, text.used);
	buf_fini(&text);
	return rc;
}

/* --- the broker ------------------------------------------------------------------------------- */

bool fleet_dial_take(struct fleet_dial *d, int opt, char *arg)
{
	switch (opt) {
	case OPT_SERVER:
		d->server = arg;
		return true;
	case OPT_NKEY:
		d->nkey = arg;
		return true;
	case OPT_CA:
		d->ca = arg;
		return true;
	case 'd':
		d->dir = arg;
		return true;
	default:
		return false;
	}
}

int fleet_dial_open(const struct fleet_dial *d, const char *role, struct bus **out,
		    struct bp_error *err)
{
	char nkey[PATH_MAX], ca[PATH_MAX], path[PATH_MAX], file[64], name[64];
	struct roster r = {0};
	struct bus_options o = {.url = d->server, .nkey_file = d->nkey, .ca_file = d->ca,
				.name = name, .inbox = role};
	int rc = 0;

	snprintf(name, sizeof(name), "borderpath %s", role);
	if (d->dir != NULL)
		rc = roster_load(fleet_path(d->dir, "fleet.json", path), &r, err);
	if (rc < 0)
		return rc;
	if (d->dir != NULL) {
		snprintf(file, sizeof(file), "keys/%s.nk", role);
		o.url = d->server != NULL ? d->server : r.server;
		if (d->nkey == NULL)
			o.nkey_file = fleet_path(d->dir, file, nkey);
		if (d->ca == NULL && r.tls)
			o.ca_file = fleet_path(d->dir, "ca.pem", ca);
	}
	rc = o.url == NULL ? bp_fail(err, BP_EINVAL, "no broker is named: --server URL, or --dir DIR of "
				     "`fleet init`")
			   : bus_open(&o, false, out, err);
	roster_fini(&r);
	return rc;
}
