// SPDX-License-Identifier: BSD-2-Clause
/*
 * A scripted network with branches, for running multipath detection without a packet. The same seed
 * gives the same run; every run is checked for what must hold in all of them.
 *
 * A topology is words NAME[MARKS]:NEXTS, one letter a node, the source "S" first, the destination
 * "D" (no word of its own): "S:a a:bc b:d c:d d:D". By hash of the flow, each node sends to one of
 * NEXTS. Marks: "%" chooses anew for every packet, "-" never answers, "!" says prohibited.
 */
#ifndef TESTS_UNIT_PROBER_ENGINE_MNET_H
#define TESTS_UNIT_PROBER_ENGINE_MNET_H

#include "prober/engine/multipath.h"

enum { MNET_TTLS = 40, MNET_FLOWS = MULTIPATH_FLOWS_MAX };

struct mnet_script {
	uint32_t loss_1_in;      /* an answer is lost; 0: never */
	int64_t jitter_ns;
	uint32_t refused_1_in;   /* the kernel refuses a probe */
	uint32_t target_burst;   /* answers of the destination before one a second; 0: no limit */
	uint32_t router_burst;   /* the same of every other node */
	uint16_t flows_at_most;  /* then there are no more; 0: no limit */
	int64_t stop_after_ns;   /* 0: never */
};

struct mnet_result {
	uint16_t flows;
	unsigned probes, waves;  /* waves: times everything stood still until an answer came */
	int64_t took_ns;
	bool cut;
	double confidence;
	uint8_t balancing[MNET_TTLS];
	struct multipath_end ends[MNET_FLOWS];
	char at[MNET_FLOWS][MNET_TTLS]; /* [flow][ttl] who answered or is inherited; 0 nobody */
	bool inherited[MNET_FLOWS][MNET_TTLS];
	bool asked[MNET_FLOWS];
};

/* NULL, or what was violated. */
const char *mnet_run(const char *topology, uint64_t seed, const struct mnet_script *script,
		     const struct multipath_config *c, struct mnet_result *out);
/* The interface's defaults at this level. */
struct multipath_config mnet_config(uint8_t level);
/* Writes the links between answering nodes of TTLs next to each other as sorted words "1ab 1ac":
 * those of the topology; and those of a result, over TTLs that flows steer. */
void mnet_true_links(const char *topology, char *out, size_t size);
void mnet_found_links(const struct mnet_result *r, char *out, size_t size);

#endif
