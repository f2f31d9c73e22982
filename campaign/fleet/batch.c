// SPDX-License-Identifier: BSD-2-Clause
/* Writing a batch: lines one behind the other, the head in front, all of it one zstd frame. */
#include "campaign/fleet/batch.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "core/json.h"

/* The text is repetitive and an agent's machine small: the fast one. */
enum { LEVEL = 1 };

struct batch_writer {
	ZSTD_CCtx *zstd;
	struct buf lines;   /* the records */
	struct buf plain;   /* head and records */
	struct buf out;
	uint32_t records;
};

int batch_writer_new(struct batch_writer **out)
{
	struct batch_writer *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return BP_ENOMEM;
	buf_init(&w->lines);
	buf_init(&w->plain);
	buf_init(&w->out);
	w->zstd = ZSTD_createCCtx();
	if (w->zstd == NULL ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_compressionLevel, LEVEL)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_checksumFlag, 1))) {
		batch_writer_free(w);
		return BP_ENOMEM;
	}
	*out = w;
	return 0;
}

void batch_writer_free(struct batch_writer *w)
{
	if (w == NULL)
		return;
	ZSTD_freeCCtx(w->zstd);
	buf_fini(&w->lines);
	buf_fini(&w->plain);
	buf_fini(&w->out);
	free(w);
}

void batch_begin(struct batch_writer *w)
{
	buf_clear(&w->lines);
	w->records = 0;
}

int batch_add(struct batch_writer *w, const struct record *r, struct bp_error *err)
{
	size_t before = w->lines.used;
	int rc = jsonl_write_record(&w->lines, r, NULL, NULL);

	if (rc < 0 || w->lines.failed)
		return bp_fail(err, rc < 0 ? rc : BP_ENOMEM, "a record cannot be written: %s",
			       bp_strerror(rc < 0 ? rc : BP_ENOMEM));
	if (w->lines.used - before > BATCH_LINE_MAX) {
		w->lines.used = before;
		return bp_fail(err, BP_ERANGE, "a record is over %d bytes", BATCH_LINE_MAX);
	}
	w->records++;
	return 0;
}

static void put_head(struct buf *out, const struct batch_head *head)
{
	struct json_writer j;

	json_start(&j, out);
	json_begin_object(&j, NULL);
	json_put_str(&j, "type", "batch");
	json_put_int(&j, "version", BATCH_VERSION);
	json_put_str(&j, "vantage", head->vantage);
	json_put_str(&j, "epoch", head->epoch);
	json_put_int(&j, "seq", (int64_t)head->seq);
	json_put_str(&j, "tool", head->tool);
	json_put_str(&j, "round", head->round);
	json_put_int(&j, "part", head->part);
	json_put_int(&j, "parts", head->parts);
	json_put_int(&j, "records", head->records);
	json_end(&j);
	buf_char(out, '\n');
}

int batch_end(struct batch_writer *w, struct batch_head *head, const char **bytes, size_t *n,
	      struct bp_error *err)
{
	size_t bound, size;
	char *room;

	head->records = w->records;
	if (w->records > BATCH_RECORDS_MAX)
		return bp_fail(err, BP_ERANGE, "more than %d records in a batch",
			       BATCH_RECORDS_MAX);
	buf_clear(&w->plain);
	put_head(&w->plain, head);
	buf_append(&w->plain, w->lines.bytes, w->lines.used);
	if (w->plain.used > BATCH_PLAIN_MAX)
		return bp_fail(err, BP_ERANGE, "a batch of %zu bytes of text is over %d",
			       w->plain.used, BATCH_PLAIN_MAX);
	bound = ZSTD_compressBound(w->plain.used);
	buf_clear(&w->out);
	room = buf_room(&w->out, bound);
	if (w->plain.failed || room == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	size = ZSTD_compress2(w->zstd, room, bound, w->plain.bytes, w->plain.used);
	if (ZSTD_isError(size))
		return bp_fail(err, BP_ENOMEM, "a batch cannot be compressed: %s",
			       ZSTD_getErrorName(size));
	if (size > BUS_PAYLOAD_MAX)
		return bp_fail(err, BP_ERANGE, "a batch of %zu bytes is over %d", size,
			       BUS_PAYLOAD_MAX);
	buf_wrote(&w->out, room + size);
	*bytes = w->out.bytes;
	*n = size;
	return 0;
}
