// SPDX-License-Identifier: BSD-2-Clause
/*
 * The page on a port, and in a file. The only file that knows libmicrohttpd: no thread, its epoll
 * descriptor stands in our poll loop. Answers GET and HEAD of /metrics, says at / where that is,
 * and refuses the rest; a request's body is never read. A client has so long, whatever it does, and
 * there are only so many: who is slow on purpose shuts out nobody for longer than that.
 */
#include "campaign/metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "campaign/plan.h"

enum { REQUEST_BYTES_MAX = 16 * 1024 };

struct client { int fd; struct mono gone; }; /* fd -1: a free place */

struct metrics_server {
	const struct metrics *metrics;
	struct MHD_Daemon *daemon;
	int fd;                  /* of its epoll, borrowed */
	struct client clients[METRICS_CONNECTIONS_MAX];
};

/* --- requests --------------------------------------------------------------------------------- */

static enum MHD_Result answer(struct MHD_Connection *c, unsigned status, const char *type,
			      const char *allow, struct buf *body)
{
	struct MHD_Response *r;
	enum MHD_Result rc;

	if (body->failed) {
		buf_fini(body);
		return MHD_NO;
	}
	r = MHD_create_response_from_buffer(body->used, body->bytes, MHD_RESPMEM_MUST_FREE);
	if (r == NULL) {
		buf_fini(body);
		return MHD_NO;
	}
	buf_init(body);
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
	/* One request each: nobody keeps a place that he does not use. */
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONNECTION, "close");
	if (allow != NULL)
		MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, allow);
	rc = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return rc;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *c, const char *url,
				  const char *method, const char *version, const char *upload,
				  size_t *upload_size, void **state)
{
	static const char *const text = "text/plain; charset=utf-8";
	const struct metrics_server *s = arg;
	struct buf body;

	(void)version;
	(void)upload;
	(void)upload_size;
	(void)state;
	buf_init(&body);
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
		buf_str(&body, "GET and HEAD only\n");
		return answer(c, MHD_HTTP_METHOD_NOT_ALLOWED, text, "GET, HEAD", &body);
	}
	if (strcmp(url, "/metrics") == 0) {
		metrics_put(s->metrics, NULL, &body);
		return answer(c, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", NULL,
			      &body);
	}
	if (strcmp(url, "/") == 0) {
		buf_str(&body, "borderpath " BP_VERSION ": metrics are at /metrics\n");
		return answer(c, MHD_HTTP_OK, text, NULL, &body);
	}
	buf_str(&body, "not here: metrics are at /metrics\n");
	return answer(c, MHD_HTTP_NOT_FOUND, text, NULL, &body);
}

/* Paths are taken as they are written: nothing that is ours needs an escape, and a %00 must not end
 * one. */
static size_t on_escape(void *arg, struct MHD_Connection *c, char *text)
{
	(void)arg;
	(void)c;
	return strlen(text);
}

static void on_connection(void *arg, struct MHD_Connection *c, void **place,
			  enum MHD_ConnectionNotificationCode what)
{
	struct metrics_server *s = arg;
	const union MHD_ConnectionInfo *info;
	struct client *client = *place;

	if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (client != NULL)
			client->fd = -1;
		return;
	}
	info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
	for (unsigned i = 0; info != NULL && i < METRICS_CONNECTIONS_MAX; i++) {
		if (s->clients[i].fd >= 0)
			continue;
		s->clients[i].fd = info->connect_fd;
		s->clients[i].gone = mono_add(mono_now(), METRICS_PATIENCE_S * NS_PER_S);
		*place = &s->clients[i];
		return;
	}
}

/* --- opening ---------------------------------------------------------------------------------- */

/* What the system said is the last thing that went wrong in the library. */
static int refused(const char *listen_at, int sys, struct bp_error *err)
{
	if (sys == EADDRINUSE)
		return bp_fail(err, BP_EIO, "metrics: somebody else listens at %s: name another "
			       "port, or end the other program", listen_at);
	if (sys == EADDRNOTAVAIL)
		return bp_fail(err, BP_EIO, "metrics: cannot listen at %s: this machine has no "
			       "such address", listen_at);
	if (sys != 0)
		return bp_fail_sys(err, sys, "metrics: cannot listen at %s", listen_at);
	return bp_fail(err, BP_EIO, "metrics: libmicrohttpd does not serve %s", listen_at);
}

int metrics_serve(const struct metrics *m, const char *listen_at, struct metrics_server **out,
		  struct bp_error *err)
{
	struct metrics_server *s;
	const union MHD_DaemonInfo *info = NULL;
	struct sockaddr_storage at;
	struct addr a = {0};
	uint16_t port = 0;
	int sys;

