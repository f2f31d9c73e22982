// SPDX-License-Identifier: BSD-2-Clause
/*
 * borderpath-probe as its parent sees it: plans in, frames out, exit codes. Runs in a network
 * namespace of its own that has a loopback device and nothing else; needs root to make one, else it
 * is skipped.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/err.h"
#include "core/record/frame.h"

enum { TRACES_MAX = 32 };

static char program[4096];
static int listener; /* TCP port 80 of every loopback address, both families */

/* What a run said, all of it. */
struct said {
	int status;       /* of waitpid */
	bool hello, end;
	unsigned traces, notes, progress;
	struct trace *trace[TRACES_MAX]; /* owned */
	struct frame_end last;
};

struct child { pid_t pid; int in, out; };

/* uid 0 stays root; another starts without any capability, as a user without the file's would. */
static struct child start(uid_t uid)
{
	struct child c;
	int in[2], out[2];

	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	c.pid = fork();
	assert_true(c.pid >= 0);
	if (c.pid == 0) {
		char *argv[] = {program, NULL};

		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		if (uid != 0 && setresuid(uid, uid, uid) < 0)
			_exit(98);
		/* The leak checker's calls are not among those that the prober may make; ours
		 * would be handed down. */
		setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
		alarm(60); /* one that hangs ends, and does not outlive the test by long */
		execv(program, argv);
		_exit(99);
	}
	close(in[0]);
	close(out[1]);
	c.in = in[1];
	c.out = out[0];
	return c;
}

static bool read_whole(int fd, void *out, size_t n)
{
	for (size_t got = 0; got < n;) {
		ssize_t k = read(fd, (char *)out + got, n - got);

		if (k <= 0)
			return false;
		got += (size_t)k;
	}
	return true;
}

static void take_frame(struct said *s, const struct frame_head *h, void *body)
{
	switch (h->type) {
	case FRAME_HELLO:
		assert_false(s->hello);
		assert_int_equal(h->size, sizeof(struct frame_hello));
		assert_int_equal(((struct frame_hello *)body)->entry_size,
				 sizeof(struct trace_entry));
		s->hello = true;
		break;
	case FRAME_TRACE:
		assert_true(s->traces < TRACES_MAX);
		assert_int_equal(trace_validate(body, h->size), 0);
		s->trace[s->traces++] = body;
		return;
	case FRAME_PROGRESS: s->progress++; break;
	case FRAME_NOTE: s->notes++; break;
	case FRAME_END:
		assert_int_equal(h->size, sizeof(s->last));
		memcpy(&s->last, body, sizeof(s->last));
		s->end = true;
		break;
	default: fail_msg("frame of type %u", h->type);
	}
	free(body);
}

static struct said listen_to(struct child c)
{
	struct said s = {0};
	struct frame_head h;

	while (read_whole(c.out, &h, sizeof(h))) {
		void *body;

		assert_int_equal(h.magic, FRAME_MAGIC);
		assert_false(s.end);
		assert_true(s.hello || h.type == FRAME_HELLO);
		assert_true(h.size <= FRAME_SIZE_MAX);
		body = malloc(h.size + 1);
		assert_non_null(body);
		assert_true(read_whole(c.out, body, h.size));
		take_frame(&s, &h, body);
	}
	close(c.out);
	if (c.in >= 0)
		close(c.in);
	assert_int_equal(waitpid(c.pid, &s.status, 0), c.pid);
	return s;
}

static void forget(struct said *s)
{
	for (unsigned i = 0; i < s->traces; i++)
		free(s->trace[i]);
}

/* Runs a whole plan: header, the lines given, and what they end with. */
static struct said follow(uid_t uid, const char *run, const char *lines)
{
	struct child c = start(uid);

	assert_true(dprintf(c.in, "borderpath-plan 1\n%s\n%s", run, lines) > 0);
	close(c.in);
	c.in = -1;
	return listen_to(c);
}

static int exit_of(const struct said *s)
{
	return WIFEXITED(s->status) ? WEXITSTATUS(s->status) : 1000 + WTERMSIG(s->status);
}

/* --- the tests --- */

