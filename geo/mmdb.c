// SPDX-License-Identifier: BSD-2-Clause
/* The only file with maxminddb.h. A key path that a record does not have is an error code of the
 * library, not "no entry": the layout is found once, by a sample of records at open, and each
 * look-up knows which of the library's codes means what. */
#include "geo/mmdb.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <maxminddb.h>

#include "core/text.h"

enum {
	SAMPLE_RECORDS = 64,   /* at open: enough to meet the keys, a few microseconds */
	SAMPLE_NODES = 20000,
	TREE_DEPTH_MAX = 128,  /* bits of an address */
};

/* Whose keys. `key` holds the AS number or the country; `second` the AS's name, or for countries
 * what is taken where `key` is missing. */
struct layout {
	const char *name;
	const char *key[3], *second[3];
};

static const struct layout asn_layouts[] = {
	/* MaxMind GeoLite2-ASN; ip-location-db; ours (geo/data/mkasn.pl) */
	{"maxmind", {"autonomous_system_number"}, {"autonomous_system_organization"}},
	/* IPinfo: "AS2519" as text */
	{"ipinfo", {"asn"}, {"as_name"}},
	/* CIRCL Geo Open Country-ASN: the number as text */
	{"geo-open",
	 {"country", "AutonomousSystemNumber"},
	 {"country", "AutonomousSystemOrganization"}},
};

static const struct layout country_layouts[] = {
	/* MaxMind GeoLite2-Country, -City; where the place is not known, where it is registered */
	{"maxmind", {"country", "iso_code"}, {"registered_country", "iso_code"}},
	/* ip-location-db, and IPinfo Lite */
	{"flat", {"country_code"}, {NULL}},
	/* IPinfo's older files */
	{"ipinfo", {"country"}, {NULL}},
};

struct mmdb {
	MMDB_s db;
	char *path;
	enum mmdb_kind kind;
	const struct layout *layout;
	char type[64], description[256]; /* fit to be shown, whatever the file says */
};

static const struct layout *layouts_of(enum mmdb_kind kind, size_t *count)
{
	if (kind == MMDB_KIND_ASN) {
		*count = sizeof(asn_layouts) / sizeof(asn_layouts[0]);
		return asn_layouts;
	}
	*count = sizeof(country_layouts) / sizeof(country_layouts[0]);
	return country_layouts;
}

/* BP_ENOTFOUND: the record has no such key. BP_EPARSE: it cannot be read. */
static int value_at(const MMDB_entry_s *entry, const char *const path[3], MMDB_entry_data_s *out)
{
	MMDB_entry_s start = *entry;
	int rc;

	if (path[0] == NULL)
		return BP_ENOTFOUND;
	rc = MMDB_aget_value(&start, out, path);
	if (rc == MMDB_LOOKUP_PATH_DOES_NOT_MATCH_DATA_ERROR ||
	    rc == MMDB_INVALID_LOOKUP_PATH_ERROR)
		return BP_ENOTFOUND;
	if (rc != MMDB_SUCCESS)
		return BP_EPARSE;
	return out->has_data ? 0 : BP_ENOTFOUND;
}

static int text_at(const MMDB_entry_s *entry, const char *const path[3], char *out, size_t size)
{
	MMDB_entry_data_s data;
	int rc = value_at(entry, path, &data);

	if (rc < 0)
		return rc;
	if (data.type != MMDB_DATA_TYPE_UTF8_STRING)
		return BP_ENOTFOUND;
	text_copy(out, size, data.utf8_string, data.data_size);
	return 0;
}

