// SPDX-License-Identifier: BSD-2-Clause
/*
 * borderpath geo: what the databases and the profile's overlay say of addresses, which databases
 * these are, how old and whether they are whole. Judges nothing.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/report/style.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "core/json.h"

const char geo_usage[] =
	"usage: borderpath geo show [OPTIONS] ADDRESS...\n"
	"       borderpath geo status [OPTIONS]\n"
	"\n"
	"show tells who an address belongs to: AS number, organisation and country by the "
	"databases, and\n"
	"what the profile says of it (a label, a border, inside the network or not). status tells "
	"which\n"
	"databases are used, of which day they are, their hashes, and reads them through for "
	"damage.\n"
	"\n"
	"  --at T                the overlay as it was then (RFC 3339, a date, or '2d ago'; "
	"default now)\n"
	"  --format text|jsonl   for people, or JSON: one object an address (show), one in all "
	"(status)\n"
	"  --asn-db FILE, --country-db FILE\n"
	"                        MMDB files; by default build/geodata beside the program,\n"
	"                        $XDG_DATA_HOME/borderpath, /var/lib/borderpath, "
	"/usr/share/GeoIP,\n"
	"                        /var/lib/GeoIP (GeoLite2-ASN.mmdb, GeoLite2-Country.mmdb)\n"
	"  --profile NAME|FILE, -o FILE, -v (show: sources), --quiet, --color auto|always|never\n"
	"\n"
	"A country is a hint of where a block is registered, never proof. Exit: 0 done, 1 failure "
	"(status:\n"
	"also a damaged database), 2 usage.\n";

enum { OPT_AT = OPT_COMMAND_FIRST };

struct geo_run {
	struct options o;
	struct session session;
	struct wall at;
	struct buf out;
};

/* What the profile says beside the name: where the address stands towards the network. */
struct standing {
	bool inside;
	struct prefix judged;               /* inside: the prefix verdicts are kept under */
	const struct profile_label *label;  /* NULL: none */
	const char *border, *other;         /* ids, or NULL */
};

static struct standing standing_of(const struct profile *p, const struct name *n, struct wall at)
{
	struct standing s = {.inside = profile_inside(p, n->addr, at)};
	int border, other;

	s.label = profile_label(p, n->addr, at);
	if (s.inside) {
		s.judged = profile_judge_prefix(p, n->addr);
		return s;
	}
	/* What a rule would use first comes first: a label, then address space, then the AS. */
	border = profile_border_of_addr(p, n->addr, at);
	other = profile_other_of_addr(p, n->addr, at);
	if (border < 0 && other < 0 && n->asn != 0) {
		border = profile_border_of_asn(p, n->asn, at);
		other = profile_other_of_asn(p, n->asn, at);
	}
	if (s.label != NULL && s.label->border != NULL)
		s.border = s.label->border;
	else if (border >= 0)
		s.border = p->borders[border].id;
	else if (other >= 0)
		s.other = p->others[other].id;
	return s;
}

static const char *kind_text(struct addr a)
{
	static const char *const texts[] = {
		[ADDR_KIND_PRIVATE] = "private", [ADDR_KIND_SHARED] = "shared (carrier NAT)",
		[ADDR_KIND_LOOPBACK] = "loopback", [ADDR_KIND_LINK_LOCAL] = "link-local",
		[ADDR_KIND_MULTICAST] = "multicast", [ADDR_KIND_DOCUMENTATION] = "documentation",
		[ADDR_KIND_RESERVED] = "reserved"};
	enum addr_kind kind = addr_kind(a);

	return (size_t)kind < sizeof(texts) / sizeof(texts[0]) ? texts[kind] : NULL;
}

static void put_or_null(struct json_writer *w, const char *key, const char *text)
{
	if (text != NULL && text[0] != '\0')
		json_put_str(w, key, text);
	else
		json_put_null(w, key);
}

