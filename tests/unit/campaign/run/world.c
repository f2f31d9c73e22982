// SPDX-License-Identifier: BSD-2-Clause
/* Time, what happens in it, its beginning and its end. */
#include "tests/unit/campaign/run/world.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "campaign/probe.h"

#define T0 (INT64_C(1767225600) * NS_PER_S) /* 2026-01-01T00:00:00Z */
#define BOOTED (1000 * NS_PER_S)            /* so that the steady clock is never 0 */

struct world *the_world;

struct mono __wrap_mono_now(void);
struct mono __wrap_boot_now(void);
struct wall __wrap_wall_now(void);
int __wrap_ppoll(struct pollfd *fds, nfds_t n, const struct timespec *t, const sigset_t *mask);

void world_fault(struct world *w, const char *fmt, ...)
{
	va_list ap;

	if (w->fault[0] != '\0')
		return;
	va_start(ap, fmt);
	vsnprintf(w->fault, sizeof(w->fault), fmt, ap);
	va_end(ap);
}

uint64_t world_random(struct world *w, uint64_t below)
{
	w->random += 0x9e3779b97f4a7c15u;
	return ((w->random ^ (w->random >> 29)) * 0xbf58476d1ce4e5b9u >> 16) % below;
}

/* --- the clocks ------------------------------------------------------------------------------ */

struct wall world_wall(const struct world *w)
{
	return (struct wall){T0 + w->now + w->slept + w->offset};
}

struct mono world_mono(const struct world *w)
{
	return (struct mono){BOOTED + w->now};
}

struct mono __wrap_mono_now(void)
{
	return world_mono(the_world);
}

struct mono __wrap_boot_now(void)
{
	return (struct mono){BOOTED + the_world->now + the_world->slept};
}

struct wall __wrap_wall_now(void)
{
	return world_wall(the_world);
}

static void set_full(struct world *w, bool full)
{
	struct rlimit l;

	getrlimit(RLIMIT_FSIZE, &l);
	l.rlim_cur = full ? 0 : l.rlim_max;
	setrlimit(RLIMIT_FSIZE, &l);
	w->full = full;
}

/* A directory stands where the file was: a file would be made anew. */
static void set_unplanned(struct world *w, bool gone)
{
	char away[200];

	snprintf(away, sizeof(away), "%s.away", w->plan_files[0]);
	if (rename(gone ? w->plan_files[0] : away, gone ? away : w->plan_files[0]) < 0)
		world_fault(w, "cannot rename %s", away);
}

static void set_gone(struct world *w, bool gone)
{
	static const char *const parts[] = {"", "-wal", "-shm"};

	if (!gone)
		rmdir(w->store);
	for (unsigned i = 0; i < 3; i++) {
		char here[200], away[200];

		snprintf(here, sizeof(here), "%s%s", w->store, parts[i]);
		snprintf(away, sizeof(away), "%s/away%s", w->dir, parts[i]);
		if (rename(gone ? here : away, gone ? away : here) < 0 && errno != ENOENT)
			world_fault(w, "%s: %s", here, strerror(errno));
	}
	if (gone)
		mkdir(w->store, 0700);
}

static void happen(struct world *w, const struct world_event *e)
{
	switch (e->what) {
	case HAPPENS_STEP:
		w->clock_told = true;
		w->offset += e->arg;
		break;
	case HAPPENS_SECRETLY: w->offset += e->arg; break;
	case HAPPENS_SLEEP: w->slept += e->arg; break;
	case HAPPENS_DEATH: w->doomed = true; break;
	case HAPPENS_MUTE: w->muted = true; break;
	case HAPPENS_OFFLINE: w->offline_until = w->now + e->arg; break;
	case HAPPENS_SLOW: w->slow_ns = e->arg; break;
	case HAPPENS_FULL: set_full(w, e->arg != 0); break;
	case HAPPENS_GONE: set_gone(w, e->arg != 0); break;
	case HAPPENS_RECOVER: world_recover(w); break;
	case HAPPENS_MOVE: w->moved ^= 1u << (e->arg - 176); break;
	case HAPPENS_HANGUP: kill(getpid(), SIGHUP); break;
	case HAPPENS_UNPLAN: set_unplanned(w, e->arg != 0); break;
	case HAPPENS_STOP:
		w->stopping = true;
		w->down_ns = e->arg;
		kill(getpid(), SIGTERM);
		break;
	case HAPPENS_NOTHING: break;
	}
}

