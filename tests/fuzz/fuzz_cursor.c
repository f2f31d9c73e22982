// SPDX-License-Identifier: BSD-2-Clause
/* Any bytes as the cursor of `events --new`: refused with one line, or written and read again. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/cursor.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bp_error err = {0};
	struct cursor c;
	char path[64];
	int fd = memfd_create("cursor", MFD_CLOEXEC), rc;

	must(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	rc = cursor_read(path, &c, &err);
	must(rc == 0 || rc == BP_EPARSE);
	if (rc < 0) {
		must(err.text[0] != '\0' && strchr(err.text, '\n') == NULL && c.told.count == 0);
	} else {
		struct wall seen = c.seen;

		must(c.next.ns == seen.ns);
		cursor_reach(&c, (struct wall){seen.ns - 1});
		must(c.next.ns == seen.ns);
	}
	cursor_fini(&c);
	close(fd);
	return 0;
}
