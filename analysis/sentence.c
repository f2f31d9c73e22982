// SPDX-License-Identifier: BSD-2-Clause
/* The templates of REPORTS, filled: of a diff, and of how it stands. */
#include "analysis/sentence.h"

#include <string.h>

#include "analysis/sentence_inside.h"
#include "analysis/words.h"

static void capital(struct buf *out, size_t at)
{
	if (at < out->used && out->bytes[at] >= 'a' && out->bytes[at] <= 'z')
		out->bytes[at] = (char)(out->bytes[at] - 'a' + 'A');
}

unsigned sentence_networks(const struct profile *p)
{
	unsigned n = 0;

	for (unsigned i = 0; i < p->prefixes_count; i++) {
		const struct prefix *x = &p->prefixes[i].prefix;

		if (x->addr.family == 4)
			n += x->len >= p->judge_v4 ? 1 : 1u << (p->judge_v4 - x->len);
	}
	return n;
}

/* "in three of the four networks of North Korea, namely A, B and C" without the "in". */
void sentence_put_networks(struct buf *out, const struct prefix *list, unsigned n, unsigned of,
			   const struct profile *p)
{
	if (n == 0) {
		buf_str(out, p->network_name);
		return;
	}
	if (of > 0) {
		words_number(out, n);
		buf_str(out, " of the ");
		words_number(out, of);
		buf_printf(out, " networks of %s, namely ", p->network_name);
	}
	words_prefixes(out, list, n);
}

void sentence_put_points(struct buf *out, unsigned n, unsigned of)
{
	buf_printf(out, "%u of %u vantage point%s", n, of, of == 1 ? "" : "s");
}

void sentence_put_vantage(struct buf *out, const char *name)
{
	buf_str(out, name[0] != '\0' ? name : "an unnamed vantage point");
}

void sentence_put_shift(struct buf *out, int64_t before, int64_t after, int64_t by, int64_t low,
			int64_t high)
{
	int64_t level = before > after ? before : after;
	char a[WORDS_MS], b[WORDS_MS];

	buf_printf(out, "went from %s to %s ms", words_ms(before, a), words_ms(after, b));
	buf_printf(out, " (%s ms", words_ms_by(by, level, a));
	if (low != high)
		buf_printf(out, ", 95 %% interval %s to %s", words_ms_by(low, level, a),
			   words_ms_by(high, level, b));
	buf_char(out, ')');
}

/* --- diff ------------------------------------------------------------------------------------ */

/* What stands for a carrier where none is known. */
static const char *carrier_else(const char *border)
{
	return strcmp(border, word_of(outcome_words, OUTCOME_MIXED)) == 0 ? "several carriers" :
	       "an unnamed carrier";
}

void sentence_move(struct buf *out, const struct diff *d, const struct diff_move *m,
		   const struct profile *p)
{
	size_t start = out->used;

	if (m->not_before.ns != 0 && m->not_after.ns != 0) {
		words_interval(out, m->not_before, m->not_after, p->timezone);
		buf_str(out, ", ");
	}
	buf_str(out, "paths into ");
	sentence_put_networks(out, m->prefixes, m->prefix_count, d->networks_of, p);
	buf_str(out, ", moved from ");
	words_carrier(out, m->from_org, m->from_asn, carrier_else(m->from));
	buf_str(out, " to ");
	words_carrier(out, m->to_org, m->to_asn, carrier_else(m->to));
	buf_printf(out, " (%s to %s), as seen from ", words_border(p, m->from),
		   words_border(p, m->to));
	sentence_put_points(out, m->vantages, m->vantages_of);
	buf_char(out, '.');
	capital(out, start);
}

void sentence_rtt(struct buf *out, const struct diff_row *r)
{
	char text[PREFIX_TEXT];

	buf_str(out, "From ");
	sentence_put_vantage(out, r->vantage);
	buf_printf(out, ", median round-trip time to %s (%s) ", prefix_format(r->prefix, text),
		   word_of(method_words, r->method));
	sentence_put_shift(out, r->before.rtt_median_ns, r->after.rtt_median_ns, r->shift_ns,
			   r->shift_low_ns, r->shift_high_ns);
	buf_char(out, '.');
}

enum reach sentence_side_reach(const struct diff_side *side)
{
	unsigned best = 0;

	for (unsigned i = 1; i < sizeof(side->reach) / sizeof(side->reach[0]); i++)
		best = side->reach[i] > side->reach[best] ? i : best;
	return (enum reach)best;
}

