// SPDX-License-Identifier: BSD-2-Clause
/*
 * How many RIPE Atlas results a second become native records: a file of them from a seed, 15 hops
 * with one attempt and with three, read and written as `borderpath convert` does; the best of three
 * passes, wall time and processor time.
 *
 * usage: bench_convert [RESULTS]
 *	prints lines of tab-separated words: name value unit
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/record/format.h"
#include "core/record/import.h"

enum { HOPS = 15, PASSES = 3, DEFAULT_RESULTS = 50000 };

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "bench_convert: %s\n", what);
	exit(1);
}

static double now_s(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* xorshift64* (Vigna 2016). */
static uint64_t rnd(uint64_t *s)
{
	*s ^= *s >> 12;
	*s ^= *s << 25;
	*s ^= *s >> 27;
	return *s * UINT64_C(0x2545f4914f6cdd1d);
}

/* A tenth of the hops is silent; times as Atlas gives them, to the microsecond. */
static struct trace *make(uint64_t *s, unsigned number, unsigned attempts)
{
	struct trace *t = NULL;
	uint32_t room = 0;

	for (unsigned ttl = 1; ttl <= HOPS; ttl++) {
		const uint8_t at[4] = {80, (uint8_t)rnd(s), (uint8_t)rnd(s), (uint8_t)ttl};
		bool silent = ttl < HOPS && rnd(s) % 10 == 0;

		for (unsigned q = 1; q <= attempts; q++) {
			struct trace_entry *e = import_add(&t, &room, (uint8_t)ttl, (uint8_t)q);

			if (e == NULL)
				die("out of memory");
			if (silent)
				continue;
			e->why = WHY_NONE;
			e->reply.from = addr_v4(at);
			e->reply.rtt_ns = (int64_t)(ttl * 6000 + rnd(s) % 4000) * NS_PER_US;
			e->reply.icmp_type = ttl == HOPS ? 0 : 11;
			e->reply.icmp_code = 0;
			e->reply.quoted_ttl = ttl == HOPS ? -1 : 1;
			e->reply.reply_ttl = (int16_t)(255 - ttl);
			e->reply.size = 56;
			if (ttl == HOPS)
				t->dst = addr_v4(at);
		}
	}
	t->src = addr_v4((const uint8_t[4]){192, 168, 16, 104});
	t->method = METHOD_ICMP;
	t->flow = (int32_t)(number % 16);
	t->probe_size = 76;
	t->start.ns = (INT64_C(1619118621) + number) * NS_PER_S;
	t->end.ns = t->start.ns + 72 * NS_PER_S;
	snprintf(t->id, sizeof(t->id), "atlas-29792007-%u-%u", 50000 + number % 50,
		 1619118621 + number);
	snprintf(t->vantage, sizeof(t->vantage), "atlas-%u", 50000 + number % 50);
	text_set(t->tool, sizeof(t->tool), "atlas fw 5080");
	import_conclude(t);
	return t;
}

/* The file, and how many bytes a result has. */
static FILE *make_file(unsigned results, unsigned attempts, double *bytes)
{
	uint64_t seed = 20261122, total = 0;
	FILE *f = tmpfile();
	struct buf out;

	if (f == NULL)
		die("no temporary file");
	buf_init(&out);
	for (unsigned i = 0; i < results; i++) {
		struct record rec;

		record_init(&rec);
		rec.kind = RECORD_TRACE;
		rec.trace = make(&seed, i, attempts);
		buf_clear(&out);
		if (atlas_format.write(&out, &rec, NULL, NULL) < 0 ||
		    fwrite(out.bytes, 1, out.used, f) != out.used)
			die("cannot write the file");
		total += out.used;
		record_fini(&rec);
	}
	buf_fini(&out);
	*bytes = (double)total / results;
	return f;
}

/* All of it once. */
static void convert(FILE *f, unsigned results)
{
	struct record_reader r;
	struct record rec;
	struct buf out;

	rewind(f);
	buf_init(&out);
	record_reader_init(&r, f, "file", NULL);
	for (;;) {
		record_init(&rec);
		if (record_read(&r, &rec, NULL) < 0)
			break;
		buf_clear(&out);
		if (jsonl_format.write(&out, &rec, NULL, NULL) < 0)
			die("cannot write a record");
		record_fini(&rec);
	}
	if (r.read != results || r.skipped != 0)
		die("not all results were read");
	record_reader_fini(&r);
	buf_fini(&out);
}

static void measure(unsigned results, unsigned attempts)
{
	double bytes, wall = 0, cpu = 0;
	FILE *f = make_file(results, attempts, &bytes);

	for (unsigned pass = 0; pass < PASSES; pass++) {
		double w = now_s(CLOCK_MONOTONIC), c = now_s(CLOCK_PROCESS_CPUTIME_ID);

		convert(f, results);
		w = now_s(CLOCK_MONOTONIC) - w;
		c = now_s(CLOCK_PROCESS_CPUTIME_ID) - c;
		wall = pass == 0 || w < wall ? w : wall;
		cpu = pass == 0 || c < cpu ? c : cpu;
	}
	fclose(f);
	printf("atlas_%u_bytes\t%.0f\tB\n", attempts, bytes);
	printf("atlas_%u_rate\t%.0f\ttraces/s\n", attempts, results / wall);
	printf("atlas_%u_cpu_rate\t%.0f\ttraces/s\n", attempts, results / cpu);
}

int main(int argc, char **argv)
{
	uint64_t results = DEFAULT_RESULTS;

	if (argc > 2 || (argc == 2 && text_to_u64(argv[1], 1, 100000000, &results) < 0)) {
		fprintf(stderr, "usage: bench_convert [RESULTS]\n");
		return 2;
	}
	measure((unsigned)results, 1);
	measure((unsigned)results, 3);
	return 0;
}
