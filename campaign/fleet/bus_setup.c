// SPDX-License-Identifier: BSD-2-Clause
/* The stream of results and the buckets of a fleet: made where they are not there. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "campaign/fleet/bus_inside.h"

/* JetStream's numbers for "there is one of that name, made otherwise", and for "none of it". */
enum { JS_NAME_EXISTS = 10058, BUCKET_HISTORY = 1 };

static const char *const buckets[] = {"BP_PLANS", "BP_STATUS", "BP_CENTRE", "BP_FLEET"};

static int stream_make(struct bus *b, const char *name, const char *config, bool *made,
		       struct bp_error *err)
{
	char subject[BUS_SUBJECT_TEXT];
	struct json_node *tree = NULL;
	int64_t code;
	int rc;

	*made = false;
	snprintf(subject, sizeof(subject), "$JS.API.STREAM.INFO.%s", name);
	rc = bus_js(b, subject, NULL, NULL, 0, &tree, &code, err);
	free(tree);
	if (rc != BP_ENOTFOUND)
		return rc;
	tree = NULL;
	snprintf(subject, sizeof(subject), "$JS.API.STREAM.CREATE.%s", name);
	rc = bus_js(b, subject, NULL, config, strlen(config), &tree, &code, err);
	free(tree);
	*made = rc == 0;
	return code == JS_NAME_EXISTS ? 0 : rc;
}

/* The library knows how to write back all of a configuration. */
static int stream_grow(struct bus *b, const char *name, int64_t bytes, struct bp_error *err)
{
	jsCtx *js = NULL;
	jsStreamInfo *info = NULL, *after = NULL;
	jsErrCode code = 0;
	natsStatus s = natsConnection_JetStream(&js, b->nc, NULL);

	if (s == NATS_OK)
		s = js_GetStreamInfo(&info, js, name, NULL, &code);
	if (s == NATS_OK && info->Config->MaxBytes > 0 && info->Config->MaxBytes < bytes) {
		info->Config->MaxBytes = bytes;
		s = js_UpdateStream(&after, js, info->Config, NULL, &code);
	}
	jsStreamInfo_Destroy(after);
	jsStreamInfo_Destroy(info);
	jsCtx_Destroy(js);
	return bus_status(b, s, err, "the size of stream %s", name);
}

int bus_setup(struct bus *b, unsigned replicas, int64_t stream_bytes, struct bp_error *err)
{
	char config[1024], name[BUS_NAME_TEXT];
	bool made;
	int rc;

	if (replicas < 1 || replicas > 5 || stream_bytes < 0)
		return bp_fail(err, BP_EINVAL, "1 to 5 replicas");
	if (stream_bytes == 0)
		stream_bytes = BUS_STREAM_BYTES_DEFAULT;
	snprintf(config, sizeof(config),
		 "{\"name\":\"BP_RESULTS\",\"subjects\":[\"bp.result.*\"],\"retention\":\"workqueue\","
		 "\"storage\":\"file\",\"discard\":\"new\",\"max_consumers\":-1,\"max_msgs\":-1,"
		 "\"max_bytes\":%" PRId64 ",\"max_age\":0,\"max_msg_size\":1048576,"
		 "\"max_msgs_per_subject\":%d,\"discard_new_per_subject\":true,"
		 "\"num_replicas\":%u,\"duplicate_window\":120000000000}",
		 stream_bytes, BUS_WAITING_MAX, replicas);
	rc = stream_make(b, "BP_RESULTS", config, &made, err);
	if (rc == 0 && !made)
		rc = stream_grow(b, "BP_RESULTS", stream_bytes, err);
	for (size_t i = 0; rc == 0 && i < sizeof(buckets) / sizeof(*buckets); i++) {
		snprintf(name, sizeof(name), "KV_%s", buckets[i]);
		snprintf(config, sizeof(config),
			 "{\"name\":\"%s\",\"subjects\":[\"$KV.%s.>\"],\"retention\":\"limits\","
			 "\"storage\":\"file\",\"discard\":\"new\",\"max_consumers\":-1,"
			 "\"max_msgs\":-1,\"max_bytes\":-1,\"max_age\":0,\"max_msg_size\":1048576,"
			 "\"max_msgs_per_subject\":%d,\"num_replicas\":%u,"
			 "\"allow_rollup_hdrs\":true,\"deny_delete\":true,\"allow_direct\":true,"
			 "\"duplicate_window\":120000000000}",
			 name, buckets[i], BUCKET_HISTORY, replicas);
		rc = stream_make(b, name, config, &made, err);
	}
	return rc;
}
