// SPDX-License-Identifier: BSD-2-Clause
/* Names by c-ares, from a name server of our own on loopback: answers, denials, and silence, which
 * costs a bounded time and leaves the last good address. */
#include "campaign/lookup.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/clock.h"

/* --- the server ------------------------------------------------------------------------------- */

struct server { pid_t pid; char address[32]; };

enum { HEADER = 12 };

/* Answers A questions by the first label: aN is 10.0.0.N; gone has no name; anything else gets no
 * answer. AAAA: there is none. */
static ssize_t answer(unsigned char *m, ssize_t n)
{
	static const unsigned char record[] = {0xc0, HEADER, 0, 1, 0, 1, 0, 0,
					       0,    1,      0, 4, 10, 0, 0};
	size_t end = HEADER;
	unsigned type;

	if (n < HEADER + 5)
		return 0;
	while (end < (size_t)n && m[end] != 0)
		end += 1u + m[end];
	if (end + 5 > (size_t)n)
		return 0;
	end += 5;
	type = m[end - 3];
	m[2] |= 0x80;       /* an answer */
	m[3] = 0x80;
	memset(m + 6, 0, 6);
	if (m[HEADER + 1] == 'g') {
		m[3] |= 3;  /* no such name */
		return (ssize_t)end;
	}
	if (m[HEADER + 1] != 'a')
		return 0;
	if (type != 1)
		return (ssize_t)end;
	m[7] = 1;
	memcpy(m + end, record, sizeof(record));
	m[end + sizeof(record)] = (unsigned char)(m[HEADER + 2] - '0');
	return (ssize_t)(end + sizeof(record) + 1);
}

static struct server serve(void)
{
	struct sockaddr_in sin = {.sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(sin);
	struct server s;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &size), 0);
	snprintf(s.address, sizeof(s.address), "127.0.0.1:%u", ntohs(sin.sin_port));
	s.pid = fork();
	assert_true(s.pid >= 0);
	if (s.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;) {
			unsigned char m[512];
			struct sockaddr_in from;
			socklen_t len = sizeof(from);
			ssize_t n = recvfrom(fd, m, sizeof(m) - 64, 0,
					     (struct sockaddr *)&from, &len);

			n = n > 0 ? answer(m, n) : 0;
			if (n > 0)
				sendto(fd, m, (size_t)n, 0, (struct sockaddr *)&from, len);
		}
	}
	close(fd);
	return s;
}

static void end(struct server *s)
{
	assert_int_equal(kill(s->pid, SIGKILL), 0);
	assert_int_equal(waitpid(s->pid, NULL, 0), s->pid);
}

/* --- the tests -------------------------------------------------------------------------------- */

static struct lookup *opened(const struct server *s)
{
	struct lookup *l = NULL;
	struct bp_error err = {0};

	if (lookup_open(&l, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(lookup_use(l, s->address), 0);
	return l;
}

/* What is known of host: the last byte of 10.0.0.N, negative when old; 0: nothing, told. */
static int known(const struct lookup *l, const char *host)
{
	struct bp_error err = {0};
	struct addr a;
	bool old = false;

	if (lookup_find(l, host, &a, &old, &err) < 0) {
		assert_int_equal(err.code, BP_ENOTFOUND);
		assert_non_null(strstr(err.text, host));
		return 0;
	}
	assert_int_equal(a.family, 4);
	return old ? -a.bytes[3] : a.bytes[3];
}

static void answers(void **state)
{
	struct server s = serve();
	struct lookup *l = opened(&s);
	char host[32];

	(void)state;
	for (int i = 1; i <= 9; i++) {
		snprintf(host, sizeof(host), "a%d.example", i);
		assert_int_equal(lookup_ask(l, host), 0);
		assert_int_equal(lookup_ask(l, host), 0);
	}
	assert_int_equal(lookup_ask(l, "gone.example"), 0);
	lookup_wait(l);
	for (int i = 1; i <= 9; i++) {
		snprintf(host, sizeof(host), "A%d.Example", i);
		assert_int_equal(known(l, host), i);
	}
	assert_int_equal(known(l, "gone.example"), 0);
	assert_int_equal(known(l, "never.example"), 0);
	assert_int_equal(lookup_ask(l, ""), BP_EINVAL);
	lookup_close(l);
	end(&s);
}

/* One name that nobody answers does not hold back the others, nor the round for long. */
static void silence_is_bounded(void **state)
{
	struct server s = serve();
	struct lookup *l = opened(&s);
	struct mono start;
	int64_t waited;

	(void)state;
	assert_int_equal(lookup_ask(l, "a1.example"), 0);
	for (int i = 0; i < 100; i++) {
		char host[32];

		snprintf(host, sizeof(host), "silent%d.example", i);
		assert_int_equal(lookup_ask(l, host), 0);
	}
	start = mono_now();
	lookup_wait(l);
	waited = mono_since(mono_now(), start);
	/* A hundred names, one wait: a busy machine may be late, but not by a second wait. */
	assert_true(waited < 2 * LOOKUP_WAIT_MS * NS_PER_MS);
	assert_int_equal(known(l, "a1.example"), 1);
	assert_int_equal(known(l, "silent7.example"), 0);
	lookup_close(l);
	end(&s);
}

/* The service dies: the last address stands, and is said to be old; then nobody is waited for as
 * long. It comes back, with another answer. */
static void the_last_good_address_stands(void **state)
{
	struct server s = serve();
	struct lookup *l = opened(&s);
	struct mono start;

	(void)state;
	assert_int_equal(lookup_ask(l, "a3.example"), 0);
	lookup_wait(l);
	assert_int_equal(known(l, "a3.example"), 3);
	end(&s);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(lookup_ask(l, "a3.example"), 0);
		assert_int_equal(lookup_ask(l, "a4.example"), 0);
		start = mono_now();
		lookup_wait(l);
		assert_true(mono_since(mono_now(), start) < 2 * LOOKUP_WAIT_MS * NS_PER_MS);
		assert_int_equal(known(l, "a3.example"), -3);
		assert_int_equal(known(l, "a4.example"), 0);
	}
	lookup_close(l);
}

static void nothing_asked_nothing_waited(void **state)
{
	struct server s = serve();
	struct lookup *l = opened(&s);
	struct mono start = mono_now();

	(void)state;
	lookup_wait(l);
	assert_true(mono_since(mono_now(), start) < NS_PER_S);
	assert_int_equal(known(l, "a1.example"), 0);
	lookup_close(NULL);
	lookup_close(l);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers),
		cmocka_unit_test(silence_is_bounded),
		cmocka_unit_test(the_last_good_address_stands),
		cmocka_unit_test(nothing_asked_nothing_waited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
