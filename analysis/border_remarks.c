// SPDX-License-Identifier: BSD-2-Clause
/*
 * The rows of the rule table that weigh nothing: those that decide alone (the destination is not
 * in the network) and those that remark what was set aside and why. The table itself, and every
 * row with a weight, is in border_rules.c.
 */
#include "analysis/border_rules.h"

#include <stdio.h>

const char *border_case_net(const struct border_case *c, const struct border_hop *h,
			    char out[static BORDER_NET_TEXT])
{
	if (h->org[0] != '\0' && h->asn != 0)
		snprintf(out, BORDER_NET_TEXT, "%.90s (AS%u)", h->org, h->asn);
	else if (h->asn != 0)
		snprintf(out, BORDER_NET_TEXT, "AS%u", h->asn);
	else if (h->org[0] != '\0')
		snprintf(out, BORDER_NET_TEXT, "%.90s", h->org);
	else if (h->border >= 0)
		snprintf(out, BORDER_NET_TEXT, "the address space of %.90s",
			 c->profile->borders[h->border].name);
	else
		snprintf(out, BORDER_NET_TEXT, "a network that no table names");
	return out;
}

bool border_case_near(const struct border_case *c)
{
	return c->near.speaker >= 0 && c->near.speaker < (int)c->path.borders;
}

bool border_case_before(const struct border_case *c)
{
	return c->before.speaker >= 0 && c->before.speaker < (int)c->path.borders;
}

/* --- rows that decide alone ------------------------------------------------------------------ */

static void decide_none(struct border_case *c)
{
	c->out->outcome = OUTCOME_NONE;
	c->out->class = CLASS_NOT_INSIDE;
	c->out->confidence = 1;
	/* Nothing inside, then there is no border between: what was found on the way is void. */
	c->out->last_outside_ttl = c->out->first_inside_ttl = 0;
	c->out->last_outside = c->out->first_inside = (struct addr){0};
	text_set(c->out->rule, sizeof(c->out->rule), c->rule);
	c->done = true;
}

void border_apply_destination_outside(struct border_case *c)
{
	struct addr dst = c->trace->dst;
	const struct border_hop *carrier;
	char text[ADDR_TEXT], net[BORDER_NET_TEXT];

	if (!addr_is_set(dst) || profile_inside(c->profile, dst, c->when))
		return;
	border_case_say(c, NULL, -1, 0, "%s is not in the prefixes of %s", addr_format(dst, text),
			c->profile->network_name);
	carrier = border_case_near(c)	  ? c->near.nearest
		  : border_case_before(c) ? c->before.nearest
					  : NULL;
	if (carrier != NULL)
		border_case_say(c, carrier, -1, 0,
				"%s is on the way, which says nothing: the path ends elsewhere",
				border_case_net(c, carrier, net));
	decide_none(c);
}

/* The path came out of a border's network and ended, answered, in somebody else's. */
static bool ends_elsewhere(const struct border_case *c)
{
	return c->near.speaker == (int)c->path.other && !c->near.way && border_case_before(c) &&
	       c->path.last_outside == c->near.nearest && c->path.last_outside != NULL &&
	       !c->path.last_outside->filter &&
	       c->path.last_answer_ttl == c->path.last_probed_ttl &&
	       c->path.last_outside->ttl == c->path.last_answer_ttl;
}

void border_apply_destination_unknown(struct border_case *c)
{
	char net[BORDER_NET_TEXT];

	if (addr_is_set(c->trace->dst))
		return;
	if (c->path.first_inside != NULL) {
		border_case_say(c, c->path.first_inside, -1, 0,
				"no destination is told; this answer is from inside");
		return;
	}
	if (c->near.nearest != NULL && c->near.nearest->border_router &&
	    c->path.last_outside == c->near.nearest) {
		border_case_say(
			c, c->near.nearest, -1, 0,
			"no destination is told; the path ends at a router known to stand at "
			"the border");
		c->assumed_inside = true;
		return;
	}
	if (ends_elsewhere(c)) {
		border_case_say(c, c->path.last_outside, -1, 0,
				"no destination is told; the path ends in %s",
				border_case_net(c, c->path.last_outside, net));
		decide_none(c);
		c->out->confidence = BORDER_ADJACENCY_MAX;
		return;
	}
	border_case_say(c, NULL, -1, 0,
			"no destination is told and nothing inside answers: it may lead anywhere");
	c->out->class = CLASS_UNKNOWN;
	c->out->p_count = (uint8_t)(c->path.other + 1);
	for (unsigned k = 0; k <= c->path.other; k++) {
		text_set(c->out->p[k].id, sizeof(c->out->p[k].id), border_case_id(c, (int)k));
		c->out->p[k].p = 1.0 / (c->path.other + 1);
	}
	c->out->confidence = c->out->p[0].p;
	text_set(c->out->rule, sizeof(c->out->rule), c->rule);
	c->done = true;
}

/* --- remarks, and what was there before any hop ----------------------------------------------- */

void border_apply_nothing_answered(struct border_case *c)
{
	if (c->path.last_answer_ttl != 0)
		return;
	if (c->trace->stop == STOP_ERROR)
		border_case_say(c, NULL, -1, 0, "the measurement failed: %s", c->trace->error);
	else
		border_case_say(c, NULL, -1, 0, "nothing answered");
	c->undecided = c->rule;
}

void border_apply_time_unknown(struct border_case *c)
{
	if (!c->time_known)
		border_case_say(c, NULL, -1, 0,
				"the record has no time: judged by what the profile holds now");
}

void border_apply_forged_answer(struct border_case *c)
{
	struct border_hop h = {.ttl = c->path.forged_ttl, .from = c->path.forged_from};

	if (h.ttl != 0)
		border_case_say(c, &h, -1, 0,
				"set aside: answers for the network from this side "
				"of it, too fast or before routers further out");
}

void border_apply_skipped_hop(struct border_case *c)
{
	unsigned shown = 0;

	for (unsigned i = c->path.step_count; i-- > 0 && shown < 4;) {
		const struct border_hop *h = c->path.steps[i].hop;

		if (c->near.farthest != NULL && h->ttl < c->near.farthest->ttl)
			break;
		if (h->kind != BORDER_HOP_SKIPPED || c->near.farthest == NULL)
			continue;
		border_case_say(
			c, h, -1, 0,
			addr_kind(h->from) == ADDR_KIND_GLOBAL
				? "an exchange's address: belongs to no network of the path"
				: "a private address: says nothing of the network it stands in");
		shown++;
	}
}

void border_apply_customer_router(struct border_case *c)
{
	char net[BORDER_NET_TEXT];

	for (unsigned i = 0; i < c->path.hop_count; i++) {
		const struct border_hop *h = &c->path.hops[i];

		if (h->customer && c->out->evidence_count < VERDICT_EVIDENCE_MAX / 2)
			border_case_say(c, h, -1, 0, "a customer's router on address space of %s",
					border_case_net(c, h, net));
	}
}

void border_apply_other_time(struct border_case *c)
{
	char when[WALL_TEXT], net[BORDER_NET_TEXT];
	const struct border_hop *h = c->near.nearest;

	if (h == NULL || h->once < 0 || h->kind == BORDER_HOP_CARRIER)
		return;
	border_case_say(c, h, -1, 0, "%s is a way in by %s in this profile, but not at %s",
			border_case_net(c, h, net), c->profile->borders[h->once].name,
			wall_format_short(c->when, when));
	c->undecided = c->rule;
}
