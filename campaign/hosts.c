// SPDX-License-Identifier: BSD-2-Clause
/* Counts in how many rounds the host that stands for an entry was silent, and finds another. */
#include "campaign/hosts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct host {
	struct addr addr;  /* by its word, or of its last trace; none: a name never asked */
	bool asked, answered; /* in this round */
};

struct entry {
	const struct campaign_target *target;
	unsigned active;
	uint32_t silent;        /* rounds in a row that the active one was asked in vain */
	uint32_t ask_at;        /* so many make it suspect */
	uint32_t first_silent;  /* as silent, of the first of the list when it was given up */
	struct host *hosts;     /* owned, target->hosts_count; NULL: there is only one */
};

struct hosts {
	struct entry *entries;  /* owned, one for each target of the plan */
	unsigned count;
};

int hosts_new(const struct campaign_plan *p, struct hosts **out)
{
	struct hosts *h = calloc(1, sizeof(*h));

	if (h == NULL || (h->entries = calloc(p->targets_count + 1, sizeof(*h->entries))) == NULL)
		goto fail;
	h->count = p->targets_count;
	for (unsigned i = 0; i < h->count; i++) {
		struct entry *e = &h->entries[i];

		e->target = &p->targets[i];
		e->ask_at = HOSTS_SILENT_ROUNDS;
		if (e->target->hosts_count < 2)
			continue;
		e->hosts = calloc(e->target->hosts_count, sizeof(*e->hosts));
		if (e->hosts == NULL)
			goto fail;
		for (unsigned k = 0; k < e->target->hosts_count; k++)
			addr_parse(e->target->hosts[k], &e->hosts[k].addr);
	}
	*out = h;
	return 0;
fail:
	hosts_free(h);
	return BP_ENOMEM;
}

void hosts_free(struct hosts *h)
{
	if (h == NULL)
		return;
	for (unsigned i = 0; i < h->count; i++)
		free(h->entries[i].hosts);
	free(h->entries);
	free(h);
}

static struct entry *entry_of(const struct hosts *h, unsigned target)
{
	return target < h->count && h->entries[target].hosts != NULL ? &h->entries[target] : NULL;
}

unsigned hosts_active(const struct hosts *h, unsigned target)
{
	const struct entry *e = entry_of(h, target);

	return e == NULL ? 0 : e->active;
}

bool hosts_ask_all(const struct hosts *h, unsigned target)
{
	const struct entry *e = entry_of(h, target);

	return e != NULL && e->silent >= e->ask_at;
}

void hosts_take(struct hosts *h, unsigned target, unsigned host, const struct trace *t)
{
	struct entry *e = entry_of(h, target);

	if (e == NULL || host >= e->target->hosts_count || t->stop == STOP_INTERRUPTED ||
	    t->stop == STOP_ERROR)
		return;
	e->hosts[host].asked = true;
	/* A router that says "no such host", or a filter, is not the host. */
	e->hosts[host].answered |= t->reach == REACH_REACHED;
	if (addr_is_set(t->dst))
		e->hosts[host].addr = t->dst;
}

/* The first of the list that answered, or hosts_count. */
static unsigned first_answered(const struct entry *e)
{
	unsigned k = 0;

	while (k < e->target->hosts_count && !e->hosts[k].answered)
		k++;
	return k;
}

static void replace(struct entry *e, unsigned by)
{
	if (e->active == 0)
		e->first_silent = e->silent;
	e->active = by;
	e->silent = 0;
	e->ask_at = HOSTS_SILENT_ROUNDS;
}

static void decide(struct entry *e, bool offline)
{
	const struct host *active = &e->hosts[e->active];
	bool suspect = e->silent >= e->ask_at, others = false;
	unsigned other = first_answered(e);

	if (!active->asked || (!active->answered && offline))
		return;
	if (active->answered) {
		e->silent = 0;
		e->ask_at = HOSTS_SILENT_ROUNDS;
		return;
	}
	e->silent++;
	for (unsigned k = 0; k < e->target->hosts_count; k++)
		others |= k != e->active && e->hosts[k].asked;
	if (other < e->target->hosts_count)
		replace(e, other);
	else if (suspect && others)
		e->ask_at += e->ask_at < HOSTS_ASK_ROUNDS ? e->ask_at : HOSTS_ASK_ROUNDS;
}

