// SPDX-License-Identifier: BSD-2-Clause
/*
 * Traceroute output as people post it, as records: one trace after another, with prompts, comments
 * and blank lines between. Owns how lines become hops; invents nothing: the destination comes from
 * a header or a command, an answer without a mark has no ICMP type, a time without an address is
 * left out and told.
 */
#include "core/record/traceroute_text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/record/format.h"

enum { ATTEMPTS_MAX = 255 }; /* of a hop */

/* The trace in the making. */
struct builder {
	struct record_reader *reader;
	struct traceroute_head head;
	struct trace *t; /* owned until given away */
	uint32_t room;
	struct names names;
	unsigned ttl;	       /* of the open hop; 0 none */
	uint64_t line;	       /* where it begins */
	unsigned attempts;     /* entries of the open hop */
	unsigned attempts_max; /* of any hop */
	struct addr from;      /* who the next times belong to; none at the start of a hop */
	bool from_used;	       /* from has an entry */
	struct mpls mpls[TRACE_MPLS_MAX];
	unsigned mpls_count;
	uint32_t waiting[TOKENS_MAX]; /* entries with a time and no address yet (tracert) */
	unsigned waiting_count;
	char host[NAME_HOST_TEXT]; /* a name whose address comes on the next line */
	bool no_memory;
};

/* --- entries --------------------------------------------------------------------------------- */

static void note(struct builder *b, const char *text)
{
	struct bp_error why = {0};

	if (b->reader->on_skip == NULL)
		return;
	bp_fail(&why, BP_EPARSE, "%s:%llu: hop %u: %s", b->reader->name,
		(unsigned long long)b->line, b->ttl, text);
	b->reader->on_skip(b->reader->on_skip_arg, &why);
}

/* A new entry of the open hop, unanswered; NULL when there is no room for it. */
static struct trace_entry *add_entry(struct builder *b)
{
	struct trace_entry *e;

	if (b->attempts >= ATTEMPTS_MAX)
		return NULL;
	if (b->t == NULL || b->t->entry_count == b->room) {
		uint32_t room = b->t ? 2 * b->room : 64;
		struct trace *t;

		room = room > TRACE_MAX_ENTRIES ? TRACE_MAX_ENTRIES : room;
		if (room == b->room)
			return NULL;
		t = b->t ? realloc(b->t, trace_size(room)) : trace_new(room);
		if (t == NULL) {
			b->no_memory = true;
			return NULL;
		}
		b->t = t;
		b->room = room;
	}
	e = &b->t->entries[b->t->entry_count++];
	trace_entry_init(e, (uint8_t)b->ttl, (uint8_t)++b->attempts);
	if (b->attempts > b->attempts_max)
		b->attempts_max = b->attempts;
	return e;
}

static void answer(struct builder *b, struct trace_entry *e, int64_t rtt_ns)
{
	e->why = WHY_NONE;
	e->reply.from = b->from;
	e->reply.rtt_ns = rtt_ns;
	e->reply.mpls_count = (uint8_t)b->mpls_count;
	memcpy(e->reply.mpls, b->mpls, sizeof(b->mpls));
	b->from_used = true;
}

/* An address that no time followed has answered all the same. */
static void settle_address(struct builder *b)
{
	if (addr_is_set(b->from) && !b->from_used) {
		struct trace_entry *e = add_entry(b);

		if (e != NULL)
			answer(b, e, -1);
	}
}

/* The hop ends: times that no address followed belong to nobody, and are taken out again. */
static void close_hop(struct builder *b)
{
	settle_address(b);
	if (b->host[0] != '\0')
		note(b, "a name without an address: left out");
	b->host[0] = '\0';
	if (b->waiting_count > 0) {
		note(b, "a time without an address: left out");
		for (unsigned i = b->waiting_count; i-- > 0;) {
			uint32_t at = b->waiting[i];

			b->t->entry_count--;
			memmove(&b->t->entries[at], &b->t->entries[at + 1],
				(b->t->entry_count - at) * sizeof(b->t->entries[0]));
		}
	}
	b->waiting_count = 0;
	b->mpls_count = 0;
	b->from = (struct addr){0};
	b->from_used = false;
}