static int64_t next_event_at(const struct world *w)
{
	int64_t at = w->next_event < w->script.event_count
			     ? w->script.events[w->next_event].at
			     : INT64_MAX;

	return at < w->script.length_ns || w->now >= w->script.length_ns ? at : w->script.length_ns;
}

static void pass_events(struct world *w)
{
	while (w->next_event < w->script.event_count &&
	       w->script.events[w->next_event].at <= w->now)
		happen(w, &w->script.events[w->next_event++]);
}

static void let_happen(struct world *w)
{
	pass_events(w);
	if (w->now >= w->script.length_ns && !w->stopping)
		happen(w, &(struct world_event){.what = HAPPENS_STOP});
	if (w->fault[0] != '\0') {
		w->now += NS_PER_S;
		kill(getpid(), SIGTERM);
	}
}

/* Who is told of events is real, and so is his time: none passes here meanwhile. */
static bool wait_for_told(struct pollfd *fds, nfds_t n)
{
	bool any = false;

	for (nfds_t i = 0; i < n; i++) {
		fds[i].revents = 0;
		any |= i >= PROBE_FDS + 2 && fds[i].fd >= 0;
	}
	return any && poll(&fds[PROBE_FDS + 2], n - PROBE_FDS - 2, 2000) > 0;
}

int __wrap_ppoll(struct pollfd *fds, nfds_t n, const struct timespec *t, const sigset_t *mask)
{
	struct world *w = the_world;
	int64_t wait = (int64_t)t->tv_sec * NS_PER_S + t->tv_nsec, then = w->now + wait;
	int64_t due = child_due(w), event = next_event_at(w);
	int ready = 0;

	(void)mask;
	manager_hear(w);
	if (wait > 0 && wait_for_told(fds, n))
		return 1;
	if (due < then)
		then = due;
	if (wait > 0 && event < then)
		then = event;
	w->quiet = then > w->now ? 0 : w->quiet + 1;
	if (w->quiet > 100000)
		world_fault(w, "it spins at %lld s", (long long)(w->now / NS_PER_S));
	if (then > w->now)
		w->now = then;
	w->counts.waits++;
	for (nfds_t i = 0; i < n; i++)
		fds[i].revents = 0;
	if (n > PROBE_FDS) {
		let_happen(w);
		ready += poll(&fds[PROBE_FDS], 1, 0);
		if (w->clock_told)
			fds[PROBE_FDS + 1].revents = POLLIN;
		ready += w->clock_told;
		w->clock_told = false;
	}
	if (child_due(w) <= w->now) {
		fds[0].revents = POLLIN;
		ready++;
	}
	return ready;
}

/* --- beginning and end ----------------------------------------------------------------------- */

/* DIR in the text of a plan is the world's directory; its first word names it. */
static bool write_plan(struct world *w, unsigned i, const char *yaml)
{
	FILE *f;

	snprintf(w->plan_files[i], sizeof(w->plan_files[i]), "%s/plan%u.yaml", w->dir, i);
	f = fopen(w->plan_files[i], "w");
	if (f == NULL || sscanf(yaml, "campaign: %63s", w->plans[i].campaign) != 1)
		return false;
	for (; *yaml != '\0'; yaml++) {
		if (strncmp(yaml, "DIR", 3) == 0) {
			fputs(w->dir, f);
			yaml += 2;
		} else {
			fputc(*yaml, f);
		}
	}
	w->plans[i].slots = calloc(WORLD_SLOTS, sizeof(w->plans[i].slots[0]));
	return fclose(f) == 0 && w->plans[i].slots != NULL;
}

/* DIR/hook: who is told of events writes them down. */
static bool write_hook(const struct world *w)
{
	char path[200];
	FILE *f;

	snprintf(path, sizeof(path), "%s/hook", w->dir);
	f = fopen(path, "w");
	if (f == NULL)
		return false;
	fprintf(f, "#!/bin/sh\n{ cat; echo; } >>%s/told\n", w->dir);
	return fclose(f) == 0 && chmod(path, 0700) == 0;
}

