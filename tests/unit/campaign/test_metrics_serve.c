// SPDX-License-Identifier: BSD-2-Clause
/*
 * The page over HTTP: a process that does nothing but serve it, asked by a real client (libcurl),
 * and by clients that are slow, rude, or too many.
 */
#include "campaign/metrics.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <curl/curl.h>

#define PATIENCE_S 60

struct bed {
	struct metrics *m;
	struct profile *profile;
	struct metrics_server *server;
	char listen[64];
	uint16_t port;
	int family;
	pid_t pid;
	struct buf page;
	struct bp_error err;
};

/* --- the server ------------------------------------------------------------------------------- */

/* A port that nobody had just now. */
static uint16_t free_port(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t n = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
	close(fd);
	return ntohs(at.sin_port);
}

static void serve(struct bed *b)
{
	for (;;) {
		struct mono now = mono_now(), wake = mono_add(now, PATIENCE_S * NS_PER_S);
		struct pollfd fds[4];
		unsigned n = metrics_server_poll(b->server, fds, 4, &wake);
		int64_t ns = mono_since(wake, now);

		/* The server must ask to be called in time: nobody calls it without reason. */
		poll(fds, n, ns > 0 ? (int)(ns / NS_PER_MS) + 1 : 0);
		metrics_server_step(b->server);
	}
}

static void start(struct bed *b, const char *address)
{
	int rc = BP_EIO;

	for (unsigned i = 0; rc < 0 && i < 20; i++) {
		b->port = free_port();
		snprintf(b->listen, sizeof(b->listen), "%s:%u", address, b->port);
		rc = metrics_serve(b->m, b->listen, &b->server, &b->err);
	}
	if (rc < 0)
		fail_msg("%s", b->err.text);
	b->pid = fork();
	assert_true(b->pid >= 0);
	if (b->pid == 0)
		serve(b);
	/* Ours alone is the child's. */
	metrics_server_free(b->server);
	b->server = NULL;
}

static int set_up(void **state)
{
	static const char text[] = "profile: two\nversion: 1\n"
		"network: {name: Net, asn: [64500], prefixes: [203.0.113.0/24]}\n"
		"borders:\n  - {id: east, name: East, networks: [{asn: 64501}]}\n";
	struct bed *b = calloc(1, sizeof(*b));

	buf_init(&b->page);
	b->family = AF_INET;
	assert_int_equal(metrics_new(&b->m), 0);
	assert_int_equal(profile_parse("p", text, sizeof(text) - 1, &b->profile, &b->err), 0);
	assert_int_equal(metrics_campaign(b->m, "c", "fra1", b->profile, NS_PER_S,
					  (struct wall){NS_PER_S}), 0);
	metrics_put(b->m, NULL, &b->page);
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bed *b = *state;

	if (b->pid > 0) {
		kill(b->pid, SIGKILL);
		waitpid(b->pid, NULL, 0);
	}
	metrics_server_free(b->server);
	metrics_free(b->m);
	profile_free(b->profile);
	buf_fini(&b->page);
	free(b);
	return 0;
}

/* --- clients ---------------------------------------------------------------------------------- */

struct answer { long status; struct buf head, body; };

static size_t take(char *bytes, size_t size, size_t n, void *arg)
{
	buf_append(arg, bytes, size * n);
	return size * n;
}

static void ask(const struct bed *b, const char *method, const char *path, const char *body,
		struct answer *a)
{
	CURL *c = curl_easy_init();
	char url[160];

	buf_init(&a->head);
	buf_init(&a->body);
	buf_str(&a->head, "");
	buf_str(&a->body, "");
	snprintf(url, sizeof(url), "http://%s%s", b->listen, path);
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)PATIENCE_S);
	curl_easy_setopt(c, CURLOPT_NOBODY, strcmp(method, "HEAD") == 0 ? 1L : 0L);
	if (body != NULL)
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, body);
	if (strcmp(method, "HEAD") != 0)
		curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, &a->body);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, &a->head);
	assert_int_equal(curl_easy_perform(c), CURLE_OK);
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &a->status);
	curl_easy_cleanup(c);
}

static void forget(struct answer *a)
{
	buf_fini(&a->head);
	buf_fini(&a->body);
}

