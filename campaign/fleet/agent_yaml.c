// SPDX-License-Identifier: BSD-2-Clause
/*
 * A plan as this machine runs it: what came from the broker, without what the centre decides or a
 * vantage point must not be told from afar (store, keep, alerts, metrics), and with the vantage
 * point's own name. Event by event, as libyaml reads and writes; what the plan means is plan.h's.
 */
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "campaign/fleet/agent_inside.h"

static const char *const left_out[] = {"store", "keep", "alerts", "metrics", NULL};

struct filter {
	yaml_parser_t in;
	yaml_emitter_t out;
	const char *vantage;
};

static int on_write(void *arg, unsigned char *bytes, size_t n)
{
	struct buf *out = arg;

	buf_append(out, bytes, n);
	return !out->failed;
}

static int unreadable(struct bp_error *err)
{
	return bp_fail(err, BP_EPARSE, "the plan cannot be written for this vantage point");
}

static int next(struct filter *f, yaml_event_t *e, struct bp_error *err)
{
	return yaml_parser_parse(&f->in, e) ? 0 : unreadable(err);
}

/* The emitter owns the event then, whatever it says. */
static int put(struct filter *f, yaml_event_t *e, struct bp_error *err)
{
	return yaml_emitter_emit(&f->out, e) ? 0 : unreadable(err);
}

static int put_scalar(struct filter *f, const char *text, bool quoted, struct bp_error *err)
{
	yaml_event_t e;

	if (!yaml_scalar_event_initialize(&e, NULL, NULL, (const yaml_char_t *)text, -1, 1, 1,
					  quoted ? YAML_DOUBLE_QUOTED_SCALAR_STYLE :
						   YAML_PLAIN_SCALAR_STYLE))
		return bp_fail(err, BP_ENOMEM, "out of memory");
	return put(f, &e, err);
}

static int put_mapping(struct filter *f, bool begins, struct bp_error *err)
{
	yaml_event_t e;

	if (!(begins ? yaml_mapping_start_event_initialize(&e, NULL, NULL, 1,
							   YAML_BLOCK_MAPPING_STYLE) :
		       yaml_mapping_end_event_initialize(&e)))
		return bp_fail(err, BP_ENOMEM, "out of memory");
	return put(f, &e, err);
}

/* The value that comes next: passed on, or passed over. */
static int value(struct filter *f, bool keep, struct bp_error *err)
{
	unsigned depth = 0;

	do {
		yaml_event_t e;
		int rc = next(f, &e, err);

		if (rc < 0)
			return rc;
		if (e.type == YAML_MAPPING_START_EVENT || e.type == YAML_SEQUENCE_START_EVENT)
			depth++;
		else if (e.type == YAML_MAPPING_END_EVENT || e.type == YAML_SEQUENCE_END_EVENT)
			depth--;
		if (keep)
			rc = put(f, &e, err);
		else
			yaml_event_delete(&e);
		if (rc < 0)
			return rc;
	} while (depth > 0);
	return 0;
}

static bool key_is(const yaml_event_t *e, const char *word)
{
	return e->type == YAML_SCALAR_EVENT && e->data.scalar.length == strlen(word) &&
	       memcmp(e->data.scalar.value, word, e->data.scalar.length) == 0;
}

static bool is_left_out(const yaml_event_t *e)
{
	for (unsigned i = 0; left_out[i] != NULL; i++) {
		if (key_is(e, left_out[i]))
			return true;
	}
	return false;
}

static int put_name(struct filter *f, struct bp_error *err)
{
	int rc = put_scalar(f, "name", false, err);

	return rc < 0 ? rc : put_scalar(f, f->vantage, true, err);
}

/* The value of `vantage`: a name, or a group of which the place stays. */
static int put_vantage(struct filter *f, struct bp_error *err)
{
	yaml_event_t e;
	bool group;
	int rc = put_scalar(f, "vantage", false, err);

	if (rc == 0)
		rc = put_mapping(f, true, err);
	if (rc == 0)
		rc = put_name(f, err);
	if (rc == 0)
		rc = next(f, &e, err);
	if (rc < 0)
		return rc;
	group = e.type == YAML_MAPPING_START_EVENT;
	yaml_event_delete(&e);
	while (group && rc == 0) {
		rc = next(f, &e, err);
		if (rc < 0)
			return rc;
		if (e.type == YAML_MAPPING_END_EVENT) {
			yaml_event_delete(&e);
			break;
		}
		if (key_is(&e, "name")) {
			yaml_event_delete(&e);
			rc = value(f, false, err);
		} else {
			rc = put(f, &e, err);
			if (rc == 0)
				rc = value(f, true, err);
		}
	}
	return rc < 0 ? rc : put_mapping(f, false, err);
}

/* One member of the plan. 1: there was none. */
static int member(struct filter *f, bool *named, struct bp_error *err)
{
	yaml_event_t e;
	int rc = next(f, &e, err);

	if (rc < 0)
		return rc;
	if (e.type == YAML_MAPPING_END_EVENT) {
		yaml_event_delete(&e);
		return 1;
	}
	if (key_is(&e, "vantage")) {
		yaml_event_delete(&e);
		*named = true;
		return put_vantage(f, err);
	}
	if (is_left_out(&e)) {
		yaml_event_delete(&e);
		return value(f, false, err);
	}
	rc = put(f, &e, err);
	return rc < 0 ? rc : value(f, true, err);
}

static int plan(struct filter *f, struct bp_error *err)
{
	yaml_event_t e;
	bool named = false;
	int rc = 0;

	/* Stream, document, and the plan itself begin. */
	for (unsigned i = 0; i < 3 && rc == 0; i++) {
		rc = next(f, &e, err);
		if (rc == 0 && i == 2 && e.type != YAML_MAPPING_START_EVENT) {
			yaml_event_delete(&e);
			return unreadable(err);
		}
		if (rc == 0)
			rc = put(f, &e, err);
	}
	while (rc == 0)
		rc = member(f, &named, err);
	if (rc == 1 && !named) {
		rc = put_scalar(f, "vantage", false, err);
		if (rc == 0)
			rc = put_mapping(f, true, err);
		if (rc == 0)
			rc = put_name(f, err);
		if (rc == 0)
			rc = put_mapping(f, false, err);
	}
	if (rc < 0)
		return rc;
	rc = put_mapping(f, false, err);
	/* And they end. */
	for (unsigned i = 0; i < 2 && rc == 0; i++) {
		rc = next(f, &e, err);
		if (rc == 0)
			rc = put(f, &e, err);
	}
	return rc;
}

int agent_yaml(const char *yaml, size_t n, const char *vantage, struct buf *out,
	       struct bp_error *err)
{
	struct filter f = {.vantage = vantage};
	int rc;

	if (!yaml_parser_initialize(&f.in))
		return bp_fail(err, BP_ENOMEM, "out of memory");
	if (!yaml_emitter_initialize(&f.out)) {
		yaml_parser_delete(&f.in);
		return bp_fail(err, BP_ENOMEM, "out of memory");
	}
	yaml_parser_set_input_string(&f.in, (const unsigned char *)yaml, n);
	yaml_emitter_set_output(&f.out, on_write, out);
	yaml_emitter_set_unicode(&f.out, 1);
	yaml_emitter_set_width(&f.out, -1);
	rc = plan(&f, err);
	yaml_emitter_delete(&f.out);
	yaml_parser_delete(&f.in);
	return rc == 0 && out->failed ? bp_fail(err, BP_ENOMEM, "out of memory") : rc;
}
