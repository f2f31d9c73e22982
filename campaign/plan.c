// SPDX-License-Identifier: BSD-2-Clause
/* The plan as a whole: read a file, free it, and how an entry is measured in the end. */
#include "campaign/plan.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "campaign/plan_raw.h"
#include "core/text.h"
#include "geo/yamldoc.h"
#include "prober/plan.h"

/* Before the schema is asked: the short forms that people write. */
static int expand(struct yamldoc *doc, struct bp_error *err)
{
	int rc = yamldoc_group(doc, "vantage", "name", err);

	if (rc == 0)
		rc = yamldoc_fold(doc, "profile", "profile", err);

	if (rc == 0)
		rc = yamldoc_list(doc, "reference", err);
	if (rc == 0)
		rc = yamldoc_list(doc, "targets", err);
	return rc == 0 ? yamldoc_group(doc, "targets[]", "host", err) : rc;
}

static int hold(struct campaign_plan *p, const char *yaml, size_t n, struct bp_error *err)
{
	p->held = malloc(n + 1);
	if (p->held == NULL)
		return bp_fail(err, BP_ENOMEM, "%s: out of memory", p->file);
	memcpy(p->held, yaml, n);
	p->held_n = n;
	return 0;
}

int campaign_plan_profile(const struct campaign_plan *p, const char *instead, struct profile **out,
			  struct bp_error *err)
{
	if (instead == NULL && p->held != NULL)
		return profile_parse_part(p->file, p->held, p->held_n, "profile", out, err);
	return profile_load(instead != NULL ? instead : p->profile, out, err);
}

int campaign_plan_parse(const char *name, const char *yaml, size_t n, struct campaign_plan **out,
			struct bp_error *err)
{
	struct campaign_plan *p = calloc(1, sizeof(*p));
	bool profile_alone = false;
	struct yamldoc doc = {0};
	void *raw = NULL;
	int rc;

	if (p == NULL)
		return bp_fail(err, BP_ENOMEM, "%s: out of memory", name);
	text_set(p->file, sizeof(p->file), name);
	rc = yamldoc_parse(&doc, name, yaml, n, err);
	if (rc == 0 && yamldoc_is_group(&doc, "profile"))
		rc = hold(p, yaml, n, err);
	if (rc == 0) {
		profile_alone = yamldoc_is_single(&doc, "targets");
		rc = expand(&doc, err);
	}
	if (rc == 0)
		rc = yamldoc_load(&doc, &campaign_plan_schema, &raw, err);
	if (rc == 0)
		rc = campaign_plan_build(&doc, raw, profile_alone, p, err);
	if (rc == 0)
		rc = campaign_plan_cross(&doc, p, err);
	if (raw != NULL)
		yamldoc_free_loaded(&campaign_plan_schema, raw);
	yamldoc_fini(&doc);
	if (rc < 0) {
		campaign_plan_free(p);
		return rc;
	}
	*out = p;
	return 0;
}

int campaign_plan_load(const char *path, struct campaign_plan **out, struct bp_error *err)
{
	char *text = NULL;
	size_t n = 0;
	int rc = yamldoc_read_file(path, "plan", &text, &n, err);

	if (rc == 0)
		rc = campaign_plan_parse(strcmp(path, "-") == 0 ? "stdin" : path, text, n, out, err);
	free(text);
	return rc;
}

void campaign_plan_free(struct campaign_plan *p)
{
	if (p == NULL)
		return;
	for (unsigned i = 0; i < p->targets_count; i++) {
		for (unsigned j = 0; j < p->targets[i].hosts_count; j++)
			free(p->targets[i].hosts[j]);
		free(p->targets[i].hosts);
		free(p->targets[i].name);
	}
	free(p->targets);
	free(p->profile);
	free(p->held);
	free(p);
}

static void settle_method(const struct campaign_how *levels[static 3], struct campaign_how *out)
{
	for (int i = 0; i < 3 && out->method == METHOD_UNKNOWN; i++)
		out->method = levels[i]->method;
	if (out->method == METHOD_UNKNOWN)
		out->method = METHOD_ICMP;
	for (int i = 0; i < 3 && out->method != METHOD_ICMP && out->port == 0; i++) {
		if (levels[i]->method == METHOD_UNKNOWN || levels[i]->method == out->method)
			out->port = levels[i]->port;
	}
	if (out->port == 0)
		out->port = out->method == METHOD_UDP ? PLAN_UDP_DPORT_DEFAULT :
			    out->method == METHOD_TCP ? PLAN_TCP_DPORT_DEFAULT : 0;
}

void campaign_how_settle(const struct campaign_how *entry, const struct campaign_how *plan,
			 uint8_t profile_method, uint16_t profile_port, struct campaign_how *out)
{
	const struct campaign_how profile = {.method = profile_method, .port = profile_port};
	const struct campaign_how last = {
		.flows = 1, .attempts = PLAN_ATTEMPTS_DEFAULT, .first_ttl = PLAN_FIRST_TTL_DEFAULT,
		.max_ttl = PLAN_MAX_TTL_DEFAULT, .gap_limit = PLAN_GAP_LIMIT_DEFAULT,
		.wait_ms = PLAN_WAIT_MS_DEFAULT};
	const struct campaign_how *methods[] = {entry, plan, &profile};
	const struct campaign_how *levels[] = {entry, plan, &last};
	struct campaign_how how = {0};

	settle_method(methods, &how);
	for (int i = 0; i < 3; i++) {
		const struct campaign_how *l = levels[i];

		/* Named together they belong to one level: the nearest that names either. */
		if (how.flows == 0 && how.multipath == 0) {
			how.flows = l->flows;
			how.multipath = l->multipath;
		}
		how.attempts = how.attempts > 0 ? how.attempts : l->attempts;
		how.first_ttl = how.first_ttl > 0 ? how.first_ttl : l->first_ttl;
		how.max_ttl = how.max_ttl > 0 ? how.max_ttl : l->max_ttl;
		how.gap_limit = how.gap_limit > 0 ? how.gap_limit : l->gap_limit;
		how.wait_ms = how.wait_ms > 0 ? how.wait_ms : l->wait_ms;
	}
	if (how.flows == 0)
		how.flows = 1;
	*out = how;
}

uint64_t campaign_seed(const char *vantage)
{
	unsigned char hash[crypto_generichash_BYTES_MIN];
	uint64_t seed;

	crypto_generichash(hash, sizeof(hash), (const unsigned char *)vantage, strlen(vantage),
			   NULL, 0);
	memcpy(&seed, hash, sizeof(seed));
	return seed;
}

bool campaign_plan_is_reference(const struct campaign_plan *p, struct addr a)
{
	for (unsigned i = 0; i < p->references_count; i++) {
		if (addr_equal(p->references[i], a))
			return true;
	}
	return false;
}
