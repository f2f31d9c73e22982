// SPDX-License-Identifier: BSD-2-Clause
/* What the broker knows of a fleet: read, and written where it differs. */
#include "cli/fleet/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "campaign/fleet/derive.h"
#include "cli/fleet/fleet.h"
#include "cli/fleet/known.h"
#include "core/text.h"

static const char FLEET[] = "BP_FLEET", PLANS[] = "BP_PLANS";

/* --- reading ---------------------------------------------------------------------------------- */

static void *grow(void *list, unsigned count, size_t size)
{
	return reallocarray(list, count + 1, size);
}

static char *copy_bytes(const char *bytes, size_t n)
{
	char *out = malloc(n + 1);

	if (out == NULL)
		return NULL;
	memcpy(out, bytes, n);
	out[n] = '\0';
	return out;
}

static int add_source(struct view *v, const char *campaign, const char *yaml, size_t n)
{
	struct view_source *more = grow(v->sources, v->sources_count, sizeof(*more));

	if (more == NULL)
		return BP_ENOMEM;
	v->sources = more;
	more = &v->sources[v->sources_count];
	*more = (struct view_source){.yaml = copy_bytes(yaml, n), .n = n};
	if (more->yaml == NULL)
		return BP_ENOMEM;
	text_set(more->campaign, sizeof(more->campaign), campaign);
	v->sources_count++;
	return 0;
}

static int add_deployment_take(struct view *v, struct deployment *d)
{
	struct deployment *more = grow(v->deployed, v->deployed_count, sizeof(*more));

	if (more == NULL) {
		deployment_fini(d);
		return BP_ENOMEM;
	}
	v->deployed = more;
	v->deployed[v->deployed_count++] = *d;
	return 0;
}

static int on_fleet(void *arg, const struct bus_entry *e, struct bp_error *err)
{
	struct view *v = arg;
	struct deployment d;
	int rc;

	if (strcmp(e->key, "roster") == 0) {
		rc = roster_read("the broker's list of the fleet", e->bytes, e->size, &v->roster, err);
		v->roster_known = rc == 0;
		v->roster_revision = e->revision;
		return rc;
	}
	if (strncmp(e->key, "plan.", 5) == 0 && bus_name_ok(e->key + 5))
		rc = add_source(v, e->key + 5, e->bytes, e->size);
	else if (strncmp(e->key, "deployed.", 9) == 0 && bus_name_ok(e->key + 9)) {
		rc = deployment_read(e->key, e->bytes, e->size, &d, err);
		if (rc < 0)
			return rc;
		rc = add_deployment_take(v, &d);
	} else {
		return 0;
	}
	return rc < 0 ? bp_fail(err, rc, "out of memory") : 0;
}

