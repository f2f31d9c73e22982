// SPDX-License-Identifier: BSD-2-Clause
/* Buffered frames, written in pieces that cannot block. */
#include "prober/output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

void output_init(struct output *o, int fd)
{
	int flags = fcntl(fd, F_GETFL);

	*o = (struct output){.fd = fd, .piece = OUTPUT_PIECE_SAFE};
	if (flags >= 0 && (flags & O_NONBLOCK))
		o->piece = OUTPUT_PIECE;
	buf_init(&o->bytes);
}

void output_fini(struct output *o)
{
	buf_fini(&o->bytes);
}

void output_frame(struct output *o, enum frame_type type, const void *body, size_t size)
{
	struct frame_head head = {.magic = FRAME_MAGIC, .type = type, .size = (uint32_t)size};

	if (o->closed)
		return;
	buf_append(&o->bytes, &head, sizeof(head));
	buf_append(&o->bytes, body, size);
	/* Half a frame is worse than none: the stream ends here. */
	if (o->bytes.failed)
		o->closed = true;
}

/* False: no more can be written now. */
static bool write_piece(struct output *o, int wait_ms)
{
	struct pollfd p = {.fd = o->fd, .events = POLLOUT};
	size_t n = output_waiting(o);
	ssize_t done;

	if (o->closed || n == 0)
		return false;
	if ((wait_ms > 0 || o->piece == OUTPUT_PIECE_SAFE) &&
	    (poll(&p, 1, wait_ms) <= 0 ||
	     !(p.revents & (POLLOUT | POLLERR | POLLHUP | POLLNVAL))))
		return false;
	done = write(o->fd, o->bytes.bytes + o->at, n < o->piece ? n : o->piece);
	if (done < 0) {
		o->closed = errno != EINTR && errno != EAGAIN;
		return false;
	}
	o->at += (size_t)done;
	return true;
}

static void compact(struct output *o)
{
	if (o->at == o->bytes.used) {
		buf_clear(&o->bytes);
		o->at = 0;
	} else if (o->at > o->bytes.used / 2) {
		buf_consume(&o->bytes, o->at);
		o->at = 0;
	}
}

void output_write(struct output *o)
{
	while (write_piece(o, 0))
		;
	compact(o);
}

void output_drain(struct output *o, int stall_ms)
{
	while (write_piece(o, stall_ms))
		;
	compact(o);
}
