// SPDX-License-Identifier: BSD-2-Clause
/*
 * bench_run: runs a command and says what it cost: wall clock, processor time of all its processes,
 * peak resident memory of each program, packets through an interface. Owns the accounting; judges
 * nothing.
 *
 * time(1) sees neither a child that its parent does not wait for (borderpath leaves
 * borderpath-probe to init), nor one process's memory apart from another's: ru_maxrss of a child
 * begins with the peak of the image that started it. So this is a subreaper, which inherits
 * orphans, and a tracer that is told of each process's end while its memory is still there to read
 * (PTRACE_EVENT_EXIT). System calls are not traced; a process stops only where it starts and ends.
 *
 * usage: bench_run [-t SECONDS] [-i IFACE] -o FILE -- COMMAND [ARGUMENT...]
 *   appends to FILE one line of tab-separated words:
 *   wall_s linger_s user_s sys_s softirq_s tx rx exit NAME=PEAK_KB[,NAME=PEAK_KB...]
 * wall ends with the command itself, as a shell sees it; linger is how much longer others of its
 * processes lived (a packet socket's end waits for the kernel). softirq is what the kernel's
 * ksoftirqd threads ran meanwhile, of which BENCH_KSOFTIRQD holds the open descriptors of
 * /proc/PID/schedstat; 0 without. tx and rx are 0 without -i. exit is the command's, 128+N after
 * signal N, 124 when -t ran out.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"

enum { PROGRAMS_MAX = 32, EXIT_TIMEOUT = 124 };

struct program {
	char name[32];
	long peak_kb;
};

struct cost {
	struct program programs[PROGRAMS_MAX];
	unsigned program_count;
	struct timeval user, sys;
	struct mono ended; /* of the command itself */
	uint64_t tx, rx;
	int64_t softirq_ns;
	int status;
};

struct job {
	const char *iface, *out;
	char **argv;
	int seconds;
	pid_t main_pid;
};

/* What the watched process says about itself in /proc/PID/status. */
struct status {
	char name[32];
	long ppid, tgid, peak_kb;
};

static bool read_status(pid_t pid, struct status *s)
{
	char path[64], line[256];
	FILE *f;

	memset(s, 0, sizeof(*s));
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	if (f == NULL)
		return false;
	while (fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, "Name:", 5) == 0)
			sscanf(line + 5, "%31s", s->name);
		else if (strncmp(line, "PPid:", 5) == 0)
			s->ppid = atol(line + 5);
		else if (strncmp(line, "Tgid:", 5) == 0)
			s->tgid = atol(line + 5);
		else if (strncmp(line, "VmHWM:", 6) == 0)
			s->peak_kb = atol(line + 6);
	}
	fclose(f);
	return true;
}

/* The name the kernel shows is cut at 15 bytes: the program file's says it whole. */
static void whole_name(pid_t pid, struct status *s)
{
	char path[64], exe[512];
	const char *base;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	n = readlink(path, exe, sizeof(exe) - 1);
	if (n <= 0)
		return;
	exe[n] = '\0';
	base = strrchr(exe, '/');
	base = base != NULL ? base + 1 : exe;
	if (strncmp(base, s->name, strlen(s->name)) == 0)
		snprintf(s->name, sizeof(s->name), "%.31s", base);
}

static void note_peak(struct cost *c, pid_t pid)
{
	struct status s;
	unsigned i = 0;

	if (!read_status(pid, &s))
		return;
	whole_name(pid, &s);
	while (i < c->program_count && strcmp(c->programs[i].name, s.name) != 0)
		i++;
	if (i == PROGRAMS_MAX)
		return;
	if (i == c->program_count)
		memcpy(c->programs[c->program_count++].name, s.name, sizeof(s.name));
	if (s.peak_kb > c->programs[i].peak_kb)
		c->programs[i].peak_kb = s.peak_kb;
}

static void interface_counters(const char *iface, uint64_t *tx, uint64_t *rx)
{
	char line[512], *colon;
	FILE *f = iface != NULL ? fopen("/proc/net/dev", "re") : NULL;

	*tx = *rx = 0;
	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		char *name = line + strspn(line, " ");

		colon = strchr(name, ':');
		if (colon == NULL)
			continue;
		*colon = '\0';
		if (strcmp(name, iface) == 0)
			sscanf(colon + 1, "%*u %" SCNu64 " %*u %*u %*u %*u %*u %*u %*u %" SCNu64,
			       rx, tx);
	}
	if (f != NULL)
		fclose(f);
}

static int64_t softirq_ns(void)
{
	const char *fds = getenv("BENCH_KSOFTIRQD");
	int64_t sum = 0;
	char *end;

	while (fds != NULL && *fds != '\0') {
		char text[128] = "";
		int fd = (int)strtol(fds, &end, 10);

		if (end == fds)
			break;
		fds = end;
		if (pread(fd, text, sizeof(text) - 1, 0) > 0)
			sum += strtoll(text, NULL, 10);
	}
	return sum;
}

/* The ends of processes. A traced process whose own parent still lives is shown to us first and to
 * the parent after: its time is then in what the parent's end brings, or comes again to us as the
 * reaper. So only those are added whose parent we are when they end. */
