// SPDX-License-Identifier: BSD-2-Clause
/*
 * Paths as people would jot them down, for tests. One word per TTL: an address (time exceeded),
 * "*" (silent), "*3" (three silent TTLs), "A!X" (code 13), "=A" (an echo reply: the destination);
 * "A|B|*" are the attempts of one TTL. Names come from a small table, as a database would give
 * them.
 */
#ifndef TESTS_PATH_TEXT_H
#define TESTS_PATH_TEXT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/record/names.h"
#include "core/record/trace.h"
#include "geo/profile.h"

static const char path_profile_yaml[] =
	"profile: test\n"
	"version: 2026-11-22\n"
	"network:\n"
	"  name: North Korea\n"
	"  asn: [131279]\n"
	"  prefixes: [175.45.176.0/22, \"2001:db8:b0::/44\"]\n"
	"  judge_by: {v4: 24, v6: 48}\n"
	"  since: 2010-09-17\n"
	"borders:\n"
	"  - id: dandong\n"
	"    name: Dandong / China\n"
	"    country: CN\n"
	"    networks:\n"
	"      - {asn: 4837, org: China Unicom, since: 2010-09-17}\n"
	"      - {asn: 9929, since: 2010-09-17}\n"
	"      - {asn: 134544, org: Cenbong, since: 2026-10-01}\n"
	"    prefixes:\n"
	"      - {prefix: 219.158.0.0/16, asn: 4837}\n"
	"      - {prefix: 103.35.252.0/22, asn: 134544, since: 2026-10-01}\n"
	"      - {prefix: \"2001:db8:d::/48\", asn: 4837}\n"
	"  - id: khasan\n"
	"    name: Khasan / Russia\n"
	"    country: RU\n"
	"    since: 2017-10-01T09:07:51Z\n"
	"    networks:\n"
	"      - {asn: 20485, org: TransTeleCom, since: 2017-10-01T09:07:51Z}\n"
	"    prefixes:\n"
	"      - {prefix: 188.43.0.0/16, asn: 20485}\n"
	"      - {prefix: 217.150.32.0/19, asn: 20485}\n"
	"      - {prefix: \"2001:db8:c::/48\", asn: 20485}\n"
	"others:\n"
	"  - id: satellite\n"
	"    name: Intelsat satellite\n"
	"    networks:\n"
	"      - {asn: 22351, org: Intelsat, since: 2012-04-08, until: 2014-01-01}\n"
	"      - {asn: 64511, org: Sat Two, since: 2010-01-01}\n"
	"labels:\n"
	"  - {prefix: 80.81.192.0/21, label: DE-CIX, role: exchange}\n"
	"  - {prefix: 188.43.3.213/32, label: Yandex-gw, role: customer}\n"
	"  - {prefix: 103.35.255.254/32, label: Cenbong router, org: Cenbong, asn: 134544,\n"
	"     border: dandong, role: border_router, since: 2026-10-01}\n"
	"targets:\n"
	"  - {host: 175.45.176.71}\n";

static const struct {
	const char *prefix;
	uint32_t asn;
	const char *org, *country;
} path_names[] = {
	{"66.110.0.0/16", 6453, "Tata", "US"},
	{"63.243.0.0/16", 6453, "Tata", "US"},
	{"213.248.64.0/18", 1299, "Telia", "SE"},
	{"219.158.0.0/16", 4837, "China Unicom", "CN"},
	{"210.52.0.0/16", 9929, "China Unicom", "CN"},
	{"103.35.252.0/24", 134544, "Cenbong", "HK"},
	{"188.43.0.0/16", 20485, "TransTeleCom", "RU"},
	{"217.150.32.0/19", 20485, "TransTeleCom", "RU"},
	{"202.72.96.0/24", 22351, "Intelsat", "US"},
	{"198.51.100.0/24", 64511, "Sat Two", "US"},
	{"203.0.113.0/24", 64496, "Odd Hosting", "KP"}, /* a country that lies */
	{"80.81.192.0/21", 6695, "DE-CIX", "DE"},
	{"87.250.0.0/16", 13238, "Yandex", "RU"},
	{"175.45.176.0/22", 131279, "Star JV", "KP"},
};

static inline struct profile *path_profile(void)
{
	struct bp_error err = {0};
	struct profile *p = NULL;

	if (profile_parse("test", path_profile_yaml, sizeof(path_profile_yaml) - 1, &p, &err) < 0) {
		print_error("%s\n", err.text);
		abort();
	}
	return p;
}

static inline struct addr path_addr(const char *text)
{
	struct addr a = {0};

	if (addr_parse(text, &a) < 0) {
		print_error("path_text: not an address: %s\n", text);
		abort();
	}
	return a;
}