/* 0 is no AS ("not routed" in some files). */
static int asn_at(const MMDB_entry_s *entry, const char *const path[3], uint32_t *out)
{
	MMDB_entry_data_s data;
	char text[16];
	uint64_t v = 0;
	int rc = value_at(entry, path, &data);

	if (rc < 0)
		return rc;
	switch (data.type) {
	case MMDB_DATA_TYPE_UINT16:
		v = data.uint16;
		break;
	case MMDB_DATA_TYPE_UINT32:
		v = data.uint32;
		break;
	case MMDB_DATA_TYPE_UINT64:
		v = data.uint64;
		break;
	case MMDB_DATA_TYPE_UTF8_STRING:
		text_copy(text, sizeof(text), data.utf8_string, data.data_size);
		if (text_to_u64(strncmp(text, "AS", 2) == 0 ? text + 2 : text, 1, UINT32_MAX, &v) <
		    0)
			return BP_ENOTFOUND;
		break;
	default:
		return BP_ENOTFOUND;
	}
	if (v == 0 || v > UINT32_MAX)
		return BP_ENOTFOUND;
	*out = (uint32_t)v;
	return 0;
}

static int country_at(const MMDB_entry_s *entry, const char *const path[3], char out[static 3])
{
	char text[8];
	int rc = text_at(entry, path, text, sizeof(text));

	if (rc < 0)
		return rc;
	/* ZZ is "unknown" in the registries' files, -- and names in others. */
	if (strlen(text) != 2 || text[0] < 'A' || text[0] > 'Z' || text[1] < 'A' || text[1] > 'Z' ||
	    strcmp(text, "ZZ") == 0)
		return BP_ENOTFOUND;
	memcpy(out, text, 3);
	return 0;
}

static int read_record(enum mmdb_kind kind, const struct layout *l, const MMDB_entry_s *entry,
		       uint32_t *asn, char *org, size_t org_size, char country[static 3])
{
	int rc;

	if (kind == MMDB_KIND_COUNTRY) {
		rc = country_at(entry, l->key, country);
		return rc == BP_ENOTFOUND ? country_at(entry, l->second, country) : rc;
	}
	rc = asn_at(entry, l->key, asn);
	if (rc < 0)
		return rc;
	org[0] = '\0';
	rc = text_at(entry, l->second, org, org_size);
	return rc == BP_EPARSE ? rc : 0;
}

/* A walk over the tree, at most `records` records and `nodes` nodes; each record is handed to the
 * visitor, whose failure ends the walk. */
struct walk {
	uint64_t records_max, nodes_max;
	uint64_t records, nodes;
	int (*visit)(void *arg, const MMDB_entry_s *entry);
	void *arg;
};

static int walk_record(struct walk *w, uint64_t record, uint8_t type, const MMDB_entry_s *entry,
		       uint32_t *stack, uint8_t *depths, unsigned *top, uint8_t depth,
		       uint8_t deepest)
{
	switch (type) {
	case MMDB_RECORD_TYPE_EMPTY:
		return 0;
	case MMDB_RECORD_TYPE_DATA:
		if (w->records++ >= w->records_max)
			return BP_EOF;
		return w->visit(w->arg, entry);
	case MMDB_RECORD_TYPE_SEARCH_NODE:
		if (depth >= deepest || *top > TREE_DEPTH_MAX)
			return BP_EPARSE; /* deeper than an address has bits: a loop */
		stack[*top] = (uint32_t)record;
		depths[(*top)++] = (uint8_t)(depth + 1);
		return 0;
	default:
		return BP_EPARSE;
	}
}

/* 0 at the end of the tree or of the bounds; BP_EPARSE for a damaged tree; the visitor's code. */
static int walk_tree(const MMDB_s *db, struct walk *w)
{
	uint8_t deepest = db->metadata.ip_version == 4 ? 32 : 128;
	uint32_t stack[TREE_DEPTH_MAX + 2] = {0};
	uint8_t depths[TREE_DEPTH_MAX + 2] = {1};
	unsigned top = db->metadata.node_count > 0 ? 1 : 0;
	int rc = 0;

	while (top > 0 && rc == 0) {
		MMDB_search_node_s node;
		uint8_t depth = depths[--top];

		if (w->nodes++ >= w->nodes_max)
			return 0;
		if (MMDB_read_node(db, stack[top], &node) != MMDB_SUCCESS)
			return BP_EPARSE;
		rc = walk_record(w, node.right_record, node.right_record_type,
				 &node.right_record_entry, stack, depths, &top, depth, deepest);
		if (rc == 0)
			rc = walk_record(w, node.left_record, node.left_record_type,
					 &node.left_record_entry, stack, depths, &top, depth,
					 deepest);
	}
	return rc == BP_EOF ? 0 : rc;
}

