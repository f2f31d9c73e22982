// SPDX-License-Identifier: BSD-2-Clause
/*
 * borderpath profile: is a profile good, and what does it hold. check tells the first fault with
 * file:line:column; show prints the whole of it with dates, for people or as one JSON object.
 */
#include <string.h>
#include <unistd.h>

#include "analysis/report/style.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "core/json.h"

const char profile_usage[] =
	"usage: borderpath profile check [OPTIONS] [NAME|FILE]\n"
	"       borderpath profile show [OPTIONS] [NAME|FILE]\n"
	"\n"
	"check reads a profile and tells its first fault as file:line:column; show prints what it "
	"holds: the\n"
	"network, its borders and the carriers there, labels and targets, each with the dates it "
	"holds for.\n"
	"NAME is looked up as NAME.yaml in profiles/ of a build tree, "
	"$XDG_CONFIG_HOME/borderpath/profiles,\n"
	"/etc/borderpath/profiles and the installed profiles; a text with '/' or .yaml is a file.\n"
	"Default: dprk.\n"
	"\n"
	"  --at T                show: only what holds then (RFC 3339, a date, or '2d ago')\n"
	"  --format text|jsonl   for people, or one JSON object\n"
	"  --profile NAME|FILE, -o FILE, -v (show: sources), --color auto|always|never\n"
	"\n"
	"Exit: 0 good, 1 not, 2 usage.\n";

enum { OPT_AT = OPT_COMMAND_FIRST };

struct profile_run {
	struct options o;
	struct session session;
	struct style style;
	struct wall at;     /* 0: everything */
	unsigned first, second; /* widths of the columns of `show` */
	struct buf out;
};

static bool wanted(const struct profile_run *run, const struct validity *v)
{
	return run->at.ns == 0 || validity_holds(v, run->at);
}

/* A date where the time is midnight, as profiles write most of them. */
static const char *when_text(struct wall t, char out[static WALL_TEXT])
{
	wall_format(t, out);
	if (strcmp(out + 10, "T00:00:00.000000000Z") == 0)
		out[10] = '\0';
	else if (strcmp(out + 19, ".000000000Z") == 0)
		memcpy(out + 19, "Z", 2);
	return out;
}

static void json_valid(struct json_writer *w, const struct validity *v)
{
	char text[WALL_TEXT];

	if (v->since.ns != 0)
		json_put_str(w, "since", when_text(v->since, text));
	if (v->until.ns != 0)
		json_put_str(w, "until", when_text(v->until, text));
	if (v->source != NULL)
		json_put_str(w, "source", v->source);
}

static void json_text(struct json_writer *w, const char *key, const char *text)
{
	if (text != NULL)
		json_put_str(w, key, text);
}

static void json_place(struct json_writer *w, const struct profile_place *p)
{
	if (!p->known)
		return;
	json_begin_object(w, "place");
	json_put_real(w, "lat", p->lat);
	json_put_real(w, "lon", p->lon);
	json_end(w);
}

static void json_networks(const struct profile_run *run, struct json_writer *w,
			  const struct profile_network *list, unsigned count)
{
	json_begin_array(w, "networks");
	for (unsigned i = 0; i < count; i++) {
		if (!wanted(run, &list[i].valid))
			continue;
		json_begin_object(w, NULL);
		json_put_int(w, "asn", list[i].asn);
		json_text(w, "org", list[i].org);
		json_valid(w, &list[i].valid);
		json_end(w);
	}
	json_end(w);
}

static void json_prefixes(const struct profile_run *run, struct json_writer *w,
			  const struct profile_prefix *list, unsigned count)
{
	char text[PREFIX_TEXT];

	json_begin_array(w, "prefixes");
	for (unsigned i = 0; i < count; i++) {
		if (!wanted(run, &list[i].valid))
			continue;
		json_begin_object(w, NULL);
		json_put_str(w, "prefix", prefix_format(list[i].prefix, text));
		if (list[i].asn != 0)
			json_put_int(w, "asn", list[i].asn);
		json_text(w, "label", list[i].label);
		json_valid(w, &list[i].valid);
		json_end(w);
	}
	json_end(w);
}

