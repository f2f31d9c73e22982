// SPDX-License-Identifier: BSD-2-Clause
/* The facts once, then two ways to print them. */
#include "cli/trace_dry.h"

#include "cli/cli.h"
#include "cli/manners.h"
#include "core/json.h"

struct dry {
	const struct trace_plan *plan;
	struct forecast forecast;
	struct manners manners;
	struct prefixset out;   /* all do-not-probe lists */
	uint64_t never;         /* destinations on this machine's own list alone */
};

/* --- facts ------------------------------------------------------------------------------------ */

static int look_up_never(struct dry *d)
{
	const struct targets *t = &d->plan->targets;
	int rc = manners_add_all(&d->out, &d->plan->avoid);

	if (rc < 0 || !d->manners.knows_limits)
		return rc;
	rc = manners_add_all(&d->out, &d->manners.limits.never);
	for (uint32_t i = 0; rc == 0 && i < t->count; i++)
		d->never += prefixset_overlap(&d->out, t->items[i].prefix);
	d->never -= rc == 0 ? d->plan->avoided : 0;
	return rc;
}

static unsigned methods_of(const struct trace_plan *p)
{
	unsigned methods = 0;

	for (uint32_t i = 0; i < p->targets.count; i++)
		methods |= 1u << trace_plan_method(p, &p->targets.items[i]);
	return methods;
}

/* --- text ------------------------------------------------------------------------------------- */

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
	if (!d->manners.knows_limits)
		buf_str(out, "; this machine's own list (" BP_LIMITS_FILE ") cannot be read");
	else if (d->never > 0)
		buf_printf(out, ", %llu on this machine's own", (unsigned long long)d->never);
	buf_printf(out, "\nPaths         %llu by ", (unsigned long long)f->paths);
	manners_put_methods(out, methods_of(p));
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
	manners_put_rates(out, run);
	buf_str(out, "\nTime          ");
	manners_put_time(out, f);
	buf_char(out, '\n');
}

static void write_who(struct buf *out, const struct dry *d)
{
	buf_printf(out, "From          %s", d->plan->o->run.vantage);
	buf_str(out, "\nWho measures  ");
	if (d->manners.has_contact)
		manners_put_contact(out, &d->manners);
	else
		buf_str(out, "not said. Say it in ~/.config/borderpath/contact.yaml or --contact FILE:\n"
			     "              contact: {who: ..., url: https://..., mail: ...}");
	if (d->manners.refused.code < 0)
		buf_printf(out, "\nRefused       %s", d->manners.refused.text);
	buf_str(out, "\nNothing was sent.\n");
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

static void write_json(struct buf *out, const struct dry *d)
{
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
	if (d->manners.knows_limits)
		json_put_int(&w, "machine", (int64_t)d->never);
	json_put_int(&w, "doubled", p->doubled);
	json_end(&w);
	manners_put_cases(&w, "probes", f->probes);
	manners_put_json_seconds(&w, f);
	manners_put_json(&w, &d->manners, &p->o->run);
	put_json_networks(&w, f);
	manners_put_json_contact(&w, &d->manners);
	json_end(&w);
	buf_char(out, '\n');
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
	const struct plan_run *run = &p->o->run;
	struct dry d = {.plan = p};
	struct bp_error err;
	int rc = manners_look(&d.manners, run, p->o->contact_path, &err);

	if (rc == 0 && (look_up_never(&d) < 0 || trace_plan_forecast(p, &d.out, &d.forecast) < 0))
		rc = bp_fail(&err, BP_ENOMEM, "out of memory");
	if (rc == 0)
		rc = print(&d, session, &err);
	if (rc == 0 && p->o->probing_path != NULL)
		rc = manners_write_probing(&d.manners, methods_of(p), run, NULL, p->o->probing_path,
					   &err);
	forecast_fini(&d.forecast);
	prefixset_fini(&d.out);
	manners_fini(&d.manners);
	if (rc < 0)
		return cli_error(&err);
	if (d.manners.refused.code < 0)
		cli_say("such a run would be refused: %s", d.manners.refused.text);
	return d.manners.refused.code < 0 ? CLI_FAILURE : wrong > 0 ? CLI_PARTIAL : CLI_OK;
}