static void six_methods(void **state)
{
	static const struct {
		const char *words;
		enum reached_by by;
	} rows[] = {
		{"dst=127.0.0.1 method=icmp", REACHED_BY_ECHO_REPLY},
		{"dst=::1 method=icmp", REACHED_BY_ECHO_REPLY},
		{"dst=127.0.0.1 method=udp", REACHED_BY_PORT_UNREACHABLE},
		{"dst=::1 method=udp", REACHED_BY_PORT_UNREACHABLE},
		{"dst=127.0.0.1 method=tcp", REACHED_BY_SYN_ACK},
		{"dst=::1 method=tcp", REACHED_BY_SYN_ACK},
		{"dst=127.0.0.1 method=tcp dport=81", REACHED_BY_RST},
		{"dst=::1 method=tcp dport=81", REACHED_BY_RST},
		{"dst=127.0.0.1 method=udp flow=7", REACHED_BY_PORT_UNREACHABLE},
	};
	enum { N = sizeof(rows) / sizeof(rows[0]) };
	char lines[2048] = "";
	struct said s;

	(void)state;
	for (size_t i = 0; i < N; i++) {
		size_t used = strlen(lines);

		snprintf(lines + used, sizeof(lines) - used, "trace seq=%zu attempts=2 %s\n", i,
			 rows[i].words);
	}
	strncat(lines, "end\n", sizeof(lines) - strlen(lines) - 1);
	s = follow(0, "run vantage=v.1 rate_pps=max prefix_pps=max router_pps=max", lines);
	assert_int_equal(exit_of(&s), 0);
	assert_true(s.end);
	assert_int_equal(s.last.code, 0);
	assert_int_equal(s.traces, N);
	assert_int_equal(s.last.done, N);
	for (unsigned i = 0; i < N; i++) {
		const struct trace *t = s.trace[i];
		unsigned seq = (unsigned)atoi(strrchr(t->id, '-') + 1);

		if (t->reached_by != rows[seq].by)
			fail_msg("%s: %s", rows[seq].words, word_of(reached_by_words, t->reached_by));
		assert_memory_equal(t->id, "v.1-", 4);
		assert_int_equal(t->stop, STOP_REACHED);
		assert_string_equal(t->ifname, "lo");
		assert_int_equal(t->entry_count, 2);
		for (unsigned k = 0; k < 2; k++) {
			assert_int_equal(t->entries[k].ttl, 1);
			assert_true(t->entries[k].reply.rtt_ns > 0);
			assert_true(t->entries[k].reply.rtt_ns < NS_PER_S);
			assert_int_equal(t->entries[k].reply.flags, 0);
		}
	}
	assert_int_equal(s.notes, 0); /* resets leave for the SYN-ACKs */
	forget(&s);
}

static void targets_that_cannot_be_measured(void **state)
{
	static const struct { const char *words, *says; } rows[] = {
		{"dst=224.0.0.1 method=icmp", "multicast"},
		{"dst=255.255.255.255 method=udp", "broadcast"},
		{"dst=192.0.2.1 method=tcp", "no route to 192.0.2.1"},
		{"dst=2001:db8::1 method=tcp", "no route to 2001:db8::1"},
		{"dst=fe80::1 method=icmp", "name an interface"},
	};
	enum { N = sizeof(rows) / sizeof(rows[0]) };

	(void)state;
	for (size_t i = 0; i < N; i++) {
		char line[128];
		struct said s;

		snprintf(line, sizeof(line), "trace seq=1 %s\nend\n", rows[i].words);
		s = follow(0, "run", line);
		assert_int_equal(exit_of(&s), 0);
		assert_int_equal(s.traces, 1);
		assert_int_equal(s.trace[0]->stop, STOP_ERROR);
		if (strstr(s.trace[0]->error, rows[i].says) == NULL)
			fail_msg("%s: %s", rows[i].words, s.trace[0]->error);
		assert_int_equal(s.last.sent, 0);
		forget(&s);
	}
}

static void plans_that_cannot_be_followed(void **state)
{
	static const struct {
		const char *why, *run, *lines;
		int exit, code;
		const char *says;
	} rows[] = {
		{"no end", "run", "", 3, BP_ETRUNC, "ended before its last line"},
		{"a broken line", "run", "trace seq=1 dst=127.0.0.1\n", 1, BP_EPARSE,
		 "plan, line 3: method= is missing"},
		{"no such interface", "run ifname=nope0", "end\n", 1, BP_ENOTFOUND, "nope0"},
		{"a source that is not ours", "run src=192.0.2.9", "end\n", 1, BP_EIO,
		 "cannot send from 192.0.2.9"},
		{"a source that is", "run src=127.0.0.5", "end\n", 0, 0, ""},
		{"an interface that is there", "run ifname=lo", "end\n", 0, 0, ""},
		{"as fast as root may", "run rate_pps=max", "end\n", 0, 0, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct said s = follow(0, rows[i].run, rows[i].lines);

		if (exit_of(&s) != rows[i].exit || !s.end || s.last.code != rows[i].code ||
		    strstr(s.last.text, rows[i].says) == NULL)
			fail_msg("%s: exit %d, code %d (%s)", rows[i].why, exit_of(&s), s.last.code,
				 s.last.text);
		forget(&s);
	}
}

static void put_sysctl(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, value, strlen(value)), (ssize_t)strlen(value));
	close(fd);
}

