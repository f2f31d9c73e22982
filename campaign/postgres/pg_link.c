// SPDX-License-Identifier: BSD-2-Clause
/*
 * The connection: made, asked, found lost. What the server says is told in one line with the name
 * of the store in front. No password is in either: the name has none, and libpq, which says in full
 * what it cannot parse, is only given what it can.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "campaign/postgres/pg.h"
#include "campaign/store_place.h"

int pg_no_memory(struct bp_error *err)
{
	return bp_fail(err, BP_ENOMEM, "out of memory");
}

int pg_damaged(const struct pg_store *s, const char *what, int64_t id, struct bp_error *err)
{
	return bp_fail(err, BP_EPARSE, "%s: damaged (%s %lld)", s->shown, what, (long long)id);
}

/* --- errors ----------------------------------------------------------------------------------- */

/* SQLSTATEs, or the two characters of their class: PostgreSQL 15 documentation, appendix A. */
static const struct {
	const char *state;
	int code, sys;
	const char *also; /* NULL: what the server says is enough */
} states[] = {
	{"22", BP_EINVAL, 0, NULL}, /* a value that the server does not take, now or later */
	{"54", BP_EINVAL, 0, NULL}, /* too large for an index, too many of something: it stays so */
	{"53100", BP_EIO, ENOSPC, NULL},
	{"53200", BP_ENOMEM, 0, NULL},
	{"53", BP_EAGAIN, 0, NULL},
	{"57014", BP_EAGAIN, 0, NULL},
	{"57P", BP_EAGAIN, 0, NULL},
	{"55P03", BP_EAGAIN, 0, "somebody else is writing"},
	{"55", BP_EAGAIN, 0, NULL},
	{"40P01", BP_EAGAIN, EDEADLK, NULL},
	{"40", BP_EAGAIN, 0, NULL},
	{"08", BP_EAGAIN, 0, NULL},
	/* No partition for a row: its day was dropped since it was made. */
	{"23514", BP_EAGAIN, 0, NULL},
	{"25006", BP_EPERM, 0, NULL},
	{"42501", BP_EPERM, 0, NULL},
	{"28", BP_EPERM, 0, NULL},
	{"3D", BP_ENOTFOUND, 0, NULL},
	{"42P07", BP_EPARSE, 0,
	 "tables of another program: a store wants a database, or a schema, "
	 "of its own"},
	{"42P01", BP_EPARSE, 0, "no store, or damaged"},
	{"42703", BP_EPARSE, 0, "no store, or damaged"},
	{"XX", BP_EPARSE, 0, NULL},
	{"58030", BP_EIO, 0, NULL},
	{NULL, BP_EIO, 0, NULL},
};

/* Many lines as one: each but the first behind "; ". */
static void one_line(const char *text, char *out, size_t size)
{
	static const char hint[] = "\tIs the server running";
	size_t used = 0;
	bool gap = false;

	for (; *text != '\0' && used + 3 < size; text++) {
		/* libpq asks its reader back. */
		if (*text == '\t' && strncmp(text, hint, sizeof(hint) - 1) == 0)
			text += strcspn(text, "\n");
		if (*text == '\0')
			break;
		if (*text == '\n' || *text == '\t') {
			gap = true;
			continue;
		}
		if (gap && used > 0) {
			out[used++] = *text == ' ' ? ' ' : ';';
			if (*text != ' ')
				out[used++] = ' ';
		}
		gap = false;
		out[used++] = (unsigned char)*text < ' ' ? ' ' : *text;
	}
	while (used > 0 && out[used - 1] == ' ')
		used--;
	out[used] = '\0';
}

