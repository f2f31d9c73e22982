// SPDX-License-Identifier: BSD-2-Clause
/* Lines out of blocks, each to the parser; no line is kept whole in memory but the one at hand. */
#include "cli/routes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/select.h"

struct lines {
	const char *name;
	bool verbose;
	struct routes_maker *maker;
	uint64_t line, taken, skipped;
	bool overlong;               /* the line at hand is told already: wait for its end */
};

static void skip(struct lines *l, const struct bp_error *why)
{
	routes_skip(l->maker);
	if (l->skipped++ < SELECT_TOLD || l->verbose)
		cli_say("skipped: %s:%llu: %s", l->name, (unsigned long long)l->line, why->text);
}

static int take_line(struct lines *l, const char *text, size_t n, struct bp_error *err)
{
	struct bgp_line line;
	struct bp_error why;
	int rc;

	l->line++;
	n -= n > 0 && text[n - 1] == '\r';
	if (n == 0)
		return 0;
	if (bgpline_parse(text, n, &line, &why) < 0) {
		skip(l, &why);
		return 0;
	}
	l->taken++;
	rc = routes_take(l->maker, &line);
	if (rc == BP_ERANGE)
		return bp_fail(err, rc, "%s:%llu: more than %d peers, or %d prefixes of the network",
			       l->name, (unsigned long long)l->line, ROUTES_PEERS_MAX,
			       ROUTES_PREFIXES_MAX);
	return rc < 0 ? bp_fail(err, rc, "out of memory") : 0;
}

/* The whole lines in text, of n bytes; *used of them. Where none ends it is too long, and what
 * comes until its end belongs to it. */
static int take_lines(struct lines *l, const char *text, size_t n, bool full, size_t *used,
		      struct bp_error *err)
{
	const char *at = text, *end = text + n, *newline;
	struct bp_error why;
	int rc = 0;

	while (rc == 0 && (newline = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		if (l->overlong)
			l->overlong = false;
		else
			rc = take_line(l, at, (size_t)(newline - at), err);
		at = newline + 1;
	}
	if (rc == 0 && at == text && full) {
		if (!l->overlong) {
			l->line++;
			bp_fail(&why, BP_ERANGE, "longer than %d bytes", BGPLINE_MAX - 1);
			skip(l, &why);
		}
		l->overlong = true;
		at = end;
	}
	*used = (size_t)(at - text);
	return rc;
}

static int read_lines(struct lines *l, FILE *f, char *block, struct bp_error *err)
{
	size_t held = 0, used, n;
	int rc = 0;

	while (rc == 0 && (n = fread(block + held, 1, BGPLINE_MAX - held, f)) > 0) {
		held += n;
		rc = take_lines(l, block, held, held == BGPLINE_MAX, &used, err);
		held -= used;
		memmove(block, block + used, held);
	}
	if (rc == 0 && ferror(f))
		return bp_fail_sys(err, errno, "cannot read %s", l->name);
	/* The last line may have no newline. */
	return rc == 0 && held > 0 && !l->overlong ? take_line(l, block, held, err) : rc;
}

int routes_read(const char *path, bool verbose, struct routes_maker *m, struct bp_error *err)
{
	bool is_stdin = strcmp(path, "-") == 0;
	struct lines l = {.name = path, .verbose = verbose, .maker = m};
	char *block = malloc(BGPLINE_MAX);
	FILE *f = is_stdin ? stdin : fopen(path, "re");
	int rc;

	if (f == NULL)
		rc = bp_fail_sys(err, errno, "cannot read %s", path);
	else
		rc = block == NULL ? bp_fail(err, BP_ENOMEM, "out of memory") :
		     read_lines(&l, f, block, err);
	if (f != NULL && !is_stdin)
		fclose(f);
	free(block);
	if (rc == 0 && l.taken == 0)
		return bp_fail(err, BP_EPARSE, "%s: no line of what bgpdump -m prints", path);
	if (rc == 0 && l.skipped > 1)
		cli_say("%s: %llu lines skipped, %llu read%s", path, (unsigned long long)l.skipped,
			(unsigned long long)l.taken, l.skipped > SELECT_TOLD && !verbose ?
			"; -v tells of each" : "");
	return rc;
}
