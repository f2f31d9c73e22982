// SPDX-License-Identifier: BSD-2-Clause
/*
 * A test bed for flights: a few slots, a clock of one's own, and packets about their probes as
 * method_match() would give them, with the real tokens. Fails the test, never returns an error.
 */
#ifndef TESTS_UNIT_PROBER_BED_H
#define TESTS_UNIT_PROBER_BED_H

#include "prober/flight.h"

enum { BED_T0 = 1000, BED_W0 = 1700000000 }; /* seconds: of the steady clock, of the wall */

struct bed {
	struct flights fs;
	struct flight *f; /* the first */
	struct mono now;
	struct wall wall;
};

extern const uint8_t bed_key[METHOD_KEY_SIZE];

struct addr bed_addr(const char *text);

/* Eight slots, one of them taken. The caller ends it with flights_fini. */
void bed_init(struct bed *b, const char *dst, enum method method);
/* One more flight; NULL: no slot. number: of the flow. */
struct flight *bed_fly(struct bed *b, const char *dst, enum method method, uint16_t number);
/* Sends what the tracer wants until it waits: the first attempts of TTLs 1 to 4 at least, which are
 * all that the tests ask about. */
void bed_send_all(struct bed *b, struct flight *f);

uint32_t bed_token(const struct flight *f, uint8_t ttl, uint8_t attempt);
/* A packet about the probe (ttl, attempt), with everything as it was sent. */
struct match bed_about(const struct flight *f, enum match_kind kind, uint8_t ttl, uint8_t attempt);
/* Time exceeded from a router, about the first attempt. */
struct match bed_exceeded(const struct flight *f, uint8_t ttl, const char *from);

/* Captured at_us after now, and read at once. hit may be NULL. */
enum flight_verdict bed_take(struct bed *b, const struct match *m, int ifindex, int64_t at_us,
			     struct flight_hit *hit);
/* The probe leaves. */
void bed_depart(struct bed *b, struct flight *f, uint8_t ttl, uint8_t attempt, int ifindex,
		int64_t at_us);
/* Its record, interrupted where it stands; the caller frees it. steps may be NULL. */
struct trace *bed_done(struct bed *b, struct flight *f, struct steps *steps);

#endif
