// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any bytes as a profile: libyaml, libcyaml and our checks over them. A refusal has one line of
 * text; what is accepted keeps the promises of profile.h and answers every question.
 */
#include <stdint.h>
#include <string.h>

#include "geo/overlay.h"
#include "geo/profile.h"
#include "tests/fuzz/fuzz.h"

static void ask(const struct profile *p, struct addr a, struct wall when)
{
	int border = profile_border_of_addr(p, a, when);
	int other = profile_other_of_addr(p, a, when);
	struct name n = {.addr = a};

	must(border < (int)p->borders_count && other < (int)p->others_count);
	must(border < 0 || other < 0);
	if (profile_inside(p, a, when))
		must(prefix_has(profile_judge_prefix(p, a), a));
	overlay_apply(p, a, when, &n);
	must(memchr(n.label, 0, sizeof(n.label)) != NULL);
	must(memchr(n.org, 0, sizeof(n.org)) != NULL);
}

static void ask_all(const struct profile *p, struct wall when)
{
	struct addr v4 = addr_v4((const uint8_t[4]){192, 0, 2, 1});

	ask(p, v4, when);
	for (unsigned i = 0; i < p->labels_count; i++)
		ask(p, p->labels[i].prefix.addr, when);
	for (unsigned i = 0; i < p->prefixes_count; i++)
		ask(p, p->prefixes[i].prefix.addr, when);
	for (unsigned i = 0; i < p->borders_count; i++) {
		const struct profile_border *b = &p->borders[i];

		for (unsigned j = 0; j < b->networks_count; j++) {
			int found = profile_border_of_asn(p, b->networks[j].asn, when);

			/* One AS is at one border at a time, whatever the order of lines. */
			if (validity_holds(&b->valid, when) &&
			    validity_holds(&b->networks[j].valid, when))
				must(found == (int)i);
		}
		for (unsigned j = 0; j < b->prefixes_count; j++)
			ask(p, b->prefixes[j].prefix.addr, when);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct profile *p = NULL;
	struct bp_error err = {0};
	int rc = profile_parse("fuzz", (const char *)data, size, &p, &err);

	if (rc < 0) {
		must(p == NULL && err.code == rc);
		must(err.text[0] != '\0' && strchr(err.text, '\n') == NULL);
		return 0;
	}
	must(p->id && p->version && p->network_name && p->timezone);
	must(p->borders_count >= 1 && p->borders_count <= 16 && p->prefixes_count >= 1);
	for (unsigned i = 0; i < p->borders_count; i++)
		must(p->borders[i].name && p->borders[i].short_name && p->borders[i].color &&
		     strlen(p->borders[i].color) == 7);
	ask_all(p, (struct wall){1});
	ask_all(p, wall_now());
	profile_free(p);
	return 0;
}