static void put_host(struct builder *b, const struct token *t)
{
	char host[NAME_HOST_TEXT], addr[ADDR_TEXT];
	struct name *n;

	if (t->host != NULL)
		text_copy(host, sizeof(host), t->host, t->host_n);
	else
		text_set(host, sizeof(host), b->host);
	b->host[0] = '\0';
	/* A hop that takes no entry any more takes no name either. */
	if (host[0] == '\0' || strcmp(host, addr_format(t->addr, addr)) == 0 ||
	    b->attempts >= ATTEMPTS_MAX)
		return;
	n = names_append(&b->names, t->addr);
	if (n == NULL)
		b->no_memory = true;
	else
		text_set(n->host, sizeof(n->host), host);
}

static void add_address(struct builder *b, const struct token *t)
{
	if (b->waiting_count == 0)
		settle_address(b);
	b->from = t->addr;
	b->from_used = false;
	b->mpls_count = 0;
	put_host(b, t);
	/* tracert prints the times first. */
	for (unsigned i = 0; i < b->waiting_count; i++) {
		struct trace_entry *e = &b->t->entries[b->waiting[i]];

		answer(b, e, e->reply.rtt_ns);
	}
	b->waiting_count = 0;
}

static void add_time(struct builder *b, const struct token *t)
{
	struct trace_entry *e = add_entry(b);

	if (e == NULL)
		return;
	e->reply.rtt_ns = t->rtt_ns;
	if (addr_is_set(b->from))
		answer(b, e, t->rtt_ns);
	else if (b->waiting_count < TOKENS_MAX)
		b->waiting[b->waiting_count++] = b->t->entry_count - 1;
}

static void add_mark(struct builder *b, const struct token *t)
{
	struct trace_entry *e;

	settle_address(b);
	if (b->t == NULL || b->t->entry_count == 0)
		return;
	e = &b->t->entries[b->t->entry_count - 1];
	if (e->ttl == b->ttl && e->why == WHY_NONE)
		traceroute_mark(t, &e->reply);
}

/* Labels behind an address hold for what follows; on a line of their own, for what came before. */
static void add_mpls(struct builder *b, const struct token *t, bool own_line)
{
	struct mpls labels[TRACE_MPLS_MAX];
	unsigned count = traceroute_mpls(t, labels);

	if (!own_line) {
		memcpy(b->mpls, labels, count * sizeof(labels[0]));
		b->mpls_count = count;
		return;
	}
	for (uint32_t i = b->t ? b->t->entry_count : 0; i-- > 0;) {
		struct reply *r = &b->t->entries[i].reply;

		if (b->t->entries[i].ttl != b->ttl)
			break;
		if (!addr_equal(r->from, b->from))
			continue;
		for (unsigned k = 0; k < count && r->mpls_count < TRACE_MPLS_MAX; k++)
			r->mpls[r->mpls_count++] = labels[k];
	}
}

/* tracert's "ADDR  reports: Destination host unreachable." */
static void add_report(struct builder *b, const struct traceroute_line *p, unsigned i)
{
	static const struct {
		const char *word, *mark;
	} kinds[] = {{"host", "!H"}, {"net", "!N"}, {"protocol", "!P"}};

	for (unsigned k = 0; i + 2 < p->count && k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		struct token mark = {.kind = TOKEN_MARK, .text = kinds[k].mark, .n = 2};

		if (traceroute_is_word(&p->tokens[i + 2], kinds[k].word))
			add_mark(b, &mark);
	}
}

