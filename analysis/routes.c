// SPDX-License-Identifier: BSD-2-Clause
/*
 * A state for each (peer, prefix): what was told last on either side of the moment. What resets a
 * peer, a new table or a lost session, is kept with the peer and compared at the end.
 */
#include "analysis/routes.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/diff_intern.h"
#include "analysis/json_null.h"

/* When something was told: of lines of one second the later one holds. */
struct told { int64_t ns; uint64_t line; };

struct end { struct told told; uint32_t origin, upstream; bool route; };
struct state { uint32_t peer, prefix; struct end before, after; };
struct peer { struct told before, after; }; /* since when its view is another */
/* (prefix, origin, upstream), and when it was first told in the window. */
struct way { uint32_t prefix, origin, upstream; };

struct routes_maker {
	const struct profile *p;
	struct wall at, until;
	struct intern peers, prefixes, states, ways; /* keys; the numbers index what follows */
	struct peer *peer;
	struct state *state;
	int64_t *first;                              /* by way; 0: not in the window */
	uint32_t peer_room, state_room, way_room;
	struct wall before_told, after_told;
	uint64_t lines, skipped;
};

int routes_new(const struct profile *p, struct wall at, struct wall until,
	       struct routes_maker **out)
{
	struct routes_maker *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return BP_ENOMEM;
	m->p = p;
	m->at = at;
	m->until = until;
	*out = m;
	return 0;
}

void routes_free(struct routes_maker *m)
{
	if (m == NULL)
		return;
	diff_intern_fini(&m->peers);
	diff_intern_fini(&m->prefixes);
	diff_intern_fini(&m->states);
	diff_intern_fini(&m->ways);
	free(m->peer);
	free(m->state);
	free(m->first);
	free(m);
}

/* --- taking ----------------------------------------------------------------------------------- */

static bool covers(struct prefix wide, struct prefix p)
{
	return p.addr.family == wide.addr.family && p.len >= wide.len && prefix_has(wide, p.addr);
}

/* Of the network, or over part of it; a default route leads everywhere. */
static bool is_ours(const struct routes_maker *m, struct prefix p)
{
	for (unsigned i = 0; i < m->p->prefixes_count; i++) {
		struct prefix net = m->p->prefixes[i].prefix;

		if (covers(net, p) || (p.len > 0 && covers(p, net)))
			return true;
	}
	return false;
}

/* The number of a key in `t`, and room for it in the array beside. */
static int place(struct intern *t, const void *key, size_t n, void **array, uint32_t *room,
		 size_t size, uint32_t most, uint32_t *number)
{
	uint32_t count = t->count;
	char *more;
	int rc = diff_intern_put(t, key, n, number);

	if (rc < 0 || *number < count)
		return rc;
	if (*number >= most)
		return BP_ERANGE;
	if (*number >= *room) {
		uint32_t want = 2 * *room + 64;

		more = reallocarray(*array, want, size);
		if (more == NULL)
			return BP_ENOMEM;
		memset(more + *room * size, 0, (want - *room) * size);
		*array = more;
		*room = want;
	}
	return 0;
}

static int peer_of(struct routes_maker *m, const struct bgp_line *l, uint32_t *number)
{
	unsigned char key[1 + 16 + 4];
	void *array = m->peer;
	int rc;

	key[0] = l->peer.family;
	memcpy(key + 1, l->peer.bytes, 16);
	memcpy(key + 17, &l->peer_as, 4);
	rc = place(&m->peers, key, sizeof(key), &array, &m->peer_room, sizeof(*m->peer),
		   ROUTES_PEERS_MAX, number);
	m->peer = array;
	return rc;
}

static int state_of(struct routes_maker *m, const struct bgp_line *l, uint32_t peer,
		    struct state **out)
{
	unsigned char key[1 + 16 + 1];
	uint32_t pair[2] = {peer, 0}, number;
	void *array = m->state;
	int rc;

	key[0] = l->prefix.addr.family;
	memcpy(key + 1, l->prefix.addr.bytes, 16);
	key[17] = l->prefix.len;
	rc = diff_intern_put(&m->prefixes, key, sizeof(key), &pair[1]);
	if (rc == 0 && pair[1] >= ROUTES_PREFIXES_MAX)
		rc = BP_ERANGE;
	if (rc == 0)
		rc = place(&m->states, pair, sizeof(pair), &array, &m->state_room,
			   sizeof(*m->state), ROUTES_STATES_MAX, &number);
	m->state = array;
	if (rc < 0)
		return rc;
	*out = &m->state[number];
	(*out)->peer = pair[0];
	(*out)->prefix = pair[1];
	return 0;
}

static bool later(struct told a, struct told b)
{
	return a.ns > b.ns || (a.ns == b.ns && a.line > b.line);
}

/* A table is the peer's whole view from its first line on; a lost session leaves nothing. */
static void reset(struct peer *p, const struct bgp_line *l, struct told now, bool after)
{
	struct told *side = after ? &p->after : &p->before;

	if (l->kind == BGP_TABLE && side->ns >= now.ns)
		return;
	if (later(now, *side))
		*side = now;
}

