// SPDX-License-Identifier: BSD-2-Clause
/* What a directory knows of the broker's list. */
#include "cli/fleet/known.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/fleet/fleet.h"
#include "core/buf.h"
#include "core/json.h"
#include "core/jsontree.h"
#include "core/whole.h"

enum { FILE_MAX = 4096, KNOWN_VERSION = 1 };

static int take(const char *path, const char *bytes, size_t n, uint64_t *revision,
		struct bp_error *err)
{
	struct json_node *top = json_tree(bytes, n, NULL);
	const char *type = node_text(node_get(top, "type"));
	int64_t version = 0, number = 0;
	bool ok = type != NULL && strcmp(type, "known") == 0 &&
		  node_int(node_get(top, "version"), KNOWN_VERSION, KNOWN_VERSION, &version) &&
		  node_int(node_get(top, "revision"), 1, INT64_MAX, &number);

	free(top);
	if (!ok)
		return bp_fail(err, BP_EPARSE, "%s: it is no note of the broker's list, or its version "
			       "is unknown to this program", path);
	*revision = (uint64_t)number;
	return 0;
}

int known_read(const char *dir, uint64_t *revision, struct bp_error *err)
{
	char path[PATH_MAX], bytes[FILE_MAX];
	FILE *f = fopen(fleet_path(dir, "broker.json", path), "re");
	size_t n;
	int rc;

	if (f == NULL && errno == ENOENT) {
		*revision = 0;
		return 0;
	}
	if (f == NULL)
		return bp_fail_sys(err, errno, "%s", path);
	n = fread(bytes, 1, sizeof(bytes), f);
	rc = ferror(f) ? bp_fail_sys(err, EIO, "%s", path) : take(path, bytes, n, revision, err);
	fclose(f);
	return rc;
}

int known_write(const char *dir, uint64_t revision, struct bp_error *err)
{
	struct json_writer w;
	char path[PATH_MAX];
	struct buf text;
	int rc;

	buf_init(&text);
	json_start(&w, &text);
	json_begin_object(&w, NULL);
	json_put_str(&w, "type", "known");
	json_put_int(&w, "version", KNOWN_VERSION);
	json_put_int(&w, "revision", (int64_t)revision);
	json_end(&w);
	buf_char(&text, '\n');
	rc = text.failed ? bp_fail(err, BP_ENOMEM, "out of memory")
			 : whole_write(fleet_path(dir, "broker.json", path), text.bytes, text.used,
				       err);
	buf_fini(&text);
	return rc;
}