void sentence_reach(struct buf *out, const struct diff_row *r)
{
	char text[PREFIX_TEXT];

	buf_str(out, "From ");
	sentence_put_vantage(out, r->vantage);
	buf_printf(out, ", probed hosts in %s (%s) went from %s (%u of %u paths reached them) to %s "
		   "(%u of %u).", prefix_format(r->prefix, text), word_of(method_words, r->method),
		   word_of(reach_words, sentence_side_reach(&r->before)),
		   r->before.reach[REACH_REACHED], r->before.traces,
		   word_of(reach_words, sentence_side_reach(&r->after)),
		   r->after.reach[REACH_REACHED], r->after.traces);
}

void sentence_path(struct buf *out, const struct diff_row *r)
{
	char text[PREFIX_TEXT];

	buf_str(out, "From ");
	sentence_put_vantage(out, r->vantage);
	buf_printf(out, ", the path to %s (%s) changed%s", prefix_format(r->prefix, text),
		   word_of(method_words, r->method), r->path_level == DIFF_LEVEL_AS ?
		   " its networks" : " routers within the same networks");
	if (r->path_ttl > 0)
		buf_printf(out, ", from hop %u on", r->path_ttl);
	buf_str(out, r->border == DIFF_SAME ? "; the border stayed." :
		r->border == DIFF_TOO_FEW ? "; whether the border did is too uncertain to say." : ".");
}

/* Rows are sorted by vantage point: how many of those that measured on both sides and meet it. */
static unsigned vantages_with(const struct diff *d, bool open)
{
	const char *last = NULL;
	unsigned n = 0;

	for (unsigned i = 0; i < d->row_count; i++) {
		const struct diff_row *r = &d->rows[i];

		if (r->before.traces == 0 || r->after.traces == 0 ||
		    (open && r->border != DIFF_TOO_FEW) ||
		    (last != NULL && strcmp(last, r->vantage) == 0))
			continue;
		last = r->vantage;
		n++;
	}
	return n;
}

bool sentence_open(struct buf *out, const struct diff *d)
{
	struct prefix list[EVENT_PREFIXES_MAX];
	unsigned n = 0, more = 0;

	for (unsigned i = 0; i < d->row_count; i++) {
		bool told = d->rows[i].border != DIFF_TOO_FEW;

		for (unsigned k = 0; k < i && !told; k++)
			told = d->rows[k].border == DIFF_TOO_FEW &&
			       prefix_equal(d->rows[k].prefix, d->rows[i].prefix);
		if (told)
			continue;
		if (n < EVENT_PREFIXES_MAX)
			list[n++] = d->rows[i].prefix;
		else
			more++;
	}
	if (n == 0)
		return false;
	buf_str(out, "Whether the border of ");
	words_prefixes(out, list, n);
	if (more > 0)
		buf_printf(out, " and %u more", more);
	buf_str(out, " changed is too uncertain to say from ");
	sentence_put_points(out, vantages_with(d, true), vantages_with(d, false));
	buf_str(out, ": what was measured before and after differs, but by no more than small samples "
		"or doubtful evidence explain.");
	return true;
}

/* " A switch longer than 30 min or an RTT shift above 3.2 ms would have been seen ..." */
static void would_have(struct buf *out, const struct power *power)
{
	if (power == NULL || (power->switch_ns == 0 && power->shift_ns == 0))
		return;
	buf_str(out, " A");
	if (power->switch_ns > 0) {
		buf_str(out, " switch longer than ");
		duration_put(out, (double)power->switch_ns / 1e9);
	}
	if (power->shift_ns > 0)
		buf_printf(out, "%s RTT shift above %.1f ms", power->switch_ns > 0 ? " or an" : "n",
			   (double)power->shift_ns / 1e6);
	buf_printf(out, " would have been seen with %d %% probability.", POWER_PERCENT);
}

static void no_change(struct buf *out, unsigned seen, unsigned of, unsigned vantages,
		      unsigned vantages_of)
{
	buf_printf(out, "No change seen in %u of %u network%s from ", seen, of, of == 1 ? "" : "s");
	sentence_put_points(out, vantages, vantages_of);
	buf_char(out, '.');
}

void sentence_none(struct buf *out, const struct diff *d, const struct power *power)
{
	unsigned seen = 0;

	for (unsigned i = 0; i < d->row_count; i++) {
		bool twice = d->rows[i].border != DIFF_SAME;

		for (unsigned k = 0; k < i && !twice; k++)
			twice = d->rows[k].border == DIFF_SAME &&
				prefix_equal(d->rows[k].prefix, d->rows[i].prefix);
		seen += !twice;
	}
	no_change(out, seen, d->networks_of > seen ? d->networks_of : seen, d->vantages,
		  d->point_count > d->vantages ? d->point_count : d->vantages);
	would_have(out, power);
}

