// SPDX-License-Identifier: BSD-2-Clause
/* The hop table with the border crossing drawn in. Sentences are in verdict_text.c. */
#include "analysis/report/trace_text.h"
#include "analysis/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_MAX = 2048, CELL = 128, RTTS_MAX = 256, RESPONDERS_MAX = 64 };
enum column { COL_TTL, COL_ADDRESS, COL_NAME, COL_AS, COL_COUNTRY, COL_LOSS, COL_MIN, COL_MEDIAN,
	      COL_MARK, COLUMNS };

static const char *const titles[COLUMNS] = {"TTL", "Address", "Name", "AS", "CC", "Loss", "Min",
					    "Median", ""};
/* Numbers are aligned right. */
static const bool right[COLUMNS] = {[COL_TTL] = true, [COL_LOSS] = true, [COL_MIN] = true,
				    [COL_MEDIAN] = true};
/* Narrow terminals shrink name and organisation, never an address and never an AS number. */
enum { NAME_MIN = 8 };

struct row {
	uint8_t ttl, ttl_last;  /* ttl_last > ttl: a run of silent hops */
	bool silent, inside;
	char cell[COLUMNS][CELL];
};

struct table {
	unsigned count;
	unsigned width[COLUMNS];
	bool with_names;
	struct row rows[ROWS_MAX];
};

static void cell_ms(char out[static CELL], int64_t ns)
{
	if (ns < 0)
		out[0] = '\0';
	else if (ns < 10 * NS_PER_MS)
		snprintf(out, CELL, "%.2f", (double)ns / 1e6);
	else
		snprintf(out, CELL, "%.1f", (double)ns / 1e6);
}

