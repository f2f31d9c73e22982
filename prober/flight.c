// SPDX-License-Identifier: BSD-2-Clause
/* Slots, tokens, and probes on their way. */
#include "prober/flight.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "prober/flight_inside.h"

enum { PROBE_ROOM_FIRST = 16 };

_Static_assert(sizeof(struct flight) <= FLIGHT_SLOT_MAX, "the size this header promises");

int flights_init(struct flights *fs, uint32_t room, const uint8_t key[static METHOD_KEY_SIZE])
{
	uint32_t buckets = 16;

	while (buckets < 2 * room)
		buckets *= 2;
	memset(fs, 0, sizeof(*fs));
	memcpy(fs->key, key, METHOD_KEY_SIZE);
	/* calloc: pages of slots never used are never touched. */
	fs->slots = calloc(room, sizeof(fs->slots[0]));
	fs->buckets = malloc(buckets * sizeof(fs->buckets[0]));
	fs->gone = calloc(1, sizeof(*fs->gone));
	if (fs->slots == NULL || fs->buckets == NULL || fs->gone == NULL) {
		flights_fini(fs);
		return BP_ENOMEM;
	}
	memset(fs->buckets, 0xff, buckets * sizeof(fs->buckets[0])); /* FLIGHT_NO_SLOT */
	fs->bucket_mask = buckets - 1;
	fs->free = FLIGHT_NO_SLOT;
	fs->room = room;
	return 0;
}

void flights_fini(struct flights *fs)
{
	/* Slots never used were never touched. */
	for (uint32_t i = 0; i < fs->fresh; i++) {
		free(fs->slots[i].rows);
		free(fs->slots[i].tokens);
		free(fs->slots[i].probes);
		free(fs->slots[i].answers);
	}
	free(fs->slots);
	free(fs->buckets);
	free(fs->gone);
	memset(fs, 0, sizeof(*fs));
}

/* --- a target's life --- */

static bool make_rows(struct flight *f, uint32_t rows)
{
	struct tracer_hop *more;

	if (rows <= f->row_room)
		return true;
	more = realloc(f->rows, rows * sizeof(more[0]));
	if (more == NULL)
		return false;
	f->rows = more;
	f->row_room = rows;
	return true;
}

static void note_token(struct flight *f, uint32_t token)
{
	f->token_bits[0][token % 256 / 64] |= UINT64_C(1) << token % 64;
	f->token_bits[1][token >> 8 & 3] |= UINT64_C(1) << (token >> 10) % 64;
}

/* The next probe's place; NULL: out of memory. */
static struct flight_probe *add_probe(struct flight *f, uint32_t token)
{
	uint32_t room = f->probe_room ? 2 * f->probe_room : PROBE_ROOM_FIRST;
	struct flight_probe *p;
	uint32_t *tokens;

	if (f->probe_count == f->probe_room) {
		tokens = realloc(f->tokens, room * sizeof(tokens[0]));
		if (tokens == NULL)
			return NULL;
		f->tokens = tokens;
		p = realloc(f->probes, room * sizeof(p[0]));
		if (p == NULL)
			return NULL;
		f->probes = p;
		f->probe_room = room;
	}
	f->tokens[f->probe_count] = token;
	note_token(f, token);
	return &f->probes[f->probe_count++];
}

static struct flight *free_slot(struct flights *fs)
{
	struct flight *f = flight_chain(fs, fs->free);

	if (f != NULL)
		fs->free = f->next;
	else if (fs->fresh < fs->room)
		f = &fs->slots[fs->fresh++];
	return f;
}

static void put_back(struct flights *fs, struct flight *f)
{
	f->next = fs->free;
	fs->free = flight_slot(fs, f);
}

struct tracer_config flight_path(const struct plan_trace *plan)
{
	return (struct tracer_config){
		.first_ttl = plan->first_ttl, .max_ttl = plan->max_ttl,
		.attempts = plan->attempts, .gap_limit = plan->gap_limit,
		.wait_ns = plan->wait_ms * NS_PER_MS,
		.budget_ns = plan->budget_ms * NS_PER_MS,
		/* Probes ahead of the destination cost its answers to those that count: port
		 * unreachables are rationed, and a half-open connection answers one SYN. */
		.ahead = plan->method == METHOD_UDP ? TRACER_AHEAD_SPARING : 0,
		.dst = plan->dst,
		.one_at_end = plan->method == METHOD_TCP,
	};
}

