// SPDX-License-Identifier: BSD-2-Clause
/* The facts once, then two ways to print them. */
#include "cli/trace_dry.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "campaign/contact.h"
#include "cli/cli.h"
#include "core/json.h"
#include "prober/limits.h"

struct dry {
	const struct trace_plan *plan;
	struct forecast forecast;
	struct contact contact;
	bool has_contact;
	bool knows_limits;      /* the limits file could be read, or there is none */
	struct prefixset out;   /* all do-not-probe lists */
	uint64_t never;         /* destinations on this machine's own list alone */
	struct bp_error refused; /* code 0: the limits allow the run */
};

/* --- facts ------------------------------------------------------------------------------------ */

static int look_up_contact(struct dry *d, struct bp_error *err)
{
	const char *path = d->plan->o->contact_path;
	int rc = contact_load(path, &d->contact, err);

	d->has_contact = rc == 0;
	return rc == BP_ENOTFOUND && path == NULL ? 0 : rc;
}

static int add_all(struct prefixset *to, const struct prefixset *from)
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < from->count; i++)
		rc = prefixset_add(to, from->items[i]);
	prefixset_settle(to);
	return rc;
}

/* What the prober would say: the same file, the same functions. */
static int look_up_limits(struct dry *d)
{
	const struct targets *t = &d->plan->targets;
	struct bp_error unread;
	const struct passwd *pw;
	struct limits l;
	int rc;

	if (limits_read(BP_LIMITS_FILE, &l, &unread) < 0)
		return 0;
	d->knows_limits = true;
	pw = l.user_count > 0 ? getpwuid(getuid()) : NULL;
	limits_check_run(&l, limits_unlimited(&l, getuid(), pw != NULL ? pw->pw_name : NULL),
			 &d->plan->o->run, &d->refused);
	rc = add_all(&d->out, &l.never);
	limits_fini(&l);
	for (uint32_t i = 0; rc == 0 && i < t->count; i++)
		d->never += prefixset_overlap(&d->out, t->items[i].prefix);
	d->never -= rc == 0 ? d->plan->avoided : 0;
	return rc;
}

static void put_methods(struct buf *out, const struct trace_plan *p)
{
	static const char *const names[] = {
		[METHOD_ICMP] = "ICMP echo", [METHOD_UDP] = "UDP", [METHOD_TCP] = "TCP SYN"};
	bool used[METHOD_TCP + 1] = {false};
	const char *between = "";

	for (uint32_t i = 0; i < p->targets.count; i++)
		used[trace_plan_method(p, &p->targets.items[i])] = true;
	for (int m = METHOD_ICMP; m <= METHOD_TCP; m++) {
		if (used[m])
			buf_printf(out, "%s%s", between, names[m]);
		if (used[m])
			between = ", ";
	}
}

/* --- text ------------------------------------------------------------------------------------- */

static void put_rate(struct buf *out, uint32_t pps, const char *what)
{
	if (pps > 0)
		buf_printf(out, "%u%s", pps, what);
	else
		buf_printf(out, "no limit%s", what);
}

static void put_seconds(struct buf *out, const struct forecast *f, int which)
{
	if (f->seconds[which] < 0)
		buf_str(out, "as fast as this machine sends");
	else
		duration_put(out, f->seconds[which]);
}

static const char *const bound_says[] = {
	[BOUND_NONE] = "no cap holds it back",
	[BOUND_RATE] = "the rate of the whole run holds it back",
	[BOUND_PREFIX] = "the cap of the busiest network holds it back",
	[BOUND_ROUTER] = "the cap per router holds it back: every path begins at the same ones",
};