static int compare_ns(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static void append(char out[static CELL], const char *text)
{
	size_t used = strlen(out);

	if (text[0] != '\0')
		snprintf(out + used, CELL - used, "%s%s", used > 0 ? " " : "", text);
}

/* Marks of all replies of one responder at one TTL, each once. */
static void mark_reply(char out[static CELL], const struct reply *r)
{
	char text[48];
	const char *mark = icmp_mark(r->from.family, r->icmp_type, r->icmp_code);

	if (mark[0] != '\0' && strstr(out, mark) == NULL)
		append(out, mark);
	if (r->mtu >= 0) {
		snprintf(text, sizeof(text), "mtu %d", r->mtu);
		if (strstr(out, text) == NULL)
			append(out, text);
	}
	for (unsigned i = 0; i < r->mpls_count; i++) {
		snprintf(text, sizeof(text), "mpls %u", r->mpls[i].label);
		if (strstr(out, text) == NULL)
			append(out, text);
	}
	for (const struct word *w = reply_flag_words; w->word != NULL; w++) {
		if ((r->flags & (unsigned)w->value) && strstr(out, w->word) == NULL)
			append(out, w->word);
	}
}

static void name_cells(struct row *row, const struct name *n)
{
	char both[NAME_HOST_TEXT + NAME_LABEL_TEXT + 8];

	if (n == NULL)
		return;
	text_set(row->cell[COL_NAME], CELL, n->host[0] ? n->host : n->label);
	if (n->host[0] && n->label[0]) {
		snprintf(both, sizeof(both), "%s (%s)", n->host, n->label);
		text_set(row->cell[COL_NAME], CELL, both);
	}
	if (n->asn != 0)
		snprintf(row->cell[COL_AS], CELL, "AS%u %s", n->asn, n->org);
	else
		snprintf(row->cell[COL_AS], CELL, "%s", n->org);
	/* Databases that disagree are shown as such. */
	if (n->country[0] && n->overlay_country[0] && strcmp(n->country, n->overlay_country) != 0)
		snprintf(row->cell[COL_COUNTRY], CELL, "%s/%s", n->overlay_country, n->country);
	else
		snprintf(row->cell[COL_COUNTRY], CELL, "%s",
			 n->country[0] ? n->country : n->overlay_country);
}

static void kind_cell(struct row *row, struct addr a)
{
	static const char *const kinds[] = {
		[ADDR_KIND_PRIVATE] = "private", [ADDR_KIND_SHARED] = "shared",
		[ADDR_KIND_LOOPBACK] = "loopback", [ADDR_KIND_LINK_LOCAL] = "link-local",
		[ADDR_KIND_DOCUMENTATION] = "documentation", [ADDR_KIND_RESERVED] = "reserved"};
	enum addr_kind kind = addr_kind(a);

	if (row->cell[COL_AS][0] != '\0')
		return;
	if ((size_t)kind >= sizeof(kinds) / sizeof(kinds[0]) || kinds[kind] == NULL)
		return;
	snprintf(row->cell[COL_AS], CELL, "(%s)", kinds[kind]);
	/* A table that puts such a range in a country is wrong about it. */
	row->cell[COL_COUNTRY][0] = '\0';
}

/* One row for one responder of a TTL. */
static void responder_row(struct row *row, const struct trace *t, uint32_t begin, uint32_t end,
			  struct addr from, const struct names *names, const struct profile *p,
			  struct wall when)
{
	int64_t rtts[RTTS_MAX];
	unsigned n = 0;
	char text[ADDR_TEXT];

	snprintf(row->cell[COL_ADDRESS], CELL, "%s", addr_format(from, text));
	for (uint32_t i = begin; i < end; i++) {
		const struct reply *r = &t->entries[i].reply;

		if (!addr_equal(r->from, from))
			continue;
		if (r->rtt_ns >= 0 && !(r->flags & (REPLY_LATE | REPLY_DUP)) && n < RTTS_MAX)
			rtts[n++] = r->rtt_ns;
		mark_reply(row->cell[COL_MARK], r);
	}
	qsort(rtts, n, sizeof(rtts[0]), compare_ns);
	cell_ms(row->cell[COL_MIN], n > 0 ? rtts[0] : -1);
	cell_ms(row->cell[COL_MEDIAN], n > 0 ? rtts[n / 2] : -1);
	if (n > 0 && n % 2 == 0)
		cell_ms(row->cell[COL_MEDIAN], (rtts[n / 2 - 1] + rtts[n / 2]) / 2);
	name_cells(row, names_find(names, from));
	kind_cell(row, from);
	row->inside = profile_inside(p, from, when);
}

static struct row *row_add(struct table *table, uint8_t ttl)
{
	struct row *row;

	if (table->count == ROWS_MAX)
		return NULL;
	row = &table->rows[table->count++];
	memset(row, 0, sizeof(*row));
	row->ttl = row->ttl_last = ttl;
	return row;
}

/* asked 0: silent for another target, and not asked for this one. */
static void silent_row(struct table *table, uint8_t ttl, unsigned asked)
{
	struct row *last = table->count > 0 ? &table->rows[table->count - 1] : NULL;

	if (last != NULL && last->silent && last->ttl_last + 1 == ttl &&
	    (last->cell[COL_MARK][0] == '\0') == (asked > 0)) {
		last->ttl_last = ttl;
		snprintf(last->cell[COL_TTL], CELL, "%u-%u", last->ttl, ttl);
		return;
	}
	last = row_add(table, ttl);
	if (last == NULL)
		return;
	last->silent = true;
	snprintf(last->cell[COL_TTL], CELL, "%u", ttl);
	snprintf(last->cell[COL_ADDRESS], CELL, "*");
	if (asked > 0)
		snprintf(last->cell[COL_LOSS], CELL, "100%%");
	else
		snprintf(last->cell[COL_MARK], CELL, "%s",
			 word_of(reply_flag_words, REPLY_INHERITED));
}

static void hop_rows(struct table *table, const struct trace *t, uint32_t begin, uint32_t end,
		     const struct names *names, const struct profile *p, struct wall when)
{
	struct hop_stats stats = trace_hop_stats(t, t->entries[begin].ttl);
	struct addr seen[RESPONDERS_MAX];
	unsigned count = 0;

	for (uint32_t i = begin; i < end; i++) {
		struct addr from = t->entries[i].reply.from;
		struct row *row;
		unsigned k = 0;

		while (k < count && !addr_equal(seen[k], from))
			k++;
		if (!addr_is_set(from) || k < count || count == RESPONDERS_MAX)
			continue;
		seen[count++] = from;
		row = row_add(table, t->entries[i].ttl);
		if (row == NULL)
			return;
		responder_row(row, t, begin, end, from, names, p, when);
		if (count > 1)
			continue;
		snprintf(row->cell[COL_TTL], CELL, "%u", row->ttl);
		if (stats.sent > 0)
			snprintf(row->cell[COL_LOSS], CELL, "%.0f%%", 100.0 *
				 (stats.sent - stats.answered) / stats.sent);
	}
	if (count == 0)
		silent_row(table, t->entries[begin].ttl,
			   (t->entries[begin].reply.flags & REPLY_INHERITED) ? 0 : end - begin);
}

static void table_fill(struct table *table, const struct trace *t, const struct names *names,
		       const struct profile *p)
{
	struct wall when = t->start.ns ? t->start : wall_now();

	for (uint32_t begin = 0, end; begin < t->entry_count; begin = end) {
		for (end = begin; end < t->entry_count &&
		     t->entries[end].ttl == t->entries[begin].ttl; end++)
			;
		hop_rows(table, t, begin, end, names, p, when);
	}
}

/* Columns that keep every AS number whole, with room for the sign of what was cut. */
static unsigned as_min(const struct table *table)
{
	unsigned most = 2;

	for (unsigned i = 0; i < table->count; i++) {
		const char *cell = table->rows[i].cell[COL_AS];
		unsigned number = strncmp(cell, "AS", 2) == 0 ? (unsigned)strcspn(cell, " ") + 1 : 0;

		most = number > most ? number : most;
	}
	return most;
}

/* Makes the table fit a narrow terminal: the wider of name and AS gives way first, and a column of
 * names too short to tell anything gives way whole. */
static void table_shrink(struct table *table, unsigned sum, unsigned room)
{
	unsigned *name = &table->width[COL_NAME], *as = &table->width[COL_AS];
	unsigned as_least = as_min(table);

	for (; sum > room && (*name > NAME_MIN || *as > as_least); sum--) {
		if (*name > NAME_MIN && (*as <= as_least || *name > *as))
			--*name;
		else
			--*as;
	}
	if (sum > room)
		*name = 0;
}

static void table_measure(struct table *table, const struct style *s)
{
	unsigned sum = 0;

	for (int c = 0; c < COLUMNS; c++) {
		table->width[c] = style_columns(titles[c]);
		for (unsigned i = 0; i < table->count; i++) {
			unsigned w = style_columns(table->rows[i].cell[c]);

			table->width[c] = w > table->width[c] ? w : table->width[c];
		}
		if (c == COL_NAME && (!table->with_names || table->width[c] == 4))
			table->width[c] = table->with_names && table->width[c] > 4 ?
					  table->width[c] : 0;
		sum += table->width[c] ? table->width[c] + 2 : 0;
	}
	/* The last column has no gap behind it. */
	if (s->width > 0)
		table_shrink(table, sum, s->width + 2);
}

static void row_draw(struct buf *out, const struct style *s, const struct table *table,
		     const char (*cell)[CELL])
{
	int last = COLUMNS - 1;

	while (last > 0 && cell[last][0] == '\0')
		last--;
	for (int c = 0; c <= last; c++) {
		unsigned used = style_columns(cell[c]);

		if (table->width[c] == 0)
			continue;
		if (right[c]) {
			for (; used < table->width[c]; used++)
				buf_char(out, ' ');
			style_text(out, s, cell[c]);
		} else {
			style_pad(out, s, cell[c], c == last && used < table->width[c] ?
				  used : table->width[c]);
		}
		if (c < last)
			buf_str(out, "  ");
	}
}

static unsigned table_width(const struct table *table)
{
	unsigned sum = 0;

	for (int c = 0; c < COLUMNS; c++)
		sum += table->width[c] ? table->width[c] + 2 : 0;
	return sum > 2 ? sum - 2 : 0;
}

/* "---- border: Khasan / Russia ------------" in the border's colour. */
static void rule_draw(struct buf *out, const struct style *s, const struct table *table,
		      const char *text, const char *color, bool heavy)
{
	unsigned width = table_width(table), used;

	width = width < 48 ? 48 : width;
	if (s->width > 0 && width > s->width)
		width = s->width;
	style_color(out, s, color);
	style_line(out, s, 5, heavy);
	buf_char(out, ' ');
	style_text(out, s, text);
	buf_char(out, ' ');
	used = 7 + style_columns(text);
	style_line(out, s, used < width ? width - used : 0, heavy);
	style_end(out, s);
	buf_char(out, '\n');
}

static void crossing_draw(struct buf *out, const struct style *s, const struct table *table,
			  const struct verdict *v, const struct profile *p)
{
	char text[256];

	if (v->outcome == OUTCOME_BORDER)
		snprintf(text, sizeof(text), "border: %s%s", words_border(p, v->border),
			 v->first_inside_ttl ? "" : " (nothing behind it answered)");
	else if (v->outcome == OUTCOME_OTHER)
		snprintf(text, sizeof(text), "border: another way in (%s)",
			 v->via_org[0] ? v->via_org : "not named by the profile");
	else if (v->outcome == OUTCOME_MIXED)
		snprintf(text, sizeof(text), "border: several");
	else
		snprintf(text, sizeof(text), "border: which one is not known");
	rule_draw(out, s, table, text, words_border_color(p, v->border), true);
}

static void table_draw(struct buf *out, const struct style *s, const struct table *table,
		       const struct verdict *v, const struct profile *p)
{
	bool judged = v->judged && v->outcome != OUTCOME_NONE && v->last_outside_ttl > 0 &&
		      (v->first_inside_ttl > 0 || v->outcome == OUTCOME_BORDER ||
		       v->outcome == OUTCOME_OTHER);
	bool crossed = false, entered = false;
	char head[COLUMNS][CELL];
	char text[192];

	for (int c = 0; c < COLUMNS; c++)
		snprintf(head[c], CELL, "%s", titles[c]);
	style_face(out, s, FACE_DIM);
	row_draw(out, s, table, head);
	style_end(out, s);
	buf_char(out, '\n');
	for (unsigned i = 0; i < table->count; i++) {
		const struct row *row = &table->rows[i];

		if (judged && !crossed && row->ttl > v->last_outside_ttl) {
			crossing_draw(out, s, table, v, p);
			crossed = true;
			/* No silent interval: one line says it all. */
			entered = row->ttl == v->first_inside_ttl;
		}
		if (judged && !entered && v->first_inside_ttl > 0 &&
		    row->ttl >= v->first_inside_ttl) {
			snprintf(text, sizeof(text), "inside %s", p->network_name);
			rule_draw(out, s, table, text, words_border_color(p, v->border), false);
			entered = true;
		}
		if (row->silent)
			style_face(out, s, FACE_DIM);
		else if (row->inside)
			style_face(out, s, FACE_BOLD);
		row_draw(out, s, table, row->cell);
		if (row->silent || row->inside)
			style_end(out, s);
		buf_char(out, '\n');
	}
	if (judged && !crossed)
		crossing_draw(out, s, table, v, p);
}

void report_head(struct buf *out, const struct style *s, const struct trace *t)
{
	char dst[ADDR_TEXT], src[ADDR_TEXT], when[WALL_TEXT];
	size_t start = out->used;

	style_face(out, s, FACE_BOLD);
	buf_str(out, addr_is_set(t->dst) ? addr_format(t->dst, dst) : "destination not recorded");
	style_end(out, s);
	if (t->target[0] != '\0' && (!addr_is_set(t->dst) || strcmp(t->target, dst) != 0)) {
		buf_str(out, " (");
		style_text(out, s, t->target);
		buf_char(out, ')');
	}
	if (t->method != METHOD_UNKNOWN)
		buf_printf(out, ", %s", word_of(method_words, t->method));
	if (t->method != METHOD_ICMP && t->dport > 0)
		buf_printf(out, " port %d", t->dport);
	if (t->vantage[0] != '\0' || addr_is_set(t->src)) {
		buf_str(out, ", from ");
		style_text(out, s, t->vantage[0] ? t->vantage : addr_format(t->src, src));
		if (t->vantage[0] && addr_is_set(t->src))
			buf_printf(out, " (%s)", addr_format(t->src, src));
	}
	if (t->flow > 0)
		buf_printf(out, ", flow %d", t->flow);
	if (t->start.ns != 0)
		buf_printf(out, ", %s", wall_format_short(t->start, when));
	buf_char(out, '\n');
	style_wrap(out, s, start, 2);
}

static const char *const answers[] = {
	[REACHED_BY_ECHO_REPLY] = "echo reply", [REACHED_BY_PORT_UNREACHABLE] = "port unreachable",
	[REACHED_BY_SYN_ACK] = "SYN-ACK", [REACHED_BY_RST] = "RST"};

/* Where the reach does not say it already. */
static const char *const stops[] = {
	[STOP_GAP_LIMIT] = "stopped after too many silent hops", [STOP_MAX_TTL] = "stopped at the last TTL",
	[STOP_LOOP] = "stopped at a loop", [STOP_TIMEOUT] = "stopped: out of time",
	[STOP_INTERRUPTED] = "interrupted"};

/* The destination answered, and of two or more routers before it none did. */
static bool only_destination(const struct trace *t)
{
	unsigned silent = 0;

	for (uint32_t i = 0; i < t->entry_count; i++) {
		const struct trace_entry *e = &t->entries[i];

		if (trace_entry_is_destination(t, e))
			return silent >= 2;
		if (addr_is_set(e->reply.from))
			return false;
		silent += e->attempt == 1;
	}
	return false;
}

/* Whoever spoke as the destination was faster than light. */
static bool only_forged(const struct trace *t)
{
	bool forged = false;

	for (uint32_t i = 0; i < t->entry_count; i++) {
		if (trace_entry_is_destination(t, &t->entries[i]))
			return false;
		forged |= (t->entries[i].reply.flags & REPLY_FTL) &&
			  addr_equal(t->entries[i].reply.from, t->dst);
	}
	return forged;
}

static void end_draw(struct buf *out, const struct style *s, const struct trace *t)
{
	struct hop_stats d = trace_destination_stats(t);
	size_t start = out->used;

	if (t->stop == STOP_ERROR) {
		style_face(out, s, FACE_BAD);
		buf_str(out, "not measured: ");
		style_text(out, s, t->error[0] ? t->error : "no reason recorded");
		style_end(out, s);
		buf_char(out, '\n');
		return;
	}
	buf_str(out, t->reach == REACH_REACHED && only_forged(t) ?
		"Only something in the destination's name answered" :
		t->reach == REACH_REACHED ? "Destination answered" :
		t->reach == REACH_FILTERED ? "Destination filtered" :
		t->reach == REACH_UNREACHABLE ? "Destination unreachable" :
		t->reach == REACH_SILENT ? "Destination silent" :
		"Whether the destination answers is not known");
	if ((size_t)t->reached_by < sizeof(answers) / sizeof(answers[0]) && answers[t->reached_by])
		buf_printf(out, " (%s)", answers[t->reached_by]);
	if (t->stop == STOP_GAP_LIMIT && t->gap_limit > 0)
		buf_printf(out, "; stopped after %d silent hops in a row", t->gap_limit);
	else if ((size_t)t->stop < sizeof(stops) / sizeof(stops[0]) && stops[t->stop])
		buf_printf(out, "; %s", stops[t->stop]);
	if (d.median_ns >= 0)
		buf_printf(out, "; RTT min %.3f, median %.3f ms over %u", (double)d.min_ns / 1e6,
			   (double)d.median_ns / 1e6, d.answered);
	if (t->sent >= 0)
		buf_printf(out, "; %lld probe%s, %lld repl%s", (long long)t->sent,
			   t->sent == 1 ? "" : "s", (long long)t->received,
			   t->received == 1 ? "y" : "ies");
	buf_str(out, ".\n");
	style_wrap(out, s, start, 2);
	if (only_destination(t))
		buf_str(out, "No router on the way answered. Routers ration their answers: after other "
			"traces from here, wait a few seconds and try again.\n");
	if (t->inherited_from[0] != '\0') {
		start = out->used;
		buf_str(out, "Hops marked inherited were not asked in this trace: they are what trace ");
		style_text(out, s, t->inherited_from);
		buf_str(out, " found on the way that both share.\n");
		style_wrap(out, s, start, 2);
	}
	if (t->drops > 0)
		buf_printf(out, "The capture lost %lld packets: hops may be missing for that reason.\n",
			   (long long)t->drops);
	if (t->clock_stepped)
		buf_str(out, "The clock was set or slewed while this was measured: RTTs of that time "
			"are void.\n");
}

/* What the marks in the table mean: those that make an answer worthless always, remarks when asked
 * for. */
static const struct { enum reply_flag flag; bool always; const char *says; } notes[] = {
	{REPLY_FTL, true, "faster_than_light: sooner than light in fibre could go there and back. "
	 "Forged, or a proxy's; it proves nothing."},
	{REPLY_NEARER, true, "nearer: in the destination's name, while a router answered the same "
	 "probe or from beyond. Not the destination's; it proves nothing."},
	{REPLY_CLOCK, true, "clock: the RTT is void, the clock was set or slewed."},
	{REPLY_NAT, false, "nat: the probe arrived there with another address or port than it left "
	 "with."},
	{REPLY_REWRITTEN, false, "rewritten: one copy of the probe's mark was changed on the way; "
	 "another is whole."},
	{REPLY_QUOTE, false, "quoted_ttl: the probe had not run down to TTL 1 there: a tunnel, or "
	 "a router before that forwards 0."},
};

static void notes_draw(struct buf *out, const struct style *s, const struct trace *t, bool verbose)
{
	unsigned flags = 0;

	for (uint32_t i = 0; i < t->entry_count; i++)
		flags |= t->entries[i].reply.flags;
	for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++) {
		size_t start = out->used;

		if (!(flags & notes[i].flag) || !(notes[i].always || verbose))
			continue;
		buf_printf(out, "%s\n", notes[i].says);
		style_wrap(out, s, start, 2);
	}
}

static void refused_draw(struct buf *out, const struct trace *t)
{
	const struct refused *r = &t->refused;

	if (t->refused_known)
		buf_printf(out, "Refused: foreign %u, bad token %u, malformed %u, late %u, duplicate %u.\n",
			   r->foreign, r->bad_token, r->malformed, r->late, r->duplicate);
}

void report_trace(struct buf *out, const struct style *s, const struct trace *t,
		  const struct names *names, const struct verdict *v, const struct profile *p,
		  bool with_names, bool verbose)
{
	struct table *table = calloc(1, sizeof(*table));

	if (table == NULL) {
		out->failed = true;
		return;
	}
	table->with_names = with_names;
	table_fill(table, t, names, p);
	table_measure(table, s);
	report_head(out, s, t);
	if (table->count > 0)
		table_draw(out, s, table, v, p);
	end_draw(out, s, t);
	notes_draw(out, s, t, verbose);
	if (verbose)
		refused_draw(out, t);
	free(table);
	if (!v->judged || t->stop == STOP_ERROR)
		return;
	report_verdict(out, s, t, v, p);
	buf_char(out, '\n');
	report_evidence(out, s, v, p, verbose);
}
