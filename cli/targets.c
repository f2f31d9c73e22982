// SPDX-License-Identifier: BSD-2-Clause
/* Targets of a run: words, files, the profile. Owns name resolution of destinations. */
#include "cli/targets.h"

#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void targets_init(struct targets *t)
{
	*t = (struct targets){0};
}

void targets_fini(struct targets *t)
{
	free(t->items);
	targets_init(t);
}

static struct target *push(struct targets *t)
{
	if (t->count == t->room) {
		unsigned room = t->room ? 2 * t->room : 16;
		struct target *items = reallocarray(t->items, room, sizeof(*items));

		if (items == NULL)
			return NULL;
		t->items = items;
		t->room = room;
	}
	t->items[t->count] = (struct target){0};
	return &t->items[t->count++];
}

static int resolve(const char *host, uint8_t family, struct addr *out, struct bp_error *err)
{
	struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_ADDRCONFIG}, *list;
	int rc;

	hints.ai_family = family == 4 ? AF_INET : family == 6 ? AF_INET6 : AF_UNSPEC;
	rc = getaddrinfo(host, NULL, &hints, &list);
	if (rc != 0)
		return bp_fail(err, BP_ENOTFOUND, "unknown host '%s': %s", host,
			       rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc));
	rc = addr_from_sockaddr(list->ai_addr, out);
	freeaddrinfo(list);
	return rc < 0 ? bp_fail(err, rc, "unknown host '%s'", host) : 0;
}

/* Digits and dots alone are a mistyped address: no name service is asked about it. */
static bool is_numeric(const char *word)
{
	return word[0] != '\0' && word[strspn(word, "0123456789.")] == '\0';
}

static int add_word(struct targets *t, const char *word, uint8_t family, struct bp_error *err)
{
	struct target target = {0};
	struct target *slot;
	int rc = prefix_parse(word, &target.prefix);

	if (rc == BP_ERANGE)
		return bp_fail(err, rc, "'%s' is no prefix: its length is too large or bits beyond it "
			       "are set", word);
	if (rc < 0 && (strchr(word, '/') != NULL || is_numeric(word)))
		return bp_fail(err, rc, "'%s' is neither a host, an address nor a prefix", word);
	if (rc < 0) {
		rc = resolve(word, family, &target.prefix.addr, err);
		if (rc < 0)
			return rc;
		target.prefix.len = (uint8_t)(8 * addr_size(target.prefix.addr));
	}
	if (family != 0 && target.prefix.addr.family != family)
		return bp_fail(err, BP_EINVAL, "'%s' is not an IPv%u target", word, family);
	if (target_size(&target) > TARGETS_PREFIX_MAX)
		return bp_fail(err, BP_ERANGE, "'%s' holds more than %d addresses: name a longer prefix",
			       word, TARGETS_PREFIX_MAX);
	text_set(target.text, sizeof(target.text), word);
	slot = push(t);
	if (slot == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	*slot = target;
	return 0;
}

static int add_file(struct targets *t, const char *path, uint8_t family, struct bp_error *err)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	unsigned number = 0;
	int rc = 0;

	if (f == NULL)
		return bp_fail_sys(err, errno, "cannot read targets from %s", path);
	while (rc == 0 && getline(&line, &size, f) >= 0) {
		char *word = line, *end;

		number++;
		line[strcspn(line, "#\r\n")] = '\0';
		while (isspace((unsigned char)*word))
			word++;
		for (end = word; *end != '\0' && !isspace((unsigned char)*end); end++)
			;
		*end = '\0';
		if (*word == '\0')
			continue;
		rc = add_word(t, word, family, err);
		if (rc < 0)
			bp_error_prefix(err, "%s:%u", path, number);
	}
	free(line);
	if (f != stdin)
		fclose(f);
	return rc;
}

int targets_add(struct targets *t, const char *word, uint8_t family, struct bp_error *err)
{
	return word[0] == '@' ? add_file(t, word + 1, family, err)
			      : add_word(t, word, family, err);
}

int targets_add_profile(struct targets *t, const struct profile *p, uint8_t family,
			struct wall when, struct bp_error *err)
{
	for (unsigned i = 0; i < p->targets_count; i++) {
		const struct profile_target *pt = &p->targets[i];
		struct target *added;
		struct prefix prefix;
		int rc;

		if (!validity_holds(&pt->valid, when))
			continue;
		if (family != 0 && prefix_parse(pt->host, &prefix) == 0 &&
		    prefix.addr.family != family)
			continue;
		rc = add_word(t, pt->host, family, err);
		if (rc < 0)
			return rc;
		added = &t->items[t->count - 1];
		added->method = pt->method;
		added->port = pt->port;
		if (pt->name != NULL)
			text_set(added->text, sizeof(added->text), pt->name);
	}
	return 0;
}

uint64_t target_size(const struct target *t)
{
	unsigned host_bits = (unsigned)(8 * addr_size(t->prefix.addr)) - t->prefix.len;

	return host_bits > 62 ? UINT64_MAX : UINT64_C(1) << host_bits;
}

struct addr target_address(const struct target *t, uint64_t index)
{
	struct addr a = t->prefix.addr;

	/* The host bits of a prefix are 0, so adding is setting. */
	for (size_t i = addr_size(a); i > 0 && index > 0; i--, index >>= 8)
		a.bytes[i - 1] = (uint8_t)(a.bytes[i - 1] | (index & 0xff));
	return a;
}
