// SPDX-License-Identifier: BSD-2-Clause
/* The prober: a child or a socket, plan in, bytes out, orderly stop. */
#include "campaign/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "campaign/frames.h"
#include "campaign/probe_socket.h"
#include "core/clock.h"

enum { PLAN_CHUNK = 64 * 1024, PIPE_BYTES = 1024 * 1024, LINGER_MS = 1000 };

/* A second signal after this long means "at once". */
#define IMPATIENCE_NS (NS_PER_S / 2)

extern char **environ;

struct probe {
	pid_t pid;           /* -1: behind a socket, or gone */
	bool socket;
	int in, out;         /* our ends: its stdin, its stdout; -1 closed. Of one socket: twice
			      * that */
	const struct probe_run *run;
	int signals;         /* signalfd, of probe_run alone */
	sigset_t mask_before;
	struct buf plan;     /* not yet written */
	enum probe_more more; /* how the plan goes on */
	struct frames frames;
	unsigned interrupts;
	struct mono interrupted; /* the last of them */
};

static int beside(char *out, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", out, size - 1);
	char *slash;

	if (n < 0)
		return BP_ENOTFOUND;
	out[n] = '\0';
	slash = strrchr(out, '/');
	if (slash == NULL || (size_t)(slash - out) + sizeof("/borderpath-probe") > size)
		return BP_ENOTFOUND;
	memcpy(slash, "/borderpath-probe", sizeof("/borderpath-probe"));
	return access(out, F_OK) == 0 ? 0 : BP_ENOTFOUND;
}

static int spawn(struct probe *c, int in, int out, struct bp_error *err)
{
	char path[4096], name[] = "borderpath-probe";
	char *argv[] = {name, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, defaults;
	int rc;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	posix_spawnattr_init(&attr);
	sigemptyset(&none);
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &defaults);
	/* A group of its own: ^C reaches us alone, and we ask the child to finish in order. */
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
				 POSIX_SPAWN_SETPGROUP);
	if (beside(path, sizeof(path)) == 0)
		rc = posix_spawn(&c->pid, path, &actions, &attr, argv, environ);
	else
		rc = posix_spawnp(&c->pid, name, &actions, &attr, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	if (rc == EACCES)
		return bp_fail(err, BP_EPERM, "may not run borderpath-probe: it is for members of its "
			       "group (usermod -aG borderpath USER, then log in again) and for root");
	if (rc != 0)
		return bp_fail_sys(err, rc, "cannot run borderpath-probe (looked beside borderpath "
				   "and on PATH)");
	return 0;
}

static int start_child(struct probe *c, struct bp_error *err)
{
	int in[2] = {-1, -1}, out[2] = {-1, -1}, rc;

	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0) {
		rc = bp_fail_sys(err, errno, "cannot make pipes to borderpath-probe");
		goto out;
	}
	/* A larger pipe lets the prober run on while records are written, best effort; and it must
	 * never wait for us. */
	(void)fcntl(out[0], F_SETPIPE_SZ, PIPE_BYTES);
	(void)fcntl(out[1], F_SETFL, O_NONBLOCK);
	rc = spawn(c, in[0], out[1], err);
	if (rc < 0)
		goto out;
	c->in = in[1];
	c->out = out[0];
	in[1] = out[0] = -1;
	fcntl(c->in, F_SETFL, O_NONBLOCK);
out:
	for (int i = 0; i < 2; i++) {
		if (in[i] >= 0)
			close(in[i]);
		if (out[i] >= 0)
			close(out[i]);
	}
	return rc;
}

static int start_socket(struct probe *c, const char *path, struct bp_error *err)
{
	int fd = probe_socket_connect(path, err);

	if (fd < 0)
		return fd;
	/* Two ends, as of two pipes: each is closed when its time comes. */
	c->out = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (c->out < 0) {
		bp_fail_sys(err, errno, "cannot use the socket");
		close(fd);
		return BP_EIO;
	}
	c->in = fd;
	c->socket = true;
	return 0;
}

