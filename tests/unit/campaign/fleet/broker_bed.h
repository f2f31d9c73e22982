// SPDX-License-Identifier: BSD-2-Clause
/*
 * A real nats-server for tests: on a port of loopback that was free, its store in a directory of
 * its own, killed and started again as a test wants. Tests that need one skip where the machine has
 * none (broker_missing says so). It dies with the test.
 */
#ifndef TESTS_UNIT_CAMPAIGN_FLEET_BROKER_BED_H
#define TESTS_UNIT_CAMPAIGN_FLEET_BROKER_BED_H

#include <arpa/inet.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "campaign/fleet/bus.h"
#include "core/jsontree.h"

struct broker {
	char dir[64], url[64];
	unsigned port;
	pid_t pid;
};

static inline bool broker_missing(void)
{
	if (system("command -v nats-server >/dev/null 2>&1") == 0)
		return false;
	print_message("skipped: no nats-server on this machine\n");
	return true;
}

static inline unsigned broker_free_port(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
	close(fd);
	return ntohs(a.sin_port);
}

static inline void broker_nap(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 20 * 1000 * 1000}, NULL);
}

/* Starts it (again) with its configuration, and waits until it listens. */
static inline void broker_start(struct broker *b)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				.sin_port = htons((uint16_t)b->port)};
	char conf[96], log[96];
	bool up = false;

	snprintf(conf, sizeof(conf), "%s/nats.conf", b->dir);
	snprintf(log, sizeof(log), "%s/nats.log", b->dir);
	b->pid = fork();
	assert_true(b->pid >= 0);
	if (b->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execlp("nats-server", "nats-server", "-c", conf, "-l", log, (char *)NULL);
		_exit(127);
	}
	for (unsigned i = 0; i < 1000 && !up; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		up = connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0;
		close(fd);
		if (!up)
			broker_nap();
	}
	assert_true(up);
}

/* more: further lines of the configuration (authorization, limits). */
static inline void broker_make(struct broker *b, const char *more)
{
	char conf[96];
	FILE *f;

	snprintf(b->dir, sizeof(b->dir), "/tmp/bp-broker.XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	b->port = broker_free_port();
	snprintf(b->url, sizeof(b->url), "nats://127.0.0.1:%u", b->port);
	snprintf(conf, sizeof(conf), "%s/nats.conf", b->dir);
	f = fopen(conf, "w");
	assert_non_null(f);
	fprintf(f, "listen: 127.0.0.1:%u\nserver_name: bed\njetstream {store_dir: \"%s/js\"}\n%s\n",
		b->port, b->dir, more != NULL ? more : "");
	fclose(f);
	broker_start(b);
}

static inline void broker_kill(struct broker *b)
{
	kill(b->pid, SIGKILL);
	waitpid(b->pid, NULL, 0);
	b->pid = 0;
}

static inline void broker_end(struct broker *b)
{
	char command[128];

	if (b->pid > 0)
		broker_kill(b);
	if (b->dir[0] == '\0')
		return;
	snprintf(command, sizeof(command), "rm -rf '%s'", b->dir);
	assert_int_equal(system(command), 0);
	b->dir[0] = '\0';
}

/* A connection, when the server takes one; fails the test after a while. */
static inline struct bus *broker_bus(const struct broker *b, const char *inbox, const char *nkey)
{
	struct bus_options o = {.url = b->url, .name = "test", .inbox = inbox, .nkey_file = nkey,
				.wait_ns = 10 * NS_PER_S};
	struct bp_error err = {0};
	struct bus *bus = NULL;
	int rc = BP_EAGAIN;

	for (unsigned i = 0; i < 500 && rc == BP_EAGAIN; i++) {
		rc = bus_open(&o, false, &bus, &err);
		if (rc == BP_EAGAIN)
			broker_nap();
	}
	if (rc < 0)
		print_error("%s\n", err.text);
	assert_int_equal(rc, 0);
	return bus;
}

/* How many results wait, and how many were handed out and not acknowledged. */
static inline int broker_results(struct bus *bus, uint64_t *waiting, uint64_t *open,
				 struct bp_error *err)
{
	int64_t pending = -1, unacked = -1;
	struct json_node *dom;
	struct buf text;
	int rc;

	buf_init(&text);
	rc = bus_ask(bus, "$JS.API.CONSUMER.INFO.BP_RESULTS.collect", NULL, 0, 0, &text, err);
	dom = rc == 0 ? json_tree(text.bytes, text.used, err) : NULL;
	if (rc == 0 && (!node_int(node_get(dom, "num_pending"), 0, INT64_MAX, &pending) ||
			!node_int(node_get(dom, "num_ack_pending"), 0, INT64_MAX, &unacked)))
		rc = BP_EAGAIN;
	free(dom);
	buf_fini(&text);
	*waiting = (uint64_t)pending;
	*open = (uint64_t)unacked;
	return rc;
}

/* Behind the last test: valgrind takes threads that go on for a leak. */
static inline int broker_over(void **state)
{
	(void)state;
	bus_over();
	return 0;
}

#endif
