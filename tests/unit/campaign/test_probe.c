// SPDX-License-Identifier: BSD-2-Clause
/*
 * The child's stream, told by children of our own making (shell scripts beside this test, where
 * borderpath-probe is looked for): every way to break off, lie or die gives one clear error, never
 * a hang. Then the same behind a socket, by a server in small that starts the script for each who
 * connects. No packet is sent.
 */
#include "campaign/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <sys/wait.h>
#include <cmocka.h>

#include "campaign/probe_socket.h"

static char child[4096], stream[4096 + 8], door[108];
static int alive = -1;   /* the server ends when this closes */
static bool by_socket;   /* of the tests that follow */

struct heard { unsigned traces, notes; char note[256]; int answer; };

static enum probe_more no_more(void *arg, struct buf *out)
{
	(void)arg;
	(void)out;
	return PROBE_MORE_NONE;
}

static int on_trace(void *arg, const struct trace *t)
{
	struct heard *h = arg;

	(void)t;
	h->traces++;
	return h->answer;
}

static void on_note(void *arg, const char *text)
{
	struct heard *h = arg;

	h->notes++;
	text_set(h->note, sizeof(h->note), text);
}

static int start_and_run(const struct probe_run *r, struct frame_end *end, struct bp_error *err)
{
	struct probe *p;
	int rc = probe_start(&p, err);

	return rc < 0 ? rc : probe_run(p, r, end, err);
}

static int run(struct heard *h, struct frame_end *end, struct bp_error *err)
{
	struct probe_run r = {.more = no_more, .on_trace = on_trace, .on_note = on_note, .arg = h};

	plan_run_defaults(&r.run);
	*err = (struct bp_error){0};
	return start_and_run(&r, end, err);
}

