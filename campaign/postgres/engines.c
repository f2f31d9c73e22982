// SPDX-License-Identifier: BSD-2-Clause
/* The stores that borderpath-fleet and the tests open. */
#include "campaign/store_engine.h"

const struct store_engine *const store_engines[] = {&sqlite_engine, NULL};
