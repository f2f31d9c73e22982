// SPDX-License-Identifier: BSD-2-Clause
/*
 * The values that are rows of their own in a store, as keys: equal values, equal bytes. Private to
 * the engines. Reading trusts no byte: 0 or BP_EPARSE.
 */
#ifndef CAMPAIGN_VALUE_H
#define CAMPAIGN_VALUE_H

#include "core/buf.h"
#include "core/record/names.h"
#include "core/record/trace.h"
#include "core/record/verdict.h"

void value_put_goal(struct buf *out, const struct trace *t);
int value_read_goal(const void *bytes, int n, struct trace *t);
void value_put_settings(struct buf *out, const struct trace *t);
int value_read_settings(const void *bytes, int n, struct trace *t);
void value_put_name(struct buf *out, const struct name *n);
int value_read_name(const void *bytes, int n, struct name *out);
/* Addresses that are those of t's path at their TTL are said so, not written. */
void value_put_verdict(struct buf *out, const struct verdict *v, const struct trace *t);
int value_read_verdict(const void *bytes, int n, struct verdict *v, const struct trace *t);
/* The address that t shows first at a TTL. */
struct addr value_addr_at(const struct trace *t, uint8_t ttl);

#endif
