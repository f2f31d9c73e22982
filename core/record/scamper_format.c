// SPDX-License-Identifier: BSD-2-Clause
/* scamper's JSON as a format: a stream of objects, those that are no traces skipped and told. */
#include <stdlib.h>
#include <string.h>

#include "core/record/format.h"
#include "core/record/jsonstream.h"
#include "core/record/scamper.h"

/* Text that no other JSON of traces has: the frame of a cycle, the version in quotes. */
static int detect(const char *head, size_t n)
{
	bool mine;

	if (!json_stream_begins(head, n))
		return 0;
	if (json_stream_has(head, n, "\"cycle-start\"") ||
	    json_stream_has(head, n, "\"TracerouteCallerVersion\""))
		return 100;
	if (!json_stream_has(head, n, "\"userid\"") ||
	    (!json_stream_has(head, n, "\"version\":\"") &&
	     !json_stream_has(head, n, "\"version\": \"")))
		return 0;
	mine = json_stream_has(head, n, "\"stop_reason\"") || json_stream_has(head, n, "\"probec\"");
	return mine ? 100 : 60;
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
		if (record_settled(r, rc, &why, err))
			return rc;
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
