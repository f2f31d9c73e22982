// SPDX-License-Identifier: BSD-2-Clause
/* The list of a fleet's members: read, written, changed. What is read is believed in no size. */
#include "campaign/fleet/roster.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/jsontree.h"
#include "core/record/jsonl_write.h"
#include "core/record/trace.h"
#include "core/text.h"

enum { FILE_MAX = 1 << 20, PORT_DEFAULT = 4222, PLACE_DIGITS = 5, DEGREE = 100000 };

static const char *const reserved[] = {"centre", "operator", "system", NULL};

void roster_fini(struct roster *r)
{
	free(r->keys);
	*r = (struct roster){0};
}

bool roster_name_ok(const char *name)
{
	for (unsigned i = 0; reserved[i] != NULL; i++) {
		if (strcmp(name, reserved[i]) == 0)
			return false;
	}
	return bus_name_ok(name);
}

/* --- looking ---------------------------------------------------------------------------------- */

const struct roster_key *roster_find(const struct roster *r, const char *name)
{
	for (unsigned i = 0; i < r->count; i++) {
		if (r->keys[i].revoked.ns == 0 && strcmp(r->keys[i].name, name) == 0)
			return &r->keys[i];
	}
	return NULL;
}

const struct roster_key *roster_of_key(const struct roster *r, const char *nkey)
{
	for (unsigned i = 0; i < r->count; i++) {
		if (strcmp(r->keys[i].nkey, nkey) == 0)
			return &r->keys[i];
	}
	return NULL;
}

unsigned roster_holding(const struct roster *r)
{
	unsigned n = 0;

	for (unsigned i = 0; i < r->count; i++)
		n += r->keys[i].revoked.ns == 0;
	return n;
}

/* --- changing --------------------------------------------------------------------------------- */

