// SPDX-License-Identifier: BSD-2-Clause
/*
 * Points gathered by round and key; when a round is over each key's become a cell (series_cell.c).
 * Owns which rounds are open, and what is a gap.
 */
#include "analysis/series.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/series_cell.h"
#include "core/err.h"

enum {
	OPEN_MAX = 3,      /* rounds of a lane at one time: one, the next, a look */
	DISTANCES = 9,     /* of rounds, that `every` is the median of */
	RECENT_TEXTS = 1024,
};
static const int64_t PAUSE_NS = 600 * NS_PER_S;

struct open_round {
	char id[TRACE_ID_TEXT];   /* empty: made */
	struct wall first, last;  /* starts */
	bool heard;               /* somebody answered who is no router of our own */
	struct gather *gathers;   /* owned; what they own too */
	unsigned count, room;
	uint32_t *slot;           /* owned: by the key's place in its lane, index + 1 */
	unsigned slots;
	struct intern asked;      /* of a made one: who was */
};

struct series_row {
	struct series_key key;
	unsigned place;           /* in its lane */
	bool asleep;              /* not asked in the last complete round */
};

/* A vantage point's campaign. */
struct lane {
	const char *vantage, *campaign;
	uint32_t *keys;           /* owned */
	unsigned key_count, key_room;
	struct open_round open[OPEN_MAX];
	unsigned open_count;      /* oldest first */
	struct wall planned;      /* of the last scheduled round that is over */
	int64_t distance[DISTANCES];
	unsigned distances;       /* so far; the ring's next is distances % DISTANCES */
};

struct series {
	const struct profile *profile;
	struct nodes *nodes;
	int (*on_cell)(void *arg, const struct cell *c);
	void *arg;
	struct intern texts;      /* names that outlive their points */
	struct intern lanes_by_name, keys_by_name;
	struct lane *lanes;       /* owned */
	unsigned lane_room;
	struct series_row **rows; /* owned, each too: keys are pointed at */
	unsigned row_room;
	unsigned last_lane;
	struct series_row *last_row;  /* of the last point; NULL: none */
	const char *recent[RECENT_TEXTS]; /* of texts: the last from about there */
	struct cell_room room;
};

int series_new(const struct profile *p, struct nodes *nodes,
	       int (*on_cell)(void *arg, const struct cell *c), void *arg, struct series **out)
{
	struct series *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return BP_ENOMEM;
	s->profile = p;
	s->nodes = nodes;
	s->on_cell = on_cell;
	s->arg = arg;
	*out = s;
	return 0;
}

static void round_drop(struct open_round *r)
{
	for (unsigned i = 0; i < r->count; i++)
		gather_fini(&r->gathers[i]);
	free(r->gathers);
	free(r->slot);
	diff_intern_fini(&r->asked);
	memset(r, 0, sizeof(*r));
}

void series_free(struct series *s)
{
	if (s == NULL)
		return;
	for (unsigned i = 0; i < s->lanes_by_name.count; i++) {
		for (unsigned k = 0; k < s->lanes[i].open_count; k++)
			round_drop(&s->lanes[i].open[k]);
		free(s->lanes[i].keys);
	}
	for (unsigned i = 0; i < s->keys_by_name.count; i++)
		free(s->rows[i]);
	free(s->lanes);
	free(s->rows);
	diff_intern_fini(&s->texts);
	diff_intern_fini(&s->lanes_by_name);
	diff_intern_fini(&s->keys_by_name);
	cell_room_fini(&s->room);
	free(s);
}

/* --- who -------------------------------------------------------------------------------------- */

/* In a stream of points a name has one place, so where it lies is nearly always where it was put
 * before. */
static int keep_text(struct series *s, const char *text, const char **out)
{
	const char **recent = &s->recent[((uintptr_t)text >> 4) % RECENT_TEXTS];
	uint32_t number;

	if (*recent == NULL || strcmp(*recent, text) != 0) {
		if (diff_intern_put(&s->texts, text, strlen(text) + 1, &number) < 0)
			return BP_ENOMEM;
		*recent = diff_intern_get(&s->texts, number);
	}
	*out = *recent;
	return 0;
}

static bool grow(void **items, unsigned *room, unsigned count, size_t size)
{
	unsigned more = *room > 0 ? 2 * *room : 16;
	void *p;

	if (count < *room)
		return true;
	p = reallocarray(*items, more, size);
	if (p == NULL)
		return false;
	memset((char *)p + *room * size, 0, (more - *room) * size);
	*items = p;
	*room = more;
	return true;
}

