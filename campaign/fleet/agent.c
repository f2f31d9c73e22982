// SPDX-License-Identifier: BSD-2-Clause
/* The agent's loop: its files, its signals, each part in turn, and the end in order. */
#include "campaign/fleet/agent.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "campaign/fleet/agent_inside.h"
#include "campaign/lock.h"
#include "campaign/store_place.h"
#include "core/text.h"

#define TURN_NS (250 * NS_PER_MS)       /* the broker is looked at so often */
#define BUSY_TURN_NS (20 * NS_PER_MS)   /* while batches wait for their watermark */
#define BROKER_AWAY_NS (3600 * NS_PER_S) /* that it is not there is told again then */
#define BROKER_MOMENT_NS (2 * NS_PER_S) /* and that it is away at all */
#define LAST_WORDS_NS (10 * NS_PER_S)   /* what is left is sent so long */

void agent_note(struct agent *a, const char *fmt, ...)
{
	char text[BP_ERROR_TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (strcmp(text, a->told) == 0)
		return;
	text_set(a->told, sizeof(a->told), text);
	a->o->on_note(a->o->arg, text);
}

void agent_trouble(struct agent *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(a->last_error, sizeof(a->last_error), fmt, ap);
	va_end(ap);
	agent_note(a, "%s", a->last_error);
	agent_changed(a);
}

/* --- files ------------------------------------------------------------------------------------ */

static int place(const struct agent *a, const char *name, char out[static PATH_MAX],
		 struct bp_error *err)
{
	int n = snprintf(out, PATH_MAX, "%s/%s", a->o->spool, name);

	if (n < 0 || n >= PATH_MAX - 128)
		return bp_fail(err, BP_EINVAL, "%s: too long a path", a->o->spool);
	return 0;
}

static int make(const char *dir, struct bp_error *err)
{
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return bp_fail_sys(err, errno, "%s", dir);
	return 0;
}

/* A damaged one ends no measuring. */
static int outbox_anew(struct agent *a, const char *why, struct bp_error *err)
{
	char path[PATH_MAX], aside[PATH_MAX];
	int rc = place(a, "outbox.db", path, err);

	cut_close(a->cut);
	a->cut = NULL;
	if (rc == 0)
		rc = cut_put_aside(path, aside, err);
	if (rc == 0)
		rc = cut_open(path, a->o->vantage, &a->cut, err);
	if (rc < 0)
		return rc;
	a->send.count = 0;
	a->send.idle = a->send.asked = false;
	for (unsigned i = 0; rc == 0 && i < a->plan_count; i++)
		rc = cut_plan_put(a->cut, &a->plans[i].known, err);
	agent_trouble(a, "%s: put aside as %s; what the spool has is sent again", why, aside);
	return rc;
}

static int open_files(struct agent *a, int *lock, struct bp_error *err)
{
	char path[PATH_MAX];
	int rc = place(a, "agent.lock", path, err);

	if (rc == 0)
		rc = store_make_directory(path, err);
	if (rc == 0)
		rc = lock_take(path, lock, err);
	if (rc == BP_EAGAIN)
		return bp_error_prefix(err, "an agent has this spool already");
	if (rc == 0)
		rc = place(a, "plans", a->plans_dir, err);
	if (rc == 0)
		rc = make(a->plans_dir, err);
	if (rc == 0)
		rc = place(a, "journal", a->journal_dir, err);
	if (rc == 0)
		rc = make(a->journal_dir, err);
	if (rc == 0)
		rc = place(a, "spool.db", a->spool_file, err);
	if (rc == 0)
		rc = place(a, "outbox.db", path, err);
	if (rc == 0)
		rc = cut_open(path, a->o->vantage, &a->cut, err);
	if (rc == 0)
		rc = agent_plans_load(a, err);
	if (rc == BP_EPARSE && (a->cut == NULL || cut_is_broken(a->cut))) {
		struct bp_error why = *err;

		rc = outbox_anew(a, why.text, err);
		if (rc == 0)
			rc = agent_plans_load(a, err);
	}
	return rc;
}

static int open_bus(struct agent *a, struct bp_error *err)
{
	char name[BUS_NAME_TEXT + 32];
	struct bus_options o = {.url = a->o->server, .nkey_file = a->o->nkey_file,
				.ca_file = a->o->ca_file, .name = name, .inbox = a->o->vantage};

	snprintf(name, sizeof(name), "borderpath agent %s", a->o->vantage);
	return bus_open(&o, true, &a->bus, err);
}

static int open_signals(struct agent *a, sigset_t *before, struct bp_error *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, before);
	a->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return a->signals < 0 ? bp_fail_sys(err, errno, "signalfd") : 0;
}

/* --- the loop --------------------------------------------------------------------------------- */

