// SPDX-License-Identifier: BSD-2-Clause
/*
 * mtr --json, read. A report tells of each TTL how many probes were sent and lost, and four times:
 * the best, the worst, the last and the mean. The first three are of probes and become probes; the
 * mean and the deviation are of none and are not kept (doc/record.md). Which probes were lost is
 * not told: the answered ones come first. Written, numbers may be text (mtr up to 0.92) or numbers.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/record/format.h"
#include "core/record/import.h"
#include "core/record/jsonl_fields.h"

enum { SENT_MAX = 255 }; /* an attempt is a byte */

static int detect(const char *head, size_t n)
{
	if (!json_stream_begins(head, n) || !json_stream_has(head, n, "\"report\"") ||
	    !json_stream_has(head, n, "\"mtr\""))
		return 0;
	return json_stream_has(head, n, "\"hubs\"") ? 100 : 80;
}

/* A number, also one written as text. False: there is none. */
static bool read_number(struct fields *in, const struct json_node *o, const char *key, double max,
			double *out)
{
	const struct json_node *v = in->rc < 0 ? NULL : node_get(o, key);
	const char *text = node_text(v);
	char *end;
	double d;

	if (text == NULL)
		return field_real(in, o, key, 0, max, out);
	d = strtod(text, &end);
	if (end == text || *end != '\0' || !(d >= 0 && d <= max)) {
		field_refuse(in, BP_EPARSE, key, "expected a number");
		return false;
	}
	*out = d;
	return true;
}

static bool read_count(struct fields *in, const struct json_node *o, const char *key, unsigned max,
		       unsigned *out)
{
	double d;

	if (!read_number(in, o, key, max, &d))
		return false;
	if (d != floor(d)) {
		field_refuse(in, BP_EPARSE, key, "expected an integer");
		return false;
	}
	*out = (unsigned)d;
	return true;
}

/* "ADDRESS", "NAME (ADDRESS)", "NAME": what there is of the two. */
static void split_host(const char *text, struct addr *a, char *name, size_t size)
{
	const char *open = strrchr(text, '('), *close = open ? strchr(open, ')') : NULL;
	char inside[ADDR_TEXT];

	*a = (struct addr){0};
	name[0] = '\0';
	if (addr_parse(text, a) == 0)
		return;
	if (close != NULL && close[1] == '\0' && open > text &&
	    (size_t)(close - open) < sizeof(inside)) {
		text_copy(inside, sizeof(inside), open + 1, (size_t)(close - open - 1));
		if (addr_parse(inside, a) == 0) {
			while (open > text && open[-1] == ' ')
				open--;
			text_copy(name, size, text, (size_t)(open - text));
			return;
		}
	}
	text_set(name, size, text);
}

/* What is told of the probes of one TTL. Times in ns, -1: not told. */
struct hub {
	unsigned ttl, sent, answered;
	struct addr from;
	char host[NAME_HOST_TEXT];
	int64_t best_ns, worst_ns, last_ns;
};

static int64_t read_ms(struct fields *in, const struct json_node *o, const char *key)
{
	double ms;

	/* 0 is what mtr prints for "none": no answer takes no time. */
	return read_number(in, o, key, 1e6, &ms) && ms > 0 ? llround(ms * 1e6) : -1;
}

/* *h is the hub before. tests: how many probes were asked for at each TTL, where the hub does not
 * say; 0 not known. */
static void read_hub(struct fields *in, const struct json_node *o, unsigned tests, struct hub *h)
{
	const struct json_node *host = field_string(in, o, "host");
	const char *text = host ? node_text(host) : "???";
	unsigned before = h->ttl;
	double loss = 0;

	memset(h, 0, sizeof(*h));
	if (!read_count(in, o, "count", TRACE_MAX_TTL, &h->ttl) || h->ttl <= before)
		field_refuse(in, BP_EPARSE, "count", "expected a TTL above the one before");
	h->sent = tests ? tests : 1;
	read_count(in, o, "Snt", INT32_MAX, &h->sent);
	/* None of them could be left out without a wrong loss. */
	if (h->sent > SENT_MAX)
		field_refuse(in, BP_ERANGE, "Snt",
			     "more probes than a trace can number: measure with -c 255 or less");
	read_number(in, o, "Loss%", 100, &loss);
	h->best_ns = read_ms(in, o, "Best");
	h->worst_ns = read_ms(in, o, "Wrst");
	h->last_ns = read_ms(in, o, "Last");
	if (strcmp(text, "???") == 0 || text[0] == '\0')
		return;
	h->answered = h->sent - (unsigned)lround(h->sent * loss / 100);
	split_host(text, &h->from, h->host, sizeof(h->host));
	if (!addr_is_set(h->from) && h->answered > 0)
		field_refuse(in, BP_EUNSUP, "host",
			     "a name without its address: mtr gives it with -n or -b");
}

/* The times that are of probes. Of one, all are the same; of two, best and worst are all; of more,
 * the last is a third, unless it is one of these. */
static unsigned known_times(const struct hub *h, int64_t out[static 3])
{
	unsigned n = 0;

	if (h->best_ns >= 0)
		out[n++] = h->best_ns;
	if (h->worst_ns >= 0 && (h->answered > 1 || n == 0))
		out[n++] = h->worst_ns;
	if (h->last_ns >= 0 && (n == 0 || (h->answered > 2 && h->last_ns != h->best_ns &&
					   h->last_ns != h->worst_ns)))
		out[n++] = h->last_ns;
	return n;
}

