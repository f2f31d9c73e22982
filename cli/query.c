// SPDX-License-Identifier: BSD-2-Clause
#include "cli/query.h"

#include <inttypes.h>

#include "cli/cli.h"

void query_init(struct query *q, const char *command, int argc, char **argv)
{
	options_init(&q->options, command);
	q->options.html = q->options.whole = true;
	provenance_init(&q->page, argc, argv);
}

void query_fini(struct query *q)
{
	provenance_fini(&q->page);
}

int query_take(struct query *q, int opt, const char *arg)
{
	switch (opt) {
	case OPT_ANNOTATE: q->page.annotate = arg; return 0;
	case OPT_SENSITIVE: q->how.sensitive = true; return 0;
	default: return select_take(&q->select, &q->options, opt, arg);
	}
}

/* Clocks of those who measured and of those who read differ by a little. */
enum { AHEAD_S = 60 };

static void tell_ahead(const struct query *q)
{
	const char *vantage;
	uint64_t n = changes_ahead(q->changes, &vantage);

	if (n > 0 && !q->options.quiet && !q->silent)
		cli_say("left out: %" PRIu64 " traces and rounds that are dated after now, of %s "
			"(a clock is off; --until takes them)", n, vantage);
}

/* The exit code. */
static int read_and_print(struct query *q, int count, char **words)
{
	struct bp_error err;
	int rc = changes_new(&q->how, &q->changes), code;

	if (rc < 0)
		bp_fail(&err, rc, "out of memory");
	for (int i = 0; i < count && rc == 0; i++)
		rc = points_add(changes_points(q->changes), words[i], &err);
	if (rc == 0)
		rc = changes_read(q->changes, &err);
	if (rc < 0)
		return cli_error(&err);
	tell_ahead(q);
	code = select_exit(changes_counts(q->changes));
	if (code == CLI_FAILURE)
		return code;
	return q->print(q->arg, &err) < 0 ? cli_error(&err) : code;
}

int query_run(struct query *q, int count, char **words)
{
	struct bp_error err;
	char *word[1];
	bool named = count > 0;
	int rc = select_sources(&q->select, &q->options, &count, &words, word);

	q->read = q->select;
	if (rc == 0 && q->before != NULL)
		rc = q->before(q->arg);
	if (rc != 0)
		return rc - 1;
	default_window(&q->select, named, q->options.quiet || q->silent);
	q->read.since = q->select.since;
	q->read.until = q->select.until;
	q->page.sources = (const char *const *)words;
	q->page.source_count = (unsigned)count;
	if (q->select.until.ns == 0)
		q->how.horizon.ns = wall_now().ns + AHEAD_S * NS_PER_S;
	q->how.select = &q->read;
	q->how.pass = &q->pass;
	if (session_open(&q->options, true, &q->session, &err) < 0)
		return cli_error(&err);
	if (judge_pass_init(&q->pass, q->session.geo, q->session.profile, JUDGE_PASS_SLOTS) < 0)
		rc = cli_error((bp_fail(&err, BP_ENOMEM, "out of memory"), &err));
	else
		rc = read_and_print(q, count, words);
	changes_free(q->changes);
	judge_pass_fini(&q->pass);
	return session_end(&q->session, rc);
}
