// SPDX-License-Identifier: BSD-2-Clause
/*
 * The vocabulary: one traceroute as a value. A trace is one block of memory, without pointers, of
 * trace_size() bytes: copy it with memcpy, compare it, send it through a pipe. Entries (one per
 * probe, extra replies behind it) are in order of ttl, then attempt, then arrival.
 * Unknown is 0 for enums and the negative or empty value named at each field. Words are those of
 * the interface (tables below). Knows no network names, no border: annotation and verdict are
 * later passes (analysis/).
 */
#ifndef CORE_RECORD_TRACE_H
#define CORE_RECORD_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/clock.h"
#include "core/text.h"

enum method { METHOD_UNKNOWN, METHOD_ICMP, METHOD_UDP, METHOD_TCP };

/* Every way a trace can end. */
enum stop {
	STOP_UNKNOWN,
	STOP_REACHED,     /* the destination answered for itself (by ICMP type, not by source) */
	STOP_GAP_LIMIT,   /* gap_limit TTLs in a row silent */
	STOP_MAX_TTL,     /* last TTL probed */
	STOP_UNREACHABLE, /* an ICMP unreachable ended it */
	STOP_LOOP,        /* the same router again and again */
	STOP_TIMEOUT,     /* the time allowed for this target ran out */
	STOP_INTERRUPTED, /* the user or the caller stopped the run */
	STOP_ERROR,       /* could not measure: `error` says what */
};

enum reach { REACH_UNKNOWN, REACH_REACHED, REACH_FILTERED, REACH_UNREACHABLE, REACH_SILENT };

enum reached_by {
	REACHED_BY_NONE,
	REACHED_BY_ECHO_REPLY,
	REACHED_BY_PORT_UNREACHABLE,
	REACHED_BY_SYN_ACK,
	REACHED_BY_RST,
};

/* Where both stamps of an RTT come from. */
enum stamps {
	STAMPS_UNKNOWN,
	STAMPS_PCAP,   /* kernel capture, both ways */
	STAMPS_IMPORT, /* as the other tool wrote it */
};

/* Why a probe has no answer. */
enum why {
	WHY_NONE,        /* it has one */
	WHY_TIMEOUT,     /* sent, nothing within the wait */
	WHY_NOT_SENT,    /* the kernel refused it */
	WHY_NOT_SEEN,    /* sent, but its departure was never captured: no RTT can be given */
	WHY_INTERRUPTED, /* the run ended while waiting */
};

enum reply_flag {
	REPLY_LATE = 1u << 0,      /* came after its wait had ended */
	REPLY_DUP = 1u << 1,       /* not the first answer to its probe */
	REPLY_REWRITTEN = 1u << 2, /* one field of the quoted token was changed on the way */
	REPLY_FTL = 1u << 3,       /* faster than light in fibre allows ("faster_than_light") */
	REPLY_NAT = 1u << 4,       /* the quoted addresses or ports are not those sent */
	REPLY_CLOCK = 1u << 5,     /* the clock stepped between the stamps: the RTT is void ("clock") */
	REPLY_NEARER = 1u << 6,    /* speaks as the destination; routers answered from beyond it */
	REPLY_QUOTE = 1u << 7,     /* a TTL exceeded that quotes another TTL than 1 ("quoted_ttl") */
	REPLY_INHERITED = 1u << 8, /* not asked in this trace: what `inherited_from` found here.
				    * Has no RTT, no departure; also on silent entries */
};

enum {
	TRACE_MPLS_MAX = 8,
	TRACE_ID_TEXT = 64,
	TRACE_ID_VANTAGE_TEXT = 29,
	TRACE_NAME_TEXT = 256,
	TRACE_ERROR_TEXT = 160,
	TRACE_IFNAME_TEXT = 16,
	TRACE_VANTAGE_TEXT = 64,
	TRACE_TOOL_TEXT = 48,
	TRACE_CAMPAIGN_TEXT = 64,
	TRACE_MAX_TTL = 255,
	TRACE_MAX_ENTRIES = 65535,
};

/* One MPLS label stack entry, RFC 4950. */
struct mpls {
	uint32_t label; /* 20 bits */
	uint8_t exp;    /* 3 bits, traffic class */
	uint8_t s;      /* bottom of stack */
	uint8_t ttl;
};