static void is_served(const struct bed *b)
{
	struct answer a;

	ask(b, "GET", "/metrics", NULL, &a);
	assert_int_equal(a.status, 200);
	assert_string_equal(a.body.bytes, b->page.bytes);
	forget(&a);
}

static int dial(const struct bed *b)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(b->port),
				 .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct timeval limit = {.tv_sec = PATIENCE_S};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

/* Sends the bytes as they are; what comes back, to the end of the stream. Returns how much, -1 when
 * there is no end of it. */
static ssize_t talk(const struct bed *b, const char *bytes, size_t n, char *out, size_t size)
{
	int fd = dial(b);
	ssize_t got = 0, k;

	while (n > 0 && (k = send(fd, bytes, n, MSG_NOSIGNAL)) > 0) {
		bytes += k;
		n -= (size_t)k;
	}
	shutdown(fd, SHUT_WR);
	while ((k = read(fd, out + got, size - 1 - (size_t)got)) > 0)
		got += k;
	if (k < 0 && errno != ECONNRESET)
		got = -1;
	close(fd);
	out[got > 0 ? got : 0] = '\0';
	return got;
}

/* --- tests ------------------------------------------------------------------------------------ */

static void what_is_asked_and_answered(void **state)
{
	static const struct { const char *method, *path; long status; const char *body; } rows[] = {
		{"GET", "/metrics", 200, NULL},
		{"GET", "/metrics?collect[]=all", 200, NULL}, /* Prometheus may add parameters */
		{"HEAD", "/metrics", 200, NULL},
		{"GET", "/", 200, "metrics are at /metrics\n"},
		{"GET", "/metrics/", 404, "not here: metrics are at /metrics\n"},
		{"GET", "/Metrics", 404, "not here"},
		{"GET", "/../../etc/passwd", 404, "not here"},
		{"GET", "/%00", 404, "not here"},
		{"GET", "//metrics", 404, "not here"},
		{"POST", "/metrics", 405, "GET and HEAD only\n"},
		{"PUT", "/metrics", 405, "GET and HEAD only\n"},
		{"DELETE", "/", 405, "GET and HEAD only\n"},
		{"OPTIONS", "/metrics", 405, "GET and HEAD only\n"},
		{"TRACE", "/metrics", 405, "GET and HEAD only\n"},
		{"get", "/metrics", 405, "GET and HEAD only\n"}, /* methods have a case */
	};
	struct bed *b = *state;

	start(b, "127.0.0.1");
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct answer a;

		ask(b, rows[i].method, rows[i].path, NULL, &a);
		if (a.status != rows[i].status)
			fail_msg("%s %s: %ld", rows[i].method, rows[i].path, a.status);
		assert_non_null(strstr(a.head.bytes, "Connection: close"));
		if (rows[i].status == 405)
			assert_non_null(strstr(a.head.bytes, "Allow: GET, HEAD"));
		if (strcmp(rows[i].method, "HEAD") == 0)
			assert_string_equal(a.body.bytes, "");
		else if (rows[i].body != NULL)
			assert_non_null(strstr(a.body.bytes, rows[i].body));
		else
			assert_string_equal(a.body.bytes, b->page.bytes);
		if (rows[i].body == NULL)
			assert_non_null(strstr(a.head.bytes, "Content-Type: text/plain; "
					       "version=0.0.4; charset=utf-8\r\n"));
		forget(&a);
	}
}

static void a_body_is_not_waited_for(void **state)
{
	struct bed *b = *state;
	struct answer a;

	start(b, "127.0.0.1");
	ask(b, "POST", "/metrics", "x=1", &a);
	assert_int_equal(a.status, 405);
	forget(&a);
	is_served(b);
}

