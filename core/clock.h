// SPDX-License-Identifier: BSD-2-Clause
/*
 * Two clocks that must never be mixed, so they are two types: mono (CLOCK_MONOTONIC, for waiting)
 * and wall (CLOCK_REALTIME, Unix time without leap seconds, for records). Owns RFC 3339 text,
 * durations, and people's relative times. Round-trip times are plain int64_t ..._ns.
 */
#ifndef CORE_CLOCK_H
#define CORE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct buf;

struct mono { int64_t ns; };  /* since an arbitrary start */
struct wall { int64_t ns; };  /* since 1970-01-01T00:00:00Z; 0 is "not known" */

#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S  INT64_C(1000000000)

struct mono mono_now(void);
struct wall wall_now(void);
/* As mono_now, but it goes on while the machine sleeps (CLOCK_BOOTTIME): for what is to be known of
 * time that nobody was awake. Not comparable with mono_now. */
struct mono boot_now(void);

/* The wall clock beside CLOCK_MONOTONIC_RAW, the one clock that nobody sets or slews. */
struct clock_pair {
	int64_t raw_ns;    /* since an arbitrary start; not comparable with struct mono */
	struct wall wall;  /* at the same moment, give or take unsure_ns */
	int64_t unsure_ns;
};
/* Reads both, again when something came between. */
struct clock_pair clock_pair_now(void);

static inline struct mono mono_add(struct mono t, int64_t ns) { return (struct mono){t.ns + ns}; }
static inline int64_t mono_since(struct mono t, struct mono earlier) { return t.ns - earlier.ns; }
static inline bool mono_reached(struct mono now, struct mono t) { return now.ns >= t.ns; }
static inline struct mono mono_min(struct mono a, struct mono b) { return a.ns < b.ns ? a : b; }

enum { WALL_TEXT = 40 };
/* RFC 3339, UTC, nanoseconds, "Z": 2026-11-22T10:00:00.000000000Z. Returns out. */
const char *wall_format(struct wall t, char out[static WALL_TEXT]);
/* For people: 2026-11-22 10:00:00 UTC. Returns out. */
const char *wall_format_short(struct wall t, char out[static WALL_TEXT]);

/* RFC 3339 with any offset and any fraction (digits past nanoseconds are dropped), a date alone
 * (midnight UTC), "now", or relative: "2h ago", "90s ago". BP_EPARSE or BP_ERANGE otherwise. */
int wall_parse(const char *text, struct wall now, struct wall *out);

/* "90s", "15m", "6h", "2d", "250ms", "1.5h"; a bare number is seconds. Negative is BP_ERANGE. */
int duration_parse(const char *text, int64_t *out_ns);
/* For people, two digits or so: "45 s", "12 min", "3 h 20 min", "5 days". */
void duration_put(struct buf *out, double seconds);

#endif
