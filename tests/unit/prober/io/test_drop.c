// SPDX-License-Identifier: BSD-2-Clause
/*
 * After the drop: what the kernel says this process is, what still works, and what kills it. Each
 * row runs in a child of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/prefixset.h"
#include "prober/io/drop.h"

/* The status file is opened before the filter and read after it: open is forbidden then. */
static int status_fd;
static bool was_root;

static int status_is(const char *name, const char *value)
{
	static char text[8192];
	ssize_t n = read(status_fd, text, sizeof(text) - 1);
	const char *line;

	if (n <= 0)
		return 1;
	text[n] = '\0';
	line = strstr(text, name);
	if (line == NULL || strncmp(line + strlen(name), value, strlen(value)) != 0)
		return 1;
	return 0;
}

static int eff(void) { return status_is("CapEff:\t", "0000000000000000\n"); }
static int prm(void) { return status_is("CapPrm:\t", "0000000000000000\n"); }
static int inh(void) { return status_is("CapInh:\t", "0000000000000000\n"); }
static int amb(void) { return status_is("CapAmb:\t", "0000000000000000\n"); }
static int bnd(void)
{
	return was_root ? status_is("CapBnd:\t", "0000000000000000\n") : 0;
}
static int nnp(void) { return status_is("NoNewPrivs:\t", "1\n"); }
static int filtered(void) { return status_is("Seccomp:\t", "2\n"); }

static int udp_socket(void) { return socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0) < 0; }
static int tcp6_socket(void)
{
	return socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0) < 0 && errno != EAFNOSUPPORT;
}
static int memory(void)
{
	char *p = malloc(8 << 20);

	if (p == NULL)
		return 1;
	memset(p, 1, 8 << 20);
	free(p);
	return 0;
}
/* More than fits where a sort of the C library would work without asking for memory. */
static int a_long_list_of_prefixes(void)
{
	struct prefixset s = {0};
	struct prefix p = {.addr = {.family = 4}, .len = 32};

	for (unsigned i = 0; i < 5000; i++) {
		p.addr.bytes[2] = (uint8_t)(i * 7);
		p.addr.bytes[3] = (uint8_t)(i >> 8);
		if (prefixset_add(&s, p) < 0)
			return 1;
	}
	prefixset_settle(&s);
	return prefixset_find(&s, p.addr) == NULL;
}
static int ifindex_of_lo(void)
{
	struct ifreq r = {.ifr_name = "lo"};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return ioctl(fd, SIOCGIFINDEX, &r) < 0;
}

static int raw_socket(void) { return socket(AF_INET, SOCK_RAW, IPPROTO_RAW) >= 0; }
static int packet_socket(void) { return socket(AF_PACKET, SOCK_RAW, 0) >= 0; }
static int unix_socket(void) { return socket(AF_UNIX, SOCK_STREAM, 0) >= 0; }
static int open_a_file(void)
{
	return syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY) < 0;
}
static int start_a_program(void)
{
	char program[] = "/bin/true", *argv[] = {program, NULL};

	return execv(argv[0], argv);
}
static int fork_a_child(void) { return (int)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0); }
static int become_root(void) { return (int)syscall(SYS_setresuid, 0, 0, 0); }
static int trace_a_process(void) { return (int)syscall(SYS_ptrace, 0, 0, 0, 0); }
static int set_a_mark(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), mark = 1;

	return setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark));
}
static int set_an_interface_up(void)
{
	struct ifreq r = {.ifr_name = "lo"};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return ioctl(fd, SIOCSIFFLAGS, &r);
}
static int duplicate_by_fcntl(void) { return fcntl(0, F_DUPFD, 100); }
static int signal_another(void) { return kill(getppid(), 0); }

#if !defined(__SANITIZE_ADDRESS__)
static int executable_memory(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
	       MAP_FAILED;
}
#endif

static const struct row {
	const char *why;
	int (*act)(void);
	bool kills;
} rows[] = {
	{"no effective capability", eff, false},
	{"no permitted capability", prm, false},
	{"no inheritable capability", inh, false},
	{"no ambient capability", amb, false},
	{"an empty bounding set, if it was ours to empty", bnd, false},
	{"no_new_privs", nnp, false},
	{"a filter", filtered, false},
	{"a socket that holds a port", udp_socket, false},
	{"a TCP one over IPv6", tcp6_socket, false},
	{"memory", memory, false},
	{"a long do-not-probe list: the plan comes after the drop", a_long_list_of_prefixes, false},
	{"the index of a name", ifindex_of_lo, false},
	{"a raw socket", raw_socket, true},
	{"a packet socket", packet_socket, true},
	{"a Unix socket", unix_socket, true},
#if !defined(__SANITIZE_ADDRESS__)
	{"a file", open_a_file, true},
	{"executable memory", executable_memory, true},
#else
	{"a file: the sanitizers need it", open_a_file, false},
#endif
	{"a program", start_a_program, true},
	{"a child", fork_a_child, true},
	{"to become root again", become_root, true},
	{"to trace", trace_a_process, true},
	{"a mark on packets", set_a_mark, true},
	{"a change of an interface", set_an_interface_up, true},
	{"a duplicate descriptor", duplicate_by_fcntl, true},
	{"a signal to another", signal_another, true},
};

static void after_the_drop(void **state)
{
	const char *preload = getenv("LD_PRELOAD");

	(void)state;
	if (preload != NULL && strstr(preload, "vgpreload") != NULL) {
		print_message("valgrind makes calls of its own, which the filter forbids\n");
		skip();
	}
	/* valgrind makes system calls of its own, which the filter kills. */
	if (getenv("UNDER_VALGRIND") != NULL)
		skip();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int status;
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0) {
			struct bp_error err;

			was_root = geteuid() == 0;
			status_fd = open("/proc/self/status", O_RDONLY);
			if (drop_privileges(&err) < 0 || drop_system_calls(&err) < 0)
				_exit(99);
			_exit(rows[i].act() ? 98 : 0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (rows[i].kills && !(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS))
			fail_msg("%s: not killed (%x)", rows[i].why, status);
		if (!rows[i].kills && !(WIFEXITED(status) && WEXITSTATUS(status) == 0))
			fail_msg("%s: %x", rows[i].why, status);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(after_the_drop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