static void take_signals(struct agent *a)
{
	struct signalfd_siginfo info;

	while (read(a->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			continue;
		if (a->stops++ == 0) {
			sd_notify(0, "STOPPING=1");
			a->stop_limit = mono_add(mono_now(), LAST_WORDS_NS);
		} else {
			agent_child_stop(a, true);
		}
	}
}

static void notify(struct agent *a, struct mono now)
{
	struct cut_state state;

	if (a->watchdog_ns != 0 && mono_since(now, a->fed_dog) >= (int64_t)(a->watchdog_ns / 2)) {
		a->fed_dog = now;
		sd_notify(0, "WATCHDOG=1");
	}
	if (!mono_reached(now, a->tell_manager))
		return;
	a->tell_manager = mono_add(now, 5 * NS_PER_S);
	cut_state(a->cut, &state);
	sd_notifyf(0, "STATUS=%u plans, %s, batches: %llu confirmed of %llu", a->plan_count,
		   bus_is_connected(a->bus) ? "connected" : "the broker is away",
		   (unsigned long long)state.confirmed, (unsigned long long)state.cut);
}

/* Of the connection: goes when there is one. */
static void broker_trouble(struct agent *a, const char *text)
{
	agent_trouble(a, "broker: %s", text);
	text_set(a->broker.error, sizeof(a->broker.error), a->last_error);
}

static void broker_answers(struct agent *a)
{
	struct agent_broker *k = &a->broker;

	agent_note(a, k->lives > 0 ? "the broker answers again: %s" : "connected to %s",
		   a->o->server);
	k->lives = bus_lives(a->bus);
	k->told[0] = '\0';
	if (k->error[0] != '\0' && strcmp(a->last_error, k->error) == 0)
		a->last_error[0] = '\0';
	k->error[0] = '\0';
	agent_changed(a);
}

static void hear_broker(struct agent *a)
{
	struct agent_broker *k = &a->broker;
	struct mono now = mono_now();
	char text[BP_ERROR_TEXT];
	struct bp_error err;

	/* Dials anew where the library gave up: a key that was refused may be good by now. */
	int rc = bus_look(a->bus, &err);

	if (bus_trouble(a->bus, text, sizeof(text)))
		broker_trouble(a, text);
	if (rc == 0) {
		k->since = (struct mono){0};
		if (k->lives != bus_lives(a->bus))
			broker_answers(a);
		return;
	}
	/* Once, and then by the hour; a moment's loss is told as one already. */
	if (k->since.ns == 0)
		k->since = now;
	if (rc == BP_EAGAIN && mono_since(now, k->since) < BROKER_MOMENT_NS)
		return;
	if (k->away.ns == 0 || strcmp(k->told, err.text) != 0 || mono_reached(now, k->away)) {
		k->away = mono_add(now, BROKER_AWAY_NS);
		text_set(k->told, sizeof(k->told), err.text);
		a->told[0] = '\0';
		broker_trouble(a, err.text);
	}
}

static void pause_a_turn(struct agent *a)
{
	struct pollfd fds[] = {{.fd = a->signals, .events = POLLIN},
			       {.fd = a->child.out, .events = POLLIN}};
	struct cut_state state;
	int64_t ns;

	cut_state(a->cut, &state);
	ns = bus_is_connected(a->bus) && state.cut > state.confirmed ? BUSY_TURN_NS : TURN_NS;
	poll(fds, 2, (int)(ns / NS_PER_MS));
}

/* Whether all is said: the child is gone, and nothing more can be sent, or not in time. */
static bool is_over(const struct agent *a)
{
	if (a->stops == 0 || a->child.pid != 0)
		return false;
	return a->stops > 1 || !bus_is_connected(a->bus) || agent_send_done(a) ||
	       mono_reached(mono_now(), a->stop_limit);
}

static int loop(struct agent *a, struct bp_error *err)
{
	while (!is_over(a)) {
		bool measured = a->child.pid != 0;

		if (cut_is_broken(a->cut) && outbox_anew(a, "outbox.db: damaged", err) < 0)
			return err->code;
		take_signals(a);
		agent_child_look(a);
		/* Behind its last rounds there are ten seconds for them. */
		if (a->stops == 1 && measured && a->child.pid == 0) {
			a->stop_limit = mono_add(mono_now(), LAST_WORDS_NS);
			a->send.idle = false;
		}
		hear_broker(a);
		if (a->stops == 0)
			agent_plans_step(a);
		agent_send_step(a);
		agent_spool_step(a);
		agent_status_step(a);
		notify(a, mono_now());
		pause_a_turn(a);
	}
	return 0;
}

static int check_options(const struct agent_options *o, struct bp_error *err)
{
	if (o->server == NULL || o->vantage == NULL || o->spool == NULL)
		return bp_fail(err, BP_EINVAL, "an agent needs a server, a name and a spool");
	if (!bus_name_ok(o->vantage))
		return bp_fail(err, BP_EINVAL, "'%s': a vantage point's name is made of letters, "
			       "digits, '-' and '_'", o->vantage);
	return 0;
}

int agent_run(const struct agent_options *o, struct bp_error *err)
{
	struct agent *a = calloc(1, sizeof(*a));
	sigset_t before;
	int lock = -1, rc = check_options(o, err);
	uint64_t usec = 0;

	if (a == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	a->o = o;
	a->spool_max = o->spool_bytes > 0 ? o->spool_bytes : AGENT_SPOOL_BYTES_DEFAULT;
	a->again_ns = o->again_ns > 0 ? o->again_ns : AGENT_AGAIN_DEFAULT_NS;
	a->signals = a->child.out = -1;
	buf_init(&a->child.line);
	sigprocmask(SIG_SETMASK, NULL, &before);
	signal(SIGPIPE, SIG_IGN);
	/* Before the library's threads are: they inherit what is blocked. */
	if (rc == 0)
		rc = open_signals(a, &before, err);
	if (rc == 0)
		rc = open_files(a, &lock, err);
	if (rc == 0)
		rc = open_bus(a, err);
	if (rc == 0) {
		if (sd_watchdog_enabled(0, &usec) > 0)
			a->watchdog_ns = usec * (uint64_t)NS_PER_US;
		agent_status_init(a);
		agent_send_measured(a, NULL);
		sd_notify(0, "READY=1");
		rc = loop(a, err);
	}
	agent_send_fini(a);
	bus_watch_close(a->watch);
	bus_close(a->bus);
	store_close(a->spool);
	store_close(a->sweeper);
	cut_close(a->cut);
	buf_fini(&a->child.line);
	if (a->signals >= 0)
		close(a->signals);
	if (lock >= 0)
		close(lock);
	sigprocmask(SIG_SETMASK, &before, NULL);
	free(a);
	return rc;
}
