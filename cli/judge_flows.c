// SPDX-License-Identifier: BSD-2-Clause
/* A ring of verdicts, found again by what their traces and the paths object have in common. */
#include "cli/judge_flows.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/border.h"
#include "core/err.h"
#include "core/jsontree.h"

struct judge_kept {
	char vantage[TRACE_VANTAGE_TEXT], target[TRACE_NAME_TEXT];
	struct addr dst;
	uint8_t method;
	int32_t flow;
	struct verdict *verdict; /* owned; NULL: free */
};

void judge_flows_fini(struct judge_flows *f)
{
	for (uint32_t i = 0; f->kept != NULL && i < JUDGE_FLOWS_KEPT; i++)
		free(f->kept[i].verdict);
	free(f->kept);
	*f = (struct judge_flows){0};
}

int judge_flows_take(struct judge_flows *f, const struct trace *t, struct verdict *v)
{
	struct judge_kept *k;

	if (f->kept == NULL)
		f->kept = calloc(JUDGE_FLOWS_KEPT, sizeof(*f->kept));
	if (f->kept == NULL) {
		free(v);
		return BP_ENOMEM;
	}
	k = &f->kept[f->next];
	f->next = (f->next + 1) % JUDGE_FLOWS_KEPT;
	free(k->verdict);
	*k = (struct judge_kept){.dst = t->dst, .method = t->method, .flow = t->flow, .verdict = v};
	text_set(k->vantage, sizeof(k->vantage), t->vantage);
	text_set(k->target, sizeof(k->target), t->target);
	return 0;
}

static const char *text_of(const struct json_node *object, const char *key)
{
	const char *text = node_text(node_get(object, key));

	return text != NULL ? text : "";
}

/* What the object says of its traces. */
static bool read_key(const struct json_node *object, struct judge_kept *key)
{
	int method;

	*key = (struct judge_kept){0};
	text_set(key->vantage, sizeof(key->vantage), text_of(object, "vantage"));
	text_set(key->target, sizeof(key->target), text_of(object, "target"));
	if (word_value(method_words, text_of(object, "method"), &method) < 0)
		return false;
	key->method = (uint8_t)method;
	return addr_parse(text_of(object, "dst"), &key->dst) == 0;
}

static bool is_of(const struct judge_kept *k, const struct judge_kept *key)
{
	return k->verdict != NULL && addr_equal(k->dst, key->dst) && k->method == key->method &&
	       strcmp(k->vantage, key->vantage) == 0 && strcmp(k->target, key->target) == 0;
}

/* The latest verdict of each flow, the last `want` of them; how many there are. */
static unsigned find(struct judge_flows *f, const struct judge_kept *key, unsigned want,
		     struct judge_kept *found[static JUDGE_FLOWS_KEPT])
{
	unsigned n = 0;

	for (uint32_t i = 1; n < want && i <= JUDGE_FLOWS_KEPT; i++) {
		struct judge_kept *k =
			&f->kept[(f->next + JUDGE_FLOWS_KEPT - i) % JUDGE_FLOWS_KEPT];
		unsigned twin = 0;

		if (!is_of(k, key))
			continue;
		while (twin < n && found[twin]->flow != k->flow)
			twin++;
		/* Another round's: the rest of this one is not here. */
		if (twin < n)
			break;
		found[n++] = k;
	}
	return n;
}

int judge_flows_join(struct judge_flows *f, const struct record *paths, struct trace *of,
		     struct verdict *out, struct paths *shares)
{
	const struct json_node *told = node_get(paths->dom, "flows");
	const struct verdict *list[JUDGE_FLOWS_KEPT];
	struct judge_kept *found[JUDGE_FLOWS_KEPT], key;
	int64_t flows;
	unsigned n;

	if (f->kept == NULL || !node_int(told, 1, JUDGE_FLOWS_KEPT, &flows) ||
	    !read_key(paths->dom, &key))
		return BP_ENOTFOUND;
	n = find(f, &key, (unsigned)flows, found);
	if (n < flows)
		return BP_ENOTFOUND;
	/* In the order they were read. */
	for (unsigned i = 0; i < n; i++) {
		list[i] = found[n - 1 - i]->verdict;
		paths_count_share(shares, list[i]);
	}
	shares->flows = n;
	of->dst = key.dst;
	of->method = key.method;
	text_set(of->target, sizeof(of->target), key.target);
	border_judge_list(list, n, out);
	for (unsigned i = 0; i < n; i++) {
		free(found[i]->verdict);
		found[i]->verdict = NULL;
	}
	return 0;
}
