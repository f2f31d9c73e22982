// SPDX-License-Identifier: BSD-2-Clause
/*
 * borderpath-probe: the only program of the two that is ever given a privilege. Opens what needs
 * it, gives it up for good, and only then reads what it is to measure.
 */
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "core/err.h"
#include "core/record/frame.h"
#include "core/text.h"
#include "prober/io/drop.h"
#include "prober/io/peer.h"
#include "prober/output.h"
#include "prober/run.h"
#include "prober/watch.h"

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_PARTIAL = 3, STALL_MS = 10 * 1000 };

#if defined(__SANITIZE_ADDRESS__)
/* The leak checker stops threads by ptrace, which the filter does not let through. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

static const char usage[] =
	"borderpath-probe " BP_VERSION ": measures for borderpath(1), which starts it.\n"
	"Reads a plan on standard input and writes frames to standard output; takes no options.\n";

static int say_usage(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		puts("borderpath-probe " BP_VERSION);
		return EXIT_OK;
	}
	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		fputs(usage, stdout);
		return EXIT_OK;
	}
	fputs(usage, stderr);
	return EXIT_USAGE;
}

static void say_hello(struct output *out)
{
	struct frame_hello hello = {
		.version = FRAME_VERSION,
		.trace_size = sizeof(struct trace),
		.entry_size = sizeof(struct trace_entry),
		.pid = (uint32_t)getpid(),
	};

	text_set(hello.tool, sizeof(hello.tool), "borderpath " BP_VERSION);
	output_frame(out, FRAME_HELLO, &hello, sizeof(hello));
	output_write(out);
}

/* All that needs privilege, and what must not change once it is gone. */
static int open_all(struct run_tools *t, struct bp_error *err)
{
	char filter[WATCH_FILTER_TEXT];
	int rc = limits_read(BP_LIMITS_FILE, &t->limits, err);

	if (rc == 0)
		rc = events_open(&t->events, err);
	if (rc == 0)
		rc = route_names_open(&t->names, err);
	if (rc < 0)
		return rc;
	rc = route_ifindex(&t->names, "lo", err);
	t->lo_index = rc > 0 ? rc : 0;
	if (getrandom(t->key, sizeof(t->key), 0) != (ssize_t)sizeof(t->key))
		return bp_fail(err, BP_EIO, "no random key from the kernel");
	rc = watch_filter(t->lo_index, filter, sizeof(filter), err);
	if (rc == 0)
		rc = sender_open(&t->sender, err);
	if (rc == 0)
		rc = capture_open(filter, &t->capture, err);
	if (rc == BP_EPERM && (t->sender == NULL || t->capture == NULL))
		bp_fail(err, BP_EPERM, "borderpath-probe lacks the capability CAP_NET_RAW: run it as "
			"root, or grant it with `setcap cap_net_raw+ep` on the installed "
			"borderpath-probe and join the group borderpath");
	return rc;
}

/* Whether the user may lift the caps. By now unprivileged: a name service runs code of others. */
static void know_user(struct run_tools *t, uint32_t uid)
{
	const struct passwd *pw = NULL;

	if (uid != 0 && uid != PEER_NOBODY && t->limits.user_count > 0)
		pw = getpwuid(uid);
	t->unlimited = uid != PEER_NOBODY &&
		       limits_unlimited(&t->limits, uid, pw != NULL ? pw->pw_name : NULL);
}

static int drop_all(struct run_tools *t, struct bp_error *err)
{
	int rc = drop_privileges(err);

	if (rc < 0)
		return rc;
	know_user(t, t->peer.uid);
	return drop_system_calls(err);
}

/* The capture ends with the process: taking its ring down asks for a call that the filter
 * forbids. */
static void close_all(struct run_tools *t)
{
	sender_close(t->sender);
	events_close(&t->events);
	route_names_close(&t->names);
	limits_fini(&t->limits);
}

static int say_end(struct output *out, struct run_end *end)
{
	output_frame(out, FRAME_END, &end->frame, sizeof(end->frame));
	output_drain(out, STALL_MS);
	if (out->closed || output_waiting(out) > 0)
		return EXIT_FAILED;
	if (end->frame.code == BP_ETRUNC || end->frame.interrupted)
		return EXIT_PARTIAL;
	return end->frame.code < 0 ? EXIT_FAILED : EXIT_OK;
}

int main(int argc, char **argv)
{
	struct run_tools tools = {.names.fd = -1, .events = {-1, -1}};
	struct run_end end = {0};
	struct bp_error err = {0};
	struct output out;
	int rc, status;

	if (argc > 1 || isatty(STDOUT_FILENO))
		return say_usage(argc, argv);
	/* A reader that has gone is told by write, from the first frame on. */
	signal(SIGPIPE, SIG_IGN);
	rc = peer_look(STDIN_FILENO, STDOUT_FILENO, &tools.peer, &err);
	output_init(&out, STDOUT_FILENO);
	say_hello(&out);

	if (rc == 0)
		rc = open_all(&tools, &err);
	if (rc == 0)
		rc = drop_all(&tools, &err);
	if (rc == 0)
		rc = run_plan(&tools, STDIN_FILENO, &out, &end, &err);
	if (rc < 0) {
		end.frame.code = rc;
		text_set(end.frame.text, sizeof(end.frame.text), err.text);
	}

	status = say_end(&out, &end);
	close_all(&tools);
	output_fini(&out);
	return status;
}
