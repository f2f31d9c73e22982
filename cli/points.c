// SPDX-License-Identifier: BSD-2-Clause
/*
 * Sources merged by time. A piece is a round of a file with what it holds, a trace of none, or what
 * a store gives at once; the piece that begins first is next, of stores before files.
 */
#include "cli/points.h"

#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/points_gaps.h"
#include "cli/points_kept.h"
#include "cli/points_warm.h"

/* Rounds are looked for so far before the window. */
#define WARM_MOST_NS (3 * 86400 * NS_PER_S)

struct source {
	struct store *store;              /* owned, as the next */
	struct store_point_reader *reader;
	struct wall at;                   /* of the piece that waits */
	bool more;                        /* one does */
};

/* Whose round it is: of several that have it the first one to come. */
struct owners { struct intern ids; struct list of; const char *last; bool mine; };

struct points {
	const struct select *select;
	struct judge_pass *pass;
	unsigned warm;
	struct select wide;         /* as select, but for what may have to warm up, any border */
	struct wall from;
	bool from_known;
	struct nodes nodes;
	struct point_room room;
	struct select_counts counts;
	struct verdict verdict;     /* scratch */
	struct kept kept;           /* what files hold */
	uint64_t dateless;          /* traces without a time */
	struct list sources;        /* struct source */
	unsigned failed;            /* of them */
	const struct points_to *to; /* while they are read, as the next */
	struct source *giving;
	int taken;                  /* what `to` came to; negative: it will have no more */
	struct owners owners;
	struct gaps gaps;           /* of several sources */
	bool looking;               /* for the networks of --border */
	struct intern networks;     /* struct prefix: those */
};

static int no_memory(struct bp_error *err)
{
	return bp_fail(err, BP_ENOMEM, "out of memory");
}

int points_new(const struct select *select, struct judge_pass *pass, unsigned warm,
	       struct points **out)
{
	struct points *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return BP_ENOMEM;
	p->select = select;
	p->pass = pass;
	p->warm = warm;
	p->wide = *select;
	/* Borders are those of our verdicts, which a store need not have. */
	p->wide.border = NULL;
	if (select->since.ns != 0 && warm > 0)
		p->wide.since.ns -= WARM_MOST_NS;
	if (nodes_init(&p->nodes) < 0) {
		free(p);
		return BP_ENOMEM;
	}
	*out = p;
	return 0;
}

void points_free(struct points *p)
{
	struct source *sources;

	if (p == NULL)
		return;
	sources = p->sources.items;
	for (uint32_t i = 0; i < p->sources.count; i++) {
		store_points_close(sources[i].reader);
		store_close(sources[i].store);
	}
	free(p->sources.items);
	free(p->owners.of.items);
	diff_intern_fini(&p->owners.ids);
	diff_intern_fini(&p->networks);
	kept_fini(&p->kept);
	gaps_fini(&p->gaps);
	point_room_fini(&p->room);
	nodes_fini(&p->nodes);
	free(p);
}

struct nodes *points_nodes(struct points *p)
{
	return &p->nodes;
}

const struct select_counts *points_counts(const struct points *p)
{
	return &p->counts;
}

/* --- files ------------------------------------------------------------------------------------ */

static int take_trace(struct points *p, const struct record *r, const struct verdict *v)
{
	struct point x;
	const char *id;
	bool new;
	int rc;

	if (r->trace->start.ns == 0) {
		p->dateless++;
		return 0;
	}
	rc = kept_id(&p->kept, r->trace->id, &new, &id);
	if (rc < 0 || !new)
		return rc;
	rc = point_of_trace(r->trace, &r->names, v, p->pass->profile, &p->nodes, &p->room, &x);
	/* Its names are the room's for good; its id is not. */
	x.id = id;
	return rc < 0 ? rc : kept_add(&p->kept, &x);
}

static int take_round(struct points *p, const struct record *r)
{
	struct round *round = malloc(sizeof(*round));
	struct bp_error why;
	int rc;

	if (round == NULL)
		return BP_ENOMEM;
	rc = round_read(r, round, &why);
	if (rc < 0) {
		free(round);
		if (rc == BP_ENOMEM)
			return rc;
		select_skip(p->select, &p->counts, why.text);
		return 0;
	}
	if (round->id[0] == '\0')
		round_set_id(round);
	rc = kept_add_round_take(&p->kept, round);
	if (rc < 0)
		free(round);
	return rc;
}

