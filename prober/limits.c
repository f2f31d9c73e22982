// SPDX-License-Identifier: BSD-2-Clause
/* The limits file: trusted only when root alone could have written it. */
#include "prober/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/text.h"

void limits_defaults(struct limits *l)
{
	memset(l, 0, sizeof(*l));
	l->rate_pps = LIMITS_RATE_PPS;
	l->prefix_pps = LIMITS_PREFIX_PPS;
	l->router_pps = LIMITS_ROUTER_PPS;
}

void limits_fini(struct limits *l)
{
	prefixset_fini(&l->never);
	memset(l, 0, sizeof(*l));
}

/* --- the grammar --- */

static int add_rate(const char *value, uint32_t *out)
{
	uint64_t v;
	int rc = text_to_u64(value, 1, UINT32_MAX, &v);

	if (rc == 0)
		*out = (uint32_t)v;
	return rc;
}

static int add_prefix(struct limits *l, const char *value)
{
	struct prefix p;
	int rc = prefix_parse(value, &p);

	if (rc < 0)
		return rc;
	return l->never.count == LIMITS_PREFIXES_MAX ? BP_ERANGE : prefixset_add(&l->never, p);
}

static int add_user(struct limits *l, const char *value)
{
	if (l->user_count == LIMITS_USERS_MAX || strlen(value) >= LIMITS_USER_TEXT)
		return BP_ERANGE;
	text_set(l->users[l->user_count++], LIMITS_USER_TEXT, value);
	return 0;
}

static int read_entry(struct limits *l, const char *word, const char *value)
{
	if (strcmp(word, "rate_pps") == 0)
		return add_rate(value, &l->rate_pps);
	if (strcmp(word, "prefix_pps") == 0)
		return add_rate(value, &l->prefix_pps);
	if (strcmp(word, "router_pps") == 0)
		return add_rate(value, &l->router_pps);
	if (strcmp(word, "do_not_probe") == 0)
		return add_prefix(l, value);
	if (strcmp(word, "unlimited_user") == 0)
		return add_user(l, value);
	return BP_ENOTFOUND;
}

/* line is terminated, without newline, and may be changed. */
static int read_line(struct limits *l, char *line, struct bp_error *err)
{
	static const char blanks[] = " \t";
	char *word, *value, *rest;
	int rc;

	line[strcspn(line, "#")] = '\0';
	word = line + strspn(line, blanks);
	if (*word == '\0')
		return 0;
	value = word + strcspn(word, blanks);
	if (*value != '\0')
		*value++ = '\0';
	value += strspn(value, blanks);
	rest = value + strcspn(value, blanks);
	if (*value == '\0' || rest[strspn(rest, blanks)] != '\0')
		return bp_fail(err, BP_EPARSE, "\"%.40s\" wants one value", word);
	*rest = '\0';
	rc = read_entry(l, word, value);
	if (rc == BP_ENOTFOUND)
		return bp_fail(err, BP_EPARSE, "unknown word \"%.40s\"", word);
	if (rc < 0)
		return bp_fail(err, rc, "%s %.60s: %s", word, value, bp_strerror(rc));
	return 0;
}

int limits_parse(const char *text, size_t n, struct limits *l, struct bp_error *err)
{
	unsigned number = 0;
	char line[256];
	int rc = 0;

	limits_defaults(l);
	while (n > 0 && rc == 0) {
		const char *end = memchr(text, '\n', n);
		size_t length = end != NULL ? (size_t)(end - text) : n;
		size_t used = length + (end != NULL);

		number++;
		if (length >= sizeof(line))
			rc = bp_fail(err, BP_ERANGE, "line too long");
		else if (memchr(text, '\0', length) != NULL)
			rc = bp_fail(err, BP_EPARSE, "not a text file");
		if (rc < 0)
			break;
		memcpy(line, text, length);
		line[length] = '\0';
		rc = read_line(l, line, err);
		text += used;
		n -= used;
	}
	if (rc < 0) {
		bp_error_prefix(err, "line %u", number);
		limits_fini(l);
		return rc;
	}
	prefixset_settle(&l->never);
	return rc;
}

/* --- the file --- */

static int check_owner(int fd, struct bp_error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return bp_fail_sys(err, errno, "cannot look at it");
	if (!S_ISREG(st.st_mode))
		return bp_fail(err, BP_EPERM, "not a plain file");
	if (st.st_uid != 0)
		return bp_fail(err, BP_EPERM, "must be owned by root (chown root)");
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return bp_fail(err, BP_EPERM, "must be writable by root only (chmod go-w)");
	if (st.st_size > LIMITS_FILE_MAX)
		return bp_fail(err, BP_ERANGE, "larger than %d bytes", LIMITS_FILE_MAX);
	return 0;
}

