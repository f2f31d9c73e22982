// SPDX-License-Identifier: BSD-2-Clause
/*
 * Plans as they come from the broker: read, checked as `campaign run` checks them, and written
 * under the spool; what does not read is refused with the reason, and the last good one stays. A
 * plan is withdrawn by its removal from the bucket and by nothing else: a broker that lost its
 * store ends no measuring.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "campaign/fleet/agent_inside.h"
#include "campaign/plan.h"
#include "core/text.h"
#include "core/whole.h"
#include "geo/profile.h"
#include "geo/yamldoc.h"

#define WATCH_AGAIN_NS (30 * NS_PER_S)
#define PLANS_AGAIN_NS (10 * NS_PER_S)

const char *agent_plan_file(const struct agent *a, const char *campaign, char out[static PATH_MAX])
{
	int n = snprintf(out, PATH_MAX, "%s/%s.yaml", a->plans_dir, campaign);

	if (n < 0 || n >= PATH_MAX)
		out[0] = '\0';
	return out;
}

struct agent_plan *agent_plan_find(struct agent *a, const char *campaign)
{
	for (unsigned i = 0; i < a->plan_count; i++) {
		if (strcmp(a->plans[i].known.campaign, campaign) == 0)
			return &a->plans[i];
	}
	return NULL;
}

static struct agent_plan *add(struct agent *a, const char *campaign)
{
	struct agent_plan *p = agent_plan_find(a, campaign);

	if (p != NULL || a->plan_count == AGENT_PLANS_MAX)
		return p;
	p = &a->plans[a->plan_count++];
	memset(p, 0, sizeof(*p));
	text_set(p->known.campaign, sizeof(p->known.campaign), campaign);
	return p;
}

static void drop(struct agent *a, struct agent_plan *p)
{
	*p = a->plans[--a->plan_count];
}

/* --- what is refused -------------------------------------------------------------------------- */

/* Files of this machine are none of the broker's business: what stands in them would come back in
 * an error's text. */
static int check_files(const struct agent *a, const struct campaign_plan *p, struct bp_error *err)
{
	if (a->o->profile == NULL && p->held == NULL && profile_is_file(p->profile))
		return bp_fail(err, BP_EINVAL,
			       "profile '%s': a fleet's plan names a profile, not a file", p->profile);
	for (unsigned i = 0; i < p->targets_count; i++) {
		for (unsigned k = 0; k < p->targets[i].hosts_count; k++) {
			if (p->targets[i].hosts[k][0] == '@')
				return bp_fail(err, BP_EINVAL,
					       "target '%s': a fleet's plan names hosts, not files",
					       p->targets[i].hosts[k]);
		}
	}
	return 0;
}

static int check(const struct agent *a, const char *campaign, const struct campaign_plan *p,
		 struct bp_error *err)
{
	struct profile *profile;
	int rc;

	if (strcmp(p->campaign, campaign) != 0)
		return bp_fail(err, BP_EINVAL, "it is of campaign %s", p->campaign);
	rc = check_files(a, p, err);
	if (rc == 0)
		rc = campaign_plan_profile(p, a->o->profile, &profile, err);
	if (rc == 0)
		profile_free(profile);
	return rc;
}

/* The plan as it came, in words of its own lines; then as it is to run. */
static int read_plan(const struct agent *a, const char *campaign, const char *yaml, size_t n,
		     struct buf *out, struct campaign_plan **plan, struct bp_error *err)
{
	struct campaign_plan *p = NULL;
	int rc = campaign_plan_parse(campaign, yaml, n, &p, err);

	if (rc == 0)
		rc = check(a, campaign, p, err);
	campaign_plan_free(p);
	if (rc == 0)
		rc = agent_yaml(yaml, n, a->o->vantage, out, err);
	if (rc == 0)
		rc = campaign_plan_parse(campaign, out->bytes, out->used, plan, err);
	return rc;
}

/* --- what is on disk -------------------------------------------------------------------------- */

