// SPDX-License-Identifier: BSD-2-Clause
/* The stream of results and the buckets of a fleet: made where they are not there, and what an
 * older program made brought to what they are now. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "campaign/fleet/bus_inside.h"
#include "core/json.h"

/* JetStream's number for "there is one of that name, made otherwise". */
enum { JS_NAME_EXISTS = 10058, BUCKET_HISTORY = 1 };

static const char *const buckets[] = {"BP_PLANS", "BP_STATUS", "BP_CENTRE", "BP_FLEET"};

/* What a stream of ours is, whoever made it and when. at_least: a larger number stays. */
struct trait {
	const char *key;
	enum node_kind kind;   /* NODE_TRUE, NODE_FALSE, NODE_NUMBER */
	int64_t number;
	bool at_least;
};
enum { TRAITS_MAX = 6 };

/* A roll-up is a header of a message that drops others: of an entry that one vantage point may
 * write, those of all. */
static const struct trait bucket_traits[TRAITS_MAX] = {
	{"allow_rollup_hdrs", NODE_FALSE, 0, false},
	{"deny_delete", NODE_TRUE, 0, false},
	{"deny_purge", NODE_TRUE, 0, false},
	{"allow_direct", NODE_TRUE, 0, false},
	{"max_msgs_per_subject", NODE_NUMBER, BUCKET_HISTORY, false},
};

static void put_trait(struct json_writer *w, const struct trait *t)
{
	if (t->kind == NODE_NUMBER)
		json_put_int(w, t->key, t->number);
	else
		json_put_bool(w, t->key, t->kind == NODE_TRUE);
}

/* A server leaves out what is false. */
static bool has_trait(const struct json_node *config, const struct trait *t)
{
	const struct json_node *v = node_get(config, t->key);
	int64_t number;

	if (t->kind == NODE_NUMBER)
		return node_int(v, INT64_MIN, INT64_MAX, &number) &&
		       (t->at_least ? number < 0 || number >= t->number : number == t->number);
	return node_is(v, NODE_TRUE) == (t->kind == NODE_TRUE);
}

/* --- what is there ---------------------------------------------------------------------------- */

static void put_node(struct json_writer *w, const struct json_node *v)
{
	const char *key = v->key[0] != '\0' ? v->key : NULL;
	const struct json_node *each;
	uint32_t i;

	switch (v->kind) {
	case NODE_OBJECT:
	case NODE_ARRAY:
		if (v->kind == NODE_OBJECT)
			json_begin_object(w, key);
		else
			json_begin_array(w, key);
		NODE_EACH(v, i, each)
			put_node(w, each);
		json_end(w);
		break;
	case NODE_STRING:
		json_put_str(w, key, v->text);
		break;
	case NODE_NUMBER:
		json_put_raw(w, key, v->text, v->n);
		break;
	case NODE_NULL:
		json_put_null(w, key);
		break;
	default:
		json_put_bool(w, key, v->kind == NODE_TRUE);
	}
}

static const struct trait *trait_of(const struct trait *traits, const char *key)
{
	while (traits->key != NULL && strcmp(traits->key, key) != 0)
		traits++;
	return traits->key != NULL ? traits : NULL;
}

static void put_config(struct buf *out, const struct json_node *config, const struct trait *traits)
{
	const struct json_node *each;
	struct json_writer w;
	uint32_t i;

	json_start(&w, out);
	json_begin_object(&w, NULL);
	NODE_EACH(config, i, each) {
		const struct trait *t = trait_of(traits, each->key);

		if (t == NULL || has_trait(config, t))
			put_node(&w, each);
	}
	for (; traits->key != NULL; traits++) {
		if (!has_trait(config, traits))
			put_trait(&w, traits);
	}
	json_end(&w);
}

/* All of its configuration goes back, with what is ours to say of it. Who may not say it finds that
 * in bus_trouble: it works as it was, and one who may comes by. */
