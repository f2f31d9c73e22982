// SPDX-License-Identifier: BSD-2-Clause
/* What is wrong with a plan that reads well: faults that keep it from running, and warnings. */
#include <string.h>
#include <strings.h>

#include "campaign/place.h"
#include "campaign/store.h"
#include "cli/campaign_check.h"
#include "core/text.h"

/* Good manners (REPORTS): known hosts every 15 minutes; a sweep of a /22, 1024 destinations, by one
 * method and one attempt, every 6 hours. More hosts than these are a sweep too. */
enum { HOST_MINUTES = 15, SWEEP_HOURS = 6, SWEEP_DESTINATIONS = 1024, KNOWN_HOSTS = 64 };

/* --- manners ---------------------------------------------------------------------------------- */

/* Destinations of a round that belong to somebody: hosts named one by one, and in prefixes. */
struct burden { uint64_t hosts, swept, asked; /* asked: of the swept, times flows and attempts */ };

static struct burden burden_of(const struct check *c)
{
	struct burden b = {0};
	uint64_t hosts_asked = 0;

	for (uint32_t i = 0; i < feed_rows(c->feed); i++) {
		struct feed_row r;
		uint64_t n, times;

		feed_row(c->feed, i, &r);
		if (r.reference || addr_kind(r.prefix.addr) != ADDR_KIND_GLOBAL)
			continue;
		n = prefix_size(r.prefix) - prefixset_overlap(r.out, r.prefix);
		times = n * r.how->attempts *
			(r.how->multipath > 0 ? FORECAST_FLOWS : r.how->flows);
		if (r.prefix.len == 8 * addr_size(r.prefix.addr)) {
			b.hosts += n;
			hosts_asked += times;
		} else {
			b.swept += n;
			b.asked += times;
		}
	}
	if (b.hosts > KNOWN_HOSTS) {
		b.swept += b.hosts;
		b.asked += hosts_asked;
		b.hosts = 0;
	}
	return b;
}

static void put_every(struct buf *out, const struct check *c)
{
	buf_str(out, "every ");
	check_put_duration(out, c->plan->every_ns);
}

static void doubt_manners(struct check *c)
{
	struct burden b = burden_of(c);
	double window_s = SWEEP_HOURS * 3600.0, every_s = (double)c->plan->every_ns / 1e9;
	struct buf every;

	buf_init(&every);
	put_every(&every, c);
	if (every.failed) {
		c->warnings.text.failed = true;
	} else if (b.hosts > 0 && every_s < HOST_MINUTES * 60) {
		check_say(&c->warnings, "manners: %llu host%s %s; known hosts are asked every %d min at "
			  "most", (unsigned long long)b.hosts, b.hosts == 1 ? "" : "s", every.bytes,
			  HOST_MINUTES);
	}
	/* What is asked in six hours, as by a sweep: fewer destinations may be asked more often. */
	if (!every.failed && b.swept > 0 &&
	    (double)b.asked * window_s / every_s > SWEEP_DESTINATIONS)
		check_say(&c->warnings, "manners: a sweep of %llu destinations, asked %llu times a hop "
			  "%s; a sweep is %d at one method, one flow and one attempt, every %d h, at "
			  "most", (unsigned long long)b.swept, (unsigned long long)b.asked, every.bytes,
			  SWEEP_DESTINATIONS, SWEEP_HOURS);
	buf_fini(&every);
}

/* --- the plan --------------------------------------------------------------------------------- */

void check_doubt_time(struct check *c)
{
	const struct forecast *f = &c->forecast;
	double every_s = (double)c->plan->every_ns / 1e9;
	struct buf text;

	buf_init(&text);
	duration_put(&text, f->seconds[f->seconds[CASE_LEAST] > every_s ? CASE_LEAST : CASE_USUAL]);
	buf_str(&text, " of ");
	put_every(&text, c);
	if (text.failed)
		c->faults.text.failed = true;
	else if (f->seconds[CASE_LEAST] > every_s)
		check_say(&c->faults, "a round cannot end before the next one begins: it takes %s even "
			  "if every destination answers at once", text.bytes);
	else if (f->seconds[CASE_USUAL] > every_s)
		check_say(&c->warnings, "a round does not end before the next one begins: it takes %s "
			  "over %d hops, and the rounds it runs over are missed", text.bytes,
			  FORECAST_HOPS);
	buf_fini(&text);
}