static void start_tracer(struct flight *f, struct mono now, struct wall start)
{
	struct tracer_config config = flight_path(&f->plan);

	config.length = f->hint.length;
	config.turn_span = f->hint.turn_span;
	config.turn = f->hint.turn;
	tracer_init(&f->tracer, f->rows, &config, now);
	f->begun = now;
	f->start = start;
}

void flight_start(struct flight *f, struct mono now, struct wall start)
{
	if (f->sent == 0 && f->refused_sys == 0)
		start_tracer(f, now, start);
}

struct flight *flight_begin(struct flights *fs, const struct plan_trace *plan,
			    const struct flow *flow, const struct probe_packet *packet,
			    struct mono now, struct wall start)
{
	struct flight *f = free_slot(fs);
	uint32_t *bucket;

	if (f == NULL)
		return NULL;
	if (!make_rows(f, TRACER_ROWS(plan->max_ttl))) {
		put_back(fs, f);
		return NULL;
	}
	f->plan = *plan;
	f->bundle = NULL;
	f->member = 0;
	f->flow = *flow;
	f->packet = *packet;
	f->scope = 0;
	f->ifindex = f->refused_sys = 0;
	f->sent = f->received = f->drops_before = 0;
	f->impostor = -1;
	f->cuts_before = f->pps_before = 0;
	f->hint = (struct flight_hint){0};
	f->reached_by = REACHED_BY_NONE;
	f->syn_ack = f->reset = false;
	memset(&f->refused_before, 0, sizeof(f->refused_before));
	f->probe_count = f->answer_count = f->extra_count = 0;
	memset(f->token_bits, 0, sizeof(f->token_bits));
	start_tracer(f, now, start);

	bucket = flight_bucket(fs, flow->method, flow->dst);
	f->next = *bucket;
	*bucket = flight_slot(fs, f);
	f->used = true;
	fs->used++;
	return f;
}

void flight_end(struct flights *fs, struct flight *f)
{
	uint32_t *link = flight_bucket(fs, f->flow.method, f->flow.dst);

	while (*link != flight_slot(fs, f))
		link = &fs->slots[*link].next;
	*link = f->next;
	gone_add(fs->gone, &f->flow, f->tokens, f->probe_count);
	f->used = false;
	fs->used--;
	put_back(fs, f);
}

bool flights_has(const struct flights *fs, const struct flow *flow)
{
	const struct flight *f = flight_chain_of(fs, flow->method, flow->dst);

	for (; f != NULL; f = flight_chain(fs, f->next)) {
		if (flight_goes_to(f, flow->method, flow->dst) && f->flow.sport == flow->sport &&
		    f->flow.dport == flow->dport)
			return true;
	}
	return false;
}

/* --- probes out --- */

uint32_t flight_token(const struct flights *fs, const struct flow *flow, uint64_t seq, uint8_t ttl,
		      uint8_t attempt)
{
	uint8_t key[METHOD_KEY_SIZE];

	memcpy(key, fs->key, sizeof(key));
	for (unsigned i = 0; i < 8; i++)
		key[i] ^= (uint8_t)(seq >> 8 * i);
	return method_token(key, flow, ttl, attempt);
}

void flight_prepare(const struct flights *fs, struct flight *f, uint8_t ttl, uint8_t attempt)
{
	method_row(f->flow.method, f->flow.dst.family)
		->patch(&f->packet, ttl, flight_token(fs, &f->flow, f->plan.seq, ttl, attempt));
}

void flight_sent(const struct flights *fs, struct flight *f, uint8_t ttl, uint8_t attempt,
		 struct mono at)
{
	struct flight_probe *p =
		add_probe(f, flight_token(fs, &f->flow, f->plan.seq, ttl, attempt));

	if (p == NULL) {
		tracer_not_sent(&f->tracer, ttl, attempt, at);
		return;
	}
	*p = (struct flight_probe){.ttl = ttl, .attempt = attempt, .sent = at,
				   .state = PROBE_SENT};
	f->sent++;
	tracer_sent(&f->tracer, ttl, attempt, at);
}

void flight_refused(struct flight *f, uint8_t ttl, uint8_t attempt, struct mono at, int sys)
{
	struct flight_probe *p = add_probe(f, 0);

	f->refused_sys = sys;
	if (p != NULL)
		*p = (struct flight_probe){.ttl = ttl, .attempt = attempt, .sent = at,
					   .state = PROBE_REFUSED};
	tracer_not_sent(&f->tracer, ttl, attempt, at);
}
