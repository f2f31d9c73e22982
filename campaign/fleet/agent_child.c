// SPDX-License-Identifier: BSD-2-Clause
/*
 * The child that measures: `borderpath campaign run` on the plans of the disk. It is started when
 * there is a plan, started again when it dies, told of changed plans, and dies with the agent. Its
 * lines on standard output are rounds that are in the spool: they are passed on.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "campaign/fleet/agent_inside.h"
#include "core/record/jsonl.h"
#include "core/text.h"

enum { ARGS_MAX = 24 + AGENT_PLANS_MAX, LINE_MAX_BYTES = 1 << 20 };
#define AGAIN_MIN_NS NS_PER_S
#define AGAIN_MAX_NS (60 * NS_PER_S)
#define SOON_NS (30 * NS_PER_S)         /* who dies earlier than that dies soon */
#define BETWEEN_NS (600 * NS_PER_S)     /* other plans wait so long at most for a round's end */
#define PATIENCE_NS (15 * NS_PER_S)     /* it has 10 s itself */
/* Of the spool, for rounds under way and those that the spool's store does not take. */
enum { JOURNAL_PART = 4 };

/* --- starting --------------------------------------------------------------------------------- */

/* The light program, of the same build if it lies there. */
static void program(char out[static PATH_MAX])
{
	static const char name[] = "borderpath";
	ssize_t n = readlink("/proc/self/exe", out, PATH_MAX - sizeof(name));
	char *slash;

	if (n > 0) {
		out[n] = '\0';
		slash = strrchr(out, '/');
		if (slash != NULL) {
			memcpy(slash + 1, name, sizeof(name));
			if (access(out, X_OK) == 0)
				return;
		}
	}
	memcpy(out, name, sizeof(name));
}

struct words {
	char *list[ARGS_MAX];
	unsigned count;
	bool failed;
};

static void word(struct words *w, const char *text)
{
	if (w->count + 1 >= ARGS_MAX || (w->list[w->count] = strdup(text)) == NULL) {
		w->failed = true;
		return;
	}
	w->list[++w->count] = NULL;
}

static void option(struct words *w, const char *name, const char *text)
{
	if (text == NULL)
		return;
	word(w, name);
	word(w, text);
}

static void put_words(const struct agent *a, struct words *w)
{
	char text[PATH_MAX + 16];
	int64_t journal = a->spool_max / JOURNAL_PART;

	word(w, "borderpath");
	word(w, "campaign");
	word(w, "run");
	snprintf(text, sizeof(text), "sqlite:%s", a->spool_file);
	option(w, "--store", text);
	option(w, "--spool", a->journal_dir);
	snprintf(text, sizeof(text), "%lld", (long long)journal);
	option(w, "--spool-bytes", text);
	option(w, "--profile", a->o->profile);
	option(w, "--asn-db", a->o->asn_db);
	option(w, "--country-db", a->o->country_db);
	option(w, "--do-not-probe", a->o->avoid);
	for (unsigned i = 0; i < a->plan_count; i++) {
		if (a->plans[i].known.running != 0)
			word(w, agent_plan_file(a, a->plans[i].known.campaign, text));
	}
}

static void become(const struct words *w, int out, pid_t parent)
{
	char path[PATH_MAX];
	sigset_t none;

	/* With the agent, whatever ends it. */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent)
		_exit(127);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	dup2(out, STDOUT_FILENO);
	/* The manager's questions are for the agent. */
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	program(path);
	execvp(path, w->list);
	dprintf(STDERR_FILENO, "borderpath: cannot run %s: %s\n", path, strerror(errno));
	_exit(127);
}

static unsigned runnable(const struct agent *a)
{
	unsigned n = 0;

	for (unsigned i = 0; i < a->plan_count; i++)
		n += a->plans[i].known.running != 0;
	return n;
}

static void start(struct agent *a)
{
	struct agent_child *c = &a->child;
	struct words w = {0};
	pid_t parent = getpid();
	int fds[2] = {-1, -1};

	put_words(a, &w);
	if (w.failed || pipe2(fds, O_CLOEXEC) < 0) {
		agent_trouble(a, "campaign run is not started: %s", strerror(errno));
		c->earliest = mono_add(mono_now(), AGAIN_MAX_NS);
		goto out;
	}
	c->pid = fork();
	if (c->pid == 0)
		become(&w, fds[1], parent);
	if (c->pid < 0) {
		agent_trouble(a, "campaign run is not started: %s", strerror(errno));
		c->pid = 0;
		c->earliest = mono_add(mono_now(), AGAIN_MAX_NS);
		goto out;
	}
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	c->out = fds[0];
	fds[0] = -1;
	c->started = mono_now();
	c->other_plans = c->reload = c->stopping = false;
	c->due.ns = 0;
	buf_clear(&c->line);
out:
	if (fds[0] >= 0)
		close(fds[0]);
	if (fds[1] >= 0)
		close(fds[1]);
	for (unsigned i = 0; i < w.count; i++)
		free(w.list[i]);
}

