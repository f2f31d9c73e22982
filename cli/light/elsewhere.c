// SPDX-License-Identifier: BSD-2-Clause
/*
 * What `borderpath` does not do itself: it becomes borderpath-fleet. The commands' rows are in the
 * table for help, which is told here; none of them is ever run. Decides by words alone and opens
 * nothing.
 */
#include "cli/fleet.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

static const char other[] = "borderpath-fleet";

/* "campaign WORD" of these, and the commands. */
static const char *const commands_elsewhere[] = {"agent", "collect", "fleet", NULL};
static const char *const campaigns_elsewhere[] = {"deploy", "withdraw", "list", NULL};

static bool is_among(const char *const *words, const char *word)
{
	for (; *words != NULL; words++) {
		if (strcmp(*words, word) == 0)
			return true;
	}
	return false;
}

static bool is_help(const char *word)
{
	return strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0;
}

/* As a word of its own, or behind the "=" of a long option. */
static bool names_a_server(const char *word)
{
	const char *value = word[0] == '-' && word[1] == '-' ? strchr(word, '=') : NULL;

	word = value != NULL ? value + 1 : word;
	return strncmp(word, "postgresql:", 11) == 0 || strncmp(word, "postgres:", 9) == 0;
}

static bool needs_other(int argc, char **argv)
{
	if (argc < 2)
		return false;
	if (argc < 3 || !is_help(argv[2])) {
		if (is_among(commands_elsewhere, argv[1]))
			return true;
		if (strcmp(argv[1], "campaign") == 0 && argc > 2 &&
		    is_among(campaigns_elsewhere, argv[2]))
			return true;
	}
	for (int i = 2; i < argc; i++) {
		if (names_a_server(argv[i]))
			return true;
	}
	return false;
}

/* Of the same build, if it lies there. */
static void beside(char *path, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", path, size - 1);
	char *slash;

	if (n > 0) {
		path[n] = '\0';
		slash = strrchr(path, '/');
		if (slash != NULL && (size_t)(slash - path) + 1 + sizeof(other) <= size) {
			memcpy(slash + 1, other, sizeof(other));
			if (access(path, F_OK) == 0)
				return;
		}
	}
	memcpy(path, other, sizeof(other));
}

int cli_elsewhere(int argc, char **argv)
{
	char path[4096];

	if (!needs_other(argc, argv))
		return -1;
	beside(path, sizeof(path));
	execvp(path, argv);
	if (errno == ENOENT)
		cli_say("this needs %s, which is not installed (looked beside borderpath and on "
			"PATH)", other);
	else
		cli_say("cannot run %s: %s", path, strerror(errno));
	return CLI_FAILURE;
}

/* Of these commands only the help is told here: main asks cli_elsewhere first. */
int cli_fleet(int argc, char **argv)
{
	const struct command *c = command_find(argv[0]);

	if (argc > 1 && is_help(argv[1]) && c != NULL)
		return cli_print(c->usage);
	cli_say("%s needs %s", argv[0], other);
	return CLI_FAILURE;
}