static int64_t children_cpu_us(void)
{
	struct rusage u;

	assert_int_equal(getrusage(RUSAGE_CHILDREN, &u), 0);
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * INT64_C(1000000) + u.ru_utime.tv_usec +
	       u.ru_stime.tv_usec;
}

/* A target that waits for a place in the window waits asleep: it once kept a core busy. */
static void a_full_window_sleeps(void **state)
{
	static const char ignore[] = "/proc/sys/net/ipv4/icmp_echo_ignore_all";
	int64_t before = children_cpu_us(), used;
	struct said s;

	(void)state;
	put_sysctl(ignore, "1");
	s = follow(0, "run window=1",
		   "trace seq=1 dst=127.0.0.1 method=icmp attempts=1 wait_ms=1000\n"
		   "trace seq=2 dst=127.0.0.2 method=icmp attempts=1 wait_ms=1000\nend\n");
	put_sysctl(ignore, "0");
	used = children_cpu_us() - before;
	assert_int_equal(exit_of(&s), 0);
	assert_int_equal(s.traces, 2);
	/* Two seconds of waiting; opening takes some 20 ms. Under valgrind and sanitizers too. */
	if (used > 500 * 1000)
		fail_msg("%lld us of processor time over 2 s of silence", (long long)used);
	forget(&s);
}

static void without_privilege(void **state)
{
	struct said s = follow(65533, "run", "trace seq=1 dst=127.0.0.1 method=icmp\nend\n");

	(void)state;
	if (exit_of(&s) == 99)
		skip(); /* that user cannot reach the build tree */
	assert_int_equal(exit_of(&s), 1);
	assert_true(s.hello);
	assert_int_equal(s.last.code, BP_EPERM);
	assert_non_null(strstr(s.last.text, "CAP_NET_RAW"));
	assert_non_null(strstr(s.last.text, "setcap cap_net_raw+ep"));
	assert_int_equal(s.traces, 0);
	forget(&s);
}

/* Echo requests that this world has answered or not. */
static unsigned echoes(void)
{
	FILE *f = fopen("/proc/thread-self/net/snmp", "re");
	char line[1024];
	unsigned n = 0;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		sscanf(line, "Icmp: %*u %*u %*u %*u %*u %*u %*u %*u %u", &n);
	fclose(f);
	return n;
}

/* Stopped while it waits for its rate: more probes are planned than the first burst has. What was
 * measured is handed out, the target under way too, and the exit code says that it is partial. */
static void interrupted(int signal_number)
{
	enum { N = 8 };
	unsigned cut = 0, before = echoes();
	struct child c = start(0);
	struct said s;
	struct frame_head h;
	char body[sizeof(struct frame_hello)];

	assert_true(dprintf(c.in, "borderpath-plan 1\nrun rate_pps=1\n") > 0);
	for (int i = 1; i <= N; i++)
		assert_true(dprintf(c.in, "trace seq=%d dst=127.0.0.%d method=icmp attempts=10\n",
				    i, i) > 0);
	assert_true(dprintf(c.in, "end\n") > 0);
	/* HELLO is written before the signals are blocked: wait until it measures. */
	assert_true(read_whole(c.out, &h, sizeof(h)));
	assert_true(read_whole(c.out, body, sizeof(body)));
	for (unsigned i = 0; i < 3000 && echoes() < before + N; i++)
		usleep(10 * 1000);
	assert_int_equal(kill(c.pid, signal_number), 0);
	s = (struct said){.hello = true};
	while (read_whole(c.out, &h, sizeof(h))) {
		void *frame = malloc(h.size + 1);

		assert_non_null(frame);
		assert_true(read_whole(c.out, frame, h.size));
		take_frame(&s, &h, frame);
	}
	assert_int_equal(waitpid(c.pid, &s.status, 0), c.pid);
	close(c.in);
	close(c.out);
	assert_int_equal(exit_of(&s), 3);
	assert_true(s.end);
	assert_int_equal(s.last.interrupted, 1);
	assert_int_equal(s.last.code, 0);
	assert_true(s.traces >= 4);
	for (unsigned i = 0; i < s.traces; i++)
		cut += s.trace[i]->stop == STOP_INTERRUPTED;
	assert_true(cut > 0);
	assert_true(s.last.received > 0);
	forget(&s);
}

static void interrupted_by_int(void **state)
{
	(void)state;
	interrupted(SIGINT);
}

static void interrupted_by_term(void **state)
{
	(void)state;
	interrupted(SIGTERM);
}

