// SPDX-License-Identifier: BSD-2-Clause
/* Keys of the broker's users: published ones, made ones, mistyped ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <sodium.h>

#include "campaign/fleet/nkey.h"

/* From NATS' own documents, where they are shown to everybody. */
static const struct { const char *seed, *public_key, *source; } known[] = {
	{"SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY",
	 "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4",
	 "docs.nats.io, nkey authentication"},
	{"SUAKYRHVIOREXV7EUZTBHUHL7NUMHPMAS7QMDU3GTIUWEI5LDNOXD43IZY",
	 "UD466L6EBCM3YY5HEGHJANNTN4LSKTSUXTH7RILHCKEQMQHTBNLHJJXT",
	 "pkg.go.dev/github.com/nats-io/nkeys/nk"},
};

static const struct { const char *seed, *reason; } no_seeds[] = {
	{"", "nothing"},
	{"SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3V", "a letter short"},
	{"SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VYA", "a letter long"},
	{"SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VZ", "the check sum's last bits"},
	{"SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU4VY", "one letter changed"},
	{"SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCu3VY", "small letters are none"},
	{"SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU1VY", "1 is no letter of base32"},
	{"UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4", "a public key"},
	{"SAAHPQF3GOP4IP5SHKHCNGCFX65W2YAHPLEHA4WDEUTVQDGOZ3BYDXEVF4", "another kind's, or mistyped"},
};

static void published_seeds_have_their_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		char public_key[NKEY_PUBLIC_TEXT];

		if (nkey_public_of(known[i].seed, public_key) != 0 ||
		    strcmp(public_key, known[i].public_key) != 0)
			fail_msg("%s", known[i].source);
		assert_true(nkey_is_public(known[i].public_key));
	}
}

static void what_is_no_seed_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(no_seeds) / sizeof(no_seeds[0]); i++) {
		char public_key[NKEY_PUBLIC_TEXT] = "untouched";

		if (nkey_public_of(no_seeds[i].seed, public_key) != BP_EPARSE ||
		    strcmp(public_key, "untouched") != 0)
			fail_msg("%s", no_seeds[i].reason);
		if (nkey_is_public(no_seeds[i].seed) !=
		    (strcmp(no_seeds[i].reason, "a public key") == 0))
			fail_msg("as a public key: %s", no_seeds[i].reason);
	}
}

static void a_made_key_reads_back_and_is_its_own(void **state)
{
	char seed[2][NKEY_SEED_TEXT], made[2][NKEY_PUBLIC_TEXT], read[NKEY_PUBLIC_TEXT];

	(void)state;
	for (int i = 0; i < 2; i++) {
		nkey_make(seed[i], made[i]);
		assert_int_equal(strlen(seed[i]), NKEY_SEED_TEXT - 1);
		assert_memory_equal(seed[i], "SU", 2);
		assert_int_equal(made[i][0], 'U');
		assert_int_equal(nkey_public_of(seed[i], read), 0);
		assert_string_equal(read, made[i]);
		assert_true(nkey_is_public(made[i]));
		assert_false(nkey_is_public(seed[i]));
	}
	assert_string_not_equal(seed[0], seed[1]);
	assert_string_not_equal(made[0], made[1]);
}

static void any_changed_letter_is_seen(void **state)
{
	(void)state;
	for (size_t i = 0; i < NKEY_PUBLIC_TEXT - 1; i++) {
		char text[NKEY_PUBLIC_TEXT];

		memcpy(text, known[0].public_key, sizeof(text));
		text[i] = text[i] == 'A' ? 'B' : 'A';
		if (nkey_is_public(text))
			fail_msg("letter %zu", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_seeds_have_their_keys),
		cmocka_unit_test(what_is_no_seed_is_refused),
		cmocka_unit_test(a_made_key_reads_back_and_is_its_own),
		cmocka_unit_test(any_changed_letter_is_seen),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
