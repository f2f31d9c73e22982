// SPDX-License-Identifier: BSD-2-Clause
/* libpcap on "any": open with everything that needs privilege, drain without. */
#include "prober/io/capture.h"

#include <net/ethernet.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "core/cur.h"

struct capture {
	pcap_t *pcap;
	int fd;
	uint64_t received, dropped; /* totals: the kernel's counters are 32 bits wide */
	uint32_t last_received, last_dropped;
};

struct drain {
	capture_handler handler;
	void *context;
	uint64_t not_ip;
};

enum {
	SLL2_OUTGOING = 4,
	/* More frames than the ring holds (a place takes a snap length at least), so all that
	 * waited is handed over; and an end, so that a flood which refills the ring as fast as it
	 * is read cannot keep the loop from its signals and its other work. */
	DRAIN_MAX = CAPTURE_RING_BYTES / CAPTURE_SNAPLEN,
};

/* The protocols whose header is a tag in front of another protocol. */
static bool is_vlan(uint16_t protocol)
{
	return protocol == ETHERTYPE_VLAN || protocol == 0x88a8 /* IEEE 802.1ad */;
}

int capture_parse_sll2(const uint8_t *frame, size_t n, struct captured *out)
{
	struct cur c = cur_of(frame, n);
	uint16_t protocol = cur_be16(&c);
	uint32_t ifindex;
	uint8_t type;

	cur_skip(&c, 2); /* reserved */
	ifindex = cur_be32(&c);
	cur_skip(&c, 2); /* ARPHRD type: any will do */
	type = cur_u8(&c);
	cur_skip(&c, 1 + 8); /* link-layer address */
	/* libpcap puts back the tags that the hardware took off. */
	for (int tags = 0; is_vlan(protocol) && tags < 3; tags++) {
		cur_skip(&c, 2);
		protocol = cur_be16(&c);
	}
	if (c.failed || ifindex > INT32_MAX)
		return BP_EPARSE;
	if (protocol != ETHERTYPE_IP && protocol != ETHERTYPE_IPV6)
		return BP_EFOREIGN;
	out->ifindex = (int)ifindex;
	out->outgoing = type == SLL2_OUTGOING;
	out->bytes = c.at;
	out->size = cur_left(&c);
	return 0;
}

static int configure(pcap_t *p, struct bp_error *err)
{
	int rc = pcap_set_snaplen(p, CAPTURE_SNAPLEN);

	if (rc == 0)
		rc = pcap_set_buffer_size(p, CAPTURE_RING_BYTES);
	if (rc == 0)
		rc = pcap_set_immediate_mode(p, 1);
	if (rc == 0)
		rc = pcap_set_tstamp_precision(p, PCAP_TSTAMP_PRECISION_NANO);
	if (rc != 0)
		return bp_fail(err, BP_EIO, "capture: %s", pcap_statustostr(rc));
	rc = pcap_activate(p);
	if (rc == PCAP_ERROR_PERM_DENIED)
		return bp_fail(err, BP_EPERM, "capture: %s", pcap_statustostr(rc));
	if (rc < 0)
		return bp_fail(err, BP_EIO, "capture: %s: %s", pcap_statustostr(rc), pcap_geterr(p));
	if (pcap_get_tstamp_precision(p) != PCAP_TSTAMP_PRECISION_NANO)
		return bp_fail(err, BP_EUNSUP, "capture: no nanosecond stamps");
	if (pcap_set_datalink(p, DLT_LINUX_SLL2) != 0)
		return bp_fail(err, BP_EUNSUP, "capture: %s", pcap_geterr(p));
	return 0;
}

static int set_filter(pcap_t *p, const char *filter, struct bp_error *err)
{
	struct bpf_program program;
	int rc;

	if (pcap_compile(p, &program, filter, 1, PCAP_NETMASK_UNKNOWN) != 0)
		return bp_fail(err, BP_EPARSE, "capture filter: %s", pcap_geterr(p));
	rc = pcap_setfilter(p, &program);
	pcap_freecode(&program);
	if (rc != 0)
		return bp_fail(err, BP_EIO, "capture filter: %s", pcap_geterr(p));
	return 0;
}

int capture_open(const char *filter, struct capture **out, struct bp_error *err)
{
	char text[PCAP_ERRBUF_SIZE] = "";
	struct capture *c = calloc(1, sizeof(*c));
	int rc = BP_ENOMEM;

	if (c == NULL)
		return bp_fail(err, BP_ENOMEM, "capture: out of memory");
	c->pcap = pcap_create("any", text);
	if (c->pcap == NULL) {
		rc = bp_fail(err, BP_EIO, "capture: %s", text);
		goto out;
	}
	rc = configure(c->pcap, err);
	if (rc == 0)
		rc = set_filter(c->pcap, filter, err);
	if (rc < 0)
		goto out;
	if (pcap_setnonblock(c->pcap, 1, text) != 0) {
		rc = bp_fail(err, BP_EIO, "capture: %s", text);
		goto out;
	}
	c->fd = pcap_get_selectable_fd(c->pcap);
	*out = c;
	c = NULL;
	rc = 0;
out:
	capture_close(c);
	return rc;
}

void capture_close(struct capture *c)
{
	if (c == NULL)
		return;
	if (c->pcap != NULL)
		pcap_close(c->pcap);
	free(c);
}

int capture_fd(const struct capture *c)
{
	return c->fd;
}

static void on_frame(u_char *user, const struct pcap_pkthdr *h, const u_char *bytes)
{
	struct drain *d = (struct drain *)(void *)user;
	struct captured p;

	if (capture_parse_sll2(bytes, h->caplen, &p) < 0) {
		d->not_ip++;
		return;
	}
	/* With nanosecond precision libpcap puts them where the microseconds were. */
	p.stamp.ns = (int64_t)h->ts.tv_sec * NS_PER_S + h->ts.tv_usec;
	d->handler(&p, d->context);
}

int capture_drain(struct capture *c, capture_handler handler, void *context, uint64_t *not_ip,
		  struct bp_error *err)
{
	struct drain d = {.handler = handler, .context = context};
	int n = pcap_dispatch(c->pcap, DRAIN_MAX, on_frame, (u_char *)(void *)&d);

	*not_ip += d.not_ip;
	if (n < 0)
		return bp_fail(err, BP_EIO, "capture: %s", pcap_geterr(c->pcap));
	return n;
}

int capture_stats(struct capture *c, struct capture_stats *out)
{
	struct pcap_stat s;
	uint32_t dropped;

	if (pcap_stats(c->pcap, &s) != 0)
		return BP_EIO;
	dropped = s.ps_drop + s.ps_ifdrop;
	/* Differences modulo 2^32. */
	c->received += (uint32_t)(s.ps_recv - c->last_received);
	c->dropped += (uint32_t)(dropped - c->last_dropped);
	c->last_received = s.ps_recv;
	c->last_dropped = dropped;
	*out = (struct capture_stats){.received = c->received, .dropped = c->dropped};
	return 0;
}
