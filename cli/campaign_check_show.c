// SPDX-License-Identifier: BSD-2-Clause
/* A checked plan for people and for scripts, and the sums of several. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "campaign/run.h"
#include "campaign/schedule.h"
#include "campaign/store_place.h"
#include "cli/campaign_check.h"
#include "core/json.h"
#include "core/record/jsonl_write.h"

/* --- figures ---------------------------------------------------------------------------------- */

static uint64_t a_day(const struct check *c, uint64_t a_round)
{
	return (uint64_t)((double)a_round * check_rounds(c) + 0.5);
}

/* 999 bytes, 1.2 MB: two digits or three. */
static void put_bytes(struct buf *out, double bytes)
{
	static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB", "PB"};
	size_t i = 0;

	for (; bytes >= 1000 && i + 1 < sizeof(units) / sizeof(units[0]); i++)
		bytes /= 1000;
	buf_printf(out, "%.*f %s", i > 0 && bytes < 10 ? 1 : 0, bytes, units[i]);
}

void check_put_duration(struct buf *out, int64_t ns)
{
	static const struct { int64_t s; const char *unit; } units[] = {
		{86400, "days"}, {3600, "h"}, {60, "min"}, {1, "s"}};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		int64_t one = units[i].s * NS_PER_S;

		if (ns % one == 0 && ns >= (i == 0 ? 2 * one : one)) {
			buf_printf(out, "%lld %s", (long long)(ns / one), units[i].unit);
			return;
		}
	}
	buf_printf(out, "%g s", (double)ns / 1e9);
}

static uint64_t store_bytes_day(const struct check *c)
{
	return a_day(c, check_traces(c) * CHECK_TRACE_BYTES + CHECK_ROUND_BYTES);
}

/* Who is told of events, and what they set going. */
static void write_events(struct buf *out, const struct campaign_plan *p)
{
	const char *between = "";

	buf_str(out, "Events        kept in the store");
	if (p->alerts)
		buf_str(out, "; told to ");
	if (p->webhook_url[0] != '\0') {
		buf_printf(out, "a webhook%s%s",
			   p->webhook_body == CAMPAIGN_BODY_ALERTMANAGER ? " (Alertmanager's)" : "",
			   p->webhook_secret[0] == '\0' ? ", unsigned" : "");
		between = " and ";
	}
	if (p->alert_exec[0] != '\0')
		buf_printf(out, "%s%s", between, p->alert_exec);
	if (p->on_event) {
		buf_str(out, "; a closer look every ");
		duration_put(out, (double)p->on_event_every_ns / 1e9);
		buf_str(out, " for ");
		duration_put(out, (double)p->on_event_for_ns / 1e9);
	}
	buf_char(out, '\n');
	if (!p->metrics)
		return;
	buf_printf(out, "Metrics       %s%s%s\n", p->metrics_listen,
		   p->metrics_listen[0] != '\0' && p->metrics_textfile[0] != '\0' ? ", " : "",
		   p->metrics_textfile);
}

static void put_events(struct json_writer *w, const struct campaign_plan *p)
{
	json_begin_object(w, "events");
	json_put_bool(w, "webhook", p->webhook_url[0] != '\0');
	json_put_bool(w, "signed", p->webhook_secret[0] != '\0');
	jsonl_put_text(w, "exec", p->alert_exec);
	if (p->on_event) {
		json_put_real(w, "look_every_s", (double)p->on_event_every_ns / 1e9);
		json_put_real(w, "look_for_s", (double)p->on_event_for_ns / 1e9);
	}
	jsonl_put_text(w, "metrics_listen", p->metrics_listen);
	jsonl_put_text(w, "metrics_textfile", p->metrics_textfile);
	json_end(w);
}

enum { STORE_TEXT = PATH_MAX + 8 };

/* The store that rounds go to, also where the plan leaves that to us. */
static const char *store_of(const struct campaign_plan *p, char out[static STORE_TEXT])
{
	char path[PATH_MAX], shown[STORE_SHOWN_TEXT];
	struct bp_error err;

	if (p->store[0] != '\0') {
		text_set(out, STORE_TEXT, store_shown(p->store, shown));
		return out;
	}
	if (store_place(NULL, path, &err) < 0)
		snprintf(out, STORE_TEXT, "%s", err.text);
	else
		snprintf(out, STORE_TEXT, "sqlite:%s", path);
	return out;
}

/* --- text ------------------------------------------------------------------------------------- */