static int find_lane(struct series *s, const char *vantage, const char *campaign,
		     struct lane **out)
{
	struct { const char *vantage, *campaign; } name;
	struct lane *l = s->lanes_by_name.count > 0 ? &s->lanes[s->last_lane] : NULL;
	uint32_t number;
	int rc;

	if (l != NULL && strcmp(l->vantage, vantage) == 0 && strcmp(l->campaign, campaign) == 0) {
		*out = l;
		return 0;
	}
	rc = keep_text(s, vantage, &name.vantage);
	if (rc == 0)
		rc = keep_text(s, campaign, &name.campaign);
	if (rc < 0 || !grow((void **)&s->lanes, &s->lane_room, s->lanes_by_name.count, sizeof(*l)))
		return BP_ENOMEM;
	/* Texts are kept once: their places stand for them. */
	if (diff_intern_put(&s->lanes_by_name, &name, sizeof(name), &number) < 0)
		return BP_ENOMEM;
	l = &s->lanes[number];
	l->vantage = name.vantage;
	l->campaign = name.campaign;
	s->last_lane = number;
	*out = l;
	return 0;
}

static int new_row(struct series *s, struct lane *l, uint32_t number, const struct point *p)
{
	struct series_row *row = calloc(1, sizeof(*row));

	if (row == NULL)
		return BP_ENOMEM;
	row->key = (struct series_key){.number = number,
				       .vantage = l->vantage,
				       .campaign = l->campaign,
				       .prefix = p->prefix,
				       .method = p->method};
	row->place = l->key_count;
	l->keys[l->key_count++] = number;
	s->rows[number] = row;
	return 0;
}

static int find_row(struct series *s, struct lane *l, const struct point *p,
		    struct series_row **out)
{
	struct { uint32_t lane; struct addr addr; uint8_t len, method; } name;
	uint32_t before = s->keys_by_name.count, number;
	struct series_row *last = s->last_row;

	if (last != NULL && last->key.vantage == l->vantage && last->key.campaign == l->campaign &&
	    last->key.method == p->method && prefix_equal(last->key.prefix, p->prefix)) {
		*out = last;
		return 0;
	}
	memset(&name, 0, sizeof(name));
	name.lane = (uint32_t)(l - s->lanes);
	name.addr = p->prefix.addr;
	name.len = p->prefix.len;
	name.method = p->method;
	if (!grow((void **)&s->rows, &s->row_room, before, sizeof(*s->rows)) ||
	    !grow((void **)&l->keys, &l->key_room, l->key_count, sizeof(*l->keys)) ||
	    diff_intern_put(&s->keys_by_name, &name, sizeof(name), &number) < 0)
		return BP_ENOMEM;
	/* A row may be missing where memory was, when its name had just been kept. */
	if (s->rows[number] == NULL && new_row(s, l, number, p) < 0)
		return BP_ENOMEM;
	*out = s->last_row = s->rows[number];
	return 0;
}

/* --- cells ------------------------------------------------------------------------------------ */

