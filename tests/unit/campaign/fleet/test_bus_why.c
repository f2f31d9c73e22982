// SPDX-License-Identifier: BSD-2-Clause
/* Why there is no connection: each reason in words that say what to do, also to who is patient; a
 * key that is another's, one that was revoked, a broker that comes later. */
#include "tests/unit/campaign/fleet/broker_bed.h"

#include <sodium.h>

#include "campaign/fleet/certs.h"
#include "campaign/fleet/nkey.h"

enum { TRIES = 3000 /* of 20 ms */ };

struct bed {
	struct broker plain, keys, tls;
	char dir[64];
	char ours[NKEY_PUBLIC_TEXT];
	int deaf;          /* a socket that takes connections, and says nothing */
	unsigned deaf_port;
};

static void path_of(const struct bed *b, const char *name, char out[96])
{
	snprintf(out, 96, "%s/%s", b->dir, name);
}

static void put_file(const struct bed *b, const char *name, const char *bytes, size_t n)
{
	char path[96];
	FILE *f;

	path_of(b, name, path);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, n, f), n);
	fclose(f);
	chmod(path, 0600);
}

static void make_key(const struct bed *b, const char *name, char public_key[NKEY_PUBLIC_TEXT])
{
	char seed[NKEY_SEED_TEXT];

	nkey_make(seed, public_key);
	put_file(b, name, seed, strlen(seed));
}

static void make_certs(const struct bed *b)
{
	static const char *const ours[] = {"127.0.0.1"}, *const others[] = {"192.0.2.1"};
	struct bp_error err = {0};
	struct certs c;

	assert_int_equal(certs_make(ours, 1, &c, &err), 0);
	put_file(b, "other.pem", c.ca.bytes, c.ca.used);
	certs_fini(&c);
	/* Of this one the authority is known, and the name is wrong. */
	assert_int_equal(certs_make(others, 1, &c, &err), 0);
	put_file(b, "ca.pem", c.ca.bytes, c.ca.used);
	put_file(b, "server.pem", c.server.bytes, c.server.used);
	put_file(b, "server.key", c.server_key.bytes, c.server_key.used);
	certs_fini(&c);
}

#define USERS "authorization {users: [{nkey: %s, permissions: {subscribe: [\"_INBOX.fra1.>\"]}}]}"

static int setup(void **state)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct bed *b = calloc(1, sizeof(*b));
	char more[1024], unknown[NKEY_PUBLIC_TEXT];

	*state = b;
	if (b == NULL || broker_missing())
		return b == NULL;
	snprintf(b->dir, sizeof(b->dir), "/tmp/bp-why.XXXXXX");
	if (mkdtemp(b->dir) == NULL)
		return 1;
	broker_make(&b->plain, NULL);
	/* libnats 3.4.1 frees at its end what is OpenSSL's: so it must not be the first to end. */
	bus_close(broker_bus(&b->plain, "first", NULL));
	make_certs(b);
	make_key(b, "fra1.nk", b->ours);
	make_key(b, "unknown.nk", unknown);
	snprintf(more, sizeof(more), USERS, b->ours);
	broker_make(&b->keys, more);
	snprintf(more, sizeof(more), "tls {cert_file: \"%s/server.pem\", key_file: "
		 "\"%s/server.key\"}", b->dir, b->dir);
	broker_make(&b->tls, more);
	b->deaf_port = broker_free_port();
	a.sin_port = htons((uint16_t)b->deaf_port);
	b->deaf = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return bind(b->deaf, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(b->deaf, 64) < 0;
}

static int teardown(void **state)
{
	struct bed *b = *state;
	char command[96];

	broker_end(&b->plain);
	broker_end(&b->keys);
	broker_end(&b->tls);
	if (b->deaf > 0)
		close(b->deaf);
	if (b->dir[0] != '\0') {
		snprintf(command, sizeof(command), "rm -rf '%s'", b->dir);
		if (system(command) != 0)
			return 1;
	}
	free(b);
	return 0;
}

static bool says(struct bus *bus, int code, const char *words, struct bp_error *err)
{
	for (unsigned i = 0; i < TRIES; i++) {
		if (bus_look(bus, err) == code && strstr(err->text, words) != NULL)
			return true;
		broker_nap();
	}
	return false;
}

enum door { NOBODY, NO_HOST, PLAIN, KEYS, TLS, DEAF };

