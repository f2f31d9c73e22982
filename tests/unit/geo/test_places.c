// SPDX-License-Identifier: BSD-2-Clause
/* Search orders, in a home of the test's own; and the hash with its cache there. */
#include "geo/places.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "geo/filehash.h"
#include "geo/profile.h"

static char home[64];

static const char *in_home(const char *path)
{
	static char out[256];

	snprintf(out, sizeof(out), "%s/%s", home, path);
	return out;
}

static void put(const char *path, const char *text)
{
	FILE *f = fopen(in_home(path), "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int enter(void **state)
{
	(void)state;
	strcpy(home, "build/test-home-XXXXXX");
	if (mkdtemp(home) == NULL)
		return -1;
	char *real = realpath(home, NULL);

	snprintf(home, sizeof(home), "%s", real);
	if (strlen(real) >= sizeof(home))
		return -1;
	free(real);
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("XDG_CACHE_HOME");
	unsetenv("XDG_DATA_HOME");
	return setenv("HOME", home, 1);
}

static int leave(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r '%s'", home);
	return system(command);
}

static void profiles_by_name(void **state)
{
	static const char good[] = "profile: mine\nversion: 1\n"
				   "network: {name: N, prefixes: [192.0.2.0/24]}\n"
				   "borders: [{id: a, networks: [{asn: 1}]}]\n";
	char path[PLACES_PATH_MAX];
	struct bp_error err = {0};
	struct profile *p = NULL;

	(void)state;
	assert_int_equal(places_find_profile("dprk", path, &err), 0);
	assert_non_null(strstr(path, "/profiles/dprk.yaml"));
	assert_int_equal(places_find_profile("mine", path, &err), BP_ENOTFOUND);
	assert_non_null(strstr(err.text, "looked for mine.yaml in "));
	assert_non_null(strstr(err.text, in_home(".config/borderpath/profiles")));

	mkdir(in_home(".config"), 0700);
	mkdir(in_home(".config/borderpath"), 0700);
	mkdir(in_home(".config/borderpath/profiles"), 0700);
	put(".config/borderpath/profiles/mine.yaml", good);
	assert_int_equal(profile_load("mine", &p, &err), 0);
	assert_string_equal(p->file, in_home(".config/borderpath/profiles/mine.yaml"));
	profile_free(p);

	setenv("XDG_CONFIG_HOME", "relative", 1);
	assert_int_equal(places_find_profile("mine", path, &err), 0); /* ignored: not absolute */
	setenv("XDG_CONFIG_HOME", in_home("elsewhere"), 1);
	assert_int_equal(places_find_profile("mine", path, &err), BP_ENOTFOUND);
	unsetenv("XDG_CONFIG_HOME");

	assert_int_equal(places_find_profile("", path, &err), BP_EINVAL);
	assert_int_equal(places_find_profile("..", path, &err), BP_EINVAL);
	assert_int_equal(profile_load(in_home("none.yaml"), &p, &err), BP_ENOTFOUND);
	assert_int_equal(profile_load(home, &p, &err), BP_EIO); /* a directory */
	assert_non_null(strstr(err.text, "cannot read profile"));
}

static void databases(void **state)
{
	char path[PLACES_PATH_MAX];

	(void)state;
	/* What this tree has built comes first, and hides the rest of the order. */
	if (access("build/geodata/asn.mmdb", R_OK) == 0) {
		assert_true(places_find_db(PLACES_ASN, path));
		assert_non_null(strstr(path, "/build/geodata/asn.mmdb"));
		return;
	}
	mkdir(in_home(".local"), 0700);
	mkdir(in_home(".local/share"), 0700);
	mkdir(in_home(".local/share/borderpath"), 0700);
	put(".local/share/borderpath/country.mmdb", "x");
	assert_true(places_find_db(PLACES_COUNTRY, path));
	assert_string_equal(path, in_home(".local/share/borderpath/country.mmdb"));
}

/* FIPS 180-2's first two examples. */
static void hash_is_sha256(void **state)
{
	char hash[FILEHASH_TEXT];
	struct bp_error err = {0};

	(void)state;
	put("abc", "abc");
	assert_int_equal(filehash_sha256(in_home("abc"), hash, &err), 0);
	assert_string_equal(hash,
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	put("abc", "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq");
	assert_int_equal(filehash_sha256(in_home("abc"), hash, &err), 0);
	assert_string_equal(hash,
			    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	assert_int_equal(filehash_sha256(in_home("none"), hash, &err), BP_ENOTFOUND);
}

/* The one file of the cache, or NULL. */
static const char *cached(void)
{
	static char name[320];
	char command[256];
	FILE *p;

	snprintf(command, sizeof(command), "ls -d '%s'/.cache/borderpath/sha256-* 2>/dev/null",
		 home);
	p = popen(command, "r");
	assert_non_null(p);
	name[0] = '\0';
	if (fgets(name, sizeof(name), p) != NULL)
		name[strcspn(name, "\n")] = '\0';
	pclose(p);
	return name[0] != '\0' ? name : NULL;
}

static void hash_is_cached_and_checked(void **state)
{
	static const char golden[] = "tests/golden/mmdb/asn-maxmind.mmdb";
	char first[FILEHASH_TEXT], again[FILEHASH_TEXT], line[256];
	struct bp_error err = {0};
	const char *name;
	FILE *f;

	(void)state;
	/* A file that changed just now is not kept: it may change again within a clock tick. */
	put("fresh", "abc");
	assert_int_equal(filehash_sha256(in_home("fresh"), first, &err), 0);
	assert_null(cached());

	assert_int_equal(filehash_sha256(golden, first, &err), 0);
	name = cached();
	if (name == NULL) {
		print_message("%s changed a moment ago\n", golden);
		skip();
	}
	f = fopen(name, "r+");
	assert_non_null(f);
	assert_non_null(fgets(line, sizeof(line), f));
	fseek(f, 0, SEEK_CUR);
	fputs("0000000000000000000000000000000000000000000000000000000000000000\n", f);
	fclose(f);
	assert_int_equal(filehash_sha256(golden, again, &err), 0);
	assert_int_equal(strspn(again, "0"), 64); /* it is the cache that answers */

	f = fopen(name, "w");
	fputs("another key\n0000000000000000000000000000000000000000000000000000000000000000\n", f);
	fclose(f);
	assert_int_equal(filehash_sha256(golden, again, &err), 0);
	assert_string_equal(again, first); /* and not for another file */

	f = fopen(name, "w");
	fputs(line, f);
	fputs("not a hash\n", f);
	fclose(f);
	assert_int_equal(filehash_sha256(golden, again, &err), 0);
	assert_string_equal(again, first);
}

static void no_home_no_cache(void **state)
{
	static const char golden[] = "tests/golden/mmdb/asn-maxmind.mmdb";
	char hash[FILEHASH_TEXT], dir[PLACES_PATH_MAX];
	struct bp_error err = {0};

	(void)state;
	unsetenv("HOME");
	assert_false(places_cache_dir(dir));
	assert_int_equal(filehash_sha256(golden, hash, &err), 0);
	setenv("HOME", "/proc", 1);
	assert_false(places_cache_dir(dir));
	assert_int_equal(filehash_sha256(golden, hash, &err), 0);
	setenv("HOME", home, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(profiles_by_name, enter, leave),
		cmocka_unit_test_setup_teardown(databases, enter, leave),
		cmocka_unit_test_setup_teardown(hash_is_sha256, enter, leave),
		cmocka_unit_test_setup_teardown(hash_is_cached_and_checked, enter, leave),
		cmocka_unit_test_setup_teardown(no_home_no_cache, enter, leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
