// SPDX-License-Identifier: BSD-2-Clause
/*
 * The page: one row of the table a metric, in this order; of each its groups, and in them their
 * keys. Text format 0.0.4 (prometheus.io, "Exposition formats"). What a metric means to people is
 * said in doc/metrics.md, which names the same ones.
 */
#include <string.h>

#include "campaign/metrics_inside.h"
#include "core/json.h"
#include "core/text.h"

/* Where a sample goes: of this metric, for this group or key. */
struct page {
	struct buf *out;
	const char *name;
	const struct metrics_group *group;
	const struct metrics_key *key; /* NULL: of the group */
};

struct metric {
	const char *name, *type, *help;
	void (*of_group)(const struct page *p); /* either */
	void (*of_key)(const struct page *p);
};

/* --- samples ---------------------------------------------------------------------------------- */

static void put_label(struct buf *out, const char *name, const char *value)
{
	buf_str(out, name);
	buf_str(out, "=\"");
	/* No line feed is in it: names are of one line since they were taken (text_set). */
	for (; *value != '\0'; value++) {
		if (*value == '"' || *value == '\\')
			buf_char(out, '\\');
		buf_char(out, *value);
	}
	buf_char(out, '"');
}

/* The name and all labels; label: a further one, NULL: none. */
static void begin(const struct page *p, const char *label, const char *value)
{
	char prefix[PREFIX_TEXT];

	buf_str(p->out, p->name);
	buf_char(p->out, '{');
	put_label(p->out, "campaign", p->group->campaign);
	put_label(p->out, ",vantage", p->group->vantage);
	if (p->key != NULL) {
		put_label(p->out, ",prefix", prefix_format(p->key->prefix, prefix));
		put_label(p->out, ",method", word_of(method_words, p->key->method));
	}
	if (label != NULL) {
		buf_char(p->out, ',');
		put_label(p->out, label, value);
	}
	buf_str(p->out, "} ");
}

static void put_count(const struct page *p, const char *label, const char *value, uint64_t n)
{
	begin(p, label, value);
	buf_printf(p->out, "%llu\n", (unsigned long long)n);
}

/* Nanoseconds as seconds, exactly; a negative one is none. */
static void put_seconds(const struct page *p, const char *label, const char *value, int64_t ns)
{
	struct json_writer w;

	if (ns < 0)
		return;
	begin(p, label, value);
	json_start(&w, p->out);
	json_put_decimal(&w, NULL, ns, 9);
	buf_char(p->out, '\n');
}

static void put_ratio(const struct page *p, double v)
{
	struct json_writer w;

	if (v < 0)
		return;
	begin(p, NULL, NULL);
	json_start(&w, p->out);
	json_put_real(&w, NULL, v);
	buf_char(p->out, '\n');
}

/* Each word of the table, one of them 1. */
static void put_words(const struct page *p, const char *label, const struct word *words, int value)
{
	for (; words->word != NULL; words++)
		put_count(p, label, words->word, words->value == value);
}

/* --- of a key --------------------------------------------------------------------------------- */

static void put_border(const struct page *p)
{
	for (unsigned i = 0; i < p->group->way_count; i++)
		put_count(p, "border", p->group->ways[i], i == p->key->way);
}

static void put_reach(const struct page *p)
{
	put_words(p, "reach", reach_words, p->key->reach);
}

static void put_class(const struct page *p)
{
	put_words(p, "class", path_class_words, p->key->class);
}

static void put_confidence(const struct page *p)
{
	put_ratio(p, p->key->confidence);
}

static void put_rtt_min(const struct page *p)
{
	put_seconds(p, NULL, NULL, p->key->rtt_min_ns);
}

static void put_rtt_median(const struct page *p)
{
	put_seconds(p, NULL, NULL, p->key->rtt_median_ns);
}

static void put_loss(const struct page *p)
{
	put_ratio(p, p->key->loss);
}

static void put_active(const struct page *p)
{
	for (const struct word *w = event_kind_words; w->word != NULL; w++)
		put_count(p, "kind", w->word, p->key->active >> w->value & 1);
}

