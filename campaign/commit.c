// SPDX-License-Identifier: BSD-2-Clause
/* A round's records, one by one, and the round behind them. */
#include "campaign/commit.h"

struct moving {
	struct store *store;
	const struct round *round;
	void (*breathe)(void *arg);
	void *arg;
	struct wall at;      /* of the trace before: an object has no time of its own */
	bool refused;        /* by the store, not by the journal */
};

static int on_record(void *arg, struct record *rec, struct bp_error *err)
{
	struct moving *m = arg;
	const struct round *r = m->round;
	int rc = 0;

	if (m->breathe != NULL)
		m->breathe(m->arg);
	if (rec->kind == RECORD_TRACE) {
		m->at = rec->trace->start;
		rc = store_add_trace(m->store, rec->trace, &rec->names, &rec->verdict, err);
	} else if (rec->line != NULL) {
		rc = store_add_object(m->store, rec->kind, m->at, r->vantage, r->campaign, r->id,
				      rec->line, rec->line_size, err);
	}
	m->refused = rc < 0;
	return rc;
}

int commit_round(struct store *s, struct spool *from, const struct round *r,
		 void (*breathe)(void *arg), void *arg, struct commit_end *end,
		 struct bp_error *err)
{
	struct moving m = {.store = s, .round = r, .breathe = breathe, .arg = arg,
			   .at = r->planned};
	int rc = store_begin(s, err);

	*end = (struct commit_end){.again = spool_is_again(from, r)};
	if (rc < 0)
		return rc;
	rc = spool_read(from, r, on_record, &m, err);
	if (rc == 0)
		rc = store_add_round(s, r, &end->already, err);
	if (rc == 0)
		rc = store_commit(s, err);
	if (rc < 0) {
		store_undo(s);
		end->content = m.refused && (rc == BP_EINVAL || rc == BP_ERANGE);
		return rc;
	}
	spool_taken(from, r);
	return 0;
}
