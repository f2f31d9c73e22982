// SPDX-License-Identifier: BSD-2-Clause
/* Three kinds of probe over both families, built by libnet from the last header to the first. */
#include "prober/wire/build.h"

#include <libnet.h>
#include <netinet/in.h>
#include <string.h>

enum { IP4_HEADER = 20, IP6_HEADER = 40, ECHO_HEADER = 8, UDP_HEADER = 8, TCP_HEADER = 20 };
enum { ECHO_REQUEST = 8, ECHO6_REQUEST = 128 };
enum { TCP_WINDOW = 64240, TCP_OPTIONS = 12 };

static int check(const struct build_ip *ip, size_t n, struct bp_error *err)
{
	if (!addr_is_set(ip->dst) || ip->src.family != ip->dst.family)
		return bp_fail(err, BP_EINVAL, "a probe needs two addresses of one family");
	if (ip->label > 0xfffff)
		return bp_fail(err, BP_EINVAL, "flow label %#x has more than 20 bits", ip->label);
	if (n % 2)
		return bp_fail(err, BP_EINVAL, "odd payload of %zu bytes", n);
	return 0;
}

static int open_context(libnet_t **l, struct bp_error *err)
{
	char why[LIBNET_ERRBUF_SIZE] = "";

	*l = libnet_init(LIBNET_NONE, NULL, why);
	return *l ? 0 : bp_fail(err, BP_ENOMEM, "libnet: %s", why);
}

static libnet_ptag_t add_ip(libnet_t *l, const struct build_ip *ip, uint8_t protocol,
			    size_t l4_size)
{
	if (ip->src.family == 4) {
		uint32_t src, dst;

		memcpy(&src, ip->src.bytes, sizeof(src));
		memcpy(&dst, ip->dst.bytes, sizeof(dst));
		return libnet_build_ipv4((uint16_t)(IP4_HEADER + l4_size), 0, ip->ip_id,
					 ip->dont_fragment ? IP_DF : 0, ip->ttl, protocol, 0, src,
					 dst, NULL, 0, l, 0);
	}

	struct libnet_in6_addr src, dst;

	memcpy(&src, ip->src.bytes, sizeof(src));
	memcpy(&dst, ip->dst.bytes, sizeof(dst));
	return libnet_build_ipv6(0, ip->label, (uint16_t)l4_size, protocol, ip->ttl, src, dst, NULL,
				 0, l, 0);
}

/* Joins what was built, copies it out and mends it. last_tag is that of the last builder. */
static int finish(libnet_t *l, libnet_ptag_t last_tag, const struct build_ip *ip, uint8_t *out,
		  size_t room, size_t *size, struct bp_error *err)
{
	uint8_t *bytes = NULL;
	uint32_t n = 0;
	int r = 0;

	if (last_tag == -1 || libnet_pblock_coalesce(l, &bytes, &n) == -1)
		return bp_fail(err, BP_EIO, "libnet: %s", libnet_geterror(l));
	if (n > room) {
		r = bp_fail(err, BP_EINVAL, "a probe of %u bytes does not fit %zu", n, room);
		goto out;
	}
	memcpy(out, bytes, n);
	if (ip->src.family == 6) {
		/* libnet 1.1.6 ors bits of the label over each other (0x12345 leaves as 0x14545).
		 * No checksum covers it. */
		out[1] = (uint8_t)(ip->label >> 16);
		out[2] = (uint8_t)(ip->label >> 8);
		out[3] = (uint8_t)ip->label;
	}
	*size = n;
out:
	/* The block starts `aligner` bytes before the packet: 0 without a link layer. */
	free(bytes - l->aligner);
	return r;
}

int build_echo(const struct build_ip *ip, uint16_t id, uint16_t seq, const uint8_t *payload,
	       size_t n, uint8_t *out, size_t room, size_t *size, struct bp_error *err)
{
	uint8_t copy[256];
	libnet_t *l;
	libnet_ptag_t tag;
	int r = check(ip, n, err);

	if (r)
		return r;
	if (n > sizeof(copy))
		return bp_fail(err, BP_EINVAL, "a payload of %zu bytes is too long", n);
	r = open_context(&l, err);
	if (r)
		return r;
	/* libnet_build_icmpv6_echo takes a payload that is not const. */
	if (n)
		memcpy(copy, payload, n);
	if (ip->src.family == 4)
		tag = libnet_build_icmpv4_echo(ECHO_REQUEST, 0, 0, id, seq, copy, (uint32_t)n, l,
					       0);
	else
		tag = libnet_build_icmpv6_echo(ECHO6_REQUEST, 0, 0, id, seq, copy, (uint32_t)n, l,
					       0);
	if (tag != -1)
		tag = add_ip(l, ip, ip->src.family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6,
			     ECHO_HEADER + n);
	r = finish(l, tag, ip, out, room, size, err);
	libnet_destroy(l);
	return r;
}

int build_udp(const struct build_ip *ip, uint16_t sport, uint16_t dport, const uint8_t *payload,
	      size_t n, uint8_t *out, size_t room, size_t *size, struct bp_error *err)
{
	libnet_t *l;
	libnet_ptag_t tag;
	int r = check(ip, n, err);

	if (r)
		return r;
	r = open_context(&l, err);
	if (r)
		return r;
	tag = libnet_build_udp(sport, dport, (uint16_t)(UDP_HEADER + n), 0, payload, (uint32_t)n, l,
			       0);
	if (tag != -1)
		tag = add_ip(l, ip, IPPROTO_UDP, UDP_HEADER + n);
	r = finish(l, tag, ip, out, room, size, err);
	libnet_destroy(l);
	return r;
}

int build_tcp_syn(const struct build_ip *ip, uint16_t sport, uint16_t dport, uint32_t seq,
		  uint8_t *out, size_t room, size_t *size, struct bp_error *err)
{
	uint16_t mss = ip->src.family == 4 ? 1460 : 1440;
	const uint8_t options[TCP_OPTIONS] = {
		2, 4, (uint8_t)(mss >> 8), (uint8_t)mss, /* maximum segment size */
		1, 3, 3, 8,                              /* no-op, window scale */
		1, 1, 4, 2,                              /* no-op, no-op, SACK permitted */
	};
	libnet_t *l;
	libnet_ptag_t tag;
	int r = check(ip, 0, err);

	if (r)
		return r;
	r = open_context(&l, err);
	if (r)
		return r;
	tag = libnet_build_tcp_options(options, TCP_OPTIONS, l, 0);
	if (tag != -1)
		tag = libnet_build_tcp(sport, dport, seq, 0, TH_SYN, TCP_WINDOW, 0, 0,
				       TCP_HEADER + TCP_OPTIONS, NULL, 0, l, 0);
	if (tag != -1)
		tag = add_ip(l, ip, IPPROTO_TCP, TCP_HEADER + TCP_OPTIONS);
	r = finish(l, tag, ip, out, room, size, err);
	libnet_destroy(l);
	return r;
}
