// SPDX-License-Identifier: BSD-2-Clause
/*
 * What collectors say of themselves, in one entry of BP_CENTRE: into which store the fleet's
 * results go, so that none takes some of them elsewhere by mistake, and that one of them lives.
 */
#include <stdlib.h>
#include <string.h>

#include "campaign/fleet/collect_inside.h"
#include "core/json.h"
#include "core/jsontree.h"
#include "core/text.h"

/* No vantage point can be called so. */
#define CENTRE "BP_CENTRE"
#define KEY "collect="

static void put_entry(struct collect *c, const char *since, struct buf *out)
{
	char moment[WALL_TEXT];
	struct json_writer w;

	json_start(&w, out);
	json_begin_object(&w, NULL);
	json_put_str(&w, "type", "collect");
	json_put_int(&w, "version", 1);
	json_put_str(&w, "tool", "borderpath " BP_VERSION);
	json_put_str(&w, "at", wall_format(wall_now(), moment));
	json_put_str(&w, "store", c->store_id);
	json_put_str(&w, "since", since != NULL ? since : moment);
	json_put_bool(&w, "store_answers", c->store != NULL);
	if (c->store == NULL)
		json_put_str(&w, "why", c->store_why);
	json_end(&w);
}

/* BP_EAGAIN: another collector wrote in between, or the broker is away. BP_EPERM: it is
 * another's. */
static int claim(struct collect *c, bool replace, struct bp_error *err)
{
	struct json_node *dom = NULL;
	uint64_t revision = BUS_REVISION_NONE;
	struct buf old, text;
	const char *id = NULL, *since = NULL;
	int rc;

	buf_init(&old);
	buf_init(&text);
	rc = bus_get(c->bus, CENTRE, KEY, &old, &revision, NULL, err);
	if (rc == BP_ENOTFOUND) {
		revision = BUS_REVISION_NONE;
	} else if (rc < 0) {
		goto out;
	} else {
		dom = json_tree(old.bytes, old.used, NULL);
		id = node_text(node_get(dom, "store"));
		since = node_text(node_get(dom, "since"));
	}
	if (id != NULL && strcmp(id, c->store_id) != 0) {
		since = NULL;
		if (!replace) {
			rc = bp_fail(err, BP_EPERM, "the results of this fleet go into another store "
				     "(%.16s), and agents have forgotten what it has; this one is "
				     "%s (collect --new-store: it takes the other's place)",
				     id, c->store_id);
			goto out;
		}
	}
	put_entry(c, since, &text);
	rc = text.failed ? bp_fail(err, BP_ENOMEM, "out of memory") :
	     bus_put(c->bus, CENTRE, KEY, text.bytes, text.used, &revision, err);
out:
	free(dom);
	buf_fini(&old);
	buf_fini(&text);
	return rc;
}

bool collect_centre_turn(struct collect *c)
{
	struct mono now = mono_now();
	bool answers = c->store != NULL;
	struct bp_error err = {0};
	int rc;

	if (c->failed)
		return false;
	/* Which store it is must be known once. */
	if (c->store_id[0] == '\0')
		return false;
	if (c->centre_known && c->centre_store == answers && !mono_reached(now, c->centre_next))
		return true;
	rc = claim(c, c->o.new_store && !c->centre_known, &err);
	if (rc == BP_EPERM) {
		c->failed = true;
		c->failure = err;
		return false;
	}
	if (rc == 0) {
		c->centre_known = true;
		c->centre_store = answers;
	}
	c->centre_next = mono_add(now, COLLECT_CENTRE_NS);
	return c->centre_known;
}
