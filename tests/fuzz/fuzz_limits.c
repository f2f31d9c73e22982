// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any bytes as the limits file. A refusal names its line and allows nothing; what is accepted keeps
 * the ranges of limits.h, and each network named is refused as a target. Seeds:
 * tests/unit/prober/test_limits.c.
 */
#include <string.h>

#include "prober/limits.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bp_error err = {0};
	const struct prefixset none = {0};
	struct limits l;
	int rc;

	if (size > LIMITS_FILE_MAX)
		return 0;
	rc = limits_parse((const char *)data, size, &l, &err);
	if (rc < 0) {
		must(rc == BP_EPARSE || rc == BP_ERANGE);
		must(err.code == rc && strncmp(err.text, "line ", 5) == 0);
		must(l.never.items == NULL && l.never.count == 0 && l.user_count == 0);
		return 0;
	}
	must(l.rate_pps > 0 && l.prefix_pps > 0 && l.router_pps > 0);
	must(l.never.count <= LIMITS_PREFIXES_MAX && l.user_count <= LIMITS_USERS_MAX);
	must(!l.never.loose);
	for (uint32_t i = 0; i < l.never.count; i++)
		must(limits_check_target(&l, &none, l.never.items[i].addr, &err) == BP_EPERM);
	for (uint32_t i = 0; i < l.user_count; i++) {
		must(l.users[i][0] != '\0');
		must(memchr(l.users[i], '\0', LIMITS_USER_TEXT) != NULL);
		must(limits_unlimited(&l, 1, l.users[i]));
	}
	limits_fini(&l);
	return 0;
}