int points_take(struct points *p, const struct record *r, const struct verdict *v,
		struct bp_error *err)
{
	int rc = 0;

	if (r->kind == RECORD_TRACE)
		rc = take_trace(p, r, v);
	else if (r->kind == RECORD_ROUND)
		rc = take_round(p, r);
	return rc < 0 ? no_memory(err) : 0;
}

static bool is_ours(const struct points *p, const struct verdict *v)
{
	return v->judged && strcmp(v->profile, p->pass->profile->id) == 0;
}

static int take_record(void *arg, struct record *r, struct bp_error *err)
{
	struct points *p = arg;

	if (r->kind != RECORD_TRACE || is_ours(p, &r->verdict))
		return points_take(p, r, &r->verdict, err);
	if (judge_pass_trace(p->pass, r->trace, &r->names, wall_now(), &p->verdict) < 0)
		return no_memory(err);
	return points_take(p, r, &p->verdict, err);
}

static int add_store(struct points *p, const char *word, struct bp_error *err)
{
	struct store *store;
	struct source *source;

	if (store_open(word, STORE_READ, &store, err) < 0) {
		cli_say("%s", err->text);
		p->counts.files_failed++;
		return 0;
	}
	source = list_add(&p->sources, sizeof(*source));
	if (source == NULL) {
		store_close(store);
		return no_memory(err);
	}
	source->store = store;
	return 0;
}

int points_add(struct points *p, const char *word, struct bp_error *err)
{
	return select_is_store(word) ? add_store(p, word, err) :
	       select_read(&p->wide, word, take_record, p, &p->counts, err);
}

/* --- where to begin --------------------------------------------------------------------------- */

static int warm_stores(const struct points *p, struct warming *w, struct bp_error *err)
{
	const struct source *sources = p->sources.items;
	struct store_select rounds = select_of_store(&p->wide);
	int rc = 0;

	rounds.until = p->select->since;
	rounds.rounds_only = true;
	/* What is wrong with a store is told when its points are read. */
	for (uint32_t i = 0; i < p->sources.count && rc != BP_ENOMEM; i++)
		rc = store_read(sources[i].store, &rounds, warm_record, w, err);
	return rc == BP_ENOMEM ? rc : 0;
}

int points_from(struct points *p, struct wall *from, struct bp_error *err)
{
	struct warming w = {.rounds = p->warm, .least = p->wide.since, .until = p->select->since};
	const struct piece *pieces = p->kept.pieces.items;
	int rc = 0;

	if (!p->from_known && p->select->since.ns != 0 && p->warm > 0) {
		rc = warm_stores(p, &w, err);
		for (uint32_t i = 0; i < p->kept.pieces.count && rc == 0; i++) {
			if (pieces[i].round != NULL && warm_add(&w, pieces[i].round) < 0)
				rc = no_memory(err);
		}
		p->from = warm_from(&w);
		warming_fini(&w);
	} else if (!p->from_known) {
		p->from = p->select->since;
	}
	p->from_known = rc == 0;
	*from = p->from;
	return rc;
}

/* --- the stream ------------------------------------------------------------------------------- */

static bool is_merged(const struct points *p)
{
	return p->sources.count + (p->kept.pieces.count > 0) >= 2;
}

/* Whether a round is this source's (0: the files): the first that has a piece of it gives all. */
static int owned(struct points *p, const char *round, uint32_t source, bool *out)
{
	struct owners *o = &p->owners;
	uint32_t known = o->ids.count, number, *of;

	*out = true;
	if (round[0] == '\0' || !is_merged(p))
		return 0;
	if (diff_intern_put(&o->ids, round, strlen(round) + 1, &number) < 0)
		return BP_ENOMEM;
	if (number == known) {
		of = list_add(&o->of, sizeof(*of));
		if (of == NULL)
			return BP_ENOMEM;
		*of = source;
	}
	*out = ((uint32_t *)o->of.items)[number] == source;
	return 0;
}

static bool is_by_border(const struct points *p, const struct point *x)
{
	return strcmp(p->select->border, x->outcome == OUTCOME_BORDER ? x->border :
		      word_of(outcome_words, x->outcome)) == 0;
}

/* A network that is entered by the border that is asked for. */
static int look_at(struct points *p, const struct point *x, struct bp_error *err)
{
	uint32_t number;

	if (x->start.ns < p->select->since.ns || !is_by_border(p, x))
		return 0;
	return diff_intern_put(&p->networks, &x->prefix, sizeof(x->prefix), &number) < 0 ?
	       no_memory(err) : 0;
}