/* A label is of 63 letters at most: nobody need be asked. */
#define LONG "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void url_of(const struct bed *b, const char *scheme, enum door door, char out[160])
{
	unsigned port = door == PLAIN ? b->plain.port : door == KEYS ? b->keys.port :
			door == TLS ? b->tls.port : door == DEAF ? b->deaf_port :
								   broker_free_port();

	snprintf(out, 160, "%s%s:%u", scheme, door == NO_HOST ? LONG : "127.0.0.1", port);
}

static void each_reason_has_its_words(void **state)
{
	static const struct {
		const char *scheme;
		enum door door;
		const char *ca, *key;
		int code;
		const char *words;
	} rows[] = {
		{"nats://", NOBODY, NULL, NULL, BP_EAGAIN, "refused: no broker listens there"},
		{"", NOBODY, NULL, NULL, BP_EAGAIN, "refused: no broker listens there"},
		{"tls://u:secret@", NOBODY, NULL, NULL, BP_EAGAIN, "127.0.0.1:"},
		{"nats://", NO_HOST, NULL, NULL, BP_EAGAIN, "no such host"},
		{"nats://", DEAF, NULL, NULL, BP_EAGAIN, "something answers there"},
		{"nats://", KEYS, NULL, NULL, BP_EPERM, "asks for a key: --nkey"},
		{"nats://", KEYS, NULL, "unknown.nk", BP_EPERM, "does not know the key of"},
		{"tls://", PLAIN, NULL, NULL, BP_EPERM, "has no TLS"},
		{"tls://", TLS, NULL, NULL, BP_EPERM, "is not trusted: --ca"},
		{"tls://", TLS, "other.pem", NULL, BP_EPERM, "is not trusted by "},
		{"tls://", TLS, "ca.pem", NULL, BP_EPERM, "for another name"},
	};
	struct bed *b = *state;

	if (broker_missing())
		skip();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bus_options o = {.name = "test", .inbox = "fra1"};
		struct bp_error err = {0};
		struct bus *bus = NULL;
		char url[160], ca[96], key[96];

		url_of(b, rows[i].scheme, rows[i].door, url);
		o.url = url;
		/* All of it is waited for where nothing is said. */
		o.wait_ns = (rows[i].door == DEAF ? 2 : 30) * NS_PER_S;
		if (rows[i].ca != NULL)
			path_of(b, rows[i].ca, ca);
		if (rows[i].key != NULL)
			path_of(b, rows[i].key, key);
		o.ca_file = rows[i].ca != NULL ? ca : NULL;
		o.nkey_file = rows[i].key != NULL ? key : NULL;
		if (bus_open(&o, false, &bus, &err) != rows[i].code ||
		    strstr(err.text, rows[i].words) == NULL || strstr(err.text, "secret") != NULL)
			fail_msg("%zu: %d: %s", i, err.code, err.text);
		/* Who is patient is told as well. */
		assert_int_equal(bus_open(&o, true, &bus, &err), 0);
		if (!says(bus, rows[i].code, rows[i].words, &err))
			fail_msg("%zu, patient: %d: %s", i, err.code, err.text);
		assert_false(bus_is_connected(bus));
		bus_close(bus);
	}
}

