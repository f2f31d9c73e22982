// SPDX-License-Identifier: BSD-2-Clause
/* A message is written under another name and gets its own behind fsync: what is there is whole. */
#include "campaign/outbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "campaign/store_place.h"
#include "core/text.h"

enum { MESSAGE_MAX = 1 << 20, NAME_TEXT = OUTBOX_HOOK_TEXT + OUTBOX_ID_TEXT + 32 };

static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
static const char id_letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";

static bool is_word(const char *text, const char *of, size_t size)
{
	size_t n = strlen(text);

	return n > 0 && n < size && strspn(text, of) == n;
}

static void name_of(const struct outbox_item *it, char out[static NAME_TEXT])
{
	snprintf(out, NAME_TEXT, "%s-%020llu-%s.json", it->hook, (unsigned long long)it->number,
		 it->id);
}

/* --- what lies there -------------------------------------------------------------------------- */

static bool parse_name(const char *name, struct outbox_item *out)
{
	const char *dash = strchr(name, '-');
	size_t n = strlen(name), hook = dash != NULL ? (size_t)(dash - name) : 0;
	char digits[21], own[NAME_TEXT];

	if (dash == NULL || hook >= sizeof(out->hook) || n < hook + 1 + 20 + 1 + 1 + 5 ||
	    n - hook - 27 >= sizeof(out->id))
		return false;
	memset(out, 0, sizeof(*out));
	memcpy(out->hook, name, hook);
	memcpy(digits, dash + 1, 20);
	digits[20] = '\0';
	memcpy(out->id, dash + 22, n - hook - 27);
	if (text_to_u64(digits, 0, INT64_MAX, &out->number) < 0 ||
	    !is_word(out->hook, letters, sizeof(out->hook)) ||
	    !is_word(out->id, id_letters, sizeof(out->id)))
		return false;
	name_of(out, own);
	return strcmp(own, name) == 0;
}

static int keep(struct outbox *o, const struct outbox_item *it)
{
	if (o->count == o->room) {
		unsigned room = o->room > 0 ? 2 * o->room : 16;
		struct outbox_item *more = reallocarray(o->items, room, sizeof(*more));

		if (more == NULL)
			return BP_ENOMEM;
		o->items = more;
		o->room = room;
	}
	o->items[o->count++] = *it;
	if (o->number <= it->number)
		o->number = it->number + 1;
	return 0;
}