/* What RFC 5837 tells of an interface. */
enum iface_role { IFACE_NONE, IFACE_INCOMING, IFACE_SUB_IP, IFACE_OUTGOING, IFACE_NEXT_HOP };
struct iface {
	uint8_t role;      /* enum iface_role; IFACE_NONE: nothing told */
	uint32_t index;    /* ifIndex, 0 unknown */
	struct addr addr;
	uint32_t mtu;      /* bytes, 0 unknown */
	char name[32];     /* empty unknown; longer names are cut */
};

/* One answer. */
struct reply {
	struct addr from;    /* none: no answer */
	int64_t rtt_ns;      /* -1: not known */
	int16_t icmp_type;   /* -1: not ICMP or not known. As on the wire of the family */
	int16_t icmp_code;   /* -1 likewise */
	int16_t tcp_flags;   /* -1: not TCP. As on the wire: SYN 0x02, RST 0x04, ACK 0x10 */
	int16_t reply_ttl;   /* TTL or hop limit of the answer as it arrived; -1 unknown */
	int16_t quoted_ttl;  /* TTL of the probe as quoted; -1 unknown */
	int32_t size;        /* IP length of the answer, bytes; -1 unknown */
	int32_t ip_id;       /* of the answer, host order; -1 unknown or IPv6 */
	int32_t mtu;         /* frag needed / packet too big; -1 not told */
	uint16_t flags;      /* enum reply_flag */
	uint8_t mpls_count;
	struct mpls mpls[TRACE_MPLS_MAX];
	struct iface iface;  /* the incoming interface by preference */
};

struct trace_entry {
	uint8_t ttl;      /* as sent, 1..255 */
	uint8_t attempt;  /* from 1 */
	uint8_t why;      /* enum why; WHY_NONE when reply.from is set */
	int64_t tx_ns;    /* departure after trace.start; INT64_MIN unknown */
	struct reply reply;
};
#define TX_UNKNOWN INT64_MIN
/* rtt_ns and tx_ns beyond it (11 days) are no measurement, and would not survive the record's
 * decimals: they are refused. */
#define TRACE_NS_MAX INT64_C(1000000000000000)

/* How packets were refused, by reason; nothing is dropped silently. */
struct refused {
	uint32_t foreign;   /* not an answer to any probe of this run's flows */
	uint32_t bad_token; /* our flow, wrong token */
	uint32_t malformed; /* did not parse */
	uint32_t late;      /* a probe of this run, after its trace was finished */
	uint32_t duplicate; /* beyond the room kept for extra replies */
};

struct trace {
	uint32_t size;              /* bytes of the whole block = trace_size(entry_count) */
	uint32_t entry_count;
	uint64_t seq;               /* of its line in the plan; not part of the record. 0 unknown */
	char id[TRACE_ID_TEXT];     /* empty: none */
	char campaign[TRACE_CAMPAIGN_TEXT]; /* empty: none */
	char round[TRACE_ID_TEXT];  /* empty: none */
	char vantage[TRACE_VANTAGE_TEXT];
	char target[TRACE_NAME_TEXT];   /* as the user wrote it; may be empty */
	char tool[TRACE_TOOL_TEXT];     /* "borderpath 0.1.0" */
	char ifname[TRACE_IFNAME_TEXT]; /* outgoing; empty unknown */
	char error[TRACE_ERROR_TEXT];   /* for STOP_ERROR */
	char inherited_from[TRACE_ID_TEXT]; /* the trace that REPLY_INHERITED entries come from */
	struct addr src, dst;       /* dst none: imported text without header */
	uint8_t method;             /* enum method */
	uint8_t stop, reach, reached_by, stamps; /* their enums */
	uint8_t first_ttl, max_ttl; /* asked for; 0 unknown */
	uint8_t attempts;           /* asked for per TTL; 0 unknown */
	uint8_t gap_limit;          /* 0 unknown */
	int32_t sport, dport;       /* host order; ICMP: identifier in sport; -1 unknown */
	int32_t flow;               /* -1 unknown */
	int32_t probe_size;         /* IP length of a probe, bytes; -1 unknown */
	int64_t wait_ms;            /* longest wait; -1 unknown */
	int64_t rate_pps;           /* asked for; 0 is "max", -1 unknown */
	struct wall start, end;     /* 0 unknown */
	int64_t sent, received;     /* probes, replies; -1 unknown */
	int64_t drops;              /* capture or kernel drops while it ran; -1 unknown */
	bool clock_stepped;         /* CLOCK_REALTIME was set while it ran */
	bool clock_known;           /* whether anybody looked */
	bool refused_known;
	struct refused refused;     /* counted while it ran; shared by traces in flight together */
	/* Loss by our own speed, while it ran; shared likewise. */
	uint32_t slowed_times;      /* the pace was cut so often */
	uint32_t slowed_pps;        /* to this at the lowest; 0: never */
	uint32_t repeated;          /* probes of this trace sent again, beyond `attempts` */
	bool place_known;           /* where the vantage point stands: */
	double lat, lon;            /* degrees, north and east; [-90, 90], [-180, 180] */
	struct trace_entry entries[];
};

