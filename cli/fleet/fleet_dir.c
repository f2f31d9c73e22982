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

#include "campaign/fleet/server_conf.h"
#include "campaign/lock.h"
#include "cli/cli.h"
#include "core/clock.h"
#include "core/whole.h"

/* As long as an answer of the broker's may take, for some who wait. */
#define LOCK_WAIT_NS (60 * NS_PER_S)

/* --- the directory ---------------------------------------------------------------------------- */

const char *fleet_path(const char *dir, const char *name, char out[static PATH_MAX])
{
	/* What does not fit names no file. */
	if (snprintf(out, PATH_MAX, "%s/%s", dir, name) >= PATH_MAX)
		out[0] = '\0';
	return out;
}

int fleet_lock(const char *dir, int *fd, struct bp_error *err)
{
	const struct mono until = mono_add(mono_now(), LOCK_WAIT_NS);
	char path[PATH_MAX];
	int rc;

	/* No lock is left where there is no fleet. */
	if (access(fleet_path(dir, "fleet.json", path), F_OK) < 0)
		return bp_fail_sys(err, errno, "%s", path);
	fleet_path(dir, ".lock", path);
	do
		rc = lock_take(path, fd, err);
	while (rc == BP_EAGAIN && !mono_reached(mono_now(), until));
	return rc;
}

static int write_whole(const char *path, mode_t mode, const struct buf *bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode), sys = 0;
	size_t at = 0;

	if (fd < 0)
		return errno;
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
	if (sys != 0)
		unlink(path);
	return sys;
}

int fleet_write_new(const char *path, mode_t mode, const struct buf *bytes, struct bp_error *err)
{
	char beside[PATH_MAX + 8];
	struct stat st;
	int sys;

	if (bytes->failed)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	if (lstat(path, &st) == 0)
		return bp_fail(err, BP_EINVAL, "%s is there already, and is not overwritten", path);
	snprintf(beside, sizeof(beside), "%s.new", path);
	/* Of one who was killed. */
	unlink(beside);
	sys = write_whole(beside, mode, bytes);
	if (sys == 0 && rename(beside, path) < 0) {
		sys = errno;
		unlink(beside);
	}
	return sys != 0 ? bp_fail_sys(err, sys, "%s", path) : 0;
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

int fleet_read_key(const char *dir, const char *name, char public_key[static NKEY_PUBLIC_TEXT],
		   struct bp_error *err)
{
	char seed[NKEY_SEED_TEXT + 1] = "", path[PATH_MAX], file[BUS_NAME_TEXT + 16];
	FILE *f;
	size_t n;
	int rc;

	snprintf(file, sizeof(file), "keys/%s.nk", name);
	f = fopen(fleet_path(dir, file, path), "re");
	if (f == NULL)
		return bp_fail_sys(err, errno, "%s", path);
	/* No copy stays with the library. */
	setbuf(f, NULL);
	n = fread(seed, 1, sizeof(seed) - 1, f);
	fclose(f);
	seed[n] = '\0';
	seed[strcspn(seed, "\n")] = '\0';
	rc = nkey_public_of(seed, public_key);
	sodium_memzero(seed, sizeof(seed));
	return rc < 0 ? bp_fail(err, BP_EPARSE, "%s: it is no key", path) : 0;
}

static int begin(const char *dir, const char *name, const struct buf *text,
		 struct whole *out, struct bp_error *err)
{
	char path[PATH_MAX];

	if (text->failed)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	return whole_begin(fleet_path(dir, name, path), text->bytes, text->used, out, err);
}

/* The list last: as long as it is the old one, nothing was done, and doing it again writes
 * accounts.conf again. */
int fleet_write_list(const char *dir, const struct roster *r, struct bp_error *err)
{
	struct whole list, accounts;
	struct buf text;
	int rc;

	buf_init(&text);
	roster_put(&text, r);
	rc = begin(dir, "fleet.json", &text, &list, err);
	buf_clear(&text);
	if (rc == 0) {
		server_conf_put_accounts(&text, r);
		rc = begin(dir, "server/accounts.conf", &text, &accounts, err);
		if (rc == 0)
			rc = whole_commit(&accounts, err);
		if (rc < 0)
			whole_drop(&list);
		else
			rc = whole_commit(&list, err);
	}
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

int fleet_dial_check(const struct fleet_dial *d, const char *command)
{
	if (d->server != NULL || d->dir != NULL)
		return 0;
	return cli_usage(command, "no broker is named: --server URL, or --dir DIR of `fleet init`") + 1;
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
	rc = bus_open(&o, false, out, err);
	roster_fini(&r);
	return rc;
}