/* In one step: a child that is being started reads the old one, or the new one. */
static void write_bytes(const char *path, const void *bytes, size_t n, mode_t mode)
{
	char fresh[sizeof(stream) + 64];
	FILE *f;

	snprintf(fresh, sizeof(fresh), "%s.new", path);
	f = fopen(fresh, "we");
	assert_non_null(f);
	if (n > 0)
		assert_int_equal(fwrite(bytes, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(fresh, mode), 0);
	assert_int_equal(rename(fresh, path), 0);
}

/* The child prints the bytes of `out` and then does `then`. */
static void make_child(const struct buf *out, const char *then)
{
	char script[sizeof(stream) + 512];
	int n = snprintf(script, sizeof(script), "#!/bin/sh\ncat '%s'\n%s\n", stream, then);

	assert_in_range(n, 1, sizeof(script) - 1);
	write_bytes(stream, out->bytes, out->used, 0644);
	write_bytes(child, script, (size_t)n, 0755);
}

static void frame(struct buf *out, uint32_t type, const void *body, size_t n)
{
	struct frame_head head = {.magic = FRAME_MAGIC, .type = type, .size = (uint32_t)n};

	buf_append(out, &head, sizeof(head));
	buf_append(out, body, n);
}

static void hello(struct buf *out)
{
	struct frame_hello h = {.version = FRAME_VERSION, .trace_size = sizeof(struct trace),
				.entry_size = sizeof(struct trace_entry)};

	frame(out, FRAME_HELLO, &h, sizeof(h));
}

static void whole_run(void **state)
{
	struct frame_end last = {.done = 1, .sent = 7}, end = {0};
	struct trace *t = trace_new(0);
	struct heard h = {0};
	struct bp_error err;
	struct buf out;

	(void)state;
	buf_init(&out);
	hello(&out);
	frame(&out, FRAME_NOTE, "mind\033[31m the gap", 17);
	frame(&out, FRAME_TRACE, t, trace_size(0));
	frame(&out, FRAME_END, &last, sizeof(last));
	/* It reads its plan to the end, as the real one does. */
	make_child(&out, "sed -n '/^end$/q'");
	assert_int_equal(run(&h, &end, &err), 0);
	assert_int_equal(h.traces, 1);
	assert_int_equal(end.sent, 7);
	assert_string_equal(h.note, "mind?[31m the gap");
	buf_fini(&out);
	free(t);
}

/* A plan far larger than a pipe, to a child that reads none of it before it ends. */
static enum probe_more endless(void *arg, struct buf *out)
{
	unsigned *left = arg;
	struct plan_trace t;

	plan_trace_defaults(&t);
	t.seq = *left;
	addr_parse("192.0.2.1", &t.dst);
	t.method = METHOD_ICMP;
	plan_write_trace(out, &t);
	return --*left > 0 ? PROBE_MORE_NOW : PROBE_MORE_NONE;
}

static void child_that_does_not_read(void **state)
{
	unsigned left = 100000;
	struct probe_run r = {.more = endless, .on_trace = on_trace, .arg = &left};
	struct frame_end last = {.code = BP_EPERM}, end = {0};
	struct bp_error err;
	struct buf out;

	(void)state;
	buf_init(&out);
	text_set(last.text, sizeof(last.text), "no CAP_NET_RAW");
	frame(&out, FRAME_END, &last, sizeof(last));
	make_child(&out, "exit 1");
	plan_run_defaults(&r.run);
	assert_int_equal(start_and_run(&r, &end, &err), 0);
	assert_int_equal(end.code, BP_EPERM);
	assert_string_equal(end.text, "no CAP_NET_RAW");
	buf_fini(&out);
}

/* Started, and then not wanted: it is told so, and waited for. */
static void child_that_is_not_wanted(void **state)
{
	struct bp_error err = {0};
	struct probe *p = NULL;
	struct buf out;

	(void)state;
	/* Those of other tests, whose last word was enough. */
	while (waitpid(-1, NULL, 0) > 0)
		;
	buf_init(&out);
	make_child(&out, "cat >/dev/null");
	assert_int_equal(probe_start(&p, &err), 0);
	probe_abandon(p);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	probe_abandon(NULL);
	buf_fini(&out);
}

static void broken_streams(void **state)
{
	struct frame_hello other = {.version = FRAME_VERSION + 1};
	struct frame_head huge = {.magic = FRAME_MAGIC, .type = FRAME_TRACE,
				  .size = FRAME_SIZE_MAX + 1};
	struct trace *bad = trace_new(0);
	struct buf out[8];
	const struct { struct buf *out; const char *then, *says, *hung_up; } rows[] = {
		{&out[0], "exit 5", "without a last word (exit 5)", "hung up without a last word"},
		{&out[1], "exit 0", "something else than frames", NULL},
		{&out[2], "exit 0", "of another version", NULL},
		{&out[3], "exit 0", "did not introduce itself", NULL},
		{&out[4], "exit 0", "something else than frames", NULL},
		{&out[5], "exit 0", "makes no sense", NULL},
		{&out[6], "kill -SEGV $$", "ended by signal 11", "hung up without a last word"},
		{&out[7], "exit 0", "without a last word", NULL},
	};

	(void)state;
	for (size_t i = 0; i < 8; i++)
		buf_init(&out[i]);
	hello(&out[0]);
	buf_str(&out[1], "usage: borderpath-probe [OPTIONS]\n");
	frame(&out[2], FRAME_HELLO, &other, sizeof(other));
	frame(&out[3], FRAME_TRACE, bad, trace_size(0));
	hello(&out[4]);
	buf_append(&out[4], &huge, sizeof(huge));
	hello(&out[5]);
	bad->stop = 99;
	frame(&out[5], FRAME_TRACE, bad, trace_size(0));
	hello(&out[6]);
	/* Cut inside a frame. */
	hello(&out[7]);
	buf_append(&out[7], &(struct frame_head){FRAME_MAGIC, FRAME_NOTE, 100, 0},
		   sizeof(struct frame_head));
	buf_str(&out[7], "half");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct frame_end end;
		struct heard h = {0};
		struct bp_error err;
		const char *says = rows[i].says;

		if (by_socket && rows[i].hung_up != NULL)
			says = rows[i].hung_up;
		make_child(rows[i].out, rows[i].then);
		if (run(&h, &end, &err) >= 0 || strstr(err.text, says) == NULL)
			fail_msg("row %zu: wanted '%s', got '%s'", i, says, err.text);
		assert_int_equal(h.traces, 0);
	}
	for (size_t i = 0; i < 8; i++)
		buf_fini(&out[i]);
	free(bad);
}

