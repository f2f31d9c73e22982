// SPDX-License-Identifier: BSD-2-Clause
/* Common options, and the profile, databases and output they open. */
#include "cli/options.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "campaign/store.h"
#include "cli/cli.h"
#include "core/whole.h"

void options_init(struct options *o, const char *command)
{
	*o = (struct options){.command = command, .profile = "dprk"};
}

int options_next(const struct options *o, int argc, char **argv, const char *shorts,
		 const struct option *longs)
{
	char table[64];
	int at = optind ? optind : 1, opt;

	/* ':' first: getopt tells a missing value from an unknown option, and stays silent. */
	snprintf(table, sizeof(table), ":%s", shorts);
	opterr = 0;
	opt = getopt_long(argc, argv, table, longs, NULL);
	if (opt == ':') {
		cli_usage(o->command, "option '%s' needs a value", argv[optind - 1]);
		return '?';
	}
	if (opt == '?') {
		if (optopt > ' ' && optopt < 127)
			cli_usage(o->command, "unknown option '-%c'", optopt);
		else
			cli_usage(o->command, "unknown or ambiguous option '%s'",
				  argv[optind - 1 > 0 ? optind - 1 : at]);
	}
	return opt;
}

static int take_word(struct options *o, const char *option, const char *arg,
		     const struct word *table, int *out)
{
	if (word_value(table, arg, out) == 0)
		return 0;
	return cli_usage(o->command, "%s '%s' is not one of its words", option, arg) + 1;
}

int options_take(struct options *o, int opt, const char *arg)
{
	static const struct word format_words[] = {
		{"text", OUTPUT_TEXT}, {"jsonl", OUTPUT_JSONL}, {"json", OUTPUT_JSONL}, {NULL, 0}};
	static const struct word page_words[] = {
		{"text", OUTPUT_TEXT}, {"jsonl", OUTPUT_JSONL}, {"json", OUTPUT_JSONL},
		{"html", OUTPUT_HTML}, {NULL, 0}};
	static const struct word color_words[] = {
		{"auto", COLOR_AUTO}, {"always", COLOR_ALWAYS}, {"never", COLOR_NEVER}, {NULL, 0}};
	const struct command *c;
	int value = 0, rc;

	switch (opt) {
	case OPT_PROFILE: o->profile = arg; return 0;
	case OPT_ASN_DB: o->asn_db = arg; return 0;
	case OPT_COUNTRY_DB: o->country_db = arg; return 0;
	case OPT_FORMAT:
		rc = take_word(o, "--format", arg, o->html ? page_words : format_words, &value);
		if (rc == 0)
			o->format = (enum output_format)value;
		return rc;
	case OPT_COLOR:
		rc = take_word(o, "--color", arg, color_words, &value);
		if (rc == 0)
			o->color = (enum color_mode)value;
		return rc;
	case 'o': o->out_path = arg; return 0;
	case 'v': o->verbose++; return 0;
	case OPT_QUIET: o->quiet = true; return 0;
	case 'h':
		c = command_find(o->command);
		return cli_print(c ? c->usage : "") + 1;
	default:
		return CLI_USAGE + 1;
	}
}

int options_place(const char *arg, double *lat, double *lon)
{
	double north, east;
	int end = 0;

	if (arg[strspn(arg, "+-.,0123456789")] != '\0' ||
	    sscanf(arg, "%lf,%lf%n", &north, &east, &end) != 2 || arg[end] != '\0' ||
	    !(fabs(north) <= 90 && fabs(east) <= 180))
		return BP_EPARSE;
	*lat = north;
	*lon = east;
	return 0;
}

int options_bytes(const char *arg, int64_t *out)
{
	static const char units[] = "KMG";
	size_t n = strlen(arg);
	const char *unit = n > 0 ? strchr(units, arg[n - 1]) : NULL;
	unsigned shift = unit != NULL ? 10 * (unsigned)(unit - units + 1) : 0;
	char digits[32];
	uint64_t value;

	if (unit != NULL)
		n--;
	if (n >= sizeof(digits))
		return BP_ERANGE;
	memcpy(digits, arg, n);
	digits[n] = '\0';
	if (text_to_u64(digits, 1, (uint64_t)INT64_MAX >> shift, &value) < 0)
		return BP_EPARSE;
	*out = (int64_t)(value << shift);
	return 0;
}