static int64_t lane_every(const struct lane *l)
{
	/* Who counts in rounds, some hundred of them, must not count beyond what a time can say:
	 * others' records may lie years apart. */
	const int64_t most = INT64_MAX / 1024;
	unsigned n = l->distances < DISTANCES ? l->distances : DISTANCES;
	int64_t sorted[DISTANCES];

	for (unsigned i = 0; i < n; i++) {
		unsigned at = i;

		for (; at > 0 && sorted[at - 1] > l->distance[i]; at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = l->distance[i];
	}
	if (n == 0)
		return 0;
	return sorted[(n - 1) / 2] < most ? sorted[(n - 1) / 2] : most;
}

static void lane_advance(struct lane *l, struct wall planned)
{
	if (planned.ns <= l->planned.ns)
		return;
	if (l->planned.ns != 0)
		l->distance[l->distances++ % DISTANCES] = planned.ns - l->planned.ns;
	l->planned = planned;
}

/* Out of a gap, or of what a key has in a round. */
static int put_cell(struct series *s, struct cell *c, struct series_row *row,
		    const struct gather *g)
{
	c->key = &row->key;
	c->border = -1;
	c->rtt_min_ns = c->rtt_median_ns = c->outside_rtt_ns = -1;
	c->via_org = "";
	if (c->state == CELL_MEASURED) {
		int rc = cell_fill(c, g, series_border_count(s), &s->room);

		if (rc < 0)
			return rc;
		if (c->end.ns == 0)
			c->end = gather_end(g);
	}
	return s->on_cell(s->arg, c);
}

static int put_round(struct series *s, struct lane *l, struct open_round *open,
		     const struct round *r)
{
	bool look = r != NULL && r->look;
	bool offline = r != NULL && r->health == ROUND_HEALTH_OFFLINE;
	bool unsure = r == NULL || r->health == ROUND_HEALTH_UNKNOWN;
	struct cell head = {.round = open != NULL ? open->id : r->id,
			    .planned = r != NULL && r->planned.ns != 0 ? r->planned : open->first,
			    .end = r != NULL ? r->end : (struct wall){0},
			    .why = r != NULL ? r->why : (uint8_t)ROUND_WHY_NONE,
			    .look = look,
			    .moved = r != NULL && r->changed != 0,
			    .reference = r != NULL && r->reference_answered > 0,
			    .online = r != NULL && (r->health == ROUND_HEALTH_OK ||
						    r->health == ROUND_HEALTH_PARTIAL),
			    .unsure = r != NULL && r->health == ROUND_HEALTH_UNKNOWN};
	int rc = 0;

	if (!look)
		lane_advance(l, head.planned);
	head.every_ns = lane_every(l);
	/* Where nobody is there to say that we are well, silence all around is our own. */
	if (unsure && open != NULL && open->count > 0 && !open->heard)
		offline = true;
	if (offline && head.why == ROUND_WHY_NONE)
		head.why = ROUND_WHY_OFFLINE;
	for (unsigned i = 0; i < l->key_count && rc == 0; i++) {
		struct series_row *row = s->rows[l->keys[i]];
		uint32_t slot = open != NULL && i < open->slots ? open->slot[i] : 0;
		const struct gather *g = slot > 0 ? &open->gathers[slot - 1] : NULL;
		bool measured = g != NULL && g->count > 0;
		struct cell c = head;

		if (!measured && (r == NULL || look || row->asleep))
			continue;
		if (!measured && r->missed == 0 && !offline && g == NULL) {
			row->asleep = true;
			continue;
		}
		row->asleep = row->asleep && !measured;
		c.state = offline ? CELL_OFFLINE : measured ? CELL_MEASURED : CELL_MISSED;
		if (c.state != CELL_MEASURED && c.end.ns == 0)
			c.end = measured ? gather_end(g) : c.planned;
		rc = put_cell(s, &c, row, g);
	}
	return rc;
}

static int close_oldest(struct series *s, struct lane *l, unsigned at, const struct round *r)
{
	struct open_round open = l->open[at];
	int rc;

	memmove(&l->open[at], &l->open[at + 1], (l->open_count - at - 1) * sizeof(open));
	l->open_count--;
	memset(&l->open[l->open_count], 0, sizeof(open));
	rc = put_round(s, l, &open, r);
	round_drop(&open);
	return rc;
}

/* --- what comes in ---------------------------------------------------------------------------- */

static int ask_again(struct open_round *o, const struct point *p, bool *again)
{
	struct { struct addr dst; int32_t flow, dport; uint8_t method; } who;
	uint32_t before = o->asked.count, number;

	memset(&who, 0, sizeof(who));
	who.dst = p->dst;
	who.flow = p->flow;
	who.dport = p->dport;
	who.method = p->method;
	if (diff_intern_put(&o->asked, &who, sizeof(who), &number) < 0)
		return BP_ENOMEM;
	*again = number < before;
	return 0;
}

static int open_new(struct series *s, struct lane *l, const struct point *p,
		    struct open_round **out)
{
	struct open_round *o;

	if (l->open_count == OPEN_MAX) {
		int rc = close_oldest(s, l, 0, NULL);

		if (rc < 0)
			return rc;
	}
	o = &l->open[l->open_count++];
	memset(o, 0, sizeof(*o));
	text_set(o->id, sizeof(o->id), p->round);
	o->first = o->last = p->start;
	*out = o;
	return 0;
}

static int find_round(struct series *s, struct lane *l, const struct point *p,
		      struct open_round **out)
{
	bool made = p->round[0] == '\0', again = false;
	struct open_round *o = NULL;
	unsigned at;
	int rc;

	for (at = 0; at < l->open_count && o == NULL; at++) {
		if (strcmp(l->open[at].id, p->round) == 0)
			o = &l->open[at];
	}
	if (o != NULL && made) {
		rc = ask_again(o, p, &again);
		if (rc < 0)
			return rc;
		if (again || p->start.ns - o->last.ns > PAUSE_NS) {
			rc = close_oldest(s, l, at - 1, NULL);
			if (rc < 0)
				return rc;
			o = NULL;
		}
	}
	if (o == NULL) {
		rc = open_new(s, l, p, &o);
		if (rc == 0 && made)
			rc = ask_again(o, p, &again);
		if (rc < 0)
			return rc;
	}
	if (p->start.ns < o->first.ns)
		o->first = p->start;
	if (p->start.ns > o->last.ns)
		o->last = p->start;
	*out = o;
	return 0;
}

static int find_gather(struct open_round *o, const struct series_row *row, struct gather **out)
{
	unsigned place = row->place;

	while (place >= o->slots) {
		if (!grow((void **)&o->slot, &o->slots, o->slots, sizeof(*o->slot)))
			return BP_ENOMEM;
	}
	if (o->slot[place] == 0) {
		if (!grow((void **)&o->gathers, &o->room, o->count, sizeof(*o->gathers)))
			return BP_ENOMEM;
		o->slot[place] = ++o->count;
	}
	*out = &o->gathers[o->slot[place] - 1];
	return 0;
}

static void note_heard(const struct series *s, struct open_round *o, const struct point *p)
{
	for (unsigned i = 0; i < p->hop_count && !o->heard; i++)
		o->heard = p->hops[i].node == NODE_DESTINATION ||
			   !nodes_get(s->nodes, p->hops[i].node)->skipped;
	o->heard = o->heard || p->reach == REACH_REACHED;
}

/* Index of a border by its id; -1: not of this profile. */
static int border_index(const struct series *s, const char *id)
{
	for (unsigned i = 0; i < s->profile->borders_count && i < VERDICT_BORDERS_MAX; i++) {
		if (strcmp(s->profile->borders[i].id, id) == 0)
			return (int)i;
	}
	return -1;
}

int series_point(struct series *s, const struct point *p)
{
	struct series_row *row = NULL;
	struct open_round *o = NULL;
	struct gather *g = NULL;
	struct gather_names names;
	struct lane *l;
	int rc = find_lane(s, p->vantage, p->campaign, &l);

	if (rc == 0)
		rc = find_row(s, l, p, &row);
	if (rc == 0)
		rc = find_round(s, l, p, &o);
	if (rc == 0)
		rc = find_gather(o, row, &g);
	if (rc < 0 || !p->measured)
		return rc;
	note_heard(s, o, p);
	names.border = p->outcome == OUTCOME_BORDER ? border_index(s, p->border) : -1;
	rc = keep_text(s, p->target, &names.target);
	if (rc == 0)
		rc = keep_text(s, p->via_org, &names.via_org);
	return rc == 0 ? gather_add(g, p, &names) : rc;
}

int series_round(struct series *s, const struct round *r)
{
	struct wall began = r->start.ns != 0 ? r->start : r->planned;
	struct lane *l;
	int rc = find_lane(s, r->vantage, r->campaign, &l);

	for (unsigned i = 0; rc == 0 && i < l->open_count;) {
		const struct open_round *o = &l->open[i];

		if (strcmp(o->id, r->id) == 0)
			return close_oldest(s, l, i, r);
		/* Rounds come in their order: what began before is over; but a look leaves alone
		 * the round that it was taken in. */
		if (!r->look && o->first.ns < began.ns)
			rc = close_oldest(s, l, i, NULL);
		else
			i++;
	}
	/* It went before it was told of: a third one had begun. */
	if (rc < 0 || (!r->look && r->planned.ns <= l->planned.ns))
		return rc;
	return put_round(s, l, NULL, r);
}

int series_end(struct series *s)
{
	int rc = 0;

	for (unsigned i = 0; i < s->lanes_by_name.count; i++) {
		while (s->lanes[i].open_count > 0 && rc == 0)
			rc = close_oldest(s, &s->lanes[i], 0, NULL);
	}
	return rc;
}

/* --- looking up ------------------------------------------------------------------------------- */

unsigned series_border_count(const struct series *s)
{
	unsigned n = s->profile->borders_count;

	return (n < VERDICT_BORDERS_MAX ? n : VERDICT_BORDERS_MAX) + 1;
}

const char *series_border(const struct series *s, unsigned index)
{
	unsigned last = series_border_count(s) - 1;

	return index < last ? s->profile->borders[index].id : index == last ? "other" : NULL;
}

unsigned series_key_count(const struct series *s)
{
	return s->keys_by_name.count;
}

const struct series_key *series_key(const struct series *s, uint32_t number)
{
	return number < s->keys_by_name.count && s->rows[number] != NULL ? &s->rows[number]->key
									  : NULL;
}
