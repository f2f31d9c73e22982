// SPDX-License-Identifier: BSD-2-Clause
/*
 * tests/golden/records: files of every format, and the native records they become, byte for byte.
 * With GOLDEN_UPDATE=1 in the environment the expected files are written instead of compared.
 */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/record/format.h"

#define DIR_NAME "tests/golden/records"

static void put_skip(void *arg, const struct bp_error *err)
{
	buf_printf(arg, "%s\n", err->text);
}

/* Converts the file as borderpath convert does; atlas may be NULL. */
static void convert(const char *path, const char *name, struct buf *out, struct buf *atlas,
		    struct buf *skips)
{
	struct bp_error err = {0};
	struct record_reader r;
	struct record rec;
	FILE *f = fopen(path, "r");
	int rc;

	if (f == NULL)
		fail_msg("%s: %s", path, strerror(errno));
	record_reader_init(&r, f, name, NULL);
	r.on_skip = put_skip;
	r.on_skip_arg = skips;
	for (;;) {
		record_init(&rec);
		rc = record_read(&r, &rec, &err);
		if (rc < 0)
			break;
		assert_int_equal(jsonl_write_record(out, &rec, NULL, NULL), 0);
		if (atlas != NULL)
			assert_int_equal(atlas_format.write(atlas, &rec, NULL, NULL), 0);
		record_fini(&rec);
	}
	if (rc != BP_EOF)
		fail_msg("%s", err.text);
	record_reader_fini(&r);
	fclose(f);
}

/* Missing is empty. */
static void slurp(const char *path, struct buf *out)
{
	FILE *f = fopen(path, "r");
	char bytes[4096];
	size_t n;

	if (f == NULL)
		return;
	while ((n = fread(bytes, 1, sizeof(bytes), f)) > 0)
		buf_append(out, bytes, n);
	fclose(f);
}

static void spill(const char *path, const struct buf *text)
{
	FILE *f;

	if (text->used == 0) {
		unlink(path);
		return;
	}
	f = fopen(path, "w");
	if (f == NULL || fwrite(text->bytes, 1, text->used, f) != text->used || fclose(f) != 0)
		fail_msg("%s: %s", path, strerror(errno));
}

static void compare(const char *path, const struct buf *is)
{
	struct buf must;

	if (getenv("GOLDEN_UPDATE") != NULL) {
		spill(path, is);
		return;
	}
	buf_init(&must);
	slurp(path, &must);
	if (must.used != is->used || (is->used > 0 && memcmp(must.bytes, is->bytes, is->used) != 0))
		fail_msg("%s differs. It is now:\n%s", path, is->used ? is->bytes : "(empty)");
	buf_fini(&must);
}

/* One NAME.in; stem is NAME. */
static void check(const char *stem)
{
	char in[256], name[256], path[512];
	bool is_atlas = strncmp(stem, "atlas-", 6) == 0;
	struct buf out, skips, again, atlas;

	buf_init(&out);
	buf_init(&skips);
	buf_init(&again);
	buf_init(&atlas);
	snprintf(name, sizeof(name), "%s.in", stem);
	snprintf(path, sizeof(path), DIR_NAME "/%s", name);
	convert(path, name, &out, is_atlas ? &atlas : NULL, &skips);
	snprintf(path, sizeof(path), DIR_NAME "/%s.skips", stem);
	compare(path, &skips);
	snprintf(path, sizeof(path), DIR_NAME "/%s.jsonl", stem);
	compare(path, &out);
	if (is_atlas) {
		snprintf(path, sizeof(path), DIR_NAME "/%s.atlas", stem);
		compare(path, &atlas);
	}
	snprintf(path, sizeof(path), DIR_NAME "/%s.jsonl", stem);
	/* What was written is native: converting it again changes nothing and skips nothing. */
	buf_clear(&skips);
	snprintf(in, sizeof(in), "%s.jsonl", stem);
	convert(path, in, &again, NULL, &skips);
	assert_int_equal(skips.used, 0);
	assert_int_equal(again.used, out.used);
	assert_memory_equal(again.bytes, out.bytes, out.used);
	buf_fini(&out);
	buf_fini(&skips);
	buf_fini(&again);
	buf_fini(&atlas);
}

static void records_of_every_format(void **state)
{
	struct dirent **names = NULL;
	int n = scandir(DIR_NAME, &names, NULL, alphasort);
	unsigned done = 0;

	(void)state;
	if (n < 0)
		fail_msg(DIR_NAME ": %s (run from the root of the tree)", strerror(errno));
	for (int i = 0; i < n; i++) {
		char *dot = strrchr(names[i]->d_name, '.');

		if (dot != NULL && strcmp(dot, ".in") == 0) {
			*dot = '\0';
			check(names[i]->d_name);
			done++;
		}
		free(names[i]);
	}
	free(names);
	assert_true(done >= 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(records_of_every_format)};

	return cmocka_run_group_tests_name("golden/records", tests, NULL, NULL);
}