static void reap(struct cost *c, const struct job *j, const struct status *s, bool known, pid_t pid,
		 int status, const struct rusage *ru)
{
	if (known && (s->tgid != pid || s->ppid != getpid()))
		return;
	timeradd(&c->user, &ru->ru_utime, &c->user);
	timeradd(&c->sys, &ru->ru_stime, &c->sys);
	if (pid != j->main_pid)
		return;
	c->ended = mono_now();
	c->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void resume(struct cost *c, pid_t pid, int status)
{
	int event = status >> 16, signal = WSTOPSIG(status);

	if (event == PTRACE_EVENT_EXIT)
		note_peak(c, pid);
	ptrace(PTRACE_CONT, pid, NULL, event != 0 ? 0L : (long)signal);
}

static volatile sig_atomic_t timed_out; /* a signal handler has nowhere else to write */

static void on_alarm(int sig)
{
	(void)sig;
	timed_out = 1;
}

/* Until no process is left. */
static int watch(struct cost *c, const struct job *j)
{
	for (;;) {
		struct status s;
		struct rusage ru;
		siginfo_t info;
		int status;
		bool known;
		pid_t pid;

		if (waitid(P_ALL, 0, &info, WEXITED | WSTOPPED | WNOWAIT | __WALL) < 0) {
			if (errno == EINTR && timed_out)
				return -1; /* PTRACE_O_EXITKILL ends them with us */
			if (errno == EINTR)
				continue;
			return errno == ECHILD ? 0 : -1;
		}
		known = read_status(info.si_pid, &s);
		pid = wait4(info.si_pid, &status, __WALL, &ru);
		if (pid <= 0)
			continue;
		if (WIFSTOPPED(status))
			resume(c, pid, status);
		else
			reap(c, j, &s, known, pid, status, &ru);
	}
}

/* The command, stopped before its first instruction until it is watched. */
static int start(struct job *j, int *go)
{
	long options = PTRACE_O_TRACEEXIT | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
		       PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL;
	int gate[2];
	char byte;

	if (pipe2(gate, O_CLOEXEC) < 0)
		return -1;
	j->main_pid = fork();
	if (j->main_pid < 0)
		return -1;
	if (j->main_pid == 0) {
		close(gate[1]);
		if (read(gate[0], &byte, 1) == 1)
			execvp(j->argv[0], j->argv);
		fprintf(stderr, "bench_run: %s: %s\n", j->argv[0], strerror(errno));
		_exit(127);
	}
	close(gate[0]);
	*go = gate[1];
	return ptrace(PTRACE_SEIZE, j->main_pid, NULL, options) < 0 ? -1 : 0;
}

static int tell(const struct job *j, const struct cost *c, int64_t wall_ns, int64_t linger_ns)
{
	FILE *f = fopen(j->out, "ae");

	if (f == NULL)
		return -1;
	fprintf(f, "%.6f\t%.6f\t%.6f\t%.6f\t%.6f\t%" PRIu64 "\t%" PRIu64 "\t%d\t",
		(double)wall_ns / 1e9, (double)linger_ns / 1e9,
		(double)c->user.tv_sec + (double)c->user.tv_usec / 1e6,
		(double)c->sys.tv_sec + (double)c->sys.tv_usec / 1e6,
		(double)c->softirq_ns / 1e9, c->tx, c->rx, c->status);
	for (unsigned i = 0; i < c->program_count; i++)
		fprintf(f, "%s%s=%ld", i > 0 ? "," : "", c->programs[i].name,
			c->programs[i].peak_kb);
	fprintf(f, "%s\n", c->program_count == 0 ? "-" : "");
	return fclose(f);
}

static int run(struct job *j)
{
	struct sigaction alarm_action = {.sa_handler = on_alarm};
	struct cost c = {.status = 127};
	struct mono begin, end;
	uint64_t tx, rx;
	int64_t softirq;
	int go;

	prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L);
	sigaction(SIGALRM, &alarm_action, NULL);
	if (start(j, &go) < 0) {
		perror("bench_run");
		return 1;
	}
	interface_counters(j->iface, &tx, &rx);
	softirq = softirq_ns();
	begin = mono_now();
	alarm((unsigned)j->seconds);
	if (write(go, "", 1) != 1 || (watch(&c, j) < 0 && !timed_out)) {
		perror("bench_run");
		return 1;
	}
	end = mono_now();
	c.softirq_ns = softirq_ns() - softirq;
	interface_counters(j->iface, &c.tx, &c.rx);
	c.tx -= tx;
	c.rx -= rx;
	if (timed_out) {
		c.status = EXIT_TIMEOUT;
		c.ended = end;
	}
	if (tell(j, &c, mono_since(c.ended, begin), mono_since(end, c.ended)) != 0) {
		perror(j->out);
		return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct job j = {.seconds = 300};
	int opt;

	while ((opt = getopt(argc, argv, "+t:i:o:")) != -1) {
		switch (opt) {
		case 't': j.seconds = atoi(optarg); break;
		case 'i': j.iface = optarg; break;
		case 'o': j.out = optarg; break;
		default: optind = argc;
		}
	}
	j.argv = argv + optind;
	if (optind >= argc || j.out == NULL) {
		fputs("usage: bench_run [-t SECONDS] [-i IFACE] -o FILE -- COMMAND...\n", stderr);
		return 2;
	}
	return run(&j);
}