static void bytes_that_are_no_request(void **state)
{
	static const char *const rows[] = {
		"", "\r\n\r\n", "GET\r\n\r\n", "GET /metrics", "GET /metrics HTTP/9.9\r\n\r\n",
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", /* TLS */
		"GET /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
		"GET /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
		"GET /metrics HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"POST /metrics HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
		"Content-Length: 1000000000\r\n\r\n",
	};
	struct bed *b = *state;
	static char big[1 << 20], out[1 << 16];

	start(b, "127.0.0.1");
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_true(talk(b, rows[i], strlen(rows[i]), out, sizeof(out)) >= 0);
	/* A head without an end, a path without one: refused, not kept. */
	memset(big, 'a', sizeof(big));
	memcpy(big, "GET /", 5);
	assert_true(talk(b, big, sizeof(big), out, sizeof(out)) >= 0);
	assert_null(strstr(out, "200 OK"));
	memcpy(big, "GET /metrics HTTP/1.1\r\nX: ", 26);
	assert_true(talk(b, big, sizeof(big), out, sizeof(out)) >= 0);
	assert_null(strstr(out, "200 OK"));
	is_served(b);
}

/* All places are taken by clients that say nothing, or a byte now and then, or ask and do not read:
 * each has to go, and then who asks is answered. */
static void the_slow_are_sent_away(void **state)
{
	static const char request[] = "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n";
	struct bed *b = *state;
	int fds[METRICS_CONNECTIONS_MAX + 4];
	unsigned n = sizeof(fds) / sizeof(fds[0]);
	char c;

	start(b, "127.0.0.1");
	for (unsigned i = 0; i < n; i++) {
		fds[i] = dial(b);
		if (i % 3 == 1)
			assert_int_equal(send(fds[i], request, sizeof(request) - 1, MSG_NOSIGNAL),
					 sizeof(request) - 1);
	}
	/* A byte a moment: by the library's clock it is never idle. */
	for (unsigned k = 0; k < 4 * METRICS_PATIENCE_S; k++) {
		for (unsigned i = 0; i < METRICS_CONNECTIONS_MAX; i += 3)
			(void)(send(fds[i], k == 0 ? "G" : "x", 1, MSG_NOSIGNAL) < 0);
		usleep(300 * 1000);
	}
	is_served(b);
	for (unsigned i = 0; i < METRICS_CONNECTIONS_MAX; i += 3) {
		ssize_t got;

		while ((got = read(fds[i], &c, 1)) > 0)
			;
		assert_true(got == 0 || errno == ECONNRESET);
	}
	for (unsigned i = 0; i < n; i++)
		close(fds[i]);
}

static void many_ask_at_once(void **state)
{
	static const char request[] = "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n";
	struct bed *b = *state;
	int fds[3 * METRICS_CONNECTIONS_MAX / 2];
	static char out[1 << 16];

	start(b, "127.0.0.1");
	for (unsigned i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		fds[i] = dial(b);
		assert_int_equal(send(fds[i], request, sizeof(request) - 1, MSG_NOSIGNAL),
				 sizeof(request) - 1);
	}
	for (unsigned i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		size_t got = 0;
		ssize_t k;

		while ((k = read(fds[i], out + got, sizeof(out) - 1 - got)) > 0)
			got += (size_t)k;
		assert_int_equal(k, 0);
		out[got] = '\0';
		assert_non_null(strstr(out, b->page.bytes));
		close(fds[i]);
	}
}

static void over_ipv6_too(void **state)
{
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	bool have = fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0;

	if (fd >= 0)
		close(fd);
	if (!have)
		skip();
	start(*state, "[::1]");
	is_served(*state);
}

static void a_port_that_is_taken(void **state)
{
	struct bed *b = *state;
	struct metrics_server *second = NULL;

	start(b, "127.0.0.1");
	is_served(b);
	assert_int_equal(metrics_serve(b->m, b->listen, &second, &b->err), BP_EIO);
	assert_non_null(strstr(b->err.text, "somebody else listens at 127.0.0.1:"));
	assert_null(second);
	assert_int_equal(metrics_serve(b->m, "203.0.113.77:9", &second, &b->err), BP_EIO);
	assert_non_null(strstr(b->err.text, "no such address"));
	assert_int_equal(metrics_serve(b->m, "nowhere", &second, &b->err), BP_EINVAL);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_is_asked_and_answered),
		TEST(a_body_is_not_waited_for),
		TEST(bytes_that_are_no_request),
		TEST(the_slow_are_sent_away),
		TEST(many_ask_at_once),
		TEST(over_ipv6_too),
		TEST(a_port_that_is_taken),
	};
	int rc;

	curl_global_init(CURL_GLOBAL_DEFAULT);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	curl_global_cleanup();
	return rc;
}
