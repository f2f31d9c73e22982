// SPDX-License-Identifier: BSD-2-Clause
/*
 * From groups to items. A way is judged for all targets that it can be judged alike for: inside the
 * network or not, of the same names; at a time between the same two dates of the profile.
 */
#include "cli/diff_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/diff_intern.h"
#include "core/buf.h"

/* The store's words for traces: an item's is the place of it. */
struct examples { int64_t *words; uint64_t count, room; };

struct diff_store {
	struct store *store;
	unsigned number;
	struct judge_pass *pass;   /* borrowed, as the next */
	struct diff_set *set;
	struct examples given;     /* of the groups of the set, in the order of items */
	struct examples kept;      /* of rows */
	/* what is said of a destination, as text: its number is a class */
	struct intern classes_by_text;
	struct intern targets; /* struct target_key */
	uint32_t *classes;         /* of each target */
	uint32_t classes_room;
	struct intern ways;   /* struct way_key */
	uint32_t *sights;          /* of each way */
	uint32_t sights_room;
	/* The last way found of each path of the vantage point at work: mostly asked for again. */
	struct path_way *paths;
	uint32_t path_room;
	const char *path_vantage;  /* of them; NULL: of none */
	struct verdict verdict;    /* of the way at work: too large to be made anew for each */
	struct names names;        /* of the addresses of latter ways, between two dates */
	uint32_t names_epoch;
	/* of the window at work */
	enum diff_when side;
	struct wall since, until;
	uint32_t epoch;
	uint64_t traces;
};

struct target_key { struct addr dst; uint8_t unused[3]; uint32_t epoch; };
struct path_way { uint32_t class, number1; uint8_t method; };
struct way_key { uint64_t way; const char *vantage; uint32_t epoch, class; uint8_t method[8]; };

int diff_store_new(struct store *store, unsigned number, struct judge_pass *pass,
		   struct diff_store **out)
{
	struct diff_store *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return BP_ENOMEM;
	d->store = store;
	d->number = number;
	d->pass = pass;
	names_init(&d->names);
	*out = d;
	return 0;
}

void diff_store_free(struct diff_store *d)
{
	if (d == NULL)
		return;
	names_fini(&d->names);
	diff_intern_fini(&d->classes_by_text);
	diff_intern_fini(&d->targets);
	diff_intern_fini(&d->ways);
	free(d->given.words);
	free(d->kept.words);
	free(d->classes);
	free(d->sights);
	free(d->paths);
	free(d);
}

void diff_store_begin(struct diff_store *d, struct diff_set *set)
{
	d->set = set;
	d->given.count = 0;
	/* Sights are of a set. */
	diff_intern_fini(&d->ways);
	d->path_vantage = NULL;
}

/* --- groups ----------------------------------------------------------------------------------- */

/* Room for number `number`; what is new is zeroed. */
static int room_for(void **at, uint32_t *room, uint32_t number, size_t size)
{
	uint32_t wanted = *room > 0 ? *room : 256;
	char *more;

	if (number < *room)
		return 0;
	while (wanted <= number)
		wanted *= 2;
	more = reallocarray(*at, wanted, size);
	if (more == NULL)
		return BP_ENOMEM;
	memset(more + *room * size, 0, (wanted - *room) * size);
	*at = more;
	*room = wanted;
	return 0;
}

static int number_room(uint32_t **at, uint32_t *room, uint32_t number)
{
	void *numbers = *at;
	int rc = room_for(&numbers, room, number, sizeof(**at));

	*at = numbers;
	return rc;
}

/* All that a judgement could read of a destination but its very address. */
static int class_name(struct diff_store *d, struct addr dst, struct wall when, uint32_t *class)
{
	const struct profile *p = d->pass->profile;
	const struct profile_label *label = profile_label(p, dst, when);
	/* A port-unreachable from a target's /64 is the target's. */
	struct prefix near = dst.family == 6 ? prefix_of(dst, 64) : (struct prefix){0};
	char net[PREFIX_TEXT] = "";
	struct name name;
	struct buf text;
	int rc;

	geo_lookup(d->pass->geo, dst, when, &name);
	if (dst.family == 6)
		prefix_format(near, net);
	buf_init(&text);
	buf_printf(&text, "%d %p %u %u|%s|%s|%s|%s|%s", profile_inside(p, dst, when),
		   (const void *)label, name.asn, name.source, name.org, name.country,
		   name.overlay_country, name.label, net);
	rc = text.failed ? BP_ENOMEM :
	     diff_intern_put(&d->classes_by_text, text.bytes, text.used, class);
	buf_fini(&text);
	return rc;
}

