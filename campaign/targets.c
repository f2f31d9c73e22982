// SPDX-License-Identifier: BSD-2-Clause
/* Targets of a run: words, files, the profile. Owns name resolution of destinations. */
#include "campaign/targets.h"

#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "geo/places.h"
#include "prober/plan.h"

void targets_init(struct targets *t)
{
	*t = (struct targets){0};
	buf_init(&t->texts);
}

void targets_fini(struct targets *t)
{
	free(t->items);
	buf_fini(&t->texts);
	targets_init(t);
}

static struct target *push(struct targets *t)
{
	if (t->count == t->room) {
		uint32_t room = t->room ? 2 * t->room : 16;
		struct target *items = reallocarray(t->items, room, sizeof(*items));

		if (items == NULL)
			return NULL;
		t->items = items;
		t->room = room;
	}
	t->items[t->count] = (struct target){0};
	return &t->items[t->count++];
}

static const char *prefix_text(const struct target *one, char out[static PREFIX_TEXT])
{
	return one->prefix.len == 8 * addr_size(one->prefix.addr) ?
	       addr_format(one->prefix.addr, out) : prefix_format(one->prefix, out);
}

/* Words are kept only where the prefix does not say the same: of 65,536 addresses nothing. */
static int set_text(struct targets *t, struct target *one, const char *text)
{
	char plain[PREFIX_TEXT], clean[TRACE_NAME_TEXT];

	if (strcmp(prefix_text(one, plain), text) == 0) {
		one->text = 0;
		return 0;
	}
	text_set(clean, sizeof(clean), text);
	if (t->texts.used == 0)
		buf_char(&t->texts, '\0');
	if (t->texts.used > UINT32_MAX - sizeof(clean))
		return BP_ENOMEM;
	one->text = (uint32_t)t->texts.used;
	buf_append(&t->texts, clean, strlen(clean) + 1);
	return t->texts.failed ? BP_ENOMEM : 0;
}