static int append(struct roster *r, const struct roster_key *key, struct bp_error *err)
{
	struct roster_key *more;

	if (r->count == ROSTER_VANTAGES_MAX)
		return bp_fail(err, BP_ERANGE, "a fleet has at most %d keys, revoked ones included",
			       ROSTER_VANTAGES_MAX);
	more = realloc(r->keys, (r->count + 1) * sizeof(*more));
	if (more == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	r->keys = more;
	r->keys[r->count++] = *key;
	return 0;
}

/* Another name that holds and looks the same in a trace's id: whose a trace is would not be told,
 * and one of the two could take an id of the other's. */
static const struct roster_key *looks_like(const struct roster *r, const char *name)
{
	char ours[TRACE_ID_VANTAGE_TEXT], theirs[TRACE_ID_VANTAGE_TEXT];

	trace_id_vantage(name, ours);
	for (unsigned i = 0; i < r->count; i++) {
		if (r->keys[i].revoked.ns == 0 &&
		    strcmp(ours, trace_id_vantage(r->keys[i].name, theirs)) == 0)
			return &r->keys[i];
	}
	return NULL;
}

int roster_add(struct roster *r, const char *name, const char *nkey, struct wall now,
	       struct bp_error *err)
{
	struct roster_key key = {.since = now};
	const struct roster_key *like;

	if (!roster_name_ok(name))
		return bp_fail(err, BP_EINVAL, "\"%s\" names no vantage point: letters, digits, '-' and "
			       "'_', at most %d; not centre, operator or system", name,
			       BUS_NAME_TEXT - 1);
	if (roster_find(r, name) != NULL)
		return bp_fail(err, BP_EINVAL, "%s is of the fleet already (a new key: fleet revoke "
			       "%s, then fleet add %s)", name, name, name);
	like = looks_like(r, name);
	if (like != NULL)
		return bp_fail(err, BP_EINVAL, "%s and %s would be one in the ids of traces, which have "
			       "the first %d letters of a name, and '_' for '-'", name, like->name,
			       TRACE_ID_VANTAGE_TEXT - 1);
	text_set(key.name, sizeof(key.name), name);
	text_set(key.nkey, sizeof(key.nkey), nkey);
	for (unsigned i = 0; i < r->count; i++) {
		if (strcmp(r->keys[i].name, name) == 0)
			key.where = r->keys[i].where;
	}
	return append(r, &key, err);
}

static struct roster_key *holding(struct roster *r, const char *name, struct bp_error *err)
{
	for (unsigned i = 0; i < r->count; i++) {
		if (r->keys[i].revoked.ns == 0 && strcmp(r->keys[i].name, name) == 0)
			return &r->keys[i];
	}
	bp_fail(err, BP_ENOTFOUND, "no vantage point of the fleet is called \"%s\"", name);
	return NULL;
}

int roster_place(struct roster *r, const char *name, const struct roster_where *where,
		 struct bp_error *err)
{
	struct roster_key *k = holding(r, name, err);

	if (k == NULL)
		return BP_ENOTFOUND;
	k->where = *where;
	return 0;
}

int roster_revoke(struct roster *r, const char *name, struct wall now, struct bp_error *err)
{
	struct roster_key *k = holding(r, name, err);

	if (k == NULL)
		return BP_ENOTFOUND;
	k->revoked = now;
	return 0;
}

/* --- JSON ------------------------------------------------------------------------------------- */

void roster_put_where(struct json_writer *w, const struct roster_where *where,
		      const char *address_key)
{
	if (where->known) {
		json_begin_object(w, "place");
		json_put_decimal(w, "lat", where->lat_e5, PLACE_DIGITS);
		json_put_decimal(w, "lon", where->lon_e5, PLACE_DIGITS);
		json_end(w);
	}
	if (addr_is_set(where->address))
		jsonl_put_addr(w, address_key, where->address);
}

void roster_put(struct buf *out, const struct roster *r)
{
	struct json_writer w;

	json_start(&w, out);
	json_begin_object(&w, NULL);
	json_put_str(&w, "type", "fleet");
	json_put_int(&w, "version", ROSTER_VERSION);
	json_put_str(&w, "server", r->server);
	json_put_bool(&w, "tls", r->tls);
	json_put_int(&w, "replicas", r->replicas);
	json_put_int(&w, "budget_pps", r->budget_pps);
	json_put_str(&w, "centre", r->centre);
	json_put_str(&w, "operator", r->operator);
	json_put_str(&w, "system", r->system);
	json_begin_array(&w, "vantages");
	for (unsigned i = 0; i < r->count; i++) {
		json_begin_object(&w, NULL);
		json_put_str(&w, "name", r->keys[i].name);
		json_put_str(&w, "nkey", r->keys[i].nkey);
		jsonl_put_wall(&w, "since", r->keys[i].since);
		jsonl_put_wall(&w, "revoked", r->keys[i].revoked);
		roster_put_where(&w, &r->keys[i].where, "address");
		json_end(&w);
	}
	json_end(&w);
	json_end(&w);
	buf_char(out, '\n');
}

static bool take_text(const struct json_node *v, char *out, size_t size)
{
	const char *text = node_text(v);

	return text != NULL && strlen(text) == v->n && text_set(out, size, text);
}

static bool take_key(const struct json_node *v, char out[static NKEY_PUBLIC_TEXT])
{
	return take_text(v, out, NKEY_PUBLIC_TEXT) && nkey_is_public(out);
}

/* A member that need not be there. */
static bool take_wall(const struct json_node *v, struct wall *out)
{
	return v == NULL || (node_text(v) != NULL &&
			     wall_parse(node_text(v), (struct wall){0}, out) == 0);
}

static bool take_degrees(const struct json_node *v, int most, int32_t *out)
{
	int64_t n;

	if (!node_decimal(v, PLACE_DIGITS, &n) || n < -most * DEGREE || n > most * DEGREE)
		return false;
	*out = (int32_t)n;
	return true;
}

static bool take_where(const struct json_node *v, struct roster_where *out)
{
	const struct json_node *place = node_get(v, "place"), *address = node_get(v, "address");

	if (place != NULL && (!take_degrees(node_get(place, "lat"), 90, &out->lat_e5) ||
			      !take_degrees(node_get(place, "lon"), 180, &out->lon_e5)))
		return false;
	out->known = place != NULL;
	return address == NULL || (node_text(address) != NULL &&
				   addr_parse(node_text(address), &out->address) == 0);
}

static int take_vantage(const char *name, const struct json_node *v, struct roster *r,
			struct bp_error *err)
{
	struct roster_key key = {0};

	if (!take_text(node_get(v, "name"), key.name, sizeof(key.name)) ||
	    !roster_name_ok(key.name) || !take_key(node_get(v, "nkey"), key.nkey) ||
	    !take_wall(node_get(v, "since"), &key.since) ||
	    !take_wall(node_get(v, "revoked"), &key.revoked) || !take_where(v, &key.where))
		return bp_fail(err, BP_EPARSE, "%s: vantages[%u] is no vantage point", name, r->count);
	if (key.revoked.ns == 0 && roster_find(r, key.name) != NULL)
		return bp_fail(err, BP_EPARSE, "%s: %s is named twice", name, key.name);
	return append(r, &key, err);
}

static int take_roster(const char *name, const struct json_node *top, struct roster *r,
		       struct bp_error *err)
{
	const struct json_node *list = node_get(top, "vantages"), *v;
	int64_t version = 0, replicas, budget;
	unsigned i;
	int rc = 0;

	if (!node_is(top, NODE_OBJECT) || node_text(node_get(top, "type")) == NULL ||
	    strcmp(node_text(node_get(top, "type")), "fleet") != 0)
		return bp_fail(err, BP_EPARSE, "%s: it is no fleet's list", name);
	if (!node_int(node_get(top, "version"), 1, INT32_MAX, &version) ||
	    version != ROSTER_VERSION)
		return bp_fail(err, BP_EPARSE, "%s: its version is unknown to this program", name);
	if (!take_text(node_get(top, "server"), r->server, sizeof(r->server)) ||
	    !take_key(node_get(top, "centre"), r->centre) ||
	    !take_key(node_get(top, "operator"), r->operator) ||
	    !take_key(node_get(top, "system"), r->system) ||
	    !node_int(node_get(top, "replicas"), 1, ROSTER_BROKERS_MAX, &replicas) ||
	    !node_int(node_get(top, "budget_pps"), 1, ROSTER_BUDGET_MAX_PPS, &budget) ||
	    !node_is(list, NODE_ARRAY))
		return bp_fail(err, BP_EPARSE, "%s: server, keys, replicas, budget_pps or vantages "
			       "are missing or wrong", name);
	r->tls = node_is(node_get(top, "tls"), NODE_TRUE);
	r->replicas = (unsigned)replicas;
	r->budget_pps = (uint32_t)budget;
	NODE_EACH(list, i, v) {
		rc = take_vantage(name, v, r, err);
		if (rc < 0)
			break;
	}
	return rc;
}

int roster_read(const char *name, const char *bytes, size_t n, struct roster *out,
		struct bp_error *err)
{
	struct roster r = {0};
	struct json_node *top = json_tree(bytes, n, err);
	int rc;

	if (top == NULL) {
		rc = err != NULL ? err->code : BP_EPARSE;
		if (err != NULL)
			bp_error_prefix(err, "%s", name);
		return rc;
	}
	rc = take_roster(name, top, &r, err);
	free(top);
	if (rc < 0)
		roster_fini(&r);
	else
		*out = r;
	return rc;
}

int roster_load(const char *path, struct roster *out, struct bp_error *err)
{
	FILE *f = fopen(path, "re");
	char *bytes = malloc(FILE_MAX);
	size_t n;
	int rc;

	if (f == NULL || bytes == NULL) {
		rc = f == NULL ? bp_fail_sys(err, errno, "%s", path)
			       : bp_fail(err, BP_ENOMEM, "out of memory");
		goto out;
	}
	n = fread(bytes, 1, FILE_MAX, f);
	if (ferror(f))
		rc = bp_fail_sys(err, errno, "%s", path);
	else if (n == FILE_MAX)
		rc = bp_fail(err, BP_ERANGE, "%s: it is too large", path);
	else
		rc = roster_read(path, bytes, n, out, err);
out:
	if (f != NULL)
		fclose(f);
	free(bytes);
	return rc;
}

/* --- brokers ---------------------------------------------------------------------------------- */

static int take_broker(const char *word, size_t n, struct roster_broker *out, struct bp_error *err)
{
	static const char *const schemes[] = {"tls://", "nats://"};
	const char *host = word, *end = word + n, *colon, *close;
	char port[8] = "";
	uint64_t number = PORT_DEFAULT;
	size_t size;

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t len = strlen(schemes[i]);

		if (n > len && strncmp(word, schemes[i], len) == 0)
			host = word + len;
	}
	close = *host == '[' ? memchr(host, ']', (size_t)(end - host)) : NULL;
	colon = memrchr(host, ':', (size_t)(end - host));
	if (colon != NULL && (*host == '[' ? close != NULL && colon > close : true)) {
		text_copy(port, sizeof(port), colon + 1, (size_t)(end - colon - 1));
		end = colon;
	}
	if (close != NULL) {
		if (close + 1 != end)
			host = end;
		host++;
		end = close;
	}
	size = end > host ? (size_t)(end - host) : 0;
	if (size == 0 || size >= sizeof(out->host) ||
	    (colon != NULL && port[0] != '\0' && text_to_u64(port, 1, 65535, &number) < 0) ||
	    strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:_") < size ||
	    (close == NULL && memchr(host, ':', size) != NULL))
		return bp_fail(err, BP_EPARSE, "\"%.*s\" is no broker, expected tls://HOST:PORT or "
			       "nats://HOST:PORT", (int)n, word);
	text_copy(out->host, sizeof(out->host), host, size);
	out->port = (uint16_t)number;
	return 0;
}

int roster_brokers(const char *server, struct roster_broker out[static ROSTER_BROKERS_MAX],
		   unsigned *count, struct bp_error *err)
{
	unsigned n = 0;

	for (const char *at = server; at != NULL; ) {
		size_t size = strcspn(at, ",");
		int rc;

		if (n == ROSTER_BROKERS_MAX)
			return bp_fail(err, BP_EPARSE, "more than %d brokers are named",
				       ROSTER_BROKERS_MAX);
		rc = take_broker(at, size, &out[n], err);
		if (rc < 0)
			return rc;
		n++;
		at = at[size] == ',' ? at + size + 1 : NULL;
	}
	*count = n;
	return 0;
}
