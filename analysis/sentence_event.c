// SPDX-License-Identifier: BSD-2-Clause
/* The templates of REPORTS, filled: of events. */
#include <string.h>

#include "analysis/sentence.h"
#include "analysis/sentence_inside.h"
#include "analysis/words.h"

static void small(struct buf *out, size_t at)
{
	if (at < out->used && out->bytes[at] >= 'A' && out->bytes[at] <= 'Z')
		out->bytes[at] = (char)(out->bytes[at] - 'A' + 'a');
}

static void when(struct buf *out, const struct event *e, const struct profile *p)
{
	struct wall from = e->not_before.ns != 0 ? e->not_before : e->at;

	words_interval(out, from, e->not_after.ns != 0 ? e->not_after : e->at, p->timezone);
}

static void event_networks(struct buf *out, const struct event *e, unsigned of,
			   const struct profile *p)
{
	if (e->prefix_count > 0)
		sentence_put_networks(out, e->prefixes, e->prefix_count, of, p);
	else
		sentence_put_networks(out, &e->prefix, addr_is_set(e->prefix.addr), of, p);
}

static void seen(struct buf *out, const struct event *e)
{
	if (e->seen_of == 0)
		return;
	buf_str(out, ", as seen from ");
	sentence_put_points(out, e->seen_by, e->seen_of);
}

static bool has_carrier(const struct event_state *s)
{
	return s->org[0] != '\0' || s->asn != 0;
}

static void border_name(struct buf *out, const struct event_state *s, const struct profile *p)
{
	if (strcmp(s->what, "mixed") == 0)
		buf_str(out, "several ways at once");
	else
		buf_str(out, s->what[0] != '\0' ? words_border(p, s->what) : "an unnamed border");
}

/* By carriers, and the borders behind them; by borders where a carrier is not known. */
static void from_to(struct buf *out, const struct event *e, const struct profile *p)
{
	bool carriers = has_carrier(&e->from) && has_carrier(&e->to);

	buf_str(out, ", moved from ");
	if (carriers) {
		words_carrier(out, e->from.org, e->from.asn, "");
		buf_str(out, " to ");
		words_carrier(out, e->to.org, e->to.asn, "");
		buf_str(out, " (");
	}
	border_name(out, &e->from, p);
	buf_str(out, " to ");
	border_name(out, &e->to, p);
	buf_str(out, carriers ? ")" : "");
}

static void switch_event(struct buf *out, const struct event *e, const struct profile *p,
			 unsigned of)
{
	when(out, e, p);
	buf_str(out, ", paths into ");
	event_networks(out, e, of, p);
	from_to(out, e, p);
	seen(out, e);
}

static void path_event(struct buf *out, const struct event *e, const struct profile *p, unsigned of)
{
	when(out, e, p);
	/* Its own doing: nothing of the network changed. */
	if (e->scope == EVENT_SCOPE_VANTAGE) {
		buf_str(out, ", vantage point ");
		sentence_put_vantage(out, e->vantage);
		buf_str(out, " moved to another upstream; what changed for it alone is not told");
		return;
	}
	buf_str(out, ", paths into ");
	event_networks(out, e, of, p);
	buf_str(out, e->networks ? ", changed their networks" :
		", changed routers within the same networks");
	if (e->ttl > 0)
		buf_printf(out, ", from hop %u on", e->ttl);
	buf_str(out, "; the border stayed");
	seen(out, e);
}

static void delay_event(struct buf *out, const struct event *e, const struct profile *p)
{
	static const char *const where[] = {
		[EVENT_WHERE_UNKNOWN] = "", [EVENT_WHERE_INSIDE] = "; it arose inside the network",
		[EVENT_WHERE_BORDER] = "; it arose at the border",
		[EVENT_WHERE_ON_THE_WAY] = "; it arose on the way, before the border"};
	char text[PREFIX_TEXT];
	size_t at;

	buf_str(out, "From ");
	if (e->vantage[0] != '\0')
		sentence_put_vantage(out, e->vantage);
	else
		sentence_put_points(out, e->seen_by, e->seen_of);
	buf_printf(out, e->before_ns >= 0 || e->kind != EVENT_RETURN_PATH ?
				", median round-trip time to %s " :
				", the TTL of answers from %s ",
		   addr_is_set(e->prefix.addr) ? prefix_format(e->prefix, text) :
						 p->network_name);
	if (e->before_ns >= 0 && e->after_ns >= 0)
		sentence_put_shift(out, e->before_ns, e->after_ns, e->shift_ns, e->shift_low_ns,
				   e->shift_high_ns);
	else
		buf_str(out, e->kind == EVENT_RETURN_PATH ? "changed" : "shifted");
	buf_char(out, ' ');
	at = out->used;
	when(out, e, p);
	small(out, at);
	if (e->where <= EVENT_WHERE_ON_THE_WAY)
		buf_str(out, where[e->where]);
	if (e->kind == EVENT_RETURN_PATH)
		buf_str(out, "; the path towards it did not change: the way back may have moved");
}

static void put_moment(struct buf *out, struct wall t)
{
	char text[WALL_TEXT];

	buf_str(out, wall_format_short(t, text));
}

/* "From T1 to T2 UTC (9 h 31 min)", or "Since T1 UTC". */
static void span(struct buf *out, const struct event *e)
{
	struct wall from = e->at.ns != 0 ? e->at : e->not_after;

	if (e->until.ns == 0) {
		buf_str(out, "Since ");
		put_moment(out, from);
		return;
	}
	buf_str(out, "From ");
	put_moment(out, from);
	buf_str(out, " to ");
	put_moment(out, e->until);
	buf_str(out, " (");
	duration_put(out, (double)(e->until.ns - from.ns) / 1e9);
	buf_char(out, ')');
}