enum { LAYOUTS_MAX = 4 };
struct sample { enum mmdb_kind kind; unsigned hits[LAYOUTS_MAX]; };

static int visit_sample(void *arg, const MMDB_entry_s *entry)
{
	struct sample *s = arg;
	size_t count;
	const struct layout *l = layouts_of(s->kind, &count);
	char org[8], country[3];
	uint32_t asn;

	for (size_t i = 0; i < count; i++) {
		int rc = read_record(s->kind, &l[i], entry, &asn, org, sizeof(org), country);

		if (rc == 0)
			s->hits[i]++;
		else if (rc != BP_ENOTFOUND)
			return rc;
	}
	return 0;
}

static int find_layout(struct mmdb *m, struct bp_error *err)
{
	static const char *const what[] = {[MMDB_KIND_ASN] = "AS numbers",
					   [MMDB_KIND_COUNTRY] = "countries"};
	struct sample s = {.kind = m->kind};
	struct walk w = {.records_max = SAMPLE_RECORDS, .nodes_max = SAMPLE_NODES,
			 .visit = visit_sample, .arg = &s};
	size_t count, best = 0;
	const struct layout *l = layouts_of(m->kind, &count);

	_Static_assert(sizeof(asn_layouts) / sizeof(asn_layouts[0]) <= LAYOUTS_MAX, "room");
	_Static_assert(sizeof(country_layouts) / sizeof(country_layouts[0]) <= LAYOUTS_MAX, "room");
	if (walk_tree(&m->db, &w) < 0)
		return bp_fail(err, BP_EPARSE, "%s is damaged: its %s cannot be read", m->path,
			       what[m->kind]);
	for (size_t i = 1; i < count; i++)
		if (s.hits[i] > s.hits[best])
			best = i;
	if (s.hits[best] == 0)
		return bp_fail(err, BP_EUNSUP,
			       "%s holds no %s that we can find (its type is \"%s\")", m->path,
			       what[m->kind], m->type);
	m->layout = &l[best];
	return 0;
}

static int open_failed(int rc, int sys, const char *path, struct bp_error *err)
{
	if (rc == MMDB_FILE_OPEN_ERROR)
		return bp_fail_sys(err, sys, "cannot open %s", path);
	if (rc == MMDB_OUT_OF_MEMORY_ERROR)
		return bp_fail(err, BP_ENOMEM, "%s: out of memory", path);
	if (rc == MMDB_IO_ERROR && sys != 0)
		return bp_fail_sys(err, sys, "cannot read %s", path);
	if (rc == MMDB_UNKNOWN_DATABASE_FORMAT_ERROR)
		return bp_fail(err, BP_EUNSUP, "%s is of a format version that is not supported",
			       path);
	return bp_fail(err, BP_EPARSE, "%s is not an MMDB file, or is damaged or cut short", path);
}

static void describe(struct mmdb *m)
{
	const MMDB_metadata_s *meta = &m->db.metadata;

	if (meta->database_type != NULL)
		text_set(m->type, sizeof(m->type), meta->database_type);
	for (size_t i = 0; i < meta->description.count; i++)
		if (strcmp(meta->description.descriptions[i]->language, "en") == 0)
			text_set(m->description, sizeof(m->description),
				 meta->description.descriptions[i]->description);
}

int mmdb_open(const char *path, enum mmdb_kind kind, struct mmdb **out, struct bp_error *err)
{
	struct mmdb *m;
	struct stat st;
	int rc;

	/* The library would report these two by whatever mmap says. */
	if (stat(path, &st) == 0 && (!S_ISREG(st.st_mode) || st.st_size == 0))
		return bp_fail(err, BP_EPARSE, "%s is %s", path,
			       S_ISREG(st.st_mode) ? "empty" : "not a regular file");
	m = calloc(1, sizeof(*m));
	if (m == NULL)
		return bp_fail(err, BP_ENOMEM, "%s: out of memory", path);
	m->kind = kind;
	m->path = strdup(path);
	if (m->path == NULL) {
		free(m);
		return bp_fail(err, BP_ENOMEM, "%s: out of memory", path);
	}
	errno = 0;
	rc = MMDB_open(path, MMDB_MODE_MMAP, &m->db);
	if (rc != MMDB_SUCCESS) {
		rc = open_failed(rc, errno, path, err);
		free(m->path);
		free(m);
		return rc;
	}
	describe(m);
	rc = find_layout(m, err);
	if (rc < 0) {
		mmdb_close(m);
		return rc;
	}
	*out = m;
	return 0;
}

