// SPDX-License-Identifier: BSD-2-Clause
/* A collector: what it opens, one turn of it, and what is away for a while. */
#include "campaign/fleet/collect.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "campaign/fleet/collect_inside.h"
#include "core/text.h"

#define ASKS "bp.ask.*"
#define ASKS_QUEUE "collect"
#define NAP_NS (200 * NS_PER_MS)

void collect_note(struct collect *c, const char *fmt, ...)
{
	char text[2 * BP_ERROR_TEXT];
	va_list ap;

	if (c->hooks.on_note == NULL)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	c->hooks.on_note(c->hooks.arg, text);
}

void *collect_room(void *array, size_t count, size_t *room, size_t size)
{
	size_t more = *room > 0 ? 2 * *room : 16;
	void *grown;

	if (count < *room)
		return array;
	grown = reallocarray(array, more, size);
	if (grown != NULL)
		*room = more;
	return grown;
}

/* --- patience --------------------------------------------------------------------------------- */

void patience_lose(struct collect *c, struct patience *p, const char *text)
{
	int64_t wait = COLLECT_WAIT_MIN_NS;

	for (unsigned i = 0; i < p->fails && wait < COLLECT_WAIT_MAX_NS; i++)
		wait *= 2;
	if (wait > COLLECT_WAIT_MAX_NS)
		wait = COLLECT_WAIT_MAX_NS;
	/* Between a half and all of it, so that collectors do not come back together. */
	wait = wait / 2 + randombytes_uniform((uint32_t)(wait / 2 / NS_PER_US)) * NS_PER_US;
	p->until = mono_add(mono_now(), wait);
	p->fails++;
	if (!p->told)
		collect_note(c, "%s; tried again until it works", text);
	p->told = true;
}

void patience_win(struct collect *c, struct patience *p, const char *text)
{
	if (p->told)
		collect_note(c, "%s", text);
	*p = (struct patience){0};
}

bool patience_over(const struct patience *p, struct mono now)
{
	return mono_reached(now, p->until);
}

/* --- the store -------------------------------------------------------------------------------- */

void collect_store_lost(struct collect *c, const struct bp_error *err)
{
	collect_watch_lost(c);
	store_close(c->store);
	c->store = NULL;
	text_set(c->store_why, sizeof(c->store_why), err->text);
	patience_lose(c, &c->store_wait, err->text);
}

/* Only a server or a disk that is away: what the first try says of an address or a password stays
 * so, and is the caller's to tell. */
static int open_store(struct collect *c, struct bp_error *err)
{
	char id[STORE_ID_TEXT];
	int rc = store_open(c->o.store, STORE_WRITE, &c->store, err);

	if (rc == 0)
		rc = collect_marks_read(c, err);
	if (rc == 0)
		rc = store_id(c->store, id, err);
	/* A server may have been given another one meanwhile. */
	if (rc == 0 && strcmp(id, c->store_id) != 0) {
		c->centre_known = false;
		text_set(c->store_id, sizeof(c->store_id), id);
	}
	if (rc < 0) {
		store_close(c->store);
		c->store = NULL;
		text_set(c->store_why, sizeof(c->store_why), err->text);
	}
	return rc;
}

static bool store_ready(struct collect *c)
{
	struct bp_error err = {0};

	if (!patience_over(&c->store_wait, mono_now()))
		return false;
	if (c->store == NULL && open_store(c, &err) < 0) {
		patience_lose(c, &c->store_wait, err.text);
		return false;
	}
	return true;
}

/* --- the broker ------------------------------------------------------------------------------- */

static int set_up(struct collect *c, struct bp_error *err)
{
	int rc = bus_setup(c->bus, c->o.replicas, c->o.stream_bytes, err);

	if (rc == 0 && c->ear == NULL)
		rc = bus_listen(c->bus, ASKS, ASKS_QUEUE, &c->ear, err);
	if (rc == 0 && c->intake == NULL)
		rc = bus_intake_open(c->bus, &c->intake, err);
	c->set_up = rc == 0;
	return rc;
}

/* What a broker lost with its disk is made again; agents still have all that is not committed. */
static void bus_lost(struct collect *c, const struct bp_error *err)
{
	c->set_up = false;
	patience_lose(c, &c->bus_wait, err->text);
}