static void show_json(struct geo_run *run, const struct name *n)
{
	struct standing s = standing_of(run->session.profile, n, run->at);
	char text[64]; /* addresses, prefixes, times */
	struct json_writer w;

	json_start(&w, &run->out);
	json_begin_object(&w, NULL);
	json_put_str(&w, "type", "name");
	json_put_str(&w, "address", addr_format(n->addr, text));
	if (n->asn != 0)
		json_put_int(&w, "asn", n->asn);
	else
		json_put_null(&w, "asn");
	put_or_null(&w, "org", n->org);
	put_or_null(&w, "country", n->country);
	if (n->overlay_country[0] != '\0')
		json_put_str(&w, "overlay_country", n->overlay_country);
	put_or_null(&w, "label", n->label);
	json_put_str(&w, "source", word_of(name_source_words, n->source));
	if (kind_text(n->addr) != NULL)
		json_put_str(&w, "kind", kind_text(n->addr));
	json_put_bool(&w, "inside", s.inside);
	if (s.inside)
		json_put_str(&w, "prefix", prefix_format(s.judged, text));
	put_or_null(&w, "border", s.border);
	if (s.other != NULL)
		json_put_str(&w, "other", s.other);
	if (s.label != NULL && s.label->role != NULL)
		json_put_str(&w, "role", s.label->role);
	if (s.label != NULL && s.label->valid.source != NULL)
		json_put_str(&w, "label_source", s.label->valid.source);
	json_put_str(&w, "at", wall_format(run->at, text));
	json_put_str(&w, "profile", run->session.profile->id);
	json_put_str(&w, "profile_version", run->session.profile->version);
	json_end(&w);
	buf_char(&run->out, '\n');
}

/* The last column: what there is to say, in one line. */
static void note_of(const struct geo_run *run, const struct name *n, struct buf *note)
{
	const struct profile *p = run->session.profile;
	struct standing s = standing_of(p, n, run->at);
	char text[PREFIX_TEXT];
	const char *between = "";

	buf_clear(note);
	if (n->label[0] != '\0') {
		buf_str(note, n->label);
		between = "; ";
	}
	if (s.inside) {
		buf_printf(note, "%sinside %s (%s)", between, p->network_name,
			   prefix_format(s.judged, text));
		between = "; ";
	} else if (s.border != NULL || s.other != NULL) {
		buf_printf(note, "%s%s %s", between, s.border ? "border" : "other way in",
			   s.border ? s.border : s.other);
		between = "; ";
	}
	if (s.label != NULL && s.label->role != NULL && strcmp(s.label->role, "customer") == 0) {
		buf_printf(note, "%sa customer's router", between);
		between = "; ";
	} else if (s.label != NULL && s.label->role != NULL &&
		   strcmp(s.label->role, "exchange") == 0) {
		buf_printf(note, "%sexchange LAN", between);
		between = "; ";
	}
	if (kind_text(n->addr) != NULL) {
		buf_printf(note, "%s%s address", between, kind_text(n->addr));
		between = "; ";
	}
	if (n->overlay_country[0] != '\0' && n->country[0] != '\0') {
		buf_printf(note, "%sthe profile says %s", between, n->overlay_country);
		between = "; ";
	}
	if (n->source == NAME_SOURCE_OVERLAY)
		buf_printf(note, "%sAS from the profile", between);
}

enum { COL_ADDR, COL_ASN, COL_ORG, COL_COUNTRY, COLUMNS };
static const char *const heads[COLUMNS] = {"Address", "AS", "Organisation", "Country"};

static void cells_of(const struct name *n, char cells[COLUMNS][NAME_ORG_TEXT])
{
	char text[ADDR_TEXT];

	snprintf(cells[COL_ADDR], NAME_ORG_TEXT, "%s", addr_format(n->addr, text));
	snprintf(cells[COL_ASN], NAME_ORG_TEXT, n->asn != 0 ? "AS%" PRIu32 : "-", n->asn);
	snprintf(cells[COL_ORG], NAME_ORG_TEXT, "%s", n->org[0] != '\0' ? n->org : "-");
	snprintf(cells[COL_COUNTRY], NAME_ORG_TEXT, "%s", n->country[0] != '\0' ? n->country :
		 n->overlay_country[0] != '\0' ? n->overlay_country : "-");
}

