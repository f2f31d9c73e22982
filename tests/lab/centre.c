// SPDX-License-Identifier: BSD-2-Clause
/*
 * centre SERVER COMMAND: what stands at the other end of an agent, for labs: an operator who hands
 * out plans, and a collector that keeps batches in files and tells watermarks. Knows no database.
 *
 *	setup                        streams and buckets
 *	put VANTAGE CAMPAIGN FILE    hands out a plan
 *	delete VANTAGE CAMPAIGN      takes it back
 *	status VANTAGE               what the agent says of itself
 *	collect VANTAGE DIR          until it is killed: DIR/EPOCH.SEQ.batch, written once, then the
 *	                             watermark; DIR/log one line a message: seq, attempt, "new", "same"
 *	                             or "other" (other bytes than before). While DIR/hold is there it
 *	                             keeps nothing and acknowledges nothing.
 *	read VANTAGE DIR             the records of all batches there, in order, on stdout
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "campaign/fleet/batch.h"
#include "campaign/fleet/bus.h"
#include "core/whole.h"

static int fail(const struct bp_error *err)
{
	fprintf(stderr, "centre: %s\n", err->text);
	return 1;
}

static char *slurp(const char *path, size_t *n)
{
	static char bytes[2 << 20];
	FILE *f = fopen(path, "r");

	if (f == NULL)
		return NULL;
	*n = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	return bytes;
}

static int put(struct bus *b, const char *vantage, const char *campaign, const char *file,
	       struct bp_error *err)
{
	char key[2 * BUS_NAME_TEXT], *bytes = NULL;
	size_t n = 0;

	snprintf(key, sizeof(key), "%s.%s", vantage, campaign);
	if (file == NULL)
		return bus_delete(b, "BP_PLANS", key, err);
	bytes = slurp(file, &n);
	if (bytes == NULL)
		return bp_fail_sys(err, errno, "%s", file);
	return bus_put(b, "BP_PLANS", key, bytes, n, NULL, err);
}

static int status(struct bus *b, const char *vantage, struct bp_error *err)
{
	struct buf text;
	int rc;

	buf_init(&text);
	rc = bus_get(b, "BP_STATUS", vantage, &text, NULL, NULL, err);
	if (rc == 0)
		printf("%s\n", text.bytes);
	buf_fini(&text);
	return rc;
}

enum { EPOCHS_MAX = 64 };

/* --- collecting ------------------------------------------------------------------------------- */

struct collecting {
	struct bus *bus;
	const char *vantage, *dir;
	struct { char name[BATCH_EPOCH_TEXT]; uint64_t through; } epochs[EPOCHS_MAX];
	unsigned epoch_count;      /* as they came; DIR/epochs remembers them */
	FILE *log;
};

static void batch_path(const struct collecting *c, const char *epoch, uint64_t seq,
		       char out[static 512])
{
	snprintf(out, 512, "%s/%s.%08" PRIu64 ".batch", c->dir, epoch, seq);
}

static void epochs_read(struct collecting *c)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/epochs", c->dir);
	f = fopen(path, "r");
	while (f != NULL && c->epoch_count < EPOCHS_MAX &&
	       fscanf(f, "%15s", c->epochs[c->epoch_count].name) == 1)
		c->epoch_count++;
	if (f != NULL)
		fclose(f);
}

static void epoch_seen(struct collecting *c, const char *epoch)
{
	char path[512];
	FILE *f;

	for (unsigned i = 0; i < c->epoch_count; i++) {
		if (strcmp(c->epochs[i].name, epoch) == 0)
			return;
	}
	snprintf(path, sizeof(path), "%s/epochs", c->dir);
	f = fopen(path, "a");
	if (f == NULL || c->epoch_count == EPOCHS_MAX)
		abort();
	fprintf(f, "%s\n", epoch);
	fclose(f);
	snprintf(c->epochs[c->epoch_count++].name, BATCH_EPOCH_TEXT, "%s", epoch);
}

static int tell_marks(struct collecting *c, struct bus_message *to, struct bp_error *err)
{
	char text[128 + 40 * EPOCHS_MAX], path[512], subject[BUS_SUBJECT_TEXT];
	int n = snprintf(text, sizeof(text),
			 "{\"type\":\"marks\",\"version\":1,\"vantage\":\"%s\",\"marks\":{", c->vantage);

	for (unsigned i = 0; i < c->epoch_count; i++) {
		for (;; c->epochs[i].through++) {
			batch_path(c, c->epochs[i].name, c->epochs[i].through + 1, path);
			if (access(path, F_OK) < 0)
				break;
		}
		n += snprintf(text + n, sizeof(text) - (size_t)n, "%s\"%s\":%" PRIu64,
			      i > 0 ? "," : "", c->epochs[i].name, c->epochs[i].through);
	}
	n += snprintf(text + n, sizeof(text) - (size_t)n, "}}");
	if (to != NULL)
		return bus_answer(c->bus, to, text, (size_t)n, err);
	snprintf(subject, sizeof(subject), "bp.mark.%s", c->vantage);
	return bus_tell(c->bus, subject, text, (size_t)n, err);
}

