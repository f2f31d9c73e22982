// SPDX-License-Identifier: BSD-2-Clause
/* Who runs what: read, written, seated. */
#include "campaign/fleet/deployment.h"

#include <stdlib.h>
#include <string.h>

#include "campaign/fleet/derive.h"
#include "core/json.h"
#include "core/jsontree.h"
#include "core/record/jsonl_write.h"
#include "core/text.h"

enum { NETWORK_V4 = 24, NETWORK_V6 = 48 };
#define EVERY_MAX_MS (INT64_C(366) * 86400 * 1000)

void deployment_fini(struct deployment *d)
{
	prefixset_fini(&d->networks);
	free(d->seats);
	*d = (struct deployment){0};
}

/* --- JSON ------------------------------------------------------------------------------------- */

void deployment_put(struct buf *out, const struct deployment *d)
{
	struct json_writer w;
	char text[PREFIX_TEXT];

	json_start(&w, out);
	json_begin_object(&w, NULL);
	json_put_str(&w, "type", "deployed");
	json_put_int(&w, "version", DEPLOYMENT_VERSION);
	json_put_str(&w, "campaign", d->campaign);
	jsonl_put_wall(&w, "at", d->at);
	json_put_str(&w, "tool", d->tool);
	json_put_decimal(&w, "every_s", d->every_ns / NS_PER_MS, 3);
	json_put_decimal(&w, "offset_s", d->offset_ns / NS_PER_MS, 3);
	json_put_decimal(&w, "jitter_s", d->jitter_ns / NS_PER_MS, 3);
	json_put_decimal(&w, "per_prefix_rate_pps", (int64_t)d->prefix_mpps, 3);
	json_begin_array(&w, "vantages");
	for (unsigned i = 0; i < d->seats_count; i++) {
		json_begin_object(&w, NULL);
		json_put_str(&w, "name", d->seats[i].vantage);
		json_put_int(&w, "slot", d->seats[i].slot);
		json_end(&w);
	}
	json_end(&w);
	json_begin_array(&w, "networks");
	for (uint32_t i = 0; i < d->networks.count; i++)
		json_put_str(&w, NULL, prefix_format(d->networks.items[i], text));
	json_end(&w);
	json_end(&w);
	buf_char(out, '\n');
}

static int take_seats(const char *name, const struct json_node *list, struct deployment *d,
		      struct bp_error *err)
{
	const struct json_node *v;
	unsigned i;

	if (list->count > ROSTER_VANTAGES_MAX)
		return bp_fail(err, BP_ERANGE, "%s: too many vantage points", name);
	d->seats = calloc(list->count + 1, sizeof(*d->seats));
	if (d->seats == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	NODE_EACH(list, i, v) {
		const char *text = node_text(node_get(v, "name"));
		int64_t slot;

		if (text == NULL || !bus_name_ok(text) ||
		    !node_int(node_get(v, "slot"), 0, DERIVE_SLOTS - 1, &slot))
			return bp_fail(err, BP_EPARSE, "%s: vantages[%u] is none", name, i);
		text_set(d->seats[i].vantage, sizeof(d->seats[i].vantage), text);
		d->seats[i].slot = (unsigned)slot;
		d->seats_count++;
	}
	return 0;
}

static int take_networks(const char *name, const struct json_node *list, struct deployment *d,
			 struct bp_error *err)
{
	const struct json_node *v;
	unsigned i;

	if (list->count > DEPLOYMENT_NETWORKS_MAX)
		return bp_fail(err, BP_ERANGE, "%s: too many networks", name);
	NODE_EACH(list, i, v) {
		struct prefix p;

		if (node_text(v) == NULL || prefix_parse(node_text(v), &p) < 0)
			return bp_fail(err, BP_EPARSE, "%s: networks[%u] is none", name, i);
		if (deployment_add_network(d, p) < 0)
			return bp_fail(err, BP_ENOMEM, "out of memory");
	}
	prefixset_settle(&d->networks);
	return 0;
}

static bool take_span(const struct json_node *v, int64_t least_ms, int64_t *out_ns)
{
	int64_t ms;

	if (!node_decimal(v, 3, &ms) || ms < least_ms || ms > EVERY_MAX_MS)
		return false;
	*out_ns = ms * NS_PER_MS;
	return true;
}

static int take(const char *name, const struct json_node *top, struct deployment *d,
		struct bp_error *err)
{
	const struct json_node *seats = node_get(top, "vantages"), *nets = node_get(top, "networks");
	const char *type = node_text(node_get(top, "type")), *at = node_text(node_get(top, "at"));
	const char *campaign = node_text(node_get(top, "campaign"));
	int64_t version = 0, mpps = 0;
	int rc;