static int first_told(struct routes_maker *m, const struct state *s, const struct end *e)
{
	struct way key = {s->prefix, e->origin, e->upstream};
	void *array = m->first;
	uint32_t number;
	int rc = place(&m->ways, &key, sizeof(key), &array, &m->way_room, sizeof(*m->first),
		       ROUTES_STATES_MAX, &number);

	m->first = array;
	if (rc < 0)
		return rc;
	if (e->told.ns >= m->at.ns && (m->first[number] == 0 || e->told.ns < m->first[number]))
		m->first[number] = e->told.ns;
	return 0;
}

int routes_take(struct routes_maker *m, const struct bgp_line *l)
{
	struct told now = {l->time.ns, ++m->lines};
	bool after = l->time.ns >= m->at.ns, whole = l->kind != BGP_ANNOUNCE &&
						     l->kind != BGP_WITHDRAW;
	struct wall *last = after ? &m->after_told : &m->before_told;
	struct state *s;
	struct end *side;
	uint32_t peer;
	bool ours;
	int rc;

	if (l->time.ns >= m->until.ns)
		return 0;
	if (l->time.ns > last->ns)
		*last = l->time;
	ours = addr_is_set(l->prefix.addr) && is_ours(m, l->prefix);
	if (!ours && !whole)
		return 0;
	rc = peer_of(m, l, &peer);
	if (rc < 0)
		return rc;
	if (l->kind == BGP_TABLE || l->kind == BGP_DOWN)
		reset(&m->peer[peer], l, now, after);
	if (!ours)
		return 0;
	rc = state_of(m, l, peer, &s);
	if (rc < 0)
		return rc;
	side = after ? &s->after : &s->before;
	/* Every route has its row, whatever came of it: it may be back within a second. */
	if (l->kind != BGP_WITHDRAW)
		rc = first_told(m, s, &(struct end){now, l->origin, l->upstream, true});
	if (rc == 0 && later(now, side->told))
		*side = (struct end){now, l->origin, l->upstream, l->kind != BGP_WITHDRAW};
	return rc;
}

void routes_skip(struct routes_maker *m)
{
	m->lines++;
	m->skipped++;
}

/* --- what comes of it ------------------------------------------------------------------------ */

static bool holds(const struct end *e, struct told reset_at)
{
	return e->told.ns != 0 && e->route && !later(reset_at, e->told);
}

/* The route at the moment, and the one at the end; NULL: none. */
static const struct end *at_moment(const struct routes_maker *m, const struct state *s)
{
	return holds(&s->before, m->peer[s->peer].before) ? &s->before : NULL;
}

static const struct end *at_end(const struct routes_maker *m, const struct state *s)
{
	const struct peer *p = &m->peer[s->peer];
	const struct end *e = s->after.told.ns != 0 ? &s->after : &s->before;

	return holds(e, later(p->after, p->before) ? p->after : p->before) ? e : NULL;
}

static int count_route(struct routes_maker *m, struct routes *r, const struct state *s,
		       const struct end *e, bool after)
{
	struct way key;
	uint32_t number;
	int rc;

	if (e == NULL)
		return 0;
	key = (struct way){s->prefix, e->origin, e->upstream};
	rc = diff_intern_put(&m->ways, &key, sizeof(key), &number);
	if (rc < 0)
		return rc;
	*(after ? &r->rows[number].after : &r->rows[number].before) += 1;
	*(after ? &r->prefixes[s->prefix].after : &r->prefixes[s->prefix].before) += 1;
	return 0;
}

static struct prefix prefix_at(const struct routes_maker *m, uint32_t number)
{
	const unsigned char *key = diff_intern_get(&m->prefixes, number);
	struct prefix p = {.len = key[17]};

	p.addr.family = key[0];
	memcpy(p.addr.bytes, key + 1, 16);
	return p;
}

static int compare_prefix(struct prefix a, struct prefix b)
{
	int c = addr_compare(a.addr, b.addr);

	return c != 0 ? c : a.len - b.len;
}

static int by_prefix(const void *a, const void *b)
{
	return compare_prefix(((const struct routes_prefix *)a)->prefix,
			      ((const struct routes_prefix *)b)->prefix);
}

static int by_row(const void *a, const void *b)
{
	const struct routes_row *x = a, *y = b;
	int c = compare_prefix(x->prefix, y->prefix);

	if (c != 0)
		return c;
	if (x->before + x->after != y->before + y->after)
		return x->before + x->after > y->before + y->after ? -1 : 1;
	if (x->upstream != y->upstream)
		return x->upstream < y->upstream ? -1 : 1;
	return (x->origin > y->origin) - (x->origin < y->origin);
}

