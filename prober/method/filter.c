// SPDX-License-Identifier: BSD-2-Clause
/*
 * Filter expressions. Three parts each: our probe going out, the answer of the destination coming
 * in, ICMP errors coming in. libpcap's tcp[] and icmp6[] see no further than a plain IPv6 header,
 * and its `protochain` loops, which the kernel refuses: so IPv6 answers that begin with an
 * extension header are let through whole for the parser to walk.
 */
#include "prober/method/filter.h"

#include <stdio.h>

/* Errors of IPv4 that quote protocol %d: icmp[17] is the quote's protocol, whatever its options. */
#define ERRORS4                                                                                    \
	"(inbound and (icmp[0] = 3 or icmp[0] = 11 or icmp[0] = 12) and icmp[17] = %d)"

/* ip6[40] is the type right behind a plain header. */
#define ERRORS6 "(inbound and ip6[6] = 58 and ip6[40] >= 1 and ip6[40] <= 4)"

/* Hop-by-hop, routing and destination options; a first fragment of ICMPv6. */
#define EXTENDED6                                                                                  \
	"(inbound and (ip6[6] = 0 or ip6[6] = 43 or ip6[6] = 60 or "                               \
	"(ip6[6] = 44 and ip6[40] = 58)))"

void filter_icmp4(char *out, size_t size, uint16_t port_low, uint16_t port_high)
{
	snprintf(out, size,
		 "(icmp[4:2] >= %u and icmp[4:2] <= %u and "
		 "((outbound and icmp[0] = 8) or (inbound and icmp[0] = 0))) or " ERRORS4,
		 port_low, port_high, 1);
}

void filter_icmp6(char *out, size_t size, uint16_t port_low, uint16_t port_high)
{
	snprintf(out, size,
		 "(ip6[6] = 58 and ip6[44:2] >= %u and ip6[44:2] <= %u and "
		 "((outbound and ip6[40] = 128) or (inbound and ip6[40] = 129))) or " ERRORS6
		 " or " EXTENDED6,
		 port_low, port_high);
}

void filter_udp4(char *out, size_t size, uint16_t port_low, uint16_t port_high)
{
	snprintf(out, size, "(outbound and ip and udp src portrange %u-%u) or " ERRORS4, port_low,
		 port_high, 17);
}

void filter_udp6(char *out, size_t size, uint16_t port_low, uint16_t port_high)
{
	snprintf(out, size,
		 "(outbound and ip6 and udp src portrange %u-%u) or " ERRORS6 " or " EXTENDED6,
		 port_low, port_high);
}

void filter_tcp4(char *out, size_t size, uint16_t port_low, uint16_t port_high)
{
	/* Flags: SYN 2, RST 4, ACK 16. */
	snprintf(out, size,
		 "(outbound and ip and tcp src portrange %u-%u and tcp[13] & 18 = 2) or "
		 "(inbound and ip and tcp dst portrange %u-%u and "
		 "(tcp[13] & 18 = 18 or tcp[13] & 4 != 0)) or " ERRORS4,
		 port_low, port_high, port_low, port_high, 6);
}

void filter_tcp6(char *out, size_t size, uint16_t port_low, uint16_t port_high)
{
	snprintf(out, size,
		 "(outbound and ip6 and tcp src portrange %u-%u and ip6[53] & 18 = 2) or "
		 "(inbound and ip6 and tcp dst portrange %u-%u and "
		 "(ip6[53] & 18 = 18 or ip6[53] & 4 != 0)) or " ERRORS6 " or " EXTENDED6,
		 port_low, port_high, port_low, port_high);
}
