// SPDX-License-Identifier: BSD-2-Clause
/*
 * The lines around a traceroute: headers, the command that somebody typed, dates. Owns what may be
 * concluded from them: a destination comes only from a header or a command, never from the hops.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/err.h"
#include "core/record/traceroute_text.h"

void traceroute_head_init(struct traceroute_head *h)
{
	memset(h, 0, sizeof(*h));
	h->dport = h->probe_size = -1;
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* One word of the line: [text, text + n). */
struct word_at {
	const char *text;
	size_t n;
};

/* Words separated by blanks; returns how many. */
static unsigned words(const char *line, size_t n, struct word_at *out, unsigned max)
{
	const char *at = line, *end = line + n;
	unsigned count = 0;

	while (count < max) {
		while (at < end && blank(*at))
			at++;
		if (at == end)
			break;
		out[count].text = at;
		while (at < end && !blank(*at))
			at++;
		out[count].n = (size_t)(at - out[count].text);
		count++;
	}
	return count;
}

static bool is(struct word_at w, const char *text)
{
	return strlen(text) == w.n && strncasecmp(w.text, text, w.n) == 0;
}

static bool begins(struct word_at w, const char *text)
{
	size_t n = strlen(text);

	return w.n >= n && strncasecmp(w.text, text, n) == 0;
}

/* The word without brackets, commas and colons around it, terminated; false when too long. */
static bool bare(struct word_at w, char *out, size_t size)
{
	while (w.n > 0 && strchr("([\"'", w.text[0]) != NULL) {
		w.text++;
		w.n--;
	}
	while (w.n > 0 && strchr(",;)]\"'", w.text[w.n - 1]) != NULL)
		w.n--;
	/* A colon may end an IPv6 address ("::"), but after a bracket or name it is punctuation. */
	if (w.n > 1 && w.text[w.n - 1] == ':' && w.text[w.n - 2] != ':')
		w.n--;
	while (w.n > 0 && strchr(")]", w.text[w.n - 1]) != NULL)
		w.n--;
	if (w.n == 0 || w.n >= size || memchr(w.text, '\0', w.n) != NULL)
		return false;
	text_copy(out, size, w.text, w.n);
	return true;
}

static bool word_addr(struct word_at w, struct addr *out)
{
	char text[ADDR_TEXT + 24];
	char *zone;

	if (!bare(w, text, sizeof(text)))
		return false;
	zone = strchr(text, '%');
	if (zone != NULL)
		*zone = '\0';
	return addr_parse(text, out) == 0;
}

static bool word_number(struct word_at w, unsigned max, unsigned *out)
{
	char text[24];
	uint64_t v;

	if (!bare(w, text, sizeof(text)) || text_to_u64(text, 0, max, &v) < 0)
		return false;
	*out = (unsigned)v;
	return true;
}

/* "64 hops max", "52 byte packets", "from 10.0.0.1", "on TCP port 80", from word i on. */
static void header_rest(const struct word_at *w, unsigned count, unsigned i,
			struct traceroute_head *out)
{
	unsigned v;

	for (; i < count; i++) {
		if (i + 1 < count && is(w[i], "from") && !addr_is_set(out->src))
			word_addr(w[i + 1], &out->src);
		if (i + 1 < count && begins(w[i + 1], "hops") &&
		    word_number(w[i], 255, &v))
			out->max_ttl = (uint8_t)v;
		if (i + 2 < count && is(w[i], "max") && is(w[i + 1], "hops:") &&
		    word_number(w[i + 2], 255, &v))
			out->max_ttl = (uint8_t)v;
		/* traceroute6 of the BSDs counts only what it puts into the packet. */
		if (i + 1 < count && begins(w[i + 1], "byte") &&
		    out->dst.family == 4 && word_number(w[i], 65535, &v))
			out->probe_size = (int32_t)v;
		if (i + 2 < count && is(w[i], "tcp") && is(w[i + 1], "port") &&
		    word_number(w[i + 2], 65535, &v)) {
			out->method = METHOD_TCP;
			out->dport = (int32_t)v;
		}
	}
}

