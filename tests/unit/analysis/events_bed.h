// SPDX-License-Identifier: BSD-2-Clause
/*
 * Histories as people would jot them down, for the tests of events. One line a key, one letter a
 * round of 15 minutes; the words before it name the vantage point, with another method than TCP
 * behind a slash, and the prefix:
 *
 *   "fra1 176 dddkkk", "fra1/icmp 176 dddkkk"
 *
 * d k o m u  its flows enter by dandong, khasan, another way, several, or nobody can tell; reached
 * r          by dandong, but two of six probes are answered
 * n          silent, cut at the border; N inside, B before it, F filtered
 * H h        two hosts by dandong; the first of them is silent
 * .  x       missed; the vantage point was offline
 * ^          the next round: the vantage point moved
 * ?          the next round: nobody answered who tells that the vantage point was well
 * !          from here on its reference hosts answer, or again do not
 * ~          the next letter is a closer look, five minutes after the round before it
 * + = -      from here on it takes 40 ms more; so does the way to the last hop outside; no longer
 * @          from here on answers arrive with another TTL, or again with the usual one
 * 1 .. 9     behind a letter: another path; 1 is the usual one, 7 has two silent hops more, in 8
 *            one router answers from its other side, in 9 all routers are others of the same
 *            networks
 *
 * Events come out as lines, the last revision of each:
 *   "border_switch 176 dandong>khasan confirmed 2-3 1/1"
 * with the rounds of the bracket, and seen_by of seen_of.
 */
#ifndef TESTS_EVENTS_BED_H
#define TESTS_EVENTS_BED_H

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "analysis/events.h"
#include "core/buf.h"
#include "tests/unit/analysis/path_text.h"

enum { BED_KEYS = 64, BED_EVENTS = 512, BED_HOPS = 32 };
static const int64_t BED_START = INT64_C(1795341600) * NS_PER_S;
static const int64_t BED_EVERY = 900 * NS_PER_S;

struct bed {
	struct profile *profile;
	struct nodes nodes;
	struct series *series;
	struct events *events;
	struct events_options options;
	struct series_key keys[BED_KEYS];
	char names[BED_KEYS][32];
	unsigned key_count;
	/* The last revision of each, in the order they began. */
	struct event *told[BED_EVENTS];
	unsigned told_count, revisions;
	struct wall seen;        /* of the last revision */
	bool settle;             /* after each moment */
	/* Cells, before they are fed. */
	struct bed_cell *cells;
	unsigned cell_count, cell_room;
};

struct bed_cell {
	struct cell cell;
	struct cell_host hosts[2];
	struct point_hop hops[BED_HOPS];
};

static inline int bed_event(void *arg, const struct event *e)
{
	struct bed *b = arg;
	unsigned at = b->told_count;

	b->revisions++;
	/* Revisions are in the order of `seen`, and brackets make sense. */
	assert_true(e->seen.ns >= b->seen.ns);
	b->seen = e->seen;
	if (e->not_before.ns > e->at.ns || e->at.ns > e->not_after.ns) {
		struct buf out;

		buf_init(&out);
		event_write_json(&out, e);
		fail_msg("a bracket that cannot be: %s", out.bytes);
	}
	assert_true(e->seen_by <= e->seen_of);
	for (unsigned i = 0; i < b->told_count; i++) {
		if (strcmp(b->told[i]->id, e->revises) == 0 && e->revises[0] != '\0')
			at = i;
		assert_string_not_equal(b->told[i]->id, e->id);
	}
	if (e->revises[0] != '\0')
		assert_true(at < b->told_count);
	if (at == b->told_count) {
		assert_true(at < BED_EVENTS);
		b->told[b->told_count++] = malloc(sizeof(*e));
	}
	*b->told[at] = *e;
	return 0;
}