static const char *entry_name(const struct entry *e)
{
	return e->target->name != NULL ? e->target->name : e->target->hosts[0];
}

static void tell_substitute(const struct entry *e, struct round *r, unsigned *left_out)
{
	struct round_substitute *s;

	if (r->substitute_count == ROUND_SUBSTITUTES_MAX) {
		(*left_out)++;
		return;
	}
	s = &r->substitutes[r->substitute_count++];
	memset(s, 0, sizeof(*s));
	text_set(s->target, sizeof(s->target), entry_name(e));
	text_set(s->host, sizeof(s->host), e->target->hosts[e->active]);
	s->from = e->hosts[0].addr;
	s->to = e->hosts[e->active].addr;
	s->silent = e->first_silent;
}

static void tell_silence(const struct entry *e, struct round *r)
{
	struct round_silence *s = &r->silences[r->silence_count];

	if (r->silence_count == ROUND_SUBSTITUTES_MAX)
		return;
	r->silence_count++;
	*s = (struct round_silence){.rounds = e->silent, .ask_at = e->ask_at};
	text_set(s->target, sizeof(s->target), entry_name(e));
}

void hosts_tell(const struct hosts *h, struct round *r)
{
	unsigned left_out = 0;

	r->substitute_count = r->silence_count = 0;
	for (unsigned i = 0; i < h->count; i++) {
		const struct entry *e = entry_of(h, i);

		if (e != NULL && e->active != 0)
			tell_substitute(e, r, &left_out);
		if (e != NULL && e->silent != 0)
			tell_silence(e, r);
	}
	if (left_out > 0 && r->note[0] == '\0')
		snprintf(r->note, sizeof(r->note), "%u more hosts are substituted", left_out);
}

void hosts_end(struct hosts *h, struct round *r)
{
	for (unsigned i = 0; i < h->count; i++) {
		struct entry *e = entry_of(h, i);

		if (e == NULL)
			continue;
		decide(e, r->health == ROUND_HEALTH_OFFLINE);
		for (unsigned k = 0; k < e->target->hosts_count; k++)
			e->hosts[k].asked = e->hosts[k].answered = false;
	}
	hosts_tell(h, r);
}

/* Which host of its list a substitute of the record is; 0 when it is none of them any more. */
static unsigned host_named(const struct entry *e, const struct round_substitute *s)
{
	char word[sizeof(s->host)];

	for (unsigned k = 1; k < e->target->hosts_count; k++) {
		text_set(word, sizeof(word), e->target->hosts[k]);
		if ((s->host[0] != '\0' && strcmp(word, s->host) == 0) ||
		    (addr_is_set(s->to) && addr_equal(e->hosts[k].addr, s->to)))
			return k;
	}
	return 0;
}

static void restore_entry(struct entry *e, const struct round *r)
{
	char name[sizeof(r->substitutes[0].target)];

	text_set(name, sizeof(name), entry_name(e));
	e->active = 0;
	e->silent = 0;
	e->ask_at = HOSTS_SILENT_ROUNDS;
	for (unsigned i = 0; i < r->silence_count; i++) {
		const struct round_silence *s = &r->silences[i];

		if (strcmp(s->target, name) != 0)
			continue;
		e->silent = s->rounds;
		e->ask_at = s->ask_at > HOSTS_SILENT_ROUNDS ? s->ask_at : HOSTS_SILENT_ROUNDS;
	}
	for (unsigned i = 0; i < r->substitute_count; i++) {
		const struct round_substitute *s = &r->substitutes[i];

		if (strcmp(s->target, name) != 0)
			continue;
		e->active = host_named(e, s);
		e->first_silent = s->silent;
		if (!addr_is_set(e->hosts[0].addr))
			e->hosts[0].addr = s->from;
		if (!addr_is_set(e->hosts[e->active].addr))
			e->hosts[e->active].addr = s->to;
	}
}

void hosts_restore(struct hosts *h, const struct round *rounds, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (rounds[i].start.ns == 0)
			continue;
		for (unsigned k = 0; k < h->count; k++) {
			struct entry *e = entry_of(h, k);

			if (e != NULL)
				restore_entry(e, &rounds[i]);
		}
	}
}