static void write_plan(struct buf *out, const struct check *c)
{
	const struct campaign_plan *p = c->plan;
	char text[WALL_TEXT], address[ADDR_TEXT], store[STORE_TEXT];

	buf_printf(out, "Plan          %s: %s\n", p->file, p->campaign);
	buf_printf(out, "Vantage       %s", p->vantage);
	if (p->place_known)
		buf_printf(out, " at %g, %g", p->lat, p->lon);
	if (addr_is_set(p->public_addr))
		buf_printf(out, ", seen as %s", addr_format(p->public_addr, address));
	buf_printf(out, "\nProfile       %s %s: %s\n", c->profile->id, c->profile->version,
		   c->profile->network_name);
	buf_printf(out, "Store         %s%s; traces are kept ", store_of(p, store),
		   p->store[0] == '\0' ? ", the default one" : "");
	if (p->keep_traces_ns > 0)
		check_put_duration(out, p->keep_traces_ns);
	else
		buf_str(out, "for ever");
	if (p->keep_hourly_ns > 0) {
		buf_str(out, ", hourly summaries ");
		check_put_duration(out, p->keep_hourly_ns);
	}
	buf_str(out, "\nSchedule      every ");
	check_put_duration(out, p->every_ns);
	if (p->offset_ns > 0) {
		buf_str(out, ", offset ");
		check_put_duration(out, p->offset_ns);
	}
	buf_str(out, ", jitter up to ");
	check_put_duration(out, p->jitter_ns);
	for (int i = 0; i < CHECK_STARTS && c->starts[i].ns != 0; i++)
		buf_printf(out, "%s%s", i == 0 ? "\nNext          " : ", ",
			   wall_format_short(c->starts[i], text));
	buf_char(out, '\n');
}

static void write_targets(struct buf *out, const struct check *c)
{
	const struct forecast *f = &c->forecast;

	buf_printf(out, "Destinations  %llu in %u network%s (/24, IPv6 /48)",
		   (unsigned long long)f->destinations, f->network_count,
		   f->network_count == 1 ? "" : "s");
	if (c->plan->references_count > 0)
		buf_printf(out, ", %u of them reference hosts", c->plan->references_count);
	if (c->standby > 0)
		buf_printf(out, "; %u more stand by", c->standby);
	buf_printf(out, "\nLeft out      %llu on do-not-probe lists", (unsigned long long)c->avoided);
	if (c->never > 0)
		buf_printf(out, ", %llu on this machine's own", (unsigned long long)c->never);
	buf_printf(out, "\nMeasurements  %llu a round, %llu a day%s",
		   (unsigned long long)feed_expected(c->feed),
		   (unsigned long long)a_day(c, feed_expected(c->feed)),
		   c->methods != 0 ? ", by " : "");
	manners_put_methods(out, c->methods);
	if (feed_unresolved(c->feed) > 0)
		buf_printf(out, "; %llu of them have no address now",
			   (unsigned long long)feed_unresolved(c->feed));
	buf_char(out, '\n');
}

static void write_network(struct buf *out, const struct forecast_network *n, double rounds)
{
	char text[PREFIX_TEXT];

	buf_printf(out, "  %-18s %llu path%s, %llu to %llu probes a round, %.0f a day\n",
		   prefix_format(n->network, text), (unsigned long long)n->paths,
		   n->paths == 1 ? "" : "s", (unsigned long long)n->probes[CASE_LEAST],
		   (unsigned long long)n->probes[CASE_MOST],
		   (double)n->probes[CASE_USUAL] * rounds);
}

static void write_load(struct buf *out, const struct check *c, unsigned verbose)
{
	const struct forecast *f = &c->forecast;
	uint32_t shown = verbose > 0 || f->network_count <= CHECK_NETWORKS_SHOWN ?
			 f->network_count : CHECK_NETWORKS_SHOWN;
	char text[PREFIX_TEXT];

	buf_printf(out, "Probes        %llu a round at least, %llu over %d hops, %llu at most; %llu a "
		   "day\n", (unsigned long long)f->probes[CASE_LEAST],
		   (unsigned long long)f->probes[CASE_USUAL], FORECAST_HOPS,
		   (unsigned long long)f->probes[CASE_MOST],
		   (unsigned long long)a_day(c, f->probes[CASE_USUAL]));
	if (f->past_paths > 0)
		buf_printf(out, "Past border   %llu a round at least, %llu, %llu at most; %llu a day: of "
			   "%llu paths into %s\n              the last %d of %d hops, estimated\n",
			   (unsigned long long)f->past[CASE_LEAST],
			   (unsigned long long)f->past[CASE_USUAL],
			   (unsigned long long)f->past[CASE_MOST],
			   (unsigned long long)a_day(c, f->past[CASE_USUAL]),
			   (unsigned long long)f->past_paths, c->profile->network_name,
			   FORECAST_INSIDE_HOPS, FORECAST_HOPS);
	if (f->network_count > 0)
		buf_printf(out, "Busiest       %s\n",
			   prefix_format(f->networks[f->busiest].network, text));
	for (uint32_t i = 0; i < shown; i++)
		write_network(out, &f->networks[i], check_rounds(c));
	if (shown < f->network_count)
		buf_printf(out, "  %u more (-v lists them)\n", f->network_count - shown);
}

