// SPDX-License-Identifier: BSD-2-Clause
/*
 * Why there is no connection, in words that say what to do: the library tells of a server that it
 * cannot reach nothing but that. Asks for the name, and knocks at the door, itself; may wait for
 * both. Knows no bus: called by the library's threads, too.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "campaign/fleet/bus_inside.h"
#include "core/text.h"

enum { URLS_TEXT = 2048, HOST_TEXT = 256, KNOCK_MS = 1000, PORT = 4222 };

/* "tls://user:secret@[::1]:4222/x" -> "::1", "4222". False: it is no address of a server. */
static bool take_apart(const char *url, char host[static HOST_TEXT], char port[static 8])
{
	static const char *const schemes[] = {"nats://", "tls://"};
	const char *at = url, *end, *colon, *door;
	uint64_t n = PORT;

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		if (strncmp(url, schemes[i], strlen(schemes[i])) == 0)
			at = url + strlen(schemes[i]);
	}
	if (strstr(at, "://") != NULL)
		return false;
	end = at + strcspn(at, "/?#");
	door = memrchr(at, '@', (size_t)(end - at));
	if (door != NULL)
		at = door + 1;
	if (*at == '[') {
		door = memchr(at, ']', (size_t)(end - at));
		if (door == NULL || !text_copy(host, HOST_TEXT, at + 1, (size_t)(door - at - 1)))
			return false;
		colon = door + 1;
		if (colon < end && *colon != ':')
			return false;
	} else {
		colon = memchr(at, ':', (size_t)(end - at));
		if (colon == NULL)
			colon = end;
		if (!text_copy(host, HOST_TEXT, at, (size_t)(colon - at)))
			return false;
	}
	if (colon < end && (!text_copy(port, 8, colon + 1, (size_t)(end - colon - 1)) ||
			    text_to_u64(port, 1, 65535, &n) < 0))
		return false;
	snprintf(port, 8, "%u", (unsigned)n);
	return host[0] != '\0';
}

int bus_url_check(const char *url, struct bp_error *err)
{
	char text[URLS_TEXT], host[HOST_TEXT], port[8], *at = text, *one;
	unsigned n = 0;

	if (!text_set(text, sizeof(text), url))
		return bp_fail(err, BP_EINVAL, "too long an address of a broker");
	while ((one = strsep(&at, ", ")) != NULL) {
		if (*one == '\0')
			continue;
		n++;
		if (!take_apart(one, host, port)) {
			/* A password is not told. */
			const char *behind = strrchr(one, '@');

			return bp_fail(err, BP_EINVAL, "'%s%s' is no address of a NATS server: "
				       "nats://HOST:PORT or tls://HOST:PORT",
				       behind != NULL ? "..." : "", behind != NULL ? behind : one);
		}
	}
	return n > 0 ? 0 : bp_fail(err, BP_EINVAL, "a broker needs an address: nats://HOST:PORT or "
				   "tls://HOST:PORT");
}

/* errno of a connection to it; 0: it was taken. */
static int knock(const struct addrinfo *to)
{
	int fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	int why = 0;
	socklen_t size = sizeof(why);

	if (fd < 0)
		return errno;
	if (connect(fd, to->ai_addr, to->ai_addrlen) < 0)
		why = errno;
	if (why == EINPROGRESS) {
		if (poll(&p, 1, KNOCK_MS) <= 0)
			why = ETIMEDOUT;
		else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &size) < 0)
			why = errno;
	}
	close(fd);
	return why;
}

static const char *words_of(int why)
{
	switch (why) {
	case 0: return "something answers there, and not as a NATS server does";
	case ECONNREFUSED: return "refused: no broker listens there";
	case ETIMEDOUT: return "no answer: the broker is away, or a firewall is between";
	default: return strerror(why);
	}
}

/* Of one server. */
static void why_of(const char *url, char *out, size_t size)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
	char host[HOST_TEXT], port[8];
	int rc, why = 0;

	if (!take_apart(url, host, port)) {
		snprintf(out, size, "no address of a NATS server");
		return;
	}
	rc = getaddrinfo(host, port, &hints, &list);
	if (rc != 0) {
		snprintf(out, size, "%s: no such host (%s)", host,
			 rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc));
		return;
	}
	for (const struct addrinfo *a = list; a != NULL; a = a->ai_next) {
		why = knock(a);
		if (why == 0)
			break;
	}
	freeaddrinfo(list);
	snprintf(out, size, "%s:%s: %s", host, port, words_of(why));
}

void bus_why(const char *url, char *out, size_t size)
{
	char text[URLS_TEXT], one_out[HOST_TEXT + 128], *at = text, *one;
	size_t used = 0;

	out[0] = '\0';
	text_set(text, sizeof(text), url);
	while ((one = strsep(&at, ", ")) != NULL) {
		if (*one == '\0')
			continue;
		why_of(one, one_out, sizeof(one_out));
		if (used + strlen(one_out) + 3 > size)
			return;
		used += (size_t)snprintf(out + used, size - used, "%s%s", used > 0 ? "; " : "",
					 one_out);
	}
}
