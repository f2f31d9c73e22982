// SPDX-License-Identifier: BSD-2-Clause
/* Connections and denials: what servers answer, and the lines of their log. */
#include "cli/fleet/turned.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/fleet/fleet.h"
#include "core/buf.h"
#include "core/jsontree.h"
#include "core/text.h"

void turned_fini(struct turned *t)
{
	free(t->open);
	free(t->keys);
	*t = (struct turned){0};
}

const char *turned_role_of(const struct roster *r, const char *nkey)
{
	if (strcmp(nkey, r->centre) == 0)
		return "centre";
	if (strcmp(nkey, r->operator) == 0)
		return "operator";
	return strcmp(nkey, r->system) == 0 ? "system" : NULL;
}

/* --- servers ---------------------------------------------------------------------------------- */

static void take_text(const struct json_node *v, char *out, size_t size)
{
	if (node_text(v) != NULL)
		text_copy(out, size, v->text, v->n);
}

static void take_wall(const struct json_node *v, struct wall *out)
{
	struct wall at;

	if (node_text(v) != NULL && wall_parse(node_text(v), (struct wall){0}, &at) == 0)
		*out = at;
}

static bool take_open(struct turned *t, const struct json_node *v)
{
	struct turned_open *more = reallocarray(t->open, t->open_count + 1, sizeof(*more));

	if (more == NULL)
		return false;
	t->open = more;
	more = &t->open[t->open_count++];
	*more = (struct turned_open){0};
	take_text(node_get(v, "account"), more->account, sizeof(more->account));
	take_text(node_get(v, "ip"), more->address, sizeof(more->address));
	return true;
}

static void take_closed(struct turned *t, const struct json_node *v)
{
	const char *reason = node_text(node_get(v, "reason"));
	struct wall stop = {0};

	if (reason == NULL || strncmp(reason, "Authentication", 14) != 0)
		return;
	t->failures++;
	take_wall(node_get(v, "stop"), &stop);
	if (stop.ns < t->last.ns)
		return;
	t->last = stop;
	take_text(node_get(v, "ip"), t->address, sizeof(t->address));
	take_text(node_get(v, "name"), t->name, sizeof(t->name));
}

struct answer { struct turned *t; bool closed; };

static int on_answer(void *arg, const char *bytes, size_t n, struct bp_error *err)
{
	struct answer *a = arg;
	struct json_node *top = json_tree(bytes, n, err);
	const struct json_node *data, *v;
	unsigned i;
	bool ok = true;

	if (top == NULL)
		return bp_fail(err, BP_EPARSE, "a server's answer is no JSON");
	data = node_get(top, "data");
	take_wall(node_get(data, "now"), &a->t->now);
	a->t->asked = true;
	if (node_is(node_get(data, "connections"), NODE_ARRAY)) {
		NODE_EACH(node_get(data, "connections"), i, v) {
			if (a->closed)
				take_closed(a->t, v);
			else
				ok = ok && take_open(a->t, v);
		}
	}
	free(top);
	return ok ? 0 : bp_fail(err, BP_ENOMEM, "out of memory");
}

int turned_ask(struct bus *b, unsigned servers, struct turned *t, struct bp_error *err)
{
	static const struct { const char *ask; bool closed; } questions[] = {
		{"{\"auth\":true,\"state\":0,\"limit\":1024}", false},
		{"{\"auth\":true,\"state\":1,\"sort\":\"stop\",\"limit\":1024}", true},
	};
	int rc = 0;

	for (int i = 0; rc == 0 && i < 2; i++) {
		struct answer a = {.t = t, .closed = questions[i].closed};

		const char *ask = questions[i].ask;

		rc = bus_ask_all(b, "$SYS.REQ.SERVER.PING.CONNZ", ask, strlen(ask), servers,
				 2 * NS_PER_S, on_answer, &a, err);
	}
	return rc;
}

