// SPDX-License-Identifier: BSD-2-Clause
/* Provenance of pages, and the default window. */
#include "cli/provenance.h"

#include <stdlib.h>
#include <string.h>

#include "campaign/store.h"
#include "cli/cli.h"

enum { WEEK_S = 7 * 86400 };

/* So that a shell takes it as one word again. */
static void put_word(struct buf *out, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "-_./:,=+@%";

	if (word[0] != '\0' && strspn(word, plain) == strlen(word)) {
		buf_str(out, word);
		return;
	}
	buf_char(out, '\'');
	for (; *word != '\0'; word++) {
		if (*word == '\'')
			buf_str(out, "'\\''");
		else
			buf_char(out, *word);
	}
	buf_char(out, '\'');
}

/* Pages are published: a store's password is in none. */
static void put_shown(struct buf *out, const char *word)
{
	const char *value = strncmp(word, "--", 2) == 0 ? strchr(word, '=') : NULL;
	char shown[STORE_SHOWN_TEXT];
	struct buf whole;

	buf_char(out, ' ');
	if (strstr(word, "://") == NULL) {
		put_word(out, word);
		return;
	}
	buf_init(&whole);
	if (value != NULL) {
		buf_append(&whole, word, (size_t)(value + 1 - word));
		word = value + 1;
	}
	buf_str(&whole, store_shown(word, shown));
	out->failed |= whole.failed;
	put_word(out, whole.failed ? "" : whole.bytes);
	buf_fini(&whole);
}

void provenance_init(struct provenance *p, int argc, char **argv)
{
	*p = (struct provenance){0};
	buf_init(&p->command);
	buf_str(&p->command, "borderpath");
	for (int i = 0; i < argc; i++) {
		put_shown(&p->command, argv[i]);
	}
}

void provenance_fini(struct provenance *p)
{
	for (unsigned i = 0; p->shown != NULL && i < p->source_count; i++)
		free(p->shown[i]);
	free(p->shown);
	buf_fini(&p->command);
	annotations_fini(&p->annotations);
}

int provenance_open(struct provenance *p, const struct options *o)
{
	struct bp_error err;

	if (p->annotate == NULL)
		return 0;
	if (o->format != OUTPUT_HTML)
		return cli_usage(o->command, "--annotate goes with --format html") + 1;
	return annotations_read(p->annotate, &p->annotations, &err) < 0 ? cli_error(&err) + 1 : 0;
}

/* The sources as they may be shown; NULL where memory is out. */
static const char *const *shown_sources(struct provenance *p)
{
	char shown[STORE_SHOWN_TEXT];

	if (p->shown == NULL)
		p->shown = calloc(p->source_count + 1, sizeof(*p->shown));
	for (unsigned i = 0; p->shown != NULL && i < p->source_count; i++) {
		if (p->shown[i] == NULL)
			p->shown[i] = strdup(strstr(p->sources[i], "://") != NULL
						     ? store_shown(p->sources[i], shown)
						     : p->sources[i]);
		if (p->shown[i] == NULL)
			return NULL;
	}
	return (const char *const *)p->shown;
}

struct html_about provenance_about(struct provenance *p, const struct judge_pass *pass)
{
	const char *const *sources = shown_sources(p);

	return (struct html_about){
		.command = p->command.failed ? NULL : p->command.bytes,
		.tool = "borderpath " BP_VERSION,
		/* What was judged before says by which databases in its records. */
		.geo = pass->judged > 0 ? geo_source(pass->geo) : NULL,
		.sources = sources,
		.source_count = sources != NULL ? p->source_count : 0,
		.generated = wall_now(),
		.annotations = p->annotations.items,
		.annotation_count = p->annotations.count,
	};
}

void default_window(struct select *s, bool named, bool quiet)
{
	char since[WALL_TEXT];

	if (named || s->since.ns != 0)
		return;
	s->since.ns = (s->until.ns != 0 ? s->until.ns : wall_now().ns) - WEEK_S * NS_PER_S;
	if (!quiet)
		cli_say("seven days of the store, since %s (--since tells another moment)",
			wall_format_short(s->since, since));
}