/* Without a result there is no SQLSTATE, only words, and these in the server's language. */
static int connecting_failed(struct pg_store *s, struct bp_error *err)
{
	char text[400];
	bool asked = s->link != NULL &&
		     (PQconnectionNeedsPassword(s->link) || PQconnectionUsedPassword(s->link));
	int code = BP_EAGAIN;

	one_line(s->link != NULL ? PQerrorMessage(s->link) : "out of memory", text, sizeof(text));
	if (asked || strstr(text, "pg_hba.conf") || strstr(text, "authentication failed"))
		code = BP_EPERM;
	else if (strstr(text, "database \"") && strstr(text, "does not exist"))
		code = BP_ENOTFOUND;
	else if (strstr(text, "role \"") && strstr(text, "does not exist"))
		code = BP_EPERM;
	else if (strstr(text, "invalid") && !strstr(text, "server"))
		code = BP_EINVAL;
	return bp_fail(err, code, "%s: %s", s->shown, text);
}

void pg_lose(struct pg_store *s)
{
	PQfinish(s->link);
	s->link = NULL;
}

static int lost(const struct pg_store *s, struct bp_error *err)
{
	return bp_fail(err, BP_EAGAIN, "%s: the connection is lost", s->shown);
}

int pg_fail(struct pg_store *s, const PGresult *res, struct bp_error *err)
{
	const char *state = res != NULL ? PQresultErrorField(res, PG_DIAG_SQLSTATE) : NULL;
	const char *said = res != NULL ? PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY) : NULL;
	unsigned i = 0;
	char text[400];

	if (s->link == NULL)
		return lost(s, err);
	if (PQstatus(s->link) != CONNECTION_OK) {
		one_line(PQerrorMessage(s->link), text, sizeof(text));
		pg_lose(s);
		return bp_fail(err, BP_EAGAIN, "%s: the connection is lost: %s", s->shown, text);
	}
	one_line(said != NULL ? said : PQerrorMessage(s->link), text, sizeof(text));
	while (states[i].state != NULL &&
	       (state == NULL || strncmp(state, states[i].state, strlen(states[i].state)) != 0))
		i++;
	bp_fail(err, states[i].code, "%s: %s%s%s", s->shown, text,
		states[i].also != NULL ? ": " : "", states[i].also != NULL ? states[i].also : "");
	if (err != NULL)
		err->sys = states[i].sys;
	return states[i].code;
}

/* --- statements ------------------------------------------------------------------------------- */

/* "relation exists, skipping" is no news. */
static void be_quiet(void *arg, const char *text)
{
	(void)arg;
	(void)text;
}

/* What libpq cannot parse it says in full, with the password in it. */
static int check_url(const struct pg_store *s, struct bp_error *err)
{
	PQconninfoOption *options;

	if (!store_url_is_clear(s->url) || (strncmp(s->url, "postgres://", 11) != 0 &&
					    strncmp(s->url, "postgresql://", 13) != 0))
		return bp_fail(err, BP_EINVAL,
			       "%s: the URL is not understood; in a user, a password and a "
			       "database, / is %%2F, : %%3A, ? %%3F, @ %%40, %% %%25",
			       s->shown);
	options = PQconninfoParse(s->url, NULL);
	if (options == NULL)
		return bp_fail(err, BP_EINVAL,
			       "%s: the URL is not understood (percent-encode the password, and "
			       "look at what stands behind '?')",
			       s->shown);
	PQconninfoFree(options);
	return 0;
}

int pg_connect(struct pg_store *s, struct bp_error *err)
{
	/* What the URL says comes later, and wins. */
	static const char *const names[] = {"connect_timeout",
					    "keepalives_idle",
					    "keepalives_interval",
					    "tcp_user_timeout",
					    "dbname",
					    "fallback_application_name",
					    "client_encoding",
					    NULL};
	const char *const values[] = {"10",   "30",	    "10",   "60000",
				      s->url, "borderpath", "UTF8", NULL};

	int rc = check_url(s, err);

	if (rc < 0)
		return rc;
	s->prepared_count = 0;
	PQclear(s->ahead);
	s->ahead = NULL;
	s->asker = NULL;
	PQfinish(s->link);
	s->link = PQconnectdbParams(names, values, 1);
	if (s->link == NULL || PQstatus(s->link) != CONNECTION_OK) {
		rc = connecting_failed(s, err);
		pg_lose(s);
		return rc;
	}
	PQsetNoticeProcessor(s->link, be_quiet, NULL);
	return 0;
}