static void json_network(struct json_writer *w, const struct profile *p)
{
	char text[PREFIX_TEXT];

	json_begin_object(w, "network");
	json_put_str(w, "name", p->network_name);
	json_begin_array(w, "asn");
	for (unsigned i = 0; i < p->asns_count; i++)
		json_put_int(w, NULL, p->asns[i]);
	json_end(w);
	json_begin_array(w, "prefixes");
	for (unsigned i = 0; i < p->prefixes_count; i++)
		json_put_str(w, NULL, prefix_format(p->prefixes[i].prefix, text));
	json_end(w);
	json_begin_object(w, "judge_by");
	json_put_int(w, "v4", p->judge_v4);
	json_put_int(w, "v6", p->judge_v6);
	json_end(w);
	json_place(w, &p->place);
	if (p->prefixes_count > 0)
		json_valid(w, &p->prefixes[0].valid);
	json_end(w);
}

static void json_ways(const struct profile_run *run, struct json_writer *w, const struct profile *p)
{
	json_begin_array(w, "borders");
	for (unsigned i = 0; i < p->borders_count; i++) {
		const struct profile_border *b = &p->borders[i];

		if (!wanted(run, &b->valid))
			continue;
		json_begin_object(w, NULL);
		json_put_str(w, "id", b->id);
		json_put_str(w, "name", b->name);
		json_put_str(w, "short", b->short_name);
		json_text(w, "country", b->country);
		json_put_str(w, "color", b->color);
		json_place(w, &b->place);
		json_networks(run, w, b->networks, b->networks_count);
		json_prefixes(run, w, b->prefixes, b->prefixes_count);
		json_valid(w, &b->valid);
		json_end(w);
	}
	json_end(w);
	json_begin_array(w, "others");
	for (unsigned i = 0; i < p->others_count; i++) {
		const struct profile_other *o = &p->others[i];

		if (!wanted(run, &o->valid))
			continue;
		json_begin_object(w, NULL);
		json_put_str(w, "id", o->id);
		json_put_str(w, "name", o->name);
		json_networks(run, w, o->networks, o->networks_count);
		json_prefixes(run, w, o->prefixes, o->prefixes_count);
		json_valid(w, &o->valid);
		json_end(w);
	}
	json_end(w);
}

static void json_labels(const struct profile_run *run, struct json_writer *w,
			const struct profile *p)
{
	char text[PREFIX_TEXT];

	json_begin_array(w, "labels");
	for (unsigned i = 0; i < p->labels_count; i++) {
		const struct profile_label *l = &p->labels[i];

		if (!wanted(run, &l->valid))
			continue;
		json_begin_object(w, NULL);
		json_put_str(w, "prefix", prefix_format(l->prefix, text));
		json_put_str(w, "label", l->label);
		json_text(w, "org", l->org);
		if (l->asn != 0)
			json_put_int(w, "asn", l->asn);
		json_text(w, "country", l->country);
		json_text(w, "border", l->border);
		json_text(w, "role", l->role);
		json_valid(w, &l->valid);
		json_end(w);
	}
	json_end(w);
}

static const struct word methods[] = {
	{"icmp", METHOD_ICMP}, {"udp", METHOD_UDP}, {"tcp", METHOD_TCP}, {NULL, 0}};

static void json_targets(const struct profile_run *run, struct json_writer *w,
			 const struct profile *p)
{
	json_begin_array(w, "targets");
	for (unsigned i = 0; i < p->targets_count; i++) {
		const struct profile_target *t = &p->targets[i];

		if (!wanted(run, &t->valid))
			continue;
		json_begin_object(w, NULL);
		json_put_str(w, "host", t->host);
		json_text(w, "name", t->name);
		if (t->method != METHOD_UNKNOWN)
			json_put_str(w, "method", word_of(methods, t->method));
		if (t->port != 0)
			json_put_int(w, "port", t->port);
		json_valid(w, &t->valid);
		json_end(w);
	}
	json_end(w);
}

static void show_json(struct profile_run *run)
{
	const struct profile *p = run->session.profile;
	struct json_writer w;

	json_start(&w, &run->out);
	json_begin_object(&w, NULL);
	json_put_str(&w, "type", "profile");
	json_put_str(&w, "profile", p->id);
	json_put_str(&w, "version", p->version);
	json_put_str(&w, "file", p->file);
	json_network(&w, p);
	json_put_str(&w, "timezone", p->timezone);
	json_ways(run, &w, p);
	json_labels(run, &w, p);
	json_targets(run, &w, p);
	json_end(&w);
	buf_char(&run->out, '\n');
}

