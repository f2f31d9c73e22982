// SPDX-License-Identifier: BSD-2-Clause
/*
 * Identity, capabilities, no_new_privs, system call filter: in this order, each checked. The only
 * file of the prober that touches them; tests/lint/privileges holds it to that. The lists below are
 * the whole of what the prober may ask of the kernel once it reads what others wrote.
 */
#include "prober/io/drop.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int drop_bounding(struct bp_error *err)
{
	if (!capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP))
		return 0;
	capng_clear(CAPNG_SELECT_BOUNDS);
	if (capng_apply(CAPNG_SELECT_BOUNDS) != 0)
		return bp_fail_sys(err, errno, "cannot clear the capability bounding set");
	return 0;
}

static int drop_identity(struct bp_error *err)
{
	if (geteuid() != 0)
		return 0;
	/* A root without CAP_SETUID (a container's, EPERM), or in a user namespace that maps no
	 * other id (EINVAL), stays who it is: without capabilities, and unable to open anything
	 * once the filter is loaded. */
	if (setgroups(0, NULL) < 0 && errno != EPERM)
		return bp_fail_sys(err, errno, "cannot give up supplementary groups");
	if (setresgid(DROP_GID, DROP_GID, DROP_GID) < 0 && errno != EINVAL && errno != EPERM)
		return bp_fail_sys(err, errno, "cannot become group %d", DROP_GID);
	if (setresuid(DROP_UID, DROP_UID, DROP_UID) < 0 && errno != EINVAL && errno != EPERM)
		return bp_fail_sys(err, errno, "cannot become user %d", DROP_UID);
	return 0;
}

int drop_privileges(struct bp_error *err)
{
	int rc;

	if (capng_get_caps_process() != 0)
		return bp_fail(err, BP_EIO, "cannot read this process's capabilities");
	rc = drop_bounding(err);
	if (rc == 0)
		rc = drop_identity(err);
	if (rc < 0)
		return rc;

	capng_clear(CAPNG_SELECT_CAPS);
	capng_clear(CAPNG_SELECT_AMBIENT);
	if (capng_apply(CAPNG_SELECT_CAPS) != 0 || capng_apply(CAPNG_SELECT_AMBIENT) != 0)
		return bp_fail_sys(err, errno, "cannot drop capabilities");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return bp_fail_sys(err, errno, "cannot set no_new_privs");

	if (capng_get_caps_process() != 0 ||
	    capng_have_capabilities(CAPNG_SELECT_CAPS) != CAPNG_NONE ||
	    capng_have_capabilities(CAPNG_SELECT_AMBIENT) != CAPNG_NONE)
		return bp_fail(err, BP_EPERM, "capabilities are still there after the drop");
	return 0;
}

/* Nothing of their arguments could be told apart by the filter, or nothing would be gained. */
static const int plain_calls[] = {
	/* the loop */
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(close),
	SCMP_SYS(clock_gettime), SCMP_SYS(restart_syscall), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(exit), SCMP_SYS(exit_group),
	/* packets out and in */
	SCMP_SYS(sendmmsg), SCMP_SYS(recvfrom), SCMP_SYS(bind), SCMP_SYS(connect),
	SCMP_SYS(getsockname),
	/* memory */
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(futex),
	SCMP_SYS(getrandom),
#if defined(__SANITIZE_ADDRESS__)
	/* What the sanitizers' run-time asks for, most of it when it prints a finding. */
	SCMP_SYS(mmap), SCMP_SYS(mprotect), SCMP_SYS(sigaltstack), SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigaction), SCMP_SYS(sched_yield), SCMP_SYS(getpid), SCMP_SYS(gettid),
	SCMP_SYS(openat), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(newfstatat),
#if defined(SYS_open)
	SCMP_SYS(open),
#endif
	SCMP_SYS(fstat), SCMP_SYS(stat), SCMP_SYS(lseek), SCMP_SYS(tgkill), SCMP_SYS(dup),
	SCMP_SYS(pipe), SCMP_SYS(sched_getaffinity), SCMP_SYS(getrlimit), SCMP_SYS(prlimit64),
	SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(writev), SCMP_SYS(rseq),