void sentence_quiet(struct buf *out, const struct report *r)
{
	unsigned from = 0, watched = 0;

	for (unsigned i = 0; i < r->way_count; i++) {
		watched += r->ways[i].watched > 0;
		from = r->ways[i].watched > from ? r->ways[i].watched : from;
	}
	no_change(out, watched, r->networks_of > r->way_count ? r->networks_of : r->way_count, from,
		  r->vantage_count);
	would_have(out, &r->power);
}

/* --- how it stands --------------------------------------------------------------------------- */

/* Who carries paths over that border at the end, by most rows; its name where nobody is told. */
static void carrier_now(struct buf *out, const struct report *r, int border)
{
	unsigned best = 0;
	const struct report_row *by = NULL;

	for (unsigned i = 0; i < r->row_count; i++) {
		unsigned n = 0;

		if (r->rows[i].border != border || r->rows[i].via_asn == 0)
			continue;
		for (unsigned k = 0; k < r->row_count; k++)
			n += r->rows[k].border == border &&
			     r->rows[k].via_asn == r->rows[i].via_asn;
		if (n > best) {
			best = n;
			by = &r->rows[i];
		}
	}
	if (by != NULL)
		words_carrier(out, by->via_org, by->via_asn, "");
	else if ((unsigned)border < r->profile->borders_count)
		buf_str(out, r->profile->borders[border].name);
	else
		buf_str(out, "another way in");
}

/* The prefixes whose ways at the end are exactly `now`; how many. */
static unsigned ways_of(const struct report *r, uint32_t now, struct prefix *out,
			unsigned room)
{
	unsigned n = 0;

	for (unsigned i = 0; i < r->way_count; i++) {
		if (r->ways[i].now == now && n < room)
			out[n++] = r->ways[i].prefix;
	}
	return n;
}

static void ways_clause(struct buf *out, const struct report *r, uint32_t now,
			const struct prefix *list, unsigned n)
{
	bool first = true;

	/* With several networks, one alone is news. */
	if (n == 1 && r->way_count > 1 && (now & (now - 1)) == 0)
		buf_str(out, "only ");
	words_prefixes(out, list, n);
	buf_str(out, n == 1 ? " enters via " : " enter via ");
	for (unsigned b = 0; b < r->border_count; b++) {
		if ((now >> b & 1) == 0)
			continue;
		buf_str(out, first ? "" : " and ");
		carrier_now(out, r, (int)b);
		first = false;
	}
}

void sentence_now(struct buf *out, const struct report *r)
{
	struct prefix list[EVENT_PREFIXES_MAX];
	const char *between = ", ";
	char text[WALL_TEXT];
	unsigned n, down = 0;

	buf_printf(out, "As of %s", wall_format_short(r->as_of, text));
	for (unsigned i = 0; i < r->way_count; i++) {
		uint32_t now = r->ways[i].now;
		bool told = now == 0;

		for (unsigned k = 0; k < i && !told; k++)
			told = r->ways[k].now == now;
		if (told)
			continue;
		n = ways_of(r, now, list, EVENT_PREFIXES_MAX);
		buf_str(out, between);
		ways_clause(out, r, now, list, n);
		between = "; ";
	}
	n = ways_of(r, 0, list, EVENT_PREFIXES_MAX);
	if (n > 0) {
		buf_printf(out, "%sthe way into ", between);
		words_prefixes(out, list, n);
		buf_str(out, " is not known");
		between = "; ";
	}
	n = 0;
	for (unsigned i = 0; i < r->way_count && n < EVENT_PREFIXES_MAX; i++) {
		if (r->ways[i].down)
			list[n++] = r->ways[i].prefix;
	}
	if (n > 0) {
		buf_printf(out, "%sno probed host in ", between);
		words_prefixes(out, list, n);
		buf_str(out, " answers");
		between = "; ";
	}
	for (unsigned i = 0; i < r->vantage_count; i++)
		down += r->vantages[i].down;
	if (down > 0)
		buf_printf(out, "%s%u of %u vantage point%s %s down and %s not counted", between, down,
			   r->vantage_count, r->vantage_count == 1 ? "" : "s", down == 1 ? "was" : "were", down == 1 ? "is" : "are");
	buf_char(out, '.');
}
