// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any bytes as a campaign's plan: libyaml, libcyaml and our checks over them. A refusal has one
 * line of text; what is accepted keeps the promises of campaign/plan.h.
 */
#include <stdint.h>
#include <string.h>

#include "campaign/plan.h"
#include "core/text.h"
#include "tests/fuzz/fuzz.h"

/* It becomes part of ids, file names and labels. */
static bool is_name(const char *text)
{
	return text[0] != '\0' && text[0] != '.' && text[0] != '-' &&
	       text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")] ==
		       '\0';
}

static void check_how(const struct campaign_how *entry, const struct campaign_plan *p)
{
	struct campaign_how how;

	campaign_how_settle(entry, &p->how, METHOD_UNKNOWN, 0, &how);
	must(how.method == METHOD_ICMP || how.method == METHOD_UDP || how.method == METHOD_TCP);
	must((how.port == 0) == (how.method == METHOD_ICMP));
	must(how.flows >= 1 && how.flows <= CAMPAIGN_FLOWS_MAX);
	must(how.multipath == 0 || (how.multipath >= 95 && how.flows == 1));
	must(how.attempts >= 1 && how.attempts <= 10);
	must(how.first_ttl >= 1 && how.first_ttl <= how.max_ttl);
	must(how.gap_limit >= 1 && how.wait_ms >= 1 && how.wait_ms <= 60000);
}

static void check(const struct campaign_plan *p)
{
	static const struct campaign_how none;

	must(is_name(p->campaign) && is_name(p->vantage) && p->profile != NULL);
	must(p->every_ns >= CAMPAIGN_EVERY_MIN_S * NS_PER_S);
	must(p->offset_ns >= 0 && p->offset_ns < p->every_ns);
	must(p->jitter_ns >= 0 && p->jitter_ns < p->every_ns);
	must(p->until.ns == 0 || p->since.ns < p->until.ns);
	must(p->targets_of_profile == (p->targets_count == 0));
	must(p->targets_count <= CAMPAIGN_TARGETS_MAX);
	must(p->references_count <= CAMPAIGN_REFERENCES_MAX);
	must(!p->place_known || (p->lat >= -90 && p->lat <= 90 && p->lon >= -180 && p->lon <= 180));
	check_how(&none, p);
	for (unsigned i = 0; i < p->targets_count; i++) {
		const struct campaign_target *t = &p->targets[i];

		must(t->index == i && t->hosts_count >= 1 && t->hosts_count <= CAMPAIGN_HOSTS_MAX);
		for (unsigned j = 0; j < t->hosts_count; j++)
			must(t->hosts[j][0] != '\0' &&
			     (t->hosts_count == 1 || t->hosts[j][0] != '@'));
		check_how(&t->how, p);
	}
	for (unsigned i = 0; i < p->references_count; i++)
		must(addr_is_set(p->references[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct campaign_plan *p = NULL;
	struct bp_error err = {0};
	int rc = campaign_plan_parse("fuzz", (const char *)data, size, &p, &err);

	if (rc < 0) {
		must(p == NULL && err.code == rc);
		must(err.text[0] != '\0' && strchr(err.text, '\n') == NULL);
		return 0;
	}
	check(p);
	campaign_plan_free(p);
	return 0;
}