static void show_table(struct geo_run *run, const struct name *names, unsigned count)
{
	struct style style = style_of(&run->session);
	char cells[COLUMNS][NAME_ORG_TEXT];
	unsigned width[COLUMNS];
	struct buf note;

	buf_init(&note);
	for (unsigned c = 0; c < COLUMNS; c++)
		width[c] = style_columns(heads[c]);
	for (unsigned i = 0; i < count; i++) {
		cells_of(&names[i], cells);
		for (unsigned c = 0; c < COLUMNS; c++)
			if (style_columns(cells[c]) > width[c])
				width[c] = style_columns(cells[c]);
	}
	style_face(&run->out, &style, FACE_BOLD);
	for (unsigned c = 0; c < COLUMNS; c++) {
		style_pad(&run->out, &style, heads[c], width[c]);
		buf_str(&run->out, "  ");
	}
	buf_str(&run->out, "Note");
	style_end(&run->out, &style);
	buf_char(&run->out, '\n');
	for (unsigned i = 0; i < count; i++) {
		const struct profile_label *label = profile_label(run->session.profile,
								  names[i].addr, run->at);

		cells_of(&names[i], cells);
		note_of(run, &names[i], &note);
		for (unsigned c = 0; c < COLUMNS; c++) {
			style_pad(&run->out, &style, cells[c], width[c]);
			buf_str(&run->out, "  ");
		}
		style_text(&run->out, &style, note.used > 0 ? note.bytes : "-");
		buf_char(&run->out, '\n');
		if (run->o.verbose > 0 && label != NULL && label->valid.source != NULL) {
			buf_str(&run->out, "  source: ");
			style_text(&run->out, &style, label->valid.source);
			buf_char(&run->out, '\n');
		}
	}
	buf_fini(&note);
}

static int geo_show(struct geo_run *run, int argc, char **argv)
{
	struct name *names = calloc((size_t)argc + 1, sizeof(*names));
	struct bp_error err;
	int rc = CLI_OK;

	if (names == NULL) {
		bp_fail(&err, BP_ENOMEM, "out of memory");
		return cli_error(&err);
	}
	for (int i = 0; i < argc; i++) {
		struct addr a;

		addr_parse(argv[i], &a); /* parsed before: geo_arguments */
		geo_lookup(run->session.geo, a, run->at, &names[i]);
		if (run->o.format == OUTPUT_JSONL)
			show_json(run, &names[i]);
	}
	if (run->o.format != OUTPUT_JSONL)
		show_table(run, names, (unsigned)argc);
	if (session_write(&run->session, run->out.bytes, run->out.used, &err) < 0)
		rc = cli_error(&err);
	free(names);
	return rc;
}

/* One database as status sees it. */
struct db_status {
	bool open, whole;
	struct geo_db_about about;
	uint64_t records;
	const char *sha256;
	char built[WALL_TEXT];
	struct bp_error damage;
};

static void look_into(const struct geo *g, enum geo_db which, struct db_status *out)
{
	const struct geo_source *s = geo_source(g);

	*out = (struct db_status){0};
	if (geo_about(g, which, &out->about) < 0)
		return;
	out->open = true;
	out->sha256 = which == GEO_DB_ASN ? s->asn_sha256 : s->country_sha256;
	text_set(out->built, sizeof(out->built),
		 which == GEO_DB_ASN ? s->asn_built : s->country_built);
	out->whole = geo_verify(g, which, &out->records, &out->damage) == 0;
}

static const char *const db_names[] = {[GEO_DB_ASN] = "asn", [GEO_DB_COUNTRY] = "country"};
static const char *const db_titles[] = {
	[GEO_DB_ASN] = "AS numbers", [GEO_DB_COUNTRY] = "Countries"};