static void what_is_no_address_is_refused_whatever_the_patience(void **state)
{
	static const struct { const char *url, *why; } rows[] = {
		{"http://127.0.0.1:4222", "another protocol's"},
		{"https://user:secret@h", "and a password is not told"},
		{"nats://", "no host"},
		{"nats://:4222", "no host either"},
		{"", "nothing"},
		{" , ", "nothing twice"},
		{"nats://h:0", "no port"},
		{"nats://h:65536", "too large a port"},
		{"nats://h:x", "a word"},
		{"nats://[::1", "a bracket"},
		{"nats://a:4222,http://b", "one of two"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bus_options o = {.url = rows[i].url, .inbox = "fra1"};
		struct bp_error err = {0};
		struct bus *bus = NULL;

		if (bus_open(&o, true, &bus, &err) != BP_EINVAL || strstr(err.text, "secret"))
			fail_msg("%s: %s: %s", rows[i].url, rows[i].why, err.text);
	}
}

/* A key may hear its own name's answers alone: said once, in words of ours. */
static void a_key_of_another_is_told_as_that(void **state)
{
	static const struct { const char *inbox, *words; } rows[] = {
		{"vp9", "this key is not vp9's (wrong --nkey or --vantage)"},
		{"centre", "this key is not the centre's (wrong --nkey)"},
		{"operator", "this key is not the operator's (wrong --nkey)"},
	};
	struct bed *b = *state;
	char key[96], text[BP_ERROR_TEXT];

	if (broker_missing())
		skip();
	path_of(b, "fra1.nk", key);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bus_options o = {.url = b->keys.url, .inbox = rows[i].inbox,
					.nkey_file = key, .wait_ns = 10 * NS_PER_S};
		struct bp_error err = {0};
		struct bus *bus;
		struct mono from;

		assert_int_equal(bus_open(&o, i == 0, &bus, &err), 0);
		if (!says(bus, BP_EPERM, rows[i].words, &err))
			fail_msg("%s", err.text);
		/* The server is left alone for a while, and nothing more is said. */
		from = mono_now();
		for (unsigned k = 0; k < 50; k++) {
			assert_int_equal(bus_look(bus, &err), BP_EPERM);
			assert_int_equal(bus_tell(bus, "x", "", 0, &err), BP_EPERM);
			assert_non_null(strstr(err.text, rows[i].words));
			assert_false(bus_is_connected(bus));
		}
		assert_true(mono_since(mono_now(), from) < 10 * NS_PER_S);
		if (bus_trouble(bus, text, sizeof(text)))
			fail_msg("%s", text);
		bus_close(bus);
	}
}

static void a_revoked_key_is_told_as_one(void **state)
{
	struct bed *b = *state;
	struct bus_options o = {.url = b->keys.url, .inbox = "fra1", .wait_ns = 10 * NS_PER_S};
	struct bp_error err = {0};
	struct bus *bus;
	char key[96], conf[96], other[NKEY_PUBLIC_TEXT], command[512];

	if (broker_missing())
		skip();
	path_of(b, "fra1.nk", key);
	o.nkey_file = key;
	assert_int_equal(bus_open(&o, true, &bus, &err), 0);
	for (unsigned i = 0; i < TRIES && bus_look(bus, &err) < 0; i++)
		broker_nap();
	assert_true(bus_is_connected(bus));
	make_key(b, "next.nk", other);
	snprintf(conf, sizeof(conf), "%s/nats.conf", b->keys.dir);
	snprintf(command, sizeof(command), "sed -i 's/%s/%s/' '%s'", b->ours, other, conf);
	assert_int_equal(system(command), 0);
	kill(b->keys.pid, SIGHUP);
	if (!says(bus, BP_EPERM, "does not know the key of", &err))
		fail_msg("%s", err.text);
	assert_non_null(strstr(err.text, "revoked"));
	bus_close(bus);
}

static void a_broker_that_comes_later_is_found(void **state)
{
	struct bed *b = *state;
	struct bus_options o = {.url = b->plain.url, .inbox = "fra1", .wait_ns = 2 * NS_PER_S};
	struct bp_error err = {0};
	struct bus *bus;

	if (broker_missing())
		skip();
	broker_kill(&b->plain);
	assert_int_equal(bus_open(&o, true, &bus, &err), 0);
	assert_true(says(bus, BP_EAGAIN, "refused", &err));
	assert_int_equal(bus_lives(bus), 0);
	broker_start(&b->plain);
	for (unsigned i = 0; i < TRIES && bus_look(bus, &err) < 0; i++)
		broker_nap();
	/* The library tells so a moment later. */
	for (unsigned i = 0; i < TRIES && bus_lives(bus) == 0; i++)
		broker_nap();
	assert_int_equal(bus_lives(bus), 1);
	broker_kill(&b->plain);
	assert_true(says(bus, BP_EAGAIN, "refused", &err));
	bus_close(bus);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_reason_has_its_words),
		cmocka_unit_test(what_is_no_address_is_refused_whatever_the_patience),
		cmocka_unit_test(a_key_of_another_is_told_as_that),
		cmocka_unit_test(a_broker_that_comes_later_is_found),
		cmocka_unit_test(a_revoked_key_is_told_as_one),
	};
	int rc;

	if (sodium_init() < 0)
		return 1;
	rc = cmocka_run_group_tests(tests, setup, teardown);
	bus_over();
	return rc;
}