void mmdb_close(struct mmdb *m)
{
	if (m == NULL)
		return;
	MMDB_close(&m->db);
	free(m->path);
	free(m);
}

static int find_entry(const struct mmdb *m, struct addr a, MMDB_entry_s *out)
{
	struct sockaddr_storage sa = {0};
	MMDB_lookup_result_s result;
	int rc = MMDB_SUCCESS;

	if (addr_to_sockaddr(a, 0, &sa) == 0)
		return BP_ENOTFOUND;
	/* Two steps through void: the library takes the general type, we hold the roomy one. */
	result = MMDB_lookup_sockaddr(&m->db, (const struct sockaddr *)(const void *)&sa, &rc);
	if (rc == MMDB_IPV6_LOOKUP_IN_IPV4_DATABASE_ERROR)
		return BP_EUNSUP;
	if (rc != MMDB_SUCCESS)
		return BP_EPARSE;
	if (!result.found_entry)
		return BP_ENOTFOUND;
	*out = result.entry;
	return 0;
}

int mmdb_asn(const struct mmdb *m, struct addr a, uint32_t *asn, char *org, size_t org_size)
{
	char country[3], name[256];
	MMDB_entry_s entry;
	uint32_t number;
	int rc = find_entry(m, a, &entry);

	if (rc == 0)
		rc = read_record(MMDB_KIND_ASN, m->layout, &entry, &number, name, sizeof(name),
				 country);
	if (rc < 0)
		return rc;
	*asn = number;
	text_set(org, org_size, name);
	return 0;
}

int mmdb_country(const struct mmdb *m, struct addr a, char out[static 3])
{
	MMDB_entry_s entry;
	uint32_t asn;
	char org[8];
	int rc = find_entry(m, a, &entry);

	return rc < 0 ? rc
		      : read_record(MMDB_KIND_COUNTRY, m->layout, &entry, &asn, org, sizeof(org),
				    out);
}

void mmdb_tell(const struct mmdb *m, struct mmdb_about *out)
{
	const MMDB_metadata_s *meta = &m->db.metadata;

	*out = (struct mmdb_about){
		.path = m->path,
		.type = m->type,
		.description = m->description,
		.layout = m->layout->name,
		.built_epoch = meta->build_epoch,
		.file_bytes = (uint64_t)m->db.file_size,
		.nodes = meta->node_count,
		.ip_version = (uint8_t)meta->ip_version,
	};
}

static int visit_verify(void *arg, const MMDB_entry_s *entry)
{
	const struct mmdb *m = arg;
	char org[8], country[3];
	uint32_t asn;
	int rc = read_record(m->kind, m->layout, entry, &asn, org, sizeof(org), country);

	return rc == BP_ENOTFOUND ? 0 : rc;
}

int mmdb_verify(const struct mmdb *m, uint64_t *records, struct bp_error *err)
{
	struct mmdb self = *m; /* the visitor's argument is not const */
	/* An IPv6 tree aliases its IPv4 part a few times; more than that is a loop of pointers. */
	struct walk w = {.records_max = UINT64_MAX,
			 .nodes_max = 8ull * m->db.metadata.node_count + 1024,
			 .visit = visit_verify,
			 .arg = &self};
	int rc = walk_tree(&m->db, &w);

	if (rc < 0 || w.nodes > w.nodes_max)
		return bp_fail(err, BP_EPARSE, "%s is damaged: record %llu cannot be read", m->path,
			       (unsigned long long)w.records);
	*records = w.records;
	return 0;
}
