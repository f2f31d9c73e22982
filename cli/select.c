// SPDX-License-Identifier: BSD-2-Clause
/* Selection of records and the loop over files. */
#include "cli/select.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "campaign/store_place.h"
#include "cli/cli.h"
#include "core/jsontree.h"

static int take_time(const struct options *o, const char *option, const char *arg, struct wall *out)
{
	if (wall_parse(arg, wall_now(), out) == 0)
		return 0;
	return cli_usage(o->command, "%s takes a time such as 2026-11-22T10:00:00Z or '2h ago', not "
			 "'%s'", option, arg) + 1;
}

int select_no_format(const struct options *o, const char *option, const char *arg)
{
	struct buf known;
	int rc;

	buf_init(&known);
	for (const struct format *const *f = formats; *f != NULL; f++) {
		if (strcmp(option, "--from") == 0 ? (*f)->read != NULL : (*f)->write != NULL)
			buf_printf(&known, "%s%s", known.used > 0 ? ", " : "", (*f)->name);
	}
	rc = cli_usage(o->command, "%s: no format '%s', expected one of: %s", option, arg,
		       known.failed ? "" : known.bytes);
	buf_fini(&known);
	return rc;
}

int select_take(struct select *s, struct options *o, int opt, const char *arg)
{
	int rc;

	switch (opt) {
	case OPT_SINCE: return take_time(o, "--since", arg, &s->since);
	case OPT_UNTIL: return take_time(o, "--until", arg, &s->until);
	case OPT_SELECT_VANTAGE: s->vantage = arg; return 0;
	case OPT_TARGET: s->target = arg; return 0;
	case OPT_BORDER: s->border = arg; return 0;
	case OPT_SELECT_STORE: s->store = arg; return 0;
	case OPT_CAMPAIGN: s->campaign = arg; return 0;
	case OPT_PREFIX:
		if (prefix_parse(arg, &s->prefix) == 0)
			return 0;
		return cli_usage(o->command, "--prefix takes a prefix such as 175.45.176.0/24, not "
				 "'%s'", arg) + 1;
	case OPT_SELECT_METHOD:
		if (word_value(method_words, arg, &s->method) == 0)
			return 0;
		return cli_usage(o->command, "--method takes icmp, udp or tcp, not '%s'", arg) + 1;
	case OPT_FROM:
		s->from = format_find(arg);
		if (s->from != NULL && s->from->read == NULL)
			return cli_usage(o->command, "--from: format '%s' is written, not read",
					 arg) + 1;
		if (s->from != NULL)
			return 0;
		return select_no_format(o, "--from", arg) + 1;
	default: break;
	}
	rc = options_take(o, opt, arg);
	s->verbose = o->verbose > 0;
	return rc;
}

static bool is_target(const struct trace *t, const char *target)
{
	struct addr a;

	return strcmp(t->target, target) == 0 ||
	       (addr_parse(target, &a) == 0 && addr_equal(a, t->dst));
}

static bool select_wants_trace(const struct select *s, const struct trace *t)
{
	/* A record without a time cannot be said to lie inside a window. */
	if ((s->since.ns || s->until.ns) && t->start.ns == 0)
		return false;
	if (s->since.ns && t->start.ns < s->since.ns)
		return false;
	if (s->until.ns && t->start.ns >= s->until.ns)
		return false;
	if (s->vantage != NULL && strcmp(s->vantage, t->vantage) != 0)
		return false;
	if (s->target != NULL && !is_target(t, s->target))
		return false;
	if (s->campaign != NULL && strcmp(s->campaign, t->campaign) != 0)
		return false;
	if (addr_is_set(s->prefix.addr) && !prefix_has(s->prefix, t->dst))
		return false;
	return s->method == METHOD_UNKNOWN || s->method == t->method;
}

bool select_wants_verdict(const struct select *s, const struct verdict *v)
{
	if (s->border == NULL)
		return true;
	return v->judged && strcmp(s->border, v->outcome == OUTCOME_BORDER ? v->border :
				   word_of(outcome_words, v->outcome)) == 0;
}

static const char *member(const struct json_node *object, const char *key)
{
	return node_text(node_get(object, key));
}

/* Within --since and --until; true when the object tells no time. */
static bool object_in_time(const struct select *s, const struct json_node *object)
{
	/* A round that never began has the moment it was planned for. */
	static const char *const keys[] = {"start", "planned", "at"};
	const char *text = NULL;
	struct wall t;

	for (size_t i = 0; text == NULL && i < sizeof(keys) / sizeof(keys[0]); i++)
		text = member(object, keys[i]);

	if (text == NULL || wall_parse(text, wall_now(), &t) < 0)
		return true;
	return (s->since.ns == 0 || t.ns >= s->since.ns) &&
	       (s->until.ns == 0 || t.ns < s->until.ns);
}