static int take_result(struct pg_store *s, PGresult *res, PGresult **out, struct bp_error *err)
{
	ExecStatusType status = PQresultStatus(res);
	int rc = 0;

	if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
		rc = pg_fail(s, res, err);
	if (rc == 0 && out != NULL)
		*out = res;
	else
		PQclear(res);
	return rc;
}

/* Waits for what was asked ahead. That it failed is told whoever comes first. */
static int settle(struct pg_store *s, struct bp_error *err)
{
	PGresult *more;
	int rc;

	if (s->asker == NULL || s->ahead != NULL || s->link == NULL)
		return 0;
	s->ahead = PQgetResult(s->link);
	while ((more = PQgetResult(s->link)) != NULL)
		PQclear(more);
	if (PQresultStatus(s->ahead) == PGRES_TUPLES_OK)
		return 0;
	rc = pg_fail(s, s->ahead, err);
	PQclear(s->ahead);
	s->ahead = NULL;
	s->asker = NULL;
	return rc;
}

/* A statement that never changes is parsed and planned once in a connection: where transactions are
 * small that is most of the work. Its name is where its text lies. */
static int prepare(struct pg_store *s, const char *sql, char name[static 24], struct bp_error *err)
{
	PGresult *res;
	int rc;

	snprintf(name, 24, "s%llx", (unsigned long long)(uintptr_t)sql);
	for (unsigned i = 0; i < s->prepared_count; i++) {
		if (s->prepared[i] == sql)
			return 1;
	}
	if (s->prepared_count == PG_PREPARED_MAX)
		return 0;
	res = PQprepare(s->link, name, sql, s->params.count, s->params.types);
	rc = PQresultStatus(res) == PGRES_COMMAND_OK ? 1 : pg_fail(s, res, err);
	PQclear(res);
	if (rc == 1)
		s->prepared[s->prepared_count++] = sql;
	return rc;
}

/* The parameters as libpq wants them. */
struct values {
	const char *values[PG_PARAMS_MAX];
	int formats[PG_PARAMS_MAX];
};
static void arrange(const struct pg_params *p, struct values *out)
{
	for (int i = 0; i < p->count; i++) {
		/* An empty value is one all the same. */
		out->values[i] = p->sizes[i] < 0	 ? NULL
				 : p->bytes.bytes != NULL ? p->bytes.bytes + p->at[i]
							  : "";
		out->formats[i] = 1;
	}
}

static int forget_params(struct pg_store *s, int rc)
{
	pg_params_clear(&s->params);
	s->params.bytes.failed = false;
	return rc;
}

static int begin_query(struct pg_store *s, struct bp_error *err)
{
	int rc = settle(s, err);

	if (rc == 0 && s->params.bytes.failed)
		rc = pg_no_memory(err);
	return rc == 0 && s->link == NULL ? lost(s, err) : rc;
}

/* constant: the text is never another at this address. */
static int query(struct pg_store *s, const char *sql, bool constant, PGresult **out,
		 struct bp_error *err)
{
	struct pg_params *p = &s->params;
	PGresult *res = NULL;
	struct values v;
	char name[24];
	int rc = begin_query(s, err);

	if (rc == 0 && constant)
		rc = prepare(s, sql, name, err);
	if (rc >= 0) {
		arrange(p, &v);
		res = rc == 1 ? PQexecPrepared(s->link, name, p->count, v.values, p->sizes,
					       v.formats, 1)
			      : PQexecParams(s->link, sql, p->count, p->types, v.values, p->sizes,
					     v.formats, 1);
		rc = 0;
	}
	forget_params(s, 0);
	return rc < 0 ? rc : take_result(s, res, out, err);
}

int pg_query(struct pg_store *s, const char *sql, PGresult **out, struct bp_error *err)
{
	return query(s, sql, false, out, err);
}

int pg_query_constant(struct pg_store *s, const char *sql, PGresult **out, struct bp_error *err)
{
	return query(s, sql, true, out, err);
}

