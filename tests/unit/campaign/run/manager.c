// SPDX-License-Identifier: BSD-2-Clause
/*
 * The service manager: a socket in the world's directory that the daemon finds by NOTIFY_SOCKET, as
 * under systemd (sd_notify(3)), and what was said there and when.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/campaign/run/world.h"

int manager_open(struct world *w, int64_t watchdog_ns)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	char usec[24];

	if (snprintf(a.sun_path, sizeof(a.sun_path), "%s/notify", w->dir) >=
	    (int)sizeof(a.sun_path))
		return -1;
	w->manager.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	snprintf(usec, sizeof(usec), "%lld", (long long)(watchdog_ns / NS_PER_US));
	return w->manager.fd < 0 || bind(w->manager.fd, (struct sockaddr *)&a, sizeof(a)) < 0 ||
	       setenv("NOTIFY_SOCKET", a.sun_path, 1) < 0 ||
	       setenv("WATCHDOG_USEC", usec, 1) < 0 ? -1 : 0;
}

void manager_close(struct world *w)
{
	close(w->manager.fd);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	w->manager.fd = 0;
}

/* The watchdog's clock runs from READY on. */
static void fed(struct world *w)
{
	struct manager_books *m = &w->manager;

	if (m->up && w->now - m->fed > m->longest_ns)
		m->longest_ns = w->now - m->fed;
	m->fed = w->now;
}

static void take(struct world *w, char *text)
{
	struct manager_books *m = &w->manager;
	long long usec;

	for (char *rest, *line = strtok_r(text, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		if (strcmp(line, "READY=1") == 0) {
			if (m->up != m->reloading)
				world_fault(w, "READY where nothing was begun");
			fed(w);
			m->up = true;
			m->reloading = false;
			m->ready++;
		} else if (strcmp(line, "WATCHDOG=1") == 0) {
			fed(w);
			m->dogs++;
		} else if (strcmp(line, "RELOADING=1") == 0) {
			m->reloading = true;
			m->reloads++;
		} else if (sscanf(line, "MONOTONIC_USEC=%lld", &usec) == 1) {
			if (usec * NS_PER_US > world_mono(w).ns ||
			    usec * NS_PER_US < world_mono(w).ns - NS_PER_S)
				world_fault(w, "%s is not now", line);
		} else if (strcmp(line, "STOPPING=1") == 0) {
			fed(w);
			m->up = false;
			m->stops++;
		} else if (strncmp(line, "STATUS=", 7) == 0) {
			m->under_way += strstr(line, "-fra1-2026") != NULL;
			m->waiting += strncmp(line, "STATUS=next round 2026-", 23) == 0;
		} else {
			world_fault(w, "no manager knows: %s", line);
		}
	}
}

void manager_hear(struct world *w)
{
	char text[1024];
	ssize_t n;

	while (w->manager.fd > 0 &&
	       (n = recv(w->manager.fd, text, sizeof(text) - 1, MSG_DONTWAIT)) > 0) {
		text[n] = '\0';
		take(w, text);
	}
}
