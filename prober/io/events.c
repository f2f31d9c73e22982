// SPDX-License-Identifier: BSD-2-Clause
/* signalfd and timerfd. */
#include "prober/io/events.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

/* A timer that never ends (in the year 2242, where time_t has room for it), but whose read fails
 * with ECANCELED when somebody sets the clock; it stays armed for the next time. */
static int open_clock(void)
{
	struct itimerspec never = {
		.it_value.tv_sec = sizeof(time_t) > 4 ? (time_t)(INT64_C(1) << 33) : INT32_MAX,
	};
	int fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd >= 0 && timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never,
				       NULL) < 0) {
		int sys = errno;

		close(fd);
		errno = sys;
		return -1;
	}
	return fd;
}

int events_open(struct events *e, struct bp_error *err)
{
	sigset_t set;

	*e = (struct events){-1, -1};
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return bp_fail_sys(err, errno, "cannot set up signals");
	e->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (e->signal_fd < 0)
		return bp_fail_sys(err, errno, "cannot set up signals");
	e->clock_fd = open_clock();
	if (e->clock_fd < 0) {
		bp_fail_sys(err, errno, "cannot watch the clock");
		events_close(e);
		return BP_EIO;
	}
	return 0;
}

void events_close(struct events *e)
{
	if (e->signal_fd >= 0)
		close(e->signal_fd);
	if (e->clock_fd >= 0)
		close(e->clock_fd);
	*e = (struct events){-1, -1};
}

bool events_interrupted(struct events *e)
{
	struct signalfd_siginfo info;
	bool came = false;

	while (read(e->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		came = true;
	return came;
}

bool events_clock_set(struct events *e)
{
	uint64_t ticks;

	return read(e->clock_fd, &ticks, sizeof(ticks)) < 0 && errno == ECANCELED;
}