static bool is_same(const char *file, const struct buf *text)
{
	struct bp_error ignored;
	char *bytes = NULL;
	size_t n = 0;
	bool same = access(file, R_OK) == 0 &&
		    yamldoc_read_file(file, "plan", &bytes, &n, &ignored) == 0 &&
		    n == text->used && memcmp(bytes, text->bytes, n) == 0;

	free(bytes);
	return same;
}

static void remember(struct agent *a, const struct agent_plan *p)
{
	struct bp_error err;

	if (cut_plan_put(a->cut, &p->known, &err) < 0)
		agent_trouble(a, "%s", err.text);
	agent_changed(a);
}

/* Not the plan's fault: a disk that is full, memory that is short, a profile that is not there yet.
 * Nobody deploys it again for that. */
static void try_later(struct agent *a, int rc)
{
	bool later = rc == BP_ENOMEM || rc == BP_EIO || rc == BP_EPERM || rc == BP_ENOTFOUND ||
		     rc == BP_EAGAIN;

	if (later && a->plans_anew.ns == 0)
		a->plans_anew = mono_add(mono_now(), agent_jitter(PLANS_AGAIN_NS));
}

static void refuse(struct agent *a, struct agent_plan *p, bool was, const char *why)
{
	char known[sizeof(p->known.reason)];

	text_set(known, sizeof(known), why);
	/* Again and again for the same reason: said once. */
	if (p->refused != p->known.revision || strcmp(known, p->known.reason) != 0)
		agent_note(a, "plan %s: revision %llu is refused: %s%s", p->known.campaign,
			   (unsigned long long)p->known.revision, why,
			   was ? "; the one before it goes on" : "");
	text_set(p->known.reason, sizeof(p->known.reason), why);
	p->refused = p->known.revision;
}

static void take(struct agent *a, const char *campaign, const struct bus_entry *e)
{
	struct agent_plan *p = add(a, campaign);
	struct cut_plan before;
	struct campaign_plan *plan = NULL;
	struct bp_error err;
	char file[PATH_MAX];
	struct buf text;
	bool was;
	int rc;

	if (p == NULL) {
		agent_trouble(a, "plan %s: more than %d plans", campaign, AGENT_PLANS_MAX);
		return;
	}
	buf_init(&text);
	was = p->known.running != 0;
	before = p->known;
	p->known.revision = e->revision;
	rc = read_plan(a, campaign, e->bytes, e->size, &text, &plan, &err);
	agent_plan_file(a, campaign, file);
	if (rc == 0 && !(was && is_same(file, &text))) {
		rc = whole_write(file, text.bytes, text.used, &err);
		if (rc == 0 && was)
			a->child.reload = true;
		else if (rc == 0)
			a->child.other_plans = true;
		if (rc == 0)
			agent_note(a, "plan %s: revision %llu runs", campaign,
				   (unsigned long long)e->revision);
	}
	if (rc == 0) {
		p->known.running = e->revision;
		p->known.reason[0] = '\0';
		p->every_ns = plan->every_ns;
		p->offset_ns = plan->offset_ns;
	} else {
		refuse(a, p, was, err.text);
		try_later(a, rc);
	}
	campaign_plan_free(plan);
	buf_fini(&text);
	if (before.revision != p->known.revision || before.running != p->known.running ||
	    strcmp(before.reason, p->known.reason) != 0)
		remember(a, p);
}

static void withdraw(struct agent *a, const char *campaign)
{
	struct agent_plan *p = agent_plan_find(a, campaign);
	struct bp_error err;
	char file[PATH_MAX];

	if (p == NULL)
		return;
	if (unlink(agent_plan_file(a, campaign, file)) < 0 && errno != ENOENT)
		agent_trouble(a, "%s: %s", file, strerror(errno));
	if (cut_plan_drop(a->cut, campaign, &err) < 0)
		agent_trouble(a, "%s", err.text);
	if (p->known.running != 0)
		a->child.other_plans = true;
	drop(a, p);
	agent_note(a, "plan %s: withdrawn", campaign);
	agent_changed(a);
}

