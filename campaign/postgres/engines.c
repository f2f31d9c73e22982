// SPDX-License-Identifier: BSD-2-Clause
/* The stores that borderpath-fleet and the tests open. */
#include "campaign/postgres/pg.h"

const struct store_engine *const store_engines[] = {&sqlite_engine, &pg_engine, NULL};