/* The parent is gone: no more is measured, nothing is said. */
static void nobody_reads(void **state)
{
	struct child c = start(0);
	int status;

	(void)state;
	assert_true(dprintf(c.in, "borderpath-plan 1\nrun rate_pps=1\n") > 0);
	for (int i = 1; i <= 20; i++)
		assert_true(dprintf(c.in, "trace seq=%d dst=127.0.0.%d method=icmp attempts=10\n",
				    i, i) > 0);
	close(c.out);
	assert_int_equal(waitpid(c.pid, &status, 0), c.pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
	close(c.in);
}

/* Targets are measured while the plan is still being written. */
static void a_plan_that_arrives_slowly(void **state)
{
	struct child c = start(0);
	struct said s;
	struct frame_head h;
	char hello[sizeof(struct frame_hello)];
	struct trace *t;

	(void)state;
	assert_true(dprintf(c.in, "borderpath-plan 1\nrun rate_pps=max prefix_pps=max\n"
				  "trace seq=1 dst=127.0.0.1 method=udp attempts=1\ntrace seq") > 0);
	assert_true(read_whole(c.out, &h, sizeof(h)));
	assert_true(read_whole(c.out, hello, sizeof(hello)));
	assert_true(read_whole(c.out, &h, sizeof(h)));
	assert_int_equal(h.type, FRAME_TRACE);
	t = malloc(h.size);
	assert_true(read_whole(c.out, t, h.size));
	assert_int_equal(t->stop, STOP_REACHED);
	free(t);
	assert_true(dprintf(c.in, "=2 dst=127.0.0.1 method=udp attempts=1\nend\n") > 0);
	s = (struct said){.hello = true};
	assert_true(read_whole(c.out, &h, sizeof(h)));
	t = malloc(h.size);
	assert_true(read_whole(c.out, t, h.size));
	take_frame(&s, &h, t);
	assert_int_equal(s.traces, 1);
	assert_true(read_whole(c.out, &h, sizeof(h)));
	assert_int_equal(h.type, FRAME_END);
	close(c.out);
	close(c.in);
	assert_int_equal(waitpid(c.pid, &s.status, 0), c.pid);
	forget(&s);
}

/* A live view is told at most ten times a second, and told at all. */
static void progress(void **state)
{
	char lines[1024] = "";
	struct said s;

	(void)state;
	/* Sixty probes at 50 a second, of which 40 leave at once. */
	for (int i = 1; i <= 6; i++)
		snprintf(lines + strlen(lines), sizeof(lines) - strlen(lines),
			 "trace seq=%d dst=127.0.0.%d method=icmp attempts=10\n", i, i);
	snprintf(lines + strlen(lines), sizeof(lines) - strlen(lines), "end\n");
	s = follow(0, "run rate_pps=50 prefix_pps=max router_pps=max progress=1", lines);
	assert_int_equal(exit_of(&s), 0);
	assert_int_equal(s.traces, 6);
	assert_true(s.progress >= 2);
	assert_true(s.progress <= 1 + (unsigned)((s.trace[5]->end.ns - s.trace[5]->start.ns) /
						 (NS_PER_S / 10)));
	forget(&s);
}

static void usage(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			char version[] = "--version", other[] = "--rate=9";
			char *argv[] = {program, i ? other : version, NULL};
			int null = open("/dev/null", O_WRONLY);

			dup2(null, 1);
			dup2(null, 2);
			execv(program, argv);
			_exit(99);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), i ? 2 : 0);
	}
}

/* --- a world of our own --- */

static bool find_program(void)
{
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 32);
	char *tests;

	if (n <= 0)
		return false;
	program[n] = '\0';
	tests = strstr(program, "/tests/unit/");
	if (tests == NULL)
		return false;
	memcpy(tests, "/borderpath-probe", sizeof("/borderpath-probe"));
	return access(program, X_OK) == 0;
}

static bool enter_world(void)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(80)};
	struct ifreq r = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd;

	if (geteuid() != 0 || unshare(CLONE_NEWNET) < 0)
		return false;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &r) < 0)
		return false;
	close(fd);
	listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return listener >= 0 && bind(listener, (struct sockaddr *)&any, sizeof(any)) == 0 &&
	       listen(listener, 16) == 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(six_methods),
		cmocka_unit_test(targets_that_cannot_be_measured),
		cmocka_unit_test(plans_that_cannot_be_followed),
		cmocka_unit_test(a_full_window_sleeps),
		cmocka_unit_test(without_privilege),
		cmocka_unit_test(interrupted_by_int),
		cmocka_unit_test(interrupted_by_term),
		cmocka_unit_test(nobody_reads),
		cmocka_unit_test(a_plan_that_arrives_slowly),
		cmocka_unit_test(progress),
		cmocka_unit_test(usage),
	};

	if (!find_program() || !enter_world()) {
		printf("no borderpath-probe beside this build, or no right to make a namespace\n"
		       "[  SKIPPED ] %zu test(s), listed below:\n", sizeof(tests) / sizeof(tests[0]));
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