/* "  since 2017-10-01" and so on, then the source on a line of its own. */
static void text_valid(struct profile_run *run, const struct validity *v)
{
	char text[WALL_TEXT];

	if (v->since.ns != 0)
		buf_printf(&run->out, "  since %s", when_text(v->since, text));
	if (v->until.ns != 0)
		buf_printf(&run->out, "  until %s", when_text(v->until, text));
	while (run->out.used > 0 && run->out.bytes[run->out.used - 1] == ' ')
		run->out.used--; /* a padded column with nothing behind it */
	buf_char(&run->out, '\n');
	if (run->o.verbose == 0 || v->source == NULL)
		return;
	buf_printf(&run->out, "%*s", (int)run->first + 7, "");
	style_face(&run->out, &run->style, FACE_DIM);
	style_text(&run->out, &run->style, v->source);
	style_end(&run->out, &run->style);
	buf_char(&run->out, '\n');
}

static void text_head(struct profile_run *run, const char *text)
{
	buf_char(&run->out, '\n');
	style_face(&run->out, &run->style, FACE_BOLD);
	buf_str(&run->out, text);
	style_end(&run->out, &run->style);
	buf_char(&run->out, '\n');
}

static void text_networks(struct profile_run *run, const struct profile_network *list,
			  unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		char asn[24];

		if (!wanted(run, &list[i].valid))
			continue;
		snprintf(asn, sizeof(asn), "AS%u", list[i].asn);
		buf_str(&run->out, "      ");
		style_pad(&run->out, &run->style, asn, run->first);
		buf_char(&run->out, ' ');
		style_pad(&run->out, &run->style, list[i].org != NULL ? list[i].org : "", run->second);
		text_valid(run, &list[i].valid);
	}
}

static void text_prefixes(struct profile_run *run, const struct profile_prefix *list,
			  unsigned count)
{
	char text[PREFIX_TEXT];

	for (unsigned i = 0; i < count; i++) {
		if (!wanted(run, &list[i].valid))
			continue;
		buf_str(&run->out, "      ");
		style_pad(&run->out, &run->style, prefix_format(list[i].prefix, text), run->first);
		buf_char(&run->out, ' ');
		style_pad(&run->out, &run->style, list[i].label != NULL ? list[i].label : "", run->second);
		text_valid(run, &list[i].valid);
	}
}

static void text_ways(struct profile_run *run, const struct profile *p)
{
	bool others = false;

	text_head(run, "Borders");
	for (unsigned i = 0; i < p->borders_count; i++) {
		const struct profile_border *b = &p->borders[i];

		if (!wanted(run, &b->valid))
			continue;
		buf_str(&run->out, "  ");
		style_color(&run->out, &run->style, b->color);
		style_pad(&run->out, &run->style, b->short_name, 3);
		style_end(&run->out, &run->style);
		buf_char(&run->out, ' ');
		style_pad(&run->out, &run->style, b->id, run->first);
		buf_char(&run->out, ' ');
		style_pad(&run->out, &run->style, b->name, run->second);
		text_valid(run, &b->valid);
		text_networks(run, b->networks, b->networks_count);
		text_prefixes(run, b->prefixes, b->prefixes_count);
	}
	for (unsigned i = 0; i < p->others_count && !others; i++)
		others = wanted(run, &p->others[i].valid);
	if (others)
		text_head(run, "Other ways in");
	for (unsigned i = 0; i < p->others_count; i++) {
		const struct profile_other *o = &p->others[i];

		if (!wanted(run, &o->valid))
			continue;
		buf_str(&run->out, "      ");
		style_pad(&run->out, &run->style, o->id, run->first);
		buf_char(&run->out, ' ');
		style_pad(&run->out, &run->style, o->name, run->second);
		text_valid(run, &o->valid);
		text_networks(run, o->networks, o->networks_count);
		text_prefixes(run, o->prefixes, o->prefixes_count);
	}
}

