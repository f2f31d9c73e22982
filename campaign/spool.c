// SPDX-License-Identifier: BSD-2-Clause
/*
 * Writes the journals of rounds and moves them from under way to waiting to kept. Everything that
 * the disk refuses goes on in memory, and to disk as soon as that takes it.
 */
#include "campaign/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "campaign/spool_items.h"

/* What is appended, by the room it has. */
enum append { APPEND_RECORD, APPEND_HEAD /* a 16th more */, APPEND_LAST /* always */ };

struct spool_journal {
	struct spool *spool;
	struct item *item;
	int fd;         /* -1: the rest goes to memory */
};

/* --- names ------------------------------------------------------------------------------- */

/* The file under another name, or gone (EXT_NONE). A directory that cannot be written keeps the old
 * name: then the round comes again after a restart, and the store knows it. */
static void set_ext(struct spool *s, struct item *it, uint8_t ext)
{
	char from[ROUND_ID_TEXT + 16], to[ROUND_ID_TEXT + 16];

	if (it->ext == EXT_NONE || it->ext == ext || s->dir < 0)
		return;
	item_name(it, it->ext, from);
	if (ext == EXT_NONE)
		unlinkat(s->dir, from, 0);
	else if (renameat(s->dir, from, s->dir, item_name(it, ext, to)) == 0)
		it->ext = ext;
}

/* Until at most `most` journals are kept. Whether any went. */
static bool drop_kept(struct spool *s, unsigned most)
{
	unsigned kept = 0;
	bool any = false;

	for (uint32_t i = s->count; i > 0; i--) {
		struct item *it = s->items[i - 1];

		if (it->state != ITEM_KEPT || ++kept <= most)
			continue;
		set_ext(s, it, EXT_NONE);
		spool_forget(s, it);
		any = true;
	}
	return any;
}

/* Makes room by giving up the oldest one kept. */
static bool drop_one_kept(struct spool *s)
{
	unsigned kept = 0;

	for (uint32_t i = 0; i < s->count; i++)
		kept += s->items[i]->state == ITEM_KEPT;
	return kept > 0 && drop_kept(s, kept - 1);
}

/* --- the directory --------------------------------------------------------------------------- */

static void make_dirs(const char *path)
{
	char copy[4096];

	if (!text_set(copy, sizeof(copy), path))
		return;
	for (char *at = copy + 1; (at = strchr(at, '/')) != NULL; at++) {
		*at = '\0';
		mkdir(copy, 0700);
		*at = '/';
	}
	mkdir(copy, 0700);
}

static void tell_disk(struct spool *s, int sys)
{
	if (!s->in_memory && sys != 0)
		spool_tell(s, "%s: what is measured is held in memory until this disk takes it",
			   strerror(sys));
	if (s->in_memory && sys == 0)
		spool_tell(s, "takes journals again");
	s->in_memory = sys != 0;
}

/* Tried again with each round while it fails. BP_EAGAIN, BP_ENOMEM; a directory that cannot be used
 * is no failure. */
static int open_dir(struct spool *s, struct bp_error *err)
{
	int dir, rc;

	make_dirs(s->path);
	dir = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0) {
		tell_disk(s, errno);
		return 0;
	}
	/* The directory itself is the lock: it works where nothing can be written. A file system
	 * without locks is left to the lock of the run. */
	if (flock(dir, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
		tell_disk(s, EWOULDBLOCK);
		close(dir);
		return bp_fail(err, BP_EAGAIN, "spool %s: another process has it", s->path);
	}
	s->dir = dir;
	rc = spool_list(s, err);
	drop_kept(s, SPOOL_KEPT);
	return rc;
}

/* --- writing --------------------------------------------------------------------------------- */

static int open_file(struct spool *s, const struct item *it, int flags)
{
	char name[ROUND_ID_TEXT + 16];

	return openat(s->dir, item_name(it, it->ext == EXT_NONE ? EXT_PART : it->ext, name),
		      O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | flags, 0600);
}

/* Behind what the file has. Whole or not at all, as far as the spool knows: a line cut in two is
 * overwritten by the next. Returns errno or 0. */
