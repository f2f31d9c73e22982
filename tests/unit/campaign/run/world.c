// SPDX-License-Identifier: BSD-2-Clause
/* Time, what happens in it, and the books of what the daemon announced. */
#include "tests/unit/campaign/run/world.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "campaign/probe.h"
#include "campaign/recover.h"
#include "campaign/schedule.h"

#define T0 (INT64_C(1767225600) * NS_PER_S) /* 2026-01-01T00:00:00Z */
#define BOOTED (1000 * NS_PER_S)            /* so that the steady clock is never 0 */
#define WEEK_NS (7 * 86400 * NS_PER_S)

struct world *the_world;

static void recover(struct world *w);
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
	case HAPPENS_RECOVER: recover(w); break;
	case HAPPENS_MOVE: w->moved ^= 1u << (e->arg - 176); break;
	case HAPPENS_HANGUP: kill(getpid(), SIGHUP); break;
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

/* --- the books ------------------------------------------------------------------------------- */

static struct plan_books *books_of(struct world *w, const char *campaign)
{
	for (unsigned i = 0; i < w->plan_count; i++) {
		if (strcmp(w->plans[i].campaign, campaign) == 0)
			return &w->plans[i];
	}
	return NULL;
}

/* Where a slot is in the books; NULL: it is none of the plan's. */
static struct slot_books *slot_of(struct plan_books *b, struct wall planned)
{
	int64_t behind = planned.ns - b->first.ns;

	if (behind < 0 || behind % b->every_ns != 0 || behind / b->every_ns >= WORLD_SLOTS)
		return NULL;
	return &b->slots[behind / b->every_ns];
}

static void on_begin(void *arg, const struct campaign_plan *p, const struct round *r,
		     struct wall next)
{
	struct world *w = arg;
	struct plan_books *b = books_of(w, p->campaign);

	(void)next;
	if (!r->look)
		b->begun = w->now;
}

static void check_committed(struct world *w, const struct campaign_plan *p, const struct round *r)
{
	struct round latest[16];
	struct bp_error err;
	struct store *s;
	int n;

	if (store_open(p->store, STORE_READ, &s, &err) < 0) {
		world_fault(w, "%s is announced: %s", r->id, err.text);
		return;
	}
	n = store_last_rounds(s, r->campaign, r->vantage, latest, 16, &err);
	for (int i = 0; i < n; i++) {
		if (strcmp(latest[i].id, r->id) == 0 && latest[i].traces == r->traces)
			n = -1;
	}
	/* The last one announced may be behind those of a longer gap. */
	if (n >= 0 && n < 16)
		world_fault(w, "%s is announced and not committed", r->id);
	store_close(s);
}

static void watch_memory(struct world *w)
{
	uint64_t all = mallinfo2().uordblks, of_sqlite = (uint64_t)sqlite3_memory_used();
	uint64_t used = all > of_sqlite ? all - of_sqlite : 0;

	if (all > w->counts.memory_most)
		w->counts.memory_most = all;

	if (w->now > 4 * WEEK_NS && w->now <= 8 * WEEK_NS && used > w->counts.memory_warm)
		w->counts.memory_warm = used;
	if (w->now > 8 * WEEK_NS && used > w->counts.memory_late)
		w->counts.memory_late = used;
}

static void enter(struct world *w, struct plan_books *b, const struct round *r)
{
	struct slot_books *slot;
	struct wall *before;

	slot = slot_of(b, r->planned);
	/* One that was told as missed by a clock that ran ahead is measured when its time comes. */
	if (slot == NULL || (slot->seen && (slot->measured || r->start.ns == 0)))
		world_fault(w, "%s %s", r->id, slot ? "comes a second time" : "is on no slot");
	if (slot == NULL)
		return;
	slot->seen = true;
	slot->measured = r->start.ns != 0;
	slot->traces = (uint16_t)r->traces;
	if (r->planned.ns > b->last.ns)
		b->last = r->planned;
	before = r->start.ns != 0 ? &b->last_measured : &b->last_missed;
	if (r->planned.ns <= before->ns && r->planned.ns > before->ns - SCHEDULE_BACK_NS)
		world_fault(w, "%s comes behind a later one", r->id);
	*before = r->planned;
	if (r->done + r->missed != r->expected || (r->missed > 0) != (r->why != ROUND_WHY_NONE))
		world_fault(w, "%s: %u expected, %u done, %u missed by %u", r->id, r->expected,
			    r->done, r->missed, r->why);
	b->missed += r->missed;
	b->traces += r->traces;
	if (r->missed > 0)
		b->by_why[r->why]++;
	if (r->start.ns == 0) {
		b->missed_rounds++;
		b->whole_by_why[r->why]++;
		return;
	}
	b->rounds++;
	b->whole += r->missed == 0;
	b->by_health[r->health]++;
}

