// SPDX-License-Identifier: BSD-2-Clause
/*
 * Streams of records: the table of formats, detection by content, lines in bounded memory, and the
 * counting of what had to be skipped. Knows no format's inside, except enough of other people's
 * to say what a file is that we cannot read.
 */
#include "core/record/format.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct format *const formats[] = {
	&jsonl_format,
	&traceroute_text_format,
	&atlas_format,
	&scamper_format,
	&warts_format,
	&mtr_format,
	&csv_format,
	&csv_hops_format,
	&csv_rounds_format,
	NULL,
};

const struct format *format_find(const char *name)
{
	for (const struct format *const *f = formats; *f != NULL; f++) {
		if (strcmp((*f)->name, name) == 0)
			return *f;
	}
	return NULL;
}

void record_reader_init(struct record_reader *r, FILE *file, const char *name,
			const struct format *format)
{
	memset(r, 0, sizeof(*r));
	r->format = format;
	r->file = file;
	text_set(r->name, sizeof(r->name), name);
	buf_init(&r->head);
	buf_init(&r->text);
}

void record_reader_fini(struct record_reader *r)
{
	if (r->format != NULL && r->format->fini != NULL && r->state != NULL)
		r->format->fini(r);
	buf_fini(&r->head);
	buf_fini(&r->text);
	free(r->block);
	r->block = NULL;
	r->at = r->end = r->rest = r->rest_end = NULL;
	r->state = NULL;
}

/* Detection looks at this much at most. A live stream must not wait for it: reading stops at the
 * first line that settles the question. */
enum { HEAD_MAX = 64 << 10, HEAD_LINES = 200, SURE = 90, ENOUGH = 30 };

/* What a file is that none of our formats claims. */
static const struct {
	const char *magic;
	size_t n;
	const char *what;
} foreign[] = {
	{"\x1f\x8b", 2, "gzip-compressed data: unpack it first"},
	{"\x28\xb5\x2f\xfd", 4, "zstd-compressed data: unpack it first"},
	{"\xfd"
	 "7zXZ",
	 5, "xz-compressed data: unpack it first"},
	{"BZh", 3, "bzip2-compressed data: unpack it first"},
	{"PK\x03\x04", 4, "a zip archive: unpack it first"},
	{"\xff\xfe", 2, "UTF-16 text: save it as UTF-8"},
	{"\xfe\xff", 2, "UTF-16 text: save it as UTF-8"},
	{"\xd4\xc3\xb2\xa1", 4, "a packet capture (pcap)"},
	{"\xa1\xb2\xc3\xd4", 4, "a packet capture (pcap)"},
	{"\x4d\x3c\xb2\xa1", 4, "a packet capture (pcap)"},
	{"\xa1\xb2\x3c\x4d", 4, "a packet capture (pcap)"},
	{"\x0a\x0d\x0d\x0a", 4, "a packet capture (pcapng)"},
	{"SQLite format 3", 16, "an SQLite database"},
	{"\x7f"
	 "ELF",
	 4, "a program"},
	{"%PDF", 4, "a PDF document"},
};

/* Words that tell text formats apart, looked for in the head; the first that is there decides. */
static const struct {
	char first;
	const char *word;
	const char *what;
} foreign_text[] = {
	{'{', "", "JSON of another program"}, {'[', "", "JSON of another program"},
	{'<', "", "HTML or XML"},             {0, "Loss%", "an mtr report: mtr --json is read"},
	{0, "loss%", "an mtr report: mtr --json is read"},
};

static bool has(const struct buf *head, const char *word)
{
	return word[0] == '\0' || memmem(head->bytes, head->used, word, strlen(word)) != NULL;
}

static const char *seems(const struct buf *head)
{
	size_t at = 0;

	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		if (head->used >= foreign[i].n &&
		    memcmp(head->bytes, foreign[i].magic, foreign[i].n) == 0)
			return foreign[i].what;
	}
	if (memchr(head->bytes, '\0', head->used) != NULL)
		return "binary data";
	while (at < head->used && memchr(" \t\r\n\xef\xbb\xbf", head->bytes[at], 7) != NULL)
		at++;
	if (at == head->used)
		return "nothing but blank lines";
	for (size_t i = 0; i < sizeof(foreign_text) / sizeof(foreign_text[0]); i++) {
		if ((foreign_text[i].first == 0 || foreign_text[i].first == head->bytes[at]) &&
		    has(head, foreign_text[i].word))
			return foreign_text[i].what;
	}
	return "text without a traceroute in it";
}

/* A line at a time where there is no descriptor (a FILE in memory): more might not come. */
static size_t read_stream(FILE *f, unsigned char *out, size_t room)
{
	size_t n = 0;
	int c = 0;

	while (n < room && c != '\n' && (c = getc_unlocked(f)) != EOF)
		out[n++] = (unsigned char)c;
	return n;
}

enum { BLOCK = 64 << 10 };

