// SPDX-License-Identifier: BSD-2-Clause
/* Provenance of pages, and the default window. */
#include "cli/provenance.h"

#include <string.h>

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

void provenance_init(struct provenance *p, int argc, char **argv)
{
	*p = (struct provenance){0};
	buf_init(&p->command);
	buf_str(&p->command, "borderpath");
	for (int i = 0; i < argc; i++) {
		buf_char(&p->command, ' ');
		put_word(&p->command, argv[i]);
	}
}

void provenance_fini(struct provenance *p)
{
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

struct html_about provenance_about(const struct provenance *p, const struct judge_pass *pass)
{
	return (struct html_about){
		.command = p->command.failed ? NULL : p->command.bytes,
		.tool = "borderpath " BP_VERSION,
		/* What was judged before says by which databases in its records. */
		.geo = pass->judged > 0 ? geo_source(pass->geo) : NULL,
		.sources = p->sources, .source_count = p->source_count,
		.generated = wall_now(),
		.annotations = p->annotations.items, .annotation_count = p->annotations.count,
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