static void write_where(struct buf *out, const struct dry *d)
{
	const struct trace_plan *p = d->plan;
	const struct forecast *f = &d->forecast;
	char text[PREFIX_TEXT];

	buf_printf(out, "Destinations  %llu in %u network%s (/24, IPv6 /48)",
		   (unsigned long long)f->destinations, f->network_count,
		   f->network_count == 1 ? "" : "s");
	if (p->doubled > 0)
		buf_printf(out, "; %u named more than once", p->doubled);
	buf_str(out, "\nLeft out      ");
	buf_printf(out, "%llu on do-not-probe lists", (unsigned long long)p->avoided);
	if (!d->knows_limits)
		buf_str(out, "; this machine's own list (" BP_LIMITS_FILE ") cannot be read");
	else if (d->never > 0)
		buf_printf(out, ", %llu on this machine's own", (unsigned long long)d->never);
	buf_printf(out, "\nPaths         %llu by ", (unsigned long long)f->paths);
	put_methods(out, p);
	if (p->o->each.multipath > 0)
		buf_str(out, ", all load-balanced flows of each");
	else if (p->o->flow_count > 1)
		buf_printf(out, ", %u flows to each destination", p->o->flow_count);
	if (p->o->shared_beginnings)
		buf_str(out, "; what they share is asked once, and not taken off here");
	if (f->network_count > 0) {
		const struct forecast_network *n = &f->networks[f->busiest];

		buf_printf(out, "\nBusiest       %s: %llu path%s, %llu to %llu probes",
			   prefix_format(n->network, text), (unsigned long long)n->paths,
			   n->paths == 1 ? "" : "s",
			   (unsigned long long)n->probes[CASE_LEAST],
			   (unsigned long long)n->probes[CASE_MOST]);
	}
	buf_char(out, '\n');
	for (uint32_t i = 0; p->o->common.verbose > 0 && i < f->network_count; i++)
		buf_printf(out, "  %-18s %llu\n", prefix_format(f->networks[i].network, text),
			   (unsigned long long)f->networks[i].paths);
}

static void write_how_much(struct buf *out, const struct dry *d)
{
	const struct plan_run *run = &d->plan->o->run;
	const struct forecast *f = &d->forecast;

	buf_printf(out, "Probes        %llu at least, %llu over %d hops, %llu at most\n",
		   (unsigned long long)f->probes[CASE_LEAST],
		   (unsigned long long)f->probes[CASE_USUAL], FORECAST_HOPS,
		   (unsigned long long)f->probes[CASE_MOST]);
	buf_str(out, "A second      ");
	put_rate(out, run->rate_pps, " in all, ");
	put_rate(out, run->prefix_pps, " into one network, ");
	put_rate(out, run->router_pps, " asked of one router\n");
	buf_str(out, "Time          ");
	if (f->seconds[CASE_USUAL] < 0) {
		buf_str(out, "as fast as this machine sends\n");
		return;
	}
	put_seconds(out, f, CASE_LEAST);
	buf_str(out, " at least, ");
	put_seconds(out, f, CASE_USUAL);
	buf_printf(out, " over %d hops, ", FORECAST_HOPS);
	put_seconds(out, f, CASE_MOST);
	buf_printf(out, " at most; %s\n", bound_says[f->bound[CASE_USUAL]]);
}