/* Headers by their first words, in lower case; the target follows. */
static const struct {
	const char *words[4];
	const char *tool;
	uint8_t method;
} headers[] = {
	{{"traceroute", "to"}, "traceroute", METHOD_UNKNOWN},
	{{"traceroute6", "to"}, "traceroute", METHOD_UNKNOWN},
	{{"tracing", "route", "to"}, "tracert", METHOD_ICMP},
	{{"tracing", "the", "path", "to"}, "tcptraceroute", METHOD_TCP},
	{{"tracing", "the", "route", "to"}, "traceroute", METHOD_UNKNOWN},
};

static unsigned header_row(const struct word_at *w, unsigned count, unsigned *used)
{
	for (unsigned h = 0; h < sizeof(headers) / sizeof(headers[0]); h++) {
		unsigned i = 0;

		while (i < 4 && headers[h].words[i] != NULL && i < count &&
		       is(w[i], headers[h].words[i]))
			i++;
		if (i == 4 || headers[h].words[i] == NULL) {
			*used = i;
			return h;
		}
	}
	return sizeof(headers) / sizeof(headers[0]);
}

/* Huawei writes "HOST(ADDR)," in one word: takes it apart. False: no host. */
static bool split_target(struct word_at *w, struct word_at *behind)
{
	const char *open = memchr(w->text, '(', w->n);

	if (open == NULL)
		return true;
	behind->text = open;
	behind->n = w->n - (size_t)(open - w->text);
	w->n = (size_t)(open - w->text);
	return w->n > 0;
}

bool traceroute_header(const char *line, size_t n, struct traceroute_head *out)
{
	struct word_at w[32];
	unsigned count = words(line, n, w, 32), used = 0, h = header_row(w, count, &used);
	struct word_at behind = {NULL, 0};
	struct traceroute_head head;

	if (h == sizeof(headers) / sizeof(headers[0]))
		return false;
	traceroute_head_init(&head);
	head.header = true;
	head.tool = headers[h].tool;
	head.method = headers[h].method;
	if (used >= count || !split_target(&w[used], &behind) ||
	    !bare(w[used], head.target, sizeof(head.target)))
		return false;
	if (behind.n > 0)
		word_addr(behind, &head.dst);
	else if (used + 1 < count && strchr("([", w[used + 1].text[0]) != NULL)
		word_addr(w[used + 1], &head.dst);
	if (!addr_is_set(head.dst))
		addr_parse(head.target, &head.dst);
	header_rest(w, count, used + 1, &head);
	*out = head;
	return true;
}

bool traceroute_header_foreign(const char *line, size_t n, struct traceroute_head *out)
{
	struct word_at w[32];
	unsigned count = words(line, n, w, 32), v;
	struct traceroute_head head;

	traceroute_head_init(&head);
	head.header = true;
	head.tool = "tracert";
	head.method = METHOD_ICMP;
	if (count == 0 || isdigit((unsigned char)w[0].text[0]))
		return false;
	for (unsigned i = 2; i < count; i++) {
		if (!addr_is_set(head.dst)) {
			if (w[i].text[0] == '[' && memchr(w[i].text, ']', w[i].n) != NULL &&
			    bare(w[i - 1], head.target, sizeof(head.target)))
				word_addr(w[i], &head.dst);
		} else if (word_number(w[i], 255, &v)) {
			head.max_ttl = (uint8_t)v;
		}
	}
	if (!addr_is_set(head.dst))
		return false;
	*out = head;
	return true;
}