static inline int bed_setup(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));

	b->profile = path_profile();
	b->options.profile = b->profile;
	nodes_init(&b->nodes);
	for (unsigned i = 1; i < 256; i++) {
		struct node n = {.addr = {4, {66, 110, 0, (uint8_t)i}}, .asn = 1000 + i % 128};
		uint32_t number;

		nodes_put(&b->nodes, &n, &number);
		assert_int_equal(number, i);
	}
	assert_int_equal(series_new(b->profile, &b->nodes, NULL, NULL, &b->series), 0);
	*state = b;
	return 0;
}

static inline void bed_clear(struct bed *b)
{
	for (unsigned i = 0; i < b->told_count; i++)
		free(b->told[i]);
	b->told_count = b->revisions = b->cell_count = b->key_count = 0;
	b->seen.ns = 0;
	events_free(b->events);
	b->events = NULL;
}

static inline int bed_teardown(void **state)
{
	struct bed *b = *state;

	bed_clear(b);
	series_free(b->series);
	nodes_fini(&b->nodes);
	profile_free(b->profile);
	free(b->cells);
	free(b);
	return 0;
}

/* --- cells ------------------------------------------------------------------------------------ */

static inline const struct series_key *bed_key(struct bed *b, const char *vantage, unsigned prefix,
					       unsigned *number)
{
	struct series_key *k = &b->keys[b->key_count];
	char text[PREFIX_TEXT];

	snprintf(text, sizeof(text), "175.45.%u.0/24", prefix);
	*number = 0;
	for (unsigned i = 0; i < b->key_count; i++)
		*number += strncmp(b->keys[i].vantage, vantage, strcspn(vantage, "/")) != 0;
	snprintf(b->names[b->key_count], sizeof(b->names[0]), "%.*s",
		 (int)strcspn(vantage, "/"), vantage);
	*k = (struct series_key){.number = b->key_count,
				 .vantage = b->names[b->key_count],
				 .campaign = "c",
				 .method = strstr(vantage, "/icmp") != NULL ? METHOD_ICMP
									    : METHOD_TCP};
	assert_int_equal(prefix_parse(text, &k->prefix), 0);
	b->key_count++;
	return k;
}

static inline struct bed_cell *bed_new_cell(struct bed *b)
{
	if (b->cell_count == b->cell_room) {
		b->cell_room = b->cell_room > 0 ? 2 * b->cell_room : 256;
		b->cells = reallocarray(b->cells, b->cell_room, sizeof(*b->cells));
		assert_non_null(b->cells);
	}
	memset(&b->cells[b->cell_count], 0, sizeof(*b->cells));
	return &b->cells[b->cell_count++];
}

/* Seven routers, three silent hops, the destination. Others differ from TTL 3 on. */
static inline void bed_path(struct bed_cell *x, char path, bool reached)
{
	unsigned n = 0;

	for (uint8_t ttl = 1; ttl <= 7; ttl++) {
		unsigned node = ttl < 3 ? ttl : ttl + 16u * (unsigned)(path - '1');

		if (path == '7' && (ttl == 4 || ttl == 5))
			continue;
		if (path == '7' || (path == '8' && ttl != 5))
			node = ttl;
		x->hops[n++] = (struct point_hop){ttl, node};
	}
	if (reached)
		x->hops[n++] = (struct point_hop){11, NODE_DESTINATION};
	x->cell.hop_count = n;
}

