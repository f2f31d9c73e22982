// SPDX-License-Identifier: BSD-2-Clause
/* borderpath fleet status: what each vantage point is doing, as it says, as the centre says, and as
 * the broker says. */
#include "cli/fleet/fleet_status.h"

#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/fleet/fleet.h"
#include "cli/options.h"
#include "core/text.h"

enum { OPT_SYSTEM = OPT_FLEET_FIRST, OPT_LOG };

struct status_options {
	struct options common;
	struct fleet_dial dial;
	const char *system, *log;
	char *const *names;     /* of some vantage points; none: all */
	unsigned names_count;
};

static int take_options(struct status_options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		OPTIONS_COMMON,
		FLEET_DIAL_OPTIONS,
		{"system-nkey", required_argument, NULL, OPT_SYSTEM},
		{"log", required_argument, NULL, OPT_LOG},
		{NULL, 0, NULL, 0},
	};
	int opt, rc = 0;

	options_init(&o->common, "fleet");
	while (rc == 0 && (opt = options_next(&o->common, argc, argv, OPTIONS_SHORT "d:", longs)) !=
			  -1) {
		if (opt == '?')
			return CLI_USAGE + 1;
		if (opt == OPT_SYSTEM)
			o->system = optarg;
		else if (opt == OPT_LOG)
			o->log = optarg;
		else if (!fleet_dial_take(&o->dial, opt, optarg))
			rc = options_take(&o->common, opt, optarg);
	}
	o->names = argv + optind;
	o->names_count = (unsigned)(argc - optind);
	return rc == 0 ? fleet_dial_check(&o->dial, "fleet") : rc;
}

/* What cannot be asked is told, and the rest is shown: a lost key of the system's hides nothing. */
static void ask_servers(const struct status_options *o, struct fleet_report *r)
{
	struct fleet_dial dial = o->dial;
	struct bus *bus = NULL;
	struct bp_error err;
	int rc;

	if (o->system == NULL && o->dial.dir == NULL) {
		text_set(r->no_servers, sizeof(r->no_servers), "no key of the system's was given "
			 "(--system-nkey, or --dir)");
		return;
	}
	dial.nkey = o->system;
	rc = fleet_dial_open(&dial, "system", &bus, &err);
	if (rc == 0)
		rc = turned_ask(bus, r->view.roster.replicas, &r->turned, &err);
	if (rc < 0)
		text_set(r->no_servers, sizeof(r->no_servers), err.text);
	bus_close(bus);
}

static int gather(const struct status_options *o, struct fleet_report *r, struct bp_error *err)
{
	struct bus *bus = NULL;
	int rc = fleet_dial_open(&o->dial, "operator", &bus, err);

	if (rc == 0)
		rc = view_read(bus, &r->view, err);
	if (rc == 0)
		rc = view_take_list(o->dial.dir, &r->view, err);
	if (rc == 0)
		rc = states_read(bus, &r->states, err);
	bus_close(bus);
	if (rc < 0)
		return rc;
	ask_servers(o, r);
	if (o->log != NULL)
		rc = turned_read_log(o->log, &r->turned, err);
	/* The broker's clock, where it told: a wrong one of ours makes nobody silent. */
	r->now = r->turned.now.ns != 0 ? r->turned.now : wall_now();
	if (rc == 0 && status_judge(r) < 0)
		rc = bp_fail(err, BP_ENOMEM, "out of memory");
	return rc;
}

static int show(const struct status_options *o, const struct fleet_report *r, struct bp_error *err)
{
	struct session session;
	struct buf out;
	int rc;

	buf_init(&out);
	if (o->common.format == OUTPUT_JSONL)
		status_put_json(&out, r);
	else
		status_put_text(&out, r);
	rc = out.failed ? bp_fail(err, BP_ENOMEM, "out of memory")
			: session_open_output(&o->common, &session, err);
	if (rc == 0) {
		rc = out.used > 0 ? session_write(&session, out.bytes, out.used, err) : 0;
		if (session_end(&session, rc < 0 ? CLI_FAILURE : CLI_OK) != CLI_OK && rc == 0)
			rc = bp_fail(err, BP_EIO, "the result was not written");
	}
	buf_fini(&out);
	return rc;
}

int fleet_status(int argc, char **argv)
{
	struct status_options o = {0};
	struct fleet_report r = {0};
	const char *unknown = NULL;
	struct bp_error err;
	int rc = take_options(&o, argc, argv), code;

	if (rc != 0)
		return rc - 1;
	rc = gather(&o, &r, &err);
	r.faults = o.common.quiet;
	if (rc == 0 && o.names_count > 0)
		unknown = status_keep(&r, o.names, o.names_count);
	if (rc == 0 && unknown == NULL)
		rc = show(&o, &r, &err);
	if (unknown != NULL)
		code = cli_usage("fleet", "no vantage point of the fleet is called \"%s\"", unknown);
	else
		code = rc < 0 ? cli_error(&err) : status_is_amiss(&r) ? CLI_PARTIAL : CLI_OK;
	view_fini(&r.view);
	states_fini(&r.states);
	turned_fini(&r.turned);
	free(r.vantages);
	return code;
}
