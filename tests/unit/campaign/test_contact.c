// SPDX-License-Identifier: BSD-2-Clause
/* Who measures: what is refused, with its place in the file, and the lines of probing.txt. */
#include "campaign/contact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void files(void **state)
{
	static const struct {
		const char *why, *yaml;
		int rc;
		const char *says; /* part of the error */
	} rows[] = {
		{"all", "contact: {who: Lab, url: 'https://example.org', mail: a@example.org}", 0, NULL},
		{"a url alone", "contact:\n  who: Lab\n  url: https://example.org/probes\n", 0, NULL},
		{"a mail alone", "contact: {who: Lab, mail: a@example.org}", 0, NULL},
		{"nobody", "contact: {mail: a@example.org}", BP_EPARSE, ":1:"},
		{"nowhere to write to", "contact: {who: Lab}", BP_EINVAL, ":1:10: contact: url or mail"},
		{"http", "contact: {who: Lab, url: 'http://example.org'}", BP_EINVAL, "https://"},
		{"no host", "contact: {who: Lab, url: 'https://'}", BP_EINVAL, "https://"},
		{"a sentence", "contact: {who: Lab, url: 'https://see below'}", BP_EINVAL, "https://"},
		{"mailto twice", "contact: {who: Lab, mail: 'Lab <a@example.org>'}", BP_EINVAL, "address"},
		{"no at", "contact: {who: Lab, mail: example.org}", BP_EINVAL, "address"},
		{"two lines would be two fields", "contact: {who: \"Lab\\nExpires: never\", mail: a@b.org}",
		 BP_EPARSE, "line break"},
		{"a key of another file", "contact: {who: Lab, mail: a@b.org, phone: 1}", BP_EPARSE,
		 ":1:"},
		{"not below contact", "who: Lab\nmail: a@b.org\n", BP_EPARSE, ":1:"},
		{"nothing", "", BP_EPARSE, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct contact c = {.who = "before"};
		struct bp_error err = {0};
		int rc = contact_parse("c.yaml", rows[i].yaml, strlen(rows[i].yaml), &c, &err);

		if (rc != rows[i].rc || (rows[i].says && !strstr(err.text, rows[i].says)))
			fail_msg("%s: %d (%s)", rows[i].why, rc, err.text);
		assert_string_equal(c.who, rc == 0 ? "Lab" : "before");
		if (rc < 0)
			assert_memory_equal(err.text, "c.yaml", 6);
	}
}

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void where_it_is_looked_for(void **state)
{
	char dir[] = "/tmp/bp-contact-XXXXXX", sub[64], path[128];
	struct bp_error err = {0};
	struct contact c;

	(void)state;
	assert_non_null(mkdtemp(dir));
	setenv("XDG_CONFIG_HOME", dir, 1);
	snprintf(sub, sizeof(sub), "%s/borderpath", dir);
	assert_int_equal(mkdir(sub, 0755), 0);
	snprintf(path, sizeof(path), "%s/contact.yaml", sub);
	write_file(sub, "contact.yaml", "contact: {who: Mine, mail: a@example.org}");
	write_file(dir, "other.yaml", "contact: {who: Other, mail: a@example.org}");

	assert_int_equal(contact_load(NULL, &c, &err), 0);
	assert_string_equal(c.who, "Mine");
	unlink(path);
	snprintf(path, sizeof(path), "%s/other.yaml", dir);
	assert_int_equal(contact_load(path, &c, &err), 0);
	assert_string_equal(c.who, "Other");
	unlink(path);
	/* One that was named must be there. */
	assert_int_equal(contact_load(path, &c, &err), BP_ENOTFOUND);
	assert_non_null(strstr(err.text, "other.yaml"));
	rmdir(sub);
	rmdir(dir);
}

/* A mailto URI ends where a '?' begins its headers: what is no plain letter there is escaped. */
static void mail_as_uri(void **state)
{
	static const struct { const char *mail, *uri; } rows[] = {
		{"noc+probes@example.org", "mailto:noc+probes@example.org\n"},
		{"who?%#/&=@example.org", "mailto:who%3F%25%23%2F%26%3D@example.org\n"},
		{"b\xc3\xbcro@example.org", "mailto:b%C3%BCro@example.org\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct contact c;
		struct buf out;

		assert_int_equal(contact_set(&c, "Lab", NULL, rows[i].mail, NULL), 0);
		buf_init(&out);
		contact_write_probing(&out, &c, "Paths", wall_now());
		assert_non_null(strstr(out.bytes, rows[i].uri));
		buf_fini(&out);
	}
}

static void probing_txt(void **state)
{
	static const char want[] =
		"Contact: mailto:noc@example.org\n"
		"Contact: https://example.org/probes\n"
		"Expires: 2027-11-21T10:20:30Z\n"
		"Preferred-Languages: en\n"
		"Description: Paths by ICMP echo, for Example Lab\n";
	struct contact c;
	struct wall now;
	struct buf out;
	const char *fields;

	(void)state;
	assert_int_equal(contact_set(&c, "Example Lab", "https://example.org/probes",
				     "noc@example.org", NULL), 0);
	/* Not from a file: a plan may carry it otherwise. */
	assert_int_equal(contact_set(&c, "Lab\nExpires: never", NULL, "a@b.org", NULL), BP_EINVAL);
	assert_int_equal(wall_parse("2026-11-22T10:20:30.5Z", (struct wall){0}, &now), 0);
	buf_init(&out);
	contact_write_probing(&out, &c, "Paths by ICMP echo", now);
	/* Comments come first, and only first. */
	for (fields = out.bytes; *fields == '#'; fields = strchr(fields, '\n') + 1)
		;
	assert_string_equal(fields, want);
	buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files),
		cmocka_unit_test(where_it_is_looked_for),
		cmocka_unit_test(mail_as_uri),
		cmocka_unit_test(probing_txt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