static inline void bed_measured(struct bed_cell *x, char sees, char path)
{
	struct cell *c = &x->cell;
	bool silent = strchr("nNBF", sees) != NULL;

	c->state = CELL_MEASURED;
	c->traces = 2;
	c->hosts = 1;
	c->asked = 6;
	c->outcome = OUTCOME_UNDETERMINED;
	if (strchr("dkHhr", sees) != NULL) {
		c->outcome = OUTCOME_BORDER;
		c->border = sees == 'k';
		c->by_border[c->border] = 2;
		c->confidence = .95;
		c->via_asn = sees == 'k' ? 20485 : 4837;
		c->via_org = sees == 'k' ? "TransTeleCom" : "China Unicom";
	} else if (sees == 'o') {
		c->outcome = OUTCOME_OTHER;
		c->by_border[2] = 2;
		c->confidence = .8;
	} else if (sees == 'm') {
		c->outcome = OUTCOME_MIXED;
		c->by_border[0] = c->by_border[1] = 1;
		c->confidence = .9;
	} else {
		c->undetermined = 2;
	}
	if (!silent) {
		c->hosts_reached = 1;
		c->answered = sees == 'r' ? 2 : 6;
		c->answered_first = c->any_first;
		c->answered_last = c->last;
		c->by_reach[REACH_REACHED] = 2;
		c->by_class[CLASS_BORDER] = 2;
		c->rtt_min_ns = 280 * NS_PER_MS;
		c->rtt_median_ns = 282 * NS_PER_MS;
		c->outside_rtt_ns = 200 * NS_PER_MS;
	} else {
		c->by_reach[sees == 'F' ? REACH_FILTERED : REACH_SILENT] = 2;
		c->by_class[sees == 'N'	  ? CLASS_BORDER
			    : sees == 'B' ? CLASS_CUT_BEFORE_BORDER
					  : CLASS_INSIDE_SILENT] = 2;
		c->last_ttl = sees == 'B' ? 5 : 7;
		c->last_node = c->last_ttl;
	}
	x->hosts[0] = (struct cell_host){.dst = addr_mask(c->key->prefix.addr, 32),
					 .target = "",
					 .traces = 2,
					 .reached = silent ? 0 : 2,
					 .asked = 6,
					 .answered = c->answered,
					 .outcome = c->outcome,
					 .border = c->border,
					 .rtt_min_ns = c->rtt_min_ns,
					 .rtt_median_ns = c->rtt_median_ns,
					 .outside_rtt_ns = c->outside_rtt_ns,
					 .reply_ttl = silent ? -1 : 50};
	x->hosts[0].dst.bytes[3] = 71;
	c->host_count = 1;
	if (sees == 'H' || sees == 'h') {
		x->hosts[1] = x->hosts[0];
		x->hosts[1].dst.bytes[3] = 75;
		c->host_count = c->hosts = 2;
		c->hosts_reached = sees == 'H' ? 2 : 1;
	}
	if (sees == 'h') {
		x->hosts[0].reached = x->hosts[0].answered = 0;
		x->hosts[0].rtt_median_ns = x->hosts[0].rtt_min_ns = -1;
		x->hosts[0].reply_ttl = -1;
	}
	bed_path(x, path, !silent);
	c->shown = c->any_first;
	c->held = c->last;
}

static inline void bed_times(struct cell *c, int64_t planned, unsigned vantage)
{
	c->planned.ns = planned;
	c->every_ns = BED_EVERY;
	c->first.ns = planned + (5 + vantage * 7) * NS_PER_S;
	c->any_first.ns = c->first.ns + 2 * NS_PER_S;
	c->last.ns = c->first.ns + 20 * NS_PER_S;
	c->end.ns = planned + (60 + vantage * 11) * NS_PER_S;
}