static void load_one(struct agent *a, const char *campaign)
{
	struct agent_plan *p = add(a, campaign);
	struct campaign_plan *plan = NULL;
	struct bp_error err;
	char file[PATH_MAX];

	if (p == NULL)
		return;
	if (campaign_plan_load(agent_plan_file(a, campaign, file), &plan, &err) < 0) {
		agent_trouble(a, "%s", err.text);
		p->known.running = 0;
		return;
	}
	/* What stands there runs, whatever is remembered of its revision. */
	if (p->known.running == 0)
		p->known.running = p->known.revision > 0 ? p->known.revision : 1;
	p->every_ns = plan->every_ns;
	p->offset_ns = plan->offset_ns;
	a->child.other_plans = true;
	campaign_plan_free(plan);
}

int agent_plans_load(struct agent *a, struct bp_error *err)
{
	struct cut_plan *known = calloc(AGENT_PLANS_MAX, sizeof(*known));
	struct dirent *e;
	DIR *dir;
	int n;

	if (known == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	n = cut_plans(a->cut, known, AGENT_PLANS_MAX, err);
	for (int i = 0; i < n; i++) {
		struct agent_plan *p = add(a, known[i].campaign);
		char file[PATH_MAX];

		if (p == NULL)
			continue;
		p->known = known[i];
		if (access(agent_plan_file(a, known[i].campaign, file), F_OK) < 0)
			p->known.running = 0;
	}
	free(known);
	if (n < 0)
		return n;
	dir = opendir(a->plans_dir);
	if (dir == NULL)
		return bp_fail_sys(err, errno, "%s", a->plans_dir);
	while ((e = readdir(dir)) != NULL) {
		char name[BUS_NAME_TEXT];
		size_t size = strlen(e->d_name);

		if (size < 6 || strcmp(e->d_name + size - 5, ".yaml") != 0 ||
		    !text_copy(name, sizeof(name), e->d_name, size - 5) || !bus_name_ok(name))
			continue;
		load_one(a, name);
	}
	closedir(dir);
	return 0;
}

/* --- the bucket ------------------------------------------------------------------------------- */

static void hear(struct agent *a, const struct bus_entry *e)
{
	size_t own = strlen(a->o->vantage);
	const char *campaign = e->key + own + 1;

	if (strncmp(e->key, a->o->vantage, own) != 0 || e->key[own] != '.' ||
	    !bus_name_ok(campaign))
		return;
	if (e->gone)
		withdraw(a, campaign);
	else
		take(a, campaign, e);
}

void agent_plans_step(struct agent *a)
{
	char keys[BUS_NAME_TEXT + 4];
	struct bp_error err;
	struct bus_entry e;
	bool all;
	int rc = 0;

	if (!bus_is_connected(a->bus) || !mono_reached(mono_now(), a->watch_again))
		return;
	/* A new watch tells them from the first. */
	if (a->plans_anew.ns != 0 && mono_reached(mono_now(), a->plans_anew)) {
		bus_watch_close(a->watch);
		a->watch = NULL;
		a->plans_anew.ns = 0;
	}
	if (a->watch == NULL) {
		snprintf(keys, sizeof(keys), "%s.*", a->o->vantage);
		rc = bus_watch_open(a->bus, "BP_PLANS", keys, &a->watch, &err);
	}
	for (unsigned i = 0; i < AGENT_PLANS_MAX && rc == 0; i++) {
		rc = bus_watch_next(a->watch, 0, &e, &all, &err);
		if (rc == 0 && e.key != NULL)
			hear(a, &e);
	}
	if (rc < 0 && rc != BP_ENOTFOUND) {
		agent_trouble(a, "plans: %s", err.text);
		a->watch_again = mono_add(mono_now(), agent_jitter(WATCH_AGAIN_NS));
	}
}