int probe_start(struct probe **probe, struct bp_error *err)
{
	const char *path = probe_socket_path();
	struct probe *c = calloc(1, sizeof(*c));
	int rc;

	if (c == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	c->pid = c->in = c->out = c->signals = -1;
	buf_init(&c->plan);
	frames_init(&c->frames);
	rc = path != NULL ? start_socket(c, path, err) : start_child(c, err);
	if (rc < 0)
		free(c);
	else
		*probe = c;
	return rc;
}

/* From now on signals are ours to turn into an orderly stop. */
static int watch_signals(struct probe *c, struct bp_error *err)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGTERM);
	sigprocmask(SIG_BLOCK, &mask, &c->mask_before);
	c->signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (c->signals >= 0)
		return 0;
	sigprocmask(SIG_SETMASK, &c->mask_before, NULL);
	return bp_fail_sys(err, errno, "cannot watch for signals");
}

/*
 * Closes the pipes: the child stops when its stdout has no reader. A child that has said its last
 * word is not waited for: taking its capture ring down keeps it some 40 ms in the kernel, and
 * nobody needs that.
 */
static int child_close(struct probe *c)
{
	int status = 0;

	if (c->in >= 0)
		close(c->in);
	if (c->out >= 0)
		close(c->out);
	if (c->pid > 0) {
		while (waitpid(c->pid, &status, c->frames.ended ? WNOHANG : 0) < 0 &&
		       errno == EINTR)
			;
	}
	if (c->signals >= 0) {
		struct signalfd_siginfo info;

		/* One that is still waiting was meant for the run: it must not end what follows. */
		while (read(c->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
			c->interrupts += !c->frames.ended;
		close(c->signals);
		sigprocmask(SIG_SETMASK, &c->mask_before, NULL);
	}
	buf_fini(&c->plan);
	frames_fini(&c->frames);
	return status;
}

void probe_abandon(struct probe *p)
{
	if (p == NULL)
		return;
	child_close(p);
	free(p);
}

static void plan_push(struct probe *c)
{
	ssize_t n;

	while (c->in >= 0) {
		while (c->more == PROBE_MORE_NOW && c->plan.used < PLAN_CHUNK) {
			c->more = c->run->more(c->run->arg, &c->plan);
			if (c->more == PROBE_MORE_NONE)
				plan_write_end(&c->plan);
		}
		if (c->plan.used == 0) {
			/* All was taken; the pipe stays open: its closing would say we are gone. */
			return;
		}
		n = write(c->in, c->plan.bytes, c->plan.used);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0) {
			/* The child has ended; its last word, if any, is in the frames. */
			close(c->in);
			c->in = -1;
			return;
		}
		buf_consume(&c->plan, (size_t)n);
	}
}

/* False at the end of the stream. */
static bool frames_read(struct probe *c)
{
	char chunk[256 * 1024];
	ssize_t n;

	do {
		n = read(c->out, chunk, sizeof(chunk));
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return false;
	buf_append(&c->frames.bytes, chunk, (size_t)n);
	return true;
}

static void take_signals(struct probe *c)
{
	struct signalfd_siginfo info;
	struct mono now = mono_now();

	while (read(c->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		/* timeout(1) signals us, then our group: that is no impatience. */
		if (c->interrupts > 0 && mono_since(now, c->interrupted) < IMPATIENCE_NS)
			continue;
		c->interrupted = now;
		/* First: finish in order. Again: now. */
		if (c->interrupts == 0)
			probe_stop(c);
		else
			probe_kill(c);
	}
}

void probe_begin(struct probe *c, const struct probe_run *r)
{
	c->run = r;
	plan_write_header(&c->plan);
	plan_write_run(&c->plan, &r->run);
}

void probe_fds(const struct probe *c, struct pollfd fds[static PROBE_FDS])
{
	fds[0] = (struct pollfd){.fd = c->out, .events = POLLIN};
	fds[1] = (struct pollfd){
		.fd = c->plan.used > 0 || c->more == PROBE_MORE_NOW ? c->in : -1,
		.events = POLLOUT,
	};
}

int probe_step(struct probe *c, const struct pollfd fds[static PROBE_FDS], bool *over,
	       struct bp_error *err)
{
	bool more = true;
	int rc = 0;

	if (fds[1].fd >= 0 && fds[1].revents)
		plan_push(c);
	if (fds[0].revents) {
		more = frames_read(c);
		rc = frames_take(&c->frames, c->run, err);
		/* A result has come: the plan may go on by it. */
		if (c->frames.result)
			probe_go_on(c);
	}
	*over = !more || c->frames.ended;
	return rc;
}

void probe_go_on(struct probe *c)
{
	if (c->more == PROBE_MORE_LATER)
		c->more = PROBE_MORE_NOW;
}

void probe_stop(struct probe *c)
{
	c->interrupts++;
	if (!c->socket) {
		kill(c->pid, SIGINT);
	} else if (c->in >= 0) {
		/* It sees that at once, whatever of the plan it has not read yet. */
		shutdown(c->in, SHUT_WR);
		close(c->in);
		c->in = -1;
	}
}

void probe_kill(struct probe *c)
{
	c->interrupts++;
	if (c->socket)
		shutdown(c->out, SHUT_RDWR);
	else
		kill(c->pid, SIGKILL);
}

static int pump(struct probe *c, const struct probe_run *r, struct bp_error *err)
{
	bool over = false;
	int rc = 0;

	probe_begin(c, r);
	while (rc == 0 && !over) {
		struct pollfd fds[PROBE_FDS + 1] = {
			[PROBE_FDS] = {.fd = c->signals, .events = POLLIN}};

		probe_fds(c, fds);
		if (poll(fds, PROBE_FDS + 1, -1) < 0 && errno != EINTR)
			return bp_fail_sys(err, errno, "poll");
		if (fds[PROBE_FDS].revents)
			take_signals(c);
		rc = probe_step(c, fds, &over, err);
	}
	return rc;
}

/* How it went, once the child is gone. */
static int last_word(const struct probe *c, int status, struct frame_end *end, struct bp_error *err)
{
	if (c->frames.ended) {
		*end = c->frames.end;
		end->interrupted |= c->interrupts > 0;
		return 0;
	}
	/* Stopped before it was ready to stop in order: nothing was measured yet. */
	if (c->interrupts > 0) {
		*end = (struct frame_end){.interrupted = 1};
		return 0;
	}
	if (c->socket)
		return bp_fail(err, BP_EIO, "borderpath-probe hung up without a last word (journalctl "
			       "-u 'borderpath-probe@*' may say why)");
	if (WIFSIGNALED(status))
		return bp_fail(err, BP_EIO, "borderpath-probe was ended by signal %d (%s)",
			       WTERMSIG(status), strsignal(WTERMSIG(status)));
	return bp_fail(err, BP_EIO, "borderpath-probe ended without a last word (exit %d)",
		       WEXITSTATUS(status));
}

int probe_run(struct probe *p, const struct probe_run *r, struct frame_end *end,
	      struct bp_error *err)
{
	int status, rc = watch_signals(p, err);

	if (rc == 0)
		rc = pump(p, r, err);
	status = child_close(p);
	if (rc == 0)
		rc = last_word(p, status, end, err);
	free(p);
	return rc;
}

/* Waits for a child that is ending; one that is not ending is ended. */
static int linger(const struct probe *c)
{
	struct pollfd gone = {.fd = pidfd_open(c->pid, 0), .events = POLLIN};
	int status = 0;

	if (gone.fd < 0 || c->frames.ended || poll(&gone, 1, LINGER_MS) <= 0)
		kill(c->pid, SIGKILL);
	if (gone.fd >= 0)
		close(gone.fd);
	while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

int probe_end(struct probe *p, struct frame_end *end, struct bp_error *err)
{
	int status = 0, rc;

	/* Its streams first: it stops when nobody reads. */
	close(p->out);
	p->out = -1;
	if (p->pid > 0)
		status = linger(p);
	p->pid = -1;
	child_close(p);
	rc = last_word(p, status, end, err);
	free(p);
	return rc;
}