bool traceroute_max_line(const char *line, size_t n, uint8_t *max_ttl)
{
	struct word_at w[16];
	unsigned count = words(line, n, w, 16), found = 0, v;

	/* One number in the line, last or second to last, and words before it. */
	for (unsigned i = 0; i < count; i++) {
		if (!word_number(w[i], 255, &v))
			continue;
		if (found != 0 || v == 0 || i == 0 || i + 2 < count)
			return false;
		found = v;
	}
	if (found == 0)
		return false;
	*max_ttl = (uint8_t)found;
	return true;
}

/* The programs, and what they send unless told otherwise. */
static const struct {
	const char *name, *tool;
	uint8_t method;
	int32_t dport;
} programs[] = {
	{"traceroute", "traceroute", METHOD_UDP, -1},
	{"traceroute6", "traceroute", METHOD_UDP, -1},
	{"traceroute.db", "traceroute", METHOD_UDP, -1},
	{"tcptraceroute", "tcptraceroute", METHOD_TCP, 80},
	{"tracert", "tracert", METHOD_ICMP, -1},
	{"tracert.exe", "tracert", METHOD_ICMP, -1},
};

/* The program a word names, behind a path or a prompt that sticks to it ("C:\>tracert"). */
static int program_of(struct word_at w)
{
	struct word_at name = w;

	for (size_t i = 0; i < w.n; i++) {
		if (strchr("/\\>$#%", w.text[i]) != NULL) {
			name.text = w.text + i + 1;
			name.n = w.n - i - 1;
		}
	}
	for (unsigned p = 0; p < sizeof(programs) / sizeof(programs[0]); p++) {
		if (is(name, programs[p].name))
			return (int)p;
	}
	return -1;
}

/* Whether what stands before a program is a prompt, or a word that runs it. */
static bool prompt(struct word_at before)
{
	char last = before.text[before.n - 1];

	return strchr("$#>%", last) != NULL || is(before, "sudo") || is(before, "doas") ||
	       is(before, "time");
}

/* Prompts of zsh and others that begin with an arrow: "➜  ~ traceroute ...", "❯ traceroute ...". */
static bool arrow(struct word_at first)
{
	return is(first, "\xe2\x9e\x9c") || is(first, "\xe2\x9d\xaf");
}

static void set_method(struct traceroute_head *out, struct word_at w)
{
	int value;
	char text[16];

	for (size_t i = 0; i < w.n && i + 1 < sizeof(text); i++) {
		text[i] = (char)tolower((unsigned char)w.text[i]);
		text[i + 1] = '\0';
	}
	if (w.n == 0 || w.n >= sizeof(text))
		return;
	if (strcmp(text, "tcpconn") == 0)
		text[3] = '\0';
	out->method = word_value(method_words, text, &value) == 0 ? (uint8_t)value : METHOD_UNKNOWN;
}

static void set_option(struct traceroute_head *out, char letter, struct word_at value)
{
	unsigned v;

	if (letter == 'M' || (letter == 'P' && !isdigit((unsigned char)value.text[0])))
		set_method(out, value);
	if (letter == 'p' && word_number(value, 65535, &v))
		out->dport = (int32_t)v;
	if (letter == 'm' && word_number(value, 255, &v))
		out->max_ttl = (uint8_t)v;
	if (letter == 'q' && word_number(value, 255, &v))
		out->attempts = (uint8_t)v;
}

/* An option word of tracert: -h maximum, -w timeout, -j list, -S source; -d, -R, -4, -6 alone.
 * Returns how many further words it takes. */
static unsigned tracert_option(const struct word_at *w, unsigned left, struct traceroute_head *out)
{
	unsigned v;

	if (w->n != 2 || left < 2 || strchr("hjwS", w->text[1]) == NULL)
		return 0;
	if (w->text[1] == 'h' && word_number(w[1], 255, &v))
		out->max_ttl = (uint8_t)v;
	return 1;
}

/* An option word of traceroute, letters in a bunch too ("-nIq1"); returns as above. The letters with
 * an argument are those that have one in Linux' traceroute or in the BSDs' and no other meaning in
 * the other. */