	if (campaign_listen(listen_at, &a, &port) < 0)
		return bp_fail(err, BP_EINVAL, "metrics: \"%s\" is nothing to listen at", listen_at);
	addr_to_sockaddr(a, htobe16(port), &at);
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	s->metrics = m;
	for (unsigned i = 0; i < METRICS_CONNECTIONS_MAX; i++)
		s->clients[i].fd = -1;
	errno = 0;
	s->daemon = MHD_start_daemon(MHD_USE_EPOLL | (a.family == 6 ? MHD_USE_IPv6 : 0), port,
				     NULL, NULL, on_request, s, MHD_OPTION_SOCK_ADDR, &at,
				     MHD_OPTION_CONNECTION_LIMIT, (unsigned)METRICS_CONNECTIONS_MAX,
				     MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)METRICS_PATIENCE_S,
				     MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REQUEST_BYTES_MAX,
				     MHD_OPTION_NOTIFY_CONNECTION, on_connection, s,
				     MHD_OPTION_UNESCAPE_CALLBACK, on_escape, NULL,
				     MHD_OPTION_END);
	sys = errno;
	if (s->daemon != NULL)
		info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (info == NULL || info->epoll_fd < 0) {
		metrics_server_free(s);
		return refused(listen_at, sys, err);
	}
	s->fd = info->epoll_fd;
	*out = s;
	return 0;
}

void metrics_server_free(struct metrics_server *s)
{
	if (s == NULL)
		return;
	if (s->daemon != NULL)
		MHD_stop_daemon(s->daemon);
	free(s);
}

/* --- the loop --------------------------------------------------------------------------------- */

unsigned metrics_server_poll(struct metrics_server *s, struct pollfd *fds, unsigned max,
			     struct mono *wake)
{
	MHD_UNSIGNED_LONG_LONG ms;

	if (max == 0)
		return 0;
	for (unsigned i = 0; i < METRICS_CONNECTIONS_MAX; i++) {
		if (s->clients[i].fd >= 0)
			*wake = mono_min(*wake, s->clients[i].gone);
	}
	if (MHD_get_timeout(s->daemon, &ms) == MHD_YES && ms < METRICS_PATIENCE_S * 1000)
		*wake = mono_min(*wake, mono_add(mono_now(), (int64_t)ms * NS_PER_MS));
	fds[0] = (struct pollfd){.fd = s->fd, .events = POLLIN};
	return 1;
}

void metrics_server_step(struct metrics_server *s)
{
	struct mono now = mono_now();

	for (unsigned i = 0; i < METRICS_CONNECTIONS_MAX; i++) {
		if (s->clients[i].fd < 0 || !mono_reached(now, s->clients[i].gone))
			continue;
		/* The library closes it when it sees that the stream is over. */
		shutdown(s->clients[i].fd, SHUT_RDWR);
		s->clients[i].gone = mono_add(now, NS_PER_S);
	}
	MHD_run(s->daemon);
}

/* --- a file ----------------------------------------------------------------------------------- */

static int write_all(int fd, const struct buf *b)
{
	for (size_t at = 0; at < b->used;) {
		ssize_t n = write(fd, b->bytes + at, b->used - at);

		if (n < 0 && errno != EINTR)
			return -1;
		at += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

int metrics_textfile(const struct metrics *m, const char *campaign, const char *file,
		     struct bp_error *err)
{
	char fresh[CAMPAIGN_URL_TEXT + 8];
	struct buf page;
	int fd, rc = 0;

	buf_init(&page);
	metrics_put(m, campaign, &page);
	snprintf(fresh, sizeof(fresh), "%s.tmp", file);
	if (page.failed) {
		buf_fini(&page);
		return bp_fail(err, BP_ENOMEM, "out of memory");
	}
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	/* Whoever reads it is somebody else, whatever our umask. */
	if (fd < 0 || fchmod(fd, 0644) < 0 || write_all(fd, &page) < 0)
		rc = bp_fail_sys(err, errno, "metrics: cannot write %s", fresh);
	if (fd >= 0 && close(fd) < 0 && rc == 0)
		rc = bp_fail_sys(err, errno, "metrics: cannot write %s", fresh);
	if (rc == 0 && rename(fresh, file) < 0)
		rc = bp_fail_sys(err, errno, "metrics: cannot put %s in place", file);
	if (rc < 0 && fd >= 0)
		unlink(fresh);
	buf_fini(&page);
	return rc;
}
