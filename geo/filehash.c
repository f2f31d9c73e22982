// SPDX-License-Identifier: BSD-2-Clause
/* SHA-256 of a file, with a cache beside nobody's data. */
#include "geo/filehash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "geo/places.h"

enum { BLOCK = 1 << 17, KEY_TEXT = 160, SETTLED_S = 2 };

/* What would change if the content did. */
static void key_of(const struct stat *st, char out[static KEY_TEXT])
{
	snprintf(out, KEY_TEXT, "%llu %llu %lld %lld.%09ld %lld.%09ld",
		 (unsigned long long)st->st_dev, (unsigned long long)st->st_ino,
		 (long long)st->st_size, (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec,
		 (long long)st->st_ctim.tv_sec, st->st_ctim.tv_nsec);
}

/* A file changed just now may change again within the clock's tick, unseen. */
static bool settled(const struct stat *st)
{
	time_t now = time(NULL);

	return now - st->st_mtim.tv_sec > SETTLED_S && now - st->st_ctim.tv_sec > SETTLED_S;
}

static bool is_hash(const char *text)
{
	return strlen(text) == FILEHASH_TEXT - 1 &&
	       strspn(text, "0123456789abcdef") == FILEHASH_TEXT - 1;
}

static bool cache_path(const struct stat *st, char out[static PLACES_PATH_MAX])
{
	char dir[PLACES_PATH_MAX];
	int n;

	if (!places_cache_dir(dir))
		return false;
	n = snprintf(out, PLACES_PATH_MAX, "%.900s/sha256-%llx-%llx", dir,
		     (unsigned long long)st->st_dev, (unsigned long long)st->st_ino);
	return n > 0 && n < PLACES_PATH_MAX;
}

static bool cache_read(const char *path, const char *key, char out[static FILEHASH_TEXT])
{
	char line[KEY_TEXT + 2], hash[FILEHASH_TEXT + 2];
	FILE *f = fopen(path, "re");
	bool good;

	if (f == NULL)
		return false;
	good = fgets(line, sizeof(line), f) != NULL && fgets(hash, sizeof(hash), f) != NULL;
	fclose(f);
	if (!good)
		return false;
	line[strcspn(line, "\n")] = '\0';
	hash[strcspn(hash, "\n")] = '\0';
	if (strcmp(line, key) != 0 || !is_hash(hash))
		return false;
	memcpy(out, hash, FILEHASH_TEXT);
	return true;
}

/* Under another name first: two runs at once must not read half a line. */
static void cache_write(const char *path, const char *key, const char hash[static FILEHASH_TEXT])
{
	char tmp[PLACES_PATH_MAX + 16];
	FILE *f;
	int fd;

	snprintf(tmp, sizeof(tmp), "%s.XXXXXX", path);
	fd = mkostemp(tmp, O_CLOEXEC);
	if (fd < 0)
		return;
	f = fdopen(fd, "w");
	if (f == NULL) {
		close(fd);
		unlink(tmp);
		return;
	}
	fprintf(f, "%s\n%s\n", key, hash);
	if (fclose(f) != 0 || rename(tmp, path) != 0)
		unlink(tmp);
}

static int hash_fd(int fd, const char *path, char out[static FILEHASH_TEXT], struct bp_error *err)
{
	unsigned char digest[crypto_hash_sha256_BYTES];
	crypto_hash_sha256_state state;
	unsigned char *block = malloc(BLOCK);
	int rc = 0;

	if (block == NULL)
		return bp_fail(err, BP_ENOMEM, "%s: out of memory", path);
	crypto_hash_sha256_init(&state);
	for (;;) {
		ssize_t n = read(fd, block, BLOCK);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			rc = bp_fail_sys(err, errno, "cannot read %s", path);
		if (n <= 0)
			break;
		crypto_hash_sha256_update(&state, block, (unsigned long long)n);
	}
	free(block);
	if (rc < 0)
		return rc;
	crypto_hash_sha256_final(&state, digest);
	sodium_bin2hex(out, FILEHASH_TEXT, digest, sizeof(digest));
	return 0;
}

int filehash_sha256(const char *path, char out[static FILEHASH_TEXT], struct bp_error *err)
{
	char key[KEY_TEXT], after_key[KEY_TEXT], cached[PLACES_PATH_MAX], hash[FILEHASH_TEXT];
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;
	struct stat st, after;
	bool have_cache;

	if (fd < 0)
		return bp_fail_sys(err, errno, "cannot open %s", path);
	if (fstat(fd, &st) < 0) {
		rc = bp_fail_sys(err, errno, "cannot read %s", path);
		close(fd);
		return rc;
	}
	key_of(&st, key);
	have_cache = S_ISREG(st.st_mode) && cache_path(&st, cached);
	if (have_cache && cache_read(cached, key, out)) {
		close(fd);
		return 0;
	}
	rc = hash_fd(fd, path, hash, err);
	if (rc == 0 && have_cache && settled(&st) && fstat(fd, &after) == 0) {
		key_of(&after, after_key);
		if (strcmp(key, after_key) == 0)
			cache_write(cached, key, hash);
	}
	close(fd);
	if (rc == 0)
		memcpy(out, hash, FILEHASH_TEXT);
	return rc;
}
