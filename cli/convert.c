// SPDX-License-Identifier: BSD-2-Clause
/*
 * borderpath convert: one record format to another, record by record. Native to native is lossless.
 */
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/select.h"

const char convert_usage[] =
"usage: borderpath convert --to FORMAT [-o OUT] [OPTIONS] [FILE...]\n"
"\n"
"Writes the records of FILE ('-' is stdin) in another format. jsonl, the native one, keeps everything.\n"
"A FILE may be a campaign's store; without FILE it is the one of --store.\n"
"\n"
"  --to FORMAT           jsonl; atlas; csv, csv-hops, csv-rounds: tables (a row a trace, probe, round)\n"
SELECT_USAGE
"                        (--border: by the verdict they carry)\n"
"  -o FILE               write to FILE instead of stdout\n"
"\n"
"Exit: 0 done, 1 failure, 2 usage, 3 records skipped.\n";

enum { OPT_TO = OPT_COMMAND_FIRST };

struct convert_run {
	const struct format *to;
	const struct select *select;
	struct session session;
	struct buf out;
	struct select_counts counts;
	uint64_t left_out; /* records that the format has no place for */
};

static int convert_flush(struct convert_run *run, struct bp_error *err)
{
	int rc = 0;

	if (run->out.failed)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	if (run->out.used > 0)
		rc = session_write(&run->session, run->out.bytes, run->out.used, err);
	buf_clear(&run->out);
	return rc;
}

static int convert_record(void *arg, struct record *r, struct bp_error *err)
{
	struct convert_run *run = arg;
	int rc;

	if (r->kind == RECORD_TRACE && !select_wants_verdict(run->select, &r->verdict))
		return 0;
	rc = run->to->write(&run->out, r, NULL, NULL);
	if (rc == BP_EFOREIGN) {
		run->left_out++;
		return 0;
	}
	if (rc < 0)
		return bp_fail(err, rc, "cannot write a record as %s: %s", run->to->name,
			       bp_strerror(rc));
	return convert_flush(run, err);
}

static int take_to(struct convert_run *run, const char *arg)
{
	run->to = format_find(arg);
	if (run->to == NULL)
		return cli_usage("convert", "--to: no format '%s'", arg) + 1;
	if (run->to->write == NULL)
		return cli_usage("convert", "--to: format '%s' is read, not written", arg) + 1;
	return 0;
}

int cmd_convert(int argc, char **argv)
{
	static const struct option longs[] = {OPTIONS_COMMON, SELECT_OPTIONS,
					      {"to", required_argument, NULL, OPT_TO},
					      {NULL, 0, NULL, 0}};
	struct select select = {0};
	struct convert_run run = {.select = &select};
	char **words, *word[1];
	struct options o;
	struct bp_error err;
	int opt, rc, count;

	options_init(&o, "convert");
	while ((opt = options_next(&o, argc, argv, OPTIONS_SHORT, longs)) != -1) {
		rc = opt == '?' ? CLI_USAGE + 1 : opt == OPT_TO ? take_to(&run, optarg) :
		     select_take(&select, &o, opt, optarg);
		if (rc != 0)
			return rc - 1;
	}
	if (run.to == NULL)
		return cli_usage("convert", "--to FORMAT is needed");
	count = argc - optind;
	words = argv + optind;
	rc = select_sources(&select, &o, &count, &words, word);
	if (rc != 0)
		return rc - 1;
	rc = session_open(&o, false, &run.session, &err);
	if (rc < 0)
		return cli_error(&err);
	buf_init(&run.out);
	if (run.to->begin != NULL)
		run.to->begin(&run.out);
	rc = convert_flush(&run, &err);
	for (int i = 0; rc == 0 && i < count; i++)
		rc = select_read(&select, words[i], convert_record, &run, &run.counts, &err);
	if (rc == 0 && run.to->end != NULL) {
		run.to->end(&run.out);
		rc = convert_flush(&run, &err);
	}
	if (run.left_out > 0)
		cli_say("%llu records left out: %s has no place for their kind",
			(unsigned long long)run.left_out, run.to->name);
	rc = rc < 0 ? cli_error(&err) : select_exit(&run.counts);
	buf_fini(&run.out);
	return session_end(&run.session, rc);
}
