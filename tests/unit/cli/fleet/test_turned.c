// SPDX-License-Identifier: BSD-2-Clause
/* What a broker's log says of keys: the lines that nats-server 2.9.10 wrote, and others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "cli/fleet/turned.h"

#define A "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4"
#define B "UD466L6EBCM3YY5HEGHJANNTN4LSKTSUXTH7RILHCKEQMQHTBNLHJJXT"

static const char log_text[] =
	"[1] 2026/11/23 06:41:29.258429 [ERR] 192.0.2.1:43270 - cid:72 - \"v3.4.1:C:s\" - "
	"authentication error - Nkey \"" A "\"\n"
	"[1] 2026/11/23 06:41:30.373008 [ERR] 192.0.2.2:43300 - cid:74 - \"v3.4.1:C:s\" - Publish "
	"Violation - Nkey \"" B "\", Subject \"bp.result.sgp1\"\n"
	"[1] 2026/11/23 06:41:31.912876 [ERR] [2001:db8::3]:49830 - cid:98 - \"v3.4.1:C\" - "
	"Subscription Violation - Nkey \"" B "\", Subject \"_INBOX.vp2.>\", SID 1\n"
	/* Who has no key; a name that would look like a key; nothing of ours. */
	"[1] 2026/11/23 06:41:32.1 [ERR] 192.0.2.4:1 - cid:1 - \"x\" - authentication error - User \"\"\n"
	"[1] 2026/11/23 06:41:33.1 [ERR] 192.0.2.5:1 - cid:1 - \"x\" - authentication error - Nkey "
	"\"not a key\"\n"
	"[1] 2026/11/23 06:41:34.1 [INF] Reloaded: accounts\n"
	"\n"
	"[1] cut - Publish Violation";

static void a_log_names_keys(void **state)
{
	struct turned t = {0};
	struct bp_error err;
	char path[] = "/tmp/bp-log.XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, log_text, sizeof(log_text) - 1), sizeof(log_text) - 1);
	close(fd);
	assert_int_equal(turned_read_log(path, &t, &err), 0);
	unlink(path);
	assert_true(t.logged);
	assert_int_equal(t.keys_count, 3);
	assert_string_equal(t.keys[0].nkey, A);
	assert_int_equal(t.keys[0].failures, 1);
	assert_string_equal(t.keys[0].address, "192.0.2.1");
	assert_string_equal(t.keys[0].when, "2026/11/23 06:41:29.258429");
	assert_string_equal(t.keys[1].nkey, B);
	assert_int_equal(t.keys[1].publishes, 1);
	assert_int_equal(t.keys[1].subscriptions, 1);
	assert_string_equal(t.keys[1].subject, "_INBOX.vp2.>");
	assert_string_equal(t.keys[1].address, "[2001:db8::3]");
	assert_string_equal(t.keys[2].nkey, "");
	assert_int_equal(t.keys[2].failures, 2);
	assert_int_equal(t.keys[2].publishes, 1);
	turned_fini(&t);
	assert_true(turned_read_log("/nowhere/at/all", &t, &err) < 0);
}

static void keys_without_end_are_counted_as_one(void **state)
{
	struct turned t = {0};
	struct bp_error err;
	char path[] = "/tmp/bp-log.XXXXXX", nkey[NKEY_PUBLIC_TEXT], seed[NKEY_SEED_TEXT];
	FILE *f = fdopen(mkstemp(path), "w");
	uint64_t all = 0;

	(void)state;
	assert_non_null(f);
	for (int i = 0; i < 2 * TURNED_KEYS_MAX; i++) {
		nkey_make(seed, nkey);
		fprintf(f, "[1] x [ERR] 192.0.2.1:1 - cid:1 - \"\" - authentication error - Nkey \"%s\"\n",
			nkey);
	}
	fclose(f);
	assert_int_equal(turned_read_log(path, &t, &err), 0);
	unlink(path);
	assert_true(t.keys_count <= TURNED_KEYS_MAX);
	for (unsigned i = 0; i < t.keys_count; i++)
		all += t.keys[i].failures;
	assert_int_equal(all, 2 * TURNED_KEYS_MAX);
	turned_fini(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_log_names_keys),
		cmocka_unit_test(keys_without_end_are_counted_as_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