const char *target_text(const struct targets *t, const struct target *one,
			char out[static PREFIX_TEXT])
{
	return one->text > 0 ? t->texts.bytes + one->text : prefix_text(one, out);
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

/* Letters, digits, '-', '.' and '_' (RFC 1123, and what is in use); ':' and '%' of an address with
 * a zone. Digits and dots alone are a mistyped address. Of anything else (a line of a file that is
 * no list) no name service is asked. */
static bool is_host(const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:%";

	return word[0] != '\0' && word[strspn(word, plain)] == '\0' &&
	       word[strspn(word, "0123456789.")] != '\0' && strlen(word) < TRACE_NAME_TEXT;
}

/* It is printed: not a byte that a terminal would obey. */
static int not_a_target(const char *word, int code, struct bp_error *err)
{
	char clean[TRACE_NAME_TEXT];

	text_set(clean, sizeof(clean), word);
	return bp_fail(err, code, "'%s' is neither a host, an address nor a prefix", clean);
}

static int add_word(struct targets *t, const char *word, uint8_t family, struct bp_error *err)
{
	struct target target = {0};
	struct target *slot;
	int rc = prefix_parse(word, &target.prefix);

	if (rc == BP_ERANGE)
		return bp_fail(err, rc, "'%s' is no prefix: its length is too large or bits beyond it "
			       "are set", word);
	if (rc < 0 && !is_host(word))
		return not_a_target(word, rc, err);
	if (rc < 0) {
		rc = t->resolve != NULL ?
		     t->resolve(t->resolve_arg, word, family, &target.prefix.addr, err) :
		     resolve(word, family, &target.prefix.addr, err);
		if (rc < 0)
			return rc;
		target.prefix.len = (uint8_t)(8 * addr_size(target.prefix.addr));
	}
	if (family != 0 && addr_is_set(target.prefix.addr) && target.prefix.addr.family != family)
		return bp_fail(err, BP_EINVAL, "'%s' is not an IPv%u target", word, family);
	if (addr_is_set(target.prefix.addr) && target_size(&target) > TARGETS_PREFIX_MAX)
		return bp_fail(err, BP_ERANGE, "'%s' holds more than %d addresses: name longer prefixes",
			       word, TARGETS_PREFIX_MAX);
	slot = set_text(t, &target, word) < 0 ? NULL : push(t);
	if (slot == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	*slot = target;
	return 0;
}

enum { LINE_ROOM = 4096 };

/* The next line, without its end. BP_EOF behind the last; BP_EUNSUP: no line of text, but longer
 * than there is room, or with a NUL byte in it. */
static int next_line(FILE *f, char out[static LINE_ROOM])
{
	int c, n = 0;

	while ((c = getc_unlocked(f)) != EOF && c != '\n') {
		if (c == '\0' || n + 1 == LINE_ROOM)
			return BP_EUNSUP;
		out[n++] = (char)c;
	}
	out[n] = '\0';
	return c == EOF && n == 0 ? BP_EOF : 0;
}

/* Lines of a file, each its first word; those that are empty or comments are passed over. A file
 * that is no text is read no further: BP_EUNSUP, told with its name. */
static int each_line(FILE *f, const char *path,
		     int (*take)(void *arg, const char *word, unsigned number), void *arg,
		     struct bp_error *err)
{
	char line[LINE_ROOM];
	unsigned number = 0;
	int rc = 0;

	while (rc == 0 && (rc = next_line(f, line)) == 0) {
		char *word = line, *end;

		number++;
		line[strcspn(line, "#\r\n")] = '\0';
		while (isspace((unsigned char)*word))
			word++;
		for (end = word; *end != '\0' && !isspace((unsigned char)*end); end++)
			;
		*end = '\0';
		if (*word != '\0')
			rc = take(arg, word, number);
	}
	if (rc == BP_EUNSUP)
		return bp_fail(err, rc, "%s:%u: no text: a line over %d bytes, or a NUL byte in it", path,
			       number + 1, LINE_ROOM - 1);
	return rc == BP_EOF ? 0 : rc;
}

struct target_file {
	struct targets *targets;
	const char *path;
	uint8_t family;
	int first;              /* what the first wrong line is; 0: none */
	struct bp_error err;    /* and why */
};

static int take_target(void *arg, const char *word, unsigned number)
{
	struct target_file *f = arg;
	struct bp_error err;
	int rc = add_word(f->targets, word, f->family, &err);

	if (rc == 0)
		return 0;
	f->targets->wrong++;
	if (f->first == 0) {
		f->first = rc;
		f->err = err;
		bp_error_prefix(&f->err, "%s:%u", f->path, number);
	}
	return rc == BP_ENOMEM ? rc : 0;
}

static int add_file(struct targets *t, const char *path, uint8_t family, struct bp_error *err)
{
	struct target_file tf = {.targets = t, .path = path, .family = family};
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	struct bp_error unread;
	int rc;

	if (f == NULL)
		return bp_fail_sys(err, errno, "cannot read targets from %s", path);
	errno = 0;
	rc = each_line(f, path, take_target, &tf, &unread);
	if (rc == BP_EUNSUP) {
		t->wrong++;
		if (tf.first == 0)
			tf.err = unread;
		tf.first = tf.first == 0 ? rc : tf.first;
	}
	if (ferror(f)) {
		tf.first = bp_fail_sys(&tf.err, errno != 0 ? errno : EIO,
				       "cannot read targets from %s", path);
	}
	if (f != stdin)
		fclose(f);
	if (tf.first < 0 && err != NULL)
		*err = tf.err;
	return tf.first;
}

int targets_name(struct targets *t, uint32_t index, const char *name)
{
	return set_text(t, &t->items[index], name);
}

int targets_add(struct targets *t, const char *word, uint8_t family, struct bp_error *err)
{
	if (strcmp(word, "-") == 0)
		return add_file(t, word, family, err);
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
		if (pt->name != NULL && set_text(t, added, pt->name) < 0)
			return bp_fail(err, BP_ENOMEM, "out of memory");
	}
	return 0;
}

/* --- each once -------------------------------------------------------------------------------- */

struct sorting { const struct target *items; unsigned how; };

/* By method and port where they count, then as prefixset does, then as asked. */
static int compare(const void *a, const void *b, void *arg)
{
	const struct sorting *s = arg;
	uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
	const struct target *one = &s->items[i], *two = &s->items[j];
	int rc = 0;

	if (s->how & TARGETS_BY_METHOD) {
		rc = (one->method > two->method) - (one->method < two->method);
		if (rc == 0)
			rc = (one->port > two->port) - (one->port < two->port);
	}
	if (rc == 0)
		rc = prefix_compare(one->prefix, two->prefix);
	return rc != 0 ? rc : (i > j) - (i < j);
}

static bool covers(const struct sorting *s, const struct target *wide, const struct target *t)
{
	return (!(s->how & TARGETS_BY_METHOD) ||
		(wide->method == t->method && wide->port == t->port)) &&
	       wide->prefix.len <= t->prefix.len && prefix_has(wide->prefix, t->prefix.addr);
}

static bool is_single(const struct target *t)
{
	return t->prefix.len == 8 * addr_size(t->prefix.addr);
}

/* Marks those to be dropped by taking their address away. */
static void drop_covered(const struct sorting *s, struct target *items, const uint32_t *sorted,
			 uint32_t count)
{
	const struct target *wide = NULL, *kept = NULL;

	for (uint32_t i = 0; i < count; i++) {
		struct target *one = &items[sorted[i]];
		bool covered = wide != NULL && covers(s, wide, one);

		if (covered && (s->how & TARGETS_KEEP_SINGLE) && is_single(one) && !is_single(wide))
			covered = kept != NULL && is_single(kept) && covers(s, kept, one);
		else if (!covered)
			wide = one;
		if (covered)
			one->prefix.addr.family = 0;
		else
			kept = one;
	}
}

int targets_settle(struct targets *t, unsigned how, uint32_t *dropped)
{
	struct sorting s = {t->items, how};
	uint32_t *sorted = calloc(t->count + 1, sizeof(*sorted)), count = 0, kept = 0;

	*dropped = 0;
	if (sorted == NULL)
		return BP_ENOMEM;
	for (uint32_t i = 0; i < t->count; i++) {
		if (addr_is_set(t->items[i].prefix.addr))
			sorted[count++] = i;
	}
	qsort_r(sorted, count, sizeof(*sorted), compare, &s);
	drop_covered(&s, t->items, sorted, count);
	free(sorted);
	for (uint32_t i = 0; i < t->count; i++) {
		if (addr_is_set(t->items[i].prefix.addr))
			t->items[kept++] = t->items[i];
	}
	*dropped = t->count - kept;
	t->count = kept;
	return 0;
}

static bool lies_in(struct prefix inner, struct prefix outer)
{
	return inner.len >= outer.len && prefix_has(outer, inner.addr);
}

/* The parts of a wider entry, behind all others. */
static int add_parts(struct targets *t, const struct target *whole, const struct prefix *to,
		     unsigned count)
{
	char text[TRACE_NAME_TEXT], plain[PREFIX_TEXT];

	text_set(text, sizeof(text), target_text(t, whole, plain));
	for (unsigned i = 0; i < count; i++) {
		struct target *part;

		if (!lies_in(to[i], whole->prefix))
			continue;
		part = push(t);
		if (part == NULL)
			return BP_ENOMEM;
		*part = *whole;
		part->prefix = to[i];
		if (set_text(t, part, text) < 0)
			return BP_ENOMEM;
	}
	return 0;
}

int targets_narrow(struct targets *t, const struct prefix *to, unsigned count)
{
	uint32_t n = t->count, kept = 0;

	for (uint32_t i = 0; i < n; i++) {
		struct target one = t->items[i];
		bool in = false;

		for (unsigned k = 0; addr_is_set(one.prefix.addr) && k < count && !in; k++)
			in = lies_in(one.prefix, to[k]);
		if (!in && addr_is_set(one.prefix.addr) && add_parts(t, &one, to, count) < 0)
			return BP_ENOMEM;
		if (in)
			t->items[kept++] = one;
	}
	memmove(&t->items[kept], &t->items[n], (t->count - n) * sizeof(t->items[0]));
	t->count -= n - kept;
	return 0;
}

uint64_t target_size(const struct target *t)
{
	return prefix_size(t->prefix);
}

struct addr target_address(const struct target *t, uint64_t index)
{
	struct addr a = t->prefix.addr;

	/* The host bits of a prefix are 0, so adding is setting. */
	for (size_t i = addr_size(a); i > 0 && index > 0; i--, index >>= 8)
		a.bytes[i - 1] = (uint8_t)(a.bytes[i - 1] | (index & 0xff));
	return a;
}

/* --- what not to probe ------------------------------------------------------------------------ */

struct avoid_file { struct prefixset *set; const char *path; struct bp_error *err; };

static int take_avoid(void *arg, const char *word, unsigned number)
{
	struct avoid_file *f = arg;
	char clean[TRACE_NAME_TEXT];
	struct prefix p;
	int rc = prefix_parse(word, &p);

	text_set(clean, sizeof(clean), word);
	if (rc < 0)
		return bp_fail(f->err, rc, "%s:%u: '%s' is no address and no prefix%s", f->path, number,
			       clean, rc == BP_ERANGE ? ": bits beyond its length are set" : "");
	return prefixset_add(f->set, p) < 0 ? bp_fail(f->err, BP_ENOMEM, "out of memory") : 0;
}

int targets_read_avoid(struct prefixset *out, const char *path, struct bp_error *err)
{
	struct avoid_file af = {out, path, err};
	FILE *f = fopen(path, "re");
	int rc;

	if (f == NULL)
		return bp_fail_sys(err, errno, "cannot read the do-not-probe list %s", path);
	errno = 0;
	rc = each_line(f, path, take_avoid, &af, err);
	if (rc == 0 && ferror(f))
		rc = bp_fail_sys(err, errno != 0 ? errno : EIO,
				 "cannot read the do-not-probe list %s", path);
	fclose(f);
	return rc;
}

int targets_load_avoid(struct prefixset *out, const char *path, struct bp_error *err)
{
	char place[PLACES_PATH_MAX];
	int rc = path != NULL ? targets_read_avoid(out, path, err) : 0;

	for (int i = 0; rc == 0 && i < PLACES_CONFIGS; i++) {
		/* A HOME of somebody else's that we may not look into has no list for us. */
		if (places_config(i, "do-not-probe", place) && access(place, F_OK) == 0)
			rc = targets_read_avoid(out, place, err);
	}
	prefixset_settle(out);
	if (rc == 0 && out->count > PLAN_AVOIDS_MAX)
		rc = bp_fail(err, BP_ERANGE, "the do-not-probe lists have %u entries: %d are possible",
			     out->count, PLAN_AVOIDS_MAX);
	return rc;
}
