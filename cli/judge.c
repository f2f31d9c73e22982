// SPDX-License-Identifier: BSD-2-Clause
/*
 * borderpath judge: names and judges recorded traces, by what the profile and the databases say now
 * of the time of the record. The raw record is not rewritten: only names, geo and verdict are new,
 * and where several flows of a target are judged together, their shares. Over a store the
 * judgements are kept there too, beside the old ones.
 */
#include <stdlib.h>

#include "analysis/judge_pass.h"
#include "analysis/report/summary.h"
#include "analysis/report/trace_text.h"
#include "cli/cli.h"
#include "cli/judge_flows.h"
#include "cli/judge_keep.h"
#include "cli/select.h"
#include "core/json.h"

const char judge_usage[] =
"usage: borderpath judge [OPTIONS] [FILE...]\n"
"\n"
"Names and judges recorded traces. FILE is native JSON Lines, RIPE Atlas JSON or a traceroute ('-' is\n"
"stdin); the format is detected, or given by --from. Each trace is judged by what the profile held at\n"
"its own time; a text without a time is judged as of now, and says so.\n"
"\n"
"A FILE may be a campaign's store; without FILE it is the one of --store. Its judgements are kept\n"
"there as well, beside the old ones; a store that takes none is told, and the exit code is 3.\n"
"\n"
SELECT_USAGE
"  --format text|jsonl   for people, or one JSON object a line\n"
"  -o FILE, -v, --quiet  write to FILE; all the evidence; no warnings\n"
"  --color auto|always|never, --profile NAME|FILE, --asn-db FILE, --country-db FILE\n"
"\n"
"Exit: 0 done, 1 failure, 2 usage, 3 records skipped, or judgements not kept.\n";

struct judge_run {
	const struct options *o;
	const struct select *select;
	struct session session;
	struct judge_pass pass;
	struct buf out;
	struct report_summary summary;
	uint64_t traces;
	struct wall judged_at;   /* one moment for the whole run */
	struct judge_flows flows;
	struct judge_keep keep;
	struct select_counts counts;
	uint64_t alone;          /* paths objects without their traces */
};

/* The object as it came, with the new verdict and the shares that go with it. */
static int write_paths(struct buf *out, const struct record *r, const struct paths *joined,
		       const struct verdict *v)
{
	struct buf shares, counts;
	struct json_writer w;
	int rc;

	buf_init(&shares);
	buf_init(&counts);
	json_start(&w, &shares);
	paths_put_shares(&w, NULL, joined);
	json_start(&w, &counts);
	paths_put_counts(&w, NULL, joined);
	rc = shares.failed || counts.failed ? BP_ENOMEM :
	     jsonl_write_members(out, r, v, (const struct jsonl_member[]){
		{"shares", shares.bytes}, {"counts", counts.bytes}}, 2);
	buf_fini(&shares);
	buf_fini(&counts);
	return rc;
}

/* Several flows together, by the verdicts given to each of them now. */
static int judge_paths(struct judge_run *run, const struct record *r)
{
	struct style style = style_of(&run->session);
	const struct profile *p = run->session.profile;
	struct verdict *v = calloc(1, sizeof(*v));
	struct trace *of = trace_new(0);
	struct paths joined;
	int rc = v == NULL || of == NULL ? BP_ENOMEM : 0;

	paths_init(&joined);
	if (rc == 0)
		rc = judge_flows_join(&run->flows, r, of, v, &joined);
	if (rc == BP_ENOTFOUND) {
		run->alone++;
		rc = run->o->format == OUTPUT_JSONL ?
		     jsonl_write_record(&run->out, r, NULL, NULL) : 0;
	} else if (rc == 0 && run->o->format == OUTPUT_JSONL) {
		rc = write_paths(&run->out, r, &joined, v);
	} else if (rc == 0) {
		buf_printf(&run->out, "%s, %u flows together:\n", of->target, joined.flows);
		report_verdict(&run->out, &style, of, v, p);
		buf_char(&run->out, '\n');
		report_evidence(&run->out, &style, v, p, run->o->verbose > 0);
		buf_char(&run->out, '\n');
	}
	paths_fini(&joined);
	free(of);
	free(v);
	return rc;
}

