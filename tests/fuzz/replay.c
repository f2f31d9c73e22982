// SPDX-License-Identifier: BSD-2-Clause
/*
 * A main() for the fuzz targets where there is no libFuzzer (gcc): feeds every file of the given
 * corpus directories to LLVMFuzzerTestOneInput, so that old findings are ordinary tests. Each
 * input is also fed cut short, at a few lengths. Knows nothing of what is tested: an input fails
 * by a crash or a sanitizer's report, and the name of the file is on stdout before it runs.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/fuzz/fuzz.h"

/* libFuzzer's own default limit is 4 KiB; seeds of ours are larger, findings never this large. */
enum { INPUT_MAX = 4 << 20 };

/* The input lies at the end of its own allocation, so that a sanitizer sees one byte too far. */
static void feed(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy) {
		perror("replay");
		exit(1);
	}
	memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

/* Reads and feeds one file. Returns 0, or -1 with a line on stdout. */
static int replay_file(const char *path)
{
	FILE *in = fopen(path, "rb");
	uint8_t *data = malloc(INPUT_MAX);
	size_t size, cut;
	int rc = -1;

	if (!in || !data) {
		printf("%s: %s\n", path, strerror(errno));
		goto out;
	}
	size = fread(data, 1, INPUT_MAX, in);
	if (ferror(in) || !feof(in)) {
		printf("%s: cannot be read, or is over %d bytes\n", path, INPUT_MAX);
		goto out;
	}
	printf("%s\n", path);
	fflush(stdout);
	feed(data, size);
	/* Parsers break at ends: every short length of a small input, eight of a large one. */
	for (cut = 1; cut < size; cut += size <= 512 ? 1 : size / 8)
		feed(data, size - cut);
	rc = 0;
out:
	free(data);
	if (in)
		fclose(in);
	return rc;
}

static int is_input(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* Replays the files of a directory, or the file itself, in order of name; counts. */
static void replay(const char *path, unsigned *passed, unsigned *failed)
{
	struct dirent **entries;
	struct stat st;
	int i, n;

	if (stat(path, &st) == 0 && S_ISREG(st.st_mode)) {
		replay_file(path) ? ++*failed : ++*passed;
		return;
	}
	n = scandir(path, &entries, is_input, alphasort);
	if (n < 0) {
		printf("%s: %s\n", path, strerror(errno));
		++*failed;
		return;
	}
	for (i = 0; i < n; i++) {
		char *file;

		if (asprintf(&file, "%s/%s", path, entries[i]->d_name) < 0) {
			perror("replay");
			exit(1);
		}
		replay_file(file) ? ++*failed : ++*passed;
		free(file);
		free(entries[i]);
	}
	free(entries);
}

int main(int argc, char **argv)
{
	unsigned passed = 0, failed = 0;
	int i;

	if (argc < 2) {
		fprintf(stderr, "usage: %s CORPUS...\n", argv[0]);
		return 2;
	}
	for (i = 1; i < argc; i++)
		replay(argv[i], &passed, &failed);
	if (!passed && !failed) {
		printf("no inputs in %s\n", argv[1]);
		failed++;
	}
	printf("%u passed, %u failed\n", passed, failed);
	return failed > 0;
}
