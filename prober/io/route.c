// SPDX-License-Identifier: BSD-2-Clause
/* connect() and getsockname(): the kernel's routing as anybody may ask it. */
#include "prober/io/route.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/text.h"

int route_names_open(struct route_names *n, struct bp_error *err)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return bp_fail_sys(err, errno, "cannot open a socket");
	memset(n, 0, sizeof(*n));
	n->fd = fd;
	return 0;
}

void route_names_close(struct route_names *n)
{
	if (n->fd >= 0)
		close(n->fd);
	n->fd = -1;
}

const char *route_ifname(struct route_names *n, int ifindex)
{
	struct ifreq r;
	unsigned at;

	for (at = 0; at < n->count; at++) {
		if (n->seen[at].index == ifindex)
			return n->seen[at].name;
	}
	memset(&r, 0, sizeof(r));
	r.ifr_ifindex = ifindex;
	if (ifindex <= 0 || ioctl(n->fd, SIOCGIFNAME, &r) < 0)
		return "";
	/* Full: the place of the last one is used again and again. */
	if (n->count < ROUTE_NAMES)
		n->count++;
	at = n->count - 1;
	n->seen[at].index = ifindex;
	text_copy(n->seen[at].name, sizeof(n->seen[at].name), r.ifr_name,
		  strnlen(r.ifr_name, sizeof(r.ifr_name)));
	return n->seen[at].name;
}

int route_ifindex(struct route_names *n, const char *name, struct bp_error *err)
{
	struct ifreq r;

	memset(&r, 0, sizeof(r));
	if (strlen(name) >= sizeof(r.ifr_name))
		return bp_fail(err, BP_ENOTFOUND, "no interface %s", name);
	memcpy(r.ifr_name, name, strlen(name));
	if (ioctl(n->fd, SIOCGIFINDEX, &r) < 0)
		return bp_fail(err, BP_ENOTFOUND, "no interface %s", name);
	return r.ifr_ifindex;
}

static int bind_source(int fd, const struct route_want *want, struct bp_error *err)
{
	struct sockaddr_storage ss;
	socklen_t n = addr_to_sockaddr(want->src, 0, &ss);
	char text[ADDR_TEXT];

	if (want->src.family == 6 && addr_kind(want->src) == ADDR_KIND_LINK_LOCAL)
		((struct sockaddr_in6 *)&ss)->sin6_scope_id = (uint32_t)want->ifindex;
	if (bind(fd, (struct sockaddr *)&ss, n) < 0)
		return bp_fail_sys(err, errno, "cannot send from %s",
				   addr_format(want->src, text));
	return 0;
}

static int connect_to(int fd, const struct route_want *want, struct bp_error *err)
{
	struct sockaddr_storage ss;
	socklen_t n = addr_to_sockaddr(want->dst, htons(want->dport ? want->dport : 1), &ss);
	char text[ADDR_TEXT];

	addr_format(want->dst, text);
	if (want->dst.family == 6 && addr_kind(want->dst) == ADDR_KIND_LINK_LOCAL) {
		if (want->ifindex <= 0)
			return bp_fail(err, BP_EINVAL, "%s is link-local: name an interface (-i)",
				       text);
		((struct sockaddr_in6 *)&ss)->sin6_scope_id = (uint32_t)want->ifindex;
	}
	if (connect(fd, (struct sockaddr *)&ss, n) == 0)
		return 0;
	/* Linux: connecting to a broadcast address without having asked for it. */
	if (errno == EACCES && want->dst.family == 4)
		return bp_fail_sys(err, errno, "%s is a broadcast address or its route is prohibited",
				   text);
	/* Linux: what a blackhole route says. */
	if (errno == EINVAL)
		return bp_fail(err, BP_EIO, "no route to %s: it goes to a blackhole", text);
	return bp_fail_sys(err, errno, "no route to %s", text);
}

int route_source(const struct route_want *want, struct addr *out, struct bp_error *err)
{
	int fd, rc = 0;
	struct sockaddr_storage ss;
	socklen_t n = sizeof(ss);
	struct addr src;

	fd = socket(want->dst.family == 4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return bp_fail_sys(err, errno, "cannot ask for a route");
	if (want->ifname != NULL && want->ifname[0] != '\0' &&
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, want->ifname,
		       (socklen_t)strlen(want->ifname)) < 0)
		rc = bp_fail_sys(err, errno, "cannot use interface %s", want->ifname);
	if (rc == 0 && addr_is_set(want->src))
		rc = bind_source(fd, want, err);
	if (rc == 0)
		rc = connect_to(fd, want, err);
	if (rc == 0 && getsockname(fd, (struct sockaddr *)&ss, &n) < 0)
		rc = bp_fail_sys(err, errno, "cannot read the source address");
	if (rc == 0)
		rc = addr_from_sockaddr((struct sockaddr *)&ss, &src);
	close(fd);
	if (rc == 0)
		*out = src;
	return rc;
}