/* Of those that it did not answer: what tells that it was not them. */
static void how_they_were(struct buf *out, const struct event *e)
{
	unsigned n = e->reference < e->seen_by ? e->reference : e->seen_by;

	if (n < e->seen_by && e->online >= e->seen_by)
		buf_str(out, e->seen_by == 1 ? ", which was not offline" :
			", none of which was offline");
	else if (n == 0)
		buf_str(out, e->seen_by == 1 ? ", which is not known to have been offline" :
			", none of which is known to have been offline");
	else if (e->seen_by == 1)
		buf_str(out, ", which reached its reference hosts");
	else if (n == e->seen_by)
		buf_str(out, ", all of which reached their reference hosts");
	else if (n == 1)
		buf_str(out, ", one of which reached its reference hosts");
	else
		buf_printf(out, ", %u of which reached their reference hosts", n);
}

/* ", at 219.158.3.1, China Unicom (AS4837)", as far as that is known. */
static void last_hop(struct buf *out, const struct event *e)
{
	char text[ADDR_TEXT];

	if (addr_is_set(e->last_hop))
		buf_printf(out, ", at %s", addr_format(e->last_hop, text));
	if (e->to.asn != 0) {
		buf_str(out, addr_is_set(e->last_hop) ? ", " : ", in ");
		words_carrier(out, e->to.org, e->to.asn, "");
	}
}

static void outage_event(struct buf *out, const struct event *e, const struct profile *p,
			 unsigned of)
{
	static const char *const ends[] = {
		[EVENT_OUTAGE_UNKNOWN] = "",
		[EVENT_OUTAGE_SILENT] = "; routers inside still answered",
		[EVENT_OUTAGE_INSIDE] = "; paths ended inside the network",
		[EVENT_OUTAGE_AT_BORDER] = "; paths ended at the border",
		[EVENT_OUTAGE_BEFORE_BORDER] = "; paths ended before the border",
		[EVENT_OUTAGE_FILTERED] = "; the answer was that it is prohibited",
		[EVENT_OUTAGE_VANTAGE] = "",
		[EVENT_OUTAGE_RATE_LIMITED] = "; answers came now and then, as under a limit"};
	char text[ADDR_TEXT];

	span(out, e);
	if (e->scope == EVENT_SCOPE_VANTAGE || e->outage == EVENT_OUTAGE_VANTAGE) {
		buf_str(out, ", vantage point ");
		sentence_put_vantage(out, e->vantage);
		/* Why is not known: whether it was cut off or all the world was. */
		buf_str(out, " reached nobody, its reference hosts neither, which says nothing of the "
			"network.");
		return;
	}
	if (e->scope == EVENT_SCOPE_HOST && addr_is_set(e->host)) {
		buf_printf(out, ", host %s in ", addr_format(e->host, text));
		event_networks(out, e, 0, p);
		buf_str(out, " did not answer ");
	} else {
		buf_str(out, ", no probed host in ");
		event_networks(out, e, of, p);
		/* Behind a "namely". */
		buf_str(out, of > 0 && (addr_is_set(e->prefix.addr) || e->prefix_count > 0) ? ", " :
			" ");
		buf_str(out, e->until.ns == 0 ? "has answered " : "answered ");
	}
	sentence_put_points(out, e->seen_by, e->seen_of);
	how_they_were(out, e);
	if (e->outage <= EVENT_OUTAGE_RATE_LIMITED)
		buf_str(out, ends[e->outage]);
	if (e->outage == EVENT_OUTAGE_AT_BORDER || e->outage == EVENT_OUTAGE_BEFORE_BORDER ||
	    e->outage == EVENT_OUTAGE_INSIDE)
		last_hop(out, e);
	buf_char(out, '.');
}

static void flapping_event(struct buf *out, const struct event *e, const struct profile *p)
{
	struct wall from = e->at.ns != 0 ? e->at : e->not_before;

	words_interval(out, from, e->until.ns != 0 ? e->until : e->seen.ns != 0 ? e->seen :
		       e->not_after, p->timezone);
	buf_str(out, " the path into ");
	event_networks(out, e, 0, p);
	buf_printf(out, " changed %u times; changes shorter than a round may be missing", e->changes);
	seen(out, e);
}

void sentence_event(struct buf *out, const struct event *e, const struct profile *p,
		    unsigned networks_of)
{
	switch (e->kind) {
	case EVENT_BORDER_SWITCH: switch_event(out, e, p, networks_of); break;
	case EVENT_PATH_CHANGE: path_event(out, e, p, networks_of); break;
	case EVENT_RTT_SHIFT:
	case EVENT_RETURN_PATH: delay_event(out, e, p); break;
	case EVENT_OUTAGE:
	case EVENT_RECOVERY: outage_event(out, e, p, networks_of); return;
	case EVENT_FLAPPING: flapping_event(out, e, p); break;
	default: buf_str(out, "Something changed"); break;
	}
	buf_char(out, '.');
}

void sentence_summary(struct event *e, const struct profile *p, unsigned networks_of)
{
	struct buf out;

	buf_init(&out);
	sentence_event(&out, e, p, networks_of);
	if (!out.failed && out.bytes != NULL)
		text_copy(e->summary, sizeof(e->summary), out.bytes, out.used);
	buf_fini(&out);
}