static inline void path_name(struct names *names, struct addr a)
{
	struct name *n = names_put(names, a);

	for (size_t i = 0; i < sizeof(path_names) / sizeof(path_names[0]); i++) {
		struct prefix p;

		if (prefix_parse(path_names[i].prefix, &p) < 0)
			abort();
		if (!prefix_has(p, a))
			continue;
		n->asn = path_names[i].asn;
		n->source = NAME_SOURCE_ASN_DB;
		text_set(n->org, sizeof(n->org), path_names[i].org);
		text_set(n->country, sizeof(n->country), path_names[i].country);
	}
}

static inline void path_probe(struct trace *t, struct names *names, uint8_t ttl, uint8_t attempt,
			      char *text)
{
	struct trace_entry *e = &t->entries[t->entry_count++];
	char *mark = strchr(text, '!');
	struct reply *r = &e->reply;

	t->size = (uint32_t)trace_size(t->entry_count);
	trace_entry_init(e, ttl, attempt);
	if (text[0] == '*')
		return;
	if (mark != NULL)
		*mark = '\0';
	r->from = path_addr(text + (text[0] == '='));
	r->rtt_ns = (ttl * 10 + attempt) * NS_PER_MS;
	e->why = WHY_NONE;
	r->icmp_type = r->from.family == 4 ? 11 : 3;
	r->icmp_code = 0;
	if (text[0] == '=') {
		r->icmp_type = r->from.family == 4 ? 0 : 129;
		t->reach = REACH_REACHED;
	} else if (mark != NULL) {
		r->icmp_type = r->from.family == 4 ? 3 : 1;
		r->icmp_code = (int16_t)(mark[1] == 'X'	       ? r->from.family == 4 ? 13 : 1
					 : r->from.family == 4 ? 1
							       : 3);
	}
	path_name(names, r->from);
}

/* A trace to dst (NULL: not told) at `start`; names are filled. Free with free(). */
static inline struct trace *path_trace(const char *dst, const char *text, struct wall start,
				       struct names *names)
{
	struct trace *t = trace_new(2048);
	char *copy = strdup(text), *save_ttl = NULL;
	uint8_t ttl = 0;

	t->method = METHOD_ICMP;
	t->start = start;
	t->stamps = STAMPS_PCAP;
	t->dst = dst != NULL ? path_addr(dst) : (struct addr){0};
	for (char *w = strtok_r(copy, " ", &save_ttl); w; w = strtok_r(NULL, " ", &save_ttl)) {
		int silent = w[0] == '*' && w[1] >= '0' && w[1] <= '9' ? atoi(w + 1) : 0;
		char *save = NULL;
		uint8_t attempt = 0;

		for (int i = 0; i < silent; i++) {
			char star[] = "*";

			path_probe(t, names, ++ttl, 1, star);
		}
		if (silent)
			continue;
		ttl++;
		for (char *a = strtok_r(w, "|", &save); a; a = strtok_r(NULL, "|", &save))
			path_probe(t, names, ttl, ++attempt, a);
	}
	free(copy);
	return t;
}

static inline uint32_t path_next(uint32_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 17;
	return *s ^= *s << 5;
}

/* Any path at all, over addresses that matter. */
static inline void path_random(uint32_t *seed, char *out, size_t size)
{
	static const char *const words[] = {"*",
					    "*2",
					    "10.0.0.1",
					    "66.110.96.13",
					    "63.243.128.121",
					    "219.158.1.1",
					    "219.158.39.42",
					    "188.43.1.1",
					    "188.43.225.153",
					    "217.150.57.98",
					    "202.72.96.14",
					    "198.51.100.7",
					    "80.81.193.157",
					    "192.88.99.9",
					    "188.43.3.213",
					    "175.45.176.1",
					    "219.158.5.5!X",
					    "188.43.7.7!X",
					    "=175.45.176.71",
					    "103.35.255.254",
					    "219.158.1.1|188.43.1.1|*",
					    "*|188.43.8.8",
					    "213.248.97.173",
					    "219.158.1.2|219.158.1.3",
					    "175.45.177.10!X",
					    "66.110.96.13!X",
					    "10.0.0.1|219.158.7.7"};
	unsigned hops = 1 + path_next(seed) % 14;
	size_t used = 0;

	for (unsigned i = 0; i < hops && used < size; i++)
		used += (size_t)snprintf(out + used, size - used, "%s ",
					 words[path_next(seed) %
					       (sizeof(words) / sizeof(words[0]))]);
}

#endif
