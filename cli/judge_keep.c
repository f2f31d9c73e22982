// SPDX-License-Identifier: BSD-2-Clause
/* Judgements by the batch; a batch that fails is lost whole, and told. */
#include "cli/judge_keep.h"

#include <inttypes.h>

#include "cli/cli.h"

/* What stands in the transaction is gone with it. */
static void give_up(struct judge_keep *k, const struct bp_error *err)
{
	cli_say("%s: judged, but the judgements are not kept", err->text);
	if (k->waiting > 0)
		store_undo(k->store);
	k->lost += k->waiting;
	k->waiting = 0;
	store_close(k->store);
	k->store = NULL;
}

void judge_keep_open(struct judge_keep *k, const char *url)
{
	struct bp_error err;

	int rc = store_open(url, STORE_READ, &k->store, &err);

	if (rc == 0)
		store_close(k->store);
	k->store = NULL;
	k->waiting = 0;
	/* Who reads it tells so; none is to be made here. */
	if (rc == BP_ENOTFOUND || rc == BP_EPARSE)
		return;
	if (store_open(url, STORE_WRITE, &k->store, &err) < 0) {
		k->store = NULL;
		give_up(k, &err);
	}
}

static int commit(struct judge_keep *k, struct bp_error *err)
{
	int rc = k->waiting > 0 ? store_commit(k->store, err) : 0;

	if (rc == 0) {
		k->kept += k->waiting;
		k->waiting = 0;
	}
	return rc;
}

void judge_keep_add(struct judge_keep *k, const char *trace_id, const struct names *names,
		    const struct verdict *v, struct wall judged_at)
{
	struct bp_error err;
	int rc = 0;

	if (k->store == NULL) {
		k->lost++;
		return;
	}
	if (k->waiting == 0)
		rc = store_begin(k->store, &err);
	if (rc == 0) {
		k->waiting++;
		rc = store_add_judgement(k->store, trace_id, names, v, judged_at, &err);
	}
	if (rc == 0 && k->waiting == JUDGE_KEEP_BATCH)
		rc = commit(k, &err);
	if (rc < 0) {
		/* This one is among them, unless there was no beginning. */
		k->lost += k->waiting == 0;
		give_up(k, &err);
	}
}

void judge_keep_close(struct judge_keep *k)
{
	struct bp_error err;

	if (k->store == NULL)
		return;
	if (commit(k, &err) < 0) {
		give_up(k, &err);
		return;
	}
	store_close(k->store);
	k->store = NULL;
}
