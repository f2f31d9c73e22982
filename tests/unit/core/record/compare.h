// SPDX-License-Identifier: BSD-2-Clause
/* Names and verdicts that went somewhere and came back: every field equal. Includes no cmocka. */
#ifndef TESTS_UNIT_CORE_RECORD_COMPARE_H
#define TESTS_UNIT_CORE_RECORD_COMPARE_H

#include "core/record/names.h"
#include "core/record/verdict.h"

static inline void assert_names_equal(const struct names *a, const struct names *b)
{
	assert_int_equal(a->count, b->count);
	for (uint32_t i = 0; i < a->count; i++) {
		const struct name *x = &a->items[i], *y = &b->items[i];

		assert_true(addr_equal(x->addr, y->addr));
		assert_int_equal(x->asn, y->asn);
		assert_int_equal(x->source, y->source);
		assert_string_equal(x->org, y->org);
		assert_string_equal(x->country, y->country);
		assert_string_equal(x->overlay_country, y->overlay_country);
		assert_string_equal(x->label, y->label);
		assert_string_equal(x->host, y->host);
	}
	assert_string_equal(a->geo.asn_db, b->geo.asn_db);
	assert_string_equal(a->geo.asn_built, b->geo.asn_built);
	assert_string_equal(a->geo.asn_sha256, b->geo.asn_sha256);
	assert_string_equal(a->geo.country_db, b->geo.country_db);
	assert_string_equal(a->geo.country_built, b->geo.country_built);
	assert_string_equal(a->geo.country_sha256, b->geo.country_sha256);
}

static inline void assert_verdict_equal(const struct verdict *a, const struct verdict *b)
{
	assert_int_equal(a->judged, b->judged);
	if (!a->judged)
		return;
	assert_string_equal(a->profile, b->profile);
	assert_string_equal(a->profile_version, b->profile_version);
	assert_int_equal(a->outcome, b->outcome);
	assert_int_equal(a->class, b->class);
	assert_int_equal(a->via_basis, b->via_basis);
	assert_string_equal(a->border, b->border);
	assert_int_equal(a->via_asn, b->via_asn);
	assert_string_equal(a->via_org, b->via_org);
	assert_true(a->confidence == b->confidence);
	assert_int_equal(a->p_count, b->p_count);
	for (unsigned i = 0; i < a->p_count; i++) {
		assert_string_equal(a->p[i].id, b->p[i].id);
		assert_true(a->p[i].p == b->p[i].p);
	}
	assert_string_equal(a->rule, b->rule);
	assert_int_equal(a->last_outside_ttl, b->last_outside_ttl);
	assert_int_equal(a->first_inside_ttl, b->first_inside_ttl);
	assert_true(addr_equal(a->last_outside, b->last_outside));
	assert_true(addr_equal(a->first_inside, b->first_inside));
	assert_int_equal(a->evidence_count, b->evidence_count);
	for (unsigned i = 0; i < a->evidence_count; i++) {
		const struct verdict_evidence *x = &a->evidence[i], *y = &b->evidence[i];

		assert_string_equal(x->rule, y->rule);
		assert_int_equal(x->ttl, y->ttl);
		assert_true(addr_equal(x->from, y->from));
		assert_string_equal(x->says, y->says);
		assert_true(x->weight == y->weight);
		assert_string_equal(x->why, y->why);
	}
}

#endif