static void write_looks(struct buf *out, const struct check *c)
{
	const struct campaign_plan *p = c->plan;
	uint64_t probes = c->look.probes[CASE_USUAL], past = c->look.past[CASE_USUAL];
	char text[PREFIX_TEXT];

	if (!addr_is_set(c->look_at.addr))
		return;
	buf_str(out, "Closer looks  after a suspected change, every ");
	duration_put(out, (double)p->on_event_every_ns / 1e9);
	buf_str(out, " for ");
	duration_put(out, (double)p->on_event_for_ns / 1e9);
	buf_str(out, ", at most ");
	duration_put(out, CAMPAIGN_LOOK_TIMES * (double)p->on_event_for_ns / 1e9);
	buf_printf(out, " in a row:\n              into %s %llu probes a look, %llu past the border; "
		   "%llu an event, %llu past it\n", prefix_format(c->look_at, text),
		   (unsigned long long)probes, (unsigned long long)past,
		   (unsigned long long)(probes * check_looks(c)),
		   (unsigned long long)(past * check_looks(c)));
}

static void write_cost(struct buf *out, const struct check *c)
{
	buf_str(out, "Sent          ");
	put_bytes(out, (double)a_day(c, c->forecast.bytes[CASE_USUAL]));
	buf_str(out, " a day, in IP packets\nKept          ");
	put_bytes(out, (double)store_bytes_day(c));
	buf_printf(out, " a day in the store, at %d bytes a trace and %d a round\nA second      ",
		   CHECK_TRACE_BYTES, CHECK_ROUND_BYTES);
	manners_put_rates(out, &c->run);
	buf_str(out, "\nA round       ");
	manners_put_time(out, &c->forecast);
	buf_char(out, '\n');
}

static void write_lines(struct buf *out, const char *label, const struct check_lines *lines)
{
	const char *at = lines->text.bytes;

	for (unsigned i = 0; i < lines->count && at != NULL; i++) {
		size_t n = strcspn(at, "\n");

		buf_printf(out, "%-14s%.*s\n", label, (int)n, at);
		at += n + 1;
	}
}

