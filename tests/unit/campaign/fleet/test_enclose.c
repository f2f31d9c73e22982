// SPDX-License-Identifier: BSD-2-Clause
/* A plan with lists of targets and a profile in files, as it is handed to a fleet: all in one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <sodium.h>

#include "campaign/feed.h"
#include "campaign/fleet/agent_inside.h"
#include "campaign/fleet/derive.h"
#include "campaign/fleet/enclose.h"
#include "geo/yamldoc.h"

struct place { char dir[32], plan[64], list[64]; };

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void make(struct place *p, const char *plan, const char *list)
{
	snprintf(p->dir, sizeof(p->dir), "/tmp/bp-enclose.XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	snprintf(p->plan, sizeof(p->plan), "%s/plan.yaml", p->dir);
	snprintf(p->list, sizeof(p->list), "%s/list.txt", p->dir);
	write_file(p->plan, plan);
	if (list != NULL)
		write_file(p->list, list);
}

static void unmake(const struct place *p)
{
	unlink(p->plan);
	unlink(p->list);
	assert_int_equal(rmdir(p->dir), 0);
}

static int enclose(const struct place *at, struct buf *out, struct bp_error *err)
{
	struct campaign_plan *p = NULL;
	char *yaml = NULL;
	size_t n = 0;
	int rc = campaign_plan_load(at->plan, &p, err);

	if (rc == 0)
		rc = yamldoc_read_file(at->plan, "plan", &yaml, &n, err);
	if (rc == 0)
		rc = enclose_plan(p, yaml, n, out, err);
	free(yaml);
	campaign_plan_free(p);
	return rc;
}

/* As a vantage point gets it from the broker, and as its agent has it measured. */
static struct campaign_plan *received(const struct buf *text)
{
	const struct derive d = {.vantage = "fra1", .prefix_mpps = 5000};
	struct campaign_plan *p = NULL;
	struct buf sent, run;
	struct bp_error err = {0};
	int rc;

	buf_init(&sent);
	buf_init(&run);
	rc = derive_plan("x", text->bytes, text->used, &d, &sent, &err);
	if (rc == 0)
		rc = agent_yaml(sent.bytes, sent.used, "fra1", &run, &err);
	if (rc == 0)
		rc = campaign_plan_parse("x", run.bytes, run.used, &p, &err);
	if (rc < 0)
		fail_msg("%s", err.text);
	buf_fini(&sent);
	buf_fini(&run);
	return p;
}

#define HEAD "campaign: x\nevery: 1m\n"

static const char list_text[] =
	"# known hosts\n"
	"\n"
	"175.45.176.71   # the first\n"
	"175.45.177.10\r\n"
	"  www.example.org and more\n"
	"2001:db8::1\n"
	"175.45.178.0/28\n"
	"WWW.example.org\n"      /* twice in the list */
	"175.45.177.10/32\n";    /* likewise */

static void lists_become_entries(void **state)
{
	static const char plan[] =
		"# why\n" HEAD
		"targets:\n"
		"  - {host: \"@list.txt\", name: all, method: tcp, port: 443, attempts: 2, multipath: 99}\n"
		"  - {host: 175.45.177.10, name: ours, method: tcp, port: 443}\n"
		"  - \"@list.txt\"\n";
	static const struct { const char *word, *name; uint8_t method; uint16_t port;
			      uint8_t attempts, multipath; } want[] = {
		{"175.45.176.71", NULL, METHOD_TCP, 443, 2, 99},
		{"www.example.org", NULL, METHOD_TCP, 443, 2, 99},
		{"2001:db8::1", NULL, METHOD_TCP, 443, 2, 99},
		{"175.45.178.0/28", NULL, METHOD_TCP, 443, 2, 99},
		{"175.45.177.10", "ours", METHOD_TCP, 443, 0, 0}, /* an entry's own, not the list's */
		{"175.45.176.71", NULL, 0, 0, 0, 0}, /* by another method it is another target */
		{"175.45.177.10", NULL, 0, 0, 0, 0},
		{"www.example.org", NULL, 0, 0, 0, 0},
		{"2001:db8::1", NULL, 0, 0, 0, 0},
		{"175.45.178.0/28", NULL, 0, 0, 0, 0},
	};
	const unsigned count = sizeof(want) / sizeof(want[0]);
	struct campaign_plan *p;
	struct bp_error err = {0};
	struct place at;
	struct buf out;

	(void)state;
	make(&at, plan, list_text);
	buf_init(&out);
	if (enclose(&at, &out, &err) < 0)
		fail_msg("%s", err.text);
	p = received(&out);
	assert_int_equal(p->targets_count, count);
	for (unsigned i = 0; i < count; i++) {
		const struct campaign_target *t = &p->targets[i];

		if (strcmp(t->hosts[0], want[i].word) != 0 || t->hosts_count != 1 ||
		    t->how.method != want[i].method || t->how.port != want[i].port ||
		    t->how.attempts != want[i].attempts || t->how.multipath != want[i].multipath ||
		    (t->name != NULL) != (want[i].name != NULL) ||
		    (t->name != NULL && strcmp(t->name, want[i].name) != 0))
			fail_msg("targets[%u] is %s: %s", i, t->hosts[0], out.bytes);
	}
	campaign_plan_free(p);
	buf_fini(&out);
	unmake(&at);
}