static int read_all(int fd, struct limits *l, struct bp_error *err)
{
	char *text = malloc(LIMITS_FILE_MAX + 1);
	size_t used = 0;
	ssize_t n = 0;
	int rc;

	if (text == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	while (used <= LIMITS_FILE_MAX &&
	       (n = read(fd, text + used, LIMITS_FILE_MAX + 1 - used)) > 0)
		used += (size_t)n;
	if (n < 0)
		rc = bp_fail_sys(err, errno, "cannot read it");
	else if (used > LIMITS_FILE_MAX)
		rc = bp_fail(err, BP_ERANGE, "larger than %d bytes", LIMITS_FILE_MAX);
	else
		rc = limits_parse(text, used, l, err);
	free(text);
	return rc;
}

int limits_read(const char *path, struct limits *l, struct bp_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
		limits_defaults(l);
		return 0;
	}
	if (fd < 0)
		return bp_fail_sys(err, errno, "%s", path);
	rc = check_owner(fd, err);
	if (rc == 0)
		rc = read_all(fd, l, err);
	close(fd);
	if (rc < 0)
		bp_error_prefix(err, "%s", path);
	return rc;
}

/* --- what is allowed --- */

bool limits_unlimited(const struct limits *l, uint32_t uid, const char *name)
{
	uint64_t number;

	if (uid == 0)
		return true;
	for (uint32_t i = 0; i < l->user_count; i++) {
		if (name != NULL && strcmp(l->users[i], name) == 0)
			return true;
		if (text_to_u64(l->users[i], 0, UINT32_MAX, &number) == 0 && number == uid)
			return true;
	}
	return false;
}

/* asked: in thousandths. */
static int check_rate(const char *what, uint64_t asked, uint32_t allowed, struct bp_error *err)
{
	char text[TEXT_MILLI];

	if (asked != 0 && asked <= allowed * UINT64_C(1000))
		return 0;
	if (asked == 0)
		return bp_fail(err, BP_EPERM, "%s without a limit is for root and the users that "
			       "the limits file names (unlimited_user); you may have %u", what,
			       allowed);
	return bp_fail(err, BP_EPERM, "%s %s is more than the %u that the limits file allows", what,
		       text_milli(asked, text), allowed);
}

int limits_check_run(const struct limits *l, bool unlimited, const struct plan_run *run,
		     struct bp_error *err)
{
	int rc;

	if (unlimited)
		return 0;
	rc = check_rate("rate", run->rate_pps * UINT64_C(1000), l->rate_pps, err);
	if (rc == 0)
		rc = check_rate("per-prefix rate", run->prefix_mpps, l->prefix_pps, err);
	if (rc == 0)
		rc = check_rate("per-router rate", run->router_pps * UINT64_C(1000), l->router_pps,
				err);
	return rc;
}

static bool is_mapped4(struct addr a)
{
	static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

	return a.family == 6 && memcmp(a.bytes, prefix, sizeof(prefix)) == 0;
}

static const char *why_never(struct addr dst)
{
	static const uint8_t zero[16], ones[4] = {0xff, 0xff, 0xff, 0xff};

	if (addr_kind(dst) == ADDR_KIND_MULTICAST)
		return "a multicast address";
	if (dst.family == 4 && memcmp(dst.bytes, ones, sizeof(ones)) == 0)
		return "the broadcast address";
	if (dst.family == 4 && dst.bytes[0] == 0)
		return "in 0.0.0.0/8, which names no other host (RFC 1122)";
	if (dst.family == 6 && memcmp(dst.bytes, zero, sizeof(zero)) == 0)
		return "the unspecified address";
	if (is_mapped4(dst))
		return "an IPv4-mapped address: give the IPv4 address itself";
	return NULL;
}

int limits_check_target(const struct limits *l, const struct prefixset *avoid, struct addr dst,
			struct bp_error *err)
{
	char text[ADDR_TEXT], list[PREFIX_TEXT];
	const char *never = why_never(dst), *whose = "machine";
	const struct prefix *p = prefixset_find(&l->never, dst);

	if (p == NULL) {
		p = prefixset_find(avoid, dst);
		whose = "run";
	}
	addr_format(dst, text);
	if (never != NULL)
		return bp_fail(err, BP_EPERM, "%s is %s: not probed", text, never);
	if (p != NULL)
		return bp_fail(err, BP_EPERM, "%s is on the do-not-probe list of this %s (%s)", text,
			       whose, prefix_format(*p, list));
	return 0;
}