/* --- of a group ------------------------------------------------------------------------------- */

/* Whether its rounds are counted here. */
static bool is_counted(const struct metrics_group *g)
{
	return g->own || g->last.ns != 0;
}

static void put_every(const struct page *p)
{
	put_seconds(p, NULL, NULL, p->group->every_ns);
}

static void put_started(const struct page *p)
{
	if (p->group->own)
		put_seconds(p, NULL, NULL, p->group->started.ns);
}

static void put_last(const struct page *p)
{
	if (p->group->last.ns != 0)
		put_seconds(p, NULL, NULL, p->group->last.ns);
}

static void put_duration(const struct page *p)
{
	put_seconds(p, NULL, NULL, p->group->duration_ns);
}

/* Unknown is neither: without a reference host nobody can tell a silent network from a cable that
 * is pulled. */
static void put_healthy(const struct page *p)
{
	if (p->group->health != ROUND_HEALTH_UNKNOWN)
		put_count(p, NULL, NULL, p->group->health != ROUND_HEALTH_OFFLINE);
}

static void put_geo(const struct page *p)
{
	if (!p->group->own)
		return;
	put_seconds(p, "database", "asn", p->group->built[GEO_DB_ASN].ns);
	put_seconds(p, "database", "country", p->group->built[GEO_DB_COUNTRY].ns);
}

static void put_spool(const struct page *p)
{
	if (p->group->own)
		put_count(p, NULL, NULL, p->group->spooled);
}

static void put_left_out(const struct page *p)
{
	put_count(p, NULL, NULL, p->group->left_out);
}

static void put_rounds(const struct page *p)
{
	static const char *const words[RESULTS] = {"complete", "partial", "missed", "look"};

	for (unsigned i = 0; is_counted(p->group) && i < RESULTS; i++)
		put_count(p, "result", words[i], p->group->rounds[i]);
}

static void put_sent(const struct page *p)
{
	if (is_counted(p->group))
		put_count(p, NULL, NULL, p->group->sent);
}

static void put_refused(const struct page *p)
{
	const struct metrics_group *g = p->group;

	if (!g->own)
		return;
	put_count(p, "reason", "foreign", g->foreign);
	put_count(p, "reason", "bad_token", g->bad_token);
	put_count(p, "reason", "malformed", g->malformed);
	put_count(p, "reason", "late", g->late);
	put_count(p, "reason", "duplicate", g->duplicate);
}

static void put_drops(const struct page *p)
{
	if (is_counted(p->group))
		put_count(p, NULL, NULL, p->group->drops);
}

static void put_events(const struct page *p)
{
	for (const struct word *w = event_kind_words; p->group->own && w->word != NULL; w++)
		put_count(p, "kind", w->word, p->group->events[w->value]);
}

static void put_results(const struct page *p, enum alert_hook hook)
{
	const struct metrics_group *g = p->group;

	if (!g->own)
		return;
	put_count(p, "result", "ok", metrics_followed(&g->ok[hook]));
	put_count(p, "result", "failed", metrics_followed(&g->failed[hook]));
	put_count(p, "result", "dropped", metrics_followed(&g->dropped[hook]));
}

static void put_deliveries(const struct page *p)
{
	put_results(p, ALERT_WEBHOOK);
}

static void put_waiting(const struct page *p)
{
	if (p->group->own)
		put_count(p, NULL, NULL, p->group->waiting[ALERT_WEBHOOK]);
}

static void put_exec_runs(const struct page *p)
{
	put_results(p, ALERT_EXEC);
}

static void put_exec_waiting(const struct page *p)
{
	if (p->group->own)
		put_count(p, NULL, NULL, p->group->waiting[ALERT_EXEC]);
}

static void put_build(const struct page *p)
{
	if (p->group->own)
		put_count(p, "version", BP_VERSION, 1);
}

/* --- all -------------------------------------------------------------------------------------- */