static void add_tokens(struct builder *b, const struct traceroute_line *p)
{
	for (unsigned i = 0; i < p->count && !b->no_memory; i++) {
		const struct token *t = &p->tokens[i];

		switch (t->kind) {
		case TOKEN_ADDR:
			add_address(b, t);
			break;
		case TOKEN_TIME:
			add_time(b, t);
			break;
		case TOKEN_STAR:
			settle_address(b);
			add_entry(b);
			break;
		case TOKEN_MARK:
			add_mark(b, t);
			break;
		case TOKEN_MPLS:
			add_mpls(b, t, p->kind == LINE_MPLS);
			break;
		case TOKEN_WORD:
			if (traceroute_is_word(t, "reports:"))
				add_report(b, p, i);
			break;
		}
	}
}

/* --- a whole trace --------------------------------------------------------------------------- */

/* How it ended, as far as the text tells. */
static void conclude(struct builder *b)
{
	struct trace *t = b->t;
	uint8_t last = t->entries[t->entry_count - 1].ttl;
	bool reached = false, prohibited = false, unreachable = false, last_refused = true;

	for (uint32_t i = 0; i < t->entry_count; i++) {
		const struct trace_entry *e = &t->entries[i];
		const struct reply *r = &e->reply;
		bool refusal =
			r->icmp_type >= 0 && icmp_is_unreachable(r->from.family, r->icmp_type);

		reached |= trace_entry_is_destination(t, e);
		prohibited |= icmp_is_prohibited(r->from.family, r->icmp_type, r->icmp_code);
		unreachable |= refusal;
		last_refused &= e->ttl != last || refusal;
	}
	if (reached) {
		t->stop = STOP_REACHED;
		t->reach = REACH_REACHED;
		return;
	}
	/* traceroute stops by itself where every probe of a hop was refused, and at the last TTL;
	 * everything else is a text that somebody cut. */
	if (last_refused)
		t->stop = STOP_UNREACHABLE;
	else if (t->max_ttl != 0 && last >= t->max_ttl)
		t->stop = STOP_MAX_TTL;
	if (prohibited)
		t->reach = REACH_FILTERED;
	else if (unreachable)
		t->reach = REACH_UNREACHABLE;
	else if (addr_is_set(t->dst) && t->stop == STOP_MAX_TTL)
		t->reach = REACH_SILENT;
}

static void fill_head(struct builder *b)
{
	const struct traceroute_head *h = &b->head;
	struct trace *t = b->t;
	uint32_t uneven = 0;

	t->dst = h->dst;
	t->src = h->src;
	t->method = h->method;
	t->dport = h->method == METHOD_TCP ? h->dport : -1;
	t->probe_size = h->probe_size;
	t->max_ttl = h->max_ttl;
	t->start = h->start;
	t->stamps = STAMPS_IMPORT;
	text_set(t->target, sizeof(t->target), h->target);
	text_set(t->tool, sizeof(t->tool), h->tool ? h->tool : "traceroute");
	t->first_ttl = t->entries[0].ttl;
	/* As many probes for every hop but the last: so many were asked for. */
	for (uint32_t i = 0; i < t->entry_count; i++) {
		if (t->entries[i].ttl != t->entries[t->entry_count - 1].ttl &&
		    (i + 1 == t->entry_count || t->entries[i + 1].ttl != t->entries[i].ttl) &&
		    t->entries[i].attempt != b->attempts_max)
			uneven++;
	}
	t->attempts = h->attempts ? h->attempts : uneven ? 0 : (uint8_t)b->attempts_max;
	t->sent = t->entry_count;
	t->received = 0;
	for (uint32_t i = 0; i < t->entry_count; i++)
		t->received += addr_is_set(t->entries[i].reply.from);
}

static int give(struct builder *b, struct record *out, struct bp_error *err)
{
	if (names_settle(&b->names) < 0)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	fill_head(b);
	conclude(b);
	b->t->size = (uint32_t)trace_size(b->t->entry_count);
	out->kind = RECORD_TRACE;
	out->trace = b->t;
	out->names = b->names;
	b->t = NULL;
	names_init(&b->names);
	return 1;
}