static inline void bed_line(struct bed *b, const char *line)
{
	char vantage[16];
	unsigned prefix, number;
	const struct series_key *k;
	int used, round = 0;
	bool moved = false, look = false, unsure = false, reference = false;
	int64_t more = 0, outside_more = 0;
	int16_t ttl = 50;
	uint32_t noise = 77;

	assert_int_equal(sscanf(line, "%15s %u %n", vantage, &prefix, &used), 2);
	k = bed_key(b, vantage, prefix, &number);
	for (const char *s = line + used; *s != '\0'; s++) {
		struct bed_cell *x;
		char path = s[1] >= '1' && s[1] <= '9' ? s[1] : '1';

		if (strchr("^~?", *s) != NULL) {
			moved = *s == '^';
			look = *s == '~';
			unsure = *s == '?';
			continue;
		}
		if (strchr("+=-", *s) != NULL) {
			more = *s == '-' ? 0 : 40 * NS_PER_MS;
			outside_more = *s == '=' ? more : 0;
			continue;
		}
		if (*s == '@')
			ttl = (int16_t)(103 - ttl);
		if (*s == '!')
			reference = !reference;
		if (*s == ' ' || *s == '@' || *s == '!')
			continue;
		x = bed_new_cell(b);
		x->cell = (struct cell){.key = k,
					.round = "",
					.border = -1,
					.via_org = "",
					.rtt_min_ns = -1,
					.rtt_median_ns = -1,
					.outside_rtt_ns = -1,
					.look = look,
					.moved = moved,
					.reference = reference,
					.online = reference,
					.unsure = unsure};
		bed_times(&x->cell,
			  BED_START + (look ? (round - 1) * BED_EVERY + 300 * NS_PER_S
					    : round * BED_EVERY),
			  number);
		round += !look;
		if (*s == '.')
			x->cell.state = CELL_MISSED;
		else if (*s == 'x')
			x->cell.state = CELL_OFFLINE;
		else
			bed_measured(x, *s, path);
		if (x->cell.rtt_median_ns >= 0) {
			more += path_next(&noise) % 2000000;
			x->cell.rtt_median_ns += more;
			x->cell.rtt_min_ns += more;
			x->cell.outside_rtt_ns += outside_more + path_next(&noise) % 1000000;
			for (unsigned h = 0; h < x->cell.host_count; h++) {
				x->hosts[h].outside_rtt_ns = x->cell.outside_rtt_ns;
				if (x->hosts[h].rtt_median_ns < 0)
					continue;
				x->hosts[h].rtt_median_ns = x->cell.rtt_median_ns;
				x->hosts[h].rtt_min_ns = x->cell.rtt_min_ns;
				x->hosts[h].reply_ttl = ttl;
			}
			more -= more % (10 * NS_PER_MS);
		}
		s += s[1] >= '1' && s[1] <= '9';
		moved = look = unsure = false;
	}
}

/* Lines of keys with "\n" or "|" between. */
static inline void bed_script(struct bed *b, const char *text)
{
	char *copy = strdup(text), *save = NULL;

	for (char *l = strtok_r(copy, "\n|", &save); l != NULL; l = strtok_r(NULL, "\n|", &save))
		bed_line(b, l + strspn(l, " \t"));
	free(copy);
}

/* --- feeding ---------------------------------------------------------------------------------- */

static inline int bed_by_end(const void *a, const void *b)
{
	const struct bed_cell *x = a, *y = b;

	if (x->cell.end.ns != y->cell.end.ns)
		return x->cell.end.ns < y->cell.end.ns ? -1 : 1;
	return (x->cell.key > y->cell.key) - (x->cell.key < y->cell.key);
}

static inline void bed_put(struct bed *b, struct bed_cell *x)
{
	x->cell.hops = x->hops;
	x->cell.host = x->hosts;
	assert_int_equal(events_cell(b->events, &x->cell), 0);
}

/* seed 0: by time; else keys drift against each other by up to two rounds. */
static inline void bed_feed(struct bed *b, uint32_t seed)
{
	unsigned next[BED_KEYS] = {0}, left = b->cell_count;
	int64_t *order;

	assert_int_equal(events_new(&b->options, b->series, &b->nodes, bed_event, b, &b->events),
			 0);
	qsort(b->cells, b->cell_count, sizeof(*b->cells), bed_by_end);
	(void)next;
	order = calloc(b->cell_count + 1, sizeof(*order));
	for (unsigned i = 0; i < b->cell_count; i++)
		order[i] = b->cells[i].cell.end.ns;
	for (unsigned done = 0; done < left;) {
		struct bed_cell *x = &b->cells[done];
		unsigned n = 1;

		if (seed != 0) {
			/* One that is no more than two rounds later than the oldest, and the next
			 * of its key. */
			unsigned reach = 1, pick;

			while (done + reach < left &&
			       b->cells[done + reach].cell.end.ns <
				       x->cell.end.ns + 2 * BED_EVERY)
				reach++;
			pick = path_next(&seed) % reach;
			for (unsigned i = 0; i < pick; i++) {
				if (b->cells[done + i].cell.key ==
				    b->cells[done + pick].cell.key) {
					pick = i;
					break;
				}
			}
			struct bed_cell chosen = b->cells[done + pick];
			memmove(&b->cells[done + 1], &b->cells[done],
				pick * sizeof(chosen));
			b->cells[done] = chosen;
			bed_put(b, &b->cells[done]);
		} else {
			while (done + n < left &&
			       b->cells[done + n].cell.end.ns == x->cell.end.ns)
				n++;
			for (unsigned i = 0; i < n; i++)
				bed_put(b, &b->cells[done + i]);
			if (b->settle)
				assert_int_equal(events_settle(b->events, x->cell.end), 0);
		}
		done += n;
	}
	free(order);
	assert_int_equal(events_end(b->events), 0);
}

