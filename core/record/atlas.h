// SPDX-License-Identifier: BSD-2-Clause
/*
 * What reader and writer of RIPE Atlas traceroute results agree on: which ICMP message an answer
 * without a word of it is, the words of "err", and the headers that Atlas does not count in sizes.
 * After the firmware's own source (eperd/traceroute.c of the RIPE Atlas software probe) and the
 * format's description, versions 4400 to 5000 (atlas.ripe.net/docs/apis/measurement-result-format).
 * Private to core/record/atlas*.c.
 */
#ifndef CORE_RECORD_ATLAS_H
#define CORE_RECORD_ATLAS_H

#include "core/record/jsonl.h"
#include "core/record/trace.h"

/* The probe of the last resort, after a gap: nothing lies between it and the hops before. */
enum { ATLAS_LAST_DITCH = 255 };

struct atlas_icmp { int16_t type, code; };

/* What an answer with neither "err", "mtu" nor "flags" is: from the destination an echo reply or
 * a port unreachable, as the method is; from anybody else a TTL exceeded, but not at hop 255. -1:
 * nothing can be said. */
struct atlas_icmp atlas_unmarked(const struct trace *t, const struct trace_entry *e);

/* The letter of an unreachable's code, or 0 where Atlas writes the code itself; and back: the code,
 * or -1 when the letter is not known. */
char atlas_err_letter(uint8_t family, int icmp_code);
int atlas_err_code(uint8_t family, char letter);

/* Bytes of the IP packet that Atlas's "size" leaves out: the headers of IP and of ICMP or UDP, or
 * of IP and TCP. */
int32_t atlas_headers(uint8_t family, bool tcp);

/* The `write` of the format (format.h). */
int atlas_write(struct buf *out, const struct record *rec, const struct names *names,
		const struct verdict *verdict);

#endif