static int by_number(const void *a, const void *b)
{
	const struct outbox_item *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

static int read_directory(struct outbox *o, struct bp_error *err)
{
	int fd = dup(o->dir), rc = 0;
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;

	if (dir == NULL) {
		rc = bp_fail_sys(err, errno, "cannot read %s", o->path);
		if (fd >= 0)
			close(fd);
		return rc;
	}
	while (rc == 0 && (e = readdir(dir)) != NULL) {
		struct outbox_item it;
		struct stat st;

		/* Half a message, of a process that was killed: it was not counted on. */
		if (strcmp(e->d_name, "part") == 0)
			unlinkat(o->dir, e->d_name, 0);
		if (!parse_name(e->d_name, &it) ||
		    fstatat(o->dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		it.since.ns = st.st_mtim.tv_sec * NS_PER_S + st.st_mtim.tv_nsec;
		rc = keep(o, &it);
	}
	closedir(dir);
	if (rc < 0)
		return bp_fail(err, rc, "out of memory");
	if (o->count > 0)
		qsort(o->items, o->count, sizeof(o->items[0]), by_number);
	return 0;
}

/* --- what was told ---------------------------------------------------------------------------- */

static void remember(struct outbox *o, const char *id)
{
	text_set(o->told[o->told_count++ % OUTBOX_TOLD], OUTBOX_ID_TEXT, id);
}

/* A last line without a newline was being written when somebody died: it was not counted on. */
static int read_told(struct outbox *o, struct bp_error *err)
{
	char line[OUTBOX_ID_TEXT + 2];
	int fd;
	FILE *f;

	o->told_file = openat(o->dir, "told", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (o->told_file < 0)
		return bp_fail_sys(err, errno, "cannot open %s/told", o->path);
	fd = dup(o->told_file);
	f = fd >= 0 ? fdopen(fd, "r") : NULL;
	if (f == NULL) {
		if (fd >= 0)
			close(fd);
		return bp_fail_sys(err, errno, "cannot read %s/told", o->path);
	}
	rewind(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		size_t n = strcspn(line, "\n");
		bool whole = line[n] == '\n';

		line[n] = '\0';
		o->told_lines++;
		if (whole && is_word(line, id_letters, OUTBOX_ID_TEXT))
			remember(o, line);
	}
	fclose(f);
	return 0;
}

bool outbox_was_told(const struct outbox *o, const char *id)
{
	uint64_t n = o->told_count < OUTBOX_TOLD ? o->told_count : OUTBOX_TOLD;

	for (uint64_t i = 0; i < n; i++) {
		if (strcmp(o->told[i], id) == 0)
			return true;
	}
	return false;
}

static bool write_all(int fd, const void *bytes, size_t n)
{
	const char *at = bytes;

	while (n > 0) {
		ssize_t did = write(fd, at, n);

		if (did < 0 && errno == EINTR)
			continue;
		if (did <= 0)
			return false;
		at += did;
		n -= (size_t)did;
	}
	return true;
}

/* The file has twice what is remembered: the ring alone takes its place. */
static int rewrite_told(struct outbox *o, struct bp_error *err)
{
	uint64_t n = o->told_count < OUTBOX_TOLD ? o->told_count : OUTBOX_TOLD;
	struct buf text;
	bool ok;
	int fd;

	buf_init(&text);
	for (uint64_t i = o->told_count - n; i < o->told_count; i++)
		buf_printf(&text, "%s\n", o->told[i % OUTBOX_TOLD]);
	fd = openat(o->dir, "part", O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	ok = fd >= 0 && !text.failed && write_all(fd, text.bytes, text.used) && fsync(fd) == 0 &&
	     renameat(o->dir, "part", o->dir, "told") == 0 && fsync(o->dir) == 0;
	buf_fini(&text);
	if (!ok) {
		int rc = bp_fail_sys(err, errno, "cannot write %s/told", o->path);

		if (fd >= 0)
			close(fd);
		return rc;
	}
	close(o->told_file);
	o->told_file = fd;
	o->told_lines = (unsigned)n;
	return 0;
}

int outbox_tell(struct outbox *o, const char *id, struct bp_error *err)
{
	char line[OUTBOX_ID_TEXT + 2];
	int n = snprintf(line, sizeof(line), "%s\n", id);

	if (!is_word(id, id_letters, OUTBOX_ID_TEXT))
		return bp_fail(err, BP_EINVAL, "'%s' is no id", id);
	if (!write_all(o->told_file, line, (size_t)n) || fsync(o->told_file) < 0)
		return bp_fail_sys(err, errno, "cannot write %s/told", o->path);
	remember(o, id);
	return ++o->told_lines >= 2 * OUTBOX_TOLD ? rewrite_told(o, err) : 0;
}

/* --- messages --------------------------------------------------------------------------------- */

int outbox_open(struct outbox *o, const char *path, struct bp_error *err)
{
	char inside[4096];
	int rc;

	memset(o, 0, sizeof(*o));
	o->dir = o->told_file = -1;
	text_set(o->path, sizeof(o->path), path);
	snprintf(inside, sizeof(inside), "%s/told", path);
	rc = store_make_directory(inside, err);
	if (rc < 0)
		return rc;
	o->told = calloc(OUTBOX_TOLD, sizeof(*o->told));
	if (o->told == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	o->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = o->dir < 0 ? bp_fail_sys(err, errno, "cannot open %s", path) : read_told(o, err);
	if (rc == 0)
		rc = read_directory(o, err);
	if (rc < 0)
		outbox_close(o);
	return rc;
}

void outbox_close(struct outbox *o)
{
	if (o->dir >= 0)
		close(o->dir);
	if (o->told_file >= 0)
		close(o->told_file);
	free(o->items);
	free(o->told);
	memset(o, 0, sizeof(*o));
	o->dir = o->told_file = -1;
}

static bool write_message(const struct outbox *o, const char *name, const void *bytes, size_t n)
{
	int fd = openat(o->dir, "part", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), sys;
	bool ok = fd >= 0 && write_all(fd, bytes, n) && fsync(fd) == 0 &&
		  renameat(o->dir, "part", o->dir, name) == 0 && fsync(o->dir) == 0;

	sys = errno;
	if (fd >= 0)
		close(fd);
	if (!ok)
		unlinkat(o->dir, "part", 0);
	errno = sys;
	return ok;
}

int outbox_put(struct outbox *o, const char *hook, const char *id, const void *bytes, size_t n,
	       struct bp_error *err)
{
	struct outbox_item it = {.number = o->number, .since = wall_now()};
	char name[NAME_TEXT];
	int rc;

	if (!is_word(hook, letters, sizeof(it.hook)) || !is_word(id, id_letters, sizeof(it.id)))
		return bp_fail(err, BP_EINVAL, "'%s' for '%s' is no message", id, hook);
	if (o->count >= OUTBOX_MAX)
		return bp_fail(err, BP_EAGAIN, "%s is full: %u messages wait", o->path, o->count);
	text_set(it.hook, sizeof(it.hook), hook);
	text_set(it.id, sizeof(it.id), id);
	name_of(&it, name);
	if (!write_message(o, name, bytes, n))
		return bp_fail_sys(err, errno, "cannot write %s/%s", o->path, name);
	rc = keep(o, &it);
	return rc < 0 ? bp_fail(err, rc, "out of memory") : 0;
}

const struct outbox_item *outbox_first(const struct outbox *o, const char *hook)
{
	for (unsigned i = 0; i < o->count; i++) {
		if (strcmp(o->items[i].hook, hook) == 0)
			return &o->items[i];
	}
	return NULL;
}

unsigned outbox_waiting(const struct outbox *o, const char *hook)
{
	unsigned n = 0;

	for (unsigned i = 0; i < o->count; i++)
		n += strcmp(o->items[i].hook, hook) == 0;
	return n;
}

int outbox_file(const struct outbox *o, const struct outbox_item *it)
{
	char name[NAME_TEXT];
	int fd;

	name_of(it, name);
	fd = openat(o->dir, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? BP_ENOTFOUND : BP_EIO;
	return fd;
}

int outbox_read(const struct outbox *o, const struct outbox_item *it, struct buf *out)
{
	int fd = outbox_file(o, it);
	ssize_t n = 1;

	if (fd < 0)
		return fd;
	while (n > 0 && out->used < MESSAGE_MAX) {
		char *room = buf_room(out, 4096);

		n = room != NULL ? read(fd, room, 4096) : -1;
		if (n > 0)
			buf_wrote(out, room + n);
	}
	close(fd);
	return n == 0 && !out->failed ? 0 : BP_EIO;
}

void outbox_done(struct outbox *o, const struct outbox_item *it)
{
	unsigned i = (unsigned)(it - o->items);
	char name[NAME_TEXT];

	name_of(it, name);
	unlinkat(o->dir, name, 0);
	memmove(&o->items[i], &o->items[i + 1], (o->count - i - 1) * sizeof(o->items[0]));
	o->count--;
}
