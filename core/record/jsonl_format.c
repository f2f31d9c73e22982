// SPDX-License-Identifier: BSD-2-Clause
/* The native record as a format: a stream of lines, bad ones skipped and told. Reads no JSON. */
#include <ctype.h>
#include <string.h>

#include "core/record/format.h"

/* Whether `"type" : "WORD"` with one of our words is in the text. */
static bool has_our_type(const char *head, size_t n)
{
	static const char *const ours[] = {"\"trace\"", "\"paths\"",  "\"round\"",
					   "\"event\"", "\"report\"", "\"diff\""};
	const char *at = head, *end = head + n;

	while ((at = memmem(at, (size_t)(end - at), "\"type\"", 6)) != NULL) {
		at += 6;
		while (at < end && (isspace((unsigned char)*at) || *at == ':'))
			at++;
		for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
			size_t len = strlen(ours[i]);

			if ((size_t)(end - at) >= len && memcmp(at, ours[i], len) == 0)
				return true;
		}
	}
	return false;
}

/* scamper's records have "type":"trace" too, but their version is text. */
static bool has_text_version(const char *line, size_t n)
{
	return memmem(line, n, "\"version\":\"", 11) != NULL ||
	       memmem(line, n, "\"version\": \"", 12) != NULL;
}

static int detect(const char *head, size_t n)
{
	const char *at = head, *end = head + n;

	if (n >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0)
		at += 3;
	for (bool first = true; at < end; first = false) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		const char *next = stop ? stop + 1 : end;

		while (at < next && isspace((unsigned char)*at))
			at++;
		if (at < next && *at == '{' && has_our_type(at, (size_t)(next - at)) &&
		    !has_text_version(at, (size_t)(next - at)))
			/* A first line cut at its front must not hide the others. */
			return first ? 100 : 60;
		at = next;
	}
	return 0;
}

static bool blank(const char *line, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!isspace((unsigned char)line[i]))
			return false;
	}
	return true;
}

static int read_one(struct record_reader *r, struct record *out, struct bp_error *err)
{
	struct bp_error why;
	const char *line;
	size_t n;
	int rc;

	for (;;) {
		why = (struct bp_error){0};
		rc = record_line(r, &line, &n, &why);
		if (rc == 0 && blank(line, n))
			continue;
		if (rc == 0)
			rc = jsonl_read(line, n, out, &why);
		if (r->cut && rc == BP_ETRUNC)
			bp_error_prefix(&why, "the last line is cut");
		if (record_settled(r, rc, &why, err))
			return rc;
	}
}

const struct format jsonl_format = {
	.name = "jsonl",
	.says = "borderpath's own record, JSON Lines",
	.detect = detect,
	.read = read_one,
	.write = jsonl_write_record,
};