int pg_exec(struct pg_store *s, const char *sql, struct bp_error *err)
{
	int rc = settle(s, err);

	if (rc < 0)
		return rc;
	return s->link == NULL ? lost(s, err) : take_result(s, PQexec(s->link, sql), NULL, err);
}

/* --- asking ahead ----------------------------------------------------------------------------- */

bool pg_ahead_free(const struct pg_store *s)
{
	return s->asker == NULL;
}

int pg_ahead_ask(struct pg_store *s, const void *asker, const char *sql, struct bp_error *err)
{
	const struct pg_params *p = &s->params;
	struct values v;
	int rc = begin_query(s, err);

	arrange(p, &v);
	if (rc == 0 && PQsendQueryParams(s->link, sql, p->count, p->types, v.values, p->sizes,
					 v.formats, 1) != 1)
		rc = pg_fail(s, NULL, err);
	if (rc == 0)
		s->asker = asker;
	return forget_params(s, rc);
}

bool pg_ahead_is(const struct pg_store *s, const void *asker)
{
	return s->asker == asker;
}

int pg_ahead_take(struct pg_store *s, PGresult **out, struct bp_error *err)
{
	int rc = settle(s, err);

	if (rc < 0)
		return rc;
	if (s->ahead == NULL)
		return lost(s, err);
	*out = s->ahead;
	s->ahead = NULL;
	s->asker = NULL;
	return 0;
}

void pg_ahead_drop(struct pg_store *s, const void *asker)
{
	if (s->asker != asker)
		return;
	settle(s, NULL);
	PQclear(s->ahead);
	s->ahead = NULL;
	s->asker = NULL;
}

void pg_ahead_listen(struct pg_store *s)
{
	/* What is wrong is told when the answer is taken; PQisBusy makes rows of what came. */
	if (s->asker != NULL && s->ahead == NULL && s->link != NULL && PQconsumeInput(s->link))
		PQisBusy(s->link);
}

/* --- COPY ------------------------------------------------------------------------------------- */

static int put_copy(struct pg_store *s, const struct buf *rows)
{
	static const char head[19] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0";
	static const char end[2] = "\377\377";

	if (PQputCopyData(s->link, head, sizeof(head)) != 1)
		return -1;
	for (size_t at = 0; at < rows->used;) {
		size_t n = rows->used - at < 1 << 20 ? rows->used - at : 1 << 20;

		if (PQputCopyData(s->link, rows->bytes + at, (int)n) != 1)
			return -1;
		at += n;
	}
	if (PQputCopyData(s->link, end, sizeof(end)) != 1)
		return -1;
	return PQputCopyEnd(s->link, NULL) == 1 ? 0 : -1;
}

int pg_copy(struct pg_store *s, const char *sql, const struct buf *rows, struct bp_error *err)
{
	char text[400];
	PGresult *res;
	int rc;

	rc = settle(s, err);
	if (rc < 0)
		return rc;
	if (s->link == NULL)
		return lost(s, err);
	if (rows->failed)
		return pg_no_memory(err);
	res = PQexec(s->link, sql);
	if (PQresultStatus(res) != PGRES_COPY_IN) {
		rc = pg_fail(s, res, err);
		PQclear(res);
		return rc;
	}
	PQclear(res);
	if (put_copy(s, rows) < 0) {
		/* Half of it was sent, and libpq waits for the rest. */
		one_line(PQerrorMessage(s->link), text, sizeof(text));
		pg_lose(s);
		return bp_fail(err, BP_EAGAIN, "%s: the connection is lost: %s", s->shown, text);
	}
	rc = 0;
	/* What went wrong is in the result, if there is one. */
	res = PQgetResult(s->link);
	if (PQresultStatus(res) != PGRES_COMMAND_OK)
		rc = pg_fail(s, res, err);
	while (res != NULL) {
		PQclear(res);
		res = s->link != NULL ? PQgetResult(s->link) : NULL;
	}
	return rc;
}
