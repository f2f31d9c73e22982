// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reads journals: those that an earlier run left, cut anywhere by a crash, and those that wait.
 * Believes nothing of a directory but what parses: files of others are left alone and told, half a
 * line at the end is dropped and counted, a damaged line is passed over and counted as missed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "campaign/spool_items.h"

enum { PIECE = 64 << 10, LINE_MAX_BYTES = 64 << 20 };

/* --- lines ----------------------------------------------------------------------------------- */

/* The lines of an item from the first on, in a buffer of its own so that one has no bound but
 * LINE_MAX_BYTES. */
struct lines {
	const struct item *item;
	int fd;               /* -1: nothing in the file, or not readable */
	int sys;              /* errno: the file cannot be read; the lines end there */
	uint64_t at;          /* of the next line */
	uint64_t read;        /* file bytes in text so far */
	struct buf text;
	size_t text_at;
};

static void lines_open(struct lines *l, const struct spool *s, const struct item *it)
{
	char name[ROUND_ID_TEXT + 16];

	*l = (struct lines){.item = it, .fd = -1};
	buf_init(&l->text);
	if (it->ext == EXT_NONE || it->file_bytes == 0)
		return;
	l->fd = openat(s->dir, item_name(it, it->ext, name),
		       O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (l->fd < 0)
		l->sys = errno;
}

static void lines_close(struct lines *l)
{
	if (l->fd >= 0)
		close(l->fd);
	buf_fini(&l->text);
}

/* More of the file into text. False: there is no more. */
static bool read_piece(struct lines *l)
{
	uint64_t left = l->item->file_bytes - l->read;
	char *room;
	ssize_t k;

	if (l->fd < 0 || left == 0 || l->text.used - l->text_at > LINE_MAX_BYTES)
		return false;
	buf_consume(&l->text, l->text_at);
	l->text_at = 0;
	room = buf_room(&l->text, PIECE);
	if (room == NULL) {
		l->sys = ENOMEM;
		return false;
	}
	do {
		k = pread(l->fd, room, left < PIECE ? (size_t)left : PIECE, (off_t)l->read);
	} while (k < 0 && errno == EINTR);
	if (k <= 0) {
		/* Shorter than it was: somebody cut it meanwhile. */
		l->sys = k < 0 ? errno : EIO;
		return false;
	}
	buf_wrote(&l->text, room + k);
	l->read += (uint64_t)k;
	return true;
}

static bool memory_line(struct lines *l, const char **line, size_t *n)
{
	const struct buf *m = &l->item->memory;
	uint64_t at = l->at - l->item->file_bytes;
	const char *end;

	if (at >= m->used)
		return false;
	end = memchr(m->bytes + at, '\n', m->used - (size_t)at);
	if (end == NULL)
		return false;
	*line = m->bytes + at;
	*n = (size_t)(end - *line);
	l->at += *n + 1;
	return true;
}

/* Without its newline, valid until the next. */
static bool lines_next(struct lines *l, const char **line, size_t *n)
{
	const char *from, *end;
	size_t looked = 0;

	if (l->sys != 0)
		return false;
	if (l->at >= l->item->file_bytes)
		return memory_line(l, line, n);
	for (;;) {
		from = l->text.bytes == NULL ? "" : l->text.bytes + l->text_at;
		end = l->text.used - l->text_at > looked
			      ? memchr(from + looked, '\n', l->text.used - l->text_at - looked)
			      : NULL;
		if (end != NULL)
			break;
		looked = l->text.used - l->text_at;
		if (!read_piece(l)) {
			if (l->sys == 0)
				l->sys = EIO;
			return false;
		}
	}
	*line = from;
	*n = (size_t)(end - from);
	l->text_at += *n + 1;
	l->at += *n + 1;
	return true;
}

/* --- the directory --------------------------------------------------------------------------- */

/* ROUND-ID and one of our endings; what round_set_id writes, nothing else. */
static uint8_t parse_name(const char *name, char id[static ROUND_ID_TEXT])
{
	static const struct word exts[] = {{".part", EXT_PART},
					   {".jsonl", EXT_WHOLE},
					   {".taken", EXT_TAKEN},
					   {NULL, 0}};
	const char *dot = strrchr(name, '.');
	size_t n = dot == NULL ? 0 : (size_t)(dot - name);
	int ext;

	if (n == 0 || n >= ROUND_ID_TEXT || word_value(exts, dot, &ext) < 0 ||
	    strspn(name, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._-") !=
		    strlen(name))
		return EXT_NONE;
	memcpy(id, name, n);
	id[n] = '\0';
	return (uint8_t)ext;
}

/* A plain file of somebody we may believe, with its size. */
static bool is_ours(const struct spool *s, const char *name, uint64_t *size)
{
	struct stat st, dir;

	if (fstatat(s->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || fstat(s->dir, &dir) < 0 ||
	    !S_ISREG(st.st_mode) || st.st_size < 0)
		return false;
	*size = (uint64_t)st.st_size;
	return st.st_uid == geteuid() || st.st_uid == dir.st_uid || st.st_uid == 0;
}

static const char ROUND_BEGINS[] = "{\"type\":\"round\"", TRACE_BEGINS[] = "{\"type\":\"trace\"";

static bool begins(const char *line, size_t n, const char *with)
{
	return n >= strlen(with) && memcmp(line, with, strlen(with)) == 0;
}

/* A line that is a round with this name. */
static bool round_line(const char *line, size_t n, const char *id, struct round *r)
{
	struct record rec;
	bool ok;

	if (!begins(line, n, ROUND_BEGINS))
		return false;
	record_init(&rec);
	ok = jsonl_read(line, n, &rec, NULL) == 0 && round_read(&rec, r, NULL) == 0 &&
	     strcmp(r->id, id) == 0;
	record_fini(&rec);
	return ok;
}

/* A file that ends within its first line: the head of a journal, cut. */
static bool is_cut_head(const struct item *it, const struct lines *l)
{
	size_t n = l->text.used < strlen(ROUND_BEGINS) ? l->text.used : strlen(ROUND_BEGINS);

	return it->ext == EXT_PART && l->read == it->file_bytes &&
	       (n == 0 || memcmp(l->text.bytes, ROUND_BEGINS, n) == 0);
}

/* Counts the lines of a file of `size` bytes, and finds the last whole one. False: no journal, for
 * its first line is not its round. */
static bool look_over(struct spool *s, struct item *it, uint64_t size, struct round *head)
{
	struct lines l;
	struct round last;
	const char *line;
	uint64_t good = 0;
	bool ok = false;
	size_t n;

	it->file_bytes = size;
	lines_open(&l, s, it);
	while (lines_next(&l, &line, &n)) {
		if (good == 0) {
			ok = round_line(line, n, it->id, head);
			if (!ok)
				break;
		} else if (round_line(line, n, it->id, &last)) {
			it->last_at = good;
		} else if (begins(line, n, TRACE_BEGINS)) {
			it->traces++;
		}
		good = l.at;
	}
	if (l.at == 0)
		ok = is_cut_head(it, &l);
	lines_close(&l);
	it->file_bytes = good;
	return ok;
}

/* What it->ext and id say is in the directory. BP_ENOMEM. */
static int take_file(struct spool *s, const char *name, const struct item *named, uint64_t size)
{
	struct item seen = *named, *it;
	struct round head = {0};

	if (!look_over(s, &seen, size, &head)) {
		s->ignored++;
		spool_tell(s, "%s is no journal of a round: left alone", name);
		return 0;
	}
	if (seen.file_bytes < size) {
		s->cut++;
		spool_tell(s, "%s ends in the middle of a line: a crash cut it, that line is lost",
			   name);
	}
	if (seen.file_bytes == 0) {
		/* Not even its head: nothing was measured yet. */
		unlinkat(s->dir, name, 0);
		return 0;
	}
	it = spool_add(s, seen.id, head.planned);
	if (it == NULL)
		return BP_ENOMEM;
	it->state = seen.ext == EXT_TAKEN ? ITEM_KEPT : ITEM_WAITS;
	it->ext = seen.ext;
	it->file_bytes = seen.file_bytes;
	it->last_at = seen.last_at;
	it->traces = seen.traces;
	s->disk_bytes += spool_blocks(it->file_bytes);
	return 0;
}

int spool_list(struct spool *s, struct bp_error *err)
{
	int fd = openat(s->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;

	if (d == NULL) {
		if (fd >= 0)
			close(fd);
		spool_tell(s, "cannot be listed: %s", strerror(errno));
		return 0;
	}
	while (rc == 0 && (e = readdir(d)) != NULL) {
		struct item named = {0};
		uint64_t size;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		named.ext = parse_name(e->d_name, named.id);
		if (named.ext == EXT_NONE || !is_ours(s, e->d_name, &size) ||
		    spool_find(s, named.id) != NULL) {
			s->ignored++;
			spool_tell(s, "%s is not ours: left alone", e->d_name);
			continue;
		}
		rc = take_file(s, e->d_name, &named, size);
	}
	closedir(d);
	return rc == 0 ? 0 : bp_fail(err, BP_ENOMEM, "out of memory");
}

/* --- rounds ---------------------------------------------------------------------------------- */

/* What the lines of a journal really hold. */
struct tally {
	uint64_t traces, measured, sent, received, damaged;
	struct wall end;
};

/* The flows that a multipath search traced share the number of their target: 4711.0, 4711.1 ... */
static bool is_one_of_several(const struct trace *t)
{
	const char *number = strrchr(t->id, '-');

	return number != NULL && strchr(number, '.') != NULL;
}

/* Whether the trace is a measurement by itself, and went to its end. */
static bool is_measured(const struct trace *t)
{
	return !is_one_of_several(t) && t->stop != STOP_INTERRUPTED && t->stop != STOP_ERROR &&
	       t->stop != STOP_TIMEOUT;
}

static void tally_line(struct tally *c, const char *line, size_t n)
{
	struct record rec;

	record_init(&rec);
	if (jsonl_read(line, n, &rec, NULL) < 0) {
		c->damaged++;
	} else if (rec.kind == RECORD_TRACE) {
		c->traces++;
		c->measured += is_measured(rec.trace);
		c->sent += rec.trace->sent > 0 ? (uint64_t)rec.trace->sent : 0;
		c->received += rec.trace->received > 0 ? (uint64_t)rec.trace->received : 0;
		if (rec.trace->end.ns > c->end.ns)
			c->end = rec.trace->end;
	} else if (rec.kind == RECORD_PATHS && strstr(rec.line, "\"level\":") != NULL) {
		c->measured++;
	}
	record_fini(&rec);
}

/* A journal of an earlier run: what it says of itself, corrected by what it has. */
static void correct(struct spool *s, struct item *it, const struct tally *c, struct round *r)
{
	uint64_t done = c->measured < r->expected ? c->measured : r->expected;

	s->damaged += c->damaged;
	if (it->last_at == 0) {
		r->end = c->end;
		r->sent = c->sent;
		r->received = c->received;
		r->why = ROUND_WHY_DOWN;
	} else if (c->damaged > 0 && r->why == ROUND_WHY_NONE) {
		r->why = ROUND_WHY_SPOOL;
	}
	if (it->last_at == 0 || (c->damaged > 0 && done < r->done)) {
		r->done = (uint32_t)done;
		r->missed = r->expected - r->done;
	}
	r->traces = (uint32_t)c->traces;
	if (r->missed == 0)
		r->why = ROUND_WHY_NONE;
	if (c->damaged > 0)
		snprintf(r->note, sizeof(r->note), "%llu lines of its journal are damaged",
			 (unsigned long long)c->damaged);
}

int item_round(struct spool *s, struct item *it, struct round *r, struct bp_error *err)
{
	struct lines l;
	struct tally c = {0};
	struct round found;
	const char *line;
	uint64_t at = 0;
	bool known = false;
	size_t n;
	int rc = 0;

	lines_open(&l, s, it);
	while (lines_next(&l, &line, &n)) {
		if (at == it->last_at || at == 0)
			known = round_line(line, n, it->id, &found);
		else if (!it->trusted)
			tally_line(&c, line, n);
		at = l.at;
	}
	if (l.sys != 0)
		rc = bp_fail(err, l.sys == ENOMEM ? BP_ENOMEM : BP_EIO,
			     "spool %s: the journal of round %s: %s", s->path, it->id,
			     strerror(l.sys));
	else if (!known)
		rc = bp_fail(err, BP_EPARSE, "the journal of round %s is damaged", it->id);
	lines_close(&l);
	if (rc < 0)
		return rc;
	if (!it->trusted || it->last_at == 0)
		correct(s, it, &c, &found);
	*r = found;
	return 0;
}

int spool_read(struct spool *s, const struct round *r,
	       int (*on_record)(void *arg, struct record *rec, struct bp_error *err), void *arg,
	       struct bp_error *err)
{
	const struct item *it = spool_find(s, r->id);
	struct lines l;
	struct record rec;
	const char *line;
	size_t n;
	int rc = 0;

	if (it == NULL)
		return bp_fail(err, BP_ENOTFOUND, "spool %s: no round %s", s->path, r->id);
	lines_open(&l, s, it);
	while (rc == 0 && lines_next(&l, &line, &n)) {
		record_init(&rec);
		rc = jsonl_read(line, n, &rec, err);
		if (rc == 0 && rec.kind != RECORD_ROUND)
			rc = on_record(arg, &rec, err);
		else if (rc != BP_ENOMEM)
			rc = 0; /* the round itself, or damaged: it is counted as missed */
		record_fini(&rec);
	}
	if (rc == 0 && l.sys != 0)
		rc = bp_fail_sys(err, l.sys, "spool %s: the journal of round %s", s->path, r->id);
	lines_close(&l);
	return rc;
}