/* A header keeps what the command before it told, when both speak of the same target. */
static void merge_head(struct traceroute_head *next, const struct traceroute_head *header)
{
	struct traceroute_head old = *next;
	bool same = old.command && !old.header &&
		    (strcasecmp(old.target, header->target) == 0 ||
		     (addr_is_set(old.dst) && addr_equal(old.dst, header->dst)));

	*next = *header;
	next->start = old.start;
	next->start_age = old.start_age;
	if (!same)
		return;
	next->command = true;
	if (next->method == METHOD_UNKNOWN)
		next->method = old.method;
	if (next->dport < 0)
		next->dport = old.dport;
	if (next->max_ttl == 0)
		next->max_ttl = old.max_ttl;
	next->attempts = old.attempts;
}

/* A line that is no hop: does it begin another trace, or tell something of the next one? */
static bool read_head(const char *line, size_t n, struct traceroute_head *next, bool in_hops)
{
	const char *end = line + n, *at = traceroute_unquote(line, end);
	size_t left = (size_t)(end - at);
	struct traceroute_head head;
	struct wall start;

	if (memchr(line, '\0', n) != NULL)
		return false;
	if (traceroute_header(at, left, &head) ||
	    (!in_hops && !next->header && traceroute_header_foreign(at, left, &head))) {
		merge_head(next, &head);
		return true;
	}
	if (traceroute_command(line, n, &head)) {
		head.start = next->start;
		head.start_age = next->start_age;
		*next = head;
		return true;
	}
	if (traceroute_date(at, left, &start)) {
		next->start = start;
		next->start_age = 0;
		return true;
	}
	return !in_hops && next->header && next->max_ttl == 0 &&
	       traceroute_max_line(at, left, &next->max_ttl);
}

/* Takes a line into the trace; false when it begins the next one. */
static bool take_line(struct builder *b, const struct traceroute_line *p)
{
	if (p->kind == LINE_HOP || p->kind == LINE_HOST) {
		if (b->ttl != 0 && p->ttl < b->ttl)
			return false;
		if (p->ttl != b->ttl) {
			if (b->ttl != 0)
				close_hop(b);
			b->ttl = p->ttl;
			b->line = b->reader->line;
			b->attempts = 0;
		}
	}
	if (p->kind == LINE_HOST) {
		text_copy(b->host, sizeof(b->host), p->tokens[0].text, p->tokens[0].n);
		return true;
	}
	/* A line of stars may be a ruler, a time alone anything: only where probes are missing. */
	if (p->kind == LINE_MORE && p->tokens[0].kind != TOKEN_ADDR &&
	    b->attempts >= b->attempts_max && b->attempts_max >= 3)
		return true;
	add_tokens(b, p);
	return true;
}

/* How many lines of other things may stand between a date and the trace it belongs to. */
enum { START_NEAR = 4 };

/* The last header had no hop behind it. */
static void skip_header(struct builder *b, struct traceroute_head *next)
{
	struct bp_error why = {0};

	if (!next->header)
		return;
	bp_fail(&why, BP_ETRUNC, "a traceroute without hops, to %s", next->target);
	record_skip(b->reader, &why);
	next->header = false;
}

/* A line that is no result. False when it begins the next trace or ends this one. */
static bool take_other(struct builder *b, struct traceroute_head *next, const char *line, size_t n)
{
	struct traceroute_head seen = *next;
	static const char complete[] = "Trace complete";

	/* A date further up may be that of another program's output. */
	if (n > 0 && ++next->start_age > START_NEAR)
		seen.start = next->start = (struct wall){0};
	if (!read_head(line, n, &seen, b->ttl != 0))
		return b->ttl == 0 || n < sizeof(complete) - 1 ||
		       strncasecmp(line, complete, sizeof(complete) - 1) != 0;
	if (b->ttl != 0 && (seen.header || seen.command)) {
		/* Read again for the next trace, which begins with this line. */
		record_line_back(b->reader);
		return false;
	}
	if (seen.header && next->header && strcmp(seen.target, next->target) != 0)
		skip_header(b, next);
	*next = seen;
	return true;
}

