// SPDX-License-Identifier: BSD-2-Clause
/* The pages of `report` and of `events`. */
#include "analysis/report/html.h"

#include <string.h>

#include "analysis/report/html_parts.h"
#include "analysis/words.h"

static void head(struct page *page, struct buf *out, const struct report *r,
		 const struct html_about *a, const char *what)
{
	char from[WALL_TEXT], to[WALL_TEXT];
	struct buf title;

	*page = (struct page){.out = out, .r = r, .p = r->profile, .about = a};
	buf_init(&title);
	wall_format(r->since, from);
	wall_format((struct wall){r->until.ns - 1}, to);
	buf_printf(&title, "%s %s, %.10s", what, r->profile->network_name, from);
	if (strncmp(from, to, 10) != 0)
		buf_printf(&title, " to %.10s", to);
	if (title.failed)
		out->failed = true;
	else
		page_open(page, title.bytes);
	buf_fini(&title);
}

void html_report(struct buf *out, const struct report *r, const struct html_about *a)
{
	struct page page;

	head(&page, out, r, a, "Ways into");
	if (out->failed)
		return;
	part_lead_report(&page);
	part_facts(&page);
	part_bands(&page);
	part_notes(&page);
	part_rtt(&page);
	part_shares(&page);
	part_ways(&page);
	part_rows(&page);
	part_events(&page);
	page_close(&page);
}

void html_events(struct buf *out, const struct report *r, const struct html_about *a)
{
	struct page page;

	head(&page, out, r, a, "What changed on the ways into");
	if (out->failed)
		return;
	part_lead_report(&page);
	part_facts(&page);
	part_events(&page);
	part_notes(&page);
	part_bands(&page);
	page_close(&page);
}