static bool is_wanted(const struct points *p, const struct point *x)
{
	for (uint32_t i = 0; p->select->border != NULL && i < p->networks.count; i++) {
		if (memcmp(diff_intern_get(&p->networks, i), &x->prefix, sizeof(x->prefix)) == 0)
			return true;
	}
	return p->select->border == NULL;
}

static int give_point(struct points *p, const struct point *x, struct bp_error *err)
{
	if (p->looking)
		return look_at(p, x, err);
	if (is_wanted(p, x))
		p->taken = p->to->on_point(p->to->arg, x, err);
	return p->taken;
}

static int give_round(struct points *p, const struct round *r, struct bp_error *err)
{
	if (!p->looking)
		p->taken = p->to->on_round(p->to->arg, r, err);
	return p->taken;
}

/* Gaps of that vantage point before this: what it missed then is sure. NULL: all there are. */
static int give_gaps(struct points *p, const char *vantage, const char *campaign,
		     const char *round, struct wall at, struct bp_error *err)
{
	struct round gap;
	int rc = 0;

	while (rc == 0 && gaps_next(&p->gaps, vantage, campaign, round, at, &gap)) {
		bool first;

		if (owned(p, gap.id, UINT32_MAX, &first) < 0)
			return no_memory(err);
		rc = first ? give_round(p, &gap, err) : 0;
	}
	return rc;
}

/* A round of this source; a gap waits whether another one measured it. */
static int pass_round(struct points *p, const struct round *r, uint32_t source,
		      struct bp_error *err)
{
	bool mine;
	int rc;

	if (is_merged(p) && gaps_is(r))
		return gaps_hold(&p->gaps, r) < 0 ? no_memory(err) : 0;
	if (owned(p, r->id, source, &mine) < 0)
		return no_memory(err);
	rc = mine ? give_gaps(p, r->vantage, r->campaign, r->id, r->planned, err) : 0;
	return mine && rc == 0 ? give_round(p, r, err) : rc;
}

static int judge_stored(struct points *p, const struct point *x, struct bp_error *err)
{
	char id[TRACE_ID_TEXT];
	struct trace *t;
	struct names names;
	struct point y;
	int rc = store_trace_bare(p->giving->store, x->example, &t, err);

	if (rc < 0)
		return rc;
	text_set(id, sizeof(id), x->id);
	names_init(&names);
	rc = judge_pass_trace(p->pass, t, &names, wall_now(), &p->verdict);
	if (rc == 0)
		rc = point_of_trace(t, &names, &p->verdict, p->pass->profile, &p->nodes, &p->room,
				    &y);
	names_fini(&names);
	free(t);
	if (rc < 0)
		return no_memory(err);
	y.id = id;
	y.example = x->example;
	return give_point(p, &y, err);
}

static uint32_t giving_number(const struct points *p)
{
	return (uint32_t)(p->giving - (struct source *)p->sources.items) + 1;
}

static int take_stored(void *arg, const struct point *x, struct bp_error *err)
{
	struct points *p = arg;
	struct owners *o = &p->owners;
	int rc = 0;

	p->counts.read++;
	if (o->last != x->round) {
		if (owned(p, x->round, giving_number(p), &o->mine) < 0)
			return no_memory(err);
		o->last = x->round;
		if (o->mine)
			rc = give_gaps(p, x->vantage, x->campaign, x->round, x->start, err);
		if (rc < 0)
			return rc;
	}
	if (!o->mine)
		return 0;
	return x->judged || !x->measured ? give_point(p, x, err) : judge_stored(p, x, err);
}

static int take_stored_round(void *arg, const struct round *r, struct bp_error *err)
{
	struct points *p = arg;

	p->counts.read++;
	return pass_round(p, r, giving_number(p), err);
}

static int give_piece(struct points *p, const struct piece *piece, struct bp_error *err)
{
	const struct kept_point *kept = p->kept.points.items;
	bool mine;
	int rc = 0;

	if (piece->count == 0 && piece->round != NULL)
		return pass_round(p, piece->round, 0, err);
	if (owned(p, piece->id != NULL ? piece->id : "", 0, &mine) < 0)
		return no_memory(err);
	if (mine && piece->count > 0 && piece->id != NULL)
		rc = give_gaps(p, kept[piece->first].point.vantage,
			       kept[piece->first].point.campaign, piece->id, piece->at, err);
	for (uint32_t i = 0; mine && i < piece->count && rc == 0; i++)
		rc = give_point(p, &kept[piece->first + i].point, err);
	if (mine && rc == 0 && piece->round != NULL)
		rc = give_round(p, piece->round, err);
	return rc;
}