/* Lines up to the end of one trace: 0, BP_EOF (the trace may be there all the same), or worse. */
static int read_lines(struct builder *b, struct traceroute_head *next, struct bp_error *err)
{
	struct traceroute_line p;
	const char *line;
	size_t n;
	int rc;

	for (;;) {
		rc = record_line(b->reader, &line, &n, err);
		if (rc == BP_ERANGE)
			continue;
		if (rc < 0)
			return rc;
		/* The line is the reader's, and given again it would be made plain again. */
		traceroute_plain_blanks(b->reader->text.bytes, n);
		traceroute_line(line, n, &p);
		if (p.kind == LINE_NOISE ||
		    (b->ttl == 0 && p.kind != LINE_HOP && p.kind != LINE_HOST)) {
			if (!take_other(b, next, line, n))
				return 0;
			continue;
		}
		if (b->ttl == 0) {
			b->head = *next;
			traceroute_head_init(next);
		}
		if (!take_line(b, &p)) {
			record_line_back(b->reader);
			return 0;
		}
		if (b->no_memory)
			return bp_fail(err, BP_ENOMEM, "out of memory");
	}
}

static int read_one(struct record_reader *r, struct record *out, struct bp_error *err)
{
	struct traceroute_head *next = r->state;
	struct builder b;
	int rc;

	if (next == NULL) {
		next = malloc(sizeof(*next));
		if (next == NULL)
			return bp_fail(err, BP_ENOMEM, "out of memory");
		traceroute_head_init(next);
		r->state = next;
	}
	do {
		memset(&b, 0, sizeof(b));
		b.reader = r;
		rc = read_lines(&b, next, err);
		if (b.ttl != 0)
			close_hop(&b);
		if ((rc == 0 || rc == BP_EOF) && b.t != NULL && b.t->entry_count > 0) {
			rc = give(&b, out, err);
		} else if (rc == BP_EOF) {
			skip_header(&b, next);
		}
		free(b.t);
		names_fini(&b.names);
	} while (rc == 0);
	return rc > 0 ? 0 : rc;
}

static void fini(struct record_reader *r)
{
	free(r->state);
	r->state = NULL;
}

/* A header settles it; hops that count up from line to line do nearly. */
static int score_lines(const char *at, const char *end)
{
	struct traceroute_head h;
	unsigned hops = 0, last = 0;
	struct traceroute_line p;
	int score = 0;

	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		const char *line_end = stop ? stop : end;
		const char *text = traceroute_unquote(at, line_end);

		traceroute_line(at, (size_t)(line_end - at), &p);
		if (p.kind == LINE_HOP) {
			hops = p.ttl > last && p.ttl <= last + 3 ? hops + 1 : 1;
			last = p.ttl;
		} else if (traceroute_header(text, (size_t)(line_end - text), &h) ||
			   traceroute_command(at, (size_t)(line_end - at), &h)) {
			score = score < 50 ? 50 : score;
		}
		if (score >= 50 && hops > 0)
			return 95;
		if (hops >= 3)
			return 90;
		/* A lone line says little, unless it is where paths begin: dumps of packets number
		 * their lines too. */
		if ((hops > 1 || (hops > 0 && last == 1)) && score < 40)
			score = 40;
		at = stop ? stop + 1 : end;
	}
	return score;
}

static int detect(const char *head, size_t n)
{
	char *copy;
	int score;

	if (n >= 3 && memcmp(head, "\xef\xbb\xbf", 3) == 0) {
		head += 3;
		n -= 3;
	}
	if (memmem(head, n, "\xc2\xa0", 2) == NULL)
		return score_lines(head, head + n);
	copy = malloc(n);
	if (copy == NULL)
		return 0;
	memcpy(copy, head, n);
	traceroute_plain_blanks(copy, n);
	score = score_lines(copy, copy + n);
	free(copy);
	return score;
}

const struct format traceroute_text_format = {
	.name = "traceroute",
	.says = "output of traceroute or tracert, as people post it",
	.detect = detect,
	.read = read_one,
	.fini = fini,
};