static void status_json_db(struct json_writer *w, enum geo_db which, const struct db_status *s)
{
	if (!s->open) {
		json_put_null(w, db_names[which]);
		return;
	}
	json_begin_object(w, db_names[which]);
	json_put_str(w, "path", s->about.path);
	put_or_null(w, "built", s->built);
	json_put_int(w, "age_days", s->about.age_days);
	json_put_bool(w, "old", s->about.age_days > GEO_OLD_DAYS);
	put_or_null(w, "sha256", s->sha256);
	json_put_int(w, "bytes", (int64_t)s->about.bytes);
	json_put_int(w, "records", (int64_t)s->records);
	json_put_bool(w, "damaged", !s->whole);
	json_put_int(w, "ip_version", s->about.ip_version);
	json_put_str(w, "layout", s->about.layout);
	json_put_str(w, "database_type", s->about.type);
	put_or_null(w, "description", s->about.description);
	json_end(w);
}

static void status_json(struct geo_run *run, const struct db_status s[2])
{
	const struct profile *p = run->session.profile;
	const struct geo_source *g = geo_source(run->session.geo);
	const char *warning;
	struct json_writer w;

	json_start(&w, &run->out);
	json_begin_object(&w, NULL);
	json_put_str(&w, "type", "geo");
	put_or_null(&w, "asn_db", g->asn_db);
	put_or_null(&w, "asn_built", g->asn_built);
	put_or_null(&w, "asn_sha256", g->asn_sha256);
	put_or_null(&w, "country_db", g->country_db);
	put_or_null(&w, "country_built", g->country_built);
	put_or_null(&w, "country_sha256", g->country_sha256);
	status_json_db(&w, GEO_DB_ASN, &s[GEO_DB_ASN]);
	status_json_db(&w, GEO_DB_COUNTRY, &s[GEO_DB_COUNTRY]);
	json_begin_object(&w, "overlay");
	json_put_str(&w, "profile", p->id);
	json_put_str(&w, "profile_version", p->version);
	json_put_str(&w, "file", p->file);
	json_put_int(&w, "labels", p->labels_count);
	json_end(&w);
	json_begin_array(&w, "warnings");
	for (unsigned i = 0; (warning = geo_warning(run->session.geo, i)) != NULL; i++)
		json_put_str(&w, NULL, warning);
	json_end(&w);
	json_end(&w);
	buf_char(&run->out, '\n');
}

/* 732482 as 732,482. */
static void put_grouped(struct buf *out, uint64_t v)
{
	if (v >= 1000) {
		put_grouped(out, v / 1000);
		buf_printf(out, ",%03u", (unsigned)(v % 1000));
	} else {
		buf_printf(out, "%u", (unsigned)v);
	}
}

static void status_text_db(struct geo_run *run, const struct style *style, enum geo_db which,
			   const struct db_status *s)
{
	struct buf *out = &run->out;

	style_face(out, style, FACE_BOLD);
	style_pad(out, style, db_titles[which], 12);
	style_end(out, style);
	if (!s->open) {
		style_face(out, style, FACE_WARN);
		buf_str(out, "none");
		style_end(out, style);
		buf_char(out, '\n');
		return;
	}
	style_text(out, style, s->about.path);
	buf_str(out, "\n            ");
	if (s->built[0] != '\0')
		buf_printf(out, "of %s, %" PRId64 " days old%s; ", s->built, s->about.age_days,
			   s->about.age_days > GEO_OLD_DAYS ? " (old)" : "");
	buf_printf(out, "%s; keys: %s; ",
		   s->about.ip_version == 4 ? "IPv4 only" : "IPv4 and IPv6", s->about.layout);
	put_grouped(out, s->about.bytes);
	buf_str(out, " bytes\n            ");
	if (s->whole) {
		put_grouped(out, s->records);
		buf_str(out, " records, all readable\n");
	} else {
		style_face(out, style, FACE_BAD);
		buf_str(out, "DAMAGED");
		style_end(out, style);
		buf_printf(out, ": %s\n", s->damage.text);
	}
	buf_printf(out, "            sha256 %s\n", s->sha256[0] ? s->sha256 : "not known");
	if (s->about.description[0] != '\0') {
		buf_str(out, "            ");
		style_text(out, style, s->about.description);
		buf_char(out, '\n');
	}
}

