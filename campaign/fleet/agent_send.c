// SPDX-License-Identifier: BSD-2-Clause
/*
 * Rounds on their way: cut a few ahead, sent, sent again when no watermark came, forgotten when one
 * did. A broker that is away or takes no more is asked again after a growing pause.
 */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "campaign/fleet/agent_inside.h"
#include "core/jsontree.h"

#define ASK_WAIT_NS (2 * NS_PER_S)
#define PAUSE_NS (NS_PER_S / 2)
#define PAUSE_MAX_NS (30 * NS_PER_S)
#define DENIED_NS (60 * NS_PER_S)
#define LOOK_NS (2 * NS_PER_S)
enum { AGAIN_MAX = 15 /* times agent.again_ns */, STEP_CUTS = 4, STEP_SENDS = 8, STEP_MARKS = 16 };

/* --- watermarks ------------------------------------------------------------------------------- */

static void confirm(struct agent *a, uint64_t seq)
{
	struct agent_send *s = &a->send;
	struct cut_state before, now;
	struct bp_error err;
	bool news = false;
	uint64_t gone;

	cut_state(a->cut, &before);
	if (cut_confirm(a->cut, seq, &news, &err) < 0) {
		agent_trouble(a, "%s", err.text);
		return;
	}
	if (!news)
		return;
	cut_state(a->cut, &now);
	gone = now.confirmed - before.confirmed;
	if (gone > s->count)
		gone = s->count;
	memmove(s->list, s->list + gone, (s->count - gone) * sizeof(*s->list));
	s->count -= gone;
	s->idle = false;
	agent_changed(a);
}

/* Of ours; other epochs are of spools that are no more. */
static void take_marks(struct agent *a, const char *bytes, size_t n)
{
	const struct json_node *marks, *m;
	struct json_node *tree;
	struct cut_state state, after;
	struct bp_error err;
	const char *type, *vantage;
	int64_t version = 0, seq;

	tree = n <= BUS_PAYLOAD_MAX ? json_tree(bytes, n, &err) : NULL;
	type = node_text(node_get(tree, "type"));
	vantage = node_text(node_get(tree, "vantage"));
	if (type == NULL || strcmp(type, "marks") != 0 || vantage == NULL ||
	    strcmp(vantage, a->o->vantage) != 0 ||
	    !node_int(node_get(tree, "version"), 1, INT64_MAX, &version) || version != 1) {
		agent_trouble(a, "watermarks that cannot be read are passed over");
		free(tree);
		return;
	}
	marks = node_get(tree, "marks");
	/* Where one epoch is confirmed to its end, the next one's turn comes. */
	do {
		cut_state(a->cut, &state);
		m = node_get(marks, state.epoch);
		if (m != NULL && !node_int(m, 0, INT64_MAX, &seq))
			agent_trouble(a, "a watermark that is no number is passed over");
		else if (m != NULL)
			confirm(a, (uint64_t)seq);
		cut_state(a->cut, &after);
	} while (strcmp(after.epoch, state.epoch) != 0);
	free(tree);
}

static void hear(struct agent *a, struct mono now)
{
	struct agent_send *s = &a->send;
	char subject[BUS_SUBJECT_TEXT];
	struct bus_message m;
	struct bp_error err;
	int rc = 0;

	if (!mono_reached(now, s->marks_again))
		return;
	if (s->marks == NULL) {
		snprintf(subject, sizeof(subject), "bp.mark.%s", a->o->vantage);
		rc = bus_listen(a->bus, subject, NULL, &s->marks, &err);
	}
	for (unsigned i = 0; i < STEP_MARKS && rc == 0; i++) {
		rc = bus_hear(s->marks, 0, &m, &err);
		if (rc == 0) {
			take_marks(a, m.bytes, m.size);
			bus_message_drop(&m);
		}
	}
	if (rc < 0 && rc != BP_ENOTFOUND && rc != BP_EAGAIN) {
		agent_trouble(a, "watermarks: %s", err.text);
		s->marks_again = mono_add(now, agent_jitter(DENIED_NS));
	}
}

static void ask(struct agent *a, struct mono now)
{
	struct agent_send *s = &a->send;
	char subject[BUS_SUBJECT_TEXT];
	struct cut_state state;
	struct bp_error err;
	struct buf answer;
	char said[96];
	int rc;

	s->ask = mono_add(now, agent_jitter(a->again_ns / 2));
	snprintf(subject, sizeof(subject), "bp.ask.%s", a->o->vantage);
	/* What is forgotten here: a centre that was restored from a backup must not wait for it. */
	cut_state(a->cut, &state);
	snprintf(said, sizeof(said), "{\"epoch\":\"%s\",\"confirmed\":%" PRIu64 "}", state.epoch,
		 state.epoch_confirmed);
	buf_init(&answer);
	rc = bus_ask(a->bus, subject, said, strlen(said), ASK_WAIT_NS, &answer, &err);
	if (rc == 0)
		take_marks(a, answer.bytes != NULL ? answer.bytes : "", answer.used);
	else if (rc != BP_EAGAIN && rc != BP_ENOTFOUND) /* no collector now: no trouble of ours */
		agent_trouble(a, "%s", err.text);
	buf_fini(&answer);
}

/* --- cutting ---------------------------------------------------------------------------------- */

static int grow(struct agent_send *s, size_t count)
{
	size_t room = s->room > 0 ? s->room : AGENT_WINDOW;
	struct agent_sending *more;

	while (room < count)
		room *= 2;
	if (room != s->room) {
		more = reallocarray(s->list, room, sizeof(*more));
		if (more == NULL)
			return BP_ENOMEM;
		s->list = more;
		s->room = room;
	}
	for (; s->count < count; s->count++)
		s->list[s->count] = (struct agent_sending){0};
	return 0;
}