/* --- its lines -------------------------------------------------------------------------------- */

static void take_line(struct agent *a, const char *line, size_t n)
{
	struct agent_plan *p;
	struct bp_error err;
	struct record rec;
	struct round *r = malloc(sizeof(*r));

	record_init(&rec);
	if (r == NULL || jsonl_read(line, n, &rec, &err) < 0 || round_read(&rec, r, &err) < 0) {
		agent_trouble(a, "campaign run says what is no round");
	} else {
		a->o->on_round(a->o->arg, line, n);
		p = agent_plan_find(a, r->campaign);
		if (p != NULL)
			text_set(p->last_round, sizeof(p->last_round), r->id);
		if (r->start.ns != 0) {
			a->last = *r;
			agent_send_measured(a, r->id);
		}
		a->send.idle = false;
		agent_changed(a);
	}
	record_fini(&rec);
	free(r);
}

void agent_child_read(struct agent *a)
{
	struct agent_child *c = &a->child;
	const char *end;
	ssize_t n;

	while (c->out >= 0) {
		char *room = buf_room(&c->line, 65536);

		if (room == NULL) {
			buf_fini(&c->line);
			buf_init(&c->line);
			return;
		}
		n = read(c->out, room, 65536);
		if (n < 0)
			return; /* nothing now */
		if (n == 0) {
			close(c->out);
			c->out = -1;
			return;
		}
		buf_wrote(&c->line, room + n);
		while ((end = memchr(c->line.bytes, '\n', c->line.used)) != NULL) {
			size_t size = (size_t)(end - c->line.bytes) + 1;

			take_line(a, c->line.bytes, size);
			buf_consume(&c->line, size);
		}
		if (c->line.used > LINE_MAX_BYTES)
			buf_clear(&c->line);
	}
}

/* --- its life --------------------------------------------------------------------------------- */

static void bury(struct agent *a, int status)
{
	struct agent_child *c = &a->child;
	bool soon = mono_since(mono_now(), c->started) < SOON_NS;
	int64_t wait_ns = AGAIN_MIN_NS;

	agent_child_read(a);
	if (c->out >= 0)
		close(c->out);
	c->out = -1;
	c->pid = 0;
	if (c->stopping)
		c->deaths = 0;
	else if (WIFSIGNALED(status))
		agent_trouble(a, "campaign run died by signal %d", WTERMSIG(status));
	else
		agent_trouble(a, "campaign run ended with code %d", WEXITSTATUS(status));
	if (!c->stopping)
		c->deaths = soon ? c->deaths + 1 : 1;
	for (unsigned i = 1; i < c->deaths && wait_ns < AGAIN_MAX_NS; i++)
		wait_ns *= 2;
	/* Started at once where it was ended for other plans. */
	c->earliest = mono_add(mono_now(), c->stopping ? 0 : agent_jitter(wait_ns));
	c->stopping = false;
}

/* A journal that is under way. */
static bool measures_now(const struct agent *a)
{
	char pattern[PATH_MAX + 16];
	glob_t g;
	bool any;

	snprintf(pattern, sizeof(pattern), "%s/*/*.part", a->journal_dir);
	any = glob(pattern, GLOB_NOSORT, NULL, &g) == 0 && g.gl_pathc > 0;
	globfree(&g);
	return any;
}

void agent_child_stop(struct agent *a, bool force)
{
	struct agent_child *c = &a->child;

	if (c->pid == 0)
		return;
	if (!c->stopping || force)
		kill(c->pid, force ? SIGKILL : SIGTERM);
	if (!c->stopping)
		c->patience = mono_add(mono_now(), PATIENCE_NS);
	c->stopping = true;
}

/* Other plans: at the end of the round under way, if that comes soon enough. */
static void change(struct agent *a, struct mono now)
{
	struct agent_child *c = &a->child;

	if (c->due.ns == 0)
		c->due = mono_add(now, BETWEEN_NS);
	if (mono_reached(now, c->due) || !measures_now(a))
		agent_child_stop(a, false);
}

void agent_child_look(struct agent *a)
{
	struct agent_child *c = &a->child;
	struct mono now = mono_now();
	int status;

	agent_child_read(a);
	if (c->pid != 0 && waitpid(c->pid, &status, WNOHANG) == c->pid)
		bury(a, status);
	if (c->pid == 0) {
		if (a->stops == 0 && runnable(a) > 0 && mono_reached(now, c->earliest))
			start(a);
		return;
	}
	if (c->stopping) {
		if (mono_reached(now, c->patience))
			agent_child_stop(a, true);
	} else if (a->stops > 0 || runnable(a) == 0) {
		agent_child_stop(a, false);
	} else if (c->other_plans) {
		change(a, now);
	} else if (c->reload) {
		c->reload = false;
		kill(c->pid, SIGHUP);
	}
}
