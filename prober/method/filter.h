// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the kernel should hand to the capture: the filter slots of the rows in method.c, in
 * libpcap's language, for DLT_LINUX_SLL2. A filter saves work and decides nothing: method_match
 * does.
 */
#ifndef PROBER_METHOD_FILTER_H
#define PROBER_METHOD_FILTER_H

#include <stddef.h>
#include <stdint.h>

void filter_icmp4(char *out, size_t size, uint16_t port_low, uint16_t port_high);
void filter_icmp6(char *out, size_t size, uint16_t port_low, uint16_t port_high);
void filter_udp4(char *out, size_t size, uint16_t port_low, uint16_t port_high);
void filter_udp6(char *out, size_t size, uint16_t port_low, uint16_t port_high);
void filter_tcp4(char *out, size_t size, uint16_t port_low, uint16_t port_high);
void filter_tcp6(char *out, size_t size, uint16_t port_low, uint16_t port_high);

#endif