/* The output failed: the run stops, the child is reaped, the error is the writer's own. */
static void a_writer_that_fails_stops_the_run(void **state)
{
	struct trace *t = trace_new(0);
	struct heard h = {.answer = BP_EIO};
	struct frame_end end;
	struct bp_error err;
	struct buf out;

	(void)state;
	buf_init(&out);
	hello(&out);
	frame(&out, FRAME_TRACE, t, trace_size(0));
	frame(&out, FRAME_TRACE, t, trace_size(0));
	make_child(&out, "exec sed -n '/^never$/q'");
	assert_int_equal(run(&h, &end, &err), BP_EIO);
	assert_int_equal(h.traces, 1);
	buf_fini(&out);
	free(t);
}

/* timeout(1) signals us, then our group: the child gets to say its last word all the same. */
static void a_signal_that_comes_twice_is_one(void **state)
{
	struct frame_end last = {.done = 1}, end = {0};
	char path[sizeof(child) + 8];
	struct heard h = {0};
	struct bp_error err;
	struct buf out;

	(void)state;
	buf_init(&out);
	hello(&out);
	/* Told to stop, it signals us once more and takes its time before its last word. It begins
	 * when it has a line of the plan: from then on signals are taken as requests. */
	make_child(&out, "trap 'kill -INT $PPID; sleep 0.2; cat \"$0.last\"; exit 0' INT\n"
		   "read -r _; kill -INT $PPID; sleep 10 & wait");
	buf_clear(&out);
	frame(&out, FRAME_END, &last, sizeof(last));
	snprintf(path, sizeof(path), "%s.last", child);
	write_bytes(path, out.bytes, out.used, 0644);
	if (run(&h, &end, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(end.done, 1);
	assert_int_equal(end.interrupted, 1);
	remove(path);
	buf_fini(&out);
}

/* A caller with a loop of its own: lines are withheld until it says so, a request to stop is
 * obeyed, and nothing is left behind, not even by a child that has said its last word and
 * stays. */
static enum probe_more withheld(void *arg, struct buf *out)
{
	struct heard *h = arg;
	struct plan_trace t;

	if (h->answer == 0)
		return PROBE_MORE_LATER;
	plan_trace_defaults(&t);
	t.seq = 1;
	addr_parse("192.0.2.1", &t.dst);
	t.method = METHOD_ICMP;
	plan_write_trace(out, &t);
	return PROBE_MORE_NONE;
}

static bool step(struct probe *p, int wait_ms, struct bp_error *err)
{
	struct pollfd fds[PROBE_FDS];
	bool over = false;

	probe_fds(p, fds);
	if (poll(fds, PROBE_FDS, wait_ms) > 0 && probe_step(p, fds, &over, err) < 0)
		fail_msg("%s", err->text);
	return over;
}

static void in_parts(void **state)
{
	static const struct { const char *then; bool stop, socket; } rows[] = {
		{"sed -n '/^trace/q'; cat \"$0.last\"", false, false},
		{"sed -n '/^trace/q'; cat \"$0.last\"; exec sleep 60", false, false},
		{"trap 'cat \"$0.last\"; exit 0' INT\nsed -n '/^trace/q'; sleep 60 & wait", true,
		 false},
		{"sed -n '/^trace/q'; cat \"$0.last\"", false, true},
		{"sed -n '/^trace/q'; cat \"$0.last\"; exec cat >/dev/null", false, true},
		/* Asked to stop by the end of its input, it has the last word all the same. */
		{"cat >/dev/null; cat \"$0.last\"", true, true},
	};
	struct frame_end last = {.done = 3}, end;
	char path[sizeof(child) + 8];
	struct bp_error err;
	struct probe *p;
	struct buf out;

	(void)state;
	while (waitpid(-1, NULL, 0) > 0)
		;
	buf_init(&out);
	frame(&out, FRAME_END, &last, sizeof(last));
	snprintf(path, sizeof(path), "%s.last", child);
	write_bytes(path, out.bytes, out.used, 0644);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct heard h = {0};
		struct probe_run r = {.more = withheld, .on_trace = on_trace, .arg = &h};

		if (rows[i].socket != by_socket)
			continue;
		plan_run_defaults(&r.run);
		buf_clear(&out);
		hello(&out);
		make_child(&out, rows[i].then);
		assert_int_equal(probe_start(&p, &err), 0);
		probe_begin(p, &r);
		/* No line is there: it waits for its plan, and does not end. */
		for (int n = 0; n < 5; n++)
			assert_false(step(p, 20, &err));
		h.answer = 1;
		probe_go_on(p);
		if (rows[i].stop) {
			assert_false(step(p, 200, &err));
			probe_stop(p);
		}
		while (!step(p, 5000, &err))
			;
		assert_int_equal(probe_end(p, &end, &err), 0);
		assert_int_equal(end.done, 3);
		assert_int_equal(end.interrupted, rows[i].stop);
		assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	}
	/* Killed, it says nothing, and that is no failure of its own. */
	make_child(&out, by_socket ? "exec cat >/dev/null" : "exec sleep 60");
	assert_int_equal(probe_start(&p, &err), 0);
	probe_kill(p);
	assert_int_equal(probe_end(p, &end, &err), 0);
	assert_int_equal(end.interrupted, 1);
	remove(path);
	buf_fini(&out);
}

static void not_executable(void **state)
{
	struct heard h = {0};
	struct frame_end end;
	struct bp_error err;
	struct buf out;

	(void)state;
	/* valgrind asks only whether root may read it, and runs it. */
	if (getenv("UNDER_VALGRIND") != NULL)
		skip();
	/* root may run what is executable for anyone: nobody may run this. */
	buf_init(&out);
	buf_str(&out, "");
	make_child(&out, "");
	assert_int_equal(chmod(child, 0600), 0);
	assert_int_equal(run(&h, &end, &err), BP_EPERM);
	assert_non_null(strstr(err.text, "group"));
	buf_fini(&out);
}

/* --- behind a socket -------------------------------------------------------------------------- */

static struct sockaddr_un at_door(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	memcpy(at.sun_path, door, strlen(door));
	return at;
}

static void serve_one(int connection)
{
	signal(SIGCHLD, SIG_DFL);
	fcntl(connection, F_SETFL, 0);
	dup2(connection, STDIN_FILENO);
	dup2(connection, STDOUT_FILENO);
	execl(child, child, (char *)NULL);
	_exit(127);
}

/* As a socket unit with Accept=yes does it. */
static void serve(int listener, int until)
{
	struct pollfd fds[] = {{.fd = listener, .events = POLLIN}, {.fd = until, .events = POLLIN}};

	signal(SIGCHLD, SIG_IGN);
	while (poll(fds, 2, -1) > 0 && fds[1].revents == 0) {
		int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (connection >= 0 && fork() == 0)
			serve_one(connection);
		close(connection);
	}
	_exit(0);
}

/* Not a child of this process: its tests wait for all they have. */
static int open_door(void **state)
{
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), life[2];
	struct sockaddr_un at;
	pid_t first;

	(void)state;
	snprintf(door, sizeof(door), "/tmp/bp-door-%d", (int)getpid());
	at = at_door();
	if (listener < 0 || pipe2(life, O_CLOEXEC) < 0 ||
	    bind(listener, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(listener, 8) < 0)
		return -1;
	while (waitpid(-1, NULL, 0) > 0)
		;
	first = fork();
	if (first == 0) {
		close(life[1]);
		if (fork() == 0)
			serve(listener, life[0]);
		_exit(0);
	}
	waitpid(first, NULL, 0);
	close(listener);
	close(life[0]);
	alive = life[1];
	by_socket = true;
	return setenv(PROBE_SOCKET_ENV, door, 1);
}

static int close_door(void **state)
{
	(void)state;
	by_socket = false;
	close(alive);
	unlink(door);
	return unsetenv(PROBE_SOCKET_ENV);
}

static void no_socket(void **state)
{
	char plain[sizeof(door) + 8], closed[200];
	struct bp_error err = {0};
	struct probe *p = NULL;
	const struct { const char *path; int code; const char *says; } rows[] = {
		{"/nonexistent/probe.sock", BP_ENOTFOUND, "borderpath-probe.socket"},
		{plain, BP_EIO, "nobody listens at /tmp/bp-door-"},
		{closed, BP_ERANGE, "longer than a socket's name"},
	};

	(void)state;
	snprintf(plain, sizeof(plain), "%s.file", door);
	write_bytes(plain, "", 0, 0644);
	memset(closed, 'x', sizeof(closed) - 1);
	closed[sizeof(closed) - 1] = '\0';
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		setenv(PROBE_SOCKET_ENV, rows[i].path, 1);
		assert_int_equal(probe_start(&p, &err), rows[i].code);
		if (strstr(err.text, rows[i].says) == NULL)
			fail_msg("row %zu: '%s'", i, err.text);
		assert_null(p);
	}
	setenv(PROBE_SOCKET_ENV, door, 1);
	unlink(plain);
}