static unsigned peers_told(const struct routes_maker *m)
{
	uint32_t n = m->states.count, count = 0;
	bool *told = calloc(m->peers.count + 1, sizeof(*told));

	for (uint32_t i = 0; told != NULL && i < n; i++) {
		count += !told[m->state[i].peer];
		told[m->state[i].peer] = true;
	}
	free(told);
	return count;
}

/* Rows are counted by number so far. What was gone by the moment, and did not come back, goes. */
static void name_rows(const struct routes_maker *m, struct routes *r)
{
	unsigned kept = 0;

	for (uint32_t i = 0; i < r->row_count; i++) {
		const struct way *w = diff_intern_get(&m->ways, i);

		if (r->rows[i].before + r->rows[i].after == 0 && m->first[i] == 0)
			continue;
		r->rows[kept++] = (struct routes_row){
			.prefix = prefix_at(m, w->prefix), .origin = w->origin,
			.upstream = w->upstream, .before = r->rows[i].before,
			.after = r->rows[i].after, .first = {m->first[i]}};
	}
	r->row_count = kept;
}

int routes_make(struct routes_maker *m, struct routes *out)
{
	struct routes r = {.profile = m->p, .before_told = m->before_told,
			   .after_told = m->after_told, .lines = m->lines, .skipped = m->skipped,
			   .row_count = m->ways.count, .prefix_count = m->prefixes.count,
			   .peers = peers_told(m)};
	int rc = 0;

	r.rows = calloc(r.row_count + 1, sizeof(*r.rows));
	r.prefixes = calloc(r.prefix_count + 1, sizeof(*r.prefixes));
	if (r.rows == NULL || r.prefixes == NULL)
		rc = BP_ENOMEM;
	for (uint32_t i = 0; i < m->states.count && rc == 0; i++) {
		rc = count_route(m, &r, &m->state[i], at_moment(m, &m->state[i]), false);
		/* Nothing was told from the moment on: that nothing changed is not known. */
		if (rc == 0 && m->after_told.ns != 0)
			rc = count_route(m, &r, &m->state[i], at_end(m, &m->state[i]), true);
	}
	if (rc < 0) {
		routes_fini(&r);
		return rc;
	}
	name_rows(m, &r);
	for (uint32_t i = 0; i < r.prefix_count; i++)
		r.prefixes[i].prefix = prefix_at(m, i);
	qsort(r.rows, r.row_count, sizeof(*r.rows), by_row);
	qsort(r.prefixes, r.prefix_count, sizeof(*r.prefixes), by_prefix);
	*out = r;
	return 0;
}

void routes_fini(struct routes *r)
{
	free(r->rows);
	free(r->prefixes);
	*r = (struct routes){0};
}

const struct routes_prefix *routes_prefix_of(const struct routes *r, struct prefix p)
{
	struct routes_prefix key = {.prefix = p};

	return r->prefix_count == 0 ? NULL :
	       bsearch(&key, r->prefixes, r->prefix_count, sizeof(key), by_prefix);
}

const char *routes_border(const struct profile *p, uint32_t asn, struct wall when)
{
	for (unsigned b = 0; b < p->borders_count && asn != 0; b++) {
		for (unsigned i = 0; i < p->borders[b].networks_count; i++) {
			const struct profile_network *n = &p->borders[b].networks[i];

			if (n->asn == asn && validity_holds(&n->valid, when))
				return p->borders[b].id;
		}
	}
	return NULL;
}

/* --- as JSON --------------------------------------------------------------------------------- */

static void put_peers(struct json_writer *w, const char *key, bool known, unsigned n)
{
	if (known)
		json_put_int(w, key, n);
	else
		json_put_null(w, key);
}

static void put_row(struct json_writer *w, const struct routes *r, const struct routes_row *x)
{
	const struct routes_prefix *of = routes_prefix_of(r, x->prefix);
	bool before = r->before_told.ns != 0, after = r->after_told.ns != 0;
	struct wall when = after ? r->after_told : r->before_told;

	json_begin_object(w, NULL);
	json_null_prefix(w, "prefix", x->prefix);
	json_null_asn(w, "origin", x->origin);
	json_null_asn(w, "upstream", x->upstream);
	json_null_text(w, "border", routes_border(r->profile, x->upstream, when));
	put_peers(w, "before", before, x->before);
	put_peers(w, "before_of", before, of->before);
	put_peers(w, "after", after, x->after);
	put_peers(w, "after_of", after, of->after);
	json_null_time(w, "first", x->first);
	json_end(w);
}

void routes_json(struct json_writer *w, const struct routes *r)
{
	json_begin_object(w, "routes");
	json_put_int(w, "lines", (int64_t)r->lines);
	json_put_int(w, "skipped", (int64_t)r->skipped);
	json_put_int(w, "peers", r->peers);
	json_null_time(w, "before_told", r->before_told);
	json_null_time(w, "after_told", r->after_told);
	json_begin_array(w, "rows");
	for (unsigned i = 0; i < r->row_count; i++)
		put_row(w, r, &r->rows[i]);
	json_end(w);
	json_end(w);
}