/* What was cut has its row in the list. */
static void follow(struct agent *a)
{
	struct cut_state state;

	cut_state(a->cut, &state);
	if (grow(&a->send, (size_t)(state.cut - state.confirmed)) < 0)
		agent_trouble(a, "out of memory");
}

static void cut_ahead(struct agent *a, struct mono now)
{
	struct agent_send *s = &a->send;
	struct cut_state state;
	struct bp_error err;
	uint64_t window = (uint64_t)a->spool_max / 8;
	bool anew;
	int rc = 0;

	if (window > AGENT_WINDOW_BYTES)
		window = AGENT_WINDOW_BYTES;
	if (s->idle && !mono_reached(now, s->look))
		return;
	s->idle = false;
	for (unsigned i = 0; i < STEP_CUTS && rc == 0; i++) {
		cut_state(a->cut, &state);
		if (state.cut - state.confirmed >= AGENT_WINDOW ||
		    state.bytes >= window)
			return;
		if (!agent_spool_open(a))
			break;
		rc = cut_next(a->cut, a->spool, &anew, &err);
		if (anew)
			agent_trouble(a, "%s was made anew: its rounds are sent from the first",
				      a->spool_file);
		if (rc == 0 && cut_told(a->cut)[0] != '\0')
			agent_trouble(a, "%s", cut_told(a->cut));
		follow(a);
	}
	if (rc < 0 && rc != BP_ENOTFOUND)
		agent_trouble(a, "%s", err.text);
	if (rc < 0 || a->spool == NULL) {
		s->idle = true;
		s->look = mono_add(now, LOOK_NS);
	}
}

void agent_send_measured(struct agent *a, const char *id)
{
	struct bp_error err;
	unsigned again;

	if (!agent_spool_open(a))
		return;
	if (cut_measured(a->cut, a->spool, id, &again, &err) < 0)
		agent_trouble(a, "%s", err.text);
	if (again > 0)
		agent_note(a, "%u slots that had been told as missed were measured: sent anew", again);
}

/* --- sending ---------------------------------------------------------------------------------- */

static int64_t grown(int64_t ns, unsigned times, int64_t most)
{
	while (times-- > 0 && ns < most)
		ns *= 2;
	return ns < most ? ns : most;
}

static void refused(struct agent *a, int rc, const struct bp_error *err)
{
	struct agent_send *s = &a->send;
	int64_t pause = grown(PAUSE_NS, s->failures++, PAUSE_MAX_NS);

	if (rc == BP_EPERM)
		s->denied++;
	if (rc != BP_EAGAIN)
		pause = DENIED_NS;
	s->pause = mono_add(mono_now(), agent_jitter(pause));
	agent_trouble(a, "not sent: %s", err->text);
}

static int send_one(struct agent *a, size_t at)
{
	struct agent_send *s = &a->send;
	char subject[BUS_SUBJECT_TEXT], id[BATCH_ID_TEXT];
	struct cut_state state;
	struct batch_head head;
	struct bp_error err;
	struct buf bytes;
	int64_t again;
	int rc;

	cut_state(a->cut, &state);
	buf_init(&bytes);
	rc = cut_get(a->cut, state.confirmed + 1 + at, &bytes, &head, &err);
	if (rc == 0) {
		snprintf(subject, sizeof(subject), "bp.result.%s", a->o->vantage);
		batch_id(&head, s->list[at].tries, id);
		rc = bus_publish(a->bus, subject, id, bytes.bytes, bytes.used, NULL, &err);
	}
	buf_fini(&bytes);
	if (rc < 0) {
		refused(a, rc, &err);
		return rc;
	}
	s->failures = 0;
	s->sent++;
	again = grown(a->again_ns, s->list[at].tries, AGAIN_MAX * a->again_ns);
	s->list[at].due = mono_add(mono_now(), 2 * agent_jitter(again));
	s->list[at].tries++;
	return 0;
}

/* The first that is due. False: none is. */
static bool due(const struct agent_send *s, struct mono now, size_t *at)
{
	for (size_t i = 0; i < s->count && i < AGENT_WINDOW; i++) {
		if (mono_reached(now, s->list[i].due)) {
			*at = i;
			return true;
		}
	}
	return false;
}

void agent_send_step(struct agent *a)
{
	struct agent_send *s = &a->send;
	struct mono now = mono_now();
	size_t at;

	follow(a);
	cut_ahead(a, now);
	if (!bus_is_connected(a->bus)) {
		s->was_connected = s->asked = false;
		return;
	}
	if (!s->was_connected) {
		s->was_connected = true;
		s->pause.ns = 0;
		s->failures = 0;
	}
	hear(a, now);
	/* Before anything is sent again that the centre may have. */
	if (!s->asked || (s->count > 0 && mono_reached(now, s->ask))) {
		ask(a, now);
		s->asked = true;
	}
	for (unsigned i = 0; i < STEP_SENDS && mono_reached(mono_now(), s->pause); i++) {
		if (!due(s, mono_now(), &at) || send_one(a, at) < 0)
			break;
	}
}

bool agent_send_done(const struct agent *a)
{
	for (size_t i = 0; i < a->send.count; i++) {
		if (a->send.list[i].tries == 0)
			return false;
	}
	return a->send.idle;
}

void agent_send_fini(struct agent *a)
{
	bus_ear_close(a->send.marks);
	free(a->send.list);
}

int64_t agent_jitter(int64_t ns)
{
	return ns / 2 + (int64_t)((double)ns / 2 * randombytes_uniform(1u << 20) / (1u << 20));
}
