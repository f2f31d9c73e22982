// SPDX-License-Identifier: BSD-2-Clause
/*
 * borderpath convert: one record format to another, record by record. Native to native is lossless.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/convert_store.h"
#include "cli/select.h"
#include "core/record/redact.h"

const char convert_usage[] =
	"usage: borderpath convert --to FORMAT [-o OUT] [OPTIONS] [FILE...]\n"
	"\n"
	"Writes the records of FILE ('-' is stdin) in another format. jsonl, the native one, keeps "
	"everything.\n"
	"A FILE may be a campaign's store; without FILE it is the one of --store.\n"
	"\n"
	"  --to FORMAT           jsonl; atlas; scamper; csv, csv-hops, csv-rounds: tables (a row a "
	"trace,\n"
	"                        probe, round); store: into the store -o names (sqlite:FILE or\n"
	"                        postgresql://...), made where it is not there; nothing comes "
	"twice\n"
	"  --redact WHAT         take out, before records are published: src (the vantage point's "
	"addresses,\n"
	"                        interface and place), first-hops (who answered before the first "
	"network that\n"
	"                        is not its own), first-hops=N (who answered at the first N TTLs); "
	"joined by\n"
	"                        commas. Everything is read twice\n" SELECT_USAGE
	"                        (--border: by the verdict they carry)\n"
	"  -o FILE               write to FILE instead of stdout\n"
	"\n"
	"Exit: 0 done, 1 failure, 2 usage, 3 records skipped.\n";

enum { OPT_TO = OPT_COMMAND_FIRST, OPT_REDACT };

struct convert_run {
	const struct format *to; /* NULL: a store */
	struct convert_store store;
	const struct select *select;
	struct redact redact;
	/* Of files that cannot be read twice; file NULL: it can. NULL: read once. */
	struct copy {
		FILE *file;
		char path[32];
	} *copies;
	unsigned file_count;
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

static bool redacts(const struct convert_run *run)
{
	return run->redact.src || run->redact.first_hops;
}

static int learn_record(void *arg, struct record *r, struct bp_error *err)
{
	struct convert_run *run = arg;

	return redact_learn(&run->redact, r, err);
}

/* What can be read once only goes into a file without a name first. */
static int keep_copy(FILE *from, const char *name, FILE **out, struct bp_error *err)
{
	FILE *kept = tmpfile();
	char bytes[65536];
	size_t n;

	if (kept == NULL)
		return bp_fail_sys(err, errno, "cannot keep a copy of %s", name);
	while ((n = fread(bytes, 1, sizeof(bytes), from)) > 0 &&
	       fwrite(bytes, 1, n, kept) == n)
		;
	if (ferror(from) || ferror(kept) || fflush(kept) != 0) {
		bp_fail_sys(err, errno, "cannot keep a copy of %s", name);
		fclose(kept);
		return err->code;
	}
	*out = kept;
	return 0;
}

/* stdin from its beginning. */
static int rewind_stdin(bool first, struct bp_error *err)
{
	FILE *kept;
	int rc;

	if (lseek(STDIN_FILENO, 0, SEEK_CUR) < 0 && first) {
		rc = keep_copy(stdin, "stdin", &kept, err);
		if (rc < 0)
			return rc;
		clearerr(stdin);
		rc = dup2(fileno(kept), STDIN_FILENO);
		fclose(kept);
		if (rc < 0)
			return bp_fail_sys(err, errno, "cannot keep a copy of stdin");
	}
	if (lseek(STDIN_FILENO, 0, SEEK_SET) < 0)
		return bp_fail_sys(err, errno, "stdin");
	return 0;
}

/* A named pipe, or the one behind <(command). */
static int copy_pipe(struct convert_run *run, unsigned i, const char *path, struct bp_error *err)
{
	struct stat st;
	FILE *f;
	int rc;

	if (strcmp(path, "-") == 0 || stat(path, &st) < 0 || !S_ISFIFO(st.st_mode))
		return 0;
	f = fopen(path, "re");
	if (f == NULL)
		return bp_fail_sys(err, errno, "cannot read %s", path);
	rc = keep_copy(f, path, &run->copies[i].file, err);
	fclose(f);
	if (rc == 0)
		snprintf(run->copies[i].path, sizeof(run->copies[i].path), "/proc/self/fd/%d",
			 fileno(run->copies[i].file));
	return rc;
}

static int read_file(struct convert_run *run, struct select *select, unsigned i, const char *path,
		     int (*on_record)(void *arg, struct record *r, struct bp_error *err),
		     struct select_counts *counts, struct bp_error *err)
{
	select->copy = run->copies != NULL && run->copies[i].file != NULL ? run->copies[i].path :
		       NULL;
	return select_read(select, path, on_record, run, counts, err);
}

