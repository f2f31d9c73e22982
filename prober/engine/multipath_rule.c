// SPDX-License-Identifier: BSD-2-Clause
/* The stopping rule of multipath detection: how many flows exclude one more successor. */
#include "prober/engine/multipath.h"

enum { K_MAX = MULTIPATH_NODES_MAX + 2 };

/*
 * P[j]: the chance that the flows so far have hit j of k successors. One more flow hits one of
 * those j again with j/k. All terms are positive, so this stays exact where the alternating sum of
 * the closed form, which it equals, loses all its digits (k over 30).
 */
static void one_more_flow(double *p, unsigned k)
{
	for (unsigned j = k; j > 0; j--)
		p[j] = p[j] * j / k + p[j - 1] * (k - j + 1) / k;
	p[0] = 0;
}

double multipath_missed(unsigned k, unsigned n)
{
	double p[K_MAX + 1] = {1};

	if (k > K_MAX)
		k = K_MAX;
	for (unsigned i = 0; i < n && k > 0; i++)
		one_more_flow(p, k);
	return 1 - p[k];
}

unsigned multipath_stopping_point(unsigned k, double eps)
{
	double p[K_MAX + 1] = {1};
	unsigned n = 0;

	if (k > K_MAX)
		k = K_MAX;
	if (k == 0 || !(eps > 0))
		return 0;
	for (; 1 - p[k] > eps; n++)
		one_more_flow(p, k);
	return n;
}