static unsigned option(const struct word_at *w, unsigned left, struct traceroute_head *out)
{
	for (size_t i = 1; i < w->n; i++) {
		char letter = w->text[i];
		struct word_at value = {w->text + i + 1, w->n - i - 1};

		if (letter == 'I')
			out->method = METHOD_ICMP;
		if (letter == 'U')
			out->method = METHOD_UDP;
		if (letter == 'T') {
			out->method = METHOD_TCP;
			out->dport = out->dport < 0 ? 80 : out->dport;
		}
		if (strchr("fgimMPpqstwzNO", letter) == NULL)
			continue;
		if (value.n == 0 && left < 2)
			return 0;
		set_option(out, letter, value.n > 0 ? value : w[1]);
		return value.n == 0 ? 1 : 0;
	}
	return 0;
}

static bool looks_like_host(const char *text)
{
	struct addr a;

	return addr_parse(text, &a) == 0 ||
	       (strchr(text, '.') != NULL && isalnum((unsigned char)text[0]));
}

bool traceroute_command(const char *line, size_t n, struct traceroute_head *out)
{
	struct word_at w[48];
	unsigned count = words(line, n, w, 48), i = 0, positional = 0;
	struct traceroute_head head;
	bool prompted = false;
	int program = -1;

	for (; i < count && program < 0; i++) {
		program = program_of(w[i]);
		if (program >= 0)
			prompted = (i > 0 && (prompt(w[i - 1]) || arrow(w[0]))) ||
				   (w[i].n > strlen(programs[program].name));
	}
	/* Without a prompt only a line that begins with the program: prose may name it anywhere. */
	if (program < 0 || (!prompted && i != 1) || i == count || is(w[i], "to"))
		return false;
	traceroute_head_init(&head);
	head.command = true;
	head.tool = programs[program].tool;
	head.method = programs[program].method;
	head.dport = programs[program].dport;
	for (; i < count; i++) {
		unsigned v;

		if (strchr("|><;&", w[i].text[0]) != NULL)
			break;
		if (w[i].text[0] == '-' && w[i].n > 1 && w[i].text[1] != '-') {
			i += head.method == METHOD_ICMP && strcmp(head.tool, "tracert") == 0
				     ? tracert_option(&w[i], count - i, &head)
				     : option(&w[i], count - i, &head);
			continue;
		}
		if (w[i].text[0] == '-')
			continue;
		if (positional++ == 0 && !bare(w[i], head.target, sizeof(head.target)))
			return false;
		/* tcptraceroute HOST PORT. */
		if (positional == 2 && programs[program].method == METHOD_TCP &&
		    word_number(w[i], 65535, &v))
			head.dport = (int32_t)v;
	}
	if (positional == 0 || positional > 2 || !looks_like_host(head.target))
		return false;
	addr_parse(head.target, &head.dst);
	/* UDP counts its destination port up from -p: it is no port of the flow. */
	if (head.method != METHOD_TCP)
		head.dport = -1;
	*out = head;
	return true;
}

/* Minutes east of UTC. Only names that stand for one offset in practice: CST, for one, does not. */
static const struct {
	const char *name;
	int minutes;
} zones[] = {
	{"UTC", 0},    {"GMT", 0},   {"Z", 0},	    {"EST", -300}, {"EDT", -240}, {"PST", -480},
	{"PDT", -420}, {"CET", 60},  {"CEST", 120}, {"EET", 120},  {"EEST", 180}, {"MSK", 180},
	{"HKT", 480},  {"SGT", 480}, {"JST", 540},  {"KST", 540},
};

static bool zone(struct word_at w, int *minutes)
{
	for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
		if (is(w, zones[i].name)) {
			*minutes = zones[i].minutes;
			return true;
		}
	}
	return false;
}