static int count_record(void *arg, struct record *r, struct bp_error *err)
{
	(void)arg, (void)r, (void)err;
	return 0;
}

static int keep(struct collecting *c, const struct bus_message *m, struct bp_error *err)
{
	enum batch_refusal refusal;
	struct batch_head head;
	const char *what = "new";
	char path[512], *before;
	size_t n = 0;
	int rc = batch_read(c->vantage, NULL, m->bytes, m->size, &head, count_record, NULL,
			    &refusal, err);

	if (rc < 0)
		return rc;
	batch_path(c, head.epoch, head.seq, path);
	before = slurp(path, &n);
	if (before != NULL)
		what = n == m->size && memcmp(before, m->bytes, n) == 0 ? "same" : "other";
	else
		rc = whole_write(path, m->bytes, m->size, err);
	epoch_seen(c, head.epoch);
	fprintf(c->log, "%" PRIu64 " %s %s\n", head.seq, m->id != NULL ? m->id : "-", what);
	fflush(c->log);
	return rc;
}

static int collect(struct bus *b, const char *vantage, const char *dir, struct bp_error *err)
{
	struct collecting c = {.bus = b, .vantage = vantage, .dir = dir};
	struct bus_message m[BUS_FETCH_MAX];
	struct bus_intake *in;
	struct bus_ear *asks;
	char path[512], subject[BUS_SUBJECT_TEXT];
	int rc;

	mkdir(dir, 0755);
	epochs_read(&c);
	snprintf(path, sizeof(path), "%s/log", dir);
	c.log = fopen(path, "a");
	snprintf(path, sizeof(path), "%s/hold", dir);
	snprintf(subject, sizeof(subject), "bp.ask.%s", vantage);
	if (c.log == NULL)
		return bp_fail_sys(err, errno, "%s", dir);
	rc = bus_intake_open(b, &in, err);
	if (rc == 0)
		rc = bus_listen(b, subject, "collect", &asks, err);
	while (rc == 0) {
		bool held = access(path, F_OK) == 0, kept = false;
		unsigned count = 0;

		rc = bus_fetch(in, BUS_FETCH_MAX, held ? 0 : 20 * NS_PER_MS, m, &count, err);
		for (unsigned i = 0; rc == 0 && i < count; i++) {
			if (held) {
				rc = bus_nak(&m[i], NS_PER_S / 2, err);
			} else {
				rc = keep(&c, &m[i], err);
				kept = rc == 0;
				if (rc == 0)
					rc = bus_ack(&m[i], err);
			}
			bus_message_drop(&m[i]);
		}
		if (rc == 0 && kept)
			rc = tell_marks(&c, NULL, err);
		if (rc == 0 && bus_hear(asks, 0, &m[0], err) == 0) {
			rc = tell_marks(&c, &m[0], err);
			bus_message_drop(&m[0]);
		}
		if (rc == BP_EAGAIN) { /* the broker is away */
			usleep(20000);
			rc = 0;
		}
	}
	return rc;
}

static int print_record(void *arg, struct record *r, struct bp_error *err)
{
	(void)arg, (void)err;
	puts(r->line);
	return 0;
}

static int read_all(const char *vantage, const char *dir, struct bp_error *err)
{
	struct collecting c = {.dir = dir};
	int rc = 0;

	epochs_read(&c);
	for (uint64_t seq = 1, i = 0; rc == 0 && i < c.epoch_count; seq++) {
		enum batch_refusal refusal;
		struct batch_head head;
		char path[512], *bytes;
		size_t n = 0;

		batch_path(&c, c.epochs[i].name, seq, path);
		bytes = slurp(path, &n);
		if (bytes == NULL) {
			seq = 0;
			i++;
			continue;
		}
		rc = batch_read(vantage, NULL, bytes, n, &head, print_record, NULL, &refusal, err);
	}
	return rc;
}

int main(int argc, char **argv)
{
	struct bp_error err = {0};
	struct bus *b = NULL;
	struct bus_options o = {.url = argc > 2 ? argv[1] : NULL, .name = "centre",
				.inbox = "centre", .wait_ns = 5 * NS_PER_S};
	const char *what = argc > 2 ? argv[2] : "";
	int rc;

	if (argc > 4 && strcmp(what, "read") == 0)
		return read_all(argv[3], argv[4], &err) < 0 ? fail(&err) : 0;
	if (sodium_init() < 0 || bus_open(&o, strcmp(what, "collect") == 0, &b, &err) < 0)
		return fail(&err);
	if (strcmp(what, "setup") == 0)
		rc = bus_setup(b, 1, 0, &err);
	else if (argc > 5 && strcmp(what, "put") == 0)
		rc = put(b, argv[3], argv[4], argv[5], &err);
	else if (argc > 4 && strcmp(what, "delete") == 0)
		rc = put(b, argv[3], argv[4], NULL, &err);
	else if (argc > 3 && strcmp(what, "status") == 0)
		rc = status(b, argv[3], &err);
	else if (argc > 4 && strcmp(what, "collect") == 0)
		rc = collect(b, argv[3], argv[4], &err);
	else
		rc = bp_fail(&err, BP_EINVAL, "%s: what?", what);
	bus_close(b);
	return rc < 0 ? fail(&err) : 0;
}
