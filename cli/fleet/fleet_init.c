// SPDX-License-Identifier: BSD-2-Clause
/* borderpath fleet init: a fleet's keys, certificates and server configuration. Dials nobody. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "campaign/fleet/certs.h"
#include "campaign/fleet/server_conf.h"
#include "cli/cli.h"
#include "cli/fleet/fleet.h"
#include "cli/options.h"
#include "core/text.h"

enum { OPT_INIT_SERVER = OPT_COMMAND_FIRST, OPT_VANTAGES, OPT_REPLICAS, OPT_NO_TLS, OPT_SERVER_DIR,
       OPT_JETSTREAM_DIR, OPT_BUDGET };

struct init {
	struct options common;
	const char *vantages;
	const char *server_dir, *jetstream_dir; /* on the broker's machine; NULL: the defaults */
	struct roster roster;
	struct roster_broker brokers[ROSTER_BROKERS_MAX];
	unsigned brokers_count;
	char dir[PATH_MAX], here[PATH_MAX]; /* made absolute: DIR, DIR/server */
};

/* --- what was asked --------------------------------------------------------------------------- */

static int take_server(struct init *in, const char *word)
{
	struct bp_error err;
	bool tls = in->roster.tls;

	if (roster_brokers(word, in->brokers, &in->brokers_count, &err) < 0)
		return cli_usage("fleet", "--server: %s", err.text) + 1;
	/* Written out in full, so that agents get a URL that says it all. */
	in->roster.server[0] = '\0';
	for (unsigned i = 0; i < in->brokers_count; i++) {
		const struct roster_broker *b = &in->brokers[i];
		size_t used = strlen(in->roster.server);
		bool six = strchr(b->host, ':') != NULL;

		snprintf(in->roster.server + used, sizeof(in->roster.server) - used,
			 "%s%s://%s%s%s:%u", i > 0 ? "," : "", tls ? "tls" : "nats", six ? "[" : "",
			 b->host, six ? "]" : "", b->port);
	}
	return 0;
}

static int take_number(const char *option, const char *word, uint64_t max, uint64_t *out)
{
	if (text_to_u64(word, 1, max, out) == 0)
		return 0;
	return cli_usage("fleet", "%s '%s' is no number from 1 to %llu", option, word,
			 (unsigned long long)max) + 1;
}

static int check(struct init *in, const char *server, int left, char **words)
{
	if (left > 0)
		return cli_usage("fleet", "init takes no '%s'", words[0]) + 1;
	if (server == NULL || in->vantages == NULL || in->common.out_path == NULL)
		return cli_usage("fleet", "init needs --server URL, --vantages NAME,NAME... and -o "
				 "DIR") + 1;
	if (strncmp(server, "nats://", 7) == 0 && in->roster.tls)
		return cli_usage("fleet", "nats:// has no TLS: say tls://, or --no-tls if keys, plans "
				 "and results may be seen on the way") + 1;
	if (strncmp(server, "tls://", 6) == 0 && !in->roster.tls)
		return cli_usage("fleet", "--no-tls does not go with tls://") + 1;
	if ((in->server_dir != NULL && in->server_dir[0] != '/') ||
	    (in->jetstream_dir != NULL && in->jetstream_dir[0] != '/'))
		return cli_usage("fleet", "a directory on the broker's machine begins with /") + 1;
	if (take_server(in, server) > 0)
		return CLI_USAGE + 1;
	/* By TLS they know each other. Else whoever reaches their port is one of them, and may do
	 * all that they may. */
	if (in->brokers_count > 1 && !in->roster.tls)
		return cli_usage("fleet", "brokers of a cluster know each other by TLS: no --no-tls") + 1;
	return 0;
}

static int take_options(struct init *in, int argc, char **argv)
{
	static const struct option longs[] = {
		OPTIONS_COMMON,
		{"server", required_argument, NULL, OPT_INIT_SERVER},
		{"vantages", required_argument, NULL, OPT_VANTAGES},
		{"replicas", required_argument, NULL, OPT_REPLICAS},
		{"no-tls", no_argument, NULL, OPT_NO_TLS},
		{"server-dir", required_argument, NULL, OPT_SERVER_DIR},
		{"jetstream-dir", required_argument, NULL, OPT_JETSTREAM_DIR},
		{"budget", required_argument, NULL, OPT_BUDGET},
		{NULL, 0, NULL, 0},
	};
	const char *server = NULL;
	uint64_t replicas = 0, budget = ROSTER_BUDGET_PPS;
	int opt, rc = 0;

	options_init(&in->common, "fleet");
	while (rc == 0 &&
	       (opt = options_next(&in->common, argc, argv, OPTIONS_SHORT, longs)) != -1) {
		switch (opt) {
		case '?':
			return CLI_USAGE + 1;
		case OPT_INIT_SERVER:
			server = optarg;
			break;
		case OPT_VANTAGES:
			in->vantages = optarg;
			break;
		case OPT_REPLICAS:
			rc = take_number("--replicas", optarg, ROSTER_BROKERS_MAX, &replicas);
			break;
		case OPT_NO_TLS:
			in->roster.tls = false;
			break;
		case OPT_SERVER_DIR:
			in->server_dir = optarg;
			break;
		case OPT_JETSTREAM_DIR:
			in->jetstream_dir = optarg;
			break;
		case OPT_BUDGET:
			rc = take_number("--budget", optarg, ROSTER_BUDGET_MAX_PPS, &budget);
			break;
		default:
			rc = options_take(&in->common, opt, optarg);
		}
	}
	if (rc == 0)
		rc = check(in, server, argc - optind, argv + optind);
	if (rc == 0 && replicas == 0)
		replicas = in->brokers_count == ROSTER_BROKERS_MAX ? ROSTER_BROKERS_MAX : 1;
	if (rc == 0 && (replicas == 2 || (replicas == 1) != (in->brokers_count == 1)))
		rc = cli_usage("fleet", "--replicas %u and %u brokers in --server: one of one, or 3 of "
			       "three, by comma", (unsigned)replicas, in->brokers_count) + 1;
	in->roster.replicas = (unsigned)replicas;
	in->roster.budget_pps = (uint32_t)budget;
	return rc;
}

