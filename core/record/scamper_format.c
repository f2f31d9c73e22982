// SPDX-License-Identifier: BSD-2-Clause
/* scamper's JSON as a format: a stream of objects, those that are no traces skipped and told. */
#include <stdlib.h>
#include <string.h>

#include "core/record/format.h"
#include "core/record/jsonstream.h"
#include "core/record/scamper.h"

static bool has(const char *head, size_t n, const char *word)
{
	return memmem(head, n, word, strlen(word)) != NULL;
}

/* Text that no other JSON of traces has: the frame of a cycle, the version in quotes. */
static int detect(const char *head, size_t n)
{
	size_t at = 0;

	while (at < n && memchr(" \t\r\n[\xef\xbb\xbf", head[at], 8) != NULL)
		at++;
	if (at == n || head[at] != '{')
		return 0;
	if (has(head, n, "\"cycle-start\"") || has(head, n, "\"TracerouteCallerVersion\""))
		return 100;
	if (has(head, n, "\"userid\"") &&
	    (has(head, n, "\"version\":\"") || has(head, n, "\"version\": \"")))
		return has(head, n, "\"stop_reason\"") || has(head, n, "\"probec\"") ? 100 : 60;
	return 0;
}

static int read_one(struct record_reader *r, struct record *out, struct bp_error *err)
{
	struct bp_error why;
	const char *object;
	size_t n;
	int rc;

	if (r->state == NULL)
		r->state = calloc(1, sizeof(struct scamper_stream));
	if (r->state == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	for (;;) {
		why = (struct bp_error){0};
		rc = scamper_next(r->state, out);
		if (rc == 0)
			return 0;
		if (rc == BP_EAGAIN)
			rc = record_object(r, &object, &n, &why);
		if (rc == 0)
			rc = scamper_read(r->state, object, n, out, &why);
		if (rc == BP_EAGAIN)
			continue;
		if (rc == 0 || rc == BP_EOF)
			return rc;
		if (rc == BP_EIO || rc == BP_ENOMEM || rc == BP_EPERM) {
			if (err != NULL)
				*err = why;
			return rc;
		}
		record_skip(r, &why);
	}
}

static void fini(struct record_reader *r)
{
	scamper_stream_fini(r->state);
	free(r->state);
}

const struct format scamper_format = {
	.name = "scamper",
	.says = "scamper's JSON, as sc_warts2json writes it",
	.detect = detect,
	.read = read_one,
	.write = scamper_write,
	.fini = fini,
};