static int stream_fit(struct bus *b, const char *name, const struct json_node *config,
		      const struct trait *traits, struct bp_error *err)
{
	char subject[BUS_SUBJECT_TEXT];
	struct json_node *tree = NULL;
	const struct trait *t = traits;
	struct buf text;
	int rc;

	while (t->key != NULL && has_trait(config, t))
		t++;
	if (t->key == NULL)
		return 0;
	buf_init(&text);
	put_config(&text, config, traits);
	snprintf(subject, sizeof(subject), "$JS.API.STREAM.UPDATE.%s", name);
	rc = text.failed ? bp_fail(err, BP_ENOMEM, "out of memory") :
			   bus_js(b, subject, NULL, text.bytes, text.used, &tree, NULL, err);
	free(tree);
	buf_fini(&text);
	return rc == BP_EPERM ? 0 : rc;
}

/* --- what is not ------------------------------------------------------------------------------ */

static void put_stream(struct buf *out, const char *name, const char *subjects,
		       const char *retention, unsigned replicas, const struct trait *traits)
{
	struct json_writer w;

	json_start(&w, out);
	json_begin_object(&w, NULL);
	json_put_str(&w, "name", name);
	json_begin_array(&w, "subjects");
	json_put_str(&w, NULL, subjects);
	json_end(&w);
	json_put_str(&w, "retention", retention);
	json_put_str(&w, "storage", "file");
	json_put_str(&w, "discard", "new");
	json_put_int(&w, "max_consumers", -1);
	json_put_int(&w, "max_msgs", -1);
	json_put_int(&w, "max_age", 0);
	json_put_int(&w, "max_msg_size", 1048576);
	json_put_int(&w, "num_replicas", replicas);
	json_put_int(&w, "duplicate_window", 120 * NS_PER_S);
	for (; traits->key != NULL; traits++)
		put_trait(&w, traits);
	json_end(&w);
}

static int stream_make(struct bus *b, const char *name, const char *subjects,
		       const char *retention, unsigned replicas, const struct trait *traits,
		       struct bp_error *err)
{
	char subject[BUS_SUBJECT_TEXT];
	struct json_node *tree = NULL;
	struct buf config;
	int64_t code;
	int rc;

	snprintf(subject, sizeof(subject), "$JS.API.STREAM.INFO.%s", name);
	rc = bus_js(b, subject, NULL, NULL, 0, &tree, &code, err);
	if (rc == 0)
		rc = stream_fit(b, name, node_get(tree, "config"), traits, err);
	free(tree);
	if (rc != BP_ENOTFOUND)
		return rc;
	tree = NULL;
	buf_init(&config);
	put_stream(&config, name, subjects, retention, replicas, traits);
	snprintf(subject, sizeof(subject), "$JS.API.STREAM.CREATE.%s", name);
	rc = config.failed ? bp_fail(err, BP_ENOMEM, "out of memory") :
			     bus_js(b, subject, NULL, config.bytes, config.used, &tree, &code, err);
	free(tree);
	buf_fini(&config);
	return code == JS_NAME_EXISTS ? 0 : rc;
}

int bus_setup(struct bus *b, unsigned replicas, int64_t stream_bytes, struct bp_error *err)
{
	const struct trait traits[TRAITS_MAX] = {
		{"max_bytes", NODE_NUMBER,
		 stream_bytes > 0 ? stream_bytes : BUS_STREAM_BYTES_DEFAULT, true},
		{"max_msgs_per_subject", NODE_NUMBER, BUS_WAITING_MAX, false},
		{"discard_new_per_subject", NODE_TRUE, 0, false},
		{"allow_rollup_hdrs", NODE_FALSE, 0, false},
	};
	char name[BUS_NAME_TEXT], subjects[BUS_SUBJECT_TEXT];
	int rc;

	if (replicas < 1 || replicas > 5 || stream_bytes < 0)
		return bp_fail(err, BP_EINVAL, "1 to 5 replicas");
	rc = stream_make(b, "BP_RESULTS", "bp.result.*", "workqueue", replicas, traits, err);
	for (size_t i = 0; rc == 0 && i < sizeof(buckets) / sizeof(*buckets); i++) {
		snprintf(name, sizeof(name), "KV_%s", buckets[i]);
		snprintf(subjects, sizeof(subjects), "$KV.%s.>", buckets[i]);
		rc = stream_make(b, name, subjects, "limits", replicas, bucket_traits, err);
	}
	return rc;
}