static void write_who(struct buf *out, const struct dry *d)
{
	const struct contact *c = &d->contact;

	buf_printf(out, "From          %s", d->plan->o->run.vantage);
	buf_str(out, "\nWho measures  ");
	if (d->has_contact)
		buf_printf(out, "%s%s%s%s%s\n", c->who, c->url[0] != '\0' ? ", " : "", c->url,
			   c->mail[0] != '\0' ? ", " : "", c->mail);
	else
		buf_str(out, "not said. Say it in ~/.config/borderpath/contact.yaml or --contact FILE:\n"
			     "              contact: {who: ..., url: https://..., mail: ...}\n");
	if (d->refused.code < 0)
		buf_printf(out, "Refused       %s\n", d->refused.text);
	buf_str(out, "Nothing was sent.\n");
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void put_json_networks(struct json_writer *w, const struct forecast *f)
{
	char text[PREFIX_TEXT];

	json_begin_array(w, "networks");
	for (uint32_t i = 0; i < f->network_count; i++) {
		json_begin_object(w, NULL);
		json_put_str(w, "prefix", prefix_format(f->networks[i].network, text));
		json_put_int(w, "paths", (int64_t)f->networks[i].paths);
		json_end(w);
	}
	json_end(w);
}

static void put_json_contact(struct json_writer *w, const struct dry *d)
{
	if (!d->has_contact)
		return;
	json_begin_object(w, "contact");
	json_put_str(w, "who", d->contact.who);
	if (d->contact.url[0] != '\0')
		json_put_str(w, "url", d->contact.url);
	if (d->contact.mail[0] != '\0')
		json_put_str(w, "mail", d->contact.mail);
	json_end(w);
}

static void write_json(struct buf *out, const struct dry *d)
{
	static const char *const cases[CASES] = {"least", "usual", "most"};
	const struct trace_plan *p = d->plan;
	const struct forecast *f = &d->forecast;
	struct json_writer w;

	json_start(&w, out);
	json_begin_object(&w, NULL);
	json_put_str(&w, "type", "dry_run");
	json_put_int(&w, "version", 1);
	json_put_str(&w, "vantage", p->o->run.vantage);
	json_put_str(&w, "tool", "borderpath " BP_VERSION);
	json_put_int(&w, "destinations", (int64_t)f->destinations);
	json_put_int(&w, "paths", (int64_t)f->paths);
	json_begin_object(&w, "left_out");
	json_put_int(&w, "do_not_probe", (int64_t)p->avoided);
	if (d->knows_limits)
		json_put_int(&w, "machine", (int64_t)d->never);
	json_put_int(&w, "doubled", p->doubled);
	json_end(&w);
	json_begin_object(&w, "probes");
	for (int c = 0; c < CASES; c++)
		json_put_int(&w, cases[c], (int64_t)f->probes[c]);
	json_end(&w);
	json_begin_object(&w, "seconds");
	for (int c = 0; c < CASES && f->seconds[CASE_USUAL] >= 0; c++)
		json_put_decimal(&w, cases[c], (int64_t)(f->seconds[c] * 10 + 0.5), 1);
	json_end(&w);
	json_put_str(&w, "binds", word_of(forecast_bound_words, f->bound[CASE_USUAL]));
	json_put_int(&w, "rate_pps", p->o->run.rate_pps);
	json_put_int(&w, "prefix_pps", p->o->run.prefix_pps);
	json_put_int(&w, "router_pps", p->o->run.router_pps);
	json_put_bool(&w, "allowed", d->refused.code == 0);
	if (d->refused.code < 0)
		json_put_str(&w, "why", d->refused.text);
	put_json_networks(&w, f);
	put_json_contact(&w, d);
	json_end(&w);
	buf_char(out, '\n');
}

/* --- probing.txt ------------------------------------------------------------------------------ */

static void describe(struct buf *out, const struct dry *d)
{
	const struct plan_run *run = &d->plan->o->run;

	buf_str(out, "Measurement of network paths (traceroute, borderpath " BP_VERSION ") by ");
	put_methods(out, d->plan);
	buf_str(out, ", at most ");
	put_rate(out, run->rate_pps, " packets a second, ");
	put_rate(out, run->prefix_pps, " into one /24; no application data is sent");
}

static int write_probing(const struct dry *d, const char *path, struct bp_error *err)
{
	struct buf what, text;
	FILE *f;
	int rc = 0;

	if (!d->has_contact)
		return bp_fail(err, BP_ENOTFOUND, "--probing-txt needs to know who measures: say it in "
			       "contact.yaml or with --contact FILE");
	buf_init(&what);
	buf_init(&text);
	describe(&what, d);
	if (!what.failed)
		contact_write_probing(&text, &d->contact, what.bytes, wall_now());
	f = text.failed || what.failed ? NULL : fopen(path, "we");
	if (text.failed || what.failed)
		rc = bp_fail(err, BP_ENOMEM, "out of memory");
	else if (f == NULL || fwrite(text.bytes, 1, text.used, f) != text.used)
		rc = bp_fail_sys(err, errno, "cannot write %s", path);
	if (f != NULL && fclose(f) != 0 && rc == 0)
		rc = bp_fail_sys(err, errno, "cannot write %s", path);
	buf_fini(&what);
	buf_fini(&text);
	return rc;
}

static int print(const struct dry *d, struct session *session, struct bp_error *err)
{
	struct buf out;
	int rc;

	buf_init(&out);
	if (d->plan->o->common.format == OUTPUT_JSONL) {
		write_json(&out, d);
	} else {
		write_where(&out, d);
		write_how_much(&out, d);
		write_who(&out, d);
	}
	rc = out.failed ? bp_fail(err, BP_ENOMEM, "out of memory") :
	     session_write(session, out.bytes, out.used, err);
	buf_fini(&out);
	return rc;
}

int trace_dry_run(const struct trace_plan *p, uint64_t wrong, struct session *session)
{
	struct dry d = {.plan = p};
	struct bp_error err;
	int rc = look_up_contact(&d, &err);

	if (rc < 0)
		return cli_error(&err);
	if (add_all(&d.out, &p->avoid) < 0 || look_up_limits(&d) < 0 ||
	    trace_plan_forecast(p, &d.out, &d.forecast) < 0) {
		prefixset_fini(&d.out);
		cli_say("out of memory");
		return CLI_FAILURE;
	}
	rc = print(&d, session, &err);
	if (rc == 0 && p->o->probing_path != NULL)
		rc = write_probing(&d, p->o->probing_path, &err);
	forecast_fini(&d.forecast);
	prefixset_fini(&d.out);
	if (rc < 0)
		return cli_error(&err);
	if (d.refused.code < 0)
		cli_say("such a run would be refused: %s", d.refused.text);
	return d.refused.code < 0 ? CLI_FAILURE : wrong > 0 ? CLI_PARTIAL : CLI_OK;
}