static int write_file(struct spool *s, struct item *it, int fd, const char *bytes, size_t n)
{
	uint64_t before = spool_blocks(it->file_bytes);
	size_t done = 0;

	while (done < n) {
		ssize_t k = pwrite(fd, bytes + done, n - done, (off_t)(it->file_bytes + done));

		if (k > 0) {
			done += (size_t)k;
			continue;
		}
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0 && (errno == ENOSPC || errno == EDQUOT) && drop_one_kept(s))
			continue;
		k = k < 0 ? errno : EIO;
		if (ftruncate(fd, (off_t)it->file_bytes) < 0)
			return errno;
		return (int)k;
	}
	it->file_bytes += n;
	s->disk_bytes += spool_blocks(it->file_bytes) - before;
	return 0;
}

/* What is in memory, behind what is in the file. Returns errno or 0. */
static int write_memory(struct spool *s, struct item *it, int fd)
{
	int sys = 0;

	if (it->memory.used == 0)
		return 0;
	sys = write_file(s, it, fd, it->memory.bytes, it->memory.used);
	if (sys == 0) {
		s->memory_bytes -= it->memory.used;
		buf_fini(&it->memory);
	}
	return sys;
}

static int make_durable(struct spool *s, struct item *it, int fd)
{
	/* Half a line that the disk took when it refused the rest. */
	if (ftruncate(fd, (off_t)it->file_bytes) < 0 || fsync(fd) < 0)
		return errno;
	set_ext(s, it, EXT_WHOLE);
	return fsync(s->dir) < 0 ? errno : 0;
}

/* Opens the file of an item that has none yet. Returns errno or 0. */
static int make_file(struct spool *s, struct item *it, int *fd)
{
	if (s->dir < 0)
		return ENOENT;
	do {
		*fd = open_file(s, it, O_CREAT | O_EXCL);
	} while (*fd < 0 && errno == ENOSPC && drop_one_kept(s));
	if (*fd < 0)
		return errno;
	it->ext = EXT_PART;
	it->file_bytes = 0;
	return 0;
}

/* A round that waits in memory, to disk. Returns errno or 0. */
static int settle(struct spool *s, struct item *it)
{
	int sys = 0, fd = -1;

	if (it->ext == EXT_NONE)
		sys = make_file(s, it, &fd);
	else if ((fd = open_file(s, it, 0)) < 0)
		sys = errno;
	if (sys == 0)
		sys = write_memory(s, it, fd);
	if (sys == 0)
		sys = make_durable(s, it, fd);
	if (fd >= 0)
		close(fd);
	return sys;
}

/* Whatever waits in memory, as long as the disk takes it. */
static void settle_all(struct spool *s)
{
	if (s->memory_bytes == 0 || s->dir < 0)
		return;
	for (uint32_t i = 0; i < s->count; i++) {
		struct item *it = s->items[i];
		int sys = it->state == ITEM_WAITS && it->memory.used > 0 ? settle(s, it) : 0;

		if (sys != 0) {
			tell_disk(s, sys);
			return;
		}
	}
}

int spool_open(const char *dir, int64_t bytes_max, struct spool **out, struct bp_error *err)
{
	struct spool *s = calloc(1, sizeof(*s));
	int rc;

	if (s == NULL || (s->path = strdup(dir)) == NULL) {
		free(s);
		return bp_fail(err, BP_ENOMEM, "out of memory");
	}
	s->dir = -1;
	s->bytes_max = bytes_max > 0 ? bytes_max : SPOOL_BYTES_DEFAULT;
	buf_init(&s->line);
	buf_init(&s->notes);
	rc = open_dir(s, err);
	if (rc < 0) {
		spool_close(s);
		return rc;
	}
	*out = s;
	return 0;
}

void spool_close(struct spool *s)
{
	if (s == NULL)
		return;
	settle_all(s);
	while (s->count > 0)
		spool_forget(s, s->items[s->count - 1]);
	if (s->dir >= 0)
		close(s->dir);
	free(s->items);
	free(s->path);
	buf_fini(&s->line);
	buf_fini(&s->notes);
	free(s);
}

/* --- a round under way ----------------------------------------------------------------------- */

/* Whether n bytes more fit on disk or in memory. */
static bool fits(struct spool *s, const struct item *it, bool in_memory, size_t n,
		 enum append what)
{
	uint64_t max = in_memory ? (uint64_t)SPOOL_MEMORY_MAX : (uint64_t)s->bytes_max, used;

	max += what == APPEND_HEAD ? max / 16 : 0;
	do {
		used = in_memory ? s->memory_bytes + n
				 : s->disk_bytes - spool_blocks(it->file_bytes) +
					   spool_blocks(it->file_bytes + n);
	} while (used > max && !in_memory && drop_one_kept(s));
	return used <= max || what == APPEND_LAST;
}