static int judge_record(void *arg, struct record *r, struct bp_error *err)
{
	struct judge_run *run = arg;
	struct style style = style_of(&run->session);
	bool jsonl = run->o->format == OUTPUT_JSONL;
	struct verdict *v;
	int rc = 0;

	buf_clear(&run->out);
	if (r->kind == RECORD_PATHS) {
		rc = judge_paths(run, r);
		return rc < 0 ? bp_fail(err, rc, "out of memory") :
		       session_write(&run->session, run->out.bytes, run->out.used, err);
	}
	if (r->kind != RECORD_TRACE) {
		/* Rounds, events and what a newer version added pass through untouched. */
		if (jsonl)
			rc = jsonl_write_record(&run->out, r, NULL, NULL);
		return rc < 0 ? bp_fail(err, rc, "out of memory") :
		       session_write(&run->session, run->out.bytes, run->out.used, err);
	}
	v = calloc(1, sizeof(*v));
	if (v == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	rc = judge_pass_trace(&run->pass, r->trace, &r->names, wall_now(), v);
	if (rc < 0) {
		bp_fail(err, rc, "out of memory");
		goto out;
	}
	if (run->counts.from_store)
		judge_keep_add(&run->keep, r->trace->id, &r->names, v, run->judged_at);
	else if (!select_wants_verdict(run->select, v))
		goto out;
	run->traces++;
	if (jsonl) {
		rc = jsonl_write_record(&run->out, r, &r->names, v);
	} else {
		report_trace(&run->out, &style, r->trace, &r->names, v, run->session.profile, true,
			     run->o->verbose > 0);
		buf_char(&run->out, '\n');
		report_summary_add(&run->summary, r->trace, v, run->session.profile);
	}
	if (rc == 0)
		rc = session_write(&run->session, run->out.bytes, run->out.used, err);
out:
	if (rc < 0 || r->trace->flow < 0) {
		free(v);
		return rc;
	}
	/* Its flows may be judged together later. */
	if (judge_flows_take(&run->flows, r->trace, v) < 0)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	return 0;
}

static int judge_files(struct judge_run *run, int argc, char **argv)
{
	struct style style = style_of(&run->session);
	struct bp_error err;
	int code, rc = 0;

	for (int i = 0; i < argc && rc == 0; i++) {
		if (select_is_store(argv[i]))
			judge_keep_open(&run->keep, argv[i]);
		rc = select_read(run->select, argv[i], judge_record, run, &run->counts, &err);
		judge_keep_close(&run->keep);
	}
	if (rc < 0)
		return cli_error(&err);
	code = select_exit(&run->counts);
	if (code == CLI_OK && run->keep.lost > 0)
		code = CLI_PARTIAL;
	if (run->alone > 0 && run->o->format == OUTPUT_JSONL && !run->o->quiet)
		cli_say("warning: %llu paths object%s the verdict %s: not all traces of its flows stand "
			"before it", (unsigned long long)run->alone,
			run->alone == 1 ? " keeps" : "s keep",
			run->alone == 1 ? "it came with" : "they came with");
	if (run->o->format == OUTPUT_JSONL || run->traces == 0)
		return code;
	buf_clear(&run->out);
	if (run->traces > 1)
		report_summary(&run->out, &style, &run->summary);
	report_always(&run->out, &style, run->session.profile);
	if (session_write(&run->session, run->out.bytes, run->out.used, &err) < 0)
		return cli_error(&err);
	return code;
}

int cmd_judge(int argc, char **argv)
{
	static const struct option longs[] = {OPTIONS_COMMON, SELECT_OPTIONS, {NULL, 0, NULL, 0}};
	struct options o;
	struct select select = {0};
	struct judge_run run = {.o = &o, .select = &select, .judged_at = wall_now()};
	char **words, *word[1];
	struct bp_error err;
	int opt, rc, count;

	options_init(&o, "judge");
	while ((opt = options_next(&o, argc, argv, OPTIONS_SHORT, longs)) != -1) {
		rc = opt == '?' ? CLI_USAGE + 1 : select_take(&select, &o, opt, optarg);
		if (rc != 0)
			return rc - 1;
	}
	count = argc - optind;
	words = argv + optind;
	rc = select_sources(&select, &o, &count, &words, word);
	if (rc != 0)
		return rc - 1;
	rc = session_open(&o, true, &run.session, &err);
	if (rc < 0)
		return cli_error(&err);
	buf_init(&run.out);
	rc = judge_pass_init(&run.pass, run.session.geo, run.session.profile, JUDGE_PASS_SLOTS);
	rc = rc < 0 ? cli_error((bp_fail(&err, rc, "out of memory"), &err)) :
	     judge_files(&run, count, words);
	judge_pass_fini(&run.pass);
	buf_fini(&run.out);
	report_summary_fini(&run.summary);
	judge_flows_fini(&run.flows);
	return session_end(&run.session, rc);
}