/* All files once; nothing is written, nothing told. */
static int learn_files(struct convert_run *run, char **files, int count, struct bp_error *err)
{
	struct select select = *run->select;
	struct select_counts counts = {0};
	int rc = 0;

	run->copies = calloc((size_t)count, sizeof(*run->copies));
	if (run->copies == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	run->file_count = (unsigned)count;
	select.silent = true;
	for (unsigned i = 0; rc == 0 && i < run->file_count; i++) {
		bool is_stdin = strcmp(files[i], "-") == 0;

		rc = is_stdin ? rewind_stdin(true, err) : copy_pipe(run, i, files[i], err);
		if (rc == 0)
			rc = read_file(run, &select, i, files[i], learn_record, &counts, err);
		if (rc == 0 && is_stdin)
			rc = rewind_stdin(false, err);
	}
	return rc;
}

static int convert_record(void *arg, struct record *r, struct bp_error *err)
{
	struct convert_run *run = arg;
	int rc;

	if (r->kind == RECORD_TRACE && !select_wants_verdict(run->select, &r->verdict))
		return 0;
	/* A store that is measured into has more to say than it had at first. */
	rc = redacts(run) ? redact_learn(&run->redact, r, err) : 0;
	if (rc == 0 && redacts(run))
		rc = redact_apply(&run->redact, r, err);
	if (rc == BP_EPARSE) {
		select_skip(run->select, &run->counts, "a record that cannot be redacted");
		return 0;
	}
	if (rc < 0)
		return rc;
	rc = run->to == NULL ? convert_store_add(&run->store, r, err)
			     : run->to->write(&run->out, r, NULL, NULL);
	if (rc == BP_EFOREIGN) {
		run->left_out++;
		return 0;
	}
	if (rc == BP_EPARSE) {
		select_skip(run->select, &run->counts, "a record that is not what its type says");
		return 0;
	}
	if (rc < 0 && run->to == NULL)
		return rc;
	if (rc < 0)
		return bp_fail(err, rc, "cannot write a record as %s: %s", run->to->name,
			       bp_strerror(rc));
	return convert_flush(run, err);
}

static int take_to(struct convert_run *run, const struct options *o, const char *arg, bool *store)
{
	*store = strcmp(arg, "store") == 0;
	run->to = NULL;
	if (*store)
		return 0;
	run->to = format_find(arg);
	if (run->to == NULL)
		return select_no_format(o, "--to", arg) + 1;
	if (run->to->write == NULL)
		return cli_usage("convert", "--to: format '%s' is read, not written", arg) + 1;
	return 0;
}

static int take_redact(struct convert_run *run, const char *arg)
{
	struct bp_error err;

	if (redact_parse(&run->redact, arg, &err) < 0)
		return cli_usage("convert", "--redact %s", err.text) + 1;
	return 0;
}

/* Opens what is written. */
static int open_to(struct convert_run *run, struct options *o, struct bp_error *err)
{
	const char *name = o->out_path;
	int rc;

	/* The session writes files alone. */
	if (run->to == NULL)
		o->out_path = NULL;
	rc = session_open(o, false, &run->session, err);
	return rc < 0 || run->to != NULL ? rc : convert_store_open(&run->store, name, err);
}

static int write_all(struct convert_run *run, struct select *select, char **words, int count,
		     struct bp_error *err)
{
	int rc;

	if (run->to != NULL && run->to->begin != NULL)
		run->to->begin(&run->out);
	rc = convert_flush(run, err);
	for (int i = 0; rc == 0 && i < count; i++)
		rc = read_file(run, select, (unsigned)i, words[i], convert_record, &run->counts,
			       err);
	if (rc == 0 && run->to != NULL && run->to->end != NULL) {
		run->to->end(&run->out);
		rc = convert_flush(run, err);
	}
	return rc;
}

int cmd_convert(int argc, char **argv)
{
	static const struct option longs[] = {OPTIONS_COMMON, SELECT_OPTIONS,
					      {"to", required_argument, NULL, OPT_TO},
					      {"redact", required_argument, NULL, OPT_REDACT},
					      {NULL, 0, NULL, 0}};
	struct select select = {0};
	struct convert_run run = {.select = &select};
	char **words, *word[1];
	struct options o;
	struct bp_error err;
	bool store = false;
	int opt, rc, count;

	options_init(&o, "convert");
	while ((opt = options_next(&o, argc, argv, OPTIONS_SHORT, longs)) != -1) {
		rc = opt == '?'		 ? CLI_USAGE + 1
		     : opt == OPT_TO	 ? take_to(&run, &o, optarg, &store)
		     : opt == OPT_REDACT ? take_redact(&run, optarg)
					 : select_take(&select, &o, opt, optarg);
		if (rc != 0)
			return rc - 1;
	}
	if (run.to == NULL && !store)
		return cli_usage("convert", "--to FORMAT is needed");
	if (store && (o.out_path == NULL || strcmp(o.out_path, "-") == 0))
		return cli_usage("convert", "--to store: -o names the store: sqlite:FILE or "
					    "postgresql://...");
	count = argc - optind;
	words = argv + optind;
	rc = select_sources(&select, &o, &count, &words, word);
	if (rc != 0)
		return rc - 1;
	rc = open_to(&run, &o, &err);
	if (rc < 0)
		return cli_error(&err);
	buf_init(&run.out);
	if (redacts(&run))
		rc = learn_files(&run, words, count, &err);
	if (rc == 0)
		rc = write_all(&run, &select, words, count, &err);
	if (store) {
		struct bp_error late;
		int closed = convert_store_close(&run.store, rc < 0, &late);

		if (rc == 0 && closed < 0) {
			rc = closed;
			err = late;
		}
	}
	if (rc == 0 && run.left_out > 0 && !o.quiet)
		cli_say("left out, since %s has no place for their kind: %llu of the records",
			store ? "a store" : run.to->name, (unsigned long long)run.left_out);
	rc = rc < 0 ? cli_error(&err) : select_exit(&run.counts);
	for (unsigned i = 0; i < run.file_count; i++) {
		if (run.copies[i].file != NULL)
			fclose(run.copies[i].file);
	}
	free(run.copies);
	redact_fini(&run.redact);
	buf_fini(&run.out);
	return session_end(&run.session, rc);
}