static bool object_is_target(const struct select *s, const char *target, const char *dst)
{
	struct addr a, b;

	if (s->target == NULL || (target == NULL && dst == NULL))
		return true;
	if (target != NULL && strcmp(target, s->target) == 0)
		return true;
	return dst != NULL && addr_parse(dst, &a) == 0 && addr_parse(s->target, &b) == 0 &&
	       addr_equal(a, b);
}

/* A record that is no trace (paths, a round, an event): judged by the members it has, as a trace
 * would be; a member that it does not have excludes nothing. */
static bool select_wants_object(const struct select *s, const struct json_node *object)
{
	const char *vantage = member(object, "vantage"), *method = member(object, "method");
	const char *dst = member(object, "dst"), *campaign = member(object, "campaign");
	const struct json_node *verdict = node_get(object, "verdict");
	const char *outcome = member(verdict, "outcome"), *border = member(verdict, "border");
	struct addr a;

	if (!object_in_time(s, object) || !object_is_target(s, member(object, "target"), dst))
		return false;
	if (s->vantage != NULL && vantage != NULL && strcmp(s->vantage, vantage) != 0)
		return false;
	if (s->campaign != NULL && campaign != NULL && strcmp(s->campaign, campaign) != 0)
		return false;
	if (addr_is_set(s->prefix.addr) && dst != NULL && addr_parse(dst, &a) == 0 &&
	    !prefix_has(s->prefix, a))
		return false;
	if (s->method != METHOD_UNKNOWN && method != NULL &&
	    strcmp(method, word_of(method_words, s->method)) != 0)
		return false;
	return s->border == NULL || outcome == NULL ||
	       strcmp(s->border, border != NULL ? border : outcome) == 0;
}

/* A trace by all but --border (which needs a verdict), any other object by what it tells of itself,
 * --border too. */
static bool wants(const struct select *s, const struct record *r)
{
	return r->kind == RECORD_TRACE ? select_wants_trace(s, r->trace) :
	       select_wants_object(s, r->dom);
}

/* --- what is skipped -------------------------------------------------------------------------- */

struct skipping { const struct select *select; struct select_counts *counts; };

static bool is_told(const struct select *s, struct select_counts *counts)
{
	return !s->silent && (counts->told++ < SELECT_TOLD || s->verbose);
}

static void tell_skip(void *arg, const struct bp_error *err)
{
	const struct skipping *skipping = arg;

	if (is_told(skipping->select, skipping->counts))
		cli_say("skipped: %s", err->text);
}

void select_skip(const struct select *s, struct select_counts *counts, const char *what)
{
	const struct record_reader *reader = counts->reader;

	counts->skipped++;
	if (!is_told(s, counts))
		return;
	if (reader != NULL)
		cli_say("skipped: %s:%llu: %s", reader->name, (unsigned long long)reader->line,
			what);
	else
		cli_say("skipped: of the store: %s", what);
}

/* Many lines of them may have scrolled away, or were not told. */
static void sum_up(const struct select *s, const struct select_counts *counts, const char *path,
		   uint64_t skipped, uint64_t read)
{
	if (skipped > 1 && !s->silent)
		cli_say("%s: %llu records skipped, %llu read%s", path, (unsigned long long)skipped,
			(unsigned long long)read, counts->told > SELECT_TOLD && !s->verbose ?
			"; -v tells of each" : "");
}

/* --- stores ----------------------------------------------------------------------------------- */

bool select_is_store(const char *word)
{
	return word[0] == '\0' || (strcmp(word, "-") != 0 && store_is(word));
}

struct store_select select_of_store(const struct select *s)
{
	return (struct store_select){
		.since = s->since, .until = s->until, .vantage = s->vantage, .target = s->target,
		.border = s->border, .campaign = s->campaign, .prefix = s->prefix,
		.method = (uint8_t)s->method,
	};
}

static int file_of(const char *word, struct stat *out)
{
	char path[PATH_MAX];
	struct bp_error err;

	if (strcmp(word, "-") == 0)
		return fstat(STDIN_FILENO, out);
	return store_place(word, path, &err) < 0 ? -1 : stat(path, out);
}

/* The output is opened, and so emptied, before anything is read. */
static int refuse_overwritten(const struct options *o, int count, char **words)
{
	struct stat out, in;

	if (o->out_path == NULL || stat(o->out_path, &out) < 0 || !S_ISREG(out.st_mode))
		return 0;
	for (int i = 0; i < count; i++) {
		if (file_of(words[i], &in) == 0 && in.st_dev == out.st_dev &&
		    in.st_ino == out.st_ino)
			return cli_usage(o->command, "-o %s: this file is read, and would be "
					 "emptied first", o->out_path) + 1;
	}
	return 0;
}

