// SPDX-License-Identifier: BSD-2-Clause
/*
 * The formats of records, one const row each: detect, read (a stream, record by record, in bounded
 * memory), write. A reader never crashes on any bytes; a bad record is skipped, counted and told
 * with file:line.
 */
#ifndef CORE_RECORD_FORMAT_H
#define CORE_RECORD_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/record/jsonl.h"
#include "core/record/jsonstream.h"

/* A stream of records. */
struct record_reader {
	const struct format *format; /* known after the first record_read */
	FILE *file;                  /* borrowed; read by its descriptor where it has one, past its
				      * own buffer: nobody else reads it meanwhile */
	char name[256];              /* for messages: the file's name or "-" */
	uint64_t line;               /* of the last line, or of the last object's begin; from 1 */
	uint64_t read, skipped;      /* records */
	const unsigned char *at, *end; /* read, and not yet used: record_byte, record_more */
	const unsigned char *rest, *rest_end; /* what of block comes behind head */
	unsigned char *block;        /* of the file; owned, NULL before the first */
	int io_error;                /* errno of a read that failed; 0 none */
	struct buf head;             /* the first bytes, read ahead to detect the format */
	struct buf text;             /* current line */
	bool back;                   /* the current line is to be given again */
	bool cut;                    /* the current line is the last and has no newline */
	struct json_stream json;     /* of record_object */
	void *state;                 /* owned by the format, freed by its fini */
	/* Called for each skipped record, with file:line in err->text; may be NULL. */
	void (*on_skip)(void *arg, const struct bp_error *err);
	void *on_skip_arg;
};

struct format {
	const char *name;   /* "jsonl", "traceroute" */
	const char *says;   /* one line for the help */
	/* How sure that the first bytes are this format: 0 no .. 100; under 30 is not enough.
	 * NULL, and read too: the format is only written. */
	int (*detect)(const char *head, size_t n);
	/* The next record: 0, BP_EOF, BP_ENOMEM or BP_EIO; bad ones are skipped inside. */
	int (*read)(struct record_reader *r, struct record *out, struct bp_error *err);
	/* What stands before the first record and behind the last of an output. NULL: nothing. */
	void (*begin)(struct buf *out);
	void (*end)(struct buf *out);
	/* NULL: the format is not written. 0, BP_ENOMEM, or with nothing appended BP_EFOREIGN (the
	 * format has no place for this kind of record), BP_EPARSE (the record is not what its type
	 * says). */
	int (*write)(struct buf *out, const struct record *rec, const struct names *names,
		     const struct verdict *verdict);
	void (*fini)(struct record_reader *r); /* NULL: nothing to free */
};

extern const struct format *const formats[]; /* ends with NULL */
const struct format *format_find(const char *name);

/* Starts reading; format NULL detects by content at the first read. file stays the caller's. */
void record_reader_init(struct record_reader *r, FILE *file, const char *name,
			const struct format *format);
void record_reader_fini(struct record_reader *r);
/* 0, BP_EOF, BP_EPARSE (nothing recognisable: foreign or empty file), BP_EIO, BP_ENOMEM.
 * An empty file is BP_EPARSE with "empty file"; BP_EOF comes only after at least one record
 * or one skip. */
int record_read(struct record_reader *r, struct record *out, struct bp_error *err);
/* For formats: the next line without its newline or CR (borrowed until the next call,
 * NUL-terminated, may contain NUL), BP_EOF at the end, BP_EIO, BP_ENOMEM. A line over
 * RECORD_LINE_MAX is passed over whole, BP_ERANGE. A UTF-8 byte order mark before the first line
 * is dropped.
 * record_line_back puts the last line back, once. */
enum { RECORD_LINE_MAX = 16 << 20 };
int record_line(struct record_reader *r, const char **line, size_t *n, struct bp_error *err);
void record_line_back(struct record_reader *r);
/* For formats: more bytes at r->at, when those up to r->end are used up: as many as there are,
 * without waiting for a whole block. False at the end of the file, and when it cannot be read
 * (r->io_error then says why). */
bool record_more(struct record_reader *r);
/* For formats: the next byte, or EOF as record_more. The last one may be put back: r->at--. */
static inline int record_byte(struct record_reader *r)
{
	return r->at < r->end || record_more(r) ? *r->at++ : EOF;
}
/* For formats: counts and reports a skipped record at the current line. */
void record_skip(struct record_reader *r, const struct bp_error *why);
/* For formats: whether rc, what reading one record came to, is what record_read comes to: a record,
 * the end, or an error of the file or of ours (*why is copied to *err). False: the record was bad
 * and is skipped, the next one is due. */
bool record_settled(struct record_reader *r, int rc, const struct bp_error *why,
		    struct bp_error *err);

/* The rows of `formats`, each in the file of its format. */
extern const struct format jsonl_format, traceroute_text_format, atlas_format;
extern const struct format scamper_format, warts_format, mtr_format;
extern const struct format csv_format, csv_hops_format, csv_rounds_format; /* csv.h: the columns */

#endif
