// SPDX-License-Identifier: BSD-2-Clause
/*
 * The parts of the traceroute text reader: tokens of a result line, and the lines around a trace
 * (header, command, date). Pure functions over one line; the trace is put together in
 * traceroute_text.c. Private to core/record/traceroute_text*.c and their tests.
 */
#ifndef CORE_RECORD_TRACEROUTE_TEXT_H
#define CORE_RECORD_TRACEROUTE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/record/trace.h"

enum token_kind {
	TOKEN_ADDR,    /* an address, perhaps with the name printed before it */
	TOKEN_TIME,    /* 12.3 ms, 12.3ms, <1 ms, 12 msec; the unit may be missing */
	TOKEN_STAR,    /* one probe without answer */
	TOKEN_MARK,    /* !X !H !N !F-1492 !<13> ! ... */
	TOKEN_MPLS,    /* <MPLS:L=29657,E=0,S=1,T=1>, MPLS Label=..., [MPLS: Label 19 Exp 0] */
	TOKEN_WORD,    /* anything else */
};

enum { TOKENS_MAX = 128 };

struct token {
	enum token_kind kind;
	const char *text;  /* borrowed from the line */
	size_t n;
	const char *host;  /* TOKEN_ADDR: the name printed before it, not terminated; NULL none */
	size_t host_n;
	struct addr addr;  /* TOKEN_ADDR */
	int64_t rtt_ns;    /* TOKEN_TIME; -1 for "<1 ms", which is less than can be said */
	bool unit;         /* TOKEN_TIME: a unit was there */
};

/* Cuts a line into at most TOKENS_MAX tokens; returns how many. AS numbers ([AS4837]) and the like
 * are passed over. A name before an address becomes that address' host. */
unsigned traceroute_tokens(const char *line, size_t n, struct token out[static TOKENS_MAX]);

/* What a line is to a trace. */
enum line_kind { LINE_NOISE, LINE_HOP, LINE_MORE, LINE_MPLS, LINE_HOST };

struct traceroute_line {
	enum line_kind kind;
	unsigned ttl;   /* LINE_HOP, LINE_HOST: printed before it; 0 none */
	unsigned count;
	struct token tokens[TOKENS_MAX];
};

/* Reads a line and says what it is. Lines with NUL are noise. */
void traceroute_line(const char *line, size_t n, struct traceroute_line *out);
/* Behind the blanks and the marks of quoted mail ("> "). */
const char *traceroute_unquote(const char *at, const char *end);
/* What web pages make of blanks (U+00A0) becomes blanks again, in place. */
void traceroute_plain_blanks(char *line, size_t n);
bool traceroute_is_word(const struct token *t, const char *word);

/* The labels of a TOKEN_MPLS; returns how many (0: not understood). */
unsigned traceroute_mpls(const struct token *t, struct mpls out[static TRACE_MPLS_MAX]);

/* What a mark says of an answer of that family: sets icmp_type, icmp_code and mtu of r. */
void traceroute_mark(const struct token *t, struct reply *r);

/* What the lines before the first hop tell. Empty, 0, -1: not told. */
struct traceroute_head {
	bool header;                  /* a header line was seen */
	bool command;                 /* a command line was seen */
	const char *tool;             /* static text; NULL unknown */
	uint8_t method;               /* enum method */
	int32_t dport, probe_size;
	uint8_t max_ttl, attempts;
	char target[TRACE_NAME_TEXT]; /* as written */
	struct addr dst, src;
	struct wall start;
	unsigned start_age;           /* lines of other things since the one that told start */
};

void traceroute_head_init(struct traceroute_head *h);
/* "traceroute to HOST (ADDR), 30 hops max, 60 byte packets" and its relatives: tracert's,
 * tcptraceroute's, Cisco's. */
bool traceroute_header(const char *line, size_t n, struct traceroute_head *out);
/* tracert speaks the language of its Windows; the one sure thing is "... HOST [ADDR] ...". Weak:
 * believe it only where a header may stand. */
bool traceroute_header_foreign(const char *line, size_t n, struct traceroute_head *out);
/* A command somebody typed: "$ sudo traceroute -T -p 443 HOST", "C:\> tracert HOST". */
bool traceroute_command(const char *line, size_t n, struct traceroute_head *out);
/* A line that is a time and nothing else: RFC 3339, date(1). Zones: offsets, UTC, and a few
 * abbreviations that are not ambiguous in practice. */
bool traceroute_date(const char *line, size_t n, struct wall *out);
/* The second header line of tracert, in any language: words, and one number at the end. */
bool traceroute_max_line(const char *line, size_t n, uint8_t *max_ttl);

#endif
