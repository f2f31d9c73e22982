// SPDX-License-Identifier: BSD-2-Clause
/*
 * Groups and points made of whole traces, for engines that have no quicker way to them. Private to
 * the store's own files.
 */
#ifndef CAMPAIGN_STORE_GENERIC_H
#define CAMPAIGN_STORE_GENERIC_H

#include "campaign/store_engine.h"

int generic_groups(struct store *s, const struct store_select *select, store_on_group *on_group,
		   void *arg, struct bp_error *err);
int generic_points_open(struct store *s, const struct store_select *select,
			const struct store_points *to, struct store_point_reader **out,
			struct bp_error *err);
void generic_points_close(struct store_point_reader *r);
int generic_points_next(struct store_point_reader *r, struct wall *at, struct bp_error *err);
int generic_points_give(struct store_point_reader *r, struct bp_error *err);

#endif