static void status_text(struct geo_run *run, const struct db_status s[2])
{
	struct style style = style_of(&run->session);
	const struct profile *p = run->session.profile;

	status_text_db(run, &style, GEO_DB_ASN, &s[GEO_DB_ASN]);
	status_text_db(run, &style, GEO_DB_COUNTRY, &s[GEO_DB_COUNTRY]);
	style_face(&run->out, &style, FACE_BOLD);
	style_pad(&run->out, &style, "Overlay", 12);
	style_end(&run->out, &style);
	style_text(&run->out, &style, p->file);
	buf_printf(&run->out, "\n            profile %s, version %s; %u label%s\n", p->id,
		   p->version, p->labels_count, p->labels_count == 1 ? "" : "s");
}

static int geo_status(struct geo_run *run)
{
	struct db_status s[2];
	struct bp_error err;
	int code = CLI_OK;

	for (unsigned i = 0; i < 2; i++)
		look_into(run->session.geo, (enum geo_db)i, &s[i]);
	if (run->o.format == OUTPUT_JSONL)
		status_json(run, s);
	else
		status_text(run, s);
	if (session_write(&run->session, run->out.bytes, run->out.used, &err) < 0)
		return cli_error(&err);
	for (unsigned i = 0; i < 2; i++)
		if (s[i].open && !s[i].whole)
			code = cli_error(&s[i].damage);
	return code;
}

/* Refuses before anything is opened. argv[0] is the subcommand. */
static int geo_arguments(int argc, char **argv)
{
	if (argc == 0)
		return cli_usage("geo", "say show ADDRESS..., or status");
	if (strcmp(argv[0], "status") == 0)
		return argc == 1 ? CLI_OK : cli_usage("geo", "status takes no arguments");
	if (strcmp(argv[0], "show") != 0)
		return cli_usage("geo", "'%s' is neither show nor status", argv[0]);
	if (argc == 1)
		return cli_usage("geo", "show takes one or more addresses");
	for (int i = 1; i < argc; i++) {
		struct addr a;

		if (addr_parse(argv[i], &a) < 0)
			return cli_usage("geo", "'%s' is no IPv4 or IPv6 address", argv[i]);
	}
	return CLI_OK;
}

static int geo_options(struct geo_run *run, int argc, char **argv)
{
	static const struct option longs[] = {
		OPTIONS_COMMON, {"at", required_argument, NULL, OPT_AT}, {NULL, 0, NULL, 0}};
	int opt, rc;

	options_init(&run->o, "geo");
	run->at = wall_now();
	while ((opt = options_next(&run->o, argc, argv, OPTIONS_SHORT, longs)) != -1) {
		if (opt == '?')
			return CLI_USAGE + 1;
		if (opt == OPT_AT) {
			if (wall_parse(optarg, wall_now(), &run->at) < 0)
				return cli_usage("geo", "--at '%s' is no time", optarg) + 1;
			continue;
		}
		rc = options_take(&run->o, opt, optarg);
		if (rc != 0)
			return rc;
	}
	return 0;
}

int cmd_geo(int argc, char **argv)
{
	struct geo_run run = {0};
	struct bp_error err;
	int rc = geo_options(&run, argc, argv);

	if (rc != 0)
		return rc - 1;
	argc -= optind;
	argv += optind;
	rc = geo_arguments(argc, argv);
	if (rc != CLI_OK)
		return rc;
	if (session_open(&run.o, true, &run.session, &err) < 0)
		return cli_error(&err);
	buf_init(&run.out);
	rc = strcmp(argv[0], "show") == 0 ? geo_show(&run, argc - 1, argv + 1) : geo_status(&run);
	buf_fini(&run.out);
	return session_end(&run.session, rc);
}