static void session_terminal(const struct options *o, struct session *s)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	bool tty = !s->out_is_file && isatty(STDOUT_FILENO);
	struct winsize ws;

	s->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	if (tty && ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0)
		s->width = ws.ws_col;
	s->color = o->color == COLOR_ALWAYS ||
		   (o->color == COLOR_AUTO && tty && (no_color == NULL || *no_color == '\0') &&
		    term != NULL && strcmp(term, "dumb") != 0);
}

static void tell_warnings(const struct options *o, const struct geo *g)
{
	const char *text;

	for (unsigned i = 0; !o->quiet && (text = geo_warning(g, i)) != NULL; i++)
		cli_say("warning: %s", text);
}

static int open_output(const struct options *o, struct session *s, struct bp_error *err)
{
	if (o->out_path != NULL && strcmp(o->out_path, "-") != 0) {
		/* What years measured is not the price of a slip. */
		if (store_is(o->out_path)) {
			char shown[STORE_SHOWN_TEXT];

			return bp_fail(err, BP_EINVAL,
				       "-o %s: is a store, and would be "
				       "overwritten",
				       store_shown(o->out_path, shown));
		}
		if (o->whole && whole_check(o->out_path, err) < 0)
			return err->code;
		if (!o->whole)
			s->out = fopen(o->out_path, "we");
		if (s->out == NULL)
			return bp_fail_sys(err, errno, "cannot write %s", o->out_path);
		s->out_is_file = true;
	}
	session_terminal(o, s);
	return 0;
}

int session_open_output(const struct options *o, struct session *out, struct bp_error *err)
{
	struct session s = {.options = o, .out = stdout};
	int rc = open_output(o, &s, err);

	if (rc == 0)
		*out = s;
	return rc;
}

int session_open(const struct options *o, bool with_geo, struct session *out, struct bp_error *err)
{
	struct session s = {.options = o, .out = stdout};
	int rc;

	rc = o->profile != NULL ? profile_load(o->profile, &s.profile, err) : 0;
	if (rc < 0)
		return rc;
	if (with_geo) {
		rc = geo_open(o->asn_db, o->country_db, s.profile, &s.geo, err);
		if (rc < 0)
			goto fail;
		tell_warnings(o, s.geo);
	}
	rc = open_output(o, &s, err);
	if (rc < 0)
		goto fail;
	*out = s;
	return 0;
fail:
	geo_close(s.geo);
	profile_free(s.profile);
	return rc;
}

struct style style_of(const struct session *s)
{
	return (struct style){.color = s->color, .utf8 = s->utf8, .width = s->width};
}

static const char *out_name(const struct session *s)
{
	return s->out_is_file ? s->options->out_path : "standard output";
}

static bool is_held(const struct session *s)
{
	return s->out_is_file && s->options->whole;
}

int session_write(struct session *s, const void *bytes, size_t n, struct bp_error *err)
{
	if (is_held(s)) {
		buf_append(&s->held, bytes, n);
		return s->held.failed ? bp_fail(err, BP_ENOMEM, "out of memory") : 0;
	}
	if (fwrite(bytes, 1, n, s->out) == n && fflush(s->out) == 0)
		return 0;
	return cli_write_failed(errno, out_name(s), err);
}

/* A result that did not come to its end is none. */
static int write_held(struct session *s, int code)
{
	struct bp_error err;
	int rc = 0;

	if (code != CLI_FAILURE && code != CLI_USAGE)
		rc = whole_write(s->options->out_path, s->held.used > 0 ? s->held.bytes : "",
				 s->held.used, &err);
	buf_fini(&s->held);
	return rc < 0 ? cli_error(&err) : code;
}

static int close_out(struct session *s, int code)
{
	struct bp_error err;
	bool failed = fflush(s->out) != 0;

	failed = (s->out_is_file && fclose(s->out) != 0) || failed;
	/* After a failure the reason is told already. */
	if (failed && code != CLI_FAILURE) {
		cli_write_failed(errno, out_name(s), &err);
		code = cli_error(&err);
	}
	return code;
}

int session_end(struct session *s, int code)
{
	code = is_held(s) ? write_held(s, code) : close_out(s, code);
	geo_close(s->geo);
	profile_free(s->profile);
	return code;
}
