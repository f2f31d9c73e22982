// SPDX-License-Identifier: BSD-2-Clause
/* The program that is run for an event: in a process group of its own, with a limit. */
#include "campaign/alert_inside.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/text.h"

#define LIMIT_NS (60 * NS_PER_S)

enum { ENV_MAX = 1024 };

extern char **environ;

struct alert_exec {
	char program[4096];
	pid_t pid;           /* 0: none */
	int gone;            /* pidfd */
	struct mono limit;
	bool late;           /* it was ended for taking too long */
};

int alert_exec_new(const char *program, struct alert_exec **out)
{
	struct alert_exec *x = calloc(1, sizeof(*x));

	if (x == NULL)
		return BP_ENOMEM;
	text_set(x->program, sizeof(x->program), program);
	x->gone = -1;
	*out = x;
	return 0;
}

static void end(struct alert_exec *x)
{
	if (x->pid > 0)
		kill(-x->pid, SIGKILL);
}

static int reap(struct alert_exec *x)
{
	int status = 0;

	while (waitpid(x->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (x->gone >= 0)
		close(x->gone);
	x->gone = -1;
	x->pid = 0;
	return status;
}

void alert_exec_free(struct alert_exec *x)
{
	if (x == NULL)
		return;
	if (x->pid > 0) {
		end(x);
		reap(x);
	}
	free(x);
}

/* Ours, then those that are given. */
static unsigned environment(char **out, char *const *more)
{
	unsigned n = 0;

	for (char **e = environ; *e != NULL && n + 1 < ENV_MAX; e++)
		out[n++] = *e;
	for (; *more != NULL && n + 1 < ENV_MAX; more++)
		out[n++] = *more;
	out[n] = NULL;
	return n;
}

int alert_exec_start(struct alert_exec *x, int message, char *const *env, struct bp_error *err)
{
	char *argv[] = {x->program, NULL};
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, defaults;
	char *words[ENV_MAX];
	int rc;

	environment(words, env);
	sigemptyset(&none);
	sigfillset(&defaults);
	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attr);
	posix_spawn_file_actions_adddup2(&files, message, STDIN_FILENO);
	/* Our stdout is data. */
	posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &defaults);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
				 POSIX_SPAWN_SETPGROUP);
	rc = posix_spawn(&x->pid, x->program, &files, &attr, argv, words);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	if (rc != 0) {
		x->pid = 0;
		return bp_fail_sys(err, rc, "cannot run %s", x->program);
	}
	x->gone = pidfd_open(x->pid, 0);
	x->limit = mono_add(mono_now(), LIMIT_NS);
	x->late = false;
	return 0;
}

unsigned alert_exec_poll(const struct alert_exec *x, struct pollfd *fds, unsigned max,
			 struct mono *wake)
{
	if (x->pid == 0 || max == 0)
		return 0;
	*wake = mono_min(*wake, x->limit);
	if (x->gone < 0) {
		*wake = mono_min(*wake, mono_add(mono_now(), 100 * NS_PER_MS));
		return 0;
	}
	fds[0] = (struct pollfd){.fd = x->gone, .events = POLLIN};
	return 1;
}

static bool is_over(const struct alert_exec *x)
{
	siginfo_t info = {0};

	return waitid(P_PID, (id_t)x->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == x->pid;
}

enum delivery alert_exec_state(struct alert_exec *x, char *why, size_t size)
{
	int status;

	if (x->pid == 0)
		return DELIVERY_NONE;
	if (!is_over(x)) {
		if (!x->late && mono_reached(mono_now(), x->limit)) {
			x->late = true;
			end(x);
		}
		return DELIVERY_UNDER_WAY;
	}
	status = reap(x);
	if (x->late)
		snprintf(why, size, "%.300s did not end within %d s", x->program,
			 (int)(LIMIT_NS / NS_PER_S));
	else if (WIFSIGNALED(status))
		snprintf(why, size, "%.300s was ended by signal %d", x->program, WTERMSIG(status));
	else if (WEXITSTATUS(status) != 0)
		snprintf(why, size, "%.300s ended with status %d", x->program,
			 WEXITSTATUS(status));
	else
		return DELIVERY_TAKEN;
	return DELIVERY_FAILED;
}