struct wall turned_now(const struct fleet_dial *dial, unsigned servers)
{
	struct fleet_dial system = {.server = dial->server, .ca = dial->ca, .dir = dial->dir};
	struct turned t = {0};
	struct bus *bus = NULL;
	struct bp_error err;
	struct wall now;

	if (dial->dir != NULL && fleet_dial_open(&system, "system", &bus, &err) == 0)
		(void)turned_ask(bus, servers, &t, &err);
	now = t.now.ns != 0 ? t.now : wall_now();
	bus_close(bus);
	turned_fini(&t);
	return now;
}

/* --- the log ---------------------------------------------------------------------------------- */

/* What stands between two marks; false: they are not there. */
static bool between(const char *line, const char *from, const char *to, char *out, size_t size)
{
	const char *at = strstr(line, from), *end;

	if (at == NULL)
		return false;
	at += strlen(from);
	end = strstr(at, to);
	if (end == NULL)
		return false;
	text_copy(out, size, at, (size_t)(end - at));
	return true;
}

static struct turned_key *key_of(struct turned *t, const char *nkey)
{
	struct turned_key *more;

	for (unsigned i = 0; i < t->keys_count; i++) {
		if (strcmp(t->keys[i].nkey, nkey) == 0)
			return &t->keys[i];
	}
	/* Anybody can try with keys without end: the first are told, the others counted as one. */
	if (t->keys_count >= TURNED_KEYS_MAX)
		return nkey[0] != '\0' ? key_of(t, "") : &t->keys[TURNED_KEYS_MAX - 1];
	more = reallocarray(t->keys, t->keys_count + 1, sizeof(*more));
	if (more == NULL)
		return NULL;
	t->keys = more;
	more = &t->keys[t->keys_count++];
	*more = (struct turned_key){0};
	text_set(more->nkey, sizeof(more->nkey), nkey);
	return more;
}

/* [PID] 2026/11/23 06:41:29.3 [ERR] ADDRESS:PORT - cid:72 - "NAME" - authentication error - Nkey "U..."
 * [PID] ... - Publish Violation - Nkey "U...", Subject "bp.result.sgp1" */
static int take_line(struct turned *t, const char *line)
{
	char nkey[NKEY_PUBLIC_TEXT] = "";
	bool failure = strstr(line, " - authentication error") != NULL;
	bool publish = strstr(line, " - Publish Violation") != NULL;
	bool subscription = strstr(line, " - Subscription Violation") != NULL;
	struct turned_key *k;
	char *colon;

	if (!failure && !publish && !subscription)
		return 0;
	if (!between(line, "Nkey \"", "\"", nkey, sizeof(nkey)) || !nkey_is_public(nkey))
		nkey[0] = '\0';
	k = key_of(t, nkey);
	if (k == NULL)
		return BP_ENOMEM;
	k->failures += failure;
	k->publishes += publish;
	k->subscriptions += subscription;
	(void)between(line, "Subject \"", "\"", k->subject, sizeof(k->subject));
	(void)between(line, "] ", " [ERR]", k->when, sizeof(k->when));
	if (between(line, "[ERR] ", " - cid:", k->address, sizeof(k->address))) {
		colon = strrchr(k->address, ':');
		if (colon != NULL)
			*colon = '\0';
	}
	return 0;
}

int turned_read_log(const char *path, struct turned *t, struct bp_error *err)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	char *line = NULL;
	size_t room = 0;
	int rc = 0;

	if (f == NULL)
		return bp_fail_sys(err, errno, "%s", path);
	while (rc == 0 && getline(&line, &room, f) > 0) {
		if (take_line(t, line) < 0)
			rc = bp_fail(err, BP_ENOMEM, "out of memory");
	}
	if (rc == 0 && ferror(f))
		rc = bp_fail_sys(err, errno, "%s", path);
	t->logged = rc == 0;
	free(line);
	if (f != stdin)
		fclose(f);
	return rc;
}