static void text_labels(struct profile_run *run, const struct profile *p)
{
	char text[PREFIX_TEXT];

	if (p->labels_count > 0)
		text_head(run, "Labels");
	for (unsigned i = 0; i < p->labels_count; i++) {
		const struct profile_label *l = &p->labels[i];

		if (!wanted(run, &l->valid))
			continue;
		buf_str(&run->out, "      ");
		style_pad(&run->out, &run->style, prefix_format(l->prefix, text), run->first);
		buf_char(&run->out, ' ');
		style_text(&run->out, &run->style, l->label);
		if (l->border != NULL)
			buf_printf(&run->out, "; border %s", l->border);
		if (l->role != NULL)
			buf_printf(&run->out, "; %s", l->role);
		text_valid(run, &l->valid);
	}
}

static void text_targets(struct profile_run *run, const struct profile *p)
{
	if (p->targets_count > 0)
		text_head(run, "Targets");
	for (unsigned i = 0; i < p->targets_count; i++) {
		const struct profile_target *t = &p->targets[i];
		char how[16] = "";

		if (!wanted(run, &t->valid))
			continue;
		if (t->method != METHOD_UNKNOWN)
			snprintf(how, sizeof(how), t->port != 0 ? "%s/%u" : "%s",
				 word_of(methods, t->method), t->port);
		buf_str(&run->out, "      ");
		style_pad(&run->out, &run->style, t->host, run->first);
		buf_char(&run->out, ' ');
		style_pad(&run->out, &run->style, how, 10);
		style_text(&run->out, &run->style, t->name != NULL ? t->name : "");
		text_valid(run, &t->valid);
	}
}

static void widen(unsigned *width, const char *text)
{
	unsigned columns = text != NULL ? style_columns(text) : 0;

	if (columns > *width)
		*width = columns;
}

static void measure_way(struct profile_run *run, const struct profile_network *networks,
			unsigned networks_count, const struct profile_prefix *prefixes,
			unsigned prefixes_count)
{
	char text[PREFIX_TEXT];

	for (unsigned i = 0; i < networks_count; i++)
		widen(&run->second, networks[i].org);
	for (unsigned i = 0; i < prefixes_count; i++) {
		widen(&run->first, prefix_format(prefixes[i].prefix, text));
		widen(&run->second, prefixes[i].label);
	}
}

/* The columns are as wide as what stands in them: a profile has no long lists of long names. */
static void measure(struct profile_run *run, const struct profile *p)
{
	char text[PREFIX_TEXT];

	run->first = 18;
	run->second = 16;
	for (unsigned i = 0; i < p->borders_count; i++) {
		const struct profile_border *b = &p->borders[i];

		widen(&run->first, b->id);
		widen(&run->second, b->name);
		measure_way(run, b->networks, b->networks_count, b->prefixes, b->prefixes_count);
	}
	for (unsigned i = 0; i < p->others_count; i++) {
		const struct profile_other *o = &p->others[i];

		widen(&run->first, o->id);
		widen(&run->second, o->name);
		measure_way(run, o->networks, o->networks_count, o->prefixes, o->prefixes_count);
	}
	for (unsigned i = 0; i < p->prefixes_count; i++)
		widen(&run->first, prefix_format(p->prefixes[i].prefix, text));
	for (unsigned i = 0; i < p->labels_count; i++)
		widen(&run->first, prefix_format(p->labels[i].prefix, text));
	for (unsigned i = 0; i < p->targets_count; i++)
		widen(&run->first, p->targets[i].host);
}

static void show_text(struct profile_run *run)
{
	const struct profile *p = run->session.profile;
	char text[PREFIX_TEXT];

	measure(run, p);
	style_face(&run->out, &run->style, FACE_BOLD);
	buf_printf(&run->out, "%s %s", p->id, p->version);
	style_end(&run->out, &run->style);
	buf_str(&run->out, "  ");
	style_text(&run->out, &run->style, p->file);
	buf_char(&run->out, '\n');
	text_head(run, "Network");
	buf_str(&run->out, "      ");
	style_text(&run->out, &run->style, p->network_name);
	for (unsigned i = 0; i < p->asns_count; i++)
		buf_printf(&run->out, ", AS%u", p->asns[i]);
	buf_printf(&run->out, ", time zone %s; verdicts per /%u (IPv4) and /%u (IPv6)\n",
		   p->timezone, p->judge_v4, p->judge_v6);
	for (unsigned i = 0; i < p->prefixes_count; i++) {
		if (!wanted(run, &p->prefixes[i].valid))
			continue;
		buf_str(&run->out, "      ");
		style_pad(&run->out, &run->style, prefix_format(p->prefixes[i].prefix, text),
			  run->first);
		style_pad(&run->out, &run->style, "", run->second + 1);
		text_valid(run, &p->prefixes[i].valid);
	}
	text_ways(run, p);
	text_labels(run, p);
	text_targets(run, p);
}