bool record_more(struct record_reader *r)
{
	int fd = fileno(r->file);
	ssize_t n;

	if (r->rest < r->rest_end) {
		r->at = r->rest;
		r->end = r->rest_end;
		r->rest = r->rest_end = NULL;
		return true;
	}
	if (r->block == NULL) {
		r->block = malloc(BLOCK);
		if (r->block == NULL) {
			r->io_error = ENOMEM;
			return false;
		}
		/* What the stream has read ahead of its position is given back. */
		if (fd >= 0)
			fflush(r->file);
	}
	do {
		n = fd >= 0 ? read(fd, r->block, BLOCK) :
			      (ssize_t)read_stream(r->file, r->block, BLOCK);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		r->io_error = errno;
	else if (fd < 0 && ferror(r->file))
		r->io_error = EIO;
	if (n <= 0)
		return false;
	r->at = r->block;
	r->end = r->block + n;
	return true;
}

/* One more line of the file into the head; false at the end of file or of room. */
static bool read_head_line(struct record_reader *r)
{
	while (r->head.used < HEAD_MAX && (r->at < r->end || record_more(r))) {
		size_t room = HEAD_MAX - r->head.used, n = (size_t)(r->end - r->at);
		const unsigned char *newline;

		n = n < room ? n : room;
		newline = memchr(r->at, '\n', n);
		if (newline != NULL)
			n = (size_t)(newline + 1 - r->at);
		buf_append(&r->head, r->at, n);
		r->at += n;
		if (newline != NULL)
			return !r->head.failed;
	}
	return false;
}

/* The head is read again, and then what of the block comes behind it. */
static void rewind_head(struct record_reader *r)
{
	r->rest = r->at;
	r->rest_end = r->end;
	r->at = (const unsigned char *)r->head.bytes;
	r->end = r->at + r->head.used;
}

static int detect(struct record_reader *r, struct bp_error *err)
{
	const struct format *best = NULL;
	int best_score = 0;
	bool more = true;

	for (unsigned lines = 0; more && lines < HEAD_LINES && best_score < SURE; lines++) {
		more = read_head_line(r);
		best_score = 0;
		for (const struct format *const *f = formats; *f != NULL; f++) {
			int score = 0;

			if (r->head.used > 0 && (*f)->detect != NULL)
				score = (*f)->detect(r->head.bytes, r->head.used);
			if (score > best_score) {
				best = *f;
				best_score = score;
			}
		}
	}
	if (r->head.failed)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	if (r->io_error != 0)
		return bp_fail_sys(err, r->io_error, "%s", r->name);
	if (r->head.used == 0)
		return bp_fail(err, BP_EPARSE, "%s: empty file", r->name);
	if (best_score < ENOUGH)
		return bp_fail(err, BP_EPARSE,
			       "%s: no format that borderpath reads: it seems to be %s", r->name,
			       seems(&r->head));
	r->format = best;
	rewind_head(r);
	return 0;
}

int record_read(struct record_reader *r, struct record *out, struct bp_error *err)
{
	int rc;

	if (r->format == NULL) {
		rc = detect(r, err);
		if (rc < 0)
			return rc;
	}
	rc = r->format->read(r, out, err);
	if (rc == 0)
		r->read++;
	if (rc == BP_EOF && r->read == 0 && r->skipped == 0)
		return bp_fail(err, BP_EPARSE,
			       r->line == 0 ? "%s: empty file" : "%s: no %s record in it", r->name,
			       r->format->name);
	return rc;
}

/* Appends what is left of the line, up to the newline. EOF or '\n'. */
static int read_line_bytes(struct record_reader *r, bool *too_long)
{
	while (r->at < r->end || record_more(r)) {
		const unsigned char *newline = memchr(r->at, '\n', (size_t)(r->end - r->at));
		const unsigned char *stop = newline != NULL ? newline : r->end;

		if (r->text.used + (size_t)(stop - r->at) > RECORD_LINE_MAX)
			*too_long = true;
		if (!*too_long)
			buf_append(&r->text, r->at, (size_t)(stop - r->at));
		r->at = newline != NULL ? newline + 1 : r->end;
		if (newline != NULL)
			return '\n';
	}
	return EOF;
}

int record_line(struct record_reader *r, const char **line, size_t *n, struct bp_error *err)
{
	bool too_long = false;
	int c;

	if (!r->back) {
		buf_clear(&r->text);
		buf_append(&r->text, "", 0);
		c = read_line_bytes(r, &too_long);
		if (c == EOF && r->io_error != 0)
			return bp_fail_sys(err, r->io_error, "%s", r->name);
		if (c == EOF && r->text.used == 0 && !too_long)
			return BP_EOF;
		r->line++;
		r->cut = c == EOF;
		if (r->line == 1 && r->text.used >= 3 &&
		    memcmp(r->text.bytes, "\xef\xbb\xbf", 3) == 0)
			buf_consume(&r->text, 3);
		while (r->text.used > 0 && r->text.bytes[r->text.used - 1] == '\r')
			r->text.bytes[--r->text.used] = '\0';
	}
	r->back = false;
	if (too_long)
		return bp_fail(err, BP_ERANGE, "line over %d MiB", RECORD_LINE_MAX >> 20);
	if (r->text.failed)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	*line = r->text.bytes;
	*n = r->text.used;
	return 0;
}

void record_line_back(struct record_reader *r)
{
	r->back = true;
}

void record_skip(struct record_reader *r, const struct bp_error *why)
{
	struct bp_error told = *why;

	r->skipped++;
	bp_error_prefix(&told, "%s:%llu", r->name, (unsigned long long)r->line);
	if (r->on_skip != NULL)
		r->on_skip(r->on_skip_arg, &told);
}

bool record_settled(struct record_reader *r, int rc, const struct bp_error *why,
		    struct bp_error *err)
{
	if (rc == 0 || rc == BP_EOF)
		return true;
	if (rc == BP_EIO || rc == BP_ENOMEM || rc == BP_EPERM) {
		if (err != NULL)
			*err = *why;
		return true;
	}
	record_skip(r, why);
	return false;
}
