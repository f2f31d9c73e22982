// SPDX-License-Identifier: BSD-2-Clause
/* A row at a time, by a small machine over bytes. */
#include "core/csvread.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "core/text.h"

void csv_reader_init(struct csv_reader *r, FILE *file, const char *name)
{
	*r = (struct csv_reader){.file = file, .name = name, .next_line = 1};
	buf_init(&r->text);
}

void csv_reader_fini(struct csv_reader *r)
{
	buf_fini(&r->text);
}

static int fail(const struct csv_reader *r, int code, const char *what, struct bp_error *err)
{
	return bp_fail(err, code, "%s:%lu: %s", r->name, r->line, what);
}

/* The bytes of a row without its end, quotes and all, in r->text. */
static int read_row(struct csv_reader *r, struct bp_error *err)
{
	bool quoted = false;
	int c;

	buf_clear(&r->text);
	r->line = r->next_line;
	while ((c = getc(r->file)) != EOF) {
		if (c == '"')
			quoted = !quoted;
		if (c == '\n') {
			r->next_line++;
			if (!quoted)
				break;
			c = ' ';
		}
		if (c == '\0')
			return fail(r, BP_EPARSE, "a NUL byte: not a text", err);
		if (r->text.used >= CSV_ROW_MAX)
			return fail(r, BP_ERANGE, quoted ? "a quoted field that does not end" :
				    "a row of over a million bytes", err);
		buf_char(&r->text, (char)c);
	}
	if (r->text.failed)
		return fail(r, BP_ENOMEM, "out of memory", err);
	if (c == EOF && ferror(r->file))
		return bp_fail_sys(err, errno, "cannot read %s", r->name);
	if (quoted)
		return fail(r, BP_EPARSE, "a quoted field that does not end", err);
	while (r->text.used > 0 && r->text.bytes[r->text.used - 1] == '\r')
		r->text.bytes[--r->text.used] = '\0';
	return c == EOF && r->text.used == 0 ? BP_EOF : 0;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The one of , ; and tab that stands outside quotes most often; a comma between digits is one of a
 * number where there are others. */
static char find_delimiter(const char *row)
{
	unsigned comma = 0, of_numbers = 0, semicolon = 0, tab = 0;
	bool quoted = false;

	for (const char *at = row; *at != '\0'; at++) {
		quoted ^= *at == '"';
		comma += !quoted && *at == ',';
		of_numbers += !quoted && *at == ',' && at > row && is_digit(at[-1]) &&
			      is_digit(at[1]);
		semicolon += !quoted && *at == ';';
		tab += !quoted && *at == '\t';
	}
	if (semicolon + tab > 0)
		comma -= of_numbers;
	return semicolon > comma && semicolon >= tab ? ';' : tab > comma ? '\t' : ',';
}

/* Takes one field at *at, in place; *at is behind its delimiter, NULL behind the last. */
static char *take_field(char **at, char delimiter)
{
	char *from = *at, *to, *in;

	while (*from == ' ' || (*from == '\t' && delimiter != '\t'))
		from++;
	to = in = from;
	if (*in == '"') {
		for (in++; *in != '\0' && (*in != '"' || in[1] == '"'); in++) {
			in += *in == '"';
			*to++ = *in;
		}
		in += *in == '"';
		/* What stands behind the quote belongs to it, however odd. */
		while (*in != '\0' && *in != delimiter)
			*to++ = *in++;
	} else {
		while (*in != '\0' && *in != delimiter)
			*to++ = *in++;
	}
	*at = *in == delimiter ? in + 1 : NULL;
	while (to > from && (to[-1] == ' ' || (to[-1] == '\t' && delimiter != '\t')))
		to--;
	*to = '\0';
	return from;
}

/* In place: what is no clean text becomes '?'. */
static void clean(char *text)
{
	unsigned char *s = (unsigned char *)text;
	size_t n = strlen(text);

	for (size_t at = 0, len; at < n; at += len) {
		len = text_shown(s + at, n - at);
		if (len > 0)
			continue;
		s[at] = '?';
		len = 1;
	}
}

static int split(struct csv_reader *r, struct bp_error *err)
{
	char *at = r->text.bytes;

	if (r->row == 0 && strncmp(at, "\xef\xbb\xbf", 3) == 0)
		at += 3;
	if (r->delimiter == '\0')
		r->delimiter = find_delimiter(at);
	for (r->count = 0; at != NULL; r->count++) {
		char *field;

		if (r->count == CSV_FIELDS_MAX)
			return fail(r, BP_ERANGE, "more than 256 fields", err);
		field = take_field(&at, r->delimiter);
		clean(field);
		r->fields[r->count] = field;
	}
	r->row++;
	return 0;
}

int csv_read(struct csv_reader *r, struct bp_error *err)
{
	int rc;

	do {
		rc = read_row(r, err);
	} while (rc == 0 && strspn(r->text.used ? r->text.bytes : "", " \t") == r->text.used);
	return rc < 0 ? rc : split(r, err);
}

int csv_column(const struct csv_reader *r, const char *const *words)
{
	for (; *words != NULL; words++) {
		for (unsigned i = 0; i < r->count; i++) {
			if (strcasecmp(r->fields[i], *words) == 0)
				return (int)i;
		}
	}
	return -1;
}