static int on_plan(void *arg, const struct bus_entry *e, struct bp_error *err)
{
	struct view *v = arg;
	struct view_plan *more = grow(v->plans, v->plans_count, sizeof(*more));

	if (more == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	v->plans = more;
	more = &v->plans[v->plans_count];
	*more = (struct view_plan){.yaml = copy_bytes(e->bytes, e->size), .n = e->size,
				   .revision = e->revision, .created = e->created};
	if (more->yaml == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	text_set(more->key, sizeof(more->key), e->key);
	v->plans_count++;
	return 0;
}

static int by_name(const void *x, const void *y)
{
	const struct deployment *a = x, *b = y;

	return strcmp(a->campaign, b->campaign);
}

int view_read(struct bus *b, struct view *v, struct bp_error *err)
{
	int rc = v->roster.replicas > 0 ? bus_setup(b, v->roster.replicas, 0, err) : 0;

	roster_fini(&v->roster);
	/* In this order: who deploys puts the campaign first, and plans of none are deleted. */
	if (rc == 0)
		rc = bus_each(b, PLANS, on_plan, v, err);
	if (rc == 0)
		rc = bus_each(b, FLEET, on_fleet, v, err);
	if (v->deployed_count > 1)
		qsort(v->deployed, v->deployed_count, sizeof(*v->deployed), by_name);
	return rc;
}

void view_fini(struct view *v)
{
	for (unsigned i = 0; i < v->deployed_count; i++)
		deployment_fini(&v->deployed[i]);
	for (unsigned i = 0; i < v->sources_count; i++)
		free(v->sources[i].yaml);
	for (unsigned i = 0; i < v->plans_count; i++)
		free(v->plans[i].yaml);
	free(v->deployed);
	free(v->sources);
	free(v->plans);
	roster_fini(&v->roster);
	*v = (struct view){0};
}

/* --- the list --------------------------------------------------------------------------------- */

static int load_list(const char *dir, struct roster *out, struct bp_error *err)
{
	char path[PATH_MAX];

	*out = (struct roster){0};
	return roster_load(fleet_path(dir, "fleet.json", path), out, err);
}

static int no_list(struct bp_error *err)
{
	return bp_fail(err, BP_ENOTFOUND, "the broker has no list of the fleet yet: say --dir DIR, what "
		       "`fleet init` made");
}

static bool is_same(const struct roster *a, const struct roster *b)
{
	struct buf x, y;
	bool same;

	buf_init(&x);
	buf_init(&y);
	roster_put(&x, a);
	roster_put(&y, b);
	same = !x.failed && !y.failed && strcmp(x.bytes, y.bytes) == 0;
	buf_fini(&x);
	buf_fini(&y);
	return same;
}

/* Two copies of a directory: what one did is not taken back by the other, which does not know. */
static int is_behind(const char *dir, uint64_t theirs, struct bp_error *err)
{
	return bp_fail(err, BP_EFOREIGN, "another copy of %s has changed the broker's list of the fleet "
		       "(now revision %llu): `borderpath fleet refresh --dir %s` brings it here", dir,
		       (unsigned long long)theirs, dir);
}

int view_take_list(const char *dir, struct view *v, struct bp_error *err)
{
	struct roster ours = {0};
	uint64_t known = 0;
	int rc;

	v->behind = false;
	if (dir == NULL)
		return v->roster_known ? 0 : no_list(err);
	rc = load_list(dir, &ours, err);
	if (rc == 0)
		rc = known_read(dir, &known, err);
	if (rc == 0)
		v->behind = v->roster_known && known != v->roster_revision &&
			    !is_same(&ours, &v->roster);
	if (rc < 0 || v->behind) {
		roster_fini(&ours);
		return rc;
	}
	roster_fini(&v->roster);
	v->roster = ours;
	return 0;
}

/* BP_EFOREIGN: it is another's by now. The server says so in words alone. */
static int put_expected(struct bus *b, const char *bucket, const char *key, const void *bytes,
			size_t n, uint64_t *revision, struct bp_error *err)
{
	const uint64_t expected = *revision;
	uint64_t there = 0;
	struct bp_error why;
	struct buf now;
	int rc = bus_put(b, bucket, key, bytes, n, revision, err);

	if (rc != BP_EAGAIN || expected == 0)
		return rc;
	buf_init(&now);
	if (bus_get(b, bucket, key, &now, &there, NULL, &why) == 0 && there != expected)
		rc = bp_fail(err, BP_EFOREIGN, "%s was changed by somebody else meanwhile: do it again",
			     key);
	buf_fini(&now);
	return rc;
}

static int put_list(struct bus *b, struct view *v, struct bp_error *err)
{
	uint64_t revision = v->roster_known ? v->roster_revision : BUS_REVISION_NONE;
	struct buf text;
	int rc;

	buf_init(&text);
	roster_put(&text, &v->roster);
	rc = text.failed ? bp_fail(err, BP_ENOMEM, "out of memory")
			 : put_expected(b, FLEET, "roster", text.bytes, text.used, &revision, err);
	buf_fini(&text);
	if (rc < 0)
		return rc;
	v->roster_known = true;
	v->roster_revision = revision;
	return 0;
}

/* Both, and what is to be done: nothing, a new list for the broker, a note of its revision. */
struct against { struct roster ours; uint64_t known; bool same; };

static int compare_lists(const char *dir, const struct view *v, struct against *out,
			 struct bp_error *err)
{
	int rc = known_read(dir, &out->known, err);

	if (rc == 0)
		rc = load_list(dir, &out->ours, err);
	if (rc < 0)
		return rc;
	out->same = v->roster_known && is_same(&out->ours, &v->roster);
	if (out->same || !v->roster_known || out->known == v->roster_revision)
		return 0;
	roster_fini(&out->ours);
	return is_behind(dir, v->roster_revision, err);
}

int view_check_list(const char *dir, const struct view *v, struct bp_error *err)
{
	struct against a = {0};
	int rc = compare_lists(dir, v, &a, err);

	roster_fini(&a.ours);
	return rc;
}

int view_sync(struct bus *b, const char *dir, struct view *v, struct bp_error *err)
{
	struct against a = {0};
	int rc;

	if (dir == NULL)
		return v->roster_known ? 0 : no_list(err);
	rc = compare_lists(dir, v, &a, err);
	if (rc < 0)
		return rc;
	roster_fini(&v->roster);
	v->roster = a.ours;
	if (!a.same)
		rc = put_list(b, v, err);
	return rc < 0 || a.known == v->roster_revision ? rc
						       : known_write(dir, v->roster_revision, err);
}

/* --- changing --------------------------------------------------------------------------------- */

struct deployment *view_find(struct view *v, const char *campaign)
{
	for (unsigned i = 0; i < v->deployed_count; i++) {
		if (strcmp(v->deployed[i].campaign, campaign) == 0)
			return &v->deployed[i];
	}
	return NULL;
}

static struct view_plan *plan_of(struct view *v, const char *vantage, const char *campaign)
{
	char key[VIEW_KEY_TEXT];

	snprintf(key, sizeof(key), "%s.%s", vantage, campaign);
	for (unsigned i = 0; i < v->plans_count; i++) {
		if (strcmp(v->plans[i].key, key) == 0)
			return &v->plans[i];
	}
	return NULL;
}

const struct view_plan *view_plan_of(const struct view *v, const char *vantage,
				     const char *campaign)
{
	struct view borrowed = *v;

	return plan_of(&borrowed, vantage, campaign);
}

static const struct view_source *source_of(const struct view *v, const char *campaign)
{
	for (unsigned i = 0; i < v->sources_count; i++) {
		if (strcmp(v->sources[i].campaign, campaign) == 0)
			return &v->sources[i];
	}
	return NULL;
}

bool view_has_source(const struct view *v, const char *campaign, const char *yaml, size_t n)
{
	const struct view_source *s = source_of(v, campaign);

	return s != NULL && s->n == n && memcmp(s->yaml, yaml, n) == 0;
}

void view_remove(struct view *v, const char *campaign)
{
	for (unsigned i = 0; i < v->deployed_count; i++) {
		if (strcmp(v->deployed[i].campaign, campaign) != 0)
			continue;
		deployment_fini(&v->deployed[i]);
		memmove(&v->deployed[i], &v->deployed[i + 1],
			(--v->deployed_count - i) * sizeof(*v->deployed));
		break;
	}
	for (unsigned i = 0; i < v->sources_count; i++) {
		if (strcmp(v->sources[i].campaign, campaign) != 0)
			continue;
		free(v->sources[i].yaml);
		v->sources[i] = v->sources[--v->sources_count];
		break;
	}
}

int view_put_take(struct view *v, struct deployment *d, const char *yaml, size_t n)
{
	int rc;

	view_remove(v, d->campaign);
	rc = add_source(v, d->campaign, yaml, n);
	if (rc < 0) {
		deployment_fini(d);
		return rc;
	}
	rc = add_deployment_take(v, d);
	if (rc == 0)
		qsort(v->deployed, v->deployed_count, sizeof(*v->deployed), by_name);
	return rc;
}

/* --- settling --------------------------------------------------------------------------------- */

void view_prune(struct view *v)
{
	for (unsigned i = 0; i < v->deployed_count; i++) {
		struct deployment *d = &v->deployed[i];
		unsigned kept = 0;

		for (unsigned k = 0; k < d->seats_count; k++) {
			if (roster_find(&v->roster, d->seats[k].vantage) != NULL)
				d->seats[kept++] = d->seats[k];
		}
		d->changed |= kept != d->seats_count;
		d->seats_count = kept;
	}
}

static int settle_one(struct view *v, const struct deployment *d,
		      const struct deployment_seat *seat, const struct view_source *source,
		      struct buf *text, struct bp_error *err)
{
	static const struct roster_where nowhere;
	const struct roster_key *key_of = roster_find(&v->roster, seat->vantage);
	const struct roster_where *where = key_of != NULL ? &key_of->where : &nowhere;
	const struct derive how = {
		.vantage = seat->vantage,
		.place_known = where->known,
		.lat = where->lat_e5 / 1e5,
		.lon = where->lon_e5 / 1e5,
		.address = where->address,
		.keep_place = d->seats_count == 1,
		.offset_ns = deployment_offset(d, (unsigned)(seat - d->seats)),
		.jitter_ns = deployment_jitter(d),
		.prefix_mpps = d->share_mpps,
	};
	struct view_plan *p = plan_of(v, seat->vantage, d->campaign);
	char key[VIEW_KEY_TEXT];
	int rc = derive_plan(d->campaign, source->yaml, source->n, &how, text, err);

	if (rc == 0 && text->used > BUS_PAYLOAD_MAX)
		rc = bp_fail(err, BP_ERANGE, "%s: as %s would get it, it has %zu bytes, and a fleet's "
			     "plan at most %d", d->campaign, seat->vantage, text->used,
			     BUS_PAYLOAD_MAX);
	if (rc < 0)
		return rc;
	if (p == NULL) {
		snprintf(key, sizeof(key), "%s.%s", seat->vantage, d->campaign);
		rc = on_plan(v, &(struct bus_entry){.key = key, .bytes = text->bytes,
						    .size = text->used}, err);
		if (rc < 0)
			return rc;
		p = &v->plans[v->plans_count - 1];
		p->changed = true;
	} else if (p->n != text->used || memcmp(p->yaml, text->bytes, p->n) != 0) {
		char *yaml = copy_bytes(text->bytes, text->used);

		if (yaml == NULL)
			return bp_fail(err, BP_ENOMEM, "out of memory");
		free(p->yaml);
		p->yaml = yaml;
		p->n = text->used;
		p->changed = true;
	}
	p->wanted = true;
	return 0;
}

int view_settle(struct view *v, struct bp_error *err)
{
	struct buf text;
	int rc;

	view_prune(v);
	rc = deployment_settle(v->deployed, v->deployed_count, v->roster.budget_pps, err);
	buf_init(&text);
	for (unsigned i = 0; rc == 0 && i < v->deployed_count; i++) {
		const struct deployment *d = &v->deployed[i];
		const struct view_source *source = source_of(v, d->campaign);

		if (source == NULL)
			rc = bp_fail(err, BP_ENOTFOUND, "the broker has lost the plan of %s: deploy it "
				     "again, or withdraw it", d->campaign);
		for (unsigned k = 0; rc == 0 && k < d->seats_count; k++)
			rc = settle_one(v, d, &d->seats[k], source, &text, err);
	}
	buf_fini(&text);
	return rc;
}

static int send_campaign(struct bus *b, const struct view *v, const struct deployment *d,
			 struct bp_error *err)
{
	const struct view_source *source = source_of(v, d->campaign);
	char key[VIEW_KEY_TEXT];
	struct buf text;
	int rc;

	buf_init(&text);
	snprintf(key, sizeof(key), "plan.%s", d->campaign);
	rc = bus_put(b, FLEET, key, source->yaml, source->n, NULL, err);
	deployment_put(&text, d);
	snprintf(key, sizeof(key), "deployed.%s", d->campaign);
	if (rc == 0)
		rc = text.failed ? bp_fail(err, BP_ENOMEM, "out of memory")
				 : bus_put(b, FLEET, key, text.bytes, text.used, NULL, err);
	buf_fini(&text);
	return rc;
}

int view_send(struct bus *b, struct view *v, const char *campaign, unsigned *changed,
	      struct bp_error *err)
{
	unsigned n = 0;
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < v->deployed_count; i++) {
		const struct deployment *d = &v->deployed[i];

		if (d->changed || (campaign != NULL && strcmp(d->campaign, campaign) == 0))
			rc = send_campaign(b, v, d, err);
	}
	for (unsigned i = 0; rc == 0 && i < v->plans_count; i++) {
		struct view_plan *p = &v->plans[i];

		if (p->wanted && p->changed) {
			/* Of one that is new any revision is right: it may have been deleted. */
			rc = put_expected(b, PLANS, p->key, p->yaml, p->n, &p->revision, err);
		} else if (!p->wanted) {
			rc = bus_delete(b, PLANS, p->key, err);
		} else {
			continue;
		}
		n++;
	}
	if (rc == 0)
		*changed = n;
	return rc;
}