/* --- what is made ----------------------------------------------------------------------------- */

static int make_directories(struct init *in, struct bp_error *err)
{
	static const char *const below[] = {"keys", "server", NULL};
	char path[PATH_MAX];

	if (mkdir(in->common.out_path, 0755) < 0)
		return errno == EEXIST ? bp_fail(err, BP_EINVAL, "%s is there already: a fleet is never "
						 "made over another", in->common.out_path)
				       : bp_fail_sys(err, errno, "%s", in->common.out_path);
	if (realpath(in->common.out_path, in->dir) == NULL)
		return bp_fail_sys(err, errno, "%s", in->common.out_path);
	for (unsigned i = 0; below[i] != NULL; i++) {
		if (mkdir(fleet_path(in->dir, below[i], path), i == 0 ? 0700 : 0755) < 0)
			return bp_fail_sys(err, errno, "%s", path);
	}
	fleet_path(in->dir, "server", in->here);
	if (in->server_dir == NULL)
		in->server_dir = in->here;
	return 0;
}

static int add_vantages(struct init *in, struct bp_error *err)
{
	struct wall now = wall_now();
	int rc = 0;

	for (const char *at = in->vantages; rc == 0 && at != NULL; ) {
		size_t n = strcspn(at, ",");
		char name[2 * BUS_NAME_TEXT];

		/* A name that was cut is too long, and is told so. */
		text_copy(name, sizeof(name), at, n);
		rc = roster_add(&in->roster, name, "", now, err);
		at = at[n] == ',' ? at + n + 1 : NULL;
	}
	return rc;
}

static int make_keys(struct init *in, struct bp_error *err)
{
	struct roster *r = &in->roster;
	int rc = fleet_make_key(in->dir, "centre", r->centre, err);

	if (rc == 0)
		rc = fleet_make_key(in->dir, "operator", r->operator, err);
	if (rc == 0)
		rc = fleet_make_key(in->dir, "system", r->system, err);
	for (unsigned i = 0; rc == 0 && i < r->count; i++)
		rc = fleet_make_key(in->dir, r->keys[i].name, r->keys[i].nkey, err);
	return rc;
}

static int make_certs(const struct init *in, struct bp_error *err)
{
	const char *hosts[ROSTER_BROKERS_MAX];
	struct certs c = {0};
	char path[PATH_MAX];
	int rc;

	for (unsigned i = 0; i < in->brokers_count; i++)
		hosts[i] = in->brokers[i].host;
	rc = certs_make(hosts, in->brokers_count, &c, err);
	if (rc < 0)
		return rc;
	const struct { const char *name; mode_t mode; const struct buf *bytes; } files[] = {
		{"ca.pem", FLEET_OPEN_MODE, &c.ca},
		{"ca.key", FLEET_SECRET_MODE, &c.ca_key},
		{"server/ca.pem", FLEET_OPEN_MODE, &c.ca},
		{"server/server.pem", FLEET_OPEN_MODE, &c.server},
		{"server/server.key", FLEET_SECRET_MODE, &c.server_key},
	};
	for (size_t i = 0; rc == 0 && i < sizeof(files) / sizeof(files[0]); i++)
		rc = fleet_write_new(fleet_path(in->dir, files[i].name, path), files[i].mode,
				     files[i].bytes, err);
	certs_fini(&c);
	return rc;
}

static const char *conf_name(const struct init *in, unsigned i, char out[static 24])
{
	if (in->brokers_count == 1)
		snprintf(out, 24, "nats.conf");
	else
		snprintf(out, 24, "nats-%u.conf", i + 1);
	return out;
}