/* One plan has one round at a time, whether it is a look or not. */
static void check_alone(struct world *w, struct plan_books *b, const struct round *r)
{
	if (r->start.ns != 0 && r->start.ns < b->ended.ns && w->offset == 0)
		world_fault(w, "%s begins while another one is under way", r->id);
	if (r->end.ns != 0)
		b->ended = r->end;
}

static void on_a_look(struct world *w, struct plan_books *b, const struct round *r)
{
	struct look_books *l = &b->looks;
	int64_t gap = r->planned.ns - l->last.ns;

	if (slot_of(b, r->planned) != NULL)
		world_fault(w, "%s, a look, is on a slot", r->id);
	if (r->planned.ns <= l->last.ns || r->planned.ns > r->start.ns)
		world_fault(w, "%s, a look, is not of its moment", r->id);
	if (r->done + r->missed != r->expected || (r->missed > 0) != (r->why != ROUND_WHY_NONE))
		world_fault(w, "%s: %u expected, %u done, %u missed by %u", r->id, r->expected,
			    r->done, r->missed, r->why);
	if (l->count > 0 && gap < 15 * 60 * NS_PER_S && gap > l->longest_gap_ns)
		l->longest_gap_ns = gap;
	l->count++;
	l->whole += r->missed == 0;
	l->cut += r->missed > 0;
	l->traces += r->traces;
	l->expected = r->expected;
	l->last = r->planned;
	if (l->first.ns == 0)
		l->first = r->planned;
}

static void on_event(void *arg, const struct campaign_plan *p, const struct event *e)
{
	struct world *w = arg;

	(void)p;
	w->counts.events += e->status != EVENT_PROVISIONAL && !e->withdrawn;
}

static void on_round(void *arg, const struct campaign_plan *p, const struct round *r)
{
	struct world *w = arg;
	struct plan_books *b = books_of(w, p->campaign);

	check_alone(w, b, r);
	if (r->look) {
		on_a_look(w, b, r);
		return;
	}
	if (b->first.ns == 0) {
		b->first = r->planned;
		b->every_ns = p->every_ns;
	}
	enter(w, b, r);
	if (r->start.ns == 0)
		return;
	if (b->rounds % 64 == 1)
		check_committed(w, p, r);
	if (b->rounds % 8 == 0)
		watch_memory(w);
}

/* What the spool puts back was announced, or would have been. */
static void on_recovered(void *arg, const struct round *r)
{
	struct world *w = arg;
	struct plan_books *b = books_of(w, r->campaign);
	const struct slot_books *slot = slot_of(b, r->planned);

	if (slot == NULL || !slot->measured)
		enter(w, b, r);
}

static void recover(struct world *w)
{
	struct recover_end end;
	struct bp_error err;

	if (recover_store(w->store, NULL, on_recovered, w, &end, &err) < 0)
		world_fault(w, "recover: %s", err.text);
}

static void on_note(void *arg, const struct campaign_plan *p, const char *text)
{
	struct world *w = arg;

	(void)p;
	text_set(w->notes[w->counts.notes++ % 64], sizeof(w->notes[0]), text);
}

static void on_trace(void *arg, const struct campaign_plan *p, const struct round *r,
		     const struct trace *t, const struct verdict *v)
{
	struct world *w = arg;
	struct plan_books *b = books_of(w, p->campaign);

	(void)r;
	(void)t;
	(void)v;
	if (w->now - b->begun > b->longest_ns)
		b->longest_ns = w->now - b->begun;
}