static const struct metric metrics[] = {
	{"borderpath_border", "gauge",
	 "Which way the paths into the prefix took when it was last measured.", NULL, put_border},
	{"borderpath_reach", "gauge",
	 "Whether a destination in the prefix answered when it was last measured.", NULL, put_reach},
	{"borderpath_class", "gauge",
	 "Where the paths ended, seen from the border, when it was last measured.", NULL, put_class},
	{"borderpath_verdict_confidence_ratio", "gauge",
	 "How sure the verdict is; none when it is undetermined.", NULL, put_confidence},
	{"borderpath_rtt_min_seconds", "gauge",
	 "Least round-trip time to a destination in the prefix; none when nobody answered.", NULL,
	 put_rtt_min},
	{"borderpath_rtt_median_seconds", "gauge",
	 "Median round-trip time to the destinations in the prefix; none when nobody answered.",
	 NULL, put_rtt_median},
	{"borderpath_loss_ratio", "gauge",
	 "Share of probes to the destinations that had no answer.", NULL, put_loss},
	{"borderpath_event_active", "gauge",
	 "Whether an event of the kind is under way here, or was confirmed a few rounds ago.", NULL,
	 put_active},
	{"borderpath_round_interval_seconds", "gauge", "How often the plan wants a round.",
	 put_every, NULL},
	{"borderpath_round_duration_seconds", "gauge",
	 "How long the last round took that was measured.", put_duration, NULL},
	{"borderpath_last_round_timestamp_seconds", "gauge",
	 "When the last round ended that was measured; none before the first.", put_last, NULL},
	{"borderpath_start_timestamp_seconds", "gauge", "When this process took the campaign up.",
	 put_started, NULL},
	{"borderpath_vantage_healthy", "gauge",
	 "Whether the vantage point reached anybody in the last round; none when nobody can tell.",
	 put_healthy, NULL},
	{"borderpath_geo_build_timestamp_seconds", "gauge",
	 "When the database was built; 0: it is not open, or does not say.", put_geo, NULL},
	{"borderpath_spool_traces", "gauge", "Traces that the store has not taken yet.", put_spool,
	 NULL},
	{"borderpath_prefixes_left_out", "gauge",
	 "Prefixes and methods that have no series because there are too many.", put_left_out,
	 NULL},
	{"borderpath_rounds_total", "counter", "Rounds, by what came of them.", put_rounds, NULL},
	{"borderpath_probes_sent_total", "counter", "Probes sent.", put_sent, NULL},
	{"borderpath_replies_refused_total", "counter",
	 "Packets captured that were no answer, by the reason.", put_refused, NULL},
	{"borderpath_capture_drops_total", "counter",
	 "Packets that the capture lost before we could see them.", put_drops, NULL},
	{"borderpath_events_total", "counter", "Events confirmed, by kind.", put_events, NULL},
	{"borderpath_webhook_deliveries_total", "counter",
	 "Attempts to hand an alert to the webhook, by result.", put_deliveries, NULL},
	{"borderpath_webhook_waiting", "gauge", "Alerts that wait for the webhook.", put_waiting,
	 NULL},
	{"borderpath_exec_deliveries_total", "counter",
	 "Attempts to hand an alert to the program of alerts.exec, by result.", put_exec_runs,
	 NULL},
	{"borderpath_exec_waiting", "gauge", "Alerts that wait for the program.", put_exec_waiting,
	 NULL},
	{"borderpath_build_info", "gauge", "The version that runs; always 1.", put_build, NULL},
};

static void put_group(const struct metric *metric, struct page *p)
{
	p->key = NULL;
	if (metric->of_group != NULL)
		metric->of_group(p);
	for (unsigned i = 0; metric->of_key != NULL && i < p->group->key_count; i++) {
		p->key = &p->group->keys[i];
		metric->of_key(p);
	}
}

void metrics_put(const struct metrics *m, const char *campaign, struct buf *out)
{
	for (unsigned i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
		const struct metric *metric = &metrics[i];
		struct page p = {.out = out, .name = metric->name};

		buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", metric->name, metric->help,
			   metric->name, metric->type);
		for (unsigned k = 0; k < m->group_count; k++) {
			p.group = &m->groups[k];
			if (campaign == NULL || strcmp(p.group->campaign, campaign) == 0)
				put_group(metric, &p);
		}
	}
}