static void add_hub(struct fields *in, struct trace **t, uint32_t *room, const struct hub *h)
{
	int64_t times[3];
	unsigned known = known_times(h, times);

	for (unsigned i = 0; i < h->sent; i++) {
		struct trace_entry *e = import_add(t, room, (uint8_t)h->ttl, (uint8_t)(i + 1));

		if (e == NULL) {
			field_refuse(in, BP_ERANGE, "hubs", "more probes than a trace can hold");
			return;
		}
		if (i >= h->answered)
			continue;
		e->why = WHY_NONE;
		e->reply.from = h->from;
		if (i < known)
			e->reply.rtt_ns = times[i];
	}
}

static void read_hubs(struct fields *in, const struct json_node *report, unsigned tests,
		      struct trace **t, uint32_t *room, struct names *names)
{
	const struct json_node *hubs = field_array(in, report, "hubs"), *v;
	struct hub h = {.ttl = 0};
	size_t i;

	if (hubs == NULL || hubs->count == 0)
		field_refuse(in, BP_EPARSE, "hubs", "expected an array of hops");
	field_enter(in, "hubs", 0);
	NODE_EACH(hubs, i, v)
	{
		field_enter(in, NULL, i);
		if (!node_is(v, NODE_OBJECT))
			field_refuse(in, BP_EPARSE, NULL, "expected an object");
		read_hub(in, v, tests, &h);
		if (in->rc < 0)
			return;
		add_hub(in, t, room, &h);
		if (h.host[0] != '\0' && addr_is_set(h.from)) {
			struct name *name = names_put(names, h.from);

			if (name == NULL)
				field_refuse(in, BP_ENOMEM, NULL, "out of memory");
			else
				text_set(name->host, sizeof(name->host), h.host);
		}
		field_leave(in);
	}
	field_leave(in);
	if (*t == NULL)
		field_refuse(in, BP_EPARSE, "hubs", "expected a hop that was probed");
}

/* The destination as it was named; where a hop has that name, its address is the destination's. */
static void read_ends(struct fields *in, const struct json_node *mtr, struct trace *t,
		      const struct names *names)
{
	const struct json_node *dst = field_string(in, mtr, "dst"),
			       *src = field_string(in, mtr, "src");
	const struct json_node *size = node_get(mtr, "psize");
	char name[TRACE_NAME_TEXT];
	struct addr a;
	double bytes;

	if (dst != NULL) {
		text_set(t->target, sizeof(t->target), node_text(dst));
		split_host(node_text(dst), &t->dst, name, sizeof(name));
		for (uint32_t i = 0; !addr_is_set(t->dst) && name[0] && i < names->count; i++) {
			if (strcmp(names->items[i].host, name) == 0)
				t->dst = names->items[i].addr;
		}
	}
	if (src != NULL) {
		split_host(node_text(src), &a, name, sizeof(name));
		t->src = a;
		text_set(t->vantage, sizeof(t->vantage), name);
	}
	/* "rand(28-64)" is no size. */
	if (size != NULL && !(node_is(size, NODE_STRING) && strchr(node_text(size), '(')) &&
	    read_number(in, mtr, "psize", 65535, &bytes) && bytes > 0)
		t->probe_size = (int32_t)bytes;
}

static void read_report(struct fields *in, const struct json_node *dom, struct record *out)
{
	const struct json_node *report = field_object(in, dom, "report"), *mtr;
	struct trace *t = NULL;
	unsigned tests = 0;
	uint32_t room = 0;

	if (report == NULL) {
		field_refuse(in, BP_EFOREIGN, "report", "JSON, but no report of mtr");
		return;
	}
	field_enter(in, "report", 0);
	mtr = field_object(in, report, "mtr");
	if (mtr == NULL)
		field_refuse(in, BP_EFOREIGN, "mtr", "JSON, but no report of mtr");
	read_count(in, mtr, "tests", INT32_MAX, &tests);
	read_hubs(in, report, tests, &t, &room, &out->names);
	if (in->rc == 0)
		read_ends(in, mtr, t, &out->names);
	if (in->rc == 0) {
		import_conclude(t);
		text_set(t->tool, sizeof(t->tool), "mtr");
		if (trace_validate(t, t->size) < 0)
			field_refuse(in, BP_EPARSE, NULL, "the fields contradict each other");
	}
	if (in->rc < 0) {
		free(t);
		return;
	}
	out->kind = RECORD_TRACE;
	out->trace = t;
}

static int read_object(const char *object, size_t n, struct record *out, struct bp_error *err)
{
	struct fields in = {.err = err};
	struct json_node *dom = fields_parse(object, n, err);

	if (dom == NULL)
		return err->code;
	read_report(&in, dom, out);
	free(dom);
	if (in.rc < 0)
		record_fini(out);
	return in.rc;
}

static int read_one(struct record_reader *r, struct record *out, struct bp_error *err)
{
	struct bp_error why;
	const char *object;
	size_t n;
	int rc;

	for (;;) {
		why = (struct bp_error){0};
		rc = record_object(r, &object, &n, &why);
		if (rc == 0)
			rc = read_object(object, n, out, &why);
		if (record_settled(r, rc, &why, err))
			return rc;
	}
}

const struct format mtr_format = {
	.name = "mtr",
	.says = "mtr --json",
	.detect = detect,
	.read = read_one,
};