static unsigned month_of(struct word_at w)
{
	static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";

	for (unsigned m = 0; m < 12 && w.n == 3; m++) {
		if (strncasecmp(w.text, names + 3 * m, 3) == 0)
			return m + 1;
	}
	return 0;
}

/* date(1) in the C locale: "Tue Feb  5 20:55:00 EST 2019", also with the zone or year elsewhere
 * ("Tue 05 Feb 2019 08:55:00 PM UTC", and mail's "Tue, 5 Feb 2019 20:55:00 -0500"). */
static bool unix_date(const struct word_at *w, unsigned count, struct wall *out)
{
	unsigned month = 0, day = 0, year = 0, v;
	char text[64], clock[12] = "", offset[8] = "Z";
	int minutes = 0, pm = 0, hour;

	for (unsigned i = 0; i < count; i++) {
		if (month_of(w[i]) > 0 && month == 0)
			month = month_of(w[i]);
		else if (w[i].n == 8 && w[i].text[2] == ':' && bare(w[i], clock, sizeof(clock)))
			continue;
		else if (word_number(w[i], 9999, &v) && w[i].text[0] != '+')
			*(v > 31 ? &year : &day) = v;
		else if (is(w[i], "PM") || is(w[i], "AM"))
			pm = is(w[i], "PM") ? 1 : -1;
		else if (w[i].n == 5 && strchr("+-", w[i].text[0]) &&
			 bare(w[i], offset, sizeof(offset)))
			continue;
		else if (!zone(w[i], &minutes) && i > 0)
			return false;
	}
	if (month == 0 || day == 0 || year < 1990 || clock[0] == '\0')
		return false;
	hour = (clock[0] - '0') * 10 + (clock[1] - '0');
	if (pm > 0 && hour >= 1 && hour < 12)
		hour += 12;
	if (pm < 0 && hour == 12)
		hour = 0;
	if (hour < 0 || hour > 23)
		return false;
	snprintf(text, sizeof(text), "%04u-%02u-%02uT%02d%s%s", year % 10000, month, day % 100,
		 hour, clock + 2, offset);
	if (wall_parse(text, (struct wall){0}, out) < 0)
		return false;
	out->ns -= minutes * 60 * NS_PER_S;
	return true;
}

/* "2026-11-22T10:00:00Z", "2026-11-22 10:00:00 +0900", "2026-11-22 10:00:00 UTC". A day alone is no
 * time of a trace: it may be a heading of anything. */
static bool iso_date(const struct word_at *w, unsigned count, struct wall *out)
{
	char text[2 * WALL_TEXT];
	struct wall when;
	int minutes = 0;
	size_t used = 0;

	if (w[0].n < 10 || w[0].text[4] != '-')
		return false;
	if (count > 1 && zone(w[count - 1], &minutes))
		count--;
	for (unsigned i = 0; i < count; i++) {
		if (used + w[i].n + 2 > sizeof(text))
			return false;
		if (i == 1)
			text[used++] = 'T';
		memcpy(text + used, w[i].text, w[i].n);
		used += w[i].n;
	}
	text[used] = '\0';
	if (used <= 10 || strlen(text) != used || wall_parse(text, (struct wall){0}, &when) < 0)
		return false;
	out->ns = when.ns - minutes * 60 * NS_PER_S;
	return true;
}

bool traceroute_date(const char *line, size_t n, struct wall *out)
{
	struct word_at w[10];
	unsigned count = words(line, n, w, 10);
	struct wall when;

	/* "Date: ...", "Start: ..." as some scripts print before. */
	if (count > 1 && w[0].text[w[0].n - 1] == ':' && isalpha((unsigned char)w[0].text[0])) {
		memmove(w, w + 1, (count - 1) * sizeof(w[0]));
		count--;
	}
	if (count == 0 || count > 8)
		return false;
	if (count <= 3 && iso_date(w, count, out))
		return true;
	if (count < 5 || !unix_date(w, count, &when))
		return false;
	*out = when;
	return true;
}
