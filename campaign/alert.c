// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which events are told, and by which hook: each hook takes its messages in order, one at a time;
 * what fails is tried again after a pause that doubles, up to five minutes, for a week.
 */
#include "campaign/alert.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "campaign/alert_inside.h"

#define PAUSE_NS NS_PER_S
#define PAUSE_MAX_NS (300 * NS_PER_S)
#define KEEP_NS (7 * 24 * 3600 * NS_PER_S)

enum { SECRET_MAX = 1024 };

struct hook {
	const char *name;      /* as in the outbox; NULL: there is none of this kind */
	unsigned failures;     /* in a row */
	struct mono next;      /* not tried before */
	char id[OUTBOX_ID_TEXT]; /* under way */
	uint64_t number;
	bool busy;
};

struct alert {
	struct outbox box;
	struct hook hooks[ALERT_HOOKS];
	struct alert_exec *program;
	struct alert_web *post;
	uint8_t body;          /* enum campaign_body */
	char campaign[TRACE_CAMPAIGN_TEXT];
	void (*on_note)(void *arg, const char *text);
	void *arg;
	struct alert_counts counts;
};

static unsigned number_of(const struct alert *a, const struct hook *h)
{
	return (unsigned)(h - a->hooks);
}

static bool is_web(const struct alert *a, const struct hook *h)
{
	return number_of(a, h) == ALERT_WEBHOOK;
}

static void __attribute__((format(printf, 2, 3))) note(struct alert *a, const char *fmt, ...)
{
	struct buf text;
	va_list ap;

	if (a->on_note == NULL)
		return;
	buf_init(&text);
	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	a->on_note(a->arg, text.failed ? "out of memory" : text.bytes);
	buf_fini(&text);
}

/* --- opening ---------------------------------------------------------------------------------- */

/* The key of the webhook. It is read once: a change is taken up with the plan. */
static int read_secret(const char *file, unsigned char *key, size_t *n, struct bp_error *err)
{
	char text[SECRET_MAX];
	FILE *f = fopen(file, "re");
	bool read;

	if (f == NULL)
		return bp_fail_sys(err, errno, "cannot read the webhook's secret %s", file);
	read = fgets(text, sizeof(text), f) != NULL;
	fclose(f);
	*n = read ? alert_secret(text, key, SECRET_MAX) : 0;
	explicit_bzero(text, sizeof(text));
	if (*n == 0)
		return bp_fail(err, BP_EINVAL, "%s has no secret in its first line: put one there, "
			       "such as whsec_ and the base64 of 32 random bytes", file);
	return 0;
}

static int open_web(struct alert *a, const struct campaign_plan *p, struct bp_error *err)
{
	unsigned char key[SECRET_MAX];
	size_t n = 0;
	int rc = 0;

	if (p->webhook_secret[0] != '\0')
		rc = read_secret(p->webhook_secret, key, &n, err);
	if (rc == 0)
		rc = alert_web_new(p->webhook_url, n > 0 ? key : NULL, n, &a->post, err);
	explicit_bzero(key, sizeof(key));
	a->hooks[ALERT_WEBHOOK].name = "webhook";
	return rc;
}

/* Messages for a hook that the plan no longer has. */
static void drop_orphans(struct alert *a)
{
	unsigned i = 0, n = 0;

	while (i < a->box.count) {
		const struct outbox_item *it = &a->box.items[i];
		bool wanted = false;

		for (unsigned k = 0; k < ALERT_HOOKS; k++)
			wanted |= a->hooks[k].name != NULL &&
				  strcmp(a->hooks[k].name, it->hook) == 0;
		if (wanted) {
			i++;
			continue;
		}
		a->counts.dropped[strcmp(it->hook, "exec") == 0 ? ALERT_EXEC : ALERT_WEBHOOK]++;
		outbox_done(&a->box, it);
		n++;
	}
	if (n > 0)
		note(a, "alerts: %u for a hook that the plan no longer has are dropped", n);
}

int alert_open(const struct campaign_plan *p, const char *dir,
	       void (*on_note)(void *arg, const char *text), void *arg, struct alert **out,
	       struct bp_error *err)
{
	struct alert *a = calloc(1, sizeof(*a));
	int rc;

