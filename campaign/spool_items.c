// SPDX-License-Identifier: BSD-2-Clause
/* The journals there are, in order of their moments, and what is told of them. Touches no file. */
#include "campaign/spool_items.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- what is told ---------------------------------------------------------------------------- */

void spool_tell(struct spool *s, const char *fmt, ...)
{
	va_list ap;

	if (s->notes.used - s->notes_at > SPOOL_NOTES_MAX)
		return;
	buf_printf(&s->notes, "spool %s: ", s->path);
	va_start(ap, fmt);
	buf_vprintf(&s->notes, fmt, ap);
	va_end(ap);
	buf_char(&s->notes, '\0');
	if (s->notes.failed) {
		buf_fini(&s->notes);
		s->notes_at = 0;
	}
}

const char *spool_note(struct spool *s)
{
	const char *note;

	if (s->notes_at >= s->notes.used) {
		buf_clear(&s->notes);
		s->notes_at = 0;
		return NULL;
	}
	note = s->notes.bytes + s->notes_at;
	s->notes_at += strlen(note) + 1;
	return note;
}

/* --- journals there are ---------------------------------------------------------------------- */

const char *item_name(const struct item *it, uint8_t ext, char out[static ROUND_ID_TEXT + 16])
{
	static const char *const exts[] = {"", ".part", ".jsonl", ".taken"};

	snprintf(out, ROUND_ID_TEXT + 16, "%s%s", it->id, exts[ext]);
	return out;
}

static int compare(const struct item *a, const char *id, struct wall planned)
{
	if (a->planned.ns != planned.ns)
		return a->planned.ns < planned.ns ? -1 : 1;
	return strcmp(a->id, id);
}

struct item *spool_add(struct spool *s, const char *id, struct wall planned)
{
	struct item *it = calloc(1, sizeof(*it)), **more;
	uint32_t at, room = s->room == 0 ? 16 : 2 * s->room;

	if (it == NULL)
		return NULL;
	if (s->count == s->room) {
		more = reallocarray(s->items, room, sizeof(struct item *));
		if (more == NULL) {
			free(it);
			return NULL;
		}
		s->items = more;
		s->room = room;
	}
	text_set(it->id, sizeof(it->id), id);
	it->planned = planned;
	buf_init(&it->memory);
	/* They come in order, nearly always. */
	for (at = s->count; at > 0 && compare(s->items[at - 1], id, planned) > 0; at--)
		;
	memmove(&s->items[at + 1], &s->items[at], (s->count - at) * sizeof(struct item *));
	s->items[at] = it;
	s->count++;
	return it;
}

void spool_forget(struct spool *s, struct item *it)
{
	uint32_t at = 0;

	while (s->items[at] != it)
		at++;
	s->count--;
	memmove(&s->items[at], &s->items[at + 1], (s->count - at) * sizeof(struct item *));
	s->disk_bytes -= it->ext == EXT_NONE ? 0 : spool_blocks(it->file_bytes);
	s->memory_bytes -= it->memory.used;
	buf_fini(&it->memory);
	free(it);
}

struct item *spool_find(struct spool *s, const char *id)
{
	for (uint32_t i = 0; i < s->count; i++) {
		if (strcmp(s->items[i]->id, id) == 0)
			return s->items[i];
	}
	return NULL;
}
