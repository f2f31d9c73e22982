// SPDX-License-Identifier: BSD-2-Clause
/* Options of `borderpath trace`: traceroute's letters, and our long ones. */
#include "cli/trace_options.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "campaign/plan.h"
#include "cli/cli.h"

const char trace_usage[] =
"usage: borderpath trace [OPTIONS] [TARGET...]\n"
"\n"
"Measures the path to each TARGET now, names its hops, judges which border it takes, and prints it.\n"
"TARGET is a host, an address, a prefix (every address in it) or @FILE (one a line; - is stdin);\n"
"without one, the profile's targets are measured. Needs borderpath-probe, which alone may open raw sockets.\n"
"\n"
"What is sent\n"
"  -I, -U, -T            ICMP echo, UDP, TCP SYN; the same as -M icmp|udp|tcp. Without: the profile's\n"
"                        method for its own targets, else icmp\n"
"  -p PORT               destination port (udp 33434, tcp 80)\n"
"  -4, -6                only this family\n"
"  -f TTL, -m TTL        first TTL (1), last TTL (32)\n"
"  -q N                  probes a hop (3)\n"
"  -w TIME               longest wait for an answer (2s); waits adapt to what was measured\n"
"  --gap-limit N         silent hops in a row that end a path (5; 0: none)\n"
"  -i IFACE, -s ADDR     device, source address (else by route)\n"
"  --flow N, --flows N   which flow (0); flows 0..N-1, judged together\n"
"  --shared-beginnings   asks the hops common to all targets once a run, not once a target; they are\n"
"                        marked, and asked again where they change\n"
"  --multipath[=95|99]   all load-balanced paths, with this confidence in percent at each node (95)\n"
"  --vantage NAME        who measures (the host's name); also fixes the ports, so that rounds compare\n"
"  --place LAT,LON       where it stands, in degrees north and east: answers faster than light in fibre\n"
"                        are flagged then, and prove nothing\n"
"\n"
"Good manners\n"
"  --rate PPS            probes a second in all (100, bursts of 40); 'max' lifts every cap, for\n"
"                        laboratories, and only where the limits file or root allows\n"
"  --per-prefix-rate PPS probes a second into one /24 or /48 (25, bursts of 40; from 0.001)\n"
"  --do-not-probe FILE   addresses and prefixes never to probe, one a line; the files do-not-probe in\n"
"                        ~/.config/borderpath and /etc/borderpath hold always\n"
"  --dry-run             say what would be sent, how fast and how long, and send nothing\n"
"  --contact FILE        who measures (contact.yaml in the same places); --dry-run shows it\n"
"  --probing-txt FILE    with --dry-run: write what tells it to those who are measured (RFC 9511)\n"
"\n"
"What is printed\n"
"  -n                    no reverse names\n"
"  --format text|jsonl   for people, or one JSON object a line (jsonl)\n"
"  -o FILE, -v, --quiet  write to FILE; say more; no progress and no warnings\n"
"  --color auto|always|never, --profile NAME|FILE, --asn-db FILE, --country-db FILE\n"
"\n"
"Exit: 0 done (a silent target is data), 1 failure, 2 usage, 3 partial.\n";

enum { OPT_GAP = OPT_COMMAND_FIRST, OPT_RATE, OPT_PREFIX_RATE, OPT_FLOW, OPT_FLOWS, OPT_VANTAGE,
       OPT_AVOID, OPT_DRY_RUN, OPT_CONTACT, OPT_PROBING, OPT_PLACE, OPT_SHARED, OPT_MULTIPATH };
enum { FLOWS_MAX = 1024 };

static int take_number(const struct trace_options *o, const char *option, const char *arg,
		       uint64_t min, uint64_t max, uint64_t *out)
{
	if (text_to_u64(arg, min, max, out) == 0)
		return 0;
	return cli_usage(o->common.command, "%s takes a whole number from %llu to %llu, not '%s'",
			 option, (unsigned long long)min, (unsigned long long)max, arg) + 1;
}

static int take_u8(const struct trace_options *o, const char *option, const char *arg, uint8_t min,
		   uint8_t max, uint8_t *out)
{
	uint64_t v;
	int rc = take_number(o, option, arg, min, max, &v);

	if (rc == 0)
		*out = (uint8_t)v;
	return rc;
}

static int take_rate(const struct trace_options *o, const char *option, const char *arg,
		     uint32_t *out)
{
	uint64_t v;
	int rc = take_number(o, option, arg, 1, 10000000, &v);

	if (rc == 0)
		*out = (uint32_t)v;
	return rc;
}