const char *world_note(const struct world *w, const char *word)
{
	for (uint64_t i = w->counts.notes; i > 0 && i + 64 > w->counts.notes; i--) {
		if (strstr(w->notes[(i - 1) % 64], word) != NULL)
			return w->notes[(i - 1) % 64];
	}
	return NULL;
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
				     .events = {.on_round = on_round,
						.on_trace = on_trace,
						.on_begin = on_begin,
						.on_note = on_note,
						.on_event = on_event,
						.arg = w}};
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

/* --- the store, read ------------------------------------------------------------------------- */

struct reading { struct world *w; uint32_t traces; char round[TRACE_ID_TEXT]; };

/* The times are those that the prober measured. */
static void check_trace(struct world *w, const struct trace *t)
{
	struct plan_trace p = {.dst = t->dst, .flow = (uint16_t)t->flow};
	bool moved = t->entry_count > 0 && t->entries[0].reply.from.bytes[0] == 219;
	struct trace *truth = child_trace(w, &p, t->id, t->received == 0, moved);

	if (truth == NULL)
		return;
	if (truth->entry_count != t->entry_count)
		world_fault(w, "%s has %u entries, not %u", t->id, t->entry_count,
			    truth->entry_count);
	for (uint32_t i = 0; i < t->entry_count && i < truth->entry_count; i++) {
		if (t->entries[i].reply.rtt_ns != truth->entries[i].reply.rtt_ns ||
		    !addr_equal(t->entries[i].reply.from, truth->entries[i].reply.from))
			world_fault(w, "%s: TTL %u took %lld ns, not %lld", t->id,
				    t->entries[i].ttl, (long long)t->entries[i].reply.rtt_ns,
				    (long long)truth->entries[i].reply.rtt_ns);
	}
	free(truth);
}

static int on_record(void *arg, struct record *rec, struct bp_error *err)
{
	struct reading *c = arg;
	struct slot_books *slot;
	struct plan_books *b;
	struct round r;

	if (rec->kind == RECORD_TRACE) {
		check_trace(c->w, rec->trace);
		if (c->traces > 0 && strcmp(c->round, rec->trace->round) != 0)
			world_fault(c->w, "traces of %s behind those of %s", rec->trace->round,
				    c->round);
		text_set(c->round, sizeof(c->round), rec->trace->round);
		c->traces++;
		c->w->counts.read++;
		return 0;
	}
	if (rec->kind != RECORD_ROUND)
		return 0;
	if (round_read(rec, &r, err) < 0)
		return err->code;
	b = books_of(c->w, r.campaign);
	if (r.look) {
		if (b == NULL || r.traces != c->traces || slot_of(b, r.planned) != NULL)
			world_fault(c->w, "%s: a look with %u traces in the store", r.id,
				    c->traces);
		else
			b->looks.read++;
		c->traces = 0;
		return c->w->fault[0] != '\0' ? BP_EINVAL : 0;
	}
	slot = b == NULL ? NULL : slot_of(b, r.planned);
	if (slot == NULL || !slot->seen || slot->read)
		world_fault(c->w, "%s is in the store, and was %s", r.id,
			    slot != NULL && slot->read ? "before" : "never announced");
	else if (slot->traces != c->traces || r.traces != c->traces ||
		 (c->traces > 0 && strcmp(c->round, r.id) != 0))
		world_fault(c->w, "%s: %u traces in the store, %u announced", r.id, c->traces,
			    slot->traces);
	if (slot != NULL)
		slot->read = true;
	c->traces = 0;
	return c->w->fault[0] != '\0' ? BP_EINVAL : 0;
}

const char *world_read_store(struct world *w)
{
	struct reading c = {.w = w};
	struct bp_error err;
	struct store *s;

	for (unsigned i = 0; i < w->plan_count; i++) {
		struct store_select of = {.campaign = w->plans[i].campaign};

		if (store_open(w->store, STORE_READ, &s, &err) < 0) {
			world_fault(w, "%s", err.text);
			break;
		}
		if (store_read(s, &of, on_record, &c, &err) < 0)
			world_fault(w, "reading the store: %s", err.text);
		store_close(s);
		for (unsigned k = 0; k < WORLD_SLOTS; k++) {
			if (w->plans[i].slots[k].seen && !w->plans[i].slots[k].read)
				world_fault(w, "slot %u of %s was announced, and is nowhere",
					    k, w->plans[i].campaign);
		}
	}
	return w->fault[0] != '\0' ? w->fault : NULL;
}