/* A plan that fills the socket, and a child that reads none of it: it hears the request to stop. */
static void stop_is_heard_behind_an_unread_plan(void **state)
{
	unsigned left = 100000;
	struct probe_run r = {.more = endless, .on_trace = on_trace, .arg = &left};
	struct bp_error err;
	struct pollfd end;
	struct probe *p;
	struct buf out;
	int listener, connection;
	struct sockaddr_un at = at_door();

	(void)state;
	buf_init(&out);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	memcpy(at.sun_path + strlen(at.sun_path), ".2", 3);
	assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(listener, 1), 0);
	setenv(PROBE_SOCKET_ENV, at.sun_path, 1);
	plan_run_defaults(&r.run);
	assert_int_equal(probe_start(&p, &err), 0);
	connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(connection >= 0);
	probe_begin(p, &r);
	for (int i = 0; i < 20; i++)
		step(p, 10, &err);
	assert_true(left > 0);
	end = (struct pollfd){.fd = connection, .events = POLLRDHUP};
	assert_int_equal(poll(&end, 1, 0), 0);
	probe_stop(p);
	assert_int_equal(poll(&end, 1, 0), 1);
	assert_int_equal(end.revents & (POLLRDHUP | POLLHUP), POLLRDHUP);
	probe_kill(p);
	assert_int_equal(poll(&end, 1, 0), 1);
	assert_true(end.revents & POLLHUP);
	probe_abandon(p);
	close(connection);
	close(listener);
	unlink(at.sun_path);
	setenv(PROBE_SOCKET_ENV, door, 1);
	buf_fini(&out);
}