static int class_of(struct diff_store *d, const struct store_group *g, uint32_t *class)
{
	struct target_key key;
	uint32_t known = d->targets.count, number = 0;
	int rc;

	memset(&key, 0, sizeof(key));
	key.dst = g->dst;
	key.epoch = d->epoch;
	rc = diff_intern_put(&d->targets, &key, sizeof(key), &number);
	if (rc == 0 && number == known) {
		rc = number_room(&d->classes, &d->classes_room, number);
		if (rc == 0)
			rc = class_name(d, g->dst, g->first, &d->classes[number]);
	}
	if (rc == 0)
		*class = d->classes[number];
	return rc;
}

/* Where a database is missing, what the record says of its addresses counts, and is its own. */
static int judge_whole(struct diff_store *d, int64_t example, uint32_t *sight,
		       struct bp_error *err)
{
	struct record r;
	int rc;

	record_init(&r);
	rc = store_trace(d->store, example, &r, err);
	if (rc == 0) {
		rc = judge_pass_trace(d->pass, r.trace, &r.names, wall_now(), &d->verdict);
		if (rc == 0)
			rc = diff_set_sight(d->set, r.trace, &r.names, &d->verdict, sight);
		if (rc < 0)
			bp_fail(err, rc, "out of memory");
	}
	record_fini(&r);
	return rc;
}

/* Ways of one vantage point come one behind the other and share most of their routers; a longer
 * list would cost more to search and to fill than it saves. */
enum { NAMES_MOST = 128 };

static struct names *names_between(struct diff_store *d)
{
	if (d->names_epoch != d->epoch || d->names.count > NAMES_MOST) {
		names_fini(&d->names);
		names_init(&d->names);
		d->names_epoch = d->epoch;
	}
	return &d->names;
}

/* By one of them. BP_ENOTFOUND: it was dropped meanwhile. */
static int judge_way(struct diff_store *d, const struct store_group *g, uint32_t *sight,
		     struct bp_error *err)
{
	struct names *names;
	struct trace *t;
	int rc;

	if (g->first.ns == 0 || !judge_pass_names_alone(d->pass))
		return judge_whole(d, g->example, sight, err);
	rc = store_trace_bare(d->store, g->example, &t, err);
	if (rc < 0)
		return rc;
	names = names_between(d);
	rc = judge_pass_way(d->pass, t, names, wall_now(), &d->verdict);
	if (rc == 0)
		rc = diff_set_sight(d->set, t, names, &d->verdict, sight);
	free(t);
	return rc < 0 ? bp_fail(err, rc, "out of memory") : 0;
}

enum { SIGHT_NONE = UINT32_MAX };

/* The number of a way; a new one has no sight yet. */
static int way_find(struct diff_store *d, const struct store_group *g, uint32_t class,
		    uint32_t *number)
{
	struct way_key key;
	uint32_t known = d->ways.count;
	int rc;

	memset(&key, 0, sizeof(key));
	key.way = g->way;
	key.vantage = g->vantage;
	key.epoch = d->epoch;
	key.class = class;
	key.method[0] = g->method;
	rc = diff_intern_put(&d->ways, &key, sizeof(key), number);
	if (rc == 0)
		rc = number_room(&d->sights, &d->sights_room, *number);
	if (rc == 0 && *number == known)
		d->sights[*number] = SIGHT_NONE;
	return rc;
}

/* The same by the number of its path. */
static int way_of(struct diff_store *d, const struct store_group *g, uint32_t *number)
{
	void *paths = d->paths;
	struct path_way *p;
	uint32_t class = 0;
	int rc = class_of(d, g, &class);

	if (rc == 0)
		rc = room_for(&paths, &d->path_room, g->path, sizeof(*d->paths));
	d->paths = paths;
	if (rc < 0)
		return rc;
	if (d->path_vantage != g->vantage)
		memset(d->paths, 0, d->path_room * sizeof(*d->paths));
	d->path_vantage = g->vantage;
	p = &d->paths[g->path];
	if (p->number1 == 0 || p->class != class || p->method != g->method) {
		rc = way_find(d, g, class, number);
		if (rc < 0)
			return rc;
		*p = (struct path_way){class, *number + 1, g->method};
	}
	*number = p->number1 - 1;
	return 0;
}

static int sight_of(struct diff_store *d, const struct store_group *g, uint32_t *sight,
		    struct bp_error *err)
{
	uint32_t number = 0;
	int rc = way_of(d, g, &number);

	if (rc < 0)
		return bp_fail(err, rc, "out of memory");
	if (d->sights[number] == SIGHT_NONE)
		rc = judge_way(d, g, &d->sights[number], err);
	*sight = d->sights[number];
	return rc;
}