	if (type == NULL || strcmp(type, "deployed") != 0 ||
	    !node_int(node_get(top, "version"), 1, INT32_MAX, &version) ||
	    version != DEPLOYMENT_VERSION)
		return bp_fail(err, BP_EPARSE, "%s: it is none, or its version is unknown", name);
	if (campaign == NULL || !bus_name_ok(campaign) || at == NULL ||
	    wall_parse(at, (struct wall){0}, &d->at) < 0 ||
	    !take_span(node_get(top, "every_s"), 1, &d->every_ns) ||
	    !take_span(node_get(top, "offset_s"), 0, &d->offset_ns) ||
	    !take_span(node_get(top, "jitter_s"), 0, &d->jitter_ns) ||
	    !node_decimal(node_get(top, "per_prefix_rate_pps"), 3, &mpps) || mpps < 0 ||
	    !node_is(seats, NODE_ARRAY) || !node_is(nets, NODE_ARRAY))
		return bp_fail(err, BP_EPARSE, "%s: a member is missing or wrong", name);
	text_set(d->campaign, sizeof(d->campaign), campaign);
	if (node_text(node_get(top, "tool")) != NULL)
		text_set(d->tool, sizeof(d->tool), node_text(node_get(top, "tool")));
	d->prefix_mpps = (uint64_t)mpps;
	rc = take_seats(name, seats, d, err);
	return rc < 0 ? rc : take_networks(name, nets, d, err);
}

int deployment_read(const char *name, const char *bytes, size_t n, struct deployment *out,
		    struct bp_error *err)
{
	struct json_node *top = json_tree(bytes, n, err);
	struct deployment d = {0};
	int rc;

	if (top == NULL)
		return bp_fail(err, BP_EPARSE, "%s: it is no JSON", name);
	rc = take(name, top, &d, err);
	free(top);
	if (rc < 0)
		deployment_fini(&d);
	else
		*out = d;
	return rc;
}

/* --- networks and seats ----------------------------------------------------------------------- */

int deployment_add_network(struct deployment *d, struct prefix p)
{
	uint8_t most = addr_size(p.addr) == 4 ? NETWORK_V4 : NETWORK_V6;

	return prefixset_add(&d->networks, prefix_of(p.addr, p.len < most ? p.len : most));
}

static const struct deployment_seat *seat_of(const struct deployment *d, const char *vantage)
{
	for (unsigned i = 0; i < d->seats_count; i++) {
		if (strcmp(d->seats[i].vantage, vantage) == 0)
			return &d->seats[i];
	}
	return NULL;
}

bool deployment_has(const struct deployment *d, const char *vantage)
{
	return seat_of(d, vantage) != NULL;
}

static unsigned lowest_free(const struct deployment_seat *seats, unsigned count)
{
	for (unsigned slot = 0;; slot++) {
		bool taken = false;

		for (unsigned i = 0; i < count && !taken; i++)
			taken = seats[i].vantage[0] != '\0' && seats[i].slot == slot;
		if (!taken)
			return slot;
	}
}

int deployment_seat(struct deployment *d, const char *const *vantages, unsigned count)
{
	struct deployment_seat *seats = calloc(count + 1, sizeof(*seats));

	if (seats == NULL)
		return BP_ENOMEM;
	/* Those who have one first: a slot of theirs is not free. */
	for (unsigned i = 0; i < count; i++) {
		const struct deployment_seat *had = seat_of(d, vantages[i]);

		if (had != NULL)
			seats[i] = *had;
	}
	for (unsigned i = 0; i < count; i++) {
		if (seats[i].vantage[0] != '\0')
			continue;
		seats[i].slot = lowest_free(seats, count);
		text_set(seats[i].vantage, sizeof(seats[i].vantage), vantages[i]);
	}
	free(d->seats);
	d->seats = seats;
	d->seats_count = count;
	return 0;
}