static inline size_t trace_size(uint32_t entry_count)
{
	return sizeof(struct trace) + entry_count * sizeof(struct trace_entry);
}

/* A new trace on the heap with every field at its "unknown"; room for `room` entries, count 0.
 * NULL: out of memory. Free with free(). */
struct trace *trace_new(uint32_t room);
/* Every field of t but entries to "unknown"; count 0. */
void trace_init(struct trace *t);
/* Every field of an entry to "unknown" for this ttl and attempt. */
void trace_entry_init(struct trace_entry *e, uint8_t ttl, uint8_t attempt);
/* Checks a block read from elsewhere: size, counts, enum ranges, terminated strings, addresses,
 * order of entries. 0 or BP_EPARSE. `n` is the number of bytes at t, which must be aligned. */
int trace_validate(const struct trace *t, size_t n);
/* Sorts entries by ttl, attempt, keeping arrival order of equals. */
void trace_sort(struct trace *t);

/* Entries of one TTL are consecutive: [*begin, *end) of `ttl`; false when it was not probed. */
bool trace_hop(const struct trace *t, uint8_t ttl, uint32_t *begin, uint32_t *end);
/* An answered entry that says "I am the destination" by its type: echo reply, SYN-ACK or RST from
 * the destination address, or to UDP a port unreachable: from it, from its /64, or from an address
 * that let no TTL run out in this trace. A target may answer from its other side; so may a firewall
 * that is silent otherwise: no proof that the path got inside a network. What is flagged as nearer
 * or faster than light only says so. */
bool trace_entry_is_destination(const struct trace *t, const struct trace_entry *e);
/* Minimum and median RTT (ns) and counts over the hop's in-time replies; -1 where none. */
struct hop_stats { int64_t min_ns, median_ns; unsigned sent, answered; };
struct hop_stats trace_hop_stats(const struct trace *t, uint8_t ttl);
/* The same over the destination's replies, all TTLs. */
struct hop_stats trace_destination_stats(const struct trace *t);

/* "!X"-like mark of traceroute for an unreachable's code, "" for none. */
const char *icmp_mark(uint8_t family, int icmp_type, int icmp_code);
/* Whether the ICMP type is: time exceeded in transit; an unreachable; prohibited by an admin. */
bool icmp_is_ttl_exceeded(uint8_t family, int icmp_type, int icmp_code);
bool icmp_is_unreachable(uint8_t family, int icmp_type);
bool icmp_is_prohibited(uint8_t family, int icmp_type, int icmp_code);
bool icmp_is_port_unreachable(uint8_t family, int icmp_type, int icmp_code);
bool icmp_is_echo_reply(uint8_t family, int icmp_type);

/* What an id of a trace has of its vantage point's name (prober/record.h): the first 28 bytes,
 * those other than [A-Za-z0-9._] as "_". Several names may have the same. Returns out. */
const char *trace_id_vantage(const char *vantage, char out[static TRACE_ID_VANTAGE_TEXT]);

extern const struct word method_words[], stop_words[], reach_words[], reached_by_words[],
	stamps_words[], why_words[], reply_flag_words[], iface_role_words[];

#endif