/* One line to the file, or to memory where the file refuses. */
static int append(struct spool_journal *j, const char *bytes, size_t n, enum append what,
		  struct bp_error *err)
{
	struct spool *s = j->spool;
	struct item *it = j->item;
	int sys;

	if (j->fd >= 0) {
		if (!fits(s, it, false, n, what))
			goto full;
		sys = write_file(s, it, j->fd, bytes, n);
		if (sys == 0)
			return 0;
		tell_disk(s, sys);
		close(j->fd);
		j->fd = -1;
	}
	if (!fits(s, it, true, n, what))
		goto full;
	buf_append(&it->memory, bytes, n);
	if (it->memory.failed) {
		it->memory.failed = false;
		return bp_fail(err, BP_ENOMEM, "out of memory");
	}
	s->memory_bytes += n;
	return 0;
full:
	if (!s->told_full)
		spool_tell(s, "full: what is measured is not kept until the store takes rounds");
	s->told_full = true;
	return bp_fail(err, BP_ERANGE, "spool %s: full", s->path);
}

/* The head says what is known when a round begins: nothing is done. */
static int write_head(struct spool_journal *j, const struct round *r, struct bp_error *err)
{
	struct round head = *r;

	head.done = head.traces = 0;
	head.missed = head.expected;
	buf_clear(&j->spool->line);
	round_write_json(&j->spool->line, &head);
	if (j->spool->line.failed) {
		buf_fini(&j->spool->line);
		return bp_fail(err, BP_ENOMEM, "out of memory");
	}
	return append(j, j->spool->line.bytes, j->spool->line.used, APPEND_HEAD, err);
}

int spool_begin(struct spool *s, const struct round *r, struct spool_journal **out,
		struct bp_error *err)
{
	struct spool_journal *j;
	struct item *old;
	int rc, sys;

	if (r->id[0] == '\0' || strchr(r->id, '/') != NULL)
		return bp_fail(err, BP_EINVAL, "spool: a round without a name");
	if (s->dir < 0)
		open_dir(s, NULL);
	settle_all(s);
	old = spool_find(s, r->id);
	if (old != NULL && old->state != ITEM_KEPT)
		return bp_fail(err, BP_EINVAL, "spool %s: round %s waits there already", s->path,
			       r->id);
	if (old != NULL) {
		set_ext(s, old, EXT_NONE);
		spool_forget(s, old);
	}
	j = calloc(1, sizeof(*j));
	if (j == NULL || (j->item = spool_add(s, r->id, r->planned)) == NULL) {
		free(j);
		return bp_fail(err, BP_ENOMEM, "out of memory");
	}
	j->spool = s;
	j->item->state = ITEM_OPEN;
	j->item->trusted = true;
	j->fd = -1;
	sys = make_file(s, j->item, &j->fd);
	tell_disk(s, sys);
	rc = write_head(j, r, err);
	if (rc == 0) {
		*out = j;
		return 0;
	}
	if (j->fd >= 0)
		close(j->fd);
	set_ext(s, j->item, EXT_NONE);
	spool_forget(s, j->item);
	free(j);
	return rc;
}

int spool_trace(struct spool_journal *j, const struct trace *t, const struct names *names,
		const struct verdict *v, struct bp_error *err)
{
	struct buf *line = &j->spool->line;
	int rc;

	buf_clear(line);
	jsonl_write_trace(line, t, names, v);
	if (line->failed) {
		buf_fini(line);
		return bp_fail(err, BP_ENOMEM, "out of memory");
	}
	rc = append(j, line->bytes, line->used, APPEND_RECORD, err);
	if (rc == 0)
		j->item->traces++;
	return rc;
}

int spool_object(struct spool_journal *j, const char *json, size_t n, struct bp_error *err)
{
	struct buf *line = &j->spool->line;

	while (n > 0 && (json[n - 1] == '\n' || json[n - 1] == '\r'))
		n--;
	buf_clear(line);
	buf_append(line, json, n);
	buf_char(line, '\n');
	if (line->failed) {
		buf_fini(line);
		return bp_fail(err, BP_ENOMEM, "out of memory");
	}
	return append(j, line->bytes, line->used, APPEND_RECORD, err);
}

void spool_leave(struct spool_journal *j)
{
	if (j == NULL)
		return;
	if (j->fd >= 0)
		close(j->fd);
	free(j);
}