static int take_prefix_rate(struct trace_options *o, const char *arg)
{
	if (text_to_milli(arg, 1, UINT64_C(10000000000), &o->prefix_mpps) == 0)
		return 0;
	return cli_usage(o->common.command, "--per-prefix-rate takes 0.001 to 10000000, not '%s'", arg) +
	       1;
}

static int take_wait(struct trace_options *o, const char *arg)
{
	int64_t ns;

	if (duration_parse(arg, &ns) < 0 || ns < NS_PER_MS || ns > 60 * NS_PER_S)
		return cli_usage(o->common.command, "-w takes a time from 1ms to 60s, not '%s'",
				 arg) + 1;
	o->each.wait_ms = (uint32_t)(ns / NS_PER_MS);
	return 0;
}

static int take_source(struct trace_options *o, const char *arg)
{
	struct addr a;

	if (addr_parse(arg, &a) < 0)
		return cli_usage(o->common.command, "-s takes an address, not '%s'", arg) + 1;
	if (a.family == 4)
		o->run.src4 = a;
	else
		o->run.src6 = a;
	return 0;
}

static int take_text(const struct trace_options *o, const char *option, const char *arg, char *out,
		     size_t size)
{
	if (arg[0] != '\0' && strlen(arg) < size) {
		text_set(out, size, arg);
		return 0;
	}
	return cli_usage(o->common.command, "%s takes 1 to %zu characters", option, size - 1) + 1;
}

static int take_place(struct trace_options *o, const char *arg)
{
	o->place_known = options_place(arg, &o->lat, &o->lon) == 0;
	if (o->place_known)
		return 0;
	return cli_usage(o->common.command, "--place takes degrees north and east, as 50.11,8.68, "
			 "not '%s'", arg) + 1;
}

static int take_method(struct trace_options *o, const char *arg)
{
	int method;

	if (word_value(method_words, arg, &method) < 0)
		return cli_usage(o->common.command, "-M takes icmp, udp or tcp, not '%s'", arg) + 1;
	o->method = (uint8_t)method;
	return 0;
}

static int take_multipath(struct trace_options *o, const char *arg)
{
	if (arg == NULL || strcmp(arg, "95") == 0)
		o->each.multipath = 95;
	else if (strcmp(arg, "99") == 0)
		o->each.multipath = 99;
	else
		return cli_usage(o->common.command, "--multipath takes 95 or 99, not '%s'",
				 arg) + 1;
	return 0;
}

/* 0, or a cli_exit + 1 to leave with. */
static int take_option(struct trace_options *o, int opt, const char *arg)
{
	uint64_t v;
	int rc;

	switch (opt) {
	case 'I': o->method = METHOD_ICMP; return 0;
	case 'U': o->method = METHOD_UDP; return 0;
	case 'T': o->method = METHOD_TCP; return 0;
	case 'M': return take_method(o, arg);
	case '4': o->family = 4; return 0;
	case '6': o->family = 6; return 0;
	case 'n': o->no_names = true; return 0;
	case 'f': return take_u8(o, "-f", arg, 1, 255, &o->each.first_ttl);
	case 'm': return take_u8(o, "-m", arg, 1, 255, &o->each.max_ttl);
	case 'q': return take_u8(o, "-q", arg, 1, 10, &o->each.attempts);
	case 'w': return take_wait(o, arg);
	case 's': return take_source(o, arg);
	case 'i': return take_text(o, "-i", arg, o->run.ifname, sizeof(o->run.ifname));
	case OPT_VANTAGE:
		return take_text(o, "--vantage", arg, o->run.vantage, sizeof(o->run.vantage));
	case OPT_GAP: return take_u8(o, "--gap-limit", arg, 0, 255, &o->each.gap_limit);
	case OPT_AVOID: o->avoid_path = arg; return 0;
	case OPT_DRY_RUN: o->dry_run = true; return 0;
	case OPT_CONTACT: o->contact_path = arg; return 0;
	case OPT_PROBING: o->probing_path = arg; return 0;
	case OPT_PLACE: return take_place(o, arg);
	case OPT_SHARED: o->shared_beginnings = true; return 0;
	case OPT_PREFIX_RATE: return take_prefix_rate(o, arg);
	case OPT_RATE:
		o->unlimited = strcmp(arg, "max") == 0;
		return o->unlimited ? 0 : take_rate(o, "--rate", arg, &o->run.rate_pps);
	case 'p':
		rc = take_number(o, "-p", arg, 1, 65535, &v);
		o->each.dport = rc == 0 ? (uint16_t)v : 0;
		return rc;
	case OPT_FLOW:
		rc = take_number(o, "--flow", arg, 0, FLOWS_MAX - 1, &v);
		o->flow_first = rc == 0 ? (unsigned)v : 0;
		return rc;
	case OPT_MULTIPATH: return take_multipath(o, arg);
	case OPT_FLOWS:
		rc = take_number(o, "--flows", arg, 1, FLOWS_MAX, &v);
		o->flow_count = rc == 0 ? (unsigned)v : 1;
		return rc;
	default: return options_take(&o->common, opt, arg);
	}
}