void check_show_text(struct buf *out, const struct check *c, unsigned verbose)
{
	write_plan(out, c);
	write_targets(out, c);
	write_load(out, c, verbose);
	write_looks(out, c);
	write_cost(out, c);
	buf_str(out, "Who measures  ");
	if (c->manners.has_contact)
		manners_put_contact(out, &c->manners);
	else
		buf_str(out, "not said");
	buf_char(out, '\n');
	write_events(out, c->plan);
	write_lines(out, "Warning", &c->warnings);
	write_lines(out, "Unusable", &c->faults);
	buf_char(out, '\n');
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void put_lines(struct json_writer *w, const char *key, const struct check_lines *lines)
{
	const char *at = lines->text.bytes;
	char text[BP_ERROR_TEXT];

	json_begin_array(w, key);
	for (unsigned i = 0; i < lines->count && at != NULL; i++) {
		size_t n = strcspn(at, "\n");

		text_copy(text, sizeof(text), at, n);
		json_put_str(w, NULL, text);
		at += n + 1;
	}
	json_end(w);
}

static void put_seconds(struct json_writer *w, const char *key, int64_t ns)
{
	json_put_decimal(w, key, ns / NS_PER_MS, 3);
}

static void put_plan(struct json_writer *w, const struct check *c)
{
	const struct campaign_plan *p = c->plan;
	char address[ADDR_TEXT], text[WALL_TEXT], store[STORE_TEXT];

	json_put_str(w, "file", p->file);
	json_put_str(w, "campaign", p->campaign);
	json_put_str(w, "vantage", p->vantage);
	if (p->place_known) {
		json_put_real(w, "lat", p->lat);
		json_put_real(w, "lon", p->lon);
	}
	if (addr_is_set(p->public_addr))
		json_put_str(w, "address", addr_format(p->public_addr, address));
	json_put_str(w, "profile", c->profile->id);
	json_put_str(w, "profile_version", c->profile->version);
	json_put_str(w, "store", store_of(p, store));
	if (p->keep_traces_ns > 0)
		put_seconds(w, "keep_traces_s", p->keep_traces_ns);
	if (p->keep_hourly_ns > 0)
		put_seconds(w, "keep_hourly_s", p->keep_hourly_ns);
	put_seconds(w, "every_s", p->every_ns);
	put_seconds(w, "offset_s", p->offset_ns);
	put_seconds(w, "jitter_s", p->jitter_ns);
	json_begin_array(w, "next");
	for (int i = 0; i < CHECK_STARTS && c->starts[i].ns != 0; i++)
		json_put_str(w, NULL, wall_format(c->starts[i], text));
	json_end(w);
}

static void put_networks(struct json_writer *w, const struct check *c)
{
	char text[PREFIX_TEXT];

	json_begin_array(w, "networks");
	for (uint32_t i = 0; i < c->forecast.network_count; i++) {
		const struct forecast_network *n = &c->forecast.networks[i];

		json_begin_object(w, NULL);
		json_put_str(w, "prefix", prefix_format(n->network, text));
		json_put_int(w, "paths", (int64_t)n->paths);
		manners_put_cases(w, "probes", n->probes);
		json_put_int(w, "probes_day", (int64_t)a_day(c, n->probes[CASE_USUAL]));
		json_end(w);
	}
	json_end(w);
}

static void put_looks(struct json_writer *w, const struct check *c)
{
	const struct campaign_plan *p = c->plan;
	uint64_t looks = check_looks(c);
	char text[PREFIX_TEXT];

	if (!addr_is_set(c->look_at.addr))
		return;
	json_begin_object(w, "looks");
	put_seconds(w, "every_s", p->on_event_every_ns);
	put_seconds(w, "for_s", p->on_event_for_ns);
	put_seconds(w, "most_s", CAMPAIGN_LOOK_TIMES * p->on_event_for_ns);
	json_put_str(w, "prefix", prefix_format(c->look_at, text));
	json_put_int(w, "paths", (int64_t)c->look.paths);
	manners_put_cases(w, "probes", c->look.probes);
	manners_put_cases(w, "past_border", c->look.past);
	json_put_int(w, "probes_event", (int64_t)(c->look.probes[CASE_USUAL] * looks));
	json_put_int(w, "past_border_event", (int64_t)(c->look.past[CASE_USUAL] * looks));
	json_end(w);
}

static void put_load(struct json_writer *w, const struct check *c)
{
	const struct forecast *f = &c->forecast;

	json_put_int(w, "destinations", (int64_t)f->destinations);
	json_put_int(w, "references", c->plan->references_count);
	json_put_int(w, "standby", c->standby);
	json_begin_object(w, "left_out");
	json_put_int(w, "do_not_probe", (int64_t)c->avoided);
	if (c->manners.knows_limits)
		json_put_int(w, "machine", (int64_t)c->never);
	json_end(w);
	json_put_int(w, "measurements", (int64_t)feed_expected(c->feed));
	json_put_int(w, "unresolved", (int64_t)feed_unresolved(c->feed));
	json_put_int(w, "paths", (int64_t)f->paths);
	manners_put_cases(w, "probes", f->probes);
	json_put_int(w, "probes_day", (int64_t)a_day(c, f->probes[CASE_USUAL]));
	json_put_int(w, "past_border_paths", (int64_t)f->past_paths);
	manners_put_cases(w, "past_border", f->past);
	json_put_int(w, "past_border_day", (int64_t)a_day(c, f->past[CASE_USUAL]));
	manners_put_cases(w, "bytes", f->bytes);
	json_put_int(w, "bytes_day", (int64_t)a_day(c, f->bytes[CASE_USUAL]));
	json_put_int(w, "store_bytes_day", (int64_t)store_bytes_day(c));
	json_put_int(w, "store_bytes_trace", CHECK_TRACE_BYTES);
	json_put_int(w, "store_bytes_round", CHECK_ROUND_BYTES);
	manners_put_json_seconds(w, f);
	manners_put_json(w, &c->manners, &c->run);
	put_networks(w, c);
	put_looks(w, c);
}

void check_show_json(struct buf *out, const struct check *c)
{
	struct json_writer w;

	json_start(&w, out);
	json_begin_object(&w, NULL);
	json_put_str(&w, "type", "check");
	json_put_int(&w, "version", 1);
	put_plan(&w, c);
	put_load(&w, c);
	manners_put_json_contact(&w, &c->manners);
	put_events(&w, c->plan);
	put_lines(&w, "warnings", &c->warnings);
	put_lines(&w, "faults", &c->faults);
	json_end(&w);
	buf_char(out, '\n');
}

/* --- several plans ---------------------------------------------------------------------------- */

struct load { struct prefix network; double probes; };

struct total {
	double measurements, probes, past, bytes, store; /* a day */
	struct load *networks;                           /* owned */
	uint32_t count;
};

static int by_network(const void *a, const void *b)
{
	const struct load *p = a, *q = b;

	return prefix_compare(p->network, q->network);
}

static int add_up(const struct check *checks, unsigned count, struct total *t)
{
	uint32_t n = 0, kept = 0;

	for (unsigned i = 0; i < count; i++)
		n += checks[i].forecast.network_count;
	t->networks = calloc(n > 0 ? n : 1, sizeof(*t->networks));
	if (t->networks == NULL)
		return BP_ENOMEM;
	n = 0;
	for (unsigned i = 0; i < count; i++) {
		const struct check *c = &checks[i];
		const struct forecast *f = &c->forecast;

		t->measurements += (double)feed_expected(c->feed) * check_rounds(c);
		t->probes += (double)f->probes[CASE_USUAL] * check_rounds(c);
		t->past += (double)f->past[CASE_USUAL] * check_rounds(c);
		t->bytes += (double)f->bytes[CASE_USUAL] * check_rounds(c);
		t->store += (double)store_bytes_day(c);
		for (uint32_t k = 0; k < f->network_count; k++)
			t->networks[n++] = (struct load){
				f->networks[k].network,
				(double)f->networks[k].probes[CASE_USUAL] * check_rounds(c)};
	}
	qsort(t->networks, n, sizeof(*t->networks), by_network);
	for (uint32_t i = 0; i < n; i++) {
		if (kept > 0 && prefix_equal(t->networks[kept - 1].network, t->networks[i].network))
			t->networks[kept - 1].probes += t->networks[i].probes;
		else
			t->networks[kept++] = t->networks[i];
	}
	t->count = kept;
	return 0;
}

static void total_json(struct buf *out, const struct total *t, unsigned count)
{
	char text[PREFIX_TEXT];
	struct json_writer w;

	json_start(&w, out);
	json_begin_object(&w, NULL);
	json_put_str(&w, "type", "check_total");
	json_put_int(&w, "version", 1);
	json_put_int(&w, "plans", count);
	json_put_int(&w, "measurements_day", (int64_t)(t->measurements + 0.5));
	json_put_int(&w, "probes_day", (int64_t)(t->probes + 0.5));
	json_put_int(&w, "past_border_day", (int64_t)(t->past + 0.5));
	json_put_int(&w, "bytes_day", (int64_t)(t->bytes + 0.5));
	json_put_int(&w, "store_bytes_day", (int64_t)(t->store + 0.5));
	json_begin_array(&w, "networks");
	for (uint32_t i = 0; i < t->count; i++) {
		json_begin_object(&w, NULL);
		json_put_str(&w, "prefix", prefix_format(t->networks[i].network, text));
		json_put_int(&w, "probes_day", (int64_t)(t->networks[i].probes + 0.5));
		json_end(&w);
	}
	json_end(&w);
	json_end(&w);
	buf_char(out, '\n');
}

static void total_text(struct buf *out, const struct total *t, unsigned count, unsigned verbose)
{
	uint32_t shown = verbose > 0 || t->count <= CHECK_NETWORKS_SHOWN ? t->count :
			 CHECK_NETWORKS_SHOWN;
	char text[PREFIX_TEXT];

	buf_printf(out, "All %u plans   %.0f measurements a day, %.0f probes, %.0f of them past the "
		   "border\nSent          ", count, t->measurements, t->probes, t->past);
	put_bytes(out, t->bytes);
	buf_str(out, " a day, in IP packets\nKept          ");
	put_bytes(out, t->store);
	buf_str(out, " a day\n");
	for (uint32_t i = 0; i < shown; i++)
		buf_printf(out, "  %-18s %.0f probes a day\n",
			   prefix_format(t->networks[i].network, text), t->networks[i].probes);
	if (shown < t->count)
		buf_printf(out, "  %u more (-v lists them)\n", t->count - shown);
	buf_char(out, '\n');
}

int check_show_total(struct buf *out, const struct check *checks, unsigned count, bool json,
		     unsigned verbose)
{
	struct total t = {0};
	int rc = add_up(checks, count, &t);

	if (rc == 0 && json)
		total_json(out, &t, count);
	else if (rc == 0)
		total_text(out, &t, count, verbose);
	free(t.networks);
	return rc;
}
