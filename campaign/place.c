// SPDX-License-Identifier: BSD-2-Clause
/* Names are made of round ids, state is read off the file system. */
#include "campaign/place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/err.h"

const char *place_name(const struct campaign_plan *p, char out[static ROUND_ID_TEXT])
{
	struct round r;
	char *moment;

	round_init(&r);
	text_set(r.campaign, sizeof(r.campaign), p->campaign);
	text_set(r.vantage, sizeof(r.vantage), p->vantage);
	round_set_id(&r);
	moment = strrchr(r.id, '-');
	if (moment != NULL)
		*moment = '\0';
	text_set(out, ROUND_ID_TEXT, r.id);
	return out;
}

const char *place_spool(const char *store_path, const char *spool_dir,
			const struct campaign_plan *p, char out[static PLACE_TEXT])
{
	char name[ROUND_ID_TEXT];

	snprintf(out, PLACE_TEXT, "%s%s/%s", spool_dir != NULL ? spool_dir : store_path,
		 spool_dir != NULL ? "" : ".spool", place_name(p, name));
	return out;
}

const char *place_lock(const char *store_path, const struct campaign_plan *p,
		       char out[static PLACE_TEXT])
{
	char name[ROUND_ID_TEXT];

	snprintf(out, PLACE_TEXT, "%s.spool/%s.lock", store_path, place_name(p, name));
	return out;
}

const char *place_outbox(const char *store_path, const struct campaign_plan *p,
			 char out[static PLACE_TEXT])
{
	char name[ROUND_ID_TEXT];

	snprintf(out, PLACE_TEXT, "%s.spool/%s.alerts", store_path, place_name(p, name));
	return out;
}

int place_holder(const char *lock, int64_t *out)
{
	int fd = open(lock, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int64_t pid = 0;
	char text[32];
	ssize_t n;

	if (fd < 0 && errno == EACCES)
		return BP_EPERM;
	*out = 0;
	if (fd < 0)
		return 0;
	/* Shared, so that those who only look do not take each other for a daemon; closing gives it
	 * back at once. */
	if (flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
		n = pread(fd, text, sizeof(text) - 1, 0);
		text[n > 0 ? n : 0] = '\0';
		pid = strtol(text, NULL, 10);
		pid = pid > 0 ? pid : -1;
	}
	close(fd);
	*out = pid;
	return 0;
}

static bool ends_with(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	return n > m && strcmp(name + n - m, end) == 0;
}

int place_look(const char *spool, bool running, struct place_waiting *out)
{
	DIR *d = opendir(spool);
	struct dirent *e;
	struct stat st;

	if (d == NULL && errno == EACCES)
		return BP_EPERM;
	*out = (struct place_waiting){0};
	while (d != NULL && (e = readdir(d)) != NULL) {
		struct wall since;

		if (ends_with(e->d_name, ".refused"))
			out->refused++;
		if (!ends_with(e->d_name, ".jsonl") && (running || !ends_with(e->d_name, ".part")))
			continue;
		if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		since.ns = st.st_mtim.tv_sec * NS_PER_S + st.st_mtim.tv_nsec;
		out->rounds++;
		out->bytes += (uint64_t)st.st_size;
		if (out->oldest.ns == 0 || since.ns < out->oldest.ns)
			out->oldest = since;
	}
	if (d != NULL)
		closedir(d);
	return 0;
}