int select_sources(const struct select *s, const struct options *o, int *count, char ***words,
		   char *word[static 1])
{
	union { const char *in; char *out; } named = {.in = s->store != NULL ? s->store : ""};
	struct store *store = NULL;
	struct bp_error err;
	int rc;

	if (*count > 0 && s->store != NULL)
		return cli_usage(o->command, "--store is read where no FILE is named; a FILE may "
				 "be a store") + 1;
	if (*count > 0)
		return refuse_overwritten(o, *count, *words);
	rc = store_open(s->store, STORE_READ, &store, &err);
	store_close(store);
	if (rc == BP_ENOTFOUND && s->store == NULL)
		return cli_usage(o->command, "name the files of records ('-' for stdin); without "
				 "one the default store is read, and %s (borderpath campaign makes "
				 "it)", err.text) + 1;
	if (rc < 0)
		return cli_error(&err) + 1;
	word[0] = named.out;
	*words = word;
	*count = 1;
	return refuse_overwritten(o, 1, word);
}

struct reading {
	const struct select *select;
	int (*on_record)(void *arg, struct record *r, struct bp_error *err);
	void *arg;
	struct select_counts *counts;
	int taken;
};

static int take_stored(void *arg, struct record *r, struct bp_error *err)
{
	struct reading *reading = arg;

	/* The store selects traces and rounds itself; of what comes with a round it knows no more
	 * than the round. */
	if (r->kind != RECORD_TRACE && r->kind != RECORD_ROUND &&
	    !select_wants_object(reading->select, r->dom))
		return 0;
	reading->counts->read++;
	reading->taken = reading->on_record(reading->arg, r, err);
	return reading->taken;
}

static int read_store(const struct select *s, const char *url, struct reading *reading,
		      struct bp_error *err)
{
	struct store_select select = select_of_store(s);
	uint64_t skipped = reading->counts->skipped, read = reading->counts->read;
	char shown[STORE_SHOWN_TEXT];
	struct store *store = NULL;
	int rc = store_open(url, STORE_READ, &store, err);

	reading->counts->told = 0;
	reading->counts->from_store = true;
	if (rc == 0)
		rc = store_read(store, &select, take_stored, reading, err);
	reading->counts->from_store = false;
	store_close(store);
	sum_up(s, reading->counts, url[0] != '\0' ? store_shown(url, shown) : "the default store",
	       reading->counts->skipped - skipped, reading->counts->read - read);
	if (reading->taken < 0)
		return reading->taken;
	if (rc < 0) {
		if (!s->silent)
			cli_say("%s", err->text);
		reading->counts->files_failed++;
	} else {
		reading->counts->stores++;
	}
	return 0;
}

/* --- files ------------------------------------------------------------------------------------ */

int select_read(const struct select *s, const char *path,
		int (*on_record)(void *arg, struct record *r, struct bp_error *err), void *arg,
		struct select_counts *counts, struct bp_error *err)
{
	struct skipping skipping = {s, counts};
	bool is_stdin = strcmp(path, "-") == 0;
	uint64_t skipped = counts->skipped;
	struct record_reader reader;
	struct record r;
	int rc = 0, taken = 0;
	FILE *f;

	if (select_is_store(path))
		return read_store(s, path, &(struct reading){s, on_record, arg, counts, 0}, err);
	f = is_stdin ? stdin : fopen(s->copy != NULL ? s->copy : path, "re");
	if (f == NULL) {
		if (!s->silent)
			cli_say("cannot read %s: %s", path, strerror(errno));
		counts->files_failed++;
		return 0;
	}
	record_reader_init(&reader, f, path, s->from);
	counts->reader = &reader;
	counts->told = 0;
	reader.on_skip = tell_skip;
	reader.on_skip_arg = &skipping;
	record_init(&r);
	while (taken == 0 && (rc = record_read(&reader, &r, err)) == 0) {
		if (wants(s, &r))
			taken = on_record(arg, &r, err);
		record_fini(&r);
		record_init(&r);
	}
	record_fini(&r);
	counts->read += reader.read;
	counts->skipped += reader.skipped;
	sum_up(s, counts, path, counts->skipped - skipped, reader.read);
	counts->reader = NULL;
	record_reader_fini(&reader);
	if (!is_stdin)
		fclose(f);
	if (taken < 0)
		return taken;
	if (rc != BP_EOF) {
		if (!s->silent)
			cli_say("%s", err->text);
		counts->files_failed++;
	}
	return 0;
}

int select_exit(const struct select_counts *counts)
{
	if (counts->read == 0 && counts->stores == 0 && counts->skipped == 0)
		return CLI_FAILURE;
	return counts->skipped > 0 || counts->files_failed > 0 ? CLI_PARTIAL : CLI_OK;
}