/* The vantage point's name decides the ports of its flows, run after run. */
static void set_vantage(struct plan_run *run)
{
	if (run->vantage[0] == '\0' &&
	    (gethostname(run->vantage, sizeof(run->vantage) - 1) < 0 || run->vantage[0] == '\0'))
		text_set(run->vantage, sizeof(run->vantage), "unnamed");
	run->seed = campaign_seed(run->vantage);
}

/* The last --rate holds, and a cap per prefix that was asked for holds beside any. */
static void set_rates(struct trace_options *o)
{
	if (o->unlimited)
		o->run.prefix_mpps = o->run.rate_pps = o->run.router_pps = 0;
	if (o->prefix_mpps > 0)
		o->run.prefix_mpps = o->prefix_mpps;
}

void trace_options_init(struct trace_options *o)
{
	*o = (struct trace_options){.flow_count = 1};
	options_init(&o->common, "trace");
	plan_run_defaults(&o->run);
	plan_trace_defaults(&o->each);
	o->each.dport = 0;
}

int trace_options_parse(struct trace_options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		OPTIONS_COMMON,
		{"gap-limit", required_argument, NULL, OPT_GAP},
		{"rate", required_argument, NULL, OPT_RATE},
		{"per-prefix-rate", required_argument, NULL, OPT_PREFIX_RATE},
		{"flow", required_argument, NULL, OPT_FLOW},
		{"flows", required_argument, NULL, OPT_FLOWS},
		{"multipath", optional_argument, NULL, OPT_MULTIPATH},
		{"shared-beginnings", no_argument, NULL, OPT_SHARED},
		{"vantage", required_argument, NULL, OPT_VANTAGE},
		{"do-not-probe", required_argument, NULL, OPT_AVOID},
		{"dry-run", no_argument, NULL, OPT_DRY_RUN},
		{"contact", required_argument, NULL, OPT_CONTACT},
		{"probing-txt", required_argument, NULL, OPT_PROBING},
		{"place", required_argument, NULL, OPT_PLACE},
		{NULL, 0, NULL, 0},
	};
	int opt, rc;

	while ((opt = options_next(&o->common, argc, argv, OPTIONS_SHORT "IUTM:p:46f:m:q:w:i:s:n",
				   longs)) != -1) {
		if (opt == '?')
			return CLI_USAGE + 1;
		rc = take_option(o, opt, optarg);
		if (rc != 0)
			return rc;
	}
	if (o->each.first_ttl > o->each.max_ttl)
		return cli_usage("trace", "the first TTL (%u) lies behind the last (%u)",
				 o->each.first_ttl, o->each.max_ttl) + 1;
	if (o->flow_first + o->flow_count > FLOWS_MAX)
		return cli_usage("trace", "flows go up to %d", FLOWS_MAX - 1) + 1;
	if (o->each.multipath && o->flow_count > 1)
		return cli_usage("trace", "--multipath takes as many flows as it needs: --flows is "
				 "for a number of your own") + 1;
	if (addr_is_set(o->family == 4 ? o->run.src6 : o->run.src4) && o->family != 0)
		return cli_usage("trace", "-s names an IPv%u address, -%u asks for the other family",
				 o->family == 4 ? 6 : 4, o->family) + 1;
	/* A source of one family leaves only that family's addresses to measure. */
	if (o->family == 0 && addr_is_set(o->run.src4) != addr_is_set(o->run.src6))
		o->family = addr_is_set(o->run.src4) ? 4 : 6;
	if ((o->probing_path != NULL || o->contact_path != NULL) && !o->dry_run)
		return cli_usage("trace", "%s goes with --dry-run", o->probing_path != NULL ?
				 "--probing-txt" : "--contact") + 1;
	/* Enumeration looks for the very branches that a shared beginning cannot see. */
	if (o->shared_beginnings && o->each.multipath != 0)
		return cli_usage("trace", "--multipath asks every hop of every target: it shares no "
				 "beginnings") + 1;
	if (o->method == METHOD_ICMP && o->each.dport != 0)
		return cli_usage("trace", "-p needs udp or tcp: icmp has no ports") + 1;
	set_rates(o);
	set_vantage(&o->run);
	return 0;
}
