// SPDX-License-Identifier: BSD-2-Clause
/*
 * A batch that came from anybody. First byte 't': the rest is its text, and is made a frame here,
 * for nobody guesses a checksum; else all of it is the message. What is refused says why in clean
 * text; what is taken can be written again, and is read as the same.
 */
#include <string.h>
#include <zstd.h>

#include "campaign/fleet/batch.h"
#include "core/buf.h"
#include "tests/fuzz/fuzz.h"

static int on_record(void *arg, struct record *r, struct bp_error *err)
{
	return arg != NULL ? batch_add(arg, r, err) : 0;
}

static int on_again(void *arg, struct record *r, struct bp_error *err)
{
	(void)r, (void)err;
	++*(uint32_t *)arg;
	return 0;
}

static void check_text(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	must(*at != '\0');
	while (*at != '\0') {
		size_t n = utf8_length(at, strlen((const char *)at));

		must(n > 0 && *at >= ' ');
		at += n;
	}
}

static void check(const void *bytes, size_t n)
{
	struct batch_head head, again;
	struct bp_error err = {0};
	enum batch_refusal refusal;
	struct batch_writer *w;
	uint32_t records = 0;
	const char *out;
	size_t size;
	int rc;

	must(batch_writer_new(&w) == 0);
	batch_begin(w);
	rc = batch_read("fra1", NULL, bytes, n, &head, on_record, w, &refusal, &err);
	must(rc == 0 || rc == BP_EPARSE);
	must((rc == 0) == (refusal == BATCH_OK));
	must((head.seq == 0) == (head.epoch[0] == '\0'));
	if (rc < 0)
		check_text(err.text);
	else if (batch_end(w, &head, &out, &size, &err) == 0) {
		must(batch_read("fra1", NULL, out, size, &again, on_again, &records, &refusal, &err) ==
		     0);
		must(records == head.records && memcmp(&head, &again, sizeof(head)) == 0);
	}
	batch_writer_free(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf frame;
	ZSTD_CCtx *z;
	char *room;
	size_t n;

	if (size == 0)
		return 0;
	if (data[0] != 't') {
		check(data, size);
		return 0;
	}
	buf_init(&frame);
	room = buf_room(&frame, ZSTD_compressBound(size));
	z = ZSTD_createCCtx();
	must(room != NULL && z != NULL);
	ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, 1);
	n = ZSTD_compress2(z, room, ZSTD_compressBound(size), data + 1, size - 1);
	must(!ZSTD_isError(n));
	check(room, n);
	ZSTD_freeCCtx(z);
	buf_fini(&frame);
	return 0;
}
