// SPDX-License-Identifier: BSD-2-Clause
/* The meanings of RIPE Atlas results, as tables. Reads and writes nothing. */
#include "core/record/atlas.h"

struct atlas_icmp atlas_unmarked(const struct trace *t, const struct trace_entry *e)
{
	bool v4 = e->reply.from.family == 4;

	if (!addr_equal(e->reply.from, t->dst))
		return e->ttl == ATLAS_LAST_DITCH ? (struct atlas_icmp){-1, -1} :
						    (struct atlas_icmp){v4 ? 11 : 3, 0};
	switch (t->method) {
	case METHOD_ICMP:
		return (struct atlas_icmp){v4 ? 0 : 129, 0};
	case METHOD_UDP:
		return v4 ? (struct atlas_icmp){3, 3} : (struct atlas_icmp){1, 4};
	default:
		return (struct atlas_icmp){-1, -1};
	}
}

static const struct {
	uint8_t family, code;
	char letter;
} errs[] = {
	{4, 0, 'N'}, {4, 1, 'H'},  {4, 2, 'P'}, {4, 3, 'p'}, {4, 13, 'A'},
	{6, 0, 'N'}, {6, 1, 'A'},  {6, 2, 'h'}, {6, 3, 'H'}, {6, 4, 'p'},
};

char atlas_err_letter(uint8_t family, int icmp_code)
{
	for (size_t i = 0; i < sizeof(errs) / sizeof(errs[0]); i++) {
		if (errs[i].family == family && errs[i].code == icmp_code)
			return errs[i].letter;
	}
	return 0;
}

int atlas_err_code(uint8_t family, char letter)
{
	for (size_t i = 0; i < sizeof(errs) / sizeof(errs[0]); i++) {
		if (errs[i].family == family && errs[i].letter == letter)
			return errs[i].code;
	}
	return -1;
}

int32_t atlas_headers(uint8_t family, bool tcp)
{
	return (family == 6 ? 40 : 20) + (tcp ? 20 : 8);
}