static int make_configuration(const struct init *in, struct bp_error *err)
{
	const struct server_places places = {
		.dir = in->server_dir,
		.jetstream = in->jetstream_dir != NULL ? in->jetstream_dir : "/var/lib/nats/jetstream"};
	char path[PATH_MAX], name[24];
	struct buf text;
	int rc = 0;

	buf_init(&text);
	for (unsigned i = 0; rc == 0 && i < in->brokers_count; i++) {
		buf_clear(&text);
		server_conf_put(&text, &in->roster, in->brokers, in->brokers_count, i, &places);
		rc = fleet_write_new(fleet_path(in->here, conf_name(in, i, name), path),
				     FLEET_OPEN_MODE, &text, err);
	}
	buf_clear(&text);
	server_conf_put_accounts(&text, &in->roster);
	if (rc == 0)
		rc = fleet_write_new(fleet_path(in->here, "accounts.conf", path), FLEET_OPEN_MODE,
				     &text, err);
	buf_clear(&text);
	roster_put(&text, &in->roster);
	if (rc == 0)
		rc = fleet_write_new(fleet_path(in->dir, "fleet.json", path), FLEET_OPEN_MODE, &text,
				     err);
	buf_fini(&text);
	return rc;
}

/* --- what goes where -------------------------------------------------------------------------- */

static void put_readme(struct buf *out, const struct init *in)
{
	const char *ca = in->roster.tls ? "ca.pem and " : "", *say_ca = in->roster.tls ? " --ca ca.pem"
										: "";
	char name[24];

	buf_printf(out, "A fleet of borderpath: %u vantage point%s, broker %s\n\n", in->roster.count,
		   fleet_s(in->roster.count), in->roster.server);
	buf_printf(out, "What goes where (each secret to one machine, and nowhere else):\n\n"
		   "  the broker      server/ whole, to %s (nats.conf names that place).\n"
		   "                  server.key must be readable by the user of nats-server alone:\n"
		   "                    chown nats: server.key\n"
		   "                  Start it: nats-server -c %s/%s\n", in->server_dir, in->server_dir,
		   conf_name(in, 0, name));
	if (in->brokers_count > 1)
		buf_printf(out, "                  Each of the %u brokers has its own nats-N.conf, in the "
			   "order of\n                  the URL: on machine N it is installed as nats.conf, "
			   "which the service reads.\n                  They talk to each other on port "
			   "6222.\n",
			   in->brokers_count);
	buf_printf(out, "                  JetStream keeps its files in %s\n",
		   in->jetstream_dir != NULL ? in->jetstream_dir : "/var/lib/nats/jetstream");
	buf_printf(out, "  a vantage point %skeys/NAME.nk:\n"
		   "                    borderpath agent --server %s --vantage NAME%s --nkey NAME.nk\n"
		   "  the centre      %skeys/centre.nk:\n"
		   "                    borderpath collect --server %s%s --nkey centre.nk --store "
		   "postgresql://...\n"
		   "  you             the rest stays here, in a place that is backed up:\n"
		   "                    borderpath campaign deploy PLAN.yaml --dir %s\n"
		   "                    borderpath fleet status --dir %s\n\n",
		   ca, in->roster.server, say_ca, ca, in->roster.server, say_ca, in->dir, in->dir);
	buf_printf(out, "A new vantage point:    borderpath fleet add NAME --dir %s\n"
		   "One whose key is lost:  borderpath fleet revoke NAME --dir %s\n"
		   "Both write server/accounts.conf anew: copy it to the broker and have it read, by\n"
		   "`systemctl reload nats-server` or `nats-server --signal reload` (twice after `add`,\n"
		   "some seconds apart: nats-server 2.9 needs it). Who was revoked is disconnected then.\n", in->dir, in->dir);
	if (in->roster.tls)
		buf_str(out, "\nca.key signed the brokers' certificate (ten years) and is needed for "
			"nothing else: keep\nit off line.\n");
	else
		buf_str(out, "\nWithout TLS whoever is on the way reads plans and results, and can change "
			"them. Keys are\nnot sent, but a connection can be taken over. For a tunnel or a "
			"laboratory.\n");
}

static int make_readme(const struct init *in, struct bp_error *err)
{
	char path[PATH_MAX];
	struct buf text;
	int rc;

	buf_init(&text);
	put_readme(&text, in);
	rc = fleet_write_new(fleet_path(in->dir, "README", path), FLEET_OPEN_MODE, &text, err);
	if (rc == 0 && !in->common.quiet && cli_print(text.bytes) != CLI_OK)
		rc = bp_fail(err, BP_EIO, "the result was not written");
	buf_fini(&text);
	return rc;
}

int fleet_init(int argc, char **argv)
{
	struct init in = {.roster = {.tls = true}};
	struct bp_error err;
	int rc = take_options(&in, argc, argv);

	if (rc != 0)
		return rc - 1;
	rc = add_vantages(&in, &err);
	if (rc == 0)
		rc = make_directories(&in, &err);
	if (rc == 0)
		rc = make_keys(&in, &err);
	if (rc == 0 && in.roster.tls)
		rc = make_certs(&in, &err);
	if (rc == 0)
		rc = make_configuration(&in, &err);
	if (rc == 0)
		rc = make_readme(&in, &err);
	roster_fini(&in.roster);
	return rc < 0 ? cli_error(&err) : CLI_OK;
}