#endif
};

/* Calls let through only with an argument of a certain value. Several rows: any of them. */
struct argument_row {
	int call;
	unsigned argument;
	uint64_t mask, value;
};

static const struct argument_row argument_rows[] = {
	/* A descriptor cannot be re-opened, only its flags read and set (libpcap's
	 * non-blocking). */
	{SCMP_SYS(fcntl), 1, UINT32_MAX, F_GETFL},
	{SCMP_SYS(fcntl), 1, UINT32_MAX, F_SETFL},
	/* Names of interfaces, nothing else about them. */
	{SCMP_SYS(ioctl), 1, UINT32_MAX, SIOCGIFNAME},
	{SCMP_SYS(ioctl), 1, UINT32_MAX, SIOCGIFINDEX},
#if !defined(__SANITIZE_ADDRESS__)
	/* Memory is never executable. */
	{SCMP_SYS(mmap), 2, PROT_EXEC, 0},
	{SCMP_SYS(mprotect), 2, PROT_EXEC, 0},
#endif
};

/* Pairs (level, option) of setsockopt and getsockopt. */
struct option_row {
	int call, level, option;
};

static const struct option_row option_rows[] = {
	{SCMP_SYS(setsockopt), SOL_SOCKET, SO_BINDTODEVICE},
	{SCMP_SYS(setsockopt), SOL_SOCKET, SO_ATTACH_FILTER},
	{SCMP_SYS(setsockopt), SOL_SOCKET, SO_RCVBUF},
	{SCMP_SYS(setsockopt), IPPROTO_IPV6, IPV6_V6ONLY},
	{SCMP_SYS(getsockopt), SOL_SOCKET, SO_ERROR},
	{SCMP_SYS(getsockopt), SOL_PACKET, PACKET_STATISTICS},
};

/* Sockets that hold a port or ask the routing table; SOCK_CLOEXEC is always set. */
static const struct {
	int family, type;
} socket_rows[] = {
	{AF_INET, SOCK_DGRAM | SOCK_CLOEXEC},
	{AF_INET, SOCK_STREAM | SOCK_CLOEXEC},
	{AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC},
	{AF_INET6, SOCK_STREAM | SOCK_CLOEXEC},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* 32-bit arguments: the kernel ignores the upper half of the register, so the filter must as
 * well. */
static struct scmp_arg_cmp equal32(unsigned argument, uint64_t value)
{
	return (struct scmp_arg_cmp){argument, SCMP_CMP_MASKED_EQ, UINT32_MAX,
				     value & UINT32_MAX};
}

static int add_rules(scmp_filter_ctx filter)
{
	int rc = 0;

	for (size_t i = 0; i < COUNT(plain_calls) && rc == 0; i++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, plain_calls[i], 0);
	for (size_t i = 0; i < COUNT(argument_rows) && rc == 0; i++) {
		const struct argument_row *r = &argument_rows[i];
		struct scmp_arg_cmp a = {r->argument, SCMP_CMP_MASKED_EQ, r->mask, r->value};

		rc = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, r->call, 1, &a);
	}
	for (size_t i = 0; i < COUNT(option_rows) && rc == 0; i++) {
		const struct option_row *r = &option_rows[i];
		struct scmp_arg_cmp a[] = {equal32(1, (uint64_t)r->level),
					   equal32(2, (uint64_t)r->option)};

		rc = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, r->call, 2, a);
	}
	for (size_t i = 0; i < COUNT(socket_rows) && rc == 0; i++) {
		struct scmp_arg_cmp a[] = {equal32(0, (uint64_t)socket_rows[i].family),
					   equal32(1, (uint64_t)socket_rows[i].type)};

		rc = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2, a);
	}
	return rc;
}

int drop_system_calls(struct bp_error *err)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int rc;

	if (filter == NULL)
		return bp_fail(err, BP_ENOMEM, "cannot make the system call filter");
	rc = add_rules(filter);
	if (rc == 0)
		rc = seccomp_load(filter);
	seccomp_release(filter);
	if (rc < 0)
		return bp_fail_sys(err, -rc, "cannot load the system call filter");
	return 0;
}