/* --- what came out ---------------------------------------------------------------------------- */

static inline int bed_round(struct wall t)
{
	return (int)((t.ns - BED_START) / BED_EVERY);
}

/* Kind of the event with that id, whatever its revision. */
static inline const char *bed_kind_of(const struct bed *b, const char *id)
{
	for (unsigned i = 0; i < b->told_count; i++) {
		if (strncmp(b->told[i]->id, id, 19) == 0)
			return word_of(event_kind_words, b->told[i]->kind);
	}
	return "nobody";
}

static inline void bed_line_of(const struct bed *b, struct buf *out, const struct event *e)
{
	char text[ADDR_TEXT];

	buf_str(out, word_of(event_kind_words, e->kind));
	if (e->outage != 0)
		buf_printf(out, "/%s", word_of(event_outage_words, e->outage));
	if (e->scope == EVENT_SCOPE_VANTAGE)
		buf_printf(out, " %s", e->vantage);
	else if (e->scope == EVENT_SCOPE_HOST)
		buf_printf(out, " %s", addr_format(e->host, text));
	else if (addr_is_set(e->prefix.addr))
		buf_printf(out, " %u", e->prefix.addr.bytes[2]);
	else
		buf_printf(out, " %s", word_of(event_scope_words, e->scope));
	for (unsigned i = 0; i < e->prefix_count; i++)
		buf_printf(out, "%c%u", i ? ',' : ':', e->prefixes[i].addr.bytes[2]);
	if (e->kind == EVENT_BORDER_SWITCH || e->kind == EVENT_PATH_CHANGE ||
	    e->kind == EVENT_RTT_SHIFT)
		buf_printf(out, " %s>%s", e->from.what, e->to.what);
	buf_printf(out, " %s%s %d-%d", word_of(event_status_words, e->status),
		   e->withdrawn ? "/withdrawn" : "", bed_round(e->not_before),
		   bed_round(e->not_after));
	if (e->where != 0)
		buf_printf(out, " %s", word_of(event_where_words, e->where));
	if (e->before_ns >= 0)
		buf_printf(out, " %+lldms", (long long)((e->shift_ns + (e->shift_ns > 0 ? 1 : -1) *
							500000) / 1000000));
	if (e->coincide_count > 0)
		buf_str(out, " with");
	for (unsigned i = 0; i < e->coincide_count; i++)
		buf_printf(out, " %s", bed_kind_of(b, e->coincides[i]));
	if (e->until.ns != 0)
		buf_printf(out, " until %d", bed_round(e->until));
	if (e->changes != 0)
		buf_printf(out, " x%u", e->changes);
	buf_printf(out, " %u/%u\n", e->seen_by, e->seen_of);
}

/* Owned by the caller. */
static inline char *bed_told(const struct bed *b)
{
	struct buf out;

	buf_init(&out);
	buf_str(&out, "");
	for (unsigned i = 0; i < b->told_count; i++)
		bed_line_of(b, &out, b->told[i]);
	return out.bytes != NULL ? out.bytes : strdup("");
}

#endif