int spool_end(struct spool_journal *j, const struct round *r, struct bp_error *err)
{
	struct spool *s = j->spool;
	struct item *it = j->item;
	uint64_t at = it->file_bytes + it->memory.used;
	struct round last = *r;
	int rc = 0, sys;

	/* A reader would refuse what does not add up: what is not done is missed. */
	if (last.expected < last.done)
		last.expected = last.done;
	last.missed = last.expected - last.done;
	buf_clear(&s->line);
	round_write_json(&s->line, &last);
	if (s->line.failed) {
		buf_fini(&s->line);
		rc = bp_fail(err, BP_ENOMEM, "out of memory");
	} else {
		rc = append(j, s->line.bytes, s->line.used, APPEND_LAST, err);
	}
	if (rc == 0)
		it->last_at = at;
	else
		it->trusted = false;
	it->state = ITEM_WAITS;
	if (j->fd >= 0) {
		sys = make_durable(s, it, j->fd);
		close(j->fd);
	} else {
		sys = settle(s, it);
	}
	tell_disk(s, sys);
	free(j);
	settle_all(s);
	return rc;
}

/* --- what waits ------------------------------------------------------------------------------ */

static void put_aside(struct spool *s, struct item *it, const char *why)
{
	char from[ROUND_ID_TEXT + 16], to[ROUND_ID_TEXT + 16];

	snprintf(to, sizeof(to), "%s.refused", it->id);
	if (s->dir >= 0 && it->ext != EXT_NONE)
		renameat(s->dir, item_name(it, it->ext, from), s->dir, to);
	spool_tell(s, "%s: put aside as %s", why, to);
	spool_forget(s, it);
}

int spool_next(struct spool *s, struct round *r, struct bp_error *err)
{
	int failed = BP_ENOTFOUND;

	settle_all(s);
	for (uint32_t i = 0; i < s->count;) {
		struct item *it = s->items[i];
		int rc = it->state == ITEM_WAITS ? item_round(s, it, r, err) : BP_ENOTFOUND;

		if (rc == 0 || rc == BP_ENOMEM)
			return rc;
		/* One that cannot be read does not stand in the way of the others. */
		if (rc == BP_EPARSE) {
			put_aside(s, it, err->text);
			continue;
		}
		if (rc != BP_ENOTFOUND)
			failed = rc;
		i++;
	}
	return failed;
}

bool spool_newest(const struct spool *s, struct wall *out)
{
	for (uint32_t i = s->count; i > 0; i--) {
		if (s->items[i - 1]->state == ITEM_OPEN)
			continue;
		*out = s->items[i - 1]->planned;
		return true;
	}
	return false;
}

void spool_taken(struct spool *s, const struct round *r)
{
	struct item *it = spool_find(s, r->id);

	if (it == NULL || it->state != ITEM_WAITS)
		return;
	s->told_full = false;
	it->state = ITEM_KEPT;
	set_ext(s, it, EXT_TAKEN);
	/* What no disk took is not held in memory for the sake of a store that has it. */
	if (it->memory.used > 0) {
		set_ext(s, it, EXT_NONE);
		spool_forget(s, it);
	}
	drop_kept(s, SPOOL_KEPT);
}

void spool_refused(struct spool *s, const struct round *r)
{
	struct item *it = spool_find(s, r->id);
	char why[ROUND_ID_TEXT + 64];

	if (it == NULL || it->state != ITEM_WAITS)
		return;
	snprintf(why, sizeof(why), "the store refuses round %s for good", it->id);
	put_aside(s, it, why);
}

void spool_again(struct spool *s)
{
	for (uint32_t i = 0; i < s->count; i++) {
		if (s->items[i]->state != ITEM_KEPT)
			continue;
		s->items[i]->state = ITEM_WAITS;
		s->items[i]->again = true;
		set_ext(s, s->items[i], EXT_WHOLE);
	}
}

bool spool_is_again(const struct spool *s, const struct round *r)
{
	for (uint32_t i = 0; i < s->count; i++) {
		if (strcmp(s->items[i]->id, r->id) == 0)
			return s->items[i]->again;
	}
	return false;
}

void spool_state(const struct spool *s, struct spool_state *out)
{
	*out = (struct spool_state){.bytes = s->disk_bytes + s->memory_bytes,
				    .in_memory = s->in_memory,
				    .ignored = s->ignored,
				    .cut = s->cut,
				    .damaged = s->damaged};
	for (uint32_t i = 0; i < s->count; i++) {
		if (s->items[i]->state == ITEM_KEPT)
			continue;
		out->rounds++;
		out->traces += s->items[i]->traces;
	}
}