/* Also says what the library noticed meanwhile. */
static bool bus_works(struct collect *c)
{
	struct bp_error err = {0};
	char text[BP_ERROR_TEXT];

	while (bus_trouble(c->bus, text, sizeof(text)))
		collect_note(c, "the broker: %s", text);
	if (!patience_over(&c->bus_wait, mono_now()))
		return false;
	if (!c->set_up && set_up(c, &err) < 0) {
		bus_lost(c, &err);
		return false;
	}
	return true;
}

/* --- turns ------------------------------------------------------------------------------------ */

static void nap(int64_t ns)
{
	struct timespec t = {.tv_nsec = ns < NAP_NS ? ns : NAP_NS};

	/* A signal ends it early, and the caller looks. */
	nanosleep(&t, NULL);
}

/* What is in hand comes first: it has 60 s until the broker hands it to somebody else. */
static bool take(struct collect *c, int64_t wait_ns)
{
	struct bp_error err = {0};

	if (c->item_count == 0) {
		if (collect_fetch(c, wait_ns, &err) < 0) {
			bus_lost(c, &err);
			return false;
		}
		if (c->bus_wait.fails > 0)
			collect_watch_deaf(c);
		patience_win(c, &c->bus_wait, "the broker answers again");
	}
	if (c->item_count > 0)
		collect_take(c);
	return true;
}

static void tell_first(struct collect *c)
{
	if (c->marks_told || !c->marks_known)
		return;
	collect_marks_tell_all(c);
	c->marks_told = true;
}

void collect_step(struct collect *c, int64_t wait_ns)
{
	bool bus = bus_works(c), store = store_ready(c);

	c->counts.bus = bus;
	c->counts.store = store;
	if (bus)
		bus = collect_centre_turn(c);
	if (bus) {
		tell_first(c);
		collect_marks_answer(c);
	}
	/* Nothing is fetched that could not be committed: another collector may be able to. */
	if (!bus || !store || !take(c, wait_ns))
		nap(wait_ns);
	collect_pending_turn(c);
	if (bus) {
		collect_book_clocks(c);
		collect_book_write(c, false);
	}
	collect_watch_turn(c, bus);
}

/* --- its life --------------------------------------------------------------------------------- */

int collect_open(const struct collect_options *o, const struct collect_hooks *hooks,
		 struct collect **out, struct bp_error *err)
{
	struct collect *c = calloc(1, sizeof(*c));
	int rc;

	if (c == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	c->o = *o;
	c->hooks = *hooks;
	rc = bus_open(&c->o.bus, true, &c->bus, err);
	if (rc == 0 && o->watch && collect_watch_open(c) < 0)
		rc = bp_fail(err, BP_ENOMEM, "out of memory");
	if (rc == 0)
		rc = open_store(c, err);
	if (rc == BP_EAGAIN && c->bus != NULL) {
		patience_lose(c, &c->store_wait, err->text);
		rc = 0;
	}
	if (rc == 0 && bus_is_connected(c->bus)) {
		rc = set_up(c, err);
		if (rc == BP_EAGAIN) {
			bus_lost(c, err);
			rc = 0;
		}
	}
	if (rc == 0 && c->set_up && !collect_centre_turn(c) && collect_failed(c, err))
		rc = err->code;
	if (rc < 0) {
		collect_close(c);
		return rc;
	}
	*out = c;
	return 0;
}

bool collect_failed(const struct collect *c, struct bp_error *err)
{
	if (c->failed)
		*err = c->failure;
	return c->failed;
}

void collect_count(const struct collect *c, struct collect_counts *out)
{
	*out = c->counts;
}

void collect_close(struct collect *c)
{
	if (c == NULL)
		return;
	if (c->bus != NULL && bus_is_connected(c->bus)) {
		collect_drop(c, true);
		collect_book_write(c, true);
	}
	collect_drop(c, false);
	collect_watch_close(c);
	bus_intake_close(c->intake);
	bus_ear_close(c->ear);
	bus_close(c->bus);
	store_close(c->store);
	free(c->marks);
	free(c->pending);
	free(c->pages);
	free(c);
}
