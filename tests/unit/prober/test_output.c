// SPDX-License-Identifier: BSD-2-Clause
/* Frames into a pipe: whole and in order, never blocking, and a reader that goes away. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "prober/output.h"

enum { BODIES = 300, BODY = 1000 };

static void fill(uint8_t body[static BODY], int i)
{
	memset(body, i % 251, BODY);
}

/* Into a pipe that does not block everything goes that it takes, at once. */
static void a_pipe_that_does_not_block(void **state)
{
	uint8_t body[BODY] = {0};
	struct output o;
	size_t written;
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
	output_init(&o, fds[1]);
	for (int i = 0; i < BODIES; i++)
		output_frame(&o, FRAME_NOTE, body, sizeof(body));
	output_write(&o);
	written = BODIES * (sizeof(struct frame_head) + BODY) - output_waiting(&o);
	assert_true(written >= OUTPUT_PIECE_SAFE);
	assert_false(o.closed);
	assert_int_equal(write(fds[1], body, 1), -1); /* full */
	/* One that nobody reads from ends the waiting, not the output. */
	output_drain(&o, 20);
	assert_true(output_waiting(&o) > 0);
	assert_false(o.closed);
	close(fds[0]);
	signal(SIGPIPE, SIG_IGN);
	output_write(&o);
	assert_true(o.closed);
	close(fds[1]);
	output_fini(&o);
}

/* More than a pipe holds (64 kB): what does not fit waits, and comes out whole. */
static void more_than_the_pipe_takes(void **state)
{
	size_t total = BODIES * (sizeof(struct frame_head) + BODY), got = 0;
	uint8_t body[BODY], *all = malloc(total);
	struct output o;
	int fds[2];

	(void)state;
	assert_non_null(all);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	output_init(&o, fds[1]);
	for (int i = 0; i < BODIES; i++) {
		fill(body, i);
		output_frame(&o, FRAME_NOTE, body, sizeof(body));
		output_write(&o);
	}
	assert_true(output_waiting(&o) > 0);
	assert_true(output_waiting(&o) < total);
	while (got < total) {
		ssize_t n = read(fds[0], all + got, total - got < 777 ? total - got : 777);

		if (n > 0)
			got += (size_t)n;
		else
			output_write(&o);
	}
	assert_int_equal(output_waiting(&o), 0);
	for (int i = 0; i < BODIES; i++) {
		const uint8_t *at = all + (size_t)i * (sizeof(struct frame_head) + BODY);
		struct frame_head h;

		memcpy(&h, at, sizeof(h));
		assert_int_equal(h.magic, FRAME_MAGIC);
		assert_int_equal(h.type, FRAME_NOTE);
		assert_int_equal(h.size, BODY);
		fill(body, i);
		assert_memory_equal(at + sizeof(h), body, BODY);
	}
	assert_false(o.closed);
	output_fini(&o);
	close(fds[0]);
	close(fds[1]);
	free(all);
}

static void the_reader_goes_away(void **state)
{
	struct output o;
	int fds[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(fds), 0);
	output_init(&o, fds[1]);
	close(fds[0]);
	output_frame(&o, FRAME_NOTE, "x", 1);
	output_write(&o);
	assert_true(o.closed);
	/* And stays gone, without growing. */
	output_frame(&o, FRAME_NOTE, "x", 1);
	assert_int_equal(output_waiting(&o), sizeof(struct frame_head) + 1);
	output_fini(&o);
	close(fds[1]);
}

/* A reader that takes nothing does not hold the prober for ever. */
static void a_stalled_reader(void **state)
{
	uint8_t body[BODY] = {0};
	struct output o;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	output_init(&o, fds[1]);
	for (int i = 0; i < BODIES; i++)
		output_frame(&o, FRAME_NOTE, body, sizeof(body));
	output_drain(&o, 20);
	assert_true(output_waiting(&o) > 0);
	assert_false(o.closed);
	output_fini(&o);
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pipe_that_does_not_block),
		cmocka_unit_test(more_than_the_pipe_takes),
		cmocka_unit_test(the_reader_goes_away),
		cmocka_unit_test(a_stalled_reader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