static int setup(void **state)
{
	ssize_t n = readlink("/proc/self/exe", child, sizeof(child) - 32);
	char *slash;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	if (n < 0)
		return -1;
	child[n] = '\0';
	/* Under valgrind that link is the tool's own: never write beside it. */
	if (strstr(child, "/tests/unit/campaign/") == NULL)
		return -1;
	slash = strrchr(child, '/');
	strcpy(slash, "/borderpath-probe");
	snprintf(stream, sizeof(stream), "%s.out", child);
	return 0;
}

static void teardown(void)
{
	unlink(child);
	unlink(stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_run),
		cmocka_unit_test(child_that_does_not_read),
		cmocka_unit_test(child_that_is_not_wanted),
		cmocka_unit_test(broken_streams),
		cmocka_unit_test(a_writer_that_fails_stops_the_run),
		cmocka_unit_test(a_signal_that_comes_twice_is_one),
		cmocka_unit_test(in_parts),
		cmocka_unit_test(not_executable),
	};

	const struct CMUnitTest behind_a_socket[] = {
		cmocka_unit_test(whole_run),
		cmocka_unit_test(child_that_does_not_read),
		cmocka_unit_test(child_that_is_not_wanted),
		cmocka_unit_test(broken_streams),
		cmocka_unit_test(a_writer_that_fails_stops_the_run),
		cmocka_unit_test(in_parts),
		cmocka_unit_test(no_socket),
		cmocka_unit_test(stop_is_heard_behind_an_unread_plan),
	};
	int failed = cmocka_run_group_tests(tests, setup, NULL);

	failed += cmocka_run_group_tests(behind_a_socket, open_door, close_door);
	teardown();
	return failed;
}