/* What there is of the others is still to be told, and that this one is missing. */
static int source_failed(struct points *p, struct source *source, int rc, struct bp_error *err)
{
	source->more = false;
	if (p->taken < 0 || rc == BP_ENOMEM)
		return rc;
	/* It is told when it is read for good. */
	if (p->looking)
		return 0;
	cli_say("%s", err->text);
	p->counts.files_failed++;
	p->failed++;
	return 0;
}

static int open_stores(struct points *p, struct wall from, struct bp_error *err)
{
	const struct store_points to = {
		.profile = p->pass->profile, .nodes = &p->nodes, .room = &p->room,
		.on_point = take_stored, .on_round = take_stored_round, .arg = p,
	};
	struct store_select select = select_of_store(&p->wide);
	struct source *sources = p->sources.items;
	int rc = 0;

	select.since = from;
	for (uint32_t i = 0; i < p->sources.count && rc == 0; i++) {
		store_points_close(sources[i].reader);
		sources[i].reader = NULL;
		rc = store_points_open(sources[i].store, &select, &to, &sources[i].reader, err);
		if (rc == 0)
			rc = store_points_next(sources[i].reader, &sources[i].at, err);
		sources[i].more = rc == 1;
		rc = rc < 0 ? source_failed(p, &sources[i], rc, err) : 0;
	}
	return rc;
}

static int give_stored(struct points *p, struct source *source, struct bp_error *err)
{
	int rc;

	p->giving = source;
	p->owners.last = NULL;
	rc = store_points_give(source->reader, err);
	if (rc == 0)
		rc = store_points_next(source->reader, &source->at, err);
	source->more = rc == 1;
	return rc < 0 ? source_failed(p, source, rc, err) : 0;
}

/* The first piece of a store that waits. */
static struct source *first_stored(struct points *p)
{
	struct source *sources = p->sources.items, *first = NULL;

	for (uint32_t i = 0; i < p->sources.count; i++) {
		if (sources[i].more && (first == NULL || sources[i].at.ns < first->at.ns))
			first = &sources[i];
	}
	return first;
}

static bool in_window(const struct points *p, struct wall at)
{
	return at.ns >= p->from.ns && (p->select->until.ns == 0 || at.ns < p->select->until.ns);
}

static int merge(struct points *p, struct bp_error *err)
{
	struct piece *const *next = p->kept.order, *const *end = next + p->kept.pieces.count;
	int rc = 0;

	while (rc == 0) {
		struct source *stored = first_stored(p);

		while (next < end && !in_window(p, (*next)->at))
			next++;
		if (stored != NULL && (next == end || stored->at.ns <= (*next)->at.ns))
			rc = give_stored(p, stored, err);
		else if (next < end)
			rc = give_piece(p, *next++, err);
		else
			break;
	}
	return rc;
}

static int read_all(struct points *p, bool looking, struct bp_error *err)
{
	int rc;

	p->looking = looking;
	diff_intern_fini(&p->owners.ids);
	p->owners.of.count = 0;
	p->owners.last = NULL;
	gaps_fini(&p->gaps);
	rc = open_stores(p, p->from, err);
	if (rc == 0)
		rc = merge(p, err);
	return rc == 0 ? give_gaps(p, NULL, NULL, NULL, (struct wall){0}, err) : rc;
}

int points_read(struct points *p, const struct points_to *to, struct bp_error *err)
{
	struct wall from;
	int rc = points_from(p, &from, err);

	p->to = to;
	if (rc == 0 && kept_settle(&p->kept) < 0)
		rc = no_memory(err);
	if (rc == 0 && p->select->border != NULL)
		rc = read_all(p, true, err);
	if (rc == 0)
		rc = read_all(p, false, err);
	if (rc < 0)
		return rc;
	p->counts.stores += p->sources.count - p->failed;
	if (p->dateless > 0) {
		cli_say("skipped: %llu trace%s without a time", (unsigned long long)p->dateless,
			p->dateless == 1 ? "" : "s");
		p->counts.skipped += p->dateless;
	}
	return 0;
}