static uint64_t expected(struct campaign_plan *plan)
{
	const struct profile none = {0};
	const struct feed_from from = {.plan = plan, .profile = &none, .slot = {NS_PER_S}};
	struct bp_error err = {0};
	struct feed *feed;
	uint64_t n;

	if (feed_new(&from, &feed, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(feed_unresolved(feed), 0);
	n = feed_expected(feed);
	feed_free(feed);
	return n;
}

/* `campaign run` of the file measures what a fleet measures of what was made of it. */
static void a_round_is_the_same(void **state)
{
	static const char plan[] = HEAD "targets:\n- {host: '@list.txt', flows: 3}\n"
				   "- {host: 175.45.176.0/29, flows: 2}\n- 175.45.179.1\n";
	struct campaign_plan *own, *theirs;
	struct bp_error err = {0};
	struct place at;
	struct buf out;

	(void)state;
	make(&at, plan, "175.45.176.71\n175.45.178.0/27\n175.45.176.1\n175.45.179.1\n");
	buf_init(&out);
	assert_int_equal(enclose(&at, &out, &err), 0);
	assert_int_equal(campaign_plan_load(at.plan, &own, &err), 0);
	theirs = received(&out);
	/* 1 + 32 + 1 by three flows, what is left of the prefix by two; .179.1 once: by one, as an
	 * entry says, or by three, where the list came first. */
	assert_int_equal(expected(own), 3 * (1 + 32 + 1) + 2 * 7 + 3);
	assert_int_equal(expected(theirs), 3 * (1 + 32 + 1) + 2 * 7 + 1);
	campaign_plan_free(own);
	campaign_plan_free(theirs);
	buf_fini(&out);
	unmake(&at);
}

static char *many(unsigned lines, unsigned letters)
{
	char *text = malloc((size_t)lines * (letters + 16) + 1), *to = text;

	assert_non_null(text);
	for (unsigned i = 0; i < lines; i++) {
		to += sprintf(to, "h%u", i);
		for (unsigned k = 0; k < letters; k++)
			*to++ = k % 50 == 49 ? '.' : 'a';
		*to++ = '\n';
	}
	*to = '\0';
	return text;
}

static void what_cannot_be_enclosed_is_told(void **state)
{
	char *lines = many(CAMPAIGN_TARGETS_MAX + 1, 0), *most = many(CAMPAIGN_TARGETS_MAX, 0);
	char *bytes = many(CAMPAIGN_TARGETS_MAX, 245);
	const struct { const char *plan, *list; int rc; const char *says, *why; } rows[] = {
		{HEAD "targets: ['@list.txt']\n", most, 0, "", "as many as there may be"},
		{HEAD "targets: ['@list.txt']\n", lines, BP_ERANGE, "4096 targets", "one more"},
		{HEAD "targets: ['@list.txt', 192.0.2.1]\n", most, BP_ERANGE, "plan.yaml: ",
		 "one more, in the plan"},
		{HEAD "targets: ['@list.txt']\n", bytes, BP_ERANGE, " bytes, and a fleet's plan at most "
		 "1000000", "more than a message may have"},
		{HEAD "targets: ['@list.txt']\n", "192.0.2.1\n\n192.0.2.999\n", BP_EPARSE,
		 "/list.txt:3: '192.0.2.999'", "no address, in the third line"},
		{HEAD "targets: ['@list.txt']\n", "192.0.2.1\n10.0.0.0/4\n", BP_ERANGE, "/list.txt:2: ",
		 "no prefix"},
		{HEAD "targets: ['@list.txt']\n", NULL, BP_ENOTFOUND, "/list.txt", "it is not there"},
		{HEAD "targets: ['@list.txt']\n", "# none\n", BP_EPARSE, "targets", "it is empty"},
		{HEAD "targets:\n- {host: 192.0.2.1, until: 2027-01-01}\n- '@list.txt'\n", "192.0.2.1\n",
		 BP_EPARSE, "list.txt: 192.0.2.1: it is in targets[0]", "named for another time, too"},
		{HEAD "targets:\n- {host: 192.0.2.1, until: 2027-01-01}\n"
		 "- {host: '@list.txt', since: 2027-01-01}\n", "192.0.2.1\n", 0, "", "one after the other"},
		{HEAD "reference: 192.0.2.1\ntargets: ['@list.txt']\n", "192.0.2.1\n", BP_EPARSE,
		 "192.0.2.1", "a reference host is no target"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bp_error err = {0};
		struct place at;
		struct buf out;
		int rc;

		make(&at, rows[i].plan, rows[i].list);
		buf_init(&out);
		rc = enclose(&at, &out, &err);
		if (rc != rows[i].rc || (rc < 0 && strstr(err.text, rows[i].says) == NULL))
			fail_msg("%s: %d %s", rows[i].why, rc, err.text);
		buf_fini(&out);
		unmake(&at);
	}
	free(lines);
	free(most);
	free(bytes);
}

static void who_names_no_file_is_left_as_it_is(void **state)
{
	static const char plan[] = "# why\n" HEAD "targets:\n- 192.0.2.1 # the first\n";
	struct bp_error err = {0};
	struct place at;
	struct buf out;

	(void)state;
	make(&at, plan, NULL);
	buf_init(&out);
	assert_int_equal(enclose(&at, &out, &err), 0);
	assert_string_equal(out.bytes, plan);
	buf_fini(&out);
	unmake(&at);
}

static void a_profile_goes_with_its_plan(void **state)
{
	static const char plan[] = HEAD "profile: profiles/dprk.yaml\ntargets: profile\n";
	struct profile *file, *held;
	struct campaign_plan *p;
	struct bp_error err = {0};
	struct place at;
	struct buf out;

	(void)state;
	make(&at, plan, NULL);
	buf_init(&out);
	if (enclose(&at, &out, &err) < 0)
		fail_msg("%s", err.text);
	p = received(&out);
	assert_string_equal(p->profile, "dprk");
	assert_true(p->targets_of_profile);
	assert_int_equal(campaign_plan_profile(p, NULL, &held, &err), 0);
	assert_int_equal(profile_load("profiles/dprk.yaml", &file, &err), 0);
	assert_string_equal(held->id, file->id);
	assert_string_equal(held->version, file->version);
	assert_int_equal(held->labels_count, file->labels_count);
	assert_int_equal(held->targets_count, file->targets_count);
	assert_int_equal(held->borders_count, file->borders_count);
	for (unsigned i = 0; i < file->borders_count; i++) {
		assert_string_equal(held->borders[i].name, file->borders[i].name);
		assert_string_equal(held->borders[i].color, file->borders[i].color);
		assert_int_equal(held->borders[i].networks_count, file->borders[i].networks_count);
	}
	profile_free(held);
	/* Who says another, gets another. */
	assert_int_equal(campaign_plan_profile(p, "profiles/example.yaml", &held, &err), 0);
	assert_string_not_equal(held->id, "dprk");
	profile_free(held);
	profile_free(file);
	campaign_plan_free(p);
	buf_fini(&out);
	unmake(&at);
}

/* Refused where it stands in the plan. */
static void a_profile_in_a_plan_is_read_as_one_in_a_file(void **state)
{
	static const struct { const char *yaml, *says, *why; } rows[] = {
		{HEAD "profile:\n  profile: x\n  version: 1\n  nonsense: 1\n", "x.yaml:6:3: ",
		 "a key nobody knows"},
		{HEAD "profile:\n  version: 1\n", "x.yaml:4:3: ", "it has no name"},
		{HEAD "profile: {profile: {a: b}}\n", "x.yaml:3:10: ", "its name is none"},
		{HEAD "profile: [a]\n", "x.yaml:3:10: profile is a list", "a list"},
		{HEAD "profile: {profile: x}\n", "x.yaml:3:10: ", "too little"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct campaign_plan *p = NULL;
		struct profile *profile;
		struct bp_error err = {0};
		int rc = campaign_plan_parse("x.yaml", rows[i].yaml, strlen(rows[i].yaml), &p, &err);

		if (rc == 0)
			rc = campaign_plan_profile(p, NULL, &profile, &err);
		if (rc != BP_EPARSE || strncmp(err.text, rows[i].says, strlen(rows[i].says)) != 0)
			fail_msg("%s: %d %s", rows[i].why, rc, err.text);
		campaign_plan_free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_become_entries),
		cmocka_unit_test(a_round_is_the_same),
		cmocka_unit_test(what_cannot_be_enclosed_is_told),
		cmocka_unit_test(who_names_no_file_is_left_as_it_is),
		cmocka_unit_test(a_profile_goes_with_its_plan),
		cmocka_unit_test(a_profile_in_a_plan_is_read_as_one_in_a_file),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
