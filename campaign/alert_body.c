// SPDX-License-Identifier: BSD-2-Clause
/* What is sent: the event with what an operator's tools sort by, or Alertmanager's list of one. */
#include "campaign/alert.h"

#include "core/json.h"

/* Alertmanager ends what nobody ends: later than a message may lie here for what lasts until its
 * recovery is told, a day for what has no end. */
#define LASTS_NS (7 * 24 * 3600 * NS_PER_S)
#define NEWS_NS (24 * 3600 * NS_PER_S)

static const char *severity(const struct event *e)
{
	switch ((enum event_kind)e->kind) {
	case EVENT_OUTAGE:
		return e->outage == EVENT_OUTAGE_VANTAGE ? "warning" : "critical";
	case EVENT_RECOVERY:
		return "info";
	case EVENT_BORDER_SWITCH:
	case EVENT_FLAPPING:
		return "warning";
	default:
		return "info";
	}
}

/* The same for an outage and its end: who routes by it has to hear of both. */
static const char *alert_severity(const struct event *e)
{
	struct event outage;

	if (e->kind != EVENT_RECOVERY)
		return severity(e);
	outage.kind = EVENT_OUTAGE;
	outage.outage = e->outage;
	return severity(&outage);
}

void alert_body_event(struct buf *out, const struct event *e, const char *url)
{
	struct json_writer w;
	struct buf rest;

	buf_init(&rest);
	json_start(&w, &rest);
	json_begin_object(&w, NULL);
	json_put_str(&w, "severity", severity(e));
	if (url[0] != '\0')
		json_put_str(&w, "url", url);
	json_end(&w);
	event_write_json(out, e);
	/* Ours go behind the event's own members: "{...}\n" and "{...}" become one object. */
	while (out->used > 0 && (out->bytes[out->used - 1] == '\n' ||
				 out->bytes[out->used - 1] == '}')) {
		out->used--;
		if (out->bytes[out->used] == '}')
			break;
	}
	buf_char(out, ',');
	buf_append(out, rest.bytes + 1, rest.failed ? 0 : rest.used - 1);
	out->failed |= rest.failed;
	buf_fini(&rest);
}

static void put_prefix(struct json_writer *w, const struct event *e)
{
	char text[PREFIX_TEXT];

	json_put_str(w, "prefix", addr_is_set(e->prefix.addr) ? prefix_format(e->prefix, text) :
		     "all");
}

/* One name for what is one alert: a recovery ends its outage's. */
static const char *alert_name(const struct event *e)
{
	return word_of(event_kind_words, e->kind == EVENT_RECOVERY ? EVENT_OUTAGE : e->kind);
}

static void put_end(struct json_writer *w, const struct event *e)
{
	bool lasts = e->kind == EVENT_OUTAGE || e->kind == EVENT_FLAPPING;
	struct wall end = e->until.ns != 0 ? e->until : e->seen;
	char text[WALL_TEXT];

	if (e->status != EVENT_RESOLVED)
		end.ns = e->seen.ns + (lasts ? LASTS_NS : NEWS_NS);
	json_put_str(w, "endsAt", wall_format(end, text));
}

void alert_body_alertmanager(struct buf *out, const struct event *e, const char *campaign,
			     const char *url)
{
	char at[WALL_TEXT];
	struct json_writer w;

	json_start(&w, out);
	json_begin_array(&w, NULL);
	json_begin_object(&w, NULL);
	/* The labels are the alert's identity: neither a time nor a vantage point is in them, nor
	 * what a recovery says otherwise than its outage. */
	json_begin_object(&w, "labels");
	json_put_str(&w, "alertname", "borderpath");
	json_put_str(&w, "kind", alert_name(e));
	json_put_str(&w, "profile", e->profile);
	json_put_str(&w, "campaign", campaign);
	put_prefix(&w, e);
	json_put_str(&w, "severity", alert_severity(e));
	json_put_str(&w, "fingerprint", e->fingerprint);
	json_end(&w);
	json_begin_object(&w, "annotations");
	json_put_str(&w, "summary", e->summary);
	json_put_str(&w, "severity", severity(e));
	json_put_str(&w, "id", e->id);
	json_put_str(&w, "status", word_of(event_status_words, e->status));
	json_end(&w);
	if (e->at.ns != 0)
		json_put_str(&w, "startsAt", wall_format(e->at, at));
	put_end(&w, e);
	if (url[0] != '\0')
		json_put_str(&w, "generatorURL", url);
	json_end(&w);
	json_end(&w);
}