/* The store's word for an example is its own affair, all 64 bits of it. */
enum { EXAMPLE_BITS = 40 };

unsigned diff_store_number(int64_t example)
{
	return (unsigned)(example >> EXAMPLE_BITS);
}

static int example_add(const struct diff_store *d, struct examples *to, int64_t word,
		       int64_t *example)
{
	if (to->count == to->room) {
		uint64_t room = to->room > 0 ? 2 * to->room : 1024;
		int64_t *more = reallocarray(to->words, room, sizeof(*more));

		if (more == NULL)
			return BP_ENOMEM;
		to->words = more;
		to->room = room;
	}
	*example = (int64_t)d->number << EXAMPLE_BITS | (int64_t)to->count;
	to->words[to->count++] = word;
	return 0;
}

static uint64_t example_place(int64_t example)
{
	return (uint64_t)example & ((UINT64_C(1) << EXAMPLE_BITS) - 1);
}

static int keep_rows(struct diff_store *d, struct diff_row *rows, unsigned n)
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < 2 * n; i++) {
		struct diff_side *side = i % 2 == 0 ? &rows[i / 2].before : &rows[i / 2].after;

		if (diff_store_number(side->example) == d->number)
			rc = example_add(d, &d->kept, d->given.words[example_place(side->example)],
					 &side->example);
	}
	return rc;
}

int diff_store_keep(struct diff_store *d, struct diff *of)
{
	int rc = keep_rows(d, of->rows, of->row_count);

	return rc == 0 ? keep_rows(d, of->targets, of->target_count) : rc;
}

static int take_group(void *arg, const struct store_group *g, struct bp_error *err)
{
	struct diff_store *d = arg;
	struct diff_item item = {
		.vantage = g->vantage, .src = g->src, .dst = g->dst, .method = g->method,
		.reach = g->reach, .flow = g->flow, .sport = g->sport, .dport = g->dport,
		.count = g->count, .first = g->first, .last = g->last,
		.rtt_ns = g->rtt_ns, .rtt_count = g->rtt_count,
	};
	int rc = sight_of(d, g, &item.sight, err);

	if (rc == BP_ENOTFOUND)
		return 0;
	if (rc < 0)
		return rc;
	d->traces += g->count;
	rc = example_add(d, &d->given, g->example, &item.example);
	if (rc == 0)
		rc = diff_set_add(d->set, d->side, &item);
	return rc < 0 ? bp_fail(err, rc, "out of memory") : 0;
}

/* --- windows ---------------------------------------------------------------------------------- */

static int take_round(void *arg, struct record *r, struct bp_error *err)
{
	struct diff_store *d = arg;
	struct round round;
	int rc;

	if (r->kind != RECORD_ROUND || round_read(r, &round, err) < 0 ||
	    round.planned.ns < d->since.ns ||
	    (d->until.ns != 0 && round.planned.ns >= d->until.ns))
		return 0;
	rc = diff_set_round(d->set, d->side, &round);
	return rc < 0 ? bp_fail(err, rc, "out of memory") : 0;
}

/* A window is cut at the dates of the profile: a group that lay across one would be judged by two
 * different profiles. */
static int read_groups(struct diff_store *d, struct store_select select, struct bp_error *err)
{
	const struct wall until = select.until;
	struct wall next;
	int rc = 0;

	do {
		next = judge_pass_next_date(d->pass, select.since);
		d->epoch = judge_pass_epoch(d->pass, select.since);
		if (next.ns == 0 || (until.ns != 0 && next.ns >= until.ns))
			next = until;
		select.until = next;
		d->path_vantage = NULL;
		rc = store_groups(d->store, &select, take_group, d, err);
		select.since = next;
	} while (rc == 0 && next.ns != until.ns);
	return rc;
}

int diff_store_groups(struct diff_store *d, const struct store_select *select,
		      enum diff_when side, uint64_t *traces, struct bp_error *err)
{
	int rc;

	d->side = side;
	d->traces = 0;
	rc = read_groups(d, *select, err);
	*traces += d->traces;
	return rc;
}

int diff_store_rounds(struct diff_store *d, const struct store_select *select,
		      enum diff_when side, struct bp_error *err)
{
	struct store_select rounds = *select;

	d->side = side;
	d->since = select->since;
	d->until = select->until;
	rounds.rounds_only = true;
	return store_read(d->store, &rounds, take_round, d, err);
}

int diff_store_example(struct diff_store *d, int64_t example, struct record *out,
		       struct bp_error *err)
{
	return store_trace(d->store, d->kept.words[example_place(example)], out, err);
}
