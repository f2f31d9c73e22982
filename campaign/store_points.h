// SPDX-License-Identifier: BSD-2-Clause
/*
 * Points of rows that an engine reads: of a body only the times of the destination and of the last
 * hop outside are looked at; all else of a point is its trace's shape (store_shape.h), its goal and
 * what it was added with. Private to the engines.
 */
#ifndef CAMPAIGN_STORE_POINTS_H
#define CAMPAIGN_STORE_POINTS_H

#include "campaign/store_shape.h"

/* A trace as far as a point needs it. Rows: 0 none. */
struct points_row {
	int64_t goal, settings, path, verdict, judge;
	int64_t naming, geo; /* naming 0: as `geo` names */
	int64_t example;
	struct wall start, end;                 /* INT64_MIN: damaged */
	const char *vantage, *campaign, *round; /* of point_rows_name */
	const uint8_t *body;                    /* as campaign/body.h; borrowed */
	size_t body_size;
	const void *own;                        /* the engine's */
};

struct points_source {
	struct shape_source shape; /* its rows: points_row.own */
	/* The fields of a goal, into the scratch trace t. */
	int (*goal)(void *arg, int64_t id, struct trace *t, struct bp_error *err);
	/* The profile of a judge, borrowed until the next call. */
	int (*judge)(void *arg, int64_t id, const char **profile, struct bp_error *err);
	int (*id)(void *arg, const void *own, char out[static TRACE_ID_TEXT],
		  struct bp_error *err);
};

struct point_rows;
/* source and *to stay as they are until the end. BP_ENOMEM. */
int point_rows_new(const struct points_source *source, void *arg, const struct store_points *to,
	       struct point_rows **out);
void point_rows_free(struct point_rows *p);
/* One pointer for one name. */
int point_rows_name(struct point_rows *p, const char *text, const char **out, struct bp_error *err);
/* Hands the row's point to to->on_point. */
int point_rows_give(struct point_rows *p, const struct points_row *row, struct bp_error *err);
/* A round from its JSON. BP_ENOMEM; else it is damaged. */
int point_rows_round(const char *json, size_t n, struct round *out, struct bp_error *err);

#endif