static void doubt_references(struct check *c)
{
	const struct campaign_plan *p = c->plan;
	char text[ADDR_TEXT];

	if (p->references_count == 0)
		check_say(&c->warnings, "no reference hosts: \"we were down\" is told from \"they were "
			  "down\" only where some target answers");
	for (unsigned i = 0; i < p->references_count; i++) {
		if (prefixset_find(&c->inside, p->references[i]) != NULL)
			check_say(&c->faults, "reference host %s lies in the network that is watched: it "
				  "cannot tell \"we were down\" from \"they were down\"",
				  addr_format(p->references[i], text));
	}
}

/* Hosts that stand for a prefix are of one: another one's path is another story. */
static void doubt_hosts(struct check *c)
{
	for (unsigned i = 0; i < c->plan->targets_count; i++) {
		const struct campaign_target *t = &c->plan->targets[i];
		struct prefix first = {0}, other = {0};
		struct addr a, b;

		if (addr_parse(t->hosts[0], &a) < 0)
			continue;
		first = profile_judge_prefix(c->profile, a);
		for (unsigned j = 1; j < t->hosts_count; j++) {
			if (addr_parse(t->hosts[j], &b) < 0)
				continue;
			other = profile_judge_prefix(c->profile, b);
			if (!prefix_equal(first, other)) {
				check_say(&c->warnings, "targets[%u]: %s and %s stand for each other, but "
					  "verdicts are kept for their prefixes apart", t->index,
					  t->hosts[0], t->hosts[j]);
				break;
			}
		}
	}
}

/* Those that nobody may probe: one line for each host, prefixes are left to the prober. */
static void doubt_addresses(struct check *c)
{
	static const struct prefixset none;

	for (uint32_t i = 0; i < feed_rows(c->feed); i++) {
		struct limits l = {0};
		struct bp_error err;
		struct feed_row r;

		feed_row(c->feed, i, &r);
		if (limits_check_target(&l, &none, r.prefix.addr, &err) < 0)
			check_say(&c->faults, "%s", err.text);
	}
}

static void doubt_plan(struct check *c)
{
	const struct campaign_plan *p = c->plan;
	char shown[STORE_SHOWN_TEXT];

	if (strncmp(p->store, "postgres", 8) == 0)
		check_say(&c->faults,
			  "store %s: a campaign keeps its records in sqlite:FILE; "
			  "collect brings them to a server",
			  store_shown(p->store, shown));
	if (feed_unread(c->feed) > 0)
		check_say(&c->faults, "%u list%s of targets cannot be read: each round would miss what "
			  "%s", feed_unread(c->feed), feed_unread(c->feed) == 1 ? "" : "s",
			  feed_unread(c->feed) == 1 ? "it names" : "they name");
	if (c->starts[0].ns == 0)
		check_say(&c->warnings, "no round is left before until");
	if (c->forecast.past_paths == 0)
		check_say(&c->warnings, "no destination lies in the profile's network (%s): there will "
			  "be no verdicts", c->profile->network_name);
	if (!c->manners.has_contact)
		check_say(&c->warnings, "nobody is told who measures: say contact: {who: ..., url: "
			  "https://..., mail: ...} in the plan or in contact.yaml");
	if (!c->manners.knows_limits)
		check_say(&c->warnings, "this machine's limits (" BP_LIMITS_FILE ") cannot be read: the "
			  "prober may refuse what is said here");
}

void check_doubt(struct check *c)
{
	if (c->manners.refused.code < 0)
		check_say(&c->faults, "%s", c->manners.refused.text);
	doubt_addresses(c);
	doubt_references(c);
	check_doubt_time(c);
	doubt_plan(c);
	doubt_hosts(c);
	doubt_manners(c);
}

void check_doubt_pair(struct check *one, const struct check *other)
{
	char a[ROUND_ID_TEXT], b[ROUND_ID_TEXT];

	place_name(one->plan, a);
	place_name(other->plan, b);
	if (strcmp(a, b) == 0 && strcmp(one->plan->store, other->plan->store) == 0)
		check_say(&one->faults, "the campaign and vantage of %s: rounds of the two would have the "
			  "same ids (%s-...) in one store", other->plan->file, a);
}