/* What is well formed and yet hardly meant. */
static void check_doubts(const struct profile *p)
{
	char path[128];

	snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", p->timezone);
	if (access("/usr/share/zoneinfo", F_OK) == 0 && access(path, F_OK) != 0)
		cli_say("warning: time zone \"%s\" is not in this machine's tz database", p->timezone);
	for (unsigned i = 0; i < p->targets_count; i++) {
		const struct profile_target *t = &p->targets[i];
		struct prefix target;

		if (prefix_parse(t->host, &target) == 0 &&
		    !profile_inside(p, target.addr, t->valid.until.ns != 0 ?
				    (struct wall){t->valid.until.ns - 1} : wall_now()))
			cli_say("warning: target %s lies outside the network", t->host);
	}
}

/* A broken one never comes here: opening it has told why. */
static void check_good(struct profile_run *run)
{
	const struct profile *p = run->session.profile;
	struct json_writer w;

	if (run->o.format == OUTPUT_JSONL) {
		json_start(&w, &run->out);
		json_begin_object(&w, NULL);
		json_put_str(&w, "type", "check");
		json_put_str(&w, "file", p->file);
		json_put_bool(&w, "good", true);
		json_put_str(&w, "profile", p->id);
		json_put_str(&w, "version", p->version);
		json_end(&w);
		buf_char(&run->out, '\n');
		return;
	}
	buf_printf(&run->out, "%s: good: %s version %s, %u border%s, %u label%s, %u target%s\n",
		   p->file, p->id, p->version, p->borders_count, p->borders_count == 1 ? "" : "s",
		   p->labels_count, p->labels_count == 1 ? "" : "s", p->targets_count,
		   p->targets_count == 1 ? "" : "s");
}

static int profile_options(struct profile_run *run, int argc, char **argv)
{
	static const struct option longs[] = {
		OPTIONS_COMMON, {"at", required_argument, NULL, OPT_AT}, {NULL, 0, NULL, 0}};
	int opt, rc;

	options_init(&run->o, "profile");
	while ((opt = options_next(&run->o, argc, argv, OPTIONS_SHORT, longs)) != -1) {
		if (opt == '?')
			return CLI_USAGE + 1;
		if (opt == OPT_AT) {
			if (wall_parse(optarg, wall_now(), &run->at) < 0)
				return cli_usage("profile", "--at '%s' is no time", optarg) + 1;
			continue;
		}
		rc = options_take(&run->o, opt, optarg);
		if (rc != 0)
			return rc;
	}
	return 0;
}

int cmd_profile(int argc, char **argv)
{
	struct profile_run run = {0};
	struct bp_error err;
	bool check;
	int rc = profile_options(&run, argc, argv);

	if (rc != 0)
		return rc - 1;
	argc -= optind;
	argv += optind;
	if (argc == 0)
		return cli_usage("profile", "say check or show");
	check = strcmp(argv[0], "check") == 0;
	if (!check && strcmp(argv[0], "show") != 0)
		return cli_usage("profile", "'%s' is neither check nor show", argv[0]);
	if (argc > 2)
		return cli_usage("profile", "%s takes one profile", argv[0]);
	if (argc == 2)
		run.o.profile = argv[1];
	if (session_open(&run.o, false, &run.session, &err) < 0)
		return cli_error(&err);
	run.style = style_of(&run.session);
	buf_init(&run.out);
	if (check && !run.o.quiet)
		check_doubts(run.session.profile);
	if (check)
		check_good(&run);
	else if (run.o.format == OUTPUT_JSONL)
		show_json(&run);
	else
		show_text(&run);
	rc = CLI_OK;
	if (session_write(&run.session, run.out.bytes, run.out.used, &err) < 0)
		rc = cli_error(&err);
	buf_fini(&run.out);
	return session_end(&run.session, rc);
}
