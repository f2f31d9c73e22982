// SPDX-License-Identifier: BSD-2-Clause
/*
 * Epochs of the outbox. Batches are counted once for ever by their place in this file; an epoch
 * begins behind one of these places, and its seq counts from there. What a process cuts is of an
 * epoch that this process began: an outbox or a spool that was deleted, restored from a backup or
 * copied to another machine never gives a seq anew that the centre may have.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "campaign/fleet/cut_inside.h"
#include "core/text.h"

static int keep(struct cut *c, const char *name, uint64_t base, struct bp_error *err)
{
	struct cut_epoch *more;

	more = reallocarray(c->epochs, c->epoch_count + 1, sizeof(*more));
	if (more == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	c->epochs = more;
	more = &c->epochs[c->epoch_count++];
	text_set(more->name, sizeof(more->name), name);
	more->base = base;
	return 0;
}

int cut_epochs_read(struct cut *c, struct bp_error *err)
{
	sqlite3_stmt *st = NULL;
	int rc = cut_prepare(c, "SELECT name, base FROM epoch ORDER BY base", &st, err);

	c->epoch_count = 0;
	while (rc == 0 && (rc = cut_step(c, st, err)) == 1)
		rc = keep(c, (const char *)sqlite3_column_text(st, 0),
			  (uint64_t)sqlite3_column_int64(st, 1), err);
	sqlite3_finalize(st);
	return rc;
}

int cut_epoch_begin(struct cut *c, struct bp_error *err)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	sqlite3_stmt *st = NULL;
	char name[9] = "";
	int rc = cut_prepare(c, "INSERT INTO epoch(base, name) VALUES(?1, ?2)", &st, err);

	for (unsigned i = 0; i < 8; i++)
		name[i] = letters[randombytes_uniform(sizeof(letters) - 1)];
	if (rc == 0) {
		sqlite3_bind_int64(st, 1, (int64_t)c->state.cut);
		sqlite3_bind_text(st, 2, name, -1, SQLITE_STATIC);
		rc = cut_step(c, st, err);
	}
	sqlite3_finalize(st);
	return rc == 0 ? keep(c, name, c->state.cut, err) : rc;
}

const struct cut_epoch *cut_epoch_of(const struct cut *c, uint64_t place)
{
	unsigned i = c->epoch_count;

	while (i > 0 && c->epochs[i - 1].base >= place)
		i--;
	return i > 0 ? &c->epochs[i - 1] : NULL;
}

const struct cut_epoch *cut_epoch_first(const struct cut *c, bool *last)
{
	unsigned i = 0;

	while (i + 1 < c->epoch_count && c->epochs[i + 1].base <= c->state.confirmed)
		i++;
	*last = i + 1 >= c->epoch_count;
	return c->epoch_count > 0 ? &c->epochs[i] : NULL;
}

void cut_epoch_state(const struct cut *c, struct cut_state *out)
{
	bool last;
	const struct cut_epoch *e = cut_epoch_first(c, &last);

	out->epoch[0] = '\0';
	out->epoch_cut = out->epoch_confirmed = 0;
	if (e == NULL)
		return;
	text_set(out->epoch, sizeof(out->epoch), e->name);
	out->epoch_cut = (last ? out->cut : e[1].base) - e->base;
	out->epoch_confirmed = out->confirmed > e->base ? out->confirmed - e->base : 0;
}