	if (a == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	a->on_note = on_note;
	a->arg = arg;
	a->body = p->webhook_body;
	text_set(a->campaign, sizeof(a->campaign), p->campaign);
	rc = outbox_open(&a->box, dir, err);
	if (rc == 0 && p->webhook_url[0] != '\0')
		rc = open_web(a, p, err);
	if (rc == 0 && p->alert_exec[0] != '\0') {
		a->hooks[ALERT_EXEC].name = "exec";
		if (access(p->alert_exec, X_OK) < 0)
			rc = bp_fail_sys(err, errno, "alerts.exec: cannot run %s", p->alert_exec);
		else if (alert_exec_new(p->alert_exec, &a->program) < 0)
			rc = bp_fail(err, BP_ENOMEM, "out of memory");
	}
	if (rc < 0) {
		alert_close(a);
		return rc;
	}
	drop_orphans(a);
	if (a->box.count > 0)
		note(a, "alerts: %u to be delivered from before", a->box.count);
	*out = a;
	return 0;
}

void alert_close(struct alert *a)
{
	if (a == NULL)
		return;
	alert_exec_free(a->program);
	alert_web_free(a->post);
	outbox_close(&a->box);
	free(a);
}

/* --- in --------------------------------------------------------------------------------------- */

static bool is_told(const struct event *e)
{
	if (e->withdrawn || e->status == EVENT_PROVISIONAL)
		return false;
	if (e->status == EVENT_RESOLVED)
		return true;
	/* Of a confirmed one the first word, and of a flapping each that comes. */
	return e->status == EVENT_CONFIRMED;
}

/* What makes later words about one event the same word: a switch that one more vantage point saw is
 * told once. */
static void word_id(const struct event *e, char out[static OUTBOX_ID_TEXT])
{
	size_t n = strlen(e->id);

	if (e->kind == EVENT_FLAPPING && e->status != EVENT_RESOLVED) {
		text_set(out, OUTBOX_ID_TEXT, e->id);
		return;
	}
	/* ev-<hex>-<revision>: without the revision. */
	while (n > 0 && e->id[n - 1] != '-')
		n--;
	snprintf(out, OUTBOX_ID_TEXT, "%.*s%s", (int)n, e->id,
		 e->status == EVENT_RESOLVED ? "resolved" : "confirmed");
}

/* One that the outbox has no room for is told, and dropped. */
static int put(struct alert *a, const struct hook *h, const struct event *e, struct bp_error *err)
{
	struct buf body;
	int rc;

	if (h->name == NULL)
		return 0;
	buf_init(&body);
	if (is_web(a, h) && a->body == CAMPAIGN_BODY_ALERTMANAGER)
		alert_body_alertmanager(&body, e, a->campaign, "");
	else
		alert_body_event(&body, e, "");
	rc = body.failed ? bp_fail(err, BP_ENOMEM, "out of memory") :
	     outbox_put(&a->box, h->name, e->id, body.bytes, body.used, err);
	buf_fini(&body);
	if (rc != BP_EAGAIN)
		return rc;
	a->counts.dropped[number_of(a, h)]++;
	note(a, "alert %s is dropped: %s", e->id, err->text);
	return 0;
}

int alert_event(struct alert *a, const struct event *e, struct bp_error *err)
{
	char word[OUTBOX_ID_TEXT];
	int rc = 0;

	word_id(e, word);
	if (!is_told(e) || outbox_was_told(&a->box, word))
		return 0;
	for (unsigned i = 0; i < ALERT_HOOKS && rc == 0; i++)
		rc = put(a, &a->hooks[i], e, err);
	return rc == 0 ? outbox_tell(&a->box, word, err) : rc;
}

/* --- out -------------------------------------------------------------------------------------- */

static void pause_hook(struct hook *h)
{
	int64_t ns = PAUSE_NS << (h->failures < 10 ? h->failures : 10);

	if (ns > PAUSE_MAX_NS)
		ns = PAUSE_MAX_NS;
	/* So that many who failed together do not come again together. */
	ns += (int64_t)(h->number * 2654435761u % 1000) * ns / 4000;
	h->next = mono_add(mono_now(), ns);
	h->failures++;
}

static const struct outbox_item *under_way(const struct alert *a, const struct hook *h)
{
	const struct outbox_item *it = outbox_first(&a->box, h->name);

	return it != NULL && it->number == h->number ? it : NULL;
}

static void taken(struct alert *a, struct hook *h)
{
	const struct outbox_item *it = under_way(a, h);

	if (it != NULL)
		outbox_done(&a->box, it);
	if (h->failures > 0)
		note(a, "%s: takes alerts again", h->name);
	h->failures = 0;
	a->counts.ok[number_of(a, h)]++;
}

static void failed(struct alert *a, struct hook *h, const char *why)
{
	const struct outbox_item *it = under_way(a, h);

	a->counts.failed[number_of(a, h)]++;
	if (it != NULL && wall_now().ns - it->since.ns > KEEP_NS) {
		note(a, "alert %s is dropped after a week: %s", it->id, why);
		outbox_done(&a->box, it);
		a->counts.dropped[number_of(a, h)]++;
	} else if (h->failures == 0) {
		note(a, "alert %s: %s; it is kept, and tried again", h->id, why);
	}
	pause_hook(h);
}

/* BORDERPATH_*: what a script asks first. */
static int start_exec(struct alert *a, const struct outbox_item *it, struct bp_error *err)
{
	char id[OUTBOX_ID_TEXT + 32], campaign[TRACE_CAMPAIGN_TEXT + 32];
	char *env[] = {id, campaign, NULL};
	int fd = outbox_file(&a->box, it), rc;

	if (fd < 0)
		return bp_fail(err, fd, "its message cannot be read");
	snprintf(id, sizeof(id), "BORDERPATH_EVENT_ID=%s", it->id);
	snprintf(campaign, sizeof(campaign), "BORDERPATH_CAMPAIGN=%s", a->campaign);
	rc = alert_exec_start(a->program, fd, env, err);
	close(fd);
	return rc;
}

static int start_web(struct alert *a, const struct outbox_item *it, struct bp_error *err)
{
	struct buf body;
	int rc;

	buf_init(&body);
	rc = outbox_read(&a->box, it, &body);
	if (rc < 0)
		bp_fail(err, rc, "its message cannot be read");
	else
		rc = alert_web_start(a->post, it->id, wall_now(), &body, err);
	buf_fini(&body);
	return rc;
}

static void start(struct alert *a, struct hook *h)
{
	const struct outbox_item *it = outbox_first(&a->box, h->name);
	struct bp_error err = {0};
	int rc;

	if (it == NULL || !mono_reached(mono_now(), h->next))
		return;
	text_set(h->id, sizeof(h->id), it->id);
	h->number = it->number;
	rc = is_web(a, h) ? start_web(a, it, &err) : start_exec(a, it, &err);
	h->busy = rc == 0;
	if (rc < 0)
		failed(a, h, err.text);
}

static void step(struct alert *a, struct hook *h)
{
	char why[512] = "";
	enum delivery d;

	if (h->name == NULL)
		return;
	if (h->busy) {
		d = is_web(a, h) ? alert_web_state(a->post, why, sizeof(why)) :
		    alert_exec_state(a->program, why, sizeof(why));
		if (d == DELIVERY_UNDER_WAY)
			return;
		h->busy = false;
		if (d == DELIVERY_TAKEN)
			taken(a, h);
		else
			failed(a, h, why);
	}
	start(a, h);
}

void alert_step(struct alert *a)
{
	for (unsigned i = 0; i < ALERT_HOOKS; i++)
		step(a, &a->hooks[i]);
}

unsigned alert_poll(struct alert *a, struct pollfd *fds, unsigned max, struct mono *wake)
{
	unsigned n = 0;

	for (unsigned i = 0; i < ALERT_HOOKS; i++) {
		struct hook *h = &a->hooks[i];

		if (h->name == NULL)
			continue;
		if (!h->busy && outbox_first(&a->box, h->name) != NULL)
			*wake = mono_min(*wake, h->next);
		if (h->busy && !is_web(a, h))
			n += alert_exec_poll(a->program, fds + n, max - n, wake);
		if (h->busy && is_web(a, h))
			n += alert_web_poll(a->post, fds + n, max - n, wake);
	}
	return n;
}

unsigned alert_flush(struct alert *a, int64_t limit_ns)
{
	struct mono limit = mono_add(mono_now(), limit_ns);
	struct pollfd fds[2 * DELIVERY_FDS_MAX];

	for (unsigned i = 0; i < ALERT_HOOKS; i++)
		a->hooks[i].next = mono_now();
	alert_step(a);
	while (a->box.count > 0 && !mono_reached(mono_now(), limit)) {
		struct mono wake = limit;
		unsigned n = alert_poll(a, fds, 2 * DELIVERY_FDS_MAX, &wake);
		int64_t ns = mono_since(wake, mono_now());

		poll(fds, n, ns > 0 ? (int)(ns / NS_PER_MS) + 1 : 0);
		alert_step(a);
	}
	return a->box.count;
}

void alert_count(const struct alert *a, struct alert_counts *out)
{
	*out = a->counts;
	for (unsigned i = 0; i < ALERT_HOOKS; i++)
		out->waiting[i] = a->hooks[i].name != NULL ?
				  outbox_waiting(&a->box, a->hooks[i].name) : 0;
}