const char *world_read_told(struct world *w)
{
	static char ids[4096][EVENT_ID_TEXT];
	char path[200], line[16384];
	FILE *f;

	snprintf(path, sizeof(path), "%s/told", w->dir);
	f = fopen(path, "r");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		const char *id = strstr(line, "\"id\":\"ev-");
		char *mine = ids[w->counts.told];

		if (id == NULL)
			continue;
		text_copy(mine, EVENT_ID_TEXT, id + 6, strcspn(id + 6, "\""));
		for (uint64_t i = 0; i < w->counts.told; i++) {
			if (strcmp(ids[i], mine) == 0)
				world_fault(w, "%s was told twice", mine);
		}
		if (++w->counts.told == 4096)
			break;
	}
	if (f != NULL)
		fclose(f);
	return w->fault[0] != '\0' ? w->fault : NULL;
}

struct world *world_new(const struct world_script *script)
{
	struct world *w = calloc(1, sizeof(*w));
	struct stat st;

	if (w == NULL)
		return NULL;
	the_world = w;
	w->script = *script;
	w->random = 20260101;
	/* In memory where there is such a place: a year has a hundred thousand fsync. */
	snprintf(w->dir, sizeof(w->dir), "%s/test_year.XXXXXX",
		 stat("/dev/shm", &st) == 0 && access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (mkdtemp(w->dir) == NULL)
		return NULL;
	snprintf(w->store, sizeof(w->store), "%s/store.db", w->dir);
	for (; w->plan_count < WORLD_PLANS && script->plans[w->plan_count] != NULL;
	     w->plan_count++) {
		if (!write_plan(w, w->plan_count, script->plans[w->plan_count]))
			return NULL;
	}
	if (!write_hook(w))
		return NULL;
	signal(SIGXFSZ, SIG_IGN);
	return w;
}

static void remove_all(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	char path[512];

	while (d != NULL && (e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (unlink(path) < 0)
			remove_all(path);
	}
	if (d != NULL)
		closedir(d);
	rmdir(dir);
}

void world_free(struct world *w)
{
	set_full(w, false);
	remove_all(w->dir);
	for (unsigned i = 0; i < w->plan_count; i++)
		free(w->plans[i].slots);
	free(w);
	the_world = NULL;
}

const char *world_run(struct world *w)
{
	const char *plans[WORLD_PLANS];
	struct campaign_options o = {.plans = plans,
				     .plan_count = w->plan_count,
				     .profile = "profiles/dprk.yaml",
				     .events = world_books(w)};
	struct campaign_result end;
	struct bp_error err;

	for (unsigned i = 0; i < w->plan_count; i++)
		plans[i] = w->plan_files[i];
	while (w->fault[0] == '\0' && (w->now < w->script.length_ns || w->counts.processes == 0)) {
		w->stopping = false;
		w->counts.processes++;
		if (campaign_run(&o, &end, &err) < 0)
			world_fault(w, "%s", err.text);
		else if (!w->stopping)
			world_fault(w, "it ended by itself");
		manager_hear(w);
		w->now += w->down_ns;
		w->down_ns = 0;
		pass_events(w);
	}
	set_full(w, false);
	if (end.waiting > 0)
		world_fault(w, "%llu rounds still wait", (unsigned long long)end.waiting);
	/* Every slot, from the first to the last, is a round or a gap. */
	for (unsigned i = 0; i < w->plan_count; i++) {
		const struct plan_books *b = &w->plans[i];

		for (int64_t t = b->first.ns, k = 0; t <= b->last.ns; t += b->every_ns, k++) {
			char text[WALL_TEXT];

			if (!b->slots[k].seen)
				world_fault(w, "%s: nothing was said of %s", b->campaign,
					    wall_format((struct wall){t}, text));
		}
	}
	return w->fault[0] != '\0' ? w->fault : NULL;
}

const struct world_counts *world_counts(const struct world *w)
{
	return &w->counts;
}

const struct plan_books *world_plan(const struct world *w, unsigned plan)
{
	return &w->plans[plan];
}

uint64_t world_store_bytes(const struct world *w)
{
	struct stat st;

	return stat(w->store, &st) == 0 ? (uint64_t)st.st_size : 0;
}
